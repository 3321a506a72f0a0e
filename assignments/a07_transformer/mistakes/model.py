"""How people get `vit.model` wrong, and the hint each mistake deserves."""

import torch
from torch import nn

from exercise_code.attention.layers import LayerNormalization
from exercise_code.support.checking.declare import mistake
from exercise_code.transformer.encoder import TransformerEncoderLayer
from exercise_code.vit.patch import PatchEmbedding

AVERAGED, VIT = "vit.model.VisionTransformer.forward", "vit.model.ViT."
MADE, FORWARD = f"{VIT}__init__", f"{VIT}forward"


def _through(layers, tokens):
    for layer in layers:
        tokens = layer(tokens)
    return tokens


@mistake(AVERAGED, hint="The mean is taken before the layers, which then see one token: take it after them.")
def averaged_too_early(self, x):
    tokens = self.positional_encoding(self.patch_embed(x)).mean(dim=1, keepdim=True)
    return self.head(_through(self.layers, tokens)[:, 0])


@mistake(AVERAGED, hint="No positions are added: the patches could be in any order.")
def without_positions(self, x):
    return self.head(_through(self.layers, self.patch_embed(x)).mean(dim=1))


@mistake(AVERAGED, hint="Positions are added by hand, without the dropout: call `self.positional_encoding`.")
def positions_without_dropout(self, x):
    tokens = self.patch_embed(x)
    tokens = tokens + self.positional_encoding.pe[:, : tokens.shape[1]]
    return self.head(_through(self.layers, tokens).mean(dim=1))


@mistake(AVERAGED, hint="The first patch alone is classified: average over all patches.")
def first_patch(self, x):
    tokens = self.positional_encoding(self.patch_embed(x))
    return self.head(_through(self.layers, tokens)[:, 0])


@mistake(AVERAGED, hint="The last patch alone is classified: average over all patches.")
def last_patch(self, x):
    tokens = self.positional_encoding(self.patch_embed(x))
    return self.head(_through(self.layers, tokens)[:, -1])


@mistake(AVERAGED, hint="The largest number over patches is taken: it is the mean.")
def largest_of_patches(self, x):
    tokens = self.positional_encoding(self.patch_embed(x))
    return self.head(_through(self.layers, tokens).amax(dim=1))


@mistake(AVERAGED, hint="Each patch has scores of its own: average over axis 1 before `head`.")
def scores_of_patches(self, x):
    return self.head(_through(self.layers, self.positional_encoding(self.patch_embed(x))))


@mistake(AVERAGED, hint="Only one layer is used: go through all of `self.layers`.")
def one_layer(self, x):
    return self.head(self.layers[0](self.positional_encoding(self.patch_embed(x))).mean(dim=1))


@mistake(AVERAGED, hint="Every layer gets the embedded patches: each takes what the one before gave.")
def layers_not_chained(self, x):
    embedded = self.positional_encoding(self.patch_embed(x))
    for layer in self.layers:
        tokens = layer(embedded)
    return self.head(tokens.mean(dim=1))


@mistake(AVERAGED, hint="The mean is over the pictures of the batch: patches are axis 1.")
def averaged_over_the_batch(self, x):
    tokens = _through(self.layers, self.positional_encoding(self.patch_embed(x))).mean(dim=0)
    return self.head(tokens.view(len(x), -1, self.head.in_features)[:, 0])


@mistake(AVERAGED, hint="A softmax is taken of the scores: the loss does that.")
def with_softmax(self, x):
    tokens = _through(self.layers, self.positional_encoding(self.patch_embed(x)))
    return self.head(tokens.mean(dim=1)).softmax(dim=1)


def _parts(self, patches, depth, heads, num_classes, dropout, pool):
    """All but the class token and the positions."""
    nn.Module.__init__(self)
    if pool not in ("cls", "mean"):
        raise ValueError("The pool is unknown.")
    self.pool, width = pool, patches[-1]
    self.patch_embed = PatchEmbedding(*patches)
    self.dropout = nn.Dropout(dropout)
    self.layers = nn.ModuleList(TransformerEncoderLayer(width, *heads, dropout, True) for _ in range(depth))
    self.norm = LayerNormalization(width, epsilon=1e-5)
    self.head = nn.Linear(width, num_classes)
    return self.patch_embed.num_patches, width


