"""What several tests share: depths of testing, assignments in turn, and what tests record."""

import contextlib
import functools
import os
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
import verified
from costs import Costs
from filelock import FileLock

from exercise_code.support.checking.assignment import (
    Assignment,
    AssignmentError,
    all_folders,
    find_assignment,
    read_assignment,
)
from exercise_code.support.paths import ASSIGNMENTS, ROOT

CONTRACT = ROOT / "tests" / "contract"

with contextlib.suppress(ImportError):  # where only the tests of an accelerator are run
    from hypothesis import settings

    settings.register_profile("workbook", deadline=None, derandomize=True, max_examples=40)
    settings.load_profile("workbook")


def pytest_addoption(parser) -> None:
    """How deeply assignments are tested, and which."""
    group = parser.getgroup("assignments")
    text = "how deeply assignments are tested (default: as their stamps say, see tests/verified.py)"
    group.addoption("--depth", choices=verified.DEPTHS, help=text)
    text = "test this assignment alone of those that are tested alike (may be repeated)"
    group.addoption("--assignment", action="append", default=[], metavar="NAME", help=text)
    text = "test what has changed in full, and note in its evidence/verified.toml what was passed"
    group.addoption("--stamp", action="store_true", help=text)


def pytest_configure(config) -> None:
    """Read the options; `pytest assignments/a03_mlp` runs the contract tests of this assignment, too."""
    folders = {str(folder): folder.name for folder in all_folders()}
    named = [folders[path] for arg in config.args if (path := str(Path(arg).resolve())) in folders]
    try:
        wanted = {find_assignment(name).name for name in [*named, *config.getoption("assignment")]}
    except AssignmentError as error:
        raise pytest.UsageError(str(error)) from None
    course = [read_assignment(folder) for folder in all_folders()]
    config.assignments = [a for a in course if a.name in wanted or not (wanted or a.draft)]
    config.drafts = [a.name for a in course if a.draft and a not in config.assignments]
    config.named = named
    if named:
        config.args.append(str(CONTRACT))
    if config.getoption("stamp"):
        if config.getoption("keyword") or config.getoption("maxfail"):
            raise pytest.UsageError(
                "--stamp takes all tests of an assignment: leave out -k, -x and --maxfail"
            )
        if config.getoption("depth") in ("kept", "touch"):
            raise pytest.UsageError("--stamp tests as deeply as a stamp demands: leave out --depth")
        due = {a.name: verified.due(a) for a in course}
        config.assignments = [a for a in config.assignments if due[a.name]]
        config.args[:] = [str(CONTRACT), *(str(a.folder) for a in config.assignments)]
        config.depths = {name: config.getoption("depth") or depth or "touch" for name, depth in due.items()}
    elif depth := config.getoption("depth"):
        config.depths = dict.fromkeys(folders.values(), depth)
    else:
        config.depths = verified.depths(course, wanted)
    config.costs = Costs()
    config.pluginmanager.register(config.costs)


def pytest_ignore_collect(collection_path, config) -> bool | None:
    """With `-m gpu` read only files that speak of it: a machine lent for that may lack what others import."""
    if collection_path.suffix == ".py" and config.getoption("markexpr") == "gpu":
        return "mark.gpu" not in collection_path.read_text(encoding="utf-8") or None
    return None


def _seeds(assignment: Assignment, depth: str) -> dict[str, range]:
    step = min(verified.SEEDS[depth], 20)
    return {str(first): range(first, first + step) for first in range(0, verified.SEEDS[depth], step)}


STATES = {
    None: "",
    "touch": "what its notebooks use has changed: make verify",
    "full": "not verified with this engine: make verify",
}
"""What the end of a run says of an assignment, by how deeply it has to be tested for a stamp that fits."""

PARTS: dict[str, Callable[[Assignment, str], dict[str, object]]] = {
    "assignment": lambda assignment, depth: {"": assignment},
    "seeds": _seeds,
    "mistake": lambda assignment, depth: {mistake.name: mistake for mistake in assignment.mistakes},
    "notebook_path": lambda assignment, depth: {
        Path(name).stem: assignment.folder / name for name in assignment.notebooks
    },
}
"""What each assignment has; a test that asks for one by its name gets all in turn."""


def pytest_generate_tests(metafunc) -> None:
    """Give a test that asks for `assignment` each in turn, and each of its parts, under lasting names."""
    asked = [name for name in PARTS if name in metafunc.fixturenames]
    if not asked:
        return
    found = {}
    for assignment in metafunc.config.assignments:
        depth = metafunc.config.depths[assignment.name]
        for id, part in PARTS[asked[-1]](assignment, depth).items():
            values = {"assignment": assignment, asked[-1]: part}
            found["-".join(filter(None, (assignment.name, id)))] = [values[name] for name in asked]
    metafunc.parametrize(asked, found.values(), ids=found.keys(), scope="session")


