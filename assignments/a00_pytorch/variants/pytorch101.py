"""Right versions of `pytorch101`, written otherwise."""

import functools
import math
import operator

import torch

from exercise_code.support.checking.declare import variant


# Tensors
@variant("pytorch101.create_sample_tensor")
def sample_from_list():
    return torch.tensor([[0.0, 10.0], [100.0, 0.0], [0.0, 0.0]])


@variant("pytorch101.create_sample_tensor")
def sample_from_view():
    x = torch.zeros(6)
    x[1:3] = torch.tensor([10, 100])
    return x.view(3, 2)


@variant("pytorch101.mutate_tensor")
def mutate_by_tuple(x, indices, values):
    for place, index in enumerate(indices):
        x[index] = values[place]
    return x


@variant("pytorch101.mutate_tensor")
def mutate_by_fill(x, indices, values):
    for (row, column), value in zip(indices, values, strict=False):
        x[row][column].fill_(value)
    return x


@variant("pytorch101.count_tensor_elements")
def count_by_math(x):
    return math.prod(x.size())


@variant("pytorch101.count_tensor_elements")
def count_by_reduce(x):
    return functools.reduce(operator.mul, x.shape, 1)


@variant("pytorch101.count_tensor_elements")
def count_by_flattening(x):
    return len(x.flatten())


@variant("pytorch101.create_tensor_of_pi")
def pi_times_ones(M, N):
    return 3.14 * torch.ones((M, N))


@variant("pytorch101.create_tensor_of_pi")
def pi_filled(M, N):
    return torch.empty(M, N).fill_(3.14)


