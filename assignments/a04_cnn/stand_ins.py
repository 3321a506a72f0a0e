"""What takes the place of exercises that are not right: the same by calls of the library.

None calls another exercise. Caches hold numbers alone: nobody can hand in what is to be differentiated.
"""

import math
from collections.abc import Callable, Collection, Sequence
from itertools import pairwise
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.autograd.functional import vjp
from torch.nn import functional, init
from torch.utils.flop_counter import FlopCounterMode

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
    steps = {"stride": conv_param["stride"], "padding": conv_param["pad"]}
    return functional.conv2d(x, w, b, **steps), (x, w, b, steps)


def conv_backward(dout: Float[Tensor, "N F H_out W_out"], cache: Any) -> tuple[Tensor, ...]:
    """By `torch.nn.grad`."""
    x, w, b, steps = cache
    dx = torch.nn.grad.conv2d_input(x.shape, w, dout, **steps)
    dw = torch.nn.grad.conv2d_weight(x, w.shape, dout, **steps)
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
        (dx,) = torch.autograd.grad(_pool(leaf, pool_param), leaf, dout)
    return dx


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


@stand_in(f"{CNN}kaiming_initializer")
def kaiming_initializer(
    Din: int,
    Dout: int,
    K: int | None = None,
    relu: bool = True,
    device: torch.device | str = "cpu",
    dtype: torch.dtype = torch.float32,
) -> Tensor:
    """By `init.kaiming_normal_`, which wants the outputs first."""
    shape = (Dout, Din) if K is None else (Dout, Din, K, K)
    weights = torch.empty(shape, dtype=dtype, device=device)
    init.kaiming_normal_(weights, nonlinearity="relu" if relu else "linear")
    return weights.T.contiguous() if K is None else weights


def _kaiming(Din: int, Dout: int, K: int | None, relu: bool, **new: Any) -> Tensor:
    kind = "relu" if relu else "linear"
    if K is None:
        return init.kaiming_normal_(torch.empty(Dout, Din, **new), nonlinearity=kind).T.contiguous()
    return init.kaiming_normal_(torch.empty(Dout, Din, K, K, **new), nonlinearity=kind)


@stand_in(f"{CNN}ThreeLayerConvNet.__init__")
def three_layer_start(
    self: Any,
    input_dims: tuple[int, int, int] = (3, 32, 32),
    num_filters: int = 32,
    filter_size: int = 7,
    hidden_dim: int = 100,
    num_classes: int = 10,
    weight_scale: float = 1e-3,
    reg: float = 0.0,
    dtype: torch.dtype = torch.float32,
    device: torch.device | str = "cpu",
) -> None:
    """By `init.normal_`, in the shape that `functional.max_pool2d` leaves."""
    self.reg, self.dtype = reg, dtype
    flat = _pooled(input_dims, 1).numel() * num_filters
    filters = (num_filters, input_dims[0], filter_size, filter_size)
    shapes = [filters, (flat, hidden_dim), (hidden_dim, num_classes)]
    self.params = {}
    for layer, (shape, units) in enumerate(
        zip(shapes, (num_filters, hidden_dim, num_classes), strict=True), start=1
    ):
        weights = torch.empty(shape, dtype=dtype, device=device)
        self.params[f"W{layer}"] = init.normal_(weights, std=weight_scale)
        self.params[f"b{layer}"] = torch.empty(units, dtype=dtype, device=device).zero_()


def _pooled(input_dims: tuple[int, int, int], pools: int) -> Tensor:
    """One channel of an image after so many pools, without values."""
    plane = torch.empty(1, 1, *input_dims[1:], device="meta")
    for _ in range(pools):
        plane = functional.max_pool2d(plane, 2)
    return plane


