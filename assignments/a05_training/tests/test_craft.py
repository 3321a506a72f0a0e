"""What the notebook on the craft of training says, measured."""

import math

import pytest
import torch
from torch.nn import functional as F
from torch.optim import lr_scheduler

from assignments.a05_training import figures
from exercise_code.support import data
from exercise_code.training import losses


@pytest.fixture(scope="module")
def shapes():
    """200 images of shapes, 16 x 16, and their labels."""
    prepared = data.prepare("shapes", 200, 10, 10, flatten=False)
    return figures.halved(prepared["X_train"]), prepared["y_train"]


def test_squares_settle_at_the_mean_and_absolute_errors_at_a_median():
    targets = torch.randn(4, 25, generator=torch.Generator().manual_seed(0))
    targets[:, :5] = 10
    squared, absolute = (figures.best_constants(loss, targets) for loss in (losses.mse_loss, losses.l1_loss))
    torch.testing.assert_close(squared, targets.mean(1), rtol=0.01, atol=0.01)
    torch.testing.assert_close(absolute, targets.median(1).values, rtol=0.02, atol=0.02)


def test_a_second_softmax_slows_learning(shapes):
    def twice(x, y):
        return losses.cross_entropy(x.softmax(1), y)

    once, again = (
        torch.tensor(
            [
                figures.accuracy(figures.fitted(loss, *shapes, seed, steps=30), *shapes, training=True)
                for seed in range(3)
            ]
        )
        for loss in (losses.cross_entropy, twice)
    )
    assert once.min() > again.max() + 20
    sure = 1000 * torch.eye(10)
    assert twice(sure, torch.arange(10)).item() == pytest.approx(1.461, abs=1e-3)


def test_a_score_of_200_teaches_through_scores_only():
    score = torch.tensor([200.0], requires_grad=True)
    no = torch.zeros(1)
    gradients = [
        torch.autograd.grad(loss, score)[0].item()
        for loss in (
            losses.binary_cross_entropy_with_logits(score, no),
            F.binary_cross_entropy(score.sigmoid(), no),
            losses.binary_cross_entropy(score.sigmoid(), no),
        )
    ]
    assert gradients[:2] == [1, 0] and gradients[2] != gradients[2]


def test_a_rate_of_1_is_too_large_unless_gradients_are_clipped(shapes):
    def share_right(rate, max_norm=math.inf):
        rows = [figures.share_right(*shapes, seed, rate, cosine=True, max_norm=max_norm) for seed in range(3)]
        return torch.tensor(rows)

    assert min(share_right(0.02).min(), share_right(1.0, 0.5).min()) > share_right(1.0).max() + 20
    assert share_right(0.002).max() < share_right(0.02).min() - 20


def test_moved_images_are_learned_less_and_teach_more():
    prepared = data.prepare("shapes", 400, 500, 10, flatten=False)
    images, unseen = figures.halved(prepared["X_train"]), figures.halved(prepared["X_val"])
    found = torch.zeros(2, 3, 2)
    for row, pixels in enumerate((0, 2)):
        for seed in range(3):
            draw = torch.Generator().manual_seed(seed)
            net = figures.fitted_moving(images, prepared["y_train"], seed, 150, pixels, draw)
            right = (
                figures.accuracy(net, images, prepared["y_train"]),
                figures.accuracy(net, unseen, prepared["y_val"]),
            )
            found[row, seed] = torch.tensor(right)
    still, moved = found
    assert moved[:, 0].max() < still[:, 0].min() - 10
    assert moved[:, 1].mean() > still[:, 1].mean() + 2 * (moved[:, 1].std() + still[:, 1].std())


def test_bfloat16_loses_small_steps():
    weight = torch.tensor([1.0, 1.5, 1.99], dtype=torch.bfloat16)
    assert torch.equal(weight + weight / 520, weight)


def test_images_move_by_whole_pixels():
    images = 1 + torch.rand(2, 3, 5, 7)
    moved = figures.shifted(images, 1, torch.Generator().manual_seed(1))
    assert moved.shape == images.shape
    padded = F.pad(images, (1, 1, 1, 1))
    places = [(top, left) for top in range(3) for left in range(3)]
    assert any(torch.equal(moved, padded[:, :, row : row + 5, col : col + 7]) for row, col in places)


def test_figures_of_the_craft_say_what_they_show():
    runs = {"L1": torch.tensor([[1.0, 3.0], [5.0, 7.0]])}
    fig, alt = figures.over_setting("wild", (0, 6), runs, "constant")
    assert fig.axes[0].lines[0].get_ydata().tolist() == [2, 6]
    assert alt == "constant over wild: L1 2 ± 1.4 at 0, 6 ± 1.4 at 6."
    fig, alt = figures.functions({"a": ([0, 1], [2.0, 4.0])}, "x", "y", {"torch": ([0, 1], [2.0, 4.0])})
    assert len(fig.axes[0].lines) == 2
    assert alt == "y over x: a from 2 at 0 to 4 at 1; dots: torch."
    _, alt = figures.functions({"a": ([0, 1, 2], [2.0, 0.5, 4.0])}, "x", "y")
    assert alt == "y over x: a from 2 at 0 to 4 at 2, lowest 0.5 at 1."
    assert figures.rates_of(lambda o: lr_scheduler.StepLR(o, 1, 0.5), 0.4, 3) == [0.4, 0.2, 0.1]
