"""What is asked of `training.boards`."""

from typing import Any

import torch
from torch import Tensor, nn

from exercise_code.support.checking.declare import check

from .common import filled

BOARDS = "training.boards."


class _Writer:
    """Writes down what a `SummaryWriter` is told; images channels first, however they come."""

    def __init__(self) -> None:
        self.written: list[dict[str, Any]] = []

    def _write(self, kind: str, tag: str, value: Any, step: Any) -> None:
        if isinstance(value, Tensor):
            value = value.detach().clone()
        self.written.append({"kind": kind, "tag": tag, "value": value, "step": step})

    def add_scalar(
        self,
        tag: str,
        scalar_value: Any,
        global_step: Any = None,
        walltime: Any = None,
        new_style: bool = False,
        double_precision: bool = False,
    ) -> None:
        self._write("scalar", tag, float(scalar_value), global_step)

    def add_scalars(
        self, main_tag: str, tag_scalar_dict: Any, global_step: Any = None, walltime: Any = None
    ) -> None:
        self._write("scalars", main_tag, dict(tag_scalar_dict), global_step)

    def add_histogram(
        self,
        tag: str,
        values: Any,
        global_step: Any = None,
        bins: Any = "tensorflow",
        walltime: Any = None,
        max_bins: Any = None,
    ) -> None:
        self._write("histogram", tag, values, global_step)

    def add_image(
        self,
        tag: str,
        img_tensor: Any,
        global_step: Any = None,
        walltime: Any = None,
        dataformats: str = "CHW",
    ) -> None:
        order = [dataformats.index(axis) for axis in "CHW"]
        self._write("image", tag, img_tensor.permute(order), global_step)

    def add_images(
        self,
        tag: str,
        img_tensor: Any,
        global_step: Any = None,
        walltime: Any = None,
        dataformats: str = "NCHW",
    ) -> None:
        order = [dataformats.index(axis) for axis in "NCHW"]
        self._write("images", tag, img_tensor.permute(order), global_step)


def _net(numbers: Tensor) -> nn.Sequential:
    """With a layer that lies in two places, a batch norm, and a layer that is frozen."""
    shared = nn.Linear(5, 5)
    last = nn.Sequential(nn.Tanh(), nn.Linear(5, 3))
    net = nn.Sequential(nn.Linear(7, 5), shared, nn.BatchNorm1d(5), shared, last)
    filled([net], numbers)
    net[0].requires_grad_(False)
    return net


@check(f"{BOARDS}count_parameters", points=1)
def counted(code, case):
    """A net with a shared and a frozen layer, convolutions of drawn widths, and one without parameters."""
    width, kernel = case.integer(4, 9), case.integer(2, 5)
    convolutions = nn.Sequential(nn.Conv2d(3, width, kernel), nn.BatchNorm2d(width), nn.Conv2d(width, 2, 3))
    convolutions[2].bias.requires_grad_(False)
    return {
        name: code.training.boards.count_parameters(model)
        for name, model in (
            ("shared and frozen", _net(case.numbers(60))),
            ("convolutions", convolutions),
            ("no parameters", nn.ReLU()),
        )
    }


@check(f"{BOARDS}log_scalars", points=1)
def scalars(code, case):
    """What a writer is told at two steps."""
    writer, steps = _Writer(), (case.integer(0, 9), case.integer(100, 999))
    for num, step in zip((2, 3), steps, strict=True):
        values = case.numbers(num).tolist()
        tags = ["rate", "loss/train", "loss/val"][:num]  # in no alphabetical order, up or down
        code.training.boards.log_scalars(writer, dict(zip(tags, values, strict=True)), step)
    return {"written": writer.written}


@check(f"{BOARDS}log_histograms", points=2)
def histograms(code, case):
    """What a writer is told before any gradient and with gradients; parameters and gradients then."""
    writer, model, outputs = _Writer(), _net(case.numbers(60)), {}
    for name, step in (("no gradients yet", case.integer(0, 9)), ("with gradients", case.integer(100, 999))):
        if name == "with gradients":
            for param in filter(lambda param: param.requires_grad, model.parameters()):
                param.grad = case.numbers(*param.shape)
        code.training.boards.log_histograms(writer, model, step)
        outputs[name] = {f"{each['kind']} {each['tag']}": each for each in writer.written}
        outputs[name]["number"] = len(writer.written)
        writer.written.clear()
    return outputs | {
        "parameters": {name: param.detach() for name, param in model.named_parameters()},
        "gradients": [param.grad for param in model.parameters() if param.grad is not None],
    }


@check(f"{BOARDS}log_images", points=2)
def images(code, case):
    """What a writer is told of two batches, channels first."""
    writer = _Writer()
    for num, tag in ((4, "test/first"), (2, "test/worst")):
        pixels = case.tensor(torch.sigmoid(case.numbers(num, 5, 7, 3)))
        code.training.boards.log_images(writer, tag, pixels, case.integer(1, 999))
    return {"written": writer.written}
