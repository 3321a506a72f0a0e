"""Figures and toys for the notebook on multilayer networks."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import cycle

import numpy as np
import torch
from jaxtyping import Float, Int
from matplotlib.figure import Figure
from torch import Tensor, nn

from exercise_code.support.notebook.plotting import (
    FAINT,
    INK,
    LINES,
    MARKERS,
    PALETTE,
    PAPER,
    History,
    class_maps,
    running_mean,
    shape_ribbon,
)

Scores = Callable[[Float[Tensor, "n 2"]], Float[Tensor, "n classes"]]


def circles(num: int, seed: int, noise: float = 0.08) -> tuple[Float[Tensor, "num 2"], Int[Tensor, " num"]]:
    """Two rings of points around the origin, one within the other, and which ring each belongs to."""
    random = torch.Generator().manual_seed(seed)
    y = torch.arange(num) % 2
    angle = 2 * torch.pi * torch.rand(num, generator=random)
    radius = torch.where(y == 0, 0.9, 0.45) + noise * torch.randn(num, generator=random)
    return torch.stack([radius * angle.cos(), radius * angle.sin()], dim=1), y


def two_clouds(num: int, seed: int) -> tuple[Float[Tensor, "num 2"], Int[Tensor, " num"]]:
    """Two clouds of points that a straight line parts."""
    random = torch.Generator().manual_seed(seed)
    y = torch.arange(num) % 2
    return 0.2 * torch.randn(num, 2, generator=random) + (y - 0.5)[:, None], y


def fit(
    X: Float[Tensor, "n 2"],
    y: Int[Tensor, " n"],
    hidden: Sequence[int],
    nonlinearity: Callable[[], nn.Module] | None,
    seed: int = 0,
    steps: int = 400,
) -> nn.Sequential:
    """Train a network of torch's own parts by gradient descent on all points at once.

    Args:
        X: points.
        y: labels, 0 or 1.
        hidden: units of the hidden layers.
        nonlinearity: makes what follows each hidden layer; None leaves the layers bare.
        seed: of the initial weights.
        steps: of gradient descent.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        layers: list[nn.Module] = []
        for width_in, width in zip((2, *hidden), hidden, strict=False):
            layers += [nn.Linear(width_in, width), *([nonlinearity()] if nonlinearity else [])]
        net = nn.Sequential(*layers, nn.Linear(hidden[-1], 2))
    params = list(net.parameters())
    for _ in range(steps):
        gradients = torch.autograd.grad(nn.functional.cross_entropy(net(X), y), params)
        with torch.no_grad():
            for p, gradient in zip(params, gradients, strict=True):
                p -= 0.5 * gradient
    return net.requires_grad_(False)


def accuracy(scores: Scores, X: Float[Tensor, "n 2"], y: Int[Tensor, " n"]) -> float:
    """Fraction of the points, 0 to 1, whose highest score is that of their label."""
    return (scores(X).argmax(dim=1) == y).double().mean().item()


def boundaries(
    nets: Mapping[str, Scores], points: Sequence[tuple[Float[Tensor, "n 2"], Int[Tensor, " n"]]]
) -> Figure:
    """The regions that networks give to their classes, one map for each.

    Args:
        nets: scores of points, by title.
        points: for each net the points to draw and their labels.
    """
    named = {title: partial(_labels, scores) for title, scores in nets.items()}
    return class_maps(named, points, 1.3)[0]


def folds(net: nn.Sequential, X: Float[Tensor, "n 2"], y: Int[Tensor, " n"]) -> tuple[Figure, str]:
    """The regions of a network with one hidden layer, and a line for each unit: there its output folds.

    Args:
        net: its first layer takes points of the plane.
        X: points to draw.
        y: their labels.

    Returns:
        The figure, and its alternative text.
    """
    right = f"{accuracy(net, X, y):.0%} of the points are right"
    title = f"{right}\nblack lines: where a unit folds"
    fig, _ = class_maps({title: partial(_labels, net)}, [(X, y)], 1.3)
    axis, hidden = torch.linspace(-1.3, 1.3, 100), net[0]
    sums = hidden(torch.cartesian_prod(axis, axis)).T.view(-1, 100, 100)
    seen = [
        (each.T.numpy(), line) for each, line in zip(sums, cycle(LINES[:4])) if each.min() < 0 < each.max()
    ]
    for values, line in seen:
        extent = (-1.3, 1.3, -1.3, 1.3)
        fig.axes[0].contour(values, levels=[0.0], colors=INK, linestyles=line, linewidths=1.2, extent=extent)
    return fig, f"{right}; the folds of {len(seen)} of {len(sums)} units, black lines, cross the map."


