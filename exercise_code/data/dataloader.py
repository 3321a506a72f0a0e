"""Samples into batches."""

from collections.abc import Iterator

import numpy as np

from exercise_code.data.base_dataset import Dataset


class DataLoader:
    """Goes through a data set batch by batch, as `torch.utils.data.DataLoader` does."""

    def __init__(
        self,
        dataset: Dataset,
        batch_size: int = 1,
        shuffle: bool = False,
        drop_last: bool = False,
        seed: int | None = None,
    ):
        """Store the data set and how to batch it.

        Args:
            dataset: anything with `len(dataset)` and `dataset[index]`, whose samples are dicts.
            batch_size: samples in a batch.
            shuffle: go through the samples in a random order, another one each time.
            drop_last: leave out the last batch if it is not full.
            seed: of the random numbers, `self.random`.
        """
        self.dataset, self.batch_size = dataset, batch_size
        self.shuffle, self.drop_last = shuffle, drop_last
        self.random = np.random.default_rng(seed)

    def __len__(self) -> int:
        """The number of batches of one time through the data set."""
        ### BEGIN SOLUTION
        full, rest = divmod(len(self.dataset), self.batch_size)
        return full + (rest > 0 and not self.drop_last)
        ### END SOLUTION

    def __iter__(self) -> Iterator[dict[str, np.ndarray]]:
        """Yield one batch after another; samples are asked for only when their batch is due.

        Yields:
            A dict with the keys of the samples; its values are arrays with one entry for each sample.
        """
        ### BEGIN SOLUTION
        order = np.arange(len(self.dataset))
        if self.shuffle:
            order = self.random.permutation(order)
        for batch in range(len(self)):
            chosen = order[batch * self.batch_size : (batch + 1) * self.batch_size]
            samples = [self.dataset[int(index)] for index in chosen]
            yield {key: np.array([sample[key] for sample in samples]) for key in samples[0]}
        ### END SOLUTION
