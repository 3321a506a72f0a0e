"""How people get `linear.linear_classifier` wrong, and the hint each mistake deserves."""

import torch
from torch.nn import functional as F

from exercise_code.linear import linear_classifier as lc
from exercise_code.support.checking.declare import mistake

from .common import LOG_OF_ZERO, ON_CPU, OVERFLOW, _cross_entropy

SVM_NAIVE, SVM = "linear.linear_classifier.svm_loss_naive", "linear.linear_classifier.svm_loss_vectorized"


SOFTMAX_NAIVE, SOFTMAX = (
    "linear.linear_classifier.softmax_loss_naive",
    "linear.linear_classifier.softmax_loss_vectorized",
)


BATCH = "linear.linear_classifier.sample_batch"


TRAIN = "linear.linear_classifier.train_linear_classifier"


PREDICT = "linear.linear_classifier.predict_linear_classifier"


ONE_SET = "linear.linear_classifier.test_one_param_set"


NO_PENALTY = (
    "The gradient lacks the penalty's part: what is the derivative of reg times the sum of W squared?"
)


HALF_PENALTY = "The penalty's gradient is half of what is due: a square has a factor 2 in its derivative."


HALF_OF_BOTH = "The penalty is halved, in the loss and in the gradient: this course puts no 1/2 before it."


NO_MEAN = "Loss and gradient are sums over the images; they are due as means."


GRADIENT_SUM = "The loss is a mean over the images, its gradient still a sum: divide it too."


FLOAT32 = "The result is float32 whatever goes in: keep to the dtype of W."


CORRECT_CLASS = (
    "The right class counts as well: its margin is always 1, so the loss is 1 too high. Leave it out."
)


def _margins(W, X, y):
    scores = X @ W
    margins = (scores - scores.gather(1, y[:, None]) + 1).clamp(min=0)
    return margins.scatter(1, y[:, None], 0)


def _hinge_gradient(margins, X, y):
    mask = (margins > 0).to(X.dtype)
    return X.T @ mask.scatter(1, y[:, None], -mask.sum(1, keepdim=True))


def _probabilities(W, X):
    scores = X @ W
    powers = (scores - scores.amax(1, keepdim=True)).exp()
    return powers / powers.sum(1, keepdim=True)


def _softmax_gradient(p, X, y):
    return X.T @ (p - F.one_hot(y, p.shape[1])) / len(X)


# Hinge loss
@mistake(SVM_NAIVE, hint=NO_PENALTY)
def svm_naive_without_penalty_gradient(W, X, y, reg):
    margins = _margins(W, X, y)
    return margins.sum() / len(X) + reg * (W * W).sum(), _hinge_gradient(margins, X, y) / len(X)


@mistake(SVM_NAIVE, hint=HALF_PENALTY)
def svm_naive_half_penalty_gradient(W, X, y, reg):
    margins = _margins(W, X, y)
    return margins.sum() / len(X) + reg * (W * W).sum(), _hinge_gradient(margins, X, y) / len(X) + reg * W


@mistake(SVM_NAIVE, hint=NO_MEAN)
def svm_naive_sums(W, X, y, reg):
    margins = _margins(W, X, y)
    return margins.sum() + reg * (W * W).sum(), _hinge_gradient(margins, X, y) + 2 * reg * W


@mistake(SVM_NAIVE, hint=GRADIENT_SUM)
def svm_naive_gradient_sum(W, X, y, reg):
    margins = _margins(W, X, y)
    return margins.sum() / len(X) + reg * (W * W).sum(), _hinge_gradient(margins, X, y) + 2 * reg * W


@mistake(SVM_NAIVE, hint=CORRECT_CLASS)
def svm_naive_counts_right_class(W, X, y, reg):
    scores = X @ W
    margins = (scores - scores.gather(1, y[:, None]) + 1).clamp(min=0)
    mask = (margins > 0).to(X.dtype)
    mask = mask - mask.sum(1, keepdim=True) * F.one_hot(y, W.shape[1])
    return margins.sum() / len(X) + reg * (W * W).sum(), X.T @ mask / len(X) + 2 * reg * W


@mistake(
    SVM_NAIVE,
    hint="The right class gets its image taken off once; it must be once for every margin that is violated.",
)
def svm_naive_right_class_once(W, X, y, reg):
    margins = _margins(W, X, y)
    mask = (margins > 0).to(X.dtype)
    mask = mask.scatter(1, y[:, None], -mask.amax(1, keepdim=True))
    return margins.sum() / len(X) + reg * (W * W).sum(), X.T @ mask / len(X) + 2 * reg * W


@mistake(
    SVM_NAIVE,
    hint="Only the wrong classes get a gradient; raising a margin also takes lowering the right score.",
)
def svm_naive_right_class_never(W, X, y, reg):
    margins = _margins(W, X, y)
    dW = X.T @ (margins > 0).to(X.dtype) / len(X) + 2 * reg * W
    return margins.sum() / len(X) + reg * (W * W).sum(), dW


@mistake(
    SVM_NAIVE, hint="There is no margin: a wrong class costs as soon as it comes within 1 of the right one."
)
def svm_naive_without_margin(W, X, y, reg):
    scores = X @ W
    margins = (scores - scores.gather(1, y[:, None])).clamp(min=0)
    return margins.sum() / len(X) + reg * (W * W).sum(), _hinge_gradient(margins, X, y) / len(X) + 2 * reg * W


