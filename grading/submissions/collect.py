"""Find submissions: in folders and archives, or in what a course platform lets one download."""

import functools
import re
import subprocess
import zipfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from os.path import commonprefix
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from exercise_code.support.checking.assignment import Assignment
from grading.course import CourseError
from grading.scratch import scratch_folder
from grading.submissions.archives import DAMAGE, ENDINGS, opened, refuse_many_names
from grading.submissions.meant import File, choose, wanted
from grading.submissions.records import Submission
from grading.submissions.roster import ANY, Roster, printable, usable_id

MAX_CLASS = 32 * 2**30
"""Bytes of a whole class."""
STRANGER = "is not in the roster"
BEGINNING = datetime.min.replace(tzinfo=UTC)
CANVAS = re.compile(
    r"(?:(?P<name>.+?)_(?:LATE_)?(?P<user>\d+)|(?:LATE_)?anon_(?:LATE_)?(?P<anonym>\w{5}))"
    r"_(?P<number>\d+)_(?P<file>.+)"
)
MOODLE = re.compile(r"(?P<name>.+)_(?P<user>\d+)_assignsubmission_file_?(?P<file>.*)")


@dataclass
class Found:
    """Where one student's submission lies, and what the platform says of it."""

    id: str
    paths: list[Path]
    called: list[str] = field(default_factory=list)
    name: str = ""
    submitted: datetime | None = None
    notes: list[str] = field(default_factory=list)
    group: str = ""


@dataclass
class Collection:
    """The submissions of a class: nothing is read before its turn comes.

    `missing` are students of the roster who handed in nothing; `unknown` handed in and are not in it.
    `left_out` lies beside the submissions, and is not as that kind of collection has them.
    """

    kind: str
    found: list[Found]
    missing: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    unpacked: ExitStack | None = None
    """Where a class lies that was given as an archive."""

    def submissions(self, assignment: Assignment) -> Iterator[Submission]:
        """Read one after another."""
        for found in self.found:
            yield _read(found, assignment)

    def split(self, id: str) -> tuple["Collection", list[str]]:
        """The submission of one student alone, and the ids of the others.

        Raises:
            CourseError: that student has handed in nothing.
        """
        chosen = [found for found in self.found if found.id == id]
        if not chosen:
            raise CourseError(f"there is no submission of {id!r}: name a student as results.csv does")
        return replace(self, found=chosen), [found.id for found in self.found if found.id != id]


def collect(
    folder: Path, assignment: Assignment, roster: Roster | None = None, kind: str | None = None
) -> Collection:
    """Find the submissions in a folder, or a zip archive of one.

    Args:
        folder: holds a folder or an archive for each student, or what a platform let you download.
        assignment: what was asked.
        roster: who is who; without it, students are called as their folders are.
        kind: one of `KINDS`; recognised if not given.

    Raises:
        CourseError: the folder is missing, holds no submission of that kind, or holds a class one level down.
    """
    if zipfile.is_zipfile(folder):
        unpacked = ExitStack()
        place = _class_in(_unpacked(folder, unpacked.enter_context(scratch_folder()) / "class"))
        return replace(collect(place, assignment, roster, kind), unpacked=unpacked)
    if not folder.is_dir():
        raise CourseError(
            f"{folder} is no folder and no zip: give what holds one folder or zip for each student"
        )
    if kind is not None and kind not in KINDS:
        raise CourseError(f"there is no kind of collection {kind!r}: choose from {', '.join(KINDS)}")
    if kind is None:
        _refuse_level_above(folder, assignment)
    for name in [kind] if kind else KINDS:
        if found := KINDS[name](folder, assignment):
            left_out = _left_out(folder, found) if name != "nbgrader" else []
            if kind or name != "github" or not left_out:  # else folders, of which one is a repository
                return _named(name, found, roster, [*map(printable, left_out)])
    raise CourseError(
        f"{folder} holds no submission: it should hold one folder or zip for each student"
        + (f", as {kind} gives them" if kind else "")
    )


def read_submission(path: Path, id: str, assignment: Assignment) -> Submission:
    """Take the editable files and the notebook from a folder or an archive, wherever they lie in it."""
    return _read(Found(id, [path]), assignment)


