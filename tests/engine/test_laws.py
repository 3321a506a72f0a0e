"""Laws that checks of several assignments share."""

import pytest
import torch

from exercise_code.support.checking.laws import not_normal

COUNT = 600


def drawn(seed: int) -> torch.Tensor:
    return torch.randn(COUNT, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("std", [0.05, 0.9, 1.0])
def test_normal_numbers_are_right(std):
    assert not any(not_normal(std * drawn(seed), std) for seed in range(500))


def test_even_numbers_are_seen_where_there_are_220():
    for seed in range(500):
        even = torch.rand(220, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
        assert not_normal(0.05 * 3**0.5 * (2 * even - 1), 0.05), seed


@pytest.mark.parametrize(
    "weights, sentence",
    [
        (torch.zeros(COUNT), "all weights are equal"),
        (0.05 * drawn(0).abs(), "the mean is"),
        (drawn(0), "the standard deviation is 1, whatever is asked for"),
        (0.05**2 * drawn(0), "the variance that is due"),
        (0.03 * drawn(0), "too small"),
        (0.08 * drawn(0), "too large"),
        (0.05 * torch.linspace(-(3**0.5), 3**0.5, 60_000).double(), "even between two bounds"),
        (0.05 * drawn(0).sign(), "not normally distributed"),
    ],
)
def test_what_is_wrong_with_others_is_said(weights, sentence):
    assert sentence in not_normal(weights, 0.05)
