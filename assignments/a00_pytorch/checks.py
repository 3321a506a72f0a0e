"""What is asked of tensors, autograd, the data pipeline, and the regression on housing."""

import itertools
import math
import os
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
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


class Assignments(TorchFunctionMode):
    """Counts assignments to entries of tensors."""

    def __init__(self) -> None:
        """Begin at 0."""
        super().__init__()
        self.count = 0

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.count += func is Tensor.__setitem__
        return func(*args, **(kwargs or {}))


@check(f"{T}slice_assignment_practice", points=1, loops=0)
def pattern(code, case):
    """A pattern over whatever was there, and nothing beside it."""
    x = (50 + integers(case, 5, 8)).clone()
    with Assignments() as assignments:
        returned = code.pytorch101.slice_assignment_practice(x)
    found = returned.clone()
    x += 100
    return {
        "what is returned": found,
        "the same, after x += 100": returned,
        "assignments beyond six": max(0, assignments.count - 6),
    }


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


AUTOGRAD = ["torch.autograd.grad", "torch.Tensor.backward", "torch.Tensor.requires_grad_"]
FOLDER = "data.image_folder_dataset.ImageFolderDataset."
TRANSFORMS = "data.transforms."
LOADER = "data.dataloader.DataLoader."
CLASSIFIER = "networks.classifier.Classifier."
LINEAR = "networks.linear_model.LinearModel."
LOSS = "networks.loss."


def picture(case, *shape: int, low: float = 0.0, high: float = 1.0) -> np.ndarray:
    """Different numbers between low and high, in no order."""
    count = math.prod(shape)
    places = np.array(case.shuffled(range(count))).reshape(shape)
    return case.array(low + (high - low) * (places + 0.5) / count)


class Samples:
    """A data set of given samples, which writes down what it is asked for."""

    def __init__(self, samples: list[dict[str, Any]]):
        self.samples, self.asked = samples, []

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> dict[str, Any]:
        self.asked.append(int(index))
        return self.samples[index]


def in_memory(code, images: list[np.ndarray], labels: list[int], transform: Callable | None = None) -> Any:
    """A data set that holds its images itself, made without a disk."""
    kind = code.data.image_folder_dataset.MemoryImageFolderDataset
    dataset = kind.__new__(kind)
    dataset.images, dataset.labels, dataset.transform = images, labels, transform
    dataset.classes = ["bird", "cat", "dog", "fish"]
    return dataset


# Data sets


@check(f"{FOLDER}__len__", points=1, library="numpy")
def length(code, case):
    """The number of images."""
    counts = case.integer(5, 9), case.integer(10, 20)
    return {f"{n} images": len(in_memory(code, [picture(case, 3, 2, 3)] * n, [1] * n)) for n in counts}


@check(f"{FOLDER}__getitem__", points=2, library="numpy")
def from_files(code, case):
    """A sample of images on disk, with and without a transform."""
    outputs = {}
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as folder:
        for name in ("bird", "cat", "dog"):
            (Path(folder) / name).mkdir()
            for number in range(2):
                pixels = (picture(case, 4, 5, 3) * 256).astype(np.uint8)
                Image.fromarray(pixels).save(Path(folder) / name / f"{number}.png")
        for name, transform in (("as it is", None), ("transformed", lambda image: image[:2] / 2 - 1)):
            dataset = code.data.image_folder_dataset.ImageFolderDataset(folder, transform=transform)
            outputs[name] = [dataset[index] for index in case.shuffled(range(6))[:3]]
    return outputs


@check(f"{FOLDER}__getitem__:memory", points=1, library="numpy")
def from_memory(code, case):
    """A data set that keeps its images in memory inherits the same function."""
    images = [picture(case, 4, 5, 3) for _ in range(3)]
    dataset = in_memory(code, images, [2, 0, 3], transform=lambda image: 1 - image)
    return {"samples": [dataset[index] for index in (1, 2, 0)]}


