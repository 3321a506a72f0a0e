"""Every assignment: its source notebooks are clean as text, and can be resumed at each section."""

import ast
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import nbformat
import pytest
from ruff import find_ruff_bin

from exercise_code.support.checking.assignment import all_folders
from exercise_code.support.checking.headings import DEEP_END, HEADING
from exercise_code.support.notebook.predictions import VALUES
from exercise_code.support.notebook.self_tests import QUESTIONS, read_questions
from exercise_code.support.paths import ASSIGNMENTS
from grading.notebooks.nbgrader_course import REPOSITORY
from grading.notebooks.source_format import formatted

RESTART = "restart-"
RUN_EACH = """
import json, sys
for name, cells in json.load(sys.stdin).items():
    print(name, flush=True)
    names = {}
    for cell in cells:
        exec(cell, names)
"""


@pytest.fixture
def notebook(notebook_path) -> nbformat.NotebookNode:
    """That notebook."""
    return nbformat.read(notebook_path, as_version=4)


def tables_of(folder: Path) -> set[str]:
    """The names of the tables that an assignment works out by hand."""
    return {*tomllib.loads((folder / VALUES).read_text(encoding="utf-8"))}


def sections_of(notebook: nbformat.NotebookNode) -> dict[str, list[nbformat.NotebookNode]]:
    """The code cells that a student runs after a break in each section: set-up, restart, and what follows."""
    found: dict[str, list[nbformat.NotebookNode]] = {}
    first, *others = (cell for cell in notebook.cells if cell.cell_type == "code")
    current: list[nbformat.NotebookNode] = []
    for cell in others:
        if cell.id.startswith(RESTART):
            current = found.setdefault(cell.id, [first])
        current.append(cell)
    return found


@pytest.mark.vouched
def test_each_restart_cell_runs_behind_the_set_up_cell_alone(assignment, monkeypatch):
    """All in one process, each in names of its own; what it makes is what its section goes on with."""
    pairs = {
        f"{name}, {restart}": [cell.source for cell in cells[:2]]
        for name in assignment.notebooks
        for restart, cells in sections_of(nbformat.read(assignment.folder / name, as_version=4)).items()
    }
    assert len(pairs) > len(assignment.notebooks)
    monkeypatch.setenv("WORKBOOK_QUICK", "1")
    command = [sys.executable, "-c", RUN_EACH]
    run = subprocess.run(command, input=json.dumps(pairs), capture_output=True, text=True, cwd=ASSIGNMENTS)
    assert run.returncode == 0, run.stdout[-100:] + run.stderr


def test_a_restart_cell_brings_every_name_of_its_section(notebook, tmp_path):
    for name, cells in sections_of(notebook).items():
        (tmp_path / f"{name}.py").write_text("\n".join(cell.source for cell in cells), encoding="utf-8")
    command = [find_ruff_bin(), "check", "--isolated", "--select", "F821", "--output-format", "concise"]
    found = subprocess.run([*command, tmp_path], capture_output=True, text=True)
    assert found.returncode == 0, found.stdout


def test_every_section_has_a_restart_cell(notebook):
    """But for the first one, which brings its own imports, and the last one, which has no code."""
    headings = [place for place, cell in enumerate(notebook.cells) if re.match(r"## \d", cell.source)]
    for place, following in zip(headings[1:], [*headings[2:], len(notebook.cells)], strict=True):
        section = notebook.cells[place:following]
        code = [cell for cell in section if cell.cell_type == "code"]
        assert code[0].id.startswith(RESTART), section[0].source.splitlines()[0]


def test_a_notebook_is_no_larger_than_a_learner_can_finish(notebook):
    """At most 25 exercises, 300 minutes and about 100 cells; every section has its minutes in the title."""
    title = notebook.cells[0].source
    assert (
        sum(
            cell.metadata.get("nbgrader", {}).get("grade_id", "").startswith("check-")
            for cell in notebook.cells
        )
        <= 25
    )
    assert len(notebook.cells) <= 105
    minutes = dict(
        re.findall(r"(?:\((\d[\d.]*)\) [^,(]*?|looking back )(\d+)[,.]", title.split("**Minutes**")[1])
    )
    numbers = [found[1] for cell in notebook.cells if (found := re.match(r"## (\d[\d.]*) ", cell.source))]
    assert [*minutes] == [*numbers, ""]
    assert sum(map(int, minutes.values())) <= 300
    assert "**Afterwards you can**" in title and "**You need**" in title
    assert 1 <= len(re.findall(r"^\d\. ", title, flags=re.MULTILINE)) <= 5


