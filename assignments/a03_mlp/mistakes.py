"""How people get layers, networks, update rules and the search wrong, and the hint each mistake deserves."""

import itertools
import math
import random
import sys
import time

import torch

from exercise_code import fully_connected_networks as fcn
from exercise_code import hyperparameter_tuning as tuning
from exercise_code.losses import softmax_loss
from exercise_code.regularization import max_norm
from exercise_code.support.checking.declare import mistake

FCN = "fully_connected_networks."
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
)
def linear_without_flatten(x, w, b):
    return x @ w + b, (x, w)


@mistake(
    FCN + "Linear.forward",
    hint="The pixels are in another order than `flatten(1)` gives: no transposing before.",
)
def linear_flattened_backwards(x, w, b):
    return x.transpose(1, -1).flatten(1) @ w + b, (x, w)


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
    FCN + "Dropout.forward", hint="A bool mask cannot be divided in place: turn it into the dtype of x first."
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
    FCN + "Dropout.forward", hint="`.cuda()` ties the layer to one kind of machine: make the mask where x is."
)
def dropout_hard_coded_cuda(x, dropout_param):
    if dropout_param.get("seed") is not None:
        torch.manual_seed(dropout_param["seed"])
    if dropout_param["mode"] == "test":
        return x, None
    mask = (torch.rand(x.shape).cuda() >= dropout_param["p"]).to(x.dtype) / (1 - dropout_param["p"])
    return x * mask, mask


# Losses


@mistake(
    "losses.softmax_loss:large_scores", hint="exp overflows: subtract each row's largest score before it."
)
def softmax_overflows(x, y):
    p = x.exp() / x.exp().sum(1, keepdim=True)
    rows = torch.arange(len(x), device=x.device)
    dx = p.clone()
    dx[rows, y] -= 1
    return -p[rows, y].log().mean(), dx / len(x)


@mistake(
    "losses.softmax_loss:large_scores",
    hint="Very small probabilities round to 0, and log(0) is infinite: take the log of the sum, not of p.",
)
def softmax_log_of_zero(x, y):
    shifted = (x - x.amax(1, keepdim=True)).exp()
    p = shifted / shifted.sum(1, keepdim=True)
    rows = torch.arange(len(x), device=x.device)
    dx = p.clone()
    dx[rows, y] -= 1
    return -p[rows, y].log().mean(), dx / len(x)


@mistake(
    "losses.softmax_loss:large_scores",
    hint="One maximum for the whole batch leaves rows whose scores all underflow: take each row's own.",
)
def softmax_shared_maximum(x, y):
    shifted = x - x.max()
    log_p = shifted - shifted.exp().sum(1, keepdim=True).log()
    rows = torch.arange(len(x), device=x.device)
    dx = log_p.exp()
    dx[rows, y] -= 1
    return -log_p[rows, y].mean(), dx / len(x)


@mistake(
    "losses.softmax_loss",
    hint="The loss is a sum over the batch; its mean is asked for, in the gradient too.",
)
def softmax_summed(x, y):
    log_p = x - x.logsumexp(1, keepdim=True)
    rows = torch.arange(len(x), device=x.device)
    dx = log_p.exp()
    dx[rows, y] -= 1
    return -log_p[rows, y].sum(), dx


@mistake(
    "losses.softmax_loss", hint="The loss is a mean over the batch, so its gradient is divided by N as well."
)
def softmax_gradient_not_averaged(x, y):
    log_p = x - x.logsumexp(1, keepdim=True)
    rows = torch.arange(len(x), device=x.device)
    dx = log_p.exp()
    dx[rows, y] -= 1
    return -log_p[rows, y].mean(), dx


@mistake("losses.softmax_loss", hint="The gradient is p alone: at the right class 1 has to be subtracted.")
def softmax_gradient_without_one(x, y):
    log_p = x - x.logsumexp(1, keepdim=True)
    rows = torch.arange(len(x), device=x.device)
    return -log_p[rows, y].mean(), log_p.exp() / len(x)


@mistake(
    "losses.softmax_loss",
    hint="p is changed for the gradient before the loss has been read off it: the loss comes first.",
)
def softmax_edited_too_early(x, y):
    p = (x - x.logsumexp(1, keepdim=True)).exp()
    rows = torch.arange(len(x), device=x.device)
    p[rows, y] -= 1
    return -p[rows, y].abs().log().mean(), p / len(x)


@mistake("losses.softmax_loss", hint="Probabilities are normalised along the batch: each *row* sums to 1.")
def softmax_wrong_axis(x, y):
    log_p = x - x.logsumexp(0, keepdim=True)
    rows = torch.arange(len(x), device=x.device)
    dx = log_p.exp()
    dx[rows, y] -= 1
    return -log_p[rows, y].mean(), dx / len(x)


@mistake("losses.softmax_loss", hint="The minus is missing: log p is negative, the loss is positive.")
def softmax_negative(x, y):
    log_p = x - x.logsumexp(1, keepdim=True)
    rows = torch.arange(len(x), device=x.device)
    dx = log_p.exp()
    dx[rows, y] -= 1
    return log_p[rows, y].mean(), dx / len(x)


@mistake(
    "losses.softmax_loss",
    hint="`x[:, y]` takes the columns y of every row: take one score from each, with `arange` or `gather`.",
)
def softmax_columns(x, y):
    log_p = x - x.logsumexp(1, keepdim=True)
    dx = log_p.exp()
    dx[torch.arange(len(x), device=x.device), y] -= 1
    return -log_p[:, y].mean(), dx / len(x)


@mistake(
    "losses.softmax_loss", hint="`.item()` makes a Python number: return the loss as a tensor without axes."
)
def softmax_python_number(x, y):
    log_p = x - x.logsumexp(1, keepdim=True)
    rows = torch.arange(len(x), device=x.device)
    dx = log_p.exp()
    dx[rows, y] -= 1
    return -log_p[rows, y].mean().item(), dx / len(x)