def split_law(outputs: dict[str, Any], expected: dict[str, Any]) -> str | None:
    """The parts hold every sample once, mixed, and always the same ones for one seed.

    41 shuffled samples have neighbours alone in the second part with probability 34 / C(41, 8), below 4e-7,
    and the same first part for two seeds with probability below 1e-11.
    """
    parts = [sorted(outputs[name].tolist()) for name in ("train", "val", "test")]
    numbers = sorted(itertools.chain(*parts))
    if min(numbers) < 0 or max(numbers) > 40:
        return "there are numbers of samples that do not exist"
    if any(len(set(part)) < len(part) for part in parts):
        return "a sample is twice in one part"
    if sorted(outputs["train again"].tolist()) != parts[0]:
        return "two calls with one seed give two splits"
    if {*parts[1], *parts[2]} <= {*parts[0]}:
        return "all parts begin with the same samples"
    if numbers != list(range(41)):
        return "some samples are in two parts, others in none"
    if parts[1][-1] - parts[1][0] == len(parts[1]) - 1:
        return "the samples are not mixed before they are cut"
    if sorted(outputs["train by another seed"].tolist()) == parts[0]:
        return "another seed gives the same split"
    return None


@check("data.base_dataset.select_split", points=2, law=split_law, library="numpy")
def splits(code, case):
    """Parts without overlap, mixed, and always the same."""
    select, seed = code.data.base_dataset.select_split, case.integer(1, 1000)
    shares = {"train": 0.6, "val": 0.2, "test": 0.2}
    parts = {mode: np.asarray(select(41, mode, shares, seed)) for mode in shares}
    again, other = (np.asarray(select(41, "train", shares, place)) for place in (seed, seed + 1))
    return {**parts, "train again": again, "train by another seed": other}


@check(
    "data.csv_dataset.FeatureSelectorAndNormalizationTransform.__call__",
    points=1,
    library="numpy",
)
def selected_columns(code, case):
    """Some columns of a row, on the scale of the training rows."""
    columns = case.shuffled(["age", "income", "price", "rooms"])
    drawn = np.sort(picture(case, 4, 3, low=-10, high=30), axis=1)
    values = {
        name: dict(zip(("min", "mean", "max"), row.tolist(), strict=True))
        for name, row in zip(columns, drawn, strict=True)
    }
    scaled = code.data.csv_dataset.FeatureSelectorAndNormalizationTransform(values, "price")
    rows = [
        dict(zip(sorted(columns), row, strict=True)) for row in picture(case, 2, 4, low=-20, high=40).tolist()
    ]
    rows[1]["income"] = math.nan
    return {
        f"row {i}": scaled({"features": {"sea": "near", **row}, "target": row.pop("price")})
        for i, row in enumerate(rows)
    }


# Transforms


@check(f"{TRANSFORMS}RescaleTransform.__call__", points=2, library="numpy", loops=0)
def rescale(code, case):
    """From any range to any other."""
    ranges = {
        "0..255 to 0..1": ((0, 1), (0, 255)),
        "to -1..1": ((-1, 1), (0, 255)),
        "50..100 to -2..3": ((-2, 3), (50, 100)),
    }
    return {
        name: code.data.transforms.RescaleTransform(*pair)(picture(case, 2, 4, 3, 3, high=255))
        for name, pair in ranges.items()
    }


@check(f"{TRANSFORMS}compute_image_mean_and_std", points=2, library="numpy", loops=0)
def mean_and_std(code, case):
    """One mean and one spread for each channel, over all pixels of all images."""
    images = picture(case, 5, 4, 6, 3)
    mean, std = code.data.transforms.compute_image_mean_and_std(images)
    return {"mean": mean, "std": std}


@check(f"{TRANSFORMS}NormalizeTransform.__call__", points=1, library="numpy", loops=0)
def normalize(code, case):
    """Channel by channel, or all channels alike."""
    Normalize = code.data.transforms.NormalizeTransform
    mean, std = case.array([0.3, 0.5, 0.6]), case.array([0.2, 0.25, 0.4])
    return {
        "an image": Normalize(mean, std)(picture(case, 4, 5, 3)),
        "a stack": Normalize(mean, std)(picture(case, 2, 4, 5, 3)),
        "one number for all": Normalize(0.4, 0.3)(picture(case, 4, 5, 3)),
    }


