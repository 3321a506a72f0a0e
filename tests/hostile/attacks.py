"""Submissions that attack or break, each with what must become of it.

Every attack is a right solution in which `predict_labels` does something else first (`inside`), or the
module does (`beside`); or a solution of which nothing is written, with a trick that is to earn points all
the same (`cheats`); or a `predict_labels` that returns whether it could do what it must not (`spies`).
"""

import textwrap

from exercise_code.support.paths import ROOT
from grading.editions.student_files import strip_solutions

FILE = "exercise_code/knn.py"
SOURCE = (ROOT / FILE).read_text(encoding="utf-8")
RIGHT = "\n".join(line for line in SOURCE.splitlines() if "### " not in line) + "\n"
STUB = strip_solutions(SOURCE, FILE)
CHECK = "knn.predict_labels"

ANY = {"passed", "failed", "error", "crashed", "timeout", "not_deterministic"}


def inside(lines: str) -> str:
    """The right module, in which `predict_labels` begins with other lines."""
    head, tail = RIGHT.split("def predict_labels(", 1)
    end = tail.index('"""', tail.index('"""') + 3) + 3
    body = textwrap.indent(textwrap.dedent(lines).strip("\n"), "    ")
    return f"{head}def predict_labels({tail[:end]}\n{body}{tail[end:]}"


def attempt(lines: str) -> str:
    """A `predict_labels` that returns ones where an attempt succeeds."""
    tried = textwrap.indent(textwrap.dedent(lines).strip("\n"), "    ")
    return inside(
        f"import ctypes, os, pathlib, socket, sys\ntry:\n{tried}\n    won = 1\nexcept BaseException:\n    won = 0\n"
        "return torch.full((dists.shape[1],), won)"
    )


