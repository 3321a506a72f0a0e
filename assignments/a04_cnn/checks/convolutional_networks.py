"""What is asked of `cnn.convolutional_networks`."""

import numpy as np

from exercise_code.support.checking.declare import check

from .common import AUTOGRAD, CNN

# Convolution and pooling
CONVOLUTIONS = [
    "torch.nn.functional.conv2d",
    "torch.conv2d",
    "torch.convolution",
    "torch.nn.functional.conv_transpose2d",
    "torch.nn.grad.conv2d_input",
    "torch.nn.grad.conv2d_weight",
]
POOLING = [
    "torch.nn.functional.max_pool2d",
    "torch.max_pool2d",
    "torch.nn.functional.max_pool2d_with_indices",
    "torch.nn.functional.adaptive_max_pool2d",
    "torch.nn.functional.max_unpool2d",
]
SIZE = f"{CNN}output_size"

CONV_CASES = [
    # x, w, stride and pad, output: gaps between windows, overlaps, and pixels that no window reaches
    ((2, 3, 5, 4), (4, 3, 2, 3), (1, 0), (2, 4, 4, 2)),
    ((2, 3, 4, 7), (4, 3, 3, 2), (2, 2), (2, 4, 3, 5)),
    ((1, 2, 8, 5), (3, 2, 2, 1), (3, 1), (1, 3, 3, 3)),
]
POOL_CASES = [
    # x, height, width and stride of the window, output
    ((2, 3, 6, 5), (3, 2, 2), (2, 3, 2, 2)),
    ((3, 2, 4, 5), (2, 3, 1), (3, 2, 3, 3)),
    ((1, 2, 7, 8), (2, 1, 3), (1, 2, 2, 3)),
]


def _conv_inputs(case, x, w, stride, pad):
    return case.feature_maps(*x), case.numbers(*w), case.numbers(w[0]), {"stride": stride, "pad": pad}


def _conv_outputs(layer, case):
    return {
        f"out for stride {stride}, pad {pad}": layer.forward(*_conv_inputs(case, x, w, stride, pad))[0]
        for x, w, (stride, pad), _ in CONV_CASES
    }


def _conv_gradients(layer, case):
    outputs = {}
    for x, w, (stride, pad), out in CONV_CASES:
        _, cache = layer.forward(*_conv_inputs(case, x, w, stride, pad))
        dx, dw, db = layer.backward(case.feature_maps(*out), cache)
        outputs[f"stride {stride}, pad {pad}"] = {"dx": dx, "dw": dw, "db": db}
    return outputs


def _pool_param(height, width, stride):
    return {"pool_height": height, "pool_width": width, "stride": stride}


def _pool_outputs(layer, case):
    outputs = {}
    for x, (height, width, stride), _ in POOL_CASES:
        out, _ = layer.forward(case.feature_maps(*x), _pool_param(height, width, stride))
        outputs[f"out for a window of {height} x {width}, stride {stride}"] = out
    negative = case.tensor(-1 - np.abs(case.feature_maps(2, 3, 4, 5).cpu().numpy()))
    return {**outputs, "out of negative numbers": layer.forward(negative, _pool_param(2, 3, 2))[0]}


def _pool_gradients(layer, case):
    outputs = {}
    for x, (height, width, stride), out in POOL_CASES:
        _, cache = layer.forward(case.feature_maps(*x), _pool_param(height, width, stride))
        dx = layer.backward(case.feature_maps(*out), cache)
        outputs[f"dx for a window of {height} x {width}, stride {stride}"] = dx
    return outputs


@check(SIZE, points=1)
def size_of_output(code, case):
    """How many windows fit along an axis."""
    output_size = code.cnn.convolutional_networks.output_size
    settings = [(8, 3, 2, 0), (7, 3, 2, 1), (9, 4, 3, 2), (5, 5, 1, 0), (6, 1, 4, 0), (11, 2, 1, 3), (9, 2)]
    return {f"output_size{setting}": output_size(*setting) for setting in settings}


@check(f"{SIZE}:too_large", points=0.5)
def kernel_too_large(code, case):
    """A kernel that does not fit is refused, one that just fits is not."""
    output_size = code.cnn.convolutional_networks.output_size
    found = {"output_size(3, 5, 2, 1)": output_size(3, 5, 2, 1)}
    for setting in ((2, 5, 1, 1), (3, 4, 1, 0), (1, 9, 5, 2)):
        try:
            answer = output_size(*setting)
        except ValueError:
            answer = "ValueError"
        found[f"output_size{setting}"] = answer
    return found


@check(f"{CNN}Conv.forward", points=3, uses=[SIZE], forbids=CONVOLUTIONS)
def conv_forward(code, case):
    """Every filter at every position of every image."""
    return _conv_outputs(code.cnn.convolutional_networks.Conv, case)


@check(
    f"{CNN}Conv.backward",
    points=4,
    uses=[SIZE, f"{CNN}Conv.forward"],
    forbids=[*AUTOGRAD, *CONVOLUTIONS],
)
def conv_backward(code, case):
    """Gradients of images, filters and biases."""
    return _conv_gradients(code.cnn.convolutional_networks.Conv, case)


@check(f"{CNN}MaxPool.forward", points=2, uses=[SIZE], forbids=POOLING)
def pool_forward(code, case):
    """The largest number of every window, of negative ones too."""
    return _pool_outputs(code.cnn.convolutional_networks.MaxPool, case)


@check(
    f"{CNN}MaxPool.backward", points=3, uses=[SIZE, f"{CNN}MaxPool.forward"], forbids=[*AUTOGRAD, *POOLING]
)
def pool_backward(code, case):
    """Gradients go to the winners, and add up."""
    return _pool_gradients(code.cnn.convolutional_networks.MaxPool, case)


@check(f"{CNN}FastConv.forward", points=3, uses=[SIZE], loops=0, forbids=CONVOLUTIONS)
def fast_conv_forward(code, case):
    """The same as with loops, as a matrix product."""
    return _conv_outputs(code.cnn.convolutional_networks.FastConv, case)


@check(
    f"{CNN}FastConv.backward",
    points=4,
    uses=[SIZE, f"{CNN}FastConv.forward"],
    loops=0,
    forbids=[*AUTOGRAD, *CONVOLUTIONS],
)
def fast_conv_backward(code, case):
    """The same gradients as with loops, as matrix products."""
    return _conv_gradients(code.cnn.convolutional_networks.FastConv, case)


@check(f"{CNN}FastMaxPool.forward", points=2, uses=[SIZE], loops=0, forbids=POOLING)
def fast_pool_forward(code, case):
    """The same maxima as with loops."""
    return _pool_outputs(code.cnn.convolutional_networks.FastMaxPool, case)


@check(
    f"{CNN}FastMaxPool.backward",
    points=2,
    uses=[SIZE, f"{CNN}FastMaxPool.forward"],
    loops=0,
    forbids=[*AUTOGRAD, *POOLING],
)
def fast_pool_backward(code, case):
    """The same gradients as with loops."""
    return _pool_gradients(code.cnn.convolutional_networks.FastMaxPool, case)
