"""Tensors pass by value between a process and its children, such as the workers of a DataLoader.

torch shares their memory instead, which takes a named socket: the sandbox has none.
"""

from collections.abc import Callable
from multiprocessing.reduction import ForkingPickler

import numpy as np
import torch
import torch.multiprocessing


def send_by_value() -> None:
    """Let storages be pickled with their bytes, in this process and its forks."""
    ForkingPickler.register(torch.UntypedStorage, _reduced)


def _reduced(storage: torch.UntypedStorage) -> tuple[Callable[..., torch.UntypedStorage], tuple[np.ndarray]]:
    return _storage, (torch.empty(0, dtype=torch.uint8).set_(storage).numpy(),)


def _storage(content: np.ndarray) -> torch.UntypedStorage:
    return torch.from_numpy(content).untyped_storage()
