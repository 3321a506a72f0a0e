"""Code that runs too long is ended, and what comes after it is left alone."""

import contextlib
import subprocess
import sys
import threading
import time

import pytest

from exercise_code.support.checking.time_limit import TooSlow, at_most
from exercise_code.support.paths import ROOT

PROFILED = """
import sys
from exercise_code.support.checking.time_limit import TooSlow, at_most

with at_most(10):
    pass
try:
    with at_most(0.01):
        while True:
            pass
except TooSlow:
    pass
sys.setprofile(lambda *call: None)
print(len([int() for _ in range(3)]))
"""


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


def test_a_profiler_or_a_debugger_works_afterwards():
    found = subprocess.run(
        [sys.executable, "-c", PROFILED], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert found.stdout == "3\n"
