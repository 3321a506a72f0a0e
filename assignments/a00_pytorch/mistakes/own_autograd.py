"""How people get `own_autograd` wrong, and the hint each mistake deserves."""

import torch

from exercise_code.own_autograd import Value
from exercise_code.support.checking.declare import mistake

VALUE = "own_autograd.Value."
ADD, MUL, TANH = f"{VALUE}__add__", f"{VALUE}__mul__", f"{VALUE}tanh"
ORDER, BACKWARD = f"{VALUE}topological_order", f"{VALUE}backward"


# Operations
@mistake(ADD, hint="These are the slopes of a product. When an input of a sum grows by 1, so does the sum.")
def sum_with_slopes_of_a_product(self, other):
    return Value(self.data + other.data, (self, other), (other.data, self.data))


@mistake(ADD, hint="The sum has forgotten what it was made of: pass on its inputs and slopes as well.")
def sum_without_inputs(self, other):
    return Value(self.data + other.data)


@mistake(ADD, hint="The sum is computed in place, so that the first input has changed: make a new tensor.")
def sum_in_place(self, other):
    self.data += other.data
    one = torch.ones_like(self.data)
    return Value(self.data, (self, other), (one, one))


@mistake(ADD, hint="Only the first input is remembered: the second one has a slope too.")
def sum_remembers_one(self, other):
    return Value(self.data + other.data, (self,), (torch.ones_like(self.data),))


@mistake(MUL, hint="Each input has its own value for a slope. In which direction does w x grow with w?")
def product_with_swapped_slopes(self, other):
    return Value(self.data * other.data, (self, other), (self.data, other.data))


@mistake(MUL, hint="Slopes of 1 belong to a sum. A product grows faster the larger the other factor is.")
def product_with_slopes_of_a_sum(self, other):
    one = torch.ones_like(self.data)
    return Value(self.data * other.data, (self, other), (one, one))


@mistake(MUL, hint="The product knows nothing of its factors: it needs inputs and slopes besides its data.")
def product_without_inputs(self, other):
    return Value(self.data * other.data)


@mistake(MUL, hint="This is a matrix product, or one of rows; the product here goes entry by entry.")
def product_of_matrices(self, other):
    return Value(self.data @ other.data.T @ other.data, (self, other), (other.data, self.data))


@mistake(TANH, hint="The slope is 1 minus the square of the output; here the input is squared.")
def slope_from_input(self):
    return Value(self.data.tanh(), (self,), (1 - self.data**2,))


@mistake(TANH, hint="The square is missing in the slope: 1 minus the output is not yet the derivative.")
def slope_without_square(self):
    return Value(self.data.tanh(), (self,), (1 - self.data.tanh(),))


@mistake(TANH, hint="This is the slope of the sigmoid, y (1 - y); look up that of tanh.")
def slope_of_sigmoid(self):
    y = self.data.tanh()
    return Value(y, (self,), (y * (1 - y),))


@mistake(TANH, hint="The value is right, but it has no input and no slope: it would pass for a leaf.")
def tanh_without_inputs(self):
    return Value(self.data.tanh())


# Order
@mistake(ORDER, hint="Some Values come several times. Remember which have been visited.")
def each_way_anew(self):
    return [value for below in self.inputs for value in below.topological_order()] + [self]


@mistake(
    ORDER, hint="Results come before their inputs: this order is the wrong way round, or noted too early."
)
def results_first(self):
    order = []

    def visit(value):
        if value not in order:
            order.append(value)
            for below in value.inputs:
                visit(below)

    visit(self)
    return order


@mistake(
    ORDER,
    hint="Turning a walk round is not enough: a Value is noted only once all its inputs have been noted.",
)
def turned_round(self):
    return results_first.function(self)[::-1]


@mistake(ORDER, hint="Layer by layer goes wrong where a short and a long way lead to the same Value.")
def layer_by_layer(self):
    order, waiting = [], [self]
    while waiting:
        value = waiting.pop(0)
        if value not in order:
            order.append(value)
            waiting += value.inputs
    return order[::-1]


@mistake(ORDER, hint="The Value itself is missing: it belongs at the end of its own order.")
def without_itself(self):
    order = []

    def visit(value):
        if value not in order:
            for below in value.inputs:
                visit(below)
            order.append(value)

    visit(self)
    return order[:-1]


@mistake(ORDER, hint="Leaves are missing: a Value without inputs belongs into the order as well.")
def without_leaves(self):
    order = []

    def visit(value):
        if value.inputs and value not in order:
            for below in value.inputs:
                visit(below)
            order.append(value)

    visit(self)
    return order


@mistake(ORDER, hint="Only the direct inputs are there: go on to the inputs of these, and so forth.")
def one_step_deep(self):
    return [*dict.fromkeys(self.inputs), self]


# Backward
def passed_back(self, order, share, clear=True, seed=1.0):
    """Go backward through an order; `share` says what an input holds afterwards."""
    for value in order if clear else ():
        value.grad = torch.zeros_like(value.data)
    self.grad = torch.full_like(self.data, seed)
    for value in order[::-1]:
        for below, slope in zip(value.inputs, value.slopes, strict=True):
            below.grad = share(below, slope, value)


def added(below, slope, value):
    """As it should be."""
    return below.grad + slope * value.grad


@mistake(
    BACKWARD, hint="The gradient is overwritten where a Value is used twice: what comes along each way adds."
)
def overwritten(self):
    passed_back(self, self.topological_order(), lambda below, slope, value: slope * value.grad)


@mistake(
    BACKWARD, hint="All gradients are 0: the derivative of a result with respect to itself is 1, so begin so."
)
def without_a_start(self):
    passed_back(self, self.topological_order(), added, seed=0.0)


@mistake(
    BACKWARD,
    hint="Only the inputs of the result have a gradient: walk from the result to the leaves.",
)
def from_the_leaves(self):
    passed_back(self, self.topological_order()[::-1], added)


@mistake(BACKWARD, hint="What `grad` held before is added: set it to zeros first.")
def not_cleared(self):
    passed_back(self, self.topological_order(), added, clear=False)


@mistake(
    BACKWARD, hint="The slopes are added, but not multiplied by what comes from the result: the chain rule."
)
def slopes_alone(self):
    passed_back(self, self.topological_order(), lambda below, slope, value: below.grad + slope)


@mistake(
    BACKWARD, hint="What comes from the result is passed on as it is: multiply it by the slope of each link."
)
def without_slopes(self):
    passed_back(self, self.topological_order(), lambda below, slope, value: below.grad + value.grad)


@mistake(BACKWARD, hint="Values are multiplied in place of slopes; an input is no derivative.")
def by_values(self):
    passed_back(
        self, self.topological_order(), lambda below, slope, value: below.grad + below.data * value.grad
    )


@mistake(
    BACKWARD, hint="The walk starts from the data of the result; it starts from 1, for its slope in itself."
)
def from_the_data(self):
    order = self.topological_order()
    for value in order:
        value.grad = torch.zeros_like(value.data)
    self.grad = self.data.clone()
    for value in order[::-1]:
        for below, slope in zip(value.inputs, value.slopes, strict=True):
            below.grad += slope * value.grad
