"""What is asked of `rnn.cells`."""

from exercise_code.support.checking.declare import check

from .common import LSTM_CELL, filled

CELLS = "rnn.cells."
RNN_CELL = ["torch.rnn_tanh_cell"]
GRU_CELL = ["torch.gru", "torch.gru_cell"]
SIZES = {
    # N, D and H
    "a batch of 2": (2, 3, 5),
    "one sequence": (1, 4, 2),
}


def _stepped(cell_class, case, states=1):
    """A step of both sizes, and how it is named."""
    for name, (N, D, H) in SIZES.items():
        cell = filled(cell_class(D, H), case.numbers(300))
        yield name, cell, case.numbers(N, D), [case.numbers(N, H) for _ in range(states)]


@check(f"{CELLS}RNNCell.forward", points=1, forbids=RNN_CELL)
def rnn_cell(code, case):
    """The next hidden state, with both biases."""
    return {name: cell(x, h) for name, cell, x, (h,) in _stepped(code.rnn.cells.RNNCell, case)}


@check(f"{CELLS}GRUCell.forward", points=3, forbids=GRU_CELL)
def gru_cell(code, case):
    """The next hidden state."""
    return {name: cell(x, h) for name, cell, x, (h,) in _stepped(code.rnn.cells.GRUCell, case)}


@check(f"{CELLS}LSTMCell.forward", points=2, forbids=LSTM_CELL)
def lstm_cell(code, case):
    """The next hidden state and the next cell state."""
    outputs = {}
    for name, cell, x, (h, c) in _stepped(code.rnn.cells.LSTMCell, case, states=2):
        next_h, next_c = cell(x, (h, c))
        outputs[name] = {"next_h": next_h, "next_c": next_c}
    return outputs
