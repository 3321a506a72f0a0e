"""Grading: bad code costs its own check, odd submissions are healed or named, results are complete."""

import csv
import json
import shutil
import sqlite3
import zipfile
from pathlib import Path

import jsonschema
import nbformat
import psutil
import pytest
from helpers import grade_all
from typer.testing import CliRunner

from exercise_code.support.checking.assignment import MAX_SOURCE, Assignment, Limits, find_assignment
from exercise_code.support.paths import ROOT
from grading import class_run, cli
from grading.course import CourseError, read_course
from grading.editions import made_up_class
from grading.notebooks.nbgrader_course import open_gradebook
from grading.running import grader
from grading.running.journal import Journal
from grading.running.sandbox import detect
from grading.scores.by_hand import Settlement
from grading.scores.exports import export
from grading.scores.late import Ledger
from grading.scores.results import results
from grading.submissions.collect import collect, read_submission
from grading.submissions.records import Submission
from grading.submissions.roster import Roster

SEED = 11
FILE = "exercise_code/knn.py"
RIGHT = "\n".join(line for line in (ROOT / FILE).read_text().splitlines() if "SOLUTION" not in line) + "\n"


@pytest.fixture(scope="module")
def impatient(a01) -> Assignment:
    """a01 with short limits."""
    short = Limits(seconds_per_check=2, seconds_per_submission=60, memory_mb=300)
    return Assignment(
        a01.folder, a01.title, a01.notebooks, a01.modules, limits=short, questions=a01.questions
    )


def with_first_line(function: str, line: str) -> str:
    """The reference in which one function begins with another statement."""
    head, tail = RIGHT.split(f"def {function}(", 1)
    end = tail.index('"""', tail.index('"""') + 3) + 3
    return f"{head}def {function}({tail[:end]}\n    {line}{tail[end:]}"


BAD = {
    "loops": ("while True: pass", "timeout"),
    "loops in torch": ("while True: torch.rand(2000, 2000) @ torch.rand(2000, 2000)", "timeout"),
    "sleeps": ("import time; time.sleep(1000)", "timeout"),
    "leaves": ("import os; os._exit(0)", "crashed"),
    "exits": ("import sys; sys.exit()", "error"),
    "interrupts": ("raise KeyboardInterrupt", "crashed"),
    "crashes": ("import ctypes; ctypes.string_at(0)", "crashed"),
    "kills": (
        "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
        "passed" if detect().level == "L3" else "crashed",  # the first process of a namespace ignores it
    ),
    "eats memory": ("hoard = [torch.ones(10**7) for _ in range(10**4)]", "error"),
    "recurses": ("f = lambda: f(); f()", "error"),
    "prints": ("[print('x' * 10**6) for _ in range(100)]", "passed"),
    "writes to the pipe": (
        "import os; [os.write(fd, b'\\xff' * 4096) for fd in range(3, 9) if _is_open(fd)]",
        "crashed",
    ),
    "closes the pipe": ("import os; os.closerange(3, 100)", "crashed"),
    "endless result": ("return {'x': iter(int, 1)}", "failed"),
    "huge result": ("return torch.zeros(1).expand(10**10)", "error"),
    "not found": ("return no_such_name", "error"),
}
IS_OPEN = """
def _is_open(fd):
    import os
    try:
        os.fstat(fd)
        return True
    except OSError:
        return False
"""


@pytest.fixture(scope="module")
def graded(impatient, tmp_path_factory):
    """Each bad function in a submission that is right otherwise, between two right ones."""
    submissions = [Submission("right", {FILE: RIGHT.encode()})]
    for name, (line, _) in BAD.items():
        text = with_first_line("predict_labels", line) + IS_OPEN
        submissions.append(Submission(name, {FILE: text.encode()}))
    submissions.append(Submission("loops on import", {FILE: b"while True: pass\n"}))
    submissions.append(Submission("leaves on import", {FILE: b"import os\nos._exit(1)\n"}))
    submissions.append(Submission("not Python", {FILE: b"def f(:\n"}))
    submissions.append(Submission("not text", {FILE: b"\xff\xfe\x00x"}))
    submissions.append(Submission("empty file", {FILE: b""}))
    submissions.append(Submission("nothing", {}))
    submissions.append(Submission("right again", {FILE: RIGHT.encode()}))
    records = grade_all(submissions, impatient, SEED, tmp_path_factory.mktemp("graded"))
    return {record.submission.id: record for record in records}


