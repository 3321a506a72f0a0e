"""What takes the place of exercises that are not right: the same by calls of the library.

None calls another exercise. Caches hold numbers alone: nobody can hand in what is to be differentiated.
"""

import copy
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.autograd.functional import vjp
from torch.nn import functional, init
from torch.utils.data import BatchSampler, RandomSampler

from exercise_code.support.checking.declare import stand_in

FCN = "mlp.fully_connected_networks."
ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "ReLU": functional.relu,
    "LeakyReLU": functional.leaky_relu,
    "Sigmoid": torch.sigmoid,
    "Tanh": torch.tanh,
}


LARGE = 2.0**40
"""`renorm` adds 1e-7 to each norm: beside this that is nothing."""


def _linear(x: Float[Tensor, "N *image"], w: Float[Tensor, "D M"], b: Float[Tensor, " M"]) -> Tensor:
    return functional.linear(x.flatten(1), w.T, b)


@stand_in(f"{FCN}Linear.forward")
def linear_forward(
    x: Float[Tensor, "N *image"], w: Float[Tensor, "D M"], b: Float[Tensor, " M"]
) -> tuple[Float[Tensor, "N M"], Any]:
    """By `functional.linear`."""
    return _linear(x, w, b), (x, w, b)


@stand_in(f"{FCN}Linear.backward")
def linear_backward(dout: Float[Tensor, "N M"], cache: Any) -> tuple[Tensor, ...]:
    """By autograd."""
    return vjp(_linear, cache, dout)[1]


@stand_in(f"{FCN}ReLU.forward")
def relu_forward(x: Float[Tensor, "*shape"]) -> tuple[Float[Tensor, "*shape"], Any]:
    """By `functional.relu`."""
    return functional.relu(x), x


@stand_in(f"{FCN}ReLU.backward")
def relu_backward(dout: Float[Tensor, "*shape"], cache: Any) -> Float[Tensor, "*shape"]:
    """By autograd."""
    return vjp(functional.relu, cache, dout)[1]


@stand_in(f"{FCN}LeakyReLU.forward")
def leaky_relu_forward(
    x: Float[Tensor, "*shape"], slope: float = 0.01
) -> tuple[Float[Tensor, "*shape"], Any]:
    """By `functional.leaky_relu`."""
    return functional.leaky_relu(x, slope), (x, slope)


@stand_in(f"{FCN}LeakyReLU.backward")
def leaky_relu_backward(dout: Float[Tensor, "*shape"], cache: Any) -> Float[Tensor, "*shape"]:
    """By autograd."""
    x, slope = cache
    return vjp(lambda x: functional.leaky_relu(x, float(slope)), x, dout)[1]


@stand_in(f"{FCN}Sigmoid.forward")
def sigmoid_forward(x: Float[Tensor, "*shape"]) -> tuple[Float[Tensor, "*shape"], Any]:
    """By `torch.sigmoid`."""
    return torch.sigmoid(x), x


@stand_in(f"{FCN}Sigmoid.backward")
def sigmoid_backward(dout: Float[Tensor, "*shape"], cache: Any) -> Float[Tensor, "*shape"]:
    """By autograd."""
    return vjp(torch.sigmoid, cache, dout)[1]


@stand_in(f"{FCN}Tanh.forward")
def tanh_forward(x: Float[Tensor, "*shape"]) -> tuple[Float[Tensor, "*shape"], Any]:
    """By `torch.tanh`."""
    return torch.tanh(x), x


@stand_in(f"{FCN}Tanh.backward")
def tanh_backward(dout: Float[Tensor, "*shape"], cache: Any) -> Float[Tensor, "*shape"]:
    """By autograd."""
    return vjp(torch.tanh, cache, dout)[1]


def _dropout(x: Float[Tensor, "*shape"], dropout_param: dict[str, Any]) -> Float[Tensor, "*shape"]:
    """What each number is multiplied by."""
    if dropout_param.get("seed") is not None:
        torch.manual_seed(dropout_param["seed"])
    return functional.dropout(torch.ones_like(x), dropout_param["p"], dropout_param["mode"] == "train")


@stand_in(f"{FCN}Dropout.forward")
def dropout_forward(
    x: Float[Tensor, "*shape"], dropout_param: dict[str, Any]
) -> tuple[Float[Tensor, "*shape"], Any]:
    """By `functional.dropout` of ones."""
    factors = _dropout(x, dropout_param)
    return x * factors, factors


