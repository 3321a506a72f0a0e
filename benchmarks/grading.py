"""How long a class takes, by several ways of grading and by the probes alone; `--scale` for large classes.

    python -m benchmarks.grading [--students 100] [--nbgrader 5] [--rounds 1]
    python -m benchmarks.grading --scale 100 1000 10000 [--assignment a01]

Everything runs in one go on one machine; what counts are the ratios, of which the table shows the median over
the rounds, since a machine's clock may change from minute to minute. Writes build/benchmarks/grading.json.
"""

import argparse
import csv
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import nbformat
import psutil
from rich.console import Console
from rich.table import Table

from benchmarks.otter import by_otter
from exercise_code.support.checking.answers import make_answers
from exercise_code.support.checking.assignment import Assignment, find_assignment
from exercise_code.support.checking.run_check import gather
from exercise_code.support.paths import ROOT
from grading.editions.made_up_class import BROKEN, make_class
from grading.editions.release import release
from grading.notebooks.kernelspec import NAME, OPTION, write_spec
from grading.notebooks.nbgrader_course import open_gradebook, prepare_autograde
from grading.running.dask_pool import on_cluster
from grading.running.grader import Job
from grading.running.incremental import grade, one_after_another
from grading.running.journal import Journal
from grading.submissions.collect import collect

SEED = 1
FILE = "exercise_code/knn.py"
FLOOR_REPEATS = 50
NBGRADER, ONE, MANY = "nbgrader autograde", "workbook, one worker", "workbook, all cores"
FLOOR, TOGETHER = "floor: the probes of the reference alone", "the same in a process for each core"


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--students", type=int, default=100)
    parser.add_argument("--nbgrader", type=int, default=5, help="how many of them go through nbgrader")
    parser.add_argument("--rounds", type=int, default=1, help="how often all ways are gone")
    parser.add_argument(
        "--scale", type=int, nargs="+", default=[], help="sizes of classes to grade in one run"
    )
    parser.add_argument("--assignment", default="a01", help="what those classes hand in")
    options = parser.parse_args()
    a01 = find_assignment("a01")
    with tempfile.TemporaryDirectory(prefix="workbook-") as scratch:
        asked = find_assignment(options.assignment) if options.scale else a01
        release([asked], Path(scratch) / "build")
        edition = Path(scratch) / "build/student"
        content = {"cores": os.cpu_count(), "assignment": asked.name}
        if options.scale:
            content["scale"] = [scale(asked, edition, size, Path(scratch)) for size in options.scale]
        else:
            answers = make_answers(a01.checks, a01.mistakes, SEED)
            job = Job.make(a01, answers)
            folder = make(a01, edition, options.students, Path(scratch) / "submitted")
            content["rounds"] = []
            for number in range(options.rounds):
                place = Path(scratch) / str(number)
                place.mkdir()
                content["rounds"].append(compare(a01, folder, job, options.nbgrader, place))
            show(content["rounds"], options.students, options.nbgrader)
    target = ROOT / "build/benchmarks/grading.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def make(assignment: Assignment, edition: Path, size: int, folder: Path) -> Path:
    """A class in which all files differ, and nobody loops for ever: that would measure the wall clock."""
    names = make_class(assignment, edition, folder, size)
    for path in (folder / name / file for name in names for file in assignment.editable):
        text = path.read_text(encoding="utf-8")
        text = BROKEN["exit"] if text == BROKEN["endless loop"] else text
        path.write_text(f"{text}\n# {path.relative_to(folder)}\n", encoding="utf-8")
    return folder


def compare(assignment: Assignment, folder: Path, job: Job, few: int, scratch: Path) -> dict[str, float]:
    """Seconds a submission, by way of grading; all ways must give equal scores."""
    cores = os.cpu_count() or 1
    floors = [probes_alone(assignment.name)]
    one, scores = timed(assignment, folder, job, scratch / "one", one_after_another(job))
    floors.append(probes_alone(assignment.name))
    many, others = timed(assignment, folder, job, scratch / "many", on_cluster(job))
    assert scores == others, "one worker and many give other scores"
    with ProcessPoolExecutor(cores, get_context("spawn")) as pool:
        names = [assignment.name] * cores
        list(pool.map(probes_alone, names))  # imports everything
        together = list(pool.map(probes_alone, names))
    floors.append(probes_alone(assignment.name))
    plain, theirs = by_nbgrader(assignment, folder, scratch / "plain", few)
    assert theirs.items() <= scores.items(), "nbgrader gives other scores"
    warm, theirs = by_nbgrader(assignment, folder, scratch / "warm", few, OPTION)
    assert theirs.items() <= scores.items(), "nbgrader on the warm kernel gives other scores"
    names = sorted(path.name for path in folder.iterdir())[:few]
    (scratch / "otter").mkdir()
    otter, theirs = by_otter(assignment, folder, names, scratch / "otter", ROOT, SEED)
    assert theirs.items() <= scores.items(), "otter-grader gives other scores"
    return {
        "otter run": otter,
        NBGRADER: plain,
        f"nbgrader autograde, kernel {NAME}": warm,
        ONE: one,
        MANY: many,
        FLOOR: statistics.mean(floors),
        TOGETHER: statistics.mean(together) / cores,
    }


