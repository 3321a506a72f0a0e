"""What is asked of `data.csv_dataset`."""

import math

import numpy as np

from exercise_code.support.checking.declare import check

from .common import picture


@check(
    "data.csv_dataset.FeatureSelectorAndNormalizationTransform.__call__",
    points=1,
    library="numpy",
)
def selected_columns(code, case):
    """Some columns of a row, on the scale of the training rows."""
    columns = case.shuffled(["age", "income", "price", "rooms"])
    drawn = np.sort(picture(case, 4, 3, low=-10, high=30), axis=1)
    values = {
        name: dict(zip(("min", "mean", "max"), row.tolist(), strict=True))
        for name, row in zip(columns, drawn, strict=True)
    }
    scaled = code.data.csv_dataset.FeatureSelectorAndNormalizationTransform(values, "price")
    backwards = columns[::-1]  # no row has the order of the columns
    rows = [dict(zip(backwards, row, strict=True)) for row in picture(case, 2, 4, low=-20, high=40).tolist()]
    rows[1]["income"] = math.nan
    return {
        f"row {i}": scaled({"features": {"sea": "near", **row}, "target": row.pop("price")})
        for i, row in enumerate(rows)
    }
