"""Hold what a function did against what the reference did, on the same inputs."""

import ast
import math
import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from exercise_code.support.checking import exercise_source
from exercise_code.support.checking.compare import unlike
from exercise_code.support.checking.declare import Check
from exercise_code.support.checking.evidence import Evidence, Run
from exercise_code.support.checking.metrics import METRICS, FormError

GROWTH_SLACK = 1.25
NESTED = ("no loop", "one loop", "two nested loops", "three nested loops")
NO_LOOPS = "there is a Python loop in line {}; this exercise does without"
NOT_WRITTEN = "not written yet"
ESSENTIAL = {"answer", "another call", "chance", "repeatable", "large inputs", "loops", "ruled out"}
"""What an answer is worth nothing without; any other broken promise costs half of the points."""
PROMISES = ("inputs untouched", "same answer twice", "float64 too", "another device too")
"""What every check asks for without saying so."""
SHOWN_BY = {"inputs": "float32", "float64": "float64", "device": "accelerator"}
"""The run that tells how a promise is broken."""
NUMBER = re.compile(r"(\d+(\.\d+)?(e[-+]?\d+)?%?)")
PLACE = re.compile(r" \([^()]*, line \d+\)")
"""Where an error happened, as `run_check.place_in` tells it."""
CHANCE = 0.15
"""How far a measurement of two who make one mistake may differ under a law, as a share."""
UNCOMPARED = {"large"}
"""Runs whose outputs tell no mistakes apart that the others do not; those of mistakes are not kept."""


@dataclass
class Verdict:
    """The outcome of one check.

    `status` is passed, failed, not_written, blocked, error, timeout, crashed or not_deterministic;
    `faults` says for each aspect that is wrong (answer, inputs, float64, device …) what is wrong, and
    `unstable` what another run of the same check gave, where it gave something else. `raised_in` are the
    functions that an error went through. `blockers` are the exercises that a blocked check waits for; those
    of any other check were replaced by stand-ins when it ran.
    """

    check: str
    title: str
    max_points: float
    status: str = "passed"
    points: float = 0.0
    kept: list[str] = field(default_factory=list)
    faults: dict[str, str] = field(default_factory=dict)
    hint: str = ""
    unstable: str = ""
    raised_in: list[str] = field(default_factory=list)
    blockers: list[str] = field(default_factory=list)

    @property
    def exercise(self) -> str:
        """Dotted name of the function below `exercise_code`."""
        return self.check.partition(":")[0]

    @property
    def message(self) -> str:
        """What is wrong, in a sentence for each fault; empty where all is well."""
        return "; ".join(
            text if aspect in ("answer", "state") else f"{aspect}: {text}"
            for aspect, text in self.faults.items()
        )

    @property
    def followed(self) -> str:
        """Which stand-ins took part, in a sentence; empty where none did."""
        if self.status == "blocked" or not self.blockers:
            return ""
        names = " and ".join(map(exercise_source.short_name, self.blockers))
        which = "a stand-in for {}, which is" if len(self.blockers) == 1 else "stand-ins for {}, which are"
        outcome = "this is right" if self.status == "passed" else "this was judged"
        return f"with {which.format(names)} not right, {outcome}"


@dataclass
class KnownMistake:
    """What a mistake does in one check on the same inputs, and the hint for whoever does the same.

    `caught_by` is the check that must catch it; its hint comes first there. `sentence` is what the judge says
    of its answer, which tells mistakes apart where the answer is left to chance.
    """

    check: str
    caught_by: str
    name: str
    hint: str
    faults: list[str]
    evidence: Evidence
    sentence: str = ""


