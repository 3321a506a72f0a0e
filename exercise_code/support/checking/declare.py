"""What an assignment declares: its checks, and the mistakes people make."""

import inspect
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Check:
    """One question to one exercise: the probe draws inputs, calls the function, returns named outputs.

    `id` is the exercise, or exercise:name where an exercise has several checks.
    """

    id: str
    probe: Callable[[Any, Any], dict[str, Any]]
    points: float
    uses: tuple[str, ...]
    loops: int | None
    memory: float | None
    forbids: tuple[str, ...]
    rtol: float
    atol: float

    @property
    def exercise(self) -> str:
        """Dotted name of the function below `exercise_code`."""
        return self.id.partition(":")[0]

    @property
    def title(self) -> str:
        """First line of the probe's docstring."""
        return (self.probe.__doc__ or self.id).strip().splitlines()[0].rstrip(".")


def check(
    id: str,
    *,
    points: float,
    uses: tuple[str, ...] | list[str] = (),
    loops: int | None = None,
    memory: float | None = None,
    forbids: tuple[str, ...] | list[str] = (),
    rtol: float = 1e-4,
    atol: float = 1e-5,
) -> Callable[[Callable[..., dict[str, Any]]], Check]:
    """Declare a check; the decorated probe takes (code, case) and returns named outputs.

    Args:
        id: exercise (`knn.predict_labels`), or exercise and name (`knn.predict_labels:ties`).
        points: what it is worth.
        uses: exercises it builds on; when it fails together with one of them, it counts as blocked.
        loops: nested Python loops allowed, judged by how the number of operations grows with the inputs.
        memory: largest total of live intermediates, in multiples of inputs and output together.
        forbids: dotted names of what the exercise rules out (`torch.cdist`).
        rtol: relative tolerance in float32; in float64 a ten-thousandth of it.
        atol: absolute tolerance in float32; in float64 a ten-thousandth of it.
    """

    def declare(probe: Callable[..., dict[str, Any]]) -> Check:
        return Check(id, probe, points, tuple(uses), loops, memory, tuple(forbids), rtol, atol)

    return declare


@dataclass(frozen=True)
class Mistake:
    """A wrong version of an exercise function, and the hint that it deserves."""

    exercise: str
    function: Callable[..., Any]
    hint: str
    check: str

    @property
    def name(self) -> str:
        """The name of the wrong function says what is wrong."""
        return self.function.__name__

    @property
    def source(self) -> str:
        """The text of the function, without the decorator."""
        text = textwrap.dedent(inspect.getsource(self.function))
        return text[text.index("def ") :]


def mistake(id: str, *, hint: str) -> Callable[[Callable[..., Any]], Mistake]:
    """Declare a mistake; the decorated function has the signature of the exercise.

    Args:
        id: the check that must catch it (`knn.predict_labels:ties`).
        hint: what to tell a student who makes it; one or two sentences, never the solution.
    """

    def declare(function: Callable[..., Any]) -> Mistake:
        return Mistake(id.partition(":")[0], function, hint, id)

    return declare
