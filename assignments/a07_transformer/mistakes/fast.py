"""How people get `attention.fast` wrong, and the hint each mistake deserves."""

import torch

from exercise_code.support.checking.declare import mistake

FAST = "attention.fast."
BLOCKS, GROUPS = f"{FAST}attention_in_blocks", f"{FAST}grouped_query_attention"


def _in_blocks(query, key, value, size, *, scale=None, shrink_total=True, shrink_sum=True, whole=True):
    """Right, but for one part."""
    N, K, M = query.shape
    largest = query.new_full((N, K, 1), -torch.inf)
    total, summed = query.new_zeros(N, K, 1), query.new_zeros(N, K, value.shape[2])
    end = key.shape[1] if whole else key.shape[1] // size * size
    for start in range(0, end, size):
        part = slice(start, start + size)
        scores = query @ key[:, part].mT / (scale or M**0.5)
        larger = scores.amax(dim=2, keepdim=True).maximum(largest)
        factor, weights = (largest - larger).exp(), (scores - larger).exp()
        total = total * (factor if shrink_total else 1) + weights.sum(dim=2, keepdim=True)
        summed = summed * (factor if shrink_sum else 1) + weights @ value[:, part]
        largest = larger
    return summed / total


@mistake(BLOCKS, hint="The scores are not divided by sqrt(M).")
def blocks_without_scale(query, key, value, block_size):
    return _in_blocks(query, key, value, block_size, scale=1.0)


@mistake(BLOCKS, hint="The sum of weights keeps its old scale: shrink it where a larger score comes.")
def total_not_shrunk(query, key, value, block_size):
    return _in_blocks(query, key, value, block_size, shrink_total=False)


@mistake(BLOCKS, hint="The sum of values keeps its old scale: shrink it as well where a larger score comes.")
def sum_not_shrunk(query, key, value, block_size):
    return _in_blocks(query, key, value, block_size, shrink_sum=False)


@mistake(
    BLOCKS,
    hint="The sum of values starts as wide as a query: a value has V numbers.",
    raises=RuntimeError,
)
def sum_like_the_queries(query, key, value, block_size):
    summed = torch.zeros_like(query)
    return summed + _in_blocks(query, key, value, block_size)


