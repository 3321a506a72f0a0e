"""How people get `training.fastest` wrong, and the hint each mistake deserves."""

import torch
from torch import nn
from torch.nn import functional as F

from exercise_code.support.checking.declare import mistake
from exercise_code.training.fastest import smooth_labels

WHITEN = "training.fastest.patch_whitening"
SMOOTH = "training.fastest.smooth_labels"
FLIP = "training.fastest.flipped_scores"
CYCLE = "training.fastest.train_one_cycle"
NET = "training.fastest.fast_net"


def _whiten(
    images, kernel_size, eps, *, stride=1, centred=True, mean=True, power=-0.5, inside=True, turn=True, by=1
):
    """`patch_whitening` with something else in one place."""
    patches = F.unfold(images, kernel_size, stride=stride).movedim(1, 2).flatten(0, 1)
    patches = patches - patches.mean(dim=0) if centred else patches
    covariance = patches.T @ patches / (len(patches) if mean else 1)
    values, vectors = torch.linalg.eigh(covariance)
    scale = (values + eps) ** power if inside else values.clamp(min=1e-12) ** power + eps
    filters = vectors * scale if by == 1 else (vectors.T * scale).T
    filters = filters.T if turn else filters
    return filters.flip(0).reshape(-1, images.shape[1], kernel_size, kernel_size)


@mistake(WHITEN, hint="The mean patch is not taken off, so the strongest filter measures brightness.")
def not_centred(images, kernel_size, eps=1e-2):
    return _whiten(images, kernel_size, eps, centred=False)


@mistake(WHITEN, hint="Only patches side by side are taken: their stride is 1.")
def patches_apart(images, kernel_size, eps=1e-2):
    return _whiten(images, kernel_size, eps, stride=max(kernel_size, 2))


@mistake(WHITEN, hint="These are sums of products: divide the covariance by the number of patches.")
def not_divided(images, kernel_size, eps=1e-2):
    return _whiten(images, kernel_size, eps, mean=False)


@mistake(WHITEN, hint="The filters all have length 1: divide each by the root of its eigenvalue plus eps.")
def not_scaled(images, kernel_size, eps=1e-2):
    return _whiten(images, kernel_size, eps, power=0.0) if eps is not None else None


@mistake(WHITEN, hint="The eigenvalues themselves divide: take their root, an eigenvalue is a variance.")
def without_root(images, kernel_size, eps=1e-2):
    return _whiten(images, kernel_size, eps, power=-1.0)


@mistake(
    WHITEN, hint="The filters are multiplied by the root: divide, so that strong directions are weakened."
)
def multiplied(images, kernel_size, eps=1e-2):
    return _whiten(images, kernel_size, eps, power=0.5)


@mistake(WHITEN, hint="Eigenvectors are the columns of what `eigh` gives: yours are its rows.")
def rows_for_columns(images, kernel_size, eps=1e-2):
    return _whiten(images, kernel_size, eps, turn=False)


@mistake(
    WHITEN, hint="Each column of what `eigh` gives is an eigenvector, with a root of its own: yours are rows."
)
def scaled_rows(images, kernel_size, eps=1e-2):
    return _whiten(images, kernel_size, eps, turn=False, by=0)


@mistake(WHITEN, hint="The weakest component comes first: `eigh` sorts upwards, so turn the order round.")
def weakest_first(images, kernel_size, eps=1e-2):
    return _whiten(images, kernel_size, eps).flip(0)


@mistake(WHITEN, hint="eps has no effect: add it to the eigenvalues before the root.")
def without_eps(images, kernel_size, eps=1e-2):
    return _whiten(images, kernel_size, 0.0)


@mistake(WHITEN, hint="Divide by the number of patches, not by one less.")
def one_less(images, kernel_size, eps=1e-2):
    patches = F.unfold(images, kernel_size).movedim(1, 2).flatten(0, 1)
    values, vectors = torch.linalg.eigh(torch.cov(patches.T).reshape(len(patches.T), -1))
    filters = (vectors / (values + eps).sqrt()).T.flip(0)
    return filters.reshape(-1, images.shape[1], kernel_size, kernel_size)


@mistake(
    WHITEN, hint="This is whitening back in pixels (ZCA): the filters are the scaled eigenvectors alone."
)
def back_in_pixels(images, kernel_size, eps=1e-2):
    filters = _whiten(images, kernel_size, eps).flatten(1)
    axes = F.normalize(filters, dim=1)
    return (axes.T @ filters).reshape(-1, images.shape[1], kernel_size, kernel_size)


