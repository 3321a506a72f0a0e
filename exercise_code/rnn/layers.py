"""Recurrent layers by hand: one step, the sequence, and the way back through time."""

from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from exercise_code.mlp.fully_connected_networks import Linear


def rnn_step_forward(
    x: Float[Tensor, "N D"],
    prev_h: Float[Tensor, "N H"],
    Wx: Float[Tensor, "D H"],
    Wh: Float[Tensor, "H H"],
    b: Float[Tensor, " H"],
) -> tuple[Float[Tensor, "N H"], Any]:
    """One step of a recurrent network:  next_h = tanh(x Wx + prev_h Wh + b)  (Elman, 1990).

    Not allowed here: torch.nn.RNNCell.

    Args:
        x: the inputs of this step.
        prev_h: the hidden state of the step before.
        Wx: weights of the input.
        Wh: weights of the hidden state.
        b: bias.

    Returns:
        The new hidden state, and a cache of whatever `rnn_step_backward` needs.
    """
    ### BEGIN SOLUTION
    next_h = torch.tanh(x @ Wx + prev_h @ Wh + b)
    return next_h, (x, prev_h, Wx, Wh, next_h)
    ### END SOLUTION


def rnn_step_backward(
    dnext_h: Float[Tensor, "N H"], cache: Any
) -> tuple[
    Float[Tensor, "N D"],
    Float[Tensor, "N H"],
    Float[Tensor, "D H"],
    Float[Tensor, "H H"],
    Float[Tensor, " H"],
]:
    """Gradients of the loss with respect to all that went into `rnn_step_forward`.

    The slope of tanh is  1 - tanh^2 : the new hidden state is all it takes. Not allowed here: autograd.

    Args:
        dnext_h: gradient of the loss with respect to the new hidden state.
        cache: from `rnn_step_forward`.

    Returns:
        dx, dprev_h, dWx, dWh and db, each in the shape of what it belongs to.
    """
    ### BEGIN SOLUTION
    x, prev_h, Wx, Wh, next_h = cache
    da = dnext_h * (1 - next_h**2)
    return da @ Wx.T, da @ Wh.T, x.T @ da, prev_h.T @ da, da.sum(dim=0)
    ### END SOLUTION


def rnn_forward(
    x: Float[Tensor, "N T D"],
    h0: Float[Tensor, "N H"],
    Wx: Float[Tensor, "D H"],
    Wh: Float[Tensor, "H H"],
    b: Float[Tensor, " H"],
) -> tuple[Float[Tensor, "N T H"], Any]:
    """Run `rnn_step_forward` over a sequence, with the same weights at every step.

    Not allowed here: torch.nn.RNN, torch.nn.RNNCell.

    Args:
        x: sequences of T inputs each.
        h0: the hidden state before the first step.
        Wx: weights of the input.
        Wh: weights of the hidden state.
        b: bias.

    Returns:
        The hidden states after each of the T steps, h0 not among them, and a cache for `rnn_backward`.
    """
    ### BEGIN SOLUTION
    h, states, caches = h0, [], []
    for step in x.unbind(dim=1):
        h, cache = rnn_step_forward(step, h, Wx, Wh, b)
        states.append(h)
        caches.append(cache)
    return torch.stack(states, dim=1), caches
    ### END SOLUTION


def rnn_backward(
    dh: Float[Tensor, "N T H"], cache: Any
) -> tuple[
    Float[Tensor, "N T D"],
    Float[Tensor, "N H"],
    Float[Tensor, "D H"],
    Float[Tensor, "H H"],
    Float[Tensor, " H"],
]:
    """Backpropagation through time: the gradients of a whole sequence (Werbos, 1990).

    A hidden state has two readers, whose gradients add up: what is computed from it outside (`dh`), and the
    next step. The weights are read by all steps. dh is not changed. Not allowed here: autograd.

    Args:
        dh: gradient of the loss with respect to each hidden state, as far as it is read outside.
        cache: from `rnn_forward`.

    Returns:
        dx, dh0, dWx, dWh and db, each in the shape of what it belongs to.
    """
    ### BEGIN SOLUTION
    dx, from_later = [], torch.zeros_like(dh[:, 0])
    dWx = dWh = db = dh.new_zeros(())
    for dh_t, step in zip(reversed(dh.unbind(dim=1)), reversed(cache), strict=True):
        dx_t, from_later, dWx_t, dWh_t, db_t = rnn_step_backward(dh_t + from_later, step)
        dx.append(dx_t)
        dWx, dWh, db = dWx + dWx_t, dWh + dWh_t, db + db_t
    return torch.stack(dx[::-1], dim=1), from_later, dWx, dWh, db
    ### END SOLUTION


