"""Right versions of `training.parallel`, written otherwise."""

import math

import torch
from torch.utils.data import DistributedSampler

from exercise_code.support.checking.declare import variant

PARALLEL = "training.parallel."


@variant(PARALLEL + "shard_indices")
def by_torch(num_samples, rank, world_size, seed, epoch):
    sampler = DistributedSampler(range(num_samples), world_size, rank, shuffle=True, seed=seed)
    sampler.set_epoch(epoch)
    return list(sampler)


@variant(PARALLEL + "shard_indices")
def by_repeating(num_samples, rank, world_size, seed, epoch):
    generator = torch.Generator()
    generator.manual_seed(seed + epoch)
    order = torch.randperm(num_samples, generator=generator)
    each = math.ceil(num_samples / world_size)
    whole = order.repeat(world_size)[: each * world_size] if num_samples < world_size else order
    whole = torch.cat([whole, order])[: each * world_size]
    return whole.view(each, world_size)[:, rank].tolist()


@variant(PARALLEL + "average_gradients")
def in_one_bucket(model, all_reduce, world_size):
    trained = [param for param in model.parameters() if param.requires_grad]
    grads = [torch.zeros_like(param) if param.grad is None else param.grad for param in trained]
    bucket = torch.cat([grad.flatten() for grad in grads])
    all_reduce(bucket)
    parts = (bucket / world_size).split([param.numel() for param in trained])
    for param, part in zip(trained, parts, strict=True):
        param.grad = part.view_as(param)


@variant(PARALLEL + "average_gradients")
def in_two_loops(model, all_reduce, world_size):
    trained = [param for param in model.parameters() if param.requires_grad]
    for param in trained:
        param.grad = param.new_zeros(param.shape) if param.grad is None else param.grad.clone()
        all_reduce(param.grad)
    for param in trained:
        param.grad.div_(world_size)
