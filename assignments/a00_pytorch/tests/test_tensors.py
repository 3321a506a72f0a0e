"""The tensor solutions against NumPy and plain Python."""

import math
import tomllib

import numpy as np
import pytest
import torch
from beartype import beartype
from hypothesis import given
from hypothesis import strategies as st
from jaxtyping import jaxtyped
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from exercise_code import pytorch101
from exercise_code.support.devices import pretended
from exercise_code.support.notebook import predictions
from exercise_code.support.paths import ASSIGNMENTS

ON_PAPER = ASSIGNMENTS / "a00_pytorch" / predictions.VALUES
SIZES = st.integers(1, 7)
SEEDS = st.integers(0, 2**32)
FLOATS = pytest.mark.parametrize("dtype, tolerance", [(torch.float32, 1e-5), (torch.float64, 1e-12)])


def typed(name: str):
    """The function, its annotations checked at every call."""
    return jaxtyped(typechecker=beartype)(getattr(pytorch101, name))


def draw(seed: int, *shape: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    values = torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return (values * 10).round().to(dtype) if dtype == torch.int64 else values.to(dtype)


def test_hello_speaks(capsys):
    pytorch101.hello()
    assert "pytorch101.py" in capsys.readouterr().out


def test_sample_tensor():
    x = typed("create_sample_tensor")()
    assert (x.dtype, x.tolist()) == (torch.float32, [[0, 10], [100, 0], [0, 0]])


@FLOATS
@given(rows=SIZES, columns=SIZES, count=st.integers(0, 12), seed=SEEDS)
def test_mutation_agrees_with_numpy(rows, columns, count, seed, dtype, tolerance):
    random = np.random.default_rng(seed)
    indices = [(int(random.integers(rows)), int(random.integers(columns))) for _ in range(count)]
    values = random.normal(size=count).tolist()
    x = draw(seed, rows, columns, dtype=dtype)
    expected = x.numpy().copy()
    for index, value in zip(indices, values, strict=True):
        expected[index] = value
    assert typed("mutate_tensor")(x, indices, values) is x
    assert np.array_equal(x.numpy(), expected)


@given(shape=st.lists(st.integers(0, 5), max_size=4))
def test_elements_are_counted_as_numpy_does(shape):
    count = typed("count_tensor_elements")(torch.zeros(shape))
    assert (type(count), count) == (int, np.zeros(shape).size)


@given(rows=st.integers(0, 6), columns=st.integers(0, 6))
def test_tensor_of_pi(rows, columns):
    x = typed("create_tensor_of_pi")(rows, columns)
    assert x.dtype == torch.float32
    assert np.array_equal(x.numpy(), np.full((rows, columns), 3.14, dtype=np.float32))


@given(start=st.integers(-300, 300), length=st.integers(0, 200))
def test_multiples_of_ten_by_trying_every_number(start, length):
    found = typed("multiples_of_ten")(start, start + length)
    assert found.dtype == torch.float64
    assert found.tolist() == [n for n in range(start, start + length + 1) if math.gcd(n, 10) == 10]


@FLOATS
@given(rows=st.integers(3, 8), columns=st.integers(5, 9), seed=SEEDS)
def test_slices_are_those_of_numpy_and_share_memory(rows, columns, seed, dtype, tolerance):
    x = draw(seed, rows, columns, dtype=dtype)
    parts = typed("slice_indexing_practice")(x)
    array = x.numpy()
    third = np.take(array, [2], axis=1)
    expected = array[rows - 1], third, array[:2, :3], array[np.ix_(range(0, rows, 2), range(1, columns, 2))]
    for part, values in zip(parts, expected, strict=True):
        assert np.array_equal(part.numpy(), values)
        assert part.untyped_storage().data_ptr() == x.untyped_storage().data_ptr()


@given(rows=st.integers(4, 8), columns=st.integers(6, 9), seed=SEEDS)
def test_the_pattern_is_written_over_whatever_was_there(rows, columns, seed):
    x = draw(seed, rows, columns, dtype=torch.int64)
    expected = x.numpy().copy()
    expected[:4, :6] = np.array([[0, 1, 2, 2, 2, 2], [3, 4, 3, 4, 5, 5]]).repeat(2, axis=0)
    assert typed("slice_assignment_practice")(x) is x
    assert np.array_equal(x.numpy(), expected)


@FLOATS
@given(rows=st.integers(4, 8), columns=st.integers(3, 9), seed=SEEDS)
def test_index_by_tensors_agrees_with_numpy(rows, columns, seed, dtype, tolerance):
    x = draw(seed, rows, columns, dtype=dtype)
    array = x.numpy()
    assert np.array_equal(typed("shuffle_cols")(x).numpy(), np.take(array, [0, 0, 2, 1], axis=1))
    assert np.array_equal(typed("reverse_rows")(x).numpy(), np.flipud(array))
    chosen = [array.item(1, 0), array.item(0, 1), array.item(3, 2)]
    assert typed("take_one_elem_per_col")(x).tolist() == chosen


@given(x=st.lists(st.integers(0, 9), min_size=1, max_size=12))
def test_one_hot_agrees_with_scikit_learn(x):
    encoder = OneHotEncoder(categories=[range(max(x) + 1)], sparse_output=False, dtype=np.float32)
    found = typed("make_one_hot")(x)
    assert found.dtype == torch.float32
    assert np.array_equal(found.numpy(), encoder.fit_transform(np.array(x)[:, None]))


@given(shape=st.lists(st.integers(0, 5), max_size=3), seed=SEEDS)
def test_counts_and_sums_by_sign(shape, seed):
    x = draw(seed, *shape, dtype=torch.int64)
    numbers = x.flatten().tolist()
    count, total = typed("count_negative_entries")(x), typed("sum_positive_entries")(x)
    assert (type(count), count) == (int, sum(n < 0 for n in numbers))
    assert (type(total), total) == (int, sum(max(n, 0) for n in numbers))


@FLOATS
@given(seed=SEEDS)
def test_blocks_are_put_side_by_side(seed, dtype, tolerance):
    x = draw(seed, 24, dtype=dtype)
    top, bottom = x[:12].numpy(), x[12:].numpy()
    rows = [np.concatenate([top[k : k + 4], bottom[k : k + 4]]) for k in (0, 4, 8)]
    assert np.array_equal(typed("reshape_practice")(x).numpy(), np.stack(rows))


@FLOATS
@given(rows=SIZES, columns=SIZES, seed=SEEDS)
def test_the_first_smallest_entry_of_a_row_becomes_zero(rows, columns, seed, dtype, tolerance):
    x = draw(seed, rows, columns, dtype=torch.int64).to(dtype)  # rounded, so that some are equal
    expected = x.tolist()
    for row in expected:
        row[row.index(min(row))] = 0
    before = x.clone()
    assert typed("zero_row_min")(x).tolist() == expected
    assert torch.equal(x, before)


@FLOATS
@given(rows=st.integers(3, 9), columns=SIZES, seed=SEEDS)
def test_columns_are_normalised_as_by_scikit_learn(rows, columns, seed, dtype, tolerance):
    x = 5 + draw(seed, rows, columns, dtype=dtype)
    found = typed("normalize_columns")(x)
    expected = StandardScaler().fit_transform(x.double().numpy()) * math.sqrt((rows - 1) / rows)
    assert found.dtype == dtype
    loose = 1000 * tolerance  # a column of nearly equal numbers loses digits
    np.testing.assert_allclose(found.numpy(), expected, rtol=loose, atol=loose)


@FLOATS
@given(batch=SIZES, n=SIZES, m=SIZES, p=SIZES, seed=SEEDS)
def test_batched_products_agree_with_numpy(batch, n, m, p, seed, dtype, tolerance):
    x, y = draw(seed, batch, n, m, dtype=dtype), draw(seed + 1, batch, m, p, dtype=dtype)
    expected = np.einsum("bnm,bmp->bnp", x.double().numpy(), y.double().numpy())
    for use_loop in (True, False):
        found = typed("batched_matrix_multiply")(x, y, use_loop)
        assert found.dtype == dtype
        np.testing.assert_allclose(found.numpy(), expected, rtol=tolerance, atol=10 * tolerance)


@FLOATS
@given(a=SIZES, b=SIZES, c=SIZES, seed=SEEDS)
def test_a_product_computed_elsewhere_comes_back(a, b, c, seed, dtype, tolerance):
    x, w = draw(seed, a, b, dtype=dtype), draw(seed + 1, b, c, dtype=dtype)
    expected = x.double().numpy() @ w.double().numpy()
    with pretended.PretendDevice():
        elsewhere = pytorch101.mm_on_gpu(x, w, pretended.device())
    for found in (elsewhere, pytorch101.mm_on_gpu(x, w), pytorch101.mm_on_cpu(x, w)):
        assert (found.device.type, found.dtype) == ("cpu", dtype)
        np.testing.assert_allclose(found.numpy(), expected, rtol=tolerance, atol=10 * tolerance)


@FLOATS
@given(lengths=st.lists(st.integers(1, 9), min_size=1, max_size=6), seed=SEEDS)
def test_means_of_vectors_of_different_lengths(lengths, seed, dtype, tolerance):
    xs = [draw(seed + place, length, dtype=dtype) for place, length in enumerate(lengths)]
    found = typed("challenge_mean_tensors")(xs, torch.tensor(lengths))
    assert found.dtype == dtype
    expected = [np.mean(x.double().numpy()) for x in xs]
    np.testing.assert_allclose(found.numpy(), expected, rtol=tolerance, atol=tolerance)


@given(x=st.lists(st.integers(-4, 4), min_size=1, max_size=40))
def test_uniques_and_their_first_places_agree_with_numpy(x):
    uniques, indices = typed("challenge_get_uniques")(torch.tensor(x))
    expected, first = np.unique(np.array(x), return_index=True)
    assert uniques.tolist() == expected.tolist()
    assert (indices.dtype, indices.tolist()) == (torch.int64, first.tolist())


def test_the_table_of_strides_agrees_with_torch():
    x = torch.arange(6).view(2, 3)
    table = tomllib.loads(ON_PAPER.read_text())["strides"]
    for name, view in {"x": x, "x.T": x.T, "x[:, ::2]": x[:, ::2]}.items():
        assert (table[f"{name}, one down"], table[f"{name}, one right"]) == view.stride()
    assert table["place of x.T[2, 1]"] == x.T[2, 1]
    assert table["is x.T one row in memory"] == ("yes" if x.T.is_contiguous() else "no")
