"""What a saved model is worth: its outputs on unseen data, compared with a truth that it never had.

Metrics run where verdicts are made, never in a student's process. Libraries compute those that they have,
and are imported when such a metric is first asked for.
"""

import functools
import importlib
import itertools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy, conv2d, cross_entropy

from exercise_code.support.data.captions import Thing, is_true
from exercise_code.support.data.shapes import shapes

Values = Mapping[str, Any]
EPOCHS = 8


class FormError(ValueError):
    """Outputs have another form than the metric needs; the message says which."""


@dataclass(frozen=True)
class Metric:
    """A number from a model's outputs and the truth.

    Attributes:
        measure: (outputs, truth) -> number; raises FormError where outputs have another form.
        sentence: what the number says, with `{value}` and `{num}`, the number of held-out data.
        percent: whether it is a share of 1.
        lower: whether less is better.
    """

    measure: Callable[[Values, Values], float]
    sentence: str
    percent: bool = False
    lower: bool = False

    def shown(self, value: float, digits: str = ".1f") -> str:
        """The number as people read it."""
        return f"{100 * value:{digits}} %" if self.percent else f"{value:.4g}"


def accuracy(outputs: Values, truth: Values) -> float:
    """Share of labels that are right."""
    return _labels(outputs, truth).eq(truth["labels"]).double().mean().item()


def mean_iou(outputs: Values, truth: Values) -> float:
    """Intersection over union over all pixels, averaged over the classes that occur in the truth.

    A class that the truth has not, and the outputs have, lowers the others, whose pixels it takes.
    """
    multiclass_jaccard_index = _torchmetrics("functional.classification").multiclass_jaccard_index
    labels, due = _labels(outputs, truth), truth["labels"]
    num_classes = 1 + int(max(labels.max(), due.max()))
    per_class = multiclass_jaccard_index(labels, due, num_classes, average="none")
    return float(per_class[due.unique()].double().mean())


def mean_average_precision(outputs: Values, truth: Values) -> float:
    """Mean over classes of the average precision of boxes at an IoU of 0.5, as COCO computes it.

    Outputs: `boxes` (num, 4) as left, top, right, bottom in pixels, and for each `scores`, `labels`, and
    in `images` the index of its image.
    """
    boxes, scores = _tensor(outputs, "boxes", 2).float(), _tensor(outputs, "scores", 1).float()
    labels, images = _tensor(outputs, "labels", 1), _tensor(outputs, "images", 1)
    if boxes.shape[1:] != (4,) or not len(boxes) == len(scores) == len(labels) == len(images):
        raise FormError(
            "boxes must be (num, 4), and scores, labels and images have an entry for each of them"
        )
    metric = _torchmetrics("detection").MeanAveragePrecision(iou_thresholds=[0.5])
    for index in range(int(truth["images"].max()) + 1):
        own, due = images == index, truth["images"] == index
        metric.update(
            [{"boxes": boxes[own], "scores": scores[own], "labels": labels[own]}],
            [{"boxes": truth["boxes"][due], "labels": truth["labels"][due]}],
        )
    return max(float(metric.compute()["map_50"]), 0.0)


def bleu(outputs: Values, truth: Values) -> float:
    """BLEU-4 of captions against several references each (Papineni et al., 2002)."""
    references = [text.split("\n") for text in _texts(truth, "captions")]
    said = _captions(outputs, len(references))
    return float(_torchmetrics("functional.text").bleu_score(said, references))


def true_captions(outputs: Values, truth: Values) -> float:
    """Share of captions of which every word is true of the scene."""
    scenes = [[Thing(**thing) for thing in json.loads(text)] for text in _texts(truth, "scenes")]
    said = _captions(outputs, len(scenes))
    return sum(map(is_true, said, scenes)) / len(scenes)


