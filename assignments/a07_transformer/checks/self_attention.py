"""What is asked of `attention.self_attention`."""

import math
from typing import Any

import torch

from exercise_code.support.checking.declare import check

from .common import WHOLE, filled, shapes

SELF = "attention.self_attention."
HEAD, HEADS = f"{SELF}SelfAttention.", f"{SELF}MultiHeadAttention."
FUNCTION = "attention.scaled_dot.scaled_dot_product_no_loop_batch"
DIM_IN, DIM_Q, DIM_V = 40, 24, 16


def even_law(outputs: dict[str, Any], expected: dict[str, Any]) -> str | None:
    """Weights are even between -c and c; wrong by chance with probability below 1e-7.

    640 or more numbers all stay below 0.95 c with probability 0.95^640, below 1e-14; the distance to the even
    distribution exceeds its bound with probability 1e-8 (Dvoretzky, Kiefer, Wolfowitz).
    """
    for name, width in (("q", DIM_Q), ("k", DIM_Q), ("v", DIM_V)):
        if not outputs[f"bias of {name}"].any():
            return f"the biases of {name} are 0"
        weights, c = outputs[name].double().flatten(), (6 / (DIM_IN + width)) ** 0.5
        largest, count = weights.abs().max().item(), weights.numel()
        if not 0.95 * c < largest < 1.0001 * c:
            return f"the weights of {name} reach {largest:.3g}; {c:.3g} is due"
        steps = torch.arange(1, count + 1, dtype=torch.float64) / count
        distance = ((weights.sort().values / c + 1) / 2 - steps).abs().max() + 1 / count
        if distance > (math.log(2e8) / (2 * count)) ** 0.5:
            return f"the weights of {name} are not even between their bounds"
    return None


@check(f"{HEAD}__init__", points=1, law=even_law)
def started(code, case):
    """Three layers with biases, their weights within Glorot's bounds, and no weights kept yet."""
    head = code.attention.self_attention.SelfAttention(DIM_IN, DIM_Q, DIM_V)
    head.to(case.numbers(1).device)
    layers = {name: getattr(head, name) for name in ("q", "k", "v")}
    outputs = {name: layer.weight for name, layer in layers.items()}
    outputs |= {f"bias of {name}": layer.bias for name, layer in layers.items()}
    return {**outputs, "weights_softmax": head.weights_softmax}


def _sequences(case, N, K, S, M):
    return case.numbers(N, K, M), case.numbers(N, S, M), case.numbers(N, S, M)


def _hidden(case, N, K, S):
    return case.tensor([[[(n + k + s) % 3 == 1 for s in range(S)] for k in range(K)] for n in range(N)])


@check(f"{HEAD}forward", points=2, uses=[f"{HEAD}__init__", FUNCTION], forbids=WHOLE)
def one_head(code, case):
    """What comes out, and the weights that are kept, with and without a mask."""
    outputs = {}
    for N, K, S in ((2, 3, 5), (1, 4, 4)):
        head = filled(code.attention.self_attention.SelfAttention(6, 4, 7), case.numbers(100))
        three = _sequences(case, N, K, S, 6)
        for name, mask in (("without mask", None), ("with mask", _hidden(case, N, K, S))):
            y = head(*three, mask)
            outputs[f"{name}, {N} sequences"] = {"y": y, "weights_softmax": head.weights_softmax}
    return outputs


@check(f"{HEADS}__init__", points=1, uses=[f"{HEAD}__init__"])
def heads_made(code, case):
    """Every head has parameters of its own, and torch knows them."""
    make = code.attention.self_attention.MultiHeadAttention
    several = make(case.integer(2, 5), case.integer(20, 40), case.integer(3, 19))
    return {"several heads": shapes(several), "one head": shapes(make(1, 6, 5))}


@check(f"{HEADS}forward", points=2, uses=[f"{HEAD}__init__", f"{HEAD}forward", f"{HEADS}__init__", FUNCTION])
def many_heads(code, case):
    """What all heads together answer, with and without a mask."""
    outputs = {}
    for num_heads, N, K, S in ((3, 2, 3, 5), (2, 1, 4, 4)):
        heads = filled(code.attention.self_attention.MultiHeadAttention(num_heads, 6, 4), case.numbers(500))
        three = _sequences(case, N, K, S, 6)
        outputs[f"{num_heads} heads"] = {
            "without mask": heads(*three),
            "with mask": heads(*three, _hidden(case, N, K, S)),
        }
    return outputs
