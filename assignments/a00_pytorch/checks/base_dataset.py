"""What is asked of `data.base_dataset`."""

import itertools
from typing import Any

import numpy as np

from exercise_code.support.checking.declare import check


def split_law(outputs: dict[str, Any], expected: dict[str, Any]) -> str | None:
    """The parts hold every sample once, mixed, and always the same ones for one seed.

    41 shuffled samples have neighbours alone in the second part with probability 34 / C(41, 8), below 4e-7,
    and the same first part for two seeds with probability below 1e-11.
    """
    parts = [sorted(outputs[name].tolist()) for name in ("train", "val", "test")]
    numbers = sorted(itertools.chain(*parts))
    if min(numbers) < 0 or max(numbers) > 40:
        return "there are numbers of samples that do not exist"
    if any(len(set(part)) < len(part) for part in parts):
        return "a sample is twice in one part"
    if sorted(outputs["train again"].tolist()) != parts[0]:
        return "two calls with one seed give two splits"
    if {*parts[1], *parts[2]} <= {*parts[0]}:
        return "all parts begin with the same samples"
    if numbers != list(range(41)):
        return "some samples are in two parts, others in none"
    if parts[1][-1] - parts[1][0] == len(parts[1]) - 1:
        return "the samples are not mixed before they are cut"
    if sorted(outputs["train by another seed"].tolist()) == parts[0]:
        return "another seed gives the same split"
    return None


@check("data.base_dataset.select_split", points=2, law=split_law, library="numpy")
def splits(code, case):
    """Parts without overlap, mixed, and always the same."""
    select, seed = code.data.base_dataset.select_split, case.integer(1, 1000)
    shares = {"train": 0.6, "val": 0.2, "test": 0.2}
    parts = {mode: np.asarray(select(41, mode, shares, seed)) for mode in shares}
    again, other = (np.asarray(select(41, "train", shares, place)) for place in (seed, seed + 1))
    return {**parts, "train again": again, "train by another seed": other}
