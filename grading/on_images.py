"""What each mistake costs on images: the assignment's experiment with the mistake in place."""

from collections.abc import Iterable
from dataclasses import dataclass

from exercise_code.support import data
from exercise_code.support.checking.answers import replaced
from exercise_code.support.checking.assignment import Assignment
from exercise_code.support.checking.declare import Mistake


@dataclass
class OnImages:
    """Accuracy (0 to 1) of the reference and with each mistake; None where one ends in an error."""

    dataset: str
    reference: float
    mistakes: list[tuple[Mistake, float | None]]
    harmless: list[Mistake]


def on_images(assignment: Assignment, mistakes: Iterable[Mistake]) -> OnImages | None:
    """Run `experiment.py` of an assignment on the best data set at hand, if it has one.

    The data set is the first real one of the assignment that is there without a download, else `shapes`.
    """
    if assignment.experiment is None:
        return None
    real = [name for name in assignment.datasets if name != "shapes" and data.available(name)]
    dataset = [*real, "shapes"][0]
    reference = assignment.experiment(dataset)
    changed, harmless = [], []
    for mistake in mistakes:
        with replaced(mistake.exercise, mistake.function):
            try:
                found = assignment.experiment(dataset)
            except Exception:
                found = None
        if found == reference:
            harmless.append(mistake)
        else:
            changed.append((mistake, found))
    return OnImages(dataset, reference, changed, harmless)
