"""What is asked of `linear.linear_classifier`."""

import itertools
from typing import Any

import numpy as np
import torch
from torch import Tensor

from exercise_code.support.checking.declare import check

from .common import AUTOGRAD, LC, PRINTS, ROUGH, SOFTMAX, _settings_fault, normal, of_both_signs, printed

HINGE = ["torch.nn.functional.multi_margin_loss"]


CLASSES = 3


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
    """The same with scores near -2,000, 2,000 and 6,000, each for some images; some labels lie far below."""
    X, W, y = case.points(7).cpu().clone(), case.points(CLASSES).cpu().T.clone(), case.labels(7, CLASSES)
    X[:, 2] = 1
    X[:, 3] = 2 * (torch.arange(len(X)) % 3) - 1
    W[3] += 2000
    W[2, 2:] -= 600
    loss, dW = loss_func(case.tensor(W), case.tensor(X), y, 0.0)
    return {"loss": loss, "dW": dW}


@check(f"{LC}svm_loss_naive", points=4, forbids=[*AUTOGRAD, *HINGE])
def svm_by_loops(code, case):
    """Hinge loss and gradient."""
    return weighed(code.linear.linear_classifier.svm_loss_naive, case)


@check(f"{LC}svm_loss_vectorized", points=4, loops=0, forbids=[*AUTOGRAD, *HINGE])
def svm_without_loops(code, case):
    """Hinge loss and gradient without a loop."""
    return weighed(code.linear.linear_classifier.svm_loss_vectorized, case)


@check(f"{LC}softmax_loss_naive", points=3, forbids=[*AUTOGRAD, *SOFTMAX])
def softmax_by_loops(code, case):
    """Cross-entropy and gradient."""
    return weighed(code.linear.linear_classifier.softmax_loss_naive, case)


@check(f"{LC}softmax_loss_naive:large_scores", points=1, forbids=[*AUTOGRAD, *SOFTMAX], **ROUGH)
def softmax_by_loops_large(code, case):
    """Scores in the thousands, where exp overflows."""
    return weighed_heavily(code.linear.linear_classifier.softmax_loss_naive, case)


@check(f"{LC}softmax_loss_vectorized", points=3, loops=0, forbids=[*AUTOGRAD, *SOFTMAX])
def softmax_without_loops(code, case):
    """Cross-entropy and gradient without a loop."""
    return weighed(code.linear.linear_classifier.softmax_loss_vectorized, case)


@check(f"{LC}softmax_loss_vectorized:large_scores", points=1, forbids=[*AUTOGRAD, *SOFTMAX], **ROUGH)
def softmax_large_scores(code, case):
    """Scores in the thousands, where exp overflows."""
    return weighed_heavily(code.linear.linear_classifier.softmax_loss_vectorized, case)


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
        never = (shares[:OUT_OF] == 0).nonzero().flatten().tolist()
        if never == [OUT_OF - 1]:
            return "the last image is never drawn"
        return (
            f"{len(never)} images are never drawn"
            if never
            else "some images are drawn more often than others"
        )
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
    sample_batch = code.linear.linear_classifier.sample_batch
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


@check(f"{LC}train_linear_classifier", points=2.5, uses=[f"{LC}sample_batch"])
def training(code, case):
    """Steps against the gradient, and what is noted of them."""
    bowl = Bowl(normal(case, 4, CLASSES))
    X, y = normal(case, 9, 4), case.labels(9, CLASSES)
    W, history = code.linear.linear_classifier.train_linear_classifier(
        bowl, normal(case, 4, CLASSES), X, y, learning_rate=0.15, reg=0.25, num_iters=4, batch_size=5
    )
    shapes = [[*X_batch.shape, *y_batch.shape] for _, X_batch, y_batch in bowl.seen]
    return {"W": W, "loss_history": history, "batches": shapes, "reg": bowl.regs}


