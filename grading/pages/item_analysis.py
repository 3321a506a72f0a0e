"""Classical item analysis: how hard each check is, and whether it tells students apart."""

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import StatisticsError, correlation, fmean

USUAL = 0.2
"""Below it a check discriminates poorly: Ebel and Frisbie, "Essentials of Educational Measurement" (1991)."""


@dataclass(frozen=True)
class Item:
    """A check as an item of a test.

    `full` is the share of the class with all points, `mean` the mean share of the points, and
    `discrimination` the corrected item-total correlation; None where all have the same.
    """

    full: float
    mean: float
    discrimination: float | None


def analyse(points: dict[str, list[float]], largest: dict[str, float]) -> dict[str, Item]:
    """Look at each check as an item of a test.

    Args:
        points: of each check, student by student in one order.
        largest: the points that each check is worth.

    Returns:
        An item for each check. Its discrimination is the point-biserial correlation (Pearson's, so that half
        of the points count as half) of the check with the sum of all other checks: the check itself is left
        out of the sum, which would make any check look good (Henrysson 1963, "Correction of item-total
        correlations in item analysis", Psychometrika 28, 211-218).
    """
    totals = [sum(each) for each in zip(*points.values(), strict=True)]
    return {
        check: Item(
            fmean(each == largest[check] for each in found),
            fmean(found) / largest[check],
            _correlation(found, (total - each for total, each in zip(totals, found, strict=True))),
        )
        for check, found in points.items()
    }


def _correlation(first: list[float], second: Iterable[float]) -> float | None:
    try:
        return correlation(first, [round(value, 9) for value in second])
    except StatisticsError:
        return None  # fewer than two students, or no difference between them
