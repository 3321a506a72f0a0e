"""Evidence and notebooks that no honest submission has: none ends the grader, or earns a point."""

import copy
import json
import math
import struct

import nbformat
import pytest
import torch

from exercise_code.support.checking import exercise_source
from exercise_code.support.checking.answers import make_answers
from exercise_code.support.checking.assignment import all_folders, read_assignment
from exercise_code.support.checking.compare import unlike
from exercise_code.support.checking.evidence import Evidence, dumps
from exercise_code.support.checking.judge import Verdict
from exercise_code.support.checking.run_check import gather
from grading.notebooks.nbgrader_course import with_points
from grading.notebooks.with_verdicts import exercises_by_cell, read_notebook, with_verdicts
from grading.pages.feedback import feedback_page
from grading.pages.report import ClassReport
from grading.running.check_process import _evidence
from grading.running.grader import judge_submission
from grading.submissions.records import Gathered, Submission
from hostile.attacks import CHECK, FILE, RIGHT

GROWING = "knn.compute_distances_no_loops"
LABELS = "labels for k=1"


@pytest.fixture(scope="module")
def answers(a01):
    return make_answers(a01.checks, [], seed=7)


def first(**changes):
    return lambda tree: tree["runs"]["float32"].update(changes)


def large(**changes):
    return lambda tree: tree["runs"]["large"].update(changes)


def nested(depth):
    return [nested(depth - 1)] if depth else 0


def laws_of(folder):
    return [check for check in read_assignment(folder).checks if check.law]


TREES = {
    "one run and an empty error": lambda tree: tree.update(
        runs={"float32": {**tree["runs"]["float32"], "error": ""}}
    ),
    "an error that is no text": first(error=0),
    "outputs that are no dict": first(outputs=5),
    "a run that is none": lambda tree: tree["runs"].update(again=None),
    "more operations than a float holds": first(operations=10**400),
    "more memory than a float holds": large(memory=10**400),
    "no number of operations": large(operations=float("nan")),
    "a negative number of operations": large(operations=-(10**9)),
    "numbers of axes that are trees": lambda tree: tree.update(symbols={"n": nested(450)}),
    "a container that holds a tree": first(outputs={LABELS: {"kind": "list", "size": 1, "x": nested(450)}}),
    "a huge text": first(outputs={LABELS: "x" * 10**5}),
    "a huge name": first(outputs={"x" * 10**5: 1}),
    "a huge type": first(outputs={LABELS: {"kind": "object", "type": "x" * 10**5}}),
    "a huge name of what is ruled out": first(forbidden=["x" * 10**5]),
    "a header of many lists": lambda tree: tree.update(symbols=[[]] * (3 * 2**20)),
    "eight bits for a float": first(outputs={LABELS: torch.zeros(17).to(torch.float8_e5m2)}),
    "a problem that is a tensor": lambda tree: tree.update(problem=torch.zeros(10**6)),
    "a hundred axes": first(outputs={LABELS: torch.zeros([1] * 100)}),
}
"""Changes of right evidence: all of it is turned down."""

ODD = {
    "half a letter in an error": (first(error="ValueError: \ud800"), "error"),
    "half a letter": (first(outputs={LABELS: "\ud800"}), "failed"),
    "a number of 4,000 digits": (first(outputs={LABELS: 10**4000}), "failed"),
    "an endless size": (first(outputs={LABELS: {"kind": "list", "size": 10**4000}}), "failed"),
    "a zero-dimensional tensor": (first(outputs={LABELS: torch.tensor(1)}), "failed"),
    "an enormous shape without elements": (first(outputs={LABELS: torch.zeros(2**62, 0)}), "failed"),
    "complex and not a number": (
        first(outputs={LABELS: torch.full((17,), complex("nan"))}),
        "not_deterministic",
    ),
    "bfloat16": (first(outputs={LABELS: torch.zeros(17, dtype=torch.bfloat16)}), "failed"),
    "runs that are missing": (lambda tree: tree.update(runs={"float32": tree["runs"]["float32"]}), "crashed"),
    "runs that nobody asked for": (
        lambda tree: tree["runs"].update({str(n): {"error": "x"} for n in range(99)}),
        "passed",
    ),
}
"""Changes of right evidence that are judged, and the status that follows."""