@mistake(
    SVM_NAIVE, hint="The sign of the margin is turned: a wrong score high above the right one must cost."
)
def svm_naive_turned(W, X, y, reg):
    scores = X @ W
    margins = (scores.gather(1, y[:, None]) - scores + 1).clamp(min=0).scatter(1, y[:, None], 0)
    return margins.sum() / len(X) + reg * (W * W).sum(), -_hinge_gradient(margins, X, y) / len(
        X
    ) + 2 * reg * W


@mistake(
    SVM_NAIVE,
    hint="Only the worst wrong class of each image is counted; every one that comes too near costs.",
)
def svm_naive_worst_only(W, X, y, reg):
    margins = _margins(W, X, y)
    margins = margins * (margins == margins.amax(1, keepdim=True))
    return margins.sum() / len(X) + reg * (W * W).sum(), _hinge_gradient(margins, X, y) / len(X) + 2 * reg * W


@mistake(SVM_NAIVE, hint="The penalty's gradient is added to that of every image: add it once, at the end.")
def svm_naive_penalty_each_image(W, X, y, reg):
    margins = _margins(W, X, y)
    dW = _hinge_gradient(margins, X, y) / len(X) + 2 * reg * W * len(X)
    return margins.sum() / len(X) + reg * (W * W).sum(), dW


@mistake(SVM_NAIVE, hint="The gradient is transposed: like W it has a column for each class.")
def svm_naive_transposed(W, X, y, reg):
    loss, dW = lc.svm_loss_vectorized(W, X, y, reg)
    return loss, dW.T


@mistake(SVM_NAIVE, hint="The classes are counted in y: a batch may lack some, W has a column for each.")
def svm_naive_counts_labels(W, X, y, reg):
    present = int(y.max()) + 1
    loss, dW = lc.svm_loss_vectorized(W[:, :present], X, y, reg)
    rest = W[:, present:]
    return loss + reg * rest.square().sum(), torch.cat([dW, 2 * reg * rest], dim=1)


@mistake(SVM_NAIVE, hint=FLOAT32)
def svm_naive_always_float32(W, X, y, reg):
    loss, dW = lc.svm_loss_vectorized(W.float(), X.float(), y, reg)
    return loss, dW


@mistake(SVM_NAIVE, hint=ON_CPU)
def svm_naive_on_cpu(W, X, y, reg):
    loss, dW = 0.0, torch.zeros(W.shape, dtype=W.dtype)
    for x, label in zip(X, y, strict=True):
        scores = x @ W
        for j in range(W.shape[1]):
            margin = scores[j] - scores[label] + 1
            if j != label and margin > 0:
                loss += margin
                dW[:, j] += x
                dW[:, label] -= x
    return loss / len(X) + reg * (W * W).sum(), dW / len(X) + 2 * reg * W


@mistake(SVM_NAIVE, hint="The loss is a Python number: return a tensor without axes (leave `.item()` out).")
def svm_naive_python_number(W, X, y, reg):
    loss, dW = lc.svm_loss_vectorized(W, X, y, reg)
    return loss.item(), dW


@mistake(
    SVM_NAIVE,
    hint="Only the loss comes back: return the loss and its gradient, in this order.",
    raises=TypeError,
)
def svm_naive_loss_only(W, X, y, reg):
    return lc.svm_loss_vectorized(W, X, y, reg)[0]


@mistake(SVM_NAIVE, hint="Autograd has done the work; here the gradient is yours to write.")
def svm_naive_by_autograd(W, X, y, reg):
    with torch.enable_grad():
        leaf = W.clone().requires_grad_()
        loss = _margins(leaf, X, y).sum() / len(X) + reg * leaf.square().sum()
        return loss.detach(), torch.autograd.grad(loss, leaf)[0]


@mistake(
    SVM,
    hint="`dW[:, y] += …` keeps one image of each class: repeated indices are dropped. Use a matrix product.",
)
def svm_repeated_indices(W, X, y, reg):
    margins = _margins(W, X, y)
    mask = (margins > 0).to(X.dtype)
    dW = X.T @ mask
    dW[:, y] -= (mask.sum(1, keepdim=True) * X).T
    return margins.sum() / len(X) + reg * (W * W).sum(), dW / len(X) + 2 * reg * W


@mistake(SVM_NAIVE, hint=HALF_OF_BOTH)
def svm_naive_half_penalty(W, X, y, reg):
    return lc.svm_loss_vectorized(W, X, y, reg / 2)


@mistake(SOFTMAX_NAIVE, hint=HALF_OF_BOTH)
def softmax_naive_half_penalty(W, X, y, reg):
    return lc.softmax_loss_vectorized(W, X, y, reg / 2)


@mistake(SOFTMAX, hint=HALF_OF_BOTH)
def softmax_half_penalty(W, X, y, reg):
    return lc.softmax_loss_naive(W, X, y, reg / 2)


@mistake(SVM, hint=CORRECT_CLASS)
def svm_counts_right_class(W, X, y, reg):
    scores = X @ W
    margins = (scores - scores.gather(1, y[:, None]) + 1).clamp(min=0)
    mask = (margins > 0).to(X.dtype)
    mask = mask - mask.sum(1, keepdim=True) * F.one_hot(y, W.shape[1])
    return margins.sum() / len(X) + reg * (W * W).sum(), X.T @ mask / len(X) + 2 * reg * W


@mistake(SVM, hint=NO_PENALTY)
def svm_without_penalty_gradient(W, X, y, reg):
    margins = _margins(W, X, y)
    return margins.sum() / len(X) + reg * (W * W).sum(), _hinge_gradient(margins, X, y) / len(X)


@mistake(SVM, hint="The penalty is missing altogether, in the loss and in the gradient.")
def svm_without_penalty(W, X, y, reg):
    margins = _margins(W, X, y)
    return margins.sum() / len(X), _hinge_gradient(margins, X, y) / len(X)


