"""Linear classifiers: one column of weights for each class, found by going down a loss step by step."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Self

import torch
from jaxtyping import Float, Int
from torch import Tensor

Loss = Callable[
    [Float[Tensor, "D C"], Float[Tensor, "N D"], Int[Tensor, " N"], float],
    tuple[Float[Tensor, ""], Float[Tensor, "D C"]],
]


def svm_loss_naive(
    W: Float[Tensor, "D C"], X: Float[Tensor, "N D"], y: Int[Tensor, " N"], reg: float
) -> tuple[Float[Tensor, ""], Float[Tensor, "D C"]]:
    """Multiclass hinge loss with margin 1 and its gradient, image by image and class by class.

    With scores s = x W of an image x, every wrong class j costs max(0, s_j - s_y + 1); the loss is the mean
    of these costs over the images, plus reg times the sum of the squares of all weights (Weston and
    Watkins, 1999). Not allowed here: torch.nn.functional.multi_margin_loss, autograd.

    Args:
        W: weights, a column for each of the C classes.
        X: images as rows of D numbers.
        y: their classes, int64, 0 to C - 1.
        reg: strength of the penalty on large weights, 0 or more.

    Returns:
        The loss as a tensor without axes, and its gradient with respect to W.
    """
    ### BEGIN SOLUTION
    loss, dW = W.new_zeros(()), torch.zeros_like(W)
    for x, label in zip(X, y, strict=True):
        scores = x @ W
        for j in range(W.shape[1]):
            margin = scores[j] - scores[label] + 1
            if j != label and margin > 0:
                loss = loss + margin
                dW[:, j] += x
                dW[:, label] -= x
    return loss / len(X) + reg * W.square().sum(), dW / len(X) + 2 * reg * W
    ### END SOLUTION


def svm_loss_vectorized(
    W: Float[Tensor, "D C"], X: Float[Tensor, "N D"], y: Int[Tensor, " N"], reg: float
) -> tuple[Float[Tensor, ""], Float[Tensor, "D C"]]:
    """What `svm_loss_naive` computes, without a Python loop.

    Not allowed here: torch.nn.functional.multi_margin_loss, autograd.

    Args:
        W: weights, a column for each of the C classes.
        X: images as rows of D numbers.
        y: their classes, int64, 0 to C - 1.
        reg: strength of the penalty on large weights, 0 or more.

    Returns:
        The loss as a tensor without axes, and its gradient with respect to W.
    """
    ### BEGIN SOLUTION
    rows = torch.arange(len(X), device=X.device)
    scores = (W.T @ X.T).T  # X @ W, but BLAS is faster when the long side comes last
    margins = (scores - scores[rows, y].unsqueeze(1) + 1).clamp(min=0)
    margins[rows, y] = 0
    dscores = (margins > 0).to(X.dtype)
    dscores[rows, y] = -dscores.sum(dim=1)
    loss = margins.sum() / len(X) + reg * W.square().sum()
    return loss, (dscores.T @ X).T / len(X) + 2 * reg * W
    ### END SOLUTION


def softmax_loss_naive(
    W: Float[Tensor, "D C"], X: Float[Tensor, "N D"], y: Int[Tensor, " N"], reg: float
) -> tuple[Float[Tensor, ""], Float[Tensor, "D C"]]:
    """Cross-entropy of softmax probabilities and its gradient, image by image and class by class.

    With scores s = x W of an image x, class j has the probability p_j = exp(s_j) / sum_k exp(s_k). The loss
    is the mean of -log p_y over the images, plus reg times the sum of the squares of all weights. Scores
    may be in the thousands.
    Not allowed here: torch.softmax, torch.log_softmax, torch.logsumexp, cross_entropy, nll_loss, autograd.

    Args:
        W: weights, a column for each of the C classes.
        X: images as rows of D numbers.
        y: their classes, int64, 0 to C - 1.
        reg: strength of the penalty on large weights, 0 or more.

    Returns:
        The loss as a tensor without axes, and its gradient with respect to W.
    """
    ### BEGIN SOLUTION
    loss, dW = W.new_zeros(()), torch.zeros_like(W)
    for x, label in zip(X, y, strict=True):
        scores = x @ W
        scores = scores - scores.max()
        total = scores.exp().sum()
        loss = loss + total.log() - scores[label]
        for j in range(W.shape[1]):
            dW[:, j] += (scores[j].exp() / total - (j == label).to(W.dtype)) * x
    return loss / len(X) + reg * W.square().sum(), dW / len(X) + 2 * reg * W
    ### END SOLUTION


def softmax_loss_vectorized(
    W: Float[Tensor, "D C"], X: Float[Tensor, "N D"], y: Int[Tensor, " N"], reg: float
) -> tuple[Float[Tensor, ""], Float[Tensor, "D C"]]:
    """What `softmax_loss_naive` computes, without a Python loop.

    Not allowed here: torch.softmax, torch.log_softmax, torch.logsumexp, cross_entropy, nll_loss, autograd.

    Args:
        W: weights, a column for each of the C classes.
        X: images as rows of D numbers.
        y: their classes, int64, 0 to C - 1.
        reg: strength of the penalty on large weights, 0 or more.

    Returns:
        The loss as a tensor without axes, and its gradient with respect to W.
    """
    ### BEGIN SOLUTION
    rows = torch.arange(len(X), device=X.device)
    scores = (W.T @ X.T).T  # X @ W, but BLAS is faster when the long side comes last
    scores = scores - scores.amax(dim=1, keepdim=True)
    log_p = scores - scores.exp().sum(dim=1, keepdim=True).log()
    dscores = log_p.exp()
    dscores[rows, y] -= 1
    loss = -log_p[rows, y].mean() + reg * W.square().sum()
    return loss, (dscores.T @ X).T / len(X) + 2 * reg * W
    ### END SOLUTION


def sample_batch(
    X: Float[Tensor, "N D"], y: Int[Tensor, " N"], num_train: int, batch_size: int
) -> tuple[Float[Tensor, "batch_size D"], Int[Tensor, " batch_size"]]:
    """Draw images at random, each time out of all: one may be drawn twice.

    Args:
        X: images.
        y: their labels.
        num_train: only the first num_train images take part, 1 to N.
        batch_size: how many to draw; may be larger than num_train.

    Returns:
        The images drawn, and their labels in the same order.
    """
    ### BEGIN SOLUTION
    drawn = torch.randint(num_train, (batch_size,), device=X.device)
    return X[drawn], y[drawn]
    ### END SOLUTION


def train_linear_classifier(
    loss_func: Loss,
    W: Float[Tensor, "D C"] | None,
    X: Float[Tensor, "N D"],
    y: Int[Tensor, " N"],
    learning_rate: float = 1e-3,
    reg: float = 1e-5,
    num_iters: int = 100,
    batch_size: int = 200,
    verbose: bool = False,
) -> tuple[Float[Tensor, "D C"], list[float]]:
    """Stochastic gradient descent: each iteration steps against the gradient of one random batch.

    Args:
        loss_func: from (W, X, y, reg) to a loss and its gradient.
        W: where to start; it is not changed. None starts at normal numbers of standard deviation 1e-6, for
            as many classes as y names, in the dtype and on the device of X.
        X: training images.
        y: their labels.
        learning_rate: how far to go along the gradient.
        reg: strength of the penalty, for the loss.
        num_iters: number of steps.
        batch_size: images in a batch, drawn by `sample_batch` anew for each step.
        verbose: print the loss every 100 steps.

    Returns:
        The weights after the last step, and the loss of each step's batch before the step, as floats.
    """
    ### BEGIN SOLUTION
    if W is None:
        num_classes = int(y.max()) + 1
        W = 1e-6 * torch.randn(X.shape[1], num_classes, dtype=X.dtype, device=X.device)
    history = []
    for step in range(num_iters):
        X_batch, y_batch = sample_batch(X, y, len(X), batch_size)
        loss, dW = loss_func(W, X_batch, y_batch, reg)
        W = W - learning_rate * dW
        history.append(float(loss))
        if verbose and step % 100 == 0:
            print(f"step {step} of {num_iters}: loss {history[-1]:.4f}")
    return W, history
    ### END SOLUTION


def predict_linear_classifier(W: Float[Tensor, "D C"], X: Float[Tensor, "N D"]) -> Int[Tensor, " N"]:
    """The class with the highest score, for each image.

    Args:
        W: weights, a column for each class.
        X: images.

    Returns:
        Labels, int64.
    """
    ### BEGIN SOLUTION
    return (X @ W).argmax(dim=1)
    ### END SOLUTION


class LinearClassifier(ABC):
    """A matrix of weights that can be trained, asked, saved and loaded; which loss, its subclasses say."""

    def __init__(self) -> None:
        """Start without weights: `train` makes them."""
        self.W: Tensor | None = None

    def train(
        self,
        X: Float[Tensor, "N D"],
        y: Int[Tensor, " N"],
        learning_rate: float = 1e-3,
        reg: float = 1e-5,
        num_iters: int = 100,
        batch_size: int = 200,
        verbose: bool = False,
    ) -> list[float]:
        """Train from where it is; arguments and result as in `train_linear_classifier`."""
        settings = (learning_rate, reg, num_iters, batch_size, verbose)
        self.W, history = train_linear_classifier(self.loss, self.W, X, y, *settings)
        return history

    def predict(self, X: Float[Tensor, "N D"]) -> Int[Tensor, " N"]:
        """Labels, int64."""
        return predict_linear_classifier(self.W, X)

    @abstractmethod
    def loss(
        self, W: Float[Tensor, "D C"], X: Float[Tensor, "N D"], y: Int[Tensor, " N"], reg: float
    ) -> tuple[Float[Tensor, ""], Float[Tensor, "D C"]]:
        """Loss and gradient."""

    def absorb_mean(self, mean: Float[Tensor, " pixels"]) -> None:
        """Change the last row, the biases, so that images need not be centred any more.

        Args:
            mean: what was taken off each pixel before training.
        """
        self.W = torch.cat([self.W[:-1], self.W[-1:] - mean @ self.W[:-1]])

    def save(self, path: str | Path) -> None:
        """Write the weights to a file; missing folders are made."""
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        torch.save({"W": self.W}, path)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """A classifier with the weights of a file that `save` has written."""
        classifier = cls()
        classifier.W = torch.load(path, map_location="cpu", weights_only=True)["W"]
        return classifier


class LinearSVM(LinearClassifier):
    """Trained by the hinge loss."""

    def loss(
        self, W: Float[Tensor, "D C"], X: Float[Tensor, "N D"], y: Int[Tensor, " N"], reg: float
    ) -> tuple[Float[Tensor, ""], Float[Tensor, "D C"]]:
        """`svm_loss_vectorized`."""
        return svm_loss_vectorized(W, X, y, reg)


class Softmax(LinearClassifier):
    """Trained by the cross-entropy of softmax probabilities."""

    def loss(
        self, W: Float[Tensor, "D C"], X: Float[Tensor, "N D"], y: Int[Tensor, " N"], reg: float
    ) -> tuple[Float[Tensor, ""], Float[Tensor, "D C"]]:
        """`softmax_loss_vectorized`."""
        return softmax_loss_vectorized(W, X, y, reg)


def svm_get_search_params() -> tuple[list[float], list[float]]:
    """Settings to search for the best SVM in.

    Returns:
        Learning rates and regularisation strengths, all different and above 0; 5 to 25 pairs in all.
    """
    ### BEGIN SOLUTION
    return [1e-3, 3e-3, 1e-2], [1e-3, 1e-2, 1e-1]
    ### END SOLUTION


def softmax_get_search_params() -> tuple[list[float], list[float]]:
    """Settings to search for the best softmax classifier in.

    Returns:
        Learning rates and regularisation strengths, all different and above 0; 5 to 25 pairs in all.
    """
    ### BEGIN SOLUTION
    return [1e-2, 3e-2, 1e-1], [1e-4, 1e-3, 1e-2]
    ### END SOLUTION


def test_one_param_set(
    cls: LinearClassifier, data_dict: dict[str, Tensor], lr: float, reg: float, num_iters: int = 2000
) -> tuple[LinearClassifier, float, float]:
    """Train a classifier with one pair of settings, and see how good it is.

    Args:
        cls: a classifier, to be trained.
        data_dict: `X_train`, `y_train`, `X_val`, `y_val`.
        lr: learning rate.
        reg: regularisation strength.
        num_iters: number of steps.

    Returns:
        The classifier, and its accuracy on the training and on the validation images as fractions, 0 to 1.
    """
    ### BEGIN SOLUTION
    cls.train(data_dict["X_train"], data_dict["y_train"], lr, reg, num_iters)
    train_acc, val_acc = (
        (cls.predict(data_dict[f"X_{split}"]) == data_dict[f"y_{split}"]).double().mean().item()
        for split in ("train", "val")
    )
    return cls, train_acc, val_acc
    ### END SOLUTION
