"""Schedules and the loop that follows one, against torch's schedulers."""

import copy
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F
from torch.optim import lr_scheduler

from exercise_code.training import schedules

EPOCHS = 25


def rates_of(make, metrics=None, base_lr=0.7):
    """The rates that a scheduler of torch gives to SGD."""
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=base_lr)
    scheduler, rates = make(optimizer), []
    for metric in metrics or [None] * EPOCHS:
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step(*([] if metric is None else [metric]))
    return rates


THEIRS = {
    "exponential": (
        lambda o: lr_scheduler.ExponentialLR(o, 0.9),
        lambda: schedules.lambda_lr(0.7, EPOCHS, lambda epoch: 0.9**epoch),
    ),
    "linear": (
        lambda o: lr_scheduler.LinearLR(o, 0.2, 0.8, total_iters=9),
        lambda: schedules.lambda_lr(0.7, EPOCHS, lambda epoch: 0.2 + 0.6 * min(epoch / 9, 1)),
    ),
    "lambda": (
        lambda o: lr_scheduler.LambdaLR(o, lambda epoch: 1 / (1 + 0.2 * epoch)),
        lambda: schedules.lambda_lr(0.7, EPOCHS, lambda epoch: 1 / (1 + 0.2 * epoch)),
    ),
    "step": (
        lambda o: lr_scheduler.StepLR(o, 4, 0.3),
        lambda: schedules.step_lr(0.7, EPOCHS, 4, 0.3),
    ),
    "milestones": (
        lambda o: lr_scheduler.MultiStepLR(o, [3, 9, 10, 40], 0.3),
        lambda: schedules.multi_step_lr(0.7, EPOCHS, [10, 3, 40, 9], 0.3),
    ),
    "cosine": (
        lambda o: lr_scheduler.CosineAnnealingLR(o, EPOCHS, 0.05),
        lambda: schedules.cosine_annealing_lr(0.7, EPOCHS, EPOCHS, 0.05),
    ),
    "cosine beyond T_max": (
        lambda o: lr_scheduler.CosineAnnealingLR(o, 7),
        lambda: schedules.cosine_annealing_lr(0.7, EPOCHS, 7),
    ),
    "warm-up": (
        lambda o: lr_scheduler.LambdaLR(o, lambda t: 8**0.5 * min((t + 1) ** -0.5, (t + 1) * 8**-1.5)),
        lambda: schedules.warmup_inverse_sqrt_lr(0.7, EPOCHS, 8),
    ),
}


@pytest.mark.parametrize("name", THEIRS)
def test_schedules_are_those_of_torch(name):
    theirs, ours = THEIRS[name]
    assert ours() == pytest.approx(rates_of(theirs), rel=1e-9, abs=1e-12)


@given(
    metrics=st.lists(st.sampled_from([0.1, 0.2, 0.201, 0.3, 0.5, 0.9]), min_size=1, max_size=20),
    patience=st.integers(0, 3),
    cooldown=st.integers(0, 3),
    threshold=st.sampled_from([1e-4, 0.1]),
    mode=st.sampled_from(["min", "max"]),
)
def test_a_plateau_is_that_of_torch(metrics, patience, cooldown, threshold, mode):
    options = {"factor": 0.5, "patience": patience, "threshold": threshold, "mode": mode}
    options |= {"cooldown": cooldown, "min_lr": 0.06}
    due = rates_of(lambda o: lr_scheduler.ReduceLROnPlateau(o, **options), metrics)
    assert schedules.reduce_on_plateau_lr(0.7, metrics, **options) == pytest.approx(due, rel=1e-12)


@pytest.mark.parametrize("dtype, tolerance", [(torch.float32, 1e-5), (torch.float64, 1e-12)])
@settings(max_examples=10)
@given(accumulate=st.sampled_from([1, 2, 3]), max_norm=st.sampled_from([0.1, math.inf]))
def test_accumulated_batches_are_one_large_batch(dtype, tolerance, accumulate, max_norm):
    draw = torch.Generator().manual_seed(0)
    x, y = torch.randn(12, 3, dtype=dtype, generator=draw), torch.arange(12) % 4
    ours = nn.Linear(3, 4).to(dtype)
    theirs = copy.deepcopy(ours)
    optimizer = torch.optim.SGD(ours.parameters(), lr=0.5, momentum=0.9)
    scheduler = lr_scheduler.StepLR(optimizer, 2, 0.5)
    batches = [*zip(x.split(2), y.split(2), strict=True)]
    rates = schedules.train_scheduled(ours, optimizer, scheduler, batches, 4, accumulate, max_norm)
    assert rates == schedules.step_lr(0.5, 4, 2, 0.5)

    optimizer = torch.optim.SGD(theirs.parameters(), lr=0.5, momentum=0.9)
    for lr in rates:
        optimizer.param_groups[0]["lr"] = lr
        for images, labels in zip(x.split(2 * accumulate), y.split(2 * accumulate), strict=True):
            optimizer.zero_grad()
            F.cross_entropy(theirs(images), labels).backward()
            norm = torch.cat([param.grad.flatten() for param in theirs.parameters()]).norm()
            for param in theirs.parameters():
                param.grad *= min(1, max_norm / (norm.item() + 1e-6))
            optimizer.step()
    for param, due in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(param, due, rtol=tolerance, atol=tolerance)
