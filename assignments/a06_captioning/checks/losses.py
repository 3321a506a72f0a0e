"""What is asked of `rnn.losses`."""

import numpy as np

from exercise_code.support.checking.declare import check

from .common import AUTOGRAD

LOSSES = "rnn.losses."
N, T, V = 3, 4, 5
MASKS = {
    "all steps count": np.ones((N, T), bool),
    "gaps": np.array([[1, 0, 1, 1], [0, 1, 0, 1], [1, 1, 0, 0]], bool),
    "a sequence that does not count": np.array([[0, 1, 1, 0], [0, 0, 0, 0], [1, 0, 1, 1]], bool),
}


@check(
    f"{LOSSES}temporal_softmax_loss_masked",
    points=3,
    forbids=[*AUTOGRAD, "torch.nn.functional.cross_entropy", "torch.nn.functional.nll_loss"],
)
def masked_loss(code, case):
    """Loss and gradient where steps at odd places do not count."""
    outputs = {}
    for name, mask in MASKS.items():
        x, y = case.numbers(N, T, V), case.labels(N * T, num_classes=V).reshape(N, T)
        loss, dx = code.rnn.losses.temporal_softmax_loss_masked(x, y, case.tensor(mask))
        outputs[name] = {"loss": loss, "dx": dx}
    return outputs


@check(f"{LOSSES}temporal_softmax_loss_masked:large", points=0.5)
def large_scores(code, case):
    """Scores around 120 and -120, whose exp overflows or vanishes in float32; one word far below."""
    y, mask = [[0, 1, 2], [3, 0, 1]], np.array([[1, 1, 0], [0, 1, 1]], bool)
    around = np.array([120.0, -120.0]).repeat(12).reshape(2, 3, 4)
    around[0, 1, 1] -= 500
    x = case.tensor(case.numbers(2, 3, 4) + case.tensor(around))
    loss, dx = code.rnn.losses.temporal_softmax_loss_masked(x, case.tensor(y), case.tensor(mask))
    return {"loss": loss, "dx": dx}


@check(f"{LOSSES}temporal_softmax_loss", points=1)
def loss_for_autograd(code, case):
    """A word whose steps do not count, wherever it stands, or none; scores in the hundreds."""
    x, loss = case.numbers(N, T, V), code.rnn.losses.temporal_softmax_loss
    y = case.labels(N * T, num_classes=V).reshape(N, T)
    found = {f"ignore_index={word}": loss(x, y, ignore_index=word) for word in (0, 3)}
    far = case.tensor(150 * x)
    return {**found, "nothing ignored": loss(x, y), "scores far apart": loss(far, y)}
