"""Mutants: what is changed and how, and what becomes of it."""

import json
import multiprocessing
import re
import textwrap
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from importlib.util import module_from_spec

import pytest
import torch
from bs4 import BeautifulSoup
from rich.console import Console
from torch.utils._pytree import tree_map
from typer.testing import CliRunner

from exercise_code.support.checking.assignment import find_assignment
from exercise_code.support.checking.compare import unlike
from grading.cli import app
from grading.course import CourseError
from grading.mutants import examination, try_mutant
from grading.mutants.equivalents import Entry, Listed, read_listed, stale
from grading.mutants.extra_inputs import KINDS, run_unusual
from grading.mutants.generate import Mutant, checks_of, make_mutants, normalised, solutions, solutions_in
from grading.mutants.operators import OPERATORS
from grading.mutants.page import write_mutants_page
from grading.mutants.rewrites import REWRITES, rewrites_for

QUIET = Console(quiet=True)
NAMES = "a, b, w, x, y, rows, dx, out"


def solution_of(body: str, names: str = NAMES):
    """A solution with this body."""
    marked = f"### BEGIN SOLUTION\n{body}\n### END SOLUTION\n"
    (solution,) = solutions_in(f"def f({names}):\n{textwrap.indent(marked, '    ')}", "exercise_code/work.py")
    return solution


def bodies(body: str, operators) -> list[str]:
    """The bodies that some operators make of one."""
    mutants, _ = make_mutants(solution_of(body), operators)
    return [textwrap.dedent("\n".join(mutant.function.splitlines()[2:-1])) for mutant in mutants]


@pytest.mark.parametrize("operator", [*OPERATORS, *REWRITES], ids=lambda operator: operator.name)
def test_operator_does_what_its_example_says(operator):
    assert operator.example.after in bodies(operator.example.before, [operator])
    assert operator.title


def test_a_name_that_only_ends_in_an_underscore_is_left_alone():
    (out_of_place,) = (rewrite for rewrite in REWRITES if rewrite.name == "out_of_place")
    assert bodies("super().__init__()\nreturn x.clone().requires_grad_()", [out_of_place]) == []
    assert bodies("return x.clone().exp_()", [out_of_place]) == ["return x.clone().exp()"]


def test_a_transposition_is_written_otherwise():
    (rewrite,) = (rewrite for rewrite in REWRITES if rewrite.name == "transposed_by_call")
    expected = "return (lambda x: x.T if x.ndim == 2 else x.transpose(0, 1))(a)"
    assert bodies("return a.transpose(0, 1)", [rewrite]) == [expected]
    assert bodies("return a.transpose(0, 2)", [rewrite]) == []


@pytest.mark.parametrize("rewrite", REWRITES, ids=lambda rewrite: rewrite.name)
def test_rewrite_keeps_the_meaning(rewrite):
    def effect(body: str):
        generator = torch.Generator().manual_seed(0)
        given = {name: torch.randn(3, 3, generator=generator) for name in NAMES.split(", ")}
        given |= {"rows": torch.arange(3), "y": torch.tensor([2, 0, 1])}
        scope = {"torch": torch}
        exec(solution_of(body).module, scope)
        return [scope["f"](**given), *given.values()]

    expected = effect(rewrite.example.before)
    for body in bodies(rewrite.example.before, [rewrite]):
        tree_map(torch.testing.assert_close, expected, effect(body))


def test_rewrites_for_numpy_are_numpy(a01):
    (check, *_) = checks_of(a01, "knn.predict_labels")
    rewrites = rewrites_for([replace(check, library="numpy")])
    assert {rewrite.name for rewrite in rewrites} == {rewrite.name for rewrite in REWRITES} - {"in_float64"}
    found = bodies("return a @ b.T", rewrites)
    assert found and not any("torch" in body for body in found)


def test_loops_are_no_rewrite_where_none_is_allowed(a01):
    names = [rewrite.name for rewrite in rewrites_for(checks_of(a01, "knn.compute_distances_no_loops"))]
    assert "looped" not in names and "einsum" in names


