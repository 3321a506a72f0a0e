"""Guesses are kept, compared, and told apart from what was measured."""

import json

import pytest
import torch

from exercise_code.support.notebook import predictions
from exercise_code.support.notebook.predictions import by_hand, predict, reveal
from exercise_code.support.paths import ASSIGNMENTS


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
        ("many", 3, "you had said many, which is not a number"),
        ("16", 16, "you had said 16: spot on"),
        ("-2.5", 1.0, "you had said -2.5, 3.5 too low"),
        ([16, 17], 16, "you had said [16, 17], which is not a number"),
        ([16, 17], "16", "you had said [16, 17]"),
        (float("nan"), 16, "you had said nan, which is not a number"),
        (True, 16, "you had said True, which is not a number"),
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


def verdicts(capsys, table, answers):
    """The last word of each line, for the answers alone."""
    by_hand(table, answers)
    return [line.split()[-1] for line in capsys.readouterr().out.splitlines()[: len(answers)]]


def test_a_row_that_was_deleted_is_still_open(capsys):
    by_hand("three points", {"L2 to (2, 2)": 2.83})
    first, *others = capsys.readouterr().out.splitlines()
    assert first.endswith("right") and len(others) == 8
    assert all(line.endswith("still open") for line in others)


def test_the_table_by_hand_agrees_with_torch(capsys):
    points = torch.tensor([[3.0, 0], [2, 2], [-2, 3]])
    names = ["(3, 0)", "(2, 2)", "(-2, 3)"]
    for p in (1, 2):
        distances = torch.cdist(torch.zeros(1, 2), points, p=p)[0].tolist()
        mine = {f"L{p} to {name}": distance for name, distance in zip(names, distances, strict=True)}
        assert verdicts(capsys, "three points", mine) == ["right"] * 3


def test_the_table_by_hand_is_read_entry_by_entry(capsys):
    mine = {"L2 to (2, 2)": 2.83, "L2 to (-2, 3)": 13, "L1 to (2, 2)": None, "vote of all three": "Circle "}
    assert verdicts(capsys, "three points", mine) == ["right", "again", "open", "right"]
    with pytest.raises(KeyError):
        by_hand("three points", {"L3 to (2, 2)": 1})
    with pytest.raises(KeyError):
        by_hand("four points", {})


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (2.83, "right"),
        (2.82, "right"),
        (2.8284271, "right"),
        (2.8249, "right"),
        (2.81, "again"),
        (2.84, "again"),
        (-2.83, "again"),
        ("2.83", "right"),
        ([2.83, 2.84], "again"),
        (float("nan"), "again"),
        (True, "again"),
    ],
)
def test_numbers_are_right_to_two_decimals(capsys, answer, verdict):
    assert verdicts(capsys, "three points", {"L2 to (2, 2)": answer}) == [verdict]


def test_a_zero_has_no_sign(capsys):
    assert verdicts(capsys, "two layers", {"h of unit 2": -0.0, "dz of unit 2": -0.001}) == ["right"] * 2


def test_students_copies_hold_hashes_and_say_the_same(capsys, tmp_path, monkeypatch):
    mine = {
        "strides": {"x, one down": 3, "is x.T one row in memory": "no"},
        "three points": {"L1 to (2, 2)": 5},
    }
    said = [verdicts(capsys, table, answers) for table, answers in mine.items()]
    assert said == [["right", "right"], ["again"]]
    for path in ASSIGNMENTS.glob(f"*/{predictions.VALUES}"):
        (tmp_path / path.parent.name).mkdir()
        hashed = json.dumps(predictions.hashed_tables(path))
        assert "circle" not in hashed
        (tmp_path / path.parent.name / predictions.HASHES).write_text(hashed)
    monkeypatch.setattr(predictions, "ASSIGNMENTS", tmp_path)
    assert [verdicts(capsys, table, answers) for table, answers in mine.items()] == said


def test_no_two_assignments_have_a_table_of_one_name():
    names = [
        name
        for path in ASSIGNMENTS.glob(f"*/{predictions.VALUES}")
        for name in predictions.hashed_tables(path)
    ]
    assert len(names) == len(set(names)) > 1
