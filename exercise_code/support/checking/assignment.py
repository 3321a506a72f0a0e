"""An assignment's folder: its settings, its checks, and on the instructor's side its mistakes."""

import functools
import importlib.util
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from exercise_code.support.checking.declare import Check, DeclarationError, Mistake
from exercise_code.support.paths import ASSIGNMENTS

MAX_BYTES, MAX_SOURCE = 5 * 2**20, 2**18
"""Of a notebook and of a module, whose syntax tree takes up to two thousand times as much memory."""


class AssignmentError(Exception):
    """An assignment is not there or not as it should be; the message says what to do."""


@dataclass(frozen=True)
class Limits:
    """What one submission may use: seconds for a check and for all of them, MiB of memory."""

    seconds_per_check: float = 10.0
    seconds_per_submission: float = 120.0
    memory_mb: int = 2048


@dataclass(frozen=True)
class Assignment:
    """The content of `assignment.toml`.

    `given` are files that students need and do not write, `models` what they may hand in from the folder
    `models`, with the largest size in MiB; `gpu` asks a cluster for workers with the resource GPU.
    """

    folder: Path
    title: str
    notebook: str
    editable: list[str]
    given: list[str] = field(default_factory=list)
    datasets: list[str] = field(default_factory=list)
    models: dict[str, float] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    questions: dict[str, float] = field(default_factory=dict)
    gpu: bool = False

    @property
    def name(self) -> str:
        """The folder's name: `a01_knn`."""
        return self.folder.name

    @property
    def notebook_path(self) -> str:
        """The notebook as a path below the project's root."""
        return f"assignments/{self.name}/{self.notebook}"

    @property
    def largest(self) -> dict[str, int]:
        """What may be handed in beside the notebook, by path, with the largest size in bytes."""
        files = dict.fromkeys(self.editable, MAX_SOURCE)
        return files | {f"models/{name}": int(size * 2**20) for name, size in self.models.items()}

    @property
    def answers_path(self) -> Path:
        """Where the answers for one seed lie in a student's copy."""
        return self.folder / "answers.safetensors"

    @functools.cached_property
    def checks(self) -> list[Check]:
        """The checks in their order in `checks.py`."""
        try:
            declared = vars(_load(self.folder / "checks.py")).values()
        except DeclarationError as error:
            raise AssignmentError(f"{self.name}/checks.py: {error}") from None
        found = [value for value in declared if isinstance(value, Check)]
        ids = [check.id for check in found]
        if len(set(ids)) < len(ids):
            raise AssignmentError(
                f"{self.name}/checks.py declares {max(ids, key=ids.count)} twice: name one of them"
            )
        return found

    @functools.cached_property
    def mistakes(self) -> list[Mistake]:
        """The mistakes in their order in `mistakes.py`; none in a student's copy."""
        path = self.folder / "mistakes.py"
        if not path.exists():
            return []
        return [value for value in vars(_load(path)).values() if isinstance(value, Mistake)]

    @property
    def make_models(self) -> Callable[[Path], None] | None:
        """Trains the reference's models into a folder; None where nothing is to be saved."""
        path = self.folder / "models.py"
        return _load(path).make_models if self.models and path.exists() else None

    @property
    def experiment(self) -> Callable[[str], float] | None:
        """From a data set to the accuracy of the functions as they are; none in a student's copy."""
        path = self.folder / "experiment.py"
        return _load(path).accuracy if path.exists() else None

    @property
    def max_points(self) -> float:
        """Points of all checks."""
        return sum(check.points for check in self.checks)


def find_assignment(name: str, assignments: Path = ASSIGNMENTS) -> Assignment:
    """The assignment of that name, or that a short name (`a01`) stands for.

    Raises:
        AssignmentError: there is none, or its `assignment.toml` is wrong.
    """
    folders = all_folders(assignments)
    found = [folder for folder in folders if folder.name == name or folder.name.startswith(f"{name}_")]
    if len(found) != 1:
        there = ", ".join(folder.name for folder in folders) or "none"
        raise AssignmentError(f"there is no assignment {name!r}; there are: {there}")
    return read_assignment(found[0])


def all_folders(assignments: Path = ASSIGNMENTS) -> list[Path]:
    """The folders that hold an assignment, in course order."""
    return sorted(path.parent for path in assignments.glob("*/assignment.toml"))


def read_assignment(folder: Path) -> Assignment:
    """Read `assignment.toml` in a folder.

    Raises:
        AssignmentError: it cannot be read, or a key is missing or unknown.
    """
    path = folder / "assignment.toml"
    try:
        content: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        limits = Limits(**content.pop("limits", {}))
        return Assignment(folder=folder, limits=limits, **content)
    except (OSError, tomllib.TOMLDecodeError, TypeError) as error:
        reason = str(error).replace("Assignment.__init__() ", "")
        raise AssignmentError(f"{folder.name}/assignment.toml: {reason}") from None


def _load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"{path.parent.name}_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
