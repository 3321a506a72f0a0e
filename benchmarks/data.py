"""The data pipeline and the regression by hand: what files, loops, loaders and workers cost, as ratios."""

import time
from collections.abc import Callable
from statistics import median

import numpy as np
import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy
from torch.utils.data import DataLoader

from benchmarks._table import show
from exercise_code import data as pipeline
from exercise_code.regression import BCE, Classifier
from exercise_code.support.data import image_folder

IMAGES, BATCH = 1_000, 64


def seconds(function: Callable[[], object], repeats: int = 5) -> float:
    """Median time of a call, after one to warm up."""
    times = []
    for _ in range(repeats + 1):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return median(times[1:])


def stats_pixel_row_by_pixel_row(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of each channel with a Python loop over images and their rows."""
    total, squares = np.zeros(3), np.zeros(3)
    for image in images:
        for row in image:
            total += row.sum(axis=0)
            squares += (row**2).sum(axis=0)
    mean = total / images[..., 0].size
    return mean, np.sqrt(squares / images[..., 0].size - mean**2)


def main() -> None:
    """Print a table and write the numbers to build/benchmarks/data.json."""
    torch.set_num_threads(1)
    folder, to_unit = image_folder("shapes", IMAGES), pipeline.RescaleTransform()
    on_disk = pipeline.ImageFolderDataset(folder, transform=to_unit)
    in_memory = pipeline.MemoryImageFolderDataset(folder, transform=to_unit)
    images = np.stack(in_memory.images)
    ours = seconds(lambda: list(pipeline.DataLoader(on_disk, BATCH)))
    theirs = {n: seconds(lambda n=n: list(DataLoader(on_disk, BATCH, num_workers=n))) for n in (0, 1, 2)}

    torch.manual_seed(0)
    X, y = torch.rand(1_200, 8, dtype=torch.float64), (torch.rand(1_200, 1) > 0.5).double()
    model, loss = Classifier(8), BCE()
    modules = nn.Sequential(nn.Linear(8, 1), nn.Sigmoid()).double()

    def by_autograd() -> None:
        modules.zero_grad()
        binary_cross_entropy(modules(X), y).backward()

    by_hand = seconds(lambda: model.backward(loss.backward(model.forward(X), y)), 200)
    found = {
        "a walk through files, times as long as through memory": seconds(
            lambda: [on_disk[i] for i in range(IMAGES)]
        )
        / seconds(lambda: [in_memory[i] for i in range(IMAGES)]),
        "statistics row by row, times as long as vectorised": seconds(
            lambda: stats_pixel_row_by_pixel_row(images)
        )
        / seconds(lambda: pipeline.compute_image_mean_and_std(images)),
        "our loader, times as long as torch's without workers": ours / theirs[0],
        "torch's loader with 1 worker, times as long as without": theirs[1] / theirs[0],
        "torch's loader with 2 workers, times as long as without": theirs[2] / theirs[0],
        "logistic regression by hand, times as long as autograd": by_hand / seconds(by_autograd, 200),
    }
    show(f"{IMAGES:,} images of shapes, batches of {BATCH}, one thread", found, "data")


if __name__ == "__main__":
    main()
