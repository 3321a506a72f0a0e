"""Recurrent networks as modules, and an LSTM that looks at the picture again before every word."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from exercise_code.rnn.layers import (
    lstm_forward,
    lstm_step_forward,
    rnn_forward,
    rnn_step_forward,
    word_embedding_forward,
)


def _weights(rows: int, columns: int, fan_in: int) -> nn.Parameter:
    """Normal weights that keep the size of a sum over `fan_in` numbers."""
    return nn.Parameter(torch.randn(rows, columns) / fan_in**0.5)


class WordEmbedding(nn.Module):
    """`word_embedding_forward` with its table."""

    def __init__(self, vocab_size: int, embed_size: int):
        """Random vectors with entries of standard deviation 1 / sqrt(embed_size)."""
        super().__init__()
        self.W_embed = _weights(vocab_size, embed_size, embed_size)

    def forward(self, x: Int[Tensor, "N T"]) -> Float[Tensor, "N T D"]:
        """The vectors of words."""
        return word_embedding_forward(x, self.W_embed)[0]


class RNN(nn.Module):
    """The recurrent network of `rnn_forward` with its weights."""

    def __init__(self, input_dim: int, hidden_dim: int):
        """Random weights, and a bias of 0."""
        super().__init__()
        self.Wx = _weights(input_dim, hidden_dim, input_dim)
        self.Wh = _weights(hidden_dim, hidden_dim, hidden_dim)
        self.b = nn.Parameter(torch.zeros(hidden_dim))

    def step_forward(self, x: Float[Tensor, "N D"], prev_h: Float[Tensor, "N H"]) -> Float[Tensor, "N H"]:
        """The hidden state after one step."""
        return rnn_step_forward(x, prev_h, self.Wx, self.Wh, self.b)[0]

    def forward(self, x: Float[Tensor, "N T D"], h0: Float[Tensor, "N H"]) -> Float[Tensor, "N T H"]:
        """The hidden states after each of T steps."""
        return rnn_forward(x, h0, self.Wx, self.Wh, self.b)[0]


class LSTM(nn.Module):
    """The LSTM of `lstm_forward` with its weights."""

    def __init__(self, input_dim: int, hidden_dim: int):
        """Random weights; the bias is 1 for the forget gates, which start open, and 0 for the others."""
        super().__init__()
        self.Wx = _weights(input_dim, 4 * hidden_dim, input_dim)
        self.Wh = _weights(hidden_dim, 4 * hidden_dim, hidden_dim)
        self.b = nn.Parameter(torch.tensor([0.0, 1.0, 0.0, 0.0]).repeat_interleave(hidden_dim))

    def step_forward(
        self, x: Float[Tensor, "N D"], prev_h: Float[Tensor, "N H"], prev_c: Float[Tensor, "N H"]
    ) -> tuple[Float[Tensor, "N H"], Float[Tensor, "N H"]]:
        """One step, by `lstm_step_forward` and this module's Wx, Wh and b.

        Not allowed here: torch.nn.LSTMCell.

        Args:
            x: the inputs of this step.
            prev_h: the hidden state of the step before.
            prev_c: the cell state of the step before.

        Returns:
            The new hidden state and the new cell state; autograd needs no cache.
        """
        ### BEGIN SOLUTION
        next_h, next_c, _ = lstm_step_forward(x, prev_h, prev_c, self.Wx, self.Wh, self.b)
        return next_h, next_c
        ### END SOLUTION

    def forward(self, x: Float[Tensor, "N T D"], h0: Float[Tensor, "N H"]) -> Float[Tensor, "N T H"]:
        """A whole sequence, by `lstm_forward` and this module's Wx, Wh and b.

        Not allowed here: torch.nn.LSTM.

        Args:
            x: sequences of T inputs each.
            h0: the hidden state before the first step; the cell state there is 0.

        Returns:
            The hidden states after each of the T steps, as a tensor.
        """
        ### BEGIN SOLUTION
        return lstm_forward(x, h0, self.Wx, self.Wh, self.b)[0]
        ### END SOLUTION


def dot_product_attention(
    prev_h: Float[Tensor, "N H"], A: Float[Tensor, "N H height width"]
) -> tuple[Float[Tensor, "N H"], Float[Tensor, "N height width"]]:
    """A weighted mean of the places of a picture; the weights say how well each fits the hidden state.

    The score of a place is the dot product of its vector with prev_h, divided by sqrt(H); a softmax over all
    places of the picture turns scores into weights (Vaswani et al., 2017, eq. 1).
    Not allowed here: functional.scaled_dot_product_attention, and loops.

    Args:
        prev_h: the hidden state of the step before.
        A: a vector of H numbers for each place of the picture, which need not be square.

    Returns:
        The weighted mean of each picture's vectors, and the weights, which sum to 1 over its places.
    """
    ### BEGIN SOLUTION
    places = A.flatten(2)
    scores = (prev_h.unsqueeze(1) @ places) / A.shape[1] ** 0.5
    weights = scores.softmax(dim=2)
    attn = (places @ weights.transpose(1, 2)).squeeze(2)
    return attn, weights.view(len(A), *A.shape[2:])
    ### END SOLUTION


class AttentionLSTM(nn.Module):
    """An LSTM that gets, beside each word, what the picture shows where it attends (Xu et al., 2015)."""

    def __init__(self, input_dim: int, hidden_dim: int):
        """Weights as those of `LSTM`, and Wattn (hidden_dim, 4 * hidden_dim) for what is attended to."""
        super().__init__()
        self.Wx = _weights(input_dim, 4 * hidden_dim, input_dim)
        self.Wh = _weights(hidden_dim, 4 * hidden_dim, hidden_dim)
        self.Wattn = _weights(hidden_dim, 4 * hidden_dim, hidden_dim)
        self.b = nn.Parameter(torch.tensor([0.0, 1.0, 0.0, 0.0]).repeat_interleave(hidden_dim))

    def step_forward(
        self,
        x: Float[Tensor, "N D"],
        prev_h: Float[Tensor, "N H"],
        prev_c: Float[Tensor, "N H"],
        attn: Float[Tensor, "N H"],
    ) -> tuple[Float[Tensor, "N H"], Float[Tensor, "N H"]]:
        """One step of an LSTM, with  attn Wattn  added to the sum inside the gates.

        Not allowed here: torch.nn.LSTMCell.

        Args:
            x: the inputs of this step.
            prev_h: the hidden state of the step before.
            prev_c: the cell state of the step before.
            attn: what is attended to, from `dot_product_attention`.

        Returns:
            The new hidden state and the new cell state.
        """
        ### BEGIN SOLUTION
        inputs, weights = torch.cat([x, attn], dim=1), torch.cat([self.Wx, self.Wattn])
        next_h, next_c, _ = lstm_step_forward(inputs, prev_h, prev_c, weights, self.Wh, self.b)
        return next_h, next_c
        ### END SOLUTION

    def forward(
        self, x: Float[Tensor, "N T D"], A: Float[Tensor, "N H height width"]
    ) -> Float[Tensor, "N T H"]:
        """A whole sequence; before each step, attend to A with the hidden state of the step before.

        Hidden and cell state both start as the mean of A over its places.
        Not allowed here: torch.nn.LSTM, functional.scaled_dot_product_attention.

        Args:
            x: sequences of T inputs each.
            A: a vector for each place of the picture.

        Returns:
            The hidden states after each of the T steps.
        """
        ### BEGIN SOLUTION
        h = c = A.mean(dim=(2, 3))
        states = []
        for step in x.unbind(dim=1):
            attn, _ = dot_product_attention(h, A)
            h, c = self.step_forward(step, h, c, attn)
            states.append(h)
        return torch.stack(states, dim=1)
        ### END SOLUTION
