"""Who is who: a table of the class, as a csv file."""

import csv
import io
import re
import unicodedata
from collections import defaultdict
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from grading.course import CourseError

ANY = ""
"""Instead of the name of a column."""

UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Control characters, and marks that show what follows in another direction."""
SHARED = ("section", "group")
"""Columns that name no single student."""
LONGEST = 128
"""Bytes of a student's id: what nbgrader's gradebook has room for."""


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
        owners: dict[str, dict[str, dict[str, Student]]] = defaultdict(lambda: defaultdict(dict))
        for student in students:
            for column, value in _values_of(student).items():
                for where in (column, ANY):
                    owners[where][_folded(value)][student.id] = student
        self._found = {
            column: {
                value: next(iter(same.values())) for value, same in found.items() if value and len(same) == 1
            }
            for column, found in owners.items()
        }
        self._found[ANY] = self._found.get(ANY, {}) | {_folded(student.id): student for student in students}
        self._numbers: dict[str, dict[str, Student]] = defaultdict(dict)
        for student in students:
            for value in (student.id, *_values_of(student).values()):
                self._numbers[_without_zeros(value)][student.id] = student
        self._groups: dict[str, list[Student]] = defaultdict(list)
        for student in students:
            if group := _bare(student.called("group")):
                self._groups[group].append(student)

    def find(self, *names: str, column: str = ANY) -> Student | None:
        """The student that one of the names belongs to: in the given column, by id, or in any column.

        What two students are called finds neither of them.
        """
        for name in map(_folded, names):
            for known in (self._found.get(column, {}), self._found[ANY]):
                if name in known:
                    return known[name]
        alike = self.alike(*names)
        return alike[0] if len(alike) == 1 else None

    def alike(self, *names: str) -> list[Student]:
        """Who is called by the same number with other zeros before it: a spreadsheet makes 42 of 0042."""
        numbers = filter(None, map(_without_zeros, names))
        return [*{id: each for number in numbers for id, each in self._numbers[number].items()}.values()]

    def owners(self, *names: str, column: str = ANY) -> list[Student]:
        """Whose a submission is that one of the names belongs to: the student, with the others of the group.

        A group's own name finds all its members; letters and digits alone count there.
        """
        if student := self.find(*names, column=column):
            group = student.called("group")
            return [student, *(each for each in self._groups.get(_bare(group), ()) if each is not student)]
        return next((self._groups[name] for name in map(_bare, names) if name in self._groups), [])


def read_roster(path: Path) -> Roster:
    """Read a roster: a column `id`, and as many others as are known.

    `name`, `email`, `canvas_id`, `sis_id`, `sis_login_id`, `section`, `group`, `moodle_id` and `github` are
    used. The separator may be a comma, a semicolon or a tab; names of columns are read without regard to
    case. In Canvas's export of its gradebook the SIS Login ID is the id.

    Raises:
        CourseError: the file cannot be read, has no column `id`, or an id is there twice.
    """
    try:
        text = _decoded(path.read_bytes())
    except (OSError, UnicodeDecodeError) as error:
        raise CourseError(f"the roster {path} cannot be read: {error}") from None
    head = text.partition("\n")[0]
    separator = max(",;\t", key=head.count)
    rows = csv.DictReader(io.StringIO(text), delimiter=separator)
    columns = {name: (name or "").strip().lower().replace(" ", "_") for name in rows.fieldnames or []}
    if {"student", "id", "sis_login_id"} <= {*columns.values()}:  # Canvas's own export of its gradebook
        theirs = {"student": "name", "id": "canvas_id", "sis_user_id": "sis_id", "sis_login_id": "id"}
        columns = {name: theirs.get(column, column) for name, column in columns.items()}
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
    if odd := next((id for id in ids if id != usable_id(id)), ""):
        raise CourseError(
            f"the roster {path} has the id {odd!r}, no name for a file: take {usable_id(odd)!r}"
        )
    return Roster(students)


def _decoded(content: bytes) -> str:
    """The text of a table as spreadsheets save it: UTF-8, UTF-16, or the code page of western Windows."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252")


def usable_id(name: str) -> str:
    """The name, as a file may be called on every system; one that had to be changed ends in its hash."""
    plain = re.sub(r'[/\\:*?"<>|]', "_", printable(name)).strip(". ")
    if plain == name and len(plain.encode()) <= LONGEST:
        return name
    mark = sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:6]
    return f"{plain.encode()[: LONGEST - 7].decode(errors='ignore')}-{mark}"


def printable(name: str) -> str:
    """The name, with question marks for what is no UTF-8, steers a terminal or turns a line round."""
    return UNSEEN.sub("?", name.encode("utf-8", "replace").decode("utf-8"))


def _values_of(student: Student) -> dict[str, str]:
    """What names this student alone, by column; not the id."""
    values = {"name": student.name, "email": student.email, **student.other}
    return {column: value for column, value in values.items() if column not in SHARED}


def _without_zeros(name: str) -> str:
    """A number without the zeros before it; empty for any other name."""
    return name.lstrip("0") if name.isascii() and name.isdecimal() else ""


def _bare(name: str) -> str:
    return "".join(filter(str.isalnum, _folded(name)))


def _folded(name: str) -> str:
    return " ".join(unicodedata.normalize("NFC", name).casefold().split())
