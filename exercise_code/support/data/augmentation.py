"""Random changes of images that leave their class alone, each drawn anew for every image of a batch."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

Images = Float[Tensor, "n 3 height width"]


class RandomFlip(nn.Module):
    """Mirrors an image left to right."""

    def __init__(self, prob: float = 0.5) -> None:
        """Take the probability, 0 to 1, that an image is mirrored."""
        super().__init__()
        self.prob = prob

    def forward(self, images: Images) -> Images:
        """Images of the same shape."""
        chosen = torch.rand(len(images), 1, 1, 1, device=images.device) < self.prob
        return torch.where(chosen, images.flip(-1), images)


class RandomShift(nn.Module):
    """Moves an image by whole pixels; what leaves on one side comes back on the other."""

    def __init__(self, pixels: int = 2) -> None:
        """Take the largest shift along each axis."""
        super().__init__()
        self.pixels = pixels

    def forward(self, images: Images) -> Images:
        """Images of the same shape."""
        n, _, height, width = images.shape
        down, right = torch.randint(-self.pixels, self.pixels + 1, (2, n, 1), device=images.device)
        rows = (torch.arange(height, device=images.device) - down) % height
        columns = (torch.arange(width, device=images.device) - right) % width
        image, channel = (torch.arange(size, device=images.device) for size in (n, 3))
        place = image[:, None, None, None], channel[:, None, None], rows[:, None, :, None]
        return images[*place, columns[:, None, None, :]]


class RandomBrightness(nn.Module):
    """Makes an image darker or brighter."""

    def __init__(self, reach: float = 0.2) -> None:
        """Take the largest change of a pixel, 0 to 1."""
        super().__init__()
        self.reach = reach

    def forward(self, images: Images) -> Images:
        """Images of the same shape, still in [0, 1]."""
        change = self.reach * (2 * torch.rand(len(images), 1, 1, 1, device=images.device) - 1)
        return (images + change).clamp(0, 1)


class RandomNoise(nn.Module):
    """Adds normally distributed noise to every pixel."""

    def __init__(self, sd: float = 0.05) -> None:
        """Take the standard deviation of the noise."""
        super().__init__()
        self.sd = sd

    def forward(self, images: Images) -> Images:
        """Images of the same shape, still in [0, 1]."""
        return (images + self.sd * torch.randn_like(images)).clamp(0, 1)


class Normalize(nn.Module):
    """Takes [0, 1] to [-1, 1]."""

    def forward(self, images: Images) -> Images:
        """Images of the same shape."""
        return 2 * images - 1
