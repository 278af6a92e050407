"""Run directories: what a study leaves behind, so that a kill at any moment costs little."""
