"""Plain nbgrader and `workbook grade` give the same scores."""

import sys
from pathlib import Path

import nbformat
import pytest
from by_nbgrader import by_nbgrader, read_scores
from helpers import grade_all

from exercise_code.support.paths import ROOT
from grading.editions.made_up_class import with_mistake, without, write_submission
from grading.editions.student_files import strip_solutions
from grading.notebooks.kernelspec import OPTION
from grading.notebooks.nbgrader_course import CHECK_CELL
from grading.scores.gradebook import write_gradebook
from grading.submissions.collect import collect

SEED = 20261016
WRONG = {
    "half": ["one_loop_on_cpu", "no_loops_squared", "first_on_tie"],
    "mixed": ["two_loops_transposed", "no_loops_all_differences", "nearest_breaks_ties", "percentages"],
    "rough": ["one_loop_fixed_axes", "strikes_out_neighbours", "predict_forgets_k", "no_return"],
}


@pytest.fixture(scope="module")
def submitted(a01, build, tmp_path_factory) -> Path:
    """One right submission, one untouched, three wrong ones and one that stops half-way."""
    folder = tmp_path_factory.mktemp("parity") / "submissions"
    notebook = {a01.notebook_paths[0]: (build / "student" / a01.notebook_paths[0]).read_text()}
    right = {file: (ROOT / file).read_text() for file in a01.editable}
    stubs = {file: strip_solutions(text, file) for file, text in right.items()}
    by_name = {mistake.name: mistake for mistake in a01.mistakes}
    write_submission(folder / "right", right | notebook)
    write_submission(folder / "untouched", stubs | notebook)
    write_submission(folder / "unfinished", without(right, "knn.predict_labels") | notebook)
    for name, mistakes in WRONG.items():
        texts = right
        for mistake in mistakes:
            texts = with_mistake(texts, by_name[mistake])
        write_submission(folder / name, texts | notebook)
    return folder


@pytest.fixture(scope="module")
def ours(a01, submitted, tmp_path_factory):
    """Points by student and grade cell, and the scores in the gradebook."""
    out = tmp_path_factory.mktemp("ours")
    graded = grade_all(collect(submitted, a01).submissions(a01), a01, SEED, out)
    write_gradebook(a01, graded, out / "nbgrader")
    return graded, read_scores(a01, out / "nbgrader")


@pytest.fixture(scope="module")
def theirs(a01, submitted, build, tmp_path_factory):
    """The same from `nbgrader autograde` on the released course."""
    return by_nbgrader(a01, submitted, build, tmp_path_factory.mktemp("theirs") / "course", SEED)


def test_scores_are_equal_cell_by_cell(ours, theirs):
    assert ours[1] == theirs


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the warm kernel takes Linux")
def test_the_warm_kernel_gives_the_same_scores(a01, submitted, build, theirs, tmp_path):
    assert by_nbgrader(a01, submitted, build, tmp_path / "course", SEED, OPTION) == theirs


def test_scores_are_what_the_submissions_deserve(a01, ours):
    graded, scores = ours
    totals = {item.submission.id: item.score for item in graded}
    assert totals["right"] == a01.max_points
    assert totals["untouched"] == 0
    assert all(0 < totals[name] < a01.max_points for name in ("unfinished", *WRONG))
    for item in graded:
        assert sum(filter(None, scores[item.submission.id].values())) == item.score


def test_each_cell_holds_the_points_of_its_checks(a01, ours, build):
    graded, scores = ours
    notebook = nbformat.read(build / "nbgrader/release" / a01.name / a01.notebooks[0], as_version=4)
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("grade") and cell.cell_type == "code":
            exercise = CHECK_CELL.fullmatch(cell.source)[1]
            for item in graded:
                points = sum(v.points for v in item.verdicts if v.check.partition(":")[0] == exercise)
                assert scores[item.submission.id][cell.metadata.nbgrader.grade_id] == points


def test_untouched_answers_get_nothing_and_no_person_need_look(ours):
    for scores in ours[1].values():
        assert all(scores[name] == 0 for name in scores if name.startswith("question"))
