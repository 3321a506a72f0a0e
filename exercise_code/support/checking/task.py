"""What an exercise asks for, how long it takes, and where it is to be written."""

import ast
import html
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from exercise_code.support.checking import exercise_source
from exercise_code.support.checking.assignment import AssignmentError, all_folders, read_assignment
from exercise_code.support.checking.headings import Heading, headings
from exercise_code.support.checking.run_check import EXERCISES

STYLE = """
<style>
.workbook-task {font: 13px/1.5 system-ui, sans-serif; max-width: 60em; margin: .4em 0}
.workbook-task pre {white-space: pre-wrap; margin: .4em 0 0; padding: 0 0 0 .8em;
  border-left: 3px solid #8886; background: none; color: inherit}
.workbook-task p {margin: 0; line-height: inherit}
.workbook-task summary {cursor: pointer}
</style>
"""


@dataclass(frozen=True)
class Task:
    """An exercise that shows itself: what its docstring asks for, and a link to its file.

    Attributes:
        signature: the first line of the function, without its annotations of types.
        docstring: what it asks for.
        path: its file.
        line: where the function begins.
        minutes: that it takes; 0 where the notebook does not say.
    """

    signature: str
    docstring: str
    path: Path
    line: int
    minutes: int

    @property
    def _place(self) -> str:
        return f"{self.path.relative_to(EXERCISES.parent).as_posix()}, line {self.line}"

    @property
    def _time(self) -> str:
        return f" · about {self.minutes} minutes" if self.minutes else ""

    def __repr__(self) -> str:
        return f"{self._place}{self._time}\n{self.signature}\n\n{self.docstring}"

    def _repr_html_(self) -> str:
        link = html.escape(Path(os.path.relpath(self.path)).as_posix())
        place = f'<p><a href="{link}">{self._place}</a>{self._time}</p>'
        return f'{STYLE}<div class="workbook-task">{place}{self._asked()}</div>'

    def to_html(self) -> str:
        """The same for below the line that names its file: folded."""
        summary = f"<summary>what it asks for{self._time}</summary>"
        return f'{STYLE}<details class="workbook-task">{summary}{self._asked()}</details>'

    def _asked(self) -> str:
        return f"<p><code>{html.escape(self.signature)}</code></p><pre>{html.escape(self.docstring)}</pre>"


def task(exercise: str) -> Task:
    """What an exercise asks for, how long it takes, and where it is to be written.

    Args:
        exercise: its name as checks write it (`knn.predict_labels`).

    Raises:
        AssignmentError: there is no such function, or its file cannot be read.
    """
    for folder in all_folders():
        assignment = read_assignment(folder)
        if any(check.exercise == exercise for check in assignment.checks):
            return task_of(exercise, headings(assignment))
    return task_of(exercise, ())


def task_of(exercise: str, known: Iterable[Heading]) -> Task:
    """The same where the headings of its assignment are at hand.

    Raises:
        AssignmentError: there is no such function, or its file cannot be read.
    """
    try:
        path, qualname = exercise_source.locate(exercise, EXERCISES)
    except FileNotFoundError as error:
        raise AssignmentError(str(error)) from None
    function = exercise_source.read_exercise(exercise, EXERCISES)
    if function is None:
        raise AssignmentError(f"{path.name} has no function {qualname}, or is not Python")
    signature, docstring = f"{qualname}({_arguments(function)})", ast.get_docstring(function) or ""
    minutes = next((each.minutes for each in known if each.is_of(exercise)), 0)
    return Task(signature, docstring, path, function.lineno, minutes)


def _arguments(function: ast.FunctionDef) -> str:
    bare = cast(ast.FunctionDef, ast.parse(ast.unparse(function)).body[0]).args
    for node in ast.walk(bare):
        if isinstance(node, ast.arg):
            node.annotation = None
    return ast.unparse(bare)
