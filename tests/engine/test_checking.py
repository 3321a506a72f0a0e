"""The checking engine: what it sees, what it says, what it costs a student."""

import functools
import inspect
import re
import sys
import textwrap
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from exercise_code import knn
from exercise_code.support.checking import AssignmentError, check, exercise_source, student_check
from exercise_code.support.checking.answers import Answers, make_answers
from exercise_code.support.checking.case import Case
from exercise_code.support.checking.compare import difference
from exercise_code.support.checking.declare import check as declare
from exercise_code.support.checking.evidence import MAX_LEAVES, Evidence, Run, dumps, leaves, loads
from exercise_code.support.checking.follow_through import block
from exercise_code.support.checking.judge import PROMISES, Verdict, judge
from exercise_code.support.checking.render import STYLE, to_html, to_mime, to_text
from exercise_code.support.checking.replace import replaced
from exercise_code.support.checking.run_check import EXERCISES, gather, sentence
from exercise_code.support.checking.student_check import Verdicts
from exercise_code.support.checking.tensor_pictures import Cell, Panel, smallest
from exercise_code.support.isolation.check_server import usual_operations
from exercise_code.support.paths import ROOT

NO_LOOPS = "knn.compute_distances_no_loops"


def verdict_on(function, **declared) -> Verdict:
    """Judge a function that stands in for `compute_distances_no_loops`."""
    options = {"points": 4, **declared}

    @declare(NO_LOOPS, **options)
    def probe(code, case):
        """Distances."""
        return {"dists": code.knn.compute_distances_no_loops(case.images(7), case.images(5))}

    answers = make_answers([probe], [], seed=3)
    tree = exercise_source.find_function(textwrap.dedent(inspect.getsource(function)), function.__name__)
    with replaced(NO_LOOPS, function):
        return judge(probe, gather(probe, 3), answers.reference[NO_LOOPS], tree)


def right(x_train, x_test):
    a, b = x_train.flatten(1), x_test.flatten(1)
    return (a.square().sum(1, keepdim=True) - 2 * a @ b.T + b.square().sum(1)).clamp(min=0).sqrt()


def row_of_distances(x_test, row):
    return right(row[None], x_test)


def test_right_is_passed_with_all_points():
    verdict = verdict_on(right, loops=0, memory=4)
    assert (verdict.status, verdict.points, verdict.message) == ("passed", 4, "")
    assert any("operations at both sizes" in line for line in verdict.kept)


def test_wrong_shape_is_told_with_the_names_of_the_axes():
    def turned(x_train, x_test):
        return right(x_test, x_train)

    verdict = verdict_on(turned)
    assert verdict.status == "failed"
    assert verdict.points == 0
    assert verdict.message == "dists has shape (5, 7); expected (num_train=7, num_test=5): transposed?"


def test_wrong_values_are_told_with_the_first():
    def squared(x_train, x_test):
        return right(x_train, x_test) ** 2

    assert "dists: all 35 values differ; first at [0, 0]: expected " in verdict_on(squared).message


def test_a_broken_promise_costs_half():
    def changes_input(x_train, x_test):
        dists = right(x_train, x_test)
        x_train.mul_(2)
        return dists

    def always_float32(x_train, x_test):
        return right(x_train, x_test).float()

    def on_cpu(x_train, x_test):
        return right(x_train, x_test) + torch.zeros(len(x_train), len(x_test))

    def many_megabytes(x_train, x_test):
        torch.zeros(10_000 * len(x_train))
        return right(x_train, x_test)

    for function, aspect in [
        (changes_input, "inputs"),
        (always_float32, "float64"),
        (on_cpu, "device"),
        (many_megabytes, "memory"),
    ]:
        verdict = verdict_on(function, loops=0, memory=4)
        assert list(verdict.faults) == [aspect], function.__name__
        assert (verdict.status, verdict.points) == ("failed", 2)


