"""How people get `mlp.fully_connected_networks` wrong, and the hint each mistake deserves."""

import itertools

import torch

from exercise_code.mlp import fully_connected_networks as fcn
from exercise_code.mlp.losses import softmax_loss
from exercise_code.support.checking.declare import mistake

FCN = "mlp.fully_connected_networks."


ON_CPU = "A tensor made without `device=` lives on the CPU: make it where its neighbours are (`*_like` does)."


IN_PLACE = "The input itself is overwritten, and somebody else may still need it: make a new tensor."


DOUT_IN_PLACE = "`dx = dout` is no copy, so writing into dx changes dout: multiply into a new tensor."


FLOAT32 = "The result is float32 whatever goes in: keep to the dtype of the input."


# Linear
@mistake(FCN + "Linear.forward", hint="The bias is missing: each output has one of its own.")
def linear_without_bias(x, w, b):
    return x.flatten(1) @ w, (x, w)


@mistake(
    FCN + "Linear.forward",
    hint="Images have several axes: flatten each to D numbers, keeping the first axis.",
    raises=RuntimeError,
)
def linear_without_flatten(x, w, b):
    return x @ w + b, (x, w)


@mistake(
    FCN + "Linear.forward",
    hint="The pixels are in another order than `flatten(1)` gives: no transposing before.",
)
def linear_flattened_backwards(x, w, b):
    return x.transpose(1, -1).flatten(1) @ w + b, (x, w)


@mistake(
    FCN + "Linear.forward",
    hint="`view` needs numbers that lie in order, and images may be transposed: use `flatten` or `reshape`.",
)
def linear_by_view(x, w, b):
    return x.view(len(x), -1) @ w + b, (x, w)


@mistake(FCN + "Linear.forward", hint=FLOAT32)
def linear_always_float32(x, w, b):
    return x.flatten(1).float() @ w.float() + b.float(), (x, w)


@mistake(FCN + "Linear.forward", hint="`linear` is the layer itself: write it as a matrix product and a sum.")
def linear_by_library(x, w, b):
    return torch.nn.functional.linear(x.flatten(1), w.T, b), (x, w)


@mistake(FCN + "Linear.backward", hint="dx comes back flat: it has the shape of x, images included.")
def linear_dx_flat(dout, cache):
    x, w = cache
    return dout @ w.T, x.flatten(1).T @ dout, dout.sum(0)


@mistake(FCN + "Linear.backward", hint="db is the sum over the batch: the loss has divided by N already.")
def linear_db_mean(dout, cache):
    x, w = cache
    return (dout @ w.T).view(x.shape), x.flatten(1).T @ dout, dout.mean(0)


@mistake(FCN + "Linear.backward", hint="dw is divided by N once more: the loss has done that already.")
def linear_dw_mean(dout, cache):
    x, w = cache
    return (dout @ w.T).view(x.shape), x.flatten(1).T @ dout / len(x), dout.sum(0)


@mistake(
    FCN + "Linear.backward", hint="dw and db are means over the batch: the loss has divided by N already."
)
def linear_both_means(dout, cache):
    x, w = cache
    return (dout @ w.T).view(x.shape), x.flatten(1).T @ dout / len(x), dout.mean(0)


@mistake(FCN + "Linear.backward", hint="dw is transposed: it has the shape (D, M) of w.")
def linear_dw_transposed(dout, cache):
    x, w = cache
    return (dout @ w.T).view(x.shape), dout.T @ x.flatten(1), dout.sum(0)


@mistake(FCN + "Linear.backward", hint="db keeps an axis of size 1: b has the single axis M.")
def linear_db_row(dout, cache):
    x, w = cache
    return (dout @ w.T).view(x.shape), x.flatten(1).T @ dout, dout.sum(0, keepdim=True)


@mistake(FCN + "Linear.backward", hint="Gradients come back in the order dx, dw, db.")
def linear_other_order(dout, cache):
    x, w = cache
    return x.flatten(1).T @ dout, (dout @ w.T).view(x.shape), dout.sum(0)


@mistake(
    FCN + "Linear.backward",
    hint="x is multiplied as it came, with all its axes: flatten it for dw as for the output.",
)
def linear_dw_unflattened(dout, cache):
    x, w = cache
    return (dout @ w.T).view(x.shape), x.T @ dout, dout.sum(0)


@mistake(
    FCN + "Linear.backward",
    hint="x is taken for a matrix: dx has the shape of x, images included, and for dw x is flattened.",
)
def linear_for_matrices(dout, cache):
    x, w = cache
    return dout @ w.T, x.T @ dout, dout.sum(0)


# Nonlinearities
@mistake(FCN + "ReLU.forward", hint=IN_PLACE)
def relu_in_place(x):
    x[x < 0] = 0
    return x, x


@mistake(
    FCN + "ReLU.forward", hint="The sign is thrown away, not the negative numbers: these are absolute values."
)
def relu_absolute(x):
    return x.abs(), x


@mistake(FCN + "ReLU.forward", hint="Numbers are cut off at the top as well: positive ones pass as they are.")
def relu_clipped(x):
    return x.clamp(0, 1), x


