"""Lyapunov exponents from perturbed trajectories: flows, maps and spiking networks."""
