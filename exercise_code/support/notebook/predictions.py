"""Guesses made before a cell is run, and laid beside what it measures."""

import math
from collections.abc import Mapping

Answer = bool | int | float | str

_guesses: dict[str, Answer] = {}

_BY_HAND: dict[str, dict[str, float | str]] = {
    "strides": {
        "x, one down": 3,
        "x, one right": 1,
        "x.T, one down": 1,
        "x.T, one right": 3,
        "x[:, ::2], one down": 3,
        "x[:, ::2], one right": 2,
        "place of x.T[2, 1]": 2 * 1 + 1 * 3,
        "is x.T one row in memory": "no",
    },
    "three links": {
        "u": 3 * 2,
        "v": 6 - 4,
        "L": 2**2,
        "dL/dv": 2 * 2,
        "dL/db": 4,
        "dL/dw": 4 * 2,
        "dL/dx": 4 * 3,
        "w after a step": 3 - 0.1 * 8,
        "L then": (2.2 * 2 - 4) ** 2,
    },
    "one step": {
        "MSE before": (1**2 + 3**2) / 2,
        "L1 before": (1 + 3) / 2,
        "dout, first": 2 * -1 / 2,
        "dout, second": 2 * -3 / 2,
        "gradient of w": 1 * -1 + 2 * -3,
        "gradient of b": -1 + -3,
        "w after": 0 - 0.1 * -7,
        "b after": 0 - 0.1 * -4,
        "MSE after": (0.1**2 + 1.2**2) / 2,
    },
    "two losses": {
        "score of class 2": 1 * 2 + 2 * -1,
        "margin of class 1": 4 - 3 + 1,
        "margin of class 2": max(0, 0 - 3 + 1),
        "hinge loss": 2 + 0,
        "hinge, factor in class 0": -1,
        "p of class 0": math.exp(-1) / (math.exp(-1) + 1 + math.exp(-4)),
        "cross-entropy": 1 + math.log(math.exp(-1) + 1 + math.exp(-4)),
        "softmax, factor in class 0": math.exp(-1) / (math.exp(-1) + 1 + math.exp(-4)) - 1,
    },
    "two layers": {
        "h of unit 2": max(0, 1 * 2 + 2 * -2),
        "s": 3 * 1 + 0 * 3,
        "ds": 3 - 1,
        "dW2 of unit 1": 3 * 2,
        "dz of unit 2": 0,
        "dW1, lower left": 2 * 2,
        "dx, first entry": 2 * 1 + 0 * 2,
    },
    "three points": {
        "L1 to (3, 0)": 3 + 0,
        "L2 to (3, 0)": math.hypot(3, 0),
        "L1 to (2, 2)": 2 + 2,
        "L2 to (2, 2)": math.hypot(2, 2),
        "L1 to (-2, 3)": 2 + 3,
        "L2 to (-2, 3)": math.hypot(-2, 3),
        "class of the nearest, L1": "circle",
        "class of the nearest, L2": "cross",
        "vote of all three": "circle",
    },
}


def predict(name: str, value: Answer | None) -> None:
    """Keep a guess until `reveal` asks for it.

    Args:
        name: what is guessed.
        value: the guess; None means that none has been made.
    """
    if value is None:
        _guesses.pop(name, None)
        print(f"{name}: no guess yet, put yours in place of None")
    else:
        _guesses[name] = value
        print(f"{name}: you say {value}.")


def reveal(name: str, measured: Answer) -> None:
    """Print the guess beside the measured value.

    Args:
        name: the name that the guess was stored under.
        measured: the value found; numbers are told how far off the guess is, the rest whether it agrees.
    """
    found = f"{measured:.4g}" if isinstance(measured, float) else str(measured)
    if name not in _guesses:
        print(f"{name}: {found}. You had made no guess.")
        return
    guess = _guesses[name]
    if isinstance(measured, bool | str):
        verdict = "as you said" if _folded(guess) == _folded(measured) else f"you had said {guess}"
    elif isinstance(guess, str):
        verdict = f"you had said {guess}, which is not a number"
    elif math.isclose(guess, measured, rel_tol=0.005, abs_tol=1e-9):
        verdict = f"you had said {guess}: spot on"
    else:
        verdict = (
            f"you had said {guess}, {abs(guess - measured):.3g} too {'high' if guess > measured else 'low'}"
        )
    print(f"{name}: {found}; {verdict}.")


def by_hand(name: str, answers: Mapping[str, float | str | None]) -> None:
    """Say of each entry of a table worked out on paper whether it is right.

    Args:
        name: which table.
        answers: the entries; numbers count when right to two decimals, None is still open.

    Raises:
        KeyError: an entry is not in that table.
    """
    for entry, answer in answers.items():
        truth = _BY_HAND[name][entry]
        if answer is None:
            verdict = "still open"
        elif isinstance(truth, str):
            verdict = "right" if _folded(answer) == truth else "look again"
        else:
            verdict = "right" if not isinstance(answer, str) and abs(answer - truth) < 0.01 else "look again"
        print(f"{entry:<26} {'' if answer is None else answer!s:<8} {verdict}")


def _folded(answer: Answer) -> str:
    return str(answer).strip().casefold()
