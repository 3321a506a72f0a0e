"""Make mutants of the solutions: the text between their markers, changed in one place."""

import ast
import difflib
import functools
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import libcst as cst
from libcst.metadata import MetadataWrapper, PositionProvider

from exercise_code.support.checking.assignment import Assignment
from exercise_code.support.checking.declare import Check
from exercise_code.support.paths import ROOT
from grading.editions.student_files import BEGIN, END
from grading.mutants.operators import REDUCTIONS, Node, Operator, code


@dataclass(frozen=True)
class Solution:
    """A function with a solution between markers.

    `function` is the text of lines `start` to `end` of the module, without their indentation; the solution is
    in lines `first` to `last` of it.
    """

    file: str
    qualname: str
    module: str
    start: int
    end: int
    first: int
    last: int

    @property
    def exercise(self) -> str:
        """The function as checks name it: `knn.predict_labels`."""
        return ".".join([*Path(self.file).with_suffix("").parts[1:], self.qualname])

    @functools.cached_property
    def function(self) -> str:
        """The text of the function, without its indentation."""
        return textwrap.dedent("\n".join(self.module.splitlines()[self.start - 1 : self.end]))

    def module_with(self, function: str) -> str:
        """The text of the module with another function in the place of this one."""
        lines = self.module.splitlines()
        line = lines[self.start - 1]
        indented = textwrap.indent(function, line[: len(line) - len(line.lstrip())])
        return "\n".join([*lines[: self.start - 1], indented, *lines[self.end :], ""])


@dataclass(frozen=True)
class Mutant:
    """A solution changed in one place; `function` is the text of the function with the change."""

    solution: Solution
    operator: str
    function: str

    @property
    def exercise(self) -> str:
        """The function that is changed."""
        return self.solution.exercise

    @property
    def module(self) -> str:
        """The text of the whole module with the change."""
        return self.solution.module_with(self.function)

    @functools.cached_property
    def change(self) -> tuple[str, str]:
        """The lines that are replaced, and those that replace them, without their indentation."""
        old, new = self.solution.function.splitlines(), self.function.splitlines()
        blocks = difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
        changed = [block for block in blocks if block[0] != "equal"]
        first, last = changed[0], changed[-1]
        return _squeezed(old[first[1] : last[2]]), _squeezed(new[first[3] : last[4]])

    @property
    def diff(self) -> str:
        """The same as a unified diff of the module."""
        old, new = self.solution.module.splitlines(), self.module.splitlines()
        return "\n".join(difflib.unified_diff(old, new, self.solution.file, self.operator, lineterm="", n=2))


def solutions(assignment: Assignment) -> list[Solution]:
    """All functions of an assignment that hold a solution, in their order."""
    return [
        solution
        for file in assignment.editable
        for solution in solutions_in((ROOT / file).read_text(encoding="utf-8"), file)
    ]


def solutions_in(text: str, file: str) -> Iterator[Solution]:
    """The functions of a module that hold a solution."""
    lines = [line.strip() for line in text.splitlines()]
    marks = [number for number, line in enumerate(lines, 1) if line in (BEGIN, END)]
    regions = [*zip(marks[::2], marks[1::2], strict=True)]

    def visit(node: ast.AST, path: list[str]) -> Iterator[Solution]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.ClassDef):
                yield from visit(child, [*path, child.name])
            elif isinstance(child, ast.FunctionDef):
                start, last = child.lineno, child.end_lineno or child.lineno
                for begin, end in regions:
                    if start < begin <= last:
                        yield Solution(
                            file,
                            ".".join([*path, child.name]),
                            text,
                            start,
                            max(end, last),
                            begin - start + 2,
                            end - start,
                        )

    return visit(ast.parse(text), [])


def checks_of(assignment: Assignment, exercise: str) -> list[Check]:
    """The checks that an exercise must pass; for a function without any, those that build on it.

    There are none where what is graded is a saved model: it does not show what the function does now.
    """
    owner = exercise.rpartition(".")[0] + "."
    asked = [check for check in assignment.checks if check.exercise == exercise]
    asked = asked or [check for check in assignment.checks if exercise in check.uses]
    asked = asked or [check for check in assignment.checks if check.exercise.startswith(owner)]
    return [check for check in asked if check.target is None]


