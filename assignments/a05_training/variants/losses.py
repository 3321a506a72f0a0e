"""Right versions of `training.losses`, written otherwise."""

import torch
from torch.nn import functional as F

from exercise_code.support.checking.declare import variant
from exercise_code.training.losses import binary_cross_entropy_with_logits, nll_loss, reduced

LOSSES = "training.losses."


# Reductions
@variant(LOSSES + "reduced")
def with_ones(losses, reduction="mean", weight=None):
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"unknown reduction {reduction}")
    weight = torch.ones_like(losses) if weight is None else weight
    weighted = weight * losses
    if reduction == "mean":
        return weighted.sum() / weight.sum()
    return weighted.sum() if reduction == "sum" else weighted


@variant(LOSSES + "reduced")
def by_match(losses, reduction="mean", weight=None):
    match reduction:
        case "none":
            return losses * (1 if weight is None else weight)
        case "sum":
            return (losses * (1 if weight is None else weight)).sum()
        case "mean":
            return losses.mean() if weight is None else (losses * (weight / weight.sum())).sum()
        case _:
            raise ValueError(reduction)


@variant(LOSSES + "reduced")
def by_flat_dot_product(losses, reduction="mean", weight=None):
    if weight is None:
        weight = torch.full_like(losses, 1)
    if reduction == "none":
        return torch.mul(losses, weight)
    total = losses.flatten().dot(weight.flatten())
    if reduction == "sum":
        return total
    if reduction != "mean":
        raise ValueError("reduction must be none, mean or sum")
    return total / weight.sum()


# Regression
@variant(LOSSES + "l1_loss")
def l1_by_maximum(x, target, reduction="mean"):
    return reduced(torch.maximum(x - target, target - x), reduction)


@variant(LOSSES + "l1_loss")
def l1_by_where(x, target, reduction="mean"):
    d = x - target
    return reduced(torch.where(d > 0, d, -d), reduction)


@variant(LOSSES + "l1_loss")
def l1_by_torch(x, target, reduction="mean"):
    losses = torch.abs(target - x)
    return losses if reduction == "none" else getattr(losses, reduction)()


@variant(LOSSES + "mse_loss")
def mse_by_power(x, target, reduction="mean"):
    return reduced((target - x) ** 2, reduction)


@variant(LOSSES + "mse_loss")
def mse_by_product(x, target, reduction="mean"):
    d = x - target
    losses = d * d
    return {"none": losses, "mean": losses.sum() / losses.numel(), "sum": losses.sum()}[reduction]


@variant(LOSSES + "mse_loss")
def mse_by_pow(x, target, reduction="mean"):
    return reduced(torch.pow(torch.sub(x, target), 2), reduction=reduction)


@variant(LOSSES + "smooth_l1_loss")
def smooth_by_clamp(x, target, beta=1.0, reduction="mean"):
    d = (x - target).abs()
    near = d.clamp(max=beta)
    return reduced(near**2 / (2 * beta) + (d - near), reduction)


@variant(LOSSES + "smooth_l1_loss")
def smooth_by_mask(x, target, beta=1.0, reduction="mean"):
    d = (target - x).abs()
    near = (d < beta).to(d.dtype)
    return reduced(near * 0.5 * d**2 / beta + (1 - near) * (d - 0.5 * beta), reduction)


@variant(LOSSES + "smooth_l1_loss")
def smooth_in_place(x, target, beta=1.0, reduction="mean"):
    d = (x - target).abs()
    losses = d - 0.5 * beta
    near = d <= beta
    losses[near] = 0.5 / beta * d[near].square()
    return reduced(losses, reduction)


@variant(LOSSES + "poisson_nll_loss")
def poisson_by_torch(log_rate, target, reduction="mean"):
    return reduced(torch.exp(log_rate) - log_rate * target, reduction)


@variant(LOSSES + "poisson_nll_loss")
def poisson_by_distribution(log_rate, target, reduction="mean"):
    rate = log_rate.exp()
    return reduced(rate - torch.xlogy(target, rate), reduction)


@variant(LOSSES + "poisson_nll_loss")
def poisson_minus_log(log_rate, target, reduction="mean"):
    log_p = target * log_rate - log_rate.exp()
    return -reduced(log_p, reduction)


