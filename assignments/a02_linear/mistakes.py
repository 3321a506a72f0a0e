"""How people get linear classifiers, the two-layer network and features wrong, and the hint each deserves."""

from itertools import product

import torch
from torch.nn import functional as F

from exercise_code import linear_classifier as lc
from exercise_code import two_layer_net as nn2
from exercise_code.features import circular_histogram
from exercise_code.support.checking.declare import mistake

SVM_NAIVE, SVM = "linear_classifier.svm_loss_naive", "linear_classifier.svm_loss_vectorized"
SOFTMAX_NAIVE, SOFTMAX = (
    "linear_classifier.softmax_loss_naive",
    "linear_classifier.softmax_loss_vectorized",
)
BATCH = "linear_classifier.sample_batch"
TRAIN = "linear_classifier.train_linear_classifier"
PREDICT = "linear_classifier.predict_linear_classifier"
ONE_SET = "linear_classifier.test_one_param_set"
FORWARD, BACKWARD = "two_layer_net.nn_forward_pass", "two_layer_net.nn_forward_backward"
NN_TRAIN, NN_PREDICT = "two_layer_net.nn_train", "two_layer_net.nn_predict"
BEST_NET = "two_layer_net.find_best_net"
CIRCLE, HUES, HOG = (
    "features.circular_histogram",
    "features.colour_histogram",
    "features.hog_features",
)

NO_PENALTY = (
    "The gradient lacks the penalty's part: what is the derivative of reg times the sum of W squared?"
)
HALF_PENALTY = "The penalty's gradient is half of what is due: a square has a factor 2 in its derivative."
NO_MEAN = "Loss and gradient are sums over the images; they are due as means."
GRADIENT_SUM = "The loss is a mean over the images, its gradient still a sum: divide it too."
ON_CPU = "A tensor made without `device=` lives on the CPU: make it where W is (`new_zeros`, `zeros_like`)."
FLOAT32 = "The result is float32 whatever goes in: keep to the dtype of W."
OVERFLOW = (
    "exp of a score in the thousands is infinite, or 0 in a whole row: take each row's own largest off first."
)
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


def _cross_entropy(p, y):
    return -p.gather(1, y[:, None]).log().mean()


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


@mistake(SVM_NAIVE, hint="Only the loss comes back: return the loss and its gradient, in this order.")
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


@mistake(
    SVM, hint="The penalty is halved, in the loss and in the gradient: this course puts no 1/2 before it."
)
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
    SVM, hint="The right scores stand in a row of N; as a column, (N, 1), they can be taken off each row."
)
def svm_scores_not_a_column(W, X, y, reg):
    scores = X @ W
    margins = (scores - scores[torch.arange(len(X), device=X.device), y] + 1).clamp(min=0)
    return margins.sum() / len(X) + reg * (W * W).sum(), _hinge_gradient(margins, X, y) / len(X) + 2 * reg * W


@mistake(SVM, hint="There is still a loop over the images: let one matrix product do them all.")
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


@mistake(SOFTMAX, hint="Ten classes are taken for granted: the number of classes is that of W's columns.")
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


@mistake(SOFTMAX, hint="There is still a loop over the images: let one matrix product do them all.")
def softmax_one_loop(W, X, y, reg):
    p = torch.stack([_probabilities(W, X[i : i + 1])[0] for i in range(len(X))])
    return _cross_entropy(p, y) + reg * (W * W).sum(), _softmax_gradient(p, X, y) + 2 * reg * W


@mistake(SOFTMAX, hint=ON_CPU)
def softmax_on_cpu(W, X, y, reg):
    p = _probabilities(W, X)
    right = torch.eye(W.shape[1], dtype=W.dtype)[y.cpu()]
    return _cross_entropy(p, y) + reg * (W * W).sum(), X.T @ (p - right) / len(X) + 2 * reg * W


@mistake(SOFTMAX, hint="`cuda()` names one kind of machine: stay where W and X are, on whatever device.")
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


@mistake(BATCH, hint="A permutation has no more entries than there are images; a batch may be larger.")
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


def _descend(loss_func, W, X, y, learning_rate, reg, num_iters, batch_size, sign=-1):
    history = []
    for _ in range(num_iters):
        loss, dW = loss_func(W, *lc.sample_batch(X, y, len(X), batch_size), reg)
        W = W + sign * learning_rate * dW
        history.append(float(loss))
    return W, history


@mistake(TRAIN, hint="Steps go along the gradient, so uphill: the loss grows. Go against it.")
def train_uphill(
    loss_func, W, X, y, learning_rate=1e-3, reg=1e-5, num_iters=100, batch_size=200, verbose=False
):
    return _descend(loss_func, W, X, y, learning_rate, reg, num_iters, batch_size, sign=1)


@mistake(TRAIN, hint="The weights that come back are those of the start: return what the steps have made.")
def train_returns_start(
    loss_func, W, X, y, learning_rate=1e-3, reg=1e-5, num_iters=100, batch_size=200, verbose=False
):
    return W, _descend(loss_func, W, X, y, learning_rate, reg, num_iters, batch_size)[1]


@mistake(TRAIN, hint="Every step starts from the first W again: keep the new one for the next step.")
def train_forgets_steps(
    loss_func, W, X, y, learning_rate=1e-3, reg=1e-5, num_iters=100, batch_size=200, verbose=False
):
    new, history = _descend(loss_func, W, X, y, learning_rate, reg, 1, batch_size)
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
    return W, history


@mistake(TRAIN, hint="The penalty's strength never reaches the loss: hand reg on.")
def train_without_reg(
    loss_func, W, X, y, learning_rate=1e-3, reg=1e-5, num_iters=100, batch_size=200, verbose=False
):
    return _descend(loss_func, W, X, y, learning_rate, 0.0, num_iters, batch_size)


@mistake(TRAIN, hint="All images go into every step: draw a batch of batch_size.")
def train_on_everything(
    loss_func, W, X, y, learning_rate=1e-3, reg=1e-5, num_iters=100, batch_size=200, verbose=False
):
    history = []
    for _ in range(num_iters):
        loss, dW = loss_func(W, X, y, reg)
        W = W - learning_rate * dW
        history.append(float(loss))
    return W, history


