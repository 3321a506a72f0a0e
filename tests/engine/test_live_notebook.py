"""Edited modules count at once, and only as they are, in real kernels."""

import contextlib
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from exercise_code.support.checking import run_check
from exercise_code.support.checking.reloading import Reloader

SET_UP = """
import sys
sys.path.insert(0, ".")
from exercise_code.support.notebook.setup import setup
setup()
"""


@contextlib.contextmanager
def kernel(folder: Path) -> Iterator[Callable[[str], str]]:
    """A kernel in a folder; the function runs a cell and returns all that it shows, without links."""
    notebook = nbformat.v4.new_notebook()
    resources = {"metadata": {"path": str(folder)}}
    client = NotebookClient(notebook, timeout=120, allow_errors=True, resources=resources)

    def run(source: str) -> str:
        notebook.cells.append(nbformat.v4.new_code_cell(source))
        cell = client.execute_cell(notebook.cells[-1], len(notebook.cells) - 1)
        shown = [output.get("text") or output.get("data", {}).get("text/html") for output in cell.outputs]
        errors = ["\n".join(output.get("traceback", [])) for output in cell.outputs]
        plain = [output.get("data", {}).get("text/plain", "") for output in cell.outputs]
        return re.sub("</?a[^>]*>", "", "\n".join(filter(None, [*shown, *errors, *plain])))

    with client.setup_kernel():
        yield run


@pytest.fixture(scope="module")
def course(build, tmp_path_factory) -> Path:
    """A student's copy of a01."""
    return shutil.copytree(build / "student", tmp_path_factory.mktemp("course") / "course")


@pytest.fixture(scope="module")
def run(course) -> Iterator[Callable[[str], str]]:
    """A kernel in which the notebook has been set up, and check has been imported."""
    with kernel(course) as run:
        assert "PyTorch" in run(SET_UP)
        run("from exercise_code import knn\nfrom exercise_code.support.checking import check")
        yield run


@pytest.fixture
def module(course) -> Iterator[Path]:
    """The module that is edited, as it was released."""
    path = course / "exercise_code" / "knn.py"
    released = path.read_bytes()
    yield path
    path.write_bytes(released)


def solve(module: Path) -> str:
    """Write the reference into the module; returns its text."""
    text = (run_check.EXERCISES / "knn.py").read_text(encoding="utf-8")
    module.write_text(text, encoding="utf-8")
    return text


CHECK = 'check("knn.compute_distances_two_loops")'


def test_a_saved_function_counts_at_once_under_every_name(run, module):
    run("from exercise_code.knn import compute_distances_two_loops as by_name")
    assert "not written yet: exercise_code/knn.py, line 28" in run(CHECK)
    solve(module)
    assert "3 of 3" in run(CHECK)
    assert "True" in run("by_name is knn.compute_distances_two_loops")


def test_what_is_not_written_yet_unfolds_to_its_task_and_once_an_exercise(run, module):
    shown = run('check("knn.compute_distances_two_loops")')
    assert shown.count("<details") == 1 and "what it asks for · about" in shown
    assert "Euclidean" in shown.partition("<details")[2]
    solve(module)
    assert "<details" not in run('check("knn.compute_distances_two_loops")')


def test_a_cell_that_saves_and_checks_sees_what_it_has_saved(run, module):
    text = module.read_text(encoding="utf-8")
    wrong = text.replace('raise NotImplementedError("compute_distances_two_loops")', "return nowhere")
    run(f"from pathlib import Path; text = {wrong!r}")
    shown = run(f'Path("exercise_code/knn.py").write_text(text); {CHECK}')
    assert "nowhere" in shown


def test_lines_are_right_after_every_save(run, module):
    text = module.read_text(encoding="utf-8")
    stub = 'raise NotImplementedError("compute_distances_two_loops")'
    for blank in range(3):
        module.write_text(text.replace(stub, "\n" * blank + "    return nowhere"), encoding="utf-8")
        line = 1 + next(i for i, it in enumerate(module.read_text().splitlines()) if "nowhere" in it)
        assert f"(knn.py, line {line})" in run(CHECK)


