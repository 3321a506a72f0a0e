"""What is asked of `transformer.seq2seq`."""

from typing import Any

from exercise_code.support.checking.declare import check

from .common import filled, lively, shapes

WHOLE = "transformer.seq2seq.Transformer."
BLOCKS = [
    f"transformer.{part}Block.{method}"
    for part in ("encoder.Encoder", "decoder.Decoder")
    for method in ("__init__", "forward")
]
MASK = "transformer.masks.get_subsequent_mask"
READ = [f"{WHOLE}__init__", *BLOCKS, MASK]
M, V = 6, 9
SIZES = ((3, 5, 4), (1, 3, 6))
"""Questions, their words, the words of their answers."""


@check(f"{WHOLE}__init__", points=2, uses=BLOCKS)
def model_made(code, case):
    """How many blocks each side has, in which sizes; with and without a shared weight."""
    make = code.transformer.seq2seq.Transformer
    outputs: dict[str, Any] = {}
    feed, words = case.integer(10, 19), case.integer(20, 40)
    for tied in (False, True):
        model = make(2, 6, feed, 0.3, 3, 1, words, weight_tying=tied)
        outputs[f"weight_tying={tied}"] = shapes(model)
        read, scored = model.emb_layer.weight, model.decoder.proj_to_vocab.weight
        outputs[f"one weight, weight_tying={tied}"] = read is scored
        outputs[f"equal weights, weight_tying={tied}"] = read.equal(scored)
    outputs["no weight_tying asked for"] = shapes(make(3, 6, 4, 0.0, 1, 2, 5))
    dropouts = [part.p for part in model.modules() if type(part).__name__ == "Dropout"]
    outputs["probabilities of dropping"] = dropouts
    return outputs


def _model(code, case, tied: bool = False) -> Any:
    model = code.transformer.seq2seq.Transformer(2, M, 7, 0.5, 1, 2, V, weight_tying=tied)
    return filled(model, case.numbers(900))


def _words(case, num: int, length: int):
    return case.tensor([[case.integer(0, V - 1) for _ in range(length)] for _ in range(num)])


@check(f"{WHOLE}forward", points=4, uses=READ)
def scored(code, case):
    """Questions longer and shorter than answers, positions of one sequence for all and of each its own."""
    outputs = {}
    for num, question, answer in SIZES:
        model = _model(code, case)
        ques_b, ans_b = _words(case, num, question), _words(case, num, answer)
        own = case.numbers(num, question, M), case.numbers(num, answer, M)
        shared = case.numbers(1, question, M), case.numbers(1, answer, M)
        for name, (ques_pos, ans_pos) in (("its own", own), ("shared", shared)):
            outputs[f"{num} answers of {answer}, {name} positions"] = model(ques_b, ques_pos, ans_b, ans_pos)
    return outputs


@check(f"{WHOLE}predict", points=3, uses=READ)
def answered(code, case):
    """Words and length of the answers, for many questions and for one, with a shared weight or two."""
    outputs = {}
    for num, question, answer in ((25, 5, 6), (1, 3, 5)):
        for tied in (False, True):
            model = lively(_model(code, case, tied))
            ques_b, positions = _words(case, num, question), case.numbers(1, question, M)
            start = case.integer(0, V - 1)
            said = model.predict(ques_b, positions, case.numbers(1, answer, M), start)
            outputs[f"{num} answers of {answer}, weight_tying={tied}"] = said
    return outputs
