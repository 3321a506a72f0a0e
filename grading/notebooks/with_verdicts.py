"""The notebooks that a student gets back: as handed in, with the verdicts below their check cells."""

import json
import warnings
from collections.abc import Collection

import nbformat
from nbgrader.utils import compute_checksum

from exercise_code.support.checking.assignment import Assignment
from exercise_code.support.checking.judge import Verdict
from exercise_code.support.checking.render import to_html
from grading.notebooks.cleaned import clean
from grading.notebooks.nbgrader_course import CHECK_CELL, grade_id_of, with_points
from grading.submissions.records import Submission


def exercises_by_cell(assignment: Assignment) -> dict[str, str]:
    """Which exercise a check cell is about, by the cell's grade_id; a check without one is not graded."""
    return {
        cell.metadata.nbgrader["grade_id"]: called[1]
        for notebook in with_points(assignment).values()
        for cell in notebook.cells
        if "nbgrader" in cell.metadata and (called := CHECK_CELL.fullmatch(cell.source.strip()))
    }


def with_verdicts(
    submission: Submission,
    verdicts: list[Verdict],
    assignment: Assignment,
    exercises: dict[str, str],
    given: Collection[str],
) -> tuple[dict[str, str], list[str]]:
    """Put verdicts into a student's notebooks, which are cleaned; a damaged one is noted in the submission.

    Args:
        submission: with the notebooks among its files; a damaged or missing one counts as empty.
        verdicts: of all checks.
        assignment: what was asked.
        exercises: which exercise a check cell is about, by its grade_id.
        given: markdown of the course, whose HTML stays.

    Returns:
        The notebooks as JSON by name, and which written answers are missing or as they were released.
    """
    answered: set[str] = set()
    waiting = dict(exercises)
    texts = {}
    for name, path in zip(assignment.notebooks, assignment.notebook_paths, strict=True):
        content = submission.files.get(path)
        notebook = read_notebook(content) if content is not None else nbformat.v4.new_notebook()
        if notebook is None:
            submission.notes.append(f"{name} cannot be read as a notebook: its answers are lost")
            notebook = nbformat.v4.new_notebook()
        for cell in notebook.cells:
            grade_id = grade_id_of(cell)
            if grade_id in assignment.questions and _is_changed(cell):
                answered.add(grade_id)
        clean(notebook, given)
        for cell in notebook.cells:
            grade_id = grade_id_of(cell)
            if grade_id in exercises and cell.cell_type == "code":
                cell.outputs = []
            if grade_id in waiting and cell.cell_type == "code":  # only the first of doubled cells
                cell.outputs = [_table(of_exercise(verdicts, waiting.pop(grade_id)))]
        texts[name] = json.dumps(notebook, ensure_ascii=False)  # nbformat.writes() copies and validates again
    return texts, [question for question in assignment.questions if question not in answered]


def _table(verdicts: list[Verdict]) -> nbformat.NotebookNode:
    """Verdicts as the output of a check cell; its plain form is what nbgrader reads."""
    points = sum(verdict.points for verdict in verdicts)
    table = {"text/html": to_html(verdicts), "text/plain": str(points)}
    output = {"output_type": "execute_result", "data": table, "metadata": {}, "execution_count": None}
    node: nbformat.NotebookNode = nbformat.from_dict(output)
    return node


def read_notebook(content: bytes) -> nbformat.NotebookNode | None:
    """The notebook in a file's content, None where it is damaged."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # doubled cells get new ids
            notebook: nbformat.NotebookNode = nbformat.convert(
                nbformat.reader.reads(content.decode("utf-8-sig")), to_version=4
            )
            nbformat.validate(notebook)  # nbformat.reads() would only log what is wrong
    except Exception:  # nbformat meets what it does not foresee with errors of all kinds
        return None
    return notebook


def _is_changed(cell: nbformat.NotebookNode) -> bool:
    """Whether a written answer is another than was released; a person looks where nbgrader cannot tell."""
    try:
        return bool(cell.metadata.nbgrader.get("checksum") != compute_checksum(cell))
    except Exception:  # its own marks are damaged
        return True


def of_exercise(verdicts: list[Verdict], exercise: str) -> list[Verdict]:
    """The verdicts on one exercise."""
    return [verdict for verdict in verdicts if verdict.exercise == exercise]
