"""`results.json`: the verdicts of a class and what lateness costs, for people and for other programs."""

import json
import textwrap
from collections.abc import Iterable, Iterator
from typing import Any

from exercise_code.support.checking.judge import Verdict
from grading.running.sandbox import Sandbox
from grading.scores.by_hand import Settlement
from grading.submissions.collect import Collection
from grading.submissions.records import Stored

SCHEMA = "https://deep-vision-workbook.org/schemas/results-1.json"


def results(
    records: Iterable[Stored],
    assignment: str,
    seed: int,
    sandbox: Sandbox,
    settlement: Settlement,
    collection: Collection | None = None,
) -> Iterator[str]:
    """The text of `results.json`, which `results.schema.json` describes, piece by piece."""
    head = {"schema": SCHEMA, "assignment": assignment, "seed": seed, "sandbox": sandbox.to_dict()}
    if collection:
        head |= {name: getattr(collection, name) for name in ("missing", "unknown", "left_out")}
    yield json.dumps(head, indent=1)[:-2] + ',\n "submissions": ['
    comma = ""
    for record in records:
        yield (
            comma + "\n" + textwrap.indent(json.dumps(settlement.complete(_as_dict(record)), indent=1), "  ")
        )
        comma = ","
    yield "\n ]\n}\n"


def checks_as_dicts(verdicts: Iterable[Verdict], seconds: Iterable[float]) -> list[dict[str, Any]]:
    """Verdicts as `results.json` has them."""
    return [
        {
            "id": verdict.check,
            "points": verdict.points,
            "max_points": verdict.max_points,
            "status": verdict.status,
            "message": verdict.message,
            "hint": verdict.hint,
            "unstable": verdict.unstable,
            "stand_ins": verdict.followed,
            "seconds": round(taken, 3),
        }
        for verdict, taken in zip(verdicts, seconds, strict=True)
    ]


def _as_dict(record: Stored) -> dict[str, Any]:
    submission = record.submission
    return {
        "id": submission.id,
        "name": submission.name,
        "group": submission.group,
        "submitted": submission.submitted and submission.submitted.isoformat(),
        "score": record.score,
        "max_score": sum(verdict.max_points for verdict in record.verdicts),
        "notes": submission.notes,
        "evidence": record.key,
        "checks": checks_as_dicts(record.verdicts, record.seconds),
    }
