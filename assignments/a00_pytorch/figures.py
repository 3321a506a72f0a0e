"""Figures and toys for the notebook on tensors and autograd."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from jaxtyping import Float, Int
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor, nn

from exercise_code.support.notebook.plotting import FAINT, INK, LINES, MARKERS, PALETTE, PAPER

Images = Float[Tensor, "n 3 height width"]
Curve = Callable[[Float[Tensor, " n"]], Float[Tensor, " n"]]


def memory(views: Mapping[str, Int[Tensor, "..."]]) -> Figure:
    """Tensors of rank 1 or 2 above the numbers in memory that they show, with their shapes and strides.

    Args:
        views: by name; all are views of one `arange`, so that a number is also its place in memory.
    """
    first = next(iter(views.values()))
    count = first.untyped_storage().nbytes() // first.element_size()
    fig = Figure(figsize=(2.25 * len(views), 3.3), layout="constrained")
    grid = fig.add_gridspec(2, len(views), height_ratios=(3.2, 1))
    for column, (name, view) in enumerate(views.items()):
        ax = fig.add_subplot(grid[0, column])
        _cells(ax, view if view.dim() == 2 else view[None], count)
        ax.set_title(f"{name}\nshape {_pair(view.shape)}, stride {_pair(view.stride())}", fontsize=8.5)
    strip = fig.add_subplot(grid[1, :])
    _cells(strip, torch.arange(count)[None], count)
    strip.set_title("memory, one number after the other", fontsize=8.5)
    return fig


def graph(root: Tensor, names: Mapping[str, Tensor]) -> Figure:
    """The graph that autograd keeps behind a result: leaves with value and gradient, and the operations.

    Args:
        root: the result.
        names: what the leaves are called.
    """
    depths: dict[object, int] = {}

    def visit(node: object, depth: int) -> None:
        depths[node] = max(depth, depths.get(node, 0))
        for below, _ in node.next_functions:
            if below is not None:
                visit(below, depth + 1)

    visit(root.grad_fn, 0)
    fig = Figure(figsize=(8, 2.6), layout="constrained")
    ax = fig.subplots()
    deepest, places, taken = max(depths.values()), {}, [0] * (1 + max(depths.values()))
    for node, depth in depths.items():
        depth = deepest if hasattr(node, "variable") else depth
        places[node] = deepest - depth, -taken[depth]
        taken[depth] += 1
    for node, (x, y) in places.items():
        for below, _ in node.next_functions:
            if below is not None:
                arrow = {"arrowstyle": "-|>", "color": FAINT, "shrinkA": 22, "shrinkB": 26}
                ax.annotate("", (x, y), places[below], arrowprops=arrow)
        text, colour = _label(node, names)
        box = {"boxstyle": "round,pad=0.4", "facecolor": PAPER, "edgecolor": colour, "linewidth": 1.5}
        ax.text(x, y, text, ha="center", va="center", fontsize=9, bbox=box)
    ax.set(xlim=(-0.5, deepest + 0.5), ylim=(0.6 - max(taken), 0.6))
    ax.axis("off")
    return fig


def curves(
    xs: Float[Tensor, " n"], ys: Mapping[str, Float[Tensor, " n"]], ylim: tuple[float, float]
) -> Figure:
    """Functions of one number, each with a line style of its own.

    Args:
        xs: places, in rising order; gaps in them are gaps in the lines.
        ys: values there.
        ylim: what is shown of the vertical axis.
    """
    fig = Figure(figsize=(7, 3.2), layout="constrained")
    ax = fig.subplots()
    for (name, values), line, colour in zip(ys.items(), LINES, PALETTE, strict=False):
        ax.plot(xs, values, line, color=colour, marker="", linewidth=2, label=name)
    ax.axhline(0, color=FAINT, linewidth=0.8)
    ax.set(xlabel="x", ylim=ylim)
    ax.legend(loc="upper right")
    return fig


def descents(
    f: Curve, walks: Mapping[float, Mapping[float, Sequence[float]]], ylim: tuple[float, float]
) -> Figure:
    """Walks downhill, drawn on the curve; each start has a colour and a marker, each learning rate a panel.

    Args:
        f: the curve, undefined at 0.
        walks: for each learning rate and each start the places visited.
        ylim: what is shown of the loss.
    """
    fig = Figure(figsize=(8, 3.3), layout="constrained")
    axes = fig.subplots(1, len(walks), sharey=True)
    for ax, (lr, starts) in zip(axes, walks.items(), strict=True):
        for side in (-1, 1):
            xs = side * torch.linspace(0.2, 5, 300)
            ax.plot(xs, f(xs), "-", color=FAINT, marker="", linewidth=1)
        for (start, places), marker, colour in zip(starts.items(), MARKERS, PALETTE, strict=False):
            xs = torch.tensor(places)
            ax.plot(xs, f(xs), marker, color=colour, markersize=4, alpha=0.35)
            ax.plot(xs[0], f(xs[0]), marker, color=colour, markersize=9, mec=INK, label=f"from {start:g}")
            ax.plot(xs[-1], f(xs[-1]), "*", color=colour, markersize=12, mec=INK)
        ax.set(title=f"lr = {lr:g}; star: after {len(places) - 1} steps", xlabel="x", ylim=ylim)
    axes[0].set_ylabel("loss f(x)")
    axes[-1].legend(fontsize=8, ncols=2, loc="upper center")
    return fig


def trajectories(f: Curve, walks: Mapping[float, Mapping[float, Sequence[float]]]) -> Figure:
    """The same walks over time: above where they are, below how high.

    Args:
        f: the curve.
        walks: for each learning rate and each start the places visited.
    """
    fig = Figure(figsize=(8, 4.2), layout="constrained")
    axes = fig.subplots(2, len(walks), sharex=True, sharey="row")
    for column, (lr, starts) in zip(axes.T, walks.items(), strict=True):
        column[0].set_title(f"lr = {lr:g}")
        for (start, places), line, colour in zip(starts.items(), LINES, PALETTE, strict=False):
            xs = torch.tensor(places)
            for ax, values in zip(column, (xs, f(xs)), strict=True):
                ax.plot(values, line, color=colour, marker="", linewidth=2, label=f"from {start:.3g}")
        column[1].set_xlabel("step")
    axes[0, 0].set_ylabel("place x")
    axes[1, 0].set_ylabel("loss f(x)")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    fig.legend(handles, labels, fontsize=8, ncols=len(labels), loc="outside lower center")
    return fig


def fits(
    x: Float[Tensor, "n 1"],
    y: Float[Tensor, "n 1"],
    truth: Curve,
    found: Mapping[str, Mapping[str, nn.Module]],
) -> Figure:
    """Points, the curve they come from, and curves fitted to them; a panel for each group.

    Args:
        x: places of the points, within [-1, 1].
        y: their values.
        truth: what the points scatter around.
        found: for each panel the models whose curves are drawn.
    """
    fig = Figure(figsize=(2.9 * len(found), 3.2), layout="constrained")
    axes = fig.subplots(1, len(found), sharey=True, squeeze=False)[0]
    places = torch.linspace(-1, 1, 200, dtype=x.dtype)
    for ax, (title, group) in zip(axes, found.items(), strict=True):
        ax.plot(x, y, "o", color=INK, markersize=4, label="training points")
        ax.plot(places, truth(places), ":", color=FAINT, marker="", linewidth=2, label="truth")
        for (name, model), line, colour in zip(group.items(), LINES, PALETTE, strict=False):
            ax.plot(places, model(places[:, None]), line, color=colour, marker="", linewidth=2, label=name)
        ax.set(title=title, xlabel="x", ylim=(-2, 2))
    axes[0].set_ylabel("y")
    axes[0].legend(fontsize=7, loc="lower right")
    return fig


def remedies(accuracies: Mapping[str, tuple[Sequence[float], Sequence[float]]], chance: float) -> Figure:
    """Accuracy on training and on validation images for each remedy: means as bars, single runs as dots.

    Args:
        accuracies: for each remedy those of its runs on training images, and on validation images.
        chance: accuracy of guessing; all are fractions of 1.
    """
    fig = Figure(figsize=(7, 3.4), layout="constrained")
    ax = fig.subplots()
    for place, label in enumerate(("training images", "validation images")):
        runs = 100 * np.array([both[place] for both in accuracies.values()])
        at = np.arange(len(runs)) + 0.4 * place - 0.2
        look = {
            "color": PALETTE[place],
            "alpha": 0.45,
            "hatch": ("", "//")[place],
            "edgecolor": PALETTE[place],
        }
        ax.bar(at, runs.mean(1), 0.36, label=label, **look)
        ax.plot(np.repeat(at, runs.shape[1]), runs.ravel(), MARKERS[place], color=INK, markersize=3.5)
    ax.axhline(100 * chance, color=FAINT, linestyle=":", label=f"guessing ({100 * chance:.0f} %)")
    ax.set_xticks(range(len(accuracies)), list(accuracies))
    ax.set(ylabel="accuracy (%)", ylim=(0, 125), yticks=range(0, 101, 20))
    ax.legend(ncols=3, fontsize=8, loc="upper center")
    return fig


def least_squares(model: nn.Module, x: Float[Tensor, "n 1"], y: Float[Tensor, "n 1"]) -> None:
    """Give a polynomial the `coefficients` with the smallest squared error of all, without any descent."""
    powers = x ** torch.arange(len(model.coefficients))
    with torch.no_grad():
        model.coefficients.copy_(torch.linalg.lstsq(powers, y, driver="gelsd").solution[:, 0])


def train_net(
    net: nn.Module,
    x: Images,
    y: Int[Tensor, " n"],
    transform: nn.Module,
    epochs: int,
    batch_size: int = 50,
    weight_decay: float = 0.0,
) -> None:
    """Train a classifier by Adam on images that are changed anew in every epoch; its rate falls to 0.

    Args:
        net: its parameters are changed in place.
        x: images in [0, 1].
        y: their labels.
        transform: applied to every batch.
        epochs: how often every image is seen.
        batch_size: images in a step.
        weight_decay: pull of the weights towards 0 in every step.
    """
    optimizer = torch.optim.AdamW(net.parameters(), lr=5e-3, weight_decay=weight_decay)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs)
    net.train()
    for _ in range(epochs):
        for chosen in torch.randperm(len(x), device=x.device).split(batch_size):
            optimizer.zero_grad()
            nn.functional.cross_entropy(net(transform(x[chosen])), y[chosen]).backward()
            optimizer.step()
        schedule.step()


def accuracy(net: nn.Module, x: Images, y: Int[Tensor, " n"], transform: nn.Module) -> float:
    """Share of the images, 0 to 1, that a classifier names rightly; nothing is dropped meanwhile."""
    net.eval()
    with torch.no_grad():
        return (net(transform(x)).argmax(1) == y).double().mean().item()


def _cells(ax: Axes, values: Int[Tensor, "rows columns"], count: int) -> None:
    """Numbers in coloured cells, the colour being the number's place in memory."""
    ax.imshow(values, cmap="cividis", vmin=0, vmax=count - 1)
    for (row, column), value in np.ndenumerate(values.numpy()):
        colour = PAPER if value < count / 2 else INK
        ax.text(column, row, str(value), ha="center", va="center", color=colour, fontsize=9)
    ax.set(xticks=(), yticks=())
    ax.grid(False)
    ax.spines[:].set_visible(False)


def _pair(sizes: Sequence[int]) -> str:
    return str(tuple(sizes))


def _label(node: object, names: Mapping[str, Tensor]) -> tuple[str, str]:
    """What a node of the graph is called, and the colour of its frame."""
    if not hasattr(node, "variable"):
        return type(node).__name__.removesuffix("0").removesuffix("Backward").lower(), PALETTE[0]
    leaf = node.variable
    name = next(name for name, tensor in names.items() if tensor is leaf)
    gradient = "none" if leaf.grad is None else f"{leaf.grad.item():g}"
    return f"{name} = {leaf.item():g}\ngradient {gradient}", PALETTE[1]
