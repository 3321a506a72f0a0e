"""Multilayer networks: layers, losses, update rules, the solver, and the search for settings."""
