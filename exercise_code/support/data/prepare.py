"""Images made ready for a classifier: split, centred, and flat if need be."""

import torch
from torch import Tensor

from exercise_code.support.data.registry import DataError


def prepare(
    name: str,
    num_train: int,
    num_val: int,
    num_test: int,
    *,
    flatten: bool = True,
    bias_trick: bool = False,
    x_dtype: torch.dtype = torch.float32,
) -> dict[str, Tensor]:
    """Split a data set, and take the mean colour of the training images from all of them.

    Args:
        name: a data set that `load` knows.
        num_train: images to train on.
        num_val: the images right after them, to choose by.
        num_test: images of the test split.
        flatten: from (N, 3, 32, 32) to (N, 3072).
        bias_trick: put a one behind the pixels, so that the last row of a weight matrix is the bias.
        x_dtype: floating-point type of the images.

    Returns:
        `X_train`, `y_train`, `X_val`, `y_val`, `X_test`, `y_test`; pixels are in [0, 1] before the mean
        is taken off, and not divided by anything.

    Raises:
        DataError: the bias trick was asked for without flattening, or the data cannot be had.
    """
    from exercise_code.support.data import load

    if bias_trick and not flatten:
        raise DataError("the bias trick puts a one behind flat pixels: ask for flatten=True")
    x, y, x_test, y_test = load(name, num_train + num_val, num_test, x_dtype)
    mean = x[:num_train].mean(dim=(0, 2, 3), keepdim=True)
    images = {"train": x[:num_train], "val": x[num_train:], "test": x_test}
    labels = {"train": y[:num_train], "val": y[num_train:], "test": y_test}
    data: dict[str, Tensor] = {}
    for split, pixels in images.items():
        pixels = pixels - mean
        if flatten:
            pixels = pixels.flatten(1)
        if bias_trick:
            pixels = torch.cat([pixels, pixels.new_ones(len(pixels), 1)], dim=1)
        data[f"X_{split}"], data[f"y_{split}"] = pixels, labels[split]
    return data