def judge(
    check: Check,
    evidence: Evidence,
    reference: Evidence,
    function: ast.FunctionDef | None,
    mistakes: Iterable[KnownMistake] = (),
) -> Verdict:
    """Decide on one check.

    Args:
        check: what was asked.
        evidence: what the student's function did.
        reference: what the reference did on the same inputs.
        function: syntax tree of the student's function, None where there is none.
        mistakes: what known mistakes do on the same inputs.
    """
    verdict = Verdict(check.id, check.title, check.points)
    if evidence.problem:
        verdict.status, verdict.faults["state"] = evidence.problem
        return verdict
    first = evidence.runs["float32"]
    if function is None and (first.error or "").startswith("AttributeError: module 'exercise_code."):
        verdict.status = "not_written"
        verdict.faults["state"] = "the function is not there any more: put its first line back"
        return verdict
    if check.target is not None and first.unwritten == check.exercise and function:
        verdict.status, verdict.faults["state"] = "not_written", first.error or "not written yet"
        return verdict
    if _not_written(check, first, function):
        verdict.status = "not_written"
        verdict.faults["state"] = NOT_WRITTEN
        return verdict
    if first.unwritten:
        verdict.status = "blocked"
        verdict.faults["state"] = f"blocked by {first.unwritten}, which is not written yet"
        verdict.blockers = [first.unwritten]
        return verdict
    if first.error is None and reference.runs.keys() - evidence.runs.keys() - {"accelerator"}:
        verdict.status = "crashed"
        verdict.faults["state"] = "the process did not send all that was asked"
        return verdict
    drawn = reference.runs["float32"].inputs_before
    if first.inputs_before != drawn and not (first.error and drawn.startswith(first.inputs_before)):
        verdict.status = "error"
        verdict.faults["state"] = (
            "this machine draws other inputs than the course's: install the numpy of requirements.txt"
        )
        return verdict
    if check.target is not None:
        _measure(check, first, reference.runs["float32"].outputs, verdict)
        return verdict
    _examine(check, evidence, reference, function, verdict)
    verdict.raised_in = first.raised_in
    if verdict.faults:
        verdict.status = _status(first, verdict)
        verdict.points = 0.0 if ESSENTIAL & verdict.faults.keys() else check.points / 2
        verdict.hint = _hint(check, evidence, verdict, mistakes)
    else:
        verdict.points = check.points
    return verdict


def _examine(
    check: Check, evidence: Evidence, reference: Evidence, function: ast.FunctionDef | None, verdict: Verdict
) -> None:
    runs, expected = evidence.runs, reference.runs
    first = runs["float32"]
    names = _shape_names(reference)

    def compare(expected: Run, got: Run) -> str | None:
        return got.error or unlike(check, expected.outputs, got.outputs, names)

    def note(aspect: str, fault: str | None, kept: str) -> None:
        if fault:
            verdict.faults[aspect] = fault
        elif kept:
            verdict.kept.append(kept)

    used = exercise_source.first_use(function, check.forbids) if function and check.forbids else None
    called = [name for run in runs.values() for name in run.forbidden]
    ruled_out = f"{used[0]} (line {used[1]})" if used else next(iter(called), None)
    if ruled_out:
        verdict.faults["ruled out"] = f"{ruled_out} is not allowed here: build it from simpler operations"
        return
    note("answer", compare(expected["float32"], first), _shape_line(reference))
    if first.error:
        return
    note("inputs", _changed(first), PROMISES[0])
    if "answer" in verdict.faults:
        return
    if reference.random and not evidence.random:
        verdict.faults["chance"] = "the same comes out whatever the random numbers are: draw from them"
    if not check.law:
        aspect, fault = _call_fault(runs, compare)
        note(aspect, fault, PROMISES[1])
    if check.law and "contiguous" in runs and not runs["contiguous"].error:
        note("layout", _layout_fault(runs["float64"].error or ""), "")
    elif "float64" in runs:
        note("float64", compare(expected["float64"], runs["float64"]), PROMISES[2])
    if "accelerator" in runs and "accelerator" in expected:
        note("device", _device_fault(runs["accelerator"], expected["accelerator"], compare), PROMISES[3])
    if check.library == "numpy":
        line = exercise_source.first_loop(function) if function and check.loops == 0 else None
        note("loops", NO_LOOPS.format(line) if line else None, "")
    elif "large" in runs and "large" in expected:
        note("large inputs", compare(expected["large"], runs["large"]), "")
        if "large inputs" in verdict.faults:
            return
        if check.loops is not None:
            note("loops", _growth(check, first, runs["large"], function), _operations(check, first))
        if check.memory is not None:
            note("memory", _too_much(check.memory, runs["large"].memory), "no large intermediates")


