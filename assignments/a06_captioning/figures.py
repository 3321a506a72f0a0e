"""Figures for the notebooks."""

from collections.abc import Mapping, Sequence
from textwrap import fill
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Rectangle
from torch import Tensor, nn
from torch.nn import functional

from exercise_code.support.notebook.plotting import (
    FAINT,
    INK,
    MARKERS,
    PALETTE,
    PAPER,
    draw_image,
    row_of_axes,
    sweep,
)

NUM_SYMBOLS = 4
"""So many symbols are to be recalled, and as many others lie in between."""


def recall_batch(
    num: int, lag: int, random: torch.Generator
) -> tuple[Int[Tensor, "num steps"], Int[Tensor, " num"]]:
    """Sequences of a symbol, 0 to 3, and `lag` others, 4 to 7; and the first symbols, which are asked for."""
    first = torch.randint(NUM_SYMBOLS, (num, 1), generator=random)
    others = torch.randint(NUM_SYMBOLS, 2 * NUM_SYMBOLS, (num, lag), generator=random)
    return torch.cat([first, others], dim=1), first[:, 0]


def recall_accuracy(
    lag: int, seed: int, steps: int, gate_bias: float | None = None, kind: type[nn.RNNBase] = nn.LSTM
) -> float:
    """Train torch's RNN, or where a bias is given its LSTM or its GRU; the accuracy on new sequences.

    Args:
        lag: symbols between the one to recall and the question.
        seed: of weights and sequences.
        steps: of training.
        gate_bias: of the gate that keeps, the second block of both: forget gate f, update gate z.
        kind: of the network with gates.
    """
    random, hidden = torch.Generator().manual_seed(seed), 16
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        kind = nn.RNN if gate_bias is None else kind
        network, head = kind(2 * NUM_SYMBOLS, hidden, batch_first=True), nn.Linear(hidden, NUM_SYMBOLS)
    if gate_bias is not None:
        network.bias_ih_l0.data[hidden : 2 * hidden] = gate_bias
        network.bias_hh_l0.data[hidden : 2 * hidden] = 0

    def scores(x: Tensor) -> Tensor:
        return head(network(functional.one_hot(x, 2 * NUM_SYMBOLS).float())[0][:, -1])

    optimizer = torch.optim.Adam([*network.parameters(), *head.parameters()], lr=1e-2)
    for _ in range(steps):
        x, y = recall_batch(64, lag, random)
        optimizer.zero_grad()
        functional.cross_entropy(scores(x), y).backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
    x, y = recall_batch(1_000, lag, random)
    with torch.no_grad():
        return (scores(x).argmax(dim=1) == y).float().mean().item()


