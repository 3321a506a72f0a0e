"""How people get `mlp.losses` wrong, and the hint each mistake deserves."""

import torch

from exercise_code.support.checking.declare import mistake


# Losses
@mistake(
    "mlp.losses.softmax_loss:large_scores", hint="exp overflows: subtract each row's largest score before it."
)
def softmax_overflows(x, y):
    p = x.exp() / x.exp().sum(1, keepdim=True)
    rows = torch.arange(len(x), device=x.device)
    dx = p.clone()
    dx[rows, y] -= 1
    return -p[rows, y].log().mean(), dx / len(x)


@mistake(
    "mlp.losses.softmax_loss:large_scores",
    hint="Very small probabilities round to 0, and log(0) is infinite: take the log of the sum, not of p.",
)
def softmax_log_of_zero(x, y):
    shifted = (x - x.amax(1, keepdim=True)).exp()
    p = shifted / shifted.sum(1, keepdim=True)
    rows = torch.arange(len(x), device=x.device)
    dx = p.clone()
    dx[rows, y] -= 1
    return -p[rows, y].log().mean(), dx / len(x)


@mistake(
    "mlp.losses.softmax_loss:large_scores",
    hint="One maximum for the whole batch leaves rows whose scores all underflow: take each row's own.",
)
def softmax_shared_maximum(x, y):
    shifted = x - x.max()
    log_p = shifted - shifted.exp().sum(1, keepdim=True).log()
    rows = torch.arange(len(x), device=x.device)
    dx = log_p.exp()
    dx[rows, y] -= 1
    return -log_p[rows, y].mean(), dx / len(x)


@mistake(
    "mlp.losses.softmax_loss",
    hint="The loss is a sum over the batch; its mean is asked for, in the gradient too.",
)
def softmax_summed(x, y):
    log_p = x - x.logsumexp(1, keepdim=True)
    rows = torch.arange(len(x), device=x.device)
    dx = log_p.exp()
    dx[rows, y] -= 1
    return -log_p[rows, y].sum(), dx


@mistake(
    "mlp.losses.softmax_loss",
    hint="The loss is a mean over the batch, so its gradient is divided by N as well.",
)
def softmax_gradient_not_averaged(x, y):
    log_p = x - x.logsumexp(1, keepdim=True)
    rows = torch.arange(len(x), device=x.device)
    dx = log_p.exp()
    dx[rows, y] -= 1
    return -log_p[rows, y].mean(), dx


@mistake(
    "mlp.losses.softmax_loss", hint="The gradient is p alone: at the right class 1 has to be subtracted."
)
def softmax_gradient_without_one(x, y):
    log_p = x - x.logsumexp(1, keepdim=True)
    rows = torch.arange(len(x), device=x.device)
    return -log_p[rows, y].mean(), log_p.exp() / len(x)


@mistake(
    "mlp.losses.softmax_loss",
    hint="p is changed for the gradient before the loss has been read off it: the loss comes first.",
)
def softmax_edited_too_early(x, y):
    p = (x - x.logsumexp(1, keepdim=True)).exp()
    rows = torch.arange(len(x), device=x.device)
    p[rows, y] -= 1
    return -p[rows, y].abs().log().mean(), p / len(x)


@mistake(
    "mlp.losses.softmax_loss", hint="Probabilities are normalised along the batch: each *row* sums to 1."
)
def softmax_wrong_axis(x, y):
    log_p = x - x.logsumexp(0, keepdim=True)
    rows = torch.arange(len(x), device=x.device)
    dx = log_p.exp()
    dx[rows, y] -= 1
    return -log_p[rows, y].mean(), dx / len(x)


@mistake("mlp.losses.softmax_loss", hint="The minus is missing: log p is negative, the loss is positive.")
def softmax_negative(x, y):
    log_p = x - x.logsumexp(1, keepdim=True)
    rows = torch.arange(len(x), device=x.device)
    dx = log_p.exp()
    dx[rows, y] -= 1
    return log_p[rows, y].mean(), dx / len(x)


@mistake(
    "mlp.losses.softmax_loss",
    hint="`x[:, y]` takes the columns y of every row: take one score from each, with `arange` or `gather`.",
)
def softmax_columns(x, y):
    log_p = x - x.logsumexp(1, keepdim=True)
    dx = log_p.exp()
    dx[torch.arange(len(x), device=x.device), y] -= 1
    return -log_p[:, y].mean(), dx / len(x)