def _measure(check: Check, run: Run, truth: dict[str, Any], verdict: Verdict) -> None:
    """Points for what a saved model makes of held-out data, by the check's metric."""
    assert check.target is not None and check.floor is not None
    metric = METRICS[check.metric]
    if run.error:
        verdict.status, verdict.faults["answer"] = "error", run.error
        return
    try:
        value = metric.measure(run.outputs, truth)
    except Exception as error:  # values that no metric foresees
        verdict.status, verdict.faults["answer"] = "failed", f"{error}"
        if not isinstance(error, FormError):
            verdict.faults["answer"] = f"the values make no sense here ({type(error).__name__}: {error})"
        return
    share = (value - check.floor) / (check.target - check.floor) if math.isfinite(value) else 0.0
    verdict.points = round(check.points * min(max(share, 0.0), 1.0), 2)
    said = metric.sentence.format(value=metric.shown(value), num=check.held_out.num)
    if share >= 1:
        verdict.kept.append(said)
        return
    full, none = (metric.shown(bound, "g") for bound in (check.target, check.floor))
    verdict.status = "failed"
    verdict.faults["answer"] = (
        f"{said}; all points are for {full}, none for {none} or {'more' if metric.lower else 'less'}"
    )


def _not_written(check: Check, first: Run, function: ast.FunctionDef | None) -> bool:
    own = first.unwritten.removesuffix(".__init__")
    if own and (check.exercise == own or check.exercise.startswith(own + ".")):
        return True
    returned_nothing = first.error is None and all(leaf is None for leaf in first.outputs.values())
    return (
        function is not None
        and exercise_source.is_empty(function)
        and (returned_nothing or first.error is not None)
    )


def _status(first: Run, verdict: Verdict) -> str:
    if first.error and "ruled out" not in verdict.faults:
        return "error"
    return "not_deterministic" if "repeatable" in verdict.faults else "failed"


def _changed(run: Run) -> str | None:
    return None if run.inputs_before == run.inputs_after else "the arguments are changed: work on a copy"


def _call_fault(runs: dict[str, Run], compare: Any) -> tuple[str, str | None]:
    """What a second call does otherwise, under the aspect that is its cause."""

    def as_before(name: str) -> bool:
        return name in runs and not compare(runs["float32"], runs[name])

    fault = compare(runs["float32"], runs["again"])
    if fault and as_before("contiguous"):
        return "layout", _layout_fault(fault)
    if fault and as_before("afresh"):
        return "another call", f"the object remembers an earlier call, with other inputs: {fault}"
    return "repeatable", fault


def _layout_fault(fault: str) -> str:
    if "view size is not compatible" in fault:
        place = fault.rpartition(" (")[2]
        where = f" ({place}" if ", line" in place else ""
        return f".view() works on contiguous inputs only{where}: use reshape() or flatten()"
    return f"the result depends on the order in memory, which a transposed input has otherwise: {fault}"


def _device_fault(run: Run, expected: Run, compare: Callable[[Run, Run], str | None]) -> str | None:
    if run.error:
        return run.error
    if "cpu" in run.devices and "cpu" not in expected.devices:
        return "the result is on the CPU; the inputs are on the accelerator"
    return compare(expected, run)


def _growth(check: Check, first: Run, second: Run, function: ast.FunctionDef | None) -> str | None:
    loops, times = check.loops or 0, check.more_items
    line = exercise_source.first_loop(function) if function and loops == 0 else None
    if line is not None:
        return NO_LOOPS.format(line)
    if second.operations > GROWTH_SLACK * times**loops * first.operations:
        growth = f"from {first.operations} to {second.operations} operations with {times} times the items"
        return f"{growth}, which is more than {NESTED[loops]} would need"
    return None


