"""What is asked of `vit.model`."""

from typing import Any

import torch

from exercise_code.support.checking.declare import check

from .common import WHOLE, filled, shapes
from .patch import CUT, EMBED

VIT = "vit.model.ViT."
LAYERS, ENCODER = "attention.layers.", "transformer.encoder.TransformerEncoderLayer."
BLOCKS = [
    CUT,
    EMBED,
    f"{ENCODER}forward",
    f"{LAYERS}MultiHeadAttention.forward",
    f"{LAYERS}LayerNormalization.forward",
    f"{LAYERS}FeedForwardBlock.__init__",
    f"{LAYERS}FeedForwardBlock.forward",
]
WAVES = [
    f"{LAYERS}position_encoding_sinusoid",
    f"{LAYERS}PositionalEncoding.__init__",
    f"{LAYERS}PositionalEncoding.forward",
]
SIZES = {
    # img_size, patch_size, in_channels, embed_dim, num_layers, num_heads, dim_feedforward, num_classes
    "2 x 3 patches": ((4, 6), 2, 3, 8, 2, 4, 5, 7),
    "one layer, 3 patches": ((9, 3), 3, 1, 6, 1, 2, 10, 4),
}


def scores(make, case, **settings) -> dict[str, Any]:
    """Scores out of training, and of one picture while everything is dropped."""
    outputs = {}
    for N, (name, sizes) in enumerate(SIZES.items(), start=2):
        model = filled(make(*sizes, dropout=0.5, **settings), case.numbers(400))
        outputs[name] = model(case.numbers(N, sizes[2], *sizes[0]))
    all_dropped = filled(make(*sizes, dropout=1.0, **settings), case.numbers(400)).train()
    return {**outputs, "all is dropped": all_dropped(case.numbers(1, sizes[2], *sizes[0]))}


@check(
    "vit.model.VisionTransformer.forward",
    points=3,
    uses=[*BLOCKS, *WAVES],
    forbids=[*WHOLE, "torch.nn.TransformerEncoderLayer"],
)
def averaged(code, case):
    """Scores of pictures that are not square, with one layer and with two; dropout in training."""
    return scores(code.vit.model.VisionTransformer, case)


def narrow_law(outputs: dict[str, Any], expected: dict[str, Any]) -> str | None:
    """`cls` and `pos` have a standard deviation of 0.02; wrong by chance with probability below 1e-7.

    The measured one of n normal numbers has a standard deviation of 0.02 / sqrt(2 n), the mean one of
    0.02 / sqrt(n); both are allowed six of them.
    """
    for name in ("cls", "pos"):
        values = outputs[name].double().flatten()
        sd, root = values.std().item(), len(values) ** 0.5
        if sd == 0:
            return f"{name} holds one number everywhere"
        if abs(values.mean().item()) > 6 * max(sd, 0.02) / root:
            return f"{name} has a mean of {values.mean():.2g}, where 0 is due"
        if abs(sd - 0.02) > 6 * 0.02 / (2**0.5 * root):
            return f"{name} spreads too {'far' if sd > 0.02 else 'little'}: {sd:.2g} in place of 0.02"
    return None


@check(f"{VIT}__init__", points=1, law=narrow_law, uses=[f"{LAYERS}FeedForwardBlock.__init__"])
def drawn(code, case):
    """The class token and the positions, for a grid that is not square."""
    model = code.vit.model.ViT((4, 6), 2, 1, 300, num_layers=1, num_heads=1, dim_feedforward=2)
    model.to(case.numbers(1).device)
    return {"cls": model.cls, "pos": model.pos}


@check(f"{VIT}__init__:trained", points=1, uses=[f"{LAYERS}FeedForwardBlock.__init__"])
def trained(code, case):
    """What torch would train, and the pool."""
    make = code.vit.model.ViT
    sizes = {"img_size": (8, 2 * case.integer(5, 9)), "patch_size": 2, "embed_dim": 2 * case.integer(2, 9)}
    model = make(**sizes, num_layers=1, num_heads=2, dim_feedforward=5)
    return {"parameters": shapes(model), "pool": model.pool}


@check(f"{VIT}forward", points=3, uses=[f"{VIT}__init__", *BLOCKS], forbids=WHOLE)
def by_token(code, case):
    """Scores by the class token."""
    return scores(code.vit.model.ViT, case)


@check(f"{VIT}forward:mean", points=1, uses=[f"{VIT}__init__", *BLOCKS], forbids=WHOLE)
def by_mean(code, case):
    """Scores by the mean of the patches."""
    return scores(code.vit.model.ViT, case, pool="mean")


@check(f"{VIT}forward:gradients", points=1, uses=[f"{VIT}__init__", *BLOCKS], forbids=WHOLE)
def learned(code, case):
    """The class token and every position get a gradient."""
    sizes = SIZES["2 x 3 patches"]
    model = filled(code.vit.model.ViT(*sizes, dropout=0.0), case.numbers(400))
    out = model(case.numbers(3, sizes[2], *sizes[0]))
    cls, pos = torch.autograd.grad(out.square().sum(), [model.cls, model.pos])
    return {"gradient of cls": cls, "gradient of pos": pos}
