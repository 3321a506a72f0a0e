"""One submission with its evidence and what follows from it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from exercise_code.support.checking.evidence import Evidence
from exercise_code.support.checking.judge import Verdict
from grading.submissions.collect import Submission


@dataclass
class Graded:
    """A submission, the verdict on each check, and the evidence for each, in the order of `checks.py`.

    `seconds` is what each check took; `code` the function, as `stubs.portable` writes it, for each check
    that gave a wrong result which no mistake explains.
    """

    submission: Submission
    verdicts: list[Verdict]
    evidence: Sequence[Evidence]
    seconds: list[float] = field(default_factory=list)
    code: dict[str, str] = field(default_factory=dict)

    @property
    def score(self) -> float:
        """Points of all checks."""
        return sum(verdict.points for verdict in self.verdicts)