@pytest.mark.parametrize(
    "before, after",
    [
        ("return a / b**x", "return a / (b * x)"),
        ("return a - (b - x)", "return a - (b)"),
        ("return -a[1:]", "return a[1:]"),
        ("return a.reshape(-1)", "return a.reshape(-0)"),
        ("if a:\n    x = 1\n    w = 2\nreturn x", "if a:\n    pass\n    w = 2\nreturn x"),
        ("return [a[i] for i in range(x)]", "return [a[i] for i in range(x - 1)]"),
        ("return a(\n    b,\n    x,\n)", "return a(x, b)"),
        ("return x.std(dim=0)", "return x.std(dim=0, correction=0)"),
        ("return x.std(axis=0)", "return x.std(axis=0, ddof=1)"),
        ("return np.max(x, 0)", "return np.max(x, 0, keepdims=True)"),
        ("return torch.clone(x)", "return x"),
        ("return copy.deepcopy(x)", "return x"),
        ("return torch.where(a, b, x)", "return b"),
        ("return torch.where(a, b, x)", "return x"),
        ("return torch.maximum(a, b)", "return b"),
        ("return a.maximum(b)", "return b"),
        ("return a.mm(b)", "return b.mm(a)"),
        ("return a.mm(b)", "return a.mT.mm(b)"),
        ("return torch.bmm(a, b)", "return torch.bmm(a, b.mT)"),
        ("return torch.transpose(x, 0, 1)", "return x.reshape(torch.transpose(x, 0, 1).shape)"),
        ("while a:\n    a = b", "while False:\n    a = b"),
    ],
)
def test_a_change_stays_where_it_is(before, after):
    assert after in bodies(before, OPERATORS)


@pytest.mark.parametrize(
    "one, other",
    [
        ("x.sum(1)", "x.sum(dim=1, keepdim=False)"),
        ("x > 0", "0 < x"),
        ("x[0:3]", "x[:3]"),
        ("range(0, n)", "range(n)"),
        ("(x)", "x"),
        ("zip(a, b, strict=True)", "zip(a, b)"),
        ("torch.maximum(a, b)", "torch.maximum(b, a)"),
        ("x[-0]", "x[0]"),
        ("x.mean(axis=(0, 1))", "x.mean(axis=(1, 0))"),
        ("a, b = [], []", "b, a = [], []"),
        ("total: float = 0.0", "total: int = 0.0"),
        ("raise ValueError(x)", "raise ValueError(y)"),
        ("if verbose:\n    print(x)", "pass"),
    ],
)
def test_the_same_in_other_words_is_no_mutant(one, other):
    assert normalised(one) == normalised(other)


@pytest.mark.parametrize(
    "one, other",
    [
        ("x.sum(1)", "x.sum(0)"),
        ("x > 0", "x < 0"),
        ("x[0:3]", "x[1:3]"),
        ("x.max(1)", "x.max(0)"),
        ("x.mean(axis=(0, 1))", "x.mean(axis=(0, 2))"),
        ("x.permute(dims=(0, 1))", "x.permute(dims=(1, 0))"),
        ("a, b = [], 0", "b, a = [], 0"),
        ("raise ValueError(x)", "raise KeyError(x)"),
        ("if x:\n    y = print(x)", "pass"),
        ("x = -0.0", "x = 0.0"),
    ],
)
def test_what_differs_is_a_mutant(one, other):
    assert normalised(one) != normalised(other)


def test_mutants_are_python_and_change_the_solution_alone(assignment):
    for solution in solutions(assignment):
        mutants, _ = make_mutants(solution, [*OPERATORS, *REWRITES])
        assert mutants
        assert len({mutant.function for mutant in mutants}) == len(mutants)
        lines = solution.module.splitlines()
        begin, end = solution.start + solution.first - 2, solution.start + solution.last - 1
        for mutant in mutants:
            changed = mutant.module.splitlines()
            assert changed[:begin] == lines[:begin]
            assert changed[len(changed) - len(lines) + end :] == lines[end:]
            assert mutant.change[0] != mutant.change[1]
            assert mutant.function.count("### BEGIN SOLUTION") == 1
            assert mutant.diff.startswith(f"--- {solution.file}\n+++ {mutant.operator}\n@@")


@pytest.fixture(scope="module")
def outcome_of(a01):
    """What becomes of an exercise of a01 in which some text is replaced."""
    found = {solution.exercise: solution for solution in solutions(a01)}
    with ProcessPoolExecutor(
        1, multiprocessing.get_context("spawn"), try_mutant.start, ("a01_knn", range(1))
    ) as pool:

        def outcome(exercise: str, old: str, new: str, right: bool = False):
            solution = found[exercise]
            assert old in solution.function
            mutant = Mutant(solution, "by hand", solution.function.replace(old, new))
            return pool.submit(try_mutant.examine, mutant, right).result()

        yield outcome


