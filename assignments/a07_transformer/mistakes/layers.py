"""How people get `attention.layers` wrong, and the hint each mistake deserves."""

import torch
from torch import nn
from torch.nn import functional

from exercise_code.attention.layers import position_encoding_sinusoid
from exercise_code.support.checking.declare import mistake

LAYERS = "attention.layers."
MANY = f"{LAYERS}MultiHeadAttention.forward"
SIMPLE, WAVES = f"{LAYERS}position_encoding_simple", f"{LAYERS}position_encoding_sinusoid"
KEPT, ADDED = f"{LAYERS}PositionalEncoding.__init__", f"{LAYERS}PositionalEncoding.forward"
NORM = f"{LAYERS}LayerNormalization.forward"
MADE, FED = f"{LAYERS}FeedForwardBlock.__init__", f"{LAYERS}FeedForwardBlock.forward"


# Heads
def _split(self, x):
    return x.view(len(x), x.shape[1], self.num_heads, -1).transpose(1, 2)


def _attend(self, query, key, value, attn_mask=None, *, scale=None, split=_split, swap=False, **other):
    N, S, E = query.shape
    q, k, v = (split(self, layer(x)) for layer, x in _pairs(self, query, key, value, swap))
    scores = q @ k.transpose(2, 3) / (scale or (E // self.num_heads) ** 0.5)
    if attn_mask is not None:
        scores = scores.masked_fill(~attn_mask, other.get("hidden", float("-inf")))
    weights = other.get("drop", self.attn_drop)(scores.softmax(dim=3))
    return (weights @ v).transpose(1, 2).reshape(N, S, E)


def _pairs(self, query, key, value, swap):
    second, third = (self.value, self.key) if swap else (self.key, self.value)
    return (self.query, query), (second, key), (third, value)


@mistake(MANY, hint="The scores are divided by sqrt(E): a head's vectors have E / H numbers.")
def scaled_by_all(self, query, key, value, attn_mask=None):
    return self.proj(_attend(self, query, key, value, attn_mask, scale=query.shape[2] ** 0.5))


@mistake(MANY, hint="The scores are not divided by sqrt(E / H).")
def heads_without_scale(self, query, key, value, attn_mask=None):
    return self.proj(_attend(self, query, key, value, attn_mask, scale=1.0))


@mistake(
    MANY,
    hint="`view` to (N, H, S, E/H) cuts across positions: view to (N, S, H, E/H), then transpose.",
)
def split_across(self, query, key, value, attn_mask=None):
    def split(self, x):
        return x.reshape(len(x), self.num_heads, x.shape[1], -1)

    return self.proj(_attend(self, query, key, value, attn_mask, split=split))


@mistake(
    MANY,
    hint="Neither the split nor the join moves an axis: heads share out positions, not numbers.",
)
def split_and_joined_across(self, query, key, value, attn_mask=None):
    def split(self, x):
        return x.reshape(len(x), self.num_heads, x.shape[1], -1)

    mixed = _attend(self, query, key, value, attn_mask, split=split)
    heads = mixed.unflatten(2, (self.num_heads, -1)).transpose(1, 2)
    return self.proj(heads.reshape(query.shape))


@mistake(
    MANY, hint="Numbers are dealt out to the heads in turn, and collected so: those of a head are neighbours."
)
def dealt_out_in_turn(self, query, key, value, attn_mask=None):
    def split(self, x):
        return x.view(len(x), x.shape[1], -1, self.num_heads).permute(0, 3, 1, 2)

    heads = _attend(self, query, key, value, attn_mask, split=split)
    return self.proj(heads.unflatten(2, (self.num_heads, -1)).transpose(2, 3).flatten(2))


@mistake(MANY, hint="Each head takes every H-th number: head h has E / H numbers that lie together.")
def split_alternating(self, query, key, value, attn_mask=None):
    def split(self, x):
        return x.view(len(x), x.shape[1], -1, self.num_heads).permute(0, 3, 1, 2)

    return self.proj(_attend(self, query, key, value, attn_mask, split=split))


@mistake(MANY, hint="The heads are joined without exchanging axes 1 and 2 back, so positions are mixed.")
def joined_across(self, query, key, value, attn_mask=None):
    N, S, E = query.shape
    q, k, v = (_split(self, layer(x)) for layer, x in _pairs(self, query, key, value, False))
    scores = q @ k.transpose(2, 3) / (E // self.num_heads) ** 0.5
    if attn_mask is not None:
        scores = scores.masked_fill(~attn_mask, float("-inf"))
    return self.proj((self.attn_drop(scores.softmax(dim=3)) @ v).reshape(N, S, E))


@mistake(MANY, hint="The last layer is missing: `self.proj` mixes what the heads found.")
def without_proj(self, query, key, value, attn_mask=None):
    return _attend(self, query, key, value, attn_mask)


@mistake(MANY, hint="`self.key` and `self.value` change places.")
def keys_for_values(self, query, key, value, attn_mask=None):
    return self.proj(_attend(self, query, key, value, attn_mask, swap=True))


@mistake(MANY, hint="The values are projected from `key`: `self.value` gets `value`.")
def heads_values_of_keys(self, query, key, value, attn_mask=None):
    return self.proj(_attend(self, query, key, key, attn_mask))


@mistake(
    MANY,
    hint="S and T change places: there are as many results as queries, and the softmax runs over keys.",
    raises=RuntimeError,
)
def sides_swapped(self, query, key, value, attn_mask=None):
    N, S, E = query.shape
    q, k, v = (_split(self, layer(x)) for layer, x in _pairs(self, query, key, value, False))
    scores = k @ q.transpose(2, 3) / (E // self.num_heads) ** 0.5
    return self.proj((self.attn_drop(scores.softmax(dim=3)) @ v).transpose(1, 2).reshape(N, S, E))


@mistake(
    MANY,
    hint="Keys are cut to S positions: there are T of them, so let `view` work that size out.",
    raises=RuntimeError,
)
def as_many_keys_as_queries(self, query, key, value, attn_mask=None):
    def split(module, x):
        return x.view(len(x), query.shape[1], module.num_heads, -1).transpose(1, 2)[..., : query.shape[2]]

    return self.proj(_attend(self, query, key, value, attn_mask, split=split))


@mistake(f"{MANY}:mask", hint="The mask works the wrong way round: False hides here.")
def heads_mask_turned(self, query, key, value, attn_mask=None):
    return self.proj(_attend(self, query, key, value, None if attn_mask is None else ~attn_mask))


@mistake(f"{MANY}:mask", hint="The mask is not used: hidden keys have their weight still.")
def heads_mask_ignored(self, query, key, value, attn_mask=None):
    return self.proj(_attend(self, query, key, value))


@mistake(
    f"{MANY}:mask",
    hint="The mask comes after the softmax: the weights that stay do not sum to 1. Mask the scores.",
)
def heads_mask_late(self, query, key, value, attn_mask=None):
    def drop(weights):
        return weights if attn_mask is None else weights * attn_mask

    return self.proj(_attend(self, query, key, value, drop=drop))


@mistake(f"{MANY}:mask", hint="A hidden score becomes 0, which still weighs: it must be very low.")
def heads_mask_zero(self, query, key, value, attn_mask=None):
    return self.proj(_attend(self, query, key, value, attn_mask, hidden=0))


@mistake(
    f"{MANY}:dropout", hint="The weights are not dropped: `self.attn_drop` acts on them, behind softmax."
)
def heads_without_dropout(self, query, key, value, attn_mask=None):
    return self.proj(_attend(self, query, key, value, attn_mask, drop=lambda weights: weights))


@mistake(f"{MANY}:dropout", hint="The dropout acts on the heads' answers: it belongs on the weights.")
def heads_drop_answers(self, query, key, value, attn_mask=None):
    answers = _attend(self, query, key, value, attn_mask, drop=lambda weights: weights)
    return self.proj(self.attn_drop(answers))


# Positions
@mistake(SIMPLE, hint="The positions end at 1: they are divided by K, not by K - 1.")
def ends_at_one(K, M):
    return (torch.arange(K) / max(K - 1, 1)).view(1, K, 1).repeat(1, 1, M)


@mistake(SIMPLE, hint="The positions are divided by K - 1, which is 0 for one position: divide by K.")
def divided_by_one_less(K, M):
    return (torch.arange(K) / (K - 1)).view(1, K, 1).repeat(1, 1, M)


@mistake(
    SIMPLE,
    hint="1 / K is rounded, so `arange` in such steps may make K + 1 numbers: divide whole numbers by K.",
    raises=RuntimeError,
)
def in_steps(K, M):
    return torch.arange(0, 1.0, 1 / K).repeat(M, 1).T.view(1, K, -1)


@mistake(SIMPLE, hint="The axis of sequences is missing: (1, K, M) is due.")
def simple_without_axis(K, M):
    return (torch.arange(K) / K).view(K, 1).repeat(1, M)


@mistake(SIMPLE, hint="Positions start at 1 here: the first is 0.")
def starts_at_one(K, M):
    return (torch.arange(1, K + 1) / K).view(1, K, 1).repeat(1, 1, M)


@mistake(SIMPLE, hint="The numbers grow along a vector instead of along the positions.")
def along_the_vector(K, M):
    return (torch.arange(M) / M).view(1, 1, M).repeat(1, K, 1)


@mistake(SIMPLE, hint="Only one number comes back for each position; it is due M times.")
def once(K, M):
    return (torch.arange(K) / K).view(1, K, 1)


@mistake(SIMPLE, hint="The positions are not divided by K.")
def not_divided(K, M):
    return torch.arange(K).float().view(1, K, 1).repeat(1, 1, M)


def _waves(K, M, exponent, turned=False):
    j = torch.arange(M)
    angles = torch.arange(K).view(K, 1) * 10000.0 ** exponent(j)
    first, second = (angles.cos(), angles.sin()) if turned else (angles.sin(), angles.cos())
    return torch.where(j % 2 == 0, first, second)[None]


@mistake(
    WAVES, hint="Every wave has frequency 1: the exponent is -2 floor(j / 2) / M, with j / 2 alone rounded."
)
def floored(K, M):
    return _waves(K, M, lambda j: -(2 * (j // 2) // M).float())


@mistake(WAVES, hint="A cosine has another frequency than the sine beside it: both take floor(j / 2).")
def own_frequencies(K, M):
    return _waves(K, M, lambda j: -j / M)


@mistake(WAVES, hint="The exponent is -2j / M: it counts pairs, so j is floor(j / 2) there.")
def entries_for_pairs(K, M):
    return _waves(K, M, lambda j: -2 * j / M)


@mistake(WAVES, hint="The exponent is twice as large as it should be: 2 floor(j / 2) is nearly j.")
def doubled(K, M):
    return _waves(K, M, lambda j: -2 * (2 * (j // 2)) / M)


@mistake(WAVES, hint="The exponent lacks its factor 2: it is -2 floor(j / 2) / M.")
def halved(K, M):
    return _waves(K, M, lambda j: -(j // 2) / M)


@mistake(WAVES, hint="The exponent is positive, so waves become shorter and shorter: it has a minus.")
def rising(K, M):
    return _waves(K, M, lambda j: 2 * (j // 2) / M)


@mistake(WAVES, hint="Sines and cosines change places: sines stand at even j.")
def turned(K, M):
    return _waves(K, M, lambda j: -2 * (j // 2) / M, turned=True)


@mistake(WAVES, hint="All sines come first, then all cosines; here they alternate.")
def in_halves(K, M):
    waves = _waves(K, M, lambda j: -2 * (j // 2) / M)
    return torch.cat([waves[..., ::2], waves[..., 1::2]], dim=2)


@mistake(WAVES, hint="The base is 1000; it is 10000.")
def smaller_base(K, M):
    return _waves(K, M, lambda j: -0.75 * 2 * (j // 2) / M)


@mistake(WAVES, hint="Positions are counted from 1; the first is 0.")
def waves_from_one(K, M):
    return _waves(K + 1, M, lambda j: -2 * (j // 2) / M)[:, 1:]


@mistake(WAVES, hint="The axis of sequences is missing in front: (1, K, M) is due.")
def waves_without_axis(K, M):
    return _waves(K, M, lambda j: -2 * (j // 2) / M)[0]


@mistake(
    WAVES,
    hint="With an odd M there is one sine more than there are cosines.",
    raises=RuntimeError,
)
def even_alone(K, M):
    angles = torch.arange(K).view(K, 1) * 10000.0 ** (-2 * torch.arange((M + 1) // 2) / M)
    waves = torch.zeros(1, K, M)
    waves[0, :, 0::2], waves[0, :, 1::2] = angles.sin(), angles.cos()
    return waves


@mistake(
    WAVES,
    hint="Every second entry from 1 on is a cosine: with an odd M there is one less of them.",
    raises=RuntimeError,
)
def even_alone_with_axis(K, M):
    angles = torch.arange(K).view(K, 1) * 10000.0 ** (-2 * torch.arange((M + 1) // 2) / M)
    waves = torch.zeros(1, K, M)
    waves[:, :, 0::2], waves[:, :, 1::2] = angles.sin(), angles.cos()
    return waves


@mistake(
    KEPT,
    hint="With an odd embed_dim there is one sine more than cosines: `position_encoding_sinusoid` can do it.",
    raises=RuntimeError,
)
def even_dimensions_alone(self, embed_dim, dropout=0.1, max_len=5000):
    nn.Module.__init__(self)
    self.dropout = nn.Dropout(dropout)
    angles = torch.arange(max_len).view(-1, 1) * 10000.0 ** (-torch.arange(0, embed_dim, 2) / embed_dim)
    pe = torch.zeros(1, max_len, embed_dim)
    pe[0, :, 0::2], pe[0, :, 1::2] = angles.sin(), angles.cos()
    self.register_buffer("pe", pe)


@mistake(
    KEPT, hint="An odd embed_dim is refused: `position_encoding_sinusoid` takes any.", raises=AssertionError
)
def odd_refused(self, embed_dim, dropout=0.1, max_len=5000):
    nn.Module.__init__(self)
    assert embed_dim % 2 == 0


@mistake(KEPT, hint="The positions are a parameter, which is trained: register a buffer.")
def as_parameter(self, embed_dim, dropout=0.1, max_len=5000):
    nn.Module.__init__(self)
    self.dropout = nn.Dropout(dropout)
    self.pe = nn.Parameter(position_encoding_sinusoid(max_len, embed_dim))


@mistake(KEPT, hint="The positions are a plain attribute: they neither move with the module nor are saved.")
def as_attribute(self, embed_dim, dropout=0.1, max_len=5000):
    nn.Module.__init__(self)
    self.dropout = nn.Dropout(dropout)
    self.pe = position_encoding_sinusoid(max_len, embed_dim)


@mistake(KEPT, hint="`persistent=False` keeps the buffer out of what is saved.")
def not_saved(self, embed_dim, dropout=0.1, max_len=5000):
    nn.Module.__init__(self)
    self.dropout = nn.Dropout(dropout)
    self.register_buffer("pe", position_encoding_sinusoid(max_len, embed_dim), persistent=False)


@mistake(KEPT, hint="max_len and embed_dim change places: positions come first.")
def sizes_swapped(self, embed_dim, dropout=0.1, max_len=5000):
    nn.Module.__init__(self)
    self.dropout = nn.Dropout(dropout)
    self.register_buffer("pe", position_encoding_sinusoid(embed_dim, max_len))


@mistake(KEPT, hint="The probability is not the one that is asked for: hand `dropout` on.")
def default_dropout(self, embed_dim, dropout=0.1, max_len=5000):
    nn.Module.__init__(self)
    self.dropout = nn.Dropout()
    self.register_buffer("pe", position_encoding_sinusoid(max_len, embed_dim))


@mistake(
    ADDED,
    hint="`pe` has max_len positions along axis 1: add the first S of them alone.",
    raises=RuntimeError,
)
def not_sliced(self, x):
    return self.dropout(x + self.pe)


@mistake(ADDED, hint="The last S positions are added: the first word is at position 0.")
def from_the_end(self, x):
    return self.dropout(x + self.pe[:, -x.shape[1] :])


@mistake(ADDED, hint="As many positions are taken as there are sequences: S is axis 1 of x.")
def as_many_as_sequences(self, x):
    return self.dropout(x + self.pe[:, [min(i, len(x) - 1) for i in range(x.shape[1])]])


@mistake(ADDED, hint="Positions are multiplied: they are added.")
def multiplied(self, x):
    return self.dropout(x * self.pe[:, : x.shape[1]])


@mistake(ADDED, hint="Only positions come back: add them to x.")
def positions_alone(self, x):
    return self.dropout(self.pe[:, : x.shape[1]].expand_as(x))


@mistake(ADDED, hint="Positions are added into x itself, which changes what the caller holds.")
def in_place(self, x):
    x += self.pe[:, : x.shape[1]]
    return self.dropout(x)


@mistake(ADDED, hint="x is multiplied by a root of its width, as other embeddings are: add positions alone.")
def scaled_up(self, x):
    return self.dropout(x * x.shape[2] ** 0.5 + self.pe[:, : x.shape[1]])


@mistake(ADDED, hint="`self.dropout` is not called: it acts on the sum.")
def sum_not_dropped(self, x):
    return x + self.pe[:, : x.shape[1]]


@mistake(ADDED, hint="x alone is dropped: add the positions first, then drop.")
def dropped_before_the_sum(self, x):
    return self.dropout(x) + self.pe[:, : x.shape[1]]


# The rest of the block
def _normalised(self, x, *, dim=-1, unbiased=False, outside=False):
    deviations = x - x.mean(dim=dim, keepdim=True)
    variance = deviations.square().sum(dim=dim, keepdim=True) / (x.shape[dim] - unbiased)
    root = variance.sqrt() + self.epsilon if outside else (variance + self.epsilon).sqrt()
    return deviations / root


@mistake(NORM, hint="The variance is divided by M - 1; it is the mean, divided by M.")
def unbiased(self, x):
    return _normalised(self, x, unbiased=True) * self.gamma + self.beta


@mistake(
    NORM, hint="epsilon is added to the standard deviation: it is added to the variance, under the root."
)
def outside(self, x):
    return _normalised(self, x, outside=True) * self.gamma + self.beta


@mistake(
    NORM,
    hint="`std` is ruled out here: the root of the mean squared deviation, with epsilon under it, is due.",
)
def by_std(self, x):
    std = x.std(dim=-1, keepdim=True, unbiased=False)
    return (x - x.mean(dim=-1, keepdim=True)) / (std + self.epsilon) * self.gamma + self.beta


@mistake(NORM, hint="`var` and `std` are ruled out here: square the deviations, and take their mean.")
def by_var(self, x):
    variance = x.var(dim=-1, keepdim=True, unbiased=False)
    return (x - x.mean(dim=-1, keepdim=True)) / (variance + self.epsilon).sqrt() * self.gamma + self.beta


@mistake(
    NORM, hint="Two axes too many: gamma and beta are of M numbers, which fit the last axis as they are."
)
def with_axes_in_front(self, x):
    return _normalised(self, x) * self.gamma.view(1, 1, -1) + self.beta.view(1, 1, -1)


@mistake(NORM, hint="The first axis is normalised: each vector has a mean of its own, over the last axis.")
def over_the_batch(self, x):
    return _normalised(self, x, dim=0) * self.gamma + self.beta


@mistake(NORM, hint="Axis 1 is not always the last: count from the end, -1.", raises=IndexError)
def over_axis_one(self, x):
    return _normalised(self, x, dim=1) * self.gamma + self.beta


@mistake(NORM, hint="All numbers share a mean and a variance: each vector has its own, over the last axis.")
def over_everything(self, x):
    deviations = x - x.mean()
    return deviations / (deviations.square().mean() + self.epsilon).sqrt() * self.gamma + self.beta


@mistake(NORM, hint="The epsilon that was asked for is not used: add `self.epsilon` to the variance.")
def epsilon_ignored(self, x):
    deviations = x - x.mean(dim=-1, keepdim=True)
    variance = deviations.square().mean(dim=-1, keepdim=True)
    return deviations / (variance + 1e-5).sqrt() * self.gamma + self.beta


@mistake(NORM, hint="The mean is subtracted from x in place, which changes what the caller holds.")
def normalised_in_place(self, x):
    x -= x.mean(dim=-1, keepdim=True)
    variance = x.square().mean(dim=-1, keepdim=True)
    return x / (variance + self.epsilon).sqrt() * self.gamma + self.beta


@mistake(NORM, hint="gamma and beta are not used.")
def bare(self, x):
    return _normalised(self, x)


@mistake(NORM, hint="beta is missing: it is added last.")
def without_beta(self, x):
    return _normalised(self, x) * self.gamma


@mistake(NORM, hint="beta is scaled too: multiply by gamma first, then add beta.")
def beta_first(self, x):
    return (_normalised(self, x) + self.beta) * self.gamma


@mistake(NORM, hint="This divides by the variance: take its root.")
def by_variance(self, x):
    deviations = x - x.mean(dim=-1, keepdim=True)
    return deviations / (deviations.square().mean(-1, keepdim=True) + self.epsilon) * self.gamma + self.beta


@mistake(NORM, hint="The mean of x is not subtracted before gamma: only its size is normalised.")
def mean_kept(self, x):
    deviations = x - x.mean(dim=-1, keepdim=True)
    root = (deviations.square().mean(dim=-1, keepdim=True) + self.epsilon).sqrt()
    return x / root * self.gamma + self.beta


@mistake(NORM, hint="The mean lost its axis: keepdim=True keeps it for broadcasting.", raises=RuntimeError)
def without_keepdim(self, x):
    deviations = x - x.mean(dim=-1)
    return deviations / (deviations.square().mean(dim=-1) + self.epsilon).sqrt() * self.gamma + self.beta


@mistake(MADE, hint="Both layers keep the width: fc1 leads to hidden_dim_feedforward, fc2 back.")
def same_width(self, inp_dim, hidden_dim_feedforward):
    nn.Module.__init__(self)
    self.fc1, self.fc2 = nn.Linear(inp_dim, inp_dim), nn.Linear(inp_dim, inp_dim)


@mistake(MADE, hint="The two layers change places: fc1 leads to hidden_dim_feedforward, fc2 back.")
def layers_swapped(self, inp_dim, hidden_dim_feedforward):
    nn.Module.__init__(self)
    self.fc1 = nn.Linear(hidden_dim_feedforward, inp_dim)
    self.fc2 = nn.Linear(inp_dim, hidden_dim_feedforward)


@mistake(MADE, hint="The layers have no biases here.")
def feed_without_biases(self, inp_dim, hidden_dim_feedforward):
    nn.Module.__init__(self)
    self.fc1 = nn.Linear(inp_dim, hidden_dim_feedforward, bias=False)
    self.fc2 = nn.Linear(hidden_dim_feedforward, inp_dim, bias=False)


@mistake(MADE, hint="fc2 keeps the wide vectors: it leads back to inp_dim.")
def stays_wide(self, inp_dim, hidden_dim_feedforward):
    nn.Module.__init__(self)
    self.fc1 = nn.Linear(inp_dim, hidden_dim_feedforward)
    self.fc2 = nn.Linear(hidden_dim_feedforward, hidden_dim_feedforward)


@mistake(FED, hint="A ReLU at the end lets no negative number out: it stands between the layers alone.")
def relu_at_the_end(self, x):
    return functional.relu(self.fc2(functional.relu(self.fc1(x))))


@mistake(FED, hint="There is no ReLU, so two layers are no more than one.")
def without_relu(self, x):
    return self.fc2(self.fc1(x))


@mistake(FED, hint="The ReLU stands behind both layers; it belongs between them.")
def relu_last(self, x):
    return functional.relu(self.fc2(self.fc1(x)))


@mistake(FED, hint="x is added at the end: the residual connection comes later, in the block.")
def feed_with_residual(self, x):
    return x + self.fc2(functional.relu(self.fc1(x)))


@mistake(FED, hint="Another function than ReLU stands between the layers, such as GELU.")
def with_gelu(self, x):
    return self.fc2(functional.gelu(self.fc1(x)))
