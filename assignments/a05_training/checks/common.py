"""What several files of checks here share."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

LEVELS = "pytorch_autograd_and_nn."


def filled(modules: Iterable[nn.Module], numbers: Tensor) -> None:
    """Bring modules to the dtype and device of some numbers, and let these be their parameters.

    Each parameter takes the next numbers, and the first ones again when all are used; those of several axes
    are divided by the root of their fan-in, so that signals keep their size.
    """
    place = 0
    for module in modules:
        module.to(numbers.device, numbers.dtype)
        for param in module.parameters():
            places = (place + torch.arange(param.numel(), device=numbers.device)) % len(numbers)
            values = numbers[places].view_as(param)
            place += param.numel()
            with torch.no_grad():
                param.copy_(values / (param[0].numel() ** 0.5 if param.dim() > 1 else 1))
