"""Read what somebody has handed in, in memory: nothing is unpacked, nothing outside is touched.

What cannot be taken is left out, with a sentence for the student; a damaged archive is a sentence, too.
"""

import bz2
import gzip
import io
import lzma
import os
import re
import stat
import struct
import tarfile
import unicodedata
import zipfile
import zlib
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

MAX_FILES = 5_000
MAX_UNPACKED = 256 * 2**20
MAX_DIRECTORY = 32 * 2**20
"""Bytes of a zip's list of names: `zipfile` reads all of it before anything else can be asked."""
END, END_64 = struct.Struct("<4s4H2LH"), struct.Struct("<4sQ2H2L4Q")
MAX_HEADER, MAX_HEADERS = 8 * 2**10, 2**19
"""Bytes of one long name or other header of a tar archive, and of all of them."""
DIGITS = re.compile(rb"\d{64}")
"""In such a header it keeps `tarfile` busy (CVE-2024-6232)."""
ENDINGS = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".7z", ".rar", ".gz")
COMPRESSIONS: dict[bytes, Callable[..., Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ": lzma.open,
}
MAX_INNER, MAX_DEPTH = 10, 2
"""Archives within a submission that are opened, and how deep they may lie in one another."""
CLUTTER = {"__MACOSX", ".ipynb_checkpoints", "__pycache__", ".git", ".venv", "venv", "site-packages"}
CLUTTER |= {"node_modules", "datasets", ".DS_Store"}
"""What systems, editors and package managers add, and downloaded data."""
DAMAGE = (
    OSError,
    ValueError,
    EOFError,
    RuntimeError,
    NotImplementedError,
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
)


@dataclass
class Contents:
    """The files in a folder or an archive: their sizes by name, what was odd, and how to read one."""

    sizes: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    read: Callable[[str, int], bytes] = lambda name, limit: b""


@contextmanager
def opened(path: Path, *, inner: bool = False) -> Iterator[Contents]:
    """Look into a folder, a zip or a tar archive; `read(name, limit)` gives at most limit + 1 bytes.

    Names use `/` and the composed form of letters. Left out are links, devices, names that point outside,
    files behind a password, and what systems and editors add. With `inner`, archives within are opened, too.
    """
    with ExitStack() as stack:
        try:
            if path.is_dir():
                contents = _folder(path)
            elif not path.is_file():
                contents = Contents(notes=[f"{path.name} is no file and no folder"])
            else:
                contents = _archive(path.name, stack.enter_context(path.open("rb")), stack)
        except OSError as error:
            contents = Contents(notes=[f"{path.name} cannot be read: {error}"])
        if inner:
            _open_inner(contents, stack)
        yield contents


def _archive(name: str, file: BinaryIO, stack: ExitStack) -> Contents:
    try:
        start = file.read(8)
        file.seek(0)
        if start.startswith((b"PK\x03\x04", b"PK\x05\x06")):
            refuse_many_names(file)
            return _zip(stack.enter_context(zipfile.ZipFile(file)))
        if start.startswith((b"7z\xbc\xaf", b"Rar!")):
            return Contents(notes=[f"{name} is not a zip: hand in a zip or a folder"])
        unpack = next((u for magic, u in COMPRESSIONS.items() if start.startswith(magic)), None)
        bounded = _Bounded(stack.enter_context(unpack(file, "rb")) if unpack else file)
        return _tar(stack.enter_context(tarfile.open(fileobj=bounded, mode="r:")), bounded)
    except DAMAGE as error:
        return Contents(notes=[f"{name} cannot be read: {str(error) or type(error).__name__}"])


def refuse_many_names(file: BinaryIO) -> None:
    """Look how long a zip's list of names is, before all of it is read.

    What its end says is not trusted: `zipfile` takes what lies before the end by the same number.

    Raises:
        ValueError: it is longer than any submission's or class's.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - END.size - 2**16))
    tail = file.read()
    file.seek(0)
    place = tail.rfind(b"PK\5\6")
    if place < 0 or len(tail) < place + END.size:
        return
    directory = END.unpack_from(tail, place)[5]
    before = place - 20 - END_64.size
    if before >= 0 and tail[before : before + 4] == b"PK\6\6":
        directory = END_64.unpack_from(tail, before)[8]
    if directory > MAX_DIRECTORY:
        raise ValueError(f"its list of names has {directory / 2**20:.0f} MiB: pack the files themselves")


def _open_inner(contents: Contents, stack: ExitStack) -> None:
    """Put the files of the archives in a submission beside its others, below the name of the archive."""
    outer = contents.read
    places: dict[str, tuple[Callable[[str, int], bytes], str]] = {}
    waiting = deque((name, 1) for name in contents.sizes if name.lower().endswith(ENDINGS))
    room, opened = MAX_UNPACKED, 0

    def read(name: str, limit: int) -> bytes:
        inner, place = places.get(name, (outer, name))
        return inner(place, limit)

    while waiting:
        name, depth = waiting.popleft()
        room, opened = room - contents.sizes[name], opened + 1
        if room < 0 or opened > MAX_INNER or depth > MAX_DEPTH:
            contents.notes.append(f"{name} was not opened: pack the files themselves")
            continue
        try:
            inner = _archive(name, io.BytesIO(read(name, contents.sizes[name])), stack)
        except DAMAGE as error:
            inner = Contents(notes=[f"{name} cannot be read: {str(error) or type(error).__name__}"])
        contents.notes += inner.notes
        for each, size in inner.sizes.items():
            shown = f"{name}/{each}"
            places[shown], contents.sizes[shown] = (inner.read, each), size
            if each.lower().endswith(ENDINGS):
                waiting.append((shown, depth + 1))
    contents.read = read


class _Bounded(io.RawIOBase):
    """A tar archive that ends in an error once too much has been unpacked, or its headers are too long."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._furthest, self._read = file, 0, 0
        self.headers = True
        """Whether only headers are read so far, each at once."""

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(min(size, MAX_UNPACKED) if size >= 0 else MAX_UNPACKED)
        self._furthest = max(self._furthest, self._file.tell())
        if self.headers and size > tarfile.BLOCKSIZE:
            self._read += size
            if size > MAX_HEADER or self._read > MAX_HEADERS or DIGITS.search(data):
                raise ValueError("its headers are too long")
        if self._furthest > MAX_UNPACKED:
            raise ValueError(f"it unpacks to more than {MAX_UNPACKED // 2**20} MiB")
        return data

    def tell(self) -> int:
        return self._file.tell()

    def seek(self, place: int, whence: int = 0) -> int:
        if whence == 0 and place > MAX_UNPACKED:
            raise ValueError(f"it unpacks to more than {MAX_UNPACKED // 2**20} MiB")
        return self._file.seek(place, whence)


def _folder(root: Path) -> Contents:
    contents = Contents()
    places: dict[str, Path] = {}
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if name not in CLUTTER)
        for name in sorted(names):
            path = Path(folder, name)
            status = path.lstat()
            shown = path.relative_to(root).as_posix()
            if name in CLUTTER:
                continue
            if not stat.S_ISREG(status.st_mode):
                contents.notes.append(f"{shown} is a link or a device and was left out")
            elif (usable := _usable(shown, contents)) is not None:
                places[usable] = path
                contents.sizes[usable] = status.st_size
        if len(places) > MAX_FILES:
            contents.notes.append(f"there are more than {MAX_FILES:,} files: the rest was left out")
            break

    def read(name: str, limit: int) -> bytes:
        with places[name].open("rb") as file:
            return file.read(limit + 1)

    contents.read = read
    return contents


