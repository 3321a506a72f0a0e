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


def _conv(x: Tensor, w: Tensor, b: Tensor, stride: int, pad: int) -> Tensor:
    return functional.conv2d(x, w, b, stride=stride, padding=pad)


def conv_forward(
    x: Float[Tensor, "N C H W"],
    w: Float[Tensor, "F C HH WW"],
    b: Float[Tensor, " F"],
    conv_param: dict[str, int],
) -> tuple[Float[Tensor, "N F H_out W_out"], Any]:
    """By `functional.conv2d`."""
    stride, pad = conv_param["stride"], conv_param["pad"]
    return _conv(x, w, b, stride, pad), (x, w, b, stride, pad)


def conv_backward(dout: Float[Tensor, "N F H_out W_out"], cache: Any) -> tuple[Tensor, ...]:
    """By autograd."""
    x, w, b, stride, pad = cache
    return vjp(lambda *inputs: _conv(*inputs, stride, pad), (x, w, b), dout)[1]


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
    return vjp(lambda x: _pool(x, pool_param), x, dout)[1]


conv_forward_stand_in = stand_in(f"{CNN}Conv.forward")(conv_forward)
conv_backward_stand_in = stand_in(f"{CNN}Conv.backward")(conv_backward)
fast_conv_forward_stand_in = stand_in(f"{CNN}FastConv.forward")(conv_forward)
fast_conv_backward_stand_in = stand_in(f"{CNN}FastConv.backward")(conv_backward)
pool_forward_stand_in = stand_in(f"{CNN}MaxPool.forward")(pool_forward)
pool_backward_stand_in = stand_in(f"{CNN}MaxPool.backward")(pool_backward)
fast_pool_forward_stand_in = stand_in(f"{CNN}FastMaxPool.forward")(pool_forward)
fast_pool_backward_stand_in = stand_in(f"{CNN}FastMaxPool.backward")(pool_backward)
