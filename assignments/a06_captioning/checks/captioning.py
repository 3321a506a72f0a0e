"""What is asked of `rnn.captioning`."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from exercise_code.support.checking.declare import check

from .common import filled

CAPTIONER = "rnn.captioning.CaptioningRNN."
WORDS = "rnn.layers.word_embedding_forward"
ATTENTION = "rnn.modules.dot_product_attention"
LSTM_STEP, LOOK_STEP = "rnn.modules.LSTM.step_forward", "rnn.modules.AttentionLSTM.step_forward"
STEP = ["rnn.layers.rnn_step_forward", "rnn.layers.lstm_step_forward", LSTM_STEP, LOOK_STEP, ATTENTION, WORDS]
SEQUENCES = ["rnn.layers.rnn_forward", "rnn.layers.lstm_forward", "rnn.modules.LSTM.forward"]
LOOKS = ["rnn.modules.AttentionLSTM.forward", ATTENTION, LOOK_STEP]
SAMPLED = [f"{CAPTIONER}project", f"{CAPTIONER}start_state", f"{CAPTIONER}step", *STEP]
SCORED = "rnn.losses.temporal_softmax_loss"

NUMBERS = {
    "a": 0,
    "<END>": 1,
    "red": 2,
    "<START>": 3,
    "ring": 4,
    "<NULL>": 5,
    "star": 6,
    "blue": 7,
    "cross": 8,
}
"""Words in an order that nobody can guess."""
NULL, START, END = (NUMBERS[word] for word in ("<NULL>", "<START>", "<END>"))
SAID = [NUMBERS[word] for word in ("a", "red", "ring", "star", "cross")]
CELLS = ("rnn", "lstm", "attention")
D, W, H, HEIGHT, WIDTH = 4, 2, 3, 2, 5


def _model(code, case, cell_type: str) -> Any:
    net = code.rnn.captioning.CaptioningRNN(NUMBERS, D, W, H, cell_type)
    return filled(net, case.numbers(300, reach=3.0))


def _features(case, num: int) -> Tensor:
    return case.numbers(num, D, HEIGHT, WIDTH, reach=3.0)


def _captions(case, num: int, longest: int = 5) -> Tensor:
    """Captions of different lengths, with words that come again."""
    rows = np.full((num, longest + 2), NULL)
    for row, length in zip(rows, case.lengths(num, longest, 2), strict=True):
        said = [case.shuffled(SAID)[0] for _ in range(length)]
        row[: length + 2] = [START, *said, END]
    return case.tensor(rows)


def _with_gradients(net, loss: Tensor) -> dict[str, Any]:
    """The loss, and how it changes with each parameter."""
    params = dict(net.named_parameters())
    gradients = torch.autograd.grad(loss, [*params.values()], allow_unused=True)
    found = [torch.zeros_like(p) if g is None else g for p, g in zip(params.values(), gradients, strict=True)]
    return {"loss": loss, "gradients": dict(zip(params, found, strict=True))}


@check("rnn.captioning.word_probabilities", points=1)
def temperatures(code, case):
    """Cold, as it is, and hot, and large scores; a temperature of 0 is refused."""
    scores, probabilities = case.numbers(3, 7, reach=4.0), code.rnn.captioning.word_probabilities
    outputs = {f"temperature={t}": probabilities(scores, t) for t in (0.5, 1.0, 3.0)}
    outputs["temperature left out"] = probabilities(scores)
    outputs["scores about 200"] = probabilities(scores + 200)
    for t in (0.0, -1.0):
        try:
            probabilities(scores, t)
            outputs[f"temperature={t}"] = "is accepted"
        except ValueError:
            outputs[f"temperature={t}"] = "raises ValueError"
    return outputs


@check(f"{CAPTIONER}project", points=2)
def projected(code, case):
    """The mean over places for two cells, every place by itself for the third; maps are not square."""
    outputs = {}
    for cell_type in CELLS:
        net = _model(code, case, cell_type)
        outputs |= {f"{cell_type}, {num} pictures": net.project(_features(case, num)) for num in (1, 3)}
    return outputs


@check(f"{CAPTIONER}forward", points=3, uses=[f"{CAPTIONER}project", *SEQUENCES, *LOOKS, *STEP, SCORED])
def taught(code, case):
    """The loss of captions of different lengths, and its gradients by autograd."""
    outputs = {}
    for cell_type in CELLS:
        net = _model(code, case, cell_type)
        outputs[cell_type] = _with_gradients(net, net(_features(case, 3), _captions(case, 3)))
    return outputs


@check(
    f"{CAPTIONER}loss",
    points=4,
    uses=[
        "mlp.fully_connected_networks.Linear.forward",
        "mlp.fully_connected_networks.Linear.backward",
        WORDS,
        "rnn.layers.word_embedding_backward",
        "rnn.losses.temporal_softmax_loss_masked",
        *(f"rnn.layers.{kind}_{part}" for kind in ("rnn", "lstm") for part in ("forward", "backward")),
        *(f"rnn.layers.{kind}_step_{part}" for kind in ("rnn", "lstm") for part in ("forward", "backward")),
    ],
    forbids=["torch.autograd.grad", "torch.Tensor.requires_grad_"],
)
def by_hand(code, case):
    """The loss and the gradients of all parameters; attention is refused."""
    outputs = {}
    for cell_type in ("rnn", "lstm"):
        net = _model(code, case, cell_type)
        with torch.no_grad():
            loss, grads = net.loss(_features(case, 3), _captions(case, 3))
        outputs[cell_type] = {"loss": loss, "gradients": dict(grads)}
    net = _model(code, case, "attention")
    try:
        net.loss(_features(case, 2), _captions(case, 2))
        outputs["attention"] = "is accepted"
    except ValueError:
        outputs["attention"] = "raises ValueError"
    return outputs


@check(f"{CAPTIONER}start_state", points=1, uses=[f"{CAPTIONER}project"])
def before_the_first_word(code, case):
    """What each cell has before the first word."""
    outputs = {}
    for cell_type in CELLS:
        state = _model(code, case, cell_type).start_state(_features(case, 3))
        outputs[cell_type] = dict(zip(("h", "c", "A"), state, strict=False)) | {"tensors": len(state)}
    return outputs


@check(f"{CAPTIONER}step", points=2, uses=STEP)
def one_word(code, case):
    """Scores, the next state and the weights, from states that are not those of the start."""
    outputs = {}
    for cell_type in CELLS:
        for num in (1, 3):
            net = _model(code, case, cell_type)
            state = case.numbers(num, H), case.numbers(num, H), case.numbers(num, H, HEIGHT, WIDTH)
            words = case.labels(num, num_classes=len(NUMBERS))
            scores, following, weights = net.step(words, state[: 1 + CELLS.index(cell_type)])
            outputs[f"{cell_type}, {num} captions"] = {
                "scores": scores,
                "state": list(following),
                "weights": weights,
            }
    return outputs


@check(f"{CAPTIONER}sample", points=2, uses=SAMPLED)
def greedy(code, case):
    """Words and weights: by the best scores, at the default length, by the worst, and <END> at once."""
    worst = {"max_length": 4, "choose": lambda scores: scores.argmin(dim=1)}
    ends = {"max_length": 3, "choose": lambda scores: torch.full_like(scores.argmin(dim=1), END)}
    outputs = {}
    for cell_type in CELLS:
        for num, given in ((3, {"max_length": 6}), (1, {}), (2, worst), (4, ends)):
            net = _model(code, case, cell_type)
            words, weights = net.sample(_features(case, num), **given)
            outputs[f"{cell_type}, {num} pictures"] = {
                "words": words,
                "weights": weights,
            }
    return outputs


@check(f"{CAPTIONER}unforced_loss", points=2, uses=[*SAMPLED, SCORED])
def not_taught(code, case):
    """The loss where the model hears its own words, and its gradients by autograd."""
    outputs = {}
    for cell_type in CELLS:
        net = _model(code, case, cell_type)
        loss = net.unforced_loss(_features(case, 3), _captions(case, 3))
        outputs[cell_type] = _with_gradients(net, loss)
    return outputs


ENDS_AT_ONCE = [
    ("<START>", "<END>", 1.2),
    ("<START>", "red", 1),
    ("red", "ring", 5),
    ("ring", "star", 5),
    ("star", "<END>", 5),
]
"""<END> at once is the best caption; word for word "red ring star" is more probable."""
SECOND_BEST_FIRST = [
    ("<START>", "red", 1.2),
    ("<START>", "ring", 1),
    ("ring", "star", 8),
    ("star", "<END>", 3),
    ("before: ring", "blue", 8),
    ("before: star", "<END>", 8),
]
"""The best one, "ring star blue", begins with the second best word; after "star" the word before counts."""


def _by_hand(code, case, scores: list[tuple[str, str, float]]) -> Any:
    """A recurrent network whose scores depend on the word that it has read, and on the one before."""
    num = len(NUMBERS)
    net = code.rnn.captioning.CaptioningRNN(NUMBERS, D, num, 2 * num, "rnn")
    net = filled(net, 0 * case.numbers(1))
    with torch.no_grad():
        net.embed.W_embed.fill_diagonal_(20)
        net.cell.Wx.fill_diagonal_(1)
        net.cell.Wh[:num, num:].fill_diagonal_(20)
        for word, following, score in scores:
            before = num * word.startswith("before: ")
            net.W_vocab[before + NUMBERS[word.removeprefix("before: ")], NUMBERS[following]] = score
    return net


@check(f"{CAPTIONER}beam_search", points=3, uses=SAMPLED)
def beams(code, case):
    """The best captions of three widths, one of them greedy, by models that like to end."""
    outputs = {}
    for cell_type in ("rnn", "lstm", "attention"):
        net = _model(code, case, cell_type)
        with torch.no_grad():
            net.b_vocab[END] += 2
        for width in (1, 2, 4):
            words, total = net.beam_search(_features(case, 1), width, max_length=5)
            outputs[f"{cell_type}, width={width}"] = {"words": list(words), "log p": float(total)}
    for name, scores in (("<END> at once", ENDS_AT_ONCE), ("second best first", SECOND_BEST_FIRST)):
        words, total = _by_hand(code, case, scores).beam_search(_features(case, 1), 2, max_length=5)
        outputs[f"{name}, width=2"] = {"words": list(words), "log p": float(total)}
    return outputs