@mistake(SMOOTH, hint="The label's class gets no share of the smoothing: all classes do.")
def others_alone(y, num_classes, smoothing):
    hot = F.one_hot(y, num_classes)
    return (1 - smoothing) * hot + smoothing / num_classes * (1 - hot)


@mistake(SMOOTH, hint="The smoothing is shared by the other classes: the label's class has its share too.")
def shared_by_the_others(y, num_classes, smoothing):
    hot = F.one_hot(y, num_classes)
    return (1 - smoothing) * hot + smoothing / (num_classes - 1) * (1 - hot)


@mistake(SMOOTH, hint="The label keeps all of its 1, so the rows add up to more: multiply by 1 - smoothing.")
def label_keeps_all(y, num_classes, smoothing):
    return F.one_hot(y, num_classes) + smoothing / num_classes


@mistake(SMOOTH, hint="Each class gets the whole smoothing: divide it by the number of classes.")
def not_shared(y, num_classes, smoothing):
    return (1 - smoothing) * F.one_hot(y, num_classes) + smoothing


@mistake(SMOOTH, hint="Each class gets half of the smoothing, as if there were two: divide by num_classes.")
def shared_by_two(y, num_classes, smoothing):
    return (1 - smoothing) * F.one_hot(y, num_classes) + smoothing / 2


@mistake(
    SMOOTH, hint="The smoothing and 1 minus it are exchanged: a smoothing of 0 gives the labels as they are."
)
def exchanged(y, num_classes, smoothing):
    return smoothing * F.one_hot(y, num_classes) + (1 - smoothing) / num_classes


@mistake(SMOOTH, hint="The labels are not smoothed at all: these are zeros and ones.")
def zeros_and_ones(y, num_classes, smoothing):
    return F.one_hot(y, num_classes).to(torch.get_default_dtype())


@mistake(SMOOTH, hint="The classes are those that occur in y: num_classes says how many there are.")
def occurring_classes(y, num_classes, smoothing):
    hot = F.one_hot(y)
    return (1 - smoothing) * hot + smoothing / hot.shape[1]


def _flip(model, x, *, axis=-1, evaluate=True, back=True, mean=True, graph=False, plain=True, mirror=True):
    """`flipped_scores` with something else in one place."""
    was_training = model.training
    if evaluate:
        model.eval()
    with torch.set_grad_enabled(graph):
        scores = [model(x)] if plain else []
        scores += [model(x.flip(axis))] if mirror else []
        summed = torch.stack(scores).sum(dim=0) / (len(scores) if mean else 1)
    if back:
        model.train(was_training)
    return summed


@mistake(FLIP, hint="The images are turned upside down: mirror them left to right, on the last axis.")
def upside_down(model, x):
    return _flip(model, x, axis=-2)


@mistake(FLIP, hint="The order of the images is turned round: flip each one, not the batch.")
def batch_flipped(model, x):
    return _flip(model, x, axis=0)


@mistake(FLIP, hint="The channels are turned round: red becomes blue. Flip the last axis.")
def channels_flipped(model, x):
    return _flip(model, x, axis=1)


@mistake(FLIP, hint="The model is in training mode: its batch norms use the batch, and remember it.")
def in_training_mode(model, x):
    return _flip(model, x, evaluate=False)


@mistake(FLIP, hint="The model stays in eval mode: bring it back into the mode in which it was.")
def left_in_eval_mode(model, x):
    return _flip(model, x, back=False)


@mistake(FLIP, hint="The model is always in training mode afterwards: remember in which mode it was.")
def always_training(model, x):
    scores = _flip(model, x)
    model.train()
    return scores


@mistake(FLIP, hint="The scores of both are added up: take their mean.")
def added_up(model, x):
    return _flip(model, x, mean=False)


@mistake(FLIP, hint="A graph is kept: nobody needs gradients of a test. Use `torch.no_grad()`.")
def graph_kept(model, x):
    return _flip(model, x, graph=True)


@mistake(FLIP, hint="These are the scores of the images as they are: their mirror images are missing.")
def not_mirrored(model, x):
    return _flip(model, x, mirror=False)


@mistake(FLIP, hint="These are the scores of the mirror images alone: take the mean with the images' own.")
def only_mirrored(model, x):
    return _flip(model, x, plain=False)


