"""How people get data sets, transforms, the loader and regression by hand wrong, and the hint for each."""

import math

import numpy as np
import torch

from exercise_code.data.base_dataset import SPLIT
from exercise_code.data.image_folder_dataset import ImageFolderDataset
from exercise_code.data.transforms import blend, grey
from exercise_code.support.checking.declare import mistake

LENGTH = "data.image_folder_dataset.ImageFolderDataset.__len__"


@mistake(LENGTH, hint="This is the number of classes: the samples are the images.")
def length_of_classes(self):
    return len(self.classes)


@mistake(LENGTH, hint="The number is there but nothing is returned: end with `return`.")
def length_without_return(self):
    len(self.images)


@mistake(LENGTH, hint="The number is fixed: a folder may hold any number of images.")
def length_of_cifar(self):
    return 50_000


@mistake(LENGTH, hint="This is the largest index. Counting starts at 0, so the length is one more.")
def length_one_short(self):
    return len(self.images) - 1


@mistake(LENGTH, hint="`len` must give a whole number: an array or a float is none.")
def length_as_array(self):
    return np.array([len(self.images)])


ITEM = "data.image_folder_dataset.ImageFolderDataset.__getitem__"


@mistake(ITEM, hint="`self.transform` may be None, and None cannot be called: ask first.")
def item_always_transforms(self, index):
    image = self.transform(self.load_image_as_numpy(self.images[index]))
    return {"image": image, "label": self.labels[index]}


@mistake(ITEM, hint="The transform is not applied, or what it returns is thrown away.")
def item_without_transform(self, index):
    return {"image": self.load_image_as_numpy(self.images[index]), "label": self.labels[index]}


@mistake(ITEM, hint="A pair comes back: samples are dicts, with the keys `image` and `label`.")
def item_as_pair(self, index):
    image = self.load_image_as_numpy(self.images[index])
    return image if self.transform is None else self.transform(image), self.labels[index]


@mistake(ITEM, hint="The name of the class comes back: networks count in labels, so give its number.")
def item_with_class_name(self, index):
    image = self.load_image_as_numpy(self.images[index])
    image = image if self.transform is None else self.transform(image)
    return {"image": image, "label": self.classes[self.labels[index]]}


@mistake(ITEM, hint="The path comes back. It is the image that is asked for: load it.")
def item_with_path(self, index):
    return {"image": self.images[index], "label": self.labels[index]}


@mistake(ITEM, hint="The pixels are divided by 255 here; scaling is the business of a transform.")
def item_rescaled(self, index):
    image = self.load_image_as_numpy(self.images[index]) / 255
    return {"image": image if self.transform is None else self.transform(image), "label": self.labels[index]}


@mistake(
    ITEM + ":memory",
    hint="A file is opened whatever the subclass says: `load_image_as_numpy` is a method of `self`.",
)
def item_names_the_class(self, index):
    image = ImageFolderDataset.load_image_as_numpy(self.images[index])
    return {"image": image if self.transform is None else self.transform(image), "label": self.labels[index]}


SELECT = "data.base_dataset.select_split"


def _cuts(num_samples, split):
    return np.round(np.cumsum(list(split.values())) * num_samples).astype(int)


@mistake(
    SELECT,
    hint="The samples are cut in their own order. Sorted by class, the last classes would only be in test.",
)
def split_without_shuffling(num_samples, mode, split=SPLIT, seed=0):
    return np.split(np.arange(num_samples), _cuts(num_samples, split))[list(split).index(mode)]


@mistake(
    SELECT,
    hint="Every call shuffles anew, so that training images turn up in validation: use the seed.",
)
def split_shuffles_anew(num_samples, mode, split=SPLIT, seed=0):
    order = np.random.default_rng().permutation(num_samples)
    return np.split(order, _cuts(num_samples, split))[list(split).index(mode)]


@mistake(SELECT, hint="Each part is drawn from all samples, so parts overlap: shuffle once, then cut.")
def split_draws_each_part(num_samples, mode, split=SPLIT, seed=0):
    parts = np.split(np.arange(num_samples), _cuts(num_samples, split))
    size = len(parts[list(split).index(mode)])
    random = np.random.default_rng([seed, list(split).index(mode)])
    return random.permutation(num_samples)[:size]


@mistake(SELECT, hint="The seed is not used: another seed is to give another split.")
def split_with_fixed_seed(num_samples, mode, split=SPLIT, seed=0):
    order = np.random.default_rng(0).permutation(num_samples)
    return np.split(order, _cuts(num_samples, split))[list(split).index(mode)]


@mistake(SELECT, hint="Samples are drawn with repetition: one comes twice, another one never.")
def split_with_repetition(num_samples, mode, split=SPLIT, seed=0):
    order = np.random.default_rng(seed).integers(0, num_samples, num_samples)
    return np.split(order, _cuts(num_samples, split))[list(split).index(mode)]


@mistake(
    SELECT, hint="The size of each part is cut off on its own, so samples get lost: round where a cut lies."
)
def split_rounds_down(num_samples, mode, split=SPLIT, seed=0):
    order = np.random.default_rng(seed).permutation(num_samples)
    cuts = np.cumsum([int(share * num_samples) for share in split.values()])
    return np.split(order, cuts)[list(split).index(mode)]


@mistake(SELECT, hint="Every part starts at the front: a part begins where the one before it ends.")
def split_from_the_front(num_samples, mode, split=SPLIT, seed=0):
    order = np.random.default_rng(seed).permutation(num_samples)
    sizes = np.diff(_cuts(num_samples, split), prepend=0)
    return order[: sizes[list(split).index(mode)]]


COLUMNS = "data.csv_dataset.FeatureSelectorAndNormalizationTransform.__call__"


def _scaled(transform, data_dict, scale, *, order=None, target=True, missing=True):
    values = {**data_dict["features"], transform.target_column: data_dict["target"]}
    if missing:
        values |= {n: s["mean"] for n, s in transform.column_stats.items() if math.isnan(values[n])}
    names = [n for n in order or transform.column_stats if n in transform.column_stats]
    features = [scale(values[n], transform.column_stats[n]) for n in names if n != transform.target_column]
    name = transform.target_column
    due = scale(values[name], transform.column_stats[name]) if target else values[name]
    return {"features": np.array(features), "target": np.array([due])}


def _min_max(value, stats):
    return (value - stats["min"]) / (stats["max"] - stats["min"])


