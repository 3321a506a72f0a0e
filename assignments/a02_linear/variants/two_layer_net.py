"""Right versions of `linear.two_layer_net`, written otherwise."""

import itertools

import torch

from exercise_code.linear import linear_classifier as linear
from exercise_code.linear import two_layer_net
from exercise_code.support.checking.declare import variant

from .common import NN


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


@variant(NN + "nn_train")
def train_by_names(
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
    def of_names(params, X, y, reg):
        loss, grads = loss_func(params, X, y=y, reg=reg)
        return loss, {name: grads[name] for name in ("W1", "b1", "W2", "b2")}

    return train_by_epochs.function(
        params,
        of_names,
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
        verbose,
    )


@variant(NN + "nn_predict")
def network_predict_by_the_forward_pass(params, loss_func, X):
    scores, _ = two_layer_net.nn_forward_pass(params, X)
    return scores.argmax(dim=1)


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


@variant(NN + "nn_forward_backward")
def backward_by_logarithms_of_sums(params, X, y=None, reg=0.0):
    scores, hidden = two_layer_net.nn_forward_pass(params, X)
    if y is None:
        return scores
    W1, W2 = params["W1"], params["W2"]
    top = scores.max(dim=1, keepdim=True).values
    log_sum = top + (scores - top).exp().sum(dim=1, keepdim=True).log()
    rows = torch.arange(len(X), device=X.device)
    loss = (log_sum[:, 0] - scores[rows, y]).mean() + reg * ((W1**2).sum() + (W2**2).sum())
    p = (scores - log_sum).exp()
    p[rows, y] -= 1
    p = p / len(X)
    back = (p @ W2.T) * (hidden > 0)
    grads = {"W1": X.T @ back + 2 * reg * W1, "W2": hidden.T @ p + 2 * reg * W2}
    return loss, grads | {"b1": back.sum(0), "b2": p.sum(0)}


@variant(NN + "find_best_net")
def best_with_defaults_written_out(
    data_dict, get_param_set_fn, num_iters=2000, net_class=two_layer_net.TwoLayerNet
):
    X, y, X_val, y_val = (data_dict[name] for name in ("X_train", "y_train", "X_val", "y_val"))
    best = None, None, -1.0
    for rate, size, reg, decay in itertools.product(*get_param_set_fn()):
        net = net_class(X.shape[1], size, int(y.max()) + 1, dtype=X.dtype, device=X.device)
        steps = {"num_iters": num_iters, "batch_size": 200, "verbose": False}
        rates = {"learning_rate": rate, "learning_rate_decay": decay, "reg": reg}
        stats = net.train(X, y, X_val, y_val, **rates, **steps)
        accuracy = (net.predict(X_val) == y_val).double().mean().item()
        best = max(best, (net, stats, accuracy), key=lambda found: found[2])
    return best
