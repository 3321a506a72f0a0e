"""The second run of a check: inputs in another order in memory, and a method after another call."""

import numpy as np
import pytest
import torch
from helpers import verdict_of

from exercise_code.support.checking.another_call import other_inputs
from exercise_code.support.checking.answers import make_answers
from exercise_code.support.checking.case import Case
from exercise_code.support.checking.declare import check as declare
from exercise_code.support.checking.run_check import gather

SUMS = "def sums(images, weights):\n    return {}\n"
RIGHT_SUMS = SUMS.format("images.flatten(1).sum(dim=1) * weights")


@declare("lab.work.sums", points=2)
def weighed_sums(code, case):
    """A sum for each image, times a weight."""
    return {"sums": code.lab.work.sums(case.images(5), case.points(5)[:, 0])}


@declare("lab.work.sums", points=2, law=lambda outputs, expected: None)
def weighed_by_law(code, case):
    """The same, judged by a law."""
    return weighed_sums.probe(code, case)


@declare("lab.work.rows", points=2, library="numpy")
def rows(code, case):
    """The numbers of a table, row after row."""
    return {"rows": code.lab.work.rows(case.array(np.arange(12.0).reshape(3, 4)))}


@declare("lab.work.Scale.__call__", points=2, library="numpy")
def scaling(code, case):
    """A table times a factor."""
    return {"scaled": code.lab.work.Scale(3)(case.array(case.points(5)))}


@declare("lab.work.Loader.__iter__", points=2, library="numpy")
def loading(code, case):
    """Items, one after the other."""
    return {"items": list(code.lab.work.Loader([3, 1, 2]))}


@declare("lab.work.Sum.step", points=2)
def summing(code, case):
    """A sum that grows."""
    total = code.lab.work.Sum()
    total.step(case.points(2))
    return {"sum": total.sum}


SCALE = """class Scale:
    def __init__(self, factor):
        self.factor, self.found = factor, None

    def __call__(self, x):
        {}
"""
RIGHT_SCALE = SCALE.format("return self.factor * x")
LOADER = """class Loader:
    def __init__(self, items):
        self.items = {}

    def __iter__(self):
        yield from {}
"""
RIGHT_LOADER = LOADER.format("items", "self.items")
REMEMBERED = SCALE.format(
    "self.found = self.factor * x if self.found is None else self.found\n        return self.found"
)


@pytest.mark.parametrize("check", [weighed_sums, weighed_by_law])
def test_a_view_of_a_transposed_input_is_told_as_such(exercise, check):
    viewed = SUMS.format("images.view(len(images), -1).sum(dim=1) * weights")
    verdict = verdict_of(exercise, check, RIGHT_SUMS, viewed)
    assert list(verdict.faults) == ["layout"]
    assert verdict.message == (
        "layout: .view() works on contiguous inputs only (work.py, line 6): use reshape() or flatten()"
    )
    assert (verdict.status, verdict.points) == ("failed", 1)


@pytest.mark.parametrize(
    "body",
    ["x.ravel(order='K')", "np.frombuffer(x.base if x.base is not None else x, x.dtype)[: x.size].copy()"],
)
def test_numbers_in_the_order_of_memory_are_told_as_such(exercise, body):
    right = "def rows(x):\n    return x.reshape(-1)\n"
    verdict = verdict_of(exercise, rows, right, f"def rows(x):\n    return {body}\n")
    assert list(verdict.faults) == ["layout"]
    assert "depends on the order in memory" in verdict.message


def test_a_remembered_result_is_told_as_such(exercise):
    verdict = verdict_of(exercise, scaling, RIGHT_SCALE, REMEMBERED)
    assert list(verdict.faults) == ["another call"]
    assert "the object remembers an earlier call, with other inputs: scaled: all 20 values differ" in (
        verdict.message
    )
    assert (verdict.status, verdict.points) == ("failed", 0)


