"""Right versions of the exercises, written otherwise."""

import torch

from exercise_code.support.checking.declare import variant


@variant("cnn.convolutional_networks.unit_rows")
def by_einsum(x):
    return x * torch.einsum("nd,nd->n", x, x).rsqrt()[:, None]
