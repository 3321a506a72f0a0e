"""A whole run of `workbook grade`: collect, grade, and write all that follows, with progress shown."""

import json
import secrets
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.text import Text

from exercise_code.support.checking.assignment import Assignment
from exercise_code.support.checking.render import WORDS
from exercise_code.support.paths import ROOT
from grading.course import CourseError, read_course
from grading.running.sandbox import Sandbox, detect
from grading.submissions.collect import Collection
from grading.submissions.roster import Roster

SHOWN = 20
"""Students that the terminal names of each kind."""


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


def grade_class(assignment: Assignment, submissions: Path, settings: Settings, console: Console) -> None:
    """Grade a folder of submissions, and write results, pages, the report and the gradebook."""
    from exercise_code.support.checking.answers import Answers, make_answers
    from grading.pages.mistake_cost import on_images
    from grading.pages.report import write_report
    from grading.running.grader import Job, environment
    from grading.running.incremental import grade, one_after_another
    from grading.running.journal import Journal
    from grading.scores.exports import read_results
    from grading.scores.gradebook import check_address, write_gradebook
    from grading.scores.late import Late, check_extensions
    from grading.scores.refresh import publish, settlement_of
    from grading.scores.results import results
    from grading.submissions.collect import collect

    out, sandbox = settings.out, detect()
    console = Console(quiet=True) if settings.as_json else console
    if settings.scheduler:
        from grading.running.dask_pool import sandbox_of_workers

        sandbox = sandbox_of_workers(settings.scheduler)
    describe(sandbox, console, settings.require_sandbox)
    if settings.execute and sandbox.level == "L1":
        raise CourseError("--execute runs students' notebooks, which takes a sandbox: see `workbook doctor`")
    if settings.gradebook:
        check_address(settings.gradebook)
    if settings.roster:
        check_extensions(read_course(), assignment.name, settings.roster)
    collection = collect(submissions, assignment, settings.roster, settings.kind)
    tell(collection, console)
    with Journal(out / "journal.sqlite") as journal:
        journal.belong(assignment.name)
        seed = journal.setting("seed", settings.seed, secrets.randbits(32))
        course = hash_of(assignment.folder, ROOT / "exercise_code")

        def make() -> bytes:
            secret = secrets.randbits(64) if assignment.models else None
            return make_answers(assignment.checks, assignment.mistakes, seed, secret).to_bytes()

        answers = Answers.from_bytes(
            journal.remember(f"answers {environment(seed, sandbox.level)} {course}", make)
        )
        execute = settings.execute and bool(assignment.questions)
        job = Job.make(assignment, answers, execute=execute, level=sandbox.level)
        if settings.workers == 1 and settings.scheduler is None:
            pool: AbstractContextManager = one_after_another(job)
        else:
            from grading.running.dask_pool import on_cluster

            pool = on_cluster(job, workers=settings.workers, scheduler=settings.scheduler, tell=console.print)
        ids: list[str] = []

        def seen() -> Iterator:
            for submission in collection.submissions(assignment):
                ids.append(submission.id)
                yield submission

        running = grade(seen(), job, seed, out, journal, pool, settings.force)
        for line in shown(running, len(collection.found), console):
            if settings.as_json:
                print(json.dumps({"event": "graded", **asdict(line)}), flush=True)
        records = journal.records(ids)
        gradebook = write_gradebook(assignment, records, out / "nbgrader", settings.gradebook)
        settlement = settlement_of(assignment, out, gradebook)
        with (out / "results.part").open("w", encoding="utf-8") as file:
            records = journal.records(ids)
            file.writelines(results(records, assignment.name, seed, sandbox, settlement, collection))
        (out / "results.part").replace(out / "results.json")
        found = read_results(out, assignment.name)
        publish(assignment, out, found, settings.roster or Roster([]))
        entries = found["submissions"]
        late = {entry["id"]: sentence for entry in entries if (sentence := Late(**entry["late"]).sentence)}
        by_score = sorted(entries, key=lambda entry: entry["score"])  # those who lose most come first
        notes = {entry["id"]: entry["notes"] for entry in by_score if entry["notes"]}
        tell_of(
            "with something odd about the files", {id: "; ".join(told) for id, told in notes.items()}, console
        )
        tell_of("late", late, console)
        hints = {verdict.hint for record in journal.records(ids) for verdict in record.verdicts}
        made = [mistake for mistake in assignment.mistakes if mistake.hint in hints]
        images = on_images(
            assignment,
            made,
            lambda name: journal.evidence(f"{course} {name}"),
            lambda name, content: journal.keep(f"{course} {name}", content),
            settings.workers,
        )
        report = out / "report.html"
        write_report(
            assignment,
            journal.records(ids),
            answers,
            report,
            seed=seed,
            sandbox=sandbox.to_dict(),
            images=images,
            late=late,
        )
        mean = sum(record.score for record in journal.records(ids)) / len(ids)
    places = {
        "report": report,
        "feedback": out / "feedback",
        "results": out / "results.json",
        "table": out / "results.csv",
        "gradebook": gradebook,
    }
    if settings.as_json:
        summary = {"submissions": len(ids), "mean": mean, "max_score": assignment.max_points, "seed": seed}
        summary |= {name: getattr(collection, name) for name in ("missing", "unknown", "left_out")}
        summary |= {"notes": notes, "late": late}
        print(
            json.dumps({"event": "done", **summary, **{name: str(place) for name, place in places.items()}})
        )
        return
    console.print(f"{len(ids):,} submissions, {mean:.1f} of {assignment.max_points:g} points on average")
    for name, place in places.items():
        console.print(f"{name.capitalize():<11} {place}")
    console.print(f"Formgrader  start jupyter lab in {out / 'nbgrader'}")


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


def hash_of(*folders: Path) -> str:
    """Names the Python and settings files in folders."""
    files = [
        path
        for folder in folders
        for ending in ("py", "toml")
        for path in sorted(folder.rglob(f"*.{ending}"))
    ]
    return sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


def shown(lines: Iterator, total: int, console: Console) -> Iterator:
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
