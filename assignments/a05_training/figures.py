"""Figures and experiments for the notebooks on training."""

import copy
import io
import itertools
import logging
import math
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, Rectangle
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional

from exercise_code.pytorch_autograd_and_nn import Block, ResNet, train_part345
from exercise_code.support.notebook.plotting import (
    INK,
    LINES,
    MARKERS,
    PALETTE,
    PAPER,
    draw_chance,
    draw_image,
    row_of_axes,
    sweep,
)
from exercise_code.training import finetuning, schedules

Images = Float[Tensor, "n c h w"]
Labels = Int[Tensor, " n"]


# Experiments
def halved(images: Images) -> Images:
    """The images at half their height and width."""
    return functional.avg_pool2d(images, 2)


def resized(images: Images, side: int) -> Images:
    """The images at another size, square."""
    return functional.interpolate(images, size=(side, side), mode="bilinear", antialias=True)


def learned(
    block: Block, depth: int, images: Images, labels: Labels, seed: int, steps: int, lr: float = 0.02
) -> ResNet:
    """A network of one stage, trained on all of a few images at every step.

    Args:
        block: class of the blocks.
        depth: how many blocks; the first one halves the maps.
        images: to learn by heart.
        labels: theirs.
        seed: of the weights.
        steps: of SGD with momentum 0.9.
        lr: its learning rate.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = ResNet([(8, 16, depth, True)], images.shape[1], block)
        optimizer = torch.optim.SGD(net.parameters(), lr=lr, momentum=0.9)
        train_part345(net, optimizer, [(images, labels)], epochs=steps)
    return net


def accuracy(net: nn.Module, images: Images, labels: Labels, *, training: bool = False) -> float:
    """Per cent of images that are classified right, with batch norm in testing or in training mode."""
    states = [module.training for module in net.modules()]
    buffers = {name: buffer.clone() for name, buffer in net.named_buffers()}
    net.train(training)
    with torch.no_grad():
        right = (net(images).argmax(dim=1) == labels).double().mean().item()
        for name, buffer in net.named_buffers():
            buffer.copy_(buffers[name])
    for module, state in zip(net.modules(), states, strict=True):
        module.training = state
    return 100 * right


def block_gradients(block: Block, depth: int, images: Images, labels: Labels, seed: int) -> list[float]:
    """Before any training: norm of the loss's gradient with respect to what enters each block."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = ResNet([(8, 16, depth, True)], images.shape[1], block)
    entered: list[Tensor] = []
    blocks = [*net.cnn[1].net]
    for each in blocks:
        each.register_forward_pre_hook(lambda module, args: entered.append(args[0]))
    loss = functional.cross_entropy(net(images), labels)
    return [gradient.norm().item() for gradient in torch.autograd.grad(loss, entered)]


@contextmanager
def without_block(net: ResNet, place: int) -> Iterator[None]:
    """Within it, what enters a block leaves it unchanged."""
    blocks = net.cnn[1].net
    kept, blocks[place] = blocks[place], nn.Identity()
    try:
        yield
    finally:
        blocks[place] = kept


# Figures
def _box(ax: Axes, x: float, y: float, text: str, colour: str, width: float = 1.7) -> None:
    """A rounded box around a text."""
    shape = FancyBboxPatch(
        (x - width / 2, y - 0.17),
        width,
        0.34,
        "round,pad=0.04",
        facecolor=PAPER,
        edgecolor=colour,
        linewidth=2,
    )
    ax.add_patch(shape)
    ax.text(x, y, text, ha="center", va="center", fontsize=9)


