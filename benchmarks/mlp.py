"""Networks by hand against torch's own: time of a step, of an update rule and of a loss, as ratios."""

import time
from collections.abc import Callable
from itertools import pairwise
from statistics import median

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from benchmarks._table import show
from exercise_code.mlp import fully_connected_networks as fcn
from exercise_code.mlp import update_rules
from exercise_code.mlp.losses import softmax_loss

WIDTHS, BATCH = [3072, 400, 400, 400, 400, 10], 100


def seconds(function: Callable[[], object], repeats: int = 30) -> float:
    """Median time of a call, after three to warm up."""
    times = []
    for _ in range(repeats + 3):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return median(times[3:])


def loss_row_by_row(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """The softmax loss with a Python loop over the images."""
    loss, dx = x.new_zeros(()), torch.zeros_like(x)
    for i, (scores, label) in enumerate(zip(x, y, strict=True)):
        p = (scores - scores.max()).softmax(0)
        loss -= p[label].log() / len(x)
        p[label] -= 1
        dx[i] = p / len(x)
    return loss, dx


def main() -> None:
    """Print a table and write the numbers to build/benchmarks/mlp.json."""
    torch.manual_seed(0)
    X, y = torch.randn(BATCH, WIDTHS[0]), torch.arange(BATCH) % 10
    by_hand = fcn.FullyConnectedNet(WIDTHS[1:-1], weight_scale="kaiming")
    layers = [part for rows, columns in pairwise(WIDTHS) for part in (nn.Linear(rows, columns), nn.ReLU())]
    modules = nn.Sequential(*layers[:-1])
    _, grads = by_hand.loss(X, y)
    configs = dict.fromkeys(grads)
    optimiser = torch.optim.Adam(modules.parameters())

    def by_autograd() -> None:
        optimiser.zero_grad()
        cross_entropy(modules(X), y).backward()

    def adam_by_hand() -> None:
        for name, grad in grads.items():
            by_hand.params[name], configs[name] = update_rules.adam(by_hand.params[name], grad, configs[name])

    scores, labels = torch.randn(5_000, 10), torch.arange(5_000) % 10
    found = {
        "threads": torch.get_num_threads(),
        "forward and backward by hand, times as long as autograd": seconds(lambda: by_hand.loss(X, y))
        / seconds(by_autograd),
        "adam by hand, times as long as torch.optim": seconds(adam_by_hand) / seconds(optimiser.step),
        "softmax loss row by row, times as long as vectorised": seconds(
            lambda: loss_row_by_row(scores, labels), 3
        )
        / seconds(lambda: softmax_loss(scores, labels)),
    }
    show(f"widths {WIDTHS}, batches of {BATCH}", found, "mlp")


if __name__ == "__main__":
    main()
