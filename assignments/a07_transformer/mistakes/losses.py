"""How people get `transformer.losses` wrong, and the hint each mistake deserves."""

from torch.nn import functional

from exercise_code.support.checking.declare import mistake

SUMMED, SMOOTHED = "transformer.losses.CrossEntropyLoss", "transformer.losses.LabelSmoothingLoss"


def _each(pred, ground):
    return -pred.log_softmax(dim=1).gather(1, ground[:, None])


@mistake(SUMMED, hint="This is the mean over the words; their sum is due.")
def averaged(pred, ground):
    return _each(pred, ground).mean()


@mistake(
    SUMMED,
    hint="`one_hot` takes the number of words from the labels that occur: tell it V.",
    raises=RuntimeError,
)
def inferred_words(pred, ground):
    return -(functional.one_hot(ground) * pred.log_softmax(dim=1)).sum()


@mistake(SUMMED, hint="exp overflows for large scores: take the logarithm of the softmax in one step.")
def overflows(pred, ground):
    p = pred.exp() / pred.exp().sum(dim=1, keepdim=True)
    return -p.log().gather(1, ground[:, None]).sum()


@mistake(SUMMED, hint="The softmax runs over the rows of words to be predicted: axis 1 holds the vocabulary.")
def over_the_rows(pred, ground):
    return -pred.log_softmax(dim=0).gather(1, ground[:, None]).sum()


@mistake(SUMMED, hint="The minus is missing: a loss falls as the right word becomes likely.")
def without_minus(pred, ground):
    return -_each(pred, ground).sum()


@mistake(SUMMED, hint="Scores are used as if they were log-probabilities.")
def without_softmax(pred, ground):
    return -pred.gather(1, ground[:, None]).sum()


@mistake(SUMMED, hint="A number for each word comes back: sum them up.")
def one_by_one(pred, ground):
    return _each(pred, ground)[:, 0]


@mistake(SUMMED, hint="The log is missing: this sums probabilities.")
def without_log(pred, ground):
    return -pred.softmax(dim=1).gather(1, ground[:, None]).sum()


@mistake(SUMMED, hint="`[:, ground]` takes the words of all rows in every row: each row has one word.")
def all_words_in_all_rows(pred, ground):
    return -pred.log_softmax(dim=1)[:, ground].sum()


def _smoothed(pred, ground, right, others):
    targets = others + (right - others) * functional.one_hot(ground, pred.shape[1]).to(pred)
    return -(targets * pred.log_softmax(dim=1)).sum()


@mistake(
    SMOOTHED, hint="smoothing is shared among the V - 1 wrong words: all V have a part, the right one too."
)
def among_the_others(pred, ground, smoothing=0.1):
    return _smoothed(pred, ground, 1 - smoothing, smoothing / (pred.shape[1] - 1))


@mistake(SMOOTHED, hint="What all words get is smoothing / (V - 1), and the right one has the rest besides.")
def shared_by_one_less(pred, ground, smoothing=0.1):
    others = smoothing / (pred.shape[1] - 1)
    return _smoothed(pred, ground, 1 - smoothing + others, others)


@mistake(SMOOTHED, hint="Each wrong word gets the whole of smoothing: it is divided by V.")
def undivided(pred, ground, smoothing=0.1):
    return _smoothed(pred, ground, 1, smoothing)


@mistake(SMOOTHED, hint="The targets of a row sum to 1 + smoothing: the right word gives up what all get.")
def nothing_given_up(pred, ground, smoothing=0.1):
    V = pred.shape[1]
    return _smoothed(pred, ground, 1 + smoothing / V, smoothing / V)


@mistake(
    SMOOTHED, hint="The right word lacks its own part, smoothing / V, so that a row sums to less than 1."
)
def less_than_one(pred, ground, smoothing=0.1):
    return _smoothed(pred, ground, 1 - smoothing, smoothing / pred.shape[1])


@mistake(SMOOTHED, hint="smoothing is not used: this is plain cross-entropy.")
def not_smoothed(pred, ground, smoothing=0.1):
    return _smoothed(pred, ground, 1, 0)


@mistake(SMOOTHED, hint="0.1 is written out: take the smoothing that is asked for.")
def always_a_tenth(pred, ground, smoothing=0.1):
    return _smoothed(pred, ground, 0.9 + 0.1 / pred.shape[1], 0.1 / pred.shape[1])


@mistake(SMOOTHED, hint="Shares change places: smoothing is what all words get, 1 - smoothing the right one.")
def shares_swapped(pred, ground, smoothing=0.1):
    V = pred.shape[1]
    return _smoothed(pred, ground, smoothing + (1 - smoothing) / V, (1 - smoothing) / V)


@mistake(SMOOTHED, hint="This is a mean over the words to be predicted: a sum is due.")
def smoothed_mean(pred, ground, smoothing=0.1):
    V = pred.shape[1]
    return _smoothed(pred, ground, 1 - smoothing + smoothing / V, smoothing / V) / len(pred)


@mistake(
    SMOOTHED,
    hint="`one_hot` counts the words that occur: give it V as well.",
    raises=RuntimeError,
)
def smoothed_inferred(pred, ground, smoothing=0.1):
    targets = (1 - smoothing) * functional.one_hot(ground) + smoothing / pred.shape[1]
    return -(targets * pred.log_softmax(dim=1)).sum()


@mistake(SMOOTHED, hint="The targets are float32 whatever the scores are: make them in the dtype of `pred`.")
def always_float32(pred, ground, smoothing=0.1):
    V = pred.shape[1]
    targets = (1 - smoothing) * functional.one_hot(ground, V) + smoothing / V
    return -(targets * pred.log_softmax(dim=1)).sum()


LOG_OF_ZERO = "Where a probability rounds to 0, its log is infinite: `log_softmax` takes both in one step."


@mistake(SUMMED, hint=LOG_OF_ZERO)
def log_of_zero(pred, ground):
    return -pred.softmax(dim=1).log().gather(1, ground.unsqueeze(1)).sum()


@mistake(SMOOTHED, hint=LOG_OF_ZERO)
def smoothed_log_of_zero(pred, ground, smoothing=0.1):
    V = pred.shape[1]
    targets = (1 - smoothing) * functional.one_hot(ground, V).to(pred) + smoothing / V
    return -(targets * pred.softmax(dim=1).log()).sum()
