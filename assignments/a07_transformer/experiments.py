"""What the notebooks try out."""

import contextlib
import itertools
import math
import unittest.mock
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional

from exercise_code.attention.layers import MultiHeadAttention, position_encoding_sinusoid
from exercise_code.attention.tokens import generate_token_dict, preprocess_input_sequence
from exercise_code.support.data.captions import VOCABULARY as CAPTION_WORDS
from exercise_code.support.data.captions import Thing, captions, is_true, things
from exercise_code.support.data.shapes import Scenes
from exercise_code.support.data.vocabulary import Vocabulary
from exercise_code.transformer import seq2seq
from exercise_code.transformer.captioning import CaptioningTransformer
from exercise_code.transformer.encoder import TransformerEncoderLayer
from exercise_code.transformer.losses import CrossEntropyLoss
from exercise_code.transformer.seq2seq import Transformer

Net = TypeVar("Net", bound=nn.Module)

NUM_ITEMS, NUM_SYMBOLS = 8, 5
"""A sequence of `two_wishes` has so many items, each of which shows one of so many symbols."""
NUM_TOKENS = 6
"""A sequence of `in_order` has so many tokens, each of them once."""


def measured_curve(
    num: int, seed: int
) -> tuple[Float[Tensor, " num"], Float[Tensor, " num"], Float[Tensor, " num"]]:
    """Places from 0 to 10 in order, noisy values measured there, and the true values: waves and a jump."""
    random = torch.Generator().manual_seed(seed)
    x = 10 * torch.rand(num, generator=random).sort().values
    truth = x.sin() + 2 * (x > 5)
    return x, truth + 0.3 * torch.randn(num, generator=random), truth


def by_distance(
    asked: Float[Tensor, " k"], x: Float[Tensor, " n"], y: Float[Tensor, " n"], width: float
) -> tuple[Float[Tensor, " k"], Float[Tensor, "k n"]]:
    """Means of all y, with weights that fall with the distance from the place asked for; and the weights."""
    scores = -(asked[:, None] - x).square() / (2 * width**2)
    weights = torch.softmax(scores, dim=1)
    return weights @ y, weights


def sizes_of_scores(lengths: list[int], seed: int, *, divided: bool) -> Float[Tensor, "num_lengths 2"]:
    """For vectors of each length, with normal entries: the spread of dot products with 16 keys, and the
    largest weight that a softmax makes of them, each the mean over 200 queries.
    """
    random = torch.Generator().manual_seed(seed)
    found = []
    for length in lengths:
        query, keys = (torch.randn(200, n, length, generator=random) for n in (1, 16))
        scores = (query * keys).sum(dim=2) / (length**0.5 if divided else 1)
        found.append(torch.stack([scores.std(), scores.softmax(dim=1).amax(dim=1).mean()]))
    return torch.stack(found)


def two_wishes(num: int, random: torch.Generator) -> tuple[Float[Tensor, "num 8 7"], Int[Tensor, "num 2"]]:
    """Sequences of items, each with two numbers and a symbol; the symbols of the items in which the first and
    the second number are largest.
    """
    numbers = torch.randn(num, NUM_ITEMS, 2, generator=random)
    symbols = torch.randint(NUM_SYMBOLS, (num, NUM_ITEMS), generator=random)
    items = torch.cat([numbers, functional.one_hot(symbols, NUM_SYMBOLS).float()], dim=2)
    return items, symbols.gather(1, numbers.argmax(dim=1))


class Wisher(nn.Module):
    """One learned query attends to the items; a linear layer names two symbols. `weights` are the last."""

    def __init__(self, num_heads: int, width: int = 16):
        super().__init__()
        self.items = nn.Linear(2 + NUM_SYMBOLS, width)
        self.asks = nn.Parameter(torch.randn(1, 1, width))
        self.attention = nn.MultiheadAttention(width, num_heads, batch_first=True)
        self.names = nn.Linear(width, 2 * NUM_SYMBOLS)

    def forward(self, items: Float[Tensor, "N 8 7"]) -> Float[Tensor, "N 2 5"]:
        vectors = self.items(items)
        asks = self.asks.expand(len(items), -1, -1)
        found, weights = self.attention(asks, vectors, vectors, average_attn_weights=False)
        self.weights = weights.detach()[:, :, 0]
        return self.names(found[:, 0]).unflatten(1, (2, NUM_SYMBOLS))


