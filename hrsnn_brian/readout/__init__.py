"""Linear readouts of recorded states, their baselines, and closed-loop schedules."""
