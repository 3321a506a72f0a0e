"""How people get `cnn.architectures` wrong, and the hint each mistake deserves."""

import torch

from exercise_code.cnn import architectures as arch
from exercise_code.cnn.convolutional_networks import FastConv
from exercise_code.support.checking.declare import mistake

LAYER = "cnn.architectures.layer_cost"
NETWORK = "cnn.architectures.network_cost"
FIELD = "cnn.architectures.receptive_field"
PIXELS = "cnn.architectures.pixel_gradients"


def _layer(
    layer,
    shape,
    *,
    bias=True,
    channels_in=True,
    squared=True,
    per_weight=2,
    biases_run=False,
    swapped=False,
    norm=2,
    norm_outputs=False,
    pool_outputs=True,
    dense_side=True,
    padded=2,
    places=True,
    running=False,
):
    channels, height, width = shape
    if isinstance(layer, arch.GlobalPool):
        return (channels, 1, 1), arch.Cost(outputs=channels * pool_outputs)
    if isinstance(layer, arch.Norm):
        outputs = channels * height * width if norm_outputs else 0
        return shape, arch.Cost((4 if running else norm) * channels, outputs)
    if isinstance(layer, arch.Dense):
        weights = channels * (height * width if dense_side else 1) * layer.units
        flops = per_weight * weights + biases_run * layer.units
        return (layer.units, 1, 1), arch.Cost(weights + layer.units * bias, layer.units, flops)
    height, width = ((n + padded * layer.pad - layer.kernel) // layer.stride + 1 for n in (height, width))
    out = (width, height) if swapped else (height, width)
    if isinstance(layer, arch.Pool):
        return (channels, *out), arch.Cost(outputs=channels * height * width * pool_outputs)
    weights = layer.filters * (channels if channels_in else 1) * layer.kernel ** (2 if squared else 1)
    outputs = layer.filters * height * width
    flops = per_weight * weights * (height * width if places else 1) + biases_run * outputs
    has_bias = layer.bias if bias is True else bias
    return (layer.filters, *out), arch.Cost(weights + layer.filters * has_bias, outputs, flops)


@mistake(LAYER, hint="Biases are parameters too, one for each filter or unit.")
def layer_without_bias(layer, shape):
    return _layer(layer, shape, bias=0)


@mistake(LAYER, hint="A convolution may have no bias: its `bias` says so.")
def layer_always_with_bias(layer, shape):
    return _layer(layer, shape, bias=1)


@mistake(LAYER, hint="A filter looks at all channels that come in: its weights are channels x K x K.")
def layer_of_one_channel(layer, shape):
    return _layer(layer, shape, channels_in=False)


@mistake(LAYER, hint="Filters have two sides: K^2 weights for each channel.")
def layer_with_flat_filters(layer, shape):
    return _layer(layer, shape, squared=False)


@mistake(LAYER, hint="A multiplication and its addition are two operations.")
def layer_counts_products_only(layer, shape):
    return _layer(layer, shape, per_weight=1)


@mistake(LAYER, hint="Additions of biases are counted as operations; here they count as nothing.")
def layer_counts_biases(layer, shape):
    return _layer(layer, shape, biases_run=True)


@mistake(LAYER, hint="Height and width change places: the shape is channels, height, width.")
def layer_swaps_sides(layer, shape):
    return _layer(layer, shape, swapped=True)


@mistake(LAYER, hint="The padding is on both ends of a side, so it counts twice.")
def layer_padded_once(layer, shape):
    return _layer(layer, shape, padded=1)


@mistake(LAYER, hint="A norm works in place: it adds parameters, but no numbers to hold.")
def layer_norm_has_outputs(layer, shape):
    return _layer(layer, shape, norm_outputs=True)


@mistake(LAYER, hint="A norm learns gamma and beta; running mean and variance are no parameters.")
def layer_norm_counts_running(layer, shape):
    return _layer(layer, shape, running=True)


@mistake(LAYER, hint="What leaves a pool has to be held as well: its outputs are missing.")
def layer_pool_for_free(layer, shape):
    return _layer(layer, shape, pool_outputs=False)


@mistake(LAYER, hint="A dense layer takes every number of the feature maps, not one for each channel.")
def layer_dense_on_channels(layer, shape):
    return _layer(layer, shape, dense_side=False)


@mistake(LAYER, hint="The filters are applied at every place of the output: operations grow with its size.")
def layer_runs_once(layer, shape):
    return _layer(layer, shape, places=False)


def _network(network, shape, *, concat="add", total=None, forward_shape=False, nested=True, one_path=False):
    cost = arch.Cost()
    for layer in network:
        if not isinstance(layer, arch.Branches):
            shape, added = _layer(layer, shape)
            cost = cost + added
            continue
        shapes, came = [], shape
        for path in layer.paths[:1] if one_path else layer.paths:
            out, added = _network(path, came, concat=concat, total=total, forward_shape=forward_shape)
            if forward_shape:
                came = out
            shapes.append(out)
            cost = cost + added
        if total == "sum adds":
            cost = cost + arch.Cost(flops=shapes[0][0] * shapes[0][1] * shapes[0][2])
        joined = layer.join if concat == "add" else concat
        channels = sum(out[0] for out in shapes) if joined == "concat" else shapes[-1][0]
        shape = (channels, *shapes[0][1:])
    return shape, cost


@mistake(NETWORK, hint="Paths that are added up keep their channels: only a concat adds the channels.")
def network_always_concat(network, shape):
    return _network(network, shape, concat="concat")


@mistake(NETWORK, hint="Put side by side, the channels of all paths add up.")
def network_always_sum(network, shape):
    return _network(network, shape, concat="sum")


@mistake(NETWORK, hint="Every path starts from what enters the branches, not from what the path before made.")
def network_in_a_row(network, shape):
    return _network(network, shape, forward_shape=True)


@mistake(NETWORK, hint="Only the first path is counted: the costs of all paths add up.")
def network_of_first_paths(network, shape):
    return _network(network, shape, one_path=True)


@mistake(NETWORK, hint="Joining costs nothing here; you count an operation for each number of the sum.")
def network_counts_joins(network, shape):
    return _network(network, shape, total="sum adds")


@mistake(NETWORK, hint="The shape never changes: hand each layer's output shape on to the next one.")
def network_keeps_shape(network, shape):
    cost, out = arch.Cost(), shape
    for layer in network:
        out, added = _network([layer], shape)
        cost = cost + added
    return out, cost


@mistake(NETWORK, hint="The last layer's cost is returned: add up the costs of all layers.")
def network_last_cost(network, shape):
    cost = arch.Cost()
    for layer in network:
        shape, cost = _network([layer], shape)
    return shape, cost


@mistake(FIELD, hint="A window adds K - 1, not K: its first input is counted already.")
def field_adds_kernel(layers):
    field, jump = 1, 1
    for layer in layers:
        field += layer.kernel * jump
        jump *= layer.stride
    return field, jump


@mistake(FIELD, hint="A layer's own stride widens the layers behind it, not the layer itself.")
def field_stride_first(layers):
    field, jump = 1, 1
    for layer in layers:
        jump *= layer.stride
        field += (layer.kernel - 1) * jump
    return field, jump


@mistake(FIELD, hint="Strides multiply: two of 2 make a jump of 4 once a third one follows.")
def field_adds_strides(layers):
    field, jump = 1, 1
    for layer in layers:
        field += (layer.kernel - 1) * jump
        jump += layer.stride - 1
    return field, jump


@mistake(FIELD, hint="Behind a stride, neighbouring inputs are several pixels apart: multiply by the jump.")
def field_without_jump(layers):
    field, jump = 1, 1
    for layer in layers:
        field += layer.kernel - 1
        jump *= layer.stride
    return field, jump


@mistake(FIELD, hint="Pools have windows and strides too: they count like convolutions.")
def field_skips_pools(layers):
    field, jump = 1, 1
    for layer in layers:
        if isinstance(layer, arch.Conv):
            field += (layer.kernel - 1) * jump
            jump *= layer.stride
    return field, jump


@mistake(FIELD, hint="Kernels do not multiply: two of 3 see 5 pixels, not 9.")
def field_multiplies(layers):
    field, jump = 1, 1
    for layer in layers:
        field *= layer.kernel
        jump *= layer.stride
    return field, jump


@mistake(FIELD, hint="The order is field, jump.")
def field_turned(layers):
    field, jump = 1, 1
    for layer in layers:
        field += (layer.kernel - 1) * jump
        jump *= layer.stride
    return jump, field


def _pixels(layers, height, width, dtype, *, weight=None, centre=None, pad=True, stride=True, start="one"):
    out, caches = torch.zeros(1, 1, height, width, dtype=dtype), []
    for layer in layers:
        value = 1 / layer.kernel**2 if weight is None else weight(layer)
        w = torch.full((1, 1, layer.kernel, layer.kernel), value, dtype=dtype)
        param = {"stride": layer.stride if stride else 1, "pad": layer.pad if pad else 0}
        out, cache = FastConv.forward(out, w, w.new_zeros(1), param)
        caches.append(cache)
    dout = torch.ones_like(out) if start == "all" else torch.zeros_like(out)
    rows, columns = out.shape[2:]
    row, column = (rows // 2, columns // 2) if centre is None else centre(rows, columns)
    dout[0, 0, row, column] = 1
    for cache in reversed(caches):
        dout, _, _ = FastConv.backward(dout, cache)
    return dout[0, 0]


@mistake(PIXELS, hint="The weights are 1 / K^2, so that each output is a mean: here they are 1.")
def pixels_of_ones(layers, height, width, dtype=torch.float32):
    return _pixels(layers, height, width, dtype, weight=lambda layer: 1.0)


@mistake(PIXELS, hint="A filter has K x K weights: 1 / K makes their sum K instead of 1.")
def pixels_of_one_over_kernel(layers, height, width, dtype=torch.float32):
    return _pixels(layers, height, width, dtype, weight=lambda layer: 1 / layer.kernel)


@mistake(PIXELS, hint="The gradient starts as 1 at the central output only: yours starts at all of them.")
def pixels_of_all_outputs(layers, height, width, dtype=torch.float32):
    return _pixels(layers, height, width, dtype, start="all")


@mistake(PIXELS, hint="This looks at the first output: the central one is row m // 2, column n // 2.")
def pixels_of_the_corner(layers, height, width, dtype=torch.float32):
    return _pixels(layers, height, width, dtype, centre=lambda rows, columns: (0, 0))


@mistake(PIXELS, hint="With an even number of outputs the central one is m // 2, counted from 0.")
def pixels_one_before(layers, height, width, dtype=torch.float32):
    return _pixels(layers, height, width, dtype, centre=lambda m, n: ((m - 1) // 2, (n - 1) // 2))


@mistake(PIXELS, hint="Padding is ignored: every layer has its own.")
def pixels_without_padding(layers, height, width, dtype=torch.float32):
    return _pixels(layers, height, width, dtype, pad=False)


@mistake(PIXELS, hint="Strides are ignored: every layer has its own.")
def pixels_without_strides(layers, height, width, dtype=torch.float32):
    return _pixels(layers, height, width, dtype, stride=False)


@mistake(PIXELS, hint="The image is on its side: height comes first.")
def pixels_turned(layers, height, width, dtype=torch.float32):
    return _pixels(layers, width, height, dtype)


@mistake(PIXELS, hint="This only says which pixels are seen: the gradient itself is asked for.")
def pixels_seen_or_not(layers, height, width, dtype=torch.float32):
    return (_pixels(layers, height, width, dtype) != 0).to(dtype)
