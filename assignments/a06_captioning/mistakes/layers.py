"""How people get `rnn.layers` wrong, and the hint each mistake deserves."""

import torch
from torch.nn import functional

from exercise_code.rnn import layers
from exercise_code.support.checking.declare import mistake

LAYERS = "rnn.layers."


# A step of the recurrent network
@mistake(f"{LAYERS}rnn_step_forward", hint="The bias is missing: every hidden unit has one.")
def step_without_bias(x, prev_h, Wx, Wh, b):
    next_h = torch.tanh(x @ Wx + prev_h @ Wh)
    return next_h, (x, prev_h, Wx, Wh, next_h)


@mistake(f"{LAYERS}rnn_step_forward", hint="The sum is returned as it is: tanh is missing.")
def step_without_tanh(x, prev_h, Wx, Wh, b):
    next_h = x @ Wx + prev_h @ Wh + b
    return next_h, (x, prev_h, Wx, Wh, next_h)


@mistake(
    f"{LAYERS}rnn_step_forward",
    hint="tanh is taken of the input's part alone: it belongs around the whole sum.",
)
def step_tanh_of_the_input_alone(x, prev_h, Wx, Wh, b):
    next_h = torch.tanh(x @ Wx) + prev_h @ Wh + b
    return next_h, (x, prev_h, Wx, Wh, next_h)


@mistake(
    f"{LAYERS}rnn_step_forward", hint="Input and state have a tanh each: one tanh goes around the whole sum."
)
def step_two_tanhs(x, prev_h, Wx, Wh, b):
    next_h = torch.tanh(x @ Wx) + torch.tanh(prev_h @ Wh) + b
    return next_h, (x, prev_h, Wx, Wh, next_h)


@mistake(
    f"{LAYERS}rnn_step_forward", hint="The bias is added outside of tanh: it belongs into the sum before it."
)
def step_bias_outside(x, prev_h, Wx, Wh, b):
    next_h = torch.tanh(x @ Wx + prev_h @ Wh) + b
    return next_h, (x, prev_h, Wx, Wh, next_h)


@mistake(f"{LAYERS}rnn_step_forward", hint="These are sigmoids: the hidden state of this network is a tanh.")
def step_by_sigmoid(x, prev_h, Wx, Wh, b):
    next_h = torch.sigmoid(x @ Wx + prev_h @ Wh + b)
    return next_h, (x, prev_h, Wx, Wh, next_h)


@mistake(f"{LAYERS}rnn_step_forward", hint="The state before is not used, so that nothing is remembered.")
def step_without_memory(x, prev_h, Wx, Wh, b):
    next_h = torch.tanh(x @ Wx + b)
    return next_h, (x, prev_h, Wx, Wh, next_h)


@mistake(
    f"{LAYERS}rnn_step_forward",
    hint="Wh is transposed: its rows belong to the state before, its columns to the new one.",
)
def step_transposed(x, prev_h, Wx, Wh, b):
    next_h = torch.tanh(x @ Wx + prev_h @ Wh.T + b)
    return next_h, (x, prev_h, Wx, Wh, next_h)


@mistake(
    f"{LAYERS}rnn_step_forward", hint="`RNNCell` is the step itself: write its two products and its tanh."
)
def step_by_library(x, prev_h, Wx, Wh, b):
    next_h = torch.rnn_tanh_cell(x, prev_h, Wx.T, Wh.T, b, torch.zeros_like(b))
    return next_h, (x, prev_h, Wx, Wh, next_h)


def step_gradients(da, cache):
    x, prev_h, Wx, Wh, _ = cache
    return da @ Wx.T, da @ Wh.T, x.T @ da, prev_h.T @ da, da.sum(0)


@mistake(
    f"{LAYERS}rnn_step_backward",
    hint="db has a row for each of the N inputs: b is shared by all of them, so sum over the batch.",
)
def step_db_not_summed(dnext_h, cache):
    da = dnext_h * (1 - cache[-1] ** 2)
    return *step_gradients(da, cache)[:4], da


@mistake(f"{LAYERS}rnn_step_backward", hint="db is a mean over the batch: gradients of a shared bias add up.")
def step_db_mean(dnext_h, cache):
    da = dnext_h * (1 - cache[-1] ** 2)
    return *step_gradients(da, cache)[:4], da.mean(0)


@mistake(
    f"{LAYERS}rnn_step_backward", hint="db is the sum of dnext_h: b is inside tanh, so its slope counts."
)
def step_db_past_tanh(dnext_h, cache):
    da = dnext_h * (1 - cache[-1] ** 2)
    return *step_gradients(da, cache)[:4], dnext_h.sum(0)


@mistake(f"{LAYERS}rnn_step_backward", hint="The slope of tanh is 1 - tanh^2: here the square is missing.")
def step_slope_without_square(dnext_h, cache):
    return step_gradients(dnext_h * (1 - cache[-1]), cache)


@mistake(
    f"{LAYERS}rnn_step_backward",
    hint="The gradient goes past tanh unchanged: multiply by its slope before all else.",
)
def step_without_slope(dnext_h, cache):
    return step_gradients(dnext_h, cache)


