"""What the reference reaches, as functions of a seed and a data set: evidence for every threshold."""

from collections.abc import Callable
from functools import cache, partial

import torch
from torch import Tensor

from assignments.a06_captioning import experiments, photographs, sequences
from exercise_code.rnn.captioning import CaptioningRNN
from exercise_code.rnn.patch_seq import image_to_patch_sequence
from exercise_code.support import data

prepared = cache(experiments.prepared)


def by_heart(cell_type: str, seed: int, dataset: str) -> float:
    """The loss of 50 captions that are learned by heart in 150 epochs, as in the notebook."""
    train, _, features, _ = prepared()
    which, rows = train.rows()
    torch.manual_seed(seed)
    net = CaptioningRNN(experiments.vocabulary.word_to_idx, 64, 64, 96, cell_type)
    few = features[which[:50]]
    return experiments.train_captioner(net, few, torch.arange(50), rows[:50], epochs=150)[-1]


def captions(cell_type: str, quick: bool, seed: int, dataset: str) -> float:
    """The share of captions of unseen pictures that are true in every word, as in the notebook."""
    train, unseen, known, features = prepared(quick)
    net = experiments.captioner(cell_type, known, train, 1 if quick else 8, seed)
    return experiments.truth(experiments.greedy(net, features), unseen.seen) / 100


def neighbours(quick: bool, seed: int, dataset: str) -> float:
    """The same of captions of the most similar training pictures; no seed changes it."""
    train, unseen, known, features = prepared(quick)
    return experiments.truth(experiments.nearest(features, known, train), unseen.seen) / 100


@cache
def described() -> tuple[photographs.Photographs, photographs.Photographs]:
    """Photographs to train on, four in five, and unseen ones."""
    every = photographs.photographs()
    if every is None:
        raise FileNotFoundError("WORKBOOK_DATA names no folder with flickr8k_1000 and weights.")
    cut = 4 * len(every.files) // 5
    return every.part(0, cut), every.part(cut, len(every.files))


def bleu(cell_type: str, seed: int, dataset: str) -> float:
    """BLEU-4 on unseen photographs, from standardised features, as in the notebook."""
    train, unseen = described()
    words = photographs.vocabulary_of(train)
    seen, new = photographs.standardised(train, unseen)
    net = photographs.captioner(cell_type, seen, words, 8, seed)
    return experiments.bleu(photographs.greedy(net, new, words), unseen.said) / 100


def neighbours_bleu(seed: int, dataset: str) -> float:
    """BLEU-4 of the captions of the most similar photographs; no seed changes it."""
    train, unseen = described()
    return experiments.bleu(photographs.nearest(unseen, train), unseen.said) / 100


@cache
def tokens() -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """Patches of 8 x 8 pixels of CIFAR-10: 49,000 images to train on and all test images."""
    X_train, y_train, X_test, y_test = data.load("cifar10", 49_000, 10_000)
    mean = X_train.mean((0, 2, 3), keepdim=True)
    cut = [image_to_patch_sequence(4 * (images - mean), 8) for images in (X_train, X_test)]
    return (cut[0], y_train), (cut[1], y_test)


def patches(num_layers: int, residual: bool, seed: int, dataset: str) -> float:
    """Test accuracy on CIFAR-10 of recurrent layers that read patches in both directions, five epochs."""
    train, test = tokens()
    return sequences.patch_accuracy(
        train, test, num_layers, 5, seed, hidden_size=96, bidirectional=True, residual=residual
    )


DATASETS = ("generated",)
RUNS: dict[str, Callable[[int, str], float]] = {
    "quick neighbour, true": partial(neighbours, True),
    "quick RNN, true": partial(captions, "rnn", True),
    "quick LSTM, true": partial(captions, "lstm", True),
    "quick attention, true": partial(captions, "attention", True),
    "loss of 50 captions, RNN": partial(by_heart, "rnn"),
    "loss of 50 captions, LSTM": partial(by_heart, "lstm"),
    "loss of 50 captions, attention": partial(by_heart, "attention"),
    "neighbour, true": partial(neighbours, False),
    "RNN, true": partial(captions, "rnn", False),
    "LSTM, true": partial(captions, "lstm", False),
    "attention, true": partial(captions, "attention", False),
    "neighbour, BLEU-4 on Flickr8k": neighbours_bleu,
    "LSTM, BLEU-4 on Flickr8k": partial(bleu, "lstm"),
    "attention, BLEU-4 on Flickr8k": partial(bleu, "attention"),
    "patches of CIFAR-10, two layers": partial(patches, 2, False),
    "patches of CIFAR-10, eight layers": partial(patches, 8, False),
    "patches of CIFAR-10, eight residual layers": partial(patches, 8, True),
}
