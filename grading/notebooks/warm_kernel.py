"""The Jupyter kernel `workbook-warm`: each one is a fork of a process that has imported everything.

Jupyter starts this file as a program for each kernel (`launch`). It asks a server, which the first one
starts, for a fork, hands signals on, and ends with the fork. The server (`serve`) ends when no kernel runs
and no program that has started one is left: nothing stays behind.

A fork takes every layer of `exercise_code/support/isolation/confine.py` that the machine offers. Its five
ZeroMQ sockets are opened before, outside of its network namespace, and are all of the network that it has.
It works on a copy, in memory, of the folder that it was started for: what it writes is gone with it. The
course's own modules are not imported beforehand, since each folder has its own.
"""

import contextlib
import errno
import fcntl
import gc
import importlib
import io
import json
import os
import random
import select
import shutil
import signal
import socket
import stat
import struct
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

ROOT = Path(__file__).resolve().parents[2]
ISOLATION = ROOT / "exercise_code/support/isolation"
OURS = {str(ROOT), str(ROOT / "grading")}
CHILDREN = Path("/proc/thread-self/children")
CHANNELS = ("shell", "iopub", "stdin", "control", "hb")
PASSED_ON = ("WORKBOOK_", "MPLBACKEND", "LANG", "LC_")
"""Beginnings of the names of environment variables that a kernel gets."""
LEFT_OUT = ("__pycache__", "build")
MAX_TREE, MAX_FILE = 48 * 2**20, 16 * 2**20 - 1
MEMORY_MB, SECONDS = 4096, 3600.0
MAX_REQUEST = 2**17
INTERRUPT, END, ENDED = b"interrupt", b"end", b"exit "
PREPARED = (
    "IPython.extensions.storemagic",
    "debugpy.server.api",
    "faulthandler",
    "ipykernel.debugger",
    "ipykernel.ipkernel",
    "ipykernel.kernelapp",
    "ipykernel.zmqshell",
    "jaxtyping",
    "matplotlib.pyplot",
    "matplotlib_inline.backend_inline",
    "numpy",
    "pdb",
    "pooch",
    "psutil",
    "rich.console",
    "rich.table",
    "safetensors.torch",
    "sqlite3",
    "tornado.platform.asyncio",
    "torch.utils._pytree",
    "tqdm",
)


def launch(connection_file: str) -> int:
    """Be one kernel, as far as Jupyter sees; it is a fork of the server.

    Returns:
        The exit code of the kernel.
    """
    with _connection() as server:

        def tell(word: bytes) -> None:
            with contextlib.suppress(OSError):  # it is over anyway
                server.send(word)

        signal.signal(signal.SIGINT, lambda *_: tell(INTERRUPT))
        signal.signal(signal.SIGTERM, lambda *_: tell(END))
        server.send(Path(connection_file).read_bytes())
        answer = server.recv(MAX_REQUEST)
    if not answer.startswith(ENDED):
        print(answer.decode() or "the server of warm kernels has ended", file=sys.stderr)
        return 1
    return int(answer.removeprefix(ENDED))


def serve(place: Path) -> None:
    """Import everything once, then fork for each request; a socket that listens is standard input."""
    listening = socket.socket(fileno=os.dup(0))
    confine = _module("confine")
    confine._prctl(confine.PR_SET_CHILD_SUBREAPER, 1)
    layers = [layer for layer, reason in confine.offered().items() if not reason]
    prepare()
    if len([*Path("/proc/self/task").iterdir()]) > 1:
        raise RuntimeError("a fork is safe only from a process with one thread")
    gc.freeze()
    confine.gather_memory()
    server = _Server(listening, confine, layers)
    while server.step() or not _leave(place, listening):
        pass


@dataclass
class _Kernel:
    """A fork that is a kernel: who asked for it, and the folder that it works in."""

    client: socket.socket
    pid: int = 0
    starter: int = 0
    ended: int = -1
    scratch: Path = Path()


@dataclass(frozen=True)
class _Asker:
    """A program that asks for a kernel: its folder, those of its variables that are passed on, its parent."""

    folder: Path
    variables: dict[str, str]
    starter: int


