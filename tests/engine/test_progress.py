"""How far one has come is read from the checks and the notebooks, and remembered."""

import json
import re
import shutil

import pytest
from bs4 import BeautifulSoup
from helpers import tiny_assignment
from playwright.sync_api import sync_playwright

from exercise_code.support import progress as module
from exercise_code.support import reveal
from exercise_code.support.checking import headings
from exercise_code.support.checking.judge import Verdict
from exercise_code.support.checking.student_check import Verdicts
from exercise_code.support.progress import Exercise, Progress, progress


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A project with one tiny assignment, whose checks pass; how often they ran is counted."""
    tiny = tiny_assignment(tmp_path / "assignments")
    (tmp_path / "exercise_code").mkdir()
    (tmp_path / "exercise_code/autograd_study.py").write_text("written")
    runs = []

    def checked(assignment, checks):
        runs.append(assignment.name)
        text = (tmp_path / "exercise_code/autograd_study.py").read_text()
        return Verdicts([Verdict("autograd_study.converged_at", "", 2, STATUSES[text])])

    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(headings, "ROOT", tmp_path)
    monkeypatch.setattr(module, "MEMORY", tmp_path / ".progress.json")
    monkeypatch.setattr(module, "checked", checked)
    monkeypatch.setattr(module, "all_folders", lambda: [tiny.folder])
    monkeypatch.setattr(reveal, "TRIES", tmp_path / ".tries.json")
    monkeypatch.setattr(module, "find_assignment", {"a90": tiny}.get)
    monkeypatch.chdir(tiny.folder)
    return tmp_path, runs


STATUSES = {"written": "passed", "stub": "not_written", "bad": "failed"}


@pytest.mark.parametrize(
    ("text", "state", "left"),
    [
        ("written", "done", ""),
        ("stub", "to do", "about 5 minutes left"),
        ("bad", "wrong", "about 5 minutes left"),
    ],
)
def test_states_minutes_and_the_next_cell_are_told(here, text, state, left):
    folder, _ = here
    (folder / "exercise_code/autograd_study.py").write_text(text)
    found = progress()
    notebook = "assignments/a90_tiny/tiny.ipynb"
    assert found == Progress(
        {"a90_tiny": [Exercise("Exercise 1 · converged_at", 5, state, notebook, "ex-one")]}
    )
    assert f"1 {state}" in repr(found)
    assert (left in repr(found)) and (left in found._repr_html_())
    table = BeautifulSoup(found._repr_html_(), "html.parser").select_one("[role=table]")
    assert all(
        row["role"] == "row" and len(row.select("[role=cell]")) == 3 for row in table("div", recursive=False)
    )
    assert ("go on" in repr(found)) == (state != "done")
    assert 'href="tiny.ipynb#cell-id=ex-one"' in found._repr_html_()


def test_checks_run_again_only_where_something_has_changed(here):
    folder, runs = here
    assert progress() == progress("a90")
    assert runs == ["a90_tiny"]
    (folder / "exercise_code/autograd_study.py").write_text("bad")
    assert progress().exercises["a90_tiny"][0].state == "wrong"
    (folder / "assignments/a90_tiny/checks.py").write_text("")
    progress()
    assert runs == ["a90_tiny"] * 3
    module.MEMORY.write_text("[1, 2")
    progress()
    module.MEMORY.write_text("[]")
    progress()
    assert runs == ["a90_tiny"] * 5


@pytest.mark.parametrize("damage", ["{", "[]", '{"cells": 3}', '{"cells": [3, {"source": "x"}]}', None])
def test_a_damaged_notebook_loses_no_exercise(here, damage):
    folder, _ = here
    path = folder / "assignments/a90_tiny/tiny.ipynb"
    path.unlink() if damage is None else path.write_text(damage)
    (exercise,) = progress().exercises["a90_tiny"]
    assert (exercise.title, exercise.minutes, exercise.cell) == ("autograd_study.converged_at", 0, "")
    assert exercise.link == "tiny.ipynb"


CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.mark.skipif(CHROMIUM is None, reason="there is no browser: apt-get install chromium")
@pytest.mark.parametrize("width", [260, 800])
def test_bars_have_colours_and_titles_have_room_in_any_width(width):
    each = [
        Exercise(f"Exercise {number} · compute_distances_two_loops", 10, state, "a.ipynb", "x", core=False)
        for number, state in enumerate(("done", "wrong", "to do"))
    ]
    with sync_playwright() as player:
        browser = player.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": width, "height": 800})
        page.set_content(Progress({"a01_knn": each})._repr_html_() * 2)
        look = "each => each.map(e => [getComputedStyle(e).backgroundColor, e.getBoundingClientRect().width])"
        grounds = [ground for ground, _ in page.eval_on_selector_all(".bar i", look)]
        titles = [room for _, room in page.eval_on_selector_all("div > div > span:nth-child(2)", look)]
        across = page.evaluate("document.documentElement.scrollWidth")
        browser.close()
    assert len({*grounds}) == 3 and across <= width
    assert min(titles) > 0.35 * width


@pytest.mark.parametrize("damage", [None, "{"])
def test_a_solution_that_was_shown_is_told(here, damage):
    folder, _ = here
    if damage:
        (folder / "assignments/a90_tiny/tiny.ipynb").write_text(damage)
    known = {"autograd_study.converged_at": "2026-10-01", "autograd_study.grad_of": ""}
    tries = {exercise: {"wrong": ["x"], "shown": shown} for exercise, shown in known.items()}
    assert "shown" not in repr(progress())
    reveal.TRIES.write_text(json.dumps(tries))
    found = progress()
    (exercise,) = found.exercises["a90_tiny"]
    assert exercise.label.endswith("converged_at · solution shown")
    two = Progress({"a90": [exercise, exercise], "a91": [exercise], "a92": []})
    for shown in (repr(two), two._repr_html_()):
        assert ", 2 solutions shown" in shown and ", 1 solution shown" in shown


def test_several_assignments_are_counted_and_one_is_listed():
    first = [
        Exercise("Exercise 1 · f", 10, "done", "a.ipynb", "x"),
        Exercise("Exercise 2 · g", 5, "wrong", "a.ipynb", "y"),
    ]
    second = [Exercise("Exercise 1 · h", 20, "to do", "b.ipynb", "z")]
    both = repr(Progress({"a01": first, "a02": second}))
    assert "f" not in re.findall(r"· (\w)", both)
    assert both.index("about 5 minutes left") < both.index("about 20 minutes left")
    assert re.findall(r"· (\w)", repr(Progress({"a01": first}))) == ["f", "g", "g"]


def test_the_core_path_comes_first_and_its_minutes_are_told_apart():
    core, deep = (
        ("Exercise 2 · g", 5, "to do", "a.ipynb", "y"),
        ("Exercise 1 · f", 10, "to do", "a.ipynb", "x"),
    )
    both = Progress({"a01": [Exercise(*deep, core=False), Exercise(*core)]})
    for shown in (repr(both), both._repr_html_()):
        assert "about 5 minutes left on the core path, 15 in all" in shown
        assert "Exercise 1 · f · deep end" in shown
    assert "go on: Exercise 2 · g\n" in repr(both)
    only_deep = repr(Progress({"a01": [Exercise(*deep, core=False)]}))
    assert "about 0 minutes left on the core path, 10 in all" in only_deep
    assert "go on: Exercise 1 · f" in only_deep


def test_a_heading_says_what_lies_at_the_deep_end(here):
    folder, _ = here
    path = folder / "assignments/a90_tiny/tiny.ipynb"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("easy · about 5", "easy · deep end · about 5"), encoding="utf-8")
    (exercise,) = progress().exercises["a90_tiny"]
    assert (exercise.core, exercise.minutes) == (False, 5)


def test_every_exercise_of_the_course_has_a_heading_with_its_minutes(assignment, monkeypatch):
    states = {check.exercise: "to do" for check in assignment.checks}
    monkeypatch.setattr(module, "_states", lambda assignment: dict(states))
    found = module._exercises(assignment)
    assert len(found) == len(states)
    for exercise in found:
        assert exercise.minutes > 0, exercise
        assert exercise.cell
