"""What the reference reaches, as functions of a seed and a data set: evidence for every threshold."""

from collections.abc import Callable

import torch
from torch import Generator, nn

from assignments.a05_training.evidence.models import trained
from exercise_code.pytorch_autograd_and_nn import ResNet
from exercise_code.support import data
from exercise_code.training.fastest import flipped_scores, patch_whitening, train_one_cycle

STAGES = ((32, 32, 1, False), (32, 64, 1, True), (64, 128, 1, True))


def _accuracy(net: nn.Module, images: torch.Tensor, labels: torch.Tensor) -> float:
    """The share that is right by the scores of both mirror images."""
    right = [flipped_scores(net, part).argmax(dim=1) for part in images.split(200)]
    return torch.cat(right).eq(labels).double().mean().item()


def quick_resnet(seed: int, dataset: str) -> float:
    """A residual network behind whitened patches, with the images and epochs of a04's quick networks."""
    prepared = data.prepare(dataset, 2_000, 300, 1_000, flatten=False)
    images, labels = prepared["X_train"], prepared["y_train"]
    torch.manual_seed(seed)
    whitening = nn.Conv2d(3, 48, 4, stride=2, padding=1, bias=False).requires_grad_(False)
    whitening.weight.data = patch_whitening(images[:500], 4)
    net = nn.Sequential(whitening, ResNet(STAGES, Cin=48))
    train_one_cycle(net, images, labels, 200, 50, 0.1, 0.1, Generator().manual_seed(seed))
    with torch.no_grad():
        return net.eval()(prepared["X_test"]).argmax(1).eq(prepared["y_test"]).double().mean().item()


def quick_race(seed: int, dataset: str) -> float:
    """The network of the race after 200 steps on 2,000 images."""
    _, _, images, labels = data.load(dataset, 1, 1_000)
    return _accuracy(trained(seed, num_steps=200, num_train=2_000), images, labels)


def saved_model(seed: int, dataset: str) -> float:
    """What `models.py` trains."""
    _, _, images, labels = data.load(dataset, 1, 2_000)
    return _accuracy(trained(seed), images, labels)


DATASETS = ("shapes",)
RUNS: dict[str, Callable[[int, str], float]] = {
    "quick ResNet, test": quick_resnet,
    "quick race, test": quick_race,
    "saved model, test": saved_model,
}
