"""Layers and networks for images: every layer knows its own forward and backward pass."""

from collections.abc import Callable, Collection, Sequence
from functools import partial
from itertools import pairwise, product
from pathlib import Path
from typing import Any, ClassVar, Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from exercise_code.mlp.fully_connected_networks import Dropout, FullyConnectedNet, Linear, Linear_ReLU, ReLU
from exercise_code.mlp.losses import softmax_loss
from exercise_code.mlp.solver import Solver
from exercise_code.mlp.update_rules import adam

KEEP = {"stride": 1, "pad": 1}
"""How a 3 x 3 convolution keeps height and width."""
HALVE = {"pool_height": 2, "pool_width": 2, "stride": 2}
"""How a 2 x 2 pool halves them."""


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


class BatchNorm:
    """Batch normalisation: mean 0 and variance 1 for each feature (Ioffe and Szegedy, 2015)."""

    @staticmethod
    def forward(
        x: Float[Tensor, "N D"],
        gamma: Float[Tensor, " D"],
        beta: Float[Tensor, " D"],
        bn_param: dict[str, Any],
    ) -> tuple[Float[Tensor, "N D"], Any]:
        """gamma * (x - mean) / sqrt(var + eps) + beta, for each feature on its own.

        In training, mean and variance are those of the batch, the variance with N below; and each running
        average becomes  momentum * old + (1 - momentum) * of the batch.  In testing, the running averages
        are used and stay what they are. Not allowed here: batch_norm, layer_norm, group_norm and
        instance_norm of torch.

        Args:
            x: N inputs with D features each.
            gamma: scale of each feature.
            beta: shift of each feature.
            bn_param: `mode`, "train" or "test"; `eps` and `momentum`; `running_mean` and `running_var`, zeros
                until the first batch. Training stores new tensors under these two names.

        Returns:
            The output, and a cache for `backward` and `backward_alt`.
        """
        mode, eps, momentum = bn_param["mode"], bn_param.get("eps", 1e-5), bn_param.get("momentum", 0.9)
        running_mean = bn_param.get("running_mean", torch.zeros_like(gamma))
        running_var = bn_param.get("running_var", torch.zeros_like(gamma))
        ### BEGIN SOLUTION
        mean, var = running_mean, running_var
        if mode == "train":
            mean, var = x.mean(dim=0), x.var(dim=0, unbiased=False)
            bn_param["running_mean"] = momentum * running_mean + (1 - momentum) * mean
            bn_param["running_var"] = momentum * running_var + (1 - momentum) * var
        std = (var + eps).sqrt()
        x_hat = (x - mean) / std
        return gamma * x_hat + beta, (x_hat, std, gamma, mode)
        ### END SOLUTION

    @staticmethod
    def backward(
        dout: Float[Tensor, "N D"], cache: Any
    ) -> tuple[Float[Tensor, "N D"], Float[Tensor, " D"], Float[Tensor, " D"]]:
        """Gradients, one node of the computational graph after the other.

        In training, the gradient also flows through mean and variance, which depend on x; in testing these
        are constants. Not allowed here: autograd.

        Args:
            dout: gradient of the loss with respect to the output.
            cache: from `forward`, in either mode.

        Returns:
            dx, dgamma and dbeta.
        """
        ### BEGIN SOLUTION
        x_hat, std, gamma, mode = cache
        dgamma, dbeta = (dout * x_hat).sum(dim=0), dout.sum(dim=0)
        dx_hat = dout * gamma
        dcentred = dx_hat / std
        if mode == "test":
            return dcentred, dgamma, dbeta
        N, centred = len(dout), x_hat * std
        dstd = -(dx_hat * centred).sum(dim=0) / std**2
        dvar = dstd / (2 * std)
        dcentred = dcentred + 2 * centred * dvar / N
        dmean = -dcentred.sum(dim=0)
        return dcentred + dmean / N, dgamma, dbeta
        ### END SOLUTION

    @staticmethod
    def backward_alt(
        dout: Float[Tensor, "N D"], cache: Any
    ) -> tuple[Float[Tensor, "N D"], Float[Tensor, " D"], Float[Tensor, " D"]]:
        """The same gradients by the simplified formula.

        dx = gamma / sqrt(var + eps) * (dout - mean(dout) - x_hat * mean(dout * x_hat))  in training, both
        means over the batch; in testing only the first of the three terms is left.
        Not allowed here: autograd.

        Args:
            dout: gradient of the loss with respect to the output.
            cache: from `forward`, in either mode.

        Returns:
            dx, dgamma and dbeta.
        """
        ### BEGIN SOLUTION
        x_hat, std, gamma, mode = cache
        dgamma, dbeta = (dout * x_hat).sum(dim=0), dout.sum(dim=0)
        if mode == "train":
            dout = dout - (dbeta + x_hat * dgamma) / len(dout)
        return gamma / std * dout, dgamma, dbeta
        ### END SOLUTION