def swept(
    values: Sequence[float],
    runs: Mapping[str, Float[Tensor, "num_values num_runs"]],
    xlabel: str,
    ylabel: str,
    **style: Any,
) -> tuple[Figure, str]:
    """`plotting.sweep`, with points of its curves as the alternative text; of long curves three each.

    Returns:
        The figure, and its alternative text.
    """
    told = []
    for name, measured in runs.items():
        by_rank = style.get("spread") == "quartiles"
        numbers = measured.quantile(0.5, dim=1) if by_rank else measured.mean(dim=1)
        points = list(zip(numbers.tolist(), values, strict=True))
        if len(points) > 6:
            points = [points[0], points[len(points) // 2], points[-1]]
        words = [f"{number:{'.0f' if number >= 10 else '.2g'}} at {value:g}" for number, value in points]
        told.append(f"{name}: {', '.join(words)}")
    guessing = f" Guessing gets {style['chance']:.0%}." if "chance" in style else ""
    alt = f"{ylabel.capitalize()} over {xlabel}. {'; '.join(told)}.{guessing}"
    return sweep(values, runs, xlabel, ylabel, **style), alt


def unrolled(num_steps: int, N: int, D: int, H: int) -> tuple[Figure, str]:
    """A recurrent network, drawn once for each step, with the shapes on its arrows.

    Returns:
        The figure, and its alternative text.
    """
    fig = Figure(figsize=(2.1 * num_steps + 1.2, 2.6))
    ax = fig.add_axes((0, 0, 1, 1))
    ax.set(xlim=(-1.1, 2 * num_steps), ylim=(-1.5, 1.5))
    ax.axis("off")
    arrow = {"arrowstyle": "-|>", "color": INK, "linewidth": 1.4}
    for t in range(num_steps):
        x = 2 * t + 0.6
        ax.add_patch(Rectangle((x - 0.45, -0.35), 0.9, 0.7, facecolor=PALETTE[0], edgecolor=INK))
        ax.text(x, 0, "Wx, Wh, b", ha="center", va="center", color=PAPER, fontsize=9)
        ax.annotate("", (x, -0.35), (x, -1.0), arrowprops=arrow)
        ax.annotate("", (x, 1.0), (x, 0.35), arrowprops=arrow)
        ax.annotate("", (x - 0.45, 0), (x - 1.55, 0), arrowprops=arrow)
        ax.text(x, -1.05, f"x[:, {t}]\n({N}, {D})", ha="center", va="top", fontsize=9)
        ax.text(x, 1.05, f"h[:, {t}]  ({N}, {H})", ha="center", va="bottom", fontsize=9)
        ax.text(x - 1.0, 0.08, "h0" if t == 0 else f"h[:, {t - 1}]", ha="center", va="bottom", fontsize=9)
    alt = (
        f"{num_steps} copies of one step in a row, all with the same weights Wx, Wh and b. Each takes its "
        f"input ({N}, {D}) from below and the hidden state ({N}, {H}) from the left, and hands its own "
        "hidden state up and to the right."
    )
    return fig, alt


def lstm_cell(N: int, D: int, H: int) -> tuple[Figure, str]:
    """One step of an LSTM: the cell state on a road of its own, gates below it, shapes on the arrows.

    Returns:
        The figure, and its alternative text.
    """
    fig = Figure(figsize=(8.2, 4.6))
    ax = fig.add_axes((0, 0, 1, 1))
    ax.set(xlim=(0, 11), ylim=(0, 6.2))
    ax.axis("off")
    arrow = {"arrowstyle": "-|>", "color": INK, "linewidth": 1.4, "shrinkA": 0, "shrinkB": 0}
    road = {**arrow, "color": PALETTE[1], "linewidth": 2.6}
    arrows = [
        ((0.9, 5.1), (2.62, 5.1), road),
        ((3.18, 5.1), (5.32, 5.1), road),
        ((5.88, 5.1), (10.0, 5.1), road),
        ((2.9, 2.75), (2.9, 4.82), arrow),
        ((4.7, 2.75), (5.36, 3.45), arrow),
        ((6.5, 2.75), (5.84, 3.45), arrow),
        ((5.6, 3.93), (5.6, 4.82), arrow),
        ((8.3, 5.1), (8.3, 3.93), arrow),
        ((8.3, 2.75), (8.3, 3.37), arrow),
        ((8.58, 3.65), (10.0, 3.65), arrow),
        ((1.0, 1.0), (2.2, 1.0), arrow),
        ((1.0, 0.45), (2.2, 0.65), arrow),
    ]
    arrows += [((x, 1.25), (x, 2.05), arrow) for x in (2.9, 4.7, 6.5, 8.3)]
    for start, end, look in arrows:
        ax.annotate("", end, start, arrowprops=look)
    for x, y, sign in ((2.9, 5.1, "×"), (5.6, 5.1, "+"), (5.6, 3.65, "×"), (8.3, 3.65, "×")):
        ax.add_patch(Circle((x, y), 0.28, facecolor=PAPER, edgecolor=INK))
        ax.text(x, y, sign, ha="center", va="center", fontsize=13)
    for x, name in ((2.9, "f: sigmoid"), (4.7, "i: sigmoid"), (6.5, "g: tanh"), (8.3, "o: sigmoid")):
        ax.add_patch(Rectangle((x - 0.75, 2.05), 1.5, 0.7, facecolor=PALETTE[0], edgecolor=INK))
        ax.text(x, 2.4, name, ha="center", va="center", color=PAPER, fontsize=10)
    ax.add_patch(Rectangle((2.2, 0.4), 6.9, 0.85, facecolor=PALETTE[5], edgecolor=INK))
    product = f"x Wx + prev_h Wh + b:  ({N}, {4 * H}), four blocks of ({N}, {H})"
    ax.text(5.65, 0.82, product, ha="center", va="center", fontsize=10)
    ax.text(8.4, 4.45, "tanh", ha="left", va="center", fontsize=10)
    for x, y, name, side in (
        (0.9, 1.0, f"x\n({N}, {D})", "right"),
        (0.9, 0.3, f"prev_h\n({N}, {H})", "right"),
        (0.85, 5.1, f"prev_c\n({N}, {H})", "right"),
        (10.05, 5.1, f"next_c\n({N}, {H})", "left"),
        (10.05, 3.65, f"next_h\n({N}, {H})", "left"),
    ):
        ax.text(x, y, name, ha=side, va="center", fontsize=10)
    alt = (
        f"The cell state ({N}, {H}) runs along the top from left to right: it is multiplied by f, then i "
        f"times g is added. Below, one product of x ({N}, {D}) and prev_h ({N}, {H}) gives four blocks, for "
        "f, i, g and o. The new hidden state is o times tanh of the new cell state."
    )
    return fig, alt


def counted(words: Sequence[Sequence[str]], counts: Bool[Tensor, "N T"]) -> tuple[Figure, str]:
    """Which steps of some captions count in a loss: the others are hatched.

    Args:
        words: the right word of each step.
        counts: whether it counts.

    Returns:
        The figure, and its alternative text.
    """
    rows, columns = counts.shape
    fig = Figure(figsize=(0.95 * columns + 0.4, 0.5 * rows + 0.7), layout="constrained")
    ax = fig.subplots()
    for n, sentence in enumerate(words):
        for t, word in enumerate(sentence):
            hatch, face = ("", PALETTE[5]) if counts[n, t] else ("////", PAPER)
            ax.add_patch(Rectangle((t, n), 1, 1, facecolor=face, edgecolor=FAINT, hatch=hatch))
            box = {"facecolor": face, "edgecolor": "none", "pad": 1.5}
            ax.text(t + 0.5, n + 0.5, word, ha="center", va="center", fontsize=9, bbox=box)
    ax.set(xlim=(0, columns), ylim=(rows, 0), xlabel="step t", ylabel="caption n")
    ax.set_xticks([t + 0.5 for t in range(columns)], range(columns))
    ax.set_yticks([n + 0.5 for n in range(rows)], range(rows))
    ax.grid(False)
    count, total = int(counts.sum()), counts.numel()
    alt = f"{count} of {total} steps of {rows} captions count; the {total - count} others are hatched."
    return fig, alt


def looked(h: Float[Tensor, " H"], A: Float[Tensor, "H rows columns"]) -> tuple[Figure, str]:
    """Attention with numbers: a score for each place of a map, the weights, and the weighted mean.

    Args:
        h: the hidden state, which asks.
        A: a vector for each place.

    Returns:
        The figure, and its alternative text.
    """
    scores = torch.einsum("h,hrc->rc", h, A) / len(h) ** 0.5
    shares = scores.exp() / scores.exp().sum()
    mean = torch.einsum("rc,hrc->h", shares, A)
    rows, columns = scores.shape
    fig = Figure(figsize=(8.4, 2.5), layout="constrained")
    tables = (
        (scores, f"score of each place\n{rows} x {columns}"),
        (shares, "softmax: weights, sum 1"),
        (mean[:, None], f"weighted mean\nH = {len(h)}"),
    )
    for ax, (table, title) in zip(fig.subplots(1, 3, width_ratios=(3, 3, 1.3)), tables, strict=True):
        ax.imshow(torch.zeros(table.shape), cmap=ListedColormap([PAPER]))
        for (row, column), number in zip(
            torch.ones(table.shape).nonzero().tolist(), table.flatten(), strict=True
        ):
            heavy = table is shares and number == shares.max()
            ax.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, fill=heavy, color=PALETTE[5]))
            ax.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, fill=False, edgecolor=FAINT))
            ax.text(column, row, f"{number:.2f}", ha="center", va="center", fontsize=10)
        ax.set_title(title)
        ax.axis("off")
    row, column = divmod(int(shares.argmax()), columns)
    alt = (
        f"Scores of {rows} x {columns} places, from {scores.min():.2f} to {scores.max():.2f}, become weights "
        f"from {shares.min():.2f} to {shares.max():.2f}, the largest at row {row + 1}, column {column + 1}. "
        f"The weighted mean of the vectors has {len(h)} numbers."
    )
    return fig, alt


