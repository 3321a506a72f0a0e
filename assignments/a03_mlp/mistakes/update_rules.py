"""How people get `mlp.update_rules` wrong, and the hint each mistake deserves."""

import torch

from exercise_code.support.checking.declare import mistake


# Update rules
@mistake(
    "mlp.update_rules.sgd_momentum",
    hint="The new velocity is used but not stored: the next step starts from rest again.",
)
def momentum_not_stored(w, dw, config=None):
    config = {"learning_rate": 1e-2, "momentum": 0.9, "velocity": torch.zeros_like(w), **(config or {})}
    return w + config["momentum"] * config["velocity"] - config["learning_rate"] * dw, config


@mistake(
    "mlp.update_rules.sgd_momentum",
    hint="The learning rate belongs into the velocity: here it scales old velocity as well.",
)
def momentum_of_torch(w, dw, config=None):
    config = {"learning_rate": 1e-2, "momentum": 0.9, "velocity": torch.zeros_like(w), **(config or {})}
    config["velocity"] = config["momentum"] * config["velocity"] + dw
    return w - config["learning_rate"] * config["velocity"], config


@mistake("mlp.update_rules.sgd_momentum", hint="The sign is wrong: this climbs up the gradient.")
def momentum_uphill(w, dw, config=None):
    config = {"learning_rate": 1e-2, "momentum": 0.9, "velocity": torch.zeros_like(w), **(config or {})}
    config["velocity"] = config["momentum"] * config["velocity"] + config["learning_rate"] * dw
    return w + config["velocity"], config


@mistake(
    "mlp.update_rules.sgd_momentum",
    hint="The step is taken with the old velocity: update the velocity first.",
)
def momentum_old_velocity(w, dw, config=None):
    config = {"learning_rate": 1e-2, "momentum": 0.9, "velocity": torch.zeros_like(w), **(config or {})}
    w = w + config["velocity"]
    config["velocity"] = config["momentum"] * config["velocity"] - config["learning_rate"] * dw
    return w, config


@mistake(
    "mlp.update_rules.sgd_momentum",
    hint="This is Nesterov's step, ahead of the velocity: here the weights follow the velocity itself.",
)
def momentum_of_nesterov(w, dw, config=None):
    config = {"learning_rate": 1e-2, "momentum": 0.9, "velocity": torch.zeros_like(w), **(config or {})}
    config["velocity"] = config["momentum"] * config["velocity"] - config["learning_rate"] * dw
    return w + config["momentum"] * config["velocity"] - config["learning_rate"] * dw, config


@mistake(
    "mlp.update_rules.sgd_momentum",
    hint="What came in is written into, as `+=` and `mul_` do, weights or memory: make new tensors.",
)
def momentum_in_place(w, dw, config=None):
    config = {"learning_rate": 1e-2, "momentum": 0.9, "velocity": torch.zeros_like(w), **(config or {})}
    config["velocity"] = config["momentum"] * config["velocity"] - config["learning_rate"] * dw
    w += config["velocity"]
    return w, config


RMSPROP = {"learning_rate": 1e-2, "decay_rate": 0.99, "epsilon": 1e-8}


@mistake("mlp.update_rules.rmsprop", hint="epsilon stands inside of the root; it is added after it.")
def rmsprop_epsilon_inside(w, dw, config=None):
    config = {**RMSPROP, "cache": torch.zeros_like(w), **(config or {})}
    config["cache"] = config["decay_rate"] * config["cache"] + (1 - config["decay_rate"]) * dw**2
    return w - config["learning_rate"] * dw / (config["cache"] + config["epsilon"]).sqrt(), config


@mistake("mlp.update_rules.rmsprop", hint="epsilon is a fixed number here: take the one in `config`.")
def rmsprop_fixed_epsilon(w, dw, config=None):
    config = {**RMSPROP, "cache": torch.zeros_like(w), **(config or {})}
    config["cache"] = config["decay_rate"] * config["cache"] + (1 - config["decay_rate"]) * dw**2
    return w - config["learning_rate"] * dw / (config["cache"].sqrt() + 1e-8), config


@mistake(
    "mlp.update_rules.rmsprop",
    hint="The two shares are swapped: decay_rate is how much of the *old* mean stays.",
)
def rmsprop_swapped(w, dw, config=None):
    config = {**RMSPROP, "cache": torch.zeros_like(w), **(config or {})}
    config["cache"] = (1 - config["decay_rate"]) * config["cache"] + config["decay_rate"] * dw**2
    return w - config["learning_rate"] * dw / (config["cache"].sqrt() + config["epsilon"]), config


@mistake(
    "mlp.update_rules.rmsprop", hint="Squares are added up for ever, as AdaGrad does: a running mean forgets."
)
def rmsprop_adagrad(w, dw, config=None):
    config = {**RMSPROP, "cache": torch.zeros_like(w), **(config or {})}
    config["cache"] = config["cache"] + dw**2
    return w - config["learning_rate"] * dw / (config["cache"].sqrt() + config["epsilon"]), config


@mistake(
    "mlp.update_rules.rmsprop",
    hint="The root is missing: the step is divided by the root of the mean square.",
)
def rmsprop_without_root(w, dw, config=None):
    config = {**RMSPROP, "cache": torch.zeros_like(w), **(config or {})}
    config["cache"] = config["decay_rate"] * config["cache"] + (1 - config["decay_rate"]) * dw**2
    return w - config["learning_rate"] * dw / (config["cache"] + config["epsilon"]), config


