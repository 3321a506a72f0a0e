"""Right versions of `own_autograd`, written otherwise."""

import torch

from exercise_code.own_autograd import Value
from exercise_code.support.checking.declare import variant

VALUE = "own_autograd.Value."


@variant(f"{VALUE}__add__")
def sum_with_the_number_one(self, other):
    return Value(torch.add(self.data, other.data), [other, self], [1.0, 1.0])


@variant(f"{VALUE}__add__")
def sum_of_one_input_twice(self, other):
    two, one = torch.full_like(self.data, 2), torch.ones_like(self.data)
    if self is other:
        return Value(2 * self.data, (self,), (two,))
    return Value(self.data + other.data, (self, other), (one, one))


@variant(f"{VALUE}__mul__")
def product_turned(self, other):
    return Value(torch.mul(other.data, self.data), [other, self], [self.data.clone(), other.data.clone()])


@variant(f"{VALUE}__mul__")
def square_apart(self, other):
    if self is other:
        return Value(self.data**2, (self,), (2 * self.data,))
    return Value(self.data * other.data, (self, other), (other.data, self.data))


@variant(f"{VALUE}tanh")
def tanh_by_exponentials(self):
    up, down = self.data.exp(), (-self.data).exp()
    return Value((up - down) / (up + down), [self], [4 / (up + down) ** 2])


@variant(f"{VALUE}tanh")
def tanh_by_sigmoid(self):
    p = torch.sigmoid(2 * self.data)
    return Value(2 * p - 1, (self,), (4 * p * (1 - p),))


@variant(f"{VALUE}topological_order")
def without_recursion(self):
    order, stack = [], [(self, False)]
    while stack:
        value, ready = stack.pop()
        if ready:
            order.append(value)
        elif not any(value is done for done in order):
            stack.append((value, True))
            stack += [(below, False) for below in value.inputs]
    return [*dict.fromkeys(order)]


@variant(f"{VALUE}topological_order")
def by_counting_uses(self):
    uses, waiting = {self: 0}, [self]
    while waiting:
        for below in waiting.pop().inputs:
            if below not in uses:
                uses[below] = 0
                waiting.append(below)
            uses[below] += 1
    order, free = [], [self]
    while free:
        value = free.pop()
        order.append(value)
        for below in value.inputs:
            uses[below] -= 1
            if not uses[below]:
                free.append(below)
    return order[::-1]


@variant(f"{VALUE}topological_order")
def of_the_inputs_first(self):
    earlier = [value for below in self.inputs for value in below.topological_order()]
    return [*dict.fromkeys(earlier), self]


@variant(f"{VALUE}backward")
def by_a_table(self):
    gradients = {self: torch.ones_like(self.data)}
    for value in reversed(self.topological_order()):
        value.grad = gradients[value]
        for below, slope in zip(value.inputs, value.slopes, strict=True):
            gradients[below] = gradients.get(below, 0) + slope * value.grad


@variant(f"{VALUE}backward")
def collected_from_above(self):
    order = self.topological_order()
    for place in range(len(order) - 1, -1, -1):
        value = order[place]
        arriving = [
            above.grad * slope
            for above in order[place + 1 :]
            for below, slope in zip(above.inputs, above.slopes, strict=True)
            if below is value
        ]
        value.grad = torch.stack(arriving).sum(0) if arriving else value.data.new_ones(value.data.shape)