@stand_in(f"{FCN}Dropout.backward")
def dropout_backward(dout: Float[Tensor, "*shape"], cache: Any) -> Float[Tensor, "*shape"]:
    """By autograd."""
    return vjp(torch.mul, (torch.zeros_like(cache), cache), dout)[1][0]


@stand_in("mlp.losses.softmax_loss")
def softmax_loss(
    x: Float[Tensor, "N C"], y: Int[Tensor, " N"]
) -> tuple[Float[Tensor, ""], Float[Tensor, "N C"]]:
    """By `functional.cross_entropy` and autograd."""
    return vjp(lambda x: functional.cross_entropy(x, y), x)


@stand_in("mlp.losses.svm_loss")
def svm_loss(x: Float[Tensor, "N C"], y: Int[Tensor, " N"]) -> tuple[Float[Tensor, ""], Float[Tensor, "N C"]]:
    """By `functional.multi_margin_loss`, which divides by the number of classes, and autograd."""
    return vjp(lambda x: x.shape[1] * functional.multi_margin_loss(x, y), x)


@stand_in("mlp.update_rules.sgd_momentum")
def sgd_momentum(
    w: Float[Tensor, "*shape"], dw: Float[Tensor, "*shape"], config: dict[str, Any] | None = None
) -> tuple[Float[Tensor, "*shape"], dict[str, Any]]:
    """By fused operations."""
    config = {"learning_rate": 1e-2, "momentum": 0.9, "velocity": torch.zeros_like(w), **(config or {})}
    velocity = torch.sub(config["velocity"].mul(config["momentum"]), dw, alpha=config["learning_rate"])
    return w.add(velocity), {**config, "velocity": velocity}


@stand_in("mlp.update_rules.rmsprop")
def rmsprop(
    w: Float[Tensor, "*shape"], dw: Float[Tensor, "*shape"], config: dict[str, Any] | None = None
) -> tuple[Float[Tensor, "*shape"], dict[str, Any]]:
    """By fused operations."""
    defaults = {"learning_rate": 1e-2, "decay_rate": 0.99, "epsilon": 1e-8, "cache": torch.zeros_like(w)}
    config = {**defaults, **(config or {})}
    cache = torch.lerp(dw.square(), config["cache"], config["decay_rate"])
    stepped = torch.addcdiv(w, dw, cache.sqrt().add(config["epsilon"]), value=-config["learning_rate"])
    return stepped, {**config, "cache": cache}


@stand_in("mlp.update_rules.adam")
def adam(
    w: Float[Tensor, "*shape"], dw: Float[Tensor, "*shape"], config: dict[str, Any] | None = None
) -> tuple[Float[Tensor, "*shape"], dict[str, Any]]:
    """By fused operations."""
    defaults = {"learning_rate": 1e-3, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}
    memory = {"m": torch.zeros_like(w), "v": torch.zeros_like(w), "t": 0}
    config = {**defaults, **memory, **(config or {})}
    steps, (first, second) = config["t"] + 1, (config["beta1"], config["beta2"])
    mean, square = torch.lerp(dw, config["m"], first), torch.lerp(dw.square(), config["v"], second)
    spread = square.div(1 - second**steps).sqrt().add(config["epsilon"])
    stepped = torch.addcdiv(w, mean, spread, value=-config["learning_rate"] / (1 - first**steps))
    return stepped, {**config, "m": mean, "v": square, "t": steps}


@stand_in("mlp.initializers.xavier_initializer")
def xavier_initializer(
    Din: int, Dout: int, *, dtype: torch.dtype = torch.float32, device: torch.device | str = "cpu"
) -> Float[Tensor, "Din Dout"]:
    """By `init.xavier_normal_`."""
    return init.xavier_normal_(torch.empty(Din, Dout, dtype=dtype, device=device))


@stand_in("mlp.initializers.kaiming_initializer")
def kaiming_initializer(
    Din: int,
    Dout: int,
    *,
    relu: bool = True,
    dtype: torch.dtype = torch.float32,
    device: torch.device | str = "cpu",
) -> Float[Tensor, "Din Dout"]:
    """By `init.kaiming_normal_`, which wants the outputs first."""
    weights = torch.empty(Dout, Din, dtype=dtype, device=device)
    return init.kaiming_normal_(weights, nonlinearity="relu" if relu else "linear").T.contiguous()