@pytest.mark.parametrize(
    "items, given", [("iter(items)", "self.items"), ("items", "[self.items.pop(0) for _ in self.items[:]]")]
)
def test_an_iterator_that_is_used_up_is_told_as_such(exercise, items, given):
    verdict = verdict_of(exercise, loading, RIGHT_LOADER, LOADER.format(items, given))
    assert list(verdict.faults) == ["another call"]
    assert "items is a list of 0; expected a list of 3" in verdict.message


def test_a_result_that_changes_for_no_such_reason_is_not_deterministic(exercise):
    counting = "calls = []\n\n\ndef sums(images, weights):\n    calls.append(1)\n    return {}\n"
    got = counting.format("images.flatten(1).sum(dim=1) * weights + len(calls)")
    verdict = verdict_of(exercise, weighed_sums, got.replace("len(calls)", "1"), got)
    assert "repeatable" in verdict.faults
    assert (verdict.status, verdict.points) == ("not_deterministic", 0)


def test_what_an_earlier_call_may_change_is_called_afresh(exercise):
    right = "class Sum:\n    sum = 0\n\n    def step(self, x):\n        self.sum = self.sum + x\n"
    exercise(right)
    assert [*gather(summing, 1).runs][:4] == ["float32", "again", "contiguous", "afresh"]
    stateful = declare("lab.work.Sum.step", points=2, stateful=True)(summing.probe)
    assert verdict_of(exercise, stateful, right, right).status == "passed"


def test_no_more_runs_than_before_where_all_is_well(exercise):
    exercise(RIGHT_SUMS)
    assert [*gather(weighed_sums, 1).runs][:3] == ["float32", "again", "float64"]
    exercise(RIGHT_SCALE)
    assert [*gather(scaling, 1).runs] == ["float32", "again"]


def test_a_method_is_itself_again_afterwards(exercise):
    exercise(RIGHT_SCALE + "\n\nclass Twice(Scale):\n    pass\n")
    make_answers([scaling], [], 1)
    from exercise_code.lab import work

    assert work.Scale.__call__.__code__.co_filename == work.__file__
    inherited = declare("lab.work.Twice.__call__", points=1, library="numpy")(
        lambda code, case: {"x": code.lab.work.Twice(2)(case.array([[1.0, 2.0]]))}
    )
    assert [*gather(inherited, 1).runs] == ["float32", "again"]
    assert "__call__" not in vars(work.Twice)


@pytest.mark.parametrize("shape", [(3, 4), (2, 3, 4), (5, 1), (1, 5), (6,), ()])
def test_turned_inputs_have_the_same_values(shape):
    values = np.arange(np.prod(shape, dtype=int)).reshape(shape) / 8
    plain, turned = Case(0, "a"), Case(0, "a", turned=True)
    for one, other in (
        (plain.tensor(values), turned.tensor(values)),
        (plain.array(values), turned.array(values)),
    ):
        assert one.shape == other.shape
        assert one.dtype == other.dtype
        assert (one == other).all()
    assert plain.drawn == turned.drawn
    assert turned.drawn == turned.now
    tensor, array = turned.items
    assert tensor.is_contiguous() == (max(shape, default=1) == np.prod(shape) and shape in ((), (1, 5)))
    assert array.flags.c_contiguous == tensor.is_contiguous()


def test_other_inputs_have_the_same_shapes_and_kinds():
    x, y, rows = torch.tensor([[0.2, 0.4], [0.6, 0.8]]), torch.tensor([3, 1, 2]), np.array([1.0, 3.0])
    (x2, y2, rows2, k), settings = other_inputs(((x, y, rows, 5), {"individual": True}))
    assert torch.allclose(x2, torch.tensor([[0.3, 0.4], [0.1, 0.2]]))
    assert y2.tolist() == [2, 3, 1]
    assert rows2.tolist() == [1.5, 0.5]
    assert (k, settings) == (5, {"individual": True})
    assert other_inputs((3, 0, 0.5, True, "name", None)) == (2, 1, 0.25, True, "name", None)
