"""Networks put to tasks: scores, controls and costs."""
