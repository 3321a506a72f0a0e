"""How people get `training.finetuning` wrong, and the hint each mistake deserves."""

import torch
from torch import nn

from exercise_code.support.checking.declare import mistake

HEAD = "training.finetuning.replace_head"
FREEZE = "training.finetuning.freeze_backbone"
MODE = "training.finetuning.set_train_mode"
GROUPS = "training.finetuning.param_groups"


def _replace(model, num_classes, *, place=-1, bias=True, zero="both", move=True, put=True, features=None):
    """`replace_head` with something else in one place."""
    name, old = [each for each in model.named_modules() if isinstance(each[1], nn.Linear)][place]
    head = nn.Linear(features or old.in_features, num_classes, bias=bias)
    head = head.to(old.weight) if move else head
    if zero in ("both", "weight"):
        nn.init.zeros_(head.weight)
    if zero in ("both", "bias") and bias:
        nn.init.zeros_(head.bias)
    if put:
        model.set_submodule(name, head)
    return head


@mistake(HEAD, hint="The first linear layer is replaced: the head is the last one.", raises=RuntimeError)
def first_linear(model, num_classes):
    return _replace(model, num_classes, place=0)


@mistake(HEAD, hint="The new layer is returned, but the model still has the old one.")
def not_put_in(model, num_classes):
    return _replace(model, num_classes, put=False)


@mistake(HEAD, hint="The weights are random: they start at 0.")
def random_weights(model, num_classes):
    return _replace(model, num_classes, zero="bias")


@mistake(HEAD, hint="The biases are random: they start at 0 as well as the weights.")
def random_biases(model, num_classes):
    return _replace(model, num_classes, zero="weight")


@mistake(HEAD, hint="Weights and biases are as `nn.Linear` draws them: both start at 0.")
def random_head(model, num_classes):
    return _replace(model, num_classes, zero="neither")


@mistake(HEAD, hint="The new layer has no bias: leave it as `nn.Linear` makes it.", raises=AttributeError)
def without_bias(model, num_classes):
    head = _replace(model, num_classes, bias=False)
    del head._parameters["bias"]
    return head


@mistake(HEAD, hint="The new layer stands behind the old one: put it in its place.", raises=KeyError)
def behind_the_old(model, num_classes):
    name, old = [each for each in model.named_modules() if isinstance(each[1], nn.Linear)][-1]
    head = nn.Linear(old.out_features, num_classes).to(old.weight)
    nn.init.zeros_(head.weight)
    nn.init.zeros_(head.bias)
    model.set_submodule(name, nn.Sequential(old, head))
    return head


@mistake(HEAD, hint="The old layer's first rows are kept: they know the old task. Start the head at 0.")
def rows_kept(model, num_classes):
    name, old = [each for each in model.named_modules() if isinstance(each[1], nn.Linear)][-1]
    head = nn.Linear(old.in_features, num_classes).to(old.weight)
    nn.init.zeros_(head.weight)
    nn.init.zeros_(head.bias)
    num = min(num_classes, old.out_features)
    head.weight.data[:num], head.bias.data[:num] = old.weight.data[:num], old.bias.data[:num]
    model.set_submodule(name, head)
    return head


@mistake(HEAD, hint="All linear layers are replaced or emptied: the others belong to the backbone.")
def all_emptied(model, num_classes):
    for module in model.modules():
        if isinstance(module, nn.Linear):
            nn.init.zeros_(module.weight)
    return _replace(model, num_classes)


@mistake(
    HEAD,
    hint="Only the top level of the model is searched: the last linear layer may lie deeper.",
    raises=IndexError,
)
def top_level(model, num_classes):
    name, old = [each for each in model.named_children() if isinstance(each[1], nn.Linear)][-1]
    head = nn.Linear(old.in_features, num_classes).to(old.weight)
    nn.init.zeros_(head.weight)
    nn.init.zeros_(head.bias)
    model.set_submodule(name, head)
    return head


@mistake(HEAD, hint="Nothing is returned: the new layer is asked for.", raises=AttributeError)
def head_not_returned(model, num_classes):
    _replace(model, num_classes)


def _freeze(model, head, *, drop=True, frozen=False, of=None):
    """Freeze what lies outside of the head."""
    of_head = {*head.parameters()}
    for param in (of or model).parameters():
        if param not in of_head:
            param.requires_grad_(frozen)
            param.grad = None if drop else param.grad


