"""What is asked of layers, networks, update rules, the solver, and the search for settings."""

import functools
import itertools
import math
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from exercise_code.support import data
from exercise_code.support.checking.declare import check

AUTOGRAD = ["torch.autograd.grad", "torch.Tensor.backward", "torch.Tensor.requires_grad_"]
IN_NETS = ["torch.autograd.grad", "torch.Tensor.requires_grad_"]
SOFTMAX = ["torch.softmax", "torch.log_softmax", "torch.nn.functional.cross_entropy"]
INIT = ["torch.nn.init.xavier_normal_", "torch.nn.init.kaiming_normal_"]
FCN = "fully_connected_networks."
LAYERS = [f"{FCN}Linear.forward", f"{FCN}Linear.backward", f"{FCN}ReLU.forward", f"{FCN}ReLU.backward"]


def numbers(case, *shape: int, reach: float = 2.0) -> Tensor:
    """Different numbers between -reach and reach, none of them zero, in no order."""
    count = math.prod(shape)
    places = np.array(case.shuffled(range(count))).reshape(shape)
    return case.tensor(reach * ((2 * places + 0.5) / count - 1))


def parameters(case, *widths: int) -> dict[str, Tensor]:
    """Weights and biases of a network with these widths, the first of which is that of its input."""
    params = {}
    for layer, (rows, columns) in enumerate(itertools.pairwise(widths), start=1):
        params[f"W{layer}"] = numbers(case, rows, columns, reach=1.0)
        params[f"b{layer}"] = numbers(case, columns, reach=1.0)
    return params


# Layers


@check(f"{FCN}Linear.forward", points=1, forbids=["torch.nn.functional.linear"])
def linear_forward(code, case):
    """Any shape of input, flattened, times weights, plus biases."""
    forward = code.fully_connected_networks.Linear.forward
    w, b = numbers(case, 6, 4), numbers(case, 4)
    images, rows = numbers(case, 5, 2, 3), numbers(case, 3, 6)
    return {"out": forward(images, w, b)[0], "out of flat inputs": forward(rows, w, b)[0]}


@check(f"{FCN}Linear.backward", points=2, uses=[f"{FCN}Linear.forward"], forbids=AUTOGRAD)
def linear_backward(code, case):
    """Gradients of input, weights and biases."""
    Linear = code.fully_connected_networks.Linear
    _, cache = Linear.forward(numbers(case, 5, 2, 3), numbers(case, 6, 4), numbers(case, 4))
    dx, dw, db = Linear.backward(numbers(case, 5, 4), cache)
    return {"dx": dx, "dw": dw, "db": db}


@check(f"{FCN}ReLU.forward", points=1, forbids=["torch.relu", "torch.nn.functional.relu"])
def relu_forward(code, case):
    """Negative numbers become 0."""
    return {"out": code.fully_connected_networks.ReLU.forward(numbers(case, 4, 3, 2))[0]}


@check(f"{FCN}ReLU.backward", points=1, uses=[f"{FCN}ReLU.forward"], forbids=AUTOGRAD)
def relu_backward(code, case):
    """The gradient passes where the input was positive."""
    ReLU = code.fully_connected_networks.ReLU
    _, cache = ReLU.forward(numbers(case, 4, 3, 2))
    return {"dx": ReLU.backward(numbers(case, 4, 3, 2), cache)}


@check(
    f"{FCN}LeakyReLU.forward",
    points=1,
    forbids=["torch.nn.functional.leaky_relu", "torch.prelu", "torch.nn.functional.prelu"],
)
def leaky_relu_forward(code, case):
    """A share of what is negative passes."""
    forward = code.fully_connected_networks.LeakyReLU.forward
    x = numbers(case, 4, 5)
    slopes = (0.3, 2.0, -0.5)
    return {"out": forward(x)[0], **{f"out for slope={slope}": forward(x, slope)[0] for slope in slopes}}


@check(f"{FCN}LeakyReLU.backward", points=1, uses=[f"{FCN}LeakyReLU.forward"], forbids=AUTOGRAD)
def leaky_relu_backward(code, case):
    """The gradient passes, whole or in part."""
    LeakyReLU = code.fully_connected_networks.LeakyReLU
    x, dout = numbers(case, 4, 5), numbers(case, 4, 5)
    return {
        f"dx for slope={slope}": LeakyReLU.backward(dout, LeakyReLU.forward(x, slope)[1])
        for slope in (0.01, 0.3, -0.5, 2.0)
    }


@check(
    f"{FCN}Sigmoid.forward",
    points=1,
    forbids=["torch.sigmoid", "torch.nn.functional.sigmoid", "torch.special.expit"],
)
def sigmoid_forward(code, case):
    """Into (0, 1), for numbers of any size."""
    forward = code.fully_connected_networks.Sigmoid.forward
    return {
        "out": forward(numbers(case, 3, 5))[0],
        "out of large numbers": forward(numbers(case, 4, reach=3000.0))[0],
    }


@check(f"{FCN}Sigmoid.backward", points=1, uses=[f"{FCN}Sigmoid.forward"], forbids=AUTOGRAD)
def sigmoid_backward(code, case):
    """The slope of the sigmoid."""
    Sigmoid = code.fully_connected_networks.Sigmoid
    _, cache = Sigmoid.forward(numbers(case, 3, 5))
    return {"dx": Sigmoid.backward(numbers(case, 3, 5), cache)}


@check(f"{FCN}Tanh.forward", points=1, forbids=["torch.tanh", "torch.nn.functional.tanh"])
def tanh_forward(code, case):
    """Into (-1, 1), for numbers of any size."""
    forward = code.fully_connected_networks.Tanh.forward
    return {
        "out": forward(numbers(case, 3, 5))[0],
        "out of large numbers": forward(numbers(case, 4, reach=3000.0))[0],
    }


@check(f"{FCN}Tanh.backward", points=1, uses=[f"{FCN}Tanh.forward"], forbids=AUTOGRAD)
def tanh_backward(code, case):
    """The slope of tanh."""
    Tanh = code.fully_connected_networks.Tanh
    _, cache = Tanh.forward(numbers(case, 3, 5))
    return {"dx": Tanh.backward(numbers(case, 3, 5), cache)}


