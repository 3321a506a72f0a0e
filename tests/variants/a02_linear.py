"""Right versions of the functions in `linear_classifier.py`, `two_layer_net.py` and `features.py`."""

import colorsys
import itertools
import math

import torch
from torch.nn.functional import one_hot

from exercise_code import features, two_layer_net
from exercise_code import linear_classifier as linear
from variants.declare import variant

LC, NN, FE = "linear_classifier.", "two_layer_net.", "features."


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


@variant(NN + "nn_forward_pass")
def forward_by_addmm(params, X):
    hidden = torch.relu(torch.addmm(params["b1"], X, params["W1"]))
    return torch.addmm(params["b2"], hidden, params["W2"]), hidden


@variant(NN + "nn_forward_backward")
def backward_by_gather(params, X, y=None, reg=0.0):
    W1, W2 = params["W1"], params["W2"]
    scores, h = two_layer_net.nn_forward_pass(params, X)
    if y is None:
        return scores
    N = X.shape[0]
    powers = torch.exp(scores - scores.max(1).values[:, None])
    total = powers.sum(1)
    shift = (scores - scores.max(1).values[:, None]).gather(1, y[:, None]).squeeze(1)
    loss = (total.log() - shift).sum() / N + reg * (torch.sum(W1 * W1) + torch.sum(W2 * W2))
    p = powers / total[:, None]
    p = p.scatter_add(1, y[:, None], -torch.ones(N, 1, dtype=p.dtype, device=p.device)) / N
    back = p.mm(W2.t())
    back[h == 0] = 0
    grads = {"b2": p.sum(0), "b1": back.sum(0)}
    grads["W2"] = h.t().mm(p) + reg * 2 * W2
    grads["W1"] = X.t().mm(back) + reg * 2 * W1
    return loss, grads


@variant(NN + "nn_train")
def train_by_epochs(
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
    per_epoch = max(1, X.shape[0] // batch_size)
    losses, train_accs, val_accs = [], [], []
    for step in range(1, num_iters + 1):
        rate = learning_rate * learning_rate_decay ** ((step - 1) // per_epoch)
        X_batch, y_batch = linear.sample_batch(X, y, X.shape[0], batch_size)
        loss, grads = loss_func(params, X_batch, y=y_batch, reg=reg)
        losses.append(loss.item())
        for name in params:
            params[name] = params[name].clone() - rate * grads[name]
        if verbose and step % 100 == 1:
            print(step, losses[-1])
        if step % per_epoch == 0:
            train_accs.append((pred_func(params, loss_func, X_batch) == y_batch).float().mean().item())
            val_accs.append((pred_func(params, loss_func, X_val) == y_val).sum().item() / len(y_val))
    return {"val_acc_history": val_accs, "train_acc_history": train_accs, "loss_history": losses}


@variant(NN + "nn_predict")
def network_predict_by_max(params, loss_func, X):
    _, labels = loss_func(params, X).max(dim=1)
    return labels


@variant(NN + "nn_get_search_params")
def network_other_settings():
    return [0.3], [64, 128, 256], [3e-4, 1e-3], [1.0, 0.9]


@variant(NN + "find_best_net")
def best_by_nested_loops(data_dict, get_param_set_fn, num_iters=2000, net_class=two_layer_net.TwoLayerNet):
    rates, sizes, regs, decays = get_param_set_fn()
    X_train, y_train = data_dict["X_train"], data_dict["y_train"]
    results = []
    for decay, reg, size, rate in itertools.product(decays, regs, sizes, rates):
        net = net_class(
            X_train.shape[1], size, len(y_train.unique()), dtype=X_train.dtype, device=X_train.device
        )
        stats = net.train(
            X_train,
            y_train,
            data_dict["X_val"],
            data_dict["y_val"],
            num_iters=num_iters,
            reg=reg,
            learning_rate=rate,
            learning_rate_decay=decay,
        )
        right = net.predict(data_dict["X_val"]) == data_dict["y_val"]
        results.append((net, stats, right.sum().item() / len(right)))
    return max(results, key=lambda result: result[2])


@variant(FE + "circular_histogram")
def circle_by_index_add(position, weights, num_bins):
    place = position.flatten(0, -2) * num_bins
    lower = place.floor()
    share = place - lower
    amount = weights.flatten(0, -2)
    found = torch.zeros(len(place), num_bins, dtype=place.dtype, device=place.device)
    found.scatter_add_(1, lower.long() % num_bins, (1 - share) * amount)
    found.scatter_add_(1, (lower.long() + 1) % num_bins, share * amount)
    return found.view(*position.shape[:-1], num_bins)


@variant(FE + "circular_histogram")
def circle_bin_by_bin(position, weights, num_bins):
    bins = []
    for b in range(num_bins):
        away = (position - b / num_bins).abs()
        away = torch.minimum(away, 1 - away) * num_bins
        bins.append((torch.relu(1 - away) * weights).sum(-1))
    return torch.stack(bins, dim=-1)


@variant(FE + "colour_histogram")
def hues_by_colorsys(images, num_bins=10):
    rows = []
    for image in images.flatten(2).cpu():
        pixels = image.T.tolist()
        hue = images.new_tensor([colorsys.rgb_to_hsv(*pixel)[0] for pixel in pixels])
        chroma = images.new_tensor([max(pixel) - min(pixel) for pixel in pixels])
        rows.append((hue, chroma / len(pixels)))
    hues, weights = (torch.stack(column) for column in zip(*rows, strict=True))
    return features.circular_histogram(hues, weights, num_bins)


@variant(FE + "hog_features")
def hog_cell_by_cell(images, num_bins=9, cell=8):
    grey = images.sum(1) / 3
    dx, dy = torch.zeros_like(grey), torch.zeros_like(grey)
    dx[:, :, 1:-1] = (grey[:, :, 2:] - grey[:, :, :-2]) / 2
    dx[:, :, 0], dx[:, :, -1] = grey[:, :, 1] - grey[:, :, 0], grey[:, :, -1] - grey[:, :, -2]
    dy[:, 1:-1] = (grey[:, 2:] - grey[:, :-2]) / 2
    dy[:, 0], dy[:, -1] = grey[:, 1] - grey[:, 0], grey[:, -1] - grey[:, -2]
    angle = torch.atan2(dy, dx)
    angle = torch.where(angle < 0, angle + math.pi, angle) / math.pi
    length = torch.hypot(dx, dy)
    rows, columns = grey.shape[1] // cell, grey.shape[2] // cell
    grid = {}
    for row, column in itertools.product(range(rows), range(columns)):
        window = (..., slice(row * cell, (row + 1) * cell), slice(column * cell, (column + 1) * cell))
        grid[row, column] = features.circular_histogram(
            angle[window].flatten(1), length[window].flatten(1), num_bins
        )
    blocks = []
    for row, column in itertools.product(range(rows - 1), range(columns - 1)):
        corners = [grid[row + down, column + right] for down, right in itertools.product((0, 1), (0, 1))]
        block = torch.cat(corners, dim=1)
        blocks.append(block / torch.sqrt((block**2).sum(1, keepdim=True) + 1e-4))
    return torch.cat(blocks, dim=1)
