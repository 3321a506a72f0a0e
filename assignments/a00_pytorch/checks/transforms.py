"""What is asked of `data.transforms`."""

import itertools
from typing import Any

import numpy as np
import torch
from torch import Tensor

from exercise_code.support.checking.declare import check

from .common import picture

TRANSFORMS = "data.transforms."


# Transforms
@check(f"{TRANSFORMS}RescaleTransform.__call__", points=2, library="numpy")
def rescale(code, case):
    """From any range to any other."""
    ranges = {
        "0..255 to 0..1": ((0, 1), (0, 255)),
        "to -1..1": ((-1, 1), (0, 255)),
        "50..100 to -2..3": ((-2, 3), (50, 100)),
    }
    return {
        name: code.data.transforms.RescaleTransform(*pair)(picture(case, 2, 4, 3, 3, high=255))
        for name, pair in ranges.items()
    }


@check(f"{TRANSFORMS}compute_image_mean_and_std", points=2, library="numpy")
def mean_and_std(code, case):
    """One mean and one spread for each channel, over all pixels of all images."""
    images = picture(case, 5, 4, 6, 3)
    mean, std = code.data.transforms.compute_image_mean_and_std(images)
    return {"mean": mean, "std": std}


@check(f"{TRANSFORMS}NormalizeTransform.__call__", points=1, library="numpy")
def normalize(code, case):
    """Channel by channel, or all channels alike."""
    Normalize = code.data.transforms.NormalizeTransform
    mean, std = case.array([0.3, 0.5, 0.6]), case.array([0.2, 0.25, 0.4])
    return {
        "an image": Normalize(mean, std)(picture(case, 4, 5, 3)),
        "a stack": Normalize(mean, std)(picture(case, 2, 4, 5, 3)),
        "one number for all": Normalize(0.4, 0.3)(picture(case, 4, 5, 3)),
    }


@check(f"{TRANSFORMS}ComposeTransform.__call__", points=1, library="numpy")
def compose(code, case):
    """One after another, the first one first."""
    steps = [lambda image: image + 1, lambda image: image[:2], lambda image: image * image]
    Compose = code.data.transforms.ComposeTransform
    return {f"{n} transforms": Compose(steps[:n])(picture(case, 3, 5)) for n in (3, 1, 0)}


@check(f"{TRANSFORMS}FlattenTransform.__call__", points=1, library="numpy")
def flatten(code, case):
    """All numbers in one row."""
    flat = code.data.transforms.FlattenTransform()
    return {"an image": flat(picture(case, 4, 5, 3)), "a matrix": flat(picture(case, 3, 2))}


def flip_law(outputs: dict[str, Any], expected: dict[str, Any]) -> str | None:
    """Each image comes back or mirrored, the latter with probability prob.

    A share of 600 strays from its probability by more than 0.12 with probability below 7e-8 (Hoeffding).
    """
    image = expected["image"]
    mirrored = image.flip(1)
    for axes, name in (((), "nothing"), ((0,), "up and down"), ((2,), "channels"), ((0, 1), "both axes")):
        if outputs["prob=1"].equal(image.flip(axes)):
            return f"with probability 1 the image comes back with {name} reversed"
    if not outputs["prob=1"].equal(mirrored):
        return "with probability 1 the image does not come back mirrored"
    if not outputs["prob=0"].equal(image):
        return "with probability 0 the image does not come back as it was"
    flipped = (outputs["prob=0.3"] == mirrored).flatten(1).all(1)
    kept = (outputs["prob=0.3"] == image).flatten(1).all(1)
    if not (flipped | kept).all():
        return "some images are neither mirrored nor as they were"
    share = flipped.double().mean().item()
    return None if abs(share - 0.3) < 0.12 else f"with probability 0.3, {share:.0%} are mirrored"


@check(f"{TRANSFORMS}RandomHorizontalFlip.__call__", points=2, law=flip_law, library="numpy")
def flip(code, case):
    """Left and right change sides with the probability asked for."""
    image, seed = picture(case, 3, 4, 2), case.integer(0, 10**6)
    sure, never, sometimes = (
        code.data.transforms.RandomHorizontalFlip(prob, seed) for prob in (1.0, 0.0, 0.3)
    )
    many = np.stack([sometimes(image) for _ in range(600)])
    return {"image": image, "prob=1": sure(image), "prob=0": never(image), "prob=0.3": many}


