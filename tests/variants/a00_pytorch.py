"""Right versions of the functions of a00."""

import functools
import itertools
import math
import operator
import random

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from exercise_code import autograd_study
from exercise_code.data.base_dataset import SPLIT
from exercise_code.data.transforms import blend, grey
from exercise_code.support.augmentation import (
    Normalize,
    RandomBrightness,
    RandomFlip,
    RandomNoise,
    RandomShift,
)
from variants.declare import variant

# Tensors


@variant("pytorch101.create_sample_tensor")
def sample_from_list():
    return torch.tensor([[0.0, 10.0], [100.0, 0.0], [0.0, 0.0]])


@variant("pytorch101.create_sample_tensor")
def sample_from_view():
    x = torch.zeros(6)
    x[1:3] = torch.tensor([10, 100])
    return x.view(3, 2)


@variant("pytorch101.mutate_tensor")
def mutate_by_tuple(x, indices, values):
    for place, index in enumerate(indices):
        x[index] = values[place]
    return x


@variant("pytorch101.mutate_tensor")
def mutate_by_fill(x, indices, values):
    for (row, column), value in zip(indices, values, strict=False):
        x[row][column].fill_(value)
    return x


@variant("pytorch101.count_tensor_elements")
def count_by_math(x):
    return math.prod(x.size())


@variant("pytorch101.count_tensor_elements")
def count_by_reduce(x):
    return functools.reduce(operator.mul, x.shape, 1)


@variant("pytorch101.count_tensor_elements")
def count_by_flattening(x):
    return len(x.flatten())


@variant("pytorch101.create_tensor_of_pi")
def pi_times_ones(M, N):
    return 3.14 * torch.ones((M, N))


@variant("pytorch101.create_tensor_of_pi")
def pi_filled(M, N):
    return torch.empty(M, N).fill_(3.14)