NO_LOOPS, PREDICT = "knn.compute_distances_no_loops", "knn.predict_labels"


@pytest.mark.parametrize(
    "kind, exercise, old, new",
    [
        ("as drawn", PREDICT, ".argmax(dim=1)", ".argmax(dim=1) + (dists[0, 0] < 1)"),
        (
            "float64",
            NO_LOOPS,
            "squared.clamp",
            "((x_train.flatten()[0] > 0.9) * 1e-7 * squared + squared).clamp",
        ),
        ("large numbers", NO_LOOPS, "clamp(min=0)", "clamp(min=0, max=1e8)"),
        ("small numbers", "knn.compute_distances_two_loops", ".sqrt()", ".clamp(min=1e-4).sqrt()"),
        (
            "a class missing",
            PREDICT,
            ".argmax(dim=1)",
            ".argmax(dim=1) - 9 * (y_train.unique().numel() == 1)",
        ),
        ("a batch of one", NO_LOOPS, "x_test.flatten(1)", "x_test.flatten(1).squeeze(0)"),
    ],
)
def test_a_survivor_is_told_where_it_differs(outcome_of, kind, exercise, old, new):
    outcome = outcome_of(exercise, old, new)
    assert outcome.status == "survived"
    assert outcome.differs.startswith(f"{kind}, seed ")
    assert outcome.shapes and all("(" in shape for shape in outcome.shapes)


def test_a_mutant_must_be_noticed_with_every_seed(a01):
    (solution,) = (solution for solution in solutions(a01) if solution.exercise == PREDICT)
    changed = solution.function.replace(".argmax(dim=1)", ".argmax(dim=1) + (dists[0, 0] >= 8)")
    mutant = Mutant(solution, "by hand", changed)
    context = multiprocessing.get_context("spawn")
    outcomes = []
    for seeds in (range(1), range(30)):
        with ProcessPoolExecutor(1, context, try_mutant.start, ("a01_knn", seeds)) as pool:
            outcomes.append(pool.submit(try_mutant.examine, mutant, False).result())
    assert [outcome.status for outcome in outcomes] == ["killed", "survived"]
    assert outcomes[1].message.startswith("seed ")


def test_a_survivor_that_is_right_differs_nowhere(outcome_of):
    outcome = outcome_of(NO_LOOPS, "squared.clamp(min=0)", "squared.relu()")
    assert (outcome.status, outcome.differs) == ("survived", "")


@pytest.mark.parametrize(
    "new, message",
    [
        ("squared.clamp(min=0)", "values differ"),
        ("x_train.cpu()", "has shape"),
        ("torch.cdist(x_train.flatten(1), x_test.flatten(1))", "not allowed"),
        ("[0] * 10**11", "MemoryError"),
        ("__import__('os').abort()", "the process ended"),
        ("__import__('os').kill(0, 9)", "the process ended"),
    ],
)
def test_what_a_check_notices_is_killed(outcome_of, new, message):
    outcome = outcome_of(NO_LOOPS, "squared.clamp(min=0).sqrt()", new)
    assert outcome.status == "killed"
    assert message in outcome.message


def test_an_endless_loop_times_out_and_the_next_one_runs(outcome_of):
    endless = "[0 for _ in iter(int, 1)]"
    assert outcome_of("knn.knn_get_best_k", "max(", f"{endless} or max(").status == "timeout"
    assert outcome_of("knn.knn_get_best_k", "max(", "max(0 or ").status == "survived"


def test_what_a_mutant_changes_elsewhere_is_gone_with_it(outcome_of):
    assert outcome_of(NO_LOOPS, "squared =", "torch.Tensor.clamp = None\n    squared =").status == "killed"
    assert outcome_of(NO_LOOPS, "squared =", "squared  =", right=True).status == "survived"


def test_modules_that_import_the_changed_one_see_the_change(outcome_of):
    """The classifier calls its neighbours in the same module; what it is made of counts, too."""
    outcome = outcome_of(
        "knn.KnnClassifier.__init__", "self.x_train, self.y_train", "self.y_train, self.x_train"
    )
    assert (outcome.status, outcome.check) == ("killed", "knn.KnnClassifier.predict")