def to_json(records) -> dict:
    """The content of `results.json`."""
    ledger = Ledger(read_course(), "a01_knn", ROOT / "build/none/of/this")
    settlement = Settlement(find_assignment("a01"), {}, {}, ledger)
    return json.loads("".join(results(records, "a01_knn", SEED, detect(), settlement)))


def status(graded, id: str) -> dict[str, str]:
    return {verdict.check: verdict.status for verdict in graded[id].verdicts}


@pytest.mark.parametrize("name", BAD)
def test_bad_code_costs_its_own_checks(graded, name):
    found = status(graded, name)
    assert found.pop("knn.predict_labels") == BAD[name][1]
    for check in ("knn.predict_labels:ties", "knn.KnnClassifier.predict", "knn.knn_cross_validate"):
        found.pop(check)
    assert set(found.values()) == {"passed"}


def test_neighbours_lose_nothing(graded, impatient):
    assert graded["right"].score == graded["right again"].score == impatient.max_points


def test_what_fails_on_import_costs_that_student_all(graded):
    for name, due in [
        ("loops on import", "timeout"),
        ("leaves on import", "crashed"),
        ("not Python", "error"),
        ("not text", "error"),
        ("empty file", "not_written"),
        ("nothing", "not_written"),
    ]:
        assert set(status(graded, name).values()) == {due}, name
        assert graded[name].score == 0
        assert all(verdict.message and "\n" not in verdict.message for verdict in graded[name].verdicts)


def test_children_have_no_answers_and_no_environment(impatient, tmp_path, monkeypatch):
    """A submission returns what it can see in place of labels: environment, modules, answers."""
    monkeypatch.setenv("SECRET_OF_THE_GRADER", "1")
    look = """import importlib.util, os, pathlib
    found = ["SECRET_OF_THE_GRADER" in os.environ, importlib.util.find_spec("grading") is not None]
    found += [any(pathlib.Path(".").rglob(name)) for name in ("mistakes.py", "answers.safetensors.gz")]
    return torch.tensor(found)"""
    spy = Submission("spy", {FILE: with_first_line("predict_labels", look).encode()})
    (item,) = grade_all([spy], impatient, SEED, tmp_path)
    evidence = next(evidence for evidence in item.evidence if evidence.check == "knn.predict_labels")
    assert evidence.runs["float32"].outputs["labels for k=1"].tolist() == [False] * 4


def test_results_follow_the_schema_and_the_table_agrees(graded, impatient, tmp_path):
    content = to_json(graded.values())
    schema = json.loads((ROOT / "grading/results.schema.json").read_text())
    jsonschema.validate(content, schema)
    assert content["seed"] == SEED
    assert content["sandbox"]["level"] == detect().level
    export("csv", content, "kNN", Roster([]), tmp_path / "results.csv")
    rows = list(csv.DictReader((tmp_path / "results.csv").open(encoding="utf-8")))
    for row, submission in zip(rows, content["submissions"], strict=True):
        assert row["id"] == submission["id"]
        assert float(row["score"]) == submission["score"] == sum(c["points"] for c in submission["checks"])
        assert [float(row[check["id"]]) for check in submission["checks"]] == [
            check["points"] for check in submission["checks"]
        ]


