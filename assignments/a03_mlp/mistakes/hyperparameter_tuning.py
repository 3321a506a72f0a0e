"""How people get `mlp.hyperparameter_tuning` wrong, and the hint each mistake deserves."""

import itertools
import math
import random

from exercise_code.mlp import fully_connected_networks as fcn
from exercise_code.mlp import hyperparameter_tuning as tuning
from exercise_code.support.checking.declare import mistake


# Search
def _search(data, configs, model_class, epochs, patience, *, better, start=-1.0, shared=False):
    best_model, best, results, model = None, start, [], None
    for config in configs:
        solver = tuning.make_solver(data, config, epochs, patience, model_class)
        if shared and model is not None:
            solver.model = model
        solver.train()
        model = solver.model
        results.append((config, solver.best_val_acc))
        if better(solver.best_val_acc, best):
            best_model, best = solver.model, solver.best_val_acc
    return best_model, results


@mistake(
    "mlp.hyperparameter_tuning.findBestConfig", hint="The last model is returned: remember the best one."
)
def search_keeps_last(data, configs, epochs=20, patience=5, model_class=fcn.FullyConnectedNet):
    return _search(data, configs, model_class, epochs, patience, better=lambda new, best: True)


@mistake(
    "mlp.hyperparameter_tuning.findBestConfig",
    hint="One model is trained with all configs in turn: make a new one for each.",
)
def search_shares_model(data, configs, epochs=20, patience=5, model_class=fcn.FullyConnectedNet):
    return _search(
        data, configs, model_class, epochs, patience, better=lambda new, best: new > best, shared=True
    )


@mistake(
    "mlp.hyperparameter_tuning.findBestConfig",
    hint="The lowest accuracy wins: high is good here, unlike a loss.",
)
def search_lowest(data, configs, epochs=20, patience=5, model_class=fcn.FullyConnectedNet):
    return _search(
        data, configs, model_class, epochs, patience, better=lambda new, best: new < best, start=2.0
    )


@mistake(
    "mlp.hyperparameter_tuning.findBestConfig",
    hint="On a tie the last of equals is kept: the first one is asked for.",
)
def search_last_of_equals(data, configs, epochs=20, patience=5, model_class=fcn.FullyConnectedNet):
    return _search(data, configs, model_class, epochs, patience, better=lambda new, best: new >= best)


@mistake(
    "mlp.hyperparameter_tuning.findBestConfig", hint="Models are judged without training: call `train` first."
)
def search_without_training(data, configs, epochs=20, patience=5, model_class=fcn.FullyConnectedNet):
    solvers = [tuning.make_solver(data, config, epochs, patience, model_class) for config in configs]
    results = [(config, solver.best_val_acc) for config, solver in zip(configs, solvers, strict=True)]
    return solvers[0].model, results


@mistake(
    "mlp.hyperparameter_tuning.findBestConfig",
    hint="The accuracy after the last epoch decides; the best one of each solver, `best_val_acc`, is due.",
)
def search_by_last_epoch(data, configs, epochs=20, patience=5, model_class=fcn.FullyConnectedNet):
    best_model, best, results = None, -1.0, []
    for config in configs:
        solver = tuning.make_solver(data, config, epochs, patience, model_class)
        solver.train()
        accuracy = solver.val_acc_history[-1]
        results.append((config, accuracy))
        if accuracy > best:
            best_model, best = solver.model, accuracy
    return best_model, results


@mistake(
    "mlp.hyperparameter_tuning.findBestConfig:nothing_learnt",
    hint="`if not best` takes an accuracy of 0 for none at all: ask whether it is None.",
)
def search_zero_is_unset(data, configs, epochs=20, patience=5, model_class=fcn.FullyConnectedNet):
    return _search(
        data,
        configs,
        model_class,
        epochs,
        patience,
        better=lambda new, best: not best or new > best,
        start=None,
    )


@mistake(
    "mlp.hyperparameter_tuning.findBestConfig:nothing_learnt",
    hint="Accuracies are compared with 0 at first, so a model that scores 0 is never kept: start below.",
)
def search_starts_at_zero(data, configs, epochs=20, patience=5, model_class=fcn.FullyConnectedNet):
    return _search(
        data, configs, model_class, epochs, patience, better=lambda new, best: new > best, start=0.0
    )


@mistake(
    "mlp.hyperparameter_tuning.grid_search",
    hint="Values are paired one to one: a grid has every combination.",
)
def grid_paired(data, grid_search_spaces, epochs=20, patience=5, model_class=fcn.FullyConnectedNet):
    rows = zip(*grid_search_spaces.values(), strict=False)
    configs = [dict(zip(grid_search_spaces, row, strict=True)) for row in rows]
    return tuning.findBestConfig(data, configs, epochs, patience, model_class)


@mistake(
    "mlp.hyperparameter_tuning.grid_search",
    hint="One setting is changed at a time: combinations of changes are missing.",
)
def grid_one_at_a_time(data, grid_search_spaces, epochs=20, patience=5, model_class=fcn.FullyConnectedNet):
    first = {name: values[0] for name, values in grid_search_spaces.items()}
    configs = [{**first, name: value} for name, values in grid_search_spaces.items() for value in values]
    return tuning.findBestConfig(data, configs, epochs, patience, model_class)


