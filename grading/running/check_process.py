"""Run one submission's checks in a process of its own, and bring back what they did.

`CheckProcess.run` takes the student's files and returns evidence, whatever happens in between.
"""

import contextlib
import json
import math
import os
import queue
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

from torch import Tensor

from exercise_code.support.checking.assignment import Assignment
from exercise_code.support.checking.evidence import MAX_HEADER, Evidence, dumps
from exercise_code.support.isolation.check_server import HELD_OUT_FILE, KILL, STATUS, read_frame, write_frame
from exercise_code.support.paths import ROOT
from grading.course import CourseError
from grading.running.sandbox import Sandbox, detect
from grading.running.usage import Usage

ENTRY = """\
import sys
sys.meta_path[:] = [finder for finder in sys.meta_path if "editable" not in getattr(finder, "__module__", "")]
sys.path[:] = [{folder!r}, *(path for path in sys.path if path != {root!r})]
from exercise_code.support.isolation import check_server
check_server.{function}()
"""
START_SECONDS = 60.0
MAX_EVIDENCE = 128 * 2**20
"""Bytes that all checks of a submission together may send back; the checks after that are not run."""
TICK = 0.25
"""Seconds between two looks at what a submission uses."""
CAN_FORK = sys.platform == "linux"


class CheckProcess:
    """Runs submissions one after another; to be used in a `with` statement.

    On Linux it keeps a process that has imported everything, and forks it for each submission. Elsewhere
    each submission starts a process anew.
    """

    def __init__(self, pristine: Path, assignment: Assignment, sandbox: Sandbox | None = None) -> None:
        """Get ready to run checks.

        Args:
            pristine: a folder whose support code is trusted; a folder `scratch` is made beside it.
            assignment: whose checks are run.
            sandbox: how far submissions are kept away; as far as this machine can, if not given.
        """
        self._pristine, self._assignment = pristine, assignment
        self._sandbox = sandbox or detect()
        self._scratch = pristine.parent / "scratch"
        self._scratch.mkdir(exist_ok=True)
        self._scratch.chmod(0o777)
        self._server: _ForkServer | None = None
        self._opening, self._closed = threading.Lock(), False

    def __enter__(self) -> "CheckProcess":
        return self

    def __exit__(self, *exception: object) -> None:
        """End what runs, even if another thread waits for it."""
        with self._opening:
            self._closed = True
        if self._server:
            self._server.close()
        shutil.rmtree(self._scratch, ignore_errors=True)

    def run(
        self,
        files: dict[str, bytes],
        seed: int,
        checks: Sequence[str] = (),
        held_out: dict[str, Tensor] | None = None,
    ) -> list[Evidence]:
        """Run checks on a student's functions.

        A check that loops, crashes or ends the process costs itself: the rest goes on in a new process.

        Args:
            files: the student's files by their paths in that folder.
            seed: draws the inputs.
            checks: the checks to run; all if none are named.
            held_out: images on which saved models are tried, by their key.

        Returns:
            Evidence for each check, in order, with the seconds that it took.

        Raises:
            CourseError: no process can be started, or it cannot be kept apart as it should.
        """
        if held_out:
            files = files | {HELD_OUT_FILE: dumps(held_out)}
        limits = self._assignment.limits
        found: dict[str, Evidence] = {}
        ids = [*checks] or [check.id for check in self._assignment.checks]
        left = _Time(time.monotonic() + limits.seconds_per_submission, limits.seconds_per_submission)
        sent = 0
        while waiting := [id for id in ids if id not in found]:
            problem = None
            if time.monotonic() > left.ends:
                reason = f"the {limits.seconds_per_submission:g} seconds for the submission are over"
                problem = "timeout", reason
            elif sent > MAX_EVIDENCE:
                reason = f"the results before it are larger than {MAX_EVIDENCE / 2**20:g} MiB together"
                problem = "crashed", reason
            if problem:
                found |= {id: Evidence(id, problem=problem) for id in waiting}
                break
            sent += self._run(files, seed, waiting, left, MAX_EVIDENCE - sent, found)
        return [found[id] for id in ids]

    def _run(
        self,
        files: dict[str, bytes],
        seed: int,
        waiting: list[str],
        left: "_Time",
        room: int,
        found: dict[str, Evidence],
    ) -> int:
        """Run checks in one process, until one of them ends it or more than `room` bytes have come back.

        Returns:
            How many bytes have come back.
        """
        sent = 0
        limits = self._assignment.limits
        with self._start(files, seed, waiting) as child:
            started = child.receive(START_SECONDS)
            if isinstance(started, bytes) and started:
                raise CourseError(f"submissions cannot be kept apart as asked ({started.decode()})")
            began = time.monotonic()
            imported = started if isinstance(started, tuple) else child.receive(limits.seconds_per_check)
            if isinstance(imported, tuple):
                status, reason = imported
                problem = status, f"{reason} while it was imported"
                found |= {id: Evidence(id, problem=problem) for id in waiting}
                found[waiting[0]].seconds = time.monotonic() - began
                return sent
            for id in waiting:
                began, before = time.monotonic(), child.waited()
                seconds = min(limits.seconds_per_check, max(left.ends - began, 0.1))
                frame = child.receive(seconds, left.patience, limits.memory_mb)
                left.put_off(child.waited() - before)
                found[id] = _evidence(id, frame)
                found[id].seconds = time.monotonic() - began
                sent += len(frame) if isinstance(frame, bytes) else 0
                if found[id].problem or sent > room:
                    break
        return sent

    def _start(self, files: dict[str, bytes], seed: int, ids: list[str]) -> "_Child":
        limits = self._assignment.limits
        bounds = str(limits.memory_mb), str(limits.seconds_per_submission)
        if not CAN_FORK:
            scratch = tempfile.TemporaryDirectory(dir=self._scratch, ignore_cleanup_errors=True)
            folder = Path(scratch.name) / "files"
            shutil.copytree(self._pristine, folder, ignore=shutil.ignore_patterns("answers.safetensors.gz"))
            for name, content in files.items():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).write_bytes(content)
            arguments = self._assignment.name, str(seed), *bounds, *ids
            return _Process(_start_python(folder, "main", *arguments, stdout=subprocess.PIPE), scratch)
        for _ in range(2):
            with self._opening:
                if self._closed:
                    break
                self._server = self._server or _ForkServer(
                    self._pristine, self._assignment.name, *bounds, *self._sandbox.confines
                )
            if child := self._server.fork(files, checks=ids, seed=seed):
                return child
            self._server.close()
            self._server = None
        raise CourseError("no process can be started to run submissions: is there memory left?")