def crop_law(outputs: dict[str, Any], expected: dict[str, Any]) -> str | None:
    """Every window of the image with its border is equally likely.

    One of the 20 windows does not come up in 600 with probability below 20 * 0.95^600, 9e-13; the share
    of one of the nine rows and columns strays by more than 0.12 with probability below 7e-7 (Hoeffding).
    """
    crops = outputs["crops"]
    padded = torch.nn.functional.pad(expected["image"], (0, 0, 1, 1, 1, 1))
    windows = padded.unfold(0, 2, 1).unfold(1, 3, 1).movedim(2, -1)
    if crops.shape[1:3] == (3, 2):
        return "height and width of the windows are swapped"
    if crops.shape[1:] != windows.shape[2:]:
        return f"the windows have the shape {tuple(crops.shape[1:])}; expected {tuple(windows.shape[2:])}"
    same = (crops[:, None, None] == windows).flatten(3).all(3)
    if not same.flatten(1).any(1).all():
        return "some results are no windows of the image with its border of zeros"
    found = same.any(0)
    if found.sum() == 1:
        return "all windows are one and the same"
    if not found[-1].any() and not found[:, -1].any() and found[0].any():
        return "the last row and the last column of windows never come up"
    if not (found[0].any() or found[-1].any() or found[:, 0].any() or found[:, -1].any()):
        return "no window holds a part of the border"
    if not found.all():
        return f"{int((~found).sum())} of the 20 windows never come up"
    for axis, count in ((2, 4), (1, 5)):
        shares = same.any(axis).double().mean(0)
        if (shares - 1 / count).abs().max() > 0.12:
            return "some windows come up more often than others"
    return None


@check(f"{TRANSFORMS}RandomCrop.__call__", points=2, law=crop_law, free_shapes=["crops"], library="numpy")
def crop(code, case):
    """Every window is equally likely."""
    image = picture(case, 3, 5, 1)
    window = code.data.transforms.RandomCrop((2, 3), 1, case.integer(0, 10**6))
    return {"image": image, "crops": np.stack([window(image) for _ in range(600)])}


SPREADS = {"brightness": 0.3, "contrast": 0.2, "saturation": 0.4}


def jitter_law(outputs: dict[str, Any], expected: dict[str, Any]) -> str | None:
    """Three factors of its own for each image, each even between 1 - spread and 1 + spread.

    The factors are read off the results, which nothing clips: the mean grey is multiplied by the first, the
    rest of the grey by the first two, the rest of the colours by all three. Kolmogorov's distance of 200
    factors exceeds 0.22 with probability 2 exp(-2 * 200 * 0.22^2) = 8e-9, three times that for all.
    """
    if outputs["bright"].min() < 0 or outputs["bright"].max() > 1:
        return "there are values outside of 0 to 1"
    image, results = expected["image"], outputs["results"]
    weights = torch.tensor([0.2989, 0.587, 0.114], dtype=torch.float64)
    moved = ((outputs["contrast alone"] - image) @ weights).mean((-2, -1)).abs().max()
    if 1e-3 < moved < 0.05:
        return "contrast changes the mean of the grey a little"

    def parts(images: Tensor) -> list[Tensor]:
        grey = (images @ weights)[..., None]
        mean = grey.mean((-3, -2), keepdim=True)
        return [mean, grey - mean, images - grey]

    factors, rest = [], torch.zeros_like(results)
    for part, of_image in zip(parts(results), parts(image), strict=True):
        factors.append((part * of_image).flatten(1).sum(1) / of_image.square().sum())
        rest += factors[-1][:, None, None, None] * of_image
    if (rest - results).abs().max() > 1e-3:
        return "the results are no mixture of the image, its grey and its mean grey"
    bright, bright_and_contrast, all_three = factors
    if (bright_and_contrast - 1).abs().max() < 0.202:
        return "the brightness of the image is not multiplied"
    found = {
        "brightness": bright,
        "contrast": bright_and_contrast / bright,
        "saturation": all_three / bright_and_contrast,
    }
    for one, other in itertools.combinations(SPREADS, 2):
        shares = [(found[name] - 1) / SPREADS[name] for name in (one, other)]
        if min((a - b).abs().max() for a, b in ((found[one], found[other]), shares)) < 0.01:
            return f"{one} and {other} share one draw"
    for name, spread in SPREADS.items():
        values = found[name].sort().values
        if values[0] < 1 - spread - 0.002 or values[-1] > 1 + spread + 0.002:
            return f"factors of the {name} lie outside of 1 - spread and 1 + spread: {values[0]:.1f}"
        if values[0] >= 1:
            return f"the {name} is never lowered"
        if len(values.round(decimals=3).unique()) <= 2:
            return f"the {name} has two values only"
        steps = torch.arange(1, len(values) + 1, dtype=torch.float64) / len(values)
        if ((values - 1 + spread) / (2 * spread) - steps).abs().max() > 0.22:
            return f"the factors of the {name} are not spread evenly around 1"
    return "contrast alone changes the mean of the grey" if moved > 1e-3 else None


