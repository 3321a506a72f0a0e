"""Figures for the notebooks."""

import itertools
import textwrap
from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Bool, Float, Int
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, Patch, Rectangle
from torch import Tensor

from exercise_code.support.notebook.plotting import (
    FAINT,
    INK,
    LINES,
    MARKERS,
    PALETTE,
    PAPER,
    row_of_axes,
    shape_ribbon,
    sweep,
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
        ax.set(xlabel="place x", ylabel="value y", title=f"{name}: RMS error {error:.2f}")
        ax.legend(fontsize=8)
        told.append(f"{name} is off by {error:.2f}")
    return fig, f"Root mean square error against the truth: {', '.join(told)}."


def weights_of(
    x: Float[Tensor, " n"], y: Float[Tensor, " n"], place: int, weights: Float[Tensor, " n"], width: float
) -> tuple[Figure, str]:
    """The weights with which measured values take part in one mean, as areas of their marks.

    Returns:
        The figure, and its alternative text.
    """
    fig, (ax,) = row_of_axes(1, 5.6, 3.0)
    scaled = weights / weights.max()
    ax.set_axisbelow(True)
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


def largest_weights(
    lengths: Sequence[int], largest: Mapping[str, Float[Tensor, "num_lengths num_seeds"]], num_keys: int
) -> tuple[Figure, str]:
    """The largest weight of a softmax over M, the mean of several seeds, beside that of even weights.

    Returns:
        The figure, and its alternative text with the weights at the second longest vectors.
    """
    axes = "M, numbers in a query and in a key (log scale)", f"largest of {num_keys} weights"
    fig = sweep(lengths, largest, *axes, xscale="log")
    (ax,) = fig.axes
    ax.axhline(1 / num_keys, color=FAINT, linestyle=":", label=f"even weights ({1 / num_keys:.2f})")
    ax.set_ylim(0, 1.03)
    ax.legend(title="mean ± sd", fontsize=9, title_fontsize=8)
    told = ", ".join(f"{name} {values[-2].mean():.2f}" for name, values in largest.items())
    alt = f"Largest of {num_keys} weights over M, even weights being {1 / num_keys:.2f}. M = {lengths[-2]}: "
    return fig, f"{alt}{told}."


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
    fig, axes = row_of_axes(len(changed), 3.4, 3.2)
    told = []
    for ax, (name, each) in zip(axes, changed.items(), strict=True):
        outputs, tokens = each.shape
        for output, token in each.nonzero().tolist():
            style = {"facecolor": PALETTE[0], "alpha": 0.75, "edgecolor": PAPER, "hatch": "//"}
            ax.add_patch(Rectangle((token - 0.5, output - 0.5), 1, 1, **style))
        ax.set(title=name, xlabel="token that is changed", ylabel="output")
        ax.set(xlim=(-0.5, tokens - 0.5), ylim=(outputs - 0.5, -0.5))
        ax.set(xticks=range(tokens), yticks=range(outputs))
        ax.grid(False)
        for ticks, side in ((tokens, ax.axvline), (outputs, ax.axhline)):
            for tick in range(ticks + 1):
                side(tick - 0.5, color=FAINT, linewidth=0.5)
        early = int(each.triu(1).sum())
        told.append(f"{name}: {int(each.sum())} of {each.numel()} pairs, {early} before the changed token")
    marks = [
        Patch(facecolor=PALETTE[0], alpha=0.75, edgecolor=PAPER, hatch="//", label="the output changes"),
        Patch(facecolor=PAPER, edgecolor=FAINT, label="it does not"),
    ]
    fig.legend(handles=marks, loc="outside lower center", ncols=2, fontsize=9)
    return fig, f"Outputs that change with a token. {'; '.join(told)}."


def looks(items: Float[Tensor, "items 7"], weights: Float[Tensor, " items"], head: int) -> tuple[Figure, str]:
    """How much each item weighs for one head; the items that are wished for are marked.

    Returns:
        The figure, and its alternative text.
    """
    fig, (ax,) = row_of_axes(1, 6.0, 2.8)
    ax.set_axisbelow(True)
    ax.bar(range(len(items)), weights, color=PALETTE[0], alpha=0.7, label="weight of an item")
    best = items[:, :2].argmax(dim=0).tolist()
    for wish, place in enumerate(best):
        name = f"largest {('first', 'second')[wish]} number"
        ax.plot(place, weights[place], MARKERS[1 + wish], color=PALETTE[1 + wish], markersize=9, label=name)
    ax.set(xlabel="item", ylabel="weight", ylim=(0, 1.05), title=f"head {head}", xticks=range(len(items)))
    fig.legend(loc="outside right center", fontsize=8)
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
    ax.axvline(place, color=FAINT, linestyle=":")
    title = f"M = {entries}, with position {place} (dotted)"
    ax.set(xlabel="position", ylabel="dot product / (M / 2)", ylim=(-1.1, 1.1), title=title)
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
    fig, (ax,) = row_of_axes(1, 5.6, 3.0)
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
    ax.set(xticks=range(len(found)), xticklabels=list(found), xlim=(-0.6, len(found) - 0.4))
    ax.set(ylim=(0, 103), ylabel=ylabel)
    fig.legend(title="mean (marks: runs)", loc="outside right center", fontsize=8, title_fontsize=8)
    told = [
        f"{name} from {min(values):.0f} to {max(values):.0f} in {len(values)} runs"
        for name, values in found.items()
    ]
    return fig, f"{ylabel}: {'; '.join(told)}; guessing {chance:g}."


def split_in_heads(
    projected: Int[Tensor, "S E"], splits: Mapping[str, Int[Tensor, "H S d"]]
) -> tuple[Figure, str]:
    """Where the numbers of a projection go when it is split into heads, each way by its name.

    Colour and hatch say which head a number is due to; numbers are those of the projection.

    Args:
        projected: S positions of E numbers, 0 to S E - 1 in their order.
        splits: the same numbers as H heads.

    Returns:
        The figure, and its alternative text: how many numbers are with their head and position.
    """
    S, E = projected.shape
    H, _, d = next(iter(splits.values())).shape
    fig = Figure(figsize=(8.4, 0.62 * S * (1 + len(splits)) + 0.5 * (1 + len(splits))), layout="constrained")
    axes = fig.subplots(1 + len(splits), 1)
    right = projected.unflatten(1, (H, d)).transpose(0, 1)
    blocks = [projected[None], *splits.values()]
    titles = [f"one projection: S = {S} positions, E = {E} numbers", *splits]
    for ax, title, parts in zip(axes, titles, blocks, strict=True):
        _number_cells(ax, parts, E, d)
        ax.set_title(title, loc="left")
    told = [f"{name}: {int((each == right).sum())} of {S * E}" for name, each in splits.items()]
    return fig, f"Numbers that are with their head and position. {'; '.join(told)}."


def _number_cells(ax: Axes, parts: Int[Tensor, "parts S columns"], E: int, d: int) -> None:
    """Draw matrices of numbers side by side; a cell has the look of the head that its number is due to."""
    hatches, gap = ("", "//", ".."), 1.0
    num, S, columns = parts.shape
    for part, row, column in torch.cartesian_prod(*map(torch.arange, parts.shape)).tolist():
        number = int(parts[part, row, column])
        head, left = number % E // d, part * (columns + gap) + column
        look = {"facecolor": PALETTE[head], "alpha": 0.55, "edgecolor": PAPER, "hatch": hatches[head % 3]}
        ax.add_patch(Rectangle((left, row), 1, 1, **look))
        ax.text(left + 0.5, row + 0.5, f"{number}", ha="center", va="center", fontsize=9)
    for part in range(num if num > 1 else 0):
        ax.text(
            part * (columns + gap) + columns / 2, S + 0.1, f"head {part}", ha="center", va="top", fontsize=9
        )
    for row in range(S):
        ax.text(-0.2, row + 0.5, f"position {row}", ha="right", va="center", fontsize=9)
    ax.set(xlim=(-2.2, E + 2 * gap + 0.2), ylim=(S + 0.6, -0.1))
    ax.axis("off")


# Sequences to sequences
def architecture() -> tuple[Figure, str]:
    """An encoder and a decoder, read from the bottom to the top, with the shapes of what goes in and out.

    Returns:
        The figure, and its alternative text.
    """
    words, attend, cross, work, scores = PALETTE[5], PALETTE[0], PALETTE[1], PALETTE[4], PALETTE[2]
    added = "+ what came in, norm", PAPER
    encoder = [
        ("question: tokens (N, K)", None),
        ("word vectors + positions", words),
        ("self-attention", attend),
        added,
        ("feed-forward", work),
        added,
    ]
    decoder = [
        ("answer, last word cut off: (N, O - 1)", None),
        ("word vectors + positions", words),
        ("self-attention, causal mask", attend),
        added,
        ("cross-attention", cross),
        added,
        ("feed-forward", work),
        added,
        ("linear layer", scores),
        ("scores (N (O - 1), V)", None),
    ]
    fig = Figure(figsize=(9.2, 5.4))
    ax = fig.add_axes((0, 0, 1, 1))
    ax.set(xlim=(-0.5, 8.7), ylim=(0, 5.4))
    ax.axis("off")
    _stack_of_parts(ax, 2.2, "encoder", encoder)
    _stack_of_parts(ax, 6.5, "decoder", decoder)
    ax.plot([2.2, 2.2, 4.5, 4.5], [3.11, 3.55, 3.55, 2.4], color=INK, marker="", linewidth=1)
    ax.annotate("", (5.3, 2.4), (4.5, 2.4), arrowprops={"arrowstyle": "->", "color": INK})
    ax.text(2.3, 3.62, "keys and values (N, K, M)", fontsize=9)
    return fig, (
        "Encoder: tokens (N, K) become vectors with positions, then blocks of self-attention and "
        "feed-forward, each followed by a sum and a norm. Decoder: blocks of masked self-attention, "
        "cross-attention and feed-forward, likewise; its queries are the decoder's, keys and values "
        "(N, K, M) the encoder's. A linear layer gives scores (N (O - 1), V)."
    )


def _stack_of_parts(ax: Axes, middle: float, title: str, parts: Sequence[tuple[str, str | None]]) -> None:
    """Draw parts from the bottom to the top; a frame is round those of one block, which ends with a norm."""
    heights = [0.2 + 0.55 * place for place in range(len(parts))]
    block = [height for height, (_, colour) in zip(heights, parts, strict=True) if colour == PAPER]
    look = {"boxstyle": "round,pad=0.02", "edgecolor": FAINT}
    low, high = heights[2] - 0.25, block[-1] + 0.25
    ax.add_patch(FancyBboxPatch((middle - 1.4, low), 2.8, high - low, fill=False, linestyle="--", **look))
    ax.text(middle - 1.5, high, f"{title}:\nL such blocks", ha="right", va="top", fontsize=9)
    for height, (name, colour) in zip(heights, parts, strict=True):
        if colour:
            at, alpha = (middle - 1.15, height - 0.15), 1 if colour == PAPER else 0.45
            ax.add_patch(FancyBboxPatch(at, 2.3, 0.3, facecolor=colour, alpha=alpha, **look))
        ax.text(middle, height, name, ha="center", va="center", fontsize=9)
    for below, above in itertools.pairwise(heights):
        arrow = {"arrowstyle": "->", "color": INK}
        ax.annotate("", (middle, above - 0.16), (middle, below + 0.16), arrowprops=arrow)


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
    ax.set(xlabel="layer (1 is the first)", ylabel="norm of the gradient (log scale)", yscale="log")
    ax.locator_params(axis="x", integer=True)
    ax.legend(title="mean, lowest to highest of the seeds", fontsize=8, title_fontsize=8)
    return fig, f"Gradient of the first layer over that of the last. {'; '.join(told)}."


def learning(
    right: Mapping[str, Sequence[float]],
    xlabel: str,
    ylabel: str,
    *,
    logarithmic: bool = False,
    chance: float | None = None,
) -> tuple[Figure, str]:
    """What was measured after each epoch, a line for each run; guessing is dotted.

    Returns:
        The figure, and its alternative text.
    """
    fig, (ax,) = row_of_axes(1, 4.8, 3.0)
    for number, (name, values) in enumerate(right.items()):
        look = {"color": PALETTE[number], "marker": MARKERS[number] if len(values) < 30 else ""}
        ax.plot(range(1, len(values) + 1), values, LINES[number % len(LINES)], label=name, **look)
    if chance is not None:
        ax.axhline(chance, color=FAINT, linestyle=":", label=f"guessing: {chance:g}")
    ax.set(xlabel=xlabel, ylabel=ylabel)
    ax.xaxis.get_major_locator().set_params(integer=True)
    if logarithmic:
        ax.set(yscale="log", ylabel=f"{ylabel} (log scale)")
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
    fig, axes = row_of_axes(len(images), 2.0, 2.8)
    told = []
    for ax, image, sentence, right in zip(axes, images, said, true, strict=True):
        verdict = "true" if right else "not true"
        ax.imshow(image.permute(1, 2, 0), interpolation="nearest")
        ax.set_title(f"{textwrap.fill(sentence, 20)}\n({verdict})", fontsize=8)
        ax.set_axis_off()
        told.append(f"{sentence} ({verdict})")
    return fig, f"Said of {len(images)} pictures: {'; '.join(told)}."
