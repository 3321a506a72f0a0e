"""The formgrader, in a browser, lists and opens what was graded; pictures go to build/screenshots."""

import json
import re
import shutil
import urllib.request

import nbformat
import pytest
from helpers import grade_all, jupyter_lab
from playwright.sync_api import sync_playwright

from exercise_code.support.paths import ROOT
from grading.editions.made_up_class import make_class
from grading.notebooks.nbgrader_course import grade_id_of
from grading.scores.gradebook import write_gradebook
from grading.submissions.collect import collect

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
SCREENSHOTS = ROOT / "build/screenshots"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no browser: apt-get install chromium"),
]


EVE = 3
"""The place of the student who attacks."""
WIN = "document.documentElement.dataset.won = 1"
TRICKS = [
    nbformat.v4.new_markdown_cell(f'<img src=x onerror="{WIN}">'),
    nbformat.v4.new_markdown_cell(f"<a title=\"\n\n<img src=x onerror='{WIN}'>\n\n\">text</a>"),
    nbformat.v4.new_markdown_cell(f"text <svg/onload='{WIN}'> and `code <img src=x onerror={WIN!r}>`"),
    nbformat.v4.new_raw_cell(f"<script>{WIN}</script>", metadata={"raw_mimetype": "text/html"}),
    *(
        nbformat.v4.new_code_cell(
            "1", outputs=[nbformat.v4.new_output("display_data", data={kind: text, "text/plain": "shown"})]
        )
        for kind, text in {
            "text/html": f"<script>{WIN}</script><img src=x onerror='{WIN}'>",
            "application/javascript": WIN,
            "image/svg+xml": f"<svg xmlns='http://www.w3.org/2000/svg' onload='{WIN}'></svg>",
            "text/markdown": f"<img src=x onerror='{WIN}'>",
            "text/latex": f"<img src=x onerror='{WIN}'>",
            "image/png": f"x' onerror='{WIN}' \" onerror=\"{WIN}",
        }.items()
    ),
    nbformat.v4.new_code_cell(
        "1",
        metadata={
            "nbgrader": {
                "grade_id": f"x'\"><img src=x onerror='{WIN}'>",
                "grade": True,
                "solution": True,
                "points": 1,
                "comment": f"<img src=x onerror='{WIN}'>",
            }
        },
    ),
]


@pytest.fixture(scope="module")
def course(a01, build, tmp_path_factory):
    """A graded class of eight."""
    folder = tmp_path_factory.mktemp("formgrader")
    make_class(a01, build / "student", folder / "submitted", 8)
    submissions = [*collect(folder / "submitted", a01).submissions(a01)]
    for submission in submissions:
        submission.name = f"Ada {submission.id.title()}"
    eve = submissions[EVE]
    notebook = nbformat.reads(eve.files[a01.notebook_paths[0]].decode(), as_version=4)
    answer = next(cell for cell in notebook.cells if grade_id_of(cell) in a01.questions)
    answer.source = f'If a < b and $a<b$, **yes**. <img src=x onerror="{WIN}">'
    notebook.cells += TRICKS
    eve.files[a01.notebook_paths[0]] = nbformat.writes(notebook).encode()
    records = grade_all(submissions, a01, 2, folder / "graded")
    write_gradebook(a01, records, folder / "graded/nbgrader")
    return folder / "graded/nbgrader", {record.submission.id: record.score for record in records}


@pytest.fixture(scope="module")
def address(course, tmp_path_factory):
    """Where JupyterLab serves the course."""
    with jupyter_lab(course[0], tmp_path_factory.mktemp("home")) as address:
        yield address


@pytest.fixture(scope="module")
def page():
    """A page of a browser."""
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as player:
        browser = player.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser.new_page(viewport={"width": 1300, "height": 900})
        browser.close()


def test_the_list_has_everybody_with_name_and_score(course, address, page):
    page.goto(f"{address}/formgrader/gradebook/a01_knn/knn")
    page.wait_for_selector("tbody td a")
    text = page.inner_text("table")
    page.screenshot(path=_place("formgrader-list.png"))
    assert len(re.findall("Submission #", text)) == len(course[1])
    assert "None" not in text
    page.goto(f"{address}/formgrader/manage_students")
    page.wait_for_selector("tbody td a")
    students = page.inner_text("table")
    page.screenshot(path=_place("formgrader-students.png"))
    assert all(f"Student-{number}" in students for number in range(1, 9))


def test_a_submission_opens_with_our_verdicts_in_it(course, address, page):
    with urllib.request.urlopen(f"{address}/formgrader/api/submitted_notebooks/a01_knn/knn") as answer:
        rows = json.load(answer)
    assert {row["student"]: row["score"] for row in rows} == course[1]
    row = next(row for row in rows if 0 < row["score"] < 28)
    page.goto(f"{address}/formgrader/submissions/{row['id']}/?index=0")
    page.wait_for_selector(".workbook-checks")
    tables = page.query_selector_all(".workbook-checks")
    tables[1].scroll_into_view_if_needed()
    page.screenshot(path=_place("formgrader-submission.png"))
    assert len(tables) == 7
    assert "wrong" in " ".join(table.inner_text() for table in tables)


def test_nothing_of_a_student_runs_in_the_teachers_browser(course, address, page):
    """Neither HTML in what was written nor an output; what was written can be read."""
    with urllib.request.urlopen(f"{address}/formgrader/api/submitted_notebooks/a01_knn/knn") as answer:
        rows = json.load(answer)
    row = next(row for row in rows if row["student"] == sorted(course[1])[EVE])
    page.goto(f"{address}/formgrader/submissions/{row['id']}/?index=0")
    page.wait_for_load_state("networkidle")
    assert page.evaluate("document.documentElement.dataset.won") is None
    shown = page.inner_text("body")
    assert "If a < b" in shown and "yes" in shown and "<img src=" in shown
    assert shown.count("shown") == 5, "what is no picture is shown as text"
    assert "<details>" not in shown, "the course's own folded hints are shown as text"


def _place(name: str) -> str:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    return str(SCREENSHOTS / name)
