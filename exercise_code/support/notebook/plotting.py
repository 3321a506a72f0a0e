"""Figures for the notebooks: colours that everybody can tell apart, legible on light and on dark pages."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from html import escape
from io import BytesIO
from typing import Literal, Protocol

import matplotlib as mpl
import numpy as np
import torch
from jaxtyping import Float, Int
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import Tensor
from torch.nn.functional import pad

PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442")
"""Okabe and Ito's colours (2008), ordered so that the first ones also differ in lightness."""
MARKERS = "osD^vPX*"
LINES = ("-", "--", "-.", ":", "-", "--", "-.", ":")
PAPER, INK, FAINT = "#fcfcfa", "#222222", "#767676"

Images = Float[Tensor, "n 3 height width"]


class Classifier(Protocol):
    """What a decision map needs: the training points, their labels, and a vote for new points."""

    x_train: Float[Tensor, "num_train 2"]
    y_train: Int[Tensor, " num_train"]

    def predict(self, x_test: Float[Tensor, "num_test 2"], k: int) -> Int[Tensor, " num_test"]: ...


def use_style() -> None:
    """Set matplotlib's defaults; figures have a pale ground of their own, legible on a dark page too."""
    cycle = mpl.cycler(color=PALETTE[:7]) + mpl.cycler(marker=list(MARKERS[:7]))
    mpl.rcParams.update(
        {
            "axes.edgecolor": FAINT,
            "axes.facecolor": PAPER,
            "axes.grid": True,
            "axes.labelcolor": INK,
            "axes.prop_cycle": cycle,
            "axes.spines.right": False,
            "axes.spines.top": False,
            "axes.titlesize": 10,
            "figure.dpi": 96,
            "figure.facecolor": PAPER,
            "font.size": 10,
            "grid.color": "#e4e4e0",
            "legend.frameon": False,
            "lines.markersize": 5,
            "savefig.facecolor": PAPER,
            "text.color": INK,
            "xtick.color": INK,
            "ytick.color": INK,
        }
    )


def show(fig: Figure, alt: str) -> None:
    """Display a figure together with a text for those who do not see it.

    Args:
        fig: the figure.
        alt: what the figure shows, the finding first.
    """
    from IPython.display import display

    png = BytesIO()
    fig.savefig(png, format="png", dpi=2 * fig.dpi)
    width = round(fig.get_figwidth() * fig.dpi)
    source = f"data:image/png;base64,{b64encode(png.getvalue()).decode()}"
    style = "max-width: 100%; height: auto; border-radius: 6px"
    html = f'<img src="{source}" alt="{escape(alt)}" width="{width}" style="{style}">'
    display({"text/html": html, "text/plain": alt}, raw=True)


def image_row(images: Images, titles: Sequence[str]) -> Figure:
    """Images side by side, each under its title.

    Args:
        images: values in [0, 1].
        titles: one for each image.
    """
    fig, axes = _row(len(images), 1.75, 2.2)
    for ax, image, title in zip(axes, images, titles, strict=True):
        _image(ax, image)
        ax.set_title(title)
    return fig


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
    fig, (left, right) = _row(2, 3.4, 3.6)
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


def shape_ribbon(
    blocks: Sequence[tuple[str, int, int, str, str]],
    signs: Sequence[str],
    marked: Sequence[tuple[int | None, int | None]] = (),
) -> Figure:
    """Tensors as grids of cells with named axes, in a row, with a sign after each but the last.

    Args:
        blocks: for each tensor its name, its rows and columns, and the names of the two axes, if any.
        signs: one fewer than blocks.
        marked: for each tensor the row and the column to bring out; None stands for all.
    """
    gap, tall = 3.0, max(rows for _, rows, *_ in blocks)
    wide = sum(columns for _, _, columns, *_ in blocks) + gap * len(blocks)
    fig = Figure(figsize=(wide * 0.27, (tall + 3) * 0.27))
    ax = fig.add_axes((0, 0, 1, 1))
    ax.set(xlim=(0, wide), ylim=(tall + 1.5, -1.5), aspect="equal")
    ax.axis("off")
    left = gap * 0.7
    for place, ((name, rows, columns, *axes), sign) in enumerate(zip(blocks, (*signs, ""), strict=True)):
        top = (tall - rows) / 2
        for row, column in np.ndindex(rows, columns):
            chosen = marked and all(
                want in (None, have) for want, have in zip(marked[place], (row, column), strict=True)
            )
            style = {"hatch": "////", "alpha": 1} if chosen else {"alpha": 0.55}
            ax.add_patch(
                Rectangle(
                    (left + column, top + row), 1, 1, facecolor=PALETTE[place], edgecolor=PAPER, **style
                )
            )
        beside, below = (
            f"{axis} = {size}" if axis else size for axis, size in zip(axes, (rows, columns), strict=True)
        )
        middle = left + columns / 2
        ax.text(middle, top - 0.35, name, ha="center", va="bottom", weight="bold")
        ax.text(left - 0.25, tall / 2, beside, ha="right", va="center", rotation=90, fontsize=9)
        ax.text(middle, top + rows + 0.25, below, ha="center", va="top", fontsize=9)
        ax.text(left + columns + gap * 0.35, tall / 2, sign, ha="center", va="center", fontsize=13)
        left += columns + gap
    return fig


