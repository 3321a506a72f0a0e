"""What handing in late costs: grace, free days, a penalty for each day after them."""

import json
import math
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from exercise_code.support.checking.assignment import meant_by
from grading.course import Course, CourseError, LatePolicy
from grading.submissions.roster import Roster


@dataclass(frozen=True)
class Late:
    """How late a submission is in hours (0 if in time, None if nobody knows), and what follows.

    `days` are the days begun after the grace; of them `free` come out of the student's free days, and for
    each of the others `penalty` grows by the course's share of the points, up to 1.
    """

    hours: float | None = None
    days: int = 0
    free: int = 0
    penalty: float = 0.0

    @property
    def sentence(self) -> str:
        """What lateness costs, for people; empty where it costs nothing."""
        if not self.days:
            return ""
        days = "1 day" if self.days == 1 else f"{self.days} days"
        free = f", {self.free} of them free" if self.free else ""
        lost = f"{100 * self.penalty:g} % of the points are lost" if self.penalty else "no points are lost"
        return f"{days} late{free}: {lost}"


def charge(deadline: datetime | None, submitted: datetime | None, policy: LatePolicy, days_left: int) -> Late:
    """What a submission costs; nothing where the deadline or the moment of handing in is not known.

    Args:
        deadline: of this student, with an extension if there is one.
        submitted: when it was handed in.
        policy: of the course.
        days_left: free days that the student has not used yet; they are spent before any point is lost.
    """
    if deadline is None or submitted is None:
        return Late()
    hours = (submitted - deadline).total_seconds() / 3600
    if hours <= policy.grace_hours:
        return Late(max(hours, 0.0))
    days = math.ceil((hours - policy.grace_hours) / 24)
    free = min(days, days_left)
    return Late(hours, days, free, min(1.0, (days - free) * policy.penalty_per_day))


def deadline_of(course: Course, assignment: str, student: str) -> datetime | None:
    """When a student's work was due."""
    short = assignment.partition("_")[0]
    return course.extensions.get(short, {}).get(student) or course.deadlines.get(short)


def check_extensions(course: Course, assignment: str, roster: Roster) -> None:
    """See that extensions are for students of the roster, called by their ids.

    Raises:
        CourseError: one is for nobody; the message says who may be meant.
    """
    ids = [student.id for student in roster.students]
    for name in course.extensions.get(assignment.partition("_")[0], {}):
        if name not in ids:
            student = roster.find(name)
            meant = f": write {student.id!r}" if student else meant_by(name, ids)
            raise CourseError(
                f"course.toml: an extension is for {name!r}, which is no id of the roster{meant}"
            )


class Ledger:
    """The free days that students have spent on assignments that were due earlier.

    They are read from the results that lie beside this assignment's: OUT/../*/results.json.
    """

    def __init__(self, course: Course, assignment: str, out: Path) -> None:
        """Read what other assignments have cost.

        Raises:
            CourseError: results of another assignment are damaged.
        """
        self._course, self._assignment = course, assignment
        self._spent: dict[str, int] = {}
        due = course.deadlines.get(assignment.partition("_")[0])
        for path in sorted(out.resolve().parent.glob("*/results.json")):
            if path.parent == out.resolve():
                continue
            try:
                content = json.loads(path.read_text(encoding="utf-8"))
                other = course.deadlines.get(content["assignment"].partition("_")[0])
                if content["assignment"] == assignment or due is None or other is None or other >= due:
                    continue
                for submission in content["submissions"]:
                    free = submission.get("late", {}).get("free", 0)
                    self._spent[submission["id"]] = self._spent.get(submission["id"], 0) + free
            except (ValueError, LookupError, TypeError, AttributeError) as error:
                raise CourseError(
                    f"{path} is damaged ({error}), but tells of spent days: grade it again or remove it"
                ) from None

    def charge(self, student: str, submitted: datetime | None) -> Late:
        """What a student's submission costs."""
        left = max(0, self._course.late.late_days - self._spent.get(student, 0))
        deadline = deadline_of(self._course, self._assignment, student)
        return charge(deadline, submitted, self._course.late, left)
