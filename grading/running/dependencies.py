"""What each kind of result depends on: a hash of it decides what is made again, and nothing else does.

Evidence depends on the submission, the checks and the code that a probe runs on; answers also on the
reference, the mistakes and the judge; pages also on what judges and draws. Of code, what is imported counts.
"""

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from hashlib import sha256
from modulefinder import ModuleFinder
from pathlib import Path
from typing import Any

from exercise_code.support.checking.assignment import Assignment
from exercise_code.support.paths import ROOT

CHECKING = "exercise_code.support.checking"
FOR_STUDENTS = f"{CHECKING}.student_check", f"{CHECKING}.task"
"""What the package of checks imports for students alone; no probe runs on it, and no grading."""
FOR_JUDGES = (f"{CHECKING}.metrics",)
"""What declarations name and no probe runs on."""


def imported(files: Iterable[Path], excludes: Sequence[str] = FOR_STUDENTS) -> list[Path]:
    """Files, and those of the project's modules that they import, directly or not; nothing is run."""
    files = [*files]
    finder = ModuleFinder([str(ROOT)], excludes=excludes)
    for file in files:
        finder.run_script(str(file))
    modules: Iterable[Any] = finder.modules.values()  # typeshed does not know their `__file__`
    found = (Path(module.__file__) for module in modules if module.__file__)
    return sorted({*files, *found})


def hash_of(files: Iterable[Path]) -> str:
    """Names files with their contents, wherever the project lies."""
    return hash_contents({os.path.relpath(path, ROOT): path.read_bytes() for path in files})


def hash_contents(files: dict[str, bytes]) -> str:
    """Names contents by path."""
    lines = (f"{sha256(files[name]).hexdigest()} {name}\n" for name in sorted(files))
    return sha256("".join(lines).encode()).hexdigest()


def probe_files(assignment: Assignment) -> list[Path]:
    """What a probe runs on, but for the modules that students write: checks, stand-ins, given code."""
    chain = [assignment, *assignment.earlier]
    written = {ROOT / name for each in chain for name in each.editable}
    declared = [path for each in assignment.earlier for path in each.files("stand_ins")]
    server = ROOT / "exercise_code/support/isolation/check_server.py"
    scripts = [server, *assignment.files("checks"), *declared, *written]
    return [path for path in imported(scripts, FOR_STUDENTS + FOR_JUDGES) if path not in written]


def answer_files(assignment: Assignment) -> list[Path]:
    """What answers depend on: checks, mistakes, the reference, and what runs and judges them."""
    chain = [assignment, *assignment.earlier]
    declared = [*assignment.files("checks"), *assignment.files("mistakes")]
    declared += [path for each in assignment.earlier for path in each.files("stand_ins")]
    modules = [ROOT / name for each in chain for name in each.editable]
    return imported([ROOT / "exercise_code/support/checking/answers.py", *declared, *modules])


def experiment_files(assignment: Assignment) -> list[Path]:
    """What the accuracy of the reference on images depends on, but for the data set."""
    modules = [ROOT / name for name in assignment.editable]
    return imported([assignment.folder / "evidence" / "experiment.py", *modules])


def model_files(assignment: Assignment) -> list[Path]:
    """What the reference's saved models depend on, but for the data set."""
    modules = [ROOT / name for each in (*assignment.earlier, assignment) for name in each.editable]
    return imported([assignment.folder / "evidence" / "models.py", *modules])


def page_files() -> list[Path]:
    """What turns evidence into verdicts and pages."""
    templates = sorted((ROOT / "grading/pages/templates").iterdir())
    return [*imported([ROOT / "grading/running/grader.py"]), *templates]


def hash_of_probes(assignment: Assignment) -> str:
    """Names all that evidence depends on, but for the submission, the inputs and the environment."""
    settings = json.dumps([assignment.modules, assignment.models, asdict(assignment.limits)])
    return sha256(f"{settings} {hash_of(probe_files(assignment))}".encode()).hexdigest()