def test_a_rewrite_calls_torch_and_numpy_where_the_solution_does_not_import_them():
    changed = try_mutant._Changed(
        "changed", "changed.py", "three = torch.ones(2).sum().item() + np.ones(1)[0]"
    )
    module = module_from_spec(changed.find_spec("changed", None))
    module.__loader__.exec_module(module)
    assert module.three == 3


def test_a_mutant_that_cannot_be_examined_is_not_taken_for_killed(outcome_of):
    with pytest.raises(RuntimeError, match="could not be examined"):
        outcome_of(NO_LOOPS, "squared =", "squared = =")


@pytest.mark.parametrize(
    "exercise",
    [
        "mlp.losses.softmax_loss",
        "linear.two_layer_net.nn_forward_backward",
        "mlp.fully_connected_networks.Linear.backward",
    ],
)
def test_a_batch_of_one_reaches_checks_that_draw_their_own_inputs(exercise):
    name = "a02_linear" if exercise.startswith("linear.") else "a03_mlp"
    check = next(check for check in find_assignment(name).checks if check.id == exercise)
    found, whole = (run_unusual(kind, check, 0) for kind in ("a batch of one", "as drawn"))
    assert found.error is None
    assert unlike(check, whole.outputs, found.outputs)


def test_every_kind_of_input_is_tried():
    assert {*KINDS} >= {"float64", "large numbers", "a class missing", "a batch of one"}


def settings(out, **changed) -> examination.Settings:
    """A small run."""
    return replace(examination.Settings(out, "knn.knn_get_best_k", workers=1), **changed)


def test_a_run_goes_on_where_it_was_and_gives_the_same(a01, tmp_path, monkeypatch):
    first = examination.examine_assignment(a01, settings(tmp_path / "one"), QUIET).to_dict()
    journal = tmp_path / "one/journal.jsonl"
    lines = journal.read_text().splitlines()
    (tmp_path / "two").mkdir()
    (tmp_path / "two/journal.jsonl").write_text("\n".join([*lines[:-2], lines[-2][:20]]))
    asked = []
    pool = examination._pool
    monkeypatch.setattr(examination, "_pool", lambda *given: asked.append(given[-1]) or pool(*given))
    second = examination.examine_assignment(a01, settings(tmp_path / "two", workers=2), QUIET).to_dict()
    assert asked == [2]
    third = examination.examine_assignment(a01, settings(tmp_path / "two"), QUIET).to_dict()
    assert asked == [2]
    journal.write_text("\n".join(["other checks", *lines[1:]]))
    examination.examine_assignment(a01, settings(tmp_path / "one"), QUIET)
    assert asked == [2, len(lines) - 1]
    for tree in (first, second, third):
        assert tree.pop("seconds") >= 0
    assert first == second == third


def test_a_sample_depends_on_the_seed_alone(a01, tmp_path):
    def chosen(**changed):
        found = examination.examine_assignment(a01, settings(tmp_path, sample=3, **changed), QUIET)
        return [item.mutant.function for item in found.mutants]

    assert len(chosen()) == 3
    assert chosen() == chosen()
    assert chosen() != chosen(seed=1)


def test_an_unknown_exercise_is_refused(a01, tmp_path):
    with pytest.raises(CourseError, match=r"is no exercise of a01_knn; there are: knn\."):
        examination.examine_assignment(a01, settings(tmp_path, exercise="knn.predict"), QUIET)


def entry(**changed) -> Entry:
    known = {
        "exercise": "knn.knn_get_best_k",
        "was": "return max(sorted(k_to_accuracies), key=lambda k: fmean(k_to_accuracies[k]))",
        "becomes": ("return min(sorted(k_to_accuracies), key=lambda k: fmean(k_to_accuracies[k]))",),
        "reason": "It is not.",
    }
    return Entry(**{**known, **changed})


def test_entries_that_no_longer_apply_are_told(a01):
    mutants = [m for s in solutions(a01) for m in make_mutants(s, OPERATORS)[0]]
    (lowest,) = [mutant for mutant in mutants if entry().covers(mutant)]
    assert not stale([entry()], mutants, [])
    assert "a check notices" in stale([entry()], mutants, [lowest])[0]
    assert "nothing changes" in stale([entry(was="return 3")], mutants, [])[0]
    assert "nothing changes" in stale([entry(exercise="knn.gone")], mutants, [])[0]
    by_operator = entry(becomes=("twin_called",))
    assert by_operator.covers(lowest) and not entry(becomes=("loop_cut",)).covers(lowest)
    assert not stale([by_operator], mutants, [])
    assert "a check notices 'twin_called'" in stale([by_operator], mutants, [lowest])[0]