DROPPED = (0.25, 0.4, 0.7)


def dropout_law(outputs: dict[str, Any], expected: dict[str, Any]) -> str | None:
    """Every number is dropped with probability p on its own, and scaled by 1 / (1 - p) where it is kept.

    The share of 2,100 zeros strays from p by more than 0.067 with probability 2 exp(-2 * 2100 * 0.067^2),
    below 1.3e-8 (Hoeffding); two rows of 70 agree by chance with probability below 1e-14, and all that is
    dropped for one p is dropped for the next one with probability below 1e-100.
    """
    x, masks = expected["x"], []
    for p in DROPPED:
        scale = outputs[f"out for p={p}"] / x
        dropped = scale == 0
        masks.append(dropped)
        if (dropped == dropped[0]).all() or (dropped == dropped[:, :1]).all():
            return "whole rows or columns share one draw; every number has its own"
        share = dropped.double().mean().item()
        if abs(share - p) > 0.067 and abs(share - (1 - p)) < 0.067:
            return f"for p = {p}, {share:.0%} of the numbers are 0: p is the probability of dropping"
        if abs(share - p) > 0.067:
            return f"for p = {p}, {share:.0%} of the numbers are 0"
        if scale[~dropped].sub(1).abs().max() < 1e-4:
            return "what is kept is not scaled"
        kept, due = scale[~dropped], 1 / (1 - p)
        rtol = 1e-4 if x.dtype == torch.float32 else 1e-8
        if not torch.allclose(kept, torch.full_like(kept, due), rtol=rtol, atol=0.0):
            return f"for p = {p}, what is kept is multiplied by {kept.mean():.9g}; {due:.9g} is due"
    if not (masks[0] & ~masks[1]).any():
        return "every call draws the same numbers, though no seed is asked for"
    if not outputs["seeded"].equal(outputs["seeded again"]):
        return "two calls with one seed give two masks"
    return None


@check(
    f"{FCN}Dropout.forward",
    points=1,
    law=dropout_law,
    forbids=["torch.dropout", "torch.nn.functional.dropout", "torch.native_dropout"],
)
def dropout_forward(code, case):
    """Drop with probability p, scale the rest."""
    forward = code.fully_connected_networks.Dropout.forward
    x = numbers(case, 30, 70)
    outs = {f"out for p={p}": forward(x, {"p": p, "mode": "train"})[0] for p in DROPPED}
    seeded = {"p": 0.5, "mode": "train", "seed": 7}
    return {"x": x, **outs, "seeded": forward(x, seeded)[0], "seeded again": forward(x, seeded)[0]}


def dropout_backward_law(outputs: dict[str, Any], expected: dict[str, Any]) -> str | None:
    """The gradient is multiplied by what the input was multiplied by; never wrong by chance."""
    scale, dout, dx = outputs["out"] / expected["x"], expected["dout"], outputs["dx"]
    if torch.allclose(dx, dout * scale, rtol=1e-4, atol=1e-6):
        passes = torch.allclose(outputs["dx when testing"], dout)
        return None if passes else "when testing, the gradient does not pass as it is"
    if torch.allclose(dx, dout):
        return "the gradient comes back as it went in"
    if (dx == 0).equal(scale == 0):
        return "the gradient goes through the mask, but is not scaled as the input was"
    return "the gradient goes through another mask than the input did"


@check(
    f"{FCN}Dropout.backward",
    points=1,
    uses=[f"{FCN}Dropout.forward"],
    law=dropout_backward_law,
    forbids=AUTOGRAD,
)
def dropout_backward(code, case):
    """The gradient through the same mask, and through none when testing."""
    Dropout = code.fully_connected_networks.Dropout
    x, dout = numbers(case, 9, 11), numbers(case, 9, 11)
    out, cache = Dropout.forward(x, {"p": 0.4, "mode": "train"})
    _, cache_when_testing = Dropout.forward(x, {"p": 0.4, "mode": "test"})
    return {
        "x": x,
        "dout": dout,
        "out": out,
        "dx": Dropout.backward(dout, cache),
        "dx when testing": Dropout.backward(dout, cache_when_testing),
    }


@check(f"{FCN}Dropout.forward:test_mode", points=1, uses=[f"{FCN}Dropout.backward"])
def dropout_when_testing(code, case):
    """When testing, everything passes unchanged."""
    Dropout = code.fully_connected_networks.Dropout
    out, cache = Dropout.forward(numbers(case, 4, 7), {"p": 0.6, "mode": "test"})
    return {"out": out, "dx": Dropout.backward(numbers(case, 4, 7), cache)}


# Losses


@check("losses.softmax_loss", points=2, forbids=[*AUTOGRAD, *SOFTMAX])
def cross_entropy_and_gradient(code, case):
    """Mean cross-entropy and its gradient, where no image is of the last class."""
    loss, dx = code.losses.softmax_loss(numbers(case, 7, 5), case.labels(7, num_classes=4))
    return {"loss": loss, "dx": dx}


@check("losses.softmax_loss:large_scores", points=1, forbids=[*AUTOGRAD, *SOFTMAX])
def scores_in_the_thousands(code, case):
    """Scores in the thousands, where exp overflows."""
    loss, dx = code.losses.softmax_loss(numbers(case, 7, 5, reach=4000.0), case.labels(7, num_classes=5))
    return {"loss": loss, "dx": dx}


@check("losses.svm_loss", points=1, forbids=[*AUTOGRAD, "torch.nn.functional.multi_margin_loss"])
def hinge_and_gradient(code, case):
    """Mean hinge loss and its gradient, where no image is of the last class."""
    loss, dx = code.losses.svm_loss(numbers(case, 7, 5), case.labels(7, num_classes=4))
    return {"loss": loss, "dx": dx}


# Initial weights


