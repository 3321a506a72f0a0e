"""Right versions of `attention.fast`, written otherwise."""

import torch

from exercise_code.support.checking.declare import variant

FAST = "attention.fast."


@variant(f"{FAST}attention_in_blocks")
def by_logarithms(query, key, value, block_size):
    """Means of blocks, mixed by the logarithms of their sums."""
    mean, known = None, None
    for start in range(0, key.shape[1], block_size):
        k, v = key[:, start : start + block_size], value[:, start : start + block_size]
        scores = torch.einsum("nkm,nsm->nks", query, k) * key.shape[-1] ** -0.5
        size, here = scores.logsumexp(dim=-1, keepdim=True), scores.softmax(dim=-1) @ v
        if mean is None:
            mean, known = here, size
        else:
            both = torch.logaddexp(known, size)
            mean, known = mean * (known - both).exp() + here * (size - both).exp(), both
    return mean


@variant(f"{FAST}attention_in_blocks")
def by_two_sums_in_one(query, key, value, block_size):
    """A column of ones among the values sums the weights."""
    value = torch.cat([value, torch.ones_like(value[..., :1])], dim=2)
    top = torch.full_like(query[..., :1], float("-inf"))
    sums = query.new_zeros(query.shape[0], query.shape[1], value.shape[2])
    for k, v in zip(torch.split(key, block_size, 1), torch.split(value, block_size, 1), strict=True):
        scores = query.matmul(k.transpose(-1, -2)).div(query.shape[-1] ** 0.5)
        new = torch.cat([top, scores], dim=2).max(dim=2, keepdim=True).values
        sums = sums * torch.exp(top - new) + torch.exp(scores - new) @ v
        top = new
    return sums[..., :-1] / sums[..., -1:]


@variant(f"{FAST}grouped_query_attention")
def by_repeating(query, key, value):
    if query.shape[1] % key.shape[1]:
        raise ValueError("Groups must be of one size.")
    times = query.shape[1] // key.shape[1]
    k, v = key.repeat_interleave(times, 1), value.repeat_interleave(times, 1)
    return torch.softmax(query @ k.transpose(-1, -2) / query.shape[-1] ** 0.5, -1) @ v


@variant(f"{FAST}grouped_query_attention")
def by_einsum_of_groups(query, key, value):
    N, H, S, d = query.shape
    G = key.shape[1]
    if H % G != 0:
        raise ValueError("Groups must be of one size.")
    q = query.reshape(N, G, H // G, S, d)
    weights = torch.einsum("nghsd,ngtd->nghst", q * d**-0.5, key).softmax(-1)
    return torch.einsum("nghst,ngtd->nghsd", weights, value).reshape(N, H, S, d)