@mistake("mlp.hyperparameter_tuning.grid_search", hint="The first name changes fastest; the last one should.")
def grid_first_fastest(data, grid_search_spaces, epochs=20, patience=5, model_class=fcn.FullyConnectedNet):
    names = list(grid_search_spaces)[::-1]
    rows = itertools.product(*(grid_search_spaces[name] for name in names))
    configs = [dict(zip(names, row, strict=True)) for row in rows]
    configs = [{name: config[name] for name in grid_search_spaces} for config in configs]
    return tuning.findBestConfig(data, configs, epochs, patience, model_class)


def _draw(spaces, *, log=None, integer=None, item=None, check=True):
    log = log or (lambda values: 10 ** random.uniform(math.log10(min(values)), math.log10(max(values))))
    integer = integer or (lambda values: random.randint(min(values), max(values)))
    config = {}
    for name, (values, mode) in spaces.items():
        if mode == "float":
            config[name] = random.uniform(min(values), max(values))
        elif mode == "log":
            config[name] = log(values)
        elif mode == "int":
            config[name] = integer(values)
        elif mode == "item":
            config[name] = (item or random.choice)(values)
        elif check:
            raise ValueError(f"unknown mode {mode!r}")
    return config


LOG = "mlp.hyperparameter_tuning.random_search_spaces_to_config"


@mistake(
    LOG, hint="`log` is drawn evenly on the linear scale: nearly all values are near the upper end then."
)
def config_linear(random_search_spaces):
    return _draw(random_search_spaces, log=lambda values: random.uniform(min(values), max(values)))


@mistake(LOG, hint="The upper end of an `int` space never comes up: both ends are included.")
def config_without_upper_end(random_search_spaces):
    return _draw(random_search_spaces, integer=lambda values: random.randrange(min(values), max(values)))


@mistake(LOG, hint="Rounding gives both ends of an `int` space half of what the others get: use `randint`.")
def config_rounded(random_search_spaces):
    draw = {"integer": lambda values: round(random.uniform(min(values), max(values)))}
    return _draw(random_search_spaces, **draw)


@mistake(
    LOG,
    hint="The ends of an `int` space may come in either order, which `randint` does not put up with.",
    raises=ValueError,
)
def config_ends_in_order(random_search_spaces):
    return _draw(random_search_spaces, integer=lambda values: random.randint(*values))


@mistake(LOG, hint="The exponent is a whole number: between two powers of ten there are values as well.")
def config_whole_powers(random_search_spaces):
    ends = [lambda values: math.log10(min(values)), lambda values: math.log10(max(values))]
    return _draw(
        random_search_spaces,
        log=lambda values: 10.0 ** random.randint(*(round(end(values)) for end in ends)),
    )


@mistake(LOG, hint="The first item always comes: all of them are equally likely.")
def config_first_item(random_search_spaces):
    return _draw(random_search_spaces, item=lambda values: values[0])


@mistake(LOG, hint="An `int` comes out as a float: a network cannot have 2.7 layers.")
def config_float_for_int(random_search_spaces):
    return _draw(random_search_spaces, integer=lambda values: random.uniform(min(values), max(values)))


@mistake(LOG, hint="The exponent is returned, not 10 to its power.")
def config_exponent(random_search_spaces):
    return _draw(
        random_search_spaces,
        log=lambda values: random.uniform(math.log10(min(values)), math.log10(max(values))),
    )


@mistake(
    LOG + ":unknown_mode",
    hint="An unknown mode is passed over in silence, and the setting is lost: refuse it.",
)
def config_ignores_unknown_mode(random_search_spaces):
    return _draw(random_search_spaces, check=False)


@mistake(
    "mlp.hyperparameter_tuning.random_search",
    hint="One config is drawn and tried again and again: draw one for each try.",
)
def random_one_config(
    data, random_search_spaces, num_search=20, epochs=20, patience=5, model_class=fcn.FullyConnectedNet
):
    configs = [tuning.random_search_spaces_to_config(random_search_spaces)] * num_search
    return tuning.findBestConfig(data, configs, epochs, patience, model_class)


@mistake(
    "mlp.hyperparameter_tuning.random_search", hint="The number of configs that are tried is not num_search."
)
def random_fixed_number(
    data, random_search_spaces, num_search=20, epochs=20, patience=5, model_class=fcn.FullyConnectedNet
):
    configs = [tuning.random_search_spaces_to_config(random_search_spaces) for _ in range(20)]
    return tuning.findBestConfig(data, configs, epochs, patience, model_class)


@mistake(
    "mlp.hyperparameter_tuning.random_search",
    hint="The model that comes back is not the best: `findBestConfig` finds it.",
)
def random_returns_first(
    data, random_search_spaces, num_search=20, epochs=20, patience=5, model_class=fcn.FullyConnectedNet
):
    configs = [tuning.random_search_spaces_to_config(random_search_spaces) for _ in range(num_search)]
    _, results = tuning.findBestConfig(data, configs, epochs, patience, model_class)
    worst = min(range(num_search), key=lambda place: results[place][1])
    return tuning.make_solver(data, configs[worst], epochs, patience, model_class).model, results
