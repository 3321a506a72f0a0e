"""An autograd of one's own: numbers that remember what they were computed from."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor


class Value:
    """A tensor that remembers what it was computed from, entry by entry, and with which slopes.

    All Values of a computation have one shape: each entry is a computation of its own.

    Attributes:
        data: the numbers.
        inputs: the Values that it was computed from; none for a leaf.
        slopes: for each of the inputs the derivative of this Value with respect to it.
        grad: the derivative of the last result with respect to this Value, once that has gone `backward`.
    """

    def __init__(
        self,
        data: Float[Tensor, "*shape"],
        inputs: Sequence["Value"] = (),
        slopes: Sequence[Float[Tensor, "*shape"]] = (),
    ) -> None:
        """A leaf, or, with inputs and slopes, what an operation has computed."""
        self.data, self.inputs, self.slopes = data, inputs, slopes
        self.grad = torch.zeros_like(data)

    def __add__(self, other: "Value") -> "Value":
        """The sum, `self + other`, with its two inputs and their slopes."""
        ### BEGIN SOLUTION
        one = torch.ones_like(self.data)
        return Value(self.data + other.data, (self, other), (one, one))
        ### END SOLUTION

    def __mul__(self, other: "Value") -> "Value":
        """The product, `self * other`, with its two inputs and their slopes."""
        ### BEGIN SOLUTION
        return Value(self.data * other.data, (self, other), (other.data, self.data))
        ### END SOLUTION

    def tanh(self) -> "Value":
        """The hyperbolic tangent, which squashes numbers to between -1 and 1, with its input and slope."""
        ### BEGIN SOLUTION
        y = self.data.tanh()
        return Value(y, (self,), (1 - y**2,))
        ### END SOLUTION

    def topological_order(self) -> list["Value"]:
        """All Values that this one depends on, itself among them: each once, and behind its inputs.

        Not allowed here: graphlib.TopologicalSorter.

        Returns:
            The Values; this one is the last. Where several orders are right, any of them.
        """
        ### BEGIN SOLUTION
        order, seen = [], set()

        def visit(value: Value) -> None:
            if value not in seen:
                seen.add(value)
                for below in value.inputs:
                    visit(below)
                order.append(value)

        visit(self)
        return order
        ### END SOLUTION

    def backward(self) -> None:
        """Set `grad` of all Values that this one depends on, from the end of the chain to its beginning.

        The `grad` of a Value is the derivative of this one with respect to it; that of this one is 1. Where
        several ways lead from a Value to this one, what comes along each is added up. What any `grad` held
        before does not count. Not allowed here: autograd.
        """
        ### BEGIN SOLUTION
        order = self.topological_order()
        for value in order:
            value.grad = torch.zeros_like(value.data)
        self.grad = torch.ones_like(self.data)
        for value in reversed(order):
            for below, slope in zip(value.inputs, value.slopes, strict=True):
                below.grad += slope * value.grad
        ### END SOLUTION
