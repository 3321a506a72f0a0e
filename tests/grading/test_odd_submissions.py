"""Work under another name or in another place is found by what it defines, or the teacher is told."""

import dataclasses
import json

import pytest
from bs4 import BeautifulSoup
from helpers import grade_all, packed, write
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from exercise_code.support.checking.assignment import Assignment, find_assignment
from exercise_code.support.paths import ROOT
from grading.class_run import Settings, grade_class
from grading.course import CourseError
from grading.editions.student_files import strip_solutions
from grading.notebooks.with_verdicts import read_notebook
from grading.submissions import meant
from grading.submissions.collect import collect
from grading.submissions.meant import File
from grading.submissions.records import Submission

FILE, NOTEBOOK = "exercise_code/knn.py", "assignments/a01_knn/knn.ipynb"
RIGHT = (ROOT / FILE).read_bytes()
STUB = strip_solutions(RIGHT.decode(), FILE).encode()
PAGES = (ROOT / NOTEBOOK).read_bytes()
WORK = {FILE: RIGHT, NOTEBOOK: PAGES}
OTHER = "exercise_code/linear/linear_classifier.py"
VENV = {f".venv/lib/python3.12/site-packages/p/m{n}.py": b"" for n in range(6_000)}
KEYS = st.sampled_from(["cells", "metadata", "nbgrader", "grade_id", "source", "solution"])


def in_notebook() -> bytes:
    """The notebook with all functions in a cell of it."""
    notebook = json.loads(PAGES)
    notebook["cells"].append({"cell_type": "code", "metadata": {}, "source": RIGHT.decode(), "outputs": []})
    return json.dumps(notebook).encode()


ODD = {
    "browser's copies": ({"ada/knn (1).py": RIGHT, "ada/knn (1).ipynb": PAGES}, "was found as knn (1).py"),
    "browser's copy, Moodle": (
        {
            f"Ada L_7_assignsubmission_file/{name}": WORK[path]
            for name, path in (("knn (1).py", FILE), ("knn (1).ipynb", NOTEBOOK))
        },
        "was found as knn (1).py",
    ),
    "browser's copy and attempt, Canvas": (
        {"ada_7_900_knn (1)-1.py": RIGHT, "ada_7_901_knn (1)-1.ipynb": PAGES},
        "was found as knn (1).py",
    ),
    "own names": ({"ada/knn_Ada_final.py": RIGHT, "ada/knn-Ada.ipynb": PAGES}, "found as knn_Ada_final.py"),
    "capitals, Canvas": ({"ada_7_900_KNN.py": RIGHT, "ada_7_901_my knn.ipynb": PAGES}, "found as KNN.py"),
    "a name with a blank, Canvas": (
        {"ada_7_900_my knn.py": RIGHT, "ada_7_901_knn.ipynb": PAGES},
        "my knn.py",
    ),
    "a zip in a folder": ({"ada/a01_submission.zip": packed(WORK)}, ""),
    "a zip within a zip": ({"ada.zip": packed({"a01.zip": packed(WORK)})}, ""),
    "a zip in a zip in a folder": ({"ada/x.zip": packed({"a01.tar.gz": packed(WORK, "gz")})}, ""),
    "a zip in a Moodle folder": ({"Ada L_7_assignsubmission_file_/a01.zip": packed(WORK)}, ""),
    "a zip with .venv": (
        {"ada.zip": packed({f"a01/{name}": text for name, text in (VENV | WORK).items()})},
        "",
    ),
    "a folder with .venv": ({f"ada/a01/{name}": text for name, text in (VENV | WORK).items()}, ""),
    "some folders too deep": ({f"ada/Downloads/a01 (2)/x/{name}": text for name, text in WORK.items()}, ""),
    "without folders": ({"ada/knn.py": RIGHT, "ada/knn.ipynb": PAGES}, ""),
    "in another folder": (
        {"ada/src/knn.py": RIGHT, NOTEBOOK.replace("assign", "ada/assign"): PAGES},
        "src/knn.py",
    ),
    "a stub beside it": (
        {
            f"ada/a01/{FILE}": STUB,
            f"ada/a01_final/{FILE}": RIGHT,
            f"ada/a01/{NOTEBOOK}": PAGES,
        },
        "parts are written), a01/exercise_code/knn.py does not",
    ),
    "old and new": (
        {"ada/old/knn.py": STUB, "ada/new/knn.py": RIGHT, "ada/knn.ipynb": PAGES},
        "there are 2 versions of exercise_code/knn.py: new/knn.py counts",
    ),
    "the stub under its name": (
        {f"ada/{FILE}": STUB, "ada/knn_final.py": RIGHT, f"ada/{NOTEBOOK}": PAGES},
        "there are 2 versions of exercise_code/knn.py: knn_final.py counts",
    ),
    "one version twice": ({f"ada/a/{FILE}": RIGHT, f"ada/b/{FILE}": RIGHT, f"ada/{NOTEBOOK}": PAGES}, ""),
    "the wrong ending": ({"ada/knn.py.txt": RIGHT, "ada/knn.ipynb.json": PAGES}, "was found as knn.py.txt"),
    "backslashes": ({"ada.zip": packed({name.replace("/", "\\"): text for name, text in WORK.items()})}, ""),
    "a mark of byte order": ({f"ada/{FILE}": b"\xef\xbb\xbf" + RIGHT, f"ada/{NOTEBOOK}": PAGES}, ""),
    "another encoding": (
        {"ada/my.py": b"# -*- coding: latin-1 -*-\n# \xe4\n" + RIGHT, "ada/knn.ipynb": PAGES},
        "found as my.py",
    ),
    "an error under another name": (
        {"ada/nn.py": RIGHT + b"def f(:\n", "ada/knn.ipynb": PAGES},
        "found as nn.py",
    ),
    "the notebook only": ({"ada/knn.ipynb": PAGES}, "exercise_code/knn.py is missing"),
    "functions in the notebook": ({"ada/knn.ipynb": in_notebook()}, "predict_labels, which counts only in"),
    "of another assignment": ({f"ada/{OTHER}": (ROOT / OTHER).read_bytes()}, "this is what a02 asks for"),
    "a report only": ({"ada/report.pdf": b"%PDF"}, "not used: report.pdf"),
    "nothing": ({"ada/.DS_Store": b""}, "no other file is there"),
}
EMPTY = (
    "the notebook only",
    "functions in the notebook",
    "of another assignment",
    "a report only",
    "nothing",
)


