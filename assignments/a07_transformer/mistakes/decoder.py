"""How people get `transformer.decoder` wrong, and the hint each mistake deserves."""

from torch import nn

from exercise_code.attention import layers, self_attention
from exercise_code.attention.layers import FeedForwardBlock, LayerNormalization
from exercise_code.support.checking.declare import mistake

DECODER = "transformer.decoder."
MADE, WRITTEN = f"{DECODER}DecoderBlock.__init__", f"{DECODER}DecoderBlock.forward"
LAYER = f"{DECODER}TransformerDecoderLayer.forward"


# The block's parts
def _make(self, num_heads, emb_dim, feedforward_dim, dropout, *, head_dim=None, checked=True):
    if checked and emb_dim % num_heads:
        raise ValueError
    nn.Module.__init__(self)
    sizes = num_heads, emb_dim, head_dim or emb_dim // num_heads
    self.attention_self = self_attention.MultiHeadAttention(*sizes)
    self.attention_cross = self_attention.MultiHeadAttention(*sizes)
    self.feed_forward = FeedForwardBlock(emb_dim, feedforward_dim)
    self.norm1, self.norm2, self.norm3 = (LayerNormalization(emb_dim) for _ in range(3))
    self.dropout = nn.Dropout(p=dropout)


@mistake(MADE, hint="The heads are as wide as the vectors: they share emb_dim.")
def wide_heads(self, num_heads, emb_dim, feedforward_dim, dropout):
    _make(self, num_heads, emb_dim, feedforward_dim, dropout, head_dim=emb_dim)


@mistake(MADE, hint="A width that no heads can share passes: raise a ValueError.")
def accepts_all(self, num_heads, emb_dim, feedforward_dim, dropout):
    _make(self, num_heads, emb_dim, feedforward_dim, dropout, checked=False)


@mistake(MADE, hint="Both attentions are one module: their weights must be able to differ.")
def one_attention_twice(self, num_heads, emb_dim, feedforward_dim, dropout):
    _make(self, num_heads, emb_dim, feedforward_dim, dropout)
    self.attention_cross = self.attention_self


@mistake(MADE, hint="One norm stands under three names: make three.")
def one_norm_thrice(self, num_heads, emb_dim, feedforward_dim, dropout):
    _make(self, num_heads, emb_dim, feedforward_dim, dropout)
    self.norm2 = self.norm3 = self.norm1


@mistake(MADE, hint="There are two norms here; three sums have three norms.")
def two_norms(self, num_heads, emb_dim, feedforward_dim, dropout):
    _make(self, num_heads, emb_dim, feedforward_dim, dropout)
    del self.norm3


@mistake(MADE, hint="The attentions are those of `attention.layers`: those of `self_attention` are due.")
def other_attentions(self, num_heads, emb_dim, feedforward_dim, dropout):
    _make(self, num_heads, emb_dim, feedforward_dim, dropout)
    self.attention_self = layers.MultiHeadAttention(emb_dim, num_heads, dropout)
    self.attention_cross = layers.MultiHeadAttention(emb_dim, num_heads, dropout)


@mistake(MADE, hint="One of the attentions is that of `attention.layers`: both are `self_attention`'s.")
def another_attention(self, num_heads, emb_dim, feedforward_dim, dropout):
    _make(self, num_heads, emb_dim, feedforward_dim, dropout)
    self.attention_self = layers.MultiHeadAttention(emb_dim, num_heads, dropout)


@mistake(MADE, hint="The dropout has another probability than the one that is given.")
def default_probability(self, num_heads, emb_dim, feedforward_dim, dropout):
    _make(self, num_heads, emb_dim, feedforward_dim, 0.5)


# The block
def _block(self, x, enc_inp, mask, *, ask=None, cross_mask=None, drop=None, norms=None):
    drop = drop or self.dropout
    norms = norms or (self.norm1, self.norm2, self.norm3)
    parts = (
        lambda x: self.attention_self(x, x, x, mask),
        ask or (lambda x: self.attention_cross(x, enc_inp, enc_inp, cross_mask)),
        self.feed_forward,
    )
    for norm, part in zip(norms, parts, strict=True):
        x = drop(norm(x + part(x)))
    return x


@mistake(
    WRITTEN,
    hint="The encoder's vectors ask: in cross-attention queries come from the decoder.",
    raises=RuntimeError,
)
def encoder_asks(self, dec_inp, enc_inp, mask=None):
    return _block(self, dec_inp, enc_inp, mask, ask=lambda x: self.attention_cross(enc_inp, x, x))


