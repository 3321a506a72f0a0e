"""Right versions of the functions in `exercise_code/data` and `exercise_code/networks`."""

import itertools
import math
import random

import numpy as np
import torch

from exercise_code.data.base_dataset import SPLIT
from exercise_code.data.transforms import blend, grey
from variants.declare import variant

FOLDER = "data.image_folder_dataset.ImageFolderDataset."
TRANSFORMS = "data.transforms."
LOADER = "data.dataloader.DataLoader."
LINEAR = "networks.linear_model.LinearModel."
CLASSIFIER = "networks.classifier.Classifier."
LOSS = "networks.loss."


@variant(FOLDER + "__len__")
def length_of_labels(self):
    return int(np.size(self.labels))


@variant(FOLDER + "__getitem__")
def item_step_by_step(self, index):
    sample = {}
    sample["label"] = self.labels[index]
    sample["image"] = type(self).load_image_as_numpy(self.images[index])
    if self.transform:
        sample["image"] = self.transform(sample["image"])
    return {"image": sample["image"], "label": sample["label"]}


@variant("data.base_dataset.select_split")
def split_with_legacy_generator(num_samples, mode, split=SPLIT, seed=0):
    order = list(range(num_samples))
    random.Random(seed).shuffle(order)
    begin, end = 0.0, 0.0
    for name, share in split.items():
        begin, end = end, end + share
        if name == mode:
            break
    return np.array(order[round(begin * num_samples) : round(end * num_samples)])


@variant("data.base_dataset.select_split")
def split_by_torch(num_samples, mode, split=SPLIT, seed=0):
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(num_samples, generator=generator).numpy()
    cuts = [0, *(round(sum(list(split.values())[: i + 1]) * num_samples) for i in range(len(split)))]
    parts = {name: order[a:b] for name, (a, b) in zip(split, itertools.pairwise(cuts), strict=True)}
    return parts[mode]


@variant("data.csv_dataset.FeatureSelectorAndNormalizationTransform.__call__")
def columns_one_by_one(self, data_dict):
    features = []
    for name, stats in self.column_stats.items():
        is_target = name == self.target_column
        value = data_dict["target"] if is_target else data_dict["features"][name]
        if np.isnan(value):
            value = stats["mean"]
        scaled = (value - stats["min"]) / (stats["max"] - stats["min"])
        if is_target:
            target = np.asarray([scaled])
        else:
            features.append(scaled)
    return {"features": np.asarray(features), "target": target}


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


@variant(LOADER + "__len__")
def batches_by_ceil(self):
    count = len(self.dataset) / self.batch_size
    return math.floor(count) if self.drop_last else math.ceil(count)


@variant(LOADER + "__len__")
def batches_by_negative_floor(self):
    if self.drop_last:
        return len(self.dataset) // self.batch_size
    return -(-len(self.dataset) // self.batch_size)


@variant(LOADER + "__iter__")
def iter_collects(self):
    indices = list(range(len(self.dataset)))
    if self.shuffle:
        random.shuffle(indices)
    batch = []
    for index in indices:
        batch.append(self.dataset[index])
        if len(batch) == self.batch_size:
            yield {key: np.stack([sample[key] for sample in batch]) for key in batch[0]}
            batch = []
    if batch and not self.drop_last:
        yield {key: np.stack([sample[key] for sample in batch]) for key in batch[0]}


@variant(LOADER + "__iter__")
def iter_one_batch_ahead(self):
    order = iter(self.random.permutation(len(self.dataset)) if self.shuffle else range(len(self.dataset)))

    def next_batch():
        samples = [self.dataset[index] for index in itertools.islice(order, self.batch_size)]
        if not samples or (self.drop_last and len(samples) < self.batch_size):
            return None
        return {key: np.asarray([sample[key] for sample in samples]) for key in samples[0]}

    waiting = next_batch()
    while waiting is not None:
        following = next_batch()
        yield waiting
        waiting = following


@variant(LINEAR + "forward")
def linear_in_two_terms(self, X):
    self.cache = torch.cat((X, torch.ones_like(X[:, :1])), 1)
    return X @ self.W[:-1] + self.W[-1]


@variant(LINEAR + "forward")
def linear_padded(self, X):
    self.cache = torch.nn.functional.pad(X, (0, 1), value=1.0)
    return self.cache.mm(self.W)


@variant(LINEAR + "backward")
def linear_backward_einsum(self, dout):
    return torch.einsum("nd,no->do", self.cache, dout)


@variant(LINEAR + "backward")
def linear_backward_summed(self, dout):
    return (self.cache * dout).sum(0, keepdim=True).T


@variant(CLASSIFIER + "sigmoid")
def sigmoid_by_sign(self, x):
    small = torch.exp(-x.abs())
    return torch.where(x >= 0, 1 / (1 + small), small / (1 + small))


@variant(CLASSIFIER + "sigmoid")
def sigmoid_by_tanh(self, x):
    return 0.5 * (1 + torch.tanh(x / 2))


@variant(CLASSIFIER + "forward")
def forward_in_two_terms(self, X):
    probabilities = self.sigmoid(X @ self.W[:-1] + self.W[-1])
    self.cache = torch.cat([X, torch.ones_like(X[:, :1])], dim=1), probabilities
    return probabilities


@variant(CLASSIFIER + "backward")
def backward_in_steps(self, dout):
    X1, p = self.cache
    dz = dout * (p - p**2)
    return torch.cat([X1[:, :-1].T @ dz, dz.sum(0, keepdim=True)])


@variant(LOSS + "L1.forward")
def l1_by_where(self, y_out, y_truth, individual_losses=False):
    losses = torch.maximum(y_out - y_truth, y_truth - y_out)
    return losses if individual_losses else losses.sum() / losses.numel()


@variant(LOSS + "L1.backward")
def l1_backward_by_masks(self, y_out, y_truth, individual_losses=False):
    slopes = (y_out > y_truth).to(y_out.dtype) - (y_out < y_truth).to(y_out.dtype)
    return slopes if individual_losses else slopes / slopes.numel()


@variant(LOSS + "MSE.forward")
def mse_by_product(self, y_out, y_truth, individual_losses=False):
    difference = y_truth - y_out
    return difference * difference if individual_losses else torch.mean(difference**2)


@variant(LOSS + "MSE.backward")
def mse_backward_by_factor(self, y_out, y_truth, individual_losses=False):
    return (2 if individual_losses else 2 / y_out.shape[0]) * (y_out - y_truth)


@variant(LOSS + "BCE.forward")
def bce_with_log1p(self, y_out, y_truth, individual_losses=False):
    losses = (y_truth - 1) * torch.log1p(-y_out) - y_truth * y_out.log()
    return losses if individual_losses else losses.mean()


@variant(LOSS + "BCE.backward")
def bce_backward_one_fraction(self, y_out, y_truth, individual_losses=False):
    slopes = (y_out - y_truth) / (y_out * (1 - y_out))
    return slopes if individual_losses else slopes / len(y_out)


@variant("networks.optimizer.Optimizer.step")
def step_in_place_on_weights(self, dw):
    self.model.W -= self.learning_rate * dw


@variant("networks.optimizer.Optimizer.step")
def step_with_alpha(self, dw):
    self.model.W = torch.sub(self.model.W, dw, alpha=self.learning_rate)


@variant("solver_regression.Solver._step")
def solver_by_call(self):
    y_out = self.model.forward(self.X_train)
    _, dout = self.loss_func(y_out, self.y_train)
    self.opt.step(self.model.backward(dout))
