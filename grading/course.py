"""The course's settings: `course.toml`."""

import tomllib
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from exercise_code.support.checking.assignment import all_folders, meant_by
from exercise_code.support.paths import ROOT


class CourseError(Exception):
    """A file of the course or a request to it is not as it should be; the message says what to do."""


@dataclass(frozen=True)
class LatePolicy:
    """Hours without a penalty, share of the points lost per day after them, free days of each student.

    The free days are for the whole course.
    """

    grace_hours: float = 0.0
    penalty_per_day: float = 0.0
    late_days: int = 0


@dataclass(frozen=True)
class Course:
    """Name, term, address of what is published, deadlines and extensions by assignment, late policy.

    `hand_in` says where students hand in.
    """

    name: str
    term: str
    repository: str = ""
    hand_in: str = ""
    deadlines: dict[str, datetime] = field(default_factory=dict)
    extensions: dict[str, dict[str, datetime]] = field(default_factory=dict)
    late: LatePolicy = field(default_factory=LatePolicy)

    @property
    def id(self) -> str:
        """The name as nbgrader wants it: lower case, without blanks."""
        return "-".join(f"{self.name} {self.term}".lower().split())

    def at(self, site: str, path: str) -> str:
        """Where a site shows a file of what is published, whose branch is `main`."""
        return f"{site}{urlsplit(self.repository).path.removesuffix('.git')}/blob/main/{path}"


def read_course(root: Path = ROOT) -> Course:
    """Read `course.toml`.

    Raises:
        CourseError: it cannot be read, or a key is missing or unknown.
    """
    try:
        content = tomllib.loads((root / "course.toml").read_text(encoding="utf-8"))
        course = Course(late=LatePolicy(**content.pop("late", {})), **content)
        _check(course)
        return course
    except (OSError, tomllib.TOMLDecodeError, TypeError, ValueError) as error:
        raise CourseError(f"course.toml: {str(error).replace('Course.__init__() ', '')}") from None


def _check(course: Course) -> None:
    late = course.late
    if late.grace_hours < 0 or late.late_days < 0 or not 0 <= late.penalty_per_day <= 1:
        raise ValueError("[late] needs grace_hours and late_days of 0 or more, penalty_per_day of 0 to 1")
    known = [folder.name.partition("_")[0] for folder in all_folders()]
    for name in (*course.deadlines, *course.extensions):
        if name not in known:
            meant = meant_by(name.partition("_")[0], known)
            raise ValueError(f"{name!r} is not the short name of an assignment ({', '.join(known)}){meant}")
    moments = {f"deadlines.{name}": moment for name, moment in course.deadlines.items()}
    for name, students in course.extensions.items():
        moments |= {f"extensions.{name}.{student}": moment for student, moment in students.items()}
    for name, moment in moments.items():
        if not isinstance(moment, datetime) or moment.tzinfo is None:
            raise ValueError(f"{name} needs a moment with a time zone, such as 2026-10-16T23:59:00+02:00")
