"""What is asked of `rnn.char_rnn`."""

import torch

from exercise_code.support.checking.declare import check

from .common import filled

CHAR_RNN = "rnn.char_rnn."
INDEX, LINE = f"{CHAR_RNN}letter_to_index", f"{CHAR_RNN}line_to_tensor"
STEP = f"{CHAR_RNN}CharRNN.forward"


@check(INDEX, points=0.5)
def numbered(code, case):
    """Small letters, capitals and signs; what is not among the symbols is refused."""
    index, letters = code.rnn.char_rnn.letter_to_index, code.rnn.char_rnn.LETTERS
    drawn = case.shuffled(letters)[:6]
    outputs = {repr(ch): index(ch) for ch in (*drawn, "a", "z", "A", " ", "'")}
    for ch in ("é", "7", "-"):
        try:
            outputs[repr(ch)] = f"is accepted as {index(ch)}"
        except ValueError:
            outputs[repr(ch)] = "raises ValueError"
    return outputs


@check(LINE, points=1.5, uses=[INDEX])
def one_hot_rows(code, case):
    """A row for each letter, also where letters come again, and without their accents."""
    drawn = "".join(case.shuffled(code.rnn.char_rnn.LETTERS)[:5])
    return {
        name: code.rnn.char_rnn.line_to_tensor(name) for name in (drawn, "Anna", "O'Néàl", "Ruiz y Ñandú")
    }


def _net(code, case):
    return filled(code.rnn.char_rnn.CharRNN(4, 3, 5), case.numbers(60))


@check(STEP, points=2)
def one_letter(code, case):
    """Log-probabilities and the new state of three names and of one, where letters need not be one-hot."""
    net, outputs = _net(code, case), {}
    for num in (3, 1):
        log_p, hidden = net(case.numbers(num, 4), case.numbers(num, 3))
        outputs[f"{num} names"] = {"log-probabilities": log_p, "hidden": hidden}
    return outputs


@check(f"{CHAR_RNN}category_from_output", points=0.5)
def best_class(code, case):
    """Name and number of the largest log-probability."""
    categories = ["Irish", "Greek", "Korean", "Czech", "Dutch", "Polish"]
    outputs = {}
    for place in range(4):
        log_p = case.numbers(1, 6).log_softmax(dim=1)
        name, number = code.rnn.char_rnn.category_from_output(log_p, categories)
        outputs[f"output {place}"] = {"name": name, "number": number}
    return outputs


@check(f"{CHAR_RNN}train_step", points=3, uses=[STEP])
def one_step(code, case):
    """Output, loss and weights after two steps, with gradients left over from before."""
    net, outputs = _net(code, case), {}
    optimizer = torch.optim.SGD(net.parameters(), lr=0.5)
    sum(param.square().sum() for param in net.parameters()).backward()
    for step, (length, right) in enumerate(((4, 2), (1, 0))):
        category = case.tensor([right])
        output, loss = code.rnn.char_rnn.train_step(net, optimizer, category, case.numbers(length, 1, 4))
        weights = {name: param.detach().clone() for name, param in net.named_parameters()}
        outputs[f"step {step}"] = {"output": output, "loss": loss, "weights": weights}
    return outputs
