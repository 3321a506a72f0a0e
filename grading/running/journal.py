"""What is known of each submission so far: a file that a run can be killed over and lose nothing."""

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any, overload

from exercise_code.support.checking.evidence import Evidence
from exercise_code.support.checking.judge import Verdict
from grading.course import CourseError
from grading.submissions.records import Gathered, Graded, Result, Stored, Submission

TABLES = """
create table if not exists run (name text primary key, value text not null);
create table if not exists evidence (key text primary key, content blob not null);
create table if not exists result
    (id text primary key, state text not null, key text not null, record text not null);
"""


class Journal:
    """Evidence by its key and results by the submission's name, in one SQLite file; one process writes."""

    def __init__(self, path: Path) -> None:
        """Open or make the file.

        Raises:
            CourseError: it is something else, or another run holds it.
        """
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._db = sqlite3.connect(path, timeout=5, isolation_level=None)
            for pragma in ("locking_mode = exclusive", "journal_mode = wal", "synchronous = normal"):
                self._db.execute(f"pragma {pragma}")
            self._db.executescript(TABLES)
            self._db.execute("begin immediate")
            self._db.execute("commit")
        except sqlite3.DatabaseError as error:
            raise CourseError(
                f"{path} cannot be used ({error}): wait for the run that holds it, or give another --out"
            ) from None

    def __enter__(self) -> "Journal":
        return self

    def __exit__(self, *exception: object) -> None:
        self._db.close()

    def belong(self, assignment: str) -> None:
        """Note whose results these are.

        Raises:
            CourseError: they are another assignment's.
        """
        row = self._row("select value from run where name = ?", "assignment")
        if row and json.loads(row[0]) != assignment:
            raise CourseError(
                f"{self._path.parent} holds results of {json.loads(row[0])}: give {assignment} another --out"
            )
        self._db.execute("insert or replace into run values (?, ?)", ("assignment", json.dumps(assignment)))

    def setting(self, name: str, value: int | None, otherwise: int) -> int:
        """A number that belongs to the run: the given value, else what was noted before, else another."""
        if value is None:
            row = self._row("select value from run where name = ?", name)
            value = json.loads(row[0]) if row else otherwise
        self._db.execute("insert or replace into run values (?, ?)", (name, json.dumps(value)))
        return value

    def remember(self, name: str, make: Callable[[], bytes]) -> bytes:
        """What is kept under a name; made, if it is not."""
        content = self.evidence(name)
        if content is None:
            content = make()
            self.keep(name, content)
        return content

    def keep(self, name: str, content: bytes) -> None:
        """Keep something under a name."""
        self._db.execute("insert or replace into evidence values (?, ?)", (name, content))

    @property
    def size(self) -> int:
        """How many submissions have a result."""
        return self._db.execute("select count(*) from result").fetchone()[0]

    def state(self, id: str) -> str | None:
        """The state that a submission's result was written for."""
        row = self._row("select state from result where id = ?", id)
        return row and row[0]

    def evidence(self, key: str) -> bytes | None:
        """What is known under a key."""
        row = self._row("select content from evidence where key = ?", key)
        return row and row[0]

    def write(self, result: Result, key: str, state: str) -> None:
        """Write a result down, together with its evidence if that is new.

        The evidence of a submission that did not run is kept under another key, where nobody looks for it.
        """
        if not result.ran:
            key, state = f"{key} did not run", ""
        self._db.execute("begin")
        if result.gathered is not None:
            self._db.execute("insert or replace into evidence values (?, ?)", (key, result.gathered))
        row = result.graded.submission.id, state, key, json.dumps(_as_dict(result.graded))
        self._db.execute("insert or replace into result values (?, ?, ?, ?)", row)
        self._db.execute("commit")

    def records(self, ids: Iterable[str]) -> Iterator[Stored]:
        """What is known of submissions, one by one in the given order."""
        for id in ids:
            key, record = self._row("select key, record from result where id = ?", id)
            content: dict[str, Any] = json.loads(record)
            submitted = content.pop("submitted")
            about = {name: content.pop(name) for name in ("notes", "name")}
            verdicts = [Verdict(**verdict) for verdict in content.pop("verdicts")]
            yield Stored(
                Submission(id, submitted=submitted and datetime.fromisoformat(submitted), **about),
                verdicts,
                _LateEvidence(self, key, len(verdicts)),
                **content,
                key=key,
            )

    def _row(self, query: str, value: str) -> tuple | None:
        with closing(self._db.execute(query, (value,))) as rows:
            return rows.fetchone()


def _as_dict(graded: Graded) -> dict[str, Any]:
    """What is written down of a submission, but for its name and its evidence."""
    submission = graded.submission
    return {
        "notes": submission.notes,
        "name": submission.name,
        "submitted": submission.submitted and submission.submitted.isoformat(),
        "verdicts": [asdict(verdict) for verdict in graded.verdicts],
        "seconds": graded.seconds,
        "code": graded.code,
        "untouched": graded.untouched,
    }


class _LateEvidence(Sequence[Evidence]):
    """Evidence that is read when it is first asked for."""

    def __init__(self, journal: Journal, key: str, size: int) -> None:
        self._journal, self._key, self._size = journal, key, size
        self._found: list[Evidence] | None = None

    def __len__(self) -> int:
        return self._size

    @overload
    def __getitem__(self, index: int) -> Evidence: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Evidence]: ...
    def __getitem__(self, index: int | slice) -> Evidence | Sequence[Evidence]:
        if self._found is None:
            self._found = Gathered.from_bytes(self._journal.evidence(self._key) or b"").that_counts
        return self._found[index]
