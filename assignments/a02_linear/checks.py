"""What is asked of linear classifiers, of the two-layer network, and of features."""

import contextlib
import io
import itertools
from typing import Any

import numpy as np
import torch
from torch import Tensor

from exercise_code.support.checking.declare import check

AUTOGRAD = ["torch.autograd.grad", "torch.Tensor.backward", "torch.Tensor.requires_grad_"]
SOFTMAX = [
    "torch.softmax",
    "torch.log_softmax",
    "torch.logsumexp",
    "torch.nn.functional.softmax",
    "torch.nn.functional.log_softmax",
    "torch.nn.functional.cross_entropy",
    "torch.nn.functional.nll_loss",
]
HINGE = ["torch.nn.functional.multi_margin_loss"]
LC, NN, FE = "linear_classifier.", "two_layer_net.", "features."
CLASSES = 3
ROUGH = {"rtol": 1e-2, "atol": 1e-2}
"""Scores near 2,000 have four digits behind the point in float32."""


def normal(case, *shape: int, size: float = 1.0) -> Tensor:
    """Normal numbers in any shape, which does not grow with the case."""
    count = int(np.prod(shape))
    places = (np.array(case.shuffled(range(count))) + 0.5) / count
    return case.tensor(size * torch.special.ndtri(torch.tensor(places)).reshape(shape))


# Losses of a linear classifier


def weighed(loss_func, case) -> dict[str, Any]:
    """Loss and gradient on 7 images of 4 numbers, the last of them 1, in 3 classes, not all in each batch."""
    outputs = {}
    for reg, present in ((0.0, CLASSES), (0.3, CLASSES - 1)):
        X, y = case.points(7).cpu().clone(), case.labels(7, present)
        X[:, 3] = 1
        loss, dW = loss_func(case.tensor(case.points(CLASSES).cpu().T), case.tensor(X), y, reg)
        outputs[f"reg={reg}"] = {"loss": loss, "dW": dW}
    return outputs


def weighed_heavily(loss_func, case) -> dict[str, Any]:
    """The same with scores near -2,000, 2,000 and 6,000, each for some images, one of them far below."""
    X, W, y = case.points(7).cpu().clone(), case.points(CLASSES).cpu().T.clone(), case.labels(7, 2)
    X[:, 2] = 1
    X[:, 3] = 2 * (torch.arange(len(X)) % 3) - 1
    W[3] += 2000
    W[2, 2:] -= 600
    loss, dW = loss_func(case.tensor(W), case.tensor(X), y, 0.0)
    return {"loss": loss, "dW": dW}


@check(f"{LC}svm_loss_naive", points=4, forbids=[*AUTOGRAD, *HINGE])
def svm_by_loops(code, case):
    """Hinge loss and gradient."""
    return weighed(code.linear_classifier.svm_loss_naive, case)


@check(f"{LC}svm_loss_vectorized", points=4, loops=0, forbids=[*AUTOGRAD, *HINGE])
def svm_without_loops(code, case):
    """Hinge loss and gradient without a loop."""
    return weighed(code.linear_classifier.svm_loss_vectorized, case)


@check(f"{LC}softmax_loss_naive", points=3, forbids=[*AUTOGRAD, *SOFTMAX])
def softmax_by_loops(code, case):
    """Cross-entropy and gradient."""
    return weighed(code.linear_classifier.softmax_loss_naive, case)


@check(f"{LC}softmax_loss_naive:large_scores", points=1, forbids=[*AUTOGRAD, *SOFTMAX], **ROUGH)
def softmax_by_loops_large(code, case):
    """Scores in the thousands, where exp overflows."""
    return weighed_heavily(code.linear_classifier.softmax_loss_naive, case)


@check(f"{LC}softmax_loss_vectorized", points=3, loops=0, forbids=[*AUTOGRAD, *SOFTMAX])
def softmax_without_loops(code, case):
    """Cross-entropy and gradient without a loop."""
    return weighed(code.linear_classifier.softmax_loss_vectorized, case)


@check(f"{LC}softmax_loss_vectorized:large_scores", points=1, forbids=[*AUTOGRAD, *SOFTMAX], **ROUGH)
def softmax_large_scores(code, case):
    """Scores in the thousands, where exp overflows."""
    return weighed_heavily(code.linear_classifier.softmax_loss_vectorized, case)


# Training


