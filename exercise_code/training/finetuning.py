"""Transfer learning: a network that was trained on much learns a task with few images."""

from typing import Any

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm


def replace_head(model: nn.Module, num_classes: int) -> nn.Linear:
    """Put a new linear layer in place of the model's last one, and return it.

    The last one is the last `nn.Linear` of `model.named_modules()`, however deep it lies. The new one takes
    as many features, is on the same device and of the same dtype, and starts with weights and biases of 0, so
    that at first all classes are equally likely (Kolesnikov et al., 2020, start so too).

    Args:
        model: changed in place; holds a linear layer below its top level or on it.
        num_classes: of the new task.
    """
    ### BEGIN SOLUTION
    name, old = [each for each in model.named_modules() if isinstance(each[1], nn.Linear)][-1]
    head = nn.Linear(old.in_features, num_classes).to(old.weight)
    nn.init.zeros_(head.weight)
    nn.init.zeros_(head.bias)
    model.set_submodule(name, head)
    return head
    ### END SOLUTION


def freeze_backbone(model: nn.Module, head: nn.Module) -> None:
    """Freeze all parameters of a model but those of its head, which stay as they are.

    A frozen parameter requires no gradient, and has none: what is left from before is dropped, since an
    optimiser moves whatever has a gradient.
    """
    ### BEGIN SOLUTION
    of_head = set(head.parameters())
    for param in model.parameters():
        if param not in of_head:
            param.requires_grad_(False)
            param.grad = None
    ### END SOLUTION


def set_train_mode(model: nn.Module) -> None:
    """Bring a model into training mode, but leave every frozen batch norm in eval mode.

    A batch norm is frozen if none of its parameters requires a gradient; batch norms here have weights and
    biases. In eval mode it keeps the means and variances that it has learned. Dropout trains everywhere.
    """
    ### BEGIN SOLUTION
    model.train()
    for module in model.modules():
        if isinstance(module, _BatchNorm) and not any(param.requires_grad for param in module.parameters()):
            module.eval()
    ### END SOLUTION


def param_groups(
    model: nn.Module, head: nn.Module, lr: float, backbone_lr_factor: float
) -> list[dict[str, Any]]:
    """Two groups of parameters for an optimiser: first the backbone's, then the head's.

    Each is a dict with "params", a list in the model's order, and "lr". Frozen parameters are in neither, and
    every other one in exactly one; where the whole backbone is frozen, its list is empty.

    Args:
        model: holds the head.
        head: its last layer.
        lr: learning rate of the head.
        backbone_lr_factor: that of the backbone, as a multiple of lr.
    """
    ### BEGIN SOLUTION
    of_head = set(head.parameters())
    groups: tuple[list[nn.Parameter], list[nn.Parameter]] = ([], [])
    for param in model.parameters():
        if param.requires_grad:
            groups[param in of_head].append(param)
    rates = lr * backbone_lr_factor, lr
    return [{"params": params, "lr": rate} for params, rate in zip(groups, rates, strict=True)]
    ### END SOLUTION
