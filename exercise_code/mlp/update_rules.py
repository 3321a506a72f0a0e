"""Update rules: from the weights and their gradient to the next weights."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

Config = dict[str, Any]
"""Settings of an update rule, and what it has to remember from step to step."""


def sgd(
    w: Float[Tensor, "*shape"], dw: Float[Tensor, "*shape"], config: Config | None = None
) -> tuple[Float[Tensor, "*shape"], Config]:
    """Plain gradient descent:  w - learning_rate * dw."""
    config = {"learning_rate": 1e-2, **(config or {})}
    return w - config["learning_rate"] * dw, config


def sgd_momentum(
    w: Float[Tensor, "*shape"], dw: Float[Tensor, "*shape"], config: Config | None = None
) -> tuple[Float[Tensor, "*shape"], Config]:
    """Gradient descent with momentum: the velocity remembers old gradients, and the weights follow it.

    v <- momentum * v - learning_rate * dw,  then  w <- w + v  (Sutskever et al., 2013, eq. 1 and 2).

    Args:
        w: the weights; they are not changed.
        dw: gradient of the loss with respect to them.
        config: `learning_rate`, `momentum` and `velocity`, as far as they are known.

    Returns:
        The next weights, and the config with the new velocity.
    """
    config = {"learning_rate": 1e-2, "momentum": 0.9, "velocity": torch.zeros_like(w), **(config or {})}
    ### BEGIN SOLUTION
    config["velocity"] = config["momentum"] * config["velocity"] - config["learning_rate"] * dw
    return w + config["velocity"], config
    ### END SOLUTION


def rmsprop(
    w: Float[Tensor, "*shape"], dw: Float[Tensor, "*shape"], config: Config | None = None
) -> tuple[Float[Tensor, "*shape"], Config]:
    """Steps divided by the root of a running mean of squared gradients (Tieleman and Hinton, 2012).

    c <- decay_rate * c + (1 - decay_rate) * dw^2,  then  w <- w - learning_rate * dw / (sqrt(c) + epsilon).

    Args:
        w: the weights; they are not changed.
        dw: gradient of the loss with respect to them.
        config: `learning_rate`, `decay_rate`, `epsilon` and `cache` (which is c), as far as they are known.

    Returns:
        The next weights, and the config with the new cache.
    """
    defaults = {"learning_rate": 1e-2, "decay_rate": 0.99, "epsilon": 1e-8, "cache": torch.zeros_like(w)}
    config = {**defaults, **(config or {})}
    ### BEGIN SOLUTION
    config["cache"] = config["decay_rate"] * config["cache"] + (1 - config["decay_rate"]) * dw**2
    return w - config["learning_rate"] * dw / (config["cache"].sqrt() + config["epsilon"]), config
    ### END SOLUTION


def adam(
    w: Float[Tensor, "*shape"], dw: Float[Tensor, "*shape"], config: Config | None = None
) -> tuple[Float[Tensor, "*shape"], Config]:
    """Adam: momentum and RMSProp combined, both with bias correction (Kingma and Ba, 2015).

    t <- t + 1;  m <- beta1 * m + (1 - beta1) * dw;  v <- beta2 * v + (1 - beta2) * dw^2;
    w <- w - learning_rate * (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon)  (algorithm 1).

    Args:
        w: the weights; they are not changed.
        dw: gradient of the loss with respect to them.
        config: `learning_rate`, `beta1`, `beta2`, `epsilon`, `m`, `v` and the number of steps so far `t`, as
            far as they are known. m and v are stored as they are above, without the correction.

    Returns:
        The next weights, and the config with the new m, v and t.
    """
    defaults = {"learning_rate": 1e-3, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}
    memory = {"m": torch.zeros_like(w), "v": torch.zeros_like(w), "t": 0}
    config = {**defaults, **memory, **(config or {})}
    ### BEGIN SOLUTION
    beta1, beta2 = config["beta1"], config["beta2"]
    t = config["t"] = config["t"] + 1
    m = config["m"] = beta1 * config["m"] + (1 - beta1) * dw
    v = config["v"] = beta2 * config["v"] + (1 - beta2) * dw**2
    step = m / (1 - beta1**t) / ((v / (1 - beta2**t)).sqrt() + config["epsilon"])
    return w - config["learning_rate"] * step, config
    ### END SOLUTION
