"""The course as a whole: what assignments do not share, stamps that fit, and that one can be taken out."""

import os
import shutil
import subprocess
import sys
import tomllib
from collections import Counter

import pytest
import verified

from exercise_code.support.checking.assignment import all_folders, read_assignment
from exercise_code.support.paths import ROOT

COURSE = [read_assignment(folder) for folder in all_folders()]


def twice(names) -> list[str]:
    """What is there more than once."""
    return [name for name, number in Counter(names).items() if number > 1]


def test_a_module_belongs_to_one_assignment():
    assert not twice(module for assignment in COURSE for module in assignment.modules)


def test_an_exercise_belongs_to_one_assignment():
    """`check("solver.Solver.train")` would not know which is meant."""
    assert not twice(
        name for assignment in COURSE for name in {check.exercise for check in assignment.checks}
    )
    for assignment in COURSE:
        owned = tuple(f"{module}." for module in assignment.modules)
        assert all(check.exercise.startswith(owned) for check in assignment.checks)


def test_every_module_of_exercises_belongs_to_an_assignment():
    owned = {name for assignment in COURSE for name in (*assignment.editable, *assignment.given)}
    there = {path.relative_to(ROOT).as_posix() for path in (ROOT / "exercise_code").rglob("*.py")}
    loose = {"exercise_code/__init__.py", "exercise_code/__main__.py"}
    assert {name for name in there - loose if not name.startswith("exercise_code/support/")} == owned


def test_an_assignment_builds_on_earlier_ones():
    for number, assignment in enumerate(COURSE):
        assert {*assignment.builds_on} <= {earlier.short for earlier in COURSE[:number]}


def test_the_stamp_fits(assignment, pytestconfig):
    """Of what is the assignment's own; see tests/verified.py."""
    if pytestconfig.getoption("stamp"):
        pytest.skip("it is being written")
    path = verified.stamp_path(assignment).relative_to(ROOT)
    stamp = verified.read_stamp(assignment)
    if not stamp:
        pytest.skip(f"it has never been tested in full: run `make verify` and commit {path}")
    assert stamp.get("own") == verified.own_hash(assignment), f"run `make verify` and commit {path}"


def test_requirements_lie_within_the_bounds_of_the_project():
    from packaging.requirements import Requirement

    bounds = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    pins = [line for line in (ROOT / "requirements.txt").read_text().splitlines() if line and line[0] != "#"]
    pinned = {Requirement(line).name: str(Requirement(line).specifier).removeprefix("==") for line in pins}
    assert pinned.keys() == {Requirement(bound).name for bound in bounds}
    for bound in map(Requirement, bounds):
        assert bound.specifier.contains(pinned[bound.name]), bound


@pytest.mark.slow
def test_any_assignment_can_be_taken_out(tmp_path):
    """Without its folder and its modules everything else is imported and all tests are found."""
    needed = {name for assignment in COURSE for name in assignment.builds_on}
    gone = next(assignment for assignment in reversed(COURSE) if assignment.short not in needed)
    ignored = shutil.ignore_patterns(".*", "__pycache__", "build", "*.egg-info", "cache")
    copy = shutil.copytree(ROOT, tmp_path / "course", ignore=ignored)
    shutil.rmtree(copy / "assignments" / gone.name)
    for name in (*gone.editable, *gone.given):
        (copy / name).unlink()
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--collect-only", "-m", ""]
    environment = {**os.environ, "PYTHONPATH": str(copy)}
    done = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
