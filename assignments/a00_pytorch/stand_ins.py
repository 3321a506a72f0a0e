"""What takes the place of exercises that are not right: the same by calls of the library."""

from collections.abc import Iterable, Sequence
from graphlib import TopologicalSorter
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.autograd.functional import vjp
from torch.nn import functional
from torch.utils.data import BatchSampler

from exercise_code.support.checking.declare import stand_in

CLASSIFIER, LINEAR, LOSS = (
    "regression.classifier.Classifier.",
    "regression.linear_model.LinearModel.",
    "regression.loss.",
)


@stand_in("autograd_study.grad_of")
def grad_of(
    outputs: Float[Tensor, "*out"], inputs: Sequence[Float[Tensor, "..."]], create_graph: bool = False
) -> tuple[Float[Tensor, "..."], ...]:
    """By `torch.autograd.grad` of the sum."""
    found = torch.autograd.grad(outputs.sum(), inputs, create_graph=create_graph, allow_unused=True)
    pairs = zip(found, inputs, strict=True)
    return tuple(torch.zeros_like(x) if gradient is None else gradient for gradient, x in pairs)


@stand_in("autograd_study.gradient_step")
def gradient_step(params: Iterable[Float[Tensor, "..."]], lr: float) -> None:
    """By fused operations."""
    for moved in [each for each in params if each.grad is not None]:
        moved.detach().add_(moved.grad, alpha=-lr)
        moved.grad = None


@stand_in("own_autograd.Value.topological_order")
def topological_order(self: Any) -> list[Any]:
    """By `graphlib`."""
    graph, found = {}, [self]
    while found:
        value = found.pop()
        graph[value] = value.inputs
        found += [each for each in value.inputs if each not in graph]
    return [*TopologicalSorter(graph).static_order()]


@stand_in("autograd_study.LinearRegressor.__init__")
def line_start(self: Any) -> None:
    """By `register_parameter`."""
    nn.Module.__init__(self)
    for name in ("weight", "bias"):
        self.register_parameter(name, nn.Parameter(torch.zeros(1)))


@stand_in("autograd_study.PolynomialRegressor.__init__")
def polynomial_start(self: Any, degree: int) -> None:
    """By `register_parameter`."""
    nn.Module.__init__(self)
    self.register_parameter("coefficients", nn.Parameter(torch.zeros(1 + degree)))


@stand_in("data.dataloader.DataLoader.__len__")
def number_of_batches(self: Any) -> int:
    """By torch's `BatchSampler`."""
    return len(BatchSampler(range(len(self.dataset)), self.batch_size, self.drop_last))


def _weighted(X: Float[Tensor, "batch num_features"], W: Float[Tensor, "num_weights 1"]) -> Tensor:
    return functional.linear(X, W[:-1].T, W[-1])


def _probability(X: Float[Tensor, "batch num_features"], W: Float[Tensor, "num_weights 1"]) -> Tensor:
    return torch.sigmoid(_weighted(X, W))


@stand_in(f"{LINEAR}forward")
def linear_forward(self: Any, X: Float[Tensor, "batch num_features"]) -> Float[Tensor, "batch 1"]:
    """By `functional.linear`."""
    self.cache = X, self.W
    return _weighted(X, self.W)


@stand_in(f"{LINEAR}backward")
def linear_backward(self: Any, dout: Float[Tensor, "batch 1"]) -> Float[Tensor, "num_weights 1"]:
    """By autograd."""
    return vjp(_weighted, self.cache, dout)[1][1]


@stand_in(f"{CLASSIFIER}sigmoid")
def sigmoid(self: Any, x: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """By `torch.sigmoid`."""
    return torch.sigmoid(x)


@stand_in(f"{CLASSIFIER}forward")
def classifier_forward(self: Any, X: Float[Tensor, "batch num_features"]) -> Float[Tensor, "batch 1"]:
    """By `functional.linear` and `torch.sigmoid`."""
    self.cache = X, self.W
    return _probability(X, self.W)


@stand_in(f"{CLASSIFIER}backward")
def classifier_backward(self: Any, dout: Float[Tensor, "batch 1"]) -> Float[Tensor, "num_weights 1"]:
    """By autograd."""
    return vjp(_probability, self.cache, dout)[1][1]


def _binary_cross_entropy(y_out: Tensor, y_truth: Tensor, reduction: str) -> Tensor:
    """With logits, since without them torch refuses targets outside of [0, 1]."""
    return functional.binary_cross_entropy_with_logits(y_out.logit(), y_truth, reduction=reduction)


def _slopes(loss: Any, y_out: Tensor, y_truth: Tensor, individual_losses: bool) -> Tensor:
    slopes = vjp(lambda y: loss(y, y_truth, reduction="none"), y_out, torch.ones_like(y_out))[1]
    return slopes if individual_losses else slopes.div(slopes.numel())


@stand_in(f"{LOSS}MSE.backward")
def mse_backward(
    self: Any,
    y_out: Float[Tensor, "*shape"],
    y_truth: Float[Tensor, "*shape"],
    individual_losses: bool = False,
) -> Float[Tensor, "*shape"]:
    """By `functional.mse_loss` and autograd."""
    return _slopes(functional.mse_loss, y_out, y_truth, individual_losses)


@stand_in(f"{LOSS}BCE.backward")
def bce_backward(
    self: Any,
    y_out: Float[Tensor, "*shape"],
    y_truth: Float[Tensor, "*shape"],
    individual_losses: bool = False,
) -> Float[Tensor, "*shape"]:
    """By `functional.binary_cross_entropy_with_logits` and autograd."""
    return _slopes(_binary_cross_entropy, y_out, y_truth, individual_losses)


@stand_in("regression.optimizer.Optimizer.step")
def optimizer_step(self: Any, dw: Float[Tensor, "num_weights 1"]) -> None:
    """By a fused operation."""
    self.model.W = torch.sub(self.model.W, dw, alpha=self.learning_rate)