@mistake(
    BLOCKS,
    hint="Keys are reshaped into equal blocks: S need not be a multiple of block_size.",
    raises=RuntimeError,
)
def blocks_by_reshape(query, key, value, block_size):
    blocks = key.reshape(len(key), key.shape[1] // block_size, block_size, key.shape[2])
    return _in_blocks(query, blocks.flatten(1, 2), value, block_size)


@mistake(BLOCKS, hint="Neither sum is shrunk where a larger score comes, so blocks have different scales.")
def nothing_shrunk(query, key, value, block_size):
    return _in_blocks(query, key, value, block_size, shrink_total=False, shrink_sum=False)


@mistake(BLOCKS, hint="A last block that is shorter is left out.")
def rest_left_out(query, key, value, block_size):
    size = min(block_size, key.shape[1])
    return _in_blocks(query, key, value, size, whole=False)


@mistake(BLOCKS, hint="S // block_size blocks are read: a shorter one is left over, and counts too.")
def whole_blocks_alone(query, key, value, block_size):
    return _in_blocks(query, key, value, block_size, whole=False)


@mistake(
    BLOCKS, hint="Each block has a softmax of its own, and their means are averaged: blocks differ in weight."
)
def mean_of_blocks(query, key, value, block_size):
    parts = zip(key.split(block_size, dim=1), value.split(block_size, dim=1), strict=True)
    means = [(query @ k.mT / key.shape[2] ** 0.5).softmax(dim=2) @ v for k, v in parts]
    return torch.stack(means).mean(dim=0)


@mistake(BLOCKS, hint="The sum of values is not divided by the sum of weights at the end.")
def not_divided_at_the_end(query, key, value, block_size):
    weights = (query @ key.mT / key.shape[2] ** 0.5).softmax(dim=2)
    biggest = (query @ key.mT / key.shape[2] ** 0.5).amax(dim=2, keepdim=True)
    return weights @ value * ((query @ key.mT / key.shape[2] ** 0.5) - biggest).exp().sum(dim=2, keepdim=True)


@mistake(BLOCKS, hint="Queries are cut into blocks and see one block of keys each: keys alone are cut.")
def only_the_first_block(query, key, value, block_size):
    return _in_blocks(query, key[:, :block_size], value[:, :block_size], block_size)


@mistake(f"{BLOCKS}:large", hint="exp overflows or vanishes: subtract the largest score so far first.")
def without_largest(query, key, value, block_size):
    total = summed = 0
    for keys, values in zip(key.split(block_size, dim=1), value.split(block_size, dim=1), strict=True):
        weights = (query @ keys.mT / key.shape[2] ** 0.5).exp()
        total, summed = total + weights.sum(dim=2, keepdim=True), summed + weights @ values
    return summed / total


@mistake(
    f"{BLOCKS}:large",
    hint="The largest score starts at 0, so low scores alone vanish: start at minus infinity.",
)
def largest_from_zero(query, key, value, block_size):
    largest = query.new_zeros(*query.shape[:2], 1)
    total = summed = torch.zeros_like(largest)
    for keys, values in zip(key.split(block_size, dim=1), value.split(block_size, dim=1), strict=True):
        scores = query @ keys.mT / key.shape[2] ** 0.5
        larger = scores.amax(dim=2, keepdim=True).maximum(largest)
        factor, weights = (largest - larger).exp(), (scores - larger).exp()
        total = total * factor + weights.sum(dim=2, keepdim=True)
        summed, largest = summed * factor + weights @ values, larger
    return summed / total


@mistake(
    f"{BLOCKS}:memory",
    hint="More than one block is held at a time, of scores or of what they make: keep running sums alone.",
)
def all_scores_first(query, key, value, block_size):
    largest = query.new_full((*query.shape[:2], 1), -torch.inf)
    total, summed = torch.zeros_like(largest), query.new_zeros(*query.shape[:2], value.shape[2])
    every = query @ key.mT / key.shape[2] ** 0.5
    for scores, values in zip(every.split(block_size, dim=2), value.split(block_size, dim=1), strict=True):
        larger = scores.amax(dim=2, keepdim=True).maximum(largest)
        factor, weights = (largest - larger).exp(), (scores - larger).exp()
        total = total * factor + weights.sum(dim=2, keepdim=True)
        summed, largest = summed * factor + weights @ values, larger
    return summed / total


def _grouped(query, key, value, *, interleave=True, scale=None):
    H, G = query.shape[1], key.shape[1]
    if H % G:
        raise ValueError("Heads do not fit.")
    key, value = (
        each.repeat_interleave(H // G, dim=1) if interleave else each.repeat(1, H // G, 1, 1)
        for each in (key, value)
    )
    return (query @ key.mT / (scale or query.shape[3] ** 0.5)).softmax(dim=3) @ value


@mistake(
    GROUPS, hint="Heads take turns (0, 1, 2, 0, 1, 2): neighbouring heads share keys (0, 0, 1, 1, 2, 2)."
)
def heads_take_turns(query, key, value):
    return _grouped(query, key, value, interleave=False)


@mistake(GROUPS, hint="The scores are not divided by sqrt(d).")
def grouped_without_scale(query, key, value):
    return _grouped(query, key, value, scale=1.0)


@mistake(
    GROUPS, hint="The scores are divided by the root of something else than d, the length of a head's query."
)
def grouped_scaled_by_all(query, key, value):
    return _grouped(query, key, value, scale=(query.shape[1] * query.shape[3] + 1) ** 0.5)


@mistake(GROUPS, hint="The softmax runs over queries: each query's weights over the T keys sum to 1.")
def softmax_over_queries(query, key, value):
    H, G = query.shape[1], key.shape[1]
    if H % G:
        raise ValueError("Heads do not fit.")
    key, value = (each.repeat_interleave(H // G, dim=1) for each in (key, value))
    return (query @ key.mT / query.shape[3] ** 0.5).softmax(dim=2) @ value


@mistake(GROUPS, hint="All heads use the first group's keys and values.")
def first_group_for_all(query, key, value):
    if query.shape[1] % key.shape[1]:
        raise ValueError("Heads do not fit.")
    return _grouped(query, key[:, :1], value[:, :1])


@mistake(
    GROUPS, hint="The heads of a group are averaged: each head keeps its own queries and its own result."
)
def queries_averaged(query, key, value):
    H, G = query.shape[1], key.shape[1]
    if H % G:
        raise ValueError("Heads do not fit.")
    mean = query.unflatten(1, (G, H // G)).mean(dim=2).repeat_interleave(H // G, dim=1)
    return _grouped(mean, key, value)


@mistake(GROUPS, hint="Heads that are left over are accepted: raise ValueError where G does not divide H.")
def heads_left_over(query, key, value):
    H, G = query.shape[1], key.shape[1]
    places = torch.arange(H, device=query.device) // -(-H // G)
    return _grouped(query, key[:, places], value[:, places])


@mistake(
    GROUPS,
    hint="torch refuses heads that are left over by a RuntimeError: raise a ValueError before.",
    raises=RuntimeError,
)
def heads_left_to_torch(query, key, value):
    G = key.shape[1]
    scores = query.unflatten(1, (G, query.shape[1] // G)) @ key.unsqueeze(2).mT / key.shape[3] ** 0.5
    return (scores.softmax(dim=4) @ value.unsqueeze(2)).flatten(1, 2)


@mistake(
    GROUPS,
    hint="H // G is rounded down, and torch's RuntimeError comes too late: raise ValueError before.",
    raises=RuntimeError,
)
def heads_repeated_too_rarely(query, key, value):
    times = query.shape[1] // key.shape[1]
    key, value = key.repeat_interleave(times, dim=1), value.repeat_interleave(times, dim=1)
    return (query @ key.mT / query.shape[3] ** 0.5).softmax(dim=3) @ value


@mistake(
    GROUPS,
    hint="`assert` raises an AssertionError: where G does not divide H, a ValueError is due.",
    raises=AssertionError,
)
def heads_asserted(query, key, value):
    assert query.shape[1] % key.shape[1] == 0
    return _grouped(query, key, value)


@mistake(
    GROUPS,
    hint="Keys are expanded to S places, as many as there are queries: there are T of them.",
    raises=RuntimeError,
)
def keys_as_many_as_queries(query, key, value):
    N, H, S, d = query.shape
    G = key.shape[1]
    keys = key.unsqueeze(2).expand(N, G, H // G, S, d).reshape(N, H, S, d)
    values = value.unsqueeze(2).expand(N, G, H // G, S, d).reshape(N, H, S, d)
    return _grouped(query, keys, values)
