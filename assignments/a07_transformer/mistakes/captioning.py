"""How people get `transformer.captioning` wrong, and the hint each mistake deserves."""

import torch

from exercise_code.support.checking.declare import mistake

CAPTIONER = "transformer.captioning.CaptioningTransformer."
SCORED, SAID = f"{CAPTIONER}forward", f"{CAPTIONER}sample"


def _keep(T, device):
    return torch.ones(T, T, dtype=torch.bool, device=device).tril()


def _scores(self, features, captions, *, keep=None, memory=None, words=None, layers=None, masked=True):
    if memory is None:
        memory = self.visual_projection(features)[:, None]
    x = self.positional_encoding(self.embedding(captions)) if words is None else words
    mask = (_keep(captions.shape[1], captions.device) if keep is None else keep) if masked else None
    for layer in layers or self.transformer:
        x = layer(x, memory, mask)
    return self.output(x)


@mistake(
    SCORED,
    hint="A memory has three axes: give the projected pictures an axis of one vector, (N, 1, W).",
    raises=IndexError,
)
def memory_without_axis(self, features, captions):
    return _scores(self, features, captions, memory=self.visual_projection(features))


@mistake(SCORED, hint="The axis of one vector is in front: every caption sees all pictures.")
def pictures_in_a_row(self, features, captions):
    memory = self.visual_projection(features)[None].expand(len(captions), -1, -1)
    return _scores(self, features, captions, memory=memory)


@mistake(SCORED, hint="The mask hides the past and shows the future: a word may see itself and those before.")
def past_hidden(self, features, captions):
    return _scores(self, features, captions, keep=_keep(captions.shape[1], captions.device).mT)


@mistake(SCORED, hint="True stands for what is hidden, so the first word sees nothing: True keeps here.")
def mask_says_hidden(self, features, captions):
    return _scores(self, features, captions, keep=~_keep(captions.shape[1], captions.device))


@mistake(SCORED, hint="There is no mask, so words see those that they should predict.")
def future_seen(self, features, captions):
    return _scores(self, features, captions, masked=False)


@mistake(SCORED, hint="The words have no positions: call `positional_encoding`.")
def without_positions(self, features, captions):
    return _scores(self, features, captions, words=self.embedding(captions))


@mistake(SCORED, hint="The memory gets a position as well: positions are added to words alone.")
def positions_in_the_memory(self, features, captions):
    memory = self.positional_encoding(self.visual_projection(features)[:, None])
    return _scores(self, features, captions, memory=memory)


@mistake(SCORED, hint="The picture gets the positions in place of the words: it is words that have an order.")
def positions_for_the_picture(self, features, captions):
    memory = self.positional_encoding(self.visual_projection(features)[:, None])
    return _scores(self, features, captions, memory=memory, words=self.embedding(captions))


@mistake(SCORED, hint="Only the first layer is used: `transformer` has several.")
def first_layer_alone(self, features, captions):
    return _scores(self, features, captions, layers=self.transformer[:1])


@mistake(SCORED, hint="Every layer reads the words anew: it should read what the one before made.")
def last_layer_alone(self, features, captions):
    return _scores(self, features, captions, layers=self.transformer[-1:])


@mistake(SCORED, hint="Picture and words are mixed by adding: the picture is the memory that layers ask.")
def picture_added(self, features, captions):
    words = self.positional_encoding(self.embedding(captions)) + self.visual_projection(features)[:, None]
    return _scores(self, features, captions, words=words)


@mistake(SCORED, hint="What comes back are vectors of words: `output` makes scores of them.")
def without_output(self, features, captions):
    x = self.positional_encoding(self.embedding(captions))
    for layer in self.transformer:
        x = layer(x, self.visual_projection(features)[:, None], _keep(captions.shape[1], captions.device))
    return x


def _said(self, features, max_length, *, place=-1, feed=True):
    said = torch.full((len(features), 1), self.start, device=features.device)
    for _ in range(max_length):
        read = said if feed else said[:, -1:]
        best = self.forward(features, read)[:, place, None].argmax(dim=2)
        said = torch.cat([said, best], dim=1)
    return said


@mistake(SAID, hint="<START> comes back too: the first word returned is the one behind it.")
def with_start(self, features, max_length=30):
    return _said(self, features, max_length - 1)


@mistake(SAID, hint="Only the last word is read, but nothing is remembered: read all words so far.")
def reads_the_last_alone(self, features, max_length=30):
    return _said(self, features, max_length, feed=False)[:, 1:]


@mistake(SAID, hint="The next word is taken from the first position; it follows the last word said.")
def from_the_first_position(self, features, max_length=30):
    return _said(self, features, max_length, place=0)[:, 1:]


@mistake(SAID, hint="One word is missing: max_length words are due, <START> not among them.")
def one_word_less(self, features, max_length=30):
    return _said(self, features, max_length - 1)[:, 1:]


@mistake(SAID, hint="`squeeze` without an axis also drops the pictures' axis when there is one picture.")
def squeezed(self, features, max_length=30):
    return _said(self, features, max_length)[:, 1:].squeeze()


@mistake(SAID, hint="The first word read is <NULL>; it is <START>.")
def starts_with_null(self, features, max_length=30):
    said = torch.full((len(features), 1), self.null, device=features.device)
    for _ in range(max_length):
        said = torch.cat([said, self.forward(features, said)[:, -1:].argmax(dim=2)], dim=1)
    return said[:, 1:]


@mistake(SAID, hint="The captions of one picture have lost their first axis: N is 1 there, and stays.")
def one_picture_alone(self, features, max_length=30):
    return _said(self, features, max_length)[:, 1:].squeeze(0)
