"""Compare what a function returned with what was expected, and say the first thing that differs."""

import math
from typing import Any

import torch
from torch import Tensor

from exercise_code.support.checking.declare import Check

FLOAT64_FACTOR = 1e-4
NUMPY_ARRAY = {"kind": "object", "type": "numpy.ndarray"}
TORCH_TENSOR = {"kind": "object", "type": "torch.Tensor"}
"""The leaves of an array where a tensor was due, and the other way round."""


def unlike(
    check: Check,
    expected: dict[str, Any],
    got: dict[str, Any],
    names: dict[tuple[int, ...], str] | None = None,
) -> str | None:
    """What differs between two sets of leaves, or what the check's law says of the second."""
    if not check.law:
        strict = 1 / FLOAT64_FACTOR if check.library == "numpy" else 1.0
        return difference(expected, got, check.rtol * strict, check.atol * strict, names)
    due, came = (_blank(outputs, check.free_shapes) for outputs in (expected, got))
    strange = [path for path, leaf in got.items() if not _finite(leaf) and _finite(expected.get(path))]
    try:
        return (
            difference(due, came, check.rtol, check.atol, names)
            or (f"{strange[0]} is not finite" if strange else None)  # NaN breaks no bound of a law
            or check.law(got, expected)
        )
    except Exception as error:  # values that no law foresees, such as an empty list
        return f"the values make no sense here ({type(error).__name__}: {error})"


def _finite(leaf: Any) -> bool:
    if isinstance(leaf, Tensor):
        return bool(leaf.isfinite().all())
    return not isinstance(leaf, float) or math.isfinite(leaf)


def _blank(outputs: dict[str, Any], free: tuple[str, ...]) -> dict[str, Any]:
    """The same types and shapes without their values; of what is free, the type alone."""

    def blank(path: str, leaf: Any) -> Any:
        is_free = path.partition("[")[0] in free
        if isinstance(leaf, Tensor):
            return torch.zeros_like(leaf[:0].flatten() if is_free and leaf.dim() else leaf)
        if isinstance(leaf, dict):
            return {**leaf, "size": 0} if is_free and "size" in leaf else leaf
        return leaf if leaf is None or isinstance(leaf, bool) else type(leaf)()

    return {
        path: blank(path, leaf)
        for path, leaf in outputs.items()
        if "[" not in path or path.partition("[")[0] not in free
    }


def difference(
    expected: dict[str, Any],
    got: dict[str, Any],
    rtol: float,
    atol: float,
    names: dict[tuple[int, ...], str] | None = None,
) -> str | None:
    """The first difference between two sets of leaves as a sentence, or None where there is none.

    Args:
        expected: leaves by path, as `evidence.leaves` returns them.
        got: likewise.
        rtol: relative tolerance for float32 and shorter types; float64 is held to a ten-thousandth of it.
        atol: absolute tolerance, likewise.
        names: the axes of a shape by name, for the message.
    """
    for path, leaf in expected.items():
        if path not in got:
            return f"{path} is missing"
        if found := _leaf_difference(path, leaf, got[path], rtol, atol, names or {}):
            return found
    surplus = [path for path in got if path not in expected]
    return f"{surplus[0]} is not expected" if surplus else None


def wrong_entries(expected: Tensor, got: Tensor, rtol: float, atol: float) -> Tensor:
    """Where two tensors of one shape and dtype differ, as a mask; tolerances as in `difference`."""
    if not expected.is_floating_point():
        return got != expected
    if expected.dtype == torch.float64:
        rtol, atol = rtol * FLOAT64_FACTOR, atol * FLOAT64_FACTOR
    return ~torch.isclose(got, expected, rtol=rtol, atol=atol, equal_nan=True)


