"""Figures: each reads a table and draws it. None of them simulates."""
