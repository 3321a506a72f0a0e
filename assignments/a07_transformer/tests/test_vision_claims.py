"""Sentences of the fourth notebook that a run could refute, for three seeds."""

import pytest
from torch.nn import functional

from assignments.a07_transformer import vision, vision_figures
from exercise_code.attention.fast import attention_in_blocks
from exercise_code.support import data
from exercise_code.vit.model import VisionTransformer

pytestmark = pytest.mark.deep


@pytest.mark.parametrize("seed", range(3))
def test_a_small_vision_transformer_learns_a_batch_by_heart(seed):
    images = vision.pictures("shapes", 64, 10)
    x, y = images["X_train"], images["y_train"]
    net = vision.classifier(
        lambda: VisionTransformer(embed_dim=64, num_layers=2, dropout=0.0), x, y, 100, seed, rate=1e-3
    )
    assert vision.accuracy(net, x, y) == 100


@pytest.mark.parametrize("name, ahead", [("shapes", ("CNN", "ViT")), ("cifar10", ("CNN", "CNN"))])
def test_who_is_ahead_depends_on_data_and_their_number(name, ahead):
    if not data.available(name):
        pytest.skip(f"{name} is not here")
    images = vision.pictures(name, 2_000, 1_000)
    makers = {"CNN": vision.small_cnn, "ViT": vision.small_vit}
    found = vision.race(makers, images, (500, 2_000), range(3), 312)
    for place, winner in enumerate(ahead):
        loser = {"CNN": "ViT", "ViT": "CNN"}[winner]
        assert found[winner][place].min() > found[loser][place].max()


def in_blocks(query, key, value):
    return attention_in_blocks(query[0], key[0], value[0], 128)


def test_memory_grows_with_the_square_or_with_the_length():
    own, theirs, blocks = (
        [vision.costs(attend, length)[1] for length in (1_024, 2_048)]
        for attend in (vision.own_attention, functional.scaled_dot_product_attention, in_blocks)
    )
    assert 3.8 < own[1] / own[0] < 4.1
    assert 1.9 < theirs[1] / theirs[0] < 2.1
    assert 1.9 < blocks[1] / blocks[0] < 2.1
    assert own[1] > 100 * theirs[1]


@pytest.mark.parametrize("seed", range(3))
def test_few_pictures_leave_no_grid_in_the_positions(seed):
    images = vision.pictures("shapes", 2_000, 10)
    net = vision.classifier(lambda: vision.small_vit(4), images["X_train"], images["y_train"], 10, seed)
    near, far = vision_figures.near_and_far(vision.alike(net.pos[0, 1:]), 8)
    assert near - far < 0.05