def minutes_of_exercises(notebook: nbformat.NotebookNode) -> dict[str, list[tuple[str, int, bool]]]:
    """The exercises below each heading of a section: name, minutes, and whether they are on the core path."""
    section, found = "", {}
    for cell in notebook.cells:
        if cell.source.startswith("## "):
            section = cell.source.splitlines()[0]
        if cell.cell_type == "markdown" and (heading := HEADING.search(cell.source)):
            for name in heading[2].replace("`", "").split(", "):
                exercise = (name, int(heading[3]), DEEP_END not in heading[0])
                found.setdefault(section, []).append(exercise)
    return found


def test_the_core_path_takes_four_hours_and_needs_nothing_from_the_deep_end(assignment):
    notebooks = [nbformat.read(assignment.folder / name, as_version=4) for name in assignment.notebooks]
    exercises = [
        each for notebook in notebooks for part in minutes_of_exercises(notebook).values() for each in part
    ]
    assert sum(minutes for _, minutes, core in exercises if core) <= 240
    deep = tuple(f".{name}" for name, _, core in exercises if not core)
    for check in assignment.checks:
        if not check.exercise.endswith(deep or ("?",)):
            needed = [each for each in check.uses if each.endswith(deep or ("?",))]
            assert not needed, f"{check.exercise} is on the core path and uses {needed}"


def test_a_section_has_minutes_for_its_exercises_and_says_that_it_is_at_the_deep_end(notebook):
    title = notebook.cells[0].source
    printed = dict(re.findall(r"\((\d[\d.]*)\) [^,(]*?(\d+)[,.]", title.split("**Minutes**")[1]))
    total = core_path = 0
    for section, exercises in minutes_of_exercises(notebook).items():
        assert sum(minutes for _, minutes, _ in exercises) <= int(printed[section.split()[1]]), section
        assert section.endswith(DEEP_END) == (not any(core for *_, core in exercises)), section
        total += sum(minutes for _, minutes, _ in exercises)
        core_path += sum(minutes for _, minutes, core in exercises if core)
    if core_path < total:
        said = re.search(
            r"\*\*Core path\*\* (\d+) of (\d+) minutes of exercises, (\d+) of (\d+) in all;", title
        )
        in_all = sum(
            map(int, re.findall(r"(?:\) [^,(]*?|looking back )(\d+)[,.]", title.split("**Minutes**")[1]))
        )
        due = (core_path, total, in_all - total + core_path, in_all)
        assert said and tuple(map(int, said.groups())) == due, due


def test_every_cell_that_checks_an_exercise_is_graded(notebook):
    """nbgrader reads its marks alone: without them a check gives no points. Saved models are graded apart."""
    for cell in notebook.cells:
        if re.search(r'^check\("([\w.]+)"\)', cell.source, flags=re.MULTILINE) and cell.cell_type == "code":
            marks = cell.metadata.get("nbgrader", {})
            assert marks.get("grade") and marks.get("grade_id", "").startswith("check-"), cell.id


def test_the_notebooks_of_an_assignment_share_no_cell_but_what_is_written_for_them(assignment):
    cells: dict[str, str] = {}
    for name in assignment.notebooks:
        for cell in nbformat.read(assignment.folder / name, as_version=4).cells:
            if cell.id == "setup":
                assert cells.setdefault("setup", cell.source) == cell.source
            elif cell.id != "glossary":
                assert cells.setdefault(cell.id, name) == name, f"{cell.id} in {cells[cell.id]} and {name}"


def test_each_written_question_has_a_heading_with_its_number(assignment):
    """An outline and a screen reader reach it."""
    notebooks = [nbformat.read(assignment.folder / name, as_version=4) for name in assignment.notebooks]
    cells = [cell.source for notebook in notebooks for cell in notebook.cells]
    numbers = [int(number) for cell in cells for number in re.findall(r"^### Question (\d+)$", cell, re.M)]
    assert numbers == [*range(1, len(assignment.questions) + 1)]
    assert not [cell for cell in cells if "**Question" in cell]


def test_what_an_outline_should_show_is_a_heading(notebook):
    """A claim, the summary, the self-test and what comes next; a line in bold is no place to jump to."""
    cells = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    bold = r"\*\*(Tempting claim|What you have found|Test yourself|Next\b|Further reading)"
    assert [found[0] for cell in cells if (found := re.search(bold, cell))] == []
    headings = {title for cell in cells for title in re.findall(r"^###+ (.*)$", cell, re.MULTILINE)}
    assert {"What you have found", "Next"} <= headings