@mistake(TRAIN, hint="The history holds tensors: note plain numbers, with `item()` or `float()`.")
def train_notes_tensors(
    loss_func, W, X, y, learning_rate=1e-3, reg=1e-5, num_iters=100, batch_size=200, verbose=False
):
    W, history = _descend(loss_func, W, X, y, learning_rate, reg, num_iters, batch_size)
    return W, [torch.tensor(loss) for loss in history]


@mistake(TRAIN, hint="Only the last loss comes back: note that of every step.")
def train_last_loss(
    loss_func, W, X, y, learning_rate=1e-3, reg=1e-5, num_iters=100, batch_size=200, verbose=False
):
    W, history = _descend(loss_func, W, X, y, learning_rate, reg, num_iters, batch_size)
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
    return W, history


@mistake(TRAIN + ":start", hint="W starts at 0; small random numbers of standard deviation 1e-6 are due.")
def train_from_zero(
    loss_func, W, X, y, learning_rate=1e-3, reg=1e-5, num_iters=100, batch_size=200, verbose=False
):
    if W is None:
        W = torch.zeros(X.shape[1], int(y.max()) + 1, dtype=X.dtype, device=X.device)
    return _descend(loss_func, W, X, y, learning_rate, reg, num_iters, batch_size)


@mistake(
    TRAIN + ":start", hint="W starts with standard deviation 1: the first scores are enormous. 1e-6 is due."
)
def train_from_large_numbers(
    loss_func, W, X, y, learning_rate=1e-3, reg=1e-5, num_iters=100, batch_size=200, verbose=False
):
    if W is None:
        W = torch.randn(X.shape[1], int(y.max()) + 1, dtype=X.dtype, device=X.device)
    return _descend(loss_func, W, X, y, learning_rate, reg, num_iters, batch_size)


@mistake(TRAIN + ":start", hint="W starts with positive numbers only: `rand` is uniform, `randn` normal.")
def train_from_uniform_numbers(
    loss_func, W, X, y, learning_rate=1e-3, reg=1e-5, num_iters=100, batch_size=200, verbose=False
):
    if W is None:
        W = 3.46e-6 * torch.rand(X.shape[1], int(y.max()) + 1, dtype=X.dtype, device=X.device)
    return _descend(loss_func, W, X, y, learning_rate, reg, num_iters, batch_size)


@mistake(TRAIN + ":start", hint="Ten classes are taken for granted: y says how many there are.")
def train_ten_classes(
    loss_func, W, X, y, learning_rate=1e-3, reg=1e-5, num_iters=100, batch_size=200, verbose=False
):
    if W is None:
        W = 1e-6 * torch.randn(X.shape[1], 10, dtype=X.dtype, device=X.device)
    return _descend(loss_func, W, X, y, learning_rate, reg, num_iters, batch_size)


@mistake(TRAIN + ":start", hint="Batches are drawn from the first images alone: `num_train` is all of them.")
def train_on_the_first_images(
    loss_func, W, X, y, learning_rate=1e-3, reg=1e-5, num_iters=100, batch_size=200, verbose=False
):
    if W is None:
        W = 1e-6 * torch.randn(X.shape[1], int(y.max()) + 1, dtype=X.dtype, device=X.device)
    return _descend(loss_func, W, X[:batch_size], y[:batch_size], learning_rate, reg, num_iters, batch_size)


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
    return W, history


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


@mistake("linear_classifier.svm_get_search_params", hint="There is nothing to search in: fill both lists.")
def svm_empty_search():
    return [], []


@mistake(
    "linear_classifier.svm_get_search_params",
    hint="So few pairs are no search: give some rates and strengths.",
)
def svm_single_pair():
    return [1e-2], [1e-3]


@mistake(
    "linear_classifier.svm_get_search_params", hint="More than 25 pairs take too long: thin the lists out."
)
def svm_too_many_pairs():
    return [10.0**-place for place in range(1, 8)], [10.0**-place for place in range(1, 8)]


@mistake(
    "linear_classifier.softmax_get_search_params", hint="There is nothing to search in: fill both lists."
)
def softmax_empty_search():
    return [], []


@mistake(
    "linear_classifier.softmax_get_search_params", hint="A setting stands in the list twice: once is enough."
)
def softmax_repeated_settings():
    return [1e-2, 1e-2, 1e-1], [1e-3, 1e-2]


@mistake("linear_classifier.softmax_get_search_params", hint="Rate 0 learns nothing; settings are above 0.")
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


@mistake(ONE_SET, hint="The accuracies are tensors: make plain numbers of them with `item()`.")
def one_set_tensors(cls, data_dict, lr, reg, num_iters=2000):
    cls.train(data_dict["X_train"], data_dict["y_train"], lr, reg, num_iters)
    return (
        cls,
        torch.tensor(_right(cls, data_dict, "train")),
        torch.tensor(_right(cls, data_dict, "val")),
    )


# Two layers


@mistake(FORWARD, hint="The hidden layer is returned before its ReLU; what goes on is what comes after.")
def forward_hidden_before_relu(params, X):
    hidden = X @ params["W1"] + params["b1"]
    return hidden.clamp(min=0) @ params["W2"] + params["b2"], hidden


@mistake(
    FORWARD, hint="Without the ReLU two layers are one linear layer: cut negative numbers off between them."
)
def forward_without_relu(params, X):
    hidden = X @ params["W1"] + params["b1"]
    return hidden @ params["W2"] + params["b2"], hidden


@mistake(FORWARD, hint="The scores are cut off at 0 as well; a score may be negative.")
def forward_relu_on_scores(params, X):
    hidden = (X @ params["W1"] + params["b1"]).clamp(min=0)
    return (hidden @ params["W2"] + params["b2"]).clamp(min=0), hidden


@mistake(FORWARD, hint="The biases of the first layer are missing.")
def forward_without_first_bias(params, X):
    hidden = (X @ params["W1"]).clamp(min=0)
    return hidden @ params["W2"] + params["b2"], hidden


