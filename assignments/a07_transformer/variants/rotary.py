"""Right versions of `attention.rotary`, written otherwise."""

import torch

from exercise_code.support.checking.declare import variant

TURN = "attention.rotary.apply_rotary"


@variant(TURN)
def by_matrices(x, positions, base=10_000.0):
    pairs = x.shape[-1] / 2
    if pairs != int(pairs):
        raise ValueError("An even length is needed.")
    i = torch.arange(int(pairs), device=x.device).to(x.dtype)
    t = torch.outer(positions.to(x.dtype), base ** (-i / pairs))
    matrix = torch.stack([t.cos(), -t.sin(), t.sin(), t.cos()], dim=-1).unflatten(-1, (2, 2))
    return (matrix @ x.unflatten(-1, (-1, 2)).unsqueeze(-1)).squeeze(-1).flatten(-2)


@variant(TURN)
def by_swapping(x, positions, base=10_000.0):
    """x cos t, plus the pairs with their entries exchanged, and a minus, times sin t."""
    d = x.size(-1)
    if d % 2 == 1:
        raise ValueError("An even length is needed.")
    exponents = torch.arange(0, d, 2, device=x.device).repeat_interleave(2).to(x) / d
    angles = positions.unsqueeze(-1).to(x) / base**exponents
    swapped = torch.stack([-x[..., 1::2], x[..., 0::2]], dim=-1).reshape(x.shape)
    return x * torch.cos(angles) + swapped * torch.sin(angles)


@variant(TURN)
def filled_by_columns(x, positions, base=10_000.0):
    d = x.shape[-1]
    if d % 2:
        raise ValueError("An even length is needed.")
    y = torch.empty_like(x)
    rates = torch.pow(base, torch.arange(0, d, 2, device=x.device).to(x.dtype) / -d)
    angles = positions.to(x.dtype).view(-1, 1) * rates
    sin, cos = angles.sin(), angles.cos()
    y[..., 0::2] = x[..., 0::2] * cos - x[..., 1::2] * sin
    y[..., 1::2] = x[..., 1::2] * cos + x[..., 0::2] * sin
    return y
