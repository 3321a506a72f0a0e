"""Linear classifiers, a network of two layers by hand, and features made by hand."""
