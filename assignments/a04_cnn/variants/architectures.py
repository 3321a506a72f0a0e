"""Right versions of `cnn.architectures`, written otherwise."""

import math

import torch

from exercise_code.cnn import architectures as arch
from exercise_code.cnn.convolutional_networks import FastConv, output_size
from exercise_code.support.checking.declare import variant


@variant("cnn.architectures.layer_cost")
def layer_by_kind(layer, shape):
    kind = type(layer).__name__
    channels, *sides = shape
    if kind == "Norm":
        return tuple(shape), arch.Cost(channels + channels, 0, 0)
    if kind == "GlobalPool":
        return (channels, 1, 1), arch.Cost(0, channels, 0)
    if kind == "Dense":
        inputs = math.prod(shape)
        return (layer.units, 1, 1), arch.Cost(
            (inputs + 1) * layer.units, layer.units, 2 * inputs * layer.units
        )
    out = tuple(output_size(side, layer.kernel, layer.stride, layer.pad) for side in sides)
    if kind == "Pool":
        return (channels, *out), arch.Cost(outputs=math.prod((channels, *out)))
    fan_in = channels * layer.kernel * layer.kernel
    places = math.prod(out)
    parameters = layer.filters * (fan_in + (1 if layer.bias else 0))
    return (layer.filters, *out), arch.Cost(
        parameters, layer.filters * places, 2 * layer.filters * fan_in * places
    )


@variant("cnn.architectures.layer_cost")
def layer_with_sides_by_hand(layer, shape):
    channels, height, width = shape
    if isinstance(layer, arch.Conv | arch.Pool):
        height = 1 + (height + 2 * layer.pad - layer.kernel) // layer.stride
        width = 1 + (width + 2 * layer.pad - layer.kernel) // layer.stride
    if isinstance(layer, arch.Conv):
        each = channels * layer.kernel**2
        out = (layer.filters, height, width)
        return out, arch.Cost(
            layer.filters * (each + int(layer.bias)), math.prod(out), 2 * each * math.prod(out)
        )
    if isinstance(layer, arch.Pool):
        return (channels, height, width), arch.Cost(outputs=channels * height * width)
    if isinstance(layer, arch.GlobalPool):
        return (channels, 1, 1), arch.Cost(outputs=channels)
    if isinstance(layer, arch.Norm):
        return shape, arch.Cost(2 * channels)
    weights = channels * height * width * layer.units
    return (layer.units, 1, 1), arch.Cost(weights + layer.units, layer.units, weights * 2)


@variant("cnn.architectures.network_cost")
def network_by_recursion(network, shape):
    if not network:
        return tuple(shape), arch.Cost()
    first, *rest = network
    if isinstance(first, arch.Branches):
        found = [arch.network_cost(path, shape) for path in first.paths]
        channels = [out[0] for out, _ in found]
        out = (sum(channels) if first.join == "concat" else max(channels), *found[0][0][1:])
        cost = sum((each for _, each in found), arch.Cost())
    else:
        out, cost = arch.layer_cost(first, shape)
    end, behind = arch.network_cost(rest, out)
    return end, cost + behind


@variant("cnn.architectures.network_cost")
def network_with_three_sums(network, shape):
    parameters = outputs = flops = 0
    for layer in network:
        if isinstance(layer, arch.Branches):
            ends = []
            for path in layer.paths:
                end, cost = arch.network_cost(path, shape)
                ends.append(end)
                parameters, outputs, flops = (
                    parameters + cost.parameters,
                    outputs + cost.outputs,
                    flops + cost.flops,
                )
            channels = sum(end[0] for end in ends) if layer.join == "concat" else ends[0][0]
            shape = (channels, ends[0][1], ends[0][2])
        else:
            shape, cost = arch.layer_cost(layer, shape)
            parameters, outputs, flops = (
                parameters + cost.parameters,
                outputs + cost.outputs,
                flops + cost.flops,
            )
    return shape, arch.Cost(parameters, outputs, flops)


@variant("cnn.architectures.receptive_field")
def field_from_behind(layers):
    field = 1
    for layer in reversed(list(layers)):
        field = (field - 1) * layer.stride + layer.kernel
    return field, math.prod(layer.stride for layer in layers)


@variant("cnn.architectures.receptive_field")
def field_by_products(layers):
    strides = [layer.stride for layer in layers]
    added = [(layer.kernel - 1) * math.prod(strides[:place]) for place, layer in enumerate(layers)]
    return 1 + sum(added), math.prod(strides)


@variant("cnn.architectures.pixel_gradients")
def pixels_of_a_random_image(layers, height, width, dtype=torch.float32):
    x, stack = torch.linspace(0, 1, height * width, dtype=dtype).reshape(1, 1, height, width), []
    for layer in layers:
        w = torch.ones(1, 1, layer.kernel, layer.kernel, dtype=dtype) / (layer.kernel * layer.kernel)
        x, cache = FastConv.forward(
            x, w, torch.zeros(1, dtype=dtype), {"pad": layer.pad, "stride": layer.stride}
        )
        stack.append(cache)
    rows, columns = x.shape[-2:]
    gradient = torch.zeros(rows * columns, dtype=dtype)
    gradient[(rows // 2) * columns + columns // 2] = 1
    gradient = gradient.reshape(1, 1, rows, columns)
    while stack:
        gradient = FastConv.backward(gradient, stack.pop())[0]
    return gradient.squeeze(0).squeeze(0)


@variant("cnn.architectures.pixel_gradients")
def pixels_by_recursion(layers, height, width, dtype=torch.float32):
    def back(x, rest):
        if not rest:
            centre = torch.zeros_like(x)
            centre[..., x.shape[2] // 2, x.shape[3] // 2] = 1
            return centre
        layer, *behind = rest
        w = x.new_full((1, 1, layer.kernel, layer.kernel), layer.kernel**-2)
        out, cache = FastConv.forward(x, w, x.new_zeros(1), {"stride": layer.stride, "pad": layer.pad})
        return FastConv.backward(back(out, behind), cache)[0]

    return back(torch.zeros(1, 1, height, width, dtype=dtype), list(layers))[0, 0]
