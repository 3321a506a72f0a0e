"""Small changes to tensor code that a check should notice, one kind at a time.

An operator takes a node of the syntax tree, and the statements that follow it in its block, and yields what
may stand in its place. Operators that drop something leave the rest as it is.
"""

import difflib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import libcst as cst

Node = cst.CSTNode
Change = Node | str
Part = TypeVar("Part", cst.Arg, cst.BaseElement)
Make = Callable[[Node, Sequence[Node]], Iterator[Change]]


class Example(NamedTuple):
    """What an operator makes of a function's body; `after` is one of the results."""

    before: str
    after: str


@dataclass(frozen=True)
class Operator:
    """A kind of change; the title is the first line of its docstring."""

    name: str
    title: str
    example: Example
    make: Make

    @property
    def diff(self) -> str:
        """The example as a diff."""
        lines = difflib.ndiff(self.example.before.splitlines(), self.example.after.splitlines())
        return "\n".join(line for line in lines if not line.startswith("?"))


OPERATORS: list[Operator] = []


def operator(before: str, after: str, into: list[Operator] = OPERATORS) -> Callable[[Make], Make]:
    """Declare an operator, with an example of what it does."""

    def declare(make: Make) -> Make:
        title = (make.__doc__ or "").strip().splitlines()[0].rstrip(".")
        into.append(Operator(make.__name__, title, Example(before, after), make))
        return make

    return declare


def code(node: Node) -> str:
    """The text of a node."""
    return cst.Module([]).code_for_node(node)


def atom(node: Node) -> str:
    """The text of an expression, in parentheses where it needs them to be part of another one."""
    text = code(node)
    return text if isinstance(node, ATOMS) or getattr(node, "lpar", None) else f"({text})"


def name_of(call: cst.Call) -> str:
    """What a call is of, without what stands before the last dot: `sum` for `torch.sum` and for `x.sum`."""
    match call.func:
        case cst.Name(value=name) | cst.Attribute(attr=cst.Name(value=name)):
            return name
    return ""


def is_method(call: cst.Call) -> bool:
    """Whether a call is written `x.sum()`, and not `sum(x)` or `torch.sum(x)`."""
    match call.func:
        case cst.Attribute(value=cst.Name(value=owner)):
            return owner not in MODULES
    return isinstance(call.func, cst.Attribute)


def keyword(arg: cst.Arg) -> str:
    """The name of a keyword argument, or an empty string."""
    return arg.keyword.value if arg.keyword else ""


def with_args(call: cst.Call, args: Sequence[cst.Arg]) -> cst.Call:
    """The call with other arguments."""
    args = [arg.with_changes(comma=cst.MaybeSentinel.DEFAULT) for arg in args]
    return call.with_changes(args=args, whitespace_before_args=cst.SimpleWhitespace(""))


def without(call: cst.Call, place: int) -> cst.Call:
    """The call without one of its arguments."""
    return with_args(call, [arg for index, arg in enumerate(call.args) if index != place])


def and_keyword(call: cst.Call, name: str, value: str) -> cst.Call:
    """The call with one more argument."""
    equal = cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace(""))
    added = cst.Arg(cst.parse_expression(value), keyword=cst.Name(name), equal=equal)
    return with_args(call, [*call.args, added])


def renamed(call: cst.Call, name: str) -> cst.Call:
    """The call, of a function or method with another name."""
    func = call.func
    return call.with_changes(
        func=func.with_changes(attr=cst.Name(name)) if isinstance(func, cst.Attribute) else cst.Name(name)
    )


def swapped(items: Sequence[Part], place: int) -> list[Part]:
    """The items, two neighbours among them exchanged; commas stay where they are."""
    one, other = items[place], items[place + 1]
    changed = list(items)
    changed[place] = other.with_changes(comma=one.comma)
    changed[place + 1] = one.with_changes(comma=other.comma)
    return changed


