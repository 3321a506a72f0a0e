"""What the reference reaches, as functions of a seed and a data set: evidence for every threshold."""

from collections.abc import Callable
from typing import Any

import torch

from exercise_code.cnn.convolutional_networks import (
    DeepConvNet,
    ThreeLayerConvNet,
    create_convolutional_solver_instance,
)
from exercise_code.mlp.fully_connected_networks import FullyConnectedNet
from exercise_code.mlp.solver import Model, Solver
from exercise_code.mlp.update_rules import adam
from exercise_code.support import data

TRAIN = {"shapes": 9_000, "cifar10": 20_000}
DEEP_TRAIN = {"shapes": 9_000, "cifar10": 49_000}
NUM_TEST = {"shapes": 2_000, "cifar10": 10_000}


def _quick(seed: int, dataset: str, make: Callable[[], Model], flatten: bool, rate: float) -> float:
    """Test accuracy after five epochs on 2,000 images."""
    prepared = data.prepare(dataset, 2_000, 300, 1_000, flatten=flatten)
    torch.manual_seed(seed)
    config = {"update_rule": adam, "optim_config": {"learning_rate": rate}, "batch_size": 50}
    solver = Solver(make(), prepared, num_epochs=5, num_train_samples=100, **config)
    solver.train()
    return solver.check_accuracy(prepared["X_test"], prepared["y_test"])


def quick_mlp(seed: int, dataset: str) -> float:
    """Two hidden layers of 100 units."""
    return _quick(seed, dataset, lambda: FullyConnectedNet([100, 100], weight_scale="kaiming"), True, 1e-3)


def quick_cnn(seed: int, dataset: str) -> float:
    """The network of `create_convolutional_solver_instance`."""

    def make() -> DeepConvNet:
        return DeepConvNet((3, 32, 32), (8, 32, 64), (0, 1, 2), True, weight_scale="kaiming", reg=1e-4)

    return _quick(seed, dataset, make, False, 2e-3)


def three_layers(seed: int, dataset: str) -> float:
    """Test accuracy of a three-layer network after five epochs."""
    prepared = data.prepare(dataset, TRAIN[dataset], 1_000, 2_000, flatten=False)
    torch.manual_seed(seed)
    net = ThreeLayerConvNet(num_filters=16, filter_size=5, weight_scale=3e-2, reg=1e-3)
    config: dict[str, Any] = {"update_rule": adam, "optim_config": {"learning_rate": 1e-3}, "lr_decay": 0.9}
    solver = Solver(net, prepared, num_epochs=5, batch_size=50, **config)
    solver.train()
    return solver.check_accuracy(prepared["X_test"], prepared["y_test"])


def saved_model(seed: int, dataset: str) -> float:
    """Test accuracy of what `models.py` trains: the solver's network after three epochs."""
    prepared = data.prepare(dataset, 9_000, 1_000, 2_000, flatten=False)
    torch.manual_seed(seed)
    solver = create_convolutional_solver_instance(prepared)
    solver.num_epochs = 3
    solver.train()
    return solver.check_accuracy(prepared["X_test"], prepared["y_test"])


def deep(seed: int, dataset: str) -> float:
    """Test accuracy of a wider network after three epochs on all images and their mirror images."""
    prepared = data.prepare(dataset, DEEP_TRAIN[dataset], 1_000, NUM_TEST[dataset], flatten=False)
    X, y = prepared["X_train"], prepared["y_train"]
    prepared |= {"X_train": torch.cat([X, X.flip(3)]), "y_train": torch.cat([y, y])}
    torch.manual_seed(seed)
    net = DeepConvNet((3, 32, 32), (16, 64, 128), (0, 1, 2), True, weight_scale="kaiming", reg=1e-4)
    config: dict[str, Any] = {"update_rule": adam, "optim_config": {"learning_rate": 2e-3}, "lr_decay": 0.35}
    solver = Solver(net, prepared, num_epochs=3, **config)
    solver.train()
    return solver.check_accuracy(prepared["X_test"], prepared["y_test"])


RUNS: dict[str, Callable[[int, str], float]] = {
    "quick MLP, test": quick_mlp,
    "quick CNN, test": quick_cnn,
    "saved model, test": saved_model,
    "three layers, test": three_layers,
    "deep network, test": deep,
}
