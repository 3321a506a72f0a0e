"""An exercise is reached, written, checked and handed in in JupyterLab without a mouse."""

import json
import shutil
import sys

import nbformat
import pytest
from helpers import jupyter_lab
from matplotlib.figure import Figure
from playwright.sync_api import sync_playwright

from exercise_code.support.notebook.cards import Card, Prediction
from exercise_code.support.notebook.slider import as_html
from exercise_code.support.paths import ROOT

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no browser: apt-get install chromium"),
]
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
CHECK = "check('knn.compute_distances_two_loops')"
SUBMIT = "from exercise_code.support.notebook.work import submit\nsubmit('a01')"
FOCUS = "document.activeElement.textContent"


@pytest.fixture
def course(build, tmp_path):
    """A student's copy of a01 with a notebook of three cells: the set-up, a check, and `submit`."""
    course = shutil.copytree(build / "student", tmp_path / "course")
    notebook = nbformat.read(course / "assignments/a01_knn/knn.ipynb", as_version=4)
    setup = next(cell for cell in notebook.cells if cell.cell_type == "code")
    setup.source += "\nfrom exercise_code.support.checking import check"
    notebook.cells = [setup, *map(nbformat.v4.new_code_cell, (CHECK, SUBMIT))]
    nbformat.write(notebook, course / "assignments/a01_knn/knn.ipynb")
    return course


def reach(page, selector: str) -> None:
    """Press Tab until the focus is there; a page that was not in front as it loaded does not place it."""
    page.wait_for_selector(selector, timeout=60_000)
    for _ in range(60):
        if page.locator(f"{selector}:focus").count():
            return
        page.keyboard.press("Tab")
        page.wait_for_timeout(500)
    raise AssertionError(f"Tab does not reach {selector}")


def test_from_the_check_to_the_module_and_back_and_to_a_zip(course, tmp_path):
    module = course / "exercise_code/knn.py"
    solved = (ROOT / "exercise_code/knn.py").read_text(encoding="utf-8")
    with jupyter_lab(course, tmp_path / "home") as address, sync_playwright() as player:
        browser = player.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1300, "height": 900})
        page.set_default_timeout(60_000)
        press = page.keyboard.press

        def call(command: str) -> None:
            press("Control+Shift+c")
            page.wait_for_selector(".lm-CommandPalette-input:focus")
            page.keyboard.type(command)
            page.wait_for_selector(".lm-CommandPalette-item.lm-mod-active")
            press("Enter")

        page.goto(f"{address}/lab/tree/assignments/a01_knn/knn.ipynb")
        page.wait_for_selector("text=Python 3 (ipykernel) | Idle")
        reach(page, ".jp-Notebook-cell")
        press("Shift+Enter")
        press("Shift+Enter")
        page.wait_for_selector(".workbook-checks >> text=not written yet")
        press("Escape")
        press("ArrowUp")
        for _ in range(20):
            press("Tab")
            if page.evaluate(FOCUS) == "exercise_code/knn.py":
                break
        press("Enter")
        reach(page, ".jp-FileEditor .cm-content")
        press("Control+a")
        page.keyboard.insert_text(solved)
        press("Control+s")
        page.wait_for_selector(".lm-TabBar-tab.lm-mod-current:not(.jp-mod-dirty) >> text=knn.py")
        press("Control+Shift+BracketLeft")
        call("Run All Cells")
        page.wait_for_selector(".workbook-checks >> text=3 of 3")
        press("Control+s")
        call("New Terminal")
        page.wait_for_selector(".xterm-helper-textarea:focus")
        page.keyboard.type(f"{sys.executable} -m exercise_code submit a01 > told.txt; touch done\n")
        for _ in range(600):
            if (course / "done").exists():
                break
            page.wait_for_timeout(100)
        browser.close()
    assert module.read_text(encoding="utf-8") == solved
    assert "28 of 28 points" in (course / "told.txt").read_text(encoding="utf-8")
    assert (course / "a01_knn.zip").is_file()
    cells = json.loads((course / "assignments/a01_knn/knn.ipynb").read_text(encoding="utf-8"))["cells"]
    assert cells[1]["outputs"][0]["data"]["text/plain"] == ["3.0"]


