"""The first code cell of every notebook; `python -m grading.notebooks.set_up_cell` writes it into all."""

from pathlib import Path
from string import Template

import nbformat

from exercise_code.support.checking.assignment import Assignment, all_folders, read_assignment

TEMPLATE = Path(__file__).with_suffix(".py.txt")
CELL = "setup"
"""Its id."""


def set_up_cell(assignment: Assignment) -> str:
    """The cell's text for the notebooks of an assignment; the address of the course comes with a release."""
    template = Template(TEMPLATE.read_text(encoding="utf-8").rstrip())
    return template.substitute(assignment=assignment.short)


def write_set_up_cells(assignment: Assignment) -> None:
    """Write the cell into the notebooks of an assignment, in place of the one with its id."""
    for name in assignment.notebooks:
        path = assignment.folder / name
        notebook = nbformat.read(path, as_version=nbformat.NO_CONVERT)
        for cell in notebook.cells:
            if cell.id == CELL:
                cell.source = set_up_cell(assignment)
        nbformat.write(notebook, path)


if __name__ == "__main__":
    for folder in all_folders():
        write_set_up_cells(read_assignment(folder))
