"""Networks out of layers: each layer knows its own forward and backward pass, a network only their order."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from exercise_code.mlp.initializers import WeightScale, initial_weights
from exercise_code.mlp.losses import softmax_loss
from exercise_code.mlp.solver import Solver
from exercise_code.mlp.update_rules import adam


class Linear:
    """A fully connected layer: every output is a weighted sum of all inputs."""

    @staticmethod
    def forward(
        x: Float[Tensor, "N *image"], w: Float[Tensor, "D M"], b: Float[Tensor, " M"]
    ) -> tuple[Float[Tensor, "N M"], Any]:
        """Flatten each input to D numbers and compute  x w + b.

        Not allowed here: torch.nn.functional.linear.

        Args:
            x: N inputs of any shape with D numbers each.
            w: weights, one column for each of the M outputs.
            b: biases.

        Returns:
            The output, and a cache of whatever `backward` needs.
        """
        ### BEGIN SOLUTION
        return x.flatten(1) @ w + b, (x, w)
        ### END SOLUTION

    @staticmethod
    def backward(
        dout: Float[Tensor, "N M"], cache: Any
    ) -> tuple[Float[Tensor, "N *image"], Float[Tensor, "D M"], Float[Tensor, " M"]]:
        """Gradients of the loss with respect to all that went into `forward`.

        Not allowed here: autograd.

        Args:
            dout: gradient of the loss with respect to the output.
            cache: from `forward`.

        Returns:
            dx in the shape of x, dw and db.
        """
        ### BEGIN SOLUTION
        x, w = cache
        dx = (dout @ w.T).reshape(x.shape)
        return dx, x.flatten(1).T @ dout, dout.sum(dim=0)
        ### END SOLUTION


class ReLU:
    """The rectifier: positive numbers pass, all others become 0."""

    @staticmethod
    def forward(x: Float[Tensor, "*shape"]) -> tuple[Float[Tensor, "*shape"], Any]:
        """max(0, x) for each number. x is not changed. Not allowed here: torch.relu.

        Args:
            x: any tensor.

        Returns:
            The output, and a cache for `backward`.
        """
        ### BEGIN SOLUTION
        return x.clamp(min=0), x
        ### END SOLUTION

    @staticmethod
    def backward(dout: Float[Tensor, "*shape"], cache: Any) -> Float[Tensor, "*shape"]:
        """The gradient passes where x was positive. dout is not changed. Not allowed here: autograd.

        Args:
            dout: gradient of the loss with respect to the output.
            cache: from `forward`.

        Returns:
            The gradient of the loss with respect to x; at x = 0 either 0 or dout will do.
        """
        ### BEGIN SOLUTION
        return dout * (cache > 0)
        ### END SOLUTION


class LeakyReLU:
    """A rectifier that lets a small share of negative numbers through, so that no unit can die."""

    @staticmethod
    def forward(x: Float[Tensor, "*shape"], slope: float = 0.01) -> tuple[Float[Tensor, "*shape"], Any]:
        """x where it is positive, slope * x elsewhere. Not allowed here: leaky_relu and prelu of torch.

        Args:
            x: any tensor.
            slope: of the negative side; any number, also a negative one, or one above 1.

        Returns:
            The output, and a cache for `backward`.
        """
        ### BEGIN SOLUTION
        return torch.where(x > 0, x, slope * x), (x, slope)
        ### END SOLUTION

    @staticmethod
    def backward(dout: Float[Tensor, "*shape"], cache: Any) -> Float[Tensor, "*shape"]:
        """The gradient passes whole where x was positive, times the slope elsewhere.

        Not allowed here: autograd.

        Args:
            dout: gradient of the loss with respect to the output.
            cache: from `forward`.

        Returns:
            The gradient of the loss with respect to x; at x = 0 either side will do.
        """
        ### BEGIN SOLUTION
        x, slope = cache
        return torch.where(x > 0, dout, slope * dout)
        ### END SOLUTION


class Sigmoid:
    """Squashes every number into (0, 1)."""

    @staticmethod
    def forward(x: Float[Tensor, "*shape"]) -> tuple[Float[Tensor, "*shape"], Any]:
        """1 / (1 + exp(-x)) for each number, also for numbers in the thousands.

        Not allowed here: sigmoid and expit of torch.

        Args:
            x: any tensor.

        Returns:
            The output, and a cache for `backward`.
        """
        ### BEGIN SOLUTION
        out = 1 / (1 + (-x).exp())
        return out, out
        ### END SOLUTION

    @staticmethod
    def backward(dout: Float[Tensor, "*shape"], cache: Any) -> Float[Tensor, "*shape"]:
        """The gradient, by the slope of the sigmoid: it can be written with the output alone.

        Not allowed here: autograd.

        Args:
            dout: gradient of the loss with respect to the output.
            cache: from `forward`.

        Returns:
            The gradient of the loss with respect to x.
        """
        ### BEGIN SOLUTION
        return dout * cache * (1 - cache)
        ### END SOLUTION


class Tanh:
    """Squashes every number into (-1, 1)."""

    @staticmethod
    def forward(x: Float[Tensor, "*shape"]) -> tuple[Float[Tensor, "*shape"], Any]:
        """(exp(x) - exp(-x)) / (exp(x) + exp(-x)) for each number, also for numbers in the thousands.

        Written like that it overflows: divide both sides of the fraction by exp(x) first.
        Not allowed here: torch.tanh.

        Args:
            x: any tensor.

        Returns:
            The output, and a cache for `backward`.
        """
        ### BEGIN SOLUTION
        out = 2 / (1 + (-2 * x).exp()) - 1
        return out, out
        ### END SOLUTION

    @staticmethod
    def backward(dout: Float[Tensor, "*shape"], cache: Any) -> Float[Tensor, "*shape"]:
        """The gradient, by the slope of tanh: it can be written with the output alone.

        Not allowed here: autograd.

        Args:
            dout: gradient of the loss with respect to the output.
            cache: from `forward`.

        Returns:
            The gradient of the loss with respect to x.
        """
        ### BEGIN SOLUTION
        return dout * (1 - cache**2)
        ### END SOLUTION


class Dropout:
    """Switches units off at random while training, and none afterwards (Srivastava et al., 2014)."""

    @staticmethod
    def forward(
        x: Float[Tensor, "*shape"], dropout_param: dict[str, Any]
    ) -> tuple[Float[Tensor, "*shape"], Any]:
        """Inverted dropout: in training each number is dropped with probability p, the rest is scaled up.

        What is kept is divided by 1 - p, so that the mean stays what it was, and nothing is left to do when
        testing. Not allowed here: dropout of torch.

        Args:
            x: any tensor.
            dropout_param: `p`, the probability of *dropping*, 0 to below 1; `mode`, "train" or "test"; and
                for gradient checks a `seed`, which gives the same mask every time.

        Returns:
            The output in the dtype of x, in test mode x itself; and a cache for `backward`.
        """
        p, mode, seed = dropout_param["p"], dropout_param["mode"], dropout_param.get("seed")
        if seed is not None:
            torch.manual_seed(seed)
        ### BEGIN SOLUTION
        if mode == "test":
            return x, None
        mask = (torch.rand_like(x) >= p).to(x.dtype) / (1 - p)
        return x * mask, mask
        ### END SOLUTION

    @staticmethod
    def backward(dout: Float[Tensor, "*shape"], cache: Any) -> Float[Tensor, "*shape"]:
        """The gradient goes where the numbers went, and is scaled as they were; in test mode it passes.

        Not allowed here: autograd.

        Args:
            dout: gradient of the loss with respect to the output.
            cache: from `forward`.

        Returns:
            The gradient of the loss with respect to x.
        """
        ### BEGIN SOLUTION
        return dout if cache is None else dout * cache
        ### END SOLUTION


class Linear_ReLU:
    """Two layers so often used together that they deserve a name."""

    @staticmethod
    def forward(
        x: Float[Tensor, "N *image"], w: Float[Tensor, "D M"], b: Float[Tensor, " M"]
    ) -> tuple[Float[Tensor, "N M"], Any]:
        """`Linear.forward`, then `ReLU.forward`."""
        out, linear_cache = Linear.forward(x, w, b)
        out, relu_cache = ReLU.forward(out)
        return out, (linear_cache, relu_cache)

    @staticmethod
    def backward(
        dout: Float[Tensor, "N M"], cache: Any
    ) -> tuple[Float[Tensor, "N *image"], Float[Tensor, "D M"], Float[Tensor, " M"]]:
        """`ReLU.backward`, then `Linear.backward`: the way back is in the opposite order."""
        linear_cache, relu_cache = cache
        return Linear.backward(ReLU.backward(dout, relu_cache), linear_cache)


class TwoLayerNet:
    """linear - ReLU - linear - softmax.

    `params` holds W1 (input_dim, hidden_dim), b1, W2 (hidden_dim, num_classes), b2.
    """

    def __init__(
        self,
        input_dim: int = 3 * 32 * 32,
        hidden_dim: int = 100,
        num_classes: int = 10,
        weight_scale: float = 1e-3,
        reg: float = 0.0,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = "cpu",
    ):
        """Fill `params`: weights drawn from a normal distribution, biases 0.

        Args:
            input_dim: numbers in one input.
            hidden_dim: hidden units.
            num_classes: scores.
            weight_scale: standard deviation of the weights.
            reg: strength of the L2 penalty  reg * sum(W^2)  on the weights.
            dtype: of the parameters.
            device: of the parameters.
        """
        self.reg = reg
        ### BEGIN SOLUTION
        new = {"dtype": dtype, "device": device}
        self.params = {
            "W1": weight_scale * torch.randn(input_dim, hidden_dim, **new),
            "b1": torch.zeros(hidden_dim, **new),
            "W2": weight_scale * torch.randn(hidden_dim, num_classes, **new),
            "b2": torch.zeros(num_classes, **new),
        }
        ### END SOLUTION

    def loss(
        self, X: Float[Tensor, "N *image"], y: Int[Tensor, " N"] | None = None
    ) -> Float[Tensor, "N C"] | tuple[Float[Tensor, ""], dict[str, Tensor]]:
        """Scores; or with labels the loss, penalty included, and its gradients.

        Build it from the layers' `forward` and `backward`. Not allowed here: autograd.

        Args:
            X: images in the dtype and on the device of the parameters.
            y: labels, int64, or None.

        Returns:
            Without y the scores; with y the loss as a tensor without axes, and a dict from the names in
            `params` to gradients.
        """
        ### BEGIN SOLUTION
        W1, b1, W2, b2 = (self.params[name] for name in ("W1", "b1", "W2", "b2"))
        hidden, first = Linear_ReLU.forward(X, W1, b1)
        scores, second = Linear.forward(hidden, W2, b2)
        if y is None:
            return scores
        loss, dscores = softmax_loss(scores, y)
        dhidden, dW2, db2 = Linear.backward(dscores, second)
        _, dW1, db1 = Linear_ReLU.backward(dhidden, first)
        loss = loss + self.reg * (W1.square().sum() + W2.square().sum())
        return loss, {"W1": dW1 + 2 * self.reg * W1, "b1": db1, "W2": dW2 + 2 * self.reg * W2, "b2": db2}
        ### END SOLUTION

    def save(self, path: str | Path) -> None:
        """Write the parameters and the strength of the penalty to a file."""
        torch.save({"params": self.params, "reg": self.reg}, path)

    def load(
        self, path: str | Path, dtype: torch.dtype = torch.float32, device: torch.device | str = "cpu"
    ) -> None:
        """Take over what `save` wrote."""
        saved = torch.load(path, weights_only=True, map_location="cpu")
        self.reg = saved["reg"]
        self.params = {name: p.to(device, dtype) for name, p in saved["params"].items()}


Activation = type[ReLU] | type[LeakyReLU] | type[Sigmoid] | type[Tanh]
ACTIVATIONS: dict[str, Activation] = {layer.__name__: layer for layer in (ReLU, LeakyReLU, Sigmoid, Tanh)}


class FullyConnectedNet:
    """(linear - activation - dropout) x (L - 1) - linear - softmax.

    `params` holds W1, b1 for the first layer up to WL, bL for the last.
    """

    def __init__(
        self,
        hidden_dims: Sequence[int],
        input_dim: int = 3 * 32 * 32,
        num_classes: int = 10,
        dropout: float = 0.0,
        reg: float = 0.0,
        weight_scale: WeightScale = 1e-2,
        seed: int | None = None,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = "cpu",
        activation: Activation = ReLU,
    ):
        """Fill `params`: weights by `initial_weights`, biases 0.

        Args:
            hidden_dims: units of each hidden layer.
            input_dim: numbers in one input.
            num_classes: scores.
            dropout: probability of dropping a hidden unit, 0 to below 1.
            reg: strength of the L2 penalty  reg * sum(W^2)  on the weights of all layers.
            weight_scale: standard deviation of the weights, or "xavier" or "kaiming".
            seed: of the dropout, for gradient checks.
            dtype: of the parameters; inputs are brought to it.
            device: of the parameters.
            activation: ReLU, LeakyReLU, Sigmoid or Tanh, the class itself.
        """
        self.num_layers = len(hidden_dims) + 1
        self.dropout, self.reg, self.seed, self.activation = dropout, reg, seed, activation
        self.dtype = dtype
        self.params: dict[str, Tensor] = {}
        ### BEGIN SOLUTION
        widths = [input_dim, *hidden_dims, num_classes]
        for layer, (Din, Dout) in enumerate(pairwise(widths), start=1):
            self.params[f"W{layer}"] = initial_weights(Din, Dout, weight_scale, dtype, device)
            self.params[f"b{layer}"] = torch.zeros(Dout, dtype=dtype, device=device)
        ### END SOLUTION

    def loss(
        self, X: Float[Tensor, "N *image"], y: Int[Tensor, " N"] | None = None
    ) -> Float[Tensor, "N C"] | tuple[Float[Tensor, ""], dict[str, Tensor]]:
        """Scores, with no unit dropped; or with labels the loss, penalty included, and its gradients.

        Dropout is in "train" mode exactly when there are labels. Not allowed here: autograd.

        Args:
            X: images on the device of the parameters.
            y: labels, int64, or None.

        Returns:
            Without y the scores; with y the loss as a tensor without axes, and a dict from the names in
            `params` to gradients.
        """
        X = X.to(self.dtype)
        dropout_param = {"p": self.dropout, "mode": "test" if y is None else "train", "seed": self.seed}
        ### BEGIN SOLUTION
        out, caches = X, []
        for layer in range(1, self.num_layers):
            out, linear = Linear.forward(out, self.params[f"W{layer}"], self.params[f"b{layer}"])
            out, active = self.activation.forward(out)
            out, dropped = Dropout.forward(out, dropout_param)
            caches.append((linear, active, dropped))
        last = self.num_layers
        scores, linear = Linear.forward(out, self.params[f"W{last}"], self.params[f"b{last}"])
        if y is None:
            return scores

        loss, dout = softmax_loss(scores, y)
        grads = {}
        dout, grads[f"W{last}"], grads[f"b{last}"] = Linear.backward(dout, linear)
        for layer in reversed(range(1, last)):
            linear, active, dropped = caches[layer - 1]
            dout = self.activation.backward(Dropout.backward(dout, dropped), active)
            dout, grads[f"W{layer}"], grads[f"b{layer}"] = Linear.backward(dout, linear)
        for layer in range(1, last + 1):
            weights = self.params[f"W{layer}"]
            loss = loss + self.reg * weights.square().sum()
            grads[f"W{layer}"] = grads[f"W{layer}"] + 2 * self.reg * weights
        return loss, grads
        ### END SOLUTION

    def save(self, path: str | Path) -> None:
        """Write the parameters and settings to a file."""
        settings = {"dropout": self.dropout, "reg": self.reg, "activation": self.activation.__name__}
        torch.save({"params": self.params, **settings}, path)

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
        self.dropout, self.reg, self.dtype = saved["dropout"], saved["reg"], dtype
        self.activation = ACTIVATIONS[saved["activation"]]
        self.params = {name: p.to(device, dtype) for name, p in saved["params"].items()}
        self.num_layers = len(self.params) // 2

    def absorb_mean(self, mean: Float[Tensor, " D"]) -> None:
        """Take images as they are from now on, though it was trained with their mean taken off.

        (x - mean) W1 + b1  =  x W1 + (b1 - mean W1),  so a change of b1 is all it needs.
        """
        self.params["b1"] = self.params["b1"] - mean.to(self.dtype) @ self.params["W1"]


def get_three_layer_network_params() -> tuple[float, float]:
    """A weight scale and a learning rate with which a three-layer network learns 50 images by heart.

    The network has two hidden layers of 100 units; `sgd` takes 20 epochs of 2 batches of 25 images of
    `shapes`, their mean colour taken off.

    Returns:
        weight_scale, a number, and learning_rate, such that every one of the 50 is classified right.
    """
    ### BEGIN SOLUTION
    return 1e-1, 2e-1
    ### END SOLUTION


def get_five_layer_network_params() -> tuple[float, float]:
    """The same for a five-layer network, with four hidden layers of 100 units.

    Returns:
        weight_scale, a number, and learning_rate, such that every one of the 50 is classified right.
    """
    ### BEGIN SOLUTION
    return 1.4e-1, 1e-1
    ### END SOLUTION


def create_solver_instance(
    data_dict: dict[str, Tensor], dtype: torch.dtype = torch.float32, device: torch.device | str = "cpu"
) -> Solver:
    """A solver that is ready to train a two-layer network; all settings are yours.

    Args:
        data_dict: `X_train`, `y_train`, `X_val`, `y_val`; images are flat rows.
        dtype: of the network.
        device: of the network, where the data are as well.

    Returns:
        A `Solver` around a `TwoLayerNet` for 10 classes, which has not been trained yet.
    """
    ### BEGIN SOLUTION
    input_dim = data_dict["X_train"].shape[1]
    model = TwoLayerNet(input_dim, hidden_dim=200, weight_scale=1e-2, reg=5e-4, dtype=dtype, device=device)
    return Solver(
        model,
        data_dict,
        update_rule=adam,
        optim_config={"learning_rate": 1e-3},
        lr_decay=0.9,
        num_epochs=15,
    )
    ### END SOLUTION