INSIDE = {
    "endless loop in Python": ("while True: pass", {"timeout"}),
    "endless loop in C": ("3 ** (10 ** 9)", {"timeout"}),
    "endless backtracking": ("import re\nre.match(r'(a+)+$', 'a' * 60 + 'b')", {"timeout"}),
    "endless loop in torch": ("while True: torch.rand(999, 999) @ torch.rand(999, 999)", {"timeout"}),
    "sleep": ("import time\ntime.sleep(10**6)", {"timeout"}),
    "interrupts swallowed": (
        "while True:\n    try:\n        import time; time.sleep(10**6)\n    except BaseException: pass",
        {"timeout"},
    ),
    "signals ignored": (
        "import signal\nfor n in (1, 2, 3, 14, 15, 24): signal.signal(n, signal.SIG_IGN)\nwhile True: pass",
        {"timeout"},
    ),
    "endless destructor": (
        "class Trap:\n    def __del__(self):\n        while True: pass\nTrap()",
        {"timeout"},
    ),
    "fork bomb": ("import os\nwhile True: os.fork()", {"error", "crashed", "timeout"}),
    "thread bomb": (
        "import threading, time\nwhile True: threading.Thread(target=time.sleep, args=[10**6], daemon=True).start()",
        {"error"},
    ),
    "orphan left behind": (
        "import os, time\nif os.fork() == 0:\n    os.setsid()\n    time.sleep(10**6)\n    os._exit(0)",
        {"passed"},
    ),
    "memory by Python": ("hoard = bytearray(10**12)", {"error"}),
    "memory by torch": ("hoard = [torch.ones(10**7) for _ in range(10**5)]", {"error"}),
    "memory by strings": ("text = 'x'\nwhile True: text += text", {"error"}),
    "disk flood": (
        "n = 0\nwhile True:\n    n += 1\n    open(f'{n}', 'wb').write(bytes(2**24 - 1))",
        {"error"},
    ),
    "file flood": ("n = 0\nwhile True:\n    n += 1\n    open(f'{n}', 'wb').close()", {"error"}),
    "one huge file": ("file = open('x', 'wb')\nwhile True: file.write(bytes(2**20))", {"error"}),
    "shared memory flood": (
        "n = 0\nwhile True:\n    n += 1\n    open(f'/dev/shm/{n}', 'wb').write(bytes(2**24 - 1))",
        {"error"},
    ),
    "output flood": ("for _ in range(100): print('x' * 10**6)", {"passed"}),
    "output flood below Python": (
        "import os\nfor _ in range(100):\n    os.write(1, b'x' * 10**6); os.write(2, b'x' * 10**6)",
        {"passed"},
    ),
    "os._exit": ("import os\nos._exit(0)", {"crashed"}),
    "sys.exit": ("import sys\nsys.exit()", {"error"}),
    "abort": ("import os\nos.abort()", {"crashed"}),
    "keyboard interrupt": ("raise KeyboardInterrupt", {"crashed"}),
    "unknown BaseException": ("raise type('Odd', (BaseException,), {})", {"crashed"}),
    "signal to itself": ("import os\nos.kill(os.getpid(), 9)", {"passed", "crashed"}),
    "signal to the parent": ("import os\nos.kill(os.getppid(), 9)", {"passed", "crashed"}),
    "signal to everyone": ("import os\nos.kill(-1, 9)", {"error"}),
    "signals to siblings": (
        "import os\nfor pid in range(2, 30000):\n    try: os.kill(pid, 9)\n    except OSError: pass",
        {"passed"},
    ),
    "alarm clock": ("import signal\nsignal.setitimer(signal.ITIMER_REAL, 1e-3, 1e-3)", {"passed"}),
    "deep recursion": ("f = lambda: f()\nf()", {"error"}),
    "deeper recursion": (
        "import sys\nsys.setrecursionlimit(10**9)\nf = lambda x: f([x])\nf(0)",
        {"error", "crashed", "timeout"},
    ),
    "nested result": ("x = []\nfor _ in range(10**5): x = [x]\nreturn x", {"error", "crashed", "failed"}),
    "segmentation fault": ("import ctypes\nctypes.string_at(0)", {"crashed"}),
    "another program": ("import os\nos.execv('/bin/sh', ['sh', '-c', 'sleep 1000'])", {"error"}),
    "machine code in memory": (
        "import ctypes, mmap\ncode = mmap.mmap(-1, 4096, prot=7)\ncode.write(bytes.fromhex('b82a000000c3'))\n"
        "assert ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))() == 42",
        {"passed"},
    ),
    "the loader of programs": (
        "import os\nchild = os.fork()\nif child == 0:\n    try: os.execv('/lib64/ld-linux-x86-64.so.2', ['ld', '--list', torch._C.__file__])\n"
        "    finally: os._exit(0)\nos.waitpid(child, 0)",
        {"passed"},
    ),
    "right labels as floats": (
        "nearest = dists.topk(k, dim=0, largest=False).indices\nreturn one_hot(y_train[nearest]).sum(dim=0).argmax(dim=1).float()",
        {"failed"},
    ),
    "pipe closed": ("import os\nos.closerange(3, 1000)", {"crashed"}),
    "pipe flooded": ("import os\nwhile True: os.write(3, b'\\xff' * 4096)", {"crashed"}),
    "pipe stuffed with empty frames": ("import os\nwhile True: os.write(3, bytes(4096))", {"crashed"}),
    "pipe promised a huge frame": (
        "import os, time\nos.write(3, (2**25).to_bytes(8, 'little'))\ntime.sleep(10**6)",
        {"timeout"},
    ),
    "endless iterator": ("return iter(int, 1)", {"failed"}),
    "generator": ("return (n for n in range(3))", {"failed"}),
    "endless dictionary": (
        "class Endless(dict):\n    def items(self):\n        n = 0\n        while True:\n            n += 1\n"
        "            yield n, n\nreturn Endless()",
        {"error"},
    ),
    "endless list": (
        "class Endless(list):\n    def __iter__(self):\n        while True: yield 0\nreturn Endless()",
        {"error"},
    ),
    "list in itself": ("x = []\nx.append(x)\nreturn x", {"error", "crashed"}),
    "always equal": (
        "class Equal:\n    def __eq__(self, other): return True\n    __hash__ = None\nreturn Equal()",
        {"failed"},
    ),
    "pretends to be a tensor": (
        "class Lie:\n    __class__ = torch.Tensor\nreturn Lie()",
        {"error", "failed"},
    ),
    "tensor that lies": (
        "class Lie(torch.Tensor):\n    @classmethod\n    def __torch_function__(cls, f, types, args=(), kwargs=None):\n"
        "        return True\n    def __eq__(self, other): return True\n"
        "return torch.zeros(dists.shape[1]).as_subclass(Lie)",
        {"error", "failed"},
    ),
    "not a number": ("return torch.full((dists.shape[1],), float('nan'))", {"failed"}),
    "infinite": ("return torch.full((dists.shape[1],), float('inf'))", {"failed"}),
    "a string": ("return 'passed'", {"failed"}),
    "a huge string": ("return 'x' * 10**7", {"error"}),
    "a huge number": ("return 10 ** 10**5", {"failed", "crashed"}),
    "nothing": ("return None", {"failed"}),
    "a huge tensor": ("return torch.zeros(1).expand(10**10)", {"error"}),
    "many tensors": ("return [torch.zeros(1)] * 10**6", {"error"}),
    "sparse": ("return torch.zeros(dists.shape[1]).to_sparse()", {"error", "failed"}),
    "meta": ("return torch.zeros(dists.shape[1], device='meta')", {"error", "failed"}),
    "complex": ("return torch.zeros(dists.shape[1], dtype=torch.complex64)", {"failed"}),
    "eight bits for a float": ("return torch.zeros(dists.shape[1]).to(torch.float8_e5m2)", {"failed"}),
    "complex in double precision": ("return torch.zeros(dists.shape[1], dtype=torch.complex128)", {"failed"}),
    "half a letter": ("return '\\ud800'", {"failed"}),
    "half a letter in an error": ("raise ValueError('\\ud800')", {"error"}),
    "an error without a name": ("raise type('', (Exception,), {})", {"error"}),
    "data of the accelerator taken away": ("vars(dists).update(held=None)", {"crashed"}),
    "another answer in one kind of run": (
        "if dists.dtype == torch.float64: return torch.zeros(3)",
        {"failed"},
    ),
    "another answer after some calls": (
        "predict_labels.calls = getattr(predict_labels, 'calls', 0) + 1\n"
        "if predict_labels.calls > 3: return torch.zeros(3)",
        {"not_deterministic"},
    ),
    "another answer in some processes": (
        "import os\nif os.urandom(1)[0] % 2: return torch.zeros(3)",
        {"failed", "not_deterministic"},
    ),
    "another end in some processes": ("import os\nif os.urandom(1)[0] % 2: os._exit(0)", ANY),
    "quantized": (
        "return torch.quantize_per_tensor(torch.zeros(dists.shape[1]), 1.0, 0, torch.quint8)",
        {"error", "failed", "crashed"},
    ),
    "wrong shape that broadcasts": ("return torch.zeros(1, dtype=torch.int64)", {"failed"}),
    "arguments destroyed": ("dists.zero_()\ny_train.zero_()", {"failed"}),
}
"""Lines at the start of `predict_labels`, and what may become of its check; the other exercises keep theirs."""