def test_what_is_essential_costs_all():
    def loops(x_train, x_test):
        return torch.cat([right(row[None], x_test) for row in x_train])

    def hides_a_loop(x_train, x_test):
        return torch.cat([*map(functools.partial(row_of_distances, x_test), x_train)])

    def ruled_out(x_train, x_test):
        return torch.cdist(x_train.flatten(1), x_test.flatten(1))

    def ruled_out_in_disguise(x_train, x_test):
        return getattr(torch, "cd" + "ist")(x_train.flatten(1), x_test.flatten(1))

    for function, aspect in [
        (loops, "loops"),
        (hides_a_loop, "loops"),
        (ruled_out, "ruled out"),
        (ruled_out_in_disguise, "ruled out"),
    ]:
        verdict = verdict_on(function, loops=0, forbids=["torch.cdist"])
        assert list(verdict.faults) == [aspect], function.__name__
        assert (verdict.status, verdict.points) == ("failed", 0)


def test_an_answer_that_differs_between_calls_is_not_deterministic():
    calls = []

    def drifts(x_train, x_test):
        calls.append(1)
        return right(x_train, x_test) + (len(calls) > 1)

    verdict = verdict_on(drifts)
    assert (verdict.status, verdict.points) == ("not_deterministic", 0)


def test_an_error_is_told_in_a_sentence():
    def raises(x_train, x_test):
        return x_train @ x_test

    def leaves_the_process(x_train, x_test):
        raise SystemExit(3)

    assert verdict_on(raises).status == "error"
    assert verdict_on(raises).message.startswith("RuntimeError: ")
    assert "\n" not in verdict_on(raises).message
    assert verdict_on(leaves_the_process).status == "error"


def test_nothing_written_is_no_mistake():
    def passes(x_train, x_test):
        pass

    def forgets_return(x_train, x_test):
        right(x_train, x_test)

    assert verdict_on(passes).status == "not_written"
    assert verdict_on(forgets_return).status == "failed"
    assert "is None" in verdict_on(forgets_return).message


def test_what_builds_on_a_fault_is_blocked():
    checks = [
        declare("knn.predict_labels", points=1)(lambda code, case: {}),
        declare("knn.KnnClassifier.predict", points=1, uses=["knn.predict_labels"])(lambda code, case: {}),
        declare("knn.knn_get_best_k", points=1)(lambda code, case: {}),
    ]
    verdicts = [
        Verdict(check.id, "", 1, "failed", 0.0, [], {"answer": f"{check.id} is wrong"}) for check in checks
    ]
    block(verdicts, checks)
    assert [verdict.status for verdict in verdicts] == ["failed", "blocked", "failed"]
    assert (
        verdicts[1].message
        == "blocked by knn.predict_labels: mend that first; knn.KnnClassifier.predict is wrong"
    )


@pytest.mark.parametrize(
    "expected, got, message",
    [
        ({"k": 3}, {"k": 5}, "k: expected 3, got 5"),
        (
            {"k": 3},
            {"k": torch.tensor(3)},
            "k is an int64 tensor of shape (); expected the int 3: .item() makes it a Python number",
        ),
        ({"k": 3}, {"k": torch.zeros(2).byte()}, "k is a uint8 tensor of shape (2,); expected the int 3"),
        ({"k": 3}, {"k": 3.0}, "k is the float 3.0; expected the int 3"),
        ({"k": 1}, {"k": True}, "k is the bool True; expected the int 1"),
        ({"a": [1, 2]}, {"a": [1]}, "a is a list of 1; expected a list of 2"),
        ({"a": {1: 0.5}}, {"a": {1: 0.25}}, "a[1]: expected 0.5, got 0.25"),
        ({"a": {1: 0.5}}, {"a": {2: 0.5}}, "a[1] is missing"),
        ({"x": torch.zeros(2)}, {"x": torch.zeros(2, 1)}, "x has shape (2, 1); expected (2,)"),
        ({"x": torch.zeros(2)}, {"x": torch.zeros(2).long()}, "x is int64; expected float32"),
        ({"x": torch.zeros(2)}, {"x": torch.tensor([0, torch.nan])}, "x: 1 of 2 values is NaN; first at [1]"),
        (
            {"x": torch.zeros(3)},
            {"x": torch.tensor([0, 0, 2.0])},
            "x: 1 of 3 values differs; first at [2]: expected 0, got 2",
        ),
        (
            {"x": torch.ones(2)},
            {"x": torch.full((2,), torch.inf)},
            "x: all 2 values differ; first at [0]: expected 1, got inf",
        ),
        (
            {"x": torch.zeros(2)},
            {"x": object()},
            "x is an object of type object; expected a float32 tensor of shape (2,)",
        ),
        (
            {"x": torch.zeros(2)},
            {"x": np.zeros(2)},
            "x is a NumPy array; expected a float32 tensor of shape (2,)",
        ),
        (
            {"x": torch.zeros(2)},
            {"x": [torch.zeros(()), torch.zeros(())]},
            "x is a list of 2; expected a float32 tensor of shape (2,)"
            ": torch.stack or torch.tensor makes one of it",
        ),
        (
            {"k": 0.5},
            {"k": np.float32(0.5)},
            "k is an object of type numpy.float32; expected the float 0.5: .item() makes it a Python number",
        ),
        ({"k": 0.5}, {"k": np.zeros(2)}, "k is a NumPy array; expected the float 0.5"),
        ({"x": 1}, {"x": 1, "y": 2}, "y is not expected"),
    ],
)
def test_differences_read_well(expected, got, message):
    assert difference(leaves(expected), leaves(got), 1e-4, 1e-5) == message


