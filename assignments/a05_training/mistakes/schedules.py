"""How people get `training.schedules` wrong, and the hint each mistake deserves."""

import math

from torch import nn
from torch.nn import functional as F

from exercise_code.support.checking.declare import mistake

SCHEDULES = "training.schedules."


# Schedules
@mistake(SCHEDULES + "lambda_lr", hint="Epochs are counted from 1: the first one is epoch 0.")
def lambda_from_one(base_lr, num_epochs, factor):
    return [base_lr * factor(epoch) for epoch in range(1, num_epochs + 1)]


@mistake(
    SCHEDULES + "lambda_lr", hint="The factors pile up: each multiplies base_lr, not the rate before it."
)
def lambda_chained(base_lr, num_epochs, factor):
    rates, lr = [], base_lr
    for epoch in range(num_epochs):
        lr *= factor(epoch)
        rates.append(lr)
    return rates


@mistake(SCHEDULES + "lambda_lr", hint="These are the factors alone: base_lr is missing.")
def lambda_without_base(base_lr, num_epochs, factor):
    return [factor(epoch) for epoch in range(num_epochs)]


@mistake(SCHEDULES + "lambda_lr", hint="There is a rate too many: num_epochs of them are due.")
def lambda_one_more(base_lr, num_epochs, factor):
    return [base_lr * factor(epoch) for epoch in range(num_epochs + 1)]


@mistake(SCHEDULES + "step_lr", hint="The rate falls smoothly: use whole steps, `//` in place of `/`.")
def step_smooth(base_lr, num_epochs, step_size, gamma=0.1):
    return [base_lr * gamma ** (epoch / step_size) for epoch in range(num_epochs)]


