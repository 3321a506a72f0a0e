"""How people get `training.gradients` wrong, and the hint each mistake deserves."""

import torch
from torch.nn import functional as F

from exercise_code.support.checking.declare import mistake

PARTS = "training.gradients.accumulate_gradients"
CLIP = "training.gradients.clip_grad_norm"


def _parts(x, y, part_size):
    """The parts of a batch."""
    return [*zip(x.split(part_size), y.split(part_size), strict=True)]


def _weighted(model, x, y, part_size, share, total=None):
    """`accumulate_gradients` with other weights of the parts' mean losses."""
    found = 0.0
    for images, labels in _parts(x, y, part_size):
        loss = F.cross_entropy(model(images), labels)
        (loss * share(len(images))).backward()
        found += loss.item() * (total or share)(len(images))
    return found


@mistake(
    PARTS,
    hint="The mean of the parts' means: a smaller last part then counts as much as the others. Weigh it.",
)
def mean_of_means(model, x, y, part_size):
    return _weighted(model, x, y, part_size, lambda num: 1 / len(_parts(x, y, part_size)))


@mistake(PARTS, hint="The parts' mean losses are added up as they are, so the gradient is too long.")
def sum_of_means(model, x, y, part_size):
    return _weighted(model, x, y, part_size, lambda num: 1.0)


@mistake(PARTS, hint="This is the gradient of the sum of all losses: their mean is asked for.")
def sum_of_all(model, x, y, part_size):
    return _weighted(model, x, y, part_size, float)


@mistake(PARTS, hint="Each part is divided by part_size, though the mean is over all images of the batch.")
def divided_by_part_size(model, x, y, part_size):
    return _weighted(model, x, y, part_size, lambda num: num / part_size)


@mistake(PARTS, hint="The gradients are right; the loss is the sum of the parts' means, not the mean of all.")
def loss_not_weighted(model, x, y, part_size):
    return _weighted(model, x, y, part_size, lambda num: num / len(x), lambda num: 1.0)


@mistake(PARTS, hint="Gradients are dropped before each part, so only the last part's is left at the end.")
def dropped_before_each_part(model, x, y, part_size):
    total = 0.0
    for images, labels in _parts(x, y, part_size):
        model.zero_grad()
        loss = F.cross_entropy(model(images), labels, reduction="sum") / len(x)
        loss.backward()
        total += loss.item()
    return total


@mistake(PARTS, hint="Gradients from before are lost: add to them, as `backward` does.")
def dropped_at_the_start(model, x, y, part_size):
    model.zero_grad()
    return _weighted(model, x, y, part_size, lambda num: num / len(x))


@mistake(PARTS, hint="The images that do not fill a part are left out: the last part may be smaller.")
def without_the_rest(model, x, y, part_size):
    num = len(x) // part_size * part_size or len(x)
    return _weighted(model, x[:num], y[:num], part_size, lambda each: each / len(x))


@mistake(
    PARTS,
    hint="`backward` comes once, for the last part alone: call it for every part.",
)
def backward_once(model, x, y, part_size):
    total = 0.0
    for images, labels in _parts(x, y, part_size):
        loss = F.cross_entropy(model(images), labels, reduction="sum") / len(x)
        total += loss.item()
    loss.backward()
    return total


@mistake(PARTS, hint="The loss is returned as a tensor that holds the graph: return a number, by `.item()`.")
def loss_as_tensor(model, x, y, part_size):
    total = x.new_zeros(())
    for images, labels in _parts(x, y, part_size):
        loss = F.cross_entropy(model(images), labels, reduction="sum") / len(x)
        loss.backward()
        total = total + loss
    return total


def _gradients(parameters):
    """The gradients that are there."""
    return [param.grad for param in parameters if param.grad is not None]


def _norm(gradients):
    """Of all in one long vector."""
    return torch.cat([gradient.flatten() for gradient in gradients]).norm()


def _clip(parameters, factor, norm=_norm):
    """`clip_grad_norm` with another factor, or another norm."""
    gradients = _gradients(parameters)
    found = norm(gradients)
    for gradient in gradients:
        gradient.mul_(factor(found))
    return found