@mistake(
    "losses.softmax_loss",
    hint="There are as many classes as columns of x: neither ten, nor only those that appear in y.",
)
def softmax_ten_classes(x, y):
    log_p = x - x.logsumexp(1, keepdim=True)
    right = torch.nn.functional.one_hot(y, 10).to(x.dtype)
    return -(log_p * right).sum() / len(x), (log_p.exp() - right) / len(x)


def _margins(x, y, margin=1.0):
    rows = torch.arange(len(x), device=x.device)
    margins = (x - x[rows, y].unsqueeze(1) + margin).clamp(min=0)
    return rows, margins


@mistake(
    "losses.svm_loss", hint="The right class counts itself, which adds 1 for each image: set its margin to 0."
)
def svm_counts_right_class(x, y):
    rows, margins = _margins(x, y)
    dx = (margins > 0).to(x.dtype)
    dx[rows, y] = 0
    dx[rows, y] -= dx.sum(1)
    return margins.sum() / len(x), dx / len(x)


@mistake(
    "losses.svm_loss",
    hint="`one_hot` counts the classes in y, and a batch may lack some: tell it how many columns x has.",
)
def svm_one_hot_of_labels(x, y):
    _, margins = _margins(x, y)
    right = torch.nn.functional.one_hot(y)
    margins = margins * (1 - right)
    dx = (margins > 0).to(x.dtype)
    return margins.sum() / len(x), (dx - right * dx.sum(1, keepdim=True)) / len(x)


@mistake(
    "losses.svm_loss",
    hint="The gradient of the right class is missing: each violated margin pushes it up by one.",
)
def svm_gradient_without_right_class(x, y):
    rows, margins = _margins(x, y)
    margins[rows, y] = 0
    return margins.sum() / len(x), (margins > 0).to(x.dtype) / len(x)


@mistake(
    "losses.svm_loss",
    hint="The right class is pushed up once, however many margins are violated: count them.",
)
def svm_gradient_minus_one(x, y):
    rows, margins = _margins(x, y)
    margins[rows, y] = 0
    dx = (margins > 0).to(x.dtype)
    dx[rows, y] -= 1
    return margins.sum() / len(x), dx / len(x)


@mistake(
    "losses.svm_loss",
    hint="The gradient has the size of the margins: a hinge has slope 1 wherever it is above 0.",
)
def svm_gradient_of_square(x, y):
    rows, margins = _margins(x, y)
    margins[rows, y] = 0
    dx = margins.clone()
    dx[rows, y] -= dx.sum(1)
    return margins.sum() / len(x), dx / len(x)


@mistake(
    "losses.svm_loss",
    hint="The mean over all N x C margins is not the mean over the images: sum over the classes.",
)
def svm_mean_over_all(x, y):
    rows, margins = _margins(x, y)
    margins[rows, y] = 0
    dx = (margins > 0).to(x.dtype)
    dx[rows, y] -= dx.sum(1)
    return margins.mean(), dx / x.numel()


@mistake("losses.svm_loss", hint="There is no margin: the right score must be ahead by 1, not by 0.")
def svm_without_margin(x, y):
    rows, margins = _margins(x, y, 0.0)
    margins[rows, y] = 0
    dx = (margins > 0).to(x.dtype)
    dx[rows, y] -= dx.sum(1)
    return margins.sum() / len(x), dx / len(x)


# Initial weights


@mistake("initializers.xavier_initializer", hint="This is the variance: the standard deviation is its root.")
def xavier_without_root(Din, Dout, *, dtype=torch.float32, device="cpu"):
    return 2 / (Din + Dout) * torch.randn(Din, Dout, dtype=dtype, device=device)


@mistake(
    "initializers.xavier_initializer",
    hint="Only the inputs are counted: Xavier's rule is a compromise with the outputs.",
)
def xavier_by_inputs(Din, Dout, *, dtype=torch.float32, device="cpu"):
    return (1 / Din) ** 0.5 * torch.randn(Din, Dout, dtype=dtype, device=device)


@mistake(
    "initializers.xavier_initializer",
    hint="The numerator is 2: the mean of Din and Dout is half of their sum.",
)
def xavier_numerator_one(Din, Dout, *, dtype=torch.float32, device="cpu"):
    return (1 / (Din + Dout)) ** 0.5 * torch.randn(Din, Dout, dtype=dtype, device=device)


@mistake(
    "initializers.xavier_initializer",
    hint="`rand` is even between 0 and 1, so its mean is not 0: draw normal numbers.",
)
def xavier_positive(Din, Dout, *, dtype=torch.float32, device="cpu"):
    return (2 / (Din + Dout)) ** 0.5 * torch.rand(Din, Dout, dtype=dtype, device=device)


@mistake(
    "initializers.xavier_initializer", hint="These numbers are even between two bounds: here they are normal."
)
def xavier_uniform(Din, Dout, *, dtype=torch.float32, device="cpu"):
    bound = (6 / (Din + Dout)) ** 0.5
    return bound * (2 * torch.rand(Din, Dout, dtype=dtype, device=device) - 1)


@mistake(
    "initializers.xavier_initializer",
    hint="dtype and device are ignored: hand them on to what draws the numbers.",
)
def xavier_default_dtype(Din, Dout, *, dtype=torch.float32, device="cpu"):
    return (2 / (Din + Dout)) ** 0.5 * torch.randn(Din, Dout)


@mistake("initializers.kaiming_initializer", hint="This is the variance: the standard deviation is its root.")
def kaiming_without_root(Din, Dout, *, relu=True, dtype=torch.float32, device="cpu"):
    return (2 if relu else 1) / Din * torch.randn(Din, Dout, dtype=dtype, device=device)


@mistake("initializers.kaiming_initializer", hint="A unit sums over its inputs: divide by Din, not by Dout.")
def kaiming_by_outputs(Din, Dout, *, relu=True, dtype=torch.float32, device="cpu"):
    gain = 2 if relu else 1
    return (gain / Dout) ** 0.5 * torch.randn(Din, Dout, dtype=dtype, device=device)