@mistake(
    f"{MADE}:trained", hint="There are P positions: the class token needs one as well, which makes P + 1."
)
def no_position_for_the_token(
    self,
    img_size=32,
    patch_size=8,
    in_channels=3,
    embed_dim=128,
    num_layers=6,
    num_heads=4,
    dim_feedforward=256,
    num_classes=10,
    dropout=0.1,
    pool="cls",
):
    patches, heads = (img_size, patch_size, in_channels, embed_dim), (num_heads, dim_feedforward)
    num, width = _parts(self, patches, num_layers, heads, num_classes, dropout, pool)
    self.cls = nn.Parameter(torch.randn(1, 1, width) / 50)
    self.pos = nn.Parameter(torch.randn(1, num, width) / 50)


@mistake(f"{MADE}:trained", hint="`cls` is no parameter, so no optimiser knows it: wrap it in nn.Parameter.")
def cls_not_trained(
    self,
    img_size=32,
    patch_size=8,
    in_channels=3,
    embed_dim=128,
    num_layers=6,
    num_heads=4,
    dim_feedforward=256,
    num_classes=10,
    dropout=0.1,
    pool="cls",
):
    patches, heads = (img_size, patch_size, in_channels, embed_dim), (num_heads, dim_feedforward)
    num, width = _parts(self, patches, num_layers, heads, num_classes, dropout, pool)
    self.cls = torch.randn(1, 1, width) / 50
    self.pos = nn.Parameter(torch.randn(1, num + 1, width) / 50)


@mistake(
    f"{MADE}:trained", hint="`pos` is a buffer: these positions are learned, so they are an nn.Parameter."
)
def pos_as_buffer(
    self,
    img_size=32,
    patch_size=8,
    in_channels=3,
    embed_dim=128,
    num_layers=6,
    num_heads=4,
    dim_feedforward=256,
    num_classes=10,
    dropout=0.1,
    pool="cls",
):
    patches, heads = (img_size, patch_size, in_channels, embed_dim), (num_heads, dim_feedforward)
    num, width = _parts(self, patches, num_layers, heads, num_classes, dropout, pool)
    self.cls = nn.Parameter(torch.randn(1, 1, width) / 50)
    self.register_buffer("pos", torch.randn(1, num + 1, width) / 50)


@mistake(f"{MADE}:trained", hint="`cls` is a plain vector: it has the shape (1, 1, E), ready to be expanded.")
def token_without_axes(
    self,
    img_size=32,
    patch_size=8,
    in_channels=3,
    embed_dim=128,
    num_layers=6,
    num_heads=4,
    dim_feedforward=256,
    num_classes=10,
    dropout=0.1,
    pool="cls",
):
    patches, heads = (img_size, patch_size, in_channels, embed_dim), (num_heads, dim_feedforward)
    num, width = _parts(self, patches, num_layers, heads, num_classes, dropout, pool)
    self.cls = nn.Parameter(torch.randn(width) / 50)
    self.pos = nn.Parameter(torch.randn(1, num + 1, width) / 50)


@mistake(f"{MADE}:trained", hint="`pos` lacks the axis of pictures in front: (1, P + 1, E) is due.")
def positions_without_batch_axis(
    self,
    img_size=32,
    patch_size=8,
    in_channels=3,
    embed_dim=128,
    num_layers=6,
    num_heads=4,
    dim_feedforward=256,
    num_classes=10,
    dropout=0.1,
    pool="cls",
):
    patches, heads = (img_size, patch_size, in_channels, embed_dim), (num_heads, dim_feedforward)
    num, width = _parts(self, patches, num_layers, heads, num_classes, dropout, pool)
    self.cls = nn.Parameter(torch.randn(1, 1, width) / 50)
    self.pos = nn.Parameter(torch.randn(num + 1, width) / 50)


