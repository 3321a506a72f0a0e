"""What is asked of `rnn.char_lm`."""

from typing import Any

import torch
from torch import Tensor

from exercise_code.support.checking.declare import check

SAMPLE = "rnn.char_lm.sample_text"
DRAWS = 400
TEMPERATURES = (1.0, 8.0, 0.25)


class Certain:
    """A model that is nearly sure of each letter; which one depends on all that it has read."""

    letters = "abcdefg"
    end = 7

    def __init__(self, case, ends_after: int):
        """Draw what it would write; it ends after so many letters, those of the seed among them."""
        self.order = case.labels(8, num_classes=7)
        self.ends_after = ends_after

    def start_state(self) -> Tensor:
        """Where it is in its order, and how much it has read."""
        return torch.zeros(2, dtype=torch.int64, device=self.order.device)

    def step(self, letter: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Scores of the seven letters and of the end."""
        if letter.shape != (1,) or letter.device != self.order.device:
            raise RuntimeError("a letter is a tensor of one number, on the device of the model")
        (number,) = letter.unbind()
        following = torch.stack([(3 * state[0] + number + 1) % 8, state[1] + 1])
        best = self.order[following[0]] if int(following[1]) <= self.ends_after else self.end
        scores = torch.zeros(1, 8, device=self.order.device)
        scores[0, best] = 90.0
        return scores, following


@check(SAMPLE, points=2, uses=["rnn.captioning.word_probabilities"])
def certain_letters(code, case):
    """What a model that is sure writes: from nothing, from a seed, up to a length."""
    outputs = {}
    for seed, length, ends_after in (("", 9, 5), ("gab", 4, 20), ("fee", 8, 6), ("a", 0, 9)):
        text = code.rnn.char_lm.sample_text(Certain(case, ends_after), seed, length, 0.5)
        outputs[f"seed={seed!r}, length={length}"] = text
    return outputs


class Careless:
    """A model for which all is equally likely, but for "a", and nothing ends."""

    letters = "abcd"
    end = 4

    def start_state(self) -> Tensor:
        """Nothing."""
        return torch.zeros(1, 1)

    def step(self, letter: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """A score of 1 for "a", of 0 for the others, far below for the end."""
        return torch.tensor([[1.0, 0.0, 0.0, 0.0, -1000.0]]), state


def frequencies_law(outputs: dict[str, Any], expected: dict[str, Any]) -> str | None:
    """The likeliest letter comes as often as its probability at the temperature says.

    A share of 400 draws strays by more than 0.15 with probability below 4e-8 (Hoeffding).
    """
    if outputs["once"] != outputs["again"]:
        return "the same generator gives other letters the second time"
    for temperature in TEMPERATURES:
        name = f"temperature={temperature}"
        found = outputs[name]
        share = found.count("a") / DRAWS
        due = torch.tensor([1 / temperature, 0.0, 0.0, 0.0]).softmax(dim=0)[0].item()
        if len(found) != DRAWS:
            return f"at {name} {len(found)} letters were added; {DRAWS} are due"
        if abs(share - due) > 0.15:
            return f"at {name} {share:.0%} of the letters are the likeliest one; {due:.0%} are due"
    return None


@check(f"{SAMPLE}:law", points=1, law=frequencies_law, uses=["rnn.captioning.word_probabilities"])
def drawn_letters(code, case):
    """How often the likeliest letter comes at three temperatures; it is the generator given that draws."""
    seed, sample = case.integer(0, 10**6), code.rnn.char_lm.sample_text
    random = torch.Generator().manual_seed(seed)
    outputs = {
        f"temperature={hot}": sample(Careless(), "", DRAWS, temperature=hot, random=random)
        for hot in TEMPERATURES
    }
    for name in ("once", "again"):
        outputs[name] = sample(
            Careless(), "", 40, temperature=8.0, random=torch.Generator().manual_seed(seed)
        )
    return outputs
