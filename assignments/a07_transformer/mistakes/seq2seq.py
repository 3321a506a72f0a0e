"""How people get `transformer.seq2seq` wrong, and the hint each mistake deserves."""

import torch
from torch import nn

from exercise_code.support.checking.declare import mistake
from exercise_code.transformer.masks import get_subsequent_mask
from exercise_code.transformer.seq2seq import Decoder, Encoder

WHOLE = "transformer.seq2seq.Transformer."
MADE, SCORED, ANSWERED = f"{WHOLE}__init__", f"{WHOLE}forward", f"{WHOLE}predict"


# Parts
def _make(self, sizes, dropout, num_enc_layers, num_dec_layers, vocab_len):
    nn.Module.__init__(self)
    self.emb_layer = nn.Embedding(vocab_len, sizes[1])
    self.encoder = Encoder(*sizes, num_enc_layers, dropout)
    self.decoder = Decoder(*sizes, num_dec_layers, dropout, vocab_len)


@mistake(MADE, hint="weight_tying is not looked at.")
def never_tied(
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
    _make(self, (num_heads, emb_dim, feedforward_dim), dropout, num_enc_layers, num_dec_layers, vocab_len)


@mistake(MADE, hint="The weight is shared always: share it where weight_tying is asked for.")
def always_tied(
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
    _make(self, (num_heads, emb_dim, feedforward_dim), dropout, num_enc_layers, num_dec_layers, vocab_len)
    self.decoder.proj_to_vocab.weight = self.emb_layer.weight


@mistake(MADE, hint="There are two parameters, alike at first: both names must lead to one and the same.")
def copied(
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
    _make(self, (num_heads, emb_dim, feedforward_dim), dropout, num_enc_layers, num_dec_layers, vocab_len)
    if weight_tying:
        self.decoder.proj_to_vocab.weight.data.copy_(self.emb_layer.weight.data)


@mistake(MADE, hint="The numbers of layers of encoder and decoder change places.")
def layers_swapped(
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
    _make(self, (num_heads, emb_dim, feedforward_dim), dropout, num_dec_layers, num_enc_layers, vocab_len)
    if weight_tying:
        self.decoder.proj_to_vocab.weight = self.emb_layer.weight


@mistake(MADE, hint="Questions and answers have embeddings of their own; one `emb_layer` serves both.")
def two_embeddings(
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
    _make(self, (num_heads, emb_dim, feedforward_dim), dropout, num_enc_layers, num_dec_layers, vocab_len)
    self.ans_layer = nn.Embedding(vocab_len, emb_dim)
    if weight_tying:
        self.decoder.proj_to_vocab.weight = self.emb_layer.weight


@mistake(MADE, hint="The probability of dropping does not reach the blocks.")
def dropout_left_out(
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
    _make(self, (num_heads, emb_dim, feedforward_dim), 0.0, num_enc_layers, num_dec_layers, vocab_len)
    if weight_tying:
        self.decoder.proj_to_vocab.weight = self.emb_layer.weight


# Teacher forcing
def _read(self, ques_b, ques_pos):
    return self.encoder(self.emb_layer(ques_b) + ques_pos)


def _scores(self, ques_b, ques_pos, ans_in, ans_pos, *, mask=True):
    hidden = get_subsequent_mask(ans_in) if mask is True else mask
    return self.decoder(self.emb_layer(ans_in) + ans_pos, _read(self, ques_b, ques_pos), hidden)


@mistake(SCORED, hint="The last word of the answer is read too: nothing is to be predicted behind it.")
def reads_all(self, ques_b, ques_pos, ans_b, ans_pos):
    return _scores(self, ques_b, ques_pos, ans_b, ans_pos).flatten(0, 1)


@mistake(SCORED, hint="The first word of the answer is left out: BOS is read, and the last word is not.")
def reads_from_the_second(self, ques_b, ques_pos, ans_b, ans_pos):
    return _scores(self, ques_b, ques_pos, ans_b[:, 1:], ans_pos[:, :-1]).flatten(0, 1)


@mistake(SCORED, hint="Answers are read from their second word on, positions too: leave out the last.")
def reads_from_the_second_on(self, ques_b, ques_pos, ans_b, ans_pos):
    return _scores(self, ques_b, ques_pos, ans_b[:, 1:], ans_pos[:, 1:]).flatten(0, 1)


@mistake(
    SCORED,
    hint="The mask is made of all words of the answer: make it of those that are read, O - 1.",
    raises=RuntimeError,
)
def mask_of_all_words(self, ques_b, ques_pos, ans_b, ans_pos):
    mask = get_subsequent_mask(ans_b)
    return _scores(self, ques_b, ques_pos, ans_b[:, :-1], ans_pos[:, :-1], mask=mask).flatten(0, 1)


@mistake(SCORED, hint="There is no mask: each word sees the one that it should predict.")
def sees_the_future(self, ques_b, ques_pos, ans_b, ans_pos):
    return _scores(self, ques_b, ques_pos, ans_b[:, :-1], ans_pos[:, :-1], mask=None).flatten(0, 1)


@mistake(SCORED, hint="The scores have an axis of answers still: flatten the first two axes.")
def not_flattened(self, ques_b, ques_pos, ans_b, ans_pos):
    return _scores(self, ques_b, ques_pos, ans_b[:, :-1], ans_pos[:, :-1])


@mistake(
    SCORED, hint="N is read from the positions, of which there may be one for all: questions have N rows."
)
def counted_by_positions(self, ques_b, ques_pos, ans_b, ans_pos):
    scores = _scores(self, ques_b, ques_pos, ans_b[:, :-1], ans_pos[:, :-1])
    return scores.view(len(ques_pos) * (ans_b.shape[1] - 1), -1)


@mistake(SCORED, hint="Scores are ordered by position first: all words of the first answer come first.")
def by_position(self, ques_b, ques_pos, ans_b, ans_pos):
    scores = _scores(self, ques_b, ques_pos, ans_b[:, :-1], ans_pos[:, :-1])
    return scores.transpose(0, 1).flatten(0, 1)


@mistake(SCORED, hint="Positions are missing in the answer.")
def answers_without_positions(self, ques_b, ques_pos, ans_b, ans_pos):
    return _scores(self, ques_b, ques_pos, ans_b[:, :-1], 0).flatten(0, 1)


@mistake(SCORED, hint="Positions are missing in the question.")
def questions_without_positions(self, ques_b, ques_pos, ans_b, ans_pos):
    return _scores(self, ques_b, 0, ans_b[:, :-1], ans_pos[:, :-1]).flatten(0, 1)


@mistake(
    SCORED, hint="Positions of the answer are one too late: the first word read is at the first position."
)
def positions_too_late(self, ques_b, ques_pos, ans_b, ans_pos):
    return _scores(self, ques_b, ques_pos, ans_b[:, :-1], ans_pos[:, 1:]).flatten(0, 1)


@mistake(
    SCORED, hint="The decoder gets the question's vectors as they come: the encoder has to read them first."
)
def without_encoder(self, ques_b, ques_pos, ans_b, ans_pos):
    ans_in = ans_b[:, :-1]
    vectors = self.emb_layer(ans_in) + ans_pos[:, :-1]
    question = self.emb_layer(ques_b) + ques_pos
    return self.decoder(vectors, question, get_subsequent_mask(ans_in)).flatten(0, 1)


@mistake(SCORED, hint="These are probabilities; scores are due, which the loss turns into them.")
def probabilities(self, ques_b, ques_pos, ans_b, ans_pos):
    scores = _scores(self, ques_b, ques_pos, ans_b[:, :-1], ans_pos[:, :-1])
    return scores.flatten(0, 1).softmax(dim=1)


# Answering
def _answer(self, ques_b, ques_pos, ans_pos, start, *, words=None, place=-1, positions=None, feed=True):
    written = torch.full((len(ques_b), 1), start, device=ques_b.device)
    read = written
    for _ in range(ans_pos.shape[1] - 1 if words is None else words):
        where = ans_pos[:, : read.shape[1]] if positions is None else positions(read.shape[1])
        scores = _scores(self, ques_b, ques_pos, read, where)
        best = scores[:, place, None].argmax(dim=2)
        written = torch.cat([written, best], dim=1)
        read = written if feed else torch.cat([read, read[:, :1]], dim=1)
    return written


@mistake(ANSWERED, hint="start is left out of the answers: it is their first word.")
def without_start(self, ques_b, ques_pos, ans_pos, start):
    return _answer(self, ques_b, ques_pos, ans_pos, start)[:, 1:]


@mistake(ANSWERED, hint="Answers are one word too long: they have O words, start included.")
def one_word_more(self, ques_b, ques_pos, ans_pos, start):
    positions = torch.cat([ans_pos, ans_pos[:, -1:]], dim=1)
    return _answer(self, ques_b, ques_pos, positions, start)


@mistake(ANSWERED, hint="The next word is taken from the first position: it follows the last word written.")
def first_position(self, ques_b, ques_pos, ans_pos, start):
    return _answer(self, ques_b, ques_pos, ans_pos, start, place=0)


@mistake(
    ANSWERED, hint="One answer is written for all questions: each of the N has a row that begins with start."
)
def one_answer_for_all(self, ques_b, ques_pos, ans_pos, start):
    return _answer(self, ques_b[:1], ques_pos[:1], ans_pos[:1], start)


@mistake(ANSWERED, hint="start is read at every step; what was written is not fed back.")
def never_fed_back(self, ques_b, ques_pos, ans_pos, start):
    return _answer(self, ques_b, ques_pos, ans_pos, start, feed=False)


@mistake(ANSWERED, hint="Every word is read at the first position: word i has ans_pos[:, i].")
def all_at_the_first_position(self, ques_b, ques_pos, ans_pos, start):
    return _answer(
        self, ques_b, ques_pos, ans_pos, start, positions=lambda n: ans_pos[:, :1].expand(-1, n, -1)
    )


@mistake(ANSWERED, hint="The least likely word is written: take the best.")
def worst_word(self, ques_b, ques_pos, ans_pos, start):
    written = torch.full((len(ques_b), 1), start, device=ques_b.device)
    while written.shape[1] < ans_pos.shape[1]:
        scores = _scores(self, ques_b, ques_pos, written, ans_pos[:, : written.shape[1]])
        written = torch.cat([written, scores[:, -1:].argmin(dim=2)], dim=1)
    return written


@mistake(
    ANSWERED, hint="Without the mask, earlier words look at later ones, which they did not do in training."
)
def answers_without_mask(self, ques_b, ques_pos, ans_pos, start):
    written = torch.full((len(ques_b), 1), start, device=ques_b.device)
    while written.shape[1] < ans_pos.shape[1]:
        scores = _scores(self, ques_b, ques_pos, written, ans_pos[:, : written.shape[1]], mask=None)
        written = torch.cat([written, scores[:, -1:].argmax(dim=2)], dim=1)
    return written


@mistake(ANSWERED, hint="Only the last word is read, but nothing is remembered: read all that is written.")
def reads_the_last_word(self, ques_b, ques_pos, ans_pos, start):
    enc_out = _read(self, ques_b, ques_pos)
    written = torch.full((len(ques_b), 1), start, device=ques_b.device)
    for i in range(ans_pos.shape[1] - 1):
        scores = self.decoder(self.emb_layer(written[:, -1:]) + ans_pos[:, i : i + 1], enc_out, None)
        written = torch.cat([written, scores.argmax(dim=2)], dim=1)
    return written
