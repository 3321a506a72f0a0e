"""The course's settings: `course.toml`."""

import tomllib
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from exercise_code.support.paths import ROOT


class CourseError(Exception):
    """A file of the course or a request to it is not as it should be; the message says what to do."""


@dataclass(frozen=True)
class LatePolicy:
    """Hours without a penalty, share of the points lost per day after them, free days of each student."""

    grace_hours: float = 0.0
    penalty_per_day: float = 0.0
    late_days: int = 0


@dataclass(frozen=True)
class Course:
    """Name, term, address of the repository, deadlines by assignment, late policy."""

    name: str
    term: str
    repository: str
    deadlines: dict[str, datetime] = field(default_factory=dict)
    late: LatePolicy = field(default_factory=LatePolicy)

    @property
    def id(self) -> str:
        """The name as nbgrader wants it: lower case, without blanks."""
        return "-".join(f"{self.name} {self.term}".lower().split())


def read_course(root: Path = ROOT) -> Course:
    """Read `course.toml`.

    Raises:
        CourseError: it cannot be read, or a key is missing or unknown.
    """
    try:
        content = tomllib.loads((root / "course.toml").read_text(encoding="utf-8"))
        return Course(late=LatePolicy(**content.pop("late", {})), **content)
    except (OSError, tomllib.TOMLDecodeError, TypeError) as error:
        raise CourseError(f"course.toml: {str(error).replace('Course.__init__() ', '')}") from None