def fed(words: Sequence[str], D: int, H: int, V: int) -> tuple[Figure, str]:
    """A captioner at work: the picture is its first state, each word goes in and the next one is its target.

    Args:
        words: of one caption, from <START> to <END>.
        D: channels of the features.
        H: length of the hidden states.
        V: words in the vocabulary.

    Returns:
        The figure, and its alternative text.
    """
    steps = len(words) - 1
    fig = Figure(figsize=(1.25 * steps + 1.8, 2.7))
    ax = fig.add_axes((0, 0, 1, 1))
    ax.set(xlim=(-2.3, 2 * steps - 0.6), ylim=(-1.6, 1.8))
    ax.axis("off")
    arrow = {"arrowstyle": "-|>", "color": INK, "linewidth": 1.4}
    ax.add_patch(Rectangle((-2.25, -0.4), 1.4, 0.8, facecolor=PALETTE[2], edgecolor=INK))
    ax.text(-1.55, 0, f"picture\n(N, {D}, 4, 4)", ha="center", va="center", fontsize=9, color=PAPER)
    for t in range(steps):
        x = 2 * t + 0.5
        ax.add_patch(Rectangle((x - 0.45, -0.35), 0.9, 0.7, facecolor=PALETTE[0], edgecolor=INK))
        ax.text(x, 0, "cell", ha="center", va="center", color=PAPER, fontsize=9)
        ax.annotate("", (x, -0.35), (x, -0.95), arrowprops=arrow)
        ax.annotate("", (x, 0.95), (x, 0.35), arrowprops=arrow)
        ax.annotate("", (x - 0.45, 0), (x - 1.35 if t == 0 else x - 1.55, 0), arrowprops=arrow)
        ax.text(x, -1.0, words[t], ha="center", va="top", fontsize=10)
        ax.text(x, 1.0, words[t + 1], ha="center", va="bottom", fontsize=10, weight="bold")
        ax.text(x - 0.97, 0.07, f"(N, {H})", ha="center", va="bottom", fontsize=9)
    ax.text(-1.55, -1.0, "goes in", ha="center", va="top", fontsize=9)
    ax.text(-1.55, 1.0, f"target,\none of V = {V}", ha="center", va="bottom", fontsize=9)
    alt = (
        f"The projected picture is the first hidden state (N, {H}) of {steps} steps. Words go in below: "
        f"{', '.join(words[:-1])}. The targets stand above: {', '.join(words[1:])}."
    )
    return fig, alt


