"""How people get `autograd_study` wrong, and the hint each mistake deserves."""

import itertools

import torch
from torch import nn

from exercise_code import autograd_study
from exercise_code.support.checking.declare import mistake
from exercise_code.support.data.augmentation import (
    Normalize,
    RandomBrightness,
    RandomFlip,
    RandomNoise,
    RandomShift,
)

A = "autograd_study."


DERIVATIVE = f"{A}derivative"


DESCENT = f"{A}gradient_descent"


CONVERGED = f"{A}converged_at"


GRAD = f"{A}grad_of"


SECOND = f"{A}second_derivative"


JACOBIAN = f"{A}jacobian"


ACCUMULATE = f"{A}accumulate_gradients"


STEP = f"{A}gradient_step"


LINE = f"{A}LinearRegressor"


POLYNOMIAL = f"{A}PolynomialRegressor"


FIT = f"{A}fit"


TRAIN = f"{A}train_transform"


VAL = f"{A}val_transform"


NET = f"{A}SmallConvNet.__init__"


# Autograd
@mistake(
    DERIVATIVE,
    hint="`backward` needs one number, or a weight for each value: ones, of the shape of ys.",
    raises=RuntimeError,
)
def derivative_without_ones(f, xs):
    xs = xs.detach().clone().requires_grad_()
    f(xs).backward()
    return xs.grad


@mistake(
    DERIVATIVE, hint="xs itself has been made to require a gradient, and its `.grad` is filled: use a copy."
)
def derivative_marks_input(f, xs):
    xs.requires_grad_()
    f(xs).sum().backward()
    return xs.grad


@mistake(DERIVATIVE, hint="Loops are ruled out: one backward pass from all values does it.")
def derivative_by_loop(f, xs):
    found = []
    for x in xs:
        leaf = x.detach().clone().requires_grad_()
        f(leaf).backward()
        found.append(leaf.grad)
    return torch.stack(found)


@mistake(DERIVATIVE, hint="A difference quotient is only near the derivative: ask autograd.")
def derivative_by_difference(f, xs):
    return (f(xs + 0.01) - f(xs)) / 0.01


@mistake(
    DERIVATIVE, hint="The mean of the values is differentiated, so each derivative is N times too small."
)
def derivative_of_mean(f, xs):
    xs = xs.detach().clone().requires_grad_()
    f(xs).mean().backward()
    return xs.grad


@mistake(DERIVATIVE, hint="The values weigh the backward pass: that makes f · f'. The weights are ones.")
def derivative_weighted_by_values(f, xs):
    xs = xs.detach().clone().requires_grad_()
    ys = f(xs)
    ys.backward(ys)
    return xs.grad


@mistake(DERIVATIVE, hint="These are the values of f, not its derivatives.")
def derivative_is_value(f, xs):
    return f(xs)


@mistake(DERIVATIVE, hint="The result drags its graph along: `create_graph` is not needed here.")
def derivative_with_graph(f, xs):
    xs = xs.detach().clone().requires_grad_()
    return torch.autograd.grad(f(xs).sum(), xs, create_graph=True)[0]


@mistake(DESCENT, hint="The gradient is never cleared, so every step adds those of all steps before.")
def descent_accumulates(f, x0, lr=0.1, num_iters=100):
    x = torch.tensor(x0, dtype=torch.float64, requires_grad=True)
    xs, losses = [], []
    for _ in range(num_iters + 1):
        loss = f(x)
        xs.append(x.item())
        losses.append(loss.item())
        loss.backward()
        with torch.no_grad():
            x -= lr * x.grad
    return xs, losses


@mistake(
    DESCENT,
    hint="A leaf cannot be changed in place while autograd watches: step within `torch.no_grad()`.",
    raises=RuntimeError,
)
def descent_while_watched(f, x0, lr=0.1, num_iters=100):
    x = torch.tensor(x0, dtype=torch.float64, requires_grad=True)
    xs, losses = [x.item()], [f(x).item()]
    for _ in range(num_iters):
        f(x).backward()
        x -= lr * x.grad
        x.grad = None
        xs.append(x.item())
        losses.append(f(x).item())
    return xs, losses


