"""What the functions of this assignment, as they are now, reach on images."""

import torch

from exercise_code.cnn.convolutional_networks import create_convolutional_solver_instance
from exercise_code.support import data

NUM_IMAGES = 500


def accuracy(dataset: str) -> float:
    """Fraction of `NUM_IMAGES` images that the solver's network gets right after four epochs on 1,000."""
    prepared = data.prepare(dataset, 1_000, 200, NUM_IMAGES, flatten=False)
    torch.manual_seed(0)
    solver = create_convolutional_solver_instance(prepared)
    solver.num_epochs = 4
    solver.train()
    return solver.check_accuracy(prepared["X_test"], prepared["y_test"])
