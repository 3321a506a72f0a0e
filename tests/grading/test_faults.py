"""What goes wrong costs what it belongs to: one step, one submission, one run; never the class."""

import json
import logging
import pickle
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
import torch
from bs4 import BeautifulSoup
from helpers import grade_all
from rich.console import Console
from typer.testing import CliRunner

from exercise_code.support.checking.answers import make_answers
from exercise_code.support.checking.assignment import Assignment, find_assignment
from exercise_code.support.paths import ROOT
from grading import class_run, cli
from grading.class_run import Settings, grade_class
from grading.course import Course, CourseError, LatePolicy
from grading.logs import LOGGER, show_log
from grading.pages import mistake_cost
from grading.running import check_process
from grading.running.grader import Grader, Job
from grading.running.journal import DamageError, Journal
from grading.scores import refresh
from grading.submissions.collect import Collection, collect
from grading.submissions.records import Submission
from grading.submissions.roster import Roster, Student

FILE = "exercise_code/knn.py"
RIGHT = "\n".join(line for line in (ROOT / FILE).read_text().splitlines() if "SOLUTION" not in line) + "\n"
WRONG = RIGHT.replace("return dists", "return dists + 1.5", 1)
BIG = f"""
import torch
def big(*arguments, **keywords): return torch.zeros(2**20)
{"".join(f"{name} = " for name in ("compute_distances_two_loops", "compute_distances_one_loop"))}big
compute_distances_no_loops = predict_labels = knn_cross_validate = knn_get_best_k = big
"""


def graded(a01, folder: Path, **settings: object) -> tuple[bool, str]:
    """Grade `folder`/in into `folder`/out: whether all could be written, and what was said."""
    said = StringIO()
    wanted = Settings(folder / "out", **{"seed": 3, "workers": 1, **settings})
    complete = grade_class(a01, folder / "in", wanted, Console(file=said, width=500))
    return complete, said.getvalue()


def journal_of(folder: Path) -> closing[sqlite3.Connection]:
    """The journal's file, opened and closed again."""
    return closing(sqlite3.connect(folder / "journal.sqlite", isolation_level=None))


def scores(folder: Path) -> dict[str, float]:
    """Scores by student."""
    content = json.loads((folder / "out/results.json").read_text())
    return {each["id"]: each["score"] for each in content["submissions"]}


@pytest.fixture(scope="module")
def once(a01, tmp_path_factory):
    """A class of two, graded. Not to be written to."""
    folder = tmp_path_factory.mktemp("class")
    for id, text in (("ann", RIGHT), ("bob", WRONG)):
        (folder / "in" / id / FILE).parent.mkdir(parents=True)
        (folder / "in" / id / FILE).write_text(text)
    assert graded(a01, folder)[0]
    return folder


@pytest.fixture
def again(once, tmp_path):
    """A copy of the class that may be changed."""
    return Path(shutil.copytree(once, tmp_path / "class"))


@pytest.fixture
def ran(monkeypatch) -> list[str]:
    """Who is run, rather than looked up."""
    seen: list[str] = []
    gather = Grader.gather

    def watched(self, submission, parts=None):
        if parts is None and submission.id != "the reference":
            seen.append(submission.id)
        return gather(self, submission, parts)

    monkeypatch.setattr(Grader, "gather", watched)
    return seen


@pytest.mark.parametrize("step", ["try_on_images", "write_class_report", "write_table", "write_marks"])
def test_a_step_after_the_verdicts_that_fails_costs_itself(a01, again, monkeypatch, step):
    def failing(*arguments: object) -> None:
        raise TypeError("Object of type Tensor is not JSON serializable")

    for name in ("report.html", "results.csv", "results.json"):
        (again / "out" / name).unlink()
    monkeypatch.setattr(class_run, step, failing)
    complete, said = graded(a01, again)
    assert not complete
    assert "TypeError: Object of type Tensor" in said and "the verdicts are safe" in said
    assert scores(again)["ann"] == a01.max_points
    assert (again / "out/report.html").exists() == (step != "write_class_report")
    assert (again / "out/results.csv").exists() == (step != "write_table")
    monkeypatch.undo()
    assert graded(a01, again)[0]
    assert (again / "out/report.html").exists() and (again / "out/results.csv").exists()


