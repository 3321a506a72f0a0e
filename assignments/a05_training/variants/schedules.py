"""Right versions of `training.schedules`, written otherwise."""

import bisect
import itertools
import math

import torch
from torch import nn
from torch.nn import functional as F

from exercise_code.support.checking.declare import variant
from exercise_code.training.schedules import lambda_lr

SCHEDULES = "training.schedules."


# Schedules
@variant(SCHEDULES + "lambda_lr")
def lambda_by_loop(base_lr, num_epochs, factor):
    rates = []
    for epoch in range(num_epochs):
        rates.append(factor(epoch) * base_lr)
    return rates


@variant(SCHEDULES + "lambda_lr")
def lambda_by_map(base_lr, num_epochs, factor):
    return [base_lr * share for share in map(factor, range(num_epochs))]


@variant(SCHEDULES + "lambda_lr")
def lambda_by_count(base_lr, num_epochs, factor):
    return [base_lr * factor(epoch) for epoch in itertools.islice(itertools.count(), num_epochs)]


@variant(SCHEDULES + "step_lr")
def step_by_remainder(base_lr, num_epochs, step_size, gamma=0.1):
    rates, lr = [], base_lr
    for epoch in range(num_epochs):
        if epoch and epoch % step_size == 0:
            lr *= gamma
        rates.append(lr)
    return rates


