"""Features of photographs are worked out once, and what captioners read of them."""

import subprocess
import sys

import h5py
import pytest
import torch

from assignments.a06_captioning import photographs
from assignments.a06_captioning.experiments import bleu
from assignments.a06_captioning.photographs import Photographs
from exercise_code.support.paths import ROOT

SLOWLY = """
import pathlib, sys, time
from assignments.a06_captioning import photographs
loaded, load = [], photographs.mobilenet_v2
photographs.home = lambda: pathlib.Path(sys.argv[1])
photographs.mobilenet_v2 = lambda weights: (time.sleep(3), loaded.append(1), load(weights))[2]
assert len(photographs.photographs(3).features) == 3
print("worked out" if loaded else "read")
"""


@pytest.fixture
def three(tmp_path, monkeypatch) -> Photographs:
    """The first three, their features in a file of their own."""
    (tmp_path / "cache").mkdir()
    monkeypatch.setattr(photographs, "home", lambda: tmp_path)
    found = photographs.photographs(3)
    if found is None:
        pytest.skip("WORKBOOK_DATA names no folder with flickr8k_1000 and weights")
    return found


def test_features_are_kept_by_name_and_read_again(three, tmp_path, monkeypatch):
    with h5py.File(tmp_path / "cache" / "a06-photographs.h5") as kept:
        assert {*kept} == {file.name for file in three.files}
        assert kept[three.files[0].name].shape == (1280, 4, 4)
    monkeypatch.setattr(photographs, "mobilenet_v2", lambda weights: pytest.fail("they are there"))
    again = photographs.photographs(3)
    assert torch.equal(again.features, three.features)


def test_a_second_kernel_waits_for_the_first(three, tmp_path):
    """Two processes work out the same features; each is held up a while with the file open."""
    (tmp_path / "cache" / "a06-photographs.h5").unlink()
    command = [sys.executable, "-c", SLOWLY, str(tmp_path)]
    kernels = [
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    outputs = [kernel.communicate(timeout=60) for kernel in kernels]
    assert [kernel.returncode for kernel in kernels] == [0, 0], outputs
    assert sorted(out.splitlines()[-1] for out, _ in outputs) == ["read", "worked out"]


def test_each_has_five_captions_in_small_letters(three):
    assert [len(captions) for captions in three.said] == [5, 5, 5]
    assert three.said[0][1] == "a girl going into a wooden building"
    words = photographs.vocabulary_of(three)
    which, rows = three.rows(words)
    assert which.tolist() == [0] * 5 + [1] * 5 + [2] * 5 and rows.shape == (15, photographs.LENGTH)
    assert words.decode(rows[:1])[0].startswith("a <UNK> in a")


def test_without_the_data_there_is_nothing(monkeypatch, tmp_path):
    monkeypatch.setenv("WORKBOOK_DATA", str(tmp_path))
    assert photographs.photographs() is None


def made_up(num: int, first: float) -> Photographs:
    features = first + torch.arange(num * 2.0).view(num, 2, 1, 1) ** 2
    return Photographs([], [[f"caption {number}"] for number in range(num)], features)


def test_standardised_by_the_training_ones_alone():
    train, unseen = photographs.standardised(made_up(4, 0.0), made_up(4, 100.0))
    assert torch.allclose(train.features.mean(dim=0), torch.zeros(2, 1, 1), atol=1e-6)
    assert torch.allclose(train.features.std(dim=0), torch.ones(2, 1, 1))
    assert unseen.features.min() > 2


def test_the_nearest_neighbour_of_a_known_one_is_itself():
    known = made_up(4, 1.0)
    assert photographs.nearest(known.part(2, 4), known) == ["caption 2", "caption 3"]


@pytest.mark.deep
def test_an_lstm_with_raw_features_says_the_same_of_all():
    every = photographs.photographs()
    if every is None:
        pytest.skip("WORKBOOK_DATA names no folder with flickr8k_1000 and weights")
    raw = every.part(0, 800), every.part(800, 1000)
    words = photographs.vocabulary_of(raw[0])
    for seed in (0, 1):
        said = {}
        for name, (train, unseen) in {"raw": raw, "scaled": photographs.standardised(*raw)}.items():
            net = photographs.captioner("lstm", train, words, 8, seed)
            said[name] = photographs.greedy(net, unseen, words)
        assert len({*said["raw"]}) < 20 < 80 < len({*said["scaled"]})
        scores = {name: bleu(sentences, raw[1].said) for name, sentences in said.items()}
        assert scores["scaled"] > scores["raw"] + 3
        assert scores["scaled"] > bleu(photographs.nearest(raw[1], raw[0]), raw[1].said) + 3