@mistake(
    f"{LAYERS}rnn_step_backward",
    hint="The new hidden state is a tanh already: its slope needs no second tanh.",
)
def step_tanh_of_tanh(dnext_h, cache):
    return step_gradients(dnext_h * (1 - cache[-1].tanh() ** 2), cache)


@mistake(f"{LAYERS}rnn_step_backward", hint="This is the slope of the sigmoid, h (1 - h); tanh has another.")
def step_slope_of_sigmoid(dnext_h, cache):
    return step_gradients(dnext_h * cache[-1] * (1 - cache[-1]), cache)


@mistake(
    f"{LAYERS}rnn_step_backward", hint="dprev_h goes through Wh as it is: on the way back it is transposed."
)
def step_wh_not_transposed(dnext_h, cache):
    da = dnext_h * (1 - cache[-1] ** 2)
    dx, _, *weights = step_gradients(da, cache)
    return dx, da @ cache[3], *weights


@mistake(
    f"{LAYERS}rnn_step_backward",
    hint="dWh is made of the new hidden state: Wh was multiplied by the one before.",
)
def step_dwh_of_the_new_state(dnext_h, cache):
    da = dnext_h * (1 - cache[-1] ** 2)
    dx, dprev_h, dWx, _, db = step_gradients(da, cache)
    return dx, dprev_h, dWx, cache[-1].T @ da, db


@mistake(f"{LAYERS}rnn_step_backward", hint="dWx is transposed: it has the shape (D, H) of Wx.")
def step_dwx_transposed(dnext_h, cache):
    dx, dprev_h, dWx, dWh, db = step_gradients(dnext_h * (1 - cache[-1] ** 2), cache)
    return dx, dprev_h, dWx.T, dWh, db


@mistake(f"{LAYERS}rnn_step_backward", hint="Gradients come back in the order dx, dprev_h, dWx, dWh, db.")
def step_other_order(dnext_h, cache):
    dx, dprev_h, dWx, dWh, db = step_gradients(dnext_h * (1 - cache[-1] ** 2), cache)
    return dx, dWx, dprev_h, dWh, db


@mistake(
    f"{LAYERS}rnn_step_backward",
    hint="`*=` writes into dnext_h, which the caller may still need: multiply into a new tensor.",
)
def step_changes_upstream(dnext_h, cache):
    dnext_h *= 1 - cache[-1] ** 2
    return step_gradients(dnext_h, cache)


@mistake(
    f"{LAYERS}rnn_step_backward", hint="Autograd does the work here: write the chain rule with products."
)
def step_by_autograd(dnext_h, cache):
    inputs = [each.detach().requires_grad_() for each in (*cache[:4], torch.zeros_like(cache[2][0]))]
    x, prev_h, Wx, Wh, b = inputs
    shift = torch.atanh(cache[4]) - cache[0] @ cache[2] - cache[1] @ cache[3]
    return torch.autograd.grad(torch.tanh(x @ Wx + prev_h @ Wh + b + shift), inputs, dnext_h)


# A sequence
def states_of(x, h0, Wx, Wh, b):
    h, states, caches = h0, [], []
    for step in x.unbind(1):
        h, cache = layers.rnn_step_forward(step, h, Wx, Wh, b)
        states.append(h)
        caches.append(cache)
    return states, caches


@mistake(f"{LAYERS}rnn_forward", hint="Time comes first in h here: stack the states along axis 1, (N, T, H).")
def sequence_time_first(x, h0, Wx, Wh, b):
    states, caches = states_of(x, h0, Wx, Wh, b)
    return torch.stack(states), caches


@mistake(f"{LAYERS}rnn_forward", hint="`view` puts states of other sequences into a row: stack along axis 1.")
def sequence_by_view(x, h0, Wx, Wh, b):
    states, caches = states_of(x, h0, Wx, Wh, b)
    return torch.stack(states).view(*x.shape[:2], -1), caches


@mistake(
    f"{LAYERS}rnn_forward", hint="There is a state too many: h0 comes before the first step, and is not in h."
)
def sequence_with_start(x, h0, Wx, Wh, b):
    states, caches = states_of(x, h0, Wx, Wh, b)
    return torch.stack([h0, *states], 1), caches


@mistake(
    f"{LAYERS}rnn_forward",
    hint="h is one step late: it begins with h0, and the state after the last step is missing.",
)
def sequence_late(x, h0, Wx, Wh, b):
    states, caches = states_of(x, h0, Wx, Wh, b)
    return torch.stack([h0, *states[:-1]], 1), caches


@mistake(f"{LAYERS}rnn_forward", hint="The sequence starts from zeros: h0 is given, and need not be 0.")
def sequence_from_zeros(x, h0, Wx, Wh, b):
    states, caches = states_of(x, torch.zeros_like(h0), Wx, Wh, b)
    return torch.stack(states, 1), caches


@mistake(
    f"{LAYERS}rnn_forward", hint="Every step starts from h0: hand the new state on to the step that follows."
)
def sequence_not_carried(x, h0, Wx, Wh, b):
    pairs = [layers.rnn_step_forward(step, h0, Wx, Wh, b) for step in x.unbind(1)]
    return torch.stack([h for h, _ in pairs], 1), [cache for _, cache in pairs]


