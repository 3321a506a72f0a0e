"""Figures and toys for the notebooks on convolutional networks."""
