"""Famous architectures as data: what they cost, and how much of an image one number of theirs can see."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from exercise_code.cnn.convolutional_networks import FastConv, output_size

Shape = tuple[int, int, int]
"""Channels, height and width of the feature maps of one image."""


@dataclass(frozen=True)
class Conv:
    """A convolution with square filters."""

    filters: int
    kernel: int
    stride: int = 1
    pad: int = 0
    bias: bool = True


@dataclass(frozen=True)
class Pool:
    """Max or average pooling with square windows."""

    kernel: int
    stride: int
    pad: int = 0


@dataclass(frozen=True)
class GlobalPool:
    """The mean of each channel: what is left is one number for each."""


@dataclass(frozen=True)
class Norm:
    """Batch normalisation: a gamma and a beta for each channel, worked in place."""


@dataclass(frozen=True)
class Dense:
    """A fully connected layer on all numbers that come in."""

    units: int


@dataclass(frozen=True)
class Branches:
    """Several paths with one input, whose outputs are put side by side as channels, or added up.

    A path without layers hands on what comes in: the shortcut of a residual block.
    """

    paths: tuple[tuple["Layer", ...], ...]
    join: Literal["concat", "sum"]


Window = Conv | Pool
Simple = Conv | Pool | GlobalPool | Norm | Dense
Layer = Simple | Branches


@dataclass(frozen=True)
class Cost:
    """What a network takes for one image; costs can be added."""

    parameters: int = 0
    outputs: int = 0
    flops: int = 0

    def __add__(self, other: "Cost") -> "Cost":
        """The cost of both together."""
        return Cost(
            self.parameters + other.parameters, self.outputs + other.outputs, self.flops + other.flops
        )


def layer_cost(layer: Simple, shape: Shape) -> tuple[Shape, Cost]:
    """The shape of a layer's output, and what the layer costs for one image.

    `output_size` knows the sides of what a window makes.
    `outputs` counts the numbers that come out; a norm works in place, so it has none. `flops` counts
    the multiplications and additions of convolutions and dense layers, two for each weight that a number of
    the output uses; biases, pools and norms count as nothing.

    Args:
        layer: one layer, no branches.
        shape: channels, height and width of its input.

    Returns:
        The output's shape, of a dense layer (units, 1, 1); and the cost.
    """
    channels, height, width = shape
    ### BEGIN SOLUTION
    match layer:
        case GlobalPool():
            return (channels, 1, 1), Cost(outputs=channels)
        case Norm():
            return shape, Cost(parameters=2 * channels)
        case Dense(units):
            weights = channels * height * width * units
            return (units, 1, 1), Cost(weights + units, units, 2 * weights)
    height, width = (output_size(side, layer.kernel, layer.stride, layer.pad) for side in (height, width))
    if isinstance(layer, Pool):
        return (channels, height, width), Cost(outputs=channels * height * width)
    weights, outputs = layer.filters * channels * layer.kernel**2, layer.filters * height * width
    parameters = weights + layer.filters * layer.bias
    return (layer.filters, height, width), Cost(parameters, outputs, 2 * weights * height * width)
    ### END SOLUTION


def network_cost(network: Sequence[Layer], shape: Shape) -> tuple[Shape, Cost]:
    """The shape that comes out of a network, and what all its layers cost for one image.

    `layer_cost` knows a single layer. Of branches each path starts from the same input and may hold
    branches itself; their costs add up. Outputs are put side by side along the channels, or added, which
    costs nothing.

    Args:
        network: layers, one after the other; without any, what comes in goes out.
        shape: channels, height and width of an image.

    Returns:
        The output's shape; and the cost.
    """
    cost = Cost()
    ### BEGIN SOLUTION
    for layer in network:
        if not isinstance(layer, Branches):
            shape, added = layer_cost(layer, shape)
            cost = cost + added
            continue
        shapes, costs = zip(*[network_cost(path, shape) for path in layer.paths], strict=True)
        cost = sum(costs, cost)
        channels = sum(each[0] for each in shapes) if layer.join == "concat" else shapes[0][0]
        shape = (channels, *shapes[0][1:])
    return shape, cost
    ### END SOLUTION


def receptive_field(layers: Sequence[Window]) -> tuple[int, int]:
    """How many pixels along one side an output depends on, and how far apart neighbouring outputs look.

    A window of K inputs, each `jump` pixels from the next, adds (K - 1) * jump to the field; its stride S
    multiplies the jump. Before the first layer both are 1.

    Args:
        layers: convolutions and pools, one after the other.

    Returns:
        The field and the jump, in pixels of the image.
    """
    ### BEGIN SOLUTION
    field, jump = 1, 1
    for layer in layers:
        field += (layer.kernel - 1) * jump
        jump *= layer.stride
    return field, jump
    ### END SOLUTION


def pixel_gradients(
    layers: Sequence[Window], height: int, width: int, dtype: torch.dtype = torch.float32
) -> Float[Tensor, "height width"]:
    """Gradient of the central output with respect to every pixel of an image with one channel.

    Every layer, a pool too, is taken as a convolution by one filter of K x K weights 1 / K^2, with bias 0 and
    the layer's own stride and padding. So each output is a weighted sum of pixels, and the gradient holds the
    weights. The central output of m x n is the one in row m // 2, column n // 2.
    Use `FastConv.forward` and `FastConv.backward`. Not allowed here: autograd.

    Args:
        layers: convolutions and pools, one after the other.
        height: of the image.
        width: of the image.
        dtype: of the gradient.

    Returns:
        The gradient, 0 where a pixel is not seen.
    """
    ### BEGIN SOLUTION
    out, caches = torch.zeros(1, 1, height, width, dtype=dtype), []
    for layer in layers:
        w = torch.full((1, 1, layer.kernel, layer.kernel), 1 / layer.kernel**2, dtype=dtype)
        out, cache = FastConv.forward(out, w, w.new_zeros(1), {"stride": layer.stride, "pad": layer.pad})
        caches.append(cache)
    dout = torch.zeros_like(out)
    dout[0, 0, out.shape[2] // 2, out.shape[3] // 2] = 1
    for cache in reversed(caches):
        dout, _, _ = FastConv.backward(dout, cache)
    return dout[0, 0]
    ### END SOLUTION


def _conv_norm(filters: int, kernel: int, stride: int = 1) -> tuple[Layer, ...]:
    """A convolution without bias, whose padding keeps the size at stride 1, and a norm."""
    return (Conv(filters, kernel, stride, kernel // 2, bias=False), Norm())


def _inception(ones: int, reduce3: int, threes: int, reduce5: int, fives: int, pooled: int) -> Branches:
    """Four views of one input, side by side; 1 x 1 convolutions make the large windows cheap."""
    paths = (
        _conv_norm(ones, 1),
        (*_conv_norm(reduce3, 1), *_conv_norm(threes, 3)),
        (*_conv_norm(reduce5, 1), *_conv_norm(fives, 3)),
        (Pool(3, 1, 1), *_conv_norm(pooled, 1)),
    )
    return Branches(paths, "concat")


def _basic_block(filters: int, stride: int, project: bool) -> Branches:
    """Two convolutions and a shortcut, which is projected where the shape changes."""
    shortcut = _conv_norm(filters, 1, stride) if project else ()
    return Branches(((*_conv_norm(filters, 3, stride), *_conv_norm(filters, 3)), shortcut), "sum")


def _bottleneck(filters: int, stride: int, project: bool) -> Branches:
    """Down to few channels, a 3 x 3 convolution, and up to four times as many."""
    shortcut = _conv_norm(4 * filters, 1, stride) if project else ()
    path = (*_conv_norm(filters, 1), *_conv_norm(filters, 3, stride), *_conv_norm(4 * filters, 1))
    return Branches((path, shortcut), "sum")


def _resnet(
    block: Callable[[int, int, bool], Branches], widths: int, depths: Sequence[int]
) -> tuple[Layer, ...]:
    """A stem, four stages of blocks, and a dense layer; `widths` is how much wider a block's output is."""
    layers: list[Layer] = [*_conv_norm(64, 7, 2), Pool(3, 2, 1)]
    for stage, depth in enumerate(depths):
        for place in range(depth):
            project = place == 0 and (stage > 0 or widths > 1)
            layers.append(block(64 * 2**stage, 2 if place == 0 and stage > 0 else 1, project))
    return (*layers, GlobalPool(), Dense(1000))


