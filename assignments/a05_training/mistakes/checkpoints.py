"""How people get `training.checkpoints` wrong, and the hint each mistake deserves."""

from pickle import UnpicklingError

import torch
from torch.nn import functional as F

from exercise_code.support.checking.declare import mistake
from exercise_code.training.checkpoints import load_checkpoint, save_checkpoint

STRIP = "training.checkpoints.strip_module_prefix"
SAVE = "training.checkpoints.save_checkpoint"
LOAD = "training.checkpoints.load_checkpoint"
RESUME = "training.checkpoints.train_resumable"


@mistake(
    STRIP, hint="Seven characters are cut off every name: some names have no prefix. Look before you cut."
)
def seven_characters(state_dict):
    return {name[7:]: tensor for name, tensor in state_dict.items()}


@mistake(STRIP, hint='"module." goes wherever it stands: only at the beginning of a name is it the prefix.')
def everywhere(state_dict):
    return {name.replace("module.", ""): tensor for name, tensor in state_dict.items()}


@mistake(STRIP, hint="The prefix goes only where all names have it: ask each name on its own.")
def all_or_nothing(state_dict):
    if not all(name.startswith("module.") for name in state_dict):
        return state_dict
    return {name.removeprefix("module."): tensor for name, tensor in state_dict.items()}


@mistake(
    STRIP,
    hint='A name that has no prefix loses a later "module.": ask each name whether it begins with it.',
)
def first_occurrence(state_dict):
    return {name.replace("module.", "", 1): tensor for name, tensor in state_dict.items()}


@mistake(
    STRIP, hint="The prefix is taken off again and again: once is enough, a module may be called module."
)
def again_and_again(state_dict):
    stripped = {}
    for name, tensor in state_dict.items():
        while name.startswith("module."):
            name = name[7:]
        stripped[name] = tensor
    return stripped


@mistake(STRIP, hint="`lstrip` takes off letters, not a word: names lose their own first letters.")
def single_letters(state_dict):
    return {name.lstrip("module."): tensor for name, tensor in state_dict.items()}


@mistake(STRIP, hint="Names without the prefix are lost: keep them as they are.")
def only_with_prefix(state_dict):
    return {
        name.removeprefix("module."): tensor
        for name, tensor in state_dict.items()
        if name.startswith("module.")
    }


@mistake(STRIP, hint="The dot is left at the beginning of the names: it belongs to the prefix.")
def dot_left(state_dict):
    return {
        name.removeprefix("module") if name.startswith("module.") else name: tensor
        for name, tensor in state_dict.items()
    }


@mistake(
    STRIP, hint="The names are cut at the first dot, whatever comes before it: only module. is the prefix."
)
def first_part(state_dict):
    return {name.partition(".")[2]: tensor for name, tensor in state_dict.items()}


@mistake(STRIP, hint="The dict that was given is changed: build a new one.")
def in_place(state_dict):
    for name in [*state_dict]:
        state_dict[name.removeprefix("module.")] = state_dict.pop(name)
    return state_dict


def _content(model, optimizer, scheduler, epoch, generator):
    """What `save_checkpoint` saves."""
    return {
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "scheduler": scheduler.state_dict(),
        "epoch": epoch,
        "rng": torch.get_rng_state(),
        "generator": generator.get_state(),
    }


def _save(file, parts, *, without=(), **others):
    """Save it without some entries, and with others."""
    content = {key: value for key, value in _content(*parts).items() if key not in without}
    torch.save(content | others, file)


@mistake(
    SAVE,
    hint="The optimiser's state is missing: momentum would start again from zero.",
    raises=KeyError,
)
def saved_without_optimizer(file, model, optimizer, scheduler, epoch, generator):
    _save(file, (model, optimizer, scheduler, epoch, generator), without=["optimizer"])


@mistake(
    SAVE, hint="The scheduler is missing: the learning rate would start again from its top.", raises=KeyError
)
def saved_without_scheduler(file, model, optimizer, scheduler, epoch, generator):
    _save(file, (model, optimizer, scheduler, epoch, generator), without=["scheduler"])


@mistake(
    SAVE, hint="The state of torch's random numbers is missing: dropout would draw others.", raises=KeyError
)
def saved_without_rng(file, model, optimizer, scheduler, epoch, generator):
    _save(file, (model, optimizer, scheduler, epoch, generator), without=["rng"])


@mistake(
    SAVE, hint="The generator's state is missing: the images would come in another order.", raises=KeyError
)
def saved_without_generator(file, model, optimizer, scheduler, epoch, generator):
    _save(file, (model, optimizer, scheduler, epoch, generator), without=["generator"])


@mistake(SAVE, hint="The epoch is missing: nobody would know where to go on.", raises=KeyError)
def saved_without_epoch(file, model, optimizer, scheduler, epoch, generator):
    _save(file, (model, optimizer, scheduler, epoch, generator), without=["epoch"])


