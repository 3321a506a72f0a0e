"""What each mistake costs on images: the assignment's experiment with the mistake in place."""

import json
import math
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path
from types import FrameType

from exercise_code.support import data
from exercise_code.support.checking.assignment import Assignment, find_assignment
from exercise_code.support.checking.declare import Mistake
from exercise_code.support.checking.replace import replaced
from exercise_code.support.checking.run_check import EXERCISES, is_students, one_thread

SECONDS_TO_START = 5.0
"""What it takes other processes to begin; less work than that is done in this one."""
TWO_SIDED = 1.96
"""Standard errors in an interval of 95 %."""
PATIENCE = 5
"""How many times longer than the reference a mistake may take."""


@dataclass
class OnImages:
    """Accuracy (0 to 1) of the reference and with each mistake; None where it fails or takes too long.

    `num` is the number of images, 0 where that is not known.
    """

    dataset: str
    reference: float
    mistakes: list[tuple[Mistake, float | None]]
    harmless: list[Mistake]
    num: int

    def error(self, *accuracies: float) -> float:
        """Half of the interval that holds an accuracy, or the difference of two, 95 times in 100."""
        return TWO_SIDED * math.sqrt(sum(p * (1 - p) for p in accuracies) / self.num)


def on_images(
    assignment: Assignment,
    mistakes: Iterable[Mistake],
    recall: Callable[[str], bytes | None] = lambda name: None,
    keep: Callable[[str, bytes], object] = lambda name, content: None,
    workers: int | None = None,
    tell: Callable[[str], object] = lambda text: None,
) -> OnImages | None:
    """Run `experiment.py` of an assignment on the best data set at hand, if it has one.

    The data set is the first real one of the assignment that is there without a download, else `shapes`.

    Args:
        assignment: whose experiment it is.
        mistakes: which mistakes to look at.
        recall: what was kept under a name in an earlier run, None if nothing was.
        keep: takes a name and what is to be kept under it.
        workers: processes to take at most; one a core if None.
        tell: is told how far it is.
    """
    if assignment.experiment is None:
        return None
    real = [name for name in assignment.datasets if name != "shapes" and data.available(name)]
    dataset = [*real, "shapes"][0]
    key = f"experiment on {dataset}"
    content = recall(key) or json.dumps(_with_reference(assignment, dataset)).encode()
    keep(key, content)
    reference, seconds, called = json.loads(content)
    tried = [mistake for mistake in mistakes if mistake.exercise in called]
    keys = {mistake.name: f"{key}: {mistake.source}" for mistake in tried}
    found = {name: json.loads(known) for name, key in keys.items() if (known := recall(key))}
    missing = [name for name in keys if name not in found]
    tell(f"0 of {len(missing)} mistakes")
    tried_now = _accuracies(assignment.name, missing, dataset, seconds, workers)
    for number, (name, accuracy) in enumerate(tried_now, 1):
        found[name] = accuracy
        tell(f"{number} of {len(missing)} mistakes")
        keep(keys[name], json.dumps(accuracy).encode())
    changed = [mistake for mistake in tried if found[mistake.name] != reference]
    harmless = [mistake for mistake in mistakes if mistake not in changed]
    costs = [(each, found[each.name]) for each in changed]
    return OnImages(dataset, reference, costs, harmless, assignment.experiment_images)


def _with_reference(assignment: Assignment, dataset: str) -> tuple[float, float, list[str]]:
    """What the reference reaches, its seconds, and the exercises that it takes: no other can matter."""
    called: set[str] = set()

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and is_students(frame.f_code.co_filename):
            module = Path(frame.f_code.co_filename).resolve().relative_to(EXERCISES).with_suffix("")
            called.add(".".join([*module.parts, frame.f_code.co_qualname]))

    assert assignment.experiment
    started = time.process_time()
    with _profile(note), one_thread():
        reference = float(assignment.experiment(dataset))
    return reference, time.process_time() - started, sorted(called)


def _accuracies(
    assignment: str, mistakes: list[str], dataset: str, seconds: float, workers: int | None
) -> Iterator[tuple[str, float | None]]:
    arguments = repeat(assignment), mistakes, repeat(dataset), repeat(seconds)
    if seconds * len(mistakes) <= SECONDS_TO_START or workers == 1:
        yield from zip(mistakes, map(_accuracy, *arguments), strict=True)
        return
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        yield from zip(mistakes, pool.map(_accuracy, *arguments), strict=True)


def _accuracy(assignment: str, name: str, dataset: str, seconds: float) -> float | None:
    """What the experiment gives with a mistake in place; None where it fails or takes too long."""
    found = find_assignment(assignment)
    mistake = next(mistake for mistake in found.mistakes if mistake.name == name)
    ends = time.process_time() + PATIENCE * seconds

    def watch(*_: object) -> None:
        if time.process_time() > ends:
            raise TimeoutError

    assert found.experiment
    try:
        with replaced(mistake.exercise, mistake.function), one_thread(), _profile(watch):
            return float(found.experiment(dataset))  # a mistake may make a tensor of it
    except Exception:
        return None


@contextmanager
def _profile(function: Callable[..., None]) -> Iterator[None]:
    """Within it, a function is told of every call in this thread; what it raises ends that call."""
    before = sys.getprofile()
    sys.setprofile(function)
    try:
        yield
    finally:
        sys.setprofile(before)
