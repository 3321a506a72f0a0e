"""A whole run of `workbook grade`: prepare, run every submission, write all that follows."""

import json
import logging
import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.text import Text

from exercise_code.support.checking.answers import Answers, make_answers
from exercise_code.support.checking.assignment import Assignment
from exercise_code.support.checking.render import WORDS
from exercise_code.support.paths import ROOT
from grading.course import CourseError, read_course
from grading.notebooks.with_verdicts import exercises_by_cell
from grading.pages.mistake_cost import OnImages, on_images
from grading.pages.report import write_report
from grading.running.dependencies import answer_files, experiment_files, hash_of
from grading.running.grader import Job, environment
from grading.running.incremental import Pool, Progress, grade, one_after_another, progress_of
from grading.running.journal import Journal
from grading.running.sandbox import Sandbox, detect
from grading.scores.by_hand import Settlement
from grading.scores.exports import read_results
from grading.scores.gradebook import check_address, write_gradebook
from grading.scores.late import Late, Ledger, check_extensions
from grading.scores.leaderboard import Place, leaderboard, write_leaderboard
from grading.scores.refresh import publish, settlement_of
from grading.scores.results import results
from grading.submissions.collect import Collection, collect
from grading.submissions.records import Submission
from grading.submissions.roster import Roster

SHOWN = 20
"""Students that the terminal names of each kind."""
LOG = logging.getLogger(__name__)
Found = TypeVar("Found")


@dataclass(frozen=True)
class Settings:
    """Where results go and how the run is done; see `workbook grade --help`."""

    out: Path
    seed: int | None = None
    workers: int | None = None
    scheduler: str | None = None
    force: bool = False
    require_sandbox: bool = False
    as_json: bool = False
    roster: Roster | None = None
    kind: str | None = None
    gradebook: str | None = None
    execute: bool = False
    only: str | None = None
    images: bool = True


@dataclass(frozen=True)
class Plan:
    """All that is known before the first submission runs."""

    assignment: Assignment
    settings: Settings
    sandbox: Sandbox
    collection: Collection
    journal: Journal
    ledger: Ledger
    seed: int
    answers: Answers
    job: Job


@dataclass
class Tally:
    """The class after the run: who was graded, the sum of all scores, the hints that were given."""

    ids: list[str] = field(default_factory=list)
    score: float = 0.0
    hints: set[str] = field(default_factory=set)

    def add(self, line: Progress) -> None:
        """Count one submission in."""
        self.ids.append(line.id)
        self.score += line.score
        self.hints.update(line.hints)


