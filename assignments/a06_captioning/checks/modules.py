"""What is asked of `rnn.modules`."""

from exercise_code.support.checking.declare import check

from .common import LSTM, LSTM_CELL, filled

MODULES = "rnn.modules."
LAYERS = "rnn.layers."
ATTENTION = ["torch.nn.functional.scaled_dot_product_attention"]
PICTURES = {
    # N, H, height and width
    "a picture of 3 x 5": (2, 4, 3, 5),
    "one picture, of 4 x 2": (1, 3, 4, 2),
}


@check(f"{MODULES}LSTM.step_forward", points=0.5, uses=[f"{LAYERS}lstm_step_forward"], forbids=LSTM_CELL)
def lstm_step(code, case):
    """Both new states, from the module's own weights."""
    lstm = filled(code.rnn.modules.LSTM(3, 5), case.numbers(200))
    next_h, next_c = lstm.step_forward(case.numbers(2, 3), case.numbers(2, 5), case.numbers(2, 5))
    return {"next_h": next_h, "next_c": next_c}


@check(
    f"{MODULES}LSTM.forward",
    points=0.5,
    uses=[f"{LAYERS}lstm_forward", f"{LAYERS}lstm_step_forward", f"{MODULES}LSTM.step_forward"],
    forbids=LSTM,
)
def lstm(code, case):
    """The hidden states of whole sequences."""
    lstm = filled(code.rnn.modules.LSTM(3, 5), case.numbers(200))
    h0 = case.numbers(2, 5)
    return {f"h, {T} steps": lstm(case.numbers(2, T, 3), h0) for T in (1, 4)}


@check(f"{MODULES}dot_product_attention", points=3, loops=0, forbids=ATTENTION)
def attention(code, case):
    """What is attended to, and how much each place weighs, in pictures that are not square."""
    outputs = {}
    for name, (N, H, height, width) in PICTURES.items():
        A = case.numbers(N, H, height, width)
        attn, weights = code.rnn.modules.dot_product_attention(case.numbers(N, H), A)
        outputs[name] = {"attn": attn, "weights": weights}
    return outputs


@check(
    f"{MODULES}AttentionLSTM.step_forward",
    points=1,
    uses=[f"{LAYERS}lstm_step_forward"],
    forbids=LSTM_CELL,
)
def attention_step(code, case):
    """Both new states, from a word, the states before, and what is attended to."""
    lstm = filled(code.rnn.modules.AttentionLSTM(3, 5), case.numbers(300))
    states = [case.numbers(2, 5) for _ in range(3)]
    next_h, next_c = lstm.step_forward(case.numbers(2, 3), *states)
    return {"next_h": next_h, "next_c": next_c}


@check(
    f"{MODULES}AttentionLSTM.forward",
    points=3,
    uses=[
        f"{LAYERS}lstm_step_forward",
        f"{MODULES}AttentionLSTM.step_forward",
        f"{MODULES}dot_product_attention",
    ],
    forbids=[*LSTM, *ATTENTION],
)
def attention_lstm(code, case):
    """The hidden states of whole sequences, with another look at the picture before each step."""
    outputs = {}
    for name, (N, H, height, width) in PICTURES.items():
        lstm = filled(code.rnn.modules.AttentionLSTM(2, H), case.numbers(300))
        A = case.numbers(N, H, height, width)
        outputs[f"h, {name}"] = lstm(case.numbers(N, 4, 2), A)
    return outputs
