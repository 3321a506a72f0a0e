"""The student edition: what is in it, what must not be, and that it works alone."""

import base64
import json
import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from types import SimpleNamespace

import nbformat
import pytest
import yaml
from helpers import tiny_assignment, write
from nbclient import NotebookClient
from packaging.requirements import Requirement
from packaging.version import Version

from exercise_code.support.checking.answers import make_answers
from exercise_code.support.checking.assignment import all_folders, read_assignment
from exercise_code.support.edition import MANIFEST
from exercise_code.support.notebook import packages
from exercise_code.support.paths import ROOT
from grading import cli
from grading.course import Course, CourseError
from grading.editions import release as release_module
from grading.editions.release import (
    _add_notebooks,
    _logical_lines,
    _write_pages,
    faults,
    is_outdated,
    leaks,
    release,
)
from grading.editions.student_files import (
    requirements,
    strip_solutions,
    write_own,
    write_solutions,
    write_student_files,
)
from grading.notebooks.nbgrader_course import last_error, make_course, nbgrader_config, with_points


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
        ".devcontainer/devcontainer.json",
        ".github/workflows/checks.yml",
        ".gitattributes",
        ".gitignore",
        "AGENTS.md",
        "README.md",
        "edition.json",
        "progress.ipynb",
        "requirements.txt",
        "assignments/a01_knn/answers.safetensors.gz",
        "assignments/a01_knn/assignment.toml",
        "assignments/a01_knn/checks.py",
        "assignments/a01_knn/figures.py",
        "assignments/a01_knn/knn.ipynb",
        "assignments/a01_knn/on_paper.json",
        "assignments/a01_knn/self_tests.toml",
        "assignments/a01_knn/stand_ins.py",
        "datasets/README.md",
        "datasets/registry.toml",
        "exercise_code/__init__.py",
        "exercise_code/__main__.py",
        "exercise_code/knn.py",
    }


def test_the_workflow_installs_what_its_repository_says_and_no_jupyterlab(build, tmp_path):
    """pip passes over an empty variable, and prefers `+cpu` to what `requirements.txt` pins without it."""
    workflow = yaml.safe_load((build / "student/.github/workflows/checks.yml").read_text(encoding="utf-8"))
    (install,) = [step for step in workflow["jobs"]["check"]["steps"] if step.get("name") == "Install"]
    assert install["env"] == {"PIP_EXTRA_INDEX_URL": "${{ vars.PIP_EXTRA_INDEX_URL }}"}
    write(tmp_path, {"python": b"#!/bin/sh\necho $@\ncat $5"})
    (tmp_path / "python").chmod(0o755)
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "RUNNER_TEMP": str(tmp_path)}
    options = {"cwd": build / "student", "env": environment, "capture_output": True, "text": True}
    said = subprocess.run(["bash", "-e", "-c", install["run"]], check=True, **options).stdout
    command, *needed = said.splitlines()
    assert command == f"-m pip install -r {tmp_path}/requirements.txt"
    every = (build / "student/requirements.txt").read_text(encoding="utf-8").splitlines()
    (left_out,) = {*every} - {*needed}
    assert left_out.startswith("jupyterlab==")
    lines = (build / "student/requirements.txt").read_text(encoding="utf-8").splitlines()
    (pin,) = [Requirement(line).specifier for line in lines if line.startswith("torch=")]
    versions = [Version(str(pin).strip("=")), Version(f"{str(pin).strip('=')}+cpu")]
    assert max(pin.filter(versions)) == versions[1]


def test_a_release_has_no_leaks_and_no_faults(a01, build):
    assert leaks([a01], build / "student") == []
    assert faults(a01, build / "student") == []


@pytest.mark.parametrize(
    "name, content, complaint",
    [
        ("exercise_code/support/devices.pyc", b"\x00", "does not belong"),
        ("exercise_code/__pycache__/knn.cpython-311.pyc", b"\x00", "does not belong"),
        ("assignments/a01_knn/mistakes.py", b"", "does not belong"),
        ("assignments/a01_knn/on_paper.toml", b"", "does not belong"),
        ("notes.md", b"use `dists[i, j] = (a - b).square().sum().sqrt()` there", "solution line"),
        ("notes.md", b"dists[i,j]\n=\n(a-b) .square() .sum().sqrt()", "solution line"),
        ("exercise_code/extra.py", b"    ### BEGIN SOLUTION\n", "solution marker"),
    ],
)
def test_leaks_are_found_in_files(a01, edition, name, content, complaint):
    (edition / name).parent.mkdir(exist_ok=True)
    (edition / name).write_bytes(content)
    found = leaks([a01], edition)
    assert found
    assert name in found[0]
    assert complaint in found[0]


