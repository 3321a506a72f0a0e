"""What is asked of `regression.classifier`."""

from exercise_code.support.checking.declare import check

from .common import AUTOGRAD, CLASSIFIER, model_of

SIGMOID = ["torch.sigmoid", "torch.nn.functional.sigmoid", "torch.special.expit"]


@check(f"{CLASSIFIER}sigmoid", points=1, forbids=SIGMOID)
def sigmoid(code, case):
    """Into (0, 1), for numbers of any size."""
    model = code.regression.classifier.Classifier(2)
    large = case.numbers(4, reach=3000.0)
    return {"of a matrix": model.sigmoid(case.numbers(3, 5)), "of large numbers": model.sigmoid(large)}


@check(f"{CLASSIFIER}forward", points=1, uses=[f"{CLASSIFIER}sigmoid"])
def classifier_forward(code, case):
    """Probabilities out of a weighted sum."""
    model = model_of(code.regression.classifier.Classifier, case.numbers(4, 1))
    return {"probabilities": model.forward(case.numbers(6, 3))}


@check(f"{CLASSIFIER}backward", points=1, stateful=True, uses=[f"{CLASSIFIER}forward"], forbids=AUTOGRAD)
def classifier_backward(code, case):
    """The gradient of the weights, through the slope of the sigmoid."""
    model = model_of(code.regression.classifier.Classifier, case.numbers(4, 1))
    model.forward(case.numbers(6, 3))
    return {"dW": model.backward(case.numbers(6, 1))}
