"""Gradients of large batches from small parts, and gradients that are not longer than a limit."""

from collections.abc import Iterable

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F


def accumulate_gradients(
    model: nn.Module, x: Float[Tensor, "n ..."], y: Int[Tensor, " n"], part_size: int
) -> float:
    """Gradients of the mean cross-entropy of a batch, from one part of it after another.

    The result is that of `F.cross_entropy(model(x), y).backward()`, while only one part is in memory at a
    time. As there, gradients that parameters have already are added to.

    Args:
        model: gives scores, for each image on its own.
        x: images.
        y: labels.
        part_size: images in a part; the last part may be smaller.

    Returns:
        The mean loss of all images.
    """
    ### BEGIN SOLUTION
    total = 0.0
    for images, labels in zip(x.split(part_size), y.split(part_size), strict=True):
        loss = F.cross_entropy(model(images), labels, reduction="sum") / len(x)
        loss.backward()
        total += loss.item()
    return total
    ### END SOLUTION


def clip_grad_norm(parameters: Iterable[nn.Parameter], max_norm: float) -> Float[Tensor, ""]:
    """Scale gradients down, in place and by one factor for all, if together they are longer than max_norm.

    The norm is that of all gradients in one long vector (Pascanu et al., 2013, Algorithm 1).
    Not allowed here: torch.nn.utils.clip_grad_norm_, torch.nn.utils.get_total_norm.

    Args:
        parameters: may come from `model.parameters()`, which can be gone through once; those without a
            gradient do not count.
        max_norm: the largest norm allowed.

    Returns:
        The norm before; at least one parameter has a gradient.
    """
    ### BEGIN SOLUTION
    gradients = [param.grad for param in parameters if param.grad is not None]
    norm = torch.stack([gradient.norm() for gradient in gradients]).norm()
    for gradient in gradients:
        gradient *= (max_norm / norm).clamp(max=1)
    return norm
    ### END SOLUTION
