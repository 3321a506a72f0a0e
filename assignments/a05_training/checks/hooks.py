"""What is asked of `training.hooks`."""

from typing import Any

import torch
from torch import Tensor, nn

from exercise_code.support.checking.declare import check

from .common import filled

HOOKS = "training.hooks."


class _Net(nn.Module):
    """Nested, with two layers of one kind, one of them used twice, and a head that is used at choice."""

    def __init__(self, numbers: Tensor) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(2, 3, 3), nn.Sigmoid(), nn.Flatten())
        self.shared = nn.Linear(12, 12)
        self.head = nn.Linear(12, 4)
        self.other = nn.Linear(12, 5)
        filled([self], numbers)

    def forward(self, x: Tensor, other: bool = False) -> Tensor:
        hidden = torch.tanh(self.shared(torch.tanh(self.shared(self.features(x)))))
        return self.other(hidden) if other else self.head(hidden)


def _gradients(model: nn.Module) -> dict[str, Tensor]:
    """Those that are there, by name."""
    return {name: param.grad for name, param in model.named_parameters() if param.grad is not None}


@check(f"{HOOKS}register_feature_hook", points=3)
def feature_hook(code, case):
    """What is kept of a layer after each of three passes and after the hook is gone; scores and gradients."""
    batches = [case.numbers(num, 2, 4, 4) for num in (3, 5, 2)]
    outputs: dict[str, Any] = {}
    for name in ("features.0", "head"):
        model = _Net(case.numbers(60))
        features, handle = code.training.hooks.register_feature_hook(model, name)
        outputs[name] = found = {"before": dict(features)}
        for place, x in enumerate(batches):
            scores = model(x)
            found[f"after pass {place + 1}"] = {
                "kept": {each: value.detach().clone() for each, value in features.items()},
                "with a graph": [value.requires_grad for value in features.values()],
                "scores": scores,
            }
        scores.square().sum().backward()
        found["gradients"] = _gradients(model)
        handle.remove()
        model(batches[0])
        found["after remove()"] = {each: value.detach().clone() for each, value in features.items()}
    try:
        code.training.hooks.register_feature_hook(model, "features.9")
        outputs["no such layer"] = "is accepted"
    except Exception as error:
        outputs["no such layer"] = f"raises {type(error).__name__}"
    return outputs


@check(f"{HOOKS}record_gradient_norms", points=3)
def gradient_norms(code, case):
    """Norms of three passes, one of them through another head, and none after the hooks are gone."""
    batches = [case.numbers(num, 2, 4, 4) for num in (3, 5, 2)]
    model = _Net(case.numbers(60))
    model.features[0].bias.requires_grad_(False)
    norms, handles = code.training.hooks.record_gradient_norms(model)
    outputs: dict[str, Any] = {
        "hooks": len(handles),
        "before": {name: [*kept] for name, kept in norms.items()},
    }
    for place, x in enumerate(batches):
        model(x, other=place == 1).square().sum().backward()
        outputs[f"after pass {place + 1}"] = {name: [*kept] for name, kept in norms.items()}
    outputs["gradients, added up"] = _gradients(model)
    for handle in handles:
        handle.remove()
    model(batches[0]).sum().backward()
    return outputs | {"after remove()": {name: [*kept] for name, kept in norms.items()}}