@dataclass
class _Time:
    """Until when a submission may run, and how many seconds more where it has to wait for a processor."""

    ends: float
    patience: float

    def put_off(self, seconds: float) -> None:
        """Add what it had to wait."""
        seconds = min(seconds, self.patience)
        self.ends += seconds
        self.patience -= seconds


class _Child:
    """A process that runs checks; `receive` waits for its next frame."""

    def __init__(self, frames: IO[bytes]) -> None:
        self._asked = threading.Semaphore(0)
        self._frames: queue.Queue[bytes | None] = queue.Queue()
        threading.Thread(target=self._read, args=[frames], daemon=True).start()

    def __enter__(self) -> "_Child":
        return self

    def __exit__(self, *exception: object) -> None:
        self.kill()
        self.leave()
        self._asked.release()

    def _read(self, frames: BinaryIO) -> None:
        """Read one frame each time that one is asked for; what a child sends beyond stays in the pipe."""
        with frames, contextlib.suppress(ValueError, OSError):
            while self._asked.acquire() and (frame := read_frame(frames)) is not None:
                self._frames.put(frame)
        self._frames.put(None)

    def receive(
        self, seconds: float, patience: float = 0.0, memory_mb: float = math.inf
    ) -> bytes | tuple[str, str]:
        """The next frame, or a status and a reason why there is none.

        Args:
            seconds: within which it must come.
            patience: seconds that it may wait for a processor beside.
            memory_mb: that the process and what it has started may hold together.
        """
        self._asked.release()
        began, before = time.monotonic(), self.waited()
        while True:
            spent = time.monotonic() - began
            if spent >= seconds and spent >= seconds + min(self.waited() - before, patience):
                return "timeout", f"it took longer than {seconds:.0f} seconds"
            with contextlib.suppress(queue.Empty):
                frame = self._frames.get(timeout=min(TICK, seconds - spent) if spent < seconds else TICK)
                break
            if self.memory() > memory_mb:
                self.kill()
                return "crashed", f"its processes took more than {memory_mb} MiB of memory together"
        if frame is not None:
            return frame
        self.kill()
        return "crashed", f"the process ended ({self.ending()})"

    def waited(self) -> float:
        """For how many seconds it had to wait for a processor, where that is known."""
        return 0.0

    def memory(self) -> float:
        """MiB that it holds together with what it has started, where that is known."""
        return 0.0

    def kill(self) -> None:
        """End the process and its group, if it still runs."""
        raise NotImplementedError

    def ending(self) -> str:
        """Wait for the end and say how it came."""
        raise NotImplementedError

    def leave(self) -> None:
        """Clear up what it used."""


