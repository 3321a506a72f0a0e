"""How people get `rnn.cells` wrong, and the hint each mistake deserves."""

import torch

from exercise_code.support.checking.declare import mistake

CELLS = "rnn.cells."
RNN, GRU, LSTM = f"{CELLS}RNNCell.forward", f"{CELLS}GRUCell.forward", f"{CELLS}LSTMCell.forward"


def _sums(self, x, h, bias_ih=1.0, bias_hh=1.0):
    """The two parts of the sum."""
    i = x @ self.weight_ih.T + bias_ih * self.bias_ih
    return i, h @ self.weight_hh.T + bias_hh * self.bias_hh


# The RNN
@mistake(RNN, hint="The state's bias is missing: torch has one bias for the input and one for the state.")
def rnn_without_bias_hh(self, x, h):
    i, s = _sums(self, x, h, bias_hh=0)
    return torch.tanh(i + s)


@mistake(RNN, hint="The input's bias is missing: `bias_ih` is added to x weight_ih^T.")
def rnn_without_bias_ih(self, x, h):
    i, s = _sums(self, x, h, bias_ih=0)
    return torch.tanh(i + s)


@mistake(RNN, hint="This is the sum inside: tanh of it is the new state.")
def rnn_without_tanh(self, x, h):
    return sum(_sums(self, x, h))


@mistake(RNN, hint="A sigmoid stands where tanh is due: states may be negative.")
def rnn_with_sigmoid(self, x, h):
    return sum(_sums(self, x, h)).sigmoid()


@mistake(RNN, hint="ReLU stands where tanh is due: without a bound a state can grow at every step.")
def rnn_with_relu(self, x, h):
    return sum(_sums(self, x, h)).relu()


@mistake(RNN, hint="The square matrix weight_hh is not transposed: torch keeps it as (to, from).")
def rnn_state_not_transposed(self, x, h):
    return torch.tanh(x @ self.weight_ih.T + self.bias_ih + h @ self.weight_hh + self.bias_hh)


@mistake(RNN, hint="weight_ih is (H, in): it has to be transposed behind x.", raises=RuntimeError)
def rnn_input_not_transposed(self, x, h):
    return torch.tanh(x @ self.weight_ih + self.bias_ih + h @ self.weight_hh.T + self.bias_hh)


@mistake(RNN, hint="tanh is taken of each part by itself: it belongs around the whole sum.")
def rnn_two_tanhs(self, x, h):
    i, s = _sums(self, x, h)
    return i.tanh() + s.tanh()


@mistake(RNN, hint="This calls torch's own cell: write its formula with the four parameters.")
def rnn_by_library(self, x, h):
    return torch.rnn_tanh_cell(x, h, self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)


# The GRU
def _gru(self, x, h, *, order=(0, 1, 2), swap=False, reset="after", n_of=torch.tanh, bias_hh=1.0):
    i, s = (each.chunk(3, dim=1) for each in _sums(self, x, h, bias_hh=bias_hh))
    r_place, z_place, n_place = order
    r, z = (i[r_place] + s[r_place]).sigmoid(), (i[z_place] + s[z_place]).sigmoid()
    if reset == "before":
        weight, bias = self.weight_hh.chunk(3)[n_place], self.bias_hh.chunk(3)[n_place]
        inside = i[n_place] + (r * h) @ weight.T + bias
    elif reset == "product":
        bias = self.bias_hh.chunk(3)[n_place]
        inside = i[n_place] + r * (s[n_place] - bias) + bias
    elif reset == "all":
        inside = r * (i[n_place] + s[n_place])
    elif reset == "input":
        inside = r * i[n_place] + s[n_place]
    else:
        inside = i[n_place] + (r * s[n_place] if reset == "after" else s[n_place])
    n = n_of(inside)
    return z * n + (1 - z) * h if swap else (1 - z) * n + z * h


@mistake(GRU, hint="z and 1 - z change places: z says how much of the old state is kept.")
def gru_swaps_z(self, x, h):
    return _gru(self, x, h, swap=True)


@mistake(GRU, hint="r multiplies h before the product: torch multiplies what comes out of it, bias included.")
def gru_resets_before(self, x, h):
    return _gru(self, x, h, reset="before")


@mistake(GRU, hint="r leaves the state's bias out: it multiplies h weight_hh^T + bias_hh as a whole.")
def gru_resets_without_bias(self, x, h):
    return _gru(self, x, h, reset="product")


@mistake(GRU, hint="r multiplies the input's part as well: it resets what comes from the state alone.")
def gru_resets_all(self, x, h):
    return _gru(self, x, h, reset="all")


@mistake(GRU, hint="r multiplies the input's part in place of the state's.")
def gru_resets_the_input(self, x, h):
    return _gru(self, x, h, reset="input")


@mistake(GRU, hint="The reset gate is not used: the state's part of n is multiplied by r.")
def gru_without_reset(self, x, h):
    return _gru(self, x, h, reset="never")


@mistake(GRU, hint="The first two blocks change places: they belong to r, then to z.")
def gru_order_z_r_n(self, x, h):
    return _gru(self, x, h, order=(1, 0, 2))


@mistake(
    GRU,
    hint="`squeeze()` drops the axis of a batch of one: the sums have no axis too many.",
    raises=IndexError,
)
def gru_squeezed(self, x, h):
    (i_r, i_z, i_n), (s_r, s_z, s_n) = (each.squeeze().chunk(3, 1) for each in _sums(self, x, h))
    z = (i_z + s_z).sigmoid()
    return (1 - z) * torch.tanh(i_n + (i_r + s_r).sigmoid() * s_n) + z * h


