"""Who shares more than chance explains, in what students wrote themselves."""

import csv
import json
import re
import subprocess
import sys

import pytest
from bs4 import BeautifulSoup

from exercise_code.support.checking import exercise_source
from exercise_code.support.checking.assignment import find_assignment
from exercise_code.support.checking.declare import Mistake
from exercise_code.support.paths import ROOT
from grading.editions.made_up_class import with_mistake, write_submission
from grading.editions.student_files import solutions, strip_solutions
from grading.pages.similar import NOISE, own_lines, similar, write_similar, write_table
from grading.submissions.records import Submission

FILE = "exercise_code/knn.py"
REFERENCE = (ROOT / FILE).read_text(encoding="utf-8")
HAND_IN = "\n".join(line for line in REFERENCE.splitlines() if "### " not in line) + "\n"


def other_way(number: int) -> str:
    """A right module in which every exercise is done as by one of the variants, where there is one."""
    texts = {FILE: REFERENCE}
    by_exercise: dict[str, list] = {}
    for variant in find_assignment("a01").variants:
        by_exercise.setdefault(variant.exercise, []).append(variant.function)
    for exercise, functions in by_exercise.items():
        function = functions[number % len(functions)]
        texts = with_mistake(texts, Mistake(exercise, function, "", exercise))
    return "\n".join(line for line in texts[FILE].splitlines() if "### " not in line) + "\n"


def renamed(text: str) -> str:
    """The same with other local names and comments in the lines that students write."""
    given = strip_solutions(REFERENCE, FILE).splitlines()
    names = {"dists": "d", "squared": "tmp", "nearest": "nn", "accuracies": "acc", "rest": "others"}

    def other(line: str) -> str:
        for name in names if line not in given else ():
            line = re.sub(rf"\b{name}\b", names[name], line)
        return re.sub(r"  # .*", "  # my own idea", line)

    return "\n".join(map(other, text.splitlines())) + "\n"


def reordered(text: str) -> str:
    """The same with the functions of the module in the opposite order."""
    blocks = re.split(r"\n\n\n(?=def |class )", text.rstrip("\n"))
    assert len(blocks) > 5
    return "\n\n\n".join([blocks[0], *blocks[:0:-1]]) + "\n"


def submission(id: str, text: str) -> Submission:
    return Submission(id, {FILE: text.encode()})


@pytest.fixture(scope="module")
def group():
    return [
        submission("ann", HAND_IN),
        submission("bob", HAND_IN.replace("    return dists\n", "    # done\n\n    return dists\n")),
        submission("cem", renamed(HAND_IN)),
        submission("dan", reordered(HAND_IN)),
        submission("eve", other_way(0)),
        submission("flo", strip_solutions(REFERENCE, FILE)),
        submission("gil", "not Python ((("),
        Submission("hal"),
    ]


def test_copied_renamed_and_reordered_code_is_found_and_independent_code_is_not(a01, group):
    found = {(pair.first, pair.second): pair for pair in similar(group, a01, 0.5, 10)}
    together = ["ann", "bob", "cem", "dan"]
    assert found.keys() == {(a, b) for a in together for b in together if a < b}
    assert found["ann", "bob"].similarity == 1
    assert all(pair.similarity > 0.9 for pair in found.values())


def test_independent_solutions_are_far_below_the_threshold(a01):
    pairs = similar(
        [submission("ann", HAND_IN), *(submission(f"v{n}", other_way(n)) for n in range(3))], a01, 0, 10
    )
    assert max(pair.similarity for pair in pairs if pair.first == "ann") < 0.25


def test_what_students_were_given_does_not_count(a01):
    """Two who have written one function each share the rest of the module, and nothing else."""
    stub = strip_solutions(REFERENCE, FILE)
    lines = [
        f"    {line}"
        for line in ("total = 0", "for a in dists:", "    total = total + a * a", "return total")
    ]
    first = stub.replace('    raise NotImplementedError("predict_labels")', "\n".join(lines))
    second = stub.replace(
        '    raise NotImplementedError("knn_get_best_k")',
        "    "
        + "\n    ".join(
            [
                "import random",
                "keys = list(k_to_accuracies)",
                "random.shuffle(keys)",
                "return sorted(keys)[len(keys) // 2]",
            ]
        ),
    )
    assert first != stub != second
    assert similar([submission("ann", first), submission("bob", second)], a01, 0, 10) == []


def test_own_lines_are_those_between_the_markers(a01):
    given = {FILE: {line.strip() for line in strip_solutions(REFERENCE, FILE).splitlines()}}
    own = own_lines(submission("ann", HAND_IN), given).splitlines()
    written = [
        line.strip()
        for line in "".join(solutions(REFERENCE)).splitlines()
        if line.strip() and "### " not in line
    ]
    assert [line.strip() for line in own if not line.startswith("# ")] == [
        w for w in written if w not in given[FILE]
    ]
    for line in own:
        if place := re.fullmatch(rf"# {FILE}, line (\d+)", line):
            assert HAND_IN.splitlines()[int(place[1]) - 1] == own[own.index(line) + 1]


