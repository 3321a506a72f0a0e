"""Figures and toys for the notebooks on convolutional networks."""

import functools
import itertools
import math
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
from exercise_code.mlp.solver import Model, Solver
from exercise_code.mlp.update_rules import adam
from exercise_code.support.notebook.plotting import (
    FAINT,
    INK,
    LINES,
    MARKERS,
    PALETTE,
    PAPER,
    History,
    draw_chance,
    draw_image,
    row_of_axes,
    running_mean,
)
from exercise_code.support.notebook.setup import seconds, with_bar

Images = Float[Tensor, "n c h w"]
Features = Callable[[Images], Float[Tensor, "n d"]]
Accuracy = Callable[[Images, Int[Tensor, " n"]], float]
Convolution = Callable[[Images, Images, Float[Tensor, " f"], dict[str, int]], Any]


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


def sent_back(dout: Float[Tensor, "h_out w_out"], w: Float[Tensor, "hh ww"]) -> dict[str, tuple[Figure, str]]:
    """How the gradient of an image builds up: each entry of dout adds the filter, scaled, to its window.

    Returns:
        For each entry of dout a figure, with the scaled filter and dX so far, and its alternative text.
    """
    (rows, columns), (height, width) = dout.shape, w.shape
    dx = torch.zeros(rows + height - 1, columns + width - 1)
    look: dict[str, Any] = {"fill": False, "edgecolor": INK, "linewidth": 3}
    frames = {}
    for i, j in np.ndindex(rows, columns):
        dx[i : i + height, j : j + width] += dout[i, j] * w
        tables = {"dout": dout, f"{dout[i, j]:g} times filter K": dout[i, j] * w, "dX so far": dx}
        fig = Figure(figsize=(7, 2.8), layout="constrained")
        axes = fig.subplots(1, 3, width_ratios=(columns, width, dx.shape[1]))
        for ax, (title, table) in zip(axes, tables.items(), strict=True):
            _grid(ax, table.numpy(), np.sign(table.numpy()) * 0.7)
            ax.set_title(title)
        axes[0].add_patch(Rectangle((j, i), 1, 1, **look))
        axes[2].add_patch(Rectangle((j, i), width, height, **look))
        alt = f"{dout[i, j]:g} times the filter goes to the window at [{i}, {j}]; dX is {dx.int().tolist()}."
        frames[f"[{i}, {j}]"] = fig, alt
    return frames


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
                ax.add_patch(Rectangle((left, above), width, height, facecolor=colour, edgecolor=PAPER))
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


