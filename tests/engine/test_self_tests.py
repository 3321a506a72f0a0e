"""A self-test answers what was chosen, and what was wrong comes back."""

import json
import sys

import pytest

from exercise_code.support.notebook import self_tests
from exercise_code.support.notebook.self_tests import again, ask_again, questions_of, self_test

TOML = """
[[sums]]
question = "1 + 1 < `3`?"
right = "b"
a = ["no", "Count on your fingers."]
b = ["yes", "It is 2."]

[[sums]]
question = "2 + 2"
right = "a"
a = ["4", "Two and two."]
b = ["5", "One too many."]
c = ["22", "That joins the digits."]
"""


@pytest.fixture(autouse=True)
def _own_questions(monkeypatch, tmp_path):
    (tmp_path / "a90_tiny").mkdir()
    (tmp_path / "a90_tiny" / self_tests.QUESTIONS).write_text(TOML, encoding="utf-8")
    monkeypatch.setattr(self_tests, "ASSIGNMENTS", tmp_path)
    monkeypatch.setattr(self_tests, "KEPT", tmp_path / "self_tests.json")
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)  # which other tests may have imported


def said(capsys, do, *args):
    """What is printed by a call."""
    capsys.readouterr()
    do(*args)
    return capsys.readouterr().out


def test_each_option_has_its_own_answer(capsys):
    replies = {letter: said(capsys, self_test, "sums", {2: letter}) for letter in "abc"}
    assert "You say a. Right. Two and two." in replies["a"]
    assert "You say b. No. One too many." in replies["b"]
    assert "You say C. " not in (upper := said(capsys, self_test, "sums", {2: " C "}))
    assert "You say c. No. That joins the digits." in upper


def test_unanswered_questions_tell_nothing(capsys):
    out = said(capsys, self_test, "sums", {1: None, 2: None})
    assert "a no\n  b yes" in out and "Put a letter in place of each None" in out
    assert not any(reply in out for each in questions_of("sums") for reply in each.replies.values())
    assert said(capsys, ask_again) == ""


def test_the_first_choice_decides_what_comes_back_and_a_right_one_ends_it(capsys):
    self_test("sums", {1: "a", 2: "a"})
    self_test("sums", {1: "b", 2: "c"})
    out = said(capsys, ask_again)
    assert "sums 1. " in out and "sums 2. " not in out
    assert 'again("sums 1", "…")' in out and "Count on your fingers" not in out
    assert "No. Count on" in said(capsys, again, "sums 1", "a")
    assert "sums 1. " in said(capsys, ask_again)
    assert "Right. It is 2." in said(capsys, again, "sums 1", "b")
    assert said(capsys, ask_again) == ""


def test_what_comes_back_waits_for_another_notebook(capsys, tmp_path):
    self_test("sums", {1: "a"})
    other = tmp_path / "other.ipynb"
    for name, asked in {"here": True, "other": False}.items():
        cells = [{"source": ["self_test('sums', {1: None})"] if asked else "x = 1"}]
        (tmp_path / f"{name}.ipynb").write_text(json.dumps({"cells": cells}), encoding="utf-8")
    assert said(capsys, ask_again, tmp_path / "here.ipynb") == ""
    assert "sums 1. " in said(capsys, ask_again, other)


@pytest.mark.parametrize("content", ["", "[]", '{"cells": 3}', '{"cells": [{}]}'])
def test_a_notebook_that_cannot_be_read_holds_nothing_back(capsys, tmp_path, content):
    self_test("sums", {1: "a"})
    (tmp_path / "it.ipynb").write_text(content, encoding="utf-8")
    assert "sums 1. " in said(capsys, ask_again, tmp_path / "it.ipynb")
    assert "sums 1. " in said(capsys, ask_again, tmp_path / "missing.ipynb")


@pytest.mark.parametrize(
    ("call", "told"),
    [
        ((self_test, "sums", {1: "d"}), "'d' is none of the letters: write 'a' or 'b'."),
        ((self_test, "sums", {1: 3}), "3 is none of the letters"),
        ((self_test, "sums", {7: "a"}), "There is no question 7: they are 1 to 2."),
        ((again, "sums 9", "a"), "There is no question 'sums 9'"),
        ((again, "sums 1", "z"), "'z' is none of the letters"),
    ],
)
def test_bad_input_is_told_and_kept_nowhere(capsys, call, told):
    assert told in said(capsys, *call)
    assert said(capsys, ask_again) == ""


def test_no_such_self_test():
    with pytest.raises(KeyError, match="no self-test 'products'"):
        self_test("products", {})


@pytest.mark.parametrize("content", ["", "[]", '{"sums 1": 3}', '{"sums 1": []}'])
def test_a_damaged_file_is_written_anew(capsys, content):
    self_tests.KEPT.write_text(content)
    self_test("sums", {2: "b"})
    assert "sums 2. " in said(capsys, ask_again)


def test_a_folder_that_is_only_read_hinders_nobody(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(self_tests, "KEPT", tmp_path / "a90_tiny" / self_tests.QUESTIONS / "kept.json")
    assert "One too many" in said(capsys, self_test, "sums", {2: "b"})


def test_a_page_has_code_as_code_and_marks_what_was_chosen():
    question = questions_of("sums")[0]
    page = self_tests._as_html((question, *question.read("a")))
    assert "1 + 1 &lt; <code>3</code>?" in page
    assert page.count('class="picked wrong"') == 1 and "made" not in page
    assert "workbook-card made" in self_tests._as_html((question, *question.read("b")))


def test_no_more_than_three_come_back_at_once(capsys, tmp_path):
    (tmp_path / "a90_tiny" / self_tests.QUESTIONS).write_text(TOML * 3, encoding="utf-8")
    self_test("sums", {1: "a", 3: "a", 5: "a", 2: "b", 4: "b"})
    out = said(capsys, ask_again)
    assert [name in out for name in ("sums 1.", "sums 2.", "sums 3.", "sums 4.", "sums 5.")].count(True) == 3