BESIDE = {
    "prints on import": "print('hello' * 10**5)",
    "endless thread": "import threading, time\nthreading.Thread(target=time.sleep, args=[10**6], daemon=True).start()",
    "endless exit handler": "import atexit, time\natexit.register(time.sleep, 10**6)",
    "trace function": "import sys\nsys.settrace(lambda *_: None)",
    "no garbage collection": "import gc\ngc.disable()",
    "clock stopped": "import time\ntime.monotonic = time.perf_counter = time.time = lambda: 0.0",
    "path cleared": "import sys\nsys.path.clear()\nsys.meta_path.reverse()",
    "answers repeatable by force": "import torch\ntorch.manual_seed = lambda seed: None",
    "sockets of its own": "import socket\nsocket.socketpair()",
}
"""Lines before the right module that do no harm: all points are kept, and nothing is left behind."""

CHEATS = {
    "torch.allclose patched": "torch.allclose = torch.equal = torch.testing.assert_close = lambda *_, **__: True",
    "builtins patched": "import builtins\nbuiltins.all = lambda _: True\nbuiltins.any = lambda _: False",
    "comparison always equal": "torch.Tensor.__eq__ = lambda *_: torch.tensor(True)",
    "assert dropped by a transformer": """
        import ast, importlib.machinery
        compile_ = importlib.machinery.SourceFileLoader.source_to_code
        class NoAssert(ast.NodeTransformer):
            def visit_Assert(self, node): return ast.Pass()
        importlib.machinery.SourceFileLoader.source_to_code = staticmethod(
            lambda data, path, **_: compile(NoAssert().visit(ast.parse(data)), path, "exec"))
        """,
    "engine patched": """
        from exercise_code.support.checking import compare, judge
        compare.difference = judge.difference = lambda *_, **__: None
        judge.judge = lambda check, *_: judge.Verdict(check.id, check.title, check.points, points=check.points)
        """,
    "probe patched": """
        from exercise_code.support.checking import run_check
        from exercise_code.support.checking.evidence import Evidence, Run
        run_check.gather = lambda check, seed: Evidence(check.id, {name: Run({}) for name in run_check.RUNS}
                                                     if hasattr(run_check, "RUNS") else {"float32": Run({})})
        """,
    "a thread that writes after the return": """
        import threading, time
        def predict_labels(dists, y_train, k=1):
            labels = y_train.new_zeros(dists.shape[1])
            def later():
                time.sleep(0.01)
                labels.copy_(one_hot(y_train[dists.topk(k, dim=0, largest=False).indices]).sum(dim=0).argmax(dim=1))
            threading.Thread(target=later, daemon=True).start()
            return labels
        """,
    "negative zeros, and parameters": """
        def compute_distances_two_loops(x_train, x_test): return -x_train.new_zeros(len(x_train), len(x_test))
        def compute_distances_one_loop(x_train, x_test): return torch.nn.Parameter(x_train.new_zeros(len(x_train), len(x_test)))
        """,
    "caches patched": """
        import functools, gc
        for cache in [each for each in gc.get_objects() if isinstance(each, functools._lru_cache_wrapper)]: cache.cache_clear()
        functools.cache = functools.lru_cache = lambda *_, **__: lambda *_, **__: True
        """,
    "forged frames": """
        import os
        from exercise_code.support.isolation import check_server
        from exercise_code.support.checking.assignment import find_assignment
        from exercise_code.support.checking.evidence import Evidence, Run, dumps
        with os.fdopen(os.dup(3), "wb") as pipe:
            check_server.write_frame(pipe, b"")
            for check in find_assignment("a01").checks:
                run = Run({"dists": torch.zeros(7, 5), "dists of points": torch.zeros(3, 4),
                           **{f"labels for k={k}": torch.zeros(17, dtype=torch.int64) for k in (1, 3, 5)}})
                runs = dict.fromkeys(("float32", "again", "float64", "accelerator", "large"), run)
                check_server.write_frame(pipe, dumps(Evidence(check.id, runs).to_dict()))
        os._exit(0)
        """,
    "forged verdicts": """
        import json, os
        os.write(3, bytes(8))
        for _ in range(20):
            text = json.dumps({"status": "passed", "points": 6, "score": 28}).encode()
            os.write(3, len(text).to_bytes(8, "little") + text)
        """,
    "check returned from the stack": """
        import sys
        def found(*_, **__):
            frame = sys._getframe()
            while frame:
                for name in ("expected", "reference", "answers"):
                    if name in frame.f_locals: return frame.f_locals[name]
                frame = frame.f_back
        compute_distances_two_loops = compute_distances_one_loop = compute_distances_no_loops = found
        predict_labels = knn_cross_validate = knn_get_best_k = found
        """,
    "constants of the right shape": """
        def compute_distances_two_loops(x_train, x_test): return x_train.new_zeros(len(x_train), len(x_test))
        compute_distances_one_loop = compute_distances_no_loops = compute_distances_two_loops
        def predict_labels(dists, y_train, k=1): return y_train.new_zeros(dists.shape[1])
        def knn_cross_validate(x_train, y_train, num_folds=5, k_choices=(1,)): return {k: [0.0] * num_folds for k in k_choices}
        def knn_get_best_k(accuracies): return 0
        """,
}
"""Lines after a module of which nothing is written: they earn no point."""

