"""Sentences of the notebooks that a run could refute, measured on the default images and on photographs."""

import pytest
import torch

from assignments.a02_linear import figures
from exercise_code.linear import linear_classifier as linear
from exercise_code.linear import two_layer_net as two
from exercise_code.support import data

pytestmark = pytest.mark.deep
SEEDS = range(3)
LOSSES = {"SVM": linear.svm_loss_vectorized, "softmax": linear.softmax_loss_vectorized}
PHOTOGRAPHS = pytest.param(
    "cifar10", marks=pytest.mark.skipif(not data.available("cifar10"), reason="needs CIFAR-10")
)


@pytest.fixture(scope="module", params=["shapes", PHOTOGRAPHS])
def name(request):
    """The data set that the notebook uses."""
    return request.param


@pytest.fixture(scope="module")
def images(name):
    """Prepared as in the notebook."""
    return data.prepare(name, 9_000, 1_000, 1_000, bias_trick=True)


@pytest.fixture(scope="module")
def trained(images):
    """Softmax as in the notebook's search, for each seed."""
    found = []
    for seed in SEEDS:
        torch.manual_seed(seed)
        found.append(linear.test_one_param_set(linear.Softmax(), images, 0.03, 1e-2, 1_500)[0])
    return found


@pytest.fixture
def measured(record_property):
    """Notes what was measured, for the report of the run."""
    return lambda text: record_property("measured", text)


def right(classifier, X, y):
    """Accuracy in per cent."""
    return 100 * (classifier.predict(X) == y).double().mean().item()


def test_mean_pictures_are_little_better_than_guessing_and_the_brightest_wins_most_often(name, measured):
    rows, labels, _, _ = data.load(name, 10_000, 1)
    rows = rows.flatten(1)
    for seed in SEEDS:
        order = torch.randperm(10_000, generator=torch.Generator().manual_seed(seed))
        train, val = order[:9_000], order[9_000:]
        means = torch.stack([rows[train][labels[train] == place].mean(0) for place in range(10)], 1)
        said = (rows[val] @ means).argmax(1)
        accuracy = (said == labels[val]).double().mean().item()
        share = (said == means.sum(0).argmax()).double().mean().item()
        measured(f"{accuracy:.0%} right, the brightest {share:.0%} of the time")
        assert accuracy < 0.2
        assert share > 0.5


def test_a_batch_points_in_another_direction_the_more_so_after_training(images, trained, measured):
    for classifier in trained:
        cosines = [
            figures.batch_cosines(LOSSES["softmax"], W, images["X_train"], images["y_train"], 200, 20).mean()
            for W in (torch.zeros_like(classifier.W), classifier.W)
        ]
        measured(f"cosine {cosines[0]:.2f} untrained, {cosines[1]:.2f} trained")
        assert cosines[1] < cosines[0] - 0.03
        assert cosines[1] < 0.5


def test_still_the_loss_falls(images, measured):
    for seed in SEEDS:
        torch.manual_seed(seed)
        history = linear.Softmax().train(
            images["X_train"], images["y_train"], learning_rate=3e-2, reg=1e-2, num_iters=1_500
        )
        first, last = torch.tensor(history[:100]).mean(), torch.tensor(history[-100:]).mean()
        measured(f"loss {first:.2f}, then {last:.2f}")
        assert last < first - 0.1


def test_a_rate_that_is_too_low_is_slow_and_one_that_is_too_high_overshoots(images, measured):
    accuracies = {}
    for rate in (1e-4, 3e-2, 10.0):
        for seed in SEEDS:
            torch.manual_seed(seed)
            classifier = linear.Softmax()
            classifier.train(
                images["X_train"], images["y_train"], learning_rate=rate, reg=1e-3, num_iters=150
            )
            accuracies[rate, seed] = right(classifier, images["X_val"], images["y_val"])
    measured(", ".join(f"{accuracies[rate, 0]:.0f} % at {rate:g}" for rate in (1e-4, 3e-2, 10.0)))
    for seed in SEEDS:
        assert accuracies[3e-2, seed] > accuracies[1e-4, seed] + 3
        assert accuracies[3e-2, seed] > accuracies[10.0, seed] + 3


def test_mixed_up_pixels_cost_nothing(images, trained, measured):
    for seed, classifier in zip(SEEDS, trained, strict=True):
        order = torch.randperm(3072, generator=torch.Generator().manual_seed(seed))
        order = torch.cat([order, torch.tensor([3072])])
        mixed = {**images, "X_train": images["X_train"][:, order], "X_val": images["X_val"][:, order]}
        torch.manual_seed(seed)
        *_, shuffled = linear.test_one_param_set(linear.Softmax(), mixed, 0.03, 1e-2, 1_500)
        before = right(classifier, images["X_val"], images["y_val"])
        measured(f"{before:.1f} % upright, {100 * shuffled:.1f} % mixed up")
        assert abs(before - 100 * shuffled) < 3


def test_turning_costs_photographs_much_and_shapes_next_to_nothing(name, images, trained, measured):
    """On photographs standing on the head costs most, the mirror least."""
    upright = images["X_val"][:, :-1].reshape(-1, 3, 32, 32)
    turned = {
        "upright": upright,
        "mirrored": upright.flip(3),
        "turned": upright.rot90(1, (2, 3)),
        "upside down": upright.flip(2),
    }
    for classifier in trained:
        rows = {kind: torch.cat([x.flatten(1), x.new_ones(len(x), 1)], 1) for kind, x in turned.items()}
        found = {kind: right(classifier, X, images["y_val"]) for kind, X in rows.items()}
        measured(", ".join(f"{kind} {accuracy:.1f} %" for kind, accuracy in found.items()))
        if name == "shapes":
            assert max(found.values()) - min(found.values()) < 5
        else:
            assert found["upside down"] < found["turned"] < found["mirrored"] - 5
            assert found["upright"] - found["mirrored"] < 5


