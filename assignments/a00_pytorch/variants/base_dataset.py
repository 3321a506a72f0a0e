"""Right versions of `data.base_dataset`, written otherwise."""

import itertools
import random

import numpy as np
import torch

from exercise_code.data.base_dataset import SPLIT
from exercise_code.support.checking.declare import variant


@variant("data.base_dataset.select_split")
def split_with_legacy_generator(num_samples, mode, split=SPLIT, seed=0):
    order = list(range(num_samples))
    random.Random(seed).shuffle(order)
    begin, end = 0.0, 0.0
    for name, share in split.items():
        begin, end = end, end + share
        if name == mode:
            break
    return np.array(order[round(begin * num_samples) : round(end * num_samples)])


@variant("data.base_dataset.select_split")
def split_by_torch(num_samples, mode, split=SPLIT, seed=0):
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(num_samples, generator=generator).numpy()
    cuts = [0, *(round(sum(list(split.values())[: i + 1]) * num_samples) for i in range(len(split)))]
    parts = {name: order[a:b] for name, (a, b) in zip(split, itertools.pairwise(cuts), strict=True)}
    return parts[mode]
