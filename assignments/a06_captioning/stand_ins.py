"""What takes the place of exercises that are not right: the same by calls of the library.

None calls another exercise. Caches hold numbers alone: nobody can hand in what is to be differentiated.
"""

import string
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


# Modules
def _gated(cell: Any, x: Tensor, h: Tensor, c: Tensor, attn: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """A step of an LSTM by torch's cell; what is attended to is part of its input."""
    inputs, weights = (
        (x, cell.Wx) if attn is None else (torch.hstack([x, attn]), torch.vstack([cell.Wx, cell.Wattn]))
    )
    return _lstm_step(inputs, h, c, weights, cell.Wh, cell.b)


def _attended(h: Tensor, A: Tensor) -> tuple[Tensor, Tensor]:
    """Queries of one each; the weights are those of a second call, on unit vectors in place of values."""
    places = torch.flatten(A, 2).mT
    units = torch.eye(places.size(1), dtype=A.dtype, device=A.device).expand(len(A), -1, -1)
    attend = functional.scaled_dot_product_attention
    attn, weights = (attend(h[:, None], places, values)[:, 0] for values in (places, units))
    return attn, weights.unflatten(1, A.shape[2:])


@stand_in("rnn.modules.LSTM.step_forward")
def module_step(self: Any, x: Tensor, prev_h: Tensor, prev_c: Tensor) -> tuple[Tensor, Tensor]:
    """By `torch.lstm_cell`."""
    return _gated(self, x, prev_h, prev_c)


@stand_in("rnn.modules.LSTM.forward")
def module_forward(self: Any, x: Tensor, h0: Tensor) -> Tensor:
    """By `torch.lstm`."""
    return _lstm(x, h0, self.Wx, self.Wh, self.b)


@stand_in("rnn.modules.dot_product_attention")
def attention(prev_h: Tensor, A: Tensor) -> tuple[Tensor, Tensor]:
    """By `functional.scaled_dot_product_attention`."""
    return _attended(prev_h, A)


@stand_in("rnn.modules.AttentionLSTM.step_forward")
def attention_step(
    self: Any, x: Tensor, prev_h: Tensor, prev_c: Tensor, attn: Tensor
) -> tuple[Tensor, Tensor]:
    """By `torch.lstm_cell`."""
    return _gated(self, x, prev_h, prev_c, attn)


@stand_in("rnn.modules.AttentionLSTM.forward")
def attention_forward(self: Any, x: Tensor, A: Tensor) -> Tensor:
    """By `torch.lstm_cell` and `functional.scaled_dot_product_attention`."""
    start = A.flatten(2).mean(2)
    pairs = [(start, start)]
    for t in range(x.size(1)):
        pairs.append(_gated(self, x[:, t], *pairs[-1], _attended(pairs[-1][0], A)[0]))
    return torch.stack([hidden for hidden, _ in pairs[1:]], 1)


# The captioner
def _picture(self: Any, features: Tensor) -> Tensor:
    """The projected map, as a convolution makes it."""
    maps = functional.conv2d(features, self.W_proj.mT[..., None, None], self.b_proj)
    return maps if self.cell_type == "attention" else maps.flatten(2).mean(2)


@stand_in("rnn.captioning.CaptioningRNN.project")
def project(self: Any, features: Tensor) -> Tensor:
    """By `functional.conv2d`."""
    return _picture(self, features)


@stand_in("rnn.captioning.CaptioningRNN.start_state")
def start_state(self: Any, features: Tensor) -> tuple[Tensor, ...]:
    """By `functional.conv2d`."""
    picture = _picture(self, features)
    middle = picture.flatten(2).mean(2) if picture.dim() > 2 else picture
    return {"rnn": (middle,), "lstm": (middle, 0 * middle), "attention": (middle, middle, picture)}[
        self.cell_type
    ]


@stand_in("rnn.captioning.CaptioningRNN.step")
def step(
    self: Any, words: Tensor, state: tuple[Tensor, ...]
) -> tuple[Tensor, tuple[Tensor, ...], Tensor | None]:
    """By torch's cells."""
    x, cell, seen = functional.embedding(words, self.embed.W_embed), self.cell, None
    if len(state) == 1:
        following: tuple[Tensor, ...] = (_rnn_step(x, state[0], cell.Wx, cell.Wh, cell.b),)
    elif len(state) == 2:
        following = _gated(cell, x, *state)
    else:
        attn, seen = _attended(state[0], state[2])
        following = *_gated(cell, x, state[0], state[1], attn), state[2]
    return torch.addmm(self.b_vocab, following[0], self.W_vocab), following, seen


@stand_in("rnn.captioning.word_probabilities")
def word_probabilities(scores: Tensor, temperature: float = 1.0) -> Tensor:
    """By `functional.softmax`."""
    if not temperature > 0:
        raise ValueError("A temperature is above 0.")
    return functional.softmax(scores.div(temperature), -1)


# Cells, letters
@stand_in("rnn.cells.RNNCell.forward")
def rnn_cell(self: Any, x: Tensor, h: Tensor) -> Tensor:
    """By `torch.rnn_tanh_cell`."""
    return torch.rnn_tanh_cell(x, h, *self.parameters())


@stand_in("rnn.cells.GRUCell.forward")
def gru_cell(self: Any, x: Tensor, h: Tensor) -> Tensor:
    """By `torch.gru_cell`."""
    return torch.gru_cell(x, h, *self.parameters())


@stand_in("rnn.char_rnn.letter_to_index")
def letter_to_index(ch: str) -> int:
    """From a table."""
    table = {letter: number for number, letter in enumerate(string.ascii_letters + " .,;'")}
    if ch not in table:
        raise ValueError(f"{ch!r} has no number.")
    return table[ch]


@stand_in("rnn.char_rnn.CharRNN.forward")
def read_letter(self: Any, inputs: Tensor, hidden: Tensor) -> tuple[Tensor, Tensor]:
    """By `torch.rnn_tanh_cell`."""
    weights = self.u.weight, self.w.weight, self.u.bias, self.w.bias
    following = torch.rnn_tanh_cell(inputs, hidden, *weights)
    return functional.log_softmax(functional.linear(following, self.v.weight, self.v.bias), -1), following
