"""The end of every notebook's first cell: install what is missing, then set the notebook up.

It imports only what comes with Python, since nothing else need be there.
"""

import importlib
import os
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

from exercise_code.support.paths import ROOT

DRIVE = Path("/content/drive/MyDrive")
"""What Colab keeps, once the student has mounted it."""
UNNEEDED = {"jupyterlab"}
"""Of the course's packages, those that a notebook that runs can do without."""


class SetUpError(Exception):
    """The notebook cannot go on; the message says what to do, and a notebook shows nothing else."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


def start_notebook(assignment: str) -> str:
    """Make a notebook ready, whatever an earlier try has left undone.

    Args:
        assignment: whose packages are installed, where they are missing (`a01`).

    Returns:
        A line about PyTorch and the device, and on a machine that forgets one on where the work lies.

    Raises:
        SetUpError: a package cannot be installed.
    """
    sys.path[:] = dict.fromkeys(sys.path)
    _install([line for line in _course_packages() if not _is_here(re.split(r"[^\w.-]", line)[0])])
    from exercise_code.support.notebook.packages import missing_packages

    _install(missing_packages(assignment))
    from exercise_code.support.notebook.links import open_modules_in_an_editor
    from exercise_code.support.notebook.predictions import begin
    from exercise_code.support.notebook.self_tests import ask_again
    from exercise_code.support.notebook.setup import setup

    begin(assignment)
    open_modules_in_an_editor()
    ask_again(_this_notebook())
    return "\n".join(filter(None, [setup(), _where_it_lies()]))


def _course_packages() -> list[str]:
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and line[0] != "#" and line.partition("==")[0] not in UNNEEDED]


def _is_here(package: str) -> bool:
    try:
        return bool(metadata.version(package))
    except metadata.PackageNotFoundError:
        return False


def _install(packages: list[str]) -> None:
    if not packages:
        return
    names = ", ".join(packages)
    print(f"Installing {names} …")
    done = subprocess.run([sys.executable, "-m", "pip", "install", "-q", *packages], capture_output=True)
    if done.returncode:
        raise SetUpError(f"pip cannot install {names}: is there a network? Then run this cell again.")
    importlib.invalidate_caches()


def _this_notebook() -> Path | None:
    """The notebook that runs this, where its surroundings say: JupyterLab and `notebook` 7, or VS Code."""
    from IPython import get_ipython

    shell = get_ipython()
    name = os.environ.get("JPY_SESSION_NAME") or (shell.user_ns.get("__vsc_ipynb_file__") if shell else None)
    return Path(name) if name else None


def _where_it_lies() -> str:
    if not DRIVE.parents[1].is_dir():
        return ""
    files = "The pane Files opens a module by a double click, and downloads the zip that submit makes."
    if ROOT.is_relative_to(DRIVE):
        return f"You write in {ROOT}/exercise_code, which your Drive keeps. {files}"
    return (
        f"You write in {ROOT}/exercise_code, which vanishes with this machine. {files} To keep it, mount "
        "your Drive (Mount Drive there) and run\nfrom exercise_code.support.notebook.work import save; save()"
    )
