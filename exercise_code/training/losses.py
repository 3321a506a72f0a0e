"""Losses: how far each prediction is from its target, and three ways to reduce that to one number."""

from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F

Reduction = Literal["none", "mean", "sum"]
"""What becomes of the single losses: nothing, their mean, their sum."""


# Reductions
def reduced(
    losses: Float[Tensor, "*shape"],
    reduction: Reduction = "mean",
    weight: Float[Tensor, "*shape"] | None = None,
) -> Float[Tensor, "..."]:
    """Losses as they are, their mean, or their sum; with weights, each is multiplied by its own.

    The weighted mean is  sum_i w_i l_i / sum_i w_i,  so that losses which are all 3 have the mean 3.

    Args:
        losses: one for each prediction.
        reduction: "none", "mean" or "sum".
        weight: how much each loss counts; without them all count alike.

    Raises:
        ValueError: another reduction.
    """
    ### BEGIN SOLUTION
    weighted = losses if weight is None else weight * losses
    if reduction == "none":
        return weighted
    if reduction == "sum":
        return weighted.sum()
    if reduction == "mean":
        return weighted.mean() if weight is None else weighted.sum() / weight.sum()
    raise ValueError(f"reduction is none, mean or sum, not {reduction}")
    ### END SOLUTION


# Regression
def l1_loss(
    x: Float[Tensor, "*shape"], target: Float[Tensor, "*shape"], reduction: Reduction = "mean"
) -> Float[Tensor, "..."]:
    """Absolute difference of prediction and target. Reduced by `reduced`.

    Not allowed here: torch.nn.functional.l1_loss.
    """
    ### BEGIN SOLUTION
    return reduced((x - target).abs(), reduction)
    ### END SOLUTION


def mse_loss(
    x: Float[Tensor, "*shape"], target: Float[Tensor, "*shape"], reduction: Reduction = "mean"
) -> Float[Tensor, "..."]:
    """Squared difference of prediction and target. Reduced by `reduced`.

    Not allowed here: torch.nn.functional.mse_loss.
    """
    ### BEGIN SOLUTION
    return reduced((x - target).square(), reduction)
    ### END SOLUTION


def smooth_l1_loss(
    x: Float[Tensor, "*shape"],
    target: Float[Tensor, "*shape"],
    beta: float = 1.0,
    reduction: Reduction = "mean",
) -> Float[Tensor, "..."]:
    """With d = |x - target|: d² / (2 beta) where d < beta, and d - beta / 2 elsewhere. Reduced by `reduced`.

    Both pieces meet at d = beta, with the same slope (Girshick, Fast R-CNN, 2015, with beta = 1).
    Not allowed here: torch.nn.functional.smooth_l1_loss, torch.nn.functional.huber_loss.

    Args:
        x: predictions.
        target: what they should be.
        beta: where the parabola ends; positive.
        reduction: "none", "mean" or "sum".
    """
    ### BEGIN SOLUTION
    d = (x - target).abs()
    return reduced(torch.where(d < beta, d.square() / (2 * beta), d - beta / 2), reduction)
    ### END SOLUTION


def poisson_nll_loss(
    log_rate: Float[Tensor, "*shape"], target: Float[Tensor, "*shape"], reduction: Reduction = "mean"
) -> Float[Tensor, "..."]:
    """For counts: minus the log-probability of the target under a Poisson law. Reduced by `reduced`.

    A Poisson law of rate r gives the count k the probability r^k exp(-r) / k!. The network predicts
    log_rate = log r, which may be negative. Leave out log k!, which does not depend on the prediction.
    Not allowed here: torch.nn.functional.poisson_nll_loss.
    """
    ### BEGIN SOLUTION
    return reduced(log_rate.exp() - target * log_rate, reduction)
    ### END SOLUTION


# One class of several
def nll_loss(
    log_p: Float[Tensor, "N C"],
    y: Int[Tensor, " N"],
    weight: Float[Tensor, " C"] | None = None,
    ignore_index: int = -100,
    reduction: Reduction = "mean",
) -> Float[Tensor, "..."]:
    """Minus the log-probability of the right class, for log-probabilities. Reduced by `reduced`.

    With class weights, the loss of image i counts weight[y_i] times. An image with the label ignore_index has
    the loss 0 and the weight 0, so it does not count in the mean either.
    Not allowed here: torch.nn.functional.nll_loss, torch.nn.functional.cross_entropy.

    Args:
        log_p: log-probabilities of all classes.
        y: the right classes, int64; ignore_index may lie outside of 0 to C - 1.
        weight: of each class, positive; without them all count alike.
        ignore_index: label of the images to leave out; at least one image has another.
        reduction: "none" (N,), "mean" or "sum".
    """
    ### BEGIN SOLUTION
    counts = y != ignore_index
    y = y.where(counts, 0)
    each = counts.to(log_p.dtype) if weight is None else weight[y] * counts
    return reduced(-log_p.gather(1, y[:, None])[:, 0], reduction, each)
    ### END SOLUTION


