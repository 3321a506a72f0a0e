"""Linear classifiers, the two-layer network and features, against torch, NumPy, SciPy and matplotlib."""

import math
import tomllib
from pathlib import Path

import numpy as np
import pytest
import torch
from beartype import beartype
from hypothesis import given
from hypothesis import strategies as st
from jaxtyping import jaxtyped
from matplotlib.colors import rgb_to_hsv
from scipy import stats
from torch import nn
from torch.nn import functional as F

from exercise_code.linear import features, two_layer_net
from exercise_code.linear import linear_classifier as linear
from exercise_code.support import data
from exercise_code.support.notebook.numeric_gradient import (
    compute_numeric_gradient,
    grad_check_sparse,
    rel_error,
)

DTYPES = pytest.mark.parametrize("dtype, tolerance", [(torch.float32, 1e-4), (torch.float64, 1e-9)])
LOSSES = [
    (linear.svm_loss_naive, lambda scores, y: F.multi_margin_loss(scores, y) * scores.shape[1]),
    (linear.svm_loss_vectorized, lambda scores, y: F.multi_margin_loss(scores, y) * scores.shape[1]),
    (linear.softmax_loss_naive, F.cross_entropy),
    (linear.softmax_loss_vectorized, F.cross_entropy),
]


def typed(function):
    return jaxtyped(typechecker=beartype)(function)


def draw(*shape, dtype=torch.float64, seed=0):
    return torch.randn(*shape, dtype=dtype, generator=torch.Generator().manual_seed(seed))


def labels(num, num_classes, seed=0):
    return torch.randint(num_classes, (num,), generator=torch.Generator().manual_seed(seed))


