"""Find what a submission tried that the sandbox or the collection does not let pass."""

import re
from collections.abc import Iterator

from grading.submissions.records import Graded

KINDS = {
    "refused": r"PermissionError|Operation not permitted|Permission denied|Read-only file system",
    "memory": r"MemoryError|can't allocate memory|Cannot allocate memory",
    "processes or threads": r"BlockingIOError|can't start new thread|Resource temporarily unavailable",
    "disk": r"File too large|No space left on device|Too many open files|Disk quota",
    "network": r"Network is unreachable|gaierror|Name or service not known|name resolution",
    "forged results": r"sent something else than evidence|sent the evidence of something else"
    r"|did not send all that was asked",
    "archive": r"points outside of the archive|is a link or a device",
}
"""What messages and notes say of each kind."""


def incidents(graded: Graded) -> Iterator[tuple[str, str, str]]:
    """What the messages of a submission give away; what its code hides by catching an error is not seen.

    Yields:
        A kind, the check (empty for what is odd about the files), and the message.
    """
    texts = [(verdict.check, verdict.message) for verdict in graded.verdicts]
    for check, text in [*texts, *(("", note) for note in graded.submission.notes)]:
        for kind, pattern in KINDS.items():
            if (kind == "archive") == (not check) and re.search(pattern, text):
                yield kind, check, text
