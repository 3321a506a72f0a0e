"""What every notebook starts with."""

from types import SimpleNamespace

import pytest
import torch

from exercise_code.support.devices import best
from exercise_code.support.notebook import setup, start


@pytest.mark.parametrize(("with_all", "chosen"), [(0.5, 3), (0.9, 1), (20.0, 1)])
def test_more_threads_are_taken_where_they_are_clearly_faster(monkeypatch, with_all, chosen):
    now, before = 0.0, torch.get_num_threads()

    def clock():
        nonlocal now
        now += with_all if torch.get_num_threads() == 3 else 1.0
        return now

    monkeypatch.setattr(setup.time, "perf_counter", clock)
    try:
        torch.set_num_threads(3)
        setup.choose_threads()
        assert torch.get_num_threads() == chosen
    finally:
        torch.set_num_threads(before)


def test_colab_is_told_how_to_open_a_module_and_where_work_is_kept(monkeypatch, tmp_path):
    monkeypatch.setattr(start, "DRIVE", tmp_path / "drive/MyDrive")
    assert "vanishes with this machine" in start._where_it_lies()
    monkeypatch.setattr(start, "ROOT", tmp_path / "drive/MyDrive/course")
    told = start._where_it_lies()
    assert "your Drive keeps" in told and "opens a module by a double click" in told
    monkeypatch.setattr(start, "DRIVE", tmp_path / "nowhere/drive/MyDrive")
    assert start._where_it_lies() == ""


def test_the_line_tells_of_threads(monkeypatch):
    monkeypatch.setattr(setup, "choose_threads", lambda: None)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 4)
    assert setup.setup().endswith(", 4 threads")


@pytest.mark.skipif(torch.cuda.is_available(), reason="takes a device that only claims to be there")
def test_a_device_that_cannot_compute_is_told_of_once_and_not_used(monkeypatch, capsys):
    monkeypatch.setitem(best.ACCELERATORS, "cuda", lambda: True)
    best.usable.cache_clear()
    try:
        assert {best.best_device().type for _ in range(2)} == {"cpu"}
    finally:
        best.usable.cache_clear()
    said = capsys.readouterr().out
    assert said.startswith("There is a device cuda, but it cannot compute (") and said.count("\n") == 1


@pytest.mark.parametrize("kind", ["cuda", "mps"])
def test_timing_waits_for_the_accelerator(monkeypatch, kind):
    calls = []
    monkeypatch.setitem(setup.WAITS, kind, lambda: calls.append("wait"))
    far = SimpleNamespace(device=torch.device(kind))
    setup.seconds(lambda tensor: calls.append("run"), far, repeats=1)
    assert calls == ["wait", "run", "wait"] * 2
