"""The course as it is read: words and names of libraries are introduced before they are needed."""

import ast
import builtins
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass

import nbformat
import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from exercise_code.support.checking.assignment import all_folders, read_assignment
from exercise_code.support.checking.exercise_source import read_exercise
from exercise_code.support.checking.headings import HEADING
from exercise_code.support.paths import ASSIGNMENTS, ROOT
from grading.notebooks.glossary import CELL, Term, glossary_cell, read_glossary

LIBRARIES = (torch, torch.Tensor, nn, functional, np, np.ndarray, np.random.Generator)
PYTHON = (builtins, bool, dict, float, int, list, set, str, tuple)
"""Their names need no introduction."""
NAMES = {name for each in LIBRARIES for name in dir(each) if name[0] != "_"}
NAMES -= {name for each in PYTHON for name in dir(each)}
ANNOUNCED = re.compile(r"^### (Next|Further reading)$.*", re.DOTALL | re.MULTILINE)
NO_PROSE = re.compile(r"```.*?```|`[^`]*`|\$\$.*?\$\$|\$[^$]*\$|(?<=\])\([^)]*\)", re.DOTALL)


@dataclass(frozen=True)
class Cell:
    """A markdown cell of the course that a student reads, the titles and the glossaries left out."""

    notebook: str
    id: str
    source: str


def course() -> Iterator[Cell]:
    """All cells, from the first assignment to the last."""
    for assignment in map(read_assignment, all_folders()):
        for name in assignment.notebooks:
            _, *cells = nbformat.read(assignment.folder / name, as_version=4).cells
            for cell in cells:
                answer = cell.metadata.get("nbgrader", {}).get("solution")
                if cell.cell_type == "markdown" and cell.id != CELL and not answer:
                    yield Cell(f"{assignment.name}/{name}", cell.id, cell.source)


def spelled(term: str) -> str:
    """A pattern of the term, singular or plural, with hyphens or blanks."""
    words = r"[\s-]+".join(map(re.escape, re.split("[ -]", term)))
    return rf"(?<![\w-]){words}(?:s|es)?(?![\w-])"


def problems(terms: list[Term], cells: list[Cell]) -> list[str]:
    """What is wrong with the introductions, each with the id of a cell; what comes next may be announced."""
    prose = [(cell, NO_PROSE.sub("", ANNOUNCED.sub("", cell.source))) for cell in cells]
    found = []
    for term in terms:
        longer = [spelled(each.name) for each in terms if each != term and term.name in each.name]
        without = re.compile("|".join(longer) or "(?!)", re.IGNORECASE)
        word, bold = (
            re.compile(p, re.IGNORECASE) for p in (spelled(term.name), rf"\*\*{spelled(term.name)}\*\*")
        )
        uses = [cell for cell, text in prose if word.search(without.sub("", text))]
        here = [cell for cell in uses if (cell.notebook, cell.id) == (term.notebook, term.cell)]
        if not here or not bold.search(here[0].source):
            found.append(f"{term.notebook} [{term.cell}] does not introduce **{term.name}**")
        elif here[0] != uses[0]:
            found.append(f"{uses[0].notebook} [{uses[0].id}] uses {term.name!r} before [{term.cell}]")
    return found


def test_every_term_is_introduced_before_it_is_used():
    assert problems(read_glossary(ASSIGNMENTS), list(course())) == []


def test_a_term_has_one_plain_sentence():
    terms = read_glossary(ASSIGNMENTS)
    for term in terms:
        assert len(term.meaning.split()) <= 25 and term.meaning.endswith("."), term
    names = [term.name for term in terms]
    assert len({*names}) == len(names)


@pytest.mark.parametrize(
    ("texts", "problem"),
    [
        (["Plain words.", "A dot product (**dot product**).", "Two dot products."], None),
        (["Plain words.", "A dot product."], "a.ipynb [c1] does not introduce **dot product**"),
        (["Dot-products!", "A **dot product**."], "a.ipynb [c0] uses 'dot product' before [c1]"),
        (["### Next\n\nThe dot product.", "`dot product`: a **dot product**."], None),
    ],
    ids=["introduced", "never bold", "used before", "announced"],
)
def test_the_cell_at_fault_is_named(texts, problem):
    cells = [Cell("a.ipynb", f"c{place}", text) for place, text in enumerate(texts)]
    term = Term("dot product", "a.ipynb", "c1", "A sum of products.")
    assert problems([term], cells) == ([problem] if problem else [])


def test_every_notebook_ends_with_the_words_that_it_introduces(assignment):
    for name in assignment.notebooks:
        cells = nbformat.read(assignment.folder / name, as_version=4).cells
        terms = [term for term in read_glossary(ASSIGNMENTS) if term.notebook == f"{assignment.name}/{name}"]
        written = [cell.source for cell in cells if cell.id == CELL]
        assert written == ([glossary_cell(terms)] if terms else []), "`workbook format` writes it"


def in_code(text: str) -> set[str]:
    """Names between backticks."""
    return {name for code in re.findall("`([^`]*)`", text) for name in re.findall(r"[A-Za-z_]\w*", code)}


def needed(function: ast.FunctionDef, hints: str) -> set[str]:
    """Names of libraries in an exercise's solution and hints, but for those that its docstring tells."""
    nodes = itertools.chain.from_iterable(map(ast.walk, function.body))
    used = {
        node.attr
        for node in nodes
        if isinstance(node, ast.Attribute) and getattr(node.value, "id", "") != "self"
    }
    told = {*re.findall(r"\w+", ast.get_docstring(function) or "")}
    return ((used | in_code(hints)) & NAMES) - told


def untaught(cells: list[nbformat.NotebookNode], exercises: list[str], met: set[str]) -> Iterator[str]:
    """What a notebook asks for and no cell before has named; adds to the names that are met."""
    for cell in cells:
        text, _, hints = cell.source.partition("<details>")
        if cell.cell_type == "code":
            met |= {*re.findall(r"[A-Za-z_]\w*", cell.source)}
        elif not cell.metadata.get("nbgrader", {}).get("solution"):
            met |= in_code(text)
        if cell.cell_type == "markdown" and (heading := HEADING.search(cell.source)):
            for name in heading[2].replace("`", "").split(", "):
                for exercise in [each for each in exercises if each.endswith(f".{name}")]:
                    function = read_exercise(exercise, ROOT / "exercise_code")
                    if function and (missing := needed(function, hints) - met):
                        yield f"[{cell.id}] {', '.join(sorted(missing))}"


def test_what_a_solution_or_a_hint_uses_was_met_before(assignment):
    met: set[str] = set()
    for each in map(read_assignment, all_folders()):
        exercises = list(dict.fromkeys(check.exercise for check in each.checks))
        found = [
            f"{name} {problem}"
            for name in each.notebooks
            for problem in untaught(nbformat.read(each.folder / name, as_version=4).cells, exercises, met)
        ]
        if each == assignment:
            assert found == []


def test_a_name_that_is_asked_for_too_early_is_found():
    heading = "### Exercise 1 · count_tensor_elements · easy · about 5 minutes\n\nCount."
    asked = nbformat.v4.new_markdown_cell(
        f"{heading}\n\n<details>Use `logsumexp`, `len`.</details>", id="ex-one"
    )
    shown = nbformat.v4.new_code_cell("x.logsumexp(0)")
    exercise = ["pytorch101.count_tensor_elements"]
    assert list(untaught([asked, shown], exercise, set())) == ["[ex-one] logsumexp"]
    assert list(untaught([shown, asked], exercise, {"shape"})) == []
