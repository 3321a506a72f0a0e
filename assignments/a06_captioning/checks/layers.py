"""What is asked of `rnn.layers`."""

import numpy as np

from exercise_code.support.checking.declare import check

from .common import AUTOGRAD, LSTM, LSTM_CELL

LAYERS = "rnn.layers."
RNN_CELL, RNN = ["torch.rnn_tanh_cell"], ["torch.rnn_tanh", "torch.rnn_tanh_cell"]
ONE_HOT = [
    "torch.nn.functional.embedding",
    "torch.embedding",
    "torch.matmul",
    "torch.mm",
    "torch.bmm",
    "torch.einsum",
    "torch.tensordot",
    "torch.nn.functional.linear",
]

SEQUENCES = {
    # N, T, D and H: of unequal sizes, a batch of one, a single step
    "a batch of 2": (2, 4, 3, 5),
    "a batch of one": (1, 3, 5, 2),
    "a single step": (3, 1, 2, 4),
}
STEPS = [name for name in SEQUENCES if name != "a single step"]


def _weights(case, D, H, gates=1):
    shapes = (D, gates * H), (H, gates * H), (gates * H,)
    return [case.numbers(*shape, reach=0.8) for shape in shapes]


def _step(case, name, states=1):
    """x, the states before, and the weights of a step."""
    N, _, D, H = SEQUENCES[name]
    before = [case.numbers(N, H, reach=0.9) for _ in range(states)]
    return case.numbers(N, D), *before, *_weights(case, D, H, gates=4 if states == 2 else 1)


def _sequence(case, name, gates=1):
    """x, the first state, and the weights of a sequence."""
    N, T, D, H = SEQUENCES[name]
    return case.numbers(N, T, D), case.numbers(N, H, reach=0.9), *_weights(case, D, H, gates)


def _upstream(case, name):
    """Gradients of the states: of all steps, and of the last one alone."""
    N, T, _, H = SEQUENCES[name]
    dh = case.numbers(N, T, H)
    last = np.arange(T)[:, None] == T - 1
    return {"all steps": dh, "the last step": case.tensor(dh.cpu().numpy() * last)}


def _named(gradients, *names):
    return dict(zip(names, gradients, strict=True))


def _sequence_gradients(forward, backward, case, gates):
    outputs = {}
    for name in SEQUENCES:
        inputs = _sequence(case, name, gates)
        for read, dh in _upstream(case, name).items():
            _, cache = forward(*inputs)
            gradients = backward(dh, cache)
            outputs[f"{name}, {read} read"] = _named(gradients, "dx", "dh0", "dWx", "dWh", "db")
    return outputs


# The recurrent network
@check(f"{LAYERS}rnn_step_forward", points=1, forbids=RNN_CELL)
def rnn_step_forward(code, case):
    """The next hidden state."""
    step = code.rnn.layers.rnn_step_forward
    return {f"next_h, {name}": step(*_step(case, name))[0] for name in STEPS}


@check(
    f"{LAYERS}rnn_step_backward",
    points=2,
    uses=[f"{LAYERS}rnn_step_forward"],
    forbids=[*AUTOGRAD, *RNN_CELL],
)
def rnn_step_backward(code, case):
    """Gradients of a step's input, state and weights."""
    layers, outputs = code.rnn.layers, {}
    for name in STEPS:
        inputs = _step(case, name)
        _, cache = layers.rnn_step_forward(*inputs)
        gradients = layers.rnn_step_backward(case.numbers(*inputs[1].shape), cache)
        outputs[name] = _named(gradients, "dx", "dprev_h", "dWx", "dWh", "db")
    return outputs


@check(f"{LAYERS}rnn_forward", points=1, uses=[f"{LAYERS}rnn_step_forward"], forbids=RNN)
def rnn_forward(code, case):
    """The hidden states of a whole sequence, from a first one that is not 0."""
    forward = code.rnn.layers.rnn_forward
    return {f"h, {name}": forward(*_sequence(case, name))[0] for name in SEQUENCES}


