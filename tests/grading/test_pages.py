"""What a student and a teacher see after grading."""

import base64
import dataclasses
import io
import random
import re
import shutil
import textwrap
import weakref
from itertools import pairwise
from urllib.parse import unquote

import numpy as np
import pytest
import torch
from bs4 import BeautifulSoup
from helpers import grade_all
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from playwright.sync_api import sync_playwright

from exercise_code.support.checking.answers import make_answers
from exercise_code.support.checking.compare import difference, wrong_entries
from exercise_code.support.checking.declare import check as declare
from exercise_code.support.checking.evidence import Evidence, Run, leaves
from exercise_code.support.checking.run_check import MAX_WARNINGS
from exercise_code.support.checking.tensor_pictures import panels
from exercise_code.support.paths import ROOT
from grading.pages.feedback import feedback_page
from grading.pages.html import DARK, LIGHT, LOOKS, in_seconds, write_page
from grading.pages.mistake_cost import OnImages
from grading.pages.report import write_report
from grading.running.grader import judge_submission
from grading.submissions.records import Graded, Submission

KNN = "exercise_code/knn.py"
SANDBOX = {"level": "L1", "layers": ["process"], "missing": ["namespaces", "Landlock"]}
NO_LOOPS, VOTES, TIES = "knn.compute_distances_no_loops", "knn.predict_labels", "knn.predict_labels:ties"
HOSTILE = '<script>alert(\'1\')</script>" onload="x" <img src=x onerror=alert(2)> {{ 7 * 7 }} & `'


@pytest.fixture(scope="module")
def answers(a01):
    return make_answers(a01.checks, a01.mistakes, seed=5)


@pytest.fixture(scope="module")
def student(a01, answers):
    """Make a graded submission: the reference's evidence but for some mistakes and some given evidence."""

    def make(id: str, *mistakes: str, notes=(), **evidence: Evidence) -> Graded:
        found = dict(answers.reference)
        found |= {known.check: known.evidence for known in answers.mistakes if known.name in mistakes}
        found |= {
            check.id: evidence[check.probe.__name__]
            for check in a01.checks
            if check.probe.__name__ in evidence
        }
        submission = Submission(id, {KNN: (ROOT / KNN).read_bytes()}, list(notes))
        ran = [dataclasses.replace(found[check.id], seconds=0.01) for check in a01.checks]
        return judge_submission(submission, ran, a01, answers)

    return make


@pytest.fixture(scope="module")
def returning(answers):
    """Make evidence of a function that returns the reference's outputs changed by another function."""

    def make(check: str, change) -> Evidence:
        runs = {name: dataclasses.replace(run) for name, run in answers.reference[check].runs.items()}
        for run in runs.values():
            run.outputs = {path: change(leaf) for path, leaf in run.outputs.items()}
        return Evidence(check, runs)

    return make


@pytest.fixture(scope="module")
def group(a01, student, returning):
    """A class of which everything is known."""
    doubled = returning(NO_LOOPS, lambda dists: 2 * dists)
    about_doubled = returning(NO_LOOPS, lambda dists: 2 * dists * (1 + 1e-6))
    plus_one = returning(NO_LOOPS, lambda dists: dists + 1)
    raising = Run(error="ValueError: no (knn.py, line 3)")
    stopped = {check.id: check.probe.__name__ for check in a01.checks}

    def everywhere(*problem):
        return {name: Evidence(id, problem=problem) for id, name in stopped.items()}

    return [
        student("ada"),
        student("ben", "no_loops_squared"),
        student("cleo", "no_loops_squared", "largest_breaks_ties"),
        student("dora", "no_loops_squared"),
        student("emil", "largest_breaks_ties"),
        student("mia", "no_loops_plus"),
        student("fay", no_loops=doubled),
        student("gus", no_loops=about_doubled),
        student("hana", no_loops=plus_one),
        student(
            "ivo", no_loops=Evidence(NO_LOOPS, {"float32": raising}), notes=[f"{KNN} was found as knn.py"]
        ),
        student("jo", **everywhere("not_written", "not written yet")),
        student("kim", **everywhere("timeout", "it took longer than 10 seconds")),
        student("lee", **everywhere("crashed", "the process ended (SIGSEGV)")),
    ]


