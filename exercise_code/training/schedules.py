"""Learning-rate schedules, each as the list of rates that it gives, and the loop that follows one."""

import math
from collections.abc import Callable, Sequence
from typing import Literal

from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

Batch = tuple[Float[Tensor, "n ..."], Int[Tensor, " n"]]


# Schedules
def lambda_lr(base_lr: float, num_epochs: int, factor: Callable[[int], float]) -> list[float]:
    """The rate of each epoch: base_lr times factor(epoch), with epochs counted from 0.

    Not allowed here: torch.optim.lr_scheduler.LambdaLR.
    """
    ### BEGIN SOLUTION
    return [base_lr * factor(epoch) for epoch in range(num_epochs)]
    ### END SOLUTION


def step_lr(base_lr: float, num_epochs: int, step_size: int, gamma: float = 0.1) -> list[float]:
    """The rate of each epoch, multiplied by gamma after every step_size epochs; base_lr comes first.

    Not allowed here: torch.optim.lr_scheduler.StepLR.
    """
    ### BEGIN SOLUTION
    return lambda_lr(base_lr, num_epochs, lambda epoch: gamma ** (epoch // step_size))
    ### END SOLUTION


def multi_step_lr(
    base_lr: float, num_epochs: int, milestones: Sequence[int], gamma: float = 0.1
) -> list[float]:
    """The rate of each epoch, multiplied by gamma at each milestone.

    Not allowed here: torch.optim.lr_scheduler.MultiStepLR.

    Args:
        base_lr: rate of epoch 0, unless that is a milestone.
        num_epochs: how many rates.
        milestones: epochs from which on the rate is lower, in any order.
        gamma: factor at each of them.
    """
    ### BEGIN SOLUTION
    return lambda_lr(
        base_lr, num_epochs, lambda epoch: gamma ** sum(milestone <= epoch for milestone in milestones)
    )
    ### END SOLUTION


def cosine_annealing_lr(base_lr: float, num_epochs: int, T_max: int, eta_min: float = 0.0) -> list[float]:
    """The rate of each epoch, along half a cosine from base_lr in epoch 0 to eta_min in epoch T_max.

    The mean of both rates, plus half their difference times cos(pi epoch / T_max). Beyond T_max the cosine
    goes on, and the rate rises again (Loshchilov and Hutter, 2017, without restarts).
    Not allowed here: torch.optim.lr_scheduler.CosineAnnealingLR.
    """
    ### BEGIN SOLUTION
    middle, reach = (base_lr + eta_min) / 2, (base_lr - eta_min) / 2
    return [middle + reach * math.cos(math.pi * epoch / T_max) for epoch in range(num_epochs)]
    ### END SOLUTION


def warmup_inverse_sqrt_lr(base_lr: float, num_steps: int, warmup: int) -> list[float]:
    """The rate of each step, counted from 1: up to base_lr in a straight line, then down as 1 / sqrt(step).

    Step t has base_lr · t / warmup as long as t <= warmup, and base_lr · sqrt(warmup / t) from there on
    (Vaswani et al., 2017, Section 5.3, whose base_lr is (d_model · warmup)^-1/2).
    """
    ### BEGIN SOLUTION
    return [base_lr * min(step / warmup, (warmup / step) ** 0.5) for step in range(1, num_steps + 1)]
    ### END SOLUTION


def reduce_on_plateau_lr(
    base_lr: float,
    metrics: Sequence[float],
    factor: float = 0.1,
    patience: int = 10,
    threshold: float = 1e-4,
    mode: Literal["min", "max"] = "min",
    cooldown: int = 0,
    min_lr: float = 0.0,
) -> list[float]:
    """The rate of each epoch, lowered when a metric has not improved for more than patience epochs.

    An epoch's metric is known after it, so it changes the rates of later epochs alone. An epoch is an
    improvement if its metric is below (1 - threshold) times the best so far; with mode "max", above
    (1 + threshold) times. The first epoch is always one. After the rate was lowered, the count of bad epochs
    starts again at 0, and the next cooldown epochs are not counted.
    Not allowed here: torch.optim.lr_scheduler.ReduceLROnPlateau.

    Args:
        base_lr: rate of the first epoch.
        metrics: measured after each epoch, positive.
        factor: of the rate at each reduction.
        patience: how many bad epochs in a row are put up with.
        threshold: which part of the best metric is too little to be an improvement.
        mode: "min" where small metrics are good, such as losses; "max" for accuracies.
        cooldown: epochs after a reduction in which bad epochs do not count.
        min_lr: the rate never falls below it.
    """
    ### BEGIN SOLUTION
    lr, best, bad, cooling, rates = base_lr, None, 0, 0, []
    sign = 1 if mode == "min" else -1
    for metric in metrics:
        rates.append(lr)
        better = best is None or sign * metric < sign * best * (1 - sign * threshold)
        best = metric if better else best
        bad = 0 if better or cooling else bad + 1
        cooling = max(cooling - 1, 0)
        if bad > patience:
            lr, bad, cooling = max(lr * factor, min_lr), 0, cooldown
    return rates
    ### END SOLUTION


# Training
def train_scheduled(
    model: nn.Module,
    optimizer: Optimizer,
    scheduler: LRScheduler,
    batches: Sequence[Batch],
    num_epochs: int,
    accumulate: int = 1,
    max_norm: float = math.inf,
) -> list[float]:
    """Train with cross-entropy; the scheduler steps once an epoch, after the optimiser.

    Args:
        model: gives scores; changed.
        optimizer: of the model's parameters; gradients that are left from before are dropped.
        scheduler: of the optimiser.
        batches: images and labels, all of one size, the same in each epoch; their number is a multiple
            of `accumulate`.
        num_epochs: how often to go through all of them.
        accumulate: how many batches together make one step, with the gradient of their common mean loss.
        max_norm: longer gradients, all parameters taken together, are scaled down to this norm
            (Pascanu et al., 2013) before the step.

    Returns:
        The learning rate of each epoch.
    """
    ### BEGIN SOLUTION
    rates = []
    optimizer.zero_grad()
    for _ in range(num_epochs):
        rates.append(optimizer.param_groups[0]["lr"])
        for place, (x, y) in enumerate(batches, start=1):
            (F.cross_entropy(model(x), y) / accumulate).backward()
            if place % accumulate == 0:
                nn.utils.clip_grad_norm_(model.parameters(), max_norm)
                optimizer.step()
                optimizer.zero_grad()
        scheduler.step()
    return rates
    ### END SOLUTION
