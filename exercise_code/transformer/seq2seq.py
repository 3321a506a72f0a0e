"""A transformer from one sequence to another: an encoder reads the question, a decoder writes the answer."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from exercise_code.transformer.decoder import DecoderBlock
from exercise_code.transformer.encoder import EncoderBlock
from exercise_code.transformer.masks import get_subsequent_mask


class Encoder(nn.Module):
    """Encoder blocks one after the other."""

    def __init__(self, num_heads: int, emb_dim: int, feedforward_dim: int, num_layers: int, dropout: float):
        """So many `EncoderBlock`."""
        super().__init__()
        self.layers = nn.Sequential(
            *(EncoderBlock(num_heads, emb_dim, feedforward_dim, dropout) for _ in range(num_layers))
        )

    def forward(self, src: Float[Tensor, "N K M"]) -> Float[Tensor, "N K M"]:
        """Each block reads what the one before has made."""
        return self.layers(src)


class Decoder(nn.Module):
    """Decoder blocks one after the other, and a linear layer that scores the words."""

    def __init__(
        self,
        num_heads: int,
        emb_dim: int,
        feedforward_dim: int,
        num_layers: int,
        dropout: float,
        vocab_len: int,
    ):
        """So many `DecoderBlock`, and `proj_to_vocab`."""
        super().__init__()
        self.layers = nn.ModuleList(
            DecoderBlock(num_heads, emb_dim, feedforward_dim, dropout) for _ in range(num_layers)
        )
        self.proj_to_vocab = nn.Linear(emb_dim, vocab_len)

    def forward(
        self, target_emb: Float[Tensor, "N O M"], enc_out: Float[Tensor, "N K M"], mask: Tensor | None
    ) -> Float[Tensor, "N O V"]:
        """Scores of the word after each position; every block gets what the encoder made, and the mask."""
        for layer in self.layers:
            target_emb = layer(target_emb, enc_out, mask)
        return self.proj_to_vocab(target_emb)


class Transformer(nn.Module):
    """Question in, answer out, in one vocabulary (Vaswani et al., 2017)."""

    def __init__(
        self,
        num_heads: int,
        emb_dim: int,
        feedforward_dim: int,
        dropout: float,
        num_enc_layers: int,
        num_dec_layers: int,
        vocab_len: int,
        weight_tying: bool = False,
    ):
        """Make `emb_layer`, `encoder` and `decoder`.

        `emb_layer` holds a vector for each word, for questions and answers alike. With weight_tying the
        decoder's `proj_to_vocab` has the same weight (Press and Wolf, 2017): one parameter, not a copy.

        Args:
            num_heads: heads of every attention.
            emb_dim: M, numbers in the vector of a word.
            feedforward_dim: numbers in the middle of every feed-forward block.
            dropout: the probability.
            num_enc_layers: blocks of the encoder.
            num_dec_layers: blocks of the decoder.
            vocab_len: V, words in the vocabulary.
            weight_tying: whether the weight that reads words also scores them.
        """
        super().__init__()
        ### BEGIN SOLUTION
        self.emb_layer = nn.Embedding(vocab_len, emb_dim)
        self.encoder = Encoder(num_heads, emb_dim, feedforward_dim, num_enc_layers, dropout)
        self.decoder = Decoder(num_heads, emb_dim, feedforward_dim, num_dec_layers, dropout, vocab_len)
        if weight_tying:
            self.decoder.proj_to_vocab.weight = self.emb_layer.weight
        ### END SOLUTION

    def forward(
        self,
        ques_b: Int[Tensor, "N K"],
        ques_pos: Float[Tensor, "#N K M"],
        ans_b: Int[Tensor, "N O"],
        ans_pos: Float[Tensor, "#N O M"],
    ) -> Float[Tensor, "N*(O-1) V"]:
        """Scores of the answer's words with teacher forcing: each word of it is read, the next one scored.

        The last word of the answer is not read, since nothing follows it. Positions are added to the vectors
        of words; the decoder hides the future by `get_subsequent_mask`.

        Args:
            ques_b: questions.
            ques_pos: vectors of their positions.
            ans_b: right answers, from BOS to EOS.
            ans_pos: vectors of their positions.

        Returns:
            Scores of the second to the last word of the first answer, then of the second answer, and so on.
        """
        ### BEGIN SOLUTION
        enc_out = self.encoder(self.emb_layer(ques_b) + ques_pos)
        ans_in = ans_b[:, :-1]
        dec_in = self.emb_layer(ans_in) + ans_pos[:, :-1]
        return self.decoder(dec_in, enc_out, get_subsequent_mask(ans_in)).flatten(0, 1)
        ### END SOLUTION

    def predict(
        self,
        ques_b: Int[Tensor, "N K"],
        ques_pos: Float[Tensor, "#N K M"],
        ans_pos: Float[Tensor, "#N O M"],
        start: int,
    ) -> Int[Tensor, "N O"]:
        """Answer greedily: read what is written so far, write the best next word behind it.

        The encoder needs to read each question only once.

        Args:
            ques_b: questions.
            ques_pos: vectors of their positions.
            ans_pos: vectors of the answers' positions, which say how many words to write.
            start: the first word of every answer.

        Returns:
            Answers of O words, the first of which is start.
        """
        ### BEGIN SOLUTION
        enc_out = self.encoder(self.emb_layer(ques_b) + ques_pos)
        written = torch.full((len(ques_b), 1), start, device=ques_b.device)
        while written.shape[1] < ans_pos.shape[1]:
            vectors = self.emb_layer(written) + ans_pos[:, : written.shape[1]]
            scores = self.decoder(vectors, enc_out, get_subsequent_mask(written))
            written = torch.cat([written, scores[:, -1:].argmax(dim=2)], dim=1)
        return written
        ### END SOLUTION
