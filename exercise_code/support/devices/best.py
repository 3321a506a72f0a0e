"""Which device to compute on."""

import functools
from collections.abc import Callable

import torch

ACCELERATORS: dict[str, Callable[[], bool]] = {
    "cuda": torch.cuda.is_available,
    "mps": torch.backends.mps.is_available,
}
"""The fastest first, with who says whether it is there."""


def best_device() -> torch.device:
    """The fastest device of this machine that can compute: CUDA, then Apple's MPS, then the CPU."""
    return torch.device(next(filter(usable, ACCELERATORS), "cpu"))


@functools.cache
def usable(kind: str) -> bool:
    """Whether an accelerator is there and does what it is asked; one that does not is told of, once.

    A card may be too old for this PyTorch, or taken by another process.
    """
    if not ACCELERATORS[kind]():
        return False
    try:
        return torch.ones(2, device=kind).add(1).sum().item() == 4
    except Exception as error:  # of many kinds, as drivers have them
        reason = str(error).strip().partition("\n")[0]
        print(f"There is a device {kind}, but it cannot compute ({reason}): it is not used.")
        return False
