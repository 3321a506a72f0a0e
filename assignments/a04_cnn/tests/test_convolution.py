"""Convolution and pooling against torch's own, and gradients against autograd and finite differences."""

import pytest
import torch
from beartype import beartype
from hypothesis import given, settings
from hypothesis import strategies as st
from jaxtyping import jaxtyped
from torch.autograd.functional import vjp
from torch.nn import functional

from assignments.a04_cnn import figures
from exercise_code.cnn import convolutional_networks as cnn
from exercise_code.support.notebook.numeric_gradient import compute_numeric_gradient

DTYPES = pytest.mark.parametrize("dtype, tolerance", [(torch.float32, 1e-4), (torch.float64, 1e-10)])
CONVS = pytest.mark.parametrize("layer", [cnn.Conv, cnn.FastConv])
POOLS = pytest.mark.parametrize("layer", [cnn.MaxPool, cnn.FastMaxPool])


def typed(function):
    return jaxtyped(typechecker=beartype)(function)


@st.composite
def windows(draw, most_pad=3):
    """Sizes of an image and of a window that fits into it, the stride and the padding."""
    pad = draw(st.integers(0, most_pad))
    image = draw(st.tuples(st.integers(1, 7), st.integers(1, 7)))
    window = tuple(draw(st.integers(1, min(4, size + 2 * pad))) for size in image)
    return image, window, draw(st.integers(1, 4)), pad


def numbers(*shape, seed, dtype):
    """Different numbers, so that every maximum is that of one pixel."""
    count = torch.Size(shape).numel()
    places = torch.randperm(count, generator=torch.Generator().manual_seed(seed))
    return (places.to(dtype) / count - 0.6).reshape(shape)


@given(windows=windows())
def test_output_size_is_that_of_torch(windows):
    image, window, stride, pad = windows
    out = functional.conv2d(torch.zeros(1, 1, *image), torch.zeros(1, 1, *window), stride=stride, padding=pad)
    for size, kernel, expected in zip(image, window, out.shape[2:], strict=True):
        assert cnn.output_size(size, kernel, stride, pad) == expected


@pytest.mark.parametrize("size, kernel, pad", [(4, 5, 0), (1, 4, 1)])
def test_a_kernel_that_does_not_fit_is_refused(size, kernel, pad):
    with pytest.raises(ValueError, match=f"a kernel of {kernel} does not fit"):
        cnn.output_size(size, kernel, 1, pad)


@CONVS
@DTYPES
@settings(max_examples=25)
@given(
    N=st.integers(1, 3), C=st.integers(1, 3), F=st.integers(1, 4), windows=windows(), seed=st.integers(0, 99)
)
def test_convolution_and_its_gradients_are_those_of_torch(layer, dtype, tolerance, N, C, F, windows, seed):
    image, window, stride, pad = windows
    shapes = (N, C, *image), (F, C, *window), (F,)
    inputs = tuple(numbers(*shape, seed=seed, dtype=dtype) for shape in shapes)
    out, cache = typed(layer.forward)(*inputs, {"stride": stride, "pad": pad})
    dout = numbers(*out.shape, seed=seed + 1, dtype=dtype)
    expected, slopes = vjp(lambda *xwb: functional.conv2d(*xwb, stride=stride, padding=pad), inputs, dout)
    close = {"rtol": tolerance, "atol": tolerance}
    torch.testing.assert_close(out, expected, **close)
    torch.testing.assert_close(typed(layer.backward)(dout, cache), slopes, **close)


@POOLS
@DTYPES
@settings(max_examples=25)
@given(N=st.integers(1, 3), C=st.integers(1, 3), windows=windows(most_pad=0), seed=st.integers(0, 99))
def test_pooling_and_its_gradient_are_those_of_torch(layer, dtype, tolerance, N, C, windows, seed):
    image, (height, width), stride, _ = windows
    x = numbers(N, C, *image, seed=seed, dtype=dtype)
    out, cache = typed(layer.forward)(x, {"pool_height": height, "pool_width": width, "stride": stride})
    dout = numbers(*out.shape, seed=seed + 1, dtype=dtype)
    expected, slope = vjp(lambda x: functional.max_pool2d(x, (height, width), stride=stride), x, dout)
    torch.testing.assert_close(out, expected, rtol=0, atol=0)
    torch.testing.assert_close(typed(layer.backward)(dout, cache), slope, rtol=tolerance, atol=tolerance)


@POOLS
def test_the_first_of_equal_numbers_wins(layer):
    x = torch.tensor([[[[0.0, 3.0, 3.0], [3.0, 1.0, 2.0]]]])
    _, cache = layer.forward(x, {"pool_height": 2, "pool_width": 3, "stride": 1})
    expected = torch.tensor([[[[0.0, 5.0, 0.0], [0.0, 0.0, 0.0]]]])
    assert layer.backward(torch.tensor([[[[5.0]]]]), cache).equal(expected)


CONV = {"stride": 2, "pad": 1}
POOL = {"pool_height": 2, "pool_width": 3, "stride": 1}
IMAGES, ROWS = ((2, 3, 5, 6), (4, 3, 3, 2), (4,)), ((5, 2, 3), (6, 4), (4,))
NORM = ((4,), (4,))


@pytest.mark.parametrize(
    "layer, shapes, params",
    [
        (cnn.Conv_ReLU, IMAGES, [CONV]),
        (cnn.Conv_ReLU_Pool, IMAGES, [CONV, POOL]),
        (cnn.Linear_BatchNorm_ReLU, ROWS + NORM, [{}]),
        (cnn.Conv_BatchNorm_ReLU, IMAGES + NORM, [CONV, {}]),
        (cnn.Conv_BatchNorm_ReLU_Pool, IMAGES + NORM, [CONV, {}, POOL]),
    ],
)
@pytest.mark.parametrize("mode", ["train", "test"])
def test_gradients_of_sandwiches_are_finite_differences(layer, shapes, params, mode):
    random = torch.Generator().manual_seed(0)
    inputs = [torch.randn(*shape, generator=random, dtype=torch.float64) for shape in shapes]
    params = [param or {"mode": mode, "running_var": torch.full((4,), 2.0).double()} for param in params]
    out, cache = typed(layer.forward)(*inputs, *params)
    assert (out >= 0).all() and (out > 0).any()
    dout = torch.randn(out.shape, generator=random, dtype=torch.float64)
    gradients = typed(layer.backward)(dout, cache)
    assert len(gradients) == len(inputs)
    for place, gradient in enumerate(gradients):
        numeric = compute_numeric_gradient(
            lambda _: layer.forward(*inputs, *params)[0], inputs[place], dout, h=1e-6
        )
        torch.testing.assert_close(gradient, numeric, rtol=1e-6, atol=1e-7)


def test_the_frames_of_the_gradient_end_at_the_transposed_convolution():
    dout, w = torch.tensor([[1.0, 2.0, -1.0], [3.0, 1.0, 0.0]]), torch.tensor([[1.0, 2.0], [0.0, -1.0]])
    frames = figures.sent_back(dout, w)
    assert list(frames) == ["[0, 0]", "[0, 1]", "[0, 2]", "[1, 0]", "[1, 1]", "[1, 2]"]
    dx = functional.conv_transpose2d(dout[None, None], w[None, None])[0, 0]
    fig, alt = frames["[1, 2]"]
    assert alt.endswith(f"dX is {dx.int().tolist()}.")
    shown = [float(text.get_text()) for text in fig.axes[2].texts]
    assert shown == dx.flatten().tolist()
    assert len({tuple(fig.get_size_inches()) for fig, _ in frames.values()}) == 1
