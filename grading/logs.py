"""What `workbook -v` shows beside the console: what ran again and why, how long it took, what was guarded."""

import logging

LOGGER = logging.getLogger("grading")
FORMAT = "%(asctime)s %(process)d %(levelname)s %(message)s"
LEVELS = (logging.WARNING, logging.INFO, logging.DEBUG)


def show_log(level: int) -> None:
    """Write to standard error what the package logs from a level on; once, however often it is asked for."""
    LOGGER.setLevel(level)
    if level < logging.WARNING and not any(type(h) is logging.StreamHandler for h in LOGGER.handlers):
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter(FORMAT))
        LOGGER.addHandler(handler)
