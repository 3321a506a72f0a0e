"""What takes the place of exercises that are not right: the same by calls of the library."""

from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel

from exercise_code.support.checking.declare import stand_in

SELF, LAYERS = "attention.self_attention.", "attention.layers."


def _attended(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor]:
    """The means, and the weights, which are the means of unit vectors."""
    units = torch.eye(key.shape[1], dtype=key.dtype, device=key.device).expand(len(key), -1, -1)
    keep = None if mask is None else ~mask
    with sdpa_kernel(SDPBackend.MATH):
        y, weights = (
            functional.scaled_dot_product_attention(query, key, values, keep) for values in (value, units)
        )
    return y, weights


def _listed_heads(layer: Any, query: Tensor, key: Tensor, value: Tensor, hidden: Tensor | None) -> Tensor:
    """Heads in a list, each by torch's function."""
    answers = []
    for each in layer.heads:
        y, each.weights_softmax = _attended(each.q(query), each.k(key), each.v(value), hidden)
        answers.append(y)
    return layer.proj(torch.concat(answers, -1))


@stand_in("attention.scaled_dot.scaled_dot_product_no_loop_batch")
def attend(
    query: Float[Tensor, "N K M"],
    key: Float[Tensor, "N S M"],
    value: Float[Tensor, "N S V"],
    mask: Bool[Tensor, "N K S"] | None = None,
) -> tuple[Float[Tensor, "N K V"], Float[Tensor, "N K S"]]:
    """By `functional.scaled_dot_product_attention`."""
    return _attended(query, key, value, mask)


@stand_in(f"{SELF}SelfAttention.__init__")
def head(self: Any, dim_in: int, dim_q: int, dim_v: int) -> None:
    """By `apply`."""
    nn.Module.__init__(self)
    self.q, self.k, self.v = (nn.Linear(dim_in, width) for width in (dim_q, dim_q, dim_v))
    for name, param in self.named_parameters():
        if name.endswith("weight"):
            nn.init.xavier_uniform_(param)
    vars(self).update(weights_softmax=None)


@stand_in(f"{SELF}SelfAttention.forward")
def one_head(
    self: Any, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None
) -> Float[Tensor, "N K dim_v"]:
    """By `functional.scaled_dot_product_attention`."""
    projected = (project(x) for project, x in ((self.q, query), (self.k, key), (self.v, value)))
    y, self.weights_softmax = _attended(*projected, mask)
    return y


@stand_in(f"{SELF}MultiHeadAttention.__init__")
def heads(self: Any, num_heads: int, dim_in: int, dim_out: int) -> None:
    """By the class of a head, whatever its layers are."""
    from exercise_code.attention.self_attention import SelfAttention

    nn.Module.__init__(self)
    self.heads = nn.ModuleList(
        map(SelfAttention, [dim_in] * num_heads, [dim_out] * num_heads, [dim_out] * num_heads)
    )
    self.proj = nn.Linear(in_features=dim_out * num_heads, out_features=dim_in)


@stand_in(f"{SELF}MultiHeadAttention.forward")
def many_heads(
    self: Any, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None
) -> Float[Tensor, "N K M"]:
    """By `functional.scaled_dot_product_attention` for each head."""
    return _listed_heads(self, query, key, value, mask)


