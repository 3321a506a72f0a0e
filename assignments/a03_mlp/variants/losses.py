"""Right versions of `mlp.losses`, written otherwise."""

import torch
from torch.nn.functional import one_hot

from exercise_code.support.checking.declare import variant


@variant("mlp.losses.softmax_loss")
def softmax_by_gather(x, y):
    log_p = x - x.logsumexp(dim=1, keepdim=True)
    loss = -log_p.gather(1, y[:, None]).sum() / x.shape[0]
    return loss, (log_p.exp() - one_hot(y, x.shape[1]).to(x.dtype)) / x.shape[0]


@variant("mlp.losses.softmax_loss")
def softmax_row_by_row(x, y):
    losses, rows = [], []
    for scores, label in zip(x, y, strict=True):
        p = (scores - scores.max()).exp()
        losses.append(p.sum().log() + scores.max() - scores[label])
        row = p / p.sum()
        row[label] -= 1
        rows.append(row / len(x))
    return torch.stack(losses).mean(), torch.stack(rows)


@variant("mlp.losses.svm_loss")
def svm_by_one_hot(x, y):
    right = one_hot(y, x.shape[1]).to(x.dtype)
    margins = torch.relu(x - (x * right).sum(1, keepdim=True) + 1 - right)
    violated = (margins > 0).to(x.dtype)
    return margins.sum() / len(x), (violated - right * violated.sum(1, keepdim=True)) / len(x)
