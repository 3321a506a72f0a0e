"""The solutions against torch's recurrent layers, autograd and finite differences."""

import math

import pytest
import torch
from beartype import beartype
from hypothesis import given, settings
from hypothesis import strategies as st
from jaxtyping import jaxtyped
from torch import nn
from torch.autograd.functional import vjp
from torch.nn import functional

from assignments.a06_captioning import figures
from exercise_code.rnn import layers, losses
from exercise_code.support.notebook.numeric_gradient import compute_numeric_gradient

DTYPES = pytest.mark.parametrize("dtype, tolerance", [(torch.float32, 1e-4), (torch.float64, 1e-10)])
SIZES = {name: st.integers(1, 5) for name in "NTDH"} | {"seed": st.integers(0, 99)}


def typed(function):
    return jaxtyped(typechecker=beartype)(function)


def numbers(*shapes, seed, dtype):
    random = torch.Generator().manual_seed(seed)
    return [torch.randn(*shape, generator=random, dtype=dtype) for shape in shapes]


def torch_layer(kind, x, h0, Wx, Wh, b):
    """nn.RNN, nn.LSTM or one of their cells with the weights of ours; torch has the gates as i, f, g, o."""
    if "LSTM" in kind.__name__:
        Wx, Wh, b = (torch.cat([a[..., gate] for gate in gates(a)], dim=-1) for a in (Wx, Wh, b))
    layer = kind(x.shape[-1], h0[0].shape[-1], dtype=x.dtype)
    if not kind.__name__.endswith("Cell"):
        layer = kind(x.shape[-1], h0[0].shape[-1], dtype=x.dtype, batch_first=True)
    weights = [Wx.T, Wh.T, b, torch.zeros_like(b)]
    names = [name for name, _ in layer.named_parameters()]
    return lambda x, h0: torch.func.functional_call(layer, dict(zip(names, weights, strict=True)), (x, h0))


def gates(weights):
    size = weights.shape[-1] // 4
    return [slice(gate * size, (gate + 1) * size) for gate in (0, 1, 3, 2)]


def rnn(x, h0, Wx, Wh, b):
    return torch_layer(nn.RNN, x, h0[None], Wx, Wh, b)(x, h0[None])[0]


def rnn_step(x, prev_h, Wx, Wh, b):
    return torch_layer(nn.RNNCell, x, prev_h, Wx, Wh, b)(x, prev_h)


def lstm(x, h0, Wx, Wh, b):
    start = h0[None], torch.zeros_like(h0)[None]
    return torch_layer(nn.LSTM, x, start, Wx, Wh, b)(x, start)[0]


def lstm_step(x, prev_h, prev_c, Wx, Wh, b):
    return torch_layer(nn.LSTMCell, x, (prev_h, prev_c), Wx, Wh, b)(x, (prev_h, prev_c))


@DTYPES
@settings(max_examples=25)
@given(**SIZES)
@pytest.mark.parametrize(
    "forward, backward, library, gates",
    [
        (layers.rnn_forward, layers.rnn_backward, rnn, 1),
        (layers.lstm_forward, layers.lstm_backward, lstm, 4),
    ],
)
def test_sequences_and_their_gradients_are_those_of_torch(
    forward, backward, library, gates, dtype, tolerance, N, T, D, H, seed
):
    shapes = (N, T, D), (N, H), (D, gates * H), (H, gates * H), (gates * H,)
    inputs = numbers(*shapes, seed=seed, dtype=dtype)
    (dh,) = numbers((N, T, H), seed=seed + 1, dtype=dtype)
    h, cache = typed(forward)(*inputs)
    expected, slopes = vjp(library, tuple(inputs), dh)
    close = {"rtol": tolerance, "atol": tolerance}
    torch.testing.assert_close(h, expected, **close)
    torch.testing.assert_close(typed(backward)(dh, cache), slopes, **close)


@DTYPES
@settings(max_examples=25)
@given(**SIZES)
def test_an_rnn_step_is_that_of_torch(dtype, tolerance, N, T, D, H, seed):
    inputs = numbers((N, D), (N, H), (D, H), (H, H), (H,), seed=seed, dtype=dtype)
    (dnext_h,) = numbers((N, H), seed=seed + 1, dtype=dtype)
    next_h, cache = typed(layers.rnn_step_forward)(*inputs)
    expected, slopes = vjp(rnn_step, tuple(inputs), dnext_h)
    close = {"rtol": tolerance, "atol": tolerance}
    torch.testing.assert_close(next_h, expected, **close)
    torch.testing.assert_close(typed(layers.rnn_step_backward)(dnext_h, cache), slopes, **close)


@DTYPES
@settings(max_examples=25)
@given(**SIZES)
def test_an_lstm_step_is_that_of_torch(dtype, tolerance, N, T, D, H, seed):
    shapes = (N, D), (N, H), (N, H), (D, 4 * H), (H, 4 * H), (4 * H,)
    inputs = numbers(*shapes, seed=seed, dtype=dtype)
    upstream = tuple(numbers((N, H), (N, H), seed=seed + 1, dtype=dtype))
    *found, cache = typed(layers.lstm_step_forward)(*inputs)
    expected, slopes = vjp(lstm_step, tuple(inputs), upstream)
    close = {"rtol": tolerance, "atol": tolerance}
    torch.testing.assert_close(tuple(found), expected, **close)
    torch.testing.assert_close(typed(layers.lstm_step_backward)(*upstream, cache), slopes, **close)