@mistake(
    "mlp.update_rules.rmsprop", hint="The cache is not stored: the running mean starts anew with every step."
)
def rmsprop_not_stored(w, dw, config=None):
    config = {**RMSPROP, "cache": torch.zeros_like(w), **(config or {})}
    cache = config["decay_rate"] * config["cache"] + (1 - config["decay_rate"]) * dw**2
    return w - config["learning_rate"] * dw / (cache.sqrt() + config["epsilon"]), config


@mistake(
    "mlp.update_rules.rmsprop",
    hint="What came in is written into, as `-=` and `mul_` do, weights or memory: make new tensors.",
)
def rmsprop_in_place(w, dw, config=None):
    config = {**RMSPROP, "cache": torch.zeros_like(w), **(config or {})}
    config["cache"] = config["decay_rate"] * config["cache"] + (1 - config["decay_rate"]) * dw**2
    w -= config["learning_rate"] * dw / (config["cache"].sqrt() + config["epsilon"])
    return w, config


def _adam(
    w,
    dw,
    config,
    *,
    late=False,
    correct=True,
    store_t=True,
    store_corrected=False,
    inside=False,
    epsilon=None,
):
    defaults = {"learning_rate": 1e-3, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}
    memory = {"m": torch.zeros_like(w), "v": torch.zeros_like(w), "t": 0}
    config = {**defaults, **memory, **(config or {})}
    beta1, beta2 = config["beta1"], config["beta2"]
    t = config["t"] if late else config["t"] + 1
    config["m"] = beta1 * config["m"] + (1 - beta1) * dw
    config["v"] = beta2 * config["v"] + (1 - beta2) * dw**2
    m, v = config["m"], config["v"]
    if correct:
        m, v = m / (1 - beta1**t), v / (1 - beta2**t)
    if store_corrected:
        config["m"], config["v"] = m, v
    if store_t:
        config["t"] = config["t"] + 1
    epsilon = epsilon or config["epsilon"]
    root = (v + epsilon).sqrt() if inside else v.sqrt() + epsilon
    return w - config["learning_rate"] * m / root, config


@mistake(
    "mlp.update_rules.adam:from_nothing",
    hint="t is raised only after it was used, so the first correction divides by 0: raise it first.",
)
def adam_t_too_late(w, dw, config=None):
    return _adam(w, dw, config, late=True)


@mistake(
    "mlp.update_rules.adam",
    hint="The bias correction is missing: m and v start at 0 and are too small at first.",
)
def adam_without_correction(w, dw, config=None):
    return _adam(w, dw, config, correct=False)


@mistake(
    "mlp.update_rules.adam",
    hint="The bias correction is missing, and t is never raised: m and v start at 0 and need both.",
)
def adam_without_correction_and_t(w, dw, config=None):
    return _adam(w, dw, config, correct=False, store_t=False)


@mistake(
    "mlp.update_rules.adam",
    hint="What came in is written into, as `-=` and `mul_` do, weights or memory: make new tensors.",
)
def adam_in_place(w, dw, config=None):
    new, config = _adam(w, dw, config)
    return w.copy_(new), config


@mistake("mlp.update_rules.adam", hint="t is not stored, so every step is corrected like the first.")
def adam_t_not_stored(w, dw, config=None):
    return _adam(w, dw, config, store_t=False)


@mistake(
    "mlp.update_rules.adam",
    hint="The corrected m and v are stored: they would be corrected again. Keep the bare ones.",
)
def adam_stores_corrected(w, dw, config=None):
    return _adam(w, dw, config, store_corrected=True)


@mistake("mlp.update_rules.adam", hint="epsilon stands inside of the root; it is added after it.")
def adam_epsilon_inside(w, dw, config=None):
    return _adam(w, dw, config, inside=True)


@mistake("mlp.update_rules.adam", hint="epsilon is a fixed number here: take the one in `config`.")
def adam_fixed_epsilon(w, dw, config=None):
    return _adam(w, dw, config, epsilon=1e-8)


@mistake(
    "mlp.update_rules.adam",
    hint="The gradient is used where its running mean m belongs: this is RMSProp, not Adam.",
)
def adam_without_first_moment(w, dw, config=None):
    _, config = _adam(w, dw, config)
    v = config["v"] / (1 - config["beta2"] ** config["t"])
    return w - config["learning_rate"] * dw / (v.sqrt() + config["epsilon"]), config


@mistake(
    "mlp.update_rules.rmsprop",
    hint="epsilon is added to the whole step: it belongs to the root that divides it.",
)
def rmsprop_epsilon_outside(w, dw, config=None):
    config = {**RMSPROP, "cache": torch.zeros_like(w), **(config or {})}
    config["cache"] = config["decay_rate"] * config["cache"] + (1 - config["decay_rate"]) * dw**2
    return w - (config["learning_rate"] * dw / config["cache"].sqrt() + config["epsilon"]), config


@mistake("mlp.update_rules.adam", hint="t is never raised: it counts the steps, this one included.")
def adam_t_never_raised(w, dw, config=None):
    memory = {"learning_rate": 1e-3, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "t": 0}
    config = {**memory, "m": torch.zeros_like(w), "v": torch.zeros_like(w), **(config or {})}
    beta1, beta2, t = config["beta1"], config["beta2"], config["t"]
    config["m"] = beta1 * config["m"] + (1 - beta1) * dw
    config["v"] = beta2 * config["v"] + (1 - beta2) * dw**2
    m, v = config["m"] / (1 - beta1**t), config["v"] / (1 - beta2**t)
    return w - config["learning_rate"] * m / (v.sqrt() + config["epsilon"]), config
