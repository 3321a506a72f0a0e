"""A network of two layers, all in one: forward, backward, train, predict, search."""

from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any, Self

import torch
from jaxtyping import Float, Int
from torch import Tensor

from exercise_code.linear.linear_classifier import sample_batch

Params = dict[str, Tensor]
"""W1 (D, H), b1 (H,), W2 (H, C), b2 (C,)."""


def nn_forward_pass(
    params: Params, X: Float[Tensor, "N D"]
) -> tuple[Float[Tensor, "N C"], Float[Tensor, "N H"]]:
    """Scores  max(0, X W1 + b1) W2 + b2.

    Args:
        params: weights and biases of both layers.
        X: images.

    Returns:
        The scores, and the hidden layer after its ReLU.
    """
    ### BEGIN SOLUTION
    hidden = (X @ params["W1"] + params["b1"]).clamp(min=0)
    return hidden @ params["W2"] + params["b2"], hidden
    ### END SOLUTION


def nn_forward_backward(
    params: Params, X: Float[Tensor, "N D"], y: Int[Tensor, " N"] | None = None, reg: float = 0.0
) -> Float[Tensor, "N C"] | tuple[Float[Tensor, ""], Params]:
    """Scores; or, if there are labels, the loss and its gradient with respect to every parameter.

    The loss is the mean of -log p_y over the images, with softmax probabilities p, plus reg times the sum of
    the squares of W1 and of W2; biases are not penalised. Scores may be in the thousands.
    Not allowed here: torch.softmax, torch.log_softmax, torch.logsumexp, cross_entropy, nll_loss, autograd.

    Args:
        params: weights and biases of both layers; they are not changed.
        X: images.
        y: their labels, int64, 0 to C - 1, or None.
        reg: strength of the penalty.

    Returns:
        The scores if y is None; else the loss as a tensor without axes, and the gradients by the names of the
        parameters.
    """
    ### BEGIN SOLUTION
    scores, hidden = nn_forward_pass(params, X)
    if y is None:
        return scores
    W1, W2 = params["W1"], params["W2"]
    rows = torch.arange(len(X), device=X.device)
    scores = scores - scores.amax(dim=1, keepdim=True)
    log_p = scores - scores.exp().sum(dim=1, keepdim=True).log()
    loss = -log_p[rows, y].mean() + reg * (W1.square().sum() + W2.square().sum())

    dscores = log_p.exp()
    dscores[rows, y] -= 1
    dscores = dscores / len(X)
    dhidden = (dscores @ W2.T) * (hidden > 0)
    grads = {
        "W1": X.T @ dhidden + 2 * reg * W1,
        "b1": dhidden.sum(dim=0),
        "W2": hidden.T @ dscores + 2 * reg * W2,
        "b2": dscores.sum(dim=0),
    }
    return loss, grads
    ### END SOLUTION


