"""How people get `rnn.losses` wrong, and the hint each mistake deserves."""

import torch
from torch.nn import functional

from exercise_code.support.checking.declare import mistake

LOSSES = "rnn.losses."
MASKED = f"{LOSSES}temporal_softmax_loss_masked"


def parts_of(x, y, dim=2):
    """-log p of the right word and the gradient, for each step."""
    log_p = torch.log_softmax(x, dim=dim)
    right = functional.one_hot(y, x.shape[2])
    return -(log_p * right).sum(2), log_p.exp() - right


@mistake(
    MASKED, hint="The loss is divided by N * T: it sums over the steps, and takes the mean over N alone."
)
def mean_of_all_steps(x, y, mask):
    losses, dx = parts_of(x, y)
    return (losses * mask).sum() / y.numel(), dx * mask.unsqueeze(2) / y.numel()


@mistake(
    MASKED, hint="The loss is divided by the number of steps that count: take the mean over the N sequences."
)
def mean_of_what_counts(x, y, mask):
    losses, dx = parts_of(x, y)
    return losses[mask].mean(), dx * mask.unsqueeze(2) / mask.sum()


@mistake(MASKED, hint="Nothing is divided by N: the loss is a mean over the batch.")
def sum_of_everything(x, y, mask):
    losses, dx = parts_of(x, y)
    return (losses * mask).sum(), dx * mask.unsqueeze(2)


@mistake(MASKED, hint="The gradient is that of the sum over the batch: the loss was divided by N, dx is not.")
def gradient_of_the_sum(x, y, mask):
    losses, dx = parts_of(x, y)
    return (losses * mask).sum() / len(x), dx * mask.unsqueeze(2)


@mistake(MASKED, hint="Steps that do not count still have a gradient: mask dx as well as the loss.")
def gradient_not_masked(x, y, mask):
    losses, dx = parts_of(x, y)
    return (losses * mask).sum() / len(x), dx / len(x)


@mistake(MASKED, hint="Steps that do not count are in the sum: mask the loss as well as dx.")
def loss_not_masked(x, y, mask):
    losses, dx = parts_of(x, y)
    return losses.sum() / len(x), dx * mask.unsqueeze(2) / len(x)


@mistake(MASKED, hint="The mask is the wrong way round: True marks the steps that count.")
def mask_inverted(x, y, mask):
    losses, dx = parts_of(x, y)
    return (losses * ~mask).sum() / len(x), dx * ~mask.unsqueeze(2) / len(x)


@mistake(
    MASKED,
    hint="The mask is put on the scores: scores of 0 are a prediction too, and cost log V. Mask the loss.",
)
def mask_on_scores(x, y, mask):
    losses, dx = parts_of(x * mask.unsqueeze(2), y)
    return losses.sum() / len(x), dx * mask.unsqueeze(2) / len(x)


@mistake(
    MASKED,
    hint="Steps of word 0 are left out, whatever the mask says: go by the mask alone.",
)
def mask_of_word_zero(x, y, mask):
    losses, dx = parts_of(x, y)
    return (losses * (y != 0)).sum() / len(x), dx * (y != 0).unsqueeze(2) / len(x)


@mistake(
    MASKED, hint="Probabilities sum to 1 over the steps here: softmax goes over the words, the last axis."
)
def softmax_over_time(x, y, mask):
    losses, dx = parts_of(x, y, dim=1)
    return (losses * mask).sum() / len(x), dx * mask.unsqueeze(2) / len(x)


@mistake(MASKED, hint="dx holds the probabilities alone: at the right word, 1 is taken off.")
def gradient_without_right_word(x, y, mask):
    losses, _ = parts_of(x, y)
    return (losses * mask).sum() / len(x), x.softmax(2) * mask.unsqueeze(2) / len(x)


@mistake(MASKED, hint="The sign of the loss is turned: it is minus the logarithm of a probability.")
def negative_loss(x, y, mask):
    losses, dx = parts_of(x, y)
    return -(losses * mask).sum() / len(x), dx * mask.unsqueeze(2) / len(x)


@mistake(
    MASKED,
    hint="`cross_entropy` is the loss itself: gather the log-probabilities of the right words instead.",
)
def masked_by_library(x, y, mask):
    losses = functional.cross_entropy(x.transpose(1, 2), y, reduction="none")
    _, dx = parts_of(x, y)
    return (losses * mask).sum() / len(x), dx * mask.unsqueeze(2) / len(x)


