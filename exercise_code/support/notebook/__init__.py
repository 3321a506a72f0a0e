"""What notebooks use: set-up, figures, predictions, gradients by finite differences."""