def test_a_tensor_where_numpy_is_written_is_named():
    expected, got = leaves({"x": np.zeros(2)}, "numpy"), leaves({"x": torch.zeros(2)}, "numpy")
    assert difference(expected, got, 1e-4, 1e-5) == "x is a torch tensor; expected a NumPy array"


def test_an_error_is_told_once_in_a_table():
    verdicts = [
        Verdict(f"knn.{name}:answer", "", 1, "error", faults={"state": "knn.py, line 3: invalid syntax"})
        for name in ("predict_labels", "knn_get_best_k")
    ]
    for page in (to_html(verdicts), to_text(verdicts)):
        assert page.count("invalid syntax") == 1
        assert "for the same reason as predict_labels: answer" in page


def test_sums_in_another_order_are_no_difference():
    values = torch.rand(1000, generator=torch.Generator().manual_seed(0))
    expected, got = leaves({"sum": values.sum()}), leaves({"sum": values.flip(0).cumsum(0)[-1]})
    assert difference(expected, got, 1e-4, 1e-5) is None
    assert difference(expected, leaves({"sum": values.sum() * 1.001}), 1e-4, 1e-5)


def test_a_case_is_the_same_every_time_and_another_for_each_check_and_seed():
    def draw(seed, check):
        case = Case(seed, check)
        return case.images(3), case.labels(9, 3), case.positive_matrix(2, 3), case.integer(0, 10**9)

    for one, other in zip(draw(1, "a"), draw(1, "a"), strict=True):
        assert torch.equal(torch.as_tensor(one), torch.as_tensor(other))
    assert draw(1, "a")[3] != draw(1, "b")[3] != draw(2, "b")[3]


def test_a_case_notices_changed_tensors():
    case = Case(0, "a")
    images = case.images(2)
    assert case.drawn == case.now
    images[0, 0, 0, 0] = 7
    assert case.drawn != case.now


def test_cases_are_never_square_and_a_positive_matrix_has_no_ties():
    for seed in range(50):
        case = Case(seed, "a")
        height, width = case.images(2).shape[2:]
        assert height != width
        assert case.positive_matrix(5, 6).unique().numel() == 30


def test_evidence_survives_storage():
    evidence = Evidence("a", problem=None, symbols={"n": 3}, returns="n")
    evidence.runs["float32"] = gather(declare("knn.predict_labels", points=1)(lambda code, case: {
        "labels": case.labels(4, 2), "nested": {1: [0.5, None, "word"]}, "flag": True,
    }), 0).runs["float32"]  # fmt: skip
    found = Evidence.from_dict(loads(dumps(evidence.to_dict())))
    assert difference(evidence.runs["float32"].outputs, found.runs["float32"].outputs, 0, 0) is None
    assert found.symbols == evidence.symbols
    assert found.runs["float32"].outputs["flag"] is True


