"""Notebooks are run once more for who grades them by hand: new outputs, the same scores."""

import json
import sys
from dataclasses import replace

import nbformat
import pytest

from exercise_code.support.checking.answers import make_answers
from exercise_code.support.paths import ROOT
from grading.editions.student_files import write_student_files
from grading.notebooks import rerun as rerunning
from grading.notebooks.rerun import executed
from grading.notebooks.with_verdicts import exercises_by_cell
from grading.running.grader import Grader, Job
from grading.running.sandbox import detect
from grading.submissions.records import Submission

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or detect().level == "L1", reason="this machine has no sandbox: workbook doctor"
)
FILE = "exercise_code/knn.py"
RIGHT = "\n".join(line for line in (ROOT / FILE).read_text().splitlines() if "SOLUTION" not in line) + "\n"
SETUP = "import sys; sys.path.insert(0, '../..')"


@pytest.fixture(scope="module")
def tree(a01, tmp_path_factory):
    """What students' files need to run."""
    folder = tmp_path_factory.mktemp("tree") / "tree"
    write_student_files(a01, folder)
    return folder


@pytest.fixture
def rerun(a01, tree):
    """Run cells as the notebook of a submission with the right module; returns cells and notes."""

    def run(*cells, kept=()):
        notebook = nbformat.v4.new_notebook(cells=list(cells))
        submission = Submission("ann", {FILE: RIGHT.encode()})
        text = executed(a01.notebooks[0], nbformat.writes(notebook), submission, a01, tree, kept, ())
        return nbformat.reads(text, as_version=4).cells, submission.notes

    return run


def code(source: str, grade_id: str = "", text: str = "handed in"):
    outputs = [nbformat.v4.new_output("stream", text=text)]
    marks = {"nbgrader": {"grade_id": grade_id}} if grade_id else {}
    return nbformat.v4.new_code_cell(source, outputs=outputs, metadata=marks)


def text(cell) -> str:
    return "".join(o.get("text") or o.get("ename") or o["data"]["text/plain"] for o in cell.outputs)


def test_odd_metadata_keeps_no_cell_from_running(a01, tree):
    deep: list = []
    for _ in range(400):
        deep = [deep]
    notebook = nbformat.v4.new_notebook(metadata={"x": deep})
    notebook.cells = [nbformat.v4.new_code_cell("1 + 1", metadata={"nbgrader": None})]
    submission = Submission("eve", {FILE: RIGHT.encode()})
    returned = executed(a01.notebooks[0], json.dumps(notebook), submission, a01, tree, (), ())
    assert text(nbformat.from_dict(json.loads(returned)["cells"][0])) == "2"


def test_outputs_are_those_of_the_submitted_code(rerun):
    question = nbformat.v4.new_markdown_cell("Because.")
    source = (
        "import torch\nfrom exercise_code import knn\nx = torch.eye(2)\nknn.compute_distances_no_loops(x, x)"
    )
    (_, first, kept, asked, quick), notes = rerun(
        code(SETUP),
        code(source),
        code("1 / 0", "check"),
        question,
        code("from exercise_code.support.notebook.setup import QUICK; QUICK"),
        kept={"check": "knn"},
    )
    assert "1.4142" in text(first) and text(kept) == "handed in" and text(quick) == "True"
    assert asked.source == "Because." and not notes


def test_the_notebook_is_in_the_sandbox(rerun, tree):
    (cell, again), _ = rerun(
        code(f"open({str(tree / 'exercise_code/knn.py')!r}, 'w').write('')"),
        code("open('/etc/passwd').read()"),
    )
    assert text(cell) == text(again) == "PermissionError"


def test_what_ends_the_kernel_costs_the_rest_and_is_noted(rerun):
    cells, notes = rerun(code("1 + 1"), code("import os; os._exit(1)"), code("2 + 2"))
    assert text(cells[0]) == "2" and text(cells[2]) == "handed in"
    assert len(notes) == 1 and "knn.ipynb was not run to its end" in notes[0]


