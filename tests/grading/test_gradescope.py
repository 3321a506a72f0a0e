"""The autograder for Gradescope and the workflow for GitHub, each run as the platform would."""

import json
import os
import shutil
import subprocess
import sys
import zipfile

import pytest
import yaml
from helpers import grade_all

from exercise_code.support.checking.answers import make_answers
from exercise_code.support.paths import ROOT
from grading.editions import gradescope
from grading.editions.made_up_class import with_mistake
from grading.editions.student_files import solutions
from grading.submissions.records import Submission

FILE = "exercise_code/knn.py"
RIGHT = "\n".join(line for line in (ROOT / FILE).read_text().splitlines() if "### " not in line) + "\n"
SEED = 12


@pytest.fixture(scope="module")
def autograder(a01, tmp_path_factory):
    """The unpacked zip, as Gradescope has it."""
    root = tmp_path_factory.mktemp("autograder")
    gradescope.build(a01, make_answers(a01.checks, a01.mistakes, SEED), root / "a01.zip")
    with zipfile.ZipFile(root / "a01.zip") as archive:
        archive.extractall(root / "source")
    return root


def test_the_zip_has_what_gradescope_asks_for_and_no_solution(autograder):
    with zipfile.ZipFile(autograder / "a01.zip") as archive:
        modes = {info.filename: info.external_attr >> 16 for info in archive.infolist()}
        assert modes["setup.sh"] & 0o111 and modes["run_autograder"] & 0o111
        names = archive.namelist()
        assert not [name for name in names if name.endswith("mistakes.py") or "__pycache__" in name]
        stub = archive.read(FILE).decode()
    secret = [
        line.strip()
        for line in "".join(solutions((ROOT / FILE).read_text())).splitlines()
        if len(line.strip()) > 30
    ]
    assert secret and not [line for line in secret if line in stub]


def test_it_gives_the_same_points(a01, autograder, tmp_path):
    mistake = next(mistake for mistake in a01.mistakes if mistake.name == "no_loops_squared")
    wrong = with_mistake({FILE: RIGHT}, mistake)[FILE]
    (autograder / "submission").mkdir()
    (autograder / "submission/knn.py").write_text(wrong)
    program = ["bash", autograder / "source/run_autograder"]
    settings = {"AUTOGRADER": str(autograder), "PYTHON": sys.executable, "PATH": os.environ["PATH"]}
    subprocess.run(program, check=True, env=settings)
    found = json.loads((autograder / "results/results.json").read_text())
    (record,) = grade_all([Submission("ann", {FILE: wrong.encode()})], a01, SEED, tmp_path)
    assert found["score"] == record.score < a01.max_points
    assert [test["score"] for test in found["tests"]] == [verdict.points for verdict in record.verdicts]
    assert mistake.hint.rstrip(".") in " ".join(test["output"] for test in found["tests"])


def test_the_workflow_checks_what_is_written(build, tmp_path):
    edition = shutil.copytree(build / "student", tmp_path / "student")
    workflow = yaml.safe_load((edition / ".github/workflows/checks.yml").read_text())
    steps = workflow["jobs"]["check"]["steps"]
    assert [step["uses"].partition("@")[0] for step in steps if "uses" in step] == [
        "actions/checkout",
        "actions/setup-python",
    ]
    command = steps[-1]["run"].replace("${{ matrix.assignment }}", "a01").split()
    assert command[0] == "python"

    def run() -> int:
        return subprocess.run([sys.executable, *command[1:]], cwd=edition, capture_output=True).returncode

    assert run() == 0
    (edition / FILE).write_text(RIGHT)
    assert run() == 0
    (edition / FILE).write_text(RIGHT.replace("return dists", "return dists + 1", 1))
    assert run() == 1