@check(f"{TRANSFORMS}ComposeTransform.__call__", points=1, library="numpy")
def compose(code, case):
    """One after another, the first one first."""
    steps = [lambda image: image + 1, lambda image: image[:2], lambda image: image * image]
    Compose = code.data.transforms.ComposeTransform
    return {f"{n} transforms": Compose(steps[:n])(picture(case, 3, 5)) for n in (3, 1, 0)}


@check(f"{TRANSFORMS}FlattenTransform.__call__", points=1, library="numpy", loops=0)
def flatten(code, case):
    """All numbers in one row."""
    flat = code.data.transforms.FlattenTransform()
    return {"an image": flat(picture(case, 4, 5, 3)), "a matrix": flat(picture(case, 3, 2))}


def flip_law(outputs: dict[str, Any], expected: dict[str, Any]) -> str | None:
    """Each image comes back or mirrored, the latter with probability prob.

    A share of 600 strays from its probability by more than 0.12 with probability below 7e-8 (Hoeffding).
    """
    image = expected["image"]
    mirrored = image.flip(1)
    for axes, name in (((), "nothing"), ((0,), "up and down"), ((2,), "channels"), ((0, 1), "both axes")):
        if outputs["prob=1"].equal(image.flip(axes)):
            return f"with probability 1 the image comes back with {name} reversed"
    if not outputs["prob=1"].equal(mirrored):
        return "with probability 1 the image does not come back mirrored"
    if not outputs["prob=0"].equal(image):
        return "with probability 0 the image does not come back as it was"
    flipped = (outputs["prob=0.3"] == mirrored).flatten(1).all(1)
    kept = (outputs["prob=0.3"] == image).flatten(1).all(1)
    if not (flipped | kept).all():
        return "some images are neither mirrored nor as they were"
    share = flipped.double().mean().item()
    return None if abs(share - 0.3) < 0.12 else f"with probability 0.3, {share:.0%} are mirrored"


@check(f"{TRANSFORMS}RandomHorizontalFlip.__call__", points=2, law=flip_law, library="numpy")
def flip(code, case):
    """Left and right change sides with the probability asked for."""
    image, seed = picture(case, 3, 4, 2), case.integer(0, 10**6)
    sure, never, sometimes = (
        code.data.transforms.RandomHorizontalFlip(prob, seed) for prob in (1.0, 0.0, 0.3)
    )
    many = np.stack([sometimes(image) for _ in range(600)])
    return {"image": image, "prob=1": sure(image), "prob=0": never(image), "prob=0.3": many}


def crop_law(outputs: dict[str, Any], expected: dict[str, Any]) -> str | None:
    """Every window of the image with its border is equally likely.

    One of the 20 windows does not come up in 600 with probability below 20 * 0.95^600, 9e-13; the share
    of one of the nine rows and columns strays by more than 0.12 with probability below 7e-7 (Hoeffding).
    """
    crops = outputs["crops"]
    padded = torch.nn.functional.pad(expected["image"], (0, 0, 1, 1, 1, 1))
    windows = padded.unfold(0, 2, 1).unfold(1, 3, 1).movedim(2, -1)
    if crops.shape[1:3] == (3, 2):
        return "height and width of the windows are swapped"
    if crops.shape[1:] != windows.shape[2:]:
        return f"the windows have the shape {tuple(crops.shape[1:])}; expected {tuple(windows.shape[2:])}"
    same = (crops[:, None, None] == windows).flatten(3).all(3)
    if not same.flatten(1).any(1).all():
        return "some results are no windows of the image with its border of zeros"
    found = same.any(0)
    if found.sum() == 1:
        return "all windows are one and the same"
    if not found[-1].any() and not found[:, -1].any() and found[0].any():
        return "the last row and the last column of windows never come up"
    if not (found[0].any() or found[-1].any() or found[:, 0].any() or found[:, -1].any()):
        return "no window holds a part of the border"
    if not found.all():
        return f"{int((~found).sum())} of the 20 windows never come up"
    for axis, count in ((2, 4), (1, 5)):
        shares = same.any(axis).double().mean(0)
        if (shares - 1 / count).abs().max() > 0.12:
            return "some windows come up more often than others"
    return None