@mistake(SVM, hint=HALF_OF_BOTH)
def svm_half_penalty(W, X, y, reg):
    margins = _margins(W, X, y)
    return margins.sum() / len(X) + 0.5 * reg * (W * W).sum(), _hinge_gradient(margins, X, y) / len(
        X
    ) + reg * W


@mistake(SVM, hint=GRADIENT_SUM)
def svm_gradient_sum(W, X, y, reg):
    margins = _margins(W, X, y)
    return margins.sum() / len(X) + reg * (W * W).sum(), _hinge_gradient(margins, X, y) + 2 * reg * W


@mistake(SVM, hint="The mean runs over images and classes: divide the sum by the number of images alone.")
def svm_mean_over_classes(W, X, y, reg):
    margins = _margins(W, X, y)
    dW = _hinge_gradient(margins, X, y) / margins.numel() + 2 * reg * W
    return margins.mean() + reg * (W * W).sum(), dW


@mistake(
    SVM, hint="Margins are multiplied in where only whether they are positive counts: make a mask of 0 and 1."
)
def svm_margins_as_mask(W, X, y, reg):
    margins = _margins(W, X, y)
    weights = margins.scatter(1, y[:, None], -margins.sum(1, keepdim=True))
    return margins.sum() / len(X) + reg * (W * W).sum(), X.T @ weights / len(X) + 2 * reg * W


@mistake(
    SVM,
    hint="The right scores stand in a row of N; as a column, (N, 1), they can be taken off each row.",
    raises=RuntimeError,
)
def svm_scores_not_a_column(W, X, y, reg):
    scores = X @ W
    margins = (scores - scores[torch.arange(len(X), device=X.device), y] + 1).clamp(min=0)
    return margins.sum() / len(X) + reg * (W * W).sum(), _hinge_gradient(margins, X, y) / len(X) + 2 * reg * W


@mistake(SVM, hint="There is still a loop: let one matrix product do all images and classes.")
def svm_one_loop(W, X, y, reg):
    margins = torch.stack([_margins(W, X[i : i + 1], y[i : i + 1])[0] for i in range(len(X))])
    return margins.sum() / len(X) + reg * (W * W).sum(), _hinge_gradient(margins, X, y) / len(X) + 2 * reg * W


@mistake(SVM, hint=ON_CPU)
def svm_on_cpu(W, X, y, reg):
    margins = _margins(W, X, y)
    dscores = torch.zeros(margins.shape, dtype=X.dtype)
    dscores[margins > 0] = 1
    dscores[torch.arange(len(X)), y] = -dscores.sum(1)
    return margins.sum() / len(X) + reg * (W * W).sum(), X.T @ dscores / len(X) + 2 * reg * W


@mistake(SVM, hint="`multi_margin_loss` is the very thing to be written: use scores, margins and a mask.")
def svm_by_library(W, X, y, reg):
    loss = F.multi_margin_loss(X @ W, y) * W.shape[1] + reg * (W * W).sum()
    return loss, _hinge_gradient(_margins(W, X, y), X, y) / len(X) + 2 * reg * W


# Softmax loss
@mistake(SOFTMAX_NAIVE + ":large_scores", hint=LOG_OF_ZERO)
def softmax_naive_log_of_zero(W, X, y, reg):
    p = _probabilities(W, X)
    return _cross_entropy(p, y) + reg * (W * W).sum(), _softmax_gradient(p, X, y) + 2 * reg * W


@mistake(SOFTMAX_NAIVE + ":large_scores", hint=OVERFLOW)
def softmax_naive_overflows(W, X, y, reg):
    loss, dW = 0.0, torch.zeros_like(W)
    for x, label in zip(X, y, strict=True):
        p = (x @ W).exp() / (x @ W).exp().sum()
        loss -= p[label].log()
        p[label] -= 1
        dW += torch.outer(x, p)
    return loss / len(X) + reg * (W * W).sum(), dW / len(X) + 2 * reg * W


@mistake(SOFTMAX_NAIVE, hint=NO_PENALTY)
def softmax_naive_without_penalty_gradient(W, X, y, reg):
    p = _probabilities(W, X)
    return _cross_entropy(p, y) + reg * (W * W).sum(), _softmax_gradient(p, X, y)


@mistake(SOFTMAX_NAIVE, hint=HALF_PENALTY)
def softmax_naive_half_penalty_gradient(W, X, y, reg):
    p = _probabilities(W, X)
    return _cross_entropy(p, y) + reg * (W * W).sum(), _softmax_gradient(p, X, y) + reg * W


@mistake(SOFTMAX_NAIVE, hint=NO_MEAN)
def softmax_naive_sums(W, X, y, reg):
    p = _probabilities(W, X)
    loss, dW = _cross_entropy(p, y) * len(X), _softmax_gradient(p, X, y) * len(X)
    return loss + reg * (W * W).sum(), dW + 2 * reg * W


@mistake(
    SOFTMAX_NAIVE, hint="The gradient of the right class lacks its minus 1: it is p - 1 there, p elsewhere."
)
def softmax_naive_gradient_without_one(W, X, y, reg):
    p = _probabilities(W, X)
    return _cross_entropy(p, y) + reg * (W * W).sum(), X.T @ p / len(X) + 2 * reg * W


@mistake(SOFTMAX_NAIVE, hint="The sign is turned: the loss is minus the logarithm, so it is never negative.")
def softmax_naive_positive_log(W, X, y, reg):
    p = _probabilities(W, X)
    return -_cross_entropy(p, y) + reg * (W * W).sum(), _softmax_gradient(p, X, y) + 2 * reg * W


