"""Pictures with captions, an encoder for them, and how captioners are trained and judged."""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache

import torch
from jaxtyping import Float, Int
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional

from exercise_code.rnn.captioning import CaptioningRNN
from exercise_code.support.data.captions import (
    COLOURS,
    RELATIONS,
    SIZES,
    TEXTURE_WORDS,
    VOCABULARY,
    Thing,
    captions,
    is_true,
    parse,
    things,
)
from exercise_code.support.data.registry import home
from exercise_code.support.data.shapes import CLASSES, Scenes
from exercise_code.support.data.vocabulary import Vocabulary

KINDS = ("circle", "triangle", "star", "cross", "ring")
LENGTH = 12
"""Words of the longest caption, <START> and <END> among them."""
CELL = 4
"""Pixels along a side of a cell in which the encoder says what is there."""

vocabulary = Vocabulary(
    word for word in VOCABULARY if word not in TEXTURE_WORDS.values() and word not in {*CLASSES} - {*KINDS}
)


@dataclass(frozen=True)
class Pictures:
    """Images of two things each, up to five true sentences about both, and what is really there.

    `cells` holds for each cell of the image, and each of shape, colour and size, 0 for the ground, or 1 + the
    number of the shape, colour or size that is there.
    """

    images: Float[Tensor, "num 3 32 32"]
    said: list[list[str]]
    seen: list[list[Thing]]
    cells: Int[Tensor, "num 3 8 8"]

    def rows(self) -> tuple[Int[Tensor, " rows"], Int[Tensor, "rows length"]]:
        """All captions as numbers, and the picture of each."""
        which = [number for number, sentences in enumerate(self.said) for _ in sentences]
        sentences = [sentence for sentences in self.said for sentence in sentences]
        return torch.tensor(which), vocabulary.encode(sentences, LENGTH)


def pictures(split: str, num: int) -> Pictures:
    """The first pictures of a split with two things of KINDS, one clearly beside or above the other.

    Their captions name a relation and no texture, which 32 x 32 pixels hardly show.
    """
    scenes = Scenes.draw(split, torch.arange(8 * num), num_objects=2)
    known = torch.tensor([CLASSES.index(kind) for kind in KINDS])
    scenes = scenes[torch.isin(scenes.shape, known).all(dim=1)]
    said = [[s for s in sentences if _tells_where(s)][:5] for sentences in captions(scenes, num=1_000)]
    chosen = torch.tensor([number for number, sentences in enumerate(said) if sentences][:num])
    scenes, said = scenes[chosen], [said[number] for number in chosen.tolist()]
    return Pictures(scenes.render(), said, things(scenes), _cells(scenes))


def _tells_where(sentence: str) -> bool:
    words = {*sentence.split()}
    return any(f" {relation} " in sentence for relation in RELATIONS) and not words & {
        *TEXTURE_WORDS.values()
    }


def _cells(scenes: Scenes) -> Int[Tensor, "num 3 height width"]:
    covered = functional.avg_pool2d(scenes.masks().float(), CELL)
    in_front = torch.where(covered.amax(dim=1) > 0.3, 1 + covered.argmax(dim=1), 0).flatten(1)
    words = [
        [
            [
                CLASSES.index(thing.shape),
                next(place for place, word in enumerate(COLOURS) if thing.has_colour(word, 1e-6)),
                next(place for place, word in enumerate(SIZES) if thing.has_size(word, 1e-6)),
            ]
            for thing in scene
        ]
        for scene in things(scenes)
    ]
    numbers = functional.pad(1 + torch.tensor(words).movedim(2, 1), (1, 0))
    cells = numbers.gather(2, in_front.unsqueeze(1).expand(-1, 3, -1))
    return cells.unflatten(2, covered.shape[2:])