def _spread(weights: Tensor, std: float) -> str | None:
    """What is wrong with normal weights; wrong by chance with probability below 1e-7.

    The bounds are 6 standard deviations of the estimates; Kolmogorov's distance exceeds its bound with
    probability 2 exp(-2 n bound^2) = 1e-8 (Dvoretzky, Kiefer, Wolfowitz, with Massart's constant).
    """
    values, count = weights.double().flatten(), weights.numel()
    found, slack = values.std().item(), 6 / (2 * count) ** 0.5
    if abs(values.mean()) > 6 * max(found, std) / count**0.5:
        return f"the mean is {values.mean():.2g}; 0 is due"
    if found == 0:
        return "all weights are equal"
    if abs(found - 1) <= slack:
        return "the standard deviation is 1, whatever is asked for"
    if abs(found / std - 1) > slack:
        size = "too large" if found > std else "too small"
        size = "the variance that is due" if abs(found / std**2 - 1) <= slack else size
        return f"the standard deviation, {found:.3g}, is {size}; {std:.3g} is due"
    steps = torch.arange(1, count + 1, dtype=torch.float64) / count
    distance = (torch.special.ndtr(values.sort().values / std) - steps).abs().max() + 1 / count
    if distance > (math.log(2e8) / (2 * count)) ** 0.5:
        return "these numbers are not normally distributed"
    return None


def xavier_law(outputs: dict[str, Any], expected: dict[str, Any]) -> str | None:
    """Variance 2 / (Din + Dout); error rate as in `_spread`."""
    return _spread(outputs["weights"], (2 / 150) ** 0.5)


@check("initializers.xavier_initializer", points=1, law=xavier_law, forbids=INIT)
def xavier(code, case):
    """Variance 2 / (Din + Dout)."""
    like = numbers(case, 1)
    return {"weights": code.initializers.xavier_initializer(40, 110, dtype=like.dtype, device=like.device)}


def kaiming_law(outputs: dict[str, Any], expected: dict[str, Any]) -> str | None:
    """Variance 2 / Din with a ReLU, 1 / Din without; error rate twice that of `_spread`."""
    fault = _spread(outputs["weights"], (2 / 110) ** 0.5)
    without = _spread(outputs["weights without ReLU"], (1 / 110) ** 0.5)
    return fault or (without and f"without ReLU {without}")


@check("initializers.kaiming_initializer", points=1, law=kaiming_law, forbids=INIT)
def kaiming(code, case):
    """Variance 2 / Din with a ReLU, 1 / Din without."""
    like = numbers(case, 1)
    draw, new = code.initializers.kaiming_initializer, {"dtype": like.dtype, "device": like.device}
    return {"weights": draw(110, 40, **new), "weights without ReLU": draw(110, 40, relu=False, **new)}


# Networks


def initial_law(outputs: dict[str, Any], expected: dict[str, Any]) -> str | None:
    """Biases 0, weights of the standard deviation asked for; error rate six times that of `_spread`."""
    for name, values in outputs.items():
        if name.startswith("b") and values.any():
            return f"{name} is not 0"
        if name.startswith("W"):
            std = (2 / len(values)) ** 0.5 if "kaiming" in name else 0.05
            if fault := _spread(values, std):
                return f"{name}: {fault}"
    return None


@check(f"{FCN}TwoLayerNet.__init__", points=1, law=initial_law)
def two_layer_start(code, case):
    """Parameters of a two-layer network."""
    like = numbers(case, 1)
    net = code.fully_connected_networks.TwoLayerNet(
        60, 35, 20, weight_scale=0.05, dtype=like.dtype, device=like.device
    )
    return {name: net.params[name] for name in sorted(net.params)}


@check(
    f"{FCN}FullyConnectedNet.__init__",
    points=1,
    uses=["initializers.kaiming_initializer"],
    law=initial_law,
)
def deep_start(code, case):
    """Parameters of networks of any depth."""
    like = numbers(case, 1)
    params = {}
    for hidden_dims, scale in (((30,), 0.05), ((40, 25, 30), "kaiming")):
        net = code.fully_connected_networks.FullyConnectedNet(
            hidden_dims, 50, 20, weight_scale=scale, dtype=like.dtype, device=like.device
        )
        params |= {f"{name} for weight_scale={scale}": net.params[name] for name in sorted(net.params)}
    return params


@check(
    f"{FCN}TwoLayerNet.loss",
    points=2,
    uses=[f"{FCN}TwoLayerNet.__init__", *LAYERS, "losses.softmax_loss"],
    forbids=IN_NETS,
)
def two_layer_loss(code, case):
    """Loss and gradients, with and without penalty."""
    outputs = {}
    for reg in (0.0, 0.7):
        X, y = numbers(case, 5, 2, 3), case.labels(5, num_classes=4)
        net = code.fully_connected_networks.TwoLayerNet(6, 7, 4, reg=reg, dtype=X.dtype, device=X.device)
        net.params = parameters(case, 6, 7, 4)
        loss, grads = net.loss(X, y)
        outputs[f"reg={reg}"] = {"loss": loss, **{f"d{name}": grads[name] for name in sorted(grads)}}
    return outputs


@check(
    f"{FCN}TwoLayerNet.loss:scores",
    points=1,
    uses=[f"{FCN}TwoLayerNet.__init__", f"{FCN}Linear.forward", f"{FCN}ReLU.forward"],
    forbids=IN_NETS,
)
def two_layer_scores(code, case):
    """Scores, negative ones too, where there are no labels."""
    X = numbers(case, 5, 2, 3)
    net = code.fully_connected_networks.TwoLayerNet(6, 7, 4, dtype=X.dtype, device=X.device)
    net.params = parameters(case, 6, 7, 4)
    return {"scores": net.loss(X)}


def _deep_net(code, case, widths, **settings):
    X = numbers(case, 5, widths[0])
    net = code.fully_connected_networks.FullyConnectedNet(
        widths[1:-1], widths[0], widths[-1], dtype=X.dtype, device=X.device, **settings
    )
    net.params = parameters(case, *widths)
    return net, X


