"""Figures, toys and experiments for the notebooks on tensors, autograd, data and regression."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor, nn

from exercise_code.support.notebook.plotting import FAINT, INK, LINES, MARKERS, PALETTE, PAPER

Images = Float[Tensor, "n 3 height width"]
Curve = Callable[[Float[Tensor, " n"]], Float[Tensor, " n"]]
Picture = Float[np.ndarray, "height width 3"]
Column = Float[Tensor, "rows 1"]


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
    handles, labels = axes[-1].get_legend_handles_labels()
    fig.legend(handles, labels, fontsize=8, ncols=len(labels), loc="outside lower center")
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


def walk_at_rate(
    f: Curve, places: Sequence[float], bottom: float, limit: float, lr: float
) -> tuple[Figure, str]:
    """A walk near the bottom of a valley, on the curve and as its distance from the bottom.

    Args:
        f: the curve.
        places: that the walk visited, the start first.
        bottom: of the valley.
        limit: the learning rate 2/c beyond which the walk should diverge.
        lr: learning rate of the walk.

    Returns:
        The figure, and its alternative text.
    """
    fig = Figure(figsize=(7.6, 3.2), layout="constrained")
    left, right = fig.subplots(1, 2)
    xs, walk = torch.linspace(-2.2, -0.75, 300), torch.tensor(places, dtype=torch.float64)
    left.plot(xs, f(xs), "-", color=FAINT, marker="", label="landscape")
    left.plot(walk, f(walk), "-", color=PALETTE[0], marker="o", linewidth=0.8, alpha=0.6, label="walk")
    left.plot(walk[-1], f(walk[-1]), "*", color=PALETTE[1], markersize=12, mec=INK, label="its end")
    left.set(title=f"lr = {lr:g}", xlabel="x", ylabel="loss f(x)", ylim=(1.23, 1.32))
    left.legend(fontsize=8)
    left.locator_params(axis="x", nbins=5)
    distance = (walk - bottom).abs()
    right.plot(distance.clamp(min=1e-9), color=PALETTE[0], marker="o", markersize=3)
    right.set(title=f"{lr / limit:.2f} × 2/c", xlabel="step", ylabel="distance from the bottom (log scale)")
    right.set(yscale="log", ylim=(3e-10, 3))
    sides = int(((walk[1:] - bottom) * (walk[:-1] - bottom) < 0).sum())
    return fig, (
        f"lr is {lr / limit:.2f} times 2/c: the walk changes sides {sides} times and ends "
        f"{distance[-1]:.1g} from the bottom, where it began {distance[0]:.1g} from it."
    )


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


def noisy_wave(n: int, seed: int) -> tuple[Float[Tensor, "n 1"], Float[Tensor, "n 1"]]:
    """Places in [-1, 1], and sin 3x there with noise of standard deviation 0.2, in float64."""
    random = torch.Generator().manual_seed(seed)
    x = 2 * torch.rand(n, 1, generator=random, dtype=torch.float64) - 1
    return x, (3 * x).sin() + 0.2 * torch.randn(n, 1, generator=random, dtype=torch.float64)


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


def class_grid(dataset: Any, per_class: int = 7) -> Figure:
    """The first images of each class of a folder, a row for each class.

    Args:
        dataset: has `classes`, `labels` and `load_image_as_numpy`, as `ImageFolderDataset`.
        per_class: images in a row.
    """
    fig = Figure(figsize=(0.72 * per_class + 1.6, 0.72 * len(dataset.classes)), layout="constrained")
    axes = fig.subplots(len(dataset.classes), per_class)
    for label, row in enumerate(axes):
        chosen = [image for image, own in zip(dataset.images, dataset.labels, strict=True) if own == label]
        for ax, image in zip(row, chosen, strict=False):
            _picture(ax, dataset.load_image_as_numpy(image) / 255)
        for ax in row[len(chosen) :]:
            ax.axis("off")
        row[0].set_ylabel(f"{label}  {dataset.classes[label]}", rotation=0, ha="right", va="center")
    return fig


def counts_by_class(parts: Mapping[str, Sequence[int]], classes: Sequence[str], unit: str) -> Figure:
    """How many samples of each class are in each part, as numbers on a coloured grid.

    Args:
        parts: the labels in each part, by its name.
        classes: names of the classes.
        unit: what the columns are.
    """
    counts = np.array([np.bincount(labels, minlength=len(classes)) for labels in parts.values()]).T
    fig = Figure(figsize=(1.8 + 0.75 * len(parts), 0.33 * len(classes) + 0.9), layout="constrained")
    ax = fig.subplots()
    ax.imshow(counts, cmap="cividis", aspect="auto", vmin=0)
    for (row, column), count in np.ndenumerate(counts):
        colour = PAPER if count < counts.max() / 2 else INK
        ax.text(column, row, str(count), ha="center", va="center", color=colour, fontsize=8)
    ax.set_xticks(range(len(parts)), list(parts))
    ax.set_yticks(range(len(classes)), classes)
    ax.set_xlabel(unit)
    ax.grid(False)
    return fig


def histograms(stages: Mapping[str, Float[np.ndarray, "num height width 3"]]) -> Figure:
    """How often each value occurs in each channel, a panel for each stage of the way into a network."""
    fig = Figure(figsize=(3.1 * len(stages), 2.7), layout="constrained")
    for ax, (name, images) in zip(
        fig.subplots(1, len(stages), squeeze=False)[0], stages.items(), strict=True
    ):
        for channel, (label, line) in enumerate(zip(("red", "green", "blue"), LINES, strict=False)):
            values = images[..., channel].ravel()
            density, edges = np.histogram(values, bins=40, density=True)
            style = {"color": PALETTE[(1, 2, 0)[channel]], "linestyle": line, "marker": ""}
            ax.plot((edges[:-1] + edges[1:]) / 2, density, label=label, **style)
        ax.set(title=f"{name}\nmean {images.mean():.2f}, sd {images.std():.2f}", xlabel="value", yticks=())
    fig.axes[0].set_ylabel("how often")
    fig.axes[0].legend(fontsize=8)
    return fig


def variations(
    image: Picture, transforms: Mapping[str, Callable[[Picture], Picture]], count: int = 8
) -> Figure:
    """What random transforms make of one image, a row for each; values in [0, 1]."""
    fig = Figure(figsize=(0.85 * count + 1.9, 0.9 * len(transforms)), layout="constrained")
    for row, (name, transform) in zip(fig.subplots(len(transforms), count), transforms.items(), strict=True):
        for ax in row:
            _picture(ax, transform(image))
        row[0].set_ylabel(name, rotation=0, ha="right", va="center")
    return fig


def spread_estimates(
    images: Float[np.ndarray, "num height width 3"], sizes: Sequence[int], draws: int, seed: int = 0
) -> dict[str, Float[Tensor, "num_sizes num_draws"]]:
    """Two estimates of the spread of all pixels from some of the images, in per cent of the true one."""
    random, truth = np.random.default_rng(seed), images.std()
    runs = {"all pixels together": [], "mean of the images' own": []}
    for size in sizes:
        samples = [images[random.choice(len(images), size, replace=False)] for _ in range(draws)]
        runs["all pixels together"].append([100 * sample.std() / truth for sample in samples])
        own = [sample.std(axis=(1, 2, 3)).mean() for sample in samples]
        runs["mean of the images' own"].append([100 * value / truth for value in own])
    return {name: torch.tensor(np.array(values)) for name, values in runs.items()}


def twin_scores(
    images: Float[np.ndarray, "num height width 3"],
    labels: Sequence[int],
    shares: Sequence[float],
    select_split: Callable[..., np.ndarray],
    seeds: int = 3,
) -> dict[str, Float[Tensor, "num_shares num_seeds"]]:
    """What nearest neighbours score on validation images when some images have a slightly darker, noisy twin.

    Args:
        images: values in [0, 1].
        labels: their classes.
        shares: which share of the images has a twin.
        select_split: as in `exercise_code.data.base_dataset`.
        seeds: splits to try.

    Returns:
        Accuracies in per cent: with twins made before the split, and with twins of training images only.
    """
    count, y = len(images), torch.tensor(labels).repeat(2)
    noise = 0.02 * np.random.default_rng(0).standard_normal(images.shape)
    x = torch.from_numpy(np.concatenate([images, 0.9 * images + noise])).flatten(1).float()
    runs: dict[str, list] = {"twins first, then split": [], "split first, then twins": []}
    for share in shares:
        rows: dict[str, list] = {name: [] for name in runs}
        for seed in range(seeds):
            total = count + round(share * count)
            train, val = (select_split(total, mode, seed=seed) for mode in ("train", "val"))
            rows["twins first, then split"].append(_nearest_neighbour(x, y, train, val))
            train, val = (select_split(count, mode, seed=seed) for mode in ("train", "val"))
            train = np.concatenate([train, train[train < share * count] + count])
            rows["split first, then twins"].append(_nearest_neighbour(x, y, train, val))
        for name, row in rows.items():
            runs[name].append(row)
    return {name: 100 * torch.tensor(rows) for name, rows in runs.items()}


def _nearest_neighbour(
    x: Float[Tensor, "num pixels"], y: Int[Tensor, " num"], train: np.ndarray, val: np.ndarray
) -> float:
    nearest = torch.cdist(x[val], x[train]).argmin(1)
    return (y[train][nearest] == y[val]).double().mean().item()


def seconds_for(batches: Iterable[Any]) -> float:
    """How long it takes to go through all batches once."""
    start = time.perf_counter()
    for _ in batches:
        pass
    return time.perf_counter() - start


def one_step(after: bool = False) -> Figure:
    """Two points, a flat line, and its errors.

    Args:
        after: whether the line after one step of gradient descent is drawn beside it.
    """
    x, y = np.array([1.0, 2.0]), np.array([1.0, 3.0])
    lines = {"w = 0, b = 0": (0.0, 0.0)} | ({"after one step": (0.7, 0.4)} if after else {})
    fig = Figure(figsize=(3.3 * len(lines), 2.9), layout="constrained")
    axes = fig.subplots(1, len(lines), sharey=True, squeeze=False)[0]
    for ax, (title, (w, b)) in zip(axes, lines.items(), strict=True):
        ends = np.array([0.0, 2.6])
        ax.plot(ends, w * ends + b, color=PALETTE[0], marker="", label="prediction")
        ax.vlines(x, w * x + b, y, color=PALETTE[1], linestyle="--", label="error")
        ax.plot(x, y, "o", color=INK, markersize=7, label="target")
        ax.set(title=title, xlabel="x", ylim=(-0.3, 3.4))
    axes[0].set_ylabel("y")
    axes[0].legend(fontsize=8, loc="upper left")
    return fig


def table_overview(columns: Mapping[str, Float[np.ndarray, " rows"]]) -> Figure:
    """Missing values of each column of a table, and how closely the columns go with each other.

    Args:
        columns: numbers by name; a missing value is nan.
    """
    names, table = list(columns), np.stack(list(columns.values()))
    whole = table[:, ~np.isnan(table).any(axis=0)]
    fig = Figure(figsize=(9, 4.2), layout="constrained")
    missing, heat = fig.subplots(1, 2, width_ratios=(1, 2))
    missing.barh(names, np.isnan(table).sum(axis=1), color=PALETTE[0])
    missing.set(xlabel="missing values")
    missing.invert_yaxis()
    missing.set_axisbelow(True)
    image = heat.imshow(np.corrcoef(whole), cmap="PuOr", vmin=-1, vmax=1)
    for (row, column), value in np.ndenumerate(np.corrcoef(whole)):
        tone = "white" if abs(value) > 0.7 else "black"
        heat.text(column, row, f"{round(value, 1) + 0:.1f}", ha="center", va="center", color=tone, fontsize=7)
    heat.set_xticks(range(len(names)), names, rotation=40, ha="right", fontsize=7)
    heat.set_yticks(range(len(names)), names, fontsize=7)
    heat.grid(False)
    fig.colorbar(image, ax=heat, label="correlation")
    return fig


def price_scatter(
    X: Column, y: Column, lines: Mapping[str, Tensor] | None = None, limit: int = 1500
) -> Figure:
    """Prices over incomes, with the straight lines of some weights (2, 1).

    Args:
        X: incomes, mapped to [0, 1].
        y: prices, likewise.
        lines: weights by what to call them.
        limit: how many points to draw.
    """
    fig = Figure(figsize=(7, 3.4), layout="constrained")
    ax = fig.subplots()
    ax.plot(X[:limit].numpy(), y[:limit].numpy(), ".", color=PALETTE[5], markersize=3, label="a district")
    for (name, W), line, colour in zip((lines or {}).items(), LINES, PALETTE, strict=False):
        style = {"color": colour, "linestyle": line, "linewidth": 2}
        ax.plot([0, 1], [W[1].item(), W.sum().item()], marker="", label=name, **style)
    ax.set(xlabel="median income (0 to 1)", ylabel="median price (0 to 1)", ylim=(-0.05, 1.05))
    ax.legend(fontsize=9, loc="upper left")
    return fig


def classes_over_income(X: Column, y: Column, curves: Mapping[str, Callable[[Column], Column]]) -> Figure:
    """Cheap and dear districts over income, and what models say; probabilities lie between the grey lines."""
    fig = Figure(figsize=(7, 3.2), layout="constrained")
    ax = fig.subplots()
    for label, marker, colour, name in ((0, "o", PALETTE[5], "cheap"), (1, "s", PALETTE[3], "dear")):
        chosen = X[y == label][:150]
        ax.plot(
            chosen.numpy(),
            torch.full_like(chosen, label).numpy(),
            marker,
            color=colour,
            ms=4,
            alpha=0.5,
            label=name,
        )
    axis = torch.linspace(0, 1, 200, dtype=X.dtype)[:, None]
    for (name, model), line, colour in zip(curves.items(), LINES, PALETTE, strict=False):
        ax.plot(
            axis.numpy(),
            model(axis).numpy(),
            color=colour,
            linestyle=line,
            marker="",
            linewidth=2,
            label=name,
        )
    for level in (0, 1):
        ax.axhline(level, color=FAINT, linewidth=0.8)
    ax.set(xlabel="median income (0 to 1)", ylabel="class, and what models say", ylim=(-0.6, 1.8))
    ax.legend(fontsize=8, ncols=2, loc="upper left")
    return fig


def losses_over_sum() -> Figure:
    """Two losses of a target of 1, and their slopes, over the sum before the sigmoid."""
    z = torch.linspace(-8, 8, 400, dtype=torch.float64)
    p = torch.sigmoid(z)
    curves = {"BCE": (-p.log(), p - 1), "MSE": ((p - 1).square(), 2 * (p - 1) * p * (1 - p))}
    fig = Figure(figsize=(7, 2.9), layout="constrained")
    for ax, which, label in zip(fig.subplots(1, 2), (0, 1), ("loss", "slope of the loss in z"), strict=True):
        for (name, curve), colour, line in zip(curves.items(), PALETTE, LINES, strict=False):
            ax.plot(z, curve[which], color=colour, linestyle=line, marker="", label=name)
        ax.set(xlabel="z, the sum before the sigmoid (target 1)", ylabel=label)
    fig.axes[0].legend()
    return fig


def training_curves(
    histories: Mapping[str, Sequence[float]], ylabel: str, *, yscale: str = "linear"
) -> Figure:
    """A quantity over the steps of training, a curve for each history."""
    fig = Figure(figsize=(7, 3.2), layout="constrained")
    ax = fig.subplots()
    for (name, values), line, colour, marker in zip(histories.items(), LINES, PALETTE, MARKERS, strict=False):
        every = max(1, len(values) // 8)
        ax.plot(range(len(values)), values, line, color=colour, marker=marker, markevery=every, label=name)
    ax.set(xlabel="steps of gradient descent", ylabel=ylabel, yscale=yscale)
    ax.legend()
    return fig


def weights_of(
    columns: Sequence[str], W: Float[Tensor, "num_weights 1"], X: Float[Tensor, "rows columns"]
) -> tuple[Figure, str]:
    """How much each column moves a prediction: its weight times its standard deviation, sorted.

    Args:
        columns: names.
        W: a weight for each column, and a bias behind them.
        X: the rows that were trained on.

    Returns:
        The figure, and its alternative text.
    """
    values, names = (W[:-1, 0] * X.std(0)).tolist(), [name.replace("_", " ") for name in columns]
    order = np.argsort(values)
    fig = Figure(figsize=(6.4, 0.3 * len(names) + 0.8), layout="constrained")
    ax = fig.subplots()
    colours = [PALETTE[0] if values[i] > 0 else PALETTE[1] for i in order]
    bars = ax.barh([names[i] for i in order], [values[i] for i in order], color=colours, height=0.65)
    for bar, place in zip(bars, order, strict=True):
        bar.set_hatch("" if values[place] > 0 else "///")
    ax.axvline(0, color=INK, linewidth=0.8)
    ax.set_axisbelow(True)
    ax.set(xlabel="weight × standard deviation (positive: dear; hatched: cheap)")
    return fig, "Weight times standard deviation: " + ", ".join(
        f"{names[i]} {values[i]:+.2f}" for i in reversed(order)
    )


def steps_until(
    solver: Any, reached: Callable[[float], bool], limit: int, history: str = "val_acc_history"
) -> int:
    """Train until the last entry of a history is good enough; the number of steps, at most limit."""
    for step in range(limit):
        solver.train(1)
        if reached(getattr(solver, history)[-1]):
            return step + 1
    return limit


def _picture(ax: Axes, image: Picture) -> None:
    ax.imshow(np.clip(image, 0, 1), interpolation="nearest")
    ax.set(xticks=(), yticks=())
    ax.grid(False)
    ax.spines[:].set_visible(False)


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
