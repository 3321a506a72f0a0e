"""A new assignment that is complete and small: one exercise with everything that an exercise has."""

import re
from collections.abc import Iterator
from keyword import iskeyword
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from exercise_code.support.checking.assignment import Assignment, all_folders, read_assignment
from exercise_code.support.paths import ROOT
from grading.course import CourseError
from grading.notebooks.source_format import format_notebooks

TEMPLATES = Path(__file__).parent / "templates" / "skeleton"
GIVEN = "support"
FILES = (
    "assignment.toml",
    "checks.py",
    "mistakes.py",
    "variants.py",
    "stand_ins.py",
    "figures.py",
    "on_paper.toml",
)
"""Those whose template has the same name."""


def new_assignment(name: str, modules: list[str], title: str, root: Path = ROOT) -> Assignment:
    """Write an assignment with one example exercise, in the first of its modules.

    Args:
        name: of its folder, `a04_cnn`.
        modules: what students write, as dotted names below `exercise_code`; none may be there yet.
        title: the topic in a few words.
        root: the project's.

    Raises:
        CourseError: one of these is not possible; nothing is written then.
    """
    _refuse(name, modules, title, root)
    word, module = name.partition("_")[2], modules[0]
    parent, _, stem = f"exercise_code.{module}".rpartition(".")
    values: dict[str, Any] = {
        "title": title,
        "word": word,
        "module": module,
        "modules": modules,
        "stem": stem,
        "path": f"exercise_code/{module.replace('.', '/')}.py",
        "imports": [f"from {parent} import {stem}", f"from assignments.{name} import figures"],
    }
    folder = root / "assignments" / name
    rendered = {folder / file: file for file in FILES}
    rendered |= {folder / f"{word}.ipynb": "notebook.ipynb", folder / "tests" / f"test_{word}.py": "test.py"}
    rendered |= {root / values["path"]: "module.py"}
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), undefined=StrictUndefined, keep_trailing_newline=True
    )
    texts = {path: environment.get_template(f"{file}.j2").render(values) for path, file in rendered.items()}
    for path in _python_files(modules, root):
        if not path.exists():
            texts.setdefault(path, f'"""{title}."""\n')
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assignment = read_assignment(folder)
    format_notebooks(assignment)
    return assignment


def _python_files(modules: list[str], root: Path) -> Iterator[Path]:
    """The modules, and the `__init__.py` of each package that they lie in."""
    for module in modules:
        path = Path("exercise_code", *module.split(".")).with_suffix(".py")
        yield root / path
        yield from (root / package / "__init__.py" for package in path.parents[:-2])


def _refuse(name: str, modules: list[str], title: str, root: Path) -> None:
    if not re.fullmatch(r"a\d\d_[a-z][a-z0-9_]*", name):
        raise CourseError(f"{name!r} is no name of an assignment: take a number and a word, such as a04_cnn")
    for folder in all_folders(root / "assignments"):
        if folder.name.startswith(f"{name[:3]}_"):
            raise CourseError(f"{folder.name} is there already: take another number than {name[:3]}")
    if (root / "assignments" / name).exists():
        raise CourseError(f"assignments/{name} is there already: take another name, or move it away")
    if not title.strip() or len(title) > 60 or not title.isprintable() or set(title) & set("\"'\\{}"):
        raise CourseError("the title is one line of at most 60 characters without quotes, braces and \\")
    if not modules:
        raise CourseError("name a module that students write: --module cnn.convolutional_networks")
    for number, module in enumerate(modules):
        _refuse_module(module, modules[:number], root / "exercise_code")


def _refuse_module(module: str, others: list[str], package: Path) -> None:
    parts = module.split(".")
    if any(not re.fullmatch(r"[a-z][a-z0-9_]*", part) or iskeyword(part) for part in parts):
        raise CourseError(f"{module!r} is no name of a module: take small letters, such as cnn.layers")
    if parts[0] == GIVEN:
        raise CourseError(f"{module}: what lies in {GIVEN} is given; take another package")
    for other in others:
        if f"{module}.".startswith(f"{other}.") or f"{other}.".startswith(f"{module}."):
            raise CourseError(f"{other} and {module} cannot both be modules: take another name for one")
    path = package.joinpath(*parts)
    above = [package.joinpath(*parts[:length]).with_suffix(".py") for length in range(1, len(parts))]
    for there in (path.with_suffix(".py"), path, *above):
        if there.exists():
            name = there.relative_to(package.parent).as_posix()
            raise CourseError(f"{name} is there already: take another name than {module}")