ATOMS = (cst.Name, cst.Integer, cst.Float, cst.Call, cst.Attribute, cst.Subscript, cst.List, cst.Dict)
MODULES = {"torch", "np", "numpy", "F", "nn", "math", "functional", "init", "copy"}
ARITHMETIC: dict[type[Node], list[type[Node]]] = {
    cst.Add: [cst.Subtract],
    cst.Subtract: [cst.Add],
    cst.Multiply: [cst.Divide],
    cst.Divide: [cst.Multiply],
    cst.FloorDivide: [cst.Divide],
    cst.Modulo: [cst.FloorDivide],
    cst.Power: [cst.Multiply],
    cst.MatrixMultiply: [cst.Multiply],
    cst.AddAssign: [cst.SubtractAssign],
    cst.SubtractAssign: [cst.AddAssign],
    cst.MultiplyAssign: [cst.DivideAssign],
    cst.DivideAssign: [cst.MultiplyAssign],
}
COMPARISONS: dict[type[Node], list[type[Node]]] = {
    cst.LessThan: [cst.LessThanEqual, cst.GreaterThan],
    cst.LessThanEqual: [cst.LessThan, cst.GreaterThanEqual],
    cst.GreaterThan: [cst.GreaterThanEqual, cst.LessThan],
    cst.GreaterThanEqual: [cst.GreaterThan, cst.LessThanEqual],
    cst.Equal: [cst.NotEqual],
    cst.NotEqual: [cst.Equal],
    cst.Is: [cst.IsNot],
    cst.IsNot: [cst.Is],
    cst.In: [cst.NotIn],
    cst.NotIn: [cst.In],
}
REDUCTIONS = {"sum", "mean", "std", "var", "prod", "max", "min", "amax", "amin", "argmax", "argmin", "all"}
REDUCTIONS |= {"any", "logsumexp", "median", "norm"}
AXES = {"dim", "axis", "dims"}
TWINS = [
    ("sum", "mean"),
    ("max", "min"),
    ("amax", "amin"),
    ("argmax", "argmin"),
    ("maximum", "minimum"),
    ("any", "all"),
    ("zeros", "ones"),
    ("zeros_like", "ones_like"),
    ("new_zeros", "new_ones"),
    ("rand", "randn"),
    ("rand_like", "randn_like"),
    ("floor", "ceil"),
    ("sin", "cos"),
    ("var", "std"),
    ("cumsum", "cumprod"),
]
OTHER = {**dict(TWINS), **{other: one for one, other in TWINS}}
ABSENT = {
    "topk": ("largest", "False"),
    "sort": ("descending", "True"),
    "argsort": ("descending", "True"),
    "sorted": ("reverse", "True"),
    "std": ("correction", "0"),
    "var": ("correction", "0"),
    "interpolate": ("align_corners", "True"),
    "grid_sample": ("align_corners", "True"),
    "affine_grid": ("align_corners", "True"),
    "cross_entropy": ("reduction", '"sum"'),
    "mse_loss": ("reduction", '"sum"'),
    "ReLU": ("inplace", "True"),
    "LeakyReLU": ("inplace", "True"),
    "Dropout": ("inplace", "True"),
}
COPIES = {"clone", "detach", "copy", "deepcopy", "contiguous"}
CHOICES = {"where", "maximum", "minimum"}
PRODUCTS = {"matmul", "mm", "bmm"}
KEPT = {
    "append",
    "extend",
    "update",
    "backward",
    "step",
    "zero_grad",
    "item",
    "tolist",
    "items",
    "values",
    "keys",
}


@operator("return a + b", "return a - b")
def arithmetic_swapped(node: Node, _: Sequence[Node]) -> Iterator[Change]:
    """Arithmetic swapped."""
    if isinstance(node, cst.BinaryOperation | cst.AugAssign):
        for other in ARITHMETIC.get(type(node.operator), []):
            yield node.with_changes(operator=other())