@check(f"{LC}train_linear_classifier:verbose", points=0.5, uses=[f"{LC}sample_batch"])
def told_on_the_way(code, case):
    """Something is printed with verbose=True, and nothing without."""
    train = code.linear.linear_classifier.train_linear_classifier
    start = (
        Bowl(normal(case, 4, CLASSES)),
        normal(case, 4, CLASSES),
        normal(case, 9, 4),
        case.labels(9, CLASSES),
    )
    _, history = train(*start, num_iters=1)
    prints = [printed(train, *start, num_iters=num, verbose=num > 2) for num in (2, 101)]
    return {"the first loss": float(history[0]), PRINTS: prints}


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
    images, labels = expected["some columns of X"], expected["y"]
    drawn = []
    for X_batch, y_batch in zip(outputs["some columns of the batches"], outputs["y_batches"], strict=True):
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
    code.linear.linear_classifier.train_linear_classifier(bowl, None, X, y, num_iters=25, batch_size=8)
    W, X_batches, y_batches = zip(*bowl.seen, strict=True)
    return {
        "some columns of X": X[:, ::60],
        "y": y,
        "first W": W[0],
        "some columns of the batches": torch.stack(X_batches)[..., ::60],
        "y_batches": torch.stack(y_batches),
    }


@check(f"{LC}predict_linear_classifier", points=1)
def predictions(code, case):
    """The class with the highest score."""
    return {"labels": code.linear.linear_classifier.predict_linear_classifier(*of_both_signs(case))}


# Settings of a linear classifier
class Pupil:
    """Has weights that read the labels that stand in the images, once it has been trained."""

    def __init__(self) -> None:
        self.trained: list[list[float]] = []
        self.W: Tensor | None = None

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
        label = torch.arange(5, dtype=X.dtype, device=X.device)
        self.W = torch.stack([2 * label, 0 * label, -(label**2)])
        return [1.0] * num_iters

    def predict(self, X: Tensor) -> Tensor:
        return X[:, 0].long() * 0 if self.W is None else (X @ self.W).argmax(dim=1)


def exam(case) -> dict[str, Tensor]:
    """Images whose first number is a label, wrong in some of them, and whose last one is 1."""
    data = {}
    for split, num, wrong in (("train", 16, 4), ("val", 10, 4)):
        y = case.labels(num, num_classes=2, first=1)
        answers = y.cpu().numpy().astype(float)
        places = case.shuffled(range(num))[:wrong]
        answers[places] += 2
        data[f"X_{split}"] = case.tensor(np.stack([answers, np.arange(num) / 8, np.ones(num)], axis=1))
        data[f"y_{split}"] = y
    return data


@check(f"{LC}test_one_param_set", points=2)
def one_param_set(code, case):
    """Train, then measure on both splits."""
    pupil = Pupil()
    lr, reg = case.integer(1, 9) / 16, case.integer(1, 9) / 512
    cls, train_acc, val_acc = code.linear.linear_classifier.test_one_param_set(pupil, exam(case), lr, reg, 31)
    return {
        "training accuracy": train_acc,
        "validation accuracy": val_acc,
        "the same classifier comes back": cls is pupil,
        "shapes, lr, reg and steps of its training": pupil.trained,
    }


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
    found = code.linear.linear_classifier.svm_get_search_params()
    return {
        name: torch.tensor(values, dtype=torch.float64) for name, values in zip(PAIRS, found, strict=True)
    }


@check(f"{LC}softmax_get_search_params", points=1, law=pairs_law, free_shapes=PAIRS)
def softmax_settings(code, case):
    """Settings to choose from."""
    found = code.linear.linear_classifier.softmax_get_search_params()
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
    return {"labels": code.linear.linear_classifier.predict_linear_classifier(W, with_bias(case.held_out()))}


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
    return {"labels": code.linear.linear_classifier.predict_linear_classifier(W, with_bias(case.held_out()))}
