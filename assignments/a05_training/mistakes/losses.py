"""How people get `training.losses` wrong, and the hint each mistake deserves."""

import torch
from torch.nn import functional as F

from exercise_code.support.checking.declare import mistake
from exercise_code.training.losses import nll_loss, reduced

LOSSES = "training.losses."


# Reductions
@mistake(
    LOSSES + "reduced",
    hint="The weighted sum is divided by the number of losses: divide by the sum of weights.",
)
def weighted_by_number(losses, reduction="mean", weight=None):
    weighted = losses if weight is None else weight * losses
    return {"none": weighted, "sum": weighted.sum(), "mean": weighted.mean()}[check_reduction(reduction)]


def check_reduction(reduction):
    """The reduction, if it is one."""
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(reduction)
    return reduction


@mistake(LOSSES + "reduced", hint="An unknown reduction is taken for the mean: raise a ValueError instead.")
def anything_is_mean(losses, reduction="mean", weight=None):
    weight = torch.ones_like(losses) if weight is None else weight
    if reduction == "none":
        return weight * losses
    total = (weight * losses).sum()
    return total if reduction == "sum" else total / weight.sum()


@mistake(
    LOSSES + "reduced",
    hint="The weights count in the mean alone: they multiply the losses in every reduction.",
)
def weights_in_mean_only(losses, reduction="mean", weight=None):
    if check_reduction(reduction) == "mean" and weight is not None:
        return (weight * losses).sum() / weight.sum()
    return {"none": losses, "sum": losses.sum(), "mean": losses.mean()}[reduction]


@mistake(
    LOSSES + "reduced", hint='The single losses come without weights: these multiply them in "none", too.'
)
def single_losses_without_weights(losses, reduction="mean", weight=None):
    if check_reduction(reduction) == "none":
        return losses
    weight = torch.ones_like(losses) if weight is None else weight
    total = (weight * losses).sum()
    return total if reduction == "sum" else total / weight.sum()


@mistake(
    LOSSES + "reduced", hint="The mean goes over the first axis alone: it is one number, over all losses."
)
def mean_of_first_axis(losses, reduction="mean", weight=None):
    weight = torch.ones_like(losses) if weight is None else weight
    weighted = weight * losses
    means = weighted.sum(0) / weight.sum(0)
    return {"none": weighted, "sum": weighted.sum(), "mean": means}[check_reduction(reduction)]


@mistake(
    LOSSES + "reduced",
    hint="The weights are brought to sum 1 first, which changes the sum and the single losses.",
)
def weights_to_sum_one(losses, reduction="mean", weight=None):
    if weight is None:
        return {"none": losses, "sum": losses.sum(), "mean": losses.mean()}[check_reduction(reduction)]
    weighted = losses * (weight / weight.sum())
    return {"none": weighted, "sum": weighted.sum(), "mean": weighted.sum()}[check_reduction(reduction)]


@mistake(
    LOSSES + "reduced", hint="These are Python numbers: no gradient flows through `item()`. Return tensors."
)
def python_numbers(losses, reduction="mean", weight=None):
    weight = torch.ones_like(losses) if weight is None else weight
    weighted = weight * losses
    total = weighted.sum()
    mean = total / weight.sum()
    return {"none": weighted, "sum": total.item(), "mean": mean.item()}[check_reduction(reduction)]


# Regression
@mistake(
    LOSSES + "l1_loss",
    hint="This difference has a sign: errors of both signs cancel. Take its absolute value.",
)
def l1_signed(x, target, reduction="mean"):
    return reduced(x - target, reduction)


@mistake(LOSSES + "l1_loss", hint="This is the squared difference; the absolute one is asked for.")
def l1_squared(x, target, reduction="mean"):
    return reduced((x - target).square(), reduction)


@mistake(LOSSES + "l1_loss", hint="The reduction is never used: hand it on to `reduced`.")
def l1_always_mean(x, target, reduction="mean"):
    return reduced((x - target).abs())


@mistake(
    LOSSES + "l1_loss",
    hint="No gradient reaches the predictions: they are detached on the way.",
    raises=RuntimeError,
)
def l1_detached(x, target, reduction="mean"):
    return reduced((x.detach() - target).abs(), reduction)


@mistake(
    LOSSES + "mse_loss", hint="There is a factor 1/2 too much: some books write it, this docstring does not."
)
def mse_halved(x, target, reduction="mean"):
    return reduced((x - target).square() / 2, reduction)


@mistake(LOSSES + "mse_loss", hint="This is the absolute difference; the squared one is asked for.")
def mse_absolute(x, target, reduction="mean"):
    return reduced((x - target).abs(), reduction)