def test_a_module_that_cannot_be_imported_any_more_has_no_verdict(run, module):
    text = solve(module)
    assert "3 of 3" in run(CHECK)
    module.write_text("import not_installed\n" + text, encoding="utf-8")
    for _ in range(2):
        shown = run(CHECK)
        assert "0 of 3" in shown and "3 of 3" not in shown
        assert "No module named &#x27;not_installed&#x27; (knn.py, line 1)" in shown
    module.write_text(text, encoding="utf-8")
    assert "3 of 3" in run(CHECK)


def test_a_syntax_error_is_told_in_one_line_and_cells_go_on_with_what_was_there(run, module):
    text = solve(module)
    run("knn")
    module.write_text(text + "\nbroken = (\n", encoding="utf-8")
    shown = run("knn.compute_distances_two_loops.__name__")
    assert shown.count("SyntaxError") == 1 and "Traceback" not in shown
    assert "(knn.py, line" in shown and "'compute_distances_two_loops'" in shown


def test_a_function_that_is_gone_from_the_file_is_gone(run, module):
    text = solve(module)
    assert "3 of 3" in run(CHECK)
    module.write_text(text.replace("def compute_distances_two_loops", "def renamed"), encoding="utf-8")
    assert "put its first line back" in run(CHECK)


def test_an_endless_loop_ends_after_the_limit_and_rows_come_before_that(run, module):
    settings = module.parent.parent / "assignments/a01_knn/assignment.toml"
    before = settings.read_text()
    settings.write_text(before.replace("seconds_per_check = 10", "seconds_per_check = 3"))
    text = solve(module)
    loop = "    while True:\n        pass\n"
    start = text.index("def predict_labels")
    module.write_text(text[:start] + text[start:].replace("    ### BEGIN SOLUTION\n", loop, 1))
    run("""
from exercise_code.support.checking import as_they_come
seen, to_html = [], as_they_come.to_html
as_they_come.to_html = lambda verdicts, notes: seen.append(notes) or to_html(verdicts, notes)
""")
    try:
        shown = run("check('knn.predict_labels:ties')")
    finally:
        settings.write_text(before)
    assert "checking knn.predict_labels:ties" in run("seen[0]")
    assert "too slow" in shown and "it took longer than 3 seconds (knn.py, line" in shown
    assert "checking knn" not in shown


def test_what_the_notebook_defines_does_not_count_and_says_so(run, module):
    solve(module)
    run("def own(x_train, x_test): return knn.compute_distances_no_loops(x_train, x_test)")
    run("knn.compute_distances_two_loops = own")
    shown = run(CHECK)
    assert "0 of 3" in shown
    assert "this is defined in the notebook, and only exercise_code/knn.py is handed in" in shown


def test_an_unwritten_exercise_that_the_notebook_defines_is_told_why(run, module):
    run("def compute_distances_two_loops(x_train, x_test): return 1")
    assert "line 28; what the notebook defines is not handed in" in run(CHECK)
    run("del compute_distances_two_loops")
    assert "what the notebook defines" not in run(CHECK)


def test_a_file_that_starts_with_a_byte_order_mark_is_read(run, module):
    module.write_text(solve(module), encoding="utf-8-sig")
    assert "3 of 3" in run(CHECK)


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1"])
def test_a_file_in_another_encoding_is_told_what_to_do(run, module, encoding):
    module.write_text(f"# é\n{solve(module)}", encoding=encoding)
    assert "knn.py is not text in UTF-8: save it again as UTF-8" in run(CHECK)


@pytest.mark.parametrize("cell", ["check('a77')", "from exercise_code.support.data import load; load('x')"])
def test_a_request_that_cannot_be_met_is_one_sentence_in_a_notebook(run, cell):
    shown = run(cell)
    assert "there " in shown and "Traceback" not in shown and shown.count("\n") == 0


@pytest.mark.parametrize(
    "cell", ["from exercise_code.support.progress import progress; progress()", f"print(repr({CHECK}))"]
)
def test_no_empty_output_stands_above_a_table(run, cell):
    shown = run(cell)
    assert "compute_distances_two_loops" in shown and "<pre" not in shown and "\x1b" not in shown


def test_nothing_is_red_where_ipywidgets_is_not_installed(course):
    with kernel(course) as run:
        run("import sys; sys.modules['ipywidgets'] = None")
        run(SET_UP)
        shown = run(
            "from exercise_code.support import data; data.available('cifar10'), 'tqdm.auto' in sys.modules"
        )
    assert "Warning" not in shown and ", True)" in shown