def test_an_experiment_that_gives_a_tensor_gives_a_number(a01, monkeypatch):
    """As it does with the mistake of a student who forgets `.item()`."""
    monkeypatch.setattr(Assignment, "experiment", property(lambda self: lambda dataset: torch.tensor(0.5)))
    kept: dict[str, bytes] = {}
    chosen = [mistake for mistake in a01.mistakes if mistake.exercise == "knn.predict_labels"][:1]
    found = mistake_cost.on_images(a01, chosen, kept.get, kept.__setitem__)
    assert found.reference == 0.5
    assert mistake_cost._accuracy(a01.name, chosen[0].name, "shapes", 1.0) == 0.5
    assert next(map(json.loads, kept.values()))[0] == 0.5


def test_all_that_a_submission_sends_back_is_bounded(a01, tmp_path, monkeypatch):
    """The checks after the bound are not run; the others count, and the neighbour loses nothing."""
    monkeypatch.setattr(check_process, "MAX_EVIDENCE", 5 * 2**20)
    ids = {"big": BIG, "right": RIGHT}
    submissions = [Submission(id, {FILE: text.encode()}) for id, text in ids.items()]
    big, right = grade_all(submissions, a01, 1, tmp_path)
    assert right.score == a01.max_points
    assert big.score == 0
    told = [verdict for verdict in big.verdicts if "larger than 5 MiB together" in verdict.message]
    assert 0 < len(told) < len(big.verdicts)
    assert {verdict.status for verdict in told} == {"crashed"}
    assert (tmp_path / "journal.sqlite").stat().st_size < 2**20


def test_evidence_is_kept_once_for_all_who_did_the_same(a01, tmp_path):
    def parts() -> int:
        with journal_of(tmp_path) as db:
            return db.execute("select count(*) from part").fetchone()[0]

    grade_all([Submission("ann", {FILE: RIGHT.encode()})], a01, 1, tmp_path)
    first = parts()
    grade_all([Submission("bob", {FILE: f"{RIGHT}# mine\n".encode()})], a01, 1, tmp_path)
    assert first == parts() == len(a01.checks)


def test_damaged_evidence_costs_its_submission_a_run(a01, again, ran):
    """Once where it is judged again, once where a page needs it."""
    before = scores(again)
    with journal_of(again / "out") as db:
        (key,) = db.execute("select key from result where id = 'bob'").fetchone()
        entries = json.loads(db.execute("select parts from gathered where key = ?", [key]).fetchone()[0])
        db.execute("update part set content = x'00' where digest = ?", [entries[0][1]])
    with Journal(again / "out/journal.sqlite") as journal:
        (record,) = journal.records(["bob"])
        with pytest.raises(DamageError, match="run the same command again"):
            record.evidence[0]
    assert graded(a01, again)[0]
    assert "bob" in ran and scores(again) == before
    ran.clear()
    assert graded(a01, again)[0]
    assert ran == []


def test_a_damaged_record_is_made_anew(a01, again, ran):
    before = scores(again)
    with journal_of(again / "out") as db:
        db.execute("update result set record = substr(record, 1, 50) where id = 'bob'")
    assert graded(a01, again)[0]
    assert scores(again) == before
    assert ran == []


@pytest.mark.parametrize("damage", ["text", "hole", "half"])
def test_a_damaged_journal_is_put_aside_and_the_next_run_heals(a01, again, ran, damage):
    before = scores(again)
    path = again / "out/journal.sqlite"
    content = path.read_bytes()
    middle = len(content) // 2
    path.write_bytes(
        {
            "text": b"this is not a database\n" * 1000,
            "hole": content[:5000] + b"\xff" * (len(content) - 10000) + content[-5000:],
            "half": content[:middle],
        }[damage]
    )
    with pytest.raises(CourseError, match=r"is damaged .* is now called journal.damaged: run the same"):
        graded(a01, again)
    assert graded(a01, again)[0]
    assert ran == ["ann", "bob"] and scores(again) == before


