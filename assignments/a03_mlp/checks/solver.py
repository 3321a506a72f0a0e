"""What is asked of `mlp.solver`."""

from typing import Any

import torch
from torch import Tensor

from exercise_code.support.checking.declare import check

from .common import Scripted, scripted_data


def counting_rule(w: Tensor, dw: Tensor, config: dict[str, Any]) -> tuple[Tensor, dict[str, Any]]:
    """Gradient descent that counts its steps."""
    return w - config["learning_rate"] * dw, {**config, "steps": config.get("steps", 0) + 1}


@check("mlp.solver.Solver._step", points=2, stateful=True, uses=["mlp.regularization.max_norm"])
def solver_step(code, case):
    """Every parameter gets its update and keeps its own config."""
    data = scripted_data(case, 7)
    outputs = {}
    for bound in (None, 0.5):
        model = Scripted(data["X_train"])
        solver = code.mlp.solver.Solver(
            model, data, update_rule=counting_rule, optim_config={"learning_rate": 0.5}, max_norm=bound
        )
        solver.optim_configs["b1"]["learning_rate"] = 0.75
        solver._step(data["X_train"][:4], data["y_train"][:4])
        solver._step(data["X_train"][4:], data["y_train"][4:])
        outputs[f"max_norm={bound}"] = {
            "params": model.params,
            "steps": {name: config["steps"] for name, config in solver.optim_configs.items()},
            "loss_history": solver.loss_history,
        }
    return outputs


@check("mlp.solver.Solver.check_accuracy", points=1, stateful=True)
def solver_accuracy(code, case):
    """The share of right answers, batch by batch."""
    data = scripted_data(case, 7)
    model = Scripted(data["X_train"])
    solver = code.mlp.solver.Solver(model, data)
    accuracies = []
    for size in case.shuffled(range(21, 24)):
        X, y = case.numbers(size, 4), case.labels(size, num_classes=4)
        near = case.labels(size, num_classes=2)
        X = case.tensor(
            torch.where(near[:, None] == 1, 4 * torch.eye(4, dtype=X.dtype, device=X.device)[y], X)
        )
        accuracies.append(solver.check_accuracy(X, y, batch_size=5))
    return {"accuracies": accuracies, "batches": list(model.asked)}


def _accuracies(case, count: int) -> list[float]:
    """Different accuracies of ten images, in order."""
    return sorted(share / 10 for share in case.shuffled(range(1, 10))[:count])


@check("mlp.solver.Solver._update_best", points=2, stateful=True)
def solver_best(code, case):
    """The best parameters are remembered as they were."""
    data = scripted_data(case, 7)
    model = Scripted(data["X_train"])
    solver = code.mlp.solver.Solver(model, data)
    record = []
    model.params |= {"W1": case.numbers(2, 3).clone(), "b1": case.numbers(3).clone()}
    low, middle, high = _accuracies(case, 3)
    for place, accuracy in enumerate((0.0, middle, low, middle, high, high)):
        model.params["W1"] = model.params["W1"] + 1
        model.params["b1"] += place
        solver._update_best(accuracy)
        record.append([solver.best_val_acc, solver.epochs_without_gain])
    model.params["W1"] *= 3
    return {"best accuracy and epochs without gain": record, "best_params": solver.best_params}


TRAINING = ["mlp.solver.Solver._step", "mlp.solver.Solver.check_accuracy", "mlp.solver.Solver._update_best"]


def _train(code, case, script, return_best_params=True, time_limit=None, **settings):
    data = scripted_data(case, 7)
    model = Scripted(data["X_train"], script, steps_in_epoch=3)
    solver = code.mlp.solver.Solver(
        model, data, update_rule=counting_rule, batch_size=3, num_epochs=len(script), **settings
    )
    solver.train(time_limit=time_limit, return_best_params=return_best_params)
    return solver, model


@check("mlp.solver.Solver.train", points=2, stateful=True, uses=TRAINING)
def solver_train(code, case):
    """Epochs of every image once, a learning rate that decays, and the best parameters at the end."""
    low, middle, high = _accuracies(case, 3)
    script = low, high, middle
    solver, model = _train(code, case, script, lr_decay=0.5)
    _, last_model = _train(code, case, script, return_best_params=False)
    hurried, _ = _train(code, case, script, time_limit=0)
    b1 = model.params["b1"].clone()
    model.params["b1"] += 1
    return {
        "val_acc_history": solver.val_acc_history,
        "sizes of batches": [len(batch) for batch in model.seen],
        "labels of the first epoch, sorted": torch.cat(model.labels[:3]).sort().values,
        "b1 at the end": b1,
        "best b1 after a change of the model's": solver.best_params["b1"],
        "b1 at the end without return_best_params": last_model.params["b1"],
        "learning rate": solver.optim_configs["b1"]["learning_rate"],
        "steps with time_limit=0": len(hurried.loss_history),
    }


@check("mlp.solver.Solver.train:patience", points=1, stateful=True, uses=TRAINING)
def solver_patience(code, case):
    """Stop after so many epochs without a better validation accuracy."""
    first, low, middle, high, highest = _accuracies(case, 5)
    script = (first, middle, low, high, low, high, middle, highest)
    return {
        f"val_acc_history for patience={patience}": _train(code, case, script, patience=patience)[
            0
        ].val_acc_history
        for patience in (1, 3, None)
    }


def order_law(outputs: dict[str, Any], expected: dict[str, Any]) -> str | None:
    """Each epoch is an order of its own; two of 40 images agree by chance with probability 1 / 40!."""
    orders = [outputs["labels of epoch 1"], outputs["labels of epoch 2"]]
    for place, order in enumerate(orders, start=1):
        if order.sort().values.tolist() != list(range(40)):
            return f"epoch {place} does not see every training image exactly once"
    if not outputs["first column"].long().equal(orders[0]):
        return "images and labels do not belong together any more"
    if orders[0].equal(expected["y_train"]):
        return "the training images come in the order of the data"
    if orders[0].equal(orders[1]):
        return "two epochs have the same order"
    return None


@check("mlp.solver.Solver.train:order", points=1, uses=TRAINING, law=order_law)
def solver_order(code, case):
    """A new order in every epoch, images and labels together."""
    data = scripted_data(case, 40)
    model = Scripted(data["X_train"], (0.5, 0.5), steps_in_epoch=5)
    code.mlp.solver.Solver(model, data, update_rule=counting_rule, batch_size=8, num_epochs=2).train()
    return {
        "y_train": data["y_train"],
        "labels of epoch 1": torch.cat(model.labels[:5]),
        "labels of epoch 2": torch.cat(model.labels[5:]),
        "first column": torch.cat(model.seen[:5])[:, 0],
    }
