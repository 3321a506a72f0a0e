"""How people get `linear.features` wrong, and the hint each mistake deserves."""

import torch
from torch.nn import functional as F

from exercise_code.linear.features import circular_histogram
from exercise_code.support.checking.declare import mistake

from .common import ON_CPU

CIRCLE, HUES, HOG = (
    "linear.features.circular_histogram",
    "linear.features.colour_histogram",
    "linear.features.hog_features",
)


# Features
def _shares(position, num_bins):
    away = (position.unsqueeze(-1) * num_bins - torch.arange(num_bins, device=position.device)).abs()
    return (1 - torch.minimum(away, num_bins - away)).clamp(min=0)


@mistake(
    CIRCLE,
    hint="Each pixel gives all to its nearest bin: it is to share between the two that it lies between.",
)
def circle_nearest_bin(position, weights, num_bins):
    nearest = (position * num_bins).round().long() % num_bins
    return (F.one_hot(nearest, num_bins) * weights.unsqueeze(-1)).sum(-2)


@mistake(CIRCLE, hint="Each pixel gives all to the bin before it: it is to share with the next one.")
def circle_lower_bin(position, weights, num_bins):
    lower = (position * num_bins).long() % num_bins
    return (F.one_hot(lower, num_bins) * weights.unsqueeze(-1)).sum(-2)


@mistake(CIRCLE, hint="The circle is open: pixels after the last bin share with the first one.")
def circle_open(position, weights, num_bins):
    away = (position.unsqueeze(-1) * num_bins - torch.arange(num_bins, device=position.device)).abs()
    return ((1 - away).clamp(min=0) * weights.unsqueeze(-1)).sum(-2)


@mistake(CIRCLE, hint="The shares are swapped: the nearer bin gets the larger one.")
def circle_shares_swapped(position, weights, num_bins):
    place = position * num_bins
    lower, share = place.floor().long(), place - place.floor()
    bins = F.one_hot(lower % num_bins, num_bins) * share.unsqueeze(-1)
    bins = bins + F.one_hot((lower + 1) % num_bins, num_bins) * (1 - share).unsqueeze(-1)
    return (bins * weights.unsqueeze(-1)).sum(-2)


@mistake(CIRCLE, hint="Pixels are counted; each gives as much as it weighs.")
def circle_unweighted(position, weights, num_bins):
    return _shares(position, num_bins).sum(-2)


@mistake(CIRCLE, hint="The histogram is a mean over the pixels; their sum is due.")
def circle_mean(position, weights, num_bins):
    return (_shares(position, num_bins) * weights.unsqueeze(-1)).mean(-2)


@mistake(CIRCLE, hint="All items share one histogram: sum over the last axis only.")
def circle_sums_everything(position, weights, num_bins):
    return (_shares(position, num_bins) * weights.unsqueeze(-1)).flatten(0, -2).sum(0)


@mistake(CIRCLE, hint="Bins sit at their middle, (b + 1/2) / num_bins; here bin b sits at b / num_bins.")
def circle_middle_of_bins(position, weights, num_bins):
    return (_shares((position - 0.5 / num_bins) % 1, num_bins) * weights.unsqueeze(-1)).sum(-2)


@mistake(CIRCLE, hint=ON_CPU.replace("W is", "the positions are"))
def circle_on_cpu(position, weights, num_bins):
    away = (position.unsqueeze(-1) * num_bins - torch.arange(num_bins)).abs()
    away = torch.minimum(away, num_bins - away)
    return ((1 - away).clamp(min=0) * weights.unsqueeze(-1)).sum(-2)


def _hue(images):
    r, g, b = images.flatten(2).unbind(1)
    largest, chroma = images.flatten(2).amax(1), images.flatten(2).amax(1) - images.flatten(2).amin(1)
    safe = torch.where(chroma > 0, chroma, 1)
    sixths = torch.where(
        largest == r, (g - b) / safe, torch.where(largest == g, 2 + (b - r) / safe, 4 + (r - g) / safe)
    )
    return sixths / 6 % 1, chroma


@mistake(HUES, hint="Grey pixels have no chroma, and 0 over 0 is NaN: keep the division away from them.")
def hues_grey_is_nan(images, num_bins=10):
    hue, chroma = _hue(images)
    return circular_histogram(hue * (chroma / chroma), chroma / chroma.shape[1], num_bins)


@mistake(HUES, hint="Every pixel counts alike, grey ones too: weigh it by its chroma.")
def hues_unweighted(images, num_bins=10):
    hue, chroma = _hue(images)
    return circular_histogram(hue, torch.ones_like(chroma) / chroma.shape[1], num_bins)


@mistake(HUES, hint="The histograms grow with the size of the image: divide the weights by H W.")
def hues_not_divided(images, num_bins=10):
    return circular_histogram(*_hue(images), num_bins)


@mistake(HUES, hint="Red and blue are swapped: the channels come as red, green, blue.")
def hues_bgr(images, num_bins=10):
    hue, chroma = _hue(images.flip(1))
    return circular_histogram(hue, chroma / chroma.shape[1], num_bins)


@mistake(HUES, hint="Hues of purple reds are negative: bring them back onto the circle with % 1.")
def hues_negative(images, num_bins=10):
    hue, chroma = _hue(images)
    hue = torch.where(hue > 5 / 6, hue - 1, hue)
    return circular_histogram(hue, chroma / chroma.shape[1], num_bins)


