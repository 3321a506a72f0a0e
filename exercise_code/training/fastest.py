"""The fastest training to a given accuracy."""

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor, nn
from torch.nn import functional as F

Images = Float[Tensor, "n c h w"]


def patch_whitening(images: Images, kernel_size: int, eps: float = 1e-2) -> Float[Tensor, "filters c k k"]:
    """Filters for a first layer whose outputs are uncorrelated and equally strong over the images.

    Take every patch of kernel_size x kernel_size pixels, at stride 1 and without padding, as a vector of
    d = c * kernel_size**2 numbers, and their covariance, divided by the number of patches. Filter i is the
    eigenvector of its i-th largest eigenvalue, divided by the root of that eigenvalue plus eps (a principal
    component, "PCA whitening"; as a first layer in Page, 2018, and Jordan, 2024).

    Args:
        images: to take patches from.
        kernel_size: height and width of the filters.
        eps: added to the eigenvalues, so that weak directions are not blown up.

    Returns:
        d filters, the strongest component first; their signs are left to chance.
    """
    ### BEGIN SOLUTION
    c = images.shape[1]
    patches = F.unfold(images, kernel_size).movedim(1, 2).flatten(0, 1)
    patches = patches - patches.mean(dim=0)
    values, vectors = torch.linalg.eigh(patches.T @ patches / len(patches))
    filters = (vectors / (values + eps).sqrt()).T.flip(0)
    return filters.reshape(-1, c, kernel_size, kernel_size)
    ### END SOLUTION


def smooth_labels(y: Int[Tensor, " n"], num_classes: int, smoothing: float) -> Float[Tensor, "n num_classes"]:
    """Probabilities to aim at: 1 - smoothing for the label, and smoothing shared equally by all classes.

    The label's class gets its share as well (Szegedy et al., 2016, Section 7).
    """
    ### BEGIN SOLUTION
    return (1 - smoothing) * F.one_hot(y, num_classes) + smoothing / num_classes
    ### END SOLUTION


def flipped_scores(model: nn.Module, x: Images) -> Float[Tensor, "n num_classes"]:
    """Scores of images in eval mode: the mean of those of each image and of its mirror image.

    Left and right change places. No graph is kept, and the model is left in the mode in which it was.
    """
    ### BEGIN SOLUTION
    was_training = model.training
    model.eval()
    with torch.no_grad():
        scores = (model(x) + model(x.flip(-1))) / 2
    model.train(was_training)
    return scores
    ### END SOLUTION


def train_one_cycle(
    model: nn.Module,
    x: Images,
    y: Int[Tensor, " n"],
    num_steps: int,
    batch_size: int,
    max_lr: float,
    smoothing: float,
    generator: Generator,
) -> list[float]:
    """Train for a number of steps, with smooth labels and a learning rate that rises once and falls to 0.

    The optimiser is SGD with Nesterov's momentum 0.9 and weight decay 5e-4. Step t, counted from 0, has the
    rate max_lr * min((t + 1) / w, (num_steps - t) / (num_steps - w)), where w = num_steps // 4: straight up
    in the first quarter, then straight down (one cycle, after Smith and Topin, 2018). The loss is the mean
    cross-entropy with `smooth_labels`. An epoch takes the images in the order of
    `torch.randperm(n, generator=generator)`, in batches of batch_size, without what is left over at its end;
    then the next one begins.

    Args:
        model: gives scores; in training mode, changed. Frozen parameters stay.
        x: images, at least batch_size of them.
        y: labels.
        num_steps: at least 4.
        batch_size: images in a step.
        max_lr: highest learning rate.
        smoothing: of the labels.
        generator: draws the order of the images, on the CPU.

    Returns:
        The loss of each step.
    """
    ### BEGIN SOLUTION
    trained = [param for param in model.parameters() if param.requires_grad]
    optimizer = torch.optim.SGD(trained, lr=max_lr, momentum=0.9, nesterov=True, weight_decay=5e-4)
    rise = num_steps // 4
    losses: list[float] = []
    while len(losses) < num_steps:
        order = torch.randperm(len(x), generator=generator).to(x.device)
        for places in order[: len(x) // batch_size * batch_size].split(batch_size):
            t = len(losses)
            if t == num_steps:
                break
            scores = model(x[places])
            targets = smooth_labels(y[places], scores.shape[1], smoothing).to(scores)
            loss = F.cross_entropy(scores, targets)
            optimizer.param_groups[0]["lr"] = max_lr * min(
                (t + 1) / rise, (num_steps - t) / (num_steps - rise)
            )
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses += [loss.item()]
    return losses
    ### END SOLUTION


def fast_net(num_classes: int = 10) -> nn.Module:
    """Your network for the fastest training, untrained: any architecture of at most 2 million parameters.

    It takes images (n, 3, 32, 32) in [0, 1], any number of them, and gives scores (n, num_classes); all of
    its parameters that are not frozen get gradients. What you hand in beside it, in `models/fastest.pt`, is
    {"net": its state dict, "steps": how many steps it was trained}.
    """
    ### BEGIN SOLUTION
    layers: list[nn.Module] = [nn.Conv2d(3, 48, 4, stride=2, padding=1, bias=False).requires_grad_(False)]
    channels = 48
    for width in (32, 64, 128):
        for _ in range(2):
            layers += [nn.Conv2d(channels, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
            channels = width
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(4 * channels, num_classes))
    ### END SOLUTION
