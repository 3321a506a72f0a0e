"""A transformer that looks at a picture and says what it sees."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from exercise_code.attention.layers import PositionalEncoding
from exercise_code.transformer.decoder import TransformerDecoderLayer


class CaptioningTransformer(nn.Module):
    """Decoder layers that read the words so far, and ask one vector of the picture."""

    def __init__(
        self,
        word_to_idx: dict[str, int],
        input_dim: int,
        wordvec_dim: int,
        num_heads: int = 4,
        num_layers: int = 2,
        max_length: int = 50,
    ):
        """Random weights; nothing is dropped.

        Args:
            word_to_idx: numbers of the V words, 0 to V - 1, with <NULL>, <START> and <END> among them.
            input_dim: D, numbers that describe a picture.
            wordvec_dim: W, length of the vectors of words.
            num_heads: heads of every attention.
            num_layers: decoder layers.
            max_length: words that a caption may have.
        """
        super().__init__()
        self.null, self.start = word_to_idx["<NULL>"], word_to_idx["<START>"]
        self.visual_projection = nn.Linear(input_dim, wordvec_dim)
        self.embedding = nn.Embedding(len(word_to_idx), wordvec_dim, padding_idx=self.null)
        self.positional_encoding = PositionalEncoding(wordvec_dim, dropout=0.0, max_len=max_length)
        self.transformer = nn.ModuleList(
            TransformerDecoderLayer(wordvec_dim, num_heads, 4 * wordvec_dim, dropout=0.0)
            for _ in range(num_layers)
        )
        self.output = nn.Linear(wordvec_dim, len(word_to_idx))

    def forward(self, features: Float[Tensor, "N D"], captions: Int[Tensor, "N T"]) -> Float[Tensor, "N T V"]:
        """Scores of the word that follows each word of the captions.

        Words go through `embedding` and `positional_encoding`, then through the layers of `transformer`: each
        asks the picture, whose projection is a memory of one vector, and none sees the future. `output` makes
        scores.

        Args:
            features: a vector for each picture.
            captions: words from <START> on.

        Returns:
            Scores of V words for each position.
        """
        ### BEGIN SOLUTION
        memory = self.visual_projection(features).unsqueeze(1)
        T = captions.shape[1]
        keep = torch.ones(T, T, dtype=torch.bool, device=captions.device).tril()
        x = self.positional_encoding(self.embedding(captions))
        for layer in self.transformer:
            x = layer(x, memory, keep)
        return self.output(x)
        ### END SOLUTION

    def sample(self, features: Float[Tensor, "N D"], max_length: int = 30) -> Int[Tensor, "N max_length"]:
        """Caption greedily: read what is said so far, say the best next word; the first word read is <START>.

        Args:
            features: a vector for each picture; there may be one alone.
            max_length: how many words to say. There is no end before: what follows <END> is not read.

        Returns:
            The words said, the first of them the one that follows <START>.
        """
        ### BEGIN SOLUTION
        said = torch.full((len(features), 1), self.start, device=features.device)
        while said.shape[1] <= max_length:
            word = self.forward(features, said)[:, -1].argmax(dim=1, keepdim=True)
            said = torch.cat([said, word], dim=1)
        return said[:, 1:]
        ### END SOLUTION
