"""Right versions of the functions of a03: layers, losses, networks, update rules, solver, search."""

import itertools
import math
import random
import time

import numpy as np
import torch
from torch.nn.functional import one_hot

from exercise_code import fully_connected_networks as fcn
from exercise_code import hyperparameter_tuning as tuning
from exercise_code import regularization
from exercise_code.losses import softmax_loss
from exercise_code.solver import Solver
from variants.declare import variant

FCN = "fully_connected_networks."


@variant(FCN + "Linear.forward")
def linear_einsum(x, w, b):
    rows = x.reshape(x.shape[0], -1)
    return torch.einsum("nd,dm->nm", rows, w) + b.unsqueeze(0), (x, w)


@variant(FCN + "Linear.forward")
def linear_addmm(x, w, b):
    return torch.addmm(b, x.reshape(len(x), w.shape[0]), w), (x, w)


@variant(FCN + "Linear.backward")
def linear_backward_einsum(dout, cache):
    x, w = cache
    rows = x.reshape(len(x), -1)
    dx = torch.einsum("nm,dm->nd", dout, w).view_as(x)
    return dx, torch.einsum("nd,nm->dm", rows, dout), torch.ones_like(dout[:, 0]) @ dout


@variant(FCN + "ReLU.forward")
def relu_by_mask(x):
    return x * (x > 0), x


@variant(FCN + "ReLU.forward")
def relu_by_maximum(x):
    return torch.maximum(x, torch.zeros_like(x)), x


@variant(FCN + "ReLU.backward")
def relu_backward_copied(dout, cache):
    dx = dout.clone()
    dx[cache <= 0] = 0
    return dx


@variant(FCN + "ReLU.backward")
def relu_backward_where(dout, cache):
    return torch.where(cache > 0, dout, torch.zeros_like(dout))


@variant(FCN + "LeakyReLU.forward")
def leaky_two_parts(x, slope=0.01):
    return x.clamp(min=0) + slope * x.clamp(max=0), (x, slope)


@variant(FCN + "LeakyReLU.backward")
def leaky_backward_by_factor(dout, cache):
    x, slope = cache
    factor = torch.full_like(x, slope)
    factor[x >= 0] = 1
    return dout * factor


@variant(FCN + "Sigmoid.forward")
def sigmoid_reciprocal(x):
    out = (1 + torch.exp(-x)).reciprocal()
    return out, out


@variant(FCN + "Sigmoid.forward")
def sigmoid_two_sided(x):
    small = torch.exp(-x.abs())
    out = torch.where(x >= 0, 1 / (1 + small), small / (1 + small))
    return out, out


@variant(FCN + "Sigmoid.backward")
def sigmoid_backward_expanded(dout, cache):
    return dout * (cache - cache**2)


@variant(FCN + "Tanh.forward")
def tanh_two_sided(x):
    small = torch.exp(-2 * x.abs())
    out = x.sign() * (1 - small) / (1 + small)
    return out, out


@variant(FCN + "Tanh.forward")
def tanh_by_sigmoid(x):
    out = 2 * fcn.Sigmoid.forward(2 * x)[0] - 1
    return out, out


@variant(FCN + "Tanh.backward")
def tanh_backward_factors(dout, cache):
    return dout * (1 - cache) * (1 + cache)


@variant(FCN + "Dropout.forward")
def dropout_bernoulli(x, dropout_param):
    if dropout_param.get("seed") is not None:
        torch.manual_seed(dropout_param["seed"])
    if dropout_param["mode"] == "train":
        keep = 1 - dropout_param["p"]
        mask = torch.bernoulli(torch.full_like(x, keep)).div(keep)
        return mask * x, mask
    return x.clone(), torch.ones_like(x)


@variant(FCN + "Dropout.forward")
def dropout_drawn_then_moved(x, dropout_param):
    p = dropout_param["p"]
    if dropout_param.get("seed") is not None:
        torch.manual_seed(dropout_param["seed"])
    mask = None
    if dropout_param["mode"] == "train":
        mask = (torch.rand(x.shape) > p).to(x) / (1 - p)
        x = x * mask
    return x, mask


@variant(FCN + "Dropout.backward")
def dropout_backward_whole(dout, cache):
    return dout * (torch.ones_like(dout) if cache is None else cache)


@variant("losses.softmax_loss")
def softmax_by_gather(x, y):
    log_p = x - x.logsumexp(dim=1, keepdim=True)
    loss = -log_p.gather(1, y[:, None]).sum() / x.shape[0]
    return loss, (log_p.exp() - one_hot(y, x.shape[1]).to(x.dtype)) / x.shape[0]