@mistake(
    FREEZE, hint="Gradients from before are left, and an optimiser that was built before still uses them."
)
def gradients_left(model, head):
    _freeze(model, head, drop=False)


@mistake(
    FREEZE, hint="Gradients are dropped once, but the parameters are not frozen: `requires_grad_(False)`."
)
def only_dropped(model, head):
    _freeze(model, head, frozen=True)


@mistake(FREEZE, hint="The head is frozen as well, so nothing is left to learn.")
def all_frozen(model, head):
    for param in model.parameters():
        param.requires_grad_(False)
        param.grad = None


@mistake(FREEZE, hint="The head is frozen, and the backbone learns: it is the other way round.")
def head_frozen(model, head):
    for param in head.parameters():
        param.requires_grad_(False)
        param.grad = None


@mistake(FREEZE, hint="The head is changed too: its own frozen bias learns now. Leave the head as it is.")
def head_thawed(model, head):
    _freeze(model, head)
    for param in head.parameters():
        param.requires_grad_(True)


@mistake(
    FREEZE,
    hint="The head's frozen bias learns now, and old gradients are left: change the backbone's alone.",
)
def head_thawed_gradients_left(model, head):
    _freeze(model, head, drop=False)
    for param in head.parameters():
        param.requires_grad_(True)


@mistake(FREEZE, hint="The head's gradients are dropped as well: leave the head as it is.")
def head_gradients_dropped(model, head):
    _freeze(model, head)
    for param in head.parameters():
        param.grad = None


@mistake(FREEZE, hint="Setting `requires_grad` on a module does nothing: it belongs to its parameters.")
def module_attribute(model, head):
    for module in model.children():
        module.requires_grad = False
    model.zero_grad()


@mistake(FREEZE, hint="The weights are frozen, but not the biases: take all parameters of the backbone.")
def weights_alone(model, head):
    of_head = {*head.parameters()}
    for name, param in model.named_parameters():
        if name.endswith("weight") and param not in of_head:
            param.requires_grad_(False)
            param.grad = None


@mistake(
    FREEZE, hint="Only convolutions are frozen: batch norms and linear layers belong to the backbone too."
)
def convolutions_alone(model, head):
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            _freeze(module, head)


@mistake(
    FREEZE, hint="Gradients are filled with zeros, not dropped: momentum would still move the parameters."
)
def gradients_of_zero(model, head):
    _freeze(model, head, drop=False)
    of_head = {*head.parameters()}
    for param in model.parameters():
        if param not in of_head and param.grad is not None:
            param.grad.zero_()


@mistake(
    FREEZE,
    hint="A parameter counts as the head's if its values are equal: ask for the same object, by `is`.",
)
def equal_values(model, head):
    for param in model.parameters():
        if not any(torch.equal(param, other) for other in head.parameters()):
            param.requires_grad_(False)
            param.grad = None


def _modes(model, kinds, frozen):
    """Training mode, but for modules of some kinds that count as frozen."""
    model.train()
    for module in model.modules():
        if isinstance(module, kinds) and frozen(module):
            module.eval()


NORMS = nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d


def _all_frozen(module):
    return not any(param.requires_grad for param in module.parameters())


@mistake(
    MODE,
    hint="Frozen batch norms are in training mode: `model.train()` reaches all, so send these back after it.",
)
def train_alone(model):
    model.train()


@mistake(MODE, hint="Nothing is brought into training mode: call `model.train()` first.")
def never_trains(model):
    for module in model.modules():
        if isinstance(module, NORMS) and _all_frozen(module):
            module.eval()


@mistake(MODE, hint="The whole model is in eval mode: dropout and the head's part of it should train.")
def eval_alone(model):
    model.eval()


@mistake(MODE, hint="All batch norms are in eval mode, also those that learn: look whether they are frozen.")
def all_norms(model):
    _modes(model, NORMS, lambda module: True)


@mistake(MODE, hint="Only BatchNorm2d is looked for: there are others, such as BatchNorm1d.")
def two_dimensions_alone(model):
    _modes(model, nn.BatchNorm2d, _all_frozen)


@mistake(MODE, hint="A batch norm of which one parameter is frozen counts as frozen: both have to be.")
def one_is_enough(model):
    _modes(model, NORMS, lambda module: not all(param.requires_grad for param in module.parameters()))


@mistake(MODE, hint="Only the weight is looked at: a batch norm whose bias still learns is not frozen.")
def weight_alone(model):
    _modes(model, NORMS, lambda module: not module.weight.requires_grad)


