"""What is hashed decides what runs again: a change reaches what depends on it, and nothing else."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from io import StringIO

import pytest
from helpers import tiny_assignment
from rich.console import Console

from exercise_code.support.checking.assignment import Assignment, find_assignment, read_assignment
from exercise_code.support.data import registry
from exercise_code.support.paths import ROOT
from grading import class_run
from grading.class_run import Settings, prepare, run
from grading.editions.made_up_class import reference_models, write_submission
from grading.editions.student_files import write_student_files
from grading.running.dependencies import answer_files, hash_of, hash_of_probes, page_files, probe_files
from grading.running.grader import Job
from grading.running.journal import Journal
from grading.running.sandbox import detect
from grading.submissions.collect import collect
from grading.submissions.records import Submission

PROBES, ANSWERS, PAGES = "evidence", "answers", "pages"
CHANGES = {
    "a hint": ("assignments/a02_linear/mistakes/features.py", {ANSWERS}),
    "a figure of this assignment": ("assignments/a02_linear/figures.py", set()),
    "the notebook": ("assignments/a02_linear/1_linear.ipynb", set()),
    "a figure of another assignment": ("assignments/a03_mlp/figures.py", set()),
    "the notebook of another assignment": ("assignments/a03_mlp/1_layers.ipynb", set()),
    "the checks of another assignment": ("assignments/a01_knn/checks.py", set()),
    "a module of another assignment": ("exercise_code/knn.py", set()),
    "a package of another assignment": ("exercise_code/mlp/solver.py", set()),
    "the pictures of notebooks": ("exercise_code/support/notebook/plotting.py", set()),
    "a student's own check": ("exercise_code/support/checking/student_check.py", set()),
    "the judge": ("exercise_code/support/checking/judge.py", {ANSWERS, PAGES}),
    "a metric": ("exercise_code/support/checking/metrics.py", {ANSWERS, PAGES}),
    "the student's table": ("exercise_code/support/checking/render.py", {PAGES}),
    "a page": ("grading/pages/templates/feedback.html.j2", {PAGES}),
    "the report": ("grading/pages/report.py", set()),
    "a check": ("assignments/a02_linear/checks/features.py", {PROBES, ANSWERS}),
    "what checks share": ("assignments/a02_linear/checks/common.py", {PROBES, ANSWERS}),
    "the reference": ("exercise_code/linear/features.py", {ANSWERS}),
    "how a probe runs": ("exercise_code/support/checking/run_check.py", {PROBES, ANSWERS, PAGES}),
    "the sandbox": ("exercise_code/support/isolation/confine.py", {PROBES, PAGES}),
    "the pretended accelerator": (
        "exercise_code/support/devices/pretended.py",
        {PROBES, ANSWERS, PAGES},
    ),
}
TRAINING = """
def make_models(folder):
    with open({0!r}, "a") as file:
        file.write("{1} ")
    folder.mkdir()
    (folder / "net.pt").write_text("{1}")
