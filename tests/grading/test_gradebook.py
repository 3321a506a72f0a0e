"""The gradebook on SQLite and PostgreSQL: what a person gave stays, a locked or lost one is named."""

import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import threading
import time
from pathlib import Path

import nbformat
import pytest
from sqlalchemy import create_engine, text

from exercise_code.support.checking.judge import Verdict
from grading.course import CourseError
from grading.notebooks import with_verdicts
from grading.notebooks.nbgrader_course import gradebook_address, open_gradebook
from grading.notebooks.with_verdicts import exercises_by_cell
from grading.pages.html import write_page
from grading.running.incremental import notebook_place
from grading.scores import gradebook
from grading.scores.gradebook import BATCH, write_gradebook
from grading.submissions.records import Stored, Submission


def records_of(a01, count: int, share: float = 1.0) -> list[Stored]:
    """A class in which everybody has the same share of the points and has left the questions alone."""
    verdicts = [
        Verdict(check.id, check.title, check.points, points=share * check.points) for check in a01.checks
    ]
    return [
        Stored(Submission(f"s{n:04}", name=f"Ada {n}"), verdicts, [], untouched=[*a01.questions])
        for n in range(count)
    ]


@pytest.fixture(scope="module")
def postgres(tmp_path_factory):
    """The address of an empty PostgreSQL database on loopback."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    found = [programs[-1]] if programs else [Path(p).parent for p in [shutil.which("postgres")] if p]
    if not found:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    data = tmp_path_factory.mktemp("postgres")
    user = []
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        subprocess.run(["chown", "-R", "postgres", data], check=True)
        for folder in data.parents:
            if folder.stat().st_uid == 0 and folder.is_relative_to("/tmp") and folder != Path("/tmp"):
                folder.chmod(folder.stat().st_mode | 0o011)
        user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    run = [*user, str(found[0] / "initdb"), "-D", str(data / "db"), "-A", "trust", "-U", "grader"]
    subprocess.run(run, check=True, capture_output=True, cwd="/")
    server = subprocess.Popen(
        [
            *user,
            str(found[0] / "postgres"),
            *["-D", str(data / "db"), "-p", str(port), "-h", "127.0.0.1", "-k", str(data)],
        ],
        stderr=subprocess.DEVNULL,
        cwd="/",
    )
    address = f"postgresql+psycopg://grader@127.0.0.1:{port}/postgres"
    for _ in range(100):
        try:
            with create_engine(address).connect() as connection:
                connection.execute(text("select 1"))
            break
        except Exception:
            time.sleep(0.1)
    yield address
    server.send_signal(signal.SIGINT)  # ends without waiting for connections
    server.wait()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_scores_arrive_once_and_what_a_person_gave_stays(a01, tmp_path, request, kind):
    address = request.getfixturevalue("postgres") if kind == "postgresql" else None
    count = BATCH + 3
    address = write_gradebook(a01, records_of(a01, count), tmp_path, address)
    assert address.startswith(kind)
    with open_gradebook(address) as book:
        book.find_grade("question-cost", "knn", a01.name, "s0001").manual_score = 2
        book.db.commit()
    write_gradebook(a01, records_of(a01, count, share=0.5), tmp_path, address)
    with open_gradebook(address) as book:
        rows = {row.student.id: row for row in book.assignment_submissions(a01.name)}
        assert len(rows) == count
        assert rows["s0000"].score == a01.max_points / 2
        assert rows["s0001"].score == a01.max_points / 2 + 2
        assert (rows["s0002"].student.first_name, rows["s0002"].student.last_name) == ("Ada", "2")
        assert not rows["s0002"].needs_manual_grade
    config = (tmp_path / "nbgrader_config.py").read_text()
    assert address in config


def test_without_a_name_formgrader_shows_the_id(a01, tmp_path):
    records = records_of(a01, 2)
    records[1].submission.name = ""

    def shown() -> list[str]:
        address = write_gradebook(a01, records, tmp_path)
        with open_gradebook(address) as book:
            return [f"{student.last_name}, {student.first_name}" for student in book.students]

    assert shown() == ["0, Ada", "s0001, "]
    records[0].submission.name, records[1].submission.name = "", "Grace Hopper"
    assert shown() == ["0, Ada", "Hopper, Grace"]


def test_a_locked_gradebook_is_waited_for(a01, tmp_path, monkeypatch):
    write_gradebook(a01, records_of(a01, 1), tmp_path)
    lock = sqlite3.connect(tmp_path / "gradebook.db", isolation_level=None, check_same_thread=False)
    lock.execute("begin exclusive")
    waits: list[float] = []

    def release(seconds: float) -> None:
        waits.append(seconds)
        if lock.in_transaction:
            lock.execute("rollback")

    monkeypatch.setattr(gradebook.time, "sleep", release)
    threading.Timer(7, lambda: lock.in_transaction and lock.execute("rollback")).start()
    write_gradebook(a01, records_of(a01, 2), tmp_path)
    assert waits
    with open_gradebook(tmp_path) as book:
        assert len(book.assignment_submissions(a01.name)) == 2


def test_a_lost_gradebook_is_named_without_its_password(a01, tmp_path, monkeypatch):
    monkeypatch.setattr(gradebook, "PATIENCE", (0.0,))
    monkeypatch.setattr(gradebook, "make_course", lambda *_, **__: None)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    address = f"postgresql+psycopg://grader:secret@127.0.0.1:{port}/x?connect_timeout=2"
    with pytest.raises(CourseError, match="all results are safe: run the same command again") as raised:
        write_gradebook(a01, records_of(a01, 1), tmp_path, address)
    assert "secret" not in str(raised.value)


def test_the_default_is_a_file_in_the_course(a01, tmp_path):
    assert write_gradebook(a01, records_of(a01, 1), tmp_path) == gradebook_address(tmp_path)


def answered(out: Path, a01, id: str, text: str) -> None:
    """A student's notebook, as grading leaves it, with one answer in it."""
    marks = {"grade_id": "question-cost", "grade": True, "solution": True, "points": 3}
    cell = nbformat.v4.new_markdown_cell(text, metadata={"nbgrader": marks})
    write_page(
        notebook_place(out, id, a01.name, "knn.ipynb"),
        nbformat.writes(nbformat.v4.new_notebook(cells=[cell])),
    )


