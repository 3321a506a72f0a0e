"""Finite differences against autograd, and the prepared data."""

import pytest
import torch

from exercise_code.support.data import DataError, load, prepare
from exercise_code.support.notebook.numeric_gradient import (
    compute_numeric_gradient,
    grad_check_sparse,
    rel_error,
)


def draw(*shape):
    return torch.rand(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) + 0.5


def test_numeric_gradient_agrees_with_autograd():
    x, weight = draw(3, 4), draw(4, 2)
    dLdf = draw(3, 2)
    leaf = x.clone().requires_grad_()
    (expected,) = torch.autograd.grad((leaf @ weight).sin(), leaf, dLdf)
    before = x.clone()
    found = compute_numeric_gradient(lambda x: (x @ weight).sin(), x, dLdf)
    assert rel_error(found, expected) < 1e-8
    assert x.equal(before)


def test_sparse_check_tells_right_from_wrong(capsys):
    x = draw(5, 3)
    assert grad_check_sparse(lambda x: (x**3).sum(), x, 3 * x**2) < 1e-6
    assert grad_check_sparse(lambda x: (x**3).sum(), x, 2 * x**2) > 0.1
    assert len(capsys.readouterr().out.splitlines()) == 20


def test_numeric_gradient_refuses_what_it_cannot_change():
    with pytest.raises(ValueError, match="contiguous"):
        compute_numeric_gradient(lambda x: x.sum(), draw(3, 4).T)


def test_prepared_data_is_centred_by_the_training_images():
    data = prepare("shapes", 200, 50, 40, bias_trick=True)
    x, y, _, y_test = load("shapes", 250, 40)
    assert {name: tuple(tensor.shape) for name, tensor in data.items()} == {
        "X_train": (200, 3073),
        "y_train": (200,),
        "X_val": (50, 3073),
        "y_val": (50,),
        "X_test": (40, 3073),
        "y_test": (40,),
    }
    assert data["X_train"][:, -1].eq(1).all()
    colours = data["X_train"][:, :-1].view(200, 3, -1)
    torch.testing.assert_close(colours.mean(dim=(0, 2)), torch.zeros(3), atol=1e-5, rtol=0)
    moved = data["X_val"][:, :-1].view(50, 3, 32, 32) - x[200:]
    torch.testing.assert_close(moved, moved[:1, :, :1, :1].expand_as(moved))
    assert data["y_val"].equal(y[200:]) and data["y_test"].equal(y_test)


def test_bias_trick_needs_flat_images():
    with pytest.raises(DataError, match="flatten=True"):
        prepare("shapes", 2, 2, 2, flatten=False, bias_trick=True)
