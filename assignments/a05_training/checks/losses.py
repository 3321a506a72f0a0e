"""What is asked of `training.losses`."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from exercise_code.support.checking.declare import check

LOSSES = "training.losses."
LIBRARY = "torch.nn.functional."
REDUCED = [f"{LOSSES}reduced"]
REDUCTIONS = ("none", "mean", "sum")


def _reductions(
    loss: Callable[[Tensor, str], Tensor], x: Tensor, reductions: tuple[str, ...] = REDUCTIONS
) -> dict[str, Any]:
    """A loss in all reductions, and the gradient of its mean with respect to what is predicted."""
    predicted = x.detach().clone().requires_grad_()
    (gradient,) = torch.autograd.grad(loss(predicted, "mean"), predicted)
    return {reduction: loss(x, reduction) for reduction in reductions} | {"gradient of the mean": gradient}


# Reductions
@check(f"{LOSSES}reduced", points=1)
def reductions(code, case):
    """As they are, mean and sum, with and without weights; another reduction is refused."""
    losses, weight = case.numbers(3, 5), case.tensor(case.numbers(3, 5, reach=5.0).abs())
    outputs = {}
    for reduction in REDUCTIONS:
        outputs[f"{reduction}, without weights"] = code.training.losses.reduced(losses, reduction)
        outputs[f"{reduction}, with weights"] = code.training.losses.reduced(losses, reduction, weight)
    try:
        code.training.losses.reduced(losses, "median")
        outputs["another reduction"] = "is accepted"
    except ValueError:
        outputs["another reduction"] = "raises ValueError"
    return outputs


# Regression
@check(f"{LOSSES}l1_loss", points=1, uses=REDUCED, forbids=[f"{LIBRARY}l1_loss"])
def absolute_difference(code, case):
    """Absolute differences in all reductions, and their gradient."""
    x, target = case.numbers(5, 7), case.numbers(5, 7, reach=1.7)
    return _reductions(lambda x, how: code.training.losses.l1_loss(x, target, how), x)


@check(f"{LOSSES}mse_loss", points=1, uses=REDUCED, forbids=[f"{LIBRARY}mse_loss"])
def squared_difference(code, case):
    """Squared differences in all reductions, and their gradient."""
    x, target = case.numbers(5, 7), case.numbers(5, 7, reach=1.7)
    return _reductions(lambda x, how: code.training.losses.mse_loss(x, target, how), x)


@check(
    f"{LOSSES}smooth_l1_loss",
    points=1,
    uses=REDUCED,
    forbids=[f"{LIBRARY}smooth_l1_loss", f"{LIBRARY}huber_loss"],
)
def parabola_and_lines(code, case):
    """Differences below and above beta, for three values of it."""
    x, target = case.numbers(5, 7), case.numbers(5, 7, reach=1.7)
    loss = code.training.losses.smooth_l1_loss
    outputs = {
        f"beta={beta}": _reductions(lambda x, how, beta=beta: loss(x, target, beta, how), x)
        for beta in (0.5, 2.0)
    }
    return outputs | {"beta left out": loss(x, target, reduction="none")}


@check(f"{LOSSES}poisson_nll_loss", points=1, uses=REDUCED, forbids=[f"{LIBRARY}poisson_nll_loss"])
def counts(code, case):
    """Counts from 0 to 4 under predicted logarithms of rates."""
    x, target = case.numbers(5, 7), case.labels(35, num_classes=5).view(5, 7)
    target = case.tensor(target.double())
    return _reductions(lambda x, how: code.training.losses.poisson_nll_loss(x, target, how), x)


# One class of several
def _labelled(case, loss: Callable[..., Tensor], x: Tensor) -> dict[str, Any]:
    """A loss of scores and labels: plain, with class weights, and with labels to be ignored."""
    y, some = case.labels(9, num_classes=4), case.labels_of(9, [0, 3, -100, 1])
    weight = case.tensor(case.numbers(5, reach=5.0).abs())
    return {
        "plain": _reductions(lambda x, how: loss(x, y, reduction=how), x),
        "with weights": _reductions(lambda x, how: loss(x, y, weight, reduction=how), x),
        "labels -100": _reductions(lambda x, how: loss(x, some, reduction=how), x),
        "weights, ignore_index=2": _reductions(lambda x, how: loss(x, y, weight, 2, how), x),
    }


@check(
    f"{LOSSES}nll_loss",
    points=2,
    uses=REDUCED,
    forbids=[f"{LIBRARY}nll_loss", f"{LIBRARY}cross_entropy"],
)
def negative_log_likelihood(code, case):
    """Of log-probabilities: plain, with class weights, and with labels to be ignored."""
    log_p = case.tensor(case.numbers(9, 5).log_softmax(1))
    return _labelled(case, code.training.losses.nll_loss, log_p)


@check(
    f"{LOSSES}cross_entropy",
    points=2,
    uses=[*REDUCED, f"{LOSSES}nll_loss"],
    forbids=["torch.log_softmax", "torch.softmax", f"{LIBRARY}cross_entropy"],
)
def cross_entropy_of_scores(code, case):
    """Of scores: plain, with class weights, with labels to be ignored, and in the thousands."""
    loss = code.training.losses.cross_entropy
    large, y = case.numbers(9, 5, reach=3000.0), case.labels(9, num_classes=4)
    outputs = {"scores in the thousands": loss(large, y, reduction="none")}
    return _labelled(case, loss, case.numbers(9, 5)) | outputs


@check(f"{LOSSES}kl_div", points=2, uses=REDUCED, forbids=[f"{LIBRARY}kl_div"])
def divergence(code, case):
    """Entry by entry and in four reductions; some probabilities are 0."""
    log_q = case.tensor(case.numbers(3, 5).log_softmax(1))
    p = case.numbers(3, 5).softmax(1)
    p = case.tensor(p.where(p > p.amin(1, keepdim=True), 0))
    reductions = (*REDUCTIONS, "batchmean")
    return _reductions(lambda x, how: code.training.losses.kl_div(x, p, how), log_q, reductions)


@check(f"{LOSSES}multi_margin_loss", points=1, uses=REDUCED, forbids=[f"{LIBRARY}multi_margin_loss"])
def hinge_of_one_class(code, case):
    """The right score is ahead by more and by less than the margin."""
    x, y = case.numbers(7, 5), case.labels(7, num_classes=5)
    loss = code.training.losses.multi_margin_loss
    return {
        "margin left out": _reductions(lambda x, how: loss(x, y, reduction=how), x),
        "margin=0.3": _reductions(lambda x, how: loss(x, y, 0.3, how), x),
    }


# Yes or no
def _far(case, loss: Callable[[Tensor, str], Tensor], *shape: int) -> dict[str, Any]:
    """A loss of scores whose sigmoid rounds to 0 or 1, and of scores whose exponential is infinite."""
    return {
        name: _reductions(loss, case.numbers(*shape, reach=reach))
        for name, reach in (("scores up to 40", 40.0), ("scores in the thousands", 3000.0))
    }


@check(f"{LOSSES}binary_cross_entropy", points=1, uses=REDUCED, forbids=[f"{LIBRARY}binary_cross_entropy"])
def of_probabilities(code, case):
    """Probabilities and targets between 0 and 1, and probabilities of exactly 0 and 1."""
    p, target = (case.tensor(case.numbers(5, 7, reach=reach).sigmoid()) for reach in (2.0, 3.0))
    edges, labels = case.tensor([0.0, 0.0, 1.0, 1.0, 0.25]), case.tensor([0.0, 1.0, 0.0, 1.0, 1.0])
    loss = code.training.losses.binary_cross_entropy
    outputs = _reductions(lambda p, how: loss(p, target, how), p)
    return outputs | {"probabilities 0 and 1": loss(edges, labels, "none")}


@check(
    f"{LOSSES}binary_cross_entropy_with_logits",
    points=1,
    uses=REDUCED,
    forbids=[f"{LIBRARY}binary_cross_entropy_with_logits"],
)
def of_scores(code, case):
    """Scores around 0, up to 40 and in the thousands, with targets between 0 and 1."""
    x, target = case.numbers(5, 7), case.tensor(case.numbers(5, 7, reach=3.0).sigmoid())
    loss = code.training.losses.binary_cross_entropy_with_logits
    outputs = _reductions(lambda x, how: loss(x, target, how), x)
    return outputs | _far(case, lambda x, how: loss(x, target, how), 5, 7)


def _signs(case, *shape: int) -> Tensor:
    """Labels that are 1 or -1, as floats; both appear."""
    labels = case.labels(torch.Size(shape).numel(), num_classes=2).view(shape)
    return case.tensor(2.0 * labels.double() - 1)


@check(f"{LOSSES}soft_margin_loss", points=1, uses=REDUCED, forbids=[f"{LIBRARY}soft_margin_loss"])
def logistic(code, case):
    """Scores around 0, up to 40 and in the thousands, with labels 1 and -1."""
    x, y = case.numbers(5, 7), _signs(case, 5, 7)
    loss = code.training.losses.soft_margin_loss
    outputs = _reductions(lambda x, how: loss(x, y, how), x)
    return outputs | _far(case, lambda x, how: loss(x, y, how), 5, 7)


def _several(case, num: int, num_classes: int) -> Tensor:
    """For each image and class 1 or 0; the first image has all classes, the second one none."""
    some = case.labels(num * num_classes, num_classes=2).view(num, num_classes).double()
    some[0], some[1] = 1, 0
    return case.tensor(some)


@check(
    f"{LOSSES}multi_label_soft_margin_loss",
    points=1,
    uses=[*REDUCED, f"{LOSSES}binary_cross_entropy_with_logits"],
    forbids=[f"{LIBRARY}multilabel_soft_margin_loss"],
)
def several_classes(code, case):
    """Images with all classes, with none, and with some; scores up to 40 and in the thousands."""
    x, target = case.numbers(7, 5), _several(case, 7, 5)
    loss = code.training.losses.multi_label_soft_margin_loss
    outputs = _reductions(lambda x, how: loss(x, target, how), x)
    return outputs | _far(case, lambda x, how: loss(x, target, how), 7, 5)


@check(
    f"{LOSSES}multi_label_margin_loss", points=2, uses=REDUCED, forbids=[f"{LIBRARY}multilabel_margin_loss"]
)
def hinge_of_several_classes(code, case):
    """Images with all classes, with none, and with some."""
    x, target = case.numbers(7, 5), _several(case, 7, 5)
    return _reductions(lambda x, how: code.training.losses.multi_label_margin_loss(x, target, how), x)


# Comparing
@check(f"{LOSSES}margin_ranking_loss", points=1, uses=REDUCED, forbids=[f"{LIBRARY}margin_ranking_loss"])
def which_is_larger(code, case):
    """Pairs in the right and in the wrong order, with two margins."""
    x1, x2, y = case.numbers(5, 7), case.numbers(5, 7, reach=1.7), _signs(case, 5, 7)
    loss = code.training.losses.margin_ranking_loss
    return {
        "margin left out": _reductions(lambda x, how: loss(x, x2, y, reduction=how), x1),
        "margin=0.5": _reductions(lambda x, how: loss(x, x2, y, 0.5, how), x1),
    }


@check(f"{LOSSES}hinge_embedding_loss", points=1, uses=REDUCED, forbids=[f"{LIBRARY}hinge_embedding_loss"])
def distances_of_pairs(code, case):
    """Alike and unlike pairs, nearer and farther than the margin."""
    distance, y = case.tensor(case.numbers(5, 7, reach=1.9).abs()), _signs(case, 5, 7)
    loss = code.training.losses.hinge_embedding_loss
    return {
        "margin left out": _reductions(lambda x, how: loss(x, y, reduction=how), distance),
        "margin=0.5": _reductions(lambda x, how: loss(x, y, 0.5, how), distance),
    }


@check(f"{LOSSES}cosine_embedding_loss", points=1, uses=REDUCED, forbids=[f"{LIBRARY}cosine_embedding_loss"])
def angles_of_pairs(code, case):
    """Alike and unlike pairs of vectors of unequal lengths."""
    x1, x2 = 64 * case.numbers(9, 3), 64 * case.numbers(9, 3, reach=5.0)  # long, as some add 1e-6 to lengths
    y = _signs(case, 9)
    loss = code.training.losses.cosine_embedding_loss
    return {
        "margin left out": _reductions(lambda x, how: loss(x, x2, y, reduction=how), x1),
        "margin=0.4": _reductions(lambda x, how: loss(x, x2, y, 0.4, how), x1),
    }


@check(
    f"{LOSSES}triplet_margin_loss",
    points=1,
    uses=REDUCED,
    forbids=[f"{LIBRARY}triplet_margin_loss", f"{LIBRARY}pairwise_distance"],
)
def nearer_than_the_other(code, case):
    """Positive vectors nearer and farther than negative ones, with two margins."""
    anchor, positive, negative = (case.numbers(9, 3, reach=reach) for reach in (2.0, 1.7, 2.3))
    loss = code.training.losses.triplet_margin_loss
    return {
        "margin left out": _reductions(lambda x, how: loss(x, positive, negative, reduction=how), anchor),
        "margin=0.2": _reductions(lambda x, how: loss(x, positive, negative, 0.2, how), anchor),
    }
