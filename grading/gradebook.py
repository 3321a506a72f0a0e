"""Write scores into nbgrader's gradebook, where formgrader shows them."""

import tempfile
import warnings
from collections.abc import Iterable
from pathlib import Path

import nbformat
from nbgrader.utils import compute_checksum
from sqlalchemy.exc import SAWarning

from exercise_code.support.checking.assignment import Assignment
from exercise_code.support.checking.judge import Verdict
from exercise_code.support.checking.render import to_html
from grading.collect import read_notebook
from grading.grade import Graded
from grading.nbgrader_course import CHECK_CELL, gradebook_address, make_course, open_gradebook, with_points
from grading.tree import write_tree


def write_gradebook(assignment: Assignment, graded: Iterable[Graded], course: Path) -> str:
    """Put scores and notebooks into an nbgrader course, which is made if need be.

    Each notebook goes to `autograded` as it was handed in, with the verdicts below its check cells. A
    written answer that is untouched or deleted gets 0; the others wait for a person, as nbgrader has it.

    Args:
        assignment: what was graded.
        graded: the submissions with their verdicts.
        course: the folder of the nbgrader course.

    Returns:
        The gradebook's address.
    """
    with tempfile.TemporaryDirectory(prefix="workbook-") as scratch:
        write_tree(assignment, Path(scratch) / "tree")
        make_course(assignment, Path(scratch) / "tree", course)
    exercises = _exercises_by_cell(assignment)
    with open_gradebook(course) as gradebook, warnings.catch_warnings():
        warnings.simplefilter("ignore", SAWarning)  # nbgrader builds rows outside of a session
        for item in graded:
            content = item.submission.files.get(assignment.notebook_path, b"")
            notebook = read_notebook(content) or nbformat.v4.new_notebook()
            gradebook.update_or_create_student(item.submission.id)
            submission = gradebook.update_or_create_submission(assignment.name, item.submission.id)
            for grade in submission.notebooks[0].grades:
                if grade.name in exercises:
                    grade.auto_score = sum(verdict.points for verdict in _of(item, exercises[grade.name]))
                else:
                    grade.auto_score = None if _is_answered(notebook, grade.name) else 0.0
                grade.needs_manual_grade = grade.auto_score is None or grade.manual_score is not None
            _show_verdicts(notebook, item, exercises)
            place = course / "autograded" / item.submission.id / assignment.name / assignment.notebook
            place.parent.mkdir(parents=True, exist_ok=True)
            nbformat.write(notebook, place)
        gradebook.db.commit()
    return gradebook_address(course)


def _exercises_by_cell(assignment: Assignment) -> dict[str, str]:
    """Which exercise a check cell is about, by the cell's grade_id."""
    return {
        cell.metadata.nbgrader["grade_id"]: called[1]
        for cell in with_points(assignment).cells
        if cell.cell_type == "code" and (called := CHECK_CELL.fullmatch(cell.source.strip()))
    }


def _of(item: Graded, exercise: str) -> list[Verdict]:
    return [verdict for verdict in item.verdicts if verdict.check.partition(":")[0] == exercise]


def _is_answered(notebook: nbformat.NotebookNode, grade_id: str) -> bool:
    """Whether the cell is there and differs from what was released."""
    for cell in notebook.cells:
        marks = cell.metadata.get("nbgrader", {})
        if marks.get("grade_id") == grade_id:
            return marks.get("checksum") != compute_checksum(cell)
    return False


def _show_verdicts(notebook: nbformat.NotebookNode, item: Graded, exercises: dict[str, str]) -> None:
    for cell in notebook.cells:
        exercise = exercises.get(cell.metadata.get("nbgrader", {}).get("grade_id"))
        if exercise and cell.cell_type == "code":
            verdicts = _of(item, exercise)
            points = sum(verdict.points for verdict in verdicts)
            table = {"text/html": to_html(verdicts), "text/plain": str(points)}
            cell.outputs = [nbformat.v4.new_output("execute_result", table, execution_count=None)]
