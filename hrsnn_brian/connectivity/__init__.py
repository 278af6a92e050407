"""Connectivity: graphs, signed weights, loaded matrices and their statistics."""