def make_mutants(solution: Solution, operators: Iterable[Operator]) -> tuple[list[Mutant], int]:
    """All mutants of a solution in the order of its text, and how many more are the same when normalised."""
    operators, text = [*operators], solution.function
    wrapper = MetadataWrapper(cst.parse_module(text), unsafe_skip_copy=True)
    starts = [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    places = {}
    for node, span in wrapper.resolve(PositionProvider).items():
        if solution.first <= span.start.line and span.end.line <= solution.last:
            places[node] = (
                starts[span.start.line - 1] + span.start.column,
                starts[span.end.line - 1] + span.end.column,
            )
    following = _following(wrapper.module)
    seen = {normalised(text)}
    mutants, same = [], 0
    for node, (start, end) in sorted(places.items(), key=lambda item: item[1]):
        for operator in operators:
            for change in operator.make(node, following.get(node, [])):
                changed = _replaced(text, start, end, node, change)
                if changed is None:
                    continue
                tree = normalised(changed)
                if tree in seen:
                    same += 1
                else:
                    seen.add(tree)
                    mutants.append(Mutant(solution, operator.name, changed))
    return mutants, same


def normalised(text: str) -> str:
    """The syntax tree of a text, in which some ways to write the same are one."""
    return ast.dump(_Normal().visit(ast.parse(text)))


DEFAULTS = {
    "keepdim": False,
    "keepdims": False,
    "correction": 1,
    "unbiased": True,
    "descending": False,
    "reverse": False,
    "largest": True,
    "inplace": False,
    "align_corners": False,
}
COMMUTATIVE = {"maximum", "minimum", "max", "min"}
MIRRORED = {ast.Gt: ast.Lt, ast.GtE: ast.LtE}


class _Normal(ast.NodeTransformer):
    """Defaults are left out, `a > b` is `b < a`, `sum(1)` is `sum(dim=1)`, `range(0, n)` is `range(n)`.

    The order does not matter of the axes of a sum, of two in a maximum, of names that get the same. What no
    check asks for is left out, too: what is printed, the words of an error, the annotations of variables, and
    `strict` of `zip`, which guards against mistakes elsewhere.
    """

    def visit_Raise(self, node: ast.Raise) -> ast.AST:
        if isinstance(node.exc, ast.Call):
            node.exc.args, node.exc.keywords = [], []
        return self.generic_visit(node)

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        self.generic_visit(node)
        is_print = isinstance(node.value, ast.Call) and getattr(node.value.func, "id", "") == "print"
        return ast.Pass() if is_print or isinstance(node.value, ast.JoinedStr) else node

    def visit_If(self, node: ast.If) -> ast.AST:
        self.generic_visit(node)
        idle = all(isinstance(statement, ast.Pass) for statement in [*node.body, *node.orelse])
        return ast.Pass() if idle else node

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        self.generic_visit(node)
        match node:
            case ast.Assign([ast.Tuple() as targets], ast.Tuple(values)) if (
                len({*map(ast.dump, values)}) == 1
            ):
                targets.elts.sort(key=ast.dump)
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        self.generic_visit(node)
        return ast.Assign([node.target], node.value) if node.value else ast.Pass()

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        self.generic_visit(node)
        return node.operand if isinstance(node.op, ast.USub) and _is(node.operand, 0) else node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        name = getattr(node.func, "attr", "")
        owner = getattr(getattr(node.func, "value", None), "id", "")
        node.keywords = [k for k in node.keywords if not _is_default(k) and k.arg != "strict"]
        if name in REDUCTIONS and owner not in ("torch", "np") and len(node.args) == 1 and not node.keywords:
            node.keywords = [ast.keyword("dim", node.args.pop())]
        for keyword in node.keywords:
            if name in REDUCTIONS and isinstance(keyword.value, ast.Tuple):
                keyword.value.elts.sort(key=ast.dump)
        if (name or getattr(node.func, "id", "")) in COMMUTATIVE:
            node.args.sort(key=ast.dump)
        if getattr(node.func, "id", "") == "range" and len(node.args) == 2 and _is(node.args[0], 0):
            node.args = node.args[1:]
        return node

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        if len(node.ops) == 1 and type(node.ops[0]) in MIRRORED:
            mirrored = [MIRRORED[type(node.ops[0])]()]
            return ast.Compare(node.comparators[0], mirrored, [node.left])
        return node

    def visit_Slice(self, node: ast.Slice) -> ast.AST:
        self.generic_visit(node)
        if _is(node.lower, 0):
            node.lower = None
        return node


def _is(node: ast.AST | None, value: object) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) is type(value) and node.value == value


def _is_default(keyword: ast.keyword) -> bool:
    return keyword.arg in DEFAULTS and _is(keyword.value, DEFAULTS[keyword.arg])


def _following(module: cst.Module) -> dict[Node, Sequence[Node]]:
    """The statements after each statement in its block."""
    found: dict[Node, Sequence[Node]] = {}

    def visit(node: Node) -> None:
        if isinstance(node, cst.IndentedBlock):
            found.update((child, node.body[place + 1 :]) for place, child in enumerate(node.body))
        for child in node.children:
            visit(child)

    visit(module)
    return found


def _replaced(text: str, start: int, end: int, node: Node, change: Node | str) -> str | None:
    """The text with something else in the place of a node; None where that is not Python."""
    line = text[text.rfind("\n", 0, start) + 1 :]
    indent = line[: len(line) - len(line.lstrip())]
    if not isinstance(change, str):
        plain = {name: () for name in ("lpar", "rpar", "leading_lines") if hasattr(change, name)}
        change = code(change.with_changes(**plain))
    first, *rest = change.strip().splitlines()
    first = " " * text[start].isspace() + first  # a `for` within an expression brings its own blank
    change = "\n".join([first, *(indent + line for line in rest)])
    if not isinstance(node, cst.BaseExpression):
        return _if_python(text[:start] + change + text[end:])
    bare, safe = (_if_python(text[:start] + new + text[end:]) for new in (change, f"({change})"))
    if bare is None or safe is None:
        return bare or safe
    return bare if ast.dump(ast.parse(bare)) == ast.dump(ast.parse(safe)) else safe


def _if_python(text: str) -> str | None:
    try:
        compile(text, "mutant", "exec")
    except SyntaxError:
        return None
    return text


def _squeezed(lines: list[str]) -> str:
    return "\n".join(line.strip() for line in lines if line.strip())
