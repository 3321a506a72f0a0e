"""What several files of checks here share."""

from collections.abc import Iterable

from torch import Tensor, nn

from exercise_code.support.checking.case import fill

LEVELS = "pytorch_autograd_and_nn."


def filled(modules: Iterable[nn.Module], numbers: Tensor) -> None:
    """Bring modules to the dtype and device of some numbers, and let these be their parameters in order."""
    params = [param for each in modules for param in each.to(numbers.device, numbers.dtype).parameters()]
    fill(params, numbers, lambda param: param[0].numel())
