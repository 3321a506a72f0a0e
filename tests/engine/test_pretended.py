"""The pretend accelerator computes what the CPU computes, and raises where CUDA raises."""

import copy
import io
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from exercise_code.support.devices.pretended import (
    DEVICE,
    DeviceMismatch,
    PretendDevice,
    available,
    device,
    locate,
    to_cpu,
    to_device,
)


class Inputs:
    """Seeded tensors and modules on one device, the same on every device."""

    def __init__(self, device: torch.device | str, requires_grad: bool = False, seed: int = 0) -> None:
        self.device = torch.device(device)
        self.requires_grad = requires_grad
        self.numbers = np.random.default_rng(seed)
        self.leaves: list[Tensor] = []

    def __call__(self, *shape: int) -> Tensor:
        """Normally distributed float64: a GPU may shorten float32 in a convolution."""
        x = torch.tensor(self.numbers.standard_normal(shape)).to(self.device)
        self.leaves.append(x.requires_grad_(self.requires_grad))
        return x

    def below(self, high: int, *shape: int) -> Tensor:
        """Integers from 0 to high - 1."""
        return torch.tensor(self.numbers.integers(high, size=shape)).to(self.device)

    def mask(self, *shape: int) -> Tensor:
        """Booleans, some of them true, some of them false."""
        x = torch.tensor(self.numbers.permutation(np.arange(np.prod(shape)) % 2 == 0).reshape(shape))
        return x.to(self.device)

    def module(self, make: Callable[..., nn.Module], *args: Any, **kwargs: Any) -> nn.Module:
        """A module with seeded parameters, of float64."""
        torch.manual_seed(0)
        module = make(*args, **kwargs).double().to(self.device)
        self.leaves += module.parameters()
        return module


def in_place(x: Tensor, change: Callable[[Tensor], Any]) -> Tensor:
    x = x.clone()
    change(x)
    return x


def assign(x: Tensor, index: Any, value: Any) -> Tensor:
    x = x.clone()
    x[index] = value
    return x


def packed(t: Inputs) -> tuple[Tensor, Tensor]:
    sequence = nn.utils.rnn.pack_padded_sequence(t(3, 5, 4), torch.tensor([5, 3, 2]), batch_first=True)
    outputs, _ = t.module(nn.LSTM, 4, 3, batch_first=True)(sequence)
    return nn.utils.rnn.pad_packed_sequence(outputs, batch_first=True)[0]


def self_attention(t: Inputs) -> tuple[Tensor, Tensor]:
    x = t(2, 5, 8)
    return t.module(nn.MultiheadAttention, 8, 2, batch_first=True)(x, x, x)


def three_steps(t: Inputs, optimiser: type[torch.optim.Optimizer], **options: Any) -> list[Tensor]:
    model = t.module(lambda: nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3)))
    steps = optimiser(model.parameters(), **options)
    x, labels = t(6, 4).detach(), t.below(3, 6)
    for _ in range(3):
        steps.zero_grad()
        F.cross_entropy(model(x), labels).backward()
        steps.step()
    return [parameter.detach() for parameter in model.parameters()]


