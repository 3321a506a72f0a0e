"""Losses with loops against the same without, at the notebook's size, as ratios."""

import time
from collections.abc import Callable
from functools import partial
from statistics import median

import torch

from benchmarks._table import show
from exercise_code.linear import linear_classifier as linear
from exercise_code.linear import two_layer_net
from exercise_code.linear.features import colour_histogram, hog_features
from exercise_code.support import data

NUM = 500


def seconds(function: Callable[[], object], repeats: int) -> float:
    """Median time of a call, after one to warm up."""
    function()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return median(times)


def main() -> None:
    """Print a table and write the numbers to build/benchmarks/linear.json."""
    torch.set_num_threads(1)  # a second one only waits where others work
    torch.manual_seed(0)
    prepared = data.prepare("shapes", NUM, 1, 1, bias_trick=True)
    X, y = prepared["X_train"], prepared["y_train"]
    found: dict[str, float] = {}
    for state, size in (("untrained", 1e-4), ("with trained weights", 1e-2)):
        W = size * torch.randn(X.shape[1], 10)
        for name in ("svm", "softmax"):
            slow = seconds(partial(getattr(linear, f"{name}_loss_naive"), W, X, y, 1e-3), 3)
            fast = seconds(partial(getattr(linear, f"{name}_loss_vectorized"), W, X, y, 1e-3), 51)
            found[f"{name} loss with loops, times as long as without, {state}"] = slow / fast
    net = two_layer_net.TwoLayerNet(X.shape[1] - 1, 50, 10)
    fast = seconds(lambda: net.loss(X[:, :-1], y, 1e-3), 51)
    linear_loss = seconds(lambda: linear.softmax_loss_vectorized(W, X, y, 1e-3), 51)
    found["two layers of 50 units, times as long as a linear softmax"] = fast / linear_loss
    images, *_ = data.load("shapes", NUM, 1)
    found["hog, times as long as a linear softmax"] = seconds(lambda: hog_features(images), 5) / linear_loss
    found["hues, times as long as a linear softmax"] = (
        seconds(lambda: colour_histogram(images), 5) / linear_loss
    )
    show(f"{NUM} images of {X.shape[1]:,} numbers, 10 classes, one thread", found, "linear")


if __name__ == "__main__":
    main()