@check(
    f"{FCN}FullyConnectedNet.loss",
    points=3,
    uses=[f"{FCN}FullyConnectedNet.__init__", *LAYERS, f"{FCN}Dropout.forward", "losses.softmax_loss"],
    forbids=IN_NETS,
)
def deep_loss(code, case):
    """Loss and gradients at three depths and with two activations."""
    outputs = {}
    for widths, activation in (((6, 7, 4), "ReLU"), ((6, 5, 8, 4), "Tanh"), ((3, 4, 6, 5, 3, 7, 4), "ReLU")):
        activation_class = getattr(code.fully_connected_networks, activation)
        net, X = _deep_net(code, case, widths, reg=0.3, activation=activation_class)
        loss, grads = net.loss(X, case.labels(5, num_classes=4))
        found = {"loss": loss, **{f"d{name}": grads[name] for name in sorted(grads)}}
        outputs[f"{len(widths) - 1} layers"] = found
    return outputs


@check(
    f"{FCN}FullyConnectedNet.loss:test_mode",
    points=1,
    uses=[f"{FCN}FullyConnectedNet.__init__", f"{FCN}Linear.forward", f"{FCN}Dropout.forward"],
    forbids=IN_NETS,
)
def deep_scores(code, case):
    """Scores, with dropout at rest, where there are no labels."""
    net, X = _deep_net(code, case, (6, 5, 8, 4), dropout=0.5)
    return {"scores": net.loss(X)}


def deep_dropout_law(outputs: dict[str, Any], expected: dict[str, Any]) -> str | None:
    """The units that dropout drops show in the gradients of one image.

    With one image, and h of the first hidden layer, row j of dW2 is  m_j h_j db2  and entry j of db1 is
    m_j (W2 db2)_j (1 - h_j^2), where m is the mask; likewise in the second. The share of 400 zero rows strays
    from p = 0.25 by more than 0.155 with probability 2 exp(-2 * 400 * 0.155^2), below 1e-8 (Hoeffding).
    """
    h = expected["first hidden layer"]
    for layer, place in enumerate(("first", "second"), start=1):
        W, dout = expected[f"W{layer + 1}"], outputs[f"db{layer + 1}"]
        mask = (outputs[f"dW{layer + 1}"] @ dout) / (h * (dout @ dout))
        share = (mask.abs() < 1e-3).double().mean().item()
        if abs(share - 0.25) > 0.155:
            return f"{share:.0%} of the {place} hidden layer are dropped in training; p = 0.25 is due"
        kept = mask[mask.abs() >= 1e-3]
        if not torch.allclose(kept, torch.full_like(kept, 4 / 3), rtol=1e-2):
            return f"what the {place} hidden layer keeps is multiplied by {kept.mean():.3f}"
        due, atol = mask * (W @ dout) * (1 - h**2), 1e-4 * (W.abs() @ dout.abs()).max().item()
        if not torch.allclose(outputs[f"db{layer}"], due, rtol=1e-2, atol=atol):
            return f"the gradient of the {place} hidden layer does not go through its mask"
        h = (h * mask @ W).tanh() if layer == 1 else h
    if not outputs["dW2 with a seed"].equal(outputs["dW2 with the same seed"]):
        return "two passes with one seed drop different units"
    return None


@check(
    f"{FCN}FullyConnectedNet.loss:dropout",
    points=1,
    uses=[
        f"{FCN}FullyConnectedNet.__init__",
        *LAYERS,
        f"{FCN}Dropout.forward",
        f"{FCN}Dropout.backward",
        "losses.softmax_loss",
    ],
    law=deep_dropout_law,
    forbids=IN_NETS,
)
def deep_dropout(code, case):
    """Dropout in training after both hidden layers, forward and backward."""
    nets = code.fully_connected_networks
    X, y = case.tensor(np.abs(numbers(case, 1, 3).cpu().numpy())), case.labels(1, num_classes=1, first=2)
    net = nets.FullyConnectedNet(
        (400, 400), 3, 4, dropout=0.25, activation=nets.Tanh, dtype=X.dtype, device=X.device
    )
    W1 = case.tensor(np.abs(numbers(case, 3, 400, reach=0.4).cpu().numpy()))
    rows, columns = numbers(case, 400, reach=0.01).cpu().numpy(), numbers(case, 400, reach=1.0).cpu().numpy()
    W2, W3 = case.tensor(np.outer(np.abs(rows), columns)), numbers(case, 400, 4, reach=0.05)
    net.params = {"W1": W1, "b1": 0 * W1[0], "W2": W2, "b2": 0 * W2[0], "W3": W3, "b3": numbers(case, 4)}
    _, grads = net.loss(X, y)
    named = {f"d{name}": grads[name] for name in ("b1", "W2", "b2", "W3", "b3")}
    net.seed = case.integer(0, 10**6)
    for name in ("dW2 with a seed", "dW2 with the same seed"):
        named[name] = net.loss(X, y)[1]["W2"]
    return {"first hidden layer": (X @ W1)[0].tanh(), "W2": W2, "W3": W3, **named}


# Update rules


def _two_steps(case, rule, config: dict[str, Any]) -> dict[str, Any]:
    w, first, second = (numbers(case, 4, 3) for _ in range(3))
    outputs = {}
    for step, dw in (("first", first), ("second", second)):
        w, config = rule(w, dw, config)
        outputs[f"{step} step"] = {"w": w, **{n: config[n] for n in sorted(config) if n in MEMORY}}
    return outputs


MEMORY = ("velocity", "cache", "m", "v", "t")


@check(f"{FCN}sgd_momentum", points=1)
def momentum(code, case):
    """Two steps, with a velocity and from rest."""
    rule = code.fully_connected_networks.sgd_momentum
    config = {"learning_rate": 0.03, "momentum": 0.7, "velocity": numbers(case, 4, 3)}
    return {"moving": _two_steps(case, rule, config), "from rest": _two_steps(case, rule, None)}


