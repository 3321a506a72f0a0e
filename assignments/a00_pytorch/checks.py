"""What is asked of data sets, transforms, the loader of batches, and regression by hand."""

import itertools
import math
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from exercise_code.support.checking.declare import check

AUTOGRAD = ["torch.autograd.grad", "torch.Tensor.backward", "torch.Tensor.requires_grad_"]
FOLDER = "data.image_folder_dataset.ImageFolderDataset."
TRANSFORMS = "data.transforms."
LOADER = "data.dataloader.DataLoader."
CLASSIFIER = "networks.classifier.Classifier."
LINEAR = "networks.linear_model.LinearModel."
LOSS = "networks.loss."


def numbers(case, *shape: int, reach: float = 2.0) -> Tensor:
    """Different numbers between -reach and reach, none of them zero, in no order."""
    count = math.prod(shape)
    places = np.array(case.shuffled(range(count))).reshape(shape)
    return case.tensor(reach * ((2 * places + 0.5) / count - 1))


def picture(case, *shape: int, low: float = 0.0, high: float = 1.0) -> np.ndarray:
    """Different numbers between low and high, in no order."""
    count = math.prod(shape)
    places = np.array(case.shuffled(range(count))).reshape(shape)
    return case.array(low + (high - low) * (places + 0.5) / count)


class Samples:
    """A data set of given samples, which writes down what it is asked for."""

    def __init__(self, samples: list[dict[str, Any]]):
        self.samples, self.asked = samples, []

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> dict[str, Any]:
        self.asked.append(int(index))
        return self.samples[index]


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


def split_law(outputs: dict[str, Any], expected: dict[str, Any]) -> str | None:
    """The parts hold every sample once, mixed, and always the same ones for one seed.

    41 shuffled samples have neighbours alone in the second part with probability 34 / C(41, 8), below 4e-7,
    and the same first part for two seeds with probability below 1e-11.
    """
    parts = [sorted(outputs[name].tolist()) for name in ("train", "val", "test")]
    numbers = sorted(itertools.chain(*parts))
    if min(numbers) < 0 or max(numbers) > 40:
        return "there are numbers of samples that do not exist"
    if any(len(set(part)) < len(part) for part in parts):
        return "a sample is twice in one part"
    if sorted(outputs["train again"].tolist()) != parts[0]:
        return "two calls with one seed give two splits"
    if {*parts[1], *parts[2]} <= {*parts[0]}:
        return "all parts begin with the same samples"
    if numbers != list(range(41)):
        return "some samples are in two parts, others in none"
    if parts[1][-1] - parts[1][0] == len(parts[1]) - 1:
        return "the samples are not mixed before they are cut"
    if sorted(outputs["train by another seed"].tolist()) == parts[0]:
        return "another seed gives the same split"
    return None


@check("data.base_dataset.select_split", points=2, law=split_law, library="numpy")
def splits(code, case):
    """Parts without overlap, mixed, and always the same."""
    select, seed = code.data.base_dataset.select_split, case.integer(1, 1000)
    shares = {"train": 0.6, "val": 0.2, "test": 0.2}
    parts = {mode: np.asarray(select(41, mode, shares, seed)) for mode in shares}
    again, other = (np.asarray(select(41, "train", shares, place)) for place in (seed, seed + 1))
    return {**parts, "train again": again, "train by another seed": other}


@check(
    "data.csv_dataset.FeatureSelectorAndNormalizationTransform.__call__",
    points=1,
    library="numpy",
)
def selected_columns(code, case):
    """Some columns of a row, on the scale of the training rows."""
    columns = case.shuffled(["age", "income", "price", "rooms"])
    drawn = np.sort(picture(case, 4, 3, low=-10, high=30), axis=1)
    values = {
        name: dict(zip(("min", "mean", "max"), row.tolist(), strict=True))
        for name, row in zip(columns, drawn, strict=True)
    }
    scaled = code.data.csv_dataset.FeatureSelectorAndNormalizationTransform(values, "price")
    rows = [
        dict(zip(sorted(columns), row, strict=True)) for row in picture(case, 2, 4, low=-20, high=40).tolist()
    ]
    rows[1]["income"] = math.nan
    return {
        f"row {i}": scaled({"features": {"sea": "near", **row}, "target": row.pop("price")})
        for i, row in enumerate(rows)
    }


# Transforms


@check(f"{TRANSFORMS}RescaleTransform.__call__", points=2, library="numpy", loops=0)
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


@check(f"{TRANSFORMS}compute_image_mean_and_std", points=2, library="numpy", loops=0)
def mean_and_std(code, case):
    """One mean and one spread for each channel, over all pixels of all images."""
    images = picture(case, 5, 4, 6, 3)
    mean, std = code.data.transforms.compute_image_mean_and_std(images)
    return {"mean": mean, "std": std}


@check(f"{TRANSFORMS}NormalizeTransform.__call__", points=1, library="numpy", loops=0)
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


