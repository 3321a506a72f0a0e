"""Data-parallel training: several processes with one model, each with its share of every batch."""

from collections.abc import Callable

import torch
from torch import Tensor, nn


def shard_indices(num_samples: int, rank: int, world_size: int, seed: int, epoch: int) -> list[int]:
    """The samples that one process sees in one epoch, in their order, as `DistributedSampler` picks them.

    All processes draw the same order, a `torch.randperm` by a new generator with the seed `seed + epoch`.
    Where its length is no multiple of `world_size`, it goes on with its own beginning, again and again if
    need be, up to the next multiple. Process `rank` takes the places rank, rank + world_size, and so on.

    Args:
        num_samples: at least 1.
        rank: number of the process, from 0 to world_size - 1.
        world_size: how many processes there are.
        seed: the same in all processes.
        epoch: counted from 0.

    Returns:
        ceil(num_samples / world_size) indices, as many for each process.
    """
    ### BEGIN SOLUTION
    order = torch.randperm(num_samples, generator=torch.Generator().manual_seed(seed + epoch)).tolist()
    padded = num_samples + -num_samples % world_size
    return [order[place % num_samples] for place in range(rank, padded, world_size)]
    ### END SOLUTION


def average_gradients(model: nn.Module, all_reduce: Callable[[Tensor], object], world_size: int) -> None:
    """Replace each gradient by its mean over all processes, in which this function runs at the same time.

    Every process must reduce the same tensors in the same order, or all wait for ever. So a trainable
    parameter that has no gradient here counts as zero, since it may have one in another process; frozen
    parameters are left out.

    Args:
        model: equal in all processes; its gradients are changed.
        all_reduce: adds up a tensor over all processes, and writes the sum into it in each of them; what it
            returns means nothing. `torch.distributed.all_reduce` is one.
        world_size: how many processes there are.
    """
    ### BEGIN SOLUTION
    for param in model.parameters():
        if param.requires_grad:
            if param.grad is None:
                param.grad = torch.zeros_like(param)
            all_reduce(param.grad)
            param.grad /= world_size
    ### END SOLUTION
