"""Layers, losses, networks, update rules, the solver and the search, against torch and scipy."""

import itertools
import math

import pytest
import torch
from beartype import beartype
from hypothesis import given
from hypothesis import strategies as st
from jaxtyping import jaxtyped
from scipy import stats
from torch import nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from exercise_code.mlp import fully_connected_networks as fcn
from exercise_code.mlp import hyperparameter_tuning as tuning
from exercise_code.mlp import initializers, losses, network_size, regularization, update_rules
from exercise_code.mlp.solver import Solver
from exercise_code.support.notebook.numeric_gradient import compute_numeric_gradient, rel_error

DTYPES = pytest.mark.parametrize("dtype, tolerance", [(torch.float32, 1e-4), (torch.float64, 1e-9)])


def typed(function):
    return jaxtyped(typechecker=beartype)(function)


def draw(*shape, dtype=torch.float64, seed=0):
    return torch.randn(*shape, dtype=dtype, generator=torch.Generator().manual_seed(seed))


@DTYPES
@given(
    num=st.integers(1, 6), shape=st.lists(st.integers(1, 4), min_size=1, max_size=3), units=st.integers(1, 5)
)
def test_linear_agrees_with_torch(dtype, tolerance, num, shape, units):
    x = draw(num, *shape, dtype=dtype).requires_grad_()
    w, b = draw(math.prod(shape), units, dtype=dtype, seed=1), draw(units, dtype=dtype, seed=2)
    w.requires_grad_(), b.requires_grad_()
    expected, dout = F.linear(x.flatten(1), w.T, b), draw(num, units, dtype=dtype, seed=3)
    out, cache = typed(fcn.Linear.forward)(x.detach(), w.detach(), b.detach())
    torch.testing.assert_close(out, expected.detach(), rtol=tolerance, atol=tolerance)
    for found, due in zip(
        typed(fcn.Linear.backward)(dout, cache), torch.autograd.grad(expected, (x, w, b), dout), strict=True
    ):
        torch.testing.assert_close(found, due, rtol=tolerance, atol=tolerance)


LAYERS = [
    (fcn.ReLU, (), torch.relu),
    (fcn.LeakyReLU, (), lambda x: F.leaky_relu(x, 0.01)),
    (fcn.LeakyReLU, (0.3,), lambda x: F.leaky_relu(x, 0.3)),
    (fcn.LeakyReLU, (-0.5,), lambda x: F.leaky_relu(x, -0.5)),
    (fcn.LeakyReLU, (2.0,), lambda x: F.leaky_relu(x, 2.0)),
    (fcn.Sigmoid, (), torch.sigmoid),
    (fcn.Tanh, (), torch.tanh),
]