@check(f"{FCN}rmsprop", points=1)
def root_mean_square(code, case):
    """Two steps, with a cache and from nothing."""
    rule = code.fully_connected_networks.rmsprop
    cache = case.tensor(numbers(case, 4, 3).cpu().numpy() ** 2)
    config = {"learning_rate": 0.03, "decay_rate": 0.8, "epsilon": 0.1, "cache": cache}
    return {"running": _two_steps(case, rule, config), "from nothing": _two_steps(case, rule, None)}


@check(f"{FCN}adam", points=1)
def adaptive_moments(code, case):
    """Two steps in the middle of a training."""
    m, v = numbers(case, 4, 3), case.tensor(numbers(case, 4, 3).cpu().numpy() ** 2)
    config = {"learning_rate": 0.03, "beta1": 0.7, "beta2": 0.9, "epsilon": 0.1, "m": m, "v": v, "t": 5}
    return _two_steps(case, code.fully_connected_networks.adam, config)


@check(f"{FCN}adam:from_nothing", points=1)
def adaptive_moments_from_nothing(code, case):
    """The first two steps of all."""
    return _two_steps(case, code.fully_connected_networks.adam, None)


# Solver


class Scripted:
    """A model whose scores are its input, or what a script wants; it keeps what it is trained on."""

    def __init__(self, like: Tensor, script: tuple[float, ...] = (), steps_in_epoch: int = 1):
        self.params = {"W1": like.new_zeros(2, 3), "b1": like.new_zeros(3)}
        self.script, self.steps_in_epoch = script, steps_in_epoch
        self.seen: list[Tensor] = []
        self.labels: list[Tensor] = []
        self.asked: list[int] = []

    def loss(self, X: Tensor, y: Tensor | None = None) -> Any:
        if y is None:
            self.asked.append(len(X))
            return self._scores(X) if self.script else X
        self.seen.append(X)
        self.labels.append(y)
        slope = X.mean(dim=0)[:3]
        return X.square().mean(), {"W1": torch.stack([slope, 2 * slope]), "b1": 0 * slope + 1}

    def _scores(self, X: Tensor) -> Tensor:
        """Column 0 holds a label, 0 or 1, column 1 a place, 0 to 1: the images below the script are right."""
        epoch = max(1, math.ceil(len(self.seen) / self.steps_in_epoch))
        right = X[:, 1] < self.script[min(epoch, len(self.script)) - 1]
        chosen = torch.where(right, X[:, 0], 1 - X[:, 0])
        return torch.stack([1 - chosen, chosen], dim=1)


def scripted_data(case, num_train: int) -> dict[str, Tensor]:
    """Ten validation images for `Scripted`, and training images whose first number is their label."""
    y_train, y_val = case.labels(num_train, num_classes=num_train), case.labels(10, num_classes=2)
    X_train = numbers(case, num_train, 4)
    X_train = torch.cat([y_train[:, None].to(X_train.dtype), X_train], dim=1)
    places = case.tensor((np.array(case.shuffled(range(10))) + 0.5) / 10)
    X_val = torch.stack([y_val.to(places.dtype), places], dim=1)
    return {"X_train": X_train, "y_train": y_train, "X_val": X_val, "y_val": y_val}


def counting_rule(w: Tensor, dw: Tensor, config: dict[str, Any]) -> tuple[Tensor, dict[str, Any]]:
    """Gradient descent that counts its steps."""
    return w - config["learning_rate"] * dw, {**config, "steps": config.get("steps", 0) + 1}


@check("solver.Solver._step", points=2, uses=["regularization.max_norm"])
def solver_step(code, case):
    """Every parameter gets its update and keeps its own config."""
    data = scripted_data(case, 7)
    outputs = {}
    for bound in (None, 0.5):
        model = Scripted(data["X_train"])
        solver = code.solver.Solver(
            model, data, update_rule=counting_rule, optim_config={"learning_rate": 0.5}, max_norm=bound
        )
        solver.optim_configs["b1"]["learning_rate"] = 0.75
        solver._step(data["X_train"][:4], data["y_train"][:4])
        solver._step(data["X_train"][4:], data["y_train"][4:])
        outputs[f"max_norm={bound}"] = {
            "params": model.params,
            "steps": {name: config["steps"] for name, config in solver.optim_configs.items()},
            "loss_history": solver.loss_history,
        }
    return outputs


@check("solver.Solver.check_accuracy", points=1)
def solver_accuracy(code, case):
    """The share of right answers, batch by batch."""
    data = scripted_data(case, 7)
    model = Scripted(data["X_train"])
    solver = code.solver.Solver(model, data)
    X, y = numbers(case, 23, 4), case.labels(23, num_classes=4)
    near = case.labels(23, num_classes=2)
    X = torch.where(near[:, None] == 1, 4 * torch.eye(4, dtype=X.dtype, device=X.device)[y], X)
    accuracy = solver.check_accuracy(X, y, batch_size=5)
    return {"accuracy": accuracy, "batches": list(model.asked)}


@check("solver.Solver._update_best", points=2)
def solver_best(code, case):
    """The best parameters are remembered as they were."""
    data = scripted_data(case, 7)
    model = Scripted(data["X_train"])
    solver = code.solver.Solver(model, data)
    record = []
    for place, accuracy in enumerate((0.0, 0.3, 0.2, 0.3, 0.5, 0.5)):
        model.params["W1"] = model.params["W1"] + 1
        model.params["b1"] += place
        solver._update_best(accuracy)
        record.append([solver.best_val_acc, solver.epochs_without_gain])
    model.params["W1"] *= 3
    return {"best accuracy and epochs without gain": record, "best_params": solver.best_params}


TRAINING = ["solver.Solver._step", "solver.Solver.check_accuracy", "solver.Solver._update_best"]


def _train(code, case, script, return_best_params=True, time_limit=None, **settings):
    data = scripted_data(case, 7)
    model = Scripted(data["X_train"], script, steps_in_epoch=3)
    solver = code.solver.Solver(
        model, data, update_rule=counting_rule, batch_size=3, num_epochs=len(script), **settings
    )
    solver.train(time_limit=time_limit, return_best_params=return_best_params)
    return solver, model