SPIES = {
    "environment": "assert [name for name in os.environ if 'SECRET' in name]",
    "the grader's files": "open({secret!r}).read()",
    "the repository's solutions": f"open({str(ROOT / FILE)!r}).read()",
    "the known mistakes": f"open({str(ROOT / 'assignments/a01_knn/mistakes.py')!r}).read()",
    "modules of the grader": "import grading.running.incremental",
    "answers on disk": "assert [*pathlib.Path('/').glob('tmp/**/answers*')]",
    "other submissions": "open({neighbour!r}).read()",
    "the list of folders": "os.listdir('/')",
    "users": "open('/etc/passwd').read()",
    "processes": "os.listdir('/proc')",
    "its own memory map": "open('/proc/self/maps').read()",
    "environment of the first process": "open('/proc/1/environ', 'rb').read()",
    "the gradebook": "import sqlite3\nsqlite3.connect({gradebook!r}).execute('update grade set manual_score = 100')",
    "the journal": "open({journal!r}, 'r+b').write(b'x')",
    "a file outside": "open({outside!r}, 'w').write('x')",
    "a file in /tmp": "open('/tmp/workbook-was-here', 'w').write('x')",
    "a file beside the libraries": "open(torch.__file__, 'a').write('x')",
    "the tree it came from": (
        "import exercise_code.support.paths as p\n(p.ROOT / 'exercise_code/support/paths.py').write_text('')"
    ),
    "a link to a secret": "os.symlink({secret!r}, 'link')\nopen('link').read()",
    "a hard link to a secret": "os.link({secret!r}, 'link')",
    "a private file moved here": "os.rename({secret!r}, 'mine')",
    "open files by their numbers": "os.listdir('/proc/self/fd')",
    "the terminal": "open('/dev/tty')",
    "a TCP connection": "socket.create_connection(('127.0.0.1', {port}), 1)",
    "a UDP packet": "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', 9))",
    "a name server": "socket.getaddrinfo('example.org', 80)",
    "a raw socket": "socket.socket(socket.AF_PACKET, socket.SOCK_RAW)",
    "a netlink socket": "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
    "a socket of virtual machines": "socket.socket(40, socket.SOCK_STREAM)",
    "a socket of the host": "s = socket.socket(socket.AF_UNIX)\ns.connect({host_socket!r})",
    "datagrams to a socket of the host": (
        "s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\ns.sendto(b'x', {host_datagrams!r})"
    ),
    "a Unix socket at all": "socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)",
    "rights of a file": "os.chmod({secret!r}, 0o600)",
    "rights of a folder": "os.chmod(os.path.dirname({secret!r}), 0)",
    "rights of its own libraries": "os.chmod(torch.__file__, 0o777)",
    "the times of a file": "os.utime({gradebook!r}, (0, 0))",
    "the times of its own libraries": "os.utime(torch.__file__)",
    "attributes of a file": "os.setxattr({secret!r}, 'user.eve', b'x')",
    "a watch on a folder": "libc = ctypes.CDLL(None)\nassert libc.inotify_add_watch(libc.inotify_init(), b'/', 2) >= 0",
    "memory in files without a name": "os.memfd_create('x')",
    "shared memory of System V": "assert ctypes.CDLL(None).shmget(0, 4096, 0o1600) >= 0",
    "messages of System V": "assert ctypes.CDLL(None).msgget(0, 0o1600) >= 0",
    "ptrace": "assert ctypes.CDLL(None).ptrace(0, 0, 0, 0) == 0",
    "mount": "assert ctypes.CDLL(None).mount(b'none', b'.', b'tmpfs', 0, None) == 0",
    "new namespaces": "assert ctypes.CDLL(None).unshare(0x10000000) == 0",
    "new namespaces of a child": (
        "child = ctypes.CDLL(None).syscall(56, 0x10000011, 0, 0, 0, 0)\n"
        "if child == 0: os._exit(0)\nassert child > 0"
    ),
    "a handle instead of a name": (
        "handle = ctypes.create_string_buffer(b'\\x78', 128)\n"
        "assert ctypes.CDLL(None).syscall(303, -100, b'/', handle, ctypes.byref(ctypes.c_int()), 0) == 0"
    ),
    "a handle of another process": "os.pidfd_open(2)",
    "open files through a handle": "own = os.pidfd_open(os.getpid())\nassert [n for n in range(20) if ctypes.CDLL(None).syscall(438, own, n, 0) >= 0]",
    "another root": "os.chroot('.')",
    "another user": "os.setuid(0 if os.getuid() else 1)",
    "the rights of root": "os.setresuid(0, 0, 0)\nos.listdir('/')",
    "a place before all others": "os.nice(-1)",
    "real time": "os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))",
    "memory that is never paged out": "assert ctypes.CDLL(None).mlockall(3) == 0",
    "a device": "os.mknod('disk', 0o60666, os.makedev(8, 0))",
    "the host's name": "socket.sethostname('x')",
    "the clock": "import time\ntime.clock_settime(time.CLOCK_REALTIME, 0)",
    "keys of the kernel": "assert ctypes.CDLL(None).syscall(248, b'user', b'x', b'y', 1, -3) > 0",
    "io_uring": "assert ctypes.CDLL(None).syscall(425, 8, bytes(120)) >= 0",
    "bpf": "assert ctypes.CDLL(None).syscall(321, 0, bytes(120), 120) >= 0",
    "more memory than allowed": "import resource\nresource.setrlimit(resource.RLIMIT_AS, (-1, -1))",
    "open files of the worker": "assert [n for n in range(4, 1000) if _is_open(n)]",
    "answers in memory": (
        "import gc\ngc.unfreeze()\n"
        "kinds = ('Answers', 'KnownMistake', 'Verdict', 'Graded')\n"
        "assert [item for item in gc.get_objects() if type(item).__name__ in kinds]"
    ),
    "answers on the stack": (
        "frame, names = sys._getframe(), set()\n"
        "while frame: names |= frame.f_locals.keys(); frame = frame.f_back\n"
        "assert names & {{'answers', 'reference', 'expected', 'mistakes'}}"
    ),
    "cells of a notebook": "assert __import__('__main__').In[-1]",
}
"""What must not succeed from within `predict_labels`."""
NEEDS_L3 = {"a handle of another process", "a name server", "signal to the parent", "shared memory flood"}

