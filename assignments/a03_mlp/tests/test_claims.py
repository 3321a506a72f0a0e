"""Sentences of the notebooks that a run could refute, measured on the default images and on photographs."""

import pytest
import torch
from torch import nn

from assignments.a03_mlp import figures
from exercise_code.mlp import fully_connected_networks as fcn
from exercise_code.mlp import initializers, update_rules
from exercise_code.mlp.regularization import ensemble_predict
from exercise_code.mlp.solver import Solver
from exercise_code.support import data
from exercise_code.support.notebook.numeric_gradient import compute_numeric_gradient, rel_error

pytestmark = pytest.mark.deep
SEEDS = range(3)
each_seed = pytest.mark.parametrize("seed", SEEDS)
PHOTOGRAPHS = pytest.param(
    "cifar10", marks=pytest.mark.skipif(not data.available("cifar10"), reason="needs CIFAR-10")
)


@pytest.fixture(scope="module", params=["shapes", PHOTOGRAPHS])
def few(request):
    """Two thousand training images, as in the notebook."""
    images = data.prepare(request.param, 10_000, 1_000, 1_000)
    return {**images, "X_train": images["X_train"][:2_000], "y_train": images["y_train"][:2_000]}


@pytest.fixture
def measured(record_property):
    """Notes what was measured, for the report of the run."""
    return lambda text: record_property("measured", text)


def train(
    images, hidden, seed, *, epochs=8, rule=update_rules.sgd_momentum, rate=0.03, batch=100, **settings
):
    """A trained solver."""
    torch.manual_seed(seed)
    net = fcn.FullyConnectedNet(hidden, weight_scale=settings.pop("weight_scale", "kaiming"), **settings)
    config = {"update_rule": rule, "optim_config": {"learning_rate": rate}, "batch_size": batch}
    solver = Solver(net, images, num_epochs=epochs, **config)
    solver.train(return_best_params=False)
    return solver


@each_seed
def test_linear_layers_part_clouds_and_no_rings_whatever_their_width(seed, measured):
    torch.manual_seed(seed)
    rings, clouds = figures.circles(400, seed=seed), figures.two_clouds(400, seed=seed)
    found = [
        figures.accuracy(figures.fit(*points, hidden, None), *points)
        for points, hidden in ((rings, [16, 16]), (rings, [200, 200]), (clouds, [16, 16]))
    ]
    measured("rings {:.0%} with 16 units, {:.0%} with 200; clouds {:.0%}".format(*found))
    assert max(found[:2]) < 0.7
    assert found[2] > 0.97


@each_seed
def test_two_units_with_relu_close_no_ring_and_16_do(seed, measured):
    torch.manual_seed(seed)
    rings = figures.circles(400, seed=seed)
    found = [figures.accuracy(figures.fit(*rings, hidden, nn.ReLU), *rings) for hidden in ([2], [16, 16])]
    measured("{:.0%} with 2 units, {:.0%} with 16 + 16".format(*found))
    assert found[0] < 0.9
    assert found[1] > 0.98


@each_seed
def test_finite_differences_in_64_bits_are_best_near_1e_5_or_1e_6(seed, measured):
    random = torch.Generator().manual_seed(seed)
    x, w, b, dout = (
        torch.randn(*shape, generator=random, dtype=torch.float64) for shape in ((5, 4), (4, 3), (3,), (5, 3))
    )
    out, cache = fcn.Linear.forward(x, w, b)
    _, dw, _ = fcn.Linear.backward(3 * out**2 * dout, cache)

    def cubed(w):
        return fcn.Linear.forward(x, w, b)[0] ** 3

    errors = {e: rel_error(compute_numeric_gradient(cubed, w, dout, h=10.0**e), dw) for e in range(-10, 0)}
    best = min(errors, key=errors.get)
    measured(f"best at 1e{best}: {errors[best]:.0e}; 1e-10: {errors[-10]:.0e}; 1e-1: {errors[-1]:.0e}")
    assert best in (-5, -6)
    assert min(errors[-10], errors[-1]) > 100 * errors[best]


