"""`workbook new`: what it writes works at once, and what it refuses leaves nothing behind."""

import os
import shutil
import subprocess
import sys

import nbformat
import pytest
from helpers import tiny_assignment

from exercise_code.support.checking.headings import HEADING
from exercise_code.support.paths import ROOT
from grading.course import CourseError
from grading.editions.skeleton import new_assignment
from grading.notebooks.set_up_cell import CELL, set_up_cell
from grading.notebooks.source_format import format_notebooks, formatted

IGNORED = shutil.ignore_patterns(".*", "__pycache__", "build", "*.egg-info", "cache")


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A copy of the project with two new assignments."""
    copy = shutil.copytree(ROOT, tmp_path_factory.mktemp("new") / "course", ignore=IGNORED)
    for name, *modules in [("a91_cnn", "cnn.layers", "cnn.pooling"), ("a92_zoo", "zoo")]:
        options = [part for module in modules for part in ("--module", module)]
        done = python(copy, "-m", "grading.cli", "new", name, *options, "--title", "A test")
        assert done.returncode == 0, done.stderr
    return copy


def python(folder, *arguments):
    """Run Python in a copy of the project."""
    environment = {name: text for name, text in os.environ.items() if not name.startswith("PYTEST_")}
    environment["PYTHONPATH"] = str(folder)
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


@pytest.mark.parametrize("name", ["a91", "a92"])
def test_the_example_earns_all_points(course, name):
    done = python(course, "-m", "exercise_code", "check", name)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 of 2" in done.stdout


def test_progress_reads_the_headings(course):
    text = (course / "assignments/a91_cnn/cnn.ipynb").read_text()
    (heading,) = filter(None, (HEADING.search(cell.source) for cell in nbformat.reads(text, 4).cells))
    assert heading.groups() == ("Exercise 1", "unit_rows", "5", None)


def test_both_are_released(course, tmp_path):
    done = python(course, "-m", "grading.cli", "release", "a91", "a92", "--build", str(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "NotImplementedError" in (tmp_path / "student/exercise_code/cnn/layers.py").read_text()


def test_they_are_in_the_style_of_the_house(course):
    done = python(course, "-m", "ruff", "check", "assignments", "exercise_code")
    assert done.returncode == 0, done.stdout
    done = python(course, "-m", "ruff", "format", "--check", "assignments", "exercise_code")
    assert done.returncode == 0, done.stdout


@pytest.mark.slow
def test_contract_and_oracles_pass(course):
    stamp = "tests/contract/test_course.py::test_the_stamp_fits"
    options = ["-q", "-p", "no:cacheprovider", "--depth", "touch", "--deselect", stamp]
    done = python(course, "-m", "pytest", *options, "assignments/a91_cnn", "assignments/a92_zoo")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]


@pytest.mark.parametrize(
    "name, modules, title, message",
    [
        ("a4_cnn", ["cnn"], "T", "no name of an assignment"),
        ("a90_other", ["cnn"], "T", "a90_tiny is there already"),
        ("a91_../x", ["cnn"], "T", "no name of an assignment"),
        ("a91_cnn", [], "T", "name a module"),
        ("a91_cnn", ["knn"], "T", "knn.py is there already"),
        ("a91_cnn", ["knn.layers"], "T", "knn.py is there already"),
        ("a91_cnn", ["cnn", "cnn"], "T", "cannot both"),
        ("a91_cnn", ["cnn", "cnn.layers"], "T", "cannot both"),
        ("a91_cnn", ["support.layers"], "T", "is given"),
        ("a91_cnn", ["class"], "T", "no name of a module"),
        ("a91_cnn", ["cnn"], 'a "T"', "quotes"),
    ],
)
def test_what_is_refused_writes_nothing(tmp_path, name, modules, title, message):
    tiny_assignment(tmp_path / "assignments")
    (tmp_path / "exercise_code").mkdir()
    (tmp_path / "exercise_code" / "knn.py").touch()
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(CourseError, match=message):
        new_assignment(name, modules, title, tmp_path)
    assert sorted(tmp_path.rglob("*")) == before


def test_format_writes_the_set_up_cell_and_drops_outputs(tmp_path):
    tiny = tiny_assignment(tmp_path)
    path = tiny.folder / tiny.notebooks[0]
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[0].outputs = [nbformat.v4.new_output("stream", text="left over")]
    nbformat.write(notebook, path)
    format_notebooks(tiny)
    text = path.read_text()
    cells = {cell.id: cell for cell in nbformat.reads(text, as_version=4).cells}
    assert cells[CELL].source == set_up_cell(tiny)
    assert "left over" not in text and text == formatted(text)
    path.write_text("no notebook")
    with pytest.raises(CourseError, match=r"tiny\.ipynb of a90_tiny is no notebook"):
        format_notebooks(tiny)
    assert path.read_text() == "no notebook"


def test_format_lists_the_words_of_each_notebook(tmp_path):
    tiny = tiny_assignment(tmp_path / "assignments")
    path, glossary = tiny.folder / "tiny.ipynb", tmp_path / "assignments/glossary.toml"

    def last_cell() -> nbformat.NotebookNode:
        format_notebooks(tiny)
        return nbformat.read(path, as_version=4).cells[-1]

    assert last_cell().id == "check-one"
    glossary.write_text(
        '["a90_tiny/tiny.ipynb"]\n"slope" = ["ex-one", "How steep."]\n"Loss" = ["ex-one", "How wrong."]\n'
        '["a91_other/tiny.ipynb"]\n"rate" = ["ex-one", "How fast."]\n',
        encoding="utf-8",
    )
    for _ in range(2):
        assert last_cell().source.splitlines()[2:4] == [
            "* [**Loss**](tiny.ipynb#cell-id=ex-one): How wrong.",
            "* [**slope**](tiny.ipynb#cell-id=ex-one): How steep.",
        ]
    assert [cell.id for cell in nbformat.read(path, as_version=4).cells].count("glossary") == 1
    glossary.write_text("", encoding="utf-8")
    assert last_cell().id == "check-one"


@pytest.mark.parametrize("text", ["[", "tensor = 3", '["a90_tiny/tiny.ipynb"]\ntensor = ["ex-one"]'])
def test_a_damaged_glossary_is_one_sentence(tmp_path, text):
    tiny = tiny_assignment(tmp_path / "assignments")
    (tmp_path / "assignments/glossary.toml").write_text(text, encoding="utf-8")
    with pytest.raises(CourseError, match=r"glossary.toml is damaged .*write term = "):
        format_notebooks(tiny)