def _zip(archive: zipfile.ZipFile) -> Contents:
    contents = Contents()
    members: dict[str, zipfile.ZipInfo] = {}
    for info in archive.infolist():
        kind = stat.S_IFMT(info.external_attr >> 16)
        if info.is_dir() or _is_clutter(info.filename):
            continue
        if len(members) >= MAX_FILES:
            contents.notes.append(f"there are more than {MAX_FILES:,} files: the rest was left out")
            break
        if kind not in (0, stat.S_IFREG):
            contents.notes.append(f"{info.filename} is a link or a device and was left out")
        elif info.flag_bits & 1:
            contents.notes.append(f"{info.filename} is behind a password and was left out")
        elif (name := _usable(info.filename, contents)) is not None:
            members[name] = info
            contents.sizes[name] = info.file_size

    def read(name: str, limit: int) -> bytes:
        with archive.open(members[name]) as member:
            return member.read(limit + 1)

    contents.read = read
    return contents


def _tar(archive: tarfile.TarFile, file: _Bounded) -> Contents:
    contents = Contents()
    members: dict[str, tarfile.TarInfo] = {}
    for info in archive:
        if info.isdir() or _is_clutter(info.name):
            continue
        if len(members) >= MAX_FILES:
            contents.notes.append(f"there are more than {MAX_FILES:,} files: the rest was left out")
            break
        if not info.isreg():
            contents.notes.append(f"{info.name} is a link or a device and was left out")
        elif (name := _usable(info.name, contents)) is not None:
            members[name] = info
            contents.sizes[name] = info.size

    file.headers = False

    def read(name: str, limit: int) -> bytes:
        return cast(IO[bytes], archive.extractfile(members[name])).read(limit + 1)

    contents.read = read
    return contents


def _is_clutter(name: str) -> bool:
    return not CLUTTER.isdisjoint(name.replace("\\", "/").split("/"))


def _usable(name: str, contents: Contents) -> str | None:
    """The name as it is used here; None for what is left out."""
    shown = unicodedata.normalize("NFC", name.replace("\\", "/"))
    parts = [part for part in shown.split("/") if part not in ("", ".")]
    if shown.startswith("/") or ".." in parts or (parts[:1] and parts[0].endswith(":")) or "\0" in shown:
        contents.notes.append(f"{name} points outside of the archive and was left out")
        return None
    usable = "/".join(parts)
    if usable in contents.sizes:
        contents.notes.append(f"{usable} is there twice: the later one counts")
    return usable
