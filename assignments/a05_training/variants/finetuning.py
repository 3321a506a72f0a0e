"""Right versions of `training.finetuning`, written otherwise."""

import torch
from torch import nn

from exercise_code.support.checking.declare import variant

FINETUNING = "training.finetuning."


@variant(FINETUNING + "replace_head")
def by_parent(model, num_classes):
    for name, module in model.named_modules():
        if isinstance(module, nn.Linear):
            last, old = name, module
    parent, _, own = last.rpartition(".")
    new = nn.Linear(old.in_features, num_classes, device=old.weight.device, dtype=old.weight.dtype)
    with torch.no_grad():
        for param in new.parameters():
            param.zero_()
    setattr(model.get_submodule(parent), own, new)
    return new


@variant(FINETUNING + "replace_head")
def with_new_parameters(model, num_classes):
    name = [name for name, module in model.named_modules() if type(module) is nn.Linear].pop()
    weight = model.get_submodule(name).weight
    new = nn.Linear(weight.shape[1], num_classes)
    new.weight = nn.Parameter(weight.new_zeros(num_classes, weight.shape[1]))
    new.bias = nn.Parameter(weight.new_zeros(num_classes))
    model.set_submodule(name, new)
    return new


@variant(FINETUNING + "freeze_backbone")
def by_identity(model, head):
    kept = [id(param) for param in head.parameters()]
    for param in model.parameters():
        if id(param) in kept:
            continue
        param.requires_grad = False
        param.grad = None


@variant(FINETUNING + "freeze_backbone")
def by_modules(model, head):
    inside = [*head.modules()]
    for module in model.modules():
        if not any(module is each for each in inside):
            for param in module.parameters(recurse=False):
                param.grad = None
                param.requires_grad_(False)


@variant(FINETUNING + "set_train_mode")
def each_on_its_own(model):
    norms = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
    for module in model.modules():
        frozen = all(not param.requires_grad for param in module.parameters(recurse=False))
        module.training = not (isinstance(module, norms) and frozen)


@variant(FINETUNING + "set_train_mode")
def by_name(model):
    model.train(True)
    for module in model.modules():
        if (
            "BatchNorm" in type(module).__name__
            and not module.weight.requires_grad + module.bias.requires_grad
        ):
            module.train(False)


@variant(FINETUNING + "param_groups")
def by_names(model, head, lr, backbone_lr_factor):
    prefix = next(name for name, module in model.named_modules() if module is head) + "."
    trained = {name: param for name, param in model.named_parameters() if param.requires_grad}
    backbone = [param for name, param in trained.items() if not name.startswith(prefix)]
    own = [param for name, param in trained.items() if name.startswith(prefix)]
    return [{"params": backbone, "lr": backbone_lr_factor * lr}, {"params": own, "lr": lr}]


@variant(FINETUNING + "param_groups")
def by_difference(model, head, lr, backbone_lr_factor):
    own = [param for param in head.parameters() if param.requires_grad]
    ids = {id(param) for param in head.parameters()}
    rest = [param for param in model.parameters() if id(param) not in ids and param.requires_grad]
    return [{"lr": lr * backbone_lr_factor, "params": rest}, {"lr": lr, "params": own}]
