"""What is asked of `linear.features`."""

import numpy as np

from exercise_code.support.checking.declare import check

from .common import FE


# Features
@check(f"{FE}circular_histogram", points=2)
def circular(code, case):
    """Every pixel shares its weight between two bins."""
    position = case.tensor((np.array(case.shuffled(range(60))).reshape(3, 4, 5) + 0.37) / 60)
    weights = case.tensor(np.array(case.shuffled(range(60))).reshape(3, 4, 5) / 16)
    histogram = code.linear.features.circular_histogram
    return {
        "7 bins": histogram(position, weights, 7),
        "4 bins": histogram(position[0], weights[0], 4),
    }


@check(f"{FE}colour_histogram", points=2, uses=[f"{FE}circular_histogram"])
def hues(code, case):
    """How much of each hue."""
    images = case.images(8)
    grey = case.tensor(images[:2, :1].cpu().expand(-1, 3, -1, -1))
    return {
        "histogram": code.linear.features.colour_histogram(images, 16),
        "histogram of grey images": code.linear.features.colour_histogram(grey),
    }


@check(f"{FE}hog_features", points=4, uses=[f"{FE}circular_histogram"])
def oriented_gradients(code, case):
    """Histograms of oriented gradients, with two sizes of cells."""
    found = {}
    for shape, num_bins, cell in (((2, 3, 12, 9), 5, 3), ((3, 3, 8, 12), 9, 4)):
        pixels = (np.array(case.shuffled(range(np.prod(shape)))) + 0.5) / np.prod(shape)
        images = case.tensor(pixels.reshape(shape))
        found[f"features with cells of {cell}"] = code.linear.features.hog_features(images, num_bins, cell)
    return found
