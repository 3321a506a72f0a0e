"""Right versions of `transformer.decoder`, written otherwise."""

from torch import nn

from exercise_code.attention.layers import FeedForwardBlock, LayerNormalization
from exercise_code.attention.self_attention import MultiHeadAttention
from exercise_code.support.checking.declare import variant

DECODER = "transformer.decoder."


@variant(f"{DECODER}DecoderBlock.__init__")
def in_loops(self, num_heads, emb_dim, feedforward_dim, dropout):
    nn.Module.__init__(self)
    if emb_dim % num_heads != 0:
        raise ValueError("emb_dim must be a multiple of num_heads")
    for name in ("self", "cross"):
        setattr(self, f"attention_{name}", MultiHeadAttention(num_heads, emb_dim, emb_dim // num_heads))
    for number in (1, 2, 3):
        setattr(self, f"norm{number}", LayerNormalization(emb_dim))
    self.dropout = nn.Dropout(p=dropout)
    self.feed_forward = FeedForwardBlock(emb_dim, feedforward_dim)


@variant(f"{DECODER}DecoderBlock.forward")
def step_by_step(self, dec_inp, enc_inp, mask=None):
    heard = self.attention_self(query=dec_inp, key=dec_inp, value=dec_inp, mask=mask)
    y = self.dropout(self.norm1(heard + dec_inp))
    answered = self.attention_cross(query=y, key=enc_inp, value=enc_inp)
    z = self.dropout(self.norm2(answered + y))
    fed = self.feed_forward(z)
    return self.dropout(self.norm3(fed + z))


@variant(f"{DECODER}TransformerDecoderLayer.forward")
def layer_step_by_step(self, tgt, memory, tgt_mask=None):
    heard = self.dropout(self.self_attn(query=tgt, key=tgt, value=tgt, attn_mask=tgt_mask))
    y = self.norm_self(heard + tgt)
    answered = self.dropout(self.cross_attn(query=y, key=memory, value=memory))
    z = self.norm_cross(answered + y)
    return self.norm_ffn(self.dropout(self.ffn(z)) + z)
