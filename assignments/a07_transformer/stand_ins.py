"""What takes the place of exercises that are not right: the same by calls of the library."""

from typing import Any

import torch
from jaxtyping import Bool, Float
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
    answers = []
    for each in self.heads:
        y, each.weights_softmax = _attended(each.q(query), each.k(key), each.v(value), mask)
        answers.append(y)
    return self.proj(torch.concat(answers, -1))


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