@mistake(
    DESCENT,
    hint="`x = x - …` makes a new tensor that is no leaf: its `.grad` stays None. Change x in place.",
    raises=TypeError,
)
def descent_binds_anew(f, x0, lr=0.1, num_iters=100):
    x = torch.tensor(x0, dtype=torch.float64, requires_grad=True)
    xs, losses = [x.item()], [f(x).item()]
    for _ in range(num_iters):
        f(x).backward()
        x = x - lr * x.grad
        xs.append(x.item())
        losses.append(f(x).item())
    return xs, losses


@mistake(
    DESCENT,
    hint="Within `no_grad`, `x = x - …` makes a tensor that requires no gradient: change x in place.",
    raises=RuntimeError,
)
def descent_loses_the_leaf(f, x0, lr=0.1, num_iters=100):
    x = torch.tensor(x0, dtype=torch.float64, requires_grad=True)
    xs, losses = [x.item()], [f(x).item()]
    for _ in range(num_iters):
        f(x).backward()
        with torch.no_grad():
            x = x - lr * x.grad
        xs.append(x.item())
        losses.append(f(x).item())
    return xs, losses


@mistake(DESCENT, hint="This walks uphill: the gradient is to be subtracted.")
def descent_uphill(f, x0, lr=0.1, num_iters=100):
    xs, losses, x = [], [], torch.tensor(float(x0), dtype=torch.float64)
    for _ in range(num_iters + 1):
        xs.append(x.item())
        losses.append(f(x).item())
        x = x + lr * autograd_study.derivative(f, x)
    return xs, losses


@mistake(DESCENT, hint="There are num_iters entries; with the start it is one more.")
def descent_without_last(f, x0, lr=0.1, num_iters=100):
    xs, losses, x = [], [], torch.tensor(float(x0), dtype=torch.float64)
    for _ in range(num_iters):
        xs.append(x.item())
        losses.append(f(x).item())
        x = x - lr * autograd_study.derivative(f, x)
    return xs, losses


@mistake(DESCENT, hint="The start is missing: x0 comes first, and one step too many at the end.")
def descent_without_start(f, x0, lr=0.1, num_iters=100):
    xs, losses, x = [], [], torch.tensor(float(x0), dtype=torch.float64)
    for _ in range(num_iters + 1):
        x = x - lr * autograd_study.derivative(f, x)
        xs.append(x.item())
        losses.append(f(x).item())
    return xs, losses


@mistake(DESCENT, hint="The lists hold tensors; Python floats are due: `.item()`.")
def descent_of_tensors(f, x0, lr=0.1, num_iters=100):
    xs, losses, x = [], [], torch.tensor(float(x0), dtype=torch.float64)
    for _ in range(num_iters + 1):
        xs.append(x)
        losses.append(f(x))
        x = x - lr * autograd_study.derivative(f, x)
    return xs, losses


@mistake(DESCENT, hint="The learning rate is missing: a step is lr times the derivative.")
def descent_without_rate(f, x0, lr=0.1, num_iters=100):
    xs, losses, x = [], [], torch.tensor(float(x0), dtype=torch.float64)
    for _ in range(num_iters + 1):
        xs.append(x.item())
        losses.append(f(x).item())
        x = x - autograd_study.derivative(f, x)
    return xs, losses


@mistake(
    DESCENT, hint="Places and losses do not belong together: a loss is that of the place one step before."
)
def descent_losses_late(f, x0, lr=0.1, num_iters=100):
    x = torch.tensor(float(x0), dtype=torch.float64)
    xs, losses = [x.item()], []
    for _ in range(num_iters):
        losses.append(f(x).item())
        x = x - lr * autograd_study.derivative(f, x)
        xs.append(x.item())
    return xs, [losses[0], *losses]


@mistake(
    CONVERGED, hint="The loss may come near once, leave, and return: from the step found on it has to stay."
)
def converged_first_touch(losses, tol):
    step = next((step for step, loss in enumerate(losses) if abs(loss - losses[-1]) <= tol), len(losses) - 1)
    return step if step < len(losses) - 1 else None


