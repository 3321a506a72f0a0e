"""How people get `data.csv_dataset` wrong, and the hint each mistake deserves."""

import math

import numpy as np

from exercise_code.support.checking.declare import mistake

FEATURES = "data.csv_dataset.FeatureSelectorAndNormalizationTransform.__call__"


def _scaled(transform, data_dict, scale, *, order=None, target=True, missing=True):
    values = {**data_dict["features"], transform.target_column: data_dict["target"]}
    if missing:
        values |= {n: s["mean"] for n, s in transform.column_stats.items() if math.isnan(values[n])}
    names = [n for n in order or transform.column_stats if n in transform.column_stats]
    features = [scale(values[n], transform.column_stats[n]) for n in names if n != transform.target_column]
    name = transform.target_column
    due = scale(values[name], transform.column_stats[name]) if target else values[name]
    return {"features": np.array(features), "target": np.array([due])}


def _min_max(value, stats):
    return (value - stats["min"]) / (stats["max"] - stats["min"])


@mistake(FEATURES, hint="A missing value stays nan, and one nan makes every weight nan: put the mean in.")
def columns_keep_nan(self, data_dict):
    return _scaled(self, data_dict, _min_max, missing=False)


@mistake(FEATURES, hint="A missing value becomes 0, the smallest of all: the mean is a better guess.")
def columns_zero_for_nan(self, data_dict):
    scaled = _scaled(self, data_dict, _min_max, missing=False)
    return {key: np.nan_to_num(values) for key, values in scaled.items()}


@mistake(FEATURES, hint="The mean is taken off instead of the smallest value, so the range is not 0 to 1.")
def columns_around_mean(self, data_dict):
    return _scaled(self, data_dict, lambda v, s: (v - s["mean"]) / (s["max"] - s["min"]))


@mistake(FEATURES, hint="This divides by the largest value: take the smallest off, then divide by the range.")
def columns_by_max(self, data_dict):
    return _scaled(self, data_dict, lambda v, s: v / s["max"])


@mistake(FEATURES, hint="It divides by the largest value: the range to divide by is max minus min.")
def columns_by_max_after_min(self, data_dict):
    return _scaled(self, data_dict, lambda v, s: (v - s["min"]) / s["max"])


@mistake(FEATURES, hint="The target is left as it was: it has statistics, too.")
def columns_raw_target(self, data_dict):
    return _scaled(self, data_dict, _min_max, target=False)


@mistake(
    FEATURES, hint="The features come in the order of the row; they belong in the order of column_stats."
)
def columns_in_order_of_row(self, data_dict):
    return _scaled(self, data_dict, _min_max, order=list(data_dict["features"]))


@mistake(FEATURES, hint="The target is among the features: a model would only have to copy it.")
def columns_leak_target(self, data_dict):
    scaled = _scaled(self, data_dict, _min_max)
    return {**scaled, "features": np.append(scaled["features"], scaled["target"])}
