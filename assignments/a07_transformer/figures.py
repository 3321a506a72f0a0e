"""Figures for the notebooks."""

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Bool, Float
from matplotlib.figure import Figure
from torch import Tensor
from torch.nn import functional

from exercise_code.support.notebook.plotting import (
    FAINT,
    LINES,
    MARKERS,
    PALETTE,
    PAPER,
    draw_image,
    row_of_axes,
    shape_ribbon,
)


def smoothed(
    x: Float[Tensor, " n"],
    y: Float[Tensor, " n"],
    truth: Float[Tensor, " n"],
    means: Mapping[str, Float[Tensor, " n"]],
) -> tuple[Figure, str]:
    """Measured values, the truth behind them, and means of the measured values, by name.

    Returns:
        The figure, and its alternative text with the error of each mean.
    """
    fig, axes = row_of_axes(len(means), 4.2, 3.0)
    told = []
    for number, (ax, (name, values)) in enumerate(zip(axes, means.items(), strict=True)):
        ax.plot(x, y, ".", color=FAINT, markersize=4, label="measured")
        ax.plot(x, truth, LINES[1], marker="", color=PALETTE[-2], linewidth=1, label="truth")
        ax.plot(x, values, LINES[0], marker="", color=PALETTE[number], label=name)
        error = (values - truth).square().mean().sqrt().item()
        ax.set(xlabel="place x", ylabel="value y", title=f"{name}: error {error:.2f}")
        ax.legend(fontsize=8)
        told.append(f"{name} is off by {error:.2f}")
    return fig, f"Root mean square error against the truth: {', '.join(told)}."


def weights_of(
    x: Float[Tensor, " n"], y: Float[Tensor, " n"], place: int, weights: Float[Tensor, " n"], width: float
) -> tuple[Figure, str]:
    """The weights with which measured values take part in one mean, as bars below the values.

    Returns:
        The figure, and its alternative text.
    """
    fig, (ax,) = row_of_axes(1, 5.6, 3.0)
    scaled = weights / weights.max()
    ax.scatter(x, y, s=8 + 90 * scaled, color=PALETTE[0], alpha=0.7, label="measured; area: weight")
    mean = (weights @ y).item()
    ax.plot(x[place], mean, MARKERS[2], color=PALETTE[1], markersize=9, label="weighted mean")
    ax.set(xlabel="place x", ylabel="value y", title=f"width {width:g}")
    ax.legend(fontsize=8)
    used = 1 / weights.square().sum().item()
    alt = f"Width {width:g}: the mean at x = {x[place]:.1f} is {mean:.2f}, made of about {used:.0f} values."
    return fig, alt


def product(K: int, S: int, M: int, V: int) -> tuple[Figure, str]:
    """The two matrix products of attention, for one sequence.

    Returns:
        The figure, and its alternative text.
    """
    blocks = [
        ("query", K, M, "K", "M"),
        ("keyᵀ", M, S, "M", "S"),
        ("weights", K, S, "K", "S"),
        ("value", S, V, "S", "V"),
        ("y", K, V, "K", "V"),
    ]
    alt = (
        f"query ({K}, {M}) times key transposed ({M}, {S}), through a softmax, gives weights ({K}, {S}); "
        f"times value ({S}, {V}) they give y ({K}, {V})."
    )
    return shape_ribbon(blocks, ["@", "→", "@", "="]), alt


def matrices(
    values: Mapping[str, Float[Tensor, "rows columns"]],
    rows: str,
    columns: str,
    what: str,
    signed: bool = False,
) -> Figure:
    """Matrices side by side as maps, on one scale, with a bar that says what it shows.

    Args:
        values: matrices by their titles.
        rows: what a row is.
        columns: what a column is.
        what: what the numbers are.
        signed: from -1 to 1, zero in the middle; else from 0 up.
    """
    fig, axes = row_of_axes(len(values), 3.6, 3.2)
    limit = max(each.abs().max().item() for each in values.values())
    scale = (
        {"cmap": "PuOr", "vmin": -limit, "vmax": limit}
        if signed
        else {"cmap": "Greys", "vmin": 0, "vmax": limit}
    )
    for ax, (title, each) in zip(axes, values.items(), strict=True):
        drawn = ax.imshow(each.detach().numpy(), interpolation="nearest", aspect="auto", **scale)
        ax.set(title=title, xlabel=columns, ylabel=rows)
        ax.grid(False)
    fig.colorbar(drawn, ax=list(axes), label=what)
    return fig


def reach(changed: Mapping[str, Bool[Tensor, "outputs tokens"]]) -> tuple[Figure, str]:
    """Which outputs change with which token, a map for each kind of attention.

    Returns:
        The figure, and its alternative text.
    """
    fig = matrices(
        {name: each.float() for name, each in changed.items()},
        "output",
        "token that is changed",
        "changes (1) or not (0)",
    )
    told = [
        f"{name}: {int(each.sum())} of {each.numel()} pairs, {int(each.triu(1).sum())} before the token"
        for name, each in changed.items()
    ]
    return fig, f"Outputs that change with a token. {'; '.join(told)}."


