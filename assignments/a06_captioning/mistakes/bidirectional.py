"""How people get `rnn.bidirectional` wrong, and the hint each mistake deserves."""

import torch

from exercise_code.rnn.cells import unroll
from exercise_code.support.checking.declare import mistake

FORWARD = "rnn.bidirectional.BiRNN.forward"


def _read(self, x, h0, *, flip_in=True, flip_out=True, start=(0, 1), cells=None):
    if h0 is None:
        h0 = x.new_zeros(2, len(x), self.cell_fwd.hidden_size)
    forward_cell, backward_cell = cells or (self.cell_fwd, self.cell_bwd)
    forwards = unroll(forward_cell, x, h0[start[0]])
    backwards = unroll(backward_cell, x.flip(1) if flip_in else x, h0[start[1]])
    return forwards, backwards.flip(1) if flip_out else backwards


def _joined(forwards, backwards, last=0):
    return torch.cat([forwards, backwards], dim=2), torch.stack([forwards[:, -1], backwards[:, last]])


@mistake(
    FORWARD,
    hint="The second cell's states are still in its own order: turn them round before they are joined.",
)
def not_turned_back(self, x, h0=None):
    return _joined(*_read(self, x, h0, flip_out=False), last=-1)


@mistake(FORWARD, hint="The second cell reads forwards as well: turn its sequence round.")
def both_forwards(self, x, h0=None):
    return _joined(*_read(self, x, h0, flip_in=False, flip_out=False), last=-1)


@mistake(
    FORWARD, hint="The states are turned round, the sequence was not: the second cell starts at the end."
)
def turned_only_afterwards(self, x, h0=None):
    return _joined(*_read(self, x, h0, flip_in=False))


@mistake(
    FORWARD, hint="The last state of the second cell is the one at place 0: at the end it has read one step."
)
def last_state_at_the_end(self, x, h0=None):
    return _joined(*_read(self, x, h0), last=-1)


@mistake(FORWARD, hint="h0 is not used: each cell starts with its own part of it.")
def start_ignored(self, x, h0=None):
    return _joined(*_read(self, x, None))


@mistake(FORWARD, hint="h0 is left out, and no last states come back: both cells have one of each.")
def outputs_alone(self, x, h0=None):
    return _joined(*_read(self, x, None))[0], None


@mistake(
    FORWARD,
    hint="A tensor of several numbers is neither true nor false: ask `h0 is None`.",
    raises=RuntimeError,
)
def start_taken_for_a_truth(self, x, h0=None):
    return _joined(*_read(self, x, h0 if h0 else None))


@mistake(FORWARD, hint="Both cells start with h0[0]: the second part belongs to the second cell.")
def one_start_for_both(self, x, h0=None):
    return _joined(*_read(self, x, h0, start=(0, 0)))


@mistake(FORWARD, hint="The parts of h0 change places: the first belongs to the cell that reads forwards.")
def starts_swapped(self, x, h0=None):
    return _joined(*_read(self, x, h0, start=(1, 0)))


@mistake(FORWARD, hint="One cell reads in both directions: there are two, with weights of their own.")
def one_cell_for_both(self, x, h0=None):
    return _joined(*_read(self, x, h0, cells=(self.cell_fwd, self.cell_fwd)))


@mistake(FORWARD, hint="The two cells change places: `cell_fwd` reads forwards.")
def cells_swapped(self, x, h0=None):
    return _joined(*_read(self, x, h0, cells=(self.cell_bwd, self.cell_fwd)))


@mistake(FORWARD, hint="The states of both cells are added: they stand side by side, 2 H numbers.")
def added(self, x, h0=None):
    forwards, backwards = _read(self, x, h0)
    return forwards + backwards, torch.stack([forwards[:, -1], backwards[:, 0]])


@mistake(FORWARD, hint="The halves change places: states of the first cell come first.")
def halves_swapped(self, x, h0=None):
    forwards, backwards = _read(self, x, h0)
    return torch.cat([backwards, forwards], dim=2), torch.stack([forwards[:, -1], backwards[:, 0]])


@mistake(FORWARD, hint="The last states are side by side, (N, 2 H): they are stacked, (2, N, H), as h0 is.")
def last_states_side_by_side(self, x, h0=None):
    forwards, backwards = _read(self, x, h0)
    return torch.cat([forwards, backwards], 2), torch.cat([forwards[:, -1], backwards[:, 0]], 1)


@mistake(FORWARD, hint="The last states come with the batch first: stack the two cells along axis 0.")
def last_states_batch_first(self, x, h0=None):
    forwards, backwards = _read(self, x, h0)
    return torch.cat([forwards, backwards], 2), torch.stack([forwards[:, -1], backwards[:, 0]], 1)


@mistake(FORWARD, hint="The batch is turned round, not the steps: those lie along axis 1.")
def batch_turned(self, x, h0=None):
    return _joined(*(each.flip(0) for each in _read(self, x, h0)))


@mistake(FORWARD, hint="The numbers of each step are turned round, not the steps.")
def numbers_turned(self, x, h0=None):
    if h0 is None:
        h0 = x.new_zeros(2, len(x), self.cell_fwd.hidden_size)
    forwards = unroll(self.cell_fwd, x, h0[0])
    return _joined(forwards, unroll(self.cell_bwd, x.flip(2), h0[1]))