@check("solver.Solver.train", points=2, uses=TRAINING)
def solver_train(code, case):
    """Epochs of every image once, a learning rate that decays, and the best parameters at the end."""
    solver, model = _train(code, case, (0.4, 0.8, 0.6), lr_decay=0.5)
    _, last_model = _train(code, case, (0.4, 0.8, 0.6), return_best_params=False)
    hurried, _ = _train(code, case, (0.4, 0.8, 0.6), time_limit=0)
    b1 = model.params["b1"].clone()
    model.params["b1"] += 1
    return {
        "val_acc_history": solver.val_acc_history,
        "sizes of batches": [len(batch) for batch in model.seen],
        "labels of the first epoch, sorted": torch.cat(model.labels[:3]).sort().values,
        "b1 at the end": b1,
        "best b1 after a change of the model's": solver.best_params["b1"],
        "b1 at the end without return_best_params": last_model.params["b1"],
        "learning rate": solver.optim_configs["b1"]["learning_rate"],
        "steps with time_limit=0": len(hurried.loss_history),
    }


@check("solver.Solver.train:patience", points=1, uses=TRAINING)
def solver_patience(code, case):
    """Stop after so many epochs without a better validation accuracy."""
    script = (0.2, 0.5, 0.3, 0.6, 0.4, 0.6, 0.5, 0.9)
    return {
        f"val_acc_history for patience={patience}": _train(code, case, script, patience=patience)[
            0
        ].val_acc_history
        for patience in (1, 3, None)
    }


def order_law(outputs: dict[str, Any], expected: dict[str, Any]) -> str | None:
    """Each epoch is an order of its own; two of 40 images agree by chance with probability 1 / 40!."""
    orders = [outputs["labels of epoch 1"], outputs["labels of epoch 2"]]
    for place, order in enumerate(orders, start=1):
        if order.sort().values.tolist() != list(range(40)):
            return f"epoch {place} does not see every training image exactly once"
    if not outputs["first column"].long().equal(orders[0]):
        return "images and labels do not belong together any more"
    if orders[0].equal(expected["y_train"]):
        return "the training images come in the order of the data"
    if orders[0].equal(orders[1]):
        return "two epochs have the same order"
    return None


@check("solver.Solver.train:order", points=1, uses=TRAINING, law=order_law)
def solver_order(code, case):
    """A new order in every epoch, images and labels together."""
    data = scripted_data(case, 40)
    model = Scripted(data["X_train"], (0.5, 0.5), steps_in_epoch=5)
    code.solver.Solver(model, data, update_rule=counting_rule, batch_size=8, num_epochs=2).train()
    return {
        "y_train": data["y_train"],
        "labels of epoch 1": torch.cat(model.labels[:5]),
        "labels of epoch 2": torch.cat(model.labels[5:]),
        "first column": torch.cat(model.seen[:5])[:, 0],
    }


# Search


class Guesser(Scripted):
    """A model that gets right the share of images that a setting says, and no more after its first epoch."""

    def __init__(self, share: float, like: Tensor, tag: int = 0):
        super().__init__(like, (share, share * (1 - share) ** 2))
        self.share, self.tag = share, tag


def _guessers(case):
    data = scripted_data(case, 7)
    return data, functools.partial(Guesser, like=data["X_train"])


def _described(model: Guesser) -> dict[str, Any]:
    """Which model it is, and its epochs, which patience ends: a guesser does not learn."""
    return {"share": model.share, "tag": model.tag, "epochs": len(model.seen)}


@check("hyperparameter_tuning.findBestConfig", points=1, uses=["solver.Solver.train"])
def best_config(code, case):
    """A new model for each config; the best by validation accuracy is kept."""
    data, model_class = _guessers(case)
    shares = [*case.shuffled([0.2, 0.4, 0.6, 0.8, 0.8]), 0.3]
    configs = [{"share": share, "tag": tag, "learning_rate": 0.1} for tag, share in enumerate(shares)]
    model, results = code.hyperparameter_tuning.findBestConfig(data, configs, 4, 2, model_class)
    return {"results": [list(result) for result in results], **_described(model)}


@check("hyperparameter_tuning.findBestConfig:nothing_learnt", points=1, uses=["solver.Solver.train"])
def worst_configs(code, case):
    """An accuracy of 0 is an accuracy: the first config is the best of equals."""
    data, model_class = _guessers(case)
    configs = [{"share": 0.0, "tag": tag} for tag in case.shuffled([3, 5, 8])]
    model, results = code.hyperparameter_tuning.findBestConfig(data, configs, 1, 1, model_class)
    return {"results": [list(result) for result in results], "tag": getattr(model, "tag", None)}


@check("hyperparameter_tuning.grid_search", points=1, uses=["hyperparameter_tuning.findBestConfig"])
def whole_grid(code, case):
    """Every combination, the last name fastest."""
    data, model_class = _guessers(case)
    spaces = {"share": case.shuffled([0.2, 0.9, 0.5]), "tag": [1, 2], "learning_rate": [0.5, 0.1]}
    model, results = code.hyperparameter_tuning.grid_search(data, spaces, model_class, 4, 2)
    return {"results": [list(result) for result in results], **_described(model)}


SPACES = {
    "rate": ([1e-6, 1e-2], "log"),
    "reversed": ([1e3, 1e-3], "log"),
    "dropout": ([0.1, 0.7], "float"),
    "depth": ([4, 2], "int"),
    "rule": (["a", "b", "c"], "item"),
}
DRAWS = 2000