@mistake(COLUMNS, hint="A missing value stays nan, and one nan makes every weight nan: put the mean in.")
def columns_keep_nan(self, data_dict):
    return _scaled(self, data_dict, _min_max, missing=False)


@mistake(COLUMNS, hint="A missing value becomes 0, the smallest of all: the mean is a better guess.")
def columns_zero_for_nan(self, data_dict):
    scaled = _scaled(self, data_dict, _min_max, missing=False)
    return {key: np.nan_to_num(values) for key, values in scaled.items()}


@mistake(COLUMNS, hint="The mean is taken off instead of the smallest value, so the range is not 0 to 1.")
def columns_around_mean(self, data_dict):
    return _scaled(self, data_dict, lambda v, s: (v - s["mean"]) / (s["max"] - s["min"]))


@mistake(COLUMNS, hint="This divides by the largest value: take the smallest off, then divide by the range.")
def columns_by_max(self, data_dict):
    return _scaled(self, data_dict, lambda v, s: v / s["max"])


@mistake(COLUMNS, hint="It divides by the largest value: the range to divide by is max minus min.")
def columns_by_max_after_min(self, data_dict):
    return _scaled(self, data_dict, lambda v, s: (v - s["min"]) / s["max"])


@mistake(COLUMNS, hint="The target is left as it was: it has statistics, too.")
def columns_raw_target(self, data_dict):
    return _scaled(self, data_dict, _min_max, target=False)


@mistake(COLUMNS, hint="The features come in the order of the row; they belong in the order of column_stats.")
def columns_in_order_of_row(self, data_dict):
    return _scaled(self, data_dict, _min_max, order=list(data_dict["features"]))


@mistake(COLUMNS, hint="The target is among the features: a model would only have to copy it.")
def columns_leak_target(self, data_dict):
    scaled = _scaled(self, data_dict, _min_max)
    return {**scaled, "features": np.append(scaled["features"], scaled["target"])}


RESCALE = "data.transforms.RescaleTransform.__call__"


@mistake(RESCALE, hint="`in_range` is not used: numbers do not always come from 0 to 255.")
def rescale_from_bytes_only(self, images):
    low, high = self.out_range
    return low + images / 255 * (high - low)


@mistake(RESCALE, hint="This always ends in 0 to 1: `out_range` is not used.")
def rescale_to_unit_only(self, images):
    low, high = self.in_range
    return (images - low) / (high - low)


@mistake(
    RESCALE, hint="The range is that of this image: two images would be stretched differently. Use in_range."
)
def rescale_by_own_range(self, images):
    low, high = self.out_range
    return low + (images - images.min()) / (images.max() - images.min()) * (high - low)


@mistake(
    RESCALE, hint="The lower end of the new range is missing: 0 is mapped to 0 whatever `out_range` says."
)
def rescale_without_offset(self, images):
    low, high = self.in_range
    return (images - low) / (high - low) * (self.out_range[1] - self.out_range[0])


@mistake(RESCALE, hint="The lower end of the old range is not taken off before dividing.")
def rescale_keeps_old_offset(self, images):
    (in_low, in_high), (out_low, out_high) = self.in_range, self.out_range
    return out_low + images / (in_high - in_low) * (out_high - out_low)


@mistake(RESCALE, hint="The two ranges are swapped: numbers come from in_range and go to out_range.")
def rescale_swapped(self, images):
    (in_low, in_high), (out_low, out_high) = self.out_range, self.in_range
    return out_low + (images - in_low) / (in_high - in_low) * (out_high - out_low)


@mistake(RESCALE, hint="`-=` and `/=` change the images that came in: compute a new array.")
def rescale_in_place(self, images):
    (in_low, in_high), (out_low, out_high) = self.in_range, self.out_range
    images -= in_low
    images /= in_high - in_low
    return out_low + images * (out_high - out_low)


@mistake(RESCALE, hint="Values outside of the range are cut off at its ends: a straight line goes on.")
def rescale_clipped(self, images):
    (in_low, in_high), (out_low, out_high) = self.in_range, self.out_range
    return np.clip(out_low + (images - in_low) / (in_high - in_low) * (out_high - out_low), out_low, out_high)


STATS = "data.transforms.compute_image_mean_and_std"


@mistake(STATS, hint="The spreads within single images are averaged; the spread between images is lost.")
def stats_of_single_images(images):
    return images.mean(axis=(0, 1, 2)), images.std(axis=(1, 2)).mean(axis=0)


@mistake(
    STATS, hint="The axes that are summed over are not those of images, rows and columns: channels come last."
)
def stats_channels_first(images):
    return images.mean(axis=(0, 2, 3)), images.std(axis=(0, 2, 3))


@mistake(STATS, hint="The axes that were summed over are still there, with size 1: the shape is (C,).")
def stats_keep_axes(images):
    axes = (0, 1, 2)
    return images.mean(axis=axes, keepdims=True), images.std(axis=axes, keepdims=True)


@mistake(
    STATS, hint="The sum of squares is divided by one less than the number of pixels: divide by the number."
)
def stats_unbiased(images):
    return images.mean(axis=(0, 1, 2)), images.std(axis=(0, 1, 2), ddof=1)


@mistake(STATS, hint="This is the variance: take its root.")
def stats_variance(images):
    return images.mean(axis=(0, 1, 2)), images.var(axis=(0, 1, 2))


@mistake(STATS, hint="One number for all channels: each channel has its own.")
def stats_of_everything(images):
    return images.mean(), images.std()


@mistake(STATS, hint="The spread comes first here: the mean is due first.")
def stats_swapped(images):
    return images.std(axis=(0, 1, 2)), images.mean(axis=(0, 1, 2))


@mistake(STATS, hint="A mean image, pixel by pixel: average over rows and columns as well.")
def stats_of_pixels(images):
    return images.mean(axis=0), images.std(axis=0)


NORMALIZE = "data.transforms.NormalizeTransform.__call__"


@mistake(NORMALIZE, hint="`-=` and `/=` change the image that came in: compute a new array.")
def normalize_in_place(self, images):
    images -= self.mean
    images /= self.std
    return images


@mistake(
    NORMALIZE, hint="The image's own mean and spread are used: the same numbers are due for every image."
)
def normalize_by_own_stats(self, images):
    axes = tuple(range(images.ndim - 1))
    return (images - images.mean(axes)) / images.std(axes)


