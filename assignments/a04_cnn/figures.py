"""Figures and toys for the notebooks on convolutional networks."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import Tensor
from torch.nn import functional

from exercise_code.mlp.fully_connected_networks import FullyConnectedNet
from exercise_code.mlp.solver import Solver
from exercise_code.mlp.update_rules import adam
from exercise_code.support.notebook.plotting import (
    FAINT,
    INK,
    PALETTE,
    PAPER,
    draw_chance,
    draw_image,
    row_of_axes,
)

Images = Float[Tensor, "n c h w"]
Features = Callable[[Images], Float[Tensor, "n d"]]
Accuracy = Callable[[Images, Int[Tensor, " n"]], float]


# Convolution
def moved(images: Images, pixels: int) -> Images:
    """The images moved to the right; their left edge is repeated."""
    return functional.pad(images, (pixels, 0, 0, 0), mode="replicate")[..., : images.shape[3]]


def patches(images: Images, num: int, size: int, seed: int) -> Float[Tensor, "num c size size"]:
    """Filters cut out of images at random places, brought to mean 0 and length 1."""
    random = torch.Generator().manual_seed(seed)
    rows, columns = images.shape[2] - size + 1, images.shape[3] - size + 1
    places = [torch.randint(most, (num,), generator=random).tolist() for most in (len(images), rows, columns)]
    cut = [images[n, :, i : i + size, j : j + size] for n, i, j in zip(*places, strict=True)]
    filters = torch.stack(cut)
    filters = filters - filters.mean(dim=(1, 2, 3), keepdim=True)
    return filters / filters.square().sum(dim=(1, 2, 3), keepdim=True).sqrt()


def trained_on(features: Features, data: Mapping[str, Tensor], seed: int, epochs: int = 10) -> Accuracy:
    """Train a network with one hidden layer of 200 units on features of images.

    Args:
        features: from images to vectors; the mean over the training images is taken off.
        data: `X_train`, `y_train`, `X_val`, `y_val`, as images.
        seed: of the weights and the batches.
        epochs: of Adam with a learning rate of 0.001.

    Returns:
        A function that gives the accuracy, 0 to 1, on other images and their labels.
    """
    train = features(data["X_train"])
    mean = train.mean(dim=0)
    ready = {**data, "X_train": train - mean, "X_val": features(data["X_val"]) - mean}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = FullyConnectedNet([200], train.shape[1], weight_scale="kaiming", reg=1e-4)
        solver = Solver(net, ready, update_rule=adam, num_epochs=epochs)
        solver.train()
    return lambda X, y: solver.check_accuracy(features(X) - mean, y)


def _grid(ax: Axes, values: np.ndarray, shades: np.ndarray | None = None) -> None:
    """A table of numbers as cells; shades between -1 and 1 colour them."""
    rows, columns = values.shape
    for (row, column), value in np.ndenumerate(values):
        shade = 0.0 if shades is None else float(shades[row, column])
        colour = PALETTE[0] if shade >= 0 else PALETTE[1]
        ax.add_patch(Rectangle((column, row), 1, 1, facecolor=colour, alpha=0.45 * abs(shade), linewidth=0))
        ax.add_patch(Rectangle((column, row), 1, 1, fill=False, edgecolor=FAINT, linewidth=0.8))
        text = value if isinstance(value, str) else f"{value:g}"
        ax.text(column + 0.5, row + 0.5, text, ha="center", va="center", fontsize=11)
    ax.set(xlim=(-0.08, columns + 0.08), ylim=(rows + 0.08, -0.08), aspect="equal")
    ax.axis("off")


def first_window(x: Float[Tensor, "h w"], w: Float[Tensor, "hh ww"]) -> tuple[Figure, str]:
    """A filter on a numbered image: the first window worked out, the others still open.

    Returns:
        The figure, and its alternative text.
    """
    rows, columns = (size - kernel + 1 for size, kernel in zip(x.shape, w.shape, strict=True))
    window = x[: w.shape[0], : w.shape[1]]
    out = np.full((rows, columns), "?", dtype=object)
    out[0, 0] = f"{(window * w).sum():g}"
    fig = Figure(figsize=(8.4, 2.7), layout="constrained")
    axes = fig.subplots(1, 4, width_ratios=(x.shape[1], w.shape[1], w.shape[1], columns))
    tables = x.numpy(), w.numpy(), (window * w).numpy(), out
    titles = "image X", "filter K", "products", "output"
    for ax, title, table in zip(axes, titles, tables, strict=True):
        _grid(ax, table)
        ax.set_title(title)
    look: dict[str, Any] = {"fill": False, "edgecolor": PALETTE[1], "linewidth": 3}
    axes[0].add_patch(Rectangle((0, 0), w.shape[1], w.shape[0], **look))
    axes[3].add_patch(Rectangle((0, 0), 1, 1, **look))
    alt = (
        f"The filter {w.int().tolist()} lies on the corner {window.int().tolist()} of the image; the "
        f"products sum to {out[0, 0]}, the first of {rows * columns} outputs, of which the others are open."
    )
    return fig, alt


def sent_back(dout: Float[Tensor, "h_out w_out"], w: Float[Tensor, "hh ww"]) -> tuple[Figure, str]:
    """How the gradient of an image builds up: each entry of dout adds the filter, scaled, to its window.

    Returns:
        The figure, with a panel after each entry, and its alternative text.
    """
    (rows, columns), (height, width) = dout.shape, w.shape
    dx = torch.zeros(rows + height - 1, columns + width - 1)
    fig, axes = row_of_axes(dout.numel(), 2.2, 2.5)
    for ax, (i, j) in zip(axes, np.ndindex(rows, columns), strict=True):
        dx[i : i + height, j : j + width] += dout[i, j] * w
        _grid(ax, dx.numpy().copy(), np.sign(dx.numpy()) * 0.7)
        ax.add_patch(Rectangle((j, i), width, height, fill=False, edgecolor=INK, linewidth=3))
        ax.set_title(f"after dout[{i}, {j}] = {dout[i, j]:g}")
    alt = (
        f"{dout.numel()} panels: each entry of dout adds the filter to its window; where windows "
        f"overlap the numbers add up, to {dx.max():g} in the largest place."
    )
    return fig, alt


def coverage(
    settings: Sequence[tuple[int, int, int, int]], output_size: Callable[[int, int, int, int], int]
) -> tuple[Figure, str]:
    """How many windows see each pixel of one row.

    Args:
        settings: size, kernel, stride and pad of each row.
        output_size: how many windows there are.

    Returns:
        The figure, and its alternative text.
    """
    longest = max(size for size, *_ in settings)
    fig = Figure(figsize=(8, 0.75 * len(settings) + 0.4), layout="constrained")
    axes, told = fig.subplots(len(settings), 1), []
    for ax, (size, kernel, stride, pad) in zip(axes, settings, strict=True):
        seen, windows = np.zeros(size + 2 * pad, dtype=int), output_size(size, kernel, stride, pad)
        for place in range(windows):
            seen[place * stride : place * stride + kernel] += 1
        seen = seen[pad : pad + size]
        _grid(ax, seen[None], seen[None] / 3)
        for column in np.flatnonzero(seen == 0):
            ax.add_patch(
                Rectangle((column, 0), 1, 1, fill=False, hatch="////", edgecolor=PALETTE[1], linewidth=1)
            )
        name = f"size {size}, kernel {kernel}, stride {stride}, pad {pad}"
        ax.text(-0.4, 0.5, f"{name}: {windows} windows", ha="right", va="center", fontsize=9)
        ax.set_xlim(-0.8 * longest, longest + 0.1)
        unseen = ", ".join(map(str, np.flatnonzero(seen == 0))) or "none"
        told.append(f"{name}: {windows} windows, pixels that none of them sees: {unseen}")
    return fig, "; ".join(told) + "."


def layer_shapes(
    x: tuple[int, int, int, int], w: tuple[int, int, int, int], out: tuple[int, int, int, int]
) -> tuple[Figure, str]:
    """Images, filters and outputs of a convolution as stacks of maps, with the name of every axis.

    Returns:
        The figure, and its alternative text.
    """
    fig = Figure(figsize=(9, 3.1), layout="constrained")
    tensors = (
        ("x", x, ("N", "C", "H", "W")),
        ("w", w, ("F", "C", "HH", "WW")),
        ("out", out, ("N", "F", "H_out", "W_out")),
    )
    for ax, (name, shape, axes) in zip(fig.subplots(1, 3), tensors, strict=True):
        first, second, height, width = shape
        for block in range(first):
            top = block * (height + second + 1.2)
            for depth in reversed(range(second)):
                left, above = 0.8 * depth, top + 0.8 * (second - 1 - depth)
                colour = PALETTE[depth if axes[1] == "C" else 3 + depth]
                ax.add_patch(
                    Rectangle((left, above), width, height, facecolor=colour, edgecolor=PAPER, alpha=0.85)
                )
        bottom = (first - 1) * (height + second + 1.2) + 0.8 * (second - 1) + height
        ax.text(width / 2, bottom + 0.3, f"{axes[3]} = {width}", ha="center", va="top", fontsize=9)
        ax.text(-0.4, bottom - height / 2, f"{axes[2]} = {height}", ha="right", va="center", fontsize=9)
        right = width + 0.8 * (second - 1)
        ax.text(right + 0.4, 0.2, f"{axes[1]} = {second} deep", ha="left", va="center", fontsize=9)
        ax.text(right + 0.4, bottom - 0.3, f"{axes[0]} = {first} blocks", ha="left", va="center", fontsize=9)
        ax.set(xlim=(-6, right + 8), ylim=(bottom + 2, -0.6), aspect="equal")
        ax.set_title(f"{name} {shape}")
        ax.axis("off")
    alt = (
        f"x {x}: {x[0]} images of {x[1]} channels. w {w}: {w[0]} filters, each {w[1]} channels deep as well. "
        f"out {out}: for each image {out[1]} maps, one from each filter."
    )
    return fig, alt


def signed_maps(image: Float[Tensor, "3 h w"], maps: Mapping[str, Float[Tensor, "h_out w_out"]]) -> Figure:
    """An image and maps made of it, on one scale with 0 in the middle.

    Args:
        image: values in [0, 1].
        maps: by title.
    """
    fig, (first, *axes) = row_of_axes(1 + len(maps), 2.3, 2.5)
    draw_image(first, image)
    first.set_title("input")
    reach = max(values.abs().max().item() for values in maps.values())
    for ax, (title, values) in zip(axes, maps.items(), strict=True):
        shown = ax.imshow(values.numpy(), cmap="PuOr", vmin=-reach, vmax=reach)
        ax.set(title=title, xticks=(), yticks=())
        ax.grid(False)
    fig.colorbar(shown, ax=axes, label="output", shrink=0.8)
    return fig


def unfolded(x: Float[Tensor, "h w"], kernel: tuple[int, int], stride: int) -> tuple[Figure, str]:
    """A numbered image, and its windows as the columns of a matrix.

    Returns:
        The figure, and its alternative text.
    """
    columns = functional.unfold(x[None, None], kernel, stride=stride)[0]
    fig = Figure(figsize=(8, 2.9), layout="constrained")
    left, right = fig.subplots(1, 2, width_ratios=(x.shape[1], columns.shape[1] + 1))
    _grid(left, x.numpy())
    _grid(right, columns.numpy())
    width = 1 + (x.shape[1] - kernel[1]) // stride
    for place, colour in ((0, PALETTE[0]), (columns.shape[1] - 1, PALETTE[1])):
        row, column = stride * (place // width), stride * (place % width)
        look: dict[str, Any] = {"fill": False, "edgecolor": colour, "linewidth": 3}
        left.add_patch(Rectangle((column, row), kernel[1], kernel[0], **look))
        right.add_patch(Rectangle((place, 0), 1, len(columns), **look))
    left.set_title(f"image {tuple(x.shape)}")
    right.set_title(f"columns {tuple(columns.shape)}: a window each")
    alt = (
        f"An image of {x.shape[0]} x {x.shape[1]} and its {columns.shape[1]} windows as columns: "
        f"the first is {columns[:, 0].int().tolist()}, the last {columns[:, -1].int().tolist()}."
    )
    return fig, alt


def paired_bars(
    groups: Mapping[str, Mapping[str, Float[Tensor, " runs"]]], chance: float
) -> tuple[Figure, str]:
    """Accuracies as bars side by side, with a dot for each run.

    Args:
        groups: for each group of bars the accuracies, 0 to 1, by what was changed.
        chance: accuracy of guessing.

    Returns:
        The figure, and its alternative text.
    """
    fig = Figure(figsize=(6.4, 3.4), layout="constrained")
    ax, told = fig.subplots(), []
    names = list(next(iter(groups.values())))
    for place, (name, colour, hatch) in enumerate(zip(names, PALETTE, ("", "////"), strict=False)):
        for group, (title, bars) in enumerate(groups.items()):
            runs = 100 * bars[name].numpy()
            left = group + 0.36 * (place - (len(names) - 1) / 2)
            label = name if group == 0 else None
            ax.bar(
                left, runs.mean(), 0.32, color=colour, hatch=hatch, edgecolor=PAPER, label=label, alpha=0.85
            )
            ax.plot([left] * len(runs), runs, "o", color=INK, markersize=3)
            told.append(f"{title}, {name}: {runs.mean():.0f} %")
    draw_chance(ax, chance)
    ax.set_xticks(range(len(groups)), list(groups))
    ax.set_ylabel("accuracy (%)")
    ax.legend(fontsize=8)
    return fig, "; ".join(told) + f". Guessing gets {chance:.0%}."
