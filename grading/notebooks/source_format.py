"""How a source notebook is stored, so that a diff of it reads.

One line of text a line, sorted keys, no outputs, and no metadata but nbgrader's and the language; cells that
reveal are folded. `workbook format` stores notebooks so.
"""

import re

import nbformat

from exercise_code.support.checking.assignment import Assignment
from grading.course import CourseError
from grading.notebooks.glossary import write_glossary_cell
from grading.notebooks.set_up_cell import write_set_up_cell

METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
KEPT = ("nbgrader",)
"""What of a cell's metadata says something that its text does not."""
FOLDED = {"cellView": "form", "jupyter": {"source_hidden": True}}
"""Hides a cell's source, in Colab and in Jupyter: what measures the answer to a question may also tell it."""


def formatted(text: str) -> str:
    """The same notebook as it is to be stored."""
    notebook = nbformat.reads(text, as_version=4)
    notebook.metadata = METADATA
    for cell in notebook.cells:
        cell.metadata = {key: cell.metadata[key] for key in KEPT if key in cell.metadata}
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
            if re.search(r"^ *reveal\(", cell.source, re.MULTILINE):
                cell.metadata |= FOLDED
    return f"{nbformat.writes(notebook)}\n"


def format_notebooks(assignment: Assignment) -> None:
    """Write the set-up cell and the glossary into an assignment's notebooks, and store them in their form."""
    for name in assignment.notebooks:
        path = assignment.folder / name
        try:
            notebook = nbformat.reads(path.read_text(encoding="utf-8"), as_version=4)
            write_set_up_cell(notebook, assignment)
            write_glossary_cell(notebook, assignment, name)
            text = formatted(nbformat.writes(notebook))
        except (ValueError, KeyError, AttributeError, nbformat.ValidationError) as error:
            raise CourseError(f"{path.name} of {assignment.name} is no notebook: {error}") from None
        path.write_text(text, encoding="utf-8")
