"""How people get tensors, autograd, the data pipeline and regression wrong."""

import itertools
import math

import numpy as np
import torch
from torch import nn

from exercise_code import autograd_study
from exercise_code.data.base_dataset import SPLIT
from exercise_code.data.image_folder_dataset import ImageFolderDataset
from exercise_code.data.transforms import blend, grey
from exercise_code.support.augmentation import (
    Normalize,
    RandomBrightness,
    RandomFlip,
    RandomNoise,
    RandomShift,
)
from exercise_code.support.checking.declare import mistake

T = "pytorch101."
A = "autograd_study."

SAMPLE = f"{T}create_sample_tensor"
MUTATE = f"{T}mutate_tensor"
COUNT = f"{T}count_tensor_elements"
PI = f"{T}create_tensor_of_pi"
TENS = f"{T}multiples_of_ten"
SLICES = f"{T}slice_indexing_practice"
PATTERN = f"{T}slice_assignment_practice"
COLUMNS = f"{T}shuffle_cols"
REVERSED = f"{T}reverse_rows"
TAKEN = f"{T}take_one_elem_per_col"
ONE_HOT = f"{T}make_one_hot"
NEGATIVE = f"{T}count_negative_entries"
POSITIVE = f"{T}sum_positive_entries"
RESHAPE = f"{T}reshape_practice"
ROW_MIN = f"{T}zero_row_min"
NORMALIZE = f"{T}normalize_columns"
LOOP = f"{T}batched_matrix_multiply_loop"
NO_LOOP = f"{T}batched_matrix_multiply_noloop"
GPU = f"{T}mm_on_gpu"
MEANS = f"{T}challenge_mean_tensors"
UNIQUES = f"{T}challenge_get_uniques"

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

NO_NUMBER = "This is a tensor of rank 0. `.item()` makes a Python number of it."
WRONG_DTYPE = "The result is made in float32 whatever goes in: make it with the dtype of the input."


# Tensors


@mistake(SAMPLE, hint="Both entries are 10. Row 1, column 0 is to hold 100.")
def sample_both_ten():
    x = torch.zeros(3, 2)
    x[0, 1] = x[1, 0] = 10
    return x


@mistake(SAMPLE, hint="Row and column have changed places: `x[0, 1]` is row 0, column 1.")
def sample_transposed():
    x = torch.zeros(3, 2)
    x[1, 0] = 10
    x[0, 1] = 100
    return x


@mistake(SAMPLE, hint="This tensor holds integers; a float tensor is due. What does `zeros` make by default?")
def sample_of_integers():
    return torch.tensor([[0, 10], [100, 0], [0, 0]])


@mistake(SAMPLE, hint="This has 2 rows and 3 columns. The first size is the number of rows.")
def sample_lying_down():
    x = torch.zeros(2, 3)
    x[0, 1] = 10
    x[1, 0] = 100
    return x


@mistake(SAMPLE, hint="The other entries are to be 0: `empty` and `rand` leave or put something there.")
def sample_of_ones():
    x = torch.ones(3, 2)
    x[0, 1] = 10
    x[1, 0] = 100
    return x


@mistake(MUTATE, hint="You write into a copy. x itself is to change, and to be returned.")
def mutate_copy(x, indices, values):
    y = x.clone()
    for index, value in zip(indices, values, strict=True):
        y[index] = value
    return y


@mistake(MUTATE, hint="x has changed, but a copy of it is returned: return x itself.")
def mutate_returns_clone(x, indices, values):
    for index, value in zip(indices, values, strict=True):
        x[index] = value
    return x.clone()


@mistake(MUTATE, hint="x has changed, but nothing is returned: end with `return`.")
def mutate_without_return(x, indices, values):
    for index, value in zip(indices, values, strict=True):
        x[index] = value


@mistake(MUTATE, hint="Values are added to what was there; they are to replace it.")
def mutate_adds(x, indices, values):
    for index, value in zip(indices, values, strict=True):
        x[index] += value
    return x


@mistake(MUTATE, hint="Where a place comes twice, the last value is to stay; here the first does.")
def mutate_first_wins(x, indices, values):
    for index, value in reversed([*zip(indices, values, strict=True)]):
        x[index] = value
    return x


@mistake(MUTATE, hint="A pair is (row, column). Here the column is taken for the row.")
def mutate_transposed(x, indices, values):
    for (row, column), value in zip(indices, values, strict=True):
        x[column % len(x), row] = value
    return x


@mistake(MUTATE, hint="`x[[row, column]]` takes two whole rows. One entry needs a tuple: `x[row, column]`.")
def mutate_rows(x, indices, values):
    for (row, column), value in zip(indices, values, strict=True):
        x[[row, column % len(x)]] = value
    return x


@mistake(COUNT, hint="This counts on two axes. A tensor may have none, one, or five of them.")
def count_two_axes(x):
    return x.shape[0] * x.shape[1]


@mistake(COUNT, hint="`len` is the size of the first axis only, and rank 0 has none.")
def count_first_axis(x):
    return len(x) if x.dim() else 1


@mistake(COUNT, hint="`numel` is the answer itself. Multiply the sizes in `x.shape`.")
def count_by_numel(x):
    return x.numel()


@mistake(COUNT, hint=NO_NUMBER)
def count_as_tensor(x):
    return torch.tensor(x.shape, dtype=torch.int64).prod()


@mistake(COUNT, hint="The sizes are added up. A matrix of 3 x 4 has 12 entries.")
def count_sum(x):
    return sum(x.shape)


@mistake(COUNT, hint="A product that starts at 0 stays 0.")
def count_from_zero(x):
    count = 0
    for size in x.shape:
        count *= size
    return count


@mistake(COUNT, hint="This counts the entries that are not 0. Look at the shape, not at the values.")
def count_nonzero(x):
    return int((x != 0).sum())


@mistake(PI, hint="3.14 is asked for, not π to all its digits.")
def pi_to_all_digits(M, N):
    return torch.full((M, N), math.pi)


@mistake(PI, hint="M is the number of rows, N of columns: here they have changed places.")
def pi_transposed(M, N):
    return torch.full((N, M), 3.14)


@mistake(PI, hint="The entries are integers: 3.14 was cut to 3 when it was written into them.")
def pi_cut(M, N):
    x = torch.zeros(M, N, dtype=torch.int64)
    x[:] = 3.14
    return x


@mistake(PI, hint="float64 comes from NumPy or an explicit dtype; float32 is what PyTorch makes by default.")
def pi_in_float64(M, N):
    return torch.full((M, N), 3.14, dtype=torch.float64)


@mistake(TENS, hint="`arange` leaves out its end, so a multiple of ten at `stop` is lost.")
def tens_without_stop(start, stop):
    x = torch.arange(start, stop, dtype=torch.float64)
    return x[x % 10 == 0]


@mistake(TENS, hint="A multiple of ten at `start` belongs to the range too.")
def tens_without_start(start, stop):
    x = torch.arange(start + 1, stop + 1, dtype=torch.float64)
    return x[x % 10 == 0]


@mistake(TENS, hint="Multiples of ten below zero are missing, or 0 itself.")
def tens_positive_only(start, stop):
    x = torch.arange(start, stop + 1, dtype=torch.float64)
    return x[(x % 10 == 0) & (x > 0)]


@mistake(TENS, hint="These are integers; float64 is due: say so with `dtype=`.")
def tens_as_integers(start, stop):
    x = torch.arange(start, stop + 1)
    return x[x % 10 == 0]


@mistake(TENS, hint="This is float32, the default of floats; float64 is due.")
def tens_in_float32(start, stop):
    x = torch.arange(start, stop + 1, dtype=torch.float32)
    return x[x % 10 == 0]


@mistake(TENS, hint="Steps of ten from `start` hit multiples of ten only if `start` is one.")
def tens_from_start(start, stop):
    return torch.arange(start, stop + 1, 10, dtype=torch.float64)


@mistake(TENS, hint="Where there are no multiples, an empty tensor of shape (0,) is due, not None.")
def tens_none(start, stop):
    x = torch.arange(start, stop + 1, dtype=torch.float64)
    tens = x[x % 10 == 0]
    return tens if len(tens) else None


@mistake(
    TENS, hint="`arange` raises an error where its start is beyond its end: what if there is no multiple?"
)
def tens_by_ceiling(start, stop):
    return torch.arange(math.ceil(start / 10) * 10, stop + 1, 10, dtype=torch.float64)


