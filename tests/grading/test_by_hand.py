"""Points that people give in formgrader reach results, tables, pages and the exports of a class of 30."""

import csv
import json
import random
from datetime import UTC, datetime, timedelta

import jsonschema
import platforms
import pytest
from bs4 import BeautifulSoup
from helpers import grade_all
from nbgrader.apps import NbGraderAPI

from exercise_code.support.paths import ROOT
from grading.course import CourseError
from grading.notebooks.nbgrader_course import nbgrader_config, open_gradebook
from grading.notebooks.with_verdicts import exercises_by_cell
from grading.running.sandbox import detect
from grading.scores.exports import export, read_results
from grading.scores.gradebook import write_gradebook
from grading.scores.refresh import publish, refresh, settlement_of
from grading.scores.results import results
from grading.submissions.records import Submission
from grading.submissions.roster import Roster, Student

FILE, NOTEBOOK = "exercise_code/knn.py", "assignments/a01_knn/knn.ipynb"
IDS = [f"s{number:02}" for number in range(30)]
CANVAS = {7000 + number: id for number, id in enumerate(IDS)}
MOODLE = {300 + number: id for number, id in enumerate(IDS)}
ROSTER = Roster(
    [
        Student(id, f"Ada {id}", f"{id}@example.org", {"canvas_id": str(canvas), "moodle_id": str(moodle)})
        for canvas, moodle, id in zip(CANVAS, MOODLE, IDS, strict=True)
    ]
)


@pytest.fixture(scope="module")
def graded(a01, tmp_path_factory):
    """A class of 30 with model answers, graded as `workbook grade` does; not yet by hand."""
    out = tmp_path_factory.mktemp("graded")
    right, notebook = (ROOT / FILE).read_text(), (ROOT / NOTEBOOK).read_bytes()
    wrong = right.replace("largest=False", "largest=True")
    submissions = [
        Submission(
            id, {FILE: (wrong if number % 3 else right).encode(), NOTEBOOK: notebook}, name=f"Ada {id}"
        )
        for number, id in enumerate(IDS)
    ]
    records = grade_all(submissions, a01, 4, out)
    write_gradebook(a01, records, out / "nbgrader")
    settlement = settlement_of(a01, out, None, {})
    (out / "results.json").write_text("".join(results(records, a01.name, 4, detect(), settlement)))
    publish(a01, out, read_results(out, a01.name), ROSTER)
    return out


@pytest.fixture(scope="module")
def expected(a01, graded):
    """The totals after points were given through nbgrader's own interface, by student."""
    before = {entry["id"]: entry["score"] for entry in read_results(graded, a01.name)["submissions"]}
    draw = random.Random(7)
    totals = {}
    with open_gradebook(graded / "nbgrader") as book:
        cell = next(iter(exercises_by_cell(a01)))
        for id in IDS:
            totals[id] = before[id]
            for question, most in a01.questions.items():
                grade = book.find_grade(question, "knn", a01.name, id)
                grade.manual_score, grade.needs_manual_grade = draw.randint(0, 2 * int(most)) / 2, False
                totals[id] += grade.manual_score
            book.find_comment("question-cost", "knn", a01.name, id).manual_comment = f"Well, {id}."
        grade = book.find_grade(cell, "knn", a01.name, "s05")
        totals["s05"] += 0.5 - grade.auto_score
        grade.manual_score, grade.needs_manual_grade = 0.5, False
        book.find_grade(cell, "knn", a01.name, "s06").extra_credit = 1.5
        totals["s06"] += 1.5
        book.db.commit()
        assert {row.student_id: row.score for row in book.assignment_submissions(a01.name)} == totals
    return totals


def test_answers_wait_until_a_person_has_read_them(a01, graded):
    (entry, *_) = read_results(graded, a01.name)["submissions"]
    assert (entry["max_score"], entry["max_total"], entry["total"]) == (28, 40, entry["score"])
    assert [question["waiting"] for question in entry["questions"]] == [True] * len(a01.questions)


