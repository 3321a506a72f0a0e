"""Right versions of `training.checkpoints`, written otherwise."""

import torch
from torch.nn import functional as F

from exercise_code.support.checking.declare import variant
from exercise_code.training.checkpoints import load_checkpoint, save_checkpoint

CHECKPOINTS = "training.checkpoints."


@variant(CHECKPOINTS + "strip_module_prefix")
def by_length(state_dict):
    stripped = {}
    for name, tensor in state_dict.items():
        stripped[name[len("module.") :] if name.startswith("module.") else name] = tensor
    return stripped


@variant(CHECKPOINTS + "strip_module_prefix")
def by_partition(state_dict):
    pairs = [(name.partition("module."), name) for name in state_dict]
    return {rest if first == "" and found else name: state_dict[name] for (first, found, rest), name in pairs}


@variant(CHECKPOINTS + "save_checkpoint")
def copied_first(file, model, optimizer, scheduler, epoch, generator):
    state = {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}
    content = {"model": state, "epoch": epoch, "rng": torch.random.get_rng_state()}
    content |= {"optimizer": optimizer.state_dict(), "scheduler": scheduler.state_dict()}
    content["generator"] = generator.get_state()
    torch.save(obj=content, f=file)


@variant(CHECKPOINTS + "load_checkpoint")
def in_another_order(file, model, optimizer, scheduler, generator):
    content = torch.load(file, map_location=torch.device("cpu"), weights_only=True)
    generator.set_state(content.pop("generator"))
    torch.random.set_rng_state(content.pop("rng"))
    epoch = content.pop("epoch")
    for name, part in {"scheduler": scheduler, "optimizer": optimizer, "model": model}.items():
        part.load_state_dict(content[name])
    return epoch


@variant(CHECKPOINTS + "train_resumable")
def while_there_are_epochs(path, model, optimizer, scheduler, generator, x, y, num_epochs, batch_size):
    epoch, means = 0, []
    if path.is_file():
        epoch = load_checkpoint(path, model, optimizer, scheduler, generator)
    while epoch < num_epochs:
        order = torch.randperm(len(x), generator=generator)
        found = []
        for start in range(0, len(x), batch_size):
            places = order[start : start + batch_size].to(x.device)
            model.zero_grad()
            loss = F.cross_entropy(model(x[places]), y[places])
            loss.backward()
            optimizer.step()
            found += [loss.item()]
        scheduler.step()
        epoch += 1
        save_checkpoint(path, model, optimizer, scheduler, epoch, generator)
        means.append(torch.tensor(found, dtype=torch.float64).mean().item())
    return means