@pytest.mark.parametrize("name", ODD)
def test_work_is_found_or_the_teacher_is_told(a01, tmp_path, name):
    files, told = ODD[name]
    write(tmp_path, files)
    if {path.partition("/")[0] for path in files} <= {"ada", "ada.zip"}:
        write(tmp_path / "zoe", WORK)
    found = next(collect(tmp_path, a01).submissions(a01))
    assert (FILE in found.files) == (name not in EMPTY)
    if FILE in found.files:
        assert RIGHT in found.files[FILE]
        assert found.files[NOTEBOOK] == PAGES
    assert told in " | ".join(found.notes) if told else not found.notes


def test_a_notebook_with_a_mark_of_byte_order_is_read():
    assert read_notebook(b"\xef\xbb\xbf" + PAGES) == read_notebook(PAGES) is not None


@pytest.fixture
def twins(a01, tmp_path, monkeypatch):
    """An assignment with two modules of one name, in a course of its own."""
    monkeypatch.setattr(meant, "ROOT", write(tmp_path / "course", METRICS))
    for known in (meant._asked, meant._exercises):
        known.cache_clear()
    modules = ["segmentation.metrics", "keypoints.metrics"]
    yield dataclasses.replace(a01, modules=modules, notebooks=[])
    for known in (meant._asked, meant._exercises):
        known.cache_clear()


METRICS = {
    "exercise_code/segmentation/metrics.py": b"def iou(a, b): return a\ndef mean_iou(a, b): return b\n",
    "exercise_code/keypoints/metrics.py": b"def pck(a, b): return a\ndef iou(a): return a\n",
}


@pytest.mark.parametrize("path", METRICS)
@pytest.mark.parametrize("cookie", [b"", b"# -*- coding: cp1252 -*-\n# \x84\n", b"\xef\xbb\xbf"])
def test_a_single_file_is_taken_once_and_as_the_right_one(twins, path, cookie):
    content = cookie + METRICS[path]
    taken, notes = meant.choose(twins, [File("metrics.py", len(content), lambda limit: content)])
    assert [*taken] == [path]
    (other,) = {*METRICS} - {path}
    assert f"{other} is missing" in notes


def test_a_file_that_may_be_either_is_taken_as_neither(twins):
    files = [File("metrics.py", 30, lambda limit: b"def helper(x): return x\n")]
    taken, notes = meant.choose(twins, files)
    assert not taken
    assert notes[0].startswith("metrics.py may be exercise_code/segmentation/metrics.py or")


