"""What the pages have in common: colours, words, templates."""

import functools
import re
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from exercise_code.support.checking.render import WORDS
from exercise_code.support.checking.tensor_pictures import BLUE, VERMILLION, plain
from grading.scores.exports import waiting

LIGHT = {
    "page": "#ffffff",
    "panel": "#f4f6f8",
    "ink": "#1b2127",
    "quiet": "#56606a",
    "line": "#cfd6dc",
    "link": "#005a8f",
    "mark": "#ffe6a8",
}
DARK = {
    "page": "#14181c",
    "panel": "#1e242a",
    "ink": "#e4e8ec",
    "quiet": "#a6b0ba",
    "line": "#3b444d",
    "link": "#7cc4f0",
    "mark": "#55430f",
}
PURPLE, ORANGE = "#CC79A7", "#E69F00"


class Look(NamedTuple):
    """How a status looks beside its word: a sign, and colours of Okabe and Ito or of the page."""

    sign: str
    fill: str
    text: str


LOOKS = {
    "ok": Look("✓", BLUE, "#ffffff"),
    "wrong": Look("✗", VERMILLION, "#000000"),
    "error": Look("!", PURPLE, "#000000"),
    "too slow": Look("◷", "var(--ink)", "var(--page)"),
    "crashed": Look("■", "var(--ink)", "var(--page)"),
    "blocked": Look("‖", "#999999", "#000000"),
    "to do": Look("○", "var(--page)", "var(--ink)"),
}
"""By the words of `render.WORDS`, in the order of the charts."""

RUNS = {
    "float32": "as asked",
    "again": "called again",
    "contiguous": "called again, with contiguous inputs",
    "afresh": "called again, afresh",
    "float64": "in float64",
    "accelerator": "on an accelerator",
    "large": "with more items",
}


def render(template: str, **values: Any) -> str:
    """Fill a template of `grading/templates`."""
    return _environment().get_template(f"{template}.html.j2").render(light=LIGHT, dark=DARK, **values)


def write_page(path: Path, page: str) -> None:
    """Write a page; what cannot be encoded becomes a question mark."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(page.encode("utf-8", "replace"))


def name_of(check: str) -> str:
    """A check as people call it: `predict_labels: ties`."""
    return check.partition(".")[2].replace(":", ": ")


def count(number: int, noun: str) -> str:
    """1 student, 2 students."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def points(number: float) -> str:
    """Points with no more digits than they have."""
    return f"{round(number, 2):g}"


def in_seconds(seconds: float) -> str:
    """A duration in three digits: 12.3 s, 4.56 ms."""
    return f"{seconds:.3g} s" if seconds >= 1 else f"{1000 * seconds:.3g} ms"


@functools.cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {"looks": LOOKS, "runs": RUNS}
    environment.filters |= {
        "name": lambda check: Markup(re.sub("([_.])", r"\1<wbr>", str(escape(name_of(check))))),
        "count": count,
        "waiting": waiting,
        "points": points,
        "seconds": in_seconds,
        "text": _text,
        "word": lambda verdict: WORDS[verdict.status],
        "link": lambda id: f"feedback/{quote(id, safe='', errors='surrogateescape')}.html",
    }
    return environment


def _text(text: object) -> Markup:
    """Escaped, cut, and with `code` between backticks."""
    return Markup(re.sub("`([^`]+)`", r"<code>\1</code>", str(escape(plain(text)))))
