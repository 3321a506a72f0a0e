"""A straight line, or a plane."""

import torch
from jaxtyping import Float
from torch import Tensor


class LinearModel:
    """A weighted sum of the features, plus a bias.

    Attributes:
        W: weights (num_features + 1, 1); the last one is the bias, the weight of a feature that is always 1.
        cache: what `forward` keeps for `backward`.
    """

    def __init__(self, num_features: int = 2):
        """Create a model for `num_features` inputs, with small random weights."""
        self.num_features = num_features
        self.cache = None
        self.initialize_weights()

    def initialize_weights(self, weights: Float[Tensor, "num_weights 1"] | None = None) -> None:
        """Set the weights; without any, draw them: float64, normal, with standard deviation 0.001."""
        if weights is None:
            weights = 0.001 * torch.randn(self.num_features + 1, 1, dtype=torch.float64)
        self.W = weights

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
            The sum over the samples; whether it is a mean is for the loss to say, in dout.
        """
        ### BEGIN SOLUTION
        return self.cache.T @ dout
        ### END SOLUTION
