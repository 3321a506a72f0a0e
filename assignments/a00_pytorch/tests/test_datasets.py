"""Data sets, splits and the loader against torch.utils.data, torchvision, scikit-learn and the csv module."""

import csv
import io
import math
import threading
import zipfile
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pooch
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from sklearn.preprocessing import MinMaxScaler
from torch.utils import data as torch_data

from exercise_code import data
from exercise_code.support.data import DataError, cli, housing_csv, image_folder, load, registry
from exercise_code.support.vision import torchvision

CLASSES = ("fish", "bird", "cat")


@pytest.fixture
def folder(tmp_path):
    """Seven images of each of three classes, and files that do not belong."""
    random = np.random.default_rng(0)
    for name in CLASSES:
        (tmp_path / name).mkdir()
        for number in range(7):
            pixels = random.integers(0, 256, (4, 6, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / name / f"{number:02}.png")
    (tmp_path / "bird" / "notes.txt").write_text("none of these is a penguin")
    (tmp_path / "README.md").write_text("birds, cats and fish")
    return tmp_path


def test_a_folder_of_images_is_read_as_torchvision_reads_it(folder):
    expected = torchvision.datasets.ImageFolder(folder, transform=partial(np.array, dtype=float))
    dataset = data.ImageFolderDataset(folder)
    assert (dataset.classes, dataset.class_to_idx) == (expected.classes, expected.class_to_idx)
    assert len(dataset) == len(expected) == 21
    for index, (image, label) in enumerate(expected):
        sample = dataset[index]
        assert sample.keys() == {"image", "label"}
        assert type(sample["label"]) is int
        assert sample["label"] == label
        assert sample["image"].dtype == np.float64
        np.testing.assert_array_equal(sample["image"], image)


def test_images_in_memory_are_the_same_and_need_no_disk(folder):
    negative = partial(np.subtract, 255)
    on_disk = data.ImageFolderDataset(folder, transform=negative, mode="val")
    in_memory = data.MemoryImageFolderDataset(folder, transform=negative, mode="val")
    expected = [on_disk[index] for index in range(len(on_disk))]
    for path in folder.glob("*/*.png"):
        path.unlink()
    for index, sample in enumerate(expected):
        np.testing.assert_array_equal(in_memory[index]["image"], sample["image"])
        assert in_memory[index]["label"] == sample["label"]
    with pytest.raises(FileNotFoundError):
        on_disk[0]


def test_parts_of_a_folder_hold_every_image_once(folder):
    parts = [data.ImageFolderDataset(folder, mode=mode) for mode in ("train", "val", "test")]
    assert [len(part) for part in parts] == [13, 4, 4]
    assert sorted(path for part in parts for path in part.images) == sorted(folder.glob("*/*.png"))
    for part in parts:
        assert [path.parent.name for path in part.images] == [part.classes[label] for label in part.labels]
    assert data.ImageFolderDataset(folder, limit_files=5).images == sorted(folder.glob("bird/*.png"))[:5]


@given(
    num_samples=st.integers(0, 80),
    cuts=st.lists(st.integers(1, 9), min_size=1, max_size=4),
    seed=st.integers(0, 9),
)
def test_splits_are_partitions(num_samples, cuts, seed):
    shares = {f"part {i}": cut / sum(cuts) for i, cut in enumerate(cuts)}
    parts = [data.select_split(num_samples, name, shares, seed) for name in shares]
    assert sorted(np.concatenate(parts).tolist()) == list(range(num_samples))
    ends = [round(share, 9) * num_samples for share in np.cumsum(list(shares.values()))]
    for end, reached in zip(ends, np.cumsum([len(part) for part in parts]), strict=True):
        assert abs(end - reached) <= 0.5 + 1e-6
    for name, part in zip(shares, parts, strict=True):
        np.testing.assert_array_equal(data.select_split(num_samples, name, shares, seed), part)


def test_every_sample_is_equally_likely_in_every_part():
    counts = np.zeros(10)
    for seed in range(1000):
        counts[data.select_split(10, "val", seed=seed)] += 1
    assert counts.sum() == 2000
    assert abs(counts - 200).max() < 6 * (1000 * 0.2 * 0.8) ** 0.5


def collate(samples: list[dict]) -> dict[str, np.ndarray]:
    return {key: np.stack([sample[key] for sample in samples]) for key in samples[0]}


@given(count=st.integers(1, 30), size=st.integers(1, 12), drop=st.booleans())
def test_batches_are_those_of_torch(count, size, drop):
    dataset = data.DummyDataset(3, 3 * count)
    ours = data.DataLoader(dataset, size, drop_last=drop)
    theirs = torch_data.DataLoader(dataset, size, drop_last=drop, collate_fn=collate)
    assert len(ours) == len(theirs)
    found, expected = list(ours), list(theirs)
    assert len(found) == len(expected)
    for batch, due in zip(found, expected, strict=True):
        assert batch.keys() == due.keys()
        assert isinstance(batch["data"], np.ndarray)
        np.testing.assert_array_equal(batch["data"], due["data"])


@given(count=st.integers(1, 30), size=st.integers(1, 12), seed=st.integers(0, 99))
def test_shuffled_epochs_hold_every_sample_once(count, size, seed):
    dataset = data.DummyDataset(1, count)
    loaders = [data.DataLoader(dataset, size, shuffle=True, seed=seed) for _ in range(2)]
    epochs = [np.concatenate([batch["data"] for batch in loader]) for loader in loaders for _ in range(2)]
    for epoch in epochs:
        assert sorted(epoch.tolist()) == list(range(count))
    np.testing.assert_array_equal(epochs[0], epochs[2])
    np.testing.assert_array_equal(epochs[1], epochs[3])
    if count > 15:
        assert (epochs[0] != epochs[1]).any()


def test_a_loader_asks_for_one_batch_at_a_time(folder):
    loader = iter(data.DataLoader(data.ImageFolderDataset(folder), batch_size=4))
    next(loader)
    for path in folder.glob("*/*.png"):
        path.unlink()
    with pytest.raises(FileNotFoundError):
        next(loader)


def test_torch_loads_our_data_sets_with_workers(folder):
    transform = data.ComposeTransform([data.RescaleTransform(), data.RandomHorizontalFlip(1.0)])
    dataset = data.ImageFolderDataset(folder, transform=transform)
    batches = list(torch_data.DataLoader(dataset, batch_size=8, num_workers=2))
    assert [batch["image"].shape for batch in batches] == [(8, 4, 6, 3), (8, 4, 6, 3), (5, 4, 6, 3)]
    assert torch.cat([batch["label"] for batch in batches]).tolist() == dataset.labels


def test_workers_repeat_each_other_unless_reseeded(folder):
    """All images are one image, so only the noise can tell batches apart."""
    dataset = data.ImageFolderDataset(
        folder, transform=data.ComposeTransform([data.AddPepperNoise(0.5, 1.0)])
    )
    dataset.images = dataset.images[:1] * 8
    for worker_init_fn, alike in ((None, True), (data.reseed_worker, False)):
        loader = torch_data.DataLoader(dataset, 4, num_workers=2, worker_init_fn=worker_init_fn)
        first, second = (batch["image"] for batch in loader)
        assert first.equal(second) == alike
        assert not first[0].equal(first[1])


@pytest.fixture(params=["generated", "california_housing"])
def table(request):
    """Both tables of houses."""
    if request.param != "generated" and not registry.is_available(registry.find(request.param)):
        pytest.skip("WORKBOOK_DATA does not have this table")
    return housing_csv(request.param)


def test_a_table_is_read_as_it_stands(table):
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    dataset = data.CSVDataset(table, "median_house_value")
    assert len(dataset) == len(rows)
    for index in (0, 1, len(rows) - 1):
        sample, row = dataset[index], rows[index]
        assert sample["target"] == float(row.pop("median_house_value"))
        assert sample["features"].keys() == row.keys()
        for name, value in row.items():
            found = sample["features"][name]
            assert found == value if name == "ocean_proximity" else found == float(value) or not value


def test_both_tables_have_the_same_columns_and_flaws(table):
    dataset = data.CSVDataset(table, "median_house_value")
    assert list(dataset.columns) == [
        "longitude",
        "latitude",
        "housing_median_age",
        "total_rooms",
        "total_bedrooms",
        "population",
        "households",
        "median_income",
        "median_house_value",
        "ocean_proximity",
    ]
    missing = np.isnan(dataset.columns["total_bedrooms"]).mean()
    assert 0.002 < missing < 0.02
    income, value = dataset.columns["median_income"], dataset.columns["median_house_value"]
    assert 0.6 < np.corrcoef(income, value)[0, 1] < 0.75
    assert value.max() == 500_001
    assert dataset.columns["housing_median_age"].max() == 52
    assert {"INLAND", "<1H OCEAN", "NEAR BAY", "NEAR OCEAN"} <= {*dataset.columns["ocean_proximity"].tolist()}


def test_the_generated_table_is_always_the_same():
    rows = housing_csv("generated").read_text().splitlines()
    assert len(rows) == 2001
    assert rows[1] == "-118.61,36.03,33.0,2273.0,591.0,1777.0,518.0,4.8836,136400.0,<1H OCEAN"


def test_an_unknown_table_is_one_sentence(table):
    with pytest.raises(DataError, match="choose from generated, california_housing"):
        housing_csv("boston")
    with pytest.raises(ValueError, match="has no column 'price': it has longitude, "):
        data.CSVDataset(table, "price")


def test_columns_are_scaled_as_by_scikit_learn(table):
    names = ["total_bedrooms", "median_income", "median_house_value", "latitude"]
    train = data.CSVDataset(table, "median_house_value", mode="train")
    transform = data.FeatureSelectorAndNormalizationTransform(train.column_stats(names), "median_house_value")
    val = data.CSVDataset(table, "median_house_value", transform, mode="val")
    assert len(train) + 2 * len(val) == pytest.approx(
        len(data.CSVDataset(table, "median_house_value")), abs=1
    )
    columns = {name: np.stack([part.columns[name] for part in (train,)], axis=-1) for name in names}
    rows = np.stack([val.columns[name] for name in names], axis=1)
    means = [np.nanmean(columns[name]) for name in names]
    rows = np.where(np.isnan(rows), means, rows)
    expected = MinMaxScaler().fit(np.concatenate(list(columns.values()), axis=1)).transform(rows)
    samples = [val[index] for index in range(len(val))]
    assert samples[0]["features"].shape == (3,)
    assert samples[0]["target"].shape == (1,)
    np.testing.assert_allclose([sample["features"] for sample in samples], expected[:, [0, 1, 3]], atol=1e-12)
    np.testing.assert_allclose([sample["target"] for sample in samples], expected[:, [2]], atol=1e-12)


def test_image_files_are_the_images_of_the_data_set():
    folder = image_folder("shapes", 30)
    dataset = data.ImageFolderDataset(folder)
    images, labels, _, _ = load("shapes", 30, 0)
    order = [int(path.stem) for path in dataset.images]
    assert sorted(order) == list(range(30))
    for place, number in enumerate(order):
        sample = dataset[place]
        np.testing.assert_allclose(sample["image"] / 255, images[number].permute(1, 2, 0), atol=1e-6)
        assert dataset.classes[sample["label"]] == load_classes()[labels[number]]


def load_classes() -> tuple[str, ...]:
    from exercise_code.support.data import classes

    return classes("shapes")


def test_multiples_are_a_data_set():
    dataset = data.DummyDataset(4, 13)
    assert [dataset[index]["data"] for index in range(len(dataset))] == [0, 4, 8, 12]


def test_a_missing_folder_is_one_sentence(tmp_path):
    with pytest.raises(FileNotFoundError, match="does not exist: name the folder or file"):
        data.ImageFolderDataset(tmp_path / "nowhere")


@pytest.fixture
def archive(folder, monkeypatch):
    """The address of a zip archive of the folder, and the paths that were asked for."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as packed:
        for path in folder.glob("*/*.png"):
            packed.write(path, path.relative_to(folder))
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(200)
            self.send_header("Content-Length", str(len(stream.getvalue())))
            self.end_headers()
            self.wfile.write(stream.getvalue())

        def log_message(self, *_):
            pass

    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/animals.zip", asked
        server.shutdown()


def test_a_data_set_is_downloaded_once_unless_forced(folder, archive, tmp_path, monkeypatch):
    monkeypatch.setattr(pooch.get_logger(), "disabled", False)
    url, asked = archive
    root = tmp_path / "fetched" / "animals"
    for force, requests in ((False, 1), (False, 1), (True, 2)):
        dataset = data.ImageFolderDataset(root, download_url=url, force_download=force)
        assert len(asked) == requests
        assert dataset.classes == sorted(CLASSES)
        assert math.isclose(dataset[0]["image"].mean(), data.ImageFolderDataset(folder)[0]["image"].mean())
    assert pooch.get_logger().disabled, "pooch would log to stderr"


def test_the_table_of_houses_is_fetched_by_name(capsys):
    if not registry.is_available(registry.find("california_housing")):
        pytest.skip("WORKBOOK_DATA does not have this table")
    assert cli.main(["get", "california_housing"]) == 0
    assert capsys.readouterr().out == "california_housing is here\n"
    assert cli.main(["verify", "california_housing"]) == 0
    with pytest.raises(DataError, match="choose from shapes, cifar10"):
        load("california_housing")


def test_a_damaged_table_is_refused(tmp_path, monkeypatch):
    (tmp_path / "housing.csv").write_text("longitude,latitude\n1,2\n")
    monkeypatch.setenv("WORKBOOK_DATA", str(tmp_path))
    monkeypatch.setattr(registry, "homes", lambda: [tmp_path / "home"])
    with pytest.raises(DataError, match=r"housing\.csv has 23 of 1,423,529 bytes: delete it"):
        housing_csv("california_housing")


def test_files_that_are_written_are_complete_or_not_there(tmp_path, monkeypatch):
    monkeypatch.setattr(registry, "homes", lambda: [tmp_path])
    written = housing_csv("generated")
    assert written.parent == tmp_path / "cache"
    assert written.read_text() == housing_csv("generated").read_text()
    monkeypatch.setattr(Image.Image, "save", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        image_folder("shapes", 3)
    assert [path.name for path in (tmp_path / "cache").iterdir()] == [written.name]
