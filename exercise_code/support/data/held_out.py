"""Data that nobody has seen, chosen by a secret, and the truth about them, which only the judge gets."""

import json
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

from exercise_code.support.data.captions import captions, things
from exercise_code.support.data.shapes import Scenes

Truth = dict[str, Any]
TRUTHS = ("labels", "boxes", "masks", "captions", "factors", "images")


@dataclass(frozen=True)
class HeldOut:
    """Which data a saved model is tried on.

    Attributes:
        truth: what is known of them: "labels"; "boxes" with a label each; "masks", the class of every pixel,
            0 for the ground; "captions", true sentences; "factors", what varies of the first object, and its
            centre in pixels; "images", the images themselves. Real data sets have labels and images.
        num: how many images.
        size: height and width in pixels, of `shapes`.
        num_objects: objects in each image of `shapes`.
        dataset: a name that `data.load` knows.
    """

    truth: str = "labels"
    num: int = 500
    size: tuple[int, int] = (32, 32)
    num_objects: int = 1
    dataset: str = "shapes"

    @property
    def key(self) -> str:
        """Names the images: data with equal keys have the same ones, whatever is asked about them."""
        size = "x".join(map(str, self.size))
        return f"{self.dataset} {self.num} {size} {self.num_objects}"


def draw(wanted: HeldOut, secret: int) -> tuple[UInt8[Tensor, "num 3 height width"], Truth]:
    """The images that a secret of 64 bits chooses, and the truth about them.

    Args:
        wanted: which data.
        secret: chooses them; who does not know it cannot find their labels by drawing images.

    Returns:
        Images, and the truth by name as tensors, texts and lists of texts.

    Raises:
        DataError: a real data set is not there.
    """
    if wanted.dataset != "shapes":
        return _of_a_real_set(wanted, secret)
    dice = _dice(secret)
    tens = 10 * dice.integers(10**6, 2**59, -(-wanted.num // 10))  # far behind what `data.load` gives
    places = (tens[:, None] + np.arange(10)).flatten()[: wanted.num]  # ten in a row hold each class once
    scenes = Scenes.draw("test", torch.from_numpy(dice.permutation(places)), wanted.num_objects)
    images = (255 * scenes.render(wanted.size)).round().to(torch.uint8)
    return images, _truth(wanted, scenes, images)


def _dice(secret: int) -> np.random.Generator:
    """Chance that all bits of the secret decide: a generator of torch takes 32 of them."""
    return np.random.Generator(np.random.PCG64(int(sha256(f"held out {secret}".encode()).hexdigest(), 16)))


def _truth(wanted: HeldOut, scenes: Scenes, images: UInt8[Tensor, "num 3 height width"]) -> Truth:
    match wanted.truth:
        case "labels":
            return {"labels": scenes.labels}
        case "boxes":
            seen = scenes.masks(wanted.size).flatten(2).any(dim=2)
            which = torch.arange(wanted.num)[:, None].expand_as(seen)
            boxes = scenes.boxes(wanted.size)[seen].float()
            return {"boxes": boxes, "labels": scenes.shape[seen], "images": which[seen]}
        case "masks":
            return {"labels": scenes.semantic(wanted.size)}
        case "captions":
            said = ["\n".join(sentences) for sentences in captions(scenes)]
            return {
                "captions": said,
                "scenes": [json.dumps([asdict(t) for t in row]) for row in things(scenes)],
            }
        case "factors":
            height, width = wanted.size
            middle = torch.tensor([width, height]) / 2
            points = (middle + scenes.centre[:, :1].float() * min(wanted.size) / 2).float()
            return {"factors": scenes.factors(), "points": points}
    return {"images": images}


def _of_a_real_set(wanted: HeldOut, secret: int) -> tuple[UInt8[Tensor, "num 3 height width"], Truth]:
    from exercise_code.support.data import load

    _, _, images, labels = load(wanted.dataset, 0)
    chosen = torch.from_numpy(_dice(secret).permutation(len(images))[: wanted.num])
    images, labels = (255 * images[chosen]).round().to(torch.uint8), labels[chosen]
    return images, {"labels": labels} if wanted.truth == "labels" else {"images": images}
