"""Who is who: a table of the class, as a csv file."""

import csv
import io
from dataclasses import dataclass, field
from pathlib import Path

from grading.course import CourseError


@dataclass(frozen=True)
class Student:
    """One row: `id` names the student in results; `other` holds what platforms call them, by column."""

    id: str
    name: str = ""
    email: str = ""
    other: dict[str, str] = field(default_factory=dict)

    def called(self, column: str) -> str:
        """The student's value in a column, empty if there is none."""
        return {"id": self.id, "name": self.name, "email": self.email, **self.other}.get(column, "")


class Roster:
    """The students of a course, found by anything that the table knows of them."""

    def __init__(self, students: list[Student]) -> None:
        """Take the rows in their order."""
        self.students = students
        self._found: dict[str, Student] = {}
        for student in students:
            for value in (student.id, student.email, student.name, *student.other.values()):
                if value:
                    self._found.setdefault(_folded(value), student)

    def find(self, *names: str) -> Student | None:
        """The student that one of the names belongs to, whichever column it stands in."""
        return next((self._found[_folded(name)] for name in names if _folded(name) in self._found), None)


def read_roster(path: Path) -> Roster:
    """Read a roster: a column `id`, and as many others as are known.

    `name`, `email`, `canvas_id`, `sis_id`, `sis_login_id`, `section`, `moodle_id` and `github` are used. The
    separator may be a comma, a semicolon or a tab; names of columns are read without regard to case.

    Raises:
        CourseError: the file cannot be read, has no column `id`, or an id is there twice.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise CourseError(f"the roster {path} cannot be read: {error}") from None
    head = text.partition("\n")[0]
    separator = max(",;\t", key=head.count)
    rows = csv.DictReader(io.StringIO(text), delimiter=separator)
    columns = {name: (name or "").strip().lower().replace(" ", "_") for name in rows.fieldnames or []}
    if "id" not in columns.values():
        there = ", ".join(columns.values()) or "none"
        raise CourseError(f"the roster {path} has no column `id`: it has {there}")
    students: list[Student] = []
    for row in rows:
        values = {columns[name]: (value or "").strip() for name, value in row.items() if name in columns}
        if not values["id"]:
            continue
        known = values.pop("id"), values.pop("name", ""), values.pop("email", "")
        students.append(Student(*known, {name: value for name, value in values.items() if value}))
    ids = [student.id for student in students]
    if doubled := [id for id in ids if ids.count(id) > 1]:
        raise CourseError(f"the roster {path} has the id {doubled[0]!r} twice")
    return Roster(students)


def _folded(name: str) -> str:
    return " ".join(name.casefold().split())
