"""Experiments on sequences that are no captions: symbols, patches of images, letters of names."""

import random
from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from exercise_code.rnn.char_lm import CharLM, sample_text
from exercise_code.rnn.char_rnn import LETTERS, CharRNN, line_to_tensor, to_ascii, train_step
from exercise_code.rnn.patch_seq import PatchRNNClassifier

NUM_SYMBOLS = 4


def next_accuracy(network: nn.Module, width: int, steps: int, seed: int) -> float:
    """Train a network to name, at each place of random symbols, the symbol to the right.

    Args:
        network: from one-hot sequences (N, T, 4), returns their states (N, T, width) first; is changed.
        width: of its states.
        steps: of training, on 64 new sequences of 9 symbols each.
        seed: of the sequences and of a last linear layer.

    Returns:
        The accuracy on 1,000 new sequences, 0 to 1.
    """
    source = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        head = nn.Linear(width, NUM_SYMBOLS)
    optimizer = torch.optim.Adam([*network.parameters(), *head.parameters()], lr=1e-2)

    def scores_and_symbols(num: int) -> tuple[Tensor, Tensor]:
        x = torch.randint(NUM_SYMBOLS, (num, 9), generator=source)
        states, _ = network(functional.one_hot(x, NUM_SYMBOLS).float())
        return head(states[:, :-1]).movedim(2, 1), x[:, 1:]

    for _ in range(steps):
        optimizer.zero_grad()
        functional.cross_entropy(*scores_and_symbols(64)).backward()
        optimizer.step()
    with torch.no_grad():
        scores, symbols = scores_and_symbols(1_000)
    return (scores.argmax(dim=1) == symbols).float().mean().item()


def patch_accuracy(
    train: tuple[Float[Tensor, "n T token"], Int[Tensor, " n"]],
    val: tuple[Float[Tensor, "m T token"], Int[Tensor, " m"]],
    num_layers: int,
    epochs: int,
    seed: int,
    *,
    hidden_size: int = 48,
    bidirectional: bool = False,
    residual: bool = False,
) -> float:
    """Train a `PatchRNNClassifier`; its accuracy on validation tokens, 0 to 1.

    AdamW at a rate that rises to 0.003 and falls, batches of 100, gradients no longer than 1.
    """
    tokens, labels = train
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = PatchRNNClassifier(tokens.shape[2], hidden_size, num_layers, 10, bidirectional, residual)
        optimizer = torch.optim.AdamW(net.parameters(), 3e-3)
        batches = -(-len(tokens) // 100)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=epochs * batches)
        for _ in range(epochs):
            for rows in torch.randperm(len(tokens)).split(100):
                optimizer.zero_grad()
                functional.cross_entropy(net(tokens[rows]), labels[rows]).backward()
                nn.utils.clip_grad_norm_(net.parameters(), 1.0)
                optimizer.step()
                schedule.step()
    with torch.no_grad():
        return (net(val[0]).argmax(dim=1) == val[1]).float().mean().item()


def train_reader(
    names: Mapping[str, Sequence[str]], steps: int, seed: int = 0
) -> tuple[CharRNN, list[float]]:
    """Train a `CharRNN` on one name after another, each language as often; the loss of each step."""
    source, languages, losses = random.Random(seed), [*names], []
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = CharRNN(len(LETTERS), 128, len(languages))
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
    for _ in range(steps):
        number = source.randrange(len(languages))
        line = line_to_tensor(source.choice(names[languages[number]]))
        losses.append(train_step(net, optimizer, torch.tensor([number]), line)[1])
    return net, losses


@torch.no_grad()
def read(
    net: CharRNN, names: Mapping[str, Sequence[str]], most: int = 60
) -> tuple[Int[Tensor, "num letters"], Int[Tensor, " num"]]:
    """What a reader says after each letter of at most so many names of each language.

    Returns:
        The number of the language that it says; after the last letter it says the same again. And the right
        one.
    """
    labels = [number for number, each in enumerate(names.values()) for _ in each[:most]]
    lines = [line_to_tensor(name)[:, 0] for each in names.values() for name in each[:most]]
    letters = nn.utils.rnn.pad_sequence(lines)
    state = net.initHidden().expand(len(lines), -1)
    answers: list[Tensor] = []
    for step, rows in enumerate(letters):
        output, state = net(rows, state)
        said = output.argmax(dim=1)
        over = torch.tensor([step >= len(line) for line in lines])
        answers.append(torch.where(over, answers[-1], said) if answers else said)
    return torch.stack(answers, dim=1), torch.tensor(labels)


def train_writer(names: Sequence[str], epochs: int, seed: int = 0) -> CharLM:
    """Train a `CharLM` with 64 hidden units on names, in batches of 64."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = CharLM(LETTERS, 64)
        rows = model.encode([to_ascii(name) for name in names])
        optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
        for _ in range(epochs):
            for batch in rows[torch.randperm(len(rows))].split(64):
                optimizer.zero_grad()
                model(batch).backward()
                nn.utils.clip_grad_norm_(model.parameters(), 5.0)
                optimizer.step()
    return model


@torch.no_grad()
def written(model: CharLM, num: int, temperature: float, seed: int) -> list[str]:
    """Names that a model makes up at a temperature, of at most 20 letters."""
    source = torch.Generator().manual_seed(seed)
    return [sample_text(model, "", 20, temperature, source) for _ in range(num)]
