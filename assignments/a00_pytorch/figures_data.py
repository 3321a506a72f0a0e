"""Figures and experiments for the parts of the first notebook that are about data and about regression."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from exercise_code.support.notebook.plotting import FAINT, INK, LINES, MARKERS, PALETTE, PAPER, shape_ribbon

Picture = Float[np.ndarray, "height width 3"]
Column = Float[Tensor, "rows 1"]


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


def prediction_shapes(num: int, features: int) -> Figure:
    """How samples with a one behind their features meet the weights."""
    blocks = [
        ("X, 1", num, features + 1, "N", "D + 1"),
        ("W", features + 1, 1, "D + 1", ""),
        ("z", num, 1, "N", ""),
    ]
    return shape_ribbon(blocks, ["@", "="], marked=[(2, None), (None, 0), (2, 0)])


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


def weights_of(columns: Sequence[str], W: Float[Tensor, "num_weights 1"]) -> Figure:
    """The weight of each column as a bar, sorted."""
    values, names = W[:-1, 0].tolist(), [name.replace("_", " ") for name in columns]
    order = np.argsort(values)
    fig = Figure(figsize=(6.4, 0.3 * len(names) + 0.8), layout="constrained")
    ax = fig.subplots()
    colours = [PALETTE[0] if values[i] > 0 else PALETTE[1] for i in order]
    bars = ax.barh([names[i] for i in order], [values[i] for i in order], color=colours, height=0.65)
    for bar, place in zip(bars, order, strict=True):
        bar.set_hatch("" if values[place] > 0 else "///")
    ax.axvline(0, color=INK, linewidth=0.8)
    ax.set_axisbelow(True)
    ax.set(xlabel="weight (positive: dear; hatched: cheap)")
    return fig


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
