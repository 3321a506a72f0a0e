"""What the reference reaches over many seeds: the evidence for every accuracy that is asked for or promised.

    python -m benchmarks.thresholds [a02 …] [--seeds 10] [--data shapes] [--runs softmax] [--again]

An assignment says what is measured: `RUNS` in its thresholds.py names functions of a seed and a data set
that return an accuracy, `DATASETS` the data sets if they are others than `shapes` and CIFAR-10. What has been
measured is kept, so a run that was stopped goes on where it was. Writes thresholds.json and thresholds.md
beside it; what stands below the table there is left alone.
"""

import argparse
import json
import runpy
import time
from collections.abc import Callable
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import torch
from rich.console import Console
from rich.table import Table
from tqdm import tqdm

from exercise_code.support import data
from exercise_code.support.paths import ROOT

DATASETS = ("shapes", "cifar10")
SHARE = 3.1
"""Standard deviations below the mean that 99.9 % of normally distributed accuracies exceed."""
HEADER = "| run | data | seeds | mean | sd | min | seconds (threads) | mean - 3.1 sd |"
INTRODUCTION = """# What the reference reaches

Written by `python -m benchmarks.thresholds {name}` from `thresholds.py`. Seconds are those of one seed, in
brackets the threads, on a machine with other work to do; a dash stands where the number comes out of the
training of a row above. 99.9 % of the runs exceed the last column.
"""

Row = dict[str, Any]


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("assignments", nargs="*", help="beginnings of their names; none is all of them")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--data", nargs="+", help="only these data sets")
    parser.add_argument("--runs", default="", help="only runs whose name contains this")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--again", action="store_true", help="measure again what has been measured")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    wanted = tuple(options.assignments) or ("",)
    for script in sorted(ROOT.glob("assignments/*/evidence/thresholds.py")):
        if script.parents[1].name.startswith(wanted):
            measure(script, options)
            show(script.parents[1])


def measure(script: Path, options: argparse.Namespace) -> None:
    """Run what is asked of one assignment and has not been measured, and write it down seed by seed."""
    settings = runpy.run_path(str(script))
    runs: dict[str, Callable[[int, str], float]] = settings["RUNS"]
    datasets: tuple[str, ...] = settings.get("DATASETS", DATASETS)
    target = script.with_suffix(".json")
    known = json.loads(target.read_text(encoding="utf-8")) if target.exists() else []
    rows: dict[tuple[str, str], Row] = {(row["run"], row["dataset"]): row for row in known}
    there = [name for name in datasets if name == "generated" or data.available(name)]
    for dataset in there if options.data is None else [name for name in there if name in options.data]:
        for name in (name for name in runs if options.runs in name):
            row = rows.setdefault((name, dataset), {"run": name, "dataset": dataset, "accuracies": {}})
            if options.again:
                row["accuracies"] = {}
            due = [seed for seed in range(options.seeds) if str(seed) not in row["accuracies"]]
            for seed in tqdm(due, desc=f"{name}, {dataset}", unit="seed", disable=not due):
                before, count = row.get("seconds", 0.0), len(row["accuracies"])
                started = time.perf_counter()
                row["accuracies"][str(seed)] = runs[name](seed, dataset)
                seconds = time.perf_counter() - started
                _summarise(row, (before * count + seconds) / (count + 1), options.threads)
                ordered = [rows[key] for d in datasets for key in ((n, d) for n in runs) if key in rows]
                target.write_text(json.dumps(ordered, indent=1) + "\n", encoding="utf-8")


def _summarise(row: Row, seconds: float, threads: int) -> None:
    values = list(row["accuracies"].values())
    row |= {"mean": fmean(values), "sd": stdev(values) if len(values) > 1 else None, "min": min(values)}
    row |= {"seconds": seconds, "threads": threads}


def show(folder: Path) -> None:
    """Print the table of an assignment and write it to thresholds.md."""
    rows = json.loads((folder / "evidence" / "thresholds.json").read_text(encoding="utf-8"))
    lines = [_line(row) for row in rows if row["accuracies"]]
    table = Table(*[column.strip() for column in HEADER.strip("|").split("|")], title=folder.name)
    for line in lines:
        table.add_row(*line)
    Console().print(table)
    target = folder / "evidence" / "thresholds.md"
    old = target.read_text(encoding="utf-8") if target.exists() else ""
    below = old.rpartition("|\n")[2]
    written = [HEADER, "|---" * len(table.columns) + "|", *(f"| {' | '.join(line)} |" for line in lines)]
    introduction = INTRODUCTION.format(name=folder.name.partition("_")[0])
    target.write_text("\n".join([introduction, *written]) + "\n" + below, encoding="utf-8")


def _line(row: Row) -> list[str]:
    sd, seconds = row["sd"], row["seconds"]
    time_taken = f"{seconds:.1f} ({row.get('threads', 1)})" if seconds > 0.05 else "-"
    spread = ["-", "-"] if sd is None else [f"{sd:.4f}", f"{row['mean'] - SHARE * sd:.3f}"]
    return [
        row["run"],
        row["dataset"],
        str(len(row["accuracies"])),
        f"{row['mean']:.4f}",
        spread[0],
        f"{row['min']:.3f}",
        time_taken,
        spread[1],
    ]


if __name__ == "__main__":
    main()
