"""Right versions of `linear.linear_classifier`, written otherwise."""

import torch
from torch.nn.functional import one_hot

from exercise_code.linear import linear_classifier as linear
from exercise_code.support.checking.declare import variant

from .common import LC


@variant(LC + "svm_loss_naive")
def svm_with_rows_and_counts(W, X, y, reg):
    N, C = X.shape[0], W.shape[1]
    dW = torch.zeros(W.shape, dtype=W.dtype, device=W.device)
    total = 0.0
    for i in range(N):
        scores = W.t().mv(X[i])
        correct = scores[y[i]]
        violated = 0
        for j in range(C):
            if j == y[i]:
                continue
            margin = scores[j] - correct + 1
            if margin > 0:
                violated += 1
                total = total + margin
                dW[:, j] = dW[:, j] + X[i] / N
        dW[:, y[i]] = dW[:, y[i]] - violated * X[i] / N
    dW += 2 * reg * W
    return total / N + reg * torch.sum(W * W), dW


@variant(LC + "svm_loss_vectorized")
def svm_by_one_hot(W, X, y, reg):
    right = one_hot(y, W.shape[1]).to(X.dtype)
    scores = torch.mm(X, W)
    margins = torch.relu(scores - (scores * right).sum(1, keepdim=True) + 1 - right)
    on = (margins > 0).to(X.dtype)
    pull = on - right * on.sum(1, keepdim=True)
    return margins.sum(1).mean() + reg * (W**2).sum(), torch.mm(X.t(), pull) / X.shape[0] + reg * 2 * W


@variant(LC + "svm_loss_vectorized")
def svm_by_where(W, X, y, reg):
    scores = X.matmul(W)
    margins = 1 + scores - scores.gather(1, y.view(-1, 1))
    wrong = torch.arange(W.shape[1], device=W.device) != y[:, None]
    on = wrong & (margins > 0)
    loss = torch.where(on, margins, torch.zeros_like(margins)).sum() / len(y)
    table = on.to(W.dtype)
    table.scatter_(1, y[:, None], -table.sum(1, keepdim=True))
    return loss + reg * W.pow(2).sum(), torch.einsum("nd,nc->dc", X, table) / len(y) + 2 * reg * W


@variant(LC + "softmax_loss_naive")
def softmax_with_outer_products(W, X, y, reg):
    losses, dW = [], torch.zeros_like(W)
    for i in range(len(X)):
        shifted = X[i] @ W - (X[i] @ W).max()
        p = shifted.exp() / shifted.exp().sum()
        losses.append(-shifted[y[i]] + shifted.exp().sum().log())
        p[y[i]] -= 1
        dW += torch.outer(X[i], p)
    return torch.stack(losses).mean() + reg * (W * W).sum(), dW / len(X) + 2 * reg * W


@variant(LC + "softmax_loss_vectorized")
def softmax_by_one_hot(W, X, y, reg):
    scores = X @ W
    top = scores.max(dim=1, keepdim=True).values
    powers = torch.exp(scores - top)
    total = powers.sum(1, keepdim=True)
    log_p = scores - top - total.log()
    right = one_hot(y, W.shape[1]).to(W.dtype)
    dscores = powers / total - right
    return -(log_p * right).sum() / len(y) + reg * (W * W).sum(), X.T.mm(dscores).div(len(y)) + 2 * reg * W


@variant(LC + "softmax_loss_vectorized")
def softmax_in_float64(W, X, y, reg):
    scores = (X @ W).double()
    scores -= scores.max(1, keepdim=True)[0]
    powers = scores.exp()
    p = powers / powers.sum(1, keepdim=True)
    index = torch.arange(len(y)).to(y.device), y
    loss = -p[index].log().sum() / len(y)
    p[index] = p[index] - 1
    dW = (X.double().T @ p / len(y)).to(W.dtype) + 2 * reg * W
    return loss.to(W.dtype) + reg * (W * W).sum(), dW


@variant(LC + "sample_batch")
def batch_by_multinomial(X, y, num_train, batch_size):
    weights = torch.ones(num_train, device=X.device)
    drawn = torch.multinomial(weights.cpu(), batch_size, replacement=True).to(X.device)
    return X.index_select(0, drawn), y.index_select(0, drawn)


@variant(LC + "sample_batch")
def batch_by_rand(X, y, num_train, batch_size):
    drawn = (torch.rand(batch_size) * num_train).long().to(X.device)
    return X[drawn], y[drawn]


@variant(LC + "train_linear_classifier")
def train_on_a_copy(
    loss_func, W, X, y, learning_rate=1e-3, reg=1e-5, num_iters=100, batch_size=200, verbose=False
):
    if W is None:
        W = torch.empty(X.shape[1], len(y.unique()), dtype=X.dtype, device=X.device).normal_(0, 1e-6)
    else:
        W = W.clone()
    loss_history = []
    for it in range(num_iters):
        X_batch, y_batch = linear.sample_batch(X, y, X.shape[0], batch_size)
        loss, grad = loss_func(W, X_batch, y_batch, reg)
        loss_history += [loss.item()]
        W -= learning_rate * grad
        if verbose and it % 100 == 0:
            print(it, loss)
    return W, loss_history


@variant(LC + "predict_linear_classifier")
def predict_by_max(W, X):
    return torch.max(X.mm(W), dim=1).indices


@variant(LC + "svm_get_search_params")
def svm_other_settings():
    return [2e-3, 1e-2], [1e-4, 1e-3, 3e-2]


@variant(LC + "softmax_get_search_params")
def softmax_other_settings():
    return [0.02, 0.05, 0.1, 0.2, 0.5], [1e-4, 1e-3, 1e-2, 3e-2, 0.1]


@variant(LC + "test_one_param_set")
def one_set_step_by_step(cls, data_dict, lr, reg, num_iters=2000):
    cls.train(data_dict["X_train"], data_dict["y_train"], learning_rate=lr, reg=reg, num_iters=num_iters)
    train_right = cls.predict(data_dict["X_train"]).eq(data_dict["y_train"]).sum().item()
    val_right = cls.predict(data_dict["X_val"]).eq(data_dict["y_val"]).sum().item()
    return cls, train_right / len(data_dict["y_train"]), val_right / len(data_dict["y_val"])


@variant(LC + "test_one_param_set")
def one_set_by_its_weights(cls, data_dict, lr, reg, num_iters=2000):
    cls.train(data_dict["X_train"], data_dict["y_train"], lr, reg, num_iters)
    right = {
        split: linear.predict_linear_classifier(cls.W, data_dict[f"X_{split}"]) == data_dict[f"y_{split}"]
        for split in ("train", "val")
    }
    return cls, *(right[split].double().mean().item() for split in ("train", "val"))