@mistake(FORWARD, hint="The biases of the second layer are missing.")
def forward_without_second_bias(params, X):
    hidden = (X @ params["W1"] + params["b1"]).clamp(min=0)
    return hidden @ params["W2"], hidden


@mistake(FORWARD, hint="The bias is added after the ReLU; it belongs inside.")
def forward_bias_after_relu(params, X):
    hidden = (X @ params["W1"]).clamp(min=0) + params["b1"]
    return hidden @ params["W2"] + params["b2"], hidden


@mistake(FORWARD, hint="The two results are swapped: scores first, then the hidden layer.")
def forward_swapped(params, X):
    hidden = (X @ params["W1"] + params["b1"]).clamp(min=0)
    return hidden, hidden @ params["W2"] + params["b2"]


@mistake(FORWARD, hint=ON_CPU)
def forward_on_cpu(params, X):
    hidden = torch.zeros(len(X), params["W1"].shape[1], dtype=X.dtype)
    hidden = torch.maximum(hidden, X @ params["W1"] + params["b1"])
    return hidden @ params["W2"] + params["b2"], hidden


@mistake(BACKWARD + ":scores", hint="Without labels there is no loss: return the scores alone, not a pair.")
def backward_returns_pair(params, X, y=None, reg=0.0):
    if y is None:
        return nn2.nn_forward_pass(params, X)
    return _network(params, X, y, reg)


@mistake(BACKWARD + ":scores", hint="Without labels probabilities come back; scores are due.")
def backward_returns_probabilities(params, X, y=None, reg=0.0):
    if y is None:
        powers = nn2.nn_forward_pass(params, X)[0].exp()
        return powers / powers.sum(1, keepdim=True)
    return _network(params, X, y, reg)


def _network(
    params,
    X,
    y,
    reg,
    *,
    shift=True,
    count=None,
    penalty=1.0,
    dpenalty=2.0,
    both=True,
    biases=False,
    right=None,
):
    scores, hidden = nn2.nn_forward_pass(params, X)
    powers = (scores - scores.amax(1, keepdim=True) if shift else scores).exp()
    p = powers / powers.sum(1, keepdim=True)
    loss = _cross_entropy(p, y) + penalty * reg * sum(
        params[name].square().sum() for name in (["W1", "W2"] if both else ["W1"]) + ["b1", "b2"] * biases
    )
    right = F.one_hot(y, p.shape[1]) if right is None else right
    dscores = (p - right) / (len(X) if count is None else count)
    dhidden = dscores @ params["W2"].T * (hidden > 0)
    grads = {
        "W1": X.T @ dhidden + dpenalty * reg * params["W1"],
        "b1": dhidden.sum(0) + 2 * reg * params["b1"] * biases,
        "W2": hidden.T @ dscores + dpenalty * reg * params["W2"] * both,
        "b2": dscores.sum(0) + 2 * reg * params["b2"] * biases,
    }
    return loss, grads


@mistake(BACKWARD + ":large_scores", hint=OVERFLOW)
def backward_overflows(params, X, y=None, reg=0.0):
    if y is None:
        return nn2.nn_forward_pass(params, X)[0]
    return _network(params, X, y, reg, shift=False)


@mistake(
    BACKWARD, hint="The gradients are sums over the images, the loss is a mean: divide by N where they start."
)
def backward_sums(params, X, y=None, reg=0.0):
    if y is None:
        return nn2.nn_forward_pass(params, X)[0]
    return _network(params, X, y, reg, count=1)


@mistake(BACKWARD, hint="The gradients lack the penalty's part: the derivative of reg times W squared.")
def backward_without_penalty_gradient(params, X, y=None, reg=0.0):
    if y is None:
        return nn2.nn_forward_pass(params, X)[0]
    return _network(params, X, y, reg, dpenalty=0.0)


@mistake(
    BACKWARD, hint="The penalty's gradient is half of what is due: a square has a factor 2 in its derivative."
)
def backward_half_penalty_gradient(params, X, y=None, reg=0.0):
    if y is None:
        return nn2.nn_forward_pass(params, X)[0]
    return _network(params, X, y, reg, dpenalty=1.0)


@mistake(BACKWARD, hint="The penalty is halved, in loss and gradients: this course puts no 1/2 before it.")
def backward_half_penalty(params, X, y=None, reg=0.0):
    if y is None:
        return nn2.nn_forward_pass(params, X)[0]
    return _network(params, X, y, reg, penalty=0.5, dpenalty=1.0)


@mistake(BACKWARD, hint="Only W1 is penalised; W2 must be too.")
def backward_first_penalty_only(params, X, y=None, reg=0.0):
    if y is None:
        return nn2.nn_forward_pass(params, X)[0]
    return _network(params, X, y, reg, both=False)


@mistake(BACKWARD, hint="The biases are penalised as well; only the weights are to be.")
def backward_biases_penalised(params, X, y=None, reg=0.0):
    if y is None:
        return nn2.nn_forward_pass(params, X)[0]
    return _network(params, X, y, reg, biases=True)


@mistake(BACKWARD, hint="db1 and db2 are means over the batch; dividing by N has been done already. Sum.")
def backward_bias_means(params, X, y=None, reg=0.0):
    if y is None:
        return nn2.nn_forward_pass(params, X)[0]
    loss, grads = _network(params, X, y, reg)
    return loss, {**grads, "b1": grads["b1"] / len(X), "b2": grads["b2"] / len(X)}


@mistake(
    BACKWARD,
    hint="The gradient passes through units that were off: multiply by where the hidden layer is above 0.",
)
def backward_without_mask(params, X, y=None, reg=0.0):
    scores, _ = nn2.nn_forward_pass(params, X)
    if y is None:
        return scores
    loss, grads = _network(params, X, y, reg)
    powers = (scores - scores.amax(1, keepdim=True)).exp()
    p = powers / powers.sum(1, keepdim=True)
    dhidden = (p - F.one_hot(y, p.shape[1])) / len(X) @ params["W2"].T
    return loss, {**grads, "W1": X.T @ dhidden + 2 * reg * params["W1"], "b1": dhidden.sum(0)}


