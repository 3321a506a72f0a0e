"""Write scores into nbgrader's gradebook, where formgrader shows them."""

import functools
import json
import time
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any

import nbformat
from nbgrader.api import BaseCell, Comment, Grade, Gradebook, Student, SubmittedAssignment, SubmittedNotebook
from sqlalchemy import create_engine
from sqlalchemy.exc import ArgumentError, DBAPIError, SAWarning, SQLAlchemyError
from sqlalchemy.orm import InstrumentedAttribute, Query, selectinload

from exercise_code.support.checking.assignment import Assignment
from grading.course import CourseError
from grading.editions.student_files import write_student_files
from grading.notebooks.nbgrader_course import grade_id_of, gradebook_address, make_course, open_gradebook
from grading.notebooks.with_verdicts import exercises_by_cell, of_exercise
from grading.scores.by_hand import Mark
from grading.scratch import scratch_folder
from grading.submissions.records import Stored, Submission

BATCH = 200
PATIENCE = (0.2, 0.5, 1.0, 2.0, 4.0)
"""Seconds to wait before the next attempts at a gradebook that is locked or away."""


def write_gradebook(
    assignment: Assignment, records: Iterable[Stored], course: Path, address: str | None = None
) -> str:
    """Put scores into an nbgrader course, which is made if need be; one process writes, batch by batch.

    A written answer that is untouched or deleted gets 0; the others wait for a person, as nbgrader has it.
    What a person has given stays, and waits again only where the answer or the points of the checks change.
    Of a group the first member's answers wait.

    Args:
        assignment: what was graded.
        records: the submissions with their verdicts.
        course: the folder of the nbgrader course.
        address: of the gradebook (`postgresql+psycopg://…`); a SQLite file in the course if not given.

    Returns:
        The gradebook's address.

    Raises:
        CourseError: the gradebook stays locked or away.
    """
    address = address or gradebook_address(course)
    exercises = exercises_by_cell(assignment)
    seen = _Seen(course, assignment)
    with scratch_folder() as scratch:
        files = scratch / "files"
        write_student_files(assignment, files)
        _patiently(lambda: make_course(assignment, files, course, address, graded=True), address)
    for batch in _batches(records):
        _patiently(functools.partial(_write, batch, assignment, exercises, seen, address), address)
    seen.save()
    return address


def read_marks(
    assignment: Assignment, course: Path, address: str | None = None
) -> dict[str, dict[str, Mark]]:
    """What people have given in the gradebook, by student and by the id of the cell.

    Args:
        assignment: what was graded.
        course: the folder of the nbgrader course.
        address: of the gradebook; the SQLite file in the course if not given.

    Raises:
        CourseError: there is no gradebook, or it is away.
    """
    if address is None and not (course / "gradebook.db").exists():
        raise CourseError(
            f"there is no gradebook in {course}: grade first, or give --gradebook as `workbook grade` had it"
        )
    address = address or gradebook_address(course)
    marks: dict[str, dict[str, Mark]] = {}
    _patiently(lambda: marks.update(_marks(assignment, address)), address)
    return marks


def check_address(address: str) -> None:
    """Look at an address before hours of grading end in it.

    Raises:
        CourseError: no database has such an address.
    """
    try:
        create_engine(address)
    except (ArgumentError, ImportError):
        raise CourseError(
            f"no database has the address {_public(address)!r}: give postgresql+psycopg://USER@HOST/NAME"
        ) from None


class _Seen:
    """The written answers as the gradebook was last told of them: a person looks again only at new ones."""

    def __init__(self, course: Path, assignment: Assignment) -> None:
        self._place = course / f"answers-{assignment.name}.json"
        self._autograded, self._assignment = course / "autograded", assignment
        there = self._place.exists()
        self._before = json.loads(self._place.read_text(encoding="utf-8")) if there else {}
        self._now: dict[str, dict[str, str]] = {}
        self._readers: dict[str, str] = {}

    def is_read(self, submission: Submission) -> bool:
        """Whether a person reads this one: of a group the first that comes."""
        group = submission.group
        return not group or self._readers.setdefault(group, submission.id) == submission.id

    def changed(self, student: str) -> set[str]:
        """The questions whose answer is another than before."""
        now = self._now[student] = {}
        for name in self._assignment.notebooks:
            path = self._autograded / student / self._assignment.name / name
            for cell in json.loads(path.read_bytes())["cells"] if path.exists() else []:
                question = grade_id_of(nbformat.from_dict(cell))
                if question in self._assignment.questions:
                    answer = json.dumps([now.get(question), cell["source"], cell.get("attachments")])
                    now[question] = sha256(answer.encode()).hexdigest()
        before = self._before.get(student, {})
        return {
            question for question in self._assignment.questions if now.get(question) != before.get(question)
        }

    def save(self) -> None:
        """Remember the answers for the next time."""
        part = self._place.with_suffix(".part")
        part.write_text(json.dumps(self._before | self._now, indent=1), encoding="utf-8")
        part.replace(self._place)


