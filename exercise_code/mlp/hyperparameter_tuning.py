"""Search for settings: every combination of a grid, or random ones."""

import itertools
import math
import random
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from torch import Tensor

from exercise_code.mlp.fully_connected_networks import FullyConnectedNet
from exercise_code.mlp.solver import Model, Solver
from exercise_code.mlp.update_rules import adam

Config = dict[str, Any]
Results = list[tuple[Config, float]]


def make_solver(
    data: dict[str, Tensor], config: Config, epochs: int, patience: int | None, model_class: type[Model]
) -> Solver:
    """A new model and its solver, both set up by one config.

    What `Solver` has as a setting goes to it, `learning_rate` to its update rule, the rest to the model.
    """
    settings = {name: value for name, value in config.items() if name in Solver.SETTINGS}
    if "learning_rate" in config:
        rate = {"learning_rate": config["learning_rate"]}
        settings["optim_config"] = {**settings.get("optim_config", {}), **rate}
    known = Solver.SETTINGS.keys() | {"learning_rate"}
    model = model_class(**{name: value for name, value in config.items() if name not in known})
    return Solver(model, data, **{"num_epochs": epochs, "patience": patience, **settings})


def findBestConfig(
    data: dict[str, Tensor],
    configs: Iterable[Config],
    epochs: int = 20,
    patience: int | None = 5,
    model_class: type[Model] = FullyConnectedNet,
) -> tuple[Model | None, Results]:
    """Train a new model for each config, and keep the one with the best validation accuracy.

    `make_solver` makes both; its arguments are (data, config, epochs, patience, model_class).

    Args:
        data: `X_train`, `y_train`, `X_val`, `y_val`.
        configs: settings by name.
        epochs: of each training.
        patience: of each training.
        model_class: makes a model of a config.

    Returns:
        The best model, on a tie the first of them, None if there is no config; and each config with the
        `best_val_acc` of its solver, in the order of the configs.
    """
    ### BEGIN SOLUTION
    best_model, best_val_acc, results = None, -1.0, []
    for config in configs:
        solver = make_solver(data, config, epochs, patience, model_class)
        solver.train()
        results.append((config, solver.best_val_acc))
        if solver.best_val_acc > best_val_acc:
            best_model, best_val_acc = solver.model, solver.best_val_acc
    return best_model, results
    ### END SOLUTION


def grid_search(
    data: dict[str, Tensor],
    grid_search_spaces: Mapping[str, Sequence[Any]],
    epochs: int = 20,
    patience: int | None = 5,
    model_class: type[Model] = FullyConnectedNet,
) -> tuple[Model | None, Results]:
    """Try every combination of the values, the last name's values changing fastest.

    Args:
        data: `X_train`, `y_train`, `X_val`, `y_val`.
        grid_search_spaces: for each setting the values to try.
        epochs: of each training.
        patience: of each training.
        model_class: makes a model of a config.

    Returns:
        What `findBestConfig` returns.
    """
    ### BEGIN SOLUTION
    combinations = itertools.product(*grid_search_spaces.values())
    configs = [dict(zip(grid_search_spaces, values, strict=True)) for values in combinations]
    return findBestConfig(data, configs, epochs, patience, model_class)
    ### END SOLUTION


def random_search_spaces_to_config(
    random_search_spaces: Mapping[str, tuple[Sequence[Any], str]],
) -> Config:
    """Draw one config.

    A space is a pair of values and a mode. "float": evenly between the two values. "log": 10^u with u evenly
    between their logarithms. "int": a whole number between the two, both included. "item": one of
    the values, all equally likely. The two ends may come in either order.

    Args:
        random_search_spaces: for each setting its space, for instance `([1e-4, 1e-1], "log")`.

    Returns:
        A value for each setting: a Python float, an int, or one of the items.

    Raises:
        ValueError: a mode is unknown.
    """
    ### BEGIN SOLUTION
    draw = {
        "float": lambda values: random.uniform(min(values), max(values)),
        "log": lambda values: 10 ** random.uniform(math.log10(min(values)), math.log10(max(values))),
        "int": lambda values: random.randint(min(values), max(values)),
        "item": random.choice,
    }
    config = {}
    for name, (values, mode) in random_search_spaces.items():
        if mode not in draw:
            raise ValueError(f"{name} has the unknown mode {mode!r}: choose from {', '.join(draw)}")
        config[name] = draw[mode](values)
    return config
    ### END SOLUTION


def random_search(
    data: dict[str, Tensor],
    random_search_spaces: Mapping[str, tuple[Sequence[Any], str]],
    num_search: int = 20,
    epochs: int = 20,
    patience: int | None = 5,
    model_class: type[Model] = FullyConnectedNet,
) -> tuple[Model | None, Results]:
    """Try configs drawn at random, each by its own call of `random_search_spaces_to_config`.

    Args:
        data: `X_train`, `y_train`, `X_val`, `y_val`.
        random_search_spaces: for each setting its space.
        num_search: how many configs to try.
        epochs: of each training.
        patience: of each training.
        model_class: makes a model of a config.

    Returns:
        What `findBestConfig` returns.
    """
    ### BEGIN SOLUTION
    configs = [random_search_spaces_to_config(random_search_spaces) for _ in range(num_search)]
    return findBestConfig(data, configs, epochs, patience, model_class)
    ### END SOLUTION


def train_best_mlp(data: dict[str, Tensor], epochs: int = 20) -> FullyConnectedNet:
    """Your best fully connected network, trained: depth, widths, activation, penalty, rule are yours.

    Args:
        data: `X_train`, `y_train`, `X_val`, `y_val`; images are flat rows of 3 x 32 x 32 numbers.
        epochs: how long to train.

    Returns:
        The network with the parameters that were best on the validation images.
    """
    ### BEGIN SOLUTION
    net = FullyConnectedNet([400] * 4, dropout=0.2, reg=1e-3, weight_scale="kaiming")
    settings = {"update_rule": adam, "optim_config": {"learning_rate": 1e-3}, "lr_decay": 0.9}
    Solver(net, data, **settings, num_epochs=epochs).train()
    return net
    ### END SOLUTION
