"""Results in the forms that course platforms read; all of them come from `results.json` alone."""

import csv
import html
import io
import json
import os
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from exercise_code.support.checking.render import WORDS
from grading.course import CourseError
from grading.scores.late import Late
from grading.submissions.roster import Roster, Student

Results = dict[str, Any]
HUNDREDTHS = 100
RISKY = ("=", "+", "-", "@", "\t", "\r")


def export(kind: str, results: Results, title: str, roster: Roster, target: Path) -> None:
    """Write results for a platform.

    Args:
        kind: one of `FORMATS`.
        results: the content of `results.json`.
        title: of the assignment, as the platform calls it.
        roster: names and numbers of students on the platforms; may be empty.
        target: the file, or for `gradescope` the folder.

    Raises:
        CourseError: there is no such format, or something that it needs is not known.
    """
    if kind not in FORMATS:
        raise CourseError(f"there is no format {kind!r}: choose from {', '.join(FORMATS)}")
    for name, text in FORMATS[kind](results, title, roster):
        path = target / name if name else target
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", errors="replace", newline="")


def read_results(out: Path, assignment: str) -> Results:
    """The content of `results.json` in the folder of a grading.

    Raises:
        CourseError: nothing was graded there, or another assignment.
    """
    try:
        results: dict[str, Any] = json.loads((out / "results.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CourseError(f"there are no results in {out}: grade first ({error})") from None
    if results["assignment"] != assignment:
        raise CourseError(f"{out} holds results of {results['assignment']}, not of {assignment}")
    return results


Files = Iterator[tuple[str, str]]


def to_csv(results: Results, title: str, roster: Roster) -> Files:
    """A table for people: checks, written answers, what people changed, lateness and the total."""
    rows = []
    for entry, student in _entries(results, roster):
        late = entry["late"]
        rows.append(
            {
                "id": entry["id"],
                "name": student.name or entry["name"],
                "email": student.email,
                "group": entry.get("group", ""),
                "submitted": entry["submitted"] or "",
                "score": entry["score"],
                "max_score": entry["max_score"],
                "written": sum(question["points"] for question in entry["questions"]),
                "waiting": waiting(entry),
                "changed_by_hand": _changed(entry),
                "total": entry["total"],
                "max_total": entry["max_total"],
                "late_days": late["days"],
                "free_days": late["free"],
                "penalty": late["penalty"],
                "final_score": entry["final_score"],
                **{check["id"]: check["points"] for check in entry["checks"]},
                **{question["id"]: question["points"] for question in entry["questions"]},
            }
        )
    yield "", table(rows)


def to_canvas(results: Results, title: str, roster: Roster) -> Files:
    """A file for Canvas's Gradebook > Import.

    Its first columns are those of Canvas's own export; the row after the head holds the points possible.
    """
    column = title
    points = {"Student": "    Points Possible", column: _maximum(results)}
    rows = [
        {
            "Student": student.name or entry["name"] or entry["id"],
            "ID": student.called("canvas_id"),
            "SIS User ID": student.called("sis_id"),
            "SIS Login ID": student.called("sis_login_id") or student.email or entry["id"],
            "Section": student.called("section"),
            column: entry["final_score"],
        }
        for entry, student in _entries(results, roster)
    ]
    head = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", column]
    yield "", table([points, *rows], head, trusted=1)


def to_moodle(results: Results, title: str, roster: Roster) -> Files:
    """A grading worksheet for Moodle's assignment > Upload grading worksheet.

    Moodle goes by the participant's number alone, passes over rows that it does not know or has graded later
    than the worksheet says, and shows comments as HTML.

    Raises:
        CourseError: somebody's number is not known.
    """
    numbers = {
        entry["id"]: student.called("moodle_id") or entry["id"]
        for entry, student in _entries(results, roster)
    }
    if without := [id for id, number in numbers.items() if not number.isascii() or not number.isdecimal()]:
        raise CourseError(
            f"Moodle would pass over {', '.join(without[:5])}{' …' if without[5:] else ''}: give --roster "
            "with their numbers in the column moodle_id, as they stand in the names of what one downloads"
        )
    now = datetime.now(UTC).isoformat(timespec="seconds")
    rows = [
        {
            "Identifier": f"Participant {numbers[entry['id']]}",
            "Full name": student.name or entry["name"],
            "Email address": student.email,
            "Status": "Submitted for grading",
            "Grade": entry["final_score"],
            "Maximum Grade": entry["max_total"],
            "Grade can be changed": "Yes",
            "Last modified (submission)": entry["submitted"] or "",
            "Last modified (grade)": now,
            "Feedback comments": html.escape(_comment(entry), quote=False).replace("\n", "<br>"),
        }
        for entry, student in _entries(results, roster)
    ]
    yield "", table(rows)


def to_gradescope(results: Results, title: str, roster: Roster) -> Files:
    """A `results.json` for each student, as an autograder of Gradescope writes it."""
    for entry, _ in _entries(results, roster):
        yield f"{entry['id']}/results.json", json.dumps(gradescope_results(entry), indent=1) + "\n"


def gradescope_results(entry: Mapping[str, Any]) -> dict[str, Any]:
    """One submission of `results.json` in Gradescope's form."""
    tests = [
        {
            "name": check["id"],
            "score": check["points"],
            "max_score": check["max_points"],
            "status": "passed" if check["status"] == "passed" else "failed",
            "output": _explained(check),
            "output_format": "text",
            "visibility": "visible",
        }
        for check in entry["checks"]
    ]
    by_hand = [
        {
            "name": question["id"],
            "score": question["points"],
            "max_score": question["max_points"],
            "output": "waits for a person" if question["waiting"] else question["comment"],
            "output_format": "text",
            "visibility": "visible",
        }
        for question in entry.get("questions", ())
    ]
    by_hand += [
        {
            "name": f"{override['exercise']}: changed by hand",
            "score": override["points"] - override["automatic"],
            "output_format": "text",
            "visibility": "visible",
        }
        for override in entry.get("overrides", ())
    ]
    return {
        "score": entry.get("total", entry["score"]),
        "output": "\n".join(entry["notes"]),
        "output_format": "text",
        "visibility": "visible",
        "tests": [*tests, *by_hand],
    }


def to_classroom50(results: Results, title: str, roster: Roster) -> Files:
    """The `result.json` of Classroom 50 (classroom50/result/v1) for the checks of the one submission there.

    What it says of the repository comes from the variables that its runner sets. Scores are whole numbers
    there: they are in hundredths of a point.
    """
    entries = [*_entries(results, roster)]
    if len(entries) != 1:
        raise CourseError(f"Classroom 50 grades one repository at a time: there are {len(entries)} here")
    entry, _ = entries[0]
    names = ["CLASSROOM", "ASSIGNMENT", "SUBMISSION_TAG", "COMMIT_URL", "RELEASE_URL"]
    if missing := [name for name in names if not os.environ.get(name)]:
        raise CourseError(
            f"{missing[0]} is not set: run this in the autograder of Classroom 50, which sets it"
        )
    submitted = datetime.fromisoformat(entry["submitted"]) if entry["submitted"] else datetime.now(UTC)
    tests = [
        {
            "test-name": check["id"],
            "passed": check["status"] == "passed",
            "score": round(HUNDREDTHS * check["points"]),
            "max-score": round(HUNDREDTHS * check["max_points"]),
            "output": _explained(check),
        }
        for check in entry["checks"]
    ]
    content = {
        "schema": "classroom50/result/v1",
        "classroom": os.environ["CLASSROOM"],
        "assignment": os.environ["ASSIGNMENT"],
        "assignment_type": os.environ.get("MODE") or "individual",
        "owner": os.environ.get("OWNER") or entry["id"],
        "submission": os.environ["SUBMISSION_TAG"],
        "commit": os.environ["COMMIT_URL"],
        "release": os.environ["RELEASE_URL"],
        "review": os.environ.get("REVIEW_URL") or os.environ["COMMIT_URL"],
        "datetime": submitted.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "score": sum(test["score"] for test in tests),
        "max-score": sum(test["max-score"] for test in tests),
        "tests": tests,
    }
    yield "", json.dumps(content, indent=1) + "\n"


FORMATS: dict[str, Callable[[Results, str, Roster], Files]] = {
    "csv": to_csv,
    "canvas": to_canvas,
    "moodle": to_moodle,
    "gradescope": to_gradescope,
    "classroom50": to_classroom50,
}


def _entries(results: Results, roster: Roster) -> Iterator[tuple[dict[str, Any], Student]]:
    for entry in results["submissions"]:
        yield entry, roster.find(entry["id"]) or Student(entry["id"])


def _maximum(results: Results) -> float:
    return max((entry["max_total"] for entry in results["submissions"]), default=0.0)


def waiting(entry: Mapping[str, Any]) -> int:
    """How many cells of a submission a person should look at."""
    return sum(each["waiting"] for each in (*entry["questions"], *entry["overrides"]))


def _changed(entry: Mapping[str, Any]) -> float:
    changed: float = sum(override["points"] - override["automatic"] for override in entry["overrides"])
    return changed


def _explained(check: Mapping[str, Any]) -> str:
    parts = [WORDS[check["status"]], check["message"], check["hint"]]
    return ". ".join(part.rstrip(".") for part in parts if part)


def _comment(entry: Mapping[str, Any]) -> str:
    wrong = [check for check in entry["checks"] if check["status"] != "passed"]
    lines = [f"{check['id']}: {_explained(check)}" for check in wrong] or ["All checks are right."]
    lines += [
        f"{each['id']}: {each['points']:g} of {each['max_points']:g}. {each['comment']}".strip()
        for each in entry["questions"]
        if not each["waiting"]
    ]
    lines += [f"{each['exercise']}: {each['points']:g}, given by hand" for each in entry["overrides"]]
    return "\n".join([*lines, *filter(None, [Late(**entry["late"]).sentence])])


def table(rows: list[dict[str, Any]], head: list[str] | None = None, trusted: int = 0) -> str:
    """Rows as csv: numbers with no more digits than they have.

    A text that a spreadsheet would run as a formula is quoted, but in trusted rows.
    """
    file = io.StringIO()
    writer = csv.DictWriter(file, head or [*rows[0]] if rows else head or [], restval="")
    writer.writeheader()
    for number, row in enumerate(rows):
        show = _plain if number < trusted else _harmless
        writer.writerow({key: show(value) for key, value in row.items()})
    return file.getvalue()


def _plain(value: Any) -> Any:
    return f"{value:.10g}" if isinstance(value, float) else value


def _harmless(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(RISKY) else _plain(value)
