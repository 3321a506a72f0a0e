"""The race of a05 on a data set of one's choice, and its residual network: accuracy and time by seed.

    python -m benchmarks.race [--data cifar10] [--net fast resnet] [--epochs 4] [--seeds 1] [--device cuda]

The recipe is that of a05's saved model, with all training images and their mirror images. Writes
build/benchmarks/race.json.
"""

import argparse
import time

import torch
from torch import Generator, Tensor, nn

from assignments.a05_training.evidence.thresholds import STAGES
from benchmarks._table import show
from exercise_code.pytorch_autograd_and_nn import ResNet
from exercise_code.support import data
from exercise_code.training.fastest import fast_net, flipped_scores, patch_whitening, train_one_cycle

TRAIN = {"shapes": 9_000, "cifar10": 49_000}
TEST = {"shapes": 2_000, "cifar10": 10_000}
BATCH = 50


def resnet() -> nn.Module:
    """The residual network of a05's thresholds, behind whitened patches as the other."""
    whitening = nn.Conv2d(3, 48, 4, stride=2, padding=1, bias=False).requires_grad_(False)
    return nn.Sequential(whitening, ResNet(STAGES, Cin=48))


NETS = {"fast": fast_net, "resnet": resnet}
RATES = {"fast": 0.03, "resnet": 0.1}


def run(name: str, epochs: int, seed: int, images: tuple[Tensor, ...]) -> tuple[float, float]:
    """Train a network; its share of right answers on test images, by both mirror images, and the seconds."""
    X_train, y_train, X_test, y_test = images
    torch.manual_seed(seed)
    net = NETS[name]()
    net[0].weight.data = patch_whitening(X_train[:500].cpu(), 4)
    net.to(X_train.device)
    started = time.perf_counter()
    steps = epochs * (len(X_train) // BATCH)
    train_one_cycle(net, X_train, y_train, steps, BATCH, RATES[name], 0.1, Generator().manual_seed(seed))
    if X_train.is_cuda:
        torch.cuda.synchronize()
    seconds = time.perf_counter() - started
    said = torch.cat([flipped_scores(net, part) for part in X_test.split(500)]).argmax(dim=1)
    return said.eq(y_test).double().mean().item(), seconds


def main() -> None:
    """Train, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", choices=TRAIN, default="cifar10")
    parser.add_argument("--net", nargs="+", choices=NETS, default=[*NETS])
    parser.add_argument("--epochs", type=int, default=4, help="over the images and their mirror images")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    X, y, X_test, y_test = data.load(options.data, TRAIN[options.data], TEST[options.data])
    images = torch.cat([X, X.flip(3)]), torch.cat([y, y]), X_test, y_test
    images = tuple(each.to(options.device) for each in images)
    found = {}
    for name in options.net:
        for seed in range(options.seeds):
            accuracy, seconds = run(name, options.epochs, seed, images)
            found[f"{name}, seed {seed}"] = f"{accuracy:.4f} in {seconds:.0f} s"
    show(f"{options.data}, {options.epochs} epochs, {options.device}", found, "race")


if __name__ == "__main__":
    main()
