"""How people get `regression.loss` wrong, and the hint each mistake deserves."""

import math

import torch

from exercise_code.support.checking.declare import mistake


def _mean(losses, individual_losses):
    return losses if individual_losses else losses.mean()


def _over(slopes, individual_losses):
    return slopes if individual_losses else slopes / len(slopes)


SIGNED = "Differences keep their sign, so that too much and too little cancel."


SUMMED = "The losses are added up: the loss of a batch is their mean."


ALWAYS_MEAN = "`individual_losses` is not used: with it every sample's loss is due, in the shape of y_out."


ALWAYS_INDIVIDUAL = "The mean is missing: without `individual_losses` one number is due."


NOT_DIVIDED = "The loss is a mean, so its gradient is divided by N; here it is that of the sum."


TWICE_DIVIDED = "It divides by N twice; the mean in the loss does so once."


ALWAYS_DIVIDED = "With `individual_losses` every sample has a loss of its own: nothing is divided by N then."


WRONG_SIGN = "The sign is wrong: a prediction that is too high has a positive gradient."


IS_FORWARD = "This is the loss, not its gradient."


L1_FORWARD, L1_BACKWARD = "regression.loss.L1.forward", "regression.loss.L1.backward"


@mistake(L1_FORWARD, hint=SIGNED)
def l1_signed(self, y_out, y_truth, individual_losses=False):
    return _mean(y_out - y_truth, individual_losses)


@mistake(L1_FORWARD, hint=SUMMED)
def l1_summed(self, y_out, y_truth, individual_losses=False):
    losses = (y_out - y_truth).abs()
    return losses if individual_losses else losses.sum()


@mistake(L1_FORWARD, hint=ALWAYS_MEAN)
def l1_always_mean(self, y_out, y_truth, individual_losses=False):
    return (y_out - y_truth).abs().mean()


@mistake(L1_FORWARD, hint=ALWAYS_INDIVIDUAL)
def l1_never_mean(self, y_out, y_truth, individual_losses=False):
    return (y_out - y_truth).abs()


@mistake(L1_FORWARD, hint="Squares are taken: that is MSE. L1 takes the distance itself.")
def l1_squares(self, y_out, y_truth, individual_losses=False):
    return _mean((y_out - y_truth).square(), individual_losses)


@mistake(L1_FORWARD, hint="`sub_` or `-=` overwrites the predictions: compute a new tensor.")
def l1_in_place(self, y_out, y_truth, individual_losses=False):
    return _mean(y_out.sub_(y_truth).abs(), individual_losses)


@mistake(
    L1_BACKWARD,
    hint="Where prediction and target are equal this gives -1; nothing is to be changed there, so 0.",
)
def l1_backward_minus_at_zero(self, y_out, y_truth, individual_losses=False):
    one = torch.ones_like(y_out)
    return _over(torch.where(y_out > y_truth, one, -one), individual_losses)


@mistake(
    L1_BACKWARD, hint="Where prediction and target are equal this is 0 / 0, nan: the gradient is 0 there."
)
def l1_backward_nan_at_zero(self, y_out, y_truth, individual_losses=False):
    difference = y_out - y_truth
    return _over(difference / difference.abs(), individual_losses)


@mistake(L1_BACKWARD, hint=NOT_DIVIDED)
def l1_backward_of_sum(self, y_out, y_truth, individual_losses=False):
    return (y_out - y_truth).sign()


@mistake(L1_BACKWARD, hint=ALWAYS_DIVIDED)
def l1_backward_always_divided(self, y_out, y_truth, individual_losses=False):
    return (y_out - y_truth).sign() / len(y_out)


@mistake(L1_BACKWARD, hint=WRONG_SIGN)
def l1_backward_sign(self, y_out, y_truth, individual_losses=False):
    return _over((y_truth - y_out).sign(), individual_losses)


@mistake(
    L1_BACKWARD, hint="The difference itself is the gradient of a square: that of a distance only has a sign."
)
def l1_backward_difference(self, y_out, y_truth, individual_losses=False):
    return _over(y_out - y_truth, individual_losses)


MSE_FORWARD, MSE_BACKWARD = "regression.loss.MSE.forward", "regression.loss.MSE.backward"


@mistake(MSE_FORWARD, hint="The mean is squared: square each difference first, else plus and minus cancel.")
def mse_square_of_mean(self, y_out, y_truth, individual_losses=False):
    difference = y_out - y_truth
    return difference.square() if individual_losses else difference.mean().square()


@mistake(MSE_FORWARD, hint=SUMMED)
def mse_summed(self, y_out, y_truth, individual_losses=False):
    losses = (y_out - y_truth).square()
    return losses if individual_losses else losses.sum()


@mistake(MSE_FORWARD, hint=ALWAYS_MEAN)
def mse_always_mean(self, y_out, y_truth, individual_losses=False):
    return (y_out - y_truth).square().mean()


@mistake(MSE_FORWARD, hint="A root is taken: the mean of the squares itself is asked for.")
def mse_root(self, y_out, y_truth, individual_losses=False):
    losses = (y_out - y_truth).square()
    return losses if individual_losses else losses.mean().sqrt()


@mistake(MSE_FORWARD, hint="Half of the square is taken: there is no factor in this course's MSE.")
def mse_half(self, y_out, y_truth, individual_losses=False):
    return _mean((y_out - y_truth).square() / 2, individual_losses)


@mistake(MSE_BACKWARD, hint="The derivative of a square has a factor; it is missing.")
def mse_backward_without_two(self, y_out, y_truth, individual_losses=False):
    return _over(y_out - y_truth, individual_losses)