@mistake(BACKWARD, hint="The hidden layer is overwritten by its mask before dW2 has read it.")
def backward_mask_overwrites_hidden(params, X, y=None, reg=0.0):
    scores, hidden = nn2.nn_forward_pass(params, X)
    if y is None:
        return scores
    loss, grads = _network(params, X, y, reg)
    powers = (scores - scores.amax(1, keepdim=True)).exp()
    p = powers / powers.sum(1, keepdim=True)
    mask = (hidden > 0).to(X.dtype)
    return loss, {**grads, "W2": mask.T @ (p - F.one_hot(y, p.shape[1])) / len(X) + 2 * reg * params["W2"]}


@mistake(BACKWARD, hint="The penalty is missing altogether, in the loss and in both gradients.")
def backward_without_penalty(params, X, y=None, reg=0.0):
    if y is None:
        return nn2.nn_forward_pass(params, X)[0]
    return _network(params, X, y, reg, penalty=0.0, dpenalty=0.0)


@mistake(
    BACKWARD,
    hint="The mask is made of the gradient's own sign; it must say where the hidden layer was above 0.",
)
def backward_mask_of_gradient(params, X, y=None, reg=0.0):
    scores, _ = nn2.nn_forward_pass(params, X)
    if y is None:
        return scores
    loss, grads = _network(params, X, y, reg)
    p = (scores - scores.amax(1, keepdim=True)).exp()
    p = p / p.sum(1, keepdim=True)
    dhidden = ((p - F.one_hot(y, p.shape[1])) / len(X) @ params["W2"].T).clamp(min=0)
    return loss, {**grads, "W1": X.T @ dhidden + 2 * reg * params["W1"], "b1": dhidden.sum(0)}


@mistake(BACKWARD, hint="dscores lacks the minus 1 of the right class.")
def backward_without_one(params, X, y=None, reg=0.0):
    scores, hidden = nn2.nn_forward_pass(params, X)
    if y is None:
        return scores
    loss, _ = _network(params, X, y, reg)
    p = (scores - scores.amax(1, keepdim=True)).exp()
    dscores = p / p.sum(1, keepdim=True) / len(X)
    dhidden = dscores @ params["W2"].T * (hidden > 0)
    return loss, {
        "W1": X.T @ dhidden + 2 * reg * params["W1"],
        "b1": dhidden.sum(0),
        "W2": hidden.T @ dscores + 2 * reg * params["W2"],
        "b2": dscores.sum(0),
    }


@mistake(BACKWARD, hint="The biases' gradients keep an axis of size 1; they have the shape of the biases.")
def backward_bias_rows(params, X, y=None, reg=0.0):
    if y is None:
        return nn2.nn_forward_pass(params, X)[0]
    loss, grads = _network(params, X, y, reg)
    return loss, {name: grad if name[0] == "W" else grad[None] for name, grad in grads.items()}


@mistake(
    BACKWARD, hint="The parameters themselves are changed: work on new tensors, `nn_train` makes the steps."
)
def backward_changes_parameters(params, X, y=None, reg=0.0):
    if y is None:
        return nn2.nn_forward_pass(params, X)[0]
    loss, grads = _network(params, X, y, reg)
    for name, grad in grads.items():
        params[name] -= 0.01 * grad
    return loss, grads


@mistake(BACKWARD, hint=ON_CPU.replace("W is", "the parameters are"))
def backward_on_cpu(params, X, y=None, reg=0.0):
    if y is None:
        return nn2.nn_forward_pass(params, X)[0]
    return _network(params, X, y, reg, right=torch.eye(len(params["b2"]), dtype=X.dtype)[y.cpu()])


@mistake(BACKWARD, hint="The gradients carry other names than the parameters: W1, b1, W2, b2.")
def backward_other_names(params, X, y=None, reg=0.0):
    if y is None:
        return nn2.nn_forward_pass(params, X)[0]
    loss, grads = _network(params, X, y, reg)
    return loss, {f"d{name}": grad for name, grad in grads.items()}


