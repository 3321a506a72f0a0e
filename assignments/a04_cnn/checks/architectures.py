"""What is asked of `cnn.architectures`."""

from dataclasses import astuple
from typing import Any

from exercise_code.support.checking.declare import check

ARCH = "cnn.architectures."
SIZE = "cnn.convolutional_networks.output_size"


def _numbers(found: Any) -> list[int]:
    """The shape and the cost as one list."""
    shape, cost = found
    return [*shape, *astuple(cost)]


@check(f"{ARCH}layer_cost", points=2, uses=[SIZE])
def cost_of_layers(code, case):
    """Shape, parameters, outputs and operations of each kind of layer."""
    arch = code.cnn.architectures
    filters, channels, height = case.integer(4, 9), case.integer(10, 14), case.integer(15, 19)
    shape = (channels, height, height + 3)
    layers = {
        "a convolution": arch.Conv(filters, 3, 1, 1),
        "a convolution with stride and no padding": arch.Conv(filters, 5, 3),
        "a convolution without bias": arch.Conv(filters, 4, 2, 2, bias=False),
        "a pool": arch.Pool(2, 2),
        "a pool whose windows overlap": arch.Pool(3, 2, 1),
        "a global pool": arch.GlobalPool(),
        "a norm": arch.Norm(),
        "a dense layer": arch.Dense(case.integer(20, 30)),
    }
    return {name: _numbers(arch.layer_cost(layer, shape)) for name, layer in layers.items()}


@check(f"{ARCH}network_cost", points=2, uses=[f"{ARCH}layer_cost", SIZE])
def cost_of_networks(code, case):
    """Layers in a row, branches side by side, shortcuts, and branches within branches."""
    arch = code.cnn.architectures
    Conv, Branches, shape = arch.Conv, arch.Branches, (case.integer(2, 20), 9, 14)
    row = (Conv(case.integer(6, 40), 3, 2), arch.Norm(), arch.Pool(2, 2))
    views = Branches(((Conv(4, 1),), (Conv(3, 1), Conv(7, 5, 1, 2)), (arch.Pool(3, 1, 1),)), "concat")
    residual = Branches(((Conv(shape[0], 3, 1, 1),), ()), "sum")
    projected = Branches(((Conv(8, 3, 2, 1),), (Conv(8, 1, 2, bias=False), arch.Norm())), "sum")
    nested = Branches(((views, Conv(5, 3, 1, 1)), (residual,)), "concat")
    networks = {
        "no layers": (),
        "layers in a row": (*row, arch.Dense(11)),
        "branches side by side": (views, Conv(6, 3)),
        "a shortcut": (residual, residual, arch.GlobalPool()),
        "a projected shortcut": (projected, Conv(3, 1)),
        "branches within branches": (nested, arch.Dense(7)),
    }
    return {name: _numbers(arch.network_cost(network, shape)) for name, network in networks.items()}


@check(f"{ARCH}receptive_field", points=1)
def fields(code, case):
    """Field and jump, with strides early, late and twice."""
    arch = code.cnn.architectures
    kernel, stride = case.integer(8, 60), case.integer(2, 20)
    stacks = {
        "no layers": [],
        "one window": [arch.Conv(5, kernel)],
        "a pool first": [arch.Pool(stride, stride), arch.Conv(5, 3, 1, 1), arch.Conv(5, kernel)],
        "a pool last": [arch.Conv(5, 3), arch.Conv(5, kernel), arch.Pool(3, stride)],
        "two strides": [arch.Conv(5, 7, 2, 3), arch.Pool(3, stride, 1), arch.Conv(5, 3), arch.Conv(5, 1)],
    }
    return {name: list(arch.receptive_field(layers)) for name, layers in stacks.items()}


@check(
    f"{ARCH}pixel_gradients",
    points=2,
    uses=[
        "cnn.convolutional_networks.FastConv.forward",
        "cnn.convolutional_networks.FastConv.backward",
        SIZE,
    ],
    forbids=["torch.autograd.grad", "torch.Tensor.requires_grad_"],
)
def gradients_of_pixels(code, case):
    """What each pixel weighs in the central output, in images that are not square."""
    arch, dtype = code.cnn.architectures, case.numbers(1).dtype
    stacks = {
        "one window": ([arch.Conv(1, 3)], 6, case.integer(9, 15)),
        "padding, and an even number of outputs": (
            [arch.Conv(1, 3, 1, 1), arch.Conv(1, 5, 1, 2)],
            8,
            2 * case.integer(5, 9),
        ),
        "strides": (
            [arch.Conv(1, 4, 2, 1), arch.Pool(2, 2), arch.Conv(1, 3, 1, 1)],
            17,
            case.integer(22, 26),
        ),
    }
    return {
        name: arch.pixel_gradients(layers, height, width, dtype)
        for name, (layers, height, width) in stacks.items()
    }