def _marks(assignment: Assignment, address: str) -> dict[str, dict[str, Mark]]:
    with open_gradebook(address) as gradebook:

        def cells(kind: type[Grade | Comment], *columns: "InstrumentedAttribute[Any]") -> "Query[Any]":
            query = gradebook.db.query(SubmittedAssignment.student_id, BaseCell.name, *columns)
            query = query.join(SubmittedNotebook, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
            query = query.join(kind, kind.notebook_id == SubmittedNotebook.id)
            query = query.join(BaseCell, BaseCell.id == kind.cell_id)
            own: Query[Any] = query.filter(SubmittedAssignment.assignment.has(name=assignment.name))
            return own

        said = cells(Comment, Comment.manual_comment)
        given = cells(Grade, Grade.manual_score, Grade.extra_credit, Grade.needs_manual_grade)
        comments = {(student, cell): comment or "" for student, cell, comment in said}
        marks: dict[str, dict[str, Mark]] = defaultdict(dict)
        for student, cell, points, extra, waiting in given:
            marks[student][cell] = Mark(points, extra or 0.0, waiting, comments.get((student, cell), ""))
        return marks


def _write(
    batch: list[Stored], assignment: Assignment, exercises: dict[str, str], seen: _Seen, address: str
) -> None:
    """Write some records in one transaction; to write them again changes nothing."""
    with open_gradebook(address) as gradebook, warnings.catch_warnings():
        warnings.simplefilter("ignore", SAWarning)  # nbgrader builds rows outside of a session
        db = gradebook.db
        try:
            rows = _rows(gradebook, assignment.name, [record.submission.id for record in batch])
            for record in batch:
                row = rows[record.submission.id]
                _name(row.student, record.submission.name)
                row.timestamp = in_utc(record.submission.submitted)
                changed = seen.changed(record.submission.id)
                is_read = seen.is_read(record.submission)
                for grade in (grade for notebook in row.notebooks for grade in notebook.grades):
                    cell, before = grade.cell.name, grade.auto_score
                    if cell in exercises:
                        found = of_exercise(record.verdicts, exercises[cell])
                        grade.auto_score = sum(verdict.points for verdict in found)
                        is_new = grade.auto_score != before
                    else:
                        grade.auto_score = 0.0 if cell in record.untouched else None
                        is_new = cell in changed
                    if grade.manual_score is None:
                        grade.needs_manual_grade = is_read and grade.auto_score is None
                    elif is_new:
                        grade.needs_manual_grade = True
            db.commit()
        except SQLAlchemyError:
            db.rollback()
            raise


def _rows(gradebook: Gradebook, name: str, ids: list[str]) -> dict[str, SubmittedAssignment]:
    """The submissions of some students with their grades; those that are not there yet are added."""
    db = gradebook.db
    assignment = gradebook.find_assignment(name)
    grades = selectinload(SubmittedAssignment.notebooks).selectinload(SubmittedNotebook.grades)
    there = (
        db.query(SubmittedAssignment)
        .filter(SubmittedAssignment.assignment_id == assignment.id, SubmittedAssignment.student_id.in_(ids))
        .options(grades.selectinload(Grade.cell), selectinload(SubmittedAssignment.student))
    )
    rows = {row.student_id: row for row in there}
    students = {student.id: student for student in db.query(Student).filter(Student.id.in_(ids))}
    for id in ids:
        if id in rows:
            continue
        if id not in students:
            students[id] = Student(id=id)
            db.add(students[id])
        row = rows[id] = SubmittedAssignment(assignment=assignment, student=students[id])
        for notebook in assignment.notebooks:
            submitted = SubmittedNotebook(notebook=notebook, assignment=row)
            for cell in (*notebook.grade_cells, *notebook.task_cells):
                Grade(cell=cell, notebook=submitted)
            for cell in (*notebook.solution_cells, *notebook.task_cells):
                Comment(cell=cell, notebook=submitted)
        db.add(row)
    return rows


def in_utc(moment: datetime | None) -> datetime | None:
    """A moment as nbgrader notes it, without a zone."""
    return moment and moment.astimezone(UTC).replace(tzinfo=None)


def _name(student: Student, name: str) -> None:
    """Fill in the name, as far as it is known, else the id: formgrader sorts by the last of its words."""
    if name or student.last_name is None:
        student.first_name, _, student.last_name = (name or student.id).rpartition(" ")


def _batches(records: Iterable[Stored]) -> Iterator[list[Stored]]:
    records = iter(records)
    while batch := [*islice(records, BATCH)]:
        yield batch


def _patiently(step: Callable[[], object], address: str) -> None:
    for seconds in (*PATIENCE, None):
        try:
            step()
            return
        except (DBAPIError, CourseError) as error:
            away = isinstance(error, DBAPIError) or "database" in str(error)
            if not away:
                raise
            if seconds is None:
                raise CourseError(
                    f"the gradebook {_public(address)} cannot be written "
                    f"({str(error).splitlines()[0]}); all results are safe: run the same command again"
                ) from None
            time.sleep(seconds)


def _public(address: str) -> str:
    """The address without a password."""
    head, at, tail = address.rpartition("@")
    return f"{head.partition('://')[0]}://{tail}" if at else address
