"""The instructor's command: release an assignment, grade submissions, see it all on a made-up class."""

import json
import secrets
import signal
import sys
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from exercise_code.support.checking.assignment import (
    AssignmentError,
    all_folders,
    find_assignment,
    read_assignment,
)
from exercise_code.support.edition import EditionError
from exercise_code.support.paths import ROOT
from grading.course import CourseError, read_course
from grading.logs import LEVELS, show_log
from grading.submissions.roster import Roster, read_roster

BUILD = ROOT / "build"
app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
kernels = typer.Typer(no_args_is_help=True, help="The Jupyter kernel for plain nbgrader autograde.")
app.add_typer(kernels, name="kernel")
console, errors = (
    Console(stderr=stderr, highlight=False, soft_wrap=True, markup=False, emoji=False)
    for stderr in (False, True)
)

Name = Annotated[str, typer.Argument(metavar="ASSIGNMENT", help="a01, or in full a01_knn")]
Out = Annotated[
    Path | None, typer.Option(help="folder for the results; BUILD/grading/ASSIGNMENT if not given")
]
Verbose = Annotated[
    int, typer.Option("-v", "--verbose", count=True, help="say what runs again and why; -vv says more")
]
Kind = Annotated[
    str | None, typer.Option("--from", help="gradescope, canvas, moodle, github, nbgrader or folders")
]
Build = Annotated[Path, typer.Option(help="folder for what is made")]


@app.command()
def release(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="ASSIGNMENT...", help="a01, or in full a01_knn")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="all assignments but drafts")] = False,
    reveal: Annotated[
        bool, typer.Option("--reveal", help="for somebody who learns alone: solutions after honest tries")
    ] = False,
    build: Build = BUILD,
) -> None:
    """Bring assignments into the course for students, BUILD/student; those that are there stay."""
    from grading.editions.release import release as make_release

    there = [read_assignment(folder) for folder in all_folders()] if everything else []
    wanted = [assignment.name for assignment in there if not assignment.draft] or names or []
    if not wanted:
        raise CourseError("name the assignments to release (a01), or say --all")
    with console.status(f"Releasing {', '.join(wanted)}: answers are made, and the edition is tried"):
        done = make_release([find_assignment(name) for name in wanted], build, reveal=reveal)
    console.print(f"{', '.join(wanted)}: released into {build / 'student'}")
    if done.kept:
        console.print(
            f"Not replaced, since somebody has changed them there: {', '.join(done.kept)}", style="yellow"
        )
    if not read_course().repository:
        console.print(
            "Colab and Kaggle cannot fetch it: publish the folder, and put its address into course.toml",
            style="yellow",
        )


@app.command("new")
def new_assignment(
    name: Annotated[str, typer.Argument(metavar="NAME", help="of its folder: a number and a word, a04_cnn")],
    module: Annotated[
        list[str],
        typer.Option(metavar="MODULE", help="what students write, below exercise_code (may be repeated)"),
    ],
    title: Annotated[str, typer.Option(help="the topic in a few words")],
) -> None:
    """Write an assignment that is complete and small: one example of everything that an exercise has."""
    from grading.editions.skeleton import new_assignment as write

    assignment = write(name, module, title)
    console.print(f"{assignment.name} is in {assignment.folder.relative_to(ROOT).as_posix()}")
    console.print(f"Students write {', '.join(assignment.editable)}")
    console.print(
        f"Next  python -m exercise_code check {assignment.short}, then docs/adding_an_assignment.md"
    )


@app.command("format")
def format_notebooks(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="ASSIGNMENT...", help="a01; all if not given")
    ] = None,
) -> None:
    """Write the set-up cell and the glossary into notebooks, and store them so that a diff can be read."""
    from grading.notebooks.source_format import format_notebooks as store

    for assignment in [find_assignment(name) for name in names or [each.name for each in all_folders()]]:
        store(assignment)