@mistake(
    FCN + "ReLU.forward",
    hint="The mask (1 where x is positive) is returned; it still has to be multiplied with x.",
)
def relu_mask(x):
    return (x > 0).to(x.dtype), x


@mistake(
    FCN + "ReLU.forward", hint="`relu` is the layer itself: write it with a comparison, a maximum or a clamp."
)
def relu_by_library(x):
    return torch.relu(x), x


@mistake(FCN + "ReLU.backward", hint=DOUT_IN_PLACE)
def relu_changes_dout(dout, cache):
    dx = dout
    dx[cache <= 0] = 0
    return dx


@mistake(
    FCN + "ReLU.backward", hint="The mask depends on x, not on the gradient: a negative gradient passes too."
)
def relu_of_gradient(dout, cache):
    return dout.clamp(min=0)


@mistake(FCN + "ReLU.backward", hint="The gradient passes everywhere: where x was negative, it is 0.")
def relu_passes_all(dout, cache):
    return dout.clone()


@mistake(FCN + "ReLU.backward", hint="This is the slope alone: by the chain rule it is multiplied with dout.")
def relu_slope_alone(dout, cache):
    return (cache > 0).to(dout.dtype)


@mistake(
    FCN + "ReLU.backward", hint="The slope of ReLU is 1, not x: multiply by the mask, not by the output."
)
def relu_times_output(dout, cache):
    return dout * cache.clamp(min=0)


@mistake(
    FCN + "LeakyReLU.forward", hint="The argument `slope` is ignored: 0.01 is only what it is when not given."
)
def leaky_fixed_slope(x, slope=0.01):
    return torch.where(x > 0, x, 0.01 * x), (x, slope)


@mistake(
    FCN + "LeakyReLU.forward",
    hint="The larger of x and slope * x is wrong for a slope above 1: ask for the sign of x.",
)
def leaky_by_maximum(x, slope=0.01):
    return torch.maximum(x, slope * x), (x, slope)


@mistake(
    FCN + "LeakyReLU.forward", hint="The slope is added, not multiplied: negative numbers become slope * x."
)
def leaky_constant(x, slope=0.01):
    return torch.where(x > 0, x, torch.full_like(x, slope)), (x, slope)


@mistake(
    FCN + "LeakyReLU.forward",
    hint="The sides are swapped: positive numbers pass whole, negative ones in part.",
)
def leaky_swapped(x, slope=0.01):
    return torch.where(x > 0, slope * x, x), (x, slope)


@mistake(FCN + "LeakyReLU.forward", hint=IN_PLACE)
def leaky_in_place(x, slope=0.01):
    kept = x.clone()
    x[x < 0] *= slope
    return x, (kept, slope)


@mistake(
    FCN + "LeakyReLU.backward",
    hint="The slope is that of `forward`, which may have been told another: put it into the cache.",
)
def leaky_backward_fixed_slope(dout, cache):
    return torch.where(cache[0] > 0, dout, 0.01 * dout)


@mistake(
    FCN + "LeakyReLU.backward",
    hint="This is the gradient of a plain ReLU: on the negative side the slope is not 0.",
)
def leaky_backward_relu(dout, cache):
    return dout * (cache[0] > 0)


@mistake(
    FCN + "LeakyReLU.backward",
    hint="The mask is taken from the output; with a negative slope that is positive too. Keep x.",
)
def leaky_backward_by_output(dout, cache):
    x, slope = cache
    out = torch.where(x > 0, x, slope * x)
    return torch.where(out > 0, dout, slope * dout)


@mistake(
    FCN + "LeakyReLU.backward",
    hint="x is compared with slope * x; with a slope above 1 that is the wrong way round: compare it with 0.",
)
def leaky_backward_by_larger(dout, cache):
    x, slope = cache
    return torch.where(x > slope * x, dout, slope * dout)


@mistake(FCN + "LeakyReLU.backward", hint=DOUT_IN_PLACE)
def leaky_changes_dout(dout, cache):
    x, slope = cache
    dout[x <= 0] *= slope
    return dout


@mistake(
    FCN + "LeakyReLU.backward", hint="The slope multiplies x instead of the gradient that comes from above."
)
def leaky_backward_input(dout, cache):
    x, slope = cache
    return torch.where(x > 0, dout, slope * x)


@mistake(
    FCN + "Sigmoid.forward",
    hint="exp(x) / (1 + exp(x)) is infinity over infinity for large x: divide both sides by exp(x).",
)
def sigmoid_overflows(x):
    out = x.exp() / (1 + x.exp())
    return out, out


@mistake(
    FCN + "Sigmoid.forward", hint="The sign in the exponent is missing: this falls from 1 to 0 as x grows."
)
def sigmoid_falling(x):
    out = 1 / (1 + x.exp())
    return out, out


@mistake(FCN + "Sigmoid.forward", hint="`sigmoid` is the layer itself: write it with exp.")
def sigmoid_by_library(x):
    out = torch.sigmoid(x)
    return out, out


