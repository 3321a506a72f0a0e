"""Figures and toys for the notebooks on convolutional networks."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from exercise_code.support.notebook.plotting import INK, PALETTE, PAPER, row_of_axes

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
        ("x", "mean", "/ N"),
        ("x", "centred", ""),
        ("mean", "centred", "−"),
        ("centred", "var", "square, / N"),
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