@stand_in(f"{CNN}DeepConvNet.__init__")
def deep_start(
    self: Any,
    input_dims: tuple[int, int, int] = (3, 32, 32),
    num_filters: Sequence[int] = (8, 8, 8, 8, 8),
    max_pools: Collection[int] = (0, 1, 2, 3, 4),
    batchnorm: bool = False,
    num_classes: int = 10,
    weight_scale: float | str = 1e-3,
    reg: float = 0.0,
    weight_initializer: Callable[..., Tensor] | None = None,
    dtype: torch.dtype = torch.float32,
    device: torch.device | str = "cpu",
) -> None:
    """By `torch.nn.init`."""
    new: dict[str, Any] = {"dtype": dtype, "device": device}
    self.num_layers, self.max_pools = len(num_filters) + 1, sorted(max_pools)
    self.batchnorm, self.reg, self.dtype = batchnorm, reg, dtype
    self.mean = torch.zeros(input_dims[0], 1, 1, **new)
    self.bn_params = [{} for _ in num_filters] if batchnorm else []
    self.params = {}
    channels = [input_dims[0], *num_filters, num_classes]
    for layer, (inputs, outputs) in enumerate(pairwise(channels), start=1):
        last = layer == self.num_layers
        rows = inputs * _pooled(input_dims, len(self.max_pools)).numel() if last else inputs
        draw = weight_initializer or _kaiming
        weights = draw(rows, outputs, None if last else 3, relu=not last, **new)
        if weight_initializer is None and weight_scale != "kaiming":
            init.normal_(weights, std=float(weight_scale))
        self.params |= {f"W{layer}": weights, f"b{layer}": torch.empty(outputs, **new).zero_()}
        if batchnorm and not last:
            self.params |= {
                f"gamma{layer}": 1 + 0 * weights[:, 0, 0, 0],
                f"beta{layer}": 0 * weights[:, 0, 0, 0],
            }


@stand_in(f"{CNN}DeepConvNet.loss")
def deep_loss(self: Any, X: Float[Tensor, "N C H W"], y: Int[Tensor, " N"] | None = None) -> Any:
    """By the functions of torch and autograd."""
    training = y is not None
    images = X.to(self.dtype) - self.mean

    def scores(params: dict[str, Tensor]) -> Tensor:
        maps = images
        for layer, _ in enumerate(range(self.num_layers - 1), start=1):
            maps = functional.conv2d(maps, params[f"W{layer}"], params[f"b{layer}"], padding=1)
            if self.batchnorm:
                memory = self.bn_params[layer - 1]
                maps = _normed(maps, params[f"gamma{layer}"], params[f"beta{layer}"], memory, training)
            maps = functional.relu(maps)
            maps = functional.max_pool2d(maps, 2) if layer - 1 in self.max_pools else maps
        return functional.linear(maps.flatten(1), params[f"W{layer + 1}"].T, params[f"b{layer + 1}"])

    if y is None:
        return scores(self.params)

    def loss(*values: Tensor) -> Tensor:
        penalty = sum(value.square().sum() for value in values if value.dim() > 1)
        named = dict(zip(self.params, values, strict=True))
        return functional.cross_entropy(scores(named), y) + self.reg * penalty

    value, gradients = vjp(loss, tuple(self.params.values()))
    return value, dict(zip(self.params, gradients, strict=True))


def _normed(maps: Tensor, gamma: Tensor, beta: Tensor, memory: dict[str, Any], training: bool) -> Tensor:
    """By `functional.batch_norm`; what the norm remembers is brought up to date in training."""
    eps, momentum = memory.get("eps", 1e-5), memory.get("momentum", 0.9)
    mean = memory.setdefault("running_mean", torch.zeros_like(gamma))
    var = memory.setdefault("running_var", torch.zeros_like(gamma))
    if training:
        new_var, new_mean = torch.var_mean(maps.detach(), dim=(0, 2, 3), unbiased=False)
        memory["running_mean"] = torch.lerp(new_mean, mean, momentum)
        memory["running_var"] = torch.lerp(new_var, var, momentum)
        return functional.batch_norm(maps, None, None, gamma, beta, training=True, eps=eps)
    return functional.batch_norm(maps, mean, var, gamma, beta, eps=eps)


@stand_in("cnn.architectures.layer_cost")
def layer_cost(layer: Any, shape: tuple[int, int, int]) -> tuple[tuple[int, int, int], Any]:
    """By a module of `torch.nn` without values, whose parameters are counted."""
    from exercise_code.cnn.architectures import Cost

    kind = type(layer).__name__
    if kind == "Norm":
        return shape, Cost(parameters=sum(p.numel() for p in nn.BatchNorm2d(shape[0]).parameters()))
    with torch.device("meta"):
        module = {
            "Conv": lambda: nn.Conv2d(
                shape[0], layer.filters, layer.kernel, layer.stride, layer.pad, bias=layer.bias
            ),
            "Pool": lambda: nn.MaxPool2d(layer.kernel, layer.stride, layer.pad),
            "GlobalPool": lambda: nn.AdaptiveAvgPool2d(1),
            "Dense": lambda: nn.Sequential(
                nn.Flatten(), nn.Linear(math.prod(shape), layer.units), nn.Unflatten(1, (layer.units, 1, 1))
            ),
        }[kind]()
        image = torch.empty(1, *shape)
        with FlopCounterMode(display=False) as counter:
            out = module(image)
    parameters = sum(p.numel() for p in module.parameters())
    return tuple(out.shape[1:]), Cost(parameters, out.numel(), counter.get_total_flops())
