"""Sentences of the notebooks that a run could refute, measured on the default images and on photographs."""

import math
from functools import partial

import pytest
import torch
from torch.nn import functional

from assignments.a04_cnn import figures
from exercise_code.cnn import convolutional_networks as cnn
from exercise_code.cnn.architectures import Conv, pixel_gradients
from exercise_code.mlp.fully_connected_networks import FullyConnectedNet
from exercise_code.mlp.solver import Solver
from exercise_code.mlp.update_rules import adam
from exercise_code.support import data

pytestmark = pytest.mark.deep
each_seed = pytest.mark.parametrize("seed", range(3))
PHOTOGRAPHS = pytest.param(
    "cifar10", marks=pytest.mark.skipif(not data.available("cifar10"), reason="needs CIFAR-10")
)
both_sets = pytest.mark.parametrize("dataset", ["shapes", PHOTOGRAPHS])


@pytest.fixture
def measured(record_property):
    """Notes what was measured, for the report of the run."""
    return lambda text: record_property("measured", text)


@pytest.fixture(scope="module")
def shapes():
    """As many shapes as in Section 1.1."""
    return data.prepare("shapes", 5_000, 500, 1_000, flatten=False)


def pooled(filters, window):
    """Features of Section 1.7: the best match of each filter in each window of its map."""
    param = {"pool_height": window, "pool_width": window, "stride": window}

    def features(X):
        maps = functional.conv2d(X, filters, stride=2)
        return cnn.FastMaxPool.forward(maps, param)[0].flatten(1)

    return features


@each_seed
def test_pooled_over_the_whole_map_moving_hardly_matters_over_quarters_and_pixels_it_does(
    seed, shapes, measured
):
    filters = figures.patches(shapes["X_train"], 64, 6, seed)
    ways = {"pixels": lambda X: X.flatten(1), "quarters": pooled(filters, 7), "whole": pooled(filters, 14)}
    still, far = {}, {}
    for name, features in ways.items():
        accuracy = figures.trained_on(features, shapes, seed, 10)
        still[name], far[name] = (
            accuracy(figures.moved(shapes["X_test"], pixels), shapes["y_test"]) for pixels in (0, 8)
        )
    measured(", ".join(f"{name} {still[name]:.1%} to {far[name]:.1%}" for name in ways))
    assert still["pixels"] - far["pixels"] > 0.05
    assert still["quarters"] - far["quarters"] > 0.1
    assert still["whole"] - far["whole"] < 0.04
    assert far["whole"] > far["pixels"] + 0.2


@each_seed
@pytest.mark.parametrize("pixels, along", [(1, False), (2, True), (3, False), (4, True)])
def test_with_stride_2_maps_move_along_with_even_moves_only(seed, pixels, along):
    random = torch.Generator().manual_seed(seed)
    x, w = torch.rand(1, 3, 9, 12, generator=random), torch.randn(4, 3, 3, 2, generator=random)
    before, after = (functional.conv2d(figures.moved(x, by), w, stride=2) for by in (0, pixels))
    gaps = [
        (after[..., 2:] - before[..., 2 - shift : before.shape[3] - shift]).abs().max() for shift in (0, 1, 2)
    ]
    assert (min(gaps) < 1e-5) == along


@each_seed
def test_ten_layers_with_weights_of_003_stay_at_the_loss_of_guessing(seed, measured):
    images = data.prepare("shapes", 1_000, 500, 500)
    torch.manual_seed(seed)
    net = FullyConnectedNet([100] * 10, weight_scale=0.03)
    solver = Solver(net, images, num_epochs=3, optim_config={"learning_rate": 0.1})
    solver.train(return_best_params=False)
    _, grads = net.loss(images["X_train"][:100], images["y_train"][:100])
    first, last = (grads[name].abs().max().item() for name in ("b1", "b11"))
    measured(f"loss {solver.loss_history[-1]:.4f}, gradients of the biases {first:.1e} and {last:.1e}")
    assert abs(solver.loss_history[-1] - math.log(10)) < 0.01
    assert first < 1e-4 * last


