"""Layers and networks for images: every layer knows its own forward and backward pass."""

from itertools import product
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from exercise_code.mlp.fully_connected_networks import ReLU


def output_size(size: int, kernel: int, stride: int = 1, pad: int = 0) -> int:
    """How many positions a window has along one axis:  1 + floor((size + 2 pad - kernel) / stride).

    A window that would stick out at the far end is left out.

    Args:
        size: pixels along the axis, at least 1.
        kernel: pixels that the window covers along it, at least 1.
        stride: pixels from one position to the next, at least 1.
        pad: zeros added at each of the two ends, at least 0.

    Returns:
        The number of positions, a Python integer.

    Raises:
        ValueError: the kernel is larger than the padded axis.
    """
    ### BEGIN SOLUTION
    padded = size + 2 * pad
    if kernel > padded:
        raise ValueError(
            f"a kernel of {kernel} does not fit into {padded} pixels: pad more, or take a smaller one"
        )
    return 1 + (padded - kernel) // stride
    ### END SOLUTION


class Conv:
    """A convolutional layer in plain loops: the same small filters look at every place of an image."""

    @staticmethod
    def forward(
        x: Float[Tensor, "N C H W"],
        w: Float[Tensor, "F C HH WW"],
        b: Float[Tensor, " F"],
        conv_param: dict[str, int],
    ) -> tuple[Float[Tensor, "N F H_out W_out"], Any]:
        """Cross-correlate each image with each filter, and add the filter's bias.

        With x_pad, the images inside a frame of `pad` zeros on all four sides, and s the stride:

            out[n, f, i, j] = b[f] + sum over c, k, l of x_pad[n, c, i s + k, j s + l] w[f, c, k, l]

        The sizes H_out and W_out are those of `output_size`. x is not changed.
        Not allowed here: the convolutions of torch; `functional.pad` is.

        Args:
            x: N images with C channels each.
            w: F filters, each with all C channels.
            b: one bias for each filter.
            conv_param: `stride`, at least 1, and `pad`, at least 0, the same on both axes.

        Returns:
            The output, in the dtype and on the device of x, and a cache of whatever `backward` needs.
        """
        ### BEGIN SOLUTION
        stride, pad = conv_param["stride"], conv_param["pad"]
        (N, _, H, W), (F, _, HH, WW) = x.shape, w.shape
        H_out, W_out = output_size(H, HH, stride, pad), output_size(W, WW, stride, pad)
        x_pad = functional.pad(x, (pad, pad, pad, pad))
        out = x.new_zeros(N, F, H_out, W_out)
        for n, f, i, j in product(range(N), range(F), range(H_out), range(W_out)):
            top, left = i * stride, j * stride
            out[n, f, i, j] = (x_pad[n, :, top : top + HH, left : left + WW] * w[f]).sum() + b[f]
        return out, (x_pad, w, stride, pad)
        ### END SOLUTION

    @staticmethod
    def backward(
        dout: Float[Tensor, "N F H_out W_out"], cache: Any
    ) -> tuple[Float[Tensor, "N C H W"], Float[Tensor, "F C HH WW"], Float[Tensor, " F"]]:
        """Gradients of the loss with respect to all that went into `forward`.

        Each entry of dout goes back to the window that it came from: dx gains the filter times the entry, and
        dw gains the window times the entry. Not allowed here: autograd, the convolutions of torch.

        Args:
            dout: gradient of the loss with respect to the output.
            cache: from `forward`.

        Returns:
            dx in the shape of x, without the frame; dw and db.
        """
        ### BEGIN SOLUTION
        x_pad, w, stride, pad = cache
        HH, WW = w.shape[2:]
        dx_pad, dw = torch.zeros_like(x_pad), torch.zeros_like(w)
        for n, f, i, j in product(*map(range, dout.shape)):
            top, left = i * stride, j * stride
            dx_pad[n, :, top : top + HH, left : left + WW] += dout[n, f, i, j] * w[f]
            dw[f] += dout[n, f, i, j] * x_pad[n, :, top : top + HH, left : left + WW]
        dx = dx_pad[:, :, pad : x_pad.shape[2] - pad, pad : x_pad.shape[3] - pad]
        return dx, dw, dout.sum(dim=(0, 2, 3))
        ### END SOLUTION