def pytest_collection_modifyitems(config, items) -> None:
    """Where assignments are named, leave out those contract tests that are about none."""
    if config.named:
        others = {
            item
            for item in items
            if CONTRACT in item.path.parents and PARTS.keys().isdisjoint(item.fixturenames)
        }
        config.hook.pytest_deselected(items=[*others])
        items[:] = [item for item in items if item not in others]


def pytest_runtest_setup(item) -> None:
    """Leave out what only the deepest tests are for, and what a stamp that fits vouches for."""
    if item.get_closest_marker("deep") and item.config.getoption("depth") != "all":
        pytest.skip("tested with --depth all only")
    vouched = item.get_closest_marker("vouched")
    if vouched and item.config.depths[item.callspec.params["assignment"].name] == "kept":
        pytest.skip("its stamp fits: tested with --depth touch")


@pytest.fixture
def depth(assignment, pytestconfig) -> str:
    """How deeply the assignment is to be tested: kept, touch, full or all."""
    return pytestconfig.depths[assignment.name]


@pytest.fixture(scope="session")
def a01() -> Assignment:
    """The assignment on nearest neighbours, small and complete."""
    return find_assignment("a01")


@pytest.fixture(scope="session")
def released(tmp_path_factory) -> Callable[[Assignment], Path]:
    """Releases an assignment into a course of its own, once for all workers. Not to be written to.

    What it builds on is released once for all that build on it.
    """
    from grading.editions.release import release

    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    @functools.cache
    def build(name: str) -> Path:
        folder = shared / f"released-{name}"
        there = folder / "student" / "assignments"
        with FileLock(f"{folder}.lock"):
            if not (there / name).exists():
                assignment = read_assignment(ASSIGNMENTS / name)
                for earlier in assignment.earlier[-1:]:
                    shutil.copytree(build(earlier.name), folder, dirs_exist_ok=True)
                due = [each for each in assignment.earlier if not (there / each.name).exists()]
                release([*due, assignment], folder)
        return folder

    return lambda assignment: build(assignment.name)


@pytest.fixture(scope="session")
def build(a01, released) -> Path:
    """A released a01: `student` and `nbgrader` in one folder. Not to be written to."""
    return released(a01)


def pytest_sessionfinish(session, exitstatus) -> None:
    """Write the stamps of what has passed everything, unless the run was ended before."""
    config = session.config
    if config.getoption("stamp") and not hasattr(config, "workerinput") and exitstatus <= 1:
        for assignment in config.assignments:
            if tests := config.costs.passed(assignment.name):
                verified.write_stamp(assignment, config.depths[assignment.name], tests)


def aligned(rows: Iterable[Iterable[object]]) -> list[str]:
    """Rows of a table in order, each column as wide as its longest entry."""
    cells = sorted([str(cell) for cell in row] for row in rows)
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in cells]


def pytest_terminal_summary(terminalreporter, config) -> None:
    """Print what tests record: how mistakes are caught, what becomes of attacks, and what it all cost."""
    reports = terminalreporter.stats.get("passed", []) + terminalreporter.stats.get("failed", [])
    attacks = [value for report in reports for name, value in report.user_properties if name == "attack"]
    if attacks:
        terminalreporter.section("attacks and what became of them")
        for line in aligned(attacks):
            terminalreporter.write_line(f"{line} points")
    rows = [value for report in reports for name, value in report.user_properties if name == "mistake"]
    if rows:
        terminalreporter.section("mistakes and how they are caught")
        for line in aligned(rows):
            terminalreporter.write_line(line)
        terminalreporter.write_line(f"{sum(row[4] != 'missed' for row in rows)} of {len(rows)} caught")
    if any("/contract/" in name for name in config.costs.outcomes):
        terminalreporter.section("assignments")
        for assignment in config.assignments:
            state = STATES[verified.due(assignment)]
            terminalreporter.write_line(f"{assignment.name:<20}{config.depths[assignment.name]:<7}{state}")
        for name in config.drafts:
            terminalreporter.write_line(f"{name:<20}draft  only its solutions are tested")
    if table := config.costs.table():
        terminalreporter.section("seconds of a core")
        for line in (*table, "", *config.costs.costliest()):
            terminalreporter.write_line(line)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """A file stays with one worker, since its fixtures are dear.

    Tests of every assignment alike are each on their own, in the order of the files, but for the mistakes of
    an assignment, which share the answers that they are held against.
    """
    from xdist.scheduler import LoadScopeScheduling

    class ByAssignment(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file, _, test = nodeid.partition("::")
            if "/contract/" not in file:
                return file
            return file + test.partition("-")[0] if "test_mistakes" in file else nodeid

    config.option.loadscopereorder = False
    return ByAssignment(config, log)
