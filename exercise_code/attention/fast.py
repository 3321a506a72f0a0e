"""The same attention with less memory: keys in blocks, and keys that several heads share."""

import torch
from jaxtyping import Float
from torch import Tensor


def attention_in_blocks(
    query: Float[Tensor, "N K M"],
    key: Float[Tensor, "N S M"],
    value: Float[Tensor, "N S V"],
    block_size: int,
) -> Float[Tensor, "N K V"]:
    """Scaled dot-product attention that never holds all weights (Milakov and Gimelshein, 2018, algorithm 3).

    One loop goes over blocks of keys and values. For each query three things are kept: the largest score so
    far, the sum of exp(score - largest), and the sum of exp(score - largest) value. Where a block has a
    larger score, both sums are first multiplied by exp(old largest - new largest).
    Not allowed here: functional.scaled_dot_product_attention, and a second loop.

    Args:
        query: K vectors of each sequence.
        key: S vectors of each sequence.
        value: S vectors of each sequence.
        block_size: keys in a block; the last block may have fewer.

    Returns:
        A weighted mean of its sequence's values for each query.
    """
    ### BEGIN SOLUTION
    largest = query.new_full((*query.shape[:2], 1), -torch.inf)
    total = torch.zeros_like(largest)
    summed = query.new_zeros(*query.shape[:2], value.shape[2])
    for keys, values in zip(key.split(block_size, dim=1), value.split(block_size, dim=1), strict=True):
        scores = query @ keys.mT / key.shape[2] ** 0.5
        larger = torch.maximum(largest, scores.amax(dim=2, keepdim=True))
        shrink, weights = (largest - larger).exp(), (scores - larger).exp()
        total = shrink * total + weights.sum(dim=2, keepdim=True)
        summed = shrink * summed + weights @ values
        largest = larger
    return summed / total
    ### END SOLUTION


def grouped_query_attention(
    query: Float[Tensor, "N H S d"], key: Float[Tensor, "N G T d"], value: Float[Tensor, "N G T d"]
) -> Float[Tensor, "N H S d"]:
    """Attention of H heads that share G heads of keys and values (Ainslie et al., 2023).

    Neighbours share: heads 0 to H/G - 1 use keys and values 0, the next H/G heads use 1, and so on.
    Not allowed here: functional.scaled_dot_product_attention, and loops.

    Args:
        query: H heads of S vectors.
        key: G heads of T vectors; G divides H.
        value: G heads of T vectors.

    Returns:
        A weighted mean of values for each head and query.

    Raises:
        ValueError: H is no multiple of G.
    """
    ### BEGIN SOLUTION
    H, G = query.shape[1], key.shape[1]
    if H % G:
        raise ValueError(f"{H} heads cannot share {G} heads of keys evenly")
    scores = query.unflatten(1, (G, H // G)) @ key.unsqueeze(2).mT / key.shape[3] ** 0.5
    return (scores.softmax(dim=4) @ value.unsqueeze(2)).flatten(1, 2)
    ### END SOLUTION