class _Process(_Child):
    """A child that is a Python of its own."""

    def __init__(self, process: subprocess.Popen[bytes], scratch: tempfile.TemporaryDirectory[str]) -> None:
        self._process, self._scratch = process, scratch
        super().__init__(cast(IO[bytes], process.stdout))

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL) if os.name == "posix" else self._process.kill()

    def ending(self) -> str:
        return _ending(self._process.wait())

    def leave(self) -> None:
        self.ending()
        self._scratch.cleanup()


class _Forked(_Child):
    """A child that is a fork of the fork server."""

    def __init__(self, frames: BinaryIO, server: "_ForkServer", usage: Usage) -> None:
        self._server, self._usage = server, usage
        super().__init__(frames)

    def waited(self) -> float:
        return self._usage.waited()

    def memory(self) -> float:
        return self._usage.memory()

    def kill(self) -> None:
        self._server.send(KILL)

    def ending(self) -> str:
        self._server.send(STATUS)
        status = self._server.answer()
        if status is None:
            return "the worker ended"
        return _ending(os.waitstatus_to_exitcode(json.loads(status)))


class _ForkServer:
    """A process that has imported everything and forks on request."""

    def __init__(self, pristine: Path, assignment: str, *arguments: str) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = _start_python(
                pristine,
                "serve",
                assignment,
                str(theirs.fileno()),
                *arguments,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )

    def fork(self, files: dict[str, bytes], **request: Any) -> _Child | None:
        """Start a fork that runs checks; None if the server has been ended."""
        ours, theirs = os.pipe()
        with tempfile.TemporaryFile() as packed:
            for name, content in files.items():
                write_frame(packed, name.encode())
                write_frame(packed, content)
            packed.seek(0)
            self.send(json.dumps(request).encode(), [theirs, packed.fileno()])
        os.close(theirs)
        if (pid := self.answer()) is None:
            os.close(ours)
            return None
        return _Forked(os.fdopen(ours, "rb"), self, Usage(self._process.pid, int(pid)))

    def send(self, data: bytes, descriptors: Sequence[int] = ()) -> None:
        """Send a message, unless the server has been ended."""
        with contextlib.suppress(OSError):
            socket.send_fds(self._socket, [data], descriptors)

    def answer(self) -> bytes | None:
        """The next message; None where there will be none."""
        with contextlib.suppress(OSError):
            return self._socket.recv(64) or None
        return None

    def close(self) -> None:
        """Let it end, and whatever it has forked."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._process.wait()


def _start_python(folder: Path, function: str, *arguments: str, **options: Any) -> subprocess.Popen[bytes]:
    """Start Python on a function of `check_server`, with nothing of this process's environment."""
    threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    system = {name: os.environ[name] for name in ("SYSTEMROOT", "TEMP") if name in os.environ}
    entry = ENTRY.format(folder=str(folder), root=str(ROOT), function=function)
    return subprocess.Popen(
        [sys.executable, "-I", "-B", "-c", entry, *arguments],
        cwd=folder,
        env={**system, **threads, "HOME": str(folder), "TMPDIR": str(folder)},
        stdin=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        **options,
    )


def _evidence(id: str, frame: bytes | tuple[str, str]) -> Evidence:
    if isinstance(frame, tuple):
        return Evidence(id, problem=frame)
    try:
        evidence = Evidence.from_bytes(frame, MAX_HEADER)
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
