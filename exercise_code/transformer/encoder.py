"""Blocks of the encoder: attention and a feed-forward block, each with a residual connection and a norm."""

from jaxtyping import Bool, Float
from torch import Tensor, nn

from exercise_code.attention import layers, self_attention
from exercise_code.attention.layers import FeedForwardBlock, LayerNormalization


class EncoderBlock(nn.Module):
    """Self-attention, then feed-forward; norms come after the sums (Vaswani et al., 2017, 3.1)."""

    def __init__(self, num_heads: int, emb_dim: int, feedforward_dim: int, dropout: float):
        """Make `MultiHeadBlock`, `norm1`, `feed_forward`, `norm2` and `dropout`.

        `MultiHeadBlock` is a `self_attention.MultiHeadAttention` whose heads have emb_dim / num_heads
        numbers; the norms are `LayerNormalization`, the rest a `FeedForwardBlock` and an `nn.Dropout`.

        Args:
            num_heads: heads of the attention.
            emb_dim: numbers in the vector of each position.
            feedforward_dim: numbers in the middle of the feed-forward block.
            dropout: the probability.

        Raises:
            ValueError: emb_dim is no multiple of num_heads.
        """
        super().__init__()
        ### BEGIN SOLUTION
        if emb_dim % num_heads:
            raise ValueError(f"emb_dim={emb_dim} is no multiple of num_heads={num_heads}")
        self.MultiHeadBlock = self_attention.MultiHeadAttention(num_heads, emb_dim, emb_dim // num_heads)
        self.norm1 = LayerNormalization(emb_dim)
        self.feed_forward = FeedForwardBlock(emb_dim, feedforward_dim)
        self.norm2 = LayerNormalization(emb_dim)
        self.dropout = nn.Dropout(dropout)
        ### END SOLUTION

    def forward(self, x: Float[Tensor, "N K M"]) -> Float[Tensor, "N K M"]:
        """y = dropout(norm1(x + attention(x))), then dropout(norm2(y + feed_forward(y))).

        Queries, keys and values are all x, and nothing is masked.

        Args:
            x: a vector for each position.

        Returns:
            A new tensor of the same shape.
        """
        ### BEGIN SOLUTION
        y = self.dropout(self.norm1(x + self.MultiHeadBlock(x, x, x)))
        return self.dropout(self.norm2(y + self.feed_forward(y)))
        ### END SOLUTION


class TransformerEncoderLayer(nn.Module):
    """An encoder block as torch has it: a mask, dropout inside the residual connection, either order."""

    def __init__(
        self,
        input_dim: int,
        num_heads: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        norm_first: bool = False,
    ):
        """The parts of a block; `dropout` acts on attention weights too.

        Args:
            input_dim: D, numbers in the vector of each position.
            num_heads: heads that share them evenly.
            dim_feedforward: numbers in the middle of the feed-forward block.
            dropout: the probability.
            norm_first: norms before attention and feed-forward, instead of after the sums.

        Raises:
            ValueError: input_dim is no multiple of num_heads.
        """
        super().__init__()
        self.norm_first = norm_first
        self.self_attn = layers.MultiHeadAttention(input_dim, num_heads, dropout)
        self.ffn = FeedForwardBlock(input_dim, dim_feedforward)
        self.norm_self, self.norm_ffn = (LayerNormalization(input_dim, epsilon=1e-5) for _ in range(2))
        self.dropout = nn.Dropout(p=dropout)

    def forward(
        self, src: Float[Tensor, "N S D"], src_mask: Bool[Tensor, "S S"] | None = None
    ) -> Float[Tensor, "N S D"]:
        """Attend, then feed forward; what either adds goes through `dropout`.

        Post-norm, as it stands in the paper:   x = norm(x + dropout(part(x))).
        Pre-norm, with `norm_first`:            x = x + dropout(part(norm(x)))  (Xiong et al., 2020).
        The norm of attention is `norm_self`, that of the feed-forward block `norm_ffn`.
        Not allowed here: nn.TransformerEncoderLayer.

        Args:
            src: a vector for each position.
            src_mask: False where a position must not see another one.

        Returns:
            A new tensor of the same shape.
        """
        ### BEGIN SOLUTION
        if self.norm_first:
            normed = self.norm_self(src)
            x = src + self.dropout(self.self_attn(normed, normed, normed, src_mask))
            return x + self.dropout(self.ffn(self.norm_ffn(x)))
        x = self.norm_self(src + self.dropout(self.self_attn(src, src, src, src_mask)))
        return self.norm_ffn(x + self.dropout(self.ffn(x)))
        ### END SOLUTION
