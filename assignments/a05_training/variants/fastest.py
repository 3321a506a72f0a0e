"""Right versions of `training.fastest`, written otherwise."""

import torch
from torch import nn
from torch.nn import functional as F
from torch.optim.lr_scheduler import LambdaLR

from exercise_code.support.checking.declare import variant
from exercise_code.training.fastest import smooth_labels

FASTEST = "training.fastest."


@variant(FASTEST + "patch_whitening")
def by_unfolding_axes(images, kernel_size, eps=1e-2):
    c = images.shape[1]
    windows = images.unfold(2, kernel_size, 1).unfold(3, kernel_size, 1)
    patches = windows.permute(0, 2, 3, 1, 4, 5).reshape(-1, c * kernel_size**2)
    covariance = torch.cov(patches.T, correction=0).reshape(len(patches.T), -1)
    values, vectors = torch.linalg.eigh(covariance)
    order = values.argsort(descending=True)
    return (vectors[:, order] / torch.sqrt(values[order] + eps)).T.view(-1, c, kernel_size, kernel_size)


@variant(FASTEST + "patch_whitening")
def by_singular_values(images, kernel_size, eps=1e-2):
    patches = F.unfold(images, kernel_size).transpose(1, 2).reshape(-1, images.shape[1] * kernel_size**2)
    patches = patches - patches.mean(0, keepdim=True)
    _, values, rows = torch.linalg.svd(patches.T @ patches / patches.shape[0])
    return rows.div((values + eps).sqrt()[:, None]).view(-1, images.shape[1], kernel_size, kernel_size)


@variant(FASTEST + "smooth_labels")
def by_filling(y, num_classes, smoothing):
    share = smoothing / num_classes
    targets = torch.full((len(y), num_classes), share, device=y.device)
    targets[torch.arange(len(y), device=y.device), y] = 1 - smoothing + share
    return targets


@variant(FASTEST + "smooth_labels")
def by_lerp(y, num_classes, smoothing):
    hot = torch.eye(num_classes, device=y.device)[y]
    return hot.lerp(torch.ones_like(hot) / num_classes, smoothing)


@variant(FASTEST + "flipped_scores")
@torch.no_grad()
def in_one_batch(model, x):
    training = model.training
    model.train(False)
    both = model(torch.cat([x, torch.flip(x, dims=[3])]))
    if training:
        model.train()
    return both.view(2, len(x), -1).mean(dim=0)


@variant(FASTEST + "flipped_scores")
def with_try(model, x):
    was_training = model.training
    try:
        model.eval()
        plain, mirrored = model(x).detach(), model(x.flip(3)).detach()
    finally:
        model.train(was_training)
    return 0.5 * plain + 0.5 * mirrored


@variant(FASTEST + "train_one_cycle")
def by_scheduler(model, x, y, num_steps, batch_size, max_lr, smoothing, generator):
    rise = num_steps // 4
    optimizer = torch.optim.SGD(
        filter(lambda param: param.requires_grad, model.parameters()),
        max_lr,
        momentum=0.9,
        nesterov=True,
        weight_decay=5e-4,
    )
    scheduler = LambdaLR(
        optimizer, lambda t: (t + 1) / rise if t < rise else (num_steps - t) / (num_steps - rise)
    )
    found, waiting = [], []
    for _ in range(num_steps):
        if not waiting:
            order = torch.randperm(len(x), generator=generator).to(x.device)
            waiting = [part for part in order.split(batch_size) if len(part) == batch_size]
        part = waiting.pop(0)
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x[part]), y[part], label_smoothing=smoothing)
        loss.backward()
        optimizer.step()
        scheduler.step()
        found.append(loss.detach())
    return [loss.item() for loss in found]


@variant(FASTEST + "train_one_cycle")
def by_own_loss(model, x, y, num_steps, batch_size, max_lr, smoothing, generator):
    optimizer = torch.optim.SGD(model.parameters(), max_lr, momentum=0.9, nesterov=True, weight_decay=5e-4)
    peak, found, start = num_steps // 4, [], len(x)
    for t in range(num_steps):
        if start + batch_size > len(x):
            order, start = torch.randperm(len(x), generator=generator).to(x.device), 0
        part = order[start : start + batch_size]
        start += batch_size
        up, down = (t + 1) / peak, (num_steps - t) / (num_steps - peak)
        for group in optimizer.param_groups:
            group["lr"] = max_lr * (up if up < down else down)
        log_p = model(x[part]).log_softmax(dim=1)
        loss = -(smooth_labels(y[part], log_p.shape[1], smoothing) * log_p).sum(dim=1).mean()
        model.zero_grad()
        loss.backward()
        optimizer.step()
        found.append(float(loss))
    return found


@variant(FASTEST + "fast_net")
def a_linear_model(num_classes=10):
    return nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, num_classes))


@variant(FASTEST + "fast_net")
def with_lazy_width(num_classes=10):
    return nn.Sequential(
        nn.Conv2d(3, 16, 5, stride=4),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(2),
        nn.Flatten(1),
        nn.Linear(64, num_classes),
    )
