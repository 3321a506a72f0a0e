"""How far one has come: exercises done, wrong and to do, the minutes left, and where to go on."""

import html
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote

from rich.console import Console
from rich.table import Table
from rich.text import Text

from exercise_code.support.checking.assignment import (
    Assignment,
    all_folders,
    find_assignment,
    read_assignment,
)
from exercise_code.support.checking.headings import DEEP_END, headings
from exercise_code.support.checking.render import COLOURS, WRONG, plain
from exercise_code.support.checking.student_check import checked
from exercise_code.support.edition import hash_file
from exercise_code.support.paths import ROOT
from exercise_code.support.reveal import revealed

REVEALED = " · solution shown"
MEMORY = ROOT / ".progress.json"
"""States by assignment, and what they were found on."""
DONE, WRONG_ONE, TO_DO = "done", "wrong", "to do"
TONES = {DONE: COLOURS["ok"], WRONG_ONE: WRONG, TO_DO: COLOURS["to do"]}

STYLE = f"""
<style>
.workbook-progress {{font: 13px/1.6 system-ui, sans-serif; max-width: 60em; margin: .4em 0; display: grid;
  grid-template-columns: fit-content(30%) minmax(0, 1fr) fit-content(25%); align-items: baseline}}
.workbook-progress > div {{display: contents}}
.workbook-progress > div > * {{border-top: 1px solid #8884; padding: .35em 1.2em .35em 0;
  align-self: stretch}}
.workbook-progress .bar {{display: flex; gap: 2px; height: .5em; max-width: 20em; margin: .3em 0}}
.workbook-progress .bar i {{border-radius: 2px}}
.workbook-progress .done {{background: {TONES[DONE]}}}
.workbook-progress .wrong {{background: {TONES[WRONG_ONE]}}}
.workbook-progress i.todo {{background: #8886}}
.workbook-progress b.state {{place-self: start; padding: 0 .5em; border-radius: .3em; color: #fff;
  border: 0; margin: .35em .7em .35em 0; white-space: nowrap}}
.workbook-progress b.todo {{background: {TONES[TO_DO]}}}
.workbook-progress a {{color: inherit; overflow-wrap: anywhere}}
.workbook-progress .right {{text-align: right}}
</style>
"""


@dataclass(frozen=True)
class Exercise:
    """One exercise of a notebook.

    Attributes:
        title: number and name, as in its heading; the name alone where that is lost.
        minutes: that it takes; 0 where the notebook does not say.
        state: done, wrong or to do.
        notebook: where it is, as a path below the project's root.
        cell: id of the cell with its heading; empty where the notebook has lost it.
        core: whether it is on the core path.
        revealed: whether its solution was shown.
    """

    title: str
    minutes: int
    state: str
    notebook: str
    cell: str
    core: bool = True
    revealed: bool = False

    @property
    def label(self) -> str:
        """The title, whether it lies at the deep end, and whether its solution was shown."""
        return f"{self.title}{'' if self.core else DEEP_END}{REVEALED if self.revealed else ''}"

    @property
    def link(self) -> str:
        """Leads to the cell, from the folder that a notebook works in."""
        path = quote(Path(os.path.relpath(ROOT / self.notebook)).as_posix())
        return f"{path}#cell-id={quote(self.cell)}" if self.cell else path


@dataclass(frozen=True)
class Progress:
    """The exercises of some assignments; a table in a notebook, text in a terminal.

    One assignment is shown exercise by exercise, several by their counts.
    """

    exercises: dict[str, list[Exercise]]

    def to_text(self, console: Console) -> None:
        """Print it."""
        console.print(self._table())

    def _table(self) -> Table:
        table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
        for name, exercises in self.exercises.items():
            if len(self.exercises) == 1:
                for each in exercises:
                    minutes = f"{each.minutes} minutes" if each.state != DONE else ""
                    table.add_row(Text(each.state, TONES[each.state]), Text(each.label), minutes)
            parts = Text("  ").join(
                Text(f"{_count(exercises, state)} {state}", tone) for state, tone in TONES.items()
            )
            table.add_row(Text(name, "bold"), parts.append(_shown(exercises)), _left(exercises))
            if (following := _next(exercises)) is not None:
                table.add_row("", Text(f"go on: {following.title}\n{following.notebook}"), "")
        return table

    def __repr__(self) -> str:
        return plain(self._table())

    def _repr_html_(self) -> str:
        rows = [row for name, exercises in self.exercises.items() for row in self._rows(name, exercises)]
        return f'{STYLE}<div class="workbook-progress" role="table">{"".join(rows)}</div>'

    def _rows(self, name: str, exercises: list[Exercise]) -> Iterator[str]:
        if len(self.exercises) == 1:
            for each in exercises:
                tone = each.state.replace(" ", "")
                minutes = f"{each.minutes} minutes" if each.state != DONE else ""
                yield (
                    f'<div role="row"><b role="cell" class="state {tone}">{each.state}</b>'
                    f'<span role="cell">{_linked(each)}</span>'
                    f'<span role="cell" class="right">{minutes}</span></div>'
                )
        counts = {state: _count(exercises, state) for state in TONES}
        words = ", ".join(f"{number} {state}" for state, number in counts.items()) + _shown(exercises)
        bar = "".join(
            f'<i class="{state.replace(" ", "")}" style="flex: {number}"></i>'
            for state, number in counts.items()
            if number
        )
        following = _next(exercises)
        onward = f"Go on: {_linked(following)}" if following else ""
        yield (
            f'<div role="row"><b role="cell">{html.escape(name)}</b>'
            f'<span role="cell">{words}<span class="bar" role="img" aria-label="{words}">{bar}</span>'
            f'{onward}</span><span role="cell" class="right">{_left(exercises)}</span></div>'
        )


