"""Import edited modules anew, so that a saved file counts at once and only as it is."""

import ast
import contextlib
import importlib.util
import linecache
import sys
from collections.abc import Iterable
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any, cast

from exercise_code.support.checking import run_check
from exercise_code.support.checking.assignment import Limits
from exercise_code.support.checking.replace import lifted
from exercise_code.support.checking.time_limit import TooSlow, at_most

Namespace = dict[str, Any]
Stamp = tuple[int, int]

GIVEN = "support"
SLOWEST = Limits.seconds_per_check
LASTING = ("__name__", "__package__", "__path__", "__file__", "__spec__", "__loader__", "__cached__")
"""What a module keeps when it is imported anew; everything else is what its file makes."""


class Reloader:
    """Holds the imported modules of a package to their files.

    Attributes:
        faults: for each module that can no longer be imported, and each that imports it, what is wrong.
    """

    def __init__(self, folder: Path) -> None:
        """Take what has been imported so far as what the files say.

        Args:
            folder: of the package, whose name it has.
        """
        self.faults: dict[str, str] = {}
        self._folder = folder
        self._seen = self._stamps()

    def refresh(self, *namespaces: Namespace) -> None:
        """Import anew what has changed since the last time, and the modules of the package that import it.

        A module stays the same object. One that cannot be imported any more keeps what it held, is noted in
        `faults`, and is tried again each time. Stand-ins that are kept in place are so afterwards.

        Args:
            namespaces: where functions and classes of these modules are replaced by the new ones.
        """
        stamps = self._stamps()
        before, self._seen = self._seen, stamps
        edited = {name for name in {*before, *stamps} if before.get(name) != stamps.get(name)}
        stale = {name for name in edited | self.faults.keys() if name in sys.modules}
        if not stale:
            return
        imports = {name: self._imports(name) for name in stamps if name in sys.modules}
        self.faults = {}
        with lifted():
            for name in _in_order(stale, imports):
                inherited = [self.faults[below] for below in imports.get(name, ()) if below in self.faults]
                if fault := inherited[0] if inherited else self._load(sys.modules[name], namespaces):
                    self.faults[name] = fault

    def fault(self, name: str) -> str:
        """Why a module cannot be imported, be it for itself or a package that it lies in; else empty."""
        parts = name.split(".")
        packages = (".".join(parts[:end]) for end in range(len(parts), 0, -1))
        return next((self.faults[package] for package in packages if package in self.faults), "")

    def _stamps(self) -> dict[str, Stamp]:
        stamps = {}
        for path in self._folder.rglob("*.py"):
            parts = path.relative_to(self._folder.parent).with_suffix("").parts
            if parts[1] != GIVEN:
                with contextlib.suppress(OSError):  # gone in between
                    status = path.stat()
                    name = ".".join(parts).removesuffix(".__init__")
                    stamps[name] = status.st_mtime_ns, status.st_size
        return stamps

    def _imports(self, name: str) -> set[str]:
        """The names in a module's import statements, its own package's only."""
        module = sys.modules[name]
        try:
            tree = ast.parse(Path(cast(str, module.__file__)).read_bytes())
        except (OSError, SyntaxError, ValueError):
            return set()
        found = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                origin = "." * node.level + (node.module or "")
                source = importlib.util.resolve_name(origin, module.__package__)
                found |= {source, *(f"{source}.{alias.name}" for alias in node.names)}
        return {other for other in found if other in self._seen and other != name}

    def _load(self, module: ModuleType, namespaces: Iterable[Namespace]) -> str:
        """Run a module's file in the module; returns what is wrong, and then the module is as it was."""
        held, path = vars(module), Path(cast(str, module.__file__))
        before = dict(held)
        submodules = {key for key in before if before[key] is sys.modules.get(f"{module.__name__}.{key}")}
        linecache.checkcache(str(path))
        try:
            loader = cast(SourceFileLoader, module.__loader__)
            code = loader.source_to_code(path.read_bytes(), str(path))  # a .pyc may be too old
            held.clear()
            held.update({key: before[key] for key in before if key in LASTING or key in submodules})
            with at_most(SLOWEST):
                exec(code, held)
        except FileNotFoundError:
            held.update(before)
            return f"{path.name} is missing"
        except (Exception, SystemExit, TooSlow) as error:
            held.clear()
            held.update(before)
            if isinstance(error, TooSlow):
                return (
                    f"{path.name} takes longer to import than {SLOWEST:g} seconds{run_check.place_in(error)}"
                )
            return run_check.sentence(error)
        own = {id(it): key for key, it in before.items() if getattr(it, "__module__", "") == module.__name__}
        for namespace in namespaces:
            for key, value in list(namespace.items()):
                if own.get(id(value)) in held:
                    namespace[key] = held[own[id(value)]]
        return ""


def _in_order(stale: Iterable[str], imports: dict[str, set[str]]) -> list[str]:
    """Stale modules and those that import them, each after what it imports itself."""
    affected = set(stale)
    while more := {name for name in imports if imports[name] & affected} - affected:
        affected |= more
    ordered: dict[str, None] = {}

    def visit(name: str, above: frozenset[str]) -> None:
        for below in sorted(imports.get(name, set()) & affected - above - ordered.keys()):
            visit(below, above | {name})
        ordered[name] = None

    for name in sorted(affected):
        if name not in ordered:
            visit(name, frozenset([name]))
    return list(ordered)


modules = Reloader(run_check.EXERCISES)
