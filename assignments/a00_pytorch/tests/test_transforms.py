"""The transforms against torchvision, NumPy's own statistics and scikit-learn."""

import importlib

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import stats
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from exercise_code import data
from exercise_code.data.transforms import blend, grey
from exercise_code.support.vision import torchvision

v2 = importlib.import_module(f"{torchvision.__name__}.transforms.v2")
tv = v2.functional

SIZES = st.tuples(st.integers(1, 5), st.integers(1, 7), st.just(3))
UNIT = st.floats(0, 1, width=32)
DTYPES = pytest.mark.parametrize("dtype, tolerance", [(np.float32, 1e-5), (np.float64, 1e-12)])


def pictures(*shape: int, dtype: type = np.float64, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random(shape).astype(dtype)


def to_torch(image: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.moveaxis(image, -1, -3).copy())


def to_numpy(image: torch.Tensor) -> np.ndarray:
    return np.moveaxis(image.numpy(), -3, -1)


@DTYPES
@given(
    low=st.integers(-9, 9), width=st.integers(1, 9), in_low=st.integers(-99, 99), in_width=st.integers(1, 99)
)
def test_rescaling_agrees_with_scikit_learn(dtype, tolerance, low, width, in_low, in_width):
    ends = np.array([[in_low], [in_low + in_width]], dtype=dtype)
    inside = (in_low + in_width * pictures(6, 1)).astype(dtype)
    expected = MinMaxScaler((low, low + width)).fit(ends).transform(inside)
    rescale = data.RescaleTransform((low, low + width), (in_low, in_low + in_width))
    found = rescale(inside)
    assert found.dtype == dtype
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=100 * tolerance)
    np.testing.assert_allclose(rescale(ends), [[low], [low + width]], rtol=tolerance, atol=tolerance)


@DTYPES
def test_statistics_and_normalisation_agree_with_scikit_learn_and_torchvision(dtype, tolerance):
    images = pictures(6, 5, 4, 3, dtype=dtype) * np.array([1, 0.5, 0.2], dtype=dtype)
    mean, std = data.compute_image_mean_and_std(images)
    assert mean.shape == std.shape == (3,)
    scaler = StandardScaler().fit(images.reshape(-1, 3).astype(np.float64))
    np.testing.assert_allclose(mean, scaler.mean_, rtol=10 * tolerance)
    np.testing.assert_allclose(std, scaler.scale_, rtol=10 * tolerance)
    normalized = data.NormalizeTransform(mean, std)(images)
    expected = to_numpy(tv.normalize(to_torch(images), mean.tolist(), std.tolist()))
    np.testing.assert_allclose(normalized, expected, rtol=100 * tolerance, atol=100 * tolerance)
    assert normalized.dtype == dtype


def test_no_transform_changes_what_it_is_given():
    image = pictures(6, 7, 3)
    image.setflags(write=False)
    for transform in (
        data.RescaleTransform((-1, 1), (0, 1)),
        data.NormalizeTransform(0.5, 0.5),
        data.FlattenTransform(),
        data.RandomHorizontalFlip(1.0),
        data.RandomCrop((4, 3), 2),
        data.ColorJitter(),
        data.AddPepperNoise(0.5, 1.0),
    ):
        transform(image)


def test_composition_is_that_of_torchvision():
    image, steps = pictures(4, 5, 3), [np.exp, lambda image: image[:2], np.sin]
    np.testing.assert_array_equal(data.ComposeTransform(steps)(image), v2.Compose(steps)(image))
    assert data.ComposeTransform([])(image) is image


@given(image=arrays.arrays(np.float64, SIZES, elements=UNIT))
def test_flattening_is_that_of_torch(image):
    np.testing.assert_array_equal(data.FlattenTransform()(image), torch.from_numpy(image).flatten().numpy())


@given(image=arrays.arrays(np.float64, SIZES, elements=UNIT))
def test_mirroring_agrees_with_torchvision(image):
    found = data.RandomHorizontalFlip(1.0)(image)
    np.testing.assert_array_equal(found, to_numpy(tv.horizontal_flip(to_torch(image))))
    torch.from_numpy(found)
    assert data.RandomHorizontalFlip(0.0)(image) is image