class Encoder(nn.Module):
    """A small convolutional network; its maps are the features of pictures (N, 64, 4, 4)."""

    def __init__(self) -> None:
        """Random weights; the heads say of each cell which shape, colour and size is there."""
        super().__init__()
        layers, channels = [], 3
        for width, stride in ((24, 1), (32, 2), (48, 1), (64, 2), (64, 1), (64, 1)):
            layers += [nn.Conv2d(channels, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
            channels = width
        self.body = nn.Sequential(*layers)
        self.sizes = [1 + len(words) for words in (CLASSES, COLOURS, SIZES)]
        self.heads = nn.Conv2d(channels, sum(self.sizes), 1)

    def loss(self, images: Tensor, cells: Tensor) -> Float[Tensor, ""]:
        """How surprising what is in the cells is, summed over shape, colour and size."""
        scores = self.heads(self.body(4 * (images - 0.5))).split(self.sizes, dim=1)
        due = cells.unbind(dim=1)
        return torch.stack([functional.cross_entropy(*pair) for pair in zip(scores, due, strict=True)]).sum()

    @torch.no_grad()
    def forward(self, images: Float[Tensor, "N 3 32 32"]) -> Float[Tensor, "N 64 4 4"]:
        """The features, for which no gradient is kept."""
        self.eval()
        maps = [functional.avg_pool2d(self.body(4 * (part - 0.5)), 2) for part in images.split(256)]
        return torch.cat(maps)


def train_encoder(train: Pictures, epochs: int, seed: int = 0) -> Encoder:
    """Teach an encoder what is in each cell; it never sees a word."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        encoder = Encoder()
        _descend(
            lambda rows: encoder.loss(train.images[rows], train.cells[rows]),
            encoder,
            len(train.images),
            64,
            epochs,
            1e-2,
        )
    return encoder


@cache
def prepared(quick: bool = False) -> tuple[Pictures, Pictures, Tensor, Tensor]:
    """Pictures to train on and unseen ones, and the features of both.

    Features are worked out once, in two minutes, and kept in a file beside the data sets.

    Args:
        quick: a tenth of the pictures, an encoder that has learned little, and no file.
    """
    num, epochs = (400, 3) if quick else (4_000, 8)
    train, unseen = pictures("train", num), pictures("val", num // 8)
    path = None if quick else home() / "cache" / f"a06-features-{num}-{epochs}.safetensors"
    if path is not None and path.is_file():
        kept = load_file(path)
    else:
        encoder = train_encoder(train, epochs)
        kept = {"train": encoder(train.images), "unseen": encoder(unseen.images)}
        if path is not None:
            save_file(kept, path)
    return train, unseen, kept["train"], kept["unseen"]


def train_captioner(
    net: nn.Module,
    features: Float[Tensor, "num D height width"],
    which: Int[Tensor, " rows"],
    rows: Int[Tensor, "rows length"],
    epochs: int,
    loss: Callable[..., Tensor] | None = None,
    rate: float = 5e-3,
) -> list[float]:
    """Adam at a rate that rises and falls again, with clipped gradients; the loss of each epoch.

    Args:
        net: is changed.
        features: of the pictures.
        which: the picture of each caption.
        rows: the captions.
        epochs: how often each caption is read.
        loss: from features and captions; teacher forcing where none is given.
        rate: the largest learning rate.
    """
    loss = net if loss is None else loss
    return _descend(lambda part: loss(features[which[part]], rows[part]), net, len(rows), 128, epochs, rate)


def _descend(
    loss_of: Callable[[Tensor], Tensor], net: nn.Module, num: int, batch: int, epochs: int, rate: float
) -> list[float]:
    batches = math.ceil(num / batch)
    optimizer = torch.optim.AdamW(net.parameters(), rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=batches * epochs)
    history = []
    for _ in range(epochs):
        mean_loss = 0.0
        for rows in torch.randperm(num).tensor_split(batches):
            loss = loss_of(rows)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 5.0)
            optimizer.step()
            schedule.step()
            mean_loss += loss.item() * len(rows) / num
        history.append(mean_loss)
    return history


def captioner(
    cell_type: str,
    features: Float[Tensor, "num D height width"],
    train: Pictures,
    epochs: int,
    seed: int,
    unforced: bool = False,
) -> CaptioningRNN:
    """A captioner trained on all captions of some pictures, with or without teacher forcing."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = CaptioningRNN(vocabulary.word_to_idx, features.shape[1], 64, 96, cell_type)
        train_captioner(net, features, *train.rows(), epochs, net.unforced_loss if unforced else None)
    return net


@torch.no_grad()
def greedy(net: CaptioningRNN, features: Float[Tensor, "num D height width"]) -> list[str]:
    """What a captioner says of pictures."""
    return vocabulary.decode(net.sample(features, LENGTH - 1)[0])


def truth(said: Iterable[str], seen: Iterable[Sequence[Thing]]) -> float:
    """The share of sentences in which every word is true, in per cent."""
    verdicts = [is_true(sentence, scene) for sentence, scene in zip(said, seen, strict=True)]
    return 100 * sum(verdicts) / len(verdicts)


def things_and_relation(said: Sequence[str], seen: Sequence[Sequence[Thing]]) -> tuple[float, float, float]:
    """Where sentences are right, in per cent.

    Returns:
        The share that describes two things that are there; of those, the share in which the relation holds as
        well, and the share in which one of the four that is drawn by lot would.
    """
    by_lot, right = [], []
    for sentence, scene in zip(said, seen, strict=True):
        described = parse(sentence)
        if described and described[1]:
            first, second = described[0]
            holds = [is_true(f"{first} {relation} {second}", scene) for relation in RELATIONS]
            if any(holds):
                by_lot.append(sum(holds) / len(holds))
                right.append(is_true(sentence, scene))
    num = max(1, len(right))
    return 100 * len(right) / len(said), 100 * sum(right) / num, 100 * sum(by_lot) / num


def nearest(
    features: Float[Tensor, "num D height width"],
    known: Float[Tensor, "many D height width"],
    train: Pictures,
) -> list[str]:
    """The first caption of the training picture with the most similar features."""
    places = torch.cdist(features.flatten(1), known.flatten(1)).argmin(dim=1)
    return [train.said[place][0] for place in places.tolist()]


def bleu(said: Sequence[str], references: Sequence[Sequence[str]], most: int = 4) -> float:
    """BLEU of captions against several references each, in per cent (Papineni et al., 2002).

    The geometric mean of the precisions of runs of 1 to `most` words, each counted at most as often as in one
    reference, times a penalty where the captions are shorter than the references nearest in length.
    """
    matched, total, length, due = [0] * most, [0] * most, 0, 0
    for sentence, others in zip(said, references, strict=True):
        words, lists = sentence.split(), [other.split() for other in others]
        length += len(words)
        due += min((abs(len(other) - len(words)), len(other)) for other in lists)[1]
        for n in range(most):
            found, allowed = _runs(words, n + 1), Counter[tuple[str, ...]]()
            for other in lists:
                allowed |= _runs(other, n + 1)
            matched[n] += (found & allowed).total()
            total[n] += found.total()
    if min(matched) == 0:
        return 0.0
    precision = sum(math.log(m / t) for m, t in zip(matched, total, strict=True)) / most
    return 100 * math.exp(precision + min(0.0, 1 - due / length))


def _runs(words: Sequence[str], length: int) -> Counter[tuple[str, ...]]:
    return Counter(tuple(words[i : i + length]) for i in range(len(words) - length + 1))


@torch.no_grad()
def drawn(
    net: CaptioningRNN,
    features: Float[Tensor, "num D height width"],
    temperature: float,
    random: torch.Generator,
    times: int,
) -> list[list[str]]:
    """So many sentences about each picture, drawn at a temperature."""
    words = net.draw(features.repeat_interleave(times, dim=0), temperature, random, LENGTH - 1)
    said = vocabulary.decode(words)
    return [said[start : start + times] for start in range(0, len(said), times)]


def padded(captions: Sequence[Sequence[int]]) -> Int[Tensor, "num length"]:
    """Captions of different lengths as rows, filled up with <NULL>."""
    rows = [torch.tensor(words) for words in captions]
    return nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=vocabulary.word_to_idx["<NULL>"])


@torch.no_grad()
def looks_at_second(
    net: CaptioningRNN, shown: Pictures, features: Float[Tensor, "num D height width"]
) -> tuple[float, int]:
    """Whether attention is nearer to the thing that a true sentence ends with, as it says its last word.

    Sentences of which both things could be the second one are not counted.

    Returns:
        The share of sentences for which the heaviest place is nearer to this thing than to the other, in per
        cent, and how many sentences were counted.
    """
    words, weights = net.sample(features, LENGTH - 1)
    nearer = []
    for sentence, scene, maps in zip(vocabulary.decode(words), shown.seen, weights, strict=True):
        described = parse(sentence) if is_true(sentence, scene) else None
        fitting = [thing for thing in scene if described and is_true(str(described[0][-1]), [thing])]
        if len(fitting) == 1:
            table = maps[len(sentence.split()) - 1]
            row, column = divmod(int(table.argmax()), table.shape[1])
            place = 2 * (column + 0.5) / table.shape[1] - 1, 2 * (row + 0.5) / table.shape[0] - 1
            distances = {thing is fitting[0]: math.dist(place, thing.centre) for thing in scene}
            nearer.append(distances[True] < distances[False])
    return 100 * sum(nearer) / max(1, len(nearer)), len(nearer)