@pytest.fixture(scope="module")
def pages(a01, answers, group, tmp_path_factory):
    """The folder with the report and the feedback of the class."""
    folder = tmp_path_factory.mktemp("pages")
    longest = max(a01.mistakes, key=lambda mistake: len(mistake.name))
    images = OnImages("shapes", 0.5, [(longest, None)], [], 200)
    write_report(a01, group, answers, folder / "report.html", seed=5, sandbox=SANDBOX, images=images)
    for item in group:
        write_page(folder / "feedback" / f"{item.submission.id}.html", feedback_page(a01, item, answers))
    return folder


@pytest.fixture(scope="module")
def report(pages):
    return read(pages / "report.html")


def read(path) -> BeautifulSoup:
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


def words(tag) -> str:
    return " ".join(tag.get_text(" ").split())


def test_report_has_every_section(report, a01, group):
    assert [words(h2) for h2 in report.find_all("h2")] == [
        "Scores", "Checks", "Discrimination", "Time spent", "Misconceptions", "On images", "Errors",
        "Too slow", "Crashed", "Not deterministic", "Files", "Sandbox incidents", "Unfinished",
    ]  # fmt: skip
    facts = {words(div.dt): words(div.dd) for div in report.select(".facts div")}
    assert facts["submissions"] == "13" and facts["seed"] == "5" and facts["isolation"] == "L1"
    scores = [graded.score for graded in group]
    assert float(facts["mean"]) == round(np.mean(scores), 2)
    assert float(facts["median of 28 points"]) == np.median(scores) != np.mean(scores)
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d", facts["graded (UTC)"])
    assert a01.title in words(report.h1)


def test_report_warns_only_of_weak_isolation(report, a01, answers, group, tmp_path):
    assert "could read and change that person's files" in words(report.select_one(".warning"))
    write_report(a01, group, answers, tmp_path / "r.html", seed=5, sandbox={**SANDBOX, "level": "L3"})
    assert not read(tmp_path / "r.html").select(".warning")


def groups_of(report) -> dict[tuple[str, str], list[str]]:
    """Students by what their card or entry says: the check and the mistake."""
    found = {}
    for card in report.select("#misconceptions ~ .card, #misconceptions ~ details li"):
        students = [a.get_text() for a in card.find_all("a")]
        mistake = card.select_one(".mistake")
        named = mistake.get_text() if mistake else "not explained"
        assert bool(mistake) != ("not explained yet" in words(card).lower())
        found.setdefault((card.code.get_text(), named), []).append(students)
    return found


def test_groups_are_the_misconceptions(report):
    assert groups_of(report) == {
        ("compute_distances_no_loops", "no_loops_squared"): [["ben", "cleo", "dora"]],
        ("compute_distances_no_loops", "no_loops_plus"): [["mia"]],
        ("predict_labels: ties", "largest_breaks_ties"): [["cleo", "emil"]],
        ("compute_distances_no_loops", "not explained"): [["fay", "gus"], ["hana"]],
    }
    sizes = [int(words(card.select_one(".big"))) for card in report.select(".card")]
    assert sizes == [3, 2, 2]


def test_groups_do_not_depend_on_the_order_of_students(a01, answers, group, report, tmp_path):
    shuffled = random.Random(1).sample(group, len(group))
    write_report(a01, shuffled, answers, tmp_path / "r.html", seed=5, sandbox=SANDBOX)
    again = groups_of(read(tmp_path / "r.html"))
    assert {key: sorted(map(sorted, students)) for key, students in again.items()} == groups_of(report)


def test_a_group_has_hint_and_pictures_of_expected_and_got(report, answers):
    card = report.select_one(".card")
    assert "square root" in words(card.select_one(".hint"))
    assert [words(figure.figcaption) for figure in card.find_all("figure")] == [
        "expected",
        "got",
        "got − expected",
    ]
    expected = answers.reference[NO_LOOPS].runs["float32"].outputs["dists"]
    assert f"{expected.max():.4g}" in card.find("img")["alt"]


