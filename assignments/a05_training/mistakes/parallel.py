"""How people get `training.parallel` wrong, and the hint each mistake deserves."""

import torch

from exercise_code.support.checking.declare import mistake

SHARD = "training.parallel.shard_indices"
AVERAGE = "training.parallel.average_gradients"


def _order(num_samples, seed):
    return torch.randperm(num_samples, generator=torch.Generator().manual_seed(seed)).tolist()


def _padded(order, world_size):
    return [order[place % len(order)] for place in range(len(order) + -len(order) % world_size)]


@mistake(SHARD, hint="The rank is part of the seed: each process draws another order, and shares overlap.")
def seed_of_each(num_samples, rank, world_size, seed, epoch):
    return _padded(_order(num_samples, seed + epoch + rank), world_size)[rank::world_size]


@mistake(SHARD, hint="The epoch is not part of the seed: every epoch has the same order.")
def every_epoch_alike(num_samples, rank, world_size, seed, epoch):
    return _padded(_order(num_samples, seed), world_size)[rank::world_size]


@mistake(SHARD, hint="The seed is missing: only the epoch decides about the order.")
def seed_ignored(num_samples, rank, world_size, seed, epoch):
    return _padded(_order(num_samples, epoch), world_size)[rank::world_size]


@mistake(SHARD, hint="Nothing is padded, so some processes have a sample less, and the others wait for them.")
def not_padded(num_samples, rank, world_size, seed, epoch):
    return _order(num_samples, seed + epoch)[rank::world_size]


@mistake(SHARD, hint="The rest is dropped; here it is filled up instead.")
def rest_dropped(num_samples, rank, world_size, seed, epoch):
    order = _order(num_samples, seed + epoch)
    return order[: num_samples // world_size * world_size][rank::world_size]


@mistake(SHARD, hint="These are blocks: the processes take turns, rank, rank + world_size, and so on.")
def blocks(num_samples, rank, world_size, seed, epoch):
    padded = _padded(_order(num_samples, seed + epoch), world_size)
    each = len(padded) // world_size
    return padded[rank * each : (rank + 1) * each]


@mistake(SHARD, hint="Nothing is shuffled: the order is that of the data set.")
def not_shuffled(num_samples, rank, world_size, seed, epoch):
    return _padded([*range(num_samples)], world_size)[rank::world_size]


@mistake(SHARD, hint="The last sample is repeated: go on with the beginning of the order.")
def last_repeated(num_samples, rank, world_size, seed, epoch):
    order = _order(num_samples, seed + epoch)
    return (order + order[-1:] * (-num_samples % world_size))[rank::world_size]


@mistake(SHARD, hint="A multiple gets another whole round: pad only where something is missing.")
def a_round_too_many(num_samples, rank, world_size, seed, epoch):
    order = _order(num_samples, seed + epoch)
    places = range(rank, (num_samples // world_size + 1) * world_size, world_size)
    return [order[place % num_samples] for place in places]


@mistake(
    SHARD,
    hint="The order is appended once: with few samples and many processes it goes round more often.",
)
def wrapped_once(num_samples, rank, world_size, seed, epoch):
    order = _order(num_samples, seed + epoch)
    return (order + order[: -num_samples % world_size])[rank::world_size]


def _average(model, all_reduce, factor=1.0, missing="zeros", frozen=False, names=""):
    """`average_gradients` with something else in one place."""
    for name, param in model.named_parameters():
        if (param.requires_grad or frozen) and name.endswith(names):
            if param.grad is None:
                if missing == "skip":
                    continue
                param.grad = torch.zeros_like(param)
            all_reduce(param.grad)
            param.grad *= factor


@mistake(AVERAGE, hint="These are sums: divide them by the number of processes.")
def sums(model, all_reduce, world_size):
    _average(model, all_reduce)


@mistake(
    AVERAGE, hint="A parameter without gradient is skipped: another process may wait for it. It counts as 0."
)
def none_skipped(model, all_reduce, world_size):
    _average(model, all_reduce, 1 / world_size, missing="skip")


@mistake(
    AVERAGE,
    hint="The gradient of a parameter may be None, while another process has one: let it count as 0.",
    raises=AttributeError,
)
def none_has_no_data(model, all_reduce, world_size):
    for param in model.parameters():
        if param.requires_grad:
            all_reduce(param.grad.data)
            param.grad.data /= world_size


@mistake(AVERAGE, hint="Frozen parameters get gradients too: leave them out.")
def frozen_too(model, all_reduce, world_size):
    _average(model, all_reduce, 1 / world_size, frozen=True)


@mistake(AVERAGE, hint="Sums are divided twice: a single division by the number of processes is due.")
def divided_twice(model, all_reduce, world_size):
    _average(model, all_reduce, 1 / world_size**2)


@mistake(AVERAGE, hint="The sums are multiplied by the number of processes: divide.")
def multiplied(model, all_reduce, world_size):
    _average(model, all_reduce, world_size)


@mistake(AVERAGE, hint="The parameters themselves are averaged: the gradients were asked for.")
def parameters_averaged(model, all_reduce, world_size):
    for param in model.parameters():
        if param.requires_grad:
            param.grad = torch.zeros_like(param) if param.grad is None else param.grad
            all_reduce(param.data)
            param.data /= world_size


@mistake(AVERAGE, hint="A copy is summed up: `all_reduce` must get the gradient itself, or the copy go back.")
def a_copy(model, all_reduce, world_size):
    for param in model.parameters():
        if param.requires_grad:
            param.grad = torch.zeros_like(param) if param.grad is None else param.grad
            all_reduce(param.grad.clone())
            param.grad /= world_size


@mistake(AVERAGE, hint="Biases are left out: all trainable parameters are averaged.")
def no_biases(model, all_reduce, world_size):
    _average(model, all_reduce, 1 / world_size, names="weight")


@mistake(
    AVERAGE,
    hint="`all_reduce` works in place and returns nothing: do not store what it returns.",
    raises=TypeError,
)
def what_it_returns(model, all_reduce, world_size):
    for param in model.parameters():
        if param.requires_grad:
            param.grad = torch.zeros_like(param) if param.grad is None else param.grad
            param.grad = all_reduce(param.grad) / world_size


@mistake(
    AVERAGE,
    hint="A parameter without a gradient has None there: put zeros in its place first.",
    raises=AttributeError,
)
def none_reduced(model, all_reduce, world_size):
    for param in model.parameters():
        if param.requires_grad:
            all_reduce(param.grad)
            param.grad /= world_size


@mistake(AVERAGE, hint="The gradients are divided before the sum and after it: once is enough.")
def before_and_after(model, all_reduce, world_size):
    for param in model.parameters():
        if param.requires_grad:
            param.grad = torch.zeros_like(param) if param.grad is None else param.grad / world_size
            all_reduce(param.grad)
            param.grad /= world_size
