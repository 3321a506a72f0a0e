"""End code that runs too long, in this process."""

import contextlib
import ctypes
import queue
import threading
from collections.abc import Iterator


class TooSlow(BaseException):
    """Raised in the midst of whatever runs; no `except Exception` stops it."""


@contextlib.contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Within it, this thread is sent `TooSlow` after some seconds, and again each second until it ends.

    It arrives between two steps of Python: a single long operation is not cut short.
    """
    thread, sending = ctypes.c_ulong(threading.get_ident()), threading.Lock()
    over: queue.SimpleQueue[None] = queue.SimpleQueue()  # a `TooSlow` amid its `put` leaves no lock behind
    send = ctypes.pythonapi.PyThreadState_SetAsyncExc

    def watch() -> None:
        wait = seconds
        while True:
            with contextlib.suppress(queue.Empty):
                over.get(timeout=wait)
                return
            with sending:
                if over.empty():
                    send(thread, ctypes.py_object(TooSlow))
            wait = 1.0

    try:
        threading.Thread(target=watch, daemon=True).start()
        yield
    finally:
        try:
            over.put(None)
        except TooSlow:  # sent at the last moment
            over.put(None)
        with contextlib.suppress(TooSlow):
            with sending:
                pass  # what is being sent has been sent
            _arrive()


def _arrive() -> None:
    """Takes in what has been sent; to take it back would leave Python 3.11 waiting for it for ever."""