@mistake(
    "initializers.kaiming_initializer", hint="The gain stays 2: without a ReLU no power is lost, and it is 1."
)
def kaiming_always_two(Din, Dout, *, relu=True, dtype=torch.float32, device="cpu"):
    return (2 / Din) ** 0.5 * torch.randn(Din, Dout, dtype=dtype, device=device)


@mistake(
    "initializers.kaiming_initializer",
    hint="The gain stays 1: a ReLU throws away half of the power, so it is 2.",
)
def kaiming_always_one(Din, Dout, *, relu=True, dtype=torch.float32, device="cpu"):
    return (1 / Din) ** 0.5 * torch.randn(Din, Dout, dtype=dtype, device=device)


@mistake(
    "initializers.kaiming_initializer",
    hint="The weights are never filled: memory that nobody wrote to is not random.",
)
def kaiming_unfilled(Din, Dout, *, relu=True, dtype=torch.float32, device="cpu"):
    return torch.zeros(Din, Dout, dtype=dtype, device=device)


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


@mistake(FCN + "FullyConnectedNet.__init__", hint="Names start at W0: the first layer is number 1.")
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


# Update rules


@mistake(
    FCN + "sgd_momentum",
    hint="The new velocity is used but not stored: the next step starts from rest again.",
)
def momentum_not_stored(w, dw, config=None):
    config = {"learning_rate": 1e-2, "momentum": 0.9, "velocity": torch.zeros_like(w), **(config or {})}
    return w + config["momentum"] * config["velocity"] - config["learning_rate"] * dw, config


@mistake(
    FCN + "sgd_momentum",
    hint="The learning rate belongs into the velocity: here it scales old velocity as well.",
)
def momentum_of_torch(w, dw, config=None):
    config = {"learning_rate": 1e-2, "momentum": 0.9, "velocity": torch.zeros_like(w), **(config or {})}
    config["velocity"] = config["momentum"] * config["velocity"] + dw
    return w - config["learning_rate"] * config["velocity"], config


@mistake(FCN + "sgd_momentum", hint="The sign is wrong: this climbs up the gradient.")
def momentum_uphill(w, dw, config=None):
    config = {"learning_rate": 1e-2, "momentum": 0.9, "velocity": torch.zeros_like(w), **(config or {})}
    config["velocity"] = config["momentum"] * config["velocity"] + config["learning_rate"] * dw
    return w + config["velocity"], config


@mistake(FCN + "sgd_momentum", hint="The step is taken with the old velocity: update the velocity first.")
def momentum_old_velocity(w, dw, config=None):
    config = {"learning_rate": 1e-2, "momentum": 0.9, "velocity": torch.zeros_like(w), **(config or {})}
    w = w + config["velocity"]
    config["velocity"] = config["momentum"] * config["velocity"] - config["learning_rate"] * dw
    return w, config


@mistake(FCN + "sgd_momentum", hint="`+=` writes into the weights that came in: make new ones.")
def momentum_in_place(w, dw, config=None):
    config = {"learning_rate": 1e-2, "momentum": 0.9, "velocity": torch.zeros_like(w), **(config or {})}
    config["velocity"] = config["momentum"] * config["velocity"] - config["learning_rate"] * dw
    w += config["velocity"]
    return w, config


RMSPROP = {"learning_rate": 1e-2, "decay_rate": 0.99, "epsilon": 1e-8}


@mistake(FCN + "rmsprop", hint="epsilon stands inside of the root; it is added after it.")
def rmsprop_epsilon_inside(w, dw, config=None):
    config = {**RMSPROP, "cache": torch.zeros_like(w), **(config or {})}
    config["cache"] = config["decay_rate"] * config["cache"] + (1 - config["decay_rate"]) * dw**2
    return w - config["learning_rate"] * dw / (config["cache"] + config["epsilon"]).sqrt(), config


@mistake(FCN + "rmsprop", hint="The two shares are swapped: decay_rate is how much of the *old* mean stays.")
def rmsprop_swapped(w, dw, config=None):
    config = {**RMSPROP, "cache": torch.zeros_like(w), **(config or {})}
    config["cache"] = (1 - config["decay_rate"]) * config["cache"] + config["decay_rate"] * dw**2
    return w - config["learning_rate"] * dw / (config["cache"].sqrt() + config["epsilon"]), config


@mistake(FCN + "rmsprop", hint="Squares are added up for ever, as AdaGrad does: a running mean forgets.")
def rmsprop_adagrad(w, dw, config=None):
    config = {**RMSPROP, "cache": torch.zeros_like(w), **(config or {})}
    config["cache"] = config["cache"] + dw**2
    return w - config["learning_rate"] * dw / (config["cache"].sqrt() + config["epsilon"]), config


@mistake(FCN + "rmsprop", hint="The root is missing: the step is divided by the root of the mean square.")
def rmsprop_without_root(w, dw, config=None):
    config = {**RMSPROP, "cache": torch.zeros_like(w), **(config or {})}
    config["cache"] = config["decay_rate"] * config["cache"] + (1 - config["decay_rate"]) * dw**2
    return w - config["learning_rate"] * dw / (config["cache"] + config["epsilon"]), config


@mistake(FCN + "rmsprop", hint="The cache is not stored: the running mean starts anew with every step.")
def rmsprop_not_stored(w, dw, config=None):
    config = {**RMSPROP, "cache": torch.zeros_like(w), **(config or {})}
    cache = config["decay_rate"] * config["cache"] + (1 - config["decay_rate"]) * dw**2
    return w - config["learning_rate"] * dw / (cache.sqrt() + config["epsilon"]), config


def _adam(w, dw, config, *, late=False, correct=True, store_t=True, store_corrected=False, inside=False):
    defaults = {"learning_rate": 1e-3, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}
    memory = {"m": torch.zeros_like(w), "v": torch.zeros_like(w), "t": 0}
    config = {**defaults, **memory, **(config or {})}
    beta1, beta2 = config["beta1"], config["beta2"]
    t = config["t"] if late else config["t"] + 1
    config["m"] = beta1 * config["m"] + (1 - beta1) * dw
    config["v"] = beta2 * config["v"] + (1 - beta2) * dw**2
    m, v = config["m"], config["v"]
    if correct:
        m, v = m / torch.tensor(1 - beta1**t), v / torch.tensor(1 - beta2**t)
    if store_corrected:
        config["m"], config["v"] = m, v
    if store_t:
        config["t"] = config["t"] + 1
    root = (v + config["epsilon"]).sqrt() if inside else v.sqrt() + config["epsilon"]
    return w - config["learning_rate"] * m / root, config


