"""Checks examined by machine: right solutions changed in one place, which a check must notice."""
