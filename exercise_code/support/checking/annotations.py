"""Read jaxtyping annotations: which axis of which argument has which name and size."""

import inspect
from collections.abc import Callable
from typing import Any

from torch import Tensor


def axes(annotation: Any) -> list[str] | None:
    """Names of the axes in a jaxtyping annotation; None for any other annotation."""
    text = getattr(annotation, "dim_str", None)
    return text.split() if isinstance(text, str) else None


def bind(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, int]:
    """Sizes of the named axes in a call. Axes of variable number (`*image`) are left out."""
    signature = inspect.signature(function)
    sizes: dict[str, int] = {}
    for name, value in signature.bind(*args, **kwargs).arguments.items():
        names = axes(signature.parameters[name].annotation)
        if names and isinstance(value, Tensor):
            sizes |= _sizes(names, tuple(value.shape))
    return sizes


def returned_axes(function: Callable[..., Any]) -> str:
    """Names of the axes of the result, or an empty string where it is not one annotated tensor."""
    return " ".join(axes(inspect.signature(function).return_annotation) or [])


def _sizes(names: list[str], shape: tuple[int, ...]) -> dict[str, int]:
    variable = [index for index, name in enumerate(names) if name.startswith(("*", "..."))]
    head, tail = (variable[0], len(names) - variable[0] - 1) if variable else (len(names), 0)
    pairs = [*zip(names[:head], shape[:head], strict=False)]
    if tail:
        pairs += zip(names[-tail:], shape[-tail:], strict=True)
    return {name.lstrip("#?"): size for name, size in pairs if name.lstrip("#?").isidentifier()}