def test_tables_behind_the_charts_count_everybody(report, group, a01):
    scores, checks = report.find(id="scores").find_next("table"), report.find(id="checks").find_next("table")
    assert sum(int(row.td.get_text()) for row in scores.tbody.find_all("tr")) == len(group)
    heads = [words(th) for th in checks.thead.find_all("th")][1:]
    for check, row in zip(a01.checks, checks.tbody.find_all("tr"), strict=True):
        counts = dict(zip(heads, [int(td.get_text()) for td in row.find_all("td")], strict=True))
        verdicts = [v for item in group for v in item.verdicts if v.check == check.id]
        assert counts["ok"] == sum(v.status == "passed" for v in verdicts)
        assert counts["blocked"] == sum(v.status == "blocked" for v in verdicts)
        assert sum(counts.values()) == len(group)


def test_stops_and_unfinished_work_name_their_students(report):
    for section, what, student in [
        ("error-section", "ValueError: no", "ivo"),
        ("too-slow-section", "longer than 10 seconds", "kim"),
        ("crashed-section", "SIGSEGV", "lee"),
    ]:
        entry = words(report.find(id=section).find_next("ul"))
        assert what in entry and student in entry and "1 student" in entry
    rows = report.find(id="unfinished").find_next("tbody").find_all("tr")
    assert all("jo" in words(row.find_all("td")[0]) for row in rows)


def test_links_lead_to_the_feedback(report, pages, group):
    links = {a["href"] for a in report.find_all("a")}
    assert {unquote(link) for link in links} == {f"feedback/{item.submission.id}.html" for item in group}
    assert all((pages / unquote(link)).exists() for link in links)


def test_charts_say_what_they_show(report):
    histogram, breakdown, discrimination, durations = report.find_all("svg")
    assert "13 scores" in histogram.title.get_text() and "the median is" in histogram.title.get_text()
    assert "Fewest pass" in breakdown.title.get_text()
    assert "Lowest for" in discrimination.title.get_text()
    assert "Slowest in the median" in durations.title.get_text()
    assert "currentColor" in str(histogram) and 'fill="#000"' not in str(histogram)


def test_nothing_graded_is_refused(a01, answers, tmp_path):
    with pytest.raises(ValueError, match="nothing was graded"):
        write_report(a01, [], answers, tmp_path / "r.html", seed=5, sandbox=SANDBOX)


def test_report_lets_submissions_go(a01, answers, student, tmp_path):
    """Only the representative of a group stays in memory, and of it only the outputs."""
    alive = []

    def stream():
        for number in range(6):
            assert sum(ref() is not None for ref in alive) <= 1
            item = student(f"s{number}", "no_loops_squared")
            alive.append(weakref.ref(item))
            yield item
            del item

    write_report(a01, stream(), answers, tmp_path / "r.html", seed=5, sandbox=SANDBOX)


def test_an_accuracy_has_its_error_and_a_change_within_it_is_none(a01, answers, group, tmp_path):
    mistakes = [(a01.mistakes[0], 0.55), (a01.mistakes[1], 0.2)]
    images = OnImages("shapes", 0.5, mistakes, [], 200)
    write_report(a01, group, answers, tmp_path / "r.html", seed=5, sandbox=SANDBOX, images=images)
    table = read(tmp_path / "r.html").find(id="images").parent.table
    cells = [[words(cell) for cell in row.find_all("td")] for row in table.tbody.find_all("tr")]
    assert cells == [["55.0 ± 6.9 %", "within chance"], ["20.0 ± 5.5 %", "-30.0"]]
    unknown = OnImages("shapes", 0.5, mistakes, [], 0)
    write_report(a01, group, answers, tmp_path / "r.html", seed=5, sandbox=SANDBOX, images=unknown)
    assert read(tmp_path / "r.html").find(id="images") is None


def entry(id: str, **more) -> dict:
    known = {"id": id, "name": "", "final_score": 8.5, "max_total": 40.0, "notes": []}
    return {**known, "questions": [], "overrides": [], **more}