@mistake(LOSSES + "mse_loss", hint="The root is taken at the end: that is the RMSE. Leave it out.")
def mse_root(x, target, reduction="mean"):
    return reduced((x - target).square(), reduction).sqrt()


@mistake(LOSSES + "mse_loss", hint="Squares of the two are subtracted: subtract first, then square.")
def mse_of_squares(x, target, reduction="mean"):
    return reduced(x.square() - target.square(), reduction)


@mistake(LOSSES + "mse_loss", hint="The reduction is fixed to the mean: hand yours on to `reduced`.")
def mse_always_mean(x, target, reduction="mean"):
    return reduced((x - target).square())


@mistake(
    LOSSES + "smooth_l1_loss", hint="The lines start too high: subtract beta / 2, so that both pieces meet."
)
def smooth_with_a_step(x, target, beta=1.0, reduction="mean"):
    d = (x - target).abs()
    return reduced(torch.where(d < beta, d.square() / (2 * beta), d), reduction)


@mistake(
    LOSSES + "smooth_l1_loss",
    hint="The parabola is not divided by beta, so the slopes differ where they meet.",
)
def smooth_without_beta(x, target, beta=1.0, reduction="mean"):
    d = (x - target).abs()
    return reduced(torch.where(d < beta, d.square() / 2, d - beta / 2), reduction)


@mistake(LOSSES + "smooth_l1_loss", hint="This is Huber's loss: beta times the one that is asked for.")
def smooth_huber(x, target, beta=1.0, reduction="mean"):
    d = (x - target).abs()
    return reduced(torch.where(d < beta, d.square() / 2, beta * (d - beta / 2)), reduction)


@mistake(
    LOSSES + "smooth_l1_loss",
    hint="The pieces are exchanged: the parabola belongs to differences below beta.",
)
def smooth_exchanged(x, target, beta=1.0, reduction="mean"):
    d = (x - target).abs()
    return reduced(torch.where(d < beta, d - beta / 2, d.square() / (2 * beta)), reduction)


@mistake(LOSSES + "smooth_l1_loss", hint="beta is taken for 1, whatever is handed over.")
def smooth_beta_one(x, target, beta=1.0, reduction="mean"):
    d = (x - target).abs()
    return reduced(torch.where(d < 1, d.square() / 2, d - 0.5), reduction)


@mistake(
    LOSSES + "smooth_l1_loss",
    hint="The sign is lost: without absolute values every negative difference lies below beta.",
)
def smooth_signed(x, target, beta=1.0, reduction="mean"):
    d = x - target
    return reduced(torch.where(d < beta, d.square() / (2 * beta), d - beta / 2), reduction)


@mistake(
    LOSSES + "poisson_nll_loss",
    hint="The prediction is the logarithm of the rate: the rate is its exponential.",
)
def poisson_of_rate(log_rate, target, reduction="mean"):
    return reduced(log_rate - target * log_rate.abs().log(), reduction)


@mistake(
    LOSSES + "poisson_nll_loss",
    hint="A negative prediction has no logarithm: it is one already, that of the rate.",
)
def poisson_log_again(log_rate, target, reduction="mean"):
    return reduced(log_rate - target * log_rate.log(), reduction)


@mistake(LOSSES + "poisson_nll_loss", hint="The sign is that of the log-probability: the loss is minus that.")
def poisson_sign(log_rate, target, reduction="mean"):
    return reduced(target * log_rate - log_rate.exp(), reduction)


@mistake(
    LOSSES + "poisson_nll_loss", hint="log k! is in it: it does not depend on the prediction. Leave it out."
)
def poisson_with_factorial(log_rate, target, reduction="mean"):
    return reduced(log_rate.exp() - target * log_rate + torch.lgamma(target + 1), reduction)


@mistake(
    LOSSES + "poisson_nll_loss", hint="The rate itself is missing: exp(-r) belongs to the probability, too."
)
def poisson_without_rate(log_rate, target, reduction="mean"):
    return reduced(-target * log_rate, reduction)


@mistake(
    LOSSES + "poisson_nll_loss",
    hint="The reduction does not get through: the mean comes out, whatever is asked.",
)
def poisson_always_mean(log_rate, target, reduction="mean"):
    return reduced(log_rate.exp() - target * log_rate)


