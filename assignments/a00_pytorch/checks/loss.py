"""What is asked of `regression.loss`."""

from collections.abc import Callable

import numpy as np
from torch import Tensor

from exercise_code.support.checking.declare import check

from .common import AUTOGRAD, LOSS, picture


# Losses
def on_pairs(case, call: Callable[..., Tensor], *, probabilities: bool = False) -> dict[str, Tensor]:
    """What a loss gives for pairs of predictions and targets, in two shapes."""
    outputs = {}
    for shape in ((7, 1), (5,)):
        y_out = (
            case.tensor(picture(case, *shape, low=0.1, high=0.9)) if probabilities else case.numbers(*shape)
        )
        y_truth = case.tensor(np.array(case.shuffled([0.0, 1.0] * 4))[: shape[0]].reshape(shape))
        if not probabilities:
            y_truth = case.numbers(*shape, reach=1.7)
        outputs[f"mean, {shape}"] = call(y_out, y_truth)
        outputs[f"individual, {shape}"] = call(y_out, y_truth, individual_losses=True)
    return outputs


@check(f"{LOSS}L1.forward", points=1, forbids=["torch.nn.functional.l1_loss"])
def l1_forward(code, case):
    """The mean distance, and every distance."""
    return on_pairs(case, code.regression.loss.L1().forward)


@check(f"{LOSS}L1.backward", points=1, forbids=AUTOGRAD)
def l1_backward(code, case):
    """Up or down, and 0 for what is right."""
    backward = code.regression.loss.L1().backward
    right = case.numbers(3, 1)
    return {**on_pairs(case, backward), "all right": backward(right, right.clone())}


@check(f"{LOSS}MSE.forward", points=1, forbids=["torch.nn.functional.mse_loss"])
def mse_forward(code, case):
    """The mean square, and every square."""
    return on_pairs(case, code.regression.loss.MSE().forward)


@check(f"{LOSS}MSE.backward", points=1, forbids=AUTOGRAD)
def mse_backward(code, case):
    """The gradient of the mean square."""
    return on_pairs(case, code.regression.loss.MSE().backward)


@check(f"{LOSS}BCE.forward", points=1, forbids=["torch.nn.functional.binary_cross_entropy"])
def bce_forward(code, case):
    """The mean surprise, and every surprise."""
    forward = code.regression.loss.BCE().forward
    pairs = on_pairs(case, forward, probabilities=True)
    y_out = case.tensor(np.array(case.shuffled([0.002, 0.03, 0.97, 0.998]))[:, None])
    return {**pairs, "any targets": forward(y_out, case.numbers(4, 1))}


@check(f"{LOSS}BCE.backward", points=1, forbids=AUTOGRAD)
def bce_backward(code, case):
    """The gradient with respect to the probabilities."""
    backward = code.regression.loss.BCE().backward
    pairs = on_pairs(case, backward, probabilities=True)
    y_out = case.tensor(np.array(case.shuffled([0.002, 0.03, 0.97, 0.998]))[:, None])
    return {**pairs, "any targets": backward(y_out, case.numbers(4, 1))}
