"""A language model of letters: it says which letter comes next, and so makes up names."""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from exercise_code.rnn.captioning import word_probabilities
from exercise_code.rnn.cells import GRUCell, unroll
from exercise_code.rnn.losses import temporal_softmax_loss


class CharLM(nn.Module):
    """A `GRUCell` between a table of letters and their scores.

    Attributes:
        letters: the symbols it knows, numbered from 0.
        end: the number that comes before the first letter of a name and after the last one.
        null: the number that fills up.
    """

    def __init__(self, letters: str, hidden_size: int):
        """Random weights."""
        super().__init__()
        self.letters, self.end, self.null = letters, len(letters), len(letters) + 1
        self.embed = nn.Embedding(len(letters) + 2, hidden_size)
        self.cell = GRUCell(hidden_size, hidden_size)
        self.head = nn.Linear(hidden_size, len(letters) + 1)

    def encode(self, names: Sequence[str]) -> Int[Tensor, "N T"]:
        """Rows of `end`, the letters, `end`, filled up with `null`."""
        rows = [[self.end, *map(self.letters.index, name), self.end] for name in names]
        most = max(map(len, rows))
        return torch.tensor([row + [self.null] * (most - len(row)) for row in rows])

    def forward(self, rows: Int[Tensor, "N T"]) -> Float[Tensor, ""]:
        """The loss of names with teacher forcing, summed over letters and averaged over names."""
        vectors = self.embed(rows[:, :-1])
        states = unroll(self.cell, vectors, torch.zeros_like(vectors[:, 0]))
        return temporal_softmax_loss(self.head(states), rows[:, 1:], ignore_index=self.null)

    def start_state(self) -> Float[Tensor, "1 H"]:
        """The state before anything is read."""
        return self.head.weight.new_zeros(1, self.head.in_features)

    def step(
        self, letter: Int[Tensor, " 1"], state: Float[Tensor, "1 H"]
    ) -> tuple[Float[Tensor, "1 V"], Float[Tensor, "1 H"]]:
        """Read one letter; the scores of what may come next, and the next state."""
        state = self.cell(self.embed(letter), state)
        return self.head(state), state


def sample_text(
    model: CharLM, seed: str, length: int, temperature: float = 1.0, random: torch.Generator | None = None
) -> str:
    """Go on with a beginning, letter by letter, until the model ends it.

    The model reads `end`, then the letters of the seed; from there on each letter is drawn with
    `rnn.captioning.word_probabilities` of the scores, and read in turn.

    Args:
        model: `letters`, `end`, `start_state()` and `step(letter, state)` are used.
        seed: a beginning in the model's letters; it may be empty.
        length: the most letters to add.
        temperature: above 0; near 0 the best letter is nearly always taken.
        random: draws the letters, by `multinomial`; torch's own generator where none is given.

    Returns:
        The seed and what was added, without `end`.
    """
    ### BEGIN SOLUTION
    state, added = model.start_state(), ""
    for number in (model.end, *map(model.letters.index, seed)):
        scores, state = model.step(torch.tensor([number], device=state.device), state)
    for _ in range(length):
        number = word_probabilities(scores, temperature).multinomial(1, generator=random).squeeze(1)
        if number == model.end:
            break
        added += model.letters[number]
        scores, state = model.step(number, state)
    return seed + added
    ### END SOLUTION
