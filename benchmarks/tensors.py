"""The speed experiment of the notebook on tensors: batched products with and without a loop, as ratios."""

import statistics
import time
from collections.abc import Callable

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor

from benchmarks._table import save
from exercise_code import pytorch101

SIDES, BATCHES, TRIALS = (8, 64, 256), (4, 28, 124), 20


def seconds(function: Callable[[Tensor, Tensor], Tensor], x: Tensor, y: Tensor) -> float:
    """Time of a call."""
    start = time.perf_counter()
    function(x, y)
    return time.perf_counter() - start


def ratios(side: int, batch: int) -> list[float]:
    """How many times as long the loop takes as one call, trial by trial, each after a call to warm up."""
    random = torch.Generator().manual_seed(0)
    x, y = torch.rand(2, batch, side, side, generator=random)
    versions = pytorch101.batched_matrix_multiply_loop, pytorch101.batched_matrix_multiply_noloop
    for version in versions:
        version(x, y)
    loop, no_loop = ([seconds(version, x, y) for _ in range(TRIALS)] for version in versions)
    return [a / b for a, b in zip(sorted(loop), sorted(no_loop), strict=True)]


def main() -> None:
    """Print a table and write the numbers to build/benchmarks/tensors.json."""
    found = {"threads": torch.get_num_threads(), "trials": TRIALS, "loop / no loop": []}
    table = Table(
        "matrices", *(f"B = {batch}" for batch in BATCHES), title="loop / no loop: median (quartiles)"
    )
    for side in SIDES:
        cells = []
        for batch in BATCHES:
            low, middle, high = statistics.quantiles(ratios(side, batch), n=4)
            cells.append(f"{middle:.1f} ({low:.1f} to {high:.1f})")
            record = {"side": side, "batch": batch, "median": middle, "quartiles": [low, high]}
            found["loop / no loop"].append(record)
        table.add_row(f"{side} x {side}", *cells)
    Console().print(table)
    save(found, "tensors")


if __name__ == "__main__":
    main()