# One class of several
def _nll(log_p, y, weight, ignore_index, reduction, *, sign=-1.0, by_number=False, ignored_count=False):
    """`nll_loss` with something else in one place."""
    counts = y != ignore_index
    y = y.where(counts, 0)
    each = log_p.new_ones(len(y)) if weight is None else weight[y]
    factor = each if ignored_count else each * counts
    losses = sign * log_p.gather(1, y[:, None])[:, 0] * counts
    if by_number and reduction == "mean":
        return (losses * each).sum() / counts.sum()
    if ignored_count and reduction != "mean":
        return reduced(losses, reduction, each * counts)
    return reduced(losses, reduction, factor)


@mistake(
    LOSSES + "nll_loss", hint="The weighted sum is divided by N: divide by the sum of the images' weights."
)
def nll_mean_by_number(log_p, y, weight=None, ignore_index=-100, reduction="mean"):
    return _nll(log_p, y, weight, ignore_index, reduction, by_number=True)


@mistake(
    LOSSES + "nll_loss", hint="The minus is missing: log-probabilities are negative, the loss is positive."
)
def nll_sign(log_p, y, weight=None, ignore_index=-100, reduction="mean"):
    return _nll(log_p, y, weight, ignore_index, reduction, sign=1.0)


@mistake(LOSSES + "nll_loss", hint="Ignored images add nothing to the sum, but still count in the mean.")
def nll_ignored_count(log_p, y, weight=None, ignore_index=-100, reduction="mean"):
    return _nll(log_p, y, weight, ignore_index, reduction, ignored_count=True)


@mistake(LOSSES + "nll_loss", hint="The class weights are never used: weight[y] is the weight of each image.")
def nll_without_weights(log_p, y, weight=None, ignore_index=-100, reduction="mean"):
    return _nll(log_p, y, None, ignore_index, reduction)


@mistake(LOSSES + "nll_loss", hint="Only -100 is left out: compare the labels with ignore_index.")
def nll_ignores_fixed(log_p, y, weight=None, ignore_index=-100, reduction="mean"):
    return _nll(log_p, y, weight, -100, reduction)


@mistake(
    LOSSES + "nll_loss",
    hint="Ignored images are dropped, so the single losses are too few: theirs is 0.",
)
def nll_drops_ignored(log_p, y, weight=None, ignore_index=-100, reduction="mean"):
    counts = y != ignore_index
    return _nll(log_p[counts], y[counts], weight, ignore_index, reduction)


@mistake(
    LOSSES + "nll_loss",
    hint="A label such as -100 is no column: replace the ignored labels before you index.",
    raises=IndexError,
)
def nll_indexes_ignored(log_p, y, weight=None, ignore_index=-100, reduction="mean"):
    rows = torch.arange(len(y), device=y.device)
    each = log_p.new_ones(len(y)) if weight is None else weight[y]
    return reduced(-log_p[rows, y], reduction, each * (y != ignore_index))


@mistake(LOSSES + "nll_loss", hint="The input already holds logarithms: do not take another one.")
def nll_log_again(log_p, y, weight=None, ignore_index=-100, reduction="mean"):
    return _nll(log_p.abs().log(), y, weight, ignore_index, reduction)


@mistake(
    LOSSES + "cross_entropy",
    hint="The softmax comes twice: probabilities are taken for scores. Keep the scores.",
)
def cross_entropy_softmax_twice(x, y, weight=None, ignore_index=-100, reduction="mean"):
    p = (x - x.logsumexp(dim=1, keepdim=True)).exp()
    return nll_loss(p - p.logsumexp(dim=1, keepdim=True), y, weight, ignore_index, reduction)


@mistake(LOSSES + "cross_entropy", hint="exp overflows for large scores: let `torch.logsumexp` work it out.")
def cross_entropy_overflows(x, y, weight=None, ignore_index=-100, reduction="mean"):
    return nll_loss(x - x.exp().sum(dim=1, keepdim=True).log(), y, weight, ignore_index, reduction)


@mistake(
    LOSSES + "cross_entropy",
    hint="Probabilities that round to 0 have no logarithm: stay with log-probabilities.",
)
def cross_entropy_log_of_zero(x, y, weight=None, ignore_index=-100, reduction="mean"):
    p = (x - x.amax(dim=1, keepdim=True)).exp()
    return nll_loss((p / p.sum(dim=1, keepdim=True)).log(), y, weight, ignore_index, reduction)


@mistake(
    LOSSES + "cross_entropy",
    hint="The sum runs over images, axis 0: probabilities sum to 1 over classes, axis 1.",
)
def cross_entropy_over_images(x, y, weight=None, ignore_index=-100, reduction="mean"):
    return nll_loss(x - x.logsumexp(dim=0, keepdim=True), y, weight, ignore_index, reduction)


