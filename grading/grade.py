"""Grade a folder of submissions: run, judge, write down."""

import ast
import contextlib
import csv
import os
import queue
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from exercise_code.support.checking import source
from exercise_code.support.checking.answers import Answers
from exercise_code.support.checking.assignment import Assignment
from exercise_code.support.checking.evidence import Evidence, dumps
from exercise_code.support.checking.judge import Verdict, block, judge
from grading import runner
from grading.collect import Submission
from grading.tree import write_tree

SCHEMA = "https://deep-vision-workbook.org/schemas/results-1.json"


@dataclass
class Graded:
    """One submission with its evidence and what follows from it."""

    submission: Submission
    evidence: list[Evidence]
    verdicts: list[Verdict]

    @property
    def score(self) -> float:
        """Points of all checks."""
        return sum(verdict.points for verdict in self.verdicts)


def grade(
    submissions: Iterable[Submission],
    assignment: Assignment,
    answers: Answers,
    out: Path,
    workers: int | None = None,
) -> Iterator[Graded]:
    """Grade submissions, and keep the evidence of each in `out`/evidence.

    Args:
        submissions: what was handed in.
        assignment: what was asked.
        answers: to the hidden inputs; their seed draws them.
        out: the folder of this grading.
        workers: how many run at once; one for each core if not given.

    Yields:
        Each submission as it is graded, in order.
    """
    kept = out / "evidence"
    kept.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="workbook-") as scratch:
        pristine = Path(scratch) / "pristine"
        write_tree(assignment, pristine)

        with contextlib.ExitStack() as stack:
            free: queue.SimpleQueue[runner.Worker] = queue.SimpleQueue()
            for _ in range(workers or os.cpu_count() or 1):
                free.put(stack.enter_context(runner.Worker(pristine, assignment)))

            def gather(submission: Submission) -> tuple[Submission, list[Evidence]]:
                worker = free.get()
                try:
                    return submission, _gather(submission, assignment, pristine, answers.seed, worker)
                finally:
                    free.put(worker)

            with ThreadPoolExecutor(free.qsize()) as pool:
                for submission, evidence in pool.map(gather, submissions):
                    tree = [item.to_tree() for item in evidence]
                    path = kept / f"{submission.id}.safetensors"
                    path.write_bytes(dumps({"seed": answers.seed, "evidence": tree}))
                    yield judge_submission(submission, evidence, assignment, answers)


def grade_one(
    submission: Submission, assignment: Assignment, pristine: Path, answers: Answers, worker: runner.Worker
) -> Graded:
    """Run one submission in a copy of a pristine tree, and judge it."""
    evidence = _gather(submission, assignment, pristine, answers.seed, worker)
    return judge_submission(submission, evidence, assignment, answers)


def judge_submission(
    submission: Submission, evidence: list[Evidence], assignment: Assignment, answers: Answers
) -> Graded:
    """Decide on all checks of one submission; runs nothing."""
    verdicts = [
        judge(
            check, item, answers.reference[check.id], _function(submission, check.exercise), answers.mistakes
        )
        for check, item in zip(assignment.checks, evidence, strict=True)
    ]
    block(verdicts, assignment.checks)
    return Graded(submission, evidence, verdicts)


def results(assignment: Assignment, seed: int, graded: Iterable[Graded]) -> dict[str, Any]:
    """The content of `results.json`, which `results.schema.json` describes."""
    return {
        "schema": SCHEMA,
        "assignment": assignment.name,
        "seed": seed,
        "sandbox": runner.Sandbox().to_tree(),
        "submissions": [
            {
                "id": item.submission.id,
                "score": item.score,
                "max_score": assignment.max_points,
                "notes": item.submission.notes,
                "checks": [
                    {
                        "id": verdict.check,
                        "points": verdict.points,
                        "max_points": verdict.max_points,
                        "status": verdict.status,
                        "message": verdict.message,
                        "hint": verdict.hint,
                    }
                    for verdict in item.verdicts
                ],
            }
            for item in graded
        ],
    }


def write_csv(path: Path, graded: Iterable[Graded]) -> None:
    """One row for each submission: its score, and its points in each check."""
    graded = list(graded)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "score", "max_score", *(verdict.check for verdict in graded[0].verdicts)])
        for item in graded:
            points = [verdict.points for verdict in item.verdicts]
            maximum = sum(verdict.max_points for verdict in item.verdicts)
            writer.writerow([item.submission.id, item.score, maximum, *points])


def _gather(
    submission: Submission, assignment: Assignment, pristine: Path, seed: int, worker: runner.Worker
) -> list[Evidence]:
    missing = [name for name in assignment.editable if name not in submission.files]
    if missing:
        reason = f"{missing[0]} is not in the submission"
        return [Evidence(check.id, problem=("not_written", reason)) for check in assignment.checks]
    with tempfile.TemporaryDirectory(prefix="workbook-", ignore_cleanup_errors=True) as scratch:
        tree = Path(scratch) / "tree"
        shutil.copytree(pristine, tree, ignore=shutil.ignore_patterns("answers.safetensors"))
        _lay_out(submission, tree, assignment.editable)
        return worker.run(tree, seed)


def _function(submission: Submission, exercise: str) -> ast.FunctionDef | None:
    for file, name in source.places(exercise):
        if content := submission.files.get(f"exercise_code/{file}"):
            return source.read_function(content, name)
    return None


def _lay_out(submission: Submission, tree: Path, names: list[str]) -> None:
    for name in names:
        if name in submission.files:
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            (tree / name).write_bytes(submission.files[name])
