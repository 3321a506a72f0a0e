"""What is asked of `attention.scaled_dot`."""

import torch

from exercise_code.support.checking.declare import check

from .common import OURS, dropped_weights_law, filled

SCALED = "attention.scaled_dot."
SIZES = {
    # N, K, S, M, V
    "2 sequences": (2, 3, 5, 4, 6),
    "one sequence, one key": (1, 4, 1, 3, 2),
    "3 sequences, one query": (3, 1, 4, 2, 5),
}


def _three(case, N, K, S, M, V):
    return case.numbers(N, K, M), case.numbers(N, S, M), case.numbers(N, S, V)


@check(f"{SCALED}scaled_dot_product_two_loop_single", points=2, loops=2, forbids=OURS)
def single(code, case):
    """A weighted mean for each query; as many queries as keys, fewer, and more."""
    attend = code.attention.scaled_dot.scaled_dot_product_two_loop_single
    return {
        f"y, {K} queries and {S} keys": attend(case.numbers(K, M), case.numbers(S, M), case.numbers(S, V))
        for K, S, M, V in ((3, 5, 4, 6), (4, 1, 3, 2), (1, 4, 2, 5), (3, 3, 2, 2))
    }


@check(f"{SCALED}scaled_dot_product_two_loop_batch", points=2, loops=2, forbids=OURS)
def batch(code, case):
    """The same for several sequences, each by itself."""
    attend = code.attention.scaled_dot.scaled_dot_product_two_loop_batch
    return {f"y, {name}": attend(*_three(case, *sizes)) for name, sizes in SIZES.items()}


@check(f"{SCALED}scaled_dot_product_no_loop_batch", points=3, loops=0, forbids=OURS)
def no_loop(code, case):
    """Weighted means and weights, without a mask."""
    attend = code.attention.scaled_dot.scaled_dot_product_no_loop_batch
    outputs = {}
    for name, sizes in SIZES.items():
        y, weights = attend(*_three(case, *sizes))
        outputs[name] = {"y": y, "weights": weights}
    return outputs


def _hidden(case, N, K, S):
    """A mask in which each query sees a key of its own at least, and two sequences differ."""
    seen = [[[(n + k + s) % 3 > 0 for s in range(S)] for k in range(K)] for n in range(N)]
    for n in range(N):
        for k in range(K):
            seen[n][k][case.integer(0, S - 1)] = False
    return case.tensor(seen)


@check(f"{SCALED}scaled_dot_product_no_loop_batch:mask", points=2, loops=0, forbids=OURS)
def masked(code, case):
    """Hidden keys weigh nothing, the others sum to 1; nothing hidden changes nothing."""
    attend = code.attention.scaled_dot.scaled_dot_product_no_loop_batch
    outputs = {}
    for N, K, S in ((2, 3, 5), (1, 4, 2)):
        query, key, value = _three(case, N, K, S, 4, 3)
        query = case.tensor(torch.cat([0 * query[:, :1], query[:, 1:]], dim=1))  # scores of exactly 0
        for name, mask in (
            ("some hidden", _hidden(case, N, K, S)),
            ("none hidden", case.tensor([[[False] * S] * K] * N)),
        ):
            y, weights = attend(query, key, value, mask)
            outputs[f"{name}, {N} sequences"] = {"y": y, "weights": weights}
    return outputs


@check(f"{SCALED}ScaledDotAttention.forward", points=2, loops=0, forbids=OURS)
def any_axes(code, case):
    """None, one or two axes before the last two; True keeps, and one mask serves all."""
    attention = filled(code.attention.scaled_dot.ScaledDotAttention(7, dropout=0.5), case.numbers(1))
    outputs = {}
    for before in ((), (2,), (2, 3)):
        q, k, v = (case.numbers(*before, *shape) for shape in ((3, 7), (5, 7), (5, 6)))
        keep = case.tensor([[(i + j) % 3 > 0 for j in range(5)] for i in range(3)])
        outputs[f"{len(before)} axes before"] = {
            "without mask": attention(q, k, v),
            "with mask": attention(q, k, v, keep),
        }
    own = case.tensor([[[[j <= n + 1 for j in range(5)]]] for n in range(2)])
    outputs["a mask for each of 2, over 3 heads"] = attention(q, k, v, mask=own)
    return outputs


@check(f"{SCALED}ScaledDotAttention.forward:dropout", points=1, law=dropped_weights_law, forbids=OURS)
def dropped(code, case):
    """In training, weights are dropped with the probability asked for."""
    attention = code.attention.scaled_dot.ScaledDotAttention(3, dropout=0.4)
    ones = case.tensor([[1.0, 1.0]] * 200)
    key = case.tensor([[0.5, 0.5, 0.5]] * 200)
    return {"out": torch.stack([attention(case.numbers(30, 3), key, ones)[:, 0] for _ in range(2)])}
