"""How people get `rnn.char_lm` wrong, and the hint each mistake deserves."""

import torch

from exercise_code.rnn.captioning import word_probabilities
from exercise_code.support.checking.declare import mistake

SAMPLE = "rnn.char_lm.sample_text"


def _written(
    model,
    seed,
    length,
    temperature,
    random,
    *,
    before=None,
    read_seed=True,
    pick=None,
    total=False,
    fed=None,
    keep_state=True,
    keep_end=False,
    stop=True,
):
    def step(number):
        nonlocal state
        scores, following = model.step(torch.tensor([number], device=state.device), state)
        state = following if keep_state else state
        return scores

    state, added = model.start_state(), ""
    for number in [model.end] if before is None else before:
        scores = step(number)
    for letter in seed if read_seed else "":
        scores = step(model.letters.index(letter))
    pick = pick or (lambda p: int(p.multinomial(1, generator=random)))
    for _ in range(max(0, length - len(seed)) if total else length):
        number = pick(word_probabilities(scores, temperature))
        if number == model.end and stop:
            return seed + added + ("." if keep_end else "")
        added += model.letters[min(number, len(model.letters) - 1)]
        scores = step(number if fed is None else fed(number))
    return seed + added


@mistake(SAMPLE, hint="`end` is not read before the first letter: the model has always begun with it.")
def without_the_end_at_the_start(model, seed, length, temperature=1.0, random=None):
    if not seed:
        return _written(model, seed, length, temperature, random, before=[0])
    return _written(model, seed, length, temperature, random, before=[])


@mistake(SAMPLE, hint="The seed is not read: the model has to see it before it goes on.")
def without_reading_the_seed(model, seed, length, temperature=1.0, random=None):
    return _written(model, seed, length, temperature, random, read_seed=False)


@mistake(
    SAMPLE,
    hint="An empty seed has no last letter to begin with: the first thing read is always `end`.",
    raises=IndexError,
)
def from_the_last_letter(model, seed, length, temperature=1.0, random=None):
    return _written(model, seed[:-1], length, temperature, random, before=[model.letters.index(seed[-1])])


@mistake(SAMPLE, hint="`end` is read only where there is no seed: it comes before the first letter always.")
def end_or_seed(model, seed, length, temperature=1.0, random=None):
    return _written(model, seed, length, temperature, random, before=[] if seed else None)


@mistake(SAMPLE, hint="Only the last letter of the seed is read: the model has to see all of them.")
def last_letter_of_the_seed(model, seed, length, temperature=1.0, random=None):
    return seed[:-1] + _written(model, seed[-1:], length, temperature, random)


@mistake(SAMPLE, hint="The seed's state is kept while letters are added: hand on what each step returns.")
def state_of_the_seed(model, seed, length, temperature=1.0, random=None):
    state, added = model.start_state(), ""
    for number in (model.end, *map(model.letters.index, seed)):
        scores, state = model.step(torch.tensor([number], device=state.device), state)
    for _ in range(length):
        number = word_probabilities(scores, temperature).multinomial(1, generator=random).squeeze(1)
        if number == model.end:
            break
        added += model.letters[number]
        scores, _ = model.step(number, state)
    return seed + added


@mistake(SAMPLE, hint="The seed is left out of what comes back: it is the beginning of the text.")
def without_returning_the_seed(model, seed, length, temperature=1.0, random=None):
    return _written(model, seed, length, temperature, random)[len(seed) :]


@mistake(SAMPLE, hint="The length counts the letters of the seed: so many are to be added.")
def length_of_the_whole(model, seed, length, temperature=1.0, random=None):
    return _written(model, seed, length, temperature, random, total=True)


@mistake(SAMPLE, hint="`end` is read again at every step: the letter just drawn goes in.")
def reading_the_end_again(model, seed, length, temperature=1.0, random=None):
    return _written(model, seed, length, temperature, random, fed=lambda number: model.end)


@mistake(SAMPLE, hint="The state stays that of the start: hand on what each step returns.")
def without_a_state(model, seed, length, temperature=1.0, random=None):
    return _written(model, seed, length, temperature, random, keep_state=False)


@mistake(SAMPLE, hint="A sign for the end stands in the text: leave it out.")
def with_a_full_stop(model, seed, length, temperature=1.0, random=None):
    return _written(model, seed, length, temperature, random, keep_end=True)


@mistake(SAMPLE, hint="It goes on after `end`: stop there.")
def without_stopping(model, seed, length, temperature=1.0, random=None):
    return _written(model, seed, length, temperature, random, stop=False)


@mistake(SAMPLE, hint="One letter too few: `length` of them are to be added, unless the model ends before.")
def one_too_few(model, seed, length, temperature=1.0, random=None):
    return _written(model, seed, length - 1, temperature, random)


@mistake(SAMPLE, hint="The last letter of the seed is read twice.")
def reading_the_last_letter_twice(model, seed, length, temperature=1.0, random=None):
    if not seed:
        return _written(model, seed, length, temperature, random)
    text = _written(model, seed + seed[-1], length, temperature, random)
    return seed + text[len(seed) + 1 :]


@mistake(f"{SAMPLE}:law", hint="The best letter is always taken: draw it, with its probability.")
def greedy_letters(model, seed, length, temperature=1.0, random=None):
    return _written(model, seed, length, temperature, random, pick=lambda p: int(p.argmax()))


@mistake(f"{SAMPLE}:law", hint="`random` is not used: hand it to `multinomial` as its generator.")
def generator_ignored(model, seed, length, temperature=1.0, random=None):
    return _written(model, seed, length, temperature, None)


@mistake(
    f"{SAMPLE}:law", hint="The temperature has no effect: `word_probabilities` divides the scores by it."
)
def temperature_ignored(model, seed, length, temperature=1.0, random=None):
    return _written(model, seed, length, 1.0, random)


@mistake(f"{SAMPLE}:law", hint="The scores are multiplied by the temperature: divide by it.")
def temperature_upside_down(model, seed, length, temperature=1.0, random=None):
    return _written(model, seed, length, 1 / temperature, random)


@mistake(f"{SAMPLE}:law", hint="All letters are equally likely here: draw with the probabilities as weights.")
def drawn_evenly(model, seed, length, temperature=1.0, random=None):
    return _written(
        model,
        seed,
        length,
        temperature,
        random,
        pick=lambda p: int((p > 1e-6).float().multinomial(1, generator=random)),
    )
