"""The ladder of classifiers on one data set, from guessing to a deep network: a table and a figure.

    python -m benchmarks.ladder [--data shapes] [--quick]

Reads what `benchmarks.thresholds` has measured for a01 to a05; writes build/benchmarks/ladder-….png. With
`--quick` there is a table alone, of three networks after five epochs on 2,000 images.
"""

import argparse
import json
from collections.abc import Mapping
from itertools import pairwise
from statistics import fmean, stdev

from rich.console import Console
from rich.table import Table

from assignments.a02_linear.figures import ladder
from exercise_code.support import data
from exercise_code.support.notebook import plotting
from exercise_code.support.paths import ASSIGNMENTS, ROOT

RUNGS = {
    "20 neighbours": ("a01_knn", "20 neighbours, validation"),
    "linear, SVM": ("a02_linear", "SVM, validation"),
    "linear, softmax": ("a02_linear", "softmax, validation"),
    "two layers": ("a02_linear", "two layers, validation"),
    "deep": ("a03_mlp", "deep network, validation"),
}

QUICK = {
    "MLP": ("a04_cnn", "quick MLP, test"),
    "CNN": ("a04_cnn", "quick CNN, test"),
    "ResNet": ("a05_training", "quick ResNet, test"),
}


def measured(rungs: Mapping[str, tuple[str, str]], dataset: str) -> dict[str, list[float]]:
    """The accuracies of all seeds, rung by rung.

    Raises:
        SystemExit: a rung has not been measured.
    """
    found = {}
    for rung, (assignment, run) in rungs.items():
        path = ASSIGNMENTS / assignment / "evidence" / "thresholds.json"
        rows = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
        for row in rows:
            if (row["run"], row["dataset"]) == (run, dataset):
                found[rung] = list(row["accuracies"].values())
        if rung not in found:
            raise SystemExit(f"{rung}: first run `python -m benchmarks.thresholds {assignment}`")
    return found


def main() -> None:
    """Print the table and draw the figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", choices=("shapes", "cifar10"), default="shapes")
    parser.add_argument("--quick", action="store_true", help="networks in quick mode")
    options = parser.parse_args()
    dataset = options.data
    chance = 1 / len(data.classes(dataset))
    rungs = measured(QUICK if options.quick else RUNGS, dataset)
    linear = max(
        (name for name in rungs if name.startswith("linear")), key=lambda rung: fmean(rungs[rung]), default=""
    )
    steps = {name: runs for name, runs in rungs.items() if not name.startswith("linear") or name == linear}
    table = Table("classifier", "seeds", "mean", "sd", "points above the one before", title=dataset)
    table.add_row("guessing", "", f"{chance:.3f}", "", "")
    means = [chance, *map(fmean, steps.values())]
    for (name, runs), (before, after) in zip(steps.items(), pairwise(means), strict=True):
        gain = f"{100 * (after - before):.1f}"
        table.add_row(name, str(len(runs)), f"{after:.3f}", f"{stdev(runs):.3f}", gain)
    Console().print(table)
    if options.quick:
        return
    plotting.use_style()
    target = ROOT / "build" / "benchmarks" / f"ladder-{dataset}.png"
    target.parent.mkdir(parents=True, exist_ok=True)
    ladder(steps, chance).savefig(target, dpi=192)


if __name__ == "__main__":
    main()
