"""Gradients by finite differences: what a gradient worked out by hand is held against."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor


def compute_numeric_gradient(
    f: Callable[[Tensor], Tensor | float],
    x: Float[Tensor, "*shape"],
    dLdf: Tensor | None = None,
    h: float = 1e-7,
) -> Float[Tensor, "*shape"]:
    """Gradient of a function at x by centred differences, one entry of x after the other.

    df/dx_i is about (f(x + h e_i) - f(x - h e_i)) / 2h, with an error of order h^2. Use float64: in
    float32 rounding is larger than the differences.

    Args:
        f: from a tensor like x to a number or a tensor.
        x: where; it is changed during the run and restored.
        dLdf: gradient of a loss with respect to f(x), of the shape of f(x); ones if not given.
        h: the step.

    Raises:
        ValueError: x is not contiguous.
    """
    if not x.is_contiguous():
        raise ValueError("x must be contiguous, since it is changed in place: pass x.contiguous()")
    gradient = torch.zeros_like(x)
    flat, flat_gradient = x.view(-1), gradient.view(-1)
    for i in range(flat.numel()):
        slope = _slope(f, x, flat, i, h)
        flat_gradient[i] = slope.sum() if dLdf is None else (slope * dLdf).sum()
    return gradient


def grad_check_sparse(
    f: Callable[[Tensor], Tensor | float],
    x: Float[Tensor, "*shape"],
    analytic_grad: Float[Tensor, "*shape"],
    num_checks: int = 10,
    h: float = 1e-7,
) -> float:
    """Compare a gradient with centred differences at random entries of x, and print both.

    Args:
        f: from a tensor like x to a number.
        x: where, in float64 and contiguous; it is changed during the run and restored.
        analytic_grad: the gradient to check.
        num_checks: how many entries are looked at.
        h: the step.

    Returns:
        The largest relative error, |a - n| / (|a| + |n|), of these entries.
    """
    flat, worst = x.view(-1), 0.0
    for i in torch.randperm(flat.numel())[:num_checks].tolist():
        numeric, analytic = _slope(f, x, flat, i, h).item(), analytic_grad.reshape(-1)[i].item()
        error = abs(analytic - numeric) / max(abs(analytic) + abs(numeric), 1e-10)
        print(f"numeric {numeric:12.6f}   analytic {analytic:12.6f}   relative error {error:.1e}")
        worst = max(worst, error)
    return worst


def rel_error(x: Tensor, y: Tensor, eps: float = 1e-10) -> float:
    """Largest difference of two tensors over the sum of their largest entries (and eps)."""
    return ((x - y).abs().max() / (x.abs().max() + y.abs().max() + eps)).item()


def _slope(f: Callable[[Tensor], Tensor | float], x: Tensor, flat: Tensor, i: int, h: float) -> Tensor:
    kept = flat[i].item()
    flat[i] = kept + h
    above = torch.as_tensor(f(x), dtype=x.dtype).clone()
    flat[i] = kept - h
    below = torch.as_tensor(f(x), dtype=x.dtype).clone()
    flat[i] = kept
    return (above - below) / (2 * h)
