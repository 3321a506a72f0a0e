"""Run checks in a process of their own: evidence goes out as frames through a pipe, nothing else does.

The first frame is empty, or says why the process cannot be kept apart as asked; the second is empty: the
student's modules are imported. Then comes one for each check.
"""

import contextlib
import gc
import importlib
import json
import os
import select
import shutil
import signal
import socket
import struct
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import exercise_code
from exercise_code.support.checking import accelerator, confine, probe
from exercise_code.support.checking.assignment import Assignment, find_assignment
from exercise_code.support.checking.evidence import dumps, loads
from exercise_code.support.paths import ROOT

MAX_FRAME = 64 * 2**20
HELD_OUT_FILE = "held_out.safetensors"
KILL = b"kill"


def main() -> None:
    """Run checks and write to standard output; started with ASSIGNMENT SEED MEMORY_MB SECONDS CHECK…"""
    name, seed, memory_mb, seconds, *ids = sys.argv[1:]
    out = os.fdopen(confine.close_all_but(1), "wb")
    confine.limit(int(memory_mb), float(seconds))
    write_frame(out, b"")
    run_checks(find_assignment(name), ids, int(seed), out)


def serve() -> None:
    """Import everything once, then fork for each request: ASSIGNMENT SOCKET LAYER… on the command line.

    A request is JSON (`checks`, `seed`, `scratch`, `memory_mb`, `seconds`) together with the pipe that frames
    go to and a file that holds the student's files as frames, name and content in turn. The answers are
    `started`, and the wait status when the fork has ended; in between, `KILL` ends it. Linux only: a fork is
    safe only from a process with one thread.
    """
    name, descriptor, *layers = sys.argv[1:]
    assignment = find_assignment(name)
    requests = socket.socket(fileno=int(descriptor))
    warm_up(assignment)
    if len([*Path("/proc/self/task").iterdir()]) > 1:
        raise RuntimeError("a fork is safe only from a process with one thread")
    gc.freeze()
    confine.enter(layers, [*confine.libraries(), ROOT, ROOT.parent / "scratch"])
    while True:
        data, descriptors, _, _ = socket.recv_fds(requests, 2**16, 2)
        if not data:
            return
        if data == KILL:
            continue  # it had ended by itself
        pid = confine.fork_apart(layers)
        if pid == 0:
            try:
                _run_apart(assignment, layers, *descriptors, **json.loads(data))
            finally:
                os._exit(0)
        for each in descriptors:
            os.close(each)
        requests.send(b"started")
        requests.send(json.dumps(_wait(pid, requests)).encode())


def warm_up(assignment: Assignment) -> None:
    """Do once what would take time in every fork: first operations, a backward pass, the checks on stubs."""
    import torch

    weight = torch.ones(2, 2, requires_grad=True)
    (weight @ weight).sum().backward()
    accelerator.available()
    for check in assignment.checks:
        probe.gather(check, seed=0, held_out=torch.zeros(1, 3, 32, 32, dtype=torch.uint8))
    forget_exercises()


def forget_exercises() -> None:
    """Let the modules that students write be imported anew."""
    for name in [*sys.modules]:
        if name.startswith("exercise_code.") and not name.startswith("exercise_code.support"):
            del sys.modules[name]
            vars(exercise_code).pop(name.split(".")[1], None)


def run_checks(assignment: Assignment, checks: Sequence[str], seed: int, out: BinaryIO) -> None:
    """Import the student's modules and write a frame for each check."""
    declared = {check.id: check for check in assignment.checks}
    for file in assignment.editable:
        try:
            importlib.import_module(".".join(Path(file).with_suffix("").parts))
        except (Exception, SystemExit):
            continue  # each check meets the same error, and reports it
    images = probe.EXERCISES.parent / HELD_OUT_FILE
    held_out = loads(images.read_bytes()) if images.is_file() else None
    write_frame(out, b"")
    for id in checks:
        write_frame(out, dumps(probe.gather(declared[id], seed, held_out).to_tree()))


def write_frame(out: BinaryIO, data: bytes) -> None:
    """Write the length and the data."""
    out.write(struct.pack("<Q", len(data)) + data)
    out.flush()


def read_frame(source: BinaryIO) -> bytes | None:
    """Read what `write_frame` wrote; None at the end.

    Raises:
        ValueError: the length is absurd, or the data ends early.
    """
    header = source.read(8)
    if not header:
        return None
    if len(header) < 8 or (length := struct.unpack("<Q", header)[0]) > MAX_FRAME:
        raise ValueError("this is not a frame")
    data = source.read(length)
    if len(data) < length:
        raise ValueError("the frame ends early")
    return data


def _run_apart(
    assignment: Assignment,
    layers: Sequence[str],
    pipe: int,
    files: int,
    *,
    checks: Sequence[str],
    seed: int,
    scratch: str,
    memory_mb: int,
    seconds: float,
) -> None:
    """What a fork does."""
    os.setsid()
    with os.fdopen(files, "rb", closefd=False) as source:
        contents = {}
        while (name := read_frame(source)) is not None:
            contents[name.decode()] = read_frame(source)
    out = os.fdopen(confine.close_all_but(pipe), "wb")
    folder = Path(scratch)
    try:
        confine.confine(layers, folder, [*confine.libraries(), ROOT], memory_mb, seconds)
    except OSError as error:
        write_frame(out, str(error).encode())
        return
    os.environ.update(HOME=scratch, TMPDIR=scratch)
    given = shutil.ignore_patterns("support", "__pycache__")
    shutil.copytree(ROOT / "exercise_code", folder / "exercise_code", ignore=given)
    for name, content in contents.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    exercise_code.__path__ = [str(folder / "exercise_code"), str(ROOT / "exercise_code")]
    probe.EXERCISES = folder / "exercise_code"
    write_frame(out, b"")
    run_checks(assignment, checks, seed, out)


def _wait(pid: int, requests: socket.socket) -> int:
    """Wait for the end of a fork, which comes at once when asked for, or when nobody is there to ask."""
    ended = os.pidfd_open(pid)
    waiting = select.poll()
    waiting.register(ended, select.POLLIN)
    waiting.register(requests, select.POLLIN)
    while ended not in (ready := [descriptor for descriptor, _ in waiting.poll()]):
        if requests.fileno() in ready:
            if not requests.recv(16):
                waiting.unregister(requests)
            _end(pid)
    os.close(ended)
    _, status = os.waitpid(pid, 0)
    while left := _children():
        for child in left:
            _end(child)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
    return status


def _end(pid: int) -> None:
    for kill in (os.killpg, os.kill):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            kill(pid, signal.SIGKILL)


def _children() -> list[int]:
    """What a fork has left behind where there is no process namespace: it has come to this process."""
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return []
    return [int(pid) for pid in Path("/proc/thread-self/children").read_text().split()]