@pytest.mark.parametrize(
    "text, message",
    [
        ("[[equivalent]", "equivalent_mutants.toml"),
        ("[[equivalnt]]", r"an entry is a table \[\[equivalent\]\]"),
        ('equivalent = "a"', "an entry is a table"),
        ('[equivalent]\nexercise = "a"\nwas = "b"', "an entry is a table"),
        ('[[equivalent]]\nexercise = "a"\nwas = "b"\nbecomes = ["c"]', "an entry is a table"),
        ('[[equivalent]]\nexercise = "a"\nwas = "b"\nbecomes = ["c"]\nreason = ""', "needs a sentence"),
        ('[[equivalent]]\nexercise = "a"\nwas = "b"\nreason = "It is."', "an entry is a table"),
    ],
)
def test_a_wrong_list_is_one_sentence(a01, tmp_path, text, message):
    (tmp_path / "evidence").mkdir()
    (tmp_path / "evidence" / "equivalent_mutants.toml").write_text(text)
    with pytest.raises(CourseError, match=message):
        read_listed(replace(a01, folder=tmp_path))


def test_a_rewrite_that_is_listed_as_wrong_must_be_noticed(a01, tmp_path, monkeypatch):
    """As a mutant; here no check notices it, since it is right."""
    found = examination.examine_assignment(a01, settings(tmp_path), QUIET)
    rewrite = found.rewrites[0].mutant
    wrong = entry(was=rewrite.change[0], becomes=(rewrite.operator,))
    monkeypatch.setattr(examination, "read_listed", lambda assignment: Listed(wrong=[wrong]))
    listed = examination.examine_assignment(a01, settings(tmp_path), QUIET)
    assert [item.mutant.function for item in listed.of("survived")] == [rewrite.function]
    assert rewrite.function not in [item.mutant.function for item in listed.rewrites]
    assert len(listed.mutants) == len(found.mutants) + 1


def test_the_command_says_what_is_left(tmp_path):
    arguments = [
        "mutants",
        "a01",
        "--exercise",
        "knn.knn_get_best_k",
        "--workers",
        "1",
        "--out",
        str(tmp_path),
    ]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0 and "0 survived" in done.output and "0 false alarms" in done.output
    tree = json.loads(CliRunner().invoke(app, [*arguments, "--json"]).output)
    assert tree == json.loads((tmp_path / "mutants.json").read_text())
    assert tree["made"] == tree["killed"] == len(tree["mutants"]) and not tree["survived"]
    assert (tmp_path / "index.html").exists()


def test_the_page_shows_what_survived_and_what_is_right(a01, tmp_path):
    found = examination.examine_assignment(a01, settings(tmp_path), QUIET)
    one, other, third, *_ = found.mutants
    one.outcome = try_mutant.Outcome(
        "survived", differs="large numbers: 3 <b>differ", shapes=["float32 (7, 5)"]
    )
    other.outcome = try_mutant.Outcome("survived")
    other.entry = entry(reason="Both are the same.")
    found.rewrites[0].outcome = try_mutant.Outcome("killed", "knn.knn_get_best_k:ties", "not <this>")
    found.stale = ["knn.gone: nothing changes it."]
    assert not found.flawless
    write_mutants_page(found, tmp_path / "page.html")
    page = BeautifulSoup((tmp_path / "page.html").read_text(), "html.parser")
    survived = page.find(id="survived").parent.get_text()
    for text in ("float32 (7, 5)", "3 <b>differ", *one.mutant.change):
        assert text in survived
    assert third.mutant.change[1] not in survived
    assert "not <this>" in page.find(id="alarms").parent.get_text()
    assert "Both are the same." in page.find(id="equivalent").parent.get_text()
    assert "knn.gone" in page.find(id="notes").parent.get_text()
    assert "1 <b>" not in page.get_text()
    alarm = found.rewrites[0].mutant.change
    said = (r"inputs float32 \(7, 5\)", "survived: knn.knn_get_best_k", "knn.knn_get_best_k:ties: not <this>")
    assert all(re.search(text, found.summary()) for text in said)
    assert all(f"{sign} {text}" in found.summary() for sign, text in zip("-+", alarm, strict=True))
