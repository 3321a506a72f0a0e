"""What a data set is: something with a length, whose samples can be asked for by number."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int

SPLIT = {"train": 0.6, "val": 0.2, "test": 0.2}


def select_split(
    num_samples: int, mode: str, split: Mapping[str, float] = SPLIT, seed: int = 0
) -> Int[np.ndarray, " num_chosen"]:
    """The numbers of the samples that belong to one part of a split, in no order.

    All samples are shuffled first, always alike for one seed, so that the parts are disjoint and every kind
    of sample gets into each; then the parts are cut off one after another. A cut lies at the sum of the
    shares so far times num_samples, rounded.

    Args:
        num_samples: how many samples there are.
        mode: name of the part that is wanted, a key of split.
        split: the share of each part, in the order in which they are cut off; they add up to 1.
        seed: another seed is another split.

    Returns:
        Different integers from 0 to num_samples - 1.
    """
    ### BEGIN SOLUTION
    order = np.random.default_rng(seed).permutation(num_samples)
    cuts = np.round(np.cumsum(list(split.values())) * num_samples).astype(int)
    return np.split(order, cuts)[list(split).index(mode)]
    ### END SOLUTION


class Dataset(ABC):
    """Samples that lie in a folder or a file; each is a dict of numbers and arrays by name."""

    def __init__(
        self,
        root: str | Path,
        download_url: str | None = None,
        force_download: bool = False,
        verbose: bool = False,
    ):
        """Find the data, or fetch it.

        Args:
            root: the folder or file.
            download_url: a zip archive, unpacked into root where root does not exist yet.
            force_download: fetch it even if root exists.
            verbose: show how far the download is.

        Raises:
            FileNotFoundError: root does not exist, and there is no address to fetch it from.
        """
        self.root = Path(root)
        if download_url and (force_download or not self.root.exists()):
            self._download(download_url, verbose)
        if not self.root.exists():
            raise FileNotFoundError(
                f"{self.root} does not exist: name the folder or file that holds the data"
            )

    @abstractmethod
    def __len__(self) -> int:
        """The number of samples."""

    @abstractmethod
    def __getitem__(self, index: int) -> dict[str, Any]:
        """The sample of that number, from 0 on."""

    def _download(self, url: str, verbose: bool) -> None:
        import pooch

        pooch.get_logger().disabled = True  # it writes to stderr
        folder = self.root.resolve()
        folder.mkdir(parents=True, exist_ok=True)
        unpack = pooch.Unzip(extract_dir=str(folder))
        downloader = pooch.HTTPDownloader(progressbar=verbose, timeout=15)
        archive = f"{folder.name}.zip"
        (folder.parent / archive).unlink(missing_ok=True)
        pooch.retrieve(url, None, archive, folder.parent, processor=unpack, downloader=downloader)


class DummyDataset(Dataset):
    """The multiples of a number: a data set to see through at a glance."""

    def __init__(self, divisor: int, limit: int):
        """Make the samples {"data": 0}, {"data": divisor}, {"data": 2 * divisor} and so on, below limit."""
        self.numbers = range(0, limit, divisor)

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, index: int) -> dict[str, int]:
        return {"data": self.numbers[index]}
