"""Mutants that are right, and rewrites that are not: `equivalent_mutants.toml` in an assignment's folder.

Each entry has a sentence as its reason. A table `equivalent` lists a mutant that is right as well; a table
`wrong` a rewrite that breaks what the exercise asks, such as a copy where the argument itself is due.
"""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass

from exercise_code.support.checking.assignment import Assignment
from grading.course import CourseError
from grading.mutants.make import Mutant

FILE = "equivalent_mutants.toml"


@dataclass(frozen=True)
class Entry:
    """Lines of an exercise, what they may also be, and why that is right as well."""

    exercise: str
    was: str
    becomes: tuple[str, ...]
    reason: str

    def covers(self, mutant: Mutant) -> bool:
        """Whether a mutant is one of those."""
        was, becomes = mutant.change
        return self.exercise == mutant.exercise and self.was == was and becomes in self.becomes


def read_entries(assignment: Assignment, kind: str = "equivalent") -> list[Entry]:
    """The entries of one kind, `equivalent` or `wrong`, of an assignment; none where there is no file.

    Raises:
        CourseError: it cannot be read, or an entry has other keys, or no reason.
    """
    path = assignment.folder / FILE
    if not path.exists():
        return []
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8")).get(kind, [])
        entries = [Entry(**{**table, "becomes": tuple(table["becomes"])}) for table in tables]
    except (OSError, tomllib.TOMLDecodeError, TypeError, KeyError) as error:
        raise CourseError(f"{assignment.name}/{FILE}: {error}") from None
    if unreasoned := [entry for entry in entries if not entry.reason.strip().endswith(".")]:
        raise CourseError(f"{assignment.name}/{FILE}: {unreasoned[0].was!r} needs a sentence as its reason")
    return entries


def stale(entries: Iterable[Entry], mutants: Iterable[Mutant], killed: Iterable[Mutant]) -> list[str]:
    """What no longer applies, a sentence each.

    Args:
        entries: what is listed.
        mutants: all that can be made of the exercises.
        killed: those that a check has noticed.
    """
    made = {(mutant.exercise, *mutant.change) for mutant in mutants}
    noticed = {(mutant.exercise, *mutant.change) for mutant in killed}
    found = []
    for entry in entries:
        for becomes in entry.becomes:
            name = entry.exercise, entry.was, becomes
            if name not in made:
                found.append(f"{entry.exercise}: nothing changes {entry.was!r} to {becomes!r} any more")
            elif name in noticed:
                found.append(f"{entry.exercise}: a check notices {becomes!r} in the place of {entry.was!r}")
    return found
