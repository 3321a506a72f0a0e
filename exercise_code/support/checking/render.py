"""Show verdicts: HTML for notebooks and pages, rich for terminals."""

import html
import os
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Protocol

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from exercise_code.support.checking.judge import PROMISES, Verdict
from exercise_code.support.paths import ROOT

WORDS = {
    "passed": "ok",
    "failed": "wrong",
    "error": "error",
    "not_written": "to do",
    "blocked": "blocked",
    "timeout": "too slow",
    "crashed": "crashed",
    "not_deterministic": "wrong",
}
COLOURS = {"ok": "#0072b2", "to do": "#767676", "blocked": "#767676", "hint": "#9a6700"}
WRONG = "#c4400a"
FILE = re.compile(r"\bexercise_code/[\w/]+\.py\b")

STYLE = f"""
<style>
.workbook-checks {{font: 13px/1.5 system-ui, sans-serif; max-width: 60em; margin: .4em 0;
  overflow-wrap: anywhere}}
.workbook-checks > div {{display: grid; grid-template-columns: 6em minmax(0, 1fr) auto; column-gap: .8em;
  padding: .35em 0; border-top: 1px solid #8884}}
.workbook-checks .status {{place-self: start; padding: 0 .5em; border-radius: .3em; color: #fff;
  font-weight: 600; white-space: nowrap}}
.workbook-checks .name {{font-family: monospace; font-weight: 600}}
.workbook-checks a {{color: inherit}}
.workbook-checks p {{margin: .1em 0; line-height: inherit}} .workbook-checks .quiet {{opacity: .75}}
.workbook-checks .hint {{border-left: 3px solid #e69f00; padding-left: .6em}}
.workbook-checks .ok {{background: {COLOURS["ok"]}}} .workbook-checks .bad {{background: {WRONG}}}
.workbook-checks .open {{background: {COLOURS["to do"]}}}
.workbook-checks .scroll {{overflow-x: auto; margin: .4em 0}}
.workbook-checks table.values {{border-collapse: collapse; font-size: 12px;
  font-variant-numeric: tabular-nums; margin: 0; color: inherit; overflow-wrap: normal}}
.workbook-checks table.values caption {{text-align: left; padding: .2em 0; caption-side: top; color: inherit}}
.workbook-checks table.values :is(td, th) {{border: 1px solid #8886; padding: .1em .5em; text-align: right;
  white-space: nowrap; font-weight: 400; background: none}}
.workbook-checks table.values td.wrong {{font-weight: 700; box-shadow: inset 4px 0 {WRONG};
  padding-left: .8em}}
.workbook-checks table.values small {{display: block; font-weight: 400; opacity: .8}}
.workbook-checks .pictures {{display: flex; flex-wrap: wrap; gap: .6em 1.4em; align-items: flex-end}}
.workbook-checks figure {{margin: 0}}
.workbook-checks img {{image-rendering: pixelated; max-width: 100%; border: 1px solid #8886}}
.workbook-checks .scale {{display: inline-block; width: 15em; margin: .2em 1.4em .2em 0; font-size: 12px}}
.workbook-checks .scale i {{display: block; height: .6em; border-radius: 2px}}
.workbook-checks .scale span {{display: flex; justify-content: space-between}}
</style>
"""
"""White words on a ground of their own, legible on any page."""


class Drawn(Protocol):
    """A wrong result beside the expected one, as HTML."""

    def to_html(self) -> str: ...


def to_html(
    verdicts: Iterable[Verdict], notes: Iterable[str] = (), drawn: Mapping[str, Drawn] | None = None
) -> str:
    """A row for each check and a last one for the points, below the notes; they look alike everywhere.

    Args:
        verdicts: of the checks.
        notes: sentences above.
        drawn: for checks that are wrong, what came beside what was expected; of unwritten ones, the task.
    """
    verdicts = list(verdicts)
    total = (
        f"{_points(sum(v.points for v in verdicts))} of {_points(sum(v.max_points for v in verdicts))} points"
    )
    cells = f'<span role="cell"></span><span role="cell"></span><b role="cell">{total}</b>'
    summary = f'<div role="row">{cells}</div>' if len(verdicts) > 1 else ""
    said = "".join(f"<p>{_marked(note)}</p>" for note in notes)
    same = same_errors(verdicts)
    body = "".join(_row(verdict, same, (drawn or {}).get(verdict.check)) for verdict in verdicts)
    rows = f'<div class="workbook-checks" role="table">{body}{summary}</div>'
    return f'{STYLE}<div class="workbook-checks">{said}</div>{rows}' if said else f"{STYLE}{rows}"


def to_text(verdicts: Iterable[Verdict], console: Console | None = None, notes: Iterable[str] = ()) -> str:
    """The same table as text; printed in colour where a console is given."""
    page = Group(*map(Text, notes), to_table(verdicts))
    if console is not None:
        console.print(page)
        return ""
    return plain(page)