class MaxPool:
    """Max pooling in plain loops: of each window only the largest number stays."""

    @staticmethod
    def forward(
        x: Float[Tensor, "N C H W"], pool_param: dict[str, int]
    ) -> tuple[Float[Tensor, "N C H_out W_out"], Any]:
        """The maximum of each window, in every channel on its own.

        Windows lie as in `output_size` without padding, so they overlap where the stride is smaller than they
        are, and pixels at the far end may belong to no window. Not allowed here: the pooling of torch.

        Args:
            x: N images with C channels each.
            pool_param: `pool_height`, `pool_width` and `stride`, each at least 1.

        Returns:
            The output, and a cache of whatever `backward` needs.
        """
        ### BEGIN SOLUTION
        HH, WW, stride = pool_param["pool_height"], pool_param["pool_width"], pool_param["stride"]
        N, C, H, W = x.shape
        out = x.new_zeros(N, C, output_size(H, HH, stride), output_size(W, WW, stride))
        for n, c, i, j in product(*map(range, out.shape)):
            top, left = i * stride, j * stride
            out[n, c, i, j] = x[n, c, top : top + HH, left : left + WW].max()
        return out, (x, HH, WW, stride)
        ### END SOLUTION

    @staticmethod
    def backward(dout: Float[Tensor, "N C H_out W_out"], cache: Any) -> Float[Tensor, "N C H W"]:
        """Each gradient goes to the largest number of its window, and is added to what is there.

        Where several are the largest, the first of them gets it. Not allowed here: autograd.

        Args:
            dout: gradient of the loss with respect to the output.
            cache: from `forward`.

        Returns:
            The gradient of the loss with respect to x.
        """
        ### BEGIN SOLUTION
        x, HH, WW, stride = cache
        dx = torch.zeros_like(x)
        for n, c, i, j in product(*map(range, dout.shape)):
            top, left = i * stride, j * stride
            row, column = divmod(int(x[n, c, top : top + HH, left : left + WW].argmax()), WW)
            dx[n, c, top + row, left + column] += dout[n, c, i, j]
        return dx
        ### END SOLUTION


class FastConv:
    """The same layer as `Conv` with no loop: all windows side by side are one matrix."""

    @staticmethod
    def forward(
        x: Float[Tensor, "N C H W"],
        w: Float[Tensor, "F C HH WW"],
        b: Float[Tensor, " F"],
        conv_param: dict[str, int],
    ) -> tuple[Float[Tensor, "N F H_out W_out"], Any]:
        """What `Conv.forward` computes, by `functional.unfold` and one matrix product.

        Not allowed here: Python loops, the convolutions of torch.

        Args:
            x: N images with C channels each.
            w: F filters, each with all C channels.
            b: one bias for each filter.
            conv_param: `stride`, at least 1, and `pad`, at least 0, the same on both axes.

        Returns:
            The output, and a cache of whatever `backward` needs.
        """
        ### BEGIN SOLUTION
        stride, pad = conv_param["stride"], conv_param["pad"]
        (H, W), (HH, WW) = x.shape[2:], w.shape[2:]
        columns = functional.unfold(x, (HH, WW), stride=stride, padding=pad)
        out = w.flatten(1) @ columns + b[:, None]
        out = out.unflatten(2, (output_size(H, HH, stride, pad), output_size(W, WW, stride, pad)))
        return out, (columns, w, (H, W), stride, pad)
        ### END SOLUTION

    @staticmethod
    def backward(
        dout: Float[Tensor, "N F H_out W_out"], cache: Any
    ) -> tuple[Float[Tensor, "N C H W"], Float[Tensor, "F C HH WW"], Float[Tensor, " F"]]:
        """What `Conv.backward` computes, by matrix products and `functional.fold`, which adds up overlaps.

        Not allowed here: Python loops, autograd, the convolutions of torch.

        Args:
            dout: gradient of the loss with respect to the output.
            cache: from `forward`.

        Returns:
            dx in the shape of x, dw and db.
        """
        ### BEGIN SOLUTION
        columns, w, image, stride, pad = cache
        dout = dout.flatten(2)
        dw = (dout @ columns.transpose(1, 2)).sum(dim=0).reshape(w.shape)
        dx = functional.fold(w.flatten(1).T @ dout, image, w.shape[2:], stride=stride, padding=pad)
        return dx, dw, dout.sum(dim=(0, 2))
        ### END SOLUTION


