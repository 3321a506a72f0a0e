"""What cases draw: unequal sizes, no ties, nothing empty unless asked, and the same for the same seed."""

import pytest
import torch

from exercise_code.support.checking.case import Case

SEEDS = range(30)

DRAWN = {
    "numbers": lambda case: case.numbers(4, 5, 3),
    "feature maps": lambda case: case.feature_maps(2, 3, 5, 7),
    "probabilities": lambda case: case.probabilities(6, 12),
    "labels of": lambda case: case.labels_of(9, [3, 17, 40]),
    "tokens": lambda case: case.tokens(5, 7, 12),
    "boxes": lambda case: case.boxes(6),
    "masks": lambda case: case.masks(4, 5, 9),
}


def case(seed: int, **settings) -> Case:
    """A case of a check that is not there."""
    return Case(seed, "lab.work", **settings)


@pytest.mark.parametrize("name", DRAWN)
def test_equal_seeds_draw_equal_inputs(name):
    one, same, other = (DRAWN[name](case(seed)) for seed in (1, 1, 2))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


@pytest.mark.parametrize("seed", SEEDS)
def test_numbers_have_no_ties_and_no_zeros(seed):
    values = case(seed).numbers(4, 6, 3, reach=3.0)
    assert len(values.unique()) == values.numel()
    assert (values != 0).all()
    assert values.abs().max() <= 3


def test_the_number_of_maps_grows_with_the_scale_and_parameters_do_not():
    large = case(0, scale=4)
    assert large.feature_maps(2, 3, 5, 7).shape == (8, 3, 5, 7)
    assert large.parameters(6, 5, 4)["W2"].shape == (5, 4)


def test_a_pyramid_halves_and_rounds_up():
    maps = case(0).pyramid(2, 4, 13, 22, levels=3)
    assert {name: tuple(each.shape) for name, each in maps.items()} == {
        "p3": (2, 4, 13, 22),
        "p4": (2, 4, 7, 11),
        "p5": (2, 4, 4, 6),
    }


@pytest.mark.parametrize("seed", SEEDS)
def test_probabilities_sum_to_one_and_come_close_to_zero(seed):
    rows = case(seed, dtype=torch.float64).probabilities(20, 12)
    torch.testing.assert_close(rows.sum(dim=1), torch.ones(20, dtype=torch.float64))
    assert 0 < rows.min() < 1e-4


@pytest.mark.parametrize("seed", SEEDS)
def test_labels_may_have_gaps(seed):
    assert {*case(seed).labels_of(9, [3, 17, 40]).tolist()} == {3, 17, 40}


@pytest.mark.parametrize("seed", SEEDS)
def test_tokens_are_padded_at_their_ends_to_unequal_lengths(seed):
    rows = case(seed).tokens(5, 7, 12, pad=2, first=1, least=2)
    padded = rows == 2
    assert (padded.int().diff(dim=1) >= 0).all()
    lengths = (~padded).sum(dim=1)
    assert (lengths.min(), lengths.max()) == (2, 7)
    assert rows.min() >= 1 and rows.max() < 12


@pytest.mark.parametrize("seed", SEEDS)
def test_boxes_lie_in_an_image_that_is_not_square(seed):
    left, top, right, bottom = case(seed).boxes(8, height=20, width=50).unbind(dim=1)
    assert ((left >= 0) & (left < right) & (right < 50)).all()
    assert ((top >= 0) & (top < bottom) & (bottom < 20)).all()
    assert (right - left != bottom - top).all()


def test_boxes_touch_when_asked_and_may_be_none():
    first, second, *_ = case(0).boxes(4, touching=True)
    assert first[2] == second[0] and first[1] == second[1] and first[3] == second[3]
    assert case(0).boxes(0).shape == (0, 4)


@pytest.mark.parametrize("seed", SEEDS)
def test_masks_are_neither_empty_nor_full(seed):
    masks = case(seed).masks(6, 5, 9)
    assert masks.dtype == torch.bool
    share = masks.float().mean(dim=(1, 2))
    assert ((share > 0) & (share < 1)).all()


@pytest.mark.parametrize("num", [1, 2, 5])
def test_lengths_have_the_longest_and_the_shortest(num):
    found = case(3).lengths(num, most=6, least=0)
    assert len(found) == num
    assert {6, *([0] if num > 1 else [])} <= {*found}


def test_all_that_is_drawn_is_remembered():
    drawn = case(0)
    for draw in DRAWN.values():
        draw(drawn)
    assert len(drawn.handed_out) == len(DRAWN)
    drawn.handed_out[0].zero_()
    assert drawn.now != drawn.drawn
