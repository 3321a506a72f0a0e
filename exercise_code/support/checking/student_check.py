"""Check one's own functions, from a notebook or a terminal."""

import ast
import functools
from dataclasses import dataclass
from pathlib import Path

from exercise_code.support.checking import exercise_source
from exercise_code.support.checking.answers import Answers, make_answers
from exercise_code.support.checking.assignment import (
    Assignment,
    AssignmentError,
    all_folders,
    read_assignment,
)
from exercise_code.support.checking.declare import Check
from exercise_code.support.checking.evidence import Evidence
from exercise_code.support.checking.judge import Verdict, block, judge
from exercise_code.support.checking.render import to_mime, to_text
from exercise_code.support.checking.run_check import EXERCISES, gather

VISIBLE_SEED = 0


@dataclass
class Verdicts:
    """Verdicts that show themselves: a table in a notebook, text in a terminal.

    Their plain form in a notebook is the number of points alone, which is what nbgrader reads.
    """

    verdicts: list[Verdict]

    @property
    def points(self) -> float:
        """Points of all of them together."""
        return sum(verdict.points for verdict in self.verdicts)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, object]:
        return to_mime(self.verdicts, self.points)

    def __repr__(self) -> str:
        return to_text(self.verdicts)


def check(name: str) -> Verdicts:
    """Check what is written so far.

    Args:
        name: an assignment (`a01`), a module (`knn`), an exercise (`knn.predict_labels`) or one check of it.

    Returns:
        The verdicts, which a notebook shows as a table.

    Raises:
        AssignmentError: nothing has that name.
    """
    assignment, wanted = _find(name)
    return Verdicts(verdicts_on(assignment, wanted))


def verdicts_on(assignment: Assignment, wanted: list[Check]) -> list[Verdict]:
    """Run checks on the functions as they are now, and judge them.

    Raises:
        AssignmentError: the assignment's answers are missing or damaged.
    """
    answers = _answers(assignment)

    def verdict(check: Check) -> Verdict:
        evidence = _unreadable(check) or gather(check, answers.seed, answers.held_out)
        function = exercise_source.read_exercise(check.exercise, EXERCISES)
        return judge(check, evidence, answers.reference[check.id], function, answers.mistakes)

    verdicts = [verdict(check) for check in wanted]
    used = {
        name for check, found in zip(wanted, verdicts, strict=True) if found.faults for name in check.uses
    }
    below = [check for check in assignment.checks if check.exercise in used and check not in wanted]
    block([*verdicts, *map(verdict, below)], assignment.checks)
    return verdicts


def _find(name: str) -> tuple[Assignment, list[Check]]:
    assignments = [read_assignment(folder) for folder in all_folders()]
    for assignment in assignments:
        if assignment.name == name or assignment.name.startswith(f"{name}_"):
            return assignment, assignment.checks
        wanted = [
            check for check in assignment.checks if f"{check.id}.".replace(":", ".").startswith(f"{name}.")
        ]
        exact = [check for check in assignment.checks if check.id == name and ":" in name]
        if wanted or exact:
            return assignment, exact or wanted
    exercises = sorted({check.exercise for assignment in assignments for check in assignment.checks})
    raise AssignmentError(f"nothing is called {name!r}; there are the exercises {', '.join(exercises)}")


def _unreadable(check: Check) -> Evidence | None:
    try:
        path, _ = exercise_source.locate(check.exercise, EXERCISES)
        ast.parse(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        return Evidence(check.id, problem=("error", str(error)))
    except SyntaxError as error:
        return Evidence(check.id, problem=("error", f"{path.name}, line {error.lineno}: {error.msg}"))
    except UnicodeDecodeError:
        return Evidence(
            check.id, problem=("error", f"{path.name} is not text in UTF-8: save it again as UTF-8")
        )
    return None


def _answers(assignment: Assignment) -> Answers:
    path = assignment.answers_path
    if path.exists():
        return _load_answers(path, path.stat().st_mtime_ns)
    if not assignment.mistakes:
        raise AssignmentError(f"{path.name} is missing in {assignment.name}: download the assignment again")
    return _own_answers(assignment.folder)


@functools.lru_cache
def _load_answers(path: Path, changed: int) -> Answers:
    try:
        return Answers.load(path)
    except ValueError as error:
        raise AssignmentError(
            f"{path.name} of {path.parent.name}: {error}; download the assignment again"
        ) from None


@functools.lru_cache
def _own_answers(folder: Path) -> Answers:
    assignment = read_assignment(folder)
    return make_answers(assignment.checks, assignment.mistakes, VISIBLE_SEED)
