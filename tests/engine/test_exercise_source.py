"""What the text of an exercise says: calls of what is ruled out, and of what only has the same name."""

import numpy as np
import pytest
from helpers import verdict_of

from exercise_code.support.checking.declare import check as declare
from exercise_code.support.checking.evidence import leaves
from exercise_code.support.checking.exercise_source import find_function, first_use

RULED_OUT = ["torch.softmax", "torch.mean", "numpy.std", "torch.Tensor.backward"]


@pytest.mark.parametrize(
    "body",
    [
        "torch.softmax(x, 1)",
        "F.softmax(x, 1)",
        "x.softmax(1)",
        "softmax(x, 1)",
        "np.std(x)",
        "self.x.mean()",
        "(x + 1).mean()",
        "x.sum().backward()",
        "helper(x).mean()",
    ],
)
def test_what_is_ruled_out_is_seen(body):
    text = f"from torch import softmax\n\n\ndef helper(x): ...\n\n\ndef work(self, x):\n    return {body}\n"
    assert first_use(find_function(text, "work"), RULED_OUT)


@pytest.mark.parametrize(
    "body",
    ["softmax(x)", "self.mean(x)", "cls.mean(x)", "super().backward(x)", "Layer.backward(x)", "inner(x)"],
)
def test_what_the_module_defines_is_the_students_own(body):
    text = (
        "def softmax(x): ...\n\n\nclass Layer:\n    def backward(self, x):\n"
        f"        def std(x): ...\n        inner = std(x)\n        return {body}\n"
    )
    assert first_use(find_function(text, "Layer.backward"), RULED_OUT) is None


def test_a_method_that_a_class_of_the_module_has_may_be_that_of_any_object():
    text = (
        "import torch\n\n\nclass Layer:\n    def backward(self, x): ...\n\n\n"
        "def work(layer, x):\n    return {}\n"
    )
    for body in ("layer.backward(x)", "layer.parts[0].backward(x)"):
        assert first_use(find_function(text.format(body), "work"), RULED_OUT) is None
    for body in ("torch.autograd.backward(x)", "layer.mean(x)", "backward(x)"):
        assert first_use(find_function(text.format(body), "work"), RULED_OUT), body


def test_an_own_name_hides_nothing_from_the_run(exercise):
    @declare("lab.work.shares", points=1, forbids=["torch.softmax"])
    def shares(code, case):
        """Shares."""
        return {"shares": code.lab.work.shares(case.points(3))}

    own = "def softmax(x):\n    return {}\n\n\ndef shares(x):\n    return softmax(x)\n"
    right = own.format("x.exp() / x.exp().sum(dim=1, keepdim=True)")
    assert verdict_of(exercise, shares, right, right).status == "passed"
    verdict = verdict_of(exercise, shares, right, own.format("torch.softmax(x, dim=1)"))
    assert [*verdict.faults] == ["ruled out"]


def test_a_float_of_numpy_is_a_float():
    assert leaves({"x": np.float64(0.5)}) == {"x": 0.5}
    assert type(leaves({"x": np.float64(0.5)})["x"]) is float
