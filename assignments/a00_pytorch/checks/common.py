"""What several files of checks here share."""

import math
from typing import Any

import numpy as np
from torch import Tensor

JOINING = [f"torch.{name}" for name in ("cat", "concat", "hstack", "vstack", "column_stack", "stack")]


def batches(case) -> tuple[Tensor, Tensor]:
    """Pairs of matrices, (B, N, 5) and (B, 5, P); B, N and P are scaled with the case."""
    x = (case.positive_matrix(3, 4)[:, :, None] * case.numbers(5)).sin()
    y = (case.positive_matrix(3, 6)[:, None] * case.numbers(5)[:, None]).cos()
    return x, y


AUTOGRAD = ["torch.autograd.grad", "torch.Tensor.backward", "torch.Tensor.requires_grad_"]


CLASSIFIER = "regression.classifier.Classifier."


LINEAR = "regression.linear_model.LinearModel."


LOSS = "regression.loss."


def picture(case, *shape: int, low: float = 0.0, high: float = 1.0) -> np.ndarray:
    """Different numbers between low and high, in no order."""
    count = math.prod(shape)
    places = np.array(case.shuffled(range(count))).reshape(shape)
    return case.array(low + (high - low) * (places + 0.5) / count)


# Models
def model_of(kind: type, W: Tensor) -> Any:
    """A model with these weights."""
    model = kind(len(W) - 1)
    model.initialize_weights(W.clone())
    return model
