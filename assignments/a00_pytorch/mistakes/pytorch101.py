"""How people get `pytorch101` wrong, and the hint each mistake deserves."""

import math

import torch

from exercise_code.support.checking.declare import mistake

T = "pytorch101."


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


@mistake(MUTATE, hint="x has changed, but nothing is returned: end with `return`.", raises=AttributeError)
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


@mistake(
    COUNT, hint="This counts on two axes. A tensor may have none, one, or five of them.", raises=IndexError
)
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
    TENS,
    hint="`arange` raises an error where its start is beyond its end: what if there is no multiple?",
    raises=RuntimeError,
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


@mistake(PATTERN, hint="Nothing is returned: end with `return`.", raises=AttributeError)
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


@mistake(COLUMNS, hint="Loops are ruled out: a list as index picks several columns at once.")
def columns_by_loop(x):
    y = x.new_zeros(len(x), 4)
    for place, column in enumerate([0, 0, 2, 1]):
        y[:, place] = x[:, column]
    return y


@mistake(
    REVERSED, hint="PyTorch has no negative step. Index with a tensor that counts down.", raises=ValueError
)
def reversed_by_step(x):
    return x[::-1]


@mistake(REVERSED, hint="`flip` is the answer itself. Index with a tensor that counts down.")
def reversed_by_flip(x):
    return x.flip(0)


@mistake(REVERSED, hint="Loops are ruled out, comprehensions too: `arange` counts down without one.")
def reversed_by_comprehension(x):
    return x[[len(x) - 1 - row for row in range(len(x))]]


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


@mistake(ONE_HOT, hint="Numbers start at 0, so the largest needs one column more.", raises=IndexError)
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


@mistake(ONE_HOT, hint="Loops are ruled out: index with all rows and all columns at once.")
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


@mistake(NEGATIVE, hint="Loops are ruled out: compare the whole tensor at once.")
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


@mistake(POSITIVE, hint="Loops are ruled out: pick the entries by a mask.")
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
    raises=RuntimeError,
)
def reshape_by_view(x):
    return x.view(2, 3, 4).transpose(0, 1).view(3, 8)


@mistake(RESHAPE, hint="The axes of the halves and of the numbers within a block have changed places.")
def reshape_wrong_axes(x):
    return x.view(2, 3, 4).permute(1, 2, 0).reshape(3, 8)


@mistake(RESHAPE, hint="The result is int64 whatever goes in: views and transpositions keep the dtype of x.")
def reshape_into_integers(x):
    return x.view(2, 3, 4).transpose(0, 1).reshape(3, 8).long()


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


@mistake(
    ROW_MIN,
    hint="`torch.range` makes floats, which cannot be an index: `arange` makes integers.",
    raises=IndexError,
)
def row_min_by_range(x):
    y = x.clone()
    y[torch.range(0, len(x) - 1), x.argmin(1)] = 0
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


@mistake(NO_LOOP, hint="Loops are ruled out, comprehensions too: one product takes the whole batch.")
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


@mistake(MEANS, hint="Loops are ruled out: join the vectors and add up by owner.")
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


@mistake(UNIQUES, hint="Loops are ruled out: sort, and equal values lie side by side.")
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


@mistake(
    UNIQUES, hint="This sort mixes equal numbers, so the first of them is not the first in x: `stable=True`."
)
def uniques_by_unstable_sort(x):
    numbers, places = x.sort()
    new = torch.ones_like(numbers, dtype=torch.bool)
    new[1:] = numbers[1:] != numbers[:-1]
    return numbers[new], places[new]


@mistake(
    TAKEN,
    hint="Each list of the index has three entries, one for each result, however many columns x has.",
    raises=IndexError,
)
def taken_from_all_columns(x):
    return x[[1, 0, 3], torch.arange(x.shape[1])]


@mistake(REVERSED, hint="Four rows are taken for granted: x says how many there are.")
def reversed_four_rows(x):
    return x[[3, 2, 1, 0]]


@mistake(
    POSITIVE, hint="Python's `sum` leaves a tensor wherever something is added: `.item()` makes an int of it."
)
def positive_by_pythons_sum(x):
    return sum(x[x > 0])
