"""Examine the checks of an assignment by mutants of its solutions: the run, its journal, what it comes to."""

import ast
import contextlib
import json
import multiprocessing
import os
import random
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from itertools import compress
from pathlib import Path
from typing import Any, cast

from rich.console import Console
from rich.progress import track

from exercise_code.support.checking import exercise_source
from exercise_code.support.checking.assignment import Assignment
from exercise_code.support.checking.declare import Check
from exercise_code.support.paths import ROOT
from grading.course import CourseError
from grading.mutants import try_mutant
from grading.mutants.equivalents import Entry, read_listed, stale
from grading.mutants.generate import Mutant, Solution, checks_of, make_mutants, solutions
from grading.mutants.operators import OPERATORS
from grading.mutants.rewrites import rewrites_for
from grading.mutants.try_mutant import Outcome
from grading.running.check_process import CAN_FORK
from grading.running.dependencies import hash_of

ALONE = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
ALONE |= {"CUDA_VISIBLE_DEVICES": ""}
"""A fork is safe only from a process with one thread and no CUDA; the pretended accelerator stands in."""

CHUNK = 4
"""Mutants that a process gets at once, most often of one exercise, so that few must know each exercise."""


@dataclass(frozen=True)
class Settings:
    """What is examined and how; see `workbook mutants --help`."""

    out: Path
    exercise: str = ""
    workers: int | None = None
    seed: int = 0
    seeds: int = 1
    sample: int | None = None

    def asks_for(self, exercise: str) -> bool:
        """Whether an exercise is the one asked for, or belongs to the module or class asked for."""
        return not self.exercise or f"{exercise}.".startswith(f"{self.exercise}.")


@dataclass
class Examined:
    """A mutant, or a rewrite that is right, and what became of it."""

    mutant: Mutant
    outcome: Outcome
    entry: Entry | None = None

    @property
    def status(self) -> str:
        """Killed, timeout, survived, or equivalent: survived, and listed with a reason."""
        return "equivalent" if self.entry and self.outcome.status == "survived" else self.outcome.status

    def to_dict(self) -> dict[str, Any]:
        """The same as a dict."""
        was, becomes = self.mutant.change
        return {
            "exercise": self.mutant.exercise,
            "operator": self.mutant.operator,
            "was": was,
            "becomes": becomes,
            "diff": self.mutant.diff,
            **asdict(self.outcome),
            "status": self.status,
            "reason": self.entry.reason if self.entry else "",
        }


@dataclass
class Examination:
    """What a run comes to; `same` counts mutants that were the same syntax tree and not run."""

    assignment: Assignment
    seeds: range
    mutants: list[Examined] = field(default_factory=list)
    rewrites: list[Examined] = field(default_factory=list)
    same: int = 0
    stale: list[str] = field(default_factory=list)
    unexamined: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def of(self, status: str) -> list[Examined]:
        """The mutants of a status."""
        return [item for item in self.mutants if item.status == status]

    @property
    def false_alarms(self) -> list[Examined]:
        """Right rewrites that a check took points from."""
        return [item for item in self.rewrites if item.outcome.status != "survived"]

    @property
    def flawless(self) -> bool:
        """Whether nothing is left to mend."""
        return not (self.of("survived") or self.false_alarms or self.stale)

    def summary(self) -> str:
        """What is left to mend, and the numbers."""
        lines = []
        for item in self.of("survived"):
            was, becomes = item.mutant.change
            lines += [f"survived: {item.mutant.exercise}", f"  - {was}", f"  + {becomes}"]
            differs = item.outcome.differs
            lines.append(
                f"    differs {differs}" if differs else "    no difference was found with other inputs"
            )
            lines.append(f"    inputs {', '.join(item.outcome.shapes)}")
        for item in self.false_alarms:
            was, becomes = item.mutant.change
            lines += [f"false alarm: {item.mutant.exercise}, {item.mutant.operator}"]
            lines += [f"  - {was}", f"  + {becomes}", f"    {item.outcome.check}: {item.outcome.message}"]
        lines += [f"stale: {sentence}" for sentence in self.stale]
        numbers = {word: len(self.of(word)) for word in ("killed", "timeout", "equivalent", "survived")}
        counts = ", ".join(f"{number:,} {word}" for word, number in numbers.items())
        alarms = f"{len(self.rewrites)} right rewrites, {len(self.false_alarms)} false alarms"
        lines.append(f"{len(self.mutants):,} mutants: {counts}; {alarms}; {self.seconds:.0f} seconds")
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """The same as a dict."""
        return {
            "assignment": self.assignment.name,
            "seeds": [*self.seeds],
            "seconds": round(self.seconds, 1),
            "made": len(self.mutants),
            **{status: len(self.of(status)) for status in ("killed", "timeout", "equivalent", "survived")},
            "same_tree": self.same,
            "rewrites": len(self.rewrites),
            "false_alarms": [item.to_dict() for item in self.false_alarms],
            "stale": self.stale,
            "unexamined": self.unexamined,
            "mutants": [item.to_dict() for item in self.mutants],
        }


