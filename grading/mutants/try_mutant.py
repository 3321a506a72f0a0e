"""Run the checks on mutants, each in a fork of a process that has the reference's answers.

Mutants are our own code: a fork bounds their time and memory, and keeps what they change to itself; it does
not keep them away from the machine.
"""

import contextlib
import importlib.abc
import importlib.util
import json
import os
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType

import numpy as np
import torch
from torch import Tensor

from exercise_code.support.checking import exercise_source, run_check
from exercise_code.support.checking.answers import make_answers
from exercise_code.support.checking.assignment import Assignment, find_assignment
from exercise_code.support.checking.compare import unlike
from exercise_code.support.checking.declare import Check
from exercise_code.support.checking.evidence import Evidence, Run
from exercise_code.support.checking.judge import judge
from exercise_code.support.devices import pretended
from exercise_code.support.isolation import confine
from exercise_code.support.isolation.check_server import forget_exercises
from exercise_code.support.paths import ROOT
from grading.mutants.extra_inputs import AS_DRAWN, KINDS, run_unusual, unusual_case
from grading.mutants.generate import Mutant, checks_of

MORE_SEEDS, UNUSUAL_SEEDS = 50, 3
LEAST_SECONDS, SLOWER = 5.0, 20.0
"""Time for a mutant: so many seconds, and so many times what the reference takes."""


@dataclass
class Outcome:
    """What became of a mutant: `killed` (also by an error or a crash), `timeout` or `survived`.

    `check` is the one that noticed and `message` what it said. A mutant survives where it is not noticed with
    one of the seeds, which `message` then names. Of a survivor, `differs` says for which inputs
    that no check draws, or that another seed draws, its outputs differ; it is empty where none were found.
    `shapes` are those of the inputs, of all that no check noticed and of all that a check should not have.
    """

    status: str
    check: str = ""
    message: str = ""
    differs: str = ""
    shapes: list[str] = field(default_factory=list)


@dataclass
class _Known:
    """What is known of the checks of an exercise before any mutant has run; the reference's by seed."""

    checks: list[Check]
    reference: dict[int, dict[str, Evidence]]
    seconds: float
    shapes: list[str]
    elsewhere: list[tuple[Check, str, int, Run]] = field(default_factory=list)


class Examiner:
    """Runs the checks of an assignment on mutants, one after another."""

    def __init__(self, assignment: Assignment, seeds: Sequence[int]) -> None:
        """Import everything and warm up; a mutant must be noticed with each of the seeds."""
        self._assignment, self._seeds = assignment, seeds
        self._known: dict[str, _Known] = {}
        pretended.available()

    def examine(self, mutant: Mutant, *, right: bool = False) -> Outcome:
        """Run the checks of a mutant's exercise on it, until one notices.

        Args:
            mutant: what to run.
            right: it is right, so that there is nothing more to find out where no check notices it.
        """
        known = self._knowledge(mutant.exercise)
        found = self._apart(lambda: _noticed(mutant, known), LEAST_SECONDS + SLOWER * known.seconds)
        noticed = found["status"] != "survived"
        if noticed or right:
            return Outcome(**found, shapes=known.shapes if noticed and right else [])
        if not known.elsewhere:
            known.elsewhere = [*self._elsewhere(known.checks)]
        seconds = LEAST_SECONDS + SLOWER * known.seconds * (MORE_SEEDS + UNUSUAL_SEEDS * len(KINDS))
        other = self._apart(lambda: _difference(mutant, known.elsewhere), seconds)
        return Outcome(**found, differs=other["message"], shapes=known.shapes)

    def _knowledge(self, exercise: str) -> _Known:
        if exercise not in self._known:
            checks = checks_of(self._assignment, exercise)
            began = time.perf_counter()
            reference = {seed: make_answers(checks, [], seed).reference for seed in self._seeds}
            seconds = time.perf_counter() - began
            shapes: dict[str, None] = {}
            for check in checks:
                case = unusual_case(AS_DRAWN, check, self._seeds[0])
                run_check.run_once(check, self._seeds[0], case)
                shapes |= dict.fromkeys(_shape(item) for item in case.items)
            self._known[exercise] = _Known(checks, reference, seconds, [*shapes])
        return self._known[exercise]

    def _elsewhere(self, checks: Sequence[Check]) -> Iterator[tuple[Check, str, int, Run]]:
        """What the reference makes of other inputs, as far as it and the check's law make sense of them."""
        for kind in KINDS:
            seeds = MORE_SEEDS if kind == AS_DRAWN else UNUSUAL_SEEDS
            for check in checks:
                for seed in range(self._seeds[-1] + 1, self._seeds[-1] + 1 + seeds):
                    run = run_unusual(kind, check, seed)
                    if run.error is None and not unlike(check, run.outputs, run.outputs):
                        yield check, kind, seed, run

    def _apart(self, work: Callable[[], dict[str, str]], seconds: float) -> dict[str, str]:
        """Do something in a fork and return what comes of it, or how it ended."""
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                os.setsid()
                out = confine.close_all_but(writing)
                confine.limit(self._assignment.limits.memory_mb, seconds)
                os.write(out, json.dumps(work()).encode())
            except MemoryError:
                pass  # the mutant's; the empty pipe says that it has ended
            except Exception:
                os.write(out, json.dumps({"broken": traceback.format_exc()[-4000:]}).encode())
            finally:
                os._exit(0)
        os.close(writing)
        with os.fdopen(reading, "rb") as frames:
            ready, _, _ = select.select([frames], [], [], seconds)
            if not ready:
                _end(pid)
            answer = frames.read() if ready else b""
        os.waitpid(pid, 0)
        if not ready:
            return {"status": "timeout", "message": f"it took longer than {seconds:.0f} seconds"}
        found = json.loads(answer) if answer else {"status": "killed", "message": "the process ended"}
        if "broken" in found:
            raise RuntimeError(f"a mutant could not be examined:\n{found['broken']}")
        return found


