"""A look at a solution after honest tries, in a course that was made for somebody who learns alone."""

import ast
import gzip
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from exercise_code.support.checking import exercise_source
from exercise_code.support.checking.assignment import (
    Assignment,
    AssignmentError,
    all_folders,
    meant_by,
    read_assignment,
)
from exercise_code.support.checking.judge import Verdict
from exercise_code.support.paths import ROOT

SOLUTIONS = "solutions.json.gz"
"""In an assignment's folder; a course that was made for a class has none."""
TRIES = ROOT / ".tries.json"
"""For each exercise the wrong versions that were checked, and when its solution was shown."""
ENOUGH = 3
UNTRIED = ("passed", "not_written", "blocked")
"""States of a check that say nothing against what is written."""


def note_tries(assignment: Assignment, verdicts: Iterable[Verdict]) -> None:
    """Remember which versions of exercises were checked and wrong; nothing where nothing can be revealed."""
    wrong = {verdict.exercise for verdict in verdicts if verdict.status not in UNTRIED}
    if not wrong or not (assignment.folder / SOLUTIONS).is_file():
        return
    tries = _tries()
    for exercise in wrong:
        known = tries.setdefault(exercise, {"wrong": [], "shown": ""})
        if (version := _version(exercise)) not in ("", *known["wrong"]):
            known["wrong"].append(version)
    TRIES.write_text(json.dumps(tries, indent=1), encoding="utf-8")


def reveal(exercise: str) -> str:
    """The solution of an exercise that has been tried often enough; that it was shown is remembered.

    Args:
        exercise: its name as checks write it (`knn.predict_labels`).

    Raises:
        AssignmentError: there is no such exercise, this course has no solutions, or it was not tried enough.
    """
    owners = {
        check.exercise: assignment
        for assignment in map(read_assignment, all_folders())
        for check in assignment.checks
    }
    if exercise not in owners:
        raise AssignmentError(f"there is no exercise {exercise!r}{meant_by(exercise, owners)}")
    path = owners[exercise].folder / SOLUTIONS
    if not path.is_file():
        raise AssignmentError("there are no solutions in a course for a class: ask whoever teaches it")
    tries = _tries()
    known = tries.setdefault(exercise, {"wrong": [], "shown": ""})
    if (left := ENOUGH - len(known["wrong"])) > 0:
        raise AssignmentError(
            f"{exercise} has been tried {len(known['wrong'])} of {ENOUGH} times: check it {left} more with "
            "something else written, and read what the check says"
        )
    known["shown"] = known["shown"] or datetime.now(UTC).isoformat(timespec="seconds")
    TRIES.write_text(json.dumps(tries, indent=1), encoding="utf-8")
    solution: str = json.loads(gzip.decompress(path.read_bytes()))[exercise]
    return solution


def revealed() -> set[str]:
    """The exercises whose solution was shown."""
    return {exercise for exercise, known in _tries().items() if known["shown"]}


def _tries() -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(TRIES.read_text(encoding="utf-8"))
        return found
    except (OSError, ValueError):
        return {}


def _version(exercise: str) -> str:
    """Names what an exercise does, without comments and layout; empty where that cannot be read."""
    function = exercise_source.read_exercise(exercise, ROOT / "exercise_code")
    return sha256(ast.dump(function).encode()).hexdigest()[:16] if function else ""