def config_law(outputs: dict[str, Any], expected: dict[str, Any]) -> str | None:
    """Each setting follows its distribution.

    The largest distance between the shares of 2,000 draws and the distribution exceeds 0.07 with
    probability below 2 exp(-2 * 2000 * 0.07^2) = 7e-9 for each of five settings (Massart, 1990).
    """
    for name in SPACES:
        kind, due = (found[f"type of {name}"] for found in (outputs, expected))
        if kind != due:
            return f"{name} has the type {kind}; {due} is due"
    bounds = {"rate": (-6, -2), "reversed": (-3, 3), "dropout": (0.1, 0.7)}
    for name, (low, high) in bounds.items():
        drawn = outputs[name]
        if (drawn <= 0).any():
            return f"{name}: {drawn.min():.3g} is outside of its space"
        values = drawn.log10() if name != "dropout" else drawn
        if drawn.unique().numel() < DRAWS / 10:
            return f"{name} takes only {drawn.unique().numel()} values"
        places = ((values - low) / (high - low)).sort().values
        if places[0] < -1e-6 or places[-1] > 1 + 1e-6:
            return f"{name}: {drawn.min():.3g} to {drawn.max():.3g} goes outside of its space"
        share = torch.arange(1, DRAWS + 1, dtype=places.dtype) / DRAWS
        if (places - share).abs().max() + 1 / DRAWS > 0.07:
            kind = "evenly on a log scale" if name != "dropout" else "evenly"
            return f"{name} is not drawn {kind}"
    for name, values in {"depth": (2, 3, 4), "rule": (0, 1, 2)}.items():
        if not torch.isin(outputs[name], torch.tensor(values)).all():
            return f"{name} has a value outside of its space"
        shares = torch.stack([(outputs[name] == value).double().mean() for value in values])
        if not shares.all():
            return f"{name}: one of its values never comes up"
        if (shares - 1 / len(values)).abs().max() > 0.07:
            return f"{name}: not all values are equally likely"
    return None


@check("hyperparameter_tuning.random_search_spaces_to_config", points=1, law=config_law)
def random_config(code, case):
    """Even on its own scale: log, int, float, item."""
    drawn = [code.hyperparameter_tuning.random_search_spaces_to_config(SPACES) for _ in range(DRAWS)]
    columns = {name: [config[name] for config in drawn] for name in SPACES}
    columns["rule"] = ["abc".find(item) for item in columns["rule"]]
    outputs = {name: torch.tensor(column) for name, column in columns.items()}
    kinds = {name: type(drawn[0][name]).__name__ for name in SPACES}
    return {
        **{name: t.double() if name not in ("depth", "rule") else t for name, t in outputs.items()},
        **{f"type of {name}": kind for name, kind in kinds.items()},
    }


@check("hyperparameter_tuning.random_search_spaces_to_config:unknown_mode", points=1)
def unknown_mode(code, case):
    """A mode that does not exist is refused."""
    draw = code.hyperparameter_tuning.random_search_spaces_to_config
    try:
        return {"outcome": draw({"rate": ([0.1, 1.0], "logarithmic")})}
    except ValueError as error:
        return {"outcome": type(error).__name__}


def search_law(outputs: dict[str, Any], expected: dict[str, Any]) -> str | None:
    """Each draw gives its own result; six draws from a continuum differ, and the best model is theirs."""
    shares, accuracies = outputs["shares"], outputs["accuracies"]
    if shares.unique().numel() < len(shares):
        return "the same config is tried more than once: draw each anew"
    due = torch.tensor([sum((place + 0.5) / 10 < share for place in range(10)) / 10 for share in shares])
    if not torch.allclose(accuracies, due.to(accuracies.dtype)):
        return "the results do not belong to the configs they stand beside"
    if outputs["share of the best"] != shares[accuracies.argmax()].item():
        return "the model returned is not the one with the best validation accuracy"
    if outputs["epochs"] != expected["epochs"]:
        return (
            f"the best model had {outputs['epochs']} epochs; with its patience, {expected['epochs']} are due"
        )
    return None


@check(
    "hyperparameter_tuning.random_search",
    points=1,
    uses=["hyperparameter_tuning.findBestConfig", "hyperparameter_tuning.random_search_spaces_to_config"],
    law=search_law,
)
def random_configs(code, case):
    """So many configs, each drawn anew."""
    data, model_class = _guessers(case)
    spaces = {"share": ([0.0, 1.0], "float"), "learning_rate": ([1e-3, 1e-1], "log")}
    model, results = code.hyperparameter_tuning.random_search(data, spaces, model_class, 6, 4, 2)
    shares = [config["share"] for config, _ in results]
    return {
        "shares": torch.tensor(shares, dtype=torch.float64),
        "accuracies": torch.tensor([accuracy for _, accuracy in results], dtype=torch.float64),
        "share of the best": float(model.share),
        "epochs": len(model.seen),
    }


@functools.lru_cache
def learn_by_heart(weight_scale: float, learning_rate: float, num_layers: int) -> dict[str, float]:
    """Train on 50 images of shapes, 20 epochs of plain gradient descent, from one fixed draw."""
    prepared = data.prepare("shapes", 50, 1, 1)
    X, y = prepared["X_train"], prepared["y_train"]
    random = torch.Generator().manual_seed(0)
    params = []
    for rows, columns in itertools.pairwise([X.shape[1], *[100] * (num_layers - 1), 10]):
        params += [weight_scale * torch.randn(rows, columns, generator=random), torch.zeros(columns)]
    params = [p.requires_grad_() for p in params]

    def scores(X: Tensor) -> Tensor:
        for layer in range(num_layers):
            X = X @ params[2 * layer] + params[2 * layer + 1]
            X = X.relu() if layer < num_layers - 1 else X
        return X

    spread = scores(X).std(dim=0).mean().item()
    for _ in range(20):
        for batch in torch.randperm(50, generator=random).split(25):
            loss = cross_entropy(scores(X[batch]), y[batch])
            grads = torch.autograd.grad(loss, params)
            with torch.no_grad():
                for p, grad in zip(params, grads, strict=True):
                    p -= learning_rate * grad
    accuracy = (scores(X).argmax(dim=1) == y).double().mean().item()
    return {"spread": spread, "loss": loss.item(), "accuracy": accuracy}


