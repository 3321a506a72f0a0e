"""What tests of several folders share."""

import contextlib
import io
import socket
import subprocess
import sys
import tarfile
import time
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path

from exercise_code.support.checking.assignment import Assignment, read_assignment

TINY = {
    "assignment.toml": 'title = "Tiny"\nnotebooks = ["tiny.ipynb"]\nmodules = ["autograd_study"]\n',
    "checks.py": """
from exercise_code.support.checking.declare import check

@check("autograd_study.converged_at", points=2)
def early(code, case):
    losses = [float(case.integer(5, 9)), 2.0, 1.0, 1.0, 1.0]
    return {"at": code.autograd_study.converged_at(losses, 0.5)}
""",
    "mistakes.py": """
from exercise_code.support.checking.declare import mistake

@mistake("autograd_study.converged_at", hint="Count from 0.")
def counts_from_one(losses, tol):
    return len(losses)
""",
    "on_paper.toml": '["tiny"]\n"one half" = 0.5\n',
    "figures.py": "PICTURE = 1\n",
    "stand_ins.py": "STAND_IN = 1\n",
}


def tiny_assignment(assignments: Path) -> Assignment:
    """Write `a90_tiny`, with one exercise of a00's and one check, into a folder of assignments."""
    import nbformat

    folder = assignments / "a90_tiny"
    folder.mkdir(parents=True)
    for name, text in TINY.items():
        (folder / name).write_text(text)
    marks = {
        "grade": True,
        "solution": False,
        "locked": True,
        "task": False,
        "schema_version": 3,
        "points": 0,
    }
    cells = [
        nbformat.v4.new_code_cell(
            'REPOSITORY = ""\nimport sys\nsys.path.insert(0, "../..")\n'
            "from exercise_code.support.checking import check",
            id="set-up",
        ),
        nbformat.v4.new_markdown_cell("### Exercise 1 · converged_at · easy · about 5 minutes", id="ex-one"),
        nbformat.v4.new_code_cell(
            'check("autograd_study.converged_at")',
            id="check-one",
            metadata={"nbgrader": {**marks, "grade_id": "check-one"}},
        ),
    ]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), folder / "tiny.ipynb")
    return read_assignment(folder)


def packed(files: dict[str, bytes], mode: str = "zip") -> bytes:
    """An archive in memory."""
    buffer = io.BytesIO()
    if mode == "zip":
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in files.items():
                archive.writestr(name, content)
    else:
        with tarfile.open(fileobj=buffer, mode=f"w:{mode}") as archive:
            for name, content in files.items():
                info = tarfile.TarInfo(name)
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def write(folder: Path, files: dict[str, bytes]) -> Path:
    """Write files into a folder, which is returned."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def grade_all(submissions, assignment, seed: int, out: Path, pool=None, **options) -> list:
    """Grade submissions as `workbook grade` does, with one worker in this process if not told otherwise."""
    from exercise_code.support.checking.answers import make_answers
    from grading.running.grader import Job
    from grading.running.incremental import grade, one_after_another
    from grading.running.journal import Journal

    submissions = list(submissions)
    job = Job.make(assignment, make_answers(assignment.checks, assignment.mistakes, seed))
    with Journal(out / "journal.sqlite") as journal:
        list(grade(submissions, job, seed, out, journal, (pool or one_after_another)(job), **options))
        records = list(journal.records(submission.id for submission in submissions))
        for record in records:
            record.evidence = [*record.evidence]  # read before the journal is closed
            assert record.evidence
    return records


def verdict_of(exercise, check, right: str, got: str, mistakes=()):
    """What the judge says of one text of `lab.work` when another one is the reference.

    Args:
        exercise: the fixture that writes the text.
        check: one check of `lab.work`.
        right: the reference.
        got: what is judged.
        mistakes: to be recognised.
    """
    from exercise_code.support.checking.answers import make_answers
    from exercise_code.support.checking.judge import judge
    from exercise_code.support.checking.run_check import gather

    exercise(right)
    answers = make_answers([check], mistakes, seed=1)
    exercise(got)
    evidence = gather(check, 1, answers.held_out)
    return judge(check, evidence, answers.reference[check.id], None, answers.mistakes)


@contextlib.contextmanager
def jupyter_lab(folder: Path, home: Path) -> Iterator[str]:
    """JupyterLab in a folder, without a token; gives its address."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    settings = ["--no-browser", "--allow-root", f"--port={port}", "--ip=127.0.0.1"]
    settings += ["--IdentityProvider.token=", "--ServerApp.password="]
    server = subprocess.Popen(
        [sys.executable, "-m", "jupyter", "lab", *settings],
        cwd=folder,
        env={"PATH": f"{sys.prefix}/bin:/usr/bin:/bin", "HOME": str(home)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(300):
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{address}/api"):
                break
            time.sleep(0.2)
        yield address
    finally:
        server.terminate()
        server.wait()