def _unpacked(archive: Path, place: Path) -> Path:
    """A class's archive, unpacked into a folder.

    Raises:
        CourseError: it cannot be read, or is larger than any class.
    """
    place.mkdir()
    try:
        with archive.open("rb") as file:
            refuse_many_names(file)
        with zipfile.ZipFile(archive) as packed:
            if sum(info.file_size for info in packed.infolist()) > MAX_CLASS:
                raise ValueError(f"it unpacks to more than {MAX_CLASS // 2**30} GiB: unpack it yourself")
            packed.extractall(place)
    except DAMAGE as error:
        raise CourseError(f"{archive} cannot be read: {error}") from None
    return place


def _class_in(place: Path) -> Path:
    """The folder that a platform's archive consists of, if it consists of one."""
    inside = [path for path in place.iterdir() if not path.name.startswith((".", "__"))]
    return inside[0] if len(inside) == 1 and inside[0].is_dir() else place


def _refuse_level_above(folder: Path, assignment: Assignment) -> None:
    """A class in a folder of its own, as unpacking may leave it, is not one student.

    Raises:
        CourseError: all that is there is one folder, in which several hold work.
    """
    only = [path for path in folder.iterdir() if _is_submission(path)]
    if len(only) != 1 or not only[0].is_dir():
        return
    within = only[0]
    if kind := next((name for name in KINDS if name != "folders" and KINDS[name](within, assignment)), ""):
        raise CourseError(f"{within} is what {kind} gives: grade that folder, not the one around it")
    modules = {PurePosixPath(path).name for path in assignment.editable}
    students = [
        path.name
        for path in sorted(within.iterdir())
        if _is_submission(path)
        and (path.is_file() or any(file.name in modules for file in path.rglob("*.py")))
    ]
    if len(students) > 1:
        raise CourseError(
            f"{within} holds the work of several: {', '.join(students[:5])}{' …' if students[5:] else ''}. "
            f"If they are students, grade {within}; if {within.name} is one student, add --from folders"
        )


def _left_out(folder: Path, found: list[Found]) -> list[str]:
    taken = {path.relative_to(folder).parts[0] for each in found for path in each.paths}
    return sorted(path.name for path in folder.iterdir() if _is_submission(path) and path.name not in taken)


def _named(kind: str, found: list[Found], roster: Roster | None, left_out: list[str]) -> Collection:
    """Give each submission its students; of two by the same student or group the later one counts."""
    collection = Collection(kind, [], left_out=left_out)
    by_id: dict[str, Found] = {}
    for each in (own for one in found for own in _for_owners(one, kind, roster)):
        if any(note.startswith(STRANGER) for note in each.notes):
            collection.unknown.append(each.id)
        other = by_id.get(each.id)
        if other is None or other.paths == each.paths:
            by_id[each.id] = each
            continue
        earlier, later = sorted([other, each], key=lambda one: one.submitted or BEGINNING)
        names = later.paths[0].name, earlier.paths[0].name
        later.notes.append("was handed in twice: {} counts, {} does not".format(*names))
        by_id[each.id] = later
    collection.found = [*by_id.values()]
    if roster:
        collection.missing = [student.id for student in roster.students if student.id not in by_id]
    return collection


def _for_owners(found: Found, kind: str, roster: Roster | None) -> list[Found]:
    """The submission as each of those has handed it in whose it is."""
    owners = roster.owners(*found.called, found.id, column=COLUMNS.get(kind, ANY)) if roster else []
    if not owners:
        notes = [STRANGER] if roster else []
        if roster and (alike := [student.id for student in roster.alike(*found.called, found.id)]):
            notes = [
                f"{STRANGER}, where this number may be {' or '.join(alike)}: write it as the roster has it"
            ]
        id, name = usable_id(found.id), printable(found.name)
        return [replace(found, id=id, name=name, notes=[*found.notes, *notes])]
    name = found.name if len(owners) == 1 else ""
    return [
        replace(
            found,
            id=student.id,
            name=printable(student.name or name),
            notes=[*found.notes],
            group=student.called("group") or found.group,
        )
        for student in owners
    ]


def _folders(folder: Path, assignment: Assignment) -> list[Found]:
    paths = [path for path in sorted(folder.iterdir()) if _is_submission(path)]
    names = Counter(_stem(path) for path in paths)
    return [Found(_stem(path) if names[_stem(path)] == 1 else path.name, [path]) for path in paths]


