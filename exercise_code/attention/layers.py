"""The parts of a transformer: many heads in one projection, positions, normalisation, feed-forward."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional


class MultiHeadAttention(nn.Module):
    """All heads in one projection, which is split: what transformers use (Vaswani et al., 2017, 3.2.2)."""

    def __init__(self, embed_dim: int, num_heads: int, dropout: float = 0.1):
        """Four linear layers of embed_dim to embed_dim, and a dropout for the weights.

        Raises:
            ValueError: embed_dim is no multiple of num_heads.
        """
        super().__init__()
        if embed_dim % num_heads:
            raise ValueError(f"{embed_dim} numbers cannot be shared evenly among {num_heads} heads")
        self.num_heads = num_heads
        self.query = nn.Linear(embed_dim, embed_dim)
        self.key = nn.Linear(embed_dim, embed_dim)
        self.value = nn.Linear(embed_dim, embed_dim)
        self.proj = nn.Linear(embed_dim, embed_dim)
        self.attn_drop = nn.Dropout(dropout)

    def forward(
        self,
        query: Float[Tensor, "N S E"],
        key: Float[Tensor, "N T E"],
        value: Float[Tensor, "N T E"],
        attn_mask: Bool[Tensor, "S T"] | None = None,
    ) -> Float[Tensor, "N S E"]:
        """Project, split into heads, attend in each, join, project.

        Head h has the numbers h E/H to (h + 1) E/H of each projection; its scores are divided by sqrt(E/H).
        `attn_drop` acts on the weights, after the softmax.
        Not allowed here: nn.MultiheadAttention, functional.scaled_dot_product_attention, and loops.

        Args:
            query: S vectors of each sequence.
            key: T vectors of each sequence.
            value: T vectors of each sequence.
            attn_mask: False where a query must not see a key, the same for all sequences and heads.
                Each query sees at least one key.

        Returns:
            A vector for each query.
        """
        ### BEGIN SOLUTION
        heads = (self.num_heads, query.shape[2] // self.num_heads)
        q = self.query(query).unflatten(2, heads).transpose(1, 2)
        k = self.key(key).unflatten(2, heads).transpose(1, 2)
        v = self.value(value).unflatten(2, heads).transpose(1, 2)
        scores = q @ k.transpose(2, 3) / heads[1] ** 0.5
        if attn_mask is not None:
            scores = scores.masked_fill(~attn_mask, float("-inf"))
        weights = self.attn_drop(scores.softmax(dim=3))
        return self.proj((weights @ v).transpose(1, 2).flatten(2))
        ### END SOLUTION


def position_encoding_simple(K: int, M: int) -> Float[Tensor, "1 K M"]:
    """Positions as one number: n / K at position n = 0, 1, …, K - 1, M times.

    Args:
        K: positions.
        M: numbers in the vector of a position.

    Returns:
        float32, the same vector's length as word vectors, so that both can be added.
    """
    ### BEGIN SOLUTION
    return (torch.arange(K) / K).view(1, K, 1).repeat(1, 1, M)
    ### END SOLUTION


def position_encoding_sinusoid(K: int, M: int) -> Float[Tensor, "1 K M"]:
    """Positions as waves, the later in the vector the longer (Vaswani et al., 2017, 3.5).

    At position n, entry j is  sin(n w_j)  for even j and  cos(n w_j)  for odd j, with
    w_j = 10000^(-2 floor(j / 2) / M): a sine and the cosine beside it share their frequency.

    Args:
        K: positions, from 0 on.
        M: numbers in the vector of a position; it may be odd.

    Returns:
        float32.
    """
    ### BEGIN SOLUTION
    j = torch.arange(M)
    angles = torch.arange(K).view(K, 1) * 10000.0 ** (-2 * (j // 2) / M)
    return torch.where(j % 2 == 0, angles.sin(), angles.cos()).unsqueeze(0)
    ### END SOLUTION


class PositionalEncoding(nn.Module):
    """Adds to each vector the waves of its position."""

    def __init__(self, embed_dim: int, dropout: float = 0.1, max_len: int = 5000):
        """Make the dropout `dropout` and the buffer `pe` (1, max_len, embed_dim).

        A buffer moves with the module and is saved with it, and is not trained. It holds
        `position_encoding_sinusoid`.
        """
        super().__init__()
        ### BEGIN SOLUTION
        self.dropout = nn.Dropout(dropout)
        self.register_buffer("pe", position_encoding_sinusoid(max_len, embed_dim))
        ### END SOLUTION

    def forward(self, x: Float[Tensor, "N S D"]) -> Float[Tensor, "N S D"]:
        """Add the first S positions of `pe`, then drop.

        Args:
            x: sequences of at most max_len vectors.

        Returns:
            A new tensor of the same shape.
        """
        ### BEGIN SOLUTION
        return self.dropout(x + self.pe[:, : x.shape[1]])
        ### END SOLUTION


class LayerNormalization(nn.Module):
    """Brings each vector to mean 0 and variance 1, then scales and shifts (Ba et al., 2016)."""

    def __init__(self, emb_dim: int, epsilon: float = 1e-10):
        """Make the parameters `gamma`, ones, and `beta`, zeros, of emb_dim numbers each."""
        super().__init__()
        self.epsilon = epsilon
        self.gamma = nn.Parameter(torch.ones(emb_dim))
        self.beta = nn.Parameter(torch.zeros(emb_dim))

    def forward(self, x: Float[Tensor, "*batch M"]) -> Float[Tensor, "*batch M"]:
        """(x - mean) / sqrt(variance + epsilon) * gamma + beta, over the last axis.

        The variance is the mean squared deviation, divided by M.
        Not allowed here: functional.layer_norm, nn.LayerNorm, torch.std, torch.var, and loops.

        Args:
            x: vectors of M numbers, in any number of axes.

        Returns:
            A new tensor of the same shape.
        """
        ### BEGIN SOLUTION
        deviations = x - x.mean(dim=-1, keepdim=True)
        variance = deviations.square().mean(dim=-1, keepdim=True)
        return deviations / (variance + self.epsilon).sqrt() * self.gamma + self.beta
        ### END SOLUTION


class FeedForwardBlock(nn.Module):
    """Two linear layers with a ReLU between them, for each position by itself."""

    def __init__(self, inp_dim: int, hidden_dim_feedforward: int):
        """Make the layers `fc1`, from inp_dim to hidden_dim_feedforward, and `fc2` back, with biases."""
        super().__init__()
        ### BEGIN SOLUTION
        self.fc1 = nn.Linear(inp_dim, hidden_dim_feedforward)
        self.fc2 = nn.Linear(hidden_dim_feedforward, inp_dim)
        ### END SOLUTION

    def forward(self, x: Float[Tensor, "N K M"]) -> Float[Tensor, "N K M"]:
        """fc2(ReLU(fc1(x))).

        Args:
            x: vectors of each position.

        Returns:
            As many vectors of the same length.
        """
        ### BEGIN SOLUTION
        return self.fc2(functional.relu(self.fc1(x)))
        ### END SOLUTION