@mistake(SAVE, hint="The epoch is counted on: save how many are done, which is what you are given.")
def saved_next_epoch(file, model, optimizer, scheduler, epoch, generator):
    _save(file, (model, optimizer, scheduler, epoch + 1, generator))


@mistake(
    SAVE,
    hint="The parameters alone are saved: a state dict holds batch norm's running averages as well.",
)
def saved_parameters_alone(file, model, optimizer, scheduler, epoch, generator):
    parameters = {name: param.detach() for name, param in model.named_parameters()}
    _save(file, (model, optimizer, scheduler, epoch, generator), model=parameters)


@mistake(
    SAVE,
    hint="A whole object is pickled: it can be read with weights_only=False alone. Save its state_dict().",
    raises=UnpicklingError,
)
def saved_whole_model(file, model, optimizer, scheduler, epoch, generator):
    _save(file, (model, optimizer, scheduler, epoch, generator), model=model)


@mistake(SAVE, hint="Both entries hold torch's own random numbers: ask the generator for its state.")
def saved_rng_twice(file, model, optimizer, scheduler, epoch, generator):
    _save(file, (model, optimizer, scheduler, epoch, generator), generator=torch.get_rng_state())


@mistake(SAVE, hint="Both entries hold the generator's state: torch's own is `torch.get_rng_state()`.")
def saved_generator_twice(file, model, optimizer, scheduler, epoch, generator):
    _save(file, (model, optimizer, scheduler, epoch, generator), rng=generator.get_state())


def _load(file, model, optimizer, scheduler, generator, *, without=()):
    """`load_checkpoint` without some entries."""
    content = torch.load(file, weights_only=True, map_location="cpu")
    parts = {"model": model, "optimizer": optimizer, "scheduler": scheduler}
    for name, part in parts.items():
        if name not in without:
            part.load_state_dict(content[name])
    if "rng" not in without:
        torch.set_rng_state(content["rng"])
    if "generator" not in without:
        generator.set_state(content["generator"])
    return content["epoch"]


@mistake(LOAD, hint="The model is as it was: its parameters are not put back.")
def loaded_without_model(file, model, optimizer, scheduler, generator):
    return _load(file, model, optimizer, scheduler, generator, without=["model"])


@mistake(
    LOAD, hint="The optimiser's state is not put back: its rate and its momentum are those of a new start."
)
def loaded_without_optimizer(file, model, optimizer, scheduler, generator):
    return _load(file, model, optimizer, scheduler, generator, without=["optimizer"])


@mistake(LOAD, hint="The scheduler's state is not put back: it counts its epochs from 0 again.")
def loaded_without_scheduler(file, model, optimizer, scheduler, generator):
    return _load(file, model, optimizer, scheduler, generator, without=["scheduler"])


@mistake(LOAD, hint="Torch's own random numbers go on as they were: put their state back, for dropout.")
def loaded_without_rng(file, model, optimizer, scheduler, generator):
    return _load(file, model, optimizer, scheduler, generator, without=["rng"])


@mistake(LOAD, hint="The generator is not put back, so the images come in another order.")
def loaded_without_generator(file, model, optimizer, scheduler, generator):
    return _load(file, model, optimizer, scheduler, generator, without=["generator"])


@mistake(LOAD, hint="An epoch is left out: the saved number is how many are done, and counting begins at 0.")
def loaded_one_more(file, model, optimizer, scheduler, generator):
    return _load(file, model, optimizer, scheduler, generator) + 1


@mistake(LOAD, hint="The last epoch is done again: the saved number is how many are done already.")
def loaded_one_less(file, model, optimizer, scheduler, generator):
    return _load(file, model, optimizer, scheduler, generator) - 1


@mistake(LOAD, hint="Nothing is returned: the number of the next epoch is asked for.")
def loaded_returns_nothing(file, model, optimizer, scheduler, generator):
    _load(file, model, optimizer, scheduler, generator)


@mistake(
    LOAD, hint="The parameters are put back, but batch norm's running averages are not: load the whole dict."
)
def loaded_parameters_alone(file, model, optimizer, scheduler, generator):
    buffers = {name: buffer.clone() for name, buffer in model.named_buffers()}
    epoch = _load(file, model, optimizer, scheduler, generator)
    for name, buffer in model.named_buffers():
        buffer.copy_(buffers[name])
    return epoch