def captioned(
    images: Float[Tensor, "num 3 height width"], sentences: Sequence[str], verdicts: Sequence[bool]
) -> tuple[Figure, str]:
    """Pictures with what a model says of them, and whether it is true.

    Returns:
        The figure, and its alternative text.
    """
    fig, axes = row_of_axes(len(images), 1.9, 2.7)
    for ax, image, sentence, is_right in zip(axes, images, sentences, verdicts, strict=True):
        draw_image(ax, image)
        ax.set_title(fill(sentence, 22), fontsize=9)
        ax.set_xlabel("true" if is_right else "not true", color=PALETTE[0] if is_right else PALETTE[1])
    told = "; ".join(
        f"{sentence!r} is {'true' if is_right else 'not true'}"
        for sentence, is_right in zip(sentences, verdicts, strict=True)
    )
    return fig, f"{sum(verdicts)} of {len(images)} sentences are true: {told}."


def described(
    images: Float[Tensor, "num 3 height width"], sentences: dict[str, Sequence[str]]
) -> tuple[Figure, str]:
    """Photographs, and below each what several say of it.

    Returns:
        The figure, and its alternative text.
    """
    fig, axes = row_of_axes(len(images), 3.0, 4.4)
    told = []
    for number, (ax, image) in enumerate(zip(axes, images, strict=True)):
        draw_image(ax, image)
        lines = [f"{name}: {said[number]}" for name, said in sentences.items()]
        ax.set_xlabel("\n".join(fill(line, 32) for line in lines), fontsize=8, loc="left")
        told.append(f"photograph {number + 1}, {'; '.join(lines)}")
    return fig, f"What {len(sentences)} say of {len(images)} photographs. {'. '.join(told)}."


