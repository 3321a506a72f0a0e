"""The part of a student's page that changes after grading: what people have given, lateness, the total."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from grading.pages.html import render, write_page
from grading.scores.late import Late

BEGIN, END = "<!-- standing -->", "<!-- end of standing -->"


def write_standing(path: Path, entry: Mapping[str, Any]) -> None:
    """Put it into a page that is there; nothing is run or judged anew.

    Args:
        path: the student's page.
        entry: the submission of `results.json`.
    """
    page = path.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    filled = render("standing", entry=entry, late=Late(**entry["late"]).sentence)
    if after and (new := f"{before}{BEGIN}{filled}{END}{after}") != page:
        write_page(path, new)
