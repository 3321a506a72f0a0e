"""Right versions of `rnn.layers`, written otherwise."""

import torch
from torch.nn import functional

from exercise_code.rnn import layers
from exercise_code.support.checking.declare import variant

LAYERS = "rnn.layers."


@variant(f"{LAYERS}rnn_step_forward")
def step_joined(x, prev_h, Wx, Wh, b):
    next_h = (torch.cat([x, prev_h], 1) @ torch.cat([Wx, Wh])).add(b).tanh()
    return next_h, (x, prev_h, Wx, Wh, next_h)


@variant(f"{LAYERS}rnn_step_forward")
def step_einsum(x, prev_h, Wx, Wh, b):
    a = torch.einsum("nd,dh->nh", x, Wx) + torch.einsum("nh,hk->nk", prev_h, Wh) + b[None]
    next_h = 2 * torch.sigmoid(2 * a) - 1
    return next_h, (x, prev_h, Wx, Wh, next_h)


@variant(f"{LAYERS}rnn_step_forward")
def step_linear(x, prev_h, Wx, Wh, b):
    next_h = torch.tanh(functional.linear(x, Wx.T, b) + functional.linear(prev_h, Wh.T))
    return next_h, (x, prev_h, Wx, Wh, next_h)


@variant(f"{LAYERS}rnn_step_backward")
def step_backward_einsum(dnext_h, cache):
    x, prev_h, Wx, Wh, next_h = cache
    da = dnext_h - dnext_h * next_h * next_h
    dx, dprev_h = torch.einsum("nh,dh->nd", da, Wx), torch.einsum("nh,kh->nk", da, Wh)
    return dx, dprev_h, torch.einsum("nd,nh->dh", x, da), torch.einsum("nk,nh->kh", prev_h, da), da.sum(0)


@variant(f"{LAYERS}rnn_step_backward")
def step_backward_joined(dnext_h, cache):
    x, prev_h, Wx, Wh, next_h = cache
    da = (1 + next_h) * (1 - next_h) * dnext_h
    dx, dprev_h = (da @ torch.cat([Wx, Wh]).T).split([len(Wx), len(Wh)], dim=1)
    dWx, dWh = (torch.cat([x, prev_h], 1).T @ da).split([len(Wx), len(Wh)])
    return dx, dprev_h, dWx, dWh, torch.einsum("nh->h", da)


@variant(f"{LAYERS}rnn_step_backward")
def step_backward_by_sums(dnext_h, cache):
    x, prev_h, Wx, Wh, next_h = cache
    da = dnext_h.clone().mul_(1 - next_h.square())
    dWx = (x[:, :, None] * da[:, None]).sum(0)
    dWh = (prev_h[:, :, None] * da[:, None]).sum(0)
    return (da[:, None] * Wx).sum(2), (da[:, None] * Wh).sum(2), dWx, dWh, da.T.sum(1)


@variant(f"{LAYERS}rnn_forward")
def sequence_in_a_buffer(x, h0, Wx, Wh, b):
    h, caches, state = h0.new_zeros(len(x), x.shape[1], h0.shape[1]), [], h0
    for t in range(x.shape[1]):
        state, cache = layers.rnn_step_forward(x[:, t], state, Wx, Wh, b)
        h[:, t] = state
        caches.append(cache)
    return h, caches


@variant(f"{LAYERS}rnn_forward")
def sequence_inputs_first(x, h0, Wx, Wh, b):
    """All products with the inputs at once; the steps are written out."""
    inputs, states = x @ Wx + b, [h0]
    for a in inputs.transpose(0, 1):
        states.append(torch.tanh(a + states[-1] @ Wh))
    caches = [(x[:, t], states[t], Wx, Wh, states[t + 1]) for t in range(x.shape[1])]
    return torch.stack(states[1:], 1), caches


@variant(f"{LAYERS}rnn_forward")
def sequence_by_concatenation(x, h0, Wx, Wh, b):
    states, caches = h0[:, None], []
    for t in range(x.shape[1]):
        state, cache = layers.rnn_step_forward(x[:, t, :], states[:, -1], Wx, Wh, b)
        states = torch.cat([states, state[:, None]], 1)
        caches.append(cache)
    return states[:, 1:], caches


