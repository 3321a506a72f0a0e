"""Which assignments have changed since everything about them was tested, and how deeply each is tested now.

`evidence/verified.toml` of an assignment is its stamp: three hashes, and what was passed with the files they
stand for. An assignment without a stamp has never been tested in full, as the end of each run says. The first
hash is of what is the assignment's own: where it differs, every run tests the assignment in full, and one
test fails until the stamp is written anew (`make verify`) and committed. The second is of the engine, which
belongs to all: where it alone differs, two assignments are tested in full in place of all, the first and the
largest, and the end of the run names those whose stamp is of an older engine. The third is of the rest that
notebooks use: where it alone differs, notebooks are run again, and `make verify` takes no longer than that.

Where all three fit, a test that would do again what the stamp stands for is left out (`vouched`), but for the
first assignment, which tells when the machine itself no longer gives the same: what a run costs grows little
with the course.
"""

import datetime
import json
import tomllib
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path

import torch

from exercise_code.support.checking.assignment import Assignment, find_assignment
from exercise_code.support.paths import ROOT

DEPTHS = ("kept", "touch", "full", "all")
"""`kept` leaves out what the stamp vouches for; `touch` does each kind of test, with few seeds."""
SEEDS = {"kept": 1, "touch": 5, "full": 200, "all": 200}
"""With which the reference and its variants must pass."""
MISTAKE_SEEDS = {"kept": 1, "touch": 1, "full": 3, "all": 50}
"""With which each mistake must be caught."""
CHEAP_SEEDS = {"kept": 1, "touch": 1, "full": 5, "all": 20}
"""With which what takes no understanding must earn nothing."""
MUTANTS = {"kept": 1, "touch": 1, "full": 4, "all": None}
"""Of each exercise; None stands for all."""

SUPPORT = "exercise_code/support"
ENGINE = ("checking", "devices", "data")
"""What of `exercise_code/support` decides on a check. Released versions of torch and numpy count as well."""
SHOWS = (
    "__init__",
    "as_they_come",
    "headings",
    "reloading",
    "render",
    "student_check",
    "task",
    "tensor_pictures",
)
"""Of `checking`: they show verdicts where a student works, and none is theirs. They count with the rest."""
APART = {"tests", "__pycache__", "verified.toml", "thresholds.json", "answers.safetensors.gz"}
"""What no check depends on; tests of the solutions run in every run."""


def depths(assignments: list[Assignment], named: Iterable[str] = ()) -> dict[str, str]:
    """How deeply each assignment is to be tested if nobody says so.

    Args:
        assignments: the course.
        named: those that somebody asks for, who wants to see them tested.
    """
    engine, rest = engine_hash(), rest_hash()
    ready = [assignment for assignment in assignments if not assignment.draft]
    representative = {ready[0].name, max(ready, key=lambda a: len(a.checks)).name}
    found = {}
    for assignment in assignments:
        stamp, apart = read_stamp(assignment), assignment.name in representative
        of_engine = stamp.get("engine") != engine
        if stamp and (stamp.get("own") != own_hash(assignment) or (of_engine and apart)):
            found[assignment.name] = "full"
        elif of_engine or stamp.get("rest") != rest or assignment.name in {ready[0].name, *named}:
            found[assignment.name] = "touch"
        else:
            found[assignment.name] = "kept"
    return found


def is_verified(assignment: Assignment) -> bool:
    """Whether the stamp fits what the assignment is now, and the engine."""
    stamp = read_stamp(assignment)
    return (stamp.get("own"), stamp.get("engine")) == (own_hash(assignment), engine_hash())


def due(assignment: Assignment) -> str | None:
    """How deeply an assignment must be tested for a stamp that fits; None if it has one."""
    if not is_verified(assignment):
        return "full"
    return None if read_stamp(assignment).get("rest") == rest_hash() else "touch"


def stamp_path(assignment: Assignment) -> Path:
    """Where an assignment's stamp lies."""
    return assignment.folder / "evidence" / "verified.toml"


def read_stamp(assignment: Assignment) -> dict[str, object]:
    """An assignment's stamp; empty where there is none."""
    path = stamp_path(assignment)
    return tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def write_stamp(assignment: Assignment, depth: str, tests: int) -> None:
    """Say that all tests of an assignment have passed; those of little depth say so of the rest alone."""
    mutants = "all" if MUTANTS[depth] is None else MUTANTS[depth]
    content = {
        "own": own_hash(assignment),
        "engine": engine_hash(),
        "rest": rest_hash(),
        "date": datetime.date.today().isoformat(),
        "torch": torch.__version__,
        "tests": tests,
        "seeds": SEEDS[depth],
        "mistakes": len(assignment.mistakes),
        "mutants_of_each_exercise": mutants,
    }
    if depth == "touch":
        content = {**content, **read_stamp(assignment), "rest": rest_hash()}
    lines = [f"{key} = {json.dumps(value)}\n" for key, value in content.items()]
    stamp_path(assignment).parent.mkdir(exist_ok=True)
    stamp_path(assignment).write_text("# Written by `make verify`.\n" + "".join(lines), encoding="utf-8")


def own_hash(assignment: Assignment) -> str:
    """Of all that an assignment's checks depend on but the engine; words of a notebook are no part of it."""
    return _hash([*_folder(assignment), *_code(assignment)])


def engine_hash() -> str:
    """Of what all assignments depend on."""
    return _hash([*_engine(), ROOT / "requirements.txt"])


def rest_hash() -> str:
    """Of what notebooks use besides: cards, figures, where they start."""
    return _hash({*(ROOT / SUPPORT).rglob("*.py")} - _engine())


def _engine() -> set[Path]:
    shown = {ROOT / SUPPORT / "checking" / f"{name}.py" for name in SHOWS}
    return {path for name in ENGINE for path in (ROOT / SUPPORT / name).rglob("*.py")} - shown


def _folder(assignment: Assignment) -> Iterator[Path]:
    for path in assignment.folder.rglob("*"):
        inside = path.relative_to(assignment.folder)
        apart = path.suffix == ".md" or any(part in APART or part[0] == "." for part in inside.parts)
        if path.is_file() and not apart:
            yield path


def _code(assignment: Assignment) -> Iterator[Path]:
    """The modules of an assignment and, with what stands in for them, of those that it builds on."""
    yield from (ROOT / name for name in (*assignment.editable, *assignment.given))
    for name in assignment.builds_on:
        earlier = find_assignment(name)
        yield from earlier.files("stand_ins")
        yield from _code(earlier)


def _hash(paths: Iterable[Path]) -> str:
    digest = sha256()
    for path in sorted({*paths}):
        content = _code_cells(path) if path.suffix == ".ipynb" else path.read_bytes()
        digest.update(f"{path.relative_to(ROOT).as_posix()} {len(content)}\n".encode() + content)
    return digest.hexdigest()


def _code_cells(path: Path) -> bytes:
    cells = json.loads(path.read_bytes())["cells"]
    return "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code").encode()
