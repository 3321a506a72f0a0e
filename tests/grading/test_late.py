"""Lateness costs what course.toml says, free days first; exports have the columns that platforms document."""

import csv
import json
from datetime import datetime, timedelta

import jsonschema
import platforms
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exercise_code.support.paths import ROOT
from grading.course import Course, CourseError, LatePolicy, read_course
from grading.scores.exports import FORMATS, export
from grading.scores.late import Late, Ledger, charge, check_extensions, deadline_of
from grading.submissions.roster import Roster, Student

DUE = datetime.fromisoformat("2026-10-16T23:59:00+02:00")
POLICY = LatePolicy(grace_hours=6, penalty_per_day=0.1, late_days=4)


@pytest.mark.parametrize(
    "hours, left, late",
    [
        (-5, 4, Late(0.0)),
        (5, 4, Late(5.0)),
        (7, 4, Late(7.0, 1, 1, 0.0)),
        (7, 0, Late(7.0, 1, 0, 0.1)),
        (30, 1, Late(30.0, 1, 1, 0.0)),
        (31, 1, Late(31.0, 2, 1, 0.1)),
        (24 * 30, 0, Late(720.0, 30, 0, 1.0)),
    ],
)
def test_what_lateness_costs(hours, left, late):
    assert charge(DUE, DUE + timedelta(hours=hours), POLICY, left) == late


def test_what_is_not_known_costs_nothing():
    assert charge(None, DUE, POLICY, 0) == charge(DUE, None, POLICY, 0) == Late()


@given(first=st.floats(0, 1000), more=st.floats(0, 100), left=st.integers(0, 10))
def test_later_is_never_cheaper(first, more, left):
    one, other = (charge(DUE, DUE + timedelta(hours=hours), POLICY, left) for hours in (first, first + more))
    assert one.penalty <= other.penalty <= 1
    assert other.free <= left and other.free <= other.days
    assert charge(DUE, DUE + timedelta(hours=first), POLICY, left + 1).penalty <= one.penalty


@pytest.fixture
def course():
    deadlines = {"a01": DUE, "a02": DUE + timedelta(days=14)}
    extensions = {"a01": {"ada": DUE + timedelta(days=3)}}
    return Course("x", "y", deadlines=deadlines, extensions=extensions, late=POLICY)


def test_extensions_are_of_single_students(course):
    assert deadline_of(course, "a01_knn", "ada") == DUE + timedelta(days=3)
    assert deadline_of(course, "a01_knn", "grace") == DUE
    assert deadline_of(course, "a09_x", "ada") is None


def test_free_days_are_spent_in_order_of_the_deadlines(course, tmp_path):
    def results(name, free):
        (tmp_path / name).mkdir()
        entry = {"id": "ada", "late": {"free": free}}
        content = {"assignment": name, "submissions": [entry]}
        (tmp_path / name / "results.json").write_text(json.dumps(content))

    results("a01_knn", 3)
    results("a02_linear", 4)
    later = Ledger(course, "a02_linear", tmp_path / "a02_linear")
    due = course.deadlines["a02"]
    assert later.charge("ada", due + timedelta(hours=7 + 24)) == Late(31.0, 2, 1, 0.1)
    assert later.charge("grace", due + timedelta(hours=7 + 24)) == Late(31.0, 2, 2, 0.0)
    assert Ledger(course, "a01_knn", tmp_path / "a01_knn").charge("ada", None) == Late()
    first = Ledger(course, "a01_knn", tmp_path / "a01_knn")
    assert first.charge("ada", DUE + timedelta(days=3, hours=7)).free == 1


DAMAGED = ["{", "[]", '{"assignment": "a01"}', '{"assignment": "a01", "submissions": [1]}']


@pytest.mark.parametrize("text", DAMAGED)
def test_damaged_results_of_another_assignment_are_named(course, tmp_path, text):
    (tmp_path / "a01").mkdir()
    (tmp_path / "a01/results.json").write_text(text)
    with pytest.raises(CourseError, match="is damaged"):
        Ledger(course, "a02_linear", tmp_path / "a02")


@pytest.mark.parametrize(
    "lines, sentence",
    [
        ("[late]\npenalty_per_day = 10", "penalty_per_day of 0 to 1"),
        ("[deadlines]\na01 = 2026-10-16T23:59:00", "deadlines.a01 needs a moment with a time zone"),
        ("[extensions.a01]\nada = 3", "extensions.a01.ada needs a moment"),
        ("[deadlines]\na1 = 2026-10-16T23:59:00Z", r"'a1' is not the short name.*: did you mean 'a01'\?"),
        ("[deadlines]\na01_knn = 2026-10-16T23:59:00Z", r"'a01_knn' is not.*: did you mean 'a01'\?"),
        ("[extensions.A02]\nada = 2026-10-16T23:59:00Z", r"'A02' is not.*: did you mean 'a02'\?"),
    ],
)
def test_wrong_settings_are_named(tmp_path, lines, sentence):
    (tmp_path / "course.toml").write_text(f'name = "x"\nterm = "y"\nrepository = "z"\n{lines}\n')
    with pytest.raises(CourseError, match=sentence):
        read_course(tmp_path)


