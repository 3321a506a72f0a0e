"""The instructor's command: release an assignment, grade submissions, see it all on a made-up class."""

import json
import secrets
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import track

from exercise_code.support.checking.assignment import Assignment, AssignmentError, find_assignment
from exercise_code.support.paths import ROOT
from grading.course import CourseError

BUILD = ROOT / "build"
app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
console = Console(highlight=False, soft_wrap=True)

Name = Annotated[str, typer.Argument(metavar="ASSIGNMENT", help="a01, or in full a01_knn")]
Build = Annotated[Path, typer.Option(help="folder for what is made")]


@app.command()
def release(name: Name, build: Build = BUILD) -> None:
    """Make the student edition of an assignment in BUILD/student."""
    from grading.release import release as make_release

    edition = make_release(find_assignment(name), build)
    console.print(f"The student edition of {name} is in [bold]{edition}[/]")


@app.command()
def grade(
    name: Name,
    submissions: Annotated[Path, typer.Argument(help="holds a folder or a zip archive for each student")],
    out: Annotated[
        Path | None, typer.Option(help="folder for the results; BUILD/grading/ASSIGNMENT if not given")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="draws the hidden inputs; a new one if not given")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="submissions at once; one a core if not given")
    ] = None,
) -> None:
    """Grade submissions: results.json, a table, feedback pages, a report and nbgrader's gradebook."""
    assignment = find_assignment(name)
    out = out or BUILD / "grading" / assignment.name
    _grade(assignment, submissions, out, secrets.randbits(32) if seed is None else seed, workers)


@app.command()
def demo(
    name: Annotated[str, typer.Argument(metavar="[ASSIGNMENT]")] = "a01",
    build: Build = BUILD,
    students: Annotated[int, typer.Option(min=1, help="size of the class")] = 30,
) -> None:
    """Release an assignment, make up a class, grade it, and show the report."""
    from grading.classroom import make_class
    from grading.release import release as make_release

    started = time.perf_counter()
    assignment = find_assignment(name)
    edition = make_release(assignment, build)
    console.print(f"Student edition in [bold]{edition}[/]")
    folder = build / "demo" / assignment.name
    make_class(assignment, edition, folder / "submitted", students)
    console.print(f"{students} made-up submissions in [bold]{folder / 'submitted'}[/]")
    _grade(assignment, folder / "submitted", folder / "graded", seed=1, workers=None)
    console.print(f"Took {time.perf_counter() - started:.0f} seconds")


def _grade(assignment: Assignment, submissions: Path, out: Path, seed: int, workers: int | None) -> None:
    from exercise_code.support.checking.answers import make_answers
    from grading import grade as grading
    from grading.collect import collect
    from grading.feedback import write_feedback
    from grading.gradebook import write_gradebook
    from grading.on_images import on_images
    from grading.report import write_report
    from grading.runner import Sandbox

    sandbox = Sandbox()
    console.print(
        f"[yellow]Isolation {sandbox.level}: a submission runs as a process of yours, without "
        f"{', '.join(sandbox.missing)}. Grade only what you would run yourself, or do it in a container.[/]"
    )
    found = list(collect(submissions, assignment))
    out.mkdir(parents=True, exist_ok=True)
    answers = make_answers(assignment.checks, assignment.mistakes, seed)
    running = grading.grade(found, assignment, answers, out, workers)
    graded = list(track(running, "Grading", total=len(found), console=console))

    content = grading.results(assignment, seed, graded)
    (out / "results.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    grading.write_csv(out / "results.csv", graded)
    (out / "feedback").mkdir(exist_ok=True)
    for item in graded:
        write_feedback(assignment, item, answers, out / "feedback" / f"{item.submission.id}.html")
    hints = {verdict.hint for item in graded for verdict in item.verdicts}
    images = on_images(assignment, [mistake for mistake in assignment.mistakes if mistake.hint in hints])
    report = out / "report.html"
    write_report(assignment, graded, answers, report, seed=seed, sandbox=sandbox.to_tree(), images=images)
    gradebook = write_gradebook(assignment, graded, out / "nbgrader")
    mean = sum(item.score for item in graded) / len(graded)
    console.print(f"{len(graded)} submissions, {mean:.1f} of {assignment.max_points:g} points on average")
    console.print(f"Report      [bold]{report}[/]")
    console.print(f"Feedback    {out / 'feedback'}")
    console.print(f"Results     {out / 'results.json'}, {out / 'results.csv'}")
    console.print(f"Gradebook   {gradebook}  (formgrader: start jupyter lab in {out / 'nbgrader'})")


def main() -> None:
    """Run a command; what is wrong with the course or the request is one sentence."""
    try:
        app()
    except (CourseError, AssignmentError) as error:
        console.print(f"[red]{error}[/]")
        raise SystemExit(2) from None


if __name__ == "__main__":
    main()
