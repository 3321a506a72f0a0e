"""Right versions of `rnn.cells`, written otherwise."""

import torch
from torch.nn import functional

from exercise_code.support.checking.declare import variant

CELLS = "rnn.cells."


@variant(f"{CELLS}RNNCell.forward")
def rnn_by_linear(self, x, h):
    return (
        functional.linear(x, self.weight_ih, self.bias_ih)
        .add(functional.linear(h, self.weight_hh, self.bias_hh))
        .tanh()
    )


@variant(f"{CELLS}RNNCell.forward")
def rnn_side_by_side(self, x, h):
    both, weights = torch.cat([x, h], dim=1), torch.cat([self.weight_ih, self.weight_hh], dim=1)
    return torch.tanh(both @ weights.mT + (self.bias_ih + self.bias_hh))


@variant(f"{CELLS}GRUCell.forward")
def gru_by_lerp(self, x, h):
    i_gates, i_n = functional.linear(x, self.weight_ih, self.bias_ih).tensor_split([2 * self.hidden_size], 1)
    s_gates, s_n = functional.linear(h, self.weight_hh, self.bias_hh).tensor_split([2 * self.hidden_size], 1)
    r, z = (i_gates + s_gates).sigmoid().chunk(2, 1)
    return torch.lerp((i_n + r * s_n).tanh(), h, z)


@variant(f"{CELLS}GRUCell.forward")
def gru_sliced(self, x, h):
    H = h.shape[1]
    Wi, Wh, bi, bh = self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh
    r = 1 / (1 + torch.exp(-(x @ Wi[:H].T + bi[:H] + h @ Wh[:H].T + bh[:H])))
    z = torch.sigmoid(x @ Wi[H : 2 * H].T + bi[H : 2 * H] + h @ Wh[H : 2 * H].T + bh[H : 2 * H])
    n = torch.tanh(x @ Wi[2 * H :].T + bi[2 * H :] + r * (h @ Wh[2 * H :].T + bh[2 * H :]))
    return n + z * (h - n)


@variant(f"{CELLS}LSTMCell.forward")
def lstm_by_unflatten(self, x, state):
    sums = functional.linear(x, self.weight_ih, self.bias_ih)
    sums = sums + functional.linear(state[0], self.weight_hh, self.bias_hh)
    a_i, a_f, a_g, a_o = sums.unflatten(1, (4, -1)).unbind(1)
    next_c = torch.sigmoid(a_f) * state[1] + torch.sigmoid(a_i) * torch.tanh(a_g)
    return torch.sigmoid(a_o) * torch.tanh(next_c), next_c


@variant(f"{CELLS}LSTMCell.forward")
def lstm_by_its_layers(self, x, state):
    from exercise_code.rnn.layers import lstm_step_forward

    def reordered(values):
        i, f, g, o = values.chunk(4)
        return torch.cat([i, f, o, g])

    bias = reordered(self.bias_ih + self.bias_hh)
    weights = reordered(self.weight_ih).T, reordered(self.weight_hh).T
    return lstm_step_forward(x, *state, *weights, bias)[:2]