@pytest.mark.parametrize(
    "name, sentence",
    [
        ("adda", "no id of the roster: did you mean 'ada'"),
        ("ada@example.org", "no id of the roster: write 'ada'"),
        ("Lovelace, Ada", "no id of the roster: write 'ada'"),
        ("nobody", "'nobody', which is no id of the roster$"),
    ],
)
def test_extensions_for_nobody_are_named(name, sentence):
    course = Course("x", "y", "z", extensions={"a01": {name: DUE}, "a02": {"someone": DUE}})
    with pytest.raises(CourseError, match=sentence):
        check_extensions(course, "a01_knn", ROSTER)
    check_extensions(course, "a03_mlp", ROSTER)


def test_lateness_is_a_sentence():
    assert Late().sentence == Late(5.0).sentence == ""
    assert Late(7.0, 1, 1).sentence == "1 day late, 1 of them free: no points are lost"
    assert Late(200.0, 8, 1, 0.7).sentence == "8 days late, 1 of them free: 70 % of the points are lost"


CHECKS = [
    {"id": "knn.a", "points": 3, "max_points": 3, "status": "passed", "message": "", "hint": ""},
    {
        "id": "knn.b",
        "points": 1.5,
        "max_points": 3,
        "status": "failed",
        "message": "float64: no",
        "hint": "Mind it.",
    },
]
ENTRY = {
    "id": "ada",
    "name": "",
    "submitted": "2026-10-17T12:00:00+02:00",
    "score": 4.5,
    "max_score": 6,
    "late": {"hours": 12.0, "days": 1, "free": 0, "penalty": 0.1},
    "questions": [
        {"id": "question-x", "points": 2.0, "max_points": 3.0, "waiting": False, "comment": "Why?\nSo."},
        {"id": "question-y", "points": 0.0, "max_points": 1.0, "waiting": True, "comment": ""},
    ],
    "overrides": [{"exercise": "knn.b", "points": 2.0, "automatic": 1.5, "waiting": False}],
    "total": 7.0,
    "max_total": 10.0,
    "final_score": 6.3,
    "notes": ["odd"],
    "checks": CHECKS,
}
RESULTS = {"assignment": "a01_knn", "submissions": [ENTRY, {**ENTRY, "id": "=cmd()"}]}
ROSTER = Roster(
    [
        Student(
            "ada", "Lovelace, Ada", "ada@example.org", {"canvas_id": "11", "moodle_id": "77", "sis_id": "S1"}
        )
    ]
)


def rows(kind, tmp_path, results=RESULTS):
    export(kind, results, "kNN (123)", ROSTER, tmp_path / "x.csv")
    with (tmp_path / "x.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_canvas_has_the_columns_of_its_own_export(tmp_path):
    points, ada, odd = rows("canvas", tmp_path)
    assert [*points] == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "kNN (123)"]
    assert points["Student"].strip() == "Points Possible" and float(points["kNN (123)"]) == 10
    assert (ada["Student"], ada["ID"], ada["SIS User ID"]) == ("Lovelace, Ada", "11", "S1")
    assert float(ada["kNN (123)"]) == 6.3
    assert odd["Student"] == "'=cmd()"


def test_moodle_has_the_columns_of_its_worksheet(tmp_path):
    (ada,) = rows("moodle", tmp_path, {"submissions": [ENTRY]})
    columns = {"Identifier", "Full name", "Email address", "Status", "Grade", "Maximum Grade"}
    assert columns < {*ada}
    assert ada["Identifier"] == "Participant 77"
    assert (float(ada["Grade"]), float(ada["Maximum Grade"])) == (6.3, 10)
    assert ada["Feedback comments"].split("<br>") == [
        "knn.b: wrong. float64: no. Mind it",
        "question-x: 2 of 3. Why?",
        "So.",
        "knn.b: 2, given by hand",
        "1 day late: 10 % of the points are lost",
    ]


def test_moodle_shows_a_message_as_it_was(tmp_path):
    """Its comments are HTML: neither lines nor signs may be lost."""
    check = {**CHECKS[1], "message": "a<b & c: <img src=x onerror=y>", "hint": ""}
    export("moodle", {"submissions": [{**ENTRY, "checks": [check]}]}, "kNN", ROSTER, tmp_path / "x.csv")
    read = platforms.moodle(tmp_path / "x.csv", {77}, 10)
    assert read.comments[77].splitlines()[0] == "knn.b: wrong. a<b & c: <img src=x onerror=y>"


def test_who_moodle_would_pass_over_is_told(tmp_path):
    with pytest.raises(CourseError, match=r"pass over =cmd\(\): give --roster .* moodle_id"):
        export("moodle", RESULTS, "kNN", ROSTER, tmp_path / "x.csv")


