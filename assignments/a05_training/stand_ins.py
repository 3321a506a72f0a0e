"""What takes the place of exercises that are not right: the same, put together otherwise."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from exercise_code.support.checking.declare import stand_in


def _start(layer: nn.Module) -> None:
    """Kaiming normal weights and no bias, for layers that have them."""
    if isinstance(layer, nn.Conv2d | nn.Linear) and layer.bias is not None:
        nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        nn.init.constant_(layer.bias, 0)


@stand_in("pytorch_autograd_and_nn.ThreeLayerConvNet.__init__")
def three_layers(self: Any, in_channel: int, channel_1: int, channel_2: int, num_classes: int) -> None:
    """By `apply`, with padding that torch works out."""
    nn.Module.__init__(self)
    self.conv1 = nn.Conv2d(in_channel, channel_1, kernel_size=5, padding="same")
    self.conv2 = nn.Conv2d(channel_1, channel_2, kernel_size=3, padding="same")
    self.fc = nn.Linear(in_features=2**10 * channel_2, out_features=num_classes)
    self.apply(_start)


def _path(Cin: int, Cout: int, step: int) -> nn.Sequential:
    """The layers of a plain block."""
    layers: list[nn.Module] = []
    for width, stride in ((Cin, step), (Cout, 1)):
        convolution = nn.Conv2d(width, Cout, kernel_size=3, stride=stride, padding=1)
        layers.extend([nn.BatchNorm2d(width), nn.ReLU(), convolution])
    return nn.Sequential(*layers)


@stand_in("pytorch_autograd_and_nn.PlainBlock.__init__")
def plain_block(self: Any, Cin: int, Cout: int, downsample: bool = False) -> None:
    """By a loop over both halves."""
    nn.Module.__init__(self)
    self.net = _path(Cin, Cout, 1 + downsample)


@stand_in("pytorch_autograd_and_nn.ResidualBlock.__init__")
def residual_block(self: Any, Cin: int, Cout: int, downsample: bool = False) -> None:
    """With an empty `nn.Sequential` for a shortcut that changes nothing."""
    nn.Module.__init__(self)
    self.block, self.shortcut = _path(Cin, Cout, 1 + downsample), nn.Sequential()
    if (Cin, 0) != (Cout, downsample):
        self.shortcut.append(nn.Conv2d(Cin, Cout, kernel_size=1, stride=1 + downsample))


def _stage(Cin: int, Cout: int, num_blocks: int, downsample: bool, block: Any) -> nn.Sequential:
    """The blocks of a stage."""
    widths = [(Cin, downsample), *[(Cout, False)] * (num_blocks - 1)]
    return nn.Sequential(*[block(width, Cout, halves) for width, halves in widths])


def _block(block: Any) -> Any:
    """The class of blocks; residual ones where none is given."""
    from exercise_code.pytorch_autograd_and_nn import ResidualBlock

    return block or ResidualBlock


@stand_in("pytorch_autograd_and_nn.ResNetStage.__init__")
def stage(
    self: Any, Cin: int, Cout: int, num_blocks: int, downsample: bool = True, block: Any = None
) -> None:
    """By a list of widths."""
    nn.Module.__init__(self)
    self.net = _stage(Cin, Cout, num_blocks, downsample, _block(block))


@stand_in("pytorch_autograd_and_nn.ResNet.__init__")
def resnet(
    self: Any,
    stage_args: Sequence[tuple[int, int, int, bool]],
    Cin: int = 3,
    block: Any = None,
    num_classes: int = 10,
) -> None:
    """By stages that are no modules of their own."""
    from exercise_code.pytorch_autograd_and_nn import ResNetStem

    nn.Module.__init__(self)
    self.cnn = nn.Sequential(ResNetStem(Cin=Cin, Cout=stage_args[0][0]))
    self.cnn.extend(_stage(*each, _block(block)) for each in stage_args)
    self.fc = nn.Linear(in_features=stage_args[-1][1], out_features=num_classes)


@stand_in("training.losses.reduced")
def reduced(losses: Tensor, reduction: Any = "mean", weight: Tensor | None = None) -> Tensor:
    """By `torch.mul` and `torch.sum`, with weights of 1 where there are none."""
    factors = torch.ones_like(losses) if weight is None else weight
    single = torch.mul(losses, factors)
    reductions = {"none": single, "sum": torch.sum(single), "mean": torch.sum(single) / torch.sum(factors)}
    if reduction not in reductions:
        raise ValueError(reduction)
    return reductions[reduction]


@stand_in("training.losses.nll_loss")
def nll_loss(
    log_p: Tensor,
    y: Tensor,
    weight: Tensor | None = None,
    ignore_index: int = -100,
    reduction: Any = "mean",
) -> Tensor:
    """By `functional.nll_loss`."""
    return functional.nll_loss(log_p, y, weight, ignore_index=ignore_index, reduction=reduction)


@stand_in("training.losses.binary_cross_entropy_with_logits")
def binary_cross_entropy_with_logits(x: Tensor, target: Tensor, reduction: Any = "mean") -> Tensor:
    """By `functional.binary_cross_entropy_with_logits`."""
    return functional.binary_cross_entropy_with_logits(x, target, reduction=reduction)


@stand_in("training.schedules.lambda_lr")
def lambda_lr(base_lr: float, num_epochs: int, factor: Callable[[int], float]) -> list[float]:
    """By `LambdaLR` of torch."""
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=base_lr)
    scheduler, rates = torch.optim.lr_scheduler.LambdaLR(optimizer, factor), []
    while len(rates) < num_epochs:
        rates.extend(scheduler.get_last_lr())
        optimizer.step()
        scheduler.step()
    return rates


PARTS = ("model", "optimizer", "scheduler")


@stand_in("training.checkpoints.save_checkpoint")
def save_checkpoint(
    file: Any, model: Any, optimizer: Any, scheduler: Any, epoch: int, generator: torch.Generator
) -> None:
    """By a loop over what has a state dict."""
    states = {
        name: part.state_dict() for name, part in zip(PARTS, (model, optimizer, scheduler), strict=True)
    }
    chance = {"rng": torch.random.get_rng_state(), "generator": generator.get_state()}
    torch.save(states | {"epoch": epoch} | chance, file)


@stand_in("training.checkpoints.load_checkpoint")
def load_checkpoint(file: Any, model: Any, optimizer: Any, scheduler: Any, generator: torch.Generator) -> int:
    """By the same loop."""
    found = torch.load(file, map_location=torch.device("cpu"), weights_only=True)
    for name, part in zip(PARTS, (model, optimizer, scheduler), strict=True):
        part.load_state_dict(found.pop(name))
    torch.random.set_rng_state(found["rng"])
    generator.set_state(found["generator"])
    return found["epoch"]


@stand_in("training.fastest.smooth_labels")
def smooth_labels(y: Tensor, num_classes: int, smoothing: float) -> Tensor:
    """By `torch.lerp`, from the labels to equal shares."""
    labels = torch.eye(num_classes, device=y.device)[y]
    return torch.lerp(labels, torch.full_like(labels, 1 / num_classes), smoothing)


@stand_in("training.fastest.flipped_scores")
def flipped_scores(model: nn.Module, x: Tensor) -> Tensor:
    """In one batch of both."""
    training = model.training
    with torch.no_grad():
        both = model.eval()(torch.cat([x, torch.flip(x, dims=[x.dim() - 1])]))
    model.train(training)
    return torch.stack(both.chunk(2)).mean(dim=0)