@pytest.mark.slow
def test_no_assignment_gives_away_what_another_asks_for(tmp_path):
    """All that `workbook release --all` brings into one edition, compared with the solutions of all."""
    edition, course = tmp_path / "student", [read_assignment(folder) for folder in all_folders()]
    for each in course:
        tree = tmp_path / each.name
        write_own(each, tree)
        shutil.copytree(tree, edition, dirs_exist_ok=True)
        _add_notebooks(each, tree, edition, tmp_path / "nbgrader")
    assert leaks(course, edition) == []


def test_what_brackets_span_is_one_line_of_a_solution():
    call = "    x = f(\n        a,\n        # an axis\n        b,\n    )"
    rest = ["    if x:", "        y = 2"]
    assert [*_logical_lines("\n".join([call, "    # note", "", *rest]))] == [call, *rest]


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
    assert any(complaint in sentence for sentence in leaks([a01], edition))


def test_leaks_are_found_in_metadata(a01, edition):
    path = edition / a01.notebook_paths[0]
    notebook = json.loads(path.read_text())
    notebook["cells"][0]["metadata"]["note"] = "nearest = dists.topk(k, dim=0, largest=False).indices"
    path.write_text(json.dumps(notebook))
    assert any("solution line" in sentence for sentence in leaks([a01], edition))


def test_leaks_are_found_in_attachments_and_in_what_a_notebook_says_of_itself(a01, edition):
    path, line = edition / a01.notebook_paths[0], "nearest = dists.topk(k, dim=0, largest=False).indices"
    whole = path.read_text()
    for place in ("attachment", "metadata"):
        notebook = json.loads(whole)
        if place == "metadata":
            notebook["metadata"]["author's note"] = line
        else:
            picture = base64.b64encode(f"<svg><text>{line}</text></svg>".encode()).decode()
            notebook["cells"][0]["attachments"] = {"sketch.svg": {"image/svg+xml": picture}}
        path.write_text(json.dumps(notebook))
        assert any("solution line" in sentence for sentence in leaks([a01], edition)), place


def test_a_solution_in_a_helper_outside_of_the_markers_is_found(a01, edition):
    path = edition / "exercise_code/knn.py"
    own = """

def _given(accuracies):
    return next(iter(accuracies))


def _my_reference(accuracies):
    average = {k: sum(found) / len(found) for k, found in accuracies.items()}
    return min(k for k in average if average[k] == max(average.values()))
"""
    path.write_text(path.read_text() + own)
    said = "gives knn_get_best_k away: _my_reference, outside of the markers, passes its checks"
    assert faults(a01, edition) == [f"exercise_code/knn.py {said}"]


def test_a_notebook_that_does_not_find_its_course_is_refused(a01, edition):
    path = edition / a01.notebook_paths[0]
    notebook = json.loads(path.read_text())
    first = next(cell for cell in notebook["cells"] if cell["cell_type"] == "code")
    for source, reason in (
        ("from exercise_code import knn", ""),
        ("import no_such_package", r" \(ModuleNotFoundError: No module named 'no_such_package'\)"),
    ):
        first["source"] = [source]
        path.write_text(json.dumps(notebook))
        (said,) = faults(a01, edition)
        assert re.fullmatch(
            rf"the first cell of knn.ipynb does not find the course .*{reason}: `workbook .*", said
        )


def test_notebooks_that_begin_alike_are_opened_once(tmp_path, monkeypatch):
    executed = []
    monkeypatch.setattr(release_module.NotebookClient, "execute", lambda self: executed.append(self.nb))
    paths = [tmp_path / "assignments/a90" / f"{name}.ipynb" for name in ("one", "two", "other")]
    paths[0].parent.mkdir(parents=True)
    for path, source in zip(paths, ("1", "1", "2"), strict=True):
        nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)]), path)
    said = [*release_module._not_opened(paths)]
    assert len(executed) == len(said) == 2
    assert "one.ipynb and two.ipynb" in said[0] and "other.ipynb" in said[1]


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


