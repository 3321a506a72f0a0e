"""`leaderboard.csv`: saved models that say how long they were trained, the fastest to the target first."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from exercise_code.support.checking.answers import Answers
from exercise_code.support.checking.assignment import Assignment
from exercise_code.support.checking.declare import Check
from exercise_code.support.checking.evidence import Evidence
from exercise_code.support.checking.metrics import METRICS, FormError
from grading.scores.exports import table
from grading.submissions.records import Graded

COUNTS = "parameters", "steps"
"""Whole numbers that a probe returns beside what its metric needs."""


@dataclass(frozen=True)
class Place:
    """A saved model on the leaderboard.

    `value` is measured by the check's metric on hidden data; `parameters` and `steps` are what the
    submission's code says.
    """

    rank: int
    id: str
    name: str
    check: str
    value: float
    reached: bool
    parameters: int
    steps: int


def leaderboard(assignment: Assignment, records: Iterable[Graded], answers: Answers) -> list[Place]:
    """The places of all models: those that reach the target by steps, then the others by their value.

    Equal models share a rank. A model that gives no count, or outputs of another form, has no place.
    """
    checks = [(place, check) for place, check in enumerate(assignment.checks) if check.target is not None]
    places: list[Place] = []
    for record in records:
        for index, check in checks:
            if place := _place(record, check, record.evidence[index], answers):
                places.append(place)
    ranked: list[Place] = []
    for _, check in checks:
        here = sorted((place for place in places if place.check == check.id), key=lambda p: _order(check, p))
        orders = [_order(check, place)[:-1] for place in here]
        ranked += [
            Place(**{**asdict(place), "rank": 1 + orders.index(order)})
            for place, order in zip(here, orders, strict=True)
        ]
    return ranked


def write_leaderboard(path: Path, places: Iterable[Place]) -> None:
    """Write it as a table; spreadsheets run nothing of it."""
    rows = [asdict(place) for place in places]
    path.write_text(table(rows, [field.name for field in fields(Place)]), encoding="utf-8", newline="")


def _place(record: Graded, check: Check, evidence: Evidence, answers: Answers) -> Place | None:
    run = evidence.runs.get("float32")
    if run is None or run.error:
        return None
    counts: dict[str, Any] = {name: run.outputs.get(name) for name in COUNTS}
    if not all(type(count) is int and count > 0 for count in counts.values()):
        return None
    metric = METRICS[check.metric]
    try:
        value = metric.measure(run.outputs, answers.reference[check.id].runs["float32"].outputs)
    except (FormError, RuntimeError, ValueError):
        return None
    assert check.target is not None
    reached = value <= check.target if metric.lower else value >= check.target
    about = record.submission
    return Place(0, about.id, about.name, check.id, round(value, 4), reached, **counts)


def _order(check: Check, place: Place) -> tuple[bool, float, float, str]:
    value = place.value if METRICS[check.metric].lower else -place.value
    first, second = (place.steps, value) if place.reached else (value, place.steps)
    return not place.reached, first, second, place.id
