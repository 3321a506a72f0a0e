"""Right versions of `rnn.char_lm`, written otherwise."""

import torch

from exercise_code.rnn.captioning import word_probabilities
from exercise_code.support.checking.declare import variant

SAMPLE = "rnn.char_lm.sample_text"


@variant(SAMPLE)
def in_one_loop(model, seed, length, temperature=1.0, random=None):
    text, state, number = seed, model.start_state(), model.end
    for place in range(len(seed) + length):
        scores, state = model.step(torch.tensor([number], device=state.device), state)
        if place < len(seed):
            number = model.letters.index(seed[place])
            continue
        number = int(torch.multinomial(word_probabilities(scores, temperature)[0], 1, generator=random))
        if number == model.end:
            break
        text += model.letters[number]
    return text


@variant(SAMPLE)
def with_a_list(model, seed, length, temperature=1.0, random=None):
    state = model.start_state()
    numbers = [model.end] + [model.letters.index(letter) for letter in seed]
    for number in numbers[:-1]:
        _, state = model.step(torch.tensor([number], device=state.device), state)
    while len(numbers) - 1 < len(seed) + length:
        scores, state = model.step(torch.tensor(numbers[-1:], device=state.device), state)
        following = word_probabilities(scores, temperature).multinomial(1, generator=random)
        if following.item() == model.end:
            break
        numbers.append(following.item())
    return "".join(model.letters[number] for number in numbers[1:])
