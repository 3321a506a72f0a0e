"""What a group hands in counts for all its members, and a person grades it once."""

import csv
import json
import zipfile

import jsonschema
import pytest
from helpers import grade_all, packed, write

from exercise_code.support.paths import ROOT
from grading.notebooks.nbgrader_course import open_gradebook
from grading.pages.similar import similar
from grading.running.sandbox import detect
from grading.scores.by_hand import Mark, for_groups
from grading.scores.exports import export, read_results
from grading.scores.feedback_zip import write_feedback_zip
from grading.scores.gradebook import write_gradebook
from grading.scores.refresh import publish, refresh, settlement_of
from grading.scores.results import results
from grading.submissions.collect import collect
from grading.submissions.roster import Roster, Student, read_roster

FILE, NOTEBOOK = "exercise_code/knn.py", "assignments/a01_knn/knn.ipynb"
RED, BLUE = ["ada", "bo", "cy"], ["dan", "eve"]
TEAMS = {**dict.fromkeys(RED, "Team Red"), **dict.fromkeys(BLUE, "Team Blue"), "fay": ""}
ROSTER = Roster(
    [
        Student(id, id.title(), f"{id}@example.org", {"group": team, "moodle_id": str(number)})
        for number, (id, team) in enumerate(TEAMS.items(), 901)
    ]
)
MOODLE = [f"{name}_{number}_assignsubmission_file" for number, name in enumerate(["Ada", "Dan", "Fay"])]


@pytest.mark.parametrize("names", [["Team Red", "eve", "fay"], ["bo", "team_blue", "fay"], MOODLE])
def test_a_submission_of_a_group_or_of_one_member_is_every_members(a01, tmp_path, names):
    for number, name in enumerate(names):
        write(tmp_path / name, {FILE: f"x = {number}\n".encode(), NOTEBOOK: b"{}"})
    found = collect(tmp_path, a01, ROSTER)
    submissions = {each.id: each for each in found.submissions(a01)}
    assert {id: each.group for id, each in submissions.items()} == TEAMS
    assert [submissions[id].files[FILE] for id in RED] == [b"x = 0\n"] * 3
    assert [submissions[id].files[FILE] for id in BLUE] == [b"x = 1\n"] * 2
    assert [submissions[id].name for id in TEAMS] == [id.title() for id in TEAMS]
    assert not found.missing and not found.unknown and not any(each.notes for each in submissions.values())


def test_canvas_calls_a_groups_files_by_its_name(a01, tmp_path):
    write(tmp_path, {"teamred_901_77_knn.py": b"x = 0\n", "fay_6_78_knn.py": b"x = 1\n"})
    found = collect(tmp_path, a01, ROSTER)
    assert found.kind == "canvas" and [each.id for each in found.found] == [*RED, "fay"]
    assert found.missing == BLUE
    pages = tmp_path / "pages"
    write(pages, {f"{each.id}.html": each.id.encode() for each in found.found})
    assert write_feedback_zip(found, pages, tmp_path / "f.zip") == []
    with zipfile.ZipFile(tmp_path / "f.zip") as archive:
        names = ["teamred_901_77_feedback.html", "fay_6_78_feedback.html"]
        assert archive.namelist() == names and archive.read(names[0]) == b"ada"


def test_of_two_submissions_of_a_group_the_later_counts_and_all_are_told(a01, tmp_path):
    for id, day in (("ada", 17), ("cy", 16)):
        stamp = f"2026-10-{day} 18:00:00 UTC".encode()
        write(tmp_path / id / a01.name, {FILE: id.encode(), "timestamp.txt": stamp})
    submissions = [*collect(tmp_path, a01, ROSTER).submissions(a01)]
    assert [(each.id, each.files[FILE]) for each in submissions] == [(id, b"ada") for id in RED]
    assert all("was handed in twice" in " ".join(each.notes) for each in submissions)


def test_gradescope_says_who_is_a_group(a01, tmp_path):
    people = "".join(f"\n  - :name: {id.title()}\n    :email: {id}@example.org" for id in BLUE)
    listing = f"submission_5:\n  :created_at: 2026-10-16 18:00:00 UTC\n  :submitters:{people}\n"
    write(tmp_path, {"submission_metadata.yml": listing.encode(), f"submission_5/{FILE}": b"x = 1\n"})
    submissions = [*collect(tmp_path, a01, None).submissions(a01)]
    assert [each.group for each in submissions] == ["submission_5"] * 2
    assert [(each.id, each.group) for each in collect(tmp_path, a01, ROSTER).found] == [
        (id, "Team Blue") for id in BLUE
    ]


def test_a_group_is_read_from_the_roster(tmp_path):
    (tmp_path / "class.csv").write_text("id,Group\nada,Red\nbo,red \ncy,\n")
    roster = read_roster(tmp_path / "class.csv")
    assert [student.id for student in roster.owners("RED")] == ["ada", "bo"]
    assert [student.id for student in roster.owners("bo")] == ["bo", "ada"]
    assert [student.id for student in roster.owners("cy")] == ["cy"] and not roster.owners("", "x")


