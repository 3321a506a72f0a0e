"""What happens to an image on its way into a network. Nothing here changes the array that it is given."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

Array = Float[np.ndarray, "..."]
Picture = Float[np.ndarray, "height width channels"]


class RescaleTransform:
    """Numbers from one range into another, by a straight line."""

    def __init__(self, out_range: tuple[float, float] = (0, 1), in_range: tuple[float, float] = (0, 255)):
        """Map the ends of in_range to the ends of out_range."""
        self.out_range, self.in_range = out_range, in_range

    def __call__(self, images: Array) -> Array:
        """Rescale.

        Args:
            images: numbers of any shape; those outside of in_range land outside of out_range.

        Returns:
            An array of the same shape.
        """
        ### BEGIN SOLUTION
        (in_low, in_high), (out_low, out_high) = self.in_range, self.out_range
        return out_low + (images - in_low) / (in_high - in_low) * (out_high - out_low)
        ### END SOLUTION


def compute_image_mean_and_std(
    images: Float[np.ndarray, "num height width channels"],
) -> tuple[Float[np.ndarray, " channels"], Float[np.ndarray, " channels"]]:
    """Mean and standard deviation of each channel, over all pixels of all images.

    Returns:
        mean, std: std with division by the number of pixels, not by one less.
    """
    ### BEGIN SOLUTION
    return images.mean(axis=(0, 1, 2)), images.std(axis=(0, 1, 2))
    ### END SOLUTION


class NormalizeTransform:
    """Take off a mean and divide by a standard deviation, channel by channel."""

    def __init__(
        self, mean: float | Float[np.ndarray, " channels"], std: float | Float[np.ndarray, " channels"]
    ):
        """Remember them: one number for all channels, or one for each."""
        self.mean, self.std = mean, std

    def __call__(self, images: Float[np.ndarray, "*shape channels"]) -> Float[np.ndarray, "*shape channels"]:
        """Normalise one image, or a stack of images."""
        ### BEGIN SOLUTION
        return (images - self.mean) / self.std
        ### END SOLUTION


class ComposeTransform:
    """Several transforms, one after another."""

    def __init__(self, transforms: Sequence[Callable[[Any], Any]]):
        """Remember them; the first is applied first."""
        self.transforms = transforms

    def __call__(self, images: Any) -> Any:
        """Apply each to what the one before it returns."""
        ### BEGIN SOLUTION
        for transform in self.transforms:
            images = transform(images)
        return images
        ### END SOLUTION


class FlattenTransform:
    """All numbers of an image in one row."""

    def __call__(self, image: Array) -> Float[np.ndarray, " numbers"]:
        """The last axis runs fastest, as it lies in memory."""
        ### BEGIN SOLUTION
        return image.reshape(-1)
        ### END SOLUTION


class RandomHorizontalFlip:
    """Left and right change sides, for some images."""

    def __init__(self, prob: float = 0.5, seed: int | None = None):
        """Flip with probability prob, drawn anew for each image from `self.random`."""
        self.prob, self.random = prob, np.random.default_rng(seed)

    def __call__(self, image: Picture) -> Picture:
        """The image, or its mirror image."""
        ### BEGIN SOLUTION
        if self.random.random() < self.prob:
            return image[:, ::-1].copy()  # torch cannot read an array that runs backwards
        return image
        ### END SOLUTION


class RandomCrop:
    """A window at a random place of the image, around which a border of zeros may be put first."""

    def __init__(self, size: tuple[int, int], padding: int = 0, seed: int | None = None):
        """Cut out (height, width) = size, after padding pixels of zeros on each of the four sides.

        Every place at which the window fits is equally likely, drawn from `self.random`.
        """
        self.size, self.padding, self.random = size, padding, np.random.default_rng(seed)

    def __call__(self, image: Picture) -> Float[np.ndarray, "crop_height crop_width channels"]:
        """The window.

        Args:
            image: with its border at least as large as the window.
        """
        ### BEGIN SOLUTION
        border = (self.padding, self.padding)
        padded = np.pad(image, (border, border, (0, 0)))
        height, width = self.size
        top = self.random.integers(padded.shape[0] - height, endpoint=True)
        left = self.random.integers(padded.shape[1] - width, endpoint=True)
        return padded[top : top + height, left : left + width]
        ### END SOLUTION


def blend(image: Picture, other: Array, factor: float) -> Picture:
    """A mixture of two images, within [0, 1]: factor 1 is the first, 0 the other, 2 twice as far from it."""
    return np.clip(other + factor * (image - other), 0, 1)


def grey(image: Float[np.ndarray, "height width 3"]) -> Float[np.ndarray, "height width 1"]:
    """How bright a pixel looks to the eye: 0.2989 red + 0.587 green + 0.114 blue (ITU-R BT.601)."""
    return (image @ np.array([0.2989, 0.587, 0.114]))[..., None]


class ColorJitter:
    """Other light: brightness, contrast and saturation change by random factors."""

    def __init__(
        self,
        brightness: float = 0.2,
        contrast: float = 0.2,
        saturation: float = 0.2,
        seed: int | None = None,
    ):
        """Draw each factor evenly from 1 - its argument to 1 + its argument, out of `self.random`.

        Args:
            brightness: 0 to 1; the image is blended with black.
            contrast: 0 to 1; it is blended with the mean of its `grey`, one number.
            saturation: 0 to 1; it is blended with its `grey`, pixel by pixel.
            seed: of the random numbers.
        """
        self.brightness, self.contrast, self.saturation = brightness, contrast, saturation
        self.random = np.random.default_rng(seed)

    def __call__(self, image: Float[np.ndarray, "height width 3"]) -> Float[np.ndarray, "height width 3"]:
        """Change brightness, then contrast, then saturation, each by `blend` with a factor of its own.

        Args:
            image: values in [0, 1].

        Returns:
            Values in [0, 1].
        """

        ### BEGIN SOLUTION
        def factor(spread: float) -> float:
            return self.random.uniform(1 - spread, 1 + spread)

        image = blend(image, np.zeros(1), factor(self.brightness))
        image = blend(image, grey(image).mean(), factor(self.contrast))
        return blend(image, grey(image), factor(self.saturation))
        ### END SOLUTION


class AddPepperNoise:
    """Salt and pepper: some pixels become white or black."""

    def __init__(self, snr: float = 0.9, p: float = 0.5, seed: int | None = None):
        """Set how much noise there is.

        Args:
            snr: the share of pixels that stay as they are, 0 to 1; each pixel is drawn on its own, and one
                that does not stay becomes white (1 in all channels) or black (0), equally likely.
            p: the probability that an image gets any noise at all.
            seed: of the random numbers, `self.random`.
        """
        self.snr, self.p, self.random = snr, p, np.random.default_rng(seed)

    def __call__(self, image: Picture) -> Picture:
        """The image, or a noisy copy."""
        ### BEGIN SOLUTION
        if self.random.random() >= self.p:
            return image
        draw = self.random.random((*image.shape[:2], 1))
        share = (1 - self.snr) / 2
        return np.where(draw < share, 0.0, np.where(draw < 2 * share, 1.0, image))
        ### END SOLUTION


def reseed_worker(worker: int) -> None:
    """Give the transforms in one worker process of torch's DataLoader random numbers of their own.

    Pass it as `worker_init_fn`; without it every worker starts with a copy of the same generators.
    """
    from torch.utils.data import get_worker_info

    info = get_worker_info()
    transform = info.dataset.transform
    for place, step in enumerate(getattr(transform, "transforms", [transform])):
        step.random = np.random.default_rng([info.seed, place])