def cross_entropy(
    x: Float[Tensor, "N C"],
    y: Int[Tensor, " N"],
    weight: Float[Tensor, " C"] | None = None,
    ignore_index: int = -100,
    reduction: Reduction = "mean",
) -> Float[Tensor, "..."]:
    """`nll_loss` of the softmax of scores.

    log softmax(x)_j = x_j - log sum_k exp(x_k). `torch.logsumexp` computes the last term without overflow.
    Not allowed here: torch.log_softmax, torch.softmax, torch.nn.functional.cross_entropy.

    Args:
        x: scores of any size, also in the thousands.
        y: the right classes, int64.
        weight: of each class, positive; without them all count alike.
        ignore_index: label of the images to leave out.
        reduction: "none" (N,), "mean" or "sum".
    """
    ### BEGIN SOLUTION
    return nll_loss(x - x.logsumexp(dim=1, keepdim=True), y, weight, ignore_index, reduction)
    ### END SOLUTION


def kl_div(
    log_q: Float[Tensor, "N C"],
    p: Float[Tensor, "N C"],
    reduction: Literal["none", "mean", "batchmean", "sum"] = "mean",
) -> Float[Tensor, "..."]:
    """Kullback-Leibler divergence of target p and prediction q, entry by entry: p (log p - log q).

    Where p is 0, the entry is 0. The divergence of a row is the sum of its C entries. "mean" averages over
    all N · C entries, "batchmean" divides the sum by N: that is the mean divergence.
    Not allowed here: torch.nn.functional.kl_div.

    Args:
        log_q: log-probabilities that are predicted.
        p: probabilities that they should have.
        reduction: as in `reduced`, or "batchmean".
    """
    ### BEGIN SOLUTION
    losses = torch.xlogy(p, p) - p * log_q
    return losses.sum() / len(p) if reduction == "batchmean" else reduced(losses, reduction)
    ### END SOLUTION


def multi_margin_loss(
    x: Float[Tensor, "N C"], y: Int[Tensor, " N"], margin: float = 1.0, reduction: Reduction = "mean"
) -> Float[Tensor, "..."]:
    """Hinge loss of one right class: sum_{j != y} max(0, margin - x_y + x_j) / C. Reduced by `reduced`.

    `svm_loss` of a03, but divided by the number of classes.
    Not allowed here: torch.nn.functional.multi_margin_loss.

    Args:
        x: scores.
        y: the right classes, int64.
        margin: by how much the right score should be ahead.
        reduction: "none" (N,), "mean" or "sum".
    """
    ### BEGIN SOLUTION
    margins = (margin - x.gather(1, y[:, None]) + x).clamp(min=0)
    wrong = 1 - F.one_hot(y, x.shape[1])
    return reduced((margins * wrong).sum(dim=1) / x.shape[1], reduction)
    ### END SOLUTION


# Yes or no
def binary_cross_entropy(
    p: Float[Tensor, "*shape"], target: Float[Tensor, "*shape"], reduction: Reduction = "mean"
) -> Float[Tensor, "..."]:
    """-(t log p + (1 - t) log(1 - p)), for probabilities p and targets t in [0, 1]. Reduced by `reduced`.

    Logarithms below -100 count as -100, so that the loss stays finite where p is 0 or 1.
    Not allowed here: torch.nn.functional.binary_cross_entropy.
    """
    ### BEGIN SOLUTION
    log_yes, log_no = p.log().clamp(min=-100), (1 - p).log().clamp(min=-100)
    return reduced(-(target * log_yes + (1 - target) * log_no), reduction)
    ### END SOLUTION


def binary_cross_entropy_with_logits(
    x: Float[Tensor, "*shape"], target: Float[Tensor, "*shape"], reduction: Reduction = "mean"
) -> Float[Tensor, "..."]:
    """Binary cross-entropy of the sigmoid of scores, exact for scores in the thousands. Reduced by `reduced`.

    -log sigmoid(x) = log(1 + exp(-x)), so the loss is  log(1 + exp(x)) - t x. `torch.logaddexp(a, b)` is
    log(exp(a) + exp(b)) without overflow.
    Not allowed here: torch.nn.functional.binary_cross_entropy_with_logits.

    Args:
        x: scores.
        target: from 0 to 1, in the dtype of the scores.
        reduction: "none", "mean" or "sum".
    """
    ### BEGIN SOLUTION
    return reduced(torch.logaddexp(x, torch.zeros_like(x)) - target * x, reduction)
    ### END SOLUTION


def soft_margin_loss(
    x: Float[Tensor, "*shape"], y: Float[Tensor, "*shape"], reduction: Reduction = "mean"
) -> Float[Tensor, "..."]:
    """log(1 + exp(-y x)), for scores x and labels y that are 1 or -1. Reduced by `reduced`.

    Finite for scores in the thousands.
    Not allowed here: torch.nn.functional.soft_margin_loss.
    """
    ### BEGIN SOLUTION
    return reduced(torch.logaddexp(-y * x, torch.zeros_like(x)), reduction)
    ### END SOLUTION


