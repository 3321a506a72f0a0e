"""What students have done is found, kept, brought back and packed, wherever they did it."""

import json
import os
import shutil
import subprocess
import sys
import types
import zipfile
from pathlib import Path

import pytest

from exercise_code import __main__
from exercise_code.support.checking.assignment import Assignment, read_assignment
from exercise_code.support.checking.judge import Verdict
from exercise_code.support.notebook import work
from exercise_code.support.notebook.work import WorkError, open_notebook, pack, restore, save, unanswered
from exercise_code.support.paths import ROOT

NOTEBOOK, MODULE = "assignments/a01_knn/knn.ipynb", "exercise_code/knn.py"


@pytest.fixture
def course(tmp_path, monkeypatch) -> Path:
    """A student's copy of two assignments, nothing answered; the working directory is another."""
    root = tmp_path / "course"
    for name in ("a01_knn", "a02_linear"):
        assignment = read_assignment(ROOT / "assignments" / name)
        for file in [*assignment.editable, *assignment.notebook_paths, f"assignments/{name}/assignment.toml"]:
            (root / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / file, root / file)
        for file in assignment.notebook_paths:
            answer(root / file, "*Your answer here.*")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(work, "ELSEWHERE", (tmp_path / "elsewhere",))
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    return root


@pytest.fixture
def a01(course) -> Assignment:
    """The assignment in that copy."""
    return read_assignment(course / "assignments" / "a01_knn")


def answer(path: Path, text: str, question: str = "") -> bytes:
    """Write into the cells for answers of a notebook, or into one of them."""
    notebook = json.loads(path.read_bytes())
    for cell in notebook["cells"]:
        marks = cell["metadata"].get("nbgrader", {})
        if cell["cell_type"] == "markdown" and marks.get("solution") and question in marks["grade_id"]:
            cell["source"] = [text]
    path.write_text(json.dumps(notebook))
    return path.read_bytes()


def packed(course: Path) -> dict[str, bytes]:
    """What the archive of a01 holds."""
    with zipfile.ZipFile(course / "a01_knn.zip") as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_it_says_which_answers_are_empty(course, a01):
    (line,) = [line for line in pack(a01, course) if "written answers" in line]
    assert line.startswith("4 of 4 written answers are still empty, worth 12 points: question-")
    content = answer(course / NOTEBOOK, "k = 3", "best-k")
    assert "question-best-k" not in unanswered(a01, [content]) and len(unanswered(a01, [content])) == 3
    answer(course / NOTEBOOK, "yes")
    assert not [line for line in pack(a01, course) if "written answers" in line]


def test_what_nobody_has_touched_is_packed_and_called_so(course, a01):
    def said(*statuses: str) -> list[str]:
        notes = pack(a01, course, [Verdict("knn.x", "", 1.0, status=status) for status in statuses])
        return [note for note in notes if "Nothing is written yet" in note]

    assert said("not_written", "blocked") == said("not_written")
    assert said("not_written") == [f"Nothing is written yet in {MODULE}: that earns no points."]
    assert not said("not_written", "failed") and not said("passed") and not said()
    assert packed(course)[MODULE] == (course / MODULE).read_bytes()


@pytest.mark.parametrize("name", ["knn (1).ipynb", "Copy of knn.ipynb", "knn-Copy1.ipynb"])
def test_a_copy_that_is_newer_is_packed_and_named(course, a01, tmp_path, name):
    (tmp_path / "elsewhere").mkdir()
    copy = Path(shutil.copy(course / NOTEBOOK, tmp_path / "elsewhere" / name))
    answered = answer(copy, "an answer")
    os.utime(course / NOTEBOOK, (1, 1))
    assert f"The notebook is {copy}: save it before you submit." in pack(a01, course)
    assert packed(course)[NOTEBOOK] == answered
    os.utime(copy, (0, 0))
    assert f"The notebook is {NOTEBOOK}: save it before you submit." in pack(a01, course)


def test_another_notebook_of_that_name_is_not_taken(course, a01, tmp_path):
    (tmp_path / "knn.ipynb").write_text(json.dumps({"cells": [{"source": "# Mine", "metadata": {}}]}))
    (tmp_path / "my-knn.ipynb").write_text("not JSON")
    assert open_notebook(NOTEBOOK, course)[1] == NOTEBOOK


@pytest.mark.parametrize("front_end", ["jupyterlab", "vscode"])
def test_the_notebook_of_the_kernel_goes_first(course, tmp_path, monkeypatch, front_end):
    copy = Path(shutil.copy(course / NOTEBOOK, tmp_path / "knn-Copy1.ipynb"))
    os.utime(copy, (0, 0))
    if front_end == "jupyterlab":
        monkeypatch.setenv("JPY_SESSION_NAME", str(copy))
    else:
        monkeypatch.setattr(sys.modules["__main__"], "__vsc_ipynb_file__", str(copy), raising=False)
    assert open_notebook(NOTEBOOK, course)[1] == str(copy)


@pytest.fixture
def colab(course, monkeypatch) -> list[dict]:
    """A stand-in for google.colab; the first in the list is the notebook that it has open."""
    opened: list[dict] = []
    package, colab = types.ModuleType("google"), types.ModuleType("google.colab")

    def blocking_request(request: str, timeout_sec: int) -> dict:
        return {"ipynb": opened[0]}

    colab._message = types.SimpleNamespace(blocking_request=blocking_request)
    monkeypatch.setitem(sys.modules, "google", package)
    monkeypatch.setitem(sys.modules, "google.colab", colab)
    return opened


