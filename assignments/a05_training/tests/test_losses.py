"""Losses, against torch's functions."""

import math

import pytest
import torch
from beartype import beartype
from hypothesis import given, settings
from hypothesis import strategies as st
from jaxtyping import jaxtyped
from torch.nn import functional as F

from exercise_code.training import losses

DTYPES = pytest.mark.parametrize("dtype, tolerance", [(torch.float32, 1e-5), (torch.float64, 1e-10)])
REDUCTIONS = ("none", "mean", "sum")
SIZES = st.tuples(st.integers(1, 5), st.integers(1, 6))


def typed(function):
    return jaxtyped(typechecker=beartype)(function)


def draw(*shape, dtype, seed=0):
    return torch.randn(*shape, dtype=dtype, generator=torch.Generator().manual_seed(seed))


def signs(*shape, dtype):
    return draw(*shape, dtype=dtype, seed=9).sign()


def several(num, num_classes, dtype):
    """Zeros and ones: the first row has ones alone, the last one zeros if there are two."""
    rows = torch.arange(num * num_classes).view(num, num_classes) % 3 % 2
    rows[-1], rows[0] = 0, 1
    return rows.to(dtype)


def lists(target):
    """Zeros and ones as torch's multilabel_margin_loss takes them: the classes, then -1."""
    found = torch.full(target.shape, -1)
    for row, classes in zip(found, target, strict=True):
        row[: int(classes.sum())] = classes.nonzero()[:, 0]
    return found


PAIRS = {
    "l1_loss": (F.l1_loss, lambda n, c, dtype: (draw(n, c, dtype=dtype, seed=1),)),
    "mse_loss": (F.mse_loss, lambda n, c, dtype: (draw(n, c, dtype=dtype, seed=1),)),
    "smooth_l1_loss": (F.smooth_l1_loss, lambda n, c, dtype: (draw(n, c, dtype=dtype, seed=1),)),
    "poisson_nll_loss": (
        F.poisson_nll_loss,
        lambda n, c, dtype: (draw(n, c, dtype=dtype, seed=1).abs().round(),),
    ),
    "multi_margin_loss": (F.multi_margin_loss, lambda n, c, dtype: (torch.arange(n) % c,)),
    "binary_cross_entropy_with_logits": (
        F.binary_cross_entropy_with_logits,
        lambda n, c, dtype: (draw(n, c, dtype=dtype, seed=1).sigmoid(),),
    ),
    "soft_margin_loss": (F.soft_margin_loss, lambda n, c, dtype: (signs(n, c, dtype=dtype),)),
    "multi_label_soft_margin_loss": (
        F.multilabel_soft_margin_loss,
        lambda n, c, dtype: (several(n, c, dtype),),
    ),
    "multi_label_margin_loss": (
        lambda x, target, reduction: F.multilabel_margin_loss(x, lists(target), reduction=reduction),
        lambda n, c, dtype: (several(n, c, dtype),),
    ),
    "margin_ranking_loss": (
        F.margin_ranking_loss,
        lambda n, c, dtype: (draw(n, c, dtype=dtype, seed=1), signs(n, c, dtype=dtype)),
    ),
    "cosine_embedding_loss": (
        F.cosine_embedding_loss,
        lambda n, c, dtype: (draw(n, c, dtype=dtype, seed=1), signs(n, dtype=dtype)),
    ),
    "triplet_margin_loss": (
        lambda *args, reduction: F.triplet_margin_loss(*args, eps=0, reduction=reduction),
        lambda n, c, dtype: (draw(n, c, dtype=dtype, seed=1), draw(n, c, dtype=dtype, seed=2)),
    ),
}
"""For each loss torch's function, and what it takes besides predictions."""


@DTYPES
@pytest.mark.parametrize("name", PAIRS)
@settings(max_examples=15)
@given(sizes=SIZES)
def test_losses_and_gradients_agree_with_torch(name, dtype, tolerance, sizes):
    theirs, others = PAIRS[name]
    rest = others(*sizes, dtype)
    x = draw(*sizes, dtype=dtype).requires_grad_()
    for reduction in REDUCTIONS:
        found = typed(getattr(losses, name))(x, *rest, reduction=reduction)
        due = theirs(x, *rest, reduction=reduction)
        assert found.dtype == dtype
        torch.testing.assert_close(found, due, rtol=tolerance, atol=tolerance)
        gradients = (torch.autograd.grad(loss.sum(), x)[0] for loss in (found, due))
        torch.testing.assert_close(*gradients, rtol=tolerance, atol=tolerance)


@DTYPES
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_settings_agree_with_torchs(dtype, tolerance, reduction):
    close = {"rtol": tolerance, "atol": tolerance}
    x, other = draw(6, 5, dtype=dtype), draw(6, 5, dtype=dtype, seed=1)
    y, sign = torch.arange(6) % 5, signs(6, dtype=dtype)
    for beta in (0.3, 2.5):
        found = losses.smooth_l1_loss(x, other, beta, reduction)
        torch.testing.assert_close(found, F.smooth_l1_loss(x, other, reduction=reduction, beta=beta), **close)
    for margin in (0.2, 1.5):
        pairs = (
            (losses.multi_margin_loss, F.multi_margin_loss, (x, y)),
            (losses.margin_ranking_loss, F.margin_ranking_loss, (x[:, 0], x[:, 1], sign)),
            (losses.hinge_embedding_loss, F.hinge_embedding_loss, (x[:, 0].abs(), sign)),
            (losses.cosine_embedding_loss, F.cosine_embedding_loss, (x, other, sign)),
        )
        for ours, theirs, args in pairs:
            found, due = (loss(*args, margin=margin, reduction=reduction) for loss in (ours, theirs))
            torch.testing.assert_close(found, due, **close)
        found = losses.triplet_margin_loss(x, other, x + 1, margin, reduction)
        due = F.triplet_margin_loss(x, other, x + 1, margin, eps=0, reduction=reduction)
        torch.testing.assert_close(found, due, **close)


