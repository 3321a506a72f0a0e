"""What makes a stamp not fit, and what is then tested in full."""

import json
from types import SimpleNamespace

import pytest
import verified
from costs import Costs

from exercise_code.support.checking.assignment import all_folders, find_assignment

CHECKS = """
from exercise_code.support.checking.declare import check

@check("{module}.double", points=1)
def doubles(code, case): ...
"""


@pytest.fixture
def course(tmp_path, monkeypatch):
    """Three made-up assignments, all verified; the last builds on the first and has the most checks."""
    monkeypatch.setattr(verified, "ROOT", tmp_path)
    monkeypatch.setattr("exercise_code.support.checking.assignment.ROOT", tmp_path)
    folder = tmp_path / "assignments"
    monkeypatch.setattr(verified, "find_assignment", lambda name: find_assignment(name, folder))
    engine = tmp_path / "exercise_code/support/checking"
    engine.mkdir(parents=True)
    for name in ("judge", "render"):
        (engine / f"{name}.py").write_text("")
    (tmp_path / "requirements.txt").write_text("torch==2\n")
    for name, builds_on in (("a01_one", ""), ("a02_two", ""), ("a03_three", '"a01"')):
        module = name.partition("_")[2]
        (tmp_path / f"exercise_code/{module}.py").write_text("def double(x): return 2 * x")
        own = folder / name
        (own / "tests").mkdir(parents=True)
        settings = f'title = ""\nnotebooks = ["n.ipynb"]\nmodules = ["{module}"]\nbuilds_on = [{builds_on}]\n'
        (own / "assignment.toml").write_text(settings)
        checks = CHECKS.format(module=module)
        more = checks.replace("double", "triple") if builds_on else ""
        (own / "checks.py").write_text(checks + more)
        for part in ("mistakes.py", "stand_ins.py", "tests/test_it.py", "notes.md"):
            (own / part).write_text("")
        cells = [{"cell_type": kind, "source": ["text"]} for kind in ("markdown", "code")]
        (own / "n.ipynb").write_text(json.dumps({"cells": cells}))
    for assignment in read(tmp_path):
        verified.write_stamp(assignment, "full", tests=7)
    return tmp_path


def read(root):
    return [find_assignment(path.name, root / "assignments") for path in all_folders(root / "assignments")]


def depths(root) -> str:
    """The first letters of the depths of the three."""
    return "".join(depth[0] for depth in verified.depths(read(root)).values())


@pytest.mark.parametrize(
    "file, expected",
    [
        ("exercise_code/two.py", "tfk"),
        ("exercise_code/one.py", "fkf"),
        ("assignments/a01_one/stand_ins.py", "fkf"),
        ("assignments/a01_one/mistakes.py", "fkk"),
        ("assignments/a02_two/checks.py", "tfk"),
        ("assignments/a02_two/new.py", "tfk"),
        ("assignments/a02_two/notes.md", "tkk"),
        ("assignments/a02_two/tests/test_it.py", "tkk"),
        ("exercise_code/support/checking/judge.py", "ftf"),
        ("requirements.txt", "ftf"),
        ("exercise_code/support/checking/render.py", "ttt"),
        ("exercise_code/support/cards.py", "ttt"),
    ],
)
def test_what_has_changed_is_tested_in_full(course, file, expected):
    assert depths(course) == "tkk"
    with (course / file).open("a") as stream:
        stream.write("\n# another line\n")
    assert depths(course) == expected


def test_words_of_a_notebook_change_nothing_and_its_code_does(course):
    path = course / "assignments/a02_two/n.ipynb"
    text = path.read_text()
    path.write_text(text.replace("text", "other words", 1))
    assert depths(course) == "tkk"
    path.write_text(text.replace('"code", "source": ["text"]', '"code", "source": ["other"]'))
    assert depths(course) == "tfk"


def test_a_new_engine_leaves_old_stamps_and_says_so(course):
    first, *_ = read(course)
    own = verified.own_hash(first)
    assert verified.is_verified(first)
    (course / "requirements.txt").write_text("torch==3\n")
    assert not verified.is_verified(first)
    assert verified.own_hash(first) == own == verified.read_stamp(first)["own"]


def test_a_draft_is_not_tested_in_full_for_the_engine(course):
    with (course / "assignments/a03_three/assignment.toml").open("a") as stream:
        stream.write("draft = true\n")
    for assignment in read(course):
        verified.write_stamp(assignment, "full", tests=7)
    (course / "requirements.txt").write_text("torch==3\n")
    assert depths(course) == "ftt"


def test_without_a_stamp_nothing_is_tested_in_full_unasked(course):
    """The end of a run says that it has never been: see `pytest_terminal_summary`."""
    for assignment in read(course):
        verified.stamp_path(assignment).unlink()
    assert depths(course) == "ttt"
    assert not any(map(verified.is_verified, read(course)))


def test_who_names_an_assignment_sees_it_tested(course):
    assert verified.depths(read(course), ["a02_two"])["a02_two"] == "touch"


def test_what_notebooks_use_besides_is_vouched_for_by_running_them(course):
    second = read(course)[1]
    before = verified.read_stamp(second)
    assert verified.due(second) is None
    (course / "exercise_code/support/cards.py").write_text("")
    assert verified.due(second) == "touch"
    verified.write_stamp(second, "touch", tests=3)
    assert verified.due(second) is None
    assert verified.read_stamp(second) == {**before, "rest": verified.rest_hash()}
    (course / "requirements.txt").write_text("torch==3\n")
    assert verified.due(second) == "full"


def test_a_stamp_says_what_was_passed(course):
    stamp = verified.read_stamp(read(course)[0])
    assert (stamp["tests"], stamp["seeds"], stamp["mutants_of_each_exercise"]) == (7, 200, 4)


@pytest.mark.parametrize(
    ("ran", "outcome", "passed"), [("ab", "passed", 2), ("a", "passed", None), ("ab", "failed", None)]
)
def test_an_interrupted_run_or_a_failed_test_gives_no_stamp(ran, outcome, passed):
    costs = Costs()
    costs.pytest_xdist_node_collection_finished(
        ids=[f"tests/contract/test_x.py::test[a01_one-{n}]" for n in "ab"]
    )
    for n in ran:
        for when in ("setup", "call", "teardown"):
            costs.pytest_runtest_logreport(
                SimpleNamespace(
                    nodeid=f"tests/contract/test_x.py::test[a01_one-{n}]",
                    outcome=outcome if when == "call" else "passed",
                    when=when,
                    user_properties=[("seconds of a core", 0.1)],
                )
            )
    assert costs.passed("a01_one") == passed
