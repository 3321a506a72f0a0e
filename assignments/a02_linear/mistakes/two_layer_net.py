"""How people get `linear.two_layer_net` wrong, and the hint each mistake deserves."""

from itertools import product

import torch
from torch.nn import functional as F

from exercise_code.linear import linear_classifier as lc
from exercise_code.linear import two_layer_net as nn2
from exercise_code.support.checking.declare import mistake

from .common import LOG_OF_ZERO, ON_CPU, OVERFLOW, _cross_entropy

FORWARD, BACKWARD = "linear.two_layer_net.nn_forward_pass", "linear.two_layer_net.nn_forward_backward"


NN_TRAIN, NN_PREDICT = "linear.two_layer_net.nn_train", "linear.two_layer_net.nn_predict"


BEST_NET = "linear.two_layer_net.find_best_net"


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


@mistake(BACKWARD + ":large_scores", hint=LOG_OF_ZERO)
def backward_log_of_zero(params, X, y=None, reg=0.0):
    if y is None:
        return nn2.nn_forward_pass(params, X)[0]
    return _network(params, X, y, reg)


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
    verbose,
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
        if verbose and step % 100 == 0:
            print(float(loss))
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
    settings = (learning_rate, learning_rate_decay, reg, num_iters, batch_size, verbose)
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
    settings = (learning_rate, 1.0, reg, num_iters, batch_size, verbose)
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
    settings = (learning_rate, learning_rate_decay, reg, num_iters, batch_size, verbose)
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
    settings = (learning_rate, learning_rate_decay, reg, num_iters, batch_size, verbose)
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
    settings = (learning_rate, learning_rate_decay, reg, num_iters, batch_size, verbose)
    return _train(params, loss_func, pred_func, X, y, X_val, y_val, *settings, names=["W1", "W2"])


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
    settings = (learning_rate, learning_rate_decay, reg, num_iters, batch_size, verbose)
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
    settings = (learning_rate, learning_rate_decay, reg, num_iters, batch_size, verbose)
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
    settings = (learning_rate, learning_rate_decay, reg, num_iters, batch_size, verbose)
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
    settings = (learning_rate, learning_rate_decay, reg, num_iters, batch_size, verbose)
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
    settings = (learning_rate, learning_rate_decay, reg, num_iters, batch_size, verbose)
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
    settings = (learning_rate, learning_rate_decay, reg, num_iters, batch_size, verbose)
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
    settings = (learning_rate, learning_rate_decay, reg, num_iters, batch_size, verbose)
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
    settings = (learning_rate, learning_rate_decay, 0.0, num_iters, batch_size, verbose)
    return _train(params, loss_func, pred_func, X, y, X_val, y_val, *settings)


@mistake(
    NN_TRAIN,
    hint="With a batch larger than the data an epoch has 0 steps, and `%` fails: it has one at least.",
    raises=ZeroDivisionError,
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
    settings = (learning_rate, learning_rate_decay, reg, num_iters, batch_size, verbose)
    plain = {"due": lambda step, epoch: (step + 1) % (len(X) // batch_size) == 0}
    return _train(params, loss_func, pred_func, X, y, X_val, y_val, *settings, **plain)


@mistake(NN_TRAIN + ":verbose", hint="Nothing is printed with verbose=True: show the loss every 100 steps.")
def nn_train_never_prints(
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
    settings = (learning_rate, learning_rate_decay, reg, num_iters, batch_size, False)
    return _train(params, loss_func, pred_func, X, y, X_val, y_val, *settings)


@mistake(NN_TRAIN, hint="The history holds tensors: note plain numbers, with `item()` or `float()`.")
def nn_train_notes_tensors(
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
    settings = (learning_rate, learning_rate_decay, reg, num_iters, batch_size, verbose)
    history = _train(params, loss_func, pred_func, X, y, X_val, y_val, *settings)
    losses = [X.new_tensor(loss) for loss in history["loss_history"]]
    return {**history, "loss_history": losses}


@mistake(NN_PREDICT, hint="These are the highest scores themselves; the label is where they stand: `argmax`.")
def nn_predict_scores(params, loss_func, X):
    return loss_func(params, X).amax(dim=1)


@mistake(NN_PREDICT, hint="The best *image* for each class is found: look along the classes, dim=1.")
def nn_predict_along_images(params, loss_func, X):
    return loss_func(params, X).argmax(dim=0)


@mistake(
    NN_PREDICT,
    hint="`cuda()` names one kind of machine: labels stay where the scores are.",
    raises=AssertionError,
)
def nn_predict_by_cuda(params, loss_func, X):
    return loss_func(params, X.cuda()).argmax(dim=1)


@mistake(NN_PREDICT, hint="The scores come back; labels are due.")
def nn_predict_all_scores(params, loss_func, X):
    return loss_func(params, X)


@mistake(
    "linear.two_layer_net.nn_get_search_params", hint="Empty lists leave nothing to search in: fill all four."
)
def nn_empty_search():
    return [], [], [], []


@mistake(
    "linear.two_layer_net.nn_get_search_params",
    hint="A decay above 1 lets the learning rate grow without end.",
)
def nn_growing_rate():
    return [0.1, 0.3], [100], [1e-3], [1.05]


@mistake(
    "linear.two_layer_net.nn_get_search_params",
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


@mistake(
    BACKWARD,
    hint="`one_hot` counts the classes in y, and a batch may lack some: tell it how many columns there are.",
    raises=RuntimeError,
)
def backward_counts_labels(params, X, y=None, reg=0.0):
    if y is None:
        return nn2.nn_forward_pass(params, X)[0]
    return _network(params, X, y, reg, right=F.one_hot(y))