@mistake(HUES, hint="The hue is left in sixths; the histogram wants the whole circle from 0 to 1.")
def hues_in_sixths(images, num_bins=10):
    hue, chroma = _hue(images)
    return circular_histogram(hue * 6 % 1, chroma / chroma.shape[1], num_bins)


@mistake(HUES, hint="Pixels are weighed by their largest channel; chroma is the largest less the smallest.")
def hues_weighed_by_value(images, num_bins=10):
    hue, chroma = _hue(images)
    return circular_histogram(hue, images.flatten(2).amax(1) / chroma.shape[1], num_bins)


@mistake(HUES, hint="All images share one histogram: each has its own.")
def hues_of_all_images(images, num_bins=10):
    hue, chroma = _hue(images)
    return circular_histogram(hue, chroma / chroma.shape[1], num_bins).mean(0)


def _hog(
    images, num_bins, cell, *, turn=None, grey=None, norm=True, eps=1e-4, corner_first=False, weigh=True
):
    grey = images.mean(1) if grey is None else grey
    along_y, along_x = torch.gradient(grey, dim=(1, 2))
    position = (torch.atan2(along_y, along_x) / torch.pi if turn is None else turn(along_y, along_x)) % 1
    length = (along_x.square() + along_y.square()).sqrt()
    length = length if weigh else torch.ones_like(length)
    cells = [pixels.unfold(1, cell, cell).unfold(2, cell, cell).flatten(3) for pixels in (position, length)]
    histograms = circular_histogram(*cells, num_bins)
    corners = [
        histograms[:, :-1, :-1],
        histograms[:, :-1, 1:],
        histograms[:, 1:, :-1],
        histograms[:, 1:, 1:],
    ]
    corners = [corners[place] for place in (0, 2, 1, 3)] if corner_first else corners
    blocks = torch.cat(corners, dim=-1)
    scale = (blocks.square().sum(-1, keepdim=True) + eps).sqrt()
    return (blocks / scale if norm else blocks).flatten(1)


@mistake(
    HOG,
    hint="Directions run through 360 degrees; an edge is the same from either side, so take them modulo 180.",
)
def hog_whole_turn(images, num_bins=9, cell=8):
    return _hog(images, num_bins, cell, turn=lambda dy, dx: torch.atan2(dy, dx) / (2 * torch.pi))


@mistake(HOG, hint="The directions are turned by 90 degrees: `atan2` takes the y part first.")
def hog_axes_swapped(images, num_bins=9, cell=8):
    return _hog(images, num_bins, cell, turn=lambda dy, dx: torch.atan2(dx, dy) / torch.pi)


@mistake(HOG, hint="The blocks are not normalised: divide each by its length.")
def hog_without_normalisation(images, num_bins=9, cell=8):
    return _hog(images, num_bins, cell, norm=False)


@mistake(HOG, hint="All edges count alike, also the faintest: weigh each pixel by its gradient's length.")
def hog_unweighted(images, num_bins=9, cell=8):
    return _hog(images, num_bins, cell, weigh=False)


@mistake(HOG, hint="The gradient is that of the red channel; take the mean of the three first.")
def hog_of_red(images, num_bins=9, cell=8):
    return _hog(images, num_bins, cell, grey=images[:, 0])


@mistake(
    HOG, hint="The channels are summed; the mean is due (the small number in the norm sees the difference)."
)
def hog_of_sum(images, num_bins=9, cell=8):
    return _hog(images, num_bins, cell, grey=images.sum(1))


@mistake(
    HOG, hint="Inside a block columns come before rows: upper left, upper right, lower left, lower right."
)
def hog_columns_first(images, num_bins=9, cell=8):
    return _hog(images, num_bins, cell, corner_first=True)


@mistake(HOG, hint="Each cell is normalised alone; four neighbours make a block, and share one length.")
def hog_cells_alone(images, num_bins=9, cell=8):
    along_y, along_x = torch.gradient(images.mean(1), dim=(1, 2))
    turn = torch.atan2(along_y, along_x) / torch.pi % 1
    length = (along_x.square() + along_y.square()).sqrt()
    cells = [pixels.unfold(1, cell, cell).unfold(2, cell, cell).flatten(3) for pixels in (turn, length)]
    histograms = circular_histogram(*cells, num_bins)
    return (histograms / (histograms.square().sum(-1, keepdim=True) + 1e-4).sqrt()).flatten(1)


@mistake(HOG, hint="The features keep several axes: one row of numbers for each image is due.")
def hog_not_flat(images, num_bins=9, cell=8):
    return _hog(images, num_bins, cell).unflatten(1, (-1, 4 * num_bins))


@mistake(HOG, hint="Cells are cut by reshaping alone, which mixes rows: cut along each axis (`unfold`).")
def hog_cells_by_view(images, num_bins=9, cell=8):
    rows, columns = images.shape[2] // cell, images.shape[3] // cell
    along_y, along_x = torch.gradient(images.mean(1), dim=(1, 2))
    turn = torch.atan2(along_y, along_x) / torch.pi % 1
    length = (along_x.square() + along_y.square()).sqrt()
    cells = [pixels.reshape(len(images), rows, columns, -1) for pixels in (turn, length)]
    histograms = circular_histogram(*cells, num_bins)
    corners = [
        histograms[:, :-1, :-1],
        histograms[:, :-1, 1:],
        histograms[:, 1:, :-1],
        histograms[:, 1:, 1:],
    ]
    blocks = torch.cat(corners, dim=-1)
    return (blocks / (blocks.square().sum(-1, keepdim=True) + 1e-4).sqrt()).flatten(1)
