"""How wrong a prediction is, and in which direction it is to be moved."""

from abc import ABC, abstractmethod

import torch
from jaxtyping import Float
from torch import Tensor

Column = Float[Tensor, "*shape"]


class Loss(ABC):
    """A loss: a number to make small, and its gradient with respect to the predictions.

    Predictions and targets have one shape, (N,) or (N, 1). The loss of a batch is the mean over its samples.
    """

    def __call__(self, y_out: Column, y_truth: Column) -> tuple[Float[Tensor, ""], Column]:
        """The loss of a batch and its gradient.

        Raises:
            ValueError: predictions and targets differ in shape; (N, 1) and (N,) would broadcast to (N, N).
        """
        if y_out.shape != y_truth.shape:
            shapes = f"{tuple(y_out.shape)} and {tuple(y_truth.shape)}"
            raise ValueError(f"predictions and targets have the shapes {shapes}: give both the same")
        return self.forward(y_out, y_truth), self.backward(y_out, y_truth)

    @abstractmethod
    def forward(self, y_out: Column, y_truth: Column, individual_losses: bool = False) -> Tensor:
        """The mean of the losses, without axes; or the loss of every sample, in the shape of y_out."""

    @abstractmethod
    def backward(self, y_out: Column, y_truth: Column, individual_losses: bool = False) -> Column:
        """Gradient of what `forward` gives with respect to y_out: of the mean, or of each own loss."""


class L1(Loss):
    """The distance between prediction and target."""

    def forward(self, y_out: Column, y_truth: Column, individual_losses: bool = False) -> Tensor:
        """|y_out - y_truth|, as the mean over the batch or for each sample.

        Not allowed here: `torch.nn.functional.l1_loss`.
        """
        ### BEGIN SOLUTION
        losses = (y_out - y_truth).abs()
        return losses if individual_losses else losses.mean()
        ### END SOLUTION

    def backward(self, y_out: Column, y_truth: Column, individual_losses: bool = False) -> Column:
        """Gradient of the mean (or of each sample's own loss), by hand; 0 where prediction equals target."""
        ### BEGIN SOLUTION
        slopes = (y_out - y_truth).sign()
        return slopes if individual_losses else slopes / len(slopes)
        ### END SOLUTION


class MSE(Loss):
    """The square of the distance between prediction and target."""

    def forward(self, y_out: Column, y_truth: Column, individual_losses: bool = False) -> Tensor:
        """(y_out - y_truth)², as the mean over the batch or for each sample.

        Not allowed here: `torch.nn.functional.mse_loss`.
        """
        ### BEGIN SOLUTION
        losses = (y_out - y_truth).square()
        return losses if individual_losses else losses.mean()
        ### END SOLUTION

    def backward(self, y_out: Column, y_truth: Column, individual_losses: bool = False) -> Column:
        """Gradient of the mean (or of each sample's own loss), by hand."""
        ### BEGIN SOLUTION
        slopes = 2 * (y_out - y_truth)
        return slopes if individual_losses else slopes / len(slopes)
        ### END SOLUTION


class BCE(Loss):
    """Binary cross-entropy: minus the log-probability that the prediction gives to the target."""

    def forward(self, y_out: Column, y_truth: Column, individual_losses: bool = False) -> Tensor:
        """-(y log p + (1 - y) log(1 - p)), as the mean over the batch or for each sample.

        Not allowed here: `torch.nn.functional.binary_cross_entropy`.

        Args:
            y_out: probabilities p of class 1, strictly between 0 and 1.
            y_truth: targets y; for a class 0 or 1, but the formula holds for any number.
            individual_losses: the loss of each sample instead of the mean.
        """
        ### BEGIN SOLUTION
        losses = -(y_truth * torch.log(y_out) + (1 - y_truth) * torch.log(1 - y_out))
        return losses if individual_losses else losses.mean()
        ### END SOLUTION

    def backward(self, y_out: Column, y_truth: Column, individual_losses: bool = False) -> Column:
        """Gradient of the mean (or of each sample's own loss) with respect to the probabilities, by hand."""
        ### BEGIN SOLUTION
        slopes = (1 - y_truth) / (1 - y_out) - y_truth / y_out
        return slopes if individual_losses else slopes / len(slopes)
        ### END SOLUTION
