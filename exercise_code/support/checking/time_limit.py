"""End code that runs too long, in this process."""

import contextlib
import ctypes
import threading
from collections.abc import Iterator


class TooSlow(BaseException):
    """Raised in the midst of whatever runs; no `except Exception` stops it."""


@contextlib.contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Within it, this thread is sent `TooSlow` after some seconds, and again each second until it ends.

    It arrives between two steps of Python: a single long operation is not cut short.
    """
    thread, over, sending = ctypes.c_ulong(threading.get_ident()), threading.Event(), threading.Lock()
    send = ctypes.pythonapi.PyThreadState_SetAsyncExc

    def watch() -> None:
        wait = seconds
        while not over.wait(wait):
            with sending:
                if not over.is_set():
                    send(thread, ctypes.py_object(TooSlow))
            wait = 1.0

    threading.Thread(target=watch, daemon=True).start()
    try:
        yield
    finally:
        with contextlib.suppress(TooSlow):  # sent at the last moment
            over.set()
        over.set()
        with contextlib.suppress(TooSlow), sending:
            send(thread, None)