def test_equal_tensors_are_written_once():
    large = torch.rand(1000)
    tree = {"a": large, "b": [large.clone(), large.double()], "c": large.view(10, 100)}
    data = dumps(tree)
    assert len(data) < 4.5 * large.nbytes  # as it is, with twice the bytes, and in another shape
    found = loads(data)
    assert difference({"b": tree["b"][1]}, {"b": found["b"][1]}, 0, 0) is None
    assert torch.equal(found["a"], large) and torch.equal(found["b"][0], large)
    assert found["c"].shape == (10, 100)


@pytest.mark.parametrize(
    "data", [b"", b"x" * 7, b"\xff" * 64, dumps({"a": 1})[:-1] + b"", b"\x02" + bytes(7) + b"{}"]
)
def test_damaged_evidence_is_refused_in_one_sentence(data):
    if data == dumps({"a": 1})[:-1]:
        data = data[:-20]
    with pytest.raises(ValueError, match="not a file of evidence"):
        loads(data)


def test_evidence_of_another_form_is_refused():
    good = Evidence("a", {"float32": Run({"x": 1})}).to_dict()
    assert Evidence.from_dict(good).to_dict() == good
    trees = [
        {},
        {"check": "a", "runs": 3},
        {"check": "a", "runs": {"float32": {"surprise": 1}}, "problem": None},
    ]
    trees += [good | change for change in ({"check": 3}, {"seconds": "1"}, {"returns": None}, {"runs": []})]
    for field, value in [
        ("error", 3),
        ("error", "x" * 10**6),
        ("operations", None),
        ("memory", "0"),
        ("devices", "cpu"),
        ("outputs", []),
        ("outputs", {"x": {"kind": "dict"}}),
        ("outputs", {"x": {"kind": "surprise"}}),
        ("outputs", {"x": [1]}),
    ]:
        trees.append(good | {"runs": {"float32": good["runs"]["float32"] | {field: value}}})
    for tree in trees:
        with pytest.raises(ValueError, match="not the evidence"):
            Evidence.from_dict(tree)


def test_evidence_with_runs_left_out_gains_nothing(a01):
    (check,) = (check for check in a01.checks if check.id == NO_LOOPS)
    reference = make_answers([check], [], 0).reference[NO_LOOPS]
    function = exercise_source.read_exercise(NO_LOOPS, EXERCISES)
    for name in ("again", "float64", "large"):
        runs = {other: run for other, run in gather(check, 0).runs.items() if other != name}
        verdict = judge(check, Evidence(NO_LOOPS, runs), reference, function)
        assert (verdict.status, verdict.points) == ("crashed", 0)
    forged = gather(check, 0)
    forged.runs["float32"].inputs_before = ""
    assert judge(check, forged, reference, function).points == 0


def test_results_without_end_are_cut():
    with pytest.raises(ValueError, match="more than"):
        leaves({"x": list(range(2 * MAX_LEAVES))})
    with pytest.raises(ValueError, match="larger than"):
        leaves({"x": torch.zeros(10**7).expand(10, 10**7)})


def test_answers_survive_storage(tmp_path, a01):
    answers = make_answers(a01.checks[-2:], [], 5)
    answers.save(tmp_path / "answers.safetensors.gz")
    found = Answers.load(tmp_path / "answers.safetensors.gz")
    assert found.seed == 5
    assert found.reference.keys() == answers.reference.keys()


def test_stored_answers_judge_every_mistake_alike(a01):
    answers = make_answers(a01.checks, a01.mistakes, 5)
    stored = Answers.from_bytes(answers.to_bytes())
    checks = {check.id: check for check in a01.checks}
    for mistake in answers.mistakes:
        before, after = (
            judge(checks[mistake.check], mistake.evidence, each.reference[mistake.check], None, each.mistakes)
            for each in (answers, stored)
        )
        assert after == before
        assert "answer" not in before.faults or before.hint


