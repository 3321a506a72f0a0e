"""Scaled dot-product attention: with two loops, with none, and as a module."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn


def scaled_dot_product_two_loop_single(
    query: Float[Tensor, "K M"], key: Float[Tensor, "S M"], value: Float[Tensor, "S V"]
) -> Float[Tensor, "K V"]:
    """Attend for one sequence, with a loop over queries and one over keys.

    Row i of the result is  sum_j w_ij value_j, where the weights w_i are the softmax over j of
    query_i . key_j / sqrt(M)  (Vaswani et al., 2017, eq. 1).
    Not allowed here: functional.scaled_dot_product_attention.

    Args:
        query: K vectors that ask.
        key: S vectors that queries are compared with.
        value: S vectors that are averaged, one beside each key.

    Returns:
        A weighted mean of the values for each query.
    """
    ### BEGIN SOLUTION
    outputs = []
    for q in query:
        scores = torch.stack([q @ k for k in key]) / key.shape[1] ** 0.5
        outputs.append(scores.softmax(dim=0) @ value)
    return torch.stack(outputs)
    ### END SOLUTION


def scaled_dot_product_two_loop_batch(
    query: Float[Tensor, "N K M"], key: Float[Tensor, "N S M"], value: Float[Tensor, "N S V"]
) -> Float[Tensor, "N K V"]:
    """The same for N sequences at once: two loops, over queries and over keys, none over sequences.

    Sequences do not see each other.
    Not allowed here: functional.scaled_dot_product_attention, and a third loop.

    Args:
        query: K vectors of each sequence.
        key: S vectors of each sequence.
        value: S vectors of each sequence.

    Returns:
        A weighted mean of its sequence's values for each query.
    """
    ### BEGIN SOLUTION
    outputs = []
    for i in range(query.shape[1]):
        dots = [(query[:, i] * key[:, j]).sum(dim=1) for j in range(key.shape[1])]
        scores = torch.stack(dots, dim=1) / key.shape[2] ** 0.5
        weights = scores.softmax(dim=1)
        outputs.append((weights.unsqueeze(2) * value).sum(dim=1))
    return torch.stack(outputs, dim=1)
    ### END SOLUTION


def scaled_dot_product_no_loop_batch(
    query: Float[Tensor, "N K M"],
    key: Float[Tensor, "N S M"],
    value: Float[Tensor, "N S V"],
    mask: Bool[Tensor, "N K S"] | None = None,
) -> tuple[Float[Tensor, "N K V"], Float[Tensor, "N K S"]]:
    """The same without any Python loop, and with pairs that are left out.

    Not allowed here: functional.scaled_dot_product_attention.

    Args:
        query: K vectors of each sequence.
        key: S vectors of each sequence.
        value: S vectors of each sequence.
        mask: True where a query must not see a key; its score becomes -1e9 before the softmax. Each query
            sees at least one key.

    Returns:
        A weighted mean of its sequence's values for each query, and the weights, which sum to 1 over keys.
    """
    ### BEGIN SOLUTION
    scores = query @ key.transpose(1, 2) / key.shape[2] ** 0.5
    if mask is not None:
        scores = scores.masked_fill(mask, -1e9)
    weights = scores.softmax(dim=2)
    return weights @ value, weights
    ### END SOLUTION


class ScaledDotAttention(nn.Module):
    """Attention over the last two axes, whatever stands before them; its mask says what is kept."""

    def __init__(self, d_k: int, dropout: float = 0.0):
        """Queries and keys have d_k numbers; weights are dropped with probability `dropout` in training."""
        super().__init__()
        self.d_k = d_k
        self.dropout = nn.Dropout(p=dropout)

    def forward(
        self,
        q: Float[Tensor, "*batch Lq d_k"],
        k: Float[Tensor, "*batch Lk d_k"],
        v: Float[Tensor, "*batch Lk d_v"],
        mask: Bool[Tensor, "..."] | None = None,
    ) -> Float[Tensor, "*batch Lq d_v"]:
        """Attend, with `self.dropout` on the weights.

        Not allowed here: functional.scaled_dot_product_attention, and loops.

        Args:
            q: queries; before the last two axes there may be none or several.
            k: keys.
            v: values.
            mask: True where a key is KEPT, False where it is left out; any shape that broadcasts to
                (*batch, Lq, Lk). Each query keeps at least one key.

        Returns:
            A weighted mean of values for each query.
        """
        ### BEGIN SOLUTION
        scores = q @ k.transpose(-2, -1) / self.d_k**0.5
        if mask is not None:
            scores = scores.masked_fill(~mask, float("-inf"))
        return self.dropout(scores.softmax(dim=-1)) @ v
        ### END SOLUTION