def test_two_loose_files_of_one_name_find_their_places(twins):
    loose = {f"{number}/metrics.py": content for number, content in enumerate(METRICS.values())}
    files = [File(name, len(text), lambda limit, text=text: text) for name, text in loose.items()]
    taken, _ = meant.choose(twins, files)
    assert {path: file.content for path, file in taken.items()} == METRICS


def test_a_class_one_level_down_is_not_one_student(a01, tmp_path):
    for name in ("ada", "grace", "alan"):
        write(tmp_path / "export" / name, WORK)
    with pytest.raises(CourseError, match="holds the work of several: ada, alan, grace"):
        collect(tmp_path, a01)
    assert len(collect(tmp_path / "export", a01).found) == 3
    assert [each.id for each in collect(tmp_path, a01, kind="folders").found] == ["export"]


def test_a_platforms_export_one_level_down_is_named(a01, tmp_path):
    write(tmp_path / "export", {"ada_7_900_knn.py": RIGHT, "zoe_8_901_knn.py": RIGHT})
    with pytest.raises(CourseError, match="is what canvas gives: grade that folder"):
        collect(tmp_path, a01)


def test_one_student_alone_is_no_class(a01, tmp_path):
    write(tmp_path / "ada", WORK)
    assert [each.id for each in collect(tmp_path, a01).found] == ["ada"]


def test_one_missing_module_costs_its_own_exercises(tmp_path):
    """A stub takes its place, so what the other modules hold is graded."""
    a02 = find_assignment("a02")
    kept, *_ = a02.editable
    submission = Submission("ada", {kept: (ROOT / kept).read_bytes()})
    (record,) = grade_all([submission], a02, 3, tmp_path)
    module = kept.removeprefix("exercise_code/").removesuffix(".py").replace("/", ".")
    models = {check.id for check in a02.checks if check.target is not None}
    statuses = {verdict.check: verdict.status for verdict in record.verdicts if verdict.check not in models}
    own = {check: status for check, status in statuses.items() if check.startswith(f"{module}.")}
    assert {*own.values()} == {"passed"}
    assert {status for check, status in statuses.items() if check not in own} <= {"not_written", "blocked"}


def test_terminal_json_and_report_say_who_and_what(a01, tmp_path, capsys, monkeypatch):
    """A name that is not kept and a missing module are told wherever a teacher may look."""
    monkeypatch.setattr(Assignment, "experiment", None)
    write(tmp_path / "class", {"ada/knn (1).py": RIGHT, "ada/knn.ipynb": PAGES, "zoe/knn.ipynb": PAGES})
    told = {"ada": "exercise_code/knn.py was found as knn (1).py", "zoe": "exercise_code/knn.py is missing"}
    for as_json in (False, True):
        settings = Settings(tmp_path / "out", seed=1, workers=1, as_json=as_json)
        grade_class(a01, tmp_path / "class", settings, Console(soft_wrap=True, width=200))
        printed = capsys.readouterr().out
        assert all(sentence in printed for sentence in told.values())
        if as_json:
            *lines, done = map(json.loads, printed.splitlines())
            assert all(told[line["id"]] in line["notes"] for line in lines)
            assert {id: notes[0] for id, notes in done["notes"].items()} == told
    page = BeautifulSoup((tmp_path / "out/report.html").read_text(encoding="utf-8"), "html.parser")
    rows = {
        row.th.get_text(strip=True): row.td.get_text()
        for row in page.select("[aria-labelledby=files] tbody tr")
    }
    assert {*rows} == {*told} and all(told[id] in text for id, text in rows.items())
    entries = json.loads((tmp_path / "out/results.json").read_text())["submissions"]
    assert {entry["id"]: entry["score"] for entry in entries} == {"ada": 28, "zoe": 0}


@given(
    st.recursive(st.none() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(KEYS, x)),
    st.binary(max_size=200),
)
def test_arbitrary_content_is_read_as_nothing(tree, data):
    """What students write stops no collection, whatever it is."""
    for content in (
        json.dumps(tree).encode(),
        json.dumps({"cells": [tree, {"metadata": tree}]}).encode(),
        data,
    ):
        assert isinstance(meant.marked_cells(content), dict)
        assert isinstance(meant.definitions(content), dict)


def test_more_than_a_module_may_have_is_not_parsed():
    huge = b"x = [" + b"1," * 10**6 + b"]\n" + RIGHT
    assert File("my.py", len(huge), lambda limit: huge[: limit + 1]).content == b""
    assert File("my.py", 10, lambda limit: huge[: limit + 1]).content == b""
