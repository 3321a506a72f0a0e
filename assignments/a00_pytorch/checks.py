"""What is asked of tensors, autograd, the data pipeline, and the regression on housing."""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from exercise_code.support.checking.declare import check

T = "pytorch101."
A = "autograd_study."
JOINING = [f"torch.{name}" for name in ("cat", "concat", "hstack", "vstack", "column_stack", "stack")]
FLIPS = ["torch.flip", "torch.fliplr", "torch.flipud", "torch.rot90"]
STATISTICS = ["torch.mean", "torch.std", "torch.var", "torch.std_mean", "torch.var_mean", "torch.norm"]
PRODUCTS = ["torch.bmm", "torch.baddbmm", "torch.einsum", "torch.tensordot"]
GRADIENTS_AT_ONCE = ["torch.func.jacrev", "torch.func.jacfwd", "torch.autograd.functional.jacobian"]


def numbers(case, *shape: int, reach: float = 2.0) -> Tensor:
    """Different numbers between -reach and reach, none of them zero, in no order."""
    count = math.prod(shape)
    places = np.array(case.shuffled(range(count))).reshape(shape)
    return case.tensor(reach * ((2 * places + 0.5) / count - 1))


def integers(case, *shape: int) -> Tensor:
    """Different integers of both signs, at most one of them zero, in no order."""
    count = math.prod(shape)
    return case.tensor(np.array(case.shuffled(range(count))).reshape(shape) - count // 3)


# Tensors


@check(f"{T}create_sample_tensor", points=0.5)
def sample_tensor(code, case):
    """Two entries written into zeros."""
    return {"x": code.pytorch101.create_sample_tensor()}


@check(f"{T}mutate_tensor", points=1)
def mutation(code, case):
    """Values written in place, the last one winning."""
    x = numbers(case, 4, 5).clone()
    places = case.shuffled([(row, column) for row in range(4) for column in range(5)])[:5]
    places.append(places[1])
    values = [10.0 + value for value in case.shuffled(range(6))]
    returned = code.pytorch101.mutate_tensor(x, places, values)
    found = returned.clone()
    x += 100
    return {"what is returned": found, "x and what is returned, after x += 100": [x, returned]}


@check(f"{T}count_tensor_elements", points=0.5, forbids=["torch.numel", "torch.Tensor.nelement"])
def element_count(code, case):
    """The product of the sizes, whatever the rank."""
    count = code.pytorch101.count_tensor_elements
    sizes = [case.integer(2, 5) for _ in range(4)]
    return {f"count for rank {rank}": count(integers(case, *sizes[:rank])) for rank in range(5)}


@check(f"{T}create_tensor_of_pi", points=0.5)
def tensor_of_pi(code, case):
    """3.14 everywhere."""
    return {"x": code.pytorch101.create_tensor_of_pi(case.integer(2, 4), case.integer(5, 7))}


@check(f"{T}multiples_of_ten", points=1)
def multiples(code, case):
    """Both ends count, whatever their sign."""
    between = -case.integer(11, 18), case.integer(21, 38)
    ends = 10 * case.integer(-9, -2), 10 * case.integer(2, 9)
    ranges = [(5, 25), (5, 7), (10, 10), (0, 20), (11, 19), (-15, 15), between, ends]
    return {f"from {low} to {high}": code.pytorch101.multiples_of_ten(low, high) for low, high in ranges}


@check(f"{T}slice_indexing_practice", points=2)
def slices(code, case):
    """Four slices that share memory with the matrix."""
    x = numbers(case, 5, 8).clone()
    parts = code.pytorch101.slice_indexing_practice(x)
    names = ["last_row", "third_col", "first_two_rows_three_cols", "even_rows_odd_cols"]
    before = {name: part.clone() for name, part in zip(names, parts, strict=True)}
    x += 100
    return before | {f"{name}, after x += 100": part for name, part in zip(names, parts, strict=True)}


@check(f"{T}slice_assignment_practice", points=1, loops=0)
def pattern(code, case):
    """A pattern over whatever was there, and nothing beside it."""
    x = (50 + integers(case, 5, 8)).clone()
    returned = code.pytorch101.slice_assignment_practice(x)
    found = returned.clone()
    x += 100
    return {"what is returned": found, "the same, after x += 100": returned}


@check(f"{T}shuffle_cols", points=0.5, loops=0, forbids=JOINING)
def columns_by_index(code, case):
    """Columns 0, 0, 2, 1."""
    return {"columns": code.pytorch101.shuffle_cols(case.distances(4, 5))}


@check(f"{T}reverse_rows", points=0.5, loops=0, forbids=FLIPS)
def rows_backwards(code, case):
    """The last row first."""
    return {"rows": code.pytorch101.reverse_rows(case.distances(5, 3))}


@check(f"{T}take_one_elem_per_col", points=0.5, loops=0, forbids=JOINING)
def one_of_each_column(code, case):
    """Three entries by one index."""
    return {"entries": code.pytorch101.take_one_elem_per_col(case.distances(6, 4))}


@check(f"{T}make_one_hot", points=1, loops=0, forbids=["torch.nn.functional.one_hot"])
def one_hot(code, case):
    """A row for each number, as long as the largest asks for."""
    many = case.labels(9, num_classes=4).tolist()
    return {
        "rows": code.pytorch101.make_one_hot(many),
        "rows of [1, 5, 0]": code.pytorch101.make_one_hot([1, 5, 0]),
    }


@check(f"{T}count_negative_entries", points=0.5, loops=0)
def negative_entries(code, case):
    """How many are below zero."""
    count = code.pytorch101.count_negative_entries
    shapes = (3, 5), (7,), (2, 3, 4)
    return {f"count for shape {shape}": count(integers(case, *shape)) for shape in shapes}


@check(f"{T}sum_positive_entries", points=0.5, loops=0)
def positive_entries(code, case):
    """The sum of what is above zero."""
    total = code.pytorch101.sum_positive_entries
    shapes = (3, 5), (7,), (2, 3, 4)
    sums = {f"sum for shape {shape}": total(integers(case, *shape)) for shape in shapes}
    return {**sums, "sum where all are negative": total(case.tensor([-3, -1]))}


@check(f"{T}reshape_practice", points=1, loops=0, forbids=JOINING)
def blocks(code, case):
    """Blocks side by side."""
    reshape = code.pytorch101.reshape_practice
    return {"0 to 23": reshape(case.tensor(np.arange(24))), "other numbers": reshape(numbers(case, 24))}


@check(f"{T}zero_row_min", points=1, loops=0)
def row_minimum(code, case):
    """The smallest of each row becomes 0, in a copy."""
    return {"y": code.pytorch101.zero_row_min(numbers(case, 5, 4))}


@check(f"{T}zero_row_min:ties", points=0.5)
def equal_minima(code, case):
    """Of equal smallest entries only the first."""
    rows = [case.shuffled([-1.0, -1.0, 2.0, 3.0, 5.0]) for _ in range(4)]
    return {"y": code.pytorch101.zero_row_min(case.tensor(rows))}


@check(f"{T}normalize_columns", points=1.5, loops=0, forbids=STATISTICS)
def normalised_columns(code, case):
    """Mean 0 and standard deviation 1 in every column."""
    x = case.points(5)
    return {"y": code.pytorch101.normalize_columns(case.tensor(3 * x + case.tensor([4.0, -2.0, 0.0, 7.0])))}


def batches(case) -> tuple[Tensor, Tensor]:
    """Pairs of matrices, (B, N, 5) and (B, 5, P); B, N and P are scaled with the case."""
    x = (case.distances(3, 4)[:, :, None] * numbers(case, 5)).sin()
    y = (case.distances(3, 6)[:, None] * numbers(case, 5)[:, None]).cos()
    return x, y


@check(f"{T}batched_matrix_multiply_loop", points=1, loops=1, forbids=PRODUCTS)
def products_by_loop(code, case):
    """One product after the other."""
    return {"z": code.pytorch101.batched_matrix_multiply_loop(*batches(case))}


@check(f"{T}batched_matrix_multiply_noloop", points=1, loops=0)
def products_at_once(code, case):
    """All products at once."""
    return {"z": code.pytorch101.batched_matrix_multiply_noloop(*batches(case))}


class Where(TorchFunctionMode):
    """Remembers on which kinds of device a tensor of a given shape was computed from others."""

    def __init__(self, *shape: int) -> None:
        """Take the shape."""
        super().__init__()
        self.shape, self.seen = shape, set()

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        shapes = [tuple(tensor.shape) for tensor in args if isinstance(tensor, Tensor)]
        if isinstance(result, Tensor) and tuple(result.shape) == self.shape and self.shape not in shapes:
            self.seen.add(result.device.type)
        return result


@check(f"{T}mm_on_gpu", points=1)
def product_elsewhere(code, case):
    """There, multiplied, and back."""
    x, w = numbers(case, 3, 4), numbers(case, 4, 6)
    where = Where(3, 6)
    on_cpu = x.cpu(), w.cpu()
    with where:
        product = code.pytorch101.mm_on_gpu(*on_cpu, x.device)
    return {
        "product": product,
        "device of the product": product.device.type,
        "was it computed on the device": x.device.type in where.seen,
    }


@check(f"{T}challenge_mean_tensors", points=1, loops=0)
def means_of_vectors(code, case):
    """The mean of each, without padding."""
    many = case.points(12).flatten()
    lengths = case.labels(6, num_classes=6, first=2)
    xs = list(many[: int(lengths.sum())].split(lengths.tolist()))
    return {"means": code.pytorch101.challenge_mean_tensors(xs, lengths)}


@check(f"{T}challenge_get_uniques", points=1, loops=0, memory=6)
def different_values(code, case):
    """What there is, and where first."""
    uniques, indices = code.pytorch101.challenge_get_uniques(7 * case.labels(60, num_classes=12, first=-3))
    return {"uniques": uniques, "indices": indices}


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
    a, b, apart = (numbers(case, 3, 2).clone().requires_grad_() for _ in range(3))
    plain = code.autograd_study.grad_of(a**2 * b, [a, b, apart])
    first, _ = code.autograd_study.grad_of(a**3 * b, [a, b], create_graph=True)
    (again,) = torch.autograd.grad((first * numbers(case, 3, 2)).sum(), a)
    return {
        "gradients": plain,
        "graph attached": [gradient.requires_grad for gradient in plain],
        "gradient of a gradient": again,
        ".grad afterwards": [a.grad, b.grad, apart.grad],
    }


@check(f"{A}second_derivative", points=1, loops=0, uses=[f"{A}grad_of"])
def second_derivatives(code, case):
    """The derivative of the derivative."""
    found = code.autograd_study.second_derivative(wave(case), case.points(5).flatten())
    return {"f''(xs)": found, "graph attached": found.requires_grad}


@check(f"{A}jacobian", points=1, forbids=GRADIENTS_AT_ONCE)
def all_derivatives(code, case):
    """One graph, several backward passes."""
    x = numbers(case, 4).clone().requires_grad_()
    found = code.autograd_study.jacobian((numbers(case, 3, 4) @ x.sin()).exp(), x)
    return {"jacobian": found, "inputs.grad afterwards": x.grad}


@check(f"{A}accumulate_gradients", points=1)
def accumulation(code, case):
    """The mean over batches, one batch at a time."""
    w = numbers(case, 3).clone().requires_grad_()
    w.grad = numbers(case, 3).clone()
    batches = [numbers(case, size, 3) for size in (2, 5, 4)]
    found = code.autograd_study.accumulate_gradients(lambda w, x: (x @ w).square().mean(), w, batches)
    return {"gradient": found, "w.grad afterwards": w.grad, "w afterwards": w}


@check(f"{A}gradient_step", points=1)
def step(code, case):
    """A step in place."""
    params = [numbers(case, *shape).clone().requires_grad_() for shape in ((2, 3), (2,), (4,))]
    params[0].grad, params[2].grad = numbers(case, 2, 3), numbers(case, 4)
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
    x = numbers(case, 5, 1)
    model = code.autograd_study.LinearRegressor().to(x)
    fill([model.weight, model.bias], numbers(case, 2))
    y = model(x)
    y.sum().backward()
    return {"y": y, "gradients of its sum": [model.weight.grad, model.bias.grad]}


@check(f"{A}PolynomialRegressor.__init__", points=0.5)
def polynomial_start(code, case):
    """One coefficient more than the degree."""
    model = code.autograd_study.PolynomialRegressor(degree=3)
    return {"named_parameters()": dict(model.named_parameters()), "coefficients": model.coefficients}


@check(f"{A}PolynomialRegressor.forward", points=1, uses=[f"{A}PolynomialRegressor.__init__"])
def polynomial(code, case):
    """A polynomial, its constant first."""
    x = numbers(case, 6, 1)
    outputs = {}
    for degree in (3, 1):
        model = code.autograd_study.PolynomialRegressor(degree).to(x)
        fill([model.coefficients], numbers(case, degree + 1))
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
    model = Parabola(numbers(case, 2))
    losses = code.autograd_study.fit(model, numbers(case, 7, 1), numbers(case, 7, 1), lr=0.2, num_iters=4)
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
    return None if len(changes) >= 3 else ("too few random changes" if changes else "no random change")


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
    images, values = numbers(case, 2, 3, 24, 20), numbers(case, 1300, reach=0.3)
    outputs = {}
    for extra in (0, 2):
        net = code.autograd_study.SmallConvNet(num_classes=7, channels=5, extra=extra, dropout=1.0).to(images)
        fill(net.parameters(), values)
        outputs[f"shapes of the parameters, extra={extra}"] = [
            list(param.shape) for param in net.parameters()
        ]
        outputs[f"scores, extra={extra}"] = net.eval()(images)
        outputs[f"scores when all features are dropped, extra={extra}"] = net.train()(images)
    return outputs
