"""Make up a class: submissions from the reference, the mistakes, untouched stubs and broken files."""

import ast
import inspect
import random
import re
import shutil
import textwrap
from pathlib import Path
from types import FunctionType, ModuleType
from typing import cast

import torch

from exercise_code.support.checking import exercise_source
from exercise_code.support.checking.assignment import Assignment
from exercise_code.support.checking.declare import Mistake
from exercise_code.support.checking.run_check import one_thread
from exercise_code.support.data.files import stored
from exercise_code.support.paths import ROOT
from grading.editions.student_files import BEGIN, END, strip_solutions
from grading.running.dependencies import hash_of, model_files

BROKEN = {
    "syntax error": "def compute_distances_two_loops(x_train, x_test)\n    return x_train\n",
    "endless loop": "while True:\n    pass\n",
    "exit": "import os\n\nos._exit(3)\n",
}


def make_class(assignment: Assignment, edition: Path, folder: Path, size: int, seed: int = 0) -> list[str]:
    """Write submissions of made-up students into a folder.

    About one in ten is perfect, one in ten untouched or broken; the others have made one to four of
    the known mistakes, and some have not come to the end. All hand in the notebook of the student edition.

    Returns:
        The students' names.
    """
    draw = random.Random(seed)
    models = reference_models(assignment)
    shutil.rmtree(folder, ignore_errors=True)
    notebooks = {path: (edition / path).read_text(encoding="utf-8") for path in assignment.notebook_paths}
    names = [f"student-{number:0{len(str(size))}}" for number in range(1, size + 1)]
    by_exercise: dict[str, list[Mistake]] = {}
    for mistake in assignment.mistakes:
        by_exercise.setdefault(mistake.exercise, []).append(mistake)
    for number, name in enumerate(names):
        texts = {file: (ROOT / file).read_text(encoding="utf-8") for file in assignment.editable}
        kind = number % 10
        if kind == 8:
            texts = {file: strip_solutions(text, file) for file, text in texts.items()}
        elif kind == 9:
            texts = dict.fromkeys(texts, draw.choice([*BROKEN.values()]))
        elif kind:
            for exercise in draw.sample([*by_exercise], min(len(by_exercise), draw.randint(1, 4))):
                texts = with_mistake(texts, draw.choice(by_exercise[exercise]))
            if draw.random() < 0.25:
                texts = without(texts, assignment.checks[-1].exercise)
        write_submission(folder / name, texts | notebooks)
        for path, content in models.items() if kind < 8 else ():
            (folder / name / path).parent.mkdir(exist_ok=True)
            (folder / name / path).write_bytes(content)
    return names


def reference_models(assignment: Assignment) -> dict[str, bytes]:
    """What the reference would hand in as saved models, by path.

    They are trained where something they depend on has changed, and kept beside the data sets.

    Raises:
        DataError: they cannot be stored.
    """
    if not (make_models := assignment.make_models):
        return {}
    version = hash_of(model_files(assignment))[:16]
    with one_thread():
        folder = stored(f"models-{assignment.name}-{version}-torch-{torch.__version__}", make_models)
    return {f"models/{name}": (folder / name).read_bytes() for name in assignment.models}


def write_submission(folder: Path, texts: dict[str, str]) -> None:
    """Write a submission's files, without the markers around solutions."""
    for file, text in texts.items():
        lines = [line for line in text.splitlines() if line.strip() not in (BEGIN, END)]
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text("\n".join(lines) + "\n", encoding="utf-8")


def with_mistake(texts: dict[str, str], mistake: Mistake) -> dict[str, str]:
    """The same files, in which one exercise is done as in the mistake."""
    function = exercise_source.find_function(mistake.source, mistake.name)
    assert function
    body = mistake.source.splitlines()[exercise_source.body_without_docstring(function)[0].lineno - 1 :]
    texts = _with_body(texts, mistake.exercise, textwrap.dedent("\n".join(body)))
    path, _ = exercise_source.locate(mistake.exercise, ROOT / "exercise_code")
    file = path.relative_to(ROOT).as_posix()
    needed = re.sub(rf"\b{path.stem}\.", "", _needed(mistake, texts[file]))
    return {**texts, file: texts[file] + needed}


def without(texts: dict[str, str], exercise: str) -> dict[str, str]:
    """The same files, in which one exercise is not written."""
    return _with_body(texts, exercise, f'raise NotImplementedError("{exercise.partition(".")[2]}")')


def _with_body(texts: dict[str, str], exercise: str, body: str) -> dict[str, str]:
    path, qualname = exercise_source.locate(exercise, ROOT / "exercise_code")
    file = path.relative_to(ROOT).as_posix()
    lines = texts[file].splitlines()
    function = exercise_source.find_function(texts[file], qualname)
    assert function
    statements = exercise_source.body_without_docstring(function)
    indent = " " * (function.col_offset + 4)
    body = re.sub(rf"\b{path.stem}\.", "", body)
    lines[statements[0].lineno - 1 : function.end_lineno] = textwrap.indent(body, indent).splitlines()
    return {**texts, file: "\n".join(lines) + "\n"}


def _needed(mistake: Mistake, text: str) -> str:
    """What a mistake uses of its module and a file lacks: imports, constants, functions, other mistakes."""
    imports, constants, functions = [], [], []
    function = cast(FunctionType, mistake.function)
    own = function.__module__.partition(".")[0]
    seen = set(re.findall(r"^(?:import |def |class )(\w+)", text, re.MULTILINE))
    waiting = [(function, mistake.source)]
    while waiting:
        user, source = waiting.pop()
        known = user.__globals__
        for name in sorted(_names(source) & known.keys() - seen):
            seen.add(name)
            value = known[name]
            if isinstance(value, Mistake):  # one that another calls
                functions.append(value.source)
                waiting.append((cast(FunctionType, value.function), value.source))
            elif isinstance(value, ModuleType):
                parent, _, last = value.__name__.rpartition(".")
                imports.append(
                    f"from {parent} import {last} as {name}" if parent else f"import {last} as {name}"
                )
            elif isinstance(value, FunctionType) and value.__module__.partition(".")[0] == own:
                functions.append(inspect.getsource(value))
                waiting.append((value, functions[-1]))
            elif isinstance(value, FunctionType | type):
                imports.append(f"from {value.__module__} import {name}")
            else:
                written = _written(user, name) or repr(value)
                constants.append(f"{name} = {written}")
                waiting.append((user, written))
    # what was found last is needed first, as a default or within a constant
    return "".join(f"\n{line}\n" for line in (*imports, *reversed(constants), *reversed(functions)))


def _written(user: FunctionType, name: str) -> str:
    """What a constant is set to in the file of a function that uses it; empty where it comes from another."""
    for node in ast.parse(Path(user.__code__.co_filename).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name:
            return ast.unparse(node.value)
    return ""


def _names(source: str) -> set[str]:
    return {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}
