"""Houses to learn from, and how well it went."""

from jaxtyping import Float
from torch import Tensor
from torch.utils.data import default_collate

from exercise_code.data.csv_dataset import CSVDataset, FeatureSelectorAndNormalizationTransform
from exercise_code.support.data import housing_csv

TARGET = "median_house_value"


def get_housing_data(
    name: str = "generated", columns: tuple[str, ...] = ("median_income",)
) -> dict[str, Float[Tensor, "rows columns"]]:
    """Districts of California as tensors, mapped to [0, 1] by the training rows.

    Args:
        name: "generated" or "california_housing".
        columns: which features to keep.

    Returns:
        `X_train`, `X_val`, `X_test`: (rows, len(columns)), and `y_train`, `y_val`, `y_test`: (rows, 1), the
        price; all are float64.

    Raises:
        DataError: the table cannot be had.
    """
    path = housing_csv(name)
    stats = CSVDataset(path, TARGET, mode="train").column_stats([*columns, TARGET])
    transform = FeatureSelectorAndNormalizationTransform(stats, TARGET)
    data = {}
    for mode in ("train", "val", "test"):
        dataset = CSVDataset(path, TARGET, transform, mode)
        rows = default_collate([dataset[place] for place in range(len(dataset))])
        data[f"X_{mode}"], data[f"y_{mode}"] = rows["features"], rows["target"]
    return data


def binarize(
    X: Float[Tensor, "rows columns"], y: Float[Tensor, "rows 1"], a_pct: float, b_pct: float
) -> tuple[Float[Tensor, "kept columns"], Float[Tensor, "kept 1"]]:
    """Cheap or expensive: turn prices into classes, and leave out the rows between.

    Args:
        X: features.
        y: prices.
        a_pct: the price up to which a house is cheap, class 0; of the training prices, the 30th percentile.
        b_pct: the price from which on it is expensive, class 1; of the training prices, the 70th percentile.
    """
    kept = ((y <= a_pct) | (y >= b_pct)).squeeze(1)
    return X[kept], (y[kept] >= b_pct).to(y.dtype)


def test_accuracy(y_pred: Float[Tensor, "rows 1"], y_true: Float[Tensor, "rows 1"]) -> float:
    """The share of samples whose class is 1 exactly where its probability is above one half."""
    return ((y_pred > 0.5) == (y_true > 0.5)).double().mean().item()
