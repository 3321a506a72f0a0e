"""The student edition: what is in it, what must not be, and that it works alone."""

import json
import shutil
import subprocess
import sys

import nbformat
import pytest
from nbclient import NotebookClient

from exercise_code.support.checking.assignment import read_assignment
from exercise_code.support.paths import ROOT
from grading.course import CourseError
from grading.editions.release import faults, leaks, release
from grading.editions.student_files import strip_solutions
from grading.notebooks.nbgrader_course import with_points


@pytest.fixture
def edition(build, tmp_path):
    """A student edition that may be written to."""
    return shutil.copytree(build / "student", tmp_path / "student")


def python(edition, *arguments):
    """Run Python in an edition as a student would, with the edition's own modules."""
    command = [sys.executable, "-B", *arguments]
    return subprocess.run(command, cwd=edition, capture_output=True, text=True, timeout=120)


def test_the_edition_holds_what_students_need_and_nothing_else(build):
    files = {
        path.relative_to(build / "student").as_posix()
        for path in (build / "student").rglob("*")
        if path.is_file()
    }
    given = {name for name in files if name.startswith("exercise_code/support/")}
    assert given
    assert files - given == {
        ".github/workflows/checks.yml",
        "README.md",
        "requirements.txt",
        "assignments/a01_knn/answers.safetensors",
        "assignments/a01_knn/assignment.toml",
        "assignments/a01_knn/checks.py",
        "assignments/a01_knn/figures.py",
        "assignments/a01_knn/knn.ipynb",
        "datasets/README.md",
        "datasets/registry.toml",
        "exercise_code/__init__.py",
        "exercise_code/__main__.py",
        "exercise_code/knn.py",
    }


def test_a_release_has_no_leaks_and_no_faults(a01, build):
    assert leaks(a01, build / "student") == []
    assert faults(a01, build / "student") == []


@pytest.mark.parametrize(
    "name, content, complaint",
    [
        ("exercise_code/support/devices.pyc", b"\x00", "does not belong"),
        ("exercise_code/__pycache__/knn.cpython-311.pyc", b"\x00", "does not belong"),
        ("assignments/a01_knn/mistakes.py", b"", "does not belong"),
        ("notes.md", b"use `dists[i, j] = (a - b).square().sum().sqrt()` there", "solution line"),
        ("notes.md", b"dists[i,j]\n=\n(a-b) .square() .sum().sqrt()", "solution line"),
        ("exercise_code/extra.py", b"    ### BEGIN SOLUTION\n", "solution marker"),
    ],
)
def test_leaks_are_found_in_files(a01, edition, name, content, complaint):
    (edition / name).parent.mkdir(exist_ok=True)
    (edition / name).write_bytes(content)
    found = leaks(a01, edition)
    assert found
    assert name in found[0]
    assert complaint in found[0]


def add_output(cell):
    cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": ["1.0"]}]


def add_count(cell):
    cell["execution_count"] = 3


def add_comment(cell):
    cell["source"].append("\n# nearest = dists.topk(k, dim=0, largest=False).indices")


@pytest.mark.parametrize(
    "change, complaint",
    [(add_output, "outputs"), (add_count, "outputs"), (add_comment, "solution line")],
)
def test_leaks_are_found_in_notebooks(a01, edition, change, complaint):
    path = edition / a01.notebook_paths[0]
    notebook = json.loads(path.read_text())
    change(next(cell for cell in notebook["cells"] if cell["cell_type"] == "code"))
    path.write_text(json.dumps(notebook))
    assert any(complaint in sentence for sentence in leaks(a01, edition))


def test_leaks_are_found_in_metadata(a01, edition):
    path = edition / a01.notebook_paths[0]
    notebook = json.loads(path.read_text())
    notebook["cells"][0]["metadata"]["note"] = "nearest = dists.topk(k, dim=0, largest=False).indices"
    path.write_text(json.dumps(notebook))
    assert any("solution line" in sentence for sentence in leaks(a01, edition))