@mistake(
    FCN + "Sigmoid.forward",
    hint="Cutting x off at a few units changes ordinary values as well: no clamp is needed.",
)
def sigmoid_clamped(x):
    out = 1 / (1 + (-x.clamp(-1.5, 1.5)).exp())
    return out, out


@mistake(FCN + "Sigmoid.backward", hint="The factor 1 - out is missing: the slope is out times 1 - out.")
def sigmoid_backward_half(dout, cache):
    return dout * cache


@mistake(
    FCN + "Sigmoid.backward",
    hint="The sigmoid is taken a second time: the cache already holds the output.",
)
def sigmoid_backward_twice(dout, cache):
    out = 1 / (1 + (-cache).exp())
    return dout * out * (1 - out)


@mistake(
    FCN + "Sigmoid.backward", hint="This is the slope alone: by the chain rule it is multiplied with dout."
)
def sigmoid_slope_alone(dout, cache):
    return cache * (1 - cache)


@mistake(
    FCN + "Sigmoid.backward", hint="1 - out squared is the slope of tanh; the sigmoid's is out times 1 - out."
)
def sigmoid_backward_as_tanh(dout, cache):
    return dout * (1 - cache**2)


@mistake(
    FCN + "Tanh.forward",
    hint="For large x this is infinity over infinity: divide both sides of the fraction by exp(x).",
)
def tanh_overflows(x):
    out = (x.exp() - (-x).exp()) / (x.exp() + (-x).exp())
    return out, out


@mistake(FCN + "Tanh.forward", hint="This is the sigmoid of 2x: it still has to be stretched to (-1, 1).")
def tanh_not_stretched(x):
    out = 1 / (1 + (-2 * x).exp())
    return out, out


@mistake(
    FCN + "Tanh.forward", hint="tanh is the sigmoid stretched in both directions: inside stands 2x, not x."
)
def tanh_too_wide(x):
    out = 2 / (1 + (-x).exp()) - 1
    return out, out


@mistake(FCN + "Tanh.forward", hint="`tanh` is the layer itself: write it with exp.")
def tanh_by_library(x):
    out = torch.tanh(x)
    return out, out


@mistake(FCN + "Tanh.backward", hint="The slope is 1 minus the *square* of the output.")
def tanh_backward_not_squared(dout, cache):
    return dout * (1 - cache)


@mistake(FCN + "Tanh.backward", hint="out times 1 - out is the slope of the sigmoid, not of tanh.")
def tanh_backward_as_sigmoid(dout, cache):
    return dout * cache * (1 - cache)


@mistake(FCN + "Tanh.backward", hint="This is the slope alone: by the chain rule it is multiplied with dout.")
def tanh_slope_alone(dout, cache):
    return 1 - cache**2


# Dropout
@mistake(
    FCN + "Dropout.forward", hint="p is read as the probability of keeping; here it is that of dropping."
)
def dropout_keeps_p(x, dropout_param):
    p, mode, seed = dropout_param["p"], dropout_param["mode"], dropout_param.get("seed")
    if seed is not None:
        torch.manual_seed(seed)
    if mode == "test":
        return x, None
    mask = (torch.rand_like(x) < p).to(x.dtype) / p
    return x * mask, mask


@mistake(
    FCN + "Dropout.forward", hint="What is kept is not scaled up, so the mean falls by the factor 1 - p."
)
def dropout_without_scale(x, dropout_param):
    if dropout_param.get("seed") is not None:
        torch.manual_seed(dropout_param["seed"])
    if dropout_param["mode"] == "test":
        return x, None
    mask = (torch.rand_like(x) >= dropout_param["p"]).to(x.dtype)
    return x * mask, mask


@mistake(FCN + "Dropout.forward", hint="What is kept has the probability 1 - p: divide by that, not by p.")
def dropout_divided_by_p(x, dropout_param):
    if dropout_param.get("seed") is not None:
        torch.manual_seed(dropout_param["seed"])
    if dropout_param["mode"] == "test":
        return x, None
    mask = (torch.rand_like(x) >= dropout_param["p"]).to(x.dtype) / dropout_param["p"]
    return x * mask, mask


@mistake(
    FCN + "Dropout.forward",
    hint="A bool mask cannot be divided in place: turn it into the dtype of x first.",
    raises=RuntimeError,
)
def dropout_bool_mask(x, dropout_param):
    if dropout_param.get("seed") is not None:
        torch.manual_seed(dropout_param["seed"])
    if dropout_param["mode"] == "test":
        return x, None
    mask = torch.rand_like(x) >= dropout_param["p"]
    mask /= 1 - dropout_param["p"]
    return x * mask, mask


@mistake(
    FCN + "Dropout.forward",
    hint="A seed is set in every call, so every mask is the same: only where one is given.",
)
def dropout_always_seeded(x, dropout_param):
    p, seed = dropout_param["p"], dropout_param.get("seed")
    torch.manual_seed(0 if seed is None else seed)
    if dropout_param["mode"] == "test":
        return x, None
    mask = (torch.rand_like(x) >= p).to(x.dtype) / (1 - p)
    return x * mask, mask