@mistake(
    CLIP, hint="Each gradient is cut on its own, so the direction changes: one norm, one factor for all."
)
def each_on_its_own(parameters, max_norm):
    gradients = _gradients(parameters)
    norm = _norm(gradients)
    for gradient in gradients:
        gradient.mul_((max_norm / gradient.norm()).clamp(max=1))
    return norm


@mistake(CLIP, hint="Short gradients are stretched: the factor is never more than 1.")
def always_scaled(parameters, max_norm):
    return _clip(parameters, lambda norm: max_norm / norm)


@mistake(CLIP, hint="Norms of single gradients are added up: square, add, and take the root.")
def norms_added(parameters, max_norm):
    return _clip(
        parameters,
        lambda norm: (max_norm / norm).clamp(max=1),
        lambda gradients: sum(gradient.norm() for gradient in gradients),
    )


@mistake(CLIP, hint="This norm is squared: take the root of the sum of squares.")
def norm_squared(parameters, max_norm):
    return _clip(
        parameters, lambda norm: (max_norm / norm).clamp(max=1), lambda gradients: _norm(gradients).square()
    )


@mistake(CLIP, hint="The largest of the single norms decides: the limit is for all gradients together.")
def largest_norm(parameters, max_norm):
    return _clip(
        parameters,
        lambda norm: (max_norm / norm).clamp(max=1),
        lambda gradients: torch.stack([gradient.norm() for gradient in gradients]).max(),
    )


@mistake(CLIP, hint="Single numbers are cut at the limit: scale whole gradients, which keeps the direction.")
def values_clamped(parameters, max_norm):
    gradients = _gradients(parameters)
    norm = _norm(gradients)
    for gradient in gradients:
        gradient.clamp_(-max_norm, max_norm)
    return norm


@mistake(
    CLIP,
    hint="The norm is right, but no gradient changes: the iterator is used up after the first loop.",
)
def iterator_used_up(parameters, max_norm):
    parameters = iter(parameters)
    norm = _norm(_gradients(parameters))
    for gradient in _gradients(parameters):
        gradient.mul_((max_norm / norm).clamp(max=1))
    return norm


@mistake(CLIP, hint="The gradients are right; the norm to return is the one before clipping.")
def norm_afterwards(parameters, max_norm):
    parameters = [*parameters]
    _clip(parameters, lambda norm: (max_norm / norm).clamp(max=1))
    return _norm(_gradients(parameters))


@mistake(
    CLIP, hint="The norm is a Python number: return the tensor, so that nobody waits for an accelerator."
)
def norm_as_number(parameters, max_norm):
    return _clip(parameters, lambda norm: (max_norm / norm).clamp(max=1)).item()


@mistake(
    CLIP,
    hint="Each gradient is cut on its own, and the last one's norm is returned: one norm is that of all.",
)
def norm_of_the_last(parameters, max_norm):
    for gradient in _gradients(parameters):
        norm = gradient.norm()
        gradient.mul_((max_norm / norm).clamp(max=1))
    return norm


@mistake(
    CLIP,
    hint="Some parameters have no gradient, `param.grad` is None: leave them out.",
    raises=AttributeError,
)
def without_gradient(parameters, max_norm):
    parameters = [*parameters]
    norm = torch.stack([param.grad.norm() for param in parameters]).norm()
    for param in parameters:
        param.grad *= (max_norm / norm).clamp(max=1)
    return norm


@mistake(CLIP, hint="The parameters themselves are scaled: it is their gradients that are too long.")
def parameters_scaled(parameters, max_norm):
    parameters = [param for param in parameters if param.grad is not None]
    norm = torch.cat([param.detach().flatten() for param in parameters]).norm()
    with torch.no_grad():
        for param in parameters:
            param *= (max_norm / norm).clamp(max=1)
    return norm


@mistake(CLIP, hint="Gradients are divided by the norm, then left at length 1: multiply by max_norm.")
def to_length_one(parameters, max_norm):
    return _clip(parameters, lambda norm: 1 / norm if norm > max_norm else 1.0)


@mistake(CLIP, hint="New tensors take the gradients' place: scale the old ones in place, by `*=` or `mul_`.")
def new_tensors(parameters, max_norm):
    with_gradient = [param for param in parameters if param.grad is not None]
    norm = _norm([param.grad for param in with_gradient])
    for param in with_gradient:
        param.grad = param.grad * (max_norm / norm).clamp(max=1)
    return norm