@mistake(f"{MADE}:trained", hint="There are P class tokens: one is due.")
def a_token_for_each_patch(
    self,
    img_size=32,
    patch_size=8,
    in_channels=3,
    embed_dim=128,
    num_layers=6,
    num_heads=4,
    dim_feedforward=256,
    num_classes=10,
    dropout=0.1,
    pool="cls",
):
    patches, heads = (img_size, patch_size, in_channels, embed_dim), (num_heads, dim_feedforward)
    num, width = _parts(self, patches, num_layers, heads, num_classes, dropout, pool)
    self.cls = nn.Parameter(torch.randn(1, num, width) / 50)
    self.pos = nn.Parameter(torch.randn(1, num + 1, width) / 50)


@mistake(MADE, hint="The numbers have standard deviation 1, fifty times too large: multiply by 0.02.")
def standard_normal(
    self,
    img_size=32,
    patch_size=8,
    in_channels=3,
    embed_dim=128,
    num_layers=6,
    num_heads=4,
    dim_feedforward=256,
    num_classes=10,
    dropout=0.1,
    pool="cls",
):
    patches, heads = (img_size, patch_size, in_channels, embed_dim), (num_heads, dim_feedforward)
    num, width = _parts(self, patches, num_layers, heads, num_classes, dropout, pool)
    self.cls = nn.Parameter(torch.randn(1, 1, width))
    self.pos = nn.Parameter(torch.randn(1, num + 1, width))


@mistake(MADE, hint="Class token and positions start at 0: draw them from a normal distribution.")
def started_at_zero(
    self,
    img_size=32,
    patch_size=8,
    in_channels=3,
    embed_dim=128,
    num_layers=6,
    num_heads=4,
    dim_feedforward=256,
    num_classes=10,
    dropout=0.1,
    pool="cls",
):
    patches, heads = (img_size, patch_size, in_channels, embed_dim), (num_heads, dim_feedforward)
    num, width = _parts(self, patches, num_layers, heads, num_classes, dropout, pool)
    self.cls = nn.Parameter(torch.zeros(1, 1, width))
    self.pos = nn.Parameter(torch.zeros(1, num + 1, width))


@mistake(MADE, hint="The numbers are even between 0 and 0.02: `torch.rand` is no normal distribution.")
def drawn_evenly(
    self,
    img_size=32,
    patch_size=8,
    in_channels=3,
    embed_dim=128,
    num_layers=6,
    num_heads=4,
    dim_feedforward=256,
    num_classes=10,
    dropout=0.1,
    pool="cls",
):
    patches, heads = (img_size, patch_size, in_channels, embed_dim), (num_heads, dim_feedforward)
    num, width = _parts(self, patches, num_layers, heads, num_classes, dropout, pool)
    self.cls = nn.Parameter(torch.rand(1, 1, width) / 50)
    self.pos = nn.Parameter(torch.rand(1, num + 1, width) / 50)


# Forward
def _tokens(self, x, *, before=True, drop=True, positions=True):
    """What goes into the layers."""
    patches, cls = self.patch_embed(x), self.cls.repeat(len(x), 1, 1)
    tokens = torch.cat([cls, patches] if before else [patches, cls], dim=1)
    tokens = tokens + self.pos if positions else tokens
    return self.dropout(tokens) if drop else tokens


def _classified(self, tokens, *, token=0, first=1):
    return self.head(tokens[:, token] if self.pool == "cls" else tokens[:, first:].mean(dim=1))


@mistake(FORWARD, hint="The class token is put behind the patches: it comes first, at position 0.")
def token_last(self, x):
    tokens = self.norm(_through(self.layers, _tokens(self, x, before=False)))
    return self.head(tokens[:, -1] if self.pool == "cls" else tokens[:, :-1].mean(dim=1))


@mistake(FORWARD, hint="The last token is classified, which is a patch: the class token is the first.")
def last_token_classified(self, x):
    return _classified(self, self.norm(_through(self.layers, _tokens(self, x))), token=-1)


@mistake(FORWARD, hint="Token 1 is classified, which is the first patch: the class token is at place 0.")
def first_patch_classified(self, x):
    return _classified(self, self.norm(_through(self.layers, _tokens(self, x))), token=1)


@mistake(FORWARD, hint="No positions are added: the patches could be in any order.")
def vit_without_positions(self, x):
    return _classified(self, self.norm(_through(self.layers, _tokens(self, x, positions=False))))