@mistake(f"{LAYERS}rnn_forward", hint="Only the last state is returned: all T of them are asked for.")
def sequence_last_alone(x, h0, Wx, Wh, b):
    states, caches = states_of(x, h0, Wx, Wh, b)
    return states[-1], caches


@mistake(
    f"{LAYERS}rnn_forward",
    hint="h is float32 whatever comes in: make the buffer with `new_zeros`, or stack the states.",
)
def sequence_always_float32(x, h0, Wx, Wh, b):
    states, caches = states_of(x, h0, Wx, Wh, b)
    h = torch.zeros(len(x), x.shape[1], h0.shape[1])
    for t, state in enumerate(states):
        h[:, t] = state
    return h, caches


@mistake(
    f"{LAYERS}rnn_forward",
    hint="A loop over x itself goes over the batch, its first axis: time is the second one.",
    raises=RuntimeError,
)
def sequence_over_the_batch(x, h0, Wx, Wh, b):
    h, states, caches = h0, [], []
    for step in x:
        h, cache = layers.rnn_step_forward(step, h, Wx, Wh, b)
        states.append(h)
        caches.append(cache)
    return torch.stack(states, 1), caches


@mistake(f"{LAYERS}rnn_forward", hint="`RNN` is the loop itself: write it with `rnn_step_forward`.")
def sequence_by_library(x, h0, Wx, Wh, b):
    weights = Wx.T.contiguous(), Wh.T.contiguous(), b, torch.zeros_like(b)
    h, _ = torch.rnn_tanh(x, h0[None], weights, True, 1, 0.0, False, False, True)
    return h, []


def unrolled(dh, cache, *, read=True, carried=True, gather=torch.add):
    """The way back, with one part of it left out or done otherwise."""
    dx, later, weights = [], torch.zeros_like(dh[:, 0]), [dh.new_zeros(())] * 3
    for t in reversed(range(dh.shape[1])):
        upstream = dh[:, t] if read or t == dh.shape[1] - 1 else 0
        dx_t, later, *new = layers.rnn_step_backward(upstream + (later if carried else 0), cache[t])
        dx.append(dx_t)
        weights = [gather(total, each) for total, each in zip(weights, new, strict=True)]
    return torch.stack(dx[::-1], 1), later, *weights


@mistake(
    f"{LAYERS}rnn_backward",
    hint="Each step hears of its own dh alone: add what comes back from the step that follows.",
)
def through_time_without_later(dh, cache):
    return unrolled(dh, cache, carried=False)


@mistake(
    f"{LAYERS}rnn_backward",
    hint="Only the dh of the last step is used: every state may be read outside, so add dh[:, t] at each.",
)
def through_time_last_alone(dh, cache):
    return unrolled(dh, cache, read=False)


@mistake(
    f"{LAYERS}rnn_backward",
    hint="The weights' gradients are overwritten at every step: all steps share them, so add up.",
)
def through_time_overwritten(dh, cache):
    return unrolled(dh, cache, gather=lambda total, new: new)


@mistake(
    f"{LAYERS}rnn_backward",
    hint="The weights' gradients are divided by T: gradients of shared weights add up, nothing is averaged.",
)
def through_time_mean(dh, cache):
    dx, dh0, *weights = unrolled(dh, cache)
    return dx, dh0, *(each / dh.shape[1] for each in weights)


@mistake(
    f"{LAYERS}rnn_backward",
    hint="dx is in the order in which it was made, the last step first: turn it round.",
)
def through_time_reversed(dh, cache):
    dx, *others = unrolled(dh, cache)
    return dx.flip(1), *others


@mistake(
    f"{LAYERS}rnn_backward",
    hint="dh0 is dh of the first step: it is what that step hands back to the state before it.",
)
def through_time_first_dh(dh, cache):
    dx, _, *weights = unrolled(dh, cache)
    return dx, dh[:, 0].clone(), *weights


@mistake(
    f"{LAYERS}rnn_backward", hint="The steps go from first to last: a gradient can only come from later ones."
)
def through_time_forwards(dh, cache):
    dx, later, weights = [], torch.zeros_like(dh[:, 0]), [dh.new_zeros(())] * 3
    for t in range(dh.shape[1]):
        dx_t, later, *new = layers.rnn_step_backward(dh[:, t] + later, cache[t])
        dx.append(dx_t)
        weights = [total + each for total, each in zip(weights, new, strict=True)]
    return torch.stack(dx, 1), later, *weights


@mistake(
    f"{LAYERS}rnn_backward",
    hint="What comes back piles up from step to step: the step before has handed on all that came before.",
)
def through_time_piled_up(dh, cache):
    dx, later, weights = [], torch.zeros_like(dh[:, 0]), [dh.new_zeros(())] * 3
    for t in reversed(range(dh.shape[1])):
        dx_t, new_later, *new = layers.rnn_step_backward(dh[:, t] + later, cache[t])
        dx.append(dx_t)
        later = later + new_later
        weights = [total + each for total, each in zip(weights, new, strict=True)]
    return torch.stack(dx[::-1], 1), later, *weights