def _operations(check: Check, run: Run) -> str:
    return f"vectorised: {run.operations} operations at both sizes" if check.loops == 0 else "loops as asked"


def _too_much(limit: float, memory: float) -> str | None:
    if memory <= limit:
        return None
    return f"intermediates take {memory:.1f} times the bytes of inputs and output; at most {limit:g} are due"


def _shape_names(reference: Evidence) -> dict[tuple[int, ...], str]:
    names = reference.returns.split()
    if not names or not all(name in reference.symbols for name in names):
        return {}
    sizes = tuple(reference.symbols[name] for name in names)
    named = ", ".join(f"{name}={size}" for name, size in zip(names, sizes, strict=True))
    return {sizes: f"({named},)" if len(names) == 1 else f"({named})"}


def _shape_line(reference: Evidence) -> str:
    names = reference.returns.split()
    return f"axes {', '.join(names)} and all values" if names else "all values"


def _hint(check: Check, evidence: Evidence, verdict: Verdict, mistakes: Iterable[KnownMistake]) -> str:
    """The hint of the mistake that does the same, else of one that gives the same wrong answer, else one for
    each promise that a mistake breaks alike.
    """
    own = [mistake for mistake in mistakes if mistake.check == check.id]

    def alike(aspects: Iterable[str], runs: Collection[str]) -> str:
        same = [
            mistake
            for mistake in own
            if sorted(aspects) == sorted(mistake.faults) and _same(check, evidence, verdict, mistake, runs)
        ]
        return _only(m.hint for m in same if m.caught_by == check.id) or _only(m.hint for m in same)

    if hint := alike(verdict.faults, evidence.runs):
        return hint
    if "answer" in verdict.faults:
        return alike(verdict.faults, ["float32"])
    hints = [alike([aspect], [SHOWN_BY[aspect]]) for aspect in verdict.faults if aspect in SHOWN_BY]
    return " ".join(dict.fromkeys(filter(None, hints)))


def _same(
    check: Check, evidence: Evidence, verdict: Verdict, mistake: KnownMistake, runs: Iterable[str]
) -> bool:
    """Whether these runs show exactly what the mistake does."""
    if check.law and not _say_the_same(verdict.faults.get("answer", ""), mistake.sentence):
        return False
    for name in runs:
        run, other = evidence.runs[name], mistake.evidence.runs.get(name)
        if other is None:
            continue
        if _kind(run.error) != _kind(other.error):
            return False
        compared = run.error is None and not check.law and name not in UNCOMPARED
        if compared and unlike(check, other.outputs, run.outputs):
            return False
    return True


def _only(hints: Iterable[str]) -> str:
    """The hint that all of these are; empty where the evidence does not tell mistakes apart."""
    different = {*hints}
    return different.pop() if len(different) == 1 else ""


def _say_the_same(sentence: str, other: str) -> bool:
    """Whether sentences agree, and what was measured as chance allows; counts may differ, but no shape."""
    if without_numbers(sentence) != without_numbers(other):
        return False
    if "shape" in sentence:
        return sentence == other
    numbers = [[each[0] for each in NUMBER.findall(text)] for text in (sentence, other)]
    return all(
        (one.isdigit() and two.isdigit()) or math.isclose(_value(one), _value(two), rel_tol=CHANCE)
        for one, two in zip(*numbers, strict=True)
    )


def _value(number: str) -> float:
    return float(number.rstrip("%"))


def without_numbers(sentence: str) -> str:
    """A sentence that is the same for all who make a mistake, whatever chance gave them."""
    return NUMBER.sub("#", sentence)


def _kind(error: str | None) -> str | None:
    """An error wherever it happened: sizes in brackets, as torch tells them, belong to its kind."""
    return error and PLACE.sub("", error)
