"""Sentences of the notebook that a run could refute, measured on the default images and on photographs."""

import pytest
import torch
from torch.nn.functional import avg_pool2d

from assignments.a01_knn import figures
from exercise_code import knn
from exercise_code.support import data

pytestmark = pytest.mark.deep
SEEDS = range(3)
PHOTOGRAPHS = pytest.param(
    "cifar10", marks=pytest.mark.skipif(not data.available("cifar10"), reason="needs CIFAR-10")
)


@pytest.fixture(scope="module", params=["shapes", PHOTOGRAPHS])
def name(request):
    """The data set that the notebook uses."""
    return request.param


@pytest.fixture(scope="module", params=SEEDS)
def sets(name, request):
    """Training and validation images as in the notebook, drawn by a seed: x_train, y_train, x_val, y_val."""
    images, labels, _, _ = data.load(name, 6_000, 1)
    order = torch.randperm(6_000, generator=torch.Generator().manual_seed(request.param))
    train, val = order[:5_000], order[5_000:5_500]
    return images[train], labels[train], images[val], labels[val]


@pytest.fixture(scope="module")
def dists(sets):
    """Distances of all pairs."""
    x_train, _, x_val, _ = sets
    return knn.compute_distances_no_loops(x_train, x_val)


@pytest.fixture
def measured(record_property):
    """Notes what was measured, for the report of the run."""
    return lambda text: record_property("measured", text)


def spiral(sizes, seed, wrong=0.0):
    """Points on spiral arms, as in the notebook."""
    random = torch.Generator().manual_seed(seed)
    y = torch.arange(len(sizes)).repeat_interleave(torch.tensor(sizes))
    radius = 0.15 + 0.85 * torch.rand(len(y), generator=random).sqrt()
    angle = 2 * torch.pi * y / len(sizes) + 3.5 * radius + 0.3 * torch.randn(len(y), generator=random)
    other = (y + torch.randint(1, len(sizes), y.shape, generator=random)) % len(sizes)
    flipped = torch.rand(len(y), generator=random) < wrong
    return torch.stack([radius * angle.cos(), radius * angle.sin()], 1), torch.where(flipped, other, y)


def test_four_pixels_of_shift_carry_some_pictures_beyond_another_class(sets, dists, measured):
    _, y_train, x_val, y_val = sets
    other = dists.masked_fill(y_train[:, None] == y_val, torch.inf).amin(0)
    lost = [
        100
        * (knn.compute_distances_no_loops(x_val, figures.shift_right(x_val, by)).diag() > other)
        .double()
        .mean()
        for by in (1, 2, 4, 6)
    ]
    measured(", ".join(f"{share:.0f} %" for share in lost))
    assert lost[0] < lost[2] <= lost[3]
    assert lost[2] > 5


def test_a_row_is_bright_where_its_image_is_far_from_the_mean_image(sets, dists, measured):
    x_train = sets[0]
    from_mean = knn.compute_distances_no_loops(x_train, x_train.mean(0)[None])[:, 0]
    together = torch.corrcoef(torch.stack([dists.mean(1), from_mean]))[0, 1].item()
    measured(f"correlation {together:.3f}")
    assert together > 0.9


def test_neighbours_agree_in_light_more_than_in_class(sets, dists, measured):
    x_train, y_train, x_val, y_val = sets
    first = dists.argmin(0)
    same = (y_train[first] == y_val).double().mean().item()
    light = torch.stack([x_val.mean((1, 2, 3)), x_train[first].mean((1, 2, 3))])
    agreement = torch.corrcoef(light)[0, 1].item()
    measured(f"brightness correlates {agreement:.2f}, class agrees {same:.0%}")
    assert agreement > 0.6
    assert same < 0.5