def test_moving_by_ten_pixels_and_exchanging_colours_cost_most_of_what_is_above_guessing(
    images, trained, measured
):
    upright = images["X_val"][:, :-1].reshape(-1, 3, 32, 32)
    changed = {"upright": upright, "moved": upright.roll(10, 3), "red and blue exchanged": upright.flip(1)}
    for classifier in trained:
        rows = {kind: torch.cat([x.flatten(1), x.new_ones(len(x), 1)], 1) for kind, x in changed.items()}
        found = {kind: right(classifier, X, images["y_val"]) for kind, X in rows.items()}
        measured(", ".join(f"{kind} {accuracy:.1f} %" for kind, accuracy in found.items()))
        assert found["moved"] < found["upright"] - 8
        assert found["red and blue exchanged"] < found["upright"] - 8


def test_with_the_default_arguments_training_is_slow_and_has_no_gap(images, measured):
    flat = [images[key][:, :-1] if key[0] == "X" else images[key] for key in ("X_train", "y_train", "X_val")]
    for seed in SEEDS:
        torch.manual_seed(seed)
        net = two.TwoLayerNet(3072, 50, 10)
        stats = net.train(*flat, images["y_val"], num_iters=1_500)
        fall = stats["loss_history"][0] - stats["loss_history"][-1]
        gap = 100 * (stats["train_acc_history"][-1] - stats["val_acc_history"][-1])
        measured(f"loss falls by {fall:.2f}, gap {gap:.0f} points")
        assert fall < 0.2
        assert gap < 10


def test_a_wide_network_is_ahead_of_a_narrow_one(images, measured):
    flat = [images[key][:, :-1] if key[0] == "X" else images[key] for key in ("X_train", "y_train", "X_val")]
    for seed in SEEDS:
        found = {}
        for hidden in (8, 128):
            torch.manual_seed(seed)
            net = two.TwoLayerNet(3072, hidden, 10)
            net.train(*flat, images["y_val"], num_iters=600, learning_rate=0.3, reg=1e-3)
            found[hidden] = right(net, flat[2], images["y_val"])
        measured(f"8 units {found[8]:.0f} %, 128 units {found[128]:.0f} %")
        assert found[128] > found[8]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_point_far_on_its_own_side_moves_no_border_and_on_the_wrong_side_that_of_the_svm_more(
    seed, measured
):
    X, y = figures.clouds(90, seed, [(0.0, 1.3), (1.2, -0.7), (-1.2, -0.7)], [0, 1, 2])
    moved = {}
    for height in (3.0, -3.0):
        X_more = torch.cat([X, torch.tensor([[0.0, height, 1.0]])])
        y_more = torch.cat([y, torch.tensor([0])])
        for kind, loss in LOSSES.items():
            start, used = figures.descend(loss, X, y, 1e-3), figures.summed(loss, 90)
            same = figures.descend(used, X, y, 1e-3, start=start)
            W = figures.descend(used, X_more, y_more, 1e-3, start=start)
            moved[kind, height] = 100 * figures.changed_share(same, W, 3.24)
    measured(", ".join(f"{kind} {share:.2f} % at {height:g}" for (kind, height), share in moved.items()))
    assert moved["SVM", 3.0] < 0.1 and moved["softmax", 3.0] < 1
    assert moved["SVM", -3.0] > moved["softmax", -3.0] > 5


@pytest.mark.parametrize("seed", SEEDS)
def test_a_straight_border_gets_at_best_three_of_four_crossed_clouds_right(seed, measured):
    """Softmax ends near W = 0, unsure of every point."""
    X, y = figures.clouds(120, seed, [(-1.0, -1.0), (1.0, 1.0), (-1.0, 1.0), (1.0, -1.0)], [0, 0, 1, 1])
    found = {kind: figures.descend(loss, X, y, 1e-3) for kind, loss in LOSSES.items()}
    shares = {
        kind: (linear.predict_linear_classifier(W, X) == y).double().mean().item()
        for kind, W in found.items()
    }
    size = found["softmax"].norm().item()
    measured(", ".join(f"{kind} {s:.0%}" for kind, s in shares.items()) + f", |W| of softmax {size:.2f}")
    assert max(shares.values()) < 0.8
    assert size < 0.5


@pytest.mark.parametrize("seed", SEEDS)
def test_without_a_penalty_w_may_grow_for_ever(seed, measured):
    X, y = figures.clouds(90, seed, [(0.0, 2.0), (1.9, -1.1), (-1.9, -1.1)], [0, 1, 2])
    W = figures.descend(LOSSES["softmax"], X, y, 1e-2)
    values = {reg: [LOSSES["softmax"](f * W, X, y, reg)[0].item() for f in (0.5, 1, 4)] for reg in (0, 0.01)}
    measured("; ".join(f"reg {reg:g}: " + ", ".join(f"{v:.3f}" for v in vs) for reg, vs in values.items()))
    assert values[0][0] > values[0][1] > values[0][2]
    assert values[0.01][1] < min(values[0.01][0], values[0.01][2])
