"""Code that runs too long is ended, and what comes after it is left alone."""

import contextlib
import threading
import time

import pytest

from exercise_code.support.checking.time_limit import TooSlow, at_most


def test_an_endless_loop_is_ended():
    with pytest.raises(TooSlow), at_most(0.05):
        while True:
            pass


def test_it_is_sent_again_to_who_catches_it():
    caught = 0
    with pytest.raises(TooSlow), at_most(0.05):
        while True:
            try:
                while True:
                    pass
            except TooSlow:
                caught += 1
                if caught == 2:
                    raise
    assert caught == 2


def test_what_ends_at_the_very_limit_is_sent_nothing_afterwards():
    before = threading.active_count()
    for turn in range(300):
        with contextlib.suppress(TooSlow), at_most(1e-3):
            until = time.perf_counter() + 1e-3 + (turn % 20 - 10) * 1e-5
            while time.perf_counter() < until:
                pass
        for _ in range(1000):
            pass
    while threading.active_count() > before:
        time.sleep(0.01)
