"""What is asked of `pytorch_autograd_and_nn`."""

from typing import Any

import torch
from torch import nn

from exercise_code.support.checking.declare import check
from exercise_code.support.checking.laws import not_normal

from .common import LEVELS, filled


# Three levels
def _bare(case, num: int, height: int, width: int) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """Images of two channels, and parameters for four and three filters and five classes."""
    x = case.numbers(num, 2, height, width)
    shapes = (4, 2, 5, 5), (4,), (3, 4, 3, 3), (3,), (5, 3 * height * width), (5,)
    return x, [case.numbers(*shape, reach=0.6) for shape in shapes]


@check(f"{LEVELS}three_layer_convnet", points=2)
def three_layers(code, case):
    """Scores out of bare tensors, for images that are not square, and for one image."""
    net = code.pytorch_autograd_and_nn.three_layer_convnet
    return {
        f"scores of {num} images, {height} x {width}": net(*_bare(case, num, height, width))
        for num, height, width in ((3, 6, 9), (4, 7, 3), (1, 5, 4))
    }


@check(f"{LEVELS}three_layer_convnet:gradients", points=1)
def three_layers_backward(code, case):
    """Gradients flow back to all six parameters."""
    x, params = _bare(case, 3, 5, 7)
    params = [param.detach().clone().requires_grad_() for param in params]
    scores = code.pytorch_autograd_and_nn.three_layer_convnet(x, params)
    names = ("conv_w1", "conv_b1", "conv_w2", "conv_b2", "fc_w", "fc_b")
    gradients = torch.autograd.grad(scores.square().mean(), params)
    return {f"gradient of {name}": gradient for name, gradient in zip(names, gradients, strict=True)}


RULES = {
    "the variance that is due": lambda fan_in, fan_out: 2 / fan_in,
    "that for gain 1": lambda fan_in, fan_out: fan_in**-0.5,
    "that of torch's default": lambda fan_in, fan_out: (3 * fan_in) ** -0.5,
    "that for the outputs": lambda fan_in, fan_out: (2 / fan_out) ** 0.5,
    "that of Xavier's rule": lambda fan_in, fan_out: (2 / (fan_in + fan_out)) ** 0.5,
}
"""Standard deviations that are not Kaiming's."""


THINNED = ", every 16th input"
"""What is said of weights that are handed out in part, so that answers stay small."""