def test_tables_worked_out_by_hand_are_those_of_the_assignment(assignment):
    asked = set()
    for path in assignment.folder.glob("*.ipynb"):
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type == "code":
                calls = (node for node in ast.walk(ast.parse(cell.source)) if isinstance(node, ast.Call))
                asked |= {ast.literal_eval(c.args[0]) for c in calls if ast.unparse(c.func) == "by_hand"}
    assert asked == tables_of(assignment.folder), "on_paper.toml holds the tables that by_hand() asks for"


def calls_of(source: str, name: str) -> list[ast.Call]:
    """The calls of a function in a cell."""
    nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    return [node for node in nodes if ast.unparse(node.func) == name]


def test_each_prediction_of_an_assignment_has_a_name_of_its_own(assignment):
    names = [
        ast.literal_eval(call.args[0])
        for path in assignment.folder.glob("*.ipynb")
        for cell in nbformat.read(path, as_version=4).cells
        if cell.cell_type == "code"
        for call in calls_of(cell.source, "predict")
    ]
    assert len({*names}) == len(names), sorted(names)


def test_a_cell_that_reveals_tells_nothing_beforehand(notebook):
    """It is folded; no comment says what to expect, and no alternative text was written before the run."""
    for cell in notebook.cells:
        if cell.cell_type == "code" and calls_of(cell.source, "reveal"):
            assert cell.metadata.jupyter.source_hidden, cell.id
            assert "expect" not in "".join(re.findall("#.*", cell.source)), cell.id
            assert not calls_of(cell.source, "predict"), cell.id
            texts = [call.args[-1] for call in calls_of(cell.source, "show")]
            assert not [text for text in texts if isinstance(text, ast.Constant)], cell.id


def test_a_self_test_asks_all_its_questions_and_has_an_answer_to_each_option(assignment):
    """An assignment that has no questions yet asks none."""
    path = assignment.folder / QUESTIONS
    questions = read_questions(path) if path.exists() else []
    asked = {
        f"{name} {number}": letter
        for notebook in assignment.notebooks
        for cell in nbformat.read(assignment.folder / notebook, as_version=4).cells
        if cell.cell_type == "code"
        for call in calls_of(cell.source, "self_test")
        for name, answers in [map(ast.literal_eval, call.args)]
        for number, letter in answers.items()
    }
    assert asked == dict.fromkeys(each.name for each in questions)
    for each in questions:
        assert len(each.options) >= 2 and each.right in each.options, each.name
        for texts in (each.options, each.replies):
            assert all(texts.values()) and len({*texts.values()}) == len(texts), each.name
        assert all(20 <= len(reply) <= 160 for reply in each.replies.values()), each.name
    assert not questions or len({each.right for each in questions}) > 1


def test_no_two_self_tests_have_one_name():
    names = [each.name for path in ASSIGNMENTS.glob(f"*/{QUESTIONS}") for each in read_questions(path)]
    assert len({*names}) == len(names) > 0


def test_no_two_assignments_have_a_table_of_one_name(assignment):
    for other in all_folders():
        shared = tables_of(other) & tables_of(assignment.folder)
        assert other == assignment.folder or not shared, f"{other.name} has {shared} as well"


def test_it_is_stored_so_that_a_diff_reads(notebook_path):
    text = notebook_path.read_text(encoding="utf-8")
    assert text == formatted(text), "run `workbook format`"


def test_ids_of_cells_are_readable(notebook):
    ids = [cell.id for cell in notebook.cells]
    assert all(re.fullmatch(r"[a-z][a-zA-Z0-9_-]{2,}", id) for id in ids)
    assert len({*ids}) == len(ids)


def test_an_assignment_imports_no_other_assignment(assignment):
    files = [*assignment.folder.glob("*.ipynb"), *assignment.folder.rglob("*.py")]
    for file in files:
        named = set(re.findall(r"assignments[./](a\d\d\w*)", file.read_text(encoding="utf-8")))
        assert named <= {assignment.name}, file


def test_no_wall_of_text_or_code(notebook):
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert len(cell.source.splitlines()) <= 25, cell.id
        else:
            assert len(cell.source.split("<details>")[0].split()) <= 150, cell.id


def test_pictures_have_alternative_text(notebook):
    for cell in notebook.cells:
        assert "![](" not in cell.source
        assert cell.source.count("<img") == cell.source.count("alt=")
        if cell.cell_type == "code":
            assert cell.source.count("show(") == cell.source.count("alt=") or "plt.show" not in cell.source


def test_the_set_up_cell_has_a_place_for_the_courses_address(notebook):
    assert sum(len(REPOSITORY.findall(cell.source)) for cell in notebook.cells) == 1
