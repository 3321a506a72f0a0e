"""The records of one submission, in the order in which they are made: handed in, gathered, graded, stored."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple

from exercise_code.support.checking.evidence import Evidence
from exercise_code.support.checking.judge import Verdict

ENDED = ("timeout", "crashed")
"""Problems that may be the machine's, where a second run has none."""


@dataclass
class Submission:
    """What one student handed in: the contents of the wanted files by path, and what was odd about it.

    `id` names the student in all results. `submitted` is the moment of handing in, if that is known; `group`
    names those who handed it in together.
    """

    id: str
    files: dict[str, bytes] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    name: str = ""
    submitted: datetime | None = None
    group: str = ""


class Part(NamedTuple):
    """The evidence of a check as bytes, equal where the runs were equal, and the seconds that it took.

    `run` names a run with stand-ins; it is empty for the others.
    """

    check: str
    content: bytes
    seconds: float
    run: str = ""


@dataclass
class Gathered:
    """What a submission's functions did: evidence for each check, and that of a second run for some.

    `followed` is what blocked checks did with stand-ins, by the name of such a run; `counts` names for some
    checks which of it their verdict is about.
    """

    evidence: list[Evidence]
    second: dict[str, Evidence] = field(default_factory=dict)
    followed: dict[str, Evidence] = field(default_factory=dict)
    counts: dict[str, str] = field(default_factory=dict)

    def to_parts(self) -> list[Part]:
        """The same as bytes: first those of each check, then second runs, then runs with stand-ins."""
        runs = [*(("", item) for item in (*self.evidence, *self.second.values())), *self.followed.items()]
        return [
            Part(item.check, replace(item, seconds=0.0).to_bytes(), item.seconds, run) for run, item in runs
        ]

    @classmethod
    def from_parts(cls, parts: Iterable[Part]) -> "Gathered":
        """Undo `to_parts`.

        Raises:
            ValueError: the bytes are something else.
        """
        first: dict[str, Evidence] = {}
        second: dict[str, Evidence] = {}
        followed: dict[str, Evidence] = {}
        for part in parts:
            evidence = replace(Evidence.from_bytes(part.content), seconds=part.seconds)
            if part.run:
                followed[part.run] = evidence
            else:
                (second if part.check in first else first)[part.check] = evidence
        return cls([*first.values()], second, followed)

    @property
    def that_counts(self) -> list[Evidence]:
        """What the verdicts are about, check by check."""
        return [
            self.followed[self.counts[item.check]]
            if item.check in self.counts
            else _that_counts(item, self.second.get(item.check))
            for item in self.evidence
        ]


@dataclass
class Graded:
    """A submission, the verdict on each check, and the evidence for each, in the order of the checks.

    `seconds` is what each check took; `code` the function, as `mistake_drafts.portable` writes it, for each
    check that gave a wrong result which no mistake explains; `untouched` names the written answers that are
    missing or as they were released; `counts` names the runs with stand-ins that verdicts are about.
    """

    submission: Submission
    verdicts: list[Verdict]
    evidence: Sequence[Evidence]
    seconds: list[float] = field(default_factory=list)
    code: dict[str, str] = field(default_factory=dict)
    untouched: list[str] = field(default_factory=list)
    counts: dict[str, str] = field(default_factory=dict)

    @property
    def score(self) -> float:
        """Points of all checks."""
        return sum(verdict.points for verdict in self.verdicts)


@dataclass
class Result:
    """What a worker hands back: a graded submission without files and evidence, and what the student gets.

    `gathered` is its evidence, None where it was known before. `notebooks` have the verdicts below
    their check cells. `ran` is false where no worker survived the submission: the next run tries again.
    """

    graded: Graded
    gathered: list[Part] | None
    feedback: str
    notebooks: dict[str, str]
    ran: bool = True


@dataclass
class Stored(Graded):
    """A submission as the journal knows it; `key` names its evidence, which is read when it is needed."""

    key: str = ""


def _that_counts(first: Evidence, second: Evidence | None) -> Evidence:
    """The first run, unless its process ended or took too long and the second's did not.

    Then the machine may have been busy.
    """
    return second if second and first.status in ENDED and second.status not in ENDED else first