def contents(folder) -> dict[str, bytes]:
    """All files in a folder, but for git's own."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".git" not in path.parts
    }


@pytest.fixture
def tiny(a01, tmp_path, monkeypatch):
    """A second assignment; a release finds it by its name beside a01."""
    found = tiny_assignment(tmp_path / "assignments")
    monkeypatch.setattr("grading.editions.release.find_assignment", {a01.name: a01, found.name: found}.get)
    return found


@pytest.fixture
def course(build, tmp_path):
    """A build with a released a01 that may be written to."""
    return shutil.copytree(build, tmp_path / "build")


def test_a_second_release_adds_its_assignment_and_keeps_the_first(a01, tiny, build, course):
    done = release([tiny], course)
    before, after = contents(build / "student"), contents(course / "student")
    own = {
        f"assignments/{tiny.name}/{name}"
        for name in (
            "answers.safetensors.gz",
            "assignment.toml",
            "checks.py",
            "figures.py",
            "on_paper.json",
            "stand_ins.py",
            "tiny.ipynb",
        )
    }
    assert after.keys() - before.keys() == own | {"exercise_code/autograd_study.py"}
    assert not before.keys() - after.keys()
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"README.md", "edition.json", ".github/workflows/checks.yml"}
    assert (done.new, done.kept) == ([tiny.name], [])
    for name in ("README.md", ".github/workflows/checks.yml"):
        text = after[name].decode()
        assert a01.short in text
        assert tiny.short in text
    assert "| 2026-10-16 23:59 UTC+0200 |" in after["README.md"].decode()
    assert {path.name for path in (course / "nbgrader/source").iterdir()} == {a01.name, tiny.name}


def test_plain_nbgrader_takes_no_students_file_of_any_assignment(a01, tiny, tmp_path):
    for assignment in (a01, tiny):
        write_student_files(assignment, tmp_path / "tree")
        make_course(assignment, tmp_path / "tree", tmp_path / "course")
    settings = nbgrader_config(tmp_path / "course")
    assert settings.Autograde.exclude_overwriting == {a01.name: a01.editable, tiny.name: tiny.editable}
    assert settings.CourseDirectory.root == str(tmp_path / "course")


@pytest.mark.slow
def test_what_is_released_before_is_made_anew_only_where_its_checking_has_changed(
    a01, tiny, course, monkeypatch
):
    made = []

    def make(checks, mistakes, seed):
        made.append(checks[0].exercise.partition(".")[0])
        return make_answers(checks, mistakes, seed)

    monkeypatch.setattr("grading.editions.release.make_answers", make)
    release([tiny], course)
    assert made == ["autograd_study"]
    before = contents(course / "student")
    release([a01, tiny], course)
    assert made == ["autograd_study"]
    assert contents(course / "student") == before
    mistakes = tiny.folder / "mistakes.py"
    mistakes.write_text(mistakes.read_text().replace("Count from 0.", "Begin with 0."))
    (tiny.folder / "figures.py").write_text("PICTURE = 2\n")
    changed = {tiny.name: read_assignment(tiny.folder), a01.name: a01}
    monkeypatch.setattr("grading.editions.release.find_assignment", changed.get)
    release([a01], course)
    assert made == ["autograd_study"] * 2
    after = contents(course / "student")
    assert {name for name in after if after[name] != before[name]} == {
        "edition.json",
        f"assignments/{tiny.name}/answers.safetensors.gz",
        f"assignments/{tiny.name}/figures.py",
    }


def test_a_release_leaves_stubs_and_notebooks_of_the_others_as_they_were_published(
    tiny, a01, course, monkeypatch
):
    release([tiny], course)
    before = contents(course / "student")
    notebook = nbformat.read(tiny.folder / "tiny.ipynb", as_version=4)
    notebook.cells[1].source += "\n\nA hint that is still a draft."
    nbformat.write(notebook, tiny.folder / "tiny.ipynb")
    release([a01], course)
    assert contents(course / "student") == before
    release([tiny], course)
    assert "still a draft" in (course / "student" / tiny.notebook_paths[0]).read_text()


def test_an_edition_with_answers_of_earlier_solutions_is_known(a01, tiny, course):
    assert not is_outdated(a01, course / "student") and not is_outdated(tiny, course / "student")
    manifest = course / "student" / MANIFEST
    content = json.loads(manifest.read_text())
    content["assignments"][a01.name] = "of earlier solutions"
    manifest.write_text(json.dumps(content))
    assert is_outdated(a01, course / "student")
    assert not is_outdated(a01, course / "nothing")


def test_what_somebody_has_written_in_the_edition_stays(tiny, course):
    mine = course / "student/exercise_code/knn.py"
    mine.write_text("# my own work\n")
    (course / "student/LICENSE").write_text("mine")
    assert release([tiny], course).kept == ["exercise_code/knn.py"]
    assert mine.read_text() == "# my own work\n"
    assert (course / "student/LICENSE").read_text() == "mine"


def test_a_refused_release_changes_nothing(a01, tiny, course, tmp_path):
    before = contents(course)
    checks = tiny.folder / "checks.py"
    checks.write_text(
        checks.read_text() + "\n# x = torch.tensor(x0, dtype=torch.float64, requires_grad=True)\n"
    )
    with pytest.raises(CourseError, match=r"not fit for release: .*checks\.py has the solution line"):
        release([tiny], course)
    assert contents(course) == before
    with pytest.raises(CourseError, match="not fit for release"):
        release([tiny], tmp_path / "empty")
    assert not (tmp_path / "empty").exists()


def test_a_release_whose_processes_end_says_what_to_do(a01, tiny, tmp_path, monkeypatch):
    class Broken(ProcessPoolExecutor):
        def map(self, *_):
            raise BrokenProcessPool

    monkeypatch.setattr("grading.editions.release.ProcessPoolExecutor", Broken)
    with pytest.raises(CourseError, match="if memory is short, release one by one"):
        release([a01, tiny], tmp_path / "course")
    assert not (tmp_path / "course").exists()


def test_two_releases_are_equal_byte_for_byte(tiny, tmp_path):
    for place in ("one", "two"):
        release([tiny], tmp_path / place)
    assert contents(tmp_path / "one/student") == contents(tmp_path / "two/student")


def git(folder, *arguments):
    """Run git in a folder, as somebody who has no settings."""
    who = {f"GIT_{role}_{key}": "x@y" for role in ("AUTHOR", "COMMITTER") for key in ("NAME", "EMAIL")}
    environment = {**os.environ, **who, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    done = subprocess.run(["git", *arguments], cwd=folder, env=environment, capture_output=True, text=True)
    assert not done.returncode, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("committed", [False, True])
def test_a_student_pulls_the_next_assignment(a01, tiny, course, tmp_path, monkeypatch, committed):
    published, mine = course / "student", tmp_path / "mine"
    git(published, "init", "-q", "-b", "main")
    git(published, "add", ".")
    git(published, "commit", "-qm", "a01")
    git(tmp_path, "clone", "-q", str(published), str(mine))
    written = {"exercise_code/knn.py": b"# my own work\n", a01.notebook_paths[0]: b"{}\n"}
    for name, content in written.items():
        (mine / name).write_bytes(content)
    for leftover in ("a01_knn.zip", ".progress.json", "exercise_code/__pycache__/knn.pyc", ".venv/python"):
        (mine / leftover).parent.mkdir(exist_ok=True)
        (mine / leftover).write_text("not for git")
    if committed:
        git(mine, "add", ".")
        git(mine, "commit", "-qm", "mine")
        assert set(git(mine, "show", "--name-only", "--format=").split()) == written.keys()
    release([tiny], course)
    (published / "exercise_code/support/engine.py").write_text("# a newer engine\n")
    git(published, "add", ".")
    git(published, "commit", "-qm", tiny.short)
    git(mine, "pull", "-q", "--no-rebase", "--no-edit")
    expected = contents(published) | written
    found = contents(mine)
    assert {name: found[name] for name in expected} == expected


def test_the_address_of_the_course_is_in_its_notebooks(tiny, tmp_path, monkeypatch):
    def address(name):
        cells = nbformat.read(tmp_path / name / "student" / tiny.notebook_paths[0], as_version=4).cells
        return cells[0].source.splitlines()[0]

    release([tiny], tmp_path / "unpublished")
    assert address("unpublished") == 'REPOSITORY = ""'
    there = Course("x", "y", "https://example.org/course")
    monkeypatch.setattr("grading.notebooks.nbgrader_course.read_course", lambda: there)
    release([tiny], tmp_path / "published")
    assert address("published") == 'REPOSITORY = "https://example.org/course"'


def test_the_readme_opens_notebooks_elsewhere_and_says_where_to_hand_in(tiny, tmp_path, monkeypatch):
    course = Course("Seeing", "2030", "https://github.com/me/seeing.git", hand_in="in Moodle, week 3")
    for repository in (course.repository, ""):
        found = replace(course, repository=repository)
        monkeypatch.setattr("grading.editions.release.read_course", lambda found=found: found)
        _write_pages([tiny], tmp_path)
        readme = (tmp_path / "README.md").read_text()
        place = "me/seeing/blob/main/assignments/a90_tiny/tiny.ipynb)"
        assert (f"(https://colab.research.google.com/github/{place}" in readme) == bool(repository)
        assert (f"welcome?src=https://github.com/{place}" in readme) == bool(repository)
        row = next(line for line in readme.splitlines() if line.startswith("| a90"))
        assert row.count(" | ") == 3 and "submit a90` makes: in Moodle, week 3." in readme
        assert json.loads((tmp_path / ".devcontainer/devcontainer.json").read_text())["name"] == "Seeing"


def test_packages_of_assignments_are_added_to_the_requirements(a01, tiny):
    base = (ROOT / "requirements.txt").read_text()
    h5py = replace(a01, requires=["h5py==3.11.0", "torch==2.13.0"])
    again = replace(tiny, requires=["H5PY==3.11.0", "gymnasium==1.0"])
    assert requirements([a01]) == base
    assert requirements([h5py, again]) == (
        f"{base}# for a01_knn\nh5py==3.11.0\n# for a90_tiny\ngymnasium==1.0\n"
    )


@pytest.mark.parametrize(
    ("first", "second", "complaint"),
    [
        ("h5py==3.11.0", "h5py==3.12.0", "a90_tiny requires h5py==3.12.0, but a01_knn requires h5py==3.11.0"),
        ("torch==2.0", "h5py", "a01_knn requires torch==2.0, but requirements.txt requires torch=="),
        ("h5py", "==", "a90_tiny requires '==': pip cannot read that"),
    ],
)
def test_packages_that_contradict_each_other_are_refused(a01, tiny, first, second, complaint):
    with pytest.raises(CourseError, match=re.escape(complaint)):
        requirements([replace(a01, requires=[first]), replace(tiny, requires=[second])])


def test_missing_packages_are_named(a01, monkeypatch):
    wanted = ["torch", "torch<1", "no-such-package==1.0", "no-such-package; python_version < '3'"]
    monkeypatch.setattr(packages, "find_assignment", lambda name: replace(a01, requires=wanted))
    assert packages.missing_packages("a01") == ["torch<1", "no-such-package==1.0"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["a01", "--build"], "a01: released into"),
        (["--build"], "name the assignments to release"),
        (["a01", "a77", "--build"], "there is no assignment 'a77'"),
    ],
)
def test_the_command_says_what_it_has_done(course, capsys, monkeypatch, arguments, said):
    monkeypatch.setattr(sys, "argv", ["workbook", "release", *arguments, str(course)])
    code = 0
    try:
        cli.main()
    except SystemExit as stop:
        code = stop.code or 0
    out, err = capsys.readouterr()
    assert said in out + err
    assert ("Colab and Kaggle cannot fetch it" in out) == (code == 0) == (said in out)


def test_all_are_all_but_drafts(a01, tiny, monkeypatch, tmp_path):
    course, asked = [a01, replace(tiny, draft=True)], []
    monkeypatch.setattr(cli, "all_folders", lambda: [each.folder for each in course])
    monkeypatch.setattr(cli, "read_assignment", {each.folder: each for each in course}.get)
    monkeypatch.setattr(cli, "find_assignment", {each.name: each for each in course}.get)
    done = SimpleNamespace(kept=[])
    monkeypatch.setattr(
        "grading.editions.release.release", lambda them, build, reveal: asked.extend(them) or done
    )
    cli.release(everything=True, build=tmp_path)
    assert asked == [a01]


WITHOUT_JUPYTER = """
import sys

