"""Checkpoints: everything that a training needs to go on as if it had never stopped."""

from pathlib import Path
from typing import IO

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor, nn
from torch.nn import functional as F
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

File = Path | IO[bytes]


def strip_module_prefix(state_dict: dict[str, Tensor]) -> dict[str, Tensor]:
    """The same tensors, with names from which a leading "module." has been taken off.

    `nn.DataParallel` and `DistributedDataParallel` put it before the name of every parameter. Names that do
    not begin with it stay as they are; the order stays, and the dict that is given is not changed.
    """
    ### BEGIN SOLUTION
    return {name.removeprefix("module."): tensor for name, tensor in state_dict.items()}
    ### END SOLUTION


def save_checkpoint(
    file: File,
    model: nn.Module,
    optimizer: Optimizer,
    scheduler: LRScheduler,
    epoch: int,
    generator: Generator,
) -> None:
    """Save all that a training depends on.

    The file holds a dict with six entries: "model", "optimizer" and "scheduler", the state dicts; "epoch";
    "rng", the state of torch's own random numbers, which dropout draws from; and "generator", the state of
    the generator.

    Args:
        file: a path, or a file open for writing.
        model: what is trained.
        optimizer: of the model's parameters.
        scheduler: of the optimiser.
        epoch: how many epochs are done.
        generator: draws the order of the images.
    """
    ### BEGIN SOLUTION
    content = {
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "scheduler": scheduler.state_dict(),
        "epoch": epoch,
        "rng": torch.get_rng_state(),
        "generator": generator.get_state(),
    }
    torch.save(content, file)
    ### END SOLUTION


def load_checkpoint(
    file: File, model: nn.Module, optimizer: Optimizer, scheduler: LRScheduler, generator: Generator
) -> int:
    """Put everything back into the state that `save_checkpoint` has saved.

    Read the file with `weights_only=True`, since a pickle from elsewhere can run any code, and with
    `map_location="cpu"`, since it may come from a machine with a GPU: the state dicts find the way back to
    the model's device on their own, and states of random numbers belong on the CPU.

    Args:
        file: a path, or a file open for reading.
        model: of the same architecture; changed.
        optimizer: of the same kind; changed.
        scheduler: of the same kind; changed.
        generator: changed.

    Returns:
        How many epochs are done, which is the number of the next one, counted from 0.
    """
    ### BEGIN SOLUTION
    content = torch.load(file, weights_only=True, map_location="cpu")
    model.load_state_dict(content["model"])
    optimizer.load_state_dict(content["optimizer"])
    scheduler.load_state_dict(content["scheduler"])
    torch.set_rng_state(content["rng"])
    generator.set_state(content["generator"])
    return content["epoch"]
    ### END SOLUTION


def train_resumable(
    path: Path,
    model: nn.Module,
    optimizer: Optimizer,
    scheduler: LRScheduler,
    generator: Generator,
    x: Float[Tensor, "n ..."],
    y: Int[Tensor, " n"],
    num_epochs: int,
    batch_size: int,
) -> list[float]:
    """Train with cross-entropy, go on from the checkpoint if there is one, and save one after each epoch.

    Each epoch takes the images in the order `torch.randperm(n, generator=generator)`, in batches of which the
    last one may be smaller. Gradients are dropped before each `backward`. The scheduler steps once an epoch.

    Args:
        path: of the checkpoint.
        model: gives scores; changed.
        optimizer: of its parameters.
        scheduler: of the optimiser.
        generator: draws the order of the images, on the CPU.
        x: images.
        y: labels.
        num_epochs: how many there are in all, those before an interruption included.
        batch_size: images in a step.

    Returns:
        The mean loss over the batches of each epoch that was trained now.
    """
    ### BEGIN SOLUTION
    done = load_checkpoint(path, model, optimizer, scheduler, generator) if path.exists() else 0
    means = []
    for epoch in range(done, num_epochs):
        found = []
        for places in torch.randperm(len(x), generator=generator).to(x.device).split(batch_size):
            loss = F.cross_entropy(model(x[places]), y[places])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            found.append(loss.item())
        scheduler.step()
        save_checkpoint(path, model, optimizer, scheduler, epoch + 1, generator)
        means.append(sum(found) / len(found))
    return means
    ### END SOLUTION
