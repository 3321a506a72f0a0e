"""CIFAR-10: decoded once out of either form of its archive, then read from a memory-mapped cache."""

import io
import pickle
import re
import stat
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from itertools import starmap
from lzma import LZMAError
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
import torch
from jaxtyping import Float, Int
from PIL import Image
from torch import Tensor

from exercise_code.support.data import registry
from exercise_code.support.data.registry import DataError, DataSet, File

SHAPE = (3, 32, 32)
BATCH = re.compile(r"cifar-10-batches-py/(data_batch_[1-5]|test_batch|batches\.meta)")
IMAGE = re.compile(r"(?:\./)?(?P<split>train|test)/(?P<label>[^/]+)/(?P<number>\d+)\.(?i:jpe?g|png)")

ALLOWED = {
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("numpy.core.multiarray", "_reconstruct"): np.empty(0).__reduce__()[0],
    ("numpy._core.multiarray", "_reconstruct"): np.empty(0).__reduce__()[0],
    ("numpy._core.numeric", "_frombuffer"): np.empty(0).__reduce_ex__(5)[0],
    ("_codecs", "encode"): lambda text, _: text.encode("latin1"),
}

Images = Iterable[np.ndarray]  # blocks of uint8 images (n, 3, 32, 32)


class _ArrayUnpickler(pickle.Unpickler):
    """Reads plain values and numpy arrays; anything else a pickle might call is refused."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in ALLOWED:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}")
        return ALLOWED[module, name]


def _members(path: Path, pattern: re.Pattern[str]) -> Iterator[tuple[re.Match[str], bytes]]:
    """The regular files in a tar or zip archive whose whole name matches, in their order."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            for info in archive.infolist():
                is_regular = stat.S_IFMT(info.external_attr >> 16) in (0, stat.S_IFREG)
                if is_regular and (match := pattern.fullmatch(info.filename)):
                    yield match, archive.read(info)
    else:
        with tarfile.open(path) as archive:
            for member in archive:
                if member.isreg() and (match := pattern.fullmatch(member.name)):
                    yield match, cast(IO[bytes], archive.extractfile(member)).read()


def _read_pickles(path: Path, classes: tuple[str, ...]) -> Mapping[str, tuple[Images, list[int]]]:
    """The official archive: batches of rows of 3 x 32 x 32 bytes, in random order."""
    contents = {}
    for match, raw in _members(path, BATCH):
        try:
            contents[match[1]] = _ArrayUnpickler(io.BytesIO(raw), encoding="bytes").load()
        except Exception as error:  # a damaged pickle can raise anything
            raise DataError(f"{path}: {match[0]} is not a pickle of arrays: {error}") from None
    try:
        names = tuple(name.decode() for name in contents.pop("batches.meta")[b"label_names"])
        if names != classes:
            raise DataError(f"{path} has other classes than the registry: {', '.join(names)}")
        splits: dict[str, tuple[list[np.ndarray], list[int]]] = {split: ([], []) for split in registry.SPLITS}
        for name, batch in sorted(contents.items()):
            images, labels = splits["test" if name == "test_batch" else "train"]
            if batch[b"data"].dtype != np.uint8 or not set(batch[b"labels"]) <= set(range(len(classes))):
                raise ValueError(f"{name} has other values than bytes and labels")
            images.append(batch[b"data"].reshape(len(batch[b"labels"]), *SHAPE))
            labels.extend(batch[b"labels"])
    except (KeyError, ValueError, AttributeError, TypeError) as error:
        raise DataError(f"{path} is not laid out as CIFAR-10 is: {error!r}") from None
    return splits


def _read_folders(path: Path, classes: tuple[str, ...]) -> Mapping[str, tuple[Images, list[int]]]:
    """Image files `<split>/<class>/<number>.<ext>`, interleaved: number by number, each class in turn."""
    splits: dict[str, list[tuple[int, int, str, bytes]]] = {split: [] for split in registry.SPLITS}
    for match, raw in _members(path, IMAGE):
        if match["label"] in classes:
            label = classes.index(match["label"])
            splits[match["split"]].append((int(match["number"]), label, f"{path}: {match[0]}", raw))
    for members in splits.values():
        members.sort()
    return {
        split: (
            starmap(_decode, [(name, raw) for _, _, name, raw in members]),
            [label for _, label, _, _ in members],
        )
        for split, members in splits.items()
    }


