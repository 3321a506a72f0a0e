"""A straight line, or a plane."""

import torch
from jaxtyping import Float
from torch import Tensor

from exercise_code.regression.linear_base import LinearBase


class LinearModel(LinearBase):
    """A weighted sum of the features, plus a bias."""

    def forward(self, X: Float[Tensor, "batch num_features"]) -> Float[Tensor, "batch 1"]:
        """Predict: put a 1 behind the features of each sample, and multiply by W.

        Args:
            X: a sample in each row.

        Returns:
            A number for each sample, in the dtype and on the device of X and W.
        """
        ### BEGIN SOLUTION
        self.cache = torch.cat([X, X.new_ones(len(X), 1)], dim=1)
        return self.cache @ self.W
        ### END SOLUTION

    def backward(self, dout: Float[Tensor, "batch 1"]) -> Float[Tensor, "num_weights 1"]:
        """Gradient of the loss with respect to W, by hand, for the X of the last `forward`.

        Args:
            dout: gradient of the loss with respect to what `forward` returned.

        Returns:
            The sum over the samples. Where the loss is a mean, dout has been divided by N already.
        """
        ### BEGIN SOLUTION
        return self.cache.T @ dout
        ### END SOLUTION
