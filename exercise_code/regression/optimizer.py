"""A step downhill."""

from typing import Protocol

from jaxtyping import Float
from torch import Tensor


class Model(Protocol):
    """Anything with weights."""

    W: Float[Tensor, "num_weights 1"]


class Optimizer:
    """Gradient descent for one model."""

    def __init__(self, model: Model, learning_rate: float = 5e-5):
        """Remember the model, and how long the steps are."""
        self.model, self.learning_rate = model, learning_rate

    def step(self, dw: Float[Tensor, "num_weights 1"]) -> None:
        """Move the weights of the model against the gradient, by the gradient times the learning rate.

        Args:
            dw: gradient of the loss with respect to `self.model.W`.
        """
        ### BEGIN SOLUTION
        self.model.W = self.model.W - self.learning_rate * dw
        ### END SOLUTION