def _max_norm(w: Float[Tensor, "D M"], limit: float) -> Float[Tensor, "D M"]:
    return torch.renorm(LARGE * w, 2, 1, LARGE * limit) / LARGE


@stand_in("mlp.regularization.max_norm")
def max_norm(w: Float[Tensor, "D M"], limit: float) -> Float[Tensor, "D M"]:
    """By `torch.renorm`."""
    return _max_norm(w, limit)


def _start(widths: Sequence[int], std: float | str, **new: Any) -> dict[str, Tensor]:
    """Parameters of layers of these widths, drawn by `torch.nn.init`."""
    params = {}
    for layer, (rows, columns) in enumerate(pairwise(widths), start=1):
        weights = torch.empty(columns, rows, **new).T
        if std == "xavier":
            init.xavier_normal_(weights)
        elif std == "kaiming":
            init.kaiming_normal_(weights.T, nonlinearity="relu")
        else:
            init.normal_(weights, std=std)
        params |= {f"W{layer}": weights.contiguous(), f"b{layer}": torch.empty(columns, **new).zero_()}
    return params


def _loss(
    scores: Callable[[dict[str, Tensor]], Tensor], params: dict[str, Tensor], y: Tensor, reg: float
) -> tuple[Float[Tensor, ""], dict[str, Tensor]]:
    """Cross-entropy with a penalty on weights, and its gradients by autograd."""

    def loss(*values: Tensor) -> Tensor:
        penalty = sum(value.square().sum() for value in values if value.dim() == 2)
        return functional.cross_entropy(scores(dict(zip(params, values, strict=True))), y) + reg * penalty

    value, gradients = vjp(loss, tuple(params.values()))
    return value, dict(zip(params, gradients, strict=True))


@stand_in(f"{FCN}TwoLayerNet.__init__")
def two_layer_start(
    self: Any,
    input_dim: int = 3 * 32 * 32,
    hidden_dim: int = 100,
    num_classes: int = 10,
    weight_scale: float = 1e-3,
    reg: float = 0.0,
    dtype: torch.dtype = torch.float32,
    device: torch.device | str = "cpu",
) -> None:
    """By `torch.nn.init`."""
    self.reg = reg
    self.params = _start((input_dim, hidden_dim, num_classes), weight_scale, dtype=dtype, device=device)


@stand_in(f"{FCN}TwoLayerNet.loss")
def two_layer_loss(self: Any, X: Float[Tensor, "N *image"], y: Int[Tensor, " N"] | None = None) -> Any:
    """By autograd."""

    def scores(params: dict[str, Tensor]) -> Tensor:
        hidden = functional.relu(_linear(X, params["W1"], params["b1"]))
        return _linear(hidden, params["W2"], params["b2"])

    return scores(self.params) if y is None else _loss(scores, self.params, y, self.reg)


@stand_in(f"{FCN}FullyConnectedNet.__init__")
def deep_start(
    self: Any,
    hidden_dims: Sequence[int],
    input_dim: int = 3 * 32 * 32,
    num_classes: int = 10,
    dropout: float = 0.0,
    reg: float = 0.0,
    weight_scale: float | str = 1e-2,
    seed: int | None = None,
    dtype: torch.dtype = torch.float32,
    device: torch.device | str = "cpu",
    activation: Any = None,
) -> None:
    """By `torch.nn.init`."""
    from exercise_code.mlp.fully_connected_networks import ReLU

    self.num_layers, self.dtype = len(hidden_dims) + 1, dtype
    self.dropout, self.reg, self.seed, self.activation = dropout, reg, seed, activation or ReLU
    self.params = _start((input_dim, *hidden_dims, num_classes), weight_scale, dtype=dtype, device=device)


@stand_in(f"{FCN}FullyConnectedNet.loss")
def deep_loss(self: Any, X: Float[Tensor, "N *image"], y: Int[Tensor, " N"] | None = None) -> Any:
    """By autograd."""
    dropout_param = {"p": self.dropout, "mode": "test" if y is None else "train", "seed": self.seed}
    activation = ACTIVATIONS[self.activation.__name__]

    def scores(params: dict[str, Tensor]) -> Tensor:
        hidden = X.to(self.dtype)
        for place in range(1, self.num_layers):
            hidden = activation(_linear(hidden, params[f"W{place}"], params[f"b{place}"]))
            hidden = hidden * _dropout(hidden, dropout_param)
        return _linear(hidden, params[f"W{self.num_layers}"], params[f"b{self.num_layers}"])

    return scores(self.params) if y is None else _loss(scores, self.params, y, self.reg)


