"""What is asked of `transformer.encoder`."""

from typing import Any

import torch

from exercise_code.support.checking.declare import check

from .common import WHOLE, filled, shapes

ENCODER = "transformer.encoder."
BLOCK = f"{ENCODER}EncoderBlock."
LIST = "attention.self_attention.MultiHeadAttention."
HEADS = "attention.layers.MultiHeadAttention.forward"
FEED, NORM = "attention.layers.FeedForwardBlock.", "attention.layers.LayerNormalization.forward"
PARTS_MADE = [f"{LIST}__init__", f"{FEED}__init__"]
PARTS = [*PARTS_MADE, f"{LIST}forward", f"{FEED}forward", NORM]
SIZES = {
    # N, K, heads, M, feed-forward
    "3 heads": (2, 4, 3, 6, 5),
    "2 heads": (1, 3, 2, 4, 9),
    "one position": (3, 1, 1, 5, 7),
}


def made(code, block: Any, case) -> dict[str, Any]:
    """The parameters of a block whose sizes all differ, its probability, and what it refuses."""
    heads, width, feed = case.integer(2, 4), case.integer(3, 9), case.integer(40, 60)
    several = block(heads, heads * width, feed, 0.3)
    outputs = {"parameters": shapes(several), "one head": shapes(block(1, 7, 3, 0.0))}
    outputs["probability of dropping"] = several.dropout.p
    try:
        block(3, 8, 5, 0.0)
        outputs["8 numbers for 3 heads"] = "are accepted"
    except ValueError:
        outputs["8 numbers for 3 heads"] = "raise ValueError"
    return outputs


def with_ones(block: Any, like: torch.Tensor, ones: list[str]) -> Any:
    """A block in the dtype of some numbers, in training: some parameters are 1, all others 0."""
    block.to(like.device, like.dtype)
    with torch.no_grad():
        for name, param in block.named_parameters():
            param.fill_(float(name in ones))
    return block


def dropped_outputs_law(outputs: dict[str, Any], expected: dict[str, Any]) -> str | None:
    """About 0.4 of 2,400 outputs are 0 in each run, which shows one place where numbers are dropped.

    A place before the last norm gets ones, of which some are dropped: without it the norm makes zeros of all.
    The share of zeros is 0.4 with a standard deviation of 0.01, but for rows in which all twelve are kept
    (probability 0.002 each); 0.08 away is more than seven of them, with a probability below 1e-10.
    """
    faults = []
    for place, out in outputs.items():
        share = (out == 0).double().mean().item()
        if share in (0, 1):
            faults.append(f"nothing is dropped {'at the end' if share == 0 else place}")
        elif abs(share - 0.4) > 0.08:
            faults.append(f"other numbers than those {place} are dropped")
    return "; ".join(dict.fromkeys(faults)) or None


def shares_law(outputs: dict[str, Any], expected: dict[str, Any]) -> str | None:
    """About 0.6 of 2,400 numbers are kept of what a part adds, so that they lie above 0; ones stay ones.

    The share above 0 is 0.6 with a standard deviation of 0.01, less the rows in which all twelve are kept
    (probability 0.002 each); 0.08 away is more than seven of them, with a probability below 1e-10.
    """
    faults = []
    for name, out in outputs.items():
        kept = (out > 1e-3).double().mean().item()
        if name == "behind the last norm":
            faults += ["what the last norm makes is dropped"] * bool(kept < 1)
        elif kept in (0, 1):
            faults.append(f"{name}: nothing is dropped")
        elif abs(kept - 0.6) > 0.08:
            faults.append(f"{name}: other numbers are dropped than those that are added")
    return "; ".join(faults) or None


@check(f"{BLOCK}__init__", points=2, uses=PARTS_MADE)
def block_made(code, case):
    """Heads share the width; two norms; a width that cannot be shared is refused."""
    return made(code, code.transformer.encoder.EncoderBlock, case)


@check(f"{BLOCK}forward", points=3, uses=[f"{BLOCK}__init__", *PARTS])
def block_read(code, case):
    """Several heads and positions, nothing dropped; the norms scale and shift."""
    outputs = {}
    for name, (N, K, heads, M, feed) in SIZES.items():
        block = filled(code.transformer.encoder.EncoderBlock(heads, M, feed, 0.5), case.numbers(400))
        outputs[name] = block(case.numbers(N, K, M))
    return outputs


@check(f"{BLOCK}forward:dropout", points=1, uses=[f"{BLOCK}__init__", *PARTS], law=dropped_outputs_law)
def block_dropped(code, case):
    """In training, `dropout` acts after either norm."""
    outputs = {}
    x = case.numbers(4, 50, 12)
    for place, ones in (("after the first norm", "norm1.beta"), ("after the second norm", "norm2.beta")):
        block = code.transformer.encoder.EncoderBlock(2, 12, 5, 0.4)
        outputs[place] = with_ones(block, x, [ones, "norm2.gamma"])(x)
    return outputs


LAYER = f"{ENCODER}TransformerEncoderLayer.forward"
LAYER_USES = [HEADS, *(f"{FEED}{part}" for part in ("__init__", "forward")), NORM]
LAYER_FORBIDS = [*WHOLE, "torch.nn.TransformerEncoderLayer"]


def _layer(code, case, norm_first: bool, N: int, S: int, heads: int, D: int, feed: int) -> Any:
    make = code.transformer.encoder.TransformerEncoderLayer
    return filled(make(D, heads, feed, 0.5, norm_first), case.numbers(400)), case.numbers(N, S, D)


@check(LAYER, points=3, uses=LAYER_USES, forbids=LAYER_FORBIDS)
def layer_read(code, case):
    """Norms after the sums and before the parts, nothing masked or dropped."""
    outputs = {}
    for name, sizes in SIZES.items():
        for norm_first in (False, True):
            layer, src = _layer(code, case, norm_first, *sizes)
            outputs[f"{name}, norm_first={norm_first}"] = layer(src)
    return outputs


@check(f"{LAYER}:mask", points=1, uses=LAYER_USES, forbids=LAYER_FORBIDS)
def layer_masked(code, case):
    """False hides, in either order; a mask of True hides nothing."""
    outputs = {}
    for norm_first in (False, True):
        layer, src = _layer(code, case, norm_first, 2, 4, 3, 6, 5)
        some = [[j <= i or j == 2 for j in range(4)] for i in range(4)]
        outputs[f"some hidden, norm_first={norm_first}"] = layer(src, case.tensor(some))
        outputs[f"none hidden, norm_first={norm_first}"] = layer(src, case.tensor([[True] * 4] * 4))
    return outputs


@check(f"{LAYER}:dropout", points=1, uses=LAYER_USES, forbids=LAYER_FORBIDS, law=shares_law)
def layer_dropped(code, case):
    """In training, what attention and feed-forward add is dropped, before the sum."""
    outputs = {}
    src, make = case.tensor([[[0.0] * 12] * 50] * 4), code.transformer.encoder.TransformerEncoderLayer
    norms = ["norm_self.gamma", "norm_ffn.gamma"]
    for name, ones in (("attention", "self_attn.proj.bias"), ("feed-forward", "ffn.fc2.bias")):
        for norm_first in (False, True):
            layer = with_ones(make(12, 2, 5, 0.4, norm_first), src, [ones, *norms])
            outputs[f"{name}, norm_first={norm_first}"] = layer(src)
    outputs["behind the last norm"] = with_ones(make(12, 2, 5, 0.4), src, ["norm_ffn.beta"])(src)
    return outputs
