"""Right versions of `regression.solver`, written otherwise."""

from exercise_code.support.checking.declare import variant


@variant("regression.solver.Solver._step")
def solver_by_call(self):
    y_out = self.model.forward(self.X_train)
    _, dout = self.loss_func(y_out, self.y_train)
    self.opt.step(self.model.backward(dout))