@check(f"{TRANSFORMS}RandomCrop.__call__", points=2, law=crop_law, free_shapes=["crops"], library="numpy")
def crop(code, case):
    """Every window is equally likely."""
    image = picture(case, 3, 5, 1)
    window = code.data.transforms.RandomCrop((2, 3), 1, case.integer(0, 10**6))
    return {"image": image, "crops": np.stack([window(image) for _ in range(600)])}


SPREADS = {"brightness": 0.3, "contrast": 0.2, "saturation": 0.4}


def jitter_law(outputs: dict[str, Any], expected: dict[str, Any]) -> str | None:
    """Three factors of its own for each image, each even between 1 - spread and 1 + spread.

    The factors are read off the results, which nothing clips: the mean grey is multiplied by the first, the
    rest of the grey by the first two, the rest of the colours by all three. Kolmogorov's distance of 200
    factors exceeds 0.22 with probability 2 exp(-2 * 200 * 0.22^2) = 8e-9, three times that for all.
    """
    if outputs["bright"].min() < 0 or outputs["bright"].max() > 1:
        return "there are values outside of 0 to 1"
    image, results = expected["image"], outputs["results"]
    weights = torch.tensor([0.2989, 0.587, 0.114], dtype=torch.float64)
    moved = ((outputs["contrast alone"] - image) @ weights).mean((-2, -1)).abs().max()
    if 1e-3 < moved < 0.05:
        return "contrast changes the mean of the grey a little"

    def parts(images: Tensor) -> list[Tensor]:
        grey = (images @ weights)[..., None]
        mean = grey.mean((-3, -2), keepdim=True)
        return [mean, grey - mean, images - grey]

    factors, rest = [], torch.zeros_like(results)
    for part, of_image in zip(parts(results), parts(image), strict=True):
        factors.append((part * of_image).flatten(1).sum(1) / of_image.square().sum())
        rest += factors[-1][:, None, None, None] * of_image
    if (rest - results).abs().max() > 1e-3:
        return "the results are no mixture of the image, its grey and its mean grey"
    bright, bright_and_contrast, all_three = factors
    if (bright_and_contrast - 1).abs().max() < 0.202:
        return "the brightness of the image is not multiplied"
    found = {
        "brightness": bright,
        "contrast": bright_and_contrast / bright,
        "saturation": all_three / bright_and_contrast,
    }
    for one, other in itertools.combinations(SPREADS, 2):
        shares = [(found[name] - 1) / SPREADS[name] for name in (one, other)]
        if min((a - b).abs().max() for a, b in ((found[one], found[other]), shares)) < 0.01:
            return f"{one} and {other} share one draw"
    for name, spread in SPREADS.items():
        values = found[name].sort().values
        if values[0] < 1 - spread - 0.002 or values[-1] > 1 + spread + 0.002:
            return f"factors of the {name} lie outside of 1 - spread and 1 + spread: {values[0]:.2f}"
        if values[0] >= 1:
            return f"the {name} is never lowered"
        steps = torch.arange(1, len(values) + 1, dtype=torch.float64) / len(values)
        if ((values - 1 + spread) / (2 * spread) - steps).abs().max() > 0.22:
            return f"the factors of the {name} are not spread evenly around 1"
    return "contrast alone changes the mean of the grey" if moved > 1e-3 else None


@check(f"{TRANSFORMS}ColorJitter.__call__", points=2, law=jitter_law, library="numpy")
def jitter(code, case):
    """Brightness, contrast and saturation, each by a factor of its own."""
    seed = case.integer(0, 10**6)
    image = case.array(picture(case, 2, 3, 3, low=0.42, high=0.5) + np.array([0.06, 0, -0.06]))
    light = picture(case, 2, 3, 3, low=0.8, high=1.0)
    some, strong, contrast = (
        code.data.transforms.ColorJitter(*spreads, seed)
        for spreads in (SPREADS.values(), (0.9, 0.9, 0.9), (0, 0.5, 0))
    )
    return {
        "image": image,
        "results": np.stack([some(image) for _ in range(200)]),
        "bright": np.stack([strong(light) for _ in range(20)]),
        "contrast alone": np.stack([contrast(image) for _ in range(20)]),
    }