def _train(
    params,
    loss_func,
    pred_func,
    X,
    y,
    X_val,
    y_val,
    learning_rate,
    learning_rate_decay,
    reg,
    num_iters,
    batch_size,
    *,
    sign=-1,
    due=lambda step, epoch: (step + 1) % epoch == 0,
    every_step=False,
    names=None,
    percent=False,
    of_batch=True,
    num_train=None,
):
    history = {"loss_history": [], "train_acc_history": [], "val_acc_history": []}
    epoch = max(len(X) // batch_size, 1)
    for step in range(num_iters):
        X_batch, y_batch = lc.sample_batch(X, y, num_train or len(X), batch_size)
        loss, grads = loss_func(params, X_batch, y_batch, reg)
        for name in names or grads:
            params[name] = params[name] + sign * learning_rate * grads[name]
        history["loss_history"].append(float(loss))
        if due(step, epoch):
            known = (X_batch, y_batch) if of_batch else (X, y)
            for split, images, labels in (("train", *known), ("val", X_val, y_val)):
                right = (pred_func(params, loss_func, images) == labels).double().mean().item()
                history[f"{split}_acc_history"].append(100 * right if percent else right)
        if every_step or due(step, epoch):
            learning_rate *= learning_rate_decay
    return history


@mistake(NN_TRAIN, hint="The learning rate falls at every step; once after each epoch is enough.")
def nn_train_decays_each_step(
    params,
    loss_func,
    pred_func,
    X,
    y,
    X_val,
    y_val,
    learning_rate=1e-3,
    learning_rate_decay=0.95,
    reg=5e-6,
    num_iters=100,
    batch_size=200,
    verbose=False,
):
    settings = (learning_rate, learning_rate_decay, reg, num_iters, batch_size)
    return _train(params, loss_func, pred_func, X, y, X_val, y_val, *settings, every_step=True)


@mistake(NN_TRAIN, hint="The learning rate never falls: multiply it by its decay after each epoch.")
def nn_train_without_decay(
    params,
    loss_func,
    pred_func,
    X,
    y,
    X_val,
    y_val,
    learning_rate=1e-3,
    learning_rate_decay=0.95,
    reg=5e-6,
    num_iters=100,
    batch_size=200,
    verbose=False,
):
    settings = (learning_rate, 1.0, reg, num_iters, batch_size)
    return _train(params, loss_func, pred_func, X, y, X_val, y_val, *settings)


@mistake(NN_TRAIN, hint="An epoch is counted as over before its first step: it is over after its last one.")
def nn_train_epoch_too_early(
    params,
    loss_func,
    pred_func,
    X,
    y,
    X_val,
    y_val,
    learning_rate=1e-3,
    learning_rate_decay=0.95,
    reg=5e-6,
    num_iters=100,
    batch_size=200,
    verbose=False,
):
    settings = (learning_rate, learning_rate_decay, reg, num_iters, batch_size)
    early = {"due": lambda step, epoch: step % epoch == 0}
    return _train(params, loss_func, pred_func, X, y, X_val, y_val, *settings, **early)


@mistake(NN_TRAIN, hint="Steps go along the gradient, so uphill: go against it.")
def nn_train_uphill(
    params,
    loss_func,
    pred_func,
    X,
    y,
    X_val,
    y_val,
    learning_rate=1e-3,
    learning_rate_decay=0.95,
    reg=5e-6,
    num_iters=100,
    batch_size=200,
    verbose=False,
):
    settings = (learning_rate, learning_rate_decay, reg, num_iters, batch_size)
    return _train(params, loss_func, pred_func, X, y, X_val, y_val, *settings, sign=1)


@mistake(NN_TRAIN, hint="The biases stay where they are: every parameter that has a gradient makes the step.")
def nn_train_weights_only(
    params,
    loss_func,
    pred_func,
    X,
    y,
    X_val,
    y_val,
    learning_rate=1e-3,
    learning_rate_decay=0.95,
    reg=5e-6,
    num_iters=100,
    batch_size=200,
    verbose=False,
):
    settings = (learning_rate, learning_rate_decay, reg, num_iters, batch_size)
    return _train(params, loss_func, pred_func, X, y, X_val, y_val, *settings, names=["W"])


@mistake(
    NN_TRAIN, hint="A copy is trained and thrown away: put the new tensors into the dict that was handed in."
)
def nn_train_copy(
    params,
    loss_func,
    pred_func,
    X,
    y,
    X_val,
    y_val,
    learning_rate=1e-3,
    learning_rate_decay=0.95,
    reg=5e-6,
    num_iters=100,
    batch_size=200,
    verbose=False,
):
    settings = (learning_rate, learning_rate_decay, reg, num_iters, batch_size)
    return _train(dict(params), loss_func, pred_func, X, y, X_val, y_val, *settings)


@mistake(NN_TRAIN, hint="The tensors handed in are changed in place: put new ones into the dict.")
def nn_train_in_place(
    params,
    loss_func,
    pred_func,
    X,
    y,
    X_val,
    y_val,
    learning_rate=1e-3,
    learning_rate_decay=0.95,
    reg=5e-6,
    num_iters=100,
    batch_size=200,
    verbose=False,
):
    settings = (learning_rate, learning_rate_decay, reg, num_iters, batch_size)
    given = dict(params)
    history = _train(params, loss_func, pred_func, X, y, X_val, y_val, *settings)
    for name, tensor in given.items():
        params[name] = tensor.copy_(params[name])
    return history


@mistake(NN_TRAIN, hint="Accuracies are percentages here; fractions, 0 to 1, are due.")
def nn_train_per_cent(
    params,
    loss_func,
    pred_func,
    X,
    y,
    X_val,
    y_val,
    learning_rate=1e-3,
    learning_rate_decay=0.95,
    reg=5e-6,
    num_iters=100,
    batch_size=200,
    verbose=False,
):
    settings = (learning_rate, learning_rate_decay, reg, num_iters, batch_size)
    return _train(params, loss_func, pred_func, X, y, X_val, y_val, *settings, percent=True)


@mistake(NN_TRAIN, hint="The validation accuracy is that of the training batch again.")
def nn_train_batch_twice(
    params,
    loss_func,
    pred_func,
    X,
    y,
    X_val,
    y_val,
    learning_rate=1e-3,
    learning_rate_decay=0.95,
    reg=5e-6,
    num_iters=100,
    batch_size=200,
    verbose=False,
):
    settings = (learning_rate, learning_rate_decay, reg, num_iters, batch_size)
    return _train(params, loss_func, pred_func, X, y, X, y, *settings)


@mistake(
    NN_TRAIN, hint="The training accuracy is taken on all images; that of the epoch's last batch is due."
)
def nn_train_accuracy_on_everything(
    params,
    loss_func,
    pred_func,
    X,
    y,
    X_val,
    y_val,
    learning_rate=1e-3,
    learning_rate_decay=0.95,
    reg=5e-6,
    num_iters=100,
    batch_size=200,
    verbose=False,
):
    settings = (learning_rate, learning_rate_decay, reg, num_iters, batch_size)
    return _train(params, loss_func, pred_func, X, y, X_val, y_val, *settings, of_batch=False)


@mistake(NN_TRAIN, hint="Batches are drawn from the first images alone: `num_train` is all of them.")
def nn_train_on_the_first_images(
    params,
    loss_func,
    pred_func,
    X,
    y,
    X_val,
    y_val,
    learning_rate=1e-3,
    learning_rate_decay=0.95,
    reg=5e-6,
    num_iters=100,
    batch_size=200,
    verbose=False,
):
    settings = (learning_rate, learning_rate_decay, reg, num_iters, batch_size)
    first = min(batch_size, len(X))
    return _train(params, loss_func, pred_func, X, y, X_val, y_val, *settings, num_train=first)


@mistake(NN_TRAIN, hint="An epoch has N // batch_size steps, rounded down; here it is rounded another way.")
def nn_train_rounds_the_epoch(
    params,
    loss_func,
    pred_func,
    X,
    y,
    X_val,
    y_val,
    learning_rate=1e-3,
    learning_rate_decay=0.95,
    reg=5e-6,
    num_iters=100,
    batch_size=200,
    verbose=False,
):
    settings = (learning_rate, learning_rate_decay, reg, num_iters, batch_size)
    epoch = max(round(len(X) / batch_size), 1)
    plain = {"due": lambda step, _: (step + 1) % epoch == 0}
    return _train(params, loss_func, pred_func, X, y, X_val, y_val, *settings, **plain)


@mistake(NN_TRAIN, hint="The penalty's strength never reaches the loss: hand reg on.")
def nn_train_without_reg(
    params,
    loss_func,
    pred_func,
    X,
    y,
    X_val,
    y_val,
    learning_rate=1e-3,
    learning_rate_decay=0.95,
    reg=5e-6,
    num_iters=100,
    batch_size=200,
    verbose=False,
):
    settings = (learning_rate, learning_rate_decay, 0.0, num_iters, batch_size)
    return _train(params, loss_func, pred_func, X, y, X_val, y_val, *settings)


@mistake(
    NN_TRAIN,
    hint="With a batch larger than the data an epoch has 0 steps, and `%` fails: it has one at least.",
)
def nn_train_epoch_of_zero(
    params,
    loss_func,
    pred_func,
    X,
    y,
    X_val,
    y_val,
    learning_rate=1e-3,
    learning_rate_decay=0.95,
    reg=5e-6,
    num_iters=100,
    batch_size=200,
    verbose=False,
):
    settings = (learning_rate, learning_rate_decay, reg, num_iters, batch_size)
    plain = {"due": lambda step, epoch: (step + 1) % (len(X) // batch_size) == 0}
    return _train(params, loss_func, pred_func, X, y, X_val, y_val, *settings, **plain)


@mistake(NN_PREDICT, hint="These are the highest scores themselves; the label is where they stand: `argmax`.")
def nn_predict_scores(params, loss_func, X):
    return loss_func(params, X).amax(dim=1)


@mistake(NN_PREDICT, hint="The best *image* for each class is found: look along the classes, dim=1.")
def nn_predict_along_images(params, loss_func, X):
    return loss_func(params, X).argmax(dim=0)


@mistake(NN_PREDICT, hint="`cuda()` names one kind of machine: labels stay where the scores are.")
def nn_predict_by_cuda(params, loss_func, X):
    return loss_func(params, X.cuda()).argmax(dim=1)


@mistake(NN_PREDICT, hint="The scores come back; labels are due.")
def nn_predict_all_scores(params, loss_func, X):
    return loss_func(params, X)


@mistake("two_layer_net.nn_get_search_params", hint="Empty lists leave nothing to search in: fill all four.")
def nn_empty_search():
    return [], [], [], []


@mistake(
    "two_layer_net.nn_get_search_params", hint="A decay above 1 lets the learning rate grow without end."
)
def nn_growing_rate():
    return [0.1, 0.3], [100], [1e-3], [1.05]


@mistake(
    "two_layer_net.nn_get_search_params",
    hint="A hidden size that is no whole number: are rates and sizes swapped? Rates come first.",
)
def nn_lists_swapped():
    return [50, 200], [0.1, 0.3], [1e-3], [0.95]


def _search(data_dict, get_param_set_fn, num_iters, net_class, better, *, swapped=False, noted=None):
    X, y, X_val, y_val = (data_dict[name] for name in ("X_train", "y_train", "X_val", "y_val"))
    best = (None, None, -1.0)
    for rate, hidden_size, reg, decay in product(*get_param_set_fn()):
        net = net_class(X.shape[1], hidden_size, int(y.max()) + 1, dtype=X.dtype, device=X.device)
        settings = {"learning_rate": rate, "learning_rate_decay": decay, "reg": reg, "num_iters": num_iters}
        stats = net.train(X, y, X_val, y_val, **settings)
        found = (net, stats, (net.predict(X_val) == y_val).double().mean().item())
        best = found if better(best, found) else best
    return best


@mistake(BEST_NET, hint="The last network is kept; the one best on the validation images is due.")
def best_net_keeps_last(data_dict, get_param_set_fn, num_iters=2000, net_class=nn2.TwoLayerNet):
    return _search(data_dict, get_param_set_fn, num_iters, net_class, lambda best, found: True)


@mistake(BEST_NET, hint="The worst network is kept: is the comparison the right way round?")
def best_net_keeps_worst(data_dict, get_param_set_fn, num_iters=2000, net_class=nn2.TwoLayerNet):
    return _search(
        data_dict,
        get_param_set_fn,
        num_iters,
        net_class,
        lambda best, found: best[0] is None or found[2] < best[2],
    )


@mistake(
    BEST_NET, hint="The first network is kept and nothing replaces it: compare each new one with the best."
)
def best_net_keeps_first(data_dict, get_param_set_fn, num_iters=2000, net_class=nn2.TwoLayerNet):
    return _search(data_dict, get_param_set_fn, num_iters, net_class, lambda best, found: best[0] is None)


@mistake(BEST_NET, hint="The accuracy is a luckier one from on the way: ask the network after its training.")
def best_net_by_history(data_dict, get_param_set_fn, num_iters=2000, net_class=nn2.TwoLayerNet):
    net, stats, _ = _search(
        data_dict, get_param_set_fn, num_iters, net_class, lambda best, found: found[2] > best[2]
    )
    return net, stats, max(stats["val_acc_history"])


@mistake(
    BEST_NET, hint="A network that gets nothing right does not beat 0, and none comes back: start below 0."
)
def best_net_above_zero(data_dict, get_param_set_fn, num_iters=2000, net_class=nn2.TwoLayerNet):
    net, stats, val_acc = _search(
        data_dict, get_param_set_fn, num_iters, net_class, lambda best, found: found[2] > max(best[2], 0.0)
    )
    return net, stats, max(val_acc, 0.0)


@mistake(BEST_NET, hint="The history ends with the last full epoch, not with the last step: ask the network.")
def best_net_by_last_epoch(data_dict, get_param_set_fn, num_iters=2000, net_class=nn2.TwoLayerNet):
    def better(best, found):
        return best[0] is None or found[1]["val_acc_history"][-1] > best[1]["val_acc_history"][-1]

    net, stats, _ = _search(data_dict, get_param_set_fn, num_iters, net_class, better)
    return net, stats, stats["val_acc_history"][-1]


@mistake(BEST_NET, hint="Lists are walked through side by side; every value is to meet every other.")
def best_net_zips(data_dict, get_param_set_fn, num_iters=2000, net_class=nn2.TwoLayerNet):
    rates, sizes, strengths, decays = get_param_set_fn()
    X, y, X_val, y_val = (data_dict[name] for name in ("X_train", "y_train", "X_val", "y_val"))
    best = (None, None, -1.0)
    for rate, size, reg in zip(rates, sizes, strengths, strict=False):
        net = net_class(X.shape[1], size, int(y.max()) + 1, dtype=X.dtype, device=X.device)
        settings = {"learning_rate": rate, "learning_rate_decay": decays[0], "reg": reg}
        stats = net.train(X, y, X_val, y_val, num_iters=num_iters, **settings)
        val_acc = (net.predict(X_val) == y_val).double().mean().item()
        best = max(best, (net, stats, val_acc), key=lambda found: found[2])
    return best


@mistake(BEST_NET, hint="num_iters never reaches `train`, which then takes its own default.")
def best_net_without_steps(data_dict, get_param_set_fn, num_iters=2000, net_class=nn2.TwoLayerNet):
    return _search(data_dict, get_param_set_fn, 100, net_class, lambda best, found: found[2] > best[2])


@mistake(BEST_NET, hint="The validation accuracy is a percentage; a fraction, 0 to 1, is due.")
def best_net_per_cent(data_dict, get_param_set_fn, num_iters=2000, net_class=nn2.TwoLayerNet):
    net, stats, val_acc = _search(
        data_dict, get_param_set_fn, num_iters, net_class, lambda best, found: found[2] > best[2]
    )
    return net, stats, 100 * val_acc


# Features


def _shares(position, num_bins):
    away = (position.unsqueeze(-1) * num_bins - torch.arange(num_bins, device=position.device)).abs()
    return (1 - torch.minimum(away, num_bins - away)).clamp(min=0)


@mistake(
    CIRCLE,
    hint="Each pixel gives all to its nearest bin: it is to share between the two that it lies between.",
)
def circle_nearest_bin(position, weights, num_bins):
    nearest = (position * num_bins).round().long() % num_bins
    return (F.one_hot(nearest, num_bins) * weights.unsqueeze(-1)).sum(-2)


@mistake(CIRCLE, hint="Each pixel gives all to the bin before it: it is to share with the next one.")
def circle_lower_bin(position, weights, num_bins):
    lower = (position * num_bins).long() % num_bins
    return (F.one_hot(lower, num_bins) * weights.unsqueeze(-1)).sum(-2)


@mistake(CIRCLE, hint="The circle is open: pixels after the last bin share with the first one.")
def circle_open(position, weights, num_bins):
    away = (position.unsqueeze(-1) * num_bins - torch.arange(num_bins, device=position.device)).abs()
    return ((1 - away).clamp(min=0) * weights.unsqueeze(-1)).sum(-2)


@mistake(CIRCLE, hint="The shares are swapped: the nearer bin gets the larger one.")
def circle_shares_swapped(position, weights, num_bins):
    place = position * num_bins
    lower, share = place.floor().long(), place - place.floor()
    bins = F.one_hot(lower % num_bins, num_bins) * share.unsqueeze(-1)
    bins = bins + F.one_hot((lower + 1) % num_bins, num_bins) * (1 - share).unsqueeze(-1)
    return (bins * weights.unsqueeze(-1)).sum(-2)


@mistake(CIRCLE, hint="Pixels are counted; each gives as much as it weighs.")
def circle_unweighted(position, weights, num_bins):
    return _shares(position, num_bins).sum(-2)


@mistake(CIRCLE, hint="The histogram is a mean over the pixels; their sum is due.")
def circle_mean(position, weights, num_bins):
    return (_shares(position, num_bins) * weights.unsqueeze(-1)).mean(-2)


@mistake(CIRCLE, hint="All items share one histogram: sum over the last axis only.")
def circle_sums_everything(position, weights, num_bins):
    return (_shares(position, num_bins) * weights.unsqueeze(-1)).flatten(0, -2).sum(0)


@mistake(CIRCLE, hint="Bins sit at their middle, (b + 1/2) / num_bins; here bin b sits at b / num_bins.")
def circle_middle_of_bins(position, weights, num_bins):
    return (_shares((position - 0.5 / num_bins) % 1, num_bins) * weights.unsqueeze(-1)).sum(-2)


@mistake(CIRCLE, hint=ON_CPU.replace("W is", "the positions are"))
def circle_on_cpu(position, weights, num_bins):
    away = (position.unsqueeze(-1) * num_bins - torch.arange(num_bins)).abs()
    away = torch.minimum(away, num_bins - away)
    return ((1 - away).clamp(min=0) * weights.unsqueeze(-1)).sum(-2)


def _hue(images):
    r, g, b = images.flatten(2).unbind(1)
    largest, chroma = images.flatten(2).amax(1), images.flatten(2).amax(1) - images.flatten(2).amin(1)
    safe = torch.where(chroma > 0, chroma, 1)
    sixths = torch.where(
        largest == r, (g - b) / safe, torch.where(largest == g, 2 + (b - r) / safe, 4 + (r - g) / safe)
    )
    return sixths / 6 % 1, chroma


@mistake(HUES, hint="Grey pixels have no chroma, and 0 over 0 is NaN: keep the division away from them.")
def hues_grey_is_nan(images, num_bins=10):
    hue, chroma = _hue(images)
    return circular_histogram(hue * (chroma / chroma), chroma / chroma.shape[1], num_bins)


@mistake(HUES, hint="Every pixel counts alike, grey ones too: weigh it by its chroma.")
def hues_unweighted(images, num_bins=10):
    hue, chroma = _hue(images)
    return circular_histogram(hue, torch.ones_like(chroma) / chroma.shape[1], num_bins)


@mistake(HUES, hint="The histograms grow with the size of the image: divide the weights by H W.")
def hues_not_divided(images, num_bins=10):
    return circular_histogram(*_hue(images), num_bins)


@mistake(HUES, hint="Red and blue are swapped: the channels come as red, green, blue.")
def hues_bgr(images, num_bins=10):
    hue, chroma = _hue(images.flip(1))
    return circular_histogram(hue, chroma / chroma.shape[1], num_bins)


@mistake(HUES, hint="Hues of purple reds are negative: bring them back onto the circle with % 1.")
def hues_negative(images, num_bins=10):
    hue, chroma = _hue(images)
    hue = torch.where(hue > 5 / 6, hue - 1, hue)
    return circular_histogram(hue, chroma / chroma.shape[1], num_bins)


@mistake(HUES, hint="The hue is left in sixths; the histogram wants the whole circle from 0 to 1.")
def hues_in_sixths(images, num_bins=10):
    hue, chroma = _hue(images)
    return circular_histogram(hue * 6 % 1, chroma / chroma.shape[1], num_bins)


@mistake(HUES, hint="Pixels are weighed by their largest channel; chroma is the largest less the smallest.")
def hues_weighed_by_value(images, num_bins=10):
    hue, chroma = _hue(images)
    return circular_histogram(hue, images.flatten(2).amax(1) / chroma.shape[1], num_bins)


@mistake(HUES, hint="All images share one histogram: each has its own.")
def hues_of_all_images(images, num_bins=10):
    hue, chroma = _hue(images)
    return circular_histogram(hue, chroma / chroma.shape[1], num_bins).mean(0)


def _hog(
    images, num_bins, cell, *, turn=None, grey=None, norm=True, eps=1e-4, corner_first=False, weigh=True
):
    grey = images.mean(1) if grey is None else grey
    along_y, along_x = torch.gradient(grey, dim=(1, 2))
    position = (torch.atan2(along_y, along_x) / torch.pi if turn is None else turn(along_y, along_x)) % 1
    length = (along_x.square() + along_y.square()).sqrt()
    length = length if weigh else torch.ones_like(length)
    cells = [pixels.unfold(1, cell, cell).unfold(2, cell, cell).flatten(3) for pixels in (position, length)]
    histograms = circular_histogram(*cells, num_bins)
    corners = [
        histograms[:, :-1, :-1],
        histograms[:, :-1, 1:],
        histograms[:, 1:, :-1],
        histograms[:, 1:, 1:],
    ]
    corners = [corners[place] for place in (0, 2, 1, 3)] if corner_first else corners
    blocks = torch.cat(corners, dim=-1)
    scale = (blocks.square().sum(-1, keepdim=True) + eps).sqrt()
    return (blocks / scale if norm else blocks).flatten(1)


@mistake(
    HOG,
    hint="Directions run through 360 degrees; an edge is the same from either side, so take them modulo 180.",
)
def hog_whole_turn(images, num_bins=9, cell=8):
    return _hog(images, num_bins, cell, turn=lambda dy, dx: torch.atan2(dy, dx) / (2 * torch.pi))


@mistake(HOG, hint="The directions are turned by 90 degrees: `atan2` takes the y part first.")
def hog_axes_swapped(images, num_bins=9, cell=8):
    return _hog(images, num_bins, cell, turn=lambda dy, dx: torch.atan2(dx, dy) / torch.pi)


@mistake(HOG, hint="The blocks are not normalised: divide each by its length.")
def hog_without_normalisation(images, num_bins=9, cell=8):
    return _hog(images, num_bins, cell, norm=False)


@mistake(HOG, hint="All edges count alike, also the faintest: weigh each pixel by its gradient's length.")
def hog_unweighted(images, num_bins=9, cell=8):
    return _hog(images, num_bins, cell, weigh=False)


@mistake(HOG, hint="The gradient is that of the red channel; take the mean of the three first.")
def hog_of_red(images, num_bins=9, cell=8):
    return _hog(images, num_bins, cell, grey=images[:, 0])


@mistake(
    HOG, hint="The channels are summed; the mean is due (the small number in the norm sees the difference)."
)
def hog_of_sum(images, num_bins=9, cell=8):
    return _hog(images, num_bins, cell, grey=images.sum(1))


@mistake(
    HOG, hint="Inside a block columns come before rows: upper left, upper right, lower left, lower right."
)
def hog_columns_first(images, num_bins=9, cell=8):
    return _hog(images, num_bins, cell, corner_first=True)


@mistake(HOG, hint="Each cell is normalised alone; four neighbours make a block, and share one length.")
def hog_cells_alone(images, num_bins=9, cell=8):
    along_y, along_x = torch.gradient(images.mean(1), dim=(1, 2))
    turn = torch.atan2(along_y, along_x) / torch.pi % 1
    length = (along_x.square() + along_y.square()).sqrt()
    cells = [pixels.unfold(1, cell, cell).unfold(2, cell, cell).flatten(3) for pixels in (turn, length)]
    histograms = circular_histogram(*cells, num_bins)
    return (histograms / (histograms.square().sum(-1, keepdim=True) + 1e-4).sqrt()).flatten(1)


@mistake(HOG, hint="The features keep several axes: one row of numbers for each image is due.")
def hog_not_flat(images, num_bins=9, cell=8):
    return _hog(images, num_bins, cell).unflatten(1, (-1, 4 * num_bins))


@mistake(HOG, hint="Cells are cut by reshaping alone, which mixes rows: cut along each axis (`unfold`).")
def hog_cells_by_view(images, num_bins=9, cell=8):
    rows, columns = images.shape[2] // cell, images.shape[3] // cell
    along_y, along_x = torch.gradient(images.mean(1), dim=(1, 2))
    turn = torch.atan2(along_y, along_x) / torch.pi % 1
    length = (along_x.square() + along_y.square()).sqrt()
    cells = [pixels.reshape(len(images), rows, columns, -1) for pixels in (turn, length)]
    histograms = circular_histogram(*cells, num_bins)
    corners = [
        histograms[:, :-1, :-1],
        histograms[:, :-1, 1:],
        histograms[:, 1:, :-1],
        histograms[:, 1:, 1:],
    ]
    blocks = torch.cat(corners, dim=-1)
    return (blocks / (blocks.square().sum(-1, keepdim=True) + 1e-4).sqrt()).flatten(1)
