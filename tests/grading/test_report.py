"""What the teacher's page says beyond outcomes: item analysis, time, what is odd, and stubs to paste."""

import ast
import dataclasses
import errno
import os
import re
import shutil

import numpy as np
import pytest
from bs4 import BeautifulSoup
from helpers import grade_all
from hypothesis import given
from hypothesis import strategies as st

from exercise_code.support.checking.answers import make_answers
from exercise_code.support.checking.assignment import read_assignment
from exercise_code.support.checking.evidence import Evidence, Run
from exercise_code.support.paths import ROOT
from grading.pages import mistake_cost
from grading.pages.incidents import incidents
from grading.pages.item_analysis import analyse
from grading.pages.mistake_drafts import LONGEST, LONGEST_MODULE, portable, stub
from grading.pages.report import write_report
from grading.running.grader import judge_submission
from grading.submissions.records import Submission

FILE = "exercise_code/knn.py"
NO_LOOPS, TIES = "knn.compute_distances_no_loops", "knn.predict_labels:ties"
RIGHT = "\n".join(line for line in (ROOT / FILE).read_text().splitlines() if "SOLUTION" not in line) + "\n"
SEED = 5
SANDBOX = {"level": "L3", "layers": [], "missing": []}
DOUBLED = '''
import math as m
SCALE = 4.0
def _double(x): return m.sqrt(SCALE) * x
def compute_distances_no_loops(x_train, x_test):
    """Twice as far."""
    {comment}
    return _double(compute_distances_one_loop(x_train, x_test))
'''
TRIPLED = """
def compute_distances_no_loops(x_train, x_test):
    return 3 * compute_distances_one_loop(x_train, x_test)
"""


def read(path) -> BeautifulSoup:
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


def words(tag) -> str:
    return " ".join(tag.get_text(" ").split())


def rows(page, id: str, number: int = 0) -> dict[str, list[str]]:
    """A table below a heading: the cells of each row by its head."""
    table = page.find(id=id).parent.find_all("table")[number]
    cells = {
        words(row.th): [words(cell) for cell in row.find_all("td")] for row in table.tbody.find_all("tr")
    }
    return {head.replace("_ ", "_").replace(". ", "."): row for head, row in cells.items()}


@given(st.integers(2, 12), st.integers(2, 6), st.integers(0, 10**6))
def test_discrimination_is_numpys_correlation_with_the_rest(students, checks, seed):
    points = np.random.default_rng(seed).integers(0, 3, (checks, students)) / 2
    items = analyse(
        {str(i): list(row) for i, row in enumerate(points)}, dict.fromkeys(map(str, range(checks)), 1.0)
    )
    for index, item in enumerate(items.values()):
        own, rest = points[index], points.sum(0) - points[index]
        assert item.full == np.mean(own == 1) and item.mean == pytest.approx(own.mean())
        if np.ptp(own) == 0 or np.ptp(rest) == 0:
            assert item.discrimination is None
        else:
            assert item.discrimination == pytest.approx(np.corrcoef(own, rest)[0, 1])


def test_one_student_alone_has_no_discrimination():
    (item,) = analyse({"a": [2.0]}, {"a": 4.0}).values()
    assert (item.full, item.mean, item.discrimination) == (0, 0.5, None)


@pytest.fixture(scope="module")
def answers(a01):
    return make_answers(a01.checks, a01.mistakes, SEED)


@pytest.fixture(scope="module")
def records(a01, tmp_path_factory):
    """Four with the same unexplained mistake, one with another; one that is cut short by the sandbox."""
    docstring = r'(def predict_labels\(.*?""".*?""")'
    refused = re.sub(docstring, r"\1\n    open('/etc/passwd')", RIGHT, flags=re.DOTALL)
    sources = {
        "ann": RIGHT + DOUBLED.format(comment="# a comment"),
        "bob": RIGHT + DOUBLED.format(comment="# none"),
        "cem": RIGHT + DOUBLED.format(comment="half = 1"),
        "dan": RIGHT + DOUBLED.format(comment="# three"),
        "eve": RIGHT + TRIPLED,
        "flo": refused,
        "gil": RIGHT,
        "hal": RIGHT + "\nimport random\ndef knn_get_best_k(_): return random.SystemRandom().random()\n",
    }
    submissions = [Submission(id, {FILE: text.encode()}) for id, text in sources.items()]
    submissions[-2].notes.append("../x points outside of the archive and was left out")
    return grade_all(submissions, a01, SEED, tmp_path_factory.mktemp("out"))