def _arrow(ax: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    ax.annotate("", xy=end, xytext=start, arrowprops={"arrowstyle": "->", "color": INK, "linewidth": 1.2})


PATHS = {
    "plain": ("BN, ReLU", "conv 3 x 3", "BN, ReLU", "conv 3 x 3"),
    "residual": ("BN, ReLU", "conv 3 x 3", "BN, ReLU", "conv 3 x 3"),
    "bottleneck": ("BN, ReLU", "conv 1 x 1", "BN, ReLU", "conv 3 x 3", "BN, ReLU", "conv 1 x 1"),
}
"""The layers of each kind of block."""


def blocks(*kinds: str, Cin: int, Cout: int) -> tuple[Figure, str]:
    """Kinds of blocks side by side, with the channels behind each convolution.

    Args:
        kinds: "plain", "residual", "bottleneck".
        Cin: channels that come in.
        Cout: channels that go out.

    Returns:
        The figure, and its alternative text.
    """
    fig, axes = row_of_axes(len(kinds), 3.7, 4.2)
    told = []
    for ax, kind in zip(axes, kinds, strict=True):
        layers, channels, passed = PATHS[kind], Cin, []
        top = len(layers) + 0.9
        ax.text(0, top, f"x: {Cin} channels", ha="center", va="center", fontsize=9)
        for place, layer in enumerate(layers):
            y = len(layers) - place
            _arrow(ax, (0, y + (0.78 if place else 0.75)), (0, y + 0.24))
            _box(ax, 0, y, layer, PALETTE[1] if layer.startswith("conv") else PALETTE[0])
            if layer.startswith("conv"):
                channels = Cout // 4 if kind == "bottleneck" and place < len(layers) - 1 else Cout
                ax.text(1.0, y, f"{channels} channels", ha="left", va="center", fontsize=9)
                passed.append(f"{layer} to {channels} channels")
            else:
                passed.append(layer)
        if kind == "plain":
            _arrow(ax, (0, 0.76), (0, 0.1))
        else:
            ax.text(0, 0.3, "+", ha="center", va="center", fontsize=15)
            _arrow(ax, (0, 0.76), (0, 0.45))
            _arrow(ax, (0, 0.15), (0, -0.2))
            way = [(-0.05, top - 0.25), (-1.45, top - 0.25), (-1.45, 0.3), (-0.35, 0.3)]
            ax.plot(*zip(*way, strict=True), linestyle="--", color=PALETTE[2], linewidth=2, marker="")
            _arrow(ax, (-0.4, 0.3), (-0.12, 0.3))
            name = "identity" if Cin == Cout else "conv 1 x 1"
            ax.text(
                -1.45,
                top / 2,
                name,
                ha="center",
                va="center",
                rotation=90,
                fontsize=9,
                color=INK,
                bbox={"facecolor": PAPER, "edgecolor": "none", "pad": 1},
            )
        ax.set(xlim=(-1.8, 2.3), ylim=(-0.4, top + 0.3))
        ax.set_title(kind)
        ax.axis("off")
        ending = "" if kind == "plain" else f", and the shortcut ({name}) is added"
        told.append(f"{kind} block: {', '.join(passed)}{ending}")
    return fig, f"From {Cin} to {Cout} channels. " + "; ".join(told) + "."


def map_sizes(stages: Sequence[tuple[str, tuple[int, ...]]]) -> tuple[Figure, str]:
    """What a network makes of one image, step by step: maps as stacks, vectors as columns.

    Args:
        stages: for each step its name and the shape of what it gives, (channels, height, width) or
            (numbers,).

    Returns:
        The figure, and its alternative text.
    """
    fig, axes = row_of_axes(len(stages), 1.75, 2.6)
    tallest = max(shape[1] for _, shape in stages if len(shape) == 3)
    widest = max(shape[2] for _, shape in stages if len(shape) == 3)
    for ax, (name, shape), colour in zip(axes, stages, PALETTE * 2, strict=False):
        look: dict[str, Any] = {"facecolor": colour, "edgecolor": PAPER, "alpha": 0.8}
        if len(shape) == 3:
            depth = min(5, shape[0])
            for layer in reversed(range(depth)):
                shift = 0.04 * widest * layer
                ax.add_patch(Rectangle((shift, -shape[1] - shift), shape[2], shape[1], **look))
            axes_text = f"{shape[0]} channels\n{shape[1]} high, {shape[2]} wide"
        else:
            ax.add_patch(Rectangle((widest / 2 - 0.05 * widest, -tallest), 0.1 * widest, tallest, **look))
            axes_text = f"{shape[0]:,} numbers"
        ax.set(xlim=(-0.1 * widest, 1.3 * widest), ylim=(-1.25 * tallest, 0.1 * tallest), aspect="equal")
        ax.set_title(f"{name}\n{axes_text}", fontsize=8)
        ax.axis("off")
    return fig, "; ".join(f"{name}: {shape}" for name, shape in stages) + "."


def accuracy_over(
    setting: str, values: Sequence[int], runs: Mapping[str, Float[Tensor, "values seeds"]], chance: float
) -> tuple[Figure, str]:
    """Accuracy on the images learned, over one setting.

    Args:
        setting: its name and unit.
        values: which were tried.
        runs: for each network accuracies in per cent, a column for each seed.
        chance: of guessing, 0 to 1.

    Returns:
        The figure, and its alternative text.
    """
    fig = sweep(values, runs, setting, "accuracy on the images learned (%)", chance=chance)
    fig.axes[0].set_xticks(values)
    told = [
        f"{name}: "
        + ", ".join(
            f"{row.mean():.0f} ± {row.std():.0f} % at {value}"
            for value, row in zip(values, found, strict=True)
        )
        for name, found in runs.items()
    ]
    return fig, f"Accuracy over {setting}. {'; '.join(told)}; guessing {100 * chance:.0f} %."


def over_blocks(
    lines: Mapping[str, Float[Tensor, "seeds blocks"]],
    ylabel: str,
    *,
    log: bool,
    chance: float | None = None,
    first: int = 1,
    part: str = "block",
) -> tuple[Figure, str]:
    """A quantity of each block, as a line for each kind of network; seeds are thin lines.

    Args:
        lines: values by name.
        ylabel: the quantity and its unit.
        log: draw it on a logarithmic axis.
        chance: draws the line of guessing, as a fraction of 1 on an axis in per cent.
        first: number of the first block.
        part: what is counted, where it is no block.

    Returns:
        The figure, and its alternative text.
    """
    fig, (ax,) = row_of_axes(1, 6.6, 3.3)
    told = []
    for (name, values), marker, line, colour in zip(lines.items(), MARKERS, LINES, PALETTE, strict=False):
        places = range(first, first + values.shape[1])
        middle = values.log().mean(0).exp() if log else values.mean(0)
        for row in values:
            ax.plot(places, row, color=colour, marker="", alpha=0.3, linewidth=1)
        ax.plot(places, middle, color=colour, marker=marker, linestyle=line, label=name)
        told.append(
            f"{name} from {middle[0]:.3g} at {part} {first} to {middle[-1]:.3g} at {part} {places[-1]}"
        )
    if chance is not None:
        draw_chance(ax, chance)
    ax.set(xlabel=f"{part}, counted from the image", ylabel=ylabel, yscale="log" if log else "linear")
    ax.legend(fontsize=9)
    return fig, f"{ylabel}: " + "; ".join(told) + "."


def curves(runs: Mapping[str, Sequence[float]], ylabel: str) -> tuple[Figure, str]:
    """A number after every step of several trainings.

    Args:
        runs: numbers by name.
        ylabel: what they are.

    Returns:
        The figure, and its alternative text.
    """
    fig, (ax,) = row_of_axes(1, 8.0, 3.0)
    told = []
    for (name, values), marker, line in zip(runs.items(), MARKERS, LINES, strict=False):
        ax.plot(values, marker=marker, linestyle=line, markersize=4, label=name)
        last = values[len(values) // 2 :]
        told.append(f"{name}, it lies between {min(last):.3g} and {max(last):.3g} in the second half")
    ax.set(xlabel="step", ylabel=ylabel)
    fig.legend(loc="outside right center", fontsize=9)
    return fig, f"{ylabel} over steps: " + "; ".join(told) + "."


# Losses and schedules
def small_net(seed: int) -> nn.Sequential:
    """Two convolutions that halve the maps, each with batch norm, and a linear layer, for 16 x 16 pixels."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return nn.Sequential(
            nn.Conv2d(3, 8, 3, stride=2, padding=1),
            nn.BatchNorm2d(8),
            nn.ReLU(),
            nn.Conv2d(8, 16, 3, stride=2, padding=1),
            nn.BatchNorm2d(16),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(256, 10),
        )


def fitted(
    loss: Callable[[Tensor, Tensor], Tensor], images: Images, labels: Labels, seed: int, steps: int
) -> nn.Sequential:
    """A small network, trained by SGD with momentum 0.9 on all images at every step.

    Args:
        loss: takes scores and labels.
        images: 16 x 16.
        labels: theirs.
        seed: of the weights.
        steps: of learning rate 0.1.
    """
    net = small_net(seed)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    for _ in range(steps):
        optimizer.zero_grad()
        loss(net(images), labels).backward()
        optimizer.step()
    return net


def best_constants(
    loss: Callable[..., Tensor], targets: Float[Tensor, "rows values"], steps: int = 600
) -> Float[Tensor, " rows"]:
    """For each row the one number that costs least as a prediction for all of it, by gradient descent."""
    constants = targets.new_zeros(len(targets), 1, requires_grad=True)
    optimizer = torch.optim.SGD([constants], lr=0.5)
    scheduler = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.002, total_iters=steps)
    for _ in range(steps):
        optimizer.zero_grad()
        loss(constants.expand_as(targets), targets, reduction="none").mean(dim=1).sum().backward()
        optimizer.step()
        scheduler.step()
    return constants.detach()[:, 0]


def functions(
    lines: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    xlabel: str,
    ylabel: str,
    dots: Mapping[str, tuple[Sequence[float], Sequence[float]]] | None = None,
) -> tuple[Figure, str]:
    """Functions of one number, and dots of others for comparison.

    Args:
        lines: for each name its places and values.
        xlabel: the places and their unit.
        ylabel: the values and their unit.
        dots: the same, drawn as dots.

    Returns:
        The figure, and its alternative text.
    """
    fig, (ax,) = row_of_axes(1, 7.0, 3.4)
    told = []
    for (name, (places, values)), style, colour in zip(lines.items(), LINES * 2, PALETTE, strict=False):
        ax.plot(places, values, linestyle=style, color=colour, marker="", label=name)
        told.append(f"{name} from {values[0]:.3g} at {places[0]:.3g} to {values[-1]:.3g} at {places[-1]:.3g}")
        low = min(range(len(values)), key=values.__getitem__)
        if 0 < low < len(values) - 1:
            x, y = (round(float(each[low]), 6) + 0.0 for each in (places, values))  # no -0
            told[-1] += f", lowest {y:.3g} at {x:.3g}"
    for (name, (places, values)), marker in zip((dots or {}).items(), MARKERS, strict=False):
        ax.plot(places, values, linestyle="", marker=marker, markersize=4, color=INK, label=name)
        told.append(f"dots: {name}")
    ax.set(xlabel=xlabel, ylabel=ylabel)
    fig.legend(loc="outside right center", fontsize=9)
    return fig, f"{ylabel} over {xlabel}: " + "; ".join(told) + "."


def over_setting(
    setting: str,
    values: Sequence[float],
    runs: Mapping[str, Float[Tensor, "values seeds"]],
    ylabel: str,
    chance: float | None = None,
) -> tuple[Figure, str]:
    """A measured quantity over one setting, mean and standard deviation of several seeds.

    Args:
        setting: its name and unit.
        values: which were tried; on a logarithmic axis where `chance` is given.
        runs: by name, a column for each seed.
        ylabel: the quantity and its unit.
        chance: of guessing, 0 to 1, where the quantity is an accuracy in per cent.

    Returns:
        The figure, and its alternative text.
    """
    fig = sweep(values, runs, setting, ylabel, chance=chance, xscale="log" if chance else "linear")
    told = [
        f"{name} "
        + ", ".join(
            f"{row.mean():.3g} ± {row.std():.2g} at {value}" for value, row in zip(values, found, strict=True)
        )
        for name, found in runs.items()
    ]
    return fig, f"{ylabel} over {setting}: {'; '.join(told)}."


def shifted(images: Images, pixels: int, generator: torch.Generator) -> Images:
    """All images moved by up to so many pixels, in a direction drawn anew, with black behind them."""
    height, width = images.shape[2:]
    top, left = torch.randint(2 * pixels + 1, (2,), generator=generator).tolist()
    padded = functional.pad(images, (pixels,) * 4)
    return padded[:, :, top : top + height, left : left + width]


def fitted_moving(
    images: Images, labels: Labels, seed: int, steps: int, pixels: int, generator: torch.Generator
) -> nn.Sequential:
    """A small network, trained on batches of 100 images that are moved anew at every step.

    Args:
        images: 16 x 16.
        labels: theirs.
        seed: of the weights.
        steps: of SGD with momentum 0.9, with a learning rate that falls from 0.1 along a cosine.
        pixels: how far the images of a batch are moved at most.
        generator: draws batches and moves.
    """
    net = small_net(seed)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(steps):
        places = torch.randint(len(images), (100,), generator=generator)
        optimizer.zero_grad()
        scores = net(shifted(images[places], pixels, generator))
        functional.cross_entropy(scores, labels[places]).backward()
        optimizer.step()
        scheduler.step()
    return net


def share_right(
    images: Images, labels: Labels, seed: int, lr: float, *, cosine: bool, max_norm: float = math.inf
) -> float:
    """Per cent of training images that a small network gets right after 12 epochs of `train_scheduled`.

    Args:
        images: 16 x 16, in batches of 50.
        labels: theirs.
        seed: of the weights.
        lr: learning rate of the first epoch.
        cosine: lets it fall along a cosine; otherwise it is constant.
        max_norm: longest gradient allowed.
    """
    net = small_net(seed)
    optimizer = torch.optim.SGD(net.parameters(), lr=lr, momentum=0.9)
    if cosine:
        scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 12)
    else:
        scheduler = torch.optim.lr_scheduler.ConstantLR(optimizer, 1.0)
    batches = [*zip(images.split(50), labels.split(50), strict=True)]
    schedules.train_scheduled(net, optimizer, scheduler, batches, 12, max_norm=max_norm)
    return accuracy(net, images, labels, training=True)


def rates_of(
    make: Callable[[torch.optim.Optimizer], torch.optim.lr_scheduler.LRScheduler], base_lr: float, epochs: int
) -> list[float]:
    """The rates that a scheduler of torch gives to an optimiser, epoch by epoch."""
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=base_lr)
    scheduler, rates = make(optimizer), []
    for _ in range(epochs):
        rates += [group["lr"] for group in optimizer.param_groups]
        optimizer.step()
        scheduler.step()
    return rates


# Transfer
def arrows(vectors: Mapping[str, tuple[float, float]], limit: float) -> tuple[Figure, str]:
    """Gradients of two numbers as arrows, and the circle of all that are as long as the limit.

    Args:
        vectors: by name.
        limit: radius of the circle.

    Returns:
        The figure, and its alternative text.
    """
    fig, (ax,) = row_of_axes(1, 7.6, 2.9)
    angles = torch.linspace(0, math.pi / 2, 50)
    ax.plot(limit * angles.cos(), limit * angles.sin(), color=INK, marker="", label=f"norm {limit:g}")
    told = []
    for (name, (x, y)), line, marker, colour in zip(vectors.items(), LINES, MARKERS, PALETTE, strict=False):
        look: dict[str, Any] = {"color": colour, "linestyle": line, "marker": marker, "markevery": [1]}
        ax.plot((0, x), (0, y), label=name, **look)
        told.append(f"{name} ({x:.2f}, {y:.2f}) of norm {math.hypot(x, y):.2f}")
    ax.set(xlabel="first number of the gradient", ylabel="second number", aspect="equal")
    ax.set(xlim=(0, 4.4), ylim=(0, 2.2))
    fig.legend(loc="outside right center", fontsize=9)
    return fig, f"Limit {limit:g}: " + "; ".join(told) + "."


KNOWN = 7
"""Classes of `shapes` that the backbone learns; the others are the new task."""


def backbone_net(seed: int, num_classes: int) -> nn.Sequential:
    """Three stages of two convolutions, for 16 x 16 pixels, and a linear head."""
    layers: list[nn.Module] = []
    channels = 3
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for width in (8, 16, 32):
            for _ in range(2):
                conv = nn.Conv2d(channels, width, 3, padding=1, bias=False)
                layers += [conv, nn.BatchNorm2d(width), nn.ReLU()]
                channels = width
            layers += [nn.MaxPool2d(2)]
        return nn.Sequential(*layers, nn.Flatten(), nn.Linear(128, num_classes))


def few_of_each(images: Images, labels: Labels, num: int, seed: int) -> tuple[Images, Labels]:
    """So many images of each class, drawn by a seed."""
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed))
    chosen = torch.cat([order[labels[order] == label][:num] for label in labels.unique()])
    return images[chosen], labels[chosen]


def fine_tuned(
    net: nn.Module,
    groups: list[dict[str, Any]],
    images: Images,
    labels: Labels,
    before_each_step: Callable[[], object],
    steps: int = 30,
) -> nn.Module:
    """The network, trained on all images at every step, with rates that fall along a cosine.

    Args:
        net: changed.
        groups: of parameters, with their rates.
        images: few.
        labels: theirs.
        before_each_step: called before each step, to set modes.
        steps: how many.
    """
    optimizer = torch.optim.SGD(groups, momentum=0.9, weight_decay=5e-4)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(steps):
        before_each_step()
        optimizer.zero_grad()
        functional.cross_entropy(net(images), labels).backward()
        optimizer.step()
        scheduler.step()
    return net


def adapted(backbone: nn.Module, images: Images, labels: Labels, num: int, seed: int, kind: str) -> nn.Module:
    """A network for a new task, trained on few images of each class.

    Args:
        backbone: a `backbone_net` that knows another task; left as it is.
        images: of the new task.
        labels: theirs, from 0.
        num: how many images of each class are used.
        seed: draws them, and the weights of a new network.
        kind: "new" starts from random weights, all others from the backbone: "frozen", "frozen, norms train"
            with batch norms in training mode, or "two rates", where the backbone learns ten times as slowly.
    """
    few, few_labels = few_of_each(images, labels, num, seed)
    net = backbone_net(seed, KNOWN) if kind == "new" else copy.deepcopy(backbone)
    head = finetuning.replace_head(net, len(labels.unique()))
    if kind.startswith("frozen"):
        finetuning.freeze_backbone(net, head)
    groups = finetuning.param_groups(net, head, 0.02, 0.1 if kind == "two rates" else 1.0)
    mode = net.train if kind == "frozen, norms train" else lambda: finetuning.set_train_mode(net)
    return fine_tuned(net, groups, few, few_labels, mode)


def mobilenet() -> nn.Module | None:
    """MobileNetV2 with its ImageNet weights, where `WORKBOOK_DATA` has them."""
    from exercise_code.support.vision import mobilenet_v2, mobilenet_weights

    weights = mobilenet_weights()
    return mobilenet_v2(weights) if weights else None


def tiles(filters: Images, title: str) -> tuple[Figure, str]:
    """Filters of three channels as small colour images, strongest first."""
    fig, axes = row_of_axes(len(filters), 0.8, 1.2)
    for ax, image in zip(axes, filters, strict=True):
        scaled = 0.5 + image / (2 * image.abs().max())
        ax.imshow(scaled.permute(1, 2, 0), interpolation="nearest")
        ax.axis("off")
    fig.suptitle(title, fontsize=9)
    colour = [(image.mean(dim=0).abs().sum() / image.abs().mean(dim=0).sum()).item() for image in filters]
    grey = sum(share > 0.8 for share in colour)
    return fig, f"{title}: {len(filters)} filters, {grey} of them grey, the others coloured."


# Tools
def deep_net(activation: type[nn.Module], seed: int, depth: int = 10) -> nn.Sequential:
    """Linear layers of 32 units with one activation between them, for 16 x 16 pixels."""
    widths = [768, *[32] * (depth - 1), 10]
    layers: list[nn.Module] = []
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for num_in, num_out in itertools.pairwise(widths):
            linear = nn.Linear(num_in, num_out)
            nn.init.kaiming_normal_(linear.weight)
            layers += [linear, activation()]
    return nn.Sequential(nn.Flatten(), *layers[:-1])


def read_board(folder: Path) -> Any:
    """All that a SummaryWriter has written into a folder, as TensorBoard's own `EventAccumulator`."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    return EventAccumulator(str(folder), size_guidance={"scalars": 0, "histograms": 0, "images": 0}).Reload()


def decoded(png: bytes) -> UInt8[Tensor, "h w 3"]:
    """The pixels of an image that lies in an event file."""
    return torch.from_numpy(np.array(Image.open(io.BytesIO(png)).convert("RGB")))


def feature_maps(image: Float[Tensor, "3 h w"], maps: Float[Tensor, "c k l"]) -> tuple[Figure, str]:
    """An image, and the maps that a layer makes of it on one common scale of grey.

    Returns:
        The figure, and its alternative text.
    """
    fig, (first, *axes) = row_of_axes(1 + len(maps), 1.0, 1.6)
    draw_image(first, image)
    first.set_title("image", fontsize=9)
    for place, (ax, values) in enumerate(zip(axes, maps, strict=True)):
        shown = ax.imshow(values, cmap="gray", vmin=0, vmax=maps.max(), interpolation="nearest")
        ax.set_title(f"{place}", fontsize=9)
        ax.axis("off")
    fig.colorbar(shown, ax=axes, fraction=0.02, label="output of the ReLU")
    strongest, dark = maps.mean(dim=(1, 2)).argmax().item(), maps.eq(0).double().mean().item()
    return fig, f"An image and {len(maps)} maps: {100 * dark:.0f} % is 0; the brightest map is {strongest}."


def memory_orders(x: Float[Tensor, "1 c h w"]) -> tuple[Figure, str]:
    """In which order the numbers of one image lie in memory, as it is by default and with channels last.

    Returns:
        The figure, and its alternative text.
    """
    _, channels, height, width = x.shape
    fig = Figure(figsize=(8.0, 2.4), layout="constrained")
    axes = fig.subplots(2)
    told = []
    for ax, (name, order) in zip(
        axes, (("contiguous", torch.contiguous_format), ("channels_last", torch.channels_last)), strict=True
    ):
        laid = x.contiguous(memory_format=order)
        for c, h, w in itertools.product(range(channels), range(height), range(width)):
            place = sum(a * b for a, b in zip((c, h, w), laid.stride()[1:], strict=True))
            ax.add_patch(
                Rectangle((place, 0), 1, 1, facecolor=PALETTE[c], edgecolor=INK, hatch=("", "//", "..")[c])
            )
            box = {"facecolor": PAPER, "edgecolor": "none", "pad": 1}
            ax.text(place + 0.5, 0.5, f"{'abc'[c]}{h}{w}", ha="center", va="center", fontsize=8, bbox=box)
        ax.grid(visible=False)
        ax.set(xlim=(0, x.numel()), ylim=(0, 1), yticks=[], title=f"{name}: strides {laid.stride()}")
        told.append(f"{name}: the next channel of a pixel lies {laid.stride(1)} places on")
    axes[-1].set_xlabel("place in memory; letter: channel, digits: row and column")
    return fig, "; ".join(told) + "."


def dealt(order: Sequence[int], world_size: int) -> tuple[Figure, str]:
    """How the samples of one epoch are dealt to processes in turn; what is repeated at the end is hatched.

    Args:
        order: of all samples.
        world_size: how many processes there are.

    Returns:
        The figure, and its alternative text.
    """
    padded = [*order, *itertools.islice(itertools.cycle(order), -len(order) % world_size)]
    fig, (ax,) = row_of_axes(1, 8.0, 0.6 + 0.5 * world_size)
    for place, sample in enumerate(padded):
        process = place % world_size
        hatch = "//" if place >= len(order) else ""
        look: dict[str, Any] = {"facecolor": PALETTE[process], "edgecolor": INK, "hatch": hatch}
        ax.add_patch(Rectangle((place, process), 1, 1, **look))
        box = {"facecolor": PAPER, "edgecolor": "none", "pad": 1}
        ax.text(place + 0.5, process + 0.5, f"{sample}", ha="center", va="center", bbox=box)
    names = [f"process {process}" for process in range(world_size)]
    ax.set(
        xlim=(0, len(padded)),
        ylim=(world_size, 0),
        xlabel="place in the order (hatched: its beginning again)",
    )
    ax.grid(visible=False)
    ax.set_xticks([place + 0.5 for place in range(len(padded))], [f"{place}" for place in range(len(padded))])
    ax.set_yticks([process + 0.5 for process in range(world_size)], names)
    shares = [f"{name} gets {padded[place::world_size]}" for place, name in enumerate(names)]
    return fig, f"{len(order)} samples dealt in turn: {'; '.join(shares)}."


def lightning() -> ModuleType | None:
    """The package lightning, which then tells of nothing but errors; None where it is not installed."""
    if find_spec("lightning") is None:
        return None
    from exercise_code.support import vision  # noqa: F401, so that torchvision can be imported

    warnings.filterwarnings("ignore", module="lightning")
    warnings.filterwarnings("ignore", ".*does not have many workers")
    import lightning as package

    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    return package


def message_of(line: Callable[[], object]) -> str:
    """Kind and first sentence of the error that a line raises, or "no error"."""
    try:
        line()
    except Exception as error:
        return f"{type(error).__name__}: {str(error).splitlines()[0].split('. ')[0]}"
    return "no error"