def _nbgrader(folder: Path, assignment: Assignment) -> list[Found]:
    found = []
    for path in sorted(folder.glob(f"*/{assignment.name}")):
        if path.parent.name == "assignments":  # of a student's copy of the course
            continue
        stamp = path / "timestamp.txt"
        text = stamp.read_text("utf-8", errors="replace").strip() if stamp.is_file() else ""
        submitted, notes = _told(stamp.name, text)
        found.append(Found(path.parent.name, [path], submitted=submitted, notes=notes))
    return found


def _canvas(folder: Path, assignment: Assignment) -> list[Found]:
    """`lastfirst_LATE_userid_number_file`: a student may have several files, of each the latest counts."""
    found: dict[str, Found] = {}
    users: dict[str, set[str]] = defaultdict(set)
    matches = [(path, CANVAS.fullmatch(path.name)) for path in sorted(folder.iterdir()) if path.is_file()]
    for path, match in sorted(
        ((path, match) for path, match in matches if match), key=lambda pair: int(pair[1]["number"])
    ):
        user, name = match["user"] or match["anonym"], match["name"] or f"anon_{match['anonym']}"
        one = found.setdefault(user, Found(name, [], [user, name]))
        one.paths.append(path)
        users[name].add(user)
        if "LATE_" in path.name[: match.start("number")] and not one.notes:
            one.notes.append("Canvas calls it late")
    for user, one in found.items():
        if len(users[one.id]) > 1:  # different people of one name
            one.id = f"{one.id}-{user}"
            one.called = [user]
    return [*found.values()]


def _moodle(folder: Path, assignment: Assignment) -> list[Found]:
    """`First Last_number_assignsubmission_file`: a folder of files, or files with their names behind it."""
    found: dict[str, Found] = {}
    for path in sorted(folder.iterdir()):
        if match := MOODLE.fullmatch(path.name):
            user, name = match["user"], match["name"]
            found.setdefault(user, Found(user, [], [user, name], name)).paths.append(path)
    return [*found.values()]


class _PlainLoader(yaml.SafeLoader):  # type: ignore[misc]  # yaml has no types
    """Reads what has a tag of Ruby's as if it had none."""

    def plain(self, node: yaml.Node) -> Any:
        """The mapping, the list or the text."""
        if isinstance(node, yaml.MappingNode):
            return self.construct_mapping(node, deep=True)
        if isinstance(node, yaml.SequenceNode):
            return self.construct_sequence(node, deep=True)
        return node.value


_PlainLoader.add_constructor(None, _PlainLoader.plain)


