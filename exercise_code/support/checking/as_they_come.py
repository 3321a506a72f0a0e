"""Show the verdicts so far, and what is being checked, where that takes a while."""

import contextlib
import contextvars
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

from rich.console import Console, Group
from rich.live import Live

from exercise_code.support.checking.judge import Verdict
from exercise_code.support.checking.render import to_html, to_table

PATIENCE = 1.0
"""Seconds before anything is shown in a notebook."""

Tell = Callable[[list[Verdict], str], None]


@contextlib.contextmanager
def rows_as_they_come() -> Iterator[Tell]:
    """Takes the verdicts so far and the next check's name, and shows them until it ends.

    Nothing is shown where neither a notebook nor a terminal is there to show it.
    """
    now: tuple[list[Verdict], str] = [], ""

    def tell(verdicts: list[Verdict], running: str) -> None:
        nonlocal now
        now = [*verdicts], f"checking {running} …"

    console = Console()
    if "ipykernel" in sys.modules:
        with _in_notebook(lambda: to_html(now[0], [now[1]])):
            yield tell
    elif console.is_terminal:
        with Live(get_renderable=lambda: Group(to_table(now[0]), now[1]), console=console, transient=True):
            yield tell
    else:
        yield tell


@contextlib.contextmanager
def _in_notebook(page: Callable[[], str]) -> Iterator[None]:
    from IPython.display import HTML, DisplayHandle

    over = threading.Event()
    handle: Any = DisplayHandle()

    def watch() -> None:
        shown = ""
        while not over.wait(PATIENCE):
            if (new := page()) != shown:
                (handle.update if shown else handle.display)(HTML(new))
                shown = new
        if shown:
            handle.update(HTML(""))

    watcher = threading.Thread(target=contextvars.copy_context().run, args=(watch,), daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()
