"""Run a check: call the student's function under several conditions and write down what happens."""

import bdb
import contextlib
import functools
import importlib
import io
import random
import re
import time
import traceback
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import CodeType
from typing import Any, TextIO

import numpy as np
import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves

from exercise_code.support.checking.another_call import after_another_call, is_method
from exercise_code.support.checking.case import Case, MissingModel
from exercise_code.support.checking.compare import difference, unlike
from exercise_code.support.checking.declare import Check
from exercise_code.support.checking.evidence import Evidence, Run, leaves
from exercise_code.support.checking.operation_count import Forbid, Watch
from exercise_code.support.devices import pretended
from exercise_code.support.devices.best import usable
from exercise_code.support.paths import ROOT

EXERCISES = ROOT / "exercise_code"
MAX_WARNINGS = 10
NO_GPU = re.compile("not compiled with CUDA|No CUDA GPUs|no NVIDIA driver|Device index must not be negative")
MAX_NAMES, MAX_NAME = 20, 200
"""What is kept of the functions that an error went through."""


class Code:
    """The modules of `exercise_code` as attributes, imported when they are first asked for."""

    def __init__(self, package: str = "exercise_code") -> None:
        self._package = package

    def __getattr__(self, name: str) -> Any:
        module = importlib.import_module(f"{self._package}.{name}")
        return Code(module.__name__) if hasattr(module, "__path__") else module


def gather(check: Check, seed: int, held_out: Mapping[str, Tensor] | None = None) -> Evidence:
    """Run a check on the functions as they are now.

    The runs are `float32`, the same `again`, `float64`, on the `accelerator` (CUDA where there is
    one, else the pretended one), and `large` where the check limits loops or memory. NumPy runs twice, in
    float64, under the first two names; a saved model runs once. Under a law, the first run is done again with
    other random numbers, to see whether they matter.

    In `again` the inputs lie in memory in another order, and a method comes after a call with other inputs on
    the same object. Where that gives something else, two more runs tell why: `contiguous`, with the inputs in
    their usual order, and `afresh`, without the other call as well. Under a law, which has no `again`,
    `float64` gets the turned inputs.

    Args:
        check: what to run.
        seed: draws the inputs.
        held_out: images, uint8 (num, 3, height, width), on which saved models are tried, by their key.
    """
    started = time.perf_counter()
    evidence = Evidence(check.id)
    with_numpy = check.library == "numpy"
    given: dict[str, Any] = {"dtype": torch.float64} if with_numpy else {}
    if check.target is not None:
        given = {"models": EXERCISES.parent / "models", "held_out": (held_out or {}).get(check.held_out.key)}
    limited = check.loops is not None or check.memory is not None
    with _chance_put_back():
        first = evidence.runs["float32"] = run_once(
            check, seed, Case(seed, check.id, **given), limited=limited and not with_numpy, first=True
        )
        if first.error is None and check.target is None:
            if check.law:
                other = run_once(check, seed + 1, Case(seed, check.id, **given))
                evidence.random = difference(first.outputs, other.outputs, 0.0, 0.0) is not None
            _run_again(check, seed, given, evidence.runs)
    evidence.seconds = time.perf_counter() - started
    return evidence


def _run_again(check: Check, seed: int, given: dict[str, Any], runs: dict[str, Run]) -> None:
    """All runs but the first."""
    if not check.law:
        _call_again(check, seed, given, runs)
    if check.library == "numpy":
        return
    double: dict[str, Any] = {"dtype": torch.float64}
    runs["float64"] = run_once(check, seed, Case(seed, check.id, turned=check.law is not None, **double))
    if check.law and runs["float64"].error:
        runs["contiguous"] = run_once(check, seed, Case(seed, check.id, **double))
    if check.loops is not None or check.memory is not None:
        runs["large"] = run_once(check, seed, Case(seed, check.id, scale=check.more_items), limited=True)
    if usable("cuda"):
        runs["accelerator"] = run_once(check, seed, Case(seed, check.id, device="cuda"))
    elif pretended.available():
        with pretended.PretendDevice(is_students):
            runs["accelerator"] = run_once(check, seed, Case(seed, check.id, device=pretended.device()))


def _call_again(check: Check, seed: int, given: dict[str, Any], runs: dict[str, Run]) -> None:
    """The run `again`; where it differs from the first one, also `contiguous` and `afresh`."""

    def differs(name: str, *, turned: bool, after_another: bool) -> bool:
        case = Case(seed, check.id, turned=turned, **given)
        run = runs[name] = run_once(check, seed + 1, case, after_another=after_another)
        return run.error is not None or unlike(check, runs["float32"].outputs, run.outputs) is not None

    after_another = not check.stateful and is_method(Code(), check.exercise)
    if differs("again", turned=True, after_another=after_another):
        still = differs("contiguous", turned=False, after_another=after_another)
        if still and after_another:
            differs("afresh", turned=False, after_another=False)