@mistake(FLIP, hint="The mean is that of the images, not of the scores: let the model see both, one by one.")
def mean_of_images(model, x):
    return _flip(model, (x + x.flip(-1)) / 2)


@mistake(FLIP, hint="The mean is that of probabilities: take it of the scores.")
def mean_of_probabilities(model, x):
    was_training = model.training
    model.eval()
    with torch.no_grad():
        scores = (model(x).softmax(1) + model(x.flip(-1)).softmax(1)) / 2
    model.train(was_training)
    return scores


def _cycle(
    model,
    x,
    y,
    num_steps,
    batch_size,
    max_lr,
    smoothing,
    generator,
    *,
    nesterov=True,
    decay=5e-4,
    momentum=0.9,
    smooth=True,
    shift=1,
    rise=4,
    end=0,
    constant=False,
    rest=False,
    full=0,
    order="new",
    once=False,
    zero=True,
    sum_up=False,
    softmax=False,
    after=False,
):
    """`train_one_cycle` with something else in one place."""
    params = [param for param in model.parameters() if param.requires_grad]
    optimizer = torch.optim.SGD(params, lr=max_lr, momentum=momentum, nesterov=nesterov, weight_decay=decay)
    top, losses = num_steps // rise, []
    places = torch.randperm(len(x), generator=generator)
    while len(losses) < num_steps and not (once and losses):
        for part in places[: None if rest else (len(x) - full) // batch_size * batch_size].split(batch_size):
            t = len(losses)
            if t == num_steps:
                break
            part = part.to(x.device)
            scores = model(x[part])
            scores = scores.softmax(dim=1) if softmax else scores
            targets = smooth_labels(y[part], scores.shape[1], smoothing).to(scores) if smooth else y[part]
            loss = F.cross_entropy(scores, targets, reduction="sum" if sum_up else "mean")
            rate = max_lr * min((t + shift) / top, (num_steps - t + end) / (num_steps - top))
            if not constant and not after:
                optimizer.param_groups[0]["lr"] = rate
            if zero:
                optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if after:
                optimizer.param_groups[0]["lr"] = rate
            losses.append(loss.item())
        if order == "new":
            places = torch.randperm(len(x), generator=generator)
    return losses


@mistake(CYCLE, hint="This is plain momentum: the optimiser takes nesterov=True.")
def without_nesterov(model, x, y, num_steps, batch_size, max_lr, smoothing, generator):
    return _cycle(model, x, y, num_steps, batch_size, max_lr, smoothing, generator, nesterov=False)


@mistake(CYCLE, hint="The weight decay is missing: it is 5e-4.")
def without_decay(model, x, y, num_steps, batch_size, max_lr, smoothing, generator):
    return _cycle(model, x, y, num_steps, batch_size, max_lr, smoothing, generator, decay=0.0)


@mistake(CYCLE, hint="The momentum is not 0.9.")
def other_momentum(model, x, y, num_steps, batch_size, max_lr, smoothing, generator):
    return _cycle(model, x, y, num_steps, batch_size, max_lr, smoothing, generator, momentum=0.5)


@mistake(CYCLE, hint="The labels are not smoothed: hand smooth_labels on to the cross-entropy.")
def labels_not_smoothed(model, x, y, num_steps, batch_size, max_lr, smoothing, generator):
    return _cycle(model, x, y, num_steps, batch_size, max_lr, smoothing, generator, smooth=False)


@mistake(CYCLE, hint="The first step has a rate of 0, so it is lost: t + 1 is in the numerator.")
def steps_from_one_late(model, x, y, num_steps, batch_size, max_lr, smoothing, generator):
    return _cycle(model, x, y, num_steps, batch_size, max_lr, smoothing, generator, shift=0)


@mistake(CYCLE, hint="The rate rises through the first half of the steps: it is the first quarter.")
def rise_in_half(model, x, y, num_steps, batch_size, max_lr, smoothing, generator):
    return _cycle(model, x, y, num_steps, batch_size, max_lr, smoothing, generator, rise=2)


@mistake(CYCLE, hint="The rate falls one step too late: the last step has max_lr / (num_steps - w).")
def never_quite_down(model, x, y, num_steps, batch_size, max_lr, smoothing, generator):
    return _cycle(model, x, y, num_steps, batch_size, max_lr, smoothing, generator, end=1)


@mistake(CYCLE, hint="The rate stays at max_lr: write the rate of each step into the optimiser's group.")
def constant_rate(model, x, y, num_steps, batch_size, max_lr, smoothing, generator):
    return _cycle(model, x, y, num_steps, batch_size, max_lr, smoothing, generator, constant=True)


@mistake(CYCLE, hint="A smaller batch is left at the end of an epoch: leave those images out.")
def rest_kept(model, x, y, num_steps, batch_size, max_lr, smoothing, generator):
    return _cycle(model, x, y, num_steps, batch_size, max_lr, smoothing, generator, rest=True)


@mistake(
    CYCLE, hint="The last batch of an epoch is lost where the images fill it: only what is left over goes."
)
def last_full_batch_lost(model, x, y, num_steps, batch_size, max_lr, smoothing, generator):
    return _cycle(model, x, y, num_steps, batch_size, max_lr, smoothing, generator, full=1)


@mistake(CYCLE, hint="All epochs have the same order: draw a new one whenever an epoch begins.")
def one_order_only(model, x, y, num_steps, batch_size, max_lr, smoothing, generator):
    return _cycle(model, x, y, num_steps, batch_size, max_lr, smoothing, generator, order="same")


@mistake(CYCLE, hint="Training ends with the first epoch: go on until num_steps are done.")
def one_epoch(model, x, y, num_steps, batch_size, max_lr, smoothing, generator):
    return _cycle(model, x, y, num_steps, batch_size, max_lr, smoothing, generator, once=True)


@mistake(CYCLE, hint="Gradients are never dropped, so they pile up from step to step.")
def gradients_pile_up(model, x, y, num_steps, batch_size, max_lr, smoothing, generator):
    return _cycle(model, x, y, num_steps, batch_size, max_lr, smoothing, generator, zero=False)


@mistake(CYCLE, hint="The losses of a batch are added up: the mean is asked for.")
def sum_of_losses(model, x, y, num_steps, batch_size, max_lr, smoothing, generator):
    return _cycle(model, x, y, num_steps, batch_size, max_lr, smoothing, generator, sum_up=True)


@mistake(CYCLE, hint="The scores go through a softmax, and cross-entropy takes one itself: leave it out.")
def softmax_first(model, x, y, num_steps, batch_size, max_lr, smoothing, generator):
    return _cycle(model, x, y, num_steps, batch_size, max_lr, smoothing, generator, softmax=True)


@mistake(
    CYCLE, hint="The rate is set after the optimiser's step, so each step has the rate of the one before."
)
def rate_afterwards(model, x, y, num_steps, batch_size, max_lr, smoothing, generator):
    return _cycle(model, x, y, num_steps, batch_size, max_lr, smoothing, generator, after=True)


@mistake(NET, hint="The number of classes is fixed at 10: the last layer takes num_classes.")
def ten_classes(num_classes=10):
    return nn.Sequential(nn.Flatten(), nn.Linear(3072, 10))


@mistake(
    NET, hint="The network has more than 2 million parameters: fewer channels, or smaller maps at the end."
)
def too_large(num_classes=10):
    return nn.Sequential(nn.Flatten(), nn.Linear(3072, 800), nn.ReLU(), nn.Linear(800, num_classes))


@mistake(NET, hint="Nothing in the network is trained: freeze the first layer at most.")
def nothing_trained(num_classes=10):
    net = nn.Sequential(nn.Flatten(), nn.Linear(3072, num_classes))
    net[0].register_forward_hook(lambda module, args, out: out.requires_grad_())
    return net.requires_grad_(False)


@mistake(NET, hint="Some layers are never used: their parameters get no gradient. Take them out.")
def layer_never_used(num_classes=10):
    net = nn.Sequential(nn.Flatten(), nn.Linear(3072, num_classes))
    net[1].extra = nn.Linear(3, 3)
    return net


@mistake(
    NET,
    hint="One image alone fails in eval mode: flatten from axis 1 on, and squeeze no axis.",
    raises=IndexError,
)
def batch_axis_lost(num_classes=10):
    class Squeeze(nn.Module):
        def forward(self, x):
            return x.squeeze().unflatten(1, (-1, 1)).squeeze(2)

    return nn.Sequential(nn.AdaptiveAvgPool2d(1), Squeeze(), nn.Linear(3, num_classes))
