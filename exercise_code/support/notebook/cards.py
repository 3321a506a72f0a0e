"""Cards on which a prediction is made, and how well one knew what one knows."""

import html
import json
import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

Answer = bool | int | float | str

BANDS = ((0, 60), (60, 70), (70, 80), (80, 90), (90, 101))
"""Degrees of confidence that are told apart, in per cent."""

COMPOSE = (
    "const picked = this.querySelector(':checked'), sure = this.sure.value; this.percent.value = sure; "
    "this.line.value = this.dataset.line.replace('GUESS', picked ? picked.value : 'None')"
    ".replace('SURE', sure)"
)
"""Writes the line that the student puts into the cell: a page cannot reach the kernel everywhere."""

KEYS = html.escape(
    "window.workbookKeys ??= window.addEventListener('keydown', event => "
    "event.target.matches('.workbook-card input, .workbook-slider input') && event.target.toggleAttribute("
    "'data-lm-suppress-shortcuts', /^(Arrow|Home|End|Page| )/.test(event.key)), true) ?? true"
)
"""What an input does when it gets the focus: it keeps the keys that move it.

JupyterLab would go to another cell; its other keys, such as Ctrl-S, it is to have.
"""

STYLE = """
<style>
.workbook-card {font: 13px/1.6 system-ui, sans-serif; max-width: 44em; margin: .4em 0; padding: .6em 1em;
  border: 1px solid #8886; border-left: 4px solid #0072b2; border-radius: 6px}
.workbook-card.made {border-left-color: #009e73}
.workbook-card label {display: block; padding: .1em .4em; border-radius: 4px}
.workbook-card label.picked {background: #009e7333; font-weight: 600}
.workbook-card label.wrong {background: #d55e0033}
.workbook-card .quiet {opacity: .75}
.workbook-card output {font-family: ui-monospace, monospace}
.workbook-card .line {display: block; white-space: pre-wrap; user-select: all}
.workbook-card .line:not(:empty)::before {content: "Put this line into the cell, and run it:"; display: block;
  font: 13px/1.6 system-ui, sans-serif}
.workbook-card input[type=range] {vertical-align: middle; width: 12em}
.workbook-sure {font: 13px/1.6 system-ui, sans-serif; display: grid; max-width: 44em; gap: .2em 1em;
  grid-template-columns: auto 1fr auto; align-items: center; margin: .4em 0}
.workbook-sure .bar {position: relative; height: .8em; border-radius: 3px; background: #8883}
.workbook-sure .bar i {position: absolute; inset: 0 auto 0 0; border-radius: 3px; background: #009e73}
.workbook-sure .bar b {position: absolute; top: -.2em; bottom: -.2em; border-left: 2px solid currentColor}
.workbook-sure p {grid-column: 1 / -1; margin: .3em 0}
</style>
"""


def folded(answer: Answer) -> str:
    """What is compared of a word."""
    return str(answer).strip().casefold()


def as_number(answer: Answer) -> float | None:
    """An answer as a finite number, though it may be in quotes; None where it is something else."""
    if isinstance(answer, bool):
        return None
    try:
        number = float(answer)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


@dataclass(frozen=True)
class Prediction:
    """What was predicted, and what came.

    Attributes:
        guess: None where the question was skipped.
        sure: in per cent; None where it was not said.
        within: how far off a number may be.
        factor: or by which factor.
        measured: None until it is revealed.
    """

    guess: Answer | None = None
    sure: float | None = None
    within: float | None = None
    factor: float | None = None
    measured: Answer | None = None

    def beside(self, measured: Answer) -> "Prediction":
        """The same, with what was measured."""
        return replace(self, measured=measured)

    def is_right(self, measured: Answer) -> bool:
        """Whether the guess counts as right."""
        if self.guess is None or isinstance(measured, bool | str):
            return self.guess is not None and folded(self.guess) == folded(measured)
        if (number := as_number(self.guess)) is None:
            return False
        if self.factor is not None:
            return measured / self.factor <= number <= measured * self.factor
        allowed = abs(measured) / 10 if self.within is None else self.within
        return abs(number - measured) <= allowed + 1e-9


