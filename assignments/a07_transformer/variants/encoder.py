"""Right versions of `transformer.encoder`, written otherwise."""

from torch import nn

from exercise_code.attention.layers import FeedForwardBlock, LayerNormalization
from exercise_code.attention.self_attention import MultiHeadAttention
from exercise_code.support.checking.declare import variant

ENCODER = "transformer.encoder."


@variant(f"{ENCODER}EncoderBlock.__init__")
def made_the_other_way_round(self, num_heads, emb_dim, feedforward_dim, dropout):
    nn.Module.__init__(self)
    width, left = divmod(emb_dim, num_heads)
    if left != 0:
        raise ValueError("emb_dim must be a multiple of num_heads")
    self.dropout = nn.Dropout(p=dropout)
    self.norm2, self.norm1 = LayerNormalization(emb_dim), LayerNormalization(emb_dim)
    self.feed_forward = FeedForwardBlock(inp_dim=emb_dim, hidden_dim_feedforward=feedforward_dim)
    self.MultiHeadBlock = MultiHeadAttention(num_heads=num_heads, dim_in=emb_dim, dim_out=width)


@variant(f"{ENCODER}EncoderBlock.forward")
def step_by_step(self, x):
    attended = self.MultiHeadBlock(query=x, key=x, value=x, mask=None)
    x = attended + x
    x = self.norm1(x)
    x = self.dropout(x)
    fed = self.feed_forward(x)
    return self.dropout(self.norm2(fed + x))


@variant(f"{ENCODER}TransformerEncoderLayer.forward")
def by_a_helper(self, src, src_mask=None):
    def around(norm, part, x):
        if self.norm_first:
            return x + self.dropout(part(norm(x)))
        return norm(x + self.dropout(part(x)))

    x = around(self.norm_self, lambda y: self.self_attn(y, y, y, attn_mask=src_mask), src)
    return around(self.norm_ffn, self.ffn, x)


@variant(f"{ENCODER}TransformerEncoderLayer.forward")
def in_two_steps(self, src, src_mask=None):
    residual = src
    x = self.norm_self(src) if self.norm_first else src
    x = residual + self.dropout(self.self_attn(x, x, x, src_mask))
    x = x if self.norm_first else self.norm_self(x)
    residual = x
    x = self.norm_ffn(x) if self.norm_first else x
    x = residual + self.dropout(self.ffn(x))
    return x if self.norm_first else self.norm_ffn(x)