def test_mirroring_has_the_frequency_asked_for():
    flip, image = data.RandomHorizontalFlip(0.3, seed=1), pictures(2, 3, 1)
    count = sum(not np.array_equal(flip(image), image) for _ in range(3000))
    assert stats.binomtest(count, 3000, 0.3).pvalue > 1e-6


def test_crops_are_torchvisions_windows_all_equally_likely():
    image, crop = pictures(3, 5, 2), data.RandomCrop((2, 3), padding=1, seed=1)
    padded = tv.pad(to_torch(image), [1, 1, 1, 1])
    windows = {
        to_numpy(tv.crop(padded, top, left, 2, 3)).tobytes(): (top, left)
        for top in range(4)
        for left in range(5)
    }
    places = [windows[np.ascontiguousarray(crop(image)).tobytes()] for _ in range(4000)]
    counts = np.unique(np.array(places) @ [5, 1], return_counts=True)[1]
    assert len(counts) == 20
    assert stats.chisquare(counts).pvalue > 1e-6


def test_a_crop_of_the_whole_image_is_the_image():
    image = pictures(4, 5, 3)
    np.testing.assert_array_equal(data.RandomCrop((4, 5))(image), image)


class Fixed:
    """Draws given numbers."""

    def __init__(self, *values: float):
        self.values = list(values)

    def uniform(self, low: float, high: float) -> float:
        share = self.values.pop(0)
        return low + share * (high - low)


@DTYPES
@pytest.mark.parametrize("shares", [(0.1, 0.9, 0.4), (0.95, 0.05, 0.99), (0.5, 0.5, 0.5)])
def test_jitter_agrees_with_torchvision(dtype, tolerance, shares):
    image = pictures(4, 5, 3, dtype=dtype)
    spreads = (0.6, 0.5, 0.9)
    jitter = data.ColorJitter(*spreads)
    jitter.random = Fixed(*shares)
    b, c, s = (1 - spread + 2 * spread * share for spread, share in zip(spreads, shares, strict=True))
    expected = tv.adjust_brightness(to_torch(image), b)
    expected = tv.adjust_saturation(tv.adjust_contrast(expected, c), s)
    np.testing.assert_allclose(jitter(image), to_numpy(expected), rtol=0, atol=max(tolerance, 1e-7))


def test_grey_and_blend_agree_with_torchvision():
    image, other = pictures(4, 5, 3), pictures(4, 5, 3, seed=1)
    np.testing.assert_allclose(grey(image), to_numpy(tv.rgb_to_grayscale(to_torch(image))), atol=1e-7)
    np.testing.assert_allclose(blend(image, other, 0.3), 0.3 * image + 0.7 * other)


def test_factors_of_jitter_are_even():
    image, jitter = np.full((1, 1, 3), 0.5), data.ColorJitter(0.4, 0, 0, seed=1)
    factors = [jitter(image)[0, 0, 0] / 0.5 for _ in range(2000)]
    assert stats.kstest(factors, stats.uniform(0.6, 0.8).cdf).pvalue > 1e-6


def test_noise_has_the_shares_asked_for():
    image = 0.2 + 0.6 * pictures(100, 120, 3)
    noisy = data.AddPepperNoise(snr=0.7, p=1.0, seed=1)(image)
    kinds = np.where((noisy == image).all(-1), 0, np.where((noisy == 0).all(-1), 1, 2))
    assert ((noisy == 1).all(-1) == (kinds == 2)).all()
    counts = np.bincount(kinds.ravel(), minlength=3)
    assert stats.chisquare(counts, 12_000 * np.array([0.7, 0.15, 0.15])).pvalue > 1e-6
    sometimes = data.AddPepperNoise(snr=0.0, p=0.2, seed=1)
    count = sum(not np.array_equal(sometimes(image[:1, :1]), image[:1, :1]) for _ in range(2000))
    assert stats.binomtest(count, 2000, 0.2).pvalue > 1e-6


def test_one_seed_gives_one_sequence():
    image = pictures(6, 7, 3)
    for kind in (data.RandomHorizontalFlip, data.ColorJitter, data.AddPepperNoise):
        one, same = kind(seed=3), kind(seed=3)
        for _ in range(5):
            np.testing.assert_array_equal(one(image), same(image))
