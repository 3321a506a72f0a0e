"""Features chosen by people: which way the edges run, and which hues there are."""

import torch
from jaxtyping import Float
from torch import Tensor


def circular_histogram(
    position: Float[Tensor, "*items pixels"], weights: Float[Tensor, "*items pixels"], num_bins: int
) -> Float[Tensor, "*items num_bins"]:
    """Histogram of places on a circle, in which every pixel shares its weight between two bins.

    Bin b sits at b / num_bins of the circle. A pixel between two bins gives each a share that falls linearly
    with the distance; between the last bin and the first likewise. (Dalal and Triggs, 2005, section 6.3.)

    Args:
        position: where on the circle, from 0 to 1; 1 is the same place as 0.
        weights: what each pixel has to give, 0 or more.
        num_bins: 3 or more.

    Returns:
        The sum of what each bin is given.
    """
    ### BEGIN SOLUTION
    place = position * num_bins
    bins = torch.arange(num_bins, dtype=place.dtype, device=place.device)
    away = (place.unsqueeze(-1) - bins).abs()
    away = torch.minimum(away, num_bins - away)  # the shorter way around
    return ((1 - away).clamp(min=0) * weights.unsqueeze(-1)).sum(dim=-2)
    ### END SOLUTION


def colour_histogram(images: Float[Tensor, "N 3 H W"], num_bins: int = 10) -> Float[Tensor, "N num_bins"]:
    """How much of each hue there is in an image: grey counts for nothing, pure colours for most.

    With M the largest, m the smallest of r, g, b and chroma M - m, the hue in sixths of the circle is
    (g - b) / chroma if r is largest, 2 + (b - r) / chroma if g is, 4 + (r - g) / chroma if b is (Smith,
    1978). Every pixel gives its chroma over H W, so a histogram sums to the mean chroma.

    Args:
        images: red, green and blue in [0, 1].
        num_bins: bins around the circle of hues, red in the first.

    Returns:
        A histogram for each image.
    """
    ### BEGIN SOLUTION
    r, g, b = images.flatten(2).unbind(dim=1)
    largest = torch.maximum(torch.maximum(r, g), b)
    chroma = largest - torch.minimum(torch.minimum(r, g), b)
    safe = torch.where(chroma > 0, chroma, 1)
    sixths = torch.where(
        largest == r, (g - b) / safe, torch.where(largest == g, 2 + (b - r) / safe, 4 + (r - g) / safe)
    )
    return circular_histogram(sixths / 6 % 1, chroma / chroma.shape[1], num_bins)
    ### END SOLUTION


def hog_features(
    images: Float[Tensor, "N 3 H W"], num_bins: int = 9, cell: int = 8
) -> Float[Tensor, "N num_features"]:
    """Histograms of oriented gradients (Dalal and Triggs, 2005): how strongly edges run which way, and where.

    1. Grey: the mean of the three channels.
    2. Gradients along both axes: centred differences, one-sided at the border, as `torch.gradient` does.
    3. For each cell of cell x cell pixels a circular histogram of the gradients' directions modulo 180
       degrees (0 is along x), weighted by their lengths.
    4. Every 2 x 2 cells are a block, also overlapping ones; its 4 histograms, in the order of rows and
       columns, are divided by sqrt(|v|^2 + 1e-4), v being all its numbers.

    Args:
        images: pixels in [0, 1]; H and W are multiples of cell, and at least 2 cells.
        num_bins: directions.
        cell: pixels along a side.

    Returns:
        For each image the blocks row by row, each with 4 num_bins numbers.
    """
    ### BEGIN SOLUTION
    along_y, along_x = torch.gradient(images.mean(dim=1), dim=(1, 2))
    turn = torch.atan2(along_y, along_x) / torch.pi % 1
    length = (along_x.square() + along_y.square()).sqrt()
    cells = [
        pixels.unfold(1, cell, cell).unfold(2, cell, cell).flatten(3) for pixels in (turn, length)
    ]  # each (N, rows, columns, pixels)
    histograms = circular_histogram(*cells, num_bins)
    corners = [histograms[:, :-1, :-1], histograms[:, :-1, 1:], histograms[:, 1:, :-1], histograms[:, 1:, 1:]]
    blocks = torch.cat(corners, dim=-1)
    return (blocks / (blocks.square().sum(dim=-1, keepdim=True) + 1e-4).sqrt()).flatten(1)
    ### END SOLUTION


def image_features(images: Float[Tensor, "N 3 H W"]) -> Float[Tensor, "N num_features"]:
    """Both kinds side by side, in chunks, so that many images need little memory.

    Args:
        images: pixels in [0, 1].
    """
    return torch.cat(
        [torch.cat([hog_features(some), colour_histogram(some)], dim=1) for some in images.split(1000)]
    )
