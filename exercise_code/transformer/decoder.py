"""Blocks of the decoder: it reads what it has written, hiding the future, and what the encoder has read."""

from jaxtyping import Bool, Float
from torch import Tensor, nn

from exercise_code.attention import layers, self_attention
from exercise_code.attention.layers import FeedForwardBlock, LayerNormalization


class DecoderBlock(nn.Module):
    """Masked self-attention, cross-attention, feed-forward, with a norm after each sum (as in the paper)."""

    def __init__(self, num_heads: int, emb_dim: int, feedforward_dim: int, dropout: float):
        """Make `attention_self`, `attention_cross`, `feed_forward`, `norm1`, `norm2`, `norm3` and `dropout`.

        The classes are those of `EncoderBlock`, and so are the sizes.

        Args:
            num_heads: heads of either attention.
            emb_dim: numbers in the vector of each position.
            feedforward_dim: numbers in the middle of the feed-forward block.
            dropout: the probability.

        Raises:
            ValueError: emb_dim is no multiple of num_heads.
        """
        super().__init__()
        ### BEGIN SOLUTION
        if emb_dim % num_heads:
            raise ValueError(f"emb_dim={emb_dim} cannot be shared evenly among {num_heads} heads")
        head_dim = emb_dim // num_heads
        self.attention_self = self_attention.MultiHeadAttention(num_heads, emb_dim, head_dim)
        self.attention_cross = self_attention.MultiHeadAttention(num_heads, emb_dim, head_dim)
        self.feed_forward = FeedForwardBlock(emb_dim, feedforward_dim)
        self.norm1 = LayerNormalization(emb_dim)
        self.norm2 = LayerNormalization(emb_dim)
        self.norm3 = LayerNormalization(emb_dim)
        self.dropout = nn.Dropout(dropout)
        ### END SOLUTION

    def forward(
        self,
        dec_inp: Float[Tensor, "N K M"],
        enc_inp: Float[Tensor, "N S M"],
        mask: Bool[Tensor, "N K K"] | None = None,
    ) -> Float[Tensor, "N K M"]:
        """x = dropout(norm(x + part(x))) three times, from x = dec_inp.

        The parts are self-attention with the mask, norm1; cross-attention without one, in which x asks and
        enc_inp answers, norm2; and the feed-forward block, norm3.

        Args:
            dec_inp: a vector for each position of what is written.
            enc_inp: what the encoder made of the S positions it has read.
            mask: True where a position must NOT see another one, as of `get_subsequent_mask`.

        Returns:
            A new tensor of the shape of dec_inp.
        """
        ### BEGIN SOLUTION
        x = self.dropout(self.norm1(dec_inp + self.attention_self(dec_inp, dec_inp, dec_inp, mask)))
        x = self.dropout(self.norm2(x + self.attention_cross(x, enc_inp, enc_inp)))
        return self.dropout(self.norm3(x + self.feed_forward(x)))
        ### END SOLUTION


class TransformerDecoderLayer(nn.Module):
    """A decoder block as torch has it: dropout inside the residual connection, and a mask that keeps."""

    def __init__(self, input_dim: int, num_heads: int, dim_feedforward: int = 2048, dropout: float = 0.1):
        """The parts of a block; `dropout` acts on attention weights too.

        Args:
            input_dim: D, numbers in the vector of each position.
            num_heads: heads that share them evenly.
            dim_feedforward: numbers in the middle of the feed-forward block.
            dropout: the probability.

        Raises:
            ValueError: input_dim is no multiple of num_heads.
        """
        super().__init__()
        self.self_attn = layers.MultiHeadAttention(input_dim, num_heads, dropout)
        self.cross_attn = layers.MultiHeadAttention(input_dim, num_heads, dropout)
        self.ffn = FeedForwardBlock(input_dim, dim_feedforward)
        self.norm_self, self.norm_cross, self.norm_ffn = (
            LayerNormalization(input_dim, epsilon=1e-5) for _ in range(3)
        )
        self.dropout = nn.Dropout(p=dropout)

    def forward(
        self,
        tgt: Float[Tensor, "N T D"],
        memory: Float[Tensor, "N S D"],
        tgt_mask: Bool[Tensor, "T T"] | None = None,
    ) -> Float[Tensor, "N T D"]:
        """x = norm(x + dropout(part(x))) three times, from x = tgt.

        The parts are those of `DecoderBlock`: `self_attn` with the mask, `cross_attn` over the memory, `ffn`;
        their norms are `norm_self`, `norm_cross` and `norm_ffn`.
        Not allowed here: nn.TransformerDecoderLayer.

        Args:
            tgt: a vector for each position of what is written.
            memory: S vectors to be asked.
            tgt_mask: False where a position must not see another one.

        Returns:
            A new tensor of the shape of tgt.
        """
        ### BEGIN SOLUTION
        x = self.norm_self(tgt + self.dropout(self.self_attn(tgt, tgt, tgt, tgt_mask)))
        x = self.norm_cross(x + self.dropout(self.cross_attn(x, memory, memory)))
        return self.norm_ffn(x + self.dropout(self.ffn(x)))
        ### END SOLUTION
