"""What people have given in the gradebook, and what it makes of a student's total."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from exercise_code.support.checking.assignment import Assignment
from grading.scores.late import Ledger


@dataclass(frozen=True)
class Mark:
    """What a person has given for one graded cell of a student.

    `points` is None where nobody has given any; `extra` is extra credit; `waiting` says that somebody should
    look (again).
    """

    points: float | None = None
    extra: float = 0.0
    waiting: bool = False
    comment: str = ""


Marks = Mapping[str, Mark]
"""By the id of the cell."""


def for_groups(marks: Mapping[str, Marks], groups: Mapping[str, str]) -> dict[str, Marks]:
    """The marks of a class in which what one member of a group has been given counts for all of it.

    What a member has been given for a cell stays; else it is what the first of the others has for it.

    Args:
        marks: the gradebook's, by student.
        groups: by student the name of the group, empty for who works alone.
    """
    members: dict[str, list[str]] = defaultdict(list)
    for student, group in sorted(groups.items()):
        members[group or f"{student} alone"].append(student)
    shared = dict(marks)
    for together in members.values():
        for student in together:
            others = [marks.get(each, {}) for each in (student, *together)]
            cells = {cell for each in others for cell in each}
            shared[student] = {
                cell: _first_given([each[cell] for each in others if cell in each]) for cell in cells
            }
    return shared


def _first_given(marks: list[Mark]) -> Mark:
    given = next((mark for mark in marks if mark.points is not None or mark.extra), None)
    return given or replace(marks[0], waiting=any(mark.waiting for mark in marks))


@dataclass(frozen=True)
class Settlement:
    """All that a total takes beside the checks.

    `exercises` are what the check cells are about, by the cell's id; `marks` are the gradebook's, by student;
    `ledger` knows what lateness costs.
    """

    assignment: Assignment
    exercises: Mapping[str, str]
    marks: Mapping[str, Marks]
    ledger: Ledger

    def complete(self, entry: dict[str, Any]) -> dict[str, Any]:
        """A submission of `results.json`, with all that makes up its total."""
        marks = self.marks.get(entry["id"], {})
        questions: list[dict[str, Any]] = [
            {
                "id": question,
                "points": (mark.points or 0.0) + mark.extra,
                "max_points": points,
                "waiting": mark.waiting,
                "comment": mark.comment,
            }
            for question, points in self.assignment.questions.items()
            for mark in [marks.get(question, Mark(waiting=True))]
        ]
        overrides: list[dict[str, Any]] = [
            {
                "exercise": exercise,
                "points": (automatic if mark.points is None else mark.points) + mark.extra,
                "automatic": automatic,
                "waiting": mark.waiting,
            }
            for cell, exercise in self.exercises.items()
            for mark in [marks.get(cell, Mark())]
            if mark.points is not None or mark.extra
            for automatic in [_points_of(entry, exercise)]
        ]
        changed = sum(each["points"] - each["automatic"] for each in overrides)
        total = entry["score"] + changed + sum(each["points"] for each in questions)
        submitted = entry["submitted"] and datetime.fromisoformat(entry["submitted"])
        late = self.ledger.charge(entry["id"], submitted)
        return entry | {
            "questions": questions,
            "overrides": overrides,
            "total": round(total, 4),
            "max_total": entry["max_score"] + sum(self.assignment.questions.values()),
            "late": asdict(late),
            "final_score": round(total * (1 - late.penalty), 4),
        }


def _points_of(entry: Mapping[str, Any], exercise: str) -> float:
    own = [check for check in entry["checks"] if check["id"].partition(":")[0] == exercise]
    points: float = sum(check["points"] for check in own)
    return points
