"""Right versions of `regression.classifier`, written otherwise."""

import torch

from exercise_code.support.checking.declare import variant

CLASSIFIER = "regression.classifier.Classifier."


@variant(CLASSIFIER + "sigmoid")
def sigmoid_by_sign(self, x):
    small = torch.exp(-x.abs())
    return torch.where(x >= 0, 1 / (1 + small), small / (1 + small))


@variant(CLASSIFIER + "sigmoid")
def sigmoid_by_tanh(self, x):
    return 0.5 * (1 + torch.tanh(x / 2))


@variant(CLASSIFIER + "forward")
def forward_in_two_terms(self, X):
    probabilities = self.sigmoid(X @ self.W[:-1] + self.W[-1])
    self.cache = torch.cat([X, torch.ones_like(X[:, :1])], dim=1), probabilities
    return probabilities


@variant(CLASSIFIER + "backward")
def backward_in_steps(self, dout):
    X1, p = self.cache
    dz = dout * (p - p**2)
    return torch.cat([X1[:, :-1].T @ dz, dz.sum(0, keepdim=True)])
