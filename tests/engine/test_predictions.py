"""Guesses are kept, compared, and told apart from what was measured."""

import pytest
import torch

from exercise_code.support.notebook import predictions
from exercise_code.support.notebook.predictions import by_hand, predict, reveal


@pytest.fixture(autouse=True)
def _no_guesses(monkeypatch):
    monkeypatch.setattr(predictions, "_guesses", {})


@pytest.mark.parametrize(
    ("guess", "measured", "verdict"),
    [
        (-240, 16, "you had said -240, 256 too low"),
        (2, 1.0, "you had said 2, 1 too high"),
        (0.94, 0.9415, "spot on"),
        (0, 0.0, "spot on"),
        ("Both ends ", "both ends", "as you said"),
        ("neither", "both ends", "you had said neither"),
        (False, True, "you had said False"),
        ("many", 3, "which is not a number"),
    ],
)
def test_a_guess_is_laid_beside_the_measured_value(capsys, guess, measured, verdict):
    predict("it", guess)
    capsys.readouterr()
    reveal("it", measured)
    assert verdict in capsys.readouterr().out


def test_without_a_guess_the_value_is_still_told(capsys):
    predict("it", 3)
    predict("it", None)
    reveal("it", 4)
    assert "no guess yet" in (out := capsys.readouterr().out)
    assert "it: 4. You had made no guess." in out


def test_the_table_by_hand_agrees_with_torch():
    points = torch.tensor([[3.0, 0], [2, 2], [-2, 3]])
    names = ["(3, 0)", "(2, 2)", "(-2, 3)"]
    for p in (1, 2):
        for name, distance in zip(names, torch.cdist(torch.zeros(1, 2), points, p=p)[0], strict=True):
            assert predictions._BY_HAND["three points"][f"L{p} to {name}"] == pytest.approx(distance.item())


def test_the_table_by_hand_is_read_entry_by_entry(capsys):
    by_hand(
        "three points",
        {"L2 to (2, 2)": 2.83, "L2 to (-2, 3)": 13, "L1 to (2, 2)": None, "vote of all three": "Circle"},
    )
    verdicts = [line.split()[-1] for line in capsys.readouterr().out.splitlines()]
    assert verdicts == ["right", "again", "open", "right"]
    with pytest.raises(KeyError):
        by_hand("three points", {"L3 to (2, 2)": 1})
