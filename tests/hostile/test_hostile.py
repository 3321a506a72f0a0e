"""No submission gains a point by force, none costs its neighbours one, and nothing is left behind."""

import json
import os
import re
import socket
import sqlite3
import textwrap
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import nbformat
import psutil
import pytest
from helpers import grade_all

from exercise_code.support.checking.assignment import Limits
from exercise_code.support.isolation import confine
from exercise_code.support.paths import ROOT
from grading.notebooks.nbgrader_course import open_gradebook
from grading.running.sandbox import detect
from grading.scores.gradebook import write_gradebook
from grading.submissions.collect import read_submission
from grading.submissions.records import Submission
from hostile.attacks import (
    ANY,
    BESIDE,
    CHEATS,
    CHECK,
    FILE,
    IGNORED,
    INSIDE,
    IS_OPEN,
    NEEDS_L3,
    RIGHT,
    SOURCES,
    SPIES,
    STUB,
    attempt,
    inside,
)

SEED = 7
LEVEL = detect().level
DEPENDENT = {"knn.predict_labels:ties", "knn.KnnClassifier.predict", "knn.knn_cross_validate"}

pytestmark = pytest.mark.skipif(
    LEVEL == "L1", reason="this machine offers no isolation: see `workbook doctor`"
)


@pytest.fixture(scope="module")
def hasty(a01):
    """a01 with short limits."""
    return replace(a01, limits=Limits(seconds_per_check=2.5, seconds_per_submission=20, memory_mb=400))


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    """What spies look for, and what must not change."""
    folder = tmp_path_factory.mktemp("grader")
    (folder / "secret.txt").write_text("secret")
    (folder / "neighbour").mkdir()
    (folder / "neighbour/knn.py").write_text(RIGHT)
    gradebook = sqlite3.connect(folder / "gradebook.db")
    gradebook.execute("create table grade (manual_score real)")
    gradebook.execute("insert into grade values (1)")
    gradebook.commit()
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o777)
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.socket(socket.AF_UNIX) as listening,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as datagrams,
    ):
        for name, each in (("host.socket", listening), ("host.datagrams", datagrams)):
            each.bind(str(folder / name))
            (folder / name).chmod(0o777)
        listening.listen()
        yield {
            "secret": str(folder / "secret.txt"),
            "neighbour": str(folder / "neighbour/knn.py"),
            "gradebook": str(folder / "gradebook.db"),
            "journal": str(folder / "secret.txt"),
            "outside": str(folder / "outside.txt"),
            "host_socket": str(folder / "host.socket"),
            "host_datagrams": str(folder / "host.datagrams"),
            "port": server.getsockname()[1],
        }


@pytest.fixture(scope="module")
def host(places):
    """What the machine looks like before all attacks."""
    return look(places)


def look(places) -> dict:
    """Files, mounts, shared memory and processes that an attack may leave behind or change.

    Other tests may run meanwhile: those of the cluster mount namespaces, PostgreSQL has a segment.
    """
    folder = Path(places["secret"]).parent
    mounts = Path("/proc/self/mountinfo").read_text().splitlines()
    segments = [line.split() for line in Path("/proc/sysvipc/shm").read_text().splitlines()]
    user = str(os.getuid() or confine.NOBODY)
    return {
        "files": {str(path): path.stat().st_mtime_ns for path in folder.rglob("*")},
        "mounts": sorted(line.split()[4] for line in mounts if "/run/netns" not in line),
        "shared memory": sorted(path.name for path in Path("/dev/shm").iterdir() if path.name.isdigit()),
        "segments": [fields[:2] for fields in segments if fields[7] == user],
        "host": socket.gethostname(),
        "left in /tmp": Path("/tmp/workbook-was-here").exists(),
        "processes": {process.pid for process in psutil.Process().children(recursive=True)},
    }


@pytest.fixture(scope="module")
def attacked(hasty, places, host, tmp_path_factory):
    """All attacks, between two right submissions, through one worker."""
    os.environ["SECRET_OF_THE_GRADER"] = "1"
    texts = {"right": RIGHT}
    texts |= {name: inside(lines) for name, (lines, _) in INSIDE.items()}
    texts |= {name: f"{lines}\n{RIGHT}" for name, lines in BESIDE.items()}
    texts |= {name: f"{STUB}\n{textwrap.dedent(lines)}\n" for name, lines in CHEATS.items()}
    texts |= {name: attempt(lines.format(**places)) + IS_OPEN for name, lines in SPIES.items()}
    texts["right again"] = RIGHT + "\n"
    submissions = [Submission(name, {FILE: text.encode()}) for name, text in texts.items()]
    submissions += [Submission(name, {FILE: content}) for name, (content, _) in SOURCES.items()]
    submissions.append(Submission("right at last", {FILE: f"\n{RIGHT}".encode()}))
    out = tmp_path_factory.mktemp("hostile")
    records = {record.submission.id: record for record in grade_all(submissions, hasty, SEED, out)}
    del os.environ["SECRET_OF_THE_GRADER"]
    return records


def statuses(record) -> dict[str, str]:
    return {verdict.check: verdict.status for verdict in record.verdicts}


def note(record_property, kind: str, name: str, record) -> None:
    found = statuses(record)
    record_property("attack", [kind, name, found[CHECK], f"{record.score:g}"])


def skip_without_layers(name: str) -> None:
    if name in NEEDS_L3 and LEVEL != "L3":
        pytest.skip("needs namespaces: see `workbook doctor`")


