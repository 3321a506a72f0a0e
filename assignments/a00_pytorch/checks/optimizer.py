"""What is asked of `regression.optimizer`."""

from exercise_code.support.checking.declare import check

from .common import model_of


# Training
@check("regression.optimizer.Optimizer.step", points=1, stateful=True)
def optimizer_step(code, case):
    """The weights of the model move against the gradient."""
    model = model_of(code.regression.linear_model.LinearModel, case.numbers(4, 1))
    optimizer = code.regression.optimizer.Optimizer(model, learning_rate=0.3)
    optimizer.step(case.numbers(4, 1))
    once = model.W.clone()
    optimizer.step(case.numbers(4, 1))
    return {"W after a step": once, "W after two": model.W}
