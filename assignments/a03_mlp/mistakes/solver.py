"""How people get `mlp.solver` wrong, and the hint each mistake deserves."""

import math
import time

import torch

from exercise_code.mlp.regularization import max_norm
from exercise_code.support.checking.declare import mistake


# Solver
def _step_of(self, X, y, *, share_config=False, keep_config=True, store_loss=True, bound="weights", sign=1):
    loss, grads = self.model.loss(X, y)
    if store_loss:
        self.loss_history.append(float(loss))
    for name, w in self.model.params.items():
        config = self.optim_configs["W1" if share_config else name]
        w, config = self.update_rule(w, sign * grads[name], config)
        if keep_config:
            self.optim_configs[name] = config
        if self.max_norm is not None and bound == "all":
            w = max_norm(w.reshape(-1, w.shape[-1]), self.max_norm).reshape(w.shape)
        if self.max_norm is not None and bound == "weights" and w.dim() == 2:
            w = max_norm(w, self.max_norm)
        self.model.params[name] = w


@mistake(
    "mlp.solver.Solver._step",
    hint="What the update rule has to remember is lost: store the config that it returns.",
    raises=KeyError,
)
def step_forgets_config(self, X, y):
    _step_of(self, X, y, keep_config=False)


@mistake(
    "mlp.solver.Solver._step",
    hint="All parameters share one config: each has its own entry of optim_configs.",
)
def step_shares_config(self, X, y):
    _step_of(self, X, y, share_config=True)


@mistake("mlp.solver.Solver._step", hint="The loss is not recorded: append it to loss_history as a number.")
def step_without_history(self, X, y):
    _step_of(self, X, y, store_loss=False)


@mistake(
    "mlp.solver.Solver._step", hint="max_norm is not used: when it is set, weight matrices go through it."
)
def step_without_max_norm(self, X, y):
    _step_of(self, X, y, bound="none")


@mistake(
    "mlp.solver.Solver._step", hint="Biases are bounded too: max_norm is for weight matrices, with two axes."
)
def step_bounds_biases(self, X, y):
    _step_of(self, X, y, bound="all")


@mistake("mlp.solver.Solver._step", hint="The new parameters are computed but not put into model.params.")
def step_changes_nothing(self, X, y):
    loss, grads = self.model.loss(X, y)
    self.loss_history.append(float(loss))
    for name, w in self.model.params.items():
        w, self.optim_configs[name] = self.update_rule(w, grads[name], self.optim_configs[name])


@mistake(
    "mlp.solver.Solver._step",
    hint="loss_history gets tensors, which keep memory alive: append `float(loss)`.",
)
def step_keeps_tensors(self, X, y):
    _step_of(self, X, y, store_loss=False)
    self.loss_history.append(self.model.loss(X, y)[0])


@mistake(
    "mlp.solver.Solver.check_accuracy",
    hint="The last, smaller batch counts as much as a full one: add up right answers.",
)
def accuracy_mean_of_batches(self, X, y, num_samples=None, batch_size=100):
    parts = zip(X.split(batch_size), y.split(batch_size), strict=True)
    shares = [(self.model.loss(X).argmax(1) == y).double().mean().item() for X, y in parts]
    return sum(shares) / len(shares)


@mistake("mlp.solver.Solver.check_accuracy", hint="This is per cent: accuracy is a fraction, 0 to 1.")
def accuracy_in_per_cent(self, X, y, num_samples=None, batch_size=100):
    parts = zip(X.split(batch_size), y.split(batch_size), strict=True)
    return 100 * sum((self.model.loss(X).argmax(1) == y).sum().item() for X, y in parts) / len(y)