@app.command()
def grade(
    name: Name,
    submissions: Annotated[
        Path, typer.Argument(help="folder or zip that holds a folder or a zip for each student")
    ],
    out: Out = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="draws the hidden inputs; that of the last run, or a new one")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="submissions at once; one a core if not given")
    ] = None,
    scheduler: Annotated[
        str | None, typer.Option(help="address of a Dask scheduler, tcp://HOST:8786")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="grade what has not changed, too, with new hidden inputs")
    ] = False,
    require_sandbox: Annotated[
        bool, typer.Option("--require-sandbox", help="refuse to run where a layer of the sandbox is missing")
    ] = False,
    roster: Annotated[Path | None, typer.Option(help="csv of the class: id, name, email, …")] = None,
    kind: Kind = None,
    gradebook: Annotated[
        str | None, typer.Option(help="address of nbgrader's gradebook, postgresql+psycopg://…; else SQLite")
    ] = None,
    execute: Annotated[
        bool, typer.Option("--execute", help="run notebooks with written answers once more, in the sandbox")
    ] = False,
    only: Annotated[
        str | None, typer.Option(metavar="STUDENT", help="grade this one again; the others stay as they are")
    ] = None,
    images: Annotated[
        bool, typer.Option("--images/--no-images", help="try what the class's mistakes cost on images")
    ] = True,
    as_json: Annotated[bool, typer.Option("--json", help="a line of JSON for each submission")] = False,
    verbose: Verbose = 0,
) -> None:
    """Grade submissions: results.json, a table, feedback pages, a report and nbgrader's gradebook.

    A run that was ended goes on where it was; what has not changed since the last run is not done again.
    Ends with 1 where something but the verdicts could not be written.
    """
    from grading.class_run import Settings, grade_class
    from grading.editions.release import is_outdated

    show_log(LEVELS[min(verbose, 2)])
    assignment = find_assignment(name)
    out = out or BUILD / "grading" / assignment.name
    known = read_roster(roster) if roster else None
    settings = Settings(
        out,
        seed,
        workers,
        scheduler,
        force,
        require_sandbox,
        as_json,
        known,
        kind,
        gradebook,
        execute,
        only,
        images,
    )
    try:
        complete = grade_class(assignment, submissions, settings, console)
    except KeyboardInterrupt:
        errors.print("Stopped. What is done is kept: the same command goes on from there.")
        raise typer.Exit(130) from None
    if not as_json and is_outdated(assignment, BUILD / "student"):
        console.print(
            "Students' copies hold answers of earlier checks or solutions: "
            f"`workbook release {assignment.short}`, then they update",
            style="yellow",
        )
    raise typer.Exit(int(not complete))


@app.command()
def demo(
    name: Annotated[str, typer.Argument(metavar="[ASSIGNMENT]")] = "a01",
    build: Build = BUILD,
    students: Annotated[int, typer.Option(min=1, help="size of the class")] = 30,
) -> None:
    """Release an assignment, make up a class, grade it, and show the report."""
    from grading.class_run import Settings, grade_class
    from grading.editions.made_up_class import make_class
    from grading.editions.release import release as make_release

    started = time.perf_counter()
    assignment = find_assignment(name)
    make_release([assignment], build)
    edition = build / "student"
    console.print(f"Student edition in {edition}")
    folder = build / "demo" / assignment.name
    make_class(assignment, edition, folder / "submitted", students)
    console.print(f"{students} made-up submissions in {folder / 'submitted'}")
    settings = Settings(folder / "graded", seed=1)
    complete = grade_class(assignment, folder / "submitted", settings, console)
    console.print(f"Took {time.perf_counter() - started:.0f} seconds")
    raise typer.Exit(int(not complete))


@app.command("results")
def refresh_results(
    name: Name,
    out: Out = None,
    roster: Annotated[Path | None, typer.Option(help="csv of the class: id, name, email, …")] = None,
    gradebook: Annotated[
        str | None, typer.Option(help="address of nbgrader's gradebook, as `workbook grade` had it")
    ] = None,
) -> None:
    """Bring what people have given in formgrader into results, table and feedback; nothing is run."""
    from grading.scores.exports import waiting
    from grading.scores.refresh import refresh

    assignment = find_assignment(name)
    out = out or BUILD / "grading" / assignment.name
    results = refresh(assignment, out, read_roster(roster) if roster else Roster([]), gradebook)
    entries = results["submissions"]
    mean = sum(entry["final_score"] for entry in entries) / max(1, len(entries))
    most = max((entry["max_total"] for entry in entries), default=0)
    console.print(f"{len(entries):,} submissions, {mean:.1f} of {most:g} points on average")
    if cells := sum(map(waiting, entries)):
        console.print(f"{cells:,} cells wait for a person in formgrader", style="yellow")
    console.print(f"Results     {out / 'results.json'}\nTable       {out / 'results.csv'}")


