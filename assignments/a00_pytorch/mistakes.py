"""How people get tensors, autograd, data and regression wrong, and the hint each mistake deserves."""

import itertools
import math

import torch
from torch import nn

from exercise_code import autograd_study
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