def elbo(outputs: Values, truth: Values) -> float:
    """Evidence lower bound in nats an image: Bernoulli log-likelihood minus KL divergence of the code.

    -sum BCE(x, reconstruction) - KL(N(mean, exp(logvar)) || N(0, 1))  (Kingma and Welling, 2014, eq. 10).
    A process that has the images can claim any reconstruction: measure the samples of a model beside it.
    """
    images = truth["images"].float() / 255
    reconstruction = _tensor(outputs, "reconstruction", images.dim()).float()
    mean, logvar = (_tensor(outputs, name, 2).double() for name in ("mean", "logvar"))
    if reconstruction.shape != images.shape or mean.shape != logvar.shape or len(mean) != len(images):
        raise FormError(f"reconstruction must be {tuple(images.shape)}, mean and logvar a row for each image")
    if not 0 <= reconstruction.min() <= reconstruction.max() <= 1:
        raise FormError("reconstruction must lie between 0 and 1")
    error = binary_cross_entropy(reconstruction, images, reduction="none").double().flatten(1).sum(dim=1)
    divergence = 0.5 * (mean.square() + logvar.exp() - 1 - logvar).sum(dim=1)
    return -(error + divergence).mean().item()


def frechet_distance(outputs: Values, truth: Values) -> float:
    """Fréchet distance between the features of generated and of true images, as normal distributions.

    |m - n|^2 + tr(C + D - 2 (C D)^(1/2))  (Heusel et al., 2017), on `features` in place of Inception's.
    """
    from scipy.linalg import sqrtm

    (m, c), (n, d) = (_moments(features(_images(values))) for values in (outputs, truth))
    return float((m - n).square().sum() + (c + d).trace()) - 2 * float(sqrtm((c @ d).numpy()).real.trace())


def classifier_score(outputs: Values, truth: Values) -> float:
    """exp(E KL(p(y|x) || p(y))) of generated images, from 1 to the number of classes (Salimans et al., 2016).

    The classifier is a small network that is trained on `shapes` when it is first asked for.
    """
    with torch.no_grad():
        p = _classifier()(_images(outputs)).double().softmax(dim=1)
    return float((p * (p / p.mean(dim=0)).log()).sum(dim=1).mean().exp())


def keypoint_error(outputs: Values, truth: Values) -> float:
    """Mean Euclidean distance of points (num, points, 2) to the true ones, in pixels."""
    due = truth["points"]
    points = _tensor(outputs, "points", due.dim())
    if points.shape != due.shape:
        raise FormError(f"points has shape {tuple(points.shape)}; expected {tuple(due.shape)}")
    return float((points - due).double().norm(dim=-1).mean())


def episode_return(outputs: Values, truth: Values) -> float:
    """Sum of rewards of the episode that a table of actions leads through, played where verdicts are made.

    The truth has `next_state` and `reward` (states, actions), the `start`, and the number of `steps`.
    """
    actions = _tensor(outputs, "actions", 1)
    num_states, num_actions = truth["reward"].shape
    if len(actions) != num_states or not 0 <= actions.min() <= actions.max() < num_actions:
        raise FormError(f"actions must be one of {num_actions} actions for each of the {num_states} states")
    state, total = int(truth["start"]), 0.0
    for _ in range(int(truth["steps"])):
        total += truth["reward"][state, actions[state]].item()
        state = int(truth["next_state"][state, actions[state]])
    return total


METRICS = {
    "accuracy": Metric(accuracy, "{value} of {num} new images are right", percent=True),
    "pixel_accuracy": Metric(accuracy, "{value} of the pixels of {num} new images are right", percent=True),
    "mean_iou": Metric(mean_iou, "the mean IoU on {num} new images is {value}", percent=True),
    "mean_average_precision": Metric(
        mean_average_precision, "the mean average precision on {num} new images is {value}", percent=True
    ),
    "bleu": Metric(bleu, "BLEU-4 of the captions of {num} new images is {value}", percent=True),
    "true_captions": Metric(
        true_captions, "{value} of the captions of {num} new images are true", percent=True
    ),
    "elbo": Metric(elbo, "the evidence lower bound on {num} new images is {value} nats an image"),
    "frechet_distance": Metric(
        frechet_distance, "the Fréchet distance to {num} new images is {value}", lower=True
    ),
    "classifier_score": Metric(classifier_score, "the classifier score is {value}"),
    "keypoint_error": Metric(
        keypoint_error, "the points of {num} new images are {value} pixels off on average", lower=True
    ),
    "episode_return": Metric(episode_return, "the episode returns {value}"),
}


