"""What an assignment declares: its checks, the mistakes people make, variants and stand-ins."""

import inspect
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from exercise_code.support.checking.metrics import METRICS
from exercise_code.support.data.held_out import HeldOut

Law = Callable[[dict[str, Any], dict[str, Any]], str | None]
"""Takes a student's outputs and the reference's, returns what is wrong with the first, or None."""

LIBRARIES = ("torch", "numpy")
ON_LABELS = HeldOut()


class DeclarationError(ValueError):
    """A check is declared in a way that contradicts itself; the message says how."""


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
    law: Law | None
    free_shapes: tuple[str, ...]
    library: str
    stateful: bool
    floor: float | None
    target: float | None
    metric: str
    held_out: HeldOut

    def __post_init__(self) -> None:
        limited = self.loops is not None or self.memory is not None
        for wrong, reason in (
            (self.library not in LIBRARIES, f"library must be one of {', '.join(LIBRARIES)}"),
            (self.free_shapes and not self.law, "free_shapes belongs to a law"),
            (
                self.library == "numpy" and (self.loops or self.memory is not None),
                "operations and memory are measured for torch only: loops=0 is all that can be asked",
            ),
            ((self.floor is None) != (self.target is None), "floor and target belong together"),
            (self.metric not in METRICS, f"metric must be one of {', '.join(METRICS)}"),
            (
                self.target is not None and self.metric in METRICS and not self._has_order(),
                "floor must be worse than target, and a share lies between 0 and 1",
            ),
            (
                self.target is not None and (self.law or limited or self.library != "torch"),
                "a target to reach goes with no law, no other library, and no limit of loops or memory",
            ),
        ):
            if wrong:
                raise DeclarationError(f"{self.id}: {reason}")

    def _has_order(self) -> bool:
        metric, floor, target = METRICS[self.metric], self.floor or 0.0, self.target or 0.0
        if metric.percent and not 0 <= min(floor, target) <= max(floor, target) <= 1:
            return False
        return target < floor if metric.lower else floor < target

    @property
    def function(self) -> Callable[[Any, Any], dict[str, Any]]:
        """The declared function, under the name that all declarations have for it."""
        return self.probe

    @property
    def exercise(self) -> str:
        """Dotted name of the function below `exercise_code`."""
        return self.id.partition(":")[0]

    @property
    def compared(self) -> bool:
        """Whether outputs are held against the reference's, rather than to a law or a target."""
        return self.law is None and self.target is None

    @property
    def more_items(self) -> int:
        """How many times more items the run has in which operations and memory are compared."""
        return 2 if (self.loops or 0) > 1 else 4

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
    law: Law | None = None,
    free_shapes: tuple[str, ...] | list[str] = (),
    library: str = "torch",
    stateful: bool = False,
    floor: float | None = None,
    target: float | None = None,
    metric: str = "accuracy",
    held_out: HeldOut = ON_LABELS,
) -> Callable[[Callable[..., dict[str, Any]]], Check]:
    """Declare a check; the decorated probe takes (code, case) and returns named outputs.

    Args:
        id: exercise (`knn.predict_labels`), or exercise and name (`knn.predict_labels:ties`).
        points: what it is worth.
        uses: exercises it builds on; when it fails together with one of them, it counts as blocked.
        loops: nested Python loops allowed, judged by how the number of operations grows with the inputs.
        memory: largest total of live intermediates, in multiples of inputs and output together.
        forbids: dotted names of what the exercise rules out (`torch.cdist`, `numpy.std`).
        rtol: relative tolerance in float32; in float64 a ten-thousandth of it.
        atol: absolute tolerance in float32; in float64 a ten-thousandth of it.
        law: decides instead of a comparison where an answer is left to chance: gets the outputs and those of
            the reference on the same inputs, returns a sentence that says what is wrong, or None. Names,
            shapes and dtypes are compared before. Its docstring states how often it errs (below 1e-6).
        free_shapes: names of outputs whose shape (or length) is left to the law.
        library: what the exercise is written in, "torch" or "numpy". NumPy runs once and again, on arrays as
            they are drawn (float64), with the tolerances as given.
        stateful: an earlier call on the same object may change what a method gives, as a step of training
            does; otherwise it is called with other inputs before each call of the second run.
        floor: the metric's value up to which a saved model earns nothing.
        target: the value from which it earns all points; in between they grow in proportion. The probe
            returns what the metric needs of `case.held_out()` ({"labels": int64 (num,)}), and runs once.
        metric: a function of `metrics.py`, which measures where the truth is.
        held_out: which data the model is tried on, and what is known of them.

    Raises:
        DeclarationError: some of these contradict each other.
    """

    def declare(probe: Callable[..., dict[str, Any]]) -> Check:
        return Check(
            id,
            probe,
            points,
            tuple(uses),
            loops,
            memory,
            tuple(forbids),
            rtol,
            atol,
            law,
            tuple(free_shapes),
            library,
            stateful,
            floor,
            target,
            metric,
            held_out,
        )

    return declare


@dataclass(frozen=True)
class Version:
    """Another version of an exercise function."""

    exercise: str
    function: Callable[..., Any]

    @property
    def name(self) -> str:
        """The function's name, which says how it differs."""
        return self.function.__name__

    @property
    def source(self) -> str:
        """The text of the function, without the decorator."""
        return source_of(self.function)


@dataclass(frozen=True)
class Mistake(Version):
    """A wrong version, and the hint that it deserves."""

    hint: str
    check: str
    raises: type[Exception] | None = None


def mistake(
    id: str, *, hint: str, raises: type[Exception] | None = None
) -> Callable[[Callable[..., Any]], Mistake]:
    """Declare a mistake; the decorated function has the signature of the exercise.

    Args:
        id: the check that must catch it (`knn.predict_labels:ties`).
        hint: what to tell a student who makes it; one or two sentences, never the solution.
        raises: what comes of it in that check instead of an answer.
    """

    def declare(function: Callable[..., Any]) -> Mistake:
        return Mistake(id.partition(":")[0], function, hint, id, raises)

    return declare


@dataclass(frozen=True)
class Variant(Version):
    """A right version that is written differently from the reference."""


def variant(exercise: str) -> Callable[[Callable[..., Any]], Variant]:
    """Declare a right version of an exercise: none of them may lose a point."""
    return lambda function: Variant(exercise, function)


@dataclass(frozen=True)
class StandIn(Version):
    """What replaces an exercise function that is not right, made of what the exercise rules out."""


def stand_in(exercise: str) -> Callable[[Callable[..., Any]], StandIn]:
    """Declare a stand-in: right, made by library calls, so that it gives no solution away."""
    return lambda function: StandIn(exercise, function)


def source_of(function: Callable[..., Any]) -> str:
    """The text of a function, without its decorators."""
    text = textwrap.dedent(inspect.getsource(function))
    return text[text.index("def ") :]