@each_seed
@both_sets
def test_ten_layers_of_layer_norm_make_images_alike_and_stay_at_guessing(dataset, seed, measured):
    images = data.prepare(dataset, 2_000, 1_000, 500, flatten=False)
    images |= {name: functional.avg_pool2d(images[name], 4).flatten(1) for name in ("X_train", "X_val")}
    alike, reached = {}, {}
    for name, norm in (("batch", cnn.BatchNorm), ("layer", cnn.LayerNorm)):
        torch.manual_seed(seed)
        net = cnn.NormalizedNet([100] * 10, 192, weight_scale=0.03, normalization=name)
        out = images["X_train"][:200]
        for layer in range(1, 11):
            w, gamma, beta = (net.params[f"{kind}{layer}"] for kind in ("W", "gamma", "beta"))
            out = norm.forward(out @ w, gamma, beta, {"mode": "train"})[0].clamp(min=0)
        cosines = functional.normalize(out, dim=1) @ functional.normalize(out, dim=1).T
        alike[name] = ((cosines.sum() - cosines.trace()) / (200 * 199)).item()
        config = {"update_rule": adam, "optim_config": {"learning_rate": 3e-3}, "batch_size": 50}
        run = Solver(net, images, num_epochs=10, num_train_samples=200, **config)
        run.train(return_best_params=False)
        reached[name] = run.val_acc_history[-1]
    measured(", ".join(f"{name} norm: cosine {alike[name]:.2f}, {reached[name]:.1%}" for name in alike))
    assert 0.31 < alike["batch"] < 0.34 and 0.83 < alike["layer"] < 0.94
    assert reached["layer"] < 0.12 < 0.25 < reached["batch"]


def test_a_large_momentum_is_worst_after_10_batches_and_best_after_1000(measured):
    errors = {}
    for momentum in (0.5, 0.9, 0.99):
        for seed in range(5):
            random, bn_param = torch.Generator().manual_seed(seed), {"mode": "train", "momentum": momentum}
            for batch in range(1, 1001):
                x = 3 * torch.randn(50, 3, generator=random)
                cnn.BatchNorm.forward(x, torch.ones(3), torch.zeros(3), bn_param)
                if batch in (10, 1000):
                    error = (bn_param["running_var"] / 9 - 1).abs().mean().item()
                    errors.setdefault((batch, momentum), []).append(error)
    measured(str({key: round(sum(each) / 5, 3) for key, each in errors.items()}))
    assert max(errors[10, 0.5]) < min(errors[10, 0.9]) < max(errors[10, 0.9]) < min(errors[10, 0.99])
    assert max(errors[1000, 0.99]) < sum(errors[1000, 0.9]) / 5 < sum(errors[1000, 0.5]) / 5


@both_sets
def test_a_fixed_order_of_pixels_costs_the_cnn_its_lead_and_the_mlp_nothing(dataset, measured):
    images = figures.halved(data.prepare(dataset, 4_000, 1_000, 500, flatten=False))
    order = torch.randperm(16 * 16, generator=torch.Generator().manual_seed(0))
    puzzles = {
        name: values.flatten(2)[:, :, order].view_as(values) if name.startswith("X") else values
        for name, values in images.items()
    }
    mlp = partial(FullyConnectedNet, [100, 100], 3 * 16 * 16, weight_scale="kaiming")
    three_layers = partial(cnn.ThreeLayerConvNet, (3, 16, 16), 8, 5, weight_scale=5e-2, reg=1e-3)
    found = [
        figures.accuracies(make, each, rate, 3)
        for make, rate in ((mlp, 1e-3), (three_layers, 3e-3))
        for each in (images, puzzles)
    ]
    measured("MLP {:.1f} and {:.1f}, CNN {:.1f} and {:.1f} %".format(*(each.mean() for each in found)))
    assert (found[0].mean() - found[1].mean()).abs() < 2
    assert found[2].min() > found[0].max()
    assert found[2].mean() - found[3].mean() > 5