@dataclass
class Written:
    """What the run leaves: where each thing lies, why what is missing could not be made, and what to tell.

    `notes`, `late` and `changes` say by student what was odd about the files, what lateness costs, and by how
    much the final score has changed since the last run; `gone` names who was in the last run and is not in
    this one; `tell` is told what is being done.
    """

    places: dict[str, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    notes: dict[str, list[str]] = field(default_factory=dict)
    late: dict[str, str] = field(default_factory=dict)
    changes: dict[str, float] = field(default_factory=dict)
    gone: list[str] = field(default_factory=list)
    tell: Callable[[str], object] = lambda text: None

    def guard(self, name: str, step: Callable[[], Found]) -> Found | None:
        """Take a step; one that fails costs itself, and not what comes after it."""
        started = time.monotonic()
        self.tell(f"{name} …")
        try:
            return step()
        except Exception as error:
            LOG.exception("%s failed", name)
            expected = isinstance(error, CourseError | OSError)
            self.failed[name] = str(error) if expected else f"{type(error).__name__}: {error}"
            return None
        finally:
            LOG.info("%s took %.1f seconds", name, time.monotonic() - started)

    def put(self, name: str, place: Path | str, step: Callable[[], object]) -> None:
        """Make something that lies in a place."""
        self.guard(name, step)
        if name not in self.failed:
            self.places[name] = str(place)


def grade_class(assignment: Assignment, submissions: Path, settings: Settings, console: Console) -> bool:
    """Grade a folder of submissions, and write results, pages, the report and the gradebook.

    Returns:
        Whether all of that could be written.
    """
    console = Console(quiet=True) if settings.as_json else console
    sandbox = isolate(settings, console)
    if settings.roster:
        check_extensions(read_course(), assignment.name, settings.roster)
    collection = collect(submissions, assignment, settings.roster, settings.kind)
    tell(collection, console)
    with Journal(settings.out / "journal.sqlite") as journal:
        plan = prepare(assignment, settings, sandbox, collection, journal)
        tally = run(plan, console)
        with console.status("") as status:
            written = write(plan, tally, status.update if console.is_terminal else console.print)
    tell_end(plan, tally, written, console)
    return not written.failed


def isolate(settings: Settings, console: Console) -> Sandbox:
    """How far submissions are kept away, here or on the cluster; said on the console.

    Raises:
        CourseError: less than what was asked for.
    """
    sandbox = detect()
    if settings.scheduler:
        from grading.running.dask_pool import sandbox_of_workers

        sandbox = sandbox_of_workers(settings.scheduler)
    describe(sandbox, console, settings.require_sandbox)
    if settings.execute and sandbox.level == "L1":
        raise CourseError("--execute runs students' notebooks, which takes a sandbox: see `workbook doctor`")
    if settings.gradebook:
        check_address(settings.gradebook)
    return sandbox


def prepare(
    assignment: Assignment, settings: Settings, sandbox: Sandbox, collection: Collection, journal: Journal
) -> Plan:
    """Draw what is drawn once in a grading, make the answers, and pack the job.

    Raises:
        CourseError: the folder holds another assignment, or a file of the course is wrong.
    """
    journal.belong(assignment.name)
    ledger = Ledger(read_course(), assignment.name, settings.out)
    anew = settings.force and settings.only is None
    seed = journal.setting("seed", settings.seed, secrets.randbits(32), anew=anew)
    secret = journal.setting("secret", None, secrets.randbits(64), anew=anew)

    def make() -> bytes:
        return make_answers(assignment.checks, assignment.mistakes, seed, secret).to_bytes()

    version = f"{hash_of(answer_files(assignment))} {secret} {environment(seed, sandbox.level)}"
    answers = Answers.from_bytes(journal.remember("answers", version, make))
    execute = settings.execute and bool(assignment.questions)
    job = Job.make(assignment, answers, execute=execute, level=sandbox.level)
    return Plan(assignment, settings, sandbox, collection, journal, ledger, seed, answers, job)


def run(plan: Plan, console: Console) -> Tally:
    """Grade all submissions, or one with the others as they are known."""
    settings, journal = plan.settings, plan.journal
    chosen, others = plan.collection, list[str]()
    if settings.only is not None:
        chosen, others = plan.collection.split(settings.only)
    running = grade(
        chosen.submissions(plan.assignment),
        plan.job,
        plan.seed,
        settings.out,
        journal,
        pool_for(plan.job, settings, console),
        settings.force or settings.only is not None,
        reference_of(plan.assignment),
    )
    tally = Tally()
    for line in shown(running, len(chosen.found), console):
        tally.add(line)
        if settings.as_json:
            print(json.dumps({"event": "graded", **asdict(line)}), flush=True)
    for record in journal.records(id for id in others if journal.state(id) is not None):
        tally.add(progress_of(record, ran=False))
    tally.ids.sort()  # workers end in any order
    return tally


def reference_of(assignment: Assignment) -> Submission:
    """The solution, as somebody might hand it in; without saved models, which would have to be trained."""
    return Submission("the reference", {name: (ROOT / name).read_bytes() for name in assignment.editable})


def pool_for(job: Job, settings: Settings, console: Console) -> AbstractContextManager[Pool]:
    """Where submissions run: here, in workers of this machine, or on a cluster."""
    if settings.workers == 1 and settings.scheduler is None:
        return one_after_another(job)
    from grading.running.dask_pool import on_cluster

    return on_cluster(job, workers=settings.workers, scheduler=settings.scheduler, tell=console.print)


def write(plan: Plan, tally: Tally, tell: Callable[[str], object]) -> Written:
    """Write all that follows from the verdicts; what fails costs itself, and each step is told."""
    out = plan.settings.out
    written = Written({"feedback": str(out / "feedback")}, tell=tell)
    before = final_scores(out, plan.assignment)
    address = written.guard("gradebook", lambda: write_marks(plan, tally))
    if address:
        written.places["gradebook"] = address
    written.put("results", out / "results.json", lambda: write_results(plan, tally, address))
    entries: list[dict[str, Any]] = []
    if "results" in written.places:
        written.put("table", out / "results.csv", lambda: entries.extend(write_table(plan)))
    places = written.guard("leaderboard", lambda: leaderboard_of(plan, tally))
    if places:
        path = out / "leaderboard.csv"
        written.put("leaderboard", path, lambda: write_leaderboard(path, places))
    written.changes = {
        entry["id"]: change
        for entry in entries
        if (change := entry["final_score"] - before.get(entry["id"], entry["final_score"]))
    }
    if entries:
        written.gone = sorted(before.keys() - {entry["id"] for entry in entries})
    written.late = {entry["id"]: said for entry in entries if (said := Late(**entry["late"]).sentence)}
    by_score = sorted(entries, key=lambda entry: entry["score"])  # those who lose most come first
    written.notes = {entry["id"]: entry["notes"] for entry in by_score if entry["notes"]}
    images = None
    if plan.settings.images:
        images = written.guard("experiment on images", lambda: try_on_images(plan, tally.hints, tell))
    report = out / "report.html"
    written.put("report", report, lambda: write_class_report(plan, tally, report, images, written, entries))
    return written


def final_scores(out: Path, assignment: Assignment) -> dict[str, float]:
    """What the last run came to, by student; nothing where there was none."""
    try:
        return {
            entry["id"]: entry["final_score"] for entry in read_results(out, assignment.name)["submissions"]
        }
    except (CourseError, LookupError, TypeError):
        return {}


def write_marks(plan: Plan, tally: Tally) -> str:
    """Write the gradebook; returns its address."""
    course, address = plan.settings.out / "nbgrader", plan.settings.gradebook
    return write_gradebook(plan.assignment, plan.journal.records(tally.ids), course, address)


def write_results(plan: Plan, tally: Tally, gradebook: str | None) -> None:
    """Write `results.json`; the old one stays until the new one is whole."""
    assignment, out = plan.assignment, plan.settings.out
    if gradebook:
        groups = {found.id: found.group for found in plan.collection.found}
        settlement = settlement_of(assignment, out, gradebook, groups)
    else:
        settlement = Settlement(assignment, exercises_by_cell(assignment), {}, plan.ledger)
    records = plan.journal.records(tally.ids)
    text = results(records, assignment.name, plan.seed, plan.sandbox, settlement, plan.collection)
    part = out / "results.part"
    with part.open("w", encoding="utf-8") as file:
        file.writelines(text)
    part.replace(out / "results.json")


def write_table(plan: Plan) -> list[dict[str, Any]]:
    """Write `results.csv` and what stands beside the checks on students' pages; returns the submissions."""
    found = read_results(plan.settings.out, plan.assignment.name)
    publish(plan.assignment, plan.settings.out, found, plan.settings.roster or Roster([]))
    submissions: list[dict[str, Any]] = found["submissions"]
    return submissions


def leaderboard_of(plan: Plan, tally: Tally) -> list[Place]:
    """The places of the class's saved models, as far as they say how they were trained."""
    return leaderboard(plan.assignment, plan.journal.records(tally.ids), plan.answers)


def write_class_report(
    plan: Plan,
    tally: Tally,
    path: Path,
    images: OnImages | None,
    written: Written,
    entries: list[dict[str, Any]],
) -> None:
    """Write the teacher's page."""
    students = plan.settings.roster.students if plan.settings.roster else []
    write_report(
        plan.assignment,
        plan.journal.records(tally.ids),
        plan.answers,
        path,
        seed=plan.seed,
        sandbox=plan.sandbox.to_dict(),
        images=images,
        late=written.late,
        entries=entries,
        changes=written.changes,
        missing={student.id: student.name for student in students if student.id in plan.collection.missing},
    )


def try_on_images(plan: Plan, hints: set[str], tell: Callable[[str], object]) -> OnImages | None:
    """What the mistakes that the class has made cost on images."""
    if plan.assignment.experiment is None:
        return None
    version = hash_of(experiment_files(plan.assignment))
    return on_images(
        plan.assignment,
        [mistake for mistake in plan.assignment.mistakes if mistake.hint in hints],
        lambda name: plan.journal.recall(name, version),
        lambda name, content: plan.journal.keep(name, version, content),
        plan.settings.workers,
        lambda text: tell(f"experiment on images: {text}"),
    )


def tell_end(plan: Plan, tally: Tally, written: Written, console: Console) -> None:
    """Say how the class did, where everything lies, and what could not be made."""
    number, maximum = len(tally.ids), plan.assignment.max_points
    mean = tally.score / number
    if plan.settings.as_json:
        done: dict[str, Any] = {"submissions": number, "mean": mean, "max_score": maximum, "seed": plan.seed}
        done |= {name: getattr(plan.collection, name) for name in ("missing", "unknown", "left_out")}
        done |= {name: getattr(written, name) for name in ("notes", "late", "changes", "gone", "failed")}
        print(json.dumps({"event": "done", **done, **written.places}))
    notes = {id: "; ".join(told) for id, told in written.notes.items()}
    tell_of("with something odd about the files", notes, console)
    tell_of("late", written.late, console)
    changes = {id: f"{change:+g} points" for id, change in written.changes.items()}
    tell_of("with another final score than in the last run", changes, console)
    gone = dict.fromkeys(written.gone, "no submission now; `--only` grades one student and keeps the others")
    tell_of("of the last run who are no longer in the tables", gone, console)
    console.print(f"{number:,} submissions, {mean:.1f} of {maximum:g} points on average")
    for name, place in written.places.items():
        console.print(f"{name.capitalize():<11} {place}")
    if "gradebook" in written.places:
        console.print(f"Formgrader  start jupyter lab in {plan.settings.out / 'nbgrader'}")
    for name, reason in written.failed.items():
        console.print(f"Failed      {name}: {reason}; the verdicts are safe", style="red")


def describe(sandbox: Sandbox, console: Console, required: bool) -> None:
    """Say how far submissions are kept from this machine.

    Raises:
        CourseError: all layers are required, and one is missing.
    """
    missing = "; ".join(sandbox.missing)
    if required and missing:
        raise CourseError(f"isolation is only {sandbox.level} ({missing}): `workbook doctor` says what to do")
    console.print(f"Isolation {sandbox.level}: {', '.join(sandbox.layers)}")
    if missing:
        console.print(f"Missing: {missing}", style="yellow")
    if sandbox.level == "L1":
        console.print(
            "A submission can do what you can do: grade only what you would run yourself.", style="yellow"
        )


def tell(collection: Collection, console: Console) -> None:
    """Say who handed in nothing, and who is not known."""
    for text, ids in (
        ("handed in nothing", collection.missing),
        ("not in the roster", collection.unknown),
        (f"left out, not as {collection.kind} has it", collection.left_out),
    ):
        if ids:
            shown = ", ".join(ids[:SHOWN]) + (" …" if len(ids) > SHOWN else "")
            console.print(f"{len(ids):,} {text}: {shown}", style="yellow")


def tell_of(what: str, students: Mapping[str, str], console: Console) -> None:
    """Say which students something is to be known of, and what."""
    if students:
        console.print(f"{len(students):,} {what}:", style="yellow")
    for id, text in [*students.items()][:SHOWN]:
        console.print(f"  {id}: {text}", style="yellow")
    if len(students) > SHOWN:
        console.print(f"  … and {len(students) - SHOWN:,} more: all are in the report", style="yellow")


def shown(lines: Iterator[Any], total: int, console: Console) -> Iterator[Any]:
    """The lines of a run as they come, with how far it is, its rate and its failures on the console."""
    bar = Bar(
        TextColumn("Grading"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]:.1f}/s, left"),
        TimeRemainingColumn(),
        console=console,
    )
    task = bar.add_task("", total=total, rate=0.0)
    words: Counter[str] = Counter()
    started, known = time.monotonic(), 0

    def table() -> Group:
        found = ", ".join(f"{count:,} {word}" for word, count in words.most_common())
        text = f"checks: {found}" if found else ""
        text += f"; {known:,} submissions were known" if known else ""
        return Group(bar, Text(text, no_wrap=False, overflow="fold"))

    with Live(get_renderable=table, console=console, refresh_per_second=4):
        for done, line in enumerate(lines, 1):
            words.update(WORDS[status] for status in line.statuses)
            known += not line.ran
            bar.update(task, completed=done, rate=(done - known) / (time.monotonic() - started))
            yield line
    if not console.is_interactive:
        console.print()  # without a terminal the display ends within its last line