@DTYPES
@pytest.mark.parametrize("layer, arguments, library", LAYERS)
def test_nonlinearities_agree_with_torch(layer, arguments, library, dtype, tolerance):
    x, dout = 3 * draw(4, 3, 5, dtype=dtype), draw(4, 3, 5, dtype=dtype, seed=1)
    leaf = x.clone().requires_grad_()
    expected = library(leaf)
    out, cache = typed(layer.forward)(x, *arguments)
    torch.testing.assert_close(out, expected.detach(), rtol=tolerance, atol=tolerance)
    (due,) = torch.autograd.grad(expected, leaf, dout)
    torch.testing.assert_close(typed(layer.backward)(dout, cache), due, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("layer, library", [(fcn.Sigmoid, torch.sigmoid), (fcn.Tanh, torch.tanh)])
def test_squashing_layers_survive_large_numbers(layer, library):
    x = torch.tensor([-5000.0, -300.0, 0.0, 300.0, 5000.0])
    torch.testing.assert_close(layer.forward(x)[0], library(x))


@pytest.mark.parametrize("p", [0.0, 0.25, 0.4, 0.7])
def test_dropout_keeps_the_binomial_share_and_the_mean(p):
    torch.manual_seed(0)
    x = torch.full((500, 500), 10.0)
    out, cache = typed(fcn.Dropout.forward)(x, {"p": p, "mode": "train"})
    dropped = int((out == 0).sum())
    assert stats.binomtest(dropped, x.numel(), p).pvalue > 1e-6
    assert out.mean().item() == pytest.approx(10, abs=0.2)
    torch.testing.assert_close(out[out != 0], torch.full_like(out[out != 0], 10 / (1 - p)))
    torch.testing.assert_close(fcn.Dropout.backward(x, cache), out)


def test_dropout_at_rest_and_with_a_seed():
    x = draw(5, 7)
    out, cache = fcn.Dropout.forward(x, {"p": 0.6, "mode": "test"})
    assert out.equal(x) and fcn.Dropout.backward(x, cache).equal(x)
    param = {"p": 0.4, "mode": "train", "seed": 3}
    _, cache = fcn.Dropout.forward(x, param)
    dout = draw(5, 7, seed=1)
    numeric = compute_numeric_gradient(lambda x: fcn.Dropout.forward(x, param)[0], x, dout)
    assert rel_error(fcn.Dropout.backward(dout, cache), numeric) < 1e-6


@DTYPES
@pytest.mark.parametrize("size", [1.0, 1000.0])
@pytest.mark.parametrize(
    "loss, library",
    [
        (losses.softmax_loss, F.cross_entropy),
        (losses.svm_loss, lambda x, y: F.multi_margin_loss(x, y) * x.shape[1]),
    ],
)
def test_losses_agree_with_torch(loss, library, size, dtype, tolerance):
    x, y = size * draw(7, 5, dtype=dtype), torch.arange(7) % 5
    leaf = x.clone().requires_grad_()
    expected = library(leaf, y)
    found, dx = typed(loss)(x, y)
    assert typed(loss)(x, y)[1].equal(dx)
    torch.testing.assert_close(found, expected.detach(), rtol=tolerance, atol=tolerance)
    (due,) = torch.autograd.grad(expected, leaf)
    torch.testing.assert_close(dx, due, rtol=tolerance, atol=tolerance)


def test_untrained_losses_are_those_of_guessing():
    x, y = 1e-4 * draw(100, 10), torch.arange(100) % 10
    assert losses.softmax_loss(x, y)[0].item() == pytest.approx(math.log(10), abs=1e-3)
    assert losses.svm_loss(x, y)[0].item() == pytest.approx(9, abs=1e-2)


@pytest.mark.parametrize(
    "weights, std",
    [
        (lambda: initializers.xavier_initializer(300, 100), math.sqrt(2 / 400)),
        (lambda: initializers.kaiming_initializer(300, 100), math.sqrt(2 / 300)),
        (lambda: initializers.kaiming_initializer(300, 100, relu=False), math.sqrt(1 / 300)),
        (lambda: initializers.initial_weights(300, 100, 0.02, torch.float32, "cpu"), 0.02),
    ],
)
def test_initial_weights_are_normal(weights, std):
    torch.manual_seed(0)
    assert stats.kstest(weights().flatten().numpy(), "norm", (0, std)).pvalue > 1e-6


def test_standard_deviations_are_those_of_torch():
    torch.manual_seed(0)
    ours, theirs = initializers.xavier_initializer(400, 700), torch.empty(700, 400)
    assert ours.std() / nn.init.xavier_normal_(theirs).std() == pytest.approx(1, abs=0.02)
    ours = initializers.kaiming_initializer(400, 700)
    theirs = nn.init.kaiming_normal_(theirs, nonlinearity="relu")
    assert ours.std() / theirs.std() == pytest.approx(1, abs=0.02)


def test_unknown_initialisers_are_refused():
    with pytest.raises(ValueError, match="'he'"):
        initializers.initial_weights(3, 2, "he", torch.float32, "cpu")


def twin(net: fcn.FullyConnectedNet, widths: list[int], activation: nn.Module) -> nn.Sequential:
    """The same network by torch.nn."""
    layers: list[nn.Module] = [nn.Flatten()]
    for layer, (rows, columns) in enumerate(itertools.pairwise(widths), start=1):
        linear = nn.Linear(rows, columns).double()
        linear.weight.data = net.params[f"W{layer}"].T.clone()
        linear.bias.data = net.params[f"b{layer}"].clone()
        layers += [linear, activation]
    return nn.Sequential(*layers[:-1])


@pytest.mark.parametrize("hidden_dims", [[5], [6, 4], [5, 7, 3, 6, 4]])
@pytest.mark.parametrize("reg", [0.0, 3.14])
@pytest.mark.parametrize("activation, library", [(fcn.ReLU, nn.ReLU()), (fcn.Tanh, nn.Tanh())])
def test_networks_agree_with_torch_modules(hidden_dims, reg, activation, library):
    torch.manual_seed(0)
    widths = [12, *hidden_dims, 4]
    X, y = draw(6, 3, 4), torch.arange(6) % 4
    settings = {"reg": reg, "weight_scale": 0.5, "activation": activation, "dtype": torch.float64}
    net = fcn.FullyConnectedNet(hidden_dims, 12, 4, **settings)
    for name in list(net.params):
        if name.startswith("b"):
            net.params[name] = draw(*net.params[name].shape, seed=len(name))
    other = twin(net, widths, library)
    torch.testing.assert_close(net.loss(X), other(X).detach())
    expected = F.cross_entropy(other(X), y) + reg * sum(
        module.weight.square().sum() for module in other if isinstance(module, nn.Linear)
    )
    expected.backward()
    loss, grads = net.loss(X, y)
    torch.testing.assert_close(loss, expected.detach())
    linears = [module for module in other if isinstance(module, nn.Linear)]
    for layer, module in enumerate(linears, start=1):
        torch.testing.assert_close(grads[f"W{layer}"], module.weight.grad.T)
        torch.testing.assert_close(grads[f"b{layer}"], module.bias.grad)
    assert grads.keys() == net.params.keys()


@pytest.mark.parametrize("reg", [0.0, 0.7])
def test_two_layer_network_agrees_with_finite_differences(reg):
    torch.manual_seed(0)
    net = fcn.TwoLayerNet(6, 5, 4, weight_scale=0.7, reg=reg, dtype=torch.float64)
    X, y = draw(7, 2, 3), torch.arange(7) % 4
    _, grads = net.loss(X, y)
    for name, p in net.params.items():
        numeric = compute_numeric_gradient(lambda _: net.loss(X, y)[0], p, h=1e-6)
        assert rel_error(grads[name], numeric) < 1e-6


def test_gradients_with_dropout_agree_with_finite_differences():
    torch.manual_seed(0)
    net = fcn.FullyConnectedNet(
        [8, 6], 5, 3, dropout=0.4, reg=0.1, weight_scale=0.6, seed=11, dtype=torch.float64
    )
    X, y = draw(4, 5), torch.arange(4) % 3
    _, grads = net.loss(X, y)
    for name, p in net.params.items():
        numeric = compute_numeric_gradient(lambda _: net.loss(X, y)[0], p, h=1e-6)
        assert rel_error(grads[name], numeric) < 1e-5
    assert net.loss(X).equal(net.loss(X))


@pytest.mark.parametrize(
    "make", [lambda: fcn.TwoLayerNet(6, 5, 4), lambda: fcn.FullyConnectedNet([5, 3], 6, 4)]
)
def test_networks_can_be_saved(make, tmp_path):
    net, other, X = make(), make(), draw(3, 6, dtype=torch.float32)
    net.save(tmp_path / "net.pt")
    other.load(tmp_path / "net.pt")
    assert other.loss(X).equal(net.loss(X))
    other.load(tmp_path / "net.pt", dtype=torch.float64)
    assert other.loss(X.double()).dtype == torch.float64


def test_a_loaded_network_has_the_saved_depth_and_activation(tmp_path):
    net, X = fcn.FullyConnectedNet([7, 8], 6, 4, activation=fcn.Tanh), draw(3, 6, dtype=torch.float32)
    net.save(tmp_path / "net.pt")
    other = fcn.FullyConnectedNet([1], 6, 4)
    other.load(tmp_path / "net.pt")
    assert other.loss(X).equal(net.loss(X))


def test_the_mean_can_be_absorbed():
    net = fcn.FullyConnectedNet([7], 6, 4, weight_scale=0.5, dtype=torch.float64)
    X, mean = draw(5, 6), draw(6, seed=1)
    expected = net.loss(X - mean)
    net.absorb_mean(mean)
    torch.testing.assert_close(net.loss(X), expected)


def steps_of_torch(optimiser, grads, **settings):
    p = nn.Parameter(draw(4, 3))
    torch_rule = optimiser([p], **settings)
    for grad in grads:
        p.grad = grad.clone()
        torch_rule.step()
        yield p.detach().clone()


@pytest.mark.parametrize(
    "rule, settings, optimiser, torchs",
    [
        (update_rules.sgd, {"learning_rate": 0.1}, torch.optim.SGD, {"lr": 0.1}),
        (
            update_rules.sgd_momentum,
            {"learning_rate": 0.1, "momentum": 0.8},
            torch.optim.SGD,
            {"lr": 0.1, "momentum": 0.8},
        ),
        (
            update_rules.rmsprop,
            {"learning_rate": 0.1, "decay_rate": 0.9, "epsilon": 0.01},
            torch.optim.RMSprop,
            {"lr": 0.1, "alpha": 0.9, "eps": 0.01},
        ),
        (
            update_rules.adam,
            {"learning_rate": 0.1, "epsilon": 0.01},
            torch.optim.Adam,
            {"lr": 0.1, "eps": 0.01},
        ),
    ],
)
def test_update_rules_agree_with_torch(rule, settings, optimiser, torchs):
    grads = [draw(4, 3, seed=seed) for seed in range(1, 6)]
    w, config = draw(4, 3), settings
    for grad, expected in zip(grads, steps_of_torch(optimiser, grads, **torchs), strict=True):
        w, config = typed(rule)(w, grad, config)
        torch.testing.assert_close(w, expected)


def toy(num=60, classes=3):
    """Points around `classes` corners, in two dimensions."""
    y = torch.arange(num) % classes
    X = 0.4 * draw(num, 2, dtype=torch.float32) + 2 * torch.stack([(y == 1).float(), (y == 2).float()], 1)
    return {"X_train": X[:40], "y_train": y[:40], "X_val": X[40:], "y_val": y[40:]}


def test_solver_learns_a_toy():
    torch.manual_seed(0)
    net = fcn.FullyConnectedNet([20, 20], 2, 3, weight_scale="kaiming")
    solver = Solver(net, toy(), update_rule=update_rules.adam, num_epochs=30, batch_size=16)
    solver.train()
    assert solver.best_val_acc > 0.9
    assert len(solver.loss_history) == 30 * 3
    assert len(solver.train_acc_history) == len(solver.val_acc_history) == 30
    assert solver.check_accuracy(solver.X_val, solver.y_val) == solver.best_val_acc


def test_full_batch_training_agrees_with_torch():
    torch.manual_seed(0)
    data = toy()
    net = fcn.FullyConnectedNet([8], 2, 3, weight_scale=0.5, dtype=torch.float64)
    other = twin(net, [2, 8, 3], nn.ReLU())
    rule = torch.optim.SGD(other.parameters(), 0.1, momentum=0.9)
    settings = {
        "update_rule": update_rules.sgd_momentum,
        "optim_config": {"learning_rate": 0.1},
        "batch_size": 40,
    }
    Solver(net, data, **settings, num_epochs=8).train(return_best_params=False)
    for _ in range(8):
        rule.zero_grad()
        F.cross_entropy(other(data["X_train"].double()), data["y_train"]).backward()
        rule.step()
    torch.testing.assert_close(net.params["W1"], other[1].weight.detach().T)


def test_max_norm_holds_while_training():
    net = fcn.FullyConnectedNet([9], 2, 3, weight_scale=2.0)
    Solver(net, toy(), max_norm=0.5, num_epochs=1).train()
    assert all(net.params[name].norm(dim=0).max() < 0.5001 for name in ("W1", "W2"))


def test_unknown_settings_are_refused():
    with pytest.raises(ValueError, match="num_epoch"):
        Solver(fcn.TwoLayerNet(2, 3, 3), toy(), num_epoch=3)


def test_training_goes_on_from_a_checkpoint(tmp_path):
    settings = {"update_rule": update_rules.adam, "lr_decay": 0.9, "batch_size": 40}

    def solver(epochs, name=None):
        torch.manual_seed(0)
        net = fcn.FullyConnectedNet([8], 2, 3, weight_scale=0.5, dtype=torch.float64)
        return Solver(net, toy(), **settings, num_epochs=epochs, checkpoint_name=name)

    whole, first = solver(4), solver(2, tmp_path / "half")
    whole.train(return_best_params=False)
    first.train(return_best_params=False)
    second = solver(2)
    second.load_checkpoint(tmp_path / "half_epoch_2.pt")
    second.train(return_best_params=False)
    assert second.epoch == 4
    torch.testing.assert_close(second.model.params, whole.model.params)
    assert second.val_acc_history == whole.val_acc_history


def test_accuracy_of_a_sample_is_that_of_a_subset():
    net = fcn.TwoLayerNet(2, 4, 3, weight_scale=1.0)
    solver = Solver(net, toy())
    accuracy = solver.check_accuracy(solver.X_train, solver.y_train, num_samples=8)
    assert accuracy * 8 == round(accuracy * 8)
    labels = net.loss(solver.X_train).argmax(1)
    expected = (labels == solver.y_train).double().mean().item()
    assert solver.check_accuracy(solver.X_train, solver.y_train, batch_size=7) == pytest.approx(expected)


def test_grid_and_random_search_find_what_works():
    torch.manual_seed(0)
    spaces = {"hidden_dims": [[1], [16]], "learning_rate": [1e-5, 0.3], "input_dim": [2], "num_classes": [3]}
    model, results = tuning.grid_search(toy(), spaces, epochs=100, patience=None)
    tried = [(config["hidden_dims"], config["learning_rate"]) for config, _ in results]
    assert tried == list(itertools.product([[1], [16]], [1e-5, 0.3]))
    data = toy()
    accuracy = (model.loss(data["X_val"]).argmax(1) == data["y_val"]).double().mean().item()
    assert accuracy == max(accuracy for _, accuracy in results) > 0.9
    fixed = {"hidden_dims": ([[16]], "item"), "input_dim": ([2], "item"), "num_classes": ([3], "item")}
    _, results = tuning.random_search(
        toy(), {"learning_rate": ([1.0, 1e-3], "log"), **fixed}, num_search=5, epochs=4
    )
    assert len({config["learning_rate"] for config, _ in results}) == 5


def test_drawn_settings_follow_their_distributions():
    spaces = {"rate": ([1e-2, 1e-6], "log"), "p": ([0.2, 0.6], "float"), "depth": ([2, 4], "int")}
    drawn = [tuning.random_search_spaces_to_config(spaces) for _ in range(2000)]
    exponents = [math.log10(config["rate"]) for config in drawn]
    assert stats.kstest(exponents, "uniform", (-6, 4)).pvalue > 1e-6
    assert stats.kstest([config["p"] for config in drawn], "uniform", (0.2, 0.4)).pvalue > 1e-6
    counts = [sum(config["depth"] == depth for config in drawn) for depth in (2, 3, 4)]
    assert sum(counts) == 2000 and stats.chisquare(counts).pvalue > 1e-6


def test_an_unknown_mode_is_refused():
    with pytest.raises(ValueError, match="logarithmic"):
        tuning.random_search_spaces_to_config({"rate": ([1, 2], "logarithmic")})


@pytest.mark.parametrize(
    "network", [lambda: fcn.TwoLayerNet(30, 20, 10), lambda: fcn.FullyConnectedNet([9, 8, 7], 30, 10)]
)
def test_operations_agree_with_torchs_counter(network):
    net, X, y = network(), draw(6, 30, dtype=torch.float32), torch.arange(6)
    with FlopCounterMode(display=False) as counter:
        net.loss(X)
    forward = counter.get_total_flops()
    with FlopCounterMode(display=False) as counter:
        net.loss(X, y)
    assert network_size.compute_network_flops(net, 6) == (forward, counter.get_total_flops() - forward)


def test_bytes_agree_with_the_tensors_of_torch_modules():
    layers = nn.Sequential(nn.Linear(30, 20), nn.ReLU(inplace=True), nn.Linear(20, 10))
    X, held = draw(8, 30, dtype=torch.float32), []
    for layer in layers:
        layer.register_forward_hook(lambda layer, given, out: held.append(out))
    layers(X)
    tensors = {tensor.data_ptr(): tensor for tensor in [X, *held, *layers.parameters()]}
    expected = sum(tensor.nbytes for tensor in tensors.values())
    assert network_size.compute_network_pass_size(fcn.TwoLayerNet(30, 20, 10), 8) == (expected, 2 * expected)


@pytest.mark.parametrize(
    "size, text", [(0, "0.00 B"), (1023, "1023.00 B"), (3.5 * 2**20, "3.50 MiB"), (2**50, "1024.00 TiB")]
)
def test_sizes_are_readable(size, text):
    assert network_size.GetHumanReadable(size) == text


@given(seed=st.integers(0, 2**32), limit=st.floats(0.1, 5))
def test_max_norm_agrees_with_renorm(seed, limit):
    w = draw(5, 7, seed=seed)
    w[:, 2] = 0
    found = typed(regularization.max_norm)(w, limit)
    torch.testing.assert_close(found, w.renorm(2, 1, limit), rtol=1e-6, atol=1e-7)


def test_an_ensemble_agrees_with_scikit_learns_soft_vote():
    import numpy as np
    from sklearn.ensemble import VotingClassifier
    from sklearn.linear_model import LogisticRegression

    points = np.random.default_rng(0)
    x, y = points.normal(size=(80, 3)), points.integers(0, 4, 80)
    members = [(str(C), LogisticRegression(C=C)) for C in (1e-2, 1.0, 1e4)]
    vote = VotingClassifier(members, voting="soft").fit(x, y)

    class Fitted:
        def __init__(self, member):
            self.member = member

        def loss(self, X):
            return torch.from_numpy(self.member.decision_function(X.numpy()))

    X = torch.from_numpy(points.normal(size=(60, 3)))
    found = regularization.ensemble_predict([Fitted(member) for member in vote.estimators_], X)
    assert found.tolist() == vote.predict(X.numpy()).tolist()


@pytest.mark.parametrize(
    "num_hidden, params", [(2, fcn.get_three_layer_network_params), (4, fcn.get_five_layer_network_params)]
)
def test_deep_networks_learn_fifty_images_by_heart(num_hidden, params):
    from exercise_code.support import data

    prepared = data.prepare("shapes", 50, 20, 1)
    scale, rate = params()
    for seed in range(3):
        torch.manual_seed(seed)
        net = fcn.FullyConnectedNet([100] * num_hidden, weight_scale=scale)
        settings = {"optim_config": {"learning_rate": rate}, "num_epochs": 20, "batch_size": 25}
        solver = Solver(net, prepared, **settings)
        solver.train(return_best_params=False)
        assert solver.train_acc_history[-1] == 1
