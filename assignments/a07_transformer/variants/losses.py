"""Right versions of `transformer.losses`, written otherwise."""

import torch
from torch.nn import functional

from exercise_code.support.checking.declare import variant

LOSSES = "transformer.losses."


@variant(f"{LOSSES}CrossEntropyLoss")
def by_one_hot(pred, ground):
    right = functional.one_hot(ground, num_classes=pred.shape[1])
    return -(right * functional.log_softmax(pred, dim=-1)).sum()


@variant(f"{LOSSES}CrossEntropyLoss")
def by_logsumexp(pred, ground):
    rows = torch.arange(len(pred), device=pred.device)
    return (pred.logsumexp(dim=1) - pred[rows, ground]).sum()


@variant(f"{LOSSES}LabelSmoothingLoss")
def as_a_mixture(pred, ground, smoothing=0.1):
    log_p = pred.log_softmax(dim=1)
    right = log_p.gather(1, ground[:, None]).sum()
    return -(1 - smoothing) * right - smoothing * log_p.mean(dim=1).sum()


@variant(f"{LOSSES}LabelSmoothingLoss")
def by_filling(pred, ground, smoothing=0.1):
    n_class = pred.size(1)
    targets = torch.full_like(pred, smoothing / n_class)
    targets.scatter_(1, ground.unsqueeze(1), 1 - smoothing + smoothing / n_class)
    return torch.sum(-targets * functional.log_softmax(pred, dim=1))