def test_one_members_marks_reach_all_but_those_that_a_member_has_alone():
    marks = {
        "ada": {"q": Mark(waiting=True), "r": Mark(waiting=True)},
        "bo": {"q": Mark(2.0, comment="Well."), "r": Mark()},
        "cy": {"q": Mark(0.5), "r": Mark()},
        "fay": {"q": Mark(waiting=True)},
    }
    shared = for_groups(marks, {"ada": "red", "bo": "red", "cy": "red", "fay": ""})
    assert shared["ada"]["q"] == shared["bo"]["q"] == Mark(2.0, comment="Well.")
    assert shared["cy"]["q"] == Mark(0.5) and shared["fay"] == marks["fay"]
    assert all(shared[id]["r"].waiting for id in ("ada", "bo", "cy"))


def test_a_group_is_not_similar_to_itself(a01, tmp_path):
    right = (ROOT / FILE).read_bytes()
    for name in ("Team Red", "fay"):
        write(tmp_path, {f"{name}.zip": packed({FILE: right})})
    pairs = similar(collect(tmp_path, a01, ROSTER).submissions(a01), a01, 0.5, 10)
    assert [(pair.first, pair.second) for pair in pairs] == [("ada", "fay")]


def test_points_that_one_member_is_given_reach_every_export_of_all(a01, tmp_path):
    """Graded as `workbook grade` does; a person reads one answer of each group."""
    right, notebook = (ROOT / FILE).read_bytes(), (ROOT / NOTEBOOK).read_bytes()
    for name in ("Team Red", "Team Blue", "fay"):
        write(tmp_path / "in" / name, {FILE: right, NOTEBOOK: notebook})
    collection, out = collect(tmp_path / "in", a01, ROSTER), tmp_path / "out"
    records = grade_all(collection.submissions(a01), a01, 4, out)
    records.sort(key=lambda record: record.submission.id)
    write_gradebook(a01, records, out / "nbgrader")
    groups = {record.submission.id: record.submission.group for record in records}
    assert groups == TEAMS, "the journal knows them"
    settlement = settlement_of(a01, out, None, groups)
    (out / "results.json").write_text("".join(results(records, a01.name, 4, detect(), settlement)))
    publish(a01, out, read_results(out, a01.name), ROSTER)
    assert all(each["waiting"] for entry in entries(a01, out) for each in entry["questions"])
    with open_gradebook(out / "nbgrader") as book:
        rows = book.assignment_submissions(a01.name)
        assert {row.student_id for row in rows if row.needs_manual_grade} == {"ada", "dan", "fay"}
        for number, id in enumerate(["ada", "dan", "fay"]):
            for question in a01.questions:
                grade = book.find_grade(question, "knn", a01.name, id)
                grade.manual_score, grade.needs_manual_grade = number / 2, False
            book.find_comment("question-cost", "knn", a01.name, id).manual_comment = f"Well, {number}."
        book.db.commit()
    content = refresh(a01, out, ROSTER)
    jsonschema.validate(content, json.loads((ROOT / "grading/results.schema.json").read_text()))
    points = dict.fromkeys(RED, 28.0) | dict.fromkeys(BLUE, 28 + 0.5 * len(a01.questions))
    points["fay"] = 28.0 + len(a01.questions)
    assert {entry["id"]: entry["final_score"] for entry in content["submissions"]} == points
    assert not any(each["waiting"] for entry in content["submissions"] for each in entry["questions"])
    for kind in ("canvas", "moodle", "csv", "gradescope"):
        export(kind, read_results(out, a01.name), a01.title, ROSTER, tmp_path / kind)
    _, *rows = table(tmp_path / "canvas")
    assert {row["Student"].lower(): float(row[a01.title]) for row in rows} == points
    rows = table(tmp_path / "moodle")
    assert {row["Full name"].lower(): float(row["Grade"]) for row in rows} == points
    assert ["Well, 0." in row["Feedback comments"] for row in rows] == [True] * 3 + [False] * 3
    rows = table(tmp_path / "csv")
    assert {row["id"]: (float(row["final_score"]), row["group"]) for row in rows} == {
        id: (points[id], TEAMS[id]) for id in TEAMS
    }
    for id in TEAMS:
        assert json.loads((tmp_path / f"gradescope/{id}/results.json").read_text())["score"] == points[id]
        assert f"{points[id]:g} of 40" in (out / f"feedback/{id}.html").read_text()
    write_gradebook(a01, records, out / "nbgrader")
    with open_gradebook(out / "nbgrader") as book:
        assert not [row.student_id for row in book.assignment_submissions(a01.name) if row.needs_manual_grade]


def entries(assignment, out) -> list[dict]:
    return read_results(out, assignment.name)["submissions"]


def table(path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
