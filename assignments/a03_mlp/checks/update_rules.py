"""What is asked of `mlp.update_rules`."""

from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_map_only

from exercise_code.support.checking.declare import check


# Update rules
def _two_steps(case, rule, config: dict[str, Any]) -> dict[str, Any]:
    w, first, second = (case.numbers(4, 3) for _ in range(3))
    outputs = {}
    for step, dw in (("first", first), ("second", second)):
        w, config = rule(w, dw, config)
        found = {"w": w, **{n: config[n] for n in sorted(config) if n in MEMORY}}
        # as they are before the next step
        outputs[f"{step} step"] = tree_map_only(Tensor, torch.clone, found)
    return outputs


MEMORY = ("velocity", "cache", "m", "v", "t")


@check("mlp.update_rules.sgd_momentum", points=1)
def momentum(code, case):
    """Two steps, with a velocity and from rest."""
    rule = code.mlp.update_rules.sgd_momentum
    config = {"learning_rate": 0.03, "momentum": 0.7, "velocity": case.numbers(4, 3)}
    return {"moving": _two_steps(case, rule, config), "from rest": _two_steps(case, rule, None)}


@check("mlp.update_rules.rmsprop", points=1)
def root_mean_square(code, case):
    """Two steps, with a cache and from nothing."""
    rule = code.mlp.update_rules.rmsprop
    cache = case.tensor(case.numbers(4, 3).cpu().numpy() ** 2)
    config = {"learning_rate": 0.03, "decay_rate": 0.8, "epsilon": 0.1, "cache": cache}
    return {"running": _two_steps(case, rule, config), "from nothing": _two_steps(case, rule, None)}


@check("mlp.update_rules.adam", points=1)
def adaptive_moments(code, case):
    """Two steps in the middle of a training."""
    m, v = case.numbers(4, 3), case.tensor(case.numbers(4, 3).cpu().numpy() ** 2)
    config = {"learning_rate": 0.03, "beta1": 0.7, "beta2": 0.9, "epsilon": 0.1, "m": m, "v": v, "t": 5}
    return _two_steps(case, code.mlp.update_rules.adam, config)


@check("mlp.update_rules.adam:from_nothing", points=1)
def adaptive_moments_from_nothing(code, case):
    """The first two steps of all."""
    return _two_steps(case, code.mlp.update_rules.adam, None)