def test_a_full_disk_and_a_place_that_cannot_be_written_are_a_sentence(again, tmp_path):
    with Journal(again / "out/journal.sqlite") as journal:
        pages = journal._db.execute("pragma page_count").fetchone()[0]
        journal._db.execute(f"pragma max_page_count = {pages}")
        with pytest.raises(CourseError, match="make room on the disk, and run the same command again"):
            journal.keep("x", "1", torch.rand(10**6).numpy().tobytes())
    with Journal(again / "out/journal.sqlite") as journal:
        journal.keep("x", "1", b"there is room again")
    (tmp_path / "out/journal.sqlite").mkdir(parents=True)
    with pytest.raises(CourseError, match="cannot be written: change that, or give another --out"):
        Journal(tmp_path / "out/journal.sqlite")


def test_where_the_reference_loses_points_nobody_is_graded(a01, again):
    """Such as with limits that no solution keeps: the class would get 0 otherwise."""
    narrow = replace(a01, limits=replace(a01.limits, seconds_per_submission=0.0))
    before = scores(again)
    with pytest.raises(CourseError, match="the reference solution loses points where submissions run"):
        graded(narrow, again)
    assert scores(again) == before


def test_one_student_is_graded_again_and_the_class_stays(a01, again, ran):
    (again / "in/bob" / FILE).write_text(RIGHT)
    assert graded(a01, again, only="ann")[0]
    assert ran == ["ann"]
    assert scores(again)["bob"] < a01.max_points
    assert graded(a01, again, only="bob")[0]
    assert ran == ["ann", "bob"]
    assert scores(again) == {"ann": a01.max_points, "bob": a01.max_points}
    with pytest.raises(CourseError, match="there is no submission of 'eve'"):
        graded(a01, again, only="eve")


def test_force_draws_new_inputs(a01, again, ran):
    """Whoever has carried the seed out of a run knows nothing of the next one."""

    def seed() -> int:
        return json.loads((again / "out/results.json").read_text())["seed"]

    def secret() -> str:
        with journal_of(again / "out") as db:
            return db.execute("select value from run where name = 'secret'").fetchone()[0]

    first = seed(), secret()
    assert graded(a01, again, seed=None)[0] and (seed(), secret()) == first
    assert graded(a01, again, seed=None, only="ann")[0] and (seed(), secret()) == first
    assert graded(a01, again, seed=None, force=True)[0]
    assert seed() != first[0] and secret() != first[1]
    assert ran == ["ann", "ann", "bob"]


def test_no_worker_gets_the_secret_of_the_held_out_images():
    a03, secret = find_assignment("a03"), 0xFEED_FACE_CAFE_BEEF
    checks = [check for check in a03.checks if check.target is not None]
    answers = make_answers(checks, [], 1, secret)
    assert answers.held_out and {images.dtype for images in answers.held_out.values()} == {torch.uint8}
    given = pickle.dumps(Job.make(a03, answers))
    for known in (str(secret).encode(), secret.to_bytes(8, "little"), secret.to_bytes(8, "big")):
        assert known not in given


def test_the_seed_is_on_no_page_that_a_student_sees(a01, again):
    seed = 3141592653
    assert graded(a01, again, seed=seed, force=True)[0]
    assert str(seed) in (again / "out/report.html").read_text()
    seen = [*(again / "out/feedback").rglob("*"), *(again / "out/nbgrader/autograded").rglob("*")]
    texts = [path.read_text() for path in seen if path.is_file()]
    assert len(texts) > 2 and not any(str(seed) in text for text in texts)


def test_who_has_another_score_than_in_the_last_run_is_named(a01, again):
    (again / "in/bob" / FILE).write_text(RIGHT)
    before = scores(again)["bob"]
    said, due = graded(a01, again)[1], f"bob: +{a01.max_points - before:g} points"
    assert "1 with another final score than in the last run" in said and due in said and "ann: +" not in said
    page = (again / "out/report.html").read_text()
    assert f'<td class="number">+{a01.max_points - before:g}</td>' in page
    assert "in the last run" not in graded(a01, again)[1]


