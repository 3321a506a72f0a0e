"""Make the student edition of the course: stubs for solutions, cleared notebooks, the answers to one seed."""

import ast
import base64
import io
import json
import multiprocessing
import os
import re
import shutil
import textwrap
import tokenize
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

import jinja2
import nbformat
import numpy as np
import torch
from nbclient import NotebookClient

from exercise_code.support.checking.answers import Answers, make_answers
from exercise_code.support.checking.assignment import (
    Assignment,
    AssignmentError,
    find_assignment,
    read_assignment,
)
from exercise_code.support.checking.declare import Check
from exercise_code.support.checking.exercise_source import place_of
from exercise_code.support.checking.judge import judge
from exercise_code.support.checking.student_check import VISIBLE_SEED
from exercise_code.support.edition import MANIFEST, Edition, EditionError, Update, bring_in, hash_file
from exercise_code.support.paths import ROOT
from grading.course import CourseError, read_course
from grading.editions.made_up_class import reference_models
from grading.editions.student_files import (
    BEGIN,
    END,
    HIDDEN,
    requirements,
    solutions,
    write_own,
    write_solutions,
    write_student_files,
)
from grading.notebooks.nbgrader_course import make_course
from grading.running.check_process import CheckProcess
from grading.running.grader import judge_submission
from grading.scratch import scratch_folder
from grading.submissions.records import Submission

Item = TypeVar("Item")
Made = TypeVar("Made")
SHORTEST_SECRET = 18
IDIOMS = {
    "with torch.no_grad():",
    "optimizer.zero_grad()",
    "losses.append(loss.item())",
    "for layer in self.layers:",
}
"""Lines of a solution that give nothing away."""
BLANK = {tokenize.NL, tokenize.COMMENT, tokenize.INDENT, tokenize.DEDENT}
PAGES = {
    "README.md": "student_readme.md",
    "AGENTS.md": "agents.md",
    "progress.ipynb": "progress.ipynb",
    ".github/workflows/checks.yml": "checks.yml",
    ".devcontainer/devcontainer.json": "devcontainer.json",
    ".gitignore": "gitignore",
    ".gitattributes": "gitattributes",
}
"""What else lies in an edition, and the template it is made from."""
WHERE = "import exercise_code, pathlib; print(pathlib.Path(exercise_code.__file__).resolve())"


def release(assignments: Sequence[Assignment], build: Path, *, reveal: bool = False) -> Update:
    """Bring assignments into the course for students in `build`/student, and into `build`/nbgrader.

    Those that are there already keep what students write as it was published, and the rest too, unless the
    engine or their checks have changed.

    Args:
        assignments: what is released.
        build: the folder for what is made.
        reveal: let whoever learns alone see solutions after honest tries; never for a class.

    Returns:
        What came of it: files that somebody has changed in `build`/student are kept.

    Raises:
        CourseError: a solution cannot be cut out, or the edition would give something away, score points
            when it is empty, or not all of them with the solutions in it; nothing has changed.
    """
    published = build / "student"
    try:
        before = Edition.read(published) if (published / MANIFEST).exists() else Edition()
        course = {each.name: each for each in (*map(find_assignment, before.assignments), *assignments)}
    except (EditionError, AssignmentError) as error:
        raise CourseError(f"{published}: {error}") from None
    for assignment in course.values():
        if lacking := [each.short for each in assignment.earlier if each.name not in course]:
            raise CourseError(f"{assignment.name} builds on {lacking[0]}: release that before, or with it")
    origins = {name: _origin(course[name]) for name in sorted(course)}
    anew = [course[name] for name in origins if before.assignments.get(name) != origins[name]]
    with scratch_folder() as scratch:
        edition, trees = scratch / "student", scratch / "trees"
        due: dict[Path, Path] = {}
        for name in origins:
            assignment, tree = course[name], trees / name
            write_own(assignment, tree)
            if assignment not in assignments:
                _as_published(assignment, tree, published, before, whole=assignment not in anew)
            answers = Path("assignments", name, assignment.answers_path.name)
            if assignment not in anew and hash_file(published / answers) == before.given[answers.as_posix()]:
                shutil.copy(published / answers, tree / answers)
            else:
                due[assignment.folder] = tree / answers
        _apart(_answer, due.items())
        for name in origins:
            shutil.copytree(trees / name, edition, dirs_exist_ok=True)
            _add_notebooks(course[name], trees / name, edition, scratch / "nbgrader")
        released = [read_assignment(edition / "assignments" / name) for name in origins]
        _write_pages(released, edition)
        tried = [each for each in course.values() if each in anew or each in assignments]
        found = leaks(course.values(), edition)
        for faulty in _apart(partial(_faults, edition=edition), [each.folder for each in tried]):
            found += faulty
        if found:
            raise CourseError(f"the student edition is not fit for release: {found[0]}")
        if reveal:
            for assignment in course.values():
                write_solutions(assignment, edition)
        written = {path for each in released for path in (*each.editable, *each.notebook_paths)}
        Edition.of(edition, origins, written).save(edition)
        for assignment in assignments:
            write_student_files(assignment, scratch / "tree")
            for each in (*assignment.earlier, assignment):  # to find out what stand-ins are needed for
                answers = Path("assignments", each.name, each.answers_path.name)
                shutil.copy(edition / answers, scratch / "tree" / answers)
            make_course(assignment, scratch / "tree", build / "nbgrader")
        return bring_in(edition, published)