def _asker(client: socket.socket) -> _Asker:
    """Who is at the other end of a socket, as this machine knows it: the request itself names no code.

    Raises:
        PermissionError: another user's program, or one in a sandbox, which has processes of its own.
    """
    pid, user, _ = struct.unpack("3i", client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    place = Path("/proc", str(pid))
    if user != os.geteuid() or (place / "ns/pid").readlink() != Path("/proc/self/ns/pid").readlink():
        raise PermissionError("a program in a sandbox gets no warm kernel")
    entries = (entry.partition("=") for entry in os.fsdecode((place / "environ").read_bytes()).split("\0"))
    variables = {name: text for name, _, text in entries if name.startswith(PASSED_ON)}
    starter = (place / "stat").read_text().rpartition(")")[2].split()[1]
    return _Asker((place / "cwd").readlink(), variables, int(starter))


class _Server:
    """Kernels by the socket of who asked, and the programs that started them, as descriptors."""

    def __init__(self, listening: socket.socket, confine: ModuleType, layers: list[str]) -> None:
        self._listening, self._confine, self._layers = listening, confine, layers
        self._kernels: dict[int, _Kernel] = {}
        self._starters: dict[int, int] = {}

    def step(self) -> bool:
        """Wait for something, and do it; whether there is still anybody to work for."""
        waiting = select.poll()
        by_end = {kernel.ended: kernel for kernel in self._kernels.values() if kernel.pid}
        for descriptor in (self._listening.fileno(), *self._kernels, *by_end, *self._starters):
            waiting.register(descriptor, select.POLLIN)
        ready = {descriptor for descriptor, _ in waiting.poll()}
        for kernel in [self._kernels[each] for each in ready & self._kernels.keys()]:
            self._hear(kernel)
        for kernel in [by_end[each] for each in ready & by_end.keys()]:
            if kernel.client.fileno() in self._kernels:
                self._end(kernel)
        for starter in ready & self._starters.keys():
            gone = self._starters.pop(starter)
            os.close(starter)
            for kernel in [kernel for kernel in self._kernels.values() if kernel.starter == gone]:
                self._end(kernel)
        if self._listening.fileno() in ready:
            client, _ = self._listening.accept()
            self._kernels[client.fileno()] = _Kernel(client)
        return bool(self._kernels or self._starters)

    def _hear(self, kernel: _Kernel) -> None:
        """What a client says: a request first, then signals for its kernel; nothing where it has gone."""
        try:
            said = kernel.client.recv(MAX_REQUEST)
        except OSError:
            said = b""
        if not said or said == END:
            self._end(kernel)
        elif said == INTERRUPT:
            with contextlib.suppress(OSError):
                os.killpg(kernel.pid, signal.SIGINT)
        elif not kernel.pid:
            try:
                self._start(kernel, json.loads(said), _asker(kernel.client))
            except (OSError, ValueError) as error:
                with contextlib.suppress(OSError):
                    kernel.client.send(str(error).encode())
                self._end(kernel)

    def _start(self, kernel: _Kernel, connection: dict[str, Any], asker: "_Asker") -> None:
        kernel.starter = asker.starter
        if kernel.starter not in self._starters.values():
            with contextlib.suppress(OSError):
                self._starters[os.pidfd_open(kernel.starter)] = kernel.starter
        kernel.scratch = Path(tempfile.mkdtemp(prefix="workbook-kernel-"))
        kernel.scratch.chmod(0o777)
        kernel.pid = os.fork()
        if kernel.pid == 0:
            _become_kernel(self._confine, self._layers, kernel, connection, asker)
        kernel.ended = os.pidfd_open(kernel.pid)

    def _end(self, kernel: _Kernel) -> None:
        """Make an end of a kernel, of all that it has started, and of its folder."""
        del self._kernels[kernel.client.fileno()]
        if kernel.pid:
            with contextlib.suppress(OSError):
                os.killpg(kernel.pid, signal.SIGKILL)
            with contextlib.suppress(OSError):
                os.kill(kernel.pid, signal.SIGKILL)
            _, status = os.waitpid(kernel.pid, 0)
            os.close(kernel.ended)
            with contextlib.suppress(OSError):
                kernel.client.send(ENDED + str(os.waitstatus_to_exitcode(status) & 0xFF).encode())
            self._sweep()
            shutil.rmtree(kernel.scratch, ignore_errors=True)
        kernel.client.close()

    def _sweep(self) -> None:
        """End what kernels have left behind: it has become a child of this process."""
        known = {kernel.pid for kernel in self._kernels.values()}
        while left := {int(pid) for pid in CHILDREN.read_text().split()} - known:
            for pid in left:
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)