def wisher(num_heads: int, seed: int, steps: int) -> Wisher:
    """A `Wisher` that is trained on new sequences in every step."""

    def loss(net: Wisher, random: torch.Generator) -> Tensor:
        items, wanted = two_wishes(128, random)
        return functional.cross_entropy(net(items).flatten(0, 1), wanted.flatten())

    return _trained(lambda: Wisher(num_heads), loss, seed, steps)[0]


def granted(net: Wisher) -> float:
    """How many per cent of the symbols of 2,000 other sequences are right."""
    items, wanted = two_wishes(2_000, torch.Generator().manual_seed(1_000))
    with torch.no_grad():
        return 100 * (net(items).argmax(dim=2) == wanted).float().mean().item()


def in_order(num: int, random: torch.Generator) -> tuple[Int[Tensor, "num 6"], Float[Tensor, " num"]]:
    """All tokens in some order, and 1 where token 0 comes before token 1, else 0."""
    tokens = torch.rand(num, NUM_TOKENS, generator=random).argsort(dim=1)
    places = tokens.argsort(dim=1)
    return tokens, (places[:, 0] < places[:, 1]).float()


class Orderly(nn.Module):
    """Word vectors, with or without positions, one layer of attention, the mean over tokens, one number."""

    def __init__(self, *, positions: bool, width: int = 16):
        super().__init__()
        self.words = nn.Embedding(NUM_TOKENS, width)
        self.positions = position_encoding_sinusoid(NUM_TOKENS, width) if positions else 0.0
        self.attention = MultiHeadAttention(width, 2, dropout=0.0)
        self.says = nn.Linear(width, 1)

    def forward(self, tokens: Int[Tensor, "N 6"]) -> Float[Tensor, " N"]:
        vectors = self.words(tokens) + self.positions
        return self.says(self.attention(vectors, vectors, vectors).mean(dim=1))[:, 0]


def order_told(*, positions: bool, seed: int, steps: int) -> float:
    """Train an `Orderly` on new sequences in every step; how many per cent of 2,000 others are right."""

    def loss(net: Orderly, random: torch.Generator) -> Tensor:
        tokens, first = in_order(128, random)
        return functional.binary_cross_entropy_with_logits(net(tokens), first)

    net, random = _trained(lambda: Orderly(positions=positions), loss, seed, steps)
    tokens, first = in_order(2_000, random)
    with torch.no_grad():
        return 100 * ((net(tokens) > 0) == first.bool()).float().mean().item()


def _trained(
    make: Callable[[], Net], loss: Callable[[Net, torch.Generator], Tensor], seed: int, steps: int
) -> tuple[Net, torch.Generator]:
    """A network that is made and trained with a seed, by Adam; and the generator, to draw other data."""
    random = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        net = make()
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-2)
    for _ in range(steps):
        optimizer.zero_grad()
        loss(net, random).backward()
        optimizer.step()
    return net, random


# Sequences to sequences
VOCABULARY = [*"0123456789", "POSITIVE", "NEGATIVE", "add", "subtract", "BOS", "EOS"]
SPECIAL = VOCABULARY[10:]
"""Tokens of a task of arithmetic: digits, and words that stand for themselves."""
WIDTH = 64


def sums(num: int, seed: int, *, easy: bool = False) -> list[tuple[str, str]]:
    """Different questions about numbers of two digits, and their answers, which have two digits as well.

    Args:
        num: how many; there are 59,402, and 5,050 easy ones.
        seed: draws them.
        easy: sums of positive numbers alone.
    """
    signs = (1,) if easy else (1, -1)
    numbers = [(sign, n) for sign in signs for n in range(100) if n or sign > 0]
    found = []
    for (sign, n), (other, m), word in itertools.product(numbers, numbers, SPECIAL[2 : 2 + len(signs)]):
        result = sign * n + (other * m if word == "add" else -other * m)
        if abs(result) < 100:
            question = f"BOS {_number(sign, n)} {word} {_number(other, m)} EOS"
            found.append((question, f"BOS {_number(-1 if result < 0 else 1, abs(result))} EOS"))
    order = torch.randperm(len(found), generator=torch.Generator().manual_seed(seed))
    return [found[place] for place in order[:num].tolist()]


