"""Watch what a function does: count its operations, weigh its intermediates, refuse what is ruled out."""

import contextlib
import sys
import weakref
from collections.abc import Iterable, Iterator
from functools import reduce
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from exercise_code.support.checking.case import Case
from exercise_code.support.paths import ROOT

BETWEEN = str(Path(torch.__file__).parent), str(ROOT / "exercise_code" / "support")
"""Code that lies between an operation and whoever asked for it."""

_unwatched: set[CodeType] = set()


@contextlib.contextmanager
def unwatched(codes: Iterable[CodeType]) -> Iterator[None]:
    """Within it, what these functions call is neither refused nor counted, unless it is called back."""
    before = {*_unwatched}
    _unwatched.update(codes)
    try:
        yield
    finally:
        _unwatched.intersection_update(before)


def _asked_by_unwatched() -> bool:
    """Whether the operation that is seen now was asked for by an unwatched function."""
    if not _unwatched:
        return False
    frame: FrameType | None = sys._getframe(1)
    while frame and frame.f_code.co_filename.startswith(BETWEEN):
        frame = frame.f_back
    return frame is not None and frame.f_code in _unwatched


class Watch(TorchDispatchMode):
    """Counts the dispatched operations, and the largest total of bytes alive that they have made."""

    def __init__(self, case: Case, *, memory: bool) -> None:
        """Drawing the case's inputs does not count, nor does their memory; that is weighed if asked for."""
        super().__init__()  # type: ignore[no-untyped-call]
        self._memory = memory
        self.operations = self.peak = 0
        self._case = case
        self._alive: dict[int, tuple[int, int]] = {}

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # the default imports torch._dynamo, which takes a second and is of no use here

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if self._case.drawing or _asked_by_unwatched():
            return result
        self.operations += 1
        if not self._memory:
            return result
        given = {tensor.untyped_storage().data_ptr() for tensor in self._case.handed_out}
        for tensor in tree_leaves(result):
            if isinstance(tensor, Tensor):
                storage = tensor.untyped_storage()
                if storage.data_ptr() not in given and id(tensor) not in self._alive:
                    self._hold(tensor, storage.data_ptr(), storage.nbytes())
        self.peak = max(self.peak, sum(dict(self._alive.values()).values()))
        return result

    def _hold(self, tensor: Tensor, pointer: int, size: int) -> None:
        self._alive[id(tensor)] = (pointer, size)
        weakref.finalize(tensor, self._alive.pop, id(tensor), None)


class Forbid(TorchFunctionMode):
    """Refuses the named functions of torch, and remembers that they were called."""

    def __init__(self, names: Iterable[str]) -> None:
        """Names are dotted: `torch.cdist`; those of other libraries are not watched."""
        super().__init__()
        watched = [name for name in names if name.startswith("torch.")]
        self.refused = {reduce(getattr, name.split(".")[1:], torch): name for name in watched}
        self.called: list[str] = []

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in self.refused and not _asked_by_unwatched():
            self.called.append(self.refused[func])
            raise RuntimeError(f"{self.refused[func]} is ruled out in this exercise")
        return func(*args, **(kwargs or {}))
