"""Right versions of `mlp.regularization`, written otherwise."""

import torch

from exercise_code.support.checking.declare import variant


@variant("mlp.regularization.max_norm")
def norm_by_where(w, limit):
    norms = torch.linalg.norm(w, dim=0, keepdim=True)
    return torch.where(norms > limit, w / norms.clamp(min=1e-12) * limit, w)


@variant("mlp.regularization.max_norm")
def norm_column_by_column(w, limit):
    columns = [w[:, j] * min(1.0, limit / max(w[:, j].norm().item(), 1e-12)) for j in range(w.shape[1])]
    return torch.stack(columns, dim=1)


@variant("mlp.regularization.max_norm")
def norm_with_a_small_number(w, limit):
    return w * (limit / (w.norm(dim=0) + 1e-6)).clamp(max=1)


@variant("mlp.regularization.ensemble_predict")
def ensemble_summed(models, X):
    total = 0
    for model in models:
        scores = model.loss(X)
        weights = (scores - scores.amax(1, keepdim=True)).exp()
        total = total + weights / weights.sum(1, keepdim=True)
    return total.argmax(1)
