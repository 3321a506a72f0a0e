"""How people get `transformer.masks` wrong, and the hint each mistake deserves."""

import torch

from exercise_code.support.checking.declare import mistake

FUTURE = "transformer.masks.get_subsequent_mask"


def _ones(seq):
    N, K = seq.shape
    return torch.ones(N, K, K, dtype=torch.bool, device=seq.device)


@mistake(FUTURE, hint="The diagonal is hidden too: a position may see itself, so start one above it.")
def hides_itself(seq):
    return _ones(seq).triu()


@mistake(FUTURE, hint="The past is hidden, below the diagonal: the future is above it.")
def hides_past(seq):
    return _ones(seq).tril(-1)


@mistake(FUTURE, hint="This says what may be seen: True must say what is hidden.")
def keeps(seq):
    return _ones(seq).tril()


@mistake(FUTURE, hint="The mask of one sequence comes back: one for each of N is due, (N, K, K).")
def of_one_sequence(seq):
    return _ones(seq)[0].triu(1)


@mistake(FUTURE, hint="These are numbers: a mask is bool, so ask for dtype=torch.bool.")
def of_floats(seq):
    return torch.ones(len(seq), seq.shape[1], seq.shape[1], device=seq.device).triu(1)


@mistake(FUTURE, hint="The mask is made of N rows instead of K: positions are axis 1 of seq.")
def of_rows(seq):
    N, K = seq.shape
    return torch.ones(N, N, dtype=torch.bool, device=seq.device).triu(1).repeat(K, 1, 1)


@mistake(FUTURE, hint="The mask lies on the CPU: make it on `seq.device`.")
def on_the_cpu(seq):
    N, K = seq.shape
    return torch.ones(N, K, K, dtype=torch.bool).triu(1)


@mistake(FUTURE, hint="There is an axis for sequences, of length 1: there are N of them.")
def of_one_for_all(seq):
    return _ones(seq)[:1].triu(1)


@mistake(
    FUTURE,
    hint="The mask is made like seq, (N, K): positions meet positions, so it has K rows and K columns.",
    raises=RuntimeError,
)
def of_the_shape_of_seq(seq):
    N, K = seq.shape
    return torch.ones_like(seq).bool().triu()[1:].repeat(N, 1).reshape(N, K, K)
