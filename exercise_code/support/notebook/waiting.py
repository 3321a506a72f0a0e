"""A cell that waits for an unwritten exercise says so in one line, and so does every cell that needs it."""

import symtable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from exercise_code.support.checking import run_check
from exercise_code.support.devices import pretended
from exercise_code.support.paths import ROOT


@dataclass
class Waiting:
    """What the cells that have not come to their end would have made, and what they wait for.

    Attributes:
        made_by: for each such name the exercise, where it is to be written, and the number of the cell.
        source: the cell that runs.
        reason: the exercise that it waits for, and where that is to be written.
    """

    made_by: dict[str, tuple[str, str, int]] = field(default_factory=dict)
    source: str = ""
    reason: tuple[str, str] | None = None

    def before_cell(self, source: str) -> None:
        """Note what is about to run, without IPython's own commands."""
        self.source, self.reason = source, None

    def after_cell(self, success: bool, number: int) -> None:
        """Note what a cell of that number would have made, or forget what it has made after all."""
        for name in _made(self.source):
            if success:
                self.made_by.pop(name, None)
            elif self.reason:
                self.made_by[name] = (*self.reason, number)

    def explain(self, error: BaseException, trace: TracebackType | None) -> str:
        """One line where a cell has failed for want of an exercise; empty where it has not.

        Args:
            error: what ended the cell.
            trace: its traceback.
        """
        place = pretended.locate(error.with_traceback(trace), run_check.is_students)
        if place and (exercise := run_check.unwritten(error)):
            file = f"{Path(place.filename).resolve().relative_to(ROOT).as_posix()}, line {place.line}"
            line = f"{exercise} is not written yet: {file}"
        else:
            culprit, own = getattr(error, "name", None), _made(self.source)
            read = [name for name in _read(self.source) if name == culprit or name not in own]
            needed = [name for name in read if name in self.made_by]
            needed.sort(key=lambda name: (name == culprit, self.made_by[name][2]))
            unheard_of = type(error) is NameError and culprit not in self.made_by
            if place or unheard_of or isinstance(error, ImportError) or not needed:
                return ""
            exercise, file, cell = self.made_by[needed[-1]]
            line = f"needs {needed[-1]} of cell [{cell}]: write {exercise} ({file}), then run that cell again"
        self.reason = exercise, file
        return line

    def show(self, shell: Any, kind: type, error: BaseException, trace: Any, tb_offset: Any = None) -> None:
        """IPython's handler of errors: that line as the error, else the usual traceback."""
        if line := self.explain(error, trace):
            shell._showtraceback(kind, error, [line])  # an error output, so that the cell counts as failed
        else:
            shell.showtraceback((kind, error, trace), tb_offset=tb_offset, running_compiled_code=True)


def _tables(source: str) -> list[symtable.SymbolTable]:
    """The names of a cell, scope by scope, its own first; none where it is not Python."""
    try:
        tables = [symtable.symtable(source, "cell", "exec")]
    except SyntaxError:
        return []
    for table in tables:
        tables += table.get_children()
    return tables


def _made(source: str) -> list[str]:
    """What a cell assigns, defines or imports."""
    symbols = [symbol for table in _tables(source)[:1] for symbol in table.get_symbols()]
    return [symbol.get_name() for symbol in symbols if symbol.is_assigned() or symbol.is_imported()]


def _read(source: str) -> list[str]:
    """What a cell reads, in its functions too."""
    symbols = [symbol for table in _tables(source) for symbol in table.get_symbols() if symbol.is_global()]
    return [symbol.get_name() for symbol in symbols if symbol.is_referenced()]