def _by_heart(outputs: dict[str, Any], num_layers: int) -> str | None:
    scale, rate = outputs["weight_scale"], outputs["learning_rate"]
    if not (0 < scale < math.inf and 0 < rate < math.inf):
        return f"weight_scale {scale:g} and learning_rate {rate:g} must be positive numbers"
    found = learn_by_heart(scale, rate, num_layers)
    if found["accuracy"] == 1:
        return None
    right = f"{round(50 * found['accuracy'])} of 50 images are right after 20 epochs"
    if found["spread"] < 0.05:
        return f"{right}: at the start all images have nearly the same scores"
    if not found["loss"] < 10:
        return f"{right}: the loss has exploded"
    return f"{right}: the loss is still {found['loss']:.3g}"


def three_layer_law(outputs: dict[str, Any], expected: dict[str, Any]) -> str | None:
    """All of the 50 images are right; one fixed training decides, so nothing is left to chance."""
    return _by_heart(outputs, 3)


def five_layer_law(outputs: dict[str, Any], expected: dict[str, Any]) -> str | None:
    """All of the 50 images are right; one fixed training decides, so nothing is left to chance."""
    return _by_heart(outputs, 5)


@check(f"{FCN}get_three_layer_network_params", points=1, law=three_layer_law)
def three_layers_by_heart(code, case):
    """Three layers learn 50 images by heart."""
    scale, rate = code.fully_connected_networks.get_three_layer_network_params()
    return {"weight_scale": float(scale), "learning_rate": float(rate)}


@check(f"{FCN}get_five_layer_network_params", points=1, law=five_layer_law)
def five_layers_by_heart(code, case):
    """Five layers learn 50 images by heart."""
    scale, rate = code.fully_connected_networks.get_five_layer_network_params()
    return {"weight_scale": float(scale), "learning_rate": float(rate)}


def _own_solver(code, case):
    given = {}
    for part, num in (("train", 12), ("val", 9)):
        given[f"X_{part}"], given[f"y_{part}"] = numbers(case, num, 7), case.labels(num, num_classes=4)
    like = given["X_train"]
    return code.fully_connected_networks.create_solver_instance(given, like.dtype, like.device)


@check(f"{FCN}create_solver_instance", points=1, uses=[f"{FCN}TwoLayerNet.__init__"])
def ready_to_train(code, case):
    """A solver with an untrained two-layer network, on the data given."""
    solver = _own_solver(code, case)
    params = solver.model.params
    return {
        "solver and model": [type(solver).__name__, type(solver.model).__name__],
        "X_train": solver.X_train,
        "y_val": solver.y_val,
        "rows of W1 and columns of W2": [len(params["W1"]), params["W2"].shape[1]],
        "b2": params["b2"],
        "steps so far": len(solver.loss_history),
    }


@check(
    f"{FCN}create_solver_instance:steps",
    points=1,
    uses=[f"{FCN}TwoLayerNet.__init__", f"{FCN}TwoLayerNet.loss", "solver.Solver._step"],
)
def ready_to_step(code, case):
    """Settings that train: two steps, an epoch apart, move every parameter."""
    solver = _own_solver(code, case)
    moved = {}
    for epoch in (1, 2):
        before = {name: p.clone() for name, p in solver.model.params.items()}
        solver._step(solver.X_train, solver.y_train)
        after = solver.model.params
        moved[f"moved in epoch {epoch}"] = [
            name for name in sorted(before) if not after[name].equal(before[name])
        ]
        for config in solver.optim_configs.values():
            config["learning_rate"] *= solver.lr_decay
    return moved


@check("hyperparameter_tuning.train_best_mlp:accuracy", points=4, floor=0.25, target=0.38)
def best_mlp(code, case):
    """The saved network on images that nobody has trained on."""
    saved = case.model("best_mlp.pt")
    net = code.fully_connected_networks.FullyConnectedNet((1,))
    net.restore(saved)
    return {"labels": net.loss(case.held_out().flatten(1)).argmax(dim=1)}


# Cost and regularisation


class Sized:
    """A network that is nothing but parameters."""

    def __init__(self, case, *widths: int):
        self.params = parameters(case, *widths)


def turned(model: Sized) -> Sized:
    """The network with its parameters in the opposite order: their names tell what they are."""
    model.params = dict(reversed(model.params.items()))
    return model


@check("network_size.compute_network_pass_size", points=1)
def bytes_of_a_pass(code, case):
    """Bytes of a forward and a backward pass."""
    size = code.network_size.compute_network_pass_size
    batches = case.integer(2, 9), 32
    return {
        **{f"batch {batch}": list(size(Sized(case, 7, 5, 3), batch)) for batch in batches},
        "deeper, the last layer first": list(size(turned(Sized(case, 6, 9, 4, 3)), 11)),
    }


@check("network_size.compute_network_flops", points=1)
def operations_of_a_pass(code, case):
    """Operations of a forward and a backward pass."""
    flops = code.network_size.compute_network_flops
    return {
        "two layers": list(flops(Sized(case, 7, 5, 3), case.integer(2, 9))),
        "three layers, the last one first": list(flops(turned(Sized(case, 6, 9, 4, 3)), 11)),
    }


@check("regularization.max_norm", points=1, forbids=["torch.renorm"])
def bounded_columns(code, case):
    """Columns that are too long are shortened, zero stays zero."""
    w = numbers(case, 6, 5).cpu().numpy() * np.array([0.2, 1.0, 0.0, 3.0, 0.6])
    return {f"limit {limit}": code.regularization.max_norm(case.tensor(w), limit) for limit in (1.5, 3.0)}


class Fixed:
    """A model whose scores are given."""

    def __init__(self, scores: Tensor):
        self.scores = scores

    def loss(self, X: Tensor) -> Tensor:
        return self.scores[: len(X)]


@check("regularization.ensemble_predict", points=1)
def mean_of_probabilities(code, case):
    """The mean probability decides, not the loudest network and not a show of hands."""
    models = [Fixed(numbers(case, 101, 4, reach=reach)) for reach in (1.0, 8.0, 2.0, 1.5)]
    return {"labels": code.regularization.ensemble_predict(models, numbers(case, 101, 3))}
