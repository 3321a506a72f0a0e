"""What is asked of `attention.layers`."""

import torch

from exercise_code.support.checking.declare import check

from .common import WHOLE, dropped_weights_law, filled, shapes

LAYERS = "attention.layers."
MANY = f"{LAYERS}MultiHeadAttention.forward"
WAVES, POSITIONS = f"{LAYERS}position_encoding_sinusoid", f"{LAYERS}PositionalEncoding."
FEED = f"{LAYERS}FeedForwardBlock."
NORM = ["torch.layer_norm", "torch.nn.functional.layer_norm", "torch.nn.LayerNorm", "torch.native_layer_norm"]
NORM += ["torch.std", "torch.var", "torch.std_mean", "torch.var_mean"]
SIZES = {
    # N, S, T, E, heads
    "3 heads": (2, 4, 5, 6, 3),
    "2 heads": (1, 3, 2, 8, 2),
    "one head, one query": (3, 1, 4, 2, 1),
}


@check(MANY, points=3, loops=0, forbids=WHOLE)
def heads(code, case):
    """Other numbers of queries than of keys, heads narrower than they are many; nothing is dropped."""
    outputs = {}
    for name, (N, S, T, E, num_heads) in SIZES.items():
        layer = filled(code.attention.layers.MultiHeadAttention(E, num_heads, 0.5), case.numbers(400))
        outputs[name] = layer(case.numbers(N, S, E), case.numbers(N, T, E), case.numbers(N, T, E))
    return outputs


@check(f"{MANY}:mask", points=2, loops=0, forbids=WHOLE)
def heads_masked(code, case):
    """False hides, for all sequences and heads alike; a mask of True hides nothing."""
    outputs = {}
    for name, (N, S, T, E, num_heads) in SIZES.items():
        layer = filled(code.attention.layers.MultiHeadAttention(E, num_heads, 0.5), case.numbers(400))
        three = case.numbers(N, S, E), case.numbers(N, T, E), case.numbers(N, T, E)
        first = [[j <= i % T for j in range(T)] for i in range(S)]
        outputs[f"{name}, some hidden"] = layer(*three, case.tensor(first))
        outputs[f"{name}, none hidden"] = layer(*three, case.tensor([[True] * T] * S))
    return outputs


@check(f"{MANY}:dropout", points=1, law=dropped_weights_law, forbids=WHOLE)
def heads_dropped(code, case):
    """In training, `attn_drop` drops weights, and nothing else."""
    layer = code.attention.layers.MultiHeadAttention(4, 2, dropout=0.4)
    like = case.numbers(1)
    layer.to(like.device, like.dtype)
    with torch.no_grad():
        for part, factor in ((layer.key, 3), (layer.value, 1), (layer.proj, 1)):
            part.weight.copy_(factor * torch.eye(4))
            part.bias.zero_()
    keys, values = case.tensor([[[0.5] * 4] * 200]), case.tensor([[[1.0] * 4] * 200])
    return {"out": layer(case.numbers(1, 30, 4), keys, values)[0, :, [0, 2]]}


@check(f"{LAYERS}position_encoding_simple", points=1)
def one_number(code, case):
    """n / K at each position, in every entry."""
    encode = code.attention.layers.position_encoding_simple
    device = case.numbers(1).device
    sizes = {"few": (5, 3), "one": (1, 4), "many": (case.integer(10, 60), case.integer(2, 9))}
    sizes["49"] = (49, 2)  # 49 steps of 1 / 49 are less than 1
    return {f"{name} positions": encode(*size).to(device) for name, size in sizes.items()}


@check(WAVES, points=2)
def waves(code, case):
    """Sines and cosines of falling frequency, 50 positions, and an odd number of entries."""
    encode = code.attention.layers.position_encoding_sinusoid
    device = case.numbers(1).device
    sizes = {"50": (50, 8), "7": (7, 5), "many": (case.integer(10, 60), 2 * case.integer(2, 9))}
    return {f"{name} positions": encode(*size).to(device) for name, size in sizes.items()}


@check(f"{POSITIONS}__init__", points=1, uses=[WAVES])
def waves_kept(code, case):
    """`pe` is saved with the module and not trained; the dropout has the probability asked for."""
    sizes = {"embed_dim": 2 * case.integer(2, 15) + 1, "max_len": case.integer(31, 60)}
    module = code.attention.layers.PositionalEncoding(**sizes, dropout=0.3)
    module.to(case.numbers(1).device)
    return {
        "saved": dict(module.state_dict()),
        "buffers": [name for name, _ in module.named_buffers()],
        "trained": shapes(module),
        "pe": module.pe,
        "probability of dropping": module.dropout.p,
    }


@check(f"{POSITIONS}forward", points=1, uses=[f"{POSITIONS}__init__", WAVES])
def waves_added(code, case):
    """Shorter sequences than there are positions; what is dropped in training, and outside of it nothing."""
    module = code.attention.layers.PositionalEncoding(6, dropout=0.5, max_len=9).eval()
    module.pe = case.numbers(1, 9, 6)
    sizes = (2, 4), (1, 9), (3, 1)
    outputs = {f"out, {N} sequences of {S}": module(case.numbers(N, S, 6)) for N, S in sizes}
    module.train().dropout.p = 1.0
    return outputs | {"all is dropped": module(case.numbers(2, 4, 6))}


@check(f"{LAYERS}LayerNormalization.forward", points=2, loops=0, forbids=NORM)
def normalised(code, case):
    """Vectors with two, one and no axes before theirs, and an epsilon that shows."""
    outputs = {}
    for shape, epsilon in (((2, 3, 6), 1e-10), ((5, 4), 1e-10), ((7,), 1e-10), ((4, 2, 3), 0.7)):
        layer = filled(code.attention.layers.LayerNormalization(shape[-1], epsilon), case.numbers(30))
        outputs[f"out of {shape}, epsilon={epsilon:g}"] = layer(case.numbers(*shape))
    return outputs


@check(f"{FEED}__init__", points=1)
def feed_made(code, case):
    """Two layers with biases, the first of which leads to another width."""
    make = code.attention.layers.FeedForwardBlock
    drawn = make(case.integer(3, 20), case.integer(21, 60))
    return {"wide in the middle": shapes(drawn), "narrow in the middle": shapes(make(5, 3))}


@check(f"{FEED}forward", points=1, uses=[f"{FEED}__init__"])
def fed_forward(code, case):
    """Each position by itself."""
    feed = filled(code.attention.layers.FeedForwardBlock(4, 7), case.numbers(90))
    return {f"out, {N} sequences of {K}": feed(case.numbers(N, K, 4)) for N, K in ((2, 3), (1, 5))}
