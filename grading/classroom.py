"""Make up a class: submissions from the reference, the mistakes, untouched stubs and broken files."""

import random
import re
import shutil
import textwrap
from pathlib import Path

from exercise_code.support.checking import source
from exercise_code.support.checking.assignment import Assignment
from exercise_code.support.checking.declare import Mistake
from exercise_code.support.paths import ROOT
from grading.tree import BEGIN, END, strip_solutions

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
    shutil.rmtree(folder, ignore_errors=True)
    notebook = (edition / assignment.notebook_path).read_text(encoding="utf-8")
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
        write_submission(folder / name, {**texts, assignment.notebook_path: notebook})
    return names


def write_submission(folder: Path, texts: dict[str, str]) -> None:
    """Write a submission's files, without the markers around solutions."""
    for file, text in texts.items():
        lines = [line for line in text.splitlines() if line.strip() not in (BEGIN, END)]
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text("\n".join(lines) + "\n", encoding="utf-8")


def with_mistake(texts: dict[str, str], mistake: Mistake) -> dict[str, str]:
    """The same files, in which one exercise is done as in the mistake."""
    function = source.find_function(mistake.source, mistake.name)
    body = mistake.source.splitlines()[source.body_without_docstring(function)[0].lineno - 1 :]
    return _with_body(texts, mistake.exercise, textwrap.dedent("\n".join(body)))


def without(texts: dict[str, str], exercise: str) -> dict[str, str]:
    """The same files, in which one exercise is not written."""
    return _with_body(texts, exercise, f'raise NotImplementedError("{exercise.partition(".")[2]}")')


def _with_body(texts: dict[str, str], exercise: str, body: str) -> dict[str, str]:
    path, qualname = source.locate(exercise, ROOT / "exercise_code")
    file = path.relative_to(ROOT).as_posix()
    lines = texts[file].splitlines()
    function = source.find_function(texts[file], qualname)
    statements = source.body_without_docstring(function)
    indent = " " * (function.col_offset + 4)
    body = re.sub(rf"\b{path.stem}\.", "", body)
    lines[statements[0].lineno - 1 : function.end_lineno] = textwrap.indent(body, indent).splitlines()
    return {**texts, file: "\n".join(lines) + "\n"}
