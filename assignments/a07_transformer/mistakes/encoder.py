"""How people get `transformer.encoder` wrong, and the hint each mistake deserves."""

from torch import nn

from exercise_code.attention import self_attention
from exercise_code.attention.layers import FeedForwardBlock, LayerNormalization
from exercise_code.support.checking.declare import mistake

ENCODER = "transformer.encoder."
MADE, READ = f"{ENCODER}EncoderBlock.__init__", f"{ENCODER}EncoderBlock.forward"
LAYER = f"{ENCODER}TransformerEncoderLayer.forward"


# The block's parts
def _make(self, num_heads, emb_dim, feedforward_dim, dropout, *, head_dim=None, checked=True):
    if checked and emb_dim % num_heads:
        raise ValueError
    nn.Module.__init__(self)
    self.MultiHeadBlock = self_attention.MultiHeadAttention(
        num_heads, emb_dim, head_dim or emb_dim // num_heads
    )
    self.norm1, self.norm2 = LayerNormalization(emb_dim), LayerNormalization(emb_dim)
    self.feed_forward = FeedForwardBlock(emb_dim, feedforward_dim)
    self.dropout = nn.Dropout(p=dropout)


@mistake(MADE, hint="Each head has emb_dim numbers; the heads share them.")
def wide_heads(self, num_heads, emb_dim, feedforward_dim, dropout):
    _make(self, num_heads, emb_dim, feedforward_dim, dropout, head_dim=emb_dim)


@mistake(MADE, hint="A width that heads cannot share is accepted: raise a ValueError.")
def accepts_all(self, num_heads, emb_dim, feedforward_dim, dropout):
    _make(self, num_heads, emb_dim, feedforward_dim, dropout, checked=False)


@mistake(MADE, hint="One norm stands under two names: gamma and beta of the two must be able to differ.")
def one_norm_twice(self, num_heads, emb_dim, feedforward_dim, dropout):
    _make(self, num_heads, emb_dim, feedforward_dim, dropout)
    self.norm2 = self.norm1


@mistake(MADE, hint="The probability is not the one that is asked for: give it to `nn.Dropout`.")
def default_probability(self, num_heads, emb_dim, feedforward_dim, dropout):
    _make(self, num_heads, emb_dim, feedforward_dim, 0.5)


@mistake(MADE, hint="The feed-forward block is emb_dim wide in the middle: feedforward_dim is not used.")
def narrow_feed(self, num_heads, emb_dim, feedforward_dim, dropout):
    _make(self, num_heads, emb_dim, emb_dim, dropout)


@mistake(MADE, hint="The sizes of `FeedForwardBlock` change places: emb_dim is the outer one.")
def feed_turned(self, num_heads, emb_dim, feedforward_dim, dropout):
    _make(self, num_heads, emb_dim, feedforward_dim, dropout)
    self.feed_forward = FeedForwardBlock(feedforward_dim, emb_dim)


@mistake(MADE, hint="The norms are torch's `nn.LayerNorm`: `LayerNormalization` is asked for.")
def norms_of_torch(self, num_heads, emb_dim, feedforward_dim, dropout):
    _make(self, num_heads, emb_dim, feedforward_dim, dropout)
    self.norm1, self.norm2 = nn.LayerNorm(emb_dim), nn.LayerNorm(emb_dim)


