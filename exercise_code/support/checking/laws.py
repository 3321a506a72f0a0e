"""Laws that checks of several assignments share."""

import math

import torch
from torch import Tensor


def not_normal(weights: Tensor, std: float) -> str | None:
    """What is wrong with normal weights of mean 0; wrong by chance with probability below 1e-7.

    The bounds are 6 standard deviations of the estimates; Kolmogorov's distance exceeds its bound with
    probability 2 exp(-2 n bound^2) = 1e-8 (Dvoretzky, Kiefer, Wolfowitz, with Massart's constant), and with
    the same one no weight is as far from 0 as it must be, which tells even numbers where there are 220.

    Args:
        weights: some hundreds, so that a factor of 1.3 in the standard deviation shows.
        std: the standard deviation that is due.
    """
    values, count = weights.double().flatten(), weights.numel()
    found, slack = values.std().item(), 6 / (2 * count) ** 0.5
    if found == 0:
        return "all weights are equal"
    if abs(values.mean()) > 6 * max(found, std) / count**0.5:
        return f"the mean is {values.mean():.2g}; 0 is due"
    if abs(found / std - 1) > slack:
        if abs(found - 1) <= slack:
            return "the standard deviation is 1, whatever is asked for"
        size = "too large" if found > std else "too small"
        size = "the variance that is due" if abs(found / std**2 - 1) <= slack else size
        return f"the standard deviation, {found:.3g}, is {size}; {std:.3g} is due"
    steps = torch.arange(1, count + 1, dtype=torch.float64) / count
    distance = (torch.special.ndtr(values.sort().values / std) - steps).abs().max() + 1 / count
    bound = (math.log(2e8) / (2 * count)) ** 0.5
    beyond = 2 * torch.special.ndtr(-values.abs().max() / std)
    if distance > bound or count * torch.log1p(-beyond) < math.log(1e-8):
        even = (values.sort().values / (found * 12**0.5) + 0.5).clamp(0, 1)
        if (even - steps).abs().max() < bound:
            return "these numbers are even between two bounds"
        return "these numbers are not normally distributed"
    return None