@DTYPES
@settings(max_examples=20)
@given(num=st.integers(2, 7), num_classes=st.integers(2, 6), weighted=st.booleans(), ignored=st.booleans())
def test_cross_entropy_and_nll_agree_with_torch(dtype, tolerance, num, num_classes, weighted, ignored):
    x = draw(num, num_classes, dtype=dtype).requires_grad_()
    y = torch.arange(num) % num_classes
    y[0] = -100 if ignored else 0
    weight = draw(num_classes, dtype=dtype, seed=2).abs() if weighted else None
    for ignore_index in (-100, 1 if num > 2 and num_classes > 2 and not ignored else -100):
        for reduction in REDUCTIONS:
            options = {"weight": weight, "ignore_index": ignore_index, "reduction": reduction}
            found = typed(losses.cross_entropy)(x, y, **options)
            due = F.cross_entropy(x, y, **options)
            torch.testing.assert_close(found, due, rtol=tolerance, atol=tolerance)
            log_p = x.log_softmax(1)
            found, due = typed(losses.nll_loss)(log_p, y, **options), F.nll_loss(log_p, y, **options)
            torch.testing.assert_close(found, due, rtol=tolerance, atol=tolerance)


@DTYPES
@pytest.mark.filterwarnings("ignore:reduction")
def test_kl_div_agrees_with_torch(dtype, tolerance):
    log_q, p = draw(4, 6, dtype=dtype).log_softmax(1), draw(4, 6, dtype=dtype, seed=1).softmax(1)
    p = torch.where(p < 0.1, 0, p)
    for reduction in (*REDUCTIONS, "batchmean"):
        found = typed(losses.kl_div)(log_q, p, reduction)
        due = F.kl_div(log_q, p, reduction=reduction)
        torch.testing.assert_close(found, due, rtol=tolerance, atol=tolerance)


@DTYPES
def test_binary_cross_entropy_agrees_with_torch(dtype, tolerance):
    p, target = (draw(4, 6, dtype=dtype, seed=seed).sigmoid() for seed in range(2))
    p[0, :3], target[0, :3] = torch.tensor([0.0, 1.0, 0.0]), torch.tensor([1.0, 0.0, 0.0])
    for reduction in REDUCTIONS:
        found = typed(losses.binary_cross_entropy)(p, target, reduction)
        due = F.binary_cross_entropy(p, target, reduction=reduction)
        torch.testing.assert_close(found, due, rtol=tolerance, atol=tolerance)


@DTYPES
def test_losses_of_scores_in_the_thousands_are_finite(dtype, tolerance):
    x = torch.tensor([3000.0, -3000.0], dtype=dtype)
    found = losses.soft_margin_loss(x, x.sign().neg(), "none")
    torch.testing.assert_close(found, x.abs())
    found = losses.binary_cross_entropy_with_logits(x, (x < 0).to(dtype), "none")
    torch.testing.assert_close(found, x.abs())
    found = losses.cross_entropy(x[None], torch.tensor([1]))
    torch.testing.assert_close(found, torch.tensor(6000.0, dtype=dtype))


@DTYPES
@pytest.mark.parametrize(
    "name, reach",
    [
        ("binary_cross_entropy_with_logits", 40.0),
        ("binary_cross_entropy_with_logits", 3000.0),
        ("soft_margin_loss", 40.0),  # torch's own is infinite farther out
        ("multi_label_soft_margin_loss", 40.0),
        ("multi_label_soft_margin_loss", 3000.0),
    ],
)
def test_far_from_0_losses_of_scores_and_their_gradients_are_torchs(dtype, tolerance, name, reach):
    theirs, others = PAIRS[name]
    x, rest = (reach * draw(4, 3, dtype=dtype)).requires_grad_(), others(4, 3, dtype)
    found, due = (loss(x, *rest, reduction="none") for loss in (getattr(losses, name), theirs))
    torch.testing.assert_close(found, due, rtol=tolerance, atol=tolerance)
    gradients = (torch.autograd.grad(loss.sum(), x)[0] for loss in (found, due))
    torch.testing.assert_close(*gradients, rtol=tolerance, atol=tolerance)


@DTYPES
def test_a_weighted_mean_divides_by_the_weights(dtype, tolerance):
    values, weight = draw(4, 3, dtype=dtype), draw(4, 3, dtype=dtype, seed=1).abs()
    found = typed(losses.reduced)(values, "mean", weight)
    due = sum(w * v for w, v in zip(weight.flatten(), values.flatten(), strict=True)) / weight.sum()
    torch.testing.assert_close(found, due, rtol=tolerance, atol=tolerance)
    torch.testing.assert_close(losses.reduced(values, "none", weight), weight * values)
    constant = losses.reduced(torch.full_like(weight, 3.0), weight=weight)
    assert math.isclose(constant, 3, rel_tol=tolerance)
    with pytest.raises(ValueError, match="none, mean or sum, not median"):
        losses.reduced(values, "median")
