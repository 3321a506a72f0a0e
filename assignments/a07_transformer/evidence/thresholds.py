"""What the reference reaches, as functions of a seed and a data set: evidence for every threshold."""

from collections.abc import Callable

from assignments.a07_transformer import experiments, vision
from exercise_code.vit.model import VisionTransformer


def _calculator(seed: int, num_train: int, epochs: int, *, easy: bool) -> float:
    known = experiments.sums(num_train + 1_000, seed, easy=easy)
    calculator = experiments.Calculator(seed)
    for _ in calculator.learn(known[:num_train], known[num_train:], epochs, seed):
        pass
    return calculator.history[-1] / 100


def arithmetic(seed: int, dataset: str) -> float:
    """The share of right answers to 1,000 other questions, as in the notebook."""
    return _calculator(seed, 20_000, 15, easy=False)


def quick_arithmetic(seed: int, dataset: str) -> float:
    """The same in quick mode, on easy questions."""
    return _calculator(seed, 4_000, 5, easy=True)


def captions_by_heart(seed: int, dataset: str) -> float:
    """The loss of 50 captions that are learned by heart."""
    return experiments.captioner(experiments.pictures("train", 50), 100, seed)[1][-1]


def pictures_by_heart(seed: int, dataset: str) -> float:
    """The share of 64 pictures that a small Vision Transformer knows after 100 steps."""
    images = vision.pictures("shapes", 64, 10)
    x, y = images["X_train"], images["y_train"]
    net = vision.classifier(
        lambda: VisionTransformer(embed_dim=64, num_layers=2, dropout=0.0), x, y, 100, seed, rate=1e-3
    )
    return vision.accuracy(net, x, y) / 100


def two_epochs(seed: int, dataset: str) -> float:
    """The Vision Transformer after two epochs over all pictures of CIFAR-10, as in the notebook."""
    images = vision.pictures("cifar10", 49_000, 1_000)
    net = vision.classifier(VisionTransformer, images["X_train"], images["y_train"], 2, seed, rate=1e-3)
    return vision.accuracy(net, images["X_val"], images["y_val"]) / 100


DATASETS = ("generated",)
RUNS: dict[str, Callable[[int, str], float]] = {
    "sums of two numbers, unseen": arithmetic,
    "quick sums, unseen": quick_arithmetic,
    "loss of 50 captions": captions_by_heart,
    "64 pictures by heart": pictures_by_heart,
    "two epochs of CIFAR-10, validation": two_epochs,
}