@mistake(
    CONVERGED, hint="The last step always equals itself: found there, nothing has settled, and None is due."
)
def converged_at_the_end(losses, tol):
    step = len(losses) - 1
    while step > 0 and abs(losses[step - 1] - losses[-1]) <= tol:
        step -= 1
    return step if losses[-1] == losses[-1] else None


@mistake(DESCENT, hint="f is to be given float64; `torch.tensor` of a Python float is float32 by default.")
def descent_in_float32(f, x0, lr=0.1, num_iters=100):
    x = torch.tensor(float(x0), requires_grad=True)
    xs, losses = [], []
    for _ in range(num_iters + 1):
        loss = f(x)
        xs.append(x.item())
        losses.append(loss.item())
        loss.backward()
        with torch.no_grad():
            x.sub_(lr * x.grad)
        x.grad.zero_()
    return xs, losses


@mistake(CONVERGED, hint="This compares each loss with the next one; slow creeping is taken for settled.")
def converged_by_small_steps(losses, tol):
    steps = [abs(a - b) <= tol for a, b in itertools.pairwise(losses)]
    return steps.index(True) if True in steps else None


@mistake(CONVERGED, hint="A difference of exactly tol counts as none, too.")
def converged_below_tol(losses, tol):
    step = len(losses) - 1
    while step > 0 and abs(losses[step - 1] - losses[-1]) < tol:
        step -= 1
    return step if step < len(losses) - 1 else None


@mistake(CONVERGED, hint="A loss below the last one by much is not near it: take the absolute difference.")
def converged_without_abs(losses, tol):
    step = len(losses) - 1
    while step > 0 and losses[step - 1] - losses[-1] <= tol:
        step -= 1
    return step if step < len(losses) - 1 else None


@mistake(CONVERGED, hint="This is the last step outside; the one after it is due.")
def converged_one_early(losses, tol):
    step = len(losses) - 1
    while step > 0 and abs(losses[step - 1] - losses[-1]) <= tol:
        step -= 1
    return max(step - 1, 0) if step < len(losses) - 1 else None


@mistake(CONVERGED, hint="-1 stands for nothing here; None is due where nothing has settled.")
def converged_minus_one(losses, tol):
    step = len(losses) - 1
    while step > 0 and abs(losses[step - 1] - losses[-1]) <= tol:
        step -= 1
    return step if step < len(losses) - 1 else -1


@mistake(
    GRAD,
    hint="`backward` adds to the `.grad` of all leaves; `torch.autograd.grad` leaves them alone.",
)
def grad_by_backward(outputs, inputs, create_graph=False):
    outputs.backward(torch.ones_like(outputs), create_graph=create_graph)
    return tuple(torch.zeros_like(x) if x.grad is None else x.grad for x in inputs)


@mistake(
    GRAD, hint="Several outputs need a weight each: ones, for the gradient of their sum.", raises=RuntimeError
)
def grad_of_one_number_only(outputs, inputs, create_graph=False):
    return torch.autograd.grad(outputs, inputs, create_graph=create_graph, materialize_grads=True)


@mistake(
    GRAD,
    hint="An input that the outputs do not depend on is an error by default, or None: zeros are due.",
    raises=RuntimeError,
)
def grad_of_used_only(outputs, inputs, create_graph=False):
    return torch.autograd.grad(outputs.sum(), inputs, create_graph=create_graph)


@mistake(GRAD, hint="For an input that is not used None comes back; zeros of its shape are due.")
def grad_none_for_unused(outputs, inputs, create_graph=False):
    return torch.autograd.grad(outputs.sum(), inputs, create_graph=create_graph, allow_unused=True)


@mistake(
    GRAD,
    hint="`create_graph` is not passed on, so that these gradients cannot be differentiated.",
    raises=RuntimeError,
)
def grad_without_graph(outputs, inputs, create_graph=False):
    return torch.autograd.grad(outputs.sum(), inputs, materialize_grads=True)


@mistake(GRAD, hint="A graph is always kept. It costs memory: make it when `create_graph` asks for it.")
def grad_always_with_graph(outputs, inputs, create_graph=False):
    return torch.autograd.grad(outputs.sum(), inputs, create_graph=True, materialize_grads=True)