@mistake(
    f"{LAYERS}rnn_backward",
    hint="`+=` on a slice of dh changes what the caller has given: add into a new tensor.",
)
def through_time_changes_dh(dh, cache):
    dx, weights = [], [dh.new_zeros(())] * 3
    for t in reversed(range(dh.shape[1])):
        dx_t, later, *new = layers.rnn_step_backward(dh[:, t], cache[t])
        dx.append(dx_t)
        weights = [total + each for total, each in zip(weights, new, strict=True)]
        if t:
            dh[:, t - 1] += later
    return torch.stack(dx[::-1], 1), later, *weights


# Words
@mistake(
    f"{LAYERS}word_embedding_forward", hint="A product with one-hot vectors is ruled out: indexing is enough."
)
def words_one_hot(x, W):
    return functional.one_hot(x, len(W)).to(W.dtype) @ W, (x, W.shape)


@mistake(
    f"{LAYERS}word_embedding_forward", hint="`embedding` is the function itself: index the rows of W with x."
)
def words_by_library(x, W):
    return functional.embedding(x, W), (x, W.shape)


@mistake(f"{LAYERS}word_embedding_forward", hint="Words are counted from 0: word k has row k of W.")
def words_from_one(x, W):
    return W[x - 1], (x, W.shape)


@mistake(f"{LAYERS}word_embedding_forward", hint="The vectors are in one long list: keep both axes of x.")
def words_flat(x, W):
    return W[x.flatten()], (x, W.shape)


@mistake(f"{LAYERS}word_embedding_forward", hint="Time comes first in out: it has the axes of x, then D.")
def words_time_first(x, W):
    return W[x.T], (x, W.shape)


@mistake(
    f"{LAYERS}word_embedding_forward",
    hint="This takes columns of W: a word has a row.",
    raises=IndexError,
)
def words_columns(x, W):
    return W[:, x].permute(1, 2, 0), (x, W.shape)


@mistake(
    f"{LAYERS}word_embedding_backward",
    hint="`dW[x] += dout` keeps one place of a repeated word: use an addition that counts all of them.",
)
def words_repeats_lost(dout, cache):
    x, shape = cache
    dW = dout.new_zeros(shape)
    dW[x] += dout
    return dW


@mistake(
    f"{LAYERS}word_embedding_backward",
    hint="A repeated word gets the mean of its gradients: it is used at all its places, so they add up.",
)
def words_mean(dout, cache):
    x, shape = cache
    dW = dout.new_zeros(shape).index_add(0, x.flatten(), dout.flatten(0, 1))
    return dW / x.flatten().bincount(minlength=shape[0]).clamp(min=1).unsqueeze(1)


@mistake(
    f"{LAYERS}word_embedding_backward",
    hint="dW ends with the largest word of this batch: it has all V rows of W.",
)
def words_seen_alone(dout, cache):
    x, _ = cache
    dW = dout.new_zeros(int(x.max()) + 1, dout.shape[2])
    return dW.index_add(0, x.flatten(), dout.flatten(0, 1))


@mistake(
    f"{LAYERS}word_embedding_backward",
    hint="Word 0 gets no gradient: it is a word like any other here, and masks belong to the loss.",
)
def words_null_left_out(dout, cache):
    x, shape = cache
    dW = dout.new_zeros(shape).index_add(0, x.flatten(), dout.flatten(0, 1))
    dW[0] = 0
    return dW


@mistake(
    f"{LAYERS}word_embedding_backward",
    hint="Words and gradients are flattened in different orders: take both sequence by sequence.",
)
def words_mixed_up(dout, cache):
    x, shape = cache
    return dout.new_zeros(shape).index_add(0, x.T.flatten(), dout.flatten(0, 1))


@mistake(
    f"{LAYERS}word_embedding_backward",
    hint="The gradient is float32 whatever comes in: use `dout.new_zeros`.",
)
def words_always_float32(dout, cache):
    x, shape = cache
    return torch.zeros(shape).index_add(0, x.flatten(), dout.flatten(0, 1).float())


@mistake(
    f"{LAYERS}word_embedding_backward",
    hint="Autograd does the work here: add each gradient to its word's row.",
)
def words_by_autograd(dout, cache):
    x, shape = cache
    W = dout.new_zeros(shape).requires_grad_()
    return torch.autograd.grad(W[x], W, dout)[0]


# A step of the LSTM
def gates_of(x, prev_h, Wx, Wh, b):
    a_i, a_f, a_o, a_g = (x @ Wx + prev_h @ Wh + b).chunk(4, dim=1)
    return a_i.sigmoid(), a_f.sigmoid(), a_o.sigmoid(), a_g.tanh()


def lstm_outputs(x, prev_h, prev_c, Wx, Wh, b, gates, next_c=None, next_h=None):
    i, f, o, g = gates
    next_c = f * prev_c + i * g if next_c is None else next_c
    tanh_c = next_c.tanh()
    next_h = o * tanh_c if next_h is None else next_h
    return next_h, next_c, (x, prev_h, prev_c, Wx, Wh, i, f, o, g, tanh_c)