@pytest.mark.parametrize("name", INSIDE)
def test_an_attack_costs_itself(attacked, name, record_property):
    skip_without_layers(name)
    note(record_property, "inside", name, attacked[name])
    found = statuses(attacked[name])
    assert found[CHECK] in INSIDE[name][1]
    others = {check: status for check, status in found.items() if check not in {CHECK, *DEPENDENT}}
    assert set(others.values()) == {"passed"}
    assert {found[check] for check in DEPENDENT} <= ANY | {"blocked"}


@pytest.mark.parametrize("name", BESIDE)
def test_odd_but_right_modules_keep_their_points(attacked, name, hasty, record_property):
    note(record_property, "beside", name, attacked[name])
    assert attacked[name].score == hasty.max_points


@pytest.mark.parametrize("name", CHEATS)
def test_cheats_earn_nothing(attacked, name, record_property):
    note(record_property, "cheat", name, attacked[name])
    assert attacked[name].score == 0


@pytest.mark.parametrize("name", SPIES)
def test_spies_see_and_change_nothing(attacked, name, record_property):
    skip_without_layers(name)
    note(record_property, "spy", name, attacked[name])
    evidence = next(item for item in attacked[name].evidence if item.check == CHECK)
    run = evidence.runs["float32"]
    assert run.error is None
    assert [leaf.tolist() for leaf in run.outputs.values()] == [[0] * 17] * 3


@pytest.mark.parametrize("name", SOURCES)
def test_odd_sources(attacked, name, record_property):
    note(record_property, "source", name, attacked[name])
    found, due = set(statuses(attacked[name]).values()), SOURCES[name][1]
    assert found == {due} if due != "mixed" else {"passed", "not_written"} <= found


def test_neighbours_lose_nothing(attacked, hasty):
    for name in ("right", "right again", "right at last"):
        assert attacked[name].score == hasty.max_points


def test_nothing_is_left_behind_or_changed(attacked, places, host):
    assert look(places) == host
    assert sqlite3.connect(places["gradebook"]).execute("select * from grade").fetchall() == [(1,)]


def test_there_are_enough_attacks():
    assert len(INSIDE) + len(CHEATS) + len(SPIES) + len(SOURCES) >= 60


@pytest.mark.parametrize("page", ["attacks.md", "verdicts.md"])
def test_what_holds_an_attempt_of_the_review_is_there(page):
    """Each test, attack, check, mistake and variant that a page names."""
    named = re.findall(r"`(\w+\.py|a\d\d/\w+): ([^`]+)`", (ROOT / "docs" / page).read_text(encoding="utf-8"))
    texts: defaultdict[str, str] = defaultdict(str)
    for path in (ROOT / "tests").rglob("*.py"):
        texts[path.name] += path.read_text(encoding="utf-8")
    for path in (ROOT / "assignments").rglob("*.py"):
        assignment, kind = path.relative_to(ROOT / "assignments").with_suffix("").parts[:2]
        texts[f"{assignment[:3]}/{kind}"] += path.read_text(encoding="utf-8")
    assert len(named) > 50
    assert not [(place, what) for place, what in named if what not in texts[place]]


def test_files_beside_the_module_are_ignored(hasty, tmp_path):
    """Support code, checks, answers and modules with the names of libraries are the grader's own."""
    folder = tmp_path / "eve"
    for name, content in {**IGNORED, FILE: RIGHT.encode()}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    submission = read_submission(folder, "eve", hasty)
    assert [*submission.files] == [FILE]
    (record,) = grade_all([submission], hasty, SEED, tmp_path / "out")
    assert record.score == hasty.max_points


def mark(cell) -> dict:
    return cell.metadata.get("nbgrader", {})


def forge_output(notebook) -> None:
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [nbformat.v4.new_output("execute_result", {"text/plain": "28.0"})]


def raise_points(notebook) -> None:
    for cell in notebook.cells:
        if mark(cell).get("grade"):
            mark(cell)["points"] = 1000


def swap_ids(notebook) -> None:
    for cell in notebook.cells:
        if mark(cell):
            mark(cell)["grade_id"] = "question-cost"


def double_cells(notebook) -> None:
    notebook.cells = [cell for cell in notebook.cells for _ in "ab"]


def edit_checks(notebook) -> None:
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.source = "28.0"


def delete_cells(notebook) -> None:
    notebook.cells = notebook.cells[:1]


def strip_metadata(notebook) -> None:
    for cell in notebook.cells:
        cell.metadata = {}


def pile_up_cells(notebook) -> None:
    """20,000 cells, all with one name."""
    notebook.cells += [nbformat.v4.new_code_cell("1", id="one")] * 20_000


NOTEBOOKS = [
    forge_output,
    raise_points,
    swap_ids,
    double_cells,
    edit_checks,
    delete_cells,
    strip_metadata,
    pile_up_cells,
]


def test_notebooks_change_no_automatic_point(hasty, build, tmp_path):
    """Whatever is done to a notebook, the checks give what the module deserves, each row once."""
    released = (build / "student" / hasty.notebook_paths[0]).read_text(encoding="utf-8")
    submissions = []
    for change in NOTEBOOKS:
        notebook = nbformat.reads(released, as_version=4)
        change(notebook)
        content = json.dumps(notebook).encode()
        for text, kind in ((STUB, "stub"), (RIGHT, "right")):
            files = {FILE: text.encode(), hasty.notebook_paths[0]: content}
            submissions.append(Submission(f"{change.__name__} {kind}", files))
    records = grade_all(submissions, hasty, SEED, tmp_path)
    write_gradebook(hasty, records, tmp_path / "nbgrader")
    with open_gradebook(tmp_path / "nbgrader") as gradebook:
        for record in records:
            due = hasty.max_points if record.submission.id.endswith("right") else 0
            assert record.score == due
            found = gradebook.find_submission(hasty.name, record.submission.id)
            assert found.score == due
            assert len(found.notebooks[0].grades) == 11
