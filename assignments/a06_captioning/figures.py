"""Figures for the notebooks."""
