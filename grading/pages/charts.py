"""The charts of the teacher's page: inline SVG that takes its colours from the page."""

import io
import re
from collections import Counter
from itertools import accumulate
from statistics import median
from typing import Any

import altair as alt
from markupsafe import Markup, escape

from grading.pages.html import LOOKS, count, in_seconds, name_of, points
from grading.pages.item_analysis import USUAL, Item

CHART_WIDTH = 400


def histogram(bins: list[dict[str, Any]], scores: dict[str, float], maximum: float) -> Markup:
    """How many submissions have how many points."""
    middle = median(scores.values())
    values = [{"low": b["low"], "high": b["high"], "count": len(b["students"])} for b in bins]
    bars = (
        alt.Chart(alt.Data(values=values))
        .mark_bar(color=LOOKS["ok"].fill, binSpacing=2)
        .encode(
            x=alt.X(
                "low:Q",
                bin="binned",
                title="points",
                axis=alt.Axis(labelFlush=False),
                scale=alt.Scale(domain=[0, maximum], nice=False),
            ),
            x2="high:Q",
            y=alt.Y("count:Q", title="submissions", axis=alt.Axis(tickMinStep=1, format="d", grid=True)),
        )
    )
    place = alt.Chart(alt.Data(values=[{"median": middle}])).encode(x="median:Q")
    line = place.mark_rule(color="currentColor", strokeDash=[4, 3], strokeWidth=1.5)
    left = middle > 0.75 * maximum
    label = place.mark_text(
        text=f"median {points(middle)}",
        y=-8,
        color="currentColor",
        align="right" if left else "left",
        fontSize=13,
    )
    best = sum(score >= maximum for score in scores.values())
    finding = (
        f"Histogram of {count(len(scores), 'score')} of at most {points(maximum)} points: "
        f"the median is {points(middle)}, {best} have all points."
    )
    return _svg((bars + line + label).properties(width=CHART_WIDTH - 45, height=230), "histogram", finding)


def breakdown(words: dict[str, Counter[str]]) -> Markup:
    """What became of each check, in parts of the class."""
    segments, rows = [], []
    for check, counts in words.items():
        total = counts.total()
        ends = [*accumulate(counts[word] for word in LOOKS)]
        rows.append({"check": check, "name": name_of(check), "rate": f"{counts['ok']} of {total} ok"})
        for (word, look), end in zip(LOOKS.items(), ends, strict=True):
            share = counts[word] / total
            label = (
                f"{look.sign} {counts[word]}"
                if share > 0.09
                else str(counts[word])
                if share > 0.03 * len(str(counts[word]))
                else ""
            )
            if counts[word]:
                start = end - counts[word]
                segments.append(
                    {
                        "check": check,
                        "word": word,
                        "start": start,
                        "end": end,
                        "label": label,
                        "middle": (start + end) / 2,
                    }
                )
    y = alt.Y("check:N", sort=[*words], axis=None, scale=alt.Scale(paddingInner=0.55, paddingOuter=0.3))
    base = alt.Chart(alt.Data(values=segments)).encode(y=y)
    x = alt.X(
        "start:Q", axis=None, scale=alt.Scale(domain=[0, max(c.total() for c in words.values())], nice=False)
    )
    fills = alt.Color(
        "word:N", legend=None, scale=alt.Scale(domain=[*LOOKS], range=[look.fill for look in LOOKS.values()])
    )
    inks = alt.Color(
        "word:N", legend=None, scale=alt.Scale(domain=[*LOOKS], range=[look.text for look in LOOKS.values()])
    )
    edges = alt.condition("datum.word == 'to do'", alt.value("currentColor"), alt.value("var(--page)"))
    bars = base.mark_bar(strokeWidth=1).encode(x=x, x2="end:Q", color=fills, stroke=edges)
    labels = base.mark_text(fontSize=11).encode(x="middle:Q", text="label:N", color=inks)
    titles = alt.Chart(alt.Data(values=rows)).encode(y=y)
    left = titles.mark_text(align="left", dy=-17, x=0, color="currentColor", limit=290).encode(text="name:N")
    right = titles.mark_text(align="right", dy=-17, x=CHART_WIDTH, color="currentColor").encode(text="rate:N")
    chart = alt.layer(bars, labels, left, right).resolve_scale(color="independent")
    hardest = min(words, key=lambda check: words[check]["ok"] / words[check].total())
    finding = (
        f"Outcomes of {count(len(words), 'check')}. Fewest pass {name_of(hardest)}: "
        f"{words[hardest]['ok']} of {words[hardest].total()}."
    )
    return _svg(chart.properties(width=CHART_WIDTH, height=40 * len(words)), "breakdown", finding)


