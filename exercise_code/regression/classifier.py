"""Logistic regression: a straight line, bent into a probability."""

import torch
from jaxtyping import Float
from torch import Tensor

from exercise_code.regression.linear_base import LinearBase


class Classifier(LinearBase):
    """The probability that a sample belongs to class 1."""

    def sigmoid(self, x: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        """1 / (1 + exp(-x)), entry by entry; never nan, however large the entries are.

        Not allowed here: `torch.sigmoid` and its kin.
        """
        ### BEGIN SOLUTION
        return 1 / (1 + torch.exp(-x))
        ### END SOLUTION

    def forward(self, X: Float[Tensor, "batch num_features"]) -> Float[Tensor, "batch 1"]:
        """Predict: put a 1 behind the features of each sample, multiply by W, and take the sigmoid.

        Args:
            X: a sample in each row.

        Returns:
            A probability for each sample, in the dtype and on the device of X and W.
        """
        ### BEGIN SOLUTION
        X1 = torch.cat([X, X.new_ones(len(X), 1)], dim=1)
        probabilities = self.sigmoid(X1 @ self.W)
        self.cache = X1, probabilities
        return probabilities
        ### END SOLUTION

    def backward(self, dout: Float[Tensor, "batch 1"]) -> Float[Tensor, "num_weights 1"]:
        """Gradient of the loss with respect to W, by hand, for the X of the last `forward`.

        Args:
            dout: gradient of the loss with respect to the probabilities that `forward` returned.

        Returns:
            The sum over the samples. Where the loss is a mean, dout has been divided by N already.
        """
        ### BEGIN SOLUTION
        X1, probabilities = self.cache
        return X1.T @ (dout * probabilities * (1 - probabilities))
        ### END SOLUTION
