"""How people get `data.base_dataset` wrong, and the hint each mistake deserves."""

import numpy as np

from exercise_code.data.base_dataset import SPLIT
from exercise_code.support.checking.declare import mistake

SELECT = "data.base_dataset.select_split"


def _cuts(num_samples, split):
    return np.round(np.cumsum(list(split.values())) * num_samples).astype(int)


@mistake(
    SELECT,
    hint="The samples are cut in their own order. Sorted by class, the last classes would only be in test.",
)
def split_without_shuffling(num_samples, mode, split=SPLIT, seed=0):
    return np.split(np.arange(num_samples), _cuts(num_samples, split))[list(split).index(mode)]


@mistake(
    SELECT,
    hint="Every call shuffles anew, so that training images turn up in validation: use the seed.",
)
def split_shuffles_anew(num_samples, mode, split=SPLIT, seed=0):
    order = np.random.default_rng().permutation(num_samples)
    return np.split(order, _cuts(num_samples, split))[list(split).index(mode)]


@mistake(SELECT, hint="Each part is drawn from all samples, so parts overlap: shuffle once, then cut.")
def split_draws_each_part(num_samples, mode, split=SPLIT, seed=0):
    parts = np.split(np.arange(num_samples), _cuts(num_samples, split))
    size = len(parts[list(split).index(mode)])
    random = np.random.default_rng([seed, list(split).index(mode)])
    return random.permutation(num_samples)[:size]


@mistake(SELECT, hint="The seed is not used: another seed is to give another split.")
def split_with_fixed_seed(num_samples, mode, split=SPLIT, seed=0):
    order = np.random.default_rng(0).permutation(num_samples)
    return np.split(order, _cuts(num_samples, split))[list(split).index(mode)]


@mistake(SELECT, hint="Samples are drawn with repetition: one comes twice, another one never.")
def split_with_repetition(num_samples, mode, split=SPLIT, seed=0):
    order = np.random.default_rng(seed).integers(0, num_samples, num_samples)
    return np.split(order, _cuts(num_samples, split))[list(split).index(mode)]


@mistake(
    SELECT,
    hint="A part has another size: it ends where a cut lies, and the cuts are rounded, not the sizes.",
)
def split_rounds_down(num_samples, mode, split=SPLIT, seed=0):
    order = np.random.default_rng(seed).permutation(num_samples)
    cuts = np.cumsum([int(share * num_samples) for share in split.values()])
    return np.split(order, cuts)[list(split).index(mode)]


@mistake(SELECT, hint="Every part starts at the front: a part begins where the one before it ends.")
def split_from_the_front(num_samples, mode, split=SPLIT, seed=0):
    order = np.random.default_rng(seed).permutation(num_samples)
    sizes = np.diff(_cuts(num_samples, split), prepend=0)
    return order[: sizes[list(split).index(mode)]]
