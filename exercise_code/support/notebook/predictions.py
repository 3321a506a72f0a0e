"""Guesses made before a cell is run and laid beside what it measures, and answers worked out on paper."""

import json
import math
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Any

from exercise_code.support.notebook.cards import (
    Answer,
    Calibration,
    Card,
    Prediction,
    as_number,
    folded,
    show_card,
)
from exercise_code.support.paths import ASSIGNMENTS, ROOT

VALUES, HASHES = "on_paper.toml", "on_paper.json"
"""What the exercises on paper of an assignment come to, and what students get in its place."""
KEPT = ROOT / ".predictions.json"
"""What was predicted, by assignment and name."""

_assignment = ""
_here: dict[str, Prediction] = {}
"""What this process has predicted, also where the folder cannot be written to."""


def begin(assignment: str) -> None:
    """Say whose predictions follow (`a01`); the set-up cell does."""
    global _assignment
    _assignment = assignment
    _here.clear()


def predict(
    name: str,
    guess: Answer | None,
    *,
    sure: float | None = None,
    of: Sequence[Answer] = (),
    within: float | None = None,
    factor: float | None = None,
) -> None:
    """Show a card with a question, and keep the guess until `reveal` asks for it.

    What has been revealed is not changed any more.

    Args:
        name: what is guessed; no two of an assignment have one name.
        guess: one of the choices or its letter, or a number; None means that none has been made.
        sure: how sure you are, in per cent.
        of: the choices; any number if there are none.
        within: a number counts as right up to this distance.
        factor: or up to this factor; a tenth, if neither is given.
    """
    card = Card(name, tuple(of), within, factor)
    known = _recall(name)
    if known.measured is not None:
        show_card(card, known, "It has been revealed: what you had said stays.")
        return
    made, note = card.read(guess, sure)
    _keep(name, made)
    show_card(card, made, note)


def reveal(name: str, measured: Answer) -> None:
    """Print the guess beside the measured value, and keep whether it was right.

    Args:
        name: the name that the guess was stored under.
        measured: the value found; numbers are told how far off the guess is, the rest whether it agrees.
    """
    found = f"{measured:.4g}" if isinstance(measured, float) else str(measured)
    made = _recall(name)
    _keep(name, made.beside(measured))
    guess = made.guess
    if guess is None:
        print(f"{name}: {found}. You had made no guess.")
        return
    number = as_number(guess)
    if isinstance(measured, bool | str):
        verdict = "as you said" if folded(guess) == folded(measured) else f"you had said {guess}"
    elif number is None:
        verdict = f"you had said {guess}, which is not a number"
    elif math.isclose(number, measured, rel_tol=0.005, abs_tol=1e-9):
        verdict = f"you had said {guess}: spot on"
    else:
        verdict = (
            f"you had said {guess}, {abs(number - measured):.3g} too {'high' if number > measured else 'low'}"
        )
        verdict += ", which counts as right" if made.is_right(measured) else ""
    print(f"{name}: {found}; {verdict}.")


def calibration() -> Calibration:
    """How many predictions of this assignment were right, for each degree of confidence."""
    return Calibration([*({**_all().get(_assignment, {}), **_here}).values()])


def _recall(name: str) -> Prediction:
    return _here.get(name) or _all().get(_assignment, {}).get(name) or Prediction()


def _keep(name: str, prediction: Prediction) -> None:
    _here[name] = prediction
    book = _all()
    book.setdefault(_assignment, {})[name] = prediction
    new = KEPT.with_suffix(".new")
    plain = {each: {key: asdict(made) for key, made in part.items()} for each, part in book.items()}
    try:
        new.write_text(json.dumps(plain, indent=1), encoding="utf-8")
        new.replace(KEPT)
    except OSError:  # a folder that is only read, as at grading
        return


def _all() -> dict[str, dict[str, Prediction]]:
    try:
        book: dict[str, Any] = json.loads(KEPT.read_text(encoding="utf-8"))
        return {part: {name: Prediction(**made) for name, made in all.items()} for part, all in book.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


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
    number = as_number(answer)
    if number is None:
        return f"word {folded(answer)}"
    return f"number {round(number, 2) + 0.0:.2f}"  # -0.0 + 0.0 is 0.0


def _hash(table: str, entry: str, form: str) -> str:
    return sha256("\n".join((table, entry, form)).encode()).hexdigest()