def is_outdated(assignment: Assignment, published: Path) -> bool:
    """Whether a course for students holds answers of an assignment that are not those of today."""
    if not (published / MANIFEST).exists():
        return False
    origins = Edition.read(published).assignments
    return assignment.name in origins and origins[assignment.name] != _origin(assignment)


def _origin(assignment: Assignment) -> str:
    """Names what an assignment's answers are made from: the engine, checks, solutions, mistakes, versions."""
    below = [assignment, *assignment.earlier]
    files = {ROOT / name for each in below for name in (*each.editable, *each.given)}
    for folder in (ROOT / "exercise_code/support", *(each.folder for each in below)):
        files |= {path for path in folder.rglob("*.py") if path.parent.name != "tests"}
    parts = [torch.__version__, np.__version__]
    parts += [f"{path.name} {hash_file(path)}" for path in sorted(files)]
    return sha256("\n".join(parts).encode()).hexdigest()


def _as_published(
    assignment: Assignment, tree: Path, published: Path, before: Edition, *, whole: bool
) -> None:
    """Put back what was published, all or what students write, unless it was changed since."""
    own = {*assignment.editable, *assignment.notebook_paths}
    if whole:
        own |= {*assignment.given}
        own |= {name for name in before.files if name.startswith(f"assignments/{assignment.name}/")}
    for name in own & before.files.keys():
        if hash_file(published / name) == before.files[name]:
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(published / name, tree / name)


def _apart(work: Callable[[Item], Made], items: Iterable[Item]) -> list[Made]:
    """What some work makes of each item, from the last on: in a process for each processor, or here for one.

    Threads would not do: in Python 3.11 two that parse modules at once may end in a SystemError.
    """
    due = [*items][::-1]  # the later ones take longer
    if len(due) < 2:
        return [*map(work, due)]
    workers = min(os.cpu_count() or 1, len(due))
    try:
        with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
            return [*pool.map(work, due)]
    except BrokenProcessPool:
        raise CourseError("a process of the release ended: if memory is short, release one by one") from None


def _answer(due: tuple[Path, Path]) -> None:
    """Write the answers of an assignment, named by its folder, to their place."""
    folder, place = due
    assignment = read_assignment(folder)
    make_answers(assignment.checks, assignment.mistakes, VISIBLE_SEED).save(place)


def _add_notebooks(assignment: Assignment, tree: Path, edition: Path, scratch: Path) -> None:
    """Let nbgrader make the students' notebooks that are not there yet."""
    due = read_assignment(tree / "assignments" / assignment.name)
    missing = [
        name
        for name, path in zip(due.notebooks, due.notebook_paths, strict=True)
        if not (edition / path).exists()
    ]
    if missing:
        released = make_course(assignment, tree, scratch)
        for name in missing:
            shutil.copy(released / name, edition / "assignments" / assignment.name)


def _write_pages(assignments: list[Assignment], edition: Path) -> None:
    """Write what is about the whole course."""
    (edition / "requirements.txt").write_text(requirements(assignments), encoding="utf-8")
    loader = jinja2.FileSystemLoader(Path(__file__).parent / "templates")
    templates = jinja2.Environment(loader=loader, keep_trailing_newline=True, trim_blocks=True)
    for name, template in PAGES.items():
        text = templates.get_template(template).render(course=read_course(), assignments=assignments)
        (edition / name).parent.mkdir(parents=True, exist_ok=True)
        (edition / name).write_text(text, encoding="utf-8")


def leaks(assignments: Iterable[Assignment], edition: Path) -> list[str]:
    """What a student edition holds that it must not, a sentence each."""
    found = []
    secrets = {_squash(line): line.strip() for each in assignments for line in _secret_lines(each)}
    for path in sorted(path for path in edition.rglob("*") if path.is_file()):
        name = path.relative_to(edition).as_posix()
        if path.suffix in (".pyc", ".db") or HIDDEN & {*path.parent.parts[-2:], path.name}:
            found.append(f"{name} does not belong there")
            continue
        text = path.read_bytes().decode("utf-8", errors="replace")
        if path.suffix == ".ipynb":
            content = json.loads(text)
            if any(cell.get("outputs") or cell.get("execution_count") for cell in content["cells"]):
                found.append(f"{name} has outputs")
            text = json.dumps(content, ensure_ascii=False) + "\n".join(_texts(content["cells"]))
        if BEGIN in text or END in text:
            found.append(f"{name} has a solution marker")
        squashed = _squash(text)
        found += [
            f"{name} has the solution line {line!r}" for key, line in secrets.items() if key in squashed
        ]
    return found


def _texts(cells: list[dict[str, Any]]) -> Iterator[str]:
    """What stands in cells and in their attachments."""
    for cell in cells:
        yield "".join(cell["source"])
        for kinds in cell.get("attachments", {}).values():
            yield from (base64.b64decode(content).decode("utf-8", "replace") for content in kinds.values())