@mistake(
    f"{LAYERS}lstm_step_forward", hint="The blocks are read as i, f, g, o, as torch has them: here g is last."
)
def lstm_torch_order(x, prev_h, prev_c, Wx, Wh, b):
    a_i, a_f, a_g, a_o = (x @ Wx + prev_h @ Wh + b).chunk(4, dim=1)
    gates = a_i.sigmoid(), a_f.sigmoid(), a_o.sigmoid(), a_g.tanh()
    return lstm_outputs(x, prev_h, prev_c, Wx, Wh, b, gates)


@mistake(
    f"{LAYERS}lstm_step_forward",
    hint="The blocks are read as f, i, g, o: the input gate is the first one, and g the last.",
)
def lstm_forget_gate_first(x, prev_h, prev_c, Wx, Wh, b):
    a_f, a_i, a_g, a_o = (x @ Wx + prev_h @ Wh + b).chunk(4, dim=1)
    gates = a_i.sigmoid(), a_f.sigmoid(), a_o.sigmoid(), a_g.tanh()
    return lstm_outputs(x, prev_h, prev_c, Wx, Wh, b, gates)


@mistake(
    f"{LAYERS}lstm_step_forward",
    hint="o and g change roles: the third block lets the cell out, the fourth one goes into it.",
)
def lstm_roles_of_o_and_g(x, prev_h, prev_c, Wx, Wh, b):
    i, f, o, g = gates_of(x, prev_h, Wx, Wh, b)
    return lstm_outputs(x, prev_h, prev_c, Wx, Wh, b, (i, f, g, o))


@mistake(
    f"{LAYERS}lstm_step_forward",
    hint="Input and forget gate are swapped: i goes with the new g, f with the old cell state.",
)
def lstm_swapped_gates(x, prev_h, prev_c, Wx, Wh, b):
    i, f, o, g = gates_of(x, prev_h, Wx, Wh, b)
    return lstm_outputs(x, prev_h, prev_c, Wx, Wh, b, (f, i, o, g))


@mistake(
    f"{LAYERS}lstm_step_forward",
    hint="The gates are interleaved here: each is a block of H neighbouring columns.",
)
def lstm_interleaved(x, prev_h, prev_c, Wx, Wh, b):
    a = (x @ Wx + prev_h @ Wh + b).unflatten(1, (-1, 4))
    gates = *a[..., :3].sigmoid().unbind(2), a[..., 3].tanh()
    return lstm_outputs(x, prev_h, prev_c, Wx, Wh, b, gates)


@mistake(f"{LAYERS}lstm_step_forward", hint="The output gate is a tanh here: all three gates are sigmoids.")
def lstm_tanh_on_o(x, prev_h, prev_c, Wx, Wh, b):
    a_i, a_f, a_o, a_g = (x @ Wx + prev_h @ Wh + b).chunk(4, dim=1)
    gates = a_i.sigmoid(), a_f.sigmoid(), a_o.tanh(), a_g.tanh()
    return lstm_outputs(x, prev_h, prev_c, Wx, Wh, b, gates)


@mistake(f"{LAYERS}lstm_step_forward", hint="g is a sigmoid here: what is written into the cell is a tanh.")
def lstm_sigmoid_on_g(x, prev_h, prev_c, Wx, Wh, b):
    gates = (x @ Wx + prev_h @ Wh + b).sigmoid().chunk(4, dim=1)
    return lstm_outputs(x, prev_h, prev_c, Wx, Wh, b, gates)


@mistake(
    f"{LAYERS}lstm_step_forward",
    hint="1 - i stands for the forget gate, as in a GRU: f has a block of its own.",
)
def lstm_coupled_gates(x, prev_h, prev_c, Wx, Wh, b):
    i, _, o, g = gates_of(x, prev_h, Wx, Wh, b)
    return lstm_outputs(x, prev_h, prev_c, Wx, Wh, b, (i, 1 - i, o, g))


@mistake(
    f"{LAYERS}lstm_step_forward",
    hint="next_h is o times the bare cell state: the cell goes through tanh first.",
)
def lstm_bare_cell(x, prev_h, prev_c, Wx, Wh, b):
    i, f, o, g = gates = gates_of(x, prev_h, Wx, Wh, b)
    next_h = o * (f * prev_c + i * g)
    return lstm_outputs(x, prev_h, prev_c, Wx, Wh, b, gates, next_h=next_h)


@mistake(
    f"{LAYERS}lstm_step_forward",
    hint="next_h is made of the old cell state: bring the cell up to date first.",
)
def lstm_old_cell(x, prev_h, prev_c, Wx, Wh, b):
    gates = gates_of(x, prev_h, Wx, Wh, b)
    return lstm_outputs(x, prev_h, prev_c, Wx, Wh, b, gates, next_h=gates[2] * prev_c.tanh())


@mistake(f"{LAYERS}lstm_step_forward", hint="Nothing of the old cell state is kept: f * prev_c is missing.")
def lstm_without_old_cell(x, prev_h, prev_c, Wx, Wh, b):
    i, _, _, g = gates = gates_of(x, prev_h, Wx, Wh, b)
    return lstm_outputs(x, prev_h, prev_c, Wx, Wh, b, gates, next_c=i * g)


