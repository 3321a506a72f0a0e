"""Which files of a submission are those that were asked for: by place, by name, by what they define."""

import ast
import functools
import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from exercise_code.support.checking.assignment import (
    MAX_BYTES,
    MAX_SOURCE,
    Assignment,
    all_folders,
    read_assignment,
)
from exercise_code.support.paths import ROOT
from grading.editions.student_files import strip_solutions
from grading.submissions.archives import DAMAGE

LOOKED_INTO = 100
"""Files that are read to see what they define, of each submission."""
LISTED = 8
ADDED = r"(?:[ _-]*(?:\(\d+\)|copy|kopie)|-\d+)*"
NAME = re.compile(rf"(?P<stem>.+?){ADDED}(?P<ending>\.(?:py|ipynb|pt))(?:\.(?:txt|json|py))?")
DEFINITION = re.compile(r"^(?:async +)?(?:def|class) +(\w+)", re.MULTILINE)
ANSWER_STUB = "*Your answer here.*"


@dataclass(frozen=True)
class File:
    """A file that was handed in; `read` gives at most the given number of bytes and one more.

    Of two attempts, the files of the later have the higher number.
    """

    name: str
    size: int
    read: Callable[[int], bytes]
    attempt: int = 0

    @functools.cached_property
    def content(self) -> bytes:
        """What is in it; empty where that cannot be read or is too much."""
        limit = MAX_SOURCE if _plain(self.name).endswith(".py") else MAX_BYTES
        try:
            content = self.read(limit) if self.size <= limit else b""
        except DAMAGE:
            return b""
        return content if len(content) <= limit else b""

    @functools.cached_property
    def defined(self) -> dict[str, bool]:
        """The definitions of a module or the marked cells of a notebook, and whether each is written."""
        return marked_cells(self.content) if ".ipynb" in _plain(self.name) else definitions(self.content)


def wanted(assignment: Assignment) -> dict[str, int]:
    """The paths of what may be handed in, and the largest size of each in bytes."""
    return assignment.largest | dict.fromkeys(assignment.notebook_paths, MAX_BYTES)


def choose(assignment: Assignment, files: list[File]) -> tuple[dict[str, File], list[str]]:
    """Find what was asked for among the files that were handed in.

    A file at its place is taken, then one of its name, then one that defines what it should. Where several
    could be meant, what they define decides.

    Returns:
        The files by the path that each is taken for, and sentences on what is assumed, missing, or not told.
    """
    paths = [*wanted(assignment)]
    versions: dict[str, list[File]] = defaultdict(list)
    notes: list[str] = []
    for path in paths:
        versions[path] = [file for file in files if _is_at(file.name, path)]
    placed = {file for found in versions.values() for file in found}
    free = [
        file
        for file in files
        if file not in placed
        and NAME.fullmatch(file.name.casefold())
        and _home(file.name) not in _course_files()
    ]
    open_to_others = any(not _is_begun(path, versions[path]) for path in paths)
    for file in free[:LOOKED_INTO]:
        called = [path for path in paths if _base(path) == _base(file.name)]
        if called or open_to_others:
            meant = _meant(file, paths, called)
            if len(meant) == 1:
                versions[meant[0]].append(file)
            elif meant:
                names = " or ".join(meant)
                notes.append(f"{file.name} may be {names}, and counts as neither: put it into its folder")
    taken = {path: _latest(path, found, notes) for path, found in versions.items() if found}
    seen = {file for found in versions.values() for file in found}
    missing = [path for path in paths if path not in taken]
    notes += [f"{path} was found as {file.name}" for path, file in taken.items() if not _is_there(file, path)]
    notes += [f"{path} is missing" for path in missing]
    unused = [file for file in files if file not in seen]
    return taken, [*notes, *_explained(assignment, unused, taken, missing)]


def definitions(content: bytes) -> dict[str, bool]:
    """The functions, classes and methods that a module defines, and which of them are more than a stub.

    What Python cannot read is searched for lines that begin a definition.
    """
    try:
        body = ast.parse(content).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return dict.fromkeys(DEFINITION.findall(content.decode("latin-1")), True)
    found: dict[str, bool] = {}
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found[node.name] = not _is_stub(node)
        if isinstance(node, ast.ClassDef):
            methods = [each for each in node.body if isinstance(each, ast.FunctionDef)]
            found |= {f"{node.name}.{method.name}": not _is_stub(method) for method in methods}
    return found


def marked_cells(content: bytes) -> dict[str, bool]:
    """The cells of a notebook that nbgrader knows, and which of them are answered."""
    found: dict[str, bool] = {}
    for cell in _cells(content):
        metadata = cell.get("metadata")
        marks = metadata.get("nbgrader") if isinstance(metadata, dict) else None
        if isinstance(marks, dict) and isinstance(name := marks.get("grade_id"), str):
            found[name] = bool(marks.get("solution")) and ANSWER_STUB not in _source(cell)
    return found


