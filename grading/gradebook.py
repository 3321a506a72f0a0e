"""Write scores into nbgrader's gradebook, where formgrader shows them."""

import tempfile
import warnings
from collections.abc import Iterable
from pathlib import Path

from sqlalchemy.exc import SAWarning

from exercise_code.support.checking.assignment import Assignment
from grading.journal import Record
from grading.nbgrader_course import gradebook_address, make_course, open_gradebook
from grading.notebooks import exercises_by_cell, of_exercise
from grading.tree import write_tree


def write_gradebook(assignment: Assignment, records: Iterable[Record], course: Path) -> str:
    """Put scores into an nbgrader course, which is made if need be.

    A written answer that is untouched or deleted gets 0; the others wait for a person, as nbgrader has it.

    Args:
        assignment: what was graded.
        records: the submissions with their verdicts.
        course: the folder of the nbgrader course.

    Returns:
        The gradebook's address.
    """
    with tempfile.TemporaryDirectory(prefix="workbook-") as scratch:
        write_tree(assignment, Path(scratch) / "tree")
        make_course(assignment, Path(scratch) / "tree", course)
    exercises = exercises_by_cell(assignment)
    with open_gradebook(course) as gradebook, warnings.catch_warnings():
        warnings.simplefilter("ignore", SAWarning)  # nbgrader builds rows outside of a session
        for record in records:
            gradebook.update_or_create_student(record.submission.id)
            submission = gradebook.update_or_create_submission(assignment.name, record.submission.id)
            for grade in submission.notebooks[0].grades:
                if grade.name in exercises:
                    found = of_exercise(record.verdicts, exercises[grade.name])
                    grade.auto_score = sum(verdict.points for verdict in found)
                else:
                    grade.auto_score = 0.0 if grade.name in record.untouched else None
                grade.needs_manual_grade = grade.auto_score is None or grade.manual_score is not None
        gradebook.db.commit()
    return gradebook_address(course)
