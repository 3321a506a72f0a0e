"""Checks that do not compare values: laws, NumPy, and the accuracy of saved models."""

import pickle
import shutil

import numpy as np
import pytest
import torch
from helpers import verdict_of

from exercise_code.support import data
from exercise_code.support.checking import run_check
from exercise_code.support.checking.answers import make_answers
from exercise_code.support.checking.assignment import AssignmentError, read_assignment
from exercise_code.support.checking.declare import DeclarationError, Mistake
from exercise_code.support.checking.declare import check as declare
from exercise_code.support.checking.judge import judge
from exercise_code.support.checking.run_check import gather
from exercise_code.support.paths import ASSIGNMENTS


def half_law(outputs, expected):
    """Half of the entries are kept, give or take six standard deviations (error rate 2e-9)."""
    share = outputs["kept"].double().mean().item()
    return None if abs(share - 0.5) < 6 * 0.5 / 1000**0.5 else f"{share:.2f} of the entries are kept"


@pytest.fixture
def dropout():
    @declare("lab.work.keep", points=2, law=half_law)
    def half(code, case):
        """Half of the entries are kept."""
        return {"kept": code.lab.work.keep(case.tensor(np.ones(1000)))}

    return half


KEEP = "def keep(x):\n    return torch.rand_like(x) < {}\n"


def test_a_law_lets_chance_decide(exercise, dropout):
    other = "def keep(x):\n    return torch.rand(len(x), device=x.device) >= 0.5\n"
    verdict = verdict_of(exercise, dropout, KEEP.format(0.5), other)
    assert (verdict.status, verdict.points) == ("passed", 2)
    assert "same answer twice" not in verdict.kept


def test_what_a_known_mistake_prints_is_not_shown(exercise, dropout, capsys):
    def prints(x):
        print("loss 14.4")
        return torch.rand_like(x) < 0.2

    mistake = Mistake("lab.work.keep", prints, "Which share is kept?", "lab.work.keep")
    verdict = verdict_of(exercise, dropout, KEEP.format(0.5), KEEP.format(0.2), [mistake])
    assert verdict.hint == mistake.hint
    assert capsys.readouterr().out == ""


def test_a_law_says_what_is_wrong_and_recognises_the_mistake(exercise, dropout):
    def keeps_fewer(x):
        return torch.rand_like(x) < 0.2

    mistake = Mistake("lab.work.keep", keeps_fewer, "Which share is kept?", "lab.work.keep")
    for share, hint in ((0.2, mistake.hint), (0.3, "")):  # another share is kept for another reason
        verdict = verdict_of(exercise, dropout, KEEP.format(0.5), KEEP.format(share), [mistake])
        assert verdict.status == "failed"
        assert verdict.faults["answer"].endswith("of the entries are kept")
        assert verdict.hint == hint


@pytest.mark.parametrize(
    "got, reason",
    [
        ("x", "bool"),
        ("x[:10] > 0", "shape (10,)"),
        ("None", "None"),
        ("torch.full_like(x, float('nan')) > 0", "entries are kept"),
    ],
)
def test_form_is_compared_before_a_law_is_asked(exercise, dropout, got, reason):
    verdict = verdict_of(exercise, dropout, KEEP.format(0.5), f"def keep(x):\n    return {got}\n")
    assert verdict.points == 0
    assert reason in verdict.message


def test_a_law_may_leave_shapes_free_and_never_fails_itself(exercise):
    def law(outputs, expected):
        """Nothing is left to chance."""
        return None if outputs["places"].min() >= 0 else "there is a negative place"

    @declare("lab.work.places", points=1, law=law, free_shapes=["places"])
    def places(code, case):
        """Places, however many."""
        return {"places": code.lab.work.places(case.points(3))}

    def verdict(got: str):
        text = "def places(x):\n    return {}\n"
        right = text.format("torch.arange(5, device=x.device)")
        return verdict_of(exercise, places, right, text.format(got))

    assert verdict("torch.arange(9, device=x.device)").status == "passed"
    assert "negative" in verdict("torch.arange(3, device=x.device) - 1").message
    assert "list" in verdict("[1]").message
    assert "make no sense" in verdict("torch.arange(0, device=x.device)").message


@pytest.fixture
def scaled():
    @declare("lab.work.scale", points=2, library="numpy", loops=0, forbids=["numpy.std"])
    def scale(code, case):
        """Rows between 0 and 1."""
        return {"out": code.lab.work.scale(case.array(case.points(5)))}

    return scale


SCALE = "def scale(x):\n    return (x - x.min()) / (x.max() - x.min())\n"


def test_numpy_is_checked_twice_in_its_own_precision(exercise, scaled):
    exercise(SCALE)
    evidence = gather(scaled, 0)
    assert [*evidence.runs] == ["float32", "again"]
    assert evidence.runs["float32"].outputs["out"].dtype == torch.float64
    assert verdict_of(exercise, scaled, SCALE, SCALE).points == 2


@pytest.mark.parametrize(
    "body, aspect",
    [
        ("x -= x.min()\n    return x / x.max()", "inputs"),
        ("return torch.from_numpy((x - x.min()) / (x.max() - x.min()))", "answer"),
        ("return (x - x.min()) / x.max()", "answer"),
        ("return (x - x.min()) / (x.max() - x.min()) + 1e-3 * np.random.rand()", "answer"),
        ("return ((x - x.min()) / (x.max() - x.min())).astype(np.float32)", "answer"),
    ],
)
def test_numpy_is_judged_like_torch(exercise, scaled, body, aspect):
    verdict = verdict_of(exercise, scaled, SCALE, f"def scale(x):\n    {body}\n")
    assert aspect in verdict.faults


