"""Where training starts: weights of a size that lets signals through."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

WeightScale = float | Literal["xavier", "kaiming"]


def xavier_initializer(
    Din: int, Dout: int, *, dtype: torch.dtype = torch.float32, device: torch.device | str = "cpu"
) -> Float[Tensor, "Din Dout"]:
    """Normal weights of mean 0 and variance 2 / (Din + Dout) (Glorot and Bengio, 2010, eq. 12).

    It is the compromise between a forward signal of constant variance, 1 / Din, and a backward one, 1 / Dout.
    Not allowed here: torch.nn.init.

    Args:
        Din: inputs of the layer.
        Dout: outputs of the layer.
        dtype: of the weights.
        device: of the weights.

    Returns:
        The weights.
    """
    ### BEGIN SOLUTION
    return (2 / (Din + Dout)) ** 0.5 * torch.randn(Din, Dout, dtype=dtype, device=device)
    ### END SOLUTION


def kaiming_initializer(
    Din: int,
    Dout: int,
    *,
    relu: bool = True,
    dtype: torch.dtype = torch.float32,
    device: torch.device | str = "cpu",
) -> Float[Tensor, "Din Dout"]:
    """Normal weights of mean 0 and variance gain / Din (He et al., 2015, eq. 10).

    A ReLU throws away half of the signal's power, so the gain is 2 when one follows, and 1 otherwise.
    Not allowed here: torch.nn.init.

    Args:
        Din: inputs of the layer.
        Dout: outputs of the layer.
        relu: whether a ReLU follows.
        dtype: of the weights.
        device: of the weights.

    Returns:
        The weights.
    """
    ### BEGIN SOLUTION
    gain = 2 if relu else 1
    return (gain / Din) ** 0.5 * torch.randn(Din, Dout, dtype=dtype, device=device)
    ### END SOLUTION


def initial_weights(
    Din: int, Dout: int, weight_scale: WeightScale, dtype: torch.dtype, device: torch.device | str
) -> Float[Tensor, "Din Dout"]:
    """Normal weights whose standard deviation is given, or chosen by the name of a rule.

    Args:
        Din: inputs of the layer.
        Dout: outputs of the layer.
        weight_scale: the standard deviation, or "xavier" or "kaiming".
        dtype: of the weights.
        device: of the weights.

    Raises:
        ValueError: there is no rule of that name.
    """
    rules = {"xavier": xavier_initializer, "kaiming": kaiming_initializer}
    if weight_scale in rules:
        return rules[weight_scale](Din, Dout, dtype=dtype, device=device)
    if isinstance(weight_scale, str):
        raise ValueError(f"there is no rule {weight_scale!r}: give a number, 'xavier' or 'kaiming'")
    return torch.randn(Din, Dout, dtype=dtype, device=device).mul_(weight_scale)
