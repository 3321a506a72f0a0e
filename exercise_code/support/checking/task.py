"""What an exercise asks for, and where it is to be written."""

import ast
import html
import os
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from exercise_code.support.checking import exercise_source
from exercise_code.support.checking.assignment import AssignmentError
from exercise_code.support.checking.run_check import EXERCISES


@dataclass(frozen=True)
class Task:
    """An exercise that shows itself: its first line and purpose, and a link to its file.

    Attributes:
        signature: the first line of the function, without its annotations of types.
        purpose: the first line of its docstring.
        path: its file.
        line: where the function begins.
    """

    signature: str
    purpose: str
    path: Path
    line: int

    @property
    def _place(self) -> str:
        return f"{self.path.relative_to(EXERCISES.parent).as_posix()}, line {self.line}"

    def __repr__(self) -> str:
        return f"{self._place}: {self.signature}\n{self.purpose}"

    def _repr_html_(self) -> str:
        link = Path(os.path.relpath(self.path)).as_posix()
        return (
            f'<a href="{html.escape(link)}">{self._place}</a>: <code>{html.escape(self.signature)}</code>'
            f"<br>{html.escape(self.purpose)}"
        )


def task(exercise: str) -> Task:
    """What an exercise asks for, and where it is to be written.

    Args:
        exercise: its name as checks write it (`knn.predict_labels`).

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
    purpose = (ast.get_docstring(function) or "").partition("\n")[0]
    return Task(f"{qualname}({_arguments(function)})", purpose, path, function.lineno)


def place_of_work(exercise: str, function: ast.FunctionDef) -> str:
    """Where an exercise is to be written: its file, and the line of the stub's last statement."""
    return f"{EXERCISES.name}/{exercise_source.place_of(exercise)[0]}, line {function.body[-1].lineno}"


def _arguments(function: ast.FunctionDef) -> str:
    bare = cast(ast.FunctionDef, ast.parse(ast.unparse(function)).body[0]).args
    for node in ast.walk(bare):
        if isinstance(node, ast.arg):
            node.annotation = None
    return ast.unparse(bare)
