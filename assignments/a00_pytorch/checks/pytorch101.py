"""What is asked of `pytorch101`."""

import math
from typing import Any

import numpy as np
from torch import Tensor
from torch.overrides import TorchFunctionMode

from exercise_code.support.checking.declare import check

from .common import JOINING, batches

T = "pytorch101."


FLIPS = ["torch.flip", "torch.fliplr", "torch.flipud", "torch.rot90"]


STATISTICS = ["torch.mean", "torch.std", "torch.var", "torch.std_mean", "torch.var_mean", "torch.norm"]


PRODUCTS = ["torch.bmm", "torch.baddbmm", "torch.einsum", "torch.tensordot"]


def integers(case, *shape: int) -> Tensor:
    """Different integers of both signs, at most one of them zero, in no order."""
    count = math.prod(shape)
    below = case.integer(count // 5, count - count // 5)
    return case.tensor(np.array(case.shuffled(range(count))).reshape(shape) - below)


# Tensors
@check(f"{T}create_sample_tensor", points=0.5)
def sample_tensor(code, case):
    """Two entries written into zeros."""
    return {"x": code.pytorch101.create_sample_tensor()}


@check(f"{T}mutate_tensor", points=1)
def mutation(code, case):
    """Values written in place, the last one winning."""
    x = case.numbers(4, 5).clone()
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
    sizes = [(case.integer(2, 9), case.integer(10, 19)) for _ in range(3)]
    return {"x": [code.pytorch101.create_tensor_of_pi(*size) for size in sizes]}


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
    x = case.numbers(5, 8).clone()
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
    return {"columns": code.pytorch101.shuffle_cols(case.positive_matrix(4, 5))}


@check(f"{T}reverse_rows", points=0.5, loops=0, forbids=FLIPS)
def rows_backwards(code, case):
    """The last row first."""
    return {"rows": code.pytorch101.reverse_rows(case.positive_matrix(5, 3))}


@check(f"{T}take_one_elem_per_col", points=0.5, loops=0, forbids=JOINING)
def one_of_each_column(code, case):
    """Three entries by one index."""
    return {"entries": code.pytorch101.take_one_elem_per_col(case.positive_matrix(6, 4))}


@check(f"{T}make_one_hot", points=1, loops=0, forbids=["torch.nn.functional.one_hot"])
def one_hot(code, case):
    """A row for each number, as long as the largest asks for."""
    many = case.labels(9, num_classes=4).tolist()
    return {
        "rows": code.pytorch101.make_one_hot(many),
        "rows of [1, 15, 0]": code.pytorch101.make_one_hot([1, 15, 0]),
    }


@check(f"{T}count_negative_entries", points=0.5, loops=0)
def negative_entries(code, case):
    """How many are below zero."""
    count = code.pytorch101.count_negative_entries
    shapes = (3, 5), (7,), (2, 3, 4), (30, 40)
    return {f"count for shape {shape}": count(integers(case, *shape)) for shape in shapes}


@check(f"{T}sum_positive_entries", points=0.5, loops=0)
def positive_entries(code, case):
    """The sum of what is above zero."""
    total = code.pytorch101.sum_positive_entries
    shapes = (3, 5), (7,), (2, 3, 4), (30, 40)
    sums = {f"sum for shape {shape}": total(integers(case, *shape)) for shape in shapes}
    return {**sums, "sum where all are negative": total(case.tensor([-3, -1]))}


@check(f"{T}reshape_practice", points=1, loops=0, forbids=JOINING)
def blocks(code, case):
    """Blocks side by side."""
    reshape = code.pytorch101.reshape_practice
    return {"0 to 23": reshape(case.tensor(np.arange(24))), "other numbers": reshape(case.numbers(24))}


@check(f"{T}zero_row_min", points=1)
def row_minimum(code, case):
    """The smallest of each row becomes 0, in a copy."""
    return {"y": code.pytorch101.zero_row_min(case.numbers(5, 4))}


@check(f"{T}zero_row_min:ties", points=0.5)
def equal_minima(code, case):
    """Of equal smallest entries only the first."""
    in_two_columns = [[-1.0, -1.0, 2.0, 3.0, 5.0], [2.0, -1.0, 3.0, -1.0, 5.0]]
    rows = [case.shuffled(in_two_columns[0]) for _ in range(2)]
    return {"y": code.pytorch101.zero_row_min(case.tensor(in_two_columns + rows))}


@check(f"{T}normalize_columns", points=1.5, forbids=STATISTICS)
def normalised_columns(code, case):
    """Mean 0 and standard deviation 1 in every column."""
    x = case.points(5)
    return {"y": code.pytorch101.normalize_columns(case.tensor(3 * x + case.tensor([4.0, -2.0, 0.0, 7.0])))}


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
    x, w = case.numbers(3, 4), case.numbers(4, 6)
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
