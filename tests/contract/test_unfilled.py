"""The notebooks as students get them, run from top to bottom before anything is written."""

import re
import shutil
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient


@pytest.fixture
def edition(assignment, released, tmp_path, monkeypatch) -> Path:
    """The student edition of an assignment and of those that it builds on."""
    monkeypatch.setenv("WORKBOOK_QUICK", "1")
    monkeypatch.delenv("PYTHONPATH", raising=False)
    return Path(shutil.copytree(released(assignment) / "student", tmp_path / "edition"))


@pytest.mark.vouched
@pytest.mark.slow
def test_cells_that_wait_say_so_in_one_line_and_none_ends_in_a_traceback(assignment, edition):
    folder = edition / "assignments" / assignment.name
    for name in assignment.notebooks:
        notebook = nbformat.read(folder / name, as_version=4)
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
