"""A task says what an exercise asks for and links to its file."""

import pytest

from exercise_code.support.checking import AssignmentError, task
from exercise_code.support.checking.task import Task
from exercise_code.support.paths import ROOT


@pytest.mark.parametrize(
    ("exercise", "file", "signature"),
    [
        ("knn.compute_distances_no_loops", "knn.py", "compute_distances_no_loops(x_train, x_test)"),
        ("linear.features.colour_histogram", "linear/features.py", None),
        ("knn.KnnClassifier.predict", "knn.py", "KnnClassifier.predict(self, x_test, k=1)"),
    ],
)
def test_it_names_file_and_line_and_links_there_from_a_notebook(exercise, file, signature, a01, monkeypatch):
    monkeypatch.chdir(a01.folder)
    found = task(exercise)
    lines = (ROOT / "exercise_code" / file).read_text(encoding="utf-8").splitlines()
    assert lines[found.line - 1].strip().startswith(f"def {exercise.rpartition('.')[2]}(")
    assert signature in (found.signature, None)
    first, *_, last = found.docstring.splitlines()
    assert first in "".join(lines[found.line : found.line + 8])
    assert last.strip() in "".join(lines[found.line :])
    assert found.minutes > 0
    assert f"about {found.minutes} minutes" in found._repr_html_()
    assert f'href="../../exercise_code/{file}"' in found._repr_html_()
    assert repr(found).startswith(f"exercise_code/{file}, line {found.line} · about ")
    assert repr(found).endswith(found.docstring)


def test_markup_in_a_docstring_is_text():
    shown = Task("f(x)", "return <b>x</b>", ROOT / "exercise_code" / "knn.py", 3, 0)
    assert "&lt;b&gt;" in shown._repr_html_() and "&lt;b&gt;" in shown.to_html()
    assert "minutes" not in shown._repr_html_() + repr(shown)


@pytest.mark.parametrize("exercise", ["knn.nothing", "nothing.knn", "knn.KnnClassifier.nothing"])
def test_what_is_not_there_is_one_sentence(exercise):
    with pytest.raises(AssignmentError, match="nothing"):
        task(exercise)
