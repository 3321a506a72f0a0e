"""A course of three small assignments: the second builds on the first, the third on both."""

import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import nbformat
import pytest

from exercise_code.support.paths import ROOT

MODULES = {
    "first/__init__.py": '"""Given."""\n',
    "first/ops.py": '''
        """The first assignment."""


        def double(x):
            """Twice x."""
            ### BEGIN SOLUTION
            return 2 * x
            ### END SOLUTION


        class Scale:
            """x times w."""

            @staticmethod
            def forward(x, w):
                """The product and a cache."""
                ### BEGIN SOLUTION
                return x * w, (x, w)
                ### END SOLUTION

            @staticmethod
            def backward(dout, cache):
                """The gradients of x and w."""
                ### BEGIN SOLUTION
                x, w = cache
                return dout * w, dout * x
                ### END SOLUTION
        ''',
    "second.py": '''
        """The second assignment."""

        from exercise_code.first.ops import double


        def quadruple(x):
            """Four times x."""
            ### BEGIN SOLUTION
            return double(double(x))
            ### END SOLUTION
        ''',
    "third.py": '''
        """The third assignment."""

        import torch

        from exercise_code.first.ops import Scale
        from exercise_code.second import quadruple


        def slope(x, w):
            """The gradient of the sum of 4 x w with respect to w."""
            ### BEGIN SOLUTION
            _, cache = Scale.forward(x, w)
            return Scale.backward(quadruple(torch.ones_like(x)), cache)[1]
            ### END SOLUTION
        ''',
}
ASSIGNMENTS = {
    "b01_first": (
        ["first.ops"],
        [],
        '''
        @check("first.ops.double", points=1)
        def double(code, case):
            """Twice."""
            return {"y": code.first.ops.double(case.points(3))}


        @check("first.ops.Scale.forward", points=1, forbids=["torch.einsum"])
        def forward(code, case):
            """Forward."""
            return {"y": code.first.ops.Scale.forward(case.points(3), case.points(3))[0]}


        @check("first.ops.Scale.backward", points=1, uses=["first.ops.Scale.forward"])
        def backward(code, case):
            """Backward."""
            _, cache = code.first.ops.Scale.forward(case.points(3), case.points(3))
            return {"dx, dw": list(code.first.ops.Scale.backward(case.points(3), cache))}
        ''',
        """
        @stand_in("first.ops.double")
        def double(x):
            return torch.add(x, x)


        @stand_in("first.ops.Scale.forward")
        def forward(x, w):
            return torch.einsum("ij,ij->ij", x, w), (x, w)


        @stand_in("first.ops.Scale.backward")
        def backward(dout, cache):
            return torch.autograd.functional.vjp(torch.mul, cache, dout)[1]
        """,
    ),
    "b02_second": (
        ["second"],
        ["b01"],
        '''
        @check("second.quadruple", points=2, uses=["first.ops.double"], loops=0)
        def quadruple(code, case):
            """Four times."""
            return {"y": code.second.quadruple(case.points(3))}
        ''',
        """
        @stand_in("second.quadruple")
        def quadruple(x):
            return torch.mul(x, 4)
        """,
    ),
    "b03_third": (
        ["third"],
        ["b02"],
        '''
        USES = ["first.ops.Scale.forward", "first.ops.Scale.backward", "second.quadruple"]


        @check("third.slope", points=3, uses=USES, forbids=["torch.autograd.grad", "torch.add"])
        def slope(code, case):
            """A gradient."""
            return {"dw": code.third.slope(case.points(3), case.points(3))}
        ''',
        "",
    ),
}
GRADE = """
import io, json, sys, tarfile
from pathlib import Path
from exercise_code.support.checking.answers import make_answers
from exercise_code.support.checking.assignment import find_assignment
from grading.running.grader import Grader, Job
from grading.submissions.collect import Submission

assignment = find_assignment(sys.argv[1])
job = Job.make(assignment, make_answers(assignment.checks, [], 5))
with Grader(job) as grader:
    for name, texts in json.loads(sys.argv[2]).items():
        files = {f"exercise_code/{file}": text.encode() for file, text in texts.items()}
        result = grader.grade(Submission(name, files))
        print(name, result.graded.score, *(verdict.status for verdict in result.graded.verdicts))
with tarfile.open(fileobj=io.BytesIO(job.files)) as archive:
    print("tree", *sorted(name for name in archive.getnames() if name.endswith("stand_ins.py")))
    print("stubs", archive.extractfile("./exercise_code/first/ops.py").read().count(b"NotImplementedError"))
"""
CHECK = """
import sys
from exercise_code.support.checking import build_on, check
for name in sys.argv[1:]:
    found = check(name)
    print(name, found.points, *(verdict.status for verdict in found.verdicts), *found.notes)
print(build_on("b02"))
print(check("b01").points)
"""


def text_of(name: str) -> str:
    return textwrap.dedent(MODULES[name]).strip() + "\n"


def notebook(checks: str) -> nbformat.NotebookNode:
    """A graded cell for each exercise."""
    cells = []
    for exercise in dict.fromkeys(re.findall(r'@check\("([^":]+)', checks)):
        cell = nbformat.v4.new_code_cell(f'check("{exercise}")')
        mark = {"grade": True, "grade_id": exercise.replace(".", "-"), "locked": True, "points": 1}
        cell.metadata["nbgrader"] = mark | {"schema_version": 3, "solution": False, "task": False}
        cells.append(cell)
    return nbformat.v4.new_notebook(cells=cells)