@mistake(f"{LAYERS}lstm_step_forward", hint="The biases are missing: every gate of every unit has one.")
def lstm_without_bias(x, prev_h, prev_c, Wx, Wh, b):
    return lstm_outputs(x, prev_h, prev_c, Wx, Wh, b, gates_of(x, prev_h, Wx, Wh, 0))


@mistake(f"{LAYERS}lstm_step_forward", hint="The states come back in the order next_h, next_c.")
def lstm_states_swapped(x, prev_h, prev_c, Wx, Wh, b):
    h, c, cache = lstm_outputs(x, prev_h, prev_c, Wx, Wh, b, gates_of(x, prev_h, Wx, Wh, b))
    return c, h, cache


@mistake(
    f"{LAYERS}lstm_step_forward", hint="`LSTMCell` is the step itself: write its gates and its two states."
)
def lstm_step_by_library(x, prev_h, prev_c, Wx, Wh, b):
    Wx, Wh, b = (torch.cat([w[..., :0], *_torch_blocks(w)], dim=-1) for w in (Wx, Wh, b))
    return *torch.lstm_cell(x, (prev_h, prev_c), Wx.T, Wh.T, b, torch.zeros_like(b)), None


def _torch_blocks(weights):
    i, f, o, g = weights.chunk(4, dim=-1)
    return i, f, g, o


def lstm_gradients(da, dprev_c, cache):
    x, prev_h, _, Wx, Wh, *_ = cache
    return da @ Wx.T, da @ Wh.T, dprev_c, x.T @ da, prev_h.T @ da, da.sum(0)


def lstm_way_back(dnext_h, dnext_c, cache, *, dc=None, **changed):
    """Right, but for the gradients of gates that are handed in."""
    _, _, prev_c, _, _, i, f, o, g, tanh_c = cache
    dc = dnext_c + dnext_h * o * (1 - tanh_c**2) if dc is None else dc
    da = {
        "i": dc * g * i * (1 - i),
        "f": dc * prev_c * f * (1 - f),
        "o": dnext_h * tanh_c * o * (1 - o),
        "g": dc * i * (1 - g**2),
    } | changed
    return lstm_gradients(torch.cat([da[gate] for gate in "ifog"], 1), dc * f, cache)


@mistake(
    f"{LAYERS}lstm_step_backward",
    hint="dnext_c is not used: the next step reads the cell state too, and its gradient adds up.",
)
def lstm_back_without_dc(dnext_h, dnext_c, cache):
    dc = dnext_h * cache[7] * (1 - cache[9] ** 2)
    return lstm_way_back(dnext_h, dnext_c, cache, dc=dc)


@mistake(
    f"{LAYERS}lstm_step_backward",
    hint="The cell state hears of dnext_c alone: it is read by the hidden state as well.",
)
def lstm_back_dc_alone(dnext_h, dnext_c, cache):
    return lstm_way_back(dnext_h, dnext_c, cache, dc=dnext_c)


@mistake(
    f"{LAYERS}lstm_step_backward",
    hint="On its way from next_h to the cell, the gradient misses the slope of tanh.",
)
def lstm_back_without_tanh(dnext_h, dnext_c, cache):
    return lstm_way_back(dnext_h, dnext_c, cache, dc=dnext_c + dnext_h * cache[7])


@mistake(
    f"{LAYERS}lstm_step_backward", hint="On its way from next_h to the cell, the gradient misses the gate o."
)
def lstm_back_without_o(dnext_h, dnext_c, cache):
    return lstm_way_back(dnext_h, dnext_c, cache, dc=dnext_c + dnext_h * (1 - cache[9] ** 2))


@mistake(
    f"{LAYERS}lstm_step_backward",
    hint="These are the gradients of the gates: multiply by the slopes of sigmoid and tanh on the way to da.",
)
def lstm_back_without_slopes(dnext_h, dnext_c, cache):
    _, _, prev_c, _, _, i, _, o, g, tanh_c = cache
    dc = dnext_c + dnext_h * o * (1 - tanh_c**2)
    return lstm_way_back(dnext_h, dnext_c, cache, i=dc * g, f=dc * prev_c, o=dnext_h * tanh_c, g=dc * i)


@mistake(
    f"{LAYERS}lstm_step_backward",
    hint="g has the slope of a sigmoid here, g (1 - g): it is a tanh.",
)
def lstm_back_sigmoid_of_g(dnext_h, dnext_c, cache):
    i, _, o, g, tanh_c = cache[5:]
    dc = dnext_c + dnext_h * o * (1 - tanh_c**2)
    return lstm_way_back(dnext_h, dnext_c, cache, g=dc * i * g * (1 - g))


@mistake(
    f"{LAYERS}lstm_step_backward",
    hint="The output gate has the slope of a tanh here, 1 - o^2: it is a sigmoid.",
)
def lstm_back_tanh_of_o(dnext_h, dnext_c, cache):
    o, _, tanh_c = cache[7:]
    return lstm_way_back(dnext_h, dnext_c, cache, o=dnext_h * tanh_c * (1 - o**2))


