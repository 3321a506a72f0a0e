"""Check one's own functions, from a notebook or a terminal."""

import ast
import functools
import inspect
import sys
import time
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from exercise_code.support.checking import exercise_source
from exercise_code.support.checking.answers import Answers, known_mistakes, make_answers
from exercise_code.support.checking.as_they_come import Tell, rows_as_they_come
from exercise_code.support.checking.assignment import (
    Assignment,
    AssignmentError,
    all_folders,
    find_assignment,
    meant_by,
    read_assignment,
)
from exercise_code.support.checking.declare import Check, StandIn
from exercise_code.support.checking.evidence import Evidence
from exercise_code.support.checking.follow_through import (
    block,
    follow_through,
    foundations,
    with_their_family,
)
from exercise_code.support.checking.headings import headings
from exercise_code.support.checking.judge import NOT_WRITTEN, KnownMistake, Verdict, judge
from exercise_code.support.checking.reloading import modules
from exercise_code.support.checking.render import Drawn, to_mime, to_text
from exercise_code.support.checking.replace import in_place, keep_in_place, lifted, takes
from exercise_code.support.checking.run_check import EXERCISES, gather, place_in
from exercise_code.support.checking.task import task_of
from exercise_code.support.checking.time_limit import TooSlow, at_most
from exercise_code.support.reveal import note_tries

VISIBLE_SEED = 0


@dataclass
class Verdicts:
    """Verdicts that show themselves: a table in a notebook, text in a terminal.

    `notes` say which functions of earlier assignments a stand-in has replaced; `drawn` shows in a notebook
    what came beside what was expected, or what is asked for.
    Their plain form in a notebook is the number of points alone, which is what nbgrader reads.
    """

    verdicts: list[Verdict]
    notes: list[str] = field(default_factory=list)
    drawn: dict[str, Drawn] = field(default_factory=dict)

    @property
    def points(self) -> float:
        """Points of all of them together."""
        return sum(verdict.points for verdict in self.verdicts)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return to_mime(self.verdicts, self.points, self.notes, self.drawn)

    def __repr__(self) -> str:
        return to_text(self.verdicts, notes=self.notes)


def check(name: str) -> Verdicts:
    """Check what is written so far.

    Args:
        name: an assignment (`a01`), a module (`knn`), an exercise (`knn.predict_labels`) or one check of it.

    Returns:
        The verdicts, which a notebook shows as a table.

    Raises:
        AssignmentError: nothing has that name.
    """
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    modules.refresh(*[shell.user_ns] if shell else [])
    assignment, wanted = _find(name)
    with rows_as_they_come() as tell:
        found = checked(assignment, wanted, tell)
    note_tries(assignment, found.verdicts)
    return found


def checked(
    assignment: Assignment, wanted: list[Check], tell: Tell = lambda verdicts, running: None
) -> Verdicts:
    """Run checks on the functions as they are now, and judge them.

    What earlier assignments ask for and is not right yet is left to stand-ins.

    Args:
        assignment: whose checks they are.
        wanted: the checks.
        tell: is told before each check the verdicts so far, and the check's name.

    Raises:
        AssignmentError: the assignment's answers are missing or damaged.
    """
    every = [*assignment.checks, *(check for each in assignment.earlier for check in each.checks)]
    needed = frozenset(name for check in wanted for name in foundations(check, every))
    with lifted():
        stand_ins, notes = _in_the_place_of(assignment, needed)
        with in_place(stand_ins):
            verdicts, drawn = _verdicts(assignment, wanted, tell)
            return Verdicts(verdicts, notes, drawn)


def build_on(name: str) -> str:
    """Use what an assignment and those before it build, with stand-ins where that is not right.

    It holds until the next call.

    Args:
        name: the assignment (`a03`) whose functions are needed.

    Returns:
        What a stand-in replaces, in a sentence for each assignment.

    Raises:
        AssignmentError: there is no such assignment.
    """
    assignment = find_assignment(name)
    keep_in_place([])
    stand_ins, notes = _in_the_place_of(assignment, None)
    own, own_notes = _replacing(assignment, frozenset(check.exercise for check in assignment.checks))
    keep_in_place([*stand_ins, *own])
    return " ".join([*notes, *own_notes]) or f"What {assignment.short} builds is right: it is used here."