@app.command("export")
def export_results(
    name: Name,
    to: Annotated[str, typer.Option(help="csv, canvas, moodle, gradescope or classroom50")],
    target: Annotated[Path, typer.Argument(help="the file, for gradescope the folder, to write")],
    out: Out = None,
    roster: Annotated[Path | None, typer.Option(help="csv of the class: id, name, canvas_id, …")] = None,
    column: Annotated[
        str | None,
        typer.Option(help='what Canvas calls the assignment, "kNN (4711)"; its title if not given'),
    ] = None,
) -> None:
    """Write the results of a grading in the form that a course platform reads."""
    from grading.scores.exports import export, read_results, waiting

    assignment = find_assignment(name)
    results = read_results(out or BUILD / "grading" / assignment.name, assignment.name)
    known = read_roster(roster) if roster else Roster([])
    export(to, results, column or assignment.title, known, target)
    console.print(f"{len(results['submissions']):,} submissions for {to} in {target}")
    if cells := sum(map(waiting, results["submissions"])):
        console.print(
            f"{cells:,} cells wait for a person: formgrader, then `workbook results`", style="yellow"
        )


@app.command()
def feedback(
    name: Name,
    submissions: Annotated[Path, typer.Argument(help="the folder or zip that was graded")],
    target: Annotated[Path, typer.Argument(help="the zip to write")],
    out: Out = None,
    roster: Annotated[Path | None, typer.Option(help="csv of the class, as for grading")] = None,
    kind: Kind = None,
) -> None:
    """Pack the students' pages as a zip that Canvas and Moodle take back."""
    from grading.scores.feedback_zip import write_feedback_zip
    from grading.submissions.collect import collect

    assignment = find_assignment(name)
    pages = (out or BUILD / "grading" / assignment.name) / "feedback"
    collection = collect(submissions, assignment, read_roster(roster) if roster else None, kind)
    without = write_feedback_zip(collection, pages, target)
    console.print(f"{len(collection.found) - len(without):,} pages for {collection.kind} in {target}")
    if without:
        console.print(f"{len(without):,} have no page: {', '.join(without)}", style="yellow")


@app.command()
def gradescope(
    name: Name,
    target: Annotated[Path | None, typer.Argument(help="the zip; BUILD/gradescope/ASSIGNMENT.zip")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="draws the hidden inputs")] = None,
) -> None:
    """Build an autograder for Gradescope that runs the same checks."""
    from exercise_code.support.checking.answers import make_answers
    from grading.editions.gradescope import build

    assignment = find_assignment(name)
    target = target or BUILD / "gradescope" / f"{assignment.name}.zip"
    drawn = secrets.randbits(32) if seed is None else seed
    answers = make_answers(assignment.checks, assignment.mistakes, drawn, secrets.randbits(64))
    build(assignment, answers, target)
    console.print(f"Upload {target} as the autograder of a programming assignment")


@app.command()
def similar(
    name: Name,
    submissions: Annotated[
        Path, typer.Argument(help="folder or zip that holds a folder or a zip for each student")
    ],
    out: Out = None,
    threshold: Annotated[float, typer.Option(min=0, max=1, help="least similarity to show")] = 0.5,
    common: Annotated[
        int, typer.Option(min=2, help="a passage that more submissions have counts for nobody")
    ] = 10,
    roster: Annotated[Path | None, typer.Option(help="csv of the class: id, name, email, …")] = None,
    kind: Kind = None,
    as_json: Annotated[bool, typer.Option("--json", help="a line of JSON for each pair")] = False,
) -> None:
    """Show pairs of submissions that share what students wrote themselves, side by side."""
    from grading.pages import similar as similarity
    from grading.submissions.collect import collect

    assignment = find_assignment(name)
    folder = out or BUILD / "grading" / assignment.name
    collection = collect(submissions, assignment, read_roster(roster) if roster else None, kind)
    pairs = similarity.similar(collection.submissions(assignment), assignment, threshold, common)
    similarity.write_table(pairs, folder / "similar.csv")
    similarity.write_similar(pairs, assignment, folder / "similar.html", threshold, common)
    if as_json:
        for pair in pairs:
            print(json.dumps(pair.row()))
        return
    found = f"{len(pairs):,} pairs" if len(pairs) != 1 else "1 pair"
    console.print(f"{found} of {len(collection.found):,} submissions share {threshold:.0%} or more")
    console.print(f"Side by side  {folder / 'similar.html'}\nTable         {folder / 'similar.csv'}")


