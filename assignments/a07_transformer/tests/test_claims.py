"""Sentences of the notebooks that a run could refute, for three seeds or more."""

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


@pytest.mark.parametrize("seed", range(20))
def test_sums_bring_the_gradient_through_and_norms_alone_do_not(seed):
    shares = {}
    for kind in ("norm after", "norm before", "no sum"):
        norms = experiments.gradients_by_layer(kind, 24, seed)
        shares[kind] = (norms[0] / norms[-1]).item()
    assert 0.0025 < shares["no sum"] < 0.425
    assert 0.455 < shares["norm after"] < 1.85
    assert 0.455 < shares["norm before"] < 1.85


def asked_and_due(texts):
    return [experiments.as_tokens(each) for each in zip(*texts, strict=True)]


@pytest.mark.parametrize("seed", range(3))
def test_a_transformer_learns_to_calculate(seed):
    known = experiments.sums(21_000, seed)
    calculator = experiments.Calculator(seed)
    for _ in calculator.learn(known[:20_000], known[20_000:], 15, seed):
        pass
    assert calculator.history[2] < 20
    assert calculator.history[-1] > 80
    assert calculator.words_right(*asked_and_due(known[20_000:])) > calculator.history[-1]


@pytest.mark.parametrize("seed", range(3))
def test_four_questions_are_learned_by_heart(seed):
    four = experiments.sums(4, seed)
    calculator = experiments.Calculator(seed)
    for _ in calculator.learn(four, four, 100, seed):
        pass
    assert calculator.words_right(*asked_and_due(four)) == 100


@pytest.mark.parametrize("seed", range(3))
def test_without_the_mask_words_are_copied_and_answers_wrong(seed):
    known = experiments.sums(7_400, seed)
    calculator = experiments.Calculator(seed)
    with experiments.nothing_hidden():
        for _ in calculator.learn(known[:6_400], known[6_400:], 3, seed):
            pass
        assert calculator.words_right(*asked_and_due(known[6_400:])) > 99
    assert calculator.right(*asked_and_due(known[6_400:])) < 5


@pytest.mark.parametrize("seed", range(3))
def test_captions_are_learned_by_heart_and_not_understood(seed):
    shown, others = experiments.pictures("train", 50), experiments.pictures("test", 200)
    net, history = experiments.captioner(shown, 100, seed)
    assert history[-1] < 0.03
    assert experiments.sentences(net, shown) == shown.said
    assert experiments.truth(experiments.sentences(net, others), others) < 15
