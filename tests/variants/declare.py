"""How a right version of an exercise is declared."""

from collections.abc import Callable
from typing import Any

VARIANTS: list[tuple[str, Callable[..., Any]]] = []


def variant(exercise: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declare a right version of an exercise function that is written differently from the reference."""

    def declare(function: Callable[..., Any]) -> Callable[..., Any]:
        VARIANTS.append((exercise, function))
        return function

    return declare
