"""Sentences as rows of numbers, and back."""

from collections.abc import Iterable, Sequence

import torch
from jaxtyping import Int
from torch import Tensor

SPECIAL = ("<NULL>", "<START>", "<END>", "<UNK>")


class Vocabulary:
    """Numbers for words: first those of no meaning, then the given ones.

    Attributes:
        words: the word of each number.
        word_to_idx: the number of each word.
    """

    def __init__(self, words: Iterable[str]):
        """Number the words in their order; a word that comes again keeps its number."""
        self.words = tuple(dict.fromkeys([*SPECIAL, *words]))
        self.word_to_idx = {word: number for number, word in enumerate(self.words)}

    def encode(self, sentences: Sequence[str], length: int) -> Int[Tensor, "num length"]:
        """Rows of <START>, the words, <END>, filled up with <NULL>; words that are unknown are <UNK>.

        Args:
            sentences: words with blanks between them.
            length: of the rows; of a longer sentence the last words are cut off, <END> included.
        """
        numbers, null = self.word_to_idx, self.word_to_idx["<NULL>"]
        rows = torch.full((len(sentences), length), null)
        for row, sentence in zip(rows, sentences, strict=True):
            said = [numbers.get(word, numbers["<UNK>"]) for word in sentence.split()]
            said = [numbers["<START>"], *said, numbers["<END>"]][:length]
            row[: len(said)] = torch.tensor(said)
        return rows

    def decode(self, rows: Int[Tensor, "num length"]) -> list[str]:
        """The words of each row up to <END>, without <START> and <NULL>."""
        sentences = []
        for row in rows.tolist():
            words = [self.words[number] for number in row]
            words = words[: words.index("<END>")] if "<END>" in words else words
            sentences.append(" ".join(word for word in words if word not in ("<START>", "<NULL>")))
        return sentences