# One class of several
@variant(LOSSES + "nll_loss")
def nll_by_rows(log_p, y, weight=None, ignore_index=-100, reduction="mean"):
    weight = log_p.new_ones(log_p.shape[1]) if weight is None else weight
    kept = [label != ignore_index for label in y.tolist()]
    zero = log_p.new_zeros(())
    losses = [-log_p[i, y[i]] if keep else zero for i, keep in enumerate(kept)]
    weights = [weight[y[i]] if keep else zero for i, keep in enumerate(kept)]
    return reduced(torch.stack(losses), reduction, torch.stack(weights))


@variant(LOSSES + "nll_loss")
def nll_by_one_hot(log_p, y, weight=None, ignore_index=-100, reduction="mean"):
    counts = y != ignore_index
    hot = F.one_hot(y.masked_fill(~counts, 0), log_p.shape[1]).to(log_p.dtype) * counts[:, None]
    if weight is not None:
        hot = hot * weight
    losses = -(hot * log_p).sum(dim=1)
    if reduction == "mean":
        return losses.sum() / hot.sum()
    return reduced(losses, reduction)


@variant(LOSSES + "nll_loss")
def nll_of_kept(log_p, y, weight=None, ignore_index=-100, reduction="mean"):
    (kept,) = torch.nonzero(y != ignore_index, as_tuple=True)
    weights = log_p.new_ones(len(kept)) if weight is None else weight[y[kept]]
    losses = -weights * log_p[kept, y[kept]]
    if reduction == "none":
        return log_p.new_zeros(len(y)).index_put((kept,), losses)
    return losses.sum() / (weights.sum() if reduction == "mean" else 1)


@variant(LOSSES + "cross_entropy")
def cross_entropy_shifted(x, y, weight=None, ignore_index=-100, reduction="mean"):
    shifted = x - x.amax(dim=1, keepdim=True)
    return nll_loss(shifted - shifted.exp().sum(1, keepdim=True).log(), y, weight, ignore_index, reduction)


@variant(LOSSES + "cross_entropy")
def cross_entropy_by_itself(x, y, weight=None, ignore_index=-100, reduction="mean"):
    counts = y != ignore_index
    labels = torch.where(counts, y, torch.zeros_like(y))
    losses = torch.logsumexp(x, 1) - x.gather(1, labels.unsqueeze(1)).squeeze(1)
    each = counts.to(x.dtype) * (1 if weight is None else weight[labels])
    return reduced(losses, reduction, each)


@variant(LOSSES + "cross_entropy")
def cross_entropy_of_differences(x, y, weight=None, ignore_index=-100, reduction="mean"):
    log_p = -torch.logsumexp(x[:, None] - x[:, :, None], dim=2)
    return nll_loss(log_p, y, weight=weight, ignore_index=ignore_index, reduction=reduction)


@variant(LOSSES + "kl_div")
def kl_by_where(log_q, p, reduction="mean"):
    losses = torch.where(p > 0, p * (p.clamp(min=1e-30).log() - log_q), torch.zeros_like(p))
    return losses.sum(1).mean() if reduction == "batchmean" else reduced(losses, reduction)


@variant(LOSSES + "kl_div")
def kl_by_nan_to_num(log_q, p, reduction="mean"):
    losses = (p * p.log()).nan_to_num() - p * log_q
    if reduction == "batchmean":
        return reduced(losses, "sum") / p.shape[0]
    return reduced(losses, reduction)


@variant(LOSSES + "kl_div")
def kl_by_entropy(log_q, p, reduction="mean"):
    losses = -torch.special.entr(p) - p * log_q
    return {
        "none": losses,
        "mean": losses.mean(),
        "sum": losses.sum(),
        "batchmean": losses.sum(dim=1).mean(),
    }[reduction]


@variant(LOSSES + "multi_margin_loss")
def multi_margin_by_scatter(x, y, margin=1.0, reduction="mean"):
    margins = (margin - x.gather(1, y.unsqueeze(1)) + x).clamp(min=0)
    margins = margins.scatter(1, y.unsqueeze(1), 0.0)
    return reduced(margins.mean(dim=1), reduction)


@variant(LOSSES + "multi_margin_loss")
def multi_margin_minus_right(x, y, margin=1.0, reduction="mean"):
    rows = torch.arange(len(x), device=x.device)
    margins = F.relu(x - x[rows, y][:, None] + margin)
    return reduced((margins.sum(1) - margin) / x.shape[1], reduction)