def discriminations(found: dict[str, Item]) -> Markup:
    """The discrimination of each check, on a line from -1 to 1."""
    rows = [
        {"check": id, "name": name_of(id), "value": item.discrimination, "rate": _signed(item.discrimination)}
        for id, item in found.items()
    ]
    axis = alt.Axis(values=[-1, -0.5, 0, 0.5, 1], format="+.1f", grid=False, labelFlush=False)
    x = alt.X("value:Q", title="discrimination", scale=alt.Scale(domain=[-1, 1], nice=False), axis=axis)
    known = {id: item.discrimination for id, item in found.items() if item.discrimination is not None}
    finding = f"Discrimination of {count(len(found), 'check')}."
    if known:
        low, high = min(known, key=known.__getitem__), max(known, key=known.__getitem__)
        lowest, highest = (f"{name_of(id)}: {known[id]:.2f}" for id in (low, high))
        finding += f" Lowest for {lowest}; highest for {highest}."
    limit = alt.Chart(alt.Data(values=[{"value": USUAL}])).mark_rule(
        color="currentColor", strokeDash=[4, 3], strokeWidth=1
    )
    return _svg(_dots(rows, x, [limit.encode(x="value:Q")]), "discrimination", finding)


def durations(found: dict[str, list[tuple[float, str]]]) -> Markup:
    """What each check took: a dot at the median, a line to the longest; logarithmic."""
    rows = []
    for check, runs in found.items():
        taken = [seconds for seconds, _ in runs]
        row: dict[str, str | float | None] = {
            "check": check,
            "name": name_of(check),
            "value": None,
            "most": None,
            "rate": "not run",
        }
        if taken:
            row |= {"value": median(taken), "most": max(taken), "rate": in_seconds(median(taken))}
        rows.append(row)
    axis = alt.Axis(values=[10.0**power for power in range(-6, 5)], format="~g", grid=False, labelFlush=False)
    title = "seconds (dot: median, line: to the longest)"
    x = alt.X("value:Q", title=title, scale=alt.Scale(type="log"), axis=axis)
    slowest = max(rows, key=lambda row: row["value"] or 0)
    finding = f"Seconds that {count(len(rows), 'check')} took. Slowest in the median: "
    finding += f"{slowest['name']}, {slowest['rate']}."
    return _svg(_dots(rows, x, [], "most:Q"), "durations", finding)


def _signed(value: float | None) -> str:
    return "not defined" if value is None else f"{value:+.2f}".replace("-", "−")


def _dots(
    rows: list[dict[str, Any]], x: alt.X, marks: list[alt.Chart], until: str | None = None
) -> alt.LayerChart | alt.FacetChart:
    """A row for each check with its name and value above a dot; `until` draws a line from it."""
    y = alt.Y(
        "check:N",
        sort=[row["check"] for row in rows],
        axis=None,
        scale=alt.Scale(paddingInner=0.55, paddingOuter=0.3),
    )
    base = alt.Chart(alt.Data(values=rows)).encode(y=y)
    there = base.transform_filter("isValid(datum.value)")
    layers = [*marks, there.mark_circle(color=LOOKS["ok"].fill, size=90, opacity=1).encode(x=x)]
    if until:
        layers.insert(0, there.mark_rule(color=LOOKS["ok"].fill, strokeWidth=2).encode(x=x, x2=until))
    names = base.mark_text(align="left", dy=-17, x=0, color="currentColor", limit=290).encode(text="name:N")
    values = base.mark_text(align="right", dy=-17, x=CHART_WIDTH, color="currentColor").encode(text="rate:N")
    return alt.layer(*layers, names, values).properties(width=CHART_WIDTH, height=40 * len(rows))


def _svg(chart: alt.TopLevelMixin, id: str, finding: str) -> Markup:
    """The chart as inline SVG that takes text colours from the page and says what it shows."""
    axis = {
        "labelColor": "currentColor",
        "titleColor": "currentColor",
        "titleFontWeight": 400,
        "labelFontSize": 12,
    }
    lines = {
        "domainColor": "#888",
        "tickColor": "#888",
        "gridColor": "#888",
        "gridOpacity": 0.3,
        "titleFontSize": 12,
    }
    chart = chart.configure(background="transparent", font="system-ui, sans-serif", padding=2)
    chart = chart.configure_view(stroke=None).configure_axis(**axis, **lines).configure_text(fontSize=12.5)
    file = io.StringIO()
    chart.save(file, format="svg")
    opening = f'<svg role="img" aria-labelledby="{id}-finding" '
    titled = f'\\g<0><title id="{id}-finding">{escape(finding)}</title>'
    return Markup(re.sub(r"<svg [^>]*>", titled, file.getvalue(), count=1).replace("<svg ", opening, 1))
