"""What is asked of `data.image_folder_dataset`."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from exercise_code.support.checking.declare import check

from .common import picture

FOLDER = "data.image_folder_dataset.ImageFolderDataset."


def in_memory(code, images: list[np.ndarray], labels: list[int], transform: Callable | None = None) -> Any:
    """A data set that holds its images itself, made without a disk."""
    kind = code.data.image_folder_dataset.MemoryImageFolderDataset
    dataset = kind.__new__(kind)
    dataset.images, dataset.labels, dataset.transform = images, labels, transform
    dataset.classes = ["bird", "cat", "dog", "fish"]
    return dataset


# Data sets
@check(f"{FOLDER}__len__", points=1, library="numpy")
def length(code, case):
    """The number of images."""
    counts = case.integer(5, 9), case.integer(10, 20)
    return {f"{n} images": len(in_memory(code, [picture(case, 3, 2, 3)] * n, [1] * n)) for n in counts}


@check(f"{FOLDER}__getitem__", points=2, library="numpy")
def from_files(code, case):
    """A sample of images on disk, with and without a transform."""
    outputs = {}
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as folder:
        for name in ("bird", "cat", "dog"):
            (Path(folder) / name).mkdir()
            for number in range(2):
                pixels = (picture(case, 4, 5, 3) * 256).astype(np.uint8)
                Image.fromarray(pixels).save(Path(folder) / name / f"{number}.png")
        for name, transform in (("as it is", None), ("transformed", lambda image: image[:2] / 2 - 1)):
            dataset = code.data.image_folder_dataset.ImageFolderDataset(folder, transform=transform)
            outputs[name] = [dataset[index] for index in case.shuffled(range(6))[:3]]
    return outputs


@check(f"{FOLDER}__getitem__:memory", points=1, library="numpy")
def from_memory(code, case):
    """A data set that keeps its images in memory inherits the same function."""
    images = [picture(case, 4, 5, 3) for _ in range(3)]
    dataset = in_memory(code, images, [2, 0, 3], transform=lambda image: 1 - image)
    return {"samples": [dataset[index] for index in (1, 2, 0)]}
