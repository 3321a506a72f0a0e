"""What the regression reaches, by seed and table: evidence for what the notebook promises."""

import functools
from collections.abc import Callable

import torch
from torch import Tensor

from exercise_code.data import CSVDataset, select_split
from exercise_code.regression import BCE, Classifier
from exercise_code.regression.housing import TARGET, binarize, get_housing_data, test_accuracy
from exercise_code.regression.solver import Solver
from exercise_code.support.data import housing_csv

DATASETS = ("generated", "california_housing")
INCOME = ("median_income",)


def cheap_or_dear(seed: int, table: str, columns: tuple[str, ...]) -> float:
    """Validation accuracy of a classifier after 2,000 steps, with split and first weights from the seed."""
    houses = get_housing_data(table, columns)
    X, y = (torch.cat([houses[f"{name}_{split}"] for split in ("train", "val", "test")]) for name in "Xy")
    rows = {split: select_split(len(y), split, seed=seed) for split in ("train", "val")}
    limits = [y[rows["train"]].quantile(share).item() for share in (0.3, 0.7)]
    data: dict[str, Tensor] = {}
    for split, chosen in rows.items():
        data[f"X_{split}"], data[f"y_{split}"] = binarize(X[chosen], y[chosen], *limits)
    torch.manual_seed(seed)
    model = Classifier(len(columns))
    Solver(model, data, BCE(), learning_rate=5.0, verbose=False).train(2_000)
    return test_accuracy(model.forward(data["X_val"]), data["y_val"])


@functools.cache
def all_columns(table: str) -> tuple[str, ...]:
    """All columns of numbers but the price."""
    columns = CSVDataset(housing_csv(table), TARGET).columns
    return tuple(name for name, values in columns.items() if name != TARGET and values.dtype.kind == "f")


RUNS: dict[str, Callable[[int, str], float]] = {
    "cheap or dear, income alone": lambda seed, table: cheap_or_dear(seed, table, INCOME),
    "cheap or dear, all columns": lambda seed, table: cheap_or_dear(seed, table, all_columns(table)),
}
