"""How Canvas and Moodle read a table of grades, after their public documentation and their importers."""

import csv
import re
from datetime import datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple

NO_ASSIGNMENT = re.compile("(Current|Final) (Score|Points|Grade)|Override (Score|Grade|Status)")
ABOUT_STUDENTS = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]


class CanvasStudent(NamedTuple):
    """A student as Canvas knows one."""

    id: int
    name: str
    login: str
    sis_id: str = ""


class Imported(NamedTuple):
    """What an import leads to: points by the platform's number of a student, and comments as they are shown.

    `possible` are the points possible, `passed_over` the rows that count for nobody.
    """

    points: dict[int, float]
    comments: dict[int, str]
    possible: float | None
    passed_over: list[str]


def canvas(path: Path, title: str, students: list[CanvasStudent]) -> Imported:
    """Gradebook > Import: a student is found by ID, else by SIS User ID, SIS Login ID or the name."""
    with path.open(newline="", encoding="utf-8") as file:
        head, *rows = csv.reader(file)
    assert head[:5] == ABOUT_STUDENTS, "an invalid header row"
    columns = [name for name in head[5:] if not NO_ASSIGNMENT.search(name)]
    assert columns == [title], "Canvas would make another assignment"
    points, passed_over, possible = {}, [], None
    for row in rows:
        (name, id, sis_id, login), value = row[:4], _number(row[head.index(title)])
        if "Points Possible" in name:
            possible = value
            continue
        found = (
            [student for student in students if str(student.id) == id]
            or [student for student in students if sis_id and student.sis_id == sis_id]
            or [student for student in students if login and student.login == login]
            or [student for student in students if student.name == name]
        )
        if found and value is not None:
            points[found[0].id] = value
        else:
            passed_over.append(name)
    return Imported(points, {}, possible, passed_over)


def moodle(
    path: Path, participants: set[int], maximum: float, graded: dict[int, datetime] | None = None
) -> Imported:
    """Upload grading worksheet: rows that are not as they should be are passed over without a word.

    Args:
        path: the worksheet.
        participants: the numbers that Moodle gave them.
        maximum: of the assignment's grade.
        graded: when somebody has been given a grade before.
    """
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {"Identifier", "Grade", "Last modified (grade)"} <= {*rows[0]}, "no valid grading worksheet"
    points, comments, passed_over = {}, {}, []
    for row in rows:
        number = row["Identifier"][len("Participant ") :]
        known = number.isdecimal() and int(number) in participants
        modified = row["Last modified (grade)"]
        before = (graded or {}).get(int(number)) if known else None
        stale = before and (not modified or before > datetime.fromisoformat(modified))
        value = _number(row["Grade"])
        if not known or stale or value is None or not 0 <= value <= maximum:
            passed_over.append(row["Identifier"])
            continue
        points[int(number)] = value
        comments[int(number)] = _shown(row["Feedback comments"])
    return Imported(points, comments, maximum, passed_over)


def _number(text: str) -> float | None:
    return float(text) if re.fullmatch(r"\d+(\.\d+)?", text) else None


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.text = ""

    def handle_data(self, data: str) -> None:
        self.text += " ".join(data.split("\n"))

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.text += "\n" if tag == "br" else ""


def _shown(html: str) -> str:
    reader = _Text()
    reader.feed(html)
    reader.close()
    return reader.text