@pytest.fixture
def with_students(a01, answers, group, tmp_path):
    """A report with a table of students, one of whom has a hostile name."""
    entries = [
        entry("ada", name=HOSTILE, questions=[{"waiting": True}], notes=["knn.py was found as KNN.py"]),
        entry("ben", final_score=3.0),
    ]
    more = {"entries": entries, "changes": {"ben": -2.5}, "late": {"ben": "2 days late"}}
    write_report(a01, group, answers, tmp_path / "r.html", seed=5, sandbox=SANDBOX, **more)
    return tmp_path / "r.html"


def test_report_says_of_each_student_what_is_to_be_known(with_students):
    page = read(with_students)
    cells = [[words(cell) for cell in row.find_all("td")] for row in page.select("#class tr")]
    assert cells == [
        ["8.5 of 40", "", "1", "knn.py was found as KNN.py"],
        ["3 of 40", "-2.5", "", "2 days late"],
    ]
    (script,) = page.find_all("script")
    assert (
        "alert" not in script.get_text()
        and HOSTILE.partition("`")[0] in page.select("#class th")[0].get_text()
    )


def test_students_are_found_by_any_word(with_students, browser):
    page = browser.new_page()
    page.goto(with_students.as_uri())
    page.fill("#find", "2 DAYS")
    assert page.locator("#class tr:visible").count() == 1
    assert page.inner_text("#found") == "1 of 2"
    page.close()


def test_feedback_shows_the_code_that_was_graded(a01, answers, student):
    graded = student("ada")
    graded.submission.files[KNN] = f"x = 1\n# {HOSTILE}".encode()
    page = BeautifulSoup(feedback_page(a01, graded, answers), "html.parser")
    assert page.find(id="code").find_next("pre").get_text() == f"   1  x = 1\n   2  # {HOSTILE}"
    assert not page.find_all("script")


def test_feedback_says_what_next(pages):
    advice = {path.stem: words(read(path).select_one(".next")) for path in (pages / "feedback").iterdir()}
    assert "All checks are right" in advice["ada"]
    assert "mend compute_ distances_ no_ loops" in advice["ben"] and "square root" in advice["ben"]
    assert "predict_ labels: ties" in advice["emil"]
    assert "write compute_ distances_ two_ loops" in advice["jo"]
    assert "longer than 10 seconds" in advice["kim"] and "one reason" in advice["kim"]


def test_an_error_that_several_checks_share_is_told_once(a01, answers, student):
    unclosed, other = "knn.py, line 28: '(' was never closed", "ValueError: no (knn.py, line 3)"
    broken = {
        check.probe.__name__: Evidence(check.id, problem=("error", unclosed)) for check in a01.checks[1:4]
    }
    last = a01.checks[4]
    broken[last.probe.__name__] = Evidence(last.id, problem=("error", other))
    page = BeautifulSoup(feedback_page(a01, student("nil", **broken), answers), "html.parser")
    main = words(page).partition("The code that was graded")[0]
    assert main.count("never closed") == 2, "where to begin, and the first check"
    assert [article["id"] for article in page.select("article")] == [a01.checks[1].id, last.id]
    links = [link["href"] for link in page.select(".line h3 a")]
    assert links == [f"#{a01.checks[1].id}"] * 2


def test_feedback_shows_score_notes_and_every_check(pages, group, a01):
    for item in group:
        page = read(pages / "feedback" / f"{item.submission.id}.html")
        assert item.submission.id in words(page.h1)
        assert (
            words(page.select_one(".score")) == f"{item.score:g} of {a01.max_points:g} points in the checks"
        )
        assert len(page.select(".line, article")) == len(a01.checks)
        assert all(note in words(page) for note in item.submission.notes)
    calm = read(pages / "feedback" / "ada.html")
    assert len(calm.select(".line")) == len(a01.checks) and not calm.select("article, table, img")


def test_feedback_marks_wrong_values_by_a_sign(pages, answers, group):
    page = read(pages / "feedback" / "hana.html")
    outputs = answers.reference[NO_LOOPS].runs["float32"].outputs
    cells = page.select("td.wrong")
    assert len(cells) == sum(tensor.numel() for tensor in outputs.values())
    assert words(cells[0]) == f"{outputs['dists'][0, 0] + 1:.4g} ≠ {outputs['dists'][0, 0]:.4g}"