DRAWN, OUT_OF = 3000, 12


def batch_law(outputs: dict[str, Any], expected: dict[str, Any]) -> str | None:
    """Rows come with their own label, out of the first num_train, each time with equal probability.

    The share of one of 12 rows in 3,000 draws strays from 1/12 by more than 0.06 with probability below
    2 exp(-2 * 3000 * 0.06^2) = 8e-10 (Hoeffding), any of the 12 below 1e-8; two equal draws of
    8 rows have probability 12^-8, below 3e-9.
    """
    X, y = expected["X"], expected["y"]
    rows = (outputs["X_batch"][:, None, :] == X[None]).all(dim=2)
    if not rows.any(dim=1).all():
        return "there are rows in the batch that are not images of X"
    drawn = rows.int().argmax(dim=1)
    if not outputs["y_batch"].equal(y[drawn]):
        return "labels do not belong to their images"
    shares = drawn.bincount(minlength=len(X)) / DRAWN
    if shares[OUT_OF:].any():
        return "images beyond num_train are drawn"
    if (shares[:OUT_OF] - 1 / OUT_OF).abs().max() > 0.06:
        never = int((shares[:OUT_OF] == 0).sum())
        return f"{never} images are never drawn" if never else "some images are drawn more often than others"
    steps = drawn.diff() % OUT_OF
    if (steps == steps[0]).all():
        return "images come in their order"
    runs = drawn[: DRAWN // OUT_OF * OUT_OF].view(-1, OUT_OF).sort(dim=1).values
    if (runs == torch.arange(OUT_OF)).all(dim=1).all():
        return "no image is drawn twice before all have been drawn once"
    if outputs["one batch"].equal(outputs["another"]):
        return "two batches are equal"
    return None


@check(f"{LC}sample_batch", points=2, law=batch_law)
def batches(code, case):
    """Random images with their labels."""
    sample_batch = code.linear_classifier.sample_batch
    X, y = normal(case, 17, 2), case.labels(17, num_classes=17)
    X_batch, y_batch = sample_batch(X, y, OUT_OF, DRAWN)
    one, another = (sample_batch(X, y, OUT_OF, 8)[0] for _ in range(2))
    return {"X": X, "y": y, "X_batch": X_batch, "y_batch": y_batch, "one batch": one, "another": another}


class Bowl:
    """A loss with its minimum at `centre`, whatever the batch, that notes what it is called with."""

    def __init__(self, centre: Tensor):
        self.centre = centre
        self.seen: list[tuple[Tensor, Tensor, Tensor]] = []
        self.regs: list[float] = []

    def __call__(self, W: Tensor, X: Tensor, y: Tensor, reg: float) -> tuple[Tensor, Tensor]:
        self.seen.append((W.clone(), X, y))
        self.regs.append(reg)
        return (W - self.centre).square().sum(), 2 * (W - self.centre)


@check(f"{LC}train_linear_classifier", points=3, uses=[f"{LC}sample_batch"])
def training(code, case):
    """Steps against the gradient, and what is noted of them."""
    bowl = Bowl(normal(case, 4, CLASSES))
    X, y = normal(case, 9, 4), case.labels(9, CLASSES)
    W, history = code.linear_classifier.train_linear_classifier(
        bowl, normal(case, 4, CLASSES), X, y, learning_rate=0.15, reg=0.25, num_iters=4, batch_size=5
    )
    shapes = [[*X_batch.shape, *y_batch.shape] for _, X_batch, y_batch in bowl.seen]
    prints = [
        printed(code.linear_classifier.train_linear_classifier, bowl, W, X, y, num_iters=num, verbose=num > 2)
        for num in (2, 101)
    ]
    return {"W": W, "loss_history": history, "batches": shapes, "reg": bowl.regs[:4], PRINTS: prints}


PRINTS = "prints when not verbose, and when verbose"


def printed(function, *arguments: Any, **settings: Any) -> bool:
    """Whether a function prints anything."""
    with contextlib.redirect_stdout(io.StringIO()) as page:
        function(*arguments, **settings)
    return bool(page.getvalue())


def start_law(outputs: dict[str, Any], expected: dict[str, Any]) -> str | None:
    """Starts at normal numbers of standard deviation 1e-6, and steps on new batches of X each time.

    The standard deviation of 900 normal numbers strays by more than 15 % with probability below 1e-9, their
    mean by more than 2.2e-7 with probability below 1e-10. That 25 batches of 8 out of 9 images are all equal
    has probability below 1e-15, that one of the images is in none of them 9 (8/9)^200, below 1e-9.
    """
    values = outputs["first W"].double()
    if not values.any():
        return "W starts at 0"
    if abs(values.std().item() / 1e-6 - 1) > 0.15:
        return f"W starts with a standard deviation of {values.std():.2g}; 1e-6 is due"
    if abs(values.mean().item()) > 2.2e-7:
        return f"W starts with a mean of {values.mean():.2g}; 0 is due"
    images, labels = expected["X"], expected["y"]
    drawn = []
    for X_batch, y_batch in zip(outputs["X_batches"], outputs["y_batches"], strict=True):
        rows = (X_batch[:, None, :] == images[None]).all(dim=2)
        if not rows.any(dim=1).all() or not labels[rows.int().argmax(dim=1)].equal(y_batch):
            return "batches are not made of images and their labels"
        drawn.append(rows.int().argmax(dim=1).tolist())
    if all(rows == drawn[0] for rows in drawn):
        return "every step sees the same batch"
    never = len(images) - len({*itertools.chain(*drawn)})
    return f"{never} of {len(images)} images are in no batch" if never else None


@check(f"{LC}train_linear_classifier:start", points=2, uses=[f"{LC}sample_batch"], law=start_law)
def start(code, case):
    """From small random weights, with new batches each time."""
    X, y = normal(case, 9, 300), case.labels(9, CLASSES)
    bowl = Bowl(X.new_zeros(300, CLASSES))
    code.linear_classifier.train_linear_classifier(bowl, None, X, y, num_iters=25, batch_size=8)
    W, X_batches, y_batches = zip(*bowl.seen, strict=True)
    return {
        "X": X,
        "y": y,
        "first W": W[0],
        "X_batches": torch.stack(X_batches),
        "y_batches": torch.stack(y_batches),
    }


def of_both_signs(case) -> tuple[Tensor, Tensor]:
    """Weights and images: all scores of an image are above 0, or all are below."""
    W, X = normal(case, 4, 5).cpu().clone(), normal(case, 11, 4).cpu().clone()
    W[3] += 20
    X[:, 3] = 2 * (torch.arange(len(X)) % 2) - 1
    return case.tensor(W), case.tensor(X)


@check(f"{LC}predict_linear_classifier", points=1)
def predictions(code, case):
    """The class with the highest score."""
    return {"labels": code.linear_classifier.predict_linear_classifier(*of_both_signs(case))}


# Settings of a linear classifier


class Pupil:
    """Knows the labels that stand in the images, once it has been trained."""

    def __init__(self) -> None:
        self.trained: list[list[float]] = []

    def train(
        self,
        X: Tensor,
        y: Tensor,
        learning_rate: float = 1e-3,
        reg: float = 1e-5,
        num_iters: int = 100,
        batch_size: int = 200,
        verbose: bool = False,
    ) -> list[float]:
        self.trained.append([*X.shape, *y.shape, learning_rate, reg, num_iters])
        return [1.0] * num_iters

    def predict(self, X: Tensor) -> Tensor:
        return X[:, 0].long() * bool(self.trained)


def exam(case) -> dict[str, Tensor]:
    """Images whose first number is a label, wrong in some of them."""
    data = {}
    for split, num, wrong in (("train", 16, 4), ("val", 10, 4)):
        y = case.labels(num, num_classes=2, first=1)
        answers = y.cpu().numpy().astype(float)
        places = case.shuffled(range(num))[:wrong]
        answers[places] += 2
        data[f"X_{split}"] = case.tensor(np.stack([answers, np.arange(num) / 8], axis=1))
        data[f"y_{split}"] = y
    return data


@check(f"{LC}test_one_param_set", points=2)
def one_param_set(code, case):
    """Train, then measure on both splits."""
    pupil = Pupil()
    lr, reg = case.integer(1, 9) / 16, case.integer(1, 9) / 512
    cls, train_acc, val_acc = code.linear_classifier.test_one_param_set(pupil, exam(case), lr, reg, 31)
    return {
        "training accuracy": train_acc,
        "validation accuracy": val_acc,
        "the same classifier comes back": cls is pupil,
        "shapes, lr, reg and steps of its training": pupil.trained,
    }


def _settings_fault(name: str, values: Tensor) -> str | None:
    if not len(values):
        return f"there are no {name}"
    if not (torch.isfinite(values) & (values > 0)).all():
        return f"{name} must be above 0"
    if len(values.unique()) < len(values):
        return f"there are equal {name}"
    return None


def pairs_law(outputs: dict[str, Any], expected: dict[str, Any]) -> str | None:
    """Positive, different settings, 5 to 25 pairs; nothing is left to chance."""
    for name, values in outputs.items():
        if fault := _settings_fault(name, values):
            return fault
    pairs = len(outputs["learning rates"]) * len(outputs["regularisation strengths"])
    if not 5 <= pairs <= 25:
        return f"{pairs} pairs are too {'many' if pairs > 25 else 'few'}; 5 to 25 are due"
    return None


PAIRS = ("learning rates", "regularisation strengths")


@check(f"{LC}svm_get_search_params", points=1, law=pairs_law, free_shapes=PAIRS)
def svm_settings(code, case):
    """Settings to choose from."""
    found = code.linear_classifier.svm_get_search_params()
    return {
        name: torch.tensor(values, dtype=torch.float64) for name, values in zip(PAIRS, found, strict=True)
    }


@check(f"{LC}softmax_get_search_params", points=1, law=pairs_law, free_shapes=PAIRS)
def softmax_settings(code, case):
    """Settings to choose from."""
    found = code.linear_classifier.softmax_get_search_params()
    return {
        name: torch.tensor(values, dtype=torch.float64) for name, values in zip(PAIRS, found, strict=True)
    }


def with_bias(images: Tensor) -> Tensor:
    """Images as rows, with a one behind the pixels."""
    flat = images.flatten(1)
    return torch.cat([flat, flat.new_ones(len(flat), 1)], dim=1)


@check(
    f"{LC}svm_get_search_params:accuracy",
    points=2,
    uses=[f"{LC}predict_linear_classifier"],
    floor=0.15,
    target=0.24,
)
def svm_accuracy(code, case):
    """The best SVM, on images that nobody has seen."""
    W = case.model("best_svm.pt")["W"]
    return {"labels": code.linear_classifier.predict_linear_classifier(W, with_bias(case.held_out()))}


@check(
    f"{LC}softmax_get_search_params:accuracy",
    points=2,
    uses=[f"{LC}predict_linear_classifier"],
    floor=0.15,
    target=0.25,
)
def softmax_accuracy(code, case):
    """The best softmax classifier, on images that nobody has seen."""
    W = case.model("best_softmax.pt")["W"]
    return {"labels": code.linear_classifier.predict_linear_classifier(W, with_bias(case.held_out()))}


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
    scores, hidden = code.two_layer_net.nn_forward_pass(parameters(case, 6, 7, 4), normal(case, 5, 6))
    return {"scores": scores, "hidden": hidden}


@check(f"{NN}nn_forward_backward:scores", points=1, uses=[f"{NN}nn_forward_pass"])
def scores_alone(code, case):
    """Scores where there are no labels."""
    return {"scores": code.two_layer_net.nn_forward_backward(parameters(case, 6, 7, 4), normal(case, 5, 6))}


@check(f"{NN}nn_forward_backward", points=4, uses=[f"{NN}nn_forward_pass"], forbids=[*AUTOGRAD, *SOFTMAX])
def backward(code, case):
    """Loss and four gradients, with and without penalty."""
    outputs = {}
    for reg, present in ((0.0, 4), (0.3, 3)):
        params, X, y = parameters(case, 6, 7, 4), normal(case, 5, 6), case.labels(5, num_classes=present)
        loss, grads = code.two_layer_net.nn_forward_backward(params, X, y, reg)
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
    y = case.labels(5, num_classes=3)
    loss, grads = code.two_layer_net.nn_forward_backward(params, case.tensor(X), y)
    return {"loss": loss, **{f"d{name}": grads[name] for name in sorted(grads)}}


def _train(code, case, num: int, **settings: Any) -> dict[str, Any]:
    """Train on images that are alike in their first number, and tell their places in the second."""
    params = {"W": normal(case, 3, 2), "b": case.tensor([2.0])}
    X = case.tensor(np.stack([np.full(num, -1.5), np.arange(num) / 8], axis=1))
    y = case.tensor(np.ones(num, dtype=int))
    X_val = case.tensor(np.stack([np.array(case.shuffled(range(20))) / 8 - 2.1, np.zeros(20)], axis=1))
    y_val = case.tensor(np.ones(20, dtype=int))
    noted: list[Any] = []
    asked: list[int] = []
    drawn: set[float] = set()

    def progress(params: dict[str, Tensor], loss_func: Any, X: Tensor) -> Tensor:
        """Label 1 for images whose first number is above the present b, else 0."""
        asked.append(len(X))
        return (X[:, 0] > params["b"]).long()

    def loss_func(params, X, y, reg):
        noted.append([*X.shape, *y.shape, reg])
        drawn.update(X[:, 1].tolist())
        W, b = params["W"], params["b"]
        return W.sum(), {"W": torch.ones_like(W), "b": 2 * torch.ones_like(b)}

    history = code.two_layer_net.nn_train(
        params, loss_func, progress, X, y, X_val, y_val, learning_rate=0.25, **settings
    )
    found = {"params": dict(params), **{name: history[name] for name in sorted(history)}}
    found["shapes and reg of each step"] = list(noted)
    found["images whose labels are predicted"] = sorted(asked)
    arguments = (params, loss_func, progress, X, y, X_val, y_val)
    train = code.two_layer_net.nn_train
    found[PRINTS] = [
        printed(train, *arguments, num_iters=num, batch_size=8, verbose=num > 2) for num in (2, 101)
    ]
    found["images that were drawn in the end"] = sorted(drawn)
    return found


@check(f"{NN}nn_train", points=4, uses=[f"{LC}sample_batch"])
def network_training(code, case):
    """Steps for all parameters, decay and accuracies after every epoch."""
    return {
        "3 steps an epoch": _train(
            code, case, 18, learning_rate_decay=0.5, reg=0.125, num_iters=10, batch_size=5
        ),
        "a batch larger than the data": _train(code, case, 7, learning_rate_decay=0.75, num_iters=4),
    }


@check(f"{NN}nn_predict", points=1)
def network_predictions(code, case):
    """The class with the highest score."""

    def loss_func(params, X, y=None, reg=0.0):
        return X @ params["W"]

    W, X = of_both_signs(case)
    return {"labels": code.two_layer_net.nn_predict({"W": W}, loss_func, X)}


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
    found = code.two_layer_net.nn_get_search_params()
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
        self.settings = {"shapes": [[*data.shape] for data in (X, y, X_val, y_val)]}
        self.settings |= {name: settings[name] for name in sorted(settings)}
        names = ("learning_rate", "reg", "learning_rate_decay")
        self.right = self.table[(self.sizes[1], *(settings.get(name) for name in names))]
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
    found = code.two_layer_net.find_best_net(
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
    net = code.two_layer_net
    return {"labels": net.nn_predict(params, net.nn_forward_backward, case.held_out().flatten(1))}


# Features


@check(f"{FE}circular_histogram", points=2)
def circular(code, case):
    """Every pixel shares its weight between two bins."""
    position = case.tensor((np.array(case.shuffled(range(60))).reshape(3, 4, 5) + 0.37) / 60)
    weights = case.tensor(np.array(case.shuffled(range(60))).reshape(3, 4, 5) / 16)
    histogram = code.features.circular_histogram
    return {
        "7 bins": histogram(position, weights, 7),
        "4 bins": histogram(position[0], weights[0], 4),
    }


@check(f"{FE}colour_histogram", points=2, uses=[f"{FE}circular_histogram"])
def hues(code, case):
    """How much of each hue."""
    images = case.images(8)
    grey = case.tensor(images[:2, :1].cpu().expand(-1, 3, -1, -1))
    return {
        "histogram": code.features.colour_histogram(images, 16),
        "histogram of grey images": code.features.colour_histogram(grey),
    }


@check(f"{FE}hog_features", points=4, uses=[f"{FE}circular_histogram"])
def oriented_gradients(code, case):
    """Histograms of oriented gradients, with two sizes of cells."""
    found = {}
    for shape, num_bins, cell in (((2, 3, 12, 9), 5, 3), ((3, 3, 8, 12), 9, 4)):
        pixels = (np.array(case.shuffled(range(np.prod(shape)))) + 0.5) / np.prod(shape)
        images = case.tensor(pixels.reshape(shape))
        found[f"features with cells of {cell}"] = code.features.hog_features(images, num_bins, cell)
    return found
