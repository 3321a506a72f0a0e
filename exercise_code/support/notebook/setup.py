"""What every notebook starts with."""

import os
import random
import sys
import time
from collections.abc import Callable, Iterable
from typing import TypeVar

import numpy as np
import torch
from IPython import get_ipython
from IPython.core.interactiveshell import ExecutionInfo, ExecutionResult, InteractiveShell
from torch import Tensor
from tqdm import tqdm

from exercise_code.support.checking.reloading import modules
from exercise_code.support.devices.best import best_device
from exercise_code.support.notebook import plotting
from exercise_code.support.notebook.waiting import Waiting

QUICK = os.environ.get("WORKBOOK_QUICK", "0") not in ("", "0")
"""Whether experiments are to be small: WORKBOOK_QUICK=1 in the environment."""

WAITS = {"cuda": torch.cuda.synchronize, "mps": torch.mps.synchronize}
Step = TypeVar("Step")
waiting = Waiting()


def setup(seed: int = 0) -> str:
    """Make a notebook ready: edited modules are reloaded, figures are sharp, random numbers repeat.

    Args:
        seed: of Python's, NumPy's and torch's random numbers.

    Returns:
        One line about PyTorch, the device and threads.
    """
    choose_threads()
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - the global generator is the one that others draw from
    torch.manual_seed(seed)
    plotting.use_style()
    if shell := get_ipython():
        shell.run_line_magic("matplotlib", "inline")
        shell.run_line_magic("config", "InlineBackend.figure_formats = ['retina']")
        _watch(shell)
    threads = torch.get_num_threads()
    version = torch.__version__.split("+")[0]
    return f"PyTorch {version} on {best_device()}, {threads} thread{'s' if threads > 1 else ''}"


def choose_threads() -> None:
    """Let torch work with one thread, unless more are clearly faster now.

    Threads wait for each other after every operation: on a machine that is busy with other things, that
    costs many times what they gain. Steps of a small network are timed both ways, in less than a second.
    """
    most = torch.get_num_threads()
    X, W = torch.ones(100, 3072), torch.ones(3072, 100)
    laps = dict.fromkeys((1, most), 0.0)
    for _ in range(4):
        for threads in laps:
            torch.set_num_threads(threads)
            start = time.perf_counter()
            for _ in range(5):
                W.mul_(0.5).add_(X.T @ (X @ W).relu_(), alpha=1e-9)
            laps[threads] += time.perf_counter() - start
    torch.set_num_threads(most if laps[most] < 0.8 * laps[1] else 1)


def with_bar(steps: Iterable[Step]) -> Iterable[Step]:
    """The same steps, with a bar that vanishes at the end."""
    bar: Iterable[Step] = tqdm(steps, file=sys.stdout, leave=False)
    return bar


def seconds(function: Callable[..., object], *tensors: Tensor, repeats: int = 3) -> float:
    """The shortest of a few runs, after one that warms up; waits for the accelerator to be done.

    Args:
        function: what is timed.
        tensors: its arguments.
        repeats: number of runs.

    Returns:
        Seconds.
    """
    kinds = {tensor.device.type for tensor in tensors}

    def wait() -> None:
        for kind in kinds & WAITS.keys():
            WAITS[kind]()

    laps = []
    for _ in range(1 + repeats):
        wait()
        start = time.perf_counter()
        function(*tensors)
        wait()
        laps.append(time.perf_counter() - start)
    return min(laps[1:])


def _watch(shell: InteractiveShell) -> None:
    """Reload edited modules before each cell, and explain cells that wait for an exercise."""
    shell.events.register("pre_run_cell", _before_cell)
    shell.events.register("post_run_cell", _after_cell)
    shell.set_custom_exc((Exception,), waiting.show)


def _before_cell(info: ExecutionInfo) -> None:
    shell = get_ipython()
    waiting.before_cell(shell.transform_cell(info.raw_cell))
    modules.refresh(shell.user_ns)
    for fault in dict.fromkeys(modules.faults.values()):
        print(f"{fault}: until that is mended, cells run what was there before.")


def _after_cell(result: ExecutionResult) -> None:
    waiting.after_cell(result.success, result.execution_count or 0)
