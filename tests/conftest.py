"""What several tests share."""

import os
from importlib.util import find_spec
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
from hypothesis import settings

from exercise_code.support.checking.assignment import (
    Assignment,
    all_folders,
    find_assignment,
    read_assignment,
)
from exercise_code.support.paths import ASSIGNMENTS

settings.register_profile("workbook", deadline=None, derandomize=True, max_examples=40)
settings.load_profile("workbook")

# On a bare machine with a GPU, `pytest -m gpu` runs without the packages for notebooks and grading.
NEEDS = {
    "beartype": ["test_autograd_study.py", "test_knn.py", "test_linear.py", "test_mlp.py", "test_tensors.py"],
    "copydetect": ["test_similar.py"],
    "nbgrader": [
        "test_cluster.py",
        "test_collect.py",
        "test_execute.py",
        "test_formgrader.py",
        "test_gradescope.py",
        "test_gradebook.py",
        "test_late.py",
        "test_models.py",
        "test_mutants.py",
        "test_report.py",
        "test_resume.py",
        "test_sandbox.py",
        "hostile/test_content.py",
        "hostile/test_hostile.py",
        "test_grading.py",
        "test_notebooks.py",
        "test_pages.py",
        "test_parity.py",
        "test_release.py",
        "test_warm_kernel.py",
    ],
    "pooch": ["test_data.py", "test_shapes.py"],
    "IPython": ["test_plotting.py"],
    "sklearn": ["test_datasets.py", "test_regression.py", "test_transforms.py"],
}
collect_ignore = [file for package, files in NEEDS.items() if find_spec(package) is None for file in files]

ASSIGNMENT_NAMES = [folder.name for folder in all_folders()]


def grade_all(submissions, assignment, seed: int, out: Path, pool=None, **options) -> list:
    """Grade submissions as `workbook grade` does, with one worker in this process if not told otherwise."""
    from exercise_code.support.checking.answers import make_answers
    from grading.grade import grade, one_after_another
    from grading.journal import Journal
    from grading.work import Job

    submissions = list(submissions)
    job = Job.make(assignment, make_answers(assignment.checks, assignment.mistakes, seed))
    with Journal(out / "journal.sqlite") as journal:
        list(grade(submissions, job, seed, out, journal, (pool or one_after_another)(job), **options))
        records = list(journal.records(submission.id for submission in submissions))
        assert all(list(record.evidence) for record in records)
    return records


@pytest.fixture(params=ASSIGNMENT_NAMES, scope="session")
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
    from grading.release import release

    folder = tmp_path_factory.mktemp("build")
    release(a01, folder)
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
