"""An assignment's folder: its settings and checks, and on the instructor's side mistakes and variants."""

import difflib
import functools
import importlib
import itertools
import sys
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from exercise_code.support.checking.declare import Check, DeclarationError, Mistake, StandIn, Variant
from exercise_code.support.paths import ASSIGNMENTS, ROOT

MAX_BYTES, MAX_SOURCE = 20 * 2**20, 2**18
"""Of a notebook and of a module, whose syntax tree takes up to two thousand times as much memory."""

Declared = TypeVar("Declared", Check, Mistake, Variant, StandIn)

_numbers = itertools.count()


class AssignmentError(Exception):
    """An assignment is not there or not as it should be; the message says what to do."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


@dataclass(frozen=True)
class Limits:
    """What one submission may use: seconds for a check and for all of them, MiB of memory."""

    seconds_per_check: float = 10.0
    seconds_per_submission: float = 120.0
    memory_mb: int = 2048


@dataclass(frozen=True)
class Assignment:
    """The content of `assignment.toml`.

    Attributes:
        folder: where it lies.
        title: the topic in a few words.
        notebooks: the narrative, in the order in which it is read.
        modules: what students write, as dotted names below `exercise_code`, in the order of the notebooks.
        builds_on: short names of earlier assignments whose exercises this one uses.
        requires: packages that students need beside those of requirements.txt, as pip writes them.
        datasets: data sets that the notebooks load.
        models: what may be handed in from the folder `models`, with the largest size in MiB.
        limits: what one submission may use.
        questions: points of the written questions, by the id of their cell.
        gpu: asks a cluster for workers with the resource GPU.
        draft: it is being written: released and tested with the others only where it is named.
    """

    folder: Path
    title: str
    notebooks: list[str]
    modules: list[str]
    builds_on: list[str] = field(default_factory=list)
    requires: list[str] = field(default_factory=list)
    datasets: list[str] = field(default_factory=list)
    models: dict[str, float] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    questions: dict[str, float] = field(default_factory=dict)
    gpu: bool = False
    draft: bool = False

    @property
    def name(self) -> str:
        """The folder's name: `a01_knn`."""
        return self.folder.name

    @property
    def short(self) -> str:
        """What people call it: `a01`."""
        return self.name.partition("_")[0]

    @property
    def notebook_paths(self) -> list[str]:
        """The notebooks as paths below the project's root."""
        return [f"assignments/{self.name}/{notebook}" for notebook in self.notebooks]

    @property
    def editable(self) -> list[str]:
        """The files that students write, as paths below the project's root."""
        return [f"exercise_code/{module.replace('.', '/')}.py" for module in self.modules]

    @property
    def given(self) -> list[str]:
        """What else lies in the packages of these files: students need it and do not write it."""
        packages = dict.fromkeys(module.partition(".")[0] for module in self.modules if "." in module)
        files = [path for name in packages for path in sorted((ROOT / "exercise_code" / name).rglob("*.py"))]
        names = [path.relative_to(ROOT).as_posix() for path in files]
        others = [read_assignment(folder) for folder in all_folders(self.folder.parent)]
        written = {name for assignment in (self, *others) for name in assignment.editable}
        return [name for name in names if name not in written]

    @property
    def largest(self) -> dict[str, int]:
        """What may be handed in beside the notebooks, by path, with the largest size in bytes."""
        files = dict.fromkeys(self.editable, MAX_SOURCE)
        return files | {f"models/{name}": int(size * 2**20) for name, size in self.models.items()}

    @property
    def answers_path(self) -> Path:
        """Where the answers for one seed lie in a student's copy."""
        return self.folder / "answers.safetensors.gz"

    @functools.cached_property
    def checks(self) -> list[Check]:
        """The checks, in the order of the modules and within each as they are declared."""
        try:
            found = self._declared("checks", Check)
        except DeclarationError as error:
            raise AssignmentError(f"the checks of {self.name}: {error}") from None
        ids = [check.id for check in found]
        if len(set(ids)) < len(ids):
            raise AssignmentError(
                f"the checks of {self.name} declare {max(ids, key=ids.count)} twice: name one of them"
            )
        return found

    @functools.cached_property
    def mistakes(self) -> list[Mistake]:
        """The known mistakes; none in a student's copy."""
        return self._declared("mistakes", Mistake)

    @functools.cached_property
    def variants(self) -> list[Variant]:
        """Right solutions that are written otherwise; none in a student's copy."""
        return self._declared("variants", Variant)

    @functools.cached_property
    def stand_ins(self) -> list[StandIn]:
        """What later assignments run on where a student's own function is not right."""
        return self._declared("stand_ins", StandIn)

    @functools.cached_property
    def earlier(self) -> list["Assignment"]:
        """The assignments that this one builds on, and those that they build on, in the order of the course.

        Raises:
            AssignmentError: one of them is not there or does not come before.
        """
        found: dict[str, Assignment] = {}
        for name in self.builds_on:
            each = find_assignment(name, self.folder.parent)
            if each.name >= self.name:
                raise AssignmentError(
                    f"{self.name} cannot build on {each.name}, which does not come before it"
                )
            found |= {other.name: other for other in (*each.earlier, each)}
        return [found[name] for name in sorted(found)]

    @property
    def make_models(self) -> Callable[[Path], None] | None:
        """Trains the reference's models into a folder; None where nothing is to be saved."""
        there = self.models and (self.folder / "evidence" / "models.py").exists()
        return self._load("evidence.models").make_models if there else None

    @property
    def experiment(self) -> Callable[[str], float] | None:
        """From a data set to the accuracy of the functions as they are; none in a student's copy."""
        there = (self.folder / "evidence" / "experiment.py").exists()
        return self._load("evidence.experiment").accuracy if there else None

    @property
    def experiment_images(self) -> int:
        """On how many images the experiment says an accuracy; 0 where that is not known."""
        return getattr(self._load("evidence.experiment"), "NUM_IMAGES", 0) if self.experiment else 0

    @property
    def max_points(self) -> float:
        """Points of all checks."""
        return sum(check.points for check in self.checks)

    @functools.cached_property
    def _package(self) -> str:
        """A package of its own for each object, so that two copies of an assignment never share a module."""
        package = ModuleType(f"_assignment_{next(_numbers)}_{self.short}")
        package.__path__ = [str(self.folder)]
        sys.modules[package.__name__] = package
        return package.__name__

    def _load(self, module: str) -> ModuleType:
        importlib.invalidate_caches()
        return importlib.import_module(f"{self._package}.{module}")

    def files(self, kind: str) -> list[Path]:
        """The Python files of a kind of declarations (`checks`): one, or those of its folder."""
        single = (self.folder / kind).with_suffix(".py")
        return [single] if single.exists() else sorted((self.folder / kind).glob("*.py"))

    def _declared(self, kind: str, declared: type[Declared]) -> list[Declared]:
        """What `checks.py`, or each file of `checks/` in the order of the modules, declares."""
        folder = self.folder / kind
        if folder.with_suffix(".py").exists():
            names = [kind]
        else:
            stems = [module.rpartition(".")[2] for module in self.modules]
            names = [f"{kind}.{stem}" for stem in stems if (folder / f"{stem}.py").exists()]
        loaded = [self._load(name) for name in names]
        return [
            value
            for module in loaded
            for value in vars(module).values()
            if isinstance(value, declared) and value.function.__module__ == module.__name__
        ]


def find_assignment(name: str, assignments: Path = ASSIGNMENTS) -> Assignment:
    """The assignment of that name, or that a short name (`a01`) stands for.

    Raises:
        AssignmentError: there is none, or its `assignment.toml` is wrong.
    """
    folders = all_folders(assignments)
    found = [folder for folder in folders if folder.name == name or folder.name.startswith(f"{name}_")]
    if len(found) != 1:
        there = ", ".join(folder.name for folder in folders) or "none"
        meant = meant_by(name, [folder.name.partition("_")[0] for folder in folders])
        raise AssignmentError(f"there is no assignment {name!r}; there are: {there}{meant}")
    return read_assignment(found[0])


def meant_by(name: str, known: Iterable[str]) -> str:
    """The end of a sentence on a name that is not known: what it may have been meant to be."""
    close = difflib.get_close_matches(name.casefold(), known, n=1)
    return f": did you mean {close[0]!r}?" if close else ""


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
