"""Images in folders, one folder for each class."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float
from PIL import Image
from tqdm import tqdm

from exercise_code.data.base_dataset import SPLIT, Dataset, select_split

Picture = Float[np.ndarray, "height width 3"]


class ImageFolderDataset(Dataset):
    """Images that are read from disk when they are asked for; only their paths are kept.

    Attributes:
        classes: names of the folders, sorted; a label is a place in this list.
        class_to_idx: the label of each name.
        images: paths.
        labels: one for each path.
        transform: a function of an image, or None.
    """

    def __init__(
        self,
        *args: Any,
        transform: Callable[[Any], Any] | None = None,
        mode: str | None = None,
        split: Mapping[str, float] = SPLIT,
        limit_files: int | None = None,
        **kwargs: Any,
    ):
        """Look which images there are.

        Args:
            *args: as for `Dataset`: root, the folder that holds a folder of PNG files for each class.
            transform: applied to each image when it is asked for.
            mode: "train", "val" or "test" for that part of the images; None for all of them, class by class.
            split: the share of each part.
            limit_files: keep no more than so many images.
            **kwargs: as for `Dataset`.
        """
        super().__init__(*args, **kwargs)
        self.transform = transform
        self.classes, self.class_to_idx = self._find_classes(self.root)
        paths, labels = self.make_dataset(self.root, self.class_to_idx)
        chosen = range(len(paths)) if mode is None else select_split(len(paths), mode, split)
        self.images: list[Any] = [paths[i] for i in chosen[:limit_files]]
        self.labels = [labels[i] for i in chosen[:limit_files]]

    @staticmethod
    def _find_classes(directory: Path) -> tuple[list[str], dict[str, int]]:
        """The names of the folders in a directory, sorted, and the place of each."""
        classes = sorted(entry.name for entry in directory.iterdir() if entry.is_dir())
        return classes, {name: label for label, name in enumerate(classes)}

    @staticmethod
    def make_dataset(directory: Path, class_to_idx: Mapping[str, int]) -> tuple[list[Path], list[int]]:
        """The paths of the PNG files of each class, sorted, and their labels."""
        files = [
            (path, idx)
            for name, idx in class_to_idx.items()
            for path in sorted((directory / name).glob("*.png"))
        ]
        return [path for path, _ in files], [idx for _, idx in files]

    @staticmethod
    def load_image_as_numpy(image: Path) -> Picture:
        """Read an image file: float64, from 0 to 255, with the colours in the last axis."""
        with Image.open(image) as opened:
            return np.asarray(opened.convert("RGB"), dtype=float)

    def __len__(self) -> int:
        """The number of images."""
        ### BEGIN SOLUTION
        return len(self.images)
        ### END SOLUTION

    def __getitem__(self, index: int) -> dict[str, Any]:
        """Load one image, and apply the transform if there is one.

        A subclass may load images in another way: what loads them is `load_image_as_numpy` of this very
        object, whatever class it is of.

        Args:
            index: from 0 to len(self) - 1.

        Returns:
            {"image": what `load_image_as_numpy` gives, transformed; "label": the label, an int}.
        """
        ### BEGIN SOLUTION
        image = self.load_image_as_numpy(self.images[index])
        if self.transform is not None:
            image = self.transform(image)
        return {"image": image, "label": self.labels[index]}
        ### END SOLUTION


class MemoryImageFolderDataset(ImageFolderDataset):
    """The same images, all read at once and kept: more memory, and no waiting for the disk later."""

    def __init__(self, *args: Any, **kwargs: Any):
        """Read all images; the arguments are those of `ImageFolderDataset`."""
        super().__init__(*args, **kwargs)
        paths = tqdm(self.images, file=sys.stdout, leave=False)
        self.images = [ImageFolderDataset.load_image_as_numpy(path) for path in paths]

    @staticmethod
    def load_image_as_numpy(image: Picture) -> Picture:
        """What is kept is the image itself."""
        return image
