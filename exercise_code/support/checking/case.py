"""Inputs of a check, drawn from a seed."""

import hashlib
import itertools
import math
import zlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from exercise_code.support.devices import pretended

Item = TypeVar("Item")


class MissingModel(Exception):
    """A saved model is not there; the message says which."""


class Case:
    """A seeded source of inputs: the same seed and check give the same inputs on every machine.

    Numbers come from numpy's PCG64. Every tensor handed out is remembered, so that it can be seen
    afterwards whether the exercise has changed it.
    """

    def __init__(
        self,
        seed: int,
        check_id: str,
        *,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = "cpu",
        scale: int = 1,
        models: Path = Path("models"),
        held_out: Tensor | None = None,
        turned: bool = False,
    ) -> None:
        """Start drawing.

        Args:
            seed: public for a student's own runs, secret at grading.
            check_id: each check has a stream of its own.
            dtype: of the floating-point inputs.
            device: of all inputs.
            scale: factor on the number of items (images, rows), to see how the work grows.
            models: the folder of saved models.
            held_out: images, uint8 (num, 3, height, width), for `held_out`.
            turned: hand out the same values on the CPU in another order in memory: columns one after another,
                and with gaps where there is one axis only.
        """
        self._random = np.random.Generator(np.random.PCG64([seed, zlib.crc32(check_id.encode())]))
        self._dtype, self._device, self._scale = dtype, device, scale
        self._models, self._held_out, self._turned = models, held_out, turned
        height, width = self._random.choice([3, 4, 5, 6], 2, replace=False).tolist()
        self._image_shape = (3, height, width)
        self.drawing = False
        self.handed_out: list[Tensor] = []
        self.items: list[Tensor | np.ndarray] = []
        self._fingerprints: list[str] = []

    def integer(self, low: int, high: int) -> int:
        """A Python integer from low to high, both included."""
        return int(self._random.integers(low, high, endpoint=True))

    def images(self, num: int, brightness: float = 0.0) -> Float[Tensor, "num 3 height width"]:
        """Images with pixels from brightness to brightness + 1, never square, of one size within a case."""
        return self.tensor(brightness + self._random.random((num * self._scale, *self._image_shape)))

    def labelled_images(
        self, num: int, num_classes: int
    ) -> tuple[Float[Tensor, "num 3 height width"], Int[Tensor, " num"]]:
        """Images and labels that have to do with each other: the larger the label, the brighter."""
        labels = self.labels(num, num_classes)
        pixels = self._random.random((num * self._scale, *self._image_shape))
        return self.tensor(pixels + labels.cpu().numpy().reshape(-1, 1, 1, 1) / 8), labels

    def points(self, num: int) -> Float[Tensor, "num 4"]:
        """Points in four dimensions, normally distributed."""
        return self.tensor(self._random.standard_normal((num * self._scale, 4)))

    def positive_matrix(self, num_rows: int, num_columns: int) -> Float[Tensor, "num_rows num_columns"]:
        """Positive entries without ties, in no order; both sizes grow with the scale of the case."""
        shape = (num_rows * self._scale, num_columns * self._scale)
        return self.tensor((1 + self._random.permutation(np.prod(shape))).reshape(shape) / 8)

    def numbers(self, *shape: int, reach: float = 2.0) -> Float[Tensor, "..."]:
        """Different numbers between -reach and reach, none of them zero, in no order."""
        count = math.prod(shape)
        places = self._random.permutation(count).reshape(shape)
        return self.tensor(reach * ((2 * places + 0.5) / count - 1))

    def parameters(self, *widths: int) -> dict[str, Tensor]:
        """`W1`, `b1`, `W2`, … of fully connected layers; the first of the widths is the input's."""
        params = {}
        for layer, (rows, columns) in enumerate(itertools.pairwise(widths), start=1):
            params[f"W{layer}"] = self.numbers(rows, columns, reach=1.0)
            params[f"b{layer}"] = self.numbers(columns, reach=1.0)
        return params

    def feature_maps(
        self, num: int, channels: int, height: int, width: int
    ) -> Float[Tensor, "num channels h w"]:
        """Maps of any size, without ties and zeros; `num` grows with the scale of the case."""
        return self.numbers(num * self._scale, channels, height, width)

    def pyramid(self, num: int, channels: int, height: int, width: int, levels: int = 3) -> dict[str, Tensor]:
        """Maps `p3`, `p4`, … of a feature pyramid, each half the size of the one before, rounded up."""
        sizes = [(-(-height // 2**level), -(-width // 2**level)) for level in range(levels)]
        return {f"p{3 + i}": self.feature_maps(num, channels, *size) for i, size in enumerate(sizes)}

    def probabilities(
        self, num: int, num_classes: int, least: float = 1e-6
    ) -> Float[Tensor, "num num_classes"]:
        """Rows that sum to 1, in which the smallest entries come down to about `least`."""
        powers = self._random.uniform(np.log(least), 0.0, (num * self._scale, num_classes))
        return self.tensor(np.exp(powers) / np.exp(powers).sum(axis=1, keepdims=True))

    def labels_of(self, num: int, classes: Sequence[int]) -> Int[Tensor, " num"]:
        """Labels out of given classes, which may have gaps; every one appears if num allows."""
        places = self._random.permutation(np.arange(num * self._scale) % len(classes))
        return self.tensor(np.asarray(classes)[places])

    def lengths(self, num: int, most: int, least: int = 1) -> list[int]:
        """Lengths of a ragged list, in no order: the longest and the shortest are among them."""
        between = self._random.integers(least, most, num - 2, endpoint=True).tolist() if num > 2 else []
        return self.shuffled([most, least, *between][:num])

    def tokens(
        self, num: int, length: int, vocabulary: int, *, pad: int = 0, first: int = 1, least: int = 1
    ) -> Int[Tensor, "num length"]:
        """Sequences of tokens of unequal lengths, filled up with `pad` at their ends.

        Args:
            num: sequences; one of them has no padding, one is as short as `least`.
            length: of all of them, padding included.
            vocabulary: tokens run from first to vocabulary - 1, `pad` not among them.
            pad: the token that fills up.
            first: the smallest token.
            least: the smallest number of tokens that are no padding.
        """
        words = np.setdiff1d(np.arange(first, vocabulary), [pad])
        rows = self._random.choice(words, (num * self._scale, length))
        lengths = np.array(self.lengths(num * self._scale, length, least))
        return self.tensor(np.where(np.arange(length) < lengths[:, None], rows, pad))

    def boxes(
        self, num: int, height: int = 48, width: int = 80, *, touching: bool = False
    ) -> Float[Tensor, "num 4"]:
        """Boxes as left, top, right, bottom in an image; none is empty, none is square.

        Args:
            num: how many; 0 gives (0, 4).
            height: of the image in pixels.
            width: of the image in pixels.
            touching: the second box begins where the first one ends, so that they share an edge and no area.
        """
        corners = np.empty((num, 4))
        for box in corners:
            while True:
                left, right = np.sort(self._random.choice(width, 2, replace=False))
                top, bottom = np.sort(self._random.choice(height, 2, replace=False))
                if right - left != bottom - top:
                    break
            box[:] = left, top, right, bottom
        if touching and num > 1:
            left, top, right, bottom = corners[0] = (8.0, 6.0, 20.0, 14.0)
            corners[1] = right, top, right + 7, bottom
        return self.tensor(corners)

    def masks(self, num: int, height: int, width: int) -> Bool[Tensor, "num height width"]:
        """Masks of rectangles, none of which is empty or fills the image."""
        y, x = np.mgrid[:height, :width]
        planes = []
        for _ in range(num * self._scale):
            top, bottom = np.sort(self._random.choice(height, 2, replace=False))
            left, right = np.sort(self._random.choice(width, 2, replace=False))
            planes.append((top <= y) & (y < bottom) & (left <= x) & (x < right))
        return self.tensor(np.stack(planes))

    def shuffled(self, items: Iterable[Item]) -> list[Item]:
        """The items in another order."""
        items = list(items)
        return [items[index] for index in self._random.permutation(len(items))]

    def labels(self, num: int, num_classes: int, first: int = 0) -> Int[Tensor, " num"]:
        """Labels from first to first + num_classes - 1, int64, in which every class appears if num allows."""
        labels = first + np.arange(num * self._scale) % num_classes
        return self.tensor(self._random.permutation(labels))

    def tensor(self, values: object) -> Tensor:
        """Hand out given values: floats in the dtype of the case, integers as int64, booleans as they are."""
        array = values.detach().cpu().numpy() if isinstance(values, Tensor) else np.asarray(values)
        dtype = {"f": self._dtype, "b": torch.bool}.get(array.dtype.kind, torch.int64)
        self.drawing = True
        tensor = torch.tensor(array, dtype=dtype)
        self._fingerprints.append(_fingerprint(tensor))
        tensor = torch.from_numpy(_turned(tensor.numpy())) if self._turned else tensor.to(self._device)
        self.drawing = False
        self.handed_out.append(tensor)
        self.items.append(tensor)
        return tensor

    def array(self, values: object) -> np.ndarray:
        """Hand out a NumPy copy of given values: a tensor, an array, a list; dtypes are kept."""
        array = np.array(values.detach().cpu() if isinstance(values, Tensor) else values)
        self._fingerprints.append(_fingerprint(array))
        array = _turned(array) if self._turned else array
        self.items.append(array)
        return array

    def model(self, name: str) -> Any:
        """What a student has saved in `models` under that name, on the CPU; only tensors and plain values.

        Raises:
            MissingModel: there is no such file.
            pickle.UnpicklingError: the file holds something else.
        """
        path = self._models / name
        if not path.is_file():
            raise MissingModel(f"models/{name} is missing: train the model and save it first")
        return torch.load(path, weights_only=True, map_location="cpu")

    def held_out(self) -> Float[Tensor, "num 3 height width"]:
        """Images in [0, 1] that nobody has trained on; the check's `held_out` says which."""
        assert self._held_out is not None, "the check has no held_out"
        return self.tensor((self._held_out / 255).numpy())

    @property
    def drawn(self) -> str:
        """A fingerprint of all tensors and arrays as they were handed out."""
        return " ".join(self._fingerprints)

    @property
    def now(self) -> str:
        """The same of the tensors and arrays as they are now."""
        return " ".join(map(_fingerprint, pretended.to_cpu(self.items)))


def fill(params: Iterable[nn.Parameter], numbers: Tensor, fan_in: Callable[[Tensor], int]) -> None:
    """Let numbers be parameters: each takes the next numbers, and the first ones again when all are used.

    Those of several axes are divided by the root of their fan-in, so that signals keep their size.
    """
    place = 0
    for param in params:
        places = (place + torch.arange(param.numel(), device=numbers.device)) % len(numbers)
        place += param.numel()
        with torch.no_grad():
            param.copy_(numbers[places].view_as(param) / (fan_in(param) ** 0.5 if param.dim() > 1 else 1))


def _turned(array: np.ndarray) -> np.ndarray:
    if not array.ndim:
        return array
    columns = np.asfortranarray(array)
    return np.repeat(array, 2, axis=0)[::2] if columns.flags.c_contiguous else columns


def _fingerprint(values: Tensor | np.ndarray) -> str:
    array = values.detach().cpu().numpy() if isinstance(values, Tensor) else values
    return hashlib.sha256(f"{array.shape} {values.dtype}".encode() + array.tobytes()).hexdigest()[:12]
