"""Grade a folder of submissions: each once, whatever happens in between."""

import logging
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

from grading.course import CourseError
from grading.notebooks.nbgrader_course import write_submitted
from grading.pages.html import write_page
from grading.running.grader import Grader, Job, environment
from grading.running.journal import DamageError, Journal
from grading.submissions.records import Graded, Part, Result, Submission

LOG = logging.getLogger(__name__)
AHEAD = 2
"""Submissions that have begun before the one that is judged is done, with one worker."""

Task = tuple[Submission, list[Part] | None]
Pool = Callable[[Iterable[Task]], Iterator[tuple[Submission, Result]]]


@dataclass(frozen=True)
class Progress:
    """One submission is done: whose it is, score, statuses of checks, whether it had to run, notes, hints."""

    id: str
    name: str
    score: float
    statuses: list[str]
    ran: bool
    notes: list[str]
    hints: list[str]


def grade(
    submissions: Iterable[Submission],
    job: Job,
    seed: int,
    out: Path,
    journal: Journal,
    pool: AbstractContextManager[Pool],
    force: bool = False,
    reference: Submission | None = None,
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
        reference: the solution, which must get all points where the others run.

    Yields:
        A line for each submission as soon as it is done.

    Raises:
        CourseError: the solution does not: the fault is this machine's or the course's.
    """
    where = environment(seed, job.level)
    keys: dict[str, tuple[str, str]] = {}
    unchanged: list[Progress] = []

    def tasks() -> Iterator[Task]:
        for submission in submissions:
            key = job.key(submission, where)
            state = job.state(submission, key)
            if not force and (known := _known(journal, submission.id, state, out, job)):
                LOG.debug("%s: nothing has changed", submission.id)
                unchanged.append(known)
                continue
            parts = None if force else journal.parts(key)
            LOG.info(
                "%s: %s", submission.id, "judged again" if parts else _reason(journal, submission.id, force)
            )
            keys[submission.id] = key, state
            yield submission, parts

    to_run = tasks()
    first = next(to_run, None)
    if first is None:
        yield from unchanged
        return
    with pool as run:
        if reference:
            _prove(run, reference)
        for submission, result in run(chain([first], to_run)):
            write_page(_page(out, submission.id), result.feedback)
            for name, text in result.notebooks.items():
                write_page(notebook_place(out, submission.id, job.assignment, name), text)
            write_submitted(out / "nbgrader", submission, job.assignment, result.notebooks)
            journal.write(result, *keys.pop(submission.id))
            yield from unchanged
            unchanged.clear()
            yield progress_of(result.graded, ran=result.gathered is not None)
    yield from unchanged


def _prove(run: Pool, reference: Submission) -> None:
    ((_, result),) = run([(reference, None)])
    written = [verdict for verdict in result.graded.verdicts if verdict.status != "not_written"]
    if lost := [verdict for verdict in written if verdict.points < verdict.max_points]:
        raise CourseError(
            "the reference solution loses points where submissions run, so nobody was graded: "
            f"{lost[0].check} is {lost[0].status} ({lost[0].message}). Look at `workbook doctor`, "
            "`ulimit -a` and the limits in assignment.toml"
        )


def _known(journal: Journal, id: str, state: str, out: Path, job: Job) -> Progress | None:
    """What an earlier run has left of a submission, if nothing has changed since and all of it is there."""
    if journal.state(id) != state or not _is_there(out, id, job):
        return None
    try:
        return progress_of(next(journal.records([id])), ran=False)
    except DamageError:
        return None


def _reason(journal: Journal, id: str, force: bool) -> str:
    if force:
        return "runs, as --force asks"
    return "runs for the first time" if journal.state(id) is None else "runs: its code or the checks changed"


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
                (submission, parts), gathered = waiting.popleft()
                waiting.extend(islice(started, 1))
                try:
                    result = grader.finish(submission, gathered.result(), new=parts is None)
                except CourseError:
                    raise
                except Exception as error:  # what nobody has foreseen costs one submission, not the class
                    LOG.exception("%s could not be graded", submission.id)
                    reason = f"it could not be graded ({type(error).__name__}: {error})"
                    result = grader.give_up(submission, reason)
                yield submission, result

        try:
            yield run
        finally:
            sys.setswitchinterval(usual)


def notebook_place(out: Path, id: str, assignment: str, notebook: str) -> Path:
    """Where a student's notebook with the verdicts lies, as nbgrader wants it."""
    return out / "nbgrader" / "autograded" / id / assignment / notebook


def _page(out: Path, id: str) -> Path:
    return out / "feedback" / f"{id}.html"


def _is_there(out: Path, id: str, job: Job) -> bool:
    places = [notebook_place(out, id, job.assignment, notebook) for notebook in job.notebooks]
    return all(place.exists() for place in (_page(out, id), *places))


def progress_of(graded: Graded, *, ran: bool) -> Progress:
    """A line for a submission."""
    statuses = [verdict.status for verdict in graded.verdicts]
    hints = sorted({verdict.hint for verdict in graded.verdicts if verdict.hint})
    submission = graded.submission
    return Progress(submission.id, submission.name, graded.score, statuses, ran, submission.notes, hints)
