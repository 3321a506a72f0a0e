"""What each mistake costs on images: the assignment's experiment with the mistake in place."""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass

import torch

from exercise_code.support import data
from exercise_code.support.checking.answers import replaced
from exercise_code.support.checking.assignment import Assignment
from exercise_code.support.checking.declare import Mistake

Known = Callable[[str, Callable[[], bytes]], bytes]


@dataclass
class OnImages:
    """Accuracy (0 to 1) of the reference and with each mistake; None where one ends in an error."""

    dataset: str
    reference: float
    mistakes: list[tuple[Mistake, float | None]]
    harmless: list[Mistake]


def on_images(
    assignment: Assignment, mistakes: Iterable[Mistake], known: Known = lambda _, make: make()
) -> OnImages | None:
    """Run `experiment.py` of an assignment on the best data set at hand, if it has one.

    The data set is the first real one of the assignment that is there without a download, else `shapes`.

    Args:
        assignment: whose experiment it is.
        mistakes: which mistakes to look at.
        known: returns what is kept under a name, or makes and keeps it.
    """
    if assignment.experiment is None:
        return None
    real = [name for name in assignment.datasets if name != "shapes" and data.available(name)]
    dataset = [*real, "shapes"][0]

    def accuracy(mistake: Mistake | None) -> float | None:
        with replaced(mistake.exercise, mistake.function) if mistake else nullcontext():
            try:
                return assignment.experiment(dataset)
            except Exception:
                return None

    def found(mistake: Mistake | None) -> float | None:
        name = f"{dataset} {mistake.source if mistake else 'reference'}"
        return json.loads(known(name, lambda: json.dumps(accuracy(mistake)).encode()))

    with _one_thread():
        reference = found(None)
        accuracies = [(mistake, found(mistake)) for mistake in mistakes]
    changed = [(mistake, value) for mistake, value in accuracies if value != reference]
    return OnImages(dataset, reference, changed, [m for m, value in accuracies if value == reference])


@contextmanager
def _one_thread() -> Iterator[None]:
    """Experiments are small: on a busy machine threads wait for each other a hundred times as long."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
