"""What an exercise rules out earns nothing, however it is called; nor does telling the runs apart."""

import importlib
import operator
from functools import partial

import pytest
import torch
from torch import Tensor

from exercise_code.support.checking.answers import make_answers
from exercise_code.support.checking.assignment import find_assignment
from exercise_code.support.checking.judge import Verdict, judge
from exercise_code.support.checking.replace import replaced
from exercise_code.support.checking.run_check import gather

NO_LOOPS = "knn.compute_distances_no_loops"


class Passing(Tensor):
    """A tensor that hands on what is asked of it."""

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        with torch._C.DisableTorchFunctionSubclass():
            return func(*args, **(kwargs or {}))


def unseen(a, b):
    with torch._C.DisableTorchFunction():
        return torch.cdist(a, b)


WAYS = {
    "getattr": lambda a, b: getattr(torch, "cd" + "ist")(a, b),
    "importlib": lambda a, b: vars(importlib.import_module("torch"))["cdist"](a, b),
    "eval": lambda a, b: eval("torch.cdist(a, b)", {"torch": torch, "a": a, "b": b}),
    "partial": lambda a, b: partial(torch.cdist, a)(b),
    "a method by its name": lambda a, b: operator.methodcaller("norm", dim=-1)(a[:, None] - b),
    "the operation": lambda a, b: torch.ops.aten._cdist_forward(a, b, 2.0, None),
    "its overload": lambda a, b: torch.ops.aten._cdist_forward.default(a, b, 2.0, None),
    "below the function": lambda a, b: torch._C._VariableFunctions.cdist(a, b),
    "a subclass": lambda a, b: torch.cdist(a.as_subclass(Passing), b.as_subclass(Passing)).as_subclass(
        Tensor
    ),
    "functions switched off": unseen,
    "a trace": lambda a, b: torch.jit.trace(torch.cdist, (a, b))(a, b),
    "vmap": lambda a, b: torch.vmap(lambda x: torch.vmap(lambda y: torch.dist(x, y))(b))(a),
}


@pytest.fixture(scope="module")
def verdict_of():
    """Judges a function in the place of an exercise by one check."""
    due = {}

    def verdict(assignment: str, id: str, function, seed: int = 0) -> Verdict:
        check = next(check for check in find_assignment(assignment).checks if check.id == id)
        reference = due.setdefault((id, seed), make_answers([check], [], seed).reference[id])
        with replaced(check.exercise, function):
            return judge(check, gather(check, seed), reference, None)

    return verdict


@pytest.mark.parametrize("way", WAYS)
def test_what_is_ruled_out_earns_nothing_however_it_is_called(verdict_of, way):
    def distances(x_train, x_test):
        return WAYS[way](x_train.flatten(1), x_test.flatten(1))

    assert verdict_of("a01", NO_LOOPS, distances).points == 0


def in_loops(x_train, x_test):
    return torch.stack([torch.stack([(a - b).square().sum().sqrt() for b in x_test]) for a in x_train])


def at_once(x_train, x_test):
    a, b = x_train.flatten(1), x_test.flatten(1)
    squares = a.square().sum(1)[:, None] + b.square().sum(1) - 2 * a @ b.T
    return squares.clamp(min=0).sqrt()


@pytest.mark.parametrize("many", [5, 9, 13])
def test_telling_the_large_run_apart_earns_nothing(verdict_of, many):
    """By the number of its items: zeros, or what is ruled out, in the place of loops."""

    def nothing(x_train, x_test):
        if len(x_train) < many:
            return in_loops(x_train, x_test)
        return x_train.new_zeros(len(x_train), len(x_test))

    def ruled_out(x_train, x_test):
        if len(x_train) < many:
            return in_loops(x_train, x_test)
        return torch.cdist(x_train.flatten(1), x_test.flatten(1))

    points = [verdict_of("a01", NO_LOOPS, function).points for function in (at_once, nothing, ruled_out)]
    assert points == [6, 0, 0]


def quantiles(count: int) -> Tensor:
    """Standard normal numbers in an order of their own, without chance."""
    return torch.special.ndtri((torch.arange(count) * 1009 % count + 0.5) / count)


def of_one_seed(count: int) -> Tensor:
    return torch.randn(count, generator=torch.Generator().manual_seed(count))


def for_all_of_one_seed(count: int) -> Tensor:
    torch.manual_seed(231)
    return torch.randn(count)


DRAWS = [quantiles, of_one_seed, for_all_of_one_seed]


def xavier(draw, Din, Dout, *, dtype=torch.float32, device="cpu"):
    return ((2 / (Din + Dout)) ** 0.5 * draw(Din * Dout)).reshape(Din, Dout).to(device, dtype)


def kaiming(draw, Din, Dout, *, relu=True, dtype=torch.float32, device="cpu"):
    return (((1 + relu) / Din) ** 0.5 * draw(Din * Dout)).reshape(Din, Dout).to(device, dtype)


def dropout_by_place(x, dropout_param):
    p, places = dropout_param["p"], torch.arange(x.numel(), device=x.device).reshape(x.shape)
    if dropout_param["mode"] == "test":
        return x, None
    mask = ((37 * places + 1000 * p + (dropout_param.get("seed") or 0)) % 101 >= 101 * p).to(x.dtype) / (
        1 - p
    )
    return x * mask, mask


LAWS = {
    **{("xavier", draw.__name__): partial(xavier, draw) for draw in DRAWS},
    **{("kaiming", draw.__name__): partial(kaiming, draw) for draw in DRAWS},
}


@pytest.mark.parametrize(("rule", "draw"), LAWS)
def test_weights_that_follow_their_law_without_chance_earn_nothing(verdict_of, rule, draw):
    """All that is wrong with them is that nothing is drawn."""
    for seed in range(5):
        verdict = verdict_of("a03", f"mlp.initializers.{rule}_initializer", LAWS[rule, draw], seed)
        assert (verdict.points, [*verdict.faults]) == (0, ["chance"])


def test_a_pattern_is_no_dropout(verdict_of):
    for seed in range(5):
        assert not verdict_of(
            "a03", "mlp.fully_connected_networks.Dropout.forward", dropout_by_place, seed
        ).points