def _in_the_place_of(
    assignment: Assignment, needed: frozenset[str] | None
) -> tuple[list[StandIn], list[str]]:
    """Stand-ins for what is not right in earlier assignments, and which these are in sentences."""
    found: list[StandIn] = []
    notes: list[str] = []
    for earlier in assignment.earlier:
        own = frozenset(check.exercise for check in earlier.checks)
        stand_ins, said = _replacing(earlier, own if needed is None else own & needed)
        found += stand_ins
        notes += said
    return found, notes


def _replacing(assignment: Assignment, needed: frozenset[str]) -> tuple[list[StandIn], list[str]]:
    """Stand-ins for what is not right of the exercises that are needed, and a sentence about them."""
    there = {each.exercise: each for each in assignment.stand_ins if takes(each)}
    wrong = [name for name in _not_right(assignment.folder, needed, _state_of(assignment)) if name in there]
    if not wrong:
        return [], []
    names = " and ".join(map(exercise_source.short_name, wrong))
    one = len(wrong) == 1
    sentence = (
        f"{names} of {assignment.short} {'is' if one else 'are'} not right yet: "
        f"{'a stand-in takes its' if one else 'stand-ins take their'} place here."
    )
    return [there[name] for name in with_their_family(wrong, there)], [sentence]


@functools.lru_cache
def _not_right(folder: Path, needed: frozenset[str], state: str) -> list[str]:
    """Which exercises do not pass their checks, as long as the files are in this state."""
    assignment = read_assignment(folder)
    wanted = [check for check in assignment.checks if check.exercise in needed and check.target is None]
    verdicts = checked(assignment, wanted).verdicts if wanted else []
    return [*dict.fromkeys(verdict.exercise for verdict in verdicts if verdict.status != "passed")]


def _state_of(assignment: Assignment) -> str:
    """Names the content of the files that students write, earlier assignments' included."""
    files = [EXERCISES.parent / name for each in (*assignment.earlier, assignment) for name in each.editable]
    contents = [path.read_bytes() if path.is_file() else b"" for path in files]
    return sha256(b"".join(sha256(content).digest() for content in contents)).hexdigest()


def _verdicts(
    assignment: Assignment, wanted: list[Check], tell: Tell
) -> tuple[list[Verdict], dict[str, Drawn]]:
    """Verdicts of checks on the functions as they are now, blocked ones with stand-ins; and what is drawn."""
    answers = _answers(assignment)
    by_id = {check.id: check for check in assignment.checks}
    stand_ins = {each.exercise: each for each in assignment.stand_ins}
    ends = time.monotonic() + assignment.limits.seconds_per_submission
    so_far: list[Verdict] = []
    drawn: dict[str, Drawn] = {}
    known = functools.cache(lambda: [*headings(assignment)])

    def verdict(check: Check) -> Verdict:
        tell(so_far, check.id)
        evidence = _unreadable(check) or _pasted(check) or _gather(check, answers, assignment, ends)
        function = exercise_source.read_exercise(check.exercise, EXERCISES)
        mistakes = _mistakes(assignment, check.exercise)
        judged = judge(check, evidence, answers.reference[check.id], function, mistakes)
        if judged.faults.get("state") == NOT_WRITTEN and function:
            judged.faults["state"] += (
                f": {_place_of_work(check.exercise, function)}{_elsewhere(check.exercise)}"
            )
            if "ipykernel" in sys.modules and all(each.exercise != check.exercise for each in so_far):
                drawn[check.id] = task_of(check.exercise, known())
        if "answer" in judged.faults and "ipykernel" in sys.modules:
            from exercise_code.support.checking.tensor_pictures import smallest  # not needed to judge

            if panel := smallest(check, answers.reference[check.id], evidence):
                drawn[check.id] = panel
        so_far.append(judged)
        return judged

    def rerun(replaced: dict[str, list[str]]) -> dict[str, Verdict]:
        found = {}
        for id, names in replaced.items():
            if all(takes(stand_ins[name]) for name in names):
                with in_place(stand_ins[name] for name in names):
                    found[id] = verdict(by_id[id])
        return found

    verdicts = [verdict(check) for check in wanted]
    used = {
        name
        for check, found in zip(wanted, verdicts, strict=True)
        if found.faults
        for name in foundations(check, assignment.checks)
    }
    below = [check for check in assignment.checks if check.exercise in used and check not in wanted]
    together = [*verdicts, *map(verdict, below)]
    block(together, assignment.checks)
    followed = follow_through(together, assignment.checks, stand_ins, rerun)
    return followed[: len(wanted)], drawn