@mistake(
    LOSSES + "cross_entropy", hint="These are bare scores in `nll_loss`: the normalising term is missing."
)
def cross_entropy_without_sum(x, y, weight=None, ignore_index=-100, reduction="mean"):
    return nll_loss(x, y, weight, ignore_index, reduction)


@mistake(LOSSES + "cross_entropy", hint="ignore_index stops here: hand it on, together with the weights.")
def cross_entropy_loses_ignored(x, y, weight=None, ignore_index=-100, reduction="mean"):
    return nll_loss(x - x.logsumexp(dim=1, keepdim=True), y, weight, reduction=reduction)


@mistake(LOSSES + "cross_entropy", hint="The class weights get lost: hand them on to `nll_loss`.")
def cross_entropy_loses_weights(x, y, weight=None, ignore_index=-100, reduction="mean"):
    return nll_loss(x - x.logsumexp(dim=1, keepdim=True), y, None, ignore_index, reduction)


@mistake(LOSSES + "kl_div", hint="The predictions are logarithms already: taking their logarithm gives NaN.")
def kl_log_again(log_q, p, reduction="mean"):
    losses = torch.xlogy(p, p) - p * log_q.log()
    return losses.sum() / len(p) if reduction == "batchmean" else reduced(losses, reduction)


@mistake(
    LOSSES + "kl_div",
    hint='"mean" divides by N only, as "batchmean" does: it averages over all N · C entries.',
)
def kl_mean_is_batchmean(log_q, p, reduction="mean"):
    losses = torch.xlogy(p, p) - p * log_q
    return losses.sum() / len(p) if reduction in ("mean", "batchmean") else reduced(losses, reduction)


@mistake(
    LOSSES + "kl_div", hint='"batchmean" averages over all entries: divide the sum by the number of rows.'
)
def kl_batchmean_is_mean(log_q, p, reduction="mean"):
    losses = torch.xlogy(p, p) - p * log_q
    return reduced(losses, "mean" if reduction == "batchmean" else reduction)


@mistake(LOSSES + "kl_div", hint="0 · log 0 is NaN in torch: entries with p = 0 are 0.")
def kl_zero_is_nan(log_q, p, reduction="mean"):
    losses = p * (p.log() - log_q)
    return losses.sum() / len(p) if reduction == "batchmean" else reduced(losses, reduction)


@mistake(
    LOSSES + "kl_div",
    hint="Where p is 0, so is the quotient p / q, and 0 times its logarithm is NaN: such entries are 0.",
)
def kl_of_quotient(log_q, p, reduction="mean"):
    losses = p * (p / log_q.exp()).log()
    return losses.sum() / len(p) if reduction == "batchmean" else reduced(losses, reduction)


@mistake(LOSSES + "kl_div", hint="p and q are exchanged: the target p weights the difference of logarithms.")
def kl_exchanged(log_q, p, reduction="mean"):
    losses = log_q.exp() * (log_q - p.clamp(min=1e-9).log())
    return losses.sum() / len(p) if reduction == "batchmean" else reduced(losses, reduction)


@mistake(
    LOSSES + "kl_div",
    hint="p log p is missing: this is the cross-entropy, which is larger by the entropy of p.",
)
def kl_without_entropy(log_q, p, reduction="mean"):
    losses = -p * log_q
    return losses.sum() / len(p) if reduction == "batchmean" else reduced(losses, reduction)


def _multi_margin(x, y, margin, reduction, *, right=False, by=None, sign=1):
    """`multi_margin_loss` with something else in one place."""
    margins = (margin - sign * (x.gather(1, y[:, None]) - x)).clamp(min=0)
    margins = margins if right else margins * (1 - F.one_hot(y, x.shape[1]))
    return reduced(margins.sum(dim=1) / (by or x.shape[1]), reduction)


@mistake(
    LOSSES + "multi_margin_loss", hint="The right class counts as well, with the margin itself: leave it out."
)
def multi_margin_with_right(x, y, margin=1.0, reduction="mean"):
    return _multi_margin(x, y, margin, reduction, right=True)


@mistake(LOSSES + "multi_margin_loss", hint="The sum over classes is not divided by C, unlike that of a03.")
def multi_margin_summed(x, y, margin=1.0, reduction="mean"):
    return _multi_margin(x, y, margin, reduction, by=1)


@mistake(LOSSES + "multi_margin_loss", hint="The sum is divided by the C - 1 wrong classes: divide by C.")
def multi_margin_by_wrong(x, y, margin=1.0, reduction="mean"):
    return _multi_margin(x, y, margin, reduction, by=x.shape[1] - 1)