class SpatialBatchNorm:
    """Batch normalisation of feature maps: every channel over all images and all places."""

    @staticmethod
    def forward(
        x: Float[Tensor, "N C H W"],
        gamma: Float[Tensor, " C"],
        beta: Float[Tensor, " C"],
        bn_param: dict[str, Any],
    ) -> tuple[Float[Tensor, "N C H W"], Any]:
        """`BatchNorm.forward`, with a channel for a feature: its mean is taken over N, H and W.

        Not allowed here: batch_norm, layer_norm, group_norm and instance_norm of torch.

        Args:
            x: feature maps.
            gamma: scale of each channel.
            beta: shift of each channel.
            bn_param: as for `BatchNorm.forward`.

        Returns:
            The output, and a cache for `backward`.
        """
        ### BEGIN SOLUTION
        N, C, H, W = x.shape
        rows = x.permute(0, 2, 3, 1).reshape(-1, C)
        out, cache = BatchNorm.forward(rows, gamma, beta, bn_param)
        return out.reshape(N, H, W, C).permute(0, 3, 1, 2), cache
        ### END SOLUTION

    @staticmethod
    def backward(
        dout: Float[Tensor, "N C H W"], cache: Any
    ) -> tuple[Float[Tensor, "N C H W"], Float[Tensor, " C"], Float[Tensor, " C"]]:
        """Gradients of the loss with respect to all that went into `forward`, in either mode.

        Not allowed here: autograd.

        Args:
            dout: gradient of the loss with respect to the output.
            cache: from `forward`.

        Returns:
            dx, dgamma and dbeta.
        """
        ### BEGIN SOLUTION
        N, C, H, W = dout.shape
        rows = dout.permute(0, 2, 3, 1).reshape(-1, C)
        dx, dgamma, dbeta = BatchNorm.backward_alt(rows, cache)
        return dx.reshape(N, H, W, C).permute(0, 3, 1, 2), dgamma, dbeta
        ### END SOLUTION


class Linear_BatchNorm_ReLU:
    """A linear layer, batch norm and a rectifier."""

    @staticmethod
    def forward(
        x: Float[Tensor, "N *image"],
        w: Float[Tensor, "D M"],
        b: Float[Tensor, " M"],
        gamma: Float[Tensor, " M"],
        beta: Float[Tensor, " M"],
        bn_param: dict[str, Any],
    ) -> tuple[Float[Tensor, "N M"], Any]:
        """`Linear.forward`, then `BatchNorm.forward`, then `ReLU.forward`."""
        out, linear_cache = Linear.forward(x, w, b)
        out, norm_cache = BatchNorm.forward(out, gamma, beta, bn_param)
        out, relu_cache = ReLU.forward(out)
        return out, (linear_cache, norm_cache, relu_cache)

    @staticmethod
    def backward(dout: Float[Tensor, "N M"], cache: Any) -> tuple[Tensor, ...]:
        """dx, dw, db, dgamma and dbeta, by the layers' `backward` in the opposite order."""
        linear_cache, norm_cache, relu_cache = cache
        dnormed = ReLU.backward(dout, relu_cache)
        dlinear, dgamma, dbeta = BatchNorm.backward_alt(dnormed, norm_cache)
        return *Linear.backward(dlinear, linear_cache), dgamma, dbeta


class Conv_BatchNorm_ReLU:
    """A convolution, batch norm and a rectifier."""

    @staticmethod
    def forward(
        x: Float[Tensor, "N C H W"],
        w: Float[Tensor, "F C HH WW"],
        b: Float[Tensor, " F"],
        gamma: Float[Tensor, " F"],
        beta: Float[Tensor, " F"],
        conv_param: dict[str, int],
        bn_param: dict[str, Any],
    ) -> tuple[Float[Tensor, "N F H_out W_out"], Any]:
        """`FastConv.forward`, then `SpatialBatchNorm.forward`, then `ReLU.forward`."""
        out, conv_cache = FastConv.forward(x, w, b, conv_param)
        out, norm_cache = SpatialBatchNorm.forward(out, gamma, beta, bn_param)
        out, relu_cache = ReLU.forward(out)
        return out, (conv_cache, norm_cache, relu_cache)

    @staticmethod
    def backward(dout: Float[Tensor, "N F H_out W_out"], cache: Any) -> tuple[Tensor, ...]:
        """dx, dw, db, dgamma and dbeta, by the layers' `backward` in the opposite order."""
        conv_cache, norm_cache, relu_cache = cache
        dnormed = ReLU.backward(dout, relu_cache)
        dconv, dgamma, dbeta = SpatialBatchNorm.backward(dnormed, norm_cache)
        return *FastConv.backward(dconv, conv_cache), dgamma, dbeta


