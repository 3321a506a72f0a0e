"""What tests cost in seconds of a core, by kind of test and assignment, and what became of each."""

import os
import re
from collections import Counter

import pytest

COSTLIEST = 40
"""Tests that a run names."""


def kind_and_assignment(nodeid: str) -> tuple[str, str]:
    """What a test belongs to: `tests/contract/test_mistakes.py::…[a01_knn-…]` to the mistakes of a01_knn."""
    top, folder, *_ = nodeid.split("/")
    if top == "assignments":
        return "solutions", folder
    kind = re.sub(r"^contract/test_(\w+)\.py.*", r"\1", nodeid.removeprefix("tests/")).partition("/")[0]
    of = re.search(r"\[(a\d\d_\w+)", nodeid)
    return kind, of[1] if of else ""


class Costs:
    """A plugin that measures each test where it runs and adds up where reports arrive."""

    def __init__(self) -> None:
        """Start at nothing."""
        self.seconds: Counter[tuple[str, str]] = Counter()
        self.by_test: Counter[str] = Counter()
        self.outcomes: dict[str, set[str]] = {}
        self.collected: set[str] = set()
        self._began = 0.0

    def pytest_collection_finish(self, session) -> None:
        """Note what is to run, where one process runs all."""
        self.collected.update(item.nodeid for item in session.items)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids) -> None:
        """The same where workers do."""
        self.collected.update(ids)

    def pytest_runtest_logstart(self) -> None:
        """Look at the clock before a test is set up."""
        self._began = sum(os.times()[:4])

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item, call):
        """Note what the test has taken, with its set-up and all processes that have ended."""
        if call.when == "teardown":
            item.user_properties.append(("seconds of a core", sum(os.times()[:4]) - self._began))
        return (yield)

    def pytest_runtest_logreport(self, report) -> None:
        """Add it up."""
        self.outcomes.setdefault(report.nodeid, set()).add(report.outcome)
        if report.when == "teardown":
            seconds = sum(value for name, value in report.user_properties if name == "seconds of a core")
            self.seconds[kind_and_assignment(report.nodeid)] += seconds
            self.by_test[report.nodeid] += seconds

    def table(self) -> list[str]:
        """A line for each kind and a column for each assignment; empty if all took less than a minute."""
        if self.seconds.total() < 60:
            return []
        columns = sorted({assignment for _, assignment in self.seconds if assignment})
        kinds = sorted({kind for kind, _ in self.seconds})
        rows = [["", *columns, "others", "sum"]]
        for kind in kinds:
            numbers = [self.seconds[kind, column] for column in (*columns, "")]
            rows.append([kind, *(f"{number:.0f}" for number in (*numbers, sum(numbers)))])
        sums = [sum(self.seconds[kind, column] for kind in kinds) for column in (*columns, "")]
        rows.append(["sum", *(f"{number:.0f}" for number in (*sums, sum(sums)))])
        return [f"{first:<20}" + "".join(f"{cell:>13}" for cell in cells) for first, *cells in rows]

    def costliest(self) -> list[str]:
        """The tests that took most, with the fixtures that they were the first to ask for."""
        return [f"{seconds:5.0f}  {test}" for test, seconds in self.by_test.most_common(COSTLIEST)]

    def passed(self, assignment: str) -> int | None:
        """How many tests of an assignment were passed; None if one was not, or has not come to its end."""
        names = [name for name in self.collected if kind_and_assignment(name)[1] == assignment]
        if any(name not in self.by_test or "failed" in self.outcomes[name] for name in names):
            return None
        return sum("skipped" not in self.outcomes[name] for name in names)