def noise_law(outputs: dict[str, Any], expected: dict[str, Any]) -> str | None:
    """Pixels stay with probability snr, else are white or black; images get noise with probability p.

    Shares of 2,000 stray by more than 0.07 with probability below 2e-8 each, of 300 by more than 0.18 below
    8e-9 (Hoeffding); no noise repeats, which it does by chance with probability below 1e-200.
    """
    image, noisy = expected["image"], outputs["noisy"]
    changed = noisy != image
    if not (changed == changed[..., :1]).all():
        return "the channels of a pixel are drawn apart"
    if (changed == changed[0]).all() or (changed == changed[:, :1]).all():
        return "whole rows or columns change together"
    values = noisy[changed]
    if values.max() > 1:
        return "some pixels are brighter than white, which is 1"
    if not ((values == 0) | (values == 1)).all():
        return "a changed pixel is neither 0 nor 1"
    share = changed[..., 0].double().mean().item()
    if abs(share - 0.3) > 0.07:
        return f"with snr=0.7, {share:.0%} of the pixels change"
    white = (changed & (noisy == 1))[..., 0].double().mean().item()
    if white in (0, share):
        return f"{'every' if white else 'no'} changed pixel is white"
    if abs(white - share / 2) > 0.07:
        return f"{white / share:.0%} of the changed pixels are white"
    if outputs["noisy again"].equal(noisy):
        return "the second image gets the same noise"
    touched = (outputs["some"] != expected["spot"]).flatten(1).any(1).double().mean().item()
    return None if abs(touched - 0.25) < 0.18 else f"with p=0.25, {touched:.0%} of the images get noise"


@check(f"{TRANSFORMS}AddPepperNoise.__call__", points=2, law=noise_law, library="numpy")
def noise(code, case):
    """Salt and pepper on some pixels of some images."""
    AddPepperNoise, seed = code.data.transforms.AddPepperNoise, case.integer(0, 10**6)
    image, spot = picture(case, 40, 50, 2, low=0.2, high=0.8), picture(case, 1, 2, 1, low=0.2, high=0.8)
    always, sometimes = AddPepperNoise(0.7, 1.0, seed), AddPepperNoise(0.0, 0.25, seed)
    return {
        "image": image,
        "spot": spot,
        "noisy": always(image),
        "noisy again": always(image),
        "some": np.stack([sometimes(spot) for _ in range(300)]),
    }


# Batches


def drawn_samples(case, count: int) -> Samples:
    """Pictures and labels."""
    return Samples([{"image": picture(case, 2, 3), "label": case.integer(0, 9)} for _ in range(count)])


@check(f"{LOADER}__len__", points=1, library="numpy")
def number_of_batches(code, case):
    """Full batches, and the rest if it is kept."""
    size = case.integer(3, 6)
    sizes = {"divisible": 4 * size, "with a rest": 2 * size + 1, "less than a batch": size - 1}
    return {
        f"{name}, drop_last={drop}": len(
            code.data.dataloader.DataLoader(Samples([{}] * count), size, False, drop)
        )
        for name, count in sizes.items()
        for drop in (False, True)
    }


@check(f"{LOADER}__iter__", points=2, library="numpy", uses=[f"{LOADER}__len__"])
def loader_batches(code, case):
    """Dicts of arrays, in the order of the data set."""
    return {
        f"{count} samples, drop_last={drop}": list(
            code.data.dataloader.DataLoader(drawn_samples(case, count), 3, False, drop, seed=count)
        )
        for count, drop in ((7, False), (7, True), (6, False), (6, True))
    }


def lazy_law(outputs: dict[str, Any], expected: dict[str, Any]) -> str | None:
    """Nothing is asked for that is not due soon; nothing is left to chance."""
    asked = outputs["asked before the first batch"]
    return None if asked <= 8 else f"{asked} samples are loaded before the first batch of 4 comes out"


