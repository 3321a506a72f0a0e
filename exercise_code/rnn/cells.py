"""The cells of torch by hand: one step of an RNN, a GRU or an LSTM, from torch's own parameters."""

import torch
from jaxtyping import Float
from torch import Tensor, nn


class _Cell(nn.Module):
    """Parameters of a cell, under torch's names and in its layout, so that a state dict fits both.

    weight_ih (parts * H, in) and bias_ih belong to the input, weight_hh (parts * H, H) and bias_hh to the
    hidden state; each part has H rows.
    """

    parts: int

    def __init__(self, input_size: int, hidden_size: int):
        """Weights and biases between -1 / sqrt(hidden_size) and 1 / sqrt(hidden_size), evenly."""
        super().__init__()
        self.hidden_size, rows = hidden_size, self.parts * hidden_size
        self.weight_ih = nn.Parameter(torch.empty(rows, input_size))
        self.weight_hh = nn.Parameter(torch.empty(rows, hidden_size))
        self.bias_ih = nn.Parameter(torch.empty(rows))
        self.bias_hh = nn.Parameter(torch.empty(rows))
        for param in self.parameters():
            nn.init.uniform_(param, -(hidden_size**-0.5), hidden_size**-0.5)


class RNNCell(_Cell):
    """`torch.nn.RNNCell` with tanh."""

    parts = 1

    def forward(self, x: Float[Tensor, "N D"], h: Float[Tensor, "N H"]) -> Float[Tensor, "N H"]:
        """One step:  tanh(x weight_ih^T + bias_ih + h weight_hh^T + bias_hh) .

        Not allowed here: torch.nn.RNNCell.

        Args:
            x: the inputs of this step.
            h: the hidden state of the step before.

        Returns:
            The new hidden state.
        """
        ### BEGIN SOLUTION
        return torch.tanh(x @ self.weight_ih.T + self.bias_ih + h @ self.weight_hh.T + self.bias_hh)
        ### END SOLUTION


class GRUCell(_Cell):
    """`torch.nn.GRUCell`: gates without a cell state (Cho et al., 2014)."""

    parts = 3

    def forward(self, x: Float[Tensor, "N D"], h: Float[Tensor, "N H"]) -> Float[Tensor, "N H"]:
        """One step of a gated recurrent unit, as torch defines it.

        The three blocks of H rows belong to r, z and n, in this order. With i the input's part of a sum,
        x weight_ih^T + bias_ih, and s the state's part, h weight_hh^T + bias_hh:
        r = sigmoid(i_r + s_r),  z = sigmoid(i_z + s_z),  n = tanh(i_n + r * s_n);
        the new state is  (1 - z) * n + z * h . Not allowed here: torch.nn.GRUCell, torch.nn.GRU.

        Args:
            x: the inputs of this step.
            h: the hidden state of the step before.

        Returns:
            The new hidden state.
        """
        ### BEGIN SOLUTION
        i_r, i_z, i_n = (x @ self.weight_ih.T + self.bias_ih).chunk(3, dim=1)
        s_r, s_z, s_n = (h @ self.weight_hh.T + self.bias_hh).chunk(3, dim=1)
        r, z = torch.sigmoid(i_r + s_r), torch.sigmoid(i_z + s_z)
        n = torch.tanh(i_n + r * s_n)
        return (1 - z) * n + z * h
        ### END SOLUTION


class LSTMCell(_Cell):
    """`torch.nn.LSTMCell`: the LSTM of `rnn.layers` with the gates in torch's order."""

    parts = 4

    def forward(
        self, x: Float[Tensor, "N D"], state: tuple[Float[Tensor, "N H"], Float[Tensor, "N H"]]
    ) -> tuple[Float[Tensor, "N H"], Float[Tensor, "N H"]]:
        """One step of an LSTM; the four blocks of H rows belong to i, f, g and o, in this order.

        `rnn.layers.lstm_step_forward` has them as i, f, o, g, and one bias in place of two.
        Not allowed here: torch.nn.LSTMCell.

        Args:
            x: the inputs of this step.
            state: the hidden state and the cell state of the step before.

        Returns:
            The new hidden state and the new cell state.
        """
        ### BEGIN SOLUTION
        h, c = state
        sums = x @ self.weight_ih.T + self.bias_ih + h @ self.weight_hh.T + self.bias_hh
        a_i, a_f, a_g, a_o = sums.chunk(4, dim=1)
        c = a_f.sigmoid() * c + a_i.sigmoid() * a_g.tanh()
        return a_o.sigmoid() * c.tanh(), c
        ### END SOLUTION


def unroll(cell: nn.Module, x: Float[Tensor, "N T D"], h: Float[Tensor, "N H"]) -> Float[Tensor, "N T H"]:
    """The hidden states of an `RNNCell` or a `GRUCell` after each of T steps, from a first one h."""
    states = [h]
    for t in range(x.shape[1]):
        states.append(cell(x[:, t], states[-1]))
    return torch.stack(states[1:], dim=1)
