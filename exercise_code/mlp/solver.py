"""The training loop, written once for every network that has `params` and `loss`."""

import sys
import time
from pathlib import Path
from typing import Any, ClassVar, Protocol

import torch
from jaxtyping import Float, Int
from torch import Tensor
from tqdm import tqdm

from exercise_code.mlp.regularization import max_norm
from exercise_code.mlp.update_rules import sgd


class Model(Protocol):
    """Parameters by name; `loss(X, y)` gives the loss and its gradients, `loss(X)` gives scores."""

    params: dict[str, Tensor]

    def loss(self, X: Tensor, y: Tensor | None = None) -> Any: ...


class Solver:
    """Trains a model, remembers its best parameters, and stops when nothing improves.

    Attributes:
        loss_history: the loss of every step.
        train_acc_history, val_acc_history: accuracy after every epoch, 0 to 1.
        best_val_acc: the highest of the latter, -1 before the first epoch.
        best_params: copies of the parameters it was reached with.
        epochs_without_gain: epochs since then.
        epoch: epochs so far.
    """

    SETTINGS: ClassVar[dict[str, Any]] = {
        "update_rule": sgd,
        "optim_config": {},
        "lr_decay": 1.0,
        "batch_size": 100,
        "num_epochs": 10,
        "num_train_samples": 1000,
        "num_val_samples": None,
        "patience": None,
        "max_norm": None,
        "device": None,
        "checkpoint_name": None,
        "verbose": False,
    }

    def __init__(self, model: Model, data: dict[str, Tensor], **settings: Any):
        """Make ready to train.

        Args:
            model: what to train.
            data: `X_train`, `y_train`, `X_val`, `y_val`.
            **settings: `update_rule`, a function like `sgd`; `optim_config`, its settings; `lr_decay`, factor
                on the learning rate after each epoch; `batch_size`; `num_epochs`; `num_train_samples` and
                `num_val_samples`, images that accuracies are measured on, None for all; `patience`, epochs
                without a better validation accuracy after which to stop, None for never; `max_norm`, bound on
                the norm of the columns of weights; `device` to bring the data to; `checkpoint_name`, start of
                the names of files written after each epoch; `verbose` shows a bar.

        Raises:
            ValueError: a setting is unknown.
        """
        if unknown := settings.keys() - self.SETTINGS.keys():
            raise ValueError(f"Solver has no setting {min(unknown)!r}; it has {', '.join(self.SETTINGS)}")
        vars(self).update({**self.SETTINGS, **settings})
        self.model = model
        for name in ("X_train", "y_train", "X_val", "y_val"):
            setattr(self, name, data[name] if self.device is None else data[name].to(self.device))
        self.optim_configs = {name: {"learning_rate": 1e-2, **self.optim_config} for name in model.params}
        self.loss_history: list[float] = []
        self.train_acc_history: list[float] = []
        self.val_acc_history: list[float] = []
        self.best_val_acc, self.best_params = -1.0, {}
        self.epochs_without_gain = self.epoch = 0

    def _step(self, X: Float[Tensor, "N *image"], y: Int[Tensor, " N"]) -> None:
        """One update of every parameter, by the gradients of one batch.

        Appends the loss, as a Python number, to `loss_history`. `update_rule` is given a parameter, its
        gradient and its own entry of `optim_configs`; what it returns replaces the parameter and the entry.
        If `max_norm` is set, updated weight matrices (two axes) go through the function of that name.

        Args:
            X: images.
            y: labels, int64.
        """
        ### BEGIN SOLUTION
        loss, grads = self.model.loss(X, y)
        self.loss_history.append(float(loss))
        for name, w in self.model.params.items():
            w, self.optim_configs[name] = self.update_rule(w, grads[name], self.optim_configs[name])
            bounded = self.max_norm is not None and w.dim() == 2
            self.model.params[name] = max_norm(w, self.max_norm) if bounded else w
        ### END SOLUTION

    def check_accuracy(
        self,
        X: Float[Tensor, "N *image"],
        y: Int[Tensor, " N"],
        num_samples: int | None = None,
        batch_size: int = 100,
    ) -> float:
        """Fraction of images, 0 to 1, whose highest score is that of their label.

        Args:
            X: images.
            y: labels, int64.
            num_samples: how many of the images to ask about, drawn at random without repetition; None, or
                more than there are, is all.
            batch_size: images in one call of the model; the last batch may be smaller.

        Returns:
            The accuracy as a Python float.
        """
        if num_samples is not None and num_samples < len(X):
            chosen = torch.randperm(len(X), device=y.device)[:num_samples]
            X, y = X[chosen], y[chosen]
        ### BEGIN SOLUTION
        batches = zip(X.split(batch_size), y.split(batch_size), strict=True)
        right = sum((self.model.loss(X).argmax(dim=1) == y).sum().item() for X, y in batches)
        return right / len(y)
        ### END SOLUTION

    def _update_best(self, val_acc: float) -> None:
        """Take note of a validation accuracy, which `best_val_acc` is to be compared with.

        If it is higher, it becomes the best, with copies of the model's parameters, and `epochs_without_gain`
        is 0 again. If not (equal is not higher), one more epoch has passed without a gain.

        Args:
            val_acc: accuracy of the model as it is now, 0 to 1.
        """
        ### BEGIN SOLUTION
        if val_acc > self.best_val_acc:
            self.best_val_acc, self.epochs_without_gain = val_acc, 0
            self.best_params = {name: p.clone() for name, p in self.model.params.items()}
        else:
            self.epochs_without_gain += 1
        ### END SOLUTION

    def _end_epoch(self) -> None:
        """Decay the learning rates, measure and record, and write a checkpoint if one is wanted."""
        for config in self.optim_configs.values():
            config["learning_rate"] *= self.lr_decay
        self.train_acc_history.append(self.check_accuracy(self.X_train, self.y_train, self.num_train_samples))
        self.val_acc_history.append(self.check_accuracy(self.X_val, self.y_val, self.num_val_samples))
        self._update_best(self.val_acc_history[-1])
        self.epoch += 1
        if self.checkpoint_name is not None:
            self.save_checkpoint(f"{self.checkpoint_name}_epoch_{self.epoch}.pt")

    def train(self, time_limit: float | None = None, return_best_params: bool = True) -> None:
        """Train for `num_epochs` epochs, or until patience or time runs out.

        An epoch goes through the training images in a new random order, `batch_size` at a time (the last
        batch may be smaller), with `_step` for each batch, and ends with `_end_epoch`. After an epoch,
        training stops when `epochs_without_gain` has reached `patience`. Once `time_limit` has passed after a
        step, the epoch ends there, and it is the last.

        Args:
            time_limit: seconds, None for no limit.
            return_best_params: leave the model with copies of `best_params`.
        """
        deadline = time.perf_counter() + (float("inf") if time_limit is None else time_limit)
        epochs = range(self.num_epochs)
        if self.verbose:
            epochs = tqdm(epochs, file=sys.stdout, leave=False)
        ### BEGIN SOLUTION
        for _ in epochs:
            for batch in torch.randperm(len(self.X_train), device=self.y_train.device).split(self.batch_size):
                self._step(self.X_train[batch], self.y_train[batch])
                if time.perf_counter() >= deadline:
                    break
            self._end_epoch()
            out_of_patience = self.patience is not None and self.epochs_without_gain >= self.patience
            if out_of_patience or time.perf_counter() >= deadline:
                break
        if return_best_params:
            self.model.params = {name: p.clone() for name, p in self.best_params.items()}
        ### END SOLUTION

    def save_checkpoint(self, path: str | Path) -> None:
        """Write all that is needed to go on later."""
        torch.save({"params": self.model.params, **{name: getattr(self, name) for name in _STATE}}, path)

    def load_checkpoint(self, path: str | Path) -> None:
        """Go on from where `save_checkpoint` was called."""
        saved = torch.load(path, weights_only=True, map_location=self.X_train.device)
        self.model.params = saved.pop("params")
        vars(self).update(saved)


_STATE = (
    "optim_configs",
    "loss_history",
    "train_acc_history",
    "val_acc_history",
    "best_val_acc",
    "best_params",
    "epochs_without_gain",
    "epoch",
)
