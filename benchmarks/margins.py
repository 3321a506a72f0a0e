"""How far the results of right and of wrong solutions lie from the tolerance of the check that judges them.

    python -m benchmarks.margins [a04 …] [--seeds 3]

A distance is the largest |result - expected| / (atol + rtol |expected|) of a check: at 1 the verdict changes.
Right are the variants, wrong the mistakes whose results tell, each in the check that has to catch it. Writes
evidence/margins.md into each assignment: a histogram, and the checks whose limit lies nearest.
"""

import argparse
import contextlib
import io
import math
from collections.abc import Iterator

import torch
from torch import Tensor

from exercise_code.support.checking import exercise_source
from exercise_code.support.checking.answers import make_answers
from exercise_code.support.checking.assignment import Assignment, all_folders, read_assignment
from exercise_code.support.checking.compare import FLOAT64_FACTOR
from exercise_code.support.checking.declare import Check, Version
from exercise_code.support.checking.evidence import Evidence
from exercise_code.support.checking.judge import judge
from exercise_code.support.checking.replace import replaced
from exercise_code.support.checking.run_check import gather

EDGES = (0.0, 1e-3, 1e-2, 0.1, 0.3, 1.0, 3.0, 10.0, 100.0, 1e3)
NEAR_RIGHT, NEAR_WRONG = 0.3, 3.0
"""A right result beyond, or a wrong one below, is named."""
INTRODUCTION = """# How far results lie from their tolerance

Written by `python -m benchmarks.margins {short} --seeds {seeds}`. The distance of a result is the largest
|result - expected| / (atol + rtol |expected|) in a check; beyond 1 it is wrong. Right: the largest of each
variant over the seeds. Wrong: the smallest of each mistake in the check that has to catch it, if its results
tell; what is wrong by loops, memory, devices or changed arguments is left out. Laws have no place here.
"""

Distances = dict[tuple[str, str], float]
"""By check and variant or mistake; infinite where shapes, types or errors differ."""


def main() -> None:
    """Measure what the command line names."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("assignments", nargs="*", help="beginnings of their names; none is all of them")
    parser.add_argument("--seeds", type=int, default=3)
    asked = parser.parse_args()
    for assignment in map(read_assignment, all_folders()):
        if assignment.name.startswith(tuple(asked.assignments) or ("",)) and not assignment.draft:
            right, wrong = measure(assignment, range(asked.seeds))
            text = INTRODUCTION.format(short=assignment.short, seeds=asked.seeds) + described(right, wrong)
            (assignment.folder / "evidence" / "margins.md").write_text(text, encoding="utf-8")
            print(f"{assignment.short}: {len(right)} right, {len(wrong)} wrong")


def measure(assignment: Assignment, seeds: range) -> tuple[Distances, Distances]:
    """The largest distances of right and the smallest of wrong solutions."""
    checks = {check.id: check for check in assignment.checks if check.compared and check.target is None}
    right: Distances = {}
    wrong: Distances = {}
    for seed in seeds:
        reference = make_answers(checks.values(), [], seed).reference
        for check in checks.values():
            for variant in (each for each in assignment.variants if each.exercise == check.exercise):
                key = check.id, variant.name
                right[key] = max(
                    right.get(key, 0.0),
                    distance_of(check, reference[check.id], run(check, variant, seed)),
                )
        for mistake in (each for each in assignment.mistakes if each.check in checks):
            check, key = checks[mistake.check], (mistake.check, mistake.name)
            evidence = run(check, mistake, seed)
            tree = exercise_source.find_function(mistake.source, mistake.name)
            faults = judge(check, evidence, reference[check.id], tree).faults
            if "answer" in faults or not faults:
                found = distance_of(check, reference[check.id], evidence)
                wrong[key] = min(wrong.get(key, math.inf), found)
    return right, wrong


def run(check: Check, version: Version, seed: int) -> Evidence:
    """What a check sees of a solution; what that prints is nobody's business."""
    with replaced(version.exercise, version.function), contextlib.redirect_stdout(io.StringIO()):
        return gather(check, seed)


def distance_of(check: Check, expected: Evidence, got: Evidence) -> float:
    """The largest distance of a solution's results in a check."""
    return max(_distances(check, expected, got), default=0.0)


def _distances(check: Check, expected: Evidence, got: Evidence) -> Iterator[float]:
    strict = 1 / FLOAT64_FACTOR if check.library == "numpy" else 1.0
    for name, due in expected.runs.items():
        came = got.runs.get(name)
        if came is None or came.error != due.error or came.outputs.keys() != due.outputs.keys():
            yield math.inf
            continue
        for path, leaf in due.outputs.items():
            yield _distance(leaf, came.outputs[path], check.rtol * strict, check.atol * strict)


def _distance(due: object, came: object, rtol: float, atol: float) -> float:
    if isinstance(due, float) and isinstance(came, float):
        due, came = (torch.tensor(value, dtype=torch.float64) for value in (due, came))
        rtol, atol = rtol / FLOAT64_FACTOR, atol / FLOAT64_FACTOR
    if not isinstance(due, Tensor) or not isinstance(came, Tensor):
        return 0.0 if type(due) is type(came) and due == came else math.inf
    if (due.shape, due.dtype) != (came.shape, came.dtype):
        return math.inf
    if torch.equal(due, came) or not due.numel():
        return 0.0
    if not due.is_floating_point():
        return math.inf
    factor = FLOAT64_FACTOR if due.dtype == torch.float64 else 1.0
    apart = (came - due).abs() / (factor * (atol + rtol * due.abs()))
    same = (came == due) | (came.isnan() & due.isnan())
    return apart.masked_fill(same, 0.0).nan_to_num(nan=math.inf).max().item()


def described(right: Distances, wrong: Distances) -> str:
    """The histogram and the checks whose limit lies nearest, as Markdown."""
    lines = ["", "| distance | right | wrong |", "| --- | ---: | ---: |"]
    for low, high in zip((-1.0, *EDGES), (*EDGES, math.inf), strict=True):
        name = "0" if low < 0 else f"{low:g} to {high:g}" if math.isfinite(high) else f"over {low:g}"
        counts = (
            sum(low < value <= high and value < math.inf for value in of.values()) for of in (right, wrong)
        )
        lines.append(f"| {name} | {' | '.join(map(str, counts))} |")
    others = sum(value == math.inf for value in wrong.values())
    lines.append(f"| another shape, type or error | 0 | {others} |")
    near = [("right", *key, value) for key, value in right.items() if value > NEAR_RIGHT]
    near += [("wrong", *key, value) for key, value in wrong.items() if value < NEAR_WRONG]
    if near:
        lines += [
            "",
            "Nearest to the limit:",
            "",
            "| | check | solution | distance |",
            "| --- | --- | --- | ---: |",
        ]
        lines += [
            f"| {kind} | {check} | `{name}` | {value:.2g} |" for kind, check, name, value in sorted(near)
        ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