LENET = (Conv(6, 5), Pool(2, 2), Conv(16, 5), Pool(2, 2), Dense(120), Dense(84), Dense(10))
"""LeCun et al., 1998, with every filter of the second layer on all six maps."""

ALEXNET = (
    *(Conv(64, 11, 4, 2), Pool(3, 2), Conv(192, 5, 1, 2), Pool(3, 2)),
    *(Conv(384, 3, 1, 1), Conv(256, 3, 1, 1), Conv(256, 3, 1, 1), Pool(3, 2)),
    *(Dense(4096), Dense(4096), Dense(1000)),
)
"""Krizhevsky et al., 2012, on one GPU (Krizhevsky, 2014)."""

VGG16 = (
    *(
        layer
        for filters, depth in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))
        for layer in (*[Conv(filters, 3, 1, 1)] * depth, Pool(2, 2))
    ),
    *(Dense(4096), Dense(4096), Dense(1000)),
)
"""Simonyan and Zisserman, 2015, configuration D."""

GOOGLENET = (
    *(*_conv_norm(64, 7, 2), Pool(3, 2, 1), *_conv_norm(64, 1), *_conv_norm(192, 3), Pool(3, 2, 1)),
    *(_inception(64, 96, 128, 16, 32, 32), _inception(128, 128, 192, 32, 96, 64), Pool(3, 2, 1)),
    *(_inception(192, 96, 208, 16, 48, 64), _inception(160, 112, 224, 24, 64, 64)),
    *(_inception(128, 128, 256, 24, 64, 64), _inception(112, 144, 288, 32, 64, 64)),
    *(_inception(256, 160, 320, 32, 128, 128), Pool(2, 2)),
    *(_inception(256, 160, 320, 32, 128, 128), _inception(384, 192, 384, 48, 128, 128)),
    *(GlobalPool(), Dense(1000)),
)
"""Szegedy et al., 2015, as torchvision has it: with norms, and 3 x 3 windows where the paper has 5 x 5."""

IMAGENET: Shape = (3, 224, 224)
ARCHITECTURES: dict[str, tuple[int, tuple[Layer, ...], Shape]] = {
    "LeNet-5": (1998, LENET, (1, 32, 32)),
    "AlexNet": (2012, ALEXNET, IMAGENET),
    "VGG-16": (2014, VGG16, IMAGENET),
    "GoogLeNet": (2014, GOOGLENET, IMAGENET),
    "ResNet-18": (2015, _resnet(_basic_block, 1, (2, 2, 2, 2)), IMAGENET),
    "ResNet-50": (2015, _resnet(_bottleneck, 4, (3, 4, 6, 3)), IMAGENET),
}
"""For each name the year, the layers, and the shape of an image."""