def test_feedback_says_which_runs_failed(a01, answers, student, returning, tmp_path):
    evidence = returning(NO_LOOPS, lambda dists: dists + 1)
    evidence.runs["float64"] = Run(error="RuntimeError: expected float (knn.py, line 9)")
    write_page(tmp_path / "x.html", feedback_page(a01, student("x", no_loops=evidence), answers))
    assert "Also failed, in float64: RuntimeError: expected float" in words(read(tmp_path / "x.html"))


@pytest.fixture(scope="module")
def hostile_pages(a01, answers, student, returning, tmp_path_factory):
    """Pages about a student who puts markup wherever text can go."""
    folder = tmp_path_factory.mktemp("hostile")
    inputs = answers.reference[VOTES].runs["float32"].inputs_before
    strings = returning(VOTES, lambda _: HOSTILE * 2000)
    strings.runs["float32"].outputs |= {HOSTILE: {"kind": "list", "size": 10**12}}
    raising = Run(error=f"{HOSTILE}: {HOSTILE * 2000}", inputs_before=inputs)
    odd = {"kind": "list", "size": 6}
    listed = returning("knn.knn_get_best_k", lambda leaf: leaf if leaf == odd else HOSTILE)
    item = student(
        f"a/../{HOSTILE}#?%\udcff".replace("/", "_"),
        no_loops=Evidence(NO_LOOPS, problem=("crashed", HOSTILE)),
        votes=strings,
        ties=Evidence(TIES, {"float32": raising}),
        best_k=listed,
        notes=[HOSTILE, "x" * 10**6],
    )
    item.verdicts[0].status, item.verdicts[0].hint = "failed", HOSTILE
    item.verdicts[0].faults = {HOSTILE: HOSTILE}
    write_page(folder / "feedback.html", feedback_page(a01, item, answers))
    write_report(a01, [item], answers, folder / "report.html", seed=5, sandbox=SANDBOX)
    return folder, item


@pytest.mark.parametrize("page", ["feedback.html", "report.html"])
def test_text_of_students_is_text(hostile_pages, page):
    folder, _ = hostile_pages
    soup = read(folder / page)
    assert not soup.find_all(["script", "iframe", "object", "form"])
    assert not [tag for tag in soup.find_all(True) if any(name.startswith("on") for name in tag.attrs)]
    assert all(img["src"].startswith("data:image/png;base64,") for img in soup.find_all("img"))
    assert "alert('1')" in soup.get_text() and "{{ 7 * 7 }}" in soup.get_text()
    assert (folder / page).stat().st_size < 200_000


def test_links_to_odd_names_are_quoted(hostile_pages):
    folder, item = hostile_pages
    links = {a["href"] for a in read(folder / "report.html").find_all("a")}
    assert len(links) == 1
    link = links.pop()
    assert re.fullmatch(r"feedback/[\w.%~-]+\.html", link)
    assert unquote(link, errors="surrogateescape") == f"feedback/{item.submission.id}.html"


def all_pages(pages, hostile_pages):
    return [pages / "report.html", *(pages / "feedback").iterdir(), *hostile_pages[0].glob("*.html")]


def test_pages_need_nothing_else(pages, hostile_pages):
    for path in all_pages(pages, hostile_pages):
        text = path.read_text(encoding="utf-8")
        for tag in BeautifulSoup(text, "html.parser").find_all(True):
            for name in ("src", "href", "xlink:href", "srcset", "action", "poster", "data"):
                assert re.match(r"data:|#|feedback/", tag.get(name, "#")), (path.name, tag.name, tag[name])
        assert not re.search(r"@import|url\(", BeautifulSoup(text, "html.parser").style.get_text())