@mistake(FCN + "Dropout.forward", hint="The seed is never set: leave the lines above yours as they are.")
def dropout_never_seeded(x, dropout_param):
    if dropout_param["mode"] == "test":
        return x, None
    mask = (torch.rand_like(x) >= dropout_param["p"]).to(x.dtype) / (1 - dropout_param["p"])
    return x * mask, mask


@mistake(FCN + "Dropout.forward", hint=ON_CPU)
def dropout_mask_on_cpu(x, dropout_param):
    if dropout_param.get("seed") is not None:
        torch.manual_seed(dropout_param["seed"])
    if dropout_param["mode"] == "test":
        return x, None
    mask = (torch.rand(x.shape) >= dropout_param["p"]).to(x.dtype) / (1 - dropout_param["p"])
    return x * mask, mask


@mistake(
    FCN + "Dropout.forward",
    hint="One draw for each unit is shared by the whole batch: draw for every number.",
)
def dropout_one_mask_for_all(x, dropout_param):
    if dropout_param.get("seed") is not None:
        torch.manual_seed(dropout_param["seed"])
    if dropout_param["mode"] == "test":
        return x, None
    mask = (torch.rand_like(x[0]) >= dropout_param["p"]).to(x.dtype) / (1 - dropout_param["p"])
    return x * mask, mask.expand_as(x)


@mistake(
    FCN + "Dropout.forward",
    hint="The random numbers are normally distributed; a share p needs even ones (`rand`).",
)
def dropout_of_normal_numbers(x, dropout_param):
    if dropout_param.get("seed") is not None:
        torch.manual_seed(dropout_param["seed"])
    if dropout_param["mode"] == "test":
        return x, None
    mask = (torch.randn_like(x) >= dropout_param["p"]).to(x.dtype) / (1 - dropout_param["p"])
    return x * mask, mask


@mistake(FCN + "Dropout.forward:test_mode", hint="Units are dropped when testing too: look at the mode.")
def dropout_always(x, dropout_param):
    if dropout_param.get("seed") is not None:
        torch.manual_seed(dropout_param["seed"])
    mask = (torch.rand_like(x) >= dropout_param["p"]).to(x.dtype) / (1 - dropout_param["p"])
    return x * mask, mask


@mistake(
    FCN + "Dropout.forward:test_mode",
    hint="Inverted dropout has scaled while training, so testing is left alone: no factor here.",
)
def dropout_scales_when_testing(x, dropout_param):
    if dropout_param.get("seed") is not None:
        torch.manual_seed(dropout_param["seed"])
    if dropout_param["mode"] == "test":
        return x * (1 - dropout_param["p"]), None
    mask = (torch.rand_like(x) >= dropout_param["p"]).to(x.dtype) / (1 - dropout_param["p"])
    return x * mask, mask


@mistake(
    FCN + "Dropout.forward:test_mode",
    hint="There is a mask in training only, and testing stops where it is read: set it to None before.",
    raises=UnboundLocalError,
)
def dropout_without_mask_when_testing(x, dropout_param):
    if dropout_param.get("seed") is not None:
        torch.manual_seed(dropout_param["seed"])
    if dropout_param["mode"] == "train":
        mask = (torch.rand_like(x) >= dropout_param["p"]).to(x.dtype) / (1 - dropout_param["p"])
        x = x * mask
    return x, mask


@mistake(
    FCN + "Dropout.backward", hint="The gradient goes through a new mask: it must be the one of `forward`."
)
def dropout_backward_new_mask(dout, cache):
    return dout * (torch.rand_like(dout) >= 0.4).to(dout.dtype) / 0.6


@mistake(FCN + "Dropout.backward", hint="The gradient passes whole: what was dropped gets none.")
def dropout_backward_passes(dout, cache):
    return dout.clone()


@mistake(
    FCN + "Dropout.backward",
    hint="The factor 1 / (1 - p) is missing: the gradient is scaled like the numbers.",
)
def dropout_backward_without_scale(dout, cache):
    return dout if cache is None else dout * (cache > 0)


@mistake(
    FCN + "Dropout.forward",
    hint="`.cuda()` ties the layer to one kind of machine: make the mask where x is.",
    raises=AssertionError,
)
def dropout_hard_coded_cuda(x, dropout_param):
    if dropout_param.get("seed") is not None:
        torch.manual_seed(dropout_param["seed"])
    if dropout_param["mode"] == "test":
        return x, None
    mask = (torch.rand(x.shape).cuda() >= dropout_param["p"]).to(x.dtype) / (1 - dropout_param["p"])
    return x * mask, mask


# Networks
def _two_layers(self, input_dim, hidden_dim, num_classes, scale, new, biases=torch.zeros):
    self.params = {
        "W1": scale * torch.randn(input_dim, hidden_dim, **new),
        "b1": biases(hidden_dim, **new),
        "W2": scale * torch.randn(hidden_dim, num_classes, **new),
        "b2": biases(num_classes, **new),
    }


