"""What takes the place of exercises that are not right: the same by calls of the library.

None calls another exercise. Caches hold numbers alone: nobody can hand in what is to be differentiated.
"""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.functional import vjp
from torch.nn import functional

from exercise_code.support.checking.declare import stand_in

CNN = "cnn.convolutional_networks."


@stand_in(f"{CNN}output_size")
def output_size(size: int, kernel: int, stride: int = 1, pad: int = 0) -> int:
    """By `Tensor.unfold` of nothing."""
    axis = torch.empty(size + 2 * pad, device="meta")
    if kernel > len(axis):
        raise ValueError(f"a kernel of {kernel} does not fit into {len(axis)} pixels")
    return len(axis.unfold(0, kernel, stride))


def conv_forward(
    x: Float[Tensor, "N C H W"],
    w: Float[Tensor, "F C HH WW"],
    b: Float[Tensor, " F"],
    conv_param: dict[str, int],
) -> tuple[Float[Tensor, "N F H_out W_out"], Any]:
    """By `functional.conv2d`."""
    stride, pad = conv_param["stride"], conv_param["pad"]
    return functional.conv2d(x, w, b, stride=stride, padding=pad), (x, w, b, stride, pad)


def conv_backward(dout: Float[Tensor, "N F H_out W_out"], cache: Any) -> tuple[Tensor, ...]:
    """By `torch.nn.grad`."""
    x, w, b, stride, pad = cache
    dx = torch.nn.grad.conv2d_input(x.shape, w, dout, stride=stride, padding=pad)
    dw = torch.nn.grad.conv2d_weight(x, w.shape, dout, stride=stride, padding=pad)
    return dx, dw, dout.sum_to_size(1, len(b), 1, 1).flatten()


def _pool(x: Tensor, pool_param: dict[str, int]) -> Tensor:
    window = pool_param["pool_height"], pool_param["pool_width"]
    return functional.max_pool2d(x, window, stride=pool_param["stride"])


def pool_forward(
    x: Float[Tensor, "N C H W"], pool_param: dict[str, int]
) -> tuple[Float[Tensor, "N C H_out W_out"], Any]:
    """By `functional.max_pool2d`."""
    return _pool(x, pool_param), (x, {**pool_param})


def pool_backward(dout: Float[Tensor, "N C H_out W_out"], cache: Any) -> Float[Tensor, "N C H W"]:
    """By autograd."""
    x, pool_param = cache
    with torch.enable_grad():
        leaf = x.detach().requires_grad_()
        return torch.autograd.grad(_pool(leaf, pool_param), leaf, dout)[0]


conv_forward_stand_in = stand_in(f"{CNN}Conv.forward")(conv_forward)
conv_backward_stand_in = stand_in(f"{CNN}Conv.backward")(conv_backward)
fast_conv_forward_stand_in = stand_in(f"{CNN}FastConv.forward")(conv_forward)
fast_conv_backward_stand_in = stand_in(f"{CNN}FastConv.backward")(conv_backward)
pool_forward_stand_in = stand_in(f"{CNN}MaxPool.forward")(pool_forward)
pool_backward_stand_in = stand_in(f"{CNN}MaxPool.backward")(pool_backward)
fast_pool_forward_stand_in = stand_in(f"{CNN}FastMaxPool.forward")(pool_forward)
fast_pool_backward_stand_in = stand_in(f"{CNN}FastMaxPool.backward")(pool_backward)


def _batch_norm(x: Tensor, gamma: Tensor, beta: Tensor, mean: Tensor, var: Tensor, rest: Any) -> Tensor:
    training, eps = rest
    running = (None, None) if training else (mean, var)
    return functional.batch_norm(x, *running, gamma, beta, training=training, eps=eps)


def batch_norm_forward(
    x: Float[Tensor, "N C *places"],
    gamma: Float[Tensor, " C"],
    beta: Float[Tensor, " C"],
    bn_param: dict[str, Any],
) -> tuple[Float[Tensor, "N C *places"], Any]:
    """By `functional.batch_norm`."""
    old_mean = bn_param.get("running_mean", torch.zeros_like(gamma))
    old_var = bn_param.get("running_var", torch.zeros_like(gamma))
    rest = bn_param["mode"] == "train", bn_param.get("eps", 1e-5)
    if bn_param["mode"] == "train":
        var, mean = torch.var_mean(x.transpose(0, 1).flatten(1), dim=1, correction=0)
        share = 1 - bn_param.get("momentum", 0.9)
        bn_param["running_mean"] = torch.lerp(old_mean, mean, share)
        bn_param["running_var"] = torch.lerp(old_var, var, share)
    cache = x, gamma, beta, old_mean, old_var, rest
    return _batch_norm(*cache), cache


