"""Inputs that a check does not draw, to find out where a mutant that it lets pass differs after all."""

import contextlib
import functools
import inspect
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from exercise_code.support.checking import annotations, run_check
from exercise_code.support.checking.case import Case
from exercise_code.support.checking.declare import Check
from exercise_code.support.checking.evidence import Run
from exercise_code.support.checking.replace import replaced

LARGE_NUMBERS, SMALL_NUMBERS = 1e3, 1e-3
BATCH = "N"
"""The axis of images, as annotations call it."""


class Scaled(Case):
    """Numbers of another magnitude; whole numbers stay."""

    def __init__(self, *args: Any, factor: float, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._factor = factor

    def tensor(self, values: object) -> Tensor:
        return super().tensor(self._scaled(values))

    def array(self, values: object) -> np.ndarray:
        return super().array(self._scaled(values))

    def _scaled(self, values: object) -> np.ndarray:
        array = values.detach().cpu().numpy() if isinstance(values, Tensor) else np.asarray(values)
        return (array * self._factor).astype(array.dtype) if array.dtype.kind == "f" else array


class ClassMissing(Case):
    """Labels among which the last class does not appear."""

    def labels(self, num: int, num_classes: int, first: int = 0) -> Int[Tensor, " num"]:
        labels = super().labels(num, num_classes, first)
        labels[labels == labels.max()] = labels.min()
        return labels

    def labels_of(self, num: int, classes: Sequence[int]) -> Int[Tensor, " num"]:
        return super().labels_of(num, sorted(classes)[:-1])


class BatchOfOne(Case):
    """One image, one point, one label, one column of a matrix."""

    def images(self, num: int, brightness: float = 0.0) -> Float[Tensor, "1 3 height width"]:
        return super().images(1, brightness)

    def points(self, num: int) -> Float[Tensor, "1 4"]:
        return super().points(1)

    def labels(self, num: int, num_classes: int, first: int = 0) -> Int[Tensor, " 1"]:
        return super().labels(1, num_classes, first)

    def labels_of(self, num: int, classes: Sequence[int]) -> Int[Tensor, " 1"]:
        return super().labels_of(1, classes)

    def labelled_images(
        self, num: int, num_classes: int
    ) -> tuple[Float[Tensor, "1 3 height width"], Int[Tensor, " 1"]]:
        return super().labelled_images(1, num_classes)

    def positive_matrix(self, num_rows: int, num_columns: int) -> Float[Tensor, "num_rows 1"]:
        return super().positive_matrix(num_rows, 1)


def first_alone(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function of the first image alone: all arguments that have an axis of images are cut to one."""
    signature = inspect.signature(function)
    places = {
        name
        for name, parameter in signature.parameters.items()
        if (annotations.axes(parameter.annotation) or [""])[0] == BATCH
    }

    @functools.wraps(function)
    def of_one(*args: Any, **kwargs: Any) -> Any:
        bound = signature.bind(*args, **kwargs)
        for name in places & bound.arguments.keys():
            value = bound.arguments[name]
            bound.arguments[name] = value[:1] if isinstance(value, Tensor) else value
        return function(*bound.args, **bound.kwargs)

    return of_one


AS_DRAWN, BATCH_OF_ONE = "as drawn", "a batch of one"
KINDS: dict[str, Callable[..., Case]] = {
    AS_DRAWN: Case,
    "float64": Case,
    "large numbers": partial(Scaled, factor=LARGE_NUMBERS),
    "small numbers": partial(Scaled, factor=SMALL_NUMBERS),
    "a class missing": ClassMissing,
    BATCH_OF_ONE: BatchOfOne,
}


def unusual_case(kind: str, check: Check, seed: int) -> Case:
    """The inputs of a check for a seed, as one of `KINDS` changes them."""
    settings = {"dtype": torch.float64} if check.library == "numpy" or kind == "float64" else {}
    return KINDS[kind](seed, check.id, **settings)


def run_unusual(kind: str, check: Check, seed: int) -> Run:
    """Run a check on such inputs; where it draws a batch of its own, exercises get the first image."""
    with contextlib.ExitStack() as cut:
        if kind == BATCH_OF_ONE:
            for exercise in (check.exercise, *check.uses):
                function: Any = functools.reduce(getattr, exercise.split("."), run_check.Code())
                cut.enter_context(replaced(exercise, first_alone(function)))
        return run_check.run_once(check, seed, unusual_case(kind, check, seed))
