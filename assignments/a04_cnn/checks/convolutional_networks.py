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
    for setting in ((2, 5, 1, 1), (3, 9, 1, 0), (1, 9, 5, 2)):
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


# Normalisation
NORMS = [
    f"torch.{place}{kind}_norm"
    for kind in ("batch", "layer", "group", "instance")
    for place in ("", "nn.functional.")
]
BN, SBN, LN, GN, IN = (
    [f"{CNN}{layer}.{way}" for way in ("forward", "backward")]
    for layer in ("BatchNorm", "SpatialBatchNorm", "LayerNorm", "GroupNorm", "InstanceNorm")
)
ALT = f"{CNN}BatchNorm.backward_alt"
NO_NORMS = [*AUTOGRAD, *NORMS]
OF_LAYERS = ["torch.autograd.grad", "torch.Tensor.requires_grad_", *NORMS]
"""What is ruled out where the `backward` of another layer is called."""


def _running(case, mode, size):
    """What batch norm is told, with large eps, so that its place shows."""
    spread = case.tensor(0.5 + np.abs(case.numbers(size).cpu().numpy()))
    return {
        "mode": mode,
        "eps": 0.3,
        "momentum": 0.7,
        "running_mean": case.numbers(size),
        "running_var": spread,
    }


def _remembered(bn_param):
    return {name: bn_param[name] for name in ("running_mean", "running_var")}


def _gradients(layer, backward, dout, cache):
    return dict(zip(("dx", "dgamma", "dbeta"), getattr(layer, backward)(dout, cache), strict=True))


def _batch_norm_gradients(code, case, mode, backward):
    BatchNorm = code.cnn.convolutional_networks.BatchNorm
    param = _running(case, mode, 5)
    _, cache = BatchNorm.forward(case.numbers(7, 5), case.numbers(5), case.numbers(5), param)
    return _gradients(BatchNorm, backward, case.numbers(7, 5), cache)


@check(BN[0], points=3, forbids=NORMS)
def batch_norm_forward(code, case):
    """Training: the batch's own mean and variance, and running averages of both."""
    forward = code.cnn.convolutional_networks.BatchNorm.forward
    gamma, beta, param = case.numbers(5), case.numbers(5), _running(case, "train", 5)
    first, _ = forward(case.numbers(7, 5), gamma, beta, param)
    after_one = _remembered(param)
    second, _ = forward(case.numbers(4, 5), gamma, beta, param)
    fresh = {"mode": "train"}
    bare, _ = forward(case.numbers(6, 5), gamma, beta, fresh)
    return {
        "out": first,
        "after one batch": after_one,
        "out of the next batch": second,
        "after two batches": _remembered(param),
        "out with nothing set": bare,
        "after the first of all batches": _remembered(fresh),
    }


@check(f"{BN[0]}:test_mode", points=2, forbids=NORMS)
def batch_norm_when_testing(code, case):
    """Testing: the running averages, which stay as they are; a batch of one as well."""
    forward = code.cnn.convolutional_networks.BatchNorm.forward
    gamma, beta, param = case.numbers(5), case.numbers(5), _running(case, "test", 5)
    outs = {f"out of {num}": forward(case.numbers(num, 5), gamma, beta, param)[0] for num in (7, 1)}
    return {**outs, **_remembered(param)}


@check(BN[1], points=3, uses=BN[:1], forbids=NO_NORMS)
def batch_norm_backward(code, case):
    """Gradients through the batch's mean and variance."""
    return _batch_norm_gradients(code, case, "train", "backward")


@check(f"{BN[1]}:test_mode", points=1, uses=BN[:1], forbids=NO_NORMS)
def batch_norm_backward_when_testing(code, case):
    """Gradients when testing, where mean and variance are constants."""
    return _batch_norm_gradients(code, case, "test", "backward")


@check(ALT, points=2, uses=BN[:1], forbids=NO_NORMS)
def batch_norm_backward_alt(code, case):
    """The same gradients by the formula."""
    return _batch_norm_gradients(code, case, "train", "backward_alt")


@check(f"{ALT}:test_mode", points=1, uses=BN[:1], forbids=NO_NORMS)
def batch_norm_backward_alt_when_testing(code, case):
    """Gradients when testing, by the formula."""
    return _batch_norm_gradients(code, case, "test", "backward_alt")


@check(SBN[0], points=3, uses=BN[:1], forbids=NORMS)
def spatial_batch_norm_forward(code, case):
    """One mean and one variance for each channel, in training and in testing."""
    forward = code.cnn.convolutional_networks.SpatialBatchNorm.forward
    outputs = {}
    for mode in ("train", "test"):
        param = _running(case, mode, 3)
        out, _ = forward(case.numbers(2, 3, 4, 5), case.numbers(3), case.numbers(3), param)
        outputs[f"out, mode {mode}"] = out
        outputs[f"running averages, mode {mode}"] = _remembered(param)
    return outputs


@check(SBN[1], points=2, uses=[*BN, ALT, SBN[0]], forbids=OF_LAYERS)
def spatial_batch_norm_backward(code, case):
    """Gradients of maps, gammas and betas, in training and in testing."""
    layer = code.cnn.convolutional_networks.SpatialBatchNorm
    outputs = {}
    for mode in ("train", "test"):
        inputs = case.numbers(2, 3, 4, 5), case.numbers(3), case.numbers(3)
        _, cache = layer.forward(*inputs, _running(case, mode, 3))
        outputs[f"mode {mode}"] = _gradients(layer, "backward", case.numbers(2, 3, 4, 5), cache)
    return outputs