@mistake(GRAD, hint="This is the gradient of the mean; that of the sum is due.")
def grad_of_mean(outputs, inputs, create_graph=False):
    return torch.autograd.grad(outputs.mean(), inputs, create_graph=create_graph, materialize_grads=True)


@mistake(
    SECOND,
    hint="The first gradient has no graph to go back through: ask for one with `create_graph`.",
    raises=RuntimeError,
)
def second_without_graph(f, xs):
    xs = xs.detach().clone().requires_grad_()
    (first,) = torch.autograd.grad(f(xs).sum(), xs)
    return torch.autograd.grad(first.sum(), xs)[0]


@mistake(SECOND, hint="This is the first derivative: differentiate it once more.")
def second_is_first(f, xs):
    return autograd_study.derivative(f, xs)


@mistake(SECOND, hint="The derivative is multiplied by itself: (f')² is not f''.")
def second_is_square(f, xs):
    return autograd_study.derivative(f, xs) ** 2


@mistake(SECOND, hint="Two backward passes add up in `.grad`, so this holds f' + f'': clear it in between.")
def second_accumulated(f, xs):
    xs = xs.detach().clone().requires_grad_()
    f(xs).sum().backward(create_graph=True)
    xs.grad.sum().backward()
    return xs.grad.detach()


@mistake(SECOND, hint="f is applied to its own derivative: f(f'(x)) is not f''(x).")
def second_of_values(f, xs):
    return autograd_study.derivative(f, autograd_study.derivative(f, xs))


@mistake(SECOND, hint="The result still carries a graph: the last differentiation needs none.")
def second_with_graph(f, xs):
    xs = xs.detach().clone().requires_grad_()
    (first,) = torch.autograd.grad(f(xs).sum(), xs, create_graph=True)
    return torch.autograd.grad(first.sum(), xs, create_graph=True)[0]


@mistake(
    JACOBIAN,
    hint="The first backward pass frees the graph, the second finds none: keep it for the next output.",
    raises=RuntimeError,
)
def jacobian_frees_graph(outputs, inputs):
    return torch.stack([torch.autograd.grad(output, inputs)[0] for output in outputs])


@mistake(JACOBIAN, hint="This is the gradient of the sum of all outputs; each output has a row of its own.")
def jacobian_summed(outputs, inputs):
    return torch.autograd.grad(outputs.sum(), inputs)[0]


@mistake(JACOBIAN, hint="Rows are outputs, columns are inputs: yours is the transpose.")
def jacobian_transposed(outputs, inputs):
    rows = [torch.autograd.grad(output, inputs, retain_graph=True)[0] for output in outputs]
    return torch.stack(rows, dim=1)


@mistake(
    JACOBIAN, hint="`.grad` grows from row to row, so each row holds all rows before: ask for each alone."
)
def jacobian_accumulated(outputs, inputs):
    rows = []
    for output in outputs:
        output.backward(retain_graph=True)
        rows.append(inputs.grad.clone())
    inputs.grad = None
    return torch.stack(rows)


@mistake(
    JACOBIAN,
    hint="All rows are one tensor, `.grad`, which ends up in all of them: keep copies, or use `grad`.",
)
def jacobian_same_tensor(outputs, inputs):
    rows = []
    inputs.grad = torch.zeros_like(inputs)
    for output in outputs:
        inputs.grad.zero_()
        output.backward(retain_graph=True)
        rows.append(inputs.grad)
    inputs.grad = None
    return torch.stack(rows)


@mistake(JACOBIAN, hint="The rows are right, but something is left in `inputs.grad`.")
def jacobian_leaves_grad(outputs, inputs):
    rows = []
    for output in outputs:
        inputs.grad = None
        output.backward(retain_graph=True)
        rows.append(inputs.grad)
    return torch.stack(rows)


@mistake(ACCUMULATE, hint="What `w.grad` held before is still in it: clear it first.")
def accumulate_on_top(loss_fn, w, batches):
    for batch in batches:
        (loss_fn(w, batch) / len(batches)).backward()
    return w.grad


@mistake(ACCUMULATE, hint="This is the gradient of the sum over the batches; of their mean it is due.")
def accumulate_sum(loss_fn, w, batches):
    w.grad = None
    for batch in batches:
        loss_fn(w, batch).backward()
    return w.grad