class Conv_BatchNorm_ReLU_Pool:
    """A convolution, batch norm, a rectifier and max pooling."""

    @staticmethod
    def forward(
        x: Float[Tensor, "N C H W"],
        w: Float[Tensor, "F C HH WW"],
        b: Float[Tensor, " F"],
        gamma: Float[Tensor, " F"],
        beta: Float[Tensor, " F"],
        conv_param: dict[str, int],
        bn_param: dict[str, Any],
        pool_param: dict[str, int],
    ) -> tuple[Float[Tensor, "N F H_pool W_pool"], Any]:
        """`Conv_BatchNorm_ReLU.forward`, then `FastMaxPool.forward`."""
        out, norm_cache = Conv_BatchNorm_ReLU.forward(x, w, b, gamma, beta, conv_param, bn_param)
        out, pool_cache = FastMaxPool.forward(out, pool_param)
        return out, (norm_cache, pool_cache)

    @staticmethod
    def backward(dout: Float[Tensor, "N F H_pool W_pool"], cache: Any) -> tuple[Tensor, ...]:
        """`FastMaxPool.backward`, then `Conv_BatchNorm_ReLU.backward`."""
        norm_cache, pool_cache = cache
        return Conv_BatchNorm_ReLU.backward(FastMaxPool.backward(dout, pool_cache), norm_cache)


class LayerNorm:
    """Layer normalisation: every input on its own, over its features (Ba et al., 2016)."""

    @staticmethod
    def forward(
        x: Float[Tensor, "N D"],
        gamma: Float[Tensor, " D"],
        beta: Float[Tensor, " D"],
        ln_param: dict[str, Any],
    ) -> tuple[Float[Tensor, "N D"], Any]:
        """gamma * (x - mean) / sqrt(var + eps) + beta, mean and variance (with D below) of each input.

        Training and testing are the same. Not allowed here: batch_norm, layer_norm, group_norm and
        instance_norm of torch.

        Args:
            x: N inputs with D features each.
            gamma: scale of each feature.
            beta: shift of each feature.
            ln_param: may hold `eps`.

        Returns:
            The output, and a cache for `backward`.
        """
        eps = ln_param.get("eps", 1e-5)
        ### BEGIN SOLUTION
        mean, var = x.mean(dim=1, keepdim=True), x.var(dim=1, unbiased=False, keepdim=True)
        std = (var + eps).sqrt()
        x_hat = (x - mean) / std
        return gamma * x_hat + beta, (x_hat, std, gamma)
        ### END SOLUTION

    @staticmethod
    def backward(
        dout: Float[Tensor, "N D"], cache: Any
    ) -> tuple[Float[Tensor, "N D"], Float[Tensor, " D"], Float[Tensor, " D"]]:
        """Gradients of the loss with respect to all that went into `forward`.

        Not allowed here: autograd.

        Args:
            dout: gradient of the loss with respect to the output.
            cache: from `forward`.

        Returns:
            dx, dgamma and dbeta.
        """
        ### BEGIN SOLUTION
        x_hat, std, gamma = cache
        dx_hat = dout * gamma
        mean, projection = dx_hat.mean(dim=1, keepdim=True), (dx_hat * x_hat).mean(dim=1, keepdim=True)
        return (dx_hat - mean - x_hat * projection) / std, (dout * x_hat).sum(dim=0), dout.sum(dim=0)
        ### END SOLUTION


