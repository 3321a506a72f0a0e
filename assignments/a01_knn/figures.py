"""Figures for the notebook on nearest neighbours."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Protocol

import numpy as np
import torch
from jaxtyping import Float, Int
from matplotlib.figure import Figure
from torch import Tensor
from torch.nn.functional import pad

from exercise_code.support.notebook.plotting import (
    PALETTE,
    Images,
    class_maps,
    draw_chance,
    draw_image,
    image_row,
    row_of_axes,
    shape_ribbon,
)


class Classifier(Protocol):
    """What a decision map needs: the training points, their labels, and a vote for new points."""

    x_train: Float[Tensor, "num_train 2"]
    y_train: Int[Tensor, " num_train"]

    def predict(self, x_test: Float[Tensor, "num_test 2"], k: int) -> Int[Tensor, " num_test"]: ...


def shift_right(images: Images, pixels: int) -> Images:
    """Images moved to the right, their left border repeated."""
    return pad(images, (pixels, 0, 0, 0), mode="replicate")[..., : images.shape[-1]]


def equal_damage(
    pictures: Images,
    labels: Int[Tensor, " n"],
    others: Float[Tensor, "m 3 height width"],
    other_labels: Int[Tensor, " m"],
    shift: int = 4,
) -> tuple[Figure, dict[str, float]]:
    """One picture, changed in three ways to the same Euclidean distance, and one of another class.

    It is the first picture that has one of another class nearer to it than itself shifted, if any has.
    The shift sets the distance; the other two changes are scaled until they reach it.

    Args:
        pictures: candidates, values in [0, 1].
        labels: their classes.
        others: pictures to find the one of another class in.
        other_labels: their classes.
        shift: pixels to the right.

    Returns:
        The figure, and each tile's distance to the picture.
    """
    moved = shift_right(pictures, shift)
    to_others = torch.cdist(pictures.flatten(1), others.flatten(1))
    to_others[labels[:, None] == other_labels] = torch.inf
    lengths = (moved - pictures).flatten(1).norm(dim=1)
    chosen = int((to_others.amin(1) < lengths).int().argmax())
    picture, length = pictures[chosen], lengths[chosen]

    def scaled(target: Float[Tensor, "3 height width"]) -> Float[Tensor, "3 height width"]:
        return picture + (target - picture) * length / (target - picture).norm()

    extreme = 1 - picture.mean().round()
    for margin in range(min(picture.shape[1:]) // 3, 0, -1):
        patched = picture.clone()
        patched[:, margin:-margin, margin:-margin] = extreme
        if (patched - picture).norm() >= length:
            break
    tiles = {
        "the picture": picture,
        "itself, shifted": moved[chosen],
        "brighter" if extreme else "darker": scaled(extreme.expand_as(picture)),
        "patched": scaled(patched),
        "another class": others[to_others[chosen].argmin()],
    }
    distances = {name: (tile - picture).norm().item() for name, tile in tiles.items()}
    titles = [f"{name}\ndistance {distances[name]:.2f}" for name in tiles]
    return image_row(torch.stack(list(tiles.values())), titles), distances


def unit_balls(points: Float[Tensor, "n 2"], labels: Sequence[str], radius: float = 2.0) -> Figure:
    """Left, all points at distance 1 from the origin in three norms; right, two balls among labelled points.

    Args:
        points: coordinates.
        labels: a class name for each; each class gets a marker.
        radius: of the two balls drawn on the right.
    """
    fig, (left, right) = row_of_axes(2, 3.4, 3.6)
    angle = torch.linspace(0, 2 * torch.pi, 721)
    circle = torch.stack([angle.cos(), angle.sin()])
    balls = {"L1": circle / circle.abs().sum(0), "L2": circle, "L∞": circle / circle.abs().amax(0)}
    for (name, ball), colour, line in zip(balls.items(), PALETTE, ("-", "--", ":"), strict=False):
        left.plot(*ball.numpy(), color=colour, linestyle=line, marker="", linewidth=2, label=name)
        if name != "L∞":
            right.plot(
                *radius * ball.numpy(), color=colour, linestyle=line, marker="", linewidth=2, label=name
            )
    for label, marker, colour in zip(dict.fromkeys(labels), "oX", PALETTE[2:], strict=False):
        chosen = points[[name == label for name in labels]]
        right.plot(*chosen.T.numpy(), marker, color=colour, markersize=9, label=label)
    right.plot(0, 0, "k+", markersize=11, markeredgewidth=2, label="query")
    left.set_title("distance 1 from the origin")
    right.set_title(f"distance {radius:g} from the query")
    for ax in (left, right):
        ax.set(aspect="equal", xlabel="$x_1$", ylabel="$x_2$")
        ax.legend(loc="lower center", ncols=3, fontsize=8)
    left.set(xlim=(-1.6, 1.6), ylim=(-1.7, 1.5))
    right.set(xlim=(-3.6, 3.6), ylim=(-3.9, 3.3))
    return fig


def distance_shapes(num_train: int, num_test: int, pixels: int) -> Figure:
    """Which row of which tensor makes which entry of the distance matrix."""
    blocks = [
        ("x_train", num_train, pixels, "num_train", "pixels"),
        ("x_test", num_test, pixels, "num_test", "pixels"),
        ("dists", num_train, num_test, "num_train", "num_test"),
    ]
    return shape_ribbon(blocks, [",", "→"], marked=[(2, None), (3, None), (2, 3)])


def expanded_shapes(num_train: int, num_test: int) -> Figure:
    """The shapes of the three terms of an expanded square, and of their sum."""
    blocks = [
        ("|a|²", num_train, 1, "num_train", ""),
        ("2 a·b", num_train, num_test, "num_train", "num_test"),
        ("|b|²", 1, num_test, "", "num_test"),
        ("|a - b|²", num_train, num_test, "num_train", "num_test"),
    ]
    return shape_ribbon(blocks, ["-", "+", "="])


def decision_map(classifier: Classifier, ks: Sequence[int], resolution: int = 120) -> tuple[Figure, str]:
    """The class that a classifier gives to every point of the plane, one map for each k.

    Args:
        classifier: its training points are drawn with a marker for each class.
        ks: numbers of neighbours.
        resolution: grid points along each axis.

    Returns:
        The figure, and its alternative text.
    """
    x, y = classifier.x_train, classifier.y_train
    named = {f"k = {k}": partial(classifier.predict, k=k) for k in ks}
    fig, regions = class_maps(named, [(x, y)] * len(ks), 1.08 * float(x.abs().max()), resolution)
    told = []
    for (title, says), region in zip(named.items(), regions, strict=True):
        share = region.flatten().bincount().max().item() / region.numel()
        missed = int((says(x) != y).sum())
        told.append(
            f"{title}: the largest class covers {share:.0%} of the map, {missed} of {len(x)} training points "
            "lie in another class's region"
        )
    return fig, "; ".join(told) + "."


def distance_matrix(dists: Float[Tensor, "num_train num_test"], row_order: str) -> Figure:
    """The distance matrix as an image, and beside it the mean of every row.

    Args:
        dists: rows are training images, columns are the images asked about.
        row_order: what the rows were sorted by, for the label.
    """
    dists = dists.cpu().numpy()
    rows, columns = dists.shape
    fig = Figure(figsize=(8, 3.8), layout="constrained")
    ax, side = fig.subplots(1, 2, width_ratios=(4, 1), sharey=True)
    some = dists[:: -(-rows // 200), :: -(-columns // 200)]
    image = ax.imshow(
        some, aspect="auto", cmap="cividis", interpolation="nearest", extent=(0, columns, rows, 0)
    )
    ax.set(xlabel="query image (column)", ylabel=f"training image (row), {row_order}")
    ax.grid(False)
    fig.colorbar(image, ax=ax, pad=0.01, label="distance (1 = a channel from 0 to 1)")
    means, block = dists.mean(1), -(-rows // 40)
    side.plot(means, range(rows), ".", color=PALETTE[5], markersize=2, label="one row")
    smooth = [means[start : start + block].mean() for start in range(0, rows, block)]
    centres = [(place + 0.5) * block for place in range(len(smooth))]
    side.plot(smooth, centres, "-", color=PALETTE[0], linewidth=2, marker="", label=f"mean of {block}")
    side.set(xlabel="mean of the row")
    side.legend(fontsize=7, loc="lower center", bbox_to_anchor=(0.5, 1))
    return fig


def neighbour_rows(
    queries: Images,
    query_names: Sequence[str],
    neighbours: Float[Tensor, "n k 3 height width"],
    neighbour_names: Sequence[Sequence[str]],
    distances: Float[Tensor, "n k"],
) -> Figure:
    """Each query and its neighbours in a row; a solid frame is the query's class, a dashed one another class.

    Args:
        queries: values in [0, 1].
        query_names: class names.
        neighbours: the nearest first.
        neighbour_names: class names.
        distances: to the query.
    """
    rows, columns = distances.shape
    fig = Figure(figsize=(1.3 * (columns + 1), 1.55 * rows), layout="constrained")
    axes = fig.subplots(rows, columns + 1, squeeze=False)
    for row, name, query in zip(axes, query_names, queries, strict=True):
        draw_image(row[0], query)
        row[0].set_title(f"query: {name}", fontsize=8, weight="bold")
    for (row, column), distance in np.ndenumerate(distances):
        ax, name = axes[row, column + 1], neighbour_names[row][column]
        draw_image(ax, neighbours[row, column])
        ax.set_title(f"{name}, {distance:.1f}", fontsize=8)
        right = name == query_names[row]
        ax.spines[:].set(
            visible=True, linewidth=3, color=PALETTE[2 if right else 1], linestyle="-" if right else "--"
        )
    return fig


def accuracy_over_k(
    k_to_accuracies: Mapping[int, Sequence[float]], training: Mapping[int, float], chance: float
) -> Figure:
    """Accuracy on held-out folds with mean and standard deviation, and accuracy on the training set.

    Args:
        k_to_accuracies: for each k the accuracies of the folds, 0 to 1.
        training: for each k the accuracy on images that the classifier remembers.
        chance: accuracy of guessing.
    """
    fig = Figure(figsize=(7, 3.8), layout="constrained")
    ax = fig.subplots()
    ks = sorted(k_to_accuracies)
    folds = 100 * np.array([k_to_accuracies[k] for k in ks])
    ax.plot(ks, [100 * training[k] for k in ks], "--s", color=PALETTE[1], label="on its own training images")
    ax.plot(np.multiply(ks, 1.06), folds, ".", color=PALETTE[0], alpha=0.45, markersize=5)
    spread = {"fmt": "-o", "color": PALETTE[0], "capsize": 3, "label": "held-out folds: mean ± sd, dots"}
    ax.errorbar(ks, folds.mean(1), folds.std(1, ddof=1), **spread)
    draw_chance(ax, chance)
    ax.set(xscale="log", xlabel="k (neighbours that vote, log scale)", ylabel="accuracy (%)", ylim=(0, 103))
    ax.set_xticks(ks, map(str, ks), fontsize=8)
    ax.minorticks_off()
    ax.legend()
    return fig


def slope(x: Sequence[float], y: Sequence[float]) -> float:
    """The power of x that y grows with: the least-squares slope on logarithmic axes."""
    return float(np.polyfit(np.log(x), np.log(y), 1)[0])


def times(num_train: Sequence[int], seconds: Mapping[str, Sequence[float]]) -> Figure:
    """Time over the number of training images on logarithmic axes, each line with its slope.

    Args:
        num_train: numbers of training images.
        seconds: for each version its times.
    """
    fig = Figure(figsize=(7, 3.8), layout="constrained")
    ax = fig.subplots()
    for name, measured in seconds.items():
        ax.plot(num_train, measured, label=f"{name}: slope {slope(num_train, measured):.2f}")
    ax.set(xscale="log", yscale="log", xlabel="training images (log scale)", ylabel="time (s, log scale)")
    ax.set_xticks(num_train, map(str, num_train))
    ax.minorticks_off()
    ax.legend()
    return fig
