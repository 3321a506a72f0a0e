"""Images and labels to learn from: procedural `shapes`, and real data sets out of datasets/registry.toml."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from exercise_code.support.data import registry
from exercise_code.support.data.cifar10 import cifar10
from exercise_code.support.data.files import housing_csv, image_folder
from exercise_code.support.data.prepare import prepare
from exercise_code.support.data.registry import DataError
from exercise_code.support.data.shapes import CLASSES, shapes

__all__ = [
    "DataError",
    "available",
    "cifar10",
    "classes",
    "housing_csv",
    "image_folder",
    "load",
    "prepare",
    "shapes",
]

LOADERS = {"shapes": shapes, "cifar10": cifar10}


def load(
    name: str,
    num_train: int | None = None,
    num_test: int | None = None,
    x_dtype: torch.dtype = torch.float32,
) -> tuple[
    Float[Tensor, "num_train 3 32 32"],
    Int[Tensor, " num_train"],
    Float[Tensor, "num_test 3 32 32"],
    Int[Tensor, " num_test"],
]:
    """The first images of a data set; they are the same however many are asked for.

    Args:
        name: "shapes" or "cifar10".
        num_train: training images; None is all of them (of shapes: 10,000).
        num_test: test images; None is all of them (of shapes: 2,000).
        x_dtype: floating-point type of the images.

    Returns:
        x_train, y_train, x_test, y_test: images in [0, 1], labels int64 in the order of `classes`.

    Raises:
        DataError: there is no such data set, or its files are damaged or cannot be had.
    """
    if name not in LOADERS:
        raise DataError(f"there is no data set {name!r} to load: choose from {', '.join(LOADERS)}")
    counts = {"num_train": num_train, "num_test": num_test}
    given = {key: count for key, count in counts.items() if count is not None}
    return LOADERS[name](**given, x_dtype=x_dtype)


def classes(name: str) -> tuple[str, ...]:
    """Names of the classes of a data set, in the order of the labels.

    Raises:
        DataError: there is no such data set.
    """
    return CLASSES if name == "shapes" else registry.find(name).classes


def available(name: str) -> bool:
    """Whether a data set can be loaded with no network; looks at sizes only, so it is fast.

    Raises:
        DataError: there is no such data set.
    """
    return name == "shapes" or registry.is_available(registry.find(name))
