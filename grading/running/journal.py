"""What is known of each submission so far: a file that a run can be killed over and lose nothing."""

import json
import logging
import sqlite3
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import asdict
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, overload

from exercise_code.support.checking.evidence import Evidence
from exercise_code.support.checking.judge import Verdict
from grading.course import CourseError
from grading.submissions.records import Gathered, Graded, Part, Result, Stored, Submission

LOG = logging.getLogger(__name__)
TABLES = """
create table if not exists run (name text primary key, value text not null);
create table if not exists kept (name text primary key, version text not null, content blob not null);
create table if not exists part (digest text primary key, content blob not null);
create table if not exists gathered (key text primary key, parts text not null);
create table if not exists result
    (id text primary key, state text not null, key text not null, record text not null);
"""
REMEDIES = {
    sqlite3.SQLITE_FULL: "make room on the disk, and run the same command again: what is done is kept",
    sqlite3.SQLITE_READONLY: "it cannot be written: change that, or give another --out",
    sqlite3.SQLITE_CANTOPEN: "it cannot be written: change that, or give another --out",
    sqlite3.SQLITE_PERM: "it cannot be written: change that, or give another --out",
    sqlite3.SQLITE_BUSY: "wait for the run that holds it, or give another --out",
    sqlite3.SQLITE_LOCKED: "wait for the run that holds it, or give another --out",
}
DAMAGED = sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB


class DamageError(CourseError):
    """Something in the journal cannot be read any more: the next run makes it anew."""


class Journal:
    """Evidence by its key and results by the submission's name, in one SQLite file; one process writes.

    The evidence of each check is compressed, and kept once for all submissions that did the same.
    """

    def __init__(self, path: Path) -> None:
        """Open or make the file.

        Raises:
            CourseError: it is something else, or another run holds it.
        """
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._db = sqlite3.connect(path, timeout=5, isolation_level=None)
        except sqlite3.Error as error:
            raise self._explained(error) from None
        for pragma in ("locking_mode = exclusive", "journal_mode = wal", "synchronous = normal"):
            self._do(f"pragma {pragma}")
        for table in filter(str.strip, TABLES.split(";")):
            self._do(table)
        self._do("begin immediate")
        self._do("commit")

    def __enter__(self) -> "Journal":
        return self

    def __exit__(self, *exception: object) -> None:
        self._db.close()

    def belong(self, assignment: str) -> None:
        """Note whose results these are.

        Raises:
            CourseError: they are another assignment's.
        """
        other = self._setting("assignment")
        if other not in (None, assignment):
            raise CourseError(
                f"{self._path.parent} holds results of {other}: give {assignment} another --out"
            )
        self._do("insert or replace into run values (?, ?)", "assignment", json.dumps(assignment))

    def setting(self, name: str, value: int | None, otherwise: int, *, anew: bool = False) -> int:
        """A number that belongs to the grading: the given value, else what was noted before, else another.

        Args:
            name: what it is called.
            value: is noted in its place, if given.
            otherwise: is noted where there is none yet.
            anew: forget what was noted before.
        """
        if value is None:
            known = None if anew else self._setting(name)
            value = otherwise if known is None else known
        self._do("insert or replace into run values (?, ?)", name, json.dumps(value))
        return value

    def remember(self, name: str, version: str, make: Callable[[], bytes]) -> bytes:
        """What is kept under a name in that version; made, if it is not."""
        content = self.recall(name, version)
        if content is None:
            LOG.info("%s: made anew", name)
            content = make()
            self.keep(name, version, content)
        return content

    def recall(self, name: str, version: str) -> bytes | None:
        """What is kept under a name, if it is of that version and can be read."""
        row = self._row("select version, content from kept where name = ?", name)
        return _unpacked(row[1]) if row and row[0] == version else None

    def keep(self, name: str, version: str, content: bytes) -> None:
        """Keep something under a name, in place of another version."""
        self._do("insert or replace into kept values (?, ?, ?)", name, version, zlib.compress(content, 1))

    @property
    def size(self) -> int:
        """How many submissions have a result."""
        return int(self._row("select count(*) from result")[0])

    def state(self, id: str) -> str | None:
        """The state that a submission's result was written for."""
        row = self._row("select state from result where id = ?", id)
        state: str | None = row and row[0]
        return state

    def parts(self, key: str) -> list[Part] | None:
        """The evidence that is known under a key; None where there is none, or it cannot be read any more."""
        entries = self._entries(key)
        found = [self._part(*entry) for entry in entries]
        return [part for part in found if part] if entries and all(found) else None

    def evidence(self, key: str, index: int, counts: Mapping[str, str]) -> Evidence:
        """The evidence of one check that counts.

        Args:
            key: names what a submission left behind.
            index: of the check.
            counts: the run with stand-ins that the verdict is about, for some checks.

        Raises:
            DamageError: it cannot be read any more.
        """
        entries = self._entries(key)
        check = entries[index][0] if index < len(entries) else "a check"
        run = counts.get(check, "")
        found = [self._part(*entry) for entry in entries if entry[0] == check and entry[3] == run]
        if not found or not all(found):
            self._do("update result set state = '' where key = ?", key)
            raise DamageError(f"evidence of {check} in {self._path} is damaged: run the same command again")
        gathered = Gathered.from_parts([part for part in found if part])
        return gathered.followed[run] if run else gathered.that_counts[0]

    def write(self, result: Result, key: str, state: str) -> None:
        """Write a result down, together with its evidence if that is new.

        The evidence of a submission that did not run is kept under another key, where nobody looks for it.
        """
        if not result.ran:
            key, state = f"{key} did not run", ""
        self._do("begin")
        try:
            if result.gathered is not None:
                entries = [
                    (part.check, self._keep(part.content), part.seconds, part.run) for part in result.gathered
                ]
                self._do("insert or replace into gathered values (?, ?)", key, json.dumps(entries))
            row = result.graded.submission.id, state, key, json.dumps(_as_dict(result.graded))
            self._do("insert or replace into result values (?, ?, ?, ?)", *row)
            self._do("commit")
        except BaseException:
            with suppress(sqlite3.Error):
                self._db.rollback()
            raise

    def records(self, ids: Iterable[str]) -> Iterator[Stored]:
        """What is known of submissions, one by one in the given order.

        Raises:
            DamageError: a record cannot be read any more.
        """
        for id in ids:
            key, record = self._row("select key, record from result where id = ?", id)
            try:
                content: dict[str, Any] = json.loads(record)
                submitted = content.pop("submitted")
                verdicts = [Verdict(**verdict) for verdict in content.pop("verdicts")]
                moment = submitted and datetime.fromisoformat(submitted)
                evidence = _LateEvidence(self, key, len(verdicts), content["counts"])
                about = Submission(id, submitted=moment, notes=content.pop("notes"), name=content.pop("name"))
                about.group = content.pop("group", "")
                stored = Stored(about, verdicts, evidence, **content, key=key)
            except (ValueError, TypeError, KeyError, AttributeError):
                self._do("update result set state = '' where id = ?", id)
                raise DamageError(
                    f"the result of {id} in {self._path} is damaged: run the same command again"
                ) from None
            yield stored

    def _setting(self, name: str) -> Any:
        row = self._row("select value from run where name = ?", name)
        return _read(row[0]) if row else None

    def _entries(self, key: str) -> list[tuple[str, str, float, str]]:
        """What belongs to a key, part by part: check, digest, seconds, and the run if it had stand-ins."""
        row = self._row("select parts from gathered where key = ?", key)
        return _read(row[0]) or [] if row else []

    def _part(self, check: str, digest: str, seconds: float, run: str) -> Part | None:
        """A part; one that is damaged is removed."""
        row = self._row("select content from part where digest = ?", digest)
        content = _unpacked(row[0]) if row else None
        if content is None or _digest(content) != digest:
            LOG.warning("evidence of %s is damaged", check)
            self._do("delete from part where digest = ?", digest)
            return None
        return Part(check, content, seconds, run)

    def _keep(self, content: bytes) -> str:
        digest = _digest(content)
        if not self._row("select 1 from part where digest = ?", digest):
            self._do("insert into part values (?, ?)", digest, zlib.compress(content, 1))
        return digest

    def _row(self, query: str, *values: str) -> Any:
        with closing(self._do(query, *values)) as rows:
            return rows.fetchone()

    def _do(self, statement: str, *values: Any) -> sqlite3.Cursor:
        try:
            return self._db.execute(statement, values)
        except sqlite3.Error as error:
            raise self._explained(error) from None

    def _explained(self, error: sqlite3.Error) -> CourseError:
        """What is wrong and what to do; a damaged file is put aside, so that the next run begins another."""
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code not in DAMAGED:
            remedy = REMEDIES.get(code, "run the same command again, or give another --out")
            return CourseError(f"{self._path} cannot be used ({error}): {remedy}")
        self._db.close()
        aside = self._path.with_suffix(".damaged")
        self._path.replace(aside)
        for ending in ("-wal", "-shm"):
            self._path.with_name(self._path.name + ending).unlink(missing_ok=True)
        return CourseError(
            f"{self._path} is damaged ({error}) and is now called {aside.name}: run the same command again, "
            "which runs all submissions anew (for the same inputs with --seed as results.json has it)"
        )