@mistake(TENS, hint="This starts at the multiple below `start`, which is not in the range.")
def tens_from_below(start, stop):
    return torch.arange(start // 10 * 10, stop + 1, 10, dtype=torch.float64)


@mistake(
    SLICES, hint="The last row is to have rank 1: an integer as index removes its axis, a slice keeps it."
)
def slices_row_of_rank_two(x):
    return x[-1:], x[:, 2:3], x[:2, :3], x[::2, 1::2]


@mistake(SLICES, hint="The third column is to be (M, 1): a slice of one column keeps the axis.")
def slices_column_of_rank_one(x):
    return x[-1], x[:, 2], x[:2, :3], x[::2, 1::2]


@mistake(SLICES, hint="A list as index makes a copy, which does not follow when x changes. Use slices only.")
def slices_by_list(x):
    return x[-1], x[:, [2]], x[:2, :3], x[::2, 1::2]


@mistake(SLICES, hint="The third column has index 2: counting starts at 0.")
def slices_fourth_column(x):
    return x[-1], x[:, 3:4], x[:2, :3], x[::2, 1::2]


@mistake(SLICES, hint="Rows 0, 2, 4 and columns 1, 3, 5 are due; odd and even have changed places.")
def slices_odd_rows(x):
    return x[-1], x[:, 2:3], x[:2, :3], x[1::2, ::2]


@mistake(SLICES, hint="Two rows and three columns are due: this has three rows and two columns.")
def slices_corner_transposed(x):
    return x[-1], x[:, 2:3], x[:3, :2], x[::2, 1::2]


@mistake(SLICES, hint="The slices are right, but `clone` makes copies of them: x is to be shared.")
def slices_cloned(x):
    return x[-1].clone(), x[:, 2:3].clone(), x[:2, :3].clone(), x[::2, 1::2].clone()


@mistake(
    SLICES, hint="The upper left corner ends at row 2 and column 3, and an end is left out: `:2` and `:3`."
)
def slices_corner_short(x):
    return x[-1], x[:, 2:3], x[:1, :2], x[::2, 1::2]


@mistake(PATTERN, hint="Zeros are left to what was there before. x may hold anything: write them too.")
def pattern_trusts_zeros(x):
    x[:2, 1] = 1
    x[:2, 2:6] = 2
    x[2:4, :4:2] = 3
    x[2:4, 1:4:2] = 4
    x[2:4, 4:6] = 5
    return x


@mistake(PATTERN, hint="The pattern is written beyond the corner of 4 x 6: a slice without an end takes all.")
def pattern_too_wide(x):
    x[:2, 0] = 0
    x[:2, 1] = 1
    x[:2, 2:] = 2
    x[2:4, :4:2] = 3
    x[2:4, 1:4:2] = 4
    x[2:4, 4:] = 5
    return x


@mistake(PATTERN, hint="The lower half of the pattern runs on below row 3: give the slice of rows an end.")
def pattern_too_long(x):
    x[:2, 0] = 0
    x[:2, 1] = 1
    x[:2, 2:6] = 2
    x[2:, :4:2] = 3
    x[2:, 1:4:2] = 4
    x[2:, 4:6] = 5
    return x


@mistake(PATTERN, hint="The pattern is in a new tensor; x itself is to be changed, and returned.")
def pattern_in_copy(x):
    y = x.clone()
    y[:2, :6] = y.new_tensor([0, 1, 2, 2, 2, 2])
    y[2:4, :6] = y.new_tensor([3, 4, 3, 4, 5, 5])
    return y


@mistake(PATTERN, hint="Below, 3 and 4 take turns: 3 4 3 4. Here each comes twice in a row.")
def pattern_in_pairs(x):
    x[:2, 0] = 0
    x[:2, 1] = 1
    x[:2, 2:6] = 2
    x[2:4, :2] = 3
    x[2:4, 2:4] = 4
    x[2:4, 4:6] = 5
    return x


@mistake(PATTERN, hint="Eight assignments, and six are enough: a slice with a step takes every other column.")
def pattern_column_by_column(x):
    x[:2, 0] = 0
    x[:2, 1] = 1
    x[:2, 2:6] = 2
    x[2:4, 0] = 3
    x[2:4, 1] = 4
    x[2:4, 2] = 3
    x[2:4, 3] = 4
    x[2:4, 4:6] = 5
    return x


@mistake(PATTERN, hint="Loops are ruled out: a slice on the left takes one value for all of its entries.")
def pattern_by_loop(x):
    for row, numbers in enumerate([[0, 1, 2, 2, 2, 2]] * 2 + [[3, 4, 3, 4, 5, 5]] * 2):
        for column, number in enumerate(numbers):
            x[row, column] = number
    return x


@mistake(PATTERN, hint="Nothing is returned: end with `return`.")
def pattern_without_return(x):
    x[:2, :6] = x.new_tensor([0, 1, 2, 2, 2, 2])
    x[2:4, :6] = x.new_tensor([3, 4, 3, 4, 5, 5])


@mistake(COLUMNS, hint="These are rows 0, 0, 2, 1. Columns are the second axis: keep all rows with `:`.")
def columns_are_rows(x):
    return x[[0, 0, 2, 1]]


@mistake(COLUMNS, hint="Column 0 is due twice, so the result has four columns.")
def columns_without_repeat(x):
    return x[:, [0, 2, 1]]


@mistake(COLUMNS, hint="One index does it, with a list for the columns: nothing has to be joined.")
def columns_joined(x):
    return torch.cat([x[:, 0:1], x[:, 0:1], x[:, 2:3], x[:, 1:2]], dim=1)


@mistake(COLUMNS, hint="The order is 0, 0, 2, 1: the last two have changed places.")
def columns_in_order(x):
    return x[:, [0, 0, 1, 2]]


@mistake(COLUMNS, hint="A loop over the columns is ruled out: a list as index picks several at once.")
def columns_by_loop(x):
    y = x.new_zeros(len(x), 4)
    for place, column in enumerate([0, 0, 2, 1]):
        y[:, place] = x[:, column]
    return y


@mistake(REVERSED, hint="PyTorch has no negative step. Index with a tensor that counts down.")
def reversed_by_step(x):
    return x[::-1]


@mistake(REVERSED, hint="`flip` is the answer itself. Index with a tensor that counts down.")
def reversed_by_flip(x):
    return x.flip(0)


@mistake(REVERSED, hint="These are the columns in reverse; rows are the first axis.")
def reversed_columns(x):
    return x[:, torch.arange(x.shape[1] - 1, -1, -1)]


@mistake(REVERSED, hint="Row 0 is missing: `arange` leaves out its end, also when it counts down.")
def reversed_without_first(x):
    return x[torch.arange(len(x) - 1, 0, -1)]


@mistake(REVERSED, hint="Rows are sorted by what they hold; only their order is to turn round.")
def reversed_by_sorting(x):
    return x.sort(dim=0, descending=True).values


@mistake(TAKEN, hint="`x[[1, 0, 3]][:, [0, 1, 2]]` is a block of 3 x 3. Both lists belong into one index.")
def taken_block(x):
    return x[[1, 0, 3]][:, [0, 1, 2]]


@mistake(TAKEN, hint="Rows and columns have changed places: the first list is for the rows.")
def taken_transposed(x):
    return x[[0, 1, 2], [1, 0, 3]]


@mistake(TAKEN, hint="One index with two lists does it: nothing has to be put together entry by entry.")
def taken_stacked(x):
    return torch.stack([x[1, 0], x[0, 1], x[3, 2]])


@mistake(TAKEN, hint="This is the diagonal; the rows are 1, 0 and 3.")
def taken_diagonal(x):
    return x[[0, 1, 2], [0, 1, 2]]


@mistake(TAKEN, hint="The row of column 2 is 3, not 2.")
def taken_row_two(x):
    return x[[1, 0, 2], [0, 1, 2]]


@mistake(ONE_HOT, hint="The number of columns is 1 + the largest number, not the count of numbers.")
def one_hot_square(x):
    y = torch.zeros(len(x), max(len(x), 1 + max(x)))
    y[torch.arange(len(x)), x] = 1
    return y


@mistake(ONE_HOT, hint="Numbers start at 0, so the largest needs one column more.")
def one_hot_one_short(x):
    y = torch.zeros(len(x), max(x))
    y[torch.arange(len(x)), x] = 1
    return y


@mistake(ONE_HOT, hint="The rows hold integers; float32 is due.")
def one_hot_of_integers(x):
    y = torch.zeros(len(x), 1 + max(x), dtype=torch.int64)
    y[torch.arange(len(x)), x] = 1
    return y


@mistake(ONE_HOT, hint="`y[:, x] = 1` fills whole columns: name the row of each 1 too.")
def one_hot_whole_columns(x):
    y = torch.zeros(len(x), 1 + max(x))
    y[:, x] = 1
    return y


@mistake(ONE_HOT, hint="A loop over the numbers is ruled out: index with all rows and all columns at once.")
def one_hot_by_loop(x):
    y = torch.zeros(len(x), 1 + max(x))
    for row, column in enumerate(x):
        y[row, column] = 1
    return y


@mistake(ONE_HOT, hint="Rows belong to the list, columns to the classes: yours is the transpose.")
def one_hot_transposed(x):
    y = torch.zeros(1 + max(x), len(x))
    y[x, torch.arange(len(x))] = 1
    return y


@mistake(
    ONE_HOT,
    hint="The number of columns is the number of different values, which falls short if one is missing.",
)
def one_hot_of_different_values(x):
    values = sorted(set(x))
    return torch.eye(len(values))[torch.searchsorted(torch.tensor(values), torch.tensor(x))]


@mistake(NEGATIVE, hint=NO_NUMBER)
def negative_as_tensor(x):
    return (x < 0).sum()


@mistake(NEGATIVE, hint="This adds up the negative entries; how many are there?")
def negative_sum(x):
    return x[x < 0].sum().item()


@mistake(NEGATIVE, hint="Zero is counted too, but it is not below zero.")
def negative_with_zero(x):
    return (x <= 0).sum().item()


@mistake(NEGATIVE, hint="This counts what is above zero.")
def negative_is_positive(x):
    return (x > 0).sum().item()


@mistake(NEGATIVE, hint="A loop is ruled out: compare the whole tensor at once.")
def negative_by_loop(x):
    return sum(1 for value in x.flatten() if value < 0)


@mistake(NEGATIVE, hint="`len` of a comparison is the size of its first axis, however many are true.")
def negative_by_length(x):
    return len(x < 0)


@mistake(POSITIVE, hint=NO_NUMBER)
def positive_as_tensor(x):
    return x[x > 0].sum()


@mistake(POSITIVE, hint="This counts the positive entries; what do they add up to?")
def positive_count(x):
    return (x > 0).sum().item()


@mistake(POSITIVE, hint="All entries are added up, the negative ones too.")
def positive_and_negative(x):
    return x.sum().item()


@mistake(POSITIVE, hint="A float is returned; the sum of integers is an integer.")
def positive_as_float(x):
    return float(x[x > 0].sum())


@mistake(POSITIVE, hint="Absolute values make the negative entries positive before they are added.")
def positive_absolute(x):
    return x.abs().sum().item()


@mistake(POSITIVE, hint="A loop is ruled out: pick the entries by a mask.")
def positive_by_loop(x):
    return sum(value.item() for value in x.flatten() if value > 0)


@mistake(
    RESHAPE,
    hint="A view keeps the order of the numbers: first row 0 to 7. Blocks have to change places first.",
)
def reshape_only(x):
    return x.view(3, 8)


@mistake(
    RESHAPE,
    hint="A view is no transposition: (3, 2, 4) by `view` only cuts the same row of numbers elsewhere.",
)
def reshape_transposes_at_the_end(x):
    return x.view(8, 3).T


@mistake(
    RESHAPE,
    hint="Each half has three blocks of four: cut as (2, 3, 4), then turn the first two axes.",
)
def reshape_wrong_cut(x):
    return x.view(3, 2, 4).transpose(0, 1).reshape(3, 8)


@mistake(
    RESHAPE,
    hint="After a transposition `view` fails, for the numbers no longer lie in order: `reshape` copies.",
)
def reshape_by_view(x):
    return x.view(2, 3, 4).transpose(0, 1).view(3, 8)


@mistake(RESHAPE, hint="The axes of the halves and of the numbers within a block have changed places.")
def reshape_wrong_axes(x):
    return x.view(2, 3, 4).permute(1, 2, 0).reshape(3, 8)


@mistake(RESHAPE, hint="Joining is ruled out: a view of rank 3 and a transposition do it.")
def reshape_by_joining(x):
    return torch.cat([x[:12].view(3, 4), x[12:].view(3, 4)], dim=1)


@mistake(ROW_MIN, hint="x itself is changed: write into a clone.")
def row_min_in_place(x):
    x[torch.arange(len(x)), x.argmin(dim=1)] = 0
    return x


@mistake(ROW_MIN + ":ties", hint="Every entry that equals the minimum becomes 0; only the first is due.")
def row_min_all_equal(x):
    return x.masked_fill(x == x.min(dim=1, keepdim=True).values, 0)


@mistake(ROW_MIN, hint="These are the minima of the columns: along which axis does a row run?")
def row_min_of_columns(x):
    y = x.clone()
    y[x.argmin(dim=0), torch.arange(x.shape[1])] = 0
    return y


@mistake(ROW_MIN, hint="The largest entries have become 0.")
def row_min_is_max(x):
    y = x.clone()
    y[torch.arange(len(x)), x.argmax(dim=1)] = 0
    return y


@mistake(ROW_MIN, hint="`y[:, places] = 0` fills whole columns: name the row of each place too.")
def row_min_whole_columns(x):
    y = x.clone()
    y[:, x.argmin(dim=1)] = 0
    return y


@mistake(ROW_MIN, hint="This is the minimum of the whole matrix; every row has its own.")
def row_min_of_all(x):
    y = x.clone()
    y.view(-1)[x.argmin()] = 0
    return y


@mistake(ROW_MIN, hint="`torch.range` makes floats, which cannot be an index: `arange` makes integers.")
def row_min_by_range(x):
    y = x.clone()
    y[torch.range(0, len(x) - 1), x.argmin(1)] = 0
    return y


@mistake(ROW_MIN, hint="A loop over the rows is ruled out: index with all rows and their places at once.")
def row_min_by_loop(x):
    y = x.clone()
    for row in range(len(x)):
        y[row, x[row].argmin()] = 0
    return y


@mistake(NORMALIZE, hint="Divide the sum of squares by M - 1, not by M.")
def normalize_biased(x):
    centred = x - x.sum(0) / len(x)
    return centred / (centred.square().sum(0) / len(x)).sqrt()


@mistake(NORMALIZE, hint=WRONG_DTYPE)
def normalize_in_float32(x):
    ones = torch.ones(len(x), device=x.device)
    centred = x.float() - ones @ x.float() / len(x)
    return centred / ((ones @ centred.square()) / (len(x) - 1)).sqrt()


@mistake(NORMALIZE, hint="These are the rows that have mean 0; a sum over axis 0 runs down the columns.")
def normalize_rows(x):
    centred = x - x.sum(1, keepdim=True) / x.shape[1]
    return centred / (centred.square().sum(1, keepdim=True) / (x.shape[1] - 1)).sqrt()


@mistake(NORMALIZE, hint="x itself is changed: `-=` and `/=` write into it.")
def normalize_in_place(x):
    x -= x.sum(0) / len(x)
    x /= (x.square().sum(0) / (len(x) - 1)).sqrt()
    return x


@mistake(NORMALIZE, hint="`mean` and `std` are ruled out here: sums, arithmetic and a root do it.")
def normalize_by_library(x):
    return (x - x.mean(0)) / x.std(0)


@mistake(NORMALIZE, hint="Divided by the variance: the root is missing.")
def normalize_by_variance(x):
    centred = x - x.sum(0) / len(x)
    return centred / (centred.square().sum(0) / (len(x) - 1))


@mistake(NORMALIZE, hint="The mean is subtracted, but nothing is divided by the standard deviation.")
def normalize_centred_only(x):
    return x - x.sum(0) / len(x)


@mistake(NORMALIZE, hint="One mean and deviation are taken of the whole matrix; every column has its own.")
def normalize_as_a_whole(x):
    count = x.shape[0] * x.shape[1]
    centred = x - x.sum() / count
    return centred / (centred.square().sum() / (count - 1)).sqrt()


@mistake(NORMALIZE, hint="The squares are of x itself: take its distance from the mean.")
def normalize_squares_of_x(x):
    return (x - x.sum(0) / len(x)) / (x.square().sum(0) / (len(x) - 1)).sqrt()


@mistake(LOOP, hint=WRONG_DTYPE)
def loop_in_float32(x, y):
    z = torch.zeros(len(x), x.shape[1], y.shape[2], device=x.device)
    for i in range(len(x)):
        z[i] = x[i] @ y[i]
    return z


@mistake(LOOP, hint="The buffer is made on the CPU: make it where x is (`new_zeros` does).")
def loop_on_cpu(x, y):
    z = torch.zeros(len(x), x.shape[1], y.shape[2], dtype=x.dtype)
    for i in range(len(x)):
        z[i] = x[i] @ y[i]
    return z


@mistake(LOOP, hint="Every matrix of x meets the first of y: the loop's index belongs to both.")
def loop_first_partner(x, y):
    return torch.stack([a @ y[0] for a in x])


@mistake(LOOP, hint="All products are added up; each is to be kept.")
def loop_sum(x, y):
    return sum(a @ b for a, b in zip(x, y, strict=True))


@mistake(LOOP, hint="A loop over entries within the products is one too many: `@` multiplies two matrices.")
def loop_over_rows(x, y):
    return torch.stack([torch.stack([row @ b for row in a]) for a, b in zip(x, y, strict=True)])


@mistake(LOOP, hint="`bmm` does the whole batch at once. This exercise asks for one product after the other.")
def loop_without(x, y):
    return torch.bmm(x, y)


@mistake(LOOP, hint="The last product is missing: `range(n)` already ends before n.")
def loop_one_short(x, y):
    z = x.new_zeros(len(x), x.shape[1], y.shape[2])
    for i in range(len(x) - 1):
        z[i] = x[i] @ y[i]
    return z


@mistake(NO_LOOP, hint=WRONG_DTYPE)
def noloop_in_float32(x, y):
    return torch.bmm(x.float(), y.float())


@mistake(NO_LOOP, hint="A comprehension is a Python loop too.")
def noloop_with_comprehension(x, y):
    return torch.stack([a @ b for a, b in zip(x, y, strict=True)])


@mistake(NO_LOOP, hint="Every matrix of x meets every one of y: pairs are due, B of them.")
def noloop_all_pairs(x, y):
    return x[:, None] @ y[None]


@mistake(NO_LOOP, hint="The batch is summed over as well: its letter must appear in the result.")
def noloop_sums_batch(x, y):
    return torch.einsum("bnm,bmp->np", x, y)


@mistake(NO_LOOP, hint="Matrix y comes first in your product. The order of factors matters.")
def noloop_wrong_order(x, y):
    return (y.transpose(1, 2) @ x.transpose(1, 2)).contiguous()


@mistake(GPU, hint="The product is left on the device: copy it back to the CPU.")
def gpu_keeps_product(x, w, device=None):
    return x.to(device) @ w.to(device)


@mistake(
    GPU,
    hint="The product is computed on the CPU. `to` returns a copy there, and leaves the factor where it is.",
)
def gpu_not_used(x, w, device=None):
    return x @ w


@mistake(GPU, hint="Only one factor is copied to the device, and the two cannot meet.")
def gpu_one_factor(x, w, device=None):
    return (x.to(device) @ w).cpu()


@mistake(GPU, hint="The product is multiplied entry by entry: `@` is the product of matrices.")
def gpu_entry_by_entry(x, w, device=None):
    return (x.to(device) * w.to(device)[:, 0]).cpu()


@mistake(MEANS, hint="A loop over the vectors is ruled out: join them and add up by owner.")
def means_by_loop(xs, ls):
    return torch.stack([x.mean() for x in xs])


@mistake(MEANS, hint="These are sums: divide each by its length.")
def means_sums(xs, ls):
    numbers = torch.cat(xs)
    owner = torch.arange(len(ls), device=ls.device).repeat_interleave(ls)
    return numbers.new_zeros(len(ls)).index_add(0, owner, numbers)


@mistake(MEANS, hint="This is the mean of all numbers together; each vector has its own.")
def means_of_all(xs, ls):
    return torch.cat(xs).mean().expand(len(ls))


@mistake(MEANS, hint="All sums are divided by one length; each vector has its own.")
def means_by_longest(xs, ls):
    numbers = torch.cat(xs)
    owner = torch.arange(len(ls), device=ls.device).repeat_interleave(ls)
    return numbers.new_zeros(len(ls)).index_add(0, owner, numbers) / ls.max()


@mistake(MEANS, hint=WRONG_DTYPE)
def means_in_float32(xs, ls):
    numbers = torch.cat(xs).float()
    owner = torch.arange(len(ls), device=ls.device).repeat_interleave(ls)
    return numbers.new_zeros(len(ls)).index_add(0, owner, numbers) / ls


@mistake(MEANS, hint="A tensor made without `device=` lives on the CPU: make it where the vectors are.")
def means_on_cpu(xs, ls):
    numbers = torch.cat(xs)
    owner = torch.arange(len(ls)).repeat_interleave(ls.cpu())
    return torch.zeros(len(ls), dtype=numbers.dtype).index_add(0, owner, numbers) / ls


@mistake(
    MEANS,
    hint="The running sum at each end still holds all vectors before: subtract the one of the end before.",
)
def means_running(xs, ls):
    return torch.cat(xs).cumsum(0)[ls.cumsum(0) - 1] / ls


@mistake(UNIQUES, hint="These are the last places of each value; the first are due.")
def uniques_last_place(x):
    uniques, place = x.unique(return_inverse=True)
    positions = torch.arange(len(x), device=x.device)
    return uniques, torch.full_like(uniques, -1).scatter_reduce(0, place, positions, "amax")


@mistake(UNIQUES, hint="A table of all pairs takes memory for N x K comparisons: scatter or sort instead.")
def uniques_by_table(x):
    uniques = x.unique()
    return uniques, (x[None] == uniques[:, None]).long().argmax(dim=1)


@mistake(UNIQUES, hint="A loop over the values is ruled out.")
def uniques_by_loop(x):
    uniques = x.unique()
    return uniques, torch.stack([(x == value).nonzero()[0, 0] for value in uniques])


@mistake(UNIQUES, hint="This is the place in `uniques` of every entry, N numbers; K places in x are due.")
def uniques_inverse(x):
    return x.unique(return_inverse=True)


@mistake(UNIQUES, hint="These are how often each value comes, not where it comes first.")
def uniques_counts(x):
    return x.unique(return_counts=True)


@mistake(UNIQUES, hint="The values come in the order of x; rising order is due.")
def uniques_in_order_of_x(x):
    uniques, place = x.unique(return_inverse=True)
    positions = torch.arange(len(x), device=x.device)
    indices = torch.full_like(uniques, len(x)).scatter_reduce(0, place, positions, "amin").sort().values
    return x[indices], indices


@mistake(UNIQUES, hint="`unique_consecutive` only joins neighbours that are equal: x is in no order.")
def uniques_of_neighbours(x):
    uniques, counts = x.unique_consecutive(return_counts=True)
    return uniques, counts.cumsum(0) - counts


# Autograd


@mistake(
    DERIVATIVE, hint="`backward` needs one number, or a weight for each value: ones, of the shape of ys."
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


@mistake(DERIVATIVE, hint="A loop over the points is ruled out: one backward pass from all values does it.")
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
    DESCENT, hint="A leaf cannot be changed in place while autograd watches: step within `torch.no_grad()`."
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
    DESCENT, hint="`x = x - …` makes a new tensor that is no leaf: its `.grad` stays None. Change x in place."
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
    DESCENT, hint="Within `no_grad`, `x = x - …` makes a tensor that requires no gradient: change x in place."
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


@mistake(GRAD, hint="Several outputs need a weight each: ones, for the gradient of their sum.")
def grad_of_one_number_only(outputs, inputs, create_graph=False):
    return torch.autograd.grad(outputs, inputs, create_graph=create_graph, materialize_grads=True)


@mistake(
    GRAD, hint="An input that the outputs do not depend on is an error by default, or None: zeros are due."
)
def grad_of_used_only(outputs, inputs, create_graph=False):
    return torch.autograd.grad(outputs.sum(), inputs, create_graph=create_graph)


@mistake(GRAD, hint="For an input that is not used None comes back; zeros of its shape are due.")
def grad_none_for_unused(outputs, inputs, create_graph=False):
    return torch.autograd.grad(outputs.sum(), inputs, create_graph=create_graph, allow_unused=True)


@mistake(GRAD, hint="`create_graph` is not passed on, so that these gradients cannot be differentiated.")
def grad_without_graph(outputs, inputs, create_graph=False):
    return torch.autograd.grad(outputs.sum(), inputs, materialize_grads=True)


@mistake(GRAD, hint="A graph is always kept. It costs memory: make it when `create_graph` asks for it.")
def grad_always_with_graph(outputs, inputs, create_graph=False):
    return torch.autograd.grad(outputs.sum(), inputs, create_graph=True, materialize_grads=True)


@mistake(GRAD, hint="This is the gradient of the mean; that of the sum is due.")
def grad_of_mean(outputs, inputs, create_graph=False):
    return torch.autograd.grad(outputs.mean(), inputs, create_graph=create_graph, materialize_grads=True)


@mistake(SECOND, hint="The first gradient has no graph to go back through: ask for one with `create_graph`.")
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
    STEP, hint="A leaf cannot be changed in place while autograd watches: step within `torch.no_grad()`."
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


@mistake(STEP, hint="A parameter that the loss did not use has the gradient None: leave it alone.")
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


@mistake(f"{LINE}.__init__", hint="The bias is missing: the line would have to pass through the origin.")
def line_without_bias(self):
    nn.Module.__init__(self)
    self.weight = nn.Parameter(torch.zeros(1))


@mistake(
    f"{LINE}.__init__", hint="A tensor in a list is hidden from nn.Module: make it an attribute of its own."
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
    f"{LINE}.forward", hint="`.data`, `detach` and `item` cut the graph: the parameters get no gradient."
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


@mistake(TRAIN, hint="A list cannot be called: put the modules into nn.Sequential.")
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
    _layers(self, num_classes, channels, extra, dropout, extra=1)


@mistake(NET, hint="The further convolutions have no ReLU after them: several become one linear map.")
def net_without_relu(self, num_classes, channels=16, extra=0, dropout=0.0):
    _layers(self, num_classes, channels, extra, dropout, after=[])


@mistake(NET, hint="Nothing is dropped in training: nn.Dropout is missing before the linear layer.")
def net_without_dropout(self, num_classes, channels=16, extra=0, dropout=0.0):
    _layers(self, num_classes, channels, extra, dropout, drops=0)


@mistake(NET, hint="nn.Dropout takes the share that is dropped, not the share that is kept.")
def net_keeps_instead(self, num_classes, channels=16, extra=0, dropout=0.0):
    _layers(self, num_classes, channels, extra, dropout, dropout=1 - dropout)


@mistake(NET, hint="Without padding 1 each convolution takes a pixel from every side.")
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


LENGTH = "data.image_folder_dataset.ImageFolderDataset.__len__"


@mistake(LENGTH, hint="This is the number of classes: the samples are the images.")
def length_of_classes(self):
    return len(self.classes)


@mistake(LENGTH, hint="The number is there but nothing is returned: end with `return`.")
def length_without_return(self):
    len(self.images)


@mistake(LENGTH, hint="The number is fixed: a folder may hold any number of images.")
def length_of_cifar(self):
    return 50_000


@mistake(LENGTH, hint="This is the largest index. Counting starts at 0, so the length is one more.")
def length_one_short(self):
    return len(self.images) - 1


@mistake(LENGTH, hint="`len` must give a whole number: an array or a float is none.")
def length_as_array(self):
    return np.array([len(self.images)])


ITEM = "data.image_folder_dataset.ImageFolderDataset.__getitem__"


@mistake(ITEM, hint="`self.transform` may be None, and None cannot be called: ask first.")
def item_always_transforms(self, index):
    image = self.transform(self.load_image_as_numpy(self.images[index]))
    return {"image": image, "label": self.labels[index]}


@mistake(ITEM, hint="The transform is not applied, or what it returns is thrown away.")
def item_without_transform(self, index):
    return {"image": self.load_image_as_numpy(self.images[index]), "label": self.labels[index]}


@mistake(ITEM, hint="A pair comes back: samples are dicts, with the keys `image` and `label`.")
def item_as_pair(self, index):
    image = self.load_image_as_numpy(self.images[index])
    return image if self.transform is None else self.transform(image), self.labels[index]


@mistake(ITEM, hint="The name of the class comes back: networks count in labels, so give its number.")
def item_with_class_name(self, index):
    image = self.load_image_as_numpy(self.images[index])
    image = image if self.transform is None else self.transform(image)
    return {"image": image, "label": self.classes[self.labels[index]]}


@mistake(ITEM, hint="The path comes back. It is the image that is asked for: load it.")
def item_with_path(self, index):
    return {"image": self.images[index], "label": self.labels[index]}


@mistake(ITEM, hint="The pixels are divided by 255 here; scaling is the business of a transform.")
def item_rescaled(self, index):
    image = self.load_image_as_numpy(self.images[index]) / 255
    return {"image": image if self.transform is None else self.transform(image), "label": self.labels[index]}


@mistake(
    ITEM + ":memory",
    hint="A file is opened whatever the subclass says: `load_image_as_numpy` is a method of `self`.",
)
def item_names_the_class(self, index):
    image = ImageFolderDataset.load_image_as_numpy(self.images[index])
    return {"image": image if self.transform is None else self.transform(image), "label": self.labels[index]}


SELECT = "data.base_dataset.select_split"


def _cuts(num_samples, split):
    return np.round(np.cumsum(list(split.values())) * num_samples).astype(int)


@mistake(
    SELECT,
    hint="The samples are cut in their own order. Sorted by class, the last classes would only be in test.",
)
def split_without_shuffling(num_samples, mode, split=SPLIT, seed=0):
    return np.split(np.arange(num_samples), _cuts(num_samples, split))[list(split).index(mode)]


@mistake(
    SELECT,
    hint="Every call shuffles anew, so that training images turn up in validation: use the seed.",
)
def split_shuffles_anew(num_samples, mode, split=SPLIT, seed=0):
    order = np.random.default_rng().permutation(num_samples)
    return np.split(order, _cuts(num_samples, split))[list(split).index(mode)]


@mistake(SELECT, hint="Each part is drawn from all samples, so parts overlap: shuffle once, then cut.")
def split_draws_each_part(num_samples, mode, split=SPLIT, seed=0):
    parts = np.split(np.arange(num_samples), _cuts(num_samples, split))
    size = len(parts[list(split).index(mode)])
    random = np.random.default_rng([seed, list(split).index(mode)])
    return random.permutation(num_samples)[:size]


@mistake(SELECT, hint="The seed is not used: another seed is to give another split.")
def split_with_fixed_seed(num_samples, mode, split=SPLIT, seed=0):
    order = np.random.default_rng(0).permutation(num_samples)
    return np.split(order, _cuts(num_samples, split))[list(split).index(mode)]


@mistake(SELECT, hint="Samples are drawn with repetition: one comes twice, another one never.")
def split_with_repetition(num_samples, mode, split=SPLIT, seed=0):
    order = np.random.default_rng(seed).integers(0, num_samples, num_samples)
    return np.split(order, _cuts(num_samples, split))[list(split).index(mode)]


@mistake(
    SELECT, hint="The size of each part is cut off on its own, so samples get lost: round where a cut lies."
)
def split_rounds_down(num_samples, mode, split=SPLIT, seed=0):
    order = np.random.default_rng(seed).permutation(num_samples)
    cuts = np.cumsum([int(share * num_samples) for share in split.values()])
    return np.split(order, cuts)[list(split).index(mode)]


@mistake(SELECT, hint="Every part starts at the front: a part begins where the one before it ends.")
def split_from_the_front(num_samples, mode, split=SPLIT, seed=0):
    order = np.random.default_rng(seed).permutation(num_samples)
    sizes = np.diff(_cuts(num_samples, split), prepend=0)
    return order[: sizes[list(split).index(mode)]]


FEATURES = "data.csv_dataset.FeatureSelectorAndNormalizationTransform.__call__"


def _scaled(transform, data_dict, scale, *, order=None, target=True, missing=True):
    values = {**data_dict["features"], transform.target_column: data_dict["target"]}
    if missing:
        values |= {n: s["mean"] for n, s in transform.column_stats.items() if math.isnan(values[n])}
    names = [n for n in order or transform.column_stats if n in transform.column_stats]
    features = [scale(values[n], transform.column_stats[n]) for n in names if n != transform.target_column]
    name = transform.target_column
    due = scale(values[name], transform.column_stats[name]) if target else values[name]
    return {"features": np.array(features), "target": np.array([due])}


def _min_max(value, stats):
    return (value - stats["min"]) / (stats["max"] - stats["min"])


@mistake(FEATURES, hint="A missing value stays nan, and one nan makes every weight nan: put the mean in.")
def columns_keep_nan(self, data_dict):
    return _scaled(self, data_dict, _min_max, missing=False)


@mistake(FEATURES, hint="A missing value becomes 0, the smallest of all: the mean is a better guess.")
def columns_zero_for_nan(self, data_dict):
    scaled = _scaled(self, data_dict, _min_max, missing=False)
    return {key: np.nan_to_num(values) for key, values in scaled.items()}


@mistake(FEATURES, hint="The mean is taken off instead of the smallest value, so the range is not 0 to 1.")
def columns_around_mean(self, data_dict):
    return _scaled(self, data_dict, lambda v, s: (v - s["mean"]) / (s["max"] - s["min"]))


@mistake(FEATURES, hint="This divides by the largest value: take the smallest off, then divide by the range.")
def columns_by_max(self, data_dict):
    return _scaled(self, data_dict, lambda v, s: v / s["max"])


@mistake(FEATURES, hint="It divides by the largest value: the range to divide by is max minus min.")
def columns_by_max_after_min(self, data_dict):
    return _scaled(self, data_dict, lambda v, s: (v - s["min"]) / s["max"])


@mistake(FEATURES, hint="The target is left as it was: it has statistics, too.")
def columns_raw_target(self, data_dict):
    return _scaled(self, data_dict, _min_max, target=False)


@mistake(
    FEATURES, hint="The features come in the order of the row; they belong in the order of column_stats."
)
def columns_in_order_of_row(self, data_dict):
    return _scaled(self, data_dict, _min_max, order=list(data_dict["features"]))


@mistake(FEATURES, hint="The target is among the features: a model would only have to copy it.")
def columns_leak_target(self, data_dict):
    scaled = _scaled(self, data_dict, _min_max)
    return {**scaled, "features": np.append(scaled["features"], scaled["target"])}


RESCALE = "data.transforms.RescaleTransform.__call__"


@mistake(RESCALE, hint="`in_range` is not used: numbers do not always come from 0 to 255.")
def rescale_from_bytes_only(self, images):
    low, high = self.out_range
    return low + images / 255 * (high - low)


@mistake(RESCALE, hint="This always ends in 0 to 1: `out_range` is not used.")
def rescale_to_unit_only(self, images):
    low, high = self.in_range
    return (images - low) / (high - low)


@mistake(
    RESCALE, hint="The range is that of this image: two images would be stretched differently. Use in_range."
)
def rescale_by_own_range(self, images):
    low, high = self.out_range
    return low + (images - images.min()) / (images.max() - images.min()) * (high - low)


@mistake(
    RESCALE, hint="The lower end of the new range is missing: 0 is mapped to 0 whatever `out_range` says."
)
def rescale_without_offset(self, images):
    low, high = self.in_range
    return (images - low) / (high - low) * (self.out_range[1] - self.out_range[0])


@mistake(RESCALE, hint="The lower end of the old range is not taken off before dividing.")
def rescale_keeps_old_offset(self, images):
    (in_low, in_high), (out_low, out_high) = self.in_range, self.out_range
    return out_low + images / (in_high - in_low) * (out_high - out_low)


@mistake(RESCALE, hint="The two ranges are swapped: numbers come from in_range and go to out_range.")
def rescale_swapped(self, images):
    (in_low, in_high), (out_low, out_high) = self.out_range, self.in_range
    return out_low + (images - in_low) / (in_high - in_low) * (out_high - out_low)


@mistake(RESCALE, hint="`-=` and `/=` change the images that came in: compute a new array.")
def rescale_in_place(self, images):
    (in_low, in_high), (out_low, out_high) = self.in_range, self.out_range
    images -= in_low
    images /= in_high - in_low
    return out_low + images * (out_high - out_low)


@mistake(RESCALE, hint="Values outside of the range are cut off at its ends: a straight line goes on.")
def rescale_clipped(self, images):
    (in_low, in_high), (out_low, out_high) = self.in_range, self.out_range
    return np.clip(out_low + (images - in_low) / (in_high - in_low) * (out_high - out_low), out_low, out_high)


STATS = "data.transforms.compute_image_mean_and_std"


@mistake(STATS, hint="The spreads within single images are averaged; the spread between images is lost.")
def stats_of_single_images(images):
    return images.mean(axis=(0, 1, 2)), images.std(axis=(1, 2)).mean(axis=0)


@mistake(
    STATS, hint="The axes that are summed over are not those of images, rows and columns: channels come last."
)
def stats_channels_first(images):
    return images.mean(axis=(0, 2, 3)), images.std(axis=(0, 2, 3))


@mistake(STATS, hint="The axes that were summed over are still there, with size 1: the shape is (C,).")
def stats_keep_axes(images):
    axes = (0, 1, 2)
    return images.mean(axis=axes, keepdims=True), images.std(axis=axes, keepdims=True)


@mistake(
    STATS, hint="The sum of squares is divided by one less than the number of pixels: divide by the number."
)
def stats_unbiased(images):
    return images.mean(axis=(0, 1, 2)), images.std(axis=(0, 1, 2), ddof=1)


@mistake(STATS, hint="This is the variance: take its root.")
def stats_variance(images):
    return images.mean(axis=(0, 1, 2)), images.var(axis=(0, 1, 2))


@mistake(STATS, hint="One number for all channels: each channel has its own.")
def stats_of_everything(images):
    return images.mean(), images.std()


@mistake(STATS, hint="The spread comes first here: the mean is due first.")
def stats_swapped(images):
    return images.std(axis=(0, 1, 2)), images.mean(axis=(0, 1, 2))


@mistake(STATS, hint="A mean image, pixel by pixel: average over rows and columns as well.")
def stats_of_pixels(images):
    return images.mean(axis=0), images.std(axis=0)


CENTRE = "data.transforms.NormalizeTransform.__call__"


@mistake(CENTRE, hint="`-=` and `/=` change the image that came in: compute a new array.")
def normalize_image_in_place(self, images):
    images -= self.mean
    images /= self.std
    return images


@mistake(CENTRE, hint="The image's own mean and spread are used: the same numbers are due for every image.")
def normalize_by_own_stats(self, images):
    axes = tuple(range(images.ndim - 1))
    return (images - images.mean(axes)) / images.std(axes)


@mistake(CENTRE, hint="It divides first: brackets are missing around the difference.")
def normalize_without_brackets(self, images):
    return images - self.mean / self.std


@mistake(CENTRE, hint="The spread is not used, so channels keep their different spreads.")
def normalize_mean_only(self, images):
    return images - self.mean


@mistake(CENTRE, hint="It multiplies by the standard deviation: that would undo it. Divide.")
def normalize_multiplies(self, images):
    return (images - self.mean) * self.std


@mistake(CENTRE, hint="All channels get one mean and one spread, the average of the three.")
def normalize_all_alike(self, images):
    return (images - np.mean(self.mean)) / np.mean(self.std)


COMPOSE = "data.transforms.ComposeTransform.__call__"


@mistake(COMPOSE, hint="The last transform is applied first: go through the list from its start.")
def compose_reversed(self, images):
    for transform in self.transforms[::-1]:
        images = transform(images)
    return images


@mistake(COMPOSE, hint="Each transform gets the original, and only the last one counts: hand the result on.")
def compose_last_only(self, images):
    result = images
    for transform in self.transforms:
        result = transform(images)
    return result


@mistake(COMPOSE, hint="It returns after the first transform: the `return` belongs behind the loop.")
def compose_first_only(self, images):
    for transform in self.transforms:
        return transform(images)
    return images


@mistake(COMPOSE, hint="What the transforms return is thrown away: give the result a name, and hand it on.")
def compose_drops_results(self, images):
    for transform in self.transforms:
        transform(images)
    return images


FLATTEN = "data.transforms.FlattenTransform.__call__"


@mistake(
    FLATTEN, hint="There is an axis of size 1 too many: one image is one row, (3072,) and not (1, 3072)."
)
def flatten_to_matrix(self, image):
    return image.reshape(1, -1)


@mistake(FLATTEN, hint="The first axis runs fastest here: NumPy's usual order, without `order=`, is due.")
def flatten_columns_first(self, image):
    return image.flatten(order="F")


@mistake(
    FLATTEN,
    hint="The channels are brought to the front before flattening: leave the order as it lies in memory.",
)
def flatten_channels_first(self, image):
    return np.moveaxis(image, -1, 0).reshape(-1)


@mistake(
    FLATTEN, hint="The shape of the image that came in is changed: `reshape` gives a new view and leaves it."
)
def flatten_in_place(self, image):
    image.shape = (image.size,)
    return image


@mistake(FLATTEN, hint="Only the first two axes are joined; the channels are still apart.")
def flatten_keeps_channels(self, image):
    return image.reshape(-1, image.shape[-1])


FLIP = "data.transforms.RandomHorizontalFlip.__call__"


@mistake(FLIP, hint="Top and bottom change sides: axis 0 is the rows, left and right lie along axis 1.")
def flip_upside_down(self, image):
    return image[::-1].copy() if self.random.random() < self.prob else image


@mistake(FLIP, hint="The channels change sides, so red becomes blue: left and right lie along axis 1.")
def flip_channels(self, image):
    return image[..., ::-1].copy() if self.random.random() < self.prob else image


@mistake(FLIP, hint="Every image is mirrored, whatever `prob` says.")
def flip_always(self, image):
    return image[:, ::-1].copy()


@mistake(FLIP, hint="The comparison is the wrong way round: it mirrors with probability 1 - prob.")
def flip_other_way_round(self, image):
    return image if self.random.random() < self.prob else image[:, ::-1].copy()


@mistake(FLIP, hint="Every row is mirrored or not on its own: one draw decides for the whole image.")
def flip_row_by_row(self, image):
    return np.stack([row[::-1] if self.random.random() < self.prob else row for row in image])


@mistake(FLIP, hint="A coin is tossed, heads or tails; `prob` may be any probability.")
def flip_by_coin(self, image):
    if self.prob in (0, 1):
        return image[:, ::-1].copy() if self.prob else image
    return image[:, ::-1].copy() if self.random.integers(2) else image


@mistake(FLIP, hint="A half turn: rows change order, too. Only axis 1 is to be reversed.")
def flip_both_axes(self, image):
    return image[::-1, ::-1].copy() if self.random.random() < self.prob else image


CROP = "data.transforms.RandomCrop.__call__"


def _window(crop, image, *, last=1, mode="constant", place=None, size=None):
    border = (crop.padding, crop.padding)
    padded = np.pad(image, (border, border, (0, 0)), mode=mode)
    height, width = size or crop.size
    rows, columns = padded.shape[0] - height + last, padded.shape[1] - width + last
    top, left = place(rows, columns) if place else (crop.random.integers(rows), crop.random.integers(columns))
    return padded[top : top + height, left : left + width]


@mistake(CROP, hint="The last window never comes up: `integers` and `randrange` end before their upper end.")
def crop_misses_last(self, image):
    return _window(self, image, last=0)


@mistake(CROP, hint="Height and width are swapped: size is (height, width).")
def crop_transposed(self, image):
    return _window(self, image, size=self.size[::-1])


@mistake(CROP, hint="The window always lies in the middle: its place is to be random.")
def crop_centre(self, image):
    return _window(self, image, place=lambda rows, columns: (rows // 2, columns // 2))


@mistake(CROP, hint="One draw serves both axes, so most windows never come up: draw twice.")
def crop_diagonal(self, image):
    return _window(self, image, place=lambda rows, columns: [self.random.integers(min(rows, columns))] * 2)


@mistake(CROP, hint="The border repeats the pixels at the edge: zeros are asked for.")
def crop_repeats_edge(self, image):
    return _window(self, image, mode="edge")


@mistake(CROP, hint="`padding` is not used: the border of zeros comes first.")
def crop_without_border(self, image):
    height, width = self.size
    top = self.random.integers(image.shape[0] - height + 1)
    left = self.random.integers(image.shape[1] - width + 1)
    return image[top : top + height, left : left + width]


@mistake(CROP, hint="The channels are padded, too: give `np.pad` a pair of numbers for each axis.")
def crop_pads_channels(self, image):
    padded = np.pad(image, self.padding)
    height, width = self.size
    top = self.random.integers(padded.shape[0] - height + 1)
    left = self.random.integers(padded.shape[1] - width + 1)
    return padded[top : top + height, left : left + width]


JITTER = "data.transforms.ColorJitter.__call__"


def _jittered(jitter, image, factor, contrast=lambda image: grey(image).mean()):
    image = blend(image, np.zeros(1), factor(jitter.brightness))
    image = blend(image, contrast(image), factor(jitter.contrast))
    return blend(image, grey(image), factor(jitter.saturation))


@mistake(JITTER, hint="One draw serves brightness, contrast and saturation: each needs a draw of its own.")
def jitter_one_draw(self, image):
    draw = self.random.uniform(-1, 1)
    return _jittered(self, image, lambda spread: 1 + draw * spread)


@mistake(
    JITTER, hint="The factors lie between 0 and the argument: they belong around 1, which changes nothing."
)
def jitter_around_zero(self, image):
    return _jittered(self, image, lambda spread: self.random.uniform(0, spread))


@mistake(JITTER, hint="Every factor is above 1, so images only ever become brighter and more colourful.")
def jitter_only_more(self, image):
    return _jittered(self, image, lambda spread: self.random.uniform(1, 1 + spread))


@mistake(JITTER, hint="Only the two extremes come up: draw from the whole range between them.")
def jitter_extremes(self, image):
    return _jittered(self, image, lambda spread: 1 + spread * self.random.choice([-1.0, 1.0]))


@mistake(
    JITTER, hint="A number is added for brightness: the image is blended with black, which multiplies it."
)
def jitter_adds_brightness(self, image):
    image = np.clip(image + self.random.uniform(-self.brightness, self.brightness), 0, 1)
    image = blend(image, grey(image).mean(), self.random.uniform(1 - self.contrast, 1 + self.contrast))
    return blend(image, grey(image), self.random.uniform(1 - self.saturation, 1 + self.saturation))


@mistake(JITTER, hint="Each channel gets a brightness of its own, which changes colours: one factor for all.")
def jitter_channels_apart(self, image):
    factors = self.random.uniform(1 - self.brightness, 1 + self.brightness, 3)
    image = blend(image, np.zeros(1), factors)
    image = blend(image, grey(image).mean(), self.random.uniform(1 - self.contrast, 1 + self.contrast))
    return blend(image, grey(image), self.random.uniform(1 - self.saturation, 1 + self.saturation))


@mistake(JITTER, hint="Contrast is blended with the mean of the image itself: the mean of its grey is due.")
def jitter_mean_of_image(self, image):
    return _jittered(
        self, image, lambda spread: self.random.uniform(1 - spread, 1 + spread), contrast=np.mean
    )


@mistake(JITTER, hint="Values leave the range from 0 to 1: `blend` keeps them in it.")
def jitter_leaves_range(self, image):
    b, c, s = (
        self.random.uniform(1 - spread, 1 + spread)
        for spread in (self.brightness, self.contrast, self.saturation)
    )
    image = image * b
    image = grey(image).mean() * (1 - c) + c * image
    return grey(image) * (1 - s) + s * image


NOISE = "data.transforms.AddPepperNoise.__call__"


def _noisy(noise, image, *, snr=None, salt=0.5, p=None, white=1.0, shape=1, random=None):
    random = random or noise.random
    if random.random() >= (noise.p if p is None else p):
        return image
    draw = random.random((*image.shape[:2], shape))
    share = 1 - (noise.snr if snr is None else snr)
    return np.where(draw < share, np.where(draw < salt * share, white, 0.0), image)


@mistake(NOISE, hint="snr is the share of pixels that stay; here it is the share that changes.")
def noise_other_way_round(self, image):
    return _noisy(self, image, snr=1 - self.snr)


@mistake(NOISE, hint="All changed pixels become black: half of them should be white.")
def noise_pepper_only(self, image):
    return _noisy(self, image, salt=0.0)


@mistake(NOISE, hint="All changed pixels become white: half of them should be black.")
def noise_salt_only(self, image):
    return _noisy(self, image, salt=1.0)


@mistake(NOISE, hint="White is 255 here, but images are floats from 0 to 1.")
def noise_in_bytes(self, image):
    return _noisy(self, image, white=255.0)


@mistake(NOISE, hint="Every channel is drawn apart, which gives coloured dots: one draw for a whole pixel.")
def noise_in_colour(self, image):
    return _noisy(self, image, shape=image.shape[2])


@mistake(
    NOISE, hint="Whole columns become white or black: draw a number for each pixel, in rows and columns."
)
def noise_in_columns(self, image):
    if self.random.random() >= self.p:
        return image
    draw = self.random.random((image.shape[1], 1))
    share = 1 - self.snr
    return np.where(draw < share, np.where(draw < share / 2, 1.0, 0.0), image)


@mistake(NOISE, hint="`p` is not used: some images are to stay as they are.")
def noise_on_every_image(self, image):
    return _noisy(self, image, p=1.0)


@mistake(
    NOISE, hint="Every image gets the very same noise: a generator made in the call starts anew each time."
)
def noise_repeats(self, image):
    return _noisy(self, image, random=np.random.default_rng(0))


@mistake(NOISE, hint="Pixels become grey noise of any value: salt is 1, pepper is 0, nothing lies between.")
def noise_any_grey(self, image):
    if self.random.random() >= self.p:
        return image
    draw = self.random.random((*image.shape[:2], 1))
    return np.where(draw < 1 - self.snr, self.random.random(draw.shape), image)


BATCHES = "data.dataloader.DataLoader.__len__"


@mistake(
    BATCHES, hint="There is always one more than the full batches, even where nothing is left: 9 / 3 gives 4."
)
def batches_always_one_more(self):
    full = len(self.dataset) // self.batch_size
    return full if self.drop_last else full + 1


@mistake(BATCHES, hint="Only full batches are counted: without drop_last the rest is a batch as well.")
def batches_full_only(self):
    return len(self.dataset) // self.batch_size


@mistake(BATCHES, hint="The rest is always counted: with drop_last it is left out.")
def batches_with_rest(self):
    return math.ceil(len(self.dataset) / self.batch_size)


@mistake(BATCHES, hint="This is the number of samples: divide by the size of a batch.")
def batches_samples(self):
    return len(self.dataset)


@mistake(BATCHES, hint="`/` gives a float, and a length must be a whole number.")
def batches_as_float(self):
    return len(self.dataset) / self.batch_size


@mistake(BATCHES, hint="drop_last works the wrong way round: True leaves the rest out.")
def batches_drop_reversed(self):
    full, rest = divmod(len(self.dataset), self.batch_size)
    return full + (rest > 0 and self.drop_last)


ITER = "data.dataloader.DataLoader.__iter__"


def _batches(loader, order, *, collate=None, stop=None):
    size = loader.batch_size
    collate = collate or (lambda samples: {k: np.array([s[k] for s in samples]) for k in samples[0]})
    last = len(order) - size + 1 if loader.drop_last else len(order)
    for start in range(0, last if stop is None else stop, size):
        yield collate([loader.dataset[int(i)] for i in order[start : start + size]])


def _order(loader):
    count = len(loader.dataset)
    return loader.random.permutation(count) if loader.shuffle else np.arange(count)


@mistake(ITER, hint="The values of a batch are lists: make arrays of them.")
def iter_gives_lists(self):
    yield from _batches(
        self, _order(self), collate=lambda samples: {k: [s[k] for s in samples] for k in samples[0]}
    )


@mistake(ITER, hint="A batch is a list of samples: it should be one dict, with an array for each key.")
def iter_gives_samples(self):
    yield from _batches(self, _order(self), collate=list)


@mistake(ITER, hint="The keys are fixed: a batch has the keys that its samples have, whatever these are.")
def iter_fixed_key(self):
    yield from _batches(self, _order(self), collate=lambda samples: {"data": np.array(samples)})


@mistake(ITER, hint="The last batch is lost even without drop_last.")
def iter_always_drops(self):
    yield from _batches(self, _order(self), stop=len(self.dataset) - self.batch_size + 1)


@mistake(ITER, hint="drop_last is not used: a batch that is not full comes out.")
def iter_never_drops(self):
    yield from _batches(self, _order(self), stop=len(self.dataset))


@mistake(ITER, hint="Samples are shuffled even where shuffle is False.")
def iter_always_shuffles(self):
    yield from _batches(self, self.random.permutation(len(self.dataset)))


@mistake(ITER, hint="The last batch is filled up with samples from the start, which then count twice.")
def iter_fills_up(self):
    order, size = _order(self), self.batch_size
    for batch in range(len(self)):
        yield from _batches(self, order[np.arange(batch * size, (batch + 1) * size) % len(order)])


@mistake(
    ITER + ":lazy",
    hint="All samples are loaded before the first batch comes out: load those of one batch at a time.",
)
def iter_loads_first(self):
    samples = [self.dataset[index] for index in range(len(self.dataset))]
    order, size = _order(self), self.batch_size
    for batch in range(len(self)):
        chosen = [samples[index] for index in order[batch * size : (batch + 1) * size]]
        yield {key: np.array([sample[key] for sample in chosen]) for key in chosen[0]}


@mistake(
    ITER + ":shuffle", hint="The order is the same in every epoch: shuffle each time that a new one starts."
)
def iter_same_order(self):
    order = np.random.default_rng(0).permutation(len(self.dataset))
    yield from _batches(self, order if self.shuffle else np.arange(len(order)))


@mistake(ITER + ":shuffle", hint="shuffle is not used: the samples come in their own order.")
def iter_never_shuffles(self):
    yield from _batches(self, np.arange(len(self.dataset)))


@mistake(ITER + ":shuffle", hint="Samples are drawn with repetition: in an epoch each comes exactly once.")
def iter_draws_with_repetition(self):
    count = len(self.dataset)
    yield from _batches(self, self.random.integers(0, count, count) if self.shuffle else np.arange(count))


@mistake(
    ITER + ":shuffle", hint="Whole batches change places, so the same samples always meet: mix the samples."
)
def iter_shuffles_batches(self):
    batches = list(_batches(self, np.arange(len(self.dataset))))
    order = self.random.permutation(len(batches)) if self.shuffle else range(len(batches))
    for place in order:
        yield batches[place]


LINEAR = "networks.linear_model.LinearModel.forward"
LINEAR_BACKWARD = "networks.linear_model.LinearModel.backward"
BIAS_FIRST = "The column of ones is in front: the bias is the last weight, so it belongs at the end."
ONES_ON_CPU = "The ones are made on the CPU: make them where X is (`X.new_ones` does)."
ONES_IN_FLOAT32 = "The ones are float32 whatever X is: `X.new_ones` takes over dtype and device."


@mistake(LINEAR, hint=BIAS_FIRST)
def linear_bias_first(self, X):
    self.cache = torch.cat([X.new_ones(len(X), 1), X], dim=1)
    return self.cache @ self.W


@mistake(LINEAR, hint="The bias is left out: without it the line must go through the origin.")
def linear_without_bias(self, X):
    self.cache = torch.cat([X, X.new_zeros(len(X), 1)], dim=1)
    return self.cache @ self.W


@mistake(
    LINEAR, hint="X is multiplied as it came, with one column less than W has rows: put the ones behind it."
)
def linear_without_ones(self, X):
    self.cache = X
    return self.cache @ self.W


@mistake(LINEAR, hint=ONES_ON_CPU)
def linear_ones_on_cpu(self, X):
    self.cache = torch.cat([X, torch.ones(len(X), 1, dtype=X.dtype)], dim=1)
    return self.cache @ self.W


@mistake(LINEAR, hint="The result has lost an axis: the shape is (N, 1), one row for each sample.")
def linear_flat(self, X):
    self.cache = torch.cat([X, X.new_ones(len(X), 1)], dim=1)
    return (self.cache @ self.W).squeeze(1)


@mistake(LINEAR, hint="A sigmoid bends the line: in linear regression the sum itself is the prediction.")
def linear_with_sigmoid(self, X):
    self.cache = torch.cat([X, X.new_ones(len(X), 1)], dim=1)
    return torch.sigmoid(self.cache @ self.W)


@mistake(LINEAR_BACKWARD, hint="dout is not used: how the predictions should change depends on the loss.")
def linear_backward_without_dout(self, dout):
    return self.cache.T @ torch.ones_like(dout)


@mistake(LINEAR_BACKWARD, hint="It divides by N; if the loss is a mean, dout is divided already.")
def linear_backward_mean(self, dout):
    return self.cache.T @ dout / len(dout)


@mistake(LINEAR_BACKWARD, hint="These are the gradients of single samples, (N, D + 1): add them up.")
def linear_backward_per_sample(self, dout):
    return self.cache * dout


@mistake(LINEAR_BACKWARD, hint="This is the gradient of X, (N, D): that of W is asked for.")
def linear_backward_of_input(self, dout):
    return dout @ self.W[:-1].T


@mistake(LINEAR_BACKWARD, hint="The bias gets no gradient: its feature is 1 for every sample.")
def linear_backward_without_bias(self, dout):
    gradient = self.cache.T @ dout
    return torch.cat([gradient[:-1], torch.zeros_like(gradient[-1:])])


SIGMOID = "networks.classifier.Classifier.sigmoid"


@mistake(SIGMOID, hint="exp(x) overflows for large x, and infinity over infinity is nan: use exp(-x).")
def sigmoid_overflows(self, x):
    return torch.exp(x) / (1 + torch.exp(x))


@mistake(SIGMOID, hint="The sign in the exponent is missing: large numbers must go to 1, not to 0.")
def sigmoid_mirrored(self, x):
    return 1 / (1 + torch.exp(x))


@mistake(SIGMOID, hint="This is tanh, between -1 and 1: a probability lies between 0 and 1.")
def sigmoid_tanh(self, x):
    return torch.tanh(x)


@mistake(SIGMOID, hint="Numbers are cut off at 0 and 1: the sigmoid bends smoothly.")
def sigmoid_clipped(self, x):
    return (0.5 + x / 4).clamp(0, 1)


@mistake(SIGMOID, hint="`torch.sigmoid` is the answer itself: write it with `torch.exp`.")
def sigmoid_of_torch(self, x):
    return torch.sigmoid(x)


@mistake(SIGMOID, hint="Brackets are missing: 1 / 1 + exp(-x) is 1 + exp(-x).")
def sigmoid_without_brackets(self, x):
    return 1 / 1 + torch.exp(-x)


FORWARD = "networks.classifier.Classifier.forward"


def _classify(model, X1, bend=True):
    z = X1 @ model.W
    probabilities = 1 / (1 + torch.exp(-z))
    model.cache = X1, probabilities
    return probabilities if bend else z


@mistake(FORWARD, hint=BIAS_FIRST)
def forward_bias_first(self, X):
    return _classify(self, torch.cat([X.new_ones(len(X), 1), X], dim=1))


@mistake(FORWARD, hint="The weighted sum comes back: a probability needs the sigmoid.")
def forward_without_sigmoid(self, X):
    return _classify(self, torch.cat([X, X.new_ones(len(X), 1)], dim=1), bend=False)


@mistake(FORWARD, hint="The column of ones is put there twice, so W does not fit any more.")
def forward_ones_twice(self, X):
    return _classify(self, torch.cat([X, X.new_ones(len(X), 2)], dim=1))


@mistake(
    FORWARD, hint="The class comes back, 0 or 1: how sure the model is gets lost. Return the probability."
)
def forward_decides(self, X):
    return (_classify(self, torch.cat([X, X.new_ones(len(X), 1)], dim=1)) > 0.5).to(X.dtype)


@mistake(FORWARD, hint="The bias is left out: its feature is 1, not 0.")
def forward_without_bias(self, X):
    return _classify(self, torch.cat([X, X.new_zeros(len(X), 1)], dim=1))


@mistake(FORWARD, hint=ONES_IN_FLOAT32)
def forward_ones_in_float32(self, X):
    return _classify(self, torch.cat([X.float(), torch.ones(len(X), 1, device=X.device)], dim=1))


BACKWARD = "networks.classifier.Classifier.backward"


@mistake(BACKWARD, hint="dout is not used: how the probabilities should change depends on the loss.")
def backward_without_dout(self, dout):
    X1, p = self.cache
    return X1.T @ (p * (1 - p))


@mistake(BACKWARD, hint="The slope of the sigmoid is missing.")
def backward_without_slope(self, dout):
    X1, _ = self.cache
    return X1.T @ dout


@mistake(BACKWARD, hint="The slope of the sigmoid is p (1 - p); one of the two factors is missing.")
def backward_half_slope(self, dout):
    X1, p = self.cache
    return X1.T @ (dout * p)


@mistake(BACKWARD, hint="The slope of the sigmoid comes in twice.")
def backward_slope_twice(self, dout):
    X1, p = self.cache
    return X1.T @ (dout * (p * (1 - p)) ** 2)


@mistake(
    BACKWARD, hint="The slope is that of z itself: p (1 - p) needs the probability, not the sum before it."
)
def backward_slope_of_sum(self, dout):
    X1, _ = self.cache
    z = X1 @ self.W
    return X1.T @ (dout * z * (1 - z))


@mistake(BACKWARD, hint="It divides by N; if the loss is a mean, dout is divided already.")
def backward_mean(self, dout):
    X1, p = self.cache
    return X1.T @ (dout * p * (1 - p)) / len(dout)


@mistake(BACKWARD, hint="These are the gradients of single samples, (N, D + 1): add them up.")
def backward_per_sample(self, dout):
    X1, p = self.cache
    return X1 * (dout * p * (1 - p))


@mistake(BACKWARD, hint="dout is changed: `*=` works in place. Compute a new tensor.")
def backward_in_place(self, dout):
    X1, p = self.cache
    dout *= p * (1 - p)
    return X1.T @ dout


def _mean(losses, individual_losses):
    return losses if individual_losses else losses.mean()


def _over(slopes, individual_losses):
    return slopes if individual_losses else slopes / len(slopes)


SIGNED = "Differences keep their sign, so that too much and too little cancel."
SUMMED = "The losses are added up: the loss of a batch is their mean."
ALWAYS_MEAN = "`individual_losses` is not used: with it every sample's loss is due, in the shape of y_out."
ALWAYS_INDIVIDUAL = "The mean is missing: without `individual_losses` one number is due."
NOT_DIVIDED = "The loss is a mean, so its gradient is divided by N; here it is that of the sum."
TWICE_DIVIDED = "It divides by N twice; the mean in the loss does so once."
ALWAYS_DIVIDED = "With `individual_losses` every sample has a loss of its own: nothing is divided by N then."
WRONG_SIGN = "The sign is wrong: a prediction that is too high has a positive gradient."
IS_FORWARD = "This is the loss, not its gradient."

L1_FORWARD, L1_BACKWARD = "networks.loss.L1.forward", "networks.loss.L1.backward"


@mistake(L1_FORWARD, hint=SIGNED)
def l1_signed(self, y_out, y_truth, individual_losses=False):
    return _mean(y_out - y_truth, individual_losses)


@mistake(L1_FORWARD, hint=SUMMED)
def l1_summed(self, y_out, y_truth, individual_losses=False):
    losses = (y_out - y_truth).abs()
    return losses if individual_losses else losses.sum()


@mistake(L1_FORWARD, hint=ALWAYS_MEAN)
def l1_always_mean(self, y_out, y_truth, individual_losses=False):
    return (y_out - y_truth).abs().mean()


@mistake(L1_FORWARD, hint=ALWAYS_INDIVIDUAL)
def l1_never_mean(self, y_out, y_truth, individual_losses=False):
    return (y_out - y_truth).abs()


@mistake(L1_FORWARD, hint="Squares are taken: that is MSE. L1 takes the distance itself.")
def l1_squares(self, y_out, y_truth, individual_losses=False):
    return _mean((y_out - y_truth).square(), individual_losses)


@mistake(L1_FORWARD, hint="`sub_` or `-=` overwrites the predictions: compute a new tensor.")
def l1_in_place(self, y_out, y_truth, individual_losses=False):
    return _mean(y_out.sub_(y_truth).abs(), individual_losses)


@mistake(
    L1_BACKWARD,
    hint="Where prediction and target are equal this gives -1; nothing is to be changed there, so 0.",
)
def l1_backward_minus_at_zero(self, y_out, y_truth, individual_losses=False):
    one = torch.ones_like(y_out)
    return _over(torch.where(y_out > y_truth, one, -one), individual_losses)


@mistake(
    L1_BACKWARD, hint="Where prediction and target are equal this is 0 / 0, nan: the gradient is 0 there."
)
def l1_backward_nan_at_zero(self, y_out, y_truth, individual_losses=False):
    difference = y_out - y_truth
    return _over(difference / difference.abs(), individual_losses)


@mistake(L1_BACKWARD, hint=NOT_DIVIDED)
def l1_backward_of_sum(self, y_out, y_truth, individual_losses=False):
    return (y_out - y_truth).sign()


@mistake(L1_BACKWARD, hint=ALWAYS_DIVIDED)
def l1_backward_always_divided(self, y_out, y_truth, individual_losses=False):
    return (y_out - y_truth).sign() / len(y_out)


@mistake(L1_BACKWARD, hint=WRONG_SIGN)
def l1_backward_sign(self, y_out, y_truth, individual_losses=False):
    return _over((y_truth - y_out).sign(), individual_losses)


@mistake(
    L1_BACKWARD, hint="The difference itself is the gradient of a square: that of a distance only has a sign."
)
def l1_backward_difference(self, y_out, y_truth, individual_losses=False):
    return _over(y_out - y_truth, individual_losses)


MSE_FORWARD, MSE_BACKWARD = "networks.loss.MSE.forward", "networks.loss.MSE.backward"


@mistake(MSE_FORWARD, hint="The mean is squared: square each difference first, else plus and minus cancel.")
def mse_square_of_mean(self, y_out, y_truth, individual_losses=False):
    difference = y_out - y_truth
    return difference.square() if individual_losses else difference.mean().square()


@mistake(MSE_FORWARD, hint=SUMMED)
def mse_summed(self, y_out, y_truth, individual_losses=False):
    losses = (y_out - y_truth).square()
    return losses if individual_losses else losses.sum()


@mistake(MSE_FORWARD, hint=ALWAYS_MEAN)
def mse_always_mean(self, y_out, y_truth, individual_losses=False):
    return (y_out - y_truth).square().mean()


@mistake(MSE_FORWARD, hint="A root is taken: the mean of the squares itself is asked for.")
def mse_root(self, y_out, y_truth, individual_losses=False):
    losses = (y_out - y_truth).square()
    return losses if individual_losses else losses.mean().sqrt()


@mistake(MSE_FORWARD, hint="Half of the square is taken: there is no factor in this course's MSE.")
def mse_half(self, y_out, y_truth, individual_losses=False):
    return _mean((y_out - y_truth).square() / 2, individual_losses)


@mistake(MSE_BACKWARD, hint="The derivative of a square has a factor; it is missing.")
def mse_backward_without_two(self, y_out, y_truth, individual_losses=False):
    return _over(y_out - y_truth, individual_losses)


@mistake(MSE_BACKWARD, hint=NOT_DIVIDED)
def mse_backward_of_sum(self, y_out, y_truth, individual_losses=False):
    return 2 * (y_out - y_truth)


@mistake(MSE_BACKWARD, hint=TWICE_DIVIDED)
def mse_backward_twice(self, y_out, y_truth, individual_losses=False):
    slopes = 2 * (y_out - y_truth)
    return slopes if individual_losses else slopes / len(slopes) ** 2


@mistake(MSE_BACKWARD, hint=ALWAYS_DIVIDED)
def mse_backward_always_divided(self, y_out, y_truth, individual_losses=False):
    return 2 * (y_out - y_truth) / len(y_out)


@mistake(MSE_BACKWARD, hint=WRONG_SIGN)
def mse_backward_sign(self, y_out, y_truth, individual_losses=False):
    return _over(2 * (y_truth - y_out), individual_losses)


@mistake(MSE_BACKWARD, hint=IS_FORWARD)
def mse_backward_is_loss(self, y_out, y_truth, individual_losses=False):
    return _over((y_out - y_truth).square(), individual_losses)


@mistake(MSE_BACKWARD, hint="The gradient is one number, the mean of all: every prediction has its own.")
def mse_backward_mean(self, y_out, y_truth, individual_losses=False):
    slopes = 2 * (y_out - y_truth)
    return slopes if individual_losses else slopes.mean()


BCE_FORWARD, BCE_BACKWARD = "networks.loss.BCE.forward", "networks.loss.BCE.backward"


def _surprise(p, y):
    return -(y * p.log() + (1 - y) * (1 - p).log())


@mistake(
    BCE_FORWARD,
    hint="The minus in front is missing: logarithms of probabilities are negative, a loss is not.",
)
def bce_without_minus(self, y_out, y_truth, individual_losses=False):
    return _mean(-_surprise(y_out, y_truth), individual_losses)


@mistake(BCE_FORWARD, hint="Only class 1 counts: where the target is 0, the term with 1 - y speaks.")
def bce_class_one_only(self, y_out, y_truth, individual_losses=False):
    return _mean(-y_truth * y_out.log(), individual_losses)


@mistake(BCE_FORWARD, hint="Predictions and targets are swapped: the logarithm is that of the prediction.")
def bce_swapped(self, y_out, y_truth, individual_losses=False):
    return _mean(_surprise(y_truth.clamp(1e-6, 1 - 1e-6), y_out), individual_losses)


@mistake(BCE_FORWARD, hint=SUMMED)
def bce_summed(self, y_out, y_truth, individual_losses=False):
    losses = _surprise(y_out, y_truth)
    return losses if individual_losses else losses.sum()


@mistake(BCE_FORWARD, hint=ALWAYS_MEAN)
def bce_always_mean(self, y_out, y_truth, individual_losses=False):
    return _surprise(y_out, y_truth).mean()


@mistake(BCE_FORWARD, hint="A sigmoid is taken of what is a probability already.")
def bce_second_sigmoid(self, y_out, y_truth, individual_losses=False):
    return _mean(_surprise(1 / (1 + torch.exp(-y_out)), y_truth), individual_losses)


@mistake(
    BCE_FORWARD, hint="The logarithm has base 2 or 10: the natural one is due, whose derivative is 1 / p."
)
def bce_other_base(self, y_out, y_truth, individual_losses=False):
    return _mean(_surprise(y_out, y_truth) / math.log(2), individual_losses)


@mistake(
    BCE_BACKWARD, hint="This is the gradient of the sum before the sigmoid; that of the probability is due."
)
def bce_backward_of_sum_before(self, y_out, y_truth, individual_losses=False):
    return _over(y_out - y_truth, individual_losses)


@mistake(BCE_BACKWARD, hint=NOT_DIVIDED)
def bce_backward_of_sum(self, y_out, y_truth, individual_losses=False):
    return (1 - y_truth) / (1 - y_out) - y_truth / y_out


@mistake(BCE_BACKWARD, hint=TWICE_DIVIDED)
def bce_backward_twice(self, y_out, y_truth, individual_losses=False):
    slopes = (1 - y_truth) / (1 - y_out) - y_truth / y_out
    return slopes if individual_losses else slopes / len(slopes) ** 2


@mistake(BCE_BACKWARD, hint=ALWAYS_DIVIDED)
def bce_backward_always_divided(self, y_out, y_truth, individual_losses=False):
    return ((1 - y_truth) / (1 - y_out) - y_truth / y_out) / len(y_out)


@mistake(BCE_BACKWARD, hint="The second term has the wrong sign: raising p makes a target of 0 worse.")
def bce_backward_second_sign(self, y_out, y_truth, individual_losses=False):
    return _over(-y_truth / y_out - (1 - y_truth) / (1 - y_out), individual_losses)


@mistake(BCE_BACKWARD, hint="Class 0 has no gradient: the term with 1 - y is missing.")
def bce_backward_class_one_only(self, y_out, y_truth, individual_losses=False):
    return _over(-y_truth / y_out, individual_losses)


@mistake(BCE_BACKWARD, hint=WRONG_SIGN)
def bce_backward_sign(self, y_out, y_truth, individual_losses=False):
    return _over(y_truth / y_out - (1 - y_truth) / (1 - y_out), individual_losses)


OPTIMIZE = "networks.optimizer.Optimizer.step"


@mistake(
    OPTIMIZE, hint="New weights are computed, but the model does not get them: assign to `self.model.W`."
)
def step_local_copy(self, dw):
    weights = self.model.W
    weights = weights - self.learning_rate * dw


@mistake(OPTIMIZE, hint="The step goes uphill: the gradient points to where the loss grows.")
def optimizer_uphill(self, dw):
    self.model.W = self.model.W + self.learning_rate * dw


@mistake(OPTIMIZE, hint="The learning rate is not used.")
def optimizer_without_rate(self, dw):
    self.model.W = self.model.W - dw


@mistake(OPTIMIZE, hint="The old weights are lost: the step is taken off them, it does not replace them.")
def step_replaces(self, dw):
    self.model.W = -self.learning_rate * dw


@mistake(OPTIMIZE, hint="The gradient itself is changed: `*=` works in place. Compute a new tensor.")
def step_in_place(self, dw):
    dw *= self.learning_rate
    self.model.W = self.model.W - dw


SOLVER = "solver_regression.Solver._step"


def _solver_step(solver, *, X=None, y=None, at=None, times=1.0):
    X, y = solver.X_train if X is None else X, solver.y_train if y is None else y
    predictions = solver.model.forward(X)
    dout = solver.loss_func.backward(predictions if at is None else at(predictions), y)
    solver.opt.step(times * solver.model.backward(dout))


@mistake(SOLVER, hint="The validation data are trained on: they can judge nothing any more.")
def solver_on_validation(self):
    _solver_step(self, X=self.X_val, y=self.y_val)


@mistake(SOLVER, hint="The gradient is divided by N once more: the loss has done so.")
def solver_divides_again(self):
    _solver_step(self, times=1 / len(self.X_train))


@mistake(SOLVER, hint="The gradient is multiplied by N, so the steps grow with the data: the mean is due.")
def solver_sums(self):
    _solver_step(self, times=len(self.X_train))


@mistake(SOLVER, hint="The loss itself goes into `backward` of the model: its gradient belongs there.")
def solver_uses_loss(self):
    predictions = self.model.forward(self.X_train)
    losses = self.loss_func.forward(predictions, self.y_train, individual_losses=True)
    self.opt.step(self.model.backward(losses / len(losses)))


@mistake(SOLVER, hint="Predictions and targets are swapped in the loss.")
def solver_swaps(self):
    predictions = self.model.forward(self.X_train)
    dout = self.loss_func.backward(self.y_train.clamp(0.01, 0.99), predictions)
    self.opt.step(self.model.backward(dout))


@mistake(SOLVER, hint="The gradient is computed, but no step follows: hand it to `self.opt`.")
def solver_without_step(self):
    predictions = self.model.forward(self.X_train)
    self.model.backward(self.loss_func.backward(predictions, self.y_train))


@mistake(
    SOLVER,
    hint="Validation runs last, so `backward` works on its samples: predict the training set right before.",
)
def solver_wrong_cache(self):
    dout = self.loss_func.backward(self.model.forward(self.X_train), self.y_train)
    self.model.forward(self.X_train.flip(0))
    self.opt.step(self.model.backward(dout))


@mistake(SOLVER, hint="A learning rate of one's own is used: `self.opt` knows how long the steps are.")
def solver_own_rate(self):
    predictions = self.model.forward(self.X_train)
    gradient = self.model.backward(self.loss_func.backward(predictions, self.y_train))
    self.model.W = self.model.W - 0.01 * gradient
