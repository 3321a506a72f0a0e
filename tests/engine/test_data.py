"""Real data sets: both forms of CIFAR-10, the registry, mirrors, damaged files and the command line."""

import hashlib
import io
import itertools
import logging
import os
import pickle
import re
import shutil
import stat
import struct
import subprocess
import sys
import tarfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pooch
import pytest
import torch
from PIL import Image

from exercise_code.support.data import DataError, available, cifar10, classes, cli, load, registry
from exercise_code.support.paths import DATASETS, ROOT

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
PER_CLASS = {"train": 4, "test": 2}
HEAD = f"""
[cifar10]
title = "tiny"
licence = "none"
citation = "nobody, 2024"
homepage = "https://example.org/"
classes = {list(CLASSES)}
"""


class Python2Pickler(pickle._Pickler):
    """Writes bytes and text as the `str` of Python 2, in which the official batches were written."""

    def save_string(self, value):
        raw = value if isinstance(value, bytes) else value.encode()
        self.write(pickle.BINSTRING + struct.pack("<i", len(raw)) + raw)
        self.memoize(value)

    dispatch = pickle._Pickler.dispatch | {bytes: save_string, str: save_string}


def python2_pickle(value: object) -> bytes:
    stream = io.BytesIO()
    Python2Pickler(stream, protocol=2).dump(value)
    return stream.getvalue().replace(b"cnumpy._core.multiarray\n", b"cnumpy.core.multiarray\n")


def tar(members: dict[str, bytes], mode: str = "w:gz") -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=mode) as archive:
        for name, raw in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(raw)
            archive.addfile(info, io.BytesIO(raw))
    return stream.getvalue()