@mistake(ACCUMULATE, hint="Cleared within the loop, only the last batch remains.")
def accumulate_last_only(loss_fn, w, batches):
    for batch in batches:
        w.grad = None
        (loss_fn(w, batch) / len(batches)).backward()
    return w.grad


@mistake(ACCUMULATE, hint="The gradient is right, but `w.grad` does not hold it afterwards.")
def accumulate_beside(loss_fn, w, batches):
    losses = [loss_fn(w, batch) for batch in batches]
    return torch.autograd.grad(sum(losses) / len(losses), w)[0]


@mistake(
    ACCUMULATE, hint="Batches count by their size here; the mean over batches is due, each counting once."
)
def accumulate_by_size(loss_fn, w, batches):
    w.grad = None
    total = sum(len(batch) for batch in batches)
    for batch in batches:
        (loss_fn(w, batch) * len(batch) / total).backward()
    return w.grad


@mistake(ACCUMULATE, hint="w has taken a step; only its gradient was asked for.")
def accumulate_and_step(loss_fn, w, batches):
    w.grad = None
    for batch in batches:
        (loss_fn(w, batch) / len(batches)).backward()
    with torch.no_grad():
        w -= 0.1 * w.grad
    return w.grad


@mistake(
    STEP,
    hint="A leaf cannot be changed in place while autograd watches: step within `torch.no_grad()`.",
    raises=RuntimeError,
)
def step_while_watched(params, lr):
    for param in params:
        if param.grad is not None:
            param -= lr * param.grad
            param.grad = None


@mistake(STEP, hint="`param = …` only gives the name to a new tensor; the parameter itself stays as it was.")
def step_binds_anew(params, lr):
    for param in params:
        if param.grad is not None:
            new = param.detach() - lr * param.grad
            param.grad = None
            param = new


@mistake(
    STEP,
    hint="The gradients are still there: set each to None in the same loop, for `params` can run dry.",
)
def step_keeps_gradients(params, lr):
    with torch.no_grad():
        for param in params:
            if param.grad is not None:
                param -= lr * param.grad


@mistake(
    STEP,
    hint="A parameter that the loss did not use has the gradient None: leave it alone.",
    raises=TypeError,
)
def step_trusts_gradients(params, lr):
    with torch.no_grad():
        for param in params:
            param -= lr * param.grad
            param.grad = None


@mistake(STEP, hint="This goes uphill: the gradient is to be subtracted.")
def step_uphill(params, lr):
    with torch.no_grad():
        for param in params:
            if param.grad is not None:
                param += lr * param.grad
                param.grad = None


@mistake(STEP, hint="The learning rate is missing: a step is lr times the gradient.")
def step_without_rate(params, lr):
    with torch.no_grad():
        for param in params:
            if param.grad is not None:
                param -= param.grad
                param.grad = None


@mistake(STEP, hint="The parameters require no gradient any more, so that the next step has none to take.")
def step_freezes(params, lr):
    for param in params:
        if param.grad is not None:
            gradient, param.grad = param.grad, None
            param.requires_grad_(False)
            param -= lr * gradient


@mistake(
    f"{LINE}.__init__",
    hint="A plain tensor is no parameter: the optimiser will not see it. Wrap it in `nn.Parameter`.",
)
def line_of_plain_tensors(self):
    nn.Module.__init__(self)
    self.weight = torch.zeros(1, requires_grad=True)
    self.bias = torch.zeros(1, requires_grad=True)


@mistake(
    f"{LINE}.__init__",
    hint="The first line is gone that calls nn.Module: it makes the place where parameters go.",
    raises=AttributeError,
)
def line_without_super(self):
    self.weight = nn.Parameter(torch.zeros(1))
    self.bias = nn.Parameter(torch.zeros(1))


@mistake(f"{LINE}.__init__", hint="The parameters start at random numbers; zeros are due here.")
def line_from_random(self):
    nn.Module.__init__(self)
    self.weight = nn.Parameter(torch.randn(1))
    self.bias = nn.Parameter(torch.randn(1))