@mistake(MSE_BACKWARD, hint=NOT_DIVIDED)
def mse_backward_of_sum(self, y_out, y_truth, individual_losses=False):
    return 2 * (y_out - y_truth)


@mistake(MSE_BACKWARD, hint=TWICE_DIVIDED)
def mse_backward_twice(self, y_out, y_truth, individual_losses=False):
    slopes = 2 * (y_out - y_truth)
    return slopes if individual_losses else slopes / len(slopes) ** 2


@mistake(MSE_BACKWARD, hint=ALWAYS_DIVIDED)
def mse_backward_always_divided(self, y_out, y_truth, individual_losses=False):
    return 2 * (y_out - y_truth) / len(y_out)


@mistake(MSE_BACKWARD, hint=WRONG_SIGN)
def mse_backward_sign(self, y_out, y_truth, individual_losses=False):
    return _over(2 * (y_truth - y_out), individual_losses)


@mistake(MSE_BACKWARD, hint=IS_FORWARD)
def mse_backward_is_loss(self, y_out, y_truth, individual_losses=False):
    return _over((y_out - y_truth).square(), individual_losses)


@mistake(MSE_BACKWARD, hint="The gradient is one number, the mean of all: every prediction has its own.")
def mse_backward_mean(self, y_out, y_truth, individual_losses=False):
    slopes = 2 * (y_out - y_truth)
    return slopes if individual_losses else slopes.mean()


BCE_FORWARD, BCE_BACKWARD = "regression.loss.BCE.forward", "regression.loss.BCE.backward"


def _surprise(p, y):
    return -(y * p.log() + (1 - y) * (1 - p).log())


@mistake(
    BCE_FORWARD,
    hint="The minus in front is missing: logarithms of probabilities are negative, a loss is not.",
)
def bce_without_minus(self, y_out, y_truth, individual_losses=False):
    return _mean(-_surprise(y_out, y_truth), individual_losses)


@mistake(BCE_FORWARD, hint="Only class 1 counts: where the target is 0, the term with 1 - y speaks.")
def bce_class_one_only(self, y_out, y_truth, individual_losses=False):
    return _mean(-y_truth * y_out.log(), individual_losses)


@mistake(BCE_FORWARD, hint="Predictions and targets are swapped: the logarithm is that of the prediction.")
def bce_swapped(self, y_out, y_truth, individual_losses=False):
    return _mean(_surprise(y_truth.clamp(1e-6, 1 - 1e-6), y_out), individual_losses)


@mistake(BCE_FORWARD, hint=SUMMED)
def bce_summed(self, y_out, y_truth, individual_losses=False):
    losses = _surprise(y_out, y_truth)
    return losses if individual_losses else losses.sum()


@mistake(BCE_FORWARD, hint=ALWAYS_MEAN)
def bce_always_mean(self, y_out, y_truth, individual_losses=False):
    return _surprise(y_out, y_truth).mean()


@mistake(BCE_FORWARD, hint="A sigmoid is taken of what is a probability already.")
def bce_second_sigmoid(self, y_out, y_truth, individual_losses=False):
    return _mean(_surprise(1 / (1 + torch.exp(-y_out)), y_truth), individual_losses)


@mistake(
    BCE_FORWARD, hint="The logarithm has base 2 or 10: the natural one is due, whose derivative is 1 / p."
)
def bce_other_base(self, y_out, y_truth, individual_losses=False):
    return _mean(_surprise(y_out, y_truth) / math.log(2), individual_losses)


@mistake(
    BCE_BACKWARD, hint="This is the gradient of the sum before the sigmoid; that of the probability is due."
)
def bce_backward_of_sum_before(self, y_out, y_truth, individual_losses=False):
    return _over(y_out - y_truth, individual_losses)


@mistake(BCE_BACKWARD, hint=NOT_DIVIDED)
def bce_backward_of_sum(self, y_out, y_truth, individual_losses=False):
    return (1 - y_truth) / (1 - y_out) - y_truth / y_out


@mistake(BCE_BACKWARD, hint=TWICE_DIVIDED)
def bce_backward_twice(self, y_out, y_truth, individual_losses=False):
    slopes = (1 - y_truth) / (1 - y_out) - y_truth / y_out
    return slopes if individual_losses else slopes / len(slopes) ** 2


@mistake(BCE_BACKWARD, hint=ALWAYS_DIVIDED)
def bce_backward_always_divided(self, y_out, y_truth, individual_losses=False):
    return ((1 - y_truth) / (1 - y_out) - y_truth / y_out) / len(y_out)


@mistake(BCE_BACKWARD, hint="The second term has the wrong sign: raising p makes a target of 0 worse.")
def bce_backward_second_sign(self, y_out, y_truth, individual_losses=False):
    return _over(-y_truth / y_out - (1 - y_truth) / (1 - y_out), individual_losses)


@mistake(BCE_BACKWARD, hint="Class 0 has no gradient: the term with 1 - y is missing.")
def bce_backward_class_one_only(self, y_out, y_truth, individual_losses=False):
    return _over(-y_truth / y_out, individual_losses)


@mistake(BCE_BACKWARD, hint=WRONG_SIGN)
def bce_backward_sign(self, y_out, y_truth, individual_losses=False):
    return _over(y_truth / y_out - (1 - y_truth) / (1 - y_out), individual_losses)


CLAMPED = "Probabilities near 0 and 1 are cut off: at most a tiny epsilon may keep the logarithm finite."


@mistake(BCE_FORWARD, hint=CLAMPED)
def bce_clamped(self, y_out, y_truth, individual_losses=False):
    return _mean(_surprise(y_out.clamp(0.1, 0.9), y_truth), individual_losses)