def test_model_answers_do_not_reach_students(a01, build):
    source = nbformat.read(a01.folder / a01.notebooks[0], as_version=4)
    released = (build / "student" / a01.notebook_paths[0]).read_text()
    answers = [cell.source for cell in source.cells if cell.metadata.get("nbgrader", {}).get("solution")]
    assert len(answers) == len(a01.questions)
    for answer in answers:
        assert answer.startswith("Full credit")
        assert answer[:60] not in released


def test_a_stub_keeps_docstring_signature_and_imports_and_names_its_exercise(a01, build):
    stub = (build / "student/exercise_code/knn.py").read_text()
    reference = (ROOT / "exercise_code/knn.py").read_text()
    for name in (
        "compute_distances_two_loops",
        "predict_labels",
        "KnnClassifier.predict",
        "KnnClassifier.__init__",
    ):
        assert f'    raise NotImplementedError("{name}")\n' in stub
    assert stub.split("def ")[0] == reference.split("def ")[0]
    assert stub.count('"""') == reference.count('"""')
    assert "return (self.predict(x_test, k) == y_test).double().mean().item()" in stub


def test_every_stub_imports_and_raises(edition):
    program = (
        "import torch; from exercise_code import knn; x, y = torch.rand(2, 3), torch.tensor([0, 1])\n"
        "calls = [lambda: knn.compute_distances_two_loops(x, x),\n"
        "         lambda: knn.compute_distances_one_loop(x, x),\n"
        "         lambda: knn.compute_distances_no_loops(x, x), lambda: knn.predict_labels(x, y),\n"
        "         lambda: knn.KnnClassifier(x, y), lambda: knn.knn_cross_validate(x, y),\n"
        "         lambda: knn.knn_get_best_k({})]\n"
        "for call in calls:\n"
        "    try:\n        call()\n"
        "    except NotImplementedError as error:\n        print(error)\n"
        "print(knn.__file__)"
    )
    lines = python(edition, "-c", program).stdout.splitlines()
    assert len(lines) == 8
    assert lines[4] == "KnnClassifier.__init__"
    assert str(edition) in lines[-1]


def test_a_faulty_edition_is_refused(a01, edition):
    path = edition / "exercise_code/knn.py"
    path.write_text(path.read_text().replace('raise NotImplementedError("knn_get_best_k")', "return 3"))
    assert any(
        "knn.knn_get_best_k of the empty edition is failed" in sentence for sentence in faults(a01, edition)
    )


def test_a_refused_release_leaves_no_edition(a01, tmp_path, monkeypatch):
    monkeypatch.setattr(
        "grading.editions.release.leaks", lambda assignment, edition: ["notes.md has the solution"]
    )
    with pytest.raises(CourseError, match="not fit for release: notes"):
        release(a01, tmp_path)
    assert not (tmp_path / "student").exists()


def test_students_check_and_submit_in_a_terminal(edition):
    empty = python(edition, "-m", "exercise_code", "check", "a01")
    assert empty.returncode == 1
    assert "0 of 28 points" in empty.stdout
    shutil.copy(ROOT / "exercise_code/knn.py", edition / "exercise_code/knn.py")
    filled = python(edition, "-m", "exercise_code", "submit", "a01")
    assert filled.returncode == 0, filled.stdout + filled.stderr
    assert "28 of 28 points" in filled.stdout
    assert (edition / "a01_knn.zip").exists()
    wrong = python(edition, "-m", "exercise_code", "check", "a99")
    assert wrong.returncode == 2
    assert "nothing is called 'a99'" in wrong.stdout
    assert not wrong.stderr


def test_a_known_mistake_gets_its_hint_in_the_edition(a01, edition):
    """The hint comes from the baked answers: mistakes.py is not there."""
    from grading.editions.made_up_class import with_mistake

    (mistake,) = (mistake for mistake in a01.mistakes if mistake.name == "no_loops_squared")
    texts = with_mistake({"exercise_code/knn.py": (ROOT / "exercise_code/knn.py").read_text()}, mistake)
    (edition / "exercise_code/knn.py").write_text(texts["exercise_code/knn.py"])
    shown = python(edition, "-m", "exercise_code", "check", "knn.compute_distances_no_loops").stdout
    assert "take the square root at the end" in " ".join(shown.split())


