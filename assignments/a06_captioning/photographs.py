"""Photographs that people have described: their features, kept in HDF5, and captioners for them."""

import csv
import os
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import h5py
import numpy as np
import torch
from filelock import FileLock
from jaxtyping import Float, Int
from PIL import Image, ImageOps
from torch import Tensor
from torch.nn import functional

from assignments.a06_captioning.experiments import train_captioner
from exercise_code.rnn.captioning import CaptioningRNN
from exercise_code.support.data.registry import home
from exercise_code.support.data.vocabulary import Vocabulary
from exercise_code.support.notebook.setup import with_bar
from exercise_code.support.vision import mobilenet_v2, mobilenet_weights

LENGTH = 20
"""Words of a caption that are read, <START> and <END> among them."""
SIDE, PLACES, BATCH = 224, 4, 25
RARE = 5
"""A word that occurs less often is <UNK>."""
RATE = 2e-3
MEAN = torch.tensor([0.485, 0.456, 0.406])[:, None, None]
STD = torch.tensor([0.229, 0.224, 0.225])[:, None, None]
"""Of the images that MobileNetV2 was trained with."""


@dataclass(frozen=True)
class Photographs:
    """Files of photographs, five captions of each in small letters, and features (num, 1280, 4, 4)."""

    files: list[Path]
    said: list[list[str]]
    features: Float[Tensor, "num 1280 4 4"]

    def rows(self, words: Vocabulary) -> tuple[Int[Tensor, " rows"], Int[Tensor, "rows length"]]:
        """All captions as numbers, and the photograph of each."""
        which = [number for number, captions in enumerate(self.said) for _ in captions]
        return torch.tensor(which), words.encode(
            [each for captions in self.said for each in captions], LENGTH
        )

    def part(self, start: int, stop: int) -> "Photographs":
        """Some of them."""
        return Photographs(self.files[start:stop], self.said[start:stop], self.features[start:stop])


def photographs(num: int = 1_000) -> Photographs | None:
    """The first of Flickr8k's and their features; None where `WORKBOOK_DATA` lacks them or MobileNetV2.

    Features are worked out once, about 20 photographs a second, and kept in a file beside the data sets.
    """
    base = Path(os.environ.get("WORKBOOK_DATA", ""))
    table, weights = base / "flickr8k_1000" / "captions.txt", mobilenet_weights()
    if not (table.is_file() and weights):
        return None
    said: dict[str, list[str]] = {}
    with table.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            said.setdefault(row["image"], []).append(" ".join(re.findall(r"[a-z']+", row["caption"].lower())))
    files = [table.parent / "images" / name for name in said][:num]
    return Photographs(files, [*said.values()][:num], _kept_features(files, weights))


def _kept_features(files: Sequence[Path], weights: Path) -> Float[Tensor, "num 1280 4 4"]:
    """One array for each photograph, under its name; what an interrupted run has left out is added.

    HDF5 refuses a file that another kernel writes to, so the second one waits.
    """
    path = home() / "cache" / "a06-photographs.h5"
    with FileLock(path.with_suffix(".lock")), h5py.File(path, "a") as kept:
        if due := [file for file in files if file.name not in kept]:
            net = mobilenet_v2(weights).features.eval()
            for start in with_bar(range(0, len(due), BATCH)):
                part = due[start : start + BATCH]
                images = torch.stack([(picture(file) - MEAN) / STD for file in part])
                with torch.no_grad():
                    maps = functional.adaptive_avg_pool2d(net(images), PLACES)
                for file, each in zip(part, maps, strict=True):
                    kept[file.name] = each.half().numpy()
        return torch.stack([torch.from_numpy(kept[file.name][:]) for file in files]).float()


def picture(file: Path) -> Float[Tensor, "3 224 224"]:
    """The middle of a photograph, from 0 to 1."""
    with Image.open(file) as image:
        middle = ImageOps.fit(image.convert("RGB"), (SIDE, SIDE))
    return torch.from_numpy(np.array(middle)).permute(2, 0, 1) / 255


def standardised(train: Photographs, unseen: Photographs) -> tuple[Photographs, Photographs]:
    """Both with each channel less its mean, and divided by its standard deviation, over the training ones."""
    spread, mean = torch.std_mean(train.features, dim=(0, 2, 3), keepdim=True)
    first, second = (replace(each, features=(each.features - mean) / spread) for each in (train, unseen))
    return first, second


def vocabulary_of(train: Photographs) -> Vocabulary:
    """The words that people use often enough to learn them."""
    counts = Counter(word for captions in train.said for caption in captions for word in caption.split())
    return Vocabulary(word for word, count in counts.items() if count >= RARE)


def captioner(cell_type: str, train: Photographs, words: Vocabulary, epochs: int, seed: int) -> CaptioningRNN:
    """A captioner trained on all captions of some photographs."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = CaptioningRNN(words.word_to_idx, train.features.shape[1], 128, 256, cell_type)
        train_captioner(net, train.features, *train.rows(words), epochs, rate=RATE)
    return net


@torch.no_grad()
def greedy(net: CaptioningRNN, unseen: Photographs, words: Vocabulary) -> list[str]:
    """What a captioner says of photographs."""
    return words.decode(net.sample(unseen.features, LENGTH - 1)[0])


def nearest(unseen: Photographs, train: Photographs) -> list[str]:
    """The first caption of the training photograph with the most similar mean features."""
    pooled = [functional.normalize(each.features.mean(dim=(2, 3)), dim=1) for each in (unseen, train)]
    return [train.said[place][0] for place in (pooled[0] @ pooled[1].T).argmax(dim=1).tolist()]
