"""What several files of checks here share."""

import contextlib
import io
from typing import Any

import numpy as np
import torch
from torch import Tensor

AUTOGRAD = ["torch.autograd.grad", "torch.Tensor.backward", "torch.Tensor.requires_grad_"]


SOFTMAX = [
    "torch.softmax",
    "torch.log_softmax",
    "torch.logsumexp",
    "torch.nn.functional.softmax",
    "torch.nn.functional.log_softmax",
    "torch.nn.functional.cross_entropy",
    "torch.nn.functional.nll_loss",
]


LC, NN, FE = "linear.linear_classifier.", "linear.two_layer_net.", "linear.features."


ROUGH = {"rtol": 1e-2, "atol": 1e-2}
"""Scores near 2,000 have four digits behind the point in float32."""


def normal(case, *shape: int, size: float = 1.0) -> Tensor:
    """Normal numbers in any shape, which does not grow with the case."""
    count = int(np.prod(shape))
    places = (np.array(case.shuffled(range(count))) + 0.5) / count
    return case.tensor(size * torch.special.ndtri(torch.tensor(places)).reshape(shape))


PRINTS = "prints when not verbose, and when verbose"


def printed(function, *arguments: Any, **settings: Any) -> bool:
    """Whether a function prints anything."""
    with contextlib.redirect_stdout(io.StringIO()) as page:
        function(*arguments, **settings)
    return bool(page.getvalue())


def of_both_signs(case) -> tuple[Tensor, Tensor]:
    """Weights and images: all scores of an image are above 0, or all are below."""
    W, X = normal(case, 4, 5).cpu().clone(), normal(case, 11, 4).cpu().clone()
    W[3] += 20
    X[:, 3] = 2 * (torch.arange(len(X)) % 2) - 1
    return case.tensor(W), case.tensor(X)


def _settings_fault(name: str, values: Tensor) -> str | None:
    if not len(values):
        return f"there are no {name}"
    if not (torch.isfinite(values) & (values > 0)).all():
        return f"{name} must be above 0"
    if len(values.unique()) < len(values):
        return f"there are equal {name}"
    return None
