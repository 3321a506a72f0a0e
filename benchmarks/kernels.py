"""Convolution and pooling of a04, forward and backward: loops, `unfold` and torch, time and peak memory."""

from collections.abc import Callable
from statistics import median
from time import perf_counter
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from benchmarks._table import show
from exercise_code.cnn.convolutional_networks import Conv, FastConv, FastMaxPool, MaxPool
from exercise_code.support.checking.case import Case
from exercise_code.support.checking.operation_count import Watch

CONV_PARAM = {"stride": 2, "pad": 1}
POOL_PARAM = {"pool_height": 2, "pool_width": 2, "stride": 2}


def seconds(step: Callable[[], object], repeats: int) -> float:
    """Median time of a call, after one to warm up; waits for CUDA to be done."""
    times = []
    for _ in range(1 + repeats):
        start = perf_counter()
        step()
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        times.append(perf_counter() - start)
    return median(times[1:])


def by_hand(layer: Any, dout: Tensor, *inputs: Any) -> Callable[[], object]:
    """A step with a layer of a04."""

    def step() -> object:
        _, cache = layer.forward(*inputs)
        return layer.backward(dout, cache)

    return step


def by_torch(function: Callable[..., Tensor], dout: Tensor, *inputs: Tensor) -> Callable[[], object]:
    """The same with torch's own, and autograd."""
    leaves = [tensor.clone().requires_grad_() for tensor in inputs]
    return lambda: torch.autograd.grad(function(*leaves), leaves, dout)


def peak(step: Callable[[], object]) -> int:
    """Bytes alive at once, of all that a step makes."""
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        step()
        return torch.cuda.max_memory_allocated() - before
    watch = Watch(Case(0, "kernels"), memory=True)
    with watch:
        step()
    return watch.peak


def main() -> None:
    """Print tables and write the numbers to build/benchmarks/kernels.json."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    random = torch.Generator().manual_seed(0)
    found: dict[str, object] = {"device": device, "threads": torch.get_num_threads()}
    for title, images in (("notebook's sizes", (4, 3, 31, 31)), ("a training batch", (100, 32, 32, 32))):
        x, w, b = (
            torch.randn(*shape, generator=random).to(device)
            for shape in (images, (16, images[1], 3, 3), (16,))
        )
        dout = torch.ones_like(functional.conv2d(x, w, b, stride=2, padding=1))
        dpool = torch.ones_like(functional.max_pool2d(x, 2))
        layers = {
            "convolution": (
                by_hand(Conv, dout, x, w, b, CONV_PARAM),
                by_hand(FastConv, dout, x, w, b, CONV_PARAM),
                by_torch(lambda x, w, b: functional.conv2d(x, w, b, stride=2, padding=1), dout, x, w, b),
            ),
            "pooling": (
                by_hand(MaxPool, dpool, x, POOL_PARAM),
                by_hand(FastMaxPool, dpool, x, POOL_PARAM),
                by_torch(lambda x: functional.max_pool2d(x, 2), dpool, x),
            ),
        }
        for name, (loops, unfold, library) in layers.items():
            fast, own = seconds(unfold, 20), seconds(library, 20)
            label = f"{name}, {title}"
            if images[0] < 100:
                found[f"{label}: loops, times as long as unfold"] = seconds(loops, 1) / fast
            found[f"{label}: unfold in milliseconds"] = 1e3 * fast
            found[f"{label}: unfold, times as long as torch"] = fast / own
            found[f"{label}: peak memory of unfold, in multiples of x"] = peak(unfold) / x.nbytes
            found[f"{label}: peak memory of torch, in multiples of x"] = peak(library) / x.nbytes
    show("forward and backward", found, "kernels")


if __name__ == "__main__":
    main()
