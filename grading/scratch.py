"""Scratch folders: gone at the end, and where a process was killed, with the next one that comes or goes."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

try:
    import fcntl
except ImportError:
    fcntl = None  # type: ignore[assignment]  # Windows

PREFIX = "workbook-"
HELD = "held"
"""A file in each folder that its process holds a lock on; the kernel lets go of it with the process."""


@contextlib.contextmanager
def scratch_folder() -> Iterator[Path]:
    """A folder for a while; those of processes that were killed, before or meanwhile, are removed too."""
    _clear()
    try:
        with (
            tempfile.TemporaryDirectory(prefix=PREFIX, ignore_cleanup_errors=True) as name,
            _held(Path(name)),
        ):
            yield Path(name)
    finally:
        _clear()


@contextlib.contextmanager
def _held(folder: Path) -> Iterator[None]:
    if fcntl is None:
        yield
        return
    with (folder / "new").open("wb") as file:
        _lock(file)
        (folder / "new").rename(folder / HELD)  # so that nobody finds it without the lock
        yield


def _clear() -> None:
    """Remove what nobody holds any more."""
    for held in Path(tempfile.gettempdir()).glob(f"{PREFIX}*/{HELD}"):
        with contextlib.suppress(OSError), held.open("rb") as file:
            if held.stat().st_uid == os.geteuid() and _lock(file):
                shutil.rmtree(held.parent, ignore_errors=True)


def _lock(file: BinaryIO) -> bool:
    """Take the lock, if nobody has it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
