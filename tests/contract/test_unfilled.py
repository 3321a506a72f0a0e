"""The notebooks as students get them, run from top to bottom before anything is written."""

import re
from pathlib import Path

import pytest
from nbclient import NotebookClient

from exercise_code.support.checking.answers import make_answers
from exercise_code.support.checking.student_check import VISIBLE_SEED
from grading.editions.student_files import write_student_files
from grading.notebooks.nbgrader_course import with_points


@pytest.fixture
def edition(assignment, tmp_path, monkeypatch) -> Path:
    """The stubs, the checks and the answers of an assignment and of those that it builds on."""
    monkeypatch.setenv("WORKBOOK_QUICK", "1")
    monkeypatch.delenv("PYTHONPATH", raising=False)
    folder = tmp_path / "edition"
    write_student_files(assignment, folder)
    for each in (*assignment.earlier, assignment):
        mistakes = assignment.mistakes if each is assignment else []
        answers = make_answers(each.checks, mistakes, VISIBLE_SEED)
        answers.save(folder / "assignments" / each.name / each.answers_path.name)
    return folder


@pytest.mark.slow
def test_cells_that_wait_say_so_in_one_line_and_none_ends_in_a_traceback(assignment, edition):
    folder = edition / "assignments" / assignment.name
    for name, notebook in with_points(assignment).items():
        resources = {"metadata": {"path": str(folder)}}
        NotebookClient(notebook, timeout=300, allow_errors=True, resources=resources).execute()
        failed = set()
        for cell in notebook.cells:
            for output in cell.get("outputs", []):
                assert output.get("name") != "stderr", (name, cell.id, output["text"])
                if output.output_type == "error":
                    (line,) = output.traceback
                    assert re.search(r"exercise_code/[\w/]+\.py, line \d+", line), (name, cell.id, line)
                    assert {int(number) for number in re.findall(r"of cell \[(\d+)\]", line)} <= failed
                    failed.add(cell.execution_count)