def nn_train(
    params: Params,
    loss_func: Callable[..., Any],
    pred_func: Callable[..., Int[Tensor, " N"]],
    X: Float[Tensor, "N D"],
    y: Int[Tensor, " N"],
    X_val: Float[Tensor, "M D"],
    y_val: Int[Tensor, " M"],
    learning_rate: float = 1e-3,
    learning_rate_decay: float = 0.95,
    reg: float = 5e-6,
    num_iters: int = 100,
    batch_size: int = 200,
    verbose: bool = False,
) -> dict[str, list[float]]:
    """Stochastic gradient descent on all parameters; the learning rate falls after every epoch.

    An epoch is max(N // batch_size, 1) steps. After each, the accuracy on its last batch and on the
    validation images is noted, and then the learning rate multiplied by learning_rate_decay.

    Args:
        params: where to start. The new parameters are put into this dict; its tensors are not changed.
        loss_func: from (params, X, y, reg) to a loss and gradients by name, like `nn_forward_backward`.
        pred_func: from (params, loss_func, X) to labels, like `nn_predict`.
        X: training images.
        y: their labels.
        X_val: validation images.
        y_val: their labels.
        learning_rate: how far to go along the gradient, at first.
        learning_rate_decay: factor on the learning rate after an epoch.
        reg: strength of the penalty.
        num_iters: number of steps.
        batch_size: images in a batch, drawn by `sample_batch` anew for each step.
        verbose: print the loss every 100 steps.

    Returns:
        `loss_history`, the loss of every step; `train_acc_history` and `val_acc_history`, fractions for every
        epoch.
    """
    ### BEGIN SOLUTION
    history: dict[str, list[float]] = {"loss_history": [], "train_acc_history": [], "val_acc_history": []}
    steps_per_epoch = max(len(X) // batch_size, 1)
    for step in range(num_iters):
        X_batch, y_batch = sample_batch(X, y, len(X), batch_size)
        loss, grads = loss_func(params, X_batch, y_batch, reg)
        for name, grad in grads.items():
            params[name] = params[name] - learning_rate * grad
        history["loss_history"].append(float(loss))
        if verbose and step % 100 == 0:
            print(f"step {step} of {num_iters}: loss {history['loss_history'][-1]:.4f}")
        if (step + 1) % steps_per_epoch == 0:
            for split, images, labels in (("train", X_batch, y_batch), ("val", X_val, y_val)):
                right = pred_func(params, loss_func, images) == labels
                history[f"{split}_acc_history"].append(right.double().mean().item())
            learning_rate *= learning_rate_decay
    return history
    ### END SOLUTION


def nn_predict(params: Params, loss_func: Callable[..., Any], X: Float[Tensor, "N D"]) -> Int[Tensor, " N"]:
    """The class with the highest score, for each image.

    Args:
        params: weights and biases.
        loss_func: returns scores when called with params and X alone, like `nn_forward_backward`.
        X: images.

    Returns:
        Labels, int64.
    """
    ### BEGIN SOLUTION
    return loss_func(params, X).argmax(dim=1)
    ### END SOLUTION


class TwoLayerNet:
    """The functions above, with the parameters they share."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        output_size: int,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = "cpu",
        std: float = 1e-2,
    ) -> None:
        """Normal weights and zero biases.

        Args:
            input_size: numbers in an image, D.
            hidden_size: hidden units, H.
            output_size: classes, C.
            dtype: of the parameters.
            device: of the parameters.
            std: standard deviation of the weights.
        """
        like = {"dtype": dtype, "device": device}
        self.params = {
            "W1": std * torch.randn(input_size, hidden_size, **like),
            "b1": torch.zeros(hidden_size, **like),
            "W2": std * torch.randn(hidden_size, output_size, **like),
            "b2": torch.zeros(output_size, **like),
        }

    def loss(self, X: Float[Tensor, "N D"], y: Int[Tensor, " N"] | None = None, reg: float = 0.0) -> Any:
        """As `nn_forward_backward`."""
        return nn_forward_backward(self.params, X, y, reg)

    def train(
        self,
        X: Float[Tensor, "N D"],
        y: Int[Tensor, " N"],
        X_val: Float[Tensor, "M D"],
        y_val: Int[Tensor, " M"],
        **settings: Any,
    ) -> dict[str, list[float]]:
        """As `nn_train`, which also says what settings there are."""
        return nn_train(self.params, nn_forward_backward, nn_predict, X, y, X_val, y_val, **settings)

    def predict(self, X: Float[Tensor, "N D"]) -> Int[Tensor, " N"]:
        """As `nn_predict`."""
        return nn_predict(self.params, nn_forward_backward, X)

    def absorb_mean(self, mean: Float[Tensor, " D"]) -> None:
        """Change the biases of the first layer so that images need not be centred any more.

        Args:
            mean: what was taken off each pixel before training.
        """
        self.params["b1"] = self.params["b1"] - mean @ self.params["W1"]

    def save(self, path: str | Path) -> None:
        """Write the parameters to a file; missing folders are made."""
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        torch.save(self.params, path)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """A network with the parameters of a file that `save` has written."""
        net = cls(1, 1, 1)
        net.params = torch.load(path, map_location="cpu", weights_only=True)
        return net


def nn_get_search_params() -> tuple[list[float], list[int], list[float], list[float]]:
    """Settings to search for the best two-layer network in.

    Returns:
        Learning rates, hidden sizes, regularisation strengths and learning-rate decays, none of them empty,
        all above 0, decays from 0.5 to 1; 2 to 32 combinations in all.
    """
    ### BEGIN SOLUTION
    return [0.1, 0.3], [50, 200], [1e-3, 3e-3], [0.95]
    ### END SOLUTION


def find_best_net(
    data_dict: dict[str, Tensor],
    get_param_set_fn: Callable[[], tuple[list[float], list[int], list[float], list[float]]],
    num_iters: int = 2000,
    net_class: type[TwoLayerNet] = TwoLayerNet,
) -> tuple[TwoLayerNet, dict[str, list[float]], float]:
    """Train a network for every combination of settings, and keep the one best on the validation images.

    Args:
        data_dict: `X_train`, `y_train`, `X_val`, `y_val`.
        get_param_set_fn: returns lists of learning rates, hidden sizes, regularisation strengths and
            learning-rate decays.
        num_iters: number of steps of each training.
        net_class: what to train; called with the numbers in an image, of hidden units and of classes, and
            with dtype and device of the training images.

    Returns:
        The best network, what its `train` returned, and its accuracy on the validation images after training,
        0 to 1; of several that are best, any.
    """
    ### BEGIN SOLUTION
    X, y, X_val, y_val = (data_dict[name] for name in ("X_train", "y_train", "X_val", "y_val"))
    best_net, best_stats, best_acc = None, None, -1.0
    for rate, hidden_size, reg, decay in product(*get_param_set_fn()):
        net = net_class(X.shape[1], hidden_size, int(y.max()) + 1, dtype=X.dtype, device=X.device)
        settings = {"learning_rate": rate, "learning_rate_decay": decay, "reg": reg, "num_iters": num_iters}
        stats = net.train(X, y, X_val, y_val, **settings)
        val_acc = (net.predict(X_val) == y_val).double().mean().item()
        if val_acc > best_acc:
            best_net, best_stats, best_acc = net, stats, val_acc
    return best_net, best_stats, best_acc
    ### END SOLUTION
