"""Run checks in a process of their own: evidence goes out as frames on standard output, nothing else does.

    python -I -B -c "import sys; sys.path.insert(0, TREE); …child.main()" ASSIGNMENT SEED MEMORY_MB CHECK…

The first two frames are empty: the process has started; the student's modules are imported. Then comes
one for each check.
"""

import importlib
import os
import struct
import sys
from pathlib import Path
from typing import BinaryIO

MAX_FRAME = 64 * 2**20
MAX_FILE_BYTES = 16 * 2**20


def main() -> None:
    """Run the checks that the command line names."""
    name, seed, memory_mb, *ids = sys.argv[1:]
    out = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)

    from exercise_code.support.checking.assignment import find_assignment
    from exercise_code.support.checking.evidence import dumps
    from exercise_code.support.checking.probe import gather

    assignment = find_assignment(name)
    checks = {check.id: check for check in assignment.checks}
    write_frame(out, b"")
    limit(int(memory_mb))
    for file in assignment.editable:
        try:
            importlib.import_module(".".join(Path(file).with_suffix("").parts))
        except (Exception, SystemExit):
            continue  # each check meets the same error, and reports it
    write_frame(out, b"")
    for id in ids:
        write_frame(out, dumps(gather(checks[id], int(seed)).to_tree()))


def limit(memory_mb: int) -> None:
    """Bound memory beyond what is in use now, and files, as far as the system can."""
    try:
        import resource
    except ImportError:
        return
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize() if _has_proc() else 0
    bounds = {"RLIMIT_FSIZE": MAX_FILE_BYTES, "RLIMIT_CORE": 0}
    if used:
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


def _has_proc() -> bool:
    return Path("/proc/self/statm").exists()
