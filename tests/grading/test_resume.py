"""A run that is killed loses nothing: not when the whole of it ends, not when a worker does."""

import contextlib
import csv
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time

import psutil
import pytest
from helpers import grade_all, write

from exercise_code.support.paths import ROOT
from grading.course import CourseError
from grading.editions.made_up_class import make_class
from grading.notebooks.nbgrader_course import open_gradebook
from grading.running.dask_pool import on_cluster
from grading.running.grader import Grader
from grading.running.incremental import AHEAD
from grading.running.journal import Journal
from grading.scratch import HELD, scratch_folder
from grading.submissions.collect import collect
from grading.submissions.records import Submission

FILE = "exercise_code/knn.py"
RIGHT = "\n".join(line for line in (ROOT / FILE).read_text().splitlines() if "SOLUTION" not in line) + "\n"
SEED = 4


def numbered(count: int) -> list[Submission]:
    """Submissions that differ."""
    return [Submission(f"s{n:02}", {FILE: f"{RIGHT}\n# {n}\n".encode()}) for n in range(count)]


@pytest.fixture
def runs(monkeypatch) -> list[str]:
    """Which submissions are run, rather than looked up."""
    seen: list[str] = []
    gather = Grader.gather

    def watched(self, submission, evidence=None):
        if evidence is None:
            seen.append(submission.id)
        return gather(self, submission, evidence)

    monkeypatch.setattr(Grader, "gather", watched)
    return seen


def test_what_has_not_changed_is_not_run_again(a01, tmp_path, runs):
    submissions = numbered(3)
    first = grade_all(submissions, a01, SEED, tmp_path)
    assert runs == ["s00", "s01", "s02"]
    submissions[1] = Submission("s01", {FILE: RIGHT.replace("largest=False", "largest=True").encode()})
    runs.clear()
    second = grade_all([*submissions, Submission("late", {FILE: RIGHT.encode()})], a01, SEED, tmp_path)
    assert runs == ["s01", "late"]
    assert [record.verdicts for record in second[::2]] == [first[0].verdicts, first[2].verdicts]
    runs.clear()
    grade_all(submissions, a01, SEED, tmp_path, force=True)
    assert runs == ["s00", "s01", "s02"]
    runs.clear()
    grade_all(submissions, a01, SEED + 1, tmp_path)
    assert runs == ["s00", "s01", "s02"]


def test_equal_work_is_run_once_when_the_first_is_done(a01, tmp_path, runs):
    ann, bob = (Submission(name, {FILE: RIGHT.encode()}) for name in ("ann", "bob"))
    first, *_, last = grade_all([ann, *numbered(AHEAD), bob], a01, SEED, tmp_path)
    assert runs == ["ann", *(submission.id for submission in numbered(AHEAD))]
    assert first.verdicts == last.verdicts


def test_a_new_hint_reaches_everyone_without_running_their_code(a01, tmp_path, runs):
    """The second run judges the evidence that is there, and writes the pages anew."""
    from grading.editions.made_up_class import with_mistake

    mistake = next(mistake for mistake in a01.mistakes if mistake.name == "no_loops_squared")
    wrong = Submission("ann", {FILE: with_mistake({FILE: RIGHT}, mistake)[FILE].encode()})
    known = a01.mistakes
    vars(a01)["mistakes"] = [other for other in known if other is not mistake]
    try:
        (before,) = grade_all([wrong], a01, SEED, tmp_path)
    finally:
        vars(a01)["mistakes"] = known
    assert not any(verdict.hint for verdict in before.verdicts)
    assert runs == ["ann"]
    (after,) = grade_all([wrong], a01, SEED, tmp_path)
    assert runs == ["ann"]
    assert mistake.hint in [verdict.hint for verdict in after.verdicts]
    assert mistake.hint in (tmp_path / "feedback/ann.html").read_text()


def test_unstable_code_is_told_from_wrong_code(a01, tmp_path):
    """A function that draws its errors from the clock, one that is always wrong, one that crashed once."""
    clock = RIGHT.replace("return dists", "import time\n    return dists + time.monotonic_ns() % 10**9", 1)
    wrong = RIGHT.replace("return dists", "return dists + 1.5", 1)
    unstable, stable = grade_all(
        [Submission("clock", {FILE: clock.encode()}), Submission("wrong", {FILE: wrong.encode()})],
        a01,
        SEED,
        tmp_path,
    )
    assert unstable.verdicts[0].status == "not_deterministic"
    assert unstable.verdicts[0].points == 0
    assert "run again with the same inputs" in unstable.verdicts[0].message
    assert stable.verdicts[0].status == "failed"
    assert not stable.verdicts[0].unstable


def test_a_second_run_on_the_same_results_waits_its_turn(tmp_path):
    with Journal(tmp_path / "journal.sqlite"), pytest.raises(CourseError, match="wait for the run"):
        Journal(tmp_path / "journal.sqlite")


def test_a_lost_worker_costs_nothing_but_time(a01, tmp_path):
    """One worker in five is killed while it runs a submission."""
    submissions = numbered(15)
    draw = random.Random(1)
    kills = [draw.random() < 0.2 for _ in submissions]
    assert any(kills)

    def pool(job):
        return killing(on_cluster(job, workers=2), iter(kills))

    records = grade_all(submissions, a01, SEED, tmp_path, pool=pool)
    assert [record.score for record in records] == [a01.max_points] * len(submissions)


class killing:
    """A pool of which a worker is killed now and then as results come."""

    def __init__(self, pool, kills) -> None:
        self._pool, self._kills = pool, kills

    def __enter__(self):
        run = self._pool.__enter__()

        def watched(tasks):
            for found in run(tasks):
                yield found
                if next(self._kills):
                    children = psutil.Process().children()
                    workers = [child for child in children if "spawn_main" in " ".join(child.cmdline())]
                    random.choice(workers).kill()

        return watched

    def __exit__(self, *exception):
        return self._pool.__exit__(*exception)


