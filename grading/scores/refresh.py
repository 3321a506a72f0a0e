"""Results, table and pages follow the gradebook; nothing is run."""

import json
from collections.abc import Mapping
from pathlib import Path

from exercise_code.support.checking.assignment import Assignment
from grading.course import read_course
from grading.notebooks.with_verdicts import exercises_by_cell
from grading.pages.standing import write_standing
from grading.scores.by_hand import Settlement, for_groups
from grading.scores.exports import Results, export, read_results
from grading.scores.gradebook import read_marks
from grading.scores.late import Ledger
from grading.submissions.roster import Roster


def refresh(assignment: Assignment, out: Path, roster: Roster, gradebook: str | None = None) -> Results:
    """Bring what people have given in formgrader into `results.json`, the table and the students' pages.

    Args:
        assignment: what was graded.
        out: the folder of the grading.
        roster: names and addresses for the table; may be empty.
        gradebook: its address, as for `write_gradebook`.

    Returns:
        The content of `results.json`.

    Raises:
        CourseError: nothing was graded there, or the gradebook is not there.
    """
    results = read_results(out, assignment.name)
    groups = {entry["id"]: entry.get("group", "") for entry in results["submissions"]}
    settlement = settlement_of(assignment, out, gradebook, groups)
    results["submissions"] = [settlement.complete(entry) for entry in results["submissions"]]
    part = out / "results.part"
    part.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    part.replace(out / "results.json")
    publish(assignment, out, results, roster)
    return results


def settlement_of(
    assignment: Assignment, out: Path, gradebook: str | None, groups: Mapping[str, str]
) -> Settlement:
    """What people and lateness make of the points of the checks, as of now.

    `groups` names each student's group; it is empty for who works alone.
    """
    marks = for_groups(read_marks(assignment, out / "nbgrader", gradebook), groups)
    ledger = Ledger(read_course(), assignment.name, out)
    return Settlement(assignment, exercises_by_cell(assignment), marks, ledger)


def publish(assignment: Assignment, out: Path, results: Results, roster: Roster) -> None:
    """Write the table, and into each student's page what stands beside the checks."""
    export("csv", results, assignment.title, roster, out / "results.csv")
    for entry in results["submissions"]:
        write_standing(out / "feedback" / f"{entry['id']}.html", entry)