@mistake(WRITTEN, hint="Cross-attention looks at the decoder's own vectors: keys and values are `enc_inp`.")
def never_looks_at_the_encoder(self, dec_inp, enc_inp, mask=None):
    return _block(self, dec_inp, enc_inp, mask, ask=lambda x: self.attention_cross(x, x, x))


@mistake(WRITTEN, hint="norm1 is used for all three sums: each has its own.")
def same_norm(self, dec_inp, enc_inp, mask=None):
    return _block(self, dec_inp, enc_inp, mask, norms=(self.norm1,) * 3)


@mistake(WRITTEN, hint="Cross-attention comes before self-attention; the words see each other first.")
def cross_first(self, dec_inp, enc_inp, mask=None):
    x = self.dropout(self.norm2(dec_inp + self.attention_cross(dec_inp, enc_inp, enc_inp)))
    x = self.dropout(self.norm1(x + self.attention_self(x, x, x, mask)))
    return self.dropout(self.norm3(x + self.feed_forward(x)))


@mistake(WRITTEN, hint="`dec_inp` asks the encoder: what comes out of the first norm should ask.")
def asks_with_the_input(self, dec_inp, enc_inp, mask=None):
    return _block(self, dec_inp, enc_inp, mask, ask=lambda x: self.attention_cross(dec_inp, enc_inp, enc_inp))


@mistake(WRITTEN, hint="`dec_inp` is added to cross-attention's answer: x is, which came out of norm1.")
def adds_the_input_again(self, dec_inp, enc_inp, mask=None):
    def ask(x):
        return self.attention_cross(x, enc_inp, enc_inp) + dec_inp - x

    return _block(self, dec_inp, enc_inp, mask, ask=ask)


@mistake(WRITTEN, hint="The sum is missing around cross-attention: add x to its answer.")
def cross_without_residual(self, dec_inp, enc_inp, mask=None):
    return _block(self, dec_inp, enc_inp, mask, ask=lambda x: self.attention_cross(x, enc_inp, enc_inp) - x)


@mistake(WRITTEN, hint="Norms stand before the parts; each belongs after its sum.")
def norms_first(self, dec_inp, enc_inp, mask=None):
    normed = self.norm1(dec_inp)
    x = dec_inp + self.dropout(self.attention_self(normed, normed, normed, mask))
    x = x + self.dropout(self.attention_cross(self.norm2(x), enc_inp, enc_inp))
    return x + self.dropout(self.feed_forward(self.norm3(x)))


@mistake(WRITTEN, hint="There is no feed-forward block at the end.")
def without_feed(self, dec_inp, enc_inp, mask=None):
    x = self.dropout(self.norm1(dec_inp + self.attention_self(dec_inp, dec_inp, dec_inp, mask)))
    return self.dropout(self.norm2(x + self.attention_cross(x, enc_inp, enc_inp)))


@mistake(f"{WRITTEN}:mask", hint="The mask is not handed on, so words see what is not written yet.")
def mask_dropped(self, dec_inp, enc_inp, mask=None):
    return _block(self, dec_inp, enc_inp, None)


@mistake(f"{WRITTEN}:mask", hint="The mask is turned round: True hides in this block.")
def mask_turned(self, dec_inp, enc_inp, mask=None):
    return _block(self, dec_inp, enc_inp, None if mask is None else ~mask)


@mistake(
    f"{WRITTEN}:mask",
    hint="The mask goes to cross-attention too: all words may see all of enc_inp.",
    raises=RuntimeError,
)
def mask_for_both(self, dec_inp, enc_inp, mask=None):
    return _block(self, dec_inp, enc_inp, mask, cross_mask=mask)


@mistake(f"{WRITTEN}:mask", hint="The mask of the first sequence serves all: hand on all N of them.")
def mask_of_the_first(self, dec_inp, enc_inp, mask=None):
    return _block(self, dec_inp, enc_inp, None if mask is None else mask[:1].expand(len(dec_inp), -1, -1))


@mistake(
    f"{WRITTEN}:dropout",
    hint="Nothing is dropped behind the norms: `dropout` acts after each of the three.",
)
def never_dropped(self, dec_inp, enc_inp, mask=None):
    return _block(self, dec_inp, enc_inp, mask, drop=lambda x: x)


@mistake(
    f"{WRITTEN}:dropout",
    hint="Only the end is dropped; `dropout` follows each of the three norms.",
)
def dropped_at_the_end_alone(self, dec_inp, enc_inp, mask=None):
    return self.dropout(_block(self, dec_inp, enc_inp, mask, drop=lambda x: x))


