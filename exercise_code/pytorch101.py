"""Tensors: make them, index them, reshape them, reduce them, multiply them, move them."""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor

from exercise_code.support.devices.best import best_device


def hello() -> None:
    """Print a greeting: whoever reads it has imported this file, and sees what is saved in it."""
    print("Hello from exercise_code/pytorch101.py")


def create_sample_tensor() -> Float[Tensor, "3 2"]:
    """A small float tensor, written entry by entry.

    Returns:
        Shape (3, 2), float32: 10 at [0, 1], 100 at [1, 0], 0 elsewhere.
    """
    ### BEGIN SOLUTION
    x = torch.zeros(3, 2)
    x[0, 1] = 10
    x[1, 0] = 100
    return x
    ### END SOLUTION


def mutate_tensor(
    x: Shaped[Tensor, "M N"], indices: Sequence[tuple[int, int]], values: Sequence[float]
) -> Shaped[Tensor, "M N"]:
    """Write values into a tensor, in place.

    Args:
        x: the tensor to write to.
        indices: pairs (row, column).
        values: one for each pair; where a pair comes twice, the last value stays.

    Returns:
        x itself, not a copy.
    """
    ### BEGIN SOLUTION
    for (row, column), value in zip(indices, values, strict=True):
        x[row, column] = value
    return x
    ### END SOLUTION


def count_tensor_elements(x: Shaped[Tensor, "*shape"]) -> int:
    """The number of entries of a tensor, from its shape.

    Not allowed here: numel, nelement.

    Args:
        x: a tensor of any rank, rank 0 included.

    Returns:
        A Python int.
    """
    ### BEGIN SOLUTION
    count = 1
    for size in x.shape:
        count *= size
    return count
    ### END SOLUTION


def create_tensor_of_pi(M: int, N: int) -> Float[Tensor, "M N"]:
    """A tensor with 3.14 in every entry.

    Args:
        M: number of rows.
        N: number of columns.

    Returns:
        Shape (M, N), float32, made by one call.
    """
    ### BEGIN SOLUTION
    return torch.full((M, N), 3.14)
    ### END SOLUTION


def multiples_of_ten(start: int, stop: int) -> Float[Tensor, " k"]:
    """All multiples of ten from start to stop, both ends included.

    Args:
        start: where the range begins, of any sign.
        stop: where it ends, start or more.

    Returns:
        The multiples in rising order, float64; shape (0,) where there are none.
    """
    ### BEGIN SOLUTION
    x = torch.arange(start, stop + 1, dtype=torch.float64)
    return x[x % 10 == 0]
    ### END SOLUTION


def slice_indexing_practice(
    x: Shaped[Tensor, "M N"],
) -> tuple[
    Shaped[Tensor, " N"],
    Shaped[Tensor, "M 1"],
    Shaped[Tensor, "2 3"],
    Shaped[Tensor, "even_rows odd_columns"],
]:
    """Four parts of a matrix, each by one slice, so that all share memory with it.

    Args:
        x: at least 3 rows and 5 columns.

    Returns:
        last_row: the last row, of rank 1.
        third_col: the third column, of rank 2: shape (M, 1).
        first_two_rows_three_cols: the upper left corner, shape (2, 3).
        even_rows_odd_cols: rows 0, 2, 4, … at columns 1, 3, 5, …
    """
    ### BEGIN SOLUTION
    return x[-1], x[:, 2:3], x[:2, :3], x[::2, 1::2]
    ### END SOLUTION


def slice_assignment_practice(x: Int[Tensor, "M N"]) -> Int[Tensor, "M N"]:
    """Write a pattern into the upper left corner of a matrix, in place, by at most six assignments to slices.

    The corner becomes

        0 1 2 2 2 2
        0 1 2 2 2 2
        3 4 3 4 5 5
        3 4 3 4 5 5

    and nothing else changes. x may hold anything before; no loops.

    Args:
        x: at least 4 rows and 6 columns.

    Returns:
        x itself, not a copy.
    """
    ### BEGIN SOLUTION
    x[:2, 0] = 0
    x[:2, 1] = 1
    x[:2, 2:6] = 2
    x[2:4, :4:2] = 3
    x[2:4, 1:4:2] = 4
    x[2:4, 4:6] = 5
    return x
    ### END SOLUTION


