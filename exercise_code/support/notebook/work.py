"""A student's work: find it, keep it where it lasts, bring it back, pack what is handed in."""

import io
import json
import os
import sys
import zipfile
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from exercise_code.support.checking import Verdicts, check
from exercise_code.support.checking.assignment import (
    Assignment,
    all_folders,
    find_assignment,
    read_assignment,
)
from exercise_code.support.checking.judge import Verdict
from exercise_code.support.notebook.start import DRIVE
from exercise_code.support.paths import ROOT

SAVED = "deep-vision-workbook-saved"
UNANSWERED = ("", "*Your answer here.*")
KAGGLE = Path("/kaggle/working")
ELSEWHERE = (DRIVE.parents[1], DRIVE, DRIVE / "Colab Notebooks", KAGGLE)
"""Where notebooks lie that were not opened in the course's folder."""


class WorkError(Exception):
    """Something cannot be packed, saved or brought back; the message says what to do."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


def submit(name: str) -> Verdicts:
    """Check an assignment, and pack what is to be handed in.

    Args:
        name: the assignment (`a01`).

    Returns:
        The verdicts, which a notebook shows as a table.

    Raises:
        WorkError: a file is missing or too large, or the archive cannot be written.
    """
    verdicts = check(name)
    print(*pack(find_assignment(name), verdicts=verdicts.verdicts), sep="\n")
    return verdicts


def pack(assignment: Assignment, root: Path = ROOT, verdicts: Iterable[Verdict] = ()) -> list[str]:
    """Pack what is to be handed in.

    Args:
        assignment: of which assignment.
        root: the course's folder, where the archive lies afterwards.
        verdicts: on all checks of the assignment, where they are known.

    Returns:
        What a student should know of it, a sentence each, the archive's name in the last.

    Raises:
        WorkError: a file is missing or too large, or the archive cannot be written.
    """
    files, notes = {}, []
    for name, limit in assignment.largest.items():
        if not (root / name).is_file():
            if name in assignment.editable:
                raise WorkError(f"{name} is missing: put it back before you submit")
            notes.append(f"{name} is not there yet: what it is worth is not handed in.")
        elif (size := (root / name).stat().st_size) > limit:
            raise WorkError(f"{name} has {size / 2**20:.1f} MiB: at most {limit / 2**20:g} are taken")
        else:
            files[name] = (root / name).read_bytes()
    if {verdict.status for verdict in verdicts} in ({"not_written"}, {"not_written", "blocked"}):
        notes.append(f"Nothing is written yet in {', '.join(assignment.editable)}: that earns no points.")
    for name in assignment.notebook_paths:
        files[name], place = open_notebook(name, root)
        advice = "save it before you submit"
        if KAGGLE.is_dir() and place == name:
            advice = "Kaggle does not give out the open one: download that (File > Download), hand in both"
        notes.append(f"The notebook is {place}: {advice}.")
    if empty := unanswered(assignment, [files[name] for name in assignment.notebook_paths]):
        points = sum(assignment.questions[question] for question in empty)
        count = f"{len(empty)} of {len(assignment.questions)} written answers are"
        notes.append(f"{count} still empty, worth {points:g} points: {', '.join(empty)}.")
    archive = root / f"{assignment.name}.zip"
    try:
        archive.write_bytes(_zip(files))
    except OSError as error:
        raise WorkError(f"{archive.name} cannot be written: {error.strerror}") from None
    return [*notes, f"Packed {', '.join(files)} into {archive.name}: hand in this file."]


def open_notebook(name: str, root: Path = ROOT) -> tuple[bytes, str]:
    """The notebook that a student works in, which need not be the one in the course's folder.

    It is the one that Colab has open, else the one that this kernel belongs to, else the newest of that name
    in the likely places.

    Args:
        name: its path below the course's folder.
        root: the course's folder.

    Returns:
        Its content, and where it lies.

    Raises:
        WorkError: there is none.
    """
    own = root / name
    title = _title(own.read_bytes()) if own.is_file() else ""
    opened = _open_in_colab()
    if opened and title and _title(opened) == title:
        return opened, "the one that is open"
    folders = dict.fromkeys([own.parent, Path.cwd(), *ELSEWHERE])
    found = [path for folder in folders for path in folder.glob(f"*{own.stem}*.ipynb") if path != own]
    alike = [path for path in found if title and _title(path.read_bytes()) == title]
    there = [own, *alike] if own.is_file() else alike
    if not there:
        raise WorkError(f"{name} is missing: put it back before you submit")
    current = [path for path in there if path.resolve() == _of_this_kernel()]
    path = current[0] if current else max(there, key=lambda path: path.stat().st_mtime_ns)
    return path.read_bytes(), path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


def unanswered(assignment: Assignment, notebooks: Iterable[bytes]) -> list[str]:
    """The written questions whose answer is missing or still as it was released."""
    answers = {}
    for content in notebooks:
        for cell in _cells(content):
            marks = cell.get("metadata", {}).get("nbgrader", {})
            answers[marks.get("grade_id")] = "".join(cell["source"]).strip()
    return [question for question in assignment.questions if answers.get(question, "") in UNANSWERED]


def save(folder: Path | str | None = None, root: Path = ROOT) -> None:
    """Keep all that the student writes in an archive with the date as its name; earlier ones stay.

    Args:
        folder: where; on Colab a folder of the mounted Drive, if not given.
        root: the course's folder.

    Raises:
        WorkError: there is no such place, or it cannot be written to.
    """
    place = _place(folder)
    files = _written(root)
    content = _zip(files)
    try:
        place.mkdir(parents=True, exist_ok=True)
        for latest in sorted(place.glob("*.zip"))[-1:]:
            if latest.read_bytes() == content:
                print(f"Nothing has changed since {latest}.")
                return
        archive = place / f"{datetime.now():%Y-%m-%d_%H-%M-%S-%f}.zip"
        archive.write_bytes(content)
    except OSError as error:
        raise WorkError(f"nothing can be saved in {place}: {error.strerror}") from None
    print(f"Saved {len(files)} files as {archive}.")


def restore(source: Path | str | None = None, root: Path = ROOT) -> None:
    """Bring back what `save` has kept; what it replaces is saved in the course's folder `saved` first.

    Args:
        source: an archive, or a folder of which the newest is taken; as for `save`, if not given.
        root: the course's folder.

    Raises:
        WorkError: there is nothing to bring back.
    """
    place = _place(source)
    archives = [place] if place.is_file() else sorted(place.glob("*.zip"))
    if not archives:
        raise WorkError(f"nothing has been saved in {place}")
    try:
        kept = _unzip(archives[-1])
    except zipfile.BadZipFile:
        raise WorkError(f"{archives[-1]} is damaged: name an earlier archive") from None
    changed = {
        name: kept[name]
        for name in _names(root)
        if name in kept and not ((root / name).is_file() and (root / name).read_bytes() == kept[name])
    }
    if not changed:
        print(f"All is as in {archives[-1]}.")
        return
    save(root / "saved", root)
    for name, content in changed.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    print(f"Brought back from {archives[-1]}: {', '.join(changed)}. Close and open notebooks among them.")


def _place(folder: Path | str | None) -> Path:
    if folder is None and not DRIVE.is_dir():
        raise WorkError("there is no Drive here: mount it, or name a folder, as in save('/home/me/saved')")
    return DRIVE / SAVED if folder is None else Path(folder).expanduser()


def _names(root: Path) -> list[str]:
    """What students write, in all assignments."""
    assignments = [read_assignment(folder) for folder in all_folders(root / "assignments")]
    return list(dict.fromkeys(name for each in assignments for name in (*each.largest, *each.notebook_paths)))


def _written(root: Path) -> dict[str, bytes]:
    there = [name for name in _names(root) if (root / name).is_file()]
    return {
        name: open_notebook(name, root)[0] if name.endswith(".ipynb") else (root / name).read_bytes()
        for name in there
    }


def _zip(files: dict[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as packed:
        for name, data in files.items():
            packed.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)  # without the time
    return content.getvalue()


def _unzip(archive: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(archive) as packed:
        return {name: packed.read(name) for name in packed.namelist()}


def _cells(content: bytes) -> list[dict[str, Any]]:
    try:
        cells: list[dict[str, Any]] = json.loads(content)["cells"]
        return cells
    except (ValueError, TypeError, KeyError):
        return []


def _title(content: bytes) -> str:
    """The first cell, by which copies of a notebook are known."""
    return "".join("".join(cell["source"]) for cell in _cells(content)[:1])


def _open_in_colab() -> bytes | None:
    if "google.colab" not in sys.modules:
        return None
    try:
        from google.colab import _message

        return json.dumps(_message.blocking_request("get_ipynb", timeout_sec=10)["ipynb"]).encode()
    except Exception:  # a part of Colab that is not promised to stay
        return None


def _of_this_kernel() -> Path | None:
    """The notebook that JupyterLab or VS Code says this process belongs to."""
    told = vars(sys.modules["__main__"]).get("__vsc_ipynb_file__") or os.environ.get("JPY_SESSION_NAME")
    return Path(told).resolve() if told else None