def attended(
    image: Float[Tensor, "3 height width"], words: Sequence[str], weights: Float[Tensor, "words rows columns"]
) -> tuple[Figure, str]:
    """Where a model attends as it says each word: the heavier a place, the less it is shaded.

    Returns:
        The figure, and its alternative text.
    """
    columns = (len(words) + 2) // 2
    fig = Figure(figsize=(1.45 * columns + 0.8, 3.5), layout="constrained")
    axes = fig.subplots(2, columns, squeeze=False).flatten()
    for ax in axes:
        draw_image(ax, image)
    axes[0].set_title("picture", fontsize=9)
    extent = (-0.5, image.shape[2] - 0.5, image.shape[1] - 0.5, -0.5)
    shade = ListedColormap([(0, 0, 0, 0.65 * (1 - step / 63)) for step in range(64)])
    for ax, word, table in zip(axes[1:], words, weights, strict=False):
        shown = ax.imshow(
            table.numpy(), cmap=shade, extent=extent, vmin=0, vmax=weights.max(), interpolation="bilinear"
        )
        ax.set_title(word, fontsize=9)
    for ax in axes[1 + len(words) :]:
        ax.set_visible(False)
    fig.colorbar(shown, ax=axes.tolist(), label="weight of a place", shrink=0.8)
    even = 1 / weights[0].numel()
    peaks = []
    for word, table in zip(words, weights, strict=True):
        row, column = divmod(int(table.argmax()), table.shape[1])
        peaks.append(f"{word}: {table.max():.2f} at row {row + 1}, column {column + 1}")
    return (
        fig,
        f"The heaviest place for each word, of {even:.2f} if all weighed the same. {'; '.join(peaks)}.",
    )


def truth_bars(
    runs: Mapping[str, Sequence[float]], baseline: float, baseline_name: str
) -> tuple[Figure, str]:
    """The share of true sentences for several models, one dot for each seed, and a baseline.

    Returns:
        The figure, and its alternative text.
    """
    fig = Figure(figsize=(6.2, 0.62 * len(runs) + 1.3), layout="constrained")
    ax = fig.subplots()
    for place, (values, colour, marker) in enumerate(zip(runs.values(), PALETTE, MARKERS, strict=False)):
        mean = sum(values) / len(values)
        ax.barh(place, mean, color=colour, alpha=0.35, height=0.6)
        ax.plot(values, [place] * len(values), color=colour, marker=marker, linestyle="none")
    ax.axvline(baseline, color=INK, linestyle=":", label=f"{baseline_name} ({baseline:.1f} %)")
    ax.set_yticks(range(len(runs)), [*runs])
    ax.invert_yaxis()
    ax.set(
        xlabel="true sentences (%); a mark for each seed",
        xlim=(0, max(10, 1.1 * baseline, *(1.1 * max(values) for values in runs.values()))),
    )
    ax.grid(visible=False, axis="y")
    fig.legend(fontsize=9, loc="outside upper right")
    told = "; ".join(
        f"{name}: {sum(values) / len(values):.1f} % (from {min(values):.1f} to {max(values):.1f})"
        for name, values in runs.items()
    )
    return fig, f"True sentences: {told}. {baseline_name}: {baseline:.1f} %."


def kept(state: float, candidate: float) -> tuple[Figure, str]:
    """A unit of a GRU: its new state for each value of the update gate.

    Args:
        state: the old one, h.
        candidate: what it may become, n.

    Returns:
        The figure, and its alternative text.
    """
    fig = Figure(figsize=(4.6, 2.6), layout="constrained")
    ax = fig.subplots()
    ax.plot([0, 1], [candidate, state], color=PALETTE[0], marker="none")
    for z, value, name, marker in ((0, candidate, "candidate n", "s"), (1, state, "old state h", "o")):
        ax.plot(z, value, color=PALETTE[1], marker=marker, linestyle="none", markersize=9, label=name)
    ax.set(xlabel="update gate z", ylabel="new state", xlim=(-0.05, 1.05), ylim=(-1.1, 1.1))
    ax.legend(fontsize=9)
    alt = (
        f"The new state lies on a straight line from the candidate n = {candidate:g} at z = 0 to the old "
        f"state h = {state:g} at z = 1; half-way, at z = 0.5, it is {(candidate + state) / 2:g}."
    )
    return fig, alt