@mistake(SCHEDULES + "step_lr", hint="The rate falls one epoch early: epochs are counted from 0.")
def step_early(base_lr, num_epochs, step_size, gamma=0.1):
    return [base_lr * gamma ** ((epoch + 1) // step_size) for epoch in range(num_epochs)]


@mistake(
    SCHEDULES + "step_lr",
    hint="The rate falls one epoch late: epoch step_size is the first with a lower one.",
)
def step_late(base_lr, num_epochs, step_size, gamma=0.1):
    return [base_lr * gamma ** (max(epoch - 1, 0) // step_size) for epoch in range(num_epochs)]


@mistake(SCHEDULES + "step_lr", hint="gamma multiplies the number of steps: it is raised to that power.")
def step_product(base_lr, num_epochs, step_size, gamma=0.1):
    return [base_lr * (gamma * (epoch // step_size) or 1) for epoch in range(num_epochs)]


@mistake(
    SCHEDULES + "step_lr", hint="The rate falls once and then stays: it falls after every step_size epochs."
)
def step_once(base_lr, num_epochs, step_size, gamma=0.1):
    return [base_lr * (gamma if epoch >= step_size else 1) for epoch in range(num_epochs)]


@mistake(
    SCHEDULES + "multi_step_lr", hint="The rate falls one epoch late: a milestone has the lower rate already."
)
def milestones_late(base_lr, num_epochs, milestones, gamma=0.1):
    return [base_lr * gamma ** sum(m < epoch for m in milestones) for epoch in range(num_epochs)]


@mistake(
    SCHEDULES + "multi_step_lr", hint="The rate is lower at the milestones alone: it stays so afterwards."
)
def milestones_only(base_lr, num_epochs, milestones, gamma=0.1):
    return [base_lr * (gamma if epoch in milestones else 1) for epoch in range(num_epochs)]


@mistake(
    SCHEDULES + "multi_step_lr", hint="Only the first milestone counts: multiply by gamma at each of them."
)
def milestones_first(base_lr, num_epochs, milestones, gamma=0.1):
    return [base_lr * (gamma if epoch >= min(milestones) else 1) for epoch in range(num_epochs)]


@mistake(SCHEDULES + "multi_step_lr", hint="The milestones are taken as they come: they may be in any order.")
def milestones_in_order(base_lr, num_epochs, milestones, gamma=0.1):
    rates, passed = [], 0
    for epoch in range(num_epochs):
        while passed < len(milestones) and milestones[passed] <= epoch:
            passed += 1
        rates.append(base_lr * gamma**passed)
    return rates


@mistake(
    SCHEDULES + "multi_step_lr",
    hint="Milestones are read as lengths of steps: they are epochs, from the start.",
)
def milestones_as_lengths(base_lr, num_epochs, milestones, gamma=0.1):
    ends = [sum(milestones[: place + 1]) for place in range(len(milestones))]
    return [base_lr * gamma ** sum(end <= epoch for end in ends) for epoch in range(num_epochs)]


def _cosine(base_lr, num_epochs, T_max, eta_min, *, turn=math.pi, sign=1.0, first=0):
    """`cosine_annealing_lr` with something else in one place."""
    share = [(1 + sign * math.cos(turn * epoch / T_max)) / 2 for epoch in range(first, num_epochs + first)]
    return [eta_min + (base_lr - eta_min) * each for each in share]


@mistake(SCHEDULES + "cosine_annealing_lr", hint="The rate rises first: cos 0 is 1, so it starts at the top.")
def cosine_rising(base_lr, num_epochs, T_max, eta_min=0.0):
    return _cosine(base_lr, num_epochs, T_max, eta_min, sign=-1.0)


@mistake(
    SCHEDULES + "cosine_annealing_lr", hint="This is a whole turn, 2 pi, in T_max epochs: half a one is due."
)
def cosine_whole_turn(base_lr, num_epochs, T_max, eta_min=0.0):
    return _cosine(base_lr, num_epochs, T_max, eta_min, turn=2 * math.pi)


@mistake(
    SCHEDULES + "cosine_annealing_lr",
    hint="This is a quarter of a turn, pi / 2: the rate ends at its middle.",
)
def cosine_quarter(base_lr, num_epochs, T_max, eta_min=0.0):
    return _cosine(base_lr, num_epochs, T_max, eta_min, turn=math.pi / 2)


@mistake(SCHEDULES + "cosine_annealing_lr", hint="eta_min is added on top, so the rate starts above base_lr.")
def cosine_added(base_lr, num_epochs, T_max, eta_min=0.0):
    return [eta_min + lr for lr in _cosine(base_lr, num_epochs, T_max, 0.0)]


@mistake(SCHEDULES + "cosine_annealing_lr", hint="eta_min is not used: the rate falls to it, not to 0.")
def cosine_to_zero(base_lr, num_epochs, T_max, eta_min=0.0):
    return _cosine(base_lr, num_epochs, T_max, 0.0)


@mistake(
    SCHEDULES + "cosine_annealing_lr", hint="The rate stays at eta_min beyond T_max: the cosine goes on."
)
def cosine_stays(base_lr, num_epochs, T_max, eta_min=0.0):
    rates = _cosine(base_lr, num_epochs, T_max, eta_min)
    return [lr if epoch < T_max else eta_min for epoch, lr in enumerate(rates)]


@mistake(
    SCHEDULES + "cosine_annealing_lr", hint="The rate jumps back to base_lr beyond T_max: the cosine goes on."
)
def cosine_starts_anew(base_lr, num_epochs, T_max, eta_min=0.0):
    rates = _cosine(base_lr, T_max, T_max, eta_min)
    return [rates[epoch % T_max] for epoch in range(num_epochs)]


@mistake(
    SCHEDULES + "cosine_annealing_lr", hint="The cosine starts in epoch 1: base_lr is the rate of epoch 0."
)
def cosine_from_one(base_lr, num_epochs, T_max, eta_min=0.0):
    return _cosine(base_lr, num_epochs, T_max, eta_min, first=1)


WARM = SCHEDULES + "warmup_inverse_sqrt_lr"


def _warm(base_lr, num_steps, warmup, *, after=lambda step, warmup: (warmup / step) ** 0.5, first=1):
    """`warmup_inverse_sqrt_lr` with something else in one place."""
    steps = range(first, num_steps + first)
    return [base_lr * (step / warmup if step <= warmup else after(step, warmup)) for step in steps]


@mistake(WARM, hint="The rate jumps down behind the warm-up: sqrt(warmup / t), not sqrt(1 / t).")
def warm_with_a_jump(base_lr, num_steps, warmup):
    return _warm(base_lr, num_steps, warmup, after=lambda step, warmup: step**-0.5)


@mistake(WARM, hint="The rate falls as 1 / t: the root is missing.")
def warm_without_root(base_lr, num_steps, warmup):
    return _warm(base_lr, num_steps, warmup, after=lambda step, warmup: warmup / step)


@mistake(WARM, hint="Steps are counted from 0, so the first one does nothing: the first is step 1.")
def warm_from_zero(base_lr, num_steps, warmup):
    return _warm(base_lr, num_steps, warmup, first=0)


@mistake(WARM, hint="The root starts anew behind the warm-up: t counts all steps, those of the warm-up too.")
def warm_counts_anew(base_lr, num_steps, warmup):
    return _warm(base_lr, num_steps, warmup, after=lambda step, warmup: (step - warmup + 1) ** -0.5)


@mistake(WARM, hint="The rate stays at base_lr behind the warm-up: it should fall.")
def warm_and_constant(base_lr, num_steps, warmup):
    return _warm(base_lr, num_steps, warmup, after=lambda step, warmup: 1.0)


@mistake(WARM, hint="There is no warm-up: the rate begins at the top.")
def warm_missing(base_lr, num_steps, warmup):
    return [base_lr * min(1.0, (warmup / step) ** 0.5) for step in range(1, num_steps + 1)]


@mistake(WARM, hint="There is no warm-up: before step `warmup` the root, sqrt(warmup / t), is above 1.")
def warm_above_the_top(base_lr, num_steps, warmup):
    return [base_lr * (warmup / step) ** 0.5 for step in range(1, num_steps + 1)]


@mistake(WARM, hint="The top is base_lr / sqrt(warmup), as with transformers: here it is base_lr itself.")
def warm_to_a_lower_top(base_lr, num_steps, warmup):
    return [rate / warmup**0.5 for rate in _warm(base_lr, num_steps, warmup)]


PLATEAU = SCHEDULES + "reduce_on_plateau_lr"


def _plateau(
    base_lr,
    metrics,
    factor,
    patience,
    threshold,
    mode,
    cooldown,
    min_lr,
    *,
    early=False,
    against_last=False,
    never_reset=False,
    keeps_bad=False,
    asleep=False,
):
    """`reduce_on_plateau_lr` with something else in one place."""
    lr, best, bad, cooling, rates = base_lr, None, 0, 0, []
    sign = 1 if mode == "min" else -1
    for metric in metrics:
        before = lr
        better = best is None or sign * metric < sign * best * (1 - sign * threshold)
        best = metric if (better and not (asleep and cooling)) or against_last else best
        bad = (0 if not never_reset else bad) if better or cooling else bad + 1
        cooling = max(cooling - 1, 0)
        if bad > patience:
            lr, bad, cooling = max(lr * factor, min_lr), bad if keeps_bad else 0, cooldown
        rates.append(lr if early else before)
    return rates


@mistake(PLATEAU, hint="The rate changes an epoch early: a metric is known only after its epoch.")
def plateau_early(
    base_lr, metrics, factor=0.1, patience=10, threshold=1e-4, mode="min", cooldown=0, min_lr=0.0
):
    return _plateau(base_lr, metrics, factor, patience, threshold, mode, cooldown, min_lr, early=True)


@mistake(PLATEAU, hint="Each metric is held against the one before: hold it against the best so far.")
def plateau_against_last(
    base_lr, metrics, factor=0.1, patience=10, threshold=1e-4, mode="min", cooldown=0, min_lr=0.0
):
    return _plateau(base_lr, metrics, factor, patience, threshold, mode, cooldown, min_lr, against_last=True)


@mistake(PLATEAU, hint="An epoch of the cooldown may be the best so far: only its bad epochs do not count.")
def plateau_asleep(
    base_lr, metrics, factor=0.1, patience=10, threshold=1e-4, mode="min", cooldown=0, min_lr=0.0
):
    return _plateau(base_lr, metrics, factor, patience, threshold, mode, cooldown, min_lr, asleep=True)


@mistake(PLATEAU, hint="Bad epochs add up over improvements: an improvement sets their count to 0.")
def plateau_never_reset(
    base_lr, metrics, factor=0.1, patience=10, threshold=1e-4, mode="min", cooldown=0, min_lr=0.0
):
    return _plateau(base_lr, metrics, factor, patience, threshold, mode, cooldown, min_lr, never_reset=True)


@mistake(
    PLATEAU, hint="After a reduction the count goes on, so the rate falls every epoch: start again at 0."
)
def plateau_keeps_bad(
    base_lr, metrics, factor=0.1, patience=10, threshold=1e-4, mode="min", cooldown=0, min_lr=0.0
):
    return _plateau(base_lr, metrics, factor, patience, threshold, mode, cooldown, min_lr, keeps_bad=True)


@mistake(
    PLATEAU, hint="The rate falls one epoch too soon: patience bad epochs are put up with, the next is not."
)
def plateau_impatient(
    base_lr, metrics, factor=0.1, patience=10, threshold=1e-4, mode="min", cooldown=0, min_lr=0.0
):
    return _plateau(base_lr, metrics, factor, patience - 1, threshold, mode, cooldown, min_lr)


@mistake(PLATEAU, hint="The threshold is not used: a tiny improvement does not count.")
def plateau_without_threshold(
    base_lr, metrics, factor=0.1, patience=10, threshold=1e-4, mode="min", cooldown=0, min_lr=0.0
):
    return _plateau(base_lr, metrics, factor, patience, 0.0, mode, cooldown, min_lr)


@mistake(PLATEAU, hint='mode is not looked at: with "max" a larger metric is the better one.')
def plateau_always_min(
    base_lr, metrics, factor=0.1, patience=10, threshold=1e-4, mode="min", cooldown=0, min_lr=0.0
):
    return _plateau(base_lr, metrics, factor, patience, threshold, "min", cooldown, min_lr)


@mistake(PLATEAU, hint="The cooldown is left out: bad epochs right after a reduction do not count.")
def plateau_without_cooldown(
    base_lr, metrics, factor=0.1, patience=10, threshold=1e-4, mode="min", cooldown=0, min_lr=0.0
):
    return _plateau(base_lr, metrics, factor, patience, threshold, mode, 0, min_lr)


@mistake(PLATEAU, hint="The rate falls below min_lr: that is where it stops.")
def plateau_without_floor(
    base_lr, metrics, factor=0.1, patience=10, threshold=1e-4, mode="min", cooldown=0, min_lr=0.0
):
    return _plateau(base_lr, metrics, factor, patience, threshold, mode, cooldown, 0.0)


# Training
TRAIN = SCHEDULES + "train_scheduled"


def _train(
    model,
    optimizer,
    scheduler,
    batches,
    num_epochs,
    accumulate,
    max_norm,
    *,
    first=False,
    every_batch=False,
    scheduled=True,
    divide=True,
    zero="after each step",
    clip="before the step",
    softmax=False,
):
    """`train_scheduled` with something else in one place."""
    rates = []
    if zero != "never at the start":
        optimizer.zero_grad()
    for _ in range(num_epochs):
        if first:
            scheduler.step()
        rates.append(optimizer.param_groups[0]["lr"])
        for place, (x, y) in enumerate(batches, start=1):
            scores = model(x).softmax(dim=1) if softmax else model(x)
            if zero == "before each batch":
                optimizer.zero_grad()
            (F.cross_entropy(scores, y) / (accumulate if divide else 1)).backward()
            if clip == "each batch":
                nn.utils.clip_grad_norm_(model.parameters(), max_norm)
            if place % accumulate == 0:
                if clip == "before the step":
                    nn.utils.clip_grad_norm_(model.parameters(), max_norm)
                if clip == "values":
                    nn.utils.clip_grad_value_(model.parameters(), max_norm)
                if clip == "each parameter":
                    for param in model.parameters():
                        nn.utils.clip_grad_norm_(param, max_norm)
                optimizer.step()
                if clip == "after the step":
                    nn.utils.clip_grad_norm_(model.parameters(), max_norm)
                if zero != "never":
                    optimizer.zero_grad()
            if every_batch:
                scheduler.step()
        if scheduled and not first and not every_batch:
            scheduler.step()
    return rates


@mistake(
    TRAIN, hint="The scheduler steps before the optimiser, so the first epoch has the second one's rate."
)
def scheduler_first(model, optimizer, scheduler, batches, num_epochs, accumulate=1, max_norm=math.inf):
    return _train(model, optimizer, scheduler, batches, num_epochs, accumulate, max_norm, first=True)


@mistake(TRAIN, hint="The scheduler steps after every batch: it counts epochs.")
def scheduler_every_batch(model, optimizer, scheduler, batches, num_epochs, accumulate=1, max_norm=math.inf):
    return _train(model, optimizer, scheduler, batches, num_epochs, accumulate, max_norm, every_batch=True)


@mistake(TRAIN, hint="The scheduler never steps: the rate stays what it was.")
def scheduler_forgotten(model, optimizer, scheduler, batches, num_epochs, accumulate=1, max_norm=math.inf):
    return _train(model, optimizer, scheduler, batches, num_epochs, accumulate, max_norm, scheduled=False)


@mistake(
    TRAIN,
    hint="The gradients of several batches are summed: divide, so that they are those of the mean loss.",
)
def accumulated_sum(model, optimizer, scheduler, batches, num_epochs, accumulate=1, max_norm=math.inf):
    return _train(model, optimizer, scheduler, batches, num_epochs, accumulate, max_norm, divide=False)


@mistake(
    TRAIN, hint="Gradients are dropped before every batch, so nothing accumulates: drop them after a step."
)
def zeroed_each_batch(model, optimizer, scheduler, batches, num_epochs, accumulate=1, max_norm=math.inf):
    return _train(
        model, optimizer, scheduler, batches, num_epochs, accumulate, max_norm, zero="before each batch"
    )


@mistake(TRAIN, hint="Gradients are never dropped: each step repeats all the ones before.")
def never_zeroed(model, optimizer, scheduler, batches, num_epochs, accumulate=1, max_norm=math.inf):
    return _train(model, optimizer, scheduler, batches, num_epochs, accumulate, max_norm, zero="never")


@mistake(TRAIN, hint="The first step takes along gradients from before the training: drop them at the start.")
def keeps_old_gradients(model, optimizer, scheduler, batches, num_epochs, accumulate=1, max_norm=math.inf):
    return _train(
        model, optimizer, scheduler, batches, num_epochs, accumulate, max_norm, zero="never at the start"
    )


@mistake(TRAIN, hint="The gradient is clipped after the step, when it is too late.")
def clipped_too_late(model, optimizer, scheduler, batches, num_epochs, accumulate=1, max_norm=math.inf):
    return _train(
        model, optimizer, scheduler, batches, num_epochs, accumulate, max_norm, clip="after the step"
    )


@mistake(
    TRAIN, hint="The gradient is clipped after every batch: wait until all of a step have come together."
)
def clipped_each_batch(model, optimizer, scheduler, batches, num_epochs, accumulate=1, max_norm=math.inf):
    return _train(model, optimizer, scheduler, batches, num_epochs, accumulate, max_norm, clip="each batch")


@mistake(TRAIN, hint="Each number is clipped by itself, which turns the gradient: scale its norm.")
def clipped_values(model, optimizer, scheduler, batches, num_epochs, accumulate=1, max_norm=math.inf):
    return _train(model, optimizer, scheduler, batches, num_epochs, accumulate, max_norm, clip="values")


@mistake(TRAIN, hint="Each parameter is clipped by itself: the norm is that of all parameters together.")
def clipped_each_parameter(model, optimizer, scheduler, batches, num_epochs, accumulate=1, max_norm=math.inf):
    return _train(
        model, optimizer, scheduler, batches, num_epochs, accumulate, max_norm, clip="each parameter"
    )


@mistake(
    TRAIN, hint="There is a softmax after the scores: cross-entropy takes its own, so this is a second one."
)
def softmax_after_scores(model, optimizer, scheduler, batches, num_epochs, accumulate=1, max_norm=math.inf):
    return _train(model, optimizer, scheduler, batches, num_epochs, accumulate, max_norm, softmax=True)