def zipped(members: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, raw in members.items():
            archive.writestr(name, raw)
    return stream.getvalue()


def png(image: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(image.transpose(1, 2, 0)).save(stream, "png")
    return stream.getvalue()


def tiny_images() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    rng = np.random.default_rng(7)
    return {
        split: (rng.integers(0, 256, (10 * n, 3, 32, 32), dtype=np.uint8), np.tile(np.arange(10), n))
        for split, n in PER_CLASS.items()
    }


def folder_members(split: str) -> dict[str, bytes]:
    images, labels = tiny_images()[split]
    return {
        f"{split}/{CLASSES[label]}/{i // 10:04}.png": png(image)
        for i, (image, label) in enumerate(zip(images, labels, strict=True))
    }


def pickle_members() -> dict[str, bytes]:
    batches = {"batches.meta": {b"label_names": [name.encode() for name in CLASSES], b"num_vis": 3072}}
    (images, labels), test = tiny_images().values()
    parts = [(f"data_batch_{i + 1}", images[8 * i :][:8], labels[8 * i :][:8]) for i in range(5)]
    for name, x, y in [*reversed(parts), ("test_batch", *test)]:
        batches[name] = {
            b"batch_label": name.encode(),
            b"labels": y.tolist(),
            b"data": x.reshape(len(x), -1),
            b"filenames": [b"image.png"] * len(x),
        }
    return {f"cifar-10-batches-py/{name}": python2_pickle(batch) for name, batch in batches.items()}


@dataclass
class Course:
    """A course folder with a registry of its own, empty of data."""

    datasets: Path
    user: Path
    entries: list[str] = field(default_factory=list)

    def register(
        self, name: str, form: str, raw: bytes, splits: tuple[str, ...] = ("train", "test"), urls: tuple = ()
    ) -> str:
        self.entries.append(
            f'[[cifar10.files]]\nname = "{name}"\nform = "{form}"\n'
            f"splits = {list(splits)}\nurls = {list(urls)}\n"
            f'sha256 = "{hashlib.sha256(raw).hexdigest()}"\nbytes = {len(raw)}\n'
        )
        (self.datasets / "registry.toml").write_text("\n".join([HEAD, *self.entries]))
        return name

    def add(self, name: str, form: str, raw: bytes, place: Path | None = None, **entry) -> Path:
        path = (place or self.datasets / "cifar10") / self.register(name, form, raw, **entry)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(raw)
        return path

    def add_pickles(self, place: Path | None = None) -> Path:
        return self.add("official.tar.gz", "pickles", tar(pickle_members()), place)

    def add_folders(self, pack: Callable[[dict[str, bytes]], bytes] = tar) -> None:
        for split in PER_CLASS:
            self.add(f"{split}.archive", "folders", pack(folder_members(split)), splits=(split,))


@pytest.fixture
def course(tmp_path, monkeypatch) -> Course:
    course = Course(tmp_path / "course" / "datasets", tmp_path / "user")
    course.datasets.mkdir(parents=True)
    monkeypatch.setattr(registry, "DATASETS", course.datasets)
    monkeypatch.setattr(pooch, "os_cache", lambda name: course.user / name)
    monkeypatch.delenv("WORKBOOK_DATA", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return course


def assert_tiny(tensors: tuple[torch.Tensor, ...], num_train: int = 40, num_test: int = 20) -> None:
    """The tensors are those of `tiny_images`."""
    (x_train, y_train), (x_test, y_test) = tiny_images().values()
    expected = (x_train[:num_train] / 255, y_train[:num_train], x_test[:num_test] / 255, y_test[:num_test])
    for tensor, array in zip(tensors, expected, strict=True):
        torch.testing.assert_close(tensor.double(), torch.from_numpy(array).double(), rtol=0, atol=1e-7)


@pytest.mark.parametrize("pack", [tar, lambda members: tar(members, "w:xz"), zipped], ids=["gz", "xz", "zip"])
def test_both_forms_give_the_same_tensors(course, pack):
    course.add_folders(pack)
    from_folders = cifar10()
    course.add_pickles()
    course.entries.insert(0, course.entries.pop())
    (course.datasets / "registry.toml").write_text("\n".join([HEAD, *course.entries]))
    from_pickles = cifar10()
    assert len(list((course.datasets / "cache").glob("cifar10-*"))) == 3
    assert_tiny(from_folders)
    for a, b in zip(from_folders, from_pickles, strict=True):
        assert a.dtype == b.dtype and torch.equal(a, b)
    assert from_folders[1].dtype == torch.int64


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_batches_pickled_by_python_3_are_read_too(course, protocol):
    members = {
        name: pickle.dumps(pickle.loads(raw, encoding="bytes"), protocol=protocol)
        for name, raw in pickle_members().items()
    }
    course.add("repacked.tar.gz", "pickles", tar(members))
    assert_tiny(cifar10())


def test_the_first_images_are_the_same_whatever_the_number(course):
    course.add_folders()
    assert_tiny(load("cifar10", 10, 3), 10, 3)
    assert_tiny(load("cifar10", 33, 0), 33, 0)
    assert load("cifar10", 10, 0)[1].tolist() == list(range(10))


def test_members_are_interleaved_by_number_whatever_their_order(course):
    rng = np.random.default_rng(1)
    for split in PER_CLASS:
        members = folder_members(split)
        names = rng.permutation(list(members)).tolist()
        raw = tar({f"./{name.replace('/000', '/')}": members[name] for name in names})
        course.add(f"{split}.tar.gz", "folders", raw, splits=(split,))
    assert_tiny(cifar10())


def test_numbers_are_ordered_as_numbers(course):
    images = np.stack([np.full((3, 32, 32), i, np.uint8) for i in range(12)])
    raw = tar({f"test/cat/{i}.png": png(image) for i, image in reversed(list(enumerate(images)))})
    course.add("test.tar.gz", "folders", raw, splits=("test",))
    _, _, x_test, y_test = cifar10(num_train=0)
    assert (x_test[:, 0, 0, 0] * 255).round().tolist() == list(range(12))
    assert set(y_test.tolist()) == {3}


@pytest.mark.parametrize("x_dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_images_have_the_type_asked_for(course, x_dtype):
    course.add_pickles()
    x_train, y_train, x_test, _ = load("cifar10", 4, 4, x_dtype)
    assert x_train.dtype == x_test.dtype == x_dtype and y_train.dtype == torch.int64
    assert x_train.min() >= 0 and x_train.max() == 1


def test_impossible_requests_are_refused(course):
    course.add_pickles()
    with pytest.raises(ValueError, match="num_train is 41: cifar10 has 40 images"):
        cifar10(num_train=41)
    with pytest.raises(ValueError, match="num_test is -1"):
        cifar10(num_test=-1)
    with pytest.raises(ValueError, match="floating-point"):
        cifar10(x_dtype=torch.uint8)
    for ask in (load, available, classes):
        with pytest.raises(DataError, match=r"no data set 'imagenet'.*shapes, cifar10"):
            ask("imagenet")


def test_official_pixels_are_preferred(course):
    course.add("official.tar.gz", "pickles", tar(pickle_members()))
    other = tar({f"{s}/dog/0.png": png(np.zeros((3, 32, 32), np.uint8)) for s in PER_CLASS})
    course.add("folders.tar.gz", "folders", other)
    assert_tiny(cifar10())
    (course.datasets / "cifar10" / "official.tar.gz").unlink()
    shutil.rmtree(course.datasets / "cache")
    assert cifar10()[1].tolist() == [5]


def test_shapes_are_always_there(course):
    (course.datasets / "registry.toml").unlink(missing_ok=True)
    assert available("shapes") and len(classes("shapes")) == 10
    assert load("shapes", 3, 2)[2].shape == (2, 3, 32, 32)


def test_odd_members_are_ignored(course):
    images, _ = tiny_images()["test"]
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name in (
            "../test/cat/1.png",
            "/test/cat/2.png",
            "test/cat/x.png",
            "test/unicorn/3.png",
            "test/cat/4.txt",
        ):
            info = tarfile.TarInfo(name)
            info.size = 3
            archive.addfile(info, io.BytesIO(b"bad"))
        for kind, name in ((tarfile.SYMTYPE, "test/cat/5.png"), (tarfile.FIFOTYPE, "test/cat/6.png")):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
        info = tarfile.TarInfo("test/cat/7.png")
        info.size = len(png(images[0]))
        archive.addfile(info, io.BytesIO(png(images[0])))
    course.add("test.tar.gz", "folders", stream.getvalue(), splits=("test",))
    x_test = cifar10(num_train=0)[2]
    assert len(x_test) == 1 and torch.equal((x_test[0] * 255).round().byte(), torch.from_numpy(images[0]))


def test_links_in_a_zip_are_ignored(course):
    image = png(tiny_images()["test"][0][0])
    link = zipfile.ZipInfo("test/cat/1.png")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    raw = zipped({link: b"/etc/passwd", "test/cat/2.png": image})
    course.add("test.zip", "folders", raw, splits=("test",))
    assert len(cifar10(num_train=0)[2]) == 1


class Payload:
    def __init__(self, target: Path):
        self.target = target

    def __reduce__(self):
        return os.mkdir, (str(self.target),)


@pytest.mark.parametrize("member", ["data_batch_3", "batches.meta"])
def test_a_malicious_pickle_is_refused_and_not_run(course, tmp_path, member):
    target = tmp_path / "owned"
    raw = pickle.dumps({b"data": Payload(target)}, protocol=2)
    course.add("official.tar.gz", "pickles", tar(pickle_members() | {f"cifar-10-batches-py/{member}": raw}))
    with pytest.raises(DataError, match=rf"{member} is not a pickle of arrays: it asks for \w+\.mkdir"):
        cifar10()
    assert not target.exists()
    assert not list((course.datasets / "cache").glob("cifar10-*"))
    pickle.loads(raw)
    assert target.exists(), "the payload itself works"


@pytest.mark.parametrize(
    ("form", "members", "message"),
    [
        ("folders", {"readme.txt": b"nothing"}, "no images of the split train"),
        ("folders", {"train/cat/1.png": b"no image"}, r"train/cat/1\.png is not an image"),
        ("folders", {"train/cat/1.png": png(np.zeros((3, 8, 9), np.uint8))}, "9 x 8 pixels, not 32 x 32"),
        ("pickles", {"readme.txt": b"nothing"}, "not laid out as CIFAR-10"),
        (
            "pickles",
            {"cifar-10-batches-py/test_batch": b"\x80garbage"},
            "test_batch is not a pickle of arrays",
        ),
        (
            "pickles",
            pickle_members()
            | {"cifar-10-batches-py/batches.meta": python2_pickle({b"label_names": [b"a", b"b"]})},
            "other classes than the registry: a, b",
        ),
        (
            "pickles",
            pickle_members()
            | {
                "cifar-10-batches-py/data_batch_1": python2_pickle(
                    {b"data": np.zeros((1, 3072)), b"labels": [1]}
                )
            },
            "data_batch_1 has other values",
        ),
    ],
)
def test_an_archive_with_the_wrong_content_is_refused(course, form, members, message):
    course.add("archive.tar.gz", form, tar(members))
    with pytest.raises(DataError, match=message):
        cifar10()


def test_a_file_that_is_no_archive_is_refused(course):
    course.add("archive.tar.gz", "pickles", b"no archive at all")
    with pytest.raises(DataError, match=r"archive\.tar\.gz is not an archive"):
        cifar10()


class Spy(np.memmap):
    """A memory map that notes how far it is read."""

    reads: list[slice]

    def __getitem__(self, index):
        if isinstance(index, slice):
            Spy.reads.append(index)
        return super().__getitem__(index)


def test_only_the_images_asked_for_are_read_from_a_memory_map(course, monkeypatch):
    course.add_pickles()
    cifar10(1, 1)
    maps = []

    def spied_load(*args, **kwargs):
        array = np_load(*args, **kwargs)
        maps.append((args[0].name, type(array)))
        return array.view(Spy)

    np_load, Spy.reads = np.load, []
    monkeypatch.setattr(np, "load", spied_load)
    assert_tiny(cifar10(7, 3), 7, 3)
    assert sorted(maps) == [
        (f"{split}_{part}.npy", np.memmap) for split in ("test", "train") for part in ("images", "labels")
    ]
    assert sorted(s.stop for s in Spy.reads) == [3, 3, 7, 7]


def test_decoding_and_hashing_happen_once(course, monkeypatch):
    path = course.add_pickles()
    hashed = []
    digest = hashlib.file_digest
    monkeypatch.setattr(
        hashlib, "file_digest", lambda stream, name: hashed.append(stream.name) or digest(stream, name)
    )
    before = cifar10()
    monkeypatch.setattr(tarfile, "open", None)
    assert all(map(torch.equal, before, cifar10()))
    assert hashed == [str(path)]
    os.utime(path, ns=(1, 1))
    cifar10()
    assert hashed == [str(path)] * 2


def test_availability_needs_no_hash_and_no_decoding(course, monkeypatch):
    course.register("official.tar.gz", "pickles", tar(pickle_members()))
    assert not available("cifar10")
    path = course.datasets / "official.tar.gz"
    path.write_bytes(tar(pickle_members())[:-1])
    assert not available("cifar10")
    path.write_bytes(bytes(len(tar(pickle_members()))))
    monkeypatch.setattr(hashlib, "file_digest", None)
    monkeypatch.setattr(tarfile, "open", None)
    assert available("cifar10")


def test_decoded_images_outlive_their_archive(course):
    path = course.add_pickles()
    cifar10(1, 1)
    path.unlink()
    assert available("cifar10")
    assert_tiny(cifar10())


def test_a_damaged_cache_is_named(course):
    course.add_pickles()
    cifar10(1, 1)
    (images,) = course.datasets.glob("cache/*/train_images.npy")
    for raw in (images.read_bytes()[:-1], b""):
        images.write_bytes(raw)
        with pytest.raises(DataError, match=rf"{images.parent} is damaged: delete it"):
            cifar10()
    shutil.rmtree(images.parent)
    assert_tiny(cifar10())


def test_an_interrupted_decoding_leaves_nothing(course, monkeypatch):
    course.add_folders()
    monkeypatch.setattr(np, "save", lambda *args: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        cifar10()
    assert [path.name for path in (course.datasets / "cache").iterdir()] == ["verified.json"]
    monkeypatch.undo()


def test_where_the_course_is_read_only_the_users_cache_is_used(course):
    course.add_pickles()
    (course.datasets / "cache").write_text("a file where the folder should be")
    assert_tiny(cifar10())
    assert list((course.user / "deep-vision-workbook" / "cache").glob("cifar10-*/train_images.npy"))


def test_without_any_place_to_write_the_cache_of_the_course_still_serves(course, monkeypatch):
    course.add_pickles()
    cifar10(1, 1)
    (course.datasets / "cache" / "verified.json").unlink()

    def refuse(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(registry.tempfile, "TemporaryFile", refuse)
    assert_tiny(cifar10())
    shutil.rmtree(course.datasets / "cache")
    with pytest.raises(DataError, match="can be written to"):
        cifar10()


def test_progress_bars_may_be_off_and_never_write_to_stderr(course, capsys, monkeypatch):
    course.add_folders()
    cifar10()
    captured = capsys.readouterr()
    assert "decoding cifar10 train: 100%" in captured.out and not captured.err
    shutil.rmtree(course.datasets / "cache")
    monkeypatch.setenv("TQDM_DISABLE", "1")
    assert_tiny(cifar10())


@pytest.mark.parametrize(("watched", "redraws"), [(False, 2), (True, 22)])
def test_a_log_keeps_the_beginning_and_the_end_of_a_bar(capsys, monkeypatch, watched, redraws):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: watched)
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)  # which other tests may have imported
    with registry.Bar(total=20, desc="decoding", miniters=1) as bar:
        bar._time = itertools.count(bar.last_print_t + 1).__next__  # a second for each look at the clock
        for _ in range(20):
            bar.update()
    drawn = capsys.readouterr().out
    assert drawn.count("decoding") == redraws and "20/20" in drawn


LOAD_IN_CHILD = """
import sys, time
from pathlib import Path
from exercise_code.support.data import cifar10, registry
registry.DATASETS = Path(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
x_train, y_train, x_test, y_test = cifar10()
print(float(x_train.double().sum()), y_train.tolist(), flush=True)
"""


def test_two_processes_may_decode_at_once(course):
    course.add_pickles()
    command = [sys.executable, "-c", LOAD_IN_CHILD, str(course.datasets)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    children = [subprocess.Popen(command, cwd=ROOT, text=True, **pipes) for _ in range(3)]
    assert [child.stdout.readline() for child in children] == ["ready\n"] * 3
    for child in children:
        child.stdin.write("go\n")
        child.stdin.flush()
    answers = [child.communicate(timeout=60) for child in children]
    assert [(child.returncode, err) for child, (_, err) in zip(children, answers, strict=True)] == [
        (0, "")
    ] * 3
    assert len({out.splitlines()[-1] for out, _ in answers}) == 1
    assert_tiny(cifar10())
    cache = course.datasets / "cache"
    assert sorted(path.name.split("-")[0] for path in cache.iterdir()) == ["cifar10", "verified.json"]


def test_the_process_that_decodes_last_takes_what_is_there(course, monkeypatch):
    course.add_pickles()
    rename = Path.rename

    def somebody_was_faster(self, target):
        shutil.copytree(self, target)
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", somebody_was_faster)
    assert_tiny(cifar10())


@pytest.mark.parametrize("verified_before", [False, True])
@pytest.mark.parametrize("in_mirror", [False, True])
@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda raw: raw[:12], r"official\.tar\.gz has 12 of [\d,]{5,} bytes: delete it and run `python -m"),
        (
            lambda raw: raw[:-1] + bytes([raw[-1] ^ 1]),
            r"official\.tar\.gz is not the file .* sha256\): delete it",
        ),
        (
            lambda raw: raw + b"!",
            r"official\.tar\.gz is not the file .* sha256\): delete it and run `python -m",
        ),
    ],
    ids=["truncated", "altered", "longer"],
)
def test_a_damaged_file_is_refused_by_name(
    course, tmp_path, monkeypatch, in_mirror, damage, message, verified_before
):
    monkeypatch.setenv("WORKBOOK_DATA", str(tmp_path / "mirror"))
    path = course.add_pickles(tmp_path / "mirror" if in_mirror else None)
    if verified_before:
        cifar10(1, 1)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(DataError, match=message) as refusal:
        cifar10()
    assert str(path) in str(refusal.value) and "data get cifar10" in str(refusal.value)
    assert refusal.value.__cause__ is None and (
        refusal.value.__suppress_context__ or not refusal.value.__context__
    )


@pytest.mark.parametrize("folder", ["", "cifar10"])
def test_the_local_mirror_is_looked_in_first_and_only_read(course, tmp_path, monkeypatch, folder):
    mirror = tmp_path / "mirror"
    path = course.add_pickles(mirror / folder)
    (course.datasets / path.name).write_bytes(b"damaged, but not looked at")
    path.chmod(0o444)
    for place in {path.parent, mirror}:
        place.chmod(0o555)
    before = sorted((entry, entry.stat().st_mtime_ns) for entry in [mirror, *mirror.rglob("*")])
    monkeypatch.setenv("WORKBOOK_DATA", str(mirror))
    assert available("cifar10")
    assert_tiny(cifar10())
    assert cli.main(["list"]) == cli.main(["get", "cifar10"]) == 0
    assert sorted((entry, entry.stat().st_mtime_ns) for entry in [mirror, *mirror.rglob("*")]) == before


@dataclass
class Web:
    """A server on this machine; the first word of the path says how it behaves."""

    raw: bytes
    requests: list[str] = field(default_factory=list)
    address: str = ""

    def urls(self, *behaviours: str) -> tuple[str, ...]:
        return tuple(f"{self.address}/{behaviour}/official.tar.gz" for behaviour in behaviours)


@pytest.fixture
def web() -> Iterator[Web]:
    web = Web(tar(pickle_members()))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            behaviour = self.path.split("/")[1]
            web.requests.append(behaviour)
            self.send_response(404 if behaviour == "gone" else 200)
            body = {"gone": b"", "altered": bytes(len(web.raw)), "short": web.raw[:99]}.get(
                behaviour, web.raw
            )
            self.send_header("Content-Length", str(len(web.raw) if behaviour == "truncated" else len(body)))
            self.end_headers()
            if behaviour == "truncated":
                self.wfile.write(web.raw[: len(web.raw) // 2])
            elif behaviour == "slow":
                try:
                    for start in range(0, len(body), 1 << 16):
                        self.wfile.write(body[start:][: 1 << 16])
                        time.sleep(0.15)
                except OSError:
                    pass  # the client has given up
            else:
                self.wfile.write(body)

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    web.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield web
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("first", ["gone", "altered", "short", "truncated"])
def test_the_next_mirror_is_tried(course, web, first, capsys):
    course.register("official.tar.gz", "pickles", web.raw, urls=web.urls(first, "good", "never"))
    logger = pooch.get_logger()
    logger.disabled = False
    assert logger.isEnabledFor(logging.INFO)  # which it remembers from now on, whatever its level becomes
    assert not available("cifar10")
    assert_tiny(cifar10())
    assert not logger.isEnabledFor(logging.INFO), "pooch would log to stderr"
    assert web.requests == [first, "good"]
    path = course.datasets / "cifar10" / "official.tar.gz"
    assert path.read_bytes() == web.raw and path.stat().st_mode & 0o777 == 0o644
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]
    assert not capsys.readouterr().err
    cifar10()
    assert len(web.requests) == 2


def test_a_dead_server_is_passed_over(course, web):
    course.register("official.tar.gz", "pickles", web.raw, urls=("http://127.0.0.1:9/x", *web.urls("good")))
    assert_tiny(cifar10())


@pytest.mark.parametrize("second", ["good", "gone"])
def test_a_slow_mirror_is_left_and_tried_again_at_the_end(course, web, monkeypatch, second):
    monkeypatch.setattr(registry, "PATIENCE", 0.1)
    monkeypatch.setattr(registry, "SLOW", 1e9)
    course.register("official.tar.gz", "pickles", web.raw, urls=web.urls("slow", second))
    assert_tiny(cifar10())
    assert web.requests == (["slow", "good"] if second == "good" else ["slow", "gone", "slow"])


def test_without_any_mirror_one_sentence_says_what_to_do(course, web, capfd):
    urls = (*web.urls("gone", "altered", "truncated"), "http://127.0.0.1:9/dead.tar.gz")
    course.register("official.tar.gz", "pickles", web.raw, urls=urls)
    with pytest.raises(DataError) as failure:
        cifar10()
    message = str(failure.value)
    assert "\n" not in message and urls[0] in message and "WORKBOOK_DATA" in message and "shapes" in message
    for reason in ("answers 404", "sends another file", "broke off", "127.0.0.1:9 cannot be reached"):
        assert reason in message
    assert failure.value.__cause__ is None and failure.value.__context__ is None
    assert isinstance(failure.value, RuntimeError)
    assert not any((course.datasets / "cifar10").iterdir())
    assert cli.main(["get", "cifar10"]) == 1
    assert capfd.readouterr().err == message + "\n"


def test_a_table_that_cannot_be_had_has_a_table_in_its_place(course, web):
    course.register("houses.csv", "table", b"1,2", urls=web.urls("gone"))
    with pytest.raises(DataError, match=re.escape("or use `housing_csv()`, which needs no network")):
        registry.obtain(registry.find("cifar10"))


def test_a_file_without_an_address_says_where_to_put_it(course):
    course.register("train.tar", "folders", b"x", splits=("train",))
    course.register("test.tar", "folders", b"y", splits=("test",))
    with pytest.raises(DataError, match=r"train\.tar and test\.tar in WORKBOOK_DATA"):
        cifar10()


GOOD = f"""
name = "a.tar"
form = "pickles"
urls = ["https://example.org/a.tar"]
sha256 = "{"0" * 64}"
bytes = 3
"""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[cifar10", "is not valid TOML"),
        ("cifar10 = 3", "cifar10 must be a table"),
        (HEAD, "cifar10.files is missing: it must be one or more tables"),
        (HEAD + "files = []", "cifar10.files must be one or more tables"),
        (HEAD + "files = 3", "cifar10.files must be one or more tables"),
        (HEAD.replace('"none"', '""'), "cifar10.licence must be a line of text"),
        (HEAD.replace("licence", "license"), "unknown key 'license'"),
        (HEAD.replace("https:", "ftp:"), "cifar10.homepage must be an http address"),
        (HEAD.replace("bird", "cat"), "cifar10.classes must be a list of different names"),
        (GOOD.replace("a.tar", "../a.tar"), r"files\[0\].name must be a file name without folders"),
        (GOOD.replace("a.tar", "a/b.tar"), r"files\[0\].name must be a file name without folders"),
        (GOOD.replace("pickles", "parquet"), r"files\[0\].form must be one of pickles, folders, table"),
        (
            GOOD.replace("https://example.org/a.tar", "file:///etc/passwd"),
            r"files\[0\].urls must be a list of http",
        ),
        (GOOD.replace("00", "xx"), r"files\[0\].sha256 must be 64 hexadecimal digits"),
        (GOOD.replace("bytes = 3", "bytes = 0"), r"files\[0\].bytes must be a whole number above zero"),
        (GOOD.replace("bytes = 3", "bytes = true"), r"files\[0\].bytes must be a whole number above zero"),
        (GOOD.replace("bytes = 3", ""), r"files\[0\].bytes is missing"),
        (
            GOOD + 'splits = ["dev"]',
            r"files\[0\].splits must be a list of different names out of train, test",
        ),
        (GOOD + "splits = []", r"files\[0\].splits must be a list"),
        (GOOD + "md5 = 3", r"files\[0\] has the unknown key 'md5'"),
    ],
)
def test_a_wrong_registry_is_refused_in_one_sentence(course, text, message):
    if "[cifar10" not in text and "cifar10 =" not in text:
        text = f"{HEAD}[[cifar10.files]]\n{text}"
    (course.datasets / "registry.toml").write_text(text)
    with pytest.raises(DataError, match=message) as refusal:
        registry.read_registry()
    assert str(course.datasets / "registry.toml") in str(refusal.value) and "\n" not in str(refusal.value)


def test_a_missing_registry_is_refused(course):
    with pytest.raises(DataError, match=r"registry\.toml cannot be read"):
        load("cifar10")


def test_a_good_registry_is_read(course):
    (course.datasets / "registry.toml").write_text(f"{HEAD}[[cifar10.files]]\n{GOOD}")
    (file,) = registry.find("cifar10").files
    assert (file.name, file.splits, file.bytes) == ("a.tar", ("train", "test"), 3)
    assert classes("cifar10") == CLASSES


def test_the_registry_of_the_course(monkeypatch):
    monkeypatch.setattr(registry, "DATASETS", DATASETS)
    assert classes("cifar10") == CLASSES
    official, *copies = registry.find("cifar10").files
    assert official.urls[0] == "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"
    assert (official.form, official.bytes, len(copies)) == ("pickles", 170_498_071, 2)


def test_list_says_what_is_here(course, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "400")
    course.register("official.tar.gz", "pickles", tar(pickle_members()))
    assert cli.main(["list"]) == 0
    shapes_row, cifar10_row = (line for line in capsys.readouterr().out.splitlines() if "│" in line)
    assert "always here" in shapes_row and "tiny" in cifar10_row and "not here" in cifar10_row
    monkeypatch.setenv("WORKBOOK_DATA", str(tmp_path / "mirror [1]"))
    course.entries.clear()
    course.add_pickles(tmp_path / "mirror [1]")
    assert cli.main(["list"]) == 0
    assert str(tmp_path / "mirror [1]") in capsys.readouterr().out


def test_list_says_what_is_damaged(course, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "400")
    path = course.add_pickles()
    path.write_bytes(path.read_bytes()[:-1])
    assert cli.main(["list"]) == 0
    assert f"{path} is damaged" in capsys.readouterr().out


def test_get_fetches_and_decodes(course, web):
    course.register("official.tar.gz", "pickles", web.raw, urls=web.urls("good"))
    assert cli.main(["get", "cifar10"]) == 0
    assert list(course.datasets.glob("cache/*/train_images.npy"))
    assert cli.main(["get", "shapes"]) == 0


def test_verify_names_every_file_and_its_condition(course, capsys):
    course.add_folders()
    unused = course.register("official.tar.gz", "pickles", b"elsewhere")
    assert cli.main(["verify"]) == cli.main(["verify", "cifar10"]) == 0
    out = capsys.readouterr().out
    assert out.count("ok  ") == 4 and f"not used   {unused}" in out
    train, test = course.datasets / "cifar10" / "train.archive", course.datasets / "cifar10" / "test.archive"
    cifar10(1, 1)
    raw, times = train.read_bytes(), train.stat()
    train.write_bytes(raw[:-1] + bytes([raw[-1] ^ 1]))
    os.utime(train, ns=(times.st_atime_ns, times.st_mtime_ns))
    test.write_bytes(test.read_bytes()[:10])
    assert cli.main(["verify"]) == 1
    out = capsys.readouterr().out
    assert f"altered    {train}" in out and f"truncated  {test} (10 of" in out


def test_verify_of_a_data_set_that_is_not_here_fails(course, capsys):
    course.register("official.tar.gz", "pickles", b"elsewhere")
    assert cli.main(["verify"]) == 0
    assert cli.main(["verify", "cifar10"]) == 1
    assert capsys.readouterr().out.count("missing") == 2


def test_unknown_names_are_one_sentence(course, capsys):
    course.register("official.tar.gz", "pickles", b"elsewhere")
    for command in ("get", "verify"):
        assert cli.main([command, "imagenet"]) == 1
        assert "no data set 'imagenet'" in capsys.readouterr().err


mirror = os.environ.get("WORKBOOK_DATA")
FIRST_LABELS = {  # the order of the official batches; the other form is interleaved
    "pickles": ([6, 9, 9, 4, 1, 1, 2, 7, 8, 3], [3, 8, 8, 0, 6, 6, 1, 6, 3, 1]),
    "folders": (list(range(10)), list(range(10))),
}


@pytest.mark.skipif(not mirror, reason="WORKBOOK_DATA is not set")
def test_the_real_cifar10():
    if not available("cifar10"):
        pytest.skip(f"no CIFAR-10 in WORKBOOK_DATA={mirror}")
    x_train, y_train, x_test, y_test = load("cifar10")
    assert x_train.shape == (50_000, 3, 32, 32) and x_test.shape == (10_000, 3, 32, 32)
    assert y_train.bincount().tolist() == [5_000] * 10 and y_test.bincount().tolist() == [1_000] * 10
    form = registry.choose(registry.find("cifar10"))[0].form
    assert (y_train[:10].tolist(), y_test[:10].tolist()) == FIRST_LABELS[form]
    assert y_train[:5_000].bincount(minlength=10).min() > 400
    assert x_train.min() == 0 and x_train.max() == 1
    # the means of the channels as they are widely published
    torch.testing.assert_close(
        x_train.mean((0, 2, 3)), torch.tensor([0.4914, 0.4822, 0.4465]), rtol=0, atol=1e-3
    )
    assert x_train.flatten(1).std(1).min() > 0
    few = load("cifar10", 100, 50)
    assert torch.equal(few[0], x_train[:100]) and torch.equal(few[3], y_test[:50])
