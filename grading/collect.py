"""Find submissions: a folder or a zip archive for each student."""

import stat
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from exercise_code.support.checking.assignment import Assignment
from grading.course import CourseError

MAX_BYTES = 5 * 2**20


@dataclass
class Submission:
    """What one student handed in: the contents of the wanted files by path, and what was odd about it."""

    id: str
    files: dict[str, bytes] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def collect(folder: Path, assignment: Assignment) -> Iterator[Submission]:
    """The submissions in a folder, in order of their names; each is read when its turn comes.

    Raises:
        CourseError: the folder is missing, or holds no submission.
    """
    found = _find(folder)
    names = Counter(path.stem if path.is_file() else path.name for path in found)
    for path in found:
        name = path.stem if path.is_file() else path.name
        yield read_submission(path, name if names[name] == 1 else path.name, assignment)


def count(folder: Path) -> int:
    """How many submissions there are; reads none.

    Raises:
        CourseError: the folder is missing, or holds no submission.
    """
    return len(_find(folder))


def _find(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise CourseError(
            f"{folder} is not a folder: give the folder that holds one folder or zip for each student"
        )
    found = [path for path in sorted(folder.iterdir()) if _is_submission(path)]
    if not found:
        raise CourseError(f"{folder} holds no submission: it should hold one folder or zip for each student")
    return found


def read_submission(path: Path, id: str, assignment: Assignment) -> Submission:
    """Take the editable files and the notebook from a folder or a zip archive, wherever they lie in it."""
    submission = Submission(id)
    try:
        if path.is_dir():
            _take(assignment, submission, *_folder(path))
        else:
            with zipfile.ZipFile(path) as archive:
                _take(assignment, submission, *_archive(archive))
    except (OSError, zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError, zlib.error) as error:
        submission.notes.append(f"{path.name} cannot be read: {error}")
    return submission


def _is_submission(path: Path) -> bool:
    if path.name.startswith((".", "__")) or path.is_symlink():
        return False
    return path.is_dir() or path.suffix.lower() == ".zip"


Sizes = dict[str, int]
Reader = Callable[[str], bytes]


def _folder(path: Path) -> tuple[Sizes, Reader]:
    files = [file for file in path.rglob("*") if file.is_file() and not file.is_symlink()]
    inside = [file for file in files if file.resolve().is_relative_to(path.resolve())]
    sizes = {file.relative_to(path).as_posix(): file.stat().st_size for file in inside}
    return sizes, lambda name: (path / name).read_bytes()


def _archive(archive: zipfile.ZipFile) -> tuple[Sizes, Reader]:
    infos = {
        info.filename.replace("\\", "/"): info
        for info in archive.infolist()
        if not info.is_dir() and not stat.S_ISLNK(info.external_attr >> 16)
    }

    def read(name: str) -> bytes:
        with archive.open(infos[name]) as member:
            return member.read(MAX_BYTES + 1)

    return {name: info.file_size for name, info in infos.items()}, read


def _take(assignment: Assignment, submission: Submission, sizes: Sizes, read: Reader) -> None:
    usable = [name for name in sizes if "__MACOSX" not in name and ".ipynb_checkpoints" not in name]
    for wanted in [*assignment.editable, assignment.notebook_path]:
        name = _best(wanted, usable)
        if name is None:
            submission.notes.append(f"{wanted} is missing")
            continue
        content = read(name) if sizes[name] <= MAX_BYTES else b""
        if sizes[name] > MAX_BYTES or len(content) > MAX_BYTES:
            submission.notes.append(f"{name} is larger than {MAX_BYTES} bytes and was left out")
            continue
        if name != wanted and not name.endswith(f"/{wanted}"):
            submission.notes.append(f"{wanted} was found as {name}")
        submission.files[wanted] = content


def _best(wanted: str, names: list[str]) -> str | None:
    """The file that is meant: at its place, or there within some folder, or the only one of its name."""
    if wanted in names:
        return wanted
    nested = [name for name in names if name.endswith(f"/{wanted}")]
    if nested:
        return min(nested, key=lambda name: (name.count("/"), name))
    same = [name for name in names if PurePosixPath(name).name == PurePosixPath(wanted).name]
    return same[0] if len(same) == 1 else None