def _gradescope(folder: Path, assignment: Assignment) -> list[Found]:
    listing = folder / "submission_metadata.yml"
    if not listing.is_file():
        return []
    try:
        entries = yaml.load(listing.read_text(encoding="utf-8"), _PlainLoader) or {}
        found = []
        for name, entry in entries.items():
            created = entry.get(":created_at", "")
            created = created.get("utc", created) if isinstance(created, dict) else created  # of Rails
            moment, notes = _told(listing.name, str(created))
            for person in entry[":submitters"]:  # each of a group
                called = [str(person.get(key) or "") for key in (":sid", ":email", ":name")]
                id = next(filter(None, called), name)
                group = name if len(entry[":submitters"]) > 1 else ""
                found.append(Found(id, [folder / name], called, called[2], moment, notes, group))
    except (yaml.YAMLError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise CourseError(f"{listing} is not as Gradescope writes it: {error}") from None
    return found


def _github(folder: Path, assignment: Assignment) -> list[Found]:
    """Clones side by side, called by the student or `assignment-student`; the last commit's time counts.

    What all begin with, up to a dash, is the assignment too: `hw1-ada` and `hw1-grace`.
    """
    paths = [path for path in sorted(folder.iterdir()) if (path / ".git").exists()]
    called = assignment.name.replace("_", "[-_]")  # names on GitHub have no underscore
    shared = commonprefix([path.name for path in paths]) if len(paths) > 1 else ""  # noqa: RUF071
    shared = shared[: max(map(shared.rfind, "-_")) + 1]
    start = re.compile(rf"^(?:(?:{called}|{assignment.short})[-_]|{re.escape(shared)})")
    return [
        Found(start.sub("", path.name), [path], [path.name], submitted=_committed(path)) for path in paths
    ]


KINDS: dict[str, Callable[[Path, Assignment], list[Found]]] = {
    "gradescope": _gradescope,
    "canvas": _canvas,
    "moodle": _moodle,
    "github": _github,
    "nbgrader": _nbgrader,
    "folders": _folders,
}
"""How to find submissions, in the order in which a folder is tried."""

COLUMNS = {"canvas": "canvas_id", "moodle": "moodle_id", "github": "github"}
"""Where the roster says what a platform calls a student."""


def _committed(repository: Path) -> datetime | None:
    """The time of the last commit.

    The settings of a student's repository may name programs: `git log` would run one for a signed commit, and
    whatever has to fetch what is missing would run another.
    """
    last = ["rev-list", "-1", "--no-commit-header", "--format=%cI", "HEAD"]
    command = ["git", "-c", "safe.directory=*", "-C", str(repository), *last]
    environment = {"PATH": "/usr/bin:/bin", "GIT_ALLOW_PROTOCOL": "none"}
    return _moment(subprocess.run(command, capture_output=True, text=True, env=environment).stdout)


def _is_submission(path: Path) -> bool:
    if path.name.startswith((".", "__")) or path.is_symlink():
        return False
    return path.is_dir() or (path.is_file() and path.name.lower().endswith(ENDINGS))


def _stem(path: Path) -> str:
    ending = next((e for e in sorted(ENDINGS, key=len, reverse=True) if path.name.lower().endswith(e)), "")
    return path.name[: len(path.name) - len(ending)] if ending and path.is_file() else path.name


def _told(place: str, text: str) -> tuple[datetime | None, list[str]]:
    """The time that a file tells of, and a note where it tells something else."""
    moment = _moment(text)
    note = f"{place} says {text[:60]!r}, in which no time is known: it counts as in time"
    return moment, [note] if text and not moment else []


def _moment(text: str) -> datetime | None:
    """A time as platforms write it; without a zone it is UTC."""
    try:
        moment = datetime.fromisoformat(text.strip().replace(" UTC", "+00:00"))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _read(found: Found, assignment: Assignment) -> Submission:
    """Take what is meant; archives within are opened only where something is missing."""
    submission = _look(found, assignment, inner=False)
    complete = len(submission.files) == len(wanted(assignment))
    return submission if complete else _look(found, assignment, inner=True)


def _look(found: Found, assignment: Assignment, *, inner: bool) -> Submission:
    submission = Submission(found.id, {}, [*found.notes], found.name, found.submitted, found.group)
    with ExitStack() as stack:
        files: list[File] = []
        for attempt, path in enumerate(found.paths):
            if path.is_file() and not path.name.lower().endswith(ENDINGS):
                files.append(_single(path, attempt))
                continue
            contents = stack.enter_context(opened(path, inner=inner))
            submission.notes += contents.notes
            files += [
                File(name, size, functools.partial(contents.read, name), attempt)
                for name, size in contents.sizes.items()
            ]
        taken, notes = choose(assignment, files)
        submission.notes += notes
        for place, file in taken.items():
            _keep(submission, place, file, wanted(assignment)[place])
    return submission


def _single(path: Path, attempt: int) -> File:
    """A file that was handed in by itself; platforms put numbers before and behind its name."""
    match = MOODLE.fullmatch(path.name) or CANVAS.fullmatch(path.name)

    def read(limit: int) -> bytes:
        with path.open("rb") as file:
            return file.read(limit + 1)

    name = re.sub(r"-\d+(?=\.\w+$)", "", match["file"]) if match else path.name
    return File(name, path.stat().st_size, read, attempt)


def _keep(submission: Submission, wanted: str, file: File, limit: int) -> None:
    try:
        content = file.read(limit) if file.size <= limit else b""
    except DAMAGE as error:
        submission.notes.append(f"{file.name} cannot be read: {str(error) or type(error).__name__}")
        return
    if file.size > limit or len(content) > limit:
        submission.notes.append(f"{file.name} is larger than {limit / 2**20:g} MiB and was left out")
        return
    if wanted.endswith(".py") and content.startswith((b"\xff\xfe", b"\xfe\xff")):
        submission.notes.append(f"{file.name} is UTF-16, which Python cannot read: save it as UTF-8")
    submission.files[wanted] = content
