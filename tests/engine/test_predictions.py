"""Guesses are kept, compared, and told apart from what was measured."""

import json

import pytest
import torch

from exercise_code.support.notebook import predictions
from exercise_code.support.notebook.cards import Card, Prediction
from exercise_code.support.notebook.predictions import begin, by_hand, calibration, predict, reveal
from exercise_code.support.paths import ASSIGNMENTS

NEARER = ["itself, shifted", "another class"]


@pytest.fixture(autouse=True)
def _no_guesses(monkeypatch, tmp_path):
    monkeypatch.setattr(predictions, "KEPT", tmp_path / "predictions.json")
    begin("a01")


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
    assert "in place of None" in (out := capsys.readouterr().out)
    assert "it: 4. You had made no guess." in out


def test_a_guess_outlives_the_kernel_and_each_assignment_has_its_own():
    predict("it", "b", sure=70, of=NEARER)
    begin("a02")
    predict("it", 5, within=2)
    begin("a01")
    reveal("it", "another class")
    assert repr(calibration()).startswith("70 to 79 %   1 of 1 right\n")
    begin("a02")
    reveal("it", 9)
    assert repr(calibration()).startswith("not said     0 of 1 right\n")


def test_what_is_revealed_is_no_longer_changed(capsys):
    predict("it", None, of=[True, False])
    reveal("it", True)
    predict("it", True, sure=100, of=[True, False])
    assert "what you had said stays" in capsys.readouterr().out
    reveal("it", True)
    assert "You had made no guess." in capsys.readouterr().out
    assert repr(calibration()).startswith("1 of 1 questions were skipped.")


def test_a_folder_that_is_only_read_hinders_nobody(capsys, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(predictions, "KEPT", tmp_path / "file" / "predictions.json")
    predict("it", 3, sure=60)
    reveal("it", 3)
    assert "spot on" in capsys.readouterr().out
    assert "1 of 1 right" in repr(calibration())


@pytest.mark.parametrize("content", ["", "[]", '{"a01": 3}', '{"a01": {"it": {"gues": 3}}}'])
def test_a_damaged_file_is_written_anew(content):
    predictions.KEPT.write_text(content)
    predict("it", 3)
    assert json.loads(predictions.KEPT.read_text())["a01"]["it"]["guess"] == 3


@pytest.mark.parametrize(
    ("guess", "sure", "kept", "note"),
    [
        ("another class", 70, "another class", "Kept."),
        ("A", 50, "itself, shifted", "Kept."),
        ("C", 50, None, "'C' is none of the choices"),
        (3, 50, None, "3 is none of the choices"),
        ("A", None, "itself, shifted", "How sure are you?"),
        ("A", 140, "itself, shifted", "sure=140 is no number from 0 to 100"),
        ("A", "very", "itself, shifted", "sure='very' is no number"),
    ],
)
def test_a_card_reads_a_choice_or_its_letter(guess, sure, kept, note):
    made, said = Card("nearer", tuple(NEARER), None, None).read(guess, sure)
    assert made.guess == kept
    assert note in said
    assert (made.sure is not None) == (said == "Kept.")


def test_a_number_is_no_truth():
    assert Card("it", (True, False), None, None).read(False, 60)[0].guess is False
    assert "none of the choices" in Card("it", (True, False), None, None).read(0.5, 60)[1]


@pytest.mark.parametrize(
    ("guess", "allowed", "measured", "right"),
    [
        (35, {}, 37, True),
        (33, {}, 37, False),
        (33, {"within": 5}, 37, True),
        (-5, {"within": 5}, 0.5, False),
        (100, {"factor": 2}, 190, True),
        (100, {"factor": 2}, 210, False),
        (100, {"factor": 2}, 49, False),
        (True, {}, True, True),
        ("none", {}, "1", False),
        (None, {}, 3, False),
    ],
)
def test_how_close_a_number_has_to_be(guess, allowed, measured, right):
    assert Prediction(guess, **allowed).is_right(measured) == right


def test_a_card_in_a_page_writes_the_line_for_the_cell():
    card = Card("a < b", ("yes", "no"), None, None)
    page = card.as_html(Prediction(), "No guess yet.")
    assert page.count('type="radio"') == 2 and "a &lt; b" in page
    assert "of=[&quot;yes&quot;, &quot;no&quot;]" in page
    made = card.as_html(Prediction("no", 80), "Kept.")
    assert "<form" not in made and "You say no, 80 % sure." in made and made.count("✓") == 1
    assert "a &lt; b" in made and "yes" in made


def test_who_is_too_sure_is_told():
    for place in range(4):
        predict(f"question {place}", place, sure=95)
        reveal(f"question {place}", 3)
    said = calibration()
    assert "1 of 4 right" in said._repr_html_()
    assert "You were 95 % sure on average, and 25 % were right: surer than you may be." in repr(said)


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
