"""What builds on an exercise that is not right is blocked, and judged again with a stand-in in its place."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import replace

from exercise_code.support.checking.declare import Check
from exercise_code.support.checking.judge import Verdict

WHATEVER = {"state", "answer", "repeatable"}
"""What is wrong with an exercise and can show in any way in what builds on it."""
WRONG = ("failed", "error", "not_deterministic")
"""What a check can say of an exercise because something below it is wrong."""
MAX_SINGLE = 3
"""So many exercises that are not right are replaced one by one first, to find which of them it is."""

Rerun = Callable[[dict[str, list[str]]], dict[str, Verdict]]
"""From checks by their id, each with the exercises to be replaced by stand-ins, to what they give then."""


def foundations(check: Check, checks: Iterable[Check]) -> list[str]:
    """The exercises that a check builds on, directly or through others, its own aside."""
    uses: dict[str, list[str]] = {}
    for each in checks:
        uses.setdefault(each.exercise, []).extend(each.uses)
    found = dict.fromkeys(check.uses)
    waiting = [*found]
    while waiting:
        new = [name for name in uses.get(waiting.pop(0), ()) if name not in found]
        found |= dict.fromkeys(new)
        waiting += new
    return [name for name in found if name != check.exercise]


def block(verdicts: Iterable[Verdict], checks: Iterable[Check]) -> None:
    """Mark as blocked what fails because of what it builds on, a hint aside: that explains another exercise.

    An exercise explains whatever fails above it if its answer is wrong or an error came out of it, else
    what fails in the same aspect. One that is blocked itself is not named, but what blocks it.
    """
    verdicts, checks = list(verdicts), list(checks)
    by_id = {check.id: check for check in checks}
    below = {v.check: foundations(by_id[v.check], checks) for v in verdicts}
    broken = [verdict for verdict in verdicts if verdict.status != "passed"]
    causes = {
        verdict.check: [
            other
            for other in broken
            if other.exercise in below[verdict.check]
            and verdict.exercise not in below[other.check]
            and _explains(other, verdict)
        ]
        for verdict in broken
        if verdict.status in (*WRONG, "blocked")
    }
    for verdict in broken:
        roots = [other.exercise for other in causes.get(verdict.check, ()) if not causes.get(other.check)]
        if not roots:
            continue
        roots.sort(key=lambda name: (name not in verdict.raised_in, _share(name, verdicts)))
        names = [*dict.fromkeys([*verdict.blockers, *roots])]
        if verdict.status != "blocked":
            verdict.faults = {"state": f"blocked by {names[0]}: mend that first", **verdict.faults}
        verdict.status, verdict.hint, verdict.blockers = "blocked", "", names


def _share(exercise: str, verdicts: list[Verdict]) -> float:
    """Points of an exercise, as a share of what it is worth."""
    own = [verdict for verdict in verdicts if verdict.exercise == exercise]
    return sum(v.points for v in own) / (sum(v.max_points for v in own) or 1)


def _explains(other: Verdict, verdict: Verdict) -> bool:
    if other.exercise in verdict.raised_in:
        return True
    alike = other.faults == verdict.faults and "ruled out" not in other.faults
    return not alike and bool(other.faults.keys() & (WHATEVER | verdict.faults.keys()))


def follow_through(
    verdicts: list[Verdict], checks: Iterable[Check], stand_ins: Collection[str], rerun: Rerun
) -> list[Verdict]:
    """The verdicts, where blocked checks are judged with stand-ins in the place of what blocks them.

    A check whose own exercise is of one family with what is replaced is judged only if it earns something:
    methods of a class, and a forward and its backward, may share what nobody else knows, such as a cache.

    Args:
        verdicts: of checks that `block` has seen.
        checks: all of the assignment.
        stand_ins: the exercises that have one.
        rerun: runs checks and judges them.
    """
    checks = list(checks)
    by_id = {check.id: check for check in checks}
    not_right = {verdict.exercise for verdict in verdicts if verdict.status != "passed"}
    attempts = {
        verdict.check: _attempts(by_id[verdict.check], verdict, checks, not_right, stand_ins)
        for verdict in verdicts
        if verdict.status == "blocked"
    }
    found = {verdict.check: verdict for verdict in verdicts}
    while waiting := {id: left.pop(0) for id, left in attempts.items() if left}:
        for id, verdict in rerun({id: replaced for id, (_, replaced) in waiting.items()}).items():
            blockers, replaced = waiting[id]
            alone = _family(verdict.exercise) not in {_family(name) for name in replaced} - {""}
            own = found[id].status == "blocked" and alone and verdict.status in WRONG
            last = own and not attempts[id] and verdict.points == found[id].points
            if verdict.points > found[id].points or last:
                found[id] = replace(verdict, blockers=blockers)
            if verdict.status == "passed":
                attempts[id].clear()
    return [found[verdict.check] for verdict in verdicts]


def _attempts(
    check: Check, verdict: Verdict, checks: list[Check], not_right: set[str], stand_ins: Collection[str]
) -> list[tuple[list[str], list[str]]]:
    """Exercises that may be what blocks a check, one by one and all, each with all that is to be replaced."""
    if not {*verdict.blockers} <= {*stand_ins}:
        return []
    singles = [[name] for name in verdict.blockers] if len(verdict.blockers) <= MAX_SINGLE else []
    broken = [name for name in foundations(check, checks) if name in not_right]
    tries = [
        *((blockers, blockers) for blockers in singles),
        (verdict.blockers, [*verdict.blockers, *broken]),
    ]
    found: list[tuple[list[str], list[str]]] = []
    for blockers, names in tries:
        replaced = with_their_family(names, stand_ins, but=check.exercise)
        if all(replaced != before for _, before in found):
            found.append((blockers, replaced))
    return found


def with_their_family(names: Iterable[str], stand_ins: Iterable[str], but: str = "") -> list[str]:
    """Which stand-ins take the place of exercises: theirs and those of their families; sorted.

    Methods of a class come together, as do `f_forward` and `f_backward`, since they may share what nobody
    else knows.
    """
    names = {*names}
    families = {_family(name) for name in names} - {""}
    return sorted({name for name in stand_ins if name in names or _family(name) in families} - {but})


def _family(exercise: str) -> str:
    """The class of a method, what comes before `_forward` and `_backward` of a function, else empty."""
    owner, _, name = exercise.rpartition(".")
    if owner.rpartition(".")[2][:1].isupper():
        return owner
    stem = name.removesuffix("_forward").removesuffix("_backward")
    return "" if stem == name else f"{owner}.{stem}"
