"""What is asked of `autograd_study`."""

import math
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from exercise_code.support.checking.declare import check

A = "autograd_study."


GRADIENTS_AT_ONCE = ["torch.func.jacrev", "torch.func.jacfwd", "torch.autograd.functional.jacobian"]


# Autograd
def wave(case):
    """A function from points to values, drawn anew, that no derivative of another one fits."""
    cubic, wide = case.integer(3, 9) / 10, case.integer(11, 19) / 10
    return lambda x: cubic * x**3 + (wide * x).sin()


@check(f"{A}derivative", points=1, loops=0)
def derivatives(code, case):
    """All points by one backward pass."""
    xs = case.points(5).flatten()
    found = code.autograd_study.derivative(wave(case), xs)
    return {
        "f'(xs)": found,
        "graph attached": found.requires_grad,
        "xs requires a gradient afterwards": xs.requires_grad,
    }


@check(f"{A}gradient_descent", points=2)
def descent(code, case):
    """Downhill, step by step."""
    outputs = {}
    for side in (-1, 1):
        start, lr = side * case.integer(15, 30) / 10, case.integer(3, 9) / 100
        steep, bottom = case.integer(10, 20) / 10, case.integer(-9, 9) / 10
        xs, losses = code.autograd_study.gradient_descent(
            lambda x, steep=steep, bottom=bottom: steep * (x - bottom) ** 2 + x.cos(), start, lr, 5
        )
        outputs |= {f"xs from {start}": xs, f"losses from {start}": losses}
    seen = set()

    def hole(x):
        seen.add(str(x.dtype))
        return x.abs().log() + 1 / x.abs()

    xs, losses = code.autograd_study.gradient_descent(hole, 0.0, 0.1, 2)
    outputs |= {"xs from 0, where f is not defined": xs, "losses there": losses}
    return {**outputs, "what f is given": sorted(seen)}


@check(f"{A}converged_at", points=1)
def settling(code, case):
    """From which step on nothing moves."""
    end, whole = case.integer(-20, 20) / 10, case.integer(-9, 9)
    far = [end + 2.0 + step for step in case.shuffled(range(7))]
    near = [end + step / 100 for step in case.shuffled(range(-9, 9))]
    early, late = case.integer(2, 5), case.integer(2, 5)
    rows = {
        "settled": [*far[:early], *near[:late], end],
        "near, away, and back": [*far[:2], near[9], far[3], *near[:late], end],
        "from below": [*(2 * end - loss for loss in far[:early]), *near[:late], end],
        "still moving": [*far[:early], end],
        "creeping": [end + 6 * step / 100 for step in range(early + late, -1, -1)],
        "settled at once": [*near[:late], end],
        "nan": [*far[:early], math.nan, math.nan],
    }
    steps = {name: code.autograd_study.converged_at(losses, 0.1) for name, losses in rows.items()}
    exactly = [whole + 2.0, whole + 0.25, whole - 0.25, float(whole)]
    return {**steps, "0.25 away, with tol=0.25": code.autograd_study.converged_at(exactly, 0.25)}


@check(f"{A}grad_of", points=1)
def gradients(code, case):
    """Gradients, and gradients of gradients."""
    a, b, apart = (case.numbers(3, 2).clone().requires_grad_() for _ in range(3))
    plain = code.autograd_study.grad_of(a**2 * b, [a, b, apart])
    first, _ = code.autograd_study.grad_of(a**3 * b, [a, b], create_graph=True)
    (again,) = torch.autograd.grad((first * case.numbers(3, 2)).sum(), a)
    return {
        "gradients": plain,
        "graph attached": [
            gradient.requires_grad for gradient in plain[:2]
        ],  # of zeros, versions of torch differ
        "gradient of a gradient": again,
        ".grad afterwards": [a.grad, b.grad, apart.grad],
    }


@check(f"{A}second_derivative", points=1, uses=[f"{A}grad_of"])
def second_derivatives(code, case):
    """The derivative of the derivative."""
    found = code.autograd_study.second_derivative(wave(case), case.points(5).flatten())
    return {"f''(xs)": found, "graph attached": found.requires_grad}


@check(f"{A}jacobian", points=1, forbids=GRADIENTS_AT_ONCE)
def all_derivatives(code, case):
    """One graph, several backward passes."""
    x = case.numbers(4).clone().requires_grad_()
    found = code.autograd_study.jacobian((case.numbers(3, 4) @ x.sin()).exp(), x)
    return {"jacobian": found, "inputs.grad afterwards": x.grad}


@check(f"{A}accumulate_gradients", points=1)
def accumulation(code, case):
    """The mean over batches, one batch at a time."""
    w = case.numbers(3).clone().requires_grad_()
    w.grad = case.numbers(3).clone()
    batches = [case.numbers(size, 3) for size in (2, 5, 4)]
    found = code.autograd_study.accumulate_gradients(lambda w, x: (x @ w).square().mean(), w, batches)
    return {"gradient": found, "w.grad afterwards": w.grad, "w afterwards": w}


@check(f"{A}gradient_step", points=1)
def step(code, case):
    """A step in place."""
    params = [case.numbers(*shape).clone().requires_grad_() for shape in ((2, 3), (2,), (4,))]
    params[0].grad, params[2].grad = case.numbers(2, 3), case.numbers(4)
    code.autograd_study.gradient_step(iter(params), lr=case.integer(2, 9) / 10)
    return {
        "params": params,
        "gradients afterwards": [param.grad for param in params],
        "leaves that require a gradient": [param.is_leaf and param.requires_grad for param in params],
    }