def test_the_fewer_images_choose_the_more_they_flatter(sets, dists, measured):
    _, y_train, _, y_val = sets
    ks, random = (1, 3, 5, 8, 10, 12, 15, 20, 50, 100), torch.Generator().manual_seed(0)
    right = torch.stack([knn.predict_labels(dists, y_train, k) == y_val for k in ks]).double()
    gaps = {}
    for n in (25, 50, 250):
        found = []
        for _ in range(500):
            mixed = right[:, torch.randperm(len(y_val), generator=random)]
            chosen = mixed[:, :n].mean(1).argmax()
            found.append(100 * (mixed[chosen, :n].mean() - mixed[chosen, n:].mean()).item())
        gaps[n] = sum(found) / len(found)
    measured(", ".join(f"{gap:.1f} points at n = {n}" for n, gap in gaps.items()))
    assert gaps[25] > gaps[50] > gaps[250] > 0


def test_images_crowd_less_than_uniform_points_of_their_dimension(sets, measured):
    x_train, _, x_val, _ = sets
    random = torch.Generator().manual_seed(0)
    pairs = {
        "uniform": (torch.rand(500, 3072, generator=random), torch.rand(20, 3072, generator=random)),
        "images": (x_train[:500], x_val[:20]),
    }
    ratios = {}
    for kind, (points, queries) in pairs.items():
        far = knn.compute_distances_no_loops(points, queries)
        ratios[kind] = (far.amin(0) / far.amax(0)).mean().item()
    measured(", ".join(f"{kind} {ratio:.2f}" for kind, ratio in ratios.items()))
    assert ratios["uniform"] > 0.9
    assert ratios["images"] < ratios["uniform"] - 0.2


def test_a_shuffle_a_shift_of_the_origin_and_a_rotation_keep_all_neighbours_a_scale_per_pixel_does_not(
    sets, measured
):
    a, b = (avg_pool2d(images, 4).flatten(1).double() for images in (sets[0][:1000], sets[2][:100]))
    random = torch.Generator().manual_seed(0)
    rotation = torch.linalg.qr(torch.randn(192, 192, generator=random, dtype=torch.float64)).Q
    shuffled = torch.randperm(192, generator=random)
    before = knn.compute_distances_no_loops(a, b).argmin(0)

    def changed(transform):
        return int((knn.compute_distances_no_loops(transform(a), transform(b)).argmin(0) != before).sum())

    scaled = changed(lambda images: images / a.std(0))
    measured(f"{scaled} of 100 changed by a scale per pixel")
    assert changed(lambda images: images - a.mean(0)) == 0
    assert changed(lambda images: images / 255) == 0
    assert changed(lambda images: images[:, shuffled]) == 0
    assert changed(lambda images: images @ rotation) == 0
    assert scaled > 0


def test_the_best_k_grows_with_the_share_of_wrong_labels_and_no_k_is_safe(measured):
    ks = (1, 3, 5, 10, 25, 50, 100, 300)
    curves = {}
    for share in (0.0, 0.4):
        curves[share] = torch.zeros(len(ks), 5)
        for seed in range(5):
            noisy = knn.KnnClassifier(*spiral((80, 100, 120), seed, share))
            fresh = spiral((200, 250, 300), seed=100 + seed)
            curves[share][:, seed] = torch.tensor([noisy.check_accuracy(*fresh, k) for k in ks])
    tops = {share: ks[int(curve.mean(1).argmax())] for share, curve in curves.items()}
    measured(f"tops {tops}")
    assert tops[0.4] > tops[0.0]
    for curve in curves.values():
        assert curve[-1].mean() < curve.mean(1).max() - 0.2


@pytest.mark.parametrize("seed", SEEDS)
def test_without_loops_digits_are_lost_far_from_the_origin_and_the_mean_gives_them_back(seed, measured):
    cloud = 0.01 * torch.rand(40, 100, generator=torch.Generator().manual_seed(seed))
    pairs = ~torch.eye(40, dtype=torch.bool)

    def error(points, distances):
        exact = knn.compute_distances_two_loops(points.double(), points.double())[pairs]
        return ((distances(points, points)[pairs] - exact).abs() / exact).median().item()

    far, none = cloud + 100, knn.compute_distances_no_loops
    found = error(far, none), error(far, knn.compute_distances_two_loops), error(far - far.mean(0), none)
    measured(", ".join(f"{each:.0e}" for each in found))
    assert found[0] > 0.5
    assert max(found[1:]) < 1e-4
