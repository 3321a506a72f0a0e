"""Losses of sequences: one prediction for each step, some of which do not count."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional


def temporal_softmax_loss_masked(
    x: Float[Tensor, "N T V"], y: Int[Tensor, "N T"], mask: Bool[Tensor, "N T"]
) -> tuple[Float[Tensor, ""], Float[Tensor, "N T V"]]:
    """Cross-entropy at every step that counts, summed over the steps and averaged over the batch.

    With p = softmax(x) over the last axis, the loss is  -1/N sum_{n,t} mask_nt log p_nt,y_nt : divide by N,
    not by the number of steps that count. torch.log_softmax is allowed, since a03 has derived it.
    Not allowed here: cross_entropy, nll_loss, autograd.

    Args:
        x: scores of V words, of any size, also in the thousands.
        y: the right words, int64, 0 to V - 1, also where the mask is False.
        mask: True where a step counts; whole sequences may not count.

    Returns:
        The loss as a tensor without axes, and its gradient with respect to x.
    """
    ### BEGIN SOLUTION
    words = y.unsqueeze(2)
    log_p = torch.log_softmax(x, dim=2)
    loss = -(log_p.gather(2, words).squeeze(2) * mask).sum() / len(x)
    right = torch.zeros_like(x).scatter(2, words, 1)
    return loss, (log_p.exp() - right) * mask.unsqueeze(2) / len(x)
    ### END SOLUTION


def temporal_softmax_loss(
    x: Float[Tensor, "N T V"], y: Int[Tensor, "N T"], ignore_index: int | None = None
) -> Float[Tensor, ""]:
    """The same loss for autograd, which needs no gradient by hand; a word says which steps do not count.

    torch.nn.functional.cross_entropy is allowed.

    Args:
        x: scores of V words, of any size.
        y: the right words, int64, 0 to V - 1.
        ignore_index: the word, often <NULL>, whose steps do not count; None counts all of them.

    Returns:
        The loss as a tensor without axes: summed over the steps that count, divided by N.
    """
    ### BEGIN SOLUTION
    ignored = -100 if ignore_index is None else ignore_index
    total = functional.cross_entropy(x.flatten(0, 1), y.flatten(), ignore_index=ignored, reduction="sum")
    return total / len(x)
    ### END SOLUTION
