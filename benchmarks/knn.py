"""Nearest neighbours at the notebook's size: accuracy, and time and memory of the distances as ratios."""

import time
from collections.abc import Callable
from statistics import fmean, median, stdev

import torch
from torch import Tensor

from benchmarks._table import show
from exercise_code import knn
from exercise_code.support import data
from exercise_code.support.checking.case import Case
from exercise_code.support.checking.operation_count import Watch

NUM_TRAIN, NUM_TEST = 5_000, 500
ROWS_OF_TWO_LOOPS = 100


def seconds(
    function: Callable[[Tensor, Tensor], Tensor], x_train: Tensor, x_test: Tensor, repeats: int
) -> float:
    """Median time of a call, after one to warm up."""
    function(x_train, x_test)
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function(x_train, x_test)
        times.append(time.perf_counter() - start)
    return median(times)


def peak(x_train: Tensor, x_test: Tensor) -> float:
    """Largest total of inputs and live intermediates without loops, in multiples of inputs and output."""
    watch = Watch(Case(0, "benchmark"))
    with watch:
        dists = knn.compute_distances_no_loops(x_train, x_test)
    size = x_train.nbytes + x_test.nbytes
    return (size + watch.peak) / (size + dists.nbytes)


def main() -> None:
    """Print a table and write the numbers to build/benchmarks/knn.json."""
    name = "cifar10" if data.available("cifar10") else "shapes"
    x_train, y_train, x_test, y_test = data.load(name, num_train=NUM_TRAIN, num_test=NUM_TEST)
    folds = knn.knn_cross_validate(x_train, y_train)
    best_k = knn.knn_get_best_k(folds)
    classifier = knn.KnnClassifier(x_train, y_train)
    _, _, x_many, y_many = data.load(name, num_train=1, num_test=10_000)
    many = [
        classifier.check_accuracy(x, y, best_k)
        for x, y in zip(x_many.split(500), y_many.split(500), strict=True)
    ]

    rows = ROWS_OF_TWO_LOOPS  # the whole takes minutes, and grows with the rows
    two_loops = seconds(knn.compute_distances_two_loops, x_train[:rows], x_test, 1) * NUM_TRAIN / rows
    one_loop = seconds(knn.compute_distances_one_loop, x_train, x_test, 1)
    no_loops = seconds(knn.compute_distances_no_loops, x_train, x_test, 15)
    flat = x_train.flatten(1), x_test.flatten(1)
    library = seconds(torch.cdist, *flat, 15)
    found = {
        "data": name,
        "threads": torch.get_num_threads(),
        "best k": best_k,
        "accuracy over the folds, mean": fmean(folds[best_k]),
        "accuracy over the folds, sd": stdev(folds[best_k]),
        f"accuracy on the first {NUM_TEST} test images": classifier.check_accuracy(x_test, y_test, best_k),
        "accuracy on 20 times 500 test images, mean": fmean(many),
        "accuracy on 20 times 500 test images, sd": stdev(many),
        "two loops, times as long as no loops": two_loops / no_loops,
        "one loop, times as long as no loops": one_loop / no_loops,
        "no loops, times as long as torch.cdist": no_loops / library,
        "peak memory without loops, times inputs and output": peak(x_train, x_test),
    }
    show(f"{NUM_TRAIN:,} x {NUM_TEST} images", found, "knn")


if __name__ == "__main__":
    main()