@mistake(
    LOSSES + "multi_margin_loss",
    hint="The difference is turned round: a right score far ahead costs nothing.",
)
def multi_margin_turned(x, y, margin=1.0, reduction="mean"):
    return _multi_margin(x, y, margin, reduction, sign=-1)


@mistake(LOSSES + "multi_margin_loss", hint="The margin is 1, whatever is handed over.")
def multi_margin_of_one(x, y, margin=1.0, reduction="mean"):
    return _multi_margin(x, y, 1.0, reduction)


@mistake(
    LOSSES + "multi_margin_loss",
    hint="This is the loss of a03: here the margin is handed over, and the sum is divided by C.",
)
def multi_margin_of_a03(x, y, margin=1.0, reduction="mean"):
    return _multi_margin(x, y, 1.0, reduction, by=1)


@mistake(LOSSES + "multi_margin_loss", hint="Only the best wrong class counts: sum over all of them.")
def multi_margin_of_best(x, y, margin=1.0, reduction="mean"):
    margins = (margin - x.gather(1, y[:, None]) + x).clamp(min=0) * (1 - F.one_hot(y, x.shape[1]))
    return reduced(margins.amax(dim=1) / x.shape[1], reduction)


# Yes or no
@mistake(
    LOSSES + "binary_cross_entropy", hint="Targets of 0 cost nothing: the term (1 - t) log(1 - p) is missing."
)
def bce_half(p, target, reduction="mean"):
    return reduced(-target * p.log().clamp(min=-100), reduction)


@mistake(
    LOSSES + "binary_cross_entropy",
    hint="p is 0 or 1, and the loss is no number: keep the logarithms above -100.",
)
def bce_infinite(p, target, reduction="mean"):
    return reduced(-(target * p.log() + (1 - target) * (1 - p).log()), reduction)


@mistake(LOSSES + "binary_cross_entropy", hint="A sigmoid too much: the inputs are probabilities already.")
def bce_sigmoid(p, target, reduction="mean"):
    p = p.sigmoid()
    return reduced(-(target * p.log() + (1 - target) * (1 - p).log()), reduction)


@mistake(LOSSES + "binary_cross_entropy", hint="The minus sign in front is missing.")
def bce_sign(p, target, reduction="mean"):
    log_yes, log_no = p.log().clamp(min=-100), (1 - p).log().clamp(min=-100)
    return reduced(target * log_yes + (1 - target) * log_no, reduction)


@mistake(
    LOSSES + "binary_cross_entropy",
    hint="p is cut off at 1e-7, so sure mistakes cost 16 and not 100: clamp the logs.",
)
def bce_clamps_p(p, target, reduction="mean"):
    p = p.clamp(1e-7, 1 - 1e-7)
    return reduced(-(target * p.log() + (1 - target) * (1 - p).log()), reduction)


@mistake(
    LOSSES + "binary_cross_entropy", hint="Prediction and target are exchanged: the logarithm is that of p."
)
def bce_exchanged(p, target, reduction="mean"):
    log_yes, log_no = target.log().clamp(min=-100), (1 - target).log().clamp(min=-100)
    return reduced(-(p * log_yes + (1 - p) * log_no), reduction)


LOGITS = LOSSES + "binary_cross_entropy_with_logits"


@mistake(LOGITS, hint="The sigmoid is applied twice: a sigmoid of scores goes into a loss that takes scores.")
def logits_sigmoid_twice(x, target, reduction="mean"):
    p = x.sigmoid()
    return reduced(torch.logaddexp(p, torch.zeros_like(p)) - target * p, reduction)


@mistake(LOGITS, hint="exp overflows for scores in the thousands: use `torch.logaddexp`.")
def logits_overflow(x, target, reduction="mean"):
    return reduced((1 + x.exp()).log() - target * x, reduction)


@mistake(
    LOGITS, hint="The sigmoid rounds to 0 or 1, and its clamped logarithm stops at 100: stay with scores."
)
def logits_through_probabilities(x, target, reduction="mean"):
    p = x.sigmoid()
    log_yes, log_no = p.log().clamp(min=-100), (1 - p).log().clamp(min=-100)
    return reduced(-(target * log_yes + (1 - target) * log_no), reduction)


@mistake(
    LOGITS,
    hint="sigmoid rounds to 0 or 1 and its logarithm is infinite: rewrite the loss as log(1 + e^x) - t x.",
)
def logits_log_of_sigmoid(x, target, reduction="mean"):
    p = x.sigmoid()
    return reduced(-(target * p.log() + (1 - target) * (1 - p).log()), reduction)


