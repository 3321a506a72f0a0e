"""Right versions of `mlp.hyperparameter_tuning`, written otherwise."""

import itertools
import math
import random

import numpy as np
import torch

from exercise_code.mlp import fully_connected_networks as fcn
from exercise_code.mlp import hyperparameter_tuning as tuning
from exercise_code.support.checking.declare import variant


@variant("mlp.hyperparameter_tuning.findBestConfig")
def best_by_max(data, configs, epochs=20, patience=5, model_class=fcn.FullyConnectedNet):
    solvers, results = [], []
    for config in configs:
        solvers.append(tuning.make_solver(data, config, epochs, patience, model_class))
        solvers[-1].train()
        results.append((config, solvers[-1].best_val_acc))
    best = max(solvers, key=lambda solver: solver.best_val_acc, default=None)
    return best and best.model, results


@variant("mlp.hyperparameter_tuning.grid_search")
def grid_by_growing(data, grid_search_spaces, epochs=20, patience=5, model_class=fcn.FullyConnectedNet):
    configs = [{}]
    for name, values in grid_search_spaces.items():
        configs = [{**config, name: value} for config, value in itertools.product(configs, values)]
    return tuning.findBestConfig(data, configs, epochs, patience, model_class)


@variant("mlp.hyperparameter_tuning.random_search_spaces_to_config")
def config_by_numpy(random_search_spaces):
    draw = np.random.default_rng(random.getrandbits(64))
    config = {}
    for name, (values, mode) in random_search_spaces.items():
        low, high = (min(values), max(values)) if mode != "item" else (None, None)
        if mode == "float":
            config[name] = float(draw.uniform(low, high))
        elif mode == "log":
            config[name] = math.exp(draw.uniform(math.log(low), math.log(high)))
        elif mode == "int":
            config[name] = int(draw.integers(low, high + 1))
        elif mode == "item":
            config[name] = values[int(draw.integers(len(values)))]
        else:
            raise ValueError(mode)
    return config


@variant("mlp.hyperparameter_tuning.random_search_spaces_to_config")
def config_by_torch(random_search_spaces):
    config = {}
    for name, (values, mode) in random_search_spaces.items():
        match mode:
            case "float":
                config[name] = values[0] + (values[1] - values[0]) * torch.rand(()).item()
            case "log":
                low, high = math.log10(values[0]), math.log10(values[1])
                config[name] = 10 ** (low + (high - low) * torch.rand(()).item())
            case "int":
                config[name] = torch.randint(min(values), max(values) + 1, ()).item()
            case "item":
                config[name] = values[torch.randint(len(values), ())]
            case _:
                raise ValueError("the modes are float, log, int and item")
    return config


@variant("mlp.hyperparameter_tuning.random_search")
def random_by_generator(
    data, random_search_spaces, num_search=20, epochs=20, patience=5, model_class=fcn.FullyConnectedNet
):
    configs = (tuning.random_search_spaces_to_config(random_search_spaces) for _ in range(num_search))
    return tuning.findBestConfig(data, configs, epochs, patience, model_class)
