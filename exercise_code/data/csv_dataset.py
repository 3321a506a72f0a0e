"""A table in a file, row by row."""

import csv
import math
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from exercise_code.data.base_dataset import SPLIT, Dataset, select_split

Stats = dict[str, dict[str, float]]


class CSVDataset(Dataset):
    """The rows of a CSV file; the first line names the columns.

    Attributes:
        columns: the values of each column as an array: floats, in which a missing value is nan, or text.
        target_column: the column that is to be predicted.
        transform: a function of a sample, or None.
    """

    def __init__(
        self,
        root: str | Path,
        target_column: str,
        transform: Callable[[dict[str, Any]], Any] | None = None,
        mode: str | None = None,
        split: Mapping[str, float] = SPLIT,
    ):
        """Read the file.

        Args:
            root: the file.
            target_column: the column that is to be predicted.
            transform: applied to each sample when it is asked for.
            mode: "train", "val" or "test" for that part of the rows; None for all of them.
            split: the share of each part.

        Raises:
            ValueError: there is no column of that name.
        """
        super().__init__(root)
        self.target_column, self.transform = target_column, transform
        with self.root.open(newline="", encoding="utf-8") as file:
            names, *rows = csv.reader(file)
        if target_column not in names:
            raise ValueError(f"{self.root.name} has no column {target_column!r}: it has {', '.join(names)}")
        if mode is not None:
            rows = [rows[i] for i in select_split(len(rows), mode, split)]
        self.columns = {
            name: _column(values) for name, values in zip(names, zip(*rows, strict=True), strict=True)
        }

    def column_stats(self, names: Iterable[str]) -> Stats:
        """Smallest and largest value and mean of some columns, missing values aside."""
        functions = {"min": np.nanmin, "max": np.nanmax, "mean": np.nanmean}
        return {
            name: {key: float(function(self.columns[name])) for key, function in functions.items()}
            for name in names
        }

    def __len__(self) -> int:
        return self.columns[self.target_column].size

    def __getitem__(self, index: int) -> Any:
        """{"features": the other columns' values by name, "target": the target's value}, transformed."""
        row = {name: column[index].item() for name, column in self.columns.items()}
        sample = {"features": row, "target": row.pop(self.target_column)}
        return sample if self.transform is None else self.transform(sample)


class FeatureSelectorAndNormalizationTransform:
    """Keeps some columns of a row, each mapped to [0, 1] by the smallest and largest value in training."""

    def __init__(self, column_stats: Stats, target_column: str):
        """Remember the statistics, which are those of the training rows, whatever rows come later.

        Args:
            column_stats: "min", "max" and "mean" of each column that is to be kept, and of the target.
            target_column: the column that is to be predicted.
        """
        self.column_stats, self.target_column = column_stats, target_column

    def __call__(self, data_dict: Mapping[str, Any]) -> dict[str, np.ndarray]:
        """Select and rescale: a column's min becomes 0, its max 1; a missing value (nan) counts as its mean.

        Args:
            data_dict: {"features": values by name, "target": a value}, as a `CSVDataset` has them.

        Returns:
            {"features": (num_columns - 1,), the columns in the order of column_stats, without the target;
            "target": (1,)}.
        """
        ### BEGIN SOLUTION
        values = {**data_dict["features"], self.target_column: data_dict["target"]}
        scaled = {}
        for name, stats in self.column_stats.items():
            value = stats["mean"] if math.isnan(values[name]) else values[name]
            scaled[name] = (value - stats["min"]) / (stats["max"] - stats["min"])
        target = scaled.pop(self.target_column)
        return {"features": np.array(list(scaled.values())), "target": np.array([target])}
        ### END SOLUTION


def _column(values: Iterable[str]) -> np.ndarray:
    """Numbers where all values are numbers or missing, else text."""
    values = list(values)
    try:
        return np.array([float(value or "nan") for value in values])
    except ValueError:
        return np.array(values)
