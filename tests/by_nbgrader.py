"""What plain nbgrader says of submissions."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
from nbgrader.api import MissingEntry

from exercise_code.support.checking.assignment import Assignment
from grading.notebooks.kernelspec import NAME, write_spec
from grading.notebooks.nbgrader_course import open_gradebook, prepare_autograde

Scores = dict[str, dict[str, float]]
"""Automatic points by student and grade cell."""


def by_nbgrader(
    assignment: Assignment, submitted: Path, build: Path, course: Path, seed: int, *options: str
) -> Scores:
    """Put submissions into a copy of the course, and let `nbgrader autograde` grade them.

    Args:
        assignment: what was handed in.
        submitted: a folder for each student.
        build: where the assignment is released.
        course: where the copy goes.
        seed: draws the hidden inputs.
        options: of `nbgrader autograde`.
    """
    shutil.copytree(build / "nbgrader", course)
    prepare_autograde(assignment, course, seed)
    for folder in submitted.iterdir():
        target = course / "submitted" / folder.name / assignment.name
        for file in [*assignment.editable, *(f"models/{name}" for name in assignment.models)]:
            if (folder / file).exists():
                (target / file).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(folder / file, target / file)
        for name in assignment.notebooks:
            notebook = nbformat.read(course / "release" / assignment.name / name, as_version=4)
            notebook.cells = [cell for cell in notebook.cells if _is_needed(cell)]
            nbformat.write(notebook, target / name)
    write_spec(course / "jupyter/kernels" / NAME)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment["JUPYTER_PATH"] = str(course / "jupyter")
    command = [Path(sys.executable).with_name("nbgrader"), "autograde", assignment.name, *options]
    subprocess.run(command, cwd=course, check=True, capture_output=True, env=environment)
    return read_scores(assignment, course)


def _is_needed(cell: nbformat.NotebookNode) -> bool:
    """Set-up, imports and what is graded: the experiments between them only take time."""
    if cell.metadata.get("nbgrader"):
        return True
    return cell.cell_type == "code" and ("setup()" in cell.source or "import check" in cell.source)


def read_scores(assignment: Assignment, course: Path) -> Scores:
    """What the gradebook of a course holds."""
    scores: Scores = {}
    with open_gradebook(course) as gradebook:
        for student in gradebook.students:
            try:
                submission = gradebook.find_submission(assignment.name, student.id)
            except MissingEntry:
                continue
            grades = [grade for notebook in submission.notebooks for grade in notebook.grades]
            scores[student.id] = {grade.name: grade.auto_score for grade in grades}
    return scores