@operator("return x > 0", "return x >= 0")
def comparison_swapped(node: Node, _: Sequence[Node]) -> Iterator[Change]:
    """Comparison swapped."""
    match node:
        case cst.Comparison(comparisons=[target]):
            for other in COMPARISONS.get(type(target.operator), []):
                yield node.with_changes(comparisons=[target.with_changes(operator=other())])
        case cst.BooleanOperation(operator=cst.And()):
            yield node.with_changes(operator=cst.Or())
        case cst.BooleanOperation(operator=cst.Or()):
            yield node.with_changes(operator=cst.And())
        case cst.UnaryOperation(operator=cst.Not() | cst.BitInvert()):
            yield node.expression


@operator("return a - 2 * b", "return a")
def term_dropped(node: Node, _: Sequence[Node]) -> Iterator[Change]:
    """A term or factor dropped."""
    if isinstance(node, cst.BinaryOperation | cst.BooleanOperation):
        yield node.left
        yield node.right
    elif isinstance(node, cst.Call) and name_of(node) in CHOICES:
        others = node.args if is_method(node) else node.args[1:]
        yield from (arg.value for arg in others if not (arg.keyword or arg.star))


@operator("return squared.clamp(min=0).sqrt()", "return squared.sqrt()")
def call_dropped(node: Node, _: Sequence[Node]) -> Iterator[Change]:
    """A call dropped: what it was called on, or with, takes its place."""
    if isinstance(node, cst.Call) and name_of(node) not in COPIES | KEPT:
        if is_method(node):
            yield cst.ensure_type(node.func, cst.Attribute).value
        elif node.args and not keyword(node.args[0]) and not node.args[0].star:
            yield node.args[0].value


@operator("best = weights.clone()", "best = weights")
def copy_dropped(node: Node, _: Sequence[Node]) -> Iterator[Change]:
    """`clone`, `detach`, `copy` or `contiguous` dropped."""
    if isinstance(node, cst.Call) and name_of(node) in COPIES:
        if is_method(node):
            yield cst.ensure_type(node.func, cst.Attribute).value
        elif node.args and not node.args[0].star:
            yield node.args[0].value


@operator("return a * b", "return -(a * b)")
def sign_flipped(node: Node, _: Sequence[Node]) -> Iterator[Change]:
    """Sign flipped."""
    match node:
        case cst.UnaryOperation(operator=cst.Minus(), expression=operand):
            yield operand
        case cst.BinaryOperation(operator=cst.Multiply() | cst.Divide() | cst.MatrixMultiply()):
            yield f"-({code(node)})"
        case cst.Return(value=cst.Name() | cst.Call() as value):
            yield f"return -{code(value)}"


@operator("return x / (norm + 1e-8)", "return x / (norm + 0.0)")
def constant_nudged(node: Node, _: Sequence[Node]) -> Iterator[Change]:
    """A constant nudged: whole numbers by one, others doubled or 0, small ones 0 or a thousandfold."""
    match node:
        case cst.Integer():
            value = int(node.evaluated_value)
            yield from (str(other) for other in (value + 1, value - 1) if other >= 0)
            if value == 0:
                yield "-1"
        case cst.Float():
            real = float(node.evaluated_value)
            others = (1.0, -1.0) if real == 0 else (0.0, real * (1000 if abs(real) < 1e-3 else 2))
            yield from map(repr, others)
        case cst.Name(value="True"):
            yield "False"
        case cst.Name(value="False"):
            yield "True"


@operator("return x.amax(dim=1)", "return x.amax(dim=0)")
def axis_changed(node: Node, _: Sequence[Node]) -> Iterator[Change]:
    """`dim` or `axis` changed: to the one before and after, and one of several left out."""
    if not (isinstance(node, cst.Arg) and keyword(node) in AXES):
        return
    match node.value:
        case cst.Integer(value=value):
            yield from (f"{keyword(node)}={other}" for other in (int(value) - 1, int(value) + 1))
        case cst.Tuple(elements=elements) if len(elements) > 1:
            for left_out in range(len(elements)):
                kept = [code(e.value) for place, e in enumerate(elements) if place != left_out]
                yield f"{keyword(node)}=({', '.join(kept)},)"