@both_sets
def test_kaimings_factor_scatters_around_1_and_the_border_explains_little_of_it(dataset, measured):
    batch = figures.halved(data.prepare(dataset, 400, 300, 500, flatten=False))["X_train"][:8]

    def factor(seed, mode):
        torch.manual_seed(seed)
        out, spreads = batch, []
        for _ in range(31):
            w = cnn.kaiming_initializer(out.shape[1], 16, 3)
            out = functional.conv2d(functional.pad(out, (1, 1, 1, 1), mode=mode), w).clamp(min=0)
            spreads.append(out.std().item())
        return (spreads[-1] / spreads[0]) ** (1 / 30)

    zeros, circular = ([factor(seed, mode) for seed in range(5)] for mode in ("constant", "circular"))
    measured(f"{[round(f, 3) for f in zeros]}, without a border {[round(f, 3) for f in circular]}")
    assert 0.88 < min(zeros) < 0.95 and 0.98 < max(zeros) < 1.1
    assert all(0 < without - with_ < 0.025 for with_, without in zip(zeros, circular, strict=True))


@each_seed
@pytest.mark.parametrize(
    "dataset, learns", [("shapes", False), pytest.param("cifar10", True, marks=PHOTOGRAPHS.marks)]
)
def test_31_layers_by_kaimings_rule_begin_to_learn_on_photographs_only(dataset, learns, seed, measured):
    images = figures.halved(data.prepare(dataset, 2_000, 300, 500, flatten=False))
    torch.manual_seed(seed)
    net = cnn.DeepConvNet((3, 16, 16), [8] * 30, (0, 29), weight_scale="kaiming")
    config = {"update_rule": adam, "optim_config": {"learning_rate": 1e-3}, "batch_size": 20}
    run = Solver(net, images, num_epochs=4, num_train_samples=200, **config)
    run.train(return_best_params=False)
    end = sum(run.loss_history[-20:]) / 20
    measured(f"loss {end:.3f}")
    assert (1.9 < end < 2.2) if learns else abs(end - math.log(10)) < 0.01


@each_seed
@both_sets
def test_batch_norm_learns_more_at_weights_of_0001_than_the_bare_network(dataset, seed, measured):
    images = figures.halved(data.prepare(dataset, 2_000, 300, 500, flatten=False))
    reached = []
    for batchnorm in (False, True):
        torch.manual_seed(seed)
        net = cnn.DeepConvNet((3, 16, 16), (8, 16), (0, 1), batchnorm, weight_scale=1e-3)
        config = {"update_rule": adam, "optim_config": {"learning_rate": 3e-3}, "batch_size": 10}
        run = Solver(net, images, num_epochs=4, num_train_samples=100, **config)
        run.train()
        reached.append(run.best_val_acc)
    measured("{:.1%} without, {:.1%} with batch norm".format(*reached))
    assert reached[1] > reached[0] + 0.05


@pytest.mark.parametrize("depth", [1, 3, 5, 10])
def test_the_gradients_spread_grows_with_the_root_of_the_depth(depth):
    gradient = pixel_gradients([Conv(1, 3, 1, 1)] * depth, 25, 31).sum(dim=0)
    places = torch.arange(31.0) - 15
    spread = ((places**2 * gradient).sum() / gradient.sum()).sqrt().item()
    assert spread == pytest.approx((2 * depth / 3) ** 0.5, rel=1e-4)


@each_seed
def test_trained_first_filters_are_like_their_random_start(seed, measured):
    torch.manual_seed(seed)
    prepared = data.prepare("shapes", 9_000, 1_000, 1, flatten=False)
    solver = cnn.create_convolutional_solver_instance(prepared)
    before, solver.num_epochs = solver.model.params["W1"].clone(), 3
    solver.train()
    after = solver.model.params["W1"]
    moved = ((after - before).norm() / before.norm()).item()
    alike = functional.cosine_similarity(before.flatten(1), after.flatten(1)).mean().item()
    measured(f"moved by {moved:.2f} of its length, cosine {alike:.2f}")
    assert moved < 0.7 and alike > 0.7