@mistake(
    FCN + "adam:from_nothing",
    hint="t is raised only after it was used, so the first correction divides by 0: raise it first.",
)
def adam_t_too_late(w, dw, config=None):
    return _adam(w, dw, config, late=True)


@mistake(FCN + "adam", hint="The bias correction is missing: m and v start at 0 and are too small at first.")
def adam_without_correction(w, dw, config=None):
    return _adam(w, dw, config, correct=False)


@mistake(FCN + "adam", hint="t is not stored, so every step is corrected like the first.")
def adam_t_not_stored(w, dw, config=None):
    return _adam(w, dw, config, store_t=False)


@mistake(
    FCN + "adam", hint="The corrected m and v are stored: they would be corrected again. Keep the bare ones."
)
def adam_stores_corrected(w, dw, config=None):
    return _adam(w, dw, config, store_corrected=True)


@mistake(FCN + "adam", hint="epsilon stands inside of the root; it is added after it.")
def adam_epsilon_inside(w, dw, config=None):
    return _adam(w, dw, config, inside=True)


@mistake(
    FCN + "adam", hint="The gradient is used where its running mean m belongs: this is RMSProp, not Adam."
)
def adam_without_first_moment(w, dw, config=None):
    _, config = _adam(w, dw, config)
    v = config["v"] / (1 - config["beta2"] ** config["t"])
    return w - config["learning_rate"] * dw / (v.sqrt() + config["epsilon"]), config


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
    from exercise_code.solver import Solver

    return Solver(model, data_dict, **settings)


@mistake(FCN + "create_solver_instance", hint="The input is taken to be 3072 numbers wide: ask the data.")
def solver_fixed_width(data_dict, dtype=torch.float32, device="cpu"):
    return _solver(data_dict, fcn.TwoLayerNet(dtype=dtype, device=device))


@mistake(FCN + "create_solver_instance", hint="dtype is ignored: hand it, and the device, on to the network.")
def solver_default_dtype(data_dict, dtype=torch.float32, device="cpu"):
    return _solver(data_dict, fcn.TwoLayerNet(data_dict["X_train"].shape[1], device=device))


@mistake(FCN + "create_solver_instance", hint="The network is returned: the solver around it is asked for.")
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


# Solver


def _step_of(self, X, y, *, share_config=False, keep_config=True, store_loss=True, bound="weights", sign=1):
    loss, grads = self.model.loss(X, y)
    if store_loss:
        self.loss_history.append(float(loss))
    for name, w in self.model.params.items():
        config = self.optim_configs["W1" if share_config else name]
        w, config = self.update_rule(w, sign * grads[name], config)
        if keep_config:
            self.optim_configs[name] = config
        if self.max_norm is not None and bound == "all":
            w = max_norm(w.reshape(-1, w.shape[-1]), self.max_norm).reshape(w.shape)
        if self.max_norm is not None and bound == "weights" and w.dim() == 2:
            w = max_norm(w, self.max_norm)
        self.model.params[name] = w


@mistake(
    "solver.Solver._step",
    hint="What the update rule has to remember is lost: store the config that it returns.",
)
def step_forgets_config(self, X, y):
    _step_of(self, X, y, keep_config=False)


@mistake(
    "solver.Solver._step", hint="All parameters share one config: each has its own entry of optim_configs."
)
def step_shares_config(self, X, y):
    _step_of(self, X, y, share_config=True)


@mistake("solver.Solver._step", hint="The loss is not recorded: append it to loss_history as a number.")
def step_without_history(self, X, y):
    _step_of(self, X, y, store_loss=False)


@mistake("solver.Solver._step", hint="max_norm is not used: when it is set, weight matrices go through it.")
def step_without_max_norm(self, X, y):
    _step_of(self, X, y, bound="none")


@mistake(
    "solver.Solver._step", hint="Biases are bounded too: max_norm is for weight matrices, with two axes."
)
def step_bounds_biases(self, X, y):
    _step_of(self, X, y, bound="all")


@mistake("solver.Solver._step", hint="The new parameters are computed but not put into model.params.")
def step_changes_nothing(self, X, y):
    loss, grads = self.model.loss(X, y)
    self.loss_history.append(float(loss))
    for name, w in self.model.params.items():
        w, self.optim_configs[name] = self.update_rule(w, grads[name], self.optim_configs[name])


@mistake(
    "solver.Solver._step", hint="loss_history gets tensors, which keep memory alive: append `float(loss)`."
)
def step_keeps_tensors(self, X, y):
    _step_of(self, X, y, store_loss=False)
    self.loss_history.append(self.model.loss(X, y)[0])


@mistake(
    "solver.Solver.check_accuracy",
    hint="The last, smaller batch counts as much as a full one: add up right answers.",
)
def accuracy_mean_of_batches(self, X, y, num_samples=None, batch_size=100):
    parts = zip(X.split(batch_size), y.split(batch_size), strict=True)
    shares = [(self.model.loss(X).argmax(1) == y).double().mean().item() for X, y in parts]
    return sum(shares) / len(shares)


@mistake("solver.Solver.check_accuracy", hint="This is per cent: accuracy is a fraction, 0 to 1.")
def accuracy_in_per_cent(self, X, y, num_samples=None, batch_size=100):
    parts = zip(X.split(batch_size), y.split(batch_size), strict=True)
    return 100 * sum((self.model.loss(X).argmax(1) == y).sum().item() for X, y in parts) / len(y)


