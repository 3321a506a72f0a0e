"""The source notebooks: clean as text, and their solutions run from top to bottom."""

import json
import re

import nbformat
import pytest
from nbclient import NotebookClient

from exercise_code.support.paths import ROOT
from grading.course import read_course


@pytest.fixture
def notebook(assignment) -> nbformat.NotebookNode:
    """The source notebook of an assignment."""
    return nbformat.read(assignment.folder / assignment.notebooks[0], as_version=4)


def test_the_solution_runs_in_quick_mode_in_a_fresh_kernel(assignment, notebook, monkeypatch):
    monkeypatch.setenv("WORKBOOK_QUICK", "1")
    resources = {"metadata": {"path": str(assignment.folder)}}
    NotebookClient(notebook, timeout=120, resources=resources).execute()
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert not [output for output in cell.outputs if output.get("name") == "stderr"], cell.id
        if cell.metadata.get("nbgrader", {}).get("grade") and cell.cell_type == "code":
            assert float(cell.outputs[-1]["data"]["text/plain"]) > 0


def test_it_is_stored_without_outputs_and_with_readable_ids(assignment):
    cells = json.loads((assignment.folder / assignment.notebooks[0]).read_text(encoding="utf-8"))["cells"]
    for cell in cells:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None
        assert re.fullmatch(r"[a-z][a-zA-Z0-9_-]{2,}", cell["id"])
    assert len({cell["id"] for cell in cells}) == len(cells)


def test_no_wall_of_text_or_code(notebook):
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert len(cell.source.splitlines()) <= 25, cell.id
        else:
            assert len(cell.source.split("<details>")[0].split()) <= 150, cell.id


def test_pictures_have_alternative_text(notebook):
    for cell in notebook.cells:
        assert "![](" not in cell.source
        assert cell.source.count("<img") == cell.source.count("alt=")
        if cell.cell_type == "code":
            assert cell.source.count("show(") == cell.source.count("alt=") or "plt.show" not in cell.source


def test_the_set_up_cell_names_the_courses_repository(notebook):
    assert any(f'REPOSITORY = "{read_course().repository}"' in cell.source for cell in notebook.cells)


def test_requirements_lie_within_the_bounds_of_the_project():
    import tomllib

    from packaging.requirements import Requirement

    bounds = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    pins = [line for line in (ROOT / "requirements.txt").read_text().splitlines() if line and line[0] != "#"]
    pinned = {Requirement(line).name: str(Requirement(line).specifier).removeprefix("==") for line in pins}
    assert pinned.keys() == {Requirement(bound).name for bound in bounds}
    for bound in map(Requirement, bounds):
        assert bound.specifier.contains(pinned[bound.name]), bound
