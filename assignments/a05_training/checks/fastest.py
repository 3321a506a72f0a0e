"""What is asked of `training.fastest`."""

from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from exercise_code.support.checking.declare import check
from exercise_code.support.data.held_out import HeldOut

from .common import filled

FASTEST = "training.fastest."
MOST = 2_000_000


@check(f"{FASTEST}patch_whitening", points=3)
def whitened(code, case):
    """The filters' sizes, products and norms, and the covariance of what they make of patches.

    None of these changes with a filter's sign.
    """
    outputs = {}
    for name, size, kernel_size, options in (
        ("2 x 2, eps left out", (5, 2, 5, 7), 2, {}),
        ("3 x 3, eps 0.1", (6, 1, 6, 5), 3, {"eps": 0.1}),
        ("1 x 1, eps 0.001", (4, 3, 4, 3), 1, {"eps": 1e-3}),
    ):
        pixels = case.numbers(*size)
        images = case.tensor(pixels + 3 + torch.linspace(0, 1, size[3]).to(pixels))
        filters = code.training.fastest.patch_whitening(images, kernel_size, **options)
        patches = F.unfold(images, kernel_size).transpose(1, 2).flatten(0, 1)
        flat, centred = filters.flatten(1), patches - patches.mean(dim=0)
        outputs[name] = {
            "shape": [*filters.shape],
            "norms": flat.norm(dim=1),
            "products": flat.T @ flat,
            "covariance of the outputs": flat @ (centred.T @ centred / len(centred)) @ flat.T,
        }
    return outputs


@check(f"{FASTEST}smooth_labels", points=1)
def smoothed(code, case):
    """Five classes of which not all occur, no smoothing, and full smoothing."""
    y = case.labels(7, num_classes=4)
    return {
        f"{num_classes} classes, smoothing {smoothing}": code.training.fastest.smooth_labels(
            y, num_classes, smoothing
        )
        for num_classes, smoothing in ((5, 0.2), (4, 0.0), (6, 1.0))
    }


def _small_net(case: Any) -> nn.Sequential:
    """Convolution, batch norm, a linear layer that sees places; for images of two channels, 4 x 6."""
    net = nn.Sequential(
        nn.Conv2d(2, 3, 3, padding=1), nn.BatchNorm2d(3), nn.ReLU(), nn.Flatten(), nn.Linear(72, 4)
    )
    filled(net, case.numbers(50))
    return net


@check(f"{FASTEST}flipped_scores", points=2)
def both_ways(code, case):
    """Scores of a model in training mode and of one in eval mode, the mode afterwards, and the graph."""
    net, outputs = _small_net(case), {}
    x = case.numbers(5, 2, 4, 6)
    for mode in (True, False):
        net.train(mode)
        scores = code.training.fastest.flipped_scores(net, x)
        outputs[f"training {mode}"] = {
            "scores": scores,
            "with a graph": scores.requires_grad,
            "mode afterwards": [module.training for module in net.modules()],
            "running mean": net[1].running_mean,
        }
    return outputs


@check(f"{FASTEST}train_one_cycle", points=3, uses=[f"{FASTEST}smooth_labels"])
def one_cycle(code, case):
    """Losses and parameters after steps in batches of 3, of 10 images, which leave one over, and of 9."""
    x, y, numbers, seed = (
        case.numbers(10, 2, 2, 3),
        case.labels(10, num_classes=4),
        case.numbers(53),
        case.integer(0, 10**6),
    )
    outputs = {}
    for name, num, num_steps, smoothing in (
        ("11 steps", 10, 11, 0.25),
        ("4 steps, no smoothing", 10, 4, 0.0),
        ("7 steps with 9 images", 9, 7, 0.25),
    ):
        net = nn.Sequential(nn.Flatten(), nn.Linear(12, 5), nn.ReLU(), nn.Linear(5, 4))
        filled(net, numbers)
        net[1].bias.requires_grad_(False)
        generator = torch.Generator().manual_seed(seed)
        train = code.training.fastest.train_one_cycle
        losses = train(net, x[:num], y[:num], num_steps, 3, 0.3, smoothing, generator)
        outputs[name] = {"losses": losses, "parameters": [*net.parameters()]}
    return outputs


@check(f"{FASTEST}fast_net", points=1)
def fits_in(code, case):
    """Shape of the scores, for any number of images and classes; the size; parameters without gradients."""
    num, num_classes = case.integer(2, 4), case.integer(3, 30)
    x = case.tensor(case.numbers(num, 3, 32, 32) / 4 + 0.5)
    net = code.training.fastest.fast_net(num_classes).to(x)
    scores = net(x)
    scores.square().sum().backward()
    trained = [param for param in net.parameters() if param.requires_grad]
    return {
        "scores": [*scores.shape],
        "at most 2 million parameters": sum(param.numel() for param in net.parameters()) <= MOST,
        "some are trained": bool(trained),
        "without a gradient": sum(param.grad is None for param in trained),
        "eval mode, one image": [*net.eval()(x[:1]).shape],
    }


FEW = HeldOut(num=400)
"""Images that a network is tried on: more of them would make the answers too large for a repository."""


@check(
    f"{FASTEST}fast_net:accuracy",
    points=4,
    uses=[f"{FASTEST}flipped_scores"],
    floor=0.4,
    target=0.8,
    held_out=FEW,
)
def fastest_model(code, case):
    """The saved network on images that nobody has trained on, by the scores of both mirror images."""
    saved = case.model("fastest.pt")
    net = code.training.fastest.fast_net()
    net.load_state_dict(saved["net"])
    scores = [code.training.fastest.flipped_scores(net, part) for part in case.held_out().split(100)]
    return {
        "labels": torch.cat(scores).argmax(dim=1),
        "parameters": sum(param.numel() for param in net.parameters()),
        "steps": saved["steps"],
    }
