"""What a notebook's headings say of its exercises: number, minutes, and whether they are at the deep end."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from exercise_code.support.checking.assignment import Assignment
from exercise_code.support.paths import ROOT

HEADING = re.compile(r"^#+ (Exercises? [^·\n]+) · ([^·\n]+) ·.* about (\d+) minutes( each)?$", re.MULTILINE)
DEEP_END = " · deep end"
"""In the heading of what lies beyond the core path."""


@dataclass(frozen=True)
class Heading:
    """The heading of one exercise, or of several that are alike.

    Attributes:
        number: `Exercise 3`, or `Exercises 3 to 5`.
        names: of its functions, as they are called within their module.
        minutes: that each takes.
        core: whether it is on the core path.
        notebook: where it is, as a path below the project's root.
        cell: id of its cell.
    """

    number: str
    names: list[str]
    minutes: int
    core: bool
    notebook: str
    cell: str

    def is_of(self, exercise: str) -> bool:
        """Whether an exercise (`knn.predict_labels`) is named in it."""
        return any(exercise.endswith(f".{name}") for name in self.names)


def headings(assignment: Assignment) -> Iterator[Heading]:
    """The headings of an assignment's exercises in the order of its notebooks; none of a damaged notebook."""
    for path in assignment.notebook_paths:
        for cell in _cells(ROOT / path):
            if found := HEADING.search("".join(cell.get("source", ""))):
                names = found[2].replace("`", "").split(", ")
                core = DEEP_END not in found[0]
                yield Heading(found[1], names, int(found[3]), core, path, cell.get("id", ""))


def _cells(notebook: Path) -> list[dict[str, Any]]:
    """A notebook's cells; none where it is missing or damaged."""
    try:
        cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    except (OSError, ValueError, KeyError, TypeError):
        return []
    return [cell for cell in cells if isinstance(cell, dict)] if isinstance(cells, list) else []
