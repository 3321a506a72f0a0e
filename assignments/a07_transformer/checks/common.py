"""What several files of checks here share."""

from typing import Any

import torch
from torch import Tensor, nn

from exercise_code.support.checking.case import fill

OURS = ["torch.nn.functional.scaled_dot_product_attention"]
WHOLE = [*OURS, "torch.nn.MultiheadAttention", "torch.nn.functional.multi_head_attention_forward"]


def filled(module: nn.Module, numbers: Tensor) -> Any:
    """A module in the dtype and on the device of some numbers, which become its parameters; not training.

    The parameters go by their names, in whatever order they were made.
    """
    module.to(numbers.device, numbers.dtype).eval()
    fill((param for _, param in sorted(module.named_parameters())), numbers, lambda param: param.shape[-1])
    return module


def shapes(module: nn.Module) -> dict[str, Any]:
    """What torch would train in a module: the names of its parameters in order, with their shapes."""
    return {name: list(param.shape) for name, param in sorted(module.named_parameters())}


def dropped_weights_law(outputs: dict[str, Any], expected: dict[str, Any]) -> str | None:
    """Equal weights of 1 / 200, dropped with p = 0.4, on values of 1: a mean of 1 for each query and head.

    It is a binomial share over 0.6, with standard deviation 0.058. 30 x 2 of them lie within 0.35 (six
    standard deviations) of 1 but for chances below 1e-6, and are all alike with no chance at all.
    """
    out = outputs["out"].double()
    if not out.any():
        return "the result is 0 everywhere"
    if out.sub(1).abs().max() < 1e-5:
        return "the weights sum to 1 in training: nothing is dropped after the softmax"
    if ((out.abs() < 1e-5) | (out.sub(1 / 0.6).abs() < 1e-4)).all():
        return "whole numbers of the result are dropped, not weights"
    if out.sub(1).abs().max() > 0.35:
        return f"the weights that are kept sum to between {out.min():.2f} and {out.max():.2f}"
    return None


def lively(module: nn.Module) -> Any:
    """The module with norms that only norm, and without biases: what comes in decides what comes out."""
    for name, param in module.named_parameters():
        if name.endswith(("gamma", "beta", "bias")):
            with torch.no_grad():
                param.fill_(float(name.endswith("gamma")))
    return module
