"""What is asked of `regression.solver`."""

import numpy as np

from exercise_code.support.checking.declare import check

from .common import CLASSIFIER, LINEAR, LOSS, model_of


@check(
    "regression.solver.Solver._step",
    points=2,
    uses=[
        f"{LINEAR}forward",
        f"{LINEAR}backward",
        f"{CLASSIFIER}forward",
        f"{CLASSIFIER}backward",
        f"{LOSS}MSE.backward",
        f"{LOSS}BCE.backward",
        "regression.optimizer.Optimizer.step",
    ],
    stateful=True,
    forbids=["torch.autograd.grad", "torch.Tensor.requires_grad_"],
)
def solver_step(code, case):
    """Two steps of training, of a line and of a classifier."""
    networks, outputs = code.regression, {}
    for name, kind, loss in (
        ("regression", networks.linear_model.LinearModel, networks.loss.MSE()),
        ("classification", networks.classifier.Classifier, networks.loss.BCE()),
    ):
        model = model_of(kind, case.numbers(4, 1, reach=0.5))
        targets = [case.tensor(np.array(case.shuffled([0.0, 1.0] * 4))[:n, None]) for n in (6, 5)]
        data = {"X_train": case.numbers(6, 3), "y_train": targets[0]}
        data |= {"X_val": case.numbers(5, 3), "y_val": targets[1]}
        solver = code.regression.solver.Solver(model, data, loss, 0.4, verbose=False)
        for count in ("one step", "two steps"):
            solver._step()
            outputs[f"{name}: W after {count}"] = model.W.clone()
    return outputs