def both_ways(num_steps: int, N: int, D: int, H: int) -> tuple[Figure, str]:
    """Two chains of cells over one sequence, in opposite directions, with the shapes on the arrows.

    Returns:
        The figure, and its alternative text.
    """
    fig = Figure(figsize=(2.3 * num_steps + 1.6, 3.6))
    ax = fig.add_axes((0, 0, 1, 1))
    ax.set(xlim=(-1.7, 2.4 * num_steps + 1.1), ylim=(-1.9, 2.4))
    ax.axis("off")
    arrow = {"arrowstyle": "-|>", "color": INK, "linewidth": 1.3}
    chains = (-0.5, -0.5, PALETTE[0], "cell_fwd"), (0.5, 0.9, PALETTE[2], "cell_bwd")
    for t in range(num_steps):
        x = 2.4 * t + 0.9
        for side, height, colour, name in chains:
            corner = x + side - 0.4, height - 0.3
            ax.add_patch(Rectangle(corner, 0.8, 0.6, facecolor=colour, edgecolor=INK))
            ax.text(x + side, height, name, ha="center", va="center", color=PAPER, fontsize=9)
            ax.annotate("", (x + side, height - 0.3), (x + 0.3 * side, -1.35), arrowprops=arrow)
            ax.annotate("", (x + 0.3 * side, 1.85), (x + side, height + 0.3), arrowprops=arrow)
            edge, before = (x - 0.9, x - 2.5) if side < 0 else (x + 0.9, x + 2.5)
            ax.annotate("", (edge, height), (before, height), arrowprops=arrow)
        ax.text(x, -1.4, f"x[:, {t}]  ({N}, {D})", ha="center", va="top", fontsize=9)
        ax.text(x, 1.9, f"out[:, {t}]  ({N}, {2 * H})", ha="center", va="bottom", fontsize=9)
    ax.text(-1.6, -0.45, "h0[0]", ha="left", va="bottom", fontsize=9)
    ax.text(2.4 * num_steps + 1.0, 0.95, "h0[1]", ha="right", va="bottom", fontsize=9)
    alt = (
        f"{num_steps} inputs ({N}, {D}) go into two chains of cells. cell_fwd hands its state to the right, "
        f"cell_bwd to the left; above each place both states, {H} numbers each, stand side by side "
        f"({N}, {2 * H})."
    )
    return fig, alt


def cut_up(image: Float[Tensor, "3 height width"], patch: int) -> tuple[Figure, str]:
    """An image with the borders of its patches, numbered in the order in which they are read.

    Returns:
        The figure, and its alternative text.
    """
    fig, (ax,) = row_of_axes(1, 3.2, 3.2)
    draw_image(ax, image)
    rows, columns = (side // patch for side in image.shape[1:])
    for number in range(rows * columns):
        top, left = (place * patch - 0.5 for place in divmod(number, columns))
        ax.add_patch(Rectangle((left, top), patch, patch, fill=False, edgecolor=PAPER, linewidth=1.5))
        box = {"facecolor": PAPER, "edgecolor": "none", "pad": 1.0}
        ax.text(left + 0.8, top + 0.8, f"{number}", ha="left", va="top", fontsize=8, bbox=box)
    alt = (
        f"An image of {image.shape[1]} x {image.shape[2]} pixels, cut into {rows} rows of {columns} patches "
        f"of {patch} x {patch}, numbered row by row from 0 at the top left to {rows * columns - 1}."
    )
    return fig, alt


def confusion(
    answers: Int[Tensor, " num"], labels: Int[Tensor, " num"], categories: Sequence[str]
) -> tuple[Figure, str]:
    """How often each class is taken for each, in per cent of the names of the right class.

    Returns:
        The figure, and its alternative text.
    """
    size = len(categories)
    counts = torch.zeros(size, size).index_put_((labels, answers), torch.ones(len(labels)), accumulate=True)
    shares = 100 * counts / counts.sum(dim=1, keepdim=True)
    fig = Figure(figsize=(0.42 * size + 2.6, 0.36 * size + 1.6), layout="constrained")
    ax = fig.subplots()
    shown = ax.imshow(shares.numpy(), cmap="cividis", vmin=0, vmax=100)
    for (row, column), share in zip(
        torch.cartesian_prod(*2 * [torch.arange(size)]).tolist(), shares.flatten().tolist(), strict=True
    ):
        if share >= 5:
            colour = INK if share > 50 else PAPER
            ax.text(column, row, f"{share:.0f}", ha="center", va="center", color=colour, fontsize=8)
    ax.set_xticks(range(size), categories, rotation=60, ha="right", fontsize=8)
    ax.set_yticks(range(size), categories, fontsize=8)
    ax.set(xlabel="said", ylabel="right")
    ax.grid(visible=False)
    fig.colorbar(shown, ax=ax, label="% of the names of a language", shrink=0.8)
    wrong = shares.clone().fill_diagonal_(0)
    row, column = divmod(int(wrong.argmax()), size)
    alt = (
        f"On average {shares.diag().mean():.0f} % of a language's names are recognised. Most often "
        f"{categories[row]} is taken for {categories[column]}, in {wrong.max():.0f} % of its names."
    )
    return fig, alt
