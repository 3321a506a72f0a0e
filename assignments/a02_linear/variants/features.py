"""Right versions of `linear.features`, written otherwise."""

import colorsys
import itertools
import math

import torch

from exercise_code.linear import features
from exercise_code.support.checking.declare import variant

from .common import FE


@variant(FE + "circular_histogram")
def circle_by_index_add(position, weights, num_bins):
    place = position.flatten(0, -2) * num_bins
    lower = place.floor()
    share = place - lower
    amount = weights.flatten(0, -2)
    found = torch.zeros(len(place), num_bins, dtype=place.dtype, device=place.device)
    found.scatter_add_(1, lower.long() % num_bins, (1 - share) * amount)
    found.scatter_add_(1, (lower.long() + 1) % num_bins, share * amount)
    return found.view(*position.shape[:-1], num_bins)


@variant(FE + "circular_histogram")
def circle_bin_by_bin(position, weights, num_bins):
    bins = []
    for b in range(num_bins):
        away = (position - b / num_bins).abs()
        away = torch.minimum(away, 1 - away) * num_bins
        bins.append((torch.relu(1 - away) * weights).sum(-1))
    return torch.stack(bins, dim=-1)


@variant(FE + "colour_histogram")
def hues_by_colorsys(images, num_bins=10):
    rows = []
    for image in images.flatten(2).cpu():
        pixels = image.T.tolist()
        hue = images.new_tensor([colorsys.rgb_to_hsv(*pixel)[0] for pixel in pixels])
        chroma = images.new_tensor([max(pixel) - min(pixel) for pixel in pixels])
        rows.append((hue, chroma / len(pixels)))
    hues, weights = (torch.stack(column) for column in zip(*rows, strict=True))
    return features.circular_histogram(hues, weights, num_bins)


@variant(FE + "hog_features")
def hog_cell_by_cell(images, num_bins=9, cell=8):
    grey = images.sum(1) / 3
    dx, dy = torch.zeros_like(grey), torch.zeros_like(grey)
    dx[:, :, 1:-1] = (grey[:, :, 2:] - grey[:, :, :-2]) / 2
    dx[:, :, 0], dx[:, :, -1] = grey[:, :, 1] - grey[:, :, 0], grey[:, :, -1] - grey[:, :, -2]
    dy[:, 1:-1] = (grey[:, 2:] - grey[:, :-2]) / 2
    dy[:, 0], dy[:, -1] = grey[:, 1] - grey[:, 0], grey[:, -1] - grey[:, -2]
    angle = torch.atan2(dy, dx)
    angle = torch.where(angle < 0, angle + math.pi, angle) / math.pi
    length = torch.hypot(dx, dy)
    rows, columns = grey.shape[1] // cell, grey.shape[2] // cell
    grid = {}
    for row, column in itertools.product(range(rows), range(columns)):
        window = (..., slice(row * cell, (row + 1) * cell), slice(column * cell, (column + 1) * cell))
        grid[row, column] = features.circular_histogram(
            angle[window].flatten(1), length[window].flatten(1), num_bins
        )
    blocks = []
    for row, column in itertools.product(range(rows - 1), range(columns - 1)):
        corners = [grid[row + down, column + right] for down, right in itertools.product((0, 1), (0, 1))]
        block = torch.cat(corners, dim=1)
        blocks.append(block / torch.sqrt((block**2).sum(1, keepdim=True) + 1e-4))
    return torch.cat(blocks, dim=1)