def test_check_finds_assignments_modules_and_exercises(a01):
    assert len(check("a01").verdicts) == len(check("knn").verdicts) == len(a01.checks)
    assert [verdict.check for verdict in check("knn.predict_labels").verdicts] == [
        "knn.predict_labels",
        "knn.predict_labels:ties",
    ]
    assert [verdict.check for verdict in check("knn.predict_labels:ties").verdicts] == [
        "knn.predict_labels:ties"
    ]
    assert check("a01").points == a01.max_points
    assert [verdict.check for verdict in check("predict_labels").verdicts] == [
        "knn.predict_labels",
        "knn.predict_labels:ties",
    ]


@pytest.mark.parametrize(
    "name, meant", [("knm", "knn"), ("a1", "a01"), ("knn.predict_label", "knn.predict_labels")]
)
def test_a_name_that_is_not_known_is_told_with_what_may_be_meant(name, meant):
    with pytest.raises(AssignmentError, match=rf"nothing is called '{name}'.*did you mean '{meant}'\?"):
        check(name)


@pytest.fixture
def own_answers():
    """The answers that `check` makes from the reference, made before a test replaces a function."""
    check("knn.knn_get_best_k")


def test_check_sees_what_is_written_now(own_answers, monkeypatch):
    monkeypatch.setattr(knn, "knn_get_best_k", lambda accuracies: 0)
    assert check("knn.knn_get_best_k").points == 0


def test_a_check_that_is_wrong_with_a_stand_in_as_well_is_wrong(own_answers, monkeypatch):
    monkeypatch.setattr(knn, "compute_distances_no_loops", lambda a, b: torch.zeros(len(a), len(b)))
    monkeypatch.setattr(knn, "knn_cross_validate", lambda *_, **__: {1: [0.0]})
    (verdict,) = check("knn.knn_cross_validate").verdicts
    due = "with a stand-in for compute_distances_no_loops, which is not right, this was judged"
    assert (verdict.status, verdict.points, verdict.followed) == ("failed", 0, due)


def test_a_blocked_check_earns_its_points_with_a_stand_in(own_answers, monkeypatch):
    monkeypatch.setattr(knn, "compute_distances_no_loops", lambda a, b: torch.zeros(len(a), len(b)))
    (verdict,) = (found := check("knn.KnnClassifier.predict")).verdicts
    assert (verdict.status, verdict.points) == ("passed", 2)
    sentence = "with a stand-in for compute_distances_no_loops, which is not right, this is right"
    assert sentence in repr(found) and sentence in to_html([verdict])


def hint_of(function, monkeypatch) -> str:
    monkeypatch.setattr(knn, NO_LOOPS.partition(".")[2], function)
    return check(f"{NO_LOOPS}").verdicts[0].hint


def test_a_wrong_answer_has_its_hint_whatever_else_is_wrong_beside_it(own_answers, monkeypatch):
    def forgets_the_root(x_train, x_test):
        dists = torch.zeros(len(x_train), len(x_test))  # on the CPU, and float32 for whatever comes
        dists += (x_train.flatten(1)[:, None] - x_test.flatten(1)[None]).square().sum(-1).float().cpu()
        return dists

    assert hint_of(forgets_the_root, monkeypatch).startswith("These are squared distances")


def test_each_broken_promise_has_its_hint(own_answers, monkeypatch):
    def makes_zeros(x_train, x_test):
        dists = torch.zeros(len(x_train), len(x_test))
        for i, image in enumerate(x_train):
            for j, other in enumerate(x_test):
                dists[i, j] = (image - other).square().sum().sqrt()
        return dists

    monkeypatch.setattr(knn, "compute_distances_two_loops", makes_zeros)
    (verdict,) = check("knn.compute_distances_two_loops").verdicts
    assert {*verdict.faults} == {"float64", "device"}
    assert verdict.hint.startswith("`torch.zeros` is float32 on the CPU")
    known = student_check._mistakes
    monkeypatch.setattr(
        student_check,
        "_mistakes",
        lambda *of: [mistake for mistake in known(*of) if len(mistake.faults) == 1],
    )
    (verdict,) = check("knn.compute_distances_two_loops").verdicts
    assert "result is float32 whatever goes in" in verdict.hint
    assert "made without `device=` lives on the CPU" in verdict.hint


