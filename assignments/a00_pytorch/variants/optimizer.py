"""Right versions of `regression.optimizer`, written otherwise."""

import torch

from exercise_code.support.checking.declare import variant


@variant("regression.optimizer.Optimizer.step")
def step_in_place_on_weights(self, dw):
    self.model.W -= self.learning_rate * dw


@variant("regression.optimizer.Optimizer.step")
def step_with_alpha(self, dw):
    self.model.W = torch.sub(self.model.W, dw, alpha=self.learning_rate)
