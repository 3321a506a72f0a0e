"""Against overfitting: a bound on the weights, and a vote of several networks."""

from collections.abc import Sequence
from typing import Protocol

import torch
from jaxtyping import Float, Int
from torch import Tensor


class Model(Protocol):
    """What can be asked for scores."""

    def loss(self, X: Float[Tensor, "N *image"]) -> Float[Tensor, "N C"]: ...


def max_norm(w: Float[Tensor, "D M"], limit: float) -> Float[Tensor, "D M"]:
    """Rescale the columns of w so that none has a Euclidean norm above `limit`.

    A column that is too long is shortened to the limit and keeps its direction; the others stay as they
    are (Srivastava et al., 2014, section 5.1).
    Not allowed here: torch.renorm.

    Args:
        w: weights of a linear layer, one column for each unit; a column may be zero.
        limit: the largest norm allowed, above 0.

    Returns:
        New weights; w is not changed.
    """
    ### BEGIN SOLUTION
    norms = w.square().sum(dim=0).sqrt()
    return w * (limit / norms).clamp(max=1)
    ### END SOLUTION


def ensemble_predict(models: Sequence[Model], X: Float[Tensor, "N *image"]) -> Int[Tensor, " N"]:
    """The class with the highest probability on average over several networks.

    Each model's scores become probabilities by softmax (`torch.softmax` is allowed here); the mean of these
    decides.

    Args:
        models: networks whose `loss(X)` gives scores (N, C).
        X: the images.

    Returns:
        The predicted labels, int64.
    """
    ### BEGIN SOLUTION
    probabilities = [torch.softmax(model.loss(X), dim=1) for model in models]
    return torch.stack(probabilities).mean(dim=0).argmax(dim=1)
    ### END SOLUTION
