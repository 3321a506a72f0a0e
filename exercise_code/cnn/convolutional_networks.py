"""Convolutional networks: the functions that students write."""

from collections.abc import Collection, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor

from exercise_code.mlp.fully_connected_networks import Linear, Linear_ReLU, ReLU
from exercise_code.mlp.losses import softmax_loss
from exercise_code.mlp.solver import Solver
from exercise_code.mlp.update_rules import adam

KEEP = {"stride": 1, "pad": 1}
"""How a 3 x 3 convolution keeps height and width."""
HALVE = {"pool_height": 2, "pool_width": 2, "stride": 2}
"""How a 2 x 2 pool halves them."""


def unit_rows(x: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
    """Scale every row to Euclidean length 1.

    Row i becomes  x_i / sqrt(sum_j x_ij^2).
    Not allowed here: torch.nn.functional.normalize, norms.

    Args:
        x: vectors of any float dtype, none of them zero.

    Returns:
        A new tensor of the same shape, dtype and device.
    """
    ### BEGIN SOLUTION
    return x / x.square().sum(1, keepdim=True).sqrt()
    ### END SOLUTION


def kaiming_initializer(
    Din: int,
    Dout: int,
    K: int | None = None,
    *,
    relu: bool = True,
    dtype: torch.dtype = torch.float32,
    device: torch.device | str = "cpu",
) -> Float[Tensor, "Din Dout"] | Float[Tensor, "Dout Din K K"]:
    """Normal weights of mean 0 and variance gain / fan_in (He et al., 2015, eq. 10).

    fan_in is how many numbers an output sums up: Din for a linear layer, Din K^2 for a convolution. The gain
    is 2 when a ReLU follows, and 1 otherwise. Not allowed here: torch.nn.init.

    Args:
        Din: inputs of the layer, or channels that come in.
        Dout: outputs of the layer, or filters.
        K: height and width of the filters; None makes weights of a linear layer.
        relu: whether a ReLU follows.
        dtype: of the weights.
        device: of the weights.

    Returns:
        The weights, (Din, Dout) or (Dout, Din, K, K).
    """
    ### BEGIN SOLUTION
    shape = (Din, Dout) if K is None else (Dout, Din, K, K)
    fan_in = Din * (K or 1) ** 2
    gain = 2 if relu else 1
    return (gain / fan_in) ** 0.5 * torch.randn(shape, dtype=dtype, device=device)
    ### END SOLUTION


def initial_weights(
    Din: int,
    Dout: int,
    K: int | None,
    weight_scale: float | Literal["kaiming"],
    *,
    relu: bool = True,
    dtype: torch.dtype,
    device: torch.device | str,
) -> Tensor:
    """Weights by `kaiming_initializer`, or of the same shape with a standard deviation of your own.

    Raises:
        ValueError: there is no rule of that name.
    """
    if isinstance(weight_scale, str) and weight_scale != "kaiming":
        raise ValueError(f"there is no rule {weight_scale!r}: give a number or 'kaiming'")
    if weight_scale == "kaiming":
        return kaiming_initializer(Din, Dout, K, relu=relu, dtype=dtype, device=device)
    shape = (Din, Dout) if K is None else (Dout, Din, K, K)
    return weight_scale * torch.randn(shape, dtype=dtype, device=device)


class ThreeLayerConvNet:
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
        shapes = [
            (num_filters, channels, filter_size, filter_size),
            (pooled, hidden_dim),
            (hidden_dim, num_classes),
        ]
        for layer, shape in enumerate(shapes, start=1):
            units = shape[0] if layer == 1 else shape[1]
            self.params[f"W{layer}"] = weight_scale * torch.randn(shape, dtype=dtype, device=device)
            self.params[f"b{layer}"] = torch.zeros(units, dtype=dtype, device=device)
        ### END SOLUTION

    def loss(
        self, X: Float[Tensor, "n c h w"], y: Int[Tensor, " n"] | None = None
    ) -> Float[Tensor, "n classes"] | tuple[Float[Tensor, ""], dict[str, Tensor]]:
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


class DeepConvNet:
    """(3 x 3 conv - [batch norm] - ReLU - [2 x 2 max pool]) x (L - 1) - linear - softmax.

    `params` holds W1, b1 for the first layer up to WL, bL for the last; with batch norm also gamma1, beta1 up
    to gamma(L-1), beta(L-1).

    Attributes:
        bn_params: what each batch norm remembers, a dict for each convolution; empty without batch norm.
        mean: the mean colour, which `loss` takes off every image; 0 unless set.
    """

    def __init__(
        self,
        input_dims: tuple[int, int, int] = (3, 32, 32),
        num_filters: Sequence[int] = (8, 8, 8, 8, 8),
        max_pools: Collection[int] = (0, 1, 2, 3, 4),
        batchnorm: bool = False,
        num_classes: int = 10,
        weight_scale: float | Literal["kaiming"] = 1e-3,
        reg: float = 0.0,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = "cpu",
    ):
        """Fill `params`: weights by `initial_weights`, biases and betas 0, gammas 1.

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
        ### BEGIN SOLUTION
        channels, height, width = input_dims
        for layer, (Din, Dout) in enumerate(pairwise([channels, *num_filters]), start=1):
            self.params[f"W{layer}"] = initial_weights(Din, Dout, 3, weight_scale, **new)
            self.params[f"b{layer}"] = torch.zeros(Dout, **new)
            if batchnorm:
                self.params[f"gamma{layer}"] = torch.ones(Dout, **new)
                self.params[f"beta{layer}"] = torch.zeros(Dout, **new)
        halvings = 2 ** len(self.max_pools)
        Din = num_filters[-1] * (height // halvings) * (width // halvings)
        last = self.num_layers
        self.params[f"W{last}"] = initial_weights(Din, num_classes, None, weight_scale, relu=False, **new)
        self.params[f"b{last}"] = torch.zeros(num_classes, **new)
        ### END SOLUTION

    def loss(
        self, X: Float[Tensor, "n c h w"], y: Int[Tensor, " n"] | None = None
    ) -> Float[Tensor, "n classes"] | tuple[Float[Tensor, ""], dict[str, Tensor]]:
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

    def save(self, path: str | Path) -> None:
        """Write the parameters, what the batch norms remember, and the settings to a file."""
        names = ("params", "bn_params", "mean", "reg", "batchnorm", "max_pools")
        torch.save({name: getattr(self, name) for name in names}, path)

    def load(
        self, path: str | Path, dtype: torch.dtype = torch.float32, device: torch.device | str = "cpu"
    ) -> None:
        """Take over what `save` wrote, depth and widths included."""
        self.restore(torch.load(path, weights_only=True, map_location="cpu"), dtype, device)

    def restore(
        self,
        saved: dict[str, Any],
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = "cpu",
    ) -> None:
        """Take over the content of such a file."""
        self.reg, self.batchnorm, self.max_pools = saved["reg"], saved["batchnorm"], saved["max_pools"]
        self.dtype, self.mean = dtype, saved["mean"].to(device, dtype)
        self.params = {name: p.to(device, dtype) for name, p in saved["params"].items()}
        self.bn_params = [
            {name: v.to(device, dtype) if isinstance(v, Tensor) else v for name, v in bn_param.items()}
            for bn_param in saved["bn_params"]
        ]
        self.num_layers = sum(name.startswith("W") for name in self.params)


def find_overfit_parameters() -> tuple[float, float]:
    """A weight scale and a learning rate with which a deep network learns 50 images by heart.

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
    model = DeepConvNet(
        tuple(data_dict["X_train"].shape[1:]),
        num_filters=(16, 32, 64),
        max_pools=(0, 1, 2),
        batchnorm=True,
        weight_scale="kaiming",
        reg=1e-4,
        dtype=dtype,
        device=device,
    )
    return Solver(
        model,
        data_dict,
        update_rule=adam,
        optim_config={"learning_rate": 2e-3},
        lr_decay=0.9,
        batch_size=50,
        num_epochs=10,
    )
    ### END SOLUTION