@mistake(
    f"{MASKED}:large",
    hint="exp overflows for large scores: use `log_softmax`, or subtract each step's largest score first.",
)
def overflows(x, y, mask):
    p = x.exp() / x.exp().sum(2, keepdim=True)
    losses = -p.gather(2, y.unsqueeze(2)).squeeze(2).log()
    right = functional.one_hot(y, x.shape[2])
    return (losses * mask).sum() / len(x), (p - right) * mask.unsqueeze(2) / len(x)


@mistake(
    f"{MASKED}:large",
    hint="The logarithm of a probability that has become 0 is infinite: `log_softmax` never makes that one.",
)
def logarithm_of_the_softmax(x, y, mask):
    p = x.softmax(dim=2)
    right = functional.one_hot(y, x.shape[2])
    losses = -p.gather(2, y.unsqueeze(2)).squeeze(2).log()
    return (losses * mask).sum() / len(x), (p - right) * mask.unsqueeze(2) / len(x)


@mistake(
    f"{MASKED}:large",
    hint="The largest score of all is subtracted, so exp vanishes elsewhere: each step has its own largest.",
)
def underflows(x, y, mask):
    powers = (x - x.max()).exp()
    p = powers / powers.sum(2, keepdim=True)
    losses = -p.gather(2, y.unsqueeze(2)).squeeze(2).log()
    right = functional.one_hot(y, x.shape[2])
    return (losses * mask).sum() / len(x), (p - right) * mask.unsqueeze(2) / len(x)


SIMPLE = f"{LOSSES}temporal_softmax_loss"


@mistake(SIMPLE, hint='`reduction="mean"` averages over the steps that count: sum them, and divide by N.')
def mean_reduction(x, y, ignore_index=None):
    ignored = -100 if ignore_index is None else ignore_index
    return functional.cross_entropy(x.flatten(0, 1), y.flatten(), ignore_index=ignored)


@mistake(SIMPLE, hint="The sum is divided by N * T: it is to be divided by N alone.")
def mean_over_steps(x, y, ignore_index=None):
    ignored = -100 if ignore_index is None else ignore_index
    total = functional.cross_entropy(x.flatten(0, 1), y.flatten(), ignore_index=ignored, reduction="sum")
    return total / y.numel()


@mistake(SIMPLE, hint="The sum is not divided: the loss is a mean over the N sequences.")
def not_divided(x, y, ignore_index=None):
    ignored = -100 if ignore_index is None else ignore_index
    return functional.cross_entropy(x.flatten(0, 1), y.flatten(), ignore_index=ignored, reduction="sum")


@mistake(SIMPLE, hint="`ignore_index` is not used: steps of that word still count.")
def counts_everything(x, y, ignore_index=None):
    return functional.cross_entropy(x.flatten(0, 1), y.flatten(), reduction="sum") / len(x)


@mistake(
    SIMPLE,
    hint="Word 0 is never ignored: `if ignore_index` is False for 0 as well, so compare with None.",
)
def zero_is_none(x, y, ignore_index=None):
    ignored = ignore_index if ignore_index else -100
    total = functional.cross_entropy(x.flatten(0, 1), y.flatten(), ignore_index=ignored, reduction="sum")
    return total / len(x)


@mistake(SIMPLE, hint="Word 0 is ignored where no word is given: None counts all of them.")
def none_is_zero(x, y, ignore_index=None):
    total = functional.cross_entropy(
        x.flatten(0, 1), y.flatten(), ignore_index=ignore_index or 0, reduction="sum"
    )
    return total / len(x)


@mistake(
    SIMPLE,
    hint="`cross_entropy` takes no None: without a word to ignore, keep to its default.",
    raises=TypeError,
)
def hands_none_on(x, y, ignore_index=None):
    total = functional.cross_entropy(x.flatten(0, 1), y.flatten(), ignore_index=ignore_index, reduction="sum")
    return total / len(x)


@mistake(
    SIMPLE,
    hint="`reshape` to (N, V, T) mixes words and steps: flatten the first two axes, or transpose.",
)
def reshaped(x, y, ignore_index=None):
    ignored = -100 if ignore_index is None else ignore_index
    scores = x.reshape(len(x), x.shape[2], x.shape[1])
    return functional.cross_entropy(scores, y, ignore_index=ignored, reduction="sum") / len(x)


@mistake(
    f"{LOSSES}temporal_softmax_loss",
    hint="Where a probability rounds to 0, its log is infinite: take `log_softmax` in one step.",
)
def log_of_zero(x, y, ignore_index=None):
    losses = -x.softmax(dim=2).gather(2, y.unsqueeze(2)).squeeze(2).log()
    counts = torch.ones_like(y, dtype=torch.bool) if ignore_index is None else y != ignore_index
    return losses[counts].sum() / len(x)
