"""Right versions of `rnn.losses`, written otherwise."""

import torch
from torch.nn import functional

from exercise_code.support.checking.declare import variant

MASKED = "rnn.losses.temporal_softmax_loss_masked"
SIMPLE = "rnn.losses.temporal_softmax_loss"


@variant(MASKED)
def masked_flat(x, y, mask):
    N, T, V = x.shape
    scores, rows = x.reshape(N * T, V), torch.arange(N * T, device=x.device)
    shifted = scores - scores.max(dim=1, keepdim=True).values
    p = shifted.exp() / shifted.exp().sum(dim=1, keepdim=True)
    weights = mask.reshape(-1).to(x.dtype) / N
    log_p = shifted[rows, y.reshape(-1)] - shifted.exp().sum(1).log()
    dx = p.clone()
    dx[rows, y.reshape(-1)] -= 1
    return -(log_p * weights).sum(), (dx * weights[:, None]).reshape(N, T, V)


@variant(MASKED)
def masked_by_selection(x, y, mask):
    scores, words = x[mask], y[mask]
    log_p = scores - scores.logsumexp(1, keepdim=True)
    right = functional.one_hot(words, x.shape[2]).to(x.dtype)
    dx = torch.zeros_like(x)
    dx[mask] = (log_p.exp() - right) / len(x)
    return -(log_p * right).sum() / len(x), dx


@variant(MASKED)
def masked_step_by_step(x, y, mask):
    loss, dx = x.new_zeros(()), torch.zeros_like(x)
    for t in range(x.shape[1]):
        log_p = torch.log_softmax(x[:, t], dim=1)
        counts = mask[:, t].to(x.dtype) / len(x)
        loss = loss - (log_p.gather(1, y[:, t, None]).squeeze(1) * counts).sum()
        dx[:, t] = (log_p.exp() - functional.one_hot(y[:, t], x.shape[2])) * counts[:, None]
    return loss, dx


@variant(SIMPLE)
def simple_transposed(x, y, ignore_index=None):
    options = {} if ignore_index is None else {"ignore_index": ignore_index}
    each = functional.cross_entropy(x.transpose(1, 2), y, reduction="none", **options)
    return each.sum(dim=1).mean()


@variant(SIMPLE)
def simple_by_gather(x, y, ignore_index=None):
    log_p = x.log_softmax(-1).gather(-1, y[..., None]).squeeze(-1)
    counts = torch.ones_like(y, dtype=torch.bool) if ignore_index is None else y != ignore_index
    return -log_p[counts].sum() / x.shape[0]


@variant(SIMPLE)
def simple_by_weights(x, y, ignore_index=None):
    weight = x.new_ones(x.shape[2])
    if ignore_index is not None:
        weight[ignore_index] = 0
    total = functional.cross_entropy(x.flatten(0, 1), y.flatten(), weight=weight, reduction="sum")
    return total / len(y)
