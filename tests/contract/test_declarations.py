"""Every assignment: declarations fit the exercise, and what they rule out is said there."""

import inspect
from collections.abc import Callable
from functools import reduce
from typing import Any

from exercise_code.support.checking.run_check import Code


def parameters(function: Callable[..., Any]) -> list[tuple[str, str, object]]:
    """Names, kinds and defaults, in their order; None for a class, which a stand-in imports when called."""

    def plain(default: object) -> object:
        return None if isinstance(default, type) and default is not inspect.Parameter.empty else default

    given = inspect.signature(function).parameters.values()
    return [(parameter.name, parameter.kind.description, plain(parameter.default)) for parameter in given]


def test_signatures_are_those_of_the_exercises(assignment):
    for declared in [*assignment.mistakes, *assignment.variants, *assignment.stand_ins]:
        exercise = reduce(getattr, declared.exercise.split("."), Code())
        assert parameters(declared.function) == parameters(exercise), declared.function.__name__


def test_what_is_ruled_out_is_said_in_the_docstring(assignment):
    for check in assignment.checks:
        said = inspect.getdoc(reduce(getattr, check.exercise.split("."), Code())) or ""
        assert check.loops != 0 or "loop" in said, f"{check.id} allows no loop"
        known = "Not allowed here" in said or "by hand" in said
        assert known or not check.forbids, f"{check.id} rules out {', '.join(check.forbids)}"