@mistake(f"{LINE}.__init__", hint="The shape of each is (1,), not ().")
def line_of_rank_zero(self):
    nn.Module.__init__(self)
    self.weight = nn.Parameter(torch.tensor(0.0))
    self.bias = nn.Parameter(torch.tensor(0.0))


@mistake(
    f"{LINE}.__init__",
    hint="The bias is missing: the line would have to pass through the origin.",
    raises=AttributeError,
)
def line_without_bias(self):
    nn.Module.__init__(self)
    self.weight = nn.Parameter(torch.zeros(1))


@mistake(
    f"{LINE}.__init__",
    hint="A tensor in a list is hidden from nn.Module: make it an attribute of its own.",
    raises=AttributeError,
)
def line_in_a_list(self):
    nn.Module.__init__(self)
    self.params = [nn.Parameter(torch.zeros(1)), nn.Parameter(torch.zeros(1))]


@mistake(f"{LINE}.forward", hint="The bias is left out.")
def line_through_origin(self, x):
    return self.weight * x


@mistake(f"{LINE}.forward", hint="The result has lost its second axis: (N, 1) is due.")
def line_flat(self, x):
    return (self.weight * x + self.bias).squeeze(1)


@mistake(f"{LINE}.forward", hint="Weight and bias have changed places.")
def line_swapped(self, x):
    return self.bias * x + self.weight


@mistake(
    f"{LINE}.forward",
    hint="`.data`, `detach` and `item` cut the graph: the parameters get no gradient.",
    raises=RuntimeError,
)
def line_cut(self, x):
    return self.weight.detach() * x + self.bias.detach()


@mistake(f"{LINE}.forward", hint="A line has no kink: nothing is to be cut off at zero.")
def line_with_relu(self, x):
    return (self.weight * x + self.bias).relu()


@mistake(
    f"{POLYNOMIAL}.__init__", hint="A polynomial of degree d has d + 1 coefficients: the constant is one."
)
def polynomial_one_short(self, degree):
    nn.Module.__init__(self)
    self.coefficients = nn.Parameter(torch.zeros(degree))


@mistake(f"{POLYNOMIAL}.__init__", hint="A plain tensor is no parameter: wrap it in `nn.Parameter`.")
def polynomial_of_plain_tensor(self, degree):
    nn.Module.__init__(self)
    self.coefficients = torch.zeros(degree + 1, requires_grad=True)


@mistake(
    f"{POLYNOMIAL}.__init__", hint="The coefficients have two axes here; the shape (degree + 1,) is due."
)
def polynomial_as_column(self, degree):
    nn.Module.__init__(self)
    self.coefficients = nn.Parameter(torch.zeros(degree + 1, 1))


@mistake(f"{POLYNOMIAL}.__init__", hint="The coefficients start at ones; zeros are due.")
def polynomial_from_ones(self, degree):
    nn.Module.__init__(self)
    self.coefficients = nn.Parameter(torch.ones(degree + 1))


@mistake(
    f"{POLYNOMIAL}.forward", hint="The constant comes first in `coefficients`; here the highest power does."
)
def polynomial_highest_first(self, x):
    powers = torch.arange(len(self.coefficients), device=x.device)
    return x**powers @ self.coefficients.flip(0)[:, None]


@mistake(f"{POLYNOMIAL}.forward", hint="The powers start at 1; the constant belongs to the power 0.")
def polynomial_from_one(self, x):
    powers = torch.arange(1, len(self.coefficients) + 1, device=x.device)
    return x**powers @ self.coefficients[:, None]


@mistake(f"{POLYNOMIAL}.forward", hint="The result is (N,); keep the second axis: (N, 1).")
def polynomial_flat(self, x):
    powers = torch.arange(len(self.coefficients), device=x.device)
    return x**powers @ self.coefficients


@mistake(
    f"{POLYNOMIAL}.forward",
    hint="x is multiplied by the number of the coefficient instead of raised to that power.",
)
def polynomial_of_multiples(self, x):
    powers = torch.arange(len(self.coefficients), device=x.device)
    return x * powers @ self.coefficients[:, None]


