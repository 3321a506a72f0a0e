"""Run checks in a process of their own: evidence goes out as frames through a pipe, nothing else does.

The first frame is empty, or says why the process cannot be kept apart as asked; the second is empty: the
student's modules are imported. Then comes one for each check.
"""

import contextlib
import gc
import importlib
import json
import os
import shutil
import signal
import socket
import struct
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, ClassVar, cast

import torch

import exercise_code
from exercise_code.support.checking import run_check
from exercise_code.support.checking.assignment import Assignment, find_assignment
from exercise_code.support.checking.case import Case
from exercise_code.support.checking.declare import check
from exercise_code.support.checking.evidence import loads
from exercise_code.support.checking.replace import in_place, read_stand_ins
from exercise_code.support.devices import pretended
from exercise_code.support.isolation import confine
from exercise_code.support.isolation.by_value import send_by_value
from exercise_code.support.paths import ROOT

MAX_FRAME = 64 * 2**20
HELD_OUT_FILE = "held_out.safetensors"
STAND_INS = "stand_ins"
"""The folder of stand-ins, one a file, that checks are run with."""
KILL, STATUS = b"kill", b"status"
SCRATCH = ROOT.parent / "scratch"


def main() -> None:
    """Run checks and write to standard output; started with ASSIGNMENT SEED MEMORY_MB SECONDS CHECK…"""
    name, seed, memory_mb, seconds, *ids = sys.argv[1:]
    out = os.fdopen(confine.close_all_but(1), "wb")
    confine.limit(int(memory_mb), float(seconds))
    write_frame(out, b"")
    run_checks(find_assignment(name), ids, int(seed), out)


def serve() -> None:
    """Import everything once, then fork for each request: ASSIGNMENT SOCKET MEMORY_MB SECONDS LAYER…

    A request is JSON (`checks`, `seed`) together with the pipe that frames go to and a file that holds the
    student's files as frames, name and content in turn; the answer is the fork's number. Later `KILL` ends
    the fork, and so does `STATUS`, which its wait status answers. Each fork is made while the one before it
    works, so that it has been kept apart when its turn comes. Linux only: a fork is safe only from a process
    with one thread.
    """
    name, descriptor, memory_mb, seconds, *layers = sys.argv[1:]
    assignment = find_assignment(name)
    requests = socket.socket(fileno=int(descriptor))
    warm_up(assignment)
    if len([*Path("/proc/self/task").iterdir()]) > 1:
        raise RuntimeError("a fork is safe only from a process with one thread")
    gc.freeze()
    confine.gather_memory()
    confine.enter(layers, [*confine.libraries(), ROOT, SCRATCH])
    before: _WaitingFork | None = None
    working: _WaitingFork | None = None
    ready = _WaitingFork(assignment, layers, int(memory_mb), float(seconds))
    while True:
        data, descriptors, _, _ = socket.recv_fds(requests, 2**16, 2)
        if data == KILL:
            cast(_WaitingFork, working).end()
        elif data == STATUS:
            requests.send(json.dumps(cast(_WaitingFork, working).wait()).encode())
        elif data:
            if before:
                before.wait()  # its end takes a while: by now it is over
            before, working = working, ready
            working.start(data, descriptors)
            requests.send(str(working.pid).encode())
            ready = _WaitingFork(assignment, layers, int(memory_mb), float(seconds))
        else:
            for fork in filter(None, (before, working, ready)):
                fork.end()
            return


def warm_up(assignment: Assignment) -> None:
    """Do once what would take time in every fork: the usual operations, and the checks on stubs."""
    pretended.available()
    send_by_value()
    for _ in range(10):  # Python adapts what has run this often
        run_check.gather(usual_operations, seed=0).to_bytes()
    with in_place(stand_in for each in assignment.earlier for stand_in in each.stand_ins):
        for each in assignment.checks:
            images = torch.zeros(1, 3, *each.held_out.size, dtype=torch.uint8)
            run_check.gather(each, seed=0, held_out={each.held_out.key: images}).to_bytes()
    forget_exercises()


@check("child.usual_operations", points=0, loops=1, memory=1)
def usual_operations(code: object, case: Case) -> dict[str, object]:
    """What many exercises do; no answer to any of them."""
    images, labels = case.labelled_images(4, num_classes=3)
    rows = images.flatten(1).requires_grad_()
    products = (rows.square() @ rows.T - rows.mean(dim=1, keepdim=True)).clamp(min=0).sqrt()
    scores = torch.cat([products, torch.stack([row.exp() * 2 for row in rows[:, :3]])], dim=1)
    (scores.relu().max(dim=1).values.sum() + (scores + 1).log().std()).backward()
    found = torch.zeros_like(scores)
    found[torch.arange(len(found), device=rows.device), labels] = (
        cast(torch.Tensor, rows.grad).abs().amax(dim=1)
    )
    found += torch.where(scores > scores.mean(), scores, scores.argmax(dim=1, keepdim=True)).detach()
    order = found.topk(2, largest=False).indices, found.argsort(dim=1), torch.nn.functional.one_hot(labels)
    return {"found": found, "order": list(order), "item": found.sum().item(), "equal": labels == labels[0]}


