"""Gradient descent on a whole training set, for models with weights `W` and a gradient by hand."""

from typing import Protocol

from jaxtyping import Float
from torch import Tensor

from exercise_code.regression.housing import test_accuracy
from exercise_code.regression.loss import Loss
from exercise_code.regression.optimizer import Optimizer


class Model(Protocol):
    """What can be trained here: `LinearModel` and `Classifier`."""

    W: Float[Tensor, "num_weights 1"]

    def forward(self, X: Float[Tensor, "batch num_features"]) -> Float[Tensor, "batch 1"]: ...

    def backward(self, dout: Float[Tensor, "batch 1"]) -> Float[Tensor, "num_weights 1"]: ...


class Solver:
    """Trains a model, and keeps the weights that were best in validation.

    Attributes:
        train_loss_history, val_loss_history: the losses before each step, and after the last one.
        train_acc_history, val_acc_history: for classifiers the accuracies at these times.
        best_W: the weights at the smallest validation loss.
    """

    def __init__(
        self,
        model: Model,
        data: dict[str, Float[Tensor, "batch columns"]],
        loss_func: Loss,
        learning_rate: float,
        is_regression: bool = True,
        verbose: bool = True,
        print_every: int = 100,
    ):
        """Set up training: model, data, loss and learning rate.

        Args:
            model: what to train.
            data: `X_train`, `y_train`, `X_val`, `y_val`; targets are (N, 1).
            loss_func: a loss whose gradient is that of the mean over the batch.
            learning_rate: of the steps.
            is_regression: False for a classifier, whose accuracy is then written down, too.
            verbose: print the losses as training goes on.
            print_every: how many steps lie between two lines.
        """
        self.model, self.loss_func = model, loss_func
        self.X_train, self.y_train = data["X_train"], data["y_train"]
        self.X_val, self.y_val = data["X_val"], data["y_val"]
        self.opt = Optimizer(model, learning_rate)
        self.is_regression, self.verbose, self.print_every = is_regression, verbose, print_every
        self.train_loss_history: list[float] = []
        self.val_loss_history: list[float] = []
        self.train_acc_history: list[float] = []
        self.val_acc_history: list[float] = []
        self.best_W = model.W

    def train(self, epochs: int = 1000) -> None:
        """Take `epochs` gradient steps, each on the full training set, so one step is one epoch."""
        for epoch in range(epochs):
            self._write_down()
            if self.verbose and epoch % self.print_every == 0:
                self._print(epoch)
            self._step()
        self._write_down()
        if self.verbose:
            self._print(epochs)

    def _step(self) -> None:
        """One step of gradient descent on the training set.

        The model predicts; the loss says how the predictions should change, the model what that means for
        its weights, and `self.opt` changes them. Not allowed here: autograd.
        """
        ### BEGIN SOLUTION
        predictions = self.model.forward(self.X_train)
        gradient = self.model.backward(self.loss_func.backward(predictions, self.y_train))
        self.opt.step(gradient)
        ### END SOLUTION

    def _write_down(self) -> None:
        best = min(self.val_loss_history, default=float("inf"))
        for split in ("val", "train"):
            y = getattr(self, f"y_{split}")
            predictions = self.model.forward(getattr(self, f"X_{split}"))
            getattr(self, f"{split}_loss_history").append(self.loss_func.forward(predictions, y).item())
            if not self.is_regression:
                getattr(self, f"{split}_acc_history").append(test_accuracy(predictions, y))
        if self.val_loss_history[-1] < best:
            self.best_W = self.model.W.clone()

    def _print(self, epoch: int) -> None:
        train, val = self.train_loss_history[-1], self.val_loss_history[-1]
        print(f"epoch {epoch:>6}: training loss {train:.5f}, validation loss {val:.5f}")