def looks(items: Float[Tensor, "items 7"], weights: Float[Tensor, " items"], head: int) -> tuple[Figure, str]:
    """How much each item weighs for one head; the items that are wished for are marked.

    Returns:
        The figure, and its alternative text.
    """
    fig, (ax,) = row_of_axes(1, 4.6, 2.8)
    ax.bar(range(len(items)), weights, color=PALETTE[0], alpha=0.7)
    best = items[:, :2].argmax(dim=0).tolist()
    for wish, place in enumerate(best):
        name = f"largest {('first', 'second')[wish]} number"
        ax.plot(place, weights[place], MARKERS[1 + wish], color=PALETTE[1 + wish], markersize=9, label=name)
    ax.set(xlabel="item", ylabel="weight", ylim=(0, 1.05), title=f"head {head}")
    ax.legend(fontsize=8)
    alt = (
        f"Head {head}: weight {weights[best[0]]:.2f} for the item with the largest first number, "
        f"{weights[best[1]]:.2f} for the one with the largest second number."
    )
    return fig, alt


def likeness(products: Float[Tensor, " positions"], place: int, entries: int) -> tuple[Figure, str]:
    """Dot products of one position's waves with those of all positions, over their number of frequencies.

    Returns:
        The figure, and its alternative text.
    """
    fig, (ax,) = row_of_axes(1, 4.6, 2.8)
    ax.plot(range(len(products)), products, LINES[0], marker="", color=PALETTE[0])
    ax.axvline(place, color=FAINT, linestyle=":", label=f"position {place}")
    ax.set(xlabel="position", ylabel="dot product / (M / 2)", ylim=(-1.1, 1.1), title=f"M = {entries}")
    ax.legend(fontsize=8, loc="lower right")
    other = products.clone()
    other[place] = -torch.inf
    alt = (
        f"M = {entries}: the dot product with position {place} is 1 there, and {other.max():.2f} at position "
        f"{int(other.argmax())}, the next highest."
    )
    return fig, alt


def runs(
    found: Mapping[str, Sequence[float]], chance: float, ylabel: str = "right (%)"
) -> tuple[Figure, str]:
    """A mark for each training run, and the mean of each kind as a line; guessing is dotted.

    Returns:
        The figure, and its alternative text.
    """
    fig, (ax,) = row_of_axes(1, 4.6, 3.0)
    for number, (name, values) in enumerate(found.items()):
        ax.plot([number] * len(values), values, MARKERS[number], color=PALETTE[number])
        mean = sum(values) / len(values)
        ax.plot(
            [number - 0.25, number + 0.25],
            [mean, mean],
            "-",
            color=PALETTE[number],
            label=f"{name}: {mean:.0f}",
        )
    ax.axhline(chance, color=FAINT, linestyle=":", label=f"guessing: {chance:g}")
    ax.set(xticks=range(len(found)), xticklabels=list(found), xlim=(-0.6, len(found) - 0.4), ylabel=ylabel)
    ax.legend(fontsize=8)
    told = [
        f"{name} from {min(values):.0f} to {max(values):.0f} in {len(values)} runs"
        for name, values in found.items()
    ]
    return fig, f"{ylabel}: {'; '.join(told)}; guessing {chance:g}."


def cut_up(
    picture: Float[Tensor, "3 H W"], tokens: Mapping[str, Float[Tensor, "P D"]], patch_size: int
) -> tuple[Figure, str]:
    """A picture, and tokens by their names, each drawn as the patch that it should be.

    Returns:
        The figure, and its alternative text: how many of the patches are found in the picture.
    """
    C, H, W = picture.shape
    due = functional.unfold(picture[None], patch_size, stride=patch_size)[0].T
    rows, columns = H // patch_size, W // patch_size
    fig, axes = row_of_axes(1 + len(tokens), 2.9, 2.6)
    draw_image(axes[0], picture)
    axes[0].set_title(f"picture, {H} x {W}")
    told = []
    for ax, (name, each) in zip(axes[1:], tokens.items(), strict=True):
        framed = functional.pad(each.unflatten(1, (C, patch_size, patch_size)), (1, 1, 1, 1), value=1.0)
        side = patch_size + 2
        draw_image(ax, functional.fold(framed.flatten(1).T, (rows * side, columns * side), side, stride=side))
        ax.set_title(name)
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
    """Pictures, each with a map for every head of where the class token looks.

    Returns:
        The figure, and its alternative text: the weight on the quarter of patches that weighs most.
    """
    N, heads = weights.shape[:2]
    fig = Figure(figsize=(1.6 * (1 + heads), 1.65 * N + 0.4), layout="constrained")
    axes = fig.subplots(N, 1 + heads, squeeze=False)
    for place, (row, picture, maps) in enumerate(zip(axes, pictures, weights, strict=True)):
        draw_image(row[0], picture)
        for head, (ax, each) in enumerate(zip(row[1:], maps, strict=True)):
            ax.imshow(each.numpy(), cmap="Greys", vmin=0, interpolation="nearest")
            ax.set(xticks=(), yticks=(), title="" if place else f"head {head}")
            ax.grid(False)
    fig.suptitle(title, fontsize=10)
    shares = weights.flatten(2) / weights.flatten(2).sum(dim=2, keepdim=True)
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
        ax.set(xscale="log", yscale="log", xlabel="tokens", ylabel=what)
        ax.set_xticks(lengths, [f"{length}" for length in lengths], fontsize=8)
        ax.minorticks_off()
    axes[0].legend(fontsize=8)
    return fig, f"From {lengths[-2]} to {lengths[-1]} tokens: {', '.join(told)}."
