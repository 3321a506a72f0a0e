"""A page for the teacher: how the class did, and which misconceptions its members share."""

import itertools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import mean, median
from typing import Any

from exercise_code.support.checking.answers import Answers
from exercise_code.support.checking.assignment import Assignment
from exercise_code.support.checking.compare import difference
from exercise_code.support.checking.declare import Check
from exercise_code.support.checking.evidence import Evidence
from exercise_code.support.checking.exercise_source import place_of
from exercise_code.support.checking.judge import Verdict, without_numbers
from exercise_code.support.checking.render import WORDS
from exercise_code.support.checking.tensor_pictures import Panel, panels, plain
from grading.pages.charts import breakdown, discriminations, durations, histogram
from grading.pages.html import render, write_page
from grading.pages.incidents import incidents
from grading.pages.item_analysis import USUAL, analyse
from grading.pages.mistake_cost import OnImages
from grading.pages.mistake_drafts import stub
from grading.submissions.records import Graded

BINS = 10
CARDS = 24
SLOWEST = 10


@dataclass
class Group:
    """Students with the same wrong result; the outputs are those of the first, if values are wrong.

    `code` counts the functions that gave it, where no mistake explains it; `stub` declares the commonest.
    """

    check: Check
    message: str
    hint: str
    mistake: str
    outputs: dict[str, Any] | None
    checks: list[str] = field(default_factory=list)
    students: list[str] = field(default_factory=list)
    code: Counter[str] = field(default_factory=Counter)
    panel: Panel | None = None
    stub: str = ""


@dataclass
class Stop:
    """Students whose code ended in the same error, timeout or crash, or was odd in the same way."""

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
        self.words: dict[str, Counter[str]] = {check.id: Counter() for check in assignment.checks}
        self.unfinished: dict[str, dict[str, list[str]]] = {
            check.id: {"to do": [], "blocked": []} for check in assignment.checks
        }
        self.points: dict[str, list[float]] = {check.id: [] for check in assignment.checks}
        self.seconds: dict[str, list[tuple[float, str]]] = {check.id: [] for check in assignment.checks}
        self.totals: list[tuple[float, str]] = []
        self.stops: dict[tuple[str, ...], Stop] = {}
        self.flaky: dict[tuple[str, str], Stop] = {}
        self.incidents: dict[str, Stop] = {}
        self.notes: dict[str, list[str]] = {}
        self._explained: dict[tuple[str, str], Group] = {}
        self._unexplained: dict[tuple[str, ...], list[Group]] = {}

    def add(self, graded: Graded) -> None:
        """Count one submission in."""
        student = graded.submission.id
        self.scores[student] = graded.score
        if graded.submission.notes:
            self.notes[student] = graded.submission.notes
        self.totals.append((sum(graded.seconds), student))
        for check, seconds in zip(self.assignment.checks, graded.seconds, strict=True):
            if seconds:
                self.seconds[check.id].append((seconds, student))
        for kind, id, text in incidents(graded):
            _enter(self.incidents.setdefault(kind, Stop(kind, plain(text), "")), id, student)
        for index, (check, verdict) in enumerate(zip(self.assignment.checks, graded.verdicts, strict=True)):
            word = WORDS[verdict.status]
            self.words[check.id][word] += 1
            self.points[check.id].append(verdict.points)
            if verdict.status == "not_deterministic" or verdict.unstable:
                _enter(self._flaky(check, verdict), check.id, student)
            if word in ("to do", "blocked"):
                self.unfinished[check.id][word].append(student)
            elif word == "wrong":
                group = self._group(check, graded.evidence, index, verdict)
                group.code.update(filter(None, [graded.code.get(check.id)]))
                _enter(group, check.id, student)
            elif word != "ok":
                _enter(self._stop(word, verdict), check.id, student)

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
        outputs = _outputs(evidence[index], verdict) if check.compared else None
        if verdict.hint:
            group = Group(check, plain(verdict.message), verdict.hint, self._mistake(check, verdict), outputs)
            return self._explained.setdefault(explained, group)
        others = [
            without_numbers(plain(text))
            for aspect, text in verdict.faults.items()
            if aspect != "answer" or not check.compared
        ]
        alike = self._unexplained.setdefault((check.id, *verdict.faults, *others), [])
        for group in alike:
            known = group.outputs
            if outputs is None or known is None or not difference(known, outputs, check.rtol, check.atol):
                return group
        alike.append(Group(check, plain(verdict.message), "", "", outputs))
        return alike[-1]

    def _mistake(self, check: Check, verdict: Verdict) -> str:
        known = (m.name for m in self.answers.mistakes if (m.check, m.hint) == (check.id, verdict.hint))
        return next(known, "")

    def _stop(self, word: str, verdict: Verdict) -> Stop:
        stop = Stop(word, plain(verdict.message), verdict.hint)
        return self.stops.setdefault((word, without_numbers(plain(verdict.message)), verdict.hint), stop)

    def _flaky(self, check: Check, verdict: Verdict) -> Stop:
        kept = "" if verdict.status == "not_deterministic" else "the second run counts; "
        text = f"{kept}{verdict.unstable if kept else verdict.message}"
        return self.flaky.setdefault((check.id, kept), Stop("flaky", plain(text), ""))


