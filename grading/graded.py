"""One submission with its evidence and what follows from it."""

from collections.abc import Sequence
from dataclasses import dataclass

from exercise_code.support.checking.evidence import Evidence
from exercise_code.support.checking.judge import Verdict
from grading.collect import Submission


@dataclass
class Graded:
    """A submission, the verdict on each check, and the evidence for each, in the order of `checks.py`."""

    submission: Submission
    verdicts: list[Verdict]
    evidence: Sequence[Evidence]

    @property
    def score(self) -> float:
        """Points of all checks."""
        return sum(verdict.points for verdict in self.verdicts)