def test_chance_in_numpy_and_python_is_seeded_and_put_back(exercise):
    @declare("lab.work.draw", points=1, library="numpy")
    def draw(code, case):
        """Numbers."""
        return {"out": code.lab.work.draw()}

    exercise("import random\ndef draw():\n    return [np.random.rand(), random.random()]\n")
    before = np.random.get_state()[1][:3].tolist()  # noqa: NPY002
    first, second = (gather(draw, 5).runs["float32"].outputs for _ in range(2))
    assert first == second
    assert np.random.get_state()[1][:3].tolist() == before  # noqa: NPY002


@pytest.mark.parametrize(
    "options",
    [
        {"library": "jax"},
        {"free_shapes": ["x"]},
        {"library": "numpy", "memory": 2.0},
        {"library": "numpy", "loops": 1},
        {"floor": 0.1},
        {"floor": 0.5, "target": 0.4},
        {"floor": 0.1, "target": 0.4, "loops": 0},
    ],
)
def test_contradictions_are_refused(options):
    with pytest.raises(DeclarationError, match=r"^knn\.x: "):
        declare("knn.x", points=1, **options)(lambda code, case: {})


def test_a_contradiction_in_checks_names_the_assignment(tmp_path):
    folder = shutil.copytree(ASSIGNMENTS / "a01_knn", tmp_path / "a01_knn")
    text = (folder / "checks.py").read_text().replace("points=3", "points=3, floor=0.1", 1)
    (folder / "checks.py").write_text(text)
    with pytest.raises(AssignmentError, match=r"checks of a01_knn: .* floor and target belong together"):
        _ = read_assignment(folder).checks


@pytest.fixture
def accuracy():
    @declare("lab.work.train:accuracy", points=4, floor=0.2, target=0.6)
    def saved(code, case):
        """The saved table on images that nobody has seen."""
        table = case.model("table.pt")
        return {"labels": code.lab.work.predict(table, case.held_out())}

    return saved


TRAIN = "def train():\n    pass\n\n\ndef predict(table, images):\n    return table[: len(images)]\n"


def save(labels, share: float) -> None:
    """A saved model that knows a share of the labels by heart."""
    folder = run_check.EXERCISES.parent / "models"
    folder.mkdir(exist_ok=True)
    table = labels.clone()
    table[round(share * len(labels)) :] += 1
    torch.save(table, folder / "table.pt")


@pytest.mark.parametrize("share, points", [(0.1, 0), (0.2, 0), (0.3, 1), (0.5, 3), (0.6, 4), (1.0, 4)])
def test_points_grow_with_the_accuracy_of_a_saved_model(exercise, accuracy, share, points):
    exercise(TRAIN)
    answers = make_answers([accuracy], [], seed=1)
    labels = answers.reference[accuracy.id].runs["float32"].outputs["labels"]
    assert len(labels) == accuracy.held_out.num
    save(labels, share)
    evidence = gather(accuracy, 1, answers.held_out)
    assert [*evidence.runs] == ["float32"]
    verdict = judge(accuracy, evidence, answers.reference[accuracy.id], None)
    assert verdict.points == pytest.approx(points)
    assert verdict.status == ("passed" if points == 4 else "failed")
    assert points == 4 or f"{100 * share:.1f} % of {accuracy.held_out.num} new images" in verdict.message


def images_of(answers):
    """The images that saved models are tried on, where there is one kind of them."""
    (images,) = answers.held_out.values()
    return images


def test_held_out_images_are_no_images_of_shapes_and_depend_on_the_secret(exercise, accuracy):
    exercise(TRAIN)
    one, same, other = (images_of(make_answers([accuracy], [], 1, secret)) for secret in (7, 7, 8))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    known = {image.numpy().tobytes() for image in (255 * data.load("shapes", 10, 2_000)[2]).round().byte()}
    assert not known & {image.numpy().tobytes() for image in one}


def test_a_missing_or_foreign_model_costs_its_own_check(exercise, accuracy, tmp_path):
    exercise(TRAIN)
    answers = make_answers([accuracy], [], seed=1)

    def verdict(content: bytes | None = None):
        path = tmp_path / "models/table.pt"
        path.parent.mkdir(exist_ok=True)
        if content is not None:
            path.write_bytes(content)
        return judge(accuracy, gather(accuracy, 1, answers.held_out), answers.reference[accuracy.id], None)

    assert verdict().status == "not_written"

    class Evil:
        def __reduce__(self):
            return (open, (str(tmp_path / "written"), "w"))

    for content in (b"", b"nonsense", pickle.dumps(Evil()), b"PK\x03\x04" + bytes(100)):
        assert (verdict(content).status, verdict(content).points) == ("error", 0)
    torch.save({"w": Evil()}, tmp_path / "models/table.pt")
    assert verdict().status == "error"
    assert not (tmp_path / "written").exists()
    torch.save(torch.zeros(7), tmp_path / "models/table.pt")
    assert "shape (7,)" in verdict().message
