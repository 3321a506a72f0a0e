"""What is asked of `rnn.bidirectional`."""

from exercise_code.support.checking.declare import check

from .cells import GRU_CELL, RNN_CELL
from .common import filled


@check(
    "rnn.bidirectional.BiRNN.forward",
    points=3,
    uses=["rnn.cells.RNNCell.forward", "rnn.cells.GRUCell.forward"],
    forbids=[*GRU_CELL, *RNN_CELL, "torch.rnn_tanh"],
)
def both_directions(code, case):
    """States of both cells at each place and at their ends, with a first state and without, of both kinds."""
    cells, outputs = code.rnn.cells, {}
    for kind, N, T, D, H in (("GRUCell", 2, 4, 3, 5), ("RNNCell", 3, 1, 4, 2)):
        pair = [filled(getattr(cells, kind)(D, H), case.numbers(300)) for _ in range(2)]
        net = code.rnn.bidirectional.BiRNN(*pair)
        x = case.numbers(N, T, D)
        for start, given in (("from h0", [case.numbers(2, N, H)]), ("from 0", [])):
            out, hn = net(x, *given)
            outputs[f"{kind}, {T} steps {start}"] = {"out": out, "hn": hn}
    return outputs
