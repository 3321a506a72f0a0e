"""The course's words: `glossary.toml` names them, and each notebook ends with those that it introduces."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import nbformat

from exercise_code.support.checking.assignment import Assignment
from grading.course import CourseError

FILE = "glossary.toml"
CELL = "glossary"
"""Id of the cell in every notebook that introduces a term."""


@dataclass(frozen=True)
class Term:
    """A word of the field.

    Attributes:
        name: as others call it.
        notebook: that introduces it, as `a00_pytorch/1_tensors.ipynb`.
        cell: id of the cell where it stands in bold.
        meaning: one plain sentence.
    """

    name: str
    notebook: str
    cell: str
    meaning: str


def read_glossary(folder: Path) -> list[Term]:
    """All terms in the order of their introduction; none where the folder of assignments has no glossary.

    Raises:
        CourseError: the file is damaged.
    """
    path = folder / FILE
    if not path.exists():
        return []
    try:
        notebooks = tomllib.loads(path.read_text(encoding="utf-8"))
        return [
            Term(name, notebook, cell, meaning)
            for notebook, terms in notebooks.items()
            for name, (cell, meaning) in terms.items()
        ]
    except (ValueError, AttributeError, TypeError) as error:
        raise CourseError(
            f'{FILE} is damaged ({error}): below a notebook, write term = ["cell", "meaning"]'
        ) from None


def glossary_cell(terms: list[Term]) -> str:
    """The cell's text: the terms in the order of the alphabet, each with a link to its cell."""
    lines = [
        f"* [**{term.name}**]({quote(Path(term.notebook).name)}#cell-id={quote(term.cell)}): {term.meaning}"
        for term in sorted(terms, key=lambda term: term.name.lower())
    ]
    return "\n".join(
        [f"<details><summary>Words of this notebook: {len(terms)}</summary>", "", *lines, "", "</details>"]
    )


def write_glossary_cell(notebook: nbformat.NotebookNode, assignment: Assignment, name: str) -> None:
    """Write the cell in place of the one with its id or at the end; a notebook without terms has none."""
    path = f"{assignment.name}/{name}"
    terms = [term for term in read_glossary(assignment.folder.parent) if term.notebook == path]
    kept = [cell for cell in notebook.cells if cell.id == CELL]
    if not terms:
        notebook.cells = [cell for cell in notebook.cells if cell.id != CELL]
    elif not kept:
        notebook.cells.append(nbformat.v4.new_markdown_cell(glossary_cell(terms), id=CELL))
    for cell in kept:
        cell.source = glossary_cell(terms)
