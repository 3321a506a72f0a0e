"""What takes the place of exercises that are not right: the same by calls of the library."""

from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from exercise_code.support.checking.declare import stand_in


def _distances(
    x_train: Float[Tensor, "num_train *image"], x_test: Float[Tensor, "num_test *image"]
) -> Float[Tensor, "num_train num_test"]:
    """By `torch.cdist`."""
    return torch.cdist(x_train.flatten(1), x_test.flatten(1))


def _vote(dists: Float[Tensor, "num_train num_test"], y_train: Int[Tensor, " num_train"], k: int) -> Tensor:
    return y_train[dists.argsort(dim=0)[:k]].mode(dim=0).values  # the smallest of equally frequent labels


compute_distances_two_loops = stand_in("knn.compute_distances_two_loops")(_distances)
compute_distances_one_loop = stand_in("knn.compute_distances_one_loop")(_distances)
compute_distances_no_loops = stand_in("knn.compute_distances_no_loops")(_distances)


@stand_in("knn.predict_labels")
def predict_labels(
    dists: Float[Tensor, "num_train num_test"], y_train: Int[Tensor, " num_train"], k: int = 1
) -> Int[Tensor, " num_test"]:
    """By `torch.mode`."""
    return _vote(dists, y_train, k)


@stand_in("knn.KnnClassifier.predict")
def predict(self: Any, x_test: Float[Tensor, "num_test *image"], k: int = 1) -> Int[Tensor, " num_test"]:
    """By `torch.cdist` and `torch.mode`."""
    return _vote(_distances(self.x_train, x_test), self.y_train, k)
