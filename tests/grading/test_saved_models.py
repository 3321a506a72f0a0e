"""Saved models on their way from a student's folder to points: good ones, missing ones, and attacks."""

import io
import os
import pickle
import zipfile
from pathlib import Path

import pytest
import torch
from helpers import grade_all

from exercise_code.support.checking.assignment import find_assignment
from exercise_code.support.paths import ROOT
from grading.editions.made_up_class import reference_models
from grading.submissions.collect import collect

pytestmark = pytest.mark.slow
CHECK = "mlp.hyperparameter_tuning.train_best_mlp:accuracy"
MODEL = "models/best_mlp.pt"


class Calls:
    """A pickle that runs a function when it is read."""

    def __init__(self, function, *args):
        self.call = function, args

    def __reduce__(self):
        return self.call


def saved(value) -> bytes:
    file = io.BytesIO()
    torch.save(value, file)
    return file.getvalue()


def zip_bomb() -> bytes:
    """The archive of a model whose storage is packed: 1 GiB of zeros in 1 MiB."""
    plain, packed = io.BytesIO(saved(torch.zeros(4))), io.BytesIO()
    with zipfile.ZipFile(plain) as source, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            content = bytes(2**30) if "/data/" in name else source.read(name)
            target.writestr(name, content)
    return packed.getvalue()


@pytest.fixture(scope="module")
def a03():
    return find_assignment("a03")


@pytest.fixture(scope="module")
def graded(a03, tmp_path_factory):
    """Records by name: the reference's code with all kinds of models, handed in as folders."""
    good = reference_models(a03)[MODEL]
    state = torch.load(io.BytesIO(good), weights_only=True)
    witness = tmp_path_factory.mktemp("witness") / "written"
    models = {
        "good": good,
        "missing": None,
        "empty": b"",
        "cut short": good[: len(good) // 2],
        "pickle that calls": pickle.dumps(Calls(os.system, f"touch {witness}")),
        "model that calls": saved({"w": Calls(os.system, f"touch {witness}")}),
        "model that ends": saved(Calls(os._exit, 0)),
        "too large": good + bytes(17 * 2**20),
        "zip bomb": zip_bomb(),
        "no dictionary": saved([1, 2, 3]),
        "empty dictionary": saved({}),
        "another form": saved({"weights": torch.zeros(3)}),
        "expanded": saved(torch.zeros(1).expand(2**40)),
        "not a number": saved(_with(state, float("nan"))),
    }
    folder = tmp_path_factory.mktemp("submissions")
    for name, model in models.items():
        for file in a03.editable:
            (folder / name / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / name / file).write_bytes((ROOT / file).read_bytes())
        if model is not None:
            (folder / name / "models").mkdir()
            (folder / name / MODEL).write_bytes(model)
    submissions = collect(folder, a03).submissions(a03)
    records = grade_all(submissions, a03, 5, tmp_path_factory.mktemp("graded"))
    return {record.submission.id: record for record in records}, witness


def _with(value, number: float):
    """The same with all floating-point tensors set to a number."""
    if isinstance(value, dict):
        return {key: _with(item, number) for key, item in value.items()}
    is_float = isinstance(value, torch.Tensor) and value.is_floating_point()
    return torch.full_like(value, number) if is_float else value


def points_of(record) -> dict[str, float]:
    return {verdict.check: verdict.points for verdict in record.verdicts}


def test_a_good_model_earns_all_points(graded, a03):
    assert graded[0]["good"].score == a03.max_points


def test_a_bad_model_costs_its_own_check_and_nothing_else(graded, a03):
    records, _ = graded
    for name, record in records.items():
        points = points_of(record)
        if name != "good":
            assert points.pop(CHECK) == 0, name
            assert sum(points.values()) == a03.max_points - points_of(records["good"])[CHECK], name


def test_nothing_in_a_model_is_run(graded):
    assert not graded[1].exists()


def test_what_is_wrong_is_said(graded):
    said = {name: {v.check: v for v in record.verdicts}[CHECK] for name, record in graded[0].items()}
    assert said["missing"].status == said["too large"].status == "not_written"
    assert "models/best_mlp.pt is missing" in said["missing"].message
    assert any("larger than 16 MiB" in note for note in graded[0]["too large"].submission.notes)
    for name in ("empty", "cut short", "pickle that calls", "model that calls", "another form"):
        assert said[name].status == "error", name
    assert "new images are right" in said["not a number"].message


def test_a_student_packs_the_model(a03, tmp_path, monkeypatch, capsys):
    from exercise_code import __main__

    monkeypatch.setattr(__main__, "ROOT", tmp_path)
    for file in [*a03.editable, *a03.notebook_paths]:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_bytes((ROOT / file).read_bytes())
    archive = tmp_path / f"{a03.name}.zip"
    assert __main__.main(["submit", "a03"]) == 0
    assert f"{MODEL} is not there yet" in capsys.readouterr().out
    assert MODEL not in zipfile.ZipFile(archive).namelist()
    (tmp_path / "models").mkdir()
    (tmp_path / MODEL).write_bytes(bytes(17 * 2**20))
    assert __main__.main(["submit", "a03"]) == 2
    assert "at most 16" in capsys.readouterr().out
    Path(tmp_path / MODEL).write_bytes(b"model")
    assert __main__.main(["submit", "a03"]) == 0
    assert MODEL in zipfile.ZipFile(archive).namelist()