class Absent:
    def find_spec(name, path=None, target=None):
        if name.partition(".")[0] in ("IPython", "ipykernel", "jupyterlab", "traitlets"):
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Absent)
from exercise_code.__main__ import main
sys.exit(main(["check", "a01", "--written"]))
"""


def test_checks_run_without_jupyterlab(edition):
    shutil.copy(ROOT / "exercise_code/knn.py", edition / "exercise_code/knn.py")
    done = python(edition, "-c", WITHOUT_JUPYTER)
    assert done.returncode == 0 and "28 of 28 points" in done.stdout, done.stderr


def test_students_check_and_submit_in_a_terminal(edition):
    empty = python(edition, "-m", "exercise_code", "check", "a01")
    assert empty.returncode == 1
    assert "0 of 28 points" in empty.stdout
    untouched = python(edition, "-m", "exercise_code", "submit", "a01")
    assert untouched.returncode == 0 and "Packed" in untouched.stdout
    assert "Nothing is written yet in exercise_code/knn.py: that earns no points." in untouched.stdout
    shutil.copy(ROOT / "exercise_code/knn.py", edition / "exercise_code/knn.py")
    filled = python(edition, "-m", "exercise_code", "submit", "a01")
    assert filled.returncode == 0, filled.stdout + filled.stderr
    assert "28 of 28 points" in filled.stdout and "Nothing is written" not in filled.stdout
    assert (edition / "a01_knn.zip").exists()
    wrong = python(edition, "-m", "exercise_code", "check", "a99")
    assert wrong.returncode == 2
    assert "nothing is called 'a99'" in wrong.stdout
    assert not wrong.stderr


def test_who_learns_alone_sees_a_solution_after_honest_tries(a01, edition):
    path, name = edition / "exercise_code/knn.py", "knn.knn_get_best_k"
    stub = path.read_text()

    def versions(*results: str):
        for result in results:
            raising = 'raise NotImplementedError("knn_get_best_k")'
            path.write_text(stub.replace(raising, f"return {result}  # {len(results)}"))
            python(edition, "-m", "exercise_code", "check", name)

    def refused() -> str:
        done = python(edition, "-m", "exercise_code", "reveal", name)
        return done.stdout if done.returncode == 2 else ""

    versions("1", "2", "3")
    assert "there are no solutions in a course for a class" in refused()
    write_solutions(a01, edition)
    assert "has been tried 0 of 3 times" in refused()
    versions("1", "1", "2")
    assert "has been tried 2 of 3 times: check it 1 more" in refused()
    versions("3")
    done = python(edition, "-m", "exercise_code", "reveal", name)
    body = strip_solutions((ROOT / "exercise_code/knn.py").read_text(), "knn.py")
    assert done.returncode == 0 and "def knn_get_best_k" in done.stdout and done.stdout not in body
    assert "SOLUTION" not in done.stdout and "NotImplementedError" not in done.stdout
    assert json.loads((edition / ".tries.json").read_text())[name]["shown"]


def test_solutions_are_in_a_course_for_one_alone_and_leak_nowhere(tiny, tmp_path):
    release([tiny], tmp_path / "class")
    release([tiny], tmp_path / "alone", reveal=True)
    there = [*(tmp_path / "alone/student").rglob("solutions.json.gz")]
    assert len(there) == 1 and not [*(tmp_path / "class").rglob("solutions.json.gz")]
    assert not [*(tmp_path / "alone/nbgrader").rglob("solutions.json.gz")]
    assert leaks([tiny], tmp_path / "alone/student") == []


def test_a_known_mistake_gets_its_hint_in_the_edition(a01, edition):
    """The hint comes from the baked answers: mistakes.py is not there."""
    from grading.editions.made_up_class import with_mistake

    (mistake,) = (mistake for mistake in a01.mistakes if mistake.name == "no_loops_squared")
    texts = with_mistake({"exercise_code/knn.py": (ROOT / "exercise_code/knn.py").read_text()}, mistake)
    (edition / "exercise_code/knn.py").write_text(texts["exercise_code/knn.py"])
    shown = python(edition, "-m", "exercise_code", "check", "knn.compute_distances_no_loops").stdout
    assert "take the square root at the end" in " ".join(shown.split())


@pytest.mark.parametrize("damage", ["truncated", "a flipped bit"])
def test_damaged_answers_are_one_sentence(edition, damage):
    path = edition / "assignments/a01_knn/answers.safetensors.gz"
    whole = path.read_bytes()
    middle = len(whole) // 2
    flipped = whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :]
    path.write_bytes(whole[:1000] if damage == "truncated" else flipped)
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


def test_of_nbgraders_log_the_error_itself_is_told():
    log = """[ERROR] There was an error processing assignment
        raise ValidationError(
    nbgrader.validate.ValidationError: cell knn-1 has no points
    [WARNING] Removing failed assignment"""
    assert last_error(log) == "nbgrader.validate.ValidationError: cell knn-1 has no points"
    assert last_error("[ERROR] it is not there") == ""