def features(images: Float[Tensor, "num 3 height width"]) -> Float[Tensor, "num 128"]:
    """Mean and maximum over each image in [0, 1] of fixed random filters, the same on all machines."""
    filters = torch.randn(64, 3, 7, 7, generator=torch.Generator().manual_seed(0))
    maps = conv2d(images - images.mean(dim=(2, 3), keepdim=True), filters / 147**0.5, stride=2).relu()
    return torch.cat([maps.mean(dim=(2, 3)), maps.amax(dim=(2, 3))], dim=1).double()


@functools.cache
def _classifier() -> nn.Module:
    """A small convolutional network that has learnt the classes of `shapes`; trained once in a process."""
    images, labels, *_ = shapes(6_000, 0)
    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        torch.manual_seed(0)
        widths = (3, 32, 64, 96)
        blocks = [
            [nn.Conv2d(narrow, wide, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(wide), nn.ReLU()]
            for narrow, wide in itertools.pairwise(widths)
        ]
        network = nn.Sequential(
            *itertools.chain(*blocks), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(96, 10)
        )
        optimiser = torch.optim.AdamW(network.parameters(), lr=3e-3, weight_decay=1e-2)
        steps = EPOCHS * len(images) // 100
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 1e-2, total_steps=steps)
        for _ in range(EPOCHS):
            for batch in torch.randperm(len(images)).split(100):
                loss = cross_entropy(network(images[batch]), labels[batch])
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
                schedule.step()
    return network.eval()


def _torchmetrics(module: str) -> ModuleType:
    importlib.import_module("exercise_code.support.vision")  # torchmetrics imports torchvision
    return importlib.import_module(f"torchmetrics.{module}")


def _moments(rows: Float[Tensor, "num features"]) -> tuple[Float[Tensor, " features"], Tensor]:
    return rows.mean(dim=0), rows.T.cov()


def _labels(outputs: Values, truth: Values) -> Tensor:
    due = truth["labels"]
    labels = _tensor(outputs, "labels", due.dim())
    if labels.shape != due.shape or labels.dtype != due.dtype:
        found, wanted = (f"{tuple(each.shape)}, {each.dtype}" for each in (labels, due))
        raise FormError(f"labels has shape {found}; expected {wanted}")
    return labels


def _images(values: Values) -> Float[Tensor, "num 3 height width"]:
    images = _tensor(values, "images", 4)
    images = images / 255 if images.dtype == torch.uint8 else images.float()
    if images.shape[1] != 3 or len(images) < 2 or not 0 <= images.min() <= images.max() <= 1:
        raise FormError("images must be (num, 3, height, width) with values between 0 and 1")
    return images


def _captions(outputs: Values, num: int) -> list[str]:
    said = _texts(outputs, "captions")
    if len(said) != num:
        raise FormError(f"captions must be a list of {num} texts, one for each image")
    return said


def _texts(values: Values, name: str) -> list[str]:
    """A list of texts; evidence holds it as one entry for each."""
    size = values.get(name)
    texts: list[Any] = [
        values.get(f"{name}[{index}]") for index in range(size["size"] if isinstance(size, dict) else 0)
    ]
    if not all(isinstance(text, str) for text in texts):
        raise FormError(f"{name} must be a list of texts")
    return texts


def _tensor(values: Values, name: str, dim: int) -> Tensor:
    found = values.get(name)
    if not isinstance(found, Tensor) or found.dim() != dim:
        raise FormError(f"{name} must be a tensor with {dim} axes")
    if not found.isfinite().all():
        raise FormError(f"{name} is not finite")
    return found
