"""How fast `shapes` is drawn and, with --ladder, how well each kind of model of the course classifies it."""

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, one_hot

from benchmarks._table import save
from exercise_code.support.data.shapes import CLASSES, Scenes

NUM_TRAIN, NUM_TEST = 10_000, 2_000
KNN_TRAIN = 5_000
KNN_CHOICES = (1, 3, 5, 8, 10, 12, 15, 20, 50, 100)


def throughput(size: tuple[int, int], num_images: int) -> float:
    """Images per second, descriptions included; the best of three runs."""
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        Scenes.draw("train", torch.arange(num_images)).render(size)
        seconds.append(time.perf_counter() - start)
    return num_images / min(seconds)


def knn_accuracy(x_train: Tensor, y_train: Tensor, x_test: Tensor, y_test: Tensor) -> float:
    """Accuracy of the best k."""
    dists = torch.cdist(x_test.flatten(1), x_train[:KNN_TRAIN].flatten(1))
    votes = one_hot(y_train[dists.topk(max(KNN_CHOICES), largest=False).indices]).cumsum(dim=1)
    return max((votes[:, k - 1].argmax(1) == y_test).double().mean().item() for k in KNN_CHOICES)


def linear() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(3072, 10))


def mlp(widths: list[int], dropout: float, batch_norm: bool) -> nn.Module:
    layers: list[nn.Module] = [nn.Flatten()]
    for width_in, width in zip([3072, *widths], widths, strict=False):
        norm = [nn.BatchNorm1d(width)] if batch_norm else []
        layers += [nn.Linear(width_in, width), *norm, nn.ReLU(), nn.Dropout(dropout)]
    return nn.Sequential(*layers, nn.Linear(widths[-1], 10))


def small_cnn() -> nn.Module:
    """Three convolutions, each followed by a ReLU and a max pooling, and a linear classifier."""
    layers: list[nn.Module] = []
    for width_in, width in ((3, 16), (16, 32), (32, 64)):
        layers += [nn.Conv2d(width_in, width, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(64 * 4 * 4, 10))


class Residual(nn.Module):
    def __init__(self, width_in: int, width: int, stride: int):
        super().__init__()
        self.branch = nn.Sequential(
            nn.Conv2d(width_in, width, 3, stride, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
        )
        self.skip = nn.Conv2d(width_in, width, 1, stride) if stride > 1 else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return (self.skip(x) + self.branch(x)).relu()


def resnet() -> nn.Module:
    stem = [nn.Conv2d(3, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU()]
    blocks = [Residual(16, 16, 1), Residual(16, 32, 2), Residual(32, 64, 2)]
    return nn.Sequential(*stem, *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


# model, epochs, highest learning rate, weight decay: the best found on the validation split
RUNGS: dict[str, tuple[Callable[[], nn.Module], int, float, float]] = {
    "linear": (linear, 10, 1e-3, 3.0),
    "two-layer net": (lambda: mlp([500], 0.5, False), 20, 1e-3, 0.1),
    "deep MLP": (lambda: mlp([400] * 4, 0.3, True), 20, 2e-3, 0.1),
    "small CNN": (small_cnn, 10, 5e-3, 0.05),
    "ResNet": (resnet, 10, 1e-2, 0.05),
}


def net_accuracy(rung: str, x_train: Tensor, y_train: Tensor, x_test: Tensor, y_test: Tensor) -> float:
    """Test accuracy after training with AdamW and one cycle of the learning rate."""
    make, epochs, learning_rate, weight_decay = RUNGS[rung]
    mean, deviation, batch = x_train.mean(dim=0), x_train.std(), 100
    net = make()
    optimiser = torch.optim.AdamW(net.parameters(), learning_rate, weight_decay=weight_decay)
    steps = epochs * len(x_train) // batch
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, learning_rate, steps, pct_start=0.15)
    for _ in range(epochs):
        for chosen in torch.randperm(len(x_train)).split(batch):
            loss = cross_entropy(net((x_train[chosen] - mean) / deviation), y_train[chosen])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    net.eval()
    with torch.no_grad():
        scores = torch.cat([net(part) for part in ((x_test - mean) / deviation).split(500)])
    return (scores.argmax(1) == y_test).double().mean().item()


def ladder(seed: int) -> dict[str, float]:
    """Test accuracy of every rung; each seed has images of its own."""
    torch.manual_seed(seed)
    data = []
    for split, num_images in (("train", NUM_TRAIN), ("test", NUM_TEST)):
        scenes = Scenes.draw(split, torch.arange(seed * num_images, (seed + 1) * num_images))
        data += [scenes.render(), scenes.labels]
    return {
        "chance": 1 / len(CLASSES),
        "kNN": knn_accuracy(*data),
        **{rung: net_accuracy(rung, *data) for rung in RUNGS},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ladder", action="store_true", help="train every kind of model as well (minutes)")
    parser.add_argument("--seeds", type=int, default=3, help="how often, on other images each time")
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    console, results = Console(), {"threads": args.threads, "torch": torch.__version__}

    table = Table("size", "images per second", title=f"shapes, {args.threads} threads")
    results["images_per_second"] = {}
    for size, num_images in (((32, 32), 20_000), ((64, 96), 2_000), ((224, 224), 200)):
        name = "{} x {}".format(*size)
        results["images_per_second"][name] = throughput(size, num_images)
        table.add_row(name, f"{results['images_per_second'][name]:,.0f}")
    console.print(table)

    if args.ladder:
        runs = [ladder(seed) for seed in range(args.seeds)]
        results["ladder"] = {rung: [run[rung] for run in runs] for rung in runs[0]}
        table = Table("rung", "test accuracy", "sd", title=f"{NUM_TRAIN:,} images to learn from")
        for rung, accuracies in results["ladder"].items():
            deviation = statistics.stdev(accuracies) if len(runs) > 1 else float("nan")
            table.add_row(rung, f"{statistics.fmean(accuracies):.1%}", f"{deviation:.1%}")
        console.print(table)

    save(results, "shapes")


if __name__ == "__main__":
    main()
