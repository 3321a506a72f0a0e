"""Models that the reference has trained: what full scores on saved models take."""

from pathlib import Path

import torch

from exercise_code.linear.linear_classifier import LinearClassifier, LinearSVM, Softmax, test_one_param_set
from exercise_code.linear.two_layer_net import TwoLayerNet
from exercise_code.support import data

Models = dict[str, LinearClassifier | TwoLayerNet]


def train_models(seed: int, dataset: str = "shapes") -> Models:
    """An SVM, a softmax classifier and a network, trained for seconds; they take images not centred."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        prepared = data.prepare(dataset, 6_000, 500, 1, bias_trick=True)
        images, *_ = data.load(dataset, 6_000, 1)
        mean = images.mean(dim=(0, 2, 3)).repeat_interleave(32 * 32)
        svm, *_ = test_one_param_set(LinearSVM(), prepared, lr=3e-3, reg=1e-2, num_iters=400)
        softmax, *_ = test_one_param_set(Softmax(), prepared, lr=3e-2, reg=1e-3, num_iters=400)
        net = TwoLayerNet(3 * 32 * 32, 80, 10)
        X, X_val = prepared["X_train"][:, :-1], prepared["X_val"][:, :-1]
        net.train(
            X, prepared["y_train"], X_val, prepared["y_val"], learning_rate=0.2, reg=1e-3, num_iters=900
        )
    for model in (svm, softmax, net):
        model.absorb_mean(mean)
    return {"best_svm.pt": svm, "best_softmax.pt": softmax, "best_two_layer.pt": net}


def make_models(folder: Path) -> None:
    """Save them all."""
    for name, model in train_models(seed=0).items():
        model.save(folder / name)
