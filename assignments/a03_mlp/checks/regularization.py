"""What is asked of `mlp.regularization`."""

import numpy as np
from torch import Tensor

from exercise_code.support.checking.declare import check


@check("mlp.regularization.max_norm", points=1, forbids=["torch.renorm"])
def bounded_columns(code, case):
    """Columns that are too long are shortened, zero stays zero."""
    scale = 1000  # so that 1e-6 more in a norm, as it is often written, is nothing
    w = scale * case.numbers(6, 5).cpu().numpy() * np.array([0.2, 1.0, 0.0, 3.0, 0.6])
    limits = (1.5 * scale, 3.0 * scale)
    return {f"limit {limit}": code.mlp.regularization.max_norm(case.tensor(w), limit) for limit in limits}


class Fixed:
    """A model whose scores are given."""

    def __init__(self, scores: Tensor):
        self.scores = scores

    def loss(self, X: Tensor) -> Tensor:
        return self.scores[: len(X)]


@check("mlp.regularization.ensemble_predict", points=1)
def mean_of_probabilities(code, case):
    """The mean probability decides, not the loudest network and not a show of hands."""
    models = [Fixed(case.numbers(101, 4, reach=reach)) for reach in (1.0, 8.0, 2.0, 1.5)]
    return {"labels": code.mlp.regularization.ensemble_predict(models, case.numbers(101, 3))}
