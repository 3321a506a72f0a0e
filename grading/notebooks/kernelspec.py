"""Tell Jupyter of the kernel that `warm_kernel` makes."""

import json
import sys
from pathlib import Path

from jupyter_client.kernelspec import KernelSpecManager

from grading.course import CourseError
from grading.notebooks import warm_kernel
from grading.scratch import scratch_folder

NAME = "workbook-warm"
OPTION = f"--ExecutePreprocessor.kernel_name={NAME}"
"""What makes nbgrader run notebooks on it, whatever kernel they name."""


def write_spec(folder: Path) -> None:
    """Write the description of the kernel into a folder.

    Raises:
        CourseError: this system cannot fork as it takes.
    """
    if sys.platform != "linux":
        raise CourseError(f"the kernel {NAME} is made of forks in a sandbox, which takes Linux")
    program = [sys.executable, "-I", "-S", warm_kernel.__file__, "{connection_file}"]
    spec = {"argv": program, "display_name": "Python 3 (workbook, warm)", "language": "python"}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "kernel.json").write_text(json.dumps(spec, indent=1) + "\n", encoding="utf-8")


def install(*, user: bool = False) -> Path:
    """Add the kernel to Jupyter, for this Python or for this user; returns the folder.

    Raises:
        CourseError: this system cannot fork as it takes, or the folder cannot be written.
    """
    with scratch_folder() as scratch:
        write_spec(scratch / NAME)
        try:
            place = KernelSpecManager().install_kernel_spec(
                str(scratch / NAME), NAME, user=user, prefix=None if user else sys.prefix
            )
        except OSError as error:
            raise CourseError(f"the kernel {NAME} cannot be installed ({error}): try --user") from None
    return Path(place)