def _faults(folder: Path, edition: Path) -> list[str]:
    return faults(read_assignment(folder), edition)


def faults(assignment: Assignment, edition: Path) -> list[str]:
    """What goes wrong when the edition is opened, graded empty, and with the solutions; a sentence each.

    A function that students get and that passes an exercise in its place is a solution, too.
    """
    answers = Answers.load(edition / "assignments" / assignment.name / assignment.answers_path.name)
    stubs = {name: (edition / name).read_bytes() for name in assignment.editable}
    solved = {name: (ROOT / name).read_bytes() for name in assignment.editable} | reference_models(assignment)
    with scratch_folder() as scratch:
        tree = shutil.copytree(edition, scratch / "edition")
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
            given_away = [*_given_away(assignment, stubs, answers, worker)]
        not_opened = [*_not_opened(tree / path for path in assignment.notebook_paths)]
    return [
        *given_away,
        *not_opened,
    ] + [
        f"{verdict.check} of {graded.submission.id} is {verdict.status}: {verdict.message}"
        for graded, due in ((empty, ("not_written", "blocked")), (filled, ("passed",)))
        for verdict in graded.verdicts
        if verdict.status not in due
    ]


def _given_away(
    assignment: Assignment, stubs: dict[str, bytes], answers: Answers, worker: CheckProcess
) -> Iterator[str]:
    """Helpers that pass the checks of an exercise with as many arguments, a sentence each."""
    checks: dict[str, list[Check]] = {}
    for check in assignment.checks:
        checks.setdefault(check.exercise, []).append(check)
    for file, stub in stubs.items():
        functions = {node.name: node for node in ast.parse(stub).body if isinstance(node, ast.FunctionDef)}
        here = {e: place_of(e)[1] for e in checks if f"exercise_code/{place_of(e)[0]}" == file}
        for exercise, name in here.items():
            for helper in functions.keys() - here.values() if name in functions else ():
                if len(functions[helper].args.args) == len(functions[name].args.args):
                    files = stubs | {file: stub + f"\n{name} = {helper}\n".encode()}
                    ids = [check.id for check in checks[exercise]]
                    found = worker.run(files, answers.seed, ids, answers.held_out)
                    if all(
                        judge(check, evidence, answers.reference[check.id], None).status == "passed"
                        for check, evidence in zip(checks[exercise], found, strict=True)
                    ):
                        yield f"{file} gives {name} away: {helper}, outside of the markers, passes its checks"


def _not_opened(notebooks: Iterable[Path]) -> Iterator[str]:
    """What is wrong where the first cell of a notebook does not find the course that it lies in.

    Notebooks of one folder that begin alike are tried once.
    """
    alike: dict[tuple[Path, str], list[str]] = {}
    for notebook in notebooks:
        cells = nbformat.read(notebook, as_version=4).cells
        first = next(cell.source for cell in cells if cell.cell_type == "code")
        alike.setdefault((notebook.parent, first), []).append(notebook.name)
    for (folder, first), names in alike.items():
        probe = nbformat.v4.new_notebook(cells=[*map(nbformat.v4.new_code_cell, (first, WHERE))])
        resources = {"metadata": {"path": str(folder)}}
        quiet = ["--log-level=ERROR"]  # a kernel warns of its transport on stderr
        NotebookClient(
            probe, timeout=300, allow_errors=True, resources=resources, extra_arguments=quiet
        ).execute()
        outputs = [output for cell in probe.cells for output in cell.outputs]
        wrong = [f"{each.ename}: {each.evalue}" for each in outputs if each.output_type == "error"]
        told = outputs[-1].get("text", "") if outputs else ""
        if wrong or not Path(told.strip()).is_relative_to(folder.parents[1].resolve()):
            reason = f" ({wrong[0]})" if wrong else ""
            yield (
                f"the first cell of {' and '.join(names)} does not find the course that it lies in{reason}: "
                "`workbook format` writes one that does"
            )


def _secret_lines(assignment: Assignment) -> Iterator[str]:
    codes = [
        code for name in assignment.editable for code in solutions((ROOT / name).read_text(encoding="utf-8"))
    ]
    for name in assignment.notebooks:
        for cell in nbformat.read(assignment.folder / name, as_version=4).cells:
            if cell.metadata.get("nbgrader", {}).get("solution"):
                codes.append(cell.source)
    lines = [line for code in codes for line in _logical_lines(code) if line.strip() not in IDIOMS]
    yield from (line for line in lines if len(_squash(line)) >= SHORTEST_SECRET)


def _logical_lines(code: str) -> Iterator[str]:
    """Lines of code without comments on lines of their own; what brackets span is one line."""
    rows, first = code.splitlines(), 0
    for token in tokenize.generate_tokens(io.StringIO(textwrap.dedent(code)).readline):
        if token.type == tokenize.NEWLINE:
            yield "\n".join(rows[first - 1 : token.start[0]])
            first = 0
        elif token.type not in BLANK:
            first = first or token.start[0]


def _squash(text: str) -> str:
    return re.sub(r"[\s\\\"']+", "", text).lower()