def write_report(
    assignment: Assignment,
    graded: Iterable[Graded],
    answers: Answers,
    path: Path,
    *,
    seed: int,
    sandbox: dict[str, Any],
    images: OnImages | None = None,
    late: Mapping[str, str] | None = None,
    entries: Sequence[Mapping[str, Any]] = (),
    changes: Mapping[str, float] | None = None,
    missing: Mapping[str, str] | None = None,
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
        late: what lateness costs, by student.
        entries: the submissions of `results.json`.
        changes: of final scores since the last run, by student.
        missing: the names of those who handed in nothing, by student.

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
    _add_stubs(groups, assignment)
    items = analyse(report.points, {check.id: check.points for check in assignment.checks})
    bins = _bins(report.scores, assignment.max_points)
    page = render(
        "report",
        assignment=assignment,
        report=report,
        now=datetime.now(UTC),
        mean=mean(report.scores.values()),
        median=median(report.scores.values()),
        seed=seed,
        sandbox=sandbox,
        images=images,
        late=late or {},
        entries=entries,
        changes=changes or {},
        missing=missing or {},
        bins=bins,
        histogram=histogram(bins, report.scores, assignment.max_points),
        breakdown=breakdown(report.words),
        items=items,
        usual=USUAL,
        discriminations=discriminations(items),
        durations=durations(report.seconds) if any(report.seconds.values()) else "",
        taken=_durations_table(report),
        slowest=sorted(report.totals, reverse=True)[:SLOWEST],
        cards=cards,
        rest=groups[len(cards) :],
        stops=sorted(report.stops.values(), key=lambda stop: -len(stop.students)),
    )
    write_page(path, page)


def _enter(group: Group | Stop, check: str, student: str) -> None:
    if check and check not in group.checks:
        group.checks.append(check)
    if student not in group.students[-1:]:
        group.students.append(student)


def _outputs(evidence: Evidence, verdict: Verdict) -> dict[str, Any] | None:
    """The wrong values, if values are what is wrong."""
    if evidence.problem or "answer" not in verdict.faults or evidence.runs["float32"].error:
        return None
    return evidence.runs["float32"].outputs


def _panel(group: Group, answers: Answers) -> Panel | None:
    if group.outputs is None:
        return None
    expected = answers.reference[group.check.id].runs["float32"].outputs
    return next(panels(group.check, expected, group.outputs, largest_table=0), None)


def _add_stubs(groups: list[Group], assignment: Assignment) -> None:
    """A declaration for each group that no mistake explains, with names that are free."""
    known = {mistake.name for mistake in assignment.mistakes}
    names = (name for number in itertools.count(1) if (name := f"unexplained_{number}") not in known)
    texts = {path.stem: path.read_text(encoding="utf-8") for path in assignment.files("mistakes")}
    for group in groups:
        if group.code:
            module = place_of(group.check.exercise)[0].rpartition("/")[2].removesuffix(".py")
            text = texts.get(module, texts.get("mistakes", ""))
            code = min(group.code, key=lambda code: (-group.code[code], len(code), code))
            group.stub = stub(group.check.id, next(names), code, text)


def _durations_table(report: ClassReport) -> dict[str, tuple[int, float, float, str] | None]:
    """For each check: how often it ran, the median, the longest and whose that was."""
    return {
        check: (len(runs), median(seconds for seconds, _ in runs), *max(runs)) if runs else None
        for check, runs in report.seconds.items()
    }


def _bins(scores: dict[str, float], maximum: float) -> list[dict[str, Any]]:
    width = maximum / BINS
    bins: list[dict[str, Any]] = [
        {"low": index * width, "high": (index + 1) * width, "students": []} for index in range(BINS)
    ]
    for student, score in scores.items():
        bins[min(int(score / width), BINS - 1)]["students"].append(student)
    return bins