def examine_assignment(assignment: Assignment, settings: Settings, console: Console) -> Examination:
    """Make all mutants and right rewrites of an assignment's solutions, and run its checks on them.

    What an earlier run with the same checks, solutions and seed has found out is taken from its journal.

    Raises:
        CourseError: no exercise has the name that is asked for, or this system cannot fork.
    """
    if not CAN_FORK:
        raise CourseError("mutants need a system that can fork: run this on Linux")
    began = time.perf_counter()
    found = Examination(assignment, range(settings.seed, settings.seed + settings.seeds))
    chosen = [s for s in solutions(assignment) if settings.asks_for(s.exercise)]
    if not chosen:
        names = ", ".join(solution.exercise for solution in solutions(assignment))
        raise CourseError(f"{settings.exercise!r} is no exercise of {assignment.name}; there are: {names}")
    listed = read_listed(assignment)
    equivalent, wrong = (
        [entry for entry in entries if settings.asks_for(entry.exercise)]
        for entries in (listed.equivalent, listed.wrong)
    )
    made: list[Mutant] = []
    mutants: list[Mutant] = []
    rewritten: list[Mutant] = []
    rewrites: list[Mutant] = []
    for solution in chosen:
        checks = checks_of(assignment, solution.exercise)
        if not checks:
            found.unexamined.append(solution.exercise)
            continue
        changed, same = make_mutants(solution, OPERATORS)
        right, _ = make_mutants(solution, rewrites_for(checks))
        found.same += same
        made += changed
        rewritten += right
        is_wrong = [any(entry.covers(rewrite) for entry in wrong) for rewrite in right]
        mutants += _sampled(solution, [*changed, *compress(right, is_wrong)], settings)
        allowed = [r for r, no in zip(right, is_wrong, strict=True) if not no and _allowed(r, checks)]
        rewrites += _sampled(solution, allowed, settings)
    entries = [next((entry for entry in equivalent if entry.covers(mutant)), None) for mutant in mutants]
    tasks = [(mutant, entry is not None) for mutant, entry in zip(mutants, entries, strict=True)]
    tasks += [(rewrite, True) for rewrite in rewrites]
    outcomes = _outcomes(found, tasks, settings, console)
    found.mutants = [*map(Examined, mutants, outcomes, entries)]
    found.rewrites = [*map(Examined, rewrites, outcomes[len(mutants) :])]
    killed = [item.mutant for item in found.mutants if item.outcome.status != "survived"]
    found.stale = [*stale(equivalent, made, killed), *stale(wrong, rewritten, [])]
    found.seconds = time.perf_counter() - began
    return found


def _allowed(rewrite: Mutant, checks: Sequence[Check]) -> bool:
    """Whether a rewrite calls nothing that the exercise rules out."""
    function = cast(ast.FunctionDef, ast.parse(rewrite.function).body[0])
    return not any(exercise_source.first_use(function, check.forbids) for check in checks)


def _sampled(solution: Solution, mutants: Sequence[Mutant], settings: Settings) -> list[Mutant]:
    """So many of the mutants of an exercise, in their order; all, if no number is asked for."""
    if settings.sample is None or len(mutants) <= settings.sample:
        return [*mutants]
    draw = random.Random(f"{settings.seed} {solution.exercise}")
    return [mutants[index] for index in sorted(draw.sample(range(len(mutants)), settings.sample))]


def _outcomes(
    found: Examination, tasks: Sequence[tuple[Mutant, bool]], settings: Settings, console: Console
) -> list[Outcome]:
    """What becomes of each, from the journal or from a run."""
    folders = ROOT / "exercise_code", Path(__file__).parent
    code = hash_of(path for folder in folders for path in folder.rglob("*.py"))
    checks = b"".join(path.read_bytes() for path in found.assignment.files("checks"))
    state = sha256(code.encode() + checks).hexdigest()
    keys = [sha256(f"{found.seeds} {right} {m.module}".encode()).hexdigest() for m, right in tasks]
    with _Journal(settings.out / "journal.jsonl", state) as journal:
        waiting = {key: task for key, task in zip(keys, tasks, strict=True) if key not in journal.known}
        if waiting:
            with _pool(found, settings, len(waiting)) as pool:
                results = pool.map(try_mutant.examine, *zip(*waiting.values(), strict=True), chunksize=CHUNK)
                title = f"Examining {found.assignment.name}"
                for key, outcome in track(
                    zip(waiting, results, strict=True), title, len(waiting), console=console
                ):
                    journal.add(key, outcome)
        return [journal.known[key] for key in keys]


@contextlib.contextmanager
def _pool(found: Examination, settings: Settings, tasks: int) -> Iterator[ProcessPoolExecutor]:
    """Processes that have the reference's answers."""
    before = {name: os.environ.get(name) for name in ALONE}
    os.environ.update(ALONE)
    workers = min(settings.workers or os.cpu_count() or 1, tasks)
    context, given = multiprocessing.get_context("spawn"), (found.assignment.name, found.seeds)
    pool = ProcessPoolExecutor(workers, context, try_mutant.start, given)
    try:
        yield pool
    except BrokenProcessPool:
        raise CourseError("a worker ended: is there memory left? A new run goes on from here") from None
    finally:
        pool.shutdown(cancel_futures=True)
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


class _Journal:
    """Outcomes by key, a line each; a run that was ended leaves all that it has found.

    The first line names the state of checks and solutions; what was found with another one is dropped.
    """

    def __init__(self, path: Path, state: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.known: dict[str, Outcome] = {}
        first, *lines = path.read_text(encoding="utf-8").split("\n") if path.exists() else [""]
        for line in lines if first == state else []:
            with contextlib.suppress(json.JSONDecodeError):  # the last line of a run that was ended
                record = json.loads(line)
                key = record.pop("key")
                self.known[key] = Outcome(**record)
        fresh = path.with_suffix(".new")
        self._file = fresh.open("w", encoding="utf-8")
        self._file.write(f"{state}\n")
        for key, outcome in [*self.known.items()]:
            self.add(key, outcome)
        fresh.replace(path)

    def __enter__(self) -> "_Journal":
        return self

    def __exit__(self, *exception: object) -> None:
        self._file.close()

    def add(self, key: str, outcome: Outcome) -> None:
        """Note what became of a mutant."""
        self.known[key] = outcome
        self._file.write(json.dumps({"key": key, **asdict(outcome)}) + "\n")
        self._file.flush()