def _end(pid: int) -> None:
    for kill in (os.killpg, os.kill):
        with contextlib.suppress(ProcessLookupError):  # it may not have a group of its own yet
            kill(pid, signal.SIGKILL)


def _shape(item: Tensor | np.ndarray) -> str:
    return f"{str(item.dtype).removeprefix('torch.')} {tuple(item.shape)}"


def _noticed(mutant: Mutant, known: _Known) -> dict[str, str]:
    """The check that notices a mutant, and what it says; or the seed with which none does."""
    _install(mutant)
    for seed, reference in known.reference.items():
        noticed = _noticed_with(mutant, known.checks, seed, reference)
        if not noticed:
            return {"status": "survived", "message": f"seed {seed}"}
    return noticed


def _noticed_with(
    mutant: Mutant, checks: Sequence[Check], seed: int, reference: dict[str, Evidence]
) -> dict[str, str]:
    """The first check that does not give a mutant all of its points, and why; nothing, if all do."""
    for check in checks:
        function = (
            exercise_source.find_function(mutant.module, mutant.solution.qualname)
            if check.exercise == mutant.exercise
            else exercise_source.read_exercise(check.exercise, run_check.EXERCISES)
        )
        verdict = judge(check, run_check.gather(check, seed), reference[check.id], function)
        if verdict.status != "passed":
            return {"status": "killed", "check": check.id, "message": verdict.message[:300]}
    return {}


def _difference(mutant: Mutant, elsewhere: Sequence[tuple[Check, str, int, Run]]) -> dict[str, str]:
    """Where else a mutant differs from the reference, as a message."""
    _install(mutant)
    for check, kind, seed, expected in elsewhere:
        run = run_unusual(kind, check, seed)
        if found := run.error or unlike(check, expected.outputs, run.outputs):
            return {"message": f"{kind}, seed {seed}, in {check.id}: {found[:300]}"}
    return {"message": ""}


def _install(mutant: Mutant) -> None:
    """Let the changed module be imported instead of the one in the file, and all that imports it anew."""
    forget_exercises()
    name = ".".join(Path(mutant.solution.file).with_suffix("").parts).removesuffix(".__init__")
    sys.meta_path.insert(0, _Changed(name, str(ROOT / mutant.solution.file), mutant.module))


class _Changed(importlib.abc.MetaPathFinder, SourceFileLoader):  # type: ignore[misc]
    """Finds and loads a module with another text than that of its file."""

    def __init__(self, name: str, path: str, text: str) -> None:
        super().__init__(name, path)
        self._text = text

    def find_spec(self, fullname: str, path: object, target: object = None) -> ModuleSpec | None:
        if fullname != self.name:
            return None
        return importlib.util.spec_from_file_location(fullname, self.path, loader=self)

    def exec_module(self, module: ModuleType) -> None:
        vars(module).update(torch=torch, np=np)  # a rewrite calls them, whether or not the solution does
        super().exec_module(module)

    def get_code(self, fullname: str) -> CodeType:
        return compile(self._text, self.path, "exec", dont_inherit=True)


_examiner: Examiner


def start(name: str, seeds: Sequence[int]) -> None:
    """Make ready a process of a pool."""
    global _examiner
    _examiner = Examiner(find_assignment(name), seeds)


def examine(mutant: Mutant, right: bool) -> Outcome:
    """Examine a mutant in a process of a pool."""
    return _examiner.examine(mutant, right=right)