def test_an_idiom_of_the_class_counts_for_nobody(a01):
    class_ = [submission(f"s{n}", HAND_IN) for n in range(4)]
    assert len(similar(class_, a01, 0.5, 4)) == 6
    assert similar(class_, a01, 0, 3) == []


def test_who_copied_a_part_is_found_by_the_larger_share(a01):
    stub = strip_solutions(REFERENCE, FILE)
    body = exercise_source.find_function(HAND_IN, "knn_cross_validate").body[1:]
    lines = HAND_IN.splitlines()[body[0].lineno - 1 : body[-1].end_lineno]
    part = stub.replace('    raise NotImplementedError("knn_cross_validate")', "\n".join(lines))
    (pair,) = similar([submission("ann", HAND_IN), submission("bob", part)], a01, 0.5, 10)
    assert pair.of_second > 0.9 > 0.6 > pair.of_first and pair.similarity == pair.of_second
    assert pair.signs > NOISE


def test_pairs_are_sorted_by_how_much_they_share(a01):
    stub = strip_solutions(REFERENCE, FILE)
    short = exercise_source.find_function(HAND_IN, "knn_cross_validate").body[1:]
    lines = "\n".join(HAND_IN.splitlines()[short[0].lineno - 1 : short[-1].end_lineno])
    part = stub.replace('    raise NotImplementedError("knn_cross_validate")', lines)
    class_ = [submission("ann", HAND_IN), submission("bob", HAND_IN), submission("cem", part)]
    found = similar(class_, a01, 0.5, 10)
    assert [pair.signs for pair in found] == sorted((pair.signs for pair in found), reverse=True)
    assert (found[0].first, found[0].second) == ("ann", "bob") and len(found) == 3


def test_the_page_marks_what_is_shared_and_text_of_students_is_text(a01, tmp_path):
    hostile = HAND_IN.replace("return dists\n", "return dists  # <script>alert(1)</script> {{ 7 * 7 }}\n")
    pairs = similar([submission("<b>ann", hostile), submission("bob", HAND_IN)], a01, 0.5, 10)
    write_similar(pairs, a01, tmp_path / "similar.html", 0.5, 10)
    page = BeautifulSoup((tmp_path / "similar.html").read_text(), "html.parser")
    assert not page.find_all("script") and page.find("h4").get_text() == "<b>ann"
    sides = page.select("pre")
    assert len(sides) == 2 and "<script>alert(1)" in sides[0].get_text()
    for side, text in zip(sides, (hostile, HAND_IN), strict=True):
        own = [line for line in side.get_text().splitlines() if not line.startswith("# ")]
        assert [line for line in own if line not in text.splitlines()] == []
        marked = sum(len(mark.get_text()) for mark in side.find_all("mark"))
        assert marked > 0.7 * len(side.get_text())
    assert "100 %" in page.find("table").get_text()
    assert all(re.match("#pair-", a["href"]) for a in page.find_all("a"))


def test_a_spreadsheet_runs_no_name_of_the_table(a01, tmp_path):
    pairs = similar([submission("=cmd()", HAND_IN), submission("bob", HAND_IN)], a01, 0.5, 10)
    write_table(pairs, tmp_path / "similar.csv")
    with (tmp_path / "similar.csv").open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert {row["first"], row["second"]} == {"'=cmd()", "bob"}
    write_table([], tmp_path / "similar.csv")
    assert (tmp_path / "similar.csv").read_text().startswith("first,second,")


def run(*arguments: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "grading.cli", "similar", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_the_command_writes_page_table_and_json(group, tmp_path):
    for one in group[:5]:
        write_submission(tmp_path / "submitted" / one.id, {FILE: one.files[FILE].decode()})
    done = run(
        "a01", str(tmp_path / "submitted"), "--out", str(tmp_path / "out"), "--threshold", "0.95", "--json"
    )
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert rows[0]["similarity"] == 1 and {rows[0]["first"], rows[0]["second"]} == {"ann", "bob"}
    assert all(row["similarity"] >= 0.95 for row in rows)
    with (tmp_path / "out/similar.csv").open(encoding="utf-8") as file:
        written = [*csv.DictReader(file)]
    assert [
        {name: type(row[name])(text) for name, text in each.items()}
        for row, each in zip(rows, written, strict=True)
    ] == rows
    assert written[0]["similarity"] == "1"
    assert "similar submissions" in (tmp_path / "out/similar.html").read_text()


def test_a_folder_without_submissions_is_one_sentence(tmp_path):
    done = run("a01", str(tmp_path))
    assert done.returncode == 2 and "holds no submission" in done.stderr and "Traceback" not in done.stderr