@variant(f"{LAYERS}rnn_backward")
def through_time_in_buffers(dh, cache):
    x, _, Wx, Wh, _ = cache[0]
    dx, carried = dh.new_zeros(len(dh), dh.shape[1], x.shape[1]), torch.zeros_like(dh[:, 0])
    dWx, dWh, db = torch.zeros_like(Wx), torch.zeros_like(Wh), torch.zeros_like(Wh[0])
    for t in reversed(range(dh.shape[1])):
        dx[:, t], carried, *slopes = layers.rnn_step_backward(dh[:, t] + carried, cache[t])
        for total, slope in zip((dWx, dWh, db), slopes, strict=True):
            total += slope
    return dx, carried, dWx, dWh, db


@variant(f"{LAYERS}rnn_backward")
def through_time_stacked(dh, cache):
    found, carried = [], 0
    for t in range(dh.shape[1] - 1, -1, -1):
        found.insert(0, layers.rnn_step_backward(dh[:, t] + carried, cache[t]))
        carried = found[0][1]
    dx, _, *weights = zip(*found, strict=True)
    return torch.stack(dx, 1), carried, *(torch.stack(each).sum(0) for each in weights)


@variant(f"{LAYERS}rnn_backward")
def through_time_products_at_the_end(dh, cache):
    """Only the gradient of the sums goes back step by step; all products with it come at the end."""
    x, before, (_, _, Wx, Wh, _) = [c[0] for c in cache], [c[1] for c in cache], cache[0]
    carried, das = torch.zeros_like(dh[:, 0]), []
    for t in reversed(range(dh.shape[1])):
        das.insert(0, (dh[:, t] + carried) * (1 - cache[t][4] ** 2))
        carried = das[0] @ Wh.T
    da, x, before = (torch.stack(each, 1) for each in (das, x, before))
    dWx, dWh = torch.einsum("ntd,nth->dh", x, da), torch.einsum("ntk,nth->kh", before, da)
    return da @ Wx.T, carried, dWx, dWh, da.sum((0, 1))


@variant(f"{LAYERS}word_embedding_forward")
def words_index_select(x, W):
    return W.index_select(0, x.reshape(-1)).reshape(*x.shape, -1), (x, W.shape)


@variant(f"{LAYERS}word_embedding_forward")
def words_gather(x, W):
    rows = x.reshape(-1, 1).expand(-1, W.shape[1])
    return W.gather(0, rows).unflatten(0, x.shape), (x, W.shape)


@variant(f"{LAYERS}word_embedding_forward")
def words_one_by_one(x, W):
    return torch.stack([torch.stack([W[word] for word in row]) for row in x]), (x, W.shape)


@variant(f"{LAYERS}word_embedding_backward")
def words_index_put(dout, cache):
    x, shape = cache
    return dout.new_zeros(shape).index_put_((x,), dout, accumulate=True)


@variant(f"{LAYERS}word_embedding_backward")
def words_scatter_add(dout, cache):
    x, shape = cache
    rows = x.unsqueeze(2).expand_as(dout).flatten(0, 1)
    return dout.new_zeros(shape).scatter_add_(0, rows, dout.flatten(0, 1))


@variant(f"{LAYERS}word_embedding_backward")
def words_one_hot_transposed(dout, cache):
    x, shape = cache
    return functional.one_hot(x.flatten(), shape[0]).to(dout.dtype).T @ dout.flatten(0, 1)


@variant(f"{LAYERS}word_embedding_backward")
def words_in_a_loop(dout, cache):
    x, shape = cache
    dW = dout.new_zeros(shape)
    for row, gradients in zip(x, dout, strict=True):
        for word, gradient in zip(row, gradients, strict=True):
            dW[word] += gradient
    return dW


