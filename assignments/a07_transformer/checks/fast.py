"""What is asked of `attention.fast`."""

from exercise_code.support.checking.declare import check

from .common import OURS

FAST = "attention.fast."


@check(f"{FAST}attention_in_blocks", points=3, loops=1, forbids=OURS)
def in_blocks(code, case):
    """Blocks that fit and blocks that do not; one key a block, and one block for all."""
    attend, outputs = code.attention.fast.attention_in_blocks, {}
    for N, K, S, M, V, block in (
        (2, 3, 7, 4, 5, 3),
        (1, 4, 6, 3, 2, 2),
        (3, 1, 5, 2, 4, 1),
        (2, 5, 3, 4, 6, 9),
    ):
        query, key, value = case.numbers(N, K, M), case.numbers(N, S, M), case.numbers(N, S, V)
        outputs[f"{S} keys in blocks of {block}"] = attend(query, key, value, block)
    return outputs


@check(f"{FAST}attention_in_blocks:large", points=1, forbids=OURS)
def large_scores(code, case):
    """Scores above 112 and below -112, whose exp overflows or vanishes in float32, and some far from them."""
    query, key = 9 + case.numbers(3, 4, 4, reach=1.0), 8.5 + case.numbers(3, 7, 4, reach=1.5)
    signs = case.tensor([[[1.0], [-1.0]] * 2] * 3)
    far = case.tensor([[[1.0]] * 7, [[20.0], *[[1.0]] * 6], [*[[1.0]] * 6, [1.6]]])
    value = 3 + case.numbers(3, 7, 5)
    return {"y": code.attention.fast.attention_in_blocks(query * signs, key * far, value, 2)}


@check(f"{FAST}attention_in_blocks:memory", points=1, memory=6.0, forbids=OURS)
def never_all(code, case):
    """Many queries and keys, small blocks: all weights together are never held."""
    query, key, value = case.numbers(2, 90, 4), case.numbers(2, 120, 4), case.numbers(2, 120, 4)
    return {"y": code.attention.fast.attention_in_blocks(query, key, value, 6)}


@check(f"{FAST}grouped_query_attention", points=3, loops=0, forbids=OURS)
def grouped(code, case):
    """As many groups as heads, fewer, and one for all; numbers that do not fit are refused."""
    attend, outputs = code.attention.fast.grouped_query_attention, {}
    for N, H, G, S, T, d in ((2, 6, 3, 4, 5, 2), (1, 4, 1, 3, 2, 5), (3, 2, 2, 1, 4, 3), (2, 4, 2, 5, 3, 1)):
        query, key, value = case.numbers(N, H, S, d), case.numbers(N, G, T, d), case.numbers(N, G, T, d)
        outputs[f"{H} heads, {G} of keys"] = attend(query, key, value)
    try:
        attend(case.numbers(1, 5, 2, 3), case.numbers(1, 2, 4, 3), case.numbers(1, 2, 4, 3))
        outputs["5 heads, 2 of keys"] = "are accepted"
    except ValueError:
        outputs["5 heads, 2 of keys"] = "raise ValueError"
    return outputs
