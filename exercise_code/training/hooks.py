"""Hooks: look into a network while it computes, without changing its code."""

from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle


def register_feature_hook(model: nn.Module, name: str) -> tuple[dict[str, Tensor], RemovableHandle]:
    """Keep what one submodule gives out, by a forward hook.

    After each forward pass the dict holds, under the submodule's name, the output of the last pass: detached,
    on its device, in its dtype. The model computes what it did before. After `handle.remove()` the dict stays
    as it is.

    Args:
        model: not changed, but for the hook.
        name: of the submodule as in `model.named_modules()`, such as "features.0"; it returns one tensor.

    Returns:
        The dict, empty before the first pass, and the handle of the hook.

    Raises:
        AttributeError: there is no submodule of that name.
    """
    ### BEGIN SOLUTION
    features: dict[str, Tensor] = {}

    def keep(module: nn.Module, args: object, output: Tensor) -> None:
        features[name] = output.detach()

    return features, model.get_submodule(name).register_forward_hook(keep)
    ### END SOLUTION


def record_gradient_norms(model: nn.Module) -> tuple[dict[str, list[float]], list[RemovableHandle]]:
    """Record how long the gradient of each trainable parameter is, by hooks on the parameters.

    Each backward pass appends to each list the Euclidean norm of the gradient that this pass brings, whatever
    `.grad` has collected before. A hook on a tensor takes the gradient; what it returns would replace it, so
    it returns None.

    Args:
        model: not changed, but for the hooks.

    Returns:
        Norms as Python floats, a list for each trainable parameter under its name in
        `model.named_parameters()`, and the handles of the hooks in the same order.
    """
    ### BEGIN SOLUTION
    norms: dict[str, list[float]] = {}
    handles = []
    for name, param in model.named_parameters():
        if param.requires_grad:
            history = norms[name] = []
            handles.append(param.register_hook(lambda grad, to=history: to.append(grad.norm().item())))
    return norms, handles
    ### END SOLUTION
