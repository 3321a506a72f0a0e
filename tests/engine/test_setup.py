"""What every notebook starts with."""

import pytest
import torch

from exercise_code.support.notebook import setup


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


def test_the_line_tells_of_threads(monkeypatch):
    monkeypatch.setattr(setup, "choose_threads", lambda: None)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 4)
    assert setup.setup().endswith(", 4 threads")