def test_what_colab_has_open_is_packed(course, a01, colab):
    assert open_notebook(NOTEBOOK, course)[1] == NOTEBOOK, "it does not answer"
    original = (course / NOTEBOOK).read_bytes()
    colab.append(json.loads(answer(course / NOTEBOOK, "typed in the browser")))
    (course / NOTEBOOK).write_bytes(original)
    assert "The notebook is the one that is open: save it before you submit." in pack(a01, course)
    assert b"typed in the browser" in packed(course)[NOTEBOOK]
    colab[0] = {"cells": [{"source": ["# another"], "metadata": {}}]}
    assert open_notebook(NOTEBOOK, course)[1] == NOTEBOOK


def test_kaggle_does_not_give_out_the_notebook_that_is_open(course, a01, tmp_path, monkeypatch):
    own = f"The notebook is {NOTEBOOK}: Kaggle does not give out the open one: download that"
    assert not [note for note in pack(a01, course) if note.startswith(own)]
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.setattr(work, "KAGGLE", tmp_path / "elsewhere")
    assert [note for note in pack(a01, course) if note.startswith(own)]
    copy = Path(shutil.copy(course / NOTEBOOK, tmp_path / "elsewhere"))
    os.utime(course / NOTEBOOK, (1, 1))
    assert f"The notebook is {copy}: save it before you submit." in pack(a01, course)


def test_what_is_missing_or_in_the_way_is_one_sentence(course, a01):
    (course / "a01_knn.zip").mkdir()
    with pytest.raises(WorkError, match=r"a01_knn.zip cannot be written: Is a directory"):
        pack(a01, course)
    (course / NOTEBOOK).unlink()
    with pytest.raises(WorkError, match=f"{NOTEBOOK} is missing: put it back"):
        pack(a01, course)
    (course / MODULE).unlink()
    with pytest.raises(WorkError, match=f"{MODULE} is missing: put it back"):
        pack(a01, course)


def test_work_survives_a_machine_and_nothing_is_lost_on_the_way_back(course, tmp_path, capsys):
    pristine = (course / MODULE).read_bytes()
    (course / MODULE).write_text("mine = 1\n")
    linear = "exercise_code/linear/features.py"
    (course / linear).write_text("mine = 2\n")
    answered = answer(course / NOTEBOOK, "my answer")
    save(tmp_path / "drive", course)
    save(tmp_path / "drive", course)
    assert "Nothing has changed since" in capsys.readouterr().out
    (course / MODULE).write_bytes(pristine)
    (course / linear).unlink()
    answer(course / NOTEBOOK, "written on the new machine")
    restore(tmp_path / "drive", course)
    assert (course / MODULE).read_text() == "mine = 1\n" and (course / linear).read_text() == "mine = 2\n"
    assert (course / NOTEBOOK).read_bytes() == answered
    assert NOTEBOOK in capsys.readouterr().out
    (replaced,) = (course / "saved").iterdir()
    with zipfile.ZipFile(replaced) as archive:
        assert archive.read(MODULE) == pristine and b"on the new machine" in archive.read(NOTEBOOK)
    restore(tmp_path / "drive", course)
    assert capsys.readouterr().out.startswith("All is as in ")


def test_an_earlier_archive_can_be_brought_back(course, tmp_path):
    for number in range(3):
        (course / MODULE).write_text(f"version = {number}\n")
        save(tmp_path / "drive", course)
    first, _, last = sorted((tmp_path / "drive").iterdir())
    restore(first, course)
    assert (course / MODULE).read_text() == "version = 0\n"
    last.write_bytes(b"damaged")
    with pytest.raises(WorkError, match="is damaged: name an earlier archive"):
        restore(tmp_path / "drive", course)


def test_an_archive_brings_back_nothing_but_what_students_write(course, tmp_path):
    with zipfile.ZipFile(tmp_path / "made_up.zip", "w") as archive:
        archive.writestr("../outside.py", "")
        archive.writestr("exercise_code/support/paths.py", "")
        archive.writestr(MODULE, "mine = 1\n")
    restore(tmp_path / "made_up.zip", course)
    assert (course / MODULE).read_text() == "mine = 1\n"
    assert not (tmp_path / "outside.py").exists() and not (course / "exercise_code/support").exists()


def test_in_a_terminal(course, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(__main__, "ROOT", course)
    (course / MODULE).write_text("mine = 1\n")
    assert __main__.main(["restore", str(tmp_path / "kept")]) == 2
    assert "nothing has been saved in" in capsys.readouterr().out
    assert __main__.main(["save", str(tmp_path / "kept")]) == 0
    (course / MODULE).write_text("")
    assert __main__.main(["restore", str(tmp_path / "kept")]) == 0
    assert (course / MODULE).read_text() == "mine = 1\n"
    (tmp_path / "file").touch()
    assert __main__.main(["save", str(tmp_path / "file")]) == 2


def test_another_python_than_the_courses_is_told_so():
    command = [sys.executable, "-S", "-m", "exercise_code", "data", "get", "cifar10"]
    done = subprocess.run(command, cwd=ROOT, env={}, capture_output=True, text=True)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert f"The course's packages are not in {sys.executable}" in done.stderr


def test_without_a_drive_a_folder_must_be_named(course):
    with pytest.raises(WorkError, match="there is no Drive here: mount it, or name a folder"):
        save(root=course)
