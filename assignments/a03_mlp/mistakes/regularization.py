"""How people get `mlp.regularization` wrong, and the hint each mistake deserves."""

import torch

from exercise_code.support.checking.declare import mistake

NORM = "mlp.regularization.max_norm"


@mistake(NORM, hint="Rows are bounded; the incoming weights of a unit are a column.")
def norm_of_rows(w, limit):
    norms = w.square().sum(1, keepdim=True).sqrt()
    return w * (limit / norms).clamp(max=1)


@mistake(NORM, hint="All columns get the norm `limit`: those that are short enough stay as they are.")
def norm_always(w, limit):
    return w * limit / w.square().sum(0).sqrt().clamp(min=1e-12)


@mistake(NORM, hint="A column of zeros becomes nan, 0 divided by 0: it needs no change.")
def norm_nan(w, limit):
    norms = w.square().sum(0).sqrt()
    return w / norms * norms.clamp(max=limit)


@mistake(NORM, hint="Each weight is cut off on its own: the norm of the whole column is bounded.")
def norm_of_entries(w, limit):
    return w.clamp(-limit, limit)


@mistake(NORM, hint="One norm of the whole matrix is taken: each unit has its own.")
def norm_of_matrix(w, limit):
    return w * (limit / w.square().sum().sqrt()).clamp(max=1)


@mistake(NORM, hint="w itself is changed: return new weights.")
def norm_in_place(w, limit):
    w *= (limit / w.square().sum(0).sqrt()).clamp(max=1)
    return w


@mistake(NORM, hint="The squared norm is compared with the limit: take its root.")
def norm_squared(w, limit):
    return w * (limit / w.square().sum(0)).clamp(max=1)


ENSEMBLE = "mlp.regularization.ensemble_predict"


@mistake(
    ENSEMBLE,
    hint="Scores are averaged, so a network that shouts outweighs the rest: turn them into probabilities.",
)
def ensemble_of_scores(models, X):
    return torch.stack([model.loss(X) for model in models]).mean(0).argmax(1)


@mistake(ENSEMBLE, hint="This is a show of hands: how sure each network is should count.")
def ensemble_by_vote(models, X):
    labels = torch.stack([model.loss(X).argmax(1) for model in models])
    return torch.nn.functional.one_hot(labels).sum(0).argmax(1)


@mistake(ENSEMBLE, hint="Softmax runs along the images: the probabilities of one image's classes sum to 1.")
def ensemble_wrong_axis(models, X):
    return torch.stack([model.loss(X).softmax(0) for model in models]).mean(0).argmax(1)


@mistake(ENSEMBLE, hint="The network that is surest decides alone: take the mean over the networks.")
def ensemble_of_the_surest(models, X):
    return torch.stack([model.loss(X).softmax(1) for model in models]).amax(0).argmax(1)


@mistake(ENSEMBLE, hint="Only one of the networks is asked.")
def ensemble_of_one(models, X):
    return models[0].loss(X).argmax(1)
