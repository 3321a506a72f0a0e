"""The assignment as nbgrader sees it: a course folder with a gradebook."""

import json
import os
import re
import shutil
import sys
from collections.abc import Mapping
from datetime import UTC
from pathlib import Path

import nbformat
from nbgrader.api import Gradebook
from nbgrader.apps import NbGraderAPI
from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader

from exercise_code.support.checking.answers import make_answers
from exercise_code.support.checking.assignment import Assignment, find_assignment
from grading.course import CourseError, read_course
from grading.submissions.records import Submission

# nbgrader starts alembic by its bare name
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])

CHECK_CELL = re.compile(r'check\("([\w.:]+)"\)')
REPOSITORY = re.compile(r'^REPOSITORY = ".*"$', re.MULTILINE)
SETTINGS = "nbgrader_config.py"
CONFIG = """\
c = get_config()  # noqa: F821
c.CourseDirectory.course_id = {course_id!r}
c.ClearSolutions.text_stub = "*Your answer here.*"
c.Autograde.exclude_overwriting = {editable}
c.ExecutePreprocessor.timeout = 600
"""
NOT_EXECUTED = """\
c.ClearOutput.enabled = False
c.Execute.enabled = False
"""


def make_course(
    assignment: Assignment, tree: Path, course: Path, address: str | None = None, *, graded: bool = False
) -> Path:
    """Put the assignment into an nbgrader course and let nbgrader generate the students' version.

    Args:
        assignment: what to put there.
        tree: what the students' functions need to run; it is copied beside the notebooks.
        course: the folder of the course; its gradebook is kept.
        address: of the gradebook; a SQLite file in the course if not given.
        graded: nbgrader shall not execute notebooks, which `workbook grade` has graded in its sandbox.

    Returns:
        The folder with the notebooks for students.

    Raises:
        CourseError: the notebooks' cells do not fit the checks, or nbgrader refuses them.
    """
    source = course / "source" / assignment.name
    shutil.rmtree(source, ignore_errors=True)
    shutil.copytree(tree, source)
    for name, notebook in with_points(assignment).items():
        for cell in notebook.cells:
            cell.source = REPOSITORY.sub(f'REPOSITORY = "{read_course().repository}"', cell.source)
        nbformat.write(notebook, source / name)
    (course / SETTINGS).write_text(_settings(course, address, graded=graded), encoding="utf-8")
    api = NbGraderAPI(config=nbgrader_config(course))
    outcome = api.generate_assignment(assignment.name, force=True)
    if not outcome["success"]:
        reason = last_error(outcome["log"]) or outcome["error"]
        raise CourseError(f"nbgrader cannot generate {assignment.name}: {reason}")
    return course / "release" / assignment.name


def last_error(log: str) -> str:
    """The last line of a log that is an exception's; empty if there is none."""
    lines: list[str] = re.findall(r"^\s*((?:\w+\.)*\w*Error: .+)", log, re.MULTILINE)
    return lines[-1] if lines else ""


def nbgrader_config(course: Path) -> Config:
    """The settings of `nbgrader_config.py`, for nbgrader's Python interface."""
    config: Config = PyFileConfigLoader(SETTINGS, path=str(course)).load_config()
    config.CourseDirectory.root = str(course.resolve())
    return config


def _settings(course: Path, address: str | None, *, graded: bool) -> str:
    """The text of `nbgrader_config.py`, for all assignments of the course."""
    editable = {
        folder.name: find_assignment(folder.name, folder / "assignments").editable
        for folder in sorted((course / "source").iterdir())
        if (folder / "assignments").is_dir()
    }
    config = CONFIG.format(course_id=read_course().id, editable=json.dumps(editable, indent=4))
    config += f"c.CourseDirectory.db_url = {address!r}\n" if address else ""
    return config + (NOT_EXECUTED if graded else "")


def with_points(assignment: Assignment) -> dict[str, nbformat.NotebookNode]:
    """The notebooks by name, with the points of the checks and of the questions in their metadata.

    Raises:
        CourseError: a check has no cell or two, or a question's points are missing.
    """
    notebooks = {name: nbformat.read(assignment.folder / name, as_version=4) for name in assignment.notebooks}
    covered: list[str] = []
    questions: list[str] = []
    for name, notebook in notebooks.items():
        for cell in notebook.cells:
            marks = cell.metadata.get("nbgrader", {})
            if not marks.get("grade"):
                continue
            if cell.cell_type == "code":
                called = CHECK_CELL.fullmatch(cell.source.strip())
                ids = [check.id for check in assignment.checks if called and check.exercise == called[1]]
                if not ids:
                    raise CourseError(f"{name}: the graded cell {marks['grade_id']!r} checks no exercise")
                covered += ids
                marks["points"] = sum(check.points for check in assignment.checks if check.id in ids)
            else:
                questions.append(marks["grade_id"])
                marks["points"] = assignment.questions.get(marks["grade_id"], 0)
    if sorted(covered) != sorted(check.id for check in assignment.checks):
        odd = sorted({check.id for check in assignment.checks} ^ set(covered)) or covered
        raise CourseError(f"the notebooks of {assignment.name}: {odd[0]} needs exactly one graded cell")
    if sorted(questions) != sorted(assignment.questions):
        odd = sorted(set(questions) ^ set(assignment.questions)) or questions
        raise CourseError(
            f"{assignment.name}: the question {odd[0]!r} is not both in a notebook and in assignment.toml"
        )
    return notebooks


def grade_id_of(cell: nbformat.NotebookNode) -> str:
    """What nbgrader calls a cell; empty where its marks are missing or damaged."""
    marks = cell.metadata.get("nbgrader")
    grade_id = marks.get("grade_id") if isinstance(marks, dict) else None
    return grade_id if isinstance(grade_id, str) else ""


def open_gradebook(course: Path | str) -> Gradebook:
    """The gradebook of a course folder or at an address, to be used in a `with` statement."""
    address = course if isinstance(course, str) else gradebook_address(course)
    return Gradebook(address, read_course().id)


def gradebook_address(course: Path) -> str:
    """The gradebook's address, as SQLAlchemy writes it."""
    return f"sqlite:///{(course / 'gradebook.db').resolve()}"


def write_submitted(course: Path, submission: Submission, name: str, notebooks: Mapping[str, str]) -> None:
    """Put what was handed in where nbgrader counts submissions, and where one can read the code.

    The notebooks have the verdicts in them: where nothing is executed, nbgrader's own Autograde finds in
    them the points that the gradebook has.
    """
    folder = course / "submitted" / submission.id / name
    shutil.rmtree(folder, ignore_errors=True)
    contents = {path: text for path, text in submission.files.items() if not path.endswith(".ipynb")}
    contents |= {notebook: text.encode("utf-8", "replace") for notebook, text in notebooks.items()}
    if submission.submitted:
        contents["timestamp.txt"] = (
            f"{submission.submitted.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f} UTC".encode()
        )
    for path, content in contents.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)


def prepare_autograde(assignment: Assignment, course: Path, seed: int) -> None:
    """Let plain `nbgrader autograde` grade on hidden inputs: their answers replace the visible ones.

    The answers then lie where a submission's code can read them; `workbook grade` has no such gap.
    """
    answers = make_answers(assignment.checks, assignment.mistakes, seed)
    folder = course / "source" / assignment.name / "assignments" / assignment.name
    answers.save(folder / assignment.answers_path.name)