@variant(f"{LAYERS}lstm_step_forward")
def lstm_step_sliced(x, prev_h, prev_c, Wx, Wh, b):
    H = prev_h.shape[1]
    a = x @ Wx + prev_h @ Wh + b
    i, f, o = (torch.sigmoid(a[:, gate * H : (gate + 1) * H]) for gate in range(3))
    g = torch.tanh(a[:, 3 * H :])
    next_c = torch.addcmul(f * prev_c, i, g)
    tanh_c = torch.tanh(next_c)
    return o * tanh_c, next_c, (x, prev_h, prev_c, Wx, Wh, i, f, o, g, tanh_c)


@variant(f"{LAYERS}lstm_step_forward")
def lstm_step_gate_by_gate(x, prev_h, prev_c, Wx, Wh, b):
    weights = zip(Wx.chunk(4, 1), Wh.chunk(4, 1), b.chunk(4), strict=True)
    a = [x @ of_x + prev_h @ of_h + bias for of_x, of_h, bias in weights]
    i, f, o = (1 / (1 + (-each).exp()) for each in a[:3])
    g = a[3].tanh()
    next_c = i * g + prev_c * f
    return next_c.tanh() * o, next_c, (x, prev_h, prev_c, Wx, Wh, i, f, o, g, next_c.tanh())


@variant(f"{LAYERS}lstm_step_forward")
def lstm_step_unflattened(x, prev_h, prev_c, Wx, Wh, b):
    a = (torch.cat([x, prev_h], 1) @ torch.cat([Wx, Wh]) + b).unflatten(1, (4, -1))
    i, f, o = a[:, :3].sigmoid().unbind(1)
    g = 2 * torch.sigmoid(2 * a[:, 3]) - 1
    next_c = f * prev_c + i * g
    return o * next_c.tanh(), next_c, (x, prev_h, prev_c, Wx, Wh, i, f, o, g, next_c.tanh())


@variant(f"{LAYERS}lstm_step_backward")
def lstm_back_in_a_buffer(dnext_h, dnext_c, cache):
    x, prev_h, prev_c, Wx, Wh, i, f, o, g, tanh_c = cache
    H, da = prev_h.shape[1], dnext_h.new_empty(len(x), Wx.shape[1])
    dc = dnext_c + dnext_h * o - dnext_h * o * tanh_c.square()
    da[:, :H] = dc * g * i * (1 - i)
    da[:, H : 2 * H] = dc * prev_c * f * (1 - f)
    da[:, 2 * H : 3 * H] = dnext_h * tanh_c * o * (1 - o)
    da[:, 3 * H :] = dc * i * (1 + g) * (1 - g)
    return da @ Wx.T, da @ Wh.T, f * dc, x.T @ da, prev_h.T @ da, da.sum(0)


@variant(f"{LAYERS}lstm_step_backward")
def lstm_back_einsum(dnext_h, dnext_c, cache):
    x, prev_h, prev_c, Wx, Wh, i, f, o, g, tanh_c = cache
    dc = torch.addcmul(dnext_c, dnext_h * o, 1 - tanh_c**2)
    into = torch.stack([dc * g, dc * prev_c, dnext_h * tanh_c, dc * i], 1)
    slopes = torch.stack([i - i**2, f - f**2, o - o**2, 1 - g**2], 1)
    da = (into * slopes).flatten(1)
    dWx, dWh = torch.einsum("nd,na->da", x, da), torch.einsum("nh,na->ha", prev_h, da)
    return da.mm(Wx.T), da.mm(Wh.T), dc * f, dWx, dWh, torch.einsum("na->a", da)


@variant(f"{LAYERS}lstm_step_backward")
def lstm_back_gate_by_gate(dnext_h, dnext_c, cache):
    x, prev_h, prev_c, Wx, Wh, i, f, o, g, tanh_c = cache
    dc = dnext_h * o * (1 - tanh_c * tanh_c) + dnext_c
    da = [
        dc * g * i * (1 - i),
        dc * prev_c * f * (1 - f),
        dnext_h * tanh_c * o * (1 - o),
        dc * i * (1 - g * g),
    ]
    dx = sum(each @ block.T for each, block in zip(da, Wx.chunk(4, 1), strict=True))
    dprev_h = sum(each @ block.T for each, block in zip(da, Wh.chunk(4, 1), strict=True))
    dWx, dWh = (torch.cat([of.T @ each for each in da], 1) for of in (x, prev_h))
    return dx, dprev_h, dc * f, dWx, dWh, torch.cat([each.sum(0) for each in da])