@stand_in("mlp.solver.Solver._step")
def solver_step(self: Any, X: Float[Tensor, "N *image"], y: Int[Tensor, " N"]) -> None:
    """What is asked for, by the model's own loss and the solver's own rule."""
    value, slopes = self.model.loss(X, y)
    self.loss_history += [float(value)]
    for name in [*self.model.params]:
        state = self.model.params[name], slopes[name], self.optim_configs[name]
        stepped, self.optim_configs[name] = self.update_rule(*state)
        if self.max_norm is not None and stepped.dim() == 2:
            stepped = _max_norm(stepped, self.max_norm)
        self.model.params[name] = stepped


@stand_in("mlp.solver.Solver.check_accuracy")
def solver_accuracy(
    self: Any,
    X: Float[Tensor, "N *image"],
    y: Int[Tensor, " N"],
    num_samples: int | None = None,
    batch_size: int = 100,
) -> float:
    """From the scores of all batches side by side."""
    if num_samples is not None and num_samples < len(X):
        chosen = torch.randperm(len(X), device=y.device)[:num_samples]
        X, y = X[chosen], y[chosen]
    scores = torch.cat([self.model.loss(images) for images in X.split(batch_size)])
    return scores.max(dim=1).indices.eq(y).double().mean().item()


@stand_in("mlp.solver.Solver._update_best")
def solver_best(self: Any, val_acc: float) -> None:
    """By `copy.deepcopy`."""
    better = val_acc > self.best_val_acc
    self.epochs_without_gain = 0 if better else self.epochs_without_gain + 1
    if better:
        self.best_val_acc, self.best_params = val_acc, copy.deepcopy(self.model.params)


@stand_in("mlp.solver.Solver.train")
def solver_train(self: Any, time_limit: float | None = None, return_best_params: bool = True) -> None:
    """By the samplers of `torch.utils.data`."""
    begun = time.perf_counter()
    batches = BatchSampler(RandomSampler(range(len(self.X_train))), self.batch_size, drop_last=False)
    late = False
    late = False
    for _ in range(self.num_epochs):
        for rows in batches:
            self._step(self.X_train[rows], self.y_train[rows])
            late = time_limit is not None and time.perf_counter() - begun >= time_limit
            if late:
                break
        self._end_epoch()
        if late or (self.patience is not None and self.epochs_without_gain >= self.patience):
            break
    if return_best_params and self.best_params:
        self.model.params = copy.deepcopy(self.best_params)


@stand_in("mlp.hyperparameter_tuning.findBestConfig")
def find_best_config(
    data: dict[str, Tensor],
    configs: Iterable[dict[str, Any]],
    epochs: int = 20,
    patience: int | None = 5,
    model_class: Any = None,
) -> tuple[Any, list[tuple[dict[str, Any], float]]]:
    """The first of the best, by `max`."""
    from exercise_code.mlp.fully_connected_networks import FullyConnectedNet
    from exercise_code.mlp.hyperparameter_tuning import make_solver

    kind = model_class or FullyConnectedNet
    tried = [(config, make_solver(data, config, epochs, patience, kind)) for config in configs]
    for _, solver in tried:
        solver.train()
    best = max((solver for _, solver in tried), key=lambda solver: solver.best_val_acc, default=None)
    return best and best.model, [(config, solver.best_val_acc) for config, solver in tried]


@stand_in("mlp.hyperparameter_tuning.random_search_spaces_to_config")
def random_search_spaces_to_config(
    random_search_spaces: Mapping[str, tuple[Sequence[Any], str]],
) -> dict[str, Any]:
    """By the random numbers of torch."""
    config = {}
    for name, space in random_search_spaces.items():
        values, mode = space
        share = torch.rand((), dtype=torch.float64)
        if mode == "item":
            config[name] = values[torch.randint(len(values), ())]
            continue
        low, high = min(values), max(values)
        if mode == "int":
            config[name] = torch.randint(low, high + 1, ()).item()
        elif mode in ("float", "log"):
            ends = torch.tensor([low, high], dtype=torch.float64)
            ends = ends if mode == "float" else ends.log()
            drawn = torch.lerp(ends[0], ends[1], share)
            config[name] = (drawn if mode == "float" else drawn.exp()).item()
        else:
            raise ValueError(f"{name} has the unknown mode {mode!r}: choose from float, log, int, item")
    return config
