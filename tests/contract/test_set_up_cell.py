"""The first cell of every notebook: one text, and it heals whatever an earlier run has left undone."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from packaging.requirements import Requirement

from exercise_code.support.checking.answers import Answers
from exercise_code.support.notebook import start
from exercise_code.support.paths import ROOT
from grading.notebooks.set_up_cell import CELL, set_up_cell

COLAB = [
    "torch==2.9.0",
    "torchvision==0.24.0",
    "numpy==2.0.2",
    "ipython==7.34.0",
    "ipykernel==6.17.1",
    "matplotlib==3.10.0",
    "pillow==11.3.0",
    "rich==13.9.4",
    "setuptools<81",
]
"""What Colab had in August 2026, on Python 3.12."""
GIT = ["git", "-c", "user.name=course", "-c", "user.email=course@example.org"]


@pytest.mark.parametrize("kind", ["its text", "its place"])
def test_every_notebook_starts_with_it(assignment, kind):
    for name in assignment.notebooks:
        cells = nbformat.read(assignment.folder / name, as_version=4).cells
        first = next(cell for cell in cells if cell.cell_type == "code")
        assert first.id == CELL
        assert kind == "its place" or first.source == set_up_cell(assignment), "`workbook format` writes it"


def test_the_project_promises_no_older_versions_than_these():
    bounds = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    oldest = {Requirement(line).name: str(Requirement(line).specifier) for line in bounds}
    for name, pin in (line.split("==") for line in COLAB if "==" in line):
        assert name not in oldest or pin.startswith(oldest[name].removeprefix(">=")), name


@pytest.fixture
def published(build, tmp_path) -> Path:
    """The student edition of a01 as a repository."""
    folder = shutil.copytree(build / "student", tmp_path / "published")
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "a01"]):
        subprocess.run([*GIT, *command], cwd=folder, check=True)
    return folder


@pytest.fixture
def machine(tmp_path) -> Path:
    """The folder that a notebook opens in, on a machine without the course."""
    (tmp_path / "machine" / "content").mkdir(parents=True)
    return tmp_path / "machine" / "content"


def run_cell(a01, machine: Path, repository: str, drive: str = "/content/drive/MyDrive", **env: str) -> str:
    """Run the cell as a script in a fresh process; returns its last line of output, or its error's."""
    source = re.sub('REPOSITORY = ".*"', f'REPOSITORY = "{repository}"', set_up_cell(a01))
    script = (
        source.replace("/content/drive/MyDrive", drive).replace(
            "start_notebook(", "print(root, start_notebook("
        )
        + ")"
    )
    env = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"} | env
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=machine, env=env, capture_output=True, text=True
    )
    return (done.stdout + done.stderr).strip().splitlines()[-1]


def test_it_fetches_the_course_once_and_finds_it_again(a01, published, machine):
    course = machine / "deep-vision-workbook"
    assert run_cell(a01, machine, str(published)).startswith(f"{course} PyTorch")
    assert run_cell(a01, machine, "nowhere").startswith(f"{course} PyTorch")
    assert run_cell(a01, course / "assignments" / "a01_knn", "nowhere").startswith(f"{course} PyTorch")


def test_it_fetches_the_course_to_the_drive_where_one_is_mounted(a01, published, machine, tmp_path):
    drive = tmp_path / "MyDrive"
    drive.mkdir()
    shown = run_cell(a01, machine, str(published), str(drive))
    assert shown.startswith(f"{drive}/deep-vision-workbook PyTorch") and not list(machine.iterdir())
    assert run_cell(a01, machine, "nowhere", str(drive)) == shown


def test_an_interrupted_clone_heals(a01, published, machine):
    (machine / "deep-vision-workbook.new" / ".git").mkdir(parents=True)
    assert "PyTorch" in run_cell(a01, machine, str(published))
    assert not (machine / "deep-vision-workbook.new").exists()


@pytest.mark.parametrize(
    ("repository", "path", "sentence"),
    [
        ("https://nowhere.invalid/course", None, "git cannot fetch it from https://nowhere.invalid/course"),
        ("https://nowhere.invalid/course", "", "git cannot fetch it from https://nowhere.invalid/course"),
        ("", None, "git cannot fetch it from an address unknown"),
    ],
    ids=["no network", "no git", "no address"],
)
def test_what_fails_is_one_sentence_and_heals(a01, published, machine, repository, path, sentence):
    shown = run_cell(a01, machine, repository, PATH=os.environ["PATH"] if path is None else path)
    assert f"The course is not here, and {sentence}: open its folder, or run this again." in shown
    assert "PyTorch" in run_cell(a01, machine, str(published))


