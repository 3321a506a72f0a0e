"""Students' notebooks without what a browser would run: nbgrader's pages show them as they are."""

import re
from collections.abc import Collection, Container

import bleach
import nbformat

from exercise_code.support.checking.assignment import Assignment
from grading.notebooks.nbgrader_course import grade_id_of

SHOWN = ("text/plain", "image/png", "image/jpeg")
"""Kinds of outputs that are data to a browser."""
TAG = re.compile("<[a-zA-Z/!?]")
SAFE_NAME = re.compile(r"[\w.:-]+")


def given_texts(assignment: Assignment) -> list[str]:
    """The markdown that every student's notebooks begin with: its HTML is the course's own."""
    notebooks = [nbformat.read(assignment.folder / name, as_version=4) for name in assignment.notebooks]
    cells = [cell for notebook in notebooks for cell in notebook.cells]
    return sorted({cell.source for cell in cells if cell.cell_type == "markdown"})


def clean(notebook: nbformat.NotebookNode, given: Collection[str], kept: Container[str] = ()) -> None:
    """Take out of a notebook what could run where it is shown.

    Args:
        notebook: is changed.
        given: texts of cells that stay as they are.
        kept: grade_ids of code cells whose outputs are the course's own.
    """
    known = ("kernelspec", "language_info")
    about = {name: notebook.metadata[name] for name in known if name in notebook.metadata}
    notebook.metadata = nbformat.from_dict(about)
    for cell in notebook.cells:
        ours = cell.cell_type == "code" and grade_id_of(cell) in kept
        if SAFE_NAME.fullmatch(grade_id_of(cell)):
            marks = {name: mark for name, mark in cell.metadata.nbgrader.items() if name != "comment"}
            cell.metadata = nbformat.from_dict({"nbgrader": marks})
        else:
            cell.metadata = nbformat.NotebookNode()
        if cell.cell_type != "code" and cell.source not in given:
            cell.source = _without_html(cell.source)
        elif cell.cell_type == "code" and not ours:
            for output in cell.outputs:
                if "data" in output:
                    output.data = {kind: output.data[kind] for kind in SHOWN if kind in output.data}
                    output.metadata = nbformat.NotebookNode()


def _without_html(text: str) -> str:
    """Markdown in which tags are shown, not followed; text that has none stays as it is."""
    text = text.replace(r"\href", r"\text")  # links of formulas may be scripts
    return bleach.clean(text, tags=set()) if TAG.search(text) else text