def plain(page: RenderableType) -> str:
    """What a terminal without colours shows, wherever this runs."""
    console = Console(width=100, no_color=True, force_jupyter=False, force_terminal=False)
    with console.capture() as captured:
        console.print(page)
    return "\n".join(line.rstrip() for line in captured.get().splitlines())


def to_table(verdicts: Iterable[Verdict]) -> Table:
    """A row for each check and a last one for the points, for a terminal."""
    verdicts = list(verdicts)
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(ratio=1)
    table.add_column(justify="right", no_wrap=True)
    same = same_errors(verdicts)
    for verdict in verdicts:
        word = WORDS[verdict.status]
        lines = [Text(_name(verdict), style="bold"), *map(Text, _faults(verdict, same))]
        if verdict.followed:
            lines.append(Text(verdict.followed))
        if kept := _kept(verdict):
            lines.append(Text(kept, style="dim"))
        if verdict.hint:
            lines.append(Text(verdict.hint, style=COLOURS["hint"]))
        table.add_row(Text(word, style=COLOURS.get(word, WRONG)), Group(*lines), _score(verdict))
    if len(verdicts) > 1:
        total = sum(verdict.points for verdict in verdicts), sum(verdict.max_points for verdict in verdicts)
        table.add_row("", "", f"{_points(total[0])} of {_points(total[1])} points")
    return table


def to_mime(
    verdicts: list[Verdict],
    points: float,
    notes: Iterable[str] = (),
    drawn: Mapping[str, Drawn] | None = None,
) -> dict[str, str]:
    """For IPython: in a kernel HTML, and as text the points alone, which nbgrader reads; else the text.

    Files of exercises are links there, from the folder that the notebook works in.
    """
    if "ipykernel" in sys.modules:
        page = FILE.sub(_link, to_html(verdicts, notes, drawn))
        return {"text/html": page, "text/plain": str(float(points))}
    return {"text/plain": to_text(verdicts, notes=notes)}


def _link(file: re.Match[str]) -> str:
    return f'<a href="{Path(os.path.relpath(ROOT / file[0])).as_posix()}">{file[0]}</a>'


def _row(verdict: Verdict, same: Mapping[str, Verdict], drawn: Drawn | None = None) -> str:
    word = WORDS[verdict.status]
    tone = "ok" if word == "ok" else "open" if word in COLOURS else "bad"
    lines = "".join(f"<p>{_marked(line)}</p>" for line in _faults(verdict, same))
    if verdict.followed:
        lines += f"<p>{_marked(verdict.followed)}</p>"
    if kept := _kept(verdict):
        lines += f'<p class="quiet">{_marked(kept)}</p>'
    if verdict.hint:
        lines += f'<p class="hint"><b>Hint.</b> {_marked(verdict.hint)}</p>'
    if drawn and {"answer", "state"} & verdict.faults.keys() and verdict.status != "blocked":
        lines += drawn.to_html()
    name = f'<span class="name">{html.escape(_name(verdict))}</span>'
    return (
        f'<div role="row"><span role="cell" class="status {tone}">{word}</span>'
        f'<div role="cell">{name}{lines}</div><span role="cell">{_score(verdict)}</span></div>'
    )


def same_errors(verdicts: Iterable[Verdict]) -> dict[str, Verdict]:
    """For checks that ended in an error which an earlier one ended in too: the first of these."""
    first: dict[str, Verdict] = {}
    again = {}
    for verdict in verdicts:
        if verdict.status == "error" and first.setdefault(verdict.message, verdict) is not verdict:
            again[verdict.check] = first[verdict.message]
    return again


def _faults(verdict: Verdict, same: Mapping[str, Verdict]) -> list[str]:
    if verdict.check in same:
        return [f"for the same reason as {_name(same[verdict.check])}"]
    return [
        text if aspect in ("state", "answer") else f"{aspect}: {text}"
        for aspect, text in verdict.faults.items()
    ]


def _kept(verdict: Verdict) -> str:
    """What is right, in one line; where all is, without what every check asks for."""
    if verdict.faults:
        return f"right: {' · '.join(verdict.kept)}" if verdict.kept else ""
    return " · ".join(kept for kept in verdict.kept if kept not in PROMISES)


def _name(verdict: Verdict) -> str:
    return verdict.check.partition(".")[2].replace(":", ": ")


def _score(verdict: Verdict) -> str:
    return f"{_points(verdict.points)} of {_points(verdict.max_points)}"


def _points(points: float) -> str:
    return f"{points:g}"


def _marked(text: str) -> str:
    parts = html.escape(text).split("`")
    return "".join(f"<code>{part}</code>" if index % 2 else part for index, part in enumerate(parts))