def test_notebook_7_is_worked_in_by_keys_to_a_zip(course, tmp_path):
    """A row's link opens an editor there too; the zip is made by a cell."""
    module = course / "exercise_code/knn.py"
    solved = (ROOT / "exercise_code/knn.py").read_text(encoding="utf-8")
    with jupyter_lab(course, tmp_path / "home") as address, sync_playwright() as player:
        browser = player.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1300, "height": 900})
        page.set_default_timeout(60_000)
        press = page.keyboard.press
        page.goto(f"{address}/notebooks/assignments/a01_knn/knn.ipynb")
        reach(page, ".jp-Notebook-cell")
        for _ in range(60):  # a cell that is run before the kernel is there is not run
            press("Control+Enter")
            page.wait_for_timeout(1_000)
            if page.locator(".jp-InputPrompt").first.text_content() != "[ ]:":
                break
        press("ArrowDown")
        press("Control+Enter")
        page.wait_for_selector(".workbook-checks >> text=not written yet")
        for _ in range(20):
            press("Tab")
            if page.evaluate(FOCUS) == "exercise_code/knn.py":
                break
        with page.expect_popup() as opened:
            press("Enter")
        editor = opened.value
        reach(editor, ".jp-FileEditor .cm-content")
        editor.keyboard.press("Control+a")
        editor.keyboard.insert_text(solved)
        editor.keyboard.press("Control+s")
        for _ in range(300):
            if module.read_text(encoding="utf-8") == solved:
                break
            editor.wait_for_timeout(100)
        editor.close()
        press("ArrowDown")
        press("Control+Enter")
        page.wait_for_selector("text=28 of 28 points")
        browser.close()
    assert module.read_text(encoding="utf-8") == solved
    assert (course / "a01_knn.zip").is_file()


def test_arrow_keys_move_a_card_and_a_slider_in_jupyterlab(tmp_path):
    """They are its own keys in a notebook, and it takes them from an output that does not object.

    Its other keys it keeps: Ctrl-S saves.
    """
    card = Card("nearer", ("itself", "another"), None, None).as_html(Prediction(), "No guess yet.")
    slider = as_html("k", {k: (Figure(figsize=(2, 1)), f"map {k}") for k in (1, 5, 25)}, 0)
    cell = nbformat.v4.new_code_cell(f"from IPython.display import HTML\nHTML({card + slider!r})")
    kernel = {"name": "python3", "display_name": "Python 3 (ipykernel)"}
    notebook = nbformat.v4.new_notebook(cells=[cell], metadata={"kernelspec": kernel})
    nbformat.write(notebook, tmp_path / "it.ipynb")
    with jupyter_lab(tmp_path, tmp_path / "home") as address, sync_playwright() as player:
        browser = player.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1300, "height": 900})
        page.set_default_timeout(60_000)
        page.goto(f"{address}/lab/tree/it.ipynb")
        page.wait_for_selector("text=Python 3 (ipykernel) | Idle")
        reach(page, ".jp-Notebook-cell")
        page.keyboard.press("Control+Enter")
        page.wait_for_selector(".workbook-slider")
        for place in (".workbook-card [type=radio]", ".workbook-card [type=range]", ".workbook-slider input"):
            page.locator(place).first.focus()
            page.keyboard.press("ArrowRight")
        line = page.locator(".workbook-card .line").text_content()
        at = page.locator(".workbook-slider output").text_content()
        page.keyboard.press("Control+s")
        for _ in range(300):
            if saved := nbformat.read(tmp_path / "it.ipynb", as_version=4).cells[0].outputs:
                break
            page.wait_for_timeout(100)
        browser.close()
    assert line == 'predict("nearer", "another", sure=51, of=["itself", "another"])'
    assert at == "k = 5" and saved
