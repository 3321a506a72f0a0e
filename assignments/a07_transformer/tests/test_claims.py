"""Sentences of the notebooks that a run could refute, for three seeds."""

import pytest
from torch.nn import functional

from assignments.a07_transformer import experiments
from exercise_code.support import data
from exercise_code.vit.model import VisionTransformer

pytestmark = pytest.mark.deep


@pytest.mark.parametrize("seed", range(3))
def test_two_heads_grant_what_one_cannot(seed):
    one, two = (experiments.granted(experiments.wisher(num_heads, seed, 300)) for num_heads in (1, 2))
    assert 55 < one < 75
    assert two > one + 10


@pytest.mark.parametrize("seed", range(3))
def test_without_positions_order_is_guessed(seed):
    assert 46 < experiments.order_told(positions=False, seed=seed, steps=200) < 54
    assert experiments.order_told(positions=True, seed=seed, steps=200) > 65


@pytest.mark.parametrize("seed", range(3))
def test_the_root_keeps_the_softmax_from_choosing(seed):
    bare, divided = (experiments.sizes_of_scores([256], seed, divided=each)[0, 1] for each in (False, True))
    assert bare > 0.8
    assert 0.15 < divided < 0.35


@pytest.mark.parametrize("seed", range(3))
def test_a_middle_width_is_best(seed):
    x, y, truth = experiments.measured_curve(60, seed)
    errors = {
        width: (experiments.by_distance(x, x, y, width)[0] - truth).square().mean()
        for width in (0.02, 0.2, 2.0)
    }
    assert min(errors, key=errors.get) == 0.2


@pytest.mark.parametrize("seed", range(3))
def test_a_small_vision_transformer_learns_a_batch_by_heart(seed):
    images = experiments.pictures("shapes", 64, 10)
    x, y = images["X_train"], images["y_train"]
    net = experiments.classifier(
        lambda: VisionTransformer(embed_dim=64, num_layers=2, dropout=0.0), x, y, 100, seed, rate=1e-3
    )
    assert experiments.accuracy(net, x, y) == 100


@pytest.mark.parametrize("name, ahead", [("shapes", ("CNN", "ViT")), ("cifar10", ("CNN", "CNN"))])
def test_who_is_ahead_depends_on_data_and_their_number(name, ahead):
    if not data.available(name):
        pytest.skip(f"{name} is not here")
    images = experiments.pictures(name, 2_000, 1_000)
    makers = {"CNN": experiments.small_cnn, "ViT": experiments.small_vit}
    found = experiments.race(makers, images, (500, 2_000), range(3), 312)
    for place, winner in enumerate(ahead):
        loser = {"CNN": "ViT", "ViT": "CNN"}[winner]
        assert found[winner][place].min() > found[loser][place].max()


def test_memory_grows_with_the_square_or_with_the_length():
    own, theirs = (
        [experiments.costs(attend, length)[1] for length in (1_024, 2_048)]
        for attend in (experiments.own_attention, functional.scaled_dot_product_attention)
    )
    assert 3.8 < own[1] / own[0] < 4.1
    assert 1.9 < theirs[1] / theirs[0] < 2.1
    assert own[1] > 100 * theirs[1]
