"""Put other functions in the place of exercises: mistakes, variants and stand-ins."""

import contextlib
import functools
import importlib.util
import inspect
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

from exercise_code.support.checking import operation_count
from exercise_code.support.checking.assignment import Limits
from exercise_code.support.checking.declare import StandIn
from exercise_code.support.checking.run_check import Code
from exercise_code.support.checking.time_limit import TooSlow, at_most

MISSING = object()

_kept = contextlib.ExitStack()
_kept_now: list[StandIn] = []


@contextlib.contextmanager
def replaced(exercise: str, function: Callable[..., Any]) -> Iterator[None]:
    """Within it, an exercise is done by another function, also where a module has imported it by its name."""
    *path, name = exercise.split(".")
    owner: Any = functools.reduce(getattr, path, Code())
    places: list[Any] = [owner]
    if inspect.isclass(owner):
        takes_self = next(iter(inspect.signature(function).parameters), None) == "self"
        function = function if takes_self else staticmethod(function)
    elif name in vars(owner):
        modules = [module for place, module in sys.modules.items() if place.startswith("exercise_code.")]
        places += [m for m in modules if m is not owner and vars(m).get(name) is vars(owner)[name]]
    before = [vars(place).get(name, MISSING) for place in places]
    for place in places:
        setattr(place, name, function)
    try:
        yield
    finally:
        for place, value in zip(places, before, strict=True):
            if vars(place).get(name) is function:  # else the module has been loaded anew
                delattr(place, name) if value is MISSING else setattr(place, name, value)


@contextlib.contextmanager
def in_place(stand_ins: Iterable[StandIn]) -> Iterator[None]:
    """Within it, stand-ins do what is theirs; what they call is neither refused nor counted."""
    stand_ins = [*stand_ins]
    unwatched = {code for each in stand_ins for code in _codes(each)}
    with contextlib.ExitStack() as stack:
        for each in stand_ins:
            stack.enter_context(replaced(each.exercise, each.function))
        stack.enter_context(operation_count.unwatched(unwatched))
        yield


def takes(stand_in: StandIn) -> bool:
    """Whether the module that it belongs to can be imported, and has a place for it."""
    try:
        with at_most(Limits.seconds_per_check), in_place([stand_in]):
            return True
    except (Exception, TooSlow):  # whatever the student's lines raise
        return False


def keep_in_place(stand_ins: Iterable[StandIn]) -> None:
    """Let these do what is theirs from now on, where there is a place for them, and no others any more."""
    stand_ins = [*stand_ins]
    _kept.close()
    _kept.enter_context(in_place(filter(takes, stand_ins)))
    _kept_now[:] = stand_ins


@contextlib.contextmanager
def lifted() -> Iterator[None]:
    """Within it, what `keep_in_place` has put in place is away."""
    kept = [*_kept_now]
    keep_in_place([])
    try:
        yield
    finally:
        keep_in_place(kept)


def read_stand_ins(path: Path) -> list[StandIn]:
    """The stand-ins that a file declares."""
    spec = importlib.util.spec_from_file_location(f"_stand_ins_{path.stem}", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return [value for value in vars(module).values() if isinstance(value, StandIn)]


def _codes(stand_in: StandIn) -> Iterator[CodeType]:
    """The code of a stand-in and of the functions beside it, which it may call."""
    beside = [f for f in stand_in.function.__globals__.values() if isinstance(f, FunctionType)]
    own = [f for f in beside if f.__module__ == stand_in.function.__module__]
    waiting = [stand_in.function.__code__, *(function.__code__ for function in own)]
    while waiting:
        yield (code := waiting.pop())
        waiting += [constant for constant in code.co_consts if isinstance(constant, CodeType)]
