"""Changes that keep the meaning: other ways to write a solution, which must lose no point.

They are operators like those of `operators.py`, for torch; `np` stands in for it in exercises for NumPy. An
operand is named by a lambda where its value is needed twice, so that it is still computed once.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import libcst as cst
import torch

from exercise_code.support.checking.declare import Check
from grading.mutants.operators import (
    Change,
    Make,
    Node,
    Operator,
    atom,
    code,
    is_method,
    keyword,
    name_of,
    operator,
)

REWRITES: list[Operator] = []
MATHEMATICS = {"exp", "log", "log1p", "sqrt", "square", "sum", "mean", "logsumexp", "softmax", "log_softmax"}


def rewrites_for(checks: Sequence[Check]) -> list[Operator]:
    """The rewrites that some checks allow, for the library that they ask for."""
    vectorised = any(check.loops == 0 for check in checks)
    with_numpy = any(check.library == "numpy" for check in checks)
    wanted = [
        r
        for r in REWRITES
        if not (vectorised and r.make is looped) and not (with_numpy and r.make is in_float64)
    ]
    return [replace(r, make=_for_numpy(r.make)) for r in wanted] if with_numpy else wanted


def _for_numpy(make: Make) -> Make:
    def made(node: Node, following: Sequence[Node]) -> Iterator[Change]:
        for change in make(node, following):
            yield (change if isinstance(change, str) else code(change)).replace("torch.", "np.")

    return made


@operator("dx[rows, y] -= 1", "dx[rows, y] = dx[rows, y] - 1", REWRITES)
def out_of_place(node: Node, _: Sequence[Node]) -> Iterator[Change]:
    """Out of place for in place: entries and attributes, and what a call has just made."""
    match node:
        case cst.AugAssign(target=cst.Subscript() | cst.Attribute() as target, operator=sign, value=value):
            yield f"{code(target)} = {code(target)} {code(sign).strip().removesuffix('=')} {atom(value)}"
        case cst.Call(func=cst.Attribute(value=cst.Call(), attr=cst.Name(value=name))) if name.endswith("_"):
            if callable(getattr(torch.Tensor, name[:-1], None)):  # not so: __init__, requires_grad_
                yield node.with_changes(func=node.func.with_changes(attr=cst.Name(name[:-1])))


EINSUM = 'torch.einsum("...ij,...jk->...ik", p, q) if min(p.ndim, q.ndim) > 1 else p @ q'


@operator("return a @ b", f"return (lambda p, q: {EINSUM})(a, b)", REWRITES)
def einsum(node: Node, _: Sequence[Node]) -> Iterator[Change]:
    """`einsum` for a matrix product."""
    if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.MatrixMultiply):
        yield f"(lambda p, q: {EINSUM})({code(node.left)}, {code(node.right)})"


@operator("return w.T", "return torch.swapaxes(w, -2, -1)", REWRITES)
def transposed_by_call(node: Node, _: Sequence[Node]) -> Iterator[Change]:
    """A call for `.T`, and `.T` for a call."""
    match node:
        case cst.Attribute(value=value, attr=cst.Name(value="T" | "mT")):
            yield f"torch.swapaxes({code(value)}, -2, -1)"
        case cst.Call(func=cst.Attribute(value=value, attr=cst.Name(value="t")), args=[]):
            yield f"{atom(value)}.T"
        case cst.Call(func=cst.Attribute(value=value, attr=cst.Name(value="transpose")), args=args):
            if is_method(node) and [code(arg.value) for arg in args] in (["0", "1"], ["1", "0"]):
                yield f"(lambda x: x.T if x.ndim == 2 else x.transpose(0, 1))({code(value)})"


@operator("return x.sum(dim=1)", "return (lambda x: sum(x[:, i] for i in range(x.shape[1])))(x)", REWRITES)
def looped(node: Node, _: Sequence[Node]) -> Iterator[Change]:
    """An explicit loop for a sum along an axis, or for a matrix product row by row."""
    match node:
        case cst.Call(args=[arg]) if name_of(node) == "sum" and is_method(node):
            axis = code(arg.value)
            if keyword(arg) in ("", "dim", "axis") and axis in ("0", "1"):
                place = ":, " * int(axis)
                owner = code(cst.ensure_type(node.func, cst.Attribute).value)
                yield f"(lambda x: sum(x[{place}i] for i in range(x.shape[{axis}])))({owner})"
        case cst.BinaryOperation(left=left, operator=cst.MatrixMultiply(), right=right):
            rows = "torch.stack([row @ q for row in p]) if p.ndim == 2 else p @ q"
            yield f"(lambda p, q: {rows})({code(left)}, {code(right)})"


@operator(
    "return x.exp()",
    "return (lambda x: x.double().exp().to(x.dtype) if x.is_floating_point() else x.exp())(x)",
    REWRITES,
)
def in_float64(node: Node, _: Sequence[Node]) -> Iterator[Change]:
    """float64 inside, and cast back."""
    match node:
        case cst.Call() if is_method(node) and name_of(node) in MATHEMATICS:
            call = f"{name_of(node)}({', '.join(code(arg).rstrip(', ') for arg in node.args)})"
            chosen = f"x.double().{call}.to(x.dtype) if x.is_floating_point() else x.{call}"
            yield f"(lambda x: {chosen})({code(cst.ensure_type(node.func, cst.Attribute).value)})"
        case cst.BinaryOperation(left=left, operator=cst.MatrixMultiply(), right=right):
            product = "(p.double() @ q.double()).to(p.dtype)"
            yield f"(lambda p, q: {product})({code(left)}, {code(right)})"


GAPS = "torch.stack([torch.stack([t, t], -1)] * 2, -3)[..., 0, :, 0]"
SPREAD = f'(lambda t: {GAPS} if getattr(t, "ndim", 0) else t)'


@operator("return out", f"return {SPREAD}(out)", REWRITES)
def not_contiguous(node: Node, _: Sequence[Node]) -> Iterator[Change]:
    """Results that are not contiguous, one at a time."""
    if not isinstance(node, cst.Return) or node.value is None:
        return
    if isinstance(node.value, cst.Tuple):
        elements = node.value.elements
        for place, element in enumerate(elements):
            spaced = cst.parse_expression(f"{SPREAD}({code(element.value)})")
            changed = [*elements[:place], element.with_changes(value=spaced), *elements[place + 1 :]]
            yield node.with_changes(value=node.value.with_changes(elements=changed))
    else:
        yield f"return {SPREAD}({code(node.value)})"