@DTYPES
@pytest.mark.parametrize("loss_func, library", LOSSES)
@given(
    num=st.integers(1, 8),
    inputs=st.integers(1, 6),
    classes=st.integers(2, 5),
    reg=st.sampled_from([0.0, 0.5]),
    seed=st.integers(0, 9),
)
def test_losses_agree_with_torch(loss_func, library, dtype, tolerance, num, inputs, classes, reg, seed):
    W, X = draw(inputs, classes, dtype=dtype, seed=seed), draw(num, inputs, dtype=dtype, seed=seed + 10)
    y = labels(num, classes, seed)
    leaf = W.clone().requires_grad_()
    expected = library(X @ leaf, y) + reg * leaf.square().sum()
    (gradient,) = torch.autograd.grad(expected, leaf)
    loss, dW = typed(loss_func)(W, X, y, reg)
    torch.testing.assert_close(loss, expected.detach(), rtol=tolerance, atol=tolerance)
    torch.testing.assert_close(dW, gradient, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("loss_func, library", LOSSES)
def test_gradients_agree_with_finite_differences(loss_func, library):
    W, X, y = draw(6, 4), draw(5, 6, seed=1), labels(5, 4)
    for reg in (0.0, 10.0):
        _, dW = loss_func(W, X, y, reg)

        def loss_of(W, reg=reg):
            return loss_func(W, X, y, reg)[0]

        assert rel_error(compute_numeric_gradient(loss_of, W, h=1e-6), dW) < 1e-7
        assert grad_check_sparse(loss_of, W, dW, h=1e-6) < 1e-5


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("loss_func", [linear.softmax_loss_naive, linear.softmax_loss_vectorized])
def test_softmax_survives_large_scores(loss_func, dtype):
    W, X, y = 300 * draw(6, 4, dtype=dtype), 10 * draw(5, 6, dtype=dtype, seed=1), labels(5, 4)
    leaf = W.clone().requires_grad_()
    expected = F.cross_entropy(X @ leaf, y)
    loss, dW = loss_func(W, X, y, 0.0)
    torch.testing.assert_close(loss, expected.detach(), rtol=1e-4, atol=1e-3)
    torch.testing.assert_close(dW, torch.autograd.grad(expected, leaf)[0], rtol=1e-4, atol=1e-3)


def test_untrained_losses_are_those_of_guessing():
    W, X, y = 1e-4 * draw(50, 10), draw(100, 50, seed=1), labels(100, 10)
    assert linear.softmax_loss_vectorized(W, X, y, 0.0)[0].item() == pytest.approx(math.log(10), abs=1e-3)
    assert linear.svm_loss_vectorized(W, X, y, 0.0)[0].item() == pytest.approx(9, abs=1e-2)


def test_batches_are_drawn_evenly_with_replacement():
    X, y = draw(20, 3), torch.arange(20)
    torch.manual_seed(0)
    X_batch, y_batch = typed(linear.sample_batch)(X, y, 15, 6000)
    assert X_batch.equal(X[y_batch])
    assert int(y_batch.max()) == 14
    assert stats.chisquare(y_batch.bincount(minlength=15).numpy()).pvalue > 1e-6


@DTYPES
def test_training_makes_the_steps_of_torchs_own_optimiser(dtype, tolerance, monkeypatch):
    X, y = draw(8, 5, dtype=dtype), labels(8, 3)
    monkeypatch.setattr(linear, "sample_batch", lambda X, y, num_train, batch_size: (X, y))
    W = draw(5, 3, dtype=dtype, seed=2)
    leaf = nn.Parameter(W.clone())
    optimiser, expected = torch.optim.SGD([leaf], lr=0.3), []
    for _ in range(12):
        optimiser.zero_grad()
        loss = F.cross_entropy(X @ leaf, y) + 0.05 * leaf.square().sum()
        loss.backward()
        optimiser.step()
        expected.append(loss.item())
    found, history = typed(linear.train_linear_classifier)(
        linear.softmax_loss_vectorized, W, X, y, learning_rate=0.3, reg=0.05, num_iters=12
    )
    torch.testing.assert_close(found, leaf.data, rtol=tolerance, atol=tolerance)
    assert history == pytest.approx(expected, rel=1e-4)


def clouds(num_train=90, num_val=60):
    """Three clouds that straight borders part nearly without error, with a one behind the numbers."""
    found = {}
    for seed, (split, num) in enumerate((("train", num_train), ("val", num_val))):
        y = torch.arange(num) % 3
        X = 3 * F.one_hot(y, 3) + 0.8 * draw(num, 3, seed=seed)
        found |= {f"X_{split}": torch.cat([X, X.new_ones(num, 1)], dim=1), f"y_{split}": y}
    return found


def test_training_starts_small_and_parts_three_clouds(capsys):
    torch.manual_seed(0)
    X, y = clouds()["X_train"], clouds()["y_train"]
    for classifier in (linear.LinearSVM(), linear.Softmax()):
        history = classifier.train(X, y, learning_rate=0.1, num_iters=200, batch_size=30, verbose=True)
        assert history[0] == pytest.approx(
            {"LinearSVM": 2, "Softmax": math.log(3)}[type(classifier).__name__], 1e-3
        )
        assert history[-1] < 0.2
        assert (classifier.predict(X) == y).double().mean() > 0.95
        assert classifier.W.dtype == torch.float64
    assert len(capsys.readouterr().out.splitlines()) == 4


def test_a_saved_classifier_needs_no_centred_images(tmp_path):
    classifier, X, mean = linear.Softmax(), draw(7, 5), draw(5, seed=1)
    classifier.W = draw(6, 4, seed=2)
    ones = X.new_ones(7, 1)
    scores = torch.cat([X - mean, ones], dim=1) @ classifier.W
    classifier.absorb_mean(mean)
    classifier.save(tmp_path / "models/best.pt")
    loaded = linear.Softmax.load(tmp_path / "models/best.pt")
    torch.testing.assert_close(torch.cat([X, ones], dim=1) @ loaded.W, scores)


def test_one_param_set_reports_fractions_of_both_splits():
    torch.manual_seed(0)
    prepared, classifier = clouds(), linear.Softmax()
    found, train_acc, val_acc = linear.test_one_param_set(classifier, prepared, 0.1, 1e-3, num_iters=50)
    assert found is classifier
    for split, accuracy in (("train", train_acc), ("val", val_acc)):
        right = torch.argmax(prepared[f"X_{split}"] @ classifier.W, dim=1) == prepared[f"y_{split}"]
        assert accuracy == pytest.approx(right.float().mean().item())
    assert train_acc != val_acc
    assert min(train_acc, val_acc) > 0.9


@pytest.mark.parametrize("search", [linear.svm_get_search_params, linear.softmax_get_search_params])
def test_searches_have_5_to_25_pairs(search):
    rates, strengths = search()
    assert 5 <= len(set(rates)) * len(set(strengths)) <= 25


def two_layers(dtype=torch.float64, D=6, H=7, C=4):
    shapes = {"W1": (D, H), "b1": (H,), "W2": (H, C), "b2": (C,)}
    return {name: draw(*shape, dtype=dtype, seed=place) for place, (name, shape) in enumerate(shapes.items())}


def as_modules(params):
    """The same network out of torch's own parts."""
    D, H = params["W1"].shape
    net = nn.Sequential(nn.Linear(D, H), nn.ReLU(), nn.Linear(H, params["W2"].shape[1]))
    net = net.to(params["W1"].dtype)
    with torch.no_grad():
        for layer, number in ((net[0], 1), (net[2], 2)):
            layer.weight.copy_(params[f"W{number}"].T)
            layer.bias.copy_(params[f"b{number}"])
    return net


@DTYPES
@given(num=st.integers(1, 6), D=st.integers(1, 5), H=st.integers(1, 6), C=st.integers(2, 5))
def test_network_agrees_with_torchs_modules(dtype, tolerance, num, D, H, C):
    params, X, y = two_layers(dtype, D, H, C), draw(num, D, dtype=dtype, seed=9), labels(num, C)
    net = as_modules(params)
    scores, hidden = typed(two_layer_net.nn_forward_pass)(params, X)
    torch.testing.assert_close(scores, net(X).detach(), rtol=tolerance, atol=tolerance)
    torch.testing.assert_close(hidden, net[:2](X).detach(), rtol=tolerance, atol=tolerance)
    torch.testing.assert_close(two_layer_net.nn_forward_backward(params, X), scores)
    for reg in (0.0, 0.7):
        net.zero_grad()
        expected = F.cross_entropy(net(X), y) + reg * (
            net[0].weight.square().sum() + net[2].weight.square().sum()
        )
        expected.backward()
        loss, grads = two_layer_net.nn_forward_backward(params, X, y, reg)
        due = {"W1": net[0].weight.grad.T, "b1": net[0].bias.grad, "W2": net[2].weight.grad.T}
        due["b2"] = net[2].bias.grad
        torch.testing.assert_close(loss, expected.detach(), rtol=tolerance, atol=tolerance)
        torch.testing.assert_close(grads, due, rtol=tolerance, atol=tolerance)


def test_network_gradients_agree_with_finite_differences():
    params, X, y = two_layers(), draw(5, 6, seed=9), labels(5, 4)
    _, grads = two_layer_net.nn_forward_backward(params, X, y, 0.3)
    for name, grad in grads.items():

        def loss_of(values, name=name):
            return two_layer_net.nn_forward_backward({**params, name: values}, X, y, 0.3)[0]

        assert rel_error(compute_numeric_gradient(loss_of, params[name], h=1e-6), grad) < 1e-7


def test_network_survives_large_scores():
    params, X, y = two_layers(torch.float32), 100 * draw(5, 6, dtype=torch.float32), labels(5, 4)
    params["W2"] *= 100
    loss, grads = two_layer_net.nn_forward_backward(params, X, y)
    expected = F.cross_entropy(as_modules(params)(X), y)
    torch.testing.assert_close(loss, expected.detach())
    assert all(grad.isfinite().all() for grad in grads.values())


def test_network_training_makes_the_steps_of_torchs_optimiser_and_scheduler(monkeypatch, capsys):
    X, y, params = draw(12, 6, seed=9), labels(12, 4), two_layers()
    X_val, y_val = draw(9, 6, seed=5), labels(9, 4, seed=5)
    taken = []

    def sample_batch(X, y, num_train, batch_size):
        assert num_train == len(X)
        chosen = labels(batch_size, num_train, seed=len(taken))
        taken.append(chosen)
        return X[chosen], y[chosen]

    monkeypatch.setattr(two_layer_net, "sample_batch", sample_batch)
    net = as_modules(params)
    history = typed(two_layer_net.nn_train)(
        params,
        two_layer_net.nn_forward_backward,
        two_layer_net.nn_predict,
        X,
        y,
        X_val,
        y_val,
        learning_rate=0.2,
        learning_rate_decay=0.5,
        reg=0.1,
        num_iters=11,
        batch_size=4,
        verbose=True,
    )
    optimiser = torch.optim.SGD(net.parameters(), lr=0.2)
    scheduler = torch.optim.lr_scheduler.StepLR(optimiser, step_size=3, gamma=0.5)
    losses, train_accs, val_accs = [], [], []
    for step, chosen in enumerate(taken):
        optimiser.zero_grad()
        loss = F.cross_entropy(net(X[chosen]), y[chosen])
        loss = loss + 0.1 * sum(layer.weight.square().sum() for layer in (net[0], net[2]))
        loss.backward()
        optimiser.step()
        scheduler.step()
        losses.append(loss.item())
        if step % 3 == 2:
            train_accs.append((net(X[chosen]).argmax(1) == y[chosen]).double().mean().item())
            val_accs.append((net(X_val).argmax(1) == y_val).double().mean().item())
    assert history == {
        "loss_history": pytest.approx(losses, rel=1e-9),
        "train_acc_history": train_accs,
        "val_acc_history": val_accs,
    }
    torch.testing.assert_close(params["W1"], net[0].weight.T.detach())
    assert "step 0 of 11" in capsys.readouterr().out


def test_network_overfits_a_handful_and_is_saved(tmp_path):
    torch.manual_seed(0)
    prepared = data.prepare("shapes", 40, 20, 1)
    net = two_layer_net.TwoLayerNet(3072, 60, 10)
    X, y = prepared["X_train"], prepared["y_train"]
    net.train(
        X,
        y,
        prepared["X_val"],
        prepared["y_val"],
        learning_rate=0.3,
        learning_rate_decay=1.0,
        num_iters=300,
        batch_size=20,
    )
    assert (net.predict(X) == y).all()
    images, *_ = data.load("shapes", 40, 1)
    mean = images.mean(dim=(0, 2, 3)).repeat_interleave(32 * 32)
    net.absorb_mean(mean)
    net.save(tmp_path / "best.pt")
    loaded = two_layer_net.TwoLayerNet.load(tmp_path / "best.pt")
    assert (loaded.predict(images.flatten(1)) == y).all()


def test_search_keeps_the_best_network():
    torch.manual_seed(0)
    prepared = clouds()
    net, history, val_acc = two_layer_net.find_best_net(
        prepared, lambda: ([1e-6, 0.5, 1e-7], [20], [1e-4], [1.0]), num_iters=60
    )
    scores = F.relu(prepared["X_val"] @ net.params["W1"] + net.params["b1"]) @ net.params["W2"]
    right = (scores + net.params["b2"]).argmax(1) == prepared["y_val"]
    assert val_acc == pytest.approx(right.double().mean().item())
    assert val_acc > 0.9
    assert history["loss_history"][-1] < 0.5 < 1 < history["loss_history"][0]


@DTYPES
@given(num_bins=st.integers(3, 12), seed=st.integers(0, 9))
def test_circular_histogram_agrees_with_periodic_interpolation(dtype, tolerance, num_bins, seed):
    random = torch.Generator().manual_seed(seed)
    position, weights = torch.rand(2, 3, 4, 20, generator=random, dtype=dtype)
    found = typed(features.circular_histogram)(position, weights, num_bins)
    places = np.arange(num_bins) / num_bins
    for item in np.ndindex(3, 4):
        for b in range(num_bins):
            shares = np.interp(position[item].numpy(), places, np.eye(num_bins)[b], period=1)
            due = (shares * weights[item].numpy()).sum()
            assert found[(*item, b)].item() == pytest.approx(due, rel=tolerance, abs=tolerance)


@DTYPES
def test_hues_are_those_of_matplotlib(dtype, tolerance):
    images = torch.rand(6, 3, 5, 4, generator=torch.Generator().manual_seed(0), dtype=dtype)
    images[0, :, 0, :2] = 0.4
    found = typed(features.colour_histogram)(images, 8)
    pixels = images.permute(0, 2, 3, 1).flatten(1, 2).double().numpy()
    hue, chroma = rgb_to_hsv(pixels)[..., 0], np.ptp(pixels, axis=2)
    for i, b in np.ndindex(6, 8):
        due = (np.interp(hue[i], np.arange(8) / 8, np.eye(8)[b], period=1) * chroma[i]).mean()
        assert found[i, b].item() == pytest.approx(due, rel=tolerance, abs=tolerance)
    torch.testing.assert_close(found.sum(1).double(), torch.tensor(chroma.mean(1)))


@DTYPES
def test_hog_follows_the_paper_by_numpy(dtype, tolerance):
    images = torch.rand(2, 3, 12, 16, generator=torch.Generator().manual_seed(0), dtype=dtype)
    found = typed(features.hog_features)(images, 6, 4)
    for image, row in zip(images.double().numpy(), found, strict=True):
        dy, dx = np.gradient(image.mean(0))
        turn, length = np.arctan2(dy, dx) / np.pi % 1, np.hypot(dx, dy)
        cells = np.zeros((3, 4, 6))
        for y, x, b in np.ndindex(12, 16, 6):
            share = np.interp(turn[y, x], np.arange(6) / 6, np.eye(6)[b], period=1)
            cells[y // 4, x // 4, b] += share * length[y, x]
        blocks = [cells[y : y + 2, x : x + 2].ravel() for y in range(2) for x in range(3)]
        due = np.concatenate([block / np.sqrt(block @ block + 1e-4) for block in blocks])
        torch.testing.assert_close(row.double(), torch.tensor(due), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("degrees", [0, 20, 45, 90, 130, 170])
def test_hog_sees_the_direction_of_a_grating(degrees):
    y, x = torch.meshgrid(torch.arange(32.0), torch.arange(32.0), indexing="ij")
    angle = math.radians(degrees)
    grating = 0.5 + 0.5 * torch.sin(0.2 * (x * math.cos(angle) + y * math.sin(angle)))
    found = features.hog_features(grating.expand(1, 3, 32, 32), num_bins=18).view(36, 18).sum(0)
    turn = 2 * torch.pi * torch.arange(18) / 18
    direction = torch.atan2((found * turn.sin()).sum(), (found * turn.cos()).sum()) / 2
    away = (math.degrees(direction) - degrees + 90) % 180 - 90
    assert abs(away) < 3


def test_features_are_both_side_by_side():
    images, *_ = data.load("shapes", 1100, 1)
    found = features.image_features(images)
    assert found.shape == (1100, 3 * 3 * 4 * 9 + 10)
    torch.testing.assert_close(found[1050:, :324], features.hog_features(images[1050:]))
    torch.testing.assert_close(found[1050:, 324:], features.colour_histogram(images[1050:]))


def test_the_table_that_goes_backwards_agrees_with_autograd():
    x = torch.tensor([[2.0, 1.0]])
    W1 = torch.tensor([[1.0, -1, 0], [0, 1, 2]], requires_grad=True)
    W2 = torch.tensor([[1.0, 0], [4, 3], [0, 1]], requires_grad=True)
    z = x @ W1
    hidden = z.clamp(min=0)
    scores = hidden @ W2
    for each in (z, hidden, scores):
        each.retain_grad()
    torch.nn.functional.cross_entropy(scores, torch.tensor([0])).backward()
    found = {
        "hidden unit 2": hidden[0, 1],
        "score of class 1": scores[0, 1],
        "dscores of class 0": scores.grad[0, 0],
        "dW2, unit 1, class 0": W2.grad[0, 0],
        "dhidden of unit 2": hidden.grad[0, 1],
        "dz of unit 2": z.grad[0, 1],
        "dz of unit 3": z.grad[0, 2],
        "dW1, first row, unit 1": W1.grad[0, 0],
    }
    path = Path(__file__).parents[1] / "on_paper.toml"
    table = tomllib.loads(path.read_text(encoding="utf-8"))["one image backwards"]
    assert {name: value.item() for name, value in found.items()} == pytest.approx(table)