def _waves(K: int, M: int) -> Tensor:
    """The imaginary and the real part of turning numbers, a wave for two entries."""
    rates = torch.logspace(0, -2 * ((M - 1) // 2) / M * 4, (M + 1) // 2)
    turns = torch.polar(torch.ones(K, len(rates)), torch.outer(torch.arange(float(K)), rates))
    return torch.view_as_real(turns).flip(-1).flatten(1)[None, :, :M]


@stand_in(f"{LAYERS}position_encoding_sinusoid")
def waves(K: int, M: int) -> Float[Tensor, "1 K M"]:
    """By complex numbers."""
    return _waves(K, M)


@stand_in(f"{LAYERS}PositionalEncoding.__init__")
def positions(self: Any, embed_dim: int, dropout: float = 0.1, max_len: int = 5000) -> None:
    """By the waves above."""
    nn.Module.__init__(self)
    self.register_buffer("pe", _waves(max_len, embed_dim))
    self.add_module("dropout", nn.Dropout(dropout))


@stand_in(f"{LAYERS}PositionalEncoding.forward")
def with_positions(self: Any, x: Float[Tensor, "N S D"]) -> Float[Tensor, "N S D"]:
    """By `narrow`."""
    return self.dropout(torch.add(x, torch.narrow(self.pe, 1, 0, x.size(1))))


@stand_in(f"{LAYERS}FeedForwardBlock.__init__")
def feed(self: Any, inp_dim: int, hidden_dim_feedforward: int) -> None:
    """Two layers."""
    nn.Module.__init__(self)
    for name, sizes in (
        ("fc1", (inp_dim, hidden_dim_feedforward)),
        ("fc2", (hidden_dim_feedforward, inp_dim)),
    ):
        self.add_module(name, nn.Linear(*sizes))


@stand_in(f"{LAYERS}FeedForwardBlock.forward")
def fed(self: Any, x: Float[Tensor, "N K M"]) -> Float[Tensor, "N K M"]:
    """By `nn.Sequential`."""
    return nn.Sequential(self.fc1, nn.ReLU(), self.fc2)(x)


# Blocks, and what is made of them
MANY, NORM = f"{LAYERS}MultiHeadAttention.forward", f"{LAYERS}LayerNormalization.forward"
ENCODER, DECODER = "transformer.encoder.", "transformer.decoder."
SEQ2SEQ, CAPTIONER = "transformer.seq2seq.Transformer.", "transformer.captioning.CaptioningTransformer."


def _split_heads(layer: Any, query: Tensor, key: Tensor, value: Tensor, keep: Tensor | None) -> Tensor:
    """All heads in one projection, by torch's function."""
    projected = (
        functional.linear(x, part.weight, part.bias).unflatten(-1, (layer.num_heads, -1)).movedim(-2, -3)
        for part, x in ((layer.query, query), (layer.key, key), (layer.value, value))
    )
    dropped = layer.attn_drop.p if layer.training else 0.0
    with sdpa_kernel(SDPBackend.MATH):
        y = functional.scaled_dot_product_attention(*projected, attn_mask=keep, dropout_p=dropped)
    return functional.linear(y.movedim(-3, -2).flatten(-2), layer.proj.weight, layer.proj.bias)


def _norm(layer: Any, x: Tensor) -> Tensor:
    return functional.layer_norm(x, x.shape[-1:], layer.gamma, layer.beta, layer.epsilon)


def _fed(layer: Any, x: Tensor) -> Tensor:
    return functional.linear(functional.linear(x, *layer.fc1.parameters()).relu(), *layer.fc2.parameters())


@stand_in(MANY)
def split_heads(
    self: Any,
    query: Float[Tensor, "N S E"],
    key: Float[Tensor, "N T E"],
    value: Float[Tensor, "N T E"],
    attn_mask: Bool[Tensor, "S T"] | None = None,
) -> Float[Tensor, "N S E"]:
    """By `functional.scaled_dot_product_attention`."""
    return _split_heads(self, query, key, value, attn_mask)


@stand_in(NORM)
def normed(self: Any, x: Float[Tensor, "*batch M"]) -> Float[Tensor, "*batch M"]:
    """By `functional.layer_norm`."""
    return _norm(self, x)


def _make_block(block: Any, attentions: list[str], sizes: tuple[int, int, int], dropout: float) -> None:
    """The parts of a block, by the classes that students write, whatever their layers are."""
    from exercise_code.attention import layers, self_attention

    num_heads, width, wide = sizes
    if width // num_heads * num_heads != width:
        raise ValueError("Heads share the numbers evenly.")
    nn.Module.__init__(block)
    for name in attentions:
        block.add_module(name, self_attention.MultiHeadAttention(num_heads, width, width // num_heads))
    for number in range(len(attentions) + 1):
        block.add_module(f"norm{number + 1}", layers.LayerNormalization(width))
    block.add_module("feed_forward", layers.FeedForwardBlock(width, wide))
    block.add_module("dropout", nn.Dropout(dropout))


@stand_in(f"{ENCODER}EncoderBlock.__init__")
def encoder_block(self: Any, num_heads: int, emb_dim: int, feedforward_dim: int, dropout: float) -> None:
    """By `add_module`."""
    _make_block(self, ["MultiHeadBlock"], (num_heads, emb_dim, feedforward_dim), dropout)


@stand_in(f"{ENCODER}EncoderBlock.forward")
def encoded(self: Any, x: Float[Tensor, "N K M"]) -> Float[Tensor, "N K M"]:
    """By `functional.layer_norm` and `functional.scaled_dot_product_attention`."""
    for part, norm in (
        (lambda v: _listed_heads(self.MultiHeadBlock, v, v, v, None), self.norm1),
        (lambda v: _fed(self.feed_forward, v), self.norm2),
    ):
        x = self.dropout(_norm(norm, torch.add(x, part(x))))
    return x


@stand_in(f"{ENCODER}TransformerEncoderLayer.forward")
def layer_read(
    self: Any, src: Float[Tensor, "N S D"], src_mask: Bool[Tensor, "S S"] | None = None
) -> Float[Tensor, "N S D"]:
    """By `functional.layer_norm` and `functional.scaled_dot_product_attention`."""
    for part, norm in (
        (lambda v: _split_heads(self.self_attn, v, v, v, src_mask), self.norm_self),
        (lambda v: _fed(self.ffn, v), self.norm_ffn),
    ):
        before = _norm(norm, src) if self.norm_first else src
        src = torch.add(src, self.dropout(part(before)))
        src = src if self.norm_first else _norm(norm, src)
    return src


@stand_in(f"{DECODER}DecoderBlock.__init__")
def decoder_block(self: Any, num_heads: int, emb_dim: int, feedforward_dim: int, dropout: float) -> None:
    """By `add_module`."""
    names = ["attention_self", "attention_cross"]
    _make_block(self, names, (num_heads, emb_dim, feedforward_dim), dropout)


@stand_in(f"{DECODER}DecoderBlock.forward")
def decoded(
    self: Any,
    dec_inp: Float[Tensor, "N K M"],
    enc_inp: Float[Tensor, "N S M"],
    mask: Bool[Tensor, "N K K"] | None = None,
) -> Float[Tensor, "N K M"]:
    """By `functional.layer_norm` and `functional.scaled_dot_product_attention`."""
    for part, norm in (
        (lambda v: _listed_heads(self.attention_self, v, v, v, mask), self.norm1),
        (lambda v: _listed_heads(self.attention_cross, v, enc_inp, enc_inp, None), self.norm2),
        (lambda v: _fed(self.feed_forward, v), self.norm3),
    ):
        dec_inp = self.dropout(_norm(norm, torch.add(dec_inp, part(dec_inp))))
    return dec_inp


def _layer_written(layer: Any, x: Tensor, memory: Tensor, keep: Tensor | None) -> Tensor:
    for part, norm in (
        (lambda v: _split_heads(layer.self_attn, v, v, v, keep), layer.norm_self),
        (lambda v: _split_heads(layer.cross_attn, v, memory, memory, None), layer.norm_cross),
        (lambda v: _fed(layer.ffn, v), layer.norm_ffn),
    ):
        x = _norm(norm, torch.add(x, layer.dropout(part(x))))
    return x


@stand_in(f"{DECODER}TransformerDecoderLayer.forward")
def layer_written(
    self: Any,
    tgt: Float[Tensor, "N T D"],
    memory: Float[Tensor, "N S D"],
    tgt_mask: Bool[Tensor, "T T"] | None = None,
) -> Float[Tensor, "N T D"]:
    """By `functional.layer_norm` and `functional.scaled_dot_product_attention`."""
    return _layer_written(self, tgt, memory, tgt_mask)


@stand_in("transformer.masks.get_subsequent_mask")
def future(seq: Int[Tensor, "N K"]) -> Bool[Tensor, "N K K"]:
    """By comparing places."""
    places = torch.arange(seq.size(1), device=seq.device)
    return torch.lt(places[:, None], places).expand(len(seq), -1, -1).clone()


@stand_in(f"{SEQ2SEQ}__init__")
def transformer(
    self: Any,
    num_heads: int,
    emb_dim: int,
    feedforward_dim: int,
    dropout: float,
    num_enc_layers: int,
    num_dec_layers: int,
    vocab_len: int,
    weight_tying: bool = False,
) -> None:
    """By `add_module`."""
    from exercise_code.transformer import seq2seq

    nn.Module.__init__(self)
    sizes = num_heads, emb_dim, feedforward_dim
    self.add_module("encoder", seq2seq.Encoder(*sizes, num_enc_layers, dropout))
    self.add_module("decoder", seq2seq.Decoder(*sizes, num_dec_layers, dropout, vocab_len))
    self.add_module("emb_layer", nn.Embedding(vocab_len, emb_dim))
    if weight_tying:
        self.decoder.proj_to_vocab.register_parameter("weight", self.emb_layer.weight)


@stand_in(f"{CAPTIONER}forward")
def captioned(self: Any, features: Float[Tensor, "N D"], captions: Int[Tensor, "N T"]) -> Tensor:
    """By `functional.layer_norm` and `functional.scaled_dot_product_attention`."""
    length = captions.size(1)
    places = torch.arange(length, device=captions.device)
    x = functional.embedding(captions, self.embedding.weight) + self.positional_encoding.pe[0, :length]
    seen = functional.linear(features, *self.visual_projection.parameters())[:, None]
    for each in self.transformer:
        x = _layer_written(each, x, seen, places[:, None] >= places)
    return functional.linear(x, *self.output.parameters())


@stand_in("vit.patch.patchify")
def patches(x: Float[Tensor, "N C H W"], patch_size: int) -> Float[Tensor, "N P D"]:
    """By `functional.unfold`."""
    if any(side % patch_size for side in x.shape[2:]):
        raise ValueError(f"patches of {patch_size} pixels do not fit into {tuple(x.shape[2:])}")
    return functional.unfold(x, patch_size, stride=patch_size).mT


@stand_in("vit.patch.PatchEmbedding.forward")
def patch_vectors(self: Any, x: Float[Tensor, "N C H W"]) -> Float[Tensor, "N P E"]:
    """By `functional.unfold` and `functional.linear`."""
    cut = functional.unfold(x, self.patch_size, stride=self.patch_size).mT
    return functional.linear(cut, self.proj.weight, self.proj.bias)


@stand_in("vit.model.ViT.__init__")
def vision(
    self: Any,
    img_size: int | tuple[int, int] = 32,
    patch_size: int = 8,
    in_channels: int = 3,
    embed_dim: int = 128,
    num_layers: int = 6,
    num_heads: int = 4,
    dim_feedforward: int = 256,
    num_classes: int = 10,
    dropout: float = 0.1,
    pool: str = "cls",
) -> None:
    """By `nn.init.trunc_normal_`, whose cuts at 100 standard deviations never matter."""
    from exercise_code.attention.layers import LayerNormalization
    from exercise_code.transformer.encoder import TransformerEncoderLayer
    from exercise_code.vit.patch import PatchEmbedding

    nn.Module.__init__(self)
    if pool not in ("cls", "mean"):
        raise ValueError(f"there is no pool {pool!r}")
    embed = PatchEmbedding(img_size, patch_size, in_channels, embed_dim)
    self.patch_embed, self.pool, self.dropout = embed, pool, nn.Dropout(dropout)
    sizes = (embed_dim, num_heads, dim_feedforward, dropout, True)
    self.layers = nn.ModuleList(TransformerEncoderLayer(*sizes) for _ in range(num_layers))
    self.norm, self.head = LayerNormalization(embed_dim, 1e-5), nn.Linear(embed_dim, num_classes)
    for name, length in (("cls", 1), ("pos", embed.num_patches + 1)):
        numbers = nn.init.trunc_normal_(torch.empty(1, length, embed_dim), std=0.02)
        self.register_parameter(name, nn.Parameter(numbers))