@mistake(FORWARD, hint="Only the patches get positions, shifted by one: the class token takes position 0.")
def positions_of_patches_alone(self, x):
    patches = self.patch_embed(x) + self.pos[:, :-1]
    tokens = torch.cat([self.cls.repeat(len(x), 1, 1), patches], dim=1)
    return _classified(self, self.norm(_through(self.layers, self.dropout(tokens))))


@mistake(FORWARD, hint="The class token gets no position: pos[:, 0] is its own, the others are the patches'.")
def token_without_position(self, x):
    patches = self.patch_embed(x) + self.pos[:, 1:]
    tokens = torch.cat([self.cls.repeat(len(x), 1, 1), patches], dim=1)
    return _classified(self, self.norm(_through(self.layers, self.dropout(tokens))))


@mistake(FORWARD, hint="The class token stands last, and the first patch is classified: put it first.")
def token_last_patch_classified(self, x):
    return _classified(self, self.norm(_through(self.layers, _tokens(self, x, before=False))))


@mistake(FORWARD, hint="`self.dropout` is not used: it acts on tokens and positions, before the layers.")
def tokens_not_dropped(self, x):
    return _classified(self, self.norm(_through(self.layers, _tokens(self, x, drop=False))))


@mistake(FORWARD, hint="`self.norm` is missing: it comes after the last layer.")
def without_last_norm(self, x):
    return _classified(self, _through(self.layers, _tokens(self, x)))


@mistake(FORWARD, hint="`self.norm` comes before the layers: it belongs after the last one.")
def norm_first_of_all(self, x):
    return _classified(self, _through(self.layers, self.norm(_tokens(self, x))))


@mistake(
    FORWARD,
    hint="The class token is not expanded: `cat` needs one for each picture.",
    raises=RuntimeError,
)
def token_not_expanded(self, x):
    tokens = self.dropout(torch.cat([self.cls, self.patch_embed(x)], dim=1) + self.pos)
    return _classified(self, self.norm(_through(self.layers, tokens)))


@mistake(FORWARD, hint="The mean is classified although pool is 'cls'.")
def always_the_mean(self, x):
    return self.head(self.norm(_through(self.layers, _tokens(self, x)))[:, 1:].mean(dim=1))


@mistake(f"{FORWARD}:mean", hint="The class token is part of the mean: average over the P patches alone.")
def token_in_the_mean(self, x):
    return _classified(self, self.norm(_through(self.layers, _tokens(self, x))), first=0)


@mistake(f"{FORWARD}:mean", hint="`self.pool` is not looked at: with 'mean', the mean of the patches counts.")
def always_the_token(self, x):
    return self.head(self.norm(_through(self.layers, _tokens(self, x)))[:, 0])


@mistake(f"{FORWARD}:mean", hint="`keepdim` leaves an axis of one patch: the scores are (N, K).")
def mean_with_its_axis(self, x):
    tokens = self.norm(_through(self.layers, _tokens(self, x)))
    return self.head(tokens[:, 0] if self.pool == "cls" else tokens[:, 1:].mean(dim=1, keepdim=True))


@mistake(f"{FORWARD}:mean", hint="The last patch is missing from the mean: only the class token is left out.")
def last_patch_missing(self, x):
    tokens = self.norm(_through(self.layers, _tokens(self, x)))
    return self.head(tokens[:, 0] if self.pool == "cls" else tokens[:, :-1].mean(dim=1))


@mistake(
    f"{FORWARD}:gradients",
    hint="`detach` or `.data` cuts the positions off the graph: add the parameter itself.",
    raises=RuntimeError,
)
def positions_detached(self, x):
    tokens = torch.cat([self.cls.repeat(len(x), 1, 1), self.patch_embed(x)], dim=1) + self.pos.detach()
    return _classified(self, self.norm(_through(self.layers, self.dropout(tokens))))


@mistake(
    f"{FORWARD}:gradients",
    hint="`detach` or `.data` cuts the class token off the graph: expand the parameter itself.",
    raises=RuntimeError,
)
def token_detached(self, x):
    tokens = torch.cat([self.cls.data.repeat(len(x), 1, 1), self.patch_embed(x)], dim=1) + self.pos
    return _classified(self, self.norm(_through(self.layers, self.dropout(tokens))))