def changed(answers, change, check):
    tree = copy.deepcopy(answers.reference[check].to_dict())
    change(tree)
    return dumps(tree)


def judged(a01, answers, check, frame, second):
    """What becomes of a check whose process sends a frame, and another one when it runs again."""
    submission = Submission("eve", {FILE: RIGHT.encode()})
    evidence = [answers.reference[each.id] for each in a01.checks]
    place = [each.id for each in a01.checks].index(check)
    evidence[place] = _evidence(check, frame)
    again = {check: _evidence(check, second)}
    graded = judge_submission(submission, evidence, a01, answers, again)
    assert Gathered.from_parts(Gathered(evidence, again).to_parts()).second.keys() == {check}
    feedback_page(a01, graded, answers)
    ClassReport(a01, answers).add(graded)
    return graded.verdicts[place]


@pytest.mark.parametrize("name", TREES)
def test_evidence_of_another_form_is_turned_down(a01, answers, name):
    frame = changed(answers, TREES[name], GROWING)
    verdict = judged(a01, answers, GROWING, frame, frame)
    assert (verdict.status, verdict.points) == ("crashed", 0)
    assert "something else than evidence" in verdict.message


@pytest.mark.parametrize("name", ODD)
def test_odd_evidence_is_judged(a01, answers, name):
    change, status = ODD[name]
    frame = changed(answers, change, CHECK)
    verdict = judged(a01, answers, CHECK, frame, frame)
    assert verdict.status == status
    assert len(verdict.message) < 10_000


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("status", ["crashed", "timeout"])
def test_of_two_runs_the_one_that_did_not_end_is_told_of(a01, answers, name, status):
    """A bomb may end its process in one run and raise an error in the other."""
    change, due = ODD[name]
    frame = changed(answers, change, CHECK)
    ended = status, "the process ended"
    told = judged(a01, answers, CHECK, ended, frame)
    if due == "crashed":
        assert told.status in ("crashed", "not_deterministic")
    else:
        assert told.unstable == "the first run: the process ended"
        assert told.status == ("failed" if due == "not_deterministic" else due)
        assert judged(a01, answers, CHECK, frame, ended).status == "not_deterministic"


LAWS = {f"{folder.name} {check.id}": check for folder in all_folders() for check in laws_of(folder)}


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("name", LAWS)
def test_what_is_not_finite_keeps_no_law(name, value):
    """Every comparison with NaN is false, also that with a bound that must not be exceeded."""
    check = LAWS[name]
    due = gather(check, seed=7).runs["float32"].outputs
    got = {
        path: torch.full_like(leaf, value)
        if isinstance(leaf, torch.Tensor) and leaf.is_floating_point()
        else leaf
        for path, leaf in due.items()
    }
    for path in due:
        if got[path] is not due[path]:
            assert unlike(check, due, {**due, path: got[path]})


@pytest.mark.parametrize("start", [b"# -*- coding: latin-1 -*-\n# \xe9\n", b"\xef\xbb\xbf", b"#\r\n"])
def test_source_is_read_as_python_reads_it(start):
    """An encoding that is no UTF-8 hides no loop, and nothing that is ruled out."""
    loop = b"def predict(x):\n    for _ in x: torch.cdist(x, x)\n"
    function = exercise_source.read_function(start + loop, "predict")
    assert exercise_source.first_loop(function)
    assert exercise_source.first_use(function, ["torch.cdist"])


def frame_of(tree, shape, dtype="I64", data=b""):
    header = {"__metadata__": {"tree": json.dumps(tree)}}
    header["0"] = {"dtype": dtype, "shape": shape, "data_offsets": [0, len(data)]}
    packed = json.dumps(header).encode()
    return struct.pack("<Q", len(packed)) + packed + data


@pytest.mark.parametrize("shape", [[0, 2**62, 2**62], [2**63, 0], [0, 2**65], [0] * 1000])
def test_shapes_that_cannot_be_are_turned_down(a01, answers, shape):
    tree = {**answers.reference[CHECK].to_dict()}
    tree["runs"] = {"float32": {"outputs": {LABELS: {"kind": "tensor", "key": "0"}}}}
    frame = frame_of(tree, shape)
    assert judged(a01, answers, CHECK, frame, frame).status == "crashed"