@variant("pytorch101.multiples_of_ten")
def tens_by_division(start, stop):
    return 10 * torch.arange(-(-start // 10), stop // 10 + 1).double()


@variant("pytorch101.multiples_of_ten")
def tens_by_list(start, stop):
    return torch.tensor([n for n in range(start, stop + 1) if n % 10 == 0], dtype=torch.float64)


@variant("pytorch101.slice_indexing_practice")
def slices_with_all_ends(x):
    rows, columns = x.shape
    return x[rows - 1, :], x[:, 2].view(-1, 1), x[0:2, 0:3], x[0:rows:2, 1:columns:2]


@variant("pytorch101.slice_indexing_practice")
def slices_by_narrow(x):
    return x.select(0, -1), x.narrow(1, 2, 1), x[:2].narrow(1, 0, 3), x[::2][:, 1::2]


@variant("pytorch101.slice_assignment_practice")
def pattern_by_rows(x):
    x[0:2, 0:6] = torch.tensor([0, 1, 2, 2, 2, 2])
    x[2:4, 0:6] = torch.tensor([3, 4, 3, 4, 5, 5])
    return x


@variant("pytorch101.slice_assignment_practice")
def pattern_overwritten(x):
    x[:2, :6] = 2
    x[:2, 0] = 0
    x[:2, 1] = 1
    x[2:4, :6] = 5
    x[2:4, 0:3:2] = 3
    x[2:4, 1:4:2] = 4
    return x


@variant("pytorch101.shuffle_cols")
def columns_by_select(x):
    return x.index_select(1, torch.tensor([0, 0, 2, 1], device=x.device))


@variant("pytorch101.shuffle_cols")
def columns_by_tensor(x):
    return x[:, torch.tensor([0, 0, 2, 1])]


@variant("pytorch101.reverse_rows")
def rows_by_range(x):
    return x[list(range(x.shape[0]))[::-1]]


@variant("pytorch101.reverse_rows")
def rows_by_difference(x):
    return x[x.shape[0] - 1 - torch.arange(x.shape[0], device=x.device), :]


@variant("pytorch101.take_one_elem_per_col")
def taken_by_tensors(x):
    return x[torch.tensor([1, 0, 3]), torch.arange(3)]


@variant("pytorch101.take_one_elem_per_col")
def taken_from_flat(x):
    return x.flatten()[torch.tensor([1, 0, 3]) * x.shape[1] + torch.arange(3)]


@variant("pytorch101.make_one_hot")
def one_hot_from_eye(x):
    return torch.eye(max(x) + 1)[x]


@variant("pytorch101.make_one_hot")
def one_hot_by_comparison(x):
    numbers = torch.tensor(x)
    return (numbers[:, None] == torch.arange(numbers.max() + 1)).float()


@variant("pytorch101.make_one_hot")
def one_hot_by_scatter(x):
    return torch.zeros(len(x), max(x) + 1).scatter_(1, torch.tensor(x)[:, None], 1.0)


@variant("pytorch101.count_negative_entries")
def negative_by_mask(x):
    return x[x < 0].shape[0]


@variant("pytorch101.count_negative_entries")
def negative_by_count_nonzero(x):
    return int(torch.count_nonzero(x < 0))


@variant("pytorch101.sum_positive_entries")
def positive_by_int(x):
    return int(torch.sum(x[x > 0]))


@variant("pytorch101.sum_positive_entries")
def positive_by_clamp(x):
    return x.clamp(min=0).sum().item()


@variant("pytorch101.reshape_practice")
def blocks_by_permute(x):
    return x.reshape(2, 3, 4).permute(1, 0, 2).contiguous().view(3, 8)


@variant("pytorch101.reshape_practice")
def blocks_by_index(x):
    return x.view(2, 3, 4)[:, torch.arange(3)].swapaxes(0, 1).flatten(1)


@variant("pytorch101.zero_row_min")
def row_min_by_scatter(x):
    return x.scatter(1, x.argmin(dim=1, keepdim=True), 0)


@variant("pytorch101.zero_row_min")
def row_min_by_min(x):
    y = x.clone()
    y[range(x.shape[0]), x.min(dim=1).indices] = 0
    return y


@variant("pytorch101.zero_row_min")
def row_min_by_loop(x):
    y = x.clone()
    for row in y:
        row[row.argmin()] = 0
    return y


@variant("pytorch101.normalize_columns")
def normalize_column_by_column(x):
    columns = []
    for column in x.T:
        centred = column - column.sum() / len(x)
        columns.append(centred / (centred.square().sum() / (len(x) - 1)) ** 0.5)
    return torch.stack(columns, dim=1)


@variant("pytorch101.normalize_columns")
def normalize_by_powers(x):
    M = x.shape[0]
    mu = torch.sum(x, dim=0, keepdim=True) / M
    sigma = (torch.sum((x - mu) ** 2, dim=0, keepdim=True) / (M - 1)) ** 0.5
    return (x - mu) / sigma


@variant("pytorch101.normalize_columns")
def normalize_by_products(x):
    ones = torch.ones(1, len(x), dtype=x.dtype, device=x.device)
    centred = x - ones @ x / len(x)
    return centred * ((ones @ centred**2) / (len(x) - 1)).rsqrt()


@variant("pytorch101.batched_matrix_multiply_loop")
def loop_into_buffer(x, y):
    z = torch.empty(x.shape[0], x.shape[1], y.shape[2], dtype=x.dtype, device=x.device)
    for i in range(x.shape[0]):
        z[i] = torch.mm(x[i], y[i])
    return z


@variant("pytorch101.batched_matrix_multiply_loop")
def loop_over_inner_axis(x, y):
    z = x.new_zeros(len(x), x.shape[1], y.shape[2])
    for m in range(x.shape[2]):
        z = z + x[:, :, m : m + 1] * y[:, m : m + 1]
    return z


@variant("pytorch101.batched_matrix_multiply_noloop")
def noloop_by_einsum(x, y):
    return torch.einsum("bnm,bmp->bnp", x, y)


@variant("pytorch101.batched_matrix_multiply_noloop")
def noloop_by_at(x, y):
    return x @ y


@variant("pytorch101.batched_matrix_multiply_noloop")
def noloop_by_sum(x, y):
    return (x[:, :, :, None] * y[:, None]).sum(dim=2)


@variant("pytorch101.mm_on_gpu")
def gpu_by_mm(x, w, device=None):
    there = x.to(device=device).mm(w.to(device=device))
    return there.to("cpu")


@variant("pytorch101.mm_on_gpu")
def gpu_by_einsum(x, w, device=None):
    return torch.einsum("ab,bc->ac", x.to(device), w.to(device)).to(x.device)


@variant("pytorch101.challenge_mean_tensors")
def means_by_scatter(xs, ls):
    numbers = torch.cat(xs)
    owner = torch.repeat_interleave(torch.arange(len(xs), device=ls.device), ls)
    return (
        torch.zeros(len(xs), dtype=numbers.dtype, device=numbers.device).scatter_add_(0, owner, numbers) / ls
    )


@variant("pytorch101.challenge_mean_tensors")
def means_by_running_sum(xs, ls):
    running = torch.cat(xs).double().cumsum(0)
    at_ends = running[ls.cumsum(0) - 1]
    return (at_ends.diff(prepend=at_ends.new_zeros(1)) / ls).to(xs[0].dtype)


@variant("pytorch101.challenge_mean_tensors")
def means_by_reduce(xs, ls):
    numbers, owner = torch.cat(xs), torch.arange(len(ls), device=ls.device).repeat_interleave(ls)
    return numbers.new_zeros(len(ls)).scatter_reduce(0, owner, numbers, "mean", include_self=False)


@variant("pytorch101.challenge_get_uniques")
def uniques_by_sorting(x):
    values, order = x.sort(stable=True)
    first = torch.ones_like(values, dtype=torch.bool)
    first[1:] = values[1:] != values[:-1]
    return values[first], order[first]


@variant("pytorch101.challenge_get_uniques")
def uniques_by_writing_backwards(x):
    uniques, place = torch.unique(x, sorted=True, return_inverse=True)
    positions = torch.arange(len(x), device=x.device)
    return uniques, len(x) - 1 - torch.zeros_like(uniques).scatter_reduce(
        0, place, len(x) - 1 - positions, "amax", include_self=False
    )