@mistake(
    GRU,
    hint="Two things are not torch's: its blocks are r, z, n, and r multiplies what the product gives.",
)
def gru_as_first_published(self, x, h):
    return _gru(self, x, h, order=(1, 0, 2), reset="before")


@mistake(
    GRU,
    hint="Both differ from torch's: z is how much of h stays, and r comes behind the product.",
)
def gru_z_for_the_new(self, x, h):
    return _gru(self, x, h, swap=True, reset="before")


@mistake(GRU, hint="n takes the first block: the blocks are those of r, z and n.")
def gru_order_n_last(self, x, h):
    return _gru(self, x, h, order=(1, 2, 0))


@mistake(GRU, hint="n goes through a sigmoid: a candidate for the state goes through tanh.")
def gru_n_by_sigmoid(self, x, h):
    return _gru(self, x, h, n_of=torch.sigmoid)


@mistake(GRU, hint="bias_hh is missing in the gates and in n: the cell has two biases.")
def gru_single_bias(self, x, h):
    return _gru(self, x, h, bias_hh=0)


@mistake(GRU, hint="The old state is added whole: what is kept of it is z * h.")
def gru_keeps_all(self, x, h):
    i, s = (each.chunk(3, dim=1) for each in _sums(self, x, h))
    r, z = (i[0] + s[0]).sigmoid(), (i[1] + s[1]).sigmoid()
    return (1 - z) * (i[2] + r * s[2]).tanh() + h


@mistake(GRU, hint="Rows are taken in turns: the first H rows belong to r, the next H to z.")
def gru_interleaved(self, x, h):
    i, s = (each.unflatten(1, (-1, 3)).unbind(2) for each in _sums(self, x, h))
    r, z = (i[0] + s[0]).sigmoid(), (i[1] + s[1]).sigmoid()
    return (1 - z) * (i[2] + r * s[2]).tanh() + z * h


@mistake(GRU, hint="This is torch's GRU cell itself: write its four lines.")
def gru_by_library(self, x, h):
    return torch.gru_cell(x, h, self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)


# The LSTM
def _lstm(self, x, state, *, order=(0, 1, 2, 3), bias_hh=1.0, read=None, shown=torch.tanh):
    h, c = state
    sums = sum(_sums(self, x, h, bias_hh=bias_hh)).chunk(4, dim=1)
    a_i, a_f, a_g, a_o = (sums[place] for place in order)
    next_c = a_f.sigmoid() * c + a_i.sigmoid() * a_g.tanh()
    return a_o.sigmoid() * shown(next_c if read is None else c), next_c


@mistake(LSTM, hint="This is the order of `rnn.layers`, i, f, o, g: torch has g third and o last.")
def lstm_order_of_layers(self, x, state):
    return _lstm(self, x, state, order=(0, 1, 3, 2))


@mistake(LSTM, hint="The blocks of i and f change places: the input gate comes first.")
def lstm_order_f_i(self, x, state):
    return _lstm(self, x, state, order=(1, 0, 2, 3))


@mistake(LSTM, hint="One bias is missing: both `bias_ih` and `bias_hh` are added.")
def lstm_single_bias(self, x, state):
    return _lstm(self, x, state, bias_hh=0)


@mistake(LSTM, hint="The hidden state shows the old cell state: it reads the new one.")
def lstm_shows_the_old_cell(self, x, state):
    return _lstm(self, x, state, read="old")


@mistake(LSTM, hint="The cell state that came in is written into, as `*=` and `mul_` do: make a new tensor.")
def lstm_in_place(self, x, state):
    h, c = state
    i, s = _sums(self, x, h)
    a_i, a_f, a_g, a_o = (i + s).chunk(4, dim=1)
    c.mul_(a_f.sigmoid()).add_(a_i.sigmoid() * a_g.tanh())
    return a_o.sigmoid() * c.tanh(), c


@mistake(LSTM, hint="The cell state is shown without tanh: h = o * tanh(c).")
def lstm_shows_without_tanh(self, x, state):
    return _lstm(self, x, state, shown=lambda c: c)


@mistake(LSTM, hint="The new states come in the wrong order: hidden state first, cell state second.")
def lstm_swaps_what_comes_out(self, x, state):
    return _lstm(self, x, state)[::-1]


@mistake(LSTM, hint="The tuple that comes in is read in the wrong order: it is (h, c).")
def lstm_swaps_what_comes_in(self, x, state):
    return _lstm(self, x, state[::-1])


@mistake(LSTM, hint="g goes through a sigmoid: what is written into the cell may be negative.")
def lstm_g_by_sigmoid(self, x, state):
    h, c = state
    a_i, a_f, a_g, a_o = sum(_sums(self, x, h)).chunk(4, dim=1)
    next_c = a_f.sigmoid() * c + a_i.sigmoid() * a_g.sigmoid()
    return a_o.sigmoid() * next_c.tanh(), next_c


@mistake(LSTM, hint="The forget gate is 1 - i here: it has a block of its own.")
def lstm_coupled_gates(self, x, state):
    h, c = state
    a_i, _, a_g, a_o = sum(_sums(self, x, h)).chunk(4, dim=1)
    next_c = (1 - a_i.sigmoid()) * c + a_i.sigmoid() * a_g.tanh()
    return a_o.sigmoid() * next_c.tanh(), next_c


@mistake(
    LSTM, hint="Only the hidden state comes back: the next step needs the cell state too.", raises=ValueError
)
def lstm_hidden_alone(self, x, state):
    return _lstm(self, x, state)[0]


@mistake(LSTM, hint="torch's LSTM cell does it all here: write the gates yourself.")
def lstm_by_library(self, x, state):
    weights = self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh
    return torch.lstm_cell(x, state, *weights)