def test_who_was_in_the_last_run_and_is_not_in_this_one_is_named(a01, again):
    kept = shutil.move(again / "in/bob", again / "bob")
    said = graded(a01, again)[1]
    assert "1 of the last run who are no longer in the tables" in said and "bob: no submission now" in said
    assert scores(again).keys() == {"ann"}
    shutil.move(kept, again / "in/bob")
    assert "no longer" not in graded(a01, again)[1]
    assert "no longer" not in graded(a01, again, only="bob")[1]


def test_who_handed_in_nothing_is_in_the_report(a01, again):
    roster = Roster([Student("ann"), Student("bob"), Student("cem", "Cem <Kaya>"), Student("dan")])
    graded(a01, again, roster=roster)
    page = BeautifulSoup((again / "out/report.html").read_text(), "html.parser")
    entries = page.select("[aria-labelledby=missing] li")
    assert [entry.get_text(" ", strip=True) for entry in entries] == ["cem Cem <Kaya>", "dan"]
    graded(a01, again)
    assert "Handed in nothing" not in (again / "out/report.html").read_text()


def test_what_lateness_costs_is_on_the_students_page(a01, again, monkeypatch):
    due = datetime(2026, 10, 16, tzinfo=UTC)
    policy = LatePolicy(grace_hours=1, penalty_per_day=0.1, late_days=1)
    course = Course("x", "y", deadlines={"a01": due}, late=policy)

    def collected(*arguments: object) -> Collection:
        collection = collect(*arguments)
        ann, bob = collection.found
        ann.submitted, bob.submitted = due, due + timedelta(hours=50)
        return collection

    monkeypatch.setattr(class_run, "collect", collected)
    for module in (class_run, refresh):
        monkeypatch.setattr(module, "read_course", lambda: course)
    assert graded(a01, again)[0]

    def standing(id: str) -> list[str]:
        page = BeautifulSoup((again / f"out/feedback/{id}.html").read_text(), "html.parser")
        return [row.get_text(" ", strip=True) for row in page.select("[aria-labelledby=standing] tr")]

    bob = scores(again)["bob"]
    lost = f"{-0.2 * bob:g}"
    assert f"Lateness {lost} 3 days late, 1 of them free: 20 % of the points are lost" in standing("bob")
    assert standing("bob")[-1] == f"Total {0.8 * bob:g} of 40"
    assert not [row for row in standing("ann") if row.startswith("Lateness")]
    assert standing("ann")[-1] == f"Total {scores(again)['ann']:g} of 40"


def test_each_phase_after_the_last_submission_is_told(a01, again):
    said = graded(a01, again)[1]
    for phase in ("gradebook …", "results …", "table …", "experiment on images: ", "report …"):
        assert phase in said


def test_mistakes_are_not_tried_on_images_where_that_is_not_asked_for(a01, again, monkeypatch):
    monkeypatch.setattr(class_run, "try_on_images", None)
    assert "experiment on images" not in graded(a01, again, images=False)[1]
    assert (again / "out/report.html").exists()
    asked: list[bool] = []
    monkeypatch.setattr(class_run, "grade_class", lambda _, __, settings, ___: asked.append(settings.images))
    for options in ([], ["--no-images"]):
        CliRunner().invoke(cli.app, ["grade", "a01", str(again / "in"), *options])
    assert asked == [True, False]


def test_what_runs_again_and_why_is_logged_where_it_is_asked_for(a01, again, caplog, capfd):
    (again / "in/bob" / FILE).write_text(f"{RIGHT}# mine\n")
    caplog.set_level(logging.DEBUG, logger="grading")
    assert graded(a01, again)[0]
    assert "ann: nothing has changed" in caplog.messages
    assert "bob: runs: its code or the checks changed" in caplog.messages
    assert any(message.startswith("report took") for message in caplog.messages)
    assert capfd.readouterr().err == ""


def test_the_log_goes_to_standard_error_once(capsys):
    before = [*LOGGER.handlers]
    try:
        show_log(logging.WARNING)
        logging.getLogger("grading.x").warning("quiet")
        assert capsys.readouterr().err == ""
        for _ in range(2):
            show_log(logging.INFO)
        logging.getLogger("grading.x").info("told")
        assert capsys.readouterr().err.count("told") == 1
    finally:
        LOGGER.handlers[:] = before
        LOGGER.setLevel(logging.NOTSET)