def _number(sign: int, n: int) -> str:
    return f"{'POSITIVE' if sign > 0 else 'NEGATIVE'} {n:02d}"


def as_tokens(texts: Iterable[str]) -> Int[Tensor, "num tokens"]:
    """The tokens of texts of one length."""
    token_dict = generate_token_dict(VOCABULARY)
    return torch.tensor([preprocess_input_sequence(text, token_dict, SPECIAL) for text in texts])


def words_of(tokens: Int[Tensor, " tokens"]) -> list[str]:
    """The words and digits of tokens."""
    return [VOCABULARY[token] for token in tokens.tolist()]


def as_text(tokens: Int[Tensor, " tokens"]) -> str:
    """Words and digits with blanks between them, without BOS and EOS."""
    return " ".join(word for word in words_of(tokens) if word not in ("BOS", "EOS"))


class Calculator:
    """Answers questions of `sums`; `history` holds how many per cent were right after each epoch."""

    def __init__(self, seed: int, *, weight_tying: bool = False):
        """A new transformer, two blocks on either side."""
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.net = Transformer(2, WIDTH, 2 * WIDTH, 0.0, 2, 2, len(VOCABULARY), weight_tying)
        self.history: list[float] = []

    def scores(self, questions: Int[Tensor, "N 9"], answers: Int[Tensor, "N 5"]) -> Float[Tensor, "N*4 V"]:
        """Of the words of each answer but the first, with teacher forcing."""
        waves = (position_encoding_sinusoid(tokens.shape[1], WIDTH) for tokens in (questions, answers))
        question_waves, answer_waves = waves
        return self.net(questions, question_waves, answers, answer_waves)

    @torch.no_grad()
    def answers(self, questions: Int[Tensor, "N 9"]) -> Int[Tensor, "N 5"]:
        """What it writes, word by word, without knowing the answers."""
        waves = [position_encoding_sinusoid(length, WIDTH) for length in (questions.shape[1], 5)]
        return self.net.predict(questions, *waves, VOCABULARY.index("BOS"))

    def right(self, questions: Int[Tensor, "N 9"], answers: Int[Tensor, "N 5"]) -> float:
        """How many per cent of its answers are right in every word."""
        return 100 * (self.answers(questions) == answers).all(dim=1).float().mean().item()

    @torch.no_grad()
    def words_right(self, questions: Int[Tensor, "N 9"], answers: Int[Tensor, "N 5"]) -> float:
        """How many per cent of the words are right if all words before are given."""
        found = self.scores(questions, answers).argmax(dim=1)
        return 100 * (found == answers[:, 1:].flatten()).float().mean().item()

    def learn(
        self,
        train: list[tuple[str, str]],
        unseen: list[tuple[str, str]],
        epochs: int,
        seed: int,
        loss: Callable[[Tensor, Tensor], Tensor] = CrossEntropyLoss,
    ) -> Iterator[int]:
        """Learn from questions with their answers by Adam, and be asked others after each epoch.

        The rate rises to 2e-3 and falls again; 128 questions a step, the gradient's norm is cut at 1.

        Yields:
            The number of the epoch, when it is over.
        """
        questions, answers = (as_tokens(texts) for texts in zip(*train, strict=True))
        others = [as_tokens(texts) for texts in zip(*unseen, strict=True)]
        random = torch.Generator().manual_seed(seed)
        optimizer = torch.optim.Adam(self.net.parameters())
        steps = epochs * math.ceil(len(train) / 128)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, total_steps=steps, pct_start=0.1)
        for epoch in range(epochs):
            for rows in torch.randperm(len(train), generator=random).split(128):
                scores = self.scores(questions[rows], answers[rows])
                optimizer.zero_grad()
                (loss(scores, answers[rows, 1:].flatten()) / len(scores)).backward()
                nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
                optimizer.step()
                schedule.step()
            self.history.append(self.right(*others))
            yield epoch


@contextlib.contextmanager
def nothing_hidden() -> Iterator[None]:
    """Within it, transformers see the future."""

    def mask(seq: Int[Tensor, "N K"]) -> Bool[Tensor, "N K K"]:
        return torch.zeros(*seq.shape, seq.shape[1], dtype=torch.bool)

    with unittest.mock.patch.object(seq2seq, "get_subsequent_mask", mask):
        yield