@mistake(FCN + "TwoLayerNet.__init__", hint="weight_scale is a standard deviation, not a variance: no root.")
def two_layer_root_of_scale(
    self,
    input_dim=3072,
    hidden_dim=100,
    num_classes=10,
    weight_scale=1e-3,
    reg=0.0,
    dtype=torch.float32,
    device="cpu",
):
    self.reg = reg
    _two_layers(
        self, input_dim, hidden_dim, num_classes, weight_scale**0.5, {"dtype": dtype, "device": device}
    )


@mistake(FCN + "TwoLayerNet.__init__", hint="weight_scale is not used: multiply the random numbers by it.")
def two_layer_without_scale(
    self,
    input_dim=3072,
    hidden_dim=100,
    num_classes=10,
    weight_scale=1e-3,
    reg=0.0,
    dtype=torch.float32,
    device="cpu",
):
    self.reg = reg
    _two_layers(self, input_dim, hidden_dim, num_classes, 1, {"dtype": dtype, "device": device})


@mistake(
    FCN + "TwoLayerNet.__init__", hint="The biases are random: they start at 0, only weights have to differ."
)
def two_layer_random_biases(
    self,
    input_dim=3072,
    hidden_dim=100,
    num_classes=10,
    weight_scale=1e-3,
    reg=0.0,
    dtype=torch.float32,
    device="cpu",
):
    self.reg = reg
    new = {"dtype": dtype, "device": device}
    _two_layers(self, input_dim, hidden_dim, num_classes, weight_scale, new, torch.randn)


@mistake(
    FCN + "TwoLayerNet.__init__",
    hint="dtype is ignored, so the parameters are float32 whatever is asked for.",
)
def two_layer_default_dtype(
    self,
    input_dim=3072,
    hidden_dim=100,
    num_classes=10,
    weight_scale=1e-3,
    reg=0.0,
    dtype=torch.float32,
    device="cpu",
):
    self.reg = reg
    _two_layers(self, input_dim, hidden_dim, num_classes, weight_scale, {"device": device})


@mistake(FCN + "TwoLayerNet.__init__", hint="Weights have the shape (inputs, outputs): yours are transposed.")
def two_layer_transposed(
    self,
    input_dim=3072,
    hidden_dim=100,
    num_classes=10,
    weight_scale=1e-3,
    reg=0.0,
    dtype=torch.float32,
    device="cpu",
):
    self.reg = reg
    _two_layers(self, input_dim, hidden_dim, num_classes, weight_scale, {"dtype": dtype, "device": device})
    self.params["W1"], self.params["W2"] = self.params["W1"].T, self.params["W2"].T


def _two_layer_pass(self, X, y, penalty=1.0, gradient=2.0, only_last=False, relu_on_scores=False):
    W1, b1, W2, b2 = (self.params[name] for name in ("W1", "b1", "W2", "b2"))
    hidden, first = fcn.Linear_ReLU.forward(X, W1, b1)
    layer = fcn.Linear_ReLU if relu_on_scores else fcn.Linear
    scores, second = layer.forward(hidden, W2, b2)
    if y is None:
        return scores
    loss, dscores = softmax_loss(scores, y)
    dhidden, dW2, db2 = layer.backward(dscores, second)
    _, dW1, db1 = fcn.Linear_ReLU.backward(dhidden, first)
    first_too = 0 if only_last else 1
    loss = loss + penalty * self.reg * (first_too * W1.square().sum() + W2.square().sum())
    strength = gradient * self.reg
    return loss, {"W1": dW1 + first_too * strength * W1, "b1": db1, "W2": dW2 + strength * W2, "b2": db2}


@mistake(FCN + "TwoLayerNet.loss:scores", hint="There is a ReLU on the scores too: scores may be negative.")
def two_layer_relu_on_scores(self, X, y=None):
    return _two_layer_pass(self, X, y, relu_on_scores=True)


@mistake(
    FCN + "TwoLayerNet.loss:scores",
    hint="Probabilities are returned: without labels, the bare scores are due.",
)
def two_layer_probabilities(self, X, y=None):
    found = _two_layer_pass(self, X, y)
    return found.softmax(1) if y is None else found


@mistake(
    FCN + "TwoLayerNet.loss:scores",
    hint="Labels are returned: without y the scores are due, one for each class.",
)
def two_layer_labels(self, X, y=None):
    found = _two_layer_pass(self, X, y)
    return found.argmax(1) if y is None else found


@mistake(
    FCN + "TwoLayerNet.loss", hint="The penalty is missing, in the loss and in the gradients of the weights."
)
def two_layer_without_penalty(self, X, y=None):
    return _two_layer_pass(self, X, y, penalty=0.0, gradient=0.0)


@mistake(FCN + "TwoLayerNet.loss", hint="The penalty is in the loss but not in the gradients.")
def two_layer_gradient_without_penalty(self, X, y=None):
    return _two_layer_pass(self, X, y, gradient=0.0)


@mistake(
    FCN + "TwoLayerNet.loss",
    hint="The penalty is reg * sum(W^2) without a half, so its gradient has the factor 2.",
)
def two_layer_half_penalty(self, X, y=None):
    return _two_layer_pass(self, X, y, penalty=0.5, gradient=1.0)


