"""Training: losses and learning-rate schedules."""
