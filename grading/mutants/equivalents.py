"""Mutants that are right, and rewrites that are not: `equivalent_mutants.toml` of an assignment.

Each entry has a sentence as its reason. A table `equivalent` lists what a line may become and is right as
well. A table `wrong` lists rewrites that break what the exercise asks, such as a copy where the argument
itself is due; a check must notice them. In place of a whole line the name of an operator will do
(`not_contiguous`), which stands for all that it makes of the line.
"""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from exercise_code.support.checking.assignment import Assignment
from grading.course import CourseError
from grading.mutants.generate import Mutant

FILE = "evidence/equivalent_mutants.toml"
ENTRY = (
    'an entry is a table [[equivalent]] or [[wrong]] with exercise = "knn.predict_labels", was = "a line", '
    'becomes = ["another line"], reason = "A sentence."'
)


@dataclass(frozen=True)
class Entry:
    """Lines of an exercise, what they may also be, or by which operators, and why."""

    exercise: str
    was: str
    becomes: tuple[str, ...]
    reason: str

    def covers(self, mutant: Mutant) -> bool:
        """Whether a mutant is one of those."""
        return any((self.exercise, self.was, becomes) in names(mutant) for becomes in self.becomes)


@dataclass(frozen=True)
class Listed:
    """What a file lists: mutants that are right, rewrites that are wrong."""

    equivalent: list[Entry] = field(default_factory=list)
    wrong: list[Entry] = field(default_factory=list)


def names(mutant: Mutant) -> set[tuple[str, str, str]]:
    """What an entry may call a mutant: exercise, lines, and what they become or the operator."""
    was, becomes = mutant.change
    return {(mutant.exercise, was, becomes), (mutant.exercise, was, mutant.operator)}


def read_listed(assignment: Assignment) -> Listed:
    """What an assignment lists; nothing where there is no file.

    Raises:
        CourseError: the file cannot be read, has tables of another name, or an entry other keys or no reason.
    """
    path = assignment.folder / FILE
    if not path.exists():
        return Listed()
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
        listed = Listed(**{kind: [*map(_entry, entries)] for kind, entries in tables.items()})
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise CourseError(f"{assignment.name}/{FILE}: {error}") from None
    except (TypeError, KeyError, ValueError):
        raise CourseError(f"{assignment.name}/{FILE}: {ENTRY}") from None
    for entry in [*listed.equivalent, *listed.wrong]:
        if not entry.reason.strip().endswith("."):
            raise CourseError(f"{assignment.name}/{FILE}: {entry.was!r} needs a sentence as its reason")
    return listed


def stale(entries: Iterable[Entry], made: Iterable[Mutant], killed: Iterable[Mutant]) -> list[str]:
    """What no longer applies, a sentence each.

    Args:
        entries: what is listed as right.
        made: all mutants that can be made of the exercises.
        killed: those that a check has noticed.
    """
    there, noticed = ({name for mutant in mutants for name in names(mutant)} for mutants in (made, killed))
    found = []
    for entry in entries:
        for becomes in entry.becomes:
            name = entry.exercise, entry.was, becomes
            if name not in there:
                found.append(f"{entry.exercise}: nothing changes {entry.was!r} to {becomes!r} any more")
            elif name in noticed:
                found.append(f"{entry.exercise}: a check notices {becomes!r} in the place of {entry.was!r}")
    return found


def _entry(table: dict[str, Any]) -> Entry:
    return Entry(**{**table, "becomes": tuple(table["becomes"])})