@mistake(MADE, hint="num_heads and the heads' width change places in `MultiHeadAttention`.")
def heads_and_width_swapped(self, num_heads, emb_dim, feedforward_dim, dropout):
    _make(self, num_heads, emb_dim, feedforward_dim, dropout)
    self.MultiHeadBlock = self_attention.MultiHeadAttention(emb_dim // num_heads, emb_dim, num_heads)


# The block
@mistake(READ, hint="x is not added to what attention finds: the residual connection is missing there.")
def attention_alone(self, x):
    y = self.dropout(self.norm1(self.MultiHeadBlock(x, x, x)))
    return self.dropout(self.norm2(y + self.feed_forward(y)))


@mistake(
    READ, hint="y is not added to what the feed-forward block makes: that residual connection is missing."
)
def feed_alone(self, x):
    y = self.dropout(self.norm1(x + self.MultiHeadBlock(x, x, x)))
    return self.dropout(self.norm2(self.feed_forward(y)))


@mistake(READ, hint="The norms come before the parts; here each comes after its sum.")
def norms_first(self, x):
    normed = self.norm1(x)
    y = x + self.dropout(self.MultiHeadBlock(normed, normed, normed))
    return y + self.dropout(self.feed_forward(self.norm2(y)))


@mistake(READ, hint="The norm is taken of attention alone, and x added behind it: norm the sum.")
def norm_before_the_sum(self, x):
    y = self.dropout(x + self.norm1(self.MultiHeadBlock(x, x, x)))
    return self.dropout(y + self.norm2(self.feed_forward(y)))


@mistake(READ, hint="x instead of y is added to the feed-forward block's output.")
def adds_the_first_input(self, x):
    y = self.dropout(self.norm1(x + self.MultiHeadBlock(x, x, x)))
    return self.dropout(self.norm2(x + self.feed_forward(y)))


@mistake(READ, hint="norm1 is used both times: the second sum has `norm2`.")
def same_norm(self, x):
    y = self.dropout(self.norm1(x + self.MultiHeadBlock(x, x, x)))
    return self.dropout(self.norm1(y + self.feed_forward(y)))


@mistake(READ, hint="The feed-forward block comes before attention: attention is first.")
def parts_swapped(self, x):
    y = self.dropout(self.norm1(x + self.feed_forward(x)))
    return self.dropout(self.norm2(y + self.MultiHeadBlock(y, y, y)))


@mistake(READ, hint="The second norm is missing.")
def one_norm_only(self, x):
    y = self.dropout(self.norm1(x + self.MultiHeadBlock(x, x, x)))
    return self.dropout(y + self.feed_forward(y))


@mistake(READ, hint="The feed-forward block is not used.")
def without_feed(self, x):
    return self.dropout(self.norm2(self.dropout(self.norm1(x + self.MultiHeadBlock(x, x, x)))))


@mistake(f"{READ}:dropout", hint="Nothing is dropped behind the norms: `dropout` acts after either of them.")
def never_dropped(self, x):
    y = self.norm1(x + self.MultiHeadBlock(x, x, x))
    return self.norm2(y + self.feed_forward(y))


@mistake(f"{READ}:dropout", hint="What norm1 makes is not dropped: `dropout` acts behind that norm as well.")
def dropped_at_the_end_alone(self, x):
    y = self.norm1(x + self.MultiHeadBlock(x, x, x))
    return self.dropout(self.norm2(y + self.feed_forward(y)))


@mistake(f"{READ}:dropout", hint="What the block returns is not dropped: `dropout` acts after norm2 as well.")
def dropped_in_the_middle_alone(self, x):
    y = self.dropout(self.norm1(x + self.MultiHeadBlock(x, x, x)))
    return self.norm2(y + self.feed_forward(y))


# The layer
def _attend(self, x, mask):
    return self.dropout(self.self_attn(x, x, x, mask))


def _post(self, src, mask):
    x = self.norm_self(src + _attend(self, src, mask))
    return self.norm_ffn(x + self.dropout(self.ffn(x)))


def _pre(self, src, mask):
    x = src + _attend(self, self.norm_self(src), mask)
    return x + self.dropout(self.ffn(self.norm_ffn(x)))


@mistake(LAYER, hint="norm_first is not looked at: the norms come after the sums always.")
def always_post(self, src, src_mask=None):
    return _post(self, src, src_mask)


@mistake(LAYER, hint="The norms come first always: without `norm_first` they come after the sums.")
def always_pre(self, src, src_mask=None):
    return _pre(self, src, src_mask)


@mistake(LAYER, hint="The two orders change places: norm_first means norms before the parts.")
def orders_swapped(self, src, src_mask=None):
    return (_post if self.norm_first else _pre)(self, src, src_mask)


@mistake(
    LAYER, hint="With norm_first the normed vectors are added: add to what came in, or depth loses the sum."
)
def adds_the_normed(self, src, src_mask=None):
    if not self.norm_first:
        return _post(self, src, src_mask)
    src = self.norm_self(src)
    x = self.norm_ffn(src + _attend(self, src, src_mask))
    return x + self.dropout(self.ffn(x))


@mistake(LAYER, hint="With norm_first only queries are normed: keys and values come from the norm too.")
def queries_alone_normed(self, src, src_mask=None):
    if not self.norm_first:
        return _post(self, src, src_mask)
    x = src + self.dropout(self.self_attn(self.norm_self(src), src, src, src_mask))
    return x + self.dropout(self.ffn(self.norm_ffn(x)))


@mistake(LAYER, hint="With norm_first the values are not normed: all three of attention's inputs are.")
def values_not_normed(self, src, src_mask=None):
    if not self.norm_first:
        return _post(self, src, src_mask)
    normed = self.norm_self(src)
    x = src + self.dropout(self.self_attn(normed, normed, src, src_mask))
    return x + self.dropout(self.ffn(self.norm_ffn(x)))


@mistake(LAYER, hint="With norm_first attention is added to the normed vectors: add it to src.")
def attention_added_to_the_normed(self, src, src_mask=None):
    if not self.norm_first:
        return _post(self, src, src_mask)
    normed = self.norm_self(src)
    x = normed + _attend(self, normed, src_mask)
    return x + self.dropout(self.ffn(self.norm_ffn(x)))


@mistake(LAYER, hint="The norms change places: `norm_self` belongs to attention, `norm_ffn` to `ffn`.")
def norms_swapped(self, src, src_mask=None):
    if self.norm_first:
        x = src + _attend(self, self.norm_ffn(src), src_mask)
        return x + self.dropout(self.ffn(self.norm_self(x)))
    x = self.norm_ffn(src + _attend(self, src, src_mask))
    return self.norm_self(x + self.dropout(self.ffn(x)))


@mistake(LAYER, hint="A part's output replaces x: add x to it, in either order.")
def layer_without_residual(self, src, src_mask=None):
    if self.norm_first:
        return self.ffn(self.norm_ffn(_attend(self, self.norm_self(src), src_mask)))
    return self.norm_ffn(self.ffn(self.norm_self(_attend(self, src, src_mask))))


@mistake(f"{LAYER}:mask", hint="The mask is not handed on to attention.")
def mask_dropped(self, src, src_mask=None):
    return (_pre if self.norm_first else _post)(self, src, None)


@mistake(f"{LAYER}:mask", hint="The mask is turned round: False hides here, as in `self_attn`.")
def mask_turned(self, src, src_mask=None):
    return (_pre if self.norm_first else _post)(self, src, None if src_mask is None else ~src_mask)


@mistake(f"{LAYER}:mask", hint="Without norm_first the mask is turned round: False hides in either order.")
def mask_turned_in_one_order(self, src, src_mask=None):
    if self.norm_first:
        return _pre(self, src, src_mask)
    return _post(self, src, None if src_mask is None else ~src_mask)


@mistake(f"{LAYER}:mask", hint="With norm_first the mask is forgotten.")
def mask_of_one_order(self, src, src_mask=None):
    return _pre(self, src, None) if self.norm_first else _post(self, src, src_mask)


@mistake(
    f"{LAYER}:dropout", hint="Nothing of what either part adds is dropped: `dropout` acts before each sum."
)
def layer_never_dropped(self, src, src_mask=None):
    if self.norm_first:
        normed = self.norm_self(src)
        x = src + self.self_attn(normed, normed, normed, src_mask)
        return x + self.ffn(self.norm_ffn(x))
    x = self.norm_self(src + self.self_attn(src, src, src, src_mask))
    return self.norm_ffn(x + self.ffn(x))


@mistake(
    f"{LAYER}:dropout", hint="Without norm_first nothing is dropped: `dropout` has its place in both orders."
)
def layer_dropped_in_one_order(self, src, src_mask=None):
    if self.norm_first:
        return _pre(self, src, src_mask)
    x = self.norm_self(src + self.self_attn(src, src, src, src_mask))
    return self.norm_ffn(x + self.ffn(x))


@mistake(
    f"{LAYER}:dropout", hint="The whole sum is dropped; `dropout` acts on what is added, and x gets through."
)
def layer_drops_sums(self, src, src_mask=None):
    if self.norm_first:
        normed = self.norm_self(src)
        x = self.dropout(src + self.self_attn(normed, normed, normed, src_mask))
        return self.dropout(x + self.ffn(self.norm_ffn(x)))
    x = self.dropout(self.norm_self(src + self.self_attn(src, src, src, src_mask)))
    return self.dropout(self.norm_ffn(x + self.ffn(x)))


@mistake(
    f"{LAYER}:dropout",
    hint="Behind attention the norm's result is dropped: `dropout` acts before the sum.",
)
def attention_dropped_behind_the_norm(self, src, src_mask=None):
    if self.norm_first:
        return _pre(self, src, src_mask)
    x = self.dropout(self.norm_self(src + self.self_attn(src, src, src, src_mask)))
    return self.norm_ffn(x + self.dropout(self.ffn(x)))


@mistake(f"{LAYER}:dropout", hint="Only attention is dropped: the feed-forward block's output is too.")
def attention_alone_dropped(self, src, src_mask=None):
    if self.norm_first:
        x = src + _attend(self, self.norm_self(src), src_mask)
        return x + self.ffn(self.norm_ffn(x))
    x = self.norm_self(src + _attend(self, src, src_mask))
    return self.norm_ffn(x + self.ffn(x))
