"""Guesses made before a cell is run and laid beside what it measures, and answers worked out on paper."""

import json
import math
import tomllib
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path

from exercise_code.support.paths import ASSIGNMENTS

Answer = bool | int | float | str

_guesses: dict[str, Answer] = {}

VALUES, HASHES = "on_paper.toml", "on_paper.json"
"""What the exercises on paper of an assignment come to, and what students get in its place."""


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
    number = _number(guess)
    if isinstance(measured, bool | str):
        verdict = "as you said" if _folded(guess) == _folded(measured) else f"you had said {guess}"
    elif number is None:
        verdict = f"you had said {guess}, which is not a number"
    elif math.isclose(number, measured, rel_tol=0.005, abs_tol=1e-9):
        verdict = f"you had said {guess}: spot on"
    else:
        verdict = (
            f"you had said {guess}, {abs(number - measured):.3g} too {'high' if number > measured else 'low'}"
        )
    print(f"{name}: {found}; {verdict}.")


def by_hand(name: str, answers: Mapping[str, Answer | None]) -> None:
    """Say of each entry of a table worked out on paper whether it is right.

    Args:
        name: which table, of whichever assignment.
        answers: the entries; numbers count when right to two decimals, what is None or missing is still open.

    Raises:
        KeyError: there is no such table, or an entry is not in it.
    """
    table = _tables()[name]
    for entry in dict.fromkeys([*answers, *table]):
        accepted, answer = table[entry], answers.get(entry)
        if answer is None:
            verdict = "still open"
        else:
            verdict = "right" if _hash(name, entry, _canonical(answer)) in accepted else "look again"
        print(f"{entry:<26} {'' if answer is None else answer!s:<8} {verdict}")


def hashed_tables(path: Path) -> dict[str, dict[str, list[str]]]:
    """The tables of an `on_paper.toml`, with the hashes of the answers that count as right to each entry."""
    tables = tomllib.loads(path.read_text(encoding="utf-8"))
    return {
        name: {
            entry: [_hash(name, entry, form) for form in _accepted(truth)] for entry, truth in table.items()
        }
        for name, table in tables.items()
    }


def _tables() -> dict[str, dict[str, list[str]]]:
    """The tables of all assignments."""
    tables: dict[str, dict[str, list[str]]] = {}
    for path in sorted(ASSIGNMENTS.glob(f"*/{HASHES}")):
        tables |= json.loads(path.read_text(encoding="utf-8"))
    for path in sorted(ASSIGNMENTS.glob(f"*/{VALUES}")):
        tables |= hashed_tables(path)
    return tables


def _accepted(truth: float | str) -> Iterator[str]:
    """What an answer may come to: a word, or a number of two decimals that is less than 0.01 away."""
    if isinstance(truth, str):
        yield _canonical(truth)
        return
    for hundredths in range(math.floor(100 * truth) - 1, math.ceil(100 * truth) + 2):
        if abs(hundredths - 100 * truth) < 1 - 1e-6:
            yield _canonical(hundredths / 100)


def _canonical(answer: Answer) -> str:
    number = _number(answer)
    if number is None:
        return f"word {_folded(answer)}"
    return f"number {round(number, 2) + 0.0:.2f}"  # -0.0 + 0.0 is 0.0


def _number(answer: Answer) -> float | None:
    """An answer as a finite number, though it may be in quotes; None where it is something else."""
    if isinstance(answer, bool):
        return None
    try:
        number = float(answer)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def _hash(table: str, entry: str, form: str) -> str:
    return sha256("\n".join((table, entry, form)).encode()).hexdigest()


def _folded(answer: Answer) -> str:
    return str(answer).strip().casefold()
