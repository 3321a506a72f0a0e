"""Cut the solutions out of modules, and write the files that students' functions run in."""

import ast
import gzip
import json
import re
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import cast

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from exercise_code.support.checking import exercise_source
from exercise_code.support.checking.assignment import Assignment
from exercise_code.support.notebook.predictions import HASHES, VALUES, hashed_tables
from exercise_code.support.notebook.self_tests import QUESTIONS
from exercise_code.support.paths import ROOT
from exercise_code.support.reveal import SOLUTIONS
from grading.course import CourseError

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
GIVEN = [
    "exercise_code/__init__.py",
    "exercise_code/__main__.py",
    "exercise_code/support",
    "datasets/README.md",
    "datasets/registry.toml",
]
HIDDEN = {"mistakes", "mistakes.py", "variants", "variants.py", "evidence", "tests", VALUES, "__pycache__"}
"""Files and folders of an assignment that stay with the instructor."""


def write_student_files(assignment: Assignment, target: Path) -> None:
    """Write what a student's functions need to run: stubs, support, checks; no answers, no notebook.

    Raises:
        CourseError: a solution cannot be cut out, or what the assignment requires cannot be read.
    """
    shutil.rmtree(target, ignore_errors=True)
    assignments = [*assignment.earlier, assignment]
    for each in assignments:
        write_own(each, target)
    (target / "requirements.txt").write_text(requirements(assignments), encoding="utf-8")


def write_own(assignment: Assignment, target: Path) -> None:
    """The same without the earlier assignments that this one builds on, and without `requirements.txt`."""
    for name in (*GIVEN, *assignment.given):
        source = ROOT / name
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__", ".*")
            shutil.copytree(source, target / name, ignore=ignored, dirs_exist_ok=True)
        else:
            shutil.copy(source, target / name)
    folder = target / "assignments" / assignment.name
    folder.mkdir(parents=True, exist_ok=True)
    shipped = [path for path in assignment.folder.glob("*.py") if path.name not in HIDDEN]
    for source in (assignment.folder / "assignment.toml", *assignment.folder.glob(QUESTIONS), *shipped):
        shutil.copy(source, folder)
    if (checks := assignment.folder / "checks").is_dir():
        shutil.copytree(checks, folder / "checks", ignore=shutil.ignore_patterns("__pycache__"))
    if (values := assignment.folder / VALUES).exists():
        tables = json.dumps(hashed_tables(values), indent=1)
        (folder / HASHES).write_text(tables + "\n", encoding="utf-8")
    for name in assignment.editable:
        stub = strip_solutions((ROOT / name).read_text(encoding="utf-8"), name)
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (target / name).write_text(stub, encoding="utf-8")


def write_solutions(assignment: Assignment, edition: Path) -> None:
    """What `reveal` shows to somebody who learns alone, packed so that nobody reads it unasked."""
    found = {}
    for exercise in dict.fromkeys(check.exercise for check in assignment.checks):
        file, name = exercise_source.place_of(exercise)
        text = (ROOT / "exercise_code" / file).read_text(encoding="utf-8")
        segment = ast.get_source_segment(text, cast(ast.AST, exercise_source.find_function(text, name)))
        lines = (segment or "").splitlines()
        found[exercise] = "\n".join(line for line in lines if line.strip() not in (BEGIN, END))
    content = gzip.compress(json.dumps(found).encode(), mtime=0)
    (edition / "assignments" / assignment.name / SOLUTIONS).write_bytes(content)


def single_stand_ins(assignment: Assignment) -> dict[str, str]:
    """A file for each stand-in, by exercise: it holds the imports and no other helpers than it uses."""
    if not assignment.stand_ins:
        return {}
    nodes = ast.parse((assignment.folder / "stand_ins.py").read_text(encoding="utf-8")).body
    names = {node: _defined(node) for node in nodes}
    found = {}
    for each in assignment.stand_ins:
        used = {name for name, value in each.function.__globals__.items() if value is each}
        for _ in nodes:  # each round may find one more
            kept = [node for node in nodes if names[node] & used]
            used |= {part.id for node in kept for part in ast.walk(node) if isinstance(part, ast.Name)}
        imports = [node for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]
        found[each.exercise] = "\n\n".join(map(ast.unparse, [*imports, *kept]))
    return found


def _defined(node: ast.stmt) -> set[str]:
    """The names that a statement of a module binds, imports aside."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return {node.name}
    return {
        part.id for part in ast.walk(node) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)
    }


def requirements(assignments: Iterable[Assignment]) -> str:
    """The course's `requirements.txt`, and after it what assignments require beside that.

    Raises:
        CourseError: pip cannot read a requirement, or two ask for other versions of one package.
    """
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    pins = [line for line in text.splitlines() if line and not line.startswith("#")]
    known = {_package(line): (line, "requirements.txt") for line in pins}
    for assignment in assignments:
        added = []
        for line in assignment.requires:
            try:
                package = _package(line)
            except InvalidRequirement:
                raise CourseError(f"{assignment.name} requires {line!r}: pip cannot read that") from None
            other, where = known.setdefault(package, (line, assignment.name))
            if Requirement(other) != Requirement(line):
                raise CourseError(
                    f"{assignment.name} requires {line}, but {where} requires {other}: agree on one"
                )
            if where == assignment.name and line not in added:
                added.append(line)
        if added:
            text += f"# for {assignment.name}\n" + "\n".join(added) + "\n"
    return text


def _package(line: str) -> str:
    return canonicalize_name(Requirement(line).name)


def strip_solutions(text: str, name: str) -> str:
    """Replace each solution by a NotImplementedError that names the exercise.

    Raises:
        CourseError: the markers do not match, or stand outside of a function.
    """
    lines: list[str] = []
    inside = False
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() == BEGIN:
            exercise = _enclosing_function(text, number)
            if inside or exercise is None:
                raise CourseError(
                    f"{name}, line {number}: a solution begins within another or outside of a function"
                )
            inside = True
            indent = line[: line.index(BEGIN)]
            lines.append(f'{indent}raise NotImplementedError("{exercise}")')
        elif line.strip() == END:
            if not inside:
                raise CourseError(f"{name}, line {number}: a solution ends that has not begun")
            inside = False
        elif not inside:
            lines.append(line)
    if inside:
        raise CourseError(f"{name}: the last solution does not end")
    return "\n".join(lines) + "\n"


def solutions(text: str) -> list[str]:
    """What stands between solution markers."""
    return re.findall(rf"{BEGIN}\n(.*?){END}", text, flags=re.DOTALL)


def _enclosing_function(text: str, line: int) -> str | None:
    """Name of the innermost function around a line, with its class."""
    best: str | None = None

    def visit(node: ast.AST, path: list[str]) -> None:
        nonlocal best
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.FunctionDef | ast.ClassDef):
                inner = [*path, child.name]
                if isinstance(child, ast.FunctionDef) and child.lineno <= line <= (child.end_lineno or line):
                    best = ".".join(inner)
                visit(child, inner)

    visit(ast.parse(text), [])
    return best