def test_canvas_finds_a_student_by_what_the_roster_has(tmp_path):
    title = "kNN (123)"
    export("canvas", {"submissions": [ENTRY]}, title, ROSTER, tmp_path / "x.csv")
    for student in (
        platforms.CanvasStudent(11, "x", "x"),
        platforms.CanvasStudent(5, "x", "x", sis_id="S1"),
        platforms.CanvasStudent(5, "x", "ada@example.org"),
    ):
        read = platforms.canvas(tmp_path / "x.csv", title, [student])
        assert read.points == {student.id: 6.3} and (read.possible, read.passed_over) == (10, [])


@pytest.mark.parametrize("kind", ["csv", "canvas", "moodle", "gradescope"])
def test_half_a_letter_in_a_message_stops_no_export(tmp_path, kind):
    check = {**CHECKS[1], "message": "ValueError: \ud800"}
    export(kind, {"submissions": [{**ENTRY, "checks": [check]}]}, "kNN", ROSTER, tmp_path / "x")
    assert (tmp_path / "x").exists()


def test_the_table_for_people_says_what_lateness_cost(tmp_path):
    ada, _ = rows("csv", tmp_path)
    assert (ada["score"], ada["total"], ada["final_score"], ada["late_days"]) == ("4.5", "7", "6.3", "1")
    assert (ada["knn.b"], ada["question-x"], ada["written"], ada["waiting"]) == ("1.5", "2", "2", "1")
    assert ada["changed_by_hand"] == "0.5"


@pytest.mark.parametrize("kind", ["csv", "canvas", "moodle"])
def test_a_number_looks_alike_wherever_it_came_from(tmp_path, kind):
    again = {"final_score": 22.400000000000002, "max_total": 28, "total": 28.0}
    export(kind, {"submissions": [{**ENTRY, **again}]}, "kNN (123)", ROSTER, tmp_path / "x.csv")
    cells = {cell for row in csv.reader((tmp_path / "x.csv").open(newline="")) for cell in row}
    assert {"28", "22.4"} < cells and not [cell for cell in cells if cell.endswith(".0") or len(cell) == 18]


def test_gradescope_gets_a_file_for_each_student(tmp_path):
    export("gradescope", {"submissions": [ENTRY]}, "kNN", ROSTER, tmp_path)
    content = json.loads((tmp_path / "ada/results.json").read_text())
    assert content["score"] == sum(test["score"] for test in content["tests"]) == 7.0
    assert [test["status"] for test in content["tests"] if "status" in test] == ["passed", "failed"]
    assert all(test["visibility"] == "visible" for test in content["tests"])


TEXT, WHOLE = {"type": "string", "minLength": 1}, {"type": "integer", "minimum": 0}
TEST = {
    "type": "object",
    "required": ["test-name", "passed", "score", "max-score"],
    "properties": {"test-name": TEXT, "passed": {"type": "boolean"}, "score": WHOLE, "max-score": WHOLE},
}
FIELDS = {
    "schema": {"const": "classroom50/result/v1"},
    "classroom": TEXT,
    "assignment": TEXT,
    "assignment_type": {"enum": ["individual", "group"]},
    "owner": TEXT,
    "submission": {"type": "string", "pattern": "^submit/"},
    "commit": TEXT,
    "release": TEXT,
    "review": TEXT,
    "datetime": {"pattern": r"^\d{4}-\d{2}-\d{2}T([01]\d|2[0-3]):[0-5]\d:[0-5]\dZ$"},
    "score": WHOLE,
    "max-score": WHOLE,
    "tests": {"type": "array", "items": TEST},
}
CLASSROOM50 = {"type": "object", "additionalProperties": False, "required": [*FIELDS], "properties": FIELDS}
"""What classroom50/result/v1 asks for."""


def test_classroom_50_gets_its_schema(tmp_path, monkeypatch):
    with pytest.raises(CourseError, match="CLASSROOM is not set"):
        export("classroom50", {"submissions": [ENTRY]}, "kNN", ROSTER, tmp_path / "result.json")
    values = {"CLASSROOM": "dl", "ASSIGNMENT": "a01", "SUBMISSION_TAG": "submit/2026-10-17T10-00-00Z-abc1234"}
    for name, value in {**values, "COMMIT_URL": "https://x/c", "RELEASE_URL": "https://x/r"}.items():
        monkeypatch.setenv(name, value)
    export("classroom50", {"submissions": [ENTRY]}, "kNN", ROSTER, tmp_path / "result.json")
    content = json.loads((tmp_path / "result.json").read_text())
    jsonschema.validate(content, CLASSROOM50)
    assert (content["score"], content["max-score"]) == (450, 600)
    assert content["datetime"] == "2026-10-17T10:00:00Z"
    with pytest.raises(CourseError, match="one repository at a time"):
        export("classroom50", RESULTS, "kNN", ROSTER, tmp_path / "result.json")


def test_unknown_formats_are_named(tmp_path):
    with pytest.raises(CourseError, match=f"choose from {', '.join(FORMATS)}"):
        export("excel", RESULTS, "kNN", ROSTER, tmp_path / "x")


def test_the_courses_own_settings_are_valid():
    assert read_course(ROOT).late.penalty_per_day <= 1
