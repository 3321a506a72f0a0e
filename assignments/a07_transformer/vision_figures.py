"""Figures of the fourth notebook."""

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float
from matplotlib.figure import Figure
from torch import Tensor
from torch.nn import functional

from assignments.a07_transformer.figures import matrices
from exercise_code.support.notebook.plotting import (
    INK,
    LINES,
    MARKERS,
    PALETTE,
    PAPER,
    draw_image,
    row_of_axes,
)


def cut_up(
    picture: Float[Tensor, "3 H W"], tokens: Mapping[str, Float[Tensor, "P D"]], patch_size: int
) -> tuple[Figure, str]:
    """A picture, and tokens by their names, each drawn and numbered as the patch that it should be.

    Returns:
        The figure, and its alternative text: how many of the patches are found in the picture.
    """
    C, H, W = picture.shape
    due = functional.unfold(picture[None], patch_size, stride=patch_size)[0].T
    rows, columns = H // patch_size, W // patch_size
    fig, axes = row_of_axes(1 + len(tokens), 2.9, 2.8)
    draw_image(axes[0], picture)
    axes[0].set_title(f"picture: C = {C},\nH = {H}, W = {W}")
    told = []
    for ax, (name, each) in zip(axes[1:], tokens.items(), strict=True):
        framed = functional.pad(each.unflatten(1, (C, patch_size, patch_size)), (1, 2, 3, 0), value=1.0)
        side = patch_size + 3
        draw_image(ax, functional.fold(framed.flatten(1).T, (rows * side, columns * side), side, stride=side))
        for place in range(len(due)):
            corner = place % columns * side + 0.5, place // columns * side + 0.7
            ax.text(*corner, f"{place}", color=INK, fontsize=8, va="center")
        ax.set_title(f"{name}:\nP = {len(due)} tokens, D = {due.shape[1]}")
        right = int((each == due).all(dim=1).sum())
        told.append(f"{name}: {right} of {len(due)} tokens are patches of the picture")
    return fig, f"{'; '.join(told)}."


def alike_on_the_grid(
    similarity: Float[Tensor, "P P"], rows: int, columns: int, places: Sequence[int], title: str
) -> tuple[Figure, str]:
    """For some patches, how alike their positions are to those of all patches, each as a map of the picture.

    Returns:
        The figure, and its alternative text.
    """
    maps = {f"patch {place}": similarity[place].view(rows, columns) for place in places}
    fig = matrices(maps, "row of patches", "column of patches", "cosine", signed=True)
    fig.suptitle(title, fontsize=10)
    for ax, place in zip(fig.axes, places, strict=False):
        ax.plot(place % columns, place // columns, MARKERS[0], color=PALETTE[2], mec=PAPER)
    near, far = near_and_far(similarity, columns)
    return fig, f"{title}: cosine of neighbours {near:.2f}, of patches far apart {far:.2f}, in the mean."


def near_and_far(similarity: Float[Tensor, "P P"], columns: int) -> tuple[float, float]:
    """Means over pairs of patches that share an edge, and over those half the picture apart both ways."""
    place = torch.arange(len(similarity))
    down, across = ((index[:, None] - index).abs() for index in (place // columns, place % columns))
    halves = len(similarity) // columns // 2, columns // 2
    near, far = down + across == 1, (down >= halves[0]) & (across >= halves[1])
    return similarity[near].mean().item(), similarity[far].mean().item()


def seen_by_heads(
    pictures: Float[Tensor, "N 3 H W"], weights: Float[Tensor, "N heads rows columns"], title: str
) -> tuple[Figure, str]:
    """Pictures, each with a map for every head of where the class token looks, on one scale.

    Returns:
        The figure, and its alternative text: the weight on the quarter of patches that weighs most.
    """
    N, heads = weights.shape[:2]
    fig = Figure(figsize=(1.6 * (1 + heads) + 0.9, 1.65 * N + 0.4), layout="constrained")
    axes = fig.subplots(N, 1 + heads, squeeze=False)
    shares = weights.flatten(2) / weights.flatten(2).sum(dim=2, keepdim=True)
    times = (shares * shares.shape[2]).view_as(weights)
    for place, (row, picture, maps) in enumerate(zip(axes, pictures, times, strict=True)):
        draw_image(row[0], picture)
        for head, (ax, each) in enumerate(zip(row[1:], maps, strict=True)):
            drawn = ax.imshow(each.numpy(), cmap="Greys", vmin=0, vmax=4, interpolation="nearest")
            ax.set(xticks=(), yticks=(), title="" if place else f"head {head}")
            ax.grid(False)
    fig.suptitle(title, fontsize=10)
    fig.colorbar(drawn, ax=axes, label="weight, relative to even weights", extend="max", shrink=0.8)
    top = shares.topk(max(1, shares.shape[2] // 4), dim=2).values.sum(dim=2).mean(dim=0)
    told = ", ".join(f"head {head} {share:.0%}" for head, share in enumerate(top.tolist()))
    return fig, f"{title}: weight on the quarter of the patches that weighs most, {told}."


def growing(lengths: Sequence[int], costs: Mapping[str, Float[Tensor, "lengths 2"]]) -> tuple[Figure, str]:
    """Seconds and MiB over the number of tokens, both axes logarithmic, a curve for each attention.

    Returns:
        The figure, and its alternative text, with what twice as many tokens cost at the end.
    """
    fig, axes = row_of_axes(2, 4.2, 3.2)
    told = []
    for column, (ax, what) in enumerate(zip(axes, ("seconds", "MiB"), strict=True)):
        for (name, found), marker, line, colour in zip(costs.items(), MARKERS, LINES, PALETTE, strict=False):
            ax.plot(lengths, found[:, column], marker=marker, linestyle=line, color=colour, label=name)
            told.append(f"{name} {found[-1, column] / found[-2, column]:.1f} times the {what}")
        ax.set(xscale="log", yscale="log", xlabel="tokens (log scale)", ylabel=f"{what} (log scale)")
        ax.set_xticks(lengths, [f"{length}" for length in lengths], fontsize=8)
        ax.minorticks_off()
        ax.legend(fontsize=8)
    return fig, f"From {lengths[-2]} to {lengths[-1]} tokens: {', '.join(told)}."