def test_a_failed_installation_is_one_sentence_and_is_tried_again(monkeypatch):
    tried = []

    def pip(command, **_):
        tried.append(command)
        return subprocess.CompletedProcess(command, returncode=len(tried) == 1)

    monkeypatch.setattr(start, "_is_here", lambda package: package not in ("jaxtyping", "jupyterlab"))
    monkeypatch.setattr(start.subprocess, "run", pip)
    with pytest.raises(start.SetUpError, match=r"^pip cannot install jaxtyping==\S+: is there a network\?"):
        start.start_notebook("a01")
    assert "PyTorch" in start.start_notebook("a01")
    assert len(tried) == 2 and tried[1][-1].startswith("jaxtyping==")
    assert sys.path == list(dict.fromkeys(sys.path))


@pytest.fixture(scope="session")
def colab() -> Path:
    """The Python of an environment with Colab's versions, which is kept for the next time.

    It lies in the folder that WORKBOOK_COLAB names, and takes seven gigabytes.
    """
    if "WORKBOOK_COLAB" not in os.environ:
        pytest.skip("WORKBOOK_COLAB names no folder for an environment with Colab's versions")
    folder = Path(os.environ["WORKBOOK_COLAB"])
    python = folder / "bin" / "python"
    given = {Requirement(line).name for line in COLAB}
    needed = [*COLAB, *(line for line in start._course_packages() if Requirement(line).name not in given)]
    if (folder / "complete").exists():
        return python
    for command in (["python3.12", "-m", "venv", folder], [python, "-m", "pip", "install", "-q", *needed]):
        try:
            subprocess.run(command, check=True, capture_output=True, text=True)
        except FileNotFoundError:
            pytest.skip("there is no python3.12")
        except subprocess.CalledProcessError as error:
            pytest.skip(f"Colab's versions cannot be had: {error.stderr.strip().splitlines()[-1:]}")
    (folder / "complete").touch()
    return python


@pytest.mark.slow
def test_a_whole_assignment_runs_with_the_versions_of_colab(colab, a01, published, machine, monkeypatch):
    kernel = machine / "kernels" / "colab"
    kernel.mkdir(parents=True)
    argv = f'["{colab}", "-m", "ipykernel_launcher", "-f", "{{connection_file}}"]'
    (kernel / "kernel.json").write_text(f'{{"argv": {argv}, "display_name": "Colab", "language": "python"}}')
    monkeypatch.setenv("JUPYTER_PATH", str(machine))
    monkeypatch.setenv("WORKBOOK_QUICK", "1")
    monkeypatch.delenv("PYTHONPATH", raising=False)
    notebook = nbformat.read(published / a01.notebook_paths[0], as_version=4)
    set_up = next(cell for cell in notebook.cells if cell.id == CELL)
    set_up.source = re.sub('REPOSITORY = ".*"', f'REPOSITORY = "{published}"', set_up_cell(a01))
    reference = str(ROOT / a01.editable[0])
    solve = nbformat.v4.new_code_cell(
        f"import shutil\nfrom exercise_code import knn\nshutil.copy({reference!r}, knn.__file__)"
    )
    notebook.cells.insert(notebook.cells.index(set_up) + 1, solve)
    hand_in = "from exercise_code.support.notebook.work import submit\nsubmit('a01')"
    notebook.cells.append(nbformat.v4.new_code_cell(hand_in))
    resources = {"metadata": {"path": str(machine)}}
    NotebookClient(notebook, timeout=300, kernel_name="colab", resources=resources).execute()
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            assert output.get("name") != "stderr", output["text"]
        if cell.metadata.get("nbgrader", {}).get("grade") and cell.cell_type == "code":
            points = sum(check.points for check in a01.checks if f'"{check.exercise}"' in cell.source)
            assert float(cell.outputs[-1]["data"]["text/plain"]) == points
    said = "".join(output.get("text", "") for output in notebook.cells[-1].outputs)
    assert "4 of 4 written answers are still empty" in said and "Packed exercise_code/knn.py" in said
    (archive,) = machine.rglob("a01_knn.zip")
    with zipfile.ZipFile(archive) as packed:
        assert packed.read(a01.editable[0]) == Path(reference).read_bytes()


CHECKS = """
import sys
import zipfile
from exercise_code.support.checking.assignment import find_assignment
from exercise_code.support.checking.student_check import checked
assignment = find_assignment(sys.argv[1])
for verdict in checked(assignment, [it for it in assignment.checks if it.target is None]).verdicts:
    if verdict.status != "passed":
        print(verdict.check, verdict.status, verdict.message)
"""


@pytest.mark.slow
def test_the_reference_is_right_with_the_versions_of_colab(colab, assignment, tmp_path):
    from exercise_code.support.checking.answers import make_answers
    from exercise_code.support.checking.student_check import VISIBLE_SEED
    from grading.editions.student_files import write_student_files

    write_student_files(assignment, tmp_path)
    answers: Answers = make_answers(assignment.checks, assignment.mistakes, VISIBLE_SEED)
    answers.save(tmp_path / "assignments" / assignment.name / assignment.answers_path.name)
    for name in assignment.editable:
        shutil.copy(ROOT / name, tmp_path / name)
    env = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    command = [colab, "-c", CHECKS, assignment.short]
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr[-2000:]
