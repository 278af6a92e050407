"""Choosing what stays: importances, compensation, budgets, and the methods made of them."""

LNP = "lnp"  # named among the methods, but a loop of its own: see `pipeline`