def test_setting_up_twice_reloads_once(run, module):
    run(SET_UP)
    module.write_text(module.read_text() + "\nprint('imported anew')\n", encoding="utf-8")
    assert run("0").count("imported anew") == 1


def test_stand_ins_that_others_build_on_outlast_an_edit(run, module):
    text = module.read_text(encoding="utf-8")
    shown = run('from exercise_code.support.checking import build_on\nbuild_on("a01")')
    assert "predict_labels" in shown
    labels = "import torch; knn.predict_labels(torch.ones(2, 1), torch.tensor([4, 4])).tolist()"
    assert run(labels) == "[4]"
    module.write_text(text + "\n# edited\n", encoding="utf-8")
    assert run(labels) == "[4]"
    module.write_text(text.replace("class KnnClassifier", "class Renamed"), encoding="utf-8")
    assert run(labels) == "[4]"
    module.write_text(text, encoding="utf-8")
    assert "stand_ins" in run("knn.KnnClassifier.predict.__module__")
    run("from exercise_code.support.checking.replace import keep_in_place\nkeep_in_place([])")
    assert "predict_labels is not written yet" in run(labels)


@pytest.fixture
def package(tmp_path, monkeypatch) -> Iterator[Path]:
    """A package of three modules, of which `upper` imports `lower`, to be edited."""
    folder = tmp_path / "made_up"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "lower.py").write_text("SCALE = 1\ndef f(): return SCALE\nclass Base: pass\n")
    (folder / "upper.py").write_text("from made_up.lower import SCALE, Base\nclass Above(Base): pass\n")
    (folder / "other.py").write_text("here = object()\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(run_check, "EXERCISES", folder)
    yield folder
    for name in [name for name in sys.modules if name.partition(".")[0] == "made_up"]:
        del sys.modules[name]


def test_modules_that_import_an_edited_one_are_imported_anew_and_others_are_not(package):
    from made_up import lower, other, upper

    reloader, here = Reloader(package), other.here
    namespace = {"f": lower.f, "Above": upper.Above, "lower": lower, "five": 5}
    (package / "lower.py").write_text("SCALE = 23\ndef f(): return SCALE\nclass Base: new = True\n")
    reloader.refresh(namespace)
    assert namespace["f"]() == upper.SCALE == 23
    assert namespace["Above"] is upper.Above and upper.Above.new
    assert namespace["lower"] is lower and other.here is here


def test_what_imports_a_broken_module_is_broken_too_and_both_heal(package):
    from made_up import lower, upper

    reloader = Reloader(package)
    (package / "lower.py").write_text("SCALE = 2\nimport not_installed\n")
    for _ in range(2):
        reloader.refresh()
        told = "ModuleNotFoundError: No module named 'not_installed' (lower.py, line 2): "
        told += "import only what requirements.txt names"
        assert reloader.faults == {"made_up.lower": told, "made_up.upper": told}
        assert reloader.fault("made_up.upper") == told and reloader.fault("made_up.other") == ""
    assert lower.f() == upper.SCALE == 1
    (package.parent / "not_installed.py").touch()
    (package / "lower.py").write_text("import not_installed\nSCALE, Base = 2, object\n")
    reloader.refresh()
    assert reloader.faults == {} and upper.SCALE == 2


def test_a_save_of_the_same_length_within_a_second_counts(package):
    from made_up import lower

    reloader = Reloader(package)
    for number in range(2, 6):
        (package / "lower.py").write_text(f"def f(): return {number}\n")
        reloader.refresh()
        assert lower.f() == number


def test_modules_that_import_each_other_are_reloaded(package):
    (package / "lower.py").write_text("import made_up.upper\nSCALE = 1\n")
    (package / "upper.py").write_text("import made_up.lower\n")
    from made_up import lower

    reloader = Reloader(package)
    (package / "lower.py").write_text("import made_up.upper\nSCALE = 22\n")
    reloader.refresh()
    assert lower.SCALE == 22 and not reloader.faults


def test_a_deleted_module_is_said_to_be_missing(package):
    import made_up.lower

    reloader = Reloader(package)
    (package / "lower.py").unlink()
    reloader.refresh()
    assert reloader.fault("made_up.lower") == "lower.py is missing" and made_up.lower.SCALE == 1