@check(LN[0], points=2, forbids=NORMS)
def layer_norm_forward(code, case):
    """Every input by its own mean and variance; one input alone as well."""
    forward = code.cnn.convolutional_networks.LayerNorm.forward
    gamma, beta = case.numbers(6), case.numbers(6)
    outs = {f"out of {num}": forward(case.numbers(num, 6), gamma, beta, {"eps": 0.3})[0] for num in (4, 1)}
    return {**outs, "out with nothing set": forward(case.numbers(3, 6), gamma, beta, {})[0]}


@check(LN[1], points=2, uses=LN[:1], forbids=NO_NORMS)
def layer_norm_backward(code, case):
    """Gradients of inputs, gammas and betas."""
    layer = code.cnn.convolutional_networks.LayerNorm
    _, cache = layer.forward(case.numbers(4, 6), case.numbers(6), case.numbers(6), {"eps": 0.3})
    return _gradients(layer, "backward", case.numbers(4, 6), cache)


def _channels(case, num):
    return case.numbers(1, num, 1, 1), case.numbers(1, num, 1, 1)


@check(GN[0], points=2, uses=LN[:1], forbids=NORMS)
def group_norm_forward(code, case):
    """Two groups, three, and all channels in one; one image alone as well."""
    forward = code.cnn.convolutional_networks.GroupNorm.forward
    return {
        f"out of {num} for G={G}": forward(case.numbers(num, 6, 3, 5), *_channels(case, 6), G, {"eps": 0.3})[
            0
        ]
        for num, G in ((2, 2), (2, 3), (2, 1), (1, 1))
    }


@check(f"{GN[0]}:indivisible", points=0.5)
def group_norm_of_odd_groups(code, case):
    """Channels that do not make equal groups are refused."""
    forward = code.cnn.convolutional_networks.GroupNorm.forward
    found = {}
    for channels, G in ((6, 4), (3, 2), (4, 8)):
        try:
            forward(case.numbers(2, channels, 4, 2), *_channels(case, channels), G, {})
            found[f"{channels} channels, G={G}"] = "no error"
        except ValueError:
            found[f"{channels} channels, G={G}"] = "ValueError"
    return found


@check(GN[1], points=2, uses=[*LN, GN[0]], forbids=OF_LAYERS)
def group_norm_backward(code, case):
    """Gradients, each in the shape of what it belongs to."""
    layer = code.cnn.convolutional_networks.GroupNorm
    outputs = {}
    for G in (2, 3):
        _, cache = layer.forward(case.numbers(2, 6, 3, 5), *_channels(case, 6), G, {"eps": 0.3})
        outputs[f"G={G}"] = _gradients(layer, "backward", case.numbers(2, 6, 3, 5), cache)
    return outputs


@check(IN[0], points=1, uses=[LN[0], GN[0]], forbids=NORMS)
def instance_norm_forward(code, case):
    """Every channel of every image on its own."""
    forward = code.cnn.convolutional_networks.InstanceNorm.forward
    return {"out": forward(case.numbers(2, 4, 3, 5), *_channels(case, 4), {"eps": 0.3})[0]}


@check(IN[1], points=1, uses=[*LN, *GN, IN[0]], forbids=OF_LAYERS)
def instance_norm_backward(code, case):
    """Gradients of maps, gammas and betas."""
    layer = code.cnn.convolutional_networks.InstanceNorm
    _, cache = layer.forward(case.numbers(2, 4, 3, 5), *_channels(case, 4), {"eps": 0.3})
    return _gradients(layer, "backward", case.numbers(2, 4, 3, 5), cache)


START = "mlp.fully_connected_networks.FullyConnectedNet.__init__"
FCN_LAYERS = [
    f"mlp.fully_connected_networks.{layer}.{way}"
    for layer in ("Linear", "ReLU", "Dropout")
    for way in ("forward", "backward")
]


def _normalized_net(code, case, normalization, **settings):
    X = case.numbers(7, 2, 3)
    net = code.cnn.convolutional_networks.NormalizedNet(
        (5, 8), 6, 4, normalization=normalization, dtype=X.dtype, device=X.device, **settings
    )
    net.params = case.parameters(6, 5, 8, 4)
    if normalization:
        for layer, width in ((1, 5), (2, 8)):
            net.params |= {f"{name}{layer}": case.numbers(width) for name in ("gamma", "beta")}
    return net, X


@check(
    f"{CNN}NormalizedNet.loss",
    points=3,
    uses=[START, *FCN_LAYERS, *BN, ALT, *LN, "mlp.losses.softmax_loss"],
    forbids=OF_LAYERS,
)
def normalized_loss(code, case):
    """Loss and gradients with batch norm, with layer norm and with none."""
    outputs = {}
    for normalization in ("batch", "layer", None):
        net, X = _normalized_net(code, case, normalization, reg=0.3)
        loss, grads = net.loss(X, case.labels(7, num_classes=4))
        found = {"loss": loss, **{f"d{name}": grads[name] for name in sorted(grads)}}
        outputs[f"normalization={normalization!r}"] = found
    return outputs


@check(
    f"{CNN}NormalizedNet.loss:test_mode",
    points=1,
    uses=[START, *FCN_LAYERS[::2], BN[0], LN[0]],
    forbids=OF_LAYERS,
)
def normalized_scores(code, case):
    """Scores without labels: running averages in place of the batch's, and no unit dropped."""
    outputs = {}
    for normalization in ("batch", "layer"):
        net, X = _normalized_net(code, case, normalization, dropout=0.5)
        if normalization == "batch":
            net.norm_params = [_running(case, "train", width) for width in (5, 8)]
        outputs[f"scores, normalization={normalization!r}"] = net.loss(X)
    return outputs
