"""What is asked of `linear.two_layer_net`."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from exercise_code.support.checking.declare import check

from .common import AUTOGRAD, LC, NN, PRINTS, ROUGH, SOFTMAX, _settings_fault, normal, of_both_signs, printed


# Two layers
def parameters(case, D: int, H: int, C: int) -> dict[str, Tensor]:
    """Weights and biases of a two-layer network."""
    return {
        "W1": normal(case, D, H),
        "b1": normal(case, H),
        "W2": normal(case, H, C),
        "b2": normal(case, C),
    }


@check(f"{NN}nn_forward_pass", points=2)
def forward(code, case):
    """Scores and hidden layer."""
    scores, hidden = code.linear.two_layer_net.nn_forward_pass(parameters(case, 6, 7, 4), normal(case, 5, 6))
    return {"scores": scores, "hidden": hidden}


@check(f"{NN}nn_forward_backward:scores", points=1, uses=[f"{NN}nn_forward_pass"])
def scores_alone(code, case):
    """Scores where there are no labels."""
    return {
        "scores": code.linear.two_layer_net.nn_forward_backward(parameters(case, 6, 7, 4), normal(case, 5, 6))
    }


@check(f"{NN}nn_forward_backward", points=4, uses=[f"{NN}nn_forward_pass"], forbids=[*AUTOGRAD, *SOFTMAX])
def backward(code, case):
    """Loss and four gradients, with and without penalty."""
    outputs = {}
    for reg, present in ((0.0, 4), (0.3, 3)):
        params, X, y = parameters(case, 6, 7, 4), normal(case, 5, 6), case.labels(5, num_classes=present)
        loss, grads = code.linear.two_layer_net.nn_forward_backward(params, X, y, reg)
        outputs[f"reg={reg}"] = {"loss": loss, **{f"d{name}": grads[name] for name in sorted(grads)}}
    return outputs


@check(
    f"{NN}nn_forward_backward:large_scores",
    points=1,
    uses=[f"{NN}nn_forward_pass"],
    forbids=[*AUTOGRAD, *SOFTMAX],
    **ROUGH,
)
def backward_large_scores(code, case):
    """Scores in the thousands, where exp overflows."""
    params, X = parameters(case, 6, 7, 4), normal(case, 5, 6).cpu().clone()
    W1, W2 = params["W1"].cpu().clone(), params["W2"].cpu().clone()
    X[:, 5] = 1 + 2 * (torch.arange(5) % 2)
    W1[:, 0] = torch.arange(6) == 5  # unit 0 is 1 for some images and 3 for others, up to its bias
    W2[0] = torch.tensor([2000, 2000, 2000, 1800])
    params |= {"W1": case.tensor(W1), "W2": case.tensor(W2)}
    y = case.labels(5, num_classes=3).cpu().clone()
    y[1] = 3  # far below the others
    loss, grads = code.linear.two_layer_net.nn_forward_backward(params, case.tensor(X), case.tensor(y))
    others = {name: grads[name][..., 1:] for name in ("W1", "b1")}  # unit 0 makes 2,000 times of any rounding
    return {"loss": loss, **{f"d{name}": values for name, values in sorted((grads | others).items())}}


def _train(code, case, num: int, **settings: Any) -> dict[str, Any]:
    """Train on images that are alike in their first number, and tell their places in the second."""
    params = {"W1": normal(case, 3, 2), "b1": case.tensor([2.0])}
    params |= {"W2": normal(case, 2, 4), "b2": normal(case, 4)}
    X = case.tensor(np.stack([np.full(num, -1.5), np.arange(num) / 8], axis=1))
    y = case.tensor(np.ones(num, dtype=int))
    X_val = case.tensor(np.stack([np.array(case.shuffled(range(20))) / 8 - 2.1, np.zeros(20)], axis=1))
    y_val = case.tensor(np.ones(20, dtype=int))
    noted: list[Any] = []
    asked: list[int] = []
    drawn: set[float] = set()

    def progress(params: dict[str, Tensor], loss_func: Any, X: Tensor) -> Tensor:
        """Label 1 for images whose first number is above the present b1, else 0."""
        asked.append(len(X))
        return (X[:, 0] > params["b1"]).long()

    def loss_func(params, X, y, reg):
        noted.append([*X.shape, *y.shape, reg])
        drawn.update(X[:, 1].tolist())
        steps = {"W1": 1, "b1": 2, "W2": -1, "b2": 3}
        grads = {name: step * torch.ones_like(params[name]) for name, step in steps.items()}
        return params["W1"].sum(), grads

    history = code.linear.two_layer_net.nn_train(
        params, loss_func, progress, X, y, X_val, y_val, learning_rate=0.25, **settings
    )
    params_now = {name: values.clone() for name, values in params.items()}
    found = {"params": params_now, **{name: history[name] for name in sorted(history)}}
    found["shapes and reg of each step"] = list(noted)
    found["images whose labels are predicted"] = sorted(asked)
    train = code.linear.two_layer_net.nn_train
    printed(train, params, loss_func, progress, X, y, X_val, y_val, num_iters=101, batch_size=8)
    found["images that were drawn in the end"] = sorted(drawn)
    return found


@check(f"{NN}nn_train", points=3.5, uses=[f"{LC}sample_batch"])
def network_training(code, case):
    """Steps for all parameters, decay and accuracies after every epoch."""
    return {
        "3 steps an epoch": _train(
            code, case, 18, learning_rate_decay=0.5, reg=0.125, num_iters=10, batch_size=5
        ),
        "a batch larger than the data": _train(code, case, 7, learning_rate_decay=0.75, num_iters=4),
    }


@check(f"{NN}nn_train:verbose", points=0.5, uses=[f"{LC}sample_batch"])
def network_told_on_the_way(code, case):
    """Something is printed with verbose=True, and nothing without."""
    params, X, y = parameters(case, 3, 2, 4), normal(case, 9, 3), case.labels(9, num_classes=4)

    def loss_func(params, X, y, reg):
        return params["W1"][0].sum(), {name: torch.ones_like(values) for name, values in params.items()}

    def first(params, loss_func, X):
        return torch.zeros(len(X), dtype=torch.int64, device=X.device)

    train = code.linear.two_layer_net.nn_train
    history = train(params, loss_func, first, X, y, X, y, num_iters=1)
    settings = [{"num_iters": 2}, {"num_iters": 101, "verbose": True}]
    prints = [printed(train, params, loss_func, first, X, y, X, y, **each) for each in settings]
    return {"the first loss": float(history["loss_history"][0]), PRINTS: prints}


@check(f"{NN}nn_predict", points=1)
def network_predictions(code, case):
    """The class with the highest score."""

    def loss_func(params, X, y=None, reg=0.0):
        return (X @ params["W1"] + params["b1"]).clamp(min=0) @ params["W2"] + params["b2"]

    W, X = of_both_signs(case)
    both = torch.eye(len(W), dtype=W.dtype, device=W.device)  # max(x, 0) W - max(-x, 0) W is x W
    params = {"W1": torch.cat([both, -both], dim=1), "W2": torch.cat([W, -W])}
    params |= {"b1": W.new_zeros(2 * len(W)), "b2": W.new_zeros(W.shape[1])}
    return {"labels": code.linear.two_layer_net.nn_predict(params, loss_func, X)}


COMBINED = ("learning rates", "hidden sizes", "regularisation strengths", "decays")


def combinations_law(outputs: dict[str, Any], expected: dict[str, Any]) -> str | None:
    """Positive, different settings, whole hidden sizes, decays from 0.5 to 1, 2 to 32 in all; no chance."""
    combinations = 1
    for name, values in outputs.items():
        if fault := _settings_fault(name, values):
            return fault
        combinations *= len(values)
    if (outputs["hidden sizes"] % 1 != 0).any():
        return "hidden sizes must be whole numbers"
    if (outputs["decays"] > 1).any():
        return "decays must be at most 1"
    if (outputs["decays"] < 0.5).any():
        return "decays below 0.5 end all learning after a few epochs"
    if not 2 <= combinations <= 32:
        return (
            f"{combinations} combinations are too {'many' if combinations > 32 else 'few'}; 2 to 32 are due"
        )
    return None


@check(f"{NN}nn_get_search_params", points=1, law=combinations_law, free_shapes=COMBINED)
def network_settings(code, case):
    """Settings to choose from."""
    found = code.linear.two_layer_net.nn_get_search_params()
    return {
        name: torch.tensor(values, dtype=torch.float64) for name, values in zip(COMBINED, found, strict=True)
    }


class Apprentice:
    """A network that is as good as a table says for its settings, once it is trained."""

    table: dict[tuple[float, ...], int]
    nets: list["Apprentice"]

    def __init__(
        self, input_size: int, hidden_size: int, output_size: int, dtype: Any = None, device: Any = "cpu"
    ) -> None:
        self.sizes = [input_size, hidden_size, output_size]
        self.like, self.right = [dtype, torch.device(device)], 0
        self.settings: dict[str, Any] = {}
        self.nets.append(self)

    def train(self, X: Tensor, y: Tensor, X_val: Tensor, y_val: Tensor, **settings: Any) -> dict[str, Any]:
        names = ("learning_rate", "reg", "learning_rate_decay", "num_iters")
        self.settings = {"shapes": [[*data.shape] for data in (X, y, X_val, y_val)]}
        self.settings |= {name: settings.get(name) for name in names}
        self.right = self.table[(self.sizes[1], *(settings.get(name) for name in names[:3]))]
        return {"loss_history": [float(self.right)], "val_acc_history": [0.9, 0.5]}

    def predict(self, X: Tensor) -> Tensor:
        wrong = torch.arange(len(X), device=X.device) >= self.right
        return X[:, 0].long() + wrong


RATES, SIZES, STRENGTHS = [0.5, 0.25], [8, 16], [0.0625, 0.125]


def _search(code, case, scores: list[int]) -> tuple[Any, ...]:
    """What the search returns where these are right of 20, the networks it made, and its images."""

    class Net(Apprentice):
        pass

    keys = [(size, rate, reg, 0.75) for size in SIZES for rate in RATES for reg in STRENGTHS]
    Net.table, Net.nets = dict(zip(keys, scores, strict=True)), []
    data = {}
    for split, num in (("train", 24), ("val", 20)):
        data[f"y_{split}"] = case.labels(num, num_classes=3)
        data[f"X_{split}"] = case.tensor(
            np.repeat(data[f"y_{split}"].cpu().numpy()[:, None] * 1.0, 5, axis=1)
        )
    found = code.linear.two_layer_net.find_best_net(
        data, lambda: (RATES, SIZES, STRENGTHS, [0.75]), num_iters=41, net_class=Net
    )
    return *found, Net.nets, data["X_train"]


@check(f"{NN}find_best_net", points=3)
def best_network(code, case):
    """Every combination is tried, and the best on the validation images is kept, however bad it is."""
    outputs = {}
    for best_place in case.shuffled(range(8))[:3]:
        scores = case.shuffled(range(3, 11))
        scores[best_place] = 15
        net, stats, val_acc, nets, X = _search(code, case, scores)
        outputs[f"best at {best_place}"] = {
            "settings": net.settings,
            "units of each layer": net.sizes,
            "dtype and device of the images": net.like == [X.dtype, X.device],
            "stats": stats,
            "validation accuracy": val_acc,
            "how many were trained": len(nets),
        }
    net, _, val_acc, nets, _ = _search(code, case, [0] * 8)
    outputs["no image is right"] = {"validation accuracy": val_acc, "a network comes back": net in nets}
    return outputs


@check(
    f"{NN}find_best_net:accuracy",
    points=3,
    uses=[f"{NN}nn_forward_pass", f"{NN}nn_predict"],
    floor=0.28,
    target=0.36,
)
def network_accuracy(code, case):
    """The best network, on images that nobody has seen."""
    params = case.model("best_two_layer.pt")
    net = code.linear.two_layer_net
    return {"labels": net.nn_predict(params, net.nn_forward_backward, case.held_out().flatten(1))}