def race(kernels: Sequence[int], ways: Mapping[str, Convolution], x: Images) -> dict[str, Tensor]:
    """Time three runs of each way to convolve x with 8 filters, padded so that the size stays.

    Args:
        kernels: odd heights and widths of the filters.
        ways: functions of images, filters, biases and `conv_param`, by name; "loops" is run once at a time.
        x: the images.

    Returns:
        Milliseconds by name, with a row for each kernel and a column for each run.
    """
    random, timed = torch.Generator().manual_seed(0), {name: torch.zeros(len(kernels), 3) for name in ways}
    for row, kernel in enumerate(kernels):
        w = torch.randn(8, x.shape[1], kernel, kernel, generator=random)
        inputs = x, w, torch.zeros(8), {"stride": 1, "pad": kernel // 2}
        for (name, way), run in itertools.product(ways.items(), range(3)):
            repeats = 1 if name == "loops" else 20
            timed[name][row, run] = 1e3 * seconds(functools.partial(way, *inputs), repeats=repeats)
    return timed


def by_conv2d(x: Images, w: Images, b: Float[Tensor, " f"], conv_param: dict[str, int]) -> Images:
    """The library's convolution, with the arguments of `Conv.forward`."""
    return functional.conv2d(x, w, b, stride=conv_param["stride"], padding=conv_param["pad"])


# Normalisation
NORMS = {
    "batch norm": lambda n, c, p: c == 2,
    "layer norm": lambda n, c, p: n == 1,
    "group norm, G = 2": lambda n, c, p: n == 1 and c >= 2,
    "instance norm": lambda n, c, p: n == 1 and c == 2,
}
"""Which cells (image, channel, place) share a mean with one cell, for each norm."""


def norm_axes(num: int = 3, channels: int = 4, places: int = 5) -> tuple[Figure, str]:
    """What each norm averages over: N images, C channels and H x W places as a block of cells.

    Returns:
        The figure, and its alternative text.
    """
    fig, axes = row_of_axes(len(NORMS), 2.5, 1.7)
    told = []
    for ax, (title, shares) in zip(axes, NORMS.items(), strict=True):
        count = 0
        for n, c, p in np.ndindex(num, channels, places):
            chosen = shares(n, c, p)
            count += chosen
            left, bottom = c + 5.2 * n, places - 1 - p
            face = PALETTE[1] if chosen else PALETTE[5]
            style = {"facecolor": face, "edgecolor": PAPER, "alpha": 1 if chosen else 0.35}
            ax.add_patch(Rectangle((left, bottom), 1, 1, hatch="////" if chosen else "", **style))
        for n in range(num):
            ax.text(5.2 * n + channels / 2, places + 0.35, f"n = {n}", ha="center", fontsize=8)
        ax.text(channels / 2, -0.4, f"C = {channels} →", ha="center", va="top", fontsize=8)
        ax.text(
            -0.4, places / 2, f"H, W: {places} places →", ha="right", va="center", rotation=270, fontsize=8
        )
        ax.set(xlim=(-1.8, 5.2 * num), ylim=(-1.8, places + 1.4), aspect="equal")
        ax.set_title(f"{title}\none mean over {count} numbers", fontsize=9)
        ax.axis("off")
        told.append(f"{count} in {title.partition(',')[0]}")
    sizes = f"{num} images of {channels} channels and {places} places"
    return fig, f"How many numbers share a mean, for {sizes}: {', '.join(told)}."


def batch_norm_graph() -> tuple[Figure, str]:
    """The computational graph of batch norm: x reaches the output by three ways.

    Returns:
        The figure, and its alternative text.
    """
    fig = Figure(figsize=(8.6, 2.9), layout="constrained")
    ax = fig.subplots()
    nodes = {
        "x": (0, 1),
        "mean": (1.5, 0),
        "centred": (3, 1),
        "var": (4.2, 0),
        "std": (6.3, 0),
        "x_hat": (7.5, 1),
        "out": (9.5, 1),
    }
    edges = [
        ("x", "mean", "average"),
        ("x", "centred", ""),
        ("mean", "centred", "−"),
        ("centred", "var", "square, average"),
        ("var", "std", "√(· + eps)"),
        ("centred", "x_hat", ""),
        ("std", "x_hat", "divides"),
        ("x_hat", "out", "gamma, beta"),
    ]
    for start, end, label in edges:
        (x0, y0), (x1, y1) = nodes[start], nodes[end]
        look = {"arrowstyle": "->", "color": INK, "shrinkA": 20, "shrinkB": 20}
        ax.annotate("", xy=(x1, y1), xytext=(x0, y0), arrowprops=look)
        ground = {"facecolor": PAPER, "edgecolor": "none", "pad": 1}
        ax.text((x0 + x1) / 2, (y0 + y1) / 2, label, ha="center", va="center", fontsize=8, bbox=ground)
    for name, (x, y) in nodes.items():
        colour = PALETTE[1] if name in ("mean", "var", "std") else PALETTE[0]
        box = {"boxstyle": "round", "facecolor": PAPER, "edgecolor": colour, "linewidth": 2}
        shape = "(D,)" if name in ("mean", "var", "std") else "(N, D)"
        ax.text(x, y, f"{name}\n{shape}", ha="center", va="center", fontsize=9, bbox=box)
    ax.set(xlim=(-0.7, 10.2), ylim=(-0.5, 1.5))
    ax.axis("off")
    ways = sum(end in ("centred", "std") for _, end, _ in edges)
    return fig, (
        f"x reaches x_hat by {ways} ways: straight, through the mean, and through the standard deviation; "
        "in testing only the straight one is left."
    )


# Networks
def halved(prepared: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Prepared data whose images have half the height and width, each pixel the mean of four."""
    return {
        name: functional.avg_pool2d(values, 2) if name.startswith("X") else values
        for name, values in prepared.items()
    }


def accuracies(
    make: Callable[[], Model], prepared: dict[str, Tensor], rate: float, seeds: int, epochs: int = 5
) -> Float[Tensor, " seeds"]:
    """Best validation accuracies in per cent of networks that Adam trains, one for each seed.

    Args:
        make: makes an untrained network.
        prepared: what `data.prepare` gives.
        rate: learning rate.
        seeds: how many networks.
        epochs: of 50 images at a time.
    """
    found = []
    for seed in with_bar(range(seeds)):
        torch.manual_seed(seed)
        config: dict[str, Any] = {"update_rule": adam, "optim_config": {"learning_rate": rate}}
        solver = Solver(make(), prepared, **config, batch_size=50, num_epochs=epochs)
        solver.train()
        found.append(100 * solver.best_val_acc)
    return torch.tensor(found)


def shape_chain(shapes: Mapping[str, Sequence[int]]) -> tuple[Figure, str]:
    """The tensors that one image becomes on its way through a network, each a stack of maps or a column.

    Args:
        shapes: for each tensor its name and its axes: channels, height, width; or units.

    Returns:
        The figure, and its alternative text.
    """
    fig = Figure(figsize=(1.75 * len(shapes), 2.6), layout="constrained")
    ax = fig.subplots()
    largest = max(max(axes[1:]) for axes in shapes.values() if len(axes) == 3)
    for place, (name, axes) in enumerate(shapes.items()):
        colour, left = PALETTE[place % 6], 1.75 * place
        if len(axes) == 3:
            channels, height, width = axes
            tall, wide = 1.2 * height / largest, 1.2 * width / largest
            for sheet in reversed(range(min(channels, 5))):
                corner = (left + 0.06 * sheet, 0.06 * sheet)
                ax.add_patch(Rectangle(corner, wide, tall, facecolor=colour, edgecolor=PAPER, linewidth=1))
            label = f"C = {channels}\nH = {height}\nW = {width}"
        else:
            ax.add_patch(Rectangle((left + 0.4, 0), 0.14, 1.3, facecolor=colour, edgecolor=PAPER))
            label = f"{axes[0]} units"
        ax.text(left + 0.5, 1.75, name, ha="center", weight="bold", fontsize=9)
        ax.text(left + 0.5, -0.15, label, ha="center", va="top", fontsize=8)
    ax.set(xlim=(-0.2, 1.75 * len(shapes) - 0.2), ylim=(-0.95, 2.0))
    ax.axis("off")
    return fig, "One image: " + ", then ".join(
        f"{name} {' x '.join(map(str, axes))}" for name, axes in shapes.items()
    )


def grouped_bars(
    runs: Mapping[str, Mapping[str, Float[Tensor, " runs"]]], chance: float
) -> tuple[Figure, str]:
    """Mean accuracies with their standard deviations, a group of bars for each network.

    Args:
        runs: for each network, for each kind of images, the accuracies of all runs in per cent.
        chance: accuracy of guessing, 0 to 1.

    Returns:
        The figure, and its alternative text.
    """
    fig, (ax,) = row_of_axes(1, 6.2, 3.2)
    kinds = list(next(iter(runs.values())))
    told = []
    for offset, kind in enumerate(kinds):
        means = [accuracies[kind].mean().item() for accuracies in runs.values()]
        sds = [accuracies[kind].std().item() for accuracies in runs.values()]
        places = [group + 0.36 * offset for group in range(len(runs))]
        look = {"color": PALETTE[offset], "hatch": ("", "//")[offset % 2], "edgecolor": PAPER}
        ax.bar(places, means, 0.34, yerr=sds, capsize=3, label=kind, **look)
        told += [f"{name} on {kind} {mean:.0f} %" for name, mean in zip(runs, means, strict=True)]
    ax.set_xticks([group + 0.18 * (len(kinds) - 1) for group in range(len(runs))], list(runs))
    ax.set(ylabel="validation accuracy (%)")
    draw_chance(ax, chance)
    ax.set_axisbelow(True)
    ax.grid(axis="x", visible=False)
    fig.legend(loc="outside right center", fontsize=8, title="mean ± sd", title_fontsize=8)
    return fig, "Validation accuracy: " + ", ".join(told) + f"; guessing gets {100 * chance:.0f} %."


def signal_sizes(sizes: Mapping[str, Sequence[float]]) -> tuple[Figure, str]:
    """Standard deviation of what leaves each layer of deep networks, on a log scale.

    Args:
        sizes: for each network the standard deviations, layer by layer.

    Returns:
        The figure, and its alternative text.
    """
    fig, (ax,) = row_of_axes(1, 6.6, 3.2)
    for (name, values), marker, line in zip(sizes.items(), MARKERS, LINES, strict=False):
        layers = range(1, len(values) + 1)
        ax.plot(layers, values, marker=marker, linestyle=line, markevery=5, label=name)
    ax.set(yscale="log", xlabel="layer", ylabel="sd of the output (log scale)")
    fig.legend(loc="outside right center", fontsize=8)
    ends = ", ".join(f"{name} {values[-1]:.1g}" for name, values in sizes.items())
    return fig, f"Standard deviation after the last of {len(values)} layers: {ends}."


def filter_rows(rows: Mapping[str, Float[Tensor, "filters 3 k k"]]) -> tuple[Figure, str]:
    """Filters of a first layer as colour images, all on one scale: grey is 0.

    Args:
        rows: filters by title, as many in each row.

    Returns:
        The figure, and its alternative text.
    """
    count = len(next(iter(rows.values())))
    fig = Figure(figsize=(0.85 * count + 0.9, 1.15 * len(rows)), layout="constrained")
    grid = fig.subplots(len(rows), count, squeeze=False)
    reach = max(float(filters.abs().max()) for filters in rows.values())
    for (title, filters), axes in zip(rows.items(), grid, strict=True):
        for ax, weights in zip(axes, filters, strict=True):
            draw_image(ax, 0.5 + weights / (2 * reach))
        axes[0].set_ylabel(title, fontsize=8)
    fig.supxlabel("colour: the weights of red, green and blue; grey is 0", fontsize=8)
    sizes = ", ".join(f"{title} {filters.std():.2f}" for title, filters in rows.items())
    return fig, f"{count} filters of 3 x 3 pixels with three channels; sd of the weights: {sizes}."


def feature_maps(
    image: Float[Tensor, "3 h w"], layers: Sequence[Float[Tensor, "c hm wm"]], shown: int = 6
) -> tuple[Figure, str]:
    """An image, and what some channels of each layer make of it, each map in shares of its largest number.

    Args:
        image: with values in [0, 1].
        layers: feature maps of each layer.
        shown: channels to draw of each layer, those with the largest mean.

    Returns:
        The figure, and its alternative text.
    """
    fig = Figure(figsize=(1.15 * (shown + 1), 1.3 * len(layers)), layout="constrained")
    grid = fig.subplots(len(layers), shown + 1, squeeze=False)
    draw_image(grid[0, 0], image)
    grid[0, 0].set_title("image", fontsize=8)
    for ax in grid[1:, 0]:
        ax.axis("off")
    told = []
    for number, (maps, axes) in enumerate(zip(layers, grid[:, 1:], strict=True), start=1):
        for ax, channel in zip(axes, maps.mean(dim=(1, 2)).topk(shown).indices, strict=True):
            shares = maps[channel] / maps[channel].max().clamp(min=1e-9)
            drawn = ax.imshow(shares.numpy(), cmap="cividis", vmin=0, vmax=1)
            ax.set(xticks=(), yticks=())
            ax.grid(False)
            ax.set_title(f"layer {number}, map {int(channel)}", fontsize=7)
        active = (maps > 0).double().mean().item()
        told.append(f"layer {number}, {maps.shape[1]} x {maps.shape[2]} pixels, {active:.0%} above 0")
    fig.colorbar(drawn, ax=grid, label="share of the map's largest number", aspect=40)
    return fig, "Feature maps of one image: " + "; ".join(told) + "."


def field_maps(fields: Mapping[str, tuple[Float[Tensor, "h w"], int]]) -> tuple[Figure, str]:
    """How much every pixel weighs in one output, and the field that the kernels allow as a frame.

    Args:
        fields: by title the gradient, and how many pixels wide the field is.

    Returns:
        The figure, and its alternative text.
    """
    fig, axes = row_of_axes(len(fields), 2.5, 2.9)
    told = []
    for ax, (title, (gradient, field)) in zip(axes, fields.items(), strict=True):
        shares = gradient / gradient.max()
        image = ax.imshow(shares.numpy(), cmap="cividis", vmin=0, vmax=1)
        seen = gradient.nonzero()
        row, column = ((seen.amin(dim=0) + seen.amax(dim=0)) // 2).tolist()
        corner = (column - field / 2, row - field / 2)
        ax.add_patch(Rectangle(corner, field, field, fill=False, edgecolor=PALETTE[1], linewidth=2))
        ax.set(title=title, xlabel="column (pixels)")
        ax.grid(False)
        reach = field // 4
        middle = gradient[row - reach : row + reach + 1, column - reach : column + reach + 1]
        told.append(f"{title}: {field} x {field} pixels, {middle.sum() / gradient.sum():.0%} in the middle")
    axes[0].set_ylabel("row (pixels)")
    fig.colorbar(image, ax=axes, label="gradient / largest gradient")
    return fig, "Receptive fields, framed, with the share of the gradient in their middle half. " + "; ".join(
        told
    )


def seen_by_one(windows: Sequence[tuple[int, int]]) -> tuple[Figure, str]:
    """One output of a stack of windows along one axis, and all that it sees in each layer below.

    Args:
        windows: width and stride of each layer's window, the first layer first.

    Returns:
        The figure, and its alternative text.
    """
    fig, (ax,) = row_of_axes(1, 6.6, 2.4)
    jumps = [math.prod(stride for _, stride in windows[:layer]) for layer in range(len(windows) + 1)]
    seen, told = 1, []
    for layer in range(len(windows), -1, -1):
        places = [(place - (seen - 1) / 2) * jumps[layer] for place in range(seen)]
        ax.plot(places, [layer] * seen, marker=MARKERS[1], linestyle="", color=PALETTE[layer], markersize=9)
        told.append(f"{seen} of layer {layer}" if layer else f"{seen} pixels")
        if layer:
            width, stride = windows[layer - 1]
            for place in places:
                for k in range(width):
                    below = place + (k - (width - 1) / 2) * jumps[layer - 1]
                    ax.plot([place, below], [layer, layer - 1], color=FAINT, zorder=0, linewidth=0.8)
            seen = (seen - 1) * stride + width
    names = ["pixels", *(f"layer {number}" for number in range(1, len(windows) + 1))]
    ax.set_yticks(range(len(names)), names)
    ax.set(xlabel="place (pixels)", ylim=(-0.4, len(windows) + 0.4))
    ax.grid(False)
    return fig, "One output sees " + ", ".join(told[1:]) + "."


def field_widths(depths: Sequence[int], widths: Mapping[str, Sequence[int]], mark: int) -> tuple[Figure, str]:
    """How wide the receptive field is over the depth of a stack, on a log scale.

    Args:
        depths: numbers of convolutions.
        widths: for each kind of stack its fields in pixels.
        mark: a width to draw a line at.

    Returns:
        The figure, and its alternative text.
    """
    fig, (ax,) = row_of_axes(1, 7, 3.6)
    for (name, fields), marker, line, colour in zip(widths.items(), MARKERS, LINES, PALETTE, strict=False):
        ax.plot(depths, fields, color=colour, marker=marker, linestyle=line, label=name)
    ax.axhline(mark, color=INK, linestyle=":", label=f"{mark} pixels")
    ax.set(yscale="log", xlabel="convolutions", ylabel="receptive field (pixels, log scale)")
    ax.legend()
    told = ", ".join(f"{name} {fields[-1]}" for name, fields in widths.items())
    return fig, f"Receptive field in pixels after {depths[-1]} convolutions: {told}."


def cost_scatter(costs: Mapping[str, tuple[int, float, float]]) -> tuple[Figure, str]:
    """Parameters and operations of networks, both on log scales.

    Args:
        costs: for each network the year, its parameters, and its operations for one image.

    Returns:
        The figure, and its alternative text.
    """
    fig, (ax,) = row_of_axes(1, 6.6, 3.8)
    for (name, (year, parameters, flops)), marker in zip(costs.items(), MARKERS, strict=False):
        ax.plot(parameters, flops, marker, markersize=8, label=f"{name}, {year}")
    ax.set(xscale="log", yscale="log", xlabel="parameters", ylabel="operations for one image")
    fig.legend(loc="outside right center", fontsize=8)
    told = ", ".join(
        f"{name} {parameters:.2g} and {flops:.2g}" for name, (_, parameters, flops) in costs.items()
    )
    return fig, f"Parameters and operations: {told}."


def loss_ends(runs: Mapping[str, History]) -> tuple[Figure, str]:
    """Loss of every step of several trainings, in full and from 1.5 to 3, with that of guessing among ten.

    Args:
        runs: solvers by name.

    Returns:
        The figure, and its alternative text.
    """
    fig, axes = row_of_axes(2, 4.1, 3.2)
    told = []
    for (name, run), marker, line in zip(runs.items(), MARKERS, LINES, strict=False):
        steps, smooth = running_mean(run.loss_history, max(1, len(run.loss_history) // 20))
        every = max(1, len(smooth) // 8)
        for ax in axes:
            ax.plot(steps, smooth, marker=marker, linestyle=line, markevery=every, markersize=4, label=name)
        told.append(f"{name} {smooth[-1]:.3g}")
    for ax in axes:
        ax.axhline(math.log(10), color=FAINT, linestyle=":", label="guessing (ln 10)")
    axes[0].set(xlabel="step", ylabel="loss of a batch (log scale)", yscale="log", title="all losses")
    axes[1].set(xlabel="step", ylabel="loss of a batch", ylim=(1.5, 3), title="the same, 1.5 to 3")
    fig.legend(*axes[0].get_legend_handles_labels(), loc="outside right center", fontsize=8)
    return fig, "Loss at the end: " + ", ".join(told) + "; guessing has 2.30."
