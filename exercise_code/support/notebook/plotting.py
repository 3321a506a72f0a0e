"""Figures for the notebooks: colours that everybody can tell apart, legible on light and on dark pages."""

from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from html import escape
from io import BytesIO
from typing import Any, Literal, Protocol

import matplotlib as mpl
import numpy as np
import torch
from jaxtyping import Float, Int
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Rectangle
from matplotlib.rcsetup import cycler
from torch import Tensor

PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442")
"""Okabe and Ito's colours (2008), ordered so that the first ones also differ in lightness."""
MARKERS = "osD^vPX*"
LINES = ("-", "--", "-.", ":", "-", "--", "-.", ":")
PAPER, INK, FAINT = "#fcfcfa", "#222222", "#767676"

PAD = 6
"""Pixels around a figure, so that its round corners cut nothing off."""
Images = Float[Tensor, "n 3 height width"]


def use_style() -> None:
    """Set matplotlib's defaults; figures have a pale ground of their own, legible on a dark page too."""
    cycle = cycler(color=PALETTE[:7]) + cycler(marker=list(MARKERS[:7]))
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
    width = round(fig.get_figwidth() * fig.dpi) + 2 * PAD
    source = f"data:image/png;base64,{b64encode(png.getvalue()).decode()}"
    style = f"max-width: 100%; height: auto; padding: {PAD}px; border-radius: {PAD}px"
    style += f"; box-sizing: border-box; background: {PAPER}"
    html = f'<img src="{source}" alt="{escape(alt)}" width="{width}" style="{style}">'
    display({"text/html": html, "text/plain": alt}, raw=True)


def image_row(images: Images, titles: Sequence[str]) -> Figure:
    """Images side by side, each under its title.

    Args:
        images: values in [0, 1].
        titles: one for each image.
    """
    fig, axes = row_of_axes(len(images), 1.75, 2.2)
    for ax, image, title in zip(axes, images, titles, strict=True):
        draw_image(ax, image)
        ax.set_title(title)
    return fig


def shape_ribbon(
    blocks: Sequence[tuple[str, int | None, int, str, str]],
    signs: Sequence[str],
    marked: Sequence[tuple[int | None, int | None]] = (),
) -> Figure:
    """Tensors side by side with named axes, and a sign after each but the last.

    A matrix is a grid of cells; a vector, which has one axis only, is a string of beads.

    Args:
        blocks: for each tensor its name, its rows (None for a vector) and columns, and the names of the two
            axes, if any.
        signs: one fewer than blocks.
        marked: for each tensor the row and the column to bring out; None stands for all.
    """
    gap, tall = 3.0, max(rows or 1 for _, rows, *_ in blocks)
    wide = sum(columns for _, _, columns, *_ in blocks) + gap * len(blocks)
    fig = Figure(figsize=(wide * 0.27, (tall + 3) * 0.27))
    ax = fig.add_axes((0, 0, 1, 1))
    ax.set(xlim=(0, wide), ylim=(tall + 1.5, -1.5), aspect="equal")
    ax.axis("off")
    left = gap * 0.7
    for place, ((name, rows, columns, *axes), sign) in enumerate(zip(blocks, (*signs, ""), strict=True)):
        height = rows or 1
        top = (tall - height) / 2
        for row, column in np.ndindex(height, columns):
            chosen = marked and all(
                want in (None, have) for want, have in zip(marked[place], (row, column), strict=True)
            )
            style: dict[str, Any] = {"facecolor": PALETTE[place], "edgecolor": PAPER}
            style |= {"hatch": "////", "alpha": 1} if chosen else {"alpha": 0.55}
            x, y = left + column, top + row
            cell = Rectangle((x, y), 1, 1, **style) if rows else Circle((x + 0.5, y + 0.5), 0.45, **style)
            ax.add_patch(cell)
        beside, below = (
            "" if size is None else f"{axis} = {size}" if axis else f"{size}"
            for axis, size in zip(axes, (rows, columns), strict=True)
        )
        middle = left + columns / 2
        ax.text(middle, top - 0.35, name, ha="center", va="bottom", weight="bold")
        ax.text(left - 0.25, tall / 2, beside, ha="right", va="center", rotation=90, fontsize=9)
        ax.text(middle, top + height + 0.25, below, ha="center", va="top", fontsize=9)
        ax.text(left + columns + gap * 0.35, tall / 2, sign, ha="center", va="center", fontsize=13)
        left += columns + gap
    return fig