class GroupNorm:
    """Group normalisation: every group of channels of every image on its own (Wu and He, 2018)."""

    @staticmethod
    def forward(
        x: Float[Tensor, "N C H W"],
        gamma: Float[Tensor, "1 C 1 1"],
        beta: Float[Tensor, "1 C 1 1"],
        G: int,
        gn_param: dict[str, Any],
    ) -> tuple[Float[Tensor, "N C H W"], Any]:
        """Each image's channels, in order, make G groups, which are normalised over channels, H and W.

        Not allowed here: batch_norm, layer_norm, group_norm and instance_norm of torch.

        Args:
            x: feature maps.
            gamma: scale of each channel.
            beta: shift of each channel.
            G: number of groups.
            gn_param: may hold `eps`, 1e-5 if it does not.

        Returns:
            The output, and a cache for `backward`.

        Raises:
            ValueError: C is no multiple of G.
        """
        ### BEGIN SOLUTION
        if x.shape[1] % G:
            raise ValueError(f"{x.shape[1]} channels make no {G} equal groups: choose a divisor")
        rows = x.reshape(len(x) * G, -1)
        one = torch.ones_like(rows[0])
        x_hat, cache = LayerNorm.forward(rows, one, torch.zeros_like(one), gn_param)
        x_hat = x_hat.reshape(x.shape)
        return gamma * x_hat + beta, (x_hat, gamma, G, cache)
        ### END SOLUTION

    @staticmethod
    def backward(
        dout: Float[Tensor, "N C H W"], cache: Any
    ) -> tuple[Float[Tensor, "N C H W"], Float[Tensor, "1 C 1 1"], Float[Tensor, "1 C 1 1"]]:
        """Gradients of the loss with respect to x, gamma and beta.

        Not allowed here: autograd.

        Args:
            dout: gradient of the loss with respect to the output.
            cache: from `forward`.

        Returns:
            dx, dgamma and dbeta, each in the shape of what it belongs to.
        """
        ### BEGIN SOLUTION
        x_hat, gamma, G, rows_cache = cache
        dx, _, _ = LayerNorm.backward((dout * gamma).reshape(len(dout) * G, -1), rows_cache)
        dgamma = (dout * x_hat).sum(dim=(0, 2, 3), keepdim=True)
        return dx.reshape(dout.shape), dgamma, dout.sum(dim=(0, 2, 3), keepdim=True)
        ### END SOLUTION


class InstanceNorm:
    """Instance normalisation: every channel of every image on its own (Ulyanov et al., 2016)."""

    @staticmethod
    def forward(
        x: Float[Tensor, "N C H W"],
        gamma: Float[Tensor, "1 C 1 1"],
        beta: Float[Tensor, "1 C 1 1"],
        in_param: dict[str, Any],
    ) -> tuple[Float[Tensor, "N C H W"], Any]:
        """Group normalisation with a group for each channel.

        Not allowed here: batch_norm, layer_norm, group_norm and instance_norm of torch.

        Args:
            x: feature maps.
            gamma: scale of each channel.
            beta: shift of each channel.
            in_param: may hold `eps`, 1e-5 if it does not.

        Returns:
            The output, and a cache for `backward`.
        """
        ### BEGIN SOLUTION
        return GroupNorm.forward(x, gamma, beta, x.shape[1], in_param)
        ### END SOLUTION

    @staticmethod
    def backward(
        dout: Float[Tensor, "N C H W"], cache: Any
    ) -> tuple[Float[Tensor, "N C H W"], Float[Tensor, "1 C 1 1"], Float[Tensor, "1 C 1 1"]]:
        """Gradients of the loss with respect to x, gamma and beta.

        Not allowed here: autograd.

        Args:
            dout: gradient of the loss with respect to the output.
            cache: from `forward`.

        Returns:
            dx, dgamma and dbeta, each in the shape of what it belongs to.
        """
        ### BEGIN SOLUTION
        return GroupNorm.backward(dout, cache)
        ### END SOLUTION


def moved(value: Any, dtype: torch.dtype, device: torch.device | str) -> Any:
    """The same with every tensor in it, in dicts and lists too, in this dtype and on this device."""
    if isinstance(value, Tensor):
        return value.to(device, dtype)
    if isinstance(value, dict):
        return {name: moved(entry, dtype, device) for name, entry in value.items()}
    return [moved(entry, dtype, device) for entry in value] if isinstance(value, list) else value


class Saved:
    """A network that goes to a file and comes back: the attributes that SAVED names."""

    SAVED: ClassVar[tuple[str, ...]] = ("params", "reg")

    def save(self, path: str | Path) -> None:
        """Write the parameters, what norms remember, and the settings to a file."""
        torch.save({name: getattr(self, name) for name in self.SAVED}, path)

    def load(
        self, path: str | Path, dtype: torch.dtype = torch.float32, device: torch.device | str = "cpu"
    ) -> None:
        """Take over what `save` wrote."""
        self.restore(torch.load(path, weights_only=True, map_location="cpu"), dtype, device)

    def restore(
        self,
        saved: dict[str, Any],
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = "cpu",
    ) -> None:
        """Take over the content of such a file."""
        vars(self).update({name: moved(saved[name], dtype, device) for name in self.SAVED}, dtype=dtype)


