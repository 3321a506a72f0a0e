"""What is asked of `training.parallel`."""

from typing import Any

import torch
from torch import Tensor, nn

from exercise_code.support.checking.declare import check

from .common import filled

PARALLEL = "training.parallel."


@check(f"{PARALLEL}shard_indices", points=3)
def shards(code, case):
    """The shares of all processes, in two epochs: even, uneven, and more processes than samples."""
    outputs = {}
    for num_samples, world_size in ((case.integer(4, 7) * 3, 3), (case.integer(5, 8) * 4 - 1, 4), (2, 7)):
        seed = case.integer(1, 999)
        for epoch in (0, 3):
            outputs[f"{num_samples} samples, {world_size} processes, epoch {epoch}"] = [
                code.training.parallel.shard_indices(num_samples, rank, world_size, seed, epoch)
                for rank in range(world_size)
            ]
    return outputs


@check(f"{PARALLEL}average_gradients", points=3)
def averaged(code, case):
    """Gradients and parameters after a sum over pretended processes, and how many numbers were added up."""
    outputs: dict[str, Any] = {}
    for world_size in (2, 5):
        net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2), nn.Linear(6, 1))
        filled([net], case.numbers(60))
        net[0].bias.requires_grad_(False)
        others, summed = case.integer(3, 6), []
        net[:3](case.numbers(5, 3)).square().sum().backward()

        def all_reduce(tensor: Tensor, others: int = others, summed: list[int] = summed) -> None:
            """As if the others' gradients were several times these, plus a constant."""
            summed.append(tensor.numel())
            with torch.no_grad():
                tensor.mul_(1 + others).add_(0.25 * others)

        code.training.parallel.average_gradients(net, all_reduce, world_size)
        outputs[f"{world_size} processes"] = {
            "gradients": {name: param.grad for name, param in net.named_parameters()},
            "parameters": {name: param.detach() for name, param in net.named_parameters()},
            "learn": [param.requires_grad for param in net.parameters()],
            "numbers added up": sum(summed),
        }
    return outputs