@mistake(
    LOGITS,
    hint="The loss is right, its gradient is not: torch.where also differentiates the side it does not take.",
)
def logits_where(x, target, reduction="mean"):
    return reduced(torch.where(x > 20, x, x.exp().log1p()) - target * x, reduction)


@mistake(LOGITS, hint="These are the losses of the opposite answer: the sign of the scores is turned round.")
def logits_turned(x, target, reduction="mean"):
    return reduced(torch.logaddexp(-x, torch.zeros_like(x)) + target * x, reduction)


@mistake(
    LOGITS, hint="The targets enter as yes or no, by a threshold: those between 0 and 1 count as they are."
)
def logits_threshold(x, target, reduction="mean"):
    return reduced(torch.logaddexp(x, torch.zeros_like(x)) - (target > 0.5) * x, reduction)


@mistake(LOGITS, hint="Your reduction is left aside: the mean comes out each time.")
def logits_always_mean(x, target, reduction="mean"):
    return reduced(torch.logaddexp(x, torch.zeros_like(x)) - target * x)


@mistake(
    LOSSES + "soft_margin_loss",
    hint="The sign of y x is missing its minus: scores of the right sign cost little.",
)
def soft_margin_sign(x, y, reduction="mean"):
    return reduced(torch.logaddexp(y * x, torch.zeros_like(x)), reduction)


@mistake(LOSSES + "soft_margin_loss", hint="Labels are 1 and -1 here, not 1 and 0: a target of -1 is a no.")
def soft_margin_labels(x, y, reduction="mean"):
    return reduced(torch.logaddexp(x, torch.zeros_like(x)) - y * x, reduction)


@mistake(
    LOSSES + "soft_margin_loss",
    hint="exp is infinite for scores in the thousands, and a sigmoid 0: `torch.logaddexp` stays finite.",
)
def soft_margin_overflows(x, y, reduction="mean"):
    return reduced((1 + (-y * x).exp()).log(), reduction)


@mistake(LOSSES + "soft_margin_loss", hint="This is the hinge, max(0, 1 - y x): the soft margin has no kink.")
def soft_margin_hinge(x, y, reduction="mean"):
    return reduced((1 - y * x).clamp(min=0), reduction)


@mistake(LOSSES + "soft_margin_loss", hint="What reduction says is not looked at: hand it on.")
def soft_margin_always_mean(x, y, reduction="mean"):
    return reduced(torch.logaddexp(-y * x, torch.zeros_like(x)))


SEVERAL = LOSSES + "multi_label_soft_margin_loss"


def _binary(x, target):
    """Binary cross-entropy of scores, one by one."""
    return torch.logaddexp(x, torch.zeros_like(x)) - target * x


@mistake(SEVERAL, hint="The classes of an image are summed: their mean is asked for.")
def several_summed(x, target, reduction="mean"):
    return reduced(_binary(x, target).sum(dim=1), reduction)


@mistake(SEVERAL, hint="The mean goes over images, axis 0: each image keeps a loss, so average over classes.")
def several_over_images(x, target, reduction="mean"):
    return reduced(_binary(x, target).mean(dim=0), reduction)


@mistake(SEVERAL, hint="A loss for each image and class is left: average over classes before you reduce.")
def several_not_averaged(x, target, reduction="mean"):
    return reduced(_binary(x, target), reduction)


@mistake(
    SEVERAL,
    hint="A sigmoid rounds to 0 or 1 and its logarithm is infinite: use the loss that takes scores.",
)
def several_log_of_sigmoid(x, target, reduction="mean"):
    p = x.sigmoid()
    return reduced(-(target * p.log() + (1 - target) * (1 - p).log()).mean(dim=1), reduction)


@mistake(SEVERAL, hint="Softmax lets the classes compete, but an image may have several: a sigmoid for each.")
def several_softmax(x, target, reduction="mean"):
    log_p = x - x.logsumexp(dim=1, keepdim=True)
    return reduced(-(target * log_p).mean(dim=1), reduction)


@mistake(SEVERAL, hint="Classes that an image has not are left out: they cost log(1 + exp(x)).")
def several_only_right(x, target, reduction="mean"):
    return reduced((target * _binary(x, target)).mean(dim=1), reduction)


PAIRS = LOSSES + "multi_label_margin_loss"


def _pairs(x, target, reduction, *, by=None, wrong=None, sign=1, margin=1):
    """`multi_label_margin_loss` with something else in one place."""
    hinges = (margin - sign * (x[:, :, None] - x[:, None])).clamp(min=0)
    pairs = target[:, :, None] * (1 - target[:, None] if wrong is None else wrong)
    return reduced((hinges * pairs).sum(dim=(1, 2)) / (by or x.shape[1]), reduction)


