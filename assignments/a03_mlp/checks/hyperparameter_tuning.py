"""What is asked of `mlp.hyperparameter_tuning`."""

import functools
from typing import Any

import torch
from torch import Tensor

from exercise_code.support.checking.declare import check

from .common import Scripted, scripted_data


# Search
class Guesser(Scripted):
    """A model that gets right the share of images that a setting says, and no more after its first epoch."""

    def __init__(self, share: float, like: Tensor, tag: int = 0):
        super().__init__(like, (share, share * (1 - share) ** 2))
        self.share, self.tag = share, tag


def _guessers(case):
    data = scripted_data(case, 7)
    return data, functools.partial(Guesser, like=data["X_train"])


def _described(model: Guesser) -> dict[str, Any]:
    """Which model it is, and its epochs, which patience ends: a guesser does not learn."""
    return {"share": model.share, "tag": model.tag, "epochs": len(model.seen)}


@check("mlp.hyperparameter_tuning.findBestConfig", points=1, uses=["mlp.solver.Solver.train"])
def best_config(code, case):
    """A new model for each config; the best by validation accuracy is kept."""
    data, model_class = _guessers(case)
    shares = [*case.shuffled([0.2, 0.4, 0.6, 0.8, 0.8]), 0.3]
    configs = [{"share": share, "tag": tag, "learning_rate": 0.1} for tag, share in enumerate(shares)]
    model, results = code.mlp.hyperparameter_tuning.findBestConfig(data, configs, 4, 2, model_class)
    return {"results": [list(result) for result in results], **_described(model)}


@check("mlp.hyperparameter_tuning.findBestConfig:nothing_learnt", points=1, uses=["mlp.solver.Solver.train"])
def worst_configs(code, case):
    """An accuracy of 0 is an accuracy: the first config is the best of equals."""
    data, model_class = _guessers(case)
    configs = [{"share": 0.0, "tag": tag} for tag in case.shuffled(range(1, 100))[:3]]
    model, results = code.mlp.hyperparameter_tuning.findBestConfig(data, configs, 1, 1, model_class)
    return {"results": [list(result) for result in results], "tag": getattr(model, "tag", None)}


@check("mlp.hyperparameter_tuning.grid_search", points=1, uses=["mlp.hyperparameter_tuning.findBestConfig"])
def whole_grid(code, case):
    """Every combination, the last name fastest."""
    data, model_class = _guessers(case)
    tags = case.shuffled(range(1, 100))[:2]
    spaces = {"share": case.shuffled([0.2, 0.9, 0.5]), "tag": tags, "learning_rate": [0.5, 0.1]}
    model, results = code.mlp.hyperparameter_tuning.grid_search(data, spaces, 4, 2, model_class)
    return {"results": [list(result) for result in results], **_described(model)}


SPACES = {
    "rate": ([1e-6, 1e-2], "log"),
    "reversed": ([1e3, 1e-3], "log"),
    "dropout": ([0.1, 0.7], "float"),
    "depth": ([4, 2], "int"),
    "rule": (["a", "b", "c"], "item"),
}


DRAWS = 2000


def config_law(outputs: dict[str, Any], expected: dict[str, Any]) -> str | None:
    """Each setting follows its distribution.

    The largest distance between the shares of 2,000 draws and the distribution exceeds 0.07 with
    probability below 2 exp(-2 * 2000 * 0.07^2) = 7e-9 for each of five settings (Massart, 1990).
    """
    for name in SPACES:
        kind, due = (found[f"type of {name}"] for found in (outputs, expected))
        if kind != due:
            return f"{name} has the type {kind}; {due} is due"
    bounds = {"rate": (-6, -2), "reversed": (-3, 3), "dropout": (0.1, 0.7)}
    for name, (low, high) in bounds.items():
        drawn = outputs[name]
        if (drawn <= 0).any():
            return f"{name}: {drawn.min():.3g} is outside of its space"
        values = drawn.log10() if name != "dropout" else drawn
        if drawn.unique().numel() < DRAWS / 10:
            return f"{name} takes only {drawn.unique().numel()} values"
        places = ((values - low) / (high - low)).sort().values
        if places[0] < -1e-6 or places[-1] > 1 + 1e-6:
            return f"{name}: {drawn.min():.3g} to {drawn.max():.3g} goes outside of its space"
        share = torch.arange(1, DRAWS + 1, dtype=places.dtype) / DRAWS
        if (places - share).abs().max() + 1 / DRAWS > 0.07:
            kind = "evenly on a log scale" if name != "dropout" else "evenly"
            return f"{name} is not drawn {kind}"
    for name, values in {"depth": (2, 3, 4), "rule": (0, 1, 2)}.items():
        if not torch.isin(outputs[name], torch.tensor(values)).all():
            return f"{name} has a value outside of its space"
        shares = torch.stack([(outputs[name] == value).double().mean() for value in values])
        there = shares.nonzero().flatten().tolist()
        if len(there) == 1:
            return f"{name}: only its {('first', 'second', 'last')[there[0]]} value comes up"
        if there == [0, 1]:
            return f"{name}: its last value never comes up"
        if not shares.all():
            return f"{name}: one of its values never comes up"
        if (shares - torch.tensor([0.25, 0.5, 0.25])).abs().max() < 0.07:
            return f"{name}: its ends come up half as often as what lies between"
        if (shares - 1 / len(values)).abs().max() > 0.07:
            return f"{name}: not all values are equally likely"
    return None


