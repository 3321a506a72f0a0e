"""What several files of checks here share."""

from typing import Any

import torch
from torch import Tensor, nn

AUTOGRAD = ["torch.autograd.grad", "torch.Tensor.backward", "torch.Tensor.requires_grad_"]
LSTM_CELL, LSTM = ["torch.lstm_cell"], ["torch.lstm", "torch.lstm_cell"]


def filled(module: nn.Module, numbers: Tensor) -> Any:
    """A module in the dtype and on the device of some numbers, which become its parameters.

    The first numbers come again when all are used; those of several axes are divided by the root of their
    rows, so that sums keep their size.
    """
    module.to(numbers.device, numbers.dtype)
    place = 0
    for param in module.parameters():
        places = (place + torch.arange(param.numel(), device=numbers.device)) % len(numbers)
        values = numbers[places].view_as(param)
        place += param.numel()
        with torch.no_grad():
            param.copy_(values / (len(param) ** 0.5 if param.dim() > 1 else 1))
    return module
