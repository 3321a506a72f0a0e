"""Every assignment: its student edition gives nothing away, and its notebooks run where nothing else is."""

import shutil

import nbformat
import pytest
from by_nbgrader import by_nbgrader, read_scores
from helpers import grade_all
from nbclient import NotebookClient

from exercise_code.support.paths import ROOT
from grading.editions.made_up_class import reference_models, with_mistake, write_submission
from grading.editions.release import leaks
from grading.scores.gradebook import write_gradebook
from grading.submissions.collect import collect

LARGEST_ANSWERS = 2 * 10**6
SEED = 20261128


def test_the_edition_scores_nothing_empty_and_all_when_solved(assignment, released):
    """As `release` itself demands: it makes no edition that would not."""
    edition = released(assignment) / "student"
    assert leaks([*assignment.earlier, assignment], edition) == []
    assert assignment.answers_path.name in [
        p.name for p in (edition / "assignments" / assignment.name).iterdir()
    ]


def test_the_answers_are_small_enough_for_a_repository(assignment, released):
    answers = released(assignment) / "student/assignments" / assignment.name / assignment.answers_path.name
    assert answers.stat().st_size < LARGEST_ANSWERS


def test_plain_nbgrader_can_judge_what_an_assignment_builds_on(assignment, released):
    folder = released(assignment) / "nbgrader/release" / assignment.name / "assignments"
    for each in (*assignment.earlier, assignment):
        assert (folder / each.name / each.answers_path.name).is_file(), each.name


def test_plain_nbgrader_gives_the_same_points(assignment, depth, released, tmp_path):
    """To the solution, and to one in which every third exercise is done as in one of its mistakes."""
    if depth in ("kept", "touch"):
        pytest.skip("tested in full only")
    build, submitted = released(assignment), tmp_path / "submitted"
    right = {file: (ROOT / file).read_text() for file in assignment.editable}
    notebooks = {
        path: (build / "student" / path).read_text(encoding="utf-8") for path in assignment.notebook_paths
    }
    wrong = right
    for mistake in [*{mistake.exercise: mistake for mistake in assignment.mistakes}.values()][::3]:
        wrong = with_mistake(wrong, mistake)
    for name, texts in {"right": right, "wrong": wrong}.items():
        write_submission(submitted / name, texts | notebooks)
        for path, content in reference_models(assignment).items():
            (submitted / name / path).parent.mkdir(exist_ok=True)
            (submitted / name / path).write_bytes(content)
    graded = grade_all(
        collect(submitted, assignment).submissions(assignment), assignment, SEED, tmp_path / "ours"
    )
    write_gradebook(assignment, graded, tmp_path / "nbgrader")
    right_one, wrong_one = graded
    assert right_one.score == assignment.max_points > wrong_one.score > 0
    ours = read_scores(assignment, tmp_path / "nbgrader")
    theirs = by_nbgrader(assignment, submitted, build, tmp_path / "course", SEED)
    assert ours.keys() == theirs.keys()
    for student, points in ours.items():
        odd = {
            cell: (points[cell], theirs[student][cell])
            for cell in points
            if points[cell] != theirs[student][cell]
        }
        assert not odd, student


@pytest.fixture
def solved(assignment, depth, released, tmp_path, monkeypatch):
    """Where the solutions are: the repository or, tested in full, the edition with them in it, alone."""
    monkeypatch.setenv("WORKBOOK_QUICK", "1")
    if depth == "touch":
        return ROOT
    for name in ("WORKBOOK_DATA", "PYTHONPATH"):
        monkeypatch.delenv(name, raising=False)
    edition = shutil.copytree(released(assignment) / "student", tmp_path / "edition")
    for each in (*assignment.earlier, assignment):  # who gets here has written what it builds on
        for name in each.editable:
            shutil.copy(ROOT / name, edition / name)
    for name, content in reference_models(assignment).items():
        (edition / name).parent.mkdir(exist_ok=True)
        (edition / name).write_bytes(content)
    return edition


@pytest.mark.vouched
def test_the_solution_runs_in_quick_mode_in_a_fresh_kernel(assignment, notebook_path, solved):
    folder = solved / "assignments" / assignment.name
    executed = nbformat.read(folder / notebook_path.name, as_version=4)
    NotebookClient(executed, timeout=120, resources={"metadata": {"path": str(folder)}}).execute()
    for cell in executed.cells:
        if cell.cell_type == "code":
            assert not [output for output in cell.outputs if output.get("name") == "stderr"], cell.id
        if cell.metadata.get("nbgrader", {}).get("grade") and cell.cell_type == "code":
            assert float(cell.outputs[-1]["data"]["text/plain"]) > 0
