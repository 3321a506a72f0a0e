"""A page for one student: what is right, what is wrong, and what to do next."""

from itertools import groupby

from exercise_code.support.checking.answers import Answers
from exercise_code.support.checking.assignment import Assignment
from exercise_code.support.checking.declare import Check
from exercise_code.support.checking.evidence import Evidence
from exercise_code.support.checking.judge import Verdict
from exercise_code.support.checking.render import same_errors
from exercise_code.support.checking.run_check import MAX_WARNINGS
from exercise_code.support.checking.tensor_pictures import Panel, panels
from grading.pages.html import RUNS, render
from grading.submissions.records import Graded


def feedback_page(assignment: Assignment, graded: Graded, answers: Answers) -> str:
    """The page of one student as HTML that needs no other file.

    Args:
        assignment: what was asked.
        graded: the student's submission, with its evidence and verdicts.
        answers: what was expected on the same inputs.
    """
    exercises = {check.id: check.exercise for check in assignment.checks}
    sections = groupby(graded.verdicts, key=lambda verdict: exercises[verdict.check])
    shown = zip(assignment.checks, graded.evidence, graded.verdicts, strict=True)
    return render(
        "feedback",
        assignment=assignment,
        seconds=dict(zip(exercises, graded.seconds, strict=True)),
        warnings={item.check: _warnings(item) for item in graded.evidence},
        graded=graded,
        code={
            name: _text(graded.submission.files[name])
            for name in assignment.editable
            if name in graded.submission.files
        },
        next=next((v for v in graded.verdicts if v.status not in ("passed", "blocked")), None),
        same=same_errors(graded.verdicts),
        common=_common_problem(graded.verdicts),
        sections={exercise: list(verdicts) for exercise, verdicts in sections},
        panels={
            v.check: _panels(check, v, evidence, answers.reference[v.check]) for check, evidence, v in shown
        },
        failed_runs={
            evidence.check: {
                RUNS.get(name, name): run.error for name, run in evidence.runs.items() if run.error
            }
            for evidence in graded.evidence
        },
    )


def _text(content: bytes) -> str:
    """A module's lines with their numbers."""
    lines = content.decode("utf-8", "replace").splitlines()
    return "\n".join(f"{number:4}  {line}" for number, line in enumerate(lines, 1))


def _common_problem(verdicts: list[Verdict]) -> Verdict | None:
    """The first verdict, if all that is wrong anywhere is the same."""
    last = {next(reversed(verdict.faults.values()), "") for verdict in verdicts}
    return verdicts[0] if len(verdicts) > 1 and len(last) == 1 and last != {""} else None


def _warnings(evidence: Evidence) -> list[str]:
    """What the student's lines were warned of; the evidence may claim more than is ever noted."""
    return evidence.runs["float32"].warnings[:MAX_WARNINGS] if "float32" in evidence.runs else []


def _panels(check: Check, verdict: Verdict, evidence: Evidence, reference: Evidence) -> list[Panel]:
    if (
        not check.compared
        or "answer" not in verdict.faults
        or verdict.status == "blocked"
        or evidence.runs["float32"].error
    ):
        return []
    return list(panels(check, reference.runs["float32"].outputs, evidence.runs["float32"].outputs))
