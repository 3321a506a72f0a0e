"""Self-tests that answer the option that was chosen; what was wrong is asked again in the next notebook."""

import html
import json
import re
import sys
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from exercise_code.support.notebook.cards import STYLE
from exercise_code.support.paths import ASSIGNMENTS, ROOT

QUESTIONS = "self_tests.toml"
"""The questions of an assignment: `[[knn]]` for each of the self-test `knn`."""
KEPT = ROOT / ".self_tests.json"
"""For each question the first letter chosen, and the one chosen when it came back."""
AT_ONCE = 3
"""So many questions come back at most."""


@dataclass(frozen=True)
class Question:
    """A question with its options.

    Attributes:
        name: of the self-test, and its number there: `knn 3`.
        text: the question.
        options: by letter.
        replies: what is said to whom chooses it, by letter.
        right: the letter of the right option.
    """

    name: str
    text: str
    options: Mapping[str, str]
    replies: Mapping[str, str]
    right: str

    @property
    def test(self) -> str:
        """The self-test that it belongs to."""
        return self.name.rpartition(" ")[0]

    def read(self, answer: object) -> tuple[str | None, str]:
        """The letter that a student has chosen, and what to say of it."""
        if answer is None:
            return None, ""
        letter = str(answer).strip().casefold()
        if letter not in self.options:
            return None, f"{answer!r} is none of the letters: write {' or '.join(map(repr, self.options))}."
        return letter, f"{'Right' if letter == self.right else 'No'}. {self.replies[letter]}"


def self_test(name: str, answers: Mapping[int, str | None]) -> None:
    """Ask the questions of a self-test, and answer each option that was chosen.

    The first choice is kept: what is wrong in it comes back at the start of the next notebook.

    Args:
        name: of the self-test.
        answers: for the number of each question the letter of an option, or None.

    Raises:
        KeyError: there is no self-test of that name.
    """
    questions = {int(each.name.split()[-1]): each for each in questions_of(name)}
    rows = []
    book = _kept()
    for number, question in questions.items():
        letter, reply = question.read(answers.get(number))
        rows.append((question, letter, reply))
        if letter is not None:
            book.setdefault(question.name, [letter])
    if unknown := [number for number in answers if number not in questions]:
        print(f"There is no question {', '.join(map(str, unknown))}: they are 1 to {len(questions)}.")
    _keep(book)
    open_ = sum(letter is None for _, letter, _ in rows)
    _show(rows, "Put a letter in place of each None, and run the cell." if open_ else "")


def again(name: str, answer: str) -> None:
    """Answer a question that has come back.

    Args:
        name: of the question, such as `knn 3`.
        answer: the letter of an option.
    """
    questions = {question.name: question for question in _all_questions()}
    if name not in questions:
        print(f"There is no question {name!r}: its name stands above it.")
        return
    letter, reply = questions[name].read(answer)
    book = _kept()
    if letter is not None and name in book:
        book[name] = [book[name][0], letter]
        _keep(book)
    _show([(questions[name], letter, reply)], "")


def ask_again(notebook: Path | None = None) -> None:
    """Show the questions that were answered wrongly the last time, if there are any.

    Args:
        notebook: the one that asks; what it has in its own self-test is not asked again there.
    """
    book, here = _kept(), _tests_in(notebook)
    due = [
        each
        for each in _all_questions()
        if each.name in book and book[each.name][-1] != each.right and each.test not in here
    ]
    if not due:
        return
    line = f'from exercise_code.support.notebook.self_tests import again; again("{due[0].name}", "…")'
    note = f"Answered wrongly the last time. Try again in a new cell: {line}"
    _show([(each, None, "") for each in due[:AT_ONCE]], note)


def questions_of(name: str) -> list[Question]:
    """The questions of one self-test, in order.

    Raises:
        KeyError: there is none of that name.
    """
    found = [each for each in _all_questions() if each.test == name]
    if not found:
        raise KeyError(f"there is no self-test {name!r}")
    return found


def read_questions(path: Path) -> list[Question]:
    """All questions of a file."""
    tests = tomllib.loads(path.read_text(encoding="utf-8"))
    return [
        _question(f"{name} {number}", **each) for name in tests for number, each in enumerate(tests[name], 1)
    ]


def _question(name: str, question: str, right: str, **options: list[str]) -> Question:
    texts, replies = ({letter: pair[place] for letter, pair in options.items()} for place in (0, 1))
    return Question(name, question, texts, replies, right)


def _tests_in(notebook: Path | None) -> set[str]:
    """The self-tests that a notebook asks; none where it cannot be read."""
    try:
        cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"] if notebook else []
        sources = ["".join(cell["source"]) for cell in cells]
    except (OSError, ValueError, KeyError, TypeError):
        return set()
    return {name for source in sources for name in re.findall(r"""self_test\(["'](.*?)["']""", source)}


def _all_questions() -> list[Question]:
    return [each for path in sorted(ASSIGNMENTS.glob(f"*/{QUESTIONS}")) for each in read_questions(path)]


def _kept() -> dict[str, list[str]]:
    try:
        book = json.loads(KEPT.read_text(encoding="utf-8"))
        return {str(name): [str(letter) for letter in letters] for name, letters in book.items() if letters}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _keep(book: Mapping[str, list[str]]) -> None:
    new = KEPT.with_suffix(".new")
    try:
        new.write_text(json.dumps(book, indent=1), encoding="utf-8")
        new.replace(KEPT)
    except OSError:  # a folder that is only read, as at grading
        return


Row = tuple[Question, str | None, str]


def _show(rows: Sequence[Row], note: str) -> None:
    text = "\n\n".join([*map(_as_text, rows), *([note] if note else [])])
    if "ipykernel" in sys.modules:
        from IPython.display import display

        foot = f'<p class="quiet">{html.escape(note)}</p>' if note else ""
        display({"text/html": f"{STYLE}{''.join(map(_as_html, rows))}{foot}", "text/plain": text}, raw=True)
    else:
        print(text)


def _as_text(row: Row) -> str:
    question, letter, reply = row
    options = "".join(f"\n  {each} {option}" for each, option in question.options.items())
    said = f"\n  You say {letter}. {reply}" if letter else f"\n  {reply}" if reply else ""
    return f"{question.name}. {question.text}{options}{said}"


def _as_html(row: Row) -> str:
    question, letter, reply = row
    is_right = letter == question.right
    picked = ' class="picked"' if is_right else ' class="picked wrong"'
    options = "".join(
        f"<label{picked if each == letter else ''}>{each} {_inline(option)}</label>"
        for each, option in question.options.items()
    )
    kind = "workbook-card made" if is_right else "workbook-card"
    said = f"<div>{_inline(reply)}</div>" if reply else ""
    title = f"<b>{html.escape(question.name)}</b> {_inline(question.text)}"
    return f'<div class="{kind}">{title}{options}{said}</div>'


def _inline(text: str) -> str:
    """HTML of a text with code between backticks."""
    return re.sub("`([^`]*)`", r"<code>\1</code>", html.escape(text))
