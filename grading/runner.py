"""Run one submission's checks in a process of its own, and bring back what they did.

This is the seam for safer and farther runners: `Worker.run` takes a tree with the student's files in it
and returns evidence, whatever happens in between.
"""

import contextlib
import json
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from exercise_code.support.checking.assignment import Assignment
from exercise_code.support.checking.child import read_frame
from exercise_code.support.checking.evidence import Evidence, loads
from exercise_code.support.paths import ROOT
from grading.course import CourseError

ENTRY = """\
import sys
sys.meta_path[:] = [finder for finder in sys.meta_path if "editable" not in getattr(finder, "__module__", "")]
sys.path[:] = [{tree!r}, *(path for path in sys.path if path != {root!r})]
from exercise_code.support.checking import child
child.{function}()
"""
START_SECONDS = 60.0
CAN_FORK = sys.platform == "linux"


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


class Worker:
    """Runs submissions one after another; to be used in a `with` statement.

    On Linux it keeps a process that has imported everything, and forks it for each submission. Elsewhere
    each submission starts a process anew.
    """

    def __init__(self, pristine: Path, assignment: Assignment) -> None:
        """Take the tree whose support code is trusted, and the assignment whose checks are run."""
        self._pristine, self._assignment = pristine, assignment
        self._zygote: _Zygote | None = None

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, *exception: object) -> None:
        if self._zygote:
            self._zygote.close()

    def run(self, tree: Path, seed: int, checks: Sequence[str] = ()) -> list[Evidence]:
        """Run checks on the functions in a tree.

        A check that loops, crashes or ends the process costs itself: the rest goes on in a new process.

        Args:
            tree: a copy of the pristine tree with the student's files in place.
            seed: draws the inputs.
            checks: the checks to run; all if none are named.

        Returns:
            Evidence for each check, in order, with the seconds that it took.
        """
        limits = self._assignment.limits
        found: dict[str, Evidence] = {}
        ids = [*checks] or [check.id for check in self._assignment.checks]
        ends = time.monotonic() + limits.seconds_per_submission
        while waiting := [id for id in ids if id not in found]:
            if time.monotonic() > ends:
                reason = f"the {limits.seconds_per_submission:g} seconds for the submission are over"
                found |= {id: Evidence(id, problem=("timeout", reason)) for id in waiting}
                break
            with self._start(tree, seed, waiting) as child:
                started = child.receive(START_SECONDS)
                imported = started if isinstance(started, tuple) else child.receive(limits.seconds_per_check)
                if isinstance(imported, tuple):
                    status, reason = imported
                    problem = status, f"{reason} while it was imported"
                    found |= {id: Evidence(id, problem=problem) for id in waiting}
                    break
                for id in waiting:
                    began = time.monotonic()
                    seconds = min(limits.seconds_per_check, max(ends - began, 0.1))
                    found[id] = _evidence(id, child.receive(seconds))
                    found[id].seconds = time.monotonic() - began
                    if found[id].problem:
                        break
        return [found[id] for id in ids]

    def _start(self, tree: Path, seed: int, ids: list[str]) -> "_Child":
        memory_mb = self._assignment.limits.memory_mb
        if not CAN_FORK:
            process = _start_python(
                tree, "main", self._assignment.name, str(seed), str(memory_mb), *ids, stdout=subprocess.PIPE
            )
            return _Process(process)
        for _ in range(2):
            self._zygote = self._zygote or _Zygote(self._pristine, self._assignment)
            if child := self._zygote.fork(tree=str(tree), checks=ids, seed=seed, memory_mb=memory_mb):
                return child
            self._zygote.close()
            self._zygote = None
        raise CourseError("no process can be started to run submissions: is there memory left?")


class _Child:
    """A process that runs checks; `receive` waits for its next frame."""

    def __init__(self, frames: BinaryIO) -> None:
        self._asked = threading.Semaphore(0)
        self._frames: queue.Queue[bytes | None] = queue.Queue()
        threading.Thread(target=self._read, args=[frames], daemon=True).start()

    def __enter__(self) -> "_Child":
        return self

    def __exit__(self, *exception: object) -> None:
        self.kill()
        self.ending()
        self._asked.release()

    def _read(self, frames: BinaryIO) -> None:
        """Read one frame each time that one is asked for; what a child sends beyond stays in the pipe."""
        with frames, contextlib.suppress(ValueError, OSError):
            while self._asked.acquire() and (frame := read_frame(frames)) is not None:
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
        self.kill()
        return "crashed", f"the process ended ({self.ending()})"

    def kill(self) -> None:
        """End the process and its group, if it still runs."""
        raise NotImplementedError

    def ending(self) -> str:
        """Wait for the end and say how it came."""
        raise NotImplementedError


class _Process(_Child):
    """A child that is a Python of its own."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        super().__init__(process.stdout)

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL) if os.name == "posix" else self._process.kill()

    def ending(self) -> str:
        return _ending(self._process.wait())


class _Fork(_Child):
    """A child that is a fork of a zygote."""

    def __init__(self, frames: BinaryIO, pid: int, zygote: "_Zygote") -> None:
        self._pid, self._zygote = pid, zygote
        self._status: int | None = None
        super().__init__(frames)

    def kill(self) -> None:
        if self._status is None:
            self._status = self._zygote.answer(wait=False)
        if self._status is None:
            for kill in (os.killpg, os.kill):
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    kill(self._pid, signal.SIGKILL)

    def ending(self) -> str:
        if self._status is None:
            self._status = self._zygote.answer()
        return _ending(-signal.SIGKILL if self._status is None else os.waitstatus_to_exitcode(self._status))


class _Zygote:
    """A process that has imported everything and forks on request."""

    def __init__(self, pristine: Path, assignment: Assignment) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            arguments = assignment.name, str(theirs.fileno())
            inherited = [theirs.fileno()]
            self._process = _start_python(
                pristine, "serve", *arguments, stdout=subprocess.DEVNULL, pass_fds=inherited
            )

    def fork(self, **request: Any) -> _Child | None:
        """Start a fork that runs checks as `child.serve` describes; None if the zygote has been ended."""
        ours, theirs = os.pipe()
        with contextlib.suppress(OSError):
            socket.send_fds(self._socket, [json.dumps(request).encode()], [theirs])
        os.close(theirs)
        pid = self.answer()
        if pid is None:
            os.close(ours)
            return None
        return _Fork(os.fdopen(ours, "rb"), pid, self)

    def answer(self, wait: bool = True) -> int | None:
        """The next number it sends; None where it is gone, or none has come and there is no time to wait."""
        with contextlib.suppress(OSError):
            if data := self._socket.recv(64, 0 if wait else socket.MSG_DONTWAIT):
                return json.loads(data)
        return None

    def close(self) -> None:
        """Let it end."""
        self._socket.close()
        self._process.wait()


def _start_python(tree: Path, function: str, *arguments: str, **options: Any) -> subprocess.Popen[bytes]:
    """Start Python on a function of `child` in a tree, with nothing of this process's environment."""
    threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    system = {name: os.environ[name] for name in ("SYSTEMROOT", "TEMP") if name in os.environ}
    entry = ENTRY.format(tree=str(tree), root=str(ROOT), function=function)
    return subprocess.Popen(
        [sys.executable, "-I", "-B", "-c", entry, *arguments],
        cwd=tree,
        env={**system, **threads, "HOME": str(tree), "TMPDIR": str(tree)},
        stdin=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        **options,
    )


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
