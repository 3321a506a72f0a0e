"""What is asked of `transformer.decoder`."""

from exercise_code.support.checking.declare import check

from .common import WHOLE, filled
from .encoder import FEED, HEADS, NORM, PARTS, PARTS_MADE, dropped_outputs_law, made, shares_law, with_ones

DECODER = "transformer.decoder."
BLOCK = f"{DECODER}DecoderBlock."
SIZES = {
    # N, K, S, heads, M, feed-forward
    "3 heads": (2, 4, 5, 3, 6, 7),
    "2 heads": (1, 3, 2, 2, 4, 9),
    "one word": (3, 1, 4, 1, 5, 2),
}


@check(f"{BLOCK}__init__", points=2, uses=PARTS_MADE)
def block_made(code, case):
    """Two attentions and three norms; a width that cannot be shared is refused."""
    return made(code, code.transformer.decoder.DecoderBlock, case)


def _block(code, case, N, K, S, heads, M, feed):
    block = filled(code.transformer.decoder.DecoderBlock(heads, M, feed, 0.5), case.numbers(700))
    return block, case.numbers(N, K, M), case.numbers(N, S, M)


@check(f"{BLOCK}forward", points=3, uses=[f"{BLOCK}__init__", *PARTS])
def block_written(code, case):
    """More and fewer words than the encoder has read, without a mask; nothing dropped."""
    outputs = {}
    for name, sizes in SIZES.items():
        block, dec_inp, enc_inp = _block(code, case, *sizes)
        outputs[name] = block(dec_inp, enc_inp)
    return outputs


@check(f"{BLOCK}forward:mask", points=2, uses=[f"{BLOCK}__init__", *PARTS])
def block_masked(code, case):
    """True hides, for each sequence by itself; a mask of False hides nothing."""
    outputs = {}
    for name, (N, K, *rest) in SIZES.items():
        block, dec_inp, enc_inp = _block(code, case, N, K, *rest)
        some = [[[j > i and (i + j + n) % 3 > 0 for j in range(K)] for i in range(K)] for n in range(N)]
        outputs[f"{name}, some hidden"] = block(dec_inp, enc_inp, case.tensor(some))
        outputs[f"{name}, none hidden"] = block(dec_inp, enc_inp, case.tensor([[[False] * K] * K] * N))
    return outputs


@check(f"{BLOCK}forward:dropout", points=1, uses=[f"{BLOCK}__init__", *PARTS], law=dropped_outputs_law)
def block_dropped(code, case):
    """In training, `dropout` acts after each of the norms."""
    outputs = {}
    dec_inp, enc_inp = case.numbers(4, 50, 12), case.numbers(4, 3, 12)
    for place, name in enumerate(("first", "second", "third"), start=1):
        block = code.transformer.decoder.DecoderBlock(2, 12, 5, 0.4)
        ones = [f"norm{place}.beta", *(f"norm{later}.gamma" for later in range(place + 1, 4))]
        outputs[f"after the {name} norm"] = with_ones(block, dec_inp, ones)(dec_inp, enc_inp)
    return outputs


LAYER = f"{DECODER}TransformerDecoderLayer.forward"
LAYER_USES = [HEADS, f"{FEED}__init__", f"{FEED}forward", NORM]
LAYER_FORBIDS = [*WHOLE, "torch.nn.TransformerDecoderLayer"]


def _layer(code, case, N, K, S, heads, D, feed):
    make = code.transformer.decoder.TransformerDecoderLayer
    return filled(make(D, heads, feed, 0.5), case.numbers(700)), case.numbers(N, K, D), case.numbers(N, S, D)


@check(LAYER, points=3, uses=LAYER_USES, forbids=LAYER_FORBIDS)
def layer_written(code, case):
    """More and fewer words than vectors in the memory, without a mask; nothing dropped."""
    outputs = {}
    for name, sizes in SIZES.items():
        layer, tgt, memory = _layer(code, case, *sizes)
        outputs[name] = layer(tgt, memory)
    return outputs


@check(f"{LAYER}:mask", points=1, uses=LAYER_USES, forbids=LAYER_FORBIDS)
def layer_masked(code, case):
    """False hides; a mask of True hides nothing."""
    outputs = {}
    for name, (N, K, *rest) in SIZES.items():
        layer, tgt, memory = _layer(code, case, N, K, *rest)
        some = [[j <= i or (i + j) % 3 == 0 for j in range(K)] for i in range(K)]
        outputs[f"{name}, some hidden"] = layer(tgt, memory, case.tensor(some))
        outputs[f"{name}, none hidden"] = layer(tgt, memory, case.tensor([[True] * K] * K))
    return outputs


@check(f"{LAYER}:dropout", points=1, uses=LAYER_USES, forbids=LAYER_FORBIDS, law=shares_law)
def layer_dropped(code, case):
    """In training, what each of the three parts adds is dropped, before the sum."""
    outputs = {}
    tgt, memory = case.tensor([[[0.0] * 12] * 50] * 4), case.numbers(4, 3, 12)
    make, norms = code.transformer.decoder.TransformerDecoderLayer, ("norm_self", "norm_cross", "norm_ffn")
    parts = {
        "self-attention": "self_attn.proj.bias",
        "cross-attention": "cross_attn.proj.bias",
        "feed-forward": "ffn.fc2.bias",
    }
    for name, ones in parts.items():
        layer = with_ones(make(12, 2, 5, 0.4), tgt, [ones, *(f"{norm}.gamma" for norm in norms)])
        outputs[name] = layer(tgt, memory)
    outputs["behind the last norm"] = with_ones(make(12, 2, 5, 0.4), tgt, ["norm_ffn.beta"])(tgt, memory)
    return outputs
