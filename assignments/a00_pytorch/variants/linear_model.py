"""Right versions of `regression.linear_model`, written otherwise."""

import torch

from exercise_code.support.checking.declare import variant

LINEAR = "regression.linear_model.LinearModel."


@variant(LINEAR + "forward")
def linear_in_two_terms(self, X):
    self.cache = torch.cat((X, torch.ones_like(X[:, :1])), 1)
    return X @ self.W[:-1] + self.W[-1]


@variant(LINEAR + "forward")
def linear_padded(self, X):
    self.cache = torch.nn.functional.pad(X, (0, 1), value=1.0)
    return self.cache.mm(self.W)


@variant(LINEAR + "backward")
def linear_backward_einsum(self, dout):
    return torch.einsum("nd,no->do", self.cache, dout)


@variant(LINEAR + "backward")
def linear_backward_summed(self, dout):
    return (self.cache * dout).sum(0, keepdim=True).T