@DTYPES
@given(**SIZES)
def test_embedding_and_its_gradient_are_those_of_torch(dtype, tolerance, N, T, D, H, seed):
    V = H + 1
    W, dout = numbers((V, D), (N, T, D), seed=seed, dtype=dtype)
    x = torch.randint(V, (N, T), generator=torch.Generator().manual_seed(seed))
    out, cache = typed(layers.word_embedding_forward)(x, W)
    expected, slope = vjp(lambda W: functional.embedding(x, W), W, dout)
    torch.testing.assert_close(out, expected, rtol=0, atol=0)
    dW = typed(layers.word_embedding_backward)(dout, cache)
    torch.testing.assert_close(dW, slope, rtol=tolerance, atol=tolerance)


@DTYPES
@given(**SIZES)
def test_temporal_affine_is_that_of_torch(dtype, tolerance, N, T, D, H, seed):
    x, w, b, dout = numbers((N, T, D), (D, H), (H,), (N, T, H), seed=seed, dtype=dtype)
    out, cache = typed(layers.temporal_affine_forward)(x, w, b)
    expected, slopes = vjp(lambda x, w, b: functional.linear(x, w.T, b), (x, w, b), dout)
    close = {"rtol": tolerance, "atol": tolerance}
    torch.testing.assert_close(out, expected, **close)
    torch.testing.assert_close(typed(layers.temporal_affine_backward)(dout, cache), slopes, **close)


@DTYPES
@given(**SIZES)
def test_losses_are_those_of_torch(dtype, tolerance, N, T, D, H, seed):
    V = D + 1
    (x,) = numbers((N, T, V), seed=seed, dtype=dtype)
    random = torch.Generator().manual_seed(seed)
    y, mask = torch.randint(V, (N, T), generator=random), torch.rand(N, T, generator=random) < 0.6

    def by_torch(x):
        return functional.cross_entropy(x.transpose(1, 2), y, reduction="none")[mask].sum() / N

    expected, slope = vjp(by_torch, x)
    close = {"rtol": tolerance, "atol": tolerance}
    loss, dx = typed(losses.temporal_softmax_loss_masked)(x, y, mask)
    torch.testing.assert_close(loss, expected, **close)
    torch.testing.assert_close(dx, slope, **close)
    everything = losses.temporal_softmax_loss_masked(x, y, torch.ones_like(mask))[0]
    torch.testing.assert_close(typed(losses.temporal_softmax_loss)(x, y), everything, **close)
    without_two = losses.temporal_softmax_loss_masked(x, y, y != 1)[0]
    torch.testing.assert_close(losses.temporal_softmax_loss(x, y, ignore_index=1), without_two, **close)


@pytest.mark.parametrize("T", [1, 10])
def test_an_untrained_loss_is_the_logarithm_of_the_vocabulary_at_every_step(T):
    x, y = torch.zeros(4, T, 10, dtype=torch.float64), torch.zeros(4, T, dtype=torch.int64)
    assert losses.temporal_softmax_loss(x, y).item() == pytest.approx(T * math.log(10))


def test_scores_in_the_thousands_do_not_overflow():
    x = torch.tensor([[[3000.0, 0.0, -3000.0]]])
    loss, dx = losses.temporal_softmax_loss_masked(x, torch.tensor([[1]]), torch.tensor([[True]]))
    assert loss.item() == 3000
    assert dx.equal(torch.tensor([[[1.0, -1.0, 0.0]]]))


@pytest.mark.parametrize(
    "forward, backward, gates",
    [(layers.rnn_forward, layers.rnn_backward, 1), (layers.lstm_forward, layers.lstm_backward, 4)],
)
def test_gradients_of_sequences_are_finite_differences(forward, backward, gates):
    N, T, D, H = 2, 4, 3, 5
    shapes = (N, T, D), (N, H), (D, gates * H), (H, gates * H), (gates * H,), (N, T, H)
    *inputs, dh = numbers(*shapes, seed=0, dtype=torch.float64)
    _, cache = forward(*inputs)
    for place, gradient in enumerate(backward(dh, cache)):
        numeric = compute_numeric_gradient(lambda _: forward(*inputs)[0], inputs[place], dh, h=1e-6)
        torch.testing.assert_close(gradient, numeric, rtol=1e-6, atol=1e-8)


def test_what_is_to_be_recalled_comes_first_and_never_again():
    x, y = figures.recall_batch(50, 7, torch.Generator().manual_seed(0))
    assert x.shape == (50, 8)
    assert x[:, 0].equal(y) and set(y.tolist()) == {0, 1, 2, 3}
    assert x[:, 1:].min() == 4 and x[:, 1:].max() == 7


def test_a_short_lag_is_recalled():
    assert figures.recall_accuracy(1, seed=0, steps=100) > 0.9
    assert figures.recall_accuracy(1, seed=0, steps=100, gate_bias=1.0) > 0.9


def test_the_figure_says_how_many_steps_count():
    counts = torch.tensor([[True, True, False], [True, False, False]])
    fig, alt = figures.counted([["a", "b", ""], ["c", "", ""]], counts)
    assert sum(bool(patch.get_hatch()) for patch in fig.axes[0].patches) == 3
    assert alt == "3 of 6 steps of 2 captions count; the 3 others are hatched."


def test_the_unrolled_network_has_its_shapes_in_the_text():
    fig, alt = figures.unrolled(3, N=2, D=4, H=5)
    assert len(fig.axes[0].patches) >= 3
    assert alt.startswith("3 copies") and "(2, 4)" in alt and "(2, 5)" in alt