@mistake(
    f"{LAYERS}lstm_step_backward",
    hint="The forget gate's gradient is made of the new cell state: f was multiplied by the old one.",
)
def lstm_back_new_cell(dnext_h, dnext_c, cache):
    _, _, prev_c, _, _, i, f, o, g, tanh_c = cache
    dc = dnext_c + dnext_h * o * (1 - tanh_c**2)
    return lstm_way_back(dnext_h, dnext_c, cache, f=dc * (f * prev_c + i * g) * f * (1 - f))


@mistake(
    f"{LAYERS}lstm_step_backward", hint="dprev_c misses the forget gate: the old cell was multiplied by f."
)
def lstm_back_without_f(dnext_h, dnext_c, cache):
    dx, dprev_h, _, *weights = lstm_way_back(dnext_h, dnext_c, cache)
    return dx, dprev_h, dnext_c + dnext_h * cache[7] * (1 - cache[9] ** 2), *weights


@mistake(
    f"{LAYERS}lstm_step_backward",
    hint="dprev_c hears of dnext_c alone: next_h reads the cell state too.",
)
def lstm_back_dprev_c_of_dc_alone(dnext_h, dnext_c, cache):
    dx, dprev_h, _, *weights = lstm_way_back(dnext_h, dnext_c, cache)
    return dx, dprev_h, dnext_c * cache[6], *weights


@mistake(
    f"{LAYERS}lstm_step_backward",
    hint="The output gate hears of the cell's gradient: o is multiplied into next_h, so of dnext_h.",
)
def lstm_back_cell_to_o(dnext_h, dnext_c, cache):
    o, _, tanh_c = cache[7:]
    dc = dnext_c + dnext_h * o * (1 - tanh_c**2)
    return lstm_way_back(dnext_h, dnext_c, cache, o=dc * tanh_c * o * (1 - o))


@mistake(
    f"{LAYERS}lstm_step_backward",
    hint="The gates' gradients are joined in another order than the blocks of the weights: i, f, o, g.",
)
def lstm_back_torch_order(dnext_h, dnext_c, cache):
    i, _, o, g, tanh_c = cache[5:]
    dc = dnext_c + dnext_h * o * (1 - tanh_c**2)
    swapped = {"o": dc * i * (1 - g**2), "g": dnext_h * tanh_c * o * (1 - o)}
    return lstm_way_back(dnext_h, dnext_c, cache, **swapped)


@mistake(
    f"{LAYERS}lstm_step_backward",
    hint="db has a row for each of the N inputs: the biases are shared, so sum over the batch.",
)
def lstm_back_db_not_summed(dnext_h, dnext_c, cache):
    _, _, prev_c, _, _, i, f, o, g, tanh_c = cache
    dc = dnext_c + dnext_h * o * (1 - tanh_c**2)
    da_i, da_f = dc * g * i * (1 - i), dc * prev_c * f * (1 - f)
    da_o, da_g = dnext_h * tanh_c * o * (1 - o), dc * i * (1 - g**2)
    da = torch.cat([da_i, da_f, da_o, da_g], 1)
    return *lstm_gradients(da, dc * f, cache)[:5], da


@mistake(
    f"{LAYERS}lstm_step_backward",
    hint="`+=` writes into dnext_c, which the caller may still need: add into a new tensor.",
)
def lstm_back_changes_dc(dnext_h, dnext_c, cache):
    dnext_c += dnext_h * cache[7] * (1 - cache[9] ** 2)
    return lstm_way_back(dnext_h, dnext_c, cache, dc=dnext_c)


# A sequence of the LSTM
def cells_of(x, h, c, Wx, Wh, b, *, kept=True):
    states, cells, caches, start = [], [], [], c
    for step in x.unbind(1):
        h, c, cache = layers.lstm_step_forward(step, h, c if kept else start, Wx, Wh, b)
        states.append(h)
        cells.append(c)
        caches.append(cache)
    return states, cells, caches


@mistake(
    f"{LAYERS}lstm_forward", hint="The cell starts from h0: only the hidden state does, the cell from zeros."
)
def lstm_cell_from_h0(x, h0, Wx, Wh, b):
    states, _, caches = cells_of(x, h0, h0, Wx, Wh, b)
    return torch.stack(states, 1), caches


@mistake(
    f"{LAYERS}lstm_forward",
    hint="Every step starts from an empty cell: hand the cell state on, as the hidden state.",
)
def lstm_cell_not_carried(x, h0, Wx, Wh, b):
    states, _, caches = cells_of(x, h0, torch.zeros_like(h0), Wx, Wh, b, kept=False)
    return torch.stack(states, 1), caches


@mistake(f"{LAYERS}lstm_forward", hint="These are the cell states: what is read outside are the hidden ones.")
def lstm_returns_cells(x, h0, Wx, Wh, b):
    _, cells, caches = cells_of(x, h0, torch.zeros_like(h0), Wx, Wh, b)
    return torch.stack(cells, 1), caches


@mistake(f"{LAYERS}lstm_forward", hint="The hidden state starts from zeros: h0 is given, and need not be 0.")
def lstm_from_zeros(x, h0, Wx, Wh, b):
    states, _, caches = cells_of(x, torch.zeros_like(h0), torch.zeros_like(h0), Wx, Wh, b)
    return torch.stack(states, 1), caches


