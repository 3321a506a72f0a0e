"""How people get `regression.solver` wrong, and the hint each mistake deserves."""

from exercise_code.support.checking.declare import mistake

SOLVER = "regression.solver.Solver._step"


def _solver_step(solver, *, X=None, y=None, at=None, times=1.0):
    X, y = solver.X_train if X is None else X, solver.y_train if y is None else y
    predictions = solver.model.forward(X)
    dout = solver.loss_func.backward(predictions if at is None else at(predictions), y)
    solver.opt.step(times * solver.model.backward(dout))


@mistake(SOLVER, hint="The validation data are trained on: they can judge nothing any more.")
def solver_on_validation(self):
    _solver_step(self, X=self.X_val, y=self.y_val)


@mistake(SOLVER, hint="The gradient is divided by N once more: the loss has done so.")
def solver_divides_again(self):
    _solver_step(self, times=1 / len(self.X_train))


@mistake(SOLVER, hint="The gradient is multiplied by N, so the steps grow with the data: the mean is due.")
def solver_sums(self):
    _solver_step(self, times=len(self.X_train))


@mistake(SOLVER, hint="The loss itself goes into `backward` of the model: its gradient belongs there.")
def solver_uses_loss(self):
    predictions = self.model.forward(self.X_train)
    losses = self.loss_func.forward(predictions, self.y_train, individual_losses=True)
    self.opt.step(self.model.backward(losses / len(losses)))


@mistake(SOLVER, hint="Predictions and targets are swapped in the loss.")
def solver_swaps(self):
    predictions = self.model.forward(self.X_train)
    dout = self.loss_func.backward(self.y_train.clamp(0.01, 0.99), predictions)
    self.opt.step(self.model.backward(dout))


@mistake(SOLVER, hint="The gradient is computed, but no step follows: hand it to `self.opt`.")
def solver_without_step(self):
    predictions = self.model.forward(self.X_train)
    self.model.backward(self.loss_func.backward(predictions, self.y_train))


@mistake(
    SOLVER,
    hint="Validation runs last, so `backward` works on its samples: predict the training set right before.",
)
def solver_wrong_cache(self):
    dout = self.loss_func.backward(self.model.forward(self.X_train), self.y_train)
    self.model.forward(self.X_train.flip(0))
    self.opt.step(self.model.backward(dout))


@mistake(SOLVER, hint="A learning rate of one's own is used: `self.opt` knows how long the steps are.")
def solver_own_rate(self):
    predictions = self.model.forward(self.X_train)
    gradient = self.model.backward(self.loss_func.backward(predictions, self.y_train))
    self.model.W = self.model.W - 0.01 * gradient