def test_pages_speak_to_screen_readers(pages, hostile_pages):
    for path in all_pages(pages, hostile_pages):
        page = read(path)
        assert page.html["lang"] == "en" and page.title.get_text().strip()
        assert len(page.find_all("h1")) == 1
        levels = [int(tag.name[1]) for tag in page.find_all(re.compile("^h[1-6]$"))]
        assert all(after <= before + 1 for before, after in pairwise(levels))
        assert all(img.get("alt") for img in page.find_all("img"))
        for svg in page.find_all("svg"):
            assert svg["role"] == "img" and page.find(id=svg["aria-labelledby"]).name == "title"
        for table in page.find_all("table"):
            assert words(table.caption)
            assert all(th.get("scope") in ("row", "col") for th in table.find_all("th"))
        for badge in page.select(".badge"):
            sign, word = words(badge).split(" ", 1)
            assert LOOKS[word].sign == sign
        ids = [tag["id"] for tag in page.find_all(id=True)]
        assert len(ids) == len(set(ids))
        named = {a["href"][1:] for a in page.find_all("a") if a["href"].startswith("#")}
        named |= {tag["aria-labelledby"] for tag in page.find_all(attrs={"aria-labelledby": True})}
        assert named <= set(ids)


def contrast(first: str, second: str) -> float:
    """Contrast of two colours after WCAG 2.2, https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio."""

    def luminance(colour: str) -> float:
        channels = [int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted([luminance(first), luminance(second)])
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_contrast_is_enough(theme):
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    colours = {f"var(--{name})": colour for name, colour in theme.items()}
    for text in ("ink", "quiet", "link"):
        assert contrast(theme[text], theme["page"]) >= 4.5
        assert contrast(theme[text], theme["panel"]) >= 4.5
    assert contrast(theme["ink"], theme["mark"]) >= 4.5
    for look in LOOKS.values():
        assert contrast(*(colours.get(colour, colour) for colour in (look.text, look.fill))) >= 4.5
    for word in ("ok", "wrong"):
        assert contrast(LOOKS[word].fill, theme["page"]) >= 3
        assert contrast(LOOKS[word].fill, theme["panel"]) >= 3


LOOK = """
() => {
  const parts = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const behind = (element) => {
    const colour = parts(getComputedStyle(element).backgroundColor);
    return colour[3] === 0 && element.parentElement ? behind(element.parentElement) : colour;
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const [text, element] = [walker.currentNode.data.trim(), walker.currentNode.parentElement];
    if (text && !element.closest("svg, .hidden") && element.checkVisibility())
      found.push([text, parts(getComputedStyle(element).color), behind(element)]);
  }
  for (const text of document.querySelectorAll("svg text[fill=currentColor]"))
    found.push([text.textContent, parts(getComputedStyle(text).fill), behind(text.closest("section"))]);
  return found;
}
"""
"""Every visible text of a page with its colour and the colour behind it."""
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="there is no browser: apt-get install chromium")


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def opened(browser, pages):
    """Open the report and two pages of feedback in the browser, one after another, with all details."""

    def open_all(**options):
        for name in ("report.html", "feedback/hana.html", "feedback/ada.html"):
            page = browser.new_page(**options)
            page.goto((pages / name).as_uri())
            page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
            yield name, page
            page.close()

    return open_all


@needs_browser
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_text_has_enough_contrast_in_a_browser(opened, theme):
    for name, page in opened(color_scheme=theme):
        texts = page.evaluate(LOOK)
        assert len(texts) > 20
        for text, *colours in texts:
            ink, behind = ("#" + "".join(f"{round(part):02x}" for part in colour[:3]) for colour in colours)
            assert contrast(ink, behind) >= 4.5, (name, text, ink, behind)


@needs_browser
def test_pages_fit_a_phone(opened):
    for name, page in opened(viewport={"width": 360, "height": 740}):
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, name


CROSSED = """() => {
  const found = [], svg = document.querySelector("[aria-labelledby=items] svg");
  const lines = [...svg.querySelectorAll("line[stroke-dasharray]")];
  for (const text of svg.querySelectorAll("text")) {
    const words = text.getBoundingClientRect(), style = getComputedStyle(text);
    for (const line of lines.map(line => line.getBoundingClientRect()))
      if (words.left < line.right && line.left < words.right && words.top < line.bottom)
        found.push([text.textContent, style.paintOrder.split(" ")[0],
          style.stroke == getComputedStyle(document.documentElement).backgroundColor]);
  }
  return found;
}"""