@mistake(SOFTMAX_NAIVE, hint="The loss is 1 - p, not the logarithm of p that cross-entropy takes.")
def softmax_naive_without_log(W, X, y, reg):
    p = _probabilities(W, X)
    loss = (1 - p.gather(1, y[:, None])).mean()
    return loss + reg * (W * W).sum(), _softmax_gradient(p, X, y) + 2 * reg * W


@mistake(
    SOFTMAX_NAIVE,
    hint="p is changed for the gradient before the loss has read it: take the logarithm first.",
)
def softmax_naive_loss_after_edit(W, X, y, reg):
    p = _probabilities(W, X)
    edited = p - F.one_hot(y, W.shape[1])
    return _cross_entropy(edited, y) + reg * (W * W).sum(), X.T @ edited / len(X) + 2 * reg * W


@mistake(SOFTMAX_NAIVE, hint="This is the hinge loss; here probabilities are due.")
def softmax_naive_hinge(W, X, y, reg):
    return lc.svm_loss_vectorized(W, X, y, reg)


@mistake(SOFTMAX_NAIVE, hint="`cross_entropy` and its relatives are the very thing to be written.")
def softmax_naive_by_library(W, X, y, reg):
    loss = F.cross_entropy(X @ W, y) + reg * (W * W).sum()
    return loss, _softmax_gradient(_probabilities(W, X), X, y) + 2 * reg * W


@mistake(SOFTMAX_NAIVE, hint=ON_CPU)
def softmax_naive_on_cpu(W, X, y, reg):
    dW, p = torch.zeros(W.shape, dtype=W.dtype), _probabilities(W, X)
    for x, label, row in zip(X, y, p, strict=True):
        dW += torch.outer(x, row - F.one_hot(label, W.shape[1]))
    return _cross_entropy(p, y) + reg * (W * W).sum(), dW / len(X) + 2 * reg * W


@mistake(SOFTMAX + ":large_scores", hint=LOG_OF_ZERO)
def softmax_log_of_zero(W, X, y, reg):
    p = _probabilities(W, X)
    return _cross_entropy(p, y) + reg * (W * W).sum(), _softmax_gradient(p, X, y) + 2 * reg * W


@mistake(SOFTMAX + ":large_scores", hint=OVERFLOW)
def softmax_overflows(W, X, y, reg):
    powers = (X @ W).exp()
    p = powers / powers.sum(1, keepdim=True)
    return _cross_entropy(p, y) + reg * (W * W).sum(), _softmax_gradient(p, X, y) + 2 * reg * W


@mistake(
    SOFTMAX + ":large_scores",
    hint="A small number inside the logarithm keeps it finite, but wrong: shift the scores instead.",
)
def softmax_with_epsilon(W, X, y, reg):
    powers = (X @ W).clamp(-80, 80).exp()
    p = powers / powers.sum(1, keepdim=True)
    loss = -(p.gather(1, y[:, None]) + 1e-12).log().mean()
    return loss + reg * (W * W).sum(), _softmax_gradient(p, X, y) + 2 * reg * W


@mistake(SOFTMAX, hint="The sum runs over the images: probabilities add up to 1 over the classes, dim=1.")
def softmax_over_images(W, X, y, reg):
    powers = (X @ W).exp()
    p = powers / powers.sum(0)
    return _cross_entropy(p, y) + reg * (W * W).sum(), _softmax_gradient(p, X, y) + 2 * reg * W


@mistake(SOFTMAX, hint="The sum runs over the whole table: each image has probabilities of its own.")
def softmax_over_everything(W, X, y, reg):
    powers = (X @ W).exp()
    p = powers / powers.sum()
    return _cross_entropy(p, y) + reg * (W * W).sum(), _softmax_gradient(p, X, y) + 2 * reg * W


@mistake(SOFTMAX, hint=NO_PENALTY)
def softmax_without_penalty_gradient(W, X, y, reg):
    p = _probabilities(W, X)
    return _cross_entropy(p, y) + reg * (W * W).sum(), _softmax_gradient(p, X, y)


@mistake(SOFTMAX, hint="The penalty is missing altogether, in the loss and in the gradient.")
def softmax_without_penalty(W, X, y, reg):
    p = _probabilities(W, X)
    return _cross_entropy(p, y), _softmax_gradient(p, X, y)


@mistake(SOFTMAX, hint=GRADIENT_SUM)
def softmax_gradient_sum(W, X, y, reg):
    p = _probabilities(W, X)
    dW = _softmax_gradient(p, X, y) * len(X) + 2 * reg * W
    return _cross_entropy(p, y) + reg * (W * W).sum(), dW


@mistake(SOFTMAX, hint="`p[:, y] -= 1` meets whole columns; one entry for each image takes two indices.")
def softmax_minus_one_in_columns(W, X, y, reg):
    p = _probabilities(W, X)
    dscores = p.clone()
    dscores[:, y] -= 1
    return _cross_entropy(p, y) + reg * (W * W).sum(), X.T @ dscores / len(X) + 2 * reg * W


@mistake(
    SOFTMAX,
    hint="Ten classes are taken for granted: the number of classes is that of W's columns.",
    raises=RuntimeError,
)
def softmax_ten_classes(W, X, y, reg):
    p = _probabilities(W, X)
    dW = X.T @ (p - F.one_hot(y, 10)) / len(X) + 2 * reg * W
    return _cross_entropy(p, y) + reg * (W * W).sum(), dW