def _resume(
    path,
    model,
    optimizer,
    scheduler,
    generator,
    x,
    y,
    num_epochs,
    batch_size,
    *,
    load=True,
    more=False,
    shift=0,
    saved=1,
    before=False,
    order=True,
    same=False,
    rest=True,
    mean=True,
    each_batch=False,
    zero=True,
):
    """`train_resumable` with something else in one place."""
    done = load_checkpoint(path, model, optimizer, scheduler, generator) if load and path.exists() else 0
    means, places = [], None
    for epoch in range(done + shift * (done > 0), num_epochs + (done if more else 0)):
        found = []
        if places is None or not same:
            places = torch.randperm(len(x), generator=generator if order else None).to(x.device)
        if before:
            save_checkpoint(path, model, optimizer, scheduler, epoch + saved, generator)
        for part in places[: None if rest else len(x) // batch_size * batch_size].split(batch_size):
            loss = F.cross_entropy(model(x[part]), y[part])
            if zero:
                optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if each_batch:
                scheduler.step()
            found.append(loss.item())
        if not each_batch:
            scheduler.step()
        if not before:
            save_checkpoint(path, model, optimizer, scheduler, epoch + saved, generator)
        means.append(sum(found) / len(found) if mean else found[-1])
    return means


@mistake(RESUME, hint="The checkpoint is never read: if it exists, go on from there.")
def never_loaded(path, model, optimizer, scheduler, generator, x, y, num_epochs, batch_size):
    return _resume(path, model, optimizer, scheduler, generator, x, y, num_epochs, batch_size, load=False)


@mistake(RESUME, hint="num_epochs more are trained after the interruption: it is the number in all.")
def as_many_again(path, model, optimizer, scheduler, generator, x, y, num_epochs, batch_size):
    return _resume(path, model, optimizer, scheduler, generator, x, y, num_epochs, batch_size, more=True)


@mistake(
    RESUME, hint="The first epoch after the interruption is left out: begin with the number that was loaded."
)
def one_left_out(path, model, optimizer, scheduler, generator, x, y, num_epochs, batch_size):
    return _resume(path, model, optimizer, scheduler, generator, x, y, num_epochs, batch_size, shift=1)


@mistake(
    RESUME, hint="The last epoch before the interruption is done twice: save how many are done, epoch + 1."
)
def one_twice(path, model, optimizer, scheduler, generator, x, y, num_epochs, batch_size):
    return _resume(path, model, optimizer, scheduler, generator, x, y, num_epochs, batch_size, saved=0)


@mistake(RESUME, hint="The checkpoint is saved before the epoch: what it says is done has not happened yet.")
def saved_before(path, model, optimizer, scheduler, generator, x, y, num_epochs, batch_size):
    return _resume(path, model, optimizer, scheduler, generator, x, y, num_epochs, batch_size, before=True)


@mistake(RESUME, hint="The order comes from torch's own random numbers: draw it from the generator.")
def order_from_elsewhere(path, model, optimizer, scheduler, generator, x, y, num_epochs, batch_size):
    return _resume(path, model, optimizer, scheduler, generator, x, y, num_epochs, batch_size, order=False)


@mistake(RESUME, hint="All epochs have the same order: draw a new one at the beginning of each.")
def one_order(path, model, optimizer, scheduler, generator, x, y, num_epochs, batch_size):
    return _resume(path, model, optimizer, scheduler, generator, x, y, num_epochs, batch_size, same=True)


@mistake(RESUME, hint="The images that do not fill a batch are left out: the last batch may be smaller.")
def rest_left_out(path, model, optimizer, scheduler, generator, x, y, num_epochs, batch_size):
    return _resume(path, model, optimizer, scheduler, generator, x, y, num_epochs, batch_size, rest=False)


@mistake(RESUME, hint="This is the loss of each epoch's last batch: the mean over its batches is asked for.")
def last_loss(path, model, optimizer, scheduler, generator, x, y, num_epochs, batch_size):
    return _resume(path, model, optimizer, scheduler, generator, x, y, num_epochs, batch_size, mean=False)


@mistake(RESUME, hint="The scheduler steps after every batch: once an epoch is due.")
def scheduled_each_batch(path, model, optimizer, scheduler, generator, x, y, num_epochs, batch_size):
    return _resume(
        path, model, optimizer, scheduler, generator, x, y, num_epochs, batch_size, each_batch=True
    )


@mistake(RESUME, hint="Gradients of earlier batches are never dropped, so they pile up.")
def never_dropped(path, model, optimizer, scheduler, generator, x, y, num_epochs, batch_size):
    return _resume(path, model, optimizer, scheduler, generator, x, y, num_epochs, batch_size, zero=False)


@mistake(
    RESUME,
    hint="The checkpoint is saved before the scheduler's step, so the next epoch has the rate of this one.",
)
def saved_before_the_scheduler(path, model, optimizer, scheduler, generator, x, y, num_epochs, batch_size):
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
        save_checkpoint(path, model, optimizer, scheduler, epoch + 1, generator)
        scheduler.step()
        means.append(sum(found) / len(found))
    return means
