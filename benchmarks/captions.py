"""True captions of unseen pictures, by neighbours, recurrent networks and a transformer: a table.

    python -m benchmarks.captions [--seeds 3]

Reads what `benchmarks.thresholds` has measured for a06; trains a07's transformer on the same captions, in the
same way. Writes build/benchmarks/captions.json.
"""

import argparse
from statistics import fmean, stdev

import torch
from torch import Tensor
from torch.nn import functional

from assignments.a06_captioning import experiments
from benchmarks._table import show
from benchmarks.ladder import measured
from exercise_code.transformer.captioning import CaptioningTransformer

RECURRENT = {name: ("a06_captioning", f"{name}, true") for name in ("neighbour", "RNN", "LSTM", "attention")}


def transformer(seed: int) -> float:
    """The share of captions of unseen pictures that are true in every word; all features are one vector."""
    train, unseen, known, features = experiments.prepared()
    torch.manual_seed(seed)
    words = experiments.vocabulary
    net = CaptioningTransformer(words.word_to_idx, known[0].numel(), 96, max_length=experiments.LENGTH)

    def loss(shown: Tensor, rows: Tensor) -> Tensor:
        scores, due = net(shown.flatten(1), rows[:, :-1]).flatten(0, 1), rows[:, 1:].flatten()
        return functional.cross_entropy(scores, due, ignore_index=net.null, reduction="sum") / len(rows)

    experiments.train_captioner(net, known, *train.rows(), 8, loss, rate=1e-3)
    with torch.no_grad():
        said = words.decode(net.sample(features.flatten(1), experiments.LENGTH - 1))
    return experiments.truth(said, unseen.seen) / 100


def main() -> None:
    """Train what is not measured, and print all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    found = measured(RECURRENT, "generated")
    found["transformer"] = [transformer(seed) for seed in range(options.seeds)]
    told = {
        name: f"{fmean(each):.3f}" + (f" ± {stdev(each):.3f}" if len({*each}) > 1 else "")
        for name, each in found.items()
    }
    show("true captions of unseen pictures", told, "captions")


if __name__ == "__main__":
    main()
