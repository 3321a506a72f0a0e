"""What several tests share."""

import os
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import helpers
import pytest
from hypothesis import settings

from exercise_code.support.checking.assignment import Assignment, find_assignment, read_assignment
from exercise_code.support.paths import ASSIGNMENTS

settings.register_profile("workbook", deadline=None, derandomize=True, max_examples=40)
settings.load_profile("workbook")


@pytest.fixture(params=helpers.ASSIGNMENT_NAMES, scope="session")
def assignment(request) -> Assignment:
    """Each assignment in turn."""
    return read_assignment(ASSIGNMENTS / request.param)


@pytest.fixture(scope="session")
def a01() -> Assignment:
    """The assignment on nearest neighbours, small and complete."""
    return find_assignment("a01")


@pytest.fixture(scope="session")
def build(a01, tmp_path_factory) -> Path:
    """A released a01: `student` and `nbgrader` in one folder. Not to be written to."""
    from grading.editions.release import release

    folder = tmp_path_factory.mktemp("build")
    release([a01], folder)
    return folder


def pytest_terminal_summary(terminalreporter) -> None:
    """Print what tests record: which mistake is caught how, and what becomes of which attack."""
    reports = terminalreporter.stats.get("passed", []) + terminalreporter.stats.get("failed", [])
    attacks = [value for report in reports for name, value in report.user_properties if name == "attack"]
    if attacks:
        terminalreporter.section("attacks and what became of them")
        for row in sorted(map(tuple, attacks)):
            terminalreporter.write_line("{:<8}{:<36}{:<16}{:>5} points".format(*row))
    rows = [value for report in reports for name, value in report.user_properties if name == "mistake"]
    if rows:
        terminalreporter.section("mistakes and how they are caught")
        for row in sorted(map(tuple, rows)):
            terminalreporter.write_line("{:<12}{:<38}{:<28}{:<8}{}".format(*row))
        terminalreporter.write_line(f"{sum(row[4] != 'missed' for row in rows)} of {len(rows)} caught")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """A file stays with one worker, since its fixtures are dear, but for the many seeds of one test."""
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            return nodeid if file.endswith("test_false_alarms.py") else file

    return ByFile(config, log)