IS_OPEN = "\n\ndef _is_open(n):\n    import os\n    try:\n        os.fstat(n)\n        return True\n    except OSError:\n        return False\n"
IGNORED = {
    "exercise_code/support/checking/judge.py": b"raise SystemExit",
    "exercise_code/support/__init__.py": b"raise SystemExit",
    "exercise_code/__init__.py": b"raise SystemExit",
    "assignments/a01_knn/checks.py": b"CHECKS = []",
    "torch.py": b"raise SystemExit",
    "sitecustomize.py": b"raise SystemExit",
    "usercustomize.py": b"raise SystemExit",
    "conftest.py": b"raise SystemExit",
    "setup.py": b"raise SystemExit",
    "exercise_code/knn.pyc": b"\x00",
    "assignments/a01_knn/answers.safetensors.gz": b"\x00",
    "models/best.pt": b"cos\nsystem\n(S'touch /tmp/workbook-was-here'\ntR.",
}
"""Files that are handed in beside a right module; none of them is taken."""

SOURCES = {
    "not Python": (b"def f(:\n", "error"),
    "not UTF-8": (b"\xff\xfe\x00x", "error"),
    "UTF-16": (RIGHT.encode("utf-16"), "error"),
    "null bytes": (RIGHT.encode() + b"\x00", "error"),
    "Latin-1 with a cookie": (
        b"# -*- coding: latin-1 -*-\n# \xe9\n" + RIGHT.encode("latin-1", "replace"),
        "passed",
    ),
    "Windows line ends": (RIGHT.replace("\n", "\r\n").encode(), "passed"),
    "byte order mark": (b"\xef\xbb\xbf" + RIGHT.encode(), "passed"),
    "empty": (b"", "not_written"),
    "huge expression": (b"x = " + b"(" * 10**5 + b")" * 10**5, "error"),
    "other letters that look alike": (
        RIGHT.replace("def predict_labels", "def predict_lаbels").encode(),
        "mixed",
    ),
    "exit on import": (b"import os\nos._exit(1)\n", "crashed"),
    "SystemExit on import": (b"raise SystemExit\n", "error"),
    "endless loop on import": (b"while True: pass\n", "timeout"),
    "segmentation fault on import": (b"import ctypes\nctypes.string_at(0)\n", "crashed"),
    "imports itself": (b"from exercise_code.knn import *\n", "not_written"),
    "imports the stub of the course": (
        b"import importlib\nfrom exercise_code import support\n",
        "not_written",
    ),
}
"""Contents of the module, and what becomes of all checks."""