@pytest.fixture(scope="module")
def page(a01, records, answers, tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    write_report(a01, records, answers, path, seed=SEED, sandbox=SANDBOX)
    return read(path)


def test_the_page_shows_the_item_analysis(page, a01, records):
    items = analyse(
        {c.id: [r.verdicts[i].points for r in records] for i, c in enumerate(a01.checks)},
        {c.id: c.points for c in a01.checks},
    )
    shown = rows(page, "items")
    assert len(shown) == len(a01.checks)
    row = shown["compute_distances_no_loops"]
    assert row == ["38 %", "38 %", f"{items[NO_LOOPS].discrimination:.2f}"]
    assert shown["compute_distances_two_loops"] == ["100 %", "100 %", "not defined"]


def test_the_page_shows_what_time_each_check_and_submission_took(page, a01, records):
    taken, slowest = rows(page, "time"), rows(page, "time", 1)
    assert [row[0] for row in taken.values()] == ["8"] * len(a01.checks)
    totals = {record.submission.id: sum(record.seconds) for record in records}
    assert list(slowest) == sorted(totals, key=totals.get, reverse=True)
    longest = max((record.seconds[0], record.submission.id) for record in records)
    assert taken["compute_distances_two_loops"][3] == longest[1]
    assert len(page.find(id="time").parent.find_all("svg")) == 1


def test_time_of_a_failed_import_is_not_lost(a01, tmp_path):
    (record,) = grade_all([Submission("x", {FILE: b"import os\nos._exit(1)\n"})], a01, SEED, tmp_path)
    assert record.seconds[0] > 0 and set(record.seconds[1:]) == {0.0}


def test_flaky_code_is_named(page):
    entry = words(page.find(id="flaky").find_next("ul"))
    assert "hal" in entry and "not deterministic" in entry and "knn_get_best_k" in entry.replace("_ ", "_")
    assert "ann" not in entry


def test_a_result_that_a_busy_machine_spoilt_is_named_too(a01, answers, tmp_path):
    found = {**answers.reference, TIES: Evidence(TIES, problem=("timeout", "it took longer"))}
    late = [found[check.id] for check in a01.checks]
    submission = Submission("x", {FILE: RIGHT.encode()})
    item = judge_submission(submission, late, a01, answers, {TIES: answers.reference[TIES]})
    write_report(a01, [item], answers, tmp_path / "r.html", seed=SEED, sandbox=SANDBOX)
    entry = words(read(tmp_path / "r.html").find(id="flaky").find_next("ul"))
    assert "the second run counts; the first run: it took longer" in entry


def test_incidents_are_named_by_kind(page):
    entries = [words(entry) for entry in page.find(id="incidents").find_next("ul").find_all("li")]
    assert len(entries) == 2
    assert "refused: PermissionError" in entries[0] and "flo" in entries[0]
    assert "the files" in entries[1] and "archive: ../x points outside" in entries[1] and "gil" in entries[1]


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.EPERM, "refused"),
        (errno.EACCES, "refused"),
        (errno.EROFS, "refused"),
        (errno.ENOMEM, "memory"),
        (errno.EAGAIN, "processes or threads"),
        (errno.EFBIG, "disk"),
        (errno.ENOSPC, "disk"),
        (errno.EMFILE, "disk"),
        (errno.ENETUNREACH, "network"),
        (errno.ENOENT, None),
    ],
)
def test_the_systems_own_words_name_the_kind(a01, answers, number, kind):
    error = OSError(number, os.strerror(number))
    raised = Run(error=f"{type(error).__name__}: {error} (knn.py, line 3)")
    found = {**answers.reference, TIES: Evidence(TIES, {"float32": raised})}
    item = judge_submission(Submission("x"), [found[check.id] for check in a01.checks], a01, answers)
    assert [(k, check) for k, check, _ in incidents(item)] == ([(kind, TIES)] if kind else [])


def stub_of(page, check: str, students: str) -> str:
    """What the card of a check and some students offers to paste."""
    for card in page.select(".card"):
        if card.code.get_text() == check and [a.get_text() for a in card.find_all("a")] == students.split():
            return card.select_one("pre").get_text()
    raise AssertionError(f"no card of {students}")