class NormalizedNet(FullyConnectedNet):
    """`FullyConnectedNet`, completed: (linear - [norm] - activation - dropout) x (L - 1) - linear - softmax.

    With a norm, `params` also holds gamma1, beta1, … for each hidden layer.
    """

    def __init__(self, *args: Any, normalization: Literal["batch", "layer"] | None = None, **settings: Any):
        """Fill `params` as `FullyConnectedNet` does; gammas are 1 and betas 0.

        Args:
            *args: as of `FullyConnectedNet`.
            normalization: which norm follows each hidden layer's product.
            **settings: as of `FullyConnectedNet`.
        """
        super().__init__(*args, **settings)
        self.normalization = normalization
        self.norm_params: list[dict[str, Any]] = [{} for _ in range(self.num_layers - 1)]
        if normalization is not None:
            for layer in range(1, len(self.norm_params) + 1):
                self.params[f"gamma{layer}"] = torch.ones_like(self.params[f"b{layer}"])
                self.params[f"beta{layer}"] = torch.zeros_like(self.params[f"b{layer}"])

    def loss(
        self, X: Float[Tensor, "N *image"], y: Int[Tensor, " N"] | None = None
    ) -> Float[Tensor, "N C"] | tuple[Float[Tensor, ""], dict[str, Tensor]]:
        """Scores, in test mode; or with labels the loss, in training mode, and its gradients.

        Layer l normalises with `norm_params[l - 1]`, whose mode is set. Not allowed here: autograd.

        Args:
            X: images on the device of the parameters.
            y: labels, int64, or None.

        Returns:
            Without y the scores; with y the loss as a tensor without axes, and a dict from the names in
            `params` to gradients. The penalty is on the weights alone.
        """
        X = X.to(self.dtype)
        mode = "test" if y is None else "train"
        dropout_param = {"p": self.dropout, "mode": mode, "seed": self.seed}
        for norm_param in self.norm_params:
            norm_param["mode"] = mode
        norm = {"batch": BatchNorm, "layer": LayerNorm, None: None}[self.normalization]
        ### BEGIN SOLUTION
        params, last, out, caches = self.params, self.num_layers, X, []
        for layer in range(1, last):
            out, linear = Linear.forward(out, params[f"W{layer}"], params[f"b{layer}"])
            normed = None
            if norm:
                gamma, beta = params[f"gamma{layer}"], params[f"beta{layer}"]
                out, normed = norm.forward(out, gamma, beta, self.norm_params[layer - 1])
            out, active = self.activation.forward(out)
            out, dropped = Dropout.forward(out, dropout_param)
            caches.append((linear, normed, active, dropped))
        scores, linear = Linear.forward(out, params[f"W{last}"], params[f"b{last}"])
        if y is None:
            return scores

        loss, dout = softmax_loss(scores, y)
        grads = {}
        dout, grads[f"W{last}"], grads[f"b{last}"] = Linear.backward(dout, linear)
        for layer in reversed(range(1, last)):
            linear, normed, active, dropped = caches[layer - 1]
            dout = self.activation.backward(Dropout.backward(dout, dropped), active)
            if norm:
                dout, grads[f"gamma{layer}"], grads[f"beta{layer}"] = norm.backward(dout, normed)
            dout, grads[f"W{layer}"], grads[f"b{layer}"] = Linear.backward(dout, linear)
        for layer in range(1, last + 1):
            loss = loss + self.reg * params[f"W{layer}"].square().sum()
            grads[f"W{layer}"] = grads[f"W{layer}"] + 2 * self.reg * params[f"W{layer}"]
        return loss, grads
        ### END SOLUTION

    def save(self, path: str | Path) -> None:
        """Write the parameters, what the norms remember, and the settings to a file."""
        names = ("params", "dropout", "reg", "normalization", "norm_params")
        saved = {name: getattr(self, name) for name in names}
        torch.save({**saved, "activation": self.activation.__name__}, path)

    def restore(
        self,
        saved: dict[str, Any],
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = "cpu",
    ) -> None:
        """Take over the content of such a file."""
        super().restore(saved, dtype, device)
        self.num_layers = sum(name.startswith("W") for name in self.params)
        self.normalization = saved["normalization"]
        self.norm_params = moved(saved["norm_params"], dtype, device)


