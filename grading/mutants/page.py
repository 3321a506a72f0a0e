"""A page for the author of an assignment: what its checks do not notice."""

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from grading.mutants.examination import Examination
from grading.mutants.operators import OPERATORS
from grading.mutants.rewrites import REWRITES
from grading.pages.html import render, write_page

COLUMNS = ("made", "killed", "timeout", "equivalent", "survived", "rewrites", "false alarms")


def write_mutants_page(found: Examination, path: Path) -> None:
    """Write the page of an examination as HTML that needs no other file."""
    exercises: dict[str, Counter[str]] = {}
    noticed, made = Counter[str](), Counter[str]()
    for item in [*found.mutants, *found.rewrites]:
        made[item.mutant.operator] += 1
        noticed[item.mutant.operator] += item.outcome.status != "survived"
        exercises.setdefault(item.mutant.exercise, Counter())
    for item in found.mutants:
        exercises[item.mutant.exercise].update(["made", item.status])
    for item in found.rewrites:
        exercises[item.mutant.exercise].update(["rewrites"] + ["false alarms"] * (item in found.false_alarms))
    totals = sum(exercises.values(), Counter())
    page = render(
        "mutants",
        assignment=found.assignment,
        found=found,
        now=datetime.now(UTC),
        facts={word: totals[word] for word in COLUMNS},
        columns=COLUMNS,
        exercises=exercises,
        kinds={"These change the meaning": OPERATORS, "These keep it, and should not be noticed": REWRITES},
        made=made,
        noticed=noticed,
    )
    write_page(path, page)
