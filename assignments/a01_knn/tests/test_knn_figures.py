"""The figures of the notebook show what they say."""

import numpy as np
import pytest
import torch

from assignments.a01_knn import figures


@pytest.fixture
def random():
    return torch.Generator().manual_seed(0)


class Nearest:
    """A classifier of the plane with one neighbour, whatever k."""

    def __init__(self, x_train, y_train):
        self.x_train, self.y_train = x_train, y_train

    def predict(self, x_test, k):
        return self.y_train[torch.cdist(x_test, self.x_train).argmin(1)]


def test_damages_end_at_the_distance_of_the_shift(random):
    pictures = torch.rand(6, 3, 12, 10, generator=random)
    labels = torch.tensor([0, 1, 0, 1, 0, 1])
    others = pictures[[3, 0]] * 0.99
    fig, distances = figures.equal_damage(pictures, labels, others, torch.tensor([1, 1]), shift=2)
    moved = figures.shift_right(pictures, 2)
    torch.testing.assert_close(moved[..., 2:], pictures[..., :-2])
    expected = torch.dist(moved[0], pictures[0]).item()
    assert [distances[name] for name in ("itself, shifted", "patched")] == pytest.approx([expected] * 2)
    assert distances.keys() & {"darker", "brighter"}
    assert distances["another class"] == pytest.approx(torch.dist(others[1], pictures[0]).item())
    assert len(fig.axes) == 5


def test_slope_is_the_power():
    n = np.array([10, 30, 100])
    assert figures.slope(n, 7 * n**1.5) == pytest.approx(1.5)


def test_distance_matrix_keeps_rows_for_training_images():
    dists = torch.arange(12.0).view(4, 3)
    ax, side, *_ = figures.distance_matrix(dists, "by nothing").axes
    assert ax.images[0].get_array().shape == (4, 3)
    assert "training" in ax.get_ylabel()
    assert "query" in ax.get_xlabel()
    assert side.lines[0].get_xdata().tolist() == [1.0, 4.0, 7.0, 10.0]


def test_a_decision_map_has_x1_to_the_right_and_x2_upwards():
    classifier = Nearest(torch.tensor([[-1.0, -1], [1, -1], [-1, 1]]), torch.tensor([0, 1, 2]))
    fig, alt = figures.decision_map(classifier, ks=(1, 2), resolution=9)
    first, second = fig.axes
    region = first.images[0].get_array()
    assert [region[0, 0], region[0, -1], region[-1, 0]] == [0, 1, 2]
    assert (first.images[0].origin, second.get_title()) == ("lower", "k = 2")
    assert "0 of 3 training points" in alt


def test_right_and_wrong_neighbours_differ_in_line_style(random):
    images = torch.rand(3, 3, 4, 4, generator=random)
    fig = figures.neighbour_rows(images[:1], ["a"], images[None, 1:], [["a", "b"]], torch.ones(1, 2))
    styles = [ax.spines["top"].get_linestyle() for ax in fig.axes]
    assert styles[1] != styles[2]
