"""What is asked of `transformer.losses`."""

from exercise_code.support.checking.declare import check

LOSSES = "transformer.losses."
THEIRS = [
    *(f"torch.nn.functional.{name}" for name in ("cross_entropy", "nll_loss", "kl_div")),
    *(f"torch.nn.{name}" for name in ("CrossEntropyLoss", "NLLLoss", "KLDivLoss")),
]


def _rows(case):
    """Scores, small and huge, and right words among which the last of the vocabulary need not be."""
    outputs = {}
    for name, num, V, reach, first in (
        ("7 words", 7, 5, 2.0, 0),
        ("huge scores", 4, 11, 300.0, 2),
        ("one", 1, 3, 2.0, 2),
    ):
        ground = case.labels(num, num_classes=min(num, V - 1), first=first)
        outputs[name] = case.numbers(len(ground), V, reach=reach), ground
    return outputs


@check(f"{LOSSES}CrossEntropyLoss", points=2, loops=0, forbids=THEIRS)
def summed(code, case):
    """Sums over several words and one; scores that overflow if they are not shifted."""
    loss = code.transformer.losses.CrossEntropyLoss
    return {name: loss(*each) for name, each in _rows(case).items()}


@check(f"{LOSSES}LabelSmoothingLoss", points=2, loops=0, forbids=THEIRS)
def smoothed(code, case):
    """The share of 0.1 that is the default, others, and none."""
    loss = code.transformer.losses.LabelSmoothingLoss
    outputs = {name: loss(*each) for name, each in _rows(case).items()}
    rows = _rows(case)["7 words"]
    return outputs | {f"smoothing={share}": loss(*rows, smoothing=share) for share in (0.0, 0.35, 1.0)}