def _cells(content: bytes) -> list[dict[str, Any]]:
    try:
        cells = json.loads(content.decode("utf-8-sig"))["cells"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return []
    return [cell for cell in cells if isinstance(cell, dict)] if isinstance(cells, list) else []


def _source(cell: dict[str, Any]) -> str:
    source = cell.get("source", "")
    return "".join(map(str, source)) if isinstance(source, list) else str(source)


def _is_stub(node: ast.AST) -> bool:
    raised = [each.exc for each in ast.walk(node) if isinstance(each, ast.Raise)]
    called = [each.func if isinstance(each, ast.Call) else each for each in raised]
    return any(isinstance(each, ast.Name) and each.id == "NotImplementedError" for each in called)


def _meant(file: File, paths: list[str], called: list[str]) -> list[str]:
    """The paths that a file may be meant for; none where it has nothing to do with any."""
    kind = PurePosixPath(_plain(file.name)).suffix
    likeness = {path: _likeness(file, path) for path in paths if PurePosixPath(path).suffix == kind}
    most = max(likeness.values(), default=0.0)
    if not most:
        return called
    alike = [path for path in likeness if likeness[path] == most]
    return [path for path in alike if path in called] or alike


def _likeness(file: File, path: str) -> float:
    """What a file defines in common with what is wanted, as a share of what either defines."""
    asked = _asked(path)
    return len(asked & {*file.defined}) / len(asked | {*file.defined}) if asked else 0.0


def _written(file: File, path: str) -> int:
    """How many of the parts that students write are more than a stub."""
    return len(_exercises(path) & {name for name, done in file.defined.items() if done})


def _is_begun(path: str, versions: list[File]) -> bool:
    return any(_written(file, path) or not _exercises(path) for file in versions)


@functools.cache
def _asked(path: str) -> frozenset[str]:
    if not path.endswith((".py", ".ipynb")) or not (ROOT / path).exists():
        return frozenset()
    content = (ROOT / path).read_bytes()
    return frozenset(definitions(content) if path.endswith(".py") else marked_cells(content))


@functools.cache
def _exercises(path: str) -> frozenset[str]:
    """What of it students write."""
    if not path.endswith(".py") or not _asked(path):
        return _asked(path)
    stub = definitions(strip_solutions((ROOT / path).read_text(encoding="utf-8"), path).encode())
    return frozenset(name for name, done in stub.items() if not done)


def _latest(path: str, versions: list[File], notes: list[str]) -> File:
    """The version that counts: of the last attempt, with most written in it, nearest to its place."""
    last = max(file.attempt for file in versions)
    versions = [file for file in versions if file.attempt == last]
    versions.sort(key=lambda file: (not _is_there(file, path), file.name.count("/"), file.name))
    if len({file.content for file in versions}) == 1:
        return versions[0]
    written = {file: _written(file, path) for file in versions}
    best = max(versions, key=lambda file: written[file])
    others = ", ".join(file.name for file in versions if file is not best)
    notes.append(
        f"there are {len(versions)} versions of {path}: {best.name} counts "
        f"({written[best]} of {len(_exercises(path))} parts are written), {others} does not"
    )
    return best


def _explained(
    assignment: Assignment, unused: list[File], taken: dict[str, File], missing: list[str]
) -> Iterator[str]:
    """What may be behind missing files: functions in the notebook, another assignment, other files."""
    modules = [path for path in missing if path in assignment.editable]
    for path in assignment.notebook_paths:
        cells = _cells(taken[path].content) if path in taken else []
        code = "\n".join(_source(cell) for cell in cells if cell.get("cell_type") == "code")
        for module in modules:
            if here := sorted(_asked(module) & {*DEFINITION.findall(code)}):
                yield f"{PurePosixPath(path).name} defines {', '.join(here)}, which counts only in {module}"
    if not missing:
        return
    if len(modules) == len(assignment.editable):
        for other, names in _other_assignments(assignment.name).items():
            if theirs := [file.name for file in unused if _base(file.name) in names]:
                yield f"{_listed(theirs)}: this is what {other} asks for"
                unused = [file for file in unused if file.name not in theirs]
    yield f"not used: {_listed([file.name for file in unused])}" if unused else "no other file is there"


@functools.cache
def _other_assignments(name: str) -> dict[str, set[str]]:
    others = [read_assignment(folder) for folder in all_folders() if folder.name != name]
    return {each.short: {*map(_base, (*each.editable, *each.notebook_paths))} for each in others}


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - LISTED:,} more" if len(names) > LISTED else ""
    return ", ".join(names[:LISTED]) + more


@functools.cache
def _course_files() -> frozenset[str]:
    """Modules of the course: a file at the place of one is not another one in disguise."""
    return frozenset(path.relative_to(ROOT).as_posix() for path in (ROOT / "exercise_code").rglob("*.py"))


def _home(name: str) -> str:
    """Where a file lies in the course's folder, if it does."""
    return "".join(_plain(name).rpartition("exercise_code/")[1:])


def _plain(name: str) -> str:
    """The name in small letters, without what browsers and platforms add to it."""
    folder, slash, base = name.casefold().rpartition("/")
    match = NAME.fullmatch(base)
    return folder + slash + (match["stem"] + match["ending"] if match else base)


def _base(name: str) -> str:
    return PurePosixPath(_plain(name)).name


def _is_at(name: str, path: str) -> bool:
    """Whether a file lies where it should, in whatever folder the whole lies."""
    return f"/{_plain(name)}".endswith(f"/{_plain(path)}")


def _is_there(file: File, path: str) -> bool:
    """Whether a file is called as it should be, as far as platforms let a student choose."""
    return f"/{file.name}".endswith(f"/{path}") or file.name == PurePosixPath(path).name