@check(f"{LOADER}__iter__:lazy", points=1, library="numpy", law=lazy_law, uses=[f"{LOADER}__len__"])
def lazy(code, case):
    """Samples are loaded when their batch is due."""
    dataset = drawn_samples(case, 40)
    next(iter(code.data.dataloader.DataLoader(dataset, 4, shuffle=bool(case.integer(0, 1)))))
    return {"asked before the first batch": len(dataset.asked)}


def shuffle_law(outputs: dict[str, Any], expected: dict[str, Any]) -> str | None:
    """Every sample once in each epoch, in orders that differ; two of 40 agree with probability 1 / 40!."""
    first, second = outputs["epochs"].tolist()
    if any(sorted(epoch) != list(range(40)) for epoch in (first, second)):
        return "an epoch does not hold every sample exactly once"
    if first == sorted(first):
        return "the samples come in their own order"
    if first == second:
        return "the second epoch has the order of the first"
    if all(max(first[i : i + 8]) - min(first[i : i + 8]) == 7 for i in range(0, 40, 8)):
        return "only whole batches change places"
    return None


@check(f"{LOADER}__iter__:shuffle", points=1, library="numpy", law=shuffle_law, uses=[f"{LOADER}__len__"])
def shuffled(code, case):
    """Another order in every epoch."""
    dataset = Samples([{"number": number} for number in range(40)])
    loader = code.data.dataloader.DataLoader(dataset, 8, shuffle=True, seed=case.integer(0, 10**6))
    return {"epochs": np.stack([np.concatenate([batch["number"] for batch in loader]) for _ in range(2)])}


# Models


def model_of(kind: type, W: Tensor) -> Any:
    """A model with these weights."""
    model = kind(len(W) - 1)
    model.initialize_weights(W.clone())
    return model


@check(f"{LINEAR}forward", points=1)
def linear_forward(code, case):
    """A weighted sum, with the bias at the end."""
    model = model_of(code.networks.linear_model.LinearModel, numbers(case, 4, 1))
    return {"predictions": model.forward(numbers(case, 6, 3))}


@check(f"{LINEAR}backward", points=1, uses=[f"{LINEAR}forward"], forbids=AUTOGRAD)
def linear_backward(code, case):
    """The gradient of the weights."""
    model = model_of(code.networks.linear_model.LinearModel, numbers(case, 4, 1))
    model.forward(numbers(case, 6, 3))
    return {"dW": model.backward(numbers(case, 6, 1))}


SIGMOID = ["torch.sigmoid", "torch.nn.functional.sigmoid", "torch.special.expit"]


@check(f"{CLASSIFIER}sigmoid", points=1, forbids=SIGMOID)
def sigmoid(code, case):
    """Into (0, 1), for numbers of any size."""
    model = code.networks.classifier.Classifier(2)
    large = numbers(case, 4, reach=3000.0)
    return {"of a matrix": model.sigmoid(numbers(case, 3, 5)), "of large numbers": model.sigmoid(large)}


@check(f"{CLASSIFIER}forward", points=1, uses=[f"{CLASSIFIER}sigmoid"])
def classifier_forward(code, case):
    """Probabilities out of a weighted sum."""
    model = model_of(code.networks.classifier.Classifier, numbers(case, 4, 1))
    return {"probabilities": model.forward(numbers(case, 6, 3))}


@check(f"{CLASSIFIER}backward", points=1, uses=[f"{CLASSIFIER}forward"], forbids=AUTOGRAD)
def classifier_backward(code, case):
    """The gradient of the weights, through the slope of the sigmoid."""
    model = model_of(code.networks.classifier.Classifier, numbers(case, 4, 1))
    model.forward(numbers(case, 6, 3))
    return {"dW": model.backward(numbers(case, 6, 1))}


# Losses


def on_pairs(case, call: Callable[..., Tensor], *, probabilities: bool = False) -> dict[str, Tensor]:
    """What a loss gives for pairs of predictions and targets, in two shapes."""
    outputs = {}
    for shape in ((7, 1), (5,)):
        y_out = (
            case.tensor(picture(case, *shape, low=0.1, high=0.9)) if probabilities else numbers(case, *shape)
        )
        y_truth = case.tensor(np.array(case.shuffled([0.0, 1.0] * 4))[: shape[0]].reshape(shape))
        if not probabilities:
            y_truth = numbers(case, *shape, reach=1.7)
        outputs[f"mean, {shape}"] = call(y_out, y_truth)
        outputs[f"individual, {shape}"] = call(y_out, y_truth, individual_losses=True)
    return outputs