@check(
    f"{LAYERS}rnn_backward",
    points=3,
    uses=[f"{LAYERS}rnn_forward", f"{LAYERS}rnn_step_forward", f"{LAYERS}rnn_step_backward"],
    forbids=[*AUTOGRAD, *RNN],
)
def rnn_backward(code, case):
    """Gradients through time, with all steps read and with the last one alone."""
    layers = code.rnn.layers
    return _sequence_gradients(layers.rnn_forward, layers.rnn_backward, case, gates=1)


# Words
def _words(case):
    """Sequences of words that come again, in one sequence and in others: 3 of 4 steps, and one of 5."""
    return {
        "a batch of 3": case.tensor(case.shuffled([[1, 4, 1, 6], [4, 4, 0, 2], [6, 1, 5, 4]])),
        "a batch of one": case.tensor([case.shuffled([2, 0, 2, 2, 5])]),
    }


@check(f"{LAYERS}word_embedding_forward", points=1, forbids=ONE_HOT)
def word_embedding_forward(code, case):
    """The vector of every word."""
    forward = code.rnn.layers.word_embedding_forward
    return {f"out, {name}": forward(x, case.numbers(8, 2))[0] for name, x in _words(case).items()}


@check(
    f"{LAYERS}word_embedding_backward",
    points=2,
    uses=[f"{LAYERS}word_embedding_forward"],
    forbids=AUTOGRAD,
)
def word_embedding_backward(code, case):
    """Words that come several times, and words that do not come."""
    layers, outputs = code.rnn.layers, {}
    for name, x in _words(case).items():
        _, cache = layers.word_embedding_forward(x, case.numbers(8, 2))
        outputs[f"dW, {name}"] = layers.word_embedding_backward(case.numbers(*x.shape, 2), cache)
    return outputs


# The LSTM
@check(f"{LAYERS}lstm_step_forward", points=2, forbids=LSTM_CELL)
def lstm_step_forward(code, case):
    """The next hidden state and the next cell state."""
    outputs = {}
    for name in STEPS:
        next_h, next_c, _ = code.rnn.layers.lstm_step_forward(*_step(case, name, states=2))
        outputs[name] = {"next_h": next_h, "next_c": next_c}
    return outputs


@check(
    f"{LAYERS}lstm_step_backward",
    points=3,
    uses=[f"{LAYERS}lstm_step_forward"],
    forbids=[*AUTOGRAD, *LSTM_CELL],
)
def lstm_step_backward(code, case):
    """Gradients of a step's input, states and weights, with both new states read."""
    layers, outputs = code.rnn.layers, {}
    for name in STEPS:
        inputs = _step(case, name, states=2)
        *_, cache = layers.lstm_step_forward(*inputs)
        dnext_h, dnext_c = (case.numbers(*inputs[1].shape) for _ in range(2))
        gradients = layers.lstm_step_backward(dnext_h, dnext_c, cache)
        outputs[name] = _named(gradients, "dx", "dprev_h", "dprev_c", "dWx", "dWh", "db")
    return outputs


@check(f"{LAYERS}lstm_forward", points=1, uses=[f"{LAYERS}lstm_step_forward"], forbids=LSTM)
def lstm_forward(code, case):
    """The hidden states of a whole sequence; the first cell state is 0, the first hidden state is not."""
    forward = code.rnn.layers.lstm_forward
    return {f"h, {name}": forward(*_sequence(case, name, gates=4))[0] for name in SEQUENCES}


@check(
    f"{LAYERS}lstm_backward",
    points=3,
    uses=[f"{LAYERS}lstm_forward", f"{LAYERS}lstm_step_forward", f"{LAYERS}lstm_step_backward"],
    forbids=[*AUTOGRAD, *LSTM],
)
def lstm_backward(code, case):
    """Gradients through time of both states, with all steps read and with the last one alone."""
    layers = code.rnn.layers
    return _sequence_gradients(layers.lstm_forward, layers.lstm_backward, case, gates=4)
