"""What is asked of `data.dataloader`."""

from typing import Any

import numpy as np

from exercise_code.support.checking.declare import check

from .common import picture

LOADER = "data.dataloader.DataLoader."


class Samples:
    """A data set of given samples, which writes down what it is asked for."""

    def __init__(self, samples: list[dict[str, Any]]):
        self.samples, self.asked = samples, []

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> dict[str, Any]:
        self.asked.append(int(index))
        return self.samples[index]


# Batches
def drawn_samples(case, count: int) -> Samples:
    """Pictures and labels."""
    return Samples([{"image": picture(case, 2, 3), "label": case.integer(0, 9)} for _ in range(count)])


@check(f"{LOADER}__len__", points=1, library="numpy")
def number_of_batches(code, case):
    """Full batches, and the rest if it is kept."""
    size, full = case.integer(3, 6), case.shuffled(range(3, 40))
    sizes = {"divisible": full[0] * size, "with a rest": full[1] * size + 1, "less than a batch": size - 1}
    return {
        f"{name}, drop_last={drop}": len(
            code.data.dataloader.DataLoader(Samples([{}] * count), size, False, drop)
        )
        for name, count in sizes.items()
        for drop in (False, True)
    }


@check(f"{LOADER}__iter__", points=2, library="numpy", uses=[f"{LOADER}__len__"])
def loader_batches(code, case):
    """Dicts of arrays, in the order of the data set."""
    return {
        f"{count} samples, drop_last={drop}": list(
            code.data.dataloader.DataLoader(drawn_samples(case, count), 3, False, drop, seed=count)
        )
        for count, drop in ((7, False), (7, True), (6, False), (6, True))
    }


def lazy_law(outputs: dict[str, Any], expected: dict[str, Any]) -> str | None:
    """Nothing is asked for that is not due soon; nothing is left to chance."""
    asked = outputs["asked before the first batch"]
    return None if asked <= 8 else f"{asked} samples are loaded before the first batch of 4 comes out"


@check(f"{LOADER}__iter__:lazy", points=1, library="numpy", law=lazy_law, uses=[f"{LOADER}__len__"])
def lazy(code, case):
    """Samples are loaded when their batch is due."""
    dataset = drawn_samples(case, 40)
    next(iter(code.data.dataloader.DataLoader(dataset, 4, shuffle=bool(case.integer(0, 1)))))
    return {"asked before the first batch": len(dataset.asked)}


def shuffle_law(outputs: dict[str, Any], expected: dict[str, Any]) -> str | None:
    """Every sample once in each epoch, in orders that differ; two of 40 agree with probability 1 / 40!."""
    first, second = outputs["epochs"].tolist()
    if not outputs["squares"].equal(outputs["epochs"] ** 2):
        return "the fields of a sample do not stay together"
    if any(sorted(epoch) != list(range(40)) for epoch in (first, second)):
        return "an epoch does not hold every sample exactly once"
    if first == sorted(first):
        return "the samples come in their own order"
    if first == second:
        return "the second epoch has the order of the first"
    if all(max(first[i : i + 8]) - min(first[i : i + 8]) == 7 for i in range(0, 40, 8)):
        return "only whole batches change places"
    return None


@check(f"{LOADER}__iter__:shuffle", points=1, library="numpy", law=shuffle_law, uses=[f"{LOADER}__len__"])
def shuffled(code, case):
    """Another order in every epoch."""
    dataset = Samples([{"number": number, "square": number**2} for number in range(40)])
    loader = code.data.dataloader.DataLoader(dataset, 8, shuffle=True, seed=case.integer(0, 10**6))
    epochs = [[*loader] for _ in range(2)]
    numbers, squares = (
        np.stack([np.concatenate([batch[name] for batch in batches]) for batches in epochs])
        for name in ("number", "square")
    )
    return {"epochs": numbers, "squares": squares}
