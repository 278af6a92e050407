"""Lyapunov Noise Pruning in parts: options, steps, timescales, history. `pipeline` is the loop."""