@mistake(NORMALIZE, hint="It divides first: brackets are missing around the difference.")
def normalize_without_brackets(self, images):
    return images - self.mean / self.std


@mistake(NORMALIZE, hint="The spread is not used, so channels keep their different spreads.")
def normalize_mean_only(self, images):
    return images - self.mean


@mistake(NORMALIZE, hint="It multiplies by the standard deviation: that would undo it. Divide.")
def normalize_multiplies(self, images):
    return (images - self.mean) * self.std


@mistake(NORMALIZE, hint="All channels get one mean and one spread, the average of the three.")
def normalize_all_alike(self, images):
    return (images - np.mean(self.mean)) / np.mean(self.std)


COMPOSE = "data.transforms.ComposeTransform.__call__"


@mistake(COMPOSE, hint="The last transform is applied first: go through the list from its start.")
def compose_reversed(self, images):
    for transform in self.transforms[::-1]:
        images = transform(images)
    return images


@mistake(COMPOSE, hint="Each transform gets the original, and only the last one counts: hand the result on.")
def compose_last_only(self, images):
    result = images
    for transform in self.transforms:
        result = transform(images)
    return result


@mistake(COMPOSE, hint="It returns after the first transform: the `return` belongs behind the loop.")
def compose_first_only(self, images):
    for transform in self.transforms:
        return transform(images)
    return images


@mistake(COMPOSE, hint="What the transforms return is thrown away: give the result a name, and hand it on.")
def compose_drops_results(self, images):
    for transform in self.transforms:
        transform(images)
    return images


FLATTEN = "data.transforms.FlattenTransform.__call__"


@mistake(
    FLATTEN, hint="There is an axis of size 1 too many: one image is one row, (3072,) and not (1, 3072)."
)
def flatten_to_matrix(self, image):
    return image.reshape(1, -1)


@mistake(FLATTEN, hint="The first axis runs fastest here: NumPy's usual order, without `order=`, is due.")
def flatten_columns_first(self, image):
    return image.flatten(order="F")


@mistake(
    FLATTEN,
    hint="The channels are brought to the front before flattening: leave the order as it lies in memory.",
)
def flatten_channels_first(self, image):
    return np.moveaxis(image, -1, 0).reshape(-1)


@mistake(
    FLATTEN, hint="The shape of the image that came in is changed: `reshape` gives a new view and leaves it."
)
def flatten_in_place(self, image):
    image.shape = (image.size,)
    return image


@mistake(FLATTEN, hint="Only the first two axes are joined; the channels are still apart.")
def flatten_keeps_channels(self, image):
    return image.reshape(-1, image.shape[-1])


FLIP = "data.transforms.RandomHorizontalFlip.__call__"


@mistake(FLIP, hint="Top and bottom change sides: axis 0 is the rows, left and right lie along axis 1.")
def flip_upside_down(self, image):
    return image[::-1].copy() if self.random.random() < self.prob else image


@mistake(FLIP, hint="The channels change sides, so red becomes blue: left and right lie along axis 1.")
def flip_channels(self, image):
    return image[..., ::-1].copy() if self.random.random() < self.prob else image


@mistake(FLIP, hint="Every image is mirrored, whatever `prob` says.")
def flip_always(self, image):
    return image[:, ::-1].copy()


@mistake(FLIP, hint="The comparison is the wrong way round: it mirrors with probability 1 - prob.")
def flip_other_way_round(self, image):
    return image if self.random.random() < self.prob else image[:, ::-1].copy()


@mistake(FLIP, hint="Every row is mirrored or not on its own: one draw decides for the whole image.")
def flip_row_by_row(self, image):
    return np.stack([row[::-1] if self.random.random() < self.prob else row for row in image])


@mistake(FLIP, hint="A coin is tossed, heads or tails; `prob` may be any probability.")
def flip_by_coin(self, image):
    if self.prob in (0, 1):
        return image[:, ::-1].copy() if self.prob else image
    return image[:, ::-1].copy() if self.random.integers(2) else image


@mistake(FLIP, hint="A half turn: rows change order, too. Only axis 1 is to be reversed.")
def flip_both_axes(self, image):
    return image[::-1, ::-1].copy() if self.random.random() < self.prob else image


CROP = "data.transforms.RandomCrop.__call__"


def _window(crop, image, *, last=1, mode="constant", place=None, size=None):
    border = (crop.padding, crop.padding)
    padded = np.pad(image, (border, border, (0, 0)), mode=mode)
    height, width = size or crop.size
    rows, columns = padded.shape[0] - height + last, padded.shape[1] - width + last
    top, left = place(rows, columns) if place else (crop.random.integers(rows), crop.random.integers(columns))
    return padded[top : top + height, left : left + width]


@mistake(CROP, hint="The last window never comes up: `integers` and `randrange` end before their upper end.")
def crop_misses_last(self, image):
    return _window(self, image, last=0)


@mistake(CROP, hint="Height and width are swapped: size is (height, width).")
def crop_transposed(self, image):
    return _window(self, image, size=self.size[::-1])