@mistake(
    f"{POLYNOMIAL}.forward", hint="The powers are made on the CPU: make them where x is, with `device=`."
)
def polynomial_on_cpu(self, x):
    return x ** torch.arange(len(self.coefficients)) @ self.coefficients[:, None]


@mistake(
    f"{POLYNOMIAL}.forward", hint="This has the right terms but takes their mean: they are to be added up."
)
def polynomial_mean(self, x):
    powers = torch.arange(len(self.coefficients), device=x.device)
    return (x**powers * self.coefficients).mean(1, keepdim=True)


@mistake(
    FIT, hint="This is the sum of squares: take their mean, or the step grows with the number of points."
)
def fit_sum(model, x, y, lr=0.1, num_iters=100):
    losses = []
    for _ in range(num_iters):
        loss = (model(x) - y).square().sum()
        losses.append(loss.item())
        loss.backward()
        autograd_study.gradient_step(model.parameters(), lr)
    return losses


@mistake(FIT, hint="Absolute differences are not squared ones (L1 instead of the mean squared error).")
def fit_absolute(model, x, y, lr=0.1, num_iters=100):
    losses = []
    for _ in range(num_iters):
        loss = (model(x) - y).abs().mean()
        losses.append(loss.item())
        loss.backward()
        autograd_study.gradient_step(model.parameters(), lr)
    return losses


@mistake(FIT, hint="(N,) minus (N, 1) broadcasts to (N, N): every prediction meets every value. Keep (N, 1).")
def fit_broadcasts(model, x, y, lr=0.1, num_iters=100):
    losses = []
    for _ in range(num_iters):
        loss = (model(x).squeeze(1) - y).square().mean()
        losses.append(loss.item())
        loss.backward()
        autograd_study.gradient_step(model.parameters(), lr)
    return losses


@mistake(FIT, hint="The losses are those after each step; the one before it is due.")
def fit_losses_after(model, x, y, lr=0.1, num_iters=100):
    losses = []
    for _ in range(num_iters):
        (model(x) - y).square().mean().backward()
        autograd_study.gradient_step(model.parameters(), lr)
        losses.append((model(x) - y).square().mean().item())
    return losses


@mistake(FIT, hint="The losses are computed, but no step is taken: the parameters stay as they were.")
def fit_never_steps(model, x, y, lr=0.1, num_iters=100):
    return [(model(x) - y).square().mean().item() for _ in range(num_iters)]


@mistake(FIT, hint="The list holds tensors, each with its graph: `.item()` makes floats of them.")
def fit_keeps_tensors(model, x, y, lr=0.1, num_iters=100):
    losses = []
    for _ in range(num_iters):
        loss = (model(x) - y).square().mean()
        losses.append(loss)
        loss.backward()
        autograd_study.gradient_step(model.parameters(), lr)
    return losses


@mistake(FIT, hint="Half of the mean squared error has half of its gradient: leave out the factor.")
def fit_half(model, x, y, lr=0.1, num_iters=100):
    losses = []
    for _ in range(num_iters):
        loss = (model(x) - y).square().mean() / 2
        losses.append(loss.item())
        loss.backward()
        autograd_study.gradient_step(model.parameters(), lr)
    return losses


@mistake(FIT, hint="The gradients are not cleared between steps, so they add up.")
def fit_accumulates(model, x, y, lr=0.1, num_iters=100):
    losses = []
    for _ in range(num_iters):
        loss = (model(x) - y).square().mean()
        losses.append(loss.item())
        loss.backward()
        with torch.no_grad():
            for param in model.parameters():
                param -= lr * param.grad
    return losses


@mistake(
    TRAIN, hint="Nothing is left to chance here. Three random changes or more are due before Normalize()."
)
def train_without_chance():
    return nn.Sequential(Normalize())


@mistake(TRAIN, hint="Two random changes are one too few, though not wrong.")
def train_with_two():
    return nn.Sequential(RandomFlip(), RandomShift(), Normalize())


@mistake(TRAIN, hint="The images are not normalised, though those of validation are.")
def train_without_normalize():
    return nn.Sequential(RandomFlip(), RandomShift(), RandomBrightness())


