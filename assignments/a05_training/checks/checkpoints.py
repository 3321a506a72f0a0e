"""What is asked of `training.checkpoints`."""

import io
import os
import tempfile
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from exercise_code.support.checking.declare import check

from .common import filled

CHECKPOINTS = "training.checkpoints."


@check(f"{CHECKPOINTS}strip_module_prefix", points=1)
def prefixes(code, case):
    """Names with the prefix, without it, with it twice, and with it in the middle."""
    names = "module.conv.weight", "fc.bias", "module.module.bias", "net.module.weight", "modules.0.bias"
    state = {name: case.numbers(2, place + 1) for place, name in enumerate(case.shuffled(names))}
    before = [*state]
    stripped = code.training.checkpoints.strip_module_prefix(state)
    return {"names": [*stripped], "tensors": stripped, "names given are kept": [*state] == before}


class _Training:
    """A small network with dropout and batch norm, and all that trains it; the same for the same numbers."""

    def __init__(self, numbers: Tensor) -> None:
        net = nn.Sequential(nn.Linear(3, 6), nn.BatchNorm1d(6), nn.Dropout(0.5), nn.Linear(6, 4))
        filled(net, numbers)
        self.model = net.to(numbers)
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.3, momentum=0.8)
        self.scheduler = torch.optim.lr_scheduler.ExponentialLR(self.optimizer, 0.7)
        self.generator = torch.Generator()

    @property
    def parts(self) -> tuple[Any, ...]:
        """As `load_checkpoint` takes them."""
        return self.model, self.optimizer, self.scheduler, self.generator

    def step(self, x: Tensor, y: Tensor) -> None:
        """One step of the optimiser, and one of the scheduler."""
        self.optimizer.zero_grad()
        F.cross_entropy(self.model(x), y).backward()
        self.optimizer.step()
        self.scheduler.step()

    def told(self) -> dict[str, Any]:
        """What can be seen of it, and what comes next of its random numbers."""
        return {
            "model": dict(self.model.state_dict()),
            "rate": self.optimizer.param_groups[0]["lr"],
            "epochs of the scheduler": self.scheduler.last_epoch,
            "next order": torch.randperm(7, generator=self.generator),
        }


def _data(case: Any) -> tuple[Tensor, Tensor, Tensor, int]:
    """Numbers for parameters, images, labels, a seed."""
    return case.numbers(41), case.numbers(5, 3), case.labels(5, num_classes=4), case.integer(0, 10**6)


@check(f"{CHECKPOINTS}save_checkpoint", points=2)
def saved(code, case):
    """What the file holds: read back with `weights_only=True`."""
    numbers, x, y, seed = _data(case)
    training = _Training(numbers)
    torch.manual_seed(seed)
    training.generator.manual_seed(seed + 1)
    training.step(x, y)
    torch.rand(3), torch.rand(2, generator=training.generator)
    epoch, file = case.integer(3, 30), io.BytesIO()
    model, optimizer, scheduler, generator = training.parts
    code.training.checkpoints.save_checkpoint(file, model, optimizer, scheduler, epoch, generator)
    found = torch.load(io.BytesIO(file.getvalue()), weights_only=True, map_location="cpu")
    drawn = torch.Generator()
    outputs = {"entries": sorted(found), "epoch": found["epoch"], "model": dict(found["model"])}
    outputs["momentum"] = [each["momentum_buffer"] for each in found["optimizer"]["state"].values()]
    outputs["rate"] = found["optimizer"]["param_groups"][0]["lr"]
    outputs["epochs of the scheduler"] = found["scheduler"]["last_epoch"]
    for name in ("rng", "generator"):
        outputs[f"drawn from {name}"] = torch.rand(2, generator=drawn.set_state(found[name]))
    return outputs


@check(f"{CHECKPOINTS}load_checkpoint", points=2)
def loaded(code, case):
    """The state that is put back, the order that is drawn next, and the parameters after one more step."""
    numbers, x, y, seed = _data(case)
    before, after = _Training(numbers), _Training(numbers.flip(0))
    torch.manual_seed(seed)
    before.generator.manual_seed(seed + 1)
    for _ in range(2):
        before.step(x, y)
    known = {
        "model": before.model.state_dict(),
        "optimizer": before.optimizer.state_dict(),
        "scheduler": before.scheduler.state_dict(),
        "epoch": case.integer(3, 30),
        "generator": before.generator.get_state(),
    }
    known["rng"] = torch.get_rng_state()
    file = io.BytesIO()
    torch.save(known, file)
    file.seek(0)
    torch.manual_seed(seed + 2)
    after.generator.manual_seed(seed + 3)
    outputs = {"epoch": code.training.checkpoints.load_checkpoint(file, *after.parts), **after.told()}
    outputs["drawn next"] = torch.rand(2)
    after.step(x, y)
    return outputs | {"parameters after a step": [*after.model.parameters()]}


@check(
    f"{CHECKPOINTS}train_resumable",
    points=3,
    uses=[f"{CHECKPOINTS}save_checkpoint", f"{CHECKPOINTS}load_checkpoint"],
)
def resumed(code, case):
    """Two epochs in one go, two with a new start between them, and no epoch left."""
    numbers, x, y, seed = _data(case)
    train, outputs = code.training.checkpoints.train_resumable, {}
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as folder:
        for name, stops in (("two epochs", [2]), ("stopped after one", [1, 2, 2])):
            losses = []
            for place, num_epochs in enumerate(stops):
                training = _Training(numbers if place == 0 else numbers.flip(0))
                torch.manual_seed(seed + place)
                training.generator.manual_seed(seed + 7 * place)
                path = Path(folder) / f"{name}.pt"
                model, optimizer, scheduler, generator = training.parts
                losses.append(train(path, model, optimizer, scheduler, generator, x, y, num_epochs, 3))
            outputs[name] = {"losses": losses, **training.told()}
    return outputs