def decision_map(classifier: Classifier, ks: Sequence[int], resolution: int = 120) -> Figure:
    """The class that a classifier gives to every point of the plane, one map for each k.

    Args:
        classifier: its training points are drawn with a marker for each class.
        ks: numbers of neighbours.
        resolution: grid points along each axis.
    """
    x, y = classifier.x_train, classifier.y_train
    reach = float(x.abs().max()) * 1.08
    axis = torch.linspace(-reach, reach, resolution)
    grid = torch.cartesian_prod(axis, axis)
    fig, axes = _row(len(ks), 2.6, 2.9)
    classes = int(y.max()) + 1
    colours = mpl.colors.ListedColormap(PALETTE[:classes])
    look = {"cmap": colours, "alpha": 0.35, "vmin": -0.5, "vmax": classes - 0.5, "interpolation": "nearest"}
    for ax, k in zip(axes, ks, strict=True):
        region = classifier.predict(grid, k).view(resolution, resolution).T.numpy()
        ax.imshow(region, origin="lower", extent=(-reach, reach, -reach, reach), **look)
        for label, colour, marker in zip(range(classes), PALETTE, MARKERS, strict=False):
            ax.plot(*x[y == label].T.numpy(), marker, color=colour, markersize=3.5, mec=PAPER, mew=0.4)
        ax.set(title=f"k = {k}", xlabel="$x_1$", xticks=(-1, 0, 1), yticks=(-1, 0, 1))
        ax.grid(False)
    axes[0].set_ylabel("$x_2$")
    return fig


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
        _image(row[0], query)
        row[0].set_title(f"query: {name}", fontsize=8, weight="bold")
    for (row, column), distance in np.ndenumerate(distances):
        ax, name = axes[row, column + 1], neighbour_names[row][column]
        _image(ax, neighbours[row, column])
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
    _chance(ax, chance)
    ax.set(xscale="log", xlabel="k (neighbours that vote, log scale)", ylabel="accuracy (%)", ylim=(0, 103))
    ax.set_xticks(ks, map(str, ks), fontsize=8)
    ax.minorticks_off()
    ax.legend()
    return fig


def sweep(
    values: Sequence[float],
    runs: Mapping[str, Float[Tensor, "num_values num_runs"]],
    xlabel: str,
    ylabel: str,
    *,
    chance: float | None = None,
    spread: Literal["sd", "quartiles"] = "sd",
    xscale: str = "linear",
    yscale: str = "linear",
) -> Figure:
    """Curves of a measured quantity over one varied setting, each with a band for its spread.

    Args:
        values: the settings.
        runs: for each curve its measurements, one column for each run.
        xlabel: the setting and its unit.
        ylabel: the quantity and its unit.
        chance: draws the line of guessing, as a fraction of 1 on an axis in per cent.
        spread: mean with standard deviation, or median with quartiles.
        xscale: matplotlib's name of a scale.
        yscale: likewise.
    """
    fig = Figure(figsize=(7, 3.6), layout="constrained")
    ax = fig.subplots()
    for (name, measured), marker, line, colour in zip(runs.items(), MARKERS, LINES, PALETTE, strict=False):
        measured = measured.cpu().numpy()
        if spread == "sd":
            middle, sd = measured.mean(1), measured.std(1, ddof=1)
            low, high = middle - sd, middle + sd
        else:
            low, middle, high = np.quantile(measured, (0.25, 0.5, 0.75), axis=1)
        ax.plot(values, middle, color=colour, marker=marker, linestyle=line, label=name)
        ax.fill_between(values, low, high, color=colour, alpha=0.18, linewidth=0)
    ax.set(xscale=xscale, yscale=yscale, xlabel=xlabel, ylabel=ylabel)
    if chance is not None:
        _chance(ax, chance)
        ax.set_ylim(bottom=0)
    if xscale == "log":
        ax.set_xticks(values, [f"{value:g}" for value in values], fontsize=8)
        ax.minorticks_off()
    ax.legend(title="mean ± sd" if spread == "sd" else "median, quartiles", fontsize=9, title_fontsize=8)
    return fig


def running_mean(values: Sequence[float], width: int) -> tuple[np.ndarray, np.ndarray]:
    """Where the middle of each run of `width` values lies, and their mean; two arrays of n - width + 1."""
    means = np.convolve(values, np.ones(width) / width, "valid")
    return np.arange(len(means)) + (width - 1) / 2, means


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


def _row(columns: int, width: float, height: float) -> tuple[Figure, np.ndarray]:
    fig = Figure(figsize=(width * columns, height), layout="constrained")
    return fig, fig.subplots(1, columns, squeeze=False)[0]


def _image(ax: Axes, image: Float[Tensor, "3 height width"]) -> None:
    ax.imshow(image.permute(1, 2, 0).clamp(0, 1).cpu().numpy(), interpolation="nearest")
    ax.set(xticks=(), yticks=())
    ax.grid(False)
    ax.spines[:].set_visible(False)


def _chance(ax: Axes, chance: float) -> None:
    ax.axhline(100 * chance, color=FAINT, linestyle=":", label=f"guessing ({100 * chance:.0f} %)")