def multi_label_soft_margin_loss(
    x: Float[Tensor, "N C"], target: Float[Tensor, "N C"], reduction: Reduction = "mean"
) -> Float[Tensor, "..."]:
    """For each image, the mean over classes of the binary cross-entropy with scores. Reduced by `reduced`.

    Exact for scores in the thousands.
    Not allowed here: torch.nn.functional.multilabel_soft_margin_loss.

    Args:
        x: a score for each class.
        target: 1 for each class that the image has, else 0.
        reduction: "none" (N,), "mean" or "sum" over images.
    """
    ### BEGIN SOLUTION
    return reduced(binary_cross_entropy_with_logits(x, target, "none").mean(dim=1), reduction)
    ### END SOLUTION


def multi_label_margin_loss(
    x: Float[Tensor, "N C"], target: Float[Tensor, "N C"], reduction: Reduction = "mean"
) -> Float[Tensor, "..."]:
    """Hinge loss of several right classes. Reduced by `reduced`.

    For each image, the sum of  max(0, 1 - (x_j - x_k))  over all pairs of a class j that it has and a class k
    that it has not, divided by C. Torch's function takes lists of classes in place of zeros and ones.
    Not allowed here: torch.nn.functional.multilabel_margin_loss.

    Args:
        x: a score for each class.
        target: 1 for each class that the image has, else 0.
        reduction: "none" (N,), "mean" or "sum" over images.
    """
    ### BEGIN SOLUTION
    hinges = (1 - x[:, :, None] + x[:, None]).clamp(min=0)  # (N, j, k)
    pairs = target[:, :, None] * (1 - target[:, None])
    return reduced((hinges * pairs).sum(dim=(1, 2)) / x.shape[1], reduction)
    ### END SOLUTION


# Comparing
def margin_ranking_loss(
    x1: Float[Tensor, "*shape"],
    x2: Float[Tensor, "*shape"],
    y: Float[Tensor, "*shape"],
    margin: float = 0.0,
    reduction: Reduction = "mean",
) -> Float[Tensor, "..."]:
    """max(0, -y (x1 - x2) + margin). Reduced by `reduced`.

    y = 1 says that x1 should be the larger one, y = -1 that x2 should.

    Not allowed here: torch.nn.functional.margin_ranking_loss.
    """
    ### BEGIN SOLUTION
    return reduced((margin - y * (x1 - x2)).clamp(min=0), reduction)
    ### END SOLUTION


def hinge_embedding_loss(
    distance: Float[Tensor, "*shape"],
    y: Float[Tensor, "*shape"],
    margin: float = 1.0,
    reduction: Reduction = "mean",
) -> Float[Tensor, "..."]:
    """Loss of pairs, made of their distances. Reduced by `reduced`.

    The distance itself where y = 1 (alike), max(0, margin - distance) where y = -1 (unlike).

    Not allowed here: torch.nn.functional.hinge_embedding_loss.
    """
    ### BEGIN SOLUTION
    return reduced(torch.where(y == 1, distance, (margin - distance).clamp(min=0)), reduction)
    ### END SOLUTION


def cosine_embedding_loss(
    x1: Float[Tensor, "N D"],
    x2: Float[Tensor, "N D"],
    y: Float[Tensor, " N"],
    margin: float = 0.0,
    reduction: Reduction = "mean",
) -> Float[Tensor, "..."]:
    """Loss of pairs of vectors, made of the angle between them. Reduced by `reduced`.

    1 - cos where y = 1 (alike), max(0, cos - margin) where y = -1 (unlike).

    cos is the cosine of the angle between the vectors, x1·x2 / (|x1| |x2|); `F.cosine_similarity` is allowed.
    Not allowed here: torch.nn.functional.cosine_embedding_loss.
    """
    ### BEGIN SOLUTION
    cosine = F.cosine_similarity(x1, x2, dim=1)
    return reduced(torch.where(y == 1, 1 - cosine, (cosine - margin).clamp(min=0)), reduction)
    ### END SOLUTION


def triplet_margin_loss(
    anchor: Float[Tensor, "N D"],
    positive: Float[Tensor, "N D"],
    negative: Float[Tensor, "N D"],
    margin: float = 1.0,
    reduction: Reduction = "mean",
) -> Float[Tensor, "..."]:
    """max(0, |a - p| - |a - n| + margin), with Euclidean distances. Reduced by `reduced`.

    Torch's function adds 1e-6 to each difference; here nothing is added.
    Not allowed here: torch.nn.functional.triplet_margin_loss, torch.nn.functional.pairwise_distance.

    Args:
        anchor: vectors.
        positive: for each a vector that should be near.
        negative: for each a vector that should be farther away than the positive one, by `margin`.
        margin: in the unit of the distance.
        reduction: "none" (N,), "mean" or "sum".
    """
    ### BEGIN SOLUTION
    near, far = ((anchor - other).norm(dim=1) for other in (positive, negative))
    return reduced((near - far + margin).clamp(min=0), reduction)
    ### END SOLUTION
