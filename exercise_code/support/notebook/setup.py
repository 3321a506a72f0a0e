"""What every notebook starts with."""

import os
import random
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType

import torch
from torch import Tensor
from tqdm import tqdm

from exercise_code.support.checking import run_check
from exercise_code.support.devices import pretended
from exercise_code.support.devices.best import best_device
from exercise_code.support.notebook import plotting
from exercise_code.support.paths import ROOT

QUICK = os.environ.get("WORKBOOK_QUICK", "0") not in ("", "0")
"""Whether experiments are to be small: WORKBOOK_QUICK=1 in the environment."""


def setup(seed: int = 0) -> str:
    """Make a notebook ready: edited modules are reloaded, figures are sharp, random numbers repeat.

    Args:
        seed: of Python's, NumPy's and torch's random numbers.

    Returns:
        One line about PyTorch and the device.
    """
    import numpy as np
    from IPython import get_ipython

    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - the global generator is the one that others draw from
    torch.manual_seed(seed)
    plotting.use_style()
    if shell := get_ipython():
        shell.extension_manager.load_extension("autoreload")
        shell.run_line_magic("autoreload", "2")
        shell.run_line_magic("matplotlib", "inline")
        shell.run_line_magic("config", "InlineBackend.figure_formats = ['retina']")
        shell.set_custom_exc((NotImplementedError,), _not_written_yet)
    return f"PyTorch {torch.__version__.split('+')[0]} on {best_device()}"


def progress(steps: Iterable) -> Iterable:
    """The same steps, with a bar that vanishes at the end."""
    return tqdm(steps, file=sys.stdout, leave=False)


def seconds(function: Callable, *tensors: Tensor, repeats: int = 3) -> float:
    """The shortest of a few runs, after one that warms up; waits for CUDA to be done.

    Args:
        function: what is timed.
        tensors: its arguments.
        repeats: number of runs.

    Returns:
        Seconds.
    """
    wait = torch.cuda.synchronize if any(tensor.is_cuda for tensor in tensors) else lambda: None
    laps = []
    for _ in range(1 + repeats):
        wait()
        start = time.perf_counter()
        function(*tensors)
        wait()
        laps.append(time.perf_counter() - start)
    return min(laps[1:])


def _not_written_yet(
    shell, kind: type, error: BaseException, trace: TracebackType, tb_offset=None
) -> list[str]:
    if exercise := run_check.unwritten(error.with_traceback(trace)):
        place = pretended.locate(error, run_check.is_students)
        file = Path(place.filename).resolve().relative_to(ROOT).as_posix()
        lines = [f"{exercise} is not written yet: {file}, line {place.line}"]
    else:
        lines = shell.InteractiveTB.structured_traceback(kind, error, trace, tb_offset)
    shell._showtraceback(kind, error, lines)  # an error output, so that the cell counts as failed
    return lines
