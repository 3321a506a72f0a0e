"""An edition of the course: what it holds, and how a newer one comes into a copy that somebody works in."""

import json
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path, PurePosixPath

MANIFEST = "edition.json"


class EditionError(Exception):
    """An edition is not there or not as it was published; the message says what to do."""


@dataclass(frozen=True)
class Edition:
    """What was published: hashes of files by their paths.

    Attributes:
        assignments: names what the answers of each assignment were made from.
        given: files that belong to the course.
        written: files that students write, as they were handed out.
    """

    assignments: dict[str, str] = field(default_factory=dict)
    given: dict[str, str] = field(default_factory=dict)
    written: dict[str, str] = field(default_factory=dict)

    @property
    def files(self) -> dict[str, str]:
        """All of them."""
        return self.given | self.written

    @classmethod
    def of(cls, folder: Path, assignments: Mapping[str, str], written: set[str]) -> "Edition":
        """Describe the files in a folder."""
        names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
        hashes = {name: hash_file(folder / name) or "" for name in names if name != MANIFEST}
        return cls(
            dict(assignments),
            {name: digest for name, digest in hashes.items() if name not in written},
            {name: digest for name, digest in hashes.items() if name in written},
        )

    @classmethod
    def read(cls, folder: Path) -> "Edition":
        """Read what `save` wrote.

        Raises:
            EditionError: the folder holds no edition, or names files outside of it.
        """
        path = folder / MANIFEST
        if not path.is_file():
            raise EditionError(f"{folder} is no edition of the course: {MANIFEST} is missing")
        try:
            edition = cls(**json.loads(path.read_text(encoding="utf-8")))
            inside = all(map(_is_inside, edition.files))
        except (ValueError, TypeError, AttributeError):
            raise EditionError(f"{path} is damaged: download the course again") from None
        if not inside:
            raise EditionError(f"{path} names files outside of its folder: download the course again")
        return edition

    def save(self, folder: Path) -> None:
        """Write it beside the files."""
        (folder / MANIFEST).write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")


@dataclass(frozen=True)
class Update:
    """What came of a newer edition.

    Attributes:
        new: assignments that were not there before.
        changed: files that are new or were brought up to date.
        kept: files that somebody has written in and that stay as they are.
        newer: those of them that the course has changed as well.
    """

    new: list[str]
    changed: list[str]
    kept: list[str]
    newer: list[str]

    def __str__(self) -> str:
        """A sentence for each thing worth knowing."""
        lines = [f"New: {', '.join(self.new)}."] if self.new else []
        lines.append(f"Files that are new or up to date again: {len(self.changed)}.")
        if self.kept:
            lines.append(f"Kept as you wrote them: {', '.join(self.kept)}.")
        if self.newer:
            lines.append(
                f"The course has a newer {', '.join(self.newer)}: to get it, rename yours and update again."
            )
        if "requirements.txt" in self.changed:
            lines.append("Other packages are asked for: run python -m pip install -r requirements.txt.")
        return "\n".join(lines)


def update(source: Path, copy: Path) -> Update:
    """Bring a newer edition, a folder or a zip archive, into a copy of the course.

    Raises:
        EditionError: one of the two is no edition, or the newer one is damaged; nothing has changed.
    """
    Edition.read(copy)
    if source.is_dir():
        return bring_in(source, copy)
    with tempfile.TemporaryDirectory(prefix="workbook-") as scratch:
        return bring_in(_unpacked(source, Path(scratch)), copy)


def bring_in(source: Path, copy: Path) -> Update:
    """Bring the edition in a folder into a copy; what was written there stays.

    Every file is replaced at once, and the list of files last: after an interruption, do the same again.

    Raises:
        EditionError: the edition is damaged, or lacks an assignment that the copy has.
    """
    edition = Edition.read(source)
    before = Edition.read(copy) if (copy / MANIFEST).exists() else Edition()
    if lost := before.assignments.keys() - edition.assignments.keys():
        raise EditionError(f"{source.name} lacks {min(lost)}, which is here: take a newer edition")
    for name, digest in edition.files.items():
        if hash_file(source / name) != digest:
            raise EditionError(f"{name} in {source.name} is not as it was published: download it again")
    here = {name: hash_file(copy / name) for name in edition.files}
    differs = [name for name, digest in edition.files.items() if here[name] != digest]
    kept = [
        name
        for name in differs
        if name in edition.written and here[name] not in (None, before.files.get(name))
    ]
    changed = [name for name in differs if name not in kept]
    gone = [
        name
        for name, digest in before.files.items()
        if name not in edition.files and (name in before.given or hash_file(copy / name) == digest)
    ]
    copy.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".update-", dir=copy) as folder:
        staged = Path(folder)
        for name in (*changed, MANIFEST):
            for place in (staged / name, copy / name):
                place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source / name, staged / name)
        for name in changed:
            (staged / name).replace(copy / name)
        for name in gone:
            (copy / name).unlink(missing_ok=True)
        (staged / MANIFEST).replace(copy / MANIFEST)
    new = sorted(edition.assignments.keys() - before.assignments.keys())
    newer = [name for name in kept if edition.written[name] != before.files.get(name)]
    return Update(new, changed, kept, newer)


def hash_file(path: Path) -> str | None:
    """Names a file's content; None where there is no file."""
    return sha256(path.read_bytes()).hexdigest() if path.exists() else None


def _unpacked(archive: Path, scratch: Path) -> Path:
    """The edition in an archive, at its top or in a folder of it."""
    if not archive.exists():
        raise EditionError(f"{archive} is not there: give the folder or the zip archive of the newer edition")
    try:
        with zipfile.ZipFile(archive) as packed:
            names = packed.namelist()
            if not all(map(_is_inside, names)):
                raise EditionError(f"{archive.name} has paths that lead outside: download it again")
            packed.extractall(scratch)
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError):
        raise EditionError(f"{archive.name} is no zip archive, or damaged: download it again") from None
    found = [PurePosixPath(name) for name in names if PurePosixPath(name).name == MANIFEST]
    if not found:
        raise EditionError(f"{archive.name} holds no edition of the course: {MANIFEST} is missing")
    return scratch / min(found, key=lambda name: len(name.parts)).parent


def _is_inside(name: str) -> bool:
    path = PurePosixPath(name)
    return not (path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name)
