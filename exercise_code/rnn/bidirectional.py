"""A sequence read from both ends."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from exercise_code.rnn.cells import unroll


class BiRNN(nn.Module):
    """Two cells: one reads the sequence forwards, the other backwards (Schuster and Paliwal, 1997)."""

    def __init__(self, cell_fwd: nn.Module, cell_bwd: nn.Module):
        """Put two cells together.

        Args:
            cell_fwd: an `RNNCell` or a `GRUCell`.
            cell_bwd: another one of the same sizes.
        """
        super().__init__()
        self.cell_fwd, self.cell_bwd = cell_fwd, cell_bwd

    def forward(
        self, x: Float[Tensor, "N T D"], h0: Float[Tensor, "2 N H"] | None = None
    ) -> tuple[Float[Tensor, "N T both"], Float[Tensor, "2 N H"]]:
        """Run both cells by `rnn.cells.unroll`, and put their states side by side.

        At place t stands what the first cell knows after x[:, 0] to x[:, t], then what the second one knows
        after x[:, T - 1] down to x[:, t]. H is `self.cell_fwd.hidden_size`. Not allowed here: torch.nn.GRU,
        torch.nn.RNN.

        Args:
            x: sequences.
            h0: the states before the first step of the first and of the second cell; 0 if left out.

        Returns:
            The states of both cells at each place, and the last state of each: that of the first cell after
            x[:, T - 1], that of the second one after x[:, 0].
        """
        ### BEGIN SOLUTION
        if h0 is None:
            h0 = x.new_zeros(2, len(x), self.cell_fwd.hidden_size)
        forwards = unroll(self.cell_fwd, x, h0[0])
        backwards = unroll(self.cell_bwd, x.flip(1), h0[1]).flip(1)
        return torch.cat([forwards, backwards], dim=2), torch.stack([forwards[:, -1], backwards[:, 0]])
        ### END SOLUTION