def word_embedding_forward(
    x: Int[Tensor, "N T"], W: Float[Tensor, "V D"]
) -> tuple[Float[Tensor, "N T D"], Any]:
    """Look up the vector of every word: out[n, t] = W[x[n, t]].

    Not allowed here: torch.nn.functional.embedding, and a product with one-hot vectors (@, einsum).

    Args:
        x: words, int64, 0 to V - 1; a word may come more than once.
        W: one row for each word.

    Returns:
        The vectors, and a cache for `word_embedding_backward`.
    """
    ### BEGIN SOLUTION
    return W[x], (x, W.shape)
    ### END SOLUTION


def word_embedding_backward(dout: Float[Tensor, "N T D"], cache: Any) -> Float[Tensor, "V D"]:
    """Gradient of the loss with respect to the table of word vectors.

    A word that comes several times collects the gradients of all its places; one that does not come gets 0.
    Not allowed here: autograd.

    Args:
        dout: gradient of the loss with respect to the vectors that were looked up.
        cache: from `word_embedding_forward`.

    Returns:
        dW in the shape of W.
    """
    ### BEGIN SOLUTION
    x, shape = cache
    return dout.new_zeros(shape).index_add(0, x.flatten(), dout.flatten(0, 1))
    ### END SOLUTION


def temporal_affine_forward(
    x: Float[Tensor, "N T D"], w: Float[Tensor, "D M"], b: Float[Tensor, " M"]
) -> tuple[Float[Tensor, "N T M"], Any]:
    """a03's `Linear.forward` at every step of a sequence.

    Args:
        x: a vector for each step.
        w: weights, the same at all steps.
        b: biases.

    Returns:
        The outputs of each step, and a cache for `temporal_affine_backward`.
    """
    out, cache = Linear.forward(x.flatten(0, 1), w, b)
    return out.unflatten(0, x.shape[:2]), cache


def temporal_affine_backward(
    dout: Float[Tensor, "N T M"], cache: Any
) -> tuple[Float[Tensor, "N T D"], Float[Tensor, "D M"], Float[Tensor, " M"]]:
    """The gradients of `temporal_affine_forward`.

    Args:
        dout: gradient of the loss with respect to the outputs.
        cache: from `temporal_affine_forward`.

    Returns:
        dx, dw and db.
    """
    dx, dw, db = Linear.backward(dout.flatten(0, 1), cache)
    return dx.unflatten(0, dout.shape[:2]), dw, db


def lstm_step_forward(
    x: Float[Tensor, "N D"],
    prev_h: Float[Tensor, "N H"],
    prev_c: Float[Tensor, "N H"],
    Wx: Float[Tensor, "D 4*H"],
    Wh: Float[Tensor, "H 4*H"],
    b: Float[Tensor, " 4*H"],
) -> tuple[Float[Tensor, "N H"], Float[Tensor, "N H"], Any]:
    """One step of an LSTM, a recurrent network with a cell state behind gates (Gers et al., 2000).

    The four blocks of H columns of  x Wx + prev_h Wh + b  belong to i, f, o and g, in this order:
    i, f, o = sigmoid of theirs, g = tanh of its own. next_c is f * prev_c plus i * g, and next_h is
    o * tanh(next_c). torch.sigmoid is allowed. Not allowed here: torch.nn.LSTMCell.

    Args:
        x: the inputs of this step.
        prev_h: the hidden state of the step before.
        prev_c: the cell state of the step before.
        Wx: weights of the input, one block for each gate.
        Wh: weights of the hidden state, likewise.
        b: biases, likewise.

    Returns:
        The new hidden state, the new cell state, and a cache for `lstm_step_backward`.
    """
    ### BEGIN SOLUTION
    a_i, a_f, a_o, a_g = (x @ Wx + prev_h @ Wh + b).chunk(4, dim=1)
    i, f, o, g = a_i.sigmoid(), a_f.sigmoid(), a_o.sigmoid(), a_g.tanh()
    next_c = f * prev_c + i * g
    tanh_c = next_c.tanh()
    return o * tanh_c, next_c, (x, prev_h, prev_c, Wx, Wh, i, f, o, g, tanh_c)
    ### END SOLUTION


