"""Grade a folder of submissions: each once, whatever happens in between."""

import json
import sys
import textwrap
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any

from grading.course import CourseError
from grading.pages.html import write_page
from grading.running.grader import Grader, Job, Result, checks_tree, environment
from grading.running.journal import Journal, Record
from grading.running.sandbox import Sandbox
from grading.scores.late import Ledger
from grading.submissions.collect import Collection, Submission

SCHEMA = "https://deep-vision-workbook.org/schemas/results-1.json"
AHEAD = 2
"""Submissions that have begun before the one that is judged is done, with one worker."""

Task = tuple[Submission, bytes | None]
Pool = Callable[[Iterable[Task]], Iterator[tuple[Submission, Result]]]


@dataclass(frozen=True)
class Progress:
    """One submission is done: its score, the statuses of its checks, and whether it had to run."""

    id: str
    score: float
    statuses: list[str]
    ran: bool


def grade(
    submissions: Iterable[Submission],
    job: Job,
    seed: int,
    out: Path,
    journal: Journal,
    pool: AbstractContextManager[Pool],
    force: bool = False,
) -> Iterator[Progress]:
    """Grade submissions, and leave pages and notebooks in `out` and the rest in the journal.

    What has not changed since an earlier run is not done again: neither running, if only what verdicts
    depend on has changed (hints, the reference), nor anything, if nothing has.

    Args:
        submissions: what was handed in; each is read when its turn comes.
        job: what was asked.
        seed: draws the hidden inputs.
        out: the folder of this grading.
        journal: what is known so far.
        pool: runs submissions, in any order.
        force: run everything again.

    Yields:
        A line for each submission as soon as it is done.
    """
    where = environment(seed, job.level)
    keys: dict[str, tuple[str, str]] = {}
    unchanged: list[Progress] = []

    def tasks() -> Iterator[Task]:
        for submission in submissions:
            key = job.key(submission, where)
            state = job.state(submission, key)
            if not force and journal.state(submission.id) == state and _is_there(out, submission.id, job):
                (record,) = journal.records([submission.id])
                unchanged.append(_progress(record, ran=False))
                continue
            keys[submission.id] = key, state
            yield submission, None if force else journal.evidence(key)

    to_run = tasks()
    first = next(to_run, None)
    if first is None:
        yield from unchanged
        return
    with pool as run:
        for submission, result in run(chain([first], to_run)):
            key, state = keys.pop(submission.id)
            write_page(_page(out, result.id), result.feedback)
            for name, text in result.notebooks.items():
                write_page(notebook_place(out, result.id, job.assignment, name), text)
            journal.write(submission, result, key, state)
            yield from unchanged
            unchanged.clear()
            yield _progress(result, ran=result.evidence is not None)
    yield from unchanged


@contextmanager
def one_after_another(job: Job) -> Iterator[Pool]:
    """A pool that runs submissions in this process's own worker, and judges each while the next one runs."""
    usual = sys.getswitchinterval()
    with ThreadPoolExecutor(1) as running, Grader(job) as grader:
        sys.setswitchinterval(usual / 100)  # so that the next submission does not wait for the judge

        def run(tasks: Iterable[Task]) -> Iterator[tuple[Submission, Result]]:
            started = ((task, running.submit(grader.gather, *task)) for task in tasks)
            waiting = deque(islice(started, AHEAD))
            while waiting:
                (submission, evidence), gathered = waiting.popleft()
                waiting.extend(islice(started, 1))
                try:
                    result = grader.finish(submission, gathered.result(), new=evidence is None)
                except CourseError:
                    raise
                except Exception as error:  # what nobody has foreseen costs one submission, not the class
                    reason = f"it could not be graded ({type(error).__name__}: {error})"
                    result = grader.give_up(submission, reason)
                yield submission, result

        try:
            yield run
        finally:
            sys.setswitchinterval(usual)


def results(
    records: Iterable[Record],
    assignment: str,
    seed: int,
    sandbox: Sandbox,
    ledger: Ledger,
    collection: Collection | None = None,
) -> Iterator[str]:
    """The text of `results.json`, which `results.schema.json` describes, piece by piece."""
    head = {"schema": SCHEMA, "assignment": assignment, "seed": seed, "sandbox": sandbox.to_tree()}
    if collection:
        head |= {"missing": collection.missing, "unknown": collection.unknown}
    yield json.dumps(head, indent=1)[:-2] + ',\n "submissions": ['
    comma = ""
    for record in records:
        yield comma + "\n" + textwrap.indent(json.dumps(_to_tree(record, ledger), indent=1), "  ")
        comma = ","
    yield "\n ]\n}\n"


def notebook_place(out: Path, id: str, assignment: str, notebook: str) -> Path:
    """Where a student's notebook with the verdicts lies, as nbgrader wants it."""
    return out / "nbgrader" / "autograded" / id / assignment / notebook


def _page(out: Path, id: str) -> Path:
    return out / "feedback" / f"{id}.html"


def _is_there(out: Path, id: str, job: Job) -> bool:
    places = [notebook_place(out, id, job.assignment, notebook) for notebook in job.notebooks]
    return all(place.exists() for place in (_page(out, id), *places))


def _progress(found: Result | Record, *, ran: bool) -> Progress:
    id = found.id if isinstance(found, Result) else found.submission.id
    return Progress(id, found.score, [verdict.status for verdict in found.verdicts], ran)


def _to_tree(record: Record, ledger: Ledger) -> dict[str, Any]:
    submission = record.submission
    late = ledger.charge(submission.id, submission.submitted)
    return {
        "id": submission.id,
        "name": submission.name,
        "submitted": submission.submitted and submission.submitted.isoformat(),
        "score": record.score,
        "max_score": sum(verdict.max_points for verdict in record.verdicts),
        "late": asdict(late),
        "final_score": round(record.score * (1 - late.penalty), 4),
        "notes": record.submission.notes,
        "evidence": record.key,
        "checks": checks_tree(record.verdicts, record.seconds),
    }
