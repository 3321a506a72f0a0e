"""Every assignment: what takes no understanding earns nothing in any check.

Constants of the shape that is due, the first argument, the right answers to other inputs, and errors.
"""

import contextlib
import copy
import functools
import io
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.utils._pytree import tree_map
from verified import CHEAP_SEEDS

from exercise_code.support.checking.answers import make_answers
from exercise_code.support.checking.evidence import Evidence
from exercise_code.support.checking.judge import judge
from exercise_code.support.checking.replace import replaced
from exercise_code.support.checking.run_check import Code, gather

ERRORS = (ValueError, TypeError, RuntimeError, NotImplementedError)


ALWAYS_THE_SAME = {
    "pytorch101.create_sample_tensor": "it takes nothing",
    "autograd_study.LinearRegressor.__init__": "it takes nothing",
    "mlp.fully_connected_networks.create_solver_instance:steps": "all parameters move, whatever they are",
    "cnn.convolutional_networks.create_convolutional_solver_instance:steps": "all weights move",
    "pytorch_autograd_and_nn.initialize_three_layer_conv_part3": "it takes nothing",
}
"""Checks with one right answer to all inputs, and why."""


def constant(value: Any, due: Any) -> Any:
    """A number in the place of each value of what is due, which keeps its form."""
    if isinstance(due, Iterator):
        return iter(())
    if isinstance(due, Tensor):
        return torch.full_like(due, value, requires_grad=False)
    if isinstance(due, np.ndarray):
        return np.full_like(due, value)
    return type(due)(value) if isinstance(due, bool | int | float) else ""


def filled(value: Any) -> Callable[..., Any]:
    """A function that answers with a constant whatever it is asked, in the form that is due."""

    def answer(original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        with contextlib.suppress(RuntimeError):  # intermediates of autograd cannot be copied
            args, kwargs = copy.deepcopy((args, kwargs))
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                return tree_map(functools.partial(constant, value), original(*args, **kwargs))
        except ValueError:  # the inputs are to be refused
            return value

    return answer


def first_argument(original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    values = [*args, *kwargs.values()]
    takes_self = "self" in original.__code__.co_varnames[:1]
    return values[int(takes_self)] if len(values) > takes_self else None


def returns(value: Any) -> Callable[..., Any]:
    return lambda original, *args, **kwargs: value


def raises(error: type[Exception]) -> Callable[..., Any]:
    def answer(original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        raise error

    return answer


CHEAP = {
    **{f"{value} everywhere": filled(value) for value in (0, 1)},
    **{f"the constant {value}": returns(value) for value in (0, 1, True, False, None)},
    "the first argument": first_argument,
    **{f"raise {error.__name__}": raises(error) for error in ERRORS},
}


def in_the_place_of(exercise: str, answer: Callable[..., Any]) -> Callable[..., Any]:
    """A function with the exercise's signature, whose calls of itself are right."""
    original: Any = functools.reduce(getattr, exercise.split("."), Code())
    within = False

    @functools.wraps(original)
    def cheap(*args: Any, **kwargs: Any) -> Any:
        nonlocal within
        if within:
            return original(*args, **kwargs)
        within = True
        try:
            return answer(original, *args, **kwargs)
        finally:
            within = False

    return cheap


@pytest.mark.vouched
def test_what_takes_no_understanding_earns_nothing(assignment, depth):
    checks = [check for check in assignment.checks if check.target is None]
    earned = set()
    for seed in range(CHEAP_SEEDS[depth]):
        reference = make_answers(checks, [], seed).reference
        for check in checks:
            for name, answer in CHEAP.items():
                with replaced(check.exercise, in_the_place_of(check.exercise, answer)):
                    evidence = gather(check, seed)
                if judge(check, evidence, reference[check.id], None).points:
                    earned.add((check.id, name))
    assert not earned


@pytest.mark.vouched
def test_a_saved_model_that_looks_at_no_pixel_earns_nothing(assignment, depth):
    """The same for all images, by their order, and what is true of other images."""
    checks = [check for check in assignment.checks if check.target is not None]
    for secret in range(CHEAP_SEEDS[depth]):
        due, others = (make_answers(checks, [], 0, secret + n).reference for n in (0, 1))
        for check in checks:
            run, other = due[check.id].runs["float32"], others[check.id].runs["float32"]
            blind = [tree_map(functools.partial(constant, value), run.outputs) for value in range(10)]
            order = [{"labels": torch.arange(n, n + check.held_out.num) % 10} for n in range(10)]
            for outputs in (*blind, *order, other.outputs):
                evidence = Evidence(check.id, {"float32": replace(run, outputs=outputs)})
                assert judge(check, evidence, due[check.id], None).points == 0


@pytest.mark.vouched
def test_right_answers_to_other_inputs_earn_nothing(assignment, depth):
    """Checks that chance decides aside: there, any answer that follows the law is right."""
    checks = [check for check in assignment.checks if check.compared and check.id not in ALWAYS_THE_SAME]
    earned = set()
    for seed in range(CHEAP_SEEDS[depth]):
        due, others = (make_answers(checks, [], each).reference for each in (seed, seed + 1))
        for check in checks:
            drawn = due[check.id].runs
            for name, run in others[check.id].runs.items():
                others[check.id].runs[name] = replace(
                    run, inputs_before=drawn[name].inputs_before, inputs_after=drawn[name].inputs_after
                )
            if judge(check, others[check.id], due[check.id], None).points:
                earned.add(check.id)
    assert not earned
