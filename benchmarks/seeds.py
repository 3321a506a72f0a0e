"""Whether verdicts depend on the seed: of known mistakes, right variants, and submissions made up of both.

    python -m benchmarks.seeds {mistakes,variants,submissions} a01 [a02 …] [--seeds 50] [--minutes 5]

Of submissions, points are compared as grading gives them: what builds on wrong work is tried with stand-ins.
Each seed is done once: what is known lies in build/benchmarks/seeds_*.json, and the next call goes on there.
The device on which results lie does not depend on the seed, so the pretended accelerator is left out.
"""

import argparse
import contextlib
import json
import random
import time
from collections.abc import Iterable, Iterator
from unittest.mock import patch

from benchmarks._table import RESULTS, save
from exercise_code.support.checking import exercise_source
from exercise_code.support.checking.answers import make_answers
from exercise_code.support.checking.assignment import Assignment, find_assignment
from exercise_code.support.checking.declare import Check, Version
from exercise_code.support.checking.evidence import Evidence
from exercise_code.support.checking.follow_through import block, follow_through
from exercise_code.support.checking.judge import Verdict, judge
from exercise_code.support.checking.replace import in_place, replaced
from exercise_code.support.checking.run_check import EXERCISES, gather
from exercise_code.support.devices import pretended

Seen = dict[str, dict[str, str]]
"""Verdicts in a few words, by what was tried and by seed."""


def main() -> None:
    """Go on with what the command line names, as long as it allows, and print what differs."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("kind", choices=["mistakes", "variants", "submissions"])
    parser.add_argument("assignments", nargs="+")
    parser.add_argument("--seeds", type=int, default=50)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--number", type=int, default=300, help="of submissions")
    asked = parser.parse_args()
    ends = time.monotonic() + 60 * asked.minutes
    for assignment in map(find_assignment, asked.assignments):
        name = f"seeds_{asked.kind}_{assignment.short}"
        place = RESULTS / f"{name}.json"
        seen: Seen = json.loads(place.read_text(encoding="utf-8")) if place.exists() else {}
        tried = to_try(assignment, asked.kind, asked.number)
        for seed in range(asked.seeds):
            left = {what: versions for what, versions in tried.items() if str(seed) not in seen.get(what, {})}
            for what, verdict in verdicts(assignment, left, seed, whole=asked.kind == "submissions"):
                seen.setdefault(what, {})[str(seed)] = verdict
                if time.monotonic() > ends:
                    break
            save(seen, name)
            if time.monotonic() > ends:
                break
        tell(assignment, asked.kind, seen)


def to_try(assignment: Assignment, kind: str, number: int) -> dict[str, list[Version]]:
    """What is judged with each seed, by a name."""
    if kind == "submissions":
        return made_up(assignment, number)
    found = assignment.mistakes if kind == "mistakes" else assignment.variants
    return {f"{version.exercise} {version.name}": [version] for version in found}


def made_up(assignment: Assignment, number: int) -> dict[str, list[Version]]:
    """Submissions that take a right variant, a mistake or the reference for each exercise."""
    dice = random.Random(0)
    versions: dict[str, list[Version]] = {}
    for version in (*assignment.variants, *assignment.mistakes):
        versions.setdefault(version.exercise, []).append(version)
    found: dict[str, list[Version]] = {}
    for index in range(number):
        chosen = [dice.choice([None, *versions[exercise]]) for exercise in versions]
        taken = [version for version in chosen if version]
        found[f"{index}: {' '.join(version.name for version in taken)}"] = taken
    return found


def verdicts(
    assignment: Assignment, tried: dict[str, list[Version]], seed: int, *, whole: bool
) -> Iterator[tuple[str, str]]:
    """Judge each with a seed: by all checks, or by those of its exercise."""
    if not tried:
        return
    checks = [check for check in assignment.checks if check.target is None]
    with patch.object(pretended, "available", lambda: False):
        reference = make_answers(checks, [], seed).reference
    for what, versions in tried.items():
        exercises = {version.exercise for version in versions}
        of_it = [check for check in checks if whole or check.exercise in exercises]
        yield what, verdict_on(of_it, versions, reference, seed, assignment if whole else None)


def verdict_on(
    checks: list[Check],
    versions: Iterable[Version],
    reference: dict[str, Evidence],
    seed: int,
    assignment: Assignment | None,
) -> str:
    """The points and faults of some versions of exercises in a few words; points alone of a submission."""
    trees = {each.exercise: exercise_source.find_function(each.source, each.name) for each in versions}
    by_id = {check.id: check for check in checks}

    def verdict(check: Check) -> Verdict:
        tree = trees.get(check.exercise) or exercise_source.read_exercise(check.exercise, EXERCISES)
        return judge(check, gather(check, seed), reference[check.id], tree)

    def rerun(asked: dict[str, list[str]]) -> dict[str, Verdict]:
        found = {}
        for id, names in asked.items():
            with in_place(stand_ins[name] for name in names):
                found[id] = verdict(by_id[id])
        return found

    with contextlib.ExitStack() as stack:
        for version in versions:
            stack.enter_context(replaced(version.exercise, version.function))
        stack.enter_context(patch.object(pretended, "available", lambda: False))
        found = [verdict(check) for check in checks]
        block(found, checks)
        if assignment:
            stand_ins = {each.exercise: each for each in assignment.stand_ins}
            found = follow_through(found, checks, stand_ins, rerun)
    lost = [
        f"{each.check} {each.points:g} of {each.max_points:g}"
        + ("" if assignment else f" ({', '.join(sorted(each.faults))})")
        for each in found
        if each.points < each.max_points or (not assignment and each.status == "blocked")
    ]
    return "; ".join(lost)


def tell(assignment: Assignment, kind: str, seen: Seen) -> None:
    """Print what differs between seeds, and variants that lose points."""
    fewest = min(map(len, seen.values()))
    print(f"{assignment.short}: {len(seen)} {kind}, {fewest} seeds each")
    for what, found in seen.items():
        by_verdict: dict[str, list[str]] = {}
        for seed, verdict in found.items():
            by_verdict.setdefault(verdict, []).append(seed)
        if len(by_verdict) > 1 or (kind == "variants" and "" not in by_verdict):
            print(f"  {what}")
            for verdict, seeds in by_verdict.items():
                some = " ".join(seeds[:5])
                print(f"    {verdict or 'all points'}: seeds {some}, {len(seeds)} of {len(found)}")


if __name__ == "__main__":
    main()
