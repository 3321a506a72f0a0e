"""The same assignment for otter-grader, in an environment of its own beside the course's packages."""

import json
import os
import subprocess
import sys
import sysconfig
import time
import zipfile
from itertools import groupby
from pathlib import Path

import nbformat

from exercise_code.support.checking.answers import make_answers
from exercise_code.support.checking.assignment import Assignment
from grading.editions.student_files import write_student_files

PLACE = "build/otter"
SETUP = """\
import shutil, sys
from pathlib import Path

for name in {files}:
    shutil.copy(Path(name).name, name)
sys.path.insert(0, ".")
"""
TESTS = """\
OK_FORMAT = False

from otter.test_files import test_case

name = {name!r}
points = None
found = {{}}


def earned(id):
    if not found:
        from exercise_code.support.checking import check

        found.update({{verdict.check: verdict.points for verdict in check({exercise!r}).verdicts}})
    return found[id]
"""
CASE = """

@test_case(points={points!r})
def case_{number}():
    assert earned({check!r}) >= {least!r}
"""
"""Otter's cases give all or nothing, so that each half of a check's points is a case."""


def by_otter(
    assignment: Assignment, folder: Path, names: list[str], scratch: Path, root: Path, seed: int
) -> tuple[float, dict[str, float]]:
    """Seconds a submission by `otter run`, one after another, and the scores."""
    program = install(root / PLACE)
    autograder = make_autograder(program, assignment, scratch, seed)
    scores, spent = {}, 0.0
    for name in names:
        submission = make_submission(assignment, folder / name, scratch / f"{name}.zip")
        out = scratch / f"out-{name}"
        out.mkdir()
        command = [program, "run", submission, "-a", autograder, "-o", out, "--no-logo"]
        started = time.perf_counter()
        subprocess.run(command, cwd=scratch, check=True, capture_output=True, env=_environment())
        spent += time.perf_counter() - started
        results = json.loads((out / "results.json").read_text(encoding="utf-8"))
        scores[name] = sum(test.get("score", 0.0) for test in results["tests"])
    return spent / len(names), scores


def install(place: Path) -> Path:
    """Put otter-grader where it changes none of this environment's packages, yet uses them; the program."""
    program = place / "bin/otter"
    if not program.exists():
        subprocess.run([sys.executable, "-m", "venv", place], check=True)
        own = sysconfig.get_path("purelib", vars={"base": str(place), "platbase": str(place)})
        (Path(own) / "course.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
        command = [place / "bin/python", "-m", "pip", "install", "--quiet", "otter-grader==7.0.0"]
        subprocess.run(command, check=True, env=_environment())
    return program


def make_autograder(program: Path, assignment: Assignment, scratch: Path, seed: int) -> Path:
    """The zip that `otter generate` makes of the checks, the support code and the answers for a seed."""
    tree = scratch / "tree"
    write_student_files(assignment, tree)
    answers = make_answers(assignment.checks, assignment.mistakes, seed)
    answers.save(tree / "assignments" / assignment.name / assignment.answers_path.name)
    tests = scratch / "tests"
    tests.mkdir()
    for number, (exercise, checks) in enumerate(groupby(assignment.checks, key=lambda check: check.exercise)):
        text = TESTS.format(name=f"q{number}", exercise=exercise)
        cases = [(check, share * check.points) for check in checks for share in (0.5, 1.0)]
        for index, (check, least) in enumerate(cases):
            text += CASE.format(number=index, check=check.id, least=least, points=check.points / 2)
        (tests / f"q{number}.py").write_text(text, encoding="utf-8")
    target = scratch / "autograder.zip"
    command = [program, "generate", "-t", tests, "-o", target, "--no-requirements", "--no-environment"]
    files = [path.name for path in tree.iterdir() if path.is_dir()]
    subprocess.run([*command, *files], cwd=tree, check=True, capture_output=True, env=_environment())
    return target


def make_submission(assignment: Assignment, folder: Path, target: Path) -> Path:
    """A notebook and the student's modules beside it, as a zip."""
    setup = nbformat.v4.new_code_cell(SETUP.format(files=assignment.editable))
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("submission.ipynb", nbformat.writes(nbformat.v4.new_notebook(cells=[setup])))
        for name in assignment.editable:
            archive.write(folder / name, Path(name).name)
    return target


def _environment() -> dict[str, str]:
    return {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