def _thinned(params: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Parameters by name, those of a linear layer thinned out."""
    return {
        name + THINNED * (param.dim() == 2): param[:, ::16] if param.dim() == 2 else param
        for name, param in params.items()
    }


def _fan_in(name: str, weights: torch.Tensor) -> int:
    """How many numbers an output sums up."""
    return weights[0].numel() * (16 if name.endswith(THINNED) else 1)


def kaiming_law(outputs: dict[str, Any], expected: dict[str, Any]) -> str | None:
    """Weights of variance 2 / fan_in, biases 0; error rate three times that of `not_normal`."""
    tensors = {
        name: values
        for name, values in outputs.items()
        if isinstance(values, torch.Tensor) and not name.startswith("maps")
    }
    weights = {name: values for name, values in tensors.items() if values.dim() > 1}
    for rule, std in RULES.items():
        if all(
            abs(values.double().std() / std(_fan_in(name, values), values[:, 0].numel()) - 1) < 0.07
            for name, values in weights.items()
        ):
            return f"the standard deviation of the weights is {rule}"
    for name, values in weights.items():
        if fault := not_normal(values, (2 / _fan_in(name, values)) ** 0.5):
            return f"{name}: {fault}"
    return next(
        (f"{name} is not 0" for name, values in tensors.items() if values.dim() == 1 and values.any()), None
    )


@check(f"{LEVELS}initialize_three_layer_conv_part2", points=1, law=kaiming_law)
def bare_parameters(code, case):
    """Six leaves that collect gradients: Kaiming normal weights, biases 0."""
    like = case.numbers(1)
    params = code.pytorch_autograd_and_nn.initialize_three_layer_conv_part2(like.dtype, like.device)
    names = ("conv_w1", "conv_b1", "conv_w2", "conv_b2", "fc_w", "fc_b")
    return {
        "number of parameters": len(params),
        **_thinned(dict(zip(names, params, strict=False))),
        "all collect gradients": all(param.requires_grad for param in params),
        "all are leaves": all(param.is_leaf for param in params),
    }


@check(f"{LEVELS}ThreeLayerConvNet.__init__", points=1, law=kaiming_law)
def module_start(code, case):
    """Three layers with Kaiming normal weights, whose convolutions keep height and width."""
    x = case.numbers(2, 4, 9, 6)
    net = code.pytorch_autograd_and_nn.ThreeLayerConvNet(4, 11, 7, 5).to(x.device, x.dtype)
    maps = net.conv1(x)
    return {
        **_thinned(dict(sorted(net.named_parameters()))),
        "maps of conv1": maps,
        "maps of conv2": net.conv2(maps),
    }


@check(f"{LEVELS}ThreeLayerConvNet.forward", points=1, uses=[f"{LEVELS}ThreeLayerConvNet.__init__"])
def module_scores(code, case):
    """Scores of images of 16 x 64 and 64 x 16 pixels, and of one image."""
    net = code.pytorch_autograd_and_nn.ThreeLayerConvNet(2, 4, 3, 5)
    filled([net], case.numbers(4_000))
    net.fc.bias.data = case.tensor([-8.0, -4.0, 1.0, 4.0, 8.0])  # scores of both signs
    return {
        f"scores of {num} images, {height} x {width}": net(case.numbers(num, 2, height, width))
        for num, height, width in ((3, 16, 64), (1, 64, 16))
    }


SETTINGS = ("lr", "momentum", "weight_decay", "nesterov")


def _optimizer(model: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    """An optimiser's kind and settings, and whether it holds the model's parameters."""
    held = [param for group in optimizer.param_groups for param in group["params"]]
    settings = {name: optimizer.param_groups[0].get(name) for name in SETTINGS}
    return {
        "optimiser": type(optimizer).__name__,
        **{name: value if isinstance(value, bool) else float(value or 0) for name, value in settings.items()},
        "it holds the model's parameters": {*map(id, held)} == {*map(id, model.parameters())},
    }


@check(
    f"{LEVELS}initialize_three_layer_conv_part3",
    points=1,
    uses=[f"{LEVELS}ThreeLayerConvNet.__init__"],
)
def module_and_optimizer(code, case):
    """The module with its sizes, and plain SGD on its parameters."""
    model, optimizer = code.pytorch_autograd_and_nn.initialize_three_layer_conv_part3()
    shapes = {name: list(param.shape) for name, param in sorted(model.named_parameters())}
    return {"model": type(model).__name__, **shapes, **_optimizer(model, optimizer)}


@check(f"{LEVELS}initialize_three_layer_conv_part4", points=2)
def sequential_and_optimizer(code, case):
    """A Sequential that computes the three-layer network, and SGD with Nesterov momentum."""
    model, optimizer = code.pytorch_autograd_and_nn.initialize_three_layer_conv_part4()
    outputs = {"is a Sequential": isinstance(model, nn.Sequential), **_optimizer(model, optimizer)}
    filled([model], case.numbers(20_000))
    last = [*model.parameters()][-1]
    last.data = last.data + 3 * case.numbers(10)  # scores of both signs
    outputs["shapes of the parameters"] = [list(param.shape) for param in model.parameters()]
    return outputs | {"scores": model(case.numbers(2, 3, 16, 64))}


# Residual networks
CHANNELS = {
    "same shape": (5, 5, False),
    "more channels": (3, 8, False),
    "same channels, downsampled": (6, 6, True),
    "fewer channels, downsampled": (7, 5, True),
}


def _blocks(case, make, parts: tuple[str, ...], channels: dict[str, tuple[int, int, bool]]) -> dict[str, Any]:
    """Maps that come out of a block in training and then in testing, for each choice of channels."""
    numbers, outputs = case.numbers(1_500), {}
    for name, (Cin, Cout, downsample) in channels.items():
        net = make(Cin, Cout, downsample)
        filled([getattr(net, part) for part in parts], numbers)
        for module in net.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.bias.data = module.bias.data.abs()  # no channel is 0 everywhere behind its ReLU
        x = case.numbers(2, Cin, 4, 3)
        outputs[name] = {"in training": net.train()(x), "in testing": net.eval()(x)}
    return outputs


@check(f"{LEVELS}PlainBlock.__init__", points=2)
def plain_block(code, case):
    """What a plain block makes of maps with odd and even sides, in training and in testing."""
    return _blocks(case, code.pytorch_autograd_and_nn.PlainBlock, ("net",), CHANNELS)


@check(f"{LEVELS}ResidualBlock.__init__", points=2, uses=[f"{LEVELS}PlainBlock.__init__"])
def residual_block(code, case):
    """What a residual block makes of maps, in training and in testing."""
    return _blocks(case, code.pytorch_autograd_and_nn.ResidualBlock, ("block", "shortcut"), CHANNELS)


def _shortcuts(case, make, channels: dict[str, tuple[int, int, bool]]) -> dict[str, Any]:
    """What blocks whose parameters are all 0 make of maps, and how many parameters their shortcuts have."""
    outputs = {}
    for name, (Cin, Cout, downsample) in channels.items():
        net, x = make(Cin, Cout, downsample), case.numbers(2, Cin, 6, 3)
        filled([net], 0 * case.numbers(1))
        outputs[name] = {
            "with all parameters 0": net(x),
            "parameters of the shortcut": sum(param.numel() for param in net.shortcut.parameters()),
        }
    return outputs


@check(f"{LEVELS}ResidualBlock.__init__:shortcut", points=1, uses=[f"{LEVELS}PlainBlock.__init__"])
def residual_shortcut(code, case):
    """The shortcut is the identity where it can be, and has no more parameters than it needs."""
    return _shortcuts(case, code.pytorch_autograd_and_nn.ResidualBlock, CHANNELS)


NARROW = {
    "same shape": (8, 8, False),
    "more channels": (4, 12, False),
    "same channels, downsampled": (8, 8, True),
}


@check(f"{LEVELS}ResidualBottleneckBlock.__init__", points=2)
def bottleneck(code, case):
    """What a bottleneck block makes of maps, in training and in testing."""
    return _blocks(case, code.pytorch_autograd_and_nn.ResidualBottleneckBlock, ("block", "shortcut"), NARROW)


@check(f"{LEVELS}ResidualBottleneckBlock.__init__:shortcut", points=1)
def bottleneck_shortcut(code, case):
    """The shortcut is the identity where it can be, and has no more parameters than it needs."""
    return _shortcuts(case, code.pytorch_autograd_and_nn.ResidualBottleneckBlock, NARROW)


def recording() -> tuple[type[nn.Module], list[list[Any]]]:
    """A class of blocks that change nothing, and the list in which they write down what they are and when.

    An entry holds Cin, Cout and downsample of a block that is called, and a number that no other block has.
    """
    record: list[list[Any]] = []
    made: list[nn.Module] = []

    class Recorded(nn.Module):
        def __init__(self, Cin: int, Cout: int, downsample: bool = False):
            super().__init__()
            self.entry = [Cin, Cout, bool(downsample), len(made)]
            made.append(self)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            record.append(self.entry)
            return x

    return Recorded, record


@check(f"{LEVELS}ResNetStage.__init__", points=1)
def stage(code, case):
    """Which blocks a stage has: the first one changes the shape."""
    Stage, x, outputs = code.pytorch_autograd_and_nn.ResNetStage, case.numbers(2, 3, 4, 5), {}
    few, many = case.integer(2, 40), case.integer(41, 99)
    for name, args in {
        "four blocks, more channels, downsampled": (few, many, 4, True),
        "three blocks, fewer channels": (many, few, 3, False),
        "two blocks, same channels, downsampled": (few, few, 2, True),
        "one block": (few, many, 1, True),
    }.items():
        block, record = recording()
        Stage(*args, block=block)(x)
        blocks = [entry[:3] for entry in record]
        different = len({entry[3] for entry in record})
        outputs[name] = {"blocks": blocks, "different": different}
    return outputs


@check(f"{LEVELS}ResNet.__init__", points=2, uses=[f"{LEVELS}ResNetStage.__init__"])
def resnet_start(code, case):
    """The stem, the stages with their blocks, and the linear layer."""
    ResNet, x, outputs = code.pytorch_autograd_and_nn.ResNet, case.numbers(2, 4, 7, 5), {}
    for name, stage_args in {
        "three stages": [(6, 6, 2, False), (6, 9, 3, True), (9, 5, 1, True)],
        "one stage": [(7, 10, 2, True)],
    }.items():
        block, record = recording()
        net = ResNet(stage_args, Cin=4, block=block, num_classes=11)
        filled([net.cnn, net.fc], case.numbers(900))
        maps = net.cnn(x)
        outputs[name] = {
            "blocks": [entry[:3] for entry in record],
            "maps of the stem": maps,
            "parameters": [list(param.shape) for param in net.parameters()],
            "fc": [net.fc.in_features, net.fc.out_features],
        }
    outputs["classes by default"] = ResNet([(4, 6, 1, False)], block=recording()[0]).fc.out_features
    return outputs


BLOCKS = [f"{LEVELS}{name}.__init__" for name in ("PlainBlock", "ResNetStage", "ResNet")]


@check(f"{LEVELS}ResNet.forward", points=2, uses=BLOCKS)
def resnet_scores(code, case):
    """Scores of images of several sizes, square, flat and odd, and of one image."""
    levels = code.pytorch_autograd_and_nn
    stage_args = [(4, 4, 1, False), (4, 6, 2, True)]
    net = levels.ResNet(stage_args, Cin=2, block=levels.PlainBlock, num_classes=5).eval()
    filled([net.cnn, net.fc], case.numbers(3_000))
    return {
        f"scores of {num} images, {height} x {width}": net(case.numbers(num, 2, height, width))
        for num, height, width in ((3, 12, 20), (2, 16, 16), (4, 9, 7), (1, 8, 14))
    }
