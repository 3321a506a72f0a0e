"""The Values against PyTorch's autograd, on computations drawn at random."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from exercise_code.own_autograd import Value

FLOATS = pytest.mark.parametrize("dtype, tolerance", [(torch.float32, 1e-4), (torch.float64, 1e-11)])
STEPS = st.lists(
    st.tuples(st.sampled_from(["add", "mul", "tanh"]), st.integers(0, 99), st.integers(0, 99)),
    min_size=1,
    max_size=12,
)


def compute(leaves, steps):
    """All results of some steps, each on results before it, squashed so that none grows out of bounds."""
    found = [*leaves]
    for operation, i, j in steps:
        a, b = found[i % len(found)], found[j % len(found)]
        found.append(
            a.tanh() if operation == "tanh" else a + b.tanh() if operation == "add" else a.tanh() * b
        )
    return found


@FLOATS
@given(steps=STEPS, seed=st.integers(0, 2**32))
def test_gradients_agree_with_pytorchs(steps, seed, dtype, tolerance):
    generator = torch.Generator().manual_seed(seed)
    numbers = torch.randn(3, 2, 4, generator=generator, dtype=torch.float64).to(dtype)
    leaves = [tensor.clone().requires_grad_() for tensor in numbers]
    due = compute(leaves, steps)
    own = compute([Value(tensor) for tensor in numbers], steps)
    for result, value in zip(due, own, strict=True):
        torch.testing.assert_close(value.data, result.detach(), rtol=tolerance, atol=tolerance)
    own[-1].backward()
    gradients = torch.autograd.grad(due[-1].sum(), leaves, materialize_grads=True)
    for gradient, value in zip(gradients, own[:3], strict=True):
        if value in own[-1].topological_order():
            torch.testing.assert_close(value.grad, gradient, rtol=tolerance, atol=tolerance)
            assert value.grad.dtype == dtype
        else:
            assert not gradient.any()


@given(steps=STEPS)
def test_an_order_has_each_value_once_behind_its_inputs(steps):
    values = compute([Value(torch.ones(2)) for _ in range(3)], steps)
    order = values[-1].topological_order()
    assert len({*order}) == len(order) and order[-1] is values[-1]
    assert all(order.index(below) < place for place, value in enumerate(order) for below in value.inputs)
    assert all(below in order for value in order for below in value.inputs)


def test_a_second_pass_starts_anew_and_a_value_used_twice_counts_twice():
    w = Value(torch.tensor([3.0]))
    square = w * w
    square.backward()
    square.backward()
    assert w.grad.item() == 6
    (square * w + w).backward()
    assert w.grad.item() == 3 * 3**2 + 1


def test_the_table_of_three_links():
    """(w x + b)^2 at w = 3, x = 2, b = -4, as worked out by hand in the notebook."""
    w, x, b = (Value(torch.tensor(value)) for value in (3.0, 2.0, -4.0))
    u = w * x
    v = u + b
    (v * v).backward()
    assert [value.grad.item() for value in (v, b, u, w, x)] == [4, 4, 4, 8, 12]
    assert [slope.item() for slope in u.slopes] == [2, 3]


def test_a_pass_costs_as_much_as_there_are_values_not_ways():
    start = end = Value(torch.tensor([1.0]))
    for _ in range(60):
        end = end + end
    end.backward()
    assert start.grad.item() == 2**60 and len(end.topological_order()) == 61


def test_every_slope_is_a_difference_quotient():
    a, b = (torch.tensor(value, dtype=torch.float64) for value in ([0.3, -1.2], [0.7, 2.0]))
    step = 1e-6
    for operation in (Value.__add__, Value.__mul__, lambda a, _: a.tanh()):
        slopes = operation(Value(a), Value(b)).slopes
        for place, slope in enumerate(slopes):
            shifts = [step if i == place else 0.0 for i in (0, 1)]
            high, low = (
                operation(*(Value(x + sign * shift) for x, shift in zip((a, b), shifts, strict=True))).data
                for sign in (1, -1)
            )
            torch.testing.assert_close(slope, (high - low) / (2 * step), rtol=1e-7, atol=1e-8)