@check("mlp.hyperparameter_tuning.random_search_spaces_to_config", points=1, law=config_law)
def random_config(code, case):
    """Even on its own scale: log, int, float, item."""
    drawn = [code.mlp.hyperparameter_tuning.random_search_spaces_to_config(SPACES) for _ in range(DRAWS)]
    columns = {name: [config[name] for config in drawn] for name in SPACES}
    columns["rule"] = ["abc".find(item) for item in columns["rule"]]
    outputs = {name: torch.tensor(column) for name, column in columns.items()}
    kinds = {name: type(drawn[0][name]).__name__ for name in SPACES}
    return {
        **{name: t.double() if name not in ("depth", "rule") else t for name, t in outputs.items()},
        **{f"type of {name}": kind for name, kind in kinds.items()},
    }


@check("mlp.hyperparameter_tuning.random_search_spaces_to_config:unknown_mode", points=1)
def unknown_mode(code, case):
    """A mode that does not exist is refused."""
    draw = code.mlp.hyperparameter_tuning.random_search_spaces_to_config
    known = draw({"kind": ([case.integer(1, 10**6)], "item")})
    try:
        return {"known": known, "outcome": draw({"rate": ([0.1, 1.0], "logarithmic")})}
    except ValueError as error:
        return {"known": known, "outcome": type(error).__name__}


def search_law(outputs: dict[str, Any], expected: dict[str, Any]) -> str | None:
    """Each draw gives its own result; six draws from a continuum differ, and the best model is theirs."""
    shares, accuracies = outputs["shares"], outputs["accuracies"]
    if shares.unique().numel() < len(shares):
        return "the same config is tried more than once: draw each anew"
    due = torch.tensor([sum((place + 0.5) / 10 < share for place in range(10)) / 10 for share in shares])
    if not torch.allclose(accuracies, due.to(accuracies.dtype)):
        return "the results do not belong to the configs they stand beside"
    if outputs["share of the best"] != shares[accuracies.argmax()].item():
        return "the model returned is not the one with the best validation accuracy"
    if outputs["epochs"] != expected["epochs"]:
        return (
            f"the best model had {outputs['epochs']} epochs; with its patience, {expected['epochs']} are due"
        )
    return None


@check(
    "mlp.hyperparameter_tuning.random_search",
    points=1,
    uses=[
        "mlp.hyperparameter_tuning.findBestConfig",
        "mlp.hyperparameter_tuning.random_search_spaces_to_config",
    ],
    law=search_law,
)
def random_configs(code, case):
    """So many configs, each drawn anew."""
    data, model_class = _guessers(case)
    spaces = {"share": ([0.0, 1.0], "float"), "learning_rate": ([1e-3, 1e-1], "log")}
    model, results = code.mlp.hyperparameter_tuning.random_search(data, spaces, 6, 4, 2, model_class)
    shares = [config["share"] for config, _ in results]
    return {
        "shares": torch.tensor(shares, dtype=torch.float64),
        "accuracies": torch.tensor([accuracy for _, accuracy in results], dtype=torch.float64),
        "share of the best": float(model.share),
        "epochs": len(model.seen),
    }


@check(
    "mlp.hyperparameter_tuning.train_best_mlp:accuracy",
    points=4,
    uses=[f"mlp.fully_connected_networks.FullyConnectedNet.{name}" for name in ("__init__", "loss")],
    floor=0.25,
    target=0.38,
)
def best_mlp(code, case):
    """The saved network on images that nobody has trained on."""
    saved = case.model("best_mlp.pt")
    net = code.mlp.fully_connected_networks.FullyConnectedNet((1,))
    net.restore(saved)
    return {"labels": net.loss(case.held_out().flatten(1)).argmax(dim=1)}
