"""How a source notebook is stored, so that a diff of it reads.

One line of text a line, sorted keys, no outputs, and no metadata but nbgrader's and the language:
`python -m grading.notebooks.source_format FILES` stores notebooks so.
"""

import sys
from pathlib import Path

import nbformat

METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
KEPT = ("nbgrader",)
"""What of a cell's metadata says something that its text does not."""


def formatted(text: str) -> str:
    """The same notebook as it is to be stored."""
    notebook = nbformat.reads(text, as_version=4)
    notebook.metadata = METADATA
    for cell in notebook.cells:
        cell.metadata = {key: cell.metadata[key] for key in KEPT if key in cell.metadata}
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return f"{nbformat.writes(notebook)}\n"


def main(paths: list[str]) -> None:
    """Store notebooks as they are to be stored."""
    for path in map(Path, paths):
        path.write_text(formatted(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
