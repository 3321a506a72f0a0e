"""Where does a name come from? A recurrent network reads it letter by letter."""

import string
import unicodedata
from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

LETTERS = string.ascii_letters + " .,;'"
"""The 57 symbols that are told apart."""


def to_ascii(text: str) -> str:
    """A text in LETTERS: accents are taken off, what is not in LETTERS is dropped."""
    return "".join(letter for letter in unicodedata.normalize("NFD", text) if letter in LETTERS)


def letter_to_index(ch: str) -> int:
    """The number of a symbol: its place in LETTERS.

    Args:
        ch: one character.

    Returns:
        0 for "a" up to 56.

    Raises:
        ValueError: it is none of LETTERS.
    """
    ### BEGIN SOLUTION
    return LETTERS.index(ch)
    ### END SOLUTION


def line_to_tensor(line: str) -> Float[Tensor, "L 1 57"]:
    """A name as one-hot rows, a batch of one at each of L steps.

    The name goes through `to_ascii` first, `letter_to_index` numbers its letters.

    Args:
        line: a name with any accents.

    Returns:
        Zeros with a 1 in each row, at the letter's number; float32.
    """
    ### BEGIN SOLUTION
    numbers = torch.tensor([letter_to_index(ch) for ch in to_ascii(line)])
    return functional.one_hot(numbers, len(LETTERS)).float().unsqueeze(1)
    ### END SOLUTION


class CharRNN(nn.Module):
    """A recurrent network in three linear layers: `u` of the input, `w` of the state, `v` to the classes."""

    def __init__(self, input_size: int, hidden_size: int, output_size: int):
        """torch's random weights.

        Args:
            input_size: D, symbols.
            hidden_size: H, length of the hidden state.
            output_size: K, classes.
        """
        super().__init__()
        self.u = nn.Linear(input_size, hidden_size)
        self.w = nn.Linear(hidden_size, hidden_size)
        self.v = nn.Linear(hidden_size, output_size)

    def forward(
        self, inputs: Float[Tensor, "N D"], hidden: Float[Tensor, "N H"]
    ) -> tuple[Float[Tensor, "N K"], Float[Tensor, "N H"]]:
        """One step: the new state is  tanh(u(inputs) + w(hidden)) , v of it makes the classes' scores.

        Args:
            inputs: one letter of each name.
            hidden: the hidden state of the letter before.

        Returns:
            The logarithms of the classes' probabilities (log-softmax of the scores), and the new state.
        """
        ### BEGIN SOLUTION
        hidden = torch.tanh(self.u(inputs) + self.w(hidden))
        return self.v(hidden).log_softmax(dim=1), hidden
        ### END SOLUTION

    def initHidden(self) -> Float[Tensor, "1 H"]:
        """The state before the first letter of one name: zeros, in the weights' dtype and on their device."""
        return self.w.weight.new_zeros(1, self.w.in_features)


def category_from_output(output: Float[Tensor, "1 K"], categories: Sequence[str]) -> tuple[str, int]:
    """The most probable class.

    Args:
        output: log-probabilities of one name.
        categories: the K classes.

    Returns:
        Its name, and its number as a Python integer.
    """
    ### BEGIN SOLUTION
    number = int(output.argmax())
    return categories[number], number
    ### END SOLUTION


def train_step(
    net: CharRNN,
    optimizer: torch.optim.Optimizer,
    category_tensor: Int[Tensor, " 1"],
    line_tensor: Float[Tensor, "L 1 D"],
) -> tuple[Float[Tensor, "1 K"], float]:
    """Read one name, and take one step of training on it.

    Start with `net.initHidden()`; only the output after the last letter counts. Its loss is minus the
    log-probability of the right class: `functional.nll_loss`, since the outputs are logarithms already.
    The gradients of earlier steps do not count.

    Args:
        net: is changed.
        optimizer: of its parameters.
        category_tensor: the number of the right class.
        line_tensor: the letters, from `line_to_tensor`.

    Returns:
        The output after the last letter, before the step, and its loss as a Python number.
    """
    ### BEGIN SOLUTION
    hidden = net.initHidden()
    for letter in line_tensor:
        output, hidden = net(letter, hidden)
    loss = functional.nll_loss(output, category_tensor)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return output.detach(), loss.item()
    ### END SOLUTION
