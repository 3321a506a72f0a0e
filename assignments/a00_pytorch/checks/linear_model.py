"""What is asked of `regression.linear_model`."""

from exercise_code.support.checking.declare import check

from .common import AUTOGRAD, LINEAR, model_of


@check(f"{LINEAR}forward", points=1)
def linear_forward(code, case):
    """A weighted sum, with the bias at the end."""
    model = model_of(code.regression.linear_model.LinearModel, case.numbers(4, 1))
    return {"predictions": model.forward(case.numbers(6, 3))}


@check(f"{LINEAR}backward", points=1, stateful=True, uses=[f"{LINEAR}forward"], forbids=AUTOGRAD)
def linear_backward(code, case):
    """The gradient of the weights."""
    model = model_of(code.regression.linear_model.LinearModel, case.numbers(4, 1))
    model.forward(case.numbers(6, 3))
    return {"dW": model.backward(case.numbers(6, 1))}
