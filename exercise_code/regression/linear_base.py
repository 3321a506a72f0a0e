"""What a linear and a logistic model have in common: their weights."""

import torch
from jaxtyping import Float
from torch import Tensor


class LinearBase:
    """Weights for a number of features, and one for the bias.

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