def kaiming_initializer(
    Din: int,
    Dout: int,
    K: int | None = None,
    relu: bool = True,
    device: torch.device | str = "cpu",
    dtype: torch.dtype = torch.float32,
) -> Float[Tensor, "Din Dout"] | Float[Tensor, "Dout Din K K"]:
    """Normal weights of mean 0 and variance gain / fan_in (He et al., 2015, eq. 10).

    fan_in is how many numbers an output sums up: Din for a linear layer, Din K^2 for a convolution. The gain
    is 2 when a ReLU follows, and 1 otherwise. Not allowed here: torch.nn.init.

    Args:
        Din: inputs of the layer, or channels that come in.
        Dout: outputs of the layer, or filters.
        K: height and width of the filters; None makes weights of a linear layer.
        relu: whether a ReLU follows.
        device: of the weights.
        dtype: of the weights.

    Returns:
        The weights, (Din, Dout) or (Dout, Din, K, K).
    """
    ### BEGIN SOLUTION
    size = (Din, Dout) if K is None else (Dout, Din, K, K)
    fan_in = Din * (K or 1) ** 2
    gain = 2 if relu else 1
    return (gain / fan_in) ** 0.5 * torch.randn(size, dtype=dtype, device=device)
    ### END SOLUTION


def initial_weights(
    Din: int,
    Dout: int,
    K: int | None = None,
    relu: bool = True,
    device: torch.device | str = "cpu",
    dtype: torch.dtype = torch.float32,
    *,
    weight_scale: float | Literal["kaiming"],
) -> Tensor:
    """Weights by `kaiming_initializer`, or of the same shape with a standard deviation of your own.

    Raises:
        ValueError: there is no rule of that name.
    """
    if isinstance(weight_scale, str) and weight_scale != "kaiming":
        raise ValueError(f"there is no rule {weight_scale!r}: give a number or 'kaiming'")
    if weight_scale == "kaiming":
        return kaiming_initializer(Din, Dout, K, relu, device, dtype)
    shape = (Din, Dout) if K is None else (Dout, Din, K, K)
    return weight_scale * torch.randn(shape, dtype=dtype, device=device)


