"""How people get `regression.optimizer` wrong, and the hint each mistake deserves."""

from exercise_code.support.checking.declare import mistake

OPTIMIZE = "regression.optimizer.Optimizer.step"


@mistake(
    OPTIMIZE, hint="New weights are computed, but the model does not get them: assign to `self.model.W`."
)
def step_local_copy(self, dw):
    weights = self.model.W
    weights = weights - self.learning_rate * dw


@mistake(OPTIMIZE, hint="The step goes uphill: the gradient points to where the loss grows.")
def optimizer_uphill(self, dw):
    self.model.W = self.model.W + self.learning_rate * dw


@mistake(OPTIMIZE, hint="The learning rate is not used.")
def optimizer_without_rate(self, dw):
    self.model.W = self.model.W - dw


@mistake(OPTIMIZE, hint="The old weights are lost: the step is taken off them, it does not replace them.")
def step_replaces(self, dw):
    self.model.W = -self.learning_rate * dw


@mistake(OPTIMIZE, hint="The gradient itself is changed: `*=` works in place. Compute a new tensor.")
def step_in_place(self, dw):
    dw *= self.learning_rate
    self.model.W = self.model.W - dw