@torch.no_grad()
def fill(params: Iterable[Tensor], values: Tensor) -> None:
    """Write values into tensors, one after the other; when they are used up, again from the first."""
    done = 0
    for param in params:
        count = param.numel()
        param.copy_(values.roll(-done).repeat(1 + count // len(values))[:count].view_as(param))
        done += count


@check(f"{A}LinearRegressor.__init__", points=0.5)
def line_start(code, case):
    """What the optimiser will see."""
    model = code.autograd_study.LinearRegressor()
    return {
        "named_parameters()": dict(sorted(model.named_parameters())),
        "weight": model.weight,
        "bias": model.bias,
    }


@check(f"{A}LinearRegressor.forward", points=0.5, uses=[f"{A}LinearRegressor.__init__"])
def line(code, case):
    """A line."""
    x = case.numbers(5, 1)
    model = code.autograd_study.LinearRegressor().to(x)
    fill([model.weight, model.bias], case.numbers(2))
    y = model(x)
    y.sum().backward()
    return {"y": y, "gradients of its sum": [model.weight.grad, model.bias.grad]}


@check(f"{A}PolynomialRegressor.__init__", points=0.5)
def polynomial_start(code, case):
    """One coefficient more than the degree."""
    models = [code.autograd_study.PolynomialRegressor(degree) for degree in case.shuffled(range(1, 12))[:3]]
    return {
        "named_parameters()": [dict(model.named_parameters()) for model in models],
        "coefficients": [model.coefficients for model in models],
    }


@check(f"{A}PolynomialRegressor.forward", points=1, uses=[f"{A}PolynomialRegressor.__init__"])
def polynomial(code, case):
    """A polynomial, its constant first."""
    x = case.numbers(6, 1)
    outputs = {}
    for degree in (3, 1):
        model = code.autograd_study.PolynomialRegressor(degree).to(x)
        fill([model.coefficients], case.numbers(degree + 1))
        y = model(x)
        y.sum().backward()
        outputs |= {f"y for degree {degree}": y, "gradient of its sum": model.coefficients.grad}
    return outputs


class Parabola(nn.Module):
    """A model with two parameters."""

    def __init__(self, start: Tensor) -> None:
        """Take their values."""
        super().__init__()
        self.width, self.height = nn.Parameter(start[:1].clone()), nn.Parameter(start[1:].clone())

    def forward(self, x: Tensor) -> Tensor:
        """The parabola at these places."""
        return self.width * x**2 + self.height


@check(f"{A}fit", points=1, uses=[f"{A}gradient_step"])
def fitting(code, case):
    """Downhill on the mean squared error."""
    model = Parabola(case.numbers(2))
    losses = code.autograd_study.fit(model, case.numbers(7, 1), case.numbers(7, 1), lr=0.2, num_iters=4)
    return {"losses": losses, "parameters": list(model.parameters())}


def training_law(outputs: dict[str, Any], expected: dict[str, Any]) -> str | None:
    """Three changes or more, all random and within [0, 1]; then, and only then, what the reference ends with.

    A flip of one image in two is taken for no random change when six images fare alike in six rounds: 2^-30.
    """
    *changes, last = outputs["each change"]
    due = expected["the last change"]
    if changes and torch.allclose(changes[0], due.expand_as(last), atol=1e-5):
        return "Normalize() comes before the random changes"
    if not torch.allclose(last, due.expand_as(last), atol=1e-5):
        return "the last change is not Normalize()"
    if any(rounds.min() < -1e-5 or rounds.max() > 1 + 1e-5 for rounds in changes):
        return "a change leads out of [0, 1], before Normalize() has its turn"
    if not all((rounds != rounds[0]).any() for rounds in changes):
        return "a change before the last is not random"
    few = "no random change", "one random change is too few", "two random changes are too few"
    return None if len(changes) >= 3 else few[len(changes)]


@check(f"{A}train_transform", points=1, law=training_law, free_shapes=["each change"])
def for_training(code, case):
    """Three random changes, then the one that validation sees too."""
    images = case.images(6)
    changes = code.autograd_study.train_transform()
    return {
        "images": changes(images),
        "each change": torch.stack([torch.stack([change(images) for _ in range(6)]) for change in changes]),
        "the last change": changes[-1](images),
    }


@check(f"{A}val_transform", points=0.5)
def for_validation(code, case):
    """Nothing random."""
    return {"images": code.autograd_study.val_transform()(case.images(8))}


@check(f"{A}SmallConvNet.__init__", points=1)
def small_net(code, case):
    """Layers, in their order."""
    images, values = case.numbers(2, 3, 24, 20), case.numbers(1300, reach=0.3)
    outputs = {}
    for extra, dropout in ((0, 0.0), (2, 1.0)):
        net = code.autograd_study.SmallConvNet(num_classes=7, channels=5, extra=extra, dropout=dropout)
        net = net.to(images)
        fill(net.parameters(), values)
        outputs[f"shapes of the parameters, extra={extra}"] = [
            list(param.shape) for param in net.parameters()
        ]
        outputs[f"scores, extra={extra}"] = net.eval()(images)
        outputs[f"scores in training with dropout={dropout}, extra={extra}"] = net.train()(images)
    return outputs
