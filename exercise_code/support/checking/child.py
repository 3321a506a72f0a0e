"""Run checks in a process of their own: evidence goes out as frames through a pipe, nothing else does.

Two frames are empty: the process has started; the student's modules are imported. Then comes one for
each check.
"""

import importlib
import json
import os
import socket
import struct
import sys
from pathlib import Path
from typing import BinaryIO

import exercise_code
from exercise_code.support.checking import accelerator, probe
from exercise_code.support.checking.assignment import Assignment, find_assignment
from exercise_code.support.checking.evidence import dumps

MAX_FRAME = 64 * 2**20
MAX_FILE_BYTES = 16 * 2**20


def main() -> None:
    """Run checks and write to standard output; the command line says ASSIGNMENT SEED MEMORY_MB CHECK…"""
    name, seed, memory_mb, *ids = sys.argv[1:]
    run_checks(find_assignment(name), ids, int(seed), int(memory_mb), os.dup(1))


def serve() -> None:
    """Import everything once, then fork for each request: ASSIGNMENT SOCKET on the command line.

    A request is JSON (`tree`, `checks`, `seed`, `memory_mb`) together with the pipe that frames go to. The
    answers are the process number of the fork, and its wait status when it has ended. Linux only: a fork is
    safe only from a process with one thread.
    """
    assignment = find_assignment(sys.argv[1])
    requests = socket.socket(fileno=int(sys.argv[2]))
    warm_up(assignment)
    while True:
        data, pipes, _, _ = socket.recv_fds(requests, 2**16, 1)
        if not data:
            return
        request = json.loads(data)
        if len([*Path("/proc/self/task").iterdir()]) > 1:
            raise RuntimeError("a fork is safe only from a process with one thread")
        pid = os.fork()
        if pid == 0:
            os.setsid()
            requests.close()
            tree = Path(request.pop("tree"))
            os.chdir(tree)
            exercise_code.__path__ = [str(tree / "exercise_code")]
            probe.EXERCISES = tree / "exercise_code"
            try:
                run_checks(assignment, **request, pipe=pipes[0])
            finally:
                os._exit(0)
        os.close(pipes[0])
        requests.send(json.dumps(pid).encode())
        _, status = os.waitpid(pid, 0)
        requests.send(json.dumps(status).encode())


def warm_up(assignment: Assignment) -> None:
    """Do once what would take time in every fork: first operations, a backward pass, the checks on stubs."""
    import torch

    weight = torch.ones(2, 2, requires_grad=True)
    (weight @ weight).sum().backward()
    accelerator.available()
    for check in assignment.checks:
        probe.gather(check, seed=0)
    for file in assignment.editable:
        sys.modules.pop(_module(file), None)
        package, _, name = _module(file).rpartition(".")
        vars(sys.modules[package]).pop(name, None)


def run_checks(assignment: Assignment, checks: list[str], seed: int, memory_mb: int, pipe: int) -> None:
    """Import the student's modules and write a frame for each check; standard streams lead nowhere."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    out = os.fdopen(pipe, "wb")
    declared = {check.id: check for check in assignment.checks}
    write_frame(out, b"")
    limit(memory_mb)
    for file in assignment.editable:
        try:
            importlib.import_module(_module(file))
        except (Exception, SystemExit):
            continue  # each check meets the same error, and reports it
    write_frame(out, b"")
    for id in checks:
        write_frame(out, dumps(probe.gather(declared[id], seed).to_tree()))


def limit(memory_mb: int) -> None:
    """Bound memory beyond what is in use now, and files, as far as the system can."""
    try:
        import resource
    except ImportError:
        return
    bounds = {"RLIMIT_FSIZE": MAX_FILE_BYTES, "RLIMIT_CORE": 0}
    statm = Path("/proc/self/statm")
    if statm.exists():
        used = int(statm.read_text().split()[0]) * resource.getpagesize()
        bounds["RLIMIT_AS"] = used + memory_mb * 2**20
    for name, bound in bounds.items():
        resource.setrlimit(getattr(resource, name), (bound, bound))


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


def _module(file: str) -> str:
    return ".".join(Path(file).with_suffix("").parts)
