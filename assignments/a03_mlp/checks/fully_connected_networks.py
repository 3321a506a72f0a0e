"""What is asked of `mlp.fully_connected_networks`."""

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
from exercise_code.support.checking.laws import not_normal

from .common import AUTOGRAD

IN_NETS = ["torch.autograd.grad", "torch.Tensor.requires_grad_"]


FCN = "mlp.fully_connected_networks."


TANH = [f"{FCN}Tanh.forward", f"{FCN}Tanh.backward"]


LINEAR = [f"{FCN}Linear.forward", f"{FCN}Linear.backward"]


LAYERS = [*LINEAR, f"{FCN}ReLU.forward", f"{FCN}ReLU.backward"]


# Layers
@check(f"{FCN}Linear.forward", points=1, forbids=["torch.nn.functional.linear"])
def linear_forward(code, case):
    """Any shape of input, flattened, times weights, plus biases."""
    forward = code.mlp.fully_connected_networks.Linear.forward
    w, b = case.numbers(6, 4), case.numbers(4)
    images, rows = case.numbers(5, 2, 3), case.numbers(3, 6)
    return {"out": forward(images, w, b)[0], "out of flat inputs": forward(rows, w, b)[0]}


@check(f"{FCN}Linear.backward", points=2, uses=[f"{FCN}Linear.forward"], forbids=AUTOGRAD)
def linear_backward(code, case):
    """Gradients of input, weights and biases."""
    Linear = code.mlp.fully_connected_networks.Linear
    _, cache = Linear.forward(case.numbers(5, 2, 3), case.numbers(6, 4), case.numbers(4))
    dx, dw, db = Linear.backward(case.numbers(5, 4), cache)
    return {"dx": dx, "dw": dw, "db": db}


@check(f"{FCN}ReLU.forward", points=1, forbids=["torch.relu", "torch.nn.functional.relu"])
def relu_forward(code, case):
    """Negative numbers become 0."""
    return {"out": code.mlp.fully_connected_networks.ReLU.forward(case.numbers(4, 3, 2))[0]}


@check(f"{FCN}ReLU.backward", points=1, uses=[f"{FCN}ReLU.forward"], forbids=AUTOGRAD)
def relu_backward(code, case):
    """The gradient passes where the input was positive."""
    ReLU = code.mlp.fully_connected_networks.ReLU
    _, cache = ReLU.forward(case.numbers(4, 3, 2))
    return {"dx": ReLU.backward(case.numbers(4, 3, 2), cache)}


@check(
    f"{FCN}LeakyReLU.forward",
    points=1,
    forbids=["torch.nn.functional.leaky_relu", "torch.prelu", "torch.nn.functional.prelu"],
)
def leaky_relu_forward(code, case):
    """A share of what is negative passes."""
    forward = code.mlp.fully_connected_networks.LeakyReLU.forward
    x = case.numbers(4, 5)
    slopes = (0.3, 2.0, -0.5)
    return {"out": forward(x)[0], **{f"out for slope={slope}": forward(x, slope)[0] for slope in slopes}}


@check(f"{FCN}LeakyReLU.backward", points=1, uses=[f"{FCN}LeakyReLU.forward"], forbids=AUTOGRAD)
def leaky_relu_backward(code, case):
    """The gradient passes, whole or in part."""
    LeakyReLU = code.mlp.fully_connected_networks.LeakyReLU
    x, dout = case.numbers(4, 5), case.numbers(4, 5)
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
    forward = code.mlp.fully_connected_networks.Sigmoid.forward
    return {
        "out": forward(case.numbers(3, 5))[0],
        "out of large numbers": forward(case.numbers(4, reach=3000.0))[0],
    }


@check(f"{FCN}Sigmoid.backward", points=1, uses=[f"{FCN}Sigmoid.forward"], forbids=AUTOGRAD)
def sigmoid_backward(code, case):
    """The slope of the sigmoid."""
    Sigmoid = code.mlp.fully_connected_networks.Sigmoid
    _, cache = Sigmoid.forward(case.numbers(3, 5))
    return {"dx": Sigmoid.backward(case.numbers(3, 5), cache)}


