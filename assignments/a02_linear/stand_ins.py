"""What takes the place of exercises that are not right: the same by calls of the library."""

from collections.abc import Callable
from typing import Any

from jaxtyping import Float, Int
from torch import Tensor
from torch.autograd.functional import vjp
from torch.nn import functional
from torch.utils.data import RandomSampler

from exercise_code.support.checking.declare import stand_in

LC, NN = "linear.linear_classifier.", "linear.two_layer_net."


def _hinge(scores: Float[Tensor, "N C"], y: Int[Tensor, " N"]) -> Float[Tensor, ""]:
    """`multi_margin_loss` divides by the number of classes."""
    return scores.shape[1] * functional.multi_margin_loss(scores, y)


def _with_penalty(
    loss: Callable[..., Tensor], W: Float[Tensor, "D C"], X: Tensor, y: Tensor, reg: float
) -> tuple[Float[Tensor, ""], Float[Tensor, "D C"]]:
    return vjp(lambda W: loss(functional.linear(X, W.T), y) + reg * W.square().sum(), W)


@stand_in(f"{LC}svm_loss_vectorized")
def svm_loss_vectorized(
    W: Float[Tensor, "D C"], X: Float[Tensor, "N D"], y: Int[Tensor, " N"], reg: float
) -> tuple[Float[Tensor, ""], Float[Tensor, "D C"]]:
    """By `functional.multi_margin_loss` and autograd."""
    return _with_penalty(_hinge, W, X, y, reg)


@stand_in(f"{LC}softmax_loss_vectorized")
def softmax_loss_vectorized(
    W: Float[Tensor, "D C"], X: Float[Tensor, "N D"], y: Int[Tensor, " N"], reg: float
) -> tuple[Float[Tensor, ""], Float[Tensor, "D C"]]:
    """By `functional.cross_entropy` and autograd."""
    return _with_penalty(functional.cross_entropy, W, X, y, reg)


@stand_in(f"{LC}sample_batch")
def sample_batch(
    X: Float[Tensor, "N D"], y: Int[Tensor, " N"], num_train: int, batch_size: int
) -> tuple[Float[Tensor, "batch_size D"], Int[Tensor, " batch_size"]]:
    """By `torch.utils.data.RandomSampler`."""
    rows = [*RandomSampler(range(num_train), replacement=True, num_samples=batch_size)]
    return X[rows], y[rows]


@stand_in(f"{LC}predict_linear_classifier")
def predict_linear_classifier(W: Float[Tensor, "D C"], X: Float[Tensor, "N D"]) -> Int[Tensor, " N"]:
    """By `functional.linear`."""
    return functional.linear(X, W.T).max(dim=1).indices


def _scores(params: dict[str, Tensor], X: Float[Tensor, "N D"]) -> tuple[Tensor, Tensor]:
    hidden = functional.relu(functional.linear(X, params["W1"].T, params["b1"]))
    return functional.linear(hidden, params["W2"].T, params["b2"]), hidden


@stand_in(f"{NN}nn_forward_pass")
def nn_forward_pass(
    params: dict[str, Tensor], X: Float[Tensor, "N D"]
) -> tuple[Float[Tensor, "N C"], Float[Tensor, "N H"]]:
    """By `functional.linear` and `functional.relu`."""
    return _scores(params, X)


@stand_in(f"{NN}nn_forward_backward")
def nn_forward_backward(
    params: dict[str, Tensor], X: Float[Tensor, "N D"], y: Int[Tensor, " N"] | None = None, reg: float = 0.0
) -> Float[Tensor, "N C"] | tuple[Float[Tensor, ""], dict[str, Tensor]]:
    """By `functional.cross_entropy` and autograd."""
    if y is None:
        return _scores(params, X)[0]

    def loss(*values: Tensor) -> Tensor:
        scores, _ = _scores(dict(zip(params, values, strict=True)), X)
        penalty = sum(value.square().sum() for value in values if value.dim() == 2)
        return functional.cross_entropy(scores, y) + reg * penalty

    value, gradients = vjp(loss, tuple(params.values()))
    return value, dict(zip(params, gradients, strict=True))


@stand_in(f"{NN}nn_predict")
def nn_predict(
    params: dict[str, Tensor], loss_func: Callable[..., Any], X: Float[Tensor, "N D"]
) -> Int[Tensor, " N"]:
    """By `max`, of the scores that are given."""
    return loss_func(params, X).max(dim=1).indices


@stand_in("linear.features.circular_histogram")
def circular_histogram(
    position: Float[Tensor, "*items pixels"], weights: Float[Tensor, "*items pixels"], num_bins: int
) -> Float[Tensor, "*items num_bins"]:
    """By `scatter_add`, once for each of the two bins that a pixel lies between."""
    at = position.mul(num_bins)
    lower, share = at.floor(), at.frac()
    histogram = weights.new_zeros(*weights.shape[:-1], num_bins)
    for bins, given in ((lower, weights * (1 - share)), (lower + 1, weights * share)):
        histogram = histogram.scatter_add(-1, bins.long() % num_bins, given)
    return histogram