@mistake(FCN + "TwoLayerNet.loss", hint="The gradient of reg * sum(W^2) is 2 * reg * W: the 2 is missing.")
def two_layer_gradient_without_two(self, X, y=None):
    return _two_layer_pass(self, X, y, gradient=1.0)


@mistake(FCN + "TwoLayerNet.loss", hint="Only the last layer is penalised: the weights of both layers are.")
def two_layer_penalty_on_last(self, X, y=None):
    return _two_layer_pass(self, X, y, only_last=True)


@mistake(
    FCN + "TwoLayerNet.loss", hint="The gradient skips the ReLU on its way back: units that were 0 get none."
)
def two_layer_backward_without_relu(self, X, y=None):
    W1, b1, W2, b2 = (self.params[name] for name in ("W1", "b1", "W2", "b2"))
    pre, first = fcn.Linear.forward(X, W1, b1)
    scores, second = fcn.Linear.forward(pre.clamp(min=0), W2, b2)
    if y is None:
        return scores
    loss, dscores = softmax_loss(scores, y)
    dhidden, dW2, db2 = fcn.Linear.backward(dscores, second)
    _, dW1, db1 = fcn.Linear.backward(dhidden, first)
    loss = loss + self.reg * (W1.square().sum() + W2.square().sum())
    return loss, {"W1": dW1 + 2 * self.reg * W1, "b1": db1, "W2": dW2 + 2 * self.reg * W2, "b2": db2}


@mistake(FCN + "TwoLayerNet.loss", hint="The images themselves are changed: whoever asks again finds others.")
def two_layer_changes_images(self, X, y=None):
    found = _two_layer_pass(self, X, y)
    X -= X.mean()
    return found


def _deep_start(
    self, hidden_dims, input_dim, num_classes, dropout, reg, weight_scale, seed, dtype, device, activation
):
    self.num_layers = len(hidden_dims) + 1
    self.dropout, self.reg, self.seed, self.activation = dropout, reg, seed, activation
    self.dtype, self.params = dtype, {}
    widths = [input_dim, *hidden_dims, num_classes]
    for layer, (rows, columns) in enumerate(itertools.pairwise(widths), start=1):
        self.params[f"W{layer}"] = fcn.initial_weights(rows, columns, weight_scale, dtype, device)
        self.params[f"b{layer}"] = torch.zeros(columns, dtype=dtype, device=device)


@mistake(
    FCN + "FullyConnectedNet.__init__",
    hint="This W has another shape: they are (inputs, outputs), and layers count from 1.",
)
def deep_names_from_zero(
    self,
    hidden_dims,
    input_dim=3072,
    num_classes=10,
    dropout=0.0,
    reg=0.0,
    weight_scale=1e-2,
    seed=None,
    dtype=torch.float32,
    device="cpu",
    activation=fcn.ReLU,
):
    _deep_start(
        self, hidden_dims, input_dim, num_classes, dropout, reg, weight_scale, seed, dtype, device, activation
    )
    self.params = {f"{name[0]}{int(name[1:]) - 1}": p for name, p in self.params.items()}


@mistake(
    FCN + "FullyConnectedNet.__init__",
    hint="The last layer, from the last hidden one to the classes, is missing.",
)
def deep_without_last_layer(
    self,
    hidden_dims,
    input_dim=3072,
    num_classes=10,
    dropout=0.0,
    reg=0.0,
    weight_scale=1e-2,
    seed=None,
    dtype=torch.float32,
    device="cpu",
    activation=fcn.ReLU,
):
    _deep_start(
        self, hidden_dims, input_dim, num_classes, dropout, reg, weight_scale, seed, dtype, device, activation
    )
    del self.params[f"W{self.num_layers}"], self.params[f"b{self.num_layers}"]


@mistake(FCN + "FullyConnectedNet.__init__", hint="Biases are drawn at random: they start at 0.")
def deep_random_biases(
    self,
    hidden_dims,
    input_dim=3072,
    num_classes=10,
    dropout=0.0,
    reg=0.0,
    weight_scale=1e-2,
    seed=None,
    dtype=torch.float32,
    device="cpu",
    activation=fcn.ReLU,
):
    _deep_start(
        self, hidden_dims, input_dim, num_classes, dropout, reg, weight_scale, seed, dtype, device, activation
    )
    self.params["b1"] = torch.randn_like(self.params["b1"])


@mistake(
    FCN + "FullyConnectedNet.__init__",
    hint="All weights are equal, so all units stay equal for ever: draw them.",
)
def deep_equal_weights(
    self,
    hidden_dims,
    input_dim=3072,
    num_classes=10,
    dropout=0.0,
    reg=0.0,
    weight_scale=1e-2,
    seed=None,
    dtype=torch.float32,
    device="cpu",
    activation=fcn.ReLU,
):
    _deep_start(
        self, hidden_dims, input_dim, num_classes, dropout, reg, weight_scale, seed, dtype, device, activation
    )
    self.params = {name: torch.full_like(p, 0.05) if name[0] == "W" else p for name, p in self.params.items()}


