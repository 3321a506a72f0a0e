"""Run one submission's checks in a child process, and bring back what they did.

This is the seam for faster and safer runners: `run` takes a tree with the student's files in it and
returns evidence, whatever happens in between.
"""

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from exercise_code.support.checking.assignment import Assignment
from exercise_code.support.checking.child import read_frame
from exercise_code.support.checking.evidence import Evidence, loads
from exercise_code.support.paths import ROOT

ENTRY = """\
import sys
sys.meta_path[:] = [finder for finder in sys.meta_path if "editable" not in getattr(finder, "__module__", "")]
sys.path[:] = [{tree!r}, *(path for path in sys.path if path != {root!r})]
from exercise_code.support.checking.child import main
main()
"""
START_SECONDS = 60.0


@dataclass(frozen=True)
class Sandbox:
    """How far submissions are kept from the machine they run on.

    L1 is a plain child process: it knows no answers, has no environment variables, a wall clock and
    bounded memory, but it runs as the user who grades.
    """

    level: str = "L1"
    layers: list[str] = field(
        default_factory=lambda: ["process", "no environment", "wall clock", "memory limit"]
    )
    missing: list[str] = field(default_factory=lambda: ["namespaces", "Landlock", "seccomp"])

    def to_tree(self) -> dict[str, Any]:
        """The same as a dict."""
        return asdict(self)


def run(tree: Path, assignment: Assignment, seed: int) -> list[Evidence]:
    """Run all checks of an assignment on the functions in a tree.

    A check that loops, crashes or ends the process costs itself: the rest goes on in a new process.

    Args:
        tree: a project folder with the student's files in place and no answers.
        assignment: whose checks.
        seed: draws the inputs.

    Returns:
        Evidence for each check, in order.
    """
    found: dict[str, Evidence] = {}
    ids = [check.id for check in assignment.checks]
    ends = time.monotonic() + assignment.limits.seconds_per_submission
    while waiting := [id for id in ids if id not in found]:
        if time.monotonic() > ends:
            reason = f"the {assignment.limits.seconds_per_submission:g} seconds for the submission are over"
            found |= {id: Evidence(id, problem=("timeout", reason)) for id in waiting}
            break
        with _Child(tree, assignment, seed, waiting) as child:
            started = child.receive(START_SECONDS)
            imported = (
                started if isinstance(started, tuple) else child.receive(assignment.limits.seconds_per_check)
            )
            if isinstance(imported, tuple):
                status, reason = imported
                found |= {
                    id: Evidence(id, problem=(status, f"{reason} while it was imported")) for id in waiting
                }
                break
            for id in waiting:
                frame = child.receive(
                    min(assignment.limits.seconds_per_check, max(ends - time.monotonic(), 0.1))
                )
                found[id] = _evidence(id, frame)
                if found[id].problem:
                    break
    return [found[id] for id in ids]


class _Child:
    """A process that runs checks; `receive` waits for its next frame."""

    def __init__(self, tree: Path, assignment: Assignment, seed: int, ids: list[str]) -> None:
        entry = ENTRY.format(tree=str(tree), root=str(ROOT))
        limits = [str(seed), str(assignment.limits.memory_mb)]
        threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
        system = {name: os.environ[name] for name in ("SYSTEMROOT", "TEMP") if name in os.environ}
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-B", "-c", entry, assignment.name, *limits, *ids],
            cwd=tree,
            env={**system, **threads, "HOME": str(tree), "TMPDIR": str(tree)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._asked = threading.Semaphore(0)
        self._frames: queue.Queue[bytes | None] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def __enter__(self) -> "_Child":
        return self

    def __exit__(self, *exception: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL) if os.name == "posix" else self._process.kill()
        self._process.wait()
        self._asked.release()

    def _read(self) -> None:
        """Read one frame each time that one is asked for; what a child sends beyond stays in the pipe."""
        with self._process.stdout as out, contextlib.suppress(ValueError, OSError):
            while self._asked.acquire() and (frame := read_frame(out)) is not None:
                self._frames.put(frame)
        self._frames.put(None)

    def receive(self, seconds: float) -> bytes | tuple[str, str]:
        """The next frame, or a status and a reason why there is none."""
        self._asked.release()
        try:
            frame = self._frames.get(timeout=seconds)
        except queue.Empty:
            return "timeout", f"it took longer than {seconds:.0f} seconds"
        if frame is not None:
            return frame
        return "crashed", f"the process ended ({_ending(self._process.wait())})"


def _evidence(id: str, frame: bytes | tuple[str, str]) -> Evidence:
    if isinstance(frame, tuple):
        return Evidence(id, problem=frame)
    try:
        evidence = Evidence.from_tree(loads(frame))
    except ValueError:
        return Evidence(id, problem=("crashed", "the process sent something else than evidence"))
    if evidence.check != id or evidence.problem or "float32" not in evidence.runs:
        return Evidence(id, problem=("crashed", "the process sent the evidence of something else"))
    return evidence


def _ending(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    with contextlib.suppress(ValueError):
        return signal.Signals(-code).name
    return f"signal {-code}"
