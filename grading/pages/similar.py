"""Find submissions that share more than chance explains, in what students wrote themselves."""

import io
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path

import numpy as np
from copydetect import CodeFingerprint, compare_files
from copydetect.utils import get_token_coverage, highlight_overlap
from markupsafe import Markup

from exercise_code.support.checking.assignment import Assignment
from exercise_code.support.paths import ROOT
from grading.editions.student_files import strip_solutions
from grading.pages.html import render, write_page
from grading.scores.exports import table
from grading.submissions.records import Submission

NOISE, GUARANTEE = 25, 30
"""Matches shorter than the first are never found, those as long as the second always (in signs of code)."""
MOST_SHOWN = 100
COLUMNS = ("first", "second", "similarity", "of_first", "of_second", "signs")


@dataclass(frozen=True)
class Pair:
    """Two submissions: the shares (0 to 1) of each that the other has too, and how many signs that is.

    `marked` are the texts of both with the shared passages marked.
    """

    first: str
    second: str
    of_first: float
    of_second: float
    signs: int
    marked: tuple[Markup, Markup]

    @property
    def similarity(self) -> float:
        """The larger share: a part of one may be the whole of the other."""
        return max(self.of_first, self.of_second)

    def row(self) -> dict[str, str | float | int]:
        """What the table and `--json` say."""
        values = (self.similarity, self.of_first, self.of_second)
        return dict(
            zip(COLUMNS, (self.first, self.second, *(round(v, 4) for v in values), self.signs), strict=True)
        )


def similar(
    submissions: Iterable[Submission],
    assignment: Assignment,
    threshold: float,
    common: int,
) -> list[Pair]:
    """Compare all submissions with each other, by winnowed fingerprints of their code.

    Names, strings, comments and layout do not count (Schleimer, Wilkerson, Aiken 2003, "Winnowing: local
    algorithms for document fingerprinting"; the library is copydetect). Only pairs that share a passage are
    compared, so that the cost grows with what is shared.

    Those who handed in as a group are not compared with each other.

    Args:
        submissions: what was handed in.
        assignment: tells what students were given.
        threshold: the least similarity, 0 to 1.
        common: a passage that more submissions have is an idiom, and counts for nobody.

    Returns:
        The pairs, those who share most first.
    """
    given = _given(assignment)
    found: dict[str, CodeFingerprint] = {}
    groups: set[str] = set()
    for submission in submissions:
        text = own_lines(submission, given)
        if text and (not submission.group or submission.group not in groups):
            code = CodeFingerprint("own.py", NOISE, GUARANTEE - NOISE + 1, fp=io.StringIO(text))
            found[submission.id] = code
            groups.add(submission.group)
    owners: dict[int, list[str]] = defaultdict(list)
    for id, code in found.items():
        for passage in code.hashes:
            owners[passage].append(id)
    _drop({passage for passage, ids in owners.items() if len(ids) > common}, found.values())
    shared = Counter(pair for ids in owners.values() if len(ids) <= common for pair in combinations(ids, 2))
    pairs = (_pair(*ids, found) for ids in shared)
    return sorted(
        (pair for pair in pairs if pair.similarity >= threshold),
        key=lambda pair: (-pair.signs, pair.first),
    )


def own_lines(submission: Submission, given: dict[str, set[str]]) -> str:
    """The lines of a submission that are not in the student edition, with a comment where there is a gap."""
    return "\n".join(_own_lines(submission, given))


def write_table(pairs: Iterable[Pair], path: Path) -> None:
    """Write a line for each pair as csv."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(table([pair.row() for pair in pairs], [*COLUMNS]), encoding="utf-8", newline="")


def write_similar(
    pairs: list[Pair], assignment: Assignment, path: Path, threshold: float, common: int
) -> None:
    """Write a page that shows the pairs side by side."""
    shown = {"pairs": pairs, "shown": pairs[:MOST_SHOWN], "threshold": threshold, "common": common}
    write_page(path, render("similar", assignment=assignment, now=datetime.now(UTC), **shown))


def _given(assignment: Assignment) -> dict[str, set[str]]:
    """The lines of each file that students find in it."""
    stubs = {
        name: strip_solutions((ROOT / name).read_text(encoding="utf-8"), name) for name in assignment.editable
    }
    return {name: {line.strip() for line in stub.splitlines()} for name, stub in stubs.items()}


def _own_lines(submission: Submission, given: dict[str, set[str]]) -> Iterator[str]:
    for name in sorted(given.keys() & submission.files.keys()):
        last = None
        for number, line in enumerate(submission.files[name].decode("utf-8", "replace").splitlines(), 1):
            if line.strip() and line.strip() not in given[name]:
                if last is None or number > last + 1:
                    yield f"# {name}, line {number}"
                yield line
                last = number


def _drop(passages: set[int], codes: Iterable[CodeFingerprint]) -> None:
    for code in codes:
        code.hashes -= passages
        code.hash_idx = {passage: where for passage, where in code.hash_idx.items() if passage in code.hashes}
        code.token_coverage = get_token_coverage(code.hash_idx, code.k, len(code.filtered_code))


def _pair(first: str, second: str, found: dict[str, CodeFingerprint]) -> Pair:
    codes = found[first], found[second]
    signs, shares, places = compare_files(*codes)
    one, other = (_marked(code.raw_code, place) for code, place in zip(codes, places, strict=True))
    of_first, of_second = (min(float(share), 1.0) for share in shares)
    return Pair(first, second, of_first, of_second, int(signs), (one, other))


def _marked(text: str, places: np.ndarray) -> Markup:
    """The text as HTML with some places marked; they may be a little off, but never out of order."""
    ordered = np.maximum.accumulate(places.T.reshape(-1)).clip(0, len(text)).astype(int).reshape(-1, 2).T
    return Markup(highlight_overlap(text, ordered, "<mark>", "</mark>", escape_html=True)[0])
