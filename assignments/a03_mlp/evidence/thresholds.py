"""What the reference reaches, as functions of a seed and a data set: evidence for every threshold."""

import functools
from collections.abc import Callable

import torch
from torch import Tensor

from exercise_code.mlp.fully_connected_networks import FullyConnectedNet, create_solver_instance
from exercise_code.mlp.hyperparameter_tuning import train_best_mlp
from exercise_code.support import data

SIZES = {"shapes": (9_000, 1_000), "cifar10": (49_000, 1_000)}


def two_layers(seed: int, dataset: str) -> float:
    """Validation accuracy of `create_solver_instance`."""
    torch.manual_seed(seed)
    solver = create_solver_instance(data.prepare(dataset, *SIZES[dataset], 1))
    solver.train()
    return solver.best_val_acc


@functools.cache
def _trained(seed: int, dataset: str) -> tuple[float, float]:
    """Validation and test accuracy of `train_best_mlp`, for the two runs that ask for them."""
    torch.manual_seed(seed)
    prepared = data.prepare(dataset, *SIZES[dataset], 2_000)
    net = train_best_mlp(prepared)
    return _accuracy(net, prepared, "val"), _accuracy(net, prepared, "test")


def saved_model(seed: int, dataset: str) -> float:
    """Test accuracy of the network that tests save as best_mlp.pt, after four epochs."""
    torch.manual_seed(seed)
    prepared = data.prepare(dataset, 9_000, 1_000, 2_000)
    return _accuracy(train_best_mlp(prepared, epochs=4), prepared, "test")


def _accuracy(net: FullyConnectedNet, prepared: dict[str, Tensor], split: str) -> float:
    labels = net.loss(prepared[f"X_{split}"]).argmax(dim=1)
    return (labels == prepared[f"y_{split}"]).double().mean().item()


RUNS: dict[str, Callable[[int, str], float]] = {
    "two-layer network, validation": two_layers,
    "deep network, validation": lambda seed, dataset: _trained(seed, dataset)[0],
    "deep network, test": lambda seed, dataset: _trained(seed, dataset)[1],
    "saved model, test": saved_model,
}
