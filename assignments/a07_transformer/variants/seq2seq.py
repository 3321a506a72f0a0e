"""Right versions of `transformer.seq2seq`, written otherwise."""

import torch
from torch import nn

from exercise_code.support.checking.declare import variant
from exercise_code.transformer.masks import get_subsequent_mask
from exercise_code.transformer.seq2seq import Decoder, Encoder

WHOLE = "transformer.seq2seq.Transformer."


@variant(f"{WHOLE}__init__")
def tied_from_the_other_side(
    self,
    num_heads,
    emb_dim,
    feedforward_dim,
    dropout,
    num_enc_layers,
    num_dec_layers,
    vocab_len,
    weight_tying=False,
):
    nn.Module.__init__(self)
    self.decoder = Decoder(num_heads, emb_dim, feedforward_dim, num_dec_layers, dropout, vocab_len)
    self.encoder = Encoder(num_heads, emb_dim, feedforward_dim, num_enc_layers, dropout)
    self.emb_layer = nn.Embedding(num_embeddings=vocab_len, embedding_dim=emb_dim)
    if weight_tying:
        self.emb_layer.weight = self.decoder.proj_to_vocab.weight


@variant(f"{WHOLE}forward")
def step_by_step(self, ques_b, ques_pos, ans_b, ans_pos):
    question = self.emb_layer(ques_b)
    question = question + ques_pos
    memory = self.encoder(question)
    num = ans_b.shape[1] - 1
    answer = self.emb_layer(ans_b[:, :num]) + ans_pos[:, :num, :]
    mask = get_subsequent_mask(ans_b[:, :num])
    scores = self.decoder(answer, memory, mask)
    return scores.reshape(-1, scores.shape[2])


@variant(f"{WHOLE}predict")
def by_forward(self, ques_b, ques_pos, ans_pos, start):
    answers = ques_b.new_full((len(ques_b), ans_pos.shape[1]), start)
    for place in range(1, ans_pos.shape[1]):
        scores = self.forward(ques_b, ques_pos, answers[:, : place + 1], ans_pos[:, : place + 1])
        answers[:, place] = scores.unflatten(0, (len(ques_b), place))[:, -1].argmax(dim=1)
    return answers


@variant(f"{WHOLE}predict")
def word_by_word(self, ques_b, ques_pos, ans_pos, start):
    memory = self.encoder(self.emb_layer(ques_b) + ques_pos)
    words = [torch.full_like(ques_b[:, 0], start)]
    for length in range(1, ans_pos.shape[1]):
        read = torch.stack(words, dim=1)
        scores = self.decoder(self.emb_layer(read) + ans_pos[:, :length], memory, get_subsequent_mask(read))
        words.append(scores[:, length - 1].max(dim=1).indices)
    return torch.stack(words, dim=1)


@variant(f"{WHOLE}forward")
def last_score_cut_off(self, ques_b, ques_pos, ans_b, ans_pos):
    memory = self.encoder(self.emb_layer(ques_b) + ques_pos)
    scores = self.decoder(self.emb_layer(ans_b) + ans_pos, memory, get_subsequent_mask(ans_b))
    return scores[:, :-1].reshape(-1, scores.shape[2])


@variant(f"{WHOLE}predict")
def at_full_width(self, ques_b, ques_pos, ans_pos, start):
    memory = self.encoder(self.emb_layer(ques_b) + ques_pos)
    answers = ques_b.new_full((len(ques_b), ans_pos.shape[1]), start)
    for place in range(1, ans_pos.shape[1]):
        vectors = self.emb_layer(answers) + ans_pos
        scores = self.decoder(vectors, memory, get_subsequent_mask(answers))
        answers[:, place] = scores[:, place - 1].argmax(dim=1)
    return answers
