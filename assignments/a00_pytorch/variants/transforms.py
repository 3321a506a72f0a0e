"""Right versions of `data.transforms`, written otherwise."""

import random

import numpy as np

from exercise_code.data.transforms import blend, grey
from exercise_code.support.checking.declare import variant

TRANSFORMS = "data.transforms."


@variant(TRANSFORMS + "RescaleTransform.__call__")
def rescale_by_slope(self, images):
    slope = (self.out_range[1] - self.out_range[0]) / (self.in_range[1] - self.in_range[0])
    return slope * images + (self.out_range[0] - slope * self.in_range[0])


@variant(TRANSFORMS + "RescaleTransform.__call__")
def rescale_on_a_copy(self, images):
    images = images.copy()
    images -= self.in_range[0]
    images /= self.in_range[1] - self.in_range[0]
    images *= self.out_range[1] - self.out_range[0]
    images += self.out_range[0]
    return images


@variant(TRANSFORMS + "RescaleTransform.__call__")
def rescale_image_by_image(self, images):
    (low, high), (start, end) = self.in_range, self.out_range
    return np.stack([start + (image - low) / (high - low) * (end - start) for image in images])


@variant(TRANSFORMS + "compute_image_mean_and_std")
def stats_channel_by_channel(images):
    channels = [images[..., channel] for channel in range(images.shape[-1])]
    return np.array([c.mean() for c in channels]), np.array([c.std() for c in channels])


@variant(TRANSFORMS + "compute_image_mean_and_std")
def stats_of_rows(images):
    pixels = images.reshape(-1, images.shape[-1])
    mean = np.mean(pixels, axis=0)
    return mean, np.sqrt(np.mean((pixels - mean) ** 2, axis=0))


@variant(TRANSFORMS + "compute_image_mean_and_std")
def stats_of_squares(images):
    count = images[..., 0].size
    mean = np.einsum("nhwc->c", images) / count
    return mean, (np.einsum("nhwc,nhwc->c", images, images) / count - mean**2) ** 0.5


@variant(TRANSFORMS + "NormalizeTransform.__call__")
def normalize_with_functions(self, images):
    return np.divide(np.subtract(images, self.mean), self.std)


@variant(TRANSFORMS + "NormalizeTransform.__call__")
def normalize_channel_by_channel(self, images):
    channels = images.shape[-1]
    mean, std = (np.broadcast_to(value, channels) for value in (self.mean, self.std))
    return np.stack([(images[..., c] - mean[c]) / std[c] for c in range(channels)], axis=-1)


@variant(TRANSFORMS + "ComposeTransform.__call__")
def compose_recursively(self, images):
    for i in range(len(self.transforms)):
        images = self.transforms[i](images)
    return images


@variant(TRANSFORMS + "FlattenTransform.__call__")
def flatten_ravel(self, image):
    return np.ravel(image)


@variant(TRANSFORMS + "FlattenTransform.__call__")
def flatten_copy(self, image):
    return image.flatten()


@variant(TRANSFORMS + "FlattenTransform.__call__")
def flatten_row_by_row(self, image):
    return np.concatenate([row.ravel() for row in image])


@variant(TRANSFORMS + "RandomHorizontalFlip.__call__")
def flip_with_random_module(self, image):
    return np.flip(image, axis=1) if random.random() < self.prob else image


@variant(TRANSFORMS + "RandomHorizontalFlip.__call__")
def flip_with_uniform(self, image):
    if self.random.uniform(0, 1) > self.prob or self.prob == 0:
        return image
    return np.fliplr(image)


@variant(TRANSFORMS + "RandomCrop.__call__")
def crop_by_hand(self, image):
    p, (height, width) = self.padding, self.size
    padded = np.zeros((image.shape[0] + 2 * p, image.shape[1] + 2 * p, image.shape[2]))
    padded[p : p + image.shape[0], p : p + image.shape[1]] = image
    top = random.randint(0, padded.shape[0] - height)
    left = random.randint(0, padded.shape[1] - width)
    return padded[top:][:height, left:][:, :width].copy()


@variant(TRANSFORMS + "ColorJitter.__call__")
def jitter_in_one_draw(self, image):
    spreads = np.array([self.brightness, self.contrast, self.saturation])
    factors = 1 + spreads * (2 * self.random.random(3) - 1)
    image = np.clip(factors[0] * image, 0, 1)
    mean = grey(image).mean()
    image = np.clip(factors[1] * image + (1 - factors[1]) * mean, 0, 1)
    return blend(image, np.repeat(grey(image), 3, axis=2), factors[2])


@variant(TRANSFORMS + "AddPepperNoise.__call__")
def noise_by_choice(self, image):
    noisy = image.copy()
    if self.random.random() < self.p:
        rest = (1 - self.snr) / 2
        kinds = self.random.choice(3, size=image.shape[:2], p=[self.snr, rest, rest])
        noisy[kinds == 1] = 0
        noisy[kinds == 2] = 1
    return noisy