@check(f"{LOSS}L1.forward", points=1, forbids=["torch.nn.functional.l1_loss"])
def l1_forward(code, case):
    """The mean distance, and every distance."""
    return on_pairs(case, code.networks.loss.L1().forward)


@check(f"{LOSS}L1.backward", points=1, forbids=AUTOGRAD)
def l1_backward(code, case):
    """Up or down, and 0 for what is right."""
    backward = code.networks.loss.L1().backward
    right = numbers(case, 3, 1)
    return {**on_pairs(case, backward), "all right": backward(right, right.clone())}


@check(f"{LOSS}MSE.forward", points=1, forbids=["torch.nn.functional.mse_loss"])
def mse_forward(code, case):
    """The mean square, and every square."""
    return on_pairs(case, code.networks.loss.MSE().forward)


@check(f"{LOSS}MSE.backward", points=1, forbids=AUTOGRAD)
def mse_backward(code, case):
    """The gradient of the mean square."""
    return on_pairs(case, code.networks.loss.MSE().backward)


@check(f"{LOSS}BCE.forward", points=1, forbids=["torch.nn.functional.binary_cross_entropy"])
def bce_forward(code, case):
    """The mean surprise, and every surprise."""
    forward = code.networks.loss.BCE().forward
    pairs = on_pairs(case, forward, probabilities=True)
    y_out = case.tensor(picture(case, 4, 1, low=0.1, high=0.9))
    return {**pairs, "any targets": forward(y_out, numbers(case, 4, 1))}


@check(f"{LOSS}BCE.backward", points=1, forbids=AUTOGRAD)
def bce_backward(code, case):
    """The gradient with respect to the probabilities."""
    backward = code.networks.loss.BCE().backward
    pairs = on_pairs(case, backward, probabilities=True)
    y_out = case.tensor(picture(case, 4, 1, low=0.1, high=0.9))
    return {**pairs, "any targets": backward(y_out, numbers(case, 4, 1))}


# Training


@check("networks.optimizer.Optimizer.step", points=1)
def optimizer_step(code, case):
    """The weights of the model move against the gradient."""
    model = model_of(code.networks.linear_model.LinearModel, numbers(case, 4, 1))
    optimizer = code.networks.optimizer.Optimizer(model, learning_rate=0.3)
    optimizer.step(numbers(case, 4, 1))
    once = model.W.clone()
    optimizer.step(numbers(case, 4, 1))
    return {"W after a step": once, "W after two": model.W}


@check(
    "solver_regression.Solver._step",
    points=2,
    uses=[
        f"{LINEAR}forward",
        f"{LINEAR}backward",
        f"{CLASSIFIER}forward",
        f"{CLASSIFIER}backward",
        f"{LOSS}MSE.backward",
        f"{LOSS}BCE.backward",
        "networks.optimizer.Optimizer.step",
    ],
    forbids=["torch.autograd.grad", "torch.Tensor.requires_grad_"],
)
def solver_step(code, case):
    """Two steps of training, of a line and of a classifier."""
    networks, outputs = code.networks, {}
    for name, kind, loss in (
        ("regression", networks.linear_model.LinearModel, networks.loss.MSE()),
        ("classification", networks.classifier.Classifier, networks.loss.BCE()),
    ):
        model = model_of(kind, numbers(case, 4, 1, reach=0.5))
        targets = [case.tensor(np.array(case.shuffled([0.0, 1.0] * 4))[:n, None]) for n in (6, 5)]
        data = {"X_train": numbers(case, 6, 3), "y_train": targets[0]}
        data |= {"X_val": numbers(case, 5, 3), "y_val": targets[1]}
        solver = code.solver_regression.Solver(model, data, loss, 0.4, verbose=False)
        for count in ("one step", "two steps"):
            solver._step()
            outputs[f"{name}: W after {count}"] = model.W.clone()
    return outputs