@mistake(CROP, hint="The window always lies in the middle: its place is to be random.")
def crop_centre(self, image):
    return _window(self, image, place=lambda rows, columns: (rows // 2, columns // 2))


@mistake(CROP, hint="One draw serves both axes, so most windows never come up: draw twice.")
def crop_diagonal(self, image):
    return _window(self, image, place=lambda rows, columns: [self.random.integers(min(rows, columns))] * 2)


@mistake(CROP, hint="The border repeats the pixels at the edge: zeros are asked for.")
def crop_repeats_edge(self, image):
    return _window(self, image, mode="edge")


@mistake(CROP, hint="`padding` is not used: the border of zeros comes first.")
def crop_without_border(self, image):
    height, width = self.size
    top = self.random.integers(image.shape[0] - height + 1)
    left = self.random.integers(image.shape[1] - width + 1)
    return image[top : top + height, left : left + width]


@mistake(CROP, hint="The channels are padded, too: give `np.pad` a pair of numbers for each axis.")
def crop_pads_channels(self, image):
    padded = np.pad(image, self.padding)
    height, width = self.size
    top = self.random.integers(padded.shape[0] - height + 1)
    left = self.random.integers(padded.shape[1] - width + 1)
    return padded[top : top + height, left : left + width]


JITTER = "data.transforms.ColorJitter.__call__"


def _jittered(jitter, image, factor, contrast=lambda image: grey(image).mean()):
    image = blend(image, np.zeros(1), factor(jitter.brightness))
    image = blend(image, contrast(image), factor(jitter.contrast))
    return blend(image, grey(image), factor(jitter.saturation))


@mistake(JITTER, hint="One draw serves brightness, contrast and saturation: each needs a draw of its own.")
def jitter_one_draw(self, image):
    draw = self.random.uniform(-1, 1)
    return _jittered(self, image, lambda spread: 1 + draw * spread)


@mistake(
    JITTER, hint="The factors lie between 0 and the argument: they belong around 1, which changes nothing."
)
def jitter_around_zero(self, image):
    return _jittered(self, image, lambda spread: self.random.uniform(0, spread))


@mistake(JITTER, hint="Every factor is above 1, so images only ever become brighter and more colourful.")
def jitter_only_more(self, image):
    return _jittered(self, image, lambda spread: self.random.uniform(1, 1 + spread))


@mistake(JITTER, hint="Only the two extremes come up: draw from the whole range between them.")
def jitter_extremes(self, image):
    return _jittered(self, image, lambda spread: 1 + spread * self.random.choice([-1.0, 1.0]))


@mistake(
    JITTER, hint="A number is added for brightness: the image is blended with black, which multiplies it."
)
def jitter_adds_brightness(self, image):
    image = np.clip(image + self.random.uniform(-self.brightness, self.brightness), 0, 1)
    image = blend(image, grey(image).mean(), self.random.uniform(1 - self.contrast, 1 + self.contrast))
    return blend(image, grey(image), self.random.uniform(1 - self.saturation, 1 + self.saturation))


@mistake(JITTER, hint="Each channel gets a brightness of its own, which changes colours: one factor for all.")
def jitter_channels_apart(self, image):
    factors = self.random.uniform(1 - self.brightness, 1 + self.brightness, 3)
    image = blend(image, np.zeros(1), factors)
    image = blend(image, grey(image).mean(), self.random.uniform(1 - self.contrast, 1 + self.contrast))
    return blend(image, grey(image), self.random.uniform(1 - self.saturation, 1 + self.saturation))


@mistake(JITTER, hint="Contrast is blended with the mean of the image itself: the mean of its grey is due.")
def jitter_mean_of_image(self, image):
    return _jittered(
        self, image, lambda spread: self.random.uniform(1 - spread, 1 + spread), contrast=np.mean
    )


@mistake(JITTER, hint="Values leave the range from 0 to 1: `blend` keeps them in it.")
def jitter_leaves_range(self, image):
    b, c, s = (
        self.random.uniform(1 - spread, 1 + spread)
        for spread in (self.brightness, self.contrast, self.saturation)
    )
    image = image * b
    image = grey(image).mean() * (1 - c) + c * image
    return grey(image) * (1 - s) + s * image


NOISE = "data.transforms.AddPepperNoise.__call__"


def _noisy(noise, image, *, snr=None, salt=0.5, p=None, white=1.0, shape=1, random=None):
    random = random or noise.random
    if random.random() >= (noise.p if p is None else p):
        return image
    draw = random.random((*image.shape[:2], shape))
    share = 1 - (noise.snr if snr is None else snr)
    return np.where(draw < share, np.where(draw < salt * share, white, 0.0), image)


@mistake(NOISE, hint="snr is the share of pixels that stay; here it is the share that changes.")
def noise_other_way_round(self, image):
    return _noisy(self, image, snr=1 - self.snr)


@mistake(NOISE, hint="All changed pixels become black: half of them should be white.")
def noise_pepper_only(self, image):
    return _noisy(self, image, salt=0.0)


@mistake(NOISE, hint="All changed pixels become white: half of them should be black.")
def noise_salt_only(self, image):
    return _noisy(self, image, salt=1.0)


@mistake(NOISE, hint="White is 255 here, but images are floats from 0 to 1.")
def noise_in_bytes(self, image):
    return _noisy(self, image, white=255.0)


@mistake(NOISE, hint="Every channel is drawn apart, which gives coloured dots: one draw for a whole pixel.")
def noise_in_colour(self, image):
    return _noisy(self, image, shape=image.shape[2])


@mistake(
    NOISE, hint="Whole columns become white or black: draw a number for each pixel, in rows and columns."
)
def noise_in_columns(self, image):
    if self.random.random() >= self.p:
        return image
    draw = self.random.random((image.shape[1], 1))
    share = 1 - self.snr
    return np.where(draw < share, np.where(draw < share / 2, 1.0, 0.0), image)


@mistake(NOISE, hint="`p` is not used: some images are to stay as they are.")
def noise_on_every_image(self, image):
    return _noisy(self, image, p=1.0)


@mistake(
    NOISE, hint="Every image gets the very same noise: a generator made in the call starts anew each time."
)
def noise_repeats(self, image):
    return _noisy(self, image, random=np.random.default_rng(0))


@mistake(NOISE, hint="Pixels become grey noise of any value: salt is 1, pepper is 0, nothing lies between.")
def noise_any_grey(self, image):
    if self.random.random() >= self.p:
        return image
    draw = self.random.random((*image.shape[:2], 1))
    return np.where(draw < 1 - self.snr, self.random.random(draw.shape), image)


BATCHES = "data.dataloader.DataLoader.__len__"


@mistake(
    BATCHES, hint="There is always one more than the full batches, even where nothing is left: 9 / 3 gives 4."
)
def batches_always_one_more(self):
    full = len(self.dataset) // self.batch_size
    return full if self.drop_last else full + 1


@mistake(BATCHES, hint="Only full batches are counted: without drop_last the rest is a batch as well.")
def batches_full_only(self):
    return len(self.dataset) // self.batch_size


@mistake(BATCHES, hint="The rest is always counted: with drop_last it is left out.")
def batches_with_rest(self):
    return math.ceil(len(self.dataset) / self.batch_size)


@mistake(BATCHES, hint="This is the number of samples: divide by the size of a batch.")
def batches_samples(self):
    return len(self.dataset)


@mistake(BATCHES, hint="`/` gives a float, and a length must be a whole number.")
def batches_as_float(self):
    return len(self.dataset) / self.batch_size


@mistake(BATCHES, hint="drop_last works the wrong way round: True leaves the rest out.")
def batches_drop_reversed(self):
    full, rest = divmod(len(self.dataset), self.batch_size)
    return full + (rest > 0 and self.drop_last)


ITER = "data.dataloader.DataLoader.__iter__"


def _batches(loader, order, *, collate=None, stop=None):
    size = loader.batch_size
    collate = collate or (lambda samples: {k: np.array([s[k] for s in samples]) for k in samples[0]})
    last = len(order) - size + 1 if loader.drop_last else len(order)
    for start in range(0, last if stop is None else stop, size):
        yield collate([loader.dataset[int(i)] for i in order[start : start + size]])


def _order(loader):
    count = len(loader.dataset)
    return loader.random.permutation(count) if loader.shuffle else np.arange(count)


@mistake(ITER, hint="The values of a batch are lists: make arrays of them.")
def iter_gives_lists(self):
    yield from _batches(
        self, _order(self), collate=lambda samples: {k: [s[k] for s in samples] for k in samples[0]}
    )


@mistake(ITER, hint="A batch is a list of samples: it should be one dict, with an array for each key.")
def iter_gives_samples(self):
    yield from _batches(self, _order(self), collate=list)


@mistake(ITER, hint="The keys are fixed: a batch has the keys that its samples have, whatever these are.")
def iter_fixed_key(self):
    yield from _batches(self, _order(self), collate=lambda samples: {"data": np.array(samples)})


@mistake(ITER, hint="The last batch is lost even without drop_last.")
def iter_always_drops(self):
    yield from _batches(self, _order(self), stop=len(self.dataset) - self.batch_size + 1)


@mistake(ITER, hint="drop_last is not used: a batch that is not full comes out.")
def iter_never_drops(self):
    yield from _batches(self, _order(self), stop=len(self.dataset))


@mistake(ITER, hint="Samples are shuffled even where shuffle is False.")
def iter_always_shuffles(self):
    yield from _batches(self, self.random.permutation(len(self.dataset)))


@mistake(ITER, hint="The last batch is filled up with samples from the start, which then count twice.")
def iter_fills_up(self):
    order, size = _order(self), self.batch_size
    for batch in range(len(self)):
        yield from _batches(self, order[np.arange(batch * size, (batch + 1) * size) % len(order)])


@mistake(
    ITER + ":lazy",
    hint="All samples are loaded before the first batch comes out: load those of one batch at a time.",
)
def iter_loads_first(self):
    samples = [self.dataset[index] for index in range(len(self.dataset))]
    order, size = _order(self), self.batch_size
    for batch in range(len(self)):
        chosen = [samples[index] for index in order[batch * size : (batch + 1) * size]]
        yield {key: np.array([sample[key] for sample in chosen]) for key in chosen[0]}


@mistake(
    ITER + ":shuffle", hint="The order is the same in every epoch: shuffle each time that a new one starts."
)
def iter_same_order(self):
    order = np.random.default_rng(0).permutation(len(self.dataset))
    yield from _batches(self, order if self.shuffle else np.arange(len(order)))


@mistake(ITER + ":shuffle", hint="shuffle is not used: the samples come in their own order.")
def iter_never_shuffles(self):
    yield from _batches(self, np.arange(len(self.dataset)))


@mistake(ITER + ":shuffle", hint="Samples are drawn with repetition: in an epoch each comes exactly once.")
def iter_draws_with_repetition(self):
    count = len(self.dataset)
    yield from _batches(self, self.random.integers(0, count, count) if self.shuffle else np.arange(count))


@mistake(
    ITER + ":shuffle", hint="Whole batches change places, so the same samples always meet: mix the samples."
)
def iter_shuffles_batches(self):
    batches = list(_batches(self, np.arange(len(self.dataset))))
    order = self.random.permutation(len(batches)) if self.shuffle else range(len(batches))
    for place in order:
        yield batches[place]


LINEAR = "networks.linear_model.LinearModel.forward"
LINEAR_BACKWARD = "networks.linear_model.LinearModel.backward"
BIAS_FIRST = "The column of ones is in front: the bias is the last weight, so it belongs at the end."
ONES_ON_CPU = "The ones are made on the CPU: make them where X is (`X.new_ones` does)."
ONES_IN_FLOAT32 = "The ones are float32 whatever X is: `X.new_ones` takes over dtype and device."


@mistake(LINEAR, hint=BIAS_FIRST)
def linear_bias_first(self, X):
    self.cache = torch.cat([X.new_ones(len(X), 1), X], dim=1)
    return self.cache @ self.W


@mistake(LINEAR, hint="The bias is left out: without it the line must go through the origin.")
def linear_without_bias(self, X):
    self.cache = torch.cat([X, X.new_zeros(len(X), 1)], dim=1)
    return self.cache @ self.W


@mistake(
    LINEAR, hint="X is multiplied as it came, with one column less than W has rows: put the ones behind it."
)
def linear_without_ones(self, X):
    self.cache = X
    return self.cache @ self.W


@mistake(LINEAR, hint=ONES_ON_CPU)
def linear_ones_on_cpu(self, X):
    self.cache = torch.cat([X, torch.ones(len(X), 1, dtype=X.dtype)], dim=1)
    return self.cache @ self.W


@mistake(LINEAR, hint="The result has lost an axis: the shape is (N, 1), one row for each sample.")
def linear_flat(self, X):
    self.cache = torch.cat([X, X.new_ones(len(X), 1)], dim=1)
    return (self.cache @ self.W).squeeze(1)


@mistake(LINEAR, hint="A sigmoid bends the line: in linear regression the sum itself is the prediction.")
def linear_with_sigmoid(self, X):
    self.cache = torch.cat([X, X.new_ones(len(X), 1)], dim=1)
    return torch.sigmoid(self.cache @ self.W)


@mistake(LINEAR_BACKWARD, hint="dout is not used: how the predictions should change depends on the loss.")
def linear_backward_without_dout(self, dout):
    return self.cache.T @ torch.ones_like(dout)


@mistake(LINEAR_BACKWARD, hint="It divides by N; if the loss is a mean, dout is divided already.")
def linear_backward_mean(self, dout):
    return self.cache.T @ dout / len(dout)


@mistake(LINEAR_BACKWARD, hint="These are the gradients of single samples, (N, D + 1): add them up.")
def linear_backward_per_sample(self, dout):
    return self.cache * dout


@mistake(LINEAR_BACKWARD, hint="This is the gradient of X, (N, D): that of W is asked for.")
def linear_backward_of_input(self, dout):
    return dout @ self.W[:-1].T


@mistake(LINEAR_BACKWARD, hint="The bias gets no gradient: its feature is 1 for every sample.")
def linear_backward_without_bias(self, dout):
    gradient = self.cache.T @ dout
    return torch.cat([gradient[:-1], torch.zeros_like(gradient[-1:])])


SIGMOID = "networks.classifier.Classifier.sigmoid"


@mistake(SIGMOID, hint="exp(x) overflows for large x, and infinity over infinity is nan: use exp(-x).")
def sigmoid_overflows(self, x):
    return torch.exp(x) / (1 + torch.exp(x))


@mistake(SIGMOID, hint="The sign in the exponent is missing: large numbers must go to 1, not to 0.")
def sigmoid_mirrored(self, x):
    return 1 / (1 + torch.exp(x))


@mistake(SIGMOID, hint="This is tanh, between -1 and 1: a probability lies between 0 and 1.")
def sigmoid_tanh(self, x):
    return torch.tanh(x)


@mistake(SIGMOID, hint="Numbers are cut off at 0 and 1: the sigmoid bends smoothly.")
def sigmoid_clipped(self, x):
    return (0.5 + x / 4).clamp(0, 1)


@mistake(SIGMOID, hint="`torch.sigmoid` is the answer itself: write it with `torch.exp`.")
def sigmoid_of_torch(self, x):
    return torch.sigmoid(x)


@mistake(SIGMOID, hint="Brackets are missing: 1 / 1 + exp(-x) is 1 + exp(-x).")
def sigmoid_without_brackets(self, x):
    return 1 / 1 + torch.exp(-x)


FORWARD = "networks.classifier.Classifier.forward"


def _classify(model, X1, bend=True):
    z = X1 @ model.W
    probabilities = 1 / (1 + torch.exp(-z))
    model.cache = X1, probabilities
    return probabilities if bend else z


@mistake(FORWARD, hint=BIAS_FIRST)
def forward_bias_first(self, X):
    return _classify(self, torch.cat([X.new_ones(len(X), 1), X], dim=1))


@mistake(FORWARD, hint="The weighted sum comes back: a probability needs the sigmoid.")
def forward_without_sigmoid(self, X):
    return _classify(self, torch.cat([X, X.new_ones(len(X), 1)], dim=1), bend=False)


@mistake(FORWARD, hint="The column of ones is put there twice, so W does not fit any more.")
def forward_ones_twice(self, X):
    return _classify(self, torch.cat([X, X.new_ones(len(X), 2)], dim=1))


@mistake(
    FORWARD, hint="The class comes back, 0 or 1: how sure the model is gets lost. Return the probability."
)
def forward_decides(self, X):
    return (_classify(self, torch.cat([X, X.new_ones(len(X), 1)], dim=1)) > 0.5).to(X.dtype)


@mistake(FORWARD, hint="The bias is left out: its feature is 1, not 0.")
def forward_without_bias(self, X):
    return _classify(self, torch.cat([X, X.new_zeros(len(X), 1)], dim=1))


@mistake(FORWARD, hint=ONES_IN_FLOAT32)
def forward_ones_in_float32(self, X):
    return _classify(self, torch.cat([X.float(), torch.ones(len(X), 1, device=X.device)], dim=1))


BACKWARD = "networks.classifier.Classifier.backward"


@mistake(BACKWARD, hint="dout is not used: how the probabilities should change depends on the loss.")
def backward_without_dout(self, dout):
    X1, p = self.cache
    return X1.T @ (p * (1 - p))


@mistake(BACKWARD, hint="The slope of the sigmoid is missing.")
def backward_without_slope(self, dout):
    X1, _ = self.cache
    return X1.T @ dout


@mistake(BACKWARD, hint="The slope of the sigmoid is p (1 - p); one of the two factors is missing.")
def backward_half_slope(self, dout):
    X1, p = self.cache
    return X1.T @ (dout * p)


@mistake(BACKWARD, hint="The slope of the sigmoid comes in twice.")
def backward_slope_twice(self, dout):
    X1, p = self.cache
    return X1.T @ (dout * (p * (1 - p)) ** 2)


@mistake(
    BACKWARD, hint="The slope is that of z itself: p (1 - p) needs the probability, not the sum before it."
)
def backward_slope_of_sum(self, dout):
    X1, _ = self.cache
    z = X1 @ self.W
    return X1.T @ (dout * z * (1 - z))


@mistake(BACKWARD, hint="It divides by N; if the loss is a mean, dout is divided already.")
def backward_mean(self, dout):
    X1, p = self.cache
    return X1.T @ (dout * p * (1 - p)) / len(dout)


@mistake(BACKWARD, hint="These are the gradients of single samples, (N, D + 1): add them up.")
def backward_per_sample(self, dout):
    X1, p = self.cache
    return X1 * (dout * p * (1 - p))


@mistake(BACKWARD, hint="dout is changed: `*=` works in place. Compute a new tensor.")
def backward_in_place(self, dout):
    X1, p = self.cache
    dout *= p * (1 - p)
    return X1.T @ dout


def _mean(losses, individual_losses):
    return losses if individual_losses else losses.mean()


def _over(slopes, individual_losses):
    return slopes if individual_losses else slopes / len(slopes)


SIGNED = "Differences keep their sign, so that too much and too little cancel."
SUMMED = "The losses are added up: the loss of a batch is their mean."
ALWAYS_MEAN = "`individual_losses` is not used: with it every sample's loss is due, in the shape of y_out."
ALWAYS_INDIVIDUAL = "The mean is missing: without `individual_losses` one number is due."
NOT_DIVIDED = "The loss is a mean, so its gradient is divided by N; here it is that of the sum."
TWICE_DIVIDED = "It divides by N twice; the mean in the loss does so once."
ALWAYS_DIVIDED = "With `individual_losses` every sample has a loss of its own: nothing is divided by N then."
WRONG_SIGN = "The sign is wrong: a prediction that is too high has a positive gradient."
IS_FORWARD = "This is the loss, not its gradient."

L1_FORWARD, L1_BACKWARD = "networks.loss.L1.forward", "networks.loss.L1.backward"


@mistake(L1_FORWARD, hint=SIGNED)
def l1_signed(self, y_out, y_truth, individual_losses=False):
    return _mean(y_out - y_truth, individual_losses)


@mistake(L1_FORWARD, hint=SUMMED)
def l1_summed(self, y_out, y_truth, individual_losses=False):
    losses = (y_out - y_truth).abs()
    return losses if individual_losses else losses.sum()


@mistake(L1_FORWARD, hint=ALWAYS_MEAN)
def l1_always_mean(self, y_out, y_truth, individual_losses=False):
    return (y_out - y_truth).abs().mean()


@mistake(L1_FORWARD, hint=ALWAYS_INDIVIDUAL)
def l1_never_mean(self, y_out, y_truth, individual_losses=False):
    return (y_out - y_truth).abs()


@mistake(L1_FORWARD, hint="Squares are taken: that is MSE. L1 takes the distance itself.")
def l1_squares(self, y_out, y_truth, individual_losses=False):
    return _mean((y_out - y_truth).square(), individual_losses)


@mistake(L1_FORWARD, hint="`sub_` or `-=` overwrites the predictions: compute a new tensor.")
def l1_in_place(self, y_out, y_truth, individual_losses=False):
    return _mean(y_out.sub_(y_truth).abs(), individual_losses)


@mistake(
    L1_BACKWARD,
    hint="Where prediction and target are equal this gives -1; nothing is to be changed there, so 0.",
)
def l1_backward_minus_at_zero(self, y_out, y_truth, individual_losses=False):
    one = torch.ones_like(y_out)
    return _over(torch.where(y_out > y_truth, one, -one), individual_losses)


@mistake(
    L1_BACKWARD, hint="Where prediction and target are equal this is 0 / 0, nan: the gradient is 0 there."
)
def l1_backward_nan_at_zero(self, y_out, y_truth, individual_losses=False):
    difference = y_out - y_truth
    return _over(difference / difference.abs(), individual_losses)


@mistake(L1_BACKWARD, hint=NOT_DIVIDED)
def l1_backward_of_sum(self, y_out, y_truth, individual_losses=False):
    return (y_out - y_truth).sign()


@mistake(L1_BACKWARD, hint=ALWAYS_DIVIDED)
def l1_backward_always_divided(self, y_out, y_truth, individual_losses=False):
    return (y_out - y_truth).sign() / len(y_out)


@mistake(L1_BACKWARD, hint=WRONG_SIGN)
def l1_backward_sign(self, y_out, y_truth, individual_losses=False):
    return _over((y_truth - y_out).sign(), individual_losses)


@mistake(
    L1_BACKWARD, hint="The difference itself is the gradient of a square: that of a distance only has a sign."
)
def l1_backward_difference(self, y_out, y_truth, individual_losses=False):
    return _over(y_out - y_truth, individual_losses)


MSE_FORWARD, MSE_BACKWARD = "networks.loss.MSE.forward", "networks.loss.MSE.backward"


@mistake(MSE_FORWARD, hint="The mean is squared: square each difference first, else plus and minus cancel.")
def mse_square_of_mean(self, y_out, y_truth, individual_losses=False):
    difference = y_out - y_truth
    return difference.square() if individual_losses else difference.mean().square()


@mistake(MSE_FORWARD, hint=SUMMED)
def mse_summed(self, y_out, y_truth, individual_losses=False):
    losses = (y_out - y_truth).square()
    return losses if individual_losses else losses.sum()


@mistake(MSE_FORWARD, hint=ALWAYS_MEAN)
def mse_always_mean(self, y_out, y_truth, individual_losses=False):
    return (y_out - y_truth).square().mean()


@mistake(MSE_FORWARD, hint="A root is taken: the mean of the squares itself is asked for.")
def mse_root(self, y_out, y_truth, individual_losses=False):
    losses = (y_out - y_truth).square()
    return losses if individual_losses else losses.mean().sqrt()


@mistake(MSE_FORWARD, hint="Half of the square is taken: there is no factor in this course's MSE.")
def mse_half(self, y_out, y_truth, individual_losses=False):
    return _mean((y_out - y_truth).square() / 2, individual_losses)


@mistake(MSE_BACKWARD, hint="The derivative of a square has a factor; it is missing.")
def mse_backward_without_two(self, y_out, y_truth, individual_losses=False):
    return _over(y_out - y_truth, individual_losses)


@mistake(MSE_BACKWARD, hint=NOT_DIVIDED)
def mse_backward_of_sum(self, y_out, y_truth, individual_losses=False):
    return 2 * (y_out - y_truth)


@mistake(MSE_BACKWARD, hint=TWICE_DIVIDED)
def mse_backward_twice(self, y_out, y_truth, individual_losses=False):
    slopes = 2 * (y_out - y_truth)
    return slopes if individual_losses else slopes / len(slopes) ** 2


@mistake(MSE_BACKWARD, hint=ALWAYS_DIVIDED)
def mse_backward_always_divided(self, y_out, y_truth, individual_losses=False):
    return 2 * (y_out - y_truth) / len(y_out)


@mistake(MSE_BACKWARD, hint=WRONG_SIGN)
def mse_backward_sign(self, y_out, y_truth, individual_losses=False):
    return _over(2 * (y_truth - y_out), individual_losses)


@mistake(MSE_BACKWARD, hint=IS_FORWARD)
def mse_backward_is_loss(self, y_out, y_truth, individual_losses=False):
    return _over((y_out - y_truth).square(), individual_losses)


@mistake(MSE_BACKWARD, hint="The gradient is one number, the mean of all: every prediction has its own.")
def mse_backward_mean(self, y_out, y_truth, individual_losses=False):
    slopes = 2 * (y_out - y_truth)
    return slopes if individual_losses else slopes.mean()


BCE_FORWARD, BCE_BACKWARD = "networks.loss.BCE.forward", "networks.loss.BCE.backward"


def _surprise(p, y):
    return -(y * p.log() + (1 - y) * (1 - p).log())


@mistake(
    BCE_FORWARD,
    hint="The minus in front is missing: logarithms of probabilities are negative, a loss is not.",
)
def bce_without_minus(self, y_out, y_truth, individual_losses=False):
    return _mean(-_surprise(y_out, y_truth), individual_losses)


@mistake(BCE_FORWARD, hint="Only class 1 counts: where the target is 0, the term with 1 - y speaks.")
def bce_class_one_only(self, y_out, y_truth, individual_losses=False):
    return _mean(-y_truth * y_out.log(), individual_losses)


@mistake(BCE_FORWARD, hint="Predictions and targets are swapped: the logarithm is that of the prediction.")
def bce_swapped(self, y_out, y_truth, individual_losses=False):
    return _mean(_surprise(y_truth.clamp(1e-6, 1 - 1e-6), y_out), individual_losses)


@mistake(BCE_FORWARD, hint=SUMMED)
def bce_summed(self, y_out, y_truth, individual_losses=False):
    losses = _surprise(y_out, y_truth)
    return losses if individual_losses else losses.sum()


@mistake(BCE_FORWARD, hint=ALWAYS_MEAN)
def bce_always_mean(self, y_out, y_truth, individual_losses=False):
    return _surprise(y_out, y_truth).mean()


@mistake(BCE_FORWARD, hint="A sigmoid is taken of what is a probability already.")
def bce_second_sigmoid(self, y_out, y_truth, individual_losses=False):
    return _mean(_surprise(1 / (1 + torch.exp(-y_out)), y_truth), individual_losses)


@mistake(
    BCE_FORWARD, hint="The logarithm has base 2 or 10: the natural one is due, whose derivative is 1 / p."
)
def bce_other_base(self, y_out, y_truth, individual_losses=False):
    return _mean(_surprise(y_out, y_truth) / math.log(2), individual_losses)


@mistake(
    BCE_BACKWARD, hint="This is the gradient of the sum before the sigmoid; that of the probability is due."
)
def bce_backward_of_sum_before(self, y_out, y_truth, individual_losses=False):
    return _over(y_out - y_truth, individual_losses)


@mistake(BCE_BACKWARD, hint=NOT_DIVIDED)
def bce_backward_of_sum(self, y_out, y_truth, individual_losses=False):
    return (1 - y_truth) / (1 - y_out) - y_truth / y_out


@mistake(BCE_BACKWARD, hint=TWICE_DIVIDED)
def bce_backward_twice(self, y_out, y_truth, individual_losses=False):
    slopes = (1 - y_truth) / (1 - y_out) - y_truth / y_out
    return slopes if individual_losses else slopes / len(slopes) ** 2


@mistake(BCE_BACKWARD, hint=ALWAYS_DIVIDED)
def bce_backward_always_divided(self, y_out, y_truth, individual_losses=False):
    return ((1 - y_truth) / (1 - y_out) - y_truth / y_out) / len(y_out)


@mistake(BCE_BACKWARD, hint="The second term has the wrong sign: raising p makes a target of 0 worse.")
def bce_backward_second_sign(self, y_out, y_truth, individual_losses=False):
    return _over(-y_truth / y_out - (1 - y_truth) / (1 - y_out), individual_losses)


@mistake(BCE_BACKWARD, hint="Class 0 has no gradient: the term with 1 - y is missing.")
def bce_backward_class_one_only(self, y_out, y_truth, individual_losses=False):
    return _over(-y_truth / y_out, individual_losses)


@mistake(BCE_BACKWARD, hint=WRONG_SIGN)
def bce_backward_sign(self, y_out, y_truth, individual_losses=False):
    return _over(y_truth / y_out - (1 - y_truth) / (1 - y_out), individual_losses)


STEP = "networks.optimizer.Optimizer.step"


@mistake(STEP, hint="New weights are computed, but the model does not get them: assign to `self.model.W`.")
def step_local_copy(self, dw):
    weights = self.model.W
    weights = weights - self.learning_rate * dw


@mistake(STEP, hint="The step goes uphill: the gradient points to where the loss grows.")
def step_uphill(self, dw):
    self.model.W = self.model.W + self.learning_rate * dw


@mistake(STEP, hint="The learning rate is not used.")
def step_without_rate(self, dw):
    self.model.W = self.model.W - dw


@mistake(STEP, hint="The old weights are lost: the step is taken off them, it does not replace them.")
def step_replaces(self, dw):
    self.model.W = -self.learning_rate * dw


@mistake(STEP, hint="The gradient itself is changed: `*=` works in place. Compute a new tensor.")
def step_in_place(self, dw):
    dw *= self.learning_rate
    self.model.W = self.model.W - dw


SOLVER = "solver_regression.Solver._step"


def _solver_step(solver, *, X=None, y=None, at=None, times=1.0):
    X, y = solver.X_train if X is None else X, solver.y_train if y is None else y
    predictions = solver.model.forward(X)
    dout = solver.loss_func.backward(predictions if at is None else at(predictions), y)
    solver.opt.step(times * solver.model.backward(dout))


@mistake(SOLVER, hint="The validation data are trained on: they can judge nothing any more.")
def solver_on_validation(self):
    _solver_step(self, X=self.X_val, y=self.y_val)


@mistake(SOLVER, hint="The gradient is divided by N once more: the loss has done so.")
def solver_divides_again(self):
    _solver_step(self, times=1 / len(self.X_train))


@mistake(SOLVER, hint="The gradient is multiplied by N, so the steps grow with the data: the mean is due.")
def solver_sums(self):
    _solver_step(self, times=len(self.X_train))


@mistake(SOLVER, hint="The loss itself goes into `backward` of the model: its gradient belongs there.")
def solver_uses_loss(self):
    predictions = self.model.forward(self.X_train)
    losses = self.loss_func.forward(predictions, self.y_train, individual_losses=True)
    self.opt.step(self.model.backward(losses / len(losses)))


@mistake(SOLVER, hint="Predictions and targets are swapped in the loss.")
def solver_swaps(self):
    predictions = self.model.forward(self.X_train)
    dout = self.loss_func.backward(self.y_train.clamp(0.01, 0.99), predictions)
    self.opt.step(self.model.backward(dout))


@mistake(SOLVER, hint="The gradient is computed, but no step follows: hand it to `self.opt`.")
def solver_without_step(self):
    predictions = self.model.forward(self.X_train)
    self.model.backward(self.loss_func.backward(predictions, self.y_train))


@mistake(
    SOLVER,
    hint="Validation runs last, so `backward` works on its samples: predict the training set right before.",
)
def solver_wrong_cache(self):
    dout = self.loss_func.backward(self.model.forward(self.X_train), self.y_train)
    self.model.forward(self.X_train.flip(0))
    self.opt.step(self.model.backward(dout))


@mistake(SOLVER, hint="A learning rate of one's own is used: `self.opt` knows how long the steps are.")
def solver_own_rate(self):
    predictions = self.model.forward(self.X_train)
    gradient = self.model.backward(self.loss_func.backward(predictions, self.y_train))
    self.model.W = self.model.W - 0.01 * gradient
