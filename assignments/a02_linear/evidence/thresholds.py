"""What the reference reaches, as functions of a seed and a data set: evidence for every threshold."""

import functools
import runpy
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from exercise_code.linear.features import image_features
from exercise_code.linear.linear_classifier import LinearClassifier, LinearSVM, Softmax, test_one_param_set
from exercise_code.linear.two_layer_net import TwoLayerNet
from exercise_code.support import data
from exercise_code.support.checking.answers import make_answers
from exercise_code.support.checking.assignment import find_assignment

SIZES = {"shapes": (9_000, 1_000), "cifar10": (49_000, 1_000)}
STEPS = {"shapes": 2_000, "cifar10": 3_000}
MODELS = runpy.run_path(str(Path(__file__).with_name("models.py")))


@functools.cache
def _pixels(dataset: str) -> dict[str, Tensor]:
    return data.prepare(dataset, *SIZES[dataset], 1, bias_trick=True)


@functools.cache
def _features(dataset: str) -> dict[str, Tensor]:
    num_train, num_val = SIZES[dataset]
    images, labels, *_ = data.load(dataset, num_train + num_val, 1)
    features = image_features(images)
    mean, sd = features[:num_train].mean(dim=0), features[:num_train].std(dim=0)
    features = torch.cat([(features - mean) / sd, features.new_ones(len(features), 1)], dim=1)
    return {
        "X_train": features[:num_train],
        "y_train": labels[:num_train],
        "X_val": features[num_train:],
        "y_val": labels[num_train:],
    }


def _linear(
    kind: type[LinearClassifier],
    prepare: Callable[[str], dict[str, Tensor]],
    settings: dict[str, tuple[float, float]],
    seed: int,
    dataset: str,
) -> float:
    """Validation accuracy with the pair of settings that the search chooses on that data set."""
    torch.manual_seed(seed)
    return test_one_param_set(kind(), prepare(dataset), *settings[dataset], STEPS[dataset])[2]


def _two_layers(prepare: Callable[[str], dict[str, Tensor]], seed: int, dataset: str) -> float:
    """Validation accuracy of 200 hidden units at the end of the training."""
    torch.manual_seed(seed)
    prepared = prepare(dataset)
    X, X_val = prepared["X_train"][:, :-1], prepared["X_val"][:, :-1]
    net = TwoLayerNet(X.shape[1], 200, 10)
    settings = {"learning_rate": 0.3, "reg": 1e-3, "num_iters": 2 * STEPS[dataset]}
    net.train(X, prepared["y_train"], X_val, prepared["y_val"], **settings)
    return (net.predict(X_val) == prepared["y_val"]).double().mean().item()


@functools.cache
def _saved(seed: int, dataset: str) -> dict[str, float]:
    """Accuracy of the models that tests save, on 500 images as grading draws them, or test images."""
    if dataset == "shapes":
        checks = [check for check in find_assignment("a02").checks if check.target is not None]
        answers = make_answers(checks, [], seed)
        images = answers.held_out[checks[0].held_out.key] / 255
        labels = answers.reference[checks[0].id].runs["float32"].outputs["labels"]
    else:
        _, _, images, labels = data.load(dataset, 1, 500 * (seed + 1))
        images, labels = images[-500:], labels[-500:]
    X = images.flatten(1)
    X1 = torch.cat([X, X.new_ones(len(X), 1)], dim=1)
    return {
        name: (model.predict(X if isinstance(model, TwoLayerNet) else X1) == labels).double().mean().item()
        for name, model in MODELS["train_models"](seed, dataset).items()
    }


RUNS: dict[str, Callable[[int, str], float]] = {
    "SVM, validation": functools.partial(
        _linear, LinearSVM, _pixels, {"shapes": (1e-3, 1e-2), "cifar10": (3e-3, 1e-2)}
    ),
    "softmax, validation": functools.partial(
        _linear, Softmax, _pixels, {"shapes": (3e-2, 1e-2), "cifar10": (3e-2, 1e-2)}
    ),
    "two layers, validation": functools.partial(_two_layers, _pixels),
    "SVM on features, validation": functools.partial(
        _linear, LinearSVM, _features, {"shapes": (3e-3, 1e-2), "cifar10": (3e-3, 1e-2)}
    ),
    "softmax on features, validation": functools.partial(
        _linear, Softmax, _features, {"shapes": (3e-2, 1e-3), "cifar10": (3e-2, 1e-3)}
    ),
    "two layers on features, validation": functools.partial(_two_layers, _features),
    "saved SVM, 500 new images": lambda seed, dataset: _saved(seed, dataset)["best_svm.pt"],
    "saved softmax, 500 new images": lambda seed, dataset: _saved(seed, dataset)["best_softmax.pt"],
    "saved two layers, 500 new images": lambda seed, dataset: _saved(seed, dataset)["best_two_layer.pt"],
}