def test_a_tensor_in_two_places_is_judged_and_written_again(a01, answers):
    """Two places that share memory are written as one."""
    tree = {**answers.reference[CHECK].to_dict()}
    tree["runs"] = {"float32": {"outputs": {name: {"kind": "tensor", "key": "0"} for name in "ab"}}}
    frame = frame_of(tree, [1], data=bytes(8))
    assert judged(a01, answers, CHECK, frame, frame).points == 0
    evidence = _evidence(CHECK, frame)
    assert Evidence.from_bytes(evidence.to_bytes()).to_dict() == evidence.to_dict()


@pytest.fixture(scope="module")
def released(a01):
    return json.dumps(with_points(a01)["knn.ipynb"])


def each_mark(change):
    def apply(notebook):
        for cell in notebook["cells"]:
            if "nbgrader" in cell["metadata"]:
                change(cell)

    return apply


def marks(value):
    return each_mark(lambda cell: cell["metadata"].update(nbgrader=value))


def within_marks(**values):
    return each_mark(lambda cell: cell["metadata"]["nbgrader"].update(values))


NOTEBOOKS = {
    **{f"marks that are {value!r}": marks(value) for value in (None, 5, "x", [1], True)},
    **{f"an id that is {value!r}": within_marks(grade_id=value) for value in (None, [], {}, "\ud800")},
    **{f"points that are {str(value)[:5]!r}": within_marks(points=value) for value in (None, "x", 10**400)},
    "no points": each_mark(lambda cell: cell["metadata"]["nbgrader"].pop("points", None)),
    "half a letter": each_mark(lambda cell: cell.update(source="\ud800")),
    "not a number": lambda notebook: notebook["metadata"].update(x=float("nan")),
    "deep": lambda notebook: notebook["metadata"].update(x=nested(450)),
    "deeper": lambda notebook: notebook["metadata"].update(x=nested(600)),
    **{
        f"format {value!r}": lambda notebook, value=value: notebook.update(nbformat=value)
        for value in (1, 2, 3, 5, True, 4.0, None, "4", [])
    },
    **{
        f"minor format {value!r}": lambda notebook, value=value: notebook.update(nbformat_minor=value)
        for value in (0, -1, 99, "x", None, float("inf"))
    },
    "worksheets": lambda notebook: notebook.update(nbformat=3, worksheets=[{"cells": notebook["cells"]}]),
    "cells that are none": lambda notebook: notebook.update(cells=[None]),
}


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_damaged_notebook_costs_no_more_than_its_answers(a01, released, name):
    notebook = json.loads(released)
    NOTEBOOKS[name](notebook)
    text, untouched = returned(a01, json.dumps(notebook).encode())
    assert nbformat.reads(text, as_version=4)
    assert {*untouched} <= {*a01.questions}


@pytest.mark.parametrize("content", [b"", b"5", b"[]", b"{}", b"[" * 10**5, b'{"nbformat": 1' + b"0" * 5000])
def test_what_is_no_notebook_counts_as_empty(a01, content):
    assert read_notebook(content) is None
    assert returned(a01, content)[1] == [*a01.questions]


def test_verdicts_stand_below_the_first_of_doubled_cells(a01, released):
    """Thousands of copies of a small cell do not become thousands of tables."""
    notebook = json.loads(released)
    notebook["cells"] = [cell for cell in notebook["cells"] for _ in range(100)]
    text, _ = returned(a01, json.dumps(notebook).encode())
    shown = [cell for cell in json.loads(text)["cells"] if cell.get("outputs")]
    assert len(shown) == len(exercises_by_cell(a01))


def returned(assignment, content):
    submission = Submission("eve", {assignment.notebook_paths[0]: content})
    verdicts = [Verdict(check.id, check.title, check.points) for check in assignment.checks]
    texts, untouched = with_verdicts(submission, verdicts, assignment, exercises_by_cell(assignment), ())
    return texts[assignment.notebooks[0]], untouched