@variant(LOSSES + "multi_margin_loss")
def multi_margin_by_rows(x, y, margin=1.0, reduction="mean"):
    losses = []
    for scores, label in zip(x, y.tolist(), strict=True):
        wrong = torch.cat([scores[:label], scores[label + 1 :]])
        losses.append((margin - scores[label] + wrong).clamp(min=0).sum() / len(scores))
    return reduced(torch.stack(losses), reduction)


# Yes or no
@variant(LOSSES + "binary_cross_entropy")
def bce_by_maximum(p, target, reduction="mean"):
    least = torch.full_like(p, -100)
    yes, no = torch.maximum(torch.log(p), least), torch.maximum(torch.log(1 - p), least)
    return -reduced(target * yes + (1 - target) * no, reduction)


@variant(LOSSES + "binary_cross_entropy")
def bce_by_log1p(p, target, reduction="mean"):
    log_no = torch.log1p(-p).clamp(min=-100)
    return reduced(-target * p.log().clamp(min=-100) + (target - 1) * log_no, reduction)


@variant(LOSSES + "binary_cross_entropy")
def bce_by_lerp(p, target, reduction="mean"):
    log_yes, log_no = p.log().clamp_min(-100), (1 - p).log().clamp_min(-100)
    return reduced(-torch.lerp(log_no, log_yes, target), reduction)


LOGITS = LOSSES + "binary_cross_entropy_with_logits"


@variant(LOGITS)
def logits_by_softplus(x, target, reduction="mean"):
    return reduced(x.clamp(min=0) - target * x + torch.log1p(torch.exp(-x.abs())), reduction)


@variant(LOGITS)
def logits_by_logsumexp(x, target, reduction="mean"):
    both = torch.stack([x, torch.zeros_like(x)])
    return reduced(both.logsumexp(dim=0) - target * x, reduction)


@variant(LOGITS)
def logits_by_logsigmoid(x, target, reduction="mean"):
    return reduced(-(target * F.logsigmoid(x) + (1 - target) * F.logsigmoid(-x)), reduction)


@variant(LOSSES + "soft_margin_loss")
def soft_margin_by_logsigmoid(x, y, reduction="mean"):
    return reduced(-F.logsigmoid(y * x), reduction)


@variant(LOSSES + "soft_margin_loss")
def soft_margin_by_clamp(x, y, reduction="mean"):
    z = -y * x
    return reduced(z.clamp(min=0) + torch.log1p((-z.abs()).exp()), reduction)


@variant(LOSSES + "soft_margin_loss")
def soft_margin_by_binary(x, y, reduction="mean"):
    return binary_cross_entropy_with_logits(x, (y + 1) / 2, reduction)


SEVERAL = LOSSES + "multi_label_soft_margin_loss"


@variant(SEVERAL)
def several_by_logsigmoid(x, target, reduction="mean"):
    losses = -(target * F.logsigmoid(x) + (1 - target) * F.logsigmoid(-x))
    return reduced(losses.sum(dim=1) / x.shape[1], reduction)


@variant(SEVERAL)
def several_by_columns(x, target, reduction="mean"):
    columns = [binary_cross_entropy_with_logits(x[:, c], target[:, c], "none") for c in range(x.shape[1])]
    return reduced(torch.stack(columns).mean(dim=0), reduction)


@variant(SEVERAL)
def several_by_signs(x, target, reduction="mean"):
    z = (1 - 2 * target) * x
    return reduced(torch.logaddexp(z, z.new_zeros(())).mean(dim=-1), reduction=reduction)


PAIRS = LOSSES + "multi_label_margin_loss"


@variant(PAIRS)
def pairs_by_loops(x, target, reduction="mean"):
    losses = []
    for scores, row in zip(x, target.tolist(), strict=True):
        loss = 0 * scores.sum()
        for j, right in enumerate(row):
            for k, other in enumerate(row):
                if right and not other:
                    loss = loss + (1 - scores[j] + scores[k]).clamp(min=0)
        losses.append(loss / len(scores))
    return reduced(torch.stack(losses), reduction)


@variant(PAIRS)
def pairs_by_rows(x, target, reduction="mean"):
    losses = []
    for scores, row in zip(x, target.bool(), strict=True):
        losses.append(F.relu(1 - scores[row][:, None] + scores[~row][None]).sum() / x.shape[1])
    return reduced(torch.stack(losses), reduction)


