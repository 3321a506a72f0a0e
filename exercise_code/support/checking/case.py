"""Inputs of a check, drawn from a seed."""

import hashlib
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from exercise_code.support.devices import pretended

Item = TypeVar("Item")
HELD_OUT = 500


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
    ) -> None:
        """Start drawing.

        Args:
            seed: public for a student's own runs, secret at grading.
            check_id: each check has a stream of its own.
            dtype: of the floating-point inputs.
            device: of all inputs.
            scale: factor on the number of items (images, rows), to see how the work grows.
            models: the folder of saved models.
            held_out: images, uint8 (HELD_OUT, 3, 32, 32), for `held_out`.
        """
        self._random = np.random.Generator(np.random.PCG64([seed, zlib.crc32(check_id.encode())]))
        self._dtype, self._device, self._scale = dtype, device, scale
        self._models, self._held_out = models, held_out
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

    def distances(self, num_train: int, num_test: int) -> Float[Tensor, "num_train num_test"]:
        """Positive distances without ties, in no order."""
        shape = (num_train * self._scale, num_test * self._scale)
        return self.tensor((1 + self._random.permutation(np.prod(shape))).reshape(shape) / 8)

    def shuffled(self, items: Iterable[Item]) -> list[Item]:
        """The items in another order."""
        items = list(items)
        return [items[index] for index in self._random.permutation(len(items))]

    def labels(self, num: int, num_classes: int, first: int = 0) -> Int[Tensor, " num"]:
        """Labels from first to first + num_classes - 1, int64, in which every class appears if num allows."""
        labels = first + np.arange(num * self._scale) % num_classes
        return self.tensor(self._random.permutation(labels))

    def tensor(self, values: object) -> Tensor:
        """Hand out given values: floats in the dtype of the case, integers as int64."""
        array = values.detach().cpu().numpy() if isinstance(values, Tensor) else np.asarray(values)
        dtype = self._dtype if array.dtype.kind == "f" else torch.int64
        self.drawing = True
        tensor = torch.tensor(array, dtype=dtype)
        self._fingerprints.append(_fingerprint(tensor))
        tensor = tensor.to(self._device)
        self.drawing = False
        self.handed_out.append(tensor)
        self.items.append(tensor)
        return tensor

    def array(self, values: object) -> np.ndarray:
        """Hand out a NumPy copy of given values: a tensor, an array, a list; dtypes are kept."""
        array = np.array(values.detach().cpu() if isinstance(values, Tensor) else values)
        self._fingerprints.append(_fingerprint(array))
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

    def held_out(self) -> Float[Tensor, "num 3 32 32"]:
        """`HELD_OUT` images of `shapes`, in [0, 1], that nobody has trained on."""
        return self.tensor((self._held_out / 255).numpy())

    @property
    def drawn(self) -> str:
        """A fingerprint of all tensors and arrays as they were handed out."""
        return " ".join(self._fingerprints)

    @property
    def now(self) -> str:
        """The same of the tensors and arrays as they are now."""
        return " ".join(map(_fingerprint, pretended.to_cpu(self.items)))


def _fingerprint(values: Tensor | np.ndarray) -> str:
    array = values.detach().cpu().numpy() if isinstance(values, Tensor) else values
    return hashlib.sha256(f"{array.shape} {values.dtype}".encode() + array.tobytes()).hexdigest()[:12]
