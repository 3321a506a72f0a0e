"""Figures for the notebooks."""

import textwrap
from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Bool, Float
from matplotlib.figure import Figure
from torch import Tensor

from exercise_code.support.notebook.plotting import FAINT, LINES, MARKERS, PALETTE, row_of_axes, shape_ribbon


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
        ax.locator_params(integer=True)
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


# Sequences to sequences
def by_layer(gradients: Mapping[str, Float[Tensor, "seeds depth"]]) -> tuple[Figure, str]:
    """Norms of gradients over the layers of stacks, the mean of several seeds with their range.

    Returns:
        The figure, and its alternative text with the first layer's share of the last one's.
    """
    fig, (ax,) = row_of_axes(1, 4.8, 3.0)
    told = []
    for number, (name, norms) in enumerate(gradients.items()):
        norms = norms.detach()
        places = range(1, norms.shape[1] + 1)
        marks = {"marker": MARKERS[number], "color": PALETTE[number], "label": name}
        ax.plot(places, norms.mean(dim=0), LINES[number], **marks)
        ax.fill_between(places, norms.amin(0), norms.amax(0), color=PALETTE[number], alpha=0.2, linewidth=0)
        told.append(f"{name}: {(norms[:, 0] / norms[:, -1]).mean():.2g}")
    ax.set(xlabel="layer", ylabel="norm of the gradient", yscale="log")
    ax.legend(fontsize=8)
    return fig, f"Gradient of the first layer over that of the last. {'; '.join(told)}."


def learning(
    right: Mapping[str, Sequence[float]], xlabel: str, ylabel: str, *, logarithmic: bool = False
) -> tuple[Figure, str]:
    """What was measured after each epoch, a line for each run.

    Returns:
        The figure, and its alternative text.
    """
    fig, (ax,) = row_of_axes(1, 4.8, 3.0)
    for number, (name, values) in enumerate(right.items()):
        style = LINES[number % len(LINES)], PALETTE[number]
        ax.plot(range(1, len(values) + 1), values, style[0], marker="", color=style[1], label=name)
    ax.set(xlabel=xlabel, ylabel=ylabel)
    if logarithmic:
        ax.set_yscale("log")
    ax.legend(fontsize=8)
    told = [f"{name} from {values[0]:.3g} to {values[-1]:.3g}" for name, values in right.items()]
    return fig, f"{ylabel}, by {xlabel}: {'; '.join(told)}."


def looked_up(
    weights: Float[Tensor, "words read"], written: Sequence[str], read: Sequence[str], title: str
) -> tuple[Figure, str]:
    """How much each word of the answer looks at each word of the question.

    Returns:
        The figure, and its alternative text with the word that each looks at most.
    """
    fig, (ax,) = row_of_axes(1, 5.6, 3.0)
    drawn = ax.imshow(weights.detach(), cmap="Greys", vmin=0, vmax=1, aspect="auto", interpolation="nearest")
    ax.set(title=title, xlabel="word of the question", ylabel="word to be written")
    ax.set_xticks(range(len(read)), read, rotation=45, ha="right", fontsize=8)
    ax.set_yticks(range(len(written)), written, fontsize=8)
    ax.grid(False)
    fig.colorbar(drawn, ax=ax, label="weight")
    most = weights.argmax(dim=1).tolist()
    told = [f"{word} at place {place} ({read[place]})" for word, place in zip(written, most, strict=True)]
    return fig, f"{title}: most of each word's weight lies for {', '.join(told)}."


def captioned(
    images: Float[Tensor, "num 3 height width"], said: Sequence[str], true: Sequence[bool]
) -> tuple[Figure, str]:
    """Pictures with what is said of them, and whether it is true.

    Returns:
        The figure, and its alternative text.
    """
    fig, axes = row_of_axes(len(images), 2.3, 2.6)
    told = []
    for ax, image, sentence, right in zip(axes, images, said, true, strict=True):
        verdict = "true" if right else "not true"
        ax.imshow(image.permute(1, 2, 0), interpolation="nearest")
        ax.set_title(f"{textwrap.fill(sentence, 20)}\n({verdict})", fontsize=8)
        ax.set_axis_off()
        told.append(f"{sentence} ({verdict})")
    return fig, f"Said of {len(images)} pictures: {'; '.join(told)}."