def product_shapes(
    names: tuple[str, str, str],
    sizes: tuple[int, int, int],
    axes: tuple[str, str, str],
    entry: tuple[int, int] = (1, 2),
) -> tuple[Figure, str]:
    """Which row of one matrix meets which column of another in an entry of their product.

    Args:
        names: of the two factors and of the product.
        sizes: rows of the first factor, its columns, and columns of the second one.
        axes: what these three axes are called.
        entry: row and column of the entry to bring out.

    Returns:
        The figure, and its alternative text.
    """
    (first, second, product), (rows, inner, columns), (row, column) = names, sizes, entry
    blocks = [
        (first, rows, inner, axes[0], axes[1]),
        (second, inner, columns, axes[1], axes[2]),
        (product, rows, columns, axes[0], axes[2]),
    ]
    fig = shape_ribbon(blocks, ["@", "="], marked=[(row, None), (None, column), (row, column)])
    alt = (
        f"Row {row} of {first} ({rows}, {inner}) meets column {column} of {second} ({inner}, {columns}) and "
        f"gives entry [{row}, {column}] of {product} ({rows}, {columns})."
    )
    return fig, alt


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
        numbers = measured.cpu().numpy()
        if spread == "sd":
            middle, sd = numbers.mean(1), numbers.std(1, ddof=1)
            low, high = middle - sd, middle + sd
        else:
            low, middle, high = np.quantile(numbers, (0.25, 0.5, 0.75), axis=1)
        ax.plot(values, middle, color=colour, marker=marker, linestyle=line, label=name)
        ax.fill_between(values, low, high, color=colour, alpha=0.18, linewidth=0)
    ax.set(xscale=xscale, yscale=yscale, xlabel=xlabel, ylabel=ylabel)
    if chance is not None:
        draw_chance(ax, chance)
        ax.set_ylim(bottom=0)
    if xscale == "log":
        ax.set_xticks(values, [f"{value:g}" for value in values], fontsize=8)
        ax.minorticks_off()
    ax.legend(title="mean ± sd" if spread == "sd" else "median, quartiles", fontsize=9, title_fontsize=8)
    return fig