def shuffle_cols(x: Shaped[Tensor, "M N"]) -> Shaped[Tensor, "M 4"]:
    """Columns 0, 0, 2 and 1 of a matrix, by one index.

    Not allowed here: cat, stack, loops.

    Args:
        x: at least 3 columns.

    Returns:
        A new matrix with as many rows.
    """
    ### BEGIN SOLUTION
    return x[:, [0, 0, 2, 1]]
    ### END SOLUTION


def reverse_rows(x: Shaped[Tensor, "M N"]) -> Shaped[Tensor, "M N"]:
    """The rows of a matrix from last to first, by one index.

    PyTorch has no slices of negative step. Not allowed here: flip and its relatives, loops.

    Args:
        x: any matrix.

    Returns:
        A new matrix of the same shape.
    """
    ### BEGIN SOLUTION
    return x[torch.arange(len(x) - 1, -1, -1)]
    ### END SOLUTION


def take_one_elem_per_col(x: Shaped[Tensor, "M N"]) -> Shaped[Tensor, "3"]:
    """Entry 1 of column 0, entry 0 of column 1 and entry 3 of column 2, by one index.

    Not allowed here: cat, stack, loops.

    Args:
        x: at least 4 rows and 3 columns.

    Returns:
        Shape (3,).
    """
    ### BEGIN SOLUTION
    return x[[1, 0, 3], [0, 1, 2]]
    ### END SOLUTION


def make_one_hot(x: list[int]) -> Float[Tensor, "N C"]:
    """For every number a row that is 1 at that place and 0 elsewhere.

    Not allowed here: one_hot, loops.

    Args:
        x: N integers, 0 or more.

    Returns:
        Shape (N, C) with C = 1 + the largest number; float32.
    """
    ### BEGIN SOLUTION
    one_hot = torch.zeros(len(x), 1 + max(x))
    one_hot[torch.arange(len(x)), x] = 1
    return one_hot
    ### END SOLUTION


def count_negative_entries(x: Int[Tensor, "*shape"]) -> int:
    """How many entries of a tensor are below zero, by one comparison and no loop.

    Args:
        x: int64, of any shape.

    Returns:
        A Python int.
    """
    ### BEGIN SOLUTION
    return (x < 0).sum().item()
    ### END SOLUTION


def sum_positive_entries(x: Int[Tensor, "*shape"]) -> int:
    """The sum of those entries of a tensor that are above zero, by one comparison, one index and no loop.

    Args:
        x: int64, of any shape.

    Returns:
        A Python int; 0 where no entry is above zero.
    """
    ### BEGIN SOLUTION
    return x[x > 0].sum().item()
    ### END SOLUTION


def reshape_practice(x: Shaped[Tensor, "24"]) -> Shaped[Tensor, "3 8"]:
    """Blocks of four, arranged anew: three rows, in each a block of the first half beside one of the second.

    The numbers 0 to 23 become

        0  1  2  3 12 13 14 15
        4  5  6  7 16 17 18 19
        8  9 10 11 20 21 22 23

    Not allowed here: cat, stack, loops. A view as rank 3 in between, and a transposition, do it.

    Args:
        x: 24 numbers.

    Returns:
        Shape (3, 8).
    """
    ### BEGIN SOLUTION
    return x.view(2, 3, 4).transpose(0, 1).reshape(3, 8)
    ### END SOLUTION


def zero_row_min(x: Shaped[Tensor, "M N"]) -> Shaped[Tensor, "M N"]:
    """A copy of a matrix in which the smallest entry of every row is 0; of equal ones only the first.

    Args:
        x: any matrix, which stays as it is.

    Returns:
        A new matrix of the same shape.
    """
    ### BEGIN SOLUTION
    y = x.clone()
    y[torch.arange(len(x)), x.argmin(dim=1)] = 0
    return y
    ### END SOLUTION


