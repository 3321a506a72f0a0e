"""Run a student's notebook once more, in the sandbox, for who grades its written answers by hand."""

import json
import math
import os
import shutil
import time
from collections.abc import Collection, Container
from pathlib import Path
from typing import Any

import nbformat
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient

from exercise_code.support.checking.assignment import Assignment
from grading.notebooks.cleaned import clean
from grading.notebooks.kernelspec import NAME, write_spec
from grading.notebooks.nbgrader_course import grade_id_of
from grading.scratch import scratch_folder
from grading.submissions.records import Submission

MAX_OUTPUT = 8 * 2**20


def executed(
    name: str,
    notebook: str,
    submission: Submission,
    assignment: Assignment,
    tree: Path,
    kept: Container[str],
    given: Collection[str],
) -> str:
    """The notebook with the outputs that its code has now; small experiments (WORKBOOK_QUICK), no network.

    Args:
        name: of the notebook.
        notebook: the notebook as JSON.
        submission: whose files the notebook uses; a run that ends early is noted in it.
        assignment: limits the seconds that all cells take together.
        tree: what the files need to run, without answers.
        kept: grade_ids of cells that are not run and keep their outputs, such as verdicts.
        given: markdown of the course, whose HTML stays.

    Returns:
        The notebook as JSON.
    """
    content = nbformat.reader.reads(notebook)
    with scratch_folder() as scratch:
        copy, specs = scratch / "tree", scratch / "kernels"
        shutil.copytree(tree, copy)
        for file in assignment.editable:
            if file in submission.files:
                (copy / file).parent.mkdir(parents=True, exist_ok=True)
                (copy / file).write_bytes(submission.files[file])
        write_spec(specs / NAME)
        manager = AsyncKernelManager(
            kernel_name=NAME,
            kernel_spec_manager=KernelSpecManager(kernel_dirs=[str(specs)], ensure_native_kernel=False),
        )
        client = _Client(content, manager, assignment.limits.seconds_per_submission, kept)
        cwd = str(copy / "assignments" / assignment.name)
        try:
            client.execute(cwd=cwd, env={**os.environ, "WORKBOOK_QUICK": "1"})
            nbformat.validate(content)
        except Exception as error:  # the code can send anything in place of outputs
            client.stopped = next(iter(str(error).splitlines()), type(error).__name__)
            content = _up_to_damage(content, notebook)
        if client.stopped:
            submission.notes.append(f"{name} was not run to its end: {client.stopped}")
    clean(content, given, kept)
    return json.dumps(content, ensure_ascii=False)  # nbformat.writes() copies, which deep metadata prevents


def _up_to_damage(content: nbformat.NotebookNode, notebook: str) -> nbformat.NotebookNode:
    """The notebook as far as it was run; as it was before, if what came is no output."""
    try:
        nbformat.validate(content)
    except Exception:  # deep ones fail in other ways than wrong ones
        before: nbformat.NotebookNode = nbformat.reader.reads(notebook)
        return before
    return content


class _Client(NotebookClient):
    """Runs cells until the time is over, and keeps no more output than one wants to read."""

    def __init__(
        self,
        notebook: nbformat.NotebookNode,
        manager: AsyncKernelManager,
        seconds: float,
        kept: Container[str],
    ) -> None:
        super().__init__(
            notebook, km=manager, allow_errors=True, timeout=int(seconds), interrupt_on_timeout=True
        )
        self._ends, self._kept, self._left = time.monotonic() + seconds, kept, MAX_OUTPUT
        self.stopped = ""

    async def async_execute_cell(self, cell: nbformat.NotebookNode, *args: Any, **options: Any) -> Any:
        """Run a cell, unless it keeps its outputs or there is no time left."""
        if grade_id_of(cell) in self._kept or cell.cell_type != "code":
            return cell
        if time.monotonic() > self._ends:
            self.stopped = "its time was over"
            return cell
        self.timeout = math.ceil(self._ends - time.monotonic())
        return await super().async_execute_cell(cell, *args, **options)

    def output(self, outs: list[nbformat.NotebookNode], msg: dict[str, Any], *args: Any) -> Any:
        """Take an output into the notebook, as long as there is room."""
        self._left -= len(json.dumps(msg["content"], default=str))
        return super().output(outs, msg, *args) if self._left > 0 else None