@mistake(TRAIN, hint="Normalize() comes first: the changes after it expect pixels in [0, 1].")
def train_normalizes_first():
    return nn.Sequential(Normalize(), RandomFlip(), RandomShift(), RandomBrightness())


@mistake(TRAIN, hint="Normalised twice: the second time it starts from [-1, 1].")
def train_normalizes_twice():
    return nn.Sequential(RandomFlip(), RandomShift(), RandomNoise(), Normalize(), Normalize())


@mistake(
    TRAIN,
    hint="A flip of probability 1 is not random: all images are mirrored, and the net sees one side again.",
)
def train_always_flips():
    return nn.Sequential(RandomFlip(prob=1.0), RandomShift(), RandomBrightness(), Normalize())


@mistake(TRAIN, hint="A list cannot be called: put the modules into nn.Sequential.", raises=TypeError)
def train_list():
    return [RandomFlip(), RandomShift(), RandomBrightness(), Normalize()]


@mistake(VAL, hint="Validation images are changed at random: two runs would measure two accuracies.")
def val_like_training():
    return nn.Sequential(RandomFlip(), RandomShift(), RandomBrightness(), Normalize())


@mistake(VAL, hint="Normalize() is missing: the model would meet numbers it has not seen in training.")
def val_without_normalize():
    return nn.Sequential()


@mistake(VAL, hint="Every validation image is mirrored, always. Leave it as it is.")
def val_always_flips():
    return nn.Sequential(RandomFlip(prob=1.0), Normalize())


@mistake(VAL, hint="Normalised twice: the second time it starts from [-1, 1].")
def val_normalizes_twice():
    return nn.Sequential(Normalize(), Normalize())


def _layers(net, num_classes, channels, extra, dropout, **change):
    nn.Module.__init__(net)
    padding = change.get("padding", 1)
    first = [nn.Conv2d(3, channels, 3, padding=padding), nn.ReLU(), nn.MaxPool2d(change.get("pool", 4))]
    for _ in range(change.get("extra", extra)):
        first += [nn.Conv2d(channels, channels, 3, padding=padding), *change.get("after", [nn.ReLU()])]
    last = [nn.Dropout(change.get("dropout", dropout))] * change.get("drops", 1)
    head = [nn.Linear(16 * channels, num_classes), *change.get("end", [])]
    net.layers = nn.Sequential(*first, nn.AdaptiveAvgPool2d(4), nn.Flatten(), *last, *head)


@mistake(NET, hint="There is one further convolution whatever `extra` says.")
def net_one_extra(self, num_classes, channels=16, extra=0, dropout=0.0):
    _layers(self, num_classes, channels, 1, dropout)


@mistake(NET, hint="The further convolutions have no ReLU after them: several become one linear map.")
def net_without_relu(self, num_classes, channels=16, extra=0, dropout=0.0):
    _layers(self, num_classes, channels, extra, dropout, after=[])


@mistake(NET, hint="Nothing is dropped in training: nn.Dropout is missing before the linear layer.")
def net_without_dropout(self, num_classes, channels=16, extra=0, dropout=0.0):
    _layers(self, num_classes, channels, extra, dropout, drops=0)


@mistake(NET, hint="nn.Dropout takes the share that is dropped, not the share that is kept.")
def net_keeps_instead(self, num_classes, channels=16, extra=0, dropout=0.0):
    _layers(self, num_classes, channels, extra, 1 - dropout)


@mistake(NET, hint="Without padding 1 each convolution takes a pixel from every side.", raises=RuntimeError)
def net_without_padding(self, num_classes, channels=16, extra=0, dropout=0.0):
    _layers(self, num_classes, channels, extra, dropout, padding=0)


@mistake(NET, hint="The max-pooling has another size: 4, so that 32 pixels become 8.")
def net_pools_by_two(self, num_classes, channels=16, extra=0, dropout=0.0):
    _layers(self, num_classes, channels, extra, dropout, pool=2)


@mistake(
    NET, hint="A softmax or ReLU after the last layer spoils the scores: they end with the linear layer."
)
def net_with_softmax(self, num_classes, channels=16, extra=0, dropout=0.0):
    _layers(self, num_classes, channels, extra, dropout, end=[nn.Softmax(dim=1)])