@check(f"{TRANSFORMS}ColorJitter.__call__", points=2, law=jitter_law, library="numpy")
def jitter(code, case):
    """Brightness, contrast and saturation, each by a factor of its own."""
    seed = case.integer(0, 10**6)
    image = case.array(picture(case, 2, 3, 3, low=0.42, high=0.5) + np.array([0.06, 0, -0.06]))
    light = picture(case, 2, 3, 3, low=0.8, high=1.0)
    some, strong, contrast = (
        code.data.transforms.ColorJitter(*spreads, seed)
        for spreads in (SPREADS.values(), (0.9, 0.9, 0.9), (0, 0.5, 0))
    )
    return {
        "image": image,
        "results": np.stack([some(image) for _ in range(200)]),
        "bright": np.stack([strong(light) for _ in range(20)]),
        "contrast alone": np.stack([contrast(image) for _ in range(20)]),
    }


def noise_law(outputs: dict[str, Any], expected: dict[str, Any]) -> str | None:
    """Pixels stay with probability snr, else are white or black; images get noise with probability p.

    Shares of 2,000 stray by more than 0.07 with probability below 2e-8 each, of 300 by more than 0.18 below
    8e-9 (Hoeffding); no noise repeats, which it does by chance with probability below 1e-200.
    """
    image, noisy = expected["image"], outputs["noisy"]
    changed = noisy != image
    if not (changed == changed[..., :1]).all():
        return "the channels of a pixel are drawn apart"
    if (changed == changed[0]).all() or (changed == changed[:, :1]).all():
        return "whole rows or columns change together"
    values = noisy[changed]
    if values.max() > 1:
        return "some pixels are brighter than white, which is 1"
    if not ((values == 0) | (values == 1)).all():
        return "a changed pixel is neither 0 nor 1"
    share = changed[..., 0].double().mean().item()
    if abs(share - 0.3) > 0.07:
        return f"with snr=0.7, {share:.0%} of the pixels change"
    white = (changed & (noisy == 1))[..., 0].double().mean().item()
    if white in (0, share):
        return f"{'every' if white else 'no'} changed pixel is white"
    if abs(white - share / 2) > 0.07:
        return f"{white / share:.0%} of the changed pixels are white"
    if outputs["noisy again"].equal(noisy):
        return "the second image gets the same noise"
    touched = (outputs["some"] != expected["spot"]).flatten(1).any(1).double().mean().item()
    return None if abs(touched - 0.25) < 0.18 else f"with p=0.25, {touched:.0%} of the images get noise"


@check(f"{TRANSFORMS}AddPepperNoise.__call__", points=2, law=noise_law, library="numpy")
def noise(code, case):
    """Salt and pepper on some pixels of some images."""
    AddPepperNoise, seed = code.data.transforms.AddPepperNoise, case.integer(0, 10**6)
    image, spot = picture(case, 40, 50, 2, low=0.2, high=0.8), picture(case, 1, 2, 1, low=0.2, high=0.8)
    always, sometimes = AddPepperNoise(0.7, 1.0, seed), AddPepperNoise(0.0, 0.25, seed)
    return {
        "image": image,
        "spot": spot,
        "noisy": always(image),
        "noisy again": always(image),
        "some": np.stack([sometimes(spot) for _ in range(300)]),
    }