@check(f"{TRANSFORMS}FlattenTransform.__call__", points=1, library="numpy", loops=0)
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
            return f"factors of the {name} lie outside of 1 - spread and 1 + spread: {values[0]:.2f}"
        if values[0] >= 1:
            return f"the {name} is never lowered"
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


# Batches


def drawn_samples(case, count: int) -> Samples:
    """Pictures and labels."""
    return Samples([{"image": picture(case, 2, 3), "label": case.integer(0, 9)} for _ in range(count)])


@check(f"{LOADER}__len__", points=1, library="numpy")
def number_of_batches(code, case):
    """Full batches, and the rest if it is kept."""
    size = case.integer(3, 6)
    sizes = {"divisible": 4 * size, "with a rest": 2 * size + 1, "less than a batch": size - 1}
    return {
        f"{name}, drop_last={drop}": len(
            code.data.dataloader.DataLoader(Samples([{}] * count), size, False, drop)
        )
        for name, count in sizes.items()
        for drop in (False, True)
    }


@check(f"{LOADER}__iter__", points=2, library="numpy", uses=[f"{LOADER}__len__"])
def batches(code, case):
    """Dicts of arrays, in the order of the data set."""
    return {
        f"{count} samples, drop_last={drop}": list(
            code.data.dataloader.DataLoader(drawn_samples(case, count), 3, False, drop, seed=count)
        )
        for count, drop in ((7, False), (7, True), (6, False), (6, True))
    }


def lazy_law(outputs: dict[str, Any], expected: dict[str, Any]) -> str | None:
    """Nothing is asked for that is not due soon; nothing is left to chance."""
    asked = outputs["asked before the first batch"]
    return None if asked <= 8 else f"{asked} samples are loaded before the first batch of 4 comes out"


@check(f"{LOADER}__iter__:lazy", points=1, library="numpy", law=lazy_law, uses=[f"{LOADER}__len__"])
def lazy(code, case):
    """Samples are loaded when their batch is due."""
    dataset = drawn_samples(case, 40)
    next(iter(code.data.dataloader.DataLoader(dataset, 4, shuffle=bool(case.integer(0, 1)))))
    return {"asked before the first batch": len(dataset.asked)}


def shuffle_law(outputs: dict[str, Any], expected: dict[str, Any]) -> str | None:
    """Every sample once in each epoch, in orders that differ; two of 40 agree with probability 1 / 40!."""
    first, second = outputs["epochs"].tolist()
    if any(sorted(epoch) != list(range(40)) for epoch in (first, second)):
        return "an epoch does not hold every sample exactly once"
    if first == sorted(first):
        return "the samples come in their own order"
    if first == second:
        return "the second epoch has the order of the first"
    if all(max(first[i : i + 8]) - min(first[i : i + 8]) == 7 for i in range(0, 40, 8)):
        return "only whole batches change places"
    return None


@check(f"{LOADER}__iter__:shuffle", points=1, library="numpy", law=shuffle_law, uses=[f"{LOADER}__len__"])
def shuffled(code, case):
    """Another order in every epoch."""
    dataset = Samples([{"number": number} for number in range(40)])
    loader = code.data.dataloader.DataLoader(dataset, 8, shuffle=True, seed=case.integer(0, 10**6))
    return {"epochs": np.stack([np.concatenate([batch["number"] for batch in loader]) for _ in range(2)])}


# Models


def model_of(kind: type, W: Tensor) -> Any:
    """A model with these weights."""
    model = kind(len(W) - 1)
    model.initialize_weights(W.clone())
    return model


@check(f"{LINEAR}forward", points=1)
def linear_forward(code, case):
    """A weighted sum, with the bias at the end."""
    model = model_of(code.networks.linear_model.LinearModel, numbers(case, 4, 1))
    return {"predictions": model.forward(numbers(case, 6, 3))}


@check(f"{LINEAR}backward", points=1, uses=[f"{LINEAR}forward"], forbids=AUTOGRAD)
def linear_backward(code, case):
    """The gradient of the weights."""
    model = model_of(code.networks.linear_model.LinearModel, numbers(case, 4, 1))
    model.forward(numbers(case, 6, 3))
    return {"dW": model.backward(numbers(case, 6, 1))}


SIGMOID = ["torch.sigmoid", "torch.nn.functional.sigmoid", "torch.special.expit"]


@check(f"{CLASSIFIER}sigmoid", points=1, forbids=SIGMOID)
def sigmoid(code, case):
    """Into (0, 1), for numbers of any size."""
    model = code.networks.classifier.Classifier(2)
    large = numbers(case, 4, reach=3000.0)
    return {"of a matrix": model.sigmoid(numbers(case, 3, 5)), "of large numbers": model.sigmoid(large)}


@check(f"{CLASSIFIER}forward", points=1, uses=[f"{CLASSIFIER}sigmoid"])
def classifier_forward(code, case):
    """Probabilities out of a weighted sum."""
    model = model_of(code.networks.classifier.Classifier, numbers(case, 4, 1))
    return {"probabilities": model.forward(numbers(case, 6, 3))}