def test_more_units_than_needed_find_the_ring_more_often(measured):
    fresh = figures.circles(500, seed=1)
    X, y = figures.circles(400, seed=0)
    found = {hidden: torch.zeros(5) for hidden in (1, 3, 4, 16)}
    for hidden, accuracies in found.items():
        for seed in range(5):
            torch.manual_seed(seed)
            net = fcn.TwoLayerNet(2, hidden, 2, weight_scale=1.0)
            for _ in range(1_500):
                _, grads = net.loss(X, y)
                net.params = {key: p - 0.5 * grads[key] for key, p in net.params.items()}
            accuracies[seed] = 100 * figures.accuracy(net.loss, *fresh)
    measured(", ".join(f"{h} units {a.mean():.0f} % ± {a.std():.0f}" for h, a in found.items()))
    assert found[16].min() > 95
    assert found[3].std() > 2 * found[16].std()
    assert found[1].mean() < 75


@each_seed
def test_with_the_factor_the_mean_is_the_same_for_every_p(seed, measured):
    x = 10 + torch.randn(400, 400, generator=torch.Generator().manual_seed(seed))
    means = [
        fcn.Dropout.forward(x, {"p": p, "mode": "train", "seed": seed + 10})[0].mean()
        for p in (0.25, 0.4, 0.7)
    ]
    measured(", ".join(f"{mean:.2f}" for mean in means))
    assert all(abs(mean - 10) < 0.2 for mean in means)


@each_seed
def test_dropout_can_be_checked_as_long_as_each_pass_drops_the_same(seed, measured):
    random = torch.Generator().manual_seed(seed)
    X, y = torch.randn(4, 6, generator=random, dtype=torch.float64), torch.arange(4) % 3
    worst = []
    for dropout_seed in (7, None):
        torch.manual_seed(seed)
        settings = {"dropout": 0.5, "seed": dropout_seed, "weight_scale": 0.5, "dtype": torch.float64}
        net = fcn.FullyConnectedNet([9, 8], 6, 3, **settings)
        _, grads = net.loss(X, y)
        errors = [
            rel_error(grads[key], compute_numeric_gradient(lambda _, net=net: net.loss(X, y)[0], p, h=1e-6))
            for key, p in net.params.items()
        ]
        worst.append(max(errors))
    measured("worst error {:.0e} with a seed, {:.0e} without".format(*worst))
    assert worst[0] < 1e-5
    assert worst[1] > 1e-2


def test_through_ten_layers_the_signal_vanishes_or_explodes_but_for_the_right_scale(few, measured):
    for seed in SEEDS:
        found = {}
        for scale in (0.01, 0.1, 0.3):
            torch.manual_seed(seed)
            out = few["X_train"][:256]
            for _ in range(10):
                w = initializers.initial_weights(out.shape[1], 200, scale, out.dtype, "cpu")
                out, _ = fcn.ReLU.forward(fcn.Linear.forward(out, w, w.new_zeros(200))[0])
            found[scale] = out.std().item()
        measured(", ".join(f"sd {value:.0e} for {scale}" for scale, value in found.items()))
        assert found[0.01] < 1e-6
        assert found[0.3] > 1e3
        assert 0.05 < found[0.1] < 20


def test_fifty_images_are_learned_by_heart(few, measured):
    fifty = {**few, "X_train": few["X_train"][:50], "y_train": few["y_train"][:50]}
    for seed in SEEDS:
        solver = train(fifty, [100, 100], seed, epochs=60, rule=update_rules.sgd, rate=0.1, batch=25)
        measured(f"{solver.train_acc_history[-1]:.0%}")
        assert solver.train_acc_history[-1] == 1


