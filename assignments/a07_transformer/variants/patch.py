"""Right versions of `vit.patch`, written otherwise."""

import torch
from torch import nn
from torch.nn import functional

from exercise_code.support.checking.declare import variant
from exercise_code.vit.patch import patchify

PATCH = "vit.patch."


@variant(f"{PATCH}patchify")
def cut_by_unflatten(x, patch_size):
    if x.shape[2] % patch_size or x.shape[3] % patch_size:
        raise ValueError("Patches do not fit.")
    cut = x.unflatten(3, (-1, patch_size)).unflatten(2, (-1, patch_size))
    return cut.transpose(3, 4).flatten(2, 3).movedim(1, 2).flatten(2)


@variant(f"{PATCH}patchify")
def cut_by_einsum(x, patch_size):
    (N, C, H, W), p = x.shape, patch_size
    if H % p:
        raise ValueError("The height does not fit.")
    if W % p:
        raise ValueError("The width does not fit.")
    grid = torch.einsum("nchpwq->nhwcpq", x.reshape(N, C, H // p, p, W // p, p))
    return grid.reshape(N, (H // p) * (W // p), -1)


@variant(f"{PATCH}unpatchify")
def joined_by_unflatten(patches, patch_size, height, width):
    p = patch_size
    grid = patches.unflatten(2, (-1, p, p)).unflatten(1, (height // p, width // p))
    return grid.permute(0, 3, 1, 4, 2, 5).flatten(4).flatten(2, 3)


@variant(f"{PATCH}unpatchify")
def joined_by_einsum(patches, patch_size, height, width):
    (N, _, D), p = patches.shape, patch_size
    C = D // p**2
    grid = patches.reshape(N, height // p, width // p, C, p, p)
    return torch.einsum("nhwcpq->nchpwq", grid).reshape(N, C, height, width)


@variant(f"{PATCH}PatchEmbedding.forward")
def embedded_by_linear(self, x):
    return functional.linear(patchify(x, self.patch_size), self.proj.weight, self.proj.bias)


@variant(f"{PATCH}PatchEmbedding.forward")
def embedded_by_a_convolution(self, x):
    kernels = self.proj.weight.unflatten(1, (x.shape[1], self.patch_size, self.patch_size))
    return functional.conv2d(x, kernels, self.proj.bias, stride=self.patch_size).flatten(2).mT


@variant(f"{PATCH}as_convolution")
def convolution_filled(embedding, in_channels):
    p, proj = embedding.patch_size, embedding.proj
    made = nn.Conv2d(in_channels, proj.out_features, p, p, device=proj.weight.device, dtype=proj.weight.dtype)
    with torch.no_grad():
        made.weight.copy_(proj.weight.unflatten(1, (in_channels, p, p)))
        made.bias.copy_(proj.bias)
    return made


@variant(f"{PATCH}as_convolution")
def convolution_of_new_parameters(embedding, in_channels):
    p, proj = embedding.patch_size, embedding.proj
    made = nn.Conv2d(in_channels, proj.out_features, (p, p), stride=(p, p))
    made.weight = nn.Parameter(proj.weight.detach().clone().reshape(-1, in_channels, p, p))
    made.bias = nn.Parameter(proj.bias.detach().clone())
    return made
