"""Several processes on this machine that train one model."""

import os
import socket
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from jaxtyping import Float, Int
from torch import Tensor, distributed, multiprocessing, nn
from torch.nn import functional
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader, Dataset

from exercise_code.training import parallel


def small_net(seed: int) -> nn.Sequential:
    """A network for 16 x 16 pixels without batch norm, which would see another batch in each process."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return nn.Sequential(nn.Flatten(), nn.Linear(768, 20), nn.ReLU(), nn.Linear(20, 10))


def gradient(model: nn.Module) -> Float[Tensor, " params"]:
    """The gradients of all parameters as one vector."""
    return torch.cat([param.grad.flatten() for param in model.parameters() if param.grad is not None])


def gradients_of_processes(
    images: Float[Tensor, "n 3 16 16"], labels: Int[Tensor, " n"], shares: Sequence[list[int]], seed: int
) -> dict[str, Float[Tensor, "processes params"]]:
    """Gradients in several processes, each with its share of a batch.

    Args:
        images: the whole batch.
        labels: theirs.
        shares: for each process the places of its images, as many for each.
        seed: of the weights.

    Returns:
        A row for each process: "on its own", before anything is exchanged; "averaged" by
        `average_gradients`; and what "DistributedDataParallel" leaves.
    """
    with TemporaryDirectory() as folder:
        multiprocessing.spawn(_work, (folder, images, labels, shares, seed), nprocs=len(shares))
        rows = [torch.load(Path(folder) / f"{rank}.pt", weights_only=True) for rank in range(len(shares))]
    return {name: torch.stack([row[name] for row in rows]) for name in rows[0]}


def _work(
    rank: int, folder: str, images: Tensor, labels: Tensor, shares: Sequence[list[int]], seed: int
) -> None:
    """What one process does; it writes its gradients into a file."""
    torch.set_num_threads(1)
    if sys.platform != "win32":  # loopback: a firewall between the processes would stop them
        names = [name for _, name in socket.if_nameindex() if name.startswith("lo")]
        os.environ.setdefault("GLOO_SOCKET_IFNAME", names[0])
    meeting = (Path(folder) / "meeting").as_uri()
    distributed.init_process_group("gloo", init_method=meeting, rank=rank, world_size=len(shares))
    x, y, found = images[shares[rank]], labels[shares[rank]], {}
    model = small_net(seed)
    functional.cross_entropy(model(x), y).backward()
    found["on its own"] = gradient(model)
    parallel.average_gradients(model, distributed.all_reduce, len(shares))
    found["averaged"] = gradient(model)
    wrapped = DistributedDataParallel(small_net(seed))
    functional.cross_entropy(wrapped(x), y).backward()
    found["DistributedDataParallel"] = gradient(wrapped)
    torch.save(found, Path(folder) / f"{rank}.pt")
    distributed.destroy_process_group()


class SlowImages(Dataset[tuple[Tensor, int]]):
    """Images that take a while to read, as from a disk."""

    def __init__(self, num: int, milliseconds: float) -> None:
        self.num, self.milliseconds = num, milliseconds

    def __len__(self) -> int:
        return self.num

    def __getitem__(self, place: int) -> tuple[Tensor, int]:
        time.sleep(self.milliseconds / 1000)
        return torch.zeros(3, 16, 16), place


def epoch_seconds(dataset: Dataset[tuple[Tensor, int]], num_workers: int) -> list[float]:
    """The times of two epochs of a loader with batches of 8; its workers stay for the second one."""
    loader = DataLoader(dataset, 8, num_workers=num_workers, persistent_workers=num_workers > 0)
    times = []
    for _ in range(2):
        started = time.perf_counter()
        for _ in loader:
            pass
        times.append(time.perf_counter() - started)
    return times