@check("child.few_operations", points=0, loops=1, memory=1)
def few_operations(code: object, case: Case) -> dict[str, object]:
    """Enough to meet what every check meets."""
    return {"sums": case.images(2).flatten(1).sum(dim=1)}


def forget_exercises() -> None:
    """Let the modules that students write be imported anew."""
    for name in [*sys.modules]:
        if name.startswith("exercise_code.") and not name.startswith("exercise_code.support"):
            del sys.modules[name]
            vars(exercise_code).pop(name.split(".")[1], None)


def run_checks(assignment: Assignment, checks: Sequence[str], seed: int, out: BinaryIO) -> None:
    """Import the student's modules and write a frame for each check; stand-ins do earlier assignments."""
    earlier = [stand_in for each in assignment.earlier for stand_in in each.stand_ins]
    declared = {check.id: check for check in assignment.checks}
    here = run_check.EXERCISES.parent
    with in_place(earlier):
        for file in assignment.editable:
            try:
                importlib.import_module(".".join(Path(file).with_suffix("").parts))
            except (Exception, SystemExit):
                continue  # each check meets the same error, and reports it
        held_out = loads((here / HELD_OUT_FILE).read_bytes()) if (here / HELD_OUT_FILE).is_file() else None
        stand_ins = [each for path in (here / STAND_INS).glob("*.py") for each in read_stand_ins(path)]
        write_frame(out, b"")
        with in_place(stand_ins):
            for id in checks:
                write_frame(out, run_check.gather(declared[id], seed, held_out).to_bytes())


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


class _WaitingFork:
    """A process for one submission, which waits apart until it is given its work."""

    alive: ClassVar[set[int]] = set()

    def __init__(self, assignment: Assignment, layers: Sequence[str], memory_mb: int, seconds: float) -> None:
        self._alone = confine.NAMESPACES in layers
        self._scratch = Path(tempfile.mkdtemp(dir=SCRATCH))
        self._work, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.pid = confine.fork_apart(layers)
        self._status: int | None = None
        if self.pid == 0:
            try:
                _run_apart(assignment, layers, theirs, self._scratch, memory_mb, seconds)
            finally:
                os._exit(0)
        self.alive.add(self.pid)
        theirs.close()

    def start(self, request: bytes, descriptors: Sequence[int]) -> None:
        """Hand over a request."""
        with self._work:
            socket.send_fds(self._work, [request], descriptors)
        for each in descriptors:
            os.close(each)

    def end(self) -> None:
        """Kill it, and wait for that where what it has started would outlive it."""
        if self._status is None:
            _end(self.pid)
            if not self._alone:
                self.wait()

    def wait(self) -> int:
        """Kill it, if it still runs, and wait; returns its wait status."""
        if self._status is None:
            _end(self.pid)
            _, self._status = os.waitpid(self.pid, 0)
            self.alive.remove(self.pid)
            if not self._alone:
                _end_strays(self.alive)
            shutil.rmtree(self._scratch, ignore_errors=True)
        return self._status


def _run_apart(
    assignment: Assignment,
    layers: Sequence[str],
    work: socket.socket,
    folder: Path,
    memory_mb: int,
    seconds: float,
) -> None:
    """What a fork does; ends with an error where no request comes any more."""
    os.setsid()
    work = socket.socket(fileno=confine.close_all_but(work.detach()))
    problem = b""
    try:
        confine.confine(layers, folder, [*confine.libraries(), ROOT], memory_mb, seconds)
        os.environ.update(HOME=str(folder), TMPDIR=str(folder))
        for path in _stubs():
            (folder / path.relative_to(ROOT)).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, folder / path.relative_to(ROOT))
        run_check.gather(few_operations, seed=0).to_bytes()  # copies most of the memory that will change
    except Exception as error:
        problem = str(error).encode()
    with work:
        request, (pipe, files), _, _ = socket.recv_fds(work, 2**16, 2)
    with os.fdopen(files, "rb") as source:
        while not problem and (name := read_frame(source)) is not None:
            path = folder / name.decode()
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(cast(bytes, read_frame(source)))
    out = os.fdopen(confine.close_all_but(pipe), "wb")
    write_frame(out, problem)
    if problem:
        return
    exercise_code.__path__ = [str(folder / "exercise_code"), str(ROOT / "exercise_code")]
    run_check.EXERCISES = folder / "exercise_code"
    run_checks(assignment, out=out, **json.loads(request))


def _stubs() -> Iterator[Path]:
    """The files of the modules that students write."""
    for path in (ROOT / "exercise_code").rglob("*.py"):
        if path.relative_to(ROOT / "exercise_code").parts[0] != "support":
            yield path


def _end(pid: int) -> None:
    for kill in (os.killpg, os.kill):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            kill(pid, signal.SIGKILL)


def _end_strays(kept: set[int]) -> None:
    """End what forks have left behind where there is no process namespace: it has come to this process."""
    while left := {int(pid) for pid in Path("/proc/thread-self/children").read_text().split()} - kept:
        for pid in left:
            _end(pid)
            os.waitpid(pid, 0)