class FastMaxPool:
    """The same layer as `MaxPool` with no loop."""

    @staticmethod
    def forward(
        x: Float[Tensor, "N C H W"], pool_param: dict[str, int]
    ) -> tuple[Float[Tensor, "N C H_out W_out"], Any]:
        """What `MaxPool.forward` computes, by `functional.unfold` of each channel on its own.

        Not allowed here: Python loops, the pooling of torch.

        Args:
            x: N images with C channels each.
            pool_param: `pool_height`, `pool_width` and `stride`, each at least 1.

        Returns:
            The output, and a cache of whatever `backward` needs.
        """
        ### BEGIN SOLUTION
        HH, WW, stride = pool_param["pool_height"], pool_param["pool_width"], pool_param["stride"]
        N, C, H, W = x.shape
        windows = functional.unfold(x.reshape(N * C, 1, H, W), (HH, WW), stride=stride)
        out, winners = windows.max(dim=1)
        shape = (N, C, output_size(H, HH, stride), output_size(W, WW, stride))
        return out.reshape(shape), (winners, x.shape, (HH, WW), stride)
        ### END SOLUTION

    @staticmethod
    def backward(dout: Float[Tensor, "N C H_out W_out"], cache: Any) -> Float[Tensor, "N C H W"]:
        """What `MaxPool.backward` computes, by `scatter` and `functional.fold`.

        Not allowed here: Python loops, autograd.

        Args:
            dout: gradient of the loss with respect to the output.
            cache: from `forward`.

        Returns:
            The gradient of the loss with respect to x.
        """
        ### BEGIN SOLUTION
        winners, shape, (HH, WW), stride = cache
        dwindows = dout.new_zeros(len(winners), HH * WW, winners.shape[1])
        dwindows.scatter_(1, winners.unsqueeze(1), dout.reshape(len(winners), 1, -1))
        return functional.fold(dwindows, shape[2:], (HH, WW), stride=stride).reshape(shape)
        ### END SOLUTION


class Conv_ReLU:
    """A convolution and a rectifier."""

    @staticmethod
    def forward(
        x: Float[Tensor, "N C H W"],
        w: Float[Tensor, "F C HH WW"],
        b: Float[Tensor, " F"],
        conv_param: dict[str, int],
    ) -> tuple[Float[Tensor, "N F H_out W_out"], Any]:
        """`FastConv.forward`, then `ReLU.forward`."""
        out, conv_cache = FastConv.forward(x, w, b, conv_param)
        out, relu_cache = ReLU.forward(out)
        return out, (conv_cache, relu_cache)

    @staticmethod
    def backward(
        dout: Float[Tensor, "N F H_out W_out"], cache: Any
    ) -> tuple[Float[Tensor, "N C H W"], Float[Tensor, "F C HH WW"], Float[Tensor, " F"]]:
        """`ReLU.backward`, then `FastConv.backward`."""
        conv_cache, relu_cache = cache
        return FastConv.backward(ReLU.backward(dout, relu_cache), conv_cache)


class Conv_ReLU_Pool:
    """A convolution, a rectifier and max pooling."""

    @staticmethod
    def forward(
        x: Float[Tensor, "N C H W"],
        w: Float[Tensor, "F C HH WW"],
        b: Float[Tensor, " F"],
        conv_param: dict[str, int],
        pool_param: dict[str, int],
    ) -> tuple[Float[Tensor, "N F H_pool W_pool"], Any]:
        """`Conv_ReLU.forward`, then `FastMaxPool.forward`."""
        out, conv_cache = Conv_ReLU.forward(x, w, b, conv_param)
        out, pool_cache = FastMaxPool.forward(out, pool_param)
        return out, (conv_cache, pool_cache)

    @staticmethod
    def backward(
        dout: Float[Tensor, "N F H_pool W_pool"], cache: Any
    ) -> tuple[Float[Tensor, "N C H W"], Float[Tensor, "F C HH WW"], Float[Tensor, " F"]]:
        """`FastMaxPool.backward`, then `Conv_ReLU.backward`."""
        conv_cache, pool_cache = cache
        return Conv_ReLU.backward(FastMaxPool.backward(dout, pool_cache), conv_cache)