@variant("losses.softmax_loss")
def softmax_row_by_row(x, y):
    losses, rows = [], []
    for scores, label in zip(x, y, strict=True):
        p = (scores - scores.max()).exp()
        losses.append(p.sum().log() + scores.max() - scores[label])
        row = p / p.sum()
        row[label] -= 1
        rows.append(row / len(x))
    return torch.stack(losses).mean(), torch.stack(rows)


@variant("losses.svm_loss")
def svm_by_one_hot(x, y):
    right = one_hot(y, x.shape[1]).to(x.dtype)
    margins = torch.relu(x - (x * right).sum(1, keepdim=True) + 1 - right)
    violated = (margins > 0).to(x.dtype)
    return margins.sum() / len(x), (violated - right * violated.sum(1, keepdim=True)) / len(x)


@variant("initializers.xavier_initializer")
def xavier_in_place(Din, Dout, *, dtype=torch.float32, device="cpu"):
    return torch.empty(Din, Dout, dtype=dtype, device=device).normal_(0, math.sqrt(2 / (Din + Dout)))


@variant("initializers.kaiming_initializer")
def kaiming_in_place(Din, Dout, *, relu=True, dtype=torch.float32, device="cpu"):
    std = math.sqrt((1 + relu) / Din)
    return torch.zeros(Din, Dout, dtype=dtype, device=device).normal_(0, std)


@variant(FCN + "TwoLayerNet.__init__")
def two_layer_by_helper(
    self,
    input_dim=3 * 32 * 32,
    hidden_dim=100,
    num_classes=10,
    weight_scale=1e-3,
    reg=0.0,
    dtype=torch.float32,
    device="cpu",
):
    self.reg, self.params = reg, {}
    for layer, (rows, columns) in enumerate(((input_dim, hidden_dim), (hidden_dim, num_classes)), start=1):
        weights = torch.normal(0.0, weight_scale, (rows, columns), dtype=dtype, device=device)
        self.params[f"W{layer}"], self.params[f"b{layer}"] = weights, weights.new_zeros(columns)


@variant(FCN + "TwoLayerNet.loss")
def two_layer_by_hand(self, X, y=None):
    x = X.reshape(len(X), -1)
    hidden = (x @ self.params["W1"] + self.params["b1"]).clamp(min=0)
    scores = hidden @ self.params["W2"] + self.params["b2"]
    if y is None:
        return scores
    loss, dscores = softmax_loss(scores, y)
    dhidden = dscores @ self.params["W2"].T * (hidden > 0)
    grads = {
        "b2": dscores.sum(0),
        "W2": hidden.T @ dscores + 2 * self.reg * self.params["W2"],
        "b1": dhidden.sum(0),
        "W1": x.T @ dhidden + 2 * self.reg * self.params["W1"],
    }
    penalty = sum((self.params[name] ** 2).sum() for name in ("W1", "W2"))
    return loss + self.reg * penalty, grads


