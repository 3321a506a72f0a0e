"""Figures for the notebooks."""

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Int
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import Tensor, nn
from torch.nn import functional

from exercise_code.support.notebook.plotting import FAINT, INK, PALETTE, PAPER

NUM_SYMBOLS = 4
"""So many symbols are to be recalled, and as many others lie in between."""


def recall_batch(
    num: int, lag: int, random: torch.Generator
) -> tuple[Int[Tensor, "num steps"], Int[Tensor, " num"]]:
    """Sequences of a symbol, 0 to 3, and `lag` others, 4 to 7; and the first symbols, which are asked for."""
    first = torch.randint(NUM_SYMBOLS, (num, 1), generator=random)
    others = torch.randint(NUM_SYMBOLS, 2 * NUM_SYMBOLS, (num, lag), generator=random)
    return torch.cat([first, others], dim=1), first[:, 0]


def recall_accuracy(lag: int, seed: int, steps: int, forget_bias: float | None = None) -> float:
    """Train torch's RNN, or its LSTM with that bias of the forget gates; the accuracy on new sequences."""
    random, hidden = torch.Generator().manual_seed(seed), 16
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        kind = nn.RNN if forget_bias is None else nn.LSTM
        network, head = kind(2 * NUM_SYMBOLS, hidden, batch_first=True), nn.Linear(hidden, NUM_SYMBOLS)
    if forget_bias is not None:
        network.bias_ih_l0.data[hidden : 2 * hidden] = forget_bias
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