@torch.no_grad()
def reach_of_tokens(calculator: Calculator) -> Bool[Tensor, "scores tokens"]:
    """Which scores change when one token of an answer is changed."""
    question, answer = (as_tokens(texts) for texts in zip(*sums(1, 0), strict=True))
    before, changed = calculator.scores(question, answer), []
    for place in range(answer.shape[1]):
        other = answer.clone()
        other[0, place] = (other[0, place] + 1) % len(VOCABULARY)
        changed.append((calculator.scores(question, other) - before).abs().amax(dim=1) > 1e-6)
    return torch.stack(changed, dim=1)


def gradients_by_layer(kind: str, depth: int, seed: int) -> Float[Tensor, " depth"]:
    """Norms of the gradients of each layer's first feed-forward weight, in a stack that is not trained.

    The loss is the mean squared difference of the outputs, normed at the end, and of random targets.

    Args:
        kind: "norm after" the sums, "norm before" the parts, or "no sum", but norms.
        depth: layers of 32 numbers and 4 heads.
        seed: draws 16 sequences of 10 vectors, targets, and weights.
    """
    random = torch.Generator().manual_seed(seed)
    x, targets = torch.randn(2, 16, 10, 32, generator=random)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        layers = [TransformerEncoderLayer(32, 4, 128, 0.0, kind == "norm before") for _ in range(depth)]
    for layer in layers:
        if kind == "no sum":
            x = layer.norm_ffn(layer.ffn(layer.norm_self(layer.self_attn(x, x, x))))
        else:
            x = layer(x)
    functional.mse_loss(functional.layer_norm(x, (32,)), targets).backward()
    return torch.stack([layer.ffn.fc1.weight.grad.norm() for layer in layers])


# Captions
WORDS = Vocabulary(CAPTION_WORDS)
LENGTH = 13
"""Words of the longest caption, <START> and <END> among them."""


@dataclass(frozen=True)
class Pictures:
    """Pictures of one thing, what they show in numbers, a true sentence about each, and the truth."""

    images: Float[Tensor, "num 3 32 32"]
    features: Float[Tensor, "num 192"]
    said: list[str]
    seen: list[list[Thing]]


def pictures(split: str, num: int) -> Pictures:
    """The first pictures of a split; their features are 8 x 8 means of pixels, less the middle grey."""
    scenes = Scenes.draw(split, torch.arange(num))
    images = scenes.render()
    features = functional.avg_pool2d(images - 0.5, 4).flatten(1)
    return Pictures(images, features, [each[0] for each in captions(scenes, 1)], things(scenes))


def captioner(shown: Pictures, epochs: int, seed: int) -> tuple[CaptioningTransformer, list[float]]:
    """A transformer that learns some captions by heart, 25 a step; and its loss after each epoch.

    The loss is summed over the words of a caption, and averaged over captions; <NULL> does not count.
    """
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        net = CaptioningTransformer(WORDS.word_to_idx, shown.features.shape[1], WIDTH, max_length=LENGTH)
    rows, random = WORDS.encode(shown.said, LENGTH), torch.Generator().manual_seed(seed)
    optimizer, history = torch.optim.Adam(net.parameters(), 3e-3), []
    for _ in range(epochs):
        for chosen in torch.randperm(len(rows), generator=random).split(25):
            optimizer.zero_grad()
            _caption_loss(net, shown.features[chosen], rows[chosen]).backward()
            optimizer.step()
        with torch.no_grad():
            history.append(_caption_loss(net, shown.features, rows).item())
    return net, history


def _caption_loss(net: CaptioningTransformer, features: Tensor, rows: Tensor) -> Float[Tensor, ""]:
    scores, due = net(features, rows[:, :-1]).flatten(0, 1), rows[:, 1:].flatten()
    return functional.cross_entropy(scores, due, ignore_index=net.null, reduction="sum") / len(rows)


@torch.no_grad()
def sentences(net: CaptioningTransformer, shown: Pictures) -> list[str]:
    """What a captioner says of pictures."""
    return WORDS.decode(net.sample(shown.features, LENGTH - 1))


def truth(said: Iterable[str], shown: Pictures) -> float:
    """How many per cent of sentences are true of their pictures in every word."""
    return 100 * sum(map(is_true, said, shown.seen)) / len(shown.seen)