"""


@pytest.fixture(scope="module")
def depending() -> dict[str, list[str]]:
    """The files that each kind of result of a02 depends on."""
    a02 = find_assignment("a02")
    files = {PROBES: probe_files(a02), ANSWERS: answer_files(a02), PAGES: page_files()}
    return {kind: [path.relative_to(ROOT).as_posix() for path in paths] for kind, paths in files.items()}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_reaches_what_depends_on_it_and_nothing_else(depending, change):
    name, due = CHANGES[change]
    assert (ROOT / name).is_file()
    assert {kind for kind, files in depending.items() if name in files} == due


def test_what_is_in_a_file_counts(tmp_path):
    (tmp_path / "a.py").write_text("x = 1\n")
    before = hash_of([tmp_path / "a.py"])
    (tmp_path / "a.py").write_text("x = 1  # one\n")
    assert hash_of([tmp_path / "a.py"]) != before


def test_settings_of_the_checks_count_and_others_do_not(a01):
    assert hash_of_probes(a01) == hash_of_probes(replace(a01, title="x", notebooks=[], questions={}))
    assert hash_of_probes(a01) != hash_of_probes(
        Assignment(a01.folder, "x", [], a01.modules, models={"m": 1})
    )
    assert hash_of_probes(a01) != hash_of_probes(
        Assignment(a01.folder, "x", [], [*a01.modules, "pytorch101"])
    )


BESIDE = (
    *("student_check", "task", "headings", "reloading", "answers", "annotations", "exercise_source"),
    *("judge", "follow_through", "render", "metrics", "as_they_come", "time_limit", "../reveal"),
)
LOADED = """
import json, sys
from exercise_code.support.checking.assignment import find_assignment
from exercise_code.support.isolation import check_server
check_server.warm_up(find_assignment(sys.argv[1]))
names = [n for n in sys.modules if n.startswith(("exercise_code", "_assignment"))]
print(json.dumps([sys.modules[n].__file__ for n in names if getattr(sys.modules[n], "__file__", None)]))
"""


def test_what_a_check_process_loads_is_in_the_hash(assignment, tmp_path):
    """But for what a student's own check imports beside, which no probe runs on."""
    write_student_files(assignment, tmp_path)
    found = subprocess.run(
        [sys.executable, "-c", LOADED, assignment.name],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        check=True,
        text=True,
    )
    loaded = {name.removeprefix(f"{tmp_path}/") for name in json.loads(found.stdout.splitlines()[-1])}
    hashed = {path.relative_to(ROOT).as_posix() for path in probe_files(assignment)}
    beside = {os.path.normpath(f"exercise_code/support/checking/{name}.py") for name in BESIDE}
    assert len(loaded) > 10
    assert loaded - hashed - {*assignment.editable} <= beside


def test_a_file_that_is_missing_makes_its_stub_count(a01):
    from exercise_code.support.checking.answers import make_answers

    job = Job.make(a01, make_answers(a01.checks[:1], [], 1))
    (file,) = a01.editable
    other = Job(**{**vars(job), "stubs": {file: "another"}})
    there, missing = Submission("ann", {file: b"x = 1\n"}), Submission("bob")
    assert job.key(there, "here") == other.key(there, "here")
    assert job.key(missing, "here") != other.key(missing, "here")


def test_the_reference_trains_its_models_once_for_one_state_of_the_files(tmp_path, monkeypatch):
    monkeypatch.setattr(registry, "homes", lambda: [tmp_path / "home"])
    folder = tiny_assignment(tmp_path / "assignments").folder
    (folder / "evidence").mkdir()
    for text in ("one", "one", "another"):
        (folder / "evidence" / "models.py").write_text(TRAINING.format(str(tmp_path / "trained"), text))
        assignment = replace(read_assignment(folder), models={"net.pt": 1})
        assert reference_models(assignment) == {"models/net.pt": text.encode()}
    assert (tmp_path / "trained").read_text().split() == ["one", "another"]


def test_saved_models_keep_their_images_and_their_points(tmp_path, monkeypatch):
    """Answers that are made anew, for a hint or a reference, ask about the same held-out images."""
    a02 = find_assignment("a02")
    texts = {name: (ROOT / name).read_text(encoding="utf-8") for name in a02.editable}
    for id in ("ann", "bob"):
        write_submission(tmp_path / "in" / id, texts)
        for path, content in reference_models(a02).items():
            (tmp_path / "in" / id / path).parent.mkdir(exist_ok=True)
            (tmp_path / "in" / id / path).write_bytes(content)

    def grade() -> dict[str, float]:
        out = tmp_path / "out"
        settings, quiet = Settings(out, workers=1), Console(file=StringIO())
        with Journal(out / "journal.sqlite") as journal:
            plan = prepare(a02, settings, detect(), collect(tmp_path / "in", a02), journal)
            run(plan, quiet)
            records = [*journal.records(["ann", "bob"])]
        return {record.submission.id: record.score for record in records}

    first = grade()
    assert first == {"ann": a02.max_points, "bob": a02.max_points}
    monkeypatch.setattr(class_run, "hash_of", lambda files: "another")
    lines: list[bool] = []
    progress = class_run.Tally.add
    monkeypatch.setattr(
        class_run.Tally, "add", lambda self, line: lines.append(line.ran) or progress(self, line)
    )
    assert grade() == first
    assert lines == [False, False]