@mistake("mlp.solver.Solver.check_accuracy", hint="The images after the last full batch are left out.")
def accuracy_drops_the_rest(self, X, y, num_samples=None, batch_size=100):
    right = 0
    for start in range(0, len(X) // batch_size * batch_size, batch_size):
        batch = slice(start, start + batch_size)
        right += (self.model.loss(X[batch]).argmax(1) == y[batch]).sum().item()
    return right / len(y)


@mistake(
    "mlp.solver.Solver.check_accuracy",
    hint="All images go in at once: ask the model batch_size images at a time.",
)
def accuracy_in_one_go(self, X, y, num_samples=None, batch_size=100):
    return (self.model.loss(X).argmax(1) == y).sum().item() / len(y)


@mistake("mlp.solver.Solver.check_accuracy", hint="A tensor comes back: a Python float is asked for.")
def accuracy_as_tensor(self, X, y, num_samples=None, batch_size=100):
    parts = zip(X.split(batch_size), y.split(batch_size), strict=True)
    return sum((self.model.loss(X).argmax(1) == y).sum() for X, y in parts) / len(y)


@mistake("mlp.solver.Solver.check_accuracy", hint="The lowest score wins here: take argmax, not argmin.")
def accuracy_of_lowest(self, X, y, num_samples=None, batch_size=100):
    parts = zip(X.split(batch_size), y.split(batch_size), strict=True)
    return sum((self.model.loss(X).argmin(1) == y).sum().item() for X, y in parts) / len(y)


@mistake(
    "mlp.solver.Solver._update_best",
    hint="best_params is the very dict that training goes on with: it needs copies of the tensors.",
)
def best_is_an_alias(self, val_acc):
    if val_acc > self.best_val_acc:
        self.best_val_acc, self.epochs_without_gain = val_acc, 0
        self.best_params = self.model.params
    else:
        self.epochs_without_gain += 1


@mistake(
    "mlp.solver.Solver._update_best",
    hint="A copy of the dict still holds the same tensors, and they may be changed in place: clone each.",
)
def best_is_a_shallow_copy(self, val_acc):
    if val_acc > self.best_val_acc:
        self.best_val_acc, self.epochs_without_gain = val_acc, 0
        self.best_params = dict(self.model.params)
    else:
        self.epochs_without_gain += 1


@mistake(
    "mlp.solver.Solver._update_best", hint="An equal accuracy counts as a gain here: only a higher one does."
)
def best_of_equals_is_last(self, val_acc):
    if val_acc >= self.best_val_acc:
        self.best_val_acc, self.epochs_without_gain = val_acc, 0
        self.best_params = {name: p.clone() for name, p in self.model.params.items()}
    else:
        self.epochs_without_gain += 1


@mistake(
    "mlp.solver.Solver._update_best",
    hint="The counter is never reset: after a gain, epochs_without_gain is 0 again.",
)
def best_never_resets(self, val_acc):
    if val_acc > self.best_val_acc:
        self.best_val_acc = val_acc
        self.best_params = {name: p.clone() for name, p in self.model.params.items()}
    else:
        self.epochs_without_gain += 1


@mistake(
    "mlp.solver.Solver._update_best", hint="Accuracy is better when it is higher: this remembers the worst."
)
def best_is_lowest(self, val_acc):
    if self.best_val_acc < 0 or val_acc < self.best_val_acc:
        self.best_val_acc, self.epochs_without_gain = val_acc, 0
        self.best_params = {name: p.clone() for name, p in self.model.params.items()}
    else:
        self.epochs_without_gain += 1


@mistake(
    "mlp.solver.Solver._update_best",
    hint="Every epoch is remembered, the last one wins: compare with the best so far.",
)
def best_is_last(self, val_acc):
    self.best_val_acc, self.epochs_without_gain = val_acc, 0
    self.best_params = {name: p.clone() for name, p in self.model.params.items()}


def _train_with(
    self,
    time_limit,
    return_best_params,
    *,
    order="permuted",
    patience=0,
    restore=True,
    rest=True,
    twice=False,
):
    deadline = time.perf_counter() + (float("inf") if time_limit is None else time_limit)
    fixed = torch.randperm(len(self.X_train), device=self.y_train.device)
    for _ in range(self.num_epochs):
        shuffled = torch.randperm(len(self.X_train), device=self.y_train.device)
        if order == "as they are":
            shuffled = torch.arange(len(self.X_train), device=self.y_train.device)
        if order == "fixed":
            shuffled = fixed
        if order == "drawn":
            shuffled = torch.randint(len(self.X_train), shuffled.shape, device=self.y_train.device)
        for batch in shuffled.split(self.batch_size):
            if not rest and len(batch) < self.batch_size:
                continue
            labels = batch[torch.randperm(len(batch), device=batch.device)] if order == "apart" else batch
            self._step(self.X_train[batch], self.y_train[labels])
            if time.perf_counter() >= deadline:
                break
        self._end_epoch()
        if twice:
            self._update_best(self.val_acc_history[-1])
        too_long = self.patience is not None and self.epochs_without_gain >= self.patience + patience
        if too_long or time.perf_counter() >= deadline:
            break
    if return_best_params and restore:
        self.model.params = {name: p.clone() for name, p in self.best_params.items()}


@mistake(
    "mlp.solver.Solver.train",
    hint="The model keeps its last parameters: with return_best_params it gets the best ones.",
)
def train_keeps_last(self, time_limit=None, return_best_params=True):
    _train_with(self, time_limit, return_best_params, restore=False)


@mistake(
    "mlp.solver.Solver.train", hint="The best parameters come back even where return_best_params is False."
)
def train_always_returns_best(self, time_limit=None, return_best_params=True):
    _train_with(self, time_limit, True)


@mistake("mlp.solver.Solver.train", hint="The last, smaller batch is left out: an epoch sees every image.")
def train_drops_last_batch(self, time_limit=None, return_best_params=True):
    _train_with(self, time_limit, return_best_params, rest=False)


@mistake("mlp.solver.Solver.train", hint="time_limit is ignored: look at the clock after every step.")
def train_without_time_limit(self, time_limit=None, return_best_params=True):
    _train_with(self, None, return_best_params)


@mistake(
    "mlp.solver.Solver.train",
    hint="The learning rate decays after every batch: once an epoch, `_end_epoch` does it.",
)
def train_decays_every_batch(self, time_limit=None, return_best_params=True):
    step = self._step

    def decaying(X, y):
        step(X, y)
        for config in self.optim_configs.values():
            config["learning_rate"] *= self.lr_decay

    self._step = decaying
    _train_with(self, time_limit, return_best_params)


@mistake("mlp.solver.Solver.train", hint="The first epoch makes no step: training starts at once.")
def train_idle_first_epoch(self, time_limit=None, return_best_params=True):
    self._end_epoch()
    self.num_epochs -= 1
    _train_with(self, time_limit, return_best_params)


@mistake(
    "mlp.solver.Solver.train",
    hint="Steps are taken on validation images too: they only judge.",
    raises=RuntimeError,
)
def train_on_validation(self, time_limit=None, return_best_params=True):
    end_epoch = self._end_epoch

    def stepping():
        self._step(self.X_val, self.y_val)
        end_epoch()

    self._end_epoch = stepping
    _train_with(self, time_limit, return_best_params)


@mistake(
    "mlp.solver.Solver.train:patience",
    hint="patience is never looked at: stop when so many epochs brought no gain.",
)
def train_without_patience(self, time_limit=None, return_best_params=True):
    _train_with(self, time_limit, return_best_params, patience=math.inf)


@mistake(
    "mlp.solver.Solver.train:patience",
    hint="This stops one epoch late: patience epochs without gain are enough.",
)
def train_one_epoch_late(self, time_limit=None, return_best_params=True):
    _train_with(self, time_limit, return_best_params, patience=1)


@mistake(
    "mlp.solver.Solver.train:patience",
    hint="Epochs without gain are counted twice: `_end_epoch` has counted already.",
)
def train_counts_twice(self, time_limit=None, return_best_params=True):
    _train_with(self, time_limit, return_best_params, twice=True)


@mistake(
    "mlp.solver.Solver.train:order",
    hint="The images come in the order of the data set: draw a new one for each epoch.",
)
def train_unshuffled(self, time_limit=None, return_best_params=True):
    _train_with(self, time_limit, return_best_params, order="as they are")


@mistake(
    "mlp.solver.Solver.train:order", hint="All epochs have one order: draw it inside of the loop over epochs."
)
def train_one_order(self, time_limit=None, return_best_params=True):
    _train_with(self, time_limit, return_best_params, order="fixed")


@mistake(
    "mlp.solver.Solver.train:order",
    hint="Images are drawn with repetition, so an epoch misses some: go through a permutation.",
)
def train_draws_with_repetition(self, time_limit=None, return_best_params=True):
    _train_with(self, time_limit, return_best_params, order="drawn")


@mistake(
    "mlp.solver.Solver.train:order", hint="Images and labels are drawn apart: index both with the same batch."
)
def train_labels_apart(self, time_limit=None, return_best_params=True):
    _train_with(self, time_limit, return_best_params, order="apart")
