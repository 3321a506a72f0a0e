"""What is asked of `transformer.captioning`."""

from typing import Any

import numpy as np

from exercise_code.support.checking.declare import check

from .common import filled, lively

CAPTIONER = "transformer.captioning.CaptioningTransformer."
POSITIONS = "attention.layers.PositionalEncoding."
LAYER = "transformer.decoder.TransformerDecoderLayer.forward"
FEED = "attention.layers.FeedForwardBlock.__init__"
READ = [f"{POSITIONS}__init__", f"{POSITIONS}forward", LAYER, FEED]
WORDS = ("a", "<END>", "red", "<START>", "ring", "<NULL>", "star", "blue", "cross", "left", "above")
NUMBERS = {word: number for number, word in enumerate(WORDS)}
"""Words in an order that nobody can guess."""
D, W = 5, 6


def _model(code, case, num_heads: int) -> Any:
    make = code.transformer.captioning.CaptioningTransformer
    return filled(make(NUMBERS, D, W, num_heads, 2, max_length=9), case.numbers(900))


def _captions(case, num: int, longest: int):
    """Captions of different lengths, filled up with <NULL>."""
    rows = np.full((num, longest + 2), NUMBERS["<NULL>"])
    words = [number for word, number in NUMBERS.items() if word[0] != "<"]
    for row, length in zip(rows, case.lengths(num, longest, 2), strict=True):
        said = [case.shuffled(words)[0] for _ in range(length)]
        row[: length + 2] = [NUMBERS["<START>"], *said, NUMBERS["<END>"]]
    return case.tensor(rows)


@check(f"{CAPTIONER}forward", points=4, uses=READ)
def scored(code, case):
    """Captions of several lengths for several pictures and for one."""
    outputs = {}
    for num_heads, num, longest in ((3, 4, 5), (2, 1, 3)):
        model = _model(code, case, num_heads)
        outputs[f"{num} pictures, {num_heads} heads"] = model(
            case.numbers(num, D), _captions(case, num, longest)
        )
    return outputs


@check(f"{CAPTIONER}sample", points=3, uses=[f"{CAPTIONER}forward", *READ])
def said(code, case):
    """Words for several pictures and for one, and another number of them than captions have."""
    outputs = {}
    for num_heads, num, length in ((3, 9, 7), (2, 1, 8), (1, 2, 1), (6, 5, 6)):
        model = lively(_model(code, case, num_heads))
        outputs[f"{length} words for {num} pictures"] = model.sample(case.numbers(num, D), length)
    return outputs
