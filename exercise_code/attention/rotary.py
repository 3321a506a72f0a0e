"""Positions that turn queries and keys instead of being added."""

import torch
from jaxtyping import Float, Int
from torch import Tensor


def apply_rotary(
    x: Float[Tensor, "*batch S d"], positions: Int[Tensor, " S"], base: float = 10_000.0
) -> Float[Tensor, "*batch S d"]:
    """Turn each pair of numbers by an angle that grows with the position (Su et al., 2021, 3.2.2).

    The pair (a, b) of entries 2i and 2i + 1, at position m, becomes (a cos t - b sin t, a sin t + b cos t),
    with the angle  t = m base^(-2i / d). Not allowed here: loops.

    Args:
        x: queries or keys of heads, with an even number d of entries; before the last two axes there may be
            none or several.
        positions: the position m of each of the S vectors.
        base: the larger, the slower the last pairs turn.

    Returns:
        A new tensor of the same shape, in the dtype of x.

    Raises:
        ValueError: d is odd.
    """
    ### BEGIN SOLUTION
    d = x.shape[-1]
    if d % 2:
        raise ValueError(f"{d} entries cannot be turned in pairs")
    rates = base ** (-torch.arange(0, d, 2, device=x.device, dtype=x.dtype) / d)
    angles = positions.unsqueeze(1) * rates
    a, b = x[..., 0::2], x[..., 1::2]
    turned = a * angles.cos() - b * angles.sin(), a * angles.sin() + b * angles.cos()
    return torch.stack(turned, dim=-1).flatten(-2)
    ### END SOLUTION