def batch_norm_backward(dout: Float[Tensor, "N C *places"], cache: Any) -> tuple[Tensor, ...]:
    """By autograd."""
    *inputs, mean, var, rest = cache
    return vjp(lambda *inputs: _batch_norm(*inputs, mean, var, rest), tuple(inputs), dout)[1]


batch_norm_forward_stand_in = stand_in(f"{CNN}BatchNorm.forward")(batch_norm_forward)
batch_norm_backward_stand_in = stand_in(f"{CNN}BatchNorm.backward")(batch_norm_backward)
batch_norm_backward_alt_stand_in = stand_in(f"{CNN}BatchNorm.backward_alt")(batch_norm_backward)
spatial_batch_norm_forward_stand_in = stand_in(f"{CNN}SpatialBatchNorm.forward")(batch_norm_forward)
spatial_batch_norm_backward_stand_in = stand_in(f"{CNN}SpatialBatchNorm.backward")(batch_norm_backward)


@stand_in(f"{CNN}LayerNorm.forward")
def layer_norm_forward(
    x: Float[Tensor, "N D"], gamma: Float[Tensor, " D"], beta: Float[Tensor, " D"], ln_param: dict[str, Any]
) -> tuple[Float[Tensor, "N D"], Any]:
    """By `functional.layer_norm`."""
    eps = ln_param.get("eps", 1e-5)
    return functional.layer_norm(x, gamma.shape, gamma, beta, eps), (x, gamma, beta, eps)


@stand_in(f"{CNN}LayerNorm.backward")
def layer_norm_backward(dout: Float[Tensor, "N D"], cache: Any) -> tuple[Tensor, ...]:
    """By autograd."""
    *inputs, eps = cache
    return vjp(lambda x, g, b: functional.layer_norm(x, g.shape, g, b, eps), tuple(inputs), dout)[1]


def _group_norm(x: Tensor, gamma: Tensor, beta: Tensor, G: int, eps: float) -> Tensor:
    return functional.group_norm(x, G, gamma.flatten(), beta.flatten(), eps)


@stand_in(f"{CNN}GroupNorm.forward")
def group_norm_forward(
    x: Float[Tensor, "N C H W"],
    gamma: Float[Tensor, "1 C 1 1"],
    beta: Float[Tensor, "1 C 1 1"],
    G: int,
    gn_param: dict[str, Any],
) -> tuple[Float[Tensor, "N C H W"], Any]:
    """By `functional.group_norm`."""
    if gamma.numel() % G:
        raise ValueError(f"{gamma.numel()} channels make no {G} equal groups")
    cache = x, gamma, beta, G, gn_param.get("eps", 1e-5)
    return _group_norm(*cache), cache


@stand_in(f"{CNN}InstanceNorm.forward")
def instance_norm_forward(
    x: Float[Tensor, "N C H W"],
    gamma: Float[Tensor, "1 C 1 1"],
    beta: Float[Tensor, "1 C 1 1"],
    in_param: dict[str, Any],
) -> tuple[Float[Tensor, "N C H W"], Any]:
    """By `functional.group_norm` with a group for each channel."""
    cache = x, gamma, beta, gamma.numel(), in_param.get("eps", 1e-5)
    return _group_norm(*cache), cache


def group_norm_backward(dout: Float[Tensor, "N C H W"], cache: Any) -> tuple[Tensor, ...]:
    """By autograd."""
    *inputs, G, eps = cache
    return vjp(lambda *inputs: _group_norm(*inputs, G, eps), tuple(inputs), dout)[1]


group_norm_backward_stand_in = stand_in(f"{CNN}GroupNorm.backward")(group_norm_backward)
instance_norm_backward_stand_in = stand_in(f"{CNN}InstanceNorm.backward")(group_norm_backward)