@operator("return x.sum(1)", "return x.sum()")
def axis_dropped(node: Node, _: Sequence[Node]) -> Iterator[Change]:
    """`dim` or `axis` dropped."""
    if isinstance(node, cst.Call):
        for place, arg in enumerate(node.args):
            first = place == (0 if is_method(node) else 1) and name_of(node) in REDUCTIONS
            if keyword(arg) in AXES or (first and isinstance(arg.value, cst.Integer | cst.Tuple)):
                yield without(node, place)


@operator("return x.mean(dim=1)", "return x.mean(dim=1, keepdim=True)")
def flag_flipped(node: Node, _: Sequence[Node]) -> Iterator[Change]:
    """`keepdim`, `correction`, `reduction`, `inplace`, `largest`, `descending`, `align_corners` flipped."""
    if isinstance(node, cst.Arg) and keyword(node) == "reduction":
        yield from (f'reduction="{other}"' for other in ("mean", "sum") if code(node.value) != f'"{other}"')
    if not isinstance(node, cst.Call):
        return
    given = {keyword(arg) for arg in node.args}
    of_numpy = "axis" in given or code(node.func).startswith(("np.", "numpy."))
    flag, value = ABSENT.get(name_of(node), ("", ""))
    if flag and not given & {flag, "unbiased", "ddof"}:
        yield and_keyword(node, *(("ddof", "1") if of_numpy and flag == "correction" else (flag, value)))
    along = any(keyword(arg) in AXES or isinstance(arg.value, cst.Integer) for arg in node.args)
    if name_of(node) in REDUCTIONS and along and not given & {"keepdim", "keepdims"}:
        yield and_keyword(node, "keepdims" if of_numpy else "keepdim", "True")


@operator("return x.sum()", "return x.mean()")
def twin_called(node: Node, _: Sequence[Node]) -> Iterator[Change]:
    """`sum` for `mean`, `max` for `min`, `zeros` for `ones` and the like, and back."""
    if isinstance(node, cst.Call) and name_of(node) in OTHER:
        yield renamed(node, OTHER[name_of(node)])


@operator("return a @ b", "return a.T @ b")
def matmul_turned(node: Node, _: Sequence[Node]) -> Iterator[Change]:
    """Operands of a matrix product swapped, or one of them transposed."""
    match node:
        case cst.BinaryOperation(left=left, operator=cst.MatrixMultiply(), right=right):
            yield f"{atom(right)} @ {atom(left)}"
            yield f"{atom(left)}.T @ {atom(right)}"
            yield f"{atom(left)} @ {atom(right)}.T"
        case cst.Call(func=cst.Attribute(value=left, attr=cst.Name(value=name)), args=[cst.Arg(value=right)]):
            if name in PRODUCTS:
                yield f"{atom(right)}.{name}({code(left)})"
                yield f"{atom(left)}.mT.{name}({code(right)})"
                yield f"{atom(left)}.{name}({atom(right)}.mT)"
        case cst.Call(func=func, args=[cst.Arg(value=left), cst.Arg(value=right)]) if (
            name_of(node) in PRODUCTS
        ):
            yield f"{code(func)}({atom(left)}.mT, {code(right)})"
            yield f"{code(func)}({code(left)}, {atom(right)}.mT)"
        case cst.Attribute(value=value, attr=cst.Name(value="T" | "mT")):
            yield value


