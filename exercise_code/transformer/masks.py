"""Which positions may see which."""

import torch
from jaxtyping import Bool, Int
from torch import Tensor


def get_subsequent_mask(seq: Int[Tensor, "N K"]) -> Bool[Tensor, "N K K"]:
    """The mask that hides the future: position i must not see j > i.

    Args:
        seq: N sequences of K tokens; only their shape and device matter.

    Returns:
        For each sequence, True where a position must NOT be seen: above the diagonal, on the device of seq.
    """
    ### BEGIN SOLUTION
    N, K = seq.shape
    future = torch.ones(K, K, dtype=torch.bool, device=seq.device).triu(diagonal=1)
    return future.repeat(N, 1, 1)
    ### END SOLUTION