@mistake(
    SOFTMAX,
    hint="p is changed for the gradient before the loss has read it: take the logarithm first.",
)
def softmax_loss_after_edit(W, X, y, reg):
    p = _probabilities(W, X)
    p[torch.arange(len(X), device=X.device), y] -= 1
    return _cross_entropy(p, y) + reg * (W * W).sum(), X.T @ p / len(X) + 2 * reg * W


@mistake(SOFTMAX, hint="The logarithm's base is 10 or 2; cross-entropy here takes the natural one.")
def softmax_log10(W, X, y, reg):
    p = _probabilities(W, X)
    loss = -p.gather(1, y[:, None]).log10().mean()
    return loss + reg * (W * W).sum(), _softmax_gradient(p, X, y) + 2 * reg * W


@mistake(SOFTMAX, hint="There is still a loop: let one matrix product do all images and classes.")
def softmax_one_loop(W, X, y, reg):
    p = torch.stack([_probabilities(W, X[i : i + 1])[0] for i in range(len(X))])
    return _cross_entropy(p, y) + reg * (W * W).sum(), _softmax_gradient(p, X, y) + 2 * reg * W


@mistake(SOFTMAX, hint=ON_CPU)
def softmax_on_cpu(W, X, y, reg):
    p = _probabilities(W, X)
    right = torch.eye(W.shape[1], dtype=W.dtype)[y.cpu()]
    return _cross_entropy(p, y) + reg * (W * W).sum(), X.T @ (p - right) / len(X) + 2 * reg * W


@mistake(
    SOFTMAX,
    hint="`cuda()` names one kind of machine: stay where W and X are, on whatever device.",
    raises=AssertionError,
)
def softmax_by_cuda(W, X, y, reg):
    p = _probabilities(W, X)
    dscores = p - torch.eye(W.shape[1], dtype=W.dtype).cuda()[y]
    return _cross_entropy(p, y) + reg * (W * W).sum(), X.T @ dscores / len(X) + 2 * reg * W


@mistake(SOFTMAX, hint="`cross_entropy` and its relatives are the very thing to be written.")
def softmax_by_library(W, X, y, reg):
    p = F.softmax(X @ W, dim=1)
    return _cross_entropy(p, y) + reg * (W * W).sum(), _softmax_gradient(p, X, y) + 2 * reg * W


# Training
@mistake(BATCH, hint="Images and labels are drawn apart, so they do not belong together: draw indices once.")
def batch_drawn_twice(X, y, num_train, batch_size):
    return X[torch.randint(num_train, (batch_size,))], y[torch.randint(num_train, (batch_size,))]