@mistake(PAIRS, hint="The sum over pairs is not divided by C.")
def pairs_summed(x, target, reduction="mean"):
    return _pairs(x, target, reduction, by=1)


@mistake(
    PAIRS, hint="Pairs of two right classes count as well: the second of a pair is one the image has not."
)
def pairs_with_all(x, target, reduction="mean"):
    return _pairs(x, target, reduction, wrong=torch.ones_like(target)[:, None])


@mistake(PAIRS, hint="The difference has the wrong sign: right classes should be ahead of the others.")
def pairs_turned(x, target, reduction="mean"):
    return _pairs(x, target, reduction, sign=-1)


@mistake(PAIRS, hint="Images with all classes or none give NaN: divide by C, not by the number of pairs.")
def pairs_averaged(x, target, reduction="mean"):
    hinges = (1 - x[:, :, None] + x[:, None]).clamp(min=0)
    pairs = target[:, :, None] * (1 - target[:, None])
    return reduced((hinges * pairs).sum(dim=(1, 2)) / pairs.sum(dim=(1, 2)), reduction)


@mistake(PAIRS, hint="The margin of 1 is missing: a right class must be ahead by that much.")
def pairs_without_margin(x, target, reduction="mean"):
    return _pairs(x, target, reduction, margin=0)


@mistake(PAIRS, hint="Only one right class is looked at: sum over all classes that the image has.")
def pairs_of_first(x, target, reduction="mean"):
    right = F.one_hot(target.argmax(dim=1), x.shape[1]) * target
    hinges = (1 - x[:, :, None] + x[:, None]).clamp(min=0)
    return reduced(
        (hinges * right[:, :, None] * (1 - target[:, None])).sum(dim=(1, 2)) / x.shape[1], reduction
    )


# Comparing
RANKING = LOSSES + "margin_ranking_loss"


@mistake(RANKING, hint="The order is turned round: y = 1 says that x1 should be the larger one.")
def ranking_turned(x1, x2, y, margin=0.0, reduction="mean"):
    return reduced((margin + y * (x1 - x2)).clamp(min=0), reduction)


@mistake(RANKING, hint="The margin is subtracted: it is added, so that a small lead still costs something.")
def ranking_margin_sign(x1, x2, y, margin=0.0, reduction="mean"):
    return reduced((-margin - y * (x1 - x2)).clamp(min=0), reduction)


@mistake(RANKING, hint="The margin is left out.")
def ranking_without_margin(x1, x2, y, margin=0.0, reduction="mean"):
    return reduced((-y * (x1 - x2)).clamp(min=0), reduction)


@mistake(RANKING, hint="y multiplies the margin too: it belongs to the difference alone.")
def ranking_margin_in_y(x1, x2, y, margin=0.0, reduction="mean"):
    return reduced((y * (margin - (x1 - x2))).clamp(min=0), reduction)


@mistake(RANKING, hint="Losses below 0 remain: what is in order by more than the margin costs 0.")
def ranking_without_clamp(x1, x2, y, margin=0.0, reduction="mean"):
    return reduced(margin - y * (x1 - x2), reduction)


HINGE = LOSSES + "hinge_embedding_loss"


@mistake(HINGE, hint="Alike and unlike are exchanged: where y = 1 the distance itself is the loss.")
def hinge_exchanged(distance, y, margin=1.0, reduction="mean"):
    return reduced(torch.where(y == -1, distance, (margin - distance).clamp(min=0)), reduction)


@mistake(HINGE, hint="Unlike pairs beyond the margin cost less than 0: their loss is 0.")
def hinge_without_clamp(distance, y, margin=1.0, reduction="mean"):
    return reduced(torch.where(y == 1, distance, margin - distance), reduction)


@mistake(HINGE, hint="The margin stays at 1, whatever is handed over.")
def hinge_margin_of_one(distance, y, margin=1.0, reduction="mean"):
    return reduced(torch.where(y == 1, distance, (1 - distance).clamp(min=0)), reduction)


@mistake(
    HINGE, hint="This is max(0, margin - y · distance), the hinge of scores: alike pairs cost their distance."
)
def hinge_of_scores(distance, y, margin=1.0, reduction="mean"):
    return reduced((margin - y * distance).clamp(min=0), reduction)


