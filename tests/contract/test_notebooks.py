"""The source notebooks: clean as text, and their solutions run from top to bottom."""

import json
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from ruff import find_ruff_bin

from exercise_code.support.checking.assignment import all_folders, read_assignment
from exercise_code.support.paths import ASSIGNMENTS, ROOT
from grading.notebooks.nbgrader_course import REPOSITORY

NOTEBOOKS = [
    pytest.param(folder / name, id=f"{folder.name}-{name}")
    for folder in all_folders()
    for name in read_assignment(folder).notebooks
]
RESTART = "restart-"
RUN_EACH = """
import json, sys
for name, cells in json.load(sys.stdin).items():
    print(name, flush=True)
    names = {}
    for cell in cells:
        exec(cell, names)
"""


@pytest.fixture(params=NOTEBOOKS)
def path(request) -> Path:
    """Each notebook of each assignment in turn."""
    return request.param


@pytest.fixture
def notebook(path) -> nbformat.NotebookNode:
    """That notebook."""
    return nbformat.read(path, as_version=4)


def sections_of(notebook: nbformat.NotebookNode) -> dict[str, list[nbformat.NotebookNode]]:
    """The code cells that a student runs after a break in each section: set-up, restart, and what follows."""
    found: dict[str, list[nbformat.NotebookNode]] = {}
    first, *others = (cell for cell in notebook.cells if cell.cell_type == "code")
    current: list[nbformat.NotebookNode] = []
    for cell in others:
        if cell.id.startswith(RESTART):
            current = found.setdefault(cell.id, [first])
        current.append(cell)
    return found


def test_the_solution_runs_in_quick_mode_in_a_fresh_kernel(path, notebook, monkeypatch):
    monkeypatch.setenv("WORKBOOK_QUICK", "1")
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(path.parent)}}).execute()
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert not [output for output in cell.outputs if output.get("name") == "stderr"], cell.id
        if cell.metadata.get("nbgrader", {}).get("grade") and cell.cell_type == "code":
            assert float(cell.outputs[-1]["data"]["text/plain"]) > 0


def test_each_restart_cell_runs_behind_the_set_up_cell_alone(monkeypatch):
    """All in one process, each in names of its own; what it makes is what its section goes on with."""
    notebooks = {param.values[0].name: nbformat.read(param.values[0], as_version=4) for param in NOTEBOOKS}
    pairs = {
        f"{name}, {restart}": [cell.source for cell in cells[:2]]
        for name, notebook in notebooks.items()
        for restart, cells in sections_of(notebook).items()
    }
    assert len(pairs) > len(NOTEBOOKS)
    monkeypatch.setenv("WORKBOOK_QUICK", "1")
    command = [sys.executable, "-c", RUN_EACH]
    run = subprocess.run(command, input=json.dumps(pairs), capture_output=True, text=True, cwd=ASSIGNMENTS)
    assert run.returncode == 0, run.stdout[-100:] + run.stderr


def test_a_restart_cell_brings_every_name_of_its_section(notebook, tmp_path):
    for name, cells in sections_of(notebook).items():
        (tmp_path / f"{name}.py").write_text("\n".join(cell.source for cell in cells), encoding="utf-8")
    command = [find_ruff_bin(), "check", "--isolated", "--select", "F821", "--output-format", "concise"]
    found = subprocess.run([*command, tmp_path], capture_output=True, text=True)
    assert found.returncode == 0, found.stdout


def test_every_section_has_a_restart_cell(notebook):
    """But for the first one, which brings its own imports, and the last one, which has no code."""
    headings = [place for place, cell in enumerate(notebook.cells) if re.match(r"## \d", cell.source)]
    for place, following in zip(headings[1:], [*headings[2:], len(notebook.cells)], strict=True):
        section = notebook.cells[place:following]
        code = [cell for cell in section if cell.cell_type == "code"]
        assert code[0].id.startswith(RESTART), section[0].source.splitlines()[0]


def test_a_notebook_is_no_larger_than_a_learner_can_finish(notebook):
    """At most 25 exercises, 300 minutes and about 100 cells; every section has its minutes in the title."""
    title = notebook.cells[0].source
    assert (
        sum(
            cell.metadata.get("nbgrader", {}).get("grade_id", "").startswith("check-")
            for cell in notebook.cells
        )
        <= 25
    )
    assert len(notebook.cells) <= 105
    minutes = dict(
        re.findall(r"(?:\((\d[\d.]*)\) [^,(]*?|looking back )(\d+)[,.]", title.split("**Minutes**")[1])
    )
    numbers = [found[1] for cell in notebook.cells if (found := re.match(r"## (\d[\d.]*) ", cell.source))]
    assert [*minutes] == [*numbers, ""]
    assert sum(map(int, minutes.values())) <= 300
    assert "**Afterwards you can**" in title and "**You need**" in title
    assert 1 <= len(re.findall(r"^\d\. ", title, flags=re.MULTILINE)) <= 5


def test_the_notebooks_of_an_assignment_share_nothing_but_the_set_up_cell(assignment):
    cells: dict[str, str] = {}
    for name in assignment.notebooks:
        for cell in nbformat.read(assignment.folder / name, as_version=4).cells:
            if cell.id == "setup":
                assert cells.setdefault("setup", cell.source) == cell.source
            else:
                assert cells.setdefault(cell.id, name) == name, f"{cell.id} in {cells[cell.id]} and {name}"


def test_it_is_stored_without_outputs_and_with_readable_ids(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    for cell in cells:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None
        assert re.fullmatch(r"[a-z][a-zA-Z0-9_-]{2,}", cell["id"])
    assert len({cell["id"] for cell in cells}) == len(cells)


def test_an_assignment_imports_no_other_assignment(assignment):
    files = [*assignment.folder.glob("*.ipynb"), *assignment.folder.rglob("*.py")]
    for file in files:
        named = set(re.findall(r"assignments[./](a\d\d\w*)", file.read_text(encoding="utf-8")))
        assert named <= {assignment.name}, file


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


def test_the_set_up_cell_has_a_place_for_the_courses_address(notebook):
    assert sum(len(REPOSITORY.findall(cell.source)) for cell in notebook.cells) == 1


def test_requirements_lie_within_the_bounds_of_the_project():
    import tomllib

    from packaging.requirements import Requirement

    bounds = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    pins = [line for line in (ROOT / "requirements.txt").read_text().splitlines() if line and line[0] != "#"]
    pinned = {Requirement(line).name: str(Requirement(line).specifier).removeprefix("==") for line in pins}
    assert pinned.keys() == {Requirement(bound).name for bound in bounds}
    for bound in map(Requirement, bounds):
        assert bound.specifier.contains(pinned[bound.name]), bound