def test_five_layers_start_later_than_two_and_with_sigmoids_do_not_learn_at_all(few, measured):
    thousand = {**few, "X_train": few["X_train"][:1_000], "y_train": few["y_train"][:1_000]}
    kinds = {"2": ([100], fcn.ReLU), "5": ([100] * 4, fcn.ReLU), "5, sigmoid": ([100] * 4, fcn.Sigmoid)}
    for seed in SEEDS:
        found = {}
        for kind, (hidden, activation) in kinds.items():
            solver = train(thousand, hidden, seed, epochs=5, rate=0.01, batch=25, activation=activation)
            found[kind] = solver.train_acc_history[0], solver.train_acc_history[-1]
        measured(", ".join(f"{kind} layers: {a:.0%}, then {b:.0%}" for kind, (a, b) in found.items()))
        assert found["5"][0] < found["2"][0]
        assert found["5, sigmoid"][1] < 0.2 < found["5"][1]


def test_depth_helps_little_with_the_right_scale_and_two_hidden_layers_are_too_many_for_the_wrong_one(
    few, measured
):
    for seed in SEEDS:
        right = [train(few, [100] * depth, seed).best_val_acc for depth in (1, 3, 8)]
        wrong = [train(few, [100] * depth, seed, weight_scale=0.01).best_val_acc for depth in (1, 2, 3)]
        measured(
            "Kaiming, 1, 3, 8 layers: {:.0%}, {:.0%}, {:.0%}".format(*right)
            + "; sd 0.01, 1, 2, 3 layers: {:.0%}, {:.0%}, {:.0%}".format(*wrong)
        )
        assert min(right) > 0.2
        assert max(right) - right[0] < 0.05
        assert wrong[2] < 0.15 < wrong[0]


def test_momentum_is_ahead_of_plain_descent_at_the_same_rate(few, measured):
    for seed in SEEDS:
        found = [
            100 * train(few, [100] * 5, seed, epochs=5, rule=rule, rate=5e-3).train_acc_history[-1]
            for rule in (update_rules.sgd, update_rules.sgd_momentum)
        ]
        measured("sgd {:.0f} %, momentum {:.0f} %".format(*found))
        assert found[1] > found[0] + 3


def test_five_networks_together_are_better_than_one_on_average(few, measured):
    for first in (0, 5, 10):
        members = [
            train(few, [100], first + n, epochs=12, rule=update_rules.adam, rate=1e-3, reg=1e-3).model
            for n in range(5)
        ]

        def score(models):
            return 100 * (ensemble_predict(models, few["X_val"]) == few["y_val"]).double().mean().item()

        alone, together = sum(score([model]) for model in members) / 5, score(members)
        measured(f"{alone:.1f} % alone, {together:.1f} % together")
        assert together > alone


def test_from_a_checkpoint_training_goes_on_to_the_last_bit_and_from_parameters_alone_not(
    few, measured, tmp_path
):
    for seed in SEEDS:
        rates = {"update_rule": update_rules.adam, "optim_config": {"learning_rate": 1e-3}, "num_epochs": 2}
        whole, resumed, restarted = (
            Solver(fcn.TwoLayerNet(weight_scale=1e-2), few, **rates) for _ in range(3)
        )
        torch.manual_seed(seed)
        whole.train(return_best_params=False)
        whole.save_checkpoint(tmp_path / "half.pt")
        whole.model.save(tmp_path / "net.pt")
        resumed.load_checkpoint(tmp_path / "half.pt")
        restarted.model.load(tmp_path / "net.pt")
        for solver in (whole, resumed, restarted):
            torch.manual_seed(seed + 1)
            solver.train(return_best_params=False)
        away = [
            max((p - whole.model.params[key]).abs().max().item() for key, p in solver.model.params.items())
            for solver in (resumed, restarted)
        ]
        measured("away by {:.0e} from the checkpoint, {:.0e} from parameters".format(*away))
        assert away[0] == 0 < away[1]


@each_seed
def test_drawn_evenly_a_hundredth_lies_below_1e_3(seed, measured):
    draws = 1e-5 + (1e-1 - 1e-5) * torch.rand(10_000, generator=torch.Generator().manual_seed(seed))
    share = (draws < 1e-3).double().mean().item()
    measured(f"{share:.1%}")
    assert 0.005 < share < 0.015
