"""Transformers that read pictures."""
