"""k-nearest neighbours: classify an image by the images that look most like it."""

from collections.abc import Sequence
from statistics import fmean

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import one_hot


def compute_distances_two_loops(
    x_train: Float[Tensor, "num_train *image"],
    x_test: Float[Tensor, "num_test *image"],
) -> Float[Tensor, "num_train num_test"]:
    """Euclidean distance between every training and every test image, one pair at a time.

    The distance of a and b is  sqrt(sum_i (a_i - b_i)^2)  over all their pixels and channels.
    Not allowed here: torch.cdist, torch.dist, norms.

    Args:
        x_train: training images of any shape and any float dtype.
        x_test: test images of the same shape, dtype and device.

    Returns:
        Distances on the device and in the dtype of the images.
    """
    ### BEGIN SOLUTION
    dists = x_train.new_zeros(len(x_train), len(x_test))
    for i, a in enumerate(x_train):
        for j, b in enumerate(x_test):
            dists[i, j] = (a - b).square().sum().sqrt()
    return dists
    ### END SOLUTION


def compute_distances_one_loop(
    x_train: Float[Tensor, "num_train *image"],
    x_test: Float[Tensor, "num_test *image"],
) -> Float[Tensor, "num_train num_test"]:
    """Euclidean distance between every training and every test image, with one loop over the training images.

    Broadcasting takes one training image from all test images at once.
    Not allowed here: torch.cdist, torch.dist, norms.

    Args:
        x_train: training images of any shape and any float dtype.
        x_test: test images of the same shape, dtype and device.

    Returns:
        Distances on the device and in the dtype of the images.
    """
    ### BEGIN SOLUTION
    dists = x_train.new_zeros(len(x_train), len(x_test))
    for i, a in enumerate(x_train):
        dists[i] = (x_test - a).flatten(1).square().sum(1).sqrt()
    return dists
    ### END SOLUTION


def compute_distances_no_loops(
    x_train: Float[Tensor, "num_train *image"],
    x_test: Float[Tensor, "num_test *image"],
) -> Float[Tensor, "num_train num_test"]:
    """Euclidean distance between every training and every test image, without a Python loop.

    Expand the square, so that the only large product is a matrix product and no tensor of
    num_train x num_test x pixels is ever made:  |a - b|^2 = |a|^2 - 2 a.b + |b|^2.
    Rounding can leave a square slightly below zero, where the root is not a number.
    Not allowed here: torch.cdist, torch.dist, norms.

    Args:
        x_train: training images of any shape and any float dtype.
        x_test: test images of the same shape, dtype and device.

    Returns:
        Distances on the device and in the dtype of the images; never NaN.
    """
    ### BEGIN SOLUTION
    a, b = x_train.flatten(1), x_test.flatten(1)
    squared = a.square().sum(1, keepdim=True) - 2 * a @ b.T + b.square().sum(1)
    return squared.clamp(min=0).sqrt()
    ### END SOLUTION


def predict_labels(
    dists: Float[Tensor, "num_train num_test"], y_train: Int[Tensor, " num_train"], k: int = 1
) -> Int[Tensor, " num_test"]:
    """The label that most of the k nearest training images have; a tie goes to the smallest label.

    Args:
        dists: distance of every training image to every test image.
        y_train: labels of the training images, int64, 0 or more.
        k: how many neighbours vote, 1 to num_train.

    Returns:
        The predicted labels, int64, on the device of y_train.
    """
    ### BEGIN SOLUTION
    nearest = dists.topk(k, dim=0, largest=False).indices
    return one_hot(y_train[nearest]).sum(dim=0).argmax(dim=1)  # the first of equal maxima
    ### END SOLUTION


class KnnClassifier:
    """Remembers the training set, and compares every new image with all of it."""

    def __init__(self, x_train: Float[Tensor, "num_train *image"], y_train: Int[Tensor, " num_train"]):
        """Keep the training images and their labels as attributes `x_train` and `y_train`."""
        ### BEGIN SOLUTION
        self.x_train, self.y_train = x_train, y_train
        ### END SOLUTION

    def predict(self, x_test: Float[Tensor, "num_test *image"], k: int = 1) -> Int[Tensor, " num_test"]:
        """Labels for new images, by the vote of their k nearest training images.

        Args:
            x_test: images of the shape, dtype and device of the training images.
            k: how many neighbours vote, 1 to num_train.

        Returns:
            The predicted labels, int64.
        """
        ### BEGIN SOLUTION
        return predict_labels(compute_distances_no_loops(self.x_train, x_test), self.y_train, k)
        ### END SOLUTION

    def check_accuracy(
        self, x_test: Float[Tensor, "num_test *image"], y_test: Int[Tensor, " num_test"], k: int = 1
    ) -> float:
        """Fraction of the images, 0 to 1, that are given their true label."""
        return (self.predict(x_test, k) == y_test).double().mean().item()


def knn_cross_validate(
    x_train: Float[Tensor, "num_train *image"],
    y_train: Int[Tensor, " num_train"],
    num_folds: int = 5,
    k_choices: Sequence[int] = (1, 3, 5, 8, 10, 12, 15, 20, 50, 100),
) -> dict[int, list[float]]:
    """Accuracy of every k on every fold, when the other folds are the training set.

    The folds are the chunks of the training set in its order, as `torch.chunk` cuts them.

    Args:
        x_train: training images.
        y_train: their labels, int64.
        num_folds: number of folds, 2 or more.
        k_choices: values of k to try.

    Returns:
        For each k the accuracies as fractions, 0 to 1, in the order of the folds held out.
    """
    ### BEGIN SOLUTION
    x_folds, y_folds = x_train.chunk(num_folds), y_train.chunk(num_folds)
    accuracies = {k: [] for k in k_choices}
    for held_out in range(num_folds):
        rest = [fold for fold in range(num_folds) if fold != held_out]
        classifier = KnnClassifier(
            torch.cat([x_folds[fold] for fold in rest]), torch.cat([y_folds[fold] for fold in rest])
        )
        for k in k_choices:
            accuracies[k].append(classifier.check_accuracy(x_folds[held_out], y_folds[held_out], k))
    return accuracies
    ### END SOLUTION


def knn_get_best_k(k_to_accuracies: dict[int, list[float]]) -> int:
    """The k with the highest mean accuracy over the folds; a tie goes to the smallest k.

    Args:
        k_to_accuracies: for each k the accuracies of its folds, as `knn_cross_validate` returns them.

    Returns:
        One of the keys.
    """
    ### BEGIN SOLUTION
    return max(sorted(k_to_accuracies), key=lambda k: fmean(k_to_accuracies[k]))
    ### END SOLUTION
