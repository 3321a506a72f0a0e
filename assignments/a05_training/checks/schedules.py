"""What is asked of `training.schedules`."""

import torch
from torch import nn

from exercise_code.support.checking.declare import check

from .common import filled

SCHEDULES = "training.schedules."
LIBRARY = "torch.optim.lr_scheduler."
LAMBDA = [f"{SCHEDULES}lambda_lr"]


# Schedules
def _rate(case) -> float:
    """A learning rate between 1 and 3, hardly ever the same again."""
    return case.integer(1024, 3072) / 1024


@check(f"{SCHEDULES}lambda_lr", points=1, forbids=[f"{LIBRARY}LambdaLR"])
def any_factor(code, case):
    """Exponential decay, 1 / (1 + d · epoch), and no epoch at all."""
    lr, schedule = _rate(case), code.training.schedules.lambda_lr
    return {
        "0.8 ** epoch": schedule(lr, 7, lambda epoch: 0.8**epoch),
        "1 / (1 + 0.3 epoch)": schedule(lr, 5, lambda epoch: 1 / (1 + 0.3 * epoch)),
        "no epoch": schedule(lr, 0, lambda epoch: 0.8**epoch),
    }


@check(f"{SCHEDULES}step_lr", points=1, uses=LAMBDA, forbids=[f"{LIBRARY}StepLR"])
def steps(code, case):
    """Steps of 3 and of 4 epochs, with two factors."""
    lr, schedule = _rate(case), code.training.schedules.step_lr
    return {"every 3 epochs": schedule(lr, 10, 3, 0.6), "gamma left out": schedule(lr, 9, 4)}


@check(f"{SCHEDULES}multi_step_lr", points=1, uses=LAMBDA, forbids=[f"{LIBRARY}MultiStepLR"])
def milestones(code, case):
    """Milestones in order and in no order, one of them beyond the last epoch."""
    lr, schedule = _rate(case), code.training.schedules.multi_step_lr
    return {
        "milestones 2, 5, 6": schedule(lr, 9, [2, 5, 6], 0.7),
        "milestones 7, 3, 20": schedule(lr, 10, [7, 3, 20]),
    }


@check(f"{SCHEDULES}cosine_annealing_lr", points=1, uses=LAMBDA, forbids=[f"{LIBRARY}CosineAnnealingLR"])
def cosine(code, case):
    """Down to 0, down to 0.4, and beyond the lowest point."""
    lr, schedule = _rate(case), code.training.schedules.cosine_annealing_lr
    return {
        "eta_min left out": schedule(lr, 8, 7),
        "down to 0.4": schedule(lr, 6, 9, 0.4),
        "beyond T_max": schedule(lr, 12, 5, 0.2),
    }


@check(f"{SCHEDULES}warmup_inverse_sqrt_lr", points=1, uses=LAMBDA)
def warm_up(code, case):
    """A warm-up of 5 steps, one that never ends, and none."""
    lr, schedule = _rate(case), code.training.schedules.warmup_inverse_sqrt_lr
    return {
        "warm-up of 5 steps": schedule(lr, 13, 5),
        "warm-up of 20 steps": schedule(lr, 7, 20),
        "warm-up of 1 step": schedule(lr, 6, 1),
    }


@check(f"{SCHEDULES}reduce_on_plateau_lr", points=3, forbids=[f"{LIBRARY}ReduceLROnPlateau"])
def plateau(code, case):
    """Losses and accuracies that improve, stand still, improve too little, and get worse."""
    lr, schedule = _rate(case), code.training.schedules.reduce_on_plateau_lr
    start = case.integer(20, 40) / 10
    falling = [start * share for share in (1, 0.9, 0.95, 0.97, 0.92, 0.8, 0.79, 0.78, 0.77, 0.81, 0.5, 0.9)]
    flat = [start] * 14
    while_cooling = [start * share for share in (1, 1.1, 0.5, 0.6, 0.7, 0.8, 0.6)]
    rising = [0.1, 0.3, 0.25, 0.305, 0.28, 0.29, 0.6, 0.55, 0.5, 0.61, 0.62, 0.7]
    return {
        "patience 1": schedule(lr, falling, 0.5, 1),
        "patience 2, threshold 0.05": schedule(lr, falling, 0.5, 2, 0.05),
        "cooldown 3": schedule(lr, flat, 0.5, 1, cooldown=3),
        "better while cooling": schedule(lr, while_cooling, 0.5, 0, cooldown=2),
        "min_lr 0.3": schedule(lr, flat, 0.4, 0, min_lr=0.3),
        "mode max, threshold 0.05": schedule(lr, rising, 0.5, 1, 0.05, "max"),
        "all left out": schedule(lr, [start] * 14),
    }


# Training
@check(f"{SCHEDULES}train_scheduled", points=3)
def scheduled_training(code, case):
    """Rates and parameters after three epochs: plain, gradients accumulated, gradients clipped."""
    numbers, x, y = case.numbers(20), case.numbers(12, 3), case.labels(12, num_classes=4)
    batches = [*zip(x.split(2), y.split(2), strict=True)]
    outputs = {}
    for name, accumulate, limit in (
        ("each batch", 1, {}),
        ("two batches a step", 2, {}),
        ("clipped at 0.3", 1, {"max_norm": 0.3}),
        ("clipped at 0.3, three batches a step", 3, {"max_norm": 0.3}),
    ):
        model = nn.Linear(3, 4)
        filled([model], numbers)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.4, momentum=0.5)
        model(x).sum().backward()  # gradients left from before
        scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)
        train = code.training.schedules.train_scheduled
        rates = train(model, optimizer, scheduler, batches, 3, accumulate, **limit)
        outputs[name] = {"rates": rates, "weight": model.weight, "bias": model.bias}
    return outputs