@operator("return x.permute(0, 2, 1)", "return x.reshape(x.permute(0, 2, 1).shape)")
def reshaped_instead(node: Node, _: Sequence[Node]) -> Iterator[Change]:
    """`reshape` for `permute` or `transpose`: the right shape, the numbers in another order; and back."""
    match node:
        case cst.Call(func=cst.Attribute(value=value, attr=cst.Name(value="permute" | "transpose" | "t"))):
            if is_method(node):
                yield f"{atom(value)}.reshape({code(node)}.shape)"
            elif node.args:
                yield f"{atom(node.args[0].value)}.reshape({code(node)}.shape)"
        case cst.Attribute(value=value, attr=cst.Name(value="T" | "mT")):
            yield f"{atom(value)}.reshape({code(node)}.shape)"
        case cst.Call(func=cst.Attribute(value=value, attr=cst.Name(value="view" | "reshape" | "flatten"))):
            turned = cst.parse_expression(f"{atom(value)}.transpose(-2, -1)")
            yield node.with_changes(func=node.func.with_changes(value=turned))


@operator("return x[1:]", "return x[2:]")
def slice_shifted(node: Node, _: Sequence[Node]) -> Iterator[Change]:
    """An end of a slice shifted by one."""
    if isinstance(node, cst.Slice):
        for name, first in (("lower", "1"), ("upper", "-1")):
            end = getattr(node, name)
            for shifted in (_plus(end, 1), _plus(end, -1)) if end else (first,):
                yield node.with_changes(**{name: cst.parse_expression(shifted)})


def _plus(node: cst.BaseExpression, step: int) -> str:
    """A number, or what an expression gives, and one more or less."""
    if isinstance(node, cst.Integer):
        return str(int(node.evaluated_value) + step)
    return f"{atom(node)} {'+' if step > 0 else '-'} 1"


@operator("total += x", "total = x")
def assignment_changed(node: Node, _: Sequence[Node]) -> Iterator[Change]:
    """`=` for `+=` and back."""
    match node:
        case cst.AugAssign(target=target, value=value):
            yield f"{code(target)} = {code(value)}"
        case cst.Assign(targets=[cst.AssignTarget(target=cst.Subscript() | cst.Attribute() as target)]):
            yield f"{code(target)} += {code(node.value)}"
        case cst.Assign(targets=[cst.AssignTarget(target=cst.Name(value=name))], value=cst.BinaryOperation()):
            if any(isinstance(part, cst.Name) and part.value == name for part in descendants(node.value)):
                yield f"{name} += {code(node.value)}"


@operator("return torch.where(mask, x, y)", "return torch.where(mask, y, x)")
def arguments_swapped(node: Node, _: Sequence[Node]) -> Iterator[Change]:
    """Neighbouring arguments, or parts of a tuple, swapped."""
    match node:
        case cst.Call(args=args):
            for place in range(len(args) - 1):
                if not any(arg.keyword or arg.star for arg in args[place : place + 2]):
                    yield with_args(node, swapped(args, place))
        case cst.Tuple(elements=elements):
            for place in range(len(elements) - 1):
                if not any(isinstance(e, cst.StarredElement) for e in elements[place : place + 2]):
                    yield node.with_changes(elements=swapped(elements, place))


@operator("return images[:, row, column]", "return images[:, column, row]")
def index_axes_swapped(node: Node, _: Sequence[Node]) -> Iterator[Change]:
    """Neighbouring axes of an index swapped: height for width."""
    if isinstance(node, cst.Subscript):
        for place in range(len(node.slice) - 1):
            yield node.with_changes(slice=swapped(node.slice, place))