def _gather(check: Check, answers: Answers, assignment: Assignment, ends: float) -> Evidence:
    """Run a check for as long as grading would, and no longer than until all time is over."""
    limits = assignment.limits
    left = min(limits.seconds_per_check, ends - time.monotonic())
    if left <= 0:
        over = f"not run: the {limits.seconds_per_submission:g} seconds for all checks are over"
        return Evidence(check.id, problem=("timeout", over))
    try:
        with at_most(left):
            return gather(check, answers.seed, answers.held_out)
    except TooSlow as error:
        reason = f"it took longer than {left:.0f} seconds{place_in(error)}"
        return Evidence(check.id, problem=("timeout", reason))


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
    owners = {check.exercise: assignment for assignment in assignments for check in assignment.checks}
    meant = [exercise for exercise in owners if exercise_source.short_name(exercise) == name]
    if len(meant) == 1:
        owner = owners[meant[0]]
        return owner, [check for check in owner.checks if check.exercise == meant[0]]
    if meant:
        raise AssignmentError(f"{name!r} is the name of several: write {' or '.join(map(repr, meant))}")
    there = [assignment.short for assignment in assignments]
    known = [*there, *(module for assignment in assignments for module in assignment.modules), *owners]
    raise AssignmentError(
        f"nothing is called {name!r}; there are the assignments {', '.join(there)}{meant_by(name, known)}"
    )


def _unreadable(check: Check) -> Evidence | None:
    """Why a check's modules are not what their files say, be it that these cannot be read."""
    try:
        path, _ = exercise_source.locate(check.exercise, EXERCISES)
        with tokenize.open(path) as file:
            ast.parse(file.read())
        faults = [modules.fault(_module_of(exercise)) for exercise in (check.exercise, *check.uses)]
        fault = next(filter(None, faults), "")
    except (FileNotFoundError, SyntaxError, ValueError) as error:
        match error:
            case FileNotFoundError():
                fault = str(error)
            case SyntaxError(lineno=int(line)):
                fault = f"{path.name}, line {line}: {error.msg}"
            case _:
                fault = f"{path.name} is not text in UTF-8: save it again as UTF-8"
    return Evidence(check.id, problem=("error", fault)) if fault else None


def _pasted(check: Check) -> Evidence | None:
    """Refuses what a notebook has put in the place of a module's function, since it is not handed in."""
    file, qualname = exercise_source.place_of(check.exercise)
    if not _is_of_notebook(sys.modules.get(_module_of(check.exercise)), qualname):
        return None
    sentence = (
        f"this is defined in the notebook, and only {EXERCISES.name}/{file} is handed in: write it there"
    )
    return Evidence(check.id, problem=("error", sentence))


def _module_of(exercise: str) -> str:
    """The full name of its module."""
    file, _ = exercise_source.place_of(exercise)
    return f"{EXERCISES.name}.{file.removesuffix('.py').replace('/', '.')}"


def _place_of_work(exercise: str, function: ast.FunctionDef) -> str:
    """Where an exercise is to be written: its file, and the line of the stub's last statement."""
    return f"{EXERCISES.name}/{exercise_source.place_of(exercise)[0]}, line {function.body[-1].lineno}"


def _elsewhere(exercise: str) -> str:
    """What to say of an unwritten exercise that the notebook defines."""
    there = _is_of_notebook(sys.modules["__main__"], exercise_source.short_name(exercise))
    return "; what the notebook defines is not handed in" if there else ""


def _is_of_notebook(owner: object, qualname: str) -> bool:
    found: Any = owner
    for part in qualname.split("."):
        found = getattr(found, part, None)
    return getattr(inspect.unwrap(found), "__module__", "") == "__main__"


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
    return make_answers(read_assignment(folder).checks, [], VISIBLE_SEED)


def _mistakes(assignment: Assignment, exercise: str) -> Iterator[KnownMistake]:
    """The known mistakes of an exercise, which take time only where the judge asks for them."""
    stored = assignment.answers_path.exists()
    yield from _answers(assignment).mistakes if stored else _own_mistakes(assignment.folder, exercise)


@functools.lru_cache
def _own_mistakes(folder: Path, exercise: str) -> list[KnownMistake]:
    assignment = read_assignment(folder)
    mistakes = [mistake for mistake in assignment.mistakes if mistake.exercise == exercise]
    return known_mistakes(assignment.checks, mistakes, VISIBLE_SEED, _own_answers(folder).reference)
