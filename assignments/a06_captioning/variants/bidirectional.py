"""Right versions of `rnn.bidirectional`, written otherwise."""

import torch

from exercise_code.rnn.cells import unroll
from exercise_code.support.checking.declare import variant

FORWARD = "rnn.bidirectional.BiRNN.forward"


@variant(FORWARD)
def by_steps(self, x, h0=None):
    N, T, _ = x.shape
    H = self.cell_fwd.hidden_size
    h, g = x.new_zeros(2, N, H) if h0 is None else h0
    out = x.new_zeros(N, T, 2 * H)
    for t in range(T):
        h = self.cell_fwd(x[:, t], h)
        g = self.cell_bwd(x[:, T - 1 - t], g)
        out[:, t, :H] = h
        out[:, T - 1 - t, H:] = g
    return out, torch.stack((h, g))


@variant(FORWARD)
def one_direction_at_a_time(self, x, h0=None):
    outs, ends = [], []
    for direction, cell in enumerate((self.cell_fwd, self.cell_bwd)):
        start = torch.zeros(len(x), cell.hidden_size).to(x) if h0 is None else h0[direction]
        states = unroll(cell, x.flip(dims=[1]) if direction else x, start)
        ends.append(states[:, -1])
        outs.append(states.flip(dims=[1]) if direction else states)
    return torch.cat(outs, dim=-1), torch.stack(ends)