@operator("return torch.arange(n, device=x.device)", "return torch.arange(n)")
def factory_fixed(node: Node, _: Sequence[Node]) -> Iterator[Change]:
    """dtype or device of a factory call dropped or fixed."""
    match node:
        case cst.Arg(keyword=cst.Name(value="dtype")):
            yield "dtype=torch.float32"
        case cst.Arg(keyword=cst.Name(value="device")):
            yield 'device="cpu"'
        case cst.Dict(elements=elements):
            for place, element in enumerate(elements):
                if isinstance(element, cst.DictElement) and code(element.key) in ('"dtype"', '"device"'):
                    kept = [e for index, e in enumerate(elements) if index != place]
                    yield node.with_changes(elements=kept)
        case cst.Call():
            for place, arg in enumerate(node.args):
                if keyword(arg) in ("dtype", "device") or arg.star == "**":
                    yield without(node, place)
            name = name_of(node)
            if name.startswith("new_") and is_method(node) and name != "new_tensor":
                bare = node.with_changes(func=cst.Attribute(cst.Name("torch"), cst.Name(name[4:])))
                yield bare
            elif name.endswith("_like") and len(node.args) == 1:
                yield f"torch.{name[:-5]}({atom(node.args[0].value)}.shape)"
            elif name == "to" and is_method(node):
                yield f"{atom(cst.ensure_type(node.func, cst.Attribute).value)}.float()"


@operator("mask[rows] = 0\nreturn mask", "pass\nreturn mask")
def statement_removed(node: Node, _: Sequence[Node]) -> Iterator[Change]:
    """A statement removed."""
    if isinstance(node, cst.BaseStatement) and code(node).strip() != "pass":
        yield "pass"


@operator("with torch.no_grad():\n    w -= dw\nreturn w", "if True:\n    w -= dw\nreturn w")
def context_dropped(node: Node, _: Sequence[Node]) -> Iterator[Change]:
    """A context dropped, such as `no_grad`: what is in it runs without."""
    match node:
        case cst.With(items=[cst.WithItem(asname=None)], body=body):
            yield cst.If(cst.Name("True"), body)


@operator("if negative:\n    x = -x\nreturn x", "if True:\n    x = -x\nreturn x")
def branch_forced(node: Node, _: Sequence[Node]) -> Iterator[Change]:
    """A branch forced."""
    match node:
        case cst.If():
            yield from (node.with_changes(test=cst.Name(value)) for value in ("True", "False"))
        case cst.IfExp(body=body, orelse=orelse):
            yield body
            yield orelse
        case cst.CompIf():
            yield "if True"
        case cst.While():
            yield node.with_changes(test=cst.Name("False"))


@operator("for i in range(n):\n    total += x[i]", "for i in range(n - 1):\n    total += x[i]")
def loop_cut(node: Node, _: Sequence[Node]) -> Iterator[Change]:
    """A loop one short."""
    if isinstance(node, cst.For | cst.CompFor):
        match node.iter:
            case cst.Call(func=cst.Name(value="range"), args=[cst.Arg(value=value)]):
                shorter = f"range({_plus(value, -1)})"
            case cst.Call(func=cst.Name(value="range"), args=[first, cst.Arg(value=value)]):
                shorter = f"range({code(first.value)}, {_plus(value, -1)})"
            case other:
                shorter = f"list({code(other)})[:-1]"
        yield node.with_changes(iter=cst.parse_expression(shorter))


@operator(
    "for x in batch:\n    total = total + x\nreturn total",
    "for x in batch:\n    total = total + x\n    return total\nreturn total",
)
def returned_early(node: Node, following: Sequence[Node]) -> Iterator[Change]:
    """Early return: in the first pass of a loop; where nothing is returned, before a statement."""
    match node, [*following]:
        case cst.For(body=cst.IndentedBlock() as block), [
            cst.SimpleStatementLine(body=[cst.Return()]) as last
        ]:
            yield node.with_changes(body=block.with_changes(body=[*block.body, last]))
        case cst.BaseStatement(), [_, *_]:
            if not any(isinstance(part, cst.Return) for part in descendants(node, *following)):
                yield "return"


def descendants(*nodes: Node) -> Iterator[Node]:
    """Nodes and all that is in them."""
    for node in nodes:
        yield node
        yield from descendants(*node.children)