@app.command()
def doctor(
    require_sandbox: Annotated[
        bool, typer.Option("--require-sandbox", help="fail where a layer of the sandbox is missing")
    ] = False,
) -> None:
    """Say how far submissions can be kept from this machine, and what to do for more."""
    from grading.running.sandbox import ADVICE, detect, offered

    sandbox = detect()
    table = Table("layer", "here", "what to do")
    for layer, reason in offered().items():
        table.add_row(layer, reason or "yes", ADVICE[layer] if reason else "")
    console.print(table)
    console.print(f"Isolation {sandbox.level}")
    raise typer.Exit(int(require_sandbox and bool(sandbox.missing)))


@kernels.command("install")
def install_kernel(
    user: Annotated[bool, typer.Option("--user", help="for this user, not for this Python alone")] = False,
) -> None:
    """Add a kernel to Jupyter that starts without imports: a fork of a warm process, in the sandbox."""
    from grading.notebooks.kernelspec import NAME, OPTION, install
    from grading.running.sandbox import detect

    sandbox = detect()
    console.print(f"Kernel {NAME} in {install(user=user)}")
    console.print(f"Isolation {sandbox.level}: {', '.join(sandbox.confines)}")
    if sandbox.missing:
        console.print(f"Missing: {'; '.join(sandbox.missing)}", style="yellow")
    console.print(
        "A kernel keeps five sockets to Jupyter on 127.0.0.1, and writes to a copy that goes with it."
    )
    console.print(f"Use it: nbgrader autograde ASSIGNMENT {OPTION}")


@app.command()
def mutants(
    name: Name,
    exercise: Annotated[str, typer.Option(help="only this one: knn.predict_labels")] = "",
    workers: Annotated[int | None, typer.Option(min=1, help="processes; one a core if not given")] = None,
    seed: Annotated[int, typer.Option(min=0, help="draws the inputs, and the sample")] = 0,
    seeds: Annotated[
        int, typer.Option(min=1, help="so many in a row, with each of which it must be noticed")
    ] = 1,
    sample: Annotated[
        int | None, typer.Option(min=1, help="so many mutants of each exercise; all if not given")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="folder for page and journal; BUILD/mutants/ASSIGNMENT")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print all that is found as JSON")] = False,
) -> None:
    """Change the solutions in one place at a time, and list the changes that no check notices.

    A run that was ended goes on where it was. Ends with 1 where something is left to mend.
    """
    from grading.mutants.examination import Settings as Wanted
    from grading.mutants.examination import examine_assignment
    from grading.mutants.page import write_mutants_page

    assignment = find_assignment(name)
    out = out or BUILD / "mutants" / assignment.name
    wanted = Wanted(out, exercise, workers, seed, seeds, sample)
    found = examine_assignment(assignment, wanted, Console(quiet=True) if as_json else console)
    write_mutants_page(found, out / "index.html")
    content = found.to_dict()
    (out / "mutants.json").write_text(json.dumps(content, indent=1), encoding="utf-8")
    if as_json:
        typer.echo(json.dumps(content))
    else:
        console.print(found.summary())
        console.print(f"The page is {out / 'index.html'}")
    raise typer.Exit(int(not found.flawless))


def main() -> None:
    """Run a command; what is wrong with the course or the request is one sentence, and SIGTERM tidies up."""
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        app()
    except (CourseError, AssignmentError, EditionError) as error:
        reason = str(error)
    except OSError as error:
        reason = f"{error}: see that it is there and can be written, then run the same command again"
    else:
        return
    errors.print(reason, style="red")
    raise SystemExit(2)


if __name__ == "__main__":
    main()