def _decode(name: str, raw: bytes) -> np.ndarray:
    try:
        with Image.open(io.BytesIO(raw)) as image:
            if image.size != SHAPE[1:]:
                raise DataError(f"{name} is {image.width} x {image.height} pixels, not 32 x 32")
            return np.asarray(image.convert("RGB")).transpose(2, 0, 1)[None]
    except (OSError, SyntaxError, ValueError) as error:
        raise DataError(f"{name} is not an image: {error}") from None


def _decode_archive(data_set: DataSet, file: File, path: Path) -> Path:
    """Write the images of an archive as arrays that can be memory-mapped.

    The folder appears complete or not at all; of two processes that write it the first one wins.
    """
    cache = registry.home() / "cache"
    target = cache / registry.cache_name(file)
    read = {"pickles": _read_pickles, "folders": _read_folders}[file.form]
    try:
        splits = read(path, data_set.classes)
    except (tarfile.TarError, zipfile.BadZipFile, LZMAError, zlib.error, EOFError, OSError) as error:
        raise DataError(f"{path} is not an archive that can be read: {error}") from None
    with tempfile.TemporaryDirectory(dir=cache) as temporary:
        folder = Path(temporary) / target.name
        folder.mkdir()
        for split in file.splits:
            images, labels = splits[split]
            if not labels:
                raise DataError(f"{path} has no images of the split {split}")
            _write(folder / split, images, labels, title=f"decoding {data_set.name} {split}")
        try:
            folder.rename(target)
        except OSError:
            if not target.is_dir():
                raise
    return target


def _write(path: Path, images: Images, labels: list[int], title: str) -> None:
    array = np.lib.format.open_memmap(f"{path}_images.npy", "w+", np.uint8, (len(labels), *SHAPE))
    done = 0
    with registry.Bar(total=len(labels), desc=title, unit=" images") as bar:
        for block in images:
            array[done : done + len(block)] = block
            done += len(block)
            bar.update(len(block))
    assert done == len(labels)
    array.flush()
    np.save(f"{path}_labels.npy", np.array(labels, dtype=np.int64))


def cached(splits: tuple[str, ...] = registry.SPLITS) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Images and labels of the splits, memory-mapped; fetched and decoded first where needed.

    Returns:
        For each split its images (N, 3, 32, 32) in uint8, and its labels (N,) in int64.

    Raises:
        DataError: a file is damaged, or not here and not to be downloaded.
    """
    data_set = registry.find("cifar10")
    arrays = {}
    for file in registry.obtain(data_set, splits):
        folder = registry.cache_folder(file) or _decode_archive(data_set, file, registry.copies(file)[0])
        try:
            for split in set(splits) & set(file.splits):
                arrays[split] = tuple(
                    np.load(folder / f"{split}_{part}.npy", mmap_mode="r") for part in ("images", "labels")
                )
        except (OSError, ValueError, EOFError):
            raise DataError(f"{folder} is damaged: delete it, and it will be decoded again") from None
    return arrays


def cifar10(
    num_train: int | None = None, num_test: int | None = None, x_dtype: torch.dtype = torch.float32
) -> tuple[
    Float[Tensor, "num_train 3 32 32"],
    Int[Tensor, " num_train"],
    Float[Tensor, "num_test 3 32 32"],
    Int[Tensor, " num_test"],
]:
    """The first images of CIFAR-10; they are the same however many are asked for.

    A. Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009.

    Args:
        num_train: training images, 0 to 50,000; None is all of them.
        num_test: test images, 0 to 10,000; None is all of them.
        x_dtype: floating-point type of the images.

    Returns:
        x_train, y_train, x_test, y_test: images in [0, 1], labels int64 in the order of `classes`.

    Raises:
        DataError: a file is damaged, or not here and not to be downloaded.
        ValueError: more images are asked for than there are, or x_dtype is not a floating-point type.
    """
    if not x_dtype.is_floating_point:
        raise ValueError(f"x_dtype is {x_dtype}: images in [0, 1] need a floating-point type")
    counts = {"train": num_train, "test": num_test}
    arrays = cached(tuple(split for split in registry.SPLITS if counts[split] != 0))
    tensors = []
    for split, count in counts.items():
        images, labels = arrays.get(split, (np.empty((0, *SHAPE), np.uint8), np.empty(0, np.int64)))
        if count is not None and not 0 <= count <= len(labels):
            raise ValueError(f"num_{split} is {count}: cifar10 has {len(labels):,} images in this split")
        tensors.append(torch.from_numpy(np.array(images[:count])).to(x_dtype).div_(255))
        tensors.append(torch.from_numpy(np.array(labels[:count])))
    x_train, y_train, x_test, y_test = tensors
    return x_train, y_train, x_test, y_test