def lstm_step_backward(
    dnext_h: Float[Tensor, "N H"], dnext_c: Float[Tensor, "N H"], cache: Any
) -> tuple[
    Float[Tensor, "N D"],
    Float[Tensor, "N H"],
    Float[Tensor, "N H"],
    Float[Tensor, "D 4*H"],
    Float[Tensor, "H 4*H"],
    Float[Tensor, " 4*H"],
]:
    """Gradients of the loss with respect to all that went into `lstm_step_forward`.

    The new cell state has two readers: the next step (`dnext_c`) and the new hidden state. The slope of the
    sigmoid s is  s (1 - s). Nothing that comes in is changed. Not allowed here: autograd.

    Args:
        dnext_h: gradient of the loss with respect to the new hidden state.
        dnext_c: gradient of the loss with respect to the new cell state, as far as the next step reads it.
        cache: from `lstm_step_forward`.

    Returns:
        dx, dprev_h, dprev_c, dWx, dWh and db, each in the shape of what it belongs to.
    """
    ### BEGIN SOLUTION
    x, prev_h, prev_c, Wx, Wh, i, f, o, g, tanh_c = cache
    dc = dnext_c + dnext_h * o * (1 - tanh_c**2)
    da_i = dc * g * i * (1 - i)
    da_f = dc * prev_c * f * (1 - f)
    da_o = dnext_h * tanh_c * o * (1 - o)
    da_g = dc * i * (1 - g**2)
    da = torch.cat([da_i, da_f, da_o, da_g], dim=1)
    return da @ Wx.T, da @ Wh.T, dc * f, x.T @ da, prev_h.T @ da, da.sum(dim=0)
    ### END SOLUTION


def lstm_forward(
    x: Float[Tensor, "N T D"],
    h0: Float[Tensor, "N H"],
    Wx: Float[Tensor, "D 4*H"],
    Wh: Float[Tensor, "H 4*H"],
    b: Float[Tensor, " 4*H"],
) -> tuple[Float[Tensor, "N T H"], Any]:
    """Run `lstm_step_forward` over a sequence; the cell state before the first step is 0.

    Not allowed here: torch.nn.LSTM, torch.nn.LSTMCell.

    Args:
        x: sequences of T inputs each.
        h0: the hidden state before the first step.
        Wx: weights of the input, one block for each gate.
        Wh: weights of the hidden state, likewise.
        b: biases, likewise.

    Returns:
        The hidden states after each of the T steps, and a cache for `lstm_backward`.
    """
    ### BEGIN SOLUTION
    h, c, states, caches = h0, torch.zeros_like(h0), [], []
    for step in x.unbind(dim=1):
        h, c, cache = lstm_step_forward(step, h, c, Wx, Wh, b)
        states.append(h)
        caches.append(cache)
    return torch.stack(states, dim=1), caches
    ### END SOLUTION


def lstm_backward(
    dh: Float[Tensor, "N T H"], cache: Any
) -> tuple[
    Float[Tensor, "N T D"],
    Float[Tensor, "N H"],
    Float[Tensor, "D 4*H"],
    Float[Tensor, "H 4*H"],
    Float[Tensor, " 4*H"],
]:
    """Backpropagation through time for `lstm_forward`: two gradients go back, of hidden and of cell states.

    Behind the last step nobody reads the cell state. dh is not changed. Not allowed here: autograd.

    Args:
        dh: gradient of the loss with respect to each hidden state, as far as it is read outside.
        cache: from `lstm_forward`.

    Returns:
        dx, dh0, dWx, dWh and db, each in the shape of what it belongs to.
    """
    ### BEGIN SOLUTION
    dx, from_later, dc = [], torch.zeros_like(dh[:, 0]), torch.zeros_like(dh[:, 0])
    dWx = dWh = db = dh.new_zeros(())
    for dh_t, step in zip(reversed(dh.unbind(dim=1)), reversed(cache), strict=True):
        dx_t, from_later, dc, dWx_t, dWh_t, db_t = lstm_step_backward(dh_t + from_later, dc, step)
        dx.append(dx_t)
        dWx, dWh, db = dWx + dWx_t, dWh + dWh_t, db + db_t
    return torch.stack(dx[::-1], dim=1), from_later, dWx, dWh, db
    ### END SOLUTION
