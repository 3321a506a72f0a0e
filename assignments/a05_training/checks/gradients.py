"""What is asked of `training.gradients`."""

import math

from torch import nn

from exercise_code.support.checking.declare import check

from .common import filled

GRADIENTS = "training.gradients."


@check(f"{GRADIENTS}accumulate_gradients", points=2)
def in_parts(code, case):
    """Parts of which the last one is smaller, a part that holds all images, and gradients from before."""
    x, y, numbers = case.numbers(11, 3), case.labels(11, num_classes=4), case.numbers(16)
    outputs = {}
    for name, part_size, before in (
        ("parts of 4, 4 and 3", 4, False),
        ("parts of 5, 5 and 1, gradients from before", 5, True),
        ("one part", 20, False),
    ):
        model = nn.Linear(3, 4)
        filled([model], numbers)
        if before:
            model(x).sum().backward()
        loss = code.training.gradients.accumulate_gradients(model, x, y, part_size)
        outputs[name] = {"loss": loss, "weight": model.weight.grad, "bias": model.bias.grad}
    return outputs


@check(
    f"{GRADIENTS}clip_grad_norm",
    points=2,
    forbids=["torch.nn.utils.clip_grad_norm_", "torch.nn.utils.get_total_norm"],
)
def clipped(code, case):
    """Gradients that are too long, short enough, and those of a model of which a part has none."""
    outputs = {}
    for name, limit in (("limit 0.5", 0.5), ("limit 1000", 1000.0), ("no limit", math.inf)):
        model = nn.ModuleList([nn.Linear(3, 5), nn.Linear(2, 2), nn.Linear(4, 2, bias=False)])
        filled(model, case.numbers(30))
        params = [*model[0].parameters(), *model[2].parameters()]
        for param in params:
            param.grad = 64 * case.numbers(*param.shape)  # 1e-6 added to the norm, as torch does, is nothing
        before = [param.grad for param in params]
        norm = code.training.gradients.clip_grad_norm(model.parameters(), limit)
        outputs[name] = {
            "norm before": norm,
            "gradients": [param.grad for param in params],
            "the same tensors": [param.grad is grad for param, grad in zip(params, before, strict=True)],
        }
    return outputs