def run_once(
    check: Check,
    seed: int,
    case: Case,
    *,
    limited: bool = False,
    first: bool = False,
    after_another: bool = False,
) -> Run:
    """One call of the probe.

    Args:
        check: whose probe is called.
        seed: of the random numbers that the exercise draws.
        case: the inputs.
        limited: count operations and weigh memory.
        first: let it print, and note warnings and what is ruled out.
        after_another: call the exercise, which is a method, with other inputs before each call.
    """
    run = Run()
    forbid = Forbid(check.forbids if first or limited else ())
    watching = Watch(case, memory=check.memory is not None)
    with one_thread(), _silence(stdout=not first), warnings.catch_warnings():
        _keep_warnings(run) if first else warnings.simplefilter("ignore")
        _start_chance(seed)
        try:
            with (
                forbid if forbid.refused else contextlib.nullcontext(),
                watching if limited else contextlib.nullcontext(),
                after_another_call(Code(), check.exercise) if after_another else contextlib.nullcontext(),
            ):
                outputs = check.probe(Code(), case)
            run.outputs = leaves(outputs, check.library)
            run.devices = sorted({t.device.type for t in tree_leaves(outputs) if isinstance(t, Tensor)})
        except MissingModel as error:
            run.error, run.unwritten = str(error), check.exercise
        except (Exception, SystemExit) as error:
            run.error, run.unwritten = sentence(error), unwritten(error)
            run.raised_in = _raised_in(error)
    run.inputs_before, run.inputs_after = case.drawn, case.now
    run.forbidden = sorted(set(forbid.called))
    run.operations = watching.operations
    run.memory = watching.peak / max(1, sum(map(_bytes, [*case.handed_out, *run.outputs.values()])))
    return run


def _start_chance(seed: int) -> None:
    torch.default_generator.manual_seed(seed)  # torch.manual_seed() remembers who called, for each device
    if torch.cuda.is_available():
        torch.cuda.manual_seed_all(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002
    random.seed(seed)


@contextlib.contextmanager
def _chance_put_back() -> Iterator[None]:
    """Leave all generators of random numbers as they were found."""
    states = random.getstate(), np.random.get_state()  # noqa: NPY002
    with torch.random.fork_rng(devices=[]):
        try:
            yield
        finally:
            random.setstate(states[0])
            np.random.set_state(states[1])  # noqa: NPY002


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Small tensors are slower on several threads, and all are on a busy machine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


@contextlib.contextmanager
def _silence(*, stdout: bool) -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        stack.enter_context(contextlib.redirect_stderr(io.StringIO()))
        if stdout:
            stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
        yield


def _keep_warnings(run: Run) -> None:
    """Note what the student's own lines are warned of; to be called within `catch_warnings`."""

    def keep(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        if len(run.warnings) < MAX_WARNINGS and is_students(filename):
            text = (str(message).strip().splitlines() or [""])[0][:300]
            note = f"{category.__name__}: {text} ({Path(filename).name}, line {lineno})"
            if note not in run.warnings:
                run.warnings.append(note)

    warnings.simplefilter("default")
    warnings.showwarning = keep


def sentence(error: BaseException) -> str:
    """The kind of an error, its first line, where in the student's code it happened, and what to do."""
    text = str(error).strip().splitlines()
    kind = type(error).__name__ or "an error without a name"
    told = f"{kind}: {text[0][:300]}" if text else kind
    if isinstance(error, pretended.DeviceMismatch):
        told = text[0]
    return told + place_in(error) + _remedy(error)


def _remedy(error: BaseException) -> str:
    """What to do where the error itself does not say it; empty for most."""
    if isinstance(error, ModuleNotFoundError) and (error.name or "").partition(".")[0] != EXERCISES.name:
        return ": import only what requirements.txt names"
    if isinstance(error, EOFError | bdb.BdbQuit):
        return ": nobody is there to answer, so take input() and breakpoint() out"
    if isinstance(error, SyntaxError) and (error.text or "").lstrip().startswith(("%", "!")):
        return ": lines that begin with % or ! belong in a notebook"
    if NO_GPU.search(str(error)):
        return ": there may be no GPU, so take the device of what comes in, as x.device says it"
    return ""


def place_in(error: BaseException) -> str:
    """Where in the student's code an error happened, in brackets; empty where it was not there."""
    place = pretended.locate(error, is_students)
    return f" ({Path(place.filename).name}, line {place.line})" if place else ""


def unwritten(error: BaseException) -> str:
    """The exercise whose stub raised the error, as `check` names it; empty for any other error."""
    codes = [frame.f_code for frame, _ in traceback.walk_tb(error.__traceback__)]
    return _name_of(codes[-1]) if codes and isinstance(error, NotImplementedError) else ""


def _raised_in(error: BaseException) -> list[str]:
    """The functions of students that an error went through, from the outermost on, named as exercises are."""
    names = [_name_of(frame.f_code) for frame, _ in traceback.walk_tb(error.__traceback__)]
    return [*dict.fromkeys(name[:MAX_NAME] for name in names if name)][:MAX_NAMES]


def _name_of(code: CodeType) -> str:
    """The dotted name of a function below `exercise_code`; empty for any other."""
    path = Path(code.co_filename).resolve()
    if not path.is_relative_to(EXERCISES):
        return ""
    return ".".join([*path.relative_to(EXERCISES).with_suffix("").parts, code.co_qualname])


def is_students(filename: str) -> bool:
    """Whether a file is one of the modules that students write, or holds mistakes as they make them."""
    return _is_exercise(filename, EXERCISES)


@functools.cache
def _is_exercise(filename: str, exercises: Path) -> bool:
    """Cached, since the pretended accelerator asks for every frame of every operation."""
    path = Path(filename).resolve()
    own = path.is_relative_to(exercises) and not path.is_relative_to(exercises / "support")
    return own or "mistakes" in (path.stem, path.parent.name)


def _bytes(leaf: Any) -> int:
    return leaf.untyped_storage().nbytes() if isinstance(leaf, Tensor) else 0
