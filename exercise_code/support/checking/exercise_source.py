"""Read the text of an exercise without running it."""

import ast
import functools
from collections.abc import Iterable
from pathlib import Path

MODULE = "module"
"""Under this name a function's tree knows the statements of its module."""


def place_of(exercise: str) -> tuple[str, str]:
    """The module file of an exercise below `exercise_code`, and the exercise's name within it.

    Classes are told from modules by their capital letter: `data.transforms.RescaleTransform.__call__`.
    """
    parts = exercise.split(".")
    end = next((i for i, part in enumerate(parts) if part[0].isupper()), len(parts) - 1)
    return "/".join(parts[:end]) + ".py", ".".join(parts[end:])


def short_name(exercise: str) -> str:
    """An exercise's name within its module: `softmax_loss`, `Linear.forward`."""
    return place_of(exercise)[1]


def locate(exercise: str, exercises: Path) -> tuple[Path, str]:
    """The module file of an exercise in a folder `exercise_code`, and the exercise's name within it.

    Raises:
        FileNotFoundError: the module is not there.
    """
    file, qualname = place_of(exercise)
    if not (exercises / file).is_file():
        raise FileNotFoundError(f"{file} is missing in {exercises.name}")
    return exercises / file, qualname


def read_exercise(exercise: str, exercises: Path) -> ast.FunctionDef | None:
    """The syntax tree of an exercise in a folder `exercise_code`; None where it cannot be read."""
    try:
        path, qualname = locate(exercise, exercises)
        return read_function(path.read_bytes(), qualname)
    except OSError:
        return None


def read_function(content: bytes, qualname: str) -> ast.FunctionDef | None:
    """The syntax tree of a function in the bytes of a module, whose first lines may name an encoding.

    None where Python cannot read it.
    """
    try:
        return find_function(content, qualname)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def find_function(text: str | bytes, qualname: str) -> ast.FunctionDef | None:
    """The syntax tree of a function (`predict`) or method (`KnnClassifier.predict`), or None.

    It knows which names its module defines, for `first_use`.

    Raises:
        SyntaxError: the text is not Python.
    """
    module = _parse(text)
    body: list[ast.stmt] = module.body
    *classes, name = qualname.split(".")
    for part in classes:
        found = [node for node in body if isinstance(node, ast.ClassDef) and node.name == part]
        if not found:
            return None
        body = found[-1].body
    functions = [node for node in body if isinstance(node, ast.FunctionDef) and node.name == name]
    if not functions:
        return None
    vars(functions[-1])[MODULE] = module.body
    return functions[-1]


_parse = functools.lru_cache(maxsize=16)(ast.parse)
"""All checks of a submission read the same few files; the trees are shared, so nobody changes them."""


def body_without_docstring(function: ast.FunctionDef) -> list[ast.stmt]:
    """The statements of a function."""
    first = function.body[0]
    has_docstring = isinstance(first, ast.Expr) and isinstance(getattr(first.value, "value", None), str)
    return function.body[1:] if has_docstring else function.body


def is_empty(function: ast.FunctionDef) -> bool:
    """Whether a function does nothing at all: `pass`, `...` or a comment."""
    return all(
        isinstance(statement, ast.Pass) or (isinstance(statement, ast.Expr) and _is_ellipsis(statement.value))
        for statement in body_without_docstring(function)
    )


def first_loop(function: ast.FunctionDef) -> int | None:
    """Line of the first Python loop or comprehension, or None."""
    loops = (ast.For, ast.While, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
    return min((node.lineno for node in ast.walk(function) if isinstance(node, loops)), default=None)


def first_use(function: ast.FunctionDef, names: Iterable[str]) -> tuple[str, int] | None:
    """The first of some dotted names (`torch.cdist`) that a function calls, and its line, or None.

    A call is recognised by the last part of the name, whatever it is called on, unless that is the student's
    own: a function or class of the module, `self`, `cls` or `super()`. A method that a class of the module
    has too may be the student's own on any object: whose it is shows when it runs.
    """
    last_parts = {name.rpartition(".")[2]: name for name in names}
    inner = [*ast.walk(function)]
    around = [*vars(function).get(MODULE, []), *inner[1:]]
    own = {"self", "cls", "super"} | _defined(around)
    methods, imported = _methods(around), _imported(around)
    for node in inner:
        if isinstance(node, ast.Call):
            called = getattr(node.func, "attr", None) or getattr(node.func, "id", None)
            of_an_object = isinstance(node.func, ast.Attribute) and _root(node.func) not in imported
            is_own = _called_on(node.func) in own or (of_an_object and called in methods)
            if called in last_parts and not is_own:
                return last_parts[called], node.lineno
    return None


def _defined(nodes: Iterable[ast.AST]) -> set[str]:
    """The functions and classes among some nodes, by name."""
    return {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef)}


def _methods(nodes: Iterable[ast.AST]) -> set[str]:
    """The names of the methods of the classes among some nodes."""
    return {name for node in nodes if isinstance(node, ast.ClassDef) for name in _defined(node.body)}


def _imported(nodes: Iterable[ast.AST]) -> set[str]:
    """The names that the imports among some nodes bind."""
    imports = [node for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]
    return {(each.asname or each.name).partition(".")[0] for node in imports for each in node.names}


def _root(expression: ast.expr) -> str | None:
    """`torch` in `torch.autograd.grad`; None where no name is at the root."""
    while isinstance(expression, ast.Attribute):
        expression = expression.value
    return expression.id if isinstance(expression, ast.Name) else None


def _called_on(called: ast.expr) -> str | None:
    """`f` in `f(x)`, `self` in `self.f(x)`, `super` in `super().f(x)`; None in `self.x.f()`."""
    owner = called.value if isinstance(called, ast.Attribute) else called
    if isinstance(owner, ast.Call) and isinstance(called, ast.Attribute):
        owner = owner.func if getattr(owner.func, "id", None) == "super" else owner
    return owner.id if isinstance(owner, ast.Name) else None


def _is_ellipsis(expression: ast.expr) -> bool:
    return isinstance(expression, ast.Constant) and expression.value is ...