@variant(FCN + "FullyConnectedNet.__init__")
def deep_in_two_loops(
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
    self.num_layers = len(hidden_dims) + 1
    self.dropout, self.reg, self.seed, self.activation, self.dtype = dropout, reg, seed, activation, dtype
    rows, columns = [input_dim, *hidden_dims], [*hidden_dims, num_classes]
    weights = [
        fcn.initial_weights(Din, Dout, weight_scale, dtype, device)
        for Din, Dout in zip(rows, columns, strict=True)
    ]
    self.params = {
        f"b{i + 1}": torch.zeros(Dout).to(w) for i, (Dout, w) in enumerate(zip(columns, weights, strict=True))
    }
    self.params |= {f"W{i + 1}": w for i, w in enumerate(weights)}


@variant(FCN + "FullyConnectedNet.loss")
def deep_with_a_stack(self, X, y=None):
    out, way_back = X.to(self.dtype), []
    mode = "train" if y is not None else "test"
    for layer in range(1, self.num_layers + 1):
        out, cache = fcn.Linear.forward(out, self.params[f"W{layer}"], self.params[f"b{layer}"])
        way_back.append((f"{layer}", cache))
        if layer < self.num_layers:
            out, cache = self.activation.forward(out)
            way_back.append((self.activation, cache))
            if self.dropout > 0:
                param = {"p": self.dropout, "mode": mode, "seed": self.seed}
                out, cache = fcn.Dropout.forward(out, param)
                way_back.append((fcn.Dropout, cache))
    if y is None:
        return out
    loss, dout = softmax_loss(out, y)
    grads = {}
    while way_back:
        layer, cache = way_back.pop()
        if not isinstance(layer, str):
            dout = layer.backward(dout, cache)
            continue
        w = self.params[f"W{layer}"]
        dout, dw, grads[f"b{layer}"] = fcn.Linear.backward(dout, cache)
        grads[f"W{layer}"] = dw + self.reg * 2 * w
        loss = loss + self.reg * torch.sum(w * w)
    return loss, grads


@variant(FCN + "sgd_momentum")
def momentum_one_dict(w, dw, config=None):
    config = dict(config or {})
    rate, share = config.get("learning_rate", 1e-2), config.get("momentum", 0.9)
    velocity = share * config.get("velocity", torch.zeros_like(w)) - rate * dw
    return w + velocity, {"learning_rate": rate, "momentum": share, "velocity": velocity}


@variant(FCN + "rmsprop")
def rmsprop_lerp(w, dw, config=None):
    config = {"learning_rate": 1e-2, "decay_rate": 0.99, "epsilon": 1e-8, **(config or {})}
    cache = config.get("cache", torch.zeros_like(w))
    config["cache"] = cache + (1 - config["decay_rate"]) * (dw * dw - cache)
    return w - config["learning_rate"] * (dw / (torch.sqrt(config["cache"]) + config["epsilon"])), config


@variant(FCN + "adam")
def adam_scaled_rate(w, dw, config=None):
    defaults = {"learning_rate": 1e-3, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}
    config = {**defaults, "m": torch.zeros_like(w), "v": torch.zeros_like(w), "t": 0, **(config or {})}
    config["t"] += 1
    config["m"] = config["m"].lerp(dw, 1 - config["beta1"])
    config["v"] = config["v"] * config["beta2"] + dw.square() * (1 - config["beta2"])
    first = 1 - config["beta1"] ** config["t"]
    second = math.sqrt(1 - config["beta2"] ** config["t"])
    root = config["v"].sqrt() / second + config["epsilon"]
    return w - config["learning_rate"] / first * config["m"] / root, config


@variant(FCN + "get_three_layer_network_params")
def three_layers_other():
    return 0.14, 0.1


@variant(FCN + "get_five_layer_network_params")
def five_layers_other():
    return (2 / 100) ** 0.5, 0.2


@variant(FCN + "create_solver_instance")
def momentum_solver(data_dict, dtype=torch.float32, device="cpu"):
    net = fcn.TwoLayerNet(data_dict["X_train"][0].numel(), 100, 10, 1e-3, dtype=dtype, device=device)
    return Solver(
        net, data_dict, update_rule=fcn.sgd_momentum, optim_config={"learning_rate": 1e-2}, device=device
    )


@variant("solver.Solver._step")
def step_in_two_loops(self, X, y):
    loss, grads = self.model.loss(X, y)
    self.loss_history += [loss.item()]
    new = {}
    for name in grads:
        new[name], self.optim_configs[name] = self.update_rule(
            self.model.params[name], grads[name], self.optim_configs[name]
        )
    for name, w in new.items():
        if self.max_norm is not None and name.startswith("W"):
            w = regularization.max_norm(w, self.max_norm)
        self.model.params[name] = w


@variant("solver.Solver.check_accuracy")
def accuracy_by_labels(self, X, y, num_samples=None, batch_size=100):
    if num_samples is not None and num_samples < len(X):
        chosen = torch.randperm(len(X), device=y.device)[:num_samples]
        X, y = X[chosen], y[chosen]
    labels = [
        self.model.loss(X[start : start + batch_size]).argmax(1) for start in range(0, len(X), batch_size)
    ]
    return (torch.cat(labels) == y).double().mean().item()


@variant("solver.Solver._update_best")
def best_by_deepcopy(self, val_acc):
    import copy

    self.epochs_without_gain += 1
    if self.best_val_acc < val_acc:
        self.best_params = {name: p.detach().clone() for name, p in copy.copy(self.model.params).items()}
        self.best_val_acc = val_acc
        self.epochs_without_gain = 0


@variant("solver.Solver.train")
def train_with_while(self, time_limit=None, return_best_params=True):
    started, epochs, over = time.perf_counter(), 0, False
    while epochs < self.num_epochs and not over:
        order = torch.randperm(len(self.y_train)).to(self.y_train.device)
        for start in range(0, len(order), self.batch_size):
            chosen = order[start : start + self.batch_size]
            self._step(self.X_train[chosen], self.y_train[chosen])
            over = time_limit is not None and time.perf_counter() - started >= time_limit
            if over:
                break
        self._end_epoch()
        epochs += 1
        if self.patience is not None:
            over = over or self.epochs_without_gain == self.patience
    if return_best_params:
        self.model.params = {name: p.clone() for name, p in self.best_params.items()}


@variant("hyperparameter_tuning.findBestConfig")
def best_by_max(data, configs, epochs=20, patience=5, model_class=fcn.FullyConnectedNet):
    solvers, results = [], []
    for config in configs:
        solvers.append(tuning.make_solver(config, data, model_class, epochs, patience))
        solvers[-1].train()
        results.append((config, solvers[-1].best_val_acc))
    best = max(solvers, key=lambda solver: solver.best_val_acc, default=None)
    return best and best.model, results


@variant("hyperparameter_tuning.grid_search")
def grid_by_growing(data, grid_search_spaces, model_class=fcn.FullyConnectedNet, epochs=20, patience=5):
    configs = [{}]
    for name, values in grid_search_spaces.items():
        configs = [{**config, name: value} for config, value in itertools.product(configs, values)]
    return tuning.findBestConfig(data, configs, epochs, patience, model_class)


@variant("hyperparameter_tuning.random_search_spaces_to_config")
def config_by_numpy(random_search_spaces):
    draw = np.random.default_rng(random.getrandbits(64))
    config = {}
    for name, (values, mode) in random_search_spaces.items():
        low, high = (min(values), max(values)) if mode != "item" else (None, None)
        if mode == "float":
            config[name] = float(draw.uniform(low, high))
        elif mode == "log":
            config[name] = math.exp(draw.uniform(math.log(low), math.log(high)))
        elif mode == "int":
            config[name] = int(draw.integers(low, high + 1))
        elif mode == "item":
            config[name] = values[int(draw.integers(len(values)))]
        else:
            raise ValueError(mode)
    return config


@variant("hyperparameter_tuning.random_search_spaces_to_config")
def config_by_torch(random_search_spaces):
    config = {}
    for name, (values, mode) in random_search_spaces.items():
        match mode:
            case "float":
                config[name] = values[0] + (values[1] - values[0]) * torch.rand(()).item()
            case "log":
                low, high = math.log10(values[0]), math.log10(values[1])
                config[name] = 10 ** (low + (high - low) * torch.rand(()).item())
            case "int":
                config[name] = torch.randint(min(values), max(values) + 1, ()).item()
            case "item":
                config[name] = values[torch.randint(len(values), ())]
            case _:
                raise ValueError("the modes are float, log, int and item")
    return config


@variant("hyperparameter_tuning.random_search")
def random_by_generator(
    data, random_search_spaces, model_class=fcn.FullyConnectedNet, num_search=20, epochs=20, patience=5
):
    configs = (tuning.random_search_spaces_to_config(random_search_spaces) for _ in range(num_search))
    return tuning.findBestConfig(data, configs, epochs, patience, model_class)


@variant("network_size.compute_network_pass_size")
def size_layer_by_layer(model, batch_size):
    bytes_in_all = batch_size * model.params["W1"][:, 0].nbytes
    layer = 1
    while f"W{layer}" in model.params:
        w, b = model.params[f"W{layer}"], model.params[f"b{layer}"]
        bytes_in_all += w.nbytes + b.nbytes + batch_size * b.nbytes
        layer += 1
    return bytes_in_all, bytes_in_all * 2


@variant("network_size.compute_network_flops")
def flops_layer_by_layer(model, batch_size):
    forward = sum(2 * batch_size * p.shape[0] * p.shape[1] for p in model.params.values() if p.dim() == 2)
    return forward, forward * 2


@variant("regularization.max_norm")
def norm_by_where(w, limit):
    norms = torch.linalg.norm(w, dim=0, keepdim=True)
    return torch.where(norms > limit, w / norms.clamp(min=1e-12) * limit, w)


@variant("regularization.max_norm")
def norm_column_by_column(w, limit):
    columns = [w[:, j] * min(1.0, limit / max(w[:, j].norm().item(), 1e-12)) for j in range(w.shape[1])]
    return torch.stack(columns, dim=1)


@variant("regularization.ensemble_predict")
def ensemble_summed(models, X):
    total = 0
    for model in models:
        scores = model.loss(X)
        weights = (scores - scores.amax(1, keepdim=True)).exp()
        total = total + weights / weights.sum(1, keepdim=True)
    return total.argmax(1)