class Doubled(torch.autograd.Function):
    """A backward pass by hand."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return 2 * x

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return gradient * torch.full_like(x, 2)


OPERATIONS: dict[str, Callable[[Inputs], Any]] = {
    # arithmetic
    "add": lambda t: t(2, 3) + t(3),
    "rsub": lambda t: 1 - t(2, 3),
    "rpow": lambda t: 2 ** t(2, 3),
    "floordiv": lambda t: t(2, 3).detach() // 0.3,
    "remainder": lambda t: t(2, 3) % 0.7,
    "comparison": lambda t: t(2, 3) > t(2, 1),
    "bitwise": lambda t: ~t.mask(2, 3) & t.mask(2, 3) | t.mask(2, 3) ^ t.mask(2, 3),
    "exp log sqrt": lambda t: t(2, 3).exp().log1p().sqrt(),
    "maximum": lambda t: torch.maximum(t(2, 3), t(3)),
    "clamp": lambda t: t(2, 3).clamp(-0.5, 0.5),
    "clamp by tensors": lambda t: t(2, 3).clamp(min=t(3)),
    "lerp": lambda t: torch.lerp(t(2, 3), t(2, 3), 0.3),
    "where": lambda t: torch.where(t.mask(2, 3), t(2, 3), t(2, 3)),
    "where with a number": lambda t: torch.where(t.mask(2, 3), t(2, 3), 0.0),
    "matmul": lambda t: t(2, 3, 4) @ t(4, 5),
    "einsum": lambda t: torch.einsum("bic,bjc->bij", t(2, 3, 4), t(2, 5, 4)),
    "tensordot": lambda t: torch.tensordot(t(2, 3), t(3, 2), dims=1),
    "outer": lambda t: torch.outer(t(3), t(4)),
    "cdist": lambda t: torch.cdist(t(4, 3), t(5, 3)),
    "norm": lambda t: torch.linalg.norm(t(3, 4), dim=1),
    "inverse": lambda t: torch.linalg.inv(t(3, 3)),
    "fft": lambda t: torch.fft.rfft2(t(4, 6)).abs(),
    # reductions
    "sum": lambda t: t(2, 3, 4).sum((0, 2)),
    "mean var": lambda t: (t(2, 3).mean(0), t(2, 3).var(1)),
    "max": lambda t: t(2, 3).max(dim=1),
    "amax": lambda t: t(2, 3).amax(dim=1, keepdim=True),
    "argmin": lambda t: t(2, 3).argmin(dim=0),
    "logsumexp": lambda t: t(2, 3).logsumexp(1),
    "cumsum": lambda t: t(2, 3).cumsum(1),
    "any all": lambda t: (t.mask(2, 3).any(1), t.mask(2, 3).all(0)),
    "allclose": lambda t: torch.allclose(t(2, 3), t(2, 3)),
    "equal": lambda t: torch.equal(t(2, 3), t(2, 3)),
    "count_nonzero": lambda t: t.mask(3, 4).count_nonzero(1),
    "median": lambda t: t(5).median(),
    "mode": lambda t: t.below(3, 20).mode().values,
    # order and sets
    "topk": lambda t: t(3, 5).topk(2, largest=False),
    "sort": lambda t: t(3, 5).sort(dim=0, descending=True),
    "argsort": lambda t: t(3, 5).argsort(),
    "unique": lambda t: t.below(4, 10).unique(return_inverse=True, return_counts=True),
    "nonzero": lambda t: (t.mask(3, 4).nonzero(), *torch.where(t.mask(3, 4))),
    "bincount": lambda t: t.below(4, 10).bincount(minlength=6),
    "one_hot": lambda t: F.one_hot(t.below(4, 10), 4),
    "searchsorted": lambda t: torch.searchsorted(t(6).detach().sort().values, t(3).detach()),
    "histc": lambda t: torch.histc(t(50).detach(), 5, -2, 2),
    # indexing
    "slices": lambda t: (t(4, 5)[1:, ::2], t(4, 5)[-1], t(4, 5)[..., None]),
    "integers": lambda t: t(4, 5)[t.below(4, 3), t.below(5, 3)],
    "boolean mask": lambda t: t(4, 5)[t.mask(4, 5)],
    "list and array": lambda t: (t(4, 5)[[2, 0]], t(4, 5)[:, np.array([True, False, True, True, False])]),
    "assign a number": lambda t: assign(t(4, 5), (slice(1, 3), 2), 7.0),
    "assign by mask": lambda t: assign(t(4, 5), t.mask(4, 5), 7.0),
    "assign by integers": lambda t: assign(t(4, 5), (t.below(4, 1), t.below(5, 1)), t(1)),
    "assign from a list": lambda t: assign(t(4, 5), [3, 1], t(2, 5)),
    "gather": lambda t: t(4, 5).gather(1, t.below(5, 4, 2)),
    "scatter": lambda t: t(4, 5).scatter(1, t.below(5, 4, 1), t(4, 1)),
    "scatter_add": lambda t: t(4, 5).scatter_add(1, t.below(5, 4, 3), t(4, 3)),
    "index_add": lambda t: t(4, 5).index_add(0, t.below(4, 6), t(6, 5)),
    "index_select": lambda t: t(4, 5).index_select(1, t.below(5, 3)),
    "masked_fill": lambda t: t(4, 5).masked_fill(t.mask(4, 5), -1e9),
    "take_along_dim": lambda t: torch.take_along_dim(t(4, 5), t.below(5, 4, 1), 1),
    # shape
    "reshape": lambda t: t(2, 3, 4).permute(2, 0, 1).reshape(4, -1),
    "cat": lambda t: torch.cat([t(2, 3), t(4, 3)]),
    "stack": lambda t: torch.stack([t(2, 3), t(2, 3)], dim=1),
    "chunk": lambda t: t(7, 2).chunk(3),
    "expand": lambda t: t(3, 1).expand(-1, 4) * 2,
    "repeat": lambda t: (t(2, 3).repeat(2, 1), t(2, 3).repeat_interleave(2, dim=1)),
    "flip roll": lambda t: t(2, 3).flip(0).roll(1, 1),
    "pad": lambda t: (F.pad(t(1, 2, 3, 3), (1, 1, 2, 0)), F.pad(t(1, 2, 3, 3), (1, 1, 1, 1), "reflect")),
    "unfold": lambda t: (t(2, 3, 6, 6).unfold(2, 3, 2), F.unfold(t(2, 3, 6, 6), 3)),
    "tril diagonal": lambda t: (t(4, 4).tril(), t(4, 4).diagonal(1)),
    "meshgrid": lambda t: torch.meshgrid(t(3), t(4), indexing="ij"),
    # factories
    "like": lambda t: (torch.zeros_like(t(2, 3)), t(2, 3).new_full((2,), 7.0), t(2, 3).new_tensor([1, 2])),
    "arange eye": lambda t: (torch.arange(5, device=t.device), torch.eye(3, 4, device=t.device)),
    "tensor": lambda t: (torch.tensor([[1, 2]], device=t.device), torch.tensor(3.0, device=t.device)),
    "tensor of tensors": lambda t: torch.tensor([*t(3).detach()], device=t.device),
    "as_tensor": lambda t: torch.as_tensor(np.arange(3.0), device=t.device),
    "from_numpy": lambda t: torch.from_numpy(np.arange(3.0)).to(t.device) * 2,
    # in place, out= and views
    "in-place arithmetic": lambda t: in_place(t(2, 3), lambda x: x.add_(1).mul_(t(3)).clamp_(min=0)),
    "write through a view": lambda t: in_place(t(2, 3), lambda x: x.view(-1)[2:].t().mul_(3)),
    "write through a slice": lambda t: in_place(t(4, 3), lambda x: x[1:3].copy_(t(2, 3))),
    "in-place shape": lambda t: t(2, 3).detach().t_().unsqueeze_(0) + 1,
    "out": lambda t: torch.add(t(2, 3).detach(), 1, out=t(2, 3).detach()),
    "out that grows": lambda t: torch.cat([t(2).detach()] * 2, out=t(0).detach()),
    # networks
    "linear": lambda t: t.module(nn.Linear, 3, 4)(t(2, 3)),
    "conv2d": lambda t: t.module(nn.Conv2d, 3, 4, 3, stride=2, padding=1)(t(2, 3, 9, 8)),
    "grouped conv": lambda t: t.module(nn.Conv2d, 4, 4, 3, groups=4)(t(2, 4, 6, 6)),
    "transposed conv": lambda t: t.module(nn.ConvTranspose2d, 3, 4, 2, stride=2)(t(2, 3, 5, 4)),
    "batch_norm": lambda t: t.module(nn.BatchNorm2d, 3)(t(4, 3, 5, 5)),
    "batch_norm evaluated": lambda t: t.module(nn.BatchNorm2d, 3).eval()(t(4, 3, 5, 5)),
    "layer_norm group_norm": lambda t: (F.layer_norm(t(2, 4), (4,)), F.group_norm(t(2, 4, 3), 2)),
    "max_pool2d": lambda t: F.max_pool2d(t(2, 3, 6, 6), 2, return_indices=True),
    "avg_pool2d": lambda t: (F.avg_pool2d(t(2, 3, 6, 6), 2), F.adaptive_avg_pool2d(t(2, 3, 6, 6), 1)),
    "interpolate": lambda t: F.interpolate(t(2, 3, 4, 4), scale_factor=2, mode="bilinear"),
    "grid_sample": lambda t: F.grid_sample(t(1, 2, 5, 5), t(1, 3, 3, 2).tanh(), align_corners=False),
    "activations": lambda t: F.gelu(t(3)) + F.silu(t(3)) + F.leaky_relu(t(3)) + t(3).sigmoid().tanh(),
    "softmax": lambda t: (t(2, 3).softmax(1), F.log_softmax(t(2, 3), 1)),
    "normalize": lambda t: F.normalize(t(2, 3)),
    "embedding": lambda t: t.module(nn.Embedding, 7, 4)(t.below(7, 2, 3)),
    "dropout evaluated": lambda t: t.module(nn.Dropout, 0.5).eval()(t(2, 3)),
    "lstm": lambda t: t.module(nn.LSTM, 4, 3, num_layers=2, bidirectional=True)(t(5, 2, 4)),
    "gru": lambda t: t.module(nn.GRU, 4, 3)(t(5, 2, 4)),
    "rnn": lambda t: t.module(nn.RNN, 4, 3, batch_first=True)(t(2, 5, 4)),
    "lstm cell": lambda t: t.module(nn.LSTMCell, 4, 3)(t(2, 4)),
    "packed sequence": packed,
    "attention": lambda t: F.scaled_dot_product_attention(t(2, 5, 4), t(2, 6, 4), t(2, 6, 4)),
    "causal attention": lambda t: F.scaled_dot_product_attention(*t(3, 2, 5, 4), is_causal=True),
    "MultiheadAttention": self_attention,
    "transformer": lambda t: t.module(nn.TransformerEncoderLayer, 8, 2, 16, dropout=0.0)(t(5, 2, 8)),
    "custom function": lambda t: Doubled.apply(t(2, 3)),
    "vmap": lambda t: torch.vmap(lambda x: x @ x)(t(3, 4)),
    # losses and training
    "cross_entropy": lambda t: F.cross_entropy(t(4, 3), t.below(3, 4), label_smoothing=0.1),
    "cross_entropy of pixels": lambda t: F.cross_entropy(t(2, 3, 4, 4), t.below(3, 2, 4, 4), ignore_index=1),
    "nll_loss": lambda t: F.nll_loss(t(4, 3), t.below(3, 4), weight=t(3).detach().abs()),
    "binary cross entropy": lambda t: F.binary_cross_entropy_with_logits(t(4, 3), t.mask(4, 3).double()),
    "mse l1 huber": lambda t: F.mse_loss(t(3), t(3)) + F.l1_loss(t(3), t(3)) + F.smooth_l1_loss(t(3), t(3)),
    "kl_div": lambda t: F.kl_div(t(4, 3).log_softmax(1), t(4, 3).softmax(1), reduction="batchmean"),
    "cosine_similarity": lambda t: F.cosine_similarity(t(4, 3), t(4, 3)),
    "SGD": lambda t: three_steps(t, torch.optim.SGD, lr=0.1, momentum=0.9, nesterov=True),
    "Adam": lambda t: three_steps(t, torch.optim.Adam, lr=0.1),
    "AdamW": lambda t: three_steps(t, torch.optim.AdamW, lr=0.1),
}  # fmt: skip

CPU = "cpu"
"""In the tables of mixes, `d` makes tensors on the accelerator and `c` on the CPU."""

RAISES: dict[str, tuple[str, Callable[[Inputs, Inputs], Any]]] = {
    "d + c": ("add", lambda d, c: d(2, 3) + c(2, 3)),
    "c + d": ("add", lambda d, c: c(2, 3) + d(2, 3)),
    "vector of one": ("mul", lambda d, c: d(2, 3) * c(1)),
    "c * scalar d": ("mul", lambda d, c: c(2, 3) * d()),
    "in place": ("sub", lambda d, c: d(2, 3).sub_(c(2, 3))),
    "in place on the CPU": ("add", lambda d, c: c(2, 3).add_(d(2, 3))),
    "in place on a CPU scalar": ("add", lambda d, c: c().add_(d())),
    "out": ("add", lambda d, c: torch.add(d(3), d(3), out=c(3))),
    "comparison": ("eq", lambda d, c: d(2, 3) == c(2, 3)),
    "maximum": ("maximum", lambda d, c: torch.maximum(d(2, 3), c(2, 3))),
    "clamp by a scalar tensor": ("clamp", lambda d, c: d(2, 3).clamp(min=c())),
    "two CPU scalars": ("addcmul", lambda d, c: torch.addcmul(d(2, 3), c(), c())),
    "where, condition": ("where", lambda d, c: torch.where(c.mask(2, 3), d(2, 3), d(2, 3))),
    "where, value": ("where", lambda d, c: torch.where(d.mask(2, 3), d(2, 3), c(2, 3))),
    "masked_fill": ("masked_fill", lambda d, c: d(2, 3).masked_fill(c.mask(2, 3), 0)),
    "masked_fill on the CPU": ("masked_fill", lambda d, c: c(2, 3).masked_fill(c.mask(2, 3), d())),
    "masked_select": ("masked_select", lambda d, c: d(2, 3).masked_select(c.mask(2, 3))),
    "equal": ("equal", lambda d, c: torch.equal(d(2, 3), c(2, 3))),
    "matmul": ("matmul", lambda d, c: d(2, 3) @ c(3, 4)),
    "matrix times vector": ("matmul", lambda d, c: c(2, 3) @ d(3)),
    "dot": ("dot", lambda d, c: d(3).dot(c(3))),
    "addmm": ("addmm", lambda d, c: torch.addmm(c(4), d(2, 3), d(3, 4))),
    "einsum": ("einsum", lambda d, c: torch.einsum("ij,kj->ik", d(2, 3), c(4, 3))),
    "cdist": ("cdist", lambda d, c: torch.cdist(d(2, 3), c(4, 3))),
    "cat": ("cat", lambda d, c: torch.cat([d(2, 3), c(2, 3)])),
    "cat with nothing": ("cat", lambda d, c: torch.cat([c(0), d(3)])),
    "stack": ("stack", lambda d, c: torch.stack([c(2, 3), d(2, 3)])),
    "stack of scalars": ("stack", lambda d, c: torch.stack([d(), c()])),
    "c[d]": ("indexing", lambda d, c: c(4, 3)[d.below(4, 2)]),
    "c[mask d]": ("indexing", lambda d, c: c(4, 3)[d.mask(4, 3)]),
    "d[d] = c": ("indexed assignment", lambda d, c: assign(d(4, 3), d.below(4, 2), c(2, 3))),
    "d[mask d] = c": ("indexed assignment", lambda d, c: assign(d(4, 3), d.mask(4, 3), c(6))),
    "d[c] = c": ("indexed assignment", lambda d, c: assign(d(4, 3), c.below(4, 2), c(2, 3))),
    "gather": ("gather", lambda d, c: d(4, 3).gather(1, c.below(3, 4, 1))),
    "scatter": ("scatter", lambda d, c: d(4, 3).scatter_(1, d.below(3, 4, 1), c(4, 1))),
    "index_select": ("index_select", lambda d, c: d(4, 3).index_select(0, c.below(4, 2))),
    "index_add": ("index_add", lambda d, c: d(4, 3).index_add_(0, c.below(4, 2), d(2, 3))),
    "take": ("take", lambda d, c: d(4, 3).take(c.below(12, 2))),
    "bincount weights": ("bincount", lambda d, c: d.below(4, 6).bincount(c(6))),
    "searchsorted": ("searchsorted", lambda d, c: torch.searchsorted(d(6).sort().values, c(3))),
    "linear weight": ("linear", lambda d, c: F.linear(d(2, 3), c(4, 3))),
    "module left behind": ("linear", lambda d, c: c.module(nn.Linear, 3, 4)(d(2, 3))),
    "module ahead": ("linear", lambda d, c: d.module(nn.Linear, 3, 4)(c(2, 3))),
    "conv2d": ("conv2d", lambda d, c: c.module(nn.Conv2d, 3, 4, 3)(d(2, 3, 6, 6))),
    "batch_norm": ("batch_norm", lambda d, c: F.batch_norm(d(4, 3), c(3), c(3).abs(), training=True)),
    "embedding": ("embedding", lambda d, c: d.module(nn.Embedding, 7, 4)(c.below(7, 2))),
    "lstm state": ("lstm", lambda d, c: d.module(nn.LSTM, 4, 3)(d(5, 2, 4), (c(1, 2, 3), c(1, 2, 3)))),
    "attention": (
        "scaled_dot_product_attention",
        lambda d, c: F.scaled_dot_product_attention(d(2, 5, 4), c(2, 6, 4), c(2, 6, 4)),
    ),
    "cross_entropy": ("cross_entropy", lambda d, c: F.cross_entropy(d(4, 3), c.below(3, 4))),
    "class weights": ("cross_entropy", lambda d, c: F.cross_entropy(d(4, 3), d.below(3, 4), c(3))),
    "mse_loss": ("mse_loss", lambda d, c: F.mse_loss(d(4, 3), c(4, 3))),
    "CPU generator": ("rand", lambda d, c: torch.rand(3, device=d.device, generator=torch.Generator())),
    "generator": ("rand", lambda d, c: torch.rand(3, generator=torch.Generator(device=d.device))),
    "in place with a generator": ("normal", lambda d, c: d(3).normal_(generator=torch.Generator())),
    "gradient": ("assignment to .grad", lambda d, c: setattr(d(3).requires_grad_(), "grad", c(3))),
}  # fmt: skip

ON_THE_ACCELERATOR: dict[str, Callable[[Inputs, Inputs], Any]] = {
    "d * scalar c": lambda d, c: d(2, 3) * c(),
    "scalar c - d": lambda d, c: c() - d(2, 3),
    "scalars": lambda d, c: c() / d(),
    "in place": lambda d, c: d(2, 3).mul_(c()),
    "comparison": lambda d, c: d(2, 3) <= c(),
    "pow": lambda d, c: d(2, 3).abs() ** c(),
    "maximum": lambda d, c: torch.maximum(d(2, 3), c()),
    "one CPU scalar of three": lambda d, c: torch.addcmul(d(2, 3), d(2, 3), c()),
    "where": lambda d, c: torch.where(d.mask(2, 3), d(2, 3), c()),
    "where, two scalars": lambda d, c: torch.where(d.mask(2, 3), c(), c()),
    "masked_fill": lambda d, c: d(2, 3).masked_fill(d.mask(2, 3), c()),
    "fill_": lambda d, c: d(2, 3).fill_(c()),
    "index_fill": lambda d, c: d(4, 3).index_fill(0, d.below(4, 2), c()),
    "d[c]": lambda d, c: d(4, 3)[c.below(4, 2)],
    "d[mask c]": lambda d, c: d(4, 3)[c.mask(4, 3)],
    "d[d, c]": lambda d, c: d(4, 3)[d.below(4, 2), c.below(3, 2)],
    "d[scalar c]": lambda d, c: d(4, 3)[c.below(4)],
    "d[c] = d": lambda d, c: assign(d(4, 3), c.below(4, 1), d(1, 3)),
    "d[c] = scalar c": lambda d, c: assign(d(4, 3), c.below(4, 2), c()),
    "d[mask c] = number": lambda d, c: assign(d(4, 3), c.mask(4, 3), 1.5),
    "d[mask d] = scalar c": lambda d, c: assign(d(4, 3), d.mask(4, 3), c()),
    "d[2] = c": lambda d, c: assign(d(4, 3), 2, c(3)),
    "d[:, 1:] = c": lambda d, c: assign(d(4, 3), (slice(None), slice(1, None)), c(4, 2)),
    "accumulate": lambda d, c: d(4, 3).index_put((c.below(4, 2),), d(2, 3), accumulate=True),
    "copy_": lambda d, c: d(2, 3).copy_(c(2, 3)),
    "to the other's device": lambda d, c: c(2, 3).to(d(1)),
    "type_as": lambda d, c: c(2, 3).type_as(d(1)),
    "tensor_split": lambda d, c: d(6, 2).tensor_split(torch.tensor([1, 4])),
    "generator": lambda d, c: d(3).normal_(generator=torch.Generator(d.device)) > -99,
}  # fmt: skip

ON_THE_CPU: dict[str, Callable[[Inputs, Inputs], Any]] = {
    "copy_": lambda d, c: c(2, 3).copy_(d(2, 3)),
    "to": lambda d, c: d(2, 3).to(c(1)) + d(2, 3).cpu() + d(2, 3).to("cpu", torch.double),
    "c[2] = d": lambda d, c: assign(c(4, 3), 2, d(3)),
    "c[mask c] = scalar d": lambda d, c: assign(c(4, 3), c.mask(4, 3), d()),
    "c[d] = c": lambda d, c: assign(c(4, 3), d.below(4, 1), c(1, 3)),
    "c[scalar d]": lambda d, c: c(4, 3)[d.below(4)],
    "c[:scalar d]": lambda d, c: c(4, 3)[: d.below(4)],
    "fill_": lambda d, c: c(2, 3).fill_(d()),
    "numbers": lambda d, c: (d().item(), float(d()), bool(d() > 0), int(d.below(9)), d(2, 3).tolist()),
    "range": lambda d, c: [*range(d.below(9))],
    "iteration": lambda d, c: [row.sum().item() for row in d(3, 2)],
    "if and max": lambda d, c: (max(d(4)).item(), 0.0 in d(4), "yes" if d().abs() < 9 else "no"),
    "format": lambda d, c: f"{d():.3f}",
    "tensor of tensors": lambda d, c: torch.tensor([d(), d()]),
    "state_dict": lambda d, c: in_place_load(c.module(nn.Linear, 3, 2), d.module(nn.Linear, 3, 2)),
    "numpy": lambda d, c: d(2, 3).cpu().numpy().sum(),
}  # fmt: skip


def in_place_load(target: nn.Module, source: nn.Module) -> Tensor:
    nn.init.zeros_(target.weight)
    target.load_state_dict(source.state_dict())
    return target.weight.detach()


@pytest.fixture(
    params=[
        "pretend",
        pytest.param(
            "cuda",
            marks=[pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")],
        ),
    ]
)
def accelerator(request: pytest.FixtureRequest) -> Iterator[torch.device]:
    """The pretended one, within its mode, and where there is one the real one: both pass the same tables."""
    if request.param == "cuda":
        yield torch.device("cuda", 0)
    else:
        with PretendDevice():
            yield DEVICE


@pytest.fixture
def pretend() -> Iterator[torch.device]:
    with PretendDevice():
        yield DEVICE


def gradients(t: Inputs, outputs: Any) -> list[Tensor]:
    floats = [x for x in tree_leaves(outputs) if isinstance(x, Tensor) and x.requires_grad]
    if floats:
        torch.stack([x.sum() for x in floats]).sum().backward()
    return [x.grad for x in t.leaves if x.grad is not None]


def assert_same(actual: Any, expected: Any, device: torch.device) -> None:
    actual, expected = tree_leaves(actual), tree_leaves(expected)
    assert len(actual) == len(expected)
    for one, other in zip(actual, expected, strict=True):
        if isinstance(other, Tensor):
            assert one.device == device
            torch.testing.assert_close(one.detach().cpu(), other.detach())
        else:
            assert one == pytest.approx(other)


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_computes_what_the_cpu_computes(
    operation: Callable[[Inputs], Any], accelerator: torch.device
) -> None:
    here, there = Inputs(CPU, requires_grad=True), Inputs(accelerator, requires_grad=True)
    expected, actual = operation(here), operation(there)
    assert_same(actual, expected, accelerator)
    assert_same(gradients(there, actual), gradients(here, expected), accelerator)


@pytest.mark.parametrize(("name", "mix"), RAISES.values(), ids=RAISES)
def test_raises_where_cuda_raises(
    name: str, mix: Callable[[Inputs, Inputs], Any], accelerator: torch.device
) -> None:
    mix(Inputs(CPU), Inputs(CPU, seed=1))
    with pytest.raises(RuntimeError) as caught:
        mix(Inputs(accelerator), Inputs(CPU, seed=1))
    if accelerator == DEVICE:
        assert isinstance(caught.value, DeviceMismatch)
        assert caught.value.operation == name


@pytest.mark.parametrize("mix", ON_THE_ACCELERATOR.values(), ids=ON_THE_ACCELERATOR)
def test_lets_cpu_tensors_be_used_on_the_accelerator(
    mix: Callable[[Inputs, Inputs], Any], accelerator: torch.device
) -> None:
    expected = mix(Inputs(CPU), Inputs(CPU, seed=1))
    assert_same(mix(Inputs(accelerator), Inputs(CPU, seed=1)), expected, accelerator)


@pytest.mark.parametrize("mix", ON_THE_CPU.values(), ids=ON_THE_CPU)
def test_lets_tensors_of_the_accelerator_be_used_on_the_cpu(
    mix: Callable[[Inputs, Inputs], Any], accelerator: torch.device
) -> None:
    expected = mix(Inputs(CPU), Inputs(CPU, seed=1))
    assert_same(mix(Inputs(accelerator), Inputs(CPU, seed=1)), expected, torch.device(CPU))


def test_tells_that_it_is_no_cpu(accelerator: torch.device) -> None:
    x = Inputs(accelerator)(2, 3)
    assert not x.is_cpu
    assert x.get_device() == 0
    assert x.to(accelerator) is x
    assert x.to(accelerator.type).device == accelerator
    assert "device=" in repr(x)
    for convert in (x.numpy, lambda: np.asarray(x), lambda: np.ones(3) * x):
        with pytest.raises(TypeError):
            convert()
    assert x.numpy(force=True).shape == (2, 3)


def test_module_keeps_its_parameters_when_it_moves(accelerator: torch.device) -> None:
    module = nn.Linear(3, 2)
    weight = module.weight
    optimiser = torch.optim.SGD(module.parameters(), lr=0.1)
    module.to(accelerator)
    assert module.weight is weight
    assert isinstance(weight, nn.Parameter)
    before = weight.tolist()
    module(torch.ones(1, 3, device=accelerator)).sum().backward()
    optimiser.step()
    np.testing.assert_allclose(weight.tolist(), np.array(before) - 0.1, rtol=1e-5)
    module.cpu()
    assert module.weight is weight
    assert weight.device.type == CPU


def test_data_can_be_replaced(accelerator: torch.device) -> None:
    weight = nn.Parameter(torch.ones(2, device=accelerator))
    weight.data = weight.data - 0.5
    assert weight.tolist() == [0.5, 0.5]


def test_deepcopy_has_its_own_values(accelerator: torch.device) -> None:
    module = nn.Linear(3, 2).to(accelerator)
    twin = copy.deepcopy(module)
    nn.init.zeros_(twin.weight)
    assert twin.weight.device == accelerator
    assert module.weight.abs().sum() > 0


def test_a_scalar_parameter_left_on_the_cpu_gets_its_gradient_there(accelerator: torch.device) -> None:
    scale = nn.Parameter(torch.tensor(2.0))
    (torch.ones(3, device=accelerator) * scale).sum().backward()
    assert (scale.grad.device.type, scale.grad.item()) == (CPU, 3)


def test_inference_mode(accelerator: torch.device) -> None:
    network = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0).double().eval()
    x = Inputs(CPU)(5, 2, 8)
    expected = network(x)
    network, x = network.to(accelerator), x.to(accelerator)
    with torch.inference_mode():
        assert_same(network(x), expected, accelerator)
        with pytest.raises(RuntimeError):
            F.linear(x, torch.ones(8, 8, dtype=torch.double))


def test_default_device(accelerator: torch.device) -> None:
    with accelerator:
        made = torch.zeros(2), torch.tensor([1, 2]), nn.Linear(2, 2).weight
    assert {x.device for x in made} == {accelerator}


def test_seed_and_generator_repeat_the_numbers(accelerator: torch.device) -> None:
    def drawn() -> list[list[float]]:
        torch.manual_seed(0)
        generator = torch.Generator(device=accelerator).manual_seed(1)
        assert generator.device == accelerator
        own = torch.randperm(9, device=accelerator, generator=generator)
        return [F.dropout(torch.ones(9, device=accelerator)).tolist(), own.tolist()]

    assert drawn() == drawn()


def test_state_dict_is_saved(pretend: torch.device) -> None:
    module = nn.Linear(3, 2).to(pretend)
    file = io.BytesIO()
    torch.save(module.state_dict(), file)
    file.seek(0)
    loaded = torch.load(file)
    assert loaded["weight"].tolist() == module.weight.tolist()


def test_hard_coded_cuda_raises_where_there_is_none(pretend: torch.device) -> None:
    if torch.cuda.is_available():
        pytest.skip("there is CUDA")
    with pytest.raises((AssertionError, RuntimeError), match=r"CUDA|NVIDIA") as caught:
        torch.ones(2, device=pretend).cuda()
    assert locate(caught.value, __file__.__eq__) is not None


def line_of(text: str) -> int:
    """The line of this file that ends with a mark."""
    lines = Path(__file__).read_text().splitlines()
    return next(number for number, line in enumerate(lines, 1) if line.endswith(f"# {text}"))


def students_loss(x_train: Tensor) -> Tensor:
    mask = torch.zeros(2, 3)  # made here
    ones = mask + 1
    return (x_train * ones.T).sum()  # used here


def test_message_names_both_sides_and_both_lines(pretend: torch.device) -> None:
    with pytest.raises(DeviceMismatch) as caught:
        students_loss(to_device(torch.ones(3, 2)))
    assert str(caught.value) == (
        f"zeros() made on the CPU (test_pretended.py, line {line_of('made here')}) "
        "meets x_train on the accelerator in mul"
    )
    assert caught.value.filename == __file__
    assert caught.value.line == line_of("used here")
    assert locate(caught.value, __file__.__eq__) == (__file__, line_of("used here"))


class Positions(nn.Module):
    """Forgets to register its table."""

    def __init__(self, table: Tensor) -> None:
        super().__init__()
        self.table = table
        self.scale = nn.Linear(3, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.scale(x) + self.table


def test_message_says_what_it_can(pretend: torch.device) -> None:
    x = torch.ones(2, 3, device=pretend)
    messages = {
        "arange() made on the CPU meets x on the accelerator in add": lambda: x + torch.arange(3),
        "OUTSIDE on the CPU meets x on the accelerator in cat": lambda: torch.cat([x, OUTSIDE]),
        "cpu() made on the CPU meets x on the accelerator in sub": lambda: x - x.cpu(),
        "from_numpy() made on the CPU meets x on the accelerator in add": lambda: (
            x + torch.from_numpy(np.ones(3))
        ),
        "a tensor made on the CPU meets x on the accelerator in mul": lambda: x * F.one_hot(LABELS, 3),
        "self.table on the CPU meets a tensor on the accelerator in add": lambda: Positions(OUTSIDE).to(
            pretend
        )(x),
        "a parameter on the CPU meets x on the accelerator in linear": lambda: nn.Linear(3, 2)(x),
    }
    for message, mix in messages.items():
        with pytest.raises(DeviceMismatch) as caught:
            mix()
        assert str(caught.value) == message


LABELS = torch.tensor([0, 2])
OUTSIDE = torch.ones(2, 3)


def test_mismatch_in_a_backward_pass_is_located(pretend: torch.device) -> None:
    class Wrong(Doubled):
        @staticmethod
        def backward(ctx: Any, gradient: Tensor) -> Tensor:
            return gradient * torch.ones(3)  # backward

    with pytest.raises(DeviceMismatch) as caught:
        Wrong.apply(torch.ones(3, device=pretend, requires_grad=True)).sum().backward()
    assert (caught.value.operation, caught.value.line) == ("mul", line_of("backward"))


def test_only_the_students_files_are_named() -> None:
    with PretendDevice(is_students=lambda filename: False), pytest.raises(DeviceMismatch) as caught:
        torch.ones(3, device=DEVICE) + torch.ones(3)
    assert str(caught.value) == "a tensor on the CPU meets a tensor on the accelerator in add"
    assert (caught.value.filename, caught.value.line) == (None, None)
    assert locate(caught.value, lambda filename: False) is None


def test_trees_move_and_come_back() -> None:
    tree = {"x": torch.ones(2, requires_grad=True), "rest": [torch.arange(3), "name", 4]}
    moved = to_device(tree)
    assert (moved["x"].device, moved["rest"][0].device, moved["rest"][1:]) == (device(), DEVICE, ["name", 4])
    assert moved["x"].is_leaf
    assert moved["x"].requires_grad
    moved["rest"][0].add_(1)
    back = to_cpu(moved)
    assert (back["rest"][0].tolist(), tree["rest"][0].tolist()) == ([1, 2, 3], [0, 1, 2])
    assert type(back["x"]) is Tensor
    moved["rest"][0].zero_()
    assert back["rest"][0].tolist() == [0, 0, 0]


def session() -> list[Any]:
    torch.manual_seed(0)
    loader = torch.utils.data.DataLoader(torch.arange(6.0), batch_size=4, shuffle=True)
    state = [torch.Generator, torch._C._only_lift_cpu_tensors(), torch.get_default_device()]
    state += [torch.cuda.is_available(), torch.backends.mps.is_available()]
    state += [torch.are_deterministic_algorithms_enabled(), torch._C._get_privateuse1_backend_name()]
    if hasattr(torch, "accelerator"):  # since torch 2.6
        state += [torch.accelerator.is_available(), torch.accelerator.current_accelerator()]
    return [*state, torch.randn(3).tolist(), [batch.tolist() for batch in loader]]


def test_session_is_left_as_it_was() -> None:
    before = session()
    assert available()
    with PretendDevice():
        nn.Linear(2, 2).to(DEVICE)(torch.ones(1, 2, device=DEVICE)).sum().backward()
    assert session() == before
    with pytest.raises(ZeroDivisionError), PretendDevice():
        _ = 1 / 0
    assert session() == before


def test_without_the_api_it_is_not_available(monkeypatch: pytest.MonkeyPatch) -> None:
    before = session()
    with monkeypatch.context() as patch:
        patch.delattr(torch._C, "_only_lift_cpu_tensors")
        assert not available.__wrapped__()
    assert session() == before
    assert available.__wrapped__()


def test_import_and_first_use_are_cheap() -> None:
    script = (
        "import sys, torch; known = set(sys.modules);"
        "from exercise_code.support.devices import pretended as a; late = 'torch._dynamo' in sys.modules;"
        "import os; threads = os.listdir('/proc/self/task') if os.path.exists('/proc/self/task') else [];"
        "assert torch._C._get_privateuse1_backend_name() == 'privateuseone';"
        "assert a.available() and a.available();"
        "assert late or 'torch._dynamo' not in sys.modules;"
        "assert not threads or os.listdir('/proc/self/task') == threads"
    )
    subprocess.run([sys.executable, "-c", script], check=True, cwd=Path(__file__).parents[1])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_works_in_a_fork_after_a_backward_pass() -> None:
    script = (
        "import os, torch; from exercise_code.support.devices.pretended import DEVICE, PretendDevice\n"
        "def train():\n"
        "    with PretendDevice():\n"
        "        x = torch.ones(2, device=DEVICE, requires_grad=True); (x * x).sum().backward()\n"
        "        assert x.grad.tolist() == [2, 2]\n"
        "torch.ones(2, requires_grad=True).sum().backward(); train()\n"
        "child = os.fork()\n"
        "if child == 0: train(); os._exit(0)\n"
        "assert os.waitpid(child, 0)[1] == 0"
    )
    root = Path(__file__).parents[1]
    subprocess.run([sys.executable, "-c", script], check=True, cwd=root, timeout=60)


def fastest(function: Callable[[], Any]) -> float:
    def seconds() -> float:
        start = time.perf_counter()
        function()
        return time.perf_counter() - start

    return min(seconds() for _ in range(20))


def test_is_fast_enough_for_a_check(pretend: torch.device) -> None:
    convolve = nn.Conv2d(3, 8, 3).to(pretend)
    images, x = torch.ones(4, 3, 16, 16, device=pretend), torch.ones(3, device=pretend)
    assert fastest(lambda: convolve(images).relu().sum().backward()) < 0.01
    assert fastest(lambda: [x * 2 for _ in range(100)]) < 0.05