def prepare() -> None:
    """Import what notebooks use, and do once what takes time when it is done first."""
    for name in PREPARED:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    import torch

    _module("by_value").send_by_value()
    weight = torch.ones(2, 2, requires_grad=True)
    (weight @ weight).sum().backward()
    torch.optim.Adam([weight]).step()  # imports torch's compiler
    torch.manual_seed(0)


def _become_kernel(
    confine: ModuleType, layers: list[str], kernel: _Kernel, connection: dict[str, Any], asker: _Asker
) -> NoReturn:
    """What a fork does: open the sockets, step by step give up everything else, and run the kernel."""
    code, speaking = 1, kernel.client.fileno()
    try:
        os.setsid()
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        folder = asker.folder
        ports = [connection[f"{channel}_port"] for channel in CHANNELS]
        if connection["transport"] != "tcp":
            raise ConnectionError(f"warm kernels talk by tcp, not by {connection['transport']}")
        sockets = [_listen(connection["ip"], port) for port in ports]
        root = next((each for each in (folder, *folder.parents) if (each / "exercise_code").is_dir()), None)
        tree = _packed(root) if root else b""
        readable = confine.libraries()
        confine.enter([layer for layer in layers if layer == confine.USER], [*readable, kernel.scratch])
        confine._prctl(confine.PR_SET_PDEATHSIG, signal.SIGKILL)  # another user would not keep it
        confine.enter([layer for layer in layers if layer != confine.USER], [])
        inner = confine.fork_apart(layers)
        if inner:
            os.closerange(0, 2**16)
            os._exit(os.waitstatus_to_exitcode(os.waitpid(inner, 0)[1]) & 0xFF)
        descriptors = _keep([*sockets, kernel.client.fileno()])
        confine.confine(layers, kernel.scratch, readable, MEMORY_MB, SECONDS)
        speaking = descriptors.pop()
        os.environ.clear()
        os.environ.update(asker.variables)
        os.environ.update(
            {"HOME": str(kernel.scratch), "TMPDIR": str(kernel.scratch), "OMP_NUM_THREADS": "1"}
        )
        tempfile.tempdir = None
        if root:
            with tarfile.open(fileobj=io.BytesIO(tree)) as archive:
                archive.extractall(kernel.scratch, filter="data")
            os.chdir(kernel.scratch / folder.relative_to(root))
        os.close(speaking)
        speaking = -1
        app = _kernel(connection, dict(zip(ports, descriptors, strict=True)), kernel.scratch)
        app.start()
        app.close()
        code = 0
    except Exception as error:
        with contextlib.suppress(OSError):
            os.write(speaking, f"the kernel cannot start: {type(error).__name__}: {error}".encode())
    finally:
        os._exit(code)


def _listen(host: str, port: int) -> int:
    """A socket that listens; the kernel before this one may still be about to let go of the port."""
    for patience in range(100, -1, -1):
        try:
            return socket.create_server((host, port)).detach()
        except OSError:
            if not patience:
                raise
            time.sleep(0.05)
    raise AssertionError("unreachable")


def _packed(root: Path) -> bytes:
    """The regular files of a folder as a tar archive; links are not followed."""
    packed = io.BytesIO()

    def wanted(info: tarfile.TarInfo) -> tarfile.TarInfo | None:
        name = Path(info.name).name
        left_out = name in LEFT_OUT or (name.startswith(".") and name != ".")
        return info if (info.isfile() or info.isdir()) and not left_out and info.size <= MAX_FILE else None

    with tarfile.open(fileobj=packed, mode="w") as archive:
        archive.add(root, ".", filter=wanted)
    if packed.tell() > MAX_TREE:
        raise ValueError(f"{root} is larger than {MAX_TREE} bytes: a warm kernel works on a copy in memory")
    return packed.getvalue()