def test_damaged_answers_are_one_sentence(edition):
    path = edition / "assignments/a01_knn/answers.safetensors"
    path.write_bytes(path.read_bytes()[:1000])
    found = python(edition, "-m", "exercise_code", "check", "a01")
    assert found.returncode == 2
    assert "download the assignment again" in " ".join(found.stdout.split())
    path.unlink()
    found = python(edition, "-m", "exercise_code", "check", "a01")
    assert "is missing" in found.stdout
    assert not found.stderr


def run_notebook(edition, a01, monkeypatch):
    monkeypatch.setenv("WORKBOOK_QUICK", "1")
    monkeypatch.delenv("WORKBOOK_DATA", raising=False)
    notebook = nbformat.read(edition / a01.notebook_paths[0], as_version=4)
    folder = {"metadata": {"path": str((edition / a01.notebook_paths[0]).parent)}}
    NotebookClient(notebook, timeout=300, allow_errors=True, resources=folder).execute()
    return {
        cell.id: [output for output in cell.outputs if output.output_type == "error"]
        for cell in notebook.cells
        if cell.cell_type == "code"
    }, notebook


def test_the_filled_notebook_runs_in_the_edition_alone(a01, edition, monkeypatch):
    shutil.copy(ROOT / "exercise_code/knn.py", edition / "exercise_code/knn.py")
    errors, notebook = run_notebook(edition, a01, monkeypatch)
    assert not any(errors.values())
    points = [
        output["data"]["text/plain"]
        for cell in notebook.cells
        if cell.metadata.get("nbgrader", {}).get("grade") and cell.cell_type == "code"
        for output in cell.outputs
    ]
    assert sum(map(float, points)) == a01.max_points


def test_the_empty_notebook_opens_and_its_checks_say_to_do(a01, edition, monkeypatch):
    errors, notebook = run_notebook(edition, a01, monkeypatch)
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("grade") and cell.cell_type == "code":
            assert not errors[cell.id]
            assert "to do" in cell.outputs[0]["data"]["text/html"]
            assert cell.outputs[0]["data"]["text/plain"] == "0.0"
    names = {error.ename for found in errors.values() for error in found}
    assert names <= {"NotImplementedError", "NameError"}


@pytest.mark.parametrize(
    "text, complaint",
    [
        ("x = 1\n### BEGIN SOLUTION\n### END SOLUTION\n", "line 2: a solution begins"),
        ("def f():\n    ### BEGIN SOLUTION\n    return 1\n", "the last solution does not end"),
        ("def f():\n    return 1\n    ### END SOLUTION\n", "line 3: a solution ends"),
    ],
)
def test_markers_that_do_not_match_are_refused(text, complaint):
    with pytest.raises(CourseError, match=complaint):
        strip_solutions(text, "f.py")


def test_cells_must_fit_checks_and_questions(a01, tmp_path):
    folder = shutil.copytree(a01.folder, tmp_path / "a01_knn")
    path = folder / a01.notebooks[0]
    original = nbformat.read(path, as_version=4)

    def refused(change) -> str:
        notebook = nbformat.from_dict(json.loads(json.dumps(original)))
        change(notebook.cells)
        nbformat.write(notebook, path)
        with pytest.raises(CourseError) as error:
            with_points(read_assignment(folder))
        return str(error.value)

    def graded(cells, kind):
        return next(
            i
            for i, c in enumerate(cells)
            if c.cell_type == kind and c.metadata.get("nbgrader", {}).get("grade")
        )

    assert "needs exactly one graded cell" in refused(lambda cells: cells.pop(graded(cells, "code")))
    assert "question" in refused(lambda cells: cells.pop(graded(cells, "markdown")))
    assert "checks no exercise" in refused(
        lambda cells: cells[graded(cells, "code")].update(source='check("knn")')
    )
