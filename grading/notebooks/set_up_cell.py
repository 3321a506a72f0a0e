"""The first code cell of every notebook; `workbook format` writes it."""

from pathlib import Path
from string import Template

import nbformat

from exercise_code.support.checking.assignment import Assignment

TEMPLATE = Path(__file__).with_suffix(".py.txt")
CELL = "setup"
"""Its id."""


def set_up_cell(assignment: Assignment) -> str:
    """The cell's text for the notebooks of an assignment; the address of the course comes with a release."""
    template = Template(TEMPLATE.read_text(encoding="utf-8").rstrip())
    return template.substitute(assignment=assignment.short)


def write_set_up_cell(notebook: nbformat.NotebookNode, assignment: Assignment) -> None:
    """Write the cell into a notebook of an assignment, in place of the one with its id or after the title."""
    if not any(cell.id == CELL for cell in notebook.cells):
        notebook.cells.insert(1, nbformat.v4.new_code_cell(id=CELL))
    for cell in notebook.cells:
        if cell.id == CELL:
            cell.source = set_up_cell(assignment)
