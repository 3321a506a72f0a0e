"""What a training is told by: numbers, histograms and pictures for TensorBoard."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from jaxtyping import Float
from torch import Tensor, nn

if TYPE_CHECKING:  # a package of its own, which only the notebook needs
    from torch.utils.tensorboard import SummaryWriter


def count_parameters(model: nn.Module) -> tuple[int, int]:
    """How many numbers of a model are trained, and how many parameters it has in all.

    A parameter that lies in several places counts once; buffers, such as running means, are no parameters.

    Returns:
        The number of entries of parameters that require a gradient, and of all parameters.
    """
    ### BEGIN SOLUTION
    sizes = [(param.numel(), param.requires_grad) for param in model.parameters()]
    return sum(size for size, trained in sizes if trained), sum(size for size, _ in sizes)
    ### END SOLUTION


def log_scalars(writer: "SummaryWriter", scalars: Mapping[str, float], step: int) -> None:
    """Write numbers of one step, each under its own tag, in the order of the mapping.

    Args:
        writer: its `add_scalar(tag, value, global_step)` writes.
        scalars: numbers by tag.
        step: at which they were measured: the place on the horizontal axis.
    """
    ### BEGIN SOLUTION
    for tag, value in scalars.items():
        writer.add_scalar(tag, value, step)
    ### END SOLUTION


def log_histograms(writer: "SummaryWriter", model: nn.Module, step: int) -> None:
    """Write histograms of all parameters, and of the gradients of those that have one.

    The tags are "weights/" and "gradients/", followed by the name in `model.named_parameters()`; their order
    is free.

    Args:
        writer: its `add_histogram(tag, values, global_step)` writes.
        model: not changed.
        step: at which it is looked at.
    """
    ### BEGIN SOLUTION
    for name, param in model.named_parameters():
        writer.add_histogram(f"weights/{name}", param, step)
        if param.grad is not None:
            writer.add_histogram(f"gradients/{name}", param.grad, step)
    ### END SOLUTION


def log_images(writer: "SummaryWriter", tag: str, images: Float[Tensor, "n h w c"], step: int) -> None:
    """Write a batch of images under one tag.

    Args:
        writer: its `add_images(tag, images, global_step)` takes (n, c, h, w), and floats
            from 0 to 1, which it turns into bytes itself.
        tag: of the batch.
        images: from 0 to 1, channels last, as matplotlib shows them.
        step: at which they were made.
    """
    ### BEGIN SOLUTION
    writer.add_images(tag, images.permute(0, 3, 1, 2), step)
    ### END SOLUTION
