"""How people get `regression.classifier` wrong, and the hint each mistake deserves."""

import torch

from exercise_code.support.checking.declare import mistake

from .common import BIAS_FIRST

ONES_IN_FLOAT32 = "The ones are float32 whatever X is: `X.new_ones` takes over dtype and device."


SIGMOID = "regression.classifier.Classifier.sigmoid"


@mistake(SIGMOID, hint="exp(x) overflows for large x, and infinity over infinity is nan: use exp(-x).")
def sigmoid_overflows(self, x):
    return torch.exp(x) / (1 + torch.exp(x))


@mistake(SIGMOID, hint="The sign in the exponent is missing: large numbers must go to 1, not to 0.")
def sigmoid_mirrored(self, x):
    return 1 / (1 + torch.exp(x))


@mistake(SIGMOID, hint="This is tanh, between -1 and 1: a probability lies between 0 and 1.")
def sigmoid_tanh(self, x):
    return torch.tanh(x)


@mistake(SIGMOID, hint="Numbers are cut off at 0 and 1: the sigmoid bends smoothly.")
def sigmoid_clipped(self, x):
    return (0.5 + x / 4).clamp(0, 1)


@mistake(SIGMOID, hint="`torch.sigmoid` is the answer itself: write it with `torch.exp`.")
def sigmoid_of_torch(self, x):
    return torch.sigmoid(x)


@mistake(SIGMOID, hint="Brackets are missing: 1 / 1 + exp(-x) is 1 + exp(-x).")
def sigmoid_without_brackets(self, x):
    return 1 / 1 + torch.exp(-x)


FORWARD = "regression.classifier.Classifier.forward"


def _classify(model, X1, bend=True):
    z = X1 @ model.W
    probabilities = 1 / (1 + torch.exp(-z))
    model.cache = X1, probabilities
    return probabilities if bend else z


@mistake(FORWARD, hint=BIAS_FIRST)
def forward_bias_first(self, X):
    return _classify(self, torch.cat([X.new_ones(len(X), 1), X], dim=1))


@mistake(FORWARD, hint="The weighted sum comes back: a probability needs the sigmoid.")
def forward_without_sigmoid(self, X):
    return _classify(self, torch.cat([X, X.new_ones(len(X), 1)], dim=1), bend=False)


@mistake(
    FORWARD, hint="The column of ones is put there twice, so W does not fit any more.", raises=RuntimeError
)
def forward_ones_twice(self, X):
    return _classify(self, torch.cat([X, X.new_ones(len(X), 2)], dim=1))


@mistake(
    FORWARD, hint="The class comes back, 0 or 1: how sure the model is gets lost. Return the probability."
)
def forward_decides(self, X):
    return (_classify(self, torch.cat([X, X.new_ones(len(X), 1)], dim=1)) > 0.5).to(X.dtype)


@mistake(FORWARD, hint="The bias is left out: its feature is 1, not 0.")
def forward_without_bias(self, X):
    return _classify(self, torch.cat([X, X.new_zeros(len(X), 1)], dim=1))


@mistake(FORWARD, hint=ONES_IN_FLOAT32)
def forward_ones_in_float32(self, X):
    return _classify(self, torch.cat([X.float(), torch.ones(len(X), 1, device=X.device)], dim=1))


BACKWARD = "regression.classifier.Classifier.backward"


@mistake(BACKWARD, hint="dout is not used: how the probabilities should change depends on the loss.")
def backward_without_dout(self, dout):
    X1, p = self.cache
    return X1.T @ (p * (1 - p))


@mistake(BACKWARD, hint="The slope of the sigmoid is missing.")
def backward_without_slope(self, dout):
    X1, _ = self.cache
    return X1.T @ dout


@mistake(BACKWARD, hint="The slope of the sigmoid is p (1 - p); one of the two factors is missing.")
def backward_half_slope(self, dout):
    X1, p = self.cache
    return X1.T @ (dout * p)


@mistake(BACKWARD, hint="The slope of the sigmoid comes in twice.")
def backward_slope_twice(self, dout):
    X1, p = self.cache
    return X1.T @ (dout * (p * (1 - p)) ** 2)


@mistake(
    BACKWARD, hint="The slope is that of z itself: p (1 - p) needs the probability, not the sum before it."
)
def backward_slope_of_sum(self, dout):
    X1, _ = self.cache
    z = X1 @ self.W
    return X1.T @ (dout * z * (1 - z))


@mistake(BACKWARD, hint="It divides by N; if the loss is a mean, dout is divided already.")
def backward_mean(self, dout):
    X1, p = self.cache
    return X1.T @ (dout * p * (1 - p)) / len(dout)


@mistake(BACKWARD, hint="These are the gradients of single samples, (N, D + 1): add them up.")
def backward_per_sample(self, dout):
    X1, p = self.cache
    return X1 * (dout * p * (1 - p))


@mistake(BACKWARD, hint="dout is changed: `*=` works in place. Compute a new tensor.")
def backward_in_place(self, dout):
    X1, p = self.cache
    dout *= p * (1 - p)
    return X1.T @ dout