@check(f"{FCN}Tanh.forward", points=1, forbids=["torch.tanh", "torch.nn.functional.tanh"])
def tanh_forward(code, case):
    """Into (-1, 1), for numbers of any size."""
    forward = code.mlp.fully_connected_networks.Tanh.forward
    return {
        "out": forward(case.numbers(3, 5))[0],
        "out of large numbers": forward(case.numbers(4, reach=3000.0))[0],
    }


@check(f"{FCN}Tanh.backward", points=1, uses=[f"{FCN}Tanh.forward"], forbids=AUTOGRAD)
def tanh_backward(code, case):
    """The slope of tanh."""
    Tanh = code.mlp.fully_connected_networks.Tanh
    _, cache = Tanh.forward(case.numbers(3, 5))
    return {"dx": Tanh.backward(case.numbers(3, 5), cache)}


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
        rtol = 1e-4 if x.dtype == torch.float32 else 1e-6  # a mask is often float32
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
    forward = code.mlp.fully_connected_networks.Dropout.forward
    x = case.numbers(30, 70)
    outs = {f"out for p={p}": forward(x, {"p": p, "mode": "train"})[0] for p in DROPPED}
    seeded = {"p": 0.5, "mode": "train", "seed": 7}
    return {"x": x, **outs, "seeded": forward(x, seeded)[0], "seeded again": forward(x, seeded)[0]}


def dropout_backward_law(outputs: dict[str, Any], expected: dict[str, Any]) -> str | None:
    """The gradient is multiplied by what the input was multiplied by, also where the input is 0.

    All of 22 zeros are dropped by chance with probability 0.4^22, below 2e-9.
    """
    zero = expected["x"] == 0
    at_zeros = outputs["dx"][zero] / expected["dout"][zero]
    scale, dout, dx = (
        outputs["out"][~zero] / expected["x"][~zero],
        expected["dout"][~zero],
        outputs["dx"][~zero],
    )
    whole = torch.allclose(outputs["dx when testing"], expected["dout"])
    if torch.allclose(dx, dout * scale, rtol=1e-4, atol=1e-6):
        if not at_zeros.any():
            return "no gradient comes back where the input is 0, though not all of these are dropped"
        kept = at_zeros[at_zeros != 0]
        if not torch.allclose(kept, torch.full_like(kept, 5 / 3), rtol=1e-4):
            return "where the input is 0, the gradient is multiplied by something else"
        return None if whole else "when testing, the gradient does not pass as it is"
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
    Dropout = code.mlp.fully_connected_networks.Dropout
    x, dout = case.numbers(9, 11).cpu().clone(), case.numbers(9, 11)
    x[:2] = 0
    x = case.tensor(x)
    out, cache = Dropout.forward(x, {"p": 0.4, "mode": "train"})
    _, cache_when_testing = Dropout.forward(x, {"p": 0.4, "mode": "test"})
    return {
        "x": x,
        "dout": dout,
        "out": out,
        "dx": Dropout.backward(dout, cache),
        "dx when testing": Dropout.backward(dout, cache_when_testing),
    }


@check(f"{FCN}Dropout.forward:test_mode", points=1)
def dropout_when_testing(code, case):
    """When testing, everything passes unchanged."""
    Dropout = code.mlp.fully_connected_networks.Dropout
    out, _ = Dropout.forward(case.numbers(4, 7), {"p": 0.6, "mode": "test"})
    return {"out": out}


# Networks
def initial_law(outputs: dict[str, Any], expected: dict[str, Any]) -> str | None:
    """Biases 0, weights of the standard deviation asked for; error rate six times that of `not_normal`."""
    for name, values in outputs.items():
        if name.startswith("b") and values.any():
            return f"{name} is not 0"
        if name.startswith("W"):
            std = (2 / len(values)) ** 0.5 if "kaiming" in name else 0.05
            if fault := not_normal(values, std):
                return f"{name}: {fault}"
    return None


@check(f"{FCN}TwoLayerNet.__init__", points=1, law=initial_law)
def two_layer_start(code, case):
    """Parameters of a two-layer network."""
    like = case.numbers(1)
    net = code.mlp.fully_connected_networks.TwoLayerNet(
        60, 35, 20, weight_scale=0.05, dtype=like.dtype, device=like.device
    )
    return {name: net.params[name] for name in sorted(net.params)}