@needs_browser
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_name_that_the_dashed_line_would_cross_stands_free(browser, pages, theme):
    page = browser.new_page(color_scheme=theme)
    page.goto((pages / "report.html").as_uri())
    crossed = page.evaluate(CROSSED)
    assert crossed == [["compute_distances_no_loops: never_nan", "stroke", True]]
    page.close()


@needs_browser
def test_print_opens_what_is_folded(browser, pages):
    page = browser.new_page()
    page.goto((pages / "report.html").as_uri())
    table = page.locator("details table").first
    assert not table.is_visible()
    page.emulate_media(media="print")
    assert table.is_visible()
    page.close()


def test_feedback_says_how_long_each_check_took(pages, group):
    (ben,) = (item for item in group if item.submission.id == "ben")
    took = [words(tag) for tag in read(pages / "feedback/ben.html").select(".took")]
    assert took and took == [in_seconds(seconds) for seconds in ben.seconds if seconds]


def test_feedback_lists_warnings_of_the_students_lines(a01, tmp_path):
    warning = textwrap.dedent("""
        import warnings
        import numpy as np
        def knn_get_best_k(accuracies):
            np.log(np.zeros(1))
            for number in range(100):
                warnings.warn(f"number {number}")
            return 10
    """)
    text = (ROOT / KNN).read_text() + warning
    grade_all([Submission("x", {KNN: text.encode()})], a01, 5, tmp_path)
    page = read(tmp_path / "feedback/x.html")
    lists = [[words(line) for line in found.find_all("li")] for found in page.select(".warned")]
    assert lists and all(len(found) == MAX_WARNINGS for found in lists)
    line = text.splitlines().index("    np.log(np.zeros(1))") + 1
    assert lists[0][0] == f"RuntimeWarning: divide by zero encountered in log (knn.py, line {line})"
    assert lists[0][1].startswith("UserWarning: number 0")
    assert words(page.select_one(".warned").find_previous("h2")).startswith("knn_ get_ best_ k")


def test_evidence_cannot_flood_the_page_with_warnings(a01, answers, student, returning, tmp_path):
    evidence = returning(NO_LOOPS, lambda dists: dists)
    evidence.runs["float32"].warnings = [HOSTILE * 1000] * 1000
    write_page(tmp_path / "x.html", feedback_page(a01, student("x", no_loops=evidence), answers))
    assert len(read(tmp_path / "x.html").select(".warned li")) == MAX_WARNINGS
    assert (tmp_path / "x.html").stat().st_size < 100_000


CHECK = declare("knn.f", points=1)(lambda code, case: {})


@st.composite
def pairs(draw):
    """Two tensors of one dtype and of about the same shape, some entries of which differ."""
    dtype = draw(st.sampled_from([torch.float32, torch.float64, torch.int64, torch.bool]))
    shape = draw(st.lists(st.integers(1, 12), max_size=3))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 99)))
    expected = (4 * torch.rand(shape, generator=generator)).to(dtype)
    got = expected.clone()
    for index in draw(st.lists(st.integers(0, max(expected.numel() - 1, 0)), max_size=3)):
        values = [0, 1, 5, float("nan"), float("inf")] if dtype.is_floating_point else [0, 1]
        got.view(-1)[index] = draw(st.sampled_from(values))
    if draw(st.booleans()):
        got = got[..., :-1] if got.dim() else got
    return expected, got


@given(pairs())
def test_a_panel_is_shown_where_values_or_shape_differ(pair):
    expected, got = ({"x": tensor} for tensor in pair)
    shown = list(panels(CHECK, expected, got))
    differs = difference(expected, got, CHECK.rtol, CHECK.atol) is not None
    empty = got["x"].numel() == 0 and expected["x"].dim() > 1
    assert len(shown) == (differs and not empty)
    if shown and pair[0].shape == pair[1].shape:
        wrong = int(wrong_entries(*pair, CHECK.rtol, CHECK.atol).sum())
        marked = [cell for row in [*shown[0].rows, shown[0].strip] for cell in row if cell.wrong]
        if shown[0].pictures:
            assert shown[0].summary.startswith(f"{wrong} of {pair[0].numel()} values differ")
        else:
            assert len(marked) == wrong


def pixels(picture) -> np.ndarray:
    content = base64.b64decode(picture.uri.partition(",")[2])
    return np.asarray(Image.open(io.BytesIO(content)))