@variant("pytorch101.multiples_of_ten")
def tens_by_division(start, stop):
    return 10 * torch.arange(-(-start // 10), stop // 10 + 1).double()


@variant("pytorch101.multiples_of_ten")
def tens_by_list(start, stop):
    return torch.tensor([n for n in range(start, stop + 1) if n % 10 == 0], dtype=torch.float64)


@variant("pytorch101.slice_indexing_practice")
def slices_with_all_ends(x):
    rows, columns = x.shape
    return x[rows - 1, :], x[:, 2].view(-1, 1), x[0:2, 0:3], x[0:rows:2, 1:columns:2]


@variant("pytorch101.slice_indexing_practice")
def slices_by_narrow(x):
    return x.select(0, -1), x.narrow(1, 2, 1), x[:2].narrow(1, 0, 3), x[::2][:, 1::2]


@variant("pytorch101.slice_assignment_practice")
def pattern_by_rows(x):
    x[0:2, 0:6] = torch.tensor([0, 1, 2, 2, 2, 2])
    x[2:4, 0:6] = torch.tensor([3, 4, 3, 4, 5, 5])
    return x


@variant("pytorch101.slice_assignment_practice")
def pattern_overwritten(x):
    x[:2, :6] = 2
    x[:2, 0] = 0
    x[:2, 1] = 1
    x[2:4, :6] = 5
    x[2:4, 0:3:2] = 3
    x[2:4, 1:4:2] = 4
    return x


@variant("pytorch101.shuffle_cols")
def columns_by_select(x):
    return x.index_select(1, torch.tensor([0, 0, 2, 1], device=x.device))


@variant("pytorch101.shuffle_cols")
def columns_by_tensor(x):
    return x[:, torch.tensor([0, 0, 2, 1])]


@variant("pytorch101.reverse_rows")
def rows_by_range(x):
    return x[list(range(x.shape[0]))[::-1]]


@variant("pytorch101.reverse_rows")
def rows_by_difference(x):
    return x[x.shape[0] - 1 - torch.arange(x.shape[0], device=x.device), :]


@variant("pytorch101.take_one_elem_per_col")
def taken_by_tensors(x):
    return x[torch.tensor([1, 0, 3]), torch.arange(3)]


@variant("pytorch101.take_one_elem_per_col")
def taken_from_flat(x):
    return x.flatten()[torch.tensor([1, 0, 3]) * x.shape[1] + torch.arange(3)]


@variant("pytorch101.make_one_hot")
def one_hot_from_eye(x):
    return torch.eye(max(x) + 1)[x]


@variant("pytorch101.make_one_hot")
def one_hot_by_comparison(x):
    numbers = torch.tensor(x)
    return (numbers[:, None] == torch.arange(numbers.max() + 1)).float()


@variant("pytorch101.make_one_hot")
def one_hot_by_scatter(x):
    return torch.zeros(len(x), max(x) + 1).scatter_(1, torch.tensor(x)[:, None], 1.0)


@variant("pytorch101.count_negative_entries")
def negative_by_mask(x):
    return x[x < 0].shape[0]


@variant("pytorch101.count_negative_entries")
def negative_by_count_nonzero(x):
    return int(torch.count_nonzero(x < 0))


@variant("pytorch101.sum_positive_entries")
def positive_by_int(x):
    return int(torch.sum(x[x > 0]))


@variant("pytorch101.sum_positive_entries")
def positive_by_clamp(x):
    return x.clamp(min=0).sum().item()


@variant("pytorch101.reshape_practice")
def blocks_by_permute(x):
    return x.reshape(2, 3, 4).permute(1, 0, 2).contiguous().view(3, 8)


@variant("pytorch101.reshape_practice")
def blocks_by_index(x):
    return x.view(2, 3, 4)[:, torch.arange(3)].swapaxes(0, 1).flatten(1)


@variant("pytorch101.zero_row_min")
def row_min_by_scatter(x):
    return x.scatter(1, x.argmin(dim=1, keepdim=True), 0)


@variant("pytorch101.zero_row_min")
def row_min_by_min(x):
    y = x.clone()
    y[range(x.shape[0]), x.min(dim=1).indices] = 0
    return y


@variant("pytorch101.normalize_columns")
def normalize_by_powers(x):
    M = x.shape[0]
    mu = torch.sum(x, dim=0, keepdim=True) / M
    sigma = (torch.sum((x - mu) ** 2, dim=0, keepdim=True) / (M - 1)) ** 0.5
    return (x - mu) / sigma


@variant("pytorch101.normalize_columns")
def normalize_by_products(x):
    ones = torch.ones(1, len(x), dtype=x.dtype, device=x.device)
    centred = x - ones @ x / len(x)
    return centred * ((ones @ centred**2) / (len(x) - 1)).rsqrt()


@variant("pytorch101.batched_matrix_multiply_loop")
def loop_into_buffer(x, y):
    z = torch.empty(x.shape[0], x.shape[1], y.shape[2], dtype=x.dtype, device=x.device)
    for i in range(x.shape[0]):
        z[i] = torch.mm(x[i], y[i])
    return z


@variant("pytorch101.batched_matrix_multiply_loop")
def loop_over_inner_axis(x, y):
    z = x.new_zeros(len(x), x.shape[1], y.shape[2])
    for m in range(x.shape[2]):
        z = z + x[:, :, m : m + 1] * y[:, m : m + 1]
    return z


@variant("pytorch101.batched_matrix_multiply_noloop")
def noloop_by_einsum(x, y):
    return torch.einsum("bnm,bmp->bnp", x, y)


@variant("pytorch101.batched_matrix_multiply_noloop")
def noloop_by_at(x, y):
    return x @ y


@variant("pytorch101.batched_matrix_multiply_noloop")
def noloop_by_sum(x, y):
    return (x[:, :, :, None] * y[:, None]).sum(dim=2)


@variant("pytorch101.mm_on_gpu")
def gpu_by_mm(x, w, device=None):
    there = x.to(device=device).mm(w.to(device=device))
    return there.to("cpu")


@variant("pytorch101.mm_on_gpu")
def gpu_by_einsum(x, w, device=None):
    return torch.einsum("ab,bc->ac", x.to(device), w.to(device)).to(x.device)


@variant("pytorch101.challenge_mean_tensors")
def means_by_scatter(xs, ls):
    numbers = torch.cat(xs)
    owner = torch.repeat_interleave(torch.arange(len(xs), device=ls.device), ls)
    return (
        torch.zeros(len(xs), dtype=numbers.dtype, device=numbers.device).scatter_add_(0, owner, numbers) / ls
    )


@variant("pytorch101.challenge_mean_tensors")
def means_by_running_sum(xs, ls):
    running = torch.cat(xs).double().cumsum(0)
    at_ends = running[ls.cumsum(0) - 1]
    return (at_ends.diff(prepend=at_ends.new_zeros(1)) / ls).to(xs[0].dtype)


@variant("pytorch101.challenge_mean_tensors")
def means_by_reduce(xs, ls):
    numbers, owner = torch.cat(xs), torch.arange(len(ls), device=ls.device).repeat_interleave(ls)
    return numbers.new_zeros(len(ls)).scatter_reduce(0, owner, numbers, "mean", include_self=False)


@variant("pytorch101.challenge_get_uniques")
def uniques_by_sorting(x):
    values, order = x.sort(stable=True)
    first = torch.ones_like(values, dtype=torch.bool)
    first[1:] = values[1:] != values[:-1]
    return values[first], order[first]


@variant("pytorch101.challenge_get_uniques")
def uniques_by_writing_backwards(x):
    uniques, place = torch.unique(x, sorted=True, return_inverse=True)
    positions = torch.arange(len(x), device=x.device)
    return uniques, len(x) - 1 - torch.zeros_like(uniques).scatter_reduce(
        0, place, len(x) - 1 - positions, "amax", include_self=False
    )


# Autograd


@variant("autograd_study.derivative")
def derivative_of_sum(f, xs):
    leaf = xs.detach().clone().requires_grad_(True)
    torch.sum(f(leaf)).backward()
    return leaf.grad


@variant("autograd_study.derivative")
def derivative_by_grad(f, xs):
    leaf = torch.empty_like(xs).copy_(xs).requires_grad_()
    return torch.autograd.grad(f(leaf), leaf, grad_outputs=torch.ones_like(leaf))[0]


@variant("autograd_study.gradient_descent")
def descent_by_grad(f, x0, lr=0.1, num_iters=100):
    x = torch.tensor(float(x0), dtype=torch.float64)
    xs, losses = [], []
    for _ in range(num_iters + 1):
        x = x.detach().requires_grad_()
        loss = f(x)
        xs.append(x.item())
        losses.append(loss.item())
        x = x - lr * torch.autograd.grad(loss, x)[0]
    return xs, losses


@variant("autograd_study.gradient_descent")
def descent_by_data(f, x0, lr=0.1, num_iters=100):
    x = torch.tensor(float(x0), dtype=torch.float64, requires_grad=True)
    xs, losses = [float(x)], [float(f(x))]
    for _ in range(num_iters):
        f(x).backward()
        x.data -= lr * x.grad
        x.grad.zero_()
        xs.append(float(x))
        losses.append(float(f(x)))
    return xs, losses


@variant("autograd_study.converged_at")
def converged_from_behind(losses, tol):
    near = itertools.takewhile(lambda loss: abs(loss - losses[-1]) <= tol, reversed(losses))
    steps = len(list(near))
    return len(losses) - steps if steps > 1 else None


@variant("autograd_study.converged_at")
def converged_by_numpy(losses, tol):
    away = ~(np.abs(np.array(losses) - losses[-1]) <= tol)
    step = int(away.nonzero()[0][-1]) + 1 if away.any() else 0
    return step if step < len(losses) - 1 else None


@variant("autograd_study.grad_of")
def grad_of_sum(outputs, inputs, create_graph=False):
    found = torch.autograd.grad(outputs.sum(), inputs, create_graph=create_graph, allow_unused=True)
    return tuple(torch.zeros_like(x) if g is None else g for x, g in zip(inputs, found, strict=True))


@variant("autograd_study.grad_of")
def grad_as_list(outputs, inputs, create_graph=False):
    ones = torch.ones_like(outputs)
    flags = {"create_graph": create_graph, "materialize_grads": True}
    return list(torch.autograd.grad([outputs], list(inputs), grad_outputs=[ones], **flags))


@variant("autograd_study.second_derivative")
def second_by_backward(f, xs):
    leaf = xs.detach().clone().requires_grad_()
    f(leaf).sum().backward(create_graph=True)
    first, leaf.grad = leaf.grad, None
    first.sum().backward()
    return leaf.grad


@variant("autograd_study.second_derivative")
def second_of_derivative(f, xs):
    def first(points):
        return autograd_study.grad_of(f(points), [points], create_graph=True)[0]

    return autograd_study.derivative(first, xs)


@variant("autograd_study.jacobian")
def jacobian_by_ones(outputs, inputs):
    found = torch.zeros(len(outputs), len(inputs), dtype=inputs.dtype, device=inputs.device)
    for row, weights in enumerate(torch.eye(len(outputs), dtype=outputs.dtype, device=outputs.device)):
        found[row] = torch.autograd.grad(outputs, inputs, weights, retain_graph=True)[0]
    return found


@variant("autograd_study.jacobian")
def jacobian_batched(outputs, inputs):
    weights = torch.eye(len(outputs), dtype=outputs.dtype, device=outputs.device)
    rows = (torch.autograd.grad(outputs, inputs, weight, retain_graph=True)[0] for weight in weights)
    return torch.cat([row[None] for row in rows])


@variant("autograd_study.accumulate_gradients")
def accumulate_then_divide(loss_fn, w, batches):
    w.grad = torch.zeros_like(w)
    for batch in batches:
        loss_fn(w, batch).backward()
    w.grad /= len(batches)
    return w.grad


@variant("autograd_study.accumulate_gradients")
def accumulate_by_grad(loss_fn, w, batches):
    total = torch.zeros_like(w)
    for batch in batches:
        total += torch.autograd.grad(loss_fn(w, batch), w)[0]
    w.grad = total / len(batches)
    return w.grad.clone()


@variant("autograd_study.gradient_step")
def step_by_data(params, lr):
    for param in params:
        if param.grad is None:
            continue
        param.data = param.data - lr * param.grad
        param.grad = None


@variant("autograd_study.gradient_step")
@torch.no_grad()
def step_decorated(params, lr):
    for param in params:
        if param.grad is not None:
            param.add_(param.grad, alpha=-lr)
            param.grad = None


@variant("autograd_study.LinearRegressor.__init__")
def line_by_register(self):
    nn.Module.__init__(self)
    self.register_parameter("bias", nn.Parameter(torch.zeros(1)))
    self.register_parameter("weight", nn.Parameter(torch.zeros(1)))


@variant("autograd_study.LinearRegressor.forward")
def line_by_library(self, x):
    return functional.linear(x, self.weight[:, None], self.bias)


@variant("autograd_study.PolynomialRegressor.__init__")
def polynomial_from_full(self, degree):
    super(autograd_study.PolynomialRegressor, self).__init__()
    self.coefficients = nn.Parameter(torch.full((1 + degree,), 0.0))


@variant("autograd_study.PolynomialRegressor.forward")
def polynomial_by_horner(self, x):
    y = torch.zeros_like(x)
    for coefficient in self.coefficients.flip(0):
        y = y * x + coefficient
    return y


@variant("autograd_study.PolynomialRegressor.forward")
def polynomial_by_sum(self, x):
    return sum(coefficient * x**power for power, coefficient in enumerate(self.coefficients))


@variant("autograd_study.fit")
def fit_by_module(model, x, y, lr=0.1, num_iters=100):
    criterion, losses = nn.MSELoss(), []
    while len(losses) < num_iters:
        loss = criterion(model(x), y)
        loss.backward()
        autograd_study.gradient_step(list(model.parameters()), lr)
        losses.append(float(loss))
    return losses


@variant("autograd_study.fit")
def fit_by_hand(model, x, y, lr=0.1, num_iters=100):
    losses = []
    for _ in range(num_iters):
        model.zero_grad()
        loss = ((model(x) - y) ** 2).mean()
        loss.backward()
        losses.append(loss.item())
        for param in model.parameters():
            param.data.sub_(lr * param.grad)
    return losses


@variant("autograd_study.train_transform")
def train_with_noise():
    return nn.Sequential(
        RandomNoise(0.02), RandomShift(1), RandomBrightness(0.1), RandomFlip(0.4), Normalize()
    )


class Erase(nn.Module):
    """Paints a random pixel of every image black."""

    def forward(self, images):
        places = torch.rand(len(images), *images.shape[2:], device=images.device)
        return images * (places < places.flatten(1).amax(1)[:, None, None])[:, None]


@variant("autograd_study.train_transform")
def train_with_own_change():
    return nn.Sequential(Erase(), RandomShift(), RandomFlip(), Normalize())


@variant("autograd_study.val_transform")
def val_by_append():
    changes = nn.Sequential()
    changes.append(Normalize())
    return changes


@variant("autograd_study.val_transform")
def val_with_identity():
    return nn.Sequential(nn.Identity(), Normalize())


@variant("autograd_study.SmallConvNet.__init__")
def net_by_append(self, num_classes, channels=16, extra=0, dropout=0.0):
    nn.Module.__init__(self)
    layers = [
        nn.Conv2d(3, channels, kernel_size=3, padding="same"),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(4, 4),
    ]
    for _ in range(extra):
        layers.append(nn.Conv2d(channels, channels, (3, 3), padding=(1, 1)))
        layers.append(nn.ReLU())
    layers += [nn.AdaptiveAvgPool2d((4, 4)), nn.Dropout(p=dropout), nn.Flatten(start_dim=1)]
    self.layers = nn.Sequential(*layers, nn.Linear(channels * 4 * 4, num_classes))


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
