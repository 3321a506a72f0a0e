"""Every assignment: its student edition gives nothing away, and its notebooks run where nothing else is."""

import shutil

import nbformat
import pytest
from nbclient import NotebookClient

from exercise_code.support.paths import ROOT
from grading.editions.made_up_class import reference_models
from grading.editions.release import leaks

LARGEST_ANSWERS = 2 * 10**6
"""Bytes; a03 has 9 million of them."""


def test_the_edition_scores_nothing_empty_and_all_when_solved(assignment, released):
    """As `release` itself demands: it makes no edition that would not."""
    edition = released(assignment) / "student"
    assert leaks([*assignment.earlier, assignment], edition) == []
    assert assignment.answers_path.name in [
        p.name for p in (edition / "assignments" / assignment.name).iterdir()
    ]


def test_the_answers_are_small_enough_for_a_repository(assignment, released):
    answers = released(assignment) / "student/assignments" / assignment.name / assignment.answers_path.name
    assert answers.stat().st_size < LARGEST_ANSWERS


@pytest.fixture
def solved(assignment, depth, released, tmp_path, monkeypatch):
    """Where the solutions are: the repository or, tested in full, the edition with them in it, alone."""
    monkeypatch.setenv("WORKBOOK_QUICK", "1")
    if depth == "touch":
        return ROOT
    for name in ("WORKBOOK_DATA", "PYTHONPATH"):
        monkeypatch.delenv(name, raising=False)
    edition = shutil.copytree(released(assignment) / "student", tmp_path / "edition")
    for name in assignment.editable:
        shutil.copy(ROOT / name, edition / name)
    for name, content in reference_models(assignment).items():
        (edition / name).parent.mkdir(exist_ok=True)
        (edition / name).write_bytes(content)
    return edition


def test_the_solution_runs_in_quick_mode_in_a_fresh_kernel(assignment, notebook_path, solved):
    folder = solved / "assignments" / assignment.name
    executed = nbformat.read(folder / notebook_path.name, as_version=4)
    NotebookClient(executed, timeout=120, resources={"metadata": {"path": str(folder)}}).execute()
    for cell in executed.cells:
        if cell.cell_type == "code":
            assert not [output for output in cell.outputs if output.get("name") == "stderr"], cell.id
        if cell.metadata.get("nbgrader", {}).get("grade") and cell.cell_type == "code":
            assert float(cell.outputs[-1]["data"]["text/plain"]) > 0