def _keep(descriptors: list[int]) -> list[int]:
    """Lead the standard streams nowhere, number some descriptors from 3 on, and close all others."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    high = [os.dup2(each, 2**9 + index, inheritable=False) for index, each in enumerate(descriptors)]
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    kept = [os.dup2(each, 3 + index, inheritable=False) for index, each in enumerate(high)]
    os.closerange(3 + len(kept), 2**16)
    return kept


def _kernel(connection: dict[str, Any], descriptors: dict[int, int], scratch: Path) -> Any:
    """IPython's kernel, on sockets that are open already, by their ports."""
    import numpy as np
    import torch
    import zmq
    from ipykernel.kernelapp import IPKernelApp

    random.seed()
    np.random.seed()  # noqa: NPY002 - the global generator must differ from that of other forks
    torch.seed()
    sys.argv, sys.path[:0] = ["workbook-warm"], [""]
    open_at = {f"tcp://{connection['ip']}:{port}": descriptor for port, descriptor in descriptors.items()}
    bind, connect = zmq.Socket.bind, zmq.Socket.connect

    def bind_open(self: zmq.Socket[Any], address: str) -> Any:
        if address.startswith("tcp:"):
            if address not in open_at:  # where output of the kernel's own forks would go
                raise zmq.ZMQError(errno.EACCES)
            self.setsockopt(zmq.USE_FD, open_at[address])
        return bind(self, address)

    def connect_inside(self: zmq.Socket[Any], address: str | bytes) -> Any:
        tcp = os.fsdecode(address).startswith("tcp:")  # what the debugger would need
        return None if tcp else connect(self, address)  # type: ignore[arg-type]

    zmq.Socket.bind, zmq.Socket.connect = bind_open, connect_inside  # type: ignore[method-assign, assignment]
    file = scratch / ".kernel.json"
    file.write_text(json.dumps(connection), encoding="utf-8")
    app = IPKernelApp.instance()
    app.initialize(["-f", str(file), "--HistoryManager.hist_file=:memory:"])
    return app


def socket_place() -> Path:
    """Where the server listens: in a folder of this user's own, by the Python that it runs.

    Raises:
        OSError: the folder belongs to somebody else.
    """
    base = os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()
    folder = Path(base) / f"workbook-{os.geteuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if found.st_uid != os.geteuid() or found.st_mode & 0o77 or not stat.S_ISDIR(found.st_mode):
        raise PermissionError(f"{folder} must be a folder of yours that is closed to others")
    return folder / f"warm-{sha256(f'{sys.executable} {__file__}'.encode()).hexdigest()[:16]}"


@contextlib.contextmanager
def _connection() -> Iterator[socket.socket]:
    """A connection to the server; it is started if there is none."""
    place = socket_place()
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection:
        with _locked(place) as address:
            try:
                connection.connect(address)
            except OSError:
                place.unlink(missing_ok=True)
                _start_server(place, address)
                connection.connect(address)
        yield connection


def _start_server(place: Path, address: str) -> None:
    names = ("PATH", "HOME", "SYSTEMROOT", "XDG_CACHE_HOME")
    variables = {name: os.environ[name] for name in names if name in os.environ}
    variables |= dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    variables["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listening:
        listening.bind(address)
        listening.listen(64)
        subprocess.Popen(
            [sys.executable, "-I", "-B", __file__, "serve", str(place)],
            cwd="/",
            env=variables,
            stdin=listening.fileno(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )


def _leave(place: Path, listening: socket.socket) -> bool:
    """Stop listening, unless somebody has come in the meantime."""
    with _locked(place):
        if select.select([listening], [], [], 0)[0]:
            return False
        place.unlink(missing_ok=True)
        return True


@contextlib.contextmanager
def _locked(place: Path) -> Iterator[str]:
    """Nobody else comes or leaves; gives the place's address, which has room for few letters."""
    folder = os.open(place.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield f"/proc/self/fd/{folder}/{place.name}"
    finally:
        os.close(folder)


def _module(name: str) -> ModuleType:
    """A module of the isolation, without the package around it."""
    spec = spec_from_file_location(f"workbook_{name}", ISOLATION / f"{name}.py")
    assert spec and spec.loader
    module = sys.modules[spec.name] = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main() -> None:
    """Serve, or be the kernel of a connection file."""
    if sys.argv[1] == "serve":
        sys.meta_path[:] = [
            each for each in sys.meta_path if "editable" not in getattr(each, "__module__", "")
        ]
        sys.path[:] = [path for path in sys.path if path not in OURS and "__editable__" not in path]
        serve(Path(sys.argv[2]))
    else:
        sys.exit(launch(sys.argv[1]))


if __name__ == "__main__":
    main()