def test_a_name_of_several_exercises_is_told_with_all_of_them():
    with pytest.raises(AssignmentError, match=r"'regression.solver.Solver._step' or 'mlp.solver.Solver._st"):
        check("Solver._step")


def contrast(colour: str) -> float:
    """Of white words on a ground, by WCAG 2.1."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 1.05 / (0.05 + 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2])


def test_states_are_legible_on_every_page():
    grounds = re.findall(r"background: (#\w{6})", STYLE)
    assert len(grounds) == 3 and "color: #fff" in STYLE
    assert min(map(contrast, grounds)) >= 4.5


def test_tables_show_status_points_message_and_hint():
    verdicts = [
        Verdict("knn.a", "A", 3, "passed", 3, ["all values"]),
        Verdict("knn.b", "B", 2, "failed", 0, [], {"answer": "x <wrong> & co"}, "Take the `root`."),
    ]
    text, page = to_text(verdicts), to_html(verdicts)
    for shown in (text, page):
        assert "3 of 5 points" in shown
        assert "0 of 2" in shown
    assert "x <wrong> & co" in text
    assert "x &lt;wrong&gt; &amp; co" in page
    assert "<code>root</code>" in page
    assert repr(Verdicts(verdicts)) == text


def test_a_right_row_is_short_and_a_wrong_one_says_what_is_right():
    kept = verdict_on(right, loops=0).kept
    assert {*PROMISES} < {*kept}
    for show in (to_text, to_html):
        short, full = (
            " ".join(show([Verdict("knn.a", "A", 1, status, 0, kept, faults)]).split())
            for status, faults in (("passed", {}), ("failed", {"memory": "too much"}))
        )
        assert "operations at both sizes" in short and "right: " not in short
        assert not any(promise in short for promise in PROMISES)
        assert all(promise in full for promise in PROMISES) and "right: " in full


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("import cv2_of_mine", "No module named 'cv2_of_mine': import only what requirements.txt names"),
        ("from google_of_mine.colab import drive", "import only what requirements.txt names"),
        ("raise EOFError('EOF when reading a line')", "a line: nobody is there to answer, so take input()"),
        ("import bdb; raise bdb.BdbQuit", "BdbQuit: nobody is there to answer, so take input()"),
        ("import exercise_code.of_mine", "No module named 'exercise_code.of_mine'"),
        ("compile('x = 1\\n%matplotlib inline', 'knn.py', 'exec')", "% or ! belong in a notebook"),
        ("compile('x = (1', 'knn.py', 'exec')", "'(' was never closed"),
        ("raise AssertionError('Torch not compiled with CUDA enabled')", "enabled: there may be no GPU"),
        ("import torch; torch.zeros(2, device=torch.zeros(1).get_device())", "negative: there may be no GPU"),
        ("raise RuntimeError('CUDA out of memory')", "RuntimeError: CUDA out of memory"),
    ],
)
def test_an_error_that_is_no_students_mistake_says_what_to_do(statement, told):
    with pytest.raises(Exception) as failure:
        exec(statement)
    said = sentence(failure.value)
    assert told in said
    for remedy in ("requirements", "notebook", "no GPU"):
        assert (remedy in said) == (remedy in told)


def test_in_a_notebook_the_files_of_two_assignments_are_links_from_where_it_works(monkeypatch):
    monkeypatch.setitem(sys.modules, "ipykernel", SimpleNamespace())
    monkeypatch.chdir(ROOT / "tests/engine")
    verdicts = [
        Verdict(check, "", 1, "not_written", faults={"state": f"not written yet: {place}, line 3"})
        for check, place in (
            ("knn.predict_labels", "exercise_code/knn.py"),
            ("linear.features.hog", "exercise_code/linear/features.py"),
        )
    ]
    page = to_mime(verdicts, 0)["text/html"]
    for place in ("exercise_code/knn.py", "exercise_code/linear/features.py"):
        assert f'<a href="../../{place}">{place}</a>, line 3' in page
    assert "<a " not in to_html(verdicts)


@pytest.mark.parametrize(
    "body, empty",
    [
        ('"""Doc."""', True),
        ("pass", True),
        ("...", True),
        ('"""Doc."""\n    pass', True),
        ("return None", False),
        ("x = 1", False),
    ],
)
def test_empty_functions_are_recognised(body, empty):
    assert exercise_source.is_empty(exercise_source.find_function(f"def f():\n    {body}\n", "f")) is empty


def test_exercises_are_found_in_modules_and_packages(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data/transforms.py").write_text("class Rescale:\n    def __call__(self): ...\n")
    path, name = exercise_source.locate("data.transforms.Rescale.__call__", tmp_path)
    assert (path.name, name) == ("transforms.py", "Rescale.__call__")
    assert exercise_source.read_exercise("data.transforms.Rescale.__call__", tmp_path).name == "__call__"
    assert exercise_source.read_exercise("data.transforms.Missing.f", tmp_path) is None
    assert exercise_source.read_exercise("nowhere.f", tmp_path) is None


def test_what_warms_up_works_in_every_run():
    evidence = gather(usual_operations, seed=0)
    assert {name: run.error for name, run in evidence.runs.items()} == dict.fromkeys(evidence.runs)
    assert "accelerator" in evidence.runs


def smallest_of(expected: dict, got: dict, **about) -> Panel | None:
    @declare(NO_LOOPS, points=1)
    def probe(code, case):
        """Distances."""
        return {}

    due = Evidence(NO_LOOPS, {"float32": Run(outputs=expected)}, **about)
    return smallest(probe, due, Evidence(NO_LOOPS, {"float32": Run(outputs=got)}))


def test_the_smallest_wrong_result_is_shown_with_the_names_of_its_axes():
    large, small = torch.rand(40, 30), torch.rand(3, 2)
    panel = smallest_of(
        {"large": large, "small": small, "right": torch.ones(1)},
        {"large": large + 1, "small": small + 1, "right": torch.ones(1)},
        symbols={"num_train": 3, "num_test": 2},
        returns="num_train num_test",
    )
    page = panel.to_html()
    assert "<code>small</code> (num_train × num_test): 6 of 6 values differ" in page
    assert "num_train ↓ num_test →" in page
    assert page.count('class="wrong"') == page.count("<small>≠") == 6


def test_axes_of_another_shape_get_no_names_and_pictures_tell_what_they_show():
    images = torch.rand(2, 3, 12, 10)
    panel = smallest_of({"x": images}, {"x": 1 - images}, symbols={"N": 2}, returns="N")
    page = panel.to_html()
    assert "<code>x</code>: " in page
    assert page.count("<img") == page.count('alt="') == 3 and "got − expected" in page


def test_text_of_a_student_is_shown_and_not_followed():
    panel = smallest_of({"x": ["a", "b"]}, {"x": ["a", "<script>"]})
    assert panel is None or "<script>" not in panel.to_html()
    (verdict,) = [Verdict("knn.a", "A", 3, "failed", 0, [], {"answer": "wrong"})]
    cell = Panel("<b>", "1 of 1 values differ", strip=[Cell("<i>", "<u>", True)])
    page = to_html([verdict], drawn={"knn.a": cell})
    assert "&lt;b&gt;" in page and "&lt;i&gt;" in page and "&lt;u&gt;" in page


@pytest.mark.parametrize(("aspect", "status"), [("inputs", "failed"), ("answer", "blocked")])
def test_nothing_is_drawn_of_another_fault_or_of_what_is_blocked(aspect, status):
    verdict = Verdict("knn.a", "A", 3, status, 0, [], {aspect: "wrong"})
    assert "values" not in to_html([verdict], drawn={"knn.a": Panel("x", "values")}).partition("</style>")[2]
    assert smallest_of({"x": torch.ones(2)}, {"x": torch.ones(2)}) is None