def test_the_same_seed_gives_the_same_results(impatient, tmp_path):
    wrong = made_up_class.with_mistake({FILE: RIGHT}, impatient.mistakes[0])[FILE].encode()
    records = [
        grade_all([Submission("a", {FILE: wrong})], impatient, SEED, tmp_path / name)[0] for name in "ab"
    ]
    assert records[0].verdicts == records[1].verdicts
    assert records[0].verdicts[0].hint == impatient.mistakes[0].hint


NOTEBOOK = nbformat.writes(nbformat.v4.new_notebook()).encode()


def pack(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize(
    "files, note",
    [
        ({FILE: b"x", "assignments/a01_knn/knn.ipynb": NOTEBOOK}, None),
        ({f"my work/{FILE}": b"x", "my work/assignments/a01_knn/knn.ipynb": NOTEBOOK}, None),
        ({"knn.py": b"x", "knn.ipynb": b"{}"}, None),
        ({"src/knn.py": b"x", "knn.ipynb": b"{}"}, "was found as src/knn.py"),
        ({FILE: b"x", f"__MACOSX/{FILE}": b"y"}, "knn.ipynb is missing"),
        ({"exercise_code\\knn.py": b"x"}, "knn.ipynb is missing"),
    ],
)
def test_files_are_found_wherever_they_lie(a01, tmp_path, files, note):
    archive = pack(tmp_path / "ann.zip", files)
    found = read_submission(archive, "ann", a01)
    assert found.files[FILE] == b"x"
    assert (note is None and not found.notes) or note in " ".join(found.notes)


def test_a_damaged_archive_is_named_and_the_rest_is_read(a01, tmp_path):
    pack(tmp_path / "ann.zip", {FILE: b"x"})
    (tmp_path / "bob.zip").write_bytes(b"PK not really")
    (tmp_path / "cut.zip").write_bytes((tmp_path / "ann.zip").read_bytes()[:-30])
    found = {each.id: each for each in collect(tmp_path, a01).submissions(a01)}
    assert found["ann"].files == {FILE: b"x"}
    for id in ("bob", "cut"):
        assert not found[id].files
        assert "cannot be read" in found[id].notes[0]


def test_nothing_is_written_outside_and_nothing_huge_is_read(a01, tmp_path):
    files = {"../../evil.py": b"x", "/etc/evil": b"x", FILE: b"\0" * (MAX_SOURCE + 1)}
    found = read_submission(pack(tmp_path / "eve.zip", files), "eve", a01)
    assert not found.files
    assert any("larger than" in note for note in found.notes)
    assert sum("points outside" in note for note in found.notes) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["eve.zip"]


def test_links_out_of_a_folder_are_not_followed(a01, tmp_path):
    secret = tmp_path / "secret.py"
    secret.write_text("x")
    (tmp_path / "all/eve/exercise_code").mkdir(parents=True)
    (tmp_path / "all/eve" / FILE).symlink_to(secret)
    (submission,) = collect(tmp_path / "all", a01).submissions(a01)
    assert not submission.files


def test_a_damaged_notebook_is_named_and_the_code_is_graded(impatient, tmp_path):
    files = {FILE: RIGHT.encode(), impatient.notebook_paths[0]: b"{}"}
    (record,) = grade_all([Submission("ann", files)], impatient, SEED, tmp_path)
    assert record.score == impatient.max_points
    assert "cannot be read as a notebook" in record.submission.notes[0]
    assert record.untouched == [*impatient.questions]


def test_a_folder_without_submissions_is_named(a01, tmp_path):
    with pytest.raises(CourseError, match="holds no submission"):
        collect(tmp_path, a01)
    with pytest.raises(CourseError, match="is no folder and no zip"):
        collect(tmp_path / "missing", a01)


def test_a_folder_and_an_archive_of_one_name_are_both_graded(a01, tmp_path):
    (tmp_path / "ann").mkdir()
    (tmp_path / "ann/knn.py").write_text("x")
    pack(tmp_path / "ann.zip", {FILE: b"y"})
    assert [found.id for found in collect(tmp_path, a01).found] == ["ann", "ann.zip"]


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The demo with a small class."""
    build = tmp_path_factory.mktemp("demo")
    outcome = CliRunner().invoke(cli.app, ["demo", "--build", str(build), "--students", "10"])
    assert outcome.exit_code == 0, outcome.output
    return build / "demo/a01_knn/graded", outcome.output


def test_the_demo_leaves_everything_in_its_place(demo):
    out, printed = demo
    content = json.loads((out / "results.json").read_text())
    ids = [submission["id"] for submission in content["submissions"]]
    assert len(ids) == 10
    for id in ids:
        assert (out / "feedback" / f"{id}.html").stat().st_size > 1000
        assert (out / "nbgrader/autograded" / id / "a01_knn/knn.ipynb").exists()
    report = (out / "report.html").read_text(encoding="utf-8")
    assert '<h2 id="images">On images</h2>' in report
    assert str(out / "report.html") in printed.replace("\n", "")
    statuses = {check["status"] for submission in content["submissions"] for check in submission["checks"]}
    assert {"passed", "failed", "not_written"} <= statuses


def test_the_gradebook_agrees_with_the_results(demo):
    out, _ = demo
    content = json.loads((out / "results.json").read_text())
    with open_gradebook(out / "nbgrader") as gradebook:
        for submission in content["submissions"]:
            found = gradebook.find_submission("a01_knn", submission["id"])
            assert found.score == submission["score"]
            assert not found.needs_manual_grade
            assert found.max_score > submission["max_score"]


def test_grading_again_replaces_scores_and_keeps_a_persons(demo, a01, tmp_path):
    out, _ = demo
    copy = shutil.copytree(out, tmp_path / "graded")
    with open_gradebook(copy / "nbgrader") as gradebook:
        grade_of_answer = gradebook.find_grade("question-cost", "knn", "a01_knn", "student-01")
        grade_of_answer.manual_score = 2
        gradebook.db.commit()
    arguments = ["grade", "a01", str(out.parent / "submitted"), "--out", str(copy), "--seed", "1"]
    assert CliRunner().invoke(cli.app, arguments).exit_code == 0
    with open_gradebook(copy / "nbgrader") as gradebook:
        assert gradebook.find_submission("a01_knn", "student-01").score == a01.max_points + 2
    rows = sqlite3.connect(copy / "nbgrader/gradebook.db").execute(
        "select count(*) from submitted_assignment"
    )
    assert rows.fetchone() == (10,)


def test_results_stand_in_the_order_of_names_whoever_ends_first(demo, tmp_path, monkeypatch):
    out, _ = demo
    copy, grade = shutil.copytree(out, tmp_path / "graded"), class_run.grade
    monkeypatch.setattr(class_run, "grade", lambda *given: reversed([*grade(*given)]))
    arguments = ["grade", "a01", str(out.parent / "submitted"), "--out", str(copy)]
    assert CliRunner().invoke(cli.app, arguments).exit_code == 0
    ids = [submission["id"] for submission in json.loads((copy / "results.json").read_text())["submissions"]]
    rows = csv.DictReader((copy / "results.csv").read_text().splitlines())
    assert ids == [row["id"] for row in rows] == sorted(ids)


def test_course_settings_are_read_and_faults_named(tmp_path):
    course = read_course()
    assert course.late.penalty_per_day <= 1
    (tmp_path / "course.toml").write_text('name = "x"\n')
    with pytest.raises(CourseError, match=r"course.toml: .*missing.*'term'"):
        read_course(tmp_path)


def test_what_is_wrong_is_one_sentence(capsys, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "class/ada").mkdir(parents=True)
    (tmp_path / "graded").mkdir()
    (tmp_path / "graded/results.json").write_text('{"assignment": "a00_pytorch", "submissions": []}')
    with Journal(tmp_path / "graded/journal.sqlite") as journal:
        journal.belong("a00_pytorch")
    file, graded, table = (str(tmp_path / name) for name in ("file", "graded", "x.csv"))
    grade = ["grade", "a01", str(tmp_path / "class")]
    for arguments, sentence in [
        (["grade", "a01", str(tmp_path / "missing")], "is no folder and no zip"),
        (["grade", "a01", str(tmp_path / "[red]a[/]b[/]")], "[red]a[/]b[/] is no folder and no zip"),
        ([*grade, "--out", file], "see that it is there and can be written"),
        ([*grade, "--out", graded], "holds results of a00_pytorch: give a01_knn another --out"),
        ([*grade, "--gradebook", "x://me:secret@there"], "no database has the address 'x://there'"),
        ([*grade, "--out", table, "--scheduler", "there"], "no scheduler answers at there"),
        (["export", "a01", table, "--to", "csv", "--out", graded], "results of a00_pytorch, not of a01_knn"),
        (["release", "a01", "--build", file], "see that it is there and can be written"),
        (["release", "a77"], "there is no assignment 'a77'; there are: a00_pytorch, a01_knn"),
    ]:
        monkeypatch.setattr("sys.argv", ["workbook", *arguments])
        with pytest.raises(SystemExit) as stop:
            cli.main()
        assert stop.value.code == 2
        assert sentence in " ".join(capsys.readouterr().err.split())


def test_a_killed_worker_is_replaced(impatient, tmp_path):
    """A submission that ends the process it was forked from costs itself, and nobody after it."""
    text = with_first_line("predict_labels", "import os, signal; os.kill(os.getppid(), signal.SIGKILL)")
    submissions = [
        Submission(name, {FILE: content.encode()})
        for name, content in [("before", RIGHT), ("killer", text), ("after", RIGHT)]
    ]
    before, _, after = grade_all(submissions, impatient, SEED, tmp_path)
    assert before.score == after.score == impatient.max_points


def test_without_fork_the_results_are_the_same(impatient, tmp_path, monkeypatch):
    """Where a fork is not safe, each submission starts a process of its own."""
    bad = with_first_line("predict_labels", "import os; os._exit(7)")
    submissions = [Submission("right", {FILE: RIGHT.encode()}), Submission("leaves", {FILE: bad.encode()})]
    forked = grade_all(submissions, impatient, SEED, tmp_path / "forked")
    monkeypatch.setattr("grading.running.check_process.CAN_FORK", False)
    started = grade_all(submissions, impatient, SEED, tmp_path / "started")
    assert [record.verdicts for record in started] == [record.verdicts for record in forked]
    assert "exit code 7" in forked[1].verdicts[4].message


def test_nothing_is_left_running(impatient, tmp_path):
    """When grading is over, its processes are gone."""
    before = psutil.Process().children(recursive=True)
    grade_all([Submission("right", {FILE: RIGHT.encode()})], impatient, 1, tmp_path)
    assert psutil.Process().children(recursive=True) == before


def test_what_nobody_foresees_costs_one_submission(a01, tmp_path, monkeypatch):
    """An error of the grader's own over an odd result is that student's crash, until it is mended."""
    page = grader.feedback_page

    def failing(assignment, graded, answers):
        if graded.submission.id == "eve" and graded.verdicts[0].status != "crashed":
            raise KeyError("float32")
        return page(assignment, graded, answers)

    monkeypatch.setattr(grader, "feedback_page", failing)
    submissions = [Submission(name, {FILE: RIGHT.encode()}) for name in ("ada", "eve", "grace")]
    records = grade_all(submissions, a01, SEED, tmp_path)
    assert [record.score for record in records] == [a01.max_points, 0, a01.max_points]
    assert "it could not be graded (KeyError: 'float32')" in records[1].verdicts[0].message
    monkeypatch.undo()
    records = grade_all(submissions, a01, SEED, tmp_path)
    assert records[1].score == a01.max_points