def running_mean(values: Sequence[float] | np.ndarray, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Where the middle of each run of `width` values lies, and their mean; two arrays of n - width + 1."""
    means = np.convolve(values, np.ones(width) / width, "valid")
    return np.arange(len(means)) + (width - 1) / 2, means


class History(Protocol):
    """What a solver remembers of a training."""

    loss_history: list[float]
    train_acc_history: list[float]
    val_acc_history: list[float]


def learning_curves(runs: Mapping[str, History], chance: float) -> tuple[Figure, str]:
    """Loss of every step, and accuracy after every epoch, on training and on validation images.

    Args:
        runs: solvers by name.
        chance: accuracy of guessing, 0 to 1.

    Returns:
        The figure, and its alternative text.
    """
    fig = Figure(figsize=(9, 3.5), layout="constrained")
    left, right = fig.subplots(1, 2)
    top, told = 0.0, []
    for (name, run), marker, colour in zip(runs.items(), MARKERS, PALETTE, strict=False):
        losses = np.array(run.loss_history)
        top = max(top, 1.08 * float(losses.max()))
        left.plot(losses, ",", color=colour, alpha=0.25)
        steps, smooth = running_mean(losses, max(1, len(losses) // 40))
        look: dict[str, Any] = {"marker": marker, "color": colour}
        left.plot(steps, smooth, "-", linewidth=1.8, markevery=max(1, len(smooth) // 8), **look)
        label = f"{name}, " if name else ""
        look |= {"markersize": 4, "markevery": max(1, len(run.val_acc_history) // 15)}
        for split, line, accuracies, face in (
            ("training", "--", run.train_acc_history, "none"),
            ("validation", "-", run.val_acc_history, colour),
        ):
            epochs = range(1, len(accuracies) + 1)
            right.plot(epochs, 100 * np.array(accuracies), line, mfc=face, label=label + split, **look)
        told.append(
            f"{label}loss from {smooth[0]:.2g} to {smooth[-1]:.2g}, accuracy at the end "
            f"{run.train_acc_history[-1]:.0%} in training and {run.val_acc_history[-1]:.0%} in validation"
        )
    draw_chance(right, chance)
    left.set(xlabel="step", ylabel="loss of a batch", ylim=(0, top))
    right.set(xlabel="epoch", ylabel="accuracy (%)", ylim=(0, None))
    right.xaxis.get_major_locator().set_params(integer=True)
    fig.legend(loc="outside right center", fontsize=8)
    return fig, "; ".join(told) + f". Guessing gets {chance:.0%}."


def accuracy_maps(
    maps: Mapping[str, Float[Tensor, "rows columns"]],
    rows: tuple[str, Sequence[float]],
    columns: tuple[str, Sequence[float]],
) -> tuple[Figure, str]:
    """Accuracy over two settings, with the numbers written in and the best of each map in brackets.

    Args:
        maps: accuracies, 0 to 1, by title.
        rows: name and values of the setting along the vertical axis.
        columns: name and values of the setting along the horizontal axis.

    Returns:
        The figure, and its alternative text.
    """
    (row_name, row_values), (column_name, column_values) = rows, columns
    fig = Figure(figsize=(3.9 * len(maps), 3.3), layout="constrained")
    axes = fig.subplots(1, len(maps), squeeze=False, sharey=True)[0]
    values = 100 * torch.stack(list(maps.values()))
    low, high, told = values.min().item(), values.max().item(), []
    for ax, title, table in zip(axes, maps, values, strict=True):
        image = ax.imshow(table.numpy(), origin="lower", cmap="cividis", vmin=low, vmax=high, aspect="auto")
        for (row, column), value in np.ndenumerate(table.numpy()):
            tone = INK if value > (low + high) / 2 else PAPER
            text, weight = (f"[{value:.3g}]", "bold") if value == table.max() else (f"{value:.3g}", "normal")
            ax.text(column, row, text, ha="center", va="center", color=tone, fontsize=9, weight=weight)
        ax.set_xticks(range(len(column_values)), [f"{value:g}" for value in column_values])
        ax.set_yticks(range(len(row_values)), [f"{value:g}" for value in row_values])
        ax.set(title=title, xlabel=column_name)
        ax.grid(False)
        row, column = divmod(int(table.argmax()), len(column_values))
        best = int((table == table.max()).sum())
        told.append(
            f"{title}: {table.min():.3g} to {table.max():.3g} %, the best at {row_name} {row_values[row]:g} "
            f"and {column_name} {column_values[column]:g}"
            + (f", and in {best - 1} more of {table.numel()} cells" if best > 1 else "")
        )
    axes[0].set_ylabel(row_name)
    fig.colorbar(image, ax=axes, label="accuracy (%)")
    return fig, ". ".join(told) + "."


def class_maps(
    classifiers: Mapping[str, Callable[[Float[Tensor, "n 2"]], Int[Tensor, " n"]]],
    points: Sequence[tuple[Float[Tensor, "n 2"], Int[Tensor, " n"]]],
    reach: float,
    resolution: int = 150,
) -> tuple[Figure, list[Int[Tensor, "resolution resolution"]]]:
    """The plane as classifiers see it: the ground is what they say, markers are points with their labels.

    Args:
        classifiers: labels of any points of the plane, by title.
        points: for each classifier the points to draw and their labels.
        reach: the largest coordinate that is seen.
        resolution: places along each axis where a classifier is asked.

    Returns:
        The figure, and the labels of each map: rows are x2, upwards, columns x1.
    """
    classes = 1 + max(int(y.max()) for _, y in points)
    axis = torch.linspace(-reach, reach, resolution)
    grid = torch.cartesian_prod(axis, axis)
    regions = [says(grid).view(resolution, resolution).T for says in classifiers.values()]
    fig, axes = row_of_axes(len(classifiers), max(2.7, 3.8 / len(classifiers)), 3.6)
    look: dict[str, Any] = {"cmap": mpl.colors.ListedColormap(PALETTE[:classes]), "alpha": 0.3}
    look |= {"vmin": -0.5, "vmax": classes - 0.5, "extent": (-reach, reach, -reach, reach)}
    for ax, title, region, (X, y) in zip(axes, classifiers, regions, points, strict=True):
        ax.imshow(region.numpy(), origin="lower", interpolation="nearest", **look)
        for label, colour, marker in zip(range(classes), PALETTE, MARKERS, strict=False):
            dots: dict[str, Any] = {"color": colour, "markersize": 3.5, "mec": PAPER, "mew": 0.4}
            ax.plot(*X[y == label].T.numpy(), marker, label=f"class {label}", **dots)
        ax.set(title=title, xlabel="$x_1$", xlim=(-reach, reach), ylim=(-reach, reach))
        ax.grid(False)
    axes[0].set_ylabel("$x_2$")
    told = "markers: labels; ground: what the classifier says"
    place: dict[str, Any] = {"loc": "outside lower center", "ncols": classes, "markerscale": 1.7}
    fig.legend(*axes[0].get_legend_handles_labels(), title=told, title_fontsize=8, **place)
    return fig, regions


def row_of_axes(columns: int, width: float, height: float) -> tuple[Figure, np.ndarray]:
    """A figure of axes side by side, each so many inches wide and high."""
    fig = Figure(figsize=(width * columns, height), layout="constrained")
    return fig, fig.subplots(1, columns, squeeze=False)[0]


def draw_image(ax: Axes, image: Float[Tensor, "3 height width"]) -> None:
    """Show an image with values in [0, 1], without ticks or frame."""
    ax.imshow(image.permute(1, 2, 0).clamp(0, 1).cpu().numpy(), interpolation="nearest")
    ax.set(xticks=(), yticks=())
    ax.grid(False)
    ax.spines[:].set_visible(False)


def draw_chance(ax: Axes, chance: float) -> None:
    """Draw the line of guessing, given as a fraction of 1, on an axis in per cent."""
    ax.axhline(100 * chance, color=FAINT, linestyle=":", label=f"guessing ({100 * chance:.0f} %)")
