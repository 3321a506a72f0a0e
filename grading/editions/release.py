"""Make the student edition: stubs for solutions, a cleared notebook, the answers to one seed."""

import json
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import jinja2
import nbformat

from exercise_code.support.checking.answers import Answers, make_answers
from exercise_code.support.checking.assignment import Assignment
from exercise_code.support.checking.student_check import VISIBLE_SEED
from exercise_code.support.paths import ROOT
from grading.course import CourseError, read_course
from grading.editions.made_up_class import reference_models
from grading.editions.student_files import BEGIN, END, solutions, write_student_files
from grading.notebooks.nbgrader_course import make_course
from grading.running.check_process import CheckProcess
from grading.running.grader import judge_submission
from grading.submissions.records import Submission

SHORTEST_SECRET = 18
IDIOMS = {"with torch.no_grad():"}
"""Lines of a solution that give nothing away."""
HIDDEN = {"mistakes", "mistakes.py", "variants", "variants.py", "evidence", "tests", "__pycache__"}
"""Files and folders of an assignment that stay with the instructor."""
WORKFLOW = ".github/workflows/checks.yml"


def release(assignment: Assignment, build: Path) -> Path:
    """Make the student edition in `build`/student, and an nbgrader course in `build`/nbgrader.

    Returns:
        The folder of the student edition.

    Raises:
        CourseError: a solution cannot be cut out, or the edition would give something away, scores points
            when it is empty, or not all of them with the solutions in it.
    """
    edition = build / "student.new"
    write_student_files(assignment, edition)
    answers = make_answers(assignment.checks, assignment.mistakes, VISIBLE_SEED)
    answers.save(edition / "assignments" / assignment.name / assignment.answers_path.name)
    released = make_course(assignment, edition, build / "nbgrader")
    for name, path in zip(assignment.notebooks, assignment.notebook_paths, strict=True):
        shutil.copy(released / name, edition / path)
    (edition / "README.md").write_text(_filled("student_readme.md", assignment), encoding="utf-8")
    (edition / WORKFLOW).parent.mkdir(parents=True)
    (edition / WORKFLOW).write_text(_filled("checks.yml", assignment), encoding="utf-8")
    if found := [*leaks(assignment, edition), *faults(assignment, edition)]:
        raise CourseError(f"the student edition of {assignment.name} is not fit for release: {found[0]}")
    shutil.rmtree(build / "student", ignore_errors=True)
    return edition.rename(build / "student")


def leaks(assignment: Assignment, edition: Path) -> list[str]:
    """What a student edition holds that it must not, a sentence each."""
    found = []
    secrets = {_squash(line): line.strip() for line in _secret_lines(assignment)}
    for path in sorted(path for path in edition.rglob("*") if path.is_file()):
        name = path.relative_to(edition).as_posix()
        if path.suffix in (".pyc", ".db") or HIDDEN & {*path.parent.parts[-2:], path.name}:
            found.append(f"{name} does not belong there")
            continue
        text = path.read_bytes().decode("utf-8", errors="replace")
        if path.suffix == ".ipynb":
            cells = json.loads(text)["cells"]
            if any(cell.get("outputs") or cell.get("execution_count") for cell in cells):
                found.append(f"{name} has outputs")
            text = json.dumps(cells, ensure_ascii=False) + "\n".join(
                "".join(cell["source"]) for cell in cells
            )
        if BEGIN in text or END in text:
            found.append(f"{name} has a solution marker")
        squashed = _squash(text)
        found += [
            f"{name} has the solution line {line!r}" for key, line in secrets.items() if key in squashed
        ]
    return found


def faults(assignment: Assignment, edition: Path) -> list[str]:
    """What goes wrong when the edition is graded empty, and with the solutions in it; a sentence each."""
    answers = Answers.load(edition / "assignments" / assignment.name / assignment.answers_path.name)
    stubs = {name: (edition / name).read_bytes() for name in assignment.editable}
    solved = {name: (ROOT / name).read_bytes() for name in assignment.editable} | reference_models(assignment)
    with tempfile.TemporaryDirectory(prefix="workbook-") as scratch:
        tree = shutil.copytree(edition, Path(scratch) / "edition")
        with CheckProcess(tree, assignment) as worker:
            empty, filled = (
                judge_submission(
                    Submission(id, files),
                    worker.run(files, answers.seed, held_out=answers.held_out),
                    assignment,
                    answers,
                )
                for id, files in (("the empty edition", stubs), ("the filled edition", solved))
            )
    return [
        f"{verdict.check} of {graded.submission.id} is {verdict.status}: {verdict.message}"
        for graded, due in ((empty, ("not_written", "blocked")), (filled, ("passed",)))
        for verdict in graded.verdicts
        if verdict.status not in due
    ]


def _filled(name: str, assignment: Assignment) -> str:
    folder = Path(__file__).parent / "templates"
    pages = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder), keep_trailing_newline=True, trim_blocks=True
    )
    return pages.get_template(name).render(course=read_course(), assignment=assignment)


def _secret_lines(assignment: Assignment) -> Iterator[str]:
    lines = [
        line for name in assignment.editable for line in solutions((ROOT / name).read_text(encoding="utf-8"))
    ]
    for name in assignment.notebooks:
        for cell in nbformat.read(assignment.folder / name, as_version=4).cells:
            if cell.metadata.get("nbgrader", {}).get("solution"):
                lines += cell.source.splitlines()
    lines = [line for line in lines if line.strip() not in IDIOMS]
    yield from (line for line in lines if len(_squash(line)) >= SHORTEST_SECRET)


def _squash(text: str) -> str:
    return re.sub(r"[\s\\\"']+", "", text).lower()