def _labels(scores: Scores, X: Float[Tensor, "n 2"]) -> Int[Tensor, " n"]:
    return scores(X).argmax(dim=1)


def linear_shapes(num: int, inputs: int, outputs: int) -> Figure:
    """Which tensors make the output of a linear layer."""
    blocks = [
        ("x", num, inputs, "N", "D"),
        ("w", inputs, outputs, "D", "M"),
        ("b", None, outputs, "", "M"),
        ("out", num, outputs, "N", "M"),
    ]
    return shape_ribbon(blocks, ["@", "+", "="], marked=[(2, None), (None, 1), (0, 1), (2, 1)])


def activation_curves(
    layers: Mapping[str, tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor]]],
) -> Figure:
    """Nonlinearities, and their slopes.

    Args:
        layers: for each name the function and its derivative.
    """
    fig = Figure(figsize=(8, 3.2), layout="constrained")
    left, right = fig.subplots(1, 2)
    x = torch.linspace(-5, 5, 401)
    for (name, (value, slope)), line, colour in zip(layers.items(), LINES, PALETTE, strict=False):
        left.plot(x, value(x), color=colour, linestyle=line, marker="", linewidth=2, label=name)
        right.plot(x, slope(x), color=colour, linestyle=line, marker="", linewidth=2)
    left.set(title="output", xlabel="x", ylim=(-1.3, 3))
    right.set(title="slope", xlabel="x", ylim=(-0.1, 1.15))
    left.legend(fontsize=8)
    return fig


def descent(paths: Mapping[str, Float[Tensor, "steps 2"]], curvature: tuple[float, float]) -> Figure:
    """Where update rules go in a bowl, and how high they are after every step.

    Args:
        paths: for each rule the points it came by.
        curvature: of the bowl  (c1 x1^2 + c2 x2^2) / 2.
    """
    fig = Figure(figsize=(9, 3.4), layout="constrained")
    bowl, height = fig.subplots(1, 2, width_ratios=(1.25, 1))
    x1, x2 = np.meshgrid(np.linspace(-4.4, 4.4, 120), np.linspace(-2, 2, 120))
    level = (curvature[0] * x1**2 + curvature[1] * x2**2) / 2
    bowl.contour(x1, x2, level, levels=np.geomspace(0.05, 60, 9), colors="#b8b8b4", linewidths=0.8)
    for (name, path), marker, line, colour in zip(paths.items(), MARKERS, LINES, PALETTE, strict=False):
        bowl.plot(
            *path.T.numpy(),
            color=colour,
            marker=marker,
            linestyle=line,
            markersize=3,
            linewidth=1,
            label=name,
        )
        values = (path.square() @ torch.tensor(curvature)) / 2
        height.plot(values, color=colour, linestyle=line, marker="", linewidth=2)
    bowl.plot(0, 0, "k+", markersize=11, markeredgewidth=2)
    bowl.set(xlabel="$w_1$", ylabel="$w_2$", xlim=(-4.4, 4.4), ylim=(-2, 2), title="the way down")
    height.set(xlabel="step", ylabel="loss (log scale)", yscale="log", title="how far down")
    bowl.legend(
        fontsize=8, loc="upper right", frameon=True, framealpha=0.9, facecolor=PAPER, edgecolor="none"
    )
    return fig