@mistake(
    "mlp.losses.softmax_loss",
    hint="`.item()` makes a Python number: return the loss as a tensor without axes.",
)
def softmax_python_number(x, y):
    log_p = x - x.logsumexp(1, keepdim=True)
    rows = torch.arange(len(x), device=x.device)
    dx = log_p.exp()
    dx[rows, y] -= 1
    return -log_p[rows, y].mean().item(), dx / len(x)


@mistake(
    "mlp.losses.softmax_loss",
    hint="There are as many classes as columns of x: neither ten, nor only those that appear in y.",
    raises=RuntimeError,
)
def softmax_ten_classes(x, y):
    log_p = x - x.logsumexp(1, keepdim=True)
    right = torch.nn.functional.one_hot(y, 10).to(x.dtype)
    return -(log_p * right).sum() / len(x), (log_p.exp() - right) / len(x)


def _margins(x, y, margin=1.0):
    rows = torch.arange(len(x), device=x.device)
    margins = (x - x[rows, y].unsqueeze(1) + margin).clamp(min=0)
    return rows, margins


@mistake(
    "mlp.losses.svm_loss",
    hint="The right class counts itself, which adds 1 for each image: set its margin to 0.",
)
def svm_counts_right_class(x, y):
    rows, margins = _margins(x, y)
    dx = (margins > 0).to(x.dtype)
    dx[rows, y] = 0
    dx[rows, y] -= dx.sum(1)
    return margins.sum() / len(x), dx / len(x)


@mistake(
    "mlp.losses.svm_loss",
    hint="`one_hot` counts the classes in y, and a batch may lack some: tell it how many columns x has.",
    raises=RuntimeError,
)
def svm_one_hot_of_labels(x, y):
    _, margins = _margins(x, y)
    right = torch.nn.functional.one_hot(y)
    margins = margins * (1 - right)
    dx = (margins > 0).to(x.dtype)
    return margins.sum() / len(x), (dx - right * dx.sum(1, keepdim=True)) / len(x)


@mistake(
    "mlp.losses.svm_loss",
    hint="The gradient of the right class is missing: each violated margin pushes it up by one.",
)
def svm_gradient_without_right_class(x, y):
    rows, margins = _margins(x, y)
    margins[rows, y] = 0
    return margins.sum() / len(x), (margins > 0).to(x.dtype) / len(x)


@mistake(
    "mlp.losses.svm_loss",
    hint="The right class is pushed up once, however many margins are violated: count them.",
)
def svm_gradient_minus_one(x, y):
    rows, margins = _margins(x, y)
    margins[rows, y] = 0
    dx = (margins > 0).to(x.dtype)
    dx[rows, y] -= 1
    return margins.sum() / len(x), dx / len(x)


@mistake(
    "mlp.losses.svm_loss",
    hint="The gradient has the size of the margins: a hinge has slope 1 wherever it is above 0.",
)
def svm_gradient_of_square(x, y):
    rows, margins = _margins(x, y)
    margins[rows, y] = 0
    dx = margins.clone()
    dx[rows, y] -= dx.sum(1)
    return margins.sum() / len(x), dx / len(x)


@mistake(
    "mlp.losses.svm_loss",
    hint="The mean over all N x C margins is not the mean over the images: sum over the classes.",
)
def svm_mean_over_all(x, y):
    rows, margins = _margins(x, y)
    margins[rows, y] = 0
    dx = (margins > 0).to(x.dtype)
    dx[rows, y] -= dx.sum(1)
    return margins.mean(), dx / x.numel()


@mistake("mlp.losses.svm_loss", hint="There is no margin: the right score must be ahead by 1, not by 0.")
def svm_without_margin(x, y):
    rows, margins = _margins(x, y, 0.0)
    margins[rows, y] = 0
    dx = (margins > 0).to(x.dtype)
    dx[rows, y] -= dx.sum(1)
    return margins.sum() / len(x), dx / len(x)


@mistake(
    "mlp.losses.softmax_loss", hint="The logarithm is missing: the loss is the mean of -log p, not of -p."
)
def softmax_without_log(x, y):
    p = (x - x.logsumexp(1, keepdim=True)).exp()
    rows = torch.arange(len(x), device=x.device)
    dx = p.clone()
    dx[rows, y] -= 1
    return -p[rows, y].mean(), dx / len(x)
