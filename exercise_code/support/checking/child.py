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

import torch

import exercise_code
from exercise_code.support.checking import accelerator, confine, probe
from exercise_code.support.checking.assignment import Assignment, find_assignment
from exercise_code.support.checking.case import Case
from exercise_code.support.checking.declare import check
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
    confine.gather_memory()
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
    """Do once what would take time in every fork: the usual operations, and the checks on stubs."""
    accelerator.available()
    for _ in range(10):  # Python adapts what has run this often
        probe.gather(usual_operations, seed=0)
    for each in assignment.checks:
        probe.gather(each, seed=0, held_out=torch.zeros(1, 3, 32, 32, dtype=torch.uint8))
    forget_exercises()


@check("warm_up.usual_operations", points=0, loops=1, memory=1)
def usual_operations(code: object, case: Case) -> dict[str, object]:
    """What many exercises do; no answer to any of them."""
    images, labels = case.labelled_images(4, num_classes=3)
    rows = images.flatten(1).requires_grad_()
    products = (rows.square() @ rows.T - rows.mean(dim=1, keepdim=True)).clamp(min=0).sqrt()
    scores = torch.cat([products, torch.stack([row.exp() * 2 for row in rows[:, :3]])], dim=1)
    (scores.relu().max(dim=1).values.sum() + (scores + 1).log().std()).backward()
    found = torch.zeros_like(scores)
    found[torch.arange(len(found), device=rows.device), labels] = rows.grad.abs().amax(dim=1)
    found += torch.where(scores > scores.mean(), scores, scores.argmax(dim=1, keepdim=True)).detach()
    order = found.topk(2, largest=False).indices, found.argsort(dim=1), torch.nn.functional.one_hot(labels)
    return {"found": found, "order": list(order), "item": found.sum().item(), "equal": labels == labels[0]}


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