def waits(out: Path, a01, id: str, cell: str = "question-cost") -> bool:
    with open_gradebook(out / "nbgrader") as book:
        return book.find_grade(cell, "knn", a01.name, id).needs_manual_grade


def give(out: Path, a01, id: str, marks: dict[str, float]) -> None:
    """Points as formgrader writes them."""
    with open_gradebook(out / "nbgrader") as book:
        for cell, points in marks.items():
            grade = book.find_grade(cell, "knn", a01.name, id)
            grade.manual_score, grade.needs_manual_grade = points, False
        book.db.commit()


def test_an_answer_waits_again_only_where_it_has_changed(a01, tmp_path):
    records = records_of(a01, 2)
    for record in records:
        record.untouched.remove("question-cost")
        answered(tmp_path, a01, record.submission.id, "Much.")
    course = tmp_path / "nbgrader"
    write_gradebook(a01, records, course)
    assert waits(tmp_path, a01, "s0000") and waits(tmp_path, a01, "s0001")
    for record in records:
        give(tmp_path, a01, record.submission.id, {"question-cost": 2.5})
    write_gradebook(a01, records, course)
    assert not waits(tmp_path, a01, "s0000") and not waits(tmp_path, a01, "s0001")
    answered(tmp_path, a01, "s0001", "Very much.")
    write_gradebook(a01, records, course)
    assert not waits(tmp_path, a01, "s0000") and waits(tmp_path, a01, "s0001")
    write_gradebook(a01, records[:1], course)
    assert not waits(tmp_path, a01, "s0000") and waits(tmp_path, a01, "s0001")


def test_a_check_that_is_not_graded_is_no_check_cell(a01, monkeypatch):
    graded = nbformat.v4.new_code_cell(
        'check("knn.predict_labels")', metadata={"nbgrader": {"grade_id": "c"}}
    )
    again = nbformat.v4.new_code_cell('check("knn.predict_labels")')
    notebook = nbformat.v4.new_notebook(cells=[graded, again])
    monkeypatch.setattr(with_verdicts, "with_points", lambda assignment: {"knn.ipynb": notebook})
    assert exercises_by_cell(a01) == {"c": "knn.predict_labels"}


def test_changed_points_wait_again_only_where_the_checks_give_others(a01, tmp_path):
    write_gradebook(a01, records_of(a01, 2), tmp_path / "nbgrader")
    (cell, *_) = exercises_by_cell(a01)
    give(tmp_path, a01, "s0000", {cell: 1.0})
    write_gradebook(a01, records_of(a01, 2), tmp_path / "nbgrader")
    assert not waits(tmp_path, a01, "s0000", cell)
    write_gradebook(a01, records_of(a01, 2, share=0.5), tmp_path / "nbgrader")
    assert waits(tmp_path, a01, "s0000", cell) and not waits(tmp_path, a01, "s0001", cell)