@variant(SCHEDULES + "step_lr")
def step_by_repeat(base_lr, num_epochs, step_size, gamma=0.1):
    stairs = [base_lr * gamma**step for step in range(num_epochs // step_size + 1)]
    return [lr for lr in stairs for _ in range(step_size)][:num_epochs]


@variant(SCHEDULES + "step_lr")
def step_by_floor(base_lr, num_epochs, step_size, gamma=0.1):
    return [base_lr * math.pow(gamma, math.floor(epoch / step_size)) for epoch in range(num_epochs)]


@variant(SCHEDULES + "multi_step_lr")
def milestones_by_bisect(base_lr, num_epochs, milestones, gamma=0.1):
    ordered = sorted(milestones)
    return [base_lr * gamma ** bisect.bisect_right(ordered, epoch) for epoch in range(num_epochs)]


@variant(SCHEDULES + "multi_step_lr")
def milestones_one_by_one(base_lr, num_epochs, milestones, gamma=0.1):
    rates = [base_lr] * num_epochs
    for milestone in milestones:
        for epoch in range(milestone, num_epochs):
            rates[epoch] *= gamma
    return rates


@variant(SCHEDULES + "multi_step_lr")
def milestones_in_turn(base_lr, num_epochs, milestones, gamma=0.1):
    rates, lr = [], base_lr
    for epoch in range(num_epochs):
        lr *= gamma ** list(milestones).count(epoch)
        rates.append(lr)
    return rates


@variant(SCHEDULES + "cosine_annealing_lr")
def cosine_by_formula(base_lr, num_epochs, T_max, eta_min=0.0):
    return [
        eta_min + (base_lr - eta_min) * (1 + math.cos(math.pi * t / T_max)) / 2 for t in range(num_epochs)
    ]


@variant(SCHEDULES + "cosine_annealing_lr")
def cosine_by_square(base_lr, num_epochs, T_max, eta_min=0.0):
    return [eta_min + (base_lr - eta_min) * math.cos(math.pi * t / T_max / 2) ** 2 for t in range(num_epochs)]


@variant(SCHEDULES + "cosine_annealing_lr")
def cosine_by_torch(base_lr, num_epochs, T_max, eta_min=0.0):
    turns = torch.arange(num_epochs, dtype=torch.float64) * torch.pi / T_max
    return (eta_min + 0.5 * (base_lr - eta_min) * (1 + turns.cos())).tolist()


WARM = SCHEDULES + "warmup_inverse_sqrt_lr"


@variant(WARM)
def warm_by_two_lists(base_lr, num_steps, warmup):
    rising = [base_lr * step / warmup for step in range(1, warmup + 1)]
    falling = [base_lr * math.sqrt(warmup / step) for step in range(warmup + 1, num_steps + 1)]
    return (rising + falling)[:num_steps]


@variant(WARM)
def warm_as_in_the_paper(base_lr, num_steps, warmup):
    top = base_lr * warmup**0.5
    return [top * min(step**-0.5, step * warmup**-1.5) for step in range(1, num_steps + 1)]


@variant(WARM)
def warm_by_factor(base_lr, num_steps, warmup):
    def factor(epoch):
        step = epoch + 1
        return step / warmup if step < warmup else math.sqrt(warmup / step)

    return lambda_lr(base_lr, num_steps, factor)


PLATEAU = SCHEDULES + "reduce_on_plateau_lr"


@variant(PLATEAU)
def plateau_by_branches(
    base_lr, metrics, factor=0.1, patience=10, threshold=1e-4, mode="min", cooldown=0, min_lr=0.0
):
    lr, bad, cooling, rates = base_lr, 0, 0, []
    best = math.inf if mode == "min" else -math.inf
    for metric in metrics:
        rates.append(lr)
        if metric < best * (1 - threshold) if mode == "min" else metric > best * (1 + threshold):
            best, bad = metric, 0
        else:
            bad += 1
        if cooling > 0:
            cooling -= 1
            bad = 0
        if bad > patience:
            lr = max(min_lr, lr * factor)
            cooling, bad = cooldown, 0
    return rates


@variant(PLATEAU)
def plateau_by_epochs(
    base_lr, metrics, factor=0.1, patience=10, threshold=1e-4, mode="min", cooldown=0, min_lr=0.0
):
    lr, rates, best, good = base_lr, [], None, -1
    for epoch, metric in enumerate(metrics):
        rates.append(lr)
        limit = None if best is None else best * (1 + (threshold if mode == "max" else -threshold))
        if limit is None or (metric > limit if mode == "max" else metric < limit):
            best, good = metric, max(good, epoch)
        if epoch - good > patience:
            lr, good = max(lr * factor, min_lr), epoch + cooldown
    return rates


@variant(PLATEAU)
def plateau_one_ahead(
    base_lr, metrics, factor=0.1, patience=10, threshold=1e-4, mode="min", cooldown=0, min_lr=0.0
):
    rates, best, bad, rest = [base_lr], metrics[0], 0, 0
    for metric in metrics:
        gain = (best - metric if mode == "min" else metric - best) / best
        best = metric if gain > threshold else best
        bad = 0 if gain > threshold or rest or len(rates) == 1 else bad + 1
        rest = max(0, rest - 1)
        rates.append(rates[-1])
        if bad == patience + 1:
            rates[-1] = max(rates[-1] * factor, min_lr)
            bad, rest = 0, cooldown
    return rates[:-1]


# Training
TRAIN = SCHEDULES + "train_scheduled"


@variant(TRAIN)
def train_in_groups(model, optimizer, scheduler, batches, num_epochs, accumulate=1, max_norm=math.inf):
    rates = []
    for _ in range(num_epochs):
        rates.append(scheduler.get_last_lr()[0])
        for start in range(0, len(batches), accumulate):
            optimizer.zero_grad()
            group = batches[start : start + accumulate]
            sum(F.cross_entropy(model(x), y) for x, y in group).div(len(group)).backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm)
            optimizer.step()
        scheduler.step()
    return rates


@variant(TRAIN)
def train_on_joined_batches(
    model, optimizer, scheduler, batches, num_epochs, accumulate=1, max_norm=math.inf
):
    rates = []
    for _ in range(num_epochs):
        rates += [group["lr"] for group in optimizer.param_groups[:1]]
        for start in range(0, len(batches), accumulate):
            x, y = (torch.cat(parts) for parts in zip(*batches[start : start + accumulate], strict=True))
            optimizer.zero_grad(set_to_none=False)
            F.cross_entropy(model(x), y).backward()
            if max_norm < math.inf:
                nn.utils.clip_grad_norm_(model.parameters(), max_norm)
            optimizer.step()
        scheduler.step()
    return rates


@variant(TRAIN)
def train_clipped_by_hand(model, optimizer, scheduler, batches, num_epochs, accumulate=1, max_norm=math.inf):
    rates, params = [], [*model.parameters()]
    model.zero_grad()
    for _ in range(num_epochs):
        rates.append(optimizer.param_groups[0]["lr"])
        for place, (x, y) in enumerate(batches):
            loss = F.cross_entropy(model(x), y)
            (loss / accumulate).backward()
            if (place + 1) % accumulate:
                continue
            norm = torch.stack([param.grad.norm() for param in params]).norm()
            for param in params:
                param.grad *= (max_norm / (norm + 1e-6)).clamp(max=1)
            optimizer.step()
            model.zero_grad()
        scheduler.step()
    return rates