def describe(leaf: Any) -> str:
    """What a leaf is, in few words: "a float32 tensor of shape (7, 5)", "the int 3"."""
    if isinstance(leaf, Tensor):
        dtype = _name(leaf.dtype)
        return f"{'an' if dtype.startswith('int') else 'a'} {dtype} tensor of shape {tuple(leaf.shape)}"
    if isinstance(leaf, dict):
        if leaf in (NUMPY_ARRAY, TORCH_TENSOR):
            return "a NumPy array" if leaf == NUMPY_ARRAY else "a torch tensor"
        return (
            f"a {leaf['kind']} of {leaf['size']}" if "size" in leaf else f"an object of type {leaf['type']}"
        )
    return "None" if leaf is None else f"the {type(leaf).__name__} {leaf!r}"


def _leaf_difference(
    path: str, expected: Any, got: Any, rtol: float, atol: float, names: dict[tuple[int, ...], str]
) -> str | None:
    if isinstance(expected, Tensor) and isinstance(got, Tensor):
        return _tensor_difference(path, expected, got, rtol, atol, names)
    if isinstance(expected, float) and type(got) is float and expected != got:
        due, came = (torch.tensor(value, dtype=torch.float64) for value in (expected, got))
        return _tensor_difference(path, due, came, rtol / FLOAT64_FACTOR, atol / FLOAT64_FACTOR, names)
    if type(expected) is type(got) and expected == got:
        return None
    if type(expected) is type(got) and not isinstance(expected, dict):
        return f"{path}: expected {expected!r}, got {got!r}"
    wanted = "a NumPy array" if got == TORCH_TENSOR else describe(expected)
    return f"{path} is {describe(got)}; expected {wanted}{_remedy(expected, got)}"


def _remedy(expected: Any, got: Any) -> str:
    """The one call that makes what is expected of what came; empty where there is none."""
    if isinstance(expected, Tensor):
        listed = isinstance(got, dict) and got["kind"] == "list"
        return ": torch.stack or torch.tensor makes one of it" if listed else ""
    if isinstance(got, Tensor):
        single = got.numel() == 1
    else:
        single = isinstance(got, dict) and got != NUMPY_ARRAY and got.get("type", "").startswith("numpy.")
    return ": .item() makes it a Python number" if single and isinstance(expected, int | float) else ""


def _tensor_difference(
    path: str, expected: Tensor, got: Tensor, rtol: float, atol: float, names: dict[tuple[int, ...], str]
) -> str | None:
    if got.shape != expected.shape:
        due = names.get(tuple(expected.shape), str(tuple(expected.shape)))
        turned = got.shape == expected.shape[::-1] and got.dim() > 1
        return f"{path} has shape {tuple(got.shape)}; expected {due}" + (": transposed?" if turned else "")
    if got.dtype != expected.dtype:
        return f"{path} is {_name(got.dtype)}; expected {_name(expected.dtype)}"
    if torch.equal(got, expected):  # takes a tenth of what follows
        return None
    if expected.is_floating_point() and got.isnan().any() and not expected.isnan().any():
        return f"{path}: {_count(got.isnan())} NaN; first at {list(_first(got.isnan()))}"
    wrong = wrong_entries(expected, got, rtol, atol)
    if not wrong.any():
        return None
    index = _first(wrong)
    there = f" at {list(index)}" if index else ""
    values = f"expected {_number(expected[index])}, got {_number(got[index])}"
    if not index:
        return f"{path}: {values}"
    return f"{path}: {_count(wrong, 'differ', 'differs')}; first{there}: {values}"


def _count(mask: Tensor, plural: str = "are", singular: str = "is") -> str:
    hits, total = int(mask.sum()), mask.numel()
    if hits == total:
        return f"all {total} values {plural}" if total > 1 else f"the value {singular}"
    return f"{hits} of {total} values {singular if hits == 1 else plural}"


def _first(mask: Tensor) -> tuple[int, ...]:
    return tuple(mask.nonzero()[0].tolist())


def _number(value: Tensor) -> str:
    return f"{value.item():.5g}" if value.is_floating_point() else str(value.item())


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