@mistake(
    f"{LAYERS}lstm_forward", hint="Time comes first in h here: stack the states along axis 1, (N, T, H)."
)
def lstm_time_first(x, h0, Wx, Wh, b):
    states, _, caches = cells_of(x, h0, torch.zeros_like(h0), Wx, Wh, b)
    return torch.stack(states), caches


@mistake(f"{LAYERS}lstm_forward", hint="`LSTM` is the loop itself: write it with `lstm_step_forward`.")
def lstm_by_library(x, h0, Wx, Wh, b):
    Wx, Wh, b = (torch.cat(_torch_blocks(w), dim=-1) for w in (Wx, Wh, b))
    weights = Wx.T.contiguous(), Wh.T.contiguous(), b, torch.zeros_like(b)
    start = h0[None], torch.zeros_like(h0)[None]
    return torch.lstm(x, start, weights, True, 1, 0.0, False, False, True)[0], []


def lstm_unrolled(dh, cache, *, h=True, c=True, gather=torch.add):
    """The way back, with one part of it left out or done otherwise."""
    dx, later, dc, weights = (
        [],
        torch.zeros_like(dh[:, 0]),
        torch.zeros_like(dh[:, 0]),
        [dh.new_zeros(())] * 3,
    )
    for t in reversed(range(dh.shape[1])):
        upstream = dh[:, t] + later if h else dh[:, t]
        dx_t, later, dc_new, *new = layers.lstm_step_backward(upstream, dc, cache[t])
        dc = dc_new if c else dc
        dx.append(dx_t)
        weights = [gather(total, each) for total, each in zip(weights, new, strict=True)]
    return torch.stack(dx[::-1], 1), later, *weights, dc_new


@mistake(
    f"{LAYERS}lstm_backward",
    hint="The cell's gradient starts from 0 at every step: hand it on to the step before.",
)
def lstm_through_time_dc_reset(dh, cache):
    return lstm_unrolled(dh, cache, c=False)[:5]


@mistake(
    f"{LAYERS}lstm_backward",
    hint="The hidden state's gradient of the step that follows is dropped: add it to dh[:, t].",
)
def lstm_through_time_dh_dropped(dh, cache):
    return lstm_unrolled(dh, cache, h=False)[:5]


@mistake(
    f"{LAYERS}lstm_backward",
    hint="The weights' gradients are overwritten at every step: all steps share them, so add up.",
)
def lstm_through_time_overwritten(dh, cache):
    return lstm_unrolled(dh, cache, gather=lambda total, new: new)[:5]


@mistake(
    f"{LAYERS}lstm_backward",
    hint="dx is in the order in which it was made, the last step first: turn it round.",
)
def lstm_through_time_reversed(dh, cache):
    dx, *others = lstm_unrolled(dh, cache)[:5]
    return dx.flip(1), *others


@mistake(
    f"{LAYERS}lstm_backward",
    hint="The steps go from first to last: gradients come from the later ones.",
)
def lstm_through_time_forwards(dh, cache):
    dx, later, dc, weights = [], torch.zeros_like(dh[:, 0]), torch.zeros_like(dh[:, 0]), [0, 0, 0]
    for t in range(dh.shape[1]):
        dx_t, later, dc, *new = layers.lstm_step_backward(dh[:, t] + later, dc, cache[t])
        dx.append(dx_t)
        weights = [total + each for total, each in zip(weights, new, strict=True)]
    return torch.stack(dx, 1), later, *weights


@mistake(
    f"{LAYERS}lstm_backward",
    hint="dh goes to the cell state as well: what is read outside are hidden states.",
)
def lstm_through_time_dh_to_the_cell(dh, cache):
    dx, later, dc, weights = [], torch.zeros_like(dh[:, 0]), torch.zeros_like(dh[:, 0]), [0, 0, 0]
    for t in reversed(range(dh.shape[1])):
        dx_t, later, dc, *new = layers.lstm_step_backward(dh[:, t] + later, dh[:, t] + dc, cache[t])
        dx.append(dx_t)
        weights = [total + each for total, each in zip(weights, new, strict=True)]
    return torch.stack(dx[::-1], 1), later, *weights


@mistake(
    f"{LAYERS}lstm_backward",
    hint="What is handed back for h0 is the gradient of the cell: dh0 is that of the hidden state.",
)
def lstm_through_time_dc0(dh, cache):
    dx, _, *weights, dc0 = lstm_unrolled(dh, cache)
    return dx, dc0, *weights


@mistake(
    f"{LAYERS}lstm_backward",
    hint="`+=` on a slice of dh changes what the caller has given: add into a new tensor.",
)
def lstm_through_time_changes_dh(dh, cache):
    gradients = lstm_unrolled(dh, cache)[:5]
    later, dc = torch.zeros_like(dh[:, 0]), torch.zeros_like(dh[:, 0])
    for t in reversed(range(dh.shape[1])):
        dh[:, t] += later
        _, later, dc, *_ = layers.lstm_step_backward(dh[:, t], dc, cache[t])
    return gradients