@mistake(MODE, hint="Whatever has no trainable parameter is in eval mode, dropout too: batch norms alone.")
def all_modules(model):
    model.train()
    for module in model.modules():
        if module is not model and _all_frozen(module):
            module.eval()


@mistake(MODE, hint="The rest of the model is left in the mode in which it was: bring it into training mode.")
def rest_as_it_was(model):
    for module in model.modules():
        if isinstance(module, NORMS):
            module.train(not _all_frozen(module))


@mistake(
    MODE, hint="The condition is turned round: batch norms that learn are in eval mode, frozen ones are not."
)
def turned_round(model):
    _modes(model, NORMS, lambda module: not _all_frozen(module))


def _groups(model, head, lr, factor, *, rates=None, trained=True, turned=False):
    """`param_groups` with something else in one place."""
    of_head = {*head.parameters()}
    kept = [param for param in model.parameters() if param.requires_grad or not trained]
    backbone = [param for param in kept if param not in of_head]
    own = [param for param in kept if param in of_head]
    first, second = rates or (lr * factor, lr)
    groups = [{"params": backbone, "lr": first}, {"params": own, "lr": second}]
    return groups[::-1] if turned else groups


@mistake(GROUPS, hint="Both groups have the same rate: multiply the backbone's by the factor.")
def same_rate(model, head, lr, backbone_lr_factor):
    return _groups(model, head, lr, backbone_lr_factor, rates=(lr, lr))


@mistake(GROUPS, hint="The rates are exchanged: the head learns fast, the backbone slowly.")
def rates_exchanged(model, head, lr, backbone_lr_factor):
    return _groups(model, head, lr, backbone_lr_factor, rates=(lr, lr * backbone_lr_factor))


@mistake(GROUPS, hint="The factor is taken for the rate itself: it is a multiple of lr.")
def factor_as_rate(model, head, lr, backbone_lr_factor):
    return _groups(model, head, lr, backbone_lr_factor, rates=(backbone_lr_factor, lr))


@mistake(GROUPS, hint="The rate is divided by the factor: multiply.")
def divided_by_factor(model, head, lr, backbone_lr_factor):
    return _groups(model, head, lr, backbone_lr_factor, rates=(lr / backbone_lr_factor, lr))


@mistake(GROUPS, hint="Frozen parameters are in the groups: leave them out.")
def frozen_ones_too(model, head, lr, backbone_lr_factor):
    return _groups(model, head, lr, backbone_lr_factor, trained=False)


@mistake(GROUPS, hint="The groups come in the other order: the backbone is first, the head second.")
def head_first(model, head, lr, backbone_lr_factor):
    return _groups(model, head, lr, backbone_lr_factor, turned=True)


@mistake(
    GROUPS,
    hint="The head is in both groups, and no optimiser takes that: leave it out of the first.",
    raises=ValueError,
)
def head_twice(model, head, lr, backbone_lr_factor):
    groups = _groups(model, head, lr, backbone_lr_factor)
    return [{**groups[0], "params": [*groups[0]["params"], *groups[1]["params"]]}, groups[1]]


@mistake(
    GROUPS,
    hint="The first loop uses the iterator up, and the head's group is empty: make a list first.",
)
def used_up(model, head, lr, backbone_lr_factor):
    of_head = {*head.parameters()}
    trained = filter(lambda param: param.requires_grad, model.parameters())
    backbone = [param for param in trained if param not in of_head]
    own = [param for param in trained if param in of_head]
    return [{"params": backbone, "lr": lr * backbone_lr_factor}, {"params": own, "lr": lr}]


@mistake(
    GROUPS,
    hint="A parameter counts as the head's if its values are equal: ask for the same object, by `is`.",
)
def grouped_by_values(model, head, lr, backbone_lr_factor):
    groups = _groups(model, head, lr, backbone_lr_factor)
    own = [p for p in groups[0]["params"] if any(torch.equal(p, other) for other in head.parameters())]
    backbone = [p for p in groups[0]["params"] if not any(p is each for each in own)]
    return [{**groups[0], "params": backbone}, {**groups[1], "params": [*own, *groups[1]["params"]]}]


@mistake(GROUPS, hint="Only the head is there: the backbone's parameters that learn are the first group.")
def head_alone(model, head, lr, backbone_lr_factor):
    return _groups(model, head, lr, backbone_lr_factor)[1:]