@mistake(BATCH, hint="No image comes twice before all have come: draw each one out of all, with replacement.")
def batch_without_replacement(X, y, num_train, batch_size):
    rounds = [torch.randperm(num_train) for _ in range(-(-batch_size // num_train))]
    drawn = torch.cat(rounds)[:batch_size]
    return X[drawn], y[drawn]


@mistake(
    BATCH,
    hint="A batch has batch_size images, which may be more than num_train: a permutation is too short.",
)
def batch_of_a_permutation(X, y, num_train, batch_size):
    drawn = torch.randperm(num_train)[:batch_size]
    return X[drawn], y[drawn]


@mistake(BATCH, hint="Images beyond the first num_train are drawn as well.")
def batch_out_of_all(X, y, num_train, batch_size):
    drawn = torch.randint(len(X), (batch_size,))
    return X[drawn], y[drawn]


@mistake(BATCH, hint="One image is never drawn: `randint` already leaves its upper bound out.")
def batch_without_last(X, y, num_train, batch_size):
    drawn = torch.randint(num_train - 1, (batch_size,))
    return X[drawn], y[drawn]


@mistake(BATCH, hint="The images come in their order: draw them at random.")
def batch_in_order(X, y, num_train, batch_size):
    drawn = torch.arange(batch_size) % num_train
    return X[drawn], y[drawn]


@mistake(BATCH, hint="A seed is set inside, so every batch is the same one: leave the seed to the caller.")
def batch_with_a_seed(X, y, num_train, batch_size):
    torch.manual_seed(0)
    drawn = torch.randint(num_train, (batch_size,))
    return X[drawn], y[drawn]


def _descend(loss_func, W, X, y, learning_rate, reg, num_iters, batch_size, verbose, sign=-1):
    history = []
    for _ in range(num_iters):
        loss, dW = loss_func(W, *lc.sample_batch(X, y, len(X), batch_size), reg)
        W = W + sign * learning_rate * dW
        history.append(float(loss))
        if verbose and len(history) % 100 == 1:
            print(history[-1])
    return W, history


@mistake(TRAIN, hint="Steps go along the gradient, so uphill: the loss grows. Go against it.")
def train_uphill(
    loss_func, W, X, y, learning_rate=1e-3, reg=1e-5, num_iters=100, batch_size=200, verbose=False
):
    return _descend(loss_func, W, X, y, learning_rate, reg, num_iters, batch_size, verbose, sign=1)


@mistake(TRAIN, hint="The weights that come back are those of the start: return what the steps have made.")
def train_returns_start(
    loss_func, W, X, y, learning_rate=1e-3, reg=1e-5, num_iters=100, batch_size=200, verbose=False
):
    return W, _descend(loss_func, W, X, y, learning_rate, reg, num_iters, batch_size, verbose)[1]


@mistake(TRAIN, hint="Every step starts from the first W again: keep the new one for the next step.")
def train_forgets_steps(
    loss_func, W, X, y, learning_rate=1e-3, reg=1e-5, num_iters=100, batch_size=200, verbose=False
):
    new, history = _descend(loss_func, W, X, y, learning_rate, reg, 1, batch_size, verbose)
    return new, history * num_iters


@mistake(TRAIN, hint="The W that was handed in is changed in place: somebody may still need it.")
def train_in_place(
    loss_func, W, X, y, learning_rate=1e-3, reg=1e-5, num_iters=100, batch_size=200, verbose=False
):
    history = []
    for _ in range(num_iters):
        loss, dW = loss_func(W, *lc.sample_batch(X, y, len(X), batch_size), reg)
        W -= learning_rate * dW
        history.append(float(loss))
        if verbose and len(history) % 100 == 1:
            print(history[-1])
    return W, history


@mistake(TRAIN, hint="The penalty's strength never reaches the loss: hand reg on.")
def train_without_reg(
    loss_func, W, X, y, learning_rate=1e-3, reg=1e-5, num_iters=100, batch_size=200, verbose=False
):
    return _descend(loss_func, W, X, y, learning_rate, 0.0, num_iters, batch_size, verbose)


@mistake(TRAIN, hint="All images go into every step: draw a batch of batch_size.")
def train_on_everything(
    loss_func, W, X, y, learning_rate=1e-3, reg=1e-5, num_iters=100, batch_size=200, verbose=False
):
    history = []
    for _ in range(num_iters):
        loss, dW = loss_func(W, X, y, reg)
        W = W - learning_rate * dW
        history.append(float(loss))
        if verbose and len(history) % 100 == 1:
            print(history[-1])
    return W, history


@mistake(TRAIN, hint="The history holds tensors: note plain numbers, with `item()` or `float()`.")
def train_notes_tensors(
    loss_func, W, X, y, learning_rate=1e-3, reg=1e-5, num_iters=100, batch_size=200, verbose=False
):
    W, history = _descend(loss_func, W, X, y, learning_rate, reg, num_iters, batch_size, verbose)
    return W, [X.new_tensor(loss) for loss in history]


@mistake(TRAIN, hint="Only the last loss comes back: note that of every step.")
def train_last_loss(
    loss_func, W, X, y, learning_rate=1e-3, reg=1e-5, num_iters=100, batch_size=200, verbose=False
):
    W, history = _descend(loss_func, W, X, y, learning_rate, reg, num_iters, batch_size, verbose)
    return W, history[-1:]


@mistake(TRAIN, hint="The learning rate shrinks as the steps go on; here it stays what it is.")
def train_with_decay(
    loss_func, W, X, y, learning_rate=1e-3, reg=1e-5, num_iters=100, batch_size=200, verbose=False
):
    history = []
    for step in range(num_iters):
        loss, dW = loss_func(W, *lc.sample_batch(X, y, len(X), batch_size), reg)
        W = W - learning_rate / (1 + step) * dW
        history.append(float(loss))
        if verbose and len(history) % 100 == 1:
            print(history[-1])
    return W, history


@mistake(TRAIN + ":start", hint="W starts at 0; small random numbers of standard deviation 1e-6 are due.")
def train_from_zero(
    loss_func, W, X, y, learning_rate=1e-3, reg=1e-5, num_iters=100, batch_size=200, verbose=False
):
    if W is None:
        W = torch.zeros(X.shape[1], int(y.max()) + 1, dtype=X.dtype, device=X.device)
    return _descend(loss_func, W, X, y, learning_rate, reg, num_iters, batch_size, verbose)


@mistake(
    TRAIN + ":start", hint="W starts with standard deviation 1: the first scores are enormous. 1e-6 is due."
)
def train_from_large_numbers(
    loss_func, W, X, y, learning_rate=1e-3, reg=1e-5, num_iters=100, batch_size=200, verbose=False
):
    if W is None:
        W = torch.randn(X.shape[1], int(y.max()) + 1, dtype=X.dtype, device=X.device)
    return _descend(loss_func, W, X, y, learning_rate, reg, num_iters, batch_size, verbose)


@mistake(TRAIN + ":start", hint="W starts with positive numbers only: `rand` is uniform, `randn` normal.")
def train_from_uniform_numbers(
    loss_func, W, X, y, learning_rate=1e-3, reg=1e-5, num_iters=100, batch_size=200, verbose=False
):
    if W is None:
        W = 3.46e-6 * torch.rand(X.shape[1], int(y.max()) + 1, dtype=X.dtype, device=X.device)
    return _descend(loss_func, W, X, y, learning_rate, reg, num_iters, batch_size, verbose)


@mistake(
    TRAIN + ":start",
    hint="Ten classes are taken for granted: y says how many there are.",
    raises=RuntimeError,
)
def train_ten_classes(
    loss_func, W, X, y, learning_rate=1e-3, reg=1e-5, num_iters=100, batch_size=200, verbose=False
):
    if W is None:
        W = 1e-6 * torch.randn(X.shape[1], 10, dtype=X.dtype, device=X.device)
    return _descend(loss_func, W, X, y, learning_rate, reg, num_iters, batch_size, verbose)


@mistake(TRAIN + ":start", hint="Batches are drawn from the first images alone: `num_train` is all of them.")
def train_on_the_first_images(
    loss_func, W, X, y, learning_rate=1e-3, reg=1e-5, num_iters=100, batch_size=200, verbose=False
):
    if W is None:
        W = 1e-6 * torch.randn(X.shape[1], int(y.max()) + 1, dtype=X.dtype, device=X.device)
    return _descend(
        loss_func, W, X[:batch_size], y[:batch_size], learning_rate, reg, num_iters, batch_size, verbose
    )


@mistake(TRAIN + ":start", hint="The batch is drawn once before the loop: draw a new one for each step.")
def train_on_one_batch(
    loss_func, W, X, y, learning_rate=1e-3, reg=1e-5, num_iters=100, batch_size=200, verbose=False
):
    if W is None:
        W = 1e-6 * torch.randn(X.shape[1], int(y.max()) + 1, dtype=X.dtype, device=X.device)
    batch, history = lc.sample_batch(X, y, len(X), batch_size), []
    for _ in range(num_iters):
        loss, dW = loss_func(W, *batch, reg)
        W = W - learning_rate * dW
        history.append(float(loss))
        if verbose and len(history) % 100 == 1:
            print(history[-1])
    return W, history


@mistake(TRAIN + ":verbose", hint="Nothing is printed with verbose=True: show the loss every 100 steps.")
def train_never_prints(
    loss_func, W, X, y, learning_rate=1e-3, reg=1e-5, num_iters=100, batch_size=200, verbose=False
):
    return _descend(loss_func, W, X, y, learning_rate, reg, num_iters, batch_size, False)


@mistake(TRAIN + ":verbose", hint="The loss is printed whatever is asked for: only with verbose=True.")
def train_always_prints(
    loss_func, W, X, y, learning_rate=1e-3, reg=1e-5, num_iters=100, batch_size=200, verbose=False
):
    return _descend(loss_func, W, X, y, learning_rate, reg, num_iters, batch_size, True)


@mistake(PREDICT, hint="These are the highest scores themselves; the label is where they stand: `argmax`.")
def predict_scores(W, X):
    return (X @ W).amax(dim=1)


@mistake(PREDICT, hint="This is a one-hot table; a label is one number for each image.")
def predict_one_hot(W, X):
    return F.one_hot((X @ W).argmax(dim=1), W.shape[1])


@mistake(PREDICT, hint="The best *image* for each class is found: look along the classes, dim=1.")
def predict_along_images(W, X):
    return (X @ W).argmax(dim=0)


@mistake(PREDICT, hint="The lowest score wins here; the highest must.")
def predict_lowest(W, X):
    return (X @ W).argmin(dim=1)


@mistake(
    PREDICT,
    hint="The search starts at a score of 0, so nothing below it can win: start with the first class.",
)
def predict_above_zero(W, X):
    return (X @ W).clamp(min=0).argmax(dim=1)


@mistake(PREDICT, hint="Labels are counted from 1; they start at 0.")
def predict_from_one(W, X):
    return (X @ W).argmax(dim=1) + 1


# Settings
@mistake(
    "linear.linear_classifier.svm_get_search_params", hint="There is nothing to search in: fill both lists."
)
def svm_empty_search():
    return [], []


@mistake(
    "linear.linear_classifier.svm_get_search_params",
    hint="So few pairs are no search: give some rates and strengths.",
)
def svm_single_pair():
    return [1e-2], [1e-3]


@mistake(
    "linear.linear_classifier.svm_get_search_params",
    hint="More than 25 pairs take too long: thin the lists out.",
)
def svm_too_many_pairs():
    return [10.0**-place for place in range(1, 8)], [10.0**-place for place in range(1, 8)]


@mistake(
    "linear.linear_classifier.softmax_get_search_params",
    hint="There is nothing to search in: fill both lists.",
)
def softmax_empty_search():
    return [], []


@mistake(
    "linear.linear_classifier.softmax_get_search_params",
    hint="A setting stands in the list twice: once is enough.",
)
def softmax_repeated_settings():
    return [1e-2, 1e-2, 1e-1], [1e-3, 1e-2]


@mistake(
    "linear.linear_classifier.softmax_get_search_params", hint="Rate 0 learns nothing; settings are above 0."
)
def softmax_rate_of_zero():
    return [0.0, 1e-2, 1e-1], [1e-3, 1e-2]


def _right(cls, data_dict, split):
    return (cls.predict(data_dict[f"X_{split}"]) == data_dict[f"y_{split}"]).double().mean().item()


@mistake(ONE_SET, hint="These are percentages; an accuracy is a fraction, 0 to 1.")
def one_set_in_per_cent(cls, data_dict, lr, reg, num_iters=2000):
    cls.train(data_dict["X_train"], data_dict["y_train"], lr, reg, num_iters)
    return cls, 100 * _right(cls, data_dict, "train"), 100 * _right(cls, data_dict, "val")


@mistake(
    ONE_SET, hint="Both accuracies are those of the training images; the second is for the validation images."
)
def one_set_train_twice(cls, data_dict, lr, reg, num_iters=2000):
    cls.train(data_dict["X_train"], data_dict["y_train"], lr, reg, num_iters)
    return cls, _right(cls, data_dict, "train"), _right(cls, data_dict, "train")


@mistake(ONE_SET, hint="The two accuracies are swapped: training first, validation second.")
def one_set_swapped(cls, data_dict, lr, reg, num_iters=2000):
    cls.train(data_dict["X_train"], data_dict["y_train"], lr, reg, num_iters)
    return cls, _right(cls, data_dict, "val"), _right(cls, data_dict, "train")


@mistake(
    ONE_SET, hint="Learning rate and penalty are swapped on their way to `train`: name them in the call."
)
def one_set_arguments_swapped(cls, data_dict, lr, reg, num_iters=2000):
    cls.train(data_dict["X_train"], data_dict["y_train"], reg, lr, num_iters)
    return cls, _right(cls, data_dict, "train"), _right(cls, data_dict, "val")


@mistake(ONE_SET, hint="num_iters never reaches `train`, which then takes its own default.")
def one_set_without_steps(cls, data_dict, lr, reg, num_iters=2000):
    cls.train(data_dict["X_train"], data_dict["y_train"], lr, reg)
    return cls, _right(cls, data_dict, "train"), _right(cls, data_dict, "val")


@mistake(ONE_SET, hint="It is trained on the validation images; these are for judging only.")
def one_set_trains_on_validation(cls, data_dict, lr, reg, num_iters=2000):
    cls.train(data_dict["X_val"], data_dict["y_val"], lr, reg, num_iters)
    return cls, _right(cls, data_dict, "train"), _right(cls, data_dict, "val")


@mistake(ONE_SET, hint="The classifier is asked before it has been trained.")
def one_set_asks_first(cls, data_dict, lr, reg, num_iters=2000):
    accuracies = _right(cls, data_dict, "train"), _right(cls, data_dict, "val")
    cls.train(data_dict["X_train"], data_dict["y_train"], lr, reg, num_iters)
    return cls, *accuracies


@mistake(ONE_SET, hint="An accuracy comes back as a tensor, in float64: `item()` makes a plain number of it.")
def one_set_double_tensors(cls, data_dict, lr, reg, num_iters=2000):
    cls.train(data_dict["X_train"], data_dict["y_train"], lr, reg, num_iters)
    accuracies = (_right(cls, data_dict, split) for split in ("train", "val"))
    return cls, *(torch.tensor(accuracy, dtype=torch.float64) for accuracy in accuracies)


@mistake(ONE_SET, hint="The accuracies are tensors: make plain numbers of them with `item()`.")
def one_set_tensors(cls, data_dict, lr, reg, num_iters=2000):
    cls.train(data_dict["X_train"], data_dict["y_train"], lr, reg, num_iters)
    return (
        cls,
        torch.tensor(_right(cls, data_dict, "train")),
        torch.tensor(_right(cls, data_dict, "val")),
    )


PENALTY_IN_GRADIENT = (
    "The penalty has its gradient and is missing in the loss: reg times the sum of W squared."
)


PENALTY_DIVIDED = "The penalty is divided by the number of images as well: add it after the mean is taken."


NO_PENALTY_AT_ALL = "The penalty is missing altogether, in the loss and in the gradient."


def _penalised(loss_func, W, X, y, in_loss, in_gradient):
    """Another strength of the penalty in the loss than in its gradient."""
    return loss_func(W, X, y, in_loss)[0], loss_func(W, X, y, in_gradient)[1]


@mistake(SVM_NAIVE, hint=PENALTY_IN_GRADIENT)
def svm_naive_penalty_in_gradient_alone(W, X, y, reg):
    return _penalised(lc.svm_loss_vectorized, W, X, y, 0.0, reg)


@mistake(SVM, hint=PENALTY_IN_GRADIENT)
def svm_penalty_in_gradient_alone(W, X, y, reg):
    return _penalised(lc.svm_loss_naive, W, X, y, 0.0, reg)


@mistake(SOFTMAX_NAIVE, hint=PENALTY_IN_GRADIENT)
def softmax_naive_penalty_in_gradient_alone(W, X, y, reg):
    return _penalised(lc.softmax_loss_vectorized, W, X, y, 0.0, reg)


@mistake(SOFTMAX, hint=PENALTY_IN_GRADIENT)
def softmax_penalty_in_gradient_alone(W, X, y, reg):
    return _penalised(lc.softmax_loss_naive, W, X, y, 0.0, reg)


@mistake(SVM_NAIVE, hint=PENALTY_DIVIDED)
def svm_naive_penalty_divided(W, X, y, reg):
    return lc.svm_loss_vectorized(W, X, y, reg / len(X))


@mistake(SVM, hint=PENALTY_DIVIDED)
def svm_penalty_divided(W, X, y, reg):
    return lc.svm_loss_naive(W, X, y, reg / len(X))


@mistake(SOFTMAX_NAIVE, hint=PENALTY_DIVIDED)
def softmax_naive_penalty_divided(W, X, y, reg):
    return lc.softmax_loss_vectorized(W, X, y, reg / len(X))


@mistake(SOFTMAX, hint=PENALTY_DIVIDED)
def softmax_penalty_divided(W, X, y, reg):
    return lc.softmax_loss_naive(W, X, y, reg / len(X))


@mistake(SVM_NAIVE, hint=NO_PENALTY_AT_ALL)
def svm_naive_without_penalty(W, X, y, reg):
    return lc.svm_loss_vectorized(W, X, y, 0.0)


@mistake(SOFTMAX_NAIVE, hint=NO_PENALTY_AT_ALL)
def softmax_naive_without_penalty(W, X, y, reg):
    return lc.softmax_loss_vectorized(W, X, y, 0.0)


@mistake(SVM, hint="The mask is float64 whatever goes in: make it in the dtype of X.", raises=RuntimeError)
def svm_mask_in_float64(W, X, y, reg):
    margins = _margins(W, X, y)
    mask = (margins > 0).double()
    dW = X.T @ mask.scatter(1, y[:, None], -mask.sum(1, keepdim=True)) / len(X)
    return margins.sum() / len(X) + reg * (W * W).sum(), dW + 2 * reg * W


@mistake(
    ONE_SET, hint="The loss of the SVM is trained here, whatever `cls` is: its own `train` knows its loss."
)
def one_set_by_the_svm_loss(cls, data_dict, lr, reg, num_iters=2000):
    X, y, X_val, y_val = (data_dict[name] for name in ("X_train", "y_train", "X_val", "y_val"))
    cls.W, _ = lc.train_linear_classifier(lc.svm_loss_vectorized, None, X, y, lr, reg, num_iters)
    train_acc = (lc.predict_linear_classifier(cls.W, X) == y).double().mean().item()
    return cls, train_acc, (lc.predict_linear_classifier(cls.W, X_val) == y_val).double().mean().item()
