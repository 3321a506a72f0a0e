"""Figures and toys for the notebook on linear classifiers."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import pairwise
from typing import Any

import matplotlib as mpl
import numpy as np
import torch
from jaxtyping import Float, Int
from matplotlib.figure import Figure
from torch import Tensor

from exercise_code.support.notebook.plotting import (
    FAINT,
    INK,
    LINES,
    PALETTE,
    PAPER,
    class_maps,
    running_mean,
    shape_ribbon,
)

Planar = tuple[Float[Tensor, "n 3"], Int[Tensor, " n"]]


def clouds(num: int, seed: int, centres: Sequence[tuple[float, float]], labels: Sequence[int]) -> Planar:
    """Round clouds of points in the plane, each with a one behind its two coordinates.

    Args:
        num: points in all.
        seed: of the noise.
        centres: of the clouds.
        labels: the class of each cloud; two clouds may have the same.
    """
    random = torch.Generator().manual_seed(seed)
    cloud = torch.arange(num) % len(centres)
    points = torch.tensor(centres)[cloud] + 0.3 * torch.randn(num, 2, generator=random)
    return torch.cat([points, torch.ones(num, 1)], dim=1), torch.tensor(labels)[cloud]


def pictures(images: Float[Tensor, "n 3 height width"], titles: Sequence[str], columns: int = 5) -> Figure:
    """Images of any range, each stretched to its own smallest and largest number.

    Args:
        images: for instance weights.
        titles: one for each image; empty ones leave more room.
        columns: images in a row.
    """
    rows = -(-len(images) // columns)
    titled = any(titles)
    fig = Figure(figsize=(1.3 * columns, (1.5 if titled else 1.3) * rows), layout="constrained")
    axes = list(fig.subplots(rows, columns, squeeze=False).flat)
    for ax, image, title in zip(axes, images, titles, strict=False):
        low, high = image.min(), image.max()
        ax.imshow(((image - low) / (high - low)).permute(1, 2, 0).numpy(), interpolation="nearest")
        ax.set_title(title, fontsize=9)
    for ax in axes:
        ax.set(xticks=(), yticks=())
        ax.grid(False)
        ax.spines[:].set_visible(False)
    return fig


def templates(W: Float[Tensor, "3073 10"], classes: Sequence[str], right: float) -> tuple[Figure, str]:
    """The templates of a linear classifier, under its accuracy.

    Args:
        W: weights, the last row of them biases.
        classes: their names.
        right: accuracy, 0 to 1.

    Returns:
        The figure, and its alternative text.
    """
    images = W[:-1].T.reshape(10, 3, 32, 32)
    fig = pictures(images, classes)
    told = f"{right:.0%} of the validation images are right"
    fig.suptitle(told, fontsize=10)
    return fig, f"{told}; neighbouring pixels of the templates correlate by {smoothness(images):.2f}."


def smoothness(images: Float[Tensor, "n 3 height width"]) -> float:
    """Correlation of neighbouring pixels within images: about 0 for noise, near 1 for smooth blobs."""
    centred = images - images.mean((2, 3), keepdim=True)
    pairs = torch.stack([centred[..., :-1].flatten(), centred[..., 1:].flatten()])
    return torch.corrcoef(pairs)[0, 1].item()


def network_shapes(num: int, numbers: int, hidden: int, classes: int) -> Figure:
    """Which tensors make the scores of two layers."""
    blocks = [
        ("X", num, numbers, "N", "D"),
        ("W1", numbers, hidden, "D", "H"),
        ("hidden", num, hidden, "N", "H"),
        ("W2", hidden, classes, "H", "C"),
        ("scores", num, classes, "N", "C"),
    ]
    return shape_ribbon(
        blocks, ["@", "→", "@", "="], marked=[(1, None), (None, None), (1, None), (None, 2), (1, 2)]
    )


def margins(scores: Sequence[float], right: int) -> Figure:
    """Scores as bars, the line that wrong ones should stay below, and what they stick out of it.

    Args:
        scores: of one image.
        right: the index of the right class.
    """
    fig = Figure(figsize=(6, 2.4), layout="constrained")
    ax = fig.subplots()
    line = scores[right] - 1
    for place, score in enumerate(scores):
        colour = PALETTE[2] if place == right else PALETTE[0]
        ax.barh(place, score, color=colour, height=0.55)
        if place != right and score > line:
            style = {"color": PALETTE[1], "hatch": "////", "edgecolor": PAPER, "height": 0.55}
            ax.barh(place, score - line, left=line, **style)
            ax.text(score + 0.08, place, f"costs {score - line:g}", va="center", color=PALETTE[1])
        else:
            text, tone = ("the right class", PALETTE[2]) if place == right else ("costs nothing", INK)
            ax.text(score + 0.08, place, text, va="center", color=tone)
    ax.set_axisbelow(True)
    ax.axvline(line, color=INK, linestyle="--", label="1 below the right score")
    ax.set(yticks=range(len(scores)), xlabel="score", xlim=(min(0, *scores) - 0.3, max(scores) + 1.6))
    ax.set_yticklabels([f"class {place}" for place in range(len(scores))])
    ax.invert_yaxis()
    ax.legend(loc="lower right", fontsize=8)
    return fig


def two_losses() -> Figure:
    """Hinge loss and cross-entropy of two classes, over the lead of the right score; and their slopes."""
    fig = Figure(figsize=(8, 3), layout="constrained")
    left, right = fig.subplots(1, 2)
    lead = torch.linspace(-3, 5, 801)
    curves = {
        "hinge": ((1 - lead).clamp(min=0), -(lead < 1).float()),
        "cross-entropy": (torch.log1p((-lead).exp()), -torch.sigmoid(-lead)),
    }
    for (name, (value, slope)), line, colour in zip(curves.items(), LINES, PALETTE, strict=False):
        left.plot(lead, value, color=colour, linestyle=line, marker="", linewidth=2, label=name)
        right.plot(lead, slope, color=colour, linestyle=line, marker="", linewidth=2, label=name)
    for ax, title in ((left, "loss"), (right, "slope of the loss")):
        ax.set(title=title, xlabel="lead of the right score, $s_y - s_j$")
        ax.axvline(0, color=FAINT, linewidth=0.8)
    left.legend()
    return fig


def planes(
    classifiers: Mapping[str, Float[Tensor, "3 classes"]],
    points: Sequence[Planar],
    lines: bool = True,
    before: Mapping[str, Float[Tensor, "3 classes"]] | None = None,
) -> Figure:
    """The regions of linear classifiers of the plane, with the lines where the margin of 1 is just kept.

    Args:
        classifiers: weights, the last row of them biases, by title.
        points: for each classifier the points to draw and their labels.
        lines: draw where the right score of a class leads the next best by 1.
        before: weights by the same titles, whose borders are drawn as dotted lines on top.
    """
    reach = 1.08 * max(float(X[:, :2].abs().max()) for X, _ in points)
    named = {title: partial(_labels, W) for title, W in classifiers.items()}
    fig, _ = class_maps(named, [(X[:, :2], y) for X, y in points], reach)
    axis = torch.linspace(-reach, reach, 200)
    grid = torch.cartesian_prod(axis, axis)
    look: dict[str, Any] = {"colors": INK, "extent": (-reach, reach, -reach, reach)}
    for ax, (title, W) in zip(fig.axes, classifiers.items(), strict=True):
        if lines:
            first, second = _scores(W, grid).topk(2, dim=1).values.T
            lead = (first - second).view(200, 200).T.numpy()
            ax.contour(lead, levels=[1.0], linestyles="--", linewidths=1, **look)
        if before is not None:
            was = _labels(before[title], grid).view(200, 200).T.numpy()
            ax.contour(was, levels=[0.5, 1.5], linestyles=":", linewidths=2, **look)
            ax.set_title(f"{title}; dotted: before")
    return fig


def _scores(W: Float[Tensor, "3 classes"], X: Float[Tensor, "n 2"]) -> Float[Tensor, "n classes"]:
    return X @ W[:2] + W[2]


def _labels(W: Float[Tensor, "3 classes"], X: Float[Tensor, "n 2"]) -> Int[Tensor, " n"]:
    return _scores(W, X).argmax(dim=1)


def losses_over_steps(
    histories: Mapping[str, Sequence[float]], untrained: Mapping[str, tuple[str, float]]
) -> Figure:
    """The loss of every batch as a dot, and their running mean, a panel for each training.

    Args:
        histories: losses by name.
        untrained: for each name what the loss of untrained weights is called, and its height.
    """
    fig = Figure(figsize=(8, 3), layout="constrained")
    axes = fig.subplots(1, len(histories), squeeze=False)[0]
    for ax, (name, losses), colour in zip(axes, histories.items(), PALETTE, strict=False):
        losses = np.array(losses)
        ax.plot(losses, ".", color=colour, alpha=0.25, markersize=3, label="one batch")
        width = max(1, len(losses) // 30)
        smooth = running_mean(losses, width)
        ax.plot(*smooth, "-", marker="", color=colour, linewidth=2, label=f"mean of {width}")
        label, height = untrained[name]
        ax.axhline(height, color=FAINT, linestyle=":", label=f"untrained: {label}")
        ax.set(title=name, xlabel="step", ylim=(0, None))
        ax.legend(fontsize=8, loc="lower left")
    axes[0].set_ylabel("loss")
    return fig


def gradient_glyphs(
    images: Float[Tensor, "n 3 height width"],
    histograms: Float[Tensor, "n rows columns bins"],
    titles: Sequence[str],
) -> Figure:
    """Images, and below each its cells, with a stroke along the edges of every direction.

    Args:
        images: values in [0, 1].
        histograms: for each cell how strong gradients of each direction are; bin 0 is along x.
        titles: one for each image.
    """
    num, rows, columns, bins = histograms.shape
    fig = Figure(figsize=(1.9 * num, 4), layout="constrained")
    axes = fig.subplots(2, num, squeeze=False)
    for upper, lower, image, cells, title in zip(*axes, images, histograms, titles, strict=True):
        upper.imshow(image.permute(1, 2, 0).numpy(), interpolation="nearest")
        upper.set_title(title, fontsize=9)
        lower.set(xlim=(0, columns), ylim=(rows, 0), aspect="equal")
        for (row, column, b), strength in np.ndenumerate((cells / cells.max()).numpy()):
            along = np.pi * b / bins + np.pi / 2  # an edge runs across its gradient
            dx, dy = 0.48 * np.cos(along), 0.48 * np.sin(along)
            x, y = column + 0.5, row + 0.5
            lower.plot(
                [x - dx, x + dx], [y - dy, y + dy], "-", marker="", color=INK, alpha=float(strength), lw=1.6
            )
        for ax in (upper, lower):
            ax.set(xticks=(), yticks=())
            ax.grid(False)
            ax.spines[:].set_visible(ax is lower)
    axes[1][0].set_ylabel("edges in each cell")
    return fig


def hue_bars(
    images: Float[Tensor, "n 3 height width"], histograms: Float[Tensor, "n bins"], titles: Sequence[str]
) -> Figure:
    """Images, and below each its histogram of hues, every bar in its hue.

    Args:
        images: values in [0, 1].
        histograms: bin 0 is red.
        titles: one for each image.
    """
    num, bins = histograms.shape
    fig = Figure(figsize=(1.9 * num, 3.4), layout="constrained")
    axes = fig.subplots(2, num, squeeze=False)
    colours = [mpl.colors.hsv_to_rgb((b / bins, 0.85, 0.85)) for b in range(bins)]
    top = 1.08 * float(histograms.max())
    for upper, lower, image, bars, title in zip(*axes, images, histograms, titles, strict=True):
        upper.imshow(image.permute(1, 2, 0).numpy(), interpolation="nearest")
        upper.set(xticks=(), yticks=())
        upper.set_title(title, fontsize=9)
        upper.grid(False)
        upper.spines[:].set_visible(False)
        lower.set_axisbelow(True)
        lower.bar(range(bins), bars.numpy(), color=colours, edgecolor=INK, linewidth=0.4)
        lower.set(xticks=(0, bins / 3, 2 * bins / 3), ylim=(0, top))
        lower.set_xticklabels(["red", "green", "blue"], fontsize=8)
        lower.tick_params(axis="y", labelleft=lower is axes[1][0])
    axes[1][0].set_ylabel("share × chroma")
    return fig


def ladder(steps: Mapping[str, Sequence[float]], chance: float) -> Figure:
    """Accuracy of ever stronger classifiers, each with its gain over the one before.

    Args:
        steps: for each classifier the accuracies of its runs, 0 to 1.
        chance: accuracy of guessing.
    """
    fig = Figure(figsize=(7.5, 3.4), layout="constrained")
    ax = fig.subplots()
    means = [100 * chance, *(100 * float(np.mean(runs)) for runs in steps.values())]
    ax.axhline(100 * chance, color=FAINT, linestyle=":", label=f"guessing ({100 * chance:.0f} %)")
    for place, (runs, (before, after), colour) in enumerate(
        zip(steps.values(), pairwise(means), PALETTE, strict=False)
    ):
        sd = 100 * float(np.std(runs, ddof=1)) if len(runs) > 1 else 0.0
        ax.bar(place, after, yerr=sd, color=colour, width=0.62, capsize=3)
        gain = f"{after:.1f} %\n({after - before:+.1f})"
        ax.text(place, after + sd + 1.5, gain, ha="center", fontsize=9)
    ax.set_axisbelow(True)
    ax.set_xticks(range(len(steps)), list(steps), fontsize=8.5)
    ax.set(ylabel="validation accuracy (%), mean ± sd", ylim=(0, 1.3 * max(means)))
    ax.set_xlabel(
        "in brackets: points more than the bar to the left (the first: than guessing)", fontsize=8.5
    )
    ax.legend(loc="upper left", fontsize=9)
    return fig


def descend(
    loss_func: Callable[..., tuple[Tensor, Tensor]],
    X: Tensor,
    y: Tensor,
    reg: float,
    steps: int = 1500,
    start: Float[Tensor, "D C"] | None = None,
) -> Float[Tensor, "D C"]:
    """Plain gradient descent on all points, with a learning rate that falls.

    Args:
        loss_func: from (W, X, y, reg) to a loss and its gradient.
        X: points.
        y: their classes.
        reg: strength of the penalty.
        steps: of gradient descent.
        start: weights to go on from, in place of zeros.
    """
    W = X.new_zeros(X.shape[1], int(y.max()) + 1) if start is None else start
    for step in range(steps):
        W = W - 2.0 / (1 + 0.05 * step) * loss_func(W, X, y, reg)[1]
    return W


def batch_cosines(
    loss_func: Callable[..., tuple[Tensor, Tensor]],
    W: Tensor,
    X: Tensor,
    y: Tensor,
    batch_size: int,
    num: int,
) -> Float[Tensor, " num"]:
    """Cosine of the angle between the gradient of all images and that of a random batch, num times.

    Args:
        loss_func: from (W, X, y, reg) to a loss and its gradient.
        W: weights at which gradients are taken.
        X: images.
        y: their classes.
        batch_size: images in a batch.
        num: batches.
    """
    whole, random = loss_func(W, X, y, 0.0)[1], torch.Generator().manual_seed(0)
    batches = torch.randint(len(X), (num, batch_size), generator=random)
    parts = torch.stack([loss_func(W, X[rows], y[rows], 0.0)[1].flatten() for rows in batches])
    return torch.cosine_similarity(parts, whole.flatten()[None])


def altered(images: Float[Tensor, "n 3 height width"]) -> dict[str, Float[Tensor, "n 3 height width"]]:
    """Images as they are, moved, in other colours, mirrored and turned, by what has been done to them."""
    return {
        "as they are": images,
        "moved": images.roll(10, 3),
        "red and blue exchanged": images.flip(1),
        "mirrored": images.flip(3),
        "turned 90°": images.rot90(1, (2, 3)),
        "upside down": images.flip(2),
    }


def summed(loss_func: Callable[..., tuple[Tensor, Tensor]], num: int) -> Callable[..., tuple[Tensor, Tensor]]:
    """The sum of the points' losses over a fixed number in place of their mean; the penalty stays as it is.

    Args:
        loss_func: from (W, X, y, reg) to a mean loss and its gradient.
        num: what the sum is divided by, however many points there are.
    """

    def loss_of_sum(W: Tensor, X: Tensor, y: Tensor, reg: float) -> tuple[Tensor, Tensor]:
        share = len(X) / num
        loss, gradient = loss_func(W, X, y, reg / share)
        return share * loss, share * gradient

    return loss_of_sum


def changed_share(
    first: Float[Tensor, "3 classes"], second: Float[Tensor, "3 classes"], reach: float
) -> float:
    """Share of a square of the plane that two linear classifiers put into different classes."""
    axis = torch.linspace(-reach, reach, 300)
    grid = torch.cat([torch.cartesian_prod(axis, axis), torch.ones(90_000, 1)], dim=1)
    return ((grid @ first).argmax(dim=1) != (grid @ second).argmax(dim=1)).double().mean().item()


def neighbour_accuracy(
    images: Float[Tensor, "n 3 height width"], labels: Int[Tensor, " n"], num_train: int
) -> float:
    """Share of the images behind the first num_train that their nearest neighbour among these names right."""
    rows = images.flatten(1)
    nearest = torch.cdist(rows[num_train:], rows[:num_train]).argmin(dim=1)
    return (labels[:num_train][nearest] == labels[num_train:]).double().mean().item()