@mistake(
    FCN + "FullyConnectedNet.__init__",
    hint="weight_scale may also be the name of a rule: `initial_weights` knows what to do with either.",
    raises=TypeError,
)
def deep_numbers_only(
    self,
    hidden_dims,
    input_dim=3072,
    num_classes=10,
    dropout=0.0,
    reg=0.0,
    weight_scale=1e-2,
    seed=None,
    dtype=torch.float32,
    device="cpu",
    activation=fcn.ReLU,
):
    self.num_layers = len(hidden_dims) + 1
    self.params = {}
    widths = [input_dim, *hidden_dims, num_classes]
    for layer, (rows, columns) in enumerate(itertools.pairwise(widths), start=1):
        weights = torch.randn(rows, columns, dtype=dtype, device=device)
        self.params[f"W{layer}"] = torch.mul(weights, weight_scale)
        self.params[f"b{layer}"] = torch.zeros(columns, dtype=dtype, device=device)


def _deep_pass(
    self,
    X,
    y,
    *,
    mode=None,
    through_mask=True,
    dropped_layers=True,
    penalised=None,
    penalty=1.0,
    fixed_activation=None,
    last_active=False,
    seeded=True,
    dropped_first=False,
):
    X = X.to(self.dtype)
    dropout_param = {"p": self.dropout, "mode": mode or ("test" if y is None else "train")}
    if seeded:
        dropout_param["seed"] = self.seed
    activation, last = fixed_activation or self.activation, self.num_layers
    out, caches = X, []
    for layer in range(1, last):
        out, linear = fcn.Linear.forward(out, self.params[f"W{layer}"], self.params[f"b{layer}"])
        dropped = None
        if dropped_first:
            out, dropped = fcn.Dropout.forward(out, dropout_param)
        out, active = activation.forward(out)
        if dropped_layers is True or dropped_layers == layer:
            out, dropped = fcn.Dropout.forward(out, dropout_param)
        caches.append((linear, active, dropped))
    scores, linear = fcn.Linear.forward(out, self.params[f"W{last}"], self.params[f"b{last}"])
    if last_active:
        scores = scores.clamp(min=0)
    if y is None:
        return scores
    loss, dout = softmax_loss(scores, y)
    grads = {}
    dout, grads[f"W{last}"], grads[f"b{last}"] = fcn.Linear.backward(dout, linear)
    for layer in reversed(range(1, last)):
        linear, active, dropped = caches[layer - 1]
        if through_mask:
            dout = fcn.Dropout.backward(dout, dropped)
        dout = activation.backward(dout, active)
        dout, grads[f"W{layer}"], grads[f"b{layer}"] = fcn.Linear.backward(dout, linear)
    for layer in penalised or range(1, last + 1):
        weights = self.params[f"W{layer}"]
        loss = loss + penalty * self.reg * weights.square().sum()
        grads[f"W{layer}"] = grads[f"W{layer}"] + 2 * penalty * self.reg * weights
    return loss, grads


@mistake(
    FCN + "FullyConnectedNet.loss", hint="The penalty leaves layers out: it is on the weights of every layer."
)
def deep_penalty_on_last(self, X, y=None):
    return _deep_pass(self, X, y, penalised=[self.num_layers])


@mistake(
    FCN + "FullyConnectedNet.loss",
    hint="The last layer's weights are not penalised: the sum ends one too early.",
)
def deep_penalty_without_last(self, X, y=None):
    return _deep_pass(self, X, y, penalised=list(range(1, self.num_layers)))


@mistake(FCN + "FullyConnectedNet.loss", hint="There is a half in the penalty: it is reg * sum(W^2).")
def deep_half_penalty(self, X, y=None):
    return _deep_pass(self, X, y, penalty=0.5)


@mistake(
    FCN + "FullyConnectedNet.loss", hint="The nonlinearity is always a ReLU: take the one that was asked for."
)
def deep_always_relu(self, X, y=None):
    return _deep_pass(self, X, y, fixed_activation=fcn.ReLU)


@mistake(FCN + "FullyConnectedNet.loss", hint="The biases are penalised too: only weights are.")
def deep_penalty_on_biases(self, X, y=None):
    found = _deep_pass(self, X, y)
    if y is None:
        return found
    loss, grads = found
    biases = {name: p for name, p in self.params.items() if name[0] == "b"}
    loss = loss + self.reg * sum(b.square().sum() for b in biases.values())
    return loss, {**grads, **{name: grads[name] + 2 * self.reg * b for name, b in biases.items()}}


@mistake(
    FCN + "FullyConnectedNet.loss:test_mode",
    hint="Units are dropped although there are no labels: mode is test then.",
)
def deep_dropout_when_testing(self, X, y=None):
    return _deep_pass(self, X, y, mode="train")


@mistake(
    FCN + "FullyConnectedNet.loss:test_mode",
    hint="There is a nonlinearity on the scores: the last layer is linear.",
)
def deep_relu_on_scores(self, X, y=None):
    return _deep_pass(self, X, y, last_active=True)