@mistake(HINGE, hint="Unlike pairs cost nothing: they should be pushed apart, up to the margin.")
def hinge_without_push(distance, y, margin=1.0, reduction="mean"):
    return reduced(torch.where(y == 1, distance, torch.zeros_like(distance)), reduction)


COSINE = LOSSES + "cosine_embedding_loss"


@mistake(COSINE, hint="The dot product is not divided by the two lengths: long vectors cost more.")
def cosine_of_dot(x1, x2, y, margin=0.0, reduction="mean"):
    cosine = (x1 * x2).sum(dim=1)
    return reduced(torch.where(y == 1, 1 - cosine, (cosine - margin).clamp(min=0)), reduction)


@mistake(COSINE, hint="Alike and unlike pairs have exchanged their losses.")
def cosine_exchanged(x1, x2, y, margin=0.0, reduction="mean"):
    cosine = F.cosine_similarity(x1, x2, dim=1)
    return reduced(torch.where(y == -1, 1 - cosine, (cosine - margin).clamp(min=0)), reduction)


@mistake(COSINE, hint="The margin is never used: unlike pairs cost nothing up to a cosine of margin.")
def cosine_without_margin(x1, x2, y, margin=0.0, reduction="mean"):
    cosine = F.cosine_similarity(x1, x2, dim=1)
    return reduced(torch.where(y == 1, 1 - cosine, cosine.clamp(min=0)), reduction)


@mistake(COSINE, hint="Unlike pairs with a cosine below the margin cost less than 0: clamp them.")
def cosine_without_clamp(x1, x2, y, margin=0.0, reduction="mean"):
    cosine = F.cosine_similarity(x1, x2, dim=1)
    return reduced(torch.where(y == 1, 1 - cosine, cosine - margin), reduction)


@mistake(COSINE, hint="The cosine goes over pairs, axis 0: each pair has its own, over axis 1.")
def cosine_over_pairs(x1, x2, y, margin=0.0, reduction="mean"):
    cosine = (x1 * x2).sum(dim=1) / (x1.norm(dim=0).norm() * x2.norm(dim=0).norm())
    return reduced(torch.where(y == 1, 1 - cosine, (cosine - margin).clamp(min=0)), reduction)


TRIPLET = LOSSES + "triplet_margin_loss"


def _triplet(anchor, positive, negative, margin, reduction, *, distance=None):
    """`triplet_margin_loss` with another distance."""
    near, far = (distance(anchor - other) for other in (positive, negative))
    return reduced((near - far + margin).clamp(min=0), reduction)


@mistake(TRIPLET, hint="These are squared distances: the root is missing.")
def triplet_squared(anchor, positive, negative, margin=1.0, reduction="mean"):
    return _triplet(anchor, positive, negative, margin, reduction, distance=lambda d: d.square().sum(dim=1))


@mistake(TRIPLET, hint="These are sums of absolute differences: Euclidean distances are asked for.")
def triplet_manhattan(anchor, positive, negative, margin=1.0, reduction="mean"):
    return _triplet(anchor, positive, negative, margin, reduction, distance=lambda d: d.abs().sum(dim=1))


@mistake(TRIPLET, hint="Positive and negative are exchanged: the positive one should be near.")
def triplet_exchanged(anchor, positive, negative, margin=1.0, reduction="mean"):
    return _triplet(anchor, negative, positive, margin, reduction, distance=lambda d: d.norm(dim=1))


@mistake(TRIPLET, hint="The negative's distance is taken from the positive: take it from the anchor.")
def triplet_from_positive(anchor, positive, negative, margin=1.0, reduction="mean"):
    near, far = (anchor - positive).norm(dim=1), (positive - negative).norm(dim=1)
    return reduced((near - far + margin).clamp(min=0), reduction)


@mistake(TRIPLET, hint="The margin is 1 each time: use the one that is handed over.")
def triplet_margin_of_one(anchor, positive, negative, margin=1.0, reduction="mean"):
    return _triplet(anchor, positive, negative, 1.0, reduction, distance=lambda d: d.norm(dim=1))


@mistake(TRIPLET, hint="Triplets that are in order by more than the margin cost less than 0: clamp at 0.")
def triplet_without_clamp(anchor, positive, negative, margin=1.0, reduction="mean"):
    near, far = ((anchor - other).norm(dim=1) for other in (positive, negative))
    return reduced(near - far + margin, reduction)


@mistake(TRIPLET, hint="One distance for the whole batch: each triplet has its own, over axis 1.")
def triplet_of_batch(anchor, positive, negative, margin=1.0, reduction="mean"):
    return _triplet(anchor, positive, negative, margin, reduction, distance=lambda d: d.norm() + 0 * d[:, 0])
