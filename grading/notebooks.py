"""The notebook that a student gets back: as it was handed in, with the verdicts below its check cells."""

import json
import warnings

import nbformat
from nbgrader.utils import compute_checksum

from exercise_code.support.checking.assignment import Assignment
from exercise_code.support.checking.judge import Verdict
from exercise_code.support.checking.render import to_html
from grading.collect import Submission
from grading.nbgrader_course import CHECK_CELL, with_points


def exercises_by_cell(assignment: Assignment) -> dict[str, str]:
    """Which exercise a check cell is about, by the cell's grade_id."""
    return {
        cell.metadata.nbgrader["grade_id"]: called[1]
        for cell in with_points(assignment).cells
        if cell.cell_type == "code" and (called := CHECK_CELL.fullmatch(cell.source.strip()))
    }


def with_verdicts(
    submission: Submission, verdicts: list[Verdict], assignment: Assignment, exercises: dict[str, str]
) -> tuple[str, list[str]]:
    """Put verdicts into a student's notebook; that it is damaged is noted in the submission.

    Args:
        submission: with the notebook among its files; a damaged or missing one counts as empty.
        verdicts: of all checks.
        assignment: what was asked.
        exercises: which exercise a check cell is about, by its grade_id.

    Returns:
        The notebook as JSON, and which written answers in it are missing or as they were released.
    """
    content = submission.files.get(assignment.notebook_path)
    notebook = read_notebook(content) if content is not None else nbformat.v4.new_notebook()
    if notebook is None:
        submission.notes.append(f"{assignment.notebook} cannot be read as a notebook: its answers are lost")
        notebook = nbformat.v4.new_notebook()
    answered, waiting = set(), dict(exercises)
    for cell in notebook.cells:
        grade_id = grade_id_of(cell)
        if grade_id in assignment.questions and _is_changed(cell):
            answered.add(grade_id)
        if grade_id in exercises and cell.cell_type == "code":
            cell.outputs = []
        if grade_id in waiting and cell.cell_type == "code":  # only the first of doubled cells
            found = of_exercise(verdicts, waiting.pop(grade_id))
            points = sum(verdict.points for verdict in found)
            table = {"text/html": to_html(found), "text/plain": str(points)}
            output = {"output_type": "execute_result", "data": table, "metadata": {}, "execution_count": None}
            cell.outputs = [nbformat.from_dict(output)]
    text = json.dumps(notebook, ensure_ascii=False)  # nbformat.writes() would copy and validate it once more
    return text, [name for name in assignment.questions if name not in answered]


def read_notebook(content: bytes) -> nbformat.NotebookNode | None:
    """The notebook in a file's content, None where it is damaged."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # doubled cells get new ids
            notebook = nbformat.convert(nbformat.reader.reads(content.decode("utf-8")), to_version=4)
            nbformat.validate(notebook)  # nbformat.reads() would only log what is wrong
    except Exception:  # nbformat meets what it does not foresee with errors of all kinds
        return None
    return notebook


def grade_id_of(cell: nbformat.NotebookNode) -> str:
    """What nbgrader calls a cell; empty where its marks are missing or damaged."""
    marks = cell.metadata.get("nbgrader")
    grade_id = marks.get("grade_id") if isinstance(marks, dict) else None
    return grade_id if isinstance(grade_id, str) else ""


def _is_changed(cell: nbformat.NotebookNode) -> bool:
    """Whether a written answer is another than was released; a person looks where nbgrader cannot tell."""
    try:
        return cell.metadata.nbgrader.get("checksum") != compute_checksum(cell)
    except Exception:  # its own marks are damaged
        return True


def of_exercise(verdicts: list[Verdict], exercise: str) -> list[Verdict]:
    """The verdicts on one exercise."""
    return [verdict for verdict in verdicts if verdict.check.partition(":")[0] == exercise]
