"""Studies: each runs the pipeline over a grid of points and writes one tidy table."""
