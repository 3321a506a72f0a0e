"""From one head to many: each head is a whole attention with projections of its own."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from exercise_code.attention.scaled_dot import scaled_dot_product_no_loop_batch


class SelfAttention(nn.Module):
    """Attention between learned projections; `weights_softmax` keeps the weights of the last call."""

    def __init__(self, dim_in: int, dim_q: int, dim_v: int):
        """Make the three projections `q`, `k` and `v`, with biases.

        Weights are even between -c and c, with c = sqrt(6 / (inputs + outputs)) of each projection (Glorot
        and Bengio, 2010, eq. 16). Biases are as `nn.Linear` makes them. `weights_softmax` is None.

        Args:
            dim_in: numbers in each vector that comes in.
            dim_q: numbers in a query and in a key.
            dim_v: numbers in a value.
        """
        super().__init__()
        ### BEGIN SOLUTION
        self.q = nn.Linear(dim_in, dim_q)
        self.k = nn.Linear(dim_in, dim_q)
        self.v = nn.Linear(dim_in, dim_v)
        for layer in (self.q, self.k, self.v):
            nn.init.xavier_uniform_(layer.weight)
        self.weights_softmax = None
        ### END SOLUTION

    def forward(
        self,
        query: Float[Tensor, "N K M"],
        key: Float[Tensor, "N S M"],
        value: Float[Tensor, "N S M"],
        mask: Bool[Tensor, "N K S"] | None = None,
    ) -> Float[Tensor, "N K dim_v"]:
        """Project all three, attend by `scaled_dot_product_no_loop_batch`, and keep the weights.

        Not allowed here: nn.MultiheadAttention, functional.scaled_dot_product_attention.

        Args:
            query: K vectors of each sequence.
            key: S vectors of each sequence.
            value: S vectors of each sequence; in self-attention all three are the same.
            mask: True where a query must not see a key.

        Returns:
            A weighted mean of projected values for each query.
        """
        ### BEGIN SOLUTION
        y, self.weights_softmax = scaled_dot_product_no_loop_batch(
            self.q(query), self.k(key), self.v(value), mask
        )
        return y
        ### END SOLUTION


class MultiHeadAttention(nn.Module):
    """Several heads side by side, and one linear layer that mixes what they found."""

    def __init__(self, num_heads: int, dim_in: int, dim_out: int):
        """Make `heads`, which torch must know as modules, and the layer `proj`, with a bias.

        Args:
            num_heads: how many `SelfAttention`; queries, keys and values of each have dim_out numbers.
            dim_in: numbers in each vector that comes in, and that goes out of `proj`.
            dim_out: numbers that each head hands to `proj`.
        """
        super().__init__()
        ### BEGIN SOLUTION
        self.heads = nn.ModuleList(SelfAttention(dim_in, dim_out, dim_out) for _ in range(num_heads))
        self.proj = nn.Linear(num_heads * dim_out, dim_in)
        ### END SOLUTION

    def forward(
        self,
        query: Float[Tensor, "N K M"],
        key: Float[Tensor, "N S M"],
        value: Float[Tensor, "N S M"],
        mask: Bool[Tensor, "N K S"] | None = None,
    ) -> Float[Tensor, "N K M"]:
        """Ask every head, put their answers side by side in the heads' order, and mix them by `proj`.

        Args:
            query: K vectors of each sequence.
            key: S vectors of each sequence.
            value: S vectors of each sequence.
            mask: True where a query must not see a key; all heads get it.

        Returns:
            A vector for each query, as long as what came in.
        """
        ### BEGIN SOLUTION
        answers = [head(query, key, value, mask) for head in self.heads]
        return self.proj(torch.cat(answers, dim=2))
        ### END SOLUTION