@check(f"{CLASSIFIER}backward", points=1, uses=[f"{CLASSIFIER}forward"], forbids=AUTOGRAD)
def classifier_backward(code, case):
    """The gradient of the weights, through the slope of the sigmoid."""
    model = model_of(code.networks.classifier.Classifier, numbers(case, 4, 1))
    model.forward(numbers(case, 6, 3))
    return {"dW": model.backward(numbers(case, 6, 1))}


# Losses


def on_pairs(case, call: Callable[..., Tensor], *, probabilities: bool = False) -> dict[str, Tensor]:
    """What a loss gives for pairs of predictions and targets, in two shapes."""
    outputs = {}
    for shape in ((7, 1), (5,)):
        y_out = (
            case.tensor(picture(case, *shape, low=0.1, high=0.9)) if probabilities else numbers(case, *shape)
        )
        y_truth = case.tensor(np.array(case.shuffled([0.0, 1.0] * 4))[: shape[0]].reshape(shape))
        if not probabilities:
            y_truth = numbers(case, *shape, reach=1.7)
        outputs[f"mean, {shape}"] = call(y_out, y_truth)
        outputs[f"individual, {shape}"] = call(y_out, y_truth, individual_losses=True)
    return outputs


@check(f"{LOSS}L1.forward", points=1, forbids=["torch.nn.functional.l1_loss"])
def l1_forward(code, case):
    """The mean distance, and every distance."""
    return on_pairs(case, code.networks.loss.L1().forward)


@check(f"{LOSS}L1.backward", points=1, forbids=AUTOGRAD)
def l1_backward(code, case):
    """Up or down, and 0 for what is right."""
    backward = code.networks.loss.L1().backward
    right = numbers(case, 3, 1)
    return {**on_pairs(case, backward), "all right": backward(right, right.clone())}


@check(f"{LOSS}MSE.forward", points=1, forbids=["torch.nn.functional.mse_loss"])
def mse_forward(code, case):
    """The mean square, and every square."""
    return on_pairs(case, code.networks.loss.MSE().forward)


@check(f"{LOSS}MSE.backward", points=1, forbids=AUTOGRAD)
def mse_backward(code, case):
    """The gradient of the mean square."""
    return on_pairs(case, code.networks.loss.MSE().backward)


@check(f"{LOSS}BCE.forward", points=1, forbids=["torch.nn.functional.binary_cross_entropy"])
def bce_forward(code, case):
    """The mean surprise, and every surprise."""
    forward = code.networks.loss.BCE().forward
    pairs = on_pairs(case, forward, probabilities=True)
    y_out = case.tensor(picture(case, 4, 1, low=0.1, high=0.9))
    return {**pairs, "any targets": forward(y_out, numbers(case, 4, 1))}


@check(f"{LOSS}BCE.backward", points=1, forbids=AUTOGRAD)
def bce_backward(code, case):
    """The gradient with respect to the probabilities."""
    backward = code.networks.loss.BCE().backward
    pairs = on_pairs(case, backward, probabilities=True)
    y_out = case.tensor(picture(case, 4, 1, low=0.1, high=0.9))
    return {**pairs, "any targets": backward(y_out, numbers(case, 4, 1))}


# Training


@check("networks.optimizer.Optimizer.step", points=1)
def step(code, case):
    """The weights of the model move against the gradient."""
    model = model_of(code.networks.linear_model.LinearModel, numbers(case, 4, 1))
    optimizer = code.networks.optimizer.Optimizer(model, learning_rate=0.3)
    optimizer.step(numbers(case, 4, 1))
    once = model.W.clone()
    optimizer.step(numbers(case, 4, 1))
    return {"W after a step": once, "W after two": model.W}


@check(
    "solver_regression.Solver._step",
    points=2,
    uses=[
        f"{LINEAR}forward",
        f"{LINEAR}backward",
        f"{CLASSIFIER}forward",
        f"{CLASSIFIER}backward",
        f"{LOSS}MSE.backward",
        f"{LOSS}BCE.backward",
        "networks.optimizer.Optimizer.step",
    ],
    forbids=["torch.autograd.grad", "torch.Tensor.requires_grad_"],
)
def solver_step(code, case):
    """Two steps of training, of a line and of a classifier."""
    networks, outputs = code.networks, {}
    for name, kind, loss in (
        ("regression", networks.linear_model.LinearModel, networks.loss.MSE()),
        ("classification", networks.classifier.Classifier, networks.loss.BCE()),
    ):
        model = model_of(kind, numbers(case, 4, 1, reach=0.5))
        targets = [case.tensor(np.array(case.shuffled([0.0, 1.0] * 4))[:n, None]) for n in (6, 5)]
        data = {"X_train": numbers(case, 6, 3), "y_train": targets[0]}
        data |= {"X_val": numbers(case, 5, 3), "y_val": targets[1]}
        solver = code.solver_regression.Solver(model, data, loss, 0.4, verbose=False)
        for count in ("one step", "two steps"):
            solver._step()
            outputs[f"{name}: W after {count}"] = model.W.clone()
    return outputs