@pytest.fixture(scope="module")
def course(tmp_path_factory) -> Path:
    """The three assignments, with the course's engine and grader; answers to the visible seed lie there."""
    root = tmp_path_factory.mktemp("course")
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "exercise_code/support", root / "exercise_code/support", ignore=ignored)
    shutil.copytree(ROOT / "grading", root / "grading", ignore=ignored)
    shutil.copytree(ROOT / "datasets", root / "datasets", ignore=shutil.ignore_patterns("*.npz", "*.tar*"))
    for name in ("exercise_code/__init__.py", "exercise_code/__main__.py", "requirements.txt", "course.toml"):
        shutil.copy(ROOT / name, root / name)
    for name in MODULES:
        (root / "exercise_code" / name).parent.mkdir(exist_ok=True)
        (root / "exercise_code" / name).write_text(text_of(name))
    for name, (modules, builds_on, checks, stand_ins) in ASSIGNMENTS.items():
        folder = root / "assignments" / name
        folder.mkdir(parents=True)
        settings = {"title": name, "notebooks": ["all.ipynb"], "modules": modules, "builds_on": builds_on}
        nbformat.write(notebook(checks), folder / "all.ipynb")
        lines = [f"{key} = {json.dumps(value)}" for key, value in settings.items()]
        (folder / "assignment.toml").write_text("\n".join(lines))
        for kind, text in (("check", checks), ("stand_in", stand_ins)):
            head = f"import torch\n\nfrom exercise_code.support.checking.declare import {kind}\n"
            (folder / f"{kind}s.py").write_text(head + textwrap.dedent(text))
    run(
        root,
        "from exercise_code.support.checking.answers import make_answers\n"
        "from exercise_code.support.checking.assignment import all_folders, read_assignment\n"
        "for each in map(read_assignment, all_folders()):\n"
        "    make_answers(each.checks, [], 0).save(each.answers_path)",
    )
    return root


def run(root: Path, script: str, *arguments: str) -> list[str]:
    """What a script prints in a course, line by line."""
    command = [sys.executable, "-c", script, *arguments]
    environment = os.environ | {"PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


WRONG = {"double": ("2 * x", "3 * x"), "Scale.forward": ("x * w, (x, w)", "x + w, (x, w)")}


def test_grading_runs_on_stand_ins_and_takes_no_earlier_module(course):
    wrong = text_of("first/ops.py").replace("2 * x", "3 * x").replace("x * w, (x, w)", "None")
    by_hand = text_of("second.py").replace("double(double(x))", "sum(double(row) * 2 for row in x)")
    second = {
        "right": {"second.py": text_of("second.py")},
        "beside an old mistake": {"second.py": text_of("second.py"), "first/ops.py": wrong},
        "not written": {"second.py": text_of("second.py").replace("return", "raise NotImplementedError #")},
        "wrong": {"second.py": text_of("second.py").replace("double(double(x))", "double(x)")},
        "with a loop": {"second.py": by_hand},
    }
    assert run(course, GRADE, "b02", json.dumps(second)) == [
        "right 2 passed",
        "beside an old mistake 2 passed",
        "not written 0.0 not_written",
        "wrong 0.0 failed",
        "with a loop 0.0 failed",
        "tree ./assignments/b01_first/stand_ins.py",
        "stubs 3",
    ]


def test_two_earlier_assignments(course):
    """What stand-ins call is not refused; what the exercise calls itself is."""
    by_library = "    import torch\n    return torch.add(x, x) + torch.add(x, x)\n"
    third = {
        "right": {"third.py": text_of("third.py")},
        "by what is ruled out": {"third.py": text_of("third.py").split("    ###")[0] + by_library},
    }
    assert run(course, GRADE, "b03", json.dumps(third)) == [
        "right 3 passed",
        "by what is ruled out 0.0 failed",
        "tree ./assignments/b01_first/stand_ins.py ./assignments/b02_second/stand_ins.py",
        "stubs 3",
    ]


@pytest.mark.parametrize("wrong", [[], ["Scale.forward"], ["double", "Scale.forward"]])
def test_a_students_check_runs_on_stand_ins_where_earlier_functions_are_not_right(course, tmp_path, wrong):
    root = shutil.copytree(course, tmp_path / "course")
    text = text_of("first/ops.py")
    for name in wrong:
        text = text.replace(*WRONG[name])
    (root / "exercise_code/first/ops.py").write_text(text)
    second, third, session, points = run(root, CHECK, "b02", "b03")
    double = " double of b01 is not right yet: a stand-in takes its place here."
    forward = " Scale.forward of b01 is not right yet: a stand-in takes its place here."
    both = " double and Scale.forward of b01 are not right yet: stand-ins take their place here."
    assert second == "b02 2 passed" + (double if "double" in wrong else "")
    assert third == "b03 3 passed" + ["", forward, both][len(wrong)]
    assert ("stand-in" in session) == bool(wrong)
    assert float(points) == 3 - len(
        wrong
    )  # its own checks run on its own functions, whatever is kept in place


def test_an_earlier_module_that_cannot_be_read_is_named(course, tmp_path):
    root = shutil.copytree(course, tmp_path / "course")
    (root / "exercise_code/first/ops.py").write_text("def double(x:\n")
    assert run(root, CHECK, "b02")[0].startswith("b02 0.0 error")