@mistake("solver.Solver.check_accuracy", hint="The images after the last full batch are left out.")
def accuracy_drops_the_rest(self, X, y, num_samples=None, batch_size=100):
    right = 0
    for start in range(0, len(X) // batch_size * batch_size, batch_size):
        batch = slice(start, start + batch_size)
        right += (self.model.loss(X[batch]).argmax(1) == y[batch]).sum().item()
    return right / len(y)


@mistake(
    "solver.Solver.check_accuracy",
    hint="All images go in at once: ask the model batch_size images at a time.",
)
def accuracy_in_one_go(self, X, y, num_samples=None, batch_size=100):
    return (self.model.loss(X).argmax(1) == y).sum().item() / len(y)


@mistake("solver.Solver.check_accuracy", hint="A tensor comes back: a Python float is asked for.")
def accuracy_as_tensor(self, X, y, num_samples=None, batch_size=100):
    parts = zip(X.split(batch_size), y.split(batch_size), strict=True)
    return sum((self.model.loss(X).argmax(1) == y).sum() for X, y in parts) / len(y)


@mistake("solver.Solver.check_accuracy", hint="The lowest score wins here: take argmax, not argmin.")
def accuracy_of_lowest(self, X, y, num_samples=None, batch_size=100):
    parts = zip(X.split(batch_size), y.split(batch_size), strict=True)
    return sum((self.model.loss(X).argmin(1) == y).sum().item() for X, y in parts) / len(y)


@mistake(
    "solver.Solver._update_best",
    hint="best_params is the very dict that training goes on with: it needs copies of the tensors.",
)
def best_is_an_alias(self, val_acc):
    if val_acc > self.best_val_acc:
        self.best_val_acc, self.epochs_without_gain = val_acc, 0
        self.best_params = self.model.params
    else:
        self.epochs_without_gain += 1


@mistake(
    "solver.Solver._update_best",
    hint="A copy of the dict still holds the same tensors, and they may be changed in place: clone each.",
)
def best_is_a_shallow_copy(self, val_acc):
    if val_acc > self.best_val_acc:
        self.best_val_acc, self.epochs_without_gain = val_acc, 0
        self.best_params = dict(self.model.params)
    else:
        self.epochs_without_gain += 1


@mistake(
    "solver.Solver._update_best", hint="An equal accuracy counts as a gain here: only a higher one does."
)
def best_of_equals_is_last(self, val_acc):
    if val_acc >= self.best_val_acc:
        self.best_val_acc, self.epochs_without_gain = val_acc, 0
        self.best_params = {name: p.clone() for name, p in self.model.params.items()}
    else:
        self.epochs_without_gain += 1


@mistake(
    "solver.Solver._update_best",
    hint="The counter is never reset: after a gain, epochs_without_gain is 0 again.",
)
def best_never_resets(self, val_acc):
    if val_acc > self.best_val_acc:
        self.best_val_acc = val_acc
        self.best_params = {name: p.clone() for name, p in self.model.params.items()}
    else:
        self.epochs_without_gain += 1


@mistake("solver.Solver._update_best", hint="Accuracy is better when it is higher: this remembers the worst.")
def best_is_lowest(self, val_acc):
    if self.best_val_acc < 0 or val_acc < self.best_val_acc:
        self.best_val_acc, self.epochs_without_gain = val_acc, 0
        self.best_params = {name: p.clone() for name, p in self.model.params.items()}
    else:
        self.epochs_without_gain += 1


@mistake(
    "solver.Solver._update_best",
    hint="Every epoch is remembered, the last one wins: compare with the best so far.",
)
def best_is_last(self, val_acc):
    self.best_val_acc, self.epochs_without_gain = val_acc, 0
    self.best_params = {name: p.clone() for name, p in self.model.params.items()}


def _train_with(
    self,
    time_limit,
    return_best_params,
    *,
    order="permuted",
    patience=0,
    restore=True,
    rest=True,
    twice=False,
):
    deadline = time.perf_counter() + (float("inf") if time_limit is None else time_limit)
    fixed = torch.randperm(len(self.X_train), device=self.y_train.device)
    for _ in range(self.num_epochs):
        shuffled = torch.randperm(len(self.X_train), device=self.y_train.device)
        if order == "as they are":
            shuffled = torch.arange(len(self.X_train), device=self.y_train.device)
        if order == "fixed":
            shuffled = fixed
        if order == "drawn":
            shuffled = torch.randint(len(self.X_train), shuffled.shape, device=self.y_train.device)
        for batch in shuffled.split(self.batch_size):
            if not rest and len(batch) < self.batch_size:
                continue
            labels = batch[torch.randperm(len(batch), device=batch.device)] if order == "apart" else batch
            self._step(self.X_train[batch], self.y_train[labels])
            if time.perf_counter() >= deadline:
                break
        self._end_epoch()
        if twice:
            self._update_best(self.val_acc_history[-1])
        too_long = self.patience is not None and self.epochs_without_gain >= self.patience + patience
        if too_long or time.perf_counter() >= deadline:
            break
    if return_best_params and restore:
        self.model.params = {name: p.clone() for name, p in self.best_params.items()}


@mistake(
    "solver.Solver.train",
    hint="The model keeps its last parameters: with return_best_params it gets the best ones.",
)
def train_keeps_last(self, time_limit=None, return_best_params=True):
    _train_with(self, time_limit, return_best_params, restore=False)


@mistake("solver.Solver.train", hint="The best parameters come back even where return_best_params is False.")
def train_always_returns_best(self, time_limit=None, return_best_params=True):
    _train_with(self, time_limit, True)


@mistake("solver.Solver.train", hint="The last, smaller batch is left out: an epoch sees every image.")
def train_drops_last_batch(self, time_limit=None, return_best_params=True):
    _train_with(self, time_limit, return_best_params, rest=False)


@mistake("solver.Solver.train", hint="time_limit is ignored: look at the clock after every step.")
def train_without_time_limit(self, time_limit=None, return_best_params=True):
    _train_with(self, None, return_best_params)


@mistake(
    "solver.Solver.train",
    hint="The learning rate decays after every batch: once an epoch, `_end_epoch` does it.",
)
def train_decays_every_batch(self, time_limit=None, return_best_params=True):
    step = self._step

    def decaying(X, y):
        step(X, y)
        for config in self.optim_configs.values():
            config["learning_rate"] *= self.lr_decay

    self._step = decaying
    _train_with(self, time_limit, return_best_params)


@mistake("solver.Solver.train", hint="The first epoch makes no step: training starts at once.")
def train_idle_first_epoch(self, time_limit=None, return_best_params=True):
    self._end_epoch()
    self.num_epochs -= 1
    _train_with(self, time_limit, return_best_params)


@mistake("solver.Solver.train", hint="Steps are taken on validation images too: they only judge.")
def train_on_validation(self, time_limit=None, return_best_params=True):
    end_epoch = self._end_epoch

    def stepping():
        self._step(self.X_val, self.y_val)
        end_epoch()

    self._end_epoch = stepping
    _train_with(self, time_limit, return_best_params)


@mistake(
    "solver.Solver.train:patience",
    hint="patience is never looked at: stop when so many epochs brought no gain.",
)
def train_without_patience(self, time_limit=None, return_best_params=True):
    _train_with(self, time_limit, return_best_params, patience=math.inf)


@mistake(
    "solver.Solver.train:patience", hint="This stops one epoch late: patience epochs without gain are enough."
)
def train_one_epoch_late(self, time_limit=None, return_best_params=True):
    _train_with(self, time_limit, return_best_params, patience=1)


@mistake(
    "solver.Solver.train:patience",
    hint="Epochs without gain are counted twice: `_end_epoch` has counted already.",
)
def train_counts_twice(self, time_limit=None, return_best_params=True):
    _train_with(self, time_limit, return_best_params, twice=True)


@mistake(
    "solver.Solver.train:order",
    hint="The images come in the order of the data set: draw a new one for each epoch.",
)
def train_unshuffled(self, time_limit=None, return_best_params=True):
    _train_with(self, time_limit, return_best_params, order="as they are")


@mistake(
    "solver.Solver.train:order", hint="All epochs have one order: draw it inside of the loop over epochs."
)
def train_one_order(self, time_limit=None, return_best_params=True):
    _train_with(self, time_limit, return_best_params, order="fixed")


@mistake(
    "solver.Solver.train:order",
    hint="Images are drawn with repetition, so an epoch misses some: go through a permutation.",
)
def train_draws_with_repetition(self, time_limit=None, return_best_params=True):
    _train_with(self, time_limit, return_best_params, order="drawn")


@mistake(
    "solver.Solver.train:order", hint="Images and labels are drawn apart: index both with the same batch."
)
def train_labels_apart(self, time_limit=None, return_best_params=True):
    _train_with(self, time_limit, return_best_params, order="apart")


# Search


def _search(data, configs, model_class, epochs, patience, *, better, start=-1.0, shared=False):
    best_model, best, results, model = None, start, [], None
    for config in configs:
        solver = tuning.make_solver(config, data, model_class, epochs, patience)
        if shared and model is not None:
            solver.model = model
        solver.train()
        model = solver.model
        results.append((config, solver.best_val_acc))
        if better(solver.best_val_acc, best):
            best_model, best = solver.model, solver.best_val_acc
    return best_model, results


@mistake("hyperparameter_tuning.findBestConfig", hint="The last model is returned: remember the best one.")
def search_keeps_last(data, configs, epochs=20, patience=5, model_class=fcn.FullyConnectedNet):
    return _search(data, configs, model_class, epochs, patience, better=lambda new, best: True)


@mistake(
    "hyperparameter_tuning.findBestConfig",
    hint="One model is trained with all configs in turn: make a new one for each.",
)
def search_shares_model(data, configs, epochs=20, patience=5, model_class=fcn.FullyConnectedNet):
    return _search(
        data, configs, model_class, epochs, patience, better=lambda new, best: new > best, shared=True
    )


@mistake(
    "hyperparameter_tuning.findBestConfig", hint="The lowest accuracy wins: high is good here, unlike a loss."
)
def search_lowest(data, configs, epochs=20, patience=5, model_class=fcn.FullyConnectedNet):
    return _search(
        data, configs, model_class, epochs, patience, better=lambda new, best: new < best, start=2.0
    )


@mistake(
    "hyperparameter_tuning.findBestConfig",
    hint="On a tie the last of equals is kept: the first one is asked for.",
)
def search_last_of_equals(data, configs, epochs=20, patience=5, model_class=fcn.FullyConnectedNet):
    return _search(data, configs, model_class, epochs, patience, better=lambda new, best: new >= best)


@mistake(
    "hyperparameter_tuning.findBestConfig", hint="Models are judged without training: call `train` first."
)
def search_without_training(data, configs, epochs=20, patience=5, model_class=fcn.FullyConnectedNet):
    solvers = [tuning.make_solver(config, data, model_class, epochs, patience) for config in configs]
    results = [(config, solver.best_val_acc) for config, solver in zip(configs, solvers, strict=True)]
    return solvers[0].model, results


@mistake(
    "hyperparameter_tuning.findBestConfig",
    hint="The accuracy after the last epoch decides; the best one of each solver, `best_val_acc`, is due.",
)
def search_by_last_epoch(data, configs, model_class=fcn.FullyConnectedNet, epochs=20, patience=5):
    best_model, best, results = None, -1.0, []
    for config in configs:
        solver = tuning.make_solver(config, data, model_class, epochs, patience)
        solver.train()
        accuracy = solver.val_acc_history[-1]
        results.append((config, accuracy))
        if accuracy > best:
            best_model, best = solver.model, accuracy
    return best_model, results


@mistake(
    "hyperparameter_tuning.findBestConfig:nothing_learnt",
    hint="`if not best` takes an accuracy of 0 for none at all: ask whether it is None.",
)
def search_zero_is_unset(data, configs, epochs=20, patience=5, model_class=fcn.FullyConnectedNet):
    return _search(
        data,
        configs,
        model_class,
        epochs,
        patience,
        better=lambda new, best: not best or new > best,
        start=None,
    )


@mistake(
    "hyperparameter_tuning.findBestConfig:nothing_learnt",
    hint="Accuracies are compared with 0 at first, so a model that scores 0 is never kept: start below.",
)
def search_starts_at_zero(data, configs, epochs=20, patience=5, model_class=fcn.FullyConnectedNet):
    return _search(
        data, configs, model_class, epochs, patience, better=lambda new, best: new > best, start=0.0
    )


@mistake(
    "hyperparameter_tuning.grid_search", hint="Values are paired one to one: a grid has every combination."
)
def grid_paired(data, grid_search_spaces, model_class=fcn.FullyConnectedNet, epochs=20, patience=5):
    rows = zip(*grid_search_spaces.values(), strict=False)
    configs = [dict(zip(grid_search_spaces, row, strict=True)) for row in rows]
    return tuning.findBestConfig(data, configs, epochs, patience, model_class)


@mistake(
    "hyperparameter_tuning.grid_search",
    hint="One setting is changed at a time: combinations of changes are missing.",
)
def grid_one_at_a_time(data, grid_search_spaces, model_class=fcn.FullyConnectedNet, epochs=20, patience=5):
    first = {name: values[0] for name, values in grid_search_spaces.items()}
    configs = [{**first, name: value} for name, values in grid_search_spaces.items() for value in values]
    return tuning.findBestConfig(data, configs, epochs, patience, model_class)


@mistake("hyperparameter_tuning.grid_search", hint="The first name changes fastest; the last one should.")
def grid_first_fastest(data, grid_search_spaces, model_class=fcn.FullyConnectedNet, epochs=20, patience=5):
    names = list(grid_search_spaces)[::-1]
    rows = itertools.product(*(grid_search_spaces[name] for name in names))
    configs = [dict(zip(names, row, strict=True)) for row in rows]
    configs = [{name: config[name] for name in grid_search_spaces} for config in configs]
    return tuning.findBestConfig(data, configs, epochs, patience, model_class)


def _draw(spaces, *, log=None, integer=None, item=None, check=True):
    log = log or (lambda values: 10 ** random.uniform(math.log10(min(values)), math.log10(max(values))))
    integer = integer or (lambda values: random.randint(min(values), max(values)))
    config = {}
    for name, (values, mode) in spaces.items():
        if mode == "float":
            config[name] = random.uniform(min(values), max(values))
        elif mode == "log":
            config[name] = log(values)
        elif mode == "int":
            config[name] = integer(values)
        elif mode == "item":
            config[name] = (item or random.choice)(values)
        elif check:
            raise ValueError(f"unknown mode {mode!r}")
    return config


LOG = "hyperparameter_tuning.random_search_spaces_to_config"


@mistake(
    LOG, hint="`log` is drawn evenly on the linear scale: nearly all values are near the upper end then."
)
def config_linear(random_search_spaces):
    return _draw(random_search_spaces, log=lambda values: random.uniform(min(values), max(values)))


@mistake(LOG, hint="The upper end of an `int` space never comes up: both ends are included.")
def config_without_upper_end(random_search_spaces):
    return _draw(random_search_spaces, integer=lambda values: random.randrange(min(values), max(values)))


@mistake(LOG, hint="Rounding gives both ends of an `int` space half of what the others get: use `randint`.")
def config_rounded(random_search_spaces):
    draw = {"integer": lambda values: round(random.uniform(min(values), max(values)))}
    return _draw(random_search_spaces, **draw)


@mistake(
    LOG, hint="The ends of an `int` space may come in either order, which `randint` does not put up with."
)
def config_ends_in_order(random_search_spaces):
    return _draw(random_search_spaces, integer=lambda values: random.randint(*values))


@mistake(LOG, hint="The exponent is a whole number: between two powers of ten there are values as well.")
def config_whole_powers(random_search_spaces):
    ends = [lambda values: math.log10(min(values)), lambda values: math.log10(max(values))]
    return _draw(
        random_search_spaces,
        log=lambda values: 10.0 ** random.randint(*(round(end(values)) for end in ends)),
    )


@mistake(LOG, hint="The first item always comes: all of them are equally likely.")
def config_first_item(random_search_spaces):
    return _draw(random_search_spaces, item=lambda values: values[0])


@mistake(LOG, hint="An `int` comes out as a float: a network cannot have 2.7 layers.")
def config_float_for_int(random_search_spaces):
    return _draw(random_search_spaces, integer=lambda values: random.uniform(min(values), max(values)))


@mistake(LOG, hint="The exponent is returned, not 10 to its power.")
def config_exponent(random_search_spaces):
    return _draw(
        random_search_spaces,
        log=lambda values: random.uniform(math.log10(min(values)), math.log10(max(values))),
    )


@mistake(
    LOG + ":unknown_mode",
    hint="An unknown mode is passed over in silence, and the setting is lost: refuse it.",
)
def config_ignores_unknown_mode(random_search_spaces):
    return _draw(random_search_spaces, check=False)


@mistake(
    "hyperparameter_tuning.random_search",
    hint="One config is drawn and tried again and again: draw one for each try.",
)
def random_one_config(
    data, random_search_spaces, model_class=fcn.FullyConnectedNet, num_search=20, epochs=20, patience=5
):
    configs = [tuning.random_search_spaces_to_config(random_search_spaces)] * num_search
    return tuning.findBestConfig(data, configs, epochs, patience, model_class)


@mistake(
    "hyperparameter_tuning.random_search", hint="num_search is ignored: so many configs are to be tried."
)
def random_fixed_number(
    data, random_search_spaces, model_class=fcn.FullyConnectedNet, num_search=20, epochs=20, patience=5
):
    configs = [tuning.random_search_spaces_to_config(random_search_spaces) for _ in range(20)]
    return tuning.findBestConfig(data, configs, epochs, patience, model_class)


@mistake(
    "hyperparameter_tuning.random_search",
    hint="The model that comes back is not the best: `findBestConfig` finds it.",
)
def random_returns_first(
    data, random_search_spaces, model_class=fcn.FullyConnectedNet, num_search=20, epochs=20, patience=5
):
    configs = [tuning.random_search_spaces_to_config(random_search_spaces) for _ in range(num_search)]
    _, results = tuning.findBestConfig(data, configs, epochs, patience, model_class)
    worst = min(range(num_search), key=lambda place: results[place][1])
    return tuning.make_solver(configs[worst], data, model_class, epochs, patience).model, results


# Cost and regularisation


def _pass(model, batch_size, *, biases=True, inputs=True, backward=2, item=None, batch=None):
    weights = [p for name, p in model.params.items() if name.startswith("W")]
    widths = [w.shape[1] for w in weights] + ([len(model.params["W1"])] if inputs else [])
    counted = model.params.values() if biases else weights
    values = sum(p.numel() for p in counted) + (batch or batch_size) * sum(widths)
    forward = values * (item or weights[0].element_size())
    return forward, backward * forward


SIZE = "network_size.compute_network_pass_size"


@mistake(SIZE, hint="The biases are left out: they are parameters too.")
def size_without_biases(model, batch_size):
    return _pass(model, batch_size, biases=False)


@mistake(SIZE, hint="The batch that comes in is left out: it has to be held as well.")
def size_without_input(model, batch_size):
    return _pass(model, batch_size, inputs=False)


@mistake(SIZE, hint="The second number is for both passes together: parameters and outputs count in it, too.")
def size_backward_alone(model, batch_size):
    return _pass(model, batch_size, backward=1)


@mistake(SIZE, hint="Four bytes a number hold for float32 only: ask a parameter how many it takes.")
def size_always_four_bytes(model, batch_size):
    return _pass(model, batch_size, item=4)


@mistake(SIZE, hint="Every image of the batch has outputs of its own: the batch size is missing.")
def size_of_one_image(model, batch_size):
    return _pass(model, batch_size, batch=1)


@mistake(SIZE, hint="These are numbers, not bytes: multiply by the bytes that each takes.")
def size_in_numbers(model, batch_size):
    return _pass(model, batch_size, item=1)


@mistake(SIZE, hint="`sys.getsizeof` weighs the Python object, not the numbers that it points to.")
def size_of_objects(model, batch_size):
    forward = sum(map(sys.getsizeof, model.params.values()))
    return forward, 2 * forward


FLOPS = "network_size.compute_network_flops"


def _flops(model, batch_size, per_product=2, backward=2, biases=False):
    counted = sum(p.numel() for name, p in model.params.items() if biases or name.startswith("W"))
    forward = per_product * batch_size * counted
    return forward, backward * forward


@mistake(FLOPS, hint="A multiplication and its addition are two operations.")
def flops_single(model, batch_size):
    return _flops(model, batch_size, per_product=1)


@mistake(
    FLOPS, hint="The way back has two products in each layer, one for the weights and one for the input."
)
def flops_backward_like_forward(model, batch_size):
    return _flops(model, batch_size, backward=1)


@mistake(FLOPS, hint="The second number is for the way back alone.")
def flops_both_passes(model, batch_size):
    return _flops(model, batch_size, backward=3)


@mistake(FLOPS, hint="Biases are counted; only the matrix products are asked for.")
def flops_with_biases(model, batch_size):
    return _flops(model, batch_size, biases=True)


@mistake(FLOPS, hint="The batch size is missing: every image goes through all layers.")
def flops_of_one_image(model, batch_size):
    return _flops(model, 1)


NORM = "regularization.max_norm"


@mistake(NORM, hint="Rows are bounded; the incoming weights of a unit are a column.")
def norm_of_rows(w, limit):
    norms = w.square().sum(1, keepdim=True).sqrt()
    return w * (limit / norms).clamp(max=1)


@mistake(NORM, hint="All columns get the norm `limit`: those that are short enough stay as they are.")
def norm_always(w, limit):
    return w * limit / w.square().sum(0).sqrt().clamp(min=1e-12)


@mistake(NORM, hint="A column of zeros becomes nan, 0 divided by 0: it needs no change.")
def norm_nan(w, limit):
    norms = w.square().sum(0).sqrt()
    return w / norms * norms.clamp(max=limit)


@mistake(NORM, hint="Each weight is cut off on its own: the norm of the whole column is bounded.")
def norm_of_entries(w, limit):
    return w.clamp(-limit, limit)


@mistake(NORM, hint="One norm of the whole matrix is taken: each unit has its own.")
def norm_of_matrix(w, limit):
    return w * (limit / w.square().sum().sqrt()).clamp(max=1)


@mistake(NORM, hint="w itself is changed: return new weights.")
def norm_in_place(w, limit):
    w *= (limit / w.square().sum(0).sqrt()).clamp(max=1)
    return w


@mistake(NORM, hint="The squared norm is compared with the limit: take its root.")
def norm_squared(w, limit):
    return w * (limit / w.square().sum(0)).clamp(max=1)


ENSEMBLE = "regularization.ensemble_predict"


@mistake(
    ENSEMBLE,
    hint="Scores are averaged, so a network that shouts outweighs the rest: turn them into probabilities.",
)
def ensemble_of_scores(models, X):
    return torch.stack([model.loss(X) for model in models]).mean(0).argmax(1)


@mistake(ENSEMBLE, hint="This is a show of hands: how sure each network is should count.")
def ensemble_by_vote(models, X):
    labels = torch.stack([model.loss(X).argmax(1) for model in models])
    return torch.nn.functional.one_hot(labels).sum(0).argmax(1)


@mistake(ENSEMBLE, hint="Softmax runs along the images: the probabilities of one image's classes sum to 1.")
def ensemble_wrong_axis(models, X):
    return torch.stack([model.loss(X).softmax(0) for model in models]).mean(0).argmax(1)


@mistake(ENSEMBLE, hint="The network that is surest decides alone: take the mean over the networks.")
def ensemble_of_the_surest(models, X):
    return torch.stack([model.loss(X).softmax(1) for model in models]).amax(0).argmax(1)


@mistake(ENSEMBLE, hint="Only one of the networks is asked.")
def ensemble_of_one(models, X):
    return models[0].loss(X).argmax(1)