def three_panels(runs: Mapping[str, History], chance: float) -> Figure:
    """Loss of every step, training accuracy and validation accuracy, a panel for each.

    Args:
        runs: solvers by name.
        chance: accuracy of guessing, 0 to 1.
    """
    fig = Figure(figsize=(9, 3.1), layout="constrained")
    axes = fig.subplots(1, 3)
    for (name, run), marker, line, colour in zip(runs.items(), MARKERS, LINES, PALETTE, strict=False):
        width = max(1, len(run.loss_history) // 20)
        smooth = running_mean(run.loss_history, width)
        axes[0].plot(*smooth, line, color=colour, marker="", label=name)
        for ax, accuracies in zip(axes[1:], (run.train_acc_history, run.val_acc_history), strict=True):
            epochs = range(1, len(accuracies) + 1)
            ax.plot(epochs, 100 * np.array(accuracies), line, color=colour, marker=marker, markersize=4)
    axes[0].set(title="loss of a batch", xlabel="step")
    for ax, title in zip(axes[1:], ("training accuracy (%)", "validation accuracy (%)"), strict=True):
        ax.axhline(100 * chance, color=FAINT, linestyle=":")
        ax.set(title=title, xlabel="epoch", ylim=(0, None))
        ax.xaxis.get_major_locator().set_params(integer=True)
    axes[2].sharey(axes[1])
    fig.legend(loc="outside right center", fontsize=8)
    return fig


def layer_histograms(rows: Mapping[str, Mapping[int, Float[Tensor, "n units"]]]) -> Figure:
    """The numbers in every layer of networks, a row for each network.

    Args:
        rows: for each network the outputs of some layers, by their number.
    """
    columns = max(map(len, rows.values()))
    fig = Figure(figsize=(1.45 * columns + 0.6, 1.35 * len(rows) + 0.5), layout="constrained")
    grid = fig.subplots(len(rows), columns, squeeze=False, sharey=False)
    for (name, layers), axes, colour in zip(rows.items(), grid, PALETTE, strict=False):
        for ax, (number, values) in zip(axes, layers.items(), strict=True):
            values = values.flatten()
            reach = max(float(values.abs().max()), 1e-12)
            ax.hist(values.numpy(), bins=31, range=(-reach, reach), color=colour)
            ax.set(xticks=(-reach, 0, reach), yticks=())
            ax.set_xticklabels((f"{-reach:.1g}", "0", f"{reach:.1g}"), fontsize=6)
            ax.set_title(f"layer {number}: sd {values.std():.2g}", fontsize=7.5)
            ax.grid(False)
        axes[0].set_ylabel(name, fontsize=8)
    fig.supxlabel("output of a unit (each panel with its own scale)", fontsize=8)
    return fig


def _words(setting: str) -> str:
    """The name of a setting as a person writes it."""
    return {"reg": "regularisation strength"}.get(setting, setting.replace("_", " "))


def search_scatter(
    searches: Mapping[str, Sequence[tuple[Mapping[str, float], float]]], x: str, y: str
) -> Figure:
    """Settings that searches tried, with the accuracy that each reached.

    Args:
        searches: results by title: settings and accuracy, 0 to 1.
        x: setting along the horizontal axis, on a log scale.
        y: setting along the vertical axis, on a log scale.
    """
    fig = Figure(figsize=(4.2 * len(searches), 3.5), layout="constrained")
    axes = fig.subplots(1, len(searches), squeeze=False, sharex=True, sharey=True)[0]
    accuracies = [100 * result for results in searches.values() for _, result in results]
    for ax, (title, results), marker in zip(axes, searches.items(), MARKERS, strict=False):
        xs, ys = [config[x] for config, _ in results], [config[y] for config, _ in results]
        colours = [100 * result for _, result in results]
        dots = ax.scatter(
            xs,
            ys,
            c=colours,
            cmap="cividis",
            vmin=min(accuracies),
            vmax=max(accuracies),
            s=90,
            marker=marker,
            edgecolors=INK,
            linewidths=0.5,
        )
        for place_x, place_y, value in zip(xs, ys, colours, strict=True):
            ax.annotate(
                f"{value:.0f}", (place_x, place_y), fontsize=7, xytext=(7, 3), textcoords="offset points"
            )
        ax.set(xscale="log", yscale="log", title=title, xlabel=f"{_words(x)} (log scale)")
        ax.set_axisbelow(True)
    axes[0].set_ylabel(f"{_words(y)} (log scale)")
    fig.colorbar(dots, ax=axes, label="validation accuracy (%)")
    return fig