@pytest.mark.slow
def test_a_run_killed_at_ten_moments_ends_as_if_undisturbed(a01, build, tmp_path):
    names = make_class(a01, build / "student", tmp_path / "submitted", 20)
    for name in names:
        path = tmp_path / "submitted" / name / FILE
        path.write_text(path.read_text().replace("while True", "while False") + f"\n# {name}\n")

    def start(out: str) -> subprocess.Popen:
        command = [sys.executable, "-m", "grading.cli", "grade", "a01", str(tmp_path / "submitted")]
        command += ["--out", str(tmp_path / out), "--seed", "4", "--workers", "1"]
        return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, start_new_session=True)

    began = time.monotonic()
    assert start("calm").wait() == 0
    whole = time.monotonic() - began
    draw = random.Random(20)
    done = []
    while len(done) < 10:
        run, began = start("killed"), time.monotonic()
        with contextlib.suppress(subprocess.TimeoutExpired):
            run.wait(draw.uniform(0.2, 0.8) * whole)
        children = psutil.Process(run.pid).children(recursive=True) if run.poll() is None else []
        run.send_signal(signal.SIGKILL)
        if run.wait() != -signal.SIGKILL:
            assert run.returncode == 0
            whole = time.monotonic() - began  # it came to its end: all is known, and takes less time
            continue
        _, alive = psutil.wait_procs(children, timeout=20)
        assert not alive
        done.append(journalled(tmp_path / "killed"))
    assert done == sorted(done)
    assert start("killed").wait() == 0
    calm, killed = (read_scores(tmp_path / out) for out in ("calm", "killed"))
    assert calm == killed
    assert len(killed) == len(names)
    with open_gradebook(tmp_path / "killed/nbgrader") as gradebook:
        found = {each.student.id: each.score for each in gradebook.assignment_submissions(a01.name)}
    assert found == killed


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such locks")
def test_what_a_killed_worker_leaves_goes_with_the_run(tmp_path, monkeypatch):
    """A worker that is busy for too long after SIGTERM is killed, and tidies nothing up."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(SystemExit), scratch_folder():
        (tmp_path / "workbook-of-a-worker").mkdir()
        (tmp_path / "workbook-of-a-worker" / HELD).touch()
        sys.exit(143)
    assert not [*tmp_path.iterdir()]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
@pytest.mark.parametrize(("kill", "workers"), [("SIGTERM", 1), ("SIGTERM", 2), ("SIGKILL", 2)])
def test_a_run_that_is_killed_leaves_no_process_and_no_folder(tmp_path, monkeypatch, kill, workers):
    """After SIGKILL, which nothing can answer, the next run removes the folders."""
    for submission in numbered(30):
        write(tmp_path / "in" / submission.id, submission.files)
    (tmp_path / "scratch").mkdir()
    tmp_path.chmod(0o755)
    command = [sys.executable, "-m", "grading.cli", "grade", "a01", str(tmp_path / "in"), "--json"]
    command += ["--out", str(tmp_path / "out"), "--workers", str(workers)]
    here = {**os.environ, "TMPDIR": str(tmp_path / "scratch")}
    with subprocess.Popen(command, cwd=ROOT, env=here, stdout=subprocess.PIPE, text=True) as run:
        assert '"graded"' in run.stdout.readline()
        started = psutil.Process(run.pid).children(recursive=True)
        run.send_signal(signal.Signals[kill])
        ended = run.wait(60)
    _, alive = psutil.wait_procs(started, timeout=20)
    assert started and not alive
    left = {path.name for path in (tmp_path / "scratch").iterdir()}
    if kill == "SIGTERM":
        assert ended == 128 + signal.SIGTERM
        assert not left
        return
    assert ended == -signal.SIGKILL
    assert left
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))
    with scratch_folder() as mine, scratch_folder() as other:
        assert {*(tmp_path / "scratch").iterdir()} == {mine, other}
    assert not [*(tmp_path / "scratch").iterdir()]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no groups of processes")
def test_ctrl_c_with_workers_says_one_sentence(tmp_path):
    for submission in numbered(30):
        write(tmp_path / "in" / submission.id, submission.files)
    command = [sys.executable, "-m", "grading.cli", "grade", "a01", str(tmp_path / "in"), "--json"]
    command += ["--out", str(tmp_path / "out"), "--workers", "2"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=ROOT, start_new_session=True, **pipes) as run:
        assert '"graded"' in run.stdout.readline()
        os.killpg(run.pid, signal.SIGINT)
        _, said = run.communicate(timeout=60)
    assert run.returncode == 130
    assert said == "Stopped. What is done is kept: the same command goes on from there.\n"


def journalled(out) -> int:
    """How many submissions the journal knows."""
    if not (out / "journal.sqlite").exists():
        return 0
    with Journal(out / "journal.sqlite") as journal:
        return journal.size


def read_scores(out) -> dict[str, float]:
    """Scores by student, which the table and results.json agree on."""
    with (out / "results.csv").open() as file:
        table = {row["id"]: float(row["score"]) for row in csv.DictReader(file)}
    content = json.loads((out / "results.json").read_text())
    assert {each["id"]: each["score"] for each in content["submissions"]} == table
    return table


def test_a_folder_is_read_when_its_turn_comes(a01, build, tmp_path):
    make_class(a01, build / "student", tmp_path, 3)
    found = collect(tmp_path, a01).submissions(a01)
    assert next(found).id == "student-1"
    (tmp_path / "student-2" / FILE).write_text("x = 1\n")
    assert next(found).files[FILE] == b"x = 1\n"
