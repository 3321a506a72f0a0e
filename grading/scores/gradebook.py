"""Write scores into nbgrader's gradebook, where formgrader shows them."""

import tempfile
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path

from nbgrader.api import Comment, Grade, Gradebook, Student, SubmittedAssignment, SubmittedNotebook
from sqlalchemy import create_engine
from sqlalchemy.exc import ArgumentError, DBAPIError, SAWarning, SQLAlchemyError
from sqlalchemy.orm import selectinload

from exercise_code.support.checking.assignment import Assignment
from grading.course import CourseError
from grading.editions.student_files import write_student_files
from grading.notebooks.nbgrader_course import gradebook_address, make_course, open_gradebook
from grading.notebooks.with_verdicts import exercises_by_cell, of_exercise
from grading.submissions.records import Stored

BATCH = 200
PATIENCE = (0.2, 0.5, 1.0, 2.0, 4.0)
"""Seconds to wait before the next attempts at a gradebook that is locked or away."""


def write_gradebook(
    assignment: Assignment, records: Iterable[Stored], course: Path, address: str | None = None
) -> str:
    """Put scores into an nbgrader course, which is made if need be; one process writes, batch by batch.

    A written answer that is untouched or deleted gets 0; the others wait for a person, as nbgrader has it.
    What a person has given stays.

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
    with tempfile.TemporaryDirectory(prefix="workbook-") as scratch:
        write_student_files(assignment, Path(scratch) / "files")
        _patiently(lambda: make_course(assignment, Path(scratch) / "files", course, address), address)
    for batch in _batches(records):
        _patiently(lambda batch=batch: _write(batch, assignment, exercises, address), address)
    return address


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


def _write(batch: list[Stored], assignment: Assignment, exercises: dict[str, str], address: str) -> None:
    """Write some records in one transaction; to write them again changes nothing."""
    with open_gradebook(address) as gradebook, warnings.catch_warnings():
        warnings.simplefilter("ignore", SAWarning)  # nbgrader builds rows outside of a session
        db = gradebook.db
        try:
            rows = _rows(gradebook, assignment.name, [record.submission.id for record in batch])
            for record in batch:
                row = rows[record.submission.id]
                _name(row.student, record.submission.name)
                for grade in (grade for notebook in row.notebooks for grade in notebook.grades):
                    if grade.cell.name in exercises:
                        found = of_exercise(record.verdicts, exercises[grade.cell.name])
                        grade.auto_score = sum(verdict.points for verdict in found)
                    else:
                        grade.auto_score = 0.0 if grade.cell.name in record.untouched else None
                    grade.needs_manual_grade = grade.auto_score is None or grade.manual_score is not None
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


def _name(student: Student, name: str) -> None:
    """Fill in the name of the roster: formgrader sorts by the last of its words."""
    if name:
        student.first_name, _, student.last_name = name.rpartition(" ")


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