def test_pictures_share_a_scale_and_show_nan_as_stripes():
    expected = torch.arange(200.0).reshape(10, 20)
    got = expected.clone()
    got[2, 3] = float("nan")
    got[4, 5] = 0
    (panel,) = panels(CHECK, {"x": expected}, {"x": got})
    first, second, off = map(pixels, panel.pictures)
    cell = first.shape[0] // 10
    differ = (first != second).any(axis=2).reshape(10, cell, 20, cell).any(axis=(1, 3))
    assert differ.nonzero()[0].tolist() == [2, 4] and differ.nonzero()[1].tolist() == [3, 5]
    nan = second[2 * cell : 3 * cell, 3 * cell : 4 * cell]
    assert set(np.unique(nan)) == {0, 255}
    assert (second[4 * cell, 5 * cell] == first[0, 0]).all()
    assert (off[0, 0] == off[9 * cell, 19 * cell]).all() and (off[4 * cell, 5 * cell] != off[0, 0]).any()
    assert panel.scales[0].ticks == ["0", "99.5", "199"]


@pytest.mark.parametrize("channels", [1, 3])
def test_images_are_drawn_as_images(channels):
    expected = torch.rand(2, channels, 8, 16, generator=torch.Generator().manual_seed(0))
    got = expected.clone()
    got[1, channels - 1, 2, 3] = 1 - (got[1, channels - 1, 2, 3] > 0.5).float()
    (panel,) = panels(CHECK, {"x": expected}, {"x": got})
    first, second, off = map(pixels, panel.pictures)
    assert panel.summary.startswith(f"1 of {2 * channels * 128} values differ; of up to 4 images")
    cell = first.shape[0] // 8
    assert first.shape == (8 * cell, 32 * cell, 3)
    due = expected.permute(2, 0, 3, 1).reshape(8, 32, channels).numpy()
    assert np.abs(first[::cell, ::cell] / 255 - due).max() < 0.01
    row, column = 2 * cell, (16 + 3) * cell
    assert (first[row, column] != second[row, column]).any() and (off[row, column] != off[0, 0]).any()
    assert (first != second).any(2).sum() == cell**2


def test_a_transposed_matrix_keeps_its_shape():
    (panel,) = panels(CHECK, {"x": torch.rand(7, 5)}, {"x": torch.rand(5, 7)})
    expected, got = panel.pictures
    assert expected.width / expected.height == 5 / 7 and got.width / got.height == 7 / 5
    assert panel.summary == "shape 5 × 7 where 7 × 5 is due"


def test_lists_of_numbers_become_one_strip():
    expected, got = (
        leaves({"a": {1: [0.5, 0.25], 3: [1.0, 0.75]}}),
        leaves({"a": {1: [0.5, 0.3], 3: [1.0, 0.75]}}),
    )
    (panel,) = panels(CHECK, expected, got)
    assert panel.path == "a[1]"
    assert [(cell.expected, cell.got, cell.wrong) for cell in panel.strip] == [
        ("0.5", "0.5", False),
        ("0.25", "0.3", True),
    ]


def test_long_vectors_show_the_wrong_places():
    expected = torch.zeros(500, dtype=torch.int64)
    got = expected.clone()
    got[[7, 499]] = 1
    (panel,) = panels(CHECK, {"x": expected}, {"x": got})
    assert [cell.index for cell in panel.strip] == [7, 499]


def test_vectors_of_another_length_say_so():
    (panel,) = panels(CHECK, {"x": torch.tensor([1, 2])}, {"x": torch.tensor([1, 3, 4])})
    assert panel.summary == "3 values where 2 are due; 2 differ"
    assert [(cell.expected, cell.got, cell.wrong) for cell in panel.strip] == [
        ("1", "1", False),
        ("2", "3", True),
        ("nothing", "4", True),
    ]


def test_huge_results_are_cut():
    (panel,) = panels(CHECK, {"x": torch.rand(3, 4)}, {"x": torch.rand(2000, 1000)})
    assert max(panel.pictures[1].width, panel.pictures[1].height) < 300
    assert "the first 96 rows and columns" in panel.summary