def normalize_columns(x: Float[Tensor, "M N"]) -> Float[Tensor, "M N"]:
    """A copy of a matrix whose columns have mean 0 and standard deviation 1.

    For a column  mu = sum(x) / M  and  sigma = sqrt(sum((x - mu)^2) / (M - 1)).
    Not allowed here: mean, std, var and the like; sums, roots and arithmetic do it.

    Args:
        x: at least 2 rows; no column is constant.

    Returns:
        (x - mu) / sigma, in the dtype and on the device of x.
    """
    ### BEGIN SOLUTION
    M = len(x)
    centred = x - x.sum(dim=0) / M
    return centred / (centred.square().sum(dim=0) / (M - 1)).sqrt()
    ### END SOLUTION


def batched_matrix_multiply(
    x: Float[Tensor, "B N M"], y: Float[Tensor, "B M P"], use_loop: bool = True
) -> Float[Tensor, "B N P"]:
    """The matrix product of every pair in a batch, with or without a loop; both give the same."""
    return batched_matrix_multiply_loop(x, y) if use_loop else batched_matrix_multiply_noloop(x, y)


def batched_matrix_multiply_loop(
    x: Float[Tensor, "B N M"], y: Float[Tensor, "B M P"]
) -> Float[Tensor, "B N P"]:
    """The matrix product of every pair in a batch, z[i] = x[i] @ y[i], with one loop over the batch.

    Not allowed here: bmm, einsum, and @ on the whole batch.

    Args:
        x: B matrices.
        y: B matrices with as many rows as those of x have columns.

    Returns:
        B products, in the dtype and on the device of x.
    """
    ### BEGIN SOLUTION
    return torch.stack([a.mm(b) for a, b in zip(x, y, strict=True)])
    ### END SOLUTION


def batched_matrix_multiply_noloop(
    x: Float[Tensor, "B N M"], y: Float[Tensor, "B M P"]
) -> Float[Tensor, "B N P"]:
    """The matrix product of every pair in a batch, z[i] = x[i] @ y[i], by one operation and no loop.

    Args:
        x: B matrices.
        y: B matrices with as many rows as those of x have columns.

    Returns:
        B products, in the dtype and on the device of x.
    """
    ### BEGIN SOLUTION
    return torch.bmm(x, y)
    ### END SOLUTION


def mm_on_cpu(x: Float[Tensor, "A B"], w: Float[Tensor, "B C"]) -> Float[Tensor, "A C"]:
    """The product of two matrices, where they are."""
    return x.mm(w)


def mm_on_gpu(
    x: Float[Tensor, "A B"], w: Float[Tensor, "B C"], device: torch.device | str | None = None
) -> Float[Tensor, "A C"]:
    """The product of two matrices of the CPU's memory, computed on another device.

    Copy both there, multiply there, copy the product back.

    Args:
        x: on the CPU.
        w: on the CPU.
        device: where to multiply; None is the fastest device of this machine.

    Returns:
        The product, on the CPU.
    """
    device = best_device() if device is None else device
    ### BEGIN SOLUTION
    return (x.to(device) @ w.to(device)).cpu()
    ### END SOLUTION


def challenge_mean_tensors(xs: list[Float[Tensor, " _"]], ls: Int[Tensor, " N"]) -> Float[Tensor, " N"]:
    """The mean of each of N vectors of different lengths, without a loop and without padding.

    Args:
        xs: N vectors, each with one number or more.
        ls: their lengths, int64.

    Returns:
        The means, in the dtype and on the device of the vectors.
    """
    ### BEGIN SOLUTION
    numbers = torch.cat(xs)
    owner = torch.arange(len(ls), device=ls.device).repeat_interleave(ls)
    return numbers.new_zeros(len(ls)).index_add(0, owner, numbers) / ls
    ### END SOLUTION


def challenge_get_uniques(x: Int[Tensor, " N"]) -> tuple[Int[Tensor, " K"], Int[Tensor, " K"]]:
    """The different values of a vector, and where each comes first, without a loop.

    Memory in proportion to N: no table of all pairs.

    Args:
        x: N integers, int64.

    Returns:
        uniques: the K different values, in rising order.
        indices: int64; x[indices[k]] is the first of all entries that equal uniques[k].
    """
    ### BEGIN SOLUTION
    uniques, place = x.unique(return_inverse=True)
    positions = torch.arange(len(x), device=x.device)
    indices = torch.full_like(uniques, len(x)).scatter_reduce(0, place, positions, "amin")
    return uniques, indices
    ### END SOLUTION
