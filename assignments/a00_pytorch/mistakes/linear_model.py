"""How people get `regression.linear_model` wrong, and the hint each mistake deserves."""

import torch

from exercise_code.support.checking.declare import mistake

from .common import BIAS_FIRST

LINEAR = "regression.linear_model.LinearModel.forward"


LINEAR_BACKWARD = "regression.linear_model.LinearModel.backward"


ONES_ON_CPU = "The ones are made on the CPU: make them where X is (`X.new_ones` does)."


@mistake(LINEAR, hint=BIAS_FIRST)
def linear_bias_first(self, X):
    self.cache = torch.cat([X.new_ones(len(X), 1), X], dim=1)
    return self.cache @ self.W


@mistake(LINEAR, hint="The bias is left out: without it the line must go through the origin.")
def linear_without_bias(self, X):
    self.cache = torch.cat([X, X.new_zeros(len(X), 1)], dim=1)
    return self.cache @ self.W


@mistake(
    LINEAR,
    hint="X is multiplied as it came, with one column less than W has rows: put the ones behind it.",
    raises=RuntimeError,
)
def linear_without_ones(self, X):
    self.cache = X
    return self.cache @ self.W


@mistake(LINEAR, hint=ONES_ON_CPU)
def linear_ones_on_cpu(self, X):
    self.cache = torch.cat([X, torch.ones(len(X), 1, dtype=X.dtype)], dim=1)
    return self.cache @ self.W


@mistake(LINEAR, hint="The result has lost an axis: the shape is (N, 1), one row for each sample.")
def linear_flat(self, X):
    self.cache = torch.cat([X, X.new_ones(len(X), 1)], dim=1)
    return (self.cache @ self.W).squeeze(1)


@mistake(LINEAR, hint="A sigmoid bends the line: in linear regression the sum itself is the prediction.")
def linear_with_sigmoid(self, X):
    self.cache = torch.cat([X, X.new_ones(len(X), 1)], dim=1)
    return torch.sigmoid(self.cache @ self.W)


@mistake(LINEAR_BACKWARD, hint="dout is not used: how the predictions should change depends on the loss.")
def linear_backward_without_dout(self, dout):
    return self.cache.T @ torch.ones_like(dout)


@mistake(LINEAR_BACKWARD, hint="It divides by N; if the loss is a mean, dout is divided already.")
def linear_backward_mean(self, dout):
    return self.cache.T @ dout / len(dout)


@mistake(LINEAR_BACKWARD, hint="These are the gradients of single samples, (N, D + 1): add them up.")
def linear_backward_per_sample(self, dout):
    return self.cache * dout


@mistake(LINEAR_BACKWARD, hint="This is the gradient of X, (N, D): that of W is asked for.")
def linear_backward_of_input(self, dout):
    return dout @ self.W[:-1].T


@mistake(LINEAR_BACKWARD, hint="The bias gets no gradient: its feature is 1 for every sample.")
def linear_backward_without_bias(self, dout):
    gradient = self.cache.T @ dout
    return torch.cat([gradient[:-1], torch.zeros_like(gradient[-1:])])