def _read(text: str) -> Any:
    """A value that was written as JSON; None if it is damaged."""
    try:
        return json.loads(text)
    except (ValueError, TypeError):
        return None


def _unpacked(content: bytes) -> bytes | None:
    """Undo compression; None where the content is damaged."""
    try:
        return zlib.decompress(content)
    except (zlib.error, TypeError):
        return None


def _digest(content: bytes) -> str:
    return sha256(content).hexdigest()


def _as_dict(graded: Graded) -> dict[str, Any]:
    """What is written down of a submission, but for its name and its evidence."""
    submission = graded.submission
    return {
        "notes": submission.notes,
        "name": submission.name,
        "group": submission.group,
        "submitted": submission.submitted and submission.submitted.isoformat(),
        "verdicts": [asdict(verdict) for verdict in graded.verdicts],
        "seconds": graded.seconds,
        "code": graded.code,
        "untouched": graded.untouched,
        "counts": graded.counts,
    }


class _LateEvidence(Sequence[Evidence]):
    """Evidence of which each check's is read when it is asked for, and not kept."""

    def __init__(self, journal: Journal, key: str, size: int, counts: Mapping[str, str]) -> None:
        self._journal, self._key, self._size, self._counts = journal, key, size, counts

    def __len__(self) -> int:
        return self._size

    @overload
    def __getitem__(self, index: int) -> Evidence: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Evidence]: ...
    def __getitem__(self, index: int | slice) -> Evidence | Sequence[Evidence]:
        places = range(self._size)[index]
        if isinstance(places, range):
            return [self._journal.evidence(self._key, place, self._counts) for place in places]
        return self._journal.evidence(self._key, places, self._counts)
