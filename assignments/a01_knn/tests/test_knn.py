"""The kNN solutions against torch.cdist and scikit-learn."""

import math

import numpy as np
import pytest
import torch
from beartype import beartype
from hypothesis import given
from hypothesis import strategies as st
from jaxtyping import jaxtyped
from sklearn.model_selection import PredefinedSplit, cross_val_score
from sklearn.neighbors import KNeighborsClassifier

from exercise_code import knn

DISTANCES = [knn.compute_distances_two_loops, knn.compute_distances_one_loop, knn.compute_distances_no_loops]
DISTANCES = [jaxtyped(typechecker=beartype)(function) for function in DISTANCES]
SHAPES = st.lists(st.integers(1, 6), min_size=1, max_size=3)


@given(num_train=st.integers(1, 8), num_test=st.integers(1, 8), shape=SHAPES, seed=st.integers(0, 2**32))
@pytest.mark.parametrize("dtype, tolerance", [(torch.float32, 1e-3), (torch.float64, 1e-7)])
def test_distances_agree_with_cdist(dtype, tolerance, num_train, num_test, shape, seed):
    draw = torch.Generator().manual_seed(seed)
    x_train, x_test = (torch.rand(n, *shape, dtype=dtype, generator=draw) for n in (num_train, num_test))
    exact = "donot_use_mm_for_euclid_dist"
    expected = torch.cdist(x_train.flatten(1), x_test.flatten(1), compute_mode=exact)
    for distances in DISTANCES:
        found = distances(x_train, x_test)
        assert found.dtype == dtype
        torch.testing.assert_close(found, expected, rtol=tolerance, atol=tolerance)


def test_equal_images_far_away_have_no_nan_distance():
    images = 1000 + torch.rand(200, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    assert knn.compute_distances_no_loops(images, images).isfinite().all()


@given(seed=st.integers(0, 2**32), k=st.integers(1, 12), num_classes=st.integers(1, 5))
def test_votes_agree_with_scikit_learn(seed, k, num_classes):
    """scikit-learn, too, gives a tie to the smallest label."""
    draw = np.random.default_rng(seed)
    x_train, x_test = draw.normal(size=(12, 3)), draw.normal(size=(7, 3))
    y_train = draw.integers(0, num_classes, 12)
    expected = KNeighborsClassifier(k, algorithm="brute").fit(x_train, y_train).predict(x_test)
    train, test, labels = map(torch.from_numpy, (x_train, x_test, y_train))
    predict = jaxtyped(typechecker=beartype)(knn.predict_labels)
    found = predict(knn.compute_distances_two_loops(train, test), labels, k)
    assert found.dtype == torch.int64
    assert found.tolist() == expected.tolist()
    assert knn.KnnClassifier(train, labels).predict(test, k).tolist() == expected.tolist()


@pytest.mark.parametrize("num_images, num_folds", [(30, 5), (31, 4), (22, 5)])
def test_cross_validation_agrees_with_scikit_learn(num_images, num_folds):
    draw = np.random.default_rng(num_images)
    x, y = draw.normal(size=(num_images, 4)), draw.integers(0, 3, num_images)
    found = knn.knn_cross_validate(torch.from_numpy(x), torch.from_numpy(y), num_folds, [1, 3, 8])
    fold = np.arange(num_images) // math.ceil(num_images / num_folds)
    for k in (1, 3, 8):
        classifier = KNeighborsClassifier(k, algorithm="brute")
        assert found[k] == pytest.approx(cross_val_score(classifier, x, y, cv=PredefinedSplit(fold)))


def test_default_values_of_k_are_those_of_the_field():
    x, y = torch.rand(250, 4), torch.arange(250) % 3
    assert list(knn.knn_cross_validate(x, y)) == [1, 3, 5, 8, 10, 12, 15, 20, 50, 100]


@pytest.mark.parametrize(
    "accuracies, best",
    [
        ({1: [0.2, 0.4], 3: [0.5, 0.1], 5: [0.9, 0.0]}, 5),
        ({10: [0.3, 0.5], 3: [0.5, 0.3], 5: [0.4, 0.4], 1: [0.9, -0.2]}, 3),
        ({7: [0.1, 0.2, 0.3], 2: [0.3, 0.1, 0.2]}, 2),
    ],
)
def test_best_k(accuracies, best):
    assert knn.knn_get_best_k(accuracies) == best