class ThreeLayerConvNet(Saved):
    """conv - ReLU - 2 x 2 max pool - linear - ReLU - linear - softmax.

    `params` holds W1 (num_filters, channels, filter_size, filter_size), b1, W2 (numbers that leave the pool,
    hidden_dim), b2, W3 (hidden_dim, num_classes), b3.
    """

    def __init__(
        self,
        input_dims: tuple[int, int, int] = (3, 32, 32),
        num_filters: int = 32,
        filter_size: int = 7,
        hidden_dim: int = 100,
        num_classes: int = 10,
        weight_scale: float = 1e-3,
        reg: float = 0.0,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = "cpu",
    ):
        """Fill `params`: weights drawn from a normal distribution, biases 0.

        The convolution keeps height and width; the pool halves them, and an odd last row or column is lost.

        Args:
            input_dims: channels, height and width of an image.
            num_filters: filters of the convolution.
            filter_size: their height and width, an odd number.
            hidden_dim: hidden units of the first linear layer.
            num_classes: scores.
            weight_scale: standard deviation of the weights.
            reg: strength of the L2 penalty  reg * sum(W^2)  on the weights of all layers.
            dtype: of the parameters; inputs are brought to it.
            device: of the parameters.
        """
        self.reg, self.dtype = reg, dtype
        self.params: dict[str, Tensor] = {}
        ### BEGIN SOLUTION
        channels, height, width = input_dims
        pooled = num_filters * (height // 2) * (width // 2)
        filters = num_filters, channels, filter_size, filter_size
        shapes = [filters, (pooled, hidden_dim), (hidden_dim, num_classes)]
        for layer, shape in enumerate(shapes, start=1):
            units = shape[0] if layer == 1 else shape[1]
            self.params[f"W{layer}"] = weight_scale * torch.randn(shape, dtype=dtype, device=device)
            self.params[f"b{layer}"] = torch.zeros(units, dtype=dtype, device=device)
        ### END SOLUTION

    def loss(
        self, X: Float[Tensor, "N C H W"], y: Int[Tensor, " N"] | None = None
    ) -> Float[Tensor, "N classes"] | tuple[Float[Tensor, ""], dict[str, Tensor]]:
        """Scores; or with labels the loss, penalty included, and its gradients.

        The convolution has stride 1 and as much padding as keeps the size. Build it from the layers'
        `forward` and `backward`. Not allowed here: autograd.

        Args:
            X: images on the device of the parameters.
            y: labels, int64, or None.

        Returns:
            Without y the scores; with y the loss as a tensor without axes, and a dict from the names in
            `params` to gradients.
        """
        X = X.to(self.dtype)
        ### BEGIN SOLUTION
        W1, b1, W2, b2, W3, b3 = (self.params[name] for name in ("W1", "b1", "W2", "b2", "W3", "b3"))
        conv_param = {"stride": 1, "pad": W1.shape[2] // 2}
        out, conv = Conv_ReLU_Pool.forward(X, W1, b1, conv_param, HALVE)
        out, hidden = Linear_ReLU.forward(out, W2, b2)
        scores, linear = Linear.forward(out, W3, b3)
        if y is None:
            return scores

        loss, dout = softmax_loss(scores, y)
        grads = {}
        dout, grads["W3"], grads["b3"] = Linear.backward(dout, linear)
        dout, grads["W2"], grads["b2"] = Linear_ReLU.backward(dout, hidden)
        _, grads["W1"], grads["b1"] = Conv_ReLU_Pool.backward(dout, conv)
        for name in ("W1", "W2", "W3"):
            loss = loss + self.reg * self.params[name].square().sum()
            grads[name] = grads[name] + 2 * self.reg * self.params[name]
        return loss, grads
        ### END SOLUTION


class DeepConvNet(Saved):
    """(3 x 3 conv - [batch norm] - ReLU - [2 x 2 max pool]) x (L - 1) - linear - softmax.

    `params` holds W1, b1 for the first layer up to WL, bL for the last; with batch norm also gamma1, beta1 up
    to gamma(L-1), beta(L-1).

    Attributes:
        bn_params: what each batch norm remembers, a dict for each convolution; empty without batch norm.
        mean: the mean colour, which `loss` takes off every image; 0 unless set.
    """

    SAVED = ("params", "bn_params", "mean", "reg", "batchnorm", "max_pools")

    def __init__(
        self,
        input_dims: tuple[int, int, int] = (3, 32, 32),
        num_filters: Sequence[int] = (8, 8, 8, 8, 8),
        max_pools: Collection[int] = (0, 1, 2, 3, 4),
        batchnorm: bool = False,
        num_classes: int = 10,
        weight_scale: float | Literal["kaiming"] = 1e-3,
        reg: float = 0.0,
        weight_initializer: Callable[..., Tensor] | None = None,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = "cpu",
    ):
        """Fill `params`: weights by `draw`, biases and betas 0, gammas 1.

        The convolutions keep height and width; a pool halves them, rounded down.

        Args:
            input_dims: channels, height and width of an image.
            num_filters: filters of each convolution.
            max_pools: which of the convolutions, counted from 0, a pool follows.
            batchnorm: whether a spatial batch norm follows each convolution.
            num_classes: scores.
            weight_scale: standard deviation of the weights, or "kaiming": then the last layer, which no ReLU
                follows, has gain 1.
            reg: strength of the L2 penalty  reg * sum(W^2)  on the weights of all layers, not on gammas.
            weight_initializer: draws the weights in place of weight_scale; a function with the arguments of
                `kaiming_initializer`.
            dtype: of the parameters; inputs are brought to it.
            device: of the parameters.
        """
        self.num_layers = len(num_filters) + 1
        self.max_pools, self.batchnorm = sorted(max_pools), batchnorm
        self.reg, self.dtype = reg, dtype
        self.mean = torch.zeros(input_dims[0], 1, 1, dtype=dtype, device=device)
        self.bn_params: list[dict[str, Any]] = [{} for _ in num_filters] if batchnorm else []
        self.params: dict[str, Tensor] = {}
        new: dict[str, Any] = {"dtype": dtype, "device": device}
        draw = weight_initializer or partial(initial_weights, weight_scale=weight_scale)
        ### BEGIN SOLUTION
        channels, height, width = input_dims
        for layer, (Din, Dout) in enumerate(pairwise([channels, *num_filters]), start=1):
            self.params[f"W{layer}"] = draw(Din, Dout, 3, **new)
            self.params[f"b{layer}"] = torch.zeros(Dout, **new)
            if batchnorm:
                self.params[f"gamma{layer}"] = torch.ones(Dout, **new)
                self.params[f"beta{layer}"] = torch.zeros(Dout, **new)
        halvings = 2 ** len(self.max_pools)
        Din = num_filters[-1] * (height // halvings) * (width // halvings)
        last = self.num_layers
        self.params[f"W{last}"] = draw(Din, num_classes, relu=False, **new)
        self.params[f"b{last}"] = torch.zeros(num_classes, **new)
        ### END SOLUTION

    def loss(
        self, X: Float[Tensor, "N C H W"], y: Int[Tensor, " N"] | None = None
    ) -> Float[Tensor, "N classes"] | tuple[Float[Tensor, ""], dict[str, Tensor]]:
        """Scores; or with labels the loss, penalty included, and its gradients.

        Batch norm is in "train" mode exactly when there are labels. Use the fast layers.
        Not allowed here: autograd.

        Args:
            X: images on the device of the parameters.
            y: labels, int64, or None.

        Returns:
            Without y the scores; with y the loss as a tensor without axes, and a dict from the names in
            `params` to gradients.
        """
        X = X.to(self.dtype) - self.mean
        for bn_param in self.bn_params:
            bn_param["mode"] = "test" if y is None else "train"
        ### BEGIN SOLUTION
        out, caches = X, []
        for layer in range(1, self.num_layers):
            norm = pool = None
            out, conv = FastConv.forward(out, self.params[f"W{layer}"], self.params[f"b{layer}"], KEEP)
            if self.batchnorm:
                gamma, beta = self.params[f"gamma{layer}"], self.params[f"beta{layer}"]
                out, norm = SpatialBatchNorm.forward(out, gamma, beta, self.bn_params[layer - 1])
            out, active = ReLU.forward(out)
            if layer - 1 in self.max_pools:
                out, pool = FastMaxPool.forward(out, HALVE)
            caches.append((conv, norm, active, pool))
        last = self.num_layers
        scores, linear = Linear.forward(out, self.params[f"W{last}"], self.params[f"b{last}"])
        if y is None:
            return scores

        loss, dout = softmax_loss(scores, y)
        grads = {}
        dout, grads[f"W{last}"], grads[f"b{last}"] = Linear.backward(dout, linear)
        for layer in reversed(range(1, last)):
            conv, norm, active, pool = caches[layer - 1]
            if layer - 1 in self.max_pools:
                dout = FastMaxPool.backward(dout, pool)
            dout = ReLU.backward(dout, active)
            if self.batchnorm:
                dout, grads[f"gamma{layer}"], grads[f"beta{layer}"] = SpatialBatchNorm.backward(dout, norm)
            dout, grads[f"W{layer}"], grads[f"b{layer}"] = FastConv.backward(dout, conv)
        for layer in range(1, last + 1):
            weights = self.params[f"W{layer}"]
            loss = loss + self.reg * weights.square().sum()
            grads[f"W{layer}"] = grads[f"W{layer}"] + 2 * self.reg * weights
        return loss, grads
        ### END SOLUTION

    def restore(
        self,
        saved: dict[str, Any],
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = "cpu",
    ) -> None:
        """Take over the content of such a file, depth and widths included."""
        super().restore(saved, dtype, device)
        self.num_layers = sum(name.startswith("W") for name in self.params)


def find_overfit_parameters() -> tuple[float, float]:
    """A weight scale and a learning rate with which a deep network overfits 50 images.

    The network has three convolutions of 8, 16 and 32 filters, each with a pool, and no batch norm;
    `adam` takes 20 epochs of 5 batches of 10 images of `shapes`, their mean colour taken off.

    Returns:
        weight_scale, a number, and learning_rate, such that every one of the 50 is classified right.
    """
    ### BEGIN SOLUTION
    return 2e-1, 5e-3
    ### END SOLUTION


def create_convolutional_solver_instance(
    data_dict: dict[str, Tensor], dtype: torch.dtype = torch.float32, device: torch.device | str = "cpu"
) -> Solver:
    """A solver that is ready to train a deep convolutional network; all settings are yours.

    Args:
        data_dict: `X_train`, `y_train`, `X_val`, `y_val`; images are (n, channels, height, width).
        dtype: of the network.
        device: of the network, where the data are as well.

    Returns:
        A `Solver` around a `DeepConvNet` for 10 classes, which has not been trained yet.
    """
    ### BEGIN SOLUTION
    net = {"num_filters": (8, 32, 64), "max_pools": (0, 1, 2), "batchnorm": True, "weight_scale": "kaiming"}
    input_dims = tuple(data_dict["X_train"].shape[1:])
    model = DeepConvNet(input_dims, **net, reg=1e-4, dtype=dtype, device=device)
    return Solver(
        model,
        data_dict,
        update_rule=adam,
        optim_config={"learning_rate": 2e-3},
        lr_decay=0.9,
        batch_size=50,
        num_epochs=6,
    )
    ### END SOLUTION
