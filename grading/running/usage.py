"""What a submission's processes use while they run, as Linux tells in /proc; nothing where it does not."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

PROC = Path("/proc")


class Usage:
    """The processor and the memory of a process and of all that it has started."""

    def __init__(self, server: int, pid: int) -> None:
        """Find the process.

        Args:
            server: a process that it descends from.
            pid: its number where `server` or its child has a process namespace of its own.
        """
        self._pid = next((each for each in _descendants(server) if _number_inside(each) == pid), None)
        self._waited = 0.0

    def waited(self) -> float:
        """For how many seconds it was ready to run, but had to wait for a processor."""
        with contextlib.suppress(OSError, ValueError, IndexError):
            self._waited = int((PROC / str(self._pid) / "schedstat").read_text().split()[1]) / 1e9
        return self._waited

    def memory(self) -> float:
        """MiB that it and what it has started hold together; 0 if it is alone, and has a limit of its own."""
        others = [*_descendants(self._pid)] if self._pid else []
        return sum(map(_held, [self._pid, *others])) if others else 0.0


def _descendants(pid: int) -> Iterator[int]:
    for path in (PROC / str(pid) / "task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in map(int, path.read_text().split()):
                yield child
                yield from _descendants(child)


def _number_inside(pid: int) -> int:
    """Its number one process namespace further in, where there is one."""
    with contextlib.suppress(OSError, StopIteration):
        lines = (PROC / str(pid) / "status").read_text().splitlines()
        numbers = next(line.split()[1:] for line in lines if line.startswith("NSpid:"))
        return int(numbers[min(1, len(numbers) - 1)])
    return pid


def _held(pid: int | None) -> float:
    """MiB of memory, of which each page that several share counts in parts."""
    with contextlib.suppress(OSError, StopIteration):
        lines = (PROC / str(pid) / "smaps_rollup").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024
    return 0.0