@variant(PAIRS)
def pairs_by_einsum(x, target, reduction="mean"):
    hinges = (1 - x.unsqueeze(2) + x.unsqueeze(1)).clamp(min=0)
    return reduced(torch.einsum("njk,nj,nk->n", hinges, target, 1 - target) / x.size(1), reduction)


# Comparing
RANKING = LOSSES + "margin_ranking_loss"


@variant(RANKING)
def ranking_by_relu(x1, x2, y, margin=0.0, reduction="mean"):
    return reduced(F.relu(y * (x2 - x1) + margin), reduction)


@variant(RANKING)
def ranking_by_where(x1, x2, y, margin=0.0, reduction="mean"):
    lead = torch.where(y > 0, x1 - x2, x2 - x1)
    return reduced((margin - lead).clamp_min(0), reduction)


@variant(RANKING)
def ranking_by_mask(x1, x2, y, margin=0.0, reduction="mean"):
    losses = -y * (x1 - x2) + margin
    return reduced(losses * (losses > 0), reduction)


HINGE = LOSSES + "hinge_embedding_loss"


@variant(HINGE)
def hinge_by_mask(distance, y, margin=1.0, reduction="mean"):
    alike = (y == 1).to(distance.dtype)
    return reduced(alike * distance + (1 - alike) * F.relu(margin - distance), reduction)


@variant(HINGE)
def hinge_by_index(distance, y, margin=1.0, reduction="mean"):
    losses = distance.clone()
    unlike = y < 0
    losses[unlike] = (margin - distance[unlike]).clamp(min=0)
    return reduced(losses, reduction)


@variant(HINGE)
def hinge_by_sums(distance, y, margin=1.0, reduction="mean"):
    return reduced((1 + y) / 2 * distance + (1 - y) / 2 * (margin - distance).clamp(min=0), reduction)


COSINE = LOSSES + "cosine_embedding_loss"


@variant(COSINE)
def cosine_by_hand(x1, x2, y, margin=0.0, reduction="mean"):
    cosine = (x1 * x2).sum(dim=1) / (x1.norm(dim=1) * x2.norm(dim=1))
    return reduced(torch.where(y == 1, 1 - cosine, F.relu(cosine - margin)), reduction)


@variant(COSINE)
def cosine_of_units(x1, x2, y, margin=0.0, reduction="mean"):
    cosine = torch.einsum("nd,nd->n", F.normalize(x1, dim=1), F.normalize(x2, dim=1))
    return reduced((1 + y) / 2 * (1 - cosine) + (1 - y) / 2 * (cosine - margin).clamp(min=0), reduction)


@variant(COSINE)
def cosine_with_a_small_number(x1, x2, y, margin=0.0, reduction="mean"):
    cosine = (x1 * x2).sum(dim=1) / (x1.norm(dim=1) * x2.norm(dim=1) + 1e-6)
    return reduced(torch.where(y == 1, 1 - cosine, F.relu(cosine - margin)), reduction)


@variant(COSINE)
def cosine_by_rows(x1, x2, y, margin=0.0, reduction="mean"):
    losses = []
    for a, b, sign in zip(x1, x2, y, strict=True):
        cosine = a @ b / (a @ a).sqrt() / (b @ b).sqrt()
        losses.append(1 - cosine if sign > 0 else (cosine - margin).clamp(min=0))
    return reduced(torch.stack(losses), reduction)


TRIPLET = LOSSES + "triplet_margin_loss"


@variant(TRIPLET)
def triplet_by_roots(anchor, positive, negative, margin=1.0, reduction="mean"):
    near = ((anchor - positive) ** 2).sum(dim=1).sqrt()
    far = ((anchor - negative) ** 2).sum(dim=1).sqrt()
    return reduced(F.relu(near - far + margin), reduction)


@variant(TRIPLET)
def triplet_by_linalg(anchor, positive, negative, margin=1.0, reduction="mean"):
    near = torch.linalg.vector_norm(positive - anchor, dim=-1)
    far = torch.linalg.vector_norm(negative - anchor, dim=-1)
    return reduced((margin + near - far).clamp_min(0), reduction)


@variant(TRIPLET)
def triplet_by_rows(anchor, positive, negative, margin=1.0, reduction="mean"):
    losses = [
        ((a - p).norm() - (a - n).norm() + margin).clamp(min=0)
        for a, p, n in zip(anchor, positive, negative, strict=True)
    ]
    return reduced(torch.stack(losses), reduction)
