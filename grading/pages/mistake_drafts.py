"""Turn a student's wrong function into a declaration that can be pasted into `mistakes.py`."""

import ast
import builtins
import copy
from collections.abc import Iterator
from pathlib import Path
from typing import cast

from exercise_code.support.checking import exercise_source

LONGEST = 8_000
LONGEST_MODULE = 80_000
UNREADABLE = (SyntaxError, ValueError, RecursionError, MemoryError)
HINT = "Say what is wrong, and what to think about."


def portable(check: str, files: dict[str, bytes], root: Path) -> str:
    """A student's function in one normal form, with what it uses of its module at the start of its body.

    Comments, docstring, annotations and decorators are left out, so that functions that differ in nothing
    else are equal texts. What the course gives under the same name is imported from there.

    Args:
        check: a check of the exercise.
        files: the submission's files.
        root: the folder of the course, with stubs or the reference.

    Returns:
        The text; empty where the function cannot be read or stand alone, or is longer than `LONGEST`, or its
        module has more than `LONGEST_MODULE` bytes, whose reading takes seconds.
    """
    exercise = check.partition(":")[0]
    try:
        path, qualname = exercise_source.locate(exercise, root / "exercise_code")
        source = files[path.relative_to(root).as_posix()]
        if len(source) > LONGEST_MODULE:
            return ""
        module = ast.parse(source)
        function = exercise_source.find_function(ast.unparse(module), qualname)
        if function is None:
            return ""
        given = {name for node in ast.parse(path.read_bytes()).body for name in _bound(node)}
        function = copy.deepcopy(function)
        _bare(function)
        if set(_used(function.args)) - set(dir(builtins)):
            return ""  # a default that only the module knows
        imported = path.relative_to(root).with_suffix("").as_posix().replace("/", ".")
        function.body[:0] = _needed(function, module, given, imported)
        text = ast.unparse(function)
    except (OSError, KeyError, *UNREADABLE):
        return ""
    return text if len(text) <= LONGEST else ""


def stub(check: str, name: str, code: str, mistakes: str) -> str:
    """The declaration of a mistake.

    Args:
        check: the check that must catch it.
        name: what to call it.
        code: from `portable`.
        mistakes: the text of `mistakes.py`; what it imports is not imported again.

    Returns:
        The text; empty where the code is too odd to be read once more.
    """
    there = {ast.unparse(one) for node in ast.parse(mistakes).body for one in _single_imports(node)}
    try:
        function = cast(ast.FunctionDef, ast.parse(code).body[0])
        function.body = [node for node in function.body if ast.unparse(node) not in there]
        function.name = name
        text = ast.unparse(function)
    except UNREADABLE:
        return ""
    return f'@mistake("{check}", hint="{HINT}")\n{text}\n'


def _bare(function: ast.FunctionDef) -> None:
    """Take docstring, annotations and decorators off."""
    function.body = [*exercise_source.body_without_docstring(function)] or [ast.Pass()]
    function.decorator_list, function.returns = [], None
    for node in ast.walk(function.args):
        if isinstance(node, ast.arg):
            node.annotation = None


def _needed(function: ast.FunctionDef, module: ast.Module, given: set[str], imported: str) -> list[ast.stmt]:
    """The statements of a module that a function needs, in their order."""
    top = {name: (place, node) for place, node in enumerate(module.body) for name in _bound(node)}
    found: dict[str, tuple[int, ast.stmt]] = {}
    waiting: list[ast.AST] = [function]
    while waiting:
        for name in _used(waiting.pop()):
            if name not in top or name in found:
                continue
            place, node = top[name]
            if isinstance(node, ast.Import | ast.ImportFrom):
                (node,) = (one for one in _single_imports(node) if name in _bound(one))
            elif name in given:
                node = ast.ImportFrom(imported, [ast.alias(name)], 0)
            else:
                waiting.append(node)
            found[name] = place, node
    order = sorted(found.values(), key=lambda item: item[0])
    return [*{ast.unparse(node): node for _, node in order}.values()]


def _used(node: ast.AST) -> list[str]:
    names = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
    return sorted(names - set(dir(builtins)))


def _bound(node: ast.stmt) -> Iterator[str]:
    """The names that a statement of a module gives a meaning."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        yield from (alias.asname or alias.name.partition(".")[0] for alias in node.names)
    elif isinstance(node, ast.FunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        yield from (target.id for target in targets if isinstance(target, ast.Name))


def _single_imports(node: ast.stmt) -> Iterator[ast.stmt]:
    """An import for each name."""
    if isinstance(node, ast.Import):
        yield from (ast.Import([alias]) for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        yield from (ast.ImportFrom(node.module, [alias], node.level) for alias in node.names)
