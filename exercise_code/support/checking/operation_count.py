"""Watch what a function does: count its operations, weigh its intermediates, refuse what is ruled out."""

import contextlib
import sys
import weakref
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, Self

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
    """Refuses the named functions of torch, and remembers that they were called.

    A function is known by its name, whatever it is called on; so is an operation that is called without one,
    as `torch.ops.aten._cdist_forward`.
    """

    def __init__(self, names: Iterable[str]) -> None:
        """Names are dotted: `torch.cdist`; those of other libraries are not watched."""
        super().__init__()
        self.refused: dict[str, str] = {}
        for name in (name for name in names if name.startswith("torch.")):
            parts = name.split(".")[1:]
            self.refused = {parts[-1]: name} | self.refused | {"_".join(parts): name}
        self.called: list[str] = []
        self._within = 0
        self._operations = _Operations(self)

    def __enter__(self) -> Self:
        self._operations.__enter__()  # type: ignore[no-untyped-call]
        super().__enter__()  # type: ignore[no-untyped-call]
        return self

    def __exit__(self, *error: Any) -> None:
        super().__exit__(*error)  # type: ignore[no-untyped-call]
        self._operations.__exit__(*error)  # type: ignore[no-untyped-call]

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.refuse(func)
        self._within += 1
        try:
            return func(*args, **(kwargs or {}))
        finally:
            self._within -= 1

    def refuse(self, func: Any) -> None:
        """Raise where a function, or an operation outside of all functions, is ruled out."""
        if self._within:
            return
        called = getattr(func, "__name__", "").partition(".")[0]
        operation = called.removeprefix("_").removeprefix("native_").removesuffix("_forward")
        name = self.refused.get(called) or self.refused.get(operation)
        if name and not _asked_by_unwatched():
            self.called.append(name)
            raise RuntimeError(f"{name} is ruled out in this exercise")


class _Operations(TorchDispatchMode):
    """Shows a `Forbid` the operations that no function of torch has asked for."""

    def __init__(self, forbid: Forbid) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._forbid = forbid

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # as for Watch

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self._forbid.refuse(func)
        return func(*args, **(kwargs or {}))