def test_a_pasted_stub_explains_its_group(a01, page, records, tmp_path):
    """The commonest code: three of four, whose comments alone differ."""
    pasted = stub_of(page, "compute_distances_no_loops", "ann bob cem dan")
    assert pasted.startswith(f'@mistake("{NO_LOOPS}", hint="') and "half = 1" not in pasted
    assert "3 of 4 students" in words(page.select_one(".stub"))
    folder = shutil.copytree(a01.folder, tmp_path / a01.name)
    with (folder / "mistakes.py").open("a", encoding="utf-8") as file:
        file.write("\n\n" + pasted)
    longer = read_assignment(folder)
    assert len(longer.mistakes) == len(a01.mistakes) + 1
    answers = make_answers(longer.checks, longer.mistakes, SEED)
    again = [judge_submission(r.submission, r.evidence, a01, answers) for r in records]
    index = [check.id for check in a01.checks].index(NO_LOOPS)
    told = {item.submission.id for item in again if item.verdicts[index].hint == longer.mistakes[-1].hint}
    assert told == {"ann", "bob", "cem", "dan"}
    assert [item.score for item in again] == [record.score for record in records]


def test_groups_with_a_hint_have_no_stub(a01, answers, tmp_path):
    known = next(m for m in answers.mistakes if m.name == "no_loops_squared")
    found = {**answers.reference, NO_LOOPS: known.evidence}
    evidence = [found[check.id] for check in a01.checks]
    item = judge_submission(Submission("x", {FILE: RIGHT.encode()}), evidence, a01, answers)
    assert not item.code
    write_report(a01, [item], answers, tmp_path / "r.html", seed=SEED, sandbox=SANDBOX)
    assert not read(tmp_path / "r.html").select(".stub")


@pytest.mark.parametrize(
    "source",
    [
        b"def f(:",
        b"\xff\xfe",
        b"X = 3\ndef compute_distances_no_loops(a, b=X): return a",
        b"def compute_distances_no_loops(a, b): return " + b"+".join([b"a"] * LONGEST),
        b"def compute_distances_no_loops(a, b): return a\n" + b"#" * LONGEST_MODULE,
        b"def another(): pass",
    ],
    ids=["not Python", "not text", "default of the module", "too long", "in a huge module", "not there"],
)
def test_what_cannot_stand_alone_makes_no_stub(source):
    assert portable(NO_LOOPS, {FILE: source}, ROOT) == ""


def test_a_method_keeps_its_class_and_a_stub_its_imports():
    body = b"    def predict(self, x: int) -> int:\n        return math.pi * torch.ones(3)\n"
    source = b"import math\nimport torch\nclass KnnClassifier:\n" + body
    text = portable("knn.KnnClassifier.predict", {FILE: source}, ROOT)
    assert ast.unparse(ast.parse(text)) == text and "import math" in text
    declared = stub("knn.KnnClassifier.predict", "pi", text, "import torch\n")
    assert "def pi(self, x):" in declared and "import torch" not in declared and "import math" in declared


@pytest.mark.parametrize("code", ["def f(:", "def f(): return " + "-" * 5000 + "1"], ids=["broken", "deep"])
def test_code_that_cannot_be_read_again_makes_no_stub(code):
    assert stub(NO_LOOPS, "name", code, "") == ""


def test_stubs_do_not_take_names_that_are_there(a01, answers, records, tmp_path):
    taken = dataclasses.replace(a01.mistakes[0])
    taken.function.__name__, before = "unexplained_1", taken.function.__name__
    try:
        write_report(a01, records, answers, tmp_path / "r.html", seed=SEED, sandbox=SANDBOX)
    finally:
        taken.function.__name__ = before
    text = " ".join(pre.get_text() for pre in read(tmp_path / "r.html").find_all("pre"))
    names = re.findall(r"def (unexplained_\d)", text)
    assert "unexplained_2" in names and "unexplained_1" not in names and len({*names}) == len(names)


def test_mistakes_are_tried_on_images_once_and_only_where_they_can_matter(a01, monkeypatch):
    names = ["two_loops_transposed", "farthest_vote"]
    chosen = [mistake for mistake in a01.mistakes if mistake.name in names]
    kept: dict[str, bytes] = {}
    first = mistake_cost.on_images(a01, chosen, kept.get, kept.__setitem__)
    assert [mistake.name for mistake in first.harmless] == names[:1]
    ((mistake, accuracy),) = first.mistakes
    assert (mistake.name, accuracy < first.reference) == (names[1], True)
    monkeypatch.setattr(mistake_cost, "_accuracy", None)
    assert mistake_cost.on_images(a01, chosen, kept.get, kept.__setitem__) == first


def test_a_mistake_that_takes_too_long_has_no_accuracy(a01, monkeypatch):
    monkeypatch.setattr(mistake_cost, "PATIENCE", 0)
    chosen = [mistake for mistake in a01.mistakes if mistake.exercise == "knn.predict_labels"][:1]
    found = mistake_cost.on_images(a01, chosen, {}.get)
    assert [accuracy for _, accuracy in found.mistakes] == [None]