def progress(name: str = "") -> Progress:
    """Say how far one has come; checks run only where something has changed since.

    Args:
        name: an assignment (`a01`); all that are here if not given.

    Raises:
        AssignmentError: there is no such assignment, or its answers are missing or damaged.
    """
    found = [find_assignment(name)] if name else map(read_assignment, all_folders())
    return Progress({assignment.name: _exercises(assignment) for assignment in found})


def _exercises(assignment: Assignment) -> list[Exercise]:
    """In the order of the notebooks; what they have lost comes last."""
    found, left, seen = [], _states(assignment), revealed()
    for each in headings(assignment):
        for name in each.names:
            for exercise in [exercise for exercise in left if exercise.endswith(f".{name}")]:
                title, state = f"{each.number} · {name}", left.pop(exercise)
                place = each.notebook, each.cell
                found.append(Exercise(title, each.minutes, state, *place, each.core, exercise in seen))
    lost = assignment.notebook_paths[0]
    return found + [
        Exercise(exercise, 0, state, lost, "", revealed=exercise in seen) for exercise, state in left.items()
    ]


def _states(assignment: Assignment) -> dict[str, str]:
    """States by exercise, remembered for as long as nothing that they depend on changes."""
    try:
        memory = json.loads(MEMORY.read_text(encoding="utf-8"))
        known = memory.get(assignment.name, {})
    except (OSError, ValueError, AttributeError):
        memory, known = {}, {}
    found_on = _hash(assignment)
    if known.get("found_on") == found_on:
        remembered: dict[str, str] = known["states"]
        return remembered
    statuses: dict[str, set[str]] = {}
    for verdict in checked(assignment, assignment.checks).verdicts:
        statuses.setdefault(verdict.exercise, set()).add(verdict.status)
    states = {exercise: _state(each) for exercise, each in statuses.items()}
    memory[assignment.name] = {"found_on": found_on, "states": states}
    MEMORY.write_text(json.dumps(memory), encoding="utf-8")
    return states


def _state(statuses: set[str]) -> str:
    if statuses == {"passed"}:
        return DONE
    return TO_DO if statuses <= {"passed", "not_written", "blocked"} else WRONG_ONE


def _hash(assignment: Assignment) -> str:
    """Names all that the verdicts depend on: modules and saved models, the checks, the engine."""
    folders = [ROOT / "exercise_code/support", assignment.folder]
    files = {path for folder in folders for path in folder.rglob("*.py")} | {assignment.answers_path}
    files |= {
        ROOT / name for each in (assignment, *assignment.earlier) for name in (*each.largest, *each.given)
    }
    return sha256("\n".join(f"{path} {hash_file(path)}" for path in sorted(files)).encode()).hexdigest()


def _count(exercises: list[Exercise], state: str) -> int:
    return sum(each.state == state for each in exercises)


def _shown(exercises: list[Exercise]) -> str:
    """How many solutions were shown; empty where none was."""
    number = sum(each.revealed for each in exercises)
    return f", {number} solution{'s' if number > 1 else ''} shown" if number else ""


def _left(exercises: list[Exercise]) -> str:
    minutes = sum(each.minutes for each in exercises if each.state != DONE)
    core = sum(each.minutes for each in exercises if each.state != DONE and each.core)
    if core == minutes:
        return f"about {minutes} minutes left" if minutes else ""
    return f"about {core} minutes left on the core path, {minutes} in all"


def _next(exercises: list[Exercise]) -> Exercise | None:
    """The first that is left of the core path; of the deep end where the core path is done."""
    left = [each for each in exercises if each.state != DONE]
    return min(left, key=lambda each: not each.core, default=None)


def _linked(exercise: Exercise) -> str:
    return f'<a href="{html.escape(exercise.link)}">{html.escape(exercise.label)}</a>'
