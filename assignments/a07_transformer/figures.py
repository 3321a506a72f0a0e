"""Figures for the notebook."""

import torch
from jaxtyping import Float
from matplotlib.figure import Figure
from torch import Tensor

from exercise_code.support.notebook.plotting import PALETTE, row_of_axes


def on_the_circle(points: Float[Tensor, "n 2"], scaled: Float[Tensor, "n 2"]) -> tuple[Figure, str]:
    """Points of the plane, and where they lie once they are scaled to length 1.

    Returns:
        The figure, and its alternative text.
    """
    fig, (ax,) = row_of_axes(1, 4.0, 4.0)
    angle = torch.linspace(0, 2 * torch.pi, 361)
    ax.plot(angle.cos(), angle.sin(), "-", color=PALETTE[-2], linewidth=1, label="length 1")
    ax.plot(*points.T, "o", color=PALETTE[0], label="points")
    ax.plot(*scaled.T, "X", color=PALETTE[1], label="scaled")
    ax.set(aspect="equal", xlabel="$x_1$", ylabel="$x_2$")
    ax.legend(fontsize=8)
    before, after = points.square().sum(1).sqrt(), scaled.square().sum(1).sqrt()
    alt = (
        f"{len(points)} points at lengths from {before.min():.2f} to {before.max():.2f}; "
        f"scaled, they lie at lengths from {after.min():.2f} to {after.max():.2f}."
    )
    return fig, alt
