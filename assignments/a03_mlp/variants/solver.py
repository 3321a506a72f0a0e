"""Right versions of `mlp.solver`, written otherwise."""

import time

import torch

from exercise_code.mlp import regularization
from exercise_code.support.checking.declare import variant


@variant("mlp.solver.Solver._step")
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


@variant("mlp.solver.Solver.check_accuracy")
def accuracy_by_labels(self, X, y, num_samples=None, batch_size=100):
    if num_samples is not None and num_samples < len(X):
        chosen = torch.randperm(len(X), device=y.device)[:num_samples]
        X, y = X[chosen], y[chosen]
    labels = [
        self.model.loss(X[start : start + batch_size]).argmax(1) for start in range(0, len(X), batch_size)
    ]
    return (torch.cat(labels) == y).double().mean().item()


@variant("mlp.solver.Solver._update_best")
def best_by_deepcopy(self, val_acc):
    import copy

    self.epochs_without_gain += 1
    if self.best_val_acc < val_acc:
        self.best_params = {name: p.detach().clone() for name, p in copy.copy(self.model.params).items()}
        self.best_val_acc = val_acc
        self.epochs_without_gain = 0


@variant("mlp.solver.Solver.train")
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