@mistake(
    FCN + "FullyConnectedNet.loss:dropout", hint="No unit is ever dropped: Dropout follows each nonlinearity."
)
def deep_without_dropout(self, X, y=None):
    return _deep_pass(self, X, y, dropped_layers=False, through_mask=False)


@mistake(
    FCN + "FullyConnectedNet.loss:dropout",
    hint="Only the first hidden layer drops units: Dropout follows the nonlinearity of each.",
)
def deep_dropout_once(self, X, y=None):
    return _deep_pass(self, X, y, dropped_layers=1)


@mistake(
    FCN + "FullyConnectedNet.loss:dropout",
    hint="Dropout comes before the nonlinearity, which bends what was scaled: it follows it.",
)
def deep_dropout_too_early(self, X, y=None):
    return _deep_pass(self, X, y, dropped_layers=False, dropped_first=True)


@mistake(
    FCN + "FullyConnectedNet.loss:dropout",
    hint="The gradient does not go back through the mask of the dropout.",
)
def deep_backward_without_mask(self, X, y=None):
    return _deep_pass(self, X, y, through_mask=False)


@mistake(
    FCN + "FullyConnectedNet.loss:dropout",
    hint="The seed does not reach the dropout, so no gradient can be checked: hand on all of dropout_param.",
)
def deep_without_seed(self, X, y=None):
    return _deep_pass(self, X, y, seeded=False)


@mistake(
    FCN + "get_three_layer_network_params",
    hint="The weights are so small that no signal comes through: raise the scale.",
)
def three_layers_vanishing():
    return 1e-3, 1e-1


@mistake(
    FCN + "get_three_layer_network_params",
    hint="The steps are too small for 40 of them: raise the learning rate.",
)
def three_layers_too_slow():
    return 1e-1, 1e-4


@mistake(
    FCN + "get_three_layer_network_params",
    hint="The steps are too large, and the loss explodes: lower the learning rate.",
)
def three_layers_exploding():
    return 1e-1, 30.0


@mistake(
    FCN + "get_five_layer_network_params",
    hint="What suits three layers is too small for five: every layer shrinks the signal again.",
)
def five_layers_vanishing():
    return 2e-2, 1e-1


@mistake(
    FCN + "get_five_layer_network_params",
    hint="The steps are too small for 40 of them: raise the learning rate.",
)
def five_layers_too_slow():
    return 1.4e-1, 1e-4


@mistake(
    FCN + "get_five_layer_network_params",
    hint="The steps are too large, and the loss explodes: lower the learning rate.",
)
def five_layers_exploding():
    return 1.4e-1, 30.0


def _solver(data_dict, model, **settings):
    from exercise_code.mlp.solver import Solver

    return Solver(model, data_dict, **settings)


@mistake(FCN + "create_solver_instance", hint="The input is taken to be 3072 numbers wide: ask the data.")
def solver_fixed_width(data_dict, dtype=torch.float32, device="cpu"):
    return _solver(data_dict, fcn.TwoLayerNet(dtype=dtype, device=device))


@mistake(FCN + "create_solver_instance", hint="dtype is ignored: hand it, and the device, on to the network.")
def solver_default_dtype(data_dict, dtype=torch.float32, device="cpu"):
    return _solver(data_dict, fcn.TwoLayerNet(data_dict["X_train"].shape[1], device=device))


@mistake(
    FCN + "create_solver_instance",
    hint="The network is returned: the solver around it is asked for.",
    raises=AttributeError,
)
def solver_is_the_model(data_dict, dtype=torch.float32, device="cpu"):
    return fcn.TwoLayerNet(data_dict["X_train"].shape[1], dtype=dtype, device=device)


@mistake(
    FCN + "create_solver_instance",
    hint="Validation images are handed over as training images, or the other way round.",
)
def solver_validates_on_training(data_dict, dtype=torch.float32, device="cpu"):
    model = fcn.TwoLayerNet(data_dict["X_train"].shape[1], dtype=dtype, device=device)
    turned = {**data_dict, "X_val": data_dict["X_train"], "y_val": data_dict["y_train"]}
    return _solver(turned, model)


@mistake(
    FCN + "ReLU.backward",
    hint="The mask is float64 whatever goes in: a mask of booleans takes the dtype of dout.",
)
def relu_mask_in_float64(dout, cache):
    return dout * (cache > 0).double()


@mistake(
    FCN + "FullyConnectedNet.__init__",
    hint="`hidden_dims` may be a tuple, which cannot be added to a list: unpack it instead.",
    raises=TypeError,
)
def deep_takes_a_list(
    self,
    hidden_dims,
    input_dim=3 * 32 * 32,
    num_classes=10,
    dropout=0.0,
    reg=0.0,
    weight_scale=1e-2,
    seed=None,
    dtype=torch.float32,
    device="cpu",
    activation=fcn.ReLU,
):
    self.widths = [input_dim] + hidden_dims + [num_classes]  # noqa: RUF005