def table(path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_every_export_has_the_totals_of_the_gradebook(a01, graded, expected, tmp_path, monkeypatch):
    monkeypatch.setattr("grading.running.grader.Grader.gather", None)  # nothing is run
    content = refresh(a01, graded, ROSTER)
    jsonschema.validate(content, json.loads((ROOT / "grading/results.schema.json").read_text()))
    assert {entry["id"]: entry["total"] for entry in content["submissions"]} == expected
    for kind in ("canvas", "moodle", "csv", "gradescope"):
        export(kind, read_results(graded, a01.name), a01.title, ROSTER, tmp_path / kind)
    enrolled = [platforms.CanvasStudent(number, "another name", "") for number in CANVAS]
    read = platforms.canvas(tmp_path / "canvas", a01.title, enrolled)
    assert {CANVAS[number]: points for number, points in read.points.items()} == expected
    assert read.possible == 40 and not read.passed_over
    an_hour_ago = datetime.now(UTC) - timedelta(hours=1)
    for graded_before in ({}, dict.fromkeys(MOODLE, an_hour_ago)):
        read = platforms.moodle(tmp_path / "moodle", {*MOODLE}, 40, graded_before)
        assert {MOODLE[number]: points for number, points in read.points.items()} == expected
        assert not read.passed_over
        assert all(f"Well, {MOODLE[number]}." in text for number, text in read.comments.items())
    for rows in (table(tmp_path / "csv"), table(graded / "results.csv")):
        assert {row["id"]: float(row["final_score"]) for row in rows} == expected
    for id in IDS:
        found = json.loads((tmp_path / "gradescope" / id / "results.json").read_text())
        assert found["score"] == sum(test["score"] for test in found["tests"]) == expected[id]


def test_the_students_page_shows_points_comments_and_total(a01, graded, expected):
    refresh(a01, graded, ROSTER)
    for id in ("s00", "s05"):
        page = BeautifulSoup((graded / f"feedback/{id}.html").read_text(), "html.parser")
        assert len(page.select("#standing")) == 1
        text = " ".join(page.select_one("section[aria-labelledby=standing]").get_text(" ").split())
        assert f"Total {expected[id]:g} of 40" in text and f"Well, {id}." in text
        assert "waits" not in text
        assert ("given by hand" in text) == (id == "s05")


def test_a_second_refresh_changes_nothing(a01, graded, expected):
    refresh(a01, graded, ROSTER)
    files = [graded / "results.json", graded / "results.csv", *sorted((graded / "feedback").iterdir())]
    before = [path.read_bytes() for path in files]
    refresh(a01, graded, ROSTER)
    assert [path.read_bytes() for path in files] == before


def test_a_gradebook_that_is_not_there_is_named(a01, graded, tmp_path):
    (tmp_path / "results.json").write_bytes((graded / "results.json").read_bytes())
    with pytest.raises(CourseError, match=r"there is no gradebook in .*: grade first, or give --gradebook"):
        refresh(a01, tmp_path, ROSTER)


def test_manage_assignments_counts_submissions_and_autograde_does_no_harm(a01, graded, expected):
    config = nbgrader_config(graded / "nbgrader")
    for line in (graded / "nbgrader/nbgrader_config.py").read_text().splitlines():
        if line.endswith("enabled = False"):
            exec(line, {"c": config})
    api = NbGraderAPI(config=config)
    assert api.get_assignment(a01.name)["num_submissions"] == len(IDS)
    assert api.get_autograded_students(a01.name) == {*IDS}
    assert (graded / "nbgrader/submitted/s00" / a01.name / FILE).read_bytes() == (ROOT / FILE).read_bytes()
    with open_gradebook(graded / "nbgrader") as book:
        before = {row.student_id: row.score for row in book.assignment_submissions(a01.name)}
    assert api.autograde(a01.name, "s01", force=True)["success"]
    with open_gradebook(graded / "nbgrader") as book:
        assert {row.student_id: row.score for row in book.assignment_submissions(a01.name)} == before
