"""Sentences of the notebooks that a run could refute, for three seeds."""

import pytest

from assignments.a07_transformer import experiments

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
