"""Cells that wait for an exercise say so in one line, and nothing else is hidden."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell

from exercise_code.support.checking import run_check
from exercise_code.support.notebook import waiting
from exercise_code.support.notebook.waiting import Waiting

STUB = "class Toy:\n    def play(self):\n        raise NotImplementedError('Toy.play')\n"
PLACE = "exercise_code/toy.py, line 3"


@pytest.fixture
def toy(tmp_path, monkeypatch) -> Path:
    """The file of an exercise."""
    monkeypatch.setattr(waiting, "ROOT", tmp_path)
    monkeypatch.setattr(run_check, "EXERCISES", tmp_path / "exercise_code")
    path = tmp_path / "exercise_code" / "toy.py"
    path.parent.mkdir()
    path.write_text(STUB)
    return path


@pytest.fixture
def run(toy, capsys) -> Iterator[Callable[[str], str]]:
    """A shell that knows the exercise as `toy`; runs a cell and returns what it shows, an error or not."""
    shell, cells = InteractiveShell.instance(), Waiting()
    shell.set_custom_exc((Exception,), cells.show)

    def run(source: str) -> str:
        shell.user_ns["toy"] = {}
        exec(compile(toy.read_text(), toy, "exec"), shell.user_ns["toy"])
        cells.before_cell(source)
        result = shell.run_cell(source, store_history=True)
        cells.after_cell(result.success, result.execution_count)
        shown = capsys.readouterr().out.strip()
        assert result.success == ("Error" not in shown and "exercise_code" not in shown), "an error counts"
        return shown

    yield run
    InteractiveShell.clear_instance()


def test_an_unwritten_exercise_is_one_calm_sentence(run):
    assert run("toy['Toy']().play()") == f"toy.Toy.play is not written yet: {PLACE}"


@pytest.mark.parametrize(
    "needs",
    [
        "found",
        "print(found)",
        "def f():\n    return found\nf()",
        "[found for _ in 'a']",
        "len(seen[0])",
        "found = found",
    ],
)
def test_a_cell_that_needs_what_a_waiting_cell_would_have_made_says_which_cell(run, needs):
    run("seen = []\nfound = toy['Toy']().play()")
    name = "seen" if "seen" in needs else "found"
    line = f"needs {name} of cell [1]: write toy.Toy.play ({PLACE}), then run that cell again"
    assert run(needs) == line


def test_what_waits_for_a_waiting_cell_waits_too(run):
    run("first = toy['Toy']().play()")
    run("second = first + 1")
    assert run("first, second").startswith("needs first of cell [1]: write toy.Toy.play")
    assert run("second").startswith("needs second of cell [2]: write toy.Toy.play")


def test_once_the_cell_has_run_nothing_waits(run, toy):
    run("seen = toy['Toy']().play()")
    toy.write_text(STUB.replace("raise NotImplementedError('Toy.play')", "return []"))
    assert run("seen = toy['Toy']().play()") == ""
    assert "IndexError" in run("seen[0]") and "Traceback" in run("seen[0]")


@pytest.mark.parametrize(
    "source",
    [
        "raise NotImplementedError('mine')",
        "1 / 0",
        "unheard_of",
        "seen, unheard_of",
        "import nowhere_to_be_found; seen",
    ],
)
def test_other_errors_are_shown_in_full(run, source):
    run("seen = []; toy['Toy']().play()")
    assert "Traceback" in run(source)


def test_an_error_in_the_students_own_code_is_shown_in_full(run, toy):
    run("seen = 1; toy['Toy']().play()")
    toy.write_text(STUB.replace("raise NotImplementedError('Toy.play')", "return 1 / 0"))
    shown = run("seen; toy['Toy']().play()")
    assert "Traceback" in shown and "ZeroDivisionError" in shown


def test_a_cell_that_is_not_python_is_ipythons_matter(run):
    assert "SyntaxError" in run("found = (")
