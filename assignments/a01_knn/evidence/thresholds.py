"""What the reference reaches, as functions of a seed and a data set: evidence for what the text promises."""

from collections.abc import Callable

import torch

from exercise_code.knn import KnnClassifier
from exercise_code.support import data

SIZES = {"shapes": (9_000, 1_000), "cifar10": (49_000, 1_000)}


def neighbours(seed: int, dataset: str) -> float:
    """Validation accuracy of k = 20 neighbours; the seed parts training from validation images."""
    num_train, num_val = SIZES[dataset]
    images, labels, *_ = data.load(dataset, num_train + num_val, 1)
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed))
    train, val = order[:num_train], order[num_train:]
    return KnnClassifier(images[train], labels[train]).check_accuracy(images[val], labels[val], k=20)


RUNS: dict[str, Callable[[int, str], float]] = {"20 neighbours, validation": neighbours}
