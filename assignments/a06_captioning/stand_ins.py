"""What takes the place of exercises that are not right: the same by calls of the library.

None calls another exercise. Caches hold numbers alone: nobody can hand in what is to be differentiated.
"""

from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.autograd.functional import vjp
from torch.nn import functional

from exercise_code.support.checking.declare import stand_in

LAYERS = "rnn.layers."


def _rnn_step(x: Tensor, prev_h: Tensor, Wx: Tensor, Wh: Tensor, b: Tensor) -> Tensor:
    return torch.rnn_tanh_cell(x, prev_h, Wx.T, Wh.T, b, torch.zeros_like(b))


def _rnn(x: Tensor, h0: Tensor, Wx: Tensor, Wh: Tensor, b: Tensor) -> Tensor:
    weights = Wx.T.contiguous(), Wh.T.contiguous(), b, torch.zeros_like(b)
    return torch.rnn_tanh(x, h0[None], weights, True, 1, 0.0, False, False, True)[0]


def _as_torch_has_them(weights: Tensor) -> Tensor:
    """From the order of gates i, f, o, g to i, f, g, o."""
    i, f, o, g = weights.chunk(4, dim=-1)
    return torch.cat([i, f, g, o], dim=-1)


def _lstm_step(
    x: Tensor, prev_h: Tensor, prev_c: Tensor, Wx: Tensor, Wh: Tensor, b: Tensor
) -> tuple[Tensor, Tensor]:
    Wx, Wh, b = map(_as_torch_has_them, (Wx, Wh, b))
    return torch.lstm_cell(x, (prev_h, prev_c), Wx.T, Wh.T, b, torch.zeros_like(b))


def _lstm(x: Tensor, h0: Tensor, Wx: Tensor, Wh: Tensor, b: Tensor) -> Tensor:
    Wx, Wh, b = map(_as_torch_has_them, (Wx, Wh, b))
    weights = Wx.T.contiguous(), Wh.T.contiguous(), b, torch.zeros_like(b)
    start = h0[None], torch.zeros_like(h0)[None]
    return torch.lstm(x, start, weights, True, 1, 0.0, False, False, True)[0]


@stand_in(f"{LAYERS}rnn_step_forward")
def rnn_step_forward(
    x: Float[Tensor, "N D"],
    prev_h: Float[Tensor, "N H"],
    Wx: Float[Tensor, "D H"],
    Wh: Float[Tensor, "H H"],
    b: Float[Tensor, " H"],
) -> tuple[Float[Tensor, "N H"], Any]:
    """By `torch.rnn_tanh_cell`."""
    inputs = x, prev_h, Wx, Wh, b
    return _rnn_step(*inputs), inputs


@stand_in(f"{LAYERS}rnn_step_backward")
def rnn_step_backward(dnext_h: Float[Tensor, "N H"], cache: Any) -> tuple[Tensor, ...]:
    """By autograd."""
    return vjp(_rnn_step, cache, dnext_h)[1]


@stand_in(f"{LAYERS}rnn_forward")
def rnn_forward(
    x: Float[Tensor, "N T D"],
    h0: Float[Tensor, "N H"],
    Wx: Float[Tensor, "D H"],
    Wh: Float[Tensor, "H H"],
    b: Float[Tensor, " H"],
) -> tuple[Float[Tensor, "N T H"], Any]:
    """By `torch.rnn_tanh`."""
    inputs = x, h0, Wx, Wh, b
    return _rnn(*inputs), inputs


@stand_in(f"{LAYERS}rnn_backward")
def rnn_backward(dh: Float[Tensor, "N T H"], cache: Any) -> tuple[Tensor, ...]:
    """By autograd."""
    inputs = [each.detach().requires_grad_() for each in cache]
    with torch.enable_grad():
        return torch.autograd.grad(_rnn(*inputs), inputs, dh)


@stand_in(f"{LAYERS}word_embedding_forward")
def word_embedding_forward(
    x: Int[Tensor, "N T"], W: Float[Tensor, "V D"]
) -> tuple[Float[Tensor, "N T D"], Any]:
    """By `functional.embedding`."""
    return functional.embedding(x, W), (x, W.shape)


@stand_in(f"{LAYERS}word_embedding_backward")
def word_embedding_backward(dout: Float[Tensor, "N T D"], cache: Any) -> Float[Tensor, "V D"]:
    """By autograd."""
    x, shape = cache
    W = torch.empty(shape, dtype=dout.dtype, device=dout.device).requires_grad_()
    with torch.enable_grad():
        return torch.autograd.grad(functional.embedding(x, W), W, dout)[0]


@stand_in(f"{LAYERS}lstm_step_forward")
def lstm_step_forward(
    x: Float[Tensor, "N D"],
    prev_h: Float[Tensor, "N H"],
    prev_c: Float[Tensor, "N H"],
    Wx: Float[Tensor, "D 4*H"],
    Wh: Float[Tensor, "H 4*H"],
    b: Float[Tensor, " 4*H"],
) -> tuple[Float[Tensor, "N H"], Float[Tensor, "N H"], Any]:
    """By `torch.lstm_cell`."""
    inputs = x, prev_h, prev_c, Wx, Wh, b
    return *_lstm_step(*inputs), inputs


@stand_in(f"{LAYERS}lstm_step_backward")
def lstm_step_backward(
    dnext_h: Float[Tensor, "N H"], dnext_c: Float[Tensor, "N H"], cache: Any
) -> tuple[Tensor, ...]:
    """By autograd."""
    return vjp(_lstm_step, cache, (dnext_h, dnext_c))[1]


@stand_in(f"{LAYERS}lstm_forward")
def lstm_forward(
    x: Float[Tensor, "N T D"],
    h0: Float[Tensor, "N H"],
    Wx: Float[Tensor, "D 4*H"],
    Wh: Float[Tensor, "H 4*H"],
    b: Float[Tensor, " 4*H"],
) -> tuple[Float[Tensor, "N T H"], Any]:
    """By `torch.lstm`."""
    inputs = x, h0, Wx, Wh, b
    return _lstm(*inputs), inputs


@stand_in(f"{LAYERS}lstm_backward")
def lstm_backward(dh: Float[Tensor, "N T H"], cache: Any) -> tuple[Tensor, ...]:
    """By autograd."""
    inputs = [each.detach().requires_grad_() for each in cache]
    with torch.enable_grad():
        return torch.autograd.grad(_lstm(*inputs), inputs, dh)


@stand_in("rnn.losses.temporal_softmax_loss_masked")
def temporal_softmax_loss_masked(
    x: Float[Tensor, "N T V"], y: Int[Tensor, "N T"], mask: Bool[Tensor, "N T"]
) -> tuple[Float[Tensor, ""], Float[Tensor, "N T V"]]:
    """By `functional.cross_entropy` and autograd."""

    def loss(x: Tensor) -> Tensor:
        each = functional.cross_entropy(x.movedim(2, 1), y, reduction="none")
        return torch.where(mask, each, 0).sum() / x.size(0)

    return vjp(loss, x)


@stand_in("rnn.losses.temporal_softmax_loss")
def temporal_softmax_loss(
    x: Float[Tensor, "N T V"], y: Int[Tensor, "N T"], ignore_index: int | None = None
) -> Float[Tensor, ""]:
    """By `functional.cross_entropy` of each step."""
    each = functional.cross_entropy(x.movedim(2, 1), y, reduction="none")
    counts = torch.ones_like(each) if ignore_index is None else (y != ignore_index).to(each.dtype)
    return (each * counts).sum() / x.size(0)
