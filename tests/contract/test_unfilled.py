"""The notebooks as students get them, run from top to bottom before anything is written."""

import re
from pathlib import Path

import pytest
from nbclient import NotebookClient

from grading.editions.student_files import write_tree
from grading.notebooks.nbgrader_course import with_points


@pytest.fixture
def edition(assignment, tmp_path, monkeypatch) -> Path:
    """The stubs and the notebooks of an assignment, with the instructor's mistakes in place of answers."""
    monkeypatch.setenv("WORKBOOK_QUICK", "1")
    monkeypatch.delenv("PYTHONPATH", raising=False)
    write_tree(assignment, tmp_path / "edition")
    return tmp_path / "edition"


def test_no_cell_ends_in_a_traceback(assignment, edition):
    folder = edition / "assignments" / assignment.name
    for name, notebook in with_points(assignment).items():
        resources = {"metadata": {"path": str(folder)}}
        NotebookClient(notebook, timeout=300, allow_errors=True, resources=resources).execute()
        for cell in notebook.cells:
            for output in cell.get("outputs", []):
                assert output.get("name") != "stderr", (name, cell.id, output["text"])
                if output.output_type == "error":
                    (line,) = output.traceback
                    assert re.fullmatch(r"[^\n]*exercise_code/[^\n]*", line), (name, cell.id, line)