@mistake(f"{WRITTEN}:dropout", hint="What the block returns is not dropped: `dropout` acts after norm3 too.")
def end_not_dropped(self, dec_inp, enc_inp, mask=None):
    x = self.dropout(self.norm1(dec_inp + self.attention_self(dec_inp, dec_inp, dec_inp, mask)))
    x = self.dropout(self.norm2(x + self.attention_cross(x, enc_inp, enc_inp)))
    return self.norm3(x + self.feed_forward(x))


# The layer
def _layer(self, x, memory, mask, *, ask=None, order=(0, 1, 2), norms=None, drop=None, sums=False):
    drop = drop or self.dropout
    norms = norms or (self.norm_self, self.norm_cross, self.norm_ffn)
    parts = (
        lambda x: self.self_attn(x, x, x, mask),
        ask or (lambda x: self.cross_attn(x, memory, memory)),
        self.ffn,
    )
    for place in order:
        x = drop(norms[place](x + parts[place](x))) if sums else norms[place](x + drop(parts[place](x)))
    return x


@mistake(LAYER, hint="The memory asks: queries of `cross_attn` come from the words.", raises=RuntimeError)
def memory_asks(self, tgt, memory, tgt_mask=None):
    return _layer(self, tgt, memory, tgt_mask, ask=lambda x: self.cross_attn(memory, x, x))


@mistake(LAYER, hint="The memory is not looked at: it is key and value of `cross_attn`.")
def without_memory(self, tgt, memory, tgt_mask=None):
    return _layer(self, tgt, memory, tgt_mask, ask=lambda x: self.cross_attn(x, x, x))


@mistake(f"{LAYER}:mask", hint="The mask is turned round; here False hides, not True.")
def layer_mask_turned(self, tgt, memory, tgt_mask=None):
    return _layer(self, tgt, memory, None if tgt_mask is None else ~tgt_mask)


@mistake(f"{LAYER}:mask", hint="tgt_mask is not handed on to `self_attn`.")
def layer_mask_dropped(self, tgt, memory, tgt_mask=None):
    return _layer(self, tgt, memory, None)


@mistake(
    f"{LAYER}:mask",
    hint="The mask is handed to `cross_attn` too: it is about words alone.",
    raises=RuntimeError,
)
def layer_mask_for_both(self, tgt, memory, tgt_mask=None):
    def ask(x):
        return self.cross_attn(x, memory, memory, tgt_mask)

    return _layer(self, tgt, memory, tgt_mask, ask=ask)


@mistake(LAYER, hint="The norms are not each at its part: `norm_self`, `norm_cross`, `norm_ffn`.")
def layer_norms_mixed(self, tgt, memory, tgt_mask=None):
    return _layer(self, tgt, memory, tgt_mask, norms=(self.norm_cross, self.norm_self, self.norm_ffn))


@mistake(LAYER, hint="`norm_cross` and `norm_ffn` change places.")
def layer_last_norms_swapped(self, tgt, memory, tgt_mask=None):
    return _layer(self, tgt, memory, tgt_mask, norms=(self.norm_self, self.norm_ffn, self.norm_cross))


@mistake(LAYER, hint="x is not added to what `cross_attn` finds: that sum is missing.")
def layer_cross_without_residual(self, tgt, memory, tgt_mask=None):
    x = self.norm_self(tgt + self.dropout(self.self_attn(tgt, tgt, tgt, tgt_mask)))
    x = self.norm_cross(self.dropout(self.cross_attn(x, memory, memory)))
    return self.norm_ffn(x + self.dropout(self.ffn(x)))


@mistake(LAYER, hint="`cross_attn` comes before `self_attn`; it comes after.")
def layer_cross_first(self, tgt, memory, tgt_mask=None):
    return _layer(self, tgt, memory, tgt_mask, order=(1, 0, 2))


@mistake(LAYER, hint="The feed-forward block is left out.")
def layer_without_feed(self, tgt, memory, tgt_mask=None):
    return _layer(self, tgt, memory, tgt_mask, order=(0, 1))


@mistake(f"{LAYER}:dropout", hint="Nothing of what the parts add is dropped: `dropout` acts before each sum.")
def layer_never_dropped(self, tgt, memory, tgt_mask=None):
    return _layer(self, tgt, memory, tgt_mask, drop=lambda x: x)


@mistake(
    f"{LAYER}:dropout",
    hint="Dropout acts after the norms; here it acts before each sum.",
)
def layer_drops_outputs(self, tgt, memory, tgt_mask=None):
    return _layer(self, tgt, memory, tgt_mask, sums=True)