@dataclass(frozen=True)
class Card:
    """A question: its choices, or how close a number has to be."""

    name: str
    choices: tuple[Answer, ...]
    within: float | None
    factor: float | None

    @property
    def counts(self) -> str:
        """What counts as right."""
        if self.factor is not None:
            return f"A number counts as right up to a factor of {self.factor:g}."
        if self.within is None:
            return "A number counts as right when it is at most a tenth off."
        return f"A number counts as right when it is at most {self.within:g} off."

    def read(self, guess: Answer | None, sure: float | None) -> tuple[Prediction, str]:
        """What a student has put into the cell, and what to say of it."""
        open_ = Prediction(within=self.within, factor=self.factor)
        if guess is None:
            return open_, "Put your guess in place of None, how sure you are in per cent, and go on below."
        if self.choices:
            letters = dict(zip("abcdefgh", self.choices, strict=False))
            words = {folded(choice): choice for choice in self.choices}
            if (picked := words.get(folded(guess), letters.get(folded(guess)))) is None:
                return (
                    open_,
                    f"{guess!r} is none of the choices: write {' or '.join(map(repr, self.choices))}.",
                )
            guess = picked
        if sure is not None and not (isinstance(sure, int | float) and 0 <= sure <= 100):
            return replace(open_, guess=guess), f"Kept, but sure={sure!r} is no number from 0 to 100."
        made = replace(open_, guess=guess, sure=sure)
        return (
            made,
            "Kept." if sure is not None else "Kept. How sure are you? Say it with sure=…, in per cent.",
        )

    def as_text(self, made: Prediction, note: str) -> str:
        """Without any HTML."""
        said = "" if made.guess is None else f" You say {made.guess}{_sure(made)}."
        choices = "".join(
            f"\n  {letter} {choice}" for letter, choice in zip("ABCDEFGH", self.choices, strict=False)
        )
        return f"{self.name}?{said} {note}{choices or f'{chr(10)}  {self.counts}'}"

    def as_html(self, made: Prediction, note: str) -> str:
        """A form that writes the line for the cell; without scripts it is a text."""
        rows = [
            self._choice(letter, choice, made)
            for letter, choice in zip("ABCDEFGH", self.choices, strict=False)
        ]
        body = "".join(rows) or f'<div class="quiet">{html.escape(self.counts)}</div>'
        title = f"<b>{html.escape(self.name)}</b>"
        said = "" if made.guess is None else f" You say {html.escape(str(made.guess))}{_sure(made)}."
        foot = f'<div><span>{said}</span> <span class="quiet">{html.escape(note)}</span></div>'
        if made.guess is not None or not self.choices:
            kind = "workbook-card made" if made.guess is not None else "workbook-card"
            return f'{STYLE}<div class="{kind}">{title}{body}{foot}</div>'
        choices = ", ".join(map(_code, self.choices))
        line = html.escape(f"predict({_code(self.name)}, GUESS, sure=SURE, of=[{choices}])")
        low = round(100 / len(self.choices))
        slider = (
            f'<div class="quiet">sure <input type="range" onfocus="{KEYS}" name="sure" min="{low}" max="100" '
            f'value="{low}" aria-label="how sure, in per cent"> <output name="percent">{low}</output> %</div>'
            f'<output name="line" class="line"></output>'
        )
        return (
            f'{STYLE}<form class="workbook-card" data-line="{line}" oninput="{html.escape(COMPOSE)}">'
            f"{title}{body}{slider}{foot}</form>"
        )

    def _choice(self, letter: str, choice: Answer, made: Prediction) -> str:
        text = f"{letter} {html.escape(str(choice))}"
        if made.guess is not None:
            picked = made.guess == choice
            return f"<label{' class=picked' if picked else ''}>{text}{' ✓' if picked else ''}</label>"
        value = html.escape(_code(choice))
        return f'<label><input type="radio" onfocus="{KEYS}" name="guess" value="{value}"> {text}</label>'


@dataclass(frozen=True)
class Calibration:
    """Right and wrong by confidence: a table in a notebook, text elsewhere."""

    predictions: Sequence[Prediction]

    def __repr__(self) -> str:
        rows = [f"{name:<12} {right} of {asked} right" for name, right, asked, _ in self._bands()]
        return "\n".join([*rows, self._summary()])

    def _repr_html_(self) -> str:
        rows = "".join(self._row(*band) for band in self._bands())
        return f'{STYLE}<div class="workbook-sure">{rows}<p>{html.escape(self._summary())}</p></div>'

    def _row(self, name: str, right: int, asked: int, sure: float | None) -> str:
        words, share = f"{right} of {asked} right", 100 * right / asked
        mark = "" if sure is None else f'<b style="left: {sure:.0f}%"></b>'
        filled = f'<i style="width: {share:.0f}%"></i>{mark}'
        bar = f'<span class="bar" role="img" aria-label="{words}">{filled}</span>'
        return f"<span>{name}</span>{bar}<span>{words}</span>"

    def _bands(self) -> Iterator[tuple[str, int, int, float | None]]:
        """Name of each band that has predictions, how many are right, how many there are, mean confidence."""
        made = [each for each in self._revealed() if each.guess is not None]
        for low, high in BANDS:
            sure = [(each, each.sure) for each in made if each.sure is not None and low <= each.sure < high]
            if sure:
                name = f"{low} to {min(high - 1, 100)} %"
                right = sum(_right(each) for each, _ in sure)
                yield name, right, len(sure), sum(percent for _, percent in sure) / len(sure)
        if silent := [each for each in made if each.sure is None]:
            yield "not said", sum(map(_right, silent)), len(silent), None

    def _summary(self) -> str:
        revealed = self._revealed()
        made = [each for each in revealed if each.guess is not None]
        skipped = len(revealed) - len(made)
        left = f"{skipped} of {len(revealed)} questions were skipped. " if skipped else ""
        sure = [(each, each.sure) for each in made if each.sure is not None]
        if not sure:
            return f"{left}With a guess and sure=… for each, this shows how well you know what you know."
        mean = sum(percent for _, percent in sure) / len(sure)
        share = 100 * sum(_right(each) for each, _ in sure) / len(sure)
        lean = "about as sure as you may be"
        if abs(mean - share) > 10:
            lean = "surer than you may be" if mean > share else "less sure than you may be"
        return f"{left}You were {mean:.0f} % sure on average, and {share:.0f} % were right: {lean}."

    def _revealed(self) -> list[Prediction]:
        return [each for each in self.predictions if each.measured is not None]


def show_card(card: Card, made: Prediction, note: str) -> None:
    """Display a card; text where there is no notebook."""
    text = card.as_text(made, note)
    if "ipykernel" in sys.modules:
        from IPython.display import display

        display({"text/html": card.as_html(made, note), "text/plain": text}, raw=True)
    else:
        print(text)


def _code(answer: Answer) -> str:
    """An answer as it is written in a cell."""
    return json.dumps(answer, ensure_ascii=False) if isinstance(answer, str) else repr(answer)


def _right(made: Prediction) -> bool:
    return made.measured is not None and made.is_right(made.measured)


def _sure(made: Prediction) -> str:
    return "" if made.sure is None else f", {made.sure:g} % sure"
