"""How people get `data.dataloader` wrong, and the hint each mistake deserves."""

import math

import numpy as np

from exercise_code.support.checking.declare import mistake

BATCHES = "data.dataloader.DataLoader.__len__"


@mistake(
    BATCHES, hint="There is always one more than the full batches, even where nothing is left: 9 / 3 gives 4."
)
def batches_always_one_more(self):
    full = len(self.dataset) // self.batch_size
    return full if self.drop_last else full + 1


@mistake(BATCHES, hint="Only full batches are counted: without drop_last the rest is a batch as well.")
def batches_full_only(self):
    return len(self.dataset) // self.batch_size


@mistake(BATCHES, hint="The rest is always counted: with drop_last it is left out.")
def batches_with_rest(self):
    return math.ceil(len(self.dataset) / self.batch_size)


@mistake(BATCHES, hint="This is the number of samples: divide by the size of a batch.")
def batches_samples(self):
    return len(self.dataset)


@mistake(BATCHES, hint="`/` gives a float, and a length must be a whole number.", raises=TypeError)
def batches_as_float(self):
    return len(self.dataset) / self.batch_size


@mistake(BATCHES, hint="drop_last works the wrong way round: True leaves the rest out.")
def batches_drop_reversed(self):
    full, rest = divmod(len(self.dataset), self.batch_size)
    return full + (rest > 0 and self.drop_last)


ITER = "data.dataloader.DataLoader.__iter__"


def _batches(loader, order, *, collate=None, stop=None):
    size = loader.batch_size
    collate = collate or (lambda samples: {k: np.array([s[k] for s in samples]) for k in samples[0]})
    last = len(order) - size + 1 if loader.drop_last else len(order)
    for start in range(0, last if stop is None else stop, size):
        yield collate([loader.dataset[int(i)] for i in order[start : start + size]])


def _order(loader):
    count = len(loader.dataset)
    return loader.random.permutation(count) if loader.shuffle else np.arange(count)


@mistake(ITER, hint="The values of a batch are lists: make arrays of them.")
def iter_gives_lists(self):
    yield from _batches(
        self, _order(self), collate=lambda samples: {k: [s[k] for s in samples] for k in samples[0]}
    )


@mistake(ITER, hint="A batch is a list of samples: it should be one dict, with an array for each key.")
def iter_gives_samples(self):
    yield from _batches(self, _order(self), collate=list)


@mistake(ITER, hint="The keys are fixed: a batch has the keys that its samples have, whatever these are.")
def iter_fixed_key(self):
    yield from _batches(self, _order(self), collate=lambda samples: {"data": np.array(samples)})


@mistake(ITER, hint="The last batch is lost even without drop_last.")
def iter_always_drops(self):
    yield from _batches(self, _order(self), stop=len(self.dataset) - self.batch_size + 1)


@mistake(ITER, hint="drop_last is not used: a batch that is not full comes out.")
def iter_never_drops(self):
    yield from _batches(self, _order(self), stop=len(self.dataset))


@mistake(ITER, hint="Samples are shuffled even where shuffle is False.")
def iter_always_shuffles(self):
    yield from _batches(self, self.random.permutation(len(self.dataset)))


@mistake(ITER, hint="The last batch is filled up with samples from the start, which then count twice.")
def iter_fills_up(self):
    order, size = _order(self), self.batch_size
    for batch in range(len(self)):
        yield from _batches(self, order[np.arange(batch * size, (batch + 1) * size) % len(order)])


@mistake(
    ITER + ":lazy",
    hint="All samples are loaded before the first batch comes out: load those of one batch at a time.",
)
def iter_loads_first(self):
    samples = [self.dataset[index] for index in range(len(self.dataset))]
    order, size = _order(self), self.batch_size
    for batch in range(len(self)):
        chosen = [samples[index] for index in order[batch * size : (batch + 1) * size]]
        yield {key: np.array([sample[key] for sample in chosen]) for key in chosen[0]}


@mistake(
    ITER + ":shuffle", hint="The order is the same in every epoch: shuffle each time that a new one starts."
)
def iter_same_order(self):
    order = np.random.default_rng(0).permutation(len(self.dataset))
    yield from _batches(self, order if self.shuffle else np.arange(len(order)))


@mistake(ITER + ":shuffle", hint="shuffle is not used: the samples come in their own order.")
def iter_never_shuffles(self):
    yield from _batches(self, np.arange(len(self.dataset)))


@mistake(ITER + ":shuffle", hint="Samples are drawn with repetition: in an epoch each comes exactly once.")
def iter_draws_with_repetition(self):
    count = len(self.dataset)
    yield from _batches(self, self.random.integers(0, count, count) if self.shuffle else np.arange(count))


@mistake(
    ITER + ":shuffle", hint="Whole batches change places, so the same samples always meet: mix the samples."
)
def iter_shuffles_batches(self):
    batches = list(_batches(self, np.arange(len(self.dataset))))
    order = self.random.permutation(len(batches)) if self.shuffle else range(len(batches))
    for place in order:
        yield batches[place]


@mistake(ITER, hint='The key "data" is written out: take whatever keys the samples have.', raises=KeyError)
def iterates_over_one_key(self):
    for start in range(0, len(self.dataset), self.batch_size):
        places = range(start, min(start + self.batch_size, len(self.dataset)))
        yield {"data": np.array([self.dataset[place]["data"] for place in places])}
