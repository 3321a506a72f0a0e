"""Right versions of `mlp.update_rules`, written otherwise."""

import math

import torch

from exercise_code.support.checking.declare import variant


@variant("mlp.update_rules.sgd_momentum")
def momentum_one_dict(w, dw, config=None):
    config = dict(config or {})
    rate, share = config.get("learning_rate", 1e-2), config.get("momentum", 0.9)
    velocity = share * config.get("velocity", torch.zeros_like(w)) - rate * dw
    return w + velocity, {"learning_rate": rate, "momentum": share, "velocity": velocity}


@variant("mlp.update_rules.rmsprop")
def rmsprop_lerp(w, dw, config=None):
    config = {"learning_rate": 1e-2, "decay_rate": 0.99, "epsilon": 1e-8, **(config or {})}
    cache = config.get("cache", torch.zeros_like(w))
    config["cache"] = cache + (1 - config["decay_rate"]) * (dw * dw - cache)
    return w - config["learning_rate"] * (dw / (torch.sqrt(config["cache"]) + config["epsilon"])), config


@variant("mlp.update_rules.adam")
def adam_scaled_rate(w, dw, config=None):
    defaults = {"learning_rate": 1e-3, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}
    config = {**defaults, "m": torch.zeros_like(w), "v": torch.zeros_like(w), "t": 0, **(config or {})}
    config["t"] += 1
    config["m"] = config["m"].lerp(dw, 1 - config["beta1"])
    config["v"] = config["v"] * config["beta2"] + dw.square() * (1 - config["beta2"])
    first = 1 - config["beta1"] ** config["t"]
    second = math.sqrt(1 - config["beta2"] ** config["t"])
    root = config["v"].sqrt() / second + config["epsilon"]
    return w - config["learning_rate"] / first * config["m"] / root, config