@check(
    f"{FCN}FullyConnectedNet.__init__",
    points=1,
    uses=["mlp.initializers.kaiming_initializer"],
    law=initial_law,
)
def deep_start(code, case):
    """Parameters of networks of any depth."""
    like = case.numbers(1)
    params = {}
    for hidden_dims, scale in (((30,), 0.05), ((40, 25, 30), "kaiming")):
        net = code.mlp.fully_connected_networks.FullyConnectedNet(
            hidden_dims, 50, 20, weight_scale=scale, dtype=like.dtype, device=like.device
        )
        params |= {f"{name} for weight_scale={scale}": net.params[name] for name in sorted(net.params)}
    return params


@check(
    f"{FCN}TwoLayerNet.loss",
    points=2,
    uses=[f"{FCN}TwoLayerNet.__init__", *LAYERS, "mlp.losses.softmax_loss"],
    forbids=IN_NETS,
)
def two_layer_loss(code, case):
    """Loss and gradients, with and without penalty."""
    outputs = {}
    for reg in (0.0, 0.7):
        X, y = case.numbers(5, 2, 3), case.labels(5, num_classes=4)
        net = code.mlp.fully_connected_networks.TwoLayerNet(6, 7, 4, reg=reg, dtype=X.dtype, device=X.device)
        net.params = case.parameters(6, 7, 4)
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
    X = case.numbers(5, 2, 3)
    net = code.mlp.fully_connected_networks.TwoLayerNet(6, 7, 4, dtype=X.dtype, device=X.device)
    net.params = case.parameters(6, 7, 4)
    return {"scores": net.loss(X)}


def _deep_net(code, case, widths, **settings):
    X = case.numbers(5, widths[0])
    net = code.mlp.fully_connected_networks.FullyConnectedNet(
        widths[1:-1], widths[0], widths[-1], dtype=X.dtype, device=X.device, **settings
    )
    net.params = case.parameters(*widths)
    return net, X


@check(
    f"{FCN}FullyConnectedNet.loss",
    points=3,
    uses=[
        f"{FCN}FullyConnectedNet.__init__",
        *LAYERS,
        *TANH,
        f"{FCN}Dropout.forward",
        f"{FCN}Dropout.backward",
        "mlp.losses.softmax_loss",
    ],
    forbids=IN_NETS,
)
def deep_loss(code, case):
    """Loss and gradients at three depths and with two activations."""
    outputs = {}
    for widths, activation in (((6, 7, 4), "ReLU"), ((6, 5, 8, 4), "Tanh"), ((3, 4, 6, 5, 3, 7, 4), "ReLU")):
        activation_class = getattr(code.mlp.fully_connected_networks, activation)
        net, X = _deep_net(code, case, widths, reg=0.3, activation=activation_class)
        loss, grads = net.loss(X, case.labels(5, num_classes=4))
        found = {"loss": loss, **{f"d{name}": grads[name] for name in sorted(grads)}}
        outputs[f"{len(widths) - 1} layers"] = found
    return outputs


@check(
    f"{FCN}FullyConnectedNet.loss:test_mode",
    points=1,
    uses=[
        f"{FCN}FullyConnectedNet.__init__",
        f"{FCN}Linear.forward",
        f"{FCN}ReLU.forward",
        f"{FCN}Dropout.forward",
    ],
    forbids=IN_NETS,
)
def deep_scores(code, case):
    """Scores, with dropout at rest, where there are no labels."""
    net, X = _deep_net(code, case, (6, 5, 8, 4), dropout=0.5)
    return {"scores": net.loss(X)}


def deep_dropout_law(outputs: dict[str, Any], expected: dict[str, Any]) -> str | None:
    """The units that dropout drops show in the gradients of one image.

    With one image, and h of the first hidden layer, row j of dW2 is  m_j h_j db2  and entry j of db1 is
    m_j (W2 db2)_j (1 - h_j^2), where m is the mask; likewise in the second. W2 and dW2 are large: W2 is an
    outer product, and of dW2 come its product with db2 and the sums of its rows. The share of 400 zero rows
    strays from 0.25 by more than 0.155 with probability 2 exp(-2 * 400 * 0.155^2), below 1e-8 (Hoeffding).
    """
    h = expected["first hidden layer"]
    weights = {2: torch.outer(expected["rows of W2"], expected["columns of W2"]), 3: expected["W3"]}
    for layer, place in enumerate(("first", "second"), start=1):
        W, dout = weights[layer + 1], outputs[f"db{layer + 1}"]
        mask = outputs[f"dW{layer + 1} db{layer + 1}"] / (h * (dout @ dout))
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
    if not outputs["rows of dW2 with a seed"].equal(outputs["rows of dW2 with the same seed"]):
        return "two passes with one seed drop different units"
    return None


