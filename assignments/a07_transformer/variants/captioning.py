"""Right versions of `transformer.captioning`, written otherwise."""

import torch

from exercise_code.support.checking.declare import variant

CAPTIONER = "transformer.captioning.CaptioningTransformer."


@variant(f"{CAPTIONER}forward")
def with_a_mask_by_comparing(self, features, captions):
    places = torch.arange(captions.shape[1], device=captions.device)
    mask = places[None, :] <= places[:, None]
    vectors = self.positional_encoding(self.embedding(captions))
    memory = self.visual_projection(features[:, None, :])
    for number in range(len(self.transformer)):
        vectors = self.transformer[number](tgt=vectors, memory=memory, tgt_mask=mask)
    return self.output(vectors)


@variant(f"{CAPTIONER}sample")
def word_by_word(self, features, max_length=30):
    words = [torch.full((len(features),), self.start, dtype=torch.int64, device=features.device)]
    while len(words) <= max_length:
        scores = self.forward(features, torch.stack(words, dim=1))
        words.append(scores[:, -1].argmax(dim=-1))
    return torch.stack(words[1:], dim=1)


@variant(f"{CAPTIONER}sample")
def into_a_full_table(self, features, max_length=30):
    said = torch.full((len(features), max_length + 1), self.start, device=features.device)
    for place in range(max_length):
        said[:, place + 1] = self.forward(features, said[:, : place + 1])[:, place].argmax(dim=1)
    return said[:, 1:]
