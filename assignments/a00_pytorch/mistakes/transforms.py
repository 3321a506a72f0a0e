"""How people get `data.transforms` wrong, and the hint each mistake deserves."""

import numpy as np

from exercise_code.data.transforms import blend, grey
from exercise_code.support.checking.declare import mistake

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


CENTRE = "data.transforms.NormalizeTransform.__call__"


@mistake(CENTRE, hint="`-=` and `/=` change the image that came in: compute a new array.")
def normalize_image_in_place(self, images):
    images -= self.mean
    images /= self.std
    return images


@mistake(CENTRE, hint="The image's own mean and spread are used: the same numbers are due for every image.")
def normalize_by_own_stats(self, images):
    axes = tuple(range(images.ndim - 1))
    return (images - images.mean(axes)) / images.std(axes)


@mistake(CENTRE, hint="It divides first: brackets are missing around the difference.")
def normalize_without_brackets(self, images):
    return images - self.mean / self.std


@mistake(CENTRE, hint="The spread is not used, so channels keep their different spreads.")
def normalize_mean_only(self, images):
    return images - self.mean


@mistake(CENTRE, hint="It multiplies by the standard deviation: that would undo it. Divide.")
def normalize_multiplies(self, images):
    return (images - self.mean) * self.std


@mistake(CENTRE, hint="All channels get one mean and one spread, the average of the three.")
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


@mistake(
    COMPOSE, hint="The list of transforms is emptied, so that the next image is left as it is: only read it."
)
def compose_used_up(self, images):
    while self.transforms:
        images = self.transforms.pop(0)(images)
    return images


FLATTEN = "data.transforms.FlattenTransform.__call__"


@mistake(
    FLATTEN, hint="There is an axis of size 1 too many: one image is one row, (3072,) and not (1, 3072)."
)
def flatten_to_matrix(self, image):
    return image.reshape(1, -1)


@mistake(FLATTEN, hint="The numbers come as they lie in memory, which `order='K'` means: row by row is due.")
def flatten_in_order_of_memory(self, image):
    return image.ravel(order="K")


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


@mistake(
    RESCALE, hint="In the end the low end of in_range is added: the new range begins at that of out_range."
)
def rescale_from_the_old_low_end(self, images):
    (in_low, in_high), (out_low, out_high) = self.in_range, self.out_range
    return in_low + (images - in_low) / (in_high - in_low) * (out_high - out_low)


@mistake(
    RESCALE, hint="At first the low end of out_range is taken off: the old range begins at that of in_range."
)
def rescale_by_the_new_low_end(self, images):
    (in_low, in_high), (out_low, out_high) = self.in_range, self.out_range
    return out_low + (images - out_low) / (in_high - in_low) * (out_high - out_low)


@mistake(STATS, hint="A spread of spreads is none of all pixels: take it over all three axes at once.")
def stats_spread_of_spreads(images):
    return images.mean(axis=(0, 1, 2)), images.std(axis=0).std(axis=0).std(axis=0)


@mistake(
    CENTRE,
    hint="Mean and spread of all numbers of the image are used: use those that were given at the start.",
)
def normalize_by_all_its_numbers(self, images):
    return (images - images.mean()) / images.std()