@check(
    f"{FCN}FullyConnectedNet.loss:dropout",
    points=1,
    uses=[
        f"{FCN}FullyConnectedNet.__init__",
        *LINEAR,
        *TANH,
        f"{FCN}Dropout.forward",
        f"{FCN}Dropout.backward",
        "mlp.losses.softmax_loss",
    ],
    law=deep_dropout_law,
    forbids=IN_NETS,
)
def deep_dropout(code, case):
    """Dropout in training after both hidden layers, forward and backward."""
    nets = code.mlp.fully_connected_networks
    X, y = case.tensor(np.abs(case.numbers(1, 3).cpu().numpy())), case.labels(1, num_classes=1, first=2)
    net = nets.FullyConnectedNet(
        (400, 400), 3, 4, dropout=0.25, activation=nets.Tanh, dtype=X.dtype, device=X.device
    )
    W1 = case.tensor(np.abs(case.numbers(3, 400, reach=0.4).cpu().numpy()))
    rows = case.tensor(np.abs(case.numbers(400, reach=0.01).cpu().numpy()))
    columns, W3 = case.numbers(400, reach=1.0), case.numbers(400, 4, reach=0.05)
    W2 = torch.outer(rows, columns)
    net.params = {"W1": W1, "b1": 0 * W1[0], "W2": W2, "b2": 0 * W2[0], "W3": W3, "b3": case.numbers(4)}
    _, grads = net.loss(X, y)
    seen = {f"db{layer}": grads[f"b{layer}"] for layer in (1, 2, 3)}
    seen |= {f"dW{layer} db{layer}": grads[f"W{layer}"] @ grads[f"b{layer}"] for layer in (2, 3)}
    net.seed = case.integer(0, 10**6)
    for name in ("rows of dW2 with a seed", "rows of dW2 with the same seed"):
        seen[name] = net.loss(X, y)[1]["W2"].sum(1)
    given = {"first hidden layer": (X @ W1)[0].tanh(), "rows of W2": rows, "columns of W2": columns, "W3": W3}
    return {**given, **seen}


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
    return f"{right}: the loss is still high"


def three_layer_law(outputs: dict[str, Any], expected: dict[str, Any]) -> str | None:
    """All of the 50 images are right; one fixed training decides, so nothing is left to chance."""
    return _by_heart(outputs, 3)


def five_layer_law(outputs: dict[str, Any], expected: dict[str, Any]) -> str | None:
    """All of the 50 images are right; one fixed training decides, so nothing is left to chance."""
    return _by_heart(outputs, 5)


@check(f"{FCN}get_three_layer_network_params", points=1, law=three_layer_law)
def three_layers_by_heart(code, case):
    """Three layers learn 50 images by heart."""
    scale, rate = code.mlp.fully_connected_networks.get_three_layer_network_params()
    return {"weight_scale": float(scale), "learning_rate": float(rate)}


@check(f"{FCN}get_five_layer_network_params", points=1, law=five_layer_law)
def five_layers_by_heart(code, case):
    """Five layers learn 50 images by heart."""
    scale, rate = code.mlp.fully_connected_networks.get_five_layer_network_params()
    return {"weight_scale": float(scale), "learning_rate": float(rate)}


def _own_solver(code, case):
    given = {}
    for part, num in (("train", 12), ("val", 9)):
        given[f"X_{part}"], given[f"y_{part}"] = case.numbers(num, 7), case.labels(num, num_classes=4)
    like = given["X_train"]
    return code.mlp.fully_connected_networks.create_solver_instance(given, like.dtype, like.device)


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
    uses=[
        f"{FCN}TwoLayerNet.__init__",
        f"{FCN}TwoLayerNet.loss",
        "mlp.solver.Solver._step",
        *(f"mlp.update_rules.{rule}" for rule in ("sgd_momentum", "rmsprop", "adam")),
    ],
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