def show(rounds: list[dict[str, float]], size: int, few: int) -> None:
    """Print the medians over the rounds, of seconds and of ratios within a round."""

    def median(quantity: Callable[[dict[str, float]], float]) -> float:
        return statistics.median(map(quantity, rounds))

    table = Table("way", "s a submission", "times nbgrader's speed", "times the floor")
    for way in rounds[0]:
        seconds = median(lambda taken, way=way: taken[way])
        speed = median(lambda taken, way=way: taken[NBGRADER] / taken[way])
        floors = median(lambda taken, way=way: taken[way] / taken[FLOOR])
        table.add_row(way, f"{seconds:.3f}", f"{speed:.1f}", f"{floors:.2f}")
    cores = os.cpu_count() or 1
    scaling = median(lambda seconds: seconds[ONE] / seconds[MANY]) / cores
    machine = median(lambda seconds: seconds[FLOOR] / seconds[TOGETHER]) / cores
    console = Console()
    console.print(table)
    console.print(
        f"{size} submissions, {few} of them by otter and nbgrader; rounds: {len(rounds)}; "
        f"scaling {scaling:.2f} a core, where the probes alone reach {machine:.2f}; scores equal"
    )


def probes_alone(name: str) -> float:
    """Seconds that all checks of the reference take in a loop in one warm process."""
    assignment = find_assignment(name)
    for check in assignment.checks:
        gather(check, SEED)
    started = time.perf_counter()
    for _ in range(FLOOR_REPEATS):
        for check in assignment.checks:
            gather(check, SEED)
    return (time.perf_counter() - started) / FLOOR_REPEATS


def timed(assignment: Assignment, folder: Path, job: Job, out: Path, pool) -> tuple[float, dict[str, float]]:
    """Seconds a submission once workers are warm, and the scores."""
    submissions = [*collect(folder, assignment).submissions(assignment)]
    with Journal(out / "journal.sqlite") as journal:
        lines = grade(submissions, job, SEED, out, journal, pool)
        scores = {}
        for line in lines:
            scores[line.id] = line.score
            if len(scores) == max(1, len(submissions) // 10):
                started = time.perf_counter()
        rest = len(submissions) - max(1, len(submissions) // 10)
        return (time.perf_counter() - started) / rest, scores


def by_nbgrader(
    assignment: Assignment, folder: Path, course: Path, few: int, *options: str
) -> tuple[float, dict[str, float]]:
    """The same through `nbgrader autograde`, one after another; only check cells and set-up are kept."""
    shutil.copytree(course.parents[1] / "build/nbgrader", course)
    prepare_autograde(assignment, course, SEED)
    names = sorted(path.name for path in folder.iterdir())[:few]
    released = nbformat.read(course / "release" / assignment.name / assignment.notebooks[0], as_version=4)
    released.cells = [cell for cell in released.cells if _is_needed(cell)]
    for name in names:
        target = course / "submitted" / name / assignment.name
        (target / FILE).parent.mkdir(parents=True)
        shutil.copy(folder / name / FILE, target / FILE)
        nbformat.write(released, target / assignment.notebooks[0])
    write_spec(course / "jupyter/kernels" / NAME)
    environment = {**os.environ, "JUPYTER_PATH": str(course / "jupyter")}
    program = [str(Path(sys.executable).parent / "nbgrader"), "autograde", assignment.name, *options]
    started = time.perf_counter()
    subprocess.run(program, cwd=course, check=True, capture_output=True, env=environment)
    seconds = (time.perf_counter() - started) / len(names)
    with open_gradebook(course) as gradebook:
        rows = {row.student.id: row.score for row in gradebook.assignment_submissions(assignment.name)}
        return seconds, {name: rows[name] for name in names}


def _is_needed(cell: nbformat.NotebookNode) -> bool:
    """Set-up, imports and what is graded."""
    wanted = "setup()" in cell.source or "import check" in cell.source
    return "nbgrader" in cell.metadata or (cell.cell_type == "code" and wanted)


def scale(assignment: Assignment, edition: Path, size: int, scratch: Path) -> dict[str, float]:
    """Time and memory of `workbook grade` on a class, from its start to the last page; the journal's size."""
    folder = make(assignment, edition, size, scratch / f"class-{size}")
    out = scratch / f"out-{size}"
    command = [
        sys.executable,
        "-m",
        "grading.cli",
        "grade",
        assignment.short,
        str(folder),
        "--out",
        str(out),
        "--seed",
        "1",
    ]
    started = time.perf_counter()
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    peaks = {"parent": 0, "worker": 0}
    watching = threading.Thread(target=watch, args=[psutil.Process(process.pid), peaks], daemon=True)
    watching.start()
    assert process.wait() == 0
    seconds = time.perf_counter() - started
    with (out / "results.csv").open(encoding="utf-8") as file:
        assert sum(1 for _ in csv.DictReader(file)) == size
    journal = sum(path.stat().st_size for path in out.glob("journal.sqlite*")) / 2**20
    shutil.rmtree(out)
    shutil.rmtree(folder)
    row = {"students": size, "seconds": seconds, "journal_mb": journal}
    row |= {f"{who}_mb": peak / 2**20 for who, peak in peaks.items()}
    Console().print(
        f"{size:>7,} students: {seconds:8.1f} s, {size / seconds:6.1f} a second, "
        f"journal {journal:.1f} MB, parent at most {row['parent_mb']:.0f} MB, "
        f"a worker and its forks' server {row['worker_mb']:.0f} MB"
    )
    return row


def watch(process: psutil.Process, peaks: dict[str, int]) -> None:
    """Note the most memory of its own that the parent, and a worker with what it has started, ever take."""
    while process.is_running():
        try:
            peaks["parent"] = max(peaks["parent"], process.memory_full_info().uss)
            for child in process.children():
                family = [child, *child.children(recursive=True)]
                peaks["worker"] = max(peaks["worker"], sum(each.memory_full_info().pss for each in family))
        except psutil.Error:
            continue
        time.sleep(1)


if __name__ == "__main__":
    main()
