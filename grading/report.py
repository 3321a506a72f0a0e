"""A page for the teacher: how the class did, and which misconceptions its members share."""

import io
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import accumulate
from pathlib import Path
from statistics import median
from typing import Any

import altair as alt
from markupsafe import Markup, escape

from exercise_code.support.checking.answers import Answers
from exercise_code.support.checking.assignment import Assignment
from exercise_code.support.checking.compare import difference
from exercise_code.support.checking.declare import Check
from exercise_code.support.checking.evidence import Evidence
from exercise_code.support.checking.judge import Verdict
from exercise_code.support.checking.render import WORDS
from grading.graded import Graded
from grading.on_images import OnImages
from grading.pages import LOOKS, count, name_of, plain, points, render, write_page
from grading.pictures import Panel, panels

BINS = 10
CARDS = 24
CHART_WIDTH = 400


@dataclass
class Group:
    """Students with the same wrong result; the outputs are those of the first, if values are wrong."""

    check: Check
    message: str
    hint: str
    mistake: str
    outputs: dict[str, Any] | None
    checks: list[str] = field(default_factory=list)
    students: list[str] = field(default_factory=list)
    panel: Panel | None = None


@dataclass
class Stop:
    """Students whose code ended in the same error, timeout or crash."""

    word: str
    message: str
    hint: str
    checks: list[str] = field(default_factory=list)
    students: list[str] = field(default_factory=list)


class ClassReport:
    """What the page says about a class, gathered submission by submission."""

    def __init__(self, assignment: Assignment, answers: Answers) -> None:
        """Start with nobody."""
        self.assignment, self.answers = assignment, answers
        self.scores: dict[str, float] = {}
        self.words = {check.id: Counter() for check in assignment.checks}
        self.unfinished: dict[str, dict[str, list[str]]] = {
            check.id: {"to do": [], "blocked": []} for check in assignment.checks
        }
        self.stops: dict[tuple[str, ...], Stop] = {}
        self._explained: dict[tuple[str, str], Group] = {}
        self._unexplained: dict[tuple[str, ...], list[Group]] = {}

    def add(self, graded: Graded) -> None:
        """Count one submission in."""
        student = graded.submission.id
        self.scores[student] = graded.score
        for index, (check, verdict) in enumerate(zip(self.assignment.checks, graded.verdicts, strict=True)):
            word = WORDS[verdict.status]
            self.words[check.id][word] += 1
            if word in ("to do", "blocked"):
                self.unfinished[check.id][word].append(student)
            elif word == "wrong":
                _enter(self._group(check, graded.evidence, index, verdict), check, student)
            elif word != "ok":
                _enter(self._stop(word, verdict), check, student)

    @property
    def groups(self) -> list[Group]:
        """The groups, the one with most students first."""
        found = [
            *self._explained.values(),
            *(group for groups in self._unexplained.values() for group in groups),
        ]
        return sorted(found, key=lambda group: -len(group.students))

    def _group(self, check: Check, evidence: Sequence[Evidence], index: int, verdict: Verdict) -> Group:
        explained = check.exercise, verdict.hint
        if explained in self._explained:
            return self._explained[explained]
        outputs = _outputs(evidence[index], verdict)
        if verdict.hint:
            group = Group(check, plain(verdict.message), verdict.hint, self._mistake(check, verdict), outputs)
            return self._explained.setdefault(explained, group)
        others = [_without_numbers(text) for aspect, text in verdict.faults.items() if aspect != "answer"]
        alike = self._unexplained.setdefault((check.id, *verdict.faults, *others), [])
        for group in alike:
            if outputs is None or not difference(group.outputs, outputs, check.rtol, check.atol):
                return group
        alike.append(Group(check, plain(verdict.message), "", "", outputs))
        return alike[-1]

    def _mistake(self, check: Check, verdict: Verdict) -> str:
        known = (m.name for m in self.answers.mistakes if (m.check, m.hint) == (check.id, verdict.hint))
        return next(known, "")

    def _stop(self, word: str, verdict: Verdict) -> Stop:
        stop = Stop(word, plain(verdict.message), verdict.hint)
        return self.stops.setdefault((word, _without_numbers(verdict.message), verdict.hint), stop)


def write_report(
    assignment: Assignment,
    graded: Iterable[Graded],
    answers: Answers,
    path: Path,
    *,
    seed: int,
    sandbox: dict[str, Any],
    images: OnImages | None = None,
) -> None:
    """Write the page of a class, which links to the students' pages in `feedback` beside it.

    Args:
        assignment: what was asked.
        graded: the submissions; of each only what the page needs is kept.
        answers: what was expected on the same inputs, and the known mistakes.
        path: the HTML file.
        seed: drew the hidden inputs.
        sandbox: `level`, `layers` and `missing` as in `results.json`.
        images: what the mistakes of the class cost on images.

    Raises:
        ValueError: nothing was graded.
    """
    report = ClassReport(assignment, answers)
    for item in graded:
        report.add(item)
    if not report.scores:
        raise ValueError(
            "nothing was graded, so there is nothing to report: name a folder that holds submissions"
        )
    groups = report.groups
    cards = [group for group in groups if len(group.students) > 1][:CARDS] or groups[:CARDS]
    for group in cards:
        group.panel = _panel(group, answers)
    bins = _bins(report.scores, assignment.max_points)
    page = render(
        "report",
        assignment=assignment,
        report=report,
        now=datetime.now(UTC),
        median=median(report.scores.values()),
        seed=seed,
        sandbox=sandbox,
        images=images,
        bins=bins,
        histogram=_histogram(bins, report.scores, assignment.max_points),
        breakdown=_breakdown(report.words),
        cards=cards,
        rest=groups[len(cards) :],
        stops=sorted(report.stops.values(), key=lambda stop: -len(stop.students)),
    )
    write_page(path, page)


def _enter(group: Group | Stop, check: Check, student: str) -> None:
    if check.id not in group.checks:
        group.checks.append(check.id)
    if student not in group.students[-1:]:
        group.students.append(student)


def _outputs(evidence: Evidence, verdict: Verdict) -> dict[str, Any] | None:
    """The wrong values, if values are what is wrong."""
    if evidence.problem or "answer" not in verdict.faults or evidence.runs["float32"].error:
        return None
    return evidence.runs["float32"].outputs


def _without_numbers(text: str) -> str:
    return re.sub(r"\d+", "#", plain(text))


def _panel(group: Group, answers: Answers) -> Panel | None:
    if group.outputs is None:
        return None
    expected = answers.reference[group.check.id].runs["float32"].outputs
    return next(panels(group.check, expected, group.outputs, largest_table=0), None)


def _bins(scores: dict[str, float], maximum: float) -> list[dict[str, Any]]:
    width = maximum / BINS
    bins = [{"low": index * width, "high": (index + 1) * width, "students": []} for index in range(BINS)]
    for student, score in scores.items():
        bins[min(int(score / width), BINS - 1)]["students"].append(student)
    return bins


def _histogram(bins: list[dict[str, Any]], scores: dict[str, float], maximum: float) -> Markup:
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


def _breakdown(words: dict[str, Counter]) -> Markup:
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
