"""What is asked of `training.finetuning`."""

import copy
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from exercise_code.support.checking.declare import check

from .common import filled

FINETUNING = "training.finetuning."


class _Net(nn.Module):
    """Convolution, batch norms of two kinds, an attention-like linear layer within, and a nested head."""

    def __init__(self, numbers: Tensor) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.Flatten())
        self.squeeze = nn.Sequential(nn.Linear(12, 5), nn.BatchNorm1d(5), nn.Dropout(0.5))
        self.classifier = nn.Sequential(nn.ReLU(), nn.Sequential(nn.Dropout(0.3), nn.Linear(5, 4)))
        filled([self], numbers)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.squeeze(self.features(x)))

    @property
    def head(self) -> Any:
        """The last layer."""
        return self.classifier[1][1]


@check(f"{FINETUNING}replace_head", points=2)
def new_head(code, case):
    """The layers of a nested model and of a plain one, the new layer, and the scores that come out."""
    x, numbers = case.numbers(3, 2, 4, 4), case.numbers(60)
    nested = _Net(numbers).eval()
    plain = nn.Sequential(nn.Flatten(), nn.Linear(32, 6))
    filled([plain], numbers)
    outputs = {}
    for name, model, num_classes in (("nested", nested, 7), ("plain", plain, 3)):
        old = dict(model.named_parameters())
        head = code.training.finetuning.replace_head(model, num_classes)
        outputs[name] = {
            "layers": [f"{each}: {type(module).__name__}" for each, module in model.named_modules()],
            "parameters": dict(model.named_parameters()),
            "head is in the model": any(module is head for module in model.modules()),
            "the same as before": [old[each] is param for each, param in model.named_parameters()],
            "head": [head.in_features, head.out_features, head.weight, head.bias],
            "learns": [param.requires_grad for param in head.parameters()],
            "scores": model(x),
        }
    return outputs


@check(f"{FINETUNING}freeze_backbone", points=2)
def frozen(code, case):
    """What requires gradients, what has some, and where a step leads that an optimiser from before takes.

    One layer of the backbone holds the same numbers as the head.
    """
    x, numbers = case.numbers(3, 2, 4, 4), case.numbers(60)
    model = _Net(numbers).eval()
    model.twin = copy.deepcopy(model.head)  # of the backbone, with the numbers of the head
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    (model(x).square().sum() + model.twin(x.new_ones(1, 5)).sum()).backward()  # gradients left from before
    model.classifier[1][1].bias.requires_grad_(False)  # somebody's choice
    code.training.finetuning.freeze_backbone(model, model.head)
    outputs: dict[str, Any] = {
        "require gradients": [name for name, param in model.named_parameters() if param.requires_grad],
        "have gradients": [name for name, param in model.named_parameters() if param.grad is not None],
    }
    optimizer.step()
    return outputs | {"parameters after a step": dict(model.named_parameters())}


@check(f"{FINETUNING}set_train_mode", points=2)
def modes(code, case):
    """The mode of each layer: all frozen, nothing frozen, one batch norm frozen, and either half of one."""
    outputs = {}
    for name, trained_before, chosen in (
        ("backbone frozen", False, ["features", "squeeze"]),
        ("nothing frozen", False, []),
        ("features frozen", True, ["features"]),
        ("a bias frozen", False, ["squeeze.1.bias"]),
        ("a weight frozen", True, ["squeeze.1.weight"]),
    ):
        model = _Net(case.numbers(60))
        model.train(trained_before)
        for each, param in model.named_parameters():
            param.requires_grad_(not any(each.startswith(part) for part in chosen))
        code.training.finetuning.set_train_mode(model)
        outputs[name] = {each or "model": module.training for each, module in model.named_modules()}
        norms = [module for module in model.modules() if isinstance(module, _BatchNorm)]
        model(case.numbers(4, 2, 4, 4))
        outputs[name]["running means"] = [norm.running_mean for norm in norms]
    return outputs


@check(f"{FINETUNING}param_groups", points=2)
def two_rates(code, case):
    """Names and rates of both groups: all trained, the features frozen, the whole backbone frozen."""
    lr, outputs = case.integer(8, 24) / 64, {}
    for name, factor, chosen in (
        ("all trained", 0.1, ()),
        ("features frozen", 0.25, ("features",)),
        ("backbone frozen", 0.5, ("features", "squeeze", "twin")),
    ):
        model = _Net(case.numbers(60))
        model.twin = copy.deepcopy(model.head)  # of the backbone, with the numbers of the head
        names = {param: each for each, param in model.named_parameters()}
        for param, each in names.items():
            param.requires_grad_(not each.startswith(chosen or "nothing"))
        groups = code.training.finetuning.param_groups(model, model.head, lr, factor)
        optimizer = torch.optim.SGD(groups, lr=1.0)
        outputs[name] = [
            {"names": [names[param] for param in group["params"]], "rate": group["lr"]}
            for group in optimizer.param_groups
        ]
    return outputs