@variant(f"{LAYERS}lstm_forward")
def lstm_in_a_buffer(x, h0, Wx, Wh, b):
    h, caches, state, c = h0.new_zeros(*x.shape[:2], h0.shape[1]), [], h0, h0.new_zeros(h0.shape)
    for t in range(x.shape[1]):
        state, c, cache = layers.lstm_step_forward(x[:, t], state, c, Wx, Wh, b)
        h[:, t] = state
        caches.append(cache)
    return h, caches


@variant(f"{LAYERS}lstm_forward")
def lstm_by_concatenation(x, h0, Wx, Wh, b):
    states, c, caches = h0[:, None], 0 * h0, []
    for step in x.transpose(0, 1):
        h, c, cache = layers.lstm_step_forward(step, states[:, -1], c, Wx, Wh, b)
        states = torch.cat([states, h.unsqueeze(1)], 1)
        caches.append(cache)
    return states[:, 1:], caches


@variant(f"{LAYERS}lstm_forward")
def lstm_from_triples(x, h0, Wx, Wh, b):
    steps = [(h0, torch.zeros_like(h0), None)]
    for t in range(x.shape[1]):
        steps.append(layers.lstm_step_forward(x[:, t], *steps[-1][:2], Wx, Wh, b))
    states, _, caches = zip(*steps[1:], strict=True)
    return torch.stack(states).transpose(0, 1), [*caches]


@variant(f"{LAYERS}lstm_backward")
def lstm_through_time_in_buffers(dh, cache):
    x, _, _, Wx, Wh, *_ = cache[0]
    dx = dh.new_zeros(*dh.shape[:2], x.shape[1])
    dprev_h, dprev_c = torch.zeros_like(dh[:, 0]), torch.zeros_like(dh[:, 0])
    dWx, dWh, db = torch.zeros_like(Wx), torch.zeros_like(Wh), torch.zeros_like(Wh[0])
    for t in reversed(range(dh.shape[1])):
        gradients = layers.lstm_step_backward(dh[:, t] + dprev_h, dprev_c, cache[t])
        dx[:, t], dprev_h, dprev_c = gradients[:3]
        for total, slope in zip((dWx, dWh, db), gradients[3:], strict=True):
            total += slope
    return dx, dprev_h, dWx, dWh, db


@variant(f"{LAYERS}lstm_backward")
def lstm_through_time_stacked(dh, cache):
    found, carried, dc = [], 0, torch.zeros_like(dh[:, 0])
    for t in range(dh.shape[1] - 1, -1, -1):
        found.insert(0, layers.lstm_step_backward(dh[:, t] + carried, dc, cache[t]))
        _, carried, dc, *_ = found[0]
    dx, dh0, _, *weights = zip(*found, strict=True)
    return torch.stack(dx, 1), dh0[0], *(torch.stack(each).sum(0) for each in weights)


@variant(f"{LAYERS}lstm_backward")
def lstm_through_time_by_recursion(dh, cache):
    """From the end: what the rest of the sequence gives, then this step."""

    def back(t):
        if t == dh.shape[1]:
            return [], torch.zeros_like(dh[:, 0]), torch.zeros_like(dh[:, 0]), [0, 0, 0]
        dx, dprev_h, dprev_c, sums = back(t + 1)
        dx_t, dprev_h, dprev_c, *new = layers.lstm_step_backward(dh[:, t] + dprev_h, dprev_c, cache[t])
        return [dx_t, *dx], dprev_h, dprev_c, [total + each for total, each in zip(sums, new, strict=True)]

    dx, dh0, _, weights = back(0)
    return torch.stack(dx, 1), dh0, *weights
