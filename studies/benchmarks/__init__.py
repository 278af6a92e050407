"""Benchmarks: commands of their own that compare run times, as ratios."""
