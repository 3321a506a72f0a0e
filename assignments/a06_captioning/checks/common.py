"""What several files of checks here share."""

from typing import Any

from torch import Tensor, nn

from exercise_code.support.checking.case import fill

AUTOGRAD = ["torch.autograd.grad", "torch.Tensor.backward", "torch.Tensor.requires_grad_"]
LSTM_CELL, LSTM = ["torch.lstm_cell"], ["torch.lstm", "torch.lstm_cell"]


def filled(module: nn.Module, numbers: Tensor) -> Any:
    """A module in the dtype and on the device of some numbers, which become its parameters in order."""
    module.to(numbers.device, numbers.dtype)
    fill(module.parameters(), numbers, len)
    return module