SEND = """kernel = get_ipython().kernel
send, to, parent = kernel.session.send, kernel.iopub_socket, kernel.get_parent()
"""
MESSAGES = {
    "no output": "send(to, 'stream', content={}, parent=parent)",
    "a widget without a number": "send(to, 'comm_open', content={'data': {'state': {}}}, parent=parent)",
    "an odd display": "send(to, 'display_data', content={'transient': 'x'}, parent=parent)",
    "an odd output": "send(to, 'stream', content={'name': 5, 'text': 'x'}, parent=parent)",
    "no signature": "to.send_multipart([b'x', b'<IDS|MSG>', b'y', *[b'{'] * 4])",
    "no message": "to.send(b'x')",
}


@pytest.mark.parametrize("name", MESSAGES)
def test_forged_messages_cost_the_notebook_its_outputs(rerun, name):
    (_, after), notes = rerun(code(SEND + MESSAGES[name]), code("1 + 1"))
    assert text(after) in ("2", "handed in")
    assert len(notes) == 1 and "knn.ipynb was not run to its end: " in notes[0]


def test_time_is_limited_for_all_cells_together(a01, tree):
    brief = replace(a01, limits=replace(a01.limits, seconds_per_submission=6.0))
    cells = [code("import time\nfor _ in range(100): time.sleep(0.1)"), code("1 + 1"), code("2 + 2")]
    submission = Submission("ann")
    content = nbformat.writes(nbformat.v4.new_notebook(cells=cells))
    found = nbformat.reads(executed(a01.notebooks[0], content, submission, brief, tree, (), ()), as_version=4)
    assert text(found.cells[-1]) == "handed in" and "time was over" in submission.notes[0]


def test_a_flood_of_output_is_cut(rerun, monkeypatch):
    monkeypatch.setattr(rerunning, "MAX_OUTPUT", 10_000)
    (flood, after), _ = rerun(code("for _ in range(50): print('x' * 1000, flush=True)"), code("1 + 1"))
    assert len(text(flood)) <= 10_000 and text(after) == ""


def test_scores_are_equal_and_only_outputs_differ(a01, build):
    notebook = nbformat.read(build / "student" / a01.notebook_paths[0], as_version=4)
    cells = exercises_by_cell(a01)
    wanted = [c for c in notebook.cells if c.metadata.get("nbgrader") or "sys.path" in c.source]
    notebook.cells = [*wanted, code("6 * 7")]
    files = {
        FILE: RIGHT.replace(".sqrt()", "").encode(),
        a01.notebook_paths[0]: nbformat.writes(notebook).encode(),
    }
    answers = make_answers(a01.checks, a01.mistakes, 3)
    found = []
    for again in (False, True):
        with Grader(Job.make(a01, answers, execute=again)) as grader:
            found.append(grader.grade(Submission("ann", dict(files))))
    plain, run = (each.graded for each in found)
    assert [(v.check, v.status, v.points) for v in plain.verdicts] == [
        (v.check, v.status, v.points) for v in run.verdicts
    ]
    assert (
        0 < plain.score < a01.max_points
        and plain.untouched == run.untouched
        and plain.submission.notes == run.submission.notes
    )
    before, after = (nbformat.reads(*each.notebooks.values(), as_version=4).cells for each in found)
    assert text(before[-1]) == "handed in" and text(after[-1]) == "42"
    for old, new in zip(before, after, strict=True):
        assert old.source == new.source and old.metadata.get("nbgrader") == new.metadata.get("nbgrader")
        if old.metadata.get("nbgrader", {}).get("grade_id") in cells:
            assert old.outputs == new.outputs


def test_to_execute_is_another_state_and_the_evidence_stays(a01):
    answers = make_answers(a01.checks, [], 3)
    plain, again = (Job.make(a01, answers, execute=each) for each in (False, True))
    submission = Submission("ann", {FILE: RIGHT.encode()})
    assert plain.key(submission, "here") == again.key(submission, "here")
    assert plain.state(submission, "key") != again.state(submission, "key")
