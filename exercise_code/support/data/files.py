"""Data as files on disk, for those who write the reading themselves: a table, and folders of images."""

import csv
import functools
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from exercise_code.support.data import registry
from exercise_code.support.data.registry import DataError

GENERATED_ROWS = 2_000


def housing_csv(name: str = "generated") -> Path:
    """A table of houses, one district of California in each row.

    R. Pace, R. Barry, Sparse Spatial Autoregressions, 1997 (census of 1990; `ocean_proximity` came later).

    Args:
        name: "generated" is drawn by the course itself, has the same columns, and is always here;
            "california_housing" is the real table.

    Returns:
        The path of the CSV file.

    Raises:
        DataError: there is no such table, or it is damaged or not to be had.
    """
    if name == "generated":
        return stored("housing-generated.csv", _write_generated)
    if name != "california_housing":
        raise DataError(f"there is no table {name!r}: choose from generated, california_housing")
    (file,) = registry.obtain(registry.find(name))
    return registry.copies(file)[0]


def image_folder(name: str, num_images: int) -> Path:
    """The first training images of a data set as PNG files, in a folder for each class.

    Args:
        name: a data set that `load` knows.
        num_images: how many.

    Returns:
        The folder that holds the folders.

    Raises:
        DataError: the data set cannot be had.
    """
    return stored(
        f"{name}-{num_images}-png", functools.partial(_write_images, name=name, num_images=num_images)
    )


def stored(name: str, write: Callable[[Path], object]) -> Path:
    """A file or folder in the cache, written if it is not there yet; it appears complete or not at all.

    Raises:
        DataError: there is no place to write to.
    """
    for place in registry.homes():
        if (place / "cache" / name).exists():
            return place / "cache" / name
    cache = registry.home() / "cache"
    with tempfile.TemporaryDirectory(dir=cache) as temporary:
        fresh = Path(temporary) / name
        write(fresh)
        try:
            fresh.rename(cache / name)
        except OSError:
            if not (cache / name).exists():  # else another process was faster
                raise
    return cache / name


def _write_images(folder: Path, name: str, num_images: int) -> None:
    from exercise_code.support.data import classes, load

    images, labels, _, _ = load(name, num_images, 0)
    pixels = (images * 255).round().byte().permute(0, 2, 3, 1).numpy()
    names = classes(name)
    for class_name in names:
        (folder / class_name).mkdir(parents=True)
    pairs = zip(pixels, labels.tolist(), strict=True)
    files = registry.Bar(pairs, f"writing {name}", num_images, leave=False)
    for number, (image, label) in enumerate(files):
        Image.fromarray(image).save(folder / names[label] / f"{number:05}.png")


def _write_generated(path: Path) -> None:
    columns = _generated_columns(GENERATED_ROWS, np.random.default_rng(1990))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))


def _generated_columns(rows: int, random: np.random.Generator) -> dict[str, np.ndarray]:
    """Districts that are made up: dearer with income and near the sea, with the real table's flaws.

    As there, prices end at 500,001 and ages at 52, counts of rooms and people go together, and some numbers
    of bedrooms are missing.
    """
    along, inland = random.random(rows), random.gamma(1.3, 0.8, rows).clip(0, 4)
    income = random.lognormal(1.25 - 0.06 * inland, 0.43).clip(0.5, 15)
    age = random.normal(31 - 2 * inland, 12).round().clip(1, 52)
    households = random.lognormal(6.05, 0.65, rows).round().clip(2)
    per_household = random.lognormal(1.35 + 0.3 * np.log(income / 3.5), 0.18)
    bedrooms = (households * random.lognormal(0.06, 0.08, rows)).round()
    value = np.exp(
        12.15
        + 0.62 * np.log(income / 3.5)
        - 0.24 * inland
        + 0.004 * (age - 29)
        + random.normal(0, 0.25, rows)
    )
    names = np.array(["NEAR OCEAN", "NEAR BAY", "<1H OCEAN", "INLAND"])
    kinds = np.where(inland > 1.2, 3, np.where(inland > 0.35, 2, np.where(along < 0.45, 1, 0)))
    bedrooms_text = bedrooms.astype(str)
    bedrooms_text[random.random(rows) < 0.01] = ""
    return {
        "longitude": (-117.1 - 6.9 * (1 - along) + 0.9 * inland).round(2),
        "latitude": (32.6 + 8.4 * (1 - along) + 0.4 * inland).round(2),
        "housing_median_age": age,
        "total_rooms": (households * per_household).round(),
        "total_bedrooms": bedrooms_text,
        "population": (households * random.lognormal(1.05, 0.25, rows)).round(),
        "households": households,
        "median_income": income.round(4),
        "median_house_value": (value.round(-2)).clip(15_000, 500_001),
        "ocean_proximity": names[kinds],
    }
